/*
 * The journal's cryptography: one object holds the contexts one thread needs, so that a batch
 * allocates nothing. A key and a nonce are never used twice: each segment and each snapshot has its
 * own key (a random salt), and a process never writes into a segment of an earlier one.
 */
#ifndef TTGD_JOURNAL_CRYPTO_H
#define TTGD_JOURNAL_CRYPTO_H

#include "journal/format.h"

struct crypto;

/* NULL on lack of memory or of an algorithm. One thread at a time. */
struct crypto *crypto_new(void);
void crypto_free(struct crypto **crypto);

enum crypto_purpose { CRYPTO_SEGMENT, CRYPTO_SNAPSHOT };

/* Derives the key and its check value from the master key and a salt. TTG_ECRYPTO. */
enum ttg_error crypto_derive(const uint8_t master[JOURNAL_KEY_BYTES],
                             const uint8_t salt[FORMAT_SALT], enum crypto_purpose purpose,
                             uint8_t key[JOURNAL_KEY_BYTES], uint8_t check[FORMAT_KEY_CHECK]);

struct crypto_unit {
	uint32_t cipher;
	const uint8_t *key;
	uint64_t nonce;
	const uint8_t *aad;
	size_t aad_bytes;
};

/* Encrypts len bytes to out and puts FORMAT_TAG bytes behind them. TTG_ECRYPTO. */
enum ttg_error crypto_seal(struct crypto *crypto, const struct crypto_unit *unit, const uint8_t *in,
                           size_t len, uint8_t *out);
/* Decrypts len bytes that a tag follows. TTG_ECRYPTO when they are not what was sealed. */
enum ttg_error crypto_unseal(struct crypto *crypto, const struct crypto_unit *unit,
                             const uint8_t *in, size_t len, uint8_t *out);

/* SHA-256 of a, then b (which may be empty). */
enum ttg_error crypto_hash(struct crypto *crypto, const void *a, size_t a_bytes, const void *b,
                           size_t b_bytes, uint8_t out[JOURNAL_HASH_BYTES]);

#endif
