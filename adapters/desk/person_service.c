/* What the One Service and its partners tell of a person. Pure; see person.h. */
#include "desk/person_internal.h"

#include <string.h>
#include "oneservice/figures_period.h"

static struct person_scheme *find_scheme(struct person *person, const char *scheme)
{
	for (size_t i = 0; i < person->n_schemes; i++)
		if (strcmp(person->schemes[i].scheme, scheme) == 0)
			return &person->schemes[i];
	return NULL;
}

/* The last one found keeps being the newest: it moves to the end. */
static struct person_scheme *open_scheme(struct person *person, const char *scheme)
{
	struct person_scheme *found = find_scheme(person, scheme);
	struct person_scheme taken = { .ended_ns = 0 };

	if (found != NULL) {
		taken = *found;
	} else if (person->n_schemes < PERSON_SCHEMES_MAX) {
		found = &person->schemes[person->n_schemes++];
	} else {
		found = &person->schemes[0];
	}
	memmove(found, found + 1,
	        (size_t)(&person->schemes[person->n_schemes - 1] - found) * sizeof(*found));
	found = &person->schemes[person->n_schemes - 1];
	*found = taken;
	TAKE_TEXT(found->scheme, scheme);
	found->exited = false;
	found->withdrawn = false;
	found->ended_ns = 0;
	return found;
}

void person_take_enrolled(struct person *person, const struct telling *telling)
{
	const Ttg__ServiceEnrolled *from = telling->event->service_enrolled;
	const bool back_again = person->release.released && person->custody == CUSTODY_OUT;
	struct person_scheme *to = open_scheme(person, from->scheme);

	TAKE_TEXT(to->cohort, from->cohort);
	TAKE_TEXT(to->from, from->from_date);
	TAKE_TEXT(to->until, from->until_date);
	TAKE_TEXT(to->consent_version, from->consent_version);
	TAKE_TEXT(to->source, telling->event->source);
	to->consent_ns = from->consent_at != NULL ? from->consent_at->unix_ns : 0;
	if (from->caseworker != NULL)
		TAKE_TEXT(to->caseworker, from->caseworker->name);
	/* Enrolled after he was let out: his twelve months run from that release. */
	if (to->window_ns == 0 && back_again)
		to->window_ns = period_add_months(person->release.released_ns, 12);
}

void person_take_reengaged(struct person *person, const struct telling *telling)
{
	const Ttg__ServiceReengaged *from = telling->event->service_reengaged;
	struct person_scheme *to = open_scheme(person, from->scheme);

	if (from->cohort[0] != '\0')
		TAKE_TEXT(to->cohort, from->cohort);
	if (from->until_date[0] != '\0')
		TAKE_TEXT(to->until, from->until_date);
	if (from->consent_version[0] != '\0') {
		TAKE_TEXT(to->consent_version, from->consent_version);
		to->consent_ns = person_when(telling, from->reengaged_at);
	}
	if (from->caseworker != NULL)
		TAKE_TEXT(to->caseworker, from->caseworker->name);
}

/* An empty scheme is every scheme of the publisher. */
static bool is_meant(const struct person_scheme *scheme, const char *name, const char *source)
{
	return name[0] != '\0' ? strcmp(scheme->scheme, name) == 0
	                       : scheme->source[0] == '\0' || strcmp(scheme->source, source) == 0;
}

void person_take_exited(struct person *person, const struct telling *telling)
{
	const Ttg__ServiceExited *from = telling->event->service_exited;

	for (size_t i = 0; i < person->n_schemes; i++) {
		struct person_scheme *scheme = &person->schemes[i];

		if (!is_meant(scheme, from->scheme, telling->event->source) || scheme->withdrawn)
			continue;
		scheme->exited = true;
		scheme->ended_ns = person_when(telling, from->exited_at);
	}
}

void person_take_withdrawn(struct person *person, const struct telling *telling)
{
	const Ttg__ServiceWithdrawn *from = telling->event->service_withdrawn;

	for (size_t i = 0; i < person->n_schemes; i++) {
		struct person_scheme *scheme = &person->schemes[i];

		if (!is_meant(scheme, from->scheme, telling->event->source))
			continue;
		scheme->withdrawn = true;
		scheme->ended_ns = person_when(telling, from->withdrawn_at);
	}
}

static void take_needs(struct person *person, Ttg__Need *const *needs, size_t n, int64_t ns,
                       const Ttg__Worker *by)
{
	memset(person->needs, 0, sizeof(person->needs));
	for (size_t i = 0; i < n; i++) {
		int category = (int)needs[i]->category;

		if (category > 0 && category < PERSON_NEEDS &&
		    needs[i]->level != TTG__NEED_LEVEL__NEED_LEVEL_NONE)
			person->needs[category] = (uint8_t)(needs[i]->level + 1);
	}
	person->needs_ns = ns;
	TAKE_TEXT(person->needs_by, by != NULL ? by->name : "");
}

/* The caseworker's assessment is the fuller one: a screening does not take its place. */
void person_take_screened(struct person *person, const struct telling *telling)
{
	const Ttg__PrisonNeedsScreened *from = telling->event->prison_needs_screened;

	if (person->assessed || from->declined == TTG__ANSWER__ANSWER_YES)
		return;
	take_needs(person, from->needs, from->n_needs, person_when(telling, from->screened_at),
	           from->screener);
}

void person_take_assessed(struct person *person, const struct telling *telling)
{
	const Ttg__ServiceNeedsAssessed *from = telling->event->service_needs_assessed;

	person->assessed = true;
	take_needs(person, from->needs, from->n_needs, person_when(telling, from->assessed_at),
	           from->assessor);
}

void person_take_contact(struct person *person, const struct telling *telling)
{
	const Ttg__ServiceContact *from = telling->event->service_contact;
	int64_t ns = person_when(telling, from->started_at);

	bool made = from->result == TTG__CONTACT_RESULT__CONTACT_RESULT_MADE ||
	            (from->result == TTG__CONTACT_RESULT__CONTACT_RESULT_UNSPECIFIED &&
	             from->counts_as_activity);

	if (made && ns > person->last_contact_ns)
		person->last_contact_ns = ns;
}

void person_take_meeting(struct person *person, const struct telling *telling)
{
	const Ttg__ServiceGateMeeting *from = telling->event->service_gate_meeting;

	person->meeting = (int)from->outcome;
}
