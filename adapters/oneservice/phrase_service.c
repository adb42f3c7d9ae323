/* Sentences for what the One Service tells itself, but for its contacts. Pure; see phrase.h. */
#include "oneservice/phrase.h"

static void add_worker(struct sentence *out, const char *before, const Ttg__Worker *worker)
{
	if (worker)
		words_add_if(out, before, worker->name);
}

static void enrolled(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__ServiceEnrolled *it = event->service_enrolled;

	sentence_add(out, "enrolled by %s", event->source);
	words_add_if(out, " in ", it->scheme);
	words_add_if(out, ", ", it->cohort);
	words_add_if(out, ", from ", it->from_date);
	add_worker(out, ", works with ", it->caseworker);
	words_add_if(out, ", release expected ", it->expected_release_date);
}

static void exited(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__ServiceExited *it = event->service_exited;

	sentence_add(out, "support by %s has ended: ", event->source);
	words_add_enum(out, &ttg__exit_reason__descriptor, (int)it->reason);
	if (it->may_return == TTG__ANSWER__ANSWER_YES)
		sentence_add(out, ", may come back");
}

static void reengaged(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__ServiceReengaged *it = event->service_reengaged;

	sentence_add(out, "back with %s: ", event->source);
	words_add_enum(out, &ttg__reengage_reason__descriptor, (int)it->reason);
	add_worker(out, ", works with ", it->caseworker);
}

static void withdrawn(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__ServiceWithdrawn *it = event->service_withdrawn;

	sentence_add(out, "WITHDRAWN from %s: ", it->scheme[0] ? it->scheme : "every scheme");
	words_add_enum(out, &ttg__withdraw_reason__descriptor, (int)it->reason);
}

static void assessed(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__ServiceNeedsAssessed *it = event->service_needs_assessed;

	sentence_add(out, "needs assessed");
	add_worker(out, " by ", it->assessor);
	words_add_needs(out, ": ", it->needs, it->n_needs);
	words_add_if(out, ", next review ", it->next_review_date);
}

static void gate_meeting(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__ServiceGateMeeting *it = event->service_gate_meeting;

	sentence_add(out, "at the gate: ");
	words_add_enum(out, &ttg__gate_meeting_outcome__descriptor, (int)it->outcome);
	add_worker(out, ", ", it->worker);
	words_add_time(out, ", ", it->met_at);
	words_add_if(out, ": ", it->reason_description);
}

static void flag_requested(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__ServiceFlagRequested *it = event->service_flag_requested;

	sentence_add(out, "flag on the PNC asked for: ");
	words_add_enum(out, &ttg__flag_action__descriptor, (int)it->action);
	words_add_if(out, ", of ", it->police_agency);
	words_add_if(out, ", until ", it->until_date);
}

static void access_requested(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__ServiceAccessRequested *it = event->service_access_requested;

	sentence_add(out, "access to %s asked for", words_prison(it->prison_code));
	add_worker(out, " for ", it->applicant);
	words_add_if(out, ", from ", it->from_date);
	words_add_if(out, ", until ", it->until_date);
}

const struct phrase phrases_service[] = {
	{ TTG__EVENT__PAYLOAD_SERVICE_ENROLLED, enrolled },
	{ TTG__EVENT__PAYLOAD_SERVICE_EXITED, exited },
	{ TTG__EVENT__PAYLOAD_SERVICE_REENGAGED, reengaged },
	{ TTG__EVENT__PAYLOAD_SERVICE_WITHDRAWN, withdrawn },
	{ TTG__EVENT__PAYLOAD_SERVICE_NEEDS_ASSESSED, assessed },
	{ TTG__EVENT__PAYLOAD_SERVICE_GATE_MEETING, gate_meeting },
	{ TTG__EVENT__PAYLOAD_SERVICE_FLAG_REQUESTED, flag_requested },
	{ TTG__EVENT__PAYLOAD_SERVICE_ACCESS_REQUESTED, access_requested },
	{ 0, NULL },
};
