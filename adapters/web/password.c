/*
 * Passwords by OpenSSL's scrypt. See password.h. Lengths and lists as the National Cyber Security
 * Centre advises: long, no rules of composition, none of those that everybody tries first.
 */
#include "web/password.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>
#include <strings.h>
#include "base/keyfile.h"
#include "base/utf8.h"

#define MEMORY_MAX (UINT64_C(256) << 20)
#define LOG_N_MAX  17
#define R_MAX      8

bool password_is_bounded(const struct password *password)
{
	return password->log_n >= PASSWORD_LOG_N && password->log_n <= LOG_N_MAX &&
	       password->r == R_MAX && password->p == 1;
}

static bool derive(const struct password *password, const char *text, uint8_t out[HASH_BYTES])
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "SCRYPT", NULL);
	EVP_KDF_CTX *context = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
	uint64_t n = UINT64_C(1) << password->log_n, memory = MEMORY_MAX;
	uint32_t r = password->r, p = password->p;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD, (void *)(uintptr_t)text,
		                                  strlen(text)),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT,
		                                  (void *)(uintptr_t)password->salt, PASSWORD_SALT),
		OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
		OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
		OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
		OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &memory),
		OSSL_PARAM_construct_end(),
	};
	bool fine = context != NULL && EVP_KDF_derive(context, out, HASH_BYTES, params) == 1;

	EVP_KDF_CTX_free(context);
	EVP_KDF_free(kdf);
	return fine;
}

bool password_set(struct password *out, const char *text, const struct world *world)
{
	*out = (struct password){ .log_n = PASSWORD_LOG_N, .r = R_MAX, .p = 1 };
	return world->random(world->self, out->salt, sizeof(out->salt)) >= 0 &&
	       derive(out, text, out->hash);
}

bool password_is(const struct password *password, const char *text)
{
	static const struct password nobody = { .log_n = PASSWORD_LOG_N, .r = R_MAX, .p = 1 };
	uint8_t hash[HASH_BYTES];
	bool same = derive(password == NULL ? &nobody : password, text, hash) && password != NULL &&
	            CRYPTO_memcmp(hash, password->hash, HASH_BYTES) == 0;

	wipe(hash, sizeof(hash));
	return same;
}

/* Long enough and yet among the first that are tried; compared without case. */
static bool is_common(const char *text)
{
	static const char *const common[] = {
		"password1234",
		"password12345",
		"password123456",
		"passwordpassword",
		"administrator",
		"administrator1",
		"123456789012",
		"1234567890123",
		"12345678901234",
		"123456123456",
		"123123123123",
		"qwertyuiop123",
		"qwertyuiop12",
		"qwertyuiopas",
		"1q2w3e4r5t6y",
		"1qaz2wsx3edc",
		"q1w2e3r4t5y6",
		"letmeinletmein",
		"iloveyou1234",
		"welcome12345",
		"welcome123456",
		"changeme1234",
		"changeme12345",
		"changemenow1",
		"throughgate1",
		"throughgate12",
		"throughgate123",
		"thrugate1234",
		"oneservice12",
		"oneservice123",
		"manchester12",
		"manchester123",
		"liverpool1234",
		"liverpool123",
		"qwerty123456",
		"abcdefghijkl",
		"correcthorsebatterystaple",
		"football1234",
		"sunshine1234",
	};

	for (size_t i = 0; i < sizeof(common) / sizeof(*common); i++) {
		if (strcasecmp(text, common[i]) == 0)
			return true;
	}
	return false;
}

/* One or two characters over and over. */
static bool is_repetition(const char *text)
{
	size_t len = strlen(text);

	for (size_t by = 1; by <= 2; by++) {
		size_t i = by;

		while (i < len && text[i] == text[i - by])
			i++;
		if (i == len)
			return true;
	}
	return false;
}

static size_t count_characters(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

const char *password_fault(const char *text, const char *user, const char *name)
{
	size_t len = strlen(text);

	if (count_characters(text) < PASSWORD_MIN)
		return "The password must have at least 12 characters";
	if (len > PASSWORD_MAX)
		return "The password must have at most 256 bytes";
	if (!utf8_is_clean(text, len) || strpbrk(text, "\n\t") != NULL)
		return "The password must not have control characters";
	if (strcasecmp(text, user) == 0 || strcasecmp(text, name) == 0 || is_common(text) ||
	    is_repetition(text))
		return "Choose a password that is harder to guess, such as three random words";
	return NULL;
}
