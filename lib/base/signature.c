/*
 * See signature.h. Ed25519 by OpenSSL 3.
 *
 * A secret key is kept as its 32 bytes, in memory for keys (base/secret.h). OpenSSL's own copy, which it
 * wipes, lives as long as one signature: deriving it anew costs some ten microseconds, and seals are few.
 *
 * A key file is exactly what `openssl pkey` would write for its key, byte for byte, or it is refused:
 * so that a file says one thing only, whoever reads it. No message holds a byte of a file.
 */
#include "base/signature.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/keyfile.h"
#include "base/secret.h"
#include "base/smallfile.h"
#include "base/world.h"

#define KIND         "ED25519"
#define FILE_BYTES_MAX 2048u /* the longest form of a secret key has 119; of public ones there may be some */
#define SECRET_TITLE "-----BEGIN PRIVATE KEY-----"
#define PUBLIC_END   "-----END PUBLIC KEY-----\n"
#define LOCKED_TITLE "-----BEGIN ENCRYPTED PRIVATE KEY-----"

static_assert(VERIFY_KEYS_MAX * SIGNATURE_PEM_MAX <= FILE_BYTES_MAX, "public keys fit their file");

struct sign_key {
	uint8_t *seed; /* SIGNATURE_SEED bytes, a secret */
	uint8_t public[SIGNATURE_PUBLIC];
};

struct verify_key {
	struct {
		uint8_t public[SIGNATURE_PUBLIC];
		EVP_PKEY *key;
	} keys[VERIFY_KEYS_MAX];
	size_t n;
	EVP_MD_CTX *context;
};

/* OpenSSL's form of it, to be freed with EVP_PKEY_free(); NULL: no memory. */
static EVP_PKEY *secret_of(const struct sign_key *key)
{
	return EVP_PKEY_new_raw_private_key_ex(NULL, KIND, NULL, key->seed, SIGNATURE_SEED);
}

bool sign_key_sign(struct sign_key *key, const void *data, size_t len, uint8_t out[SIGNATURE_BYTES])
{
	EVP_PKEY *secret = secret_of(key);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t written = SIGNATURE_BYTES;
	const bool fine = secret && context &&
			  EVP_DigestSignInit(context, NULL, NULL, NULL, secret) == 1 &&
			  EVP_DigestSign(context, out, &written, data, len) == 1 &&
			  written == SIGNATURE_BYTES;

	EVP_MD_CTX_free(context);
	EVP_PKEY_free(secret);
	ERR_clear_error();
	return fine;
}

static bool one_accepts(struct verify_key *key, size_t i, const void *data, size_t len,
			const uint8_t signature[SIGNATURE_BYTES])
{
	const bool fine =
		EVP_MD_CTX_reset(key->context) == 1 &&
		EVP_DigestVerifyInit(key->context, NULL, NULL, NULL, key->keys[i].key) == 1 &&
		EVP_DigestVerify(key->context, signature, SIGNATURE_BYTES, data, len) == 1;

	ERR_clear_error();
	return fine;
}

bool verify_key_which(struct verify_key *key, const void *data, size_t len,
		      const uint8_t signature[SIGNATURE_BYTES], uint8_t out[SIGNATURE_PUBLIC])
{
	for (size_t i = 0; i < key->n; i++) {
		if (!one_accepts(key, i, data, len, signature))
			continue;
		memcpy(out, key->keys[i].public, SIGNATURE_PUBLIC);
		return true;
	}
	return false;
}

bool verify_key_accepts(struct verify_key *key, const void *data, size_t len,
			const uint8_t signature[SIGNATURE_BYTES])
{
	uint8_t which[SIGNATURE_PUBLIC];

	return verify_key_which(key, data, len, signature, which);
}

struct sign_key *sign_key_from_seed(const uint8_t seed[SIGNATURE_SEED])
{
	struct sign_key *key = calloc(1, sizeof(*key));
	EVP_PKEY *secret = NULL;
	size_t len = SIGNATURE_PUBLIC;

	if (!key)
		return NULL;
	key->seed = secret_new(SIGNATURE_SEED);
	if (key->seed) {
		memcpy(key->seed, seed, SIGNATURE_SEED);
		secret = secret_of(key);
	}
	if (!secret || EVP_PKEY_get_raw_public_key(secret, key->public, &len) != 1 ||
	    len != SIGNATURE_PUBLIC)
		sign_key_free(&key);
	EVP_PKEY_free(secret);
	return key;
}

void sign_key_free(struct sign_key **key)
{
	if (!*key)
		return;
	secret_free((*key)->seed);
	free(*key);
	*key = NULL;
}

void sign_key_raw(const struct sign_key *key, uint8_t out[SIGNATURE_PUBLIC])
{
	memcpy(out, key->public, SIGNATURE_PUBLIC);
}

bool verify_key_has(const struct verify_key *key, const uint8_t public[SIGNATURE_PUBLIC])
{
	for (size_t i = 0; i < key->n; i++)
		if (memcmp(key->keys[i].public, public, SIGNATURE_PUBLIC) == 0)
			return true;
	return false;
}

bool verify_key_add(struct verify_key *key, const uint8_t public[SIGNATURE_PUBLIC])
{
	if (verify_key_has(key, public))
		return true;
	if (key->n == VERIFY_KEYS_MAX)
		return false;
	key->keys[key->n].key = EVP_PKEY_new_raw_public_key_ex(NULL, KIND, NULL, public, SIGNATURE_PUBLIC);
	if (!key->keys[key->n].key) {
		ERR_clear_error();
		return false;
	}
	memcpy(key->keys[key->n++].public, public, SIGNATURE_PUBLIC);
	return true;
}

/* Of no key yet. */
static struct verify_key *verify_key_new(void)
{
	struct verify_key *key = calloc(1, sizeof(*key));

	if (!key)
		return NULL;
	key->context = EVP_MD_CTX_new();
	if (!key->context)
		verify_key_free(&key);
	return key;
}

struct verify_key *verify_key_of_bytes(const uint8_t public[SIGNATURE_PUBLIC])
{
	struct verify_key *key = verify_key_new();

	if (key && !verify_key_add(key, public))
		verify_key_free(&key);
	return key;
}

struct verify_key *verify_key_of(const struct sign_key *key)
{
	return verify_key_of_bytes(key->public);
}

bool verify_key_raw(const struct verify_key *key, uint8_t out[SIGNATURE_PUBLIC])
{
	if (key->n != 1)
		return false;
	memcpy(out, key->keys[0].public, SIGNATURE_PUBLIC);
	return true;
}

bool signature_fingerprint(const uint8_t public[SIGNATURE_PUBLIC], uint8_t out[SIGNATURE_FINGERPRINT])
{
	unsigned int len = 0;

	return EVP_Digest(public, SIGNATURE_PUBLIC, out, &len, EVP_sha256(), NULL) == 1 &&
	       len == SIGNATURE_FINGERPRINT;
}

void verify_key_free(struct verify_key **key)
{
	if (!*key)
		return;
	EVP_MD_CTX_free((*key)->context);
	for (size_t i = 0; i < (*key)->n; i++)
		EVP_PKEY_free((*key)->keys[i].key);
	free(*key);
	*key = NULL;
}

/* The PEM text in memory that is wiped when it is freed; NULL: no memory. */
static BIO *secret_text(const struct sign_key *key, const char **text, size_t *len)
{
	EVP_PKEY *secret = secret_of(key);
	BIO *bio = BIO_new(BIO_s_secmem());
	char *data = NULL;

	if (secret && bio && PEM_write_bio_PKCS8PrivateKey(bio, secret, NULL, NULL, 0, NULL, NULL) == 1)
		*len = (size_t)BIO_get_mem_data(bio, &data);
	EVP_PKEY_free(secret);
	*text = data;
	if (!data) {
		BIO_free(bio);
		return NULL;
	}
	return bio;
}

static bool public_text(const EVP_PKEY *key, char out[SIGNATURE_PEM_MAX])
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data = NULL;
	long len = 0;

	if (key && bio && PEM_write_bio_PUBKEY(bio, key) == 1)
		len = BIO_get_mem_data(bio, &data);
	const bool fine = data && len > 0 && (size_t)len < SIGNATURE_PEM_MAX;
	if (fine) {
		memcpy(out, data, (size_t)len);
		out[len] = '\0';
	}
	BIO_free(bio);
	return fine;
}

bool sign_key_public(const struct sign_key *key, char out[SIGNATURE_PEM_MAX])
{
	struct verify_key *public = verify_key_of(key);
	const bool fine = public && public_text(public->keys[0].key, out);

	verify_key_free(&public);
	return fine;
}

/* Secret first: the public half can be made of it, and never the other way round. */
static enum ttg_error write_pair(const struct sign_key *key, const char *secret_path,
				 const char *public_path, struct message *message)
{
	char public[SIGNATURE_PEM_MAX];
	const char *text = NULL;
	size_t len = 0;
	BIO *bio = secret_text(key, &text, &len);

	if (!bio || !sign_key_public(key, public)) {
		BIO_free(bio);
		return message_set(message, TTG_ENOMEM, "no memory for a key");
	}
	enum ttg_error error = smallfile_write(secret_path, true, text, len, message);
	BIO_free(bio);
	if (error)
		return error;
	error = smallfile_write(public_path, false, public, strlen(public), message);
	if (error)
		smallfile_remove(secret_path);
	return error;
}

enum ttg_error signature_make(const char *secret_path, const char *public_path,
			      struct message *message)
{
	const struct world *world = world_real();
	uint8_t seed[SIGNATURE_SEED];
	const int result = world->random(world->self, seed, sizeof(seed));

	/* First, or a secret key would be on the disk for a moment for nothing. */
	if (access(public_path, F_OK) == 0)
		return message_set(message, TTG_EEXIST,
				   "%s: is there already and is never overwritten; move it away",
				   public_path);
	if (result < 0)
		return message_set(message, world_error(result), "no random bytes (%s)",
				   strerror(-result));
	struct sign_key *key = sign_key_from_seed(seed);
	wipe(seed, sizeof(seed));
	if (!key)
		return message_set(message, TTG_ENOMEM, "no memory for a key");
	const enum ttg_error error = write_pair(key, secret_path, public_path, message);
	sign_key_free(&key);
	return error;
}

static bool starts_with(const char *text, size_t len, const char *title)
{
	return len >= strlen(title) && memcmp(text, title, strlen(title)) == 0;
}

static enum ttg_error not_secret(const char *path, const char *text, size_t len,
				 const EVP_PKEY *found, struct message *message)
{
	if (starts_with(text, len, LOCKED_TITLE))
		return message_set(message, TTG_EFORMAT, "%s: is encrypted; it must not be", path);
	if (found && !EVP_PKEY_is_a(found, KIND))
		return message_set(message, TTG_EFORMAT, "%s: is a key of another kind, not Ed25519",
				   path);
	return message_set(message, TTG_EFORMAT,
			   "%s: is not a secret Ed25519 key as openssl pkey writes it (PEM, PKCS #8)",
			   path);
}

static enum ttg_error parse_secret(const char *path, const char *text, size_t len,
				   struct sign_key **out, struct message *message)
{
	BIO *bio = BIO_new_mem_buf(text, (int)len), *again = NULL;
	char none[] = ""; /* the pass phrase, or OpenSSL would ask somebody */
	EVP_PKEY *found = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, none) : NULL;
	uint8_t seed[SIGNATURE_SEED] = { 0 };
	size_t n = sizeof(seed);
	const char *expected = NULL;
	struct sign_key *key = NULL;
	enum ttg_error error = TTG_OK;

	if (!found || !EVP_PKEY_is_a(found, KIND) ||
	    EVP_PKEY_get_raw_private_key(found, seed, &n) != 1 || n != sizeof(seed)) {
		error = not_secret(path, text, len, found, message);
		goto out;
	}
	key = sign_key_from_seed(seed);
	again = key ? secret_text(key, &expected, &n) : NULL;
	if (!again)
		error = message_set(message, TTG_ENOMEM, "%s: no memory for a key", path);
	else if (n != len || memcmp(expected, text, len) != 0)
		error = not_secret(path, text, len, found, message);
	if (error)
		sign_key_free(&key);
out:
	BIO_free(again);
	EVP_PKEY_free(found);
	BIO_free(bio);
	wipe(seed, sizeof(seed));
	ERR_clear_error();
	*out = key;
	return error;
}

enum ttg_error sign_key_read(const char *path, struct sign_key **out, struct message *message)
{
	char text[FILE_BYTES_MAX];
	size_t len = 0;

	*out = NULL;
	enum ttg_error error = smallfile_read(path, true, text, sizeof(text), &len, message);
	if (!error)
		error = parse_secret(path, text, len, out, message);
	wipe(text, sizeof(text));
	return error;
}

/* One PEM text, exactly; its key becomes one of `out`. */
static enum ttg_error parse_public(const char *path, const char *text, size_t len,
				   struct verify_key *out, struct message *message)
{
	BIO *bio = BIO_new_mem_buf(text, (int)len);
	char none[] = ""; /* the pass phrase, or OpenSSL would ask somebody */
	EVP_PKEY *found = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, none) : NULL;
	uint8_t public[SIGNATURE_PUBLIC];
	char again[SIGNATURE_PEM_MAX];
	size_t n = sizeof(public);
	enum ttg_error error = TTG_OK;

	if (found && !EVP_PKEY_is_a(found, KIND))
		error = message_set(message, TTG_EFORMAT,
				    "%s: is a key of another kind, not Ed25519", path);
	else if (starts_with(text, len, SECRET_TITLE))
		error = message_set(message, TTG_EFORMAT,
				    "%s: is a secret key; the public one belongs here", path);
	else if (!found || EVP_PKEY_get_raw_public_key(found, public, &n) != 1 || n != SIGNATURE_PUBLIC ||
		 !public_text(found, again) || strlen(again) != len || memcmp(again, text, len) != 0)
		error = message_set(message, TTG_EFORMAT,
				    "%s: is not a public Ed25519 key as openssl pkey writes it (PEM)",
				    path);
	EVP_PKEY_free(found);
	BIO_free(bio);
	ERR_clear_error();
	if (error)
		return error;
	return verify_key_add(out, public) ?
		       TTG_OK :
		       message_set(message, TTG_ENOMEM, "%s: no memory for a key, or more than %u", path,
				   VERIFY_KEYS_MAX);
}

/* Each up to its last line; what is behind the last one of all has to be none. */
static enum ttg_error parse_publics(const char *path, const char *text, size_t len,
				    struct verify_key *out, struct message *message)
{
	enum ttg_error error = TTG_OK;

	do {
		const char *end = memmem(text, len, PUBLIC_END, strlen(PUBLIC_END));
		const size_t one = end ? (size_t)(end - text) + strlen(PUBLIC_END) : len;

		error = parse_public(path, text, one, out, message);
		text += one;
		len -= one;
	} while (!error && len > 0);
	return error;
}

enum ttg_error verify_key_read(const char *path, struct verify_key **out, struct message *message)
{
	char text[FILE_BYTES_MAX];
	size_t len = 0;

	*out = NULL;
	/* Somebody may have put a secret here: treated as one until it is known. */
	enum ttg_error error = smallfile_read(path, false, text, sizeof(text), &len, message);
	if (!error) {
		*out = verify_key_new();
		error = *out ? parse_publics(path, text, len, *out, message) :
			       message_set(message, TTG_ENOMEM, "%s: no memory for a key", path);
	}
	if (error)
		verify_key_free(out);
	wipe(text, sizeof(text));
	return error;
}

void signature_to_base64(const uint8_t signature[SIGNATURE_BYTES], char out[SIGNATURE_BASE64])
{
	EVP_EncodeBlock((unsigned char *)out, signature, SIGNATURE_BYTES);
}

/* What OpenSSL decodes is written again and compared: it takes more than one form of a text. */
bool signature_from_base64(const char *text, size_t len, uint8_t out[SIGNATURE_BYTES])
{
	uint8_t bytes[SIGNATURE_BASE64 / 4 * 3];
	char again[SIGNATURE_BASE64];

	if (len != SIGNATURE_BASE64 - 1 ||
	    EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)len) != (int)sizeof(bytes))
		return false;
	signature_to_base64(bytes, again);
	if (memcmp(again, text, len) != 0)
		return false;
	memcpy(out, bytes, SIGNATURE_BYTES);
	return true;
}
