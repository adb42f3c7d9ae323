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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends_while_the_writer_writes_are_all_there),
		cmocka_unit_test(closing_flushes_what_was_staged),
		cmocka_unit_test(a_failed_sync_wakes_the_loop),
		cmocka_unit_test(an_idle_writer_notes_how_far_it_came),
		cmocka_unit_test(a_full_disk_recovers_when_there_is_room_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
