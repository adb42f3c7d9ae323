/*
 * Contacts as nDelius has them: JSON objects, or CSV rows with the same members by their paths.
 * Pure but for malloc.
 *
 * A code travels with its wording. Notes never travel. A contact that is marked sensitive, or of a
 * case with limited access, stays here unless the configuration says otherwise, and is then marked
 * OFFICIAL_SENSITIVE. An enforcement action is also a breach or recall event of its own. An
 * appointment of a voluntary service that was missed is nobody's business and no breach: it is
 * counted and left out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/instant.h"
#include "common/csv_file.h"
#include "common/shape.h"
#include "common/text.h"
#include "probation/probation.h"

#define FIELD(key, type, must, field)                                                              \
	{                                                                                          \
		key, type, must, offsetof(Ttg__ProbationContact, field), 0, 0, NULL, NULL, NULL    \
	}
#define TEXT(key, field)                                                                           \
	{                                                                                          \
		key, SHAPE_TEXT, false, offsetof(Ttg__ProbationContact, field), 0, BUILD_NAME_MAX, \
		        NULL, NULL, NULL                                                           \
	}

struct contact {
	const struct probation *probation;
	const json_t *item;
	int64_t seen_ns, at_ns;
	int64_t written_ns; /* when nDelius last changed it; 0 when it does not say */
	char rooms[6][32];
	const char *id, *crn, *date, *clock, *outcome, *enforcement;
};

static const struct shape_field contact_fields[] = {
	FIELD("type.code", SHAPE_CODE, true, type_code),
	TEXT("type.description", type_description),
	FIELD("outcome.code", SHAPE_CODE, false, outcome_code),
	TEXT("outcome.description", outcome_description),
	FIELD("contactDate", SHAPE_DATE, true, contact_date),
	FIELD("durationMinutes", SHAPE_COUNT, false, duration_minutes),
	FIELD("enforcement.code", SHAPE_CODE, false, enforcement_code),
	TEXT("enforcement.description", enforcement_description),
	FIELD("isSensitive", SHAPE_FLAG, false, sensitive),
	FIELD("limitedAccess", SHAPE_FLAG, false, limited_access),
};
static const struct shape contact_shape = { &ttg__probation_contact__descriptor, contact_fields,
	                                    sizeof(contact_fields) / sizeof(*contact_fields) };

static const struct shape_field officer_fields[] = {
	{ "name", SHAPE_TEXT, false, offsetof(Ttg__Worker, name), 0, BUILD_NAME_MAX, NULL, NULL,
	  NULL },
	{ "code", SHAPE_CODE, false, offsetof(Ttg__Worker, officer_code), 0, 0, NULL, NULL, NULL },
	{ "team.code", SHAPE_CODE, false, offsetof(Ttg__Worker, team_code), 0, 0, NULL, NULL,
	  NULL },
	{ "team.description", SHAPE_TEXT, false, offsetof(Ttg__Worker, team), 0, BUILD_NAME_MAX,
	  NULL, NULL, NULL },
};
static const struct shape officer_shape = { &ttg__worker__descriptor, officer_fields,
	                                    sizeof(officer_fields) / sizeof(*officer_fields) };

/* What nDelius outcomes say about coming and complying. */
static const struct {
	const char *code;
	Ttg__Answer attended, complied;
} outcomes[] = {
	{ "ATTC", TTG__ANSWER__ANSWER_YES, TTG__ANSWER__ANSWER_YES },
	{ "AFTC", TTG__ANSWER__ANSWER_YES, TTG__ANSWER__ANSWER_NO },
	{ "ATSH", TTG__ANSWER__ANSWER_YES, TTG__ANSWER__ANSWER_NO },
	{ "AFDA", TTG__ANSWER__ANSWER_NO, TTG__ANSWER__ANSWER_UNSPECIFIED },
	{ "UAAB", TTG__ANSWER__ANSWER_NO, TTG__ANSWER__ANSWER_NO },
	{ "AFTA", TTG__ANSWER__ANSWER_NO, TTG__ANSWER__ANSWER_NO },
};

/* Enforcement actions that are stages of a breach; EA11 is a recall; ROM and NFA are neither. */
static const struct {
	const char *code;
	Ttg__BreachStage stage;
} breaches[] = {
	{ "EA02", TTG__BREACH_STAGE__BREACH_STAGE_WARNED },
	{ "EA03", TTG__BREACH_STAGE__BREACH_STAGE_FINAL_WARNING },
	{ "EA08", TTG__BREACH_STAGE__BREACH_STAGE_LETTER_SENT },
	{ "BRE", TTG__BREACH_STAGE__BREACH_STAGE_REQUESTED },
};

bool contact_is(const json_t *item)
{
	return json_object_get(item, "contactDate") != NULL && json_object_get(item, "crn") != NULL;
}

static const char *member(struct contact *contact, const char *path, int room)
{
	const char *text = shape_text(contact->item, path, contact->rooms[room]);

	return text == NULL ? "" : text;
}

static void *begin(const struct contact *contact, struct build *build, const char *type)
{
	void *payload = build_begin(build, type, contact->probation->agency, contact->seen_ns);
	int64_t occurred_ns = contact->written_ns;

	/* An appointment still to come was made before this document was written. */
	if (occurred_ns == 0 || occurred_ns > contact->seen_ns)
		occurred_ns = contact->at_ns < contact->seen_ns ? contact->at_ns : contact->seen_ns;

	if (payload == NULL)
		return NULL;
	build_time_ns(build, &build->event->occurred_at, occurred_ns, NULL);
	build_person(build, IDENTIFIER_CRN, contact->crn);
	build->event->subject_category = TTG__SUBJECT_CATEGORY__CONVICTED;
	return payload;
}

static enum ttg_error finish(const struct contact *contact, struct build *build,
                             struct intake *intake, struct message *message)
{
	char room[32];
	const char *meaning[] = { "ndelius",
		                  ttg_type_name((size_t)build->type),
		                  contact->crn,
		                  contact->id,
		                  shape_text(contact->item, "type.code", room),
		                  contact->date,
		                  contact->clock,
		                  contact->outcome,
		                  contact->enforcement };
	enum ttg_error error;

	error = build_finish(build, intake, contact->at_ns, meaning,
	                     sizeof(meaning) / sizeof(*meaning));
	if (error != TTG_OK)
		*message = build->message;
	return error;
}

static void set_answers(Ttg__ProbationContact *payload, const char *outcome)
{
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(*outcomes); i++) {
		if (strcmp(outcome, outcomes[i].code) != 0)
			continue;
		payload->attended = outcomes[i].attended;
		payload->complied = outcomes[i].complied;
	}
}

static void set_officer(struct build *build, Ttg__ProbationContact *payload,
                        const struct contact *contact)
{
	const json_t *officer = json_object_get(contact->item, "officer");
	json_t *flat = NULL;

	if (!json_is_object(officer)) { /* a CSV row */
		flat = json_pack(
		        "{s:o?,s:o?,s:o?,s:o?}", "name",
		        json_incref(json_object_get(contact->item, "officer.name")), "code",
		        json_incref(json_object_get(contact->item, "officer.code")), "team.code",
		        json_incref(json_object_get(contact->item, "officer.team.code")),
		        "team.description",
		        json_incref(json_object_get(contact->item, "officer.team.description")));
		officer = flat;
	}
	Ttg__Worker *worker =
	        json_object_size(officer) == 0
	                ? NULL
	                : build_message(build, &payload->officer, &ttg__worker__descriptor);

	if (worker != NULL)
		shape_apply(build, worker, officer, &officer_shape);
	json_decref(flat);
}

static enum ttg_error read_when(struct contact *contact, struct message *message)
{
	char date[11], clock[6];
	bool timed = *contact->clock != '\0';

	if (date_parse(contact->date, date) != TTG_OK)
		return message_set(message, TTG_EFORMAT, "contactDate is no date");
	if (timed && clock_parse(contact->clock, clock) != TTG_OK)
		return message_set(message, TTG_EFORMAT, "contactStartTime is no time of day");
	if (instant_from_civil(date, timed ? clock : NULL, &contact->at_ns) != TTG_OK)
		return message_set(message, TTG_EFORMAT, "contactDate does not exist");
	const char *written = json_string_value(json_object_get(contact->item, "lastUpdated"));
	if (written != NULL && instant_parse(written, &contact->written_ns) != TTG_OK)
		return message_set(message, TTG_EFORMAT, "lastUpdated is no date and time");
	return TTG_OK;
}

static bool is_voluntary(const struct contact *contact)
{
	const struct config_list *types = &contact->probation->settings.voluntary_types;
	char room[32];
	const char *type = shape_text(contact->item, "type.code", room);

	for (size_t i = 0; type != NULL && i < types->n; i++) {
		if (strcmp(types->items[i], type) == 0)
			return true;
	}
	return false;
}

static enum ttg_error publish_contact(struct contact *contact, struct intake *intake,
                                      struct message *message)
{
	struct build build;
	Ttg__ProbationContact *payload = begin(contact, &build, "probation.contact");
	bool sensitive = false, voluntary_missed = false;

	if (payload != NULL) {
		const json_t *location = json_object_get(contact->item, "location");

		shape_apply(&build, payload, contact->item, &contact_shape);
		set_answers(payload, contact->outcome);
		set_officer(&build, payload, contact);
		build_text(&build, &payload->contact_id, "id", contact->id, 64);
		build_text(&build, &payload->location, "location",
		           json_is_object(location) ? member(contact, "location.description", 5)
		                                    : member(contact, "location", 5),
		           BUILD_NAME_MAX);
		if (*contact->clock != '\0')
			build_time_ns(&build, &payload->contact_at, contact->at_ns, NULL);
		sensitive = payload->sensitive || payload->limited_access;
		voluntary_missed =
		        is_voluntary(contact) && payload->attended == TTG__ANSWER__ANSWER_NO;
	}
	if (build.error == TTG_OK && sensitive)
		build.event->marking = TTG__MARKING__OFFICIAL_SENSITIVE;
	if (build.error == TTG_OK &&
	    (voluntary_missed || (sensitive && !contact->probation->settings.publish_sensitive))) {
		build_abandon(&build);
		intake_ignore(intake, voluntary_missed ? "voluntary-missed" : "sensitive");
		contact->enforcement = "";
		return TTG_OK;
	}
	return finish(contact, &build, intake, message);
}

static enum ttg_error publish_breach(struct contact *contact, Ttg__BreachStage stage,
                                     struct intake *intake, struct message *message)
{
	struct build build;
	char room[32];
	const char *wording = shape_text(contact->item, "enforcement.description", room);
	Ttg__ProbationBreach *payload = begin(contact, &build, "probation.breach");

	if (payload != NULL) {
		build.event->urgency = TTG__URGENCY__URGENT;
		payload->stage = stage;
		build_code(&build, &payload->enforcement_code, "enforcement.code",
		           contact->enforcement);
		build_text(&build, &payload->enforcement_description, "enforcement.description",
		           wording, BUILD_NAME_MAX);
		build_date(&build, &payload->stage_date, "contactDate", contact->date);
		build_text(&build, &payload->breach_reference, "id", contact->id, 64);
	}
	return finish(contact, &build, intake, message);
}

static enum ttg_error publish_recall(struct contact *contact, struct intake *intake,
                                     struct message *message)
{
	struct build build;
	Ttg__ProbationRecall *payload = begin(contact, &build, "probation.recall");

	if (payload != NULL) {
		build.event->urgency = TTG__URGENCY__URGENT;
		payload->stage = TTG__RECALL_STAGE__RECALL_STAGE_REQUESTED;
		build_time_ns(&build, &payload->decided_at, contact->at_ns, NULL);
		build_text(&build, &payload->recall_reference, "id", contact->id, 64);
	}
	return finish(contact, &build, intake, message);
}

enum ttg_error contact_read(const struct probation *probation, const json_t *item, int64_t seen_ns,
                            struct intake *intake, struct message *message)
{
	struct contact contact = { .probation = probation, .item = item, .seen_ns = seen_ns };
	enum ttg_error error;

	contact.id = member(&contact, "id", 0);
	contact.crn = member(&contact, "crn", 1);
	contact.date = member(&contact, "contactDate", 2);
	contact.clock = member(&contact, "contactStartTime", 3);
	contact.outcome = member(&contact, "outcome.code", 4);
	contact.enforcement = shape_text(item, "enforcement.code", contact.rooms[5]);
	if (contact.enforcement == NULL)
		contact.enforcement = "";
	if (*contact.crn == '\0' || *contact.id == '\0')
		return message_set(message, TTG_EFORMAT, "crn or id is missing");
	error = read_when(&contact, message);
	if (error == TTG_OK)
		error = publish_contact(&contact, intake, message);
	for (size_t i = 0; error == TTG_OK && i < sizeof(breaches) / sizeof(*breaches); i++) {
		if (strcmp(contact.enforcement, breaches[i].code) == 0 && !is_voluntary(&contact))
			error = publish_breach(&contact, breaches[i].stage, intake, message);
	}
	if (error == TTG_OK && strcmp(contact.enforcement, "EA11") == 0 && !is_voluntary(&contact))
		error = publish_recall(&contact, intake, message);
	return error;
}

static const struct csv_column columns[] = {
	{ "id", "contact id", true },
	{ "crn", "case reference", true },
	{ "contactDate", "date", true },
	{ "contactStartTime", "time,start time,start", false },
	{ "type.code", "type,contact type,type code", true },
	{ "type.description", "type description", false },
	{ "outcome.code", "outcome,outcome code", false },
	{ "outcome.description", "outcome description", false },
	{ "enforcement.code", "enforcement,enforcement action,enforcement code", false },
	{ "enforcement.description", "enforcement description", false },
	{ "location", "office", false },
	{ "officer.code", "officer code", false },
	{ "officer.name", "officer", false },
	{ "officer.team.code", "team,team code", false },
	{ "officer.team.description", "team name,team description", false },
	{ "durationMinutes", "duration,minutes", false },
	{ "isSensitive", "sensitive", false },
	{ "limitedAccess", "limited access,restricted", false },
	{ "lastUpdated", "last updated,changed", false },
};
#define COLUMNS (sizeof(columns) / sizeof(*columns))

struct contact_rows {
	const struct probation *probation;
	const struct document *document;
	struct intake *intake;
};

static enum ttg_error on_header(void *user, const char *raw, size_t raw_len)
{
	const struct contact_rows *rows = user;

	rows->intake->rejected = strndup(raw, raw_len);
	rows->intake->rejected_len = raw_len;
	return rows->intake->rejected == NULL ? TTG_ENOMEM : TTG_OK;
}

static enum ttg_error on_row(void *user, const struct csv_row *row)
{
	const struct contact_rows *rows = user;
	struct message why = { "" };
	json_t *item = json_object();
	enum ttg_error error = item == NULL ? TTG_ENOMEM : TTG_OK;

	for (size_t i = 0; i < COLUMNS && error == TTG_OK; i++) {
		if (row->values[i][0] != '\0' &&
		    json_object_set_new(item, columns[i].name, json_string(row->values[i])) != 0)
			error = TTG_ENOMEM;
	}
	if (error == TTG_OK)
		error = contact_read(rows->probation, item, rows->document->seen_ns, rows->intake,
		                     &why);
	json_decref(item);
	if (error == TTG_OK || error == TTG_ENOMEM)
		return error;
	return intake_add_problem(rows->intake, row->line, error, why.text, row->raw, row->raw_len);
}

static enum ttg_error on_bad(void *user, unsigned line, const char *text, const char *raw,
                             size_t raw_len)
{
	const struct contact_rows *rows = user;

	return intake_add_problem(rows->intake, line, TTG_EFORMAT, text, raw, raw_len);
}

enum ttg_error contacts_read_csv(const struct probation *probation, const struct document *document,
                                 struct intake *intake, struct message *message)
{
	struct contact_rows rows = { probation, document, intake };
	const struct csv_reader reader = { .columns = columns,
		                           .n_columns = COLUMNS,
		                           .user = &rows,
		                           .on_header = on_header,
		                           .on_row = on_row,
		                           .on_bad = on_bad };
	struct message why = { "" };
	enum text_encoding encoding;
	char *text = NULL;
	size_t len = 0;
	enum ttg_error error =
	        text_to_utf8(document->bytes, document->len, &text, &len, &encoding, &why);

	if (error == TTG_OK)
		error = csv_read(&reader, text, len, &why);
	free(text);
	if (intake->total_problems == 0) {
		free(intake->rejected);
		intake->rejected = NULL;
		intake->rejected_len = 0;
	}
	if (error == TTG_EFORMAT || error == TTG_ELIMIT) {
		intake_refuse(intake, error, "%s", why.text);
		return TTG_OK;
	}
	return error == TTG_OK ? TTG_OK : message_set(message, error, "no memory");
}
