/*
 * What the force's systems would write: arrests, what became of them, encounters, the IOM caseload
 * and flags keyed, as JSON (newer systems) or XML (older ones). Pure but for the stage.
 */
#include "story_internal.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORCE "35"

/* Values of ours hold nothing that XML would want escaped. */
static void print_xml(FILE *out, const char *name, const json_t *value)
{
	const char *key;
	json_t *member;
	size_t index;

	fprintf(out, "<%s>", name);
	if (json_is_string(value))
		fputs(json_string_value(value), out);
	json_object_foreach((json_t *)(uintptr_t)value, key, member)
	{
		if (strcmp(key, "kind") != 0)
			print_xml(out, key, member);
	}
	json_array_foreach(value, index, member)
	{
		print_xml(out, "offence", member);
	}
	fprintf(out, "</%s>\n", name);
}

static bool put_xml(struct story *story, json_t *take_event)
{
	const char *kind = json_string_value(json_object_get(take_event, "kind"));
	char *text = NULL;
	size_t len = 0;
	FILE *out = take_event ? open_memstream(&text, &len) : NULL;
	bool fine = out != NULL;

	if (fine) {
		fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		      "<policeEvents xmlns=\"urn:throughgate:police:1\">\n",
		      out);
		print_xml(out, kind, take_event);
		fputs("</policeEvents>\n", out);
		fine = ferror(out) == 0;
		fine = fclose(out) == 0 && fine;
	}
	fine = fine && put_text(story, FEED_POLICE, kind, "xml", text, len);
	free(text);
	json_decref(take_event);
	return fine;
}

static bool put(struct story *story, json_t *take_event, bool xml)
{
	const char *kind = json_string_value(json_object_get(take_event, "kind"));

	return xml ? put_xml(story, take_event) : put_json(story, FEED_POLICE, kind, take_event);
}

bool police_arrest(struct story *story, struct life *life, bool xml)
{
	char record[32];
	char asn[32];

	cohort_uuid(&story->dice, life->alert_id);
	cohort_asn((unsigned)atoi(story->today), 100000 + life->man.number, asn);
	snprintf(record, sizeof(record), "TW/%05u", 20000 + life->man.number);
	expect_if_enrolled(story, life, "police.arrest", life->man.pnc);
	return put(story,
	           json_pack("{s:s,s:s,s:s,s:{s:s,s:s,s:s},s:{s:s,s:s},s:s,s:[{s:s,s:s}],s:s,s:s,"
	                     "s:{s:s,s:s},s:{s:s,s:s}}",
	                     "kind", "arrest", "alertId", life->alert_id, "force", FORCE, "person",
	                     "pncId", life->man.pnc, "prisonNumber", life->man.noms, "asn", asn,
	                     "station", "code", "TW", "name", "Thorpe Wood", "arrestedAt",
	                     story->now, "offences", "cjsCode", "TH68010", "category", "THEFT",
	                     "custodyRecord", record, "custodyTelephone", "01733 496 101", "match",
	                     "basis", "PNC_ID", "confidence", "CONFIRMED", "query", "reasonCode",
	                     "16", "justification", "Detained person, identity check"),
	           xml);
}

bool police_update(struct story *story, const struct life *life, bool charged, bool xml)
{
	char court[11];
	json_t *event = json_pack("{s:s,s:s,s:s,s:{s:s,s:s},s:s,s:s,s:s}", "kind", "custodyUpdate",
	                          "alertId", life->alert_id, "force", FORCE, "person", "pncId",
	                          life->man.pnc, "prisonNumber", life->man.noms, "disposition",
	                          charged ? "CHARGED" : "NFA", "disposedAt", story->now,
	                          "releasedAt", story->now);

	day_after(story, 14, court);
	if (event && charged)
		json_object_set_new(event, "nextCourt",
		                    json_pack("{s:s,s:s,s:s}", "date", court, "clock", "10:00",
		                              "name", "Peterborough Magistrates"));
	expect_if_enrolled(story, life, "police.custody_update", life->man.pnc);
	return put(story, event, xml);
}

bool police_encounter(struct story *story, const struct life *life)
{
	expect_if_enrolled(story, life, "police.encounter", life->man.pnc);
	return put(story,
	           json_pack("{s:s,s:s,s:{s:s,s:s},s:s,s:s,s:b,s:s,s:s,s:{s:s},s:{s:s,s:s}}",
	                     "kind", "encounter", "force", FORCE, "person", "pncId", life->man.pnc,
	                     "prisonNumber", life->man.noms, "place",
	                     "Cathedral Square, by the fountain", "concern", "DRUNK",
	                     "pleaseCollect", 1, "callBackNumber", "01733 496 102", "encounteredAt",
	                     story->now, "match", "basis", "PNC_ID", "query", "reasonCode", "16",
	                     "justification", "Welfare check in the street"),
	           false);
}

bool police_flag(struct story *story, const struct life *life)
{
	char reference[32];
	char until[11];

	day_after(story, 365, until);
	snprintf(reference, sizeof(reference), "PF-%06u", 310000 + life->man.number);
	expect(story, "police.pnc_flag", life->man.noms);
	return put(story,
	           json_pack("{s:s,s:s,s:s,s:{s:s,s:s},s:s,s:s,s:s,s:s,s:s}", "kind", "flagAnswer",
	                     "requestId", life->flag_request, "force", FORCE, "person", "pncId",
	                     life->man.pnc, "prisonNumber", life->man.noms, "outcome", "PLACED",
	                     "flagReference", reference, "contactNumber", "01733 496 001",
	                     "untilDate", until, "doneAt", story->now),
	           life->man.number % 4 == 0);
}

bool police_iom(struct story *story, const struct life *life)
{
	expect_if_enrolled(story, life, "police.iom_status", life->man.noms);
	return put(story,
	           json_pack("{s:s,s:s,s:{s:s,s:s},s:s,s:s,s:s,s:{s:s},s:s}", "kind", "iomStatus",
	                     "force", FORCE, "person", "pncId", life->man.pnc, "prisonNumber",
	                     life->man.noms, "recordedAt", story->now, "status", "ON", "category",
	                     "FLEX", "lead", "agency", "probation", "fromDate", story->today),
	           false);
}
