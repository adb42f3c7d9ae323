/*
 * What the One Service itself says: CloudEvents, one object a file, as its case system would hand
 * them over. Pure but for the stage.
 */
#include "story_internal.h"

#include <stdio.h>
#include <string.h>
#include "base/instant.h"
#include "cloud.h"

#define SOURCE  "one-service"
#define SCHEME  "one-service-pilot"
#define CONSENT "2026-1"
/* Caseworkers read everybody's contacts in one place, their own among them. */
#define COMES_BACK "service.contact"

/* Takes the reference to data; what is published must be answered. */
static bool say(struct story *story, const char *kind, const char *type, const char *noms,
                json_t *take_data)
{
	char id[37];
	json_t *event = cloud_event(&story->dice, SOURCE, type, story->now, noms, take_data, id);

	if (event && story->stage.expect_own)
		story->stage.expect_own(story->stage.user, id,
		                        strcmp(type, COMES_BACK) == 0 ? type : NULL, noms);
	return put_json(story, FEED_SERVICE, kind, event);
}

static json_t *worker(const char *name, const char *role)
{
	return json_pack("{s:s,s:s,s:s}", "name", name, "role", role, "telephone", "01733 496 000");
}

bool service_enrolled(struct story *story, const struct life *life)
{
	char release[11];
	char from[11];
	char clock[6];

	/* The broker asks its own clock whether he is enrolled yet; the story's dates run ahead of it. */
	instant_to_civil(story->now_ns, from, clock);
	day_after(story, 6, release);
	return say(story, "enrolled", "service.enrolled", life->man.noms,
	           json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:o}", "scheme", SCHEME, "cohort",
	                     "cohort-3", "from_date", from, "consent_version", CONSENT,
	                     "prison_code", "PBI", "expected_release_date", release, "caseworker",
	                     worker("J. Okafor", "caseworker")));
}

bool service_needs(struct story *story, const struct life *life)
{
	static const char *const second[] = { "NEED_ADDICTION", "NEED_FINANCE_BENEFIT_DEBT",
		                              "NEED_HEALTH_WELLBEING", "NEED_CHILDREN_FAMILIES" };

	return say(story, "needs", "service.needs_assessed", life->man.noms,
	           json_pack("{s:[{s:s,s:s},{s:s,s:s}],s:s,s:s,s:s,s:s,s:s,s:o}", "needs",
	                     "category", "NEED_ACCOMMODATION", "level", "NEED_LEVEL_HIGH",
	                     "category", second[life->man.number % 4], "level", "NEED_LEVEL_MEDIUM",
	                     "kind", "ASSESSMENT_KIND_FULL", "assessed_at", story->now, "setting",
	                     "SETTING_PRISON", "scheme", SCHEME, "prison_code", "PBI", "assessor",
	                     worker("J. Okafor", "caseworker")));
}

bool service_flag(struct story *story, struct life *life)
{
	char until[11];

	day_after(story, 365, until);
	cohort_uuid(&story->dice, life->flag_request);
	return say(story, "flag", "service.flag_requested", life->man.noms,
	           json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "request_id", life->flag_request,
	                     "action", "FLAG_ACTION_PLACE", "contact_number", "01733 496 001",
	                     "until_date", until, "police_agency", "cambridgeshire-police",
	                     "scheme", SCHEME, "consent_version", CONSENT));
}

bool service_access(struct story *story)
{
	char request[37];
	char until[11];

	cohort_uuid(&story->dice, request);
	day_after(story, 180, until);
	return say(story, "access", "service.access_requested", "",
	           json_pack("{s:s,s:o,s:s,s:s,s:s,s:s,s:s}", "request_id", request, "applicant",
	                     worker("P. Lind", "volunteer"), "applicant_agency", "sova",
	                     "prison_code", "PBI", "purpose", "ACCESS_PURPOSE_VOLUNTEERING",
	                     "from_date", story->today, "until_date", until));
}

bool service_referral(struct story *story, struct life *life)
{
	char release[11];

	day_after(story, 5, release);
	cohort_uuid(&story->dice, life->referral);
	return say(story, "referral", "referral.sent", life->man.noms,
	           json_pack("{s:s,s:s,s:s,s:s,s:s,s:{s:s,s:s,s:s},s:s,s:s,s:s}", "referral_id",
	                     life->referral, "provider_agency", "mind", "referrer_agency", SOURCE,
	                     "need", "NEED_HEALTH_WELLBEING", "ask",
	                     "A first talk about low mood in the week after release", "contact",
	                     "telephone", "07700 900123", "best_time", "Tuesday after 14:00",
	                     "safe_to_leave_message", "ANSWER_NO", "setting", "SETTING_COMMUNITY",
	                     "release_date", release, "consent_version", CONSENT));
}

bool service_gate(struct story *story, const struct life *life)
{
	bool met = life->man.number % 8 != 0;

	return say(story, "gate", "service.gate_meeting", life->man.noms,
	           json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:o}", "outcome",
	                     met ? "GATE_MEETING_OUTCOME_MET" : "GATE_MEETING_OUTCOME_MISSED",
	                     "met_at", story->now, "prison_code", "PBI", "gate", life->diary.gate,
	                     "release_date", life->diary.release_date, "scheme", SCHEME, "worker",
	                     worker("J. Okafor", "caseworker")));
}

bool service_contact(struct story *story, const struct life *life)
{
	return say(story, "contact", COMES_BACK, life->man.noms,
	           json_pack("{s:b,s:s,s:s,s:s,s:s,s:i,s:s,s:s,s:[s],s:o}", "counts_as_activity", 1,
	                     "channel", "CONTACT_CHANNEL_FACE_TO_FACE", "purpose",
	                     "CONTACT_PURPOSE_PRACTICAL", "result", "CONTACT_RESULT_MADE",
	                     "started_at", story->now, "duration_minutes", 45, "setting",
	                     "SETTING_GATE", "scheme", SCHEME, "needs", "NEED_ACCOMMODATION",
	                     "worker", worker("J. Okafor", "caseworker")));
}

bool service_exited(struct story *story, const struct life *life)
{
	return say(story, "exited", "service.exited", life->man.noms,
	           json_pack("{s:s,s:s,s:s,s:s,s:s}", "scheme", SCHEME, "cohort", "cohort-3",
	                     "reason", "EXIT_REASON_STABLE", "exited_at", story->now, "may_return",
	                     "ANSWER_YES"));
}
