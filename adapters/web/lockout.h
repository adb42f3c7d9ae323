/*
 * Who tried too often to sign in. After LOCKOUT_TRIES wrong passwords in a row a name is locked for
 * a quarter of an hour, then for twice as long each time, up to LOCKOUT_MAX_S. Names that no user
 * has are counted like others, so that they cannot be told apart; they are kept as keyed hashes.
 * Tries of all names together are bounded, since each costs processor time.
 *
 * In memory only: a restart forgets. Pure but for the key's making; times are nanoseconds of a
 * clock that never goes back.
 */
#ifndef WEB_LOCKOUT_H
#define WEB_LOCKOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/hash.h"
#include "base/world.h"

#define LOCKOUT_TRIES   5
#define LOCKOUT_FIRST_S 900
#define LOCKOUT_MAX_S   14400
/* Above, names whose lock ends first are forgotten; at LOCKOUT_RATE_S that takes longer to bring
   about than a lock lasts. */
#define LOCKOUT_NAMES    8192
#define LOCKOUT_FORGET_S 86400
#define LOCKOUT_RATE_S   3 /* tries a second of all together */
#define LOCKOUT_BURST    6

struct lockout_name {
	uint8_t key[HASH_BYTES];
	unsigned wrong;   /* in a row, since the last lock */
	unsigned locks;   /* so far */
	int64_t until_ns; /* locked; 0: was not */
	int64_t last_ns;  /* tried; 0: the place is free */
};

struct lockout {
	struct lockout_name names[LOCKOUT_NAMES];
	uint8_t salt[HASH_BYTES];
	struct hasher *hasher;
	double tries; /* that may be made now */
	int64_t filled_ns;
};

/* False: no memory, or no random bytes. */
bool lockout_init(struct lockout *lockout, const struct world *world);
void lockout_fini(struct lockout *lockout);

/* Takes one try of those that all may make; false: none is left for now. */
bool lockout_take_try(struct lockout *lockout, int64_t now_ns);

/* Seconds, rounded up, for which this name is locked; 0: it is not. */
unsigned lockout_left_s(const struct lockout *lockout, const char *name, int64_t now_ns);

/* A wrong password. True when that locked the name. */
bool lockout_count(struct lockout *lockout, const char *name, int64_t now_ns);

/* A right one, or an administrator's word: nothing counts any more. */
void lockout_forget(struct lockout *lockout, const char *name);

#endif
