/* Inside of the key store: the open files, and slots as they stand in `keys`. Private to daemon/keystore/. */
#ifndef TTGD_KEYSTORE_STATE_H
#define TTGD_KEYSTORE_STATE_H

#include "keystore/keystore.h"

#define STORE_HEADER 4096u
#define STORE_SLOT 64u
#define STORE_CHECK 16u
#define STORE_WRAPPED 40u /* RFC 3394: eight bytes more than the key */
#define STORE_PATH 512u
#define STORE_CACHE 4096u /* keys kept unwrapped, of the numbers used last; a power of two */

struct wrapper; /* OpenSSL's contexts */

struct cached_key {
	uint64_t number; /* 0: none */
	uint8_t key[KEYSTORE_KEY];
};

/* In memory for keys (base/secret.h). */
struct store_secrets {
	uint8_t master[KEYSTORE_KEY]; /* that `keys` is wrapped by */
	uint8_t wanted[KEYSTORE_KEY]; /* while it is wrapped anew, by this one */
	struct cached_key cache[STORE_CACHE];
};

struct keystore {
	const struct world *world;
	struct wrapper *wrapper;
	char directory[STORE_PATH - 32];
	int lock, file, graves; /* -1 */
	uint64_t count;   /* slots in the file */
	uint64_t next;    /* number to be given out next */
	uint32_t make;    /* keys to be made when there are no more */
	uint8_t *graveyard; /* of every number destroyed the bit number % 8 of byte number / 8 */
	size_t graveyard_bytes;
	uint64_t n_graves;
	uint64_t graves_bytes; /* valid ones */
	bool failed;

	bool rewrapping;
	int wanted_file; /* -1 */
	uint64_t wanted_count; /* slots in it */

	struct store_secrets *secrets;
};

/* slot.c */
enum slot_state { SLOT_KEY = 1, SLOT_DESTROYED = 2 };

struct wrapper *wrapper_new(void);
void wrapper_free(struct wrapper **it);
bool wrapper_check(const uint8_t master[KEYSTORE_KEY], uint8_t out[STORE_CHECK]);
void header_encode(const uint8_t check[STORE_CHECK], uint8_t block[STORE_HEADER]);
/* False: not one, or damaged. */
bool header_decode(const uint8_t block[STORE_HEADER], uint8_t check[STORE_CHECK]);
/* False: the cryptography failed. */
bool slot_encode(struct wrapper *it, const uint8_t master[KEYSTORE_KEY], uint64_t number,
		 const uint8_t key[KEYSTORE_KEY], uint8_t slot[STORE_SLOT]);
void slot_encode_destroyed(uint64_t number, uint8_t slot[STORE_SLOT]);
/* 0: not a slot of this number. */
enum slot_state slot_state(const uint8_t slot[STORE_SLOT], uint64_t number);
bool slot_decode(struct wrapper *it, const uint8_t master[KEYSTORE_KEY], const uint8_t slot[STORE_SLOT],
		 uint8_t key[KEYSTORE_KEY]);

/* graves.c: numbers that are destroyed. */
bool graves_has(const struct keystore *store, uint64_t number);
enum ttg_error graves_open(struct keystore *store, struct message *message);
/* Those that were not there yet, written and synced. */
enum ttg_error graves_dig(struct keystore *store, const uint64_t *numbers, size_t n);

/* keystore.c */
void store_path(const struct keystore *store, const char *name, char out[STORE_PATH]);
uint64_t slot_offset(uint64_t number);
/* As keystore_get(), past the cache. */
enum ttg_error store_read(const struct keystore *store, uint64_t number, uint8_t slot[STORE_SLOT]);
enum ttg_error store_fail(struct keystore *store, int result);

/* rewrap.c */
void rewrap_drop(struct keystore *store);

#endif
