/*
 * Which key the payloads about a number are sealed with. The keys themselves are in the key store; here
 * are their numbers only, so that this is a function of the records like everything else. A key belongs to
 * one owner: the number that an event named, or, where an event of the broker's own has no single person,
 * the id of that event.
 *
 * An owner keeps its key until the person is erased; what comes after that gets a new one. Numbers of keys
 * only ever grow, and none is given twice.
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
	uint64_t key; /* 0: it was destroyed, and there is none since */
};

struct keys {
	struct keys_entry *items; /* in the order they came */
	size_t n, room;
	uint32_t *index;          /* items by owner, + 1; 0: empty */
	size_t n_index;           /* a power of two, or 0 */
	uint64_t highest;         /* number of the newest key */
	uint64_t *erased;         /* numbers of keys that are to be destroyed, in the order it was said */
	size_t n_erased, room_erased;
};

void keys_fini(struct keys *it);
uint64_t keys_find(const struct keys *it, const uint8_t *owner); /* 0: none */
/* The owner has none, and the number is above all others. */
bool keys_fits(const struct keys *it, const uint8_t *owner, uint64_t key);
bool keys_give(struct keys *it, const uint8_t *owner, uint64_t key); /* false: no memory */
/* The owner has this key, and has it no more. False: no memory. */
bool keys_erase(struct keys *it, const uint8_t *owner, uint64_t key);
size_t keys_live(const struct keys *it); /* owners that have one; counts them */

size_t keys_bound(const struct keys *it);
void keys_save(const struct keys *it, struct cursor *cursor);
bool keys_load(struct keys *it, struct cursor *cursor);

#endif
