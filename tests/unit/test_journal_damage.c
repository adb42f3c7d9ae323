/*
 * Damage. Whatever is done to the files of a journal, opening it gives all that was accepted or
 * says that it is damaged: never less without a word. One helper damages, another one judges.
 */
#include "journal_unit.h"

#define SALT 5
#define MAX  300

struct damaged {
	struct memory_world *original;
	uint64_t records;
	unsigned found, harmless;
};

/* However many threads prove it, they find the same, and tell the same place. */
static enum ttg_error verify_alone_and_together(struct memory_world *copy,
                                                const struct journal_options *options)
{
	struct journal_verify_result alone, together;
	struct message said_alone = { "" }, said_together = { "" };
	enum ttg_error err =
	        journal_verify(BED_DIRECTORY, options->key, memory_world_table(copy), 1, NULL,
	                       NULL, &alone, &said_alone);

	assert_int_equal(journal_verify(BED_DIRECTORY, options->key, memory_world_table(copy), 4,
	                                NULL, NULL, &together, &said_together),
	                 err);
	assert_string_equal(said_together.text, said_alone.text);
	assert_int_equal(together.records, alone.records);
	assert_int_equal(together.batches, alone.batches);
	assert_int_equal(together.bytes, alone.bytes);
	assert_int_equal(together.torn_bytes, alone.torn_bytes);
	assert_int_equal(together.last_sequence, alone.last_sequence);
	assert_memory_equal(together.chain_head, alone.chain_head, JOURNAL_HASH_BYTES);
	return err;
}

/* Opens a damaged copy: everything, or an error that names a file. Consumes the copy. */
static void judge(struct damaged *damaged, struct memory_world *copy)
{
	struct journal_options options = bed_options();
	struct journal *journal = NULL;
	struct message message = { "" };
	enum ttg_error verified = verify_alone_and_together(copy, &options);
	enum ttg_error err = journal_open(&journal, &options, memory_world_table(copy), &message);

	if (err == TTG_OK) {
		assert_int_equal(verified, TTG_OK);
		assert_int_equal(journal_durable(journal), damaged->records);
		assert_int_equal(bed_check(journal, 1, SALT, MAX), damaged->records);
		damaged->harmless++;
	} else {
		assert_int_equal(err, TTG_ECORRUPT);
		assert_int_equal(verified, TTG_ECORRUPT);
		assert_non_null(strstr(message.text, "offset"));
		assert_non_null(strstr(message.text, BED_DIRECTORY "/"));
		damaged->found++;
	}
	journal_close(&journal);
	memory_world_free(&copy);
}

/* Two lives and a few segments' worth of small batches; closed, or as a killed process leaves it.
 */
static struct damaged make(uint64_t per_life, unsigned lives, bool closed)
{
	struct damaged damaged = { .original = memory_world_new(1) };
	struct journal_options options = bed_options();

	for (unsigned life = 0; life < lives; life++) {
		struct journal *journal = bed_open(damaged.original, &options);

		bed_fill(journal, per_life, 3, SALT, MAX);
		damaged.records += per_life;
		if (closed || life + 1 < lives)
			journal_close(&journal);
		else
			bed_die(damaged.original, &journal, MEMORY_CRASH_PROCESS);
	}
	return damaged;
}

static bool is_data(const char *name)
{
	return strstr(name, "/seg-") != NULL || strstr(name, "HEAD") != NULL;
}

/* Calls change(copy, bytes, at) for every step-th place in every file, and judges each copy. */
static void sweep(struct damaged *damaged, uint64_t step,
                  void (*change)(uint8_t *bytes, uint64_t size, uint64_t at))
{
	const char *name;
	uint64_t size;

	for (size_t i = 0; (name = memory_world_name(damaged->original, i)) != NULL; i++) {
		if (!is_data(name))
			continue;
		(void)memory_world_file(damaged->original, name, &size);
		for (uint64_t at = 0; at < size; at += step) {
			struct memory_world *copy = memory_world_clone(damaged->original);
			uint8_t *bytes = memory_world_file(copy, name, &size);

			change(bytes, size, at);
			judge(damaged, copy);
		}
	}
}

static void flip_bit(uint8_t *bytes, uint64_t size, uint64_t at)
{
	(void)size;
	bytes[at] ^= (uint8_t)(1u << (at % 8));
}

static void zero_sector(uint8_t *bytes, uint64_t size, uint64_t at)
{
	memset(bytes + at, 0, size - at < 512 ? (size_t)(size - at) : 512);
}

static void swap_sectors(uint8_t *bytes, uint64_t size, uint64_t at)
{
	uint8_t sector[512];
	uint64_t other = (at + 4096) % size;

	memcpy(sector, bytes + at, 512);
	memcpy(bytes + at, bytes + other, 512);
	memcpy(bytes + other, sector, 512);
}

static void any_flipped_bit_of_a_closed_journal_is_found(void **state)
{
	struct damaged damaged = make(3, 2, true);

	(void)state;
	sweep(&damaged, 1, flip_bit);
	assert_true(damaged.found > 10000);
	memory_world_free(&damaged.original);
}

static void any_flipped_bit_of_a_killed_journal_is_found(void **state)
{
	struct damaged damaged = make(9, 2, false);

	(void)state;
	sweep(&damaged, 7, flip_bit);
	assert_true(damaged.found > 1000);
	memory_world_free(&damaged.original);
}

static void a_zeroed_sector_of_a_closed_journal_is_found(void **state)
{
	struct damaged damaged = make(30, 3, true);

	(void)state;
	sweep(&damaged, 512, zero_sector);
	assert_true(damaged.found > 100);
	memory_world_free(&damaged.original);
}

/* HEAD knows of the last batch too. */
static void a_zeroed_sector_of_a_killed_journal_is_found(void **state)
{
	struct damaged damaged = make(30, 1, false);

	(void)state;
	sweep(&damaged, 512, zero_sector);
	assert_true(damaged.found >= 10 * 8);
	memory_world_free(&damaged.original);
}

static void swapped_sectors_are_found(void **state)
{
	struct damaged damaged = make(30, 3, true);

	(void)state;
	sweep(&damaged, 512, swap_sectors);
	assert_true(damaged.found > 30); /* most are padding, and alike */
	memory_world_free(&damaged.original);
}

static void a_file_cut_anywhere_is_found(void **state)
{
	struct damaged kinds[] = { make(30, 3, true), make(30, 3, false) };
	const char *name;
	uint64_t size;

	(void)state;
	for (unsigned kind = 0; kind < 2; kind++) {
		struct damaged *damaged = &kinds[kind];

		for (size_t i = 0; (name = memory_world_name(damaged->original, i)) != NULL; i++) {
			if (!is_data(name))
				continue;
			(void)memory_world_file(damaged->original, name, &size);
			for (uint64_t cut = 0; cut < size; cut += 301) {
				struct memory_world *copy = memory_world_clone(damaged->original);
				uint8_t *bytes = malloc(cut + 1);
				const uint8_t *from = memory_world_file(copy, name, &size);

				assert_non_null(bytes);
				memcpy(bytes, from, cut);
				memory_world_put(copy, name, bytes, cut);
				free(bytes);
				judge(damaged, copy);
			}
		}
		assert_true(damaged->found > 100);
		assert_int_equal(damaged->harmless, 0);
		memory_world_free(&damaged->original);
	}
}

static void a_missing_file_is_found(void **state)
{
	const char *name;

	(void)state;
	for (unsigned closed = 0; closed < 2; closed++) {
		struct damaged damaged = make(500, 3, closed != 0);

		for (size_t i = 0; (name = memory_world_name(damaged.original, i)) != NULL; i++) {
			struct memory_world *copy = memory_world_clone(damaged.original);

			memory_world_put(copy, name, NULL, 0);
			if (is_data(name))
				judge(&damaged, copy);
			else
				memory_world_free(&copy);
		}
		assert_true(damaged.found > 5);
		assert_int_equal(damaged.harmless, 0);
		memory_world_free(&damaged.original);
	}
}

static void swapped_segments_are_found(void **state)
{
	struct damaged damaged = make(500, 3, true);
	const char *names[64];
	size_t count = 0;
	uint64_t size[2];

	(void)state;
	for (size_t i = 0; memory_world_name(damaged.original, i) != NULL; i++)
		if (strstr(memory_world_name(damaged.original, i), "/seg-") != NULL && count < 64)
			names[count++] = memory_world_name(damaged.original, i);
	assert_true(count > 3);
	for (size_t i = 0; i + 1 < count; i++) {
		struct memory_world *copy = memory_world_clone(damaged.original);
		const uint8_t *one = memory_world_file(damaged.original, names[i], &size[0]);
		const uint8_t *two = memory_world_file(damaged.original, names[i + 1], &size[1]);

		memory_world_put(copy, names[i], two, size[1]);
		memory_world_put(copy, names[i + 1], one, size[0]);
		judge(&damaged, copy);
	}
	assert_int_equal(damaged.harmless, 0);
	memory_world_free(&damaged.original);
}

static void an_older_copy_of_any_file_is_found(void **state)
{
	struct journal_options options = bed_options();
	struct damaged damaged = { .original = memory_world_new(3) };
	struct journal *journal;
	const char *name;
	uint64_t size;

	(void)state;
	for (unsigned life = 0; life < 4; life++) {
		struct memory_world *old;

		journal = bed_open(damaged.original, &options);
		bed_fill(journal, 100, 3, SALT, MAX);
		old = memory_world_clone(damaged.original); /* while it runs */
		bed_fill(journal, 100, 3, SALT, MAX);
		damaged.records += 200;
		journal_close(&journal);
		for (size_t i = 0; (name = memory_world_name(old, i)) != NULL; i++) {
			struct memory_world *copy = memory_world_clone(damaged.original);
			const uint8_t *bytes = memory_world_file(old, name, &size);

			memory_world_put(copy, name, bytes, size);
			if (is_data(name))
				judge(&damaged, copy);
			else
				memory_world_free(&copy);
		}
		memory_world_free(&old);
	}
	assert_true(damaged.found > 3);
	memory_world_free(&damaged.original);
}

static void damage_changes_nothing_on_disk(void **state)
{
	struct damaged damaged = make(30, 2, true);
	struct journal_options options = bed_options();
	struct memory_world *copy = memory_world_clone(damaged.original);
	const char *path = BED_DIRECTORY "/seg-0000000000000001.ttj";
	struct journal *journal = NULL;
	struct message message;
	uint64_t writes = memory_world_calls(copy, MEMORY_WRITE);
	uint64_t size;

	(void)state;
	memory_world_file(copy, path, &size)[4096 + 70] ^= 1;
	assert_int_equal(journal_open(&journal, &options, memory_world_table(copy), &message),
	                 TTG_ECORRUPT);
	assert_non_null(strstr(message.text, "seg-0000000000000001.ttj: offset 4096: "));
	assert_int_equal(memory_world_calls(copy, MEMORY_WRITE), writes);
	memory_world_free(&copy);
	memory_world_free(&damaged.original);
}

static void another_journals_segment_is_found(void **state)
{
	struct damaged one = make(30, 1, true);
	struct journal_options options = bed_options();
	struct memory_world *other = memory_world_new(77); /* another id */
	struct journal *journal = bed_open(other, &options);
	const char *path = BED_DIRECTORY "/seg-0000000000000001.ttj";
	const uint8_t *bytes;
	uint64_t size;

	(void)state;
	bed_fill(journal, 30, 3, SALT, MAX);
	journal_close(&journal);
	bytes = memory_world_file(other, path, &size);
	memory_world_put(one.original, path, bytes, size);
	judge(&one, memory_world_clone(one.original));
	assert_int_equal(one.found, 1);
	memory_world_free(&other);
	memory_world_free(&one.original);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_flipped_bit_of_a_closed_journal_is_found),
		cmocka_unit_test(any_flipped_bit_of_a_killed_journal_is_found),
		cmocka_unit_test(a_zeroed_sector_of_a_closed_journal_is_found),
		cmocka_unit_test(a_zeroed_sector_of_a_killed_journal_is_found),
		cmocka_unit_test(swapped_sectors_are_found),
		cmocka_unit_test(a_file_cut_anywhere_is_found),
		cmocka_unit_test(a_missing_file_is_found),
		cmocka_unit_test(swapped_segments_are_found),
		cmocka_unit_test(an_older_copy_of_any_file_is_found),
		cmocka_unit_test(damage_changes_nothing_on_disk),
		cmocka_unit_test(another_journals_segment_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
