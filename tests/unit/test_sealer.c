/*
 * Seals as the daemon makes them: the loop's step over a journal in a memory world, and a signer in
 * the same process that can be away, slow, forgetful, or somebody else's.
 */
#include "unit.h"

#include <string.h>
#include "core/record.h"
#include "core/sealed.h"
#include "evidence/check.h"
#include "evidence/hand_over.h"
#include "evidence/stretch.h"
#include "net/net.h"
#include "net/sealer.h"
#include "support/core_play.h"
#include "support/memory_world.h"
#include "support/receipts.h"

#define SEGMENT (64u * 1024u)

struct bed {
	struct memory_world *memory;
	struct config config;
	struct net net;
	uint64_t next_id;
	/* The signer, and what is on the way from it. */
	struct signer *signer;
	char packet[SIGNER_PACKET_MAX];
	size_t packet_len;
	bool away, silent; /* silent: it takes packets and acts, and its answer is lost */
	unsigned signed_seals;
	bool has_key; /* the broker knows the signer's public key */
	char also;    /* and this one */
};

static bool link_open(void *self)
{
	struct bed *bed = self;

	bed->packet_len = 0;
	return !bed->away;
}

static bool link_send(void *self, const char *packet, size_t len)
{
	struct bed *bed = self;

	if (bed->away)
		return false;
	bed->packet_len = signer_answer(bed->signer, packet, len, bed->packet);
	bed->signed_seals += strncmp(bed->packet, "signed\n", 7) == 0;
	if (bed->silent)
		bed->packet_len = 0;
	return true;
}

static int link_receive(void *self, char packet[SIGNER_PACKET_MAX], size_t *len)
{
	struct bed *bed = self;

	if (bed->away)
		return -1;
	if (bed->packet_len == 0)
		return 0;
	memcpy(packet, bed->packet, bed->packet_len);
	*len = bed->packet_len;
	bed->packet_len = 0;
	return 1;
}

static void link_end(void *self)
{
	((struct bed *)self)->packet_len = 0;
}

static int link_fd(void *self)
{
	(void)self;
	return -1;
}

/* The loop's turn, without sockets. */
static void turn(struct bed *bed)
{
	for (int i = 0; i < 20 && !bed->net.failure; i++) {
		bed->net.flush_now = true;
		const struct core_now now = net_step(&bed->net, false);
		net_upkeep(&bed->net, &now);
	}
}

static void pass(struct bed *bed, int64_t seconds)
{
	for (int64_t i = 0; i < seconds; i++) {
		memory_world_advance(bed->memory, PLAY_SECOND);
		turn(bed);
	}
}

static void key_bytes(char letter, uint8_t out[EVIDENCE_KEY])
{
	struct sign_key *key = receipts_key(letter);

	sign_key_raw(key, out);
	sign_key_free(&key);
}

static void start(struct bed *bed)
{
	struct net *net = &bed->net;
	const struct signer_link link = { bed,	    link_open, link_send, link_receive,
					  link_end, link_fd,   link_end };
	const struct journal_options journal = {
		.directory = "/j",
		.key = { 0x42 },
		.cipher = JOURNAL_AES_256_GCM,
		.segment_bytes = SEGMENT,
		.buffer_bytes = (size_t)bed->config.buffer_bytes,
	};
	struct sign_key *key = receipts_key('a');
	struct message message = { "" };

	memset(net, 0, sizeof(*net));
	net->world = memory_world_table(bed->memory);
	net->config = &bed->config;
	assert_int_equal(net_make_core(net, (const uint8_t[32]){ 7 }), TTG_OK);
	assert_int_equal(journal_open(&net->journal, &journal, net->world, &message), TTG_OK);
	assert_int_equal(net_recover(net, NULL), TTG_OK);
	struct verify_key *known = bed->has_key ? verify_key_of(key) : NULL;
	sign_key_free(&key);
	if (bed->also) {
		uint8_t bytes[EVIDENCE_KEY];

		key_bytes(bed->also, bytes);
		assert_true(verify_key_add(known, bytes));
	}
	assert_int_equal(sealer_new(&net->sealer, net, &link, known), TTG_OK);
	sealer_step(net->sealer, net);
	const struct core_now now = net_now(net);
	if (!net->failure)
		assert_int_equal(core_set_rules(net->core, &now, bed->config.rules), TTG_OK);
	turn(bed);
}

static void stop(struct bed *bed)
{
	struct net *net = &bed->net;

	net_drop_snapshot(net);
	sealer_free(&net->sealer);
	core_free(&net->core);
	records_close(&net->records);
	journal_close(&net->journal);
}

static void new_signer(struct bed *bed, char key)
{
	signer_free(&bed->signer);
	bed->signer = signer_new(receipts_key(key));
	assert_non_null(bed->signer);
}

static struct bed *bed_new(void)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	assert_non_null(bed);
	bed->memory = memory_world_new(11);
	memory_world_advance(bed->memory, PLAY_NOW - PLAY_SECOND);
	bed->config = (struct config){
		.agency = "broker",
		.max_event_bytes = 16384,
		.max_skew_s = 300,
		.dedupe_hours = 1,
		.dedupe_max = 100000,
		.mailbox_window = 64,
		.mailbox_max_held = 32,
		.buffer_bytes = 128u << 10,
		.snapshot_events = 1000000,
		.retain_every_s = 60,
		.rules = play_rules(true),
	};
	bed->has_key = true;
	new_signer(bed, 'a');
	start(bed);
	return bed;
}

static void bed_free(struct bed **bed)
{
	stop(*bed);
	signer_free(&(*bed)->signer);
	rules_free(&(*bed)->config.rules);
	memory_world_free(&(*bed)->memory);
	free(*bed);
	*bed = NULL;
}

static void publish(struct bed *bed, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const struct core_now now = net_now(&bed->net);
		struct core_outcome outcome;
		uint8_t bytes[PLAY_EVENT_MAX];
		const size_t len =
			play_pack(&now, &bed->next_id, TYPE_RELEASED, 1 + i % 7, bytes);

		core_publish(bed->net.core, &now, "prison", bytes, len, &outcome);
		assert_int_equal(outcome.kind, CORE_ACCEPTED);
	}
	turn(bed);
}

static const struct sealed *last_of(const struct bed *bed)
{
	return core_last_seal(bed->net.core);
}

static struct sealer_view view_of(const struct bed *bed)
{
	struct sealer_view view;

	sealer_get_view(bed->net.sealer, &view);
	return view;
}

/*
 * Reads the whole journal: every seal in it follows the one before, is signed, and says of the records
 * it covers what they are. How many events lie behind the last.
 */
static unsigned must_hold_together(const struct bed *bed)
{
	struct journal_reader *reader = NULL, *behind = NULL;
	struct journal_record record, old;
	struct sign_key *secret = receipts_key('a');
	struct verify_key *key = verify_key_of(secret);
	struct hasher *hasher = hasher_new();
	struct stretch *stretch;
	struct seal before = { 0 }, seal, ours;
	uint8_t hash[EVIDENCE_HASH] = { 0 }, chain[EVIDENCE_HASH] = { 0 }, id[EVIDENCE_ID];
	uint64_t sequence = 0, at = 0, batch_last = 0;
	struct sealed it;
	const char *why = NULL;

	journal_get_id(bed->net.journal, id);
	stretch = stretch_new(id);
	assert_int_equal(journal_reader_open(&reader, bed->net.journal), TTG_OK);
	assert_int_equal(journal_reader_open(&behind, bed->net.journal), TTG_OK);
	stretch_begin(stretch, 1);
	while (journal_reader_next(reader, &sequence, &record) == TTG_OK) {
		if (record.kind != RECORD_SEAL)
			continue;
		assert_true(record_get_seal(record.data, record.len, &it));
		assert_true(seal_read(it.text, it.len, &seal));
		assert_true(verify_key_accepts(key, it.text, it.len, it.signature));
		assert_true(seal_follows(before.number ? &before : NULL, hash, &seal, &why));
		while (stretch_next(stretch) <= seal.last) {
			assert_int_equal(journal_reader_next(behind, &at, &old), TTG_OK);
			assert_int_equal(stretch_take(stretch, at, old.kind, old.data, old.len), TTG_OK);
			journal_reader_batch(behind, &batch_last, chain);
		}
		assert_int_equal(batch_last, seal.last);
		assert_memory_equal(chain, seal.chain, sizeof(chain));
		assert_true(stretch_describe(stretch, &ours));
		assert_memory_equal(ours.root, seal.root, sizeof(ours.root));
		assert_int_equal(ours.events, seal.events);
		assert_true(hasher_sum(hasher, it.text, it.len, hash));
		before = seal;
		stretch_begin(stretch, seal.last + 1);
	}
	while (journal_reader_next(behind, &at, &old) == TTG_OK)
		assert_int_equal(stretch_take(stretch, at, old.kind, old.data, old.len), TTG_OK);
	const unsigned left = (unsigned)stretch_events(stretch);
	assert_int_equal(before.number, last_of(bed)->number);
	stretch_free(&stretch);
	journal_reader_close(&reader);
	journal_reader_close(&behind);
	hasher_free(&hasher);
	verify_key_free(&key);
	sign_key_free(&secret);
	return left;
}

static void every_event_is_sealed_soon(void **state)
{
	struct bed *bed = bed_new();

	(void)state;
	for (unsigned i = 0; i < 30; i++)
		publish(bed, 1 + i % 5);
	assert_int_equal(must_hold_together(bed), 0);
	assert_in_range(last_of(bed)->number, 10, 31);
	assert_int_equal(view_of(bed).seals, last_of(bed)->number);
	assert_true(view_of(bed).ready);
	bed_free(&bed);
}

/* Each seal is a record too: were that sealed, there would be no end of it. */
static void where_nothing_happens_nothing_is_sealed(void **state)
{
	struct bed *bed = bed_new();
	uint64_t number;

	(void)state;
	publish(bed, 3);
	pass(bed, 200); /* what was delivered and changed is sealed after a quiet minute */
	number = last_of(bed)->number;
	pass(bed, 1000);
	assert_int_equal(last_of(bed)->number, number);
	bed_free(&bed);
}

static void records_without_an_event_are_sealed_after_a_quiet_minute(void **state)
{
	struct bed *bed = bed_new(); /* mailboxes and rules were recorded */

	(void)state;
	pass(bed, 50);
	assert_int_equal(last_of(bed)->number, 0);
	pass(bed, 20);
	assert_int_equal(last_of(bed)->number, 1);
	assert_int_equal(must_hold_together(bed), 0);
	bed_free(&bed);
}

static void a_signer_that_is_away_holds_nothing_up_and_catches_up(void **state)
{
	struct bed *bed = bed_new();

	(void)state;
	publish(bed, 10);
	bed->away = true;
	for (unsigned i = 0; i < 100; i++)
		publish(bed, 100);
	assert_false(view_of(bed).ready);
	assert_true(must_hold_together(bed) >= 9990);
	bed->away = false;
	pass(bed, 3);
	assert_true(view_of(bed).ready);
	assert_int_equal(must_hold_together(bed), 0);
	bed_free(&bed);
}

static void an_answer_that_was_lost_is_taken_up_again(void **state)
{
	struct bed *bed = bed_new();

	(void)state;
	publish(bed, 10);
	bed->silent = true;
	publish(bed, 10); /* signed, and nobody heard */
	const unsigned signed_seals = bed->signed_seals;
	pass(bed, 15);
	bed->silent = false;
	pass(bed, 15);
	publish(bed, 10);
	assert_int_equal(must_hold_together(bed), 0);
	assert_true(last_of(bed)->number > signed_seals);
	bed_free(&bed);
}

static void a_seal_whose_record_was_lost_is_recorded_after_the_restart(void **state)
{
	(void)state;
	for (unsigned n = 1; n < 4; n++) {
		struct bed *bed = bed_new();

		publish(bed, 10);
		bed->silent = true;
		publish(bed, n); /* the signer has sealed these */
		stop(bed);
		bed->silent = false;
		start(bed);
		turn(bed);
		assert_int_equal(bed->net.failure, TTG_OK);
		publish(bed, 5);
		assert_int_equal(must_hold_together(bed), 0);
		bed_free(&bed);
	}
}

static void a_signer_that_forgot_is_told_its_own_seal(void **state)
{
	struct bed *bed = bed_new();

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		publish(bed, 10);
	const uint64_t number = last_of(bed)->number;
	stop(bed);
	new_signer(bed, 'a');
	start(bed);
	publish(bed, 10);
	assert_int_equal(bed->net.failure, TTG_OK);
	assert_int_equal(must_hold_together(bed), 0);
	assert_true(last_of(bed)->number > number);
	bed_free(&bed);
}

static void a_signer_with_another_key_is_not_taken(void **state)
{
	struct bed *bed = bed_new();

	(void)state;
	publish(bed, 10);
	const uint64_t number = last_of(bed)->number;
	stop(bed);
	new_signer(bed, 'b');
	start(bed);
	publish(bed, 10);
	pass(bed, 15);
	assert_int_equal(bed->net.failure, TTG_OK);
	assert_int_equal(last_of(bed)->number, number);
	assert_false(view_of(bed).ready);
	assert_int_equal(must_hold_together(bed), 10);
	bed_free(&bed);
}

/* Nothing is in the journal yet that would show it: the configured key does. */
static void a_strange_signer_seals_nothing_from_the_first_on(void **state)
{
	struct bed *bed = bed_new();

	(void)state;
	stop(bed);
	new_signer(bed, 'b');
	start(bed);
	publish(bed, 10);
	assert_int_equal(last_of(bed)->number, 0);
	assert_non_null(strstr(view_of(bed).why, "key"));
	bed_free(&bed);
}

static void an_older_copy_of_the_journal_does_not_start(void **state)
{
	struct bed *bed = bed_new();
	struct memory_world *copy;

	(void)state;
	publish(bed, 10);
	stop(bed);
	copy = memory_world_clone(bed->memory);
	start(bed);
	for (unsigned i = 0; i < 3; i++)
		publish(bed, 10);
	stop(bed);
	memory_world_free(&bed->memory);
	bed->memory = copy;
	start(bed);
	assert_int_equal(bed->net.failure, TTG_ECORRUPT);
	assert_non_null(strstr(view_of(bed).why, "older copy"));
	bed_free(&bed);
}

/* The copy went on by itself, without the signer, and is as long: but it is another journal. */
static void a_journal_that_went_another_way_does_not_start(void **state)
{
	struct bed *bed = bed_new();
	struct memory_world *copy;

	(void)state;
	publish(bed, 10);
	stop(bed);
	copy = memory_world_clone(bed->memory);
	bed->silent = true;
	start(bed);
	bed->silent = false;
	pass(bed, 15);
	bed->silent = true;
	publish(bed, 10); /* the signer is one seal ahead */
	stop(bed);
	memory_world_free(&bed->memory);
	bed->memory = copy;
	bed->away = true;
	start(bed);
	publish(bed, 20);
	bed->away = bed->silent = false;
	memory_world_advance(bed->memory, 2 * PLAY_SECOND);
	turn(bed);
	assert_int_equal(bed->net.failure, TTG_ECORRUPT);
	assert_non_null(strstr(view_of(bed).why, "other records"));
	bed_free(&bed);
}

static void retention_waits_for_the_signer(void **state)
{
	struct bed *bed = bed_new();
	struct journal_stats stats;

	(void)state;
	bed->away = true;
	publish(bed, 10);
	const struct core_now now = net_now(&bed->net);
	for (unsigned i = 0; i < 12; i++)
		publish(bed, 100);
	uint64_t given_up = 0;
	assert_int_equal(core_give_up(bed->net.core, &now, core_sequence(bed->net.core), &given_up),
			 TTG_OK);
	bed->config.retain_bytes = SEGMENT;
	pass(bed, 125);
	journal_get_stats(bed->net.journal, &stats);
	assert_int_equal(stats.first_sequence, 1);
	bed->away = false;
	pass(bed, 125);
	journal_get_stats(bed->net.journal, &stats);
	assert_true(stats.first_sequence > 100);
	assert_true(last_of(bed)->last > stats.first_sequence);
	bed_free(&bed);
}

static void retention_waits_for_the_record_of_the_seal(void **state)
{
	struct bed *bed = bed_new();
	unsigned waited = 0;

	(void)state;
	publish(bed, 10);
	for (unsigned i = 0; i < 40; i++) {
		const struct core_now now = net_now(&bed->net);
		uint64_t id = bed->next_id;
		uint8_t bytes[PLAY_EVENT_MAX];
		struct core_outcome outcome;
		const uint64_t number = last_of(bed)->number;

		core_publish(bed->net.core, &now, "prison", bytes,
			     play_pack(&now, &id, TYPE_RELEASED, 1, bytes), &outcome);
		assert_int_equal(outcome.kind, CORE_ACCEPTED);
		bed->next_id = id;
		for (int k = 0; k < 20 && last_of(bed)->number == number; k++) {
			bed->net.flush_now = k == 0; /* the event; the seal's record only later */
			net_step(&bed->net, false);
		}
		assert_true(last_of(bed)->number > number);
		if (journal_durable(bed->net.journal) < core_sequence(bed->net.core)) {
			/* A crash now would lose it, and it has to be made of the same records again. */
			assert_int_equal(sealer_needs(bed->net.sealer, &bed->net), last_of(bed)->first);
			waited++;
		}
		turn(bed);
		assert_int_equal(sealer_needs(bed->net.sealer, &bed->net), last_of(bed)->last + 1);
	}
	assert_true(waited > 0);
	bed_free(&bed);
}

/* The signer was stopped, hands over, and comes back with the other key. */
static void change_key(struct bed *bed, char to)
{
	uint8_t bytes[EVIDENCE_KEY];

	key_bytes(to, bytes);
	const struct seal_signed before = *signer_last(bed->signer);
	assert_true(signer_hand_over(bed->signer, bytes, 5));
	const struct seal_signed last = *signer_last(bed->signer);
	new_signer(bed, to);
	assert_true(signer_resume(bed->signer, &last));
	assert_true(signer_resume_before(bed->signer, &before));
	assert_false(signer_resume_before(bed->signer, &last));
}

/* The whole journal against the one key, and those that come of it; so many seals and hand-overs. */
static uint64_t proven_by(const struct bed *bed, char letter)
{
	struct journal_reader *reader = NULL;
	struct sign_key *secret = receipts_key(letter);
	struct check *check = check_new(verify_key_of(secret));
	uint8_t id[EVIDENCE_ID], chain[EVIDENCE_HASH];
	uint64_t sequence = 0, batch_last = 0, links = 0;
	struct journal_record record;
	struct check_result result;
	bool fine = true;

	journal_get_id(bed->net.journal, id);
	check_begin(check, id);
	assert_int_equal(journal_reader_open(&reader, bed->net.journal), TTG_OK);
	while (fine && journal_reader_next(reader, &sequence, &record) == TTG_OK) {
		journal_reader_batch(reader, &batch_last, chain);
		links += record.kind == RECORD_SEAL || record.kind == RECORD_HAND_OVER;
		fine = check_record(check, sequence, record.kind, record.data, record.len) &&
		       (sequence < batch_last || check_batch_end(check, sequence, chain));
	}
	check_get_result(check, &result);
	if (fine)
		assert_int_equal(result.number, links);
	journal_reader_close(&reader);
	check_free(&check);
	sign_key_free(&secret);
	return fine ? links : 0;
}

static bool last_is_by(const struct bed *bed, char letter)
{
	struct sign_key *secret = receipts_key(letter);
	struct verify_key *key = verify_key_of(secret);
	const struct sealed *last = last_of(bed);
	const bool yes = verify_key_accepts(key, last->text, last->len, last->signature);

	verify_key_free(&key);
	sign_key_free(&secret);
	return yes;
}

static void the_signer_comes_back_with_another_key_and_the_line_goes_on(void **state)
{
	struct bed *bed = bed_new();

	(void)state;
	publish(bed, 10);
	bed->away = true;
	publish(bed, 10);
	const uint64_t number = last_of(bed)->number;
	change_key(bed, 'b');
	bed->away = false;
	pass(bed, 3);
	assert_true(view_of(bed).ready);
	assert_true(last_of(bed)->number >= number + 2);
	assert_true(last_is_by(bed, 'b'));
	assert_int_equal(proven_by(bed, 'a'), last_of(bed)->number);
	assert_int_equal(proven_by(bed, 'b'), 0);
	/* Who is started with the first key alone cannot know of it any more. */
	stop(bed);
	start(bed);
	publish(bed, 1);
	assert_false(view_of(bed).ready);
	assert_int_equal(bed->net.failure, TTG_OK);
	stop(bed);
	bed->also = 'b';
	start(bed);
	publish(bed, 1);
	assert_true(view_of(bed).ready);
	change_key(bed, 'c'); /* and once more, while it runs */
	bed->packet_len = 0;
	pass(bed, 15);
	stop(bed);
	start(bed);
	publish(bed, 10);
	assert_true(view_of(bed).ready);
	assert_true(last_is_by(bed, 'c'));
	assert_int_equal(proven_by(bed, 'a'), last_of(bed)->number);
	bed_free(&bed);
}

static void a_restart_between_hand_over_and_first_seal_changes_nothing(void **state)
{
	struct bed *bed = bed_new();

	(void)state;
	publish(bed, 10);
	const uint64_t number = last_of(bed)->number;
	bed->away = true;
	pass(bed, 2);
	change_key(bed, 'b');
	bed->away = false;
	pass(bed, 2);
	assert_int_equal(last_of(bed)->number, number + 1);
	assert_true(last_is_by(bed, 'a')); /* it is the old key's word */
	stop(bed);
	start(bed);
	publish(bed, 10);
	assert_true(last_is_by(bed, 'b'));
	assert_int_equal(proven_by(bed, 'a'), last_of(bed)->number);
	bed_free(&bed);
}

/* The signer sealed, its answer was lost, and then it was stopped and handed over: it is two ahead. */
static void a_seal_missed_before_the_hand_over_is_taken_first(void **state)
{
	struct bed *bed = bed_new();

	(void)state;
	publish(bed, 10);
	const uint64_t number = last_of(bed)->number;
	bed->silent = true;
	publish(bed, 10);
	assert_int_equal(last_of(bed)->number, number);
	bed->away = true;
	pass(bed, 15);
	change_key(bed, 'b');
	bed->away = bed->silent = false;
	pass(bed, 15);
	assert_int_equal(bed->net.failure, TTG_OK);
	publish(bed, 10);
	assert_true(last_of(bed)->number >= number + 3);
	assert_true(last_is_by(bed, 'b'));
	assert_int_equal(proven_by(bed, 'a'), last_of(bed)->number);
	bed_free(&bed);
}

/* The same, and the journal went another way meanwhile: that is noticed behind a hand-over as before it. */
static void another_history_is_noticed_behind_a_hand_over(void **state)
{
	struct bed *bed = bed_new();
	struct memory_world *copy;

	(void)state;
	publish(bed, 10);
	stop(bed);
	copy = memory_world_clone(bed->memory);
	start(bed);
	bed->silent = true;
	publish(bed, 10);
	stop(bed);
	memory_world_free(&bed->memory);
	bed->memory = copy;
	bed->away = true;
	change_key(bed, 'b');
	start(bed);
	publish(bed, 20); /* others than the signer sealed */
	bed->away = bed->silent = false;
	pass(bed, 3);
	assert_int_equal(bed->net.failure, TTG_ECORRUPT);
	bed_free(&bed);
}

/* The signer had lost its last seal with the power, and handed over before the broker gave it back. */
static void a_hand_over_that_is_not_behind_the_last_seal_is_not_taken(void **state)
{
	struct bed *bed = bed_new();

	(void)state;
	publish(bed, 10);
	const struct seal_signed older = *signer_last(bed->signer);
	publish(bed, 10);
	const uint64_t number = last_of(bed)->number;
	bed->away = true;
	pass(bed, 2);
	new_signer(bed, 'a');
	assert_true(signer_resume(bed->signer, &older));
	change_key(bed, 'b');
	bed->away = false;
	pass(bed, 15);
	assert_int_equal(bed->net.failure, TTG_OK);
	assert_false(view_of(bed).ready);
	assert_int_equal(last_of(bed)->number, number);
	/* What the manual says: the old key once more, from what the journal holds. */
	new_signer(bed, 'a');
	pass(bed, 15);
	assert_true(view_of(bed).ready);
	bed->away = true;
	pass(bed, 2);
	change_key(bed, 'b');
	bed->away = false;
	publish(bed, 10);
	pass(bed, 15);
	assert_true(last_is_by(bed, 'b'));
	assert_int_equal(proven_by(bed, 'a'), last_of(bed)->number);
	bed_free(&bed);
}

/* By a key that never sealed here: whether the broker knows the right one or none. */
static void a_forged_hand_over_is_not_taken(void **state)
{
	struct bed *bed = bed_new();
	struct hasher *hasher = hasher_new();
	struct sign_key *forger = receipts_key('c');
	struct seal_signed forged = { .len = 0 };
	struct seal it = { .hands_over = true, .sealed_ns = 5 };

	(void)state;
	publish(bed, 10);
	const struct sealed *last = last_of(bed);
	const uint64_t number = last->number;
	it.number = number + 1;
	it.first = it.last = last->last;
	journal_get_id(bed->net.journal, it.journal);
	assert_true(hasher_sum(hasher, last->text, last->len, it.before));
	key_bytes('c', it.from);
	key_bytes('b', it.to);
	forged.len = hand_over_write(&it, forged.text);
	assert_true(sign_key_sign(forger, forged.text, forged.len, forged.signature));
	for (int known = 1; known >= 0; known--) {
		stop(bed);
		bed->has_key = known;
		new_signer(bed, 'b');
		assert_true(signer_resume(bed->signer, &forged));
		start(bed);
		publish(bed, 10);
		assert_int_equal(bed->net.failure, TTG_OK);
		assert_false(view_of(bed).ready);
		assert_int_equal(last_of(bed)->number, number);
	}
	hasher_free(&hasher);
	sign_key_free(&forger);
	bed_free(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event_is_sealed_soon),
		cmocka_unit_test(where_nothing_happens_nothing_is_sealed),
		cmocka_unit_test(records_without_an_event_are_sealed_after_a_quiet_minute),
		cmocka_unit_test(a_signer_that_is_away_holds_nothing_up_and_catches_up),
		cmocka_unit_test(an_answer_that_was_lost_is_taken_up_again),
		cmocka_unit_test(a_seal_whose_record_was_lost_is_recorded_after_the_restart),
		cmocka_unit_test(a_signer_that_forgot_is_told_its_own_seal),
		cmocka_unit_test(a_signer_with_another_key_is_not_taken),
		cmocka_unit_test(a_strange_signer_seals_nothing_from_the_first_on),
		cmocka_unit_test(an_older_copy_of_the_journal_does_not_start),
		cmocka_unit_test(a_journal_that_went_another_way_does_not_start),
		cmocka_unit_test(retention_waits_for_the_signer),
		cmocka_unit_test(retention_waits_for_the_record_of_the_seal),
		cmocka_unit_test(the_signer_comes_back_with_another_key_and_the_line_goes_on),
		cmocka_unit_test(a_restart_between_hand_over_and_first_seal_changes_nothing),
		cmocka_unit_test(a_seal_missed_before_the_hand_over_is_taken_first),
		cmocka_unit_test(another_history_is_noticed_behind_a_hand_over),
		cmocka_unit_test(a_hand_over_that_is_not_behind_the_last_seal_is_not_taken),
		cmocka_unit_test(a_forged_hand_over_is_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
