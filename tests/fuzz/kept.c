/*
 * What is the same for every input and costs many times what one does is made once and kept (--wrap
 * at link time): the table of all fields' bounds, the key schedule of a core's secret, OpenSSL's
 * contexts of the journal, keys derived from the same master key and salt before, and the plain text
 * and hashes of small batches that were read before, bit for bit the same. Each gives what a new one
 * would; none remembers anything of an input that a caller could see. The control socket's threads
 * come here too, hence the lock.
 */
#include "fuzz.h"

#include <pthread.h>
#include "core/digest.h"
#include "core/fields.h"
#include "journal/crypto.h"

#define KEPT_CRYPTO 8
#define KEPT_HMAC 4
#define KEY_MAX 64
#define DERIVED 64
#define ANSWERS 64
#define ANSWERED_MAX 512

struct fields *__real_fields_new(void);
struct fields *__wrap_fields_new(void);
void __wrap_fields_free(struct fields **fields);
struct hmac *__real_hmac_new(const uint8_t *key, size_t len);
struct hmac *__wrap_hmac_new(const uint8_t *key, size_t len);
void __real_hmac_free(struct hmac **hmac);
void __wrap_hmac_free(struct hmac **hmac);
struct crypto *__real_crypto_new(void);
struct crypto *__wrap_crypto_new(void);
void __real_crypto_free(struct crypto **crypto);
void __wrap_crypto_free(struct crypto **crypto);
enum ttg_error __real_crypto_derive(const uint8_t *master, const uint8_t *salt,
				    enum crypto_purpose purpose, uint8_t *key, uint8_t *check);
enum ttg_error __wrap_crypto_derive(const uint8_t *master, const uint8_t *salt,
				    enum crypto_purpose purpose, uint8_t *key, uint8_t *check);

enum ttg_error __real_crypto_unseal(struct crypto *crypto, const struct crypto_unit *unit,
				    const uint8_t *in, size_t len, uint8_t *out);
enum ttg_error __wrap_crypto_unseal(struct crypto *crypto, const struct crypto_unit *unit,
				    const uint8_t *in, size_t len, uint8_t *out);
enum ttg_error __real_crypto_hash(struct crypto *crypto, const void *a, size_t a_bytes, const void *b,
				  size_t b_bytes, uint8_t out[JOURNAL_HASH_BYTES]);
enum ttg_error __wrap_crypto_hash(struct crypto *crypto, const void *a, size_t a_bytes, const void *b,
				  size_t b_bytes, uint8_t out[JOURNAL_HASH_BYTES]);

struct derived {
	bool known;
	uint8_t master[JOURNAL_KEY_BYTES], salt[FORMAT_SALT];
	enum crypto_purpose purpose;
	uint8_t key[JOURNAL_KEY_BYTES], check[FORMAT_KEY_CHECK];
};

/* What went in, one piece behind the other, and what came out. */
struct answer {
	size_t in_bytes, out_bytes;
	uint8_t in[ANSWERED_MAX], out[ANSWERED_MAX];
};

static struct {
	pthread_mutex_t lock;
	struct {
		struct hmac *hmac;
		bool used;
	} hmacs[KEPT_HMAC]; /* all for the first key that was asked for */
	uint8_t key[KEY_MAX];
	size_t key_bytes, n_hmacs;
	struct crypto *crypto[KEPT_CRYPTO]; /* not in use */
	size_t n_crypto;
	struct derived derived[DERIVED]; /* by the salt's first byte */
	struct answer unsealed[ANSWERS], hashed[ANSWERS];
} kept = { .lock = PTHREAD_MUTEX_INITIALIZER };

struct fields *__wrap_fields_new(void)
{
	static struct fields *table;

	if (!table)
		table = __real_fields_new();
	return table;
}

void __wrap_fields_free(struct fields **fields)
{
	*fields = NULL;
}

/* Called by the loop only, as core_new() is. */
struct hmac *__wrap_hmac_new(const uint8_t *key, size_t len)
{
	if (kept.n_hmacs == 0 && len <= KEY_MAX) {
		memcpy(kept.key, key, len);
		kept.key_bytes = len;
	}
	if (len != kept.key_bytes || memcmp(key, kept.key, len) != 0)
		return __real_hmac_new(key, len);
	for (size_t i = 0; i < kept.n_hmacs; i++) {
		if (kept.hmacs[i].used)
			continue;
		kept.hmacs[i].used = true;
		return kept.hmacs[i].hmac;
	}
	struct hmac *hmac = __real_hmac_new(key, len);
	if (hmac && kept.n_hmacs < KEPT_HMAC) {
		kept.hmacs[kept.n_hmacs].hmac = hmac;
		kept.hmacs[kept.n_hmacs++].used = true;
	}
	return hmac;
}

void __wrap_hmac_free(struct hmac **hmac)
{
	for (size_t i = 0; i < kept.n_hmacs && *hmac; i++) {
		if (kept.hmacs[i].hmac != *hmac)
			continue;
		kept.hmacs[i].used = false;
		*hmac = NULL;
	}
	__real_hmac_free(hmac);
}

struct crypto *__wrap_crypto_new(void)
{
	struct crypto *crypto = NULL;

	pthread_mutex_lock(&kept.lock);
	if (kept.n_crypto > 0)
		crypto = kept.crypto[--kept.n_crypto];
	pthread_mutex_unlock(&kept.lock);
	return crypto ? crypto : __real_crypto_new();
}

void __wrap_crypto_free(struct crypto **crypto)
{
	pthread_mutex_lock(&kept.lock);
	if (*crypto && kept.n_crypto < KEPT_CRYPTO) {
		kept.crypto[kept.n_crypto++] = *crypto;
		*crypto = NULL;
	}
	pthread_mutex_unlock(&kept.lock);
	__real_crypto_free(crypto);
}

enum ttg_error __wrap_crypto_derive(const uint8_t *master, const uint8_t *salt,
				    enum crypto_purpose purpose, uint8_t *key, uint8_t *check)
{
	struct derived *it = &kept.derived[salt[0] % DERIVED];
	enum ttg_error error = TTG_OK;

	pthread_mutex_lock(&kept.lock);
	if (!it->known || it->purpose != purpose || memcmp(it->salt, salt, FORMAT_SALT) != 0 ||
	    memcmp(it->master, master, JOURNAL_KEY_BYTES) != 0) {
		error = __real_crypto_derive(master, salt, purpose, it->key, it->check);
		memcpy(it->salt, salt, FORMAT_SALT);
		memcpy(it->master, master, JOURNAL_KEY_BYTES);
		it->purpose = purpose;
		it->known = !error;
	}
	memcpy(key, it->key, JOURNAL_KEY_BYTES);
	memcpy(check, it->check, FORMAT_KEY_CHECK);
	pthread_mutex_unlock(&kept.lock);
	return error;
}

struct piece {
	const void *bytes;
	size_t len;
};

static size_t join(uint8_t out[ANSWERED_MAX], const struct piece *pieces, size_t n)
{
	size_t bytes = 0;

	for (size_t i = 0; i < n; i++) {
		if (pieces[i].len > ANSWERED_MAX - bytes)
			return 0;
		memcpy(out + bytes, pieces[i].bytes, pieces[i].len);
		bytes += pieces[i].len;
	}
	return bytes;
}

/* Where an answer to this belongs; its place is told by four bytes, and then all are compared. */
static struct answer *place_of(struct answer *answers, const uint8_t *in, size_t bytes)
{
	return &answers[(in[bytes - 1] ^ in[bytes / 2] ^ in[0] ^ bytes) % ANSWERS];
}

static bool known(const struct answer *answer, const uint8_t *in, size_t bytes, uint8_t *out)
{
	pthread_mutex_lock(&kept.lock);
	const bool found = answer->in_bytes == bytes && memcmp(answer->in, in, bytes) == 0;
	if (found && answer->out_bytes > 0)
		memcpy(out, answer->out, answer->out_bytes);
	pthread_mutex_unlock(&kept.lock);
	return found;
}

static void remember(struct answer *answer, const uint8_t *in, size_t bytes, struct piece out)
{
	pthread_mutex_lock(&kept.lock);
	memcpy(answer->in, in, bytes);
	answer->in_bytes = bytes;
	if (out.len > 0)
		memcpy(answer->out, out.bytes, out.len);
	answer->out_bytes = out.len;
	pthread_mutex_unlock(&kept.lock);
}

enum ttg_error __wrap_crypto_unseal(struct crypto *crypto, const struct crypto_unit *unit,
				    const uint8_t *in, size_t len, uint8_t *out)
{
	const struct piece pieces[] = {
		{ &len, sizeof(len) },		   { &unit->cipher, sizeof(unit->cipher) },
		{ unit->key, JOURNAL_KEY_BYTES },  { &unit->nonce, sizeof(unit->nonce) },
		{ unit->aad, unit->aad_bytes },	   { in, len + FORMAT_TAG },
	};
	uint8_t asked[ANSWERED_MAX];
	const size_t bytes = join(asked, pieces, sizeof(pieces) / sizeof(*pieces));
	struct answer *answer = bytes > 0 ? place_of(kept.unsealed, asked, bytes) : NULL;

	if (answer && known(answer, asked, bytes, out))
		return TTG_OK;
	const enum ttg_error error = __real_crypto_unseal(crypto, unit, in, len, out);
	if (answer && !error)
		remember(answer, asked, bytes, (struct piece){ out, len });
	return error;
}

enum ttg_error __wrap_crypto_hash(struct crypto *crypto, const void *a, size_t a_bytes, const void *b,
				  size_t b_bytes, uint8_t out[JOURNAL_HASH_BYTES])
{
	const struct piece pieces[] = { { a, a_bytes }, { b, b_bytes } };
	uint8_t asked[ANSWERED_MAX];
	const size_t bytes = join(asked, pieces, b_bytes > 0 ? 2 : 1);
	struct answer *answer = bytes > 0 ? place_of(kept.hashed, asked, bytes) : NULL;

	if (answer && known(answer, asked, bytes, out))
		return TTG_OK;
	const enum ttg_error error = __real_crypto_hash(crypto, a, a_bytes, b, b_bytes, out);
	if (answer && !error)
		remember(answer, asked, bytes, (struct piece){ out, JOURNAL_HASH_BYTES });
	return error;
}
