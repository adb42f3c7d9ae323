/*
 * What the prison's systems would write: HMPPS domain events (bare JSON, or wrapped by a
 * notification service), and the CSV extracts of the release diary and the discharge boards, whole
 * each time. Pure but for the stage.
 */
#include "story_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENT_SOURCE_IN  "prison-offender-events.prisoner.received"
#define EVENT_SOURCE_OUT "prison-offender-events.prisoner.released"

static json_t *person_reference(const char *kind, const char *value)
{
	return json_pack("{s:[{s:s,s:s}]}", "identifiers", "type", kind, "value", value);
}

/* As a queue hands it on: the event is a string inside. */
static json_t *wrap(struct story *story, json_t *take_event, const char *type)
{
	char *inner = json_dumps(take_event, JSON_SORT_KEYS);
	char id[37];
	json_t *outer;

	cohort_uuid(&story->dice, id);
	outer = json_pack("{s:s,s:s,s:s,s:s?,s:s,s:{s:{s:s,s:s}}}", "Type", "Notification",
	                  "MessageId", id, "TopicArn",
	                  "arn:aws:sns:eu-west-2:000000000000:hmpps-domain-events", "Message",
	                  inner, "Timestamp", story->now, "MessageAttributes", "eventType", "Type",
	                  "String", "Value", type);
	free(inner);
	json_decref(take_event);
	return outer;
}

bool prison_movement(struct story *story, const struct life *life, bool in, const char *reason,
                     const char *code, bool wrapped)
{
	const char *type = in ? EVENT_SOURCE_IN : EVENT_SOURCE_OUT;
	bool free_man = !in && strcmp(reason, "RELEASED") == 0;
	char details[64];
	json_t *event;

	snprintf(details, sizeof(details), "Movement reason code %s", code);
	event = json_pack(
	        "{s:s,s:i,s:s,s:s,s:s,s:{s:s,s:s,s:s,s:s,s:s,s:s,s:s},s:o}", "eventType", type,
	        "version", 1, "occurredAt", story->now, "publishedAt", story->now, "description",
	        in ? "A prisoner has been received into prison"
	           : "A prisoner has been released from prison",
	        "additionalInformation", "nomsNumber", life->man.noms, "prisonId", "PBI", "reason",
	        reason, "nomisMovementReasonCode", code, "details", details, "currentLocation",
	        in ? "IN_PRISON" : "OUTSIDE_PRISON", "currentPrisonStatus",
	        free_man ? "NOT_UNDER_PRISON_CARE" : "UNDER_PRISON_CARE", "personReference",
	        person_reference("NOMS", life->man.noms));
	return put_json(story, FEED_PRISON, in ? "received" : "released",
	                wrapped && event ? wrap(story, event, type) : event);
}

bool prison_released_at_once(struct story *story, const struct life *life)
{
	static const char type[] = "prisoner-offender-search.prisoner.released";

	return put_json(story, FEED_PRISON, "search-released",
	                json_pack("{s:s,s:i,s:s,s:s,s:{s:s,s:s,s:s},s:o}", "eventType", type,
	                          "version", 1, "occurredAt", story->now, "detailUrl",
	                          "https://prisoner-search.invalid/prisoner",
	                          "additionalInformation", "nomsNumber", life->man.noms, "prisonId",
	                          "PBI", "reason", "RELEASED", "personReference",
	                          person_reference("NOMS", life->man.noms)));
}

bool prison_unknown_type(struct story *story, const struct life *life)
{
	return put_json(story, FEED_PRISON, "incentives",
	                json_pack("{s:s,s:s,s:s,s:{s:s},s:o}", "eventType",
	                          "incentives.iep-review.inserted", "version", "1.0", "occurredAt",
	                          story->now, "additionalInformation", "nomsNumber", life->man.noms,
	                          "personReference", person_reference("NOMS", life->man.noms)));
}

bool prison_broken_file(struct story *story)
{
	static const char half[] =
	        "{\"eventType\": \"" EVENT_SOURCE_OUT "\", \"version\": 1, \"occ";
	char name[NAME_ROOM];

	snprintf(name, sizeof(name), "%06u-broken.json", story->files);
	if (story->stage.expect_failed)
		story->stage.expect_failed(story->stage.user, FEED_PRISON, name);
	return put_text(story, FEED_PRISON, "broken", "json", half, strlen(half));
}

/* yyyy-mm-dd as the prison's office writes it: dd/mm/yyyy. */
static void british_date(const char *date, char out[11])
{
	snprintf(out, 11, "%.2s/%.2s/%.4s", date + 8, date + 5, date);
}

static bool print_diary(FILE *out, const struct story *story)
{
	char date[11];

	fprintf(out, "Prisoner Number,Release Date,Release Time,Release Type,Establishment,"
	             "Release Gate,\"Local Authority\",Status\r\n");
	for (size_t i = 0; i < story->n_lives; i++) {
		const struct life *life = &story->lives[i];

		if (!life->diary.listed)
			continue;
		british_date(life->diary.release_date, date);
		fprintf(out, "%s,%s,%s,CRD,PBI,\"%s\",\"%s\",confirmed\r\n", life->man.noms, date,
		        life->diary.release_clock, life->diary.gate, life->man.area);
	}
	return ferror(out) == 0;
}

static bool print_boards(FILE *out, const struct story *story)
{
	char date[11];

	fprintf(out, "NOMS Number;Date of Board;Board Time;Room;Board Status;Prison;Findings;"
	             "Invited Agencies\r\n");
	for (size_t i = 0; i < story->n_lives; i++) {
		const struct life *life = &story->lives[i];

		if (!life->diary.board_listed)
			continue;
		british_date(life->diary.board_date, date);
		fprintf(out, "%s;%s;%s;Resettlement 2;%s;PBI;\"%s\";\"one-service;mind\"\r\n",
		        life->man.noms, date, life->diary.board_clock,
		        life->diary.board_held ? "held" : "scheduled",
		        life->diary.board_held ? "housing:unmet:one-service;finance:arranged:"
		                                 "jobcentre-plus;health:unmet"
		                               : "");
	}
	return ferror(out) == 0;
}

static bool put_extract(struct story *story, const char *kind,
                        bool (*print)(FILE *out, const struct story *story))
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	bool fine = out && print(out, story);

	if (out && fclose(out) != 0)
		fine = false;
	fine = fine && put_text(story, FEED_PRISON, kind, "csv", text, len);
	free(text);
	return fine;
}

bool prison_extracts(struct story *story)
{
	bool fine = true;

	if (story->diary_dirty)
		fine = put_extract(story, "release-diary", print_diary);
	if (fine && story->boards_dirty)
		fine = put_extract(story, "discharge-boards", print_boards);
	story->diary_dirty = story->boards_dirty = false;
	return fine;
}
