/* See segment_key.h. All of it is a secret (base/secret.h). */
#include "journal/segment_key.h"

#include <string.h>
#include "base/secret.h"

struct segment_key {
	bool known;
	uint8_t salt[FORMAT_SALT];
	uint8_t key[JOURNAL_KEY_BYTES];
};

struct segment_key *segment_key_new(void)
{
	return secret_new(sizeof(struct segment_key));
}

void segment_key_free(struct segment_key **it)
{
	secret_free(*it);
	*it = NULL;
}

const uint8_t *segment_key_get(struct segment_key *it, const uint8_t master[JOURNAL_KEY_BYTES],
                               const uint8_t salt[FORMAT_SALT])
{
	uint8_t check[FORMAT_KEY_CHECK];

	if (it->known && memcmp(it->salt, salt, FORMAT_SALT) == 0)
		return it->key;
	it->known = crypto_derive(master, salt, CRYPTO_SEGMENT, it->key, check) == TTG_OK;
	memcpy(it->salt, salt, FORMAT_SALT);
	return it->known ? it->key : NULL;
}
