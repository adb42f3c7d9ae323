/* What is kept and what goes: retention, snapshots, verify, backups. */
#include "journal_unit.h"

#include "base/crc32c.h"
#include "journal/crypto.h"

#include <errno.h>

#define SALT 21
#define MAX  800

static void retention_removes_whole_segments_from_the_old_end(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(1);
	struct journal *journal = bed_open(memory, &options);
	struct journal_reader *reader = NULL;
	struct journal_record record;
	struct journal_stats stats;
	uint64_t first;
	uint64_t removed;
	uint64_t sequence;

	(void)state;
	bed_fill(journal, 1500, 7, SALT, MAX);
	assert_int_equal(journal_reader_open(&reader, journal), TTG_OK);
	assert_int_equal(journal_retain(journal, 1, &removed), TTG_OK);
	assert_int_equal(removed, 0);
	assert_int_equal(journal_retain(journal, 700, &removed), TTG_OK);
	assert_true(removed > 2);
	journal_get_stats(journal, &stats);
	first = stats.first_sequence;
	assert_true(first > 1 && first <= 700);
	assert_int_equal(journal_reader_next(reader, &sequence, &record), TTG_ENOENT);
	assert_int_equal(bed_check(journal, first, SALT, MAX), 1500);
	assert_int_equal(journal_retain(journal, UINT64_MAX, &removed), TTG_OK);
	journal_get_stats(journal, &stats);
	assert_int_equal(stats.segments, 1);
	first = stats.first_sequence;
	assert_true(first <= 1500);
	journal_reader_close(&reader);
	bed_die(memory, &journal, MEMORY_CRASH_LOSE);
	journal = bed_open(memory, &options);
	journal_get_stats(journal, &stats);
	assert_int_equal(stats.first_sequence, first);
	assert_int_equal(bed_check(journal, first, SALT, MAX), 1500);
	bed_fill(journal, 100, 7, SALT, MAX);
	assert_int_equal(bed_check(journal, first, SALT, MAX), 1600);
	journal_close(&journal);
	memory_world_free(&memory);
}

static void age_counts_whole_segments(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(2);
	struct journal *journal = bed_open(memory, &options);
	const struct world *world = memory_world_table(memory);
	struct journal_stats stats;
	int64_t middle;
	uint64_t keep;

	(void)state;
	bed_fill(journal, 500, 7, SALT, MAX);
	memory_world_advance(memory, 1000000000);
	middle = world->real_ns(world->self);
	bed_fill(journal, 500, 7, SALT, MAX);
	journal_get_stats(journal, &stats);
	assert_int_equal(journal_sequence_before(journal, 0), 0);
	keep = journal_sequence_before(journal, middle);
	assert_true(keep > 100 && keep <= 501);
	assert_int_equal(journal_retain(journal, keep, NULL), TTG_OK);
	journal_get_stats(journal, &stats);
	assert_int_equal(stats.first_sequence, keep);
	journal_close(&journal);
	memory_world_free(&memory);
}

static void a_snapshot_comes_back_and_the_two_newest_stay(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(3);
	struct journal *journal = bed_open(memory, &options);
	uint8_t *data = NULL;
	uint64_t sequence = 0;
	unsigned files = 0;
	size_t len = 0;

	(void)state;
	assert_int_equal(journal_snapshot_load(journal, &sequence, &data, &len, NULL), TTG_ENOENT);
	bed_fill(journal, 40, 7, SALT, MAX);
	assert_int_equal(journal_snapshot_save(journal, 41, "x", 1, NULL), TTG_EINVAL);
	assert_int_equal(journal_snapshot_save(journal, 10, "ten", 3, NULL), TTG_OK);
	assert_int_equal(journal_snapshot_save(journal, 20, "twenty", 6, NULL), TTG_OK);
	assert_int_equal(journal_snapshot_save(journal, 30, "", 0, NULL), TTG_OK);
	assert_int_equal(journal_snapshot_save(journal, 40, "forty", 5, NULL), TTG_OK);
	journal_close(&journal);
	for (size_t i = 0; memory_world_name(memory, i) != NULL; i++)
		files += strstr(memory_world_name(memory, i), ".tts") != NULL;
	assert_int_equal(files, 2);
	journal = bed_open(memory, &options);
	assert_int_equal(journal_snapshot_load(journal, &sequence, &data, &len, NULL), TTG_OK);
	assert_int_equal(sequence, 40);
	assert_int_equal(len, 5);
	assert_memory_equal(data, "forty", 5);
	free(data);
	journal_close(&journal);
	memory_world_free(&memory);
}

static void a_damaged_snapshot_is_skipped_only_while_its_records_are_held(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(4);
	struct journal *journal = bed_open(memory, &options);
	struct journal_stats stats;
	struct message message = { "" };
	uint8_t *data = NULL;
	uint8_t *bytes;
	uint64_t sequence = 0;
	uint64_t size;
	size_t len = 0;

	(void)state;
	bed_fill(journal, 1000, 7, SALT, MAX);
	assert_int_equal(journal_snapshot_save(journal, 100, "old", 3, NULL), TTG_OK);
	assert_int_equal(journal_snapshot_save(journal, 900, "new", 3, NULL), TTG_OK);
	bytes = memory_world_file(memory, BED_DIRECTORY "/snap-0000000000000384.tts", &size);
	assert_non_null(bytes);
	for (uint64_t at = 0; at < size; at++) {
		bytes[at] ^= 0x10;
		assert_int_equal(journal_snapshot_load(journal, &sequence, &data, &len, &message),
		                 TTG_OK);
		assert_int_equal(sequence, 100);
		assert_memory_equal(data, "old", 3);
		assert_non_null(strstr(message.text, "snap-0000000000000384.tts"));
		free(data);
		bytes[at] ^= 0x10;
	}
	assert_int_equal(journal_retain(journal, 800, NULL), TTG_OK);
	journal_get_stats(journal, &stats);
	assert_true(stats.first_sequence > 101);
	assert_int_equal(journal_snapshot_load(journal, &sequence, &data, &len, &message), TTG_OK);
	assert_int_equal(sequence, 900);
	free(data);
	bytes[size - 50] ^= 1;
	assert_int_equal(journal_snapshot_load(journal, &sequence, &data, &len, &message),
	                 TTG_ECORRUPT);
	assert_null(data);
	memory_world_put(memory, BED_DIRECTORY "/snap-0000000000000384.tts", NULL, 0);
	memory_world_put(memory, BED_DIRECTORY "/snap-0000000000000064.tts", NULL, 0);
	assert_int_equal(journal_snapshot_load(journal, &sequence, &data, &len, &message),
	                 TTG_ECORRUPT);
	journal_close(&journal);
	memory_world_free(&memory);
}

/* Changes a byte of the body and makes checksum and hash right again: only the tag tells. */
static void forge_snapshot(struct memory_world *memory, const char *path)
{
	struct crypto *crypto = crypto_new();
	uint64_t size;
	uint8_t *bytes = memory_world_file(memory, path, &size);
	uint8_t *body = bytes + FORMAT_SNAPSHOT_HEADER;
	uint8_t *hash = bytes + size - 4 - JOURNAL_HASH_BYTES;

	assert_non_null(bytes);
	assert_non_null(crypto);
	body[0] ^= 1;
	assert_int_equal(crypto_hash(crypto, bytes, (size_t)(hash - bytes), NULL, 0, hash), TTG_OK);
	format_put_u32(hash + JOURNAL_HASH_BYTES,
	               crc32c(0, body, (size_t)(hash - body) + JOURNAL_HASH_BYTES));
	crypto_free(&crypto);
}

static void a_forged_snapshot_is_refused_when_records_before_it_are_gone(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(14);
	struct journal *journal = bed_open(memory, &options);
	struct message message = { "" };
	uint8_t *data = NULL;
	uint64_t sequence;
	size_t len;

	(void)state;
	bed_fill(journal, 1000, 7, SALT, MAX);
	assert_int_equal(journal_snapshot_save(journal, 900, "new", 3, NULL), TTG_OK);
	forge_snapshot(memory, BED_DIRECTORY "/snap-0000000000000384.tts");
	assert_int_equal(journal_snapshot_load(journal, &sequence, &data, &len, &message),
	                 TTG_ENOENT);
	assert_int_equal(journal_retain(journal, 800, NULL), TTG_OK);
	assert_int_equal(journal_snapshot_load(journal, &sequence, &data, &len, &message),
	                 TTG_ECORRUPT);
	assert_null(data);
	assert_non_null(strstr(message.text, "body is not what was encrypted"));
	journal_close(&journal);
	memory_world_free(&memory);
}

static void a_snapshot_ahead_of_the_journal_tells_of_a_loss(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(5);
	struct journal *journal = bed_open(memory, &options);
	struct memory_world *old;
	const char *path = BED_DIRECTORY "/snap-0000000000000014.tts";
	uint8_t *data = NULL;
	uint64_t sequence;
	uint64_t size;
	size_t len;

	(void)state;
	bed_fill(journal, 10, 3, SALT, MAX);
	journal_close(&journal);
	old = memory_world_clone(memory);
	journal = bed_open(memory, &options);
	bed_fill(journal, 10, 3, SALT, MAX);
	assert_int_equal(journal_snapshot_save(journal, 20, "state", 5, NULL), TTG_OK);
	journal_close(&journal);
	const uint8_t *bytes = memory_world_file(memory, path, &size);
	assert_non_null(bytes);
	memory_world_put(old, path, bytes, size);
	journal = bed_open(old, &options);
	assert_int_equal(journal_snapshot_load(journal, &sequence, &data, &len, NULL),
	                 TTG_ECORRUPT);
	journal_close(&journal);
	memory_world_free(&old);
	memory_world_free(&memory);
}

static void verify_proves_a_running_journal_without_its_key(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(6);
	struct journal *journal = bed_open(memory, &options);
	struct journal_verify_result result;
	uint8_t head[JOURNAL_HASH_BYTES];

	(void)state;
	bed_fill(journal, 800, 7, SALT, MAX);
	assert_int_equal(journal_verify(BED_DIRECTORY, NULL, memory_world_table(memory), 1, NULL,
	                                NULL, &result, NULL),
	                 TTG_OK);
	journal_chain_head(journal, head);
	assert_memory_equal(result.chain_head, head, sizeof(head));
	assert_int_equal(result.first_sequence, 1);
	assert_int_equal(result.last_sequence, 800);
	assert_int_equal(result.records, 800);
	assert_int_equal(result.torn_bytes, 0);
	assert_true(result.segments > 3);
	options.key[3] ^= 1;
	assert_int_equal(journal_verify(BED_DIRECTORY, options.key, memory_world_table(memory),
	                                1, NULL, NULL, &result, NULL),
	                 TTG_ECRYPTO);
	assert_int_equal(journal_verify("/nowhere", NULL, memory_world_table(memory), 1, NULL,
	                                NULL, &result, NULL),
	                 TTG_ENOENT);
	journal_close(&journal);
	memory_world_free(&memory);
}

static void a_torn_tail_is_reported_and_stays_where_it_is(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(7);
	struct journal *journal = bed_open(memory, &options);
	struct journal_verify_result result;
	const char *path = BED_DIRECTORY "/seg-0000000000000001.ttj";
	uint64_t sequence;
	uint64_t size;
	uint8_t *bytes;

	(void)state;
	bed_fill(journal, 3, 1, SALT, MAX);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(bed_append(journal, SALT, MAX, &sequence), TTG_OK);
	memory_world_fail(memory, MEMORY_SYNC, 0, EIO, true);
	assert_int_equal(journal_flush(journal), TTG_EIO);
	bed_die(memory, &journal, MEMORY_CRASH_PROCESS);
	bytes = memory_world_file(memory, path, &size);
	assert_int_equal(size, BED_SEGMENT);
	memset(bytes + 4 * 4096 + 512, 0, 512); /* this sector never made it */
	assert_int_equal(journal_verify(BED_DIRECTORY, options.key, memory_world_table(memory),
	                                1, NULL, NULL, &result, NULL),
	                 TTG_OK);
	assert_int_equal(result.last_sequence, 3);
	assert_true(result.torn_bytes > 0);
	for (unsigned life = 0; life < 3; life++) {
		journal = bed_open(memory, &options);
		assert_int_equal(journal_durable(journal), 3 + life * 10);
		bed_fill(journal, 10, 3, SALT, MAX);
		bed_die(memory, &journal, MEMORY_CRASH_PROCESS);
	}
	bytes = memory_world_file(memory, path, &size);
	assert_true(size < BED_SEGMENT && size > 5 * 4096);
	assert_int_not_equal(bytes[4 * 4096], 0);
	assert_int_equal(bytes[4 * 4096 + 600], 0);
	memory_world_free(&memory);
}

static void a_backup_of_a_running_journal_opens_with_all_that_was_durable(void **state)
{
	struct journal_options options = bed_options();
	struct memory_world *memory = memory_world_new(8);
	struct journal *journal = bed_open(memory, &options);
	struct message message = { "" };
	uint8_t *data = NULL;
	uint64_t sequence;
	size_t len;

	(void)state;
	bed_fill(journal, 700, 7, SALT, MAX);
	assert_int_equal(journal_snapshot_save(journal, 650, "state", 5, NULL), TTG_OK);
	assert_int_equal(journal_retain(journal, 300, NULL), TTG_OK);
	assert_int_equal(bed_append(journal, SALT, MAX, &sequence), TTG_OK); /* not durable */
	assert_int_equal(unit_backup(journal, "/backup", &message), TTG_OK);
	assert_int_equal(unit_backup(journal, "/backup", &message), TTG_EEXIST);
	bed_fill(journal, 100, 7, SALT, MAX);
	journal_close(&journal);
	options.directory = "/backup";
	journal = bed_open(memory, &options);
	assert_int_equal(journal_durable(journal), 700);
	struct journal_stats stats;
	journal_get_stats(journal, &stats);
	assert_true(stats.first_sequence > 1);
	assert_int_equal(bed_check(journal, stats.first_sequence, SALT, MAX), 700);
	assert_int_equal(journal_snapshot_load(journal, &sequence, &data, &len, &message), TTG_OK);
	assert_int_equal(sequence, 650);
	free(data);
	bed_fill(journal, 50, 7, SALT, MAX);
	assert_int_equal(bed_check(journal, stats.first_sequence, SALT, MAX), 750);
	journal_close(&journal);
	memory_world_free(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(retention_removes_whole_segments_from_the_old_end),
		cmocka_unit_test(age_counts_whole_segments),
		cmocka_unit_test(a_snapshot_comes_back_and_the_two_newest_stay),
		cmocka_unit_test(a_damaged_snapshot_is_skipped_only_while_its_records_are_held),
		cmocka_unit_test(a_forged_snapshot_is_refused_when_records_before_it_are_gone),
		cmocka_unit_test(a_snapshot_ahead_of_the_journal_tells_of_a_loss),
		cmocka_unit_test(verify_proves_a_running_journal_without_its_key),
		cmocka_unit_test(a_torn_tail_is_reported_and_stays_where_it_is),
		cmocka_unit_test(a_backup_of_a_running_journal_opens_with_all_that_was_durable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
