/*
 * OpenSSL's EVP behind five calls. Owned by whoever made the object: the writer has one, each
 * reader has one. A failure is told and changes nothing the caller relies on.
 */
#include "journal/crypto.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <stdlib.h>
#include <string.h>
#include "base/keyfile.h"

#define NONCE_BYTES 12
#define SLICE_MAX   (256u * 1024u * 1024u) /* EVP counts in int */

struct crypto {
	EVP_CIPHER *aes;
	EVP_CIPHER *chacha;
	EVP_CIPHER_CTX *cipher_context;
	const EVP_CIPHER *current; /* of the context: naming it again would make it anew */
	EVP_MD *sha256;
	EVP_MD_CTX *hash_context;
};

struct crypto *crypto_new(void)
{
	struct crypto *crypto = calloc(1, sizeof(*crypto));

	if (crypto == NULL)
		return NULL;
	crypto->aes = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	crypto->chacha = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
	crypto->cipher_context = EVP_CIPHER_CTX_new();
	crypto->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	crypto->hash_context = EVP_MD_CTX_new();
	if (crypto->aes == NULL || crypto->chacha == NULL || crypto->cipher_context == NULL ||
	    crypto->sha256 == NULL || crypto->hash_context == NULL)
		crypto_free(&crypto);
	return crypto;
}

void crypto_free(struct crypto **crypto)
{
	struct crypto *old = *crypto;

	*crypto = NULL;
	if (old == NULL)
		return;
	EVP_MD_CTX_free(old->hash_context);
	EVP_MD_free(old->sha256);
	EVP_CIPHER_CTX_free(old->cipher_context);
	EVP_CIPHER_free(old->chacha);
	EVP_CIPHER_free(old->aes);
	free(old);
}

static enum ttg_error hkdf(const uint8_t *master, const uint8_t *salt, const char *info,
                           uint8_t *out, size_t len)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *context = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char[]){ "SHA256" }, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)master,
		                                  JOURNAL_KEY_BYTES),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt,
		                                  FORMAT_SALT),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info,
		                                  strlen(info)),
		OSSL_PARAM_construct_end(),
	};
	int ok = context != NULL && EVP_KDF_derive(context, out, len, params) == 1;

	EVP_KDF_CTX_free(context);
	EVP_KDF_free(kdf);
	return ok ? TTG_OK : TTG_ECRYPTO;
}

enum ttg_error crypto_derive(const uint8_t master[JOURNAL_KEY_BYTES],
                             const uint8_t salt[FORMAT_SALT], enum crypto_purpose purpose,
                             uint8_t key[JOURNAL_KEY_BYTES], uint8_t check[FORMAT_KEY_CHECK])
{
	const char *info =
	        purpose == CRYPTO_SEGMENT ? "ttg journal segment v1" : "ttg journal snapshot v1";
	enum ttg_error err = hkdf(master, salt, info, key, JOURNAL_KEY_BYTES);

	if (err == TTG_OK)
		err = hkdf(master, salt, "ttg journal key check v1", check, FORMAT_KEY_CHECK);
	if (err != TTG_OK)
		wipe(key, JOURNAL_KEY_BYTES);
	return err;
}

static bool start(struct crypto *crypto, const struct crypto_unit *unit, int encrypt)
{
	const EVP_CIPHER *cipher =
	        unit->cipher == JOURNAL_AES_256_GCM ? crypto->aes : crypto->chacha;
	uint8_t nonce[NONCE_BYTES] = { 0 };
	int moved;

	for (unsigned i = 0; i < 8; i++)
		nonce[4 + i] = (uint8_t)(unit->nonce >> (8 * i));
	if (EVP_CipherInit_ex2(crypto->cipher_context, cipher == crypto->current ? NULL : cipher,
	                       unit->key, nonce, encrypt, NULL) != 1)
		return false;
	crypto->current = cipher;
	return EVP_CipherUpdate(crypto->cipher_context, NULL, &moved, unit->aad,
	                        (int)unit->aad_bytes) == 1;
}

static bool update(struct crypto *crypto, const uint8_t *in, size_t len, uint8_t *out)
{
	while (len > 0) {
		size_t slice = len < SLICE_MAX ? len : SLICE_MAX;
		int moved;

		if (EVP_CipherUpdate(crypto->cipher_context, out, &moved, in, (int)slice) != 1 ||
		    moved != (int)slice)
			return false;
		in += slice;
		out += slice;
		len -= slice;
	}
	return true;
}

enum ttg_error crypto_seal(struct crypto *crypto, const struct crypto_unit *unit, const uint8_t *in,
                           size_t len, uint8_t *out)
{
	int moved;

	if (!start(crypto, unit, 1) || !update(crypto, in, len, out) ||
	    EVP_CipherFinal_ex(crypto->cipher_context, out + len, &moved) != 1 ||
	    EVP_CIPHER_CTX_ctrl(crypto->cipher_context, EVP_CTRL_AEAD_GET_TAG, FORMAT_TAG,
	                        out + len) != 1)
		return TTG_ECRYPTO;
	return TTG_OK;
}

enum ttg_error crypto_unseal(struct crypto *crypto, const struct crypto_unit *unit,
                             const uint8_t *in, size_t len, uint8_t *out)
{
	uint8_t tag[FORMAT_TAG];
	uint8_t rest[FORMAT_TAG];
	int moved;

	memcpy(tag, in + len, FORMAT_TAG);
	if (!start(crypto, unit, 0) || !update(crypto, in, len, out) ||
	    EVP_CIPHER_CTX_ctrl(crypto->cipher_context, EVP_CTRL_AEAD_SET_TAG, FORMAT_TAG, tag) !=
	            1 ||
	    EVP_CipherFinal_ex(crypto->cipher_context, rest, &moved) != 1)
		return TTG_ECRYPTO;
	return TTG_OK;
}

enum ttg_error crypto_hash(struct crypto *crypto, const void *a, size_t a_bytes, const void *b,
                           size_t b_bytes, uint8_t out[JOURNAL_HASH_BYTES])
{
	if (EVP_DigestInit_ex2(crypto->hash_context, crypto->sha256, NULL) != 1 ||
	    EVP_DigestUpdate(crypto->hash_context, a, a_bytes) != 1 ||
	    EVP_DigestUpdate(crypto->hash_context, b, b_bytes) != 1 ||
	    EVP_DigestFinal_ex(crypto->hash_context, out, NULL) != 1)
		return TTG_ECRYPTO;
	return TTG_OK;
}
