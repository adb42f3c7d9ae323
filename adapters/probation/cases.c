/*
 * Probation's domain events: cases, the links between numbers, registers, recalls. Pure but for
 * malloc. Types that are not here, and thin ones that carry nothing but a link, are counted.
 */
#include <stdio.h>
#include <string.h>
#include "probation/probation.h"

typedef enum ttg_error case_handler(struct probation_reading *reading);

const char *probation_field(const struct probation_reading *reading, const char *name,
                            char room[32])
{
	const char *text = domain_event_field(reading->event, name, room);

	return text == NULL ? "" : text;
}

void *probation_begin(const struct probation_reading *reading, struct build *build,
                      const char *type, Ttg__Urgency urgency)
{
	void *payload =
	        build_begin(build, type, reading->probation->agency, reading->event->occurred_ns);

	domain_event_envelope(reading->event, build);
	if (payload != NULL) {
		build->event->urgency = urgency;
		build->event->subject_category = TTG__SUBJECT_CATEGORY__CONVICTED;
	}
	return payload;
}

static enum ttg_error finish(const struct probation_reading *reading, struct build *build,
                             const char *reason)
{
	return domain_event_finish(reading->event, build, reading->intake, reason,
	                           reading->message);
}

static enum ttg_error missing(const struct probation_reading *reading, const char *names)
{
	return message_set(reading->message, TTG_EFORMAT, "%s missing", names);
}

/* The day of a time as Java prints it ("Fri Jun 14 00:00:00 BST 2024") or as RFC 3339 has it. */
static void set_day(struct build *build, char **field, const char *what, const char *text)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char weekday[4], month[4], zone[8], date[24];
	const char *found;
	int day, hour, minute, second, year;

	if (*text == '\0')
		return;
	if (sscanf(text, "%3s %3s %2d %2d:%2d:%2d %7s %4d", weekday, month, &day, &hour, &minute,
	           &second, zone, &year) == 8 &&
	    strlen(month) == 3 && (found = strstr(months, month)) != NULL &&
	    (found - months) % 3 == 0)
		snprintf(date, sizeof(date), "%04d-%02d-%02d", year, (int)(found - months) / 3 + 1,
		         day);
	else
		snprintf(date, sizeof(date), "%.10s", text);
	build_date(build, field, what, date);
}

static enum ttg_error case_status(struct probation_reading *reading, Ttg__CaseStatus status)
{
	struct build build;
	char reason[16];
	Ttg__ProbationCase *payload =
	        probation_begin(reading, &build, "probation.case", TTG__URGENCY__ROUTINE);

	if (payload != NULL)
		payload->status = status;
	snprintf(reason, sizeof(reason), "%d", (int)status);
	return finish(reading, &build, reason);
}

static enum ttg_error on_opened(struct probation_reading *reading)
{
	return case_status(reading, TTG__CASE_STATUS__CASE_STATUS_OPENED);
}

static enum ttg_error on_manager(struct probation_reading *reading)
{
	return case_status(reading, TTG__CASE_STATUS__CASE_STATUS_MANAGER_ALLOCATED);
}

static enum ttg_error link_numbers(struct probation_reading *reading, Ttg__LinkAction action)
{
	struct build build;
	char rooms[2][32];
	Ttg__ProbationIdentifierLinked *payload;

	if (reading->event->crn == NULL || reading->event->noms == NULL)
		return missing(reading, "the CRN or the NOMS number is");
	payload = probation_begin(reading, &build, "probation.identifier_linked",
	                          TTG__URGENCY__PROMPT);
	if (payload != NULL) {
		payload->action = action;
		build_identifier(&build, &payload->crn, IDENTIFIER_CRN, reading->event->crn);
		build_identifier(&build, &payload->linked, IDENTIFIER_NOMS, reading->event->noms);
		build_identifier(&build, &payload->replaced, IDENTIFIER_NOMS,
		                 probation_field(reading, "previousNomsNumber", rooms[0]));
		build_text(&build, &payload->booking_number, "bookingNumber",
		           probation_field(reading, "bookingNumber", rooms[1]), 32);
		build_time_ns(&build, &payload->linked_at, reading->event->occurred_ns,
		              reading->event->occurred);
	}
	return finish(reading, &build, "");
}

static enum ttg_error on_link_added(struct probation_reading *reading)
{
	return link_numbers(reading, TTG__LINK_ACTION__LINK_ACTION_ADDED);
}

static enum ttg_error on_link_updated(struct probation_reading *reading)
{
	return link_numbers(reading, TTG__LINK_ACTION__LINK_ACTION_REPLACED);
}

static enum ttg_error on_link_removed(struct probation_reading *reading)
{
	return link_numbers(reading, TTG__LINK_ACTION__LINK_ACTION_REMOVED);
}

static enum ttg_error on_merged(struct probation_reading *reading)
{
	struct build build;
	char rooms[2][32];
	const char *source = probation_field(reading, "sourceCRN", rooms[0]);
	const char *target = probation_field(reading, "targetCRN", rooms[1]);
	Ttg__ProbationCaseMerged *payload;

	if (*source == '\0' || *target == '\0')
		return missing(reading, "sourceCRN or targetCRN is");
	reading->event->crn = target;
	payload = probation_begin(reading, &build, "probation.case_merged", TTG__URGENCY__PROMPT);
	if (payload != NULL) {
		build_identifier(&build, &payload->target, IDENTIFIER_CRN, target);
		build_identifier(&build, &payload->source, IDENTIFIER_CRN, source);
		build_time_ns(&build, &payload->merged_at, reading->event->occurred_ns,
		              reading->event->occurred);
	}
	return finish(reading, &build, source);
}

static enum ttg_error on_unmerged(struct probation_reading *reading)
{
	struct build build;
	char rooms[2][32];
	const char *again = probation_field(reading, "reactivatedCRN", rooms[0]);
	const char *left = probation_field(reading, "unmergedCRN", rooms[1]);
	Ttg__ProbationCaseUnmerged *payload;

	if (*again == '\0' || *left == '\0')
		return missing(reading, "reactivatedCRN or unmergedCRN is");
	reading->event->crn = left;
	payload = probation_begin(reading, &build, "probation.case_unmerged", TTG__URGENCY__PROMPT);
	if (payload != NULL) {
		build_identifier(&build, &payload->reactivated, IDENTIFIER_CRN, again);
		build_identifier(&build, &payload->unmerged, IDENTIFIER_CRN, left);
		build_time_ns(&build, &payload->unmerged_at, reading->event->occurred_ns,
		              reading->event->occurred);
	}
	return finish(reading, &build, again);
}

/* A register of high risk of serious harm is also news of its own. */
static enum ttg_error risk_escalated(struct probation_reading *reading, const char *code)
{
	static const struct {
		const char *code;
		Ttg__RiskLevel level;
	} levels[] = {
		{ "RHRH", TTG__RISK_LEVEL__RISK_LEVEL_HIGH },
		{ "RVHR", TTG__RISK_LEVEL__RISK_LEVEL_VERY_HIGH },
	};
	size_t i = 0;
	struct build build;
	char room[32];
	Ttg__ProbationRiskEscalated *payload;

	while (i < 2 && strcmp(levels[i].code, code) != 0)
		i++;
	if (i == 2)
		return TTG_OK;
	payload =
	        probation_begin(reading, &build, "probation.risk_escalated", TTG__URGENCY__URGENT);
	if (payload != NULL) {
		build.event->assertion = TTG__ASSERTION__ASSESSMENT;
		payload->to_level = levels[i].level;
		build_code(&build, &payload->register_code, "registerTypeCode", code);
		build_text(&build, &payload->register_description, "registerTypeDescription",
		           probation_field(reading, "registerTypeDescription", room),
		           BUILD_NAME_MAX);
		build_time_ns(&build, &payload->observed_at, reading->event->occurred_ns,
		              reading->event->occurred);
	}
	return finish(reading, &build, code);
}

/* Level and category come in fields of their own, although their codes look alike. */
static enum ttg_error registration(struct probation_reading *reading,
                                   Ttg__RegistrationAction action)
{
	struct build build;
	char rooms[8][32], reason[128];
	const char *code = probation_field(reading, "registerTypeCode", rooms[0]);
	const char *id = probation_field(reading, "registrationId", rooms[1]);
	Ttg__ProbationRegistration *payload;
	enum ttg_error error;

	if (*code == '\0')
		return missing(reading, "registerTypeCode is");
	payload = probation_begin(reading, &build, "probation.registration", TTG__URGENCY__ROUTINE);
	if (payload != NULL) {
		payload->action = action;
		build_code(&build, &payload->register_code, "registerTypeCode", code);
		build_text(&build, &payload->register_description, "registerTypeDescription",
		           probation_field(reading, "registerTypeDescription", rooms[2]),
		           BUILD_NAME_MAX);
		build_code(&build, &payload->level_code, "registrationLevelCode",
		           probation_field(reading, "registrationLevelCode", rooms[3]));
		build_text(&build, &payload->level_description, "registrationLevelDescription",
		           probation_field(reading, "registrationLevelDescription", rooms[4]),
		           BUILD_NAME_MAX);
		build_code(&build, &payload->category_code, "registrationCategoryCode",
		           probation_field(reading, "registrationCategoryCode", rooms[5]));
		build_text(&build, &payload->category_description,
		           "registrationCategoryDescription",
		           probation_field(reading, "registrationCategoryDescription", rooms[6]),
		           BUILD_NAME_MAX);
		set_day(&build, &payload->registered_date, "registrationDate",
		        probation_field(reading, "registrationDate", rooms[7]));
		set_day(&build, &payload->deregistered_date, "deregistrationDate",
		        probation_field(reading, "deregistrationDate", rooms[7]));
		build_text(&build, &payload->registration_id, "registrationId", id, 64);
	}
	snprintf(reason, sizeof(reason), "%d/%.32s/%.64s", (int)action, code, id);
	error = finish(reading, &build, reason);
	if (error == TTG_OK && action == TTG__REGISTRATION_ACTION__REGISTRATION_ACTION_ADDED)
		error = risk_escalated(reading, code);
	return error;
}

static enum ttg_error on_registered(struct probation_reading *reading)
{
	return registration(reading, TTG__REGISTRATION_ACTION__REGISTRATION_ACTION_ADDED);
}

static enum ttg_error on_registration_updated(struct probation_reading *reading)
{
	return registration(reading, TTG__REGISTRATION_ACTION__REGISTRATION_ACTION_UPDATED);
}

static enum ttg_error on_deregistered(struct probation_reading *reading)
{
	return registration(reading, TTG__REGISTRATION_ACTION__REGISTRATION_ACTION_DEREGISTERED);
}

static Ttg__RecallStage recall_stage(const char *outcome, const char *type)
{
	if (strcmp(outcome, "DECISION_TO_RECALL") == 0)
		return TTG__RECALL_STAGE__RECALL_STAGE_REQUESTED;
	if (strcmp(outcome, "DECISION_NOT_TO_RECALL") == 0 || strstr(type, "deleted") != NULL)
		return TTG__RECALL_STAGE__RECALL_STAGE_NOT_RECALLED;
	return TTG__RECALL_STAGE__RECALL_STAGE_CONSIDERED;
}

static enum ttg_error on_recall(struct probation_reading *reading)
{
	struct build build;
	char rooms[2][32];
	const char *outcome = probation_field(reading, "contactOutcome", rooms[0]);
	Ttg__ProbationRecall *payload =
	        probation_begin(reading, &build, "probation.recall", TTG__URGENCY__URGENT);

	if (payload != NULL) {
		payload->stage = recall_stage(outcome, reading->event->type);
		build_code(&build, &payload->contact_outcome_code, "contactOutcome", outcome);
		build_text(&build, &payload->recall_reference, "recommendationId",
		           probation_field(reading, "recommendationId", rooms[1]), 64);
		build_time_ns(&build, &payload->decided_at, reading->event->occurred_ns,
		              reading->event->occurred);
	}
	return finish(reading, &build, outcome);
}

static const struct {
	const char *type; /* one that ends in "." is the beginning of several */
	case_handler *handle;
} handlers[] = {
	{ "probation-case.engagement.created", on_opened },
	{ "person.community.manager.allocated", on_manager },
	{ "probation-case.prison-identifier.added", on_link_added },
	{ "probation-case.prison-identifier.updated", on_link_updated },
	{ "probation-case.prison-identifier.deleted", on_link_removed },
	{ "probation-case.merge.completed", on_merged },
	{ "probation-case.unmerge.completed", on_unmerged },
	{ "probation-case.registration.added", on_registered },
	{ "probation-case.registration.updated", on_registration_updated },
	{ "probation-case.registration.deregistered", on_deregistered },
	{ "probation-case.registration.deleted", on_deregistered },
	{ "prison-recall.recommendation.", on_recall },
};

static bool matches(const char *known, const char *type)
{
	size_t len = strlen(known);

	return known[len - 1] == '.' ? strncmp(known, type, len) == 0 : strcmp(known, type) == 0;
}

enum ttg_error cases_read(struct probation_reading *reading)
{
	bool known = false;
	enum ttg_error error;

	for (size_t i = 0; i < sizeof(handlers) / sizeof(*handlers); i++) {
		if (!matches(handlers[i].type, reading->event->type))
			continue;
		error = domain_event_read(reading->event, reading->message);
		if (error == TTG_OK && reading->event->crn == NULL &&
		    handlers[i].handle != on_merged && handlers[i].handle != on_unmerged)
			error = missing(reading, "the CRN is");
		return error == TTG_OK ? handlers[i].handle(reading) : error;
	}
	error = referrals_read(reading, &known);
	if (!known)
		intake_ignore(reading->intake, reading->event->type);
	return error;
}
