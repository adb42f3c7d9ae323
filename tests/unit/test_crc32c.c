/* CRC-32C against the published check values, and the instruction against the table. */
#include "unit.h"

#include "base/crc32c.h"

#include <string.h>

static void the_examples_of_rfc_3720_hold(void **state)
{
	uint8_t bytes[32];

	(void)state;
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(crc32c(0, bytes, sizeof(bytes)), 0x8a9136aa);
	assert_int_equal(crc32c_portable(0, bytes, sizeof(bytes)), 0x8a9136aa);
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(crc32c(0, bytes, sizeof(bytes)), 0x62a8ab43);
	for (uint8_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = i;
	assert_int_equal(crc32c(0, bytes, sizeof(bytes)), 0x46dd794e);
	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(crc32c(0, NULL, 0), 0);
}

static void pieces_give_the_same_as_the_whole_and_the_table_as_the_instruction(void **state)
{
	uint64_t seed = unit_seed(__func__);
	uint8_t bytes[300];

	(void)state;
	for (int round = 0; round < 2000; round++) {
		size_t len = (size_t)(unit_random(&seed) % sizeof(bytes));
		size_t cut = (size_t)(unit_random(&seed) % (len + 1));

		for (size_t i = 0; i < len; i++)
			bytes[i] = (uint8_t)unit_random(&seed);
		uint32_t whole = crc32c(0, bytes, len);
		assert_int_equal(whole, crc32c_portable(0, bytes, len));
		assert_int_equal(whole, crc32c(crc32c(0, bytes, cut), bytes + cut, len - cut));
	}
}

static void long_runs_in_lanes_give_the_same_as_the_table(void **state)
{
	static uint8_t bytes[20000];
	uint64_t seed = unit_seed(__func__);

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)unit_random(&seed);
	for (int round = 0; round < 500; round++) {
		size_t from = (size_t)(unit_random(&seed) % 64);
		size_t len = (size_t)(unit_random(&seed) % (sizeof(bytes) - from));
		uint32_t before = (uint32_t)unit_random(&seed);

		assert_int_equal(crc32c(before, bytes + from, len),
		                 crc32c_portable(before, bytes + from, len));
	}
	for (size_t len = 3060; len < 3090; len++)
		assert_int_equal(crc32c(0, bytes, len), crc32c_portable(0, bytes, len));
}

static void every_single_flipped_bit_is_seen(void **state)
{
	uint8_t bytes[64];

	(void)state;
	memset(bytes, 0x5a, sizeof(bytes));
	uint32_t good = crc32c(0, bytes, sizeof(bytes));
	for (size_t bit = 0; bit < 8 * sizeof(bytes); bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		assert_int_not_equal(crc32c(0, bytes, sizeof(bytes)), good);
		bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_examples_of_rfc_3720_hold),
		cmocka_unit_test(
		        pieces_give_the_same_as_the_whole_and_the_table_as_the_instruction),
		cmocka_unit_test(long_runs_in_lanes_give_the_same_as_the_table),
		cmocka_unit_test(every_single_flipped_bit_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
