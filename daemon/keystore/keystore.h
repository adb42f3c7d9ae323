/*
 * The key store: the keys that payloads about persons are sealed with, each wrapped by the master key (AES
 * Key Wrap, RFC 3394), in files of its own. It knows numbers of keys and nothing of persons; whose a key is
 * stands in the journal.
 *
 * What a key sealed is readable as long as the key is. keystore_destroy() ends that, wherever copies of what
 * it sealed may be: it first writes a tombstone that says so, synced, and then over the key. A copy of `keys`
 * from before, put back beside the tombstones, loses the key again when it is opened.
 *
 * Directory, mode 0700: `keys` and `tombstones` (docs/formats.md), LOCK while a process has it open.
 *
 * Owner: one thread.
 */
#ifndef TTGD_KEYSTORE_H
#define TTGD_KEYSTORE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/message.h"
#include "base/world.h"

#define KEYSTORE_KEY 32u
#define KEYSTORE_MAKE 4096u  /* keys made at once, at most: one write, one sync */
#define KEYSTORE_FIRST 128u /* by a process the first time, then twice as many each time */

struct keystore;

struct keystore_options {
	const char *directory;         /* made when missing; its parent must exist */
	uint8_t master[KEYSTORE_KEY];  /* keys are wrapped by it */
	uint8_t before[KEYSTORE_KEY];  /* the one before: if the keys are still wrapped by that, they will
	be */
	bool has_before;               /* wrapped anew, keystore_rewrap() */
	uint32_t first;                /* keys made the first time; 0: KEYSTORE_FIRST */
};

struct keystore_view {
	uint64_t keys;       /* numbers given out or ready, from 1 */
	uint64_t destroyed;
	bool rewrapping;     /* some keys are still wrapped by the master key before */
};

/* TTG_ELOCKED; TTG_ECRYPTO: wrapped by another master key; TTG_ECORRUPT names file and offset; TTG_EIO,
   TTG_ENOSPC, TTG_ENOMEM. */
enum ttg_error keystore_open(struct keystore **out, const struct keystore_options *options,
			     const struct world *world, struct message *message);
void keystore_close(struct keystore **store);

/* Keys that something may be sealed with. Others may have been lost in a crash before they were given out. */
struct keystore_used {
	uint64_t newest;     /* that was ever given out; 0: none was */
	const uint8_t *bits; /* of number n bit (n - 1) % 8 of byte (n - 1) / 8 */
};
/* Before any key is given out. Every key that is used is there, or was destroyed: else the store is older
   than what it is for, or damaged (TTG_ECORRUPT). What a crash left half made is put in order. */
enum ttg_error keystore_prove(struct keystore *store, const struct keystore_used *used,
			      struct message *message);
/* Number of a key that is durable and was never given out: greater than any before, in this process or
   another. TTG_ENOSPC: nothing changed; TTG_EIO: to be closed. */
enum ttg_error keystore_take(struct keystore *store, uint64_t *number);
/* TTG_EPERM: destroyed; TTG_ENOENT: there was none; TTG_ECORRUPT, TTG_ECRYPTO, TTG_EIO. */
enum ttg_error keystore_get(struct keystore *store, uint64_t number, uint8_t key[KEYSTORE_KEY]);
/* Destroyed when it returns TTG_OK, for good; those that are already stay so. TTG_EIO: to be closed; asked
   again after the next open it goes on. TTG_ENOSPC: nothing was destroyed. */
enum ttg_error keystore_destroy(struct keystore *store, const uint64_t *numbers, size_t n);

/* Everything that was ever given out and is not used is destroyed. As keystore_destroy(). */
enum ttg_error keystore_destroy_unused(struct keystore *store, const struct keystore_used *used);
bool keystore_is_destroyed(const struct keystore *store, uint64_t number);

/* All keys are wrapped by this one now. */
bool keystore_is_under(const struct keystore *store, const uint8_t master[KEYSTORE_KEY]);
/* Behind keystore_prove(). Wraps everything by another master key, some keys at each call, without anything
   else having to wait; *done when it is. A crash before leaves all keys wrapped by the one before. To be
   told again of the one it is being wrapped by changes nothing. */
enum ttg_error keystore_set_master(struct keystore *store, const uint8_t master[KEYSTORE_KEY]);
enum ttg_error keystore_rewrap(struct keystore *store, bool *done);

void keystore_get_view(const struct keystore *store, struct keystore_view *out);

#endif
