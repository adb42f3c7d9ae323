/* The journal with its writer on a thread of its own. Meant for the thread sanitizer too. */
#include "journal_unit.h"

#include <errno.h>
#include <poll.h>

#define SALT       3
#define MAX        600
#define WAIT_MS    10000
#define IDLE_LOOKS 2000

/* Sleeps until the journal has news. */
static void wait_for_news(struct journal *journal)
{
	struct pollfd poll_fd = { .fd = journal_wake_fd(journal), .events = POLLIN };

	assert_int_equal(poll(&poll_fd, 1, WAIT_MS), 1);
	journal_wake_clear(journal);
}

static void wait_durable(struct journal *journal, uint64_t sequence)
{
	while (journal_durable(journal) < sequence) {
		assert_int_equal(journal_failure(journal, NULL), TTG_OK);
		wait_for_news(journal);
	}
}

/* Appends n records as fast as the journal takes them. */
static void pump(struct journal *journal, uint64_t n, uint64_t *seed, uint64_t *last)
{
	for (uint64_t i = 0; i < n;) {
		enum ttg_error err = bed_append(journal, SALT, MAX, last);

		if (err == TTG_OK)
			i++;
		else
			assert_int_equal(err, TTG_EAGAIN);
		if (err == TTG_EAGAIN || unit_random(seed) % 8 == 0)
			assert_int_equal(journal_flush(journal), TTG_OK);
		if (err == TTG_EAGAIN)
			wait_for_news(journal);
	}
}

static void appends_while_the_writer_writes_are_all_there(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(1);
	uint64_t seed = unit_seed("appends_while_the_writer_writes_are_all_there");
	struct journal_record record;
	struct journal_stats stats;
	struct journal *journal;
	uint64_t last = 0;

	(void)state;
	options.threaded = true;
	for (unsigned life = 0; life < 4; life++) {
		journal = bed_open(memory, &options);
		for (unsigned i = 0; i < 50; i++) {
			pump(journal, 40, &seed, &last);
			assert_int_equal(journal_peek(journal, last, &record), TTG_OK);
			assert_true(bed_record_fits(last, SALT, MAX, &record));
			journal_get_stats(journal, &stats);
			if (i % 10 == 0)
				(void)bed_check(journal, stats.first_sequence, SALT, MAX);
			if (i == 25)
				assert_int_equal(journal_retain(journal, last / 2, NULL), TTG_OK);
		}
		assert_int_equal(journal_flush(journal), TTG_OK);
		wait_durable(journal, last);
		assert_int_equal(bed_check(journal, stats.first_sequence, SALT, MAX), last);
		if (life % 2 == 0)
			journal_close(&journal);
		else
			bed_die(memory, &journal, MEMORY_CRASH_RANDOM);
	}
	journal = bed_open(memory, &options);
	journal_get_stats(journal, &stats);
	assert_int_equal(stats.durable_sequence, last);
	assert_int_equal(bed_check(journal, stats.first_sequence, SALT, MAX), last);
	journal_close(&journal);
	memory_world_free(&memory);
}

static void closing_flushes_what_was_staged(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(2);
	struct journal *journal;
	uint64_t sequence;

	(void)state;
	options.threaded = true;
	journal = bed_open(memory, &options);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(bed_append(journal, SALT, MAX, &sequence), TTG_OK);
	journal_close(&journal);
	journal = bed_open(memory, &options);
	assert_int_equal(bed_check(journal, 1, SALT, MAX), 20);
	journal_close(&journal);
	memory_world_free(&memory);
}

static void a_failed_sync_wakes_the_loop(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(3);
	struct message message = { "" };
	struct journal *journal;
	uint64_t sequence;

	(void)state;
	options.threaded = true;
	journal = bed_open(memory, &options);
	assert_int_equal(bed_append(journal, SALT, MAX, &sequence), TTG_OK);
	memory_world_fail(memory, MEMORY_SYNC, 0, EIO, true);
	(void)journal_flush(journal);
	while (journal_failure(journal, &message) == TTG_OK)
		wait_for_news(journal);
	assert_true(strlen(message.text) > 0);
	assert_int_equal(journal_durable(journal), 0);
	assert_int_equal(bed_append(journal, SALT, MAX, &sequence), TTG_EIO);
	journal_close(&journal);
	memory_world_free(&memory);
}

/* After idling, HEAD knows the end: then even the loss of a whole last batch is told. */
static void an_idle_writer_notes_how_far_it_came(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(4);
	const char *path = BED_DIRECTORY "/seg-0000000000000001.ttj";
	struct journal *journal;
	struct message message;
	uint64_t syncs;
	uint64_t size;
	unsigned looks = 0;

	(void)state;
	options.threaded = true;
	journal = bed_open(memory, &options);
	bed_fill(journal, 1, 1, SALT, MAX);
	wait_durable(journal, 1);
	syncs = memory_world_calls(memory, MEMORY_SYNC);
	while (memory_world_calls(memory, MEMORY_SYNC) == syncs && looks++ < IDLE_LOOKS)
		(void)poll(NULL, 0, 5);
	assert_true(looks < IDLE_LOOKS);
	bed_die(memory, &journal, MEMORY_CRASH_LOSE);
	memset(memory_world_file(memory, path, &size) + 4096, 0, 4096);
	assert_int_equal(journal_open(&journal, &options, memory_world_table(memory), &message),
	                 TTG_ECORRUPT);
	assert_non_null(strstr(message.text, "HEAD"));
	memory_world_free(&memory);
}

static void a_full_disk_recovers_when_there_is_room_again(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(5);
	uint64_t seed = 5;
	struct journal *journal;
	uint64_t last = 0;
	enum ttg_error err;

	(void)state;
	options.threaded = true;
	journal = bed_open(memory, &options);
	memory_world_set_free(memory, 1000);
	while ((err = bed_append(journal, SALT, MAX, &last)) != TTG_ENOSPC) {
		assert_int_equal(journal_flush(journal), TTG_OK);
		if (err == TTG_EAGAIN)
			wait_for_news(journal);
	}
	memory_world_set_free(memory, INT64_MAX);
	do {
		memory_world_advance(memory, 1000000000);
		err = bed_append(journal, SALT, MAX, &last);
		if (err == TTG_EAGAIN)
			wait_for_news(journal);
	} while (err != TTG_OK);
	pump(journal, 300, &seed, &last);
	assert_int_equal(journal_flush(journal), TTG_OK);
	wait_durable(journal, last);
	assert_int_equal(bed_check(journal, 1, SALT, MAX), last);
	journal_close(&journal);
	memory_world_free(&memory);
}

/* Who asks before each append is never told to come again for want of a segment. */
static void there_is_a_place_or_the_loop_is_woken(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(6);
	struct journal_stats stats;
	struct journal *journal;
	uint64_t last = 0;

	(void)state;
	options.threaded = true;
	journal = bed_open(memory, &options);
	for (unsigned i = 0; i < 400; i++) {
		while (!journal_has_place(journal))
			wait_for_news(journal);
		assert_int_equal(bed_append(journal, SALT, MAX, &last), TTG_OK);
		assert_int_equal(journal_flush(journal), TTG_OK);
		wait_durable(journal, last);
	}
	journal_get_stats(journal, &stats);
	assert_true(stats.segments > 3);
	memory_world_set_free(memory, 1000);
	while (bed_append(journal, SALT, MAX, &last) != TTG_ENOSPC) {
		assert_int_equal(journal_flush(journal), TTG_OK);
		wait_durable(journal, last);
	}
	assert_true(journal_has_place(journal)); /* no waiting for what will not come */
	journal_close(&journal);
	memory_world_free(&memory);
}

struct told {
	uint64_t done_bytes, all_bytes;
	unsigned calls;
};

static void on_progress(void *arg, uint64_t done_bytes, uint64_t all_bytes)
{
	struct told *told = arg;

	assert_true(done_bytes > told->done_bytes);
	told->done_bytes = done_bytes;
	told->all_bytes = all_bytes;
	told->calls++;
}

static void many_threads_prove_a_journal_as_one_does(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(6);
	struct journal *journal = bed_open(memory, &options);
	struct journal_verify_result alone, together;
	struct told told = { 0 };

	(void)state;
	bed_fill(journal, 4000, 7, SALT, MAX);
	bed_die(memory, &journal, MEMORY_CRASH_PROCESS);
	assert_int_equal(journal_verify(BED_DIRECTORY, options.key, memory_world_table(memory), 1,
	                                NULL, NULL, &alone, NULL),
	                 TTG_OK);
	assert_true(alone.segments > 2 * JOURNAL_THREADS_MAX);
	assert_int_equal(journal_verify(BED_DIRECTORY, options.key, memory_world_table(memory),
	                                JOURNAL_THREADS_MAX, on_progress, &told, &together, NULL),
	                 TTG_OK);
	assert_int_equal(together.records, 4000);
	assert_int_equal(together.batches, alone.batches);
	assert_int_equal(together.bytes, alone.bytes);
	assert_memory_equal(together.chain_head, alone.chain_head, JOURNAL_HASH_BYTES);
	assert_int_equal(told.calls, together.batches + together.segments);
	assert_true(told.done_bytes <= told.all_bytes);
	memory_world_free(&memory);
}

/* Two segments are damaged: the first of them is told, though another thread may meet the later
   one sooner. */
static void of_two_damages_the_first_is_told(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(7);
	struct journal *journal = bed_open(memory, &options);
	struct journal_stats stats;
	struct message message;
	uint64_t sequence = 1;
	char early[64] = "", late[64] = "";
	uint64_t size;
	uint8_t *bytes;

	(void)state;
	bed_fill(journal, 4000, 7, SALT, MAX);
	journal_get_stats(journal, &stats);
	bed_die(memory, &journal, MEMORY_CRASH_PROCESS);
	for (unsigned found = 0; found < 3 && sequence < stats.next_sequence; sequence++) {
		snprintf(late, sizeof(late), BED_DIRECTORY "/seg-%016llx.ttj",
		         (unsigned long long)sequence);
		if (memory_world_file(memory, late, &size) == NULL)
			continue;
		if (++found == 2)
			memcpy(early, late, sizeof(early));
	}
	bytes = memory_world_file(memory, early, &size); /* near its end */
	bytes[size - 4096] ^= 1;
	bytes = memory_world_file(memory, late, &size); /* at its begin */
	bytes[4096 + 100] ^= 1;
	options.threaded = true;
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(
		        journal_open(&journal, &options, memory_world_table(memory), &message),
		        TTG_ECORRUPT);
		assert_non_null(strstr(message.text, early));
	}
	memory_world_free(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends_while_the_writer_writes_are_all_there),
		cmocka_unit_test(closing_flushes_what_was_staged),
		cmocka_unit_test(a_failed_sync_wakes_the_loop),
		cmocka_unit_test(an_idle_writer_notes_how_far_it_came),
		cmocka_unit_test(many_threads_prove_a_journal_as_one_does),
		cmocka_unit_test(of_two_damages_the_first_is_told),
		cmocka_unit_test(a_full_disk_recovers_when_there_is_room_again),
		cmocka_unit_test(there_is_a_place_or_the_loop_is_woken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
