/*
 * Retention as the daemon does it, time passing by hand: the loop's upkeep over a journal in a memory
 * world and the real core. Releases go to the One Service, which collects here, and to the police,
 * who may be away.
 */
#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include "core/pace.h"
#include "core/rules_past.h"
#include "net/archiver.h"
#include "net/net.h"
#include "support/core_play.h"
#include "support/memory_world.h"

#define SEGMENT   (64u * 1024u)
#define PER_BATCH 10
#define HOUR      (3600 * PLAY_SECOND)
#define DAY       (24 * HOUR)
#define LOOKS_MAX 10000

struct bed {
	struct memory_world *memory;
	struct config config;
	struct net net;
	uint64_t delivered[3]; /* newest position, by consumer */
	uint64_t seen[3];      /* deliveries, by consumer */
	uint64_t next_id;
	bool late; /* no snapshot while the journal is opened */
	bool archived;
};

enum { SERVICE = 1, POLICE = 2 };

static bool take_delivery(void *self, uint64_t consumer, const struct core_delivery *delivery)
{
	struct bed *bed = (struct bed *)((char *)self - offsetof(struct bed, net));

	bed->delivered[consumer] = delivery->position;
	bed->seen[consumer]++;
	return true;
}

static void end_row(void *self, uint64_t consumer)
{
	(void)self;
	(void)consumer;
}

static void be_attached(void *self, uint64_t consumer, bool active, uint64_t acknowledged)
{
	(void)self;
	(void)consumer;
	(void)active;
	(void)acknowledged;
}

static const struct core_sink *make_sink(struct bed *bed, struct core_sink *sink)
{
	net_sink_init(&bed->net, sink);
	sink->deliver = take_delivery;
	sink->flush = end_row;
	sink->attached = be_attached;
	return sink;
}

/* The loop's turn, without sockets. */
static void turn(struct bed *bed)
{
	for (int i = 0; i < 20; i++) {
		bed->net.flush_now = true;
		const struct core_now now = net_step(&bed->net, false);
		net_upkeep(&bed->net, &now);
	}
	assert_int_equal(bed->net.failure, TTG_OK);
}

static void pass(struct bed *bed, int64_t ns)
{
	memory_world_advance(bed->memory, ns);
	turn(bed);
}

static void start_and(struct bed *bed, enum ttg_error result, struct message *told)
{
	struct net *net = &bed->net;
	const struct journal_options journal = {
		.directory = "/j",
		.key = { 0x42 },
		.cipher = JOURNAL_AES_256_GCM,
		.segment_bytes = SEGMENT,
		.buffer_bytes = (size_t)bed->config.buffer_bytes,
		.early = bed->late ? NULL : net_take_early,
		.early_arg = net,
	};
	const struct core_options options = {
		.broker = bed->config.agency,
		.person_secret = { 7 },
		.max_event_bytes = bed->config.max_event_bytes,
		.max_skew_s = bed->config.max_skew_s,
		.dedupe_window_ns = UINT64_C(3600000000000),
		.dedupe_max = 100000,
		.window = 64,
		.max_held = 32,
	};
	struct message message = { "" };
	struct core_sink sink;
	const bool threaded = net->threaded && bed->archived;

	memset(net, 0, sizeof(*net));
	net->threaded = threaded;
	net->world = memory_world_table(bed->memory);
	net->config = &bed->config;
	net->core = core_new(&options, make_sink(bed, &sink));
	assert_non_null(net->core);
	assert_int_equal(journal_open(&net->journal, &journal, net->world, &message), TTG_OK);
	assert_int_equal(net_recover(net, told), result);
	if (result)
		return;
	struct journal_options archive = journal;
	archive.directory = "/a";
	archive.threaded = threaded;
	if (bed->archived)
		assert_int_equal(archiver_new(&net->archiver, net, &archive), TTG_OK);
	const struct core_now now = net_now(net);
	assert_int_equal(core_set_rules(net->core, &now, bed->config.rules), TTG_OK);
	turn(bed);
}

static void start(struct bed *bed)
{
	start_and(bed, TTG_OK, NULL);
}

static void stop(struct bed *bed)
{
	struct net *net = &bed->net;

	net_drop_snapshot(net);
	archiver_free(&net->archiver);
	core_free(&net->core);
	records_close(&net->records);
	journal_close(&net->journal);
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
		.buffer_bytes = 128u << 10,
		.snapshot_events = 1000000,
		.retain_every_s = 60,
		.rules = play_rules(true),
	};
	bed->config.rules->agreements[AGREED_LIMITED].to_ns = RULES_FOREVER; /* the police's */
	assert_true(rules_finish(bed->config.rules));
	start(bed);
	return bed;
}

static void bed_free(struct bed **bed)
{
	stop(*bed);
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
		if (i % PER_BATCH == PER_BATCH - 1)
			turn(bed);
	}
	turn(bed);
}

/* A consumer that takes and acknowledges everything there is, and leaves: how much it got. */
static uint64_t collect(struct bed *bed, uint64_t consumer)
{
	struct core *core = bed->net.core;
	struct core_now now = net_now(&bed->net);
	const int box = consumer == SERVICE ? BOX_ONESERVICE : BOX_POLICE;
	uint64_t before = bed->seen[consumer], last = 0;

	assert_int_equal(core_attach(core, &now, consumer, play_agencies[play_owners[box]],
				     play_mailboxes[box], 65536),
			 TTG_OK);
	for (turn(bed); bed->delivered[consumer] != last; turn(bed)) {
		last = bed->delivered[consumer];
		now = net_now(&bed->net);
		assert_int_equal(core_ack(core, &now, consumer, last, NULL, 0), TTG_OK);
		memory_world_advance(bed->memory, PACE_MOST * PACE_INTERVAL_NS);
	}
	now = net_now(&bed->net);
	core_detach(core, &now, consumer);
	turn(bed);
	return bed->seen[consumer] - before;
}

static struct journal_stats stats_of(const struct bed *bed)
{
	struct journal_stats stats;

	journal_get_stats(bed->net.journal, &stats);
	return stats;
}

static void must_verify(const struct bed *bed)
{
	struct journal_verify_result result;

	assert_int_equal(journal_verify("/j", (const uint8_t[JOURNAL_KEY_BYTES]){ 0x42 },
					bed->net.world, 1, NULL, NULL, &result, NULL),
			 TTG_OK);
}

static void what_is_acknowledged_goes_by_size_at_the_next_look_and_not_before(void **state)
{
	struct bed *bed = bed_new();

	(void)state;
	bed->config.retain_bytes = 3 * SEGMENT;
	publish(bed, 1000);
	assert_int_equal(collect(bed, SERVICE), 1000);
	assert_int_equal(collect(bed, POLICE), 1000);
	const uint64_t segments = stats_of(bed).segments;
	assert_true(segments > 5);
	pass(bed, 58 * PLAY_SECOND);
	assert_int_equal(stats_of(bed).first_sequence, 1);
	pass(bed, 2 * PLAY_SECOND); /* no snapshot stands for them yet: one is taken for it */
	assert_int_equal(bed->net.counters.snapshots, 1);
	assert_true(stats_of(bed).segments <= 4); /* one more for the rules, which are said again */
	assert_true(stats_of(bed).first_sequence > 500);
	pass(bed, 60 * PLAY_SECOND);
	assert_true(stats_of(bed).segments <= 3);
	must_verify(bed);
	stop(bed);
	start(bed);
	assert_int_equal(collect(bed, SERVICE), 0);
	bed_free(&bed);
}

static void nothing_goes_that_a_mailbox_has_not_acknowledged(void **state)
{
	struct bed *bed = bed_new();

	(void)state;
	bed->config.retain_bytes = 2 * SEGMENT;
	bed->config.retain_s = 1;
	publish(bed, 700);
	assert_int_equal(collect(bed, SERVICE), 700);
	pass(bed, 90 * DAY);
	pass(bed, 90 * DAY);
	assert_int_equal(stats_of(bed).first_sequence, 1);
	stop(bed);
	start(bed);
	assert_int_equal(collect(bed, POLICE), 700);
	pass(bed, HOUR);
	assert_int_equal(stats_of(bed).segments, 1);
	publish(bed, 5);
	stop(bed);
	start(bed);
	assert_int_equal(collect(bed, SERVICE), 5);
	assert_int_equal(collect(bed, POLICE), 5);
	must_verify(bed);
	bed_free(&bed);
}

static void age_lets_go_of_a_segment_when_its_newest_event_is_too_old(void **state)
{
	struct bed *bed = bed_new();

	(void)state;
	bed->config.retain_days = 2;
	publish(bed, 500);
	collect(bed, SERVICE);
	collect(bed, POLICE);
	const uint64_t first_day = stats_of(bed).next_sequence;
	pass(bed, DAY);
	publish(bed, 500);
	collect(bed, SERVICE);
	collect(bed, POLICE);
	const uint64_t second_day = stats_of(bed).next_sequence;
	pass(bed, DAY - HOUR);
	assert_int_equal(stats_of(bed).first_sequence, 1);
	pass(bed, 2 * HOUR);
	assert_true(stats_of(bed).first_sequence > 1);
	assert_true(stats_of(bed).first_sequence <= first_day);
	const uint64_t kept = stats_of(bed).segments;
	bed->config.retain_s = 3600 * 30; /* in place of the days */
	pass(bed, 60 * PLAY_SECOND);
	assert_int_equal(stats_of(bed).segments, kept);
	pass(bed, 6 * HOUR);
	assert_int_equal(stats_of(bed).segments, 1);
	assert_true(stats_of(bed).first_sequence > first_day);
	assert_true(stats_of(bed).first_sequence < second_day);
	must_verify(bed);
	bed_free(&bed);
}

static void nothing_goes_when_neither_age_nor_size_is_set(void **state)
{
	struct bed *bed = bed_new();

	(void)state;
	publish(bed, 500);
	collect(bed, SERVICE);
	collect(bed, POLICE);
	pass(bed, 4000 * DAY);
	assert_int_equal(stats_of(bed).first_sequence, 1);
	bed_free(&bed);
}

static void what_the_operator_gives_up_goes_and_the_rest_is_still_delivered(void **state)
{
	struct bed *bed = bed_new();
	uint64_t given_up = 0;

	(void)state;
	bed->config.retain_bytes = 2 * SEGMENT;
	publish(bed, 700);
	const uint64_t below = stats_of(bed).next_sequence;
	publish(bed, 20);
	assert_int_equal(collect(bed, SERVICE), 720);
	pass(bed, HOUR);
	assert_int_equal(stats_of(bed).first_sequence, 1);
	const struct core_now now = net_now(&bed->net);
	assert_int_equal(core_give_up(bed->net.core, &now, below, &given_up), TTG_OK);
	assert_int_equal(given_up, 700);
	pass(bed, HOUR);
	assert_true(stats_of(bed).segments <= 3);
	stop(bed);
	start(bed);
	assert_int_equal(collect(bed, POLICE), 20);
	must_verify(bed);
	bed_free(&bed);
}

static void change_rules(struct bed *bed, uint32_t max_attempts)
{
	const struct core_now now = net_now(&bed->net);
	struct rules *rules = play_rules(true);

	rules->agreements[AGREED_LIMITED].to_ns = RULES_FOREVER;
	rules->mailboxes[BOX_DESK].max_attempts = max_attempts;
	assert_true(rules_finish(rules));
	assert_int_equal(core_set_rules(bed->net.core, &now, rules), TTG_OK);
	rules_free(&bed->config.rules);
	bed->config.rules = rules;
	turn(bed);
}

/* The text of the rules in force at every record held is held. */
static void must_know_rules(const struct bed *bed)
{
	const uint64_t first = stats_of(bed).first_sequence;

	assert_true(first > 1);
	assert_true(core_rules_of(bed->net.core, first)->text >= first);
}

static void the_rules_of_what_is_kept_stay_however_often_the_journal_is_cut(void **state)
{
	struct bed *bed = bed_new();

	(void)state;
	bed->config.retain_bytes = 3 * SEGMENT;
	for (unsigned round = 0; round < 4; round++) {
		publish(bed, 300);
		if (round % 2 == 0)
			change_rules(bed, 5 + round);
		publish(bed, 300);
		collect(bed, SERVICE);
		collect(bed, POLICE);
		pass(bed, 61 * PLAY_SECOND);
		assert_true(stats_of(bed).segments <= 4);
		must_know_rules(bed);
		stop(bed);
		start(bed);
		must_know_rules(bed);
	}
	assert_int_equal(core_rules_count(bed->net.core), 3);
	must_verify(bed);
	bed_free(&bed);
}

/* The thread is done with it; bounded by what a test may take. */
static void wait_for_snapshot(struct bed *bed)
{
	for (int i = 0; bed->net.snapshot && i < LOOKS_MAX; i++) {
		turn(bed);
		(void)poll(NULL, 0, 1);
	}
	assert_null(bed->net.snapshot);
}

static void a_thread_writes_snapshots_while_events_come_in(void **state)
{
	struct bed *bed = bed_new();

	(void)state;
	bed->net.threaded = true;
	publish(bed, 300);
	for (unsigned i = 1; i <= 4; i++) {
		const uint64_t sequence = core_sequence(bed->net.core);

		assert_true(net_take_snapshot(&bed->net, 1));
		publish(bed, 300);
		wait_for_snapshot(bed);
		assert_int_equal(bed->net.counters.snapshots, i);
		assert_int_equal(bed->net.snapshot_saved, sequence);
	}
	stop(bed);
	start(bed);
	assert_true(bed->net.snapshot_saved > 1000);
	assert_int_equal(collect(bed, SERVICE), 1500);
	assert_int_equal(collect(bed, POLICE), 1500);
	must_verify(bed);
	bed_free(&bed);
}

static void the_last_snapshot_waits_for_the_one_being_written(void **state)
{
	struct bed *bed = bed_new();

	(void)state;
	bed->net.threaded = true;
	publish(bed, 400);
	assert_true(net_take_snapshot(&bed->net, 1));
	net_save_snapshot(&bed->net);
	assert_non_null(bed->net.snapshot);
	publish(bed, 50);
	net_save_last_snapshot(&bed->net);
	assert_null(bed->net.snapshot);
	assert_int_equal(bed->net.snapshot_saved, core_sequence(bed->net.core));
	stop(bed);
	start(bed);
	assert_int_equal(collect(bed, SERVICE), 450);
	bed_free(&bed);
}

static void a_snapshot_that_cannot_be_written_stops_nothing(void **state)
{
	struct bed *bed = bed_new();

	(void)state;
	bed->net.threaded = true;
	publish(bed, 100);
	const uint64_t sequence = core_sequence(bed->net.core);
	memory_world_fail(bed->memory, MEMORY_RENAME, 0, ENOSPC, false);
	assert_true(net_take_snapshot(&bed->net, 1));
	wait_for_snapshot(bed);
	assert_int_equal(bed->net.counters.snapshots, 0);
	assert_int_equal(bed->net.snapshot_tried, sequence);
	publish(bed, 100);
	assert_true(net_take_snapshot(&bed->net, 1));
	stop(bed); /* in the middle of it, or before */
	start(bed);
	assert_int_equal(collect(bed, SERVICE), 200);
	bed_free(&bed);
}

/* A snapshot that is whole for the journal and means nothing to the core. */
static void a_snapshot_of_nothing_is_refused_early_as_late(void **state)
{
	struct bed *bed = bed_new();
	struct message late = { "" }, early = { "" };
	const char text[] = "this is not a state of the core";

	(void)state;
	publish(bed, 400);
	assert_int_equal(journal_snapshot_save(bed->net.journal, core_sequence(bed->net.core), text,
					       sizeof(text), NULL),
			 TTG_OK);
	stop(bed);
	bed->late = true;
	start_and(bed, TTG_ECORRUPT, &late);
	assert_false(bed->net.early.taken);
	stop(bed);
	bed->late = false;
	start_and(bed, TTG_ECORRUPT, &early);
	assert_true(bed->net.early.taken);
	assert_string_equal(early.text, late.text);
	assert_true(strlen(early.text) > 0);
	bed_free(&bed);
}

static void a_start_comes_to_the_same_early_and_late(void **state)
{
	struct bed *bed = bed_new();
	uint64_t sequence;

	(void)state;
	publish(bed, 400);
	assert_true(net_take_snapshot(&bed->net, 1));
	wait_for_snapshot(bed);
	publish(bed, 50);
	sequence = core_sequence(bed->net.core);
	for (unsigned i = 0; i < 4; i++) {
		stop(bed);
		bed->late = i % 2 == 0;
		start(bed);
		assert_int_equal(bed->net.early.taken, !bed->late);
		assert_true(bed->net.snapshot_saved > 0);
		assert_int_equal(core_sequence(bed->net.core), sequence);
	}
	assert_int_equal(collect(bed, SERVICE), 450);
	bed_free(&bed);
}

/* Restarted with an archive. */
static struct bed *archived_bed(bool threaded)
{
	struct bed *bed = bed_new();

	stop(bed);
	bed->archived = true;
	bed->net.threaded = threaded;
	bed->config.retain_bytes = 2 * SEGMENT;
	start(bed);
	return bed;
}

/* Events that are collected, and time for retention to look twice. */
static void live(struct bed *bed, unsigned n)
{
	publish(bed, n);
	collect(bed, SERVICE);
	collect(bed, POLICE);
	pass(bed, 60 * PLAY_SECOND);
	pass(bed, 60 * PLAY_SECOND);
	pass(bed, PLAY_SECOND);
}

/* How many of the journal's records are in the archive, without a gap, from the first. */
static uint64_t archived(const struct bed *bed)
{
	struct archive_reader *reader = NULL;
	struct journal_record record;
	uint64_t sequence = 0, n = 0;
	const char *why;
	bool soon;
	const struct archive *archive = archiver_archive(bed->net.archiver, &why, &soon);

	assert_int_equal(archive_reader_open(&reader, archive), TTG_OK);
	for (; archive_reader_next(reader, &sequence, &record) == TTG_OK; n++)
		assert_int_equal(sequence, n + 1);
	archive_reader_close(&reader);
	return n;
}

static struct archiver_view archiver_of(const struct bed *bed)
{
	struct archiver_view view;

	archiver_get_view(bed->net.archiver, &view);
	return view;
}

static void what_retention_lets_go_is_in_the_archive_before(void **state)
{
	struct bed *bed = archived_bed(false);

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		live(bed, 300);
		assert_true(archived(bed) + 1 >= stats_of(bed).first_sequence);
		stop(bed);
		start(bed);
	}
	assert_true(stats_of(bed).first_sequence > 1000);
	assert_true(archiver_of(bed).ready);
	assert_int_equal(archiver_of(bed).archived_sequence, archived(bed));
	assert_int_equal(archiver_of(bed).missing, 0);
	bed_free(&bed);
}

static uint8_t *archive_byte(const struct bed *bed, uint64_t offset)
{
	uint64_t size = 0;
	uint8_t *file = memory_world_file(bed->memory, "/a/seg-0000000000000001.ttj", &size);

	assert_non_null(file);
	assert_true(offset < size);
	return file + offset;
}

static void nothing_goes_while_the_archive_cannot_be_opened_and_the_rest_goes_on(void **state)
{
	struct bed *bed = archived_bed(false);

	(void)state;
	live(bed, 600);
	const uint64_t first = stats_of(bed).first_sequence;
	assert_true(first > 1);
	stop(bed);
	*archive_byte(bed, 6000) ^= 1;
	start(bed);
	live(bed, 600);
	assert_int_equal(stats_of(bed).first_sequence, first);
	assert_false(archiver_of(bed).ready);
	assert_non_null(strstr(archiver_of(bed).why, "seg-0000000000000001.ttj: offset 4096"));
	stop(bed);
	*archive_byte(bed, 6000) ^= 1;
	start(bed);
	live(bed, 5);
	assert_true(stats_of(bed).first_sequence > first);
	assert_true(archived(bed) + 1 >= stats_of(bed).first_sequence);
	bed_free(&bed);
}

/* Calls that fail until the next start, of journal or archive: the one of them that they meet ends. */
static void an_archive_whose_write_failed_keeps_the_journal_whole_until_the_next_start(void **state)
{
	unsigned archives = 0;

	(void)state;
	for (uint64_t after = 0; after < 60; after += 3) {
		struct bed *bed = archived_bed(false);

		publish(bed, 600);
		collect(bed, SERVICE);
		collect(bed, POLICE);
		memory_world_fail(bed->memory, MEMORY_SYNC, after, EIO, false);
		for (int i = 0; i < 4 && !bed->net.failure; i++) {
			memory_world_advance(bed->memory, 60 * PLAY_SECOND);
			const struct core_now now = net_step(&bed->net, false);

			if (!bed->net.failure)
				net_upkeep(&bed->net, &now);
		}
		if (!bed->net.failure && !archiver_of(bed).ready) {
			archives++;
			assert_true(stats_of(bed).first_sequence <= archiver_of(bed).archived_sequence + 1);
		}
		stop(bed);
		memory_world_fail(bed->memory, MEMORY_SYNC, UINT64_MAX, EIO, false);
		start(bed);
		live(bed, 10);
		assert_true(stats_of(bed).first_sequence > 1);
		assert_true(archived(bed) + 1 >= stats_of(bed).first_sequence);
		bed_free(&bed);
	}
	assert_true(archives > 0);
}

static void an_archive_of_another_past_is_left_alone(void **state)
{
	struct bed *bed = archived_bed(false);
	struct memory_world *old;

	(void)state;
	stop(bed);
	old = memory_world_clone(bed->memory); /* the journal before anything was archived */
	start(bed);
	live(bed, 700);
	const uint64_t n = archived(bed);
	assert_true(n > 100);
	stop(bed);
	for (size_t i = 0; memory_world_name(bed->memory, i);)
		if (strncmp(memory_world_name(bed->memory, i), "/j/", 3) == 0)
			memory_world_put(bed->memory, memory_world_name(bed->memory, i), NULL, 0);
		else
			i++;
	for (size_t i = 0; memory_world_name(old, i); i++) {
		const char *name = memory_world_name(old, i);
		uint64_t size = 0;
		uint8_t *bytes = memory_world_file(old, name, &size);

		if (strncmp(name, "/j/", 3) == 0)
			memory_world_put(bed->memory, name, bytes, size);
	}
	memory_world_free(&old);
	start(bed);
	live(bed, 700);
	assert_int_equal(stats_of(bed).first_sequence, 1);
	assert_non_null(strstr(archiver_of(bed).why, "an older copy of the journal"));
	bed_free(&bed);
}

static void what_went_while_no_archive_was_kept_is_told(void **state)
{
	struct bed *bed = archived_bed(false);

	(void)state;
	live(bed, 400);
	const uint64_t n = archived(bed);
	assert_true(n > 0);
	stop(bed);
	bed->archived = false;
	start(bed);
	live(bed, 800);
	const uint64_t first = stats_of(bed).first_sequence;
	assert_true(first > n + 1);
	stop(bed);
	bed->archived = true;
	start(bed);
	assert_int_equal(archiver_of(bed).missing, first - n - 1);
	live(bed, 400);
	assert_true(stats_of(bed).first_sequence > first);
	assert_true(archiver_of(bed).archived_sequence + 1 >= stats_of(bed).first_sequence);
	bed_free(&bed);
}

/* Its threads are not the loop's: some time has to pass. */
static void a_thread_opens_the_archive_and_another_writes_it(void **state)
{
	struct bed *bed = archived_bed(true);

	(void)state;
	live(bed, 600);
	for (int i = 0; stats_of(bed).first_sequence < 200 && i < LOOKS_MAX; i++) {
		pass(bed, PLAY_SECOND);
		(void)poll(NULL, 0, 1);
	}
	assert_true(stats_of(bed).first_sequence >= 200);
	assert_true(archived(bed) + 1 >= stats_of(bed).first_sequence);
	stop(bed);
	start(bed);
	stop(bed); /* while it may still be opened */
	start(bed);
	bed_free(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_acknowledged_goes_by_size_at_the_next_look_and_not_before),
		cmocka_unit_test(nothing_goes_that_a_mailbox_has_not_acknowledged),
		cmocka_unit_test(age_lets_go_of_a_segment_when_its_newest_event_is_too_old),
		cmocka_unit_test(nothing_goes_when_neither_age_nor_size_is_set),
		cmocka_unit_test(the_rules_of_what_is_kept_stay_however_often_the_journal_is_cut),
		cmocka_unit_test(a_thread_writes_snapshots_while_events_come_in),
		cmocka_unit_test(the_last_snapshot_waits_for_the_one_being_written),
		cmocka_unit_test(a_snapshot_that_cannot_be_written_stops_nothing),
		cmocka_unit_test(a_snapshot_of_nothing_is_refused_early_as_late),
		cmocka_unit_test(a_start_comes_to_the_same_early_and_late),
		cmocka_unit_test(what_retention_lets_go_is_in_the_archive_before),
		cmocka_unit_test(nothing_goes_while_the_archive_cannot_be_opened_and_the_rest_goes_on),
		cmocka_unit_test(an_archive_whose_write_failed_keeps_the_journal_whole_until_the_next_start),
		cmocka_unit_test(an_archive_of_another_past_is_left_alone),
		cmocka_unit_test(what_went_while_no_archive_was_kept_is_told),
		cmocka_unit_test(a_thread_opens_the_archive_and_another_writes_it),
		cmocka_unit_test(what_the_operator_gives_up_goes_and_the_rest_is_still_delivered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
