/* The end of support, for now: he may come back inside the window. */
#include "desk/act_internal.h"

const char *exit_why_not(const struct act *act)
{
	if (!person_is_enrolled(act->person, act->request->now_ns))
		return "This person is not enrolled, so there is no support to end.";
	return NULL;
}

void exit_show(struct act *act, struct html *html)
{
	act_radios(act, html, "reason", "Why support ends", "", &ttg__exit_reason__descriptor, 0);
	act_moment_input(act, html, "exited", "When it ended", "", act->request->now_ns);
	act_radios(act, html, "may_return", "May they come back inside the twelve months?", "",
	           &ttg__answer__descriptor, TTG__ANSWER__ANSWER_YES);
	act_textarea(act, html, "note", "Note for colleagues",
	             "At most 256 characters. No offence and no risk");
}

void exit_fill(struct act *act, void *payload)
{
	Ttg__ServiceExited *to = payload;
	const struct person_scheme *scheme = person_scheme(act->person);
	int64_t exited_ns;

	act_choice(act, to, "reason", "reason", "Why support ends", ACT_REQUIRED);
	exited_ns = act_moment(act, to, "exited_at", "exited", "When it ended",
	                       ACT_REQUIRED | ACT_PAST);
	if (exited_ns != 0)
		act->occurred_ns = exited_ns;
	act_choice(act, to, "may_return", "may_return", "May they come back", ACT_REQUIRED);
	act_text(act, to, "note", "note", "Note", ACT_LINES);
	if (scheme != NULL) {
		act_set(act, &to->scheme, "scheme", scheme->scheme);
		act_set(act, &to->cohort, "cohort", scheme->cohort);
	}
}
