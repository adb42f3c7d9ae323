/* The byte cursor: round trips, little-endian layout, and errors that stick. */
#include "unit.h"

#include "base/cursor.h"

#include <string.h>

static void integers_are_little_endian(void **state)
{
	static const uint8_t expected[] = { 0x01, 0x03, 0x02, 0x07, 0x06, 0x05, 0x04, 0x0f,
		                            0x0e, 0x0d, 0x0c, 0x0b, 0x0a, 0x09, 0x08 };
	uint8_t bytes[15];
	struct cursor cursor;

	(void)state;
	cursor_init_write(&cursor, bytes, sizeof(bytes));
	cursor_put_u8(&cursor, 0x01);
	cursor_put_u16(&cursor, 0x0203);
	cursor_put_u32(&cursor, 0x04050607);
	cursor_put_u64(&cursor, UINT64_C(0x08090a0b0c0d0e0f));
	assert_true(cursor_ok(&cursor));
	assert_int_equal(cursor_left(&cursor), 0);
	assert_memory_equal(bytes, expected, sizeof(bytes));

	cursor_init_read(&cursor, expected, sizeof(expected));
	assert_int_equal(cursor_get_u8(&cursor), 0x01);
	assert_int_equal(cursor_get_u16(&cursor), 0x0203);
	assert_int_equal(cursor_get_u32(&cursor), 0x04050607);
	assert_true(cursor_get_u64(&cursor) == UINT64_C(0x08090a0b0c0d0e0f));
	assert_int_equal(cursor_offset(&cursor), 15);
	assert_true(cursor_ok(&cursor));
}

static void varints_of_every_length_come_back(void **state)
{
	(void)state;
	for (unsigned int bit = 0; bit <= 64; bit++) {
		for (uint64_t off = 0; off < 3; off++) {
			uint64_t value = (bit < 64 ? UINT64_C(1) << bit : 0) + off - 1;
			uint8_t bytes[10];
			struct cursor out;
			struct cursor in;

			cursor_init_write(&out, bytes, sizeof(bytes));
			cursor_put_varint(&out, value);
			assert_true(cursor_ok(&out));
			cursor_init_read(&in, bytes, cursor_offset(&out));
			assert_true(cursor_get_varint(&in) == value);
			assert_true(cursor_ok(&in));
			assert_int_equal(cursor_left(&in), 0);
		}
	}
}

static void a_varint_of_more_than_64_bits_fails(void **state)
{
	static const uint8_t eleven[] = { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
		                          0x80, 0x80, 0x80, 0x80, 0x00 };
	static const uint8_t overflow[] = { 0xff, 0xff, 0xff, 0xff, 0xff,
		                            0xff, 0xff, 0xff, 0xff, 0x02 };
	static const uint8_t unfinished[] = { 0x80, 0x80 };
	struct cursor cursor;

	(void)state;
	cursor_init_read(&cursor, eleven, sizeof(eleven));
	assert_true(cursor_get_varint(&cursor) == 0);
	assert_false(cursor_ok(&cursor));
	cursor_init_read(&cursor, overflow, sizeof(overflow));
	assert_true(cursor_get_varint(&cursor) == 0);
	assert_false(cursor_ok(&cursor));
	cursor_init_read(&cursor, unfinished, sizeof(unfinished));
	assert_true(cursor_get_varint(&cursor) == 0);
	assert_false(cursor_ok(&cursor));
}

static void after_one_overrun_every_read_gives_nothing(void **state)
{
	static const uint8_t bytes[] = { 1, 2, 3 };
	struct cursor cursor;
	size_t len = 9;

	(void)state;
	cursor_init_read(&cursor, bytes, sizeof(bytes));
	assert_int_equal(cursor_get_u32(&cursor), 0);
	assert_false(cursor_ok(&cursor));
	assert_int_equal(cursor_get_u8(&cursor), 0);
	assert_null(cursor_get_bytes(&cursor, 1));
	assert_null(cursor_get_sized(&cursor, 8, &len));
	assert_int_equal(len, 0);
	assert_int_equal(cursor_left(&cursor), 0);
	assert_int_equal(cursor_offset(&cursor), 0);
}

static void a_write_that_does_not_fit_changes_nothing_behind_the_end(void **state)
{
	uint8_t bytes[8];
	struct cursor cursor;

	(void)state;
	memset(bytes, 0xee, sizeof(bytes));
	cursor_init_write(&cursor, bytes, 3);
	cursor_put_u16(&cursor, 1);
	cursor_put_u16(&cursor, 2);
	cursor_put_u8(&cursor, 3);
	assert_false(cursor_ok(&cursor));
	for (size_t i = 2; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], 0xee);
}

static void sized_bytes_longer_than_allowed_or_than_the_buffer_are_refused(void **state)
{
	uint8_t bytes[16];
	struct cursor out;
	struct cursor in;
	size_t len;

	(void)state;
	cursor_init_write(&out, bytes, sizeof(bytes));
	cursor_put_sized(&out, "hello", 5);
	cursor_init_read(&in, bytes, cursor_offset(&out));
	assert_memory_equal(cursor_get_sized(&in, 5, &len), "hello", 5);
	assert_int_equal(len, 5);
	cursor_init_read(&in, bytes, cursor_offset(&out));
	assert_null(cursor_get_sized(&in, 4, &len));
	assert_false(cursor_ok(&in));
	cursor_init_read(&in, bytes, cursor_offset(&out) - 1);
	assert_null(cursor_get_sized(&in, 5, &len));
	assert_false(cursor_ok(&in));

	/* A length near the top of the number range must not wrap around. */
	cursor_init_write(&out, bytes, sizeof(bytes));
	cursor_put_varint(&out, UINT64_MAX);
	cursor_init_read(&in, bytes, sizeof(bytes));
	assert_null(cursor_get_sized(&in, SIZE_MAX, &len));
	assert_false(cursor_ok(&in));
}

static void an_empty_buffer_is_fine_until_it_is_read(void **state)
{
	struct cursor cursor;

	(void)state;
	cursor_init_read(&cursor, NULL, 0);
	assert_int_equal(cursor_left(&cursor), 0);
	assert_true(cursor_ok(&cursor));
	cursor_get_u8(&cursor);
	assert_false(cursor_ok(&cursor));
}

static void random_bytes_never_read_outside(void **state)
{
	uint64_t seed = unit_seed(__func__);

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t size = (size_t)(unit_random(&seed) % 24);
		uint8_t *bytes = malloc(size + 1);
		struct cursor cursor;
		size_t len;

		for (size_t i = 0; i < size; i++)
			bytes[i] = (uint8_t)unit_random(&seed);
		cursor_init_read(&cursor, bytes, size);
		for (int step = 0; step < 6; step++) {
			const uint8_t *view = cursor_get_sized(&cursor, 16, &len);

			if (view)
				assert_true(view >= bytes && view + len <= bytes + size);
			else
				assert_false(cursor_ok(&cursor));
		}
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_are_little_endian),
		cmocka_unit_test(varints_of_every_length_come_back),
		cmocka_unit_test(a_varint_of_more_than_64_bits_fails),
		cmocka_unit_test(after_one_overrun_every_read_gives_nothing),
		cmocka_unit_test(a_write_that_does_not_fit_changes_nothing_behind_the_end),
		cmocka_unit_test(sized_bytes_longer_than_allowed_or_than_the_buffer_are_refused),
		cmocka_unit_test(an_empty_buffer_is_fine_until_it_is_read),
		cmocka_unit_test(random_bytes_never_read_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
