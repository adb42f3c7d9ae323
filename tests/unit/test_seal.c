/* The text of a seal: what is signed is written one way only, and read no other way. */
#include "unit.h"

#include <string.h>

#include "evidence/seal.h"

static struct seal some_seal(void)
{
	struct seal seal = { .number = 17,
			     .first = 1001,
			     .last = 1064,
			     .events = 60,
			     .sealed_ns = 1795754301123456789 };

	memset(seal.journal, 0x0a, sizeof(seal.journal));
	memset(seal.root, 0x1b, sizeof(seal.root));
	memset(seal.chain, 0x2c, sizeof(seal.chain));
	memset(seal.before, 0xfd, sizeof(seal.before));
	return seal;
}

static void what_was_written_is_read_back(void **state)
{
	const struct seal seal = some_seal();
	struct seal back;
	char text[SEAL_TEXT_MAX], again[SEAL_TEXT_MAX];
	const size_t len = seal_write(&seal, text);

	(void)state;
	assert_true(seal_read(text, len, &back));
	assert_int_equal(seal_write(&back, again), len);
	assert_memory_equal(text, again, len);
	assert_int_equal(back.number, 17);
	assert_int_equal(back.first, 1001);
	assert_int_equal(back.last, 1064);
	assert_int_equal(back.events, 60);
	assert_true(back.sealed_ns == seal.sealed_ns);
	assert_memory_equal(back.root, seal.root, sizeof(seal.root));
}

static void the_largest_seal_fits(void **state)
{
	struct seal seal = some_seal(), back;
	char text[SEAL_TEXT_MAX];

	(void)state;
	seal.number = seal.first = seal.last = UINT64_MAX;
	seal.events = 1;
	seal.sealed_ns = INT64_MAX;
	assert_true(seal_read(text, seal_write(&seal, text), &back));
	assert_true(back.last == UINT64_MAX && back.sealed_ns == INT64_MAX);
}

/* Whatever one byte becomes: it is refused, or the seal says something else and is written so. */
static void a_changed_byte_is_no_other_way_to_say_the_same(void **state)
{
	const struct seal seal = some_seal();
	char text[SEAL_TEXT_MAX], again[SEAL_TEXT_MAX];
	const size_t len = seal_write(&seal, text);
	struct seal back;
	unsigned read = 0;

	(void)state;
	for (size_t i = 0; i < len; i++) {
		const char was = text[i];

		for (int byte = 0; byte < 256; byte++) {
			text[i] = (char)byte;
			if ((char)byte == was || !seal_read(text, len, &back))
				continue;
			read++;
			assert_int_equal(seal_write(&back, again), len);
			assert_memory_equal(again, text, len);
		}
		text[i] = was;
	}
	assert_true(read > 1000); /* digits are digits */
}

static void no_part_of_a_seal_is_one(void **state)
{
	const struct seal seal = some_seal();
	char text[SEAL_TEXT_MAX + 1];
	const size_t len = seal_write(&seal, text);
	struct seal back;

	(void)state;
	for (size_t part = 0; part < len; part++)
		assert_false(seal_read(text, part, &back));
	text[len] = '\n';
	assert_false(seal_read(text, len + 1, &back));
}

static void a_seal_that_cannot_be_is_refused(void **state)
{
	struct seal seals[] = { some_seal(), some_seal(), some_seal(), some_seal() }, back;
	char text[SEAL_TEXT_MAX];

	(void)state;
	seals[0].number = 0;
	seals[1].first = 0;
	seals[2].first = seals[2].last + 1;
	seals[3].events = seals[3].last - seals[3].first + 2;
	for (size_t i = 0; i < sizeof(seals) / sizeof(seals[0]); i++)
		assert_false(seal_read(text, seal_write(&seals[i], text), &back));
}

static void a_seal_follows_one_other(void **state)
{
	struct seal before = some_seal(), seal = some_seal();
	uint8_t hash[EVIDENCE_HASH];
	const char *why = NULL;

	(void)state;
	memset(hash, 0xfd, sizeof(hash));
	seal.number = before.number + 1;
	seal.first = before.last + 1;
	seal.last = seal.first + 100;
	assert_true(seal_follows(&before, hash, &seal, &why));
	seal.number++;
	assert_false(seal_follows(&before, hash, &seal, &why));
	assert_non_null(strstr(why, "number"));
	seal.number--;
	seal.first--;
	assert_false(seal_follows(&before, hash, &seal, &why));
	assert_non_null(strstr(why, "first"));
	seal.first += 2; /* a gap shows, and is no lie */
	assert_true(seal_follows(&before, hash, &seal, &why));
	hash[31] ^= 1;
	assert_false(seal_follows(&before, hash, &seal, &why));
	assert_non_null(strstr(why, "before"));
	hash[31] ^= 1;
	seal.journal[0] ^= 1;
	assert_false(seal_follows(&before, hash, &seal, &why));
	assert_non_null(strstr(why, "journal"));
}

static void the_first_seal_has_number_one_and_none_before(void **state)
{
	struct seal seal = some_seal();
	const char *why = NULL;

	(void)state;
	seal.number = 1;
	memset(seal.before, 0, sizeof(seal.before));
	assert_true(seal_follows(NULL, NULL, &seal, &why));
	seal.number = 2;
	assert_false(seal_follows(NULL, NULL, &seal, &why));
	seal.number = 1;
	seal.before[3] = 1;
	assert_false(seal_follows(NULL, NULL, &seal, &why));
}

static void sums_are_the_published_ones(void **state)
{
	static const uint8_t of_abc[] = { 0xba, 0x78, 0x16, 0xbf }, of_nothing[] = { 0xe3, 0xb0, 0xc4, 0x42 };
	struct hasher *hasher = hasher_new();
	uint8_t sum[EVIDENCE_HASH];

	(void)state;
	assert_non_null(hasher);
	for (int i = 0; i < 2; i++) { /* the second time from the same context */
		assert_true(hasher_sum(hasher, "abc", 3, sum));
		assert_memory_equal(sum, of_abc, sizeof(of_abc));
		assert_true(hasher_sum(hasher, "", 0, sum));
		assert_memory_equal(sum, of_nothing, sizeof(of_nothing));
	}
	hasher_free(&hasher);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read_back),
		cmocka_unit_test(the_largest_seal_fits),
		cmocka_unit_test(a_changed_byte_is_no_other_way_to_say_the_same),
		cmocka_unit_test(no_part_of_a_seal_is_one),
		cmocka_unit_test(a_seal_that_cannot_be_is_refused),
		cmocka_unit_test(a_seal_follows_one_other),
		cmocka_unit_test(the_first_seal_has_number_one_and_none_before),
		cmocka_unit_test(sums_are_the_published_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
