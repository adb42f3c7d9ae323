/* Seals as part of the core's state: each follows the last, and a restart knows it. */
#include "support/core_play.h"

#include <stdlib.h>
#include <string.h>
#include "core/sealed.h"

static struct sealed some_seal(uint64_t number, uint64_t first, uint64_t last)
{
	struct sealed seal = { .number = number, .first = first, .last = last, .len = 9 };

	memcpy(seal.text, "said so.\n", 9);
	memset(seal.signature, (int)number, sizeof(seal.signature));
	return seal;
}

static enum ttg_error seal_play(struct play *play, uint64_t number, uint64_t first, uint64_t last)
{
	const struct sealed seal = some_seal(number, first, last);
	uint64_t sequence = 0;
	const enum ttg_error error = core_seal(play->core, &play->now, &seal, &sequence);

	assert_int_equal(sequence, error ? 0 : play->n_records);
	return error;
}

/* Ten events, all durable; the number of the last record. */
static uint64_t say_ten(struct play *play)
{
	for (unsigned i = 0; i < 10; i++)
		play_say(play, TYPE_RELEASED, 1 + i);
	play_settle(play);
	return play->n_records;
}

static void a_seal_covers_what_is_durable_and_nothing_twice(void **state)
{
	struct play *play = play_new(8, 100);
	const uint64_t durable = say_ten(play);

	(void)state;
	assert_int_equal(core_last_seal(play->core)->number, 0);
	assert_int_equal(seal_play(play, 2, 1, durable), TTG_EINVAL);
	assert_int_equal(seal_play(play, 1, 1, durable + 1), TTG_EINVAL);
	assert_int_equal(seal_play(play, 1, 0, durable), TTG_EINVAL);
	assert_int_equal(seal_play(play, 1, 5, 4), TTG_EINVAL);
	assert_int_equal(play->n_records, durable);
	assert_int_equal(seal_play(play, 1, 1, durable - 1), TTG_OK);
	assert_int_equal(seal_play(play, 1, durable, durable), TTG_EINVAL);
	assert_int_equal(seal_play(play, 2, durable - 1, durable), TTG_EINVAL);
	assert_int_equal(seal_play(play, 3, durable, durable), TTG_EINVAL);
	assert_int_equal(seal_play(play, 2, durable, durable), TTG_OK);
	assert_int_equal(core_last_seal(play->core)->last, durable);
	play_free(&play);
}

static void what_retention_took_unsealed_may_be_left_out(void **state)
{
	struct play *play = play_new(8, 100);
	const uint64_t durable = say_ten(play);

	(void)state;
	assert_int_equal(seal_play(play, 1, 3, 5), TTG_OK);
	assert_int_equal(seal_play(play, 2, 8, durable), TTG_OK);
	play_free(&play);
}

static void a_seal_that_cannot_be_recorded_is_not_the_last(void **state)
{
	struct play *play = play_new(8, 100);
	const uint64_t durable = say_ten(play);

	(void)state;
	play->append_fails = TTG_ENOSPC;
	assert_int_equal(seal_play(play, 1, 1, durable), TTG_ENOSPC);
	assert_int_equal(core_last_seal(play->core)->number, 0);
	play->append_fails = TTG_OK;
	assert_int_equal(seal_play(play, 1, 1, durable), TTG_OK);
	play_free(&play);
}

static void assert_last(const struct play *play, uint64_t number, uint64_t last)
{
	const struct sealed *seal = core_last_seal(play->core);
	const struct sealed expected = some_seal(number, 1, last);

	assert_int_equal(seal->number, number);
	assert_int_equal(seal->last, last);
	assert_int_equal(seal->len, expected.len);
	assert_memory_equal(seal->text, expected.text, expected.len);
	assert_memory_equal(seal->signature, expected.signature, sizeof(expected.signature));
}

static void a_restart_knows_the_last_seal(void **state)
{
	struct play *play = play_new(8, 100);
	const uint64_t first = say_ten(play);

	(void)state;
	assert_int_equal(seal_play(play, 1, 1, first), TTG_OK);
	const uint64_t second = say_ten(play);
	assert_int_equal(seal_play(play, 2, first + 1, second), TTG_OK);
	play_restart(play, play->n_records, NULL, 0);
	assert_last(play, 2, second);
	play_restart(play, play->n_records - 1, NULL, 0); /* its record is lost */
	assert_last(play, 1, first);
	play_free(&play);
}

static void a_snapshot_knows_the_last_seal(void **state)
{
	struct play *play = play_new(8, 100);
	uint8_t *data = NULL;
	size_t len = 0;
	const uint64_t durable = say_ten(play);

	(void)state;
	assert_int_equal(seal_play(play, 1, 1, durable), TTG_OK);
	assert_int_equal(core_snapshot(play->core, &data, &len), TTG_OK);
	play_restart(play, play->n_records, data, len);
	assert_last(play, 1, durable);
	free(data);
	play_free(&play);
}

/* The record of the journal is not believed: neither its order nor its length. */
static void a_seal_that_does_not_follow_is_damage(void **state)
{
	static const struct sealed none;
	struct play *play = play_new(8, 100);
	const uint64_t durable = say_ten(play);
	const struct sealed wrong[] = {
		some_seal(2, 1, durable), some_seal(1, 0, durable), some_seal(1, durable, durable - 1),
		some_seal(1, 1, durable + 1), none,
	};
	uint8_t bytes[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct cursor cursor;

		cursor_init_write(&cursor, bytes, sizeof(bytes));
		cursor_put_u8(&cursor, RECORD_VERSION);
		sealed_put(&cursor, &wrong[i]);
		assert_int_equal(core_apply(play->core, durable + 1, RECORD_SEAL, bytes,
					    cursor_offset(&cursor), NULL), TTG_ECORRUPT);
	}
	const struct sealed right = some_seal(1, 1, durable);
	struct cursor cursor;
	cursor_init_write(&cursor, bytes, sizeof(bytes));
	cursor_put_u8(&cursor, RECORD_VERSION);
	sealed_put(&cursor, &right);
	const size_t len = cursor_offset(&cursor);
	for (size_t part = 0; part < len; part++)
		assert_int_equal(core_apply(play->core, durable + 1, RECORD_SEAL, bytes, part, NULL),
				 TTG_ECORRUPT);
	assert_int_equal(core_apply(play->core, durable + 1, RECORD_SEAL, bytes, len + 1, NULL),
			 TTG_ECORRUPT);
	assert_int_equal(core_apply(play->core, durable + 1, RECORD_SEAL, bytes, len, NULL), TTG_OK);
	assert_int_equal(core_last_seal(play->core)->number, 1);
	play_free(&play);
}

static enum ttg_error hand_over(struct play *play, uint64_t number, uint64_t first, uint64_t last)
{
	const struct sealed it = some_seal(number, first, last);

	return core_hand_over(play->core, &play->now, &it, NULL);
}

/* The key that signs hands over to another: a link in the line that covers nothing. */
static void a_hand_over_stands_where_the_last_seal_ends(void **state)
{
	struct play *play = play_new(8, 100);
	const uint64_t durable = say_ten(play);
	uint8_t *data = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(hand_over(play, 1, 0, 0), TTG_EINVAL); /* nothing is sealed */
	assert_int_equal(seal_play(play, 1, 1, durable - 1), TTG_OK);
	assert_int_equal(hand_over(play, 1, durable - 1, durable - 1), TTG_EINVAL);
	assert_int_equal(hand_over(play, 3, durable - 1, durable - 1), TTG_EINVAL);
	assert_int_equal(hand_over(play, 2, durable, durable), TTG_EINVAL);
	assert_int_equal(hand_over(play, 2, 1, durable - 1), TTG_EINVAL);
	assert_int_equal(hand_over(play, 2, durable - 1, durable - 1), TTG_OK);
	assert_int_equal(play->records[play->n_records - 1].kind, RECORD_HAND_OVER);
	play_restart(play, play->n_records, NULL, 0); /* from its records */
	assert_int_equal(core_last_seal(play->core)->number, 2);
	assert_int_equal(core_snapshot(play->core, &data, &len), TTG_OK);
	play_restart(play, play->n_records, data, len);
	assert_int_equal(core_last_seal(play->core)->number, 2);
	assert_int_equal(core_last_seal(play->core)->last, durable - 1);
	assert_int_equal(seal_play(play, 3, durable - 1, durable), TTG_EINVAL);
	assert_int_equal(seal_play(play, 3, durable, durable), TTG_OK);
	free(data);
	play_free(&play);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_seal_covers_what_is_durable_and_nothing_twice),
		cmocka_unit_test(what_retention_took_unsealed_may_be_left_out),
		cmocka_unit_test(a_seal_that_cannot_be_recorded_is_not_the_last),
		cmocka_unit_test(a_restart_knows_the_last_seal),
		cmocka_unit_test(a_snapshot_knows_the_last_seal),
		cmocka_unit_test(a_seal_that_does_not_follow_is_damage),
		cmocka_unit_test(a_hand_over_stands_where_the_last_seal_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
