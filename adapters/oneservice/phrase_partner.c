/*
 * Sentences for what colleagues, providers, courts and the broker tell. Pure; see phrase.h.
 */
#include "oneservice/phrase.h"

static void service_contact(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__ServiceContact *it = event->service_contact;

	sentence_add(out, "contact by %s: ", event->source);
	words_add_enum(out, &ttg__contact_channel__descriptor, (int)it->channel);
	sentence_add(out, ", ");
	words_add_enum(out, &ttg__contact_result__descriptor, (int)it->result);
	if (it->duration_minutes > 0)
		sentence_add(out, ", %u minutes", it->duration_minutes);
}

static void sent(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__ReferralSent *it = event->referral_sent;

	sentence_add(out, "referral %s to %s: ", it->referral_id, it->provider_agency);
	words_add_enum(out, &ttg__need_category__descriptor, (int)it->need);
	words_add_time(out, ", answer by ", it->answer_by_at);
}

static void acknowledged(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__ReferralAcknowledged *it = event->referral_acknowledged;

	sentence_add(out, "referral %s read by %s", it->referral_id, it->provider_agency);
	words_add_time(out, ", decision by ", it->decision_by_at);
}

static void accepted(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__ReferralAccepted *it = event->referral_accepted;

	sentence_add(out, "referral %s ACCEPTED by %s", it->referral_id, it->provider_agency);
	words_add_if(out, ", begins by ", it->start_by_date);
	words_add_if(out, ": ", it->reason_description);
}

static void declined(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__ReferralDeclined *it = event->referral_declined;

	sentence_add(out, "referral %s DECLINED by %s: ", it->referral_id, it->provider_agency);
	words_add_enum(out, &ttg__decline_reason__descriptor, (int)it->reason);
	words_add_if(out, "; try ", it->instead_agency);
}

static void assigned(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__ReferralAssigned *it = event->referral_assigned;

	sentence_add(out, "referral %s at %s has a worker", it->referral_id, it->provider_agency);
	if (it->worker)
		words_add_if(out, ": ", it->worker->name);
	words_add_time(out, ", first appointment ", it->first_appointment_at);
}

static void started(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__ReferralStarted *it = event->referral_started;

	sentence_add(out, "referral %s has begun at %s", it->referral_id, it->provider_agency);
	if (it->planned_session_count > 0)
		sentence_add(out, ", %u sessions planned", it->planned_session_count);
}

static void ended(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__ReferralEnded *it = event->referral_ended;

	sentence_add(out, "referral %s ended at %s: ", it->referral_id, it->provider_agency);
	words_add_enum(out, &ttg__referral_outcome__descriptor, (int)it->outcome);
}

static void withdrawn(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__ReferralWithdrawn *it = event->referral_withdrawn;

	sentence_add(out, "referral %s to %s withdrawn", it->referral_id, it->provider_agency);
	words_add_if(out, ": ", it->reason_description);
}

static void appointment(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__PartnerAppointment *it = event->partner_appointment;

	sentence_add(out, "appointment with %s ", event->source);
	words_add_enum(out, &ttg__appointment_status__descriptor, (int)it->status);
	words_add_time(out, ", ", it->starts_at);
	words_add_if(out, ", ", it->place);
	words_add_if(out, ", bring ", it->bring);
}

static void outcome(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__PartnerOutcome *it = event->partner_outcome;

	sentence_add(out, "%s: ", event->source);
	words_add_enum(out, &ttg__partner_result__descriptor, (int)it->result);
	words_add_if(out, ", from ", it->effective_date);
	words_add_if(out, ", ", it->place);
}

static void caseload(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__PartnerCaseload *it = event->partner_caseload;

	sentence_add(out, "%s the caseload of %s",
	             it->status == TTG__CASELOAD_STATUS__CASELOAD_STATUS_OFF ? "off" : "also on",
	             event->source);
	words_add_if(out, ", since ", it->since_date);
}

static void reconviction(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__CourtReconviction *it = event->court_reconviction;

	sentence_add(out, "convicted on %s, %u offences", it->court_date, it->offence_count);
}

static void unacknowledged(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__BrokerAlertUnacknowledged *it = event->broker_alert_unacknowledged;

	sentence_add(out, "NOBODY ACKNOWLEDGED %s in %s", it->event_type, it->mailbox);
	words_add_time(out, " since ", it->since_at);
	words_add_if(out, "; ", it->next_step);
}

static void correction(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__BrokerCorrection *it = event->broker_correction;

	sentence_add(out, "CORRECTION: %s from %s ", it->event_type, it->publisher_agency);
	words_add_enum(out, &ttg__correction_kind__descriptor, (int)it->kind);
}

static void lane_parked(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__BrokerLaneParked *it = event->broker_lane_parked;

	sentence_add(out, "%s for %s is parked after %u attempts, %u more wait behind it",
	             it->event_type, it->mailbox, it->attempt_count, it->waiting_count);
}

static void given_up(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__BrokerDeliveriesGivenUp *it = event->broker_deliveries_given_up;

	sentence_add(out, "%llu EVENTS LOST: the broker's operator gave them up for %s",
	             (unsigned long long)it->delivery_count, it->mailbox);
}

static void overdue(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__BrokerReferralOverdue *it = event->broker_referral_overdue;

	sentence_add(out, "NO ANSWER to referral %s by %s", it->referral_id, it->provider_agency);
	words_add_time(out, ", wanted by ", it->answer_by_at);
	sentence_add(out, "; ");
	words_add_enum(out, &ttg__referral_waiting__descriptor, (int)it->waiting);
}

const struct phrase phrases_partner[] = {
	{ TTG__EVENT__PAYLOAD_SERVICE_CONTACT, service_contact },
	{ TTG__EVENT__PAYLOAD_REFERRAL_SENT, sent },
	{ TTG__EVENT__PAYLOAD_REFERRAL_ACKNOWLEDGED, acknowledged },
	{ TTG__EVENT__PAYLOAD_REFERRAL_ACCEPTED, accepted },
	{ TTG__EVENT__PAYLOAD_REFERRAL_DECLINED, declined },
	{ TTG__EVENT__PAYLOAD_REFERRAL_ASSIGNED, assigned },
	{ TTG__EVENT__PAYLOAD_REFERRAL_STARTED, started },
	{ TTG__EVENT__PAYLOAD_REFERRAL_ENDED, ended },
	{ TTG__EVENT__PAYLOAD_REFERRAL_WITHDRAWN, withdrawn },
	{ TTG__EVENT__PAYLOAD_PARTNER_APPOINTMENT, appointment },
	{ TTG__EVENT__PAYLOAD_PARTNER_OUTCOME, outcome },
	{ TTG__EVENT__PAYLOAD_PARTNER_CASELOAD, caseload },
	{ TTG__EVENT__PAYLOAD_COURT_RECONVICTION, reconviction },
	{ TTG__EVENT__PAYLOAD_BROKER_ALERT_UNACKNOWLEDGED, unacknowledged },
	{ TTG__EVENT__PAYLOAD_BROKER_CORRECTION, correction },
	{ TTG__EVENT__PAYLOAD_BROKER_LANE_PARKED, lane_parked },
	{ TTG__EVENT__PAYLOAD_BROKER_DELIVERIES_GIVEN_UP, given_up },
	{ TTG__EVENT__PAYLOAD_BROKER_REFERRAL_OVERDUE, overdue },
	{ 0, NULL },
};
