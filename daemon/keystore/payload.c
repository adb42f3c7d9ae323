/*
 * See payload.h. The nonce is the front of the digest: equal digests are equal salts and bytes, so a key
 * never meets one nonce with two texts, not even after a crash that forgot what was sealed last. Number of
 * the key, id and digest are authenticated with it.
 */
#include "keystore/payload.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include "base/cursor.h"
#include "base/keyfile.h"
#include "evidence/hash.h"

#define NONCE 12u
#define KEPT 8192u       /* payloads; a power of two */
#define KEPT_BYTES 1024u /* of one; a longer one is kept alone */
#define SALTS 256u       /* fetched at once */

struct kept {
	uint8_t digest[PAYLOAD_DIGEST];
	uint8_t *bytes; /* salt, payload; NULL: nothing */
	size_t len, room;
};

struct payloads {
	struct keystore *store;
	const struct world *world;
	EVP_CIPHER *cipher;
	EVP_CIPHER_CTX *context;
	struct hasher *hasher;
	uint8_t salts[SALTS * PAYLOAD_SALT];
	size_t n_salts; /* left */
	struct kept *kept;
	struct kept large;
	size_t held_bytes;
};

struct payloads *payloads_new(struct keystore *store, const struct world *world)
{
	struct payloads *it = calloc(1, sizeof(*it));

	if (!it)
		return NULL;
	it->store = store;
	it->world = world;
	it->cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	it->context = EVP_CIPHER_CTX_new();
	it->hasher = hasher_new();
	it->kept = calloc(KEPT, sizeof(*it->kept));
	if (!it->cipher || !it->context || !it->hasher || !it->kept ||
	    EVP_CipherInit_ex2(it->context, it->cipher, NULL, NULL, 1, NULL) != 1)
		payloads_free(&it);
	return it;
}

static void drop(struct payloads *it, struct kept *kept)
{
	if (kept->bytes)
		wipe(kept->bytes, kept->room);
	it->held_bytes -= kept->room;
	free(kept->bytes);
	*kept = (struct kept){ .bytes = NULL };
}

void payloads_forget(struct payloads *it)
{
	for (size_t i = 0; i < KEPT; i++)
		drop(it, &it->kept[i]);
	drop(it, &it->large);
}

void payloads_free(struct payloads **handle)
{
	struct payloads *it = *handle;

	*handle = NULL;
	if (!it)
		return;
	if (it->kept)
		payloads_forget(it);
	free(it->kept);
	hasher_free(&it->hasher);
	EVP_CIPHER_CTX_free(it->context);
	EVP_CIPHER_free(it->cipher);
	wipe(it, sizeof(*it));
	free(it);
}

size_t payloads_held_bytes(const struct payloads *it)
{
	return it->held_bytes;
}

static struct kept *place_for(struct payloads *it, const uint8_t *digest, size_t len)
{
	uint32_t at;

	memcpy(&at, digest, sizeof(at));
	return len > KEPT_BYTES ? &it->large : &it->kept[at & (KEPT - 1)];
}

/* Room for len bytes there; NULL: no memory, then nothing is there. */
static struct kept *clear_for(struct payloads *it, const uint8_t *digest, size_t len)
{
	struct kept *kept = place_for(it, digest, len);

	if (kept->room < len || kept->room > 4 * len) {
		drop(it, kept);
		kept->bytes = malloc(len);
		kept->room = kept->bytes ? len : 0;
		it->held_bytes += kept->room;
	}
	kept->len = 0;
	return kept->bytes ? kept : NULL;
}

static bool take_salt(struct payloads *it, uint8_t salt[PAYLOAD_SALT])
{
	if (it->n_salts == 0) {
		if (it->world->random(it->world->self, it->salts, sizeof(it->salts)) < 0)
			return false;
		it->n_salts = SALTS;
	}
	it->n_salts--;
	memcpy(salt, it->salts + it->n_salts * PAYLOAD_SALT, PAYLOAD_SALT);
	return true;
}

/* Key, nonce and what is authenticated. */
static enum ttg_error start(struct payloads *it, const struct payload_place *place, const uint8_t *digest,
			    int encrypt)
{
	uint8_t key[KEYSTORE_KEY], aad[8 + PAYLOAD_ID + PAYLOAD_DIGEST];
	enum ttg_error error = keystore_get(it->store, place->key, key);
	struct cursor cursor;
	int moved;

	if (error)
		return error;
	cursor_init_write(&cursor, aad, sizeof(aad));
	cursor_put_u64(&cursor, place->key);
	cursor_put_bytes(&cursor, place->id, PAYLOAD_ID);
	cursor_put_bytes(&cursor, digest, PAYLOAD_DIGEST);
	if (EVP_CipherInit_ex2(it->context, NULL, key, digest, encrypt, NULL) != 1 ||
	    EVP_CipherUpdate(it->context, NULL, &moved, aad, sizeof(aad)) != 1)
		error = TTG_ECRYPTO;
	wipe(key, sizeof(key));
	return error;
}

static void keep(struct payloads *it, const uint8_t *digest, const uint8_t *salt, const uint8_t *bytes,
		 size_t len)
{
	struct kept *kept;

	if (len > KEPT_BYTES - PAYLOAD_SALT || place_for(it, digest, len)->bytes + PAYLOAD_SALT == bytes)
		return;
	kept = clear_for(it, digest, PAYLOAD_SALT + len);
	if (!kept)
		return;
	memcpy(kept->digest, digest, PAYLOAD_DIGEST);
	memcpy(kept->bytes, salt, PAYLOAD_SALT);
	memcpy(kept->bytes + PAYLOAD_SALT, bytes, len);
	kept->len = PAYLOAD_SALT + len;
}

enum ttg_error payload_seal(struct payloads *it, const struct payload_place *place, const uint8_t *bytes,
			    size_t len, uint8_t digest[PAYLOAD_DIGEST], uint8_t *sealed)
{
	uint8_t salt[PAYLOAD_SALT];
	int moved = 0, more = 0, rest = 0;
	enum ttg_error error;

	if (len > INT32_MAX / 2)
		return TTG_ELIMIT;
	if (!take_salt(it, salt) || !hasher_salted(it->hasher, salt, bytes, len, digest))
		return TTG_ECRYPTO;
	error = start(it, place, digest, 1);
	if (error)
		return error;
	if (EVP_CipherUpdate(it->context, sealed, &moved, salt, PAYLOAD_SALT) != 1 ||
	    EVP_CipherUpdate(it->context, sealed + moved, &more, bytes, (int)len) != 1 ||
	    EVP_CipherFinal_ex(it->context, sealed + moved + more, &rest) != 1 ||
	    EVP_CIPHER_CTX_ctrl(it->context, EVP_CTRL_AEAD_GET_TAG, PAYLOAD_TAG,
				sealed + PAYLOAD_SALT + len) != 1)
		return TTG_ECRYPTO;
	assert((size_t)moved + (size_t)more + (size_t)rest == PAYLOAD_SALT + len);
	keep(it, digest, salt, bytes, len);
	return TTG_OK;
}

static enum ttg_error unseal(struct payloads *it, const struct payload_place *place, const uint8_t *sealed,
			     size_t len, uint8_t *out)
{
	uint8_t tag[PAYLOAD_TAG];
	int moved = 0, rest = 0;
	enum ttg_error error = start(it, place, place->digest, 0);

	if (error)
		return error;
	memcpy(tag, sealed + len - PAYLOAD_TAG, PAYLOAD_TAG);
	if (EVP_CipherUpdate(it->context, out, &moved, sealed, (int)(len - PAYLOAD_TAG)) != 1 ||
	    EVP_CIPHER_CTX_ctrl(it->context, EVP_CTRL_AEAD_SET_TAG, PAYLOAD_TAG, tag) != 1 ||
	    EVP_CipherFinal_ex(it->context, out + moved, &rest) != 1)
		return TTG_ECRYPTO;
	return TTG_OK;
}

/* Salt and payload of it, opened or still kept. */
static enum ttg_error find(struct payloads *it, const struct payload_place *place, const uint8_t *sealed,
			   size_t len, const struct kept **out)
{
	const size_t inside = len - PAYLOAD_TAG;
	struct kept *kept;
	enum ttg_error error;

	if (len == 0)
		return TTG_EPERM; /* left out */
	if (len < PAYLOAD_MORE || len > INT32_MAX / 2)
		return TTG_ECORRUPT;
	kept = place_for(it, place->digest, inside);
	if (kept->len != inside || memcmp(kept->digest, place->digest, PAYLOAD_DIGEST) != 0) {
		kept = clear_for(it, place->digest, inside);
		if (!kept)
			return TTG_ENOMEM;
		error = unseal(it, place, sealed, len, kept->bytes);
		if (error) {
			drop(it, kept);
			return error;
		}
		memcpy(kept->digest, place->digest, PAYLOAD_DIGEST);
		kept->len = inside;
	}
	*out = kept;
	return TTG_OK;
}

enum ttg_error payload_open(struct payloads *it, const struct payload_place *place, const uint8_t *sealed,
			    size_t len, const uint8_t **bytes, size_t *n)
{
	const struct kept *kept;
	const enum ttg_error error = find(it, place, sealed, len, &kept);

	if (error)
		return error;
	*bytes = kept->bytes + PAYLOAD_SALT;
	*n = kept->len - PAYLOAD_SALT;
	return TTG_OK;
}

enum ttg_error payload_salt(struct payloads *it, const struct payload_place *place, const uint8_t *sealed,
			    size_t len, uint8_t salt[PAYLOAD_SALT])
{
	const struct kept *kept;
	const enum ttg_error error = find(it, place, sealed, len, &kept);

	if (!error)
		memcpy(salt, kept->bytes, PAYLOAD_SALT);
	return error;
}
