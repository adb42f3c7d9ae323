/* A person's record: which event leaves what, and what is asked of it. See person.h. */
#include "desk/person_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "oneservice/figures_period.h"

static const struct {
	Ttg__Event__PayloadCase payload;
	void (*take)(struct person *person, const struct telling *telling);
} takes[] = {
	{ TTG__EVENT__PAYLOAD_PRISON_RELEASE_SCHEDULED, person_take_scheduled },
	{ TTG__EVENT__PAYLOAD_PRISON_RELEASE_CHANGED, person_take_changed },
	{ TTG__EVENT__PAYLOAD_PRISON_RELEASE_CANCELLED, person_take_cancelled },
	{ TTG__EVENT__PAYLOAD_PRISON_RELEASED, person_take_released },
	{ TTG__EVENT__PAYLOAD_PRISON_RECEPTION, person_take_reception },
	{ TTG__EVENT__PAYLOAD_PRISON_ABSENCE, person_take_absence },
	{ TTG__EVENT__PAYLOAD_PRISON_ABSENCE_ENDED, person_take_absence_ended },
	{ TTG__EVENT__PAYLOAD_PRISON_DISCHARGE_BOARD, person_take_board },
	{ TTG__EVENT__PAYLOAD_PRISON_NEEDS_SCREENED, person_take_screened },
	{ TTG__EVENT__PAYLOAD_PRISON_RISK_INFORMATION, person_take_risk },
	{ TTG__EVENT__PAYLOAD_POLICE_ARREST, person_take_arrest },
	{ TTG__EVENT__PAYLOAD_POLICE_CUSTODY_UPDATE, person_take_custody_update },
	{ TTG__EVENT__PAYLOAD_POLICE_PNC_FLAG, person_take_flag },
	{ TTG__EVENT__PAYLOAD_POLICE_IOM_STATUS, person_take_iom },
	{ TTG__EVENT__PAYLOAD_PROBATION_CASE, person_take_case },
	{ TTG__EVENT__PAYLOAD_PROBATION_CONTACT, person_take_probation_contact },
	{ TTG__EVENT__PAYLOAD_PROBATION_RISK_ESCALATED, person_take_risk },
	{ TTG__EVENT__PAYLOAD_SERVICE_ENROLLED, person_take_enrolled },
	{ TTG__EVENT__PAYLOAD_SERVICE_EXITED, person_take_exited },
	{ TTG__EVENT__PAYLOAD_SERVICE_REENGAGED, person_take_reengaged },
	{ TTG__EVENT__PAYLOAD_SERVICE_WITHDRAWN, person_take_withdrawn },
	{ TTG__EVENT__PAYLOAD_SERVICE_NEEDS_ASSESSED, person_take_assessed },
	{ TTG__EVENT__PAYLOAD_SERVICE_CONTACT, person_take_contact },
	{ TTG__EVENT__PAYLOAD_SERVICE_GATE_MEETING, person_take_meeting },
	{ TTG__EVENT__PAYLOAD_SERVICE_FLAG_REQUESTED, person_take_flag_requested },
};

enum ttg_error person_take(struct person *person, const struct telling *telling)
{
	for (size_t i = 0; i < sizeof(takes) / sizeof(takes[0]); i++)
		if (takes[i].payload == telling->event->payload_case)
			takes[i].take(person, telling);
	return person_take_referral(person, telling);
}

void person_clear(struct person *person)
{
	struct person kept = { .number = person->number,
		               .joined = person->joined,
		               .n_numbers = person->n_numbers,
		               .events = person->events,
		               .n_events = person->n_events,
		               .room_events = person->room_events,
		               .referrals = person->referrals,
		               .room_referrals = person->room_referrals };

	memcpy(kept.numbers, person->numbers, sizeof(kept.numbers));
	*person = kept;
}

void person_fini(struct person *person)
{
	free(person->events);
	free(person->referrals);
	*person = (struct person){ 0 };
}

void person_text(char *to, size_t bytes, const char *from)
{
	size_t len = from == NULL ? 0 : strnlen(from, bytes);

	assert(bytes > 0);
	if (len == bytes)
		do
			len--;
		while (len > 0 && ((unsigned char)from[len] & 0xc0) == 0x80);
	if (len > 0)
		memcpy(to, from, len);
	to[len] = '\0';
}

int64_t person_when(const struct telling *telling, const Ttg__Time *time)
{
	return time != NULL ? time->unix_ns : telling->happened_ns;
}

static void add_part(char *to, size_t bytes, const char *part)
{
	size_t used = strlen(to);

	if (part == NULL || part[0] == '\0')
		return;
	if (used > 0) {
		person_text(to + used, bytes - used, ", ");
		used = strlen(to);
	}
	person_text(to + used, bytes - used, part);
}

void person_address(char *to, size_t bytes, int *kind, const Ttg__Address *from)
{
	to[0] = '\0';
	*kind = from != NULL ? (int)from->kind : 0;
	if (from == NULL)
		return;
	for (size_t i = 0; i < from->n_lines; i++)
		add_part(to, bytes, from->lines[i]);
	add_part(to, bytes, from->town);
	add_part(to, bytes, from->postcode);
}

const struct person_number *person_best_number(const struct person *person)
{
	static const int order[] = { TTG__IDENTIFIER_KIND__NOMS, TTG__IDENTIFIER_KIND__CRN,
		                     TTG__IDENTIFIER_KIND__PNC, TTG__IDENTIFIER_KIND__CRO,
		                     TTG__IDENTIFIER_KIND__CASE_NUMBER };

	for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++)
		for (size_t i = 0; i < person->n_numbers; i++)
			if (person->numbers[i].kind == order[k] && person->numbers[i].valid)
				return &person->numbers[i];
	return person->n_numbers > 0 ? &person->numbers[0] : NULL;
}

static bool has_ended(const struct person_scheme *scheme)
{
	return scheme->exited || scheme->withdrawn;
}

const struct person_scheme *person_scheme(const struct person *person)
{
	const struct person_scheme *found = NULL;

	for (size_t i = 0; i < person->n_schemes; i++)
		if (found == NULL || has_ended(found) || !has_ended(&person->schemes[i]))
			found = &person->schemes[i];
	return found;
}

bool person_is_enrolled(const struct person *person, int64_t now_ns)
{
	const int32_t today = period_day(now_ns);

	for (size_t i = 0; i < person->n_schemes; i++) {
		const struct person_scheme *scheme = &person->schemes[i];
		int32_t until = period_day_of_date(scheme->until);

		if (!has_ended(scheme) && (until == 0 || today <= until) &&
		    (scheme->window_ns == 0 || now_ns < scheme->window_ns))
			return true;
	}
	return false;
}

bool person_is_assigned(const struct person *person, const char *name)
{
	for (size_t i = 0; i < person->n_schemes; i++)
		if (!has_ended(&person->schemes[i]) && name[0] != '\0' &&
		    strcmp(person->schemes[i].caseworker, name) == 0)
			return true;
	return false;
}

const struct person_referral *person_find_referral(const struct person *person, const char *id)
{
	for (size_t i = person->n_referrals; i > 0; i--)
		if (strcmp(person->referrals[i - 1].id, id) == 0)
			return &person->referrals[i - 1];
	return NULL;
}
