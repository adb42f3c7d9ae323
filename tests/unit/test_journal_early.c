/*
 * The snapshot that comes while the journal is still being proven: what is told of it, and what is
 * refused, must be the same as without. Meant for the thread sanitizer too.
 */
#include "journal_unit.h"

#include <pthread.h>

#define SALT    5
#define MAX     600
#define RECORDS 2000 /* a few segments */

struct taken {
	unsigned calls;
	pthread_t thread;
	uint64_t sequence;
	char text[16];
};

static void take(void *arg, uint64_t sequence, const uint8_t *data, size_t len)
{
	struct taken *taken = arg;

	taken->calls++;
	taken->thread = pthread_self();
	taken->sequence = sequence;
	assert_true(len < sizeof(taken->text));
	memcpy(taken->text, data, len);
	taken->text[len] = '\0';
}

static struct journal_options with(struct taken *taken, bool threaded)
{
	struct journal_options options = bed_options();

	memset(taken, 0, sizeof(*taken));
	options.threaded = threaded;
	options.early = take;
	options.early_arg = taken;
	return options;
}

/* RECORDS of them, and snapshots of 100 ("old") and 1900 ("new"). */
static struct memory_world *full_world(unsigned seed)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(seed);
	struct journal *journal = bed_open(memory, &options);

	bed_fill(journal, RECORDS, 7, SALT, MAX);
	assert_int_equal(journal_snapshot_save(journal, 100, "old", 3, NULL), TTG_OK);
	assert_int_equal(journal_snapshot_save(journal, 1900, "new", 3, NULL), TTG_OK);
	bed_die(memory, &journal, MEMORY_CRASH_PROCESS);
	return memory;
}

static const char new_snapshot[] = BED_DIRECTORY "/snap-000000000000076c.tts";

static void the_newest_snapshot_comes_before_the_journal_is_open(void **state)
{
	struct memory_world *memory = full_world(1);

	(void)state;
	for (unsigned threaded = 0; threaded < 2; threaded++) {
		struct taken taken;
		struct journal_options options = with(&taken, threaded);
		struct journal *journal = bed_open(memory, &options);
		struct message message;
		uint64_t sequence = 0;
		uint8_t *data = NULL;
		size_t len = 0;

		assert_int_equal(taken.calls, 1);
		assert_true(pthread_equal(taken.thread, pthread_self()));
		assert_int_equal(taken.sequence, 1900);
		assert_string_equal(taken.text, "new");
		for (unsigned again = 0; again < 2; again++) { /* kept once, then read anew */
			assert_int_equal(journal_snapshot_load(journal, &sequence, &data, &len,
			                                       &message),
			                 TTG_OK);
			assert_int_equal(sequence, 1900);
			assert_int_equal(len, 3);
			assert_memory_equal(data, "new", 3);
			assert_string_equal(message.text, "");
			free(data);
		}
		journal_close(&journal);
	}
	memory_world_free(&memory);
}

/* What an open and a load say, and what was given before. */
struct answer {
	enum ttg_error opened, loaded;
	struct message message;
	uint64_t sequence;
	char text[16];
};

static struct answer ask(struct memory_world *memory, const struct journal_options *options)
{
	struct answer answer = { 0 };
	struct memory_world *copy = memory_world_clone(memory);
	struct journal *journal = NULL;
	uint8_t *data = NULL;
	size_t len = 0;

	answer.opened = journal_open(&journal, options, memory_world_table(copy), &answer.message);
	answer.loaded = TTG_ECLOSED;
	if (answer.opened == TTG_OK)
		answer.loaded = journal_snapshot_load(journal, &answer.sequence, &data, &len,
		                                      &answer.message);
	if (answer.loaded == TTG_OK && len < sizeof(answer.text))
		memcpy(answer.text, data, len);
	else
		answer.sequence = 0;
	free(data);
	journal_close(&journal);
	memory_world_free(&copy);
	return answer;
}

/* The same answer, whether a snapshot was wanted early or not, by one thread or several. */
static void same_answers(struct memory_world *memory, enum ttg_error opened, enum ttg_error loaded,
                         unsigned calls)
{
	struct journal_options plain = bed_options();
	const struct answer expected = ask(memory, &plain);

	assert_int_equal(expected.opened, opened);
	assert_int_equal(expected.loaded, loaded);
	for (unsigned i = 0; i < 8; i++) {
		struct taken taken;
		struct journal_options options = with(&taken, i % 2 == 1);
		struct answer answer = ask(memory, &options);

		assert_int_equal(taken.calls, calls);
		assert_int_equal(answer.opened, opened);
		assert_int_equal(answer.loaded, loaded);
		assert_int_equal(answer.sequence, expected.sequence);
		assert_string_equal(answer.text, expected.text);
		assert_string_equal(answer.message.text, expected.message.text);
	}
}

static void a_journal_that_is_not_proven_is_refused_as_ever(void **state)
{
	struct memory_world *memory = full_world(2);
	uint64_t size;
	uint8_t *bytes;

	(void)state;
	bytes = memory_world_file(memory, BED_DIRECTORY "/seg-0000000000000001.ttj", &size);
	assert_non_null(bytes);
	bytes[size / 2] ^= 1;
	same_answers(memory, TTG_ECORRUPT, TTG_ECLOSED, 1);
	memory_world_free(&memory);
}

static void a_snapshot_that_the_journal_does_not_reach_is_refused_as_ever(void **state)
{
	struct memory_world *memory = full_world(3);
	struct memory_world *old;
	struct journal_options options = bed_options();
	struct journal *journal = bed_open(memory, &options);
	uint64_t size;

	(void)state;
	journal_close(&journal);
	/* An older copy of the journal gets the newer one's snapshot. */
	old = memory_world_clone(memory);
	journal = bed_open(memory, &options);
	bed_fill(journal, 10, 3, SALT, MAX);
	assert_int_equal(journal_snapshot_save(journal, RECORDS + 10, "ahead", 5, NULL), TTG_OK);
	journal_close(&journal);
	const uint8_t *bytes =
	        memory_world_file(memory, BED_DIRECTORY "/snap-00000000000007da.tts", &size);
	assert_non_null(bytes);
	memory_world_put(old, BED_DIRECTORY "/snap-00000000000007da.tts", bytes, size);
	same_answers(old, TTG_OK, TTG_ECORRUPT, 1);
	memory_world_free(&old);
	memory_world_free(&memory);
}

static void a_damaged_snapshot_is_not_given(void **state)
{
	struct memory_world *memory = full_world(4);
	uint64_t size;
	uint8_t *bytes = memory_world_file(memory, new_snapshot, &size);

	(void)state;
	assert_non_null(bytes);
	for (uint64_t at = 3; at < size; at += 29) {
		bytes[at] ^= 0x10;
		same_answers(memory, TTG_OK, TTG_OK, 0); /* the old one, and what is wrong */
		bytes[at] ^= 0x10;
	}
	memory_world_free(&memory);
}

static void without_a_snapshot_none_is_given(void **state)
{
	struct memory_world *memory = full_world(5);

	(void)state;
	memory_world_put(memory, new_snapshot, NULL, 0);
	memory_world_put(memory, BED_DIRECTORY "/snap-0000000000000064.tts", NULL, 0);
	same_answers(memory, TTG_OK, TTG_ENOENT, 0);
	memory_world_free(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_snapshot_comes_before_the_journal_is_open),
		cmocka_unit_test(a_journal_that_is_not_proven_is_refused_as_ever),
		cmocka_unit_test(a_snapshot_that_the_journal_does_not_reach_is_refused_as_ever),
		cmocka_unit_test(a_damaged_snapshot_is_not_given),
		cmocka_unit_test(without_a_snapshot_none_is_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
