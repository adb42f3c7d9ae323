/*
 * Payloads, sealed with the keys of the store. What is sealed is a salt, random, and the event's bytes
 * (AES-256-GCM); what stays in the open is the digest of both. Without the key neither the bytes nor, by
 * trying, whether they were some bytes or others can be told from it. docs/formats.md draws it.
 *
 * What was sealed or opened last is kept, since it is delivered soon and several times.
 *
 * Owner: one thread, the store's.
 */
#ifndef TTGD_KEYSTORE_PAYLOAD_H
#define TTGD_KEYSTORE_PAYLOAD_H

#include "keystore/keystore.h"

#define PAYLOAD_SALT 16u
#define PAYLOAD_TAG 16u
#define PAYLOAD_MORE (PAYLOAD_SALT + PAYLOAD_TAG) /* bytes that what is sealed is longer by */
#define PAYLOAD_DIGEST 32u
#define PAYLOAD_ID 16u

struct payloads;

struct payloads *payloads_new(struct keystore *store, const struct world *world); /* NULL: no memory */
void payloads_free(struct payloads **it);

/* What a sealed payload is bound to. */
struct payload_place {
	uint64_t key;      /* number in the store */
	const uint8_t *id; /* of the event */
	const uint8_t *digest; /* to be opened: PAYLOAD_DIGEST bytes */
};

/* `sealed` has room for len + PAYLOAD_MORE. As keystore_get(). */
enum ttg_error payload_seal(struct payloads *it, const struct payload_place *place, const uint8_t *bytes,
			    size_t len, uint8_t digest[PAYLOAD_DIGEST], uint8_t *sealed);
/* *bytes: valid until the next call. As keystore_get(); TTG_ECRYPTO: it is not what was sealed there. */
enum ttg_error payload_open(struct payloads *it, const struct payload_place *place, const uint8_t *sealed,
			    size_t len, const uint8_t **bytes, size_t *n);
/* Only its salt, for a receipt. */
enum ttg_error payload_salt(struct payloads *it, const struct payload_place *place, const uint8_t *sealed,
			    size_t len, uint8_t salt[PAYLOAD_SALT]);
/* Nothing that was opened is kept any longer. */
void payloads_forget(struct payloads *it);
size_t payloads_held_bytes(const struct payloads *it);

#endif
