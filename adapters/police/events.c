/*
 * Police events: from the police's own shape to the catalogue. Pure but for malloc.
 *
 * The id of an arrest follows from force and alert id alone, so that every update names the alert
 * it follows without anybody keeping a list. An update that takes back what everybody was told
 * (no further action, somebody else, let go at once) supersedes the alert.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/instant.h"
#include "police/police.h"

#define JUSTIFICATION_MIN 3 /* characters, rule of the national computer */
#define JUSTIFICATION_MAX 250
#define ALERT_ID_NS       0 /* the id of an alert knows no time: an update does not know it */

struct reading {
	const struct police *police;
	const struct police_shape *kind;
	const json_t *item;
	struct build build;
};

enum ttg_error police_alert_id(uint8_t out[TTG_UUID_BYTES], const char *force, const char *alert_id)
{
	const char *meaning[] = { "police-alert", force, alert_id };

	return build_id(out, ALERT_ID_NS, meaning, 3);
}

static void set_person(struct reading *reading)
{
	static const struct {
		const char *key;
		enum identifier_kind kind;
	} numbers[] = {
		{ "person.pncId", IDENTIFIER_PNC },         { "person.croNumber", IDENTIFIER_CRO },
		{ "person.prisonNumber", IDENTIFIER_NOMS }, { "person.crn", IDENTIFIER_CRN },
		{ "person.asn", IDENTIFIER_ASN },
	};
	char room[32];

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		build_person(&reading->build, numbers[i].kind,
		             shape_text(reading->item, numbers[i].key, room));
	/* An arrest summons number names an arrest, and a dummy one not even that. */
	if (reading->build.error == TTG_OK && !build_has_match_key(&reading->build))
		build_fail(&reading->build, TTG_EFORMAT,
		           "person has no number that can be matched: pncId, croNumber, "
		           "prisonNumber or crn");
}

static bool has_valid(const struct build *build, Ttg__IdentifierKind kind)
{
	const Ttg__Person *person = build->event->person;

	for (size_t i = 0; person != NULL && i < person->n_identifiers; i++) {
		if (person->identifiers[i]->kind == kind &&
		    person->identifiers[i]->validity == TTG__VALIDITY__VALID)
			return true;
	}
	return false;
}

/* No match is surer than what it rests on. */
static Ttg__MatchConfidence confidence_of(const struct build *build, Ttg__MatchBasis basis,
                                          Ttg__MatchConfidence claimed)
{
	Ttg__MatchConfidence best = TTG__MATCH_CONFIDENCE__MATCH_CONFIDENCE_POSSIBLE;

	if (basis == TTG__MATCH_BASIS__MATCH_BASIS_FINGERPRINT)
		best = TTG__MATCH_CONFIDENCE__MATCH_CONFIDENCE_CONFIRMED;
	else if (basis == TTG__MATCH_BASIS__MATCH_BASIS_PNC_ID)
		best = has_valid(build, TTG__IDENTIFIER_KIND__PNC)
		               ? TTG__MATCH_CONFIDENCE__MATCH_CONFIDENCE_CONFIRMED
		               : TTG__MATCH_CONFIDENCE__MATCH_CONFIDENCE_PROBABLE;
	else if (basis == TTG__MATCH_BASIS__MATCH_BASIS_CRO)
		best = has_valid(build, TTG__IDENTIFIER_KIND__CRO)
		               ? TTG__MATCH_CONFIDENCE__MATCH_CONFIDENCE_CONFIRMED
		               : TTG__MATCH_CONFIDENCE__MATCH_CONFIDENCE_PROBABLE;
	return claimed > best ? claimed : best; /* a greater number is a weaker match */
}

static void check_query(struct build *build, const char *justification)
{
	size_t characters = 0;

	for (const char *at = justification; *at != '\0'; at++)
		characters += ((unsigned char)*at & 0xc0) != 0x80;
	if (characters < JUSTIFICATION_MIN || characters > JUSTIFICATION_MAX)
		build_fail(build, TTG_EFORMAT, "query.justification has %d to %d characters",
		           JUSTIFICATION_MIN, JUSTIFICATION_MAX);
}

static void check_force(struct build *build, const char *force)
{
	if (build->error == TTG_OK && (strlen(force) != 2 || !isdigit((unsigned char)force[0]) ||
	                               !isdigit((unsigned char)force[1])))
		build_fail(build, TTG_EFORMAT, "force is a number of two digits");
}

static void check_signals(struct build *build, const Ttg__PoliceArrest *arrest)
{
	for (size_t i = 0; i < arrest->n_warning_signal_code; i++) {
		const char *code = arrest->warning_signal_code[i];

		if (strlen(code) != 2 || strstr("FI WE VI ES SU MN DR AT CO", code) == NULL)
			build_fail(build, TTG_EFORMAT, "warningSignals holds an unknown code");
	}
}

/* The broad kind of an offence from the Act its code begins with, where the police give none. */
static void set_categories(Ttg__Offence **offences, size_t n)
{
	static const struct {
		const char *act;
		Ttg__OffenceCategory category;
	} acts[] = {
		{ "OF61", TTG__OFFENCE_CATEGORY__OFFENCE_CATEGORY_VIOLENCE },
		{ "SX03", TTG__OFFENCE_CATEGORY__OFFENCE_CATEGORY_SEXUAL },
		{ "TH68", TTG__OFFENCE_CATEGORY__OFFENCE_CATEGORY_THEFT },
		{ "FA06", TTG__OFFENCE_CATEGORY__OFFENCE_CATEGORY_FRAUD },
		{ "CD71", TTG__OFFENCE_CATEGORY__OFFENCE_CATEGORY_CRIMINAL_DAMAGE },
		{ "MD71", TTG__OFFENCE_CATEGORY__OFFENCE_CATEGORY_DRUGS },
		{ "FI68", TTG__OFFENCE_CATEGORY__OFFENCE_CATEGORY_WEAPONS },
		{ "PC53", TTG__OFFENCE_CATEGORY__OFFENCE_CATEGORY_WEAPONS },
		{ "PU86", TTG__OFFENCE_CATEGORY__OFFENCE_CATEGORY_PUBLIC_ORDER },
		{ "RT88", TTG__OFFENCE_CATEGORY__OFFENCE_CATEGORY_DRIVING },
		{ "BA76", TTG__OFFENCE_CATEGORY__OFFENCE_CATEGORY_BREACH },
	};

	for (size_t i = 0; i < n; i++) {
		for (size_t a = 0; a < sizeof(acts) / sizeof(*acts); a++) {
			if (offences[i]->category == 0 &&
			    strncmp(offences[i]->cjs_code, acts[a].act, 4) == 0)
				offences[i]->category = acts[a].category;
		}
	}
}

static void refine_arrest(struct reading *reading, Ttg__PoliceArrest *arrest)
{
	struct build *build = &reading->build;
	char canonical[IDENTIFIER_CANONICAL], room[32];
	const char *asn = shape_text(reading->item, "person.asn", room);

	check_query(build, arrest->justification);
	check_signals(build, arrest);
	set_categories(arrest->offences, arrest->n_offences);
	arrest->confidence = confidence_of(build, arrest->match_basis, arrest->confidence);
	if (arrest->confidence == TTG__MATCH_CONFIDENCE__MATCH_CONFIDENCE_POSSIBLE)
		build->event->assertion = TTG__ASSERTION__ASSESSMENT;
	if (asn != NULL &&
	    identifier_check(IDENTIFIER_ASN, asn, build->year_now, canonical) != IDENTIFIER_DUMMY)
		build_text(build, &arrest->asn, "person.asn", asn, 64);
}

static void follow_alert(struct build *build, const char *force, const char *alert_id,
                         bool takes_back)
{
	uint8_t alert[TTG_UUID_BYTES];

	if (build->error != TTG_OK)
		return;
	if (police_alert_id(alert, force, alert_id) != TTG_OK) {
		build_fail(build, TTG_ELIMIT, "alertId is too long");
		return;
	}
	build_bytes(build, &build->event->correlation_id, alert, sizeof(alert));
	build_bytes(build, &build->event->causation_id, alert, sizeof(alert));
	if (takes_back)
		build_bytes(build, &build->event->supersedes, alert, sizeof(alert));
}

static void refine_custody(struct reading *reading, Ttg__PoliceCustodyUpdate *update)
{
	struct build *build = &reading->build;
	char canonical[IDENTIFIER_CANONICAL], room[32];
	const char *asn = shape_text(reading->item, "person.asn", room);
	bool takes_back = update->disposition == TTG__DISPOSITION__DISPOSITION_NO_FURTHER_ACTION ||
	                  update->disposition == TTG__DISPOSITION__DISPOSITION_MISMATCH ||
	                  update->disposition == TTG__DISPOSITION__DISPOSITION_DEARRESTED;

	set_categories(update->offences, update->n_offences);
	follow_alert(build, update->force_code, update->alert_id, takes_back);
	if (asn != NULL &&
	    identifier_check(IDENTIFIER_ASN, asn, build->year_now, canonical) != IDENTIFIER_DUMMY)
		build_text(build, &update->asn, "person.asn", asn, 64);
}

static void refine_encounter(struct reading *reading, Ttg__PoliceEncounter *encounter)
{
	check_query(&reading->build, encounter->justification);
	encounter->confidence =
	        confidence_of(&reading->build, encounter->match_basis, encounter->confidence);
}

static void refine_flag(struct reading *reading)
{
	struct build *build = &reading->build;
	char room[32];
	const char *text = shape_text(reading->item, "requestEventId", room);
	uint8_t id[TTG_UUID_BYTES];

	if (text == NULL || *text == '\0')
		return;
	if (ttg_uuid_parse(text, id) != TTG_OK) {
		build_fail(build, TTG_EFORMAT, "requestEventId is no UUID");
		return;
	}
	build_bytes(build, &build->event->correlation_id, id, sizeof(id));
	build_bytes(build, &build->event->causation_id, id, sizeof(id));
}

/* What the tables cannot say. */
static void refine(struct reading *reading, void *payload)
{
	struct build *build = &reading->build;
	char room[32];
	const char *force = shape_text(reading->item, "force", room);

	if (build->error != TTG_OK)
		return;
	build->event->urgency = reading->kind->urgency;
	build->event->subject_category = TTG__SUBJECT_CATEGORY__SUSPECT;
	check_force(build, force == NULL ? "" : force);
	if (strcmp(reading->kind->kind, "arrest") == 0)
		refine_arrest(reading, payload);
	else if (strcmp(reading->kind->kind, "custodyUpdate") == 0)
		refine_custody(reading, payload);
	else if (strcmp(reading->kind->kind, "encounter") == 0)
		refine_encounter(reading, payload);
	else if (strcmp(reading->kind->kind, "flagAnswer") == 0)
		refine_flag(reading);
	if (strcmp(reading->kind->kind, "flagAnswer") == 0 ||
	    strcmp(reading->kind->kind, "iomStatus") == 0)
		build->event->subject_category = TTG__SUBJECT_CATEGORY__CONVICTED;
}

static enum ttg_error finish(struct reading *reading, struct intake *intake)
{
	static const char *const keys[] = { "force",
		                            "alertId",
		                            "requestId",
		                            "disposition",
		                            "outcome",
		                            "status",
		                            "category",
		                            "incidentReference",
		                            "person.pncId",
		                            "person.croNumber",
		                            "person.prisonNumber",
		                            "person.crn" };
	const char *meaning[2 + sizeof(keys) / sizeof(*keys)];
	char rooms[sizeof(keys) / sizeof(*keys)][32];
	struct build *build = &reading->build;
	char instant[32] = "";
	size_t n = 0;

	if (build->error != TTG_OK)
		return build_finish(build, intake, 0, NULL, 0);
	if (strcmp(reading->kind->kind, "arrest") == 0) {
		const char *alert[] = { "police-alert",
			                shape_text(reading->item, "force", rooms[0]),
			                shape_text(reading->item, "alertId", rooms[1]) };

		return build_finish(build, intake, ALERT_ID_NS, alert, 3);
	}
	int64_t occurred_ns = build->event->occurred_at->unix_ns;
	meaning[n++] = reading->kind->type;
	snprintf(instant, sizeof(instant), "%lld", (long long)occurred_ns);
	meaning[n++] = instant;
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		meaning[n++] = shape_text(reading->item, keys[i], rooms[i]);
	return build_finish(build, intake, occurred_ns, meaning, n);
}

static const struct police_shape *find_kind(const char *kind)
{
	for (size_t i = 0; kind != NULL && i < police_shapes_n; i++) {
		if (strcmp(kind, police_shapes[i].kind) == 0)
			return &police_shapes[i];
	}
	return NULL;
}

enum ttg_error police_event_read(const struct police *police, const json_t *item,
                                 struct intake *intake, struct message *message)
{
	struct reading reading = { .police = police, .item = item };
	struct build *build = &reading.build;
	const char *kind = json_string_value(json_object_get(item, "kind"));
	enum ttg_error error;
	char room[32];
	void *payload;

	reading.kind = find_kind(kind);
	if (kind == NULL)
		return message_set(message, TTG_EFORMAT, "kind is missing");
	if (reading.kind == NULL) {
		intake_ignore(intake, kind);
		return TTG_OK;
	}
	payload = build_begin(build, reading.kind->type, police->agency, 0);
	if (payload != NULL) {
		build_time(build, &build->event->occurred_at, reading.kind->occurred,
		           shape_text(item, reading.kind->occurred, room));
		if (build->event->occurred_at == NULL)
			build_fail(build, TTG_EFORMAT, "%s is missing", reading.kind->occurred);
	}
	if (build->error == TTG_OK) {
		char date[11], clock[6];

		instant_to_civil(build->event->occurred_at->unix_ns, date, clock);
		build->year_now = (int)strtol(date, NULL, 10);
		set_person(&reading);
		shape_apply(build, payload, item, &reading.kind->shape);
		refine(&reading, payload);
	}
	error = finish(&reading, intake);
	if (error != TTG_OK)
		*message = build->message;
	return error;
}
