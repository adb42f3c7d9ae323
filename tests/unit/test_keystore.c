/* The key store: keys that are given out are durable, keys that are destroyed stay so whatever is put back.
   */
#include "unit.h"

#include <errno.h>
#include <string.h>
#include "keystore/keystore.h"
#include "support/memory_world.h"

#define DIRECTORY "/keys"
#define KEYS      DIRECTORY "/keys"
#define GRAVES    DIRECTORY "/tombstones"
#define SLOT_AT(n) (4096 + ((n) - 1) * 64)

struct bed {
	struct memory_world *memory;
	struct keystore_options options;
	struct keystore *store;
	struct message message;
};

static void open_store(struct bed *bed)
{
	assert_int_equal(keystore_open(&bed->store, &bed->options, memory_world_table(bed->memory),
				       &bed->message),
			 TTG_OK);
}

/* All up to this number are used. */
static enum ttg_error prove(struct bed *bed, uint64_t newest)
{
	uint8_t bits[64];
	const struct keystore_used used = { newest, bits };

	assert_true(newest <= 8 * sizeof(bits));
	memset(bits, 0xff, sizeof(bits));
	return keystore_prove(bed->store, &used, &bed->message);
}

static void must_not_open(struct bed *bed, enum ttg_error error)
{
	assert_int_equal(keystore_open(&bed->store, &bed->options, memory_world_table(bed->memory),
				       &bed->message),
			 error);
}

static struct bed make_bed(uint64_t seed)
{
	struct bed bed = {
		.memory = memory_world_new(seed),
		.options = { .directory = DIRECTORY, .master = { 1 }, .first = 4 },
	};

	open_store(&bed);
	return bed;
}

static void end(struct bed *bed)
{
	keystore_close(&bed->store);
	memory_world_free(&bed->memory);
}

static void crash(struct bed *bed, enum memory_crash how)
{
	memory_world_kill(bed->memory);
	keystore_close(&bed->store);
	memory_world_crash(bed->memory, how);
}

static uint64_t take(struct bed *bed, uint8_t key[KEYSTORE_KEY])
{
	uint64_t number = 0;

	assert_int_equal(keystore_take(bed->store, &number), TTG_OK);
	assert_int_equal(keystore_get(bed->store, number, key), TTG_OK);
	return number;
}

static void must_be(struct bed *bed, uint64_t number, const uint8_t key[KEYSTORE_KEY])
{
	uint8_t found[KEYSTORE_KEY];

	assert_int_equal(keystore_get(bed->store, number, found), TTG_OK);
	assert_memory_equal(found, key, KEYSTORE_KEY);
}

static void what_was_given_out_is_there_after_every_crash(void **state)
{
	uint8_t keys[100][KEYSTORE_KEY], key[KEYSTORE_KEY];
	struct bed bed = make_bed(1);
	uint64_t numbers[100], last = 0;
	size_t n = 0;

	(void)state;
	for (unsigned life = 0; life < 12; life++) {
		assert_int_equal(prove(&bed, last), TTG_OK);
		for (size_t i = 0; i < n; i++)
			must_be(&bed, numbers[i], keys[i]);
		for (unsigned i = 0; i < 7 && n < 100; i++, n++) {
			numbers[n] = take(&bed, keys[n]);
			assert_true(numbers[n] > last); /* none twice */
			last = numbers[n];
			for (size_t k = 0; k < n; k++)
				assert_memory_not_equal(keys[k], keys[n], KEYSTORE_KEY);
		}
		crash(&bed, (enum memory_crash)(life % 3));
		open_store(&bed);
	}
	assert_int_equal(keystore_get(bed.store, last + 1000, key), TTG_ENOENT);
	assert_int_equal(keystore_get(bed.store, 0, key), TTG_ENOENT);
	end(&bed);
}

/* Keys that were being made when the power went lie between those of two lives, and are in nobody's way. */
static void what_a_crash_left_half_made_is_put_in_order(void **state)
{
	unsigned torn = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 40; seed++) {
		uint8_t key[KEYSTORE_KEY], first[KEYSTORE_KEY], other[KEYSTORE_KEY], bits[64];
		struct keystore_used used = { 0, bits };
		struct bed bed = make_bed(300 + seed);
		const uint64_t number = take(&bed, first);
		uint64_t next = 0;

		for (unsigned i = 0; i < 3; i++)
			take(&bed, key);
		memory_world_fail(bed.memory, MEMORY_SYNC, 0, EIO, true);
		assert_int_equal(keystore_take(bed.store, &next), TTG_EIO);
		crash(&bed, MEMORY_CRASH_RANDOM);
		open_store(&bed);
		torn += keystore_get(bed.store, number + 5, key) == TTG_ECORRUPT;
		assert_int_equal(prove(&bed, number + 3), TTG_OK);
		next = take(&bed, other);
		crash(&bed, MEMORY_CRASH_LOSE);
		open_store(&bed);
		memset(bits, 0, sizeof(bits));
		bits[(number - 1) / 8] = (uint8_t)(1u << ((number - 1) % 8));
		bits[(next - 1) / 8] |= (uint8_t)(1u << ((next - 1) % 8));
		used.newest = next;
		assert_int_equal(keystore_prove(bed.store, &used, &bed.message), TTG_OK);
		must_be(&bed, number, first);
		must_be(&bed, next, other);
		end(&bed);
	}
	assert_true(torn > 0);
}

static bool holds(struct bed *bed, const char *path, const void *bytes, size_t len)
{
	uint64_t size = 0;
	const uint8_t *file = memory_world_file(bed->memory, path, &size);

	for (uint64_t i = 0; file && i + len <= size; i++)
		if (memcmp(file + i, bytes, len) == 0)
			return true;
	return false;
}

static void a_destroyed_key_is_gone_whatever_is_put_back(void **state)
{
	uint8_t keys[6][KEYSTORE_KEY], key[KEYSTORE_KEY], before[8192], wrapped[40];
	struct bed bed = make_bed(2);
	uint64_t numbers[6], size = 0;
	const uint8_t *file;

	(void)state;
	for (size_t i = 0; i < 6; i++)
		numbers[i] = take(&bed, keys[i]);
	file = memory_world_file(bed.memory, KEYS, &size);
	assert_true(size <= sizeof(before));
	memcpy(before, file, size);
	memcpy(wrapped, before + SLOT_AT(numbers[1]), sizeof(wrapped));
	assert_true(holds(&bed, KEYS, wrapped, sizeof(wrapped)));
	assert_int_equal(keystore_destroy(bed.store, &numbers[1], 3), TTG_OK);
	assert_int_equal(keystore_destroy(bed.store, &numbers[2], 1), TTG_OK);
	for (size_t i = 0; i < 6; i++) {
		if (i >= 1 && i <= 3)
			assert_int_equal(keystore_get(bed.store, numbers[i], key), TTG_EPERM);
		else
			must_be(&bed, numbers[i], keys[i]);
	}
	assert_false(holds(&bed, KEYS, wrapped, sizeof(wrapped)));
	/* Power goes, and an older copy of the keys is put back. */
	crash(&bed, MEMORY_CRASH_LOSE);
	memory_world_put(bed.memory, KEYS, before, size);
	open_store(&bed);
	assert_int_equal(prove(&bed, numbers[5]), TTG_OK);
	assert_int_equal(keystore_get(bed.store, numbers[1], key), TTG_EPERM);
	assert_true(keystore_is_destroyed(bed.store, numbers[3]));
	must_be(&bed, numbers[4], keys[4]);
	assert_false(holds(&bed, KEYS, wrapped, sizeof(wrapped)));
	end(&bed);
}

/* Every call of the destruction fails once, the power goes, and what was told stays true. */
static void a_destruction_that_was_cut_short_is_made_whole(void **state)
{
	(void)state;
	for (unsigned call = 0; call < MEMORY_CALLS; call++) {
		for (uint64_t after = 0; after < 6; after++) {
			uint8_t keys[3][KEYSTORE_KEY], key[KEYSTORE_KEY];
			struct bed bed = make_bed(100 + after);
			uint64_t numbers[3];
			enum ttg_error error;

			for (size_t i = 0; i < 3; i++)
				numbers[i] = take(&bed, keys[i]);
			memory_world_fail(bed.memory, (enum memory_call)call, after, EIO, true);
			error = keystore_destroy(bed.store, numbers, 2);
			crash(&bed, MEMORY_CRASH_RANDOM);
			open_store(&bed);
			if (!error)
				assert_int_equal(keystore_get(bed.store, numbers[0], key), TTG_EPERM);
			must_be(&bed, numbers[2], keys[2]);
			assert_int_equal(keystore_destroy(bed.store, numbers, 2), TTG_OK);
			assert_int_equal(keystore_get(bed.store, numbers[0], key), TTG_EPERM);
			assert_int_equal(keystore_get(bed.store, numbers[1], key), TTG_EPERM);
			end(&bed);
		}
	}
}

static void no_room_loses_nothing(void **state)
{
	uint8_t key[KEYSTORE_KEY], first[KEYSTORE_KEY];
	struct bed bed = make_bed(3);
	const uint64_t one = take(&bed, first);
	uint64_t number = 0;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		take(&bed, key);
	memory_world_fail(bed.memory, MEMORY_WRITE, 0, ENOSPC, true);
	assert_int_equal(keystore_take(bed.store, &number), TTG_ENOSPC);
	assert_int_equal(keystore_destroy(bed.store, &one, 1), TTG_ENOSPC);
	must_be(&bed, one, first);
	memory_world_fail(bed.memory, MEMORY_WRITE, UINT64_MAX, EIO, false);
	take(&bed, key);
	assert_int_equal(keystore_destroy(bed.store, &one, 1), TTG_OK);
	end(&bed);
}

static void damage_is_named(void **state)
{
	uint8_t key[KEYSTORE_KEY];
	struct bed bed = make_bed(4);
	uint64_t numbers[6], size = 0;
	uint8_t *file;

	(void)state;
	for (size_t i = 0; i < 6; i++)
		numbers[i] = take(&bed, key);
	assert_int_equal(keystore_destroy(bed.store, &numbers[0], 1), TTG_OK);
	assert_int_equal(keystore_destroy(bed.store, &numbers[1], 1), TTG_OK);
	keystore_close(&bed.store);
	file = memory_world_file(bed.memory, KEYS, &size);
	for (unsigned at = 0; at < 64; at++) { /* every byte of a slot, one after the other */
		file[SLOT_AT(numbers[3]) + at] ^= 0x10;
		open_store(&bed);
		assert_int_equal(prove(&bed, numbers[5]), TTG_ECORRUPT);
		assert_non_null(strstr(bed.message.text, "keys: damaged at offset 4288"));
		assert_int_equal(keystore_get(bed.store, numbers[3], key), TTG_ECORRUPT);
		keystore_close(&bed.store);
		file[SLOT_AT(numbers[3]) + at] ^= 0x10;
	}
	file[20] ^= 1;
	must_not_open(&bed, TTG_ECORRUPT);
	file[20] ^= 1;
	file = memory_world_file(bed.memory, GRAVES, &size);
	assert_int_equal(size, 64);
	file[5] ^= 1; /* with a later one behind it */
	assert_int_equal(keystore_open(&bed.store, &bed.options, memory_world_table(bed.memory),
	&bed.message), 		 TTG_ECORRUPT);
	assert_non_null(strstr(bed.message.text, "tombstones: damaged at offset 0"));
	end(&bed);
}

static bool is_destroyed(struct bed *bed, uint64_t number)
{
	uint8_t key[KEYSTORE_KEY];

	return keystore_get(bed->store, number, key) == TTG_EPERM;
}

/* Many at once, cut short by a crash that keeps any of the sectors: the store opens, the others are as they
   were, and what is asked for again is done. */
static void what_a_crash_left_of_many_is_put_in_order(void **state)
{
	uint64_t numbers[200], kept, before;
	uint8_t key[KEYSTORE_KEY], held[KEYSTORE_KEY];
	unsigned int torn = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct bed bed = make_bed(1000 + seed);

		before = take(&bed, key);
		for (size_t i = 0; i < 200; i++)
			numbers[i] = take(&bed, key);
		kept = take(&bed, held);
		assert_int_equal(keystore_destroy(bed.store, &before, 1), TTG_OK);
		memory_world_fail(bed.memory, MEMORY_SYNC, 0, EIO, true);
		assert_int_equal(keystore_destroy(bed.store, numbers, 200), TTG_EIO);
		memory_world_fail(bed.memory, MEMORY_SYNC, UINT64_MAX, EIO, false);
		crash(&bed, MEMORY_CRASH_RANDOM);
		for (int again = 0; again < 2; again++) {
			unsigned int gone = 0;

			open_store(&bed);
			assert_true(is_destroyed(&bed, before));
			for (size_t i = 0; i < 200; i++)
				gone += is_destroyed(&bed, numbers[i]);
			torn += again == 0 && gone > 0 && gone < 200;
			must_be(&bed, kept, held);
			assert_int_equal(keystore_destroy(bed.store, numbers, 200), TTG_OK);
			for (size_t i = 0; i < 200; i++)
				assert_true(is_destroyed(&bed, numbers[i]));
			keystore_close(&bed.store);
		}
		end(&bed);
	}
	assert_true(torn > 20);
}

static void an_older_or_another_store_is_noticed(void **state)
{
	uint8_t key[KEYSTORE_KEY];
	struct bed bed = make_bed(5);
	const uint64_t number = take(&bed, key);
	struct keystore *second = NULL;

	(void)state;
	assert_int_equal(keystore_open(&second, &bed.options, memory_world_table(bed.memory), &bed.message),
			 TTG_ELOCKED);
	assert_int_equal(prove(&bed, number + 100), TTG_ECORRUPT);
	assert_non_null(strstr(bed.message.text, "older copy"));
	keystore_close(&bed.store);
	bed.options.master[0] = 9;
	must_not_open(&bed, TTG_ECRYPTO);
	assert_non_null(strstr(bed.message.text, "another master key"));
	end(&bed);
}

static void rewrap(struct bed *bed, uint64_t newest)
{
	bool done = false;

	assert_int_equal(prove(bed, newest), TTG_OK);
	while (!done)
		assert_int_equal(keystore_rewrap(bed->store, &done), TTG_OK);
}

/* Keys come and go while they are wrapped anew; a crash at any change leaves one whole file or the other. */
static void another_master_key_loses_nothing(void **state)
{
	unsigned reached = 0;

	(void)state;
	for (uint64_t after = 0; after < 40; after++) {
		uint8_t keys[20][KEYSTORE_KEY], key[KEYSTORE_KEY];
		struct bed bed = make_bed(200 + after);
		uint64_t numbers[20];
		struct keystore_view view;
		bool done = false;
		const enum memory_call call = (enum memory_call)(after % MEMORY_CALLS);

		for (size_t i = 0; i < 10; i++)
			numbers[i] = take(&bed, keys[i]);
		assert_int_equal(keystore_set_master(bed.store, (const uint8_t[KEYSTORE_KEY]){ 2 }), TTG_OK);
		assert_int_equal(keystore_rewrap(bed.store, &done), TTG_OK);
		for (size_t i = 10; i < 20; i++)
			numbers[i] = take(&bed, keys[i]);
		assert_int_equal(keystore_destroy(bed.store, &numbers[3], 1), TTG_OK);
		memory_world_fail(bed.memory, call, after / MEMORY_CALLS, EIO, true);
		for (unsigned i = 0; i < 10 && !done; i++)
			if (keystore_rewrap(bed.store, &done) != TTG_OK)
				break;
		reached += done;
		crash(&bed, MEMORY_CRASH_RANDOM);
		bed.options.master[0] = 2;
		bed.options.before[0] = 1;
		bed.options.has_before = true;
		open_store(&bed);
		keystore_get_view(bed.store, &view);
		rewrap(&bed, numbers[19]);
		for (size_t i = 0; i < 20; i++)
			if (i != 3)
				must_be(&bed, numbers[i], keys[i]);
		assert_int_equal(keystore_get(bed.store, numbers[3], key), TTG_EPERM);
		keystore_close(&bed.store);
		bed.options.has_before = false; /* the one before is not needed any more */
		open_store(&bed);
		assert_int_equal(prove(&bed, numbers[19]), TTG_OK);
		must_be(&bed, numbers[19], keys[19]);
		end(&bed);
	}
	assert_true(reached > 0 && reached < 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_given_out_is_there_after_every_crash),
		cmocka_unit_test(what_a_crash_left_half_made_is_put_in_order),
		cmocka_unit_test(a_destroyed_key_is_gone_whatever_is_put_back),
		cmocka_unit_test(a_destruction_that_was_cut_short_is_made_whole),
		cmocka_unit_test(no_room_loses_nothing),
		cmocka_unit_test(damage_is_named),
		cmocka_unit_test(what_a_crash_left_of_many_is_put_in_order),
		cmocka_unit_test(an_older_or_another_store_is_noticed),
		cmocka_unit_test(another_master_key_loses_nothing),
	};

	return cmocka_run_group_tests_name("keystore", tests, NULL, NULL);
}
