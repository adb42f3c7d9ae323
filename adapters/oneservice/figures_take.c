/*
 * What the events of each type say for the figures. Pure; see figures_take.h and, for what counts
 * and why, docs/figures.md. A type that is not in the table at the end says nothing.
 */
#include "oneservice/figures_take.h"

#include <stdio.h>
#include "base/instant.h"
#include "oneservice/figures_period.h"

static int64_t when(const struct entry *it, const Ttg__Time *time)
{
	return time != NULL ? time->unix_ns : it->happened_ns;
}

static uint16_t needs_of(Ttg__Need *const *needs, size_t n)
{
	uint16_t bits = 0;

	for (size_t i = 0; i < n; i++)
		if (needs[i]->level != TTG__NEED_LEVEL__NEED_LEVEL_NONE &&
		    needs[i]->category > TTG__NEED_CATEGORY__NEED_CATEGORY_UNSPECIFIED &&
		    needs[i]->category <= TTG__NEED_CATEGORY__NEED_INFORMATION_TECHNOLOGY)
			bits |= (uint16_t)(1u << needs[i]->category);
	return bits;
}

static void take_enrolled(struct entry *it)
{
	const Ttg__ServiceEnrolled *from = it->event->service_enrolled;
	int32_t day = period_day_of_date(from->from_date);

	entry_add(it, (struct fact){ .kind = FACT_ENROLLED,
	                             .source = entry_word(it, it->event->source),
	                             .at_ns = it->happened_ns,
	                             .scheme = entry_word(it, from->scheme),
	                             .word = entry_word(it, from->cohort),
	                             .day = day != 0 ? day : period_day(it->happened_ns),
	                             .other = period_day_of_date(from->expected_release_date) });
}

/* A death takes nobody out of his cohort; there is nothing to hear of him either way. */
static void take_withdrawn(struct entry *it)
{
	const Ttg__ServiceWithdrawn *from = it->event->service_withdrawn;
	bool never = from->reason == TTG__WITHDRAW_REASON__WITHDRAW_REASON_MISTAKE ||
	             from->reason == TTG__WITHDRAW_REASON__WITHDRAW_REASON_WRONG_MAN;

	if (from->reason != TTG__WITHDRAW_REASON__WITHDRAW_REASON_DIED)
		entry_add_of_person(it, (struct fact){ .kind = never ? FACT_VOID : FACT_WITHDRAWN,
		                                       .at_ns = when(it, from->withdrawn_at),
		                                       .scheme = entry_word(it, from->scheme) });
}

static void take_reengaged(struct entry *it)
{
	const Ttg__ServiceReengaged *from = it->event->service_reengaged;

	entry_add_of_person(it, (struct fact){ .kind = FACT_BACK,
	                                       .at_ns = when(it, from->reengaged_at),
	                                       .scheme = entry_word(it, from->scheme) });
}

/* Of the prison's two feeds the fast one counts nothing: proto/common.proto, MovementView. */
static void take_released(struct entry *it)
{
	const Ttg__PrisonReleased *from = it->event->prison_released;

	if (from->at_liberty && from->view != TTG__MOVEMENT_VIEW__MOVEMENT_VIEW_IMMEDIATE)
		entry_add_of_person(it, (struct fact){ .kind = FACT_RELEASED,
		                                       .at_ns = when(it, from->released_at) });
}

static void take_screened(struct entry *it)
{
	const Ttg__PrisonNeedsScreened *from = it->event->prison_needs_screened;

	if (from->declined != TTG__ANSWER__ANSWER_YES)
		entry_add_of_person(it,
		                    (struct fact){ .kind = FACT_SCREENED,
		                                   .at_ns = when(it, from->screened_at),
		                                   .needs = needs_of(from->needs, from->n_needs) });
}

static void take_assessed(struct entry *it)
{
	const Ttg__ServiceNeedsAssessed *from = it->event->service_needs_assessed;
	bool outside = from->setting == TTG__SETTING__SETTING_GATE ||
	               from->setting == TTG__SETTING__SETTING_COMMUNITY;

	entry_add_of_person(
	        it, (struct fact){ .kind = FACT_ASSESSED,
	                           .at_ns = when(it, from->assessed_at),
	                           .scheme = entry_word(it, from->scheme),
	                           .needs = needs_of(from->needs, from->n_needs),
	                           .inside = !outside &&
	                                     from->kind ==
	                                             TTG__ASSESSMENT_KIND__ASSESSMENT_KIND_FULL });
}

static void take_gate_meeting(struct entry *it)
{
	const Ttg__ServiceGateMeeting *from = it->event->service_gate_meeting;

	if (from->outcome == TTG__GATE_MEETING_OUTCOME__GATE_MEETING_OUTCOME_MET)
		entry_add_of_person(it, (struct fact){ .kind = FACT_MET,
		                                       .at_ns = when(it, from->met_at),
		                                       .scheme = entry_word(it, from->scheme) });
}

static void take_contact(struct entry *it)
{
	const Ttg__ServiceContact *from = it->event->service_contact;

	if (from->counts_as_activity)
		entry_add_of_person(it, (struct fact){ .kind = FACT_ACTIVE,
		                                       .at_ns = when(it, from->started_at),
		                                       .scheme = entry_word(it, from->scheme),
		                                       .word = entry_word(it, from->referral_id) });
}

static void take_appointment(struct entry *it)
{
	const Ttg__PartnerAppointment *from = it->event->partner_appointment;

	if (from->status == TTG__APPOINTMENT_STATUS__APPOINTMENT_STATUS_KEPT)
		entry_add_of_person(it, (struct fact){ .kind = FACT_ACTIVE,
		                                       .at_ns = when(it, from->starts_at),
		                                       .word = entry_word(it, from->referral_id) });
}

static void take_reconviction(struct entry *it)
{
	const Ttg__CourtReconviction *from = it->event->court_reconviction;
	struct fact fact = { .kind = FACT_RECONVICTED };
	char date[11];
	char clock[6];

	instant_to_civil(it->happened_ns, date, clock);
	if (date_is_valid(from->court_date))
		snprintf(date, sizeof(date), "%s", from->court_date);
	/* The same instant for all of a day, so that its occasions lie together. */
	if (instant_from_civil(date, NULL, &fact.at_ns) != TTG_OK)
		return;
	fact.day = period_day_of_date(date);
	fact.other = period_day_of_date(from->first_offence_date);
	fact.word = entry_word(it, from->court_code);
	entry_add_of_person(it, fact);
}

/* Facts of a referral are known by its id and its referrer, whoever they are about. */
static void take_sent(struct entry *it)
{
	const Ttg__ReferralSent *from = it->event->referral_sent;
	const char *referrer = from->referrer_agency;

	entry_add(it,
	          (struct fact){ .kind = FACT_SENT,
	                         .at_ns = it->happened_ns,
	                         .scheme = entry_word(it, from->scheme),
	                         .source = entry_word(it, referrer[0] != '\0' ? referrer
	                                                                      : it->event->source),
	                         .word = entry_word(it, from->referral_id),
	                         .more = entry_word(it, from->provider_agency) });
}

static void add_of_referral(struct entry *it, enum fact_kind kind, const Ttg__Time *time,
                            const char *referrer, const char *referral)
{
	entry_add(it, (struct fact){ .kind = (uint8_t)kind,
	                             .at_ns = when(it, time),
	                             .source = entry_word(it, referrer),
	                             .word = entry_word(it, referral) });
}

static void take_acknowledged(struct entry *it)
{
	const Ttg__ReferralAcknowledged *from = it->event->referral_acknowledged;

	add_of_referral(it, FACT_ACKNOWLEDGED, from->acknowledged_at, from->referrer_agency,
	                from->referral_id);
}

static void take_accepted(struct entry *it)
{
	const Ttg__ReferralAccepted *from = it->event->referral_accepted;

	add_of_referral(it, FACT_ACCEPTED, from->accepted_at, from->referrer_agency,
	                from->referral_id);
}

static void take_declined(struct entry *it)
{
	const Ttg__ReferralDeclined *from = it->event->referral_declined;

	add_of_referral(it, FACT_DECLINED, from->declined_at, from->referrer_agency,
	                from->referral_id);
}

static void take_started(struct entry *it)
{
	const Ttg__ReferralStarted *from = it->event->referral_started;

	add_of_referral(it, FACT_STARTED, from->started_at, from->referrer_agency,
	                from->referral_id);
}

static void take_ended(struct entry *it)
{
	const Ttg__ReferralEnded *from = it->event->referral_ended;

	add_of_referral(it, FACT_ENDED, from->ended_at, from->referrer_agency, from->referral_id);
}

static void take_referral_withdrawn(struct entry *it)
{
	const Ttg__ReferralWithdrawn *from = it->event->referral_withdrawn;
	const char *referrer = from->referrer_agency;

	add_of_referral(it, FACT_REFERRAL_WITHDRAWN, from->withdrawn_at,
	                referrer[0] != '\0' ? referrer : it->event->source, from->referral_id);
}

/* Only the broker may send it: whoever was told a thing and may not be told what is right. */
static void take_correction(struct entry *it)
{
	const Ttg__BrokerCorrection *from = it->event->broker_correction;

	entry_supersede(it, from->publisher_agency, &from->event_id);
}

void figures_take(struct entry *it)
{
	static const struct {
		Ttg__Event__PayloadCase payload;
		void (*take)(struct entry *it);
	} takes[] = {
		{ TTG__EVENT__PAYLOAD_SERVICE_ENROLLED, take_enrolled },
		{ TTG__EVENT__PAYLOAD_SERVICE_WITHDRAWN, take_withdrawn },
		{ TTG__EVENT__PAYLOAD_SERVICE_REENGAGED, take_reengaged },
		{ TTG__EVENT__PAYLOAD_PRISON_RELEASED, take_released },
		{ TTG__EVENT__PAYLOAD_PRISON_NEEDS_SCREENED, take_screened },
		{ TTG__EVENT__PAYLOAD_SERVICE_NEEDS_ASSESSED, take_assessed },
		{ TTG__EVENT__PAYLOAD_SERVICE_GATE_MEETING, take_gate_meeting },
		{ TTG__EVENT__PAYLOAD_SERVICE_CONTACT, take_contact },
		{ TTG__EVENT__PAYLOAD_PARTNER_APPOINTMENT, take_appointment },
		{ TTG__EVENT__PAYLOAD_COURT_RECONVICTION, take_reconviction },
		{ TTG__EVENT__PAYLOAD_REFERRAL_SENT, take_sent },
		{ TTG__EVENT__PAYLOAD_REFERRAL_ACKNOWLEDGED, take_acknowledged },
		{ TTG__EVENT__PAYLOAD_REFERRAL_ACCEPTED, take_accepted },
		{ TTG__EVENT__PAYLOAD_REFERRAL_DECLINED, take_declined },
		{ TTG__EVENT__PAYLOAD_REFERRAL_STARTED, take_started },
		{ TTG__EVENT__PAYLOAD_REFERRAL_ENDED, take_ended },
		{ TTG__EVENT__PAYLOAD_REFERRAL_WITHDRAWN, take_referral_withdrawn },
		{ TTG__EVENT__PAYLOAD_BROKER_CORRECTION, take_correction },
	};

	for (size_t i = 0; i < sizeof(takes) / sizeof(takes[0]); i++)
		if (takes[i].payload == it->event->payload_case)
			takes[i].take(it);
}
