/* He is back inside the window, which opens the routes again. */
#include "desk/act_internal.h"

const char *return_why_not(const struct act *act)
{
	const struct person_scheme *scheme = person_scheme(act->person);

	if (scheme == NULL)
		return "This person was never enrolled and so cannot return.";
	if (scheme->withdrawn)
		return "This person was withdrawn and can only be enrolled again, with a new "
		       "consent.";
	if (!scheme->exited)
		return "Support has not ended, so there is nothing to return from.";
	if (scheme->window_ns != 0 && act->request->now_ns >= scheme->window_ns)
		return "The twelve months after the release are over.";
	return NULL;
}

void return_show(struct act *act, struct html *html)
{
	const struct person_scheme *scheme = person_scheme(act->person);

	act_radios(act, html, "reason", "What brought them back", "",
	           &ttg__reengage_reason__descriptor, 0);
	act_moment_input(act, html, "returned", "When they came back", "", act->request->now_ns);
	act_date_input(act, html, "until", "Last day", "Leave empty: the window stays as it was",
	               "");
	act_input(act, html, "consent_version", "Version of a new consent",
	          "Leave empty if none was taken", "", 20);
	act_input(act, html, "caseworker", "Caseworker", "The full name they sign in under here",
	          scheme->caseworker, 30);
}

void return_fill(struct act *act, void *payload)
{
	Ttg__ServiceReengaged *to = payload;
	const struct person_scheme *scheme = person_scheme(act->person);
	int64_t returned_ns;

	act_choice(act, to, "reason", "reason", "What brought them back", ACT_REQUIRED);
	returned_ns = act_moment(act, to, "reengaged_at", "returned", "When they came back",
	                         ACT_REQUIRED | ACT_PAST);
	if (returned_ns != 0)
		act->occurred_ns = returned_ns;
	act_date(act, to, "until_date", "until", "Last day", ACT_FUTURE);
	act_text(act, to, "consent_version", "consent_version", "Version of the consent", 0);
	if (web_field(act->request, "caseworker")[0] != '\0')
		act_text(act, act_part(act, &to->caseworker, &ttg__worker__descriptor), "name",
		         "caseworker", "Caseworker", 0);
	if (scheme != NULL) {
		act_set(act, &to->scheme, "scheme", scheme->scheme);
		act_set(act, &to->cohort, "cohort", scheme->cohort);
	}
}
