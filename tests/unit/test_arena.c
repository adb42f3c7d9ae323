/*
 * The arena behind the decoder: pieces do not touch each other, and together take no more than they
 * may.
 */
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"

#define PIECES 4000u
#define MOST (4u * 1024u * 1024u)

static uint8_t *take(struct arena *arena, size_t size)
{
	return arena->allocator.alloc(arena->allocator.allocator_data, size);
}

/* Of all sizes, so that some begin a block, some have one to themselves. */
static size_t size_of(size_t i)
{
	return i % 97 == 0 ? 33000 + i : i % 700;
}

static void pieces_do_not_touch_each_other(void **state)
{
	static uint8_t *pieces[PIECES];
	struct arena arena;
	size_t n = 0;

	(void)state;
	assert_true(arena_init(&arena, MOST));
	for (int round = 0; round < 3; round++) {
		for (n = 0; n < PIECES; n++) {
			pieces[n] = take(&arena, size_of(n));
			assert_non_null(pieces[n]);
			assert_int_equal((uintptr_t)pieces[n] % alignof(max_align_t), 0);
			memset(pieces[n], (int)(n & 0xff), size_of(n));
		}
		for (n = 0; n < PIECES; n++) {
			for (size_t k = 0; k < size_of(n); k++)
				assert_int_equal(pieces[n][k], n & 0xff);
		}
		arena_reset(&arena);
	}
	arena_fini(&arena);
}

static void no_message_takes_more_than_it_may(void **state)
{
	const size_t sizes[] = { 1, 1000, ARENA_KEPT / 8, 100000, MOST - 1000 };
	struct arena arena;

	(void)state;
	assert_true(arena_init(&arena, MOST));
	assert_null(take(&arena, MOST));
	assert_null(take(&arena, SIZE_MAX));
	assert_null(take(&arena, SIZE_MAX - 8));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t taken = 0;

		while (take(&arena, sizes[i]))
			taken += sizes[i];
		assert_true(taken > 0);
		assert_true(taken <= MOST + ARENA_KEPT);
		arena_reset(&arena);
	}
	arena_fini(&arena);
}

static void one_that_was_never_made_can_be_ended(void **state)
{
	struct arena arena = { 0 };

	(void)state;
	arena_reset(&arena);
	assert_int_equal(arena.left, 0);
	arena_fini(&arena);
	assert_null(arena.kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_do_not_touch_each_other),
		cmocka_unit_test(no_message_takes_more_than_it_may),
		cmocka_unit_test(one_that_was_never_made_can_be_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
