/* Identifiers: published vectors, every wrong shape, and properties of the check letters. */
#include "unit.h"

#include "base/identifier.h"

#include <string.h>

#define NOW 2026

struct sample {
	enum identifier_kind kind;
	const char *value;
	enum identifier_validity validity;
	const char *canonical;
};

static void assert_samples(const struct sample *samples, size_t n)
{
	char canonical[IDENTIFIER_CANONICAL];

	for (size_t i = 0; i < n; i++) {
		enum identifier_validity validity =
		        identifier_check(samples[i].kind, samples[i].value, NOW, canonical);

		if (validity != samples[i].validity || strcmp(canonical, samples[i].canonical) != 0)
			fail_msg("%s: %s \"%s\"", samples[i].value,
			         identifier_validity_name(validity), canonical);
	}
}

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void published_pnc_vectors_have_their_canonical_form(void **state)
{
	static const struct sample samples[] = {
		{ IDENTIFIER_PNC, "02/73319Z", IDENTIFIER_VALID, "2002/0073319Z" },
		{ IDENTIFIER_PNC, "2002/0073319Z", IDENTIFIER_VALID, "2002/0073319Z" },
		{ IDENTIFIER_PNC, "20020073319Z", IDENTIFIER_VALID, "2002/0073319Z" },
		{ IDENTIFIER_PNC, "0273319Z", IDENTIFIER_VALID, "2002/0073319Z" },
		{ IDENTIFIER_PNC, " 02/73319z ", IDENTIFIER_VALID, "2002/0073319Z" },
		{ IDENTIFIER_PNC, "81/34U", IDENTIFIER_VALID, "1981/0000034U" },
		{ IDENTIFIER_PNC, "1981/0000034U", IDENTIFIER_VALID, "1981/0000034U" },
		{ IDENTIFIER_PNC, "19810000034U", IDENTIFIER_VALID, "1981/0000034U" },
		{ IDENTIFIER_PNC, "033Y", IDENTIFIER_VALID, "2003/0000003Y" },
	};

	(void)state;
	assert_samples(samples, COUNT_OF(samples));
}

static void wrong_pnc_ids_are_told_apart_by_form_and_letter(void **state)
{
	static const struct sample samples[] = {
		{ IDENTIFIER_PNC, "02/73319A", IDENTIFIER_INVALID_CHECK, "" },
		{ IDENTIFIER_PNC, "20020073319A", IDENTIFIER_INVALID_CHECK, "" },
		{ IDENTIFIER_PNC, "02/73319I", IDENTIFIER_INVALID_CHECK, "" },
		{ IDENTIFIER_PNC, "002/73319Z", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_PNC, "2/73319Z", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_PNC, "02/73319", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_PNC, "02/Z", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_PNC, "02/12345678Z", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_PNC, "02//73319Z", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_PNC, "02/73319ZZ", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_PNC, "02 73319Z", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_PNC, "2027/0073319Z", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_PNC, "1899/0073319Z", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_PNC, "12Z", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_PNC, "/", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_PNC, "", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_PNC, "   ", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_PNC, NULL, IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_PNC, "02/0000000B", IDENTIFIER_DUMMY, "" },
	};

	(void)state;
	assert_samples(samples, COUNT_OF(samples));
}

static void two_digit_years_above_the_current_one_are_of_the_last_century(void **state)
{
	char canonical[IDENTIFIER_CANONICAL];

	(void)state;
	assert_int_equal(identifier_check(IDENTIFIER_PNC, "81/34U", 1985, canonical),
	                 IDENTIFIER_VALID);
	assert_string_equal(canonical, "1981/0000034U");
	assert_int_equal(identifier_check(IDENTIFIER_PNC, "81/34U", 2081, canonical),
	                 IDENTIFIER_VALID);
	assert_string_equal(canonical, "2081/0000034U");
	assert_int_equal(identifier_check(IDENTIFIER_PNC, "03/3Y", 2003, canonical),
	                 IDENTIFIER_VALID);
	assert_string_equal(canonical, "2003/0000003Y");
	assert_int_equal(identifier_check(IDENTIFIER_PNC, "03/3Y", 2002, canonical),
	                 IDENTIFIER_VALID);
	assert_string_equal(canonical, "1903/0000003Y");
}

/* The letter, computed another way than the code under test: with one wide number. */
static char letter_of(uint64_t number)
{
	return "ZABCDEFGHJKLMNPQRTUVWXY"[number % 23];
}

static void a_pnc_id_without_slash_is_read_the_way_its_letter_says(void **state)
{
	char canonical[IDENTIFIER_CANONICAL];
	char text[32];

	(void)state;
	/* 2002NNN: year 2020 and serial 02NNN, or year 2002 and serial NNN. */
	for (unsigned int serial = 1; serial <= 999; serial++) {
		char two = letter_of(20 * UINT64_C(10000000) + 2000 + serial);
		char four = letter_of(2 * UINT64_C(10000000) + serial);

		snprintf(text, sizeof(text), "2002%03u%c", serial, four);
		assert_int_equal(identifier_check(IDENTIFIER_PNC, text, NOW, canonical),
		                 IDENTIFIER_VALID);
		assert_int_equal(strncmp(canonical, "2002/", 5), 0);
		snprintf(text, sizeof(text), "2002%03u%c", serial, two);
		assert_int_equal(identifier_check(IDENTIFIER_PNC, text, NOW, canonical),
		                 IDENTIFIER_VALID);
		assert_int_equal(strncmp(canonical, "2020/", 5), 0);
	}
}

static void a_pnc_id_without_slash_that_reads_as_two_people_is_refused(void **state)
{
	char canonical[IDENTIFIER_CANONICAL];
	char text[32];

	(void)state;
	/* 2022NNNN: 2020/022NNNN and 2022/000NNNN have the same letter. */
	for (unsigned int serial = 1; serial <= 9999; serial++) {
		char letter = letter_of(22 * UINT64_C(10000000) + serial);

		assert_int_equal(letter, letter_of(20 * UINT64_C(10000000) + 220000 + serial));
		snprintf(text, sizeof(text), "2022%04u%c", serial, letter);
		assert_int_equal(identifier_check(IDENTIFIER_PNC, text, NOW, canonical),
		                 IDENTIFIER_INVALID_FORM);
		assert_string_equal(canonical, "");
		snprintf(text, sizeof(text), "2022/%04u%c", serial, letter);
		assert_int_equal(identifier_check(IDENTIFIER_PNC, text, NOW, canonical),
		                 IDENTIFIER_VALID);
	}
}

static void random_pnc_ids_are_valid_and_any_changed_digit_is_found(void **state)
{
	uint64_t seed = unit_seed(__func__);

	(void)state;
	for (int round = 0; round < 5000; round++) {
		unsigned int year = 1950 + (unsigned int)(unit_random(&seed) % 77);
		unsigned int serial = 1 + (unsigned int)(unit_random(&seed) % 9999999);
		char letter = letter_of(year % 100 * UINT64_C(10000000) + serial);
		char expected[32];
		char text[32];
		char canonical[IDENTIFIER_CANONICAL];

		snprintf(expected, sizeof(expected), "%04u/%07u%c", year, serial, letter);
		assert_int_equal(identifier_check(IDENTIFIER_PNC, expected, NOW, canonical),
		                 IDENTIFIER_VALID);
		assert_string_equal(canonical, expected);
		snprintf(text, sizeof(text), "%04u%07u%c", year, serial, letter);
		assert_int_equal(identifier_check(IDENTIFIER_PNC, text, NOW, canonical),
		                 IDENTIFIER_VALID);
		assert_string_equal(canonical, expected);
		for (size_t i = 2; i < 12; i++) {
			if (i == 4)
				continue;
			snprintf(text, sizeof(text), "%s", expected);
			text[i] = (char)('0' +
			                 (text[i] - '0' + 1 + (int)(unit_random(&seed) % 9)) % 10);
			assert_int_not_equal(identifier_check(IDENTIFIER_PNC, text, NOW, canonical),
			                     IDENTIFIER_VALID);
		}
	}
}

static void cro_numbers_of_both_kinds_are_checked(void **state)
{
	static const struct sample samples[] = {
		{ IDENTIFIER_CRO, "65656/91H", IDENTIFIER_VALID, "065656/91H" },
		{ IDENTIFIER_CRO, "065656/91h", IDENTIFIER_VALID, "065656/91H" },
		{ IDENTIFIER_CRO, "SF83/50058Z", IDENTIFIER_VALID, "SF83/50058Z" },
		{ IDENTIFIER_CRO, "sf83/050058z", IDENTIFIER_VALID, "SF83/50058Z" },
		{ IDENTIFIER_CRO, "65656/91J", IDENTIFIER_INVALID_CHECK, "" },
		{ IDENTIFIER_CRO, "SF83/50058A", IDENTIFIER_INVALID_CHECK, "" },
		{ IDENTIFIER_CRO, "0/91H", IDENTIFIER_DUMMY, "" },
		{ IDENTIFIER_CRO, "SF83/000000Z", IDENTIFIER_DUMMY, "" },
		{ IDENTIFIER_CRO, "1234567/91H", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_CRO, "65656/1991H", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_CRO, "65656/91", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_CRO, "65656/91HH", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_CRO, "/91H", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_CRO, "SF8350058Z", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_CRO, "SF83/1234567Z", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_CRO, "SF", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_CRO, "SF83/", IDENTIFIER_INVALID_FORM, "" },
	};

	(void)state;
	assert_samples(samples, COUNT_OF(samples));
}

static void random_cro_numbers_round_trip(void **state)
{
	uint64_t seed = unit_seed(__func__);

	(void)state;
	for (int round = 0; round < 5000; round++) {
		unsigned int year = (unsigned int)(unit_random(&seed) % 100);
		unsigned int serial = 1 + (unsigned int)(unit_random(&seed) % 999999);
		char padded[32];
		char text[32];
		char canonical[IDENTIFIER_CANONICAL];

		snprintf(padded, sizeof(padded), "%02u%06u", year, serial);
		char letter = letter_of(strtoull(padded, NULL, 10));
		snprintf(text, sizeof(text), "%u/%02u%c", serial, year, letter);
		assert_int_equal(identifier_check(IDENTIFIER_CRO, text, NOW, canonical),
		                 IDENTIFIER_VALID);
		snprintf(text, sizeof(text), "%06u/%02u%c", serial, year, letter);
		assert_string_equal(canonical, text);

		snprintf(padded, sizeof(padded), "%02u%u", year, serial);
		letter = letter_of(strtoull(padded, NULL, 10));
		snprintf(text, sizeof(text), "SF%02u/%u%c", year, serial, letter);
		assert_int_equal(identifier_check(IDENTIFIER_CRO, text, NOW, canonical),
		                 IDENTIFIER_VALID);
		assert_string_equal(canonical, text);
	}
}

static void asns_are_checked_over_force_system_year_and_sequence(void **state)
{
	static const struct sample samples[] = {
		{ IDENTIFIER_ASN, "1101ZD0100000448754K", IDENTIFIER_VALID, "11/01ZD/01/448754K" },
		{ IDENTIFIER_ASN, "11/01ZD/01/448754K", IDENTIFIER_VALID, "11/01ZD/01/448754K" },
		{ IDENTIFIER_ASN, "11/01zd/01/00000448754k", IDENTIFIER_VALID,
		  "11/01ZD/01/448754K" },
		/* One more character in front of the force does not count. */
		{ IDENTIFIER_ASN, "11A01ZD0100000448754K", IDENTIFIER_VALID,
		  "11/A01ZD/01/448754K" },
		{ IDENTIFIER_ASN, "11/A01ZD/01/448754K", IDENTIFIER_VALID, "11/A01ZD/01/448754K" },
		{ IDENTIFIER_ASN, "1101ZD0100000448754L", IDENTIFIER_INVALID_CHECK, "" },
		{ IDENTIFIER_ASN, "1201ZD0100000448754K", IDENTIFIER_INVALID_CHECK, "" },
		{ IDENTIFIER_ASN, "1101ZD0100000448754I", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_ASN, "1101ZD010000044875K", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_ASN, "1A01ZD0100000448754K", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_ASN, "11/01ZD/01/K", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_ASN, "11/01ZD/01", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_ASN, "1/101ZD/01/448754K", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_ASN, "11/01ZD/01/448754K/", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_ASN, "11/01ZD/01/123456789012K", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_ASN, "/", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_ASN, "0800NP0100000000001H", IDENTIFIER_DUMMY, "" },
		{ IDENTIFIER_ASN, "1101ZD0100000000000K", IDENTIFIER_DUMMY, "" },
	};

	(void)state;
	assert_samples(samples, COUNT_OF(samples));
}

static void random_asns_are_valid_packed_and_displayed_and_changed_digits_are_found(void **state)
{
	uint64_t seed = unit_seed(__func__);

	(void)state;
	for (int round = 0; round < 5000; round++) {
		unsigned int year = (unsigned int)(unit_random(&seed) % 27);
		uint64_t sequence = 1 + unit_random(&seed) % UINT64_C(99999999999);
		char number[32];
		char packed[32];
		char canonical[IDENTIFIER_CANONICAL];
		char again[IDENTIFIER_CANONICAL];

		snprintf(number, sizeof(number), "3501%02u%011llu", year,
		         (unsigned long long)sequence);
		snprintf(packed, sizeof(packed), "%02u35CA01%011llu%c", year,
		         (unsigned long long)sequence, letter_of(strtoull(number, NULL, 10)));
		assert_int_equal(identifier_check(IDENTIFIER_ASN, packed, NOW, canonical),
		                 IDENTIFIER_VALID);
		assert_int_equal(identifier_check(IDENTIFIER_ASN, canonical, NOW, again),
		                 IDENTIFIER_VALID);
		assert_string_equal(canonical, again);
		size_t at = 8 + (size_t)(unit_random(&seed) % 11);
		packed[at] = (char)('0' + (packed[at] - '0' + 3) % 10);
		assert_int_not_equal(identifier_check(IDENTIFIER_ASN, packed, NOW, canonical),
		                     IDENTIFIER_VALID);
	}
}

static void numbers_without_check_letters_are_judged_by_shape(void **state)
{
	static const struct sample samples[] = {
		{ IDENTIFIER_NOMS, "A1234BC", IDENTIFIER_VALID, "A1234BC" },
		{ IDENTIFIER_NOMS, "\ta1234bc\r\n", IDENTIFIER_VALID, "A1234BC" },
		{ IDENTIFIER_NOMS, "A1234B", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_NOMS, "A1234BCD", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_NOMS, "11234BC", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_NOMS, "A12345C", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_CRN, "X123456", IDENTIFIER_VALID, "X123456" },
		{ IDENTIFIER_CRN, "xx123456", IDENTIFIER_VALID, "XX123456" },
		{ IDENTIFIER_CRN, "XXX123456", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_CRN, "X12345", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_CRN, "X1234567", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_CRN, "123456", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_CASE_NUMBER, "one/2026-17a", IDENTIFIER_VALID, "ONE/2026-17A" },
		{ IDENTIFIER_CASE_NUMBER, "two words", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_BOOKING, "12345A", IDENTIFIER_VALID, "12345A" },
		{ IDENTIFIER_OTHER,
		  "a\x01"
		  "b",
		  IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_OTHER, "caf\xc3\xa9", IDENTIFIER_INVALID_FORM, "" },
		{ IDENTIFIER_NONE, "A1234BC", IDENTIFIER_UNCHECKED, "" },
		{ (enum identifier_kind)12, "A1234BC", IDENTIFIER_UNCHECKED, "" },
	};
	char canonical[IDENTIFIER_CANONICAL];
	char text[80];

	(void)state;
	assert_samples(samples, COUNT_OF(samples));
	memset(text, 'x', sizeof(text));
	text[64] = '\0';
	assert_int_equal(identifier_check(IDENTIFIER_OTHER, text, NOW, canonical),
	                 IDENTIFIER_VALID);
	assert_int_equal(strlen(canonical), 64);
	text[64] = 'x';
	text[65] = '\0';
	assert_int_equal(identifier_check(IDENTIFIER_OTHER, text, NOW, canonical),
	                 IDENTIFIER_INVALID_FORM);
}

static void the_kind_is_guessed_from_the_shape(void **state)
{
	(void)state;
	assert_int_equal(identifier_guess("A1234BC", NOW), IDENTIFIER_NOMS);
	assert_int_equal(identifier_guess("02/73319Z", NOW), IDENTIFIER_PNC);
	assert_int_equal(identifier_guess("02/73319A", NOW), IDENTIFIER_PNC);
	assert_int_equal(identifier_guess("65656/91H", NOW), IDENTIFIER_CRO);
	assert_int_equal(identifier_guess("SF83/50058A", NOW), IDENTIFIER_CRO);
	assert_int_equal(identifier_guess("1101ZD0100000448754K", NOW), IDENTIFIER_ASN);
	assert_int_equal(identifier_guess("0800NP0100000000001H", NOW), IDENTIFIER_ASN);
	assert_int_equal(identifier_guess("X123456", NOW), IDENTIFIER_CRN);
	assert_int_equal(identifier_guess("Smith", NOW), IDENTIFIER_NONE);
	assert_int_equal(identifier_guess("", NOW), IDENTIFIER_NONE);
}

static void kinds_are_known_by_their_names_and_those_of_feeds(void **state)
{
	(void)state;
	for (int kind = 1; kind <= 15; kind++) {
		const char *name = identifier_kind_name((enum identifier_kind)kind);

		if (kind <= 7 || kind == 15)
			assert_int_equal(identifier_kind_parse(name), kind);
		else
			assert_string_equal(name, "none");
	}
	assert_int_equal(identifier_kind_parse("nomsNumber"), IDENTIFIER_NOMS);
	assert_int_equal(identifier_kind_parse("prisonerNumber"), IDENTIFIER_NOMS);
	assert_int_equal(identifier_kind_parse("prisonerId"), IDENTIFIER_NOMS);
	assert_int_equal(identifier_kind_parse("offenderNo"), IDENTIFIER_NOMS);
	assert_int_equal(identifier_kind_parse("crn"), IDENTIFIER_CRN);
	assert_int_equal(identifier_kind_parse("none"), IDENTIFIER_NONE);
	assert_int_equal(identifier_kind_parse(NULL), IDENTIFIER_NONE);
}

static void arrests_and_foreign_numbers_never_find_a_person(void **state)
{
	(void)state;
	assert_true(identifier_is_match_key(IDENTIFIER_PNC));
	assert_true(identifier_is_match_key(IDENTIFIER_NOMS));
	assert_false(identifier_is_match_key(IDENTIFIER_ASN));
	assert_false(identifier_is_match_key(IDENTIFIER_OTHER));
	assert_false(identifier_is_match_key(IDENTIFIER_NONE));
}

static void random_text_has_an_answer_for_every_kind(void **state)
{
	static const char alphabet[] = "0123456789/SFAZX ";
	uint64_t seed = unit_seed(__func__);

	(void)state;
	for (int round = 0; round < 50000; round++) {
		size_t len = (size_t)(unit_random(&seed) % 26);
		char *text = malloc(len + 1); /* exactly sized, so that sanitizers see overruns */
		char canonical[IDENTIFIER_CANONICAL];
		char again[IDENTIFIER_CANONICAL];

		for (size_t i = 0; i < len; i++)
			text[i] = alphabet[unit_random(&seed) % (sizeof(alphabet) - 1)];
		text[len] = '\0';
		for (int kind = 0; kind <= 7; kind++) {
			enum identifier_validity validity =
			        identifier_check((enum identifier_kind)kind, text, NOW, canonical);

			assert_true((validity == IDENTIFIER_VALID) == (canonical[0] != '\0'));
			if (validity != IDENTIFIER_VALID)
				continue;
			/* A canonical form is its own. */
			assert_int_equal(
			        identifier_check((enum identifier_kind)kind, canonical, NOW, again),
			        IDENTIFIER_VALID);
			assert_string_equal(canonical, again);
		}
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_pnc_vectors_have_their_canonical_form),
		cmocka_unit_test(wrong_pnc_ids_are_told_apart_by_form_and_letter),
		cmocka_unit_test(two_digit_years_above_the_current_one_are_of_the_last_century),
		cmocka_unit_test(a_pnc_id_without_slash_is_read_the_way_its_letter_says),
		cmocka_unit_test(a_pnc_id_without_slash_that_reads_as_two_people_is_refused),
		cmocka_unit_test(random_pnc_ids_are_valid_and_any_changed_digit_is_found),
		cmocka_unit_test(cro_numbers_of_both_kinds_are_checked),
		cmocka_unit_test(random_cro_numbers_round_trip),
		cmocka_unit_test(asns_are_checked_over_force_system_year_and_sequence),
		cmocka_unit_test(
		        random_asns_are_valid_packed_and_displayed_and_changed_digits_are_found),
		cmocka_unit_test(numbers_without_check_letters_are_judged_by_shape),
		cmocka_unit_test(the_kind_is_guessed_from_the_shape),
		cmocka_unit_test(kinds_are_known_by_their_names_and_those_of_feeds),
		cmocka_unit_test(arrests_and_foreign_numbers_never_find_a_person),
		cmocka_unit_test(random_text_has_an_answer_for_every_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
