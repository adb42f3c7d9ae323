/*
 * Lives that end badly. The disk keeps any subset of the sectors that were not synced; what was
 * durable before must be there afterwards, and nothing may follow a record that is not.
 */
#include "journal_unit.h"

#include <errno.h>

#define SALT 99
#define MAX  700

/* A life: fills, flushes now and then, and dies at a random write or sync. Returns what was durable
   when it died. */
static uint64_t live_and_die(struct memory_world *memory, uint64_t *seed, enum memory_crash how)
{
	struct journal_options options = bed_options();
	struct journal *journal = bed_open(memory, &options);
	enum memory_call call = (enum memory_call)(unit_random(seed) % MEMORY_CALLS);
	uint64_t sequence = 0;
	uint64_t durable;

	memory_world_fail(memory, call, unit_random(seed) % 40, EIO, true);
	for (unsigned i = 0; i < 400; i++) {
		enum ttg_error err = bed_append(journal, SALT, MAX, &sequence);

		if (err == TTG_EIO ||
		    (unit_random(seed) % 5 == 0 && journal_flush(journal) != TTG_OK))
			break;
		if (err == TTG_EAGAIN)
			(void)journal_flush(journal);
	}
	durable = journal_durable(journal);
	bed_die(memory, &journal, how);
	return durable;
}

static void many_lives(uint64_t seed, enum memory_crash how, unsigned lives)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(seed);
	uint64_t durable = 0;

	for (unsigned life = 0; life < lives; life++) {
		uint64_t now = live_and_die(memory, &seed, how);
		struct journal *journal;

		assert_true(now >= durable);
		journal = bed_open(memory, &options);
		assert_true(journal_durable(journal) >= now);
		durable = bed_check(journal, 1, SALT, MAX);
		assert_int_equal(durable, journal_durable(journal));
		if (unit_random(&seed) % 3 == 0)
			bed_die(memory, &journal, how);
		else
			journal_close(&journal);
	}
	memory_world_free(&memory);
}

/* Opens, lets old records go, and dies; then an open that fails half-way must change nothing. */
static unsigned fail_while_opening(struct memory_world *memory, uint64_t *seed)
{
	struct journal_options options = bed_options();
	enum memory_call call = (enum memory_call)(unit_random(seed) % MEMORY_CALLS);
	struct journal *journal = bed_open(memory, &options);
	uint64_t durable = journal_durable(journal);
	unsigned failures = 0;

	assert_int_equal(journal_retain(journal, durable / 2, NULL), TTG_OK);
	bed_die(memory, &journal, MEMORY_CRASH_RANDOM);
	memory_world_fail(memory, call, unit_random(seed) % 4, EIO, true);
	if (journal_open(&journal, &options, memory_world_table(memory), NULL) != TTG_OK) {
		failures++;
		memory_world_kill(memory);
		memory_world_crash(memory, MEMORY_CRASH_RANDOM);
	} else {
		bed_die(memory, &journal, MEMORY_CRASH_RANDOM);
	}
	journal = bed_open(memory, &options);
	assert_int_equal(journal_durable(journal), durable);
	journal_close(&journal);
	return failures;
}

static void a_crash_while_opening_changes_nothing(void **state)
{
	uint64_t seed = unit_seed("a_crash_while_opening_changes_nothing");
	unsigned failures = 0;

	(void)state;
	for (unsigned run = 0; run < 25; run++) {
		struct memory_world *memory = memory_world_new(unit_random(&seed));

		for (unsigned life = 0; life < 8; life++) {
			(void)live_and_die(memory, &seed, MEMORY_CRASH_RANDOM);
			failures += fail_while_opening(memory, &seed);
		}
		memory_world_free(&memory);
	}
	assert_true(failures > 0);
}

static void nothing_durable_is_lost_whatever_sectors_the_disk_kept(void **state)
{
	uint64_t seed = unit_seed("nothing_durable_is_lost_whatever_sectors_the_disk_kept");

	(void)state;
	for (unsigned run = 0; run < 20; run++)
		many_lives(unit_random(&seed), MEMORY_CRASH_RANDOM, 20);
}

static void nothing_durable_is_lost_when_all_unsynced_is_lost(void **state)
{
	uint64_t seed = unit_seed("nothing_durable_is_lost_when_all_unsynced_is_lost");

	(void)state;
	for (unsigned run = 0; run < 5; run++)
		many_lives(unit_random(&seed), MEMORY_CRASH_LOSE, 20);
}

static void nothing_durable_is_lost_when_the_process_is_killed(void **state)
{
	uint64_t seed = unit_seed("nothing_durable_is_lost_when_the_process_is_killed");

	(void)state;
	for (unsigned run = 0; run < 5; run++)
		many_lives(unit_random(&seed), MEMORY_CRASH_PROCESS, 20);
}

static void what_recovery_calls_durable_survives_the_next_power_failure(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(1);
	struct journal *journal = bed_open(memory, &options);
	uint64_t sequence;
	uint64_t found;

	(void)state;
	bed_fill(journal, 20, 5, SALT, MAX);
	assert_int_equal(bed_append(journal, SALT, MAX, &sequence), TTG_OK);
	memory_world_fail(memory, MEMORY_SYNC, 0, EIO, true); /* written, and never synced */
	assert_int_equal(journal_flush(journal), TTG_EIO);
	memory_world_kill(memory);
	journal_close(&journal);
	memory_world_fail(memory, MEMORY_SYNC, 0, 0, false);
	memory_world_crash(memory, MEMORY_CRASH_PROCESS);
	journal = bed_open(memory, &options);
	found = journal_durable(journal);
	assert_int_equal(found, 21);
	bed_die(memory, &journal, MEMORY_CRASH_LOSE);
	journal = bed_open(memory, &options);
	assert_int_equal(bed_check(journal, 1, SALT, MAX), found);
	journal_close(&journal);
	memory_world_free(&memory);
}

/* The slot of HEAD that is left then knows of no segment at all. */
static void a_damaged_slot_of_head_lets_no_segment_go(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(5);
	struct journal *journal = bed_open(memory, &options);
	uint64_t sequence, size = 0;
	uint64_t last = 0;
	uint8_t *head;

	(void)state;
	/* The first segment fills up, and the second is named but not yet in HEAD. */
	for (;;) {
		struct journal_stats stats;

		assert_int_equal(bed_append(journal, SALT, 300, &sequence), TTG_OK);
		journal_get_stats(journal, &stats);
		if (stats.durable_sequence > 0)
			memory_world_fail(memory, MEMORY_SYNC_DIR, 0, EIO, true);
		if (journal_flush(journal) != TTG_OK)
			break;
		last = journal_durable(journal);
	}
	assert_true(last > 0);
	memory_world_kill(memory);
	journal_close(&journal);
	memory_world_crash(memory, MEMORY_CRASH_PROCESS);
	head = memory_world_file(memory, BED_DIRECTORY "/HEAD", &size);
	assert_non_null(head);
	head[size / 2 + 20] ^= 1; /* the newer slot */
	for (int i = 0; i < 3; i++) {
		journal = bed_open(memory, &options);
		assert_int_equal(bed_check(journal, 1, SALT, 300), last);
		bed_die(memory, &journal, MEMORY_CRASH_PROCESS);
	}
	memory_world_free(&memory);
}

/* HEAD was written and not synced when the process ended: files may go only when it lasts. */
static void what_retention_left_goes_only_after_head_is_synced(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct journal_options options = bed_options();
		struct memory_world *memory = memory_world_new(seed);
		struct journal *journal = bed_open(memory, &options);
		uint64_t first;

		bed_fill(journal, 60, 1, SALT, 300);
		bed_die(memory, &journal, MEMORY_CRASH_PROCESS);
		journal = bed_open(memory, &options);
		memory_world_fail(memory, MEMORY_SYNC, 0, EIO, true);
		assert_int_equal(journal_retain(journal, 40, NULL), TTG_EIO);
		memory_world_kill(memory);
		journal_close(&journal);
		memory_world_crash(memory, MEMORY_CRASH_PROCESS);
		journal = bed_open(memory, &options);
		bed_die(memory, &journal, MEMORY_CRASH_RANDOM);
		journal = bed_open(memory, &options);
		struct journal_stats stats;
		journal_get_stats(journal, &stats);
		first = stats.first_sequence;
		assert_true(first <= 40);
		assert_int_equal(bed_check(journal, first, SALT, 300), 60);
		journal_close(&journal);
		memory_world_free(&memory);
	}
}

static void a_closed_journal_with_leftovers_stays_closed(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(6);
	struct journal *journal = bed_open(memory, &options);
	uint8_t *bytes, *kept;
	uint64_t size = 0;

	(void)state;
	bed_fill(journal, 40, 1, SALT, 300);
	journal_close(&journal);
	journal = bed_open(memory, &options);
	bytes = memory_world_file(memory, BED_DIRECTORY "/seg-0000000000000001.ttj", &size);
	assert_non_null(bytes);
	kept = malloc(size);
	assert_non_null(kept);
	memcpy(kept, bytes, size);
	assert_int_equal(journal_retain(journal, 30, NULL), TTG_OK);
	journal_close(&journal);
	memory_world_put(memory, BED_DIRECTORY "/seg-0000000000000001.ttj", kept, size);
	free(kept);
	for (int i = 0; i < 3; i++) {
		journal = bed_open(memory, &options);
		assert_int_equal(journal_durable(journal), 40);
		bed_die(memory, &journal, MEMORY_CRASH_PROCESS);
	}
	memory_world_free(&memory);
}

static struct {
	const struct world *below;
	uint64_t written_to;   /* end of the furthest write at a batch's place */
	uint64_t synced_behind; /* what that was at the last sync */
} noted;

static ssize_t noting_write(void *self, int file, const void *data, size_t len, uint64_t offset)
{
	if (offset + len > noted.written_to)
		noted.written_to = offset + len;
	return noted.below->write_at(self, file, data, len, offset);
}

static int noting_sync(void *self, int file)
{
	noted.synced_behind = noted.written_to;
	return noted.below->sync(self, file);
}

/* After a failed sync a kernel may show bytes that are not on the disk, and not write them again. */
static void what_recovery_finds_at_the_end_is_written_again_before_it_counts(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(4);
	struct journal *journal = bed_open(memory, &options);
	struct message message = { "" };
	struct world world;
	uint64_t sequence;

	(void)state;
	bed_fill(journal, 3, 1, SALT, 300); /* a block each, behind the header's */
	assert_int_equal(bed_append(journal, SALT, 300, &sequence), TTG_OK);
	memory_world_fail(memory, MEMORY_SYNC, 0, EIO, true);
	assert_int_equal(journal_flush(journal), TTG_EIO);
	memory_world_kill(memory);
	journal_close(&journal);
	memory_world_crash(memory, MEMORY_CRASH_PROCESS);
	noted.below = memory_world_table(memory);
	noted.written_to = noted.synced_behind = 0;
	world = *noted.below;
	world.write_at = noting_write;
	world.sync = noting_sync;
	assert_int_equal(journal_open(&journal, &options, &world, &message), TTG_OK);
	assert_int_equal(journal_durable(journal), 4);
	assert_true(noted.synced_behind >= 5 * 4096);
	assert_int_equal(bed_check(journal, 1, SALT, 300), 4);
	journal_close(&journal);
	memory_world_free(&memory);
}

static void a_failed_sync_stops_the_journal_for_good(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(2);
	struct journal *journal = bed_open(memory, &options);
	struct message message = { "" };
	uint64_t sequence;
	uint64_t syncs;

	(void)state;
	bed_fill(journal, 10, 5, SALT, MAX);
	assert_int_equal(journal_failure(journal, &message), TTG_OK);
	assert_int_equal(bed_append(journal, SALT, MAX, &sequence), TTG_OK);
	memory_world_fail(memory, MEMORY_SYNC, 0, EIO,
	                  false); /* only once: later ones would work */
	assert_int_equal(journal_flush(journal), TTG_EIO);
	assert_int_equal(journal_failure(journal, &message), TTG_EIO);
	assert_non_null(strstr(message.text, "sync"));
	assert_int_equal(journal_durable(journal), 10);
	syncs = memory_world_calls(memory, MEMORY_SYNC);
	assert_int_equal(bed_append(journal, SALT, MAX, &sequence), TTG_EIO);
	assert_int_equal(journal_flush(journal), TTG_EIO);
	assert_int_equal(journal_retain(journal, 5, NULL), TTG_EIO);
	assert_int_equal(journal_durable(journal), 10);
	journal_close(&journal);
	assert_int_equal(memory_world_calls(memory, MEMORY_SYNC), syncs);
	memory_world_free(&memory);
}

static void a_failed_write_stops_the_journal_for_good(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(3);
	struct journal *journal = bed_open(memory, &options);
	uint64_t sequence;

	(void)state;
	bed_fill(journal, 10, 5, SALT, MAX);
	assert_int_equal(bed_append(journal, SALT, MAX, &sequence), TTG_OK);
	memory_world_fail(memory, MEMORY_WRITE, 0, ENOSPC, false);
	assert_int_equal(journal_flush(journal), TTG_EIO);
	assert_int_equal(journal_failure(journal, NULL), TTG_EIO);
	assert_int_equal(bed_append(journal, SALT, MAX, &sequence), TTG_EIO);
	journal_close(&journal);
	journal = bed_open(memory, &options);
	assert_int_equal(bed_check(journal, 1, SALT, MAX), 10);
	journal_close(&journal);
	memory_world_free(&memory);
}

/* Appends until refused; what was staged then becomes durable all the same. */
static enum ttg_error append_until_refused(struct journal *journal, uint64_t *last)
{
	uint64_t sequence;
	enum ttg_error err;

	while ((err = bed_append(journal, SALT, MAX, &sequence)) == TTG_OK) {
		*last = sequence;
		if (sequence % 7 == 0)
			assert_int_equal(journal_flush(journal), TTG_OK);
		assert_true(sequence < 100000);
	}
	assert_int_equal(journal_flush(journal), TTG_OK);
	assert_int_equal(journal_durable(journal), *last);
	return err;
}

static void the_size_limit_refuses_appends_and_retention_makes_room(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(4);
	struct journal_stats stats;
	struct journal *journal;
	uint64_t removed;
	uint64_t last = 0;

	(void)state;
	options.max_bytes = 5 * BED_SEGMENT;
	journal = bed_open(memory, &options);
	assert_int_equal(append_until_refused(journal, &last), TTG_ENOSPC);
	journal_get_stats(journal, &stats);
	assert_true(stats.disk_bytes <= options.max_bytes);
	assert_true(stats.disk_bytes + BED_SEGMENT > options.max_bytes);
	assert_true(journal_room(journal) < BED_SEGMENT);
	assert_int_equal(journal_retain(journal, last / 2, &removed), TTG_OK);
	assert_true(removed > 0);
	assert_true(journal_room(journal) >= BED_SEGMENT);
	memory_world_advance(memory, 1000000000);
	uint64_t more = last;
	assert_int_equal(append_until_refused(journal, &more), TTG_ENOSPC);
	assert_true(more > last);
	journal_get_stats(journal, &stats);
	assert_int_equal(bed_check(journal, stats.first_sequence, SALT, MAX), more);
	journal_close(&journal);
	journal = bed_open(memory, &options);
	assert_int_equal(bed_check(journal, stats.first_sequence, SALT, MAX), more);
	journal_close(&journal);
	memory_world_free(&memory);
}

static void a_full_disk_refuses_appends_and_loses_nothing(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(5);
	struct journal *journal = bed_open(memory, &options);
	uint64_t last = 0;

	(void)state;
	bed_fill(journal, 20, 5, SALT, MAX);
	memory_world_set_free(memory, 1000);
	assert_int_equal(append_until_refused(journal, &last), TTG_ENOSPC);
	assert_int_equal(journal_failure(journal, NULL), TTG_OK);
	memory_world_set_free(memory, INT64_MAX);
	memory_world_advance(memory, 1000000000);
	bed_fill(journal, 200, 5, SALT, MAX);
	assert_int_equal(bed_check(journal, 1, SALT, MAX), last + 200);
	journal_close(&journal);
	memory_world_free(&memory);
}

static void an_allocation_that_finds_no_room_is_no_failure(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(6);
	struct journal *journal = bed_open(memory, &options);
	uint64_t last = 0;

	(void)state;
	memory_world_fail(memory, MEMORY_ALLOCATE, 0, ENOSPC, true);
	assert_int_equal(append_until_refused(journal, &last), TTG_ENOSPC);
	assert_int_equal(journal_failure(journal, NULL), TTG_OK);
	assert_int_equal(bed_check(journal, 1, SALT, MAX), last);
	journal_close(&journal);
	memory_world_free(&memory);
}

static void the_reserve_is_kept_free(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(7);
	struct journal *journal;
	uint64_t sequence;

	(void)state;
	options.reserve_bytes = 1000000;
	memory_world_set_free(memory, 999999);
	journal = bed_open(memory, &options);
	assert_int_equal(bed_append(journal, SALT, MAX, &sequence), TTG_ENOSPC);
	assert_int_equal(journal_room(journal), 0);
	memory_world_set_free(memory, 2000000);
	memory_world_advance(memory, 1000000000);
	assert_int_equal(bed_append(journal, SALT, MAX, &sequence), TTG_OK);
	journal_close(&journal);
	memory_world_free(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_durable_is_lost_whatever_sectors_the_disk_kept),
		cmocka_unit_test(a_crash_while_opening_changes_nothing),
		cmocka_unit_test(nothing_durable_is_lost_when_all_unsynced_is_lost),
		cmocka_unit_test(nothing_durable_is_lost_when_the_process_is_killed),
		cmocka_unit_test(what_recovery_calls_durable_survives_the_next_power_failure),
		cmocka_unit_test(a_damaged_slot_of_head_lets_no_segment_go),
		cmocka_unit_test(what_retention_left_goes_only_after_head_is_synced),
		cmocka_unit_test(a_closed_journal_with_leftovers_stays_closed),
		cmocka_unit_test(what_recovery_finds_at_the_end_is_written_again_before_it_counts),
		cmocka_unit_test(a_failed_sync_stops_the_journal_for_good),
		cmocka_unit_test(a_failed_write_stops_the_journal_for_good),
		cmocka_unit_test(the_size_limit_refuses_appends_and_retention_makes_room),
		cmocka_unit_test(a_full_disk_refuses_appends_and_loses_nothing),
		cmocka_unit_test(an_allocation_that_finds_no_room_is_no_failure),
		cmocka_unit_test(the_reserve_is_kept_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
