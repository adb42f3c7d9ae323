/*
 * Which keys the payloads about a number are sealed with. The keys themselves are in the key store; here
 * are their numbers only, so that this is a function of the records like everything else. A key belongs to
 * one owner: the number that an event named, or, where an event of the broker's own has no single person,
 * the id of that event.
 *
 * An owner has a key for each moment until which something about him may be kept (retain.h): when that has
 * passed the key is destroyed, and earlier when the person is erased. Numbers of keys only ever grow, and
 * none is given twice.
 *
 * Pure data, owned by the loop thread.
 */
#ifndef TTGD_CORE_KEYS_H
#define TTGD_CORE_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/cursor.h"

#define KEYS_OWNER 16u

struct keys_entry {
	uint8_t owner[KEYS_OWNER];
	uint64_t key;     /* 0: the owner has it no more */
	uint64_t until_s; /* seconds since 1970; 0: no end */
	uint32_t older;   /* the owner's key before it, an item + 1; 0: none */
};

struct keys {
	struct keys_entry *items; /* in the order they came, which is that of their numbers */
	size_t n, live, room;
	uint32_t *index;          /* the owner's newest item, + 1, by owner; 0: empty */
	size_t n_index;           /* a power of two, or 0 */
	uint64_t highest;         /* number of the newest key */
	uint64_t lapsed_s;        /* no key is good until this or before; 0: none lapsed */
	uint64_t first_s;         /* none lapses before this; 0: none has an end */
	/* Numbers of keys that are to be destroyed, in the order it was said, until keys_destroyed(). Not
	   in a snapshot: after a start every number is that nobody has. */
	uint64_t *gone;
	size_t first_gone, n_gone, room_gone;
};

void keys_fini(struct keys *it);
/* 0: none. */
uint64_t keys_find(const struct keys *it, const uint8_t *owner, uint64_t until_s);
/* The owner's newest; then the one before `entry`. NULL: no more. */
const struct keys_entry *keys_newest(const struct keys *it, const uint8_t *owner);
const struct keys_entry *keys_older(const struct keys *it, const struct keys_entry *entry);
/* The owner has none until then, which has not lapsed, and the number is above all others. */
bool keys_fits(const struct keys *it, const uint8_t *owner, uint64_t until_s, uint64_t key);
bool keys_give(struct keys *it, const uint8_t *owner, uint64_t until_s, uint64_t key); /* false: no memory */

bool keys_has(const struct keys *it, const uint8_t *owner, uint64_t key);
/* The owner has this key, and has it no more. False: no memory. */
bool keys_drop(struct keys *it, const uint8_t *owner, uint64_t key);
/* Later than before; whatever was good until then is dropped. False: no memory. */
bool keys_lapse(struct keys *it, uint64_t until_s);
/* How many that would be. */
size_t keys_due(const struct keys *it, uint64_t until_s);
void keys_destroyed(struct keys *it, size_t n); /* so many of `gone`, from its front */

size_t keys_bound(const struct keys *it);
void keys_save(const struct keys *it, struct cursor *cursor);
/* `ends`: as keys_save() writes it; else as it was before keys had an end. */
bool keys_load(struct keys *it, struct cursor *cursor, bool ends);

#endif
