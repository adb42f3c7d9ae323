/* What the prison tells of a person: release, custody, discharge board. Pure; see person.h. */
#include "desk/person_internal.h"

#include <string.h>
#include "oneservice/figures_period.h"

#define WINDOW_MONTHS 12 /* support after release: docs/figures.md */

/* The diary's entry as it stands now, from whichever message says it whole. */
struct entry {
	const char *date, *clock, *prison_code, *gate, *area, *area_code;
	int kind, certainty;
	int discharge_grant, travel_warrant;
	const Ttg__Address *address;
};

static void take_entry(struct person *person, const struct telling *telling,
                       const struct entry *from)
{
	struct person_release *to = &person->release;

	if (!to->known)
		to->first = telling->index;
	to->known = true;
	to->cancelled = false;
	to->released = false;
	TAKE_TEXT(to->date, from->date);
	TAKE_TEXT(to->clock, from->clock);
	TAKE_TEXT(to->prison_code, from->prison_code);
	TAKE_TEXT(to->gate, from->gate);
	TAKE_TEXT(to->area, from->area);
	TAKE_TEXT(to->area_code, from->area_code);
	to->kind = from->kind;
	to->certainty = from->certainty;
	to->discharge_grant = from->discharge_grant;
	to->travel_warrant = from->travel_warrant;
	person_address(to->address, sizeof(to->address), &to->address_kind, from->address);
	to->event = telling->index;
	person->meeting = 0;
}

void person_take_scheduled(struct person *person, const struct telling *telling)
{
	const Ttg__PrisonReleaseScheduled *from = telling->event->prison_release_scheduled;
	struct person_release *to = &person->release;

	/* Another entry of the diary begins a story of its own. */
	if (to->released || to->cancelled)
		*to = (struct person_release){ 0 };
	take_entry(person, telling,
	           &(struct entry){ .date = from->release_date,
	                            .clock = from->release_clock,
	                            .prison_code = from->prison_code,
	                            .gate = from->gate,
	                            .area = from->area,
	                            .area_code = from->area_code,
	                            .kind = (int)from->kind,
	                            .certainty = (int)from->certainty,
	                            .discharge_grant = (int)from->discharge_grant,
	                            .travel_warrant = (int)from->travel_warrant,
	                            .address = from->release_address });
}

void person_take_changed(struct person *person, const struct telling *telling)
{
	const Ttg__PrisonReleaseChanged *from = telling->event->prison_release_changed;
	struct person_release *to = &person->release;

	take_entry(person, telling,
	           &(struct entry){ .date = from->release_date,
	                            .clock = from->release_clock,
	                            .prison_code = from->prison_code,
	                            .gate = from->gate,
	                            .area = from->area,
	                            .area_code = from->area_code,
	                            .kind = (int)from->kind,
	                            .certainty = (int)from->certainty,
	                            .discharge_grant = (int)from->discharge_grant,
	                            .travel_warrant = (int)from->travel_warrant,
	                            .address = from->release_address });
	to->changed = true;
	TAKE_TEXT(to->old_date, from->old_release_date);
	TAKE_TEXT(to->old_clock, from->old_release_clock);
	TAKE_TEXT(to->old_gate, from->old_gate);
	TAKE_TEXT(to->old_area, from->old_area);
	to->changed_ns = telling->kept_ns;
	to->reason = (int)from->reason;
}

void person_take_cancelled(struct person *person, const struct telling *telling)
{
	const Ttg__PrisonReleaseCancelled *from = telling->event->prison_release_cancelled;
	struct person_release *to = &person->release;

	if (!to->known) {
		to->first = telling->index;
		TAKE_TEXT(to->prison_code, from->prison_code);
		TAKE_TEXT(to->gate, from->gate);
		TAKE_TEXT(to->area, from->area);
		TAKE_TEXT(to->area_code, from->area_code);
		to->kind = (int)from->kind;
	}
	TAKE_TEXT(to->date, from->release_date);
	TAKE_TEXT(to->clock, from->release_clock);
	to->known = true;
	to->cancelled = true;
	to->reason = (int)from->reason;
	to->changed_ns = telling->kept_ns;
	to->event = telling->index;
}

static void set_custody(struct person *person, enum custody custody, int64_t ns,
                        const char *prison_code)
{
	person->custody = custody;
	person->custody_ns = ns;
	if (prison_code != NULL)
		TAKE_TEXT(person->prison_code, prison_code);
}

/* Every scheme that is open and was waiting for this release has its twelve months from now on. */
static void open_windows(struct person *person, int64_t released_ns)
{
	for (size_t i = 0; i < person->n_schemes; i++)
		if (person->schemes[i].window_ns == 0 && !person->schemes[i].withdrawn)
			person->schemes[i].window_ns =
			        period_add_months(released_ns, WINDOW_MONTHS);
}

void person_take_released(struct person *person, const struct telling *telling)
{
	const Ttg__PrisonReleased *from = telling->event->prison_released;
	struct person_release *to = &person->release;
	int64_t ns = person_when(telling, from->released_at);

	if (!from->at_liberty) {
		set_custody(person, CUSTODY_AWAY, ns, from->prison_code);
		return;
	}
	set_custody(person, CUSTODY_OUT, ns, from->prison_code);
	if (!to->known)
		to->first = telling->index;
	to->known = true;
	to->cancelled = false;
	to->released = true;
	to->released_ns = ns;
	to->event = telling->index;
	if (from->area[0] != '\0') {
		TAKE_TEXT(to->area, from->area);
		TAKE_TEXT(to->area_code, from->area_code);
	}
	if (from->gate[0] != '\0')
		TAKE_TEXT(to->gate, from->gate);
	if (from->prison_code[0] != '\0')
		TAKE_TEXT(to->prison_code, from->prison_code);
	if (from->kind != TTG__RELEASE_KIND__RELEASE_KIND_UNSPECIFIED)
		to->kind = (int)from->kind;
	if (from->discharge_grant != TTG__ANSWER__ANSWER_UNSPECIFIED)
		to->discharge_grant = (int)from->discharge_grant;
	if (from->travel_warrant != TTG__ANSWER__ANSWER_UNSPECIFIED)
		to->travel_warrant = (int)from->travel_warrant;
	if (from->release_address != NULL)
		person_address(to->address, sizeof(to->address), &to->address_kind,
		               from->release_address);
	/* The prison's fast feed may be taken back, so it opens nothing. */
	if (from->view != TTG__MOVEMENT_VIEW__MOVEMENT_VIEW_IMMEDIATE)
		open_windows(person, ns);
}

void person_take_reception(struct person *person, const struct telling *telling)
{
	const Ttg__PrisonReception *from = telling->event->prison_reception;

	set_custody(person, CUSTODY_INSIDE, person_when(telling, from->received_at),
	            from->prison_code);
}

void person_take_absence(struct person *person, const struct telling *telling)
{
	const Ttg__PrisonAbsence *from = telling->event->prison_absence;

	set_custody(person, CUSTODY_AWAY, person_when(telling, from->left_at), from->prison_code);
}

void person_take_absence_ended(struct person *person, const struct telling *telling)
{
	const Ttg__PrisonAbsenceEnded *from = telling->event->prison_absence_ended;

	if (from->outcome != TTG__ABSENCE_OUTCOME__ABSENCE_OUTCOME_RELEASED)
		set_custody(person, CUSTODY_INSIDE, person_when(telling, from->ended_at),
		            from->prison_code);
}

void person_take_board(struct person *person, const struct telling *telling)
{
	const Ttg__PrisonDischargeBoard *from = telling->event->prison_discharge_board;
	struct person_board *to = &person->board;

	*to = (struct person_board){ .known = true,
		                     .status = (int)from->status,
		                     .event = telling->index };
	TAKE_TEXT(to->date, from->board_date);
	TAKE_TEXT(to->clock, from->board_clock);
	TAKE_TEXT(to->old_date, from->old_board_date);
	TAKE_TEXT(to->old_clock, from->old_board_clock);
	TAKE_TEXT(to->place, from->place);
	TAKE_TEXT(to->prison_code, from->prison_code);
	TAKE_TEXT(to->release_date, from->release_date);
	TAKE_TEXT(to->reference, from->board_reference);
	person_address(to->address, sizeof(to->address), &to->address_kind, from->release_address);
	for (size_t i = 0; i < from->n_needs; i++) {
		const Ttg__BoardNeed *need = from->needs[i];

		if (need->category <= 0 || (int)need->category >= PERSON_NEEDS)
			continue;
		to->state[need->category] = (uint8_t)need->state;
		TAKE_TEXT(to->owner[need->category],
		          need->owner_agency[0] != '\0' ? need->owner_agency : need->owner);
	}
}
