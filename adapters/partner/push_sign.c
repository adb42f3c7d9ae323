/* Signing what is pushed. See push_sign.h. Nothing of the secret stays on the stack. */
#include "partner/push_sign.h"

#include <inttypes.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "base/keyfile.h"

#define MARK     "whsec_"
#define SUM_BYTES 32

enum ttg_error push_secret_read(struct push_secret *secret, const char *line,
                                struct message *message)
{
	const char *text = strncmp(line, MARK, strlen(MARK)) == 0 ? line + strlen(MARK) : NULL;
	size_t len = text == NULL ? strlen(line) : strlen(text);
	int bytes;

	if (text == NULL) {
		if (len > sizeof(secret->key))
			return message_set(message, TTG_EFORMAT, "push.secret_file: is too long");
		memcpy(secret->key, line, len);
		secret->len = len;
		return TTG_OK;
	}
	if (len == 0 || len % 4 != 0 || len / 4 * 3 > sizeof(secret->key))
		return message_set(message, TTG_EFORMAT, "push.secret_file: no base64 behind " MARK);
	bytes = EVP_DecodeBlock(secret->key, (const unsigned char *)text, (int)len);
	for (size_t i = len; bytes > 0 && i > len - 2 && text[i - 1] == '='; i--)
		bytes--;
	if (bytes < PUSH_SECRET_MIN)
		return message_set(message, TTG_EFORMAT,
		                   "push.secret_file: behind " MARK
		                   " there must be base64 of 16 bytes or more");
	secret->len = (size_t)bytes;
	return TTG_OK;
}

static bool sum(EVP_MAC_CTX *mac, const struct push_secret *secret, const char *head, size_t head_len,
                const char *body, size_t len, uint8_t out[SUM_BYTES])
{
	char digest[] = "SHA256";
	const OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	size_t sum_len = 0;

	return EVP_MAC_init(mac, secret->key, secret->len, parameters) == 1 &&
	       EVP_MAC_update(mac, (const uint8_t *)head, head_len) == 1 &&
	       EVP_MAC_update(mac, (const uint8_t *)body, len) == 1 &&
	       EVP_MAC_final(mac, out, &sum_len, SUM_BYTES) == 1 && sum_len == SUM_BYTES;
}

enum ttg_error push_sign(const struct push_secret *secret, const char *id, int64_t timestamp_s,
                         const char *body, size_t len, char out[PUSH_SIGNATURE_BYTES])
{
	char head[96];
	uint8_t bytes[SUM_BYTES];
	int used = snprintf(head, sizeof(head), "%s.%" PRId64 ".", id, timestamp_s);
	EVP_MAC *kind = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *mac = kind == NULL ? NULL : EVP_MAC_CTX_new(kind);
	bool fine = mac != NULL && used > 0 && (size_t)used < sizeof(head) &&
	            sum(mac, secret, head, (size_t)used, body, len, bytes);

	EVP_MAC_CTX_free(mac);
	EVP_MAC_free(kind);
	if (!fine)
		return TTG_ESYS;
	memcpy(out, "v1,", 3);
	EVP_EncodeBlock((unsigned char *)out + 3, bytes, SUM_BYTES);
	return TTG_OK;
}
