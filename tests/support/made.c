/*
 * Events from the generated types. Test thread only; everything lives on the stack until packed.
 */
#include "support/made.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ttg/event.h>
#include "support/assert.h"

#define PADDING_FIELD 15000u /* a field of Event nobody knows yet: it survives as it is */

struct parts {
	Ttg__Event event;
	Ttg__Time now, occurred, expires;
	Ttg__Person person;
	Ttg__Identifier identifier, *identifiers[1];
	Ttg__PrisonReleased released;
	Ttg__PrisonReception reception;
	Ttg__PoliceArrest arrest;
	Ttg__ProbationContact contact;
	Ttg__ReferralSent referral;
	char referral_id[TTG_UUID_TEXT];
};

int64_t made_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

uint32_t made_number(const uint8_t id[16])
{
	return (uint32_t)id[12] << 24 | (uint32_t)id[13] << 16 | (uint32_t)id[14] << 8 | id[15];
}

/* protobuf-c has no const strings; nothing writes to them before they are packed. */
static char *text(const char *constant)
{
	return (char *)(uintptr_t)constant;
}

static void fill_prison(struct parts *parts, const struct made_wish *wish, const char *type)
{
	if (strcmp(type, "prison.reception") == 0) {
		ttg__prison_reception__init(&parts->reception);
		parts->reception.prison_code = text("PBI");
		parts->event.payload_case = TTG__EVENT__PAYLOAD_PRISON_RECEPTION;
		parts->event.prison_reception = &parts->reception;
		return;
	}
	ttg__prison_released__init(&parts->released);
	parts->released.at_liberty = 1;
	parts->released.reason = TTG__RELEASE_REASON__RELEASE_REASON_RELEASED;
	parts->released.movement_reason_code = text("CR");
	parts->released.prison_code = text("PBI");
	parts->released.released_at = &parts->occurred;
	parts->released.view = TTG__MOVEMENT_VIEW__MOVEMENT_VIEW_SETTLED;
	parts->released.area = text(wish->area ? wish->area : "Peterborough");
	parts->event.payload_case = TTG__EVENT__PAYLOAD_PRISON_RELEASED;
	parts->event.prison_released = &parts->released;
}

static void fill_police(struct parts *parts)
{
	ttg__police_arrest__init(&parts->arrest);
	parts->arrest.alert_id = text("alert-1");
	parts->arrest.force_code = text("35");
	parts->arrest.station_name = text("Thorpe Wood");
	parts->arrest.arrested_at = &parts->occurred;
	parts->arrest.match_basis = TTG__MATCH_BASIS__MATCH_BASIS_PNC_ID;
	parts->arrest.confidence = TTG__MATCH_CONFIDENCE__MATCH_CONFIDENCE_CONFIRMED;

	parts->event.payload_case = TTG__EVENT__PAYLOAD_POLICE_ARREST;
	parts->event.police_arrest = &parts->arrest;
}

static void fill_others(struct parts *parts, const struct made_wish *wish, const char *type)
{
	if (strcmp(type, "probation.contact") == 0) {
		ttg__probation_contact__init(&parts->contact);
		parts->contact.type_code = text("COAP");
		parts->contact.type_description = text("Planned office visit");
		parts->contact.contact_id = text("contact-1");
		parts->contact.contact_date = text("2026-03-02");
		parts->event.payload_case = TTG__EVENT__PAYLOAD_PROBATION_CONTACT;
		parts->event.probation_contact = &parts->contact;
		return;
	}
	must_be(strcmp(type, "referral.sent") == 0, "no such type to make");
	ttg__referral_sent__init(&parts->referral);
	ttg_uuid_format(parts->event.id.data, parts->referral_id); /* a referral of its own */
	parts->referral.referral_id = parts->referral_id;
	parts->referral.provider_agency = text(wish->provider ? wish->provider : "housing");
	parts->referral.referrer_agency = text("one-service");
	parts->referral.need = TTG__NEED_CATEGORY__NEED_ACCOMMODATION;
	parts->referral.ask = text("a room from Friday on");
	parts->event.payload_case = TTG__EVENT__PAYLOAD_REFERRAL_SENT;
	parts->event.referral_sent = &parts->referral;
}

static const char *usual_source(const char *type)
{
	if (strncmp(type, "prison.", 7) == 0)
		return "prison";
	if (strncmp(type, "police.", 7) == 0)
		return "police";
	if (strncmp(type, "probation.", 10) == 0)
		return "probation";
	return "one-service";
}

static void fill_person(struct parts *parts, const char *noms)
{
	ttg__person__init(&parts->person);
	ttg__identifier__init(&parts->identifier);
	parts->identifier.kind = TTG__IDENTIFIER_KIND__NOMS;
	parts->identifier.value = text(noms);
	parts->identifiers[0] = &parts->identifier;
	parts->person.n_identifiers = 1;
	parts->person.identifiers = parts->identifiers;
	parts->event.person = &parts->person;
}

static void fill_times(struct parts *parts, const struct made_wish *wish)
{
	ttg__time__init(&parts->now);
	ttg__time__init(&parts->occurred);
	ttg__time__init(&parts->expires);
	parts->now.unix_ns = made_now_ns();
	parts->occurred.unix_ns = wish->occurred_ns ? wish->occurred_ns : parts->now.unix_ns;
	parts->expires.unix_ns = wish->expires_ns;
	parts->event.occurred_at = &parts->occurred;
	parts->event.recorded_at = &parts->now;
	if (wish->expires_ns)
		parts->event.expires_at = &parts->expires;
}

/* Appends a field of a future version with so many bytes. */
static void pad(struct made *made, size_t bytes)
{
	uint64_t words[2] = { (uint64_t)PADDING_FIELD << 3 | 2, bytes };
	uint8_t *longer = realloc(made->bytes, made->len + bytes + 20);

	must_be(longer != NULL, "no memory");
	made->bytes = longer;
	for (int i = 0; i < 2; i++) {
		for (; words[i] >= 0x80; words[i] >>= 7)
			made->bytes[made->len++] = (uint8_t)(words[i] | 0x80);
		made->bytes[made->len++] = (uint8_t)words[i];
	}
	memset(made->bytes + made->len, 'x', bytes);
	made->len += bytes;
}

struct made must_make(const struct made_wish *wish)
{
	const char *type = wish->type ? wish->type : "prison.released";
	struct parts *parts = calloc(1, sizeof(*parts));
	struct made made = { .number = wish->number };
	uint8_t nonce[16];

	must_be(parts != NULL, "no memory");
	must_be(ttg_uuid_new(made.id) == TTG_OK, "no id");
	for (int i = 0; i < 4; i++)
		made.id[12 + i] = (uint8_t)(wish->number >> (24 - 8 * i));
	ttg__event__init(&parts->event);
	parts->event.id.data = made.id;
	parts->event.id.len = sizeof(made.id);
	must_be(ttg_uuid_new(nonce) == TTG_OK, "no nonce");
	parts->event.nonce.data = nonce;
	parts->event.nonce.len = sizeof(nonce);
	parts->event.source = text(wish->source ? wish->source : usual_source(type));
	parts->event.type = text(type);
	parts->event.marking = TTG__MARKING__OFFICIAL_SENSITIVE;
	parts->event.subject_category = TTG__SUBJECT_CATEGORY__CONVICTED;
	parts->event.assertion = TTG__ASSERTION__FACT;
	parts->event.urgency = (Ttg__Urgency)wish->urgency;
	fill_times(parts, wish);
	if (!wish->noms || wish->noms[0])
		fill_person(parts, wish->noms ? wish->noms : "A1234BC");
	if (strncmp(type, "prison.", 7) == 0)
		fill_prison(parts, wish, type);
	else if (strncmp(type, "police.", 7) == 0)
		fill_police(parts);
	else
		fill_others(parts, wish, type);
	must_be(ttg_event_pack(&parts->event, &made.bytes, &made.len) == TTG_OK, "cannot encode");
	free(parts);
	if (wish->padding_bytes > 0)
		pad(&made, wish->padding_bytes);
	return made;
}

void made_free(struct made *made)
{
	free(made->bytes);
	made->bytes = NULL;
}
