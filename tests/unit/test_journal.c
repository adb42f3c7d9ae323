/* The journal in fair weather: what goes in comes out, across segments, lives and processes. */
#include "journal_unit.h"

#include <errno.h>
#include <poll.h>

#define SALT 7
#define MAX  900

static void what_is_durable_is_read_back_unchanged(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(1);
	struct journal *journal = bed_open(memory, &options);

	(void)state;
	bed_fill(journal, 50, 7, SALT, MAX);
	assert_int_equal(journal_durable(journal), 50);
	assert_int_equal(bed_check(journal, 1, SALT, MAX), 50);
	journal_close(&journal);
	memory_world_free(&memory);
}

static void a_closed_journal_opens_with_everything_in_it(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(2);
	uint8_t before[JOURNAL_HASH_BYTES];
	uint8_t after[JOURNAL_HASH_BYTES];

	(void)state;
	for (uint64_t life = 1; life <= 5; life++) {
		struct journal *journal = bed_open(memory, &options);

		assert_int_equal(journal_durable(journal), (life - 1) * 300);
		journal_chain_head(journal, after);
		if (life > 1)
			assert_memory_equal(before, after, sizeof(before));
		bed_fill(journal, 300, 11, SALT, MAX);
		assert_int_equal(bed_check(journal, 1, SALT, MAX), life * 300);
		journal_chain_head(journal, before);
		journal_close(&journal);
	}
	memory_world_free(&memory);
}

static void opening_without_appending_leaves_no_segment(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(3);
	struct journal_stats stats;

	(void)state;
	for (unsigned life = 0; life < 4; life++) {
		struct journal *journal = bed_open(memory, &options);

		journal_get_stats(journal, &stats);
		assert_int_equal(stats.segments, 0);
		assert_int_equal(stats.next_sequence, 1);
		assert_int_equal(bed_check(journal, 1, SALT, MAX), 0);
		journal_close(&journal);
	}
	memory_world_free(&memory);
}

static void segments_change_when_full_and_stay_inside_their_size(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(4);
	struct journal *journal = bed_open(memory, &options);
	struct journal_stats stats;
	uint64_t bytes = 0;
	uint64_t size;

	(void)state;
	bed_fill(journal, 2000, 13, SALT, MAX);
	journal_get_stats(journal, &stats);
	assert_true(stats.segments > 10);
	assert_int_equal(bed_check(journal, 1, SALT, MAX), 2000);
	for (size_t i = 0; memory_world_name(memory, i) != NULL; i++) {
		const char *name = memory_world_name(memory, i);

		if (strstr(name, ".ttj") == NULL)
			continue;
		assert_non_null(memory_world_file(memory, name, &size));
		assert_true(size <= BED_SEGMENT);
		bytes += size;
	}
	assert_int_equal(stats.disk_bytes, bytes);
	journal_close(&journal);
	memory_world_free(&memory);
}

static void a_reader_seeks_anywhere_and_reads_on(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(5);
	struct journal *journal = bed_open(memory, &options);
	struct journal_reader *reader = NULL;
	struct journal_record record;
	uint64_t seed = unit_seed("a_reader_seeks_anywhere_and_reads_on");
	uint64_t sequence;

	(void)state;
	bed_fill(journal, 1500, 3, SALT, MAX);
	journal_close(&journal);
	journal = bed_open(memory, &options); /* nothing cached */
	bed_fill(journal, 100, 3, SALT, MAX);
	assert_int_equal(journal_reader_open(&reader, journal), TTG_OK);
	for (unsigned i = 0; i < 400; i++) {
		uint64_t at = 1 + unit_random(&seed) % 1600;

		assert_int_equal(journal_reader_seek(reader, at), TTG_OK);
		for (unsigned j = 0; j < 5 && at + j <= 1600; j++) {
			assert_int_equal(journal_reader_next(reader, &sequence, &record), TTG_OK);
			assert_int_equal(sequence, at + j);
			assert_true(bed_record_fits(sequence, SALT, MAX, &record));
		}
	}
	assert_int_equal(journal_reader_seek(reader, 1601), TTG_OK);
	assert_int_equal(journal_reader_next(reader, &sequence, &record), TTG_EAGAIN);
	assert_int_equal(journal_reader_seek(reader, 0), TTG_ENOENT);
	journal_reader_close(&reader);
	journal_close(&journal);
	memory_world_free(&memory);
}

static void a_segment_that_is_cut_while_it_is_read_is_read_to_its_end(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(1);
	struct journal *journal = bed_open(memory, &options);
	struct journal_reader *reader = NULL;
	struct journal_record record;
	uint64_t sequence = 0;

	(void)state;
	bed_fill(journal, 6, 1, 7, 300);
	bed_die(memory, &journal, MEMORY_CRASH_PROCESS); /* nothing is cut, and no cache */
	journal = bed_open(memory, &options);
	assert_int_equal(journal_reader_open(&reader, journal), TTG_OK);
	assert_int_equal(journal_reader_seek(reader, 5), TTG_OK);
	assert_int_equal(journal_reader_next(reader, &sequence, &record), TTG_OK);
	bed_fill(journal, 1, 1, 7, 300); /* begins a segment, and cuts the one before */
	assert_int_equal(journal_reader_seek(reader, 1), TTG_OK);
	for (uint64_t i = 1; i <= 7; i++) {
		assert_int_equal(journal_reader_next(reader, &sequence, &record), TTG_OK);
		assert_int_equal(sequence, i);
		assert_true(bed_record_fits(i, 7, 300, &record));
	}
	journal_reader_close(&reader);
	journal_close(&journal);
	memory_world_free(&memory);
}

static void a_reader_at_the_end_goes_on_when_more_is_durable(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(6);
	struct journal *journal = bed_open(memory, &options);
	struct journal_reader *reader = NULL;
	struct journal_record record;
	uint64_t sequence;

	(void)state;
	assert_int_equal(journal_reader_open(&reader, journal), TTG_OK);
	for (uint64_t i = 1; i <= 600; i++) {
		uint64_t staged;

		assert_int_equal(bed_append(journal, SALT, MAX, &staged), TTG_OK);
		assert_int_equal(journal_reader_next(reader, &sequence, &record), TTG_EAGAIN);
		assert_int_equal(journal_flush(journal), TTG_OK);
		assert_int_equal(journal_reader_next(reader, &sequence, &record), TTG_OK);
		assert_int_equal(sequence, i);
		assert_true(bed_record_fits(sequence, SALT, MAX, &record));
	}
	journal_reader_close(&reader);
	journal_close(&journal);
	memory_world_free(&memory);
}

static void peek_sees_staged_and_recent_records(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(7);
	struct journal *journal = bed_open(memory, &options);
	struct journal_record record;
	uint64_t sequence;

	(void)state;
	assert_int_equal(bed_append(journal, SALT, MAX, &sequence), TTG_OK);
	assert_int_equal(journal_peek(journal, 1, &record), TTG_OK);
	assert_true(bed_record_fits(1, SALT, MAX, &record));
	assert_int_equal(journal_durable(journal), 0);
	assert_int_equal(journal_peek(journal, 2, &record), TTG_EAGAIN);
	assert_int_equal(journal_flush(journal), TTG_OK);
	assert_int_equal(journal_peek(journal, 1, &record), TTG_OK);
	assert_true(bed_record_fits(1, SALT, MAX, &record));
	assert_int_equal(journal_peek(journal, 0, &record), TTG_ENOENT);
	journal_close(&journal);
	journal = bed_open(memory, &options);
	assert_int_equal(journal_peek(journal, 1, &record), TTG_EAGAIN);
	journal_close(&journal);
	memory_world_free(&memory);
}

static void records_of_one_append_are_one_unit(void **state)
{
	static const uint8_t text[] = "one, two, three";
	struct journal_record records[3] = { { 1, text, 3 }, { 2, text + 5, 3 }, { 3, text, 0 } };
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(8);
	struct journal *journal = bed_open(memory, &options);
	struct journal_stats stats;
	uint64_t first;

	(void)state;
	assert_int_equal(journal_append(journal, records, 3, &first), TTG_OK);
	assert_int_equal(first, 1);
	assert_int_equal(journal_append(journal, records, 3, &first), TTG_OK);
	assert_int_equal(first, 4);
	assert_int_equal(journal_flush(journal), TTG_OK);
	journal_get_stats(journal, &stats);
	assert_int_equal(stats.durable_sequence, 6);
	assert_int_equal(stats.batches, 1);
	assert_int_equal(stats.staged_bytes, 0);
	assert_int_equal(journal_append(journal, records, 0, &first), TTG_EINVAL);
	records[1].kind = 0;
	assert_int_equal(journal_append(journal, records, 3, &first), TTG_EINVAL);
	records[1].kind = 1;
	records[1].len = JOURNAL_RECORD_MAX + 1;
	assert_int_equal(journal_append(journal, records, 3, &first), TTG_ELIMIT);
	journal_close(&journal);
	memory_world_free(&memory);
}

static void the_largest_record_makes_the_way(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(9);
	uint8_t *bytes = calloc(1, JOURNAL_RECORD_MAX);
	struct journal_record record = { 9, bytes, JOURNAL_RECORD_MAX };
	struct journal_record peeked;
	struct journal *journal;
	uint64_t first;

	(void)state;
	assert_non_null(bytes);
	bytes[JOURNAL_RECORD_MAX - 1] = 1;
	journal = bed_open(memory, &options);
	assert_int_equal(journal_append(journal, &record, 1, &first), TTG_ELIMIT);
	journal_close(&journal);
	options.segment_bytes = 4u * 1024 * 1024;
	options.buffer_bytes = 4u * 1024 * 1024;
	options.cipher = JOURNAL_CHACHA20_POLY1305;
	journal = bed_open(memory, &options);
	assert_int_equal(journal_append(journal, &record, 1, &first), TTG_OK);
	journal_close(&journal); /* flushes what is staged */
	journal = bed_open(memory, &options);
	struct journal_reader *reader = NULL;
	assert_int_equal(journal_reader_open(&reader, journal), TTG_OK);
	assert_int_equal(journal_reader_next(reader, &first, &peeked), TTG_OK);
	assert_int_equal(peeked.len, JOURNAL_RECORD_MAX);
	assert_memory_equal(peeked.data, bytes, JOURNAL_RECORD_MAX);
	journal_reader_close(&reader);
	journal_close(&journal);
	free(bytes);
	memory_world_free(&memory);
}

static void a_full_buffer_answers_again_and_keeps_the_order(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(10);
	struct journal *journal = bed_open(memory, &options);
	uint64_t sequence;
	enum ttg_error err;

	(void)state;
	while ((err = bed_append(journal, SALT, MAX, &sequence)) == TTG_OK)
		assert_true(sequence < 10000);
	assert_int_equal(err, TTG_EAGAIN);
	assert_int_equal(journal_flush(journal), TTG_OK);
	assert_int_equal(journal_durable(journal), sequence);
	assert_int_equal(bed_append(journal, SALT, MAX, &sequence), TTG_OK);
	assert_int_equal(journal_flush(journal), TTG_OK);
	assert_int_equal(bed_check(journal, 1, SALT, MAX), sequence);
	journal_close(&journal);
	memory_world_free(&memory);
}

static void a_second_writer_is_refused(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(11);
	struct journal *journal = bed_open(memory, &options);
	struct journal *second = NULL;
	struct message message;

	(void)state;
	assert_int_equal(journal_open(&second, &options, memory_world_table(memory), &message),
	                 TTG_ELOCKED);
	assert_null(second);
	assert_non_null(strstr(message.text, "another process"));
	journal_close(&journal);
	journal = bed_open(memory, &options);
	journal_close(&journal);
	memory_world_free(&memory);
}

static void a_wrong_key_is_told_as_a_wrong_key(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(12);
	struct journal *journal = bed_open(memory, &options);
	struct message message;

	(void)state;
	bed_fill(journal, 10, 3, SALT, MAX);
	journal_close(&journal);
	options.key[0] ^= 1;
	assert_int_equal(journal_open(&journal, &options, memory_world_table(memory), &message),
	                 TTG_ECRYPTO);
	assert_non_null(strstr(message.text, "another key"));
	options.key[0] ^= 1;
	journal = bed_open(memory, &options);
	assert_int_equal(bed_check(journal, 1, SALT, MAX), 10);
	journal_close(&journal);
	memory_world_free(&memory);
}

static void payloads_are_not_readable_on_disk(void **state)
{
	static const uint8_t text[] = "A1234BC released at the gate";
	struct journal_record record = { 1, text, sizeof(text) };
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(13);
	struct journal *journal = bed_open(memory, &options);
	struct message message;
	uint64_t sequence;
	uint64_t size;

	(void)state;
	assert_int_equal(journal_append(journal, &record, 1, &sequence), TTG_OK);
	assert_int_equal(journal_flush(journal), TTG_OK);
	assert_int_equal(journal_snapshot_save(journal, 1, text, sizeof(text), &message), TTG_OK);
	journal_close(&journal);
	for (size_t i = 0; memory_world_name(memory, i) != NULL; i++) {
		const uint8_t *bytes =
		        memory_world_file(memory, memory_world_name(memory, i), &size);

		if (size > 0)
			assert_null(memmem(bytes, size, "A1234BC", 7));
	}
	memory_world_free(&memory);
}

static void options_out_of_bounds_are_refused(void **state)
{
	struct memory_world *memory = memory_world_new(14);
	struct journal_options options = bed_options();
	struct journal *journal = NULL;
	struct message message;

	(void)state;
	options.segment_bytes = BED_SEGMENT + 1;
	assert_int_equal(journal_open(&journal, &options, memory_world_table(memory), &message),
	                 TTG_EINVAL);
	options = bed_options();
	options.max_bytes = BED_SEGMENT;
	assert_int_equal(journal_open(&journal, &options, memory_world_table(memory), &message),
	                 TTG_EINVAL);
	options = bed_options();
	options.cipher = (enum journal_cipher)9;
	assert_int_equal(journal_open(&journal, &options, memory_world_table(memory), &message),
	                 TTG_EINVAL);
	options = bed_options();
	options.directory = "";
	assert_int_equal(journal_open(&journal, &options, memory_world_table(memory), &message),
	                 TTG_EINVAL);
	assert_null(journal);
	memory_world_free(&memory);
}

static void it_works_on_the_machine_itself(void **state)
{
	struct journal_options options = bed_options();
	char directory[UNIT_DIRECTORY];
	char path[UNIT_DIRECTORY + 8];
	struct journal *journal = NULL;
	struct journal *second = NULL;
	struct message message = { "" };

	(void)state;
	unit_directory_make(directory);
	snprintf(path, sizeof(path), "%s/journal", directory);
	options.directory = path;
	for (uint64_t life = 1; life <= 3; life++) {
		assert_int_equal(journal_open(&journal, &options, world_real(), &message), TTG_OK);
		assert_int_equal(journal_open(&second, &options, world_real(), &message),
		                 TTG_ELOCKED);
		bed_fill(journal, 200, 9, SALT, MAX);
		assert_int_equal(bed_check(journal, 1, SALT, MAX), life * 200);
		journal_close(&journal);
	}
	unit_directory_remove(directory);
}

/* Ends of batches and the chain there, for each record, as a reader tells them. */
static unsigned read_batches(struct journal *journal, uint8_t (*chains)[JOURNAL_HASH_BYTES],
                             uint64_t *lasts, unsigned n)
{
	struct journal_reader *reader = NULL;
	struct journal_record record;
	uint64_t sequence;
	unsigned batches = 0;

	assert_int_equal(journal_reader_open(&reader, journal), TTG_OK);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(journal_reader_next(reader, &sequence, &record), TTG_OK);
		journal_reader_batch(reader, &lasts[i], chains[i]);
		assert_true(lasts[i] >= sequence);
		batches += lasts[i] == sequence;
	}
	journal_reader_close(&reader);
	return batches;
}

static void a_reader_tells_where_a_batch_ends_and_the_chain_there(void **state)
{
	enum { N = 60 };
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(6);
	struct journal *journal = bed_open(memory, &options);
	static uint8_t fresh[N][JOURNAL_HASH_BYTES], old[N][JOURNAL_HASH_BYTES];
	uint8_t head[JOURNAL_HASH_BYTES], id[JOURNAL_ID_BYTES], later_id[JOURNAL_ID_BYTES];
	uint64_t fresh_lasts[N], old_lasts[N];
	unsigned batches;

	(void)state;
	bed_fill(journal, N, 7, SALT, MAX);
	batches = read_batches(journal, fresh, fresh_lasts, N); /* out of memory */
	assert_int_equal(fresh_lasts[N - 1], N);
	assert_in_range(batches, 2, N - 1);
	journal_chain_head(journal, head);
	assert_memory_equal(fresh[N - 1], head, sizeof(head));
	assert_memory_not_equal(fresh[0], head, sizeof(head));
	journal_get_id(journal, id);
	journal_close(&journal);
	journal = bed_open(memory, &options);
	assert_int_equal(read_batches(journal, old, old_lasts, N), batches); /* from the files */
	assert_memory_equal(fresh, old, sizeof(old));
	assert_memory_equal(fresh_lasts, old_lasts, sizeof(old_lasts));
	journal_get_id(journal, later_id);
	assert_memory_equal(id, later_id, sizeof(id));
	journal_close(&journal);
	memory_world_free(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_durable_is_read_back_unchanged),
		cmocka_unit_test(a_closed_journal_opens_with_everything_in_it),
		cmocka_unit_test(opening_without_appending_leaves_no_segment),
		cmocka_unit_test(segments_change_when_full_and_stay_inside_their_size),
		cmocka_unit_test(a_reader_seeks_anywhere_and_reads_on),
		cmocka_unit_test(a_reader_tells_where_a_batch_ends_and_the_chain_there),
		cmocka_unit_test(a_segment_that_is_cut_while_it_is_read_is_read_to_its_end),
		cmocka_unit_test(a_reader_at_the_end_goes_on_when_more_is_durable),
		cmocka_unit_test(peek_sees_staged_and_recent_records),
		cmocka_unit_test(records_of_one_append_are_one_unit),
		cmocka_unit_test(the_largest_record_makes_the_way),
		cmocka_unit_test(a_full_buffer_answers_again_and_keeps_the_order),
		cmocka_unit_test(a_second_writer_is_refused),
		cmocka_unit_test(a_wrong_key_is_told_as_a_wrong_key),
		cmocka_unit_test(payloads_are_not_readable_on_disk),
		cmocka_unit_test(options_out_of_bounds_are_refused),
		cmocka_unit_test(it_works_on_the_machine_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
