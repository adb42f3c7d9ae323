/*
 * Who gets what, against the plainest reading of the agreements: random sets of agreements are
 * written as files, loaded and compiled; random events are published; for every mailbox the
 * reference below decides again from the same set, agreement by agreement and name by name, and
 * packs the message anew. What the broker delivers must be that, byte for byte, and hold no token
 * of a field that nobody named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "support/agreed.h"
#include "support/config_case.h"
#include "support/core_play.h"
#include "support/folder.h"
#include "support/random_event.h"
#include "support/told.h"

#define N_PLACES (AGREED_AGENCIES * AGREED_BOXES)
#define CREDIT   60000

struct trial {
	struct random random;
	struct agreed set;
	struct play *play;
	struct folder *folder;
	struct random_event *event;
	struct told told;
	const char *source;
	int place; /* of the consumer that is attached */
	uint64_t decisions, delivered, redacted, accepted, refused, asked;
	bool got[N_PLACES];
};

static const char *const always[] = { "id",          "source",     "type",
	                              "occurred_at", "supersedes", "marking",
	                              "assertion",   "urgency",    "expires_at" };

/* What all agreements together give one mailbox of one event. */
struct verdict {
	bool delivered, whole, asked;
	const struct agreed_grant *grants[AGREED_MAX * AGREED_GRANTS_MAX];
	size_t n_grants;
};

static bool is_addressed_to(const struct random_event *event, const struct agreed_grant *grant)
{
	const ProtobufCMessageDescriptor *message = ttg_type_descriptor((size_t)grant->type);
	const ProtobufCFieldDescriptor *field =
	        protobuf_c_message_descriptor_get_field_by_name(message, grant->addressed_by);
	const ProtobufCFieldDescriptor *payload = protobuf_c_message_descriptor_get_field(
	        &ttg__event__descriptor, (unsigned)event->event->payload_case);
	const char *base =
	        *(const char *const *)(const void *)((const char *)event->event + payload->offset);

	return strcmp(*(const char *const *)(const void *)(base + field->offset),
	              agreed_agencies[grant->agency]) == 0;
}

static struct verdict judge(const struct trial *it, int place)
{
	struct verdict verdict = { .n_grants = 0 };

	for (size_t i = 0; i < it->set.n; i++) {
		const struct agreed_agreement *agreement = &it->set.agreements[i];

		if (!agreement->in_force ||
		    (agreement->official_only && it->event->event->marking != TTG__MARKING__OFFICIAL))
			continue;
		for (size_t k = 0; k < agreement->n_grants; k++) {
			const struct agreed_grant *grant = &agreement->grants[k];
			bool from = false;

			for (int j = 0; j < AGREED_AGENCIES; j++)
				from = from || (grant->from[j] &&
				                strcmp(agreed_agencies[j], it->source) == 0);
			if (2 * grant->agency + grant->box != place || !from ||
			    strcmp(ttg_type_name((size_t)grant->type), it->event->event->type) !=
			            0 ||
			    (grant->addressed_by[0] && !is_addressed_to(it->event, grant)) ||
			    !told_holds(&it->told, grant, it->event->event, it->play->now.real_ns))
				continue;
			verdict.asked = verdict.asked || grant->when.asked;
			verdict.delivered = true;
			verdict.whole = verdict.whole || grant->whole;
			verdict.grants[verdict.n_grants++] = grant;
		}
	}
	return verdict;
}

enum share { NOTHING, PART, ALL };

/* What one list of names gives of a path. */
static enum share share_of(const char (*names)[AGREED_NAME], size_t n, const char *path)
{
	const size_t len = strlen(path);
	enum share share = NOTHING;

	for (size_t i = 0; i < n; i++) {
		const size_t named = strlen(names[i]);

		if (named <= len && strncmp(names[i], path, named) == 0 &&
		    (path[named] == '\0' || path[named] == '.'))
			return ALL;
		if (named > len && strncmp(names[i], path, len) == 0 && names[i][len] == '.')
			share = PART;
	}
	return share;
}

static enum share granted(const struct verdict *verdict, bool in_payload, const char *path)
{
	enum share share = NOTHING;

	for (size_t i = 0; i < verdict->n_grants; i++) {
		const struct agreed_grant *grant = verdict->grants[i];
		const enum share one =
		        in_payload ? share_of((const char(*)[AGREED_NAME])grant->fields,
		                              grant->n_fields, path)
		                   : share_of((const char(*)[AGREED_NAME])grant->envelope,
		                              grant->n_envelope, path);

		share = one > share ? one : share;
		if (!in_payload && grant->kinds != 0 && share == NOTHING &&
		    (strcmp(path, "person") == 0 || strcmp(path, "person.identifiers") == 0))
			share = PART;
	}
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]) && !in_payload; i++) {
		const size_t len = strlen(always[i]);

		if (strncmp(path, always[i], len) == 0 && (path[len] == '\0' || path[len] == '.'))
			return ALL;
	}
	return share;
}

static bool kind_granted(const struct verdict *verdict, int kind)
{
	const ProtobufCEnumValue *value =
	        protobuf_c_enum_descriptor_get_value(&ttg__identifier_kind__descriptor, kind);

	for (size_t i = 0; i < verdict->n_grants; i++) {
		for (int k = 0; k < 8; k++) {
			if ((verdict->grants[i]->kinds & 1u << k) && value &&
			    strcmp(agreed_numbers[k], value->name) == 0)
				return true;
		}
	}
	return false;
}

static bool cut_message(const struct verdict *verdict, bool in_payload, const char *path,
                        ProtobufCMessage *message);

/* Whether one value that is a message stays; it is cut to what is granted. */
static bool keep_inner(const struct verdict *verdict, bool in_payload, const char *path,
                       enum share share, ProtobufCMessage *inner)
{
	bool any;

	if (share == NOTHING)
		return false;
	if (share == PART && !in_payload && strcmp(path, "person.identifiers") == 0 &&
	    kind_granted(verdict, (int)((Ttg__Identifier *)(void *)inner)->kind)) {
		const struct agreed_grant all = { .envelope = { "person.identifiers" },
			                          .n_envelope = 1 };
		const struct verdict whole = { .delivered = true, .grants = { &all },
		                               .n_grants = 1 };

		cut_message(&whole, false, path, inner);
		return true;
	}
	any = cut_message(verdict, in_payload, path, inner);
	return any || share == ALL;
}

static void clear(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	ProtobufCMessage *empty = malloc(message->descriptor->sizeof_message);
	char *base = (char *)message, *from = (char *)empty;

	assert_non_null(empty);
	protobuf_c_message_init(message->descriptor, empty);
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		*(size_t *)(void *)(base + field->quantifier_offset) = 0;
	else
		memcpy(base + field->offset, from + field->offset, random_value_bytes(field->type));
	free(empty);
}

/* Leaves in the message what is granted; whether that is anything. Leaks what it takes out: the
   copy is in memory of its own that goes as a whole. */
static bool cut_message(const struct verdict *verdict, bool in_payload, const char *path,
                        ProtobufCMessage *message)
{
	bool any = false;

	message->n_unknown_fields = 0;
	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
		char *base = (char *)message;
		char inner[512];
		enum share share;

		if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
			continue;
		snprintf(inner, sizeof(inner), "%s%s%s", path, *path ? "." : "", field->name);
		share = granted(verdict, in_payload, inner);
		if (share == NOTHING) {
			clear(message, field);
			continue;
		}
		if (field->type != PROTOBUF_C_TYPE_MESSAGE) {
			any = true; /* or it was never set: packing tells */
			continue;
		}
		if (field->label == PROTOBUF_C_LABEL_REPEATED) {
			size_t *n = (size_t *)(void *)(base + field->quantifier_offset), kept = 0;
			ProtobufCMessage **all =
			        *(ProtobufCMessage ***)(void *)(base + field->offset);

			for (size_t k = 0; k < *n; k++) {
				if (keep_inner(verdict, in_payload, inner, share, all[k]))
					all[kept++] = all[k];
			}
			*n = kept;
			any = any || kept > 0;
		} else {
			ProtobufCMessage **one =
			        (ProtobufCMessage **)(void *)(base + field->offset);

			if (*one && !keep_inner(verdict, in_payload, inner, share, *one))
				*one = NULL;
			any = any || *one;
		}
	}
	return any && protobuf_c_message_get_packed_size(message) > 0;
}

/* Memory that is never given back one by one. */
struct pool {
	char *bytes;
	size_t used;
};

#define POOL_BYTES 1048576u

static void *pool_alloc(void *data, size_t size)
{
	struct pool *pool = data;
	void *at = pool->bytes + pool->used;

	pool->used += (size + 15) & ~(size_t)15;
	assert_true(pool->used <= POOL_BYTES);
	return at;
}

static void pool_free(void *data, void *pointer)
{
	(void)data, (void)pointer;
}

static size_t reference(const struct trial *it, const struct verdict *verdict, struct pool *pool,
                        uint8_t *out)
{
	ProtobufCAllocator allocator = { pool_alloc, pool_free, pool };
	const ProtobufCFieldDescriptor *payload;
	ProtobufCMessage *inner;
	Ttg__Event *event;

	if (verdict->whole) {
		memcpy(out, it->event->bytes, it->event->len);
		return it->event->len;
	}
	pool->used = 0;
	event = ttg__event__unpack(&allocator, it->event->len, it->event->bytes);
	assert_non_null(event);
	payload = protobuf_c_message_descriptor_get_field(&ttg__event__descriptor,
	                                                  (unsigned)event->payload_case);
	inner = *(ProtobufCMessage **)(void *)((char *)event + payload->offset);
	cut_message(verdict, false, "", &event->base);
	cut_message(verdict, true, "", inner);
	return ttg__event__pack(event, out);
}

static struct pool pool;
static uint8_t expected[131072];

static void check_tokens(const struct trial *it, const struct verdict *verdict)
{
	const struct core_delivery *got = it->play->delivered;

	for (size_t i = 0; i < it->event->n_tokens && !verdict->whole; i++) {
		const struct random_token *token = &it->event->tokens[i];
		const bool by_kind =
		        !token->in_payload && strncmp(token->path, "person.identifiers", 18) == 0;

		if (by_kind || (granted(verdict, token->in_payload, token->path) == ALL &&
		                !strchr(token->path, '?')))
			continue;
		if (memmem(got->event, got->event_bytes, token->text, RANDOM_TOKEN_BYTES))
			fail_msg("%s of %s is not granted and was delivered", token->path,
			         it->event->event->type);
	}
}

static void on_deliver(void *arg, const struct play_delivery *delivery)
{
	struct trial *it = arg;
	const struct core_delivery *got = it->play->delivered;
	const int place = (int)delivery->consumer - 1;
	const struct verdict verdict = judge(it, place);
	size_t len;

	if (strcmp(delivery->type, "broker.referral_overdue") == 0) {
		assert_false(got->redacted); /* nothing that its recipient did not say */
		return;
	}
	assert_true(verdict.delivered);
	assert_int_equal(got->redacted, !verdict.whole);
	len = reference(it, &verdict, &pool, expected);
	if (len != got->event_bytes || memcmp(expected, got->event, len) != 0)
		fail_msg("%s to %s/%s: %zu bytes, the reference has %zu", it->event->event->type,
		         agreed_agencies[place / 2], agreed_boxes[place % 2], got->event_bytes,
		         len);
	check_tokens(it, &verdict);
	assert_false(it->got[place]);
	it->got[place] = true;
	it->delivered++;
	it->redacted += got->redacted;
	it->asked += verdict.asked;
}

static void must_agree(const struct trial *it, int place, uint64_t sequence)
{
	const struct verdict verdict = judge(it, place);

	if (it->got[place] != verdict.delivered)
		fail_msg("%s from %s to %s/%s, sequence %llu: %s, the reference says otherwise",
			 it->event->event->type, it->source, agreed_agencies[place / AGREED_BOXES],
			 agreed_boxes[place % AGREED_BOXES], (unsigned long long)sequence,
			 it->got[place] ? "delivered" : "not delivered");
}

/* With `tells`: something that conditions ask for. */
static void publish_one(struct trial *it, bool tells)
{
	struct core_outcome outcome;

	it->source = agreed_agencies[random_below(&it->random, AGREED_AGENCIES)];
	if (tells && random_below(&it->random, 2) == 0) /* whose schemes are asked for */
		it->source = agreed_agencies[random_below(&it->random, 2)];
	if (tells)
		it->event = told_event(&it->random, it->source, it->play->now.real_ns);
	else
		it->event = random_event_new(&it->random,
					     it->set.types[random_below(&it->random, AGREED_TYPES)],
					     it->source,
					     told_numbers[random_below(&it->random, TOLD_PERSONS)],
					     agreed_agencies, AGREED_AGENCIES, it->play->now.real_ns,
					     random_below(&it->random, 2) == 0);
	memset(it->got, 0, sizeof(it->got));
	core_publish(it->play->core, &it->play->now, it->source, it->event->bytes, it->event->len,
	             &outcome);
	if (outcome.kind == CORE_ACCEPTED) {
		it->accepted++;
		play_settle(it->play);
		for (int place = 0; place < N_PLACES; place++, it->decisions++)
			must_agree(it, place, outcome.sequence);
		told_hear(&it->told, it->event->event, it->play->now.real_ns);
	} else {
		/* Somebody whom no grant reaches was addressed, or a referral does not go on so: the only
		   reasons there may be. */
		if (outcome.code != TTG_REFUSED_RECIPIENT && outcome.code != TTG_REFUSED_REFERRAL)
			fail_msg("%s: %s", it->event->event->type, outcome.text);
		it->refused++;
	}
	random_event_free(&it->event);
}

static void attach_all(struct trial *it)
{
	char name[AGREED_NAME];

	for (int place = 0; place < N_PLACES; place++) {
		snprintf(name, sizeof(name), "%s/%s", agreed_agencies[place / 2],
		         agreed_boxes[place % 2]);
		assert_int_equal(core_attach(it->play->core, &it->play->now, (uint64_t)place + 1,
		                             agreed_agencies[place / 2], name, CREDIT),
		                 TTG_OK);
	}
}

static void run_set(struct trial *it, unsigned events)
{
	struct config *config;

	agreed_make(&it->set, &it->random);
	agreed_write(&it->set, it->folder);
	config = config_must_load(it->folder);
	it->play = play_new(256, 16);
	it->play->on_deliver = on_deliver;
	it->play->arg = it;
	assert_int_equal(core_set_rules(it->play->core, &it->play->now, config->rules), TTG_OK);
	attach_all(it);
	memset(&it->told, 0, sizeof(it->told));
	for (unsigned i = 0; i < events; i++) {
		for (uint32_t k = random_below(&it->random, 4); k > 0; k--)
			publish_one(it, true);
		publish_one(it, false);
		play_wait(it->play, (int64_t)random_below(&it->random, 36) * 3600 * PLAY_SECOND);
	}
	play_free(&it->play);
	config_free(&config);
}

static void what_is_delivered_is_what_the_agreements_say_and_not_a_byte_more(void **state)
{
	const char *seed = getenv("TTG_SEED");
	const char *sets = getenv("TTG_SETS");
	struct trial *it = calloc(1, sizeof(*it));

	assert_non_null(it);
	it->random.state = seed ? strtoull(seed, NULL, 10) : 20261127;
	it->folder = *state;
	print_message("TTG_SEED=%llu\n", (unsigned long long)it->random.state);
	pool.bytes = malloc(POOL_BYTES);
	assert_non_null(pool.bytes);
	folder_make(it->folder, "agencies.d");
	folder_make(it->folder, "agreements.d");
	for (unsigned long i = 0; i < (sets ? strtoul(sets, NULL, 10) : 450); i++)
		run_set(it, 25);
	print_message("%llu decisions: %llu events accepted, %llu refused, %llu deliveries, "
	              "%llu in part, %llu because of what was known\n",
	              (unsigned long long)it->decisions, (unsigned long long)it->accepted,
	              (unsigned long long)it->refused, (unsigned long long)it->delivered,
	              (unsigned long long)it->redacted, (unsigned long long)it->asked);
	assert_true(it->accepted > it->refused && it->redacted > 0 && it->delivered > it->redacted &&
	            it->asked > 500 && it->decisions >= 100000);
	free(pool.bytes);
	free(it);
}

int main(void)
{
#define FOLDER_TEST(name) cmocka_unit_test_setup_teardown(name, folder_set_up, folder_tear_down)
	const struct CMUnitTest tests[] = {
		FOLDER_TEST(what_is_delivered_is_what_the_agreements_say_and_not_a_byte_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
