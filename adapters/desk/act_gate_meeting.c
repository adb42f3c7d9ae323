/* Whether he was met on the day of his release. */
#include "desk/act_internal.h"

#include <stdio.h>
#include <string.h>
#include "base/instant.h"

const char *gate_meeting_why_not(const struct act *act)
{
	const struct person_release *release = &act->person->release;
	char today[DATE_BYTES], clock[CLOCK_BYTES];

	instant_to_civil(act->request->now_ns, today, clock);
	if (!release->released && (!release->known || release->cancelled))
		return "No release is known, so there is no meeting at the gate to tell of.";
	if (!release->released && strcmp(release->date, today) > 0)
		return "The day of the release has not come yet.";
	if (act->person->meeting == (int)TTG__GATE_MEETING_OUTCOME__GATE_MEETING_OUTCOME_MET)
		return "It is recorded already that they met.";
	return NULL;
}

void gate_meeting_show(struct act *act, struct html *html)
{
	act_radios(act, html, "outcome", "Did they meet?", "",
	           &ttg__gate_meeting_outcome__descriptor, 0);
	act_moment_input(act, html, "met", "When, or when it was clear that they would not meet",
	                 "", act->request->now_ns);
	act_input(act, html, "reason", "If they did not meet, why", "For example, left early", "",
	          0);
}

/* The day he left, or was to leave. */
static void set_release_date(struct act *act, Ttg__ServiceGateMeeting *to)
{
	const struct person_release *release = &act->person->release;
	char date[DATE_BYTES], clock[CLOCK_BYTES];

	snprintf(date, sizeof(date), "%s", release->date);
	if (release->released)
		instant_to_civil(release->released_ns, date, clock);
	build_date(&act->build, &to->release_date, "release", date);
}

void gate_meeting_fill(struct act *act, void *payload)
{
	Ttg__ServiceGateMeeting *to = payload;
	int64_t met_ns;

	act_choice(act, to, "outcome", "outcome", "Did they meet", ACT_REQUIRED);
	met_ns = act_moment(act, to, "met_at", "met", "When", ACT_REQUIRED | ACT_PAST);
	if (met_ns != 0)
		act->occurred_ns = met_ns;
	act_text(act, to, "reason_description", "reason", "Why", 0);
	if (to->outcome == TTG__GATE_MEETING_OUTCOME__GATE_MEETING_OUTCOME_MISSED &&
	    web_field(act->request, "reason")[0] == '\0')
		act_wrong(act, "reason", "Say why they did not meet");
	act_set(act, &to->prison_code, "prison", act_prison(act));
	act_set(act, &to->gate, "gate", act->person->release.gate);
	set_release_date(act, to);
	act_worker(act, &to->worker);
	act_set(act, &to->scheme, "scheme", act_scheme(act));
}
