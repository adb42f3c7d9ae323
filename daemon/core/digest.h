/*
 * Hashes the core needs, the only file of it that knows a cryptographic library: SHA-256 for the
 * digest of the rules and for made-up ids, HMAC-SHA256 for keys of persons, SipHash-2-4 for
 * fingerprints that a publisher cannot make collide on purpose.
 *
 * Owner: any thread for sha256 and siphash; an hmac object belongs to one.
 */
#ifndef TTGD_CORE_DIGEST_H
#define TTGD_CORE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_BYTES 32
#define SIPHASH_KEY_BYTES 16

struct digest;

struct digest *digest_new(void); /* SHA-256 begun; NULL without memory */
void digest_free(struct digest **digest);
void digest_add(struct digest *digest, const void *data, size_t len);
/* False when any step failed. The object may only be freed afterwards. */
bool digest_end(struct digest *digest, uint8_t out[DIGEST_BYTES]);

struct hmac;

/* Keeps the key schedule, so that one code costs two blocks. NULL without memory. */
struct hmac *hmac_new(const uint8_t *key, size_t len);
void hmac_free(struct hmac **hmac);
bool hmac_sum(struct hmac *hmac, const void *data, size_t len, uint8_t out[DIGEST_BYTES]);

uint64_t siphash(const uint8_t key[SIPHASH_KEY_BYTES], const void *data, size_t len);

#endif
