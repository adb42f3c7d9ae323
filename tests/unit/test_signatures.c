/* Signed frames at the broker's door: which are taken, which refused and why; the session goes on. */
#include "unit.h"

#include <string.h>

#include "base/claim.h"
#include "base/signature.h"
#include "core/record.h"
#include "net/handlers.h"
#include "net/signatures.h"
#include "support/core_play.h"
#include "support/memory_world.h"
#include "support/receipts.h"

#define EVENTS 3u

struct bed {
	struct memory_world *memory;
	struct config config;
	struct net net;
	uint64_t next_id;
	struct session *session;
	struct sign_key *key;
	uint8_t nonce[16];
	uint8_t bytes[EVENTS][PLAY_EVENT_MAX];
	ProtobufCBinaryData events[EVENTS];
	uint8_t signature[SIGNATURE_BYTES], fingerprint[SIGNATURE_FINGERPRINT];
	Ttg__Publish publish;
	Ttg__Frame *answer;
};

static struct rules_agency *prison(const struct bed *bed)
{
	return &bed->config.rules->agencies[PLAY_PRISON];
}

static void know_key(struct bed *bed, const struct sign_key *key)
{
	struct rules_agency *agency = prison(bed);
	struct rules_signing_key *it = calloc(1, sizeof(*it));

	assert_non_null(it);
	strcpy(it->label, "first");
	sign_key_raw(key, it->public);
	assert_true(signature_fingerprint(it->public, it->fingerprint));
	it->from_ns = INT64_MIN;
	it->to_ns = RULES_FOREVER;
	free(agency->signing_keys);
	agency->signing_keys = it;
	agency->n_signing_keys = 1;
	assert_true(rules_finish(bed->config.rules));
}

static void start(struct bed *bed)
{
	struct net *net = &bed->net;
	const struct journal_options journal = { .directory = "/j", .key = { 0x42 },
						 .cipher = JOURNAL_AES_256_GCM,
						 .segment_bytes = 64u * 1024u,
						 .buffer_bytes = (size_t)bed->config.buffer_bytes };
	struct message message = { "" };

	net->world = memory_world_table(bed->memory);
	net->config = &bed->config;
	net->limiter = limiter_new();
	assert_int_equal(net_make_core(net, (const uint8_t[32]){ 7 }), TTG_OK);
	assert_int_equal(journal_open(&net->journal, &journal, net->world, &message), TTG_OK);
	assert_int_equal(net_recover(net, NULL), TTG_OK);
	const struct core_now now = net_now(net);
	assert_int_equal(core_set_rules(net->core, &now, bed->config.rules), TTG_OK);
}

static int set_up(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	assert_non_null(bed);
	bed->memory = memory_world_new(11);
	memory_world_advance(bed->memory, PLAY_NOW - PLAY_SECOND);
	bed->config = (struct config){
		.agency = "broker",
		.max_frame_bytes = 64u << 10,
		.max_event_bytes = 16384,
		.max_events_per_publish = 1000,
		.publish_window = 64,
		.max_skew_s = 300,
		.dedupe_hours = 1,
		.dedupe_max = 100000,
		.mailbox_window = 64,
		.mailbox_max_held = 32,
		.buffer_bytes = 256u << 10,
		.snapshot_events = 1000000,
		.rules = play_rules(true),
	};
	bed->key = receipts_key('p');
	memset(bed->nonce, 0x4e, sizeof(bed->nonce));
	know_key(bed, bed->key);
	start(bed);
	bed->session = session_add(&bed->net.sessions, (const uint8_t *)"s", 1, "prison", "key",
				   bed->net.world->mono_ns(bed->net.world->self));
	assert_non_null(bed->session);
	*state = bed;
	return 0;
}

static int tear_down(void **state)
{
	struct bed *bed = *state;
	struct net *net = &bed->net;

	if (bed->answer)
		ttg__frame__free_unpacked(bed->answer, NULL);
	net_drop_sessions(net);
	core_free(&net->core);
	records_close(&net->records);
	limiter_free(&net->limiter);
	journal_close(&net->journal);
	rules_free(&bed->config.rules);
	memory_world_free(&bed->memory);
	sign_key_free(&bed->key);
	free(bed);
	return 0;
}

/* EVENTS new releases in the Publish to come, not signed. */
static void make(struct bed *bed)
{
	const struct core_now now = { PLAY_NOW, 0 };
	uint8_t plain[PLAY_EVENT_MAX];

	for (size_t i = 0; i < EVENTS; i++) {
		const size_t len = play_pack(&now, &bed->next_id, TYPE_RELEASED, 1 + (unsigned)i, plain);
		Ttg__Event *event = ttg__event__unpack(NULL, len, plain);

		assert_non_null(event);
		event->nonce = (ProtobufCBinaryData){ sizeof(bed->nonce), bed->nonce };
		bed->events[i] = (ProtobufCBinaryData){ ttg__event__pack(event, bed->bytes[i]),
							bed->bytes[i] };
		event->nonce = (ProtobufCBinaryData){ 0, NULL };
		ttg__event__free_unpacked(event, NULL);
	}
	ttg__publish__init(&bed->publish);
	bed->publish.frame = bed->session->next_frame;
	bed->publish.n_events = EVENTS;
	bed->publish.events = bed->events;
}

static void sign(struct bed *bed, struct sign_key *key)
{
	struct hasher *hasher = hasher_new();
	struct tree *tree = tree_new();
	uint8_t digests[EVENTS * HASH_BYTES], public[SIGNATURE_PUBLIC];
	char text[CLAIM_TEXT_MAX];
	struct claim claim;

	assert_true(hasher && tree);
	for (size_t i = 0; i < EVENTS; i++)
		assert_true(hasher_sum(hasher, bed->events[i].data, bed->events[i].len,
				       digests + i * HASH_BYTES));
	assert_true(claim_grow(tree, hasher, digests, EVENTS) && claim_make(tree, "prison", &claim));
	assert_true(sign_key_sign(key, text, claim_write(&claim, text), bed->signature));
	sign_key_raw(key, public);
	assert_true(signature_fingerprint(public, bed->fingerprint));
	bed->publish.signature = (ProtobufCBinaryData){ SIGNATURE_BYTES, bed->signature };
	bed->publish.signed_by = (ProtobufCBinaryData){ SIGNATURE_FINGERPRINT, bed->fingerprint };
	hasher_free(&hasher);
	tree_free(&tree);
}

/* Hands it to the broker; its answer. */
static const Ttg__Published *hand_over(struct bed *bed)
{
	const struct session_reply *reply;

	on_publish(&bed->net, bed->session, &bed->publish);
	reply = bed->session->replies;
	assert_non_null(reply);
	if (bed->answer)
		ttg__frame__free_unpacked(bed->answer, NULL);
	bed->answer = ttg__frame__unpack(NULL, reply->len, reply->frame);
	session_drop_reply(bed->session);
	assert_non_null(bed->answer);
	assert_int_equal(bed->answer->published->frame, bed->publish.frame);
	return bed->answer->published;
}

static void must_refuse_all(struct bed *bed, enum ttg_error code, const char *text)
{
	const uint64_t refused = bed->net.counters.refused_by_code[code];
	const Ttg__Published *published = hand_over(bed);

	assert_int_equal(published->n_others, EVENTS);
	for (size_t i = 0; i < EVENTS; i++) {
		assert_int_equal(published->others[i]->code, code);
		if (!strstr(published->others[i]->text, text))
			fail_msg("%s", published->others[i]->text);
	}
	assert_int_equal(bed->net.counters.refused_by_code[code], refused + EVENTS);
}

static void must_accept_all(struct bed *bed)
{
	const Ttg__Published *published = hand_over(bed);

	assert_int_equal(published->n_others, 0);
	for (size_t i = 0; i < EVENTS; i++)
		assert_true(published->sequences[i] > 0);
}

static void a_signed_frame_is_accepted_behind_its_record(void **state)
{
	struct bed *bed = *state;
	struct journal_record record;
	struct signed_frame frame;

	make(bed);
	sign(bed, bed->key);
	must_accept_all(bed);
	const uint64_t first = bed->answer->published->sequences[0];
	assert_int_equal(journal_peek(bed->net.journal, first - 1, &record), TTG_OK);
	assert_int_equal(record.kind, RECORD_SIGNED);
	assert_true(record_get_signed(record.data, record.len, &frame));
	assert_int_equal(frame.n, EVENTS);
	assert_memory_equal(frame.signature, bed->signature, SIGNATURE_BYTES);
	assert_memory_equal(frame.key, bed->fingerprint, SIGNATURE_FINGERPRINT);
	assert_int_equal(bed->answer->published->sequences[EVENTS - 1], first + EVENTS - 1);
}

static void an_agency_that_need_not_sign_may_leave_it(void **state)
{
	struct bed *bed = *state;

	make(bed);
	must_accept_all(bed);
}

static void one_that_must_is_refused_without_and_the_session_goes_on(void **state)
{
	struct bed *bed = *state;

	prison(bed)->must_sign = true;
	make(bed);
	must_refuse_all(bed, TTG_REFUSED_SIGNATURE, "must sign");
	make(bed);
	sign(bed, bed->key);
	must_accept_all(bed);
}

static void a_signature_that_nobody_can_look_at_is_refused(void **state)
{
	struct bed *bed = *state;

	prison(bed)->n_signing_keys = 0;
	make(bed);
	sign(bed, bed->key);
	must_refuse_all(bed, TTG_REFUSED_SIGNATURE, "no signing key of this agency");
}

static void another_key_is_refused(void **state)
{
	struct bed *bed = *state;
	struct sign_key *other = receipts_key('o');

	make(bed);
	sign(bed, other);
	must_refuse_all(bed, TTG_REFUSED_SIGNATURE, "is no signing key");
	/* And one that says to be the known one. */
	make(bed);
	sign(bed, other);
	memcpy(bed->fingerprint, prison(bed)->signing_keys[0].fingerprint, SIGNATURE_FINGERPRINT);
	must_refuse_all(bed, TTG_REFUSED_SIGNATURE, "not this key's");
	sign_key_free(&other);
}

static void a_key_is_good_for_its_days_only(void **state)
{
	struct bed *bed = *state;
	struct rules_signing_key *key = prison(bed)->signing_keys;

	make(bed);
	sign(bed, bed->key);
	key->revoked = true;
	must_refuse_all(bed, TTG_REFUSED_SIGNATURE, "revoked, or not valid now");
	key->revoked = false;
	key->to_ns = PLAY_NOW - 10 * PLAY_SECOND;
	bed->publish.frame++;
	must_refuse_all(bed, TTG_REFUSED_SIGNATURE, "revoked, or not valid now");
	key->to_ns = RULES_FOREVER;
	bed->publish.frame++;
	must_accept_all(bed);
}

static void every_bit_counts(void **state)
{
	struct bed *bed = *state;

	make(bed);
	sign(bed, bed->key);
	for (size_t i = 0; i < SIGNATURE_BYTES; i += 7) {
		bed->signature[i] ^= 1;
		must_refuse_all(bed, TTG_REFUSED_SIGNATURE, "not this key's");
		bed->signature[i] ^= 1;
		bed->publish.frame++;
	}
	/* A byte of one event is one of all. */
	bed->bytes[1][bed->events[1].len - 1] ^= 1;
	must_refuse_all(bed, TTG_REFUSED_SIGNATURE, "not this key's");
	bed->bytes[1][bed->events[1].len - 1] ^= 1;
	bed->publish.frame++;
	/* And so is their order. */
	const ProtobufCBinaryData first = bed->events[0];
	bed->events[0] = bed->events[1];
	bed->events[1] = first;
	must_refuse_all(bed, TTG_REFUSED_SIGNATURE, "not this key's");
}

static void lengths_are_exact(void **state)
{
	struct bed *bed = *state;

	make(bed);
	sign(bed, bed->key);
	bed->publish.signature.len--;
	must_refuse_all(bed, TTG_REFUSED_SIGNATURE, "64 bytes");
	bed->publish.signature.len++;
	bed->publish.signed_by.len = 0;
	bed->publish.frame++;
	must_refuse_all(bed, TTG_REFUSED_SIGNATURE, "64 bytes");
	sign(bed, bed->key);
	bed->publish.signature.len = 0;
	bed->publish.frame++;
	must_refuse_all(bed, TTG_REFUSED_SIGNATURE, "64 bytes");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_signed_frame_is_accepted_behind_its_record),
		TEST(an_agency_that_need_not_sign_may_leave_it),
		TEST(one_that_must_is_refused_without_and_the_session_goes_on),
		TEST(a_signature_that_nobody_can_look_at_is_refused),
		TEST(another_key_is_refused),
		TEST(a_key_is_good_for_its_days_only),
		TEST(every_bit_counts),
		TEST(lengths_are_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
