/* Whose keys are which: owners with several, dropped and lapsed, against a plain list. */
#include <stdlib.h>
#include <string.h>

#include "core/keys.h"
#include "unit.h"

#define OWNERS 40u
#define MOMENTS 6u
#define STEPS 20000

/* What must be: the key of each owner for each moment, 0 none; moment 0 has no end. */
struct plain {
	uint64_t key[OWNERS][MOMENTS];
	uint64_t highest, lapsed_s;
};

static void owner_of(unsigned int number, uint8_t out[KEYS_OWNER])
{
	memset(out, 0, KEYS_OWNER);
	out[0] = (uint8_t)(number % 4); /* many in one place of the index */
	out[8] = (uint8_t)number;
}

static uint64_t moment(unsigned int m, uint64_t base)
{
	return m == 0 ? 0 : base + m;
}

static void check(const struct keys *keys, const struct plain *plain, uint64_t base)
{
	size_t live = 0;

	for (unsigned int i = 0; i < OWNERS; i++) {
		const struct keys_entry *entry;
		uint8_t owner[KEYS_OWNER];
		size_t n = 0, listed = 0;

		owner_of(i, owner);
		for (unsigned int m = 0; m < MOMENTS; m++) {
			assert_int_equal(keys_find(keys, owner, moment(m, base)), plain->key[i][m]);
			n += plain->key[i][m] != 0;
			if (plain->key[i][m] != 0)
				assert_true(keys_has(keys, owner, plain->key[i][m]));
		}
		for (entry = keys_newest(keys, owner); entry; entry = keys_older(keys, entry)) {
			assert_memory_equal(entry->owner, owner, KEYS_OWNER);
			assert_true(entry->key != 0);
			listed++;
		}
		assert_int_equal(listed, n);
		live += n;
	}
	assert_int_equal(keys->live, live);
}

/* The same after it was written and read. */
static void check_saved(const struct keys *keys, const struct plain *plain, uint64_t base)
{
	const size_t bound = keys_bound(keys);
	uint8_t *bytes = malloc(bound), *again = malloc(bound);
	struct keys loaded = { 0 };
	struct cursor cursor;
	size_t len;

	assert_true(bytes && again);
	cursor_init_write(&cursor, bytes, bound);
	keys_save(keys, &cursor);
	assert_true(cursor_ok(&cursor));
	len = cursor_offset(&cursor);
	cursor_init_read(&cursor, bytes, len);
	assert_true(keys_load(&loaded, &cursor, true));
	assert_int_equal(cursor_left(&cursor), 0);
	check(&loaded, plain, base);
	assert_int_equal(loaded.highest, keys->highest);
	assert_int_equal(loaded.lapsed_s, keys->lapsed_s);
	cursor_init_write(&cursor, again, bound);
	keys_save(&loaded, &cursor);
	assert_int_equal(cursor_offset(&cursor), len);
	assert_memory_equal(again, bytes, len);
	keys_fini(&loaded);
	free(bytes);
	free(again);
}

static uint64_t lapse_all(struct keys *keys, struct plain *plain, uint64_t base)
{
	size_t due = 0;

	for (unsigned int i = 0; i < OWNERS; i++)
		for (unsigned int m = 1; m < MOMENTS; m++) {
			due += plain->key[i][m] != 0;
			plain->key[i][m] = 0;
		}
	assert_int_equal(keys_due(keys, base + MOMENTS), due);
	assert_true(keys_lapse(keys, base + MOMENTS));
	plain->lapsed_s = base + MOMENTS;
	assert_int_equal(keys->first_s, 0);
	return base + MOMENTS;
}

static void it_is_what_a_plain_list_would_be(void **state)
{
	struct keys keys = { 0 };
	struct plain plain = { .highest = 0 };
	uint64_t random = 12345, base = 1000;
	size_t gone = 0;

	(void)state;
	for (int step = 0; step < STEPS; step++) {
		random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
		const unsigned int i = (unsigned int)(random >> 33) % OWNERS,
				   m = (unsigned int)(random >> 45) % MOMENTS;
		uint64_t *key = &plain.key[i][m];
		uint8_t owner[KEYS_OWNER];

		owner_of(i, owner);
		if (*key == 0) {
			assert_false(keys_fits(&keys, owner, moment(m, base), keys.highest));
			plain.highest += 1 + (random >> 60);
			assert_true(keys_fits(&keys, owner, moment(m, base), plain.highest));
			assert_true(keys_give(&keys, owner, moment(m, base), plain.highest));
			*key = plain.highest;
		} else {
			assert_false(keys_fits(&keys, owner, moment(m, base), keys.highest + 1));
			assert_true(keys_drop(&keys, owner, *key));
			assert_int_equal(keys.gone[keys.n_gone - 1], *key);
			assert_false(keys_has(&keys, owner, *key));
			*key = 0;
		}
		if (step % 512 == 511)
			base = lapse_all(&keys, &plain, base);
		if (step % 64 == 63)
			check(&keys, &plain, base);
		if (step % 1000 == 999) {
			check_saved(&keys, &plain, base);
			gone += keys.n_gone - keys.first_gone;
			keys_destroyed(&keys, keys.n_gone - keys.first_gone);
		}
	}
	assert_true(gone > STEPS / 3);
	assert_true(keys.room < 1024); /* what was dropped makes room */
	keys_fini(&keys);
}

static void what_has_lapsed_is_given_to_nobody(void **state)
{
	struct keys keys = { 0 };
	uint8_t owner[KEYS_OWNER];

	(void)state;
	owner_of(1, owner);
	assert_true(keys_give(&keys, owner, 100, 1));
	assert_true(keys_give(&keys, owner, 0, 2));
	assert_int_equal(keys.first_s, 100);
	assert_int_equal(keys_due(&keys, 99), 0);
	assert_int_equal(keys_due(&keys, 100), 1);
	assert_true(keys_lapse(&keys, 100));
	assert_int_equal(keys_find(&keys, owner, 0), 2); /* without end: it stays */
	assert_false(keys_fits(&keys, owner, 100, 3));
	assert_true(keys_fits(&keys, owner, 101, 3));
	keys_fini(&keys);
}

/* As snapshots had it: highest, owners with a key or without, keys that were to be destroyed. */
static size_t put_old(uint8_t *out, size_t room, bool twice)
{
	uint8_t owner[KEYS_OWNER];
	struct cursor cursor;

	cursor_init_write(&cursor, out, room);
	cursor_put_varint(&cursor, 9);
	cursor_put_varint(&cursor, 3);
	for (unsigned int i = 0; i < 3; i++) {
		static const uint64_t had[] = { 7, 0, 4 };

		owner_of(twice ? 0 : i, owner);
		cursor_put_bytes(&cursor, owner, KEYS_OWNER);
		cursor_put_varint(&cursor, had[i]);
	}
	cursor_put_varint(&cursor, 2);
	cursor_put_varint(&cursor, 5);
	cursor_put_varint(&cursor, 6);
	assert_true(cursor_ok(&cursor));
	return cursor_offset(&cursor);
}

static void keys_from_before_they_had_an_end_have_none(void **state)
{
	uint8_t bytes[256], owner[KEYS_OWNER];
	struct cursor cursor;
	size_t len = put_old(bytes, sizeof(bytes), false);

	(void)state;
	for (size_t cut = 0; cut <= len; cut++) {
		struct keys keys = { 0 };

		cursor_init_read(&cursor, bytes, cut);
		assert_int_equal(keys_load(&keys, &cursor, false), cut == len);
		if (cut == len) {
			assert_int_equal(keys.live, 2);
			assert_int_equal(keys.highest, 9);
			owner_of(0, owner);
			assert_int_equal(keys_find(&keys, owner, 0), 7);
			owner_of(1, owner);
			assert_null(keys_newest(&keys, owner));
			owner_of(2, owner);
			assert_int_equal(keys_find(&keys, owner, 0), 4);
		}
		keys_fini(&keys);
	}
	struct keys keys = { 0 };
	cursor_init_read(&cursor, bytes, put_old(bytes, sizeof(bytes), true));
	assert_false(keys_load(&keys, &cursor, false)); /* one owner, two keys */
	keys_fini(&keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_what_a_plain_list_would_be),
		cmocka_unit_test(what_has_lapsed_is_given_to_nobody),
		cmocka_unit_test(keys_from_before_they_had_an_end_have_none),
	};

	return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
