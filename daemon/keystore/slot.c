/*
 * Header and slots of `keys` as bytes, and the wrapping of keys. A slot is checked by itself, so that one
 * that is damaged does not take others with it, and carries its number, so that none passes for another.
 */
#include "keystore/state.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include "base/crc32c.h"
#include "base/cursor.h"

#define MAGIC "TTGKEYS1"
#define VERSION 1u
#define CHECK_LABEL "ttg key store check v1"
#define SLOT_CRC_AT (STORE_SLOT - 4)
#define HEADER_CRC_AT (STORE_HEADER - 4)

struct wrapper {
	EVP_CIPHER *cipher;
	EVP_CIPHER_CTX *context;
};

/* What OpenSSL made of the master key, which begins with the key itself, stays in ordinary memory: so it goes
   after each use. */
static void forget_master(struct wrapper *it)
{
	(void)EVP_CIPHER_CTX_reset(it->context);
	EVP_CIPHER_CTX_set_flags(it->context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
}

struct wrapper *wrapper_new(void)
{
	struct wrapper *it = calloc(1, sizeof(*it));

	if (!it)
		return NULL;
	it->cipher = EVP_CIPHER_fetch(NULL, "AES-256-WRAP", NULL);
	it->context = EVP_CIPHER_CTX_new();
	if (!it->cipher || !it->context)
		wrapper_free(&it);
	else
		forget_master(it);
	return it;
}

void wrapper_free(struct wrapper **it)
{
	if (!*it)
		return;
	EVP_CIPHER_CTX_free((*it)->context);
	EVP_CIPHER_free((*it)->cipher);
	free(*it);
	*it = NULL;
}

bool wrapper_check(const uint8_t master[KEYSTORE_KEY], uint8_t out[STORE_CHECK])
{
	uint8_t sum[EVP_MAX_MD_SIZE];
	size_t len = 0;

	if (!EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, master, KEYSTORE_KEY,
		       (const unsigned char *)CHECK_LABEL, strlen(CHECK_LABEL), sum, sizeof(sum), &len))
		return false;
	memcpy(out, sum, STORE_CHECK);
	return true;
}

static uint32_t crc_at(const uint8_t *bytes)
{
	struct cursor cursor;

	cursor_init_read(&cursor, bytes, 4);
	return cursor_get_u32(&cursor);
}

static void put_crc(uint8_t *bytes, size_t at)
{
	struct cursor cursor;

	cursor_init_write(&cursor, bytes + at, 4);
	cursor_put_u32(&cursor, crc32c(0, bytes, at));
}

void header_encode(const uint8_t check[STORE_CHECK], uint8_t block[STORE_HEADER])
{
	struct cursor cursor;

	memset(block, 0, STORE_HEADER);
	cursor_init_write(&cursor, block, STORE_HEADER);
	cursor_put_bytes(&cursor, MAGIC, strlen(MAGIC));
	cursor_put_u32(&cursor, VERSION);
	cursor_put_u32(&cursor, STORE_SLOT);
	cursor_put_bytes(&cursor, check, STORE_CHECK);
	put_crc(block, HEADER_CRC_AT);
}

bool header_decode(const uint8_t block[STORE_HEADER], uint8_t check[STORE_CHECK])
{
	uint8_t again[STORE_HEADER];
	struct cursor cursor;

	cursor_init_read(&cursor, block + strlen(MAGIC) + 8, STORE_CHECK);
	memcpy(check, cursor_get_bytes(&cursor, STORE_CHECK), STORE_CHECK);
	header_encode(check, again);
	return memcmp(block, again, STORE_HEADER) == 0;
}

/* wrapped key or zeros 40 | number u64 | state u8 | 0 11 | crc u32 */
static void finish(uint64_t number, enum slot_state state, uint8_t slot[STORE_SLOT])
{
	struct cursor cursor;

	cursor_init_write(&cursor, slot + STORE_WRAPPED, STORE_SLOT - STORE_WRAPPED);
	cursor_put_u64(&cursor, number);
	cursor_put_u8(&cursor, (uint8_t)state);
	put_crc(slot, SLOT_CRC_AT);
}

bool slot_encode(struct wrapper *it, const uint8_t master[KEYSTORE_KEY], uint64_t number,
		 const uint8_t key[KEYSTORE_KEY], uint8_t slot[STORE_SLOT])
{
	int len = 0, more = 0;

	memset(slot, 0, STORE_SLOT);
	const bool fine = EVP_EncryptInit_ex2(it->context, it->cipher, master, NULL, NULL) == 1 &&
			  EVP_EncryptUpdate(it->context, slot, &len, key, KEYSTORE_KEY) == 1 &&
			  EVP_EncryptFinal_ex(it->context, slot + len, &more) == 1 &&
			  len + more == (int)STORE_WRAPPED;

	forget_master(it);
	if (fine)
		finish(number, SLOT_KEY, slot);
	return fine;
}

void slot_encode_destroyed(uint64_t number, uint8_t slot[STORE_SLOT])
{
	memset(slot, 0, STORE_SLOT);
	finish(number, SLOT_DESTROYED, slot);
}

enum slot_state slot_state(const uint8_t slot[STORE_SLOT], uint64_t number)
{
	struct cursor cursor;
	uint64_t found;
	uint8_t state;

	cursor_init_read(&cursor, slot + STORE_WRAPPED, STORE_SLOT - STORE_WRAPPED);
	found = cursor_get_u64(&cursor);
	state = cursor_get_u8(&cursor);
	if (found != number || (state != SLOT_KEY && state != SLOT_DESTROYED) ||
	    crc_at(slot + SLOT_CRC_AT) != crc32c(0, slot, SLOT_CRC_AT))
		return 0;
	return (enum slot_state)state;
}

bool slot_decode(struct wrapper *it, const uint8_t master[KEYSTORE_KEY], const uint8_t slot[STORE_SLOT],
		 uint8_t key[KEYSTORE_KEY])
{
	uint8_t out[STORE_WRAPPED];
	int len = 0, more = 0;
	const bool fine = EVP_DecryptInit_ex2(it->context, it->cipher, master, NULL, NULL) == 1 &&
			  EVP_DecryptUpdate(it->context, out, &len, slot, STORE_WRAPPED) == 1 &&
			  EVP_DecryptFinal_ex(it->context, out + len, &more) == 1 &&
			  len + more == (int)KEYSTORE_KEY;

	forget_master(it);
	if (fine)
		memcpy(key, out, KEYSTORE_KEY);
	OPENSSL_cleanse(out, sizeof(out));
	return fine;
}
