/* Records read back in several places by turns. */
#include "journal_unit.h"

#include "net/records.h"

#define SALT 5
#define MAX  300
#define N    3000

/* The disk, with a count of what is read from it. */
static uint64_t reads;
static const struct world *disk;

static ssize_t counted_read(void *self, int file, void *out, size_t len, uint64_t offset)
{
	reads++;
	return disk->read_at(self, file, out, len, offset);
}

static void must_read(struct records *records, uint64_t sequence)
{
	struct journal_record record;

	assert_int_equal(records_read(records, sequence, &record), TTG_OK);
	assert_true(bed_record_fits(sequence, SALT, MAX, &record));
}

static void reading_by_turns_gives_what_was_written(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(1);
	struct journal *journal = bed_open(memory, &options);
	struct records *records;

	(void)state;
	bed_fill(journal, N, 40, SALT, MAX);
	assert_int_equal(records_open(&records, journal), TTG_OK);
	for (uint64_t i = 1; i <= N / 6; i++) { /* more places than there are readers */
		for (uint64_t place = 0; place < 6; place++)
			must_read(records, place * (N / 6) + i);
	}
	for (uint64_t i = N; i > 0; i--)
		must_read(records, i);
	records_close(&records);
	assert_null(records);
	journal_close(&journal);
	memory_world_free(&memory);
}

/* Files are read again only where somebody goes on, not at every change of place. */
static void going_to_and_fro_between_two_places_reads_nothing_twice(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(1);
	struct journal *journal = bed_open(memory, &options);
	struct message message = { "" };
	struct records *records;

	(void)state;
	bed_fill(journal, N, 40, SALT, MAX);
	journal_close(&journal);
	disk = memory_world_table(memory);
	struct world counting = *disk;
	counting.read_at = counted_read;
	/* With nothing of it in memory. */
	assert_int_equal(journal_open(&journal, &options, &counting, &message), TTG_OK);
	assert_int_equal(records_open(&records, journal), TTG_OK);
	must_read(records, 1);
	must_read(records, N / 2);
	reads = 0;
	for (uint64_t i = 1; i < 30; i++) {
		must_read(records, 1 + i);
		must_read(records, N / 2 + i);
	}
	assert_true(reads <= 4);
	records_close(&records);
	journal_close(&journal);
	memory_world_free(&memory);
}

static void what_is_not_there_is_told(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(1);
	struct journal *journal = bed_open(memory, &options);
	struct journal_record record;
	struct records *records;
	uint64_t removed;

	(void)state;
	bed_fill(journal, N, 40, SALT, MAX);
	assert_int_equal(records_open(&records, journal), TTG_OK);
	assert_int_equal(records_read(records, N + 1, &record), TTG_EAGAIN);
	must_read(records, 1);
	assert_int_equal(journal_retain(journal, N, &removed), TTG_OK);
	assert_true(removed > 0);
	records_forget(records);
	assert_int_equal(records_read(records, 2, &record), TTG_ENOENT);
	must_read(records, N);
	records_close(&records);
	journal_close(&journal);
	memory_world_free(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading_by_turns_gives_what_was_written),
		cmocka_unit_test(going_to_and_fro_between_two_places_reads_nothing_twice),
		cmocka_unit_test(what_is_not_there_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
