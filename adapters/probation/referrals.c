/*
 * Referrals to community interventions, as their service announces them. Pure but for malloc. The
 * messages name no provider, so they are published only when the configuration does; without it
 * they are counted. Nothing but the id, the state and the codes travels.
 */
#include <stdio.h>
#include <string.h>
#include "common/shape.h"
#include "probation/probation.h"

#define ASK "Community intervention; what is asked for stands in the referral itself."

struct referral {
	struct probation_reading *reading;
	char rooms[3][32];
	const char *id, *state, *withdrawal;
};

static const char *provider(const struct referral *referral)
{
	return referral->reading->probation->settings.referral_provider;
}

static enum ttg_error finish(const struct referral *referral, struct build *build)
{
	char reason[160];

	snprintf(reason, sizeof(reason), "%.64s/%.32s/%.32s", referral->id, referral->state,
	         referral->withdrawal);
	return domain_event_finish(referral->reading->event, build, referral->reading->intake,
	                           reason, referral->reading->message);
}

/* Sets what every message of the family begins with. */
#define SET_HEAD(build, payload, referral)                                                         \
	do {                                                                                       \
		build_text(build, &(payload)->referral_id, "referralId", (referral)->id, 64);      \
		build_code(build, &(payload)->provider_agency, "referrals.provider",               \
		           provider(referral));                                                    \
		build_code(build, &(payload)->referrer_agency, "agency",                           \
		           (referral)->reading->probation->agency);                                \
	} while (false)

static enum ttg_error sent(const struct referral *referral)
{
	struct build build;
	Ttg__ReferralSent *payload =
	        probation_begin(referral->reading, &build, "referral.sent", TTG__URGENCY__PROMPT);

	if (payload != NULL) {
		SET_HEAD(&build, payload, referral);
		build_text(&build, &payload->ask, "ask", ASK, 512);
		payload->setting = TTG__SETTING__SETTING_COMMUNITY;
	}
	return finish(referral, &build);
}

static enum ttg_error assigned(const struct referral *referral)
{
	struct build build;
	Ttg__ReferralAssigned *payload = probation_begin(referral->reading, &build,
	                                                 "referral.assigned", TTG__URGENCY__PROMPT);

	if (payload != NULL) {
		SET_HEAD(&build, payload, referral);
		build_time_ns(&build, &payload->assigned_at, referral->reading->event->occurred_ns,
		              referral->reading->event->occurred);
	}
	return finish(referral, &build);
}

static enum ttg_error withdrawn(const struct referral *referral)
{
	struct build build;
	Ttg__ReferralWithdrawn *payload = probation_begin(
	        referral->reading, &build, "referral.withdrawn", TTG__URGENCY__PROMPT);

	if (payload != NULL) {
		SET_HEAD(&build, payload, referral);
		build_code(&build, &payload->reason_code, "withdrawalCode", referral->withdrawal);
		build_time_ns(&build, &payload->withdrawn_at, referral->reading->event->occurred_ns,
		              referral->reading->event->occurred);
	}
	return finish(referral, &build);
}

static enum ttg_error ended(const struct referral *referral)
{
	struct build build;
	int outcome = 0;
	Ttg__ReferralEnded *payload;

	if (*referral->withdrawal != '\0')
		return withdrawn(referral);
	payload =
	        probation_begin(referral->reading, &build, "referral.ended", TTG__URGENCY__PROMPT);
	if (payload != NULL) {
		SET_HEAD(&build, payload, referral);
		if (shape_word(&ttg__referral_outcome__descriptor, NULL, referral->state, &outcome))
			payload->outcome = (Ttg__ReferralOutcome)outcome;
		build_time_ns(&build, &payload->ended_at, referral->reading->event->occurred_ns,
		              referral->reading->event->occurred);
	}
	return finish(referral, &build);
}

static const struct {
	const char *type;
	enum ttg_error (*handle)(const struct referral *referral);
} handlers[] = {
	{ "intervention.referral.sent", sent },
	{ "interventions.community.referral.created", sent },
	{ "intervention.referral.assigned", assigned },
	{ "intervention.referral.ended", ended },
	{ "intervention.referral.concluded", ended },
};

/* Its own member, or the last part of the link when there is none. */
static const char *id_of(struct referral *referral)
{
	const char *id = probation_field(referral->reading, "referralId", referral->rooms[0]);
	const char *url = referral->reading->event->detail_url;
	const char *slash = url == NULL ? NULL : strrchr(url, '/');

	return *id == '\0' && slash != NULL ? slash + 1 : id;
}

enum ttg_error referrals_read(struct probation_reading *reading, bool *known)
{
	struct referral referral = { .reading = reading };
	enum ttg_error error;
	size_t n = sizeof(handlers) / sizeof(*handlers), i = 0;

	while (i < n && strcmp(handlers[i].type, reading->event->type) != 0)
		i++;
	*known = i < n && provider(&referral)[0] != '\0';
	if (!*known)
		return TTG_OK;
	error = domain_event_read(reading->event, reading->message);
	if (error != TTG_OK)
		return error;
	referral.id = id_of(&referral);
	referral.state = probation_field(reading, "deliveryState", referral.rooms[1]);
	referral.withdrawal = probation_field(reading, "withdrawalCode", referral.rooms[2]);
	if (*referral.id == '\0' || reading->event->crn == NULL)
		return message_set(reading->message, TTG_EFORMAT,
		                   "the referral's id or the CRN is missing");
	return handlers[i].handle(&referral);
}
