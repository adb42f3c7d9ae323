/* Payloads: sealed with a key of the store, opened only as what they are, unreadable without the key. */
#include "unit.h"

#include <string.h>
#include "evidence/hash.h"
#include "keystore/payload.h"
#include "support/memory_world.h"

#define LONG 5000u

struct bed {
	struct memory_world *memory;
	struct keystore *store;
	struct payloads *payloads;
	uint64_t key;
	uint8_t id[PAYLOAD_ID], digest[PAYLOAD_DIGEST];
	uint8_t bytes[LONG], sealed[LONG + PAYLOAD_MORE];
};

static void make_bed(struct bed *bed)
{
	const struct keystore_options options = { .directory = "/keys", .master = { 1 } };

	memset(bed, 0, sizeof(*bed));
	bed->memory = memory_world_new(1);
	assert_int_equal(keystore_open(&bed->store, &options, memory_world_table(bed->memory), NULL), TTG_OK);
	bed->payloads = payloads_new(bed->store, memory_world_table(bed->memory));
	assert_non_null(bed->payloads);
	assert_int_equal(keystore_take(bed->store, &bed->key), TTG_OK);
	memset(bed->id, 7, sizeof(bed->id));
	for (size_t i = 0; i < LONG; i++)
		bed->bytes[i] = (uint8_t)("arrested in Luton, "[i % 19]);
}

static void end(struct bed *bed)
{
	payloads_free(&bed->payloads);
	keystore_close(&bed->store);
	memory_world_free(&bed->memory);
}

static struct payload_place place(const struct bed *bed)
{
	return (struct payload_place){ bed->key, bed->id, bed->digest };
}

static void seal(struct bed *bed, size_t len)
{
	const struct payload_place at = place(bed);

	assert_int_equal(payload_seal(bed->payloads, &at, bed->bytes, len, bed->digest, bed->sealed), TTG_OK);
}

static enum ttg_error open_it(struct bed *bed, size_t len, const uint8_t **bytes, size_t *n)
{
	const struct payload_place at = place(bed);

	return payload_open(bed->payloads, &at, bed->sealed, len + PAYLOAD_MORE, bytes, n);
}

static void must_open(struct bed *bed, size_t len)
{
	const uint8_t *bytes = NULL;
	size_t n = 0;

	assert_int_equal(open_it(bed, len, &bytes, &n), TTG_OK);
	assert_int_equal(n, len);
	assert_memory_equal(bytes, bed->bytes, len);
}

static void what_was_sealed_opens_kept_or_not(void **state)
{
	static const size_t lengths[] = { 0, 1, 15, 16, 300, 1008, 1009, 1024, LONG };
	struct bed bed;

	(void)state;
	make_bed(&bed);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		seal(&bed, lengths[i]);
		must_open(&bed, lengths[i]);
		payloads_forget(bed.payloads);
		assert_int_equal(payloads_held_bytes(bed.payloads), 0);
		must_open(&bed, lengths[i]);
		must_open(&bed, lengths[i]);
		for (size_t at = 0; lengths[i] > 100 && at + 12 <= lengths[i] + PAYLOAD_MORE; at++)
			assert_memory_not_equal(bed.sealed + at, bed.bytes, 12);
	}
	end(&bed);
}

static void the_digest_is_of_salt_and_bytes_and_never_the_same_again(void **state)
{
	uint8_t salt[PAYLOAD_SALT], sum[EVIDENCE_HASH], first[PAYLOAD_DIGEST];
	struct hasher *hasher = hasher_new();
	struct bed bed;
	struct payload_place at;

	(void)state;
	make_bed(&bed);
	seal(&bed, 300);
	at = place(&bed);
	assert_int_equal(payload_salt(bed.payloads, &at, bed.sealed, 300 + PAYLOAD_MORE, salt), TTG_OK);
	assert_true(hasher_salted(hasher, salt, bed.bytes, 300, sum));
	assert_memory_equal(sum, bed.digest, sizeof(sum));
	memcpy(first, bed.digest, sizeof(first));
	for (unsigned i = 0; i < 600; i++) { /* more than are fetched at once */
		seal(&bed, 300);
		assert_memory_not_equal(first, bed.digest, sizeof(first));
	}
	hasher_free(&hasher);
	end(&bed);
}

static void nothing_else_opens_it(void **state)
{
	const uint8_t *bytes;
	struct bed bed;
	uint64_t other;
	size_t n;

	(void)state;
	make_bed(&bed);
	assert_int_equal(keystore_take(bed.store, &other), TTG_OK);
	seal(&bed, 40);
	payloads_forget(bed.payloads);
	for (size_t at = 0; at < 40 + PAYLOAD_MORE; at++) {
		bed.sealed[at] ^= 4;
		assert_int_equal(open_it(&bed, 40, &bytes, &n), TTG_ECRYPTO);
		bed.sealed[at] ^= 4;
	}
	for (size_t at = 0; at < sizeof(bed.id); at++) {
		bed.id[at] ^= 4;
		assert_int_equal(open_it(&bed, 40, &bytes, &n), TTG_ECRYPTO);
		bed.id[at] ^= 4;
	}
	for (size_t at = 0; at < sizeof(bed.digest); at++) {
		bed.digest[at] ^= 4;
		assert_int_equal(open_it(&bed, 40, &bytes, &n), TTG_ECRYPTO);
		bed.digest[at] ^= 4;
	}
	bed.key = other;
	assert_int_equal(open_it(&bed, 40, &bytes, &n), TTG_ECRYPTO);
	bed.key = 999999;
	assert_int_equal(open_it(&bed, 40, &bytes, &n), TTG_ENOENT);
	bed.key = other - 1;
	assert_int_equal(open_it(&bed, 39, &bytes, &n), TTG_ECRYPTO);
	must_open(&bed, 40);
	end(&bed);
}

static void without_its_key_it_is_gone(void **state)
{
	const uint8_t *bytes;
	struct payload_place at;
	struct bed bed;
	size_t n;

	(void)state;
	make_bed(&bed);
	seal(&bed, 300);
	assert_int_equal(keystore_destroy(bed.store, &bed.key, 1), TTG_OK);
	payloads_forget(bed.payloads);
	assert_int_equal(open_it(&bed, 300, &bytes, &n), TTG_EPERM);
	at = place(&bed);
	assert_int_equal(payload_seal(bed.payloads, &at, bed.bytes, 300, bed.digest, bed.sealed), TTG_EPERM);
	/* Left out. */
	assert_int_equal(payload_open(bed.payloads, &at, bed.sealed, 0, &bytes, &n), TTG_EPERM);
	assert_int_equal(payload_open(bed.payloads, &at, bed.sealed, PAYLOAD_MORE - 1, &bytes, &n),
			 TTG_ECORRUPT);
	end(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_sealed_opens_kept_or_not),
		cmocka_unit_test(the_digest_is_of_salt_and_bytes_and_never_the_same_again),
		cmocka_unit_test(nothing_else_opens_it),
		cmocka_unit_test(without_its_key_it_is_gone),
	};

	return cmocka_run_group_tests_name("payload", tests, NULL, NULL);
}
