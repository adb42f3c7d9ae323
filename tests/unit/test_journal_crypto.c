/* The journal's cipher and hash object, and what its proof asks of plain bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "journal/crypto.h"

#define TEXT_BYTES 100u
#define SEALED_BYTES (TEXT_BYTES + FORMAT_TAG)
#define UNITS 6

static const uint8_t header[] = "what is authenticated only";
static const enum journal_cipher ciphers[UNITS] = {
	JOURNAL_AES_256_GCM,	   JOURNAL_CHACHA20_POLY1305, JOURNAL_CHACHA20_POLY1305,
	JOURNAL_AES_256_GCM,	   JOURNAL_AES_256_GCM,	      JOURNAL_CHACHA20_POLY1305,
};

struct unit {
	uint8_t key[JOURNAL_KEY_BYTES], text[TEXT_BYTES];
	struct crypto_unit how;
};

static void fill(struct unit *unit, unsigned i)
{
	memset(unit->key, (int)(i / 2 + 1), sizeof(unit->key)); /* two with each key */
	memset(unit->text, (int)i, sizeof(unit->text));
	unit->how = (struct crypto_unit){ ciphers[i], unit->key, 1000 + i, header,
					  sizeof(header) };
}

static void one_object_seals_and_unseals_with_both_ciphers_in_turn(void **state)
{
	struct crypto *one = crypto_new();
	uint8_t sealed[UNITS][SEALED_BYTES], out[TEXT_BYTES];

	(void)state;
	assert_non_null(one);
	for (unsigned i = 0; i < UNITS; i++) {
		struct crypto *other = crypto_new();
		struct unit unit;

		fill(&unit, i);
		assert_non_null(other);
		assert_int_equal(crypto_seal(one, &unit.how, unit.text, TEXT_BYTES, sealed[i]), TTG_OK);
		assert_int_equal(crypto_unseal(other, &unit.how, sealed[i], TEXT_BYTES, out), TTG_OK);
		assert_memory_equal(out, unit.text, TEXT_BYTES);
		crypto_free(&other);
	}
	for (unsigned i = 0; i < UNITS; i++) {
		struct unit unit;

		fill(&unit, i);
		assert_int_equal(crypto_unseal(one, &unit.how, sealed[i], TEXT_BYTES, out), TTG_OK);
		assert_memory_equal(out, unit.text, TEXT_BYTES);
	}
	crypto_free(&one);
}

static void what_does_not_fit_is_refused_and_the_next_unit_is_none_the_worse(void **state)
{
	struct crypto *one = crypto_new();
	uint8_t sealed[SEALED_BYTES], out[TEXT_BYTES];
	struct unit unit;

	(void)state;
	assert_non_null(one);
	for (unsigned i = 0; i < UNITS; i++) {
		fill(&unit, i);
		assert_int_equal(crypto_seal(one, &unit.how, unit.text, TEXT_BYTES, sealed), TTG_OK);
		sealed[i * 7] ^= 1;
		assert_int_equal(crypto_unseal(one, &unit.how, sealed, TEXT_BYTES, out), TTG_ECRYPTO);
		sealed[i * 7] ^= 1;
		unit.how.nonce++;
		assert_int_equal(crypto_unseal(one, &unit.how, sealed, TEXT_BYTES, out), TTG_ECRYPTO);
		unit.how.nonce--;
		assert_int_equal(crypto_unseal(one, &unit.how, sealed, TEXT_BYTES, out), TTG_OK);
		assert_memory_equal(out, unit.text, TEXT_BYTES);
	}
	crypto_free(&one);
}

static void bytes_are_filled_only_if_each_of_them_is(void **state)
{
	uint8_t bytes[FORMAT_BLOCK];

	(void)state;
	memset(bytes, FORMAT_PADDING, sizeof(bytes));
	assert_true(format_filled(bytes, 0, 0));
	assert_true(format_filled(bytes, 1, FORMAT_PADDING));
	assert_true(format_filled(bytes, sizeof(bytes), FORMAT_PADDING));
	assert_false(format_filled(bytes, sizeof(bytes), 0));
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] ^= 0x10;
		assert_false(format_filled(bytes, sizeof(bytes), FORMAT_PADDING));
		assert_true(format_filled(bytes, i, FORMAT_PADDING));
		bytes[i] ^= 0x10;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_object_seals_and_unseals_with_both_ciphers_in_turn),
		cmocka_unit_test(what_does_not_fit_is_refused_and_the_next_unit_is_none_the_worse),
		cmocka_unit_test(bytes_are_filled_only_if_each_of_them_is),
	};

	return cmocka_run_group_tests_name("journal_crypto", tests, NULL, NULL);
}
