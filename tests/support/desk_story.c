/* Events for tests of the desk. Test thread only; see desk_story.h. */
#include "support/desk_story.h"

#include <string.h>
#include <ttg/client.h>
#include "support/assert.h"

#define WORDS(text) ((char *)(uintptr_t)(text))

void story_id(uint32_t number, uint8_t id[TTG_UUID_BYTES])
{
	static const uint8_t begin[TTG_UUID_BYTES] = { 9, 8, 7, 6, 5, 4, 0x70, 0, 0x80 };

	memcpy(id, begin, sizeof(begin));
	for (int i = 0; i < 4; i++)
		id[15 - i] = (uint8_t)(number >> 8 * i);
}

void story_id_text(uint32_t number, char out[TTG_UUID_TEXT])
{
	uint8_t id[TTG_UUID_BYTES];

	story_id(number, id);
	ttg_uuid_format(id, out);
}

/* A key of the broker's that is always the same for a number. */
static void make_key(const char *noms, uint8_t key[TTG_PERSON_KEY_BYTES])
{
	memset(key, 0x5a, TTG_PERSON_KEY_BYTES);
	memcpy(key, noms, strlen(noms) < TTG_PERSON_KEY_BYTES ? strlen(noms) : 8);
}

static void put(const struct story *story, const struct story_event *from, Ttg__Event *event,
                const char *type, bool is_urgent)
{
	Ttg__Identifier identifier = TTG__IDENTIFIER__INIT;
	Ttg__Identifier *list[] = { &identifier };
	Ttg__Person person = TTG__PERSON__INIT;
	Ttg__Time occurred = TTG__TIME__INIT;
	uint8_t id[TTG_UUID_BYTES], earlier[TTG_UUID_BYTES], key[TTG_PERSON_KEY_BYTES];
	const char *source = from->source == NULL ? "cambridgeshire-police" : from->source;

	story_id(from->number, id);
	event->id = (ProtobufCBinaryData){ sizeof(id), id };
	event->source = WORDS(from->ours ? "one-service" : source);
	event->type = WORDS(type);
	occurred.unix_ns = from->at_ns;
	event->occurred_at = &occurred;
	event->urgency = (is_urgent && !from->routine) || from->urgent ? TTG__URGENCY__URGENT
	                                             : TTG__URGENCY__ROUTINE;
	if (from->supersedes != 0) {
		story_id(from->supersedes, earlier);
		event->supersedes = (ProtobufCBinaryData){ sizeof(earlier), earlier };
	}
	if (from->noms != NULL) {
		identifier.kind = TTG__IDENTIFIER_KIND__NOMS;
		identifier.value = identifier.canonical = WORDS(from->noms);
		identifier.validity = TTG__VALIDITY__VALID;
		person.identifiers = list;
		person.n_identifiers = 1;
		event->person = &person;
	}
	make_key(from->noms == NULL ? "nobody" : from->noms, key);
	story->put(story->user, event, from->ours ? NULL : key, from->at_ns);
}

void story_arrest(const struct story *story, const struct story_event *event, const char *alert_id,
                  const char *station)
{
	Ttg__Event whole = TTG__EVENT__INIT;
	Ttg__PoliceArrest it = TTG__POLICE_ARREST__INIT;

	it.alert_id = WORDS(alert_id);
	it.station_name = WORDS(station);
	it.force_code = WORDS("35");
	whole.payload_case = TTG__EVENT__PAYLOAD_POLICE_ARREST;
	whole.police_arrest = &it;
	put(story, event, &whole, "police.arrest", true);
}

void story_update(const struct story *story, const struct story_event *event, const char *alert_id,
                  int disposition)
{
	Ttg__Event whole = TTG__EVENT__INIT;
	Ttg__PoliceCustodyUpdate it = TTG__POLICE_CUSTODY_UPDATE__INIT;

	it.alert_id = WORDS(alert_id);
	it.disposition = (Ttg__Disposition)disposition;
	whole.payload_case = TTG__EVENT__PAYLOAD_POLICE_CUSTODY_UPDATE;
	whole.police_custody_update = &it;
	put(story, event, &whole, "police.custody_update", false);
}

void story_encounter(const struct story *story, const struct story_event *event,
                     const char *alert_id, const char *place)
{
	Ttg__Event whole = TTG__EVENT__INIT;
	Ttg__PoliceEncounter it = TTG__POLICE_ENCOUNTER__INIT;

	it.alert_id = WORDS(alert_id);
	it.place = WORDS(place);
	whole.payload_case = TTG__EVENT__PAYLOAD_POLICE_ENCOUNTER;
	whole.police_encounter = &it;
	put(story, event, &whole, "police.encounter", true);
}

void story_unacknowledged(const struct story *story, const struct story_event *event,
                          uint32_t about)
{
	Ttg__Event whole = TTG__EVENT__INIT;
	Ttg__BrokerAlertUnacknowledged it = TTG__BROKER_ALERT_UNACKNOWLEDGED__INIT;
	struct story_event from = *event;
	uint8_t id[TTG_UUID_BYTES];

	from.source = "broker";
	from.noms = NULL;
	story_id(about, id);
	it.event_id = (ProtobufCBinaryData){ sizeof(id), id };
	it.mailbox = WORDS("one-service/duty");
	whole.payload_case = TTG__EVENT__PAYLOAD_BROKER_ALERT_UNACKNOWLEDGED;
	whole.broker_alert_unacknowledged = &it;
	put(story, &from, &whole, "broker.alert_unacknowledged", true);
}

void story_correction(const struct story *story, const struct story_event *event, uint32_t about)
{
	Ttg__Event whole = TTG__EVENT__INIT;
	Ttg__BrokerCorrection it = TTG__BROKER_CORRECTION__INIT;
	struct story_event from = *event;
	uint8_t id[TTG_UUID_BYTES];

	from.source = "broker";
	from.noms = NULL;
	story_id(about, id);
	it.event_id = (ProtobufCBinaryData){ sizeof(id), id };
	it.kind = TTG__CORRECTION_KIND__CORRECTION_KIND_WITHDRAWN;
	it.publisher_agency = WORDS("cambridgeshire-police");
	whole.payload_case = TTG__EVENT__PAYLOAD_BROKER_CORRECTION;
	whole.broker_correction = &it;
	put(story, &from, &whole, "broker.correction", false);
}

void story_limited(const struct story *story, const struct story_event *event)
{
	Ttg__Event whole = TTG__EVENT__INIT;
	Ttg__ProbationContact it = TTG__PROBATION_CONTACT__INIT;
	struct story_event from = *event;

	from.source = "probation";
	it.limited_access = true;
	whole.payload_case = TTG__EVENT__PAYLOAD_PROBATION_CONTACT;
	whole.probation_contact = &it;
	put(story, &from, &whole, "probation.contact", false);
}

void story_enrolled(const struct story *story, const struct story_event *event,
                    const char *caseworker)
{
	Ttg__Event whole = TTG__EVENT__INIT;
	Ttg__ServiceEnrolled it = TTG__SERVICE_ENROLLED__INIT;
	Ttg__Worker worker = TTG__WORKER__INIT;
	struct story_event from = *event;

	from.ours = true;
	worker.name = WORDS(caseworker);
	it.scheme = WORDS("one-service-pilot");
	it.cohort = WORDS("cohort-1");
	it.from_date = WORDS("2027-01-04");
	it.caseworker = &worker;
	whole.payload_case = TTG__EVENT__PAYLOAD_SERVICE_ENROLLED;
	whole.service_enrolled = &it;
	put(story, &from, &whole, "service.enrolled", false);
}

void story_referral(const struct story *story, const struct story_event *event, const char *id,
                    const char *provider, int64_t answer_by_ns)
{
	Ttg__Event whole = TTG__EVENT__INIT;
	Ttg__ReferralSent it = TTG__REFERRAL_SENT__INIT;
	Ttg__Time by = TTG__TIME__INIT;
	struct story_event from = *event;

	from.ours = true;
	by.unix_ns = answer_by_ns;
	it.referral_id = WORDS(id);
	it.provider_agency = WORDS(provider);
	it.referrer_agency = WORDS("one-service");
	it.need = TTG__NEED_CATEGORY__NEED_ACCOMMODATION;
	it.answer_by_at = answer_by_ns == 0 ? NULL : &by;
	whole.payload_case = TTG__EVENT__PAYLOAD_REFERRAL_SENT;
	whole.referral_sent = &it;
	put(story, &from, &whole, "referral.sent", false);
}
