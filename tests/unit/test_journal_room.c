/* Room: what crashes leave longer than it is, what a full journal still takes, and why there is none. */
#include "journal_unit.h"

#include <errno.h>

#define SALT 57
#define MAX  700
#define SEGMENTS_MAX 6
#define SIX_BLOCKS 66 /* records of a batch, nearly; a segment has room for 15 blocks */

/* Size of the i-th segment by name; 0: there are not so many. */
static uint64_t segment_size(struct memory_world *memory, size_t wanted, char path[128])
{
	size_t found = 0;

	for (size_t i = 0; memory_world_name(memory, i) != NULL; i++) {
		uint64_t size = 0;

		if (strstr(memory_world_name(memory, i), "/seg-") == NULL || found++ != wanted)
			continue;
		snprintf(path, 128, "%s", memory_world_name(memory, i));
		assert_non_null(memory_world_file(memory, path, &size));
		return size;
	}
	return 0;
}

/* Segments, and how many of them are as long as they were allocated. */
static size_t count_segments(struct memory_world *memory, size_t *full, uint64_t *bytes)
{
	char path[128];
	uint64_t size;
	size_t n = 0;

	*full = 0;
	*bytes = 0;
	for (; (size = segment_size(memory, n, path)) != 0; n++) {
		*full += size >= BED_SEGMENT;
		*bytes += size;
	}
	return n;
}

/* What a file system that never got to the cuts would show: every segment with its zeros behind. */
static void lengthen_all(struct memory_world *memory)
{
	static uint8_t bytes[BED_SEGMENT];
	char path[128];
	uint64_t size;

	for (size_t i = 0; (size = segment_size(memory, i, path)) != 0; i++) {
		assert_true(size <= sizeof(bytes));
		memset(bytes, 0, sizeof(bytes));
		memcpy(bytes, memory_world_file(memory, path, &size), size);
		memory_world_put(memory, path, bytes, sizeof(bytes));
	}
}

/* Appends and flushes one by one until it is refused; how many went in. */
static uint64_t fill_up(struct memory_world *memory, struct journal *journal)
{
	uint64_t n = 0, sequence;
	enum ttg_error err;

	memory_world_advance(memory, 1000000000);
	while ((err = bed_append(journal, SALT, MAX, &sequence)) == TTG_OK) {
		assert_int_equal(journal_flush(journal), TTG_OK);
		n++;
	}
	assert_int_equal(err, TTG_ENOSPC);
	return n;
}

static void the_cut_of_a_segment_survives_a_power_failure(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(1);
	struct journal *journal = bed_open(memory, &options);
	size_t full;
	uint64_t bytes;

	(void)state;
	bed_fill(journal, 1000, SIX_BLOCKS, SALT, MAX);
	bed_die(memory, &journal, MEMORY_CRASH_LOSE);
	assert_true(count_segments(memory, &full, &bytes) > 3);
	assert_int_equal(full, 1); /* the one that was being written */
	memory_world_free(&memory);
}

static void what_a_crash_left_at_full_size_is_cut_by_the_next_open_and_stays_cut(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(2);
	struct journal *journal = bed_open(memory, &options);
	struct journal_stats stats;
	uint64_t short_bytes, bytes;
	size_t n, full;

	(void)state;
	bed_fill(journal, 1000, SIX_BLOCKS, SALT, MAX);
	journal_close(&journal);
	n = count_segments(memory, &full, &short_bytes);
	assert_int_equal(full, 0);
	for (unsigned life = 0; life < 3; life++) {
		lengthen_all(memory);
		journal = bed_open(memory, &options);
		assert_int_equal(count_segments(memory, &full, &bytes), n);
		assert_int_equal(full, 0);
		assert_int_equal(bytes, short_bytes);
		journal_get_stats(journal, &stats);
		assert_int_equal(stats.disk_bytes, short_bytes + BED_SEGMENT); /* and the spare */
		assert_int_equal(bed_check(journal, 1, SALT, MAX), 1000);
		bed_die(memory, &journal, life == 0 ? MEMORY_CRASH_LOSE : MEMORY_CRASH_PROCESS);
		assert_int_equal(count_segments(memory, &full, &bytes), n);
		assert_int_equal(bytes, short_bytes);
	}
	journal = bed_open(memory, &options);
	bed_fill(journal, 100, 7, SALT, MAX);
	bed_die(memory, &journal, MEMORY_CRASH_LOSE);
	journal = bed_open(memory, &options);
	assert_int_equal(bed_check(journal, 1, SALT, MAX), 1100);
	journal_close(&journal);
	memory_world_free(&memory);
}

/* The newest one may only be shorter than allocated when HEAD says so: cuts that fail half-way. */
static void a_crash_amid_the_cuts_of_an_open_loses_nothing(void **state)
{
	(void)state;
	for (unsigned at = 0; at < 60; at++) {
		struct journal_options options = bed_options();
		struct memory_world *memory = memory_world_new(100 + at);
		struct journal *journal = bed_open(memory, &options);
		enum memory_call call = at % 2 == 0 ? MEMORY_SYNC : MEMORY_WRITE;

		bed_fill(journal, 400, 7, SALT, MAX);
		bed_die(memory, &journal, MEMORY_CRASH_LOSE);
		lengthen_all(memory);
		memory_world_fail(memory, call, at / 4, EIO, true);
		(void)journal_open(&journal, &options, memory_world_table(memory), NULL);
		bed_die(memory, &journal, at % 4 < 2 ? MEMORY_CRASH_RANDOM : MEMORY_CRASH_LOSE);
		journal = bed_open(memory, &options);
		assert_int_equal(bed_check(journal, 1, SALT, MAX), 400);
		journal_close(&journal);
		memory_world_free(&memory);
	}
}

/* What the start after it reads of HEAD was written, and is on no disk. */
static void a_failed_sync_of_an_open_lets_no_later_one_cut_too_early(void **state)
{
	(void)state;
	for (unsigned at = 0; at < 6; at++) {
		struct journal_options options = bed_options();
		struct memory_world *memory = memory_world_new(200 + at);
		struct journal *journal = bed_open(memory, &options);

		bed_fill(journal, 400, 7, SALT, MAX);
		bed_die(memory, &journal, MEMORY_CRASH_LOSE);
		memory_world_fail(memory, MEMORY_SYNC, at, EIO, false);
		(void)journal_open(&journal, &options, memory_world_table(memory), NULL);
		bed_die(memory, &journal, MEMORY_CRASH_PROCESS);
		journal = bed_open(memory, &options);
		bed_die(memory, &journal, MEMORY_CRASH_LOSE);
		journal = bed_open(memory, &options);
		assert_int_equal(bed_check(journal, 1, SALT, MAX), 400);
		journal_close(&journal);
		memory_world_free(&memory);
	}
}

/* HEAD said "closed" when its sync failed: it can be read, and is not on the disk. */
static void a_segment_is_cut_only_behind_a_head_that_lasts(void **state)
{
	(void)state;
	for (uint64_t at = 0; at < 3; at++) {
		struct journal_options options = bed_options();
		struct memory_world *memory = memory_world_new(9);
		struct journal *journal = bed_open(memory, &options);

		bed_fill(journal, 40, 7, SALT, MAX);
		memory_world_fail(memory, MEMORY_SYNC, at, EIO, true);
		journal_close(&journal);
		memory_world_fail(memory, MEMORY_SYNC, 0, 0, false);
		memory_world_crash(memory, MEMORY_CRASH_PROCESS);
		journal = bed_open(memory, &options);
		bed_die(memory, &journal, MEMORY_CRASH_LOSE);
		journal = bed_open(memory, &options);
		assert_int_equal(bed_check(journal, 1, SALT, MAX), 40);
		journal_close(&journal);
		memory_world_free(&memory);
	}
}

static void a_failed_sync_of_a_cut_stops_the_open(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(3);
	struct journal *journal = bed_open(memory, &options);
	struct message message = { "" };

	(void)state;
	bed_fill(journal, 400, 7, SALT, MAX);
	journal_close(&journal);
	lengthen_all(memory);
	/* the first is of what was found, two are of HEAD */
	memory_world_fail(memory, MEMORY_SYNC, 3, EIO, false);
	assert_int_equal(journal_open(&journal, &options, memory_world_table(memory), &message),
	                 TTG_EIO);
	assert_non_null(strstr(message.text, "cannot be cut"));
	journal = bed_open(memory, &options);
	assert_int_equal(bed_check(journal, 1, SALT, MAX), 400);
	journal_close(&journal);
	memory_world_free(&memory);
}

/* As the cuts were not synced once: power failures used up the room, and no start was possible. */
static void a_journal_of_two_segments_lives_through_power_failures(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(4);
	uint64_t sequence = 0;

	(void)state;
	options.max_bytes = 2 * BED_SEGMENT;
	for (unsigned life = 0; life < 8; life++) {
		struct journal *journal;

		lengthen_all(memory);
		journal = bed_open(memory, &options);
		assert_int_equal(bed_append(journal, SALT, MAX, &sequence), TTG_OK);
		assert_int_equal(journal_flush(journal), TTG_OK);
		assert_int_equal(bed_check(journal, 1, SALT, MAX), life + 1);
		bed_die(memory, &journal, MEMORY_CRASH_LOSE);
	}
	memory_world_free(&memory);
}

static void a_torn_newest_segment_is_counted_as_the_next_one_will_leave_it(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(5);
	struct journal *journal;
	char path[128];
	uint64_t sequence = 0, size;

	(void)state;
	options.max_bytes = 2 * BED_SEGMENT;
	journal = bed_open(memory, &options);
	bed_fill(journal, 5, 1, SALT, MAX);
	bed_die(memory, &journal, MEMORY_CRASH_LOSE);
	size = segment_size(memory, 0, path);
	assert_int_equal(size, BED_SEGMENT);
	memory_world_file(memory, path, &size)[6 * 4096 + 600] = 7; /* a sector of a batch that tore */
	for (unsigned life = 0; life < 4; life++) {
		journal = bed_open(memory, &options);
		if (life == 0)
			assert_int_equal(segment_size(memory, 0, path), BED_SEGMENT);
		assert_int_equal(bed_append(journal, SALT, MAX, &sequence), TTG_OK);
		assert_int_equal(journal_flush(journal), TTG_OK);
		size = segment_size(memory, 0, path);
		assert_int_equal(size, 6 * 4096 + 601);
		bed_die(memory, &journal, MEMORY_CRASH_LOSE);
	}
	memory_world_free(&memory);
}

static void a_full_journal_takes_what_a_start_records_and_events_get_none_of_it(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(6);
	struct journal *journal;
	struct journal_stats stats;
	uint64_t last, sequence = 0;

	(void)state;
	options.max_bytes = SEGMENTS_MAX * BED_SEGMENT;
	journal = bed_open(memory, &options);
	last = fill_up(memory, journal);
	for (unsigned life = 0; life < 5; life++) {
		bed_die(memory, &journal, MEMORY_CRASH_LOSE);
		journal = bed_open(memory, &options);
		journal_get_stats(journal, &stats);
		assert_true(stats.disk_bytes > options.max_bytes);
		assert_true(stats.disk_bytes <= options.max_bytes + 2 * BED_SEGMENT);
		/* Up to max_bytes, as before the crash, and no more: one batch is 4096 bytes. */
		assert_true(journal_room(journal) <=
			    (life == 0 ? BED_SEGMENT : 4096));
		assert_int_equal(bed_append(journal, SALT, MAX, &sequence), TTG_OK);
		assert_int_equal(journal_flush(journal), TTG_OK);
		assert_int_equal(sequence, ++last);
	}
	assert_int_equal(journal_retain(journal, last, NULL), TTG_OK);
	journal_get_stats(journal, &stats);
	assert_true(stats.disk_bytes <= options.max_bytes);
	assert_true(journal_room(journal) >= 2 * BED_SEGMENT);
	assert_int_equal(bed_check(journal, stats.first_sequence, SALT, MAX), last);
	journal_close(&journal);
	memory_world_free(&memory);
}

static void what_lies_beyond_the_limit_is_bounded_and_the_refusal_says_what_to_do(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(7);
	struct journal *journal = NULL;
	struct message message = { "" };
	char text[128];
	struct journal_stats stats;
	uint64_t last = 0, sequence;

	(void)state;
	options.max_bytes = 2 * BED_SEGMENT;
	for (unsigned life = 0; life < 4; life++) {
		journal = bed_open(memory, &options);
		last += fill_up(memory, journal);
		journal_get_stats(journal, &stats);
		assert_true(stats.disk_bytes <= options.max_bytes + 2 * BED_SEGMENT);
		bed_die(memory, &journal, MEMORY_CRASH_LOSE);
	}
	journal = bed_open(memory, &options);
	assert_int_equal(bed_append(journal, SALT, MAX, &sequence), TTG_ENOSPC);
	assert_int_equal(journal_room(journal), 0);
	assert_int_equal(journal_explain_full(journal, &message), TTG_ENOSPC);
	journal_get_stats(journal, &stats);
	snprintf(text, sizeof(text), "journal.max_bytes, %u: %llu bytes are in use, a segment of %u",
		 2 * BED_SEGMENT, (unsigned long long)stats.disk_bytes, BED_SEGMENT);
	assert_non_null(strstr(message.text, text));
	assert_non_null(strstr(message.text, "raise journal.max_bytes"));
	journal_close(&journal);
	options.max_bytes = 8 * BED_SEGMENT;
	journal = bed_open(memory, &options);
	assert_int_equal(bed_check(journal, 1, SALT, MAX), last);
	assert_int_equal(bed_append(journal, SALT, MAX, &sequence), TTG_OK);
	journal_close(&journal);
	memory_world_free(&memory);
}

static void a_full_disk_is_told_from_the_journals_own_limit(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(8);
	struct journal *journal;
	struct message message = { "" };
	uint64_t sequence;

	(void)state;
	options.reserve_bytes = 1000000;
	memory_world_set_free(memory, 1000000 + BED_SEGMENT - 1);
	journal = bed_open(memory, &options);
	assert_int_equal(bed_append(journal, SALT, MAX, &sequence), TTG_ENOSPC);
	assert_int_equal(journal_explain_full(journal, &message), TTG_ENOSPC);
	assert_non_null(strstr(message.text, "1065535 bytes are free, a segment of 65536 is needed"));
	assert_non_null(strstr(message.text, "journal.reserve_bytes keeps 1000000 free"));
	journal_close(&journal);
	memory_world_set_free(memory, INT64_MAX);
	memory_world_fail(memory, MEMORY_ALLOCATE, 0, EDQUOT, true);
	journal = bed_open(memory, &options);
	assert_int_equal(bed_append(journal, SALT, MAX, &sequence), TTG_ENOSPC);
	assert_int_equal(journal_explain_full(journal, &message), TTG_ENOSPC);
	assert_non_null(strstr(message.text, "quota"));
	journal_close(&journal);
	memory_world_free(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_cut_of_a_segment_survives_a_power_failure),
		cmocka_unit_test(
		        what_a_crash_left_at_full_size_is_cut_by_the_next_open_and_stays_cut),
		cmocka_unit_test(a_crash_amid_the_cuts_of_an_open_loses_nothing),
		cmocka_unit_test(a_failed_sync_of_an_open_lets_no_later_one_cut_too_early),
		cmocka_unit_test(a_segment_is_cut_only_behind_a_head_that_lasts),
		cmocka_unit_test(a_failed_sync_of_a_cut_stops_the_open),
		cmocka_unit_test(a_journal_of_two_segments_lives_through_power_failures),
		cmocka_unit_test(a_torn_newest_segment_is_counted_as_the_next_one_will_leave_it),
		cmocka_unit_test(
		        a_full_journal_takes_what_a_start_records_and_events_get_none_of_it),
		cmocka_unit_test(
		        what_lies_beyond_the_limit_is_bounded_and_the_refusal_says_what_to_do),
		cmocka_unit_test(a_full_disk_is_told_from_the_journals_own_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
