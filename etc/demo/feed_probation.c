/*
 * What probation's systems would write: domain events for links and registrations, contacts as JSON
 * from the newer system and as a CSV extract of the day from the older. Pure but for the stage.
 */
#include "story_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/instant.h"

bool probation_linked(struct story *story, const struct life *life)
{
	return put_json(story, FEED_PROBATION, "identifier",
	                json_pack("{s:s,s:i,s:s,s:{},s:{s:[{s:s,s:s},{s:s,s:s}]}}", "eventType",
	                          "probation-case.prison-identifier.added", "version", 1,
	                          "occurredAt", story->now, "additionalInformation",
	                          "personReference", "identifiers", "type", "CRN", "value",
	                          life->man.crn, "type", "NOMS", "value", life->man.noms));
}

bool probation_registered(struct story *story, const struct life *life)
{
	char id[24];

	snprintf(id, sizeof(id), "%u", 250000000 + life->man.number);
	expect(story, "probation.registration", life->man.crn);
	return put_json(story, FEED_PROBATION, "registration",
	                json_pack("{s:s,s:i,s:s,s:{s:s,s:s,s:s,s:s,s:s},s:{s:[{s:s,s:s}]}}",
	                          "eventType", "probation-case.registration.added", "version", 1,
	                          "occurredAt", story->now, "additionalInformation",
	                          "registerTypeCode", "RMRH", "registerTypeDescription",
	                          "Medium RoSH", "registrationId", id, "registrationLevelCode", "",
	                          "registrationCategoryCode", "", "personReference", "identifiers",
	                          "type", "CRN", "value", life->man.crn));
}

bool probation_contact_json(struct story *story, const struct life *life)
{
	char id[24];
	char date[11];
	char clock[6];
	bool came = life->man.number % 2 == 0;

	instant_to_civil(story->now_ns, date, clock);
	snprintf(id, sizeof(id), "%u", 810000000 + life->man.number);
	expect(story, "probation.contact", life->man.crn);
	return put_json(story, FEED_PROBATION, "contact",
	                json_pack("{s:s,s:s,s:s,s:s,s:{s:s,s:s},s:{s:s,s:s},s:s,s:{s:s,s:s},s:b}",
	                          "id", id, "crn", life->man.crn, "contactDate", date,
	                          "contactStartTime", clock, "type", "code", "COAI", "description",
	                          "Initial appointment, in office", "outcome", "code",
	                          came ? "ATTC" : "UAAB", "description",
	                          came ? "Attended and complied" : "Unacceptable absence",
	                          "location", "Peterborough office", "officer", "code", "N07A123",
	                          "name", "R. Hale", "isSensitive", 0));
}

static void print_contact(FILE *out, const struct story *story, const struct life *life)
{
	bool came = life->man.number % 3 != 0;
	char date[11];
	char clock[6];

	instant_to_civil(story->now_ns, date, clock);
	fprintf(out, "%u,%s,%s,%s,COAP,\"Planned office visit\",%s,\"%s\",Peterborough\r\n",
	        820000000 + life->man.number, life->man.crn, date, clock, came ? "ATTC" : "AFTA",
	        came ? "Attended and complied" : "Failed to attend");
}

bool probation_contacts_csv(struct story *story)
{
	char *text = NULL;
	size_t len = 0;
	size_t rows = 0;
	bool fine;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return false;
	fputs("Contact ID,CRN,Contact Date,Start Time,Type Code,Type Description,Outcome Code,"
	      "Outcome Description,Location\r\n",
	      out);
	for (size_t i = 0; i < story->n_lives; i++) {
		if (!life_has_contact_today(story, &story->lives[i]))
			continue;
		expect(story, "probation.contact", story->lives[i].man.crn);
		print_contact(out, story, &story->lives[i]);
		rows++;
	}
	fine = ferror(out) == 0;
	fine = fclose(out) == 0 && fine;
	if (fine && rows > 0)
		fine = put_text(story, FEED_PROBATION, "contacts", "csv", text, len);
	free(text);
	return fine;
}
