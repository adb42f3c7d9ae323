/*
 * A stage for tests of the core: a journal in memory whose durability the test moves by hand, rules
 * of a few agencies, events, and consumers that remember what they were given.
 */
#ifndef TEST_CORE_STAGE_H
#define TEST_CORE_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"
#include "core/record.h"
#include "ttg/event.h"

#define STAGE_SECOND INT64_C(1000000000)
#define STAGE_NOW (INT64_C(1795000000) * STAGE_SECOND) /* in November 2026 */
#define STAGE_UNUSED __attribute__((unused))

struct stage_record {
	uint8_t kind;
	uint8_t *data;
	size_t len;
};

struct stage_delivery {
	uint64_t consumer, position, sequence;
	uint32_t attempt;
	bool has_person;
	uint8_t person[CORE_PERSON_KEY];
	uint8_t id[16];
	char type[RULES_TYPE_MAX + 1];
	char agreement[RULES_ID_MAX + 1];
	size_t n_agreements;
};

struct stage {
	struct core *core;
	struct core_options options;
	struct rules *rules;
	struct core_now now;
	struct stage_record *records; /* number n is records[n - 1] */
	size_t n_records, capacity;
	uint64_t durable;
	struct stage_delivery *deliveries;
	size_t n_deliveries, capacity_deliveries;
	char notes[64][32];
	size_t n_notes;
	uint64_t active, acknowledged;   /* of the last attached() */
	uint64_t nacked_position;
	bool nacked_parked;
	enum ttg_error append_fails, read_fails;
	uint32_t deliver_room;           /* deliveries still taken; UINT32_MAX: all */
	uint64_t next_id;
	void (*on_append)(void *arg, uint64_t sequence, uint8_t kind, const uint8_t *data, size_t len);
	void (*on_deliver)(void *arg, const struct stage_delivery *delivery);
	void *arg;
};

static enum ttg_error stage_append(void *self, uint8_t kind, const uint8_t *data, size_t len,
				   uint64_t *sequence)
{
	struct stage *stage = self;
	struct stage_record *record;

	if (stage->append_fails != TTG_OK)
		return stage->append_fails;
	if (stage->n_records == stage->capacity) {
		stage->capacity = stage->capacity ? stage->capacity * 2 : 64;
		stage->records = realloc(stage->records, stage->capacity * sizeof(*record));
		assert_non_null(stage->records);
	}
	record = &stage->records[stage->n_records++];
	record->kind = kind;
	record->len = len;
	record->data = malloc(len);
	assert_non_null(record->data);
	memcpy(record->data, data, len);
	*sequence = stage->n_records;
	if (stage->on_append)
		stage->on_append(stage->arg, *sequence, kind, data, len);
	return TTG_OK;
}

static enum ttg_error stage_read(void *self, uint64_t sequence, uint8_t *kind, const uint8_t **data,
				 size_t *len)
{
	struct stage *stage = self;

	assert_true(sequence >= 1 && sequence <= stage->n_records);
	if (stage->read_fails != TTG_OK)
		return stage->read_fails;
	if (!stage->records[sequence - 1].data)
		return TTG_ENOENT;
	*kind = stage->records[sequence - 1].kind;
	*data = stage->records[sequence - 1].data;
	*len = stage->records[sequence - 1].len;
	return TTG_OK;
}

static bool stage_deliver(void *self, uint64_t consumer, const struct core_delivery *delivery)
{
	struct stage *stage = self;
	struct stage_delivery *it;
	Ttg__Event *event;

	if (stage->deliver_room == 0)
		return false;
	if (stage->deliver_room != UINT32_MAX)
		stage->deliver_room--;
	assert_true(delivery->sequence <= stage->durable);
	if (stage->n_deliveries == stage->capacity_deliveries) {
		stage->capacity_deliveries = stage->capacity_deliveries ? stage->capacity_deliveries * 2 : 64;
		stage->deliveries = realloc(stage->deliveries,
					    stage->capacity_deliveries * sizeof(*it));
		assert_non_null(stage->deliveries);
	}
	it = &stage->deliveries[stage->n_deliveries++];
	memset(it, 0, sizeof(*it));
	it->consumer = consumer;
	it->position = delivery->position;
	it->sequence = delivery->sequence;
	it->attempt = delivery->attempt;
	it->has_person = delivery->person_key;
	if (delivery->person_key)
		memcpy(it->person, delivery->person_key, CORE_PERSON_KEY);
	event = ttg__event__unpack(NULL, delivery->event_bytes, delivery->event);
	assert_non_null(event);
	memcpy(it->id, event->id.data, 16);
	snprintf(it->type, sizeof(it->type), "%s", event->type);
	ttg__event__free_unpacked(event, NULL);
	it->n_agreements = delivery->n_agreements;
	assert_true(delivery->n_agreements > 0);
	snprintf(it->agreement, sizeof(it->agreement), "%s", delivery->agreements[0]);
	if (stage->on_deliver)
		stage->on_deliver(stage->arg, it);
	return true;
}

static void stage_flush(void *self, uint64_t consumer)
{
	(void)self;
	(void)consumer;
}

static void stage_attached(void *self, uint64_t consumer, bool active, uint64_t acknowledged)
{
	struct stage *stage = self;

	if (active)
		stage->active = consumer;
	stage->acknowledged = acknowledged;
}

static void stage_nacked(void *self, uint64_t consumer, uint64_t position, bool parked)
{
	struct stage *stage = self;

	(void)consumer;
	stage->nacked_position = position;
	stage->nacked_parked = parked;
}

static void stage_note(void *self, const char *word, const char *mailbox, uint64_t sequence)
{
	struct stage *stage = self;

	(void)mailbox;
	(void)sequence;
	if (stage->n_notes < 64)
		snprintf(stage->notes[stage->n_notes++], sizeof(stage->notes[0]), "%s", word);
}

STAGE_UNUSED static size_t stage_noted(const struct stage *stage, const char *word)
{
	size_t n = 0;

	for (size_t i = 0; i < stage->n_notes; i++)
		n += strcmp(stage->notes[i], word) == 0;
	return n;
}

static const char *const stage_agencies[] = { "broker", "charity", "oneservice", "police", "prison" };
/* Ids and the agency of each, in the order of the ids. */
static const char *const stage_mailboxes[] = { "charity/in", "oneservice/desk", "oneservice/in",
					       "police/in", "prison/in" };
static const uint32_t stage_owners[] = { 1, 2, 2, 3, 4 };
static const char *const stage_types[] = {
	"broker.alert_unacknowledged", "broker.lane_parked", "future.thing", "police.arrest",
	"prison.released", "referral.sent"
};
enum { STAGE_CHARITY = 1, STAGE_ONESERVICE, STAGE_POLICE, STAGE_PRISON };
enum { BOX_CHARITY, BOX_DESK, BOX_ONESERVICE, BOX_POLICE, BOX_PRISON, N_BOXES };
enum { TYPE_ALERT, TYPE_PARKED, TYPE_FUTURE, TYPE_ARREST, TYPE_RELEASED, TYPE_REFERRAL, N_TYPES };
enum { AGREED_ALWAYS, AGREED_LIMITED, N_AGREEMENTS }; /* "always", "limited" */

STAGE_UNUSED static void stage_grant_publish(struct rules *rules, uint32_t type, uint32_t agency)
{
	rules->publish = realloc(rules->publish, (rules->n_publish + 1) * sizeof(*rules->publish));
	rules->publish[rules->n_publish++] = (struct rules_publish_grant){ type, agency, 0 };
}

STAGE_UNUSED static struct rules_deliver_grant *stage_grant(struct rules *rules, uint32_t type,
							    uint32_t from, uint32_t mailbox,
							    uint32_t agreement)
{
	struct rules_deliver_grant *it;

	rules->deliver = realloc(rules->deliver, (rules->n_deliver + 1) * sizeof(*rules->deliver));
	it = &rules->deliver[rules->n_deliver++];
	memset(it, 0, sizeof(*it));
	it->type = type;
	it->from = from;
	it->mailbox = mailbox;
	it->agreement = agreement;
	it->fallback = RULES_NONE;
	return it;
}

/*
 * Everybody publishes; releases go to the One Service ("always") and to the police ("limited",
 * which ends an hour after STAGE_NOW), arrests to the One Service with escalation after 60 s to its
 * desk, referrals to the charity they name, notices of parked lanes to the desk.
 */
STAGE_UNUSED static struct rules *stage_rules(bool with_limited)
{
	struct rules *rules = rules_new();
	struct rules_deliver_grant *grant;

	assert_non_null(rules);
	strcpy(rules->broker, "broker");
	rules->n_agencies = 5;
	rules->agencies = calloc(5, sizeof(*rules->agencies));
	for (size_t i = 0; i < 5; i++)
		strcpy(rules->agencies[i].id, stage_agencies[i]);
	rules->n_mailboxes = N_BOXES;
	rules->mailboxes = calloc(N_BOXES, sizeof(*rules->mailboxes));
	for (size_t i = 0; i < N_BOXES; i++) {
		strcpy(rules->mailboxes[i].id, stage_mailboxes[i]);
		rules->mailboxes[i].agency = stage_owners[i];
		rules->mailboxes[i].max_attempts = 3;
		rules->mailboxes[i].retry_ms = 100;
		rules->mailboxes[i].retry_max_ms = 1000;
	}
	rules->n_agreements = N_AGREEMENTS;
	rules->agreements = calloc(N_AGREEMENTS, sizeof(*rules->agreements));
	strcpy(rules->agreements[0].id, "always");
	rules->agreements[0].to_ns = RULES_FOREVER;
	strcpy(rules->agreements[1].id, "limited");
	rules->agreements[1].to_ns = STAGE_NOW + 3600 * STAGE_SECOND;
	rules->n_types = N_TYPES;
	rules->types = calloc(N_TYPES, sizeof(*rules->types));
	for (size_t i = 0; i < N_TYPES; i++)
		strcpy(rules->types[i], stage_types[i]);
	stage_grant_publish(rules, TYPE_RELEASED, STAGE_PRISON);
	stage_grant_publish(rules, TYPE_FUTURE, STAGE_PRISON);
	stage_grant_publish(rules, TYPE_ARREST, STAGE_POLICE);
	stage_grant_publish(rules, TYPE_REFERRAL, STAGE_ONESERVICE);
	stage_grant(rules, TYPE_RELEASED, STAGE_PRISON, BOX_ONESERVICE, AGREED_ALWAYS);
	stage_grant(rules, TYPE_FUTURE, STAGE_PRISON, BOX_ONESERVICE, AGREED_ALWAYS);
	if (with_limited)
		stage_grant(rules, TYPE_RELEASED, STAGE_PRISON, BOX_POLICE, AGREED_LIMITED);
	grant = stage_grant(rules, TYPE_ARREST, STAGE_POLICE, BOX_ONESERVICE, AGREED_ALWAYS);
	grant->ack_within_s = 60;
	grant->fallback = BOX_DESK;
	grant = stage_grant(rules, TYPE_REFERRAL, STAGE_ONESERVICE, BOX_CHARITY, AGREED_ALWAYS);
	strcpy(grant->addressed_by, "provider_agency");
	stage_grant(rules, TYPE_PARKED, RULES_NONE, BOX_DESK, AGREED_ALWAYS);
	assert_true(rules_finish(rules));
	return rules;
}

static void stage_make_core(struct stage *stage)
{
	const struct core_sink sink = { stage, stage_append, stage_read, stage_deliver, stage_flush,
					stage_attached, stage_nacked, stage_note };

	stage->core = core_new(&stage->options, &sink);
	assert_non_null(stage->core);
}

STAGE_UNUSED static struct stage *stage_new(uint32_t window, uint32_t max_held)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	assert_non_null(stage);
	stage->options = (struct core_options){
		.broker = "broker", .person_secret = { 7 }, .max_event_bytes = 65536,
		.max_skew_s = 300, .dedupe_window_ns = 3600 * UINT64_C(1000000000),
		.dedupe_max = 100000, .window = window, .max_held = max_held,
	};
	stage->deliver_room = UINT32_MAX;
	stage->now = (struct core_now){ STAGE_NOW, 1000 };
	stage_make_core(stage);
	stage->rules = stage_rules(true);
	assert_int_equal(core_set_rules(stage->core, &stage->now, stage->rules), TTG_OK);
	return stage;
}

STAGE_UNUSED static void stage_free(struct stage **stage)
{
	core_free(&(*stage)->core);
	rules_free(&(*stage)->rules);
	for (size_t i = 0; i < (*stage)->n_records; i++)
		free((*stage)->records[i].data);
	free((*stage)->records);
	free((*stage)->deliveries);
	free(*stage);
	*stage = NULL;
}

STAGE_UNUSED static void stage_settle(struct stage *stage)
{
	int64_t next;

	do {
		stage->durable = stage->n_records;
		core_durable(stage->core, stage->durable);
		next = core_pump(stage->core, &stage->now);
	} while (next == stage->now.mono_ns || stage->durable != stage->n_records);
}

STAGE_UNUSED static void stage_wait(struct stage *stage, int64_t ns)
{
	stage->now.mono_ns += ns;
	stage->now.real_ns += ns;
}

/* A restart: records from `keep` on are lost, the rest is applied to a new core. */
STAGE_UNUSED static void stage_restart(struct stage *stage, uint64_t keep, const uint8_t *snapshot,
				       size_t snapshot_len)
{
	struct message message = { "" };

	core_free(&stage->core);
	while (stage->n_records > keep)
		free(stage->records[--stage->n_records].data);
	stage_make_core(stage);
	if (snapshot)
		assert_int_equal(core_restore(stage->core, snapshot, snapshot_len, &message), TTG_OK);
	for (uint64_t i = core_sequence(stage->core); i < stage->n_records; i++) {
		const struct stage_record *it = &stage->records[i];
		enum ttg_error code = core_apply(stage->core, i + 1, it->kind, it->data, it->len,
						 &message);

		if (code != TTG_OK)
			fail_msg("record %" PRIu64 ": %s", i + 1, message.text);
	}
	stage->durable = stage->n_records;
	core_durable(stage->core, stage->durable);
	assert_int_equal(core_set_rules(stage->core, &stage->now, stage->rules), TTG_OK);
}

/* An event to be changed and published; person: number of an invented prisoner, 0: nobody. */
struct stage_event {
	Ttg__Event event;
	Ttg__Time occurred, expires;
	Ttg__Person person;
	Ttg__Identifier identifier, *identifiers[1];
	Ttg__PrisonReleased released;
	Ttg__PoliceArrest arrest;
	Ttg__ReferralSent referral;
	uint8_t id[16];
	char noms[16];
	char provider[33];
};

static char stage_texts[][32] = { "prison", "police", "oneservice", "prison.released",
				  "police.arrest", "referral.sent" };

STAGE_UNUSED static void stage_event(struct stage *stage, struct stage_event *it, int type,
				     unsigned int person)
{
	memset(it, 0, sizeof(*it));
	ttg__event__init(&it->event);
	ttg__time__init(&it->occurred);
	ttg__time__init(&it->expires);
	ttg__person__init(&it->person);
	ttg__identifier__init(&it->identifier);
	ttg__prison_released__init(&it->released);
	ttg__police_arrest__init(&it->arrest);
	ttg__referral_sent__init(&it->referral);
	it->id[0] = 1;
	it->id[6] = 0x70;
	it->id[8] = 0x80;
	stage->next_id++;
	memcpy(it->id + 9, &stage->next_id, 7);
	it->event.id = (ProtobufCBinaryData){ 16, it->id };
	it->occurred.unix_ns = stage->now.real_ns;
	it->event.occurred_at = &it->occurred;
	if (type == TYPE_RELEASED) {
		it->event.source = stage_texts[0];
		it->event.type = stage_texts[3];
		it->event.payload_case = TTG__EVENT__PAYLOAD_PRISON_RELEASED;
		it->event.prison_released = &it->released;
	} else if (type == TYPE_ARREST) {
		it->event.source = stage_texts[1];
		it->event.type = stage_texts[4];
		it->event.urgency = TTG__URGENCY__URGENT;
		it->event.payload_case = TTG__EVENT__PAYLOAD_POLICE_ARREST;
		it->event.police_arrest = &it->arrest;
	} else {
		it->event.source = stage_texts[2];
		it->event.type = stage_texts[5];
		strcpy(it->provider, "charity");
		it->referral.provider_agency = it->provider;
		it->event.payload_case = TTG__EVENT__PAYLOAD_REFERRAL_SENT;
		it->event.referral_sent = &it->referral;
	}
	if (person == 0)
		return;
	snprintf(it->noms, sizeof(it->noms), "A%04uBC", person % 10000);
	it->identifier.kind = TTG__IDENTIFIER_KIND__NOMS;
	it->identifier.value = it->noms;
	it->identifiers[0] = &it->identifier;
	it->person.n_identifiers = 1;
	it->person.identifiers = it->identifiers;
	it->event.person = &it->person;
}

STAGE_UNUSED static struct core_outcome stage_publish(struct stage *stage,
						      const struct stage_event *it)
{
	struct core_outcome outcome;
	size_t len = ttg__event__get_packed_size(&it->event);
	uint8_t *bytes = malloc(len + 1);

	assert_non_null(bytes);
	ttg__event__pack(&it->event, bytes);
	core_publish(stage->core, &stage->now, it->event.source, bytes, len, &outcome);
	free(bytes);
	return outcome;
}

/* Publishes a plain event that must be accepted; its sequence. */
STAGE_UNUSED static uint64_t stage_say(struct stage *stage, int type, unsigned int person)
{
	struct stage_event event;
	struct core_outcome outcome;

	stage_event(stage, &event, type, person);
	outcome = stage_publish(stage, &event);
	if (outcome.kind != CORE_ACCEPTED)
		fail_msg("refused: %d %s", (int)outcome.code, outcome.text);
	assert_true(outcome.release_at == outcome.sequence);
	return outcome.sequence;
}

STAGE_UNUSED static struct core_mailbox_view stage_view(const struct stage *stage, int box)
{
	struct core_mailbox_view view;

	core_mailbox_view(stage->core, (size_t)box, &view);
	assert_string_equal(view.id, stage_mailboxes[box]);
	return view;
}

STAGE_UNUSED static void stage_attach(struct stage *stage, int box, uint64_t consumer,
				      uint32_t credit)
{
	assert_int_equal(core_attach(stage->core, &stage->now, consumer,
				     stage_agencies[stage_owners[box]], stage_mailboxes[box], credit),
			 TTG_OK);
}

#endif
