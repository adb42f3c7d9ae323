/*
 * Enrolling: somebody the desk knows, or somebody new by his numbers. Another caseworker for
 * somebody who is enrolled is an enrolment again, with the rest of it as it was; managers only.
 */
#include "desk/act_internal.h"

#include <stdio.h>
#include <string.h>
#include "base/instant.h"

static bool is_reassignment(const struct act *act)
{
	return act->person != NULL && person_is_enrolled(act->person, act->request->now_ns);
}

const char *enrol_why_not(const struct act *act)
{
	if (is_reassignment(act) && act->request->user->role != ROLE_MANAGER)
		return "This person is enrolled already. Only a manager can change the caseworker.";
	return NULL;
}

/* What his scheme says of him while he is enrolled; else what is offered for a new enrolment. */
static struct person_scheme offered_scheme(const struct act *act)
{
	struct person_scheme offered;
	char clock[6];

	if (is_reassignment(act))
		return *person_scheme(act->person);
	memset(&offered, 0, sizeof(offered));
	snprintf(offered.scheme, sizeof(offered.scheme), "%.*s", ID_BYTES - 1, act_scheme(act));
	instant_to_civil(act->request->now_ns, offered.from, clock);
	if (act->request->user->role == ROLE_CASEWORKER)
		snprintf(offered.caseworker, sizeof(offered.caseworker), "%s",
		         act->request->user->name);
	return offered;
}

void enrol_show(struct act *act, struct html *html)
{
	const struct person_scheme offered = offered_scheme(act);
	const struct person_release *release =
	        act->person != NULL && act->person->release.known ? &act->person->release : NULL;

	if (is_reassignment(act))
		page_inset(
		        html,
		        "This person is enrolled. What you send takes the place of what was said "
		        "before, so change only what is different.");
	act_input(act, html, "scheme", "Scheme", "Small letters, digits and hyphens",
	          offered.scheme, 20);
	act_input(act, html, "cohort", "Cohort", "As the parties count it, for example cohort-3",
	          offered.cohort, 20);
	act_date_input(act, html, "from", "First day", "", offered.from);
	act_date_input(act, html, "until", "Last day",
	               "Leave empty: twelve months after the release decide", offered.until);
	act_input(act, html, "consent_version", "Version of the consent that was signed",
	          "It stands at the foot of the form. Leave empty if none is needed",
	          offered.consent_version, 20);
	act_moment_input(act, html, "consent_at", "When it was signed", "", offered.consent_ns);
	act_input(act, html, "caseworker", "Caseworker", "The full name they sign in under here",
	          offered.caseworker, 30);
	act_input(act, html, "prison_code", "Prison", "Its code, for example PBI", act_prison(act),
	          10);
	act_date_input(act, html, "release", "Expected release",
	               "The one the enrolment is for. Leave empty if it is not known",
	               release != NULL ? release->date : "");
}

void enrol_fill(struct act *act, void *payload)
{
	Ttg__ServiceEnrolled *to = payload;
	int64_t consent_ns;

	act_text(act, to, "scheme", "scheme", "Scheme", ACT_REQUIRED);
	act_text(act, to, "cohort", "cohort", "Cohort", 0);
	act_date(act, to, "from_date", "from", "First day", ACT_REQUIRED);
	act_date(act, to, "until_date", "until", "Last day", 0);
	if (to->until_date[0] != '\0' && strcmp(to->until_date, to->from_date) < 0)
		act_wrong(act, "until-day", "Last day cannot be before the first");
	act_text(act, to, "consent_version", "consent_version", "Version of the consent", 0);
	consent_ns =
	        act_moment(act, to, "consent_at", "consent_at", "When it was signed", ACT_PAST);
	if (consent_ns != 0 && to->consent_version[0] == '\0')
		act_wrong(act, "consent_version", "Say which version was signed");
	if (web_field(act->request, "caseworker")[0] == '\0')
		act_wrong(act, "caseworker", "Caseworker is missing");
	else
		act_text(act, act_part(act, &to->caseworker, &ttg__worker__descriptor), "name",
		         "caseworker", "Caseworker", 0);
	act_text(act, to, "prison_code", "prison_code", "Prison", 0);
	act_date(act, to, "expected_release_date", "release", "Expected release", 0);
}

static const struct {
	const char *name;
	const char *label;
	const char *hint;
	enum identifier_kind kind;
} numbers[] = {
	{ "noms", "Prison number", "Like A1234BC", IDENTIFIER_NOMS },
	{ "pnc", "PNC number", "Like 2012/0052494Q. Leave empty if you do not have it",
	  IDENTIFIER_PNC },
	{ "crn", "Probation's case number (CRN)", "Like X320741. Leave empty if you do not have it",
	  IDENTIFIER_CRN },
	{ "case_number", "Our own case number", "Leave empty if there is none",
	  IDENTIFIER_CASE_NUMBER },
};

void enrol_new_show(struct act *act, struct html *html)
{
	page_inset(html, "Search under People first: many are known here before they are "
	                 "enrolled.");
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		act_input(act, html, numbers[i].name, numbers[i].label, numbers[i].hint, "", 20);
	enrol_show(act, html);
}

static bool is_known(const struct act *act, int kind, const char *canonical)
{
	for (size_t i = 0; i < views_n_persons(act->desk->views); i++) {
		const struct person *person = views_person(act->desk->views, (uint32_t)i);

		for (size_t k = 0; person != NULL && k < person->n_numbers; k++)
			if (person->numbers[k].kind == kind && person->numbers[k].valid &&
			    strcmp(person->numbers[k].value, canonical) == 0)
				return true;
	}
	return false;
}

static void tell_validity(struct act *act, const char *name, const char *label,
                          enum identifier_validity validity)
{
	if (validity == IDENTIFIER_INVALID_CHECK)
		act_wrong(act, name,
		          "%s: its check letter does not fit. A digit or the letter is wrong: "
		          "look at the paper again",
		          label);
	else if (validity == IDENTIFIER_DUMMY)
		act_wrong(act, name, "%s is a made-up number that stands for nobody", label);
	else
		act_wrong(act, name, "%s does not have the form of such a number", label);
}

static void read_number(struct act *act, size_t index)
{
	const char *name = numbers[index].name, *label = numbers[index].label;
	const char *typed = web_field(act->request, name);
	char canonical[IDENTIFIER_CANONICAL];
	enum identifier_validity validity;
	Ttg__Person *person;

	if (typed[0] == '\0')
		return;
	validity = identifier_check(numbers[index].kind, typed, act->build.year_now, canonical);
	if (validity != IDENTIFIER_VALID) {
		tell_validity(act, name, label, validity);
		return;
	}
	if (is_known(act, (int)numbers[index].kind, canonical) && !act->again) {
		act_wrong(act, name, "%s is known here already: search under People", label);
		return;
	}
	build_person(&act->build, numbers[index].kind, canonical);
	person = act->build.event == NULL ? NULL : act->build.event->person;
	if (numbers[index].kind == IDENTIFIER_CASE_NUMBER && person != NULL)
		act_set(act, &person->identifiers[person->n_identifiers - 1]->issuer, "issuer",
		        act->desk->settings.agency);
}

void enrol_new_fill(struct act *act, void *payload)
{
	if (web_field(act->request, numbers[0].name)[0] == '\0')
		act_wrong(act, numbers[0].name, "%s is missing", numbers[0].label);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		read_number(act, i);
	enrol_fill(act, payload);
}
