/*
 * Hashes of the core; see digest.h. A failing library call is remembered and told once at the end:
 * the callers treat it as lack of memory, since nothing they pass in can make a hash fail.
 */
#include "core/digest.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

/* The same persons come again and again: 4,096 of their sums are kept, 320 KiB. */
#define KNOWN_SUMS 4096u
#define KNOWN_TEXT 47u

struct digest {
	EVP_MD_CTX *context;
	bool failed;
};

/* A short text whose sum is known; len 0: none. */
struct known {
	uint8_t len;
	uint8_t text[KNOWN_TEXT];
	uint8_t sum[DIGEST_BYTES];
};

struct hmac {
	EVP_MAC *mac;
	EVP_MAC_CTX *context;
	struct known *known; /* KNOWN_SUMS of them, each text in its one place */
};

static bool compute(struct hmac *hmac, const void *data, size_t len, uint8_t out[DIGEST_BYTES])
{
	size_t written = 0;

	/* No key given: the schedule made by hmac_new() is used again. */
	if (!EVP_MAC_init(hmac->context, NULL, 0, NULL) ||
	    !EVP_MAC_update(hmac->context, data, len) ||
	    !EVP_MAC_final(hmac->context, out, &written, DIGEST_BYTES))
		return false;
	return written == DIGEST_BYTES;
}

bool hmac_sum(struct hmac *hmac, const void *data, size_t len, uint8_t out[DIGEST_BYTES])
{
	static const uint8_t place_key[SIPHASH_KEY_BYTES] = { 0 }; /* spreads, protects nothing */
	struct known *known;

	if (len == 0 || len > KNOWN_TEXT)
		return compute(hmac, data, len, out);
	known = &hmac->known[siphash(place_key, data, len) % KNOWN_SUMS];
	if (known->len != len || memcmp(known->text, data, len) != 0) {
		known->len = 0;
		if (!compute(hmac, data, len, known->sum))
			return false;
		memcpy(known->text, data, len);
		known->len = (uint8_t)len;
	}
	memcpy(out, known->sum, DIGEST_BYTES);
	return true;
}

struct hmac *hmac_new(const uint8_t *key, size_t len)
{
	char name[] = "SHA256";
	OSSL_PARAM parameters[2] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
		OSSL_PARAM_construct_end(),
	};
	struct hmac *hmac = calloc(1, sizeof(*hmac));

	if (!hmac)
		return NULL;
	hmac->known = calloc(KNOWN_SUMS, sizeof(*hmac->known));
	hmac->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (hmac->mac && hmac->known)
		hmac->context = EVP_MAC_CTX_new(hmac->mac);
	if (!hmac->context || !EVP_MAC_init(hmac->context, key, len, parameters))
		hmac_free(&hmac);
	return hmac;
}

void hmac_free(struct hmac **hmac)
{
	if (!*hmac)
		return;
	EVP_MAC_CTX_free((*hmac)->context);
	EVP_MAC_free((*hmac)->mac);
	if ((*hmac)->known)
		OPENSSL_cleanse((*hmac)->known, KNOWN_SUMS * sizeof(*(*hmac)->known));
	free((*hmac)->known);
	free(*hmac);
	*hmac = NULL;
}

struct digest *digest_new(void)
{
	struct digest *digest = calloc(1, sizeof(*digest));

	if (!digest)
		return NULL;
	digest->context = EVP_MD_CTX_new();
	if (!digest->context || !EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL))
		digest_free(&digest);
	return digest;
}

void digest_free(struct digest **digest)
{
	if (!*digest)
		return;
	EVP_MD_CTX_free((*digest)->context);
	free(*digest);
	*digest = NULL;
}

void digest_add(struct digest *digest, const void *data, size_t len)
{
	if (!EVP_DigestUpdate(digest->context, data, len))
		digest->failed = true;
}

bool digest_end(struct digest *digest, uint8_t out[DIGEST_BYTES])
{
	unsigned int written = 0;

	if (!EVP_DigestFinal_ex(digest->context, out, &written))
		digest->failed = true;
	return !digest->failed && written == DIGEST_BYTES;
}

static uint64_t rotate(uint64_t value, unsigned int bits)
{
	return value << bits | value >> (64 - bits);
}

/* Inline, or the four words go through memory each time. */
static inline __attribute__((always_inline)) void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static uint64_t load_le(const uint8_t *at, size_t len)
{
	uint64_t value = 0;

	assert(len <= 8);
	for (size_t i = 0; i < len; i++)
		value |= (uint64_t)at[i] << (8 * i);
	return value;
}

static inline __attribute__((always_inline)) void sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	sip_round(v);
	v[0] ^= word;
}

uint64_t siphash(const uint8_t key[SIPHASH_KEY_BYTES], const void *data, size_t len)
{
	const uint8_t *at = data;
	uint64_t k0 = load_le(key, 8), k1 = load_le(key + 8, 8);
	uint64_t v[4] = {
		k0 ^ UINT64_C(0x736f6d6570736575),
		k1 ^ UINT64_C(0x646f72616e646f6d),
		k0 ^ UINT64_C(0x6c7967656e657261),
		k1 ^ UINT64_C(0x7465646279746573),
	};
	size_t left = len;

	for (; left >= 8; left -= 8, at += 8)
		sip_word(v, load_le(at, 8));
	sip_word(v, load_le(at, left) | (uint64_t)(len & 0xff) << 56);
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
