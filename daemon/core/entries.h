/*
 * The part of a mailbox that is held in memory: entries in order of position, any of which may be
 * taken out, and any position put in again. A sorted array with gaps: adding at the end and finding
 * are cheap, putting in at the front or middle is rare.
 *
 * Owner: the loop thread.
 */
#ifndef TTGD_CORE_ENTRIES_H
#define TTGD_CORE_ENTRIES_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum entry_state {
	ENTRY_GONE = 0,      /* a gap */
	ENTRY_WAITING = 1,   /* may be delivered when its turn comes */
	ENTRY_IN_FLIGHT = 2, /* delivered, not answered */
	ENTRY_BLOCKED = 3,   /* its lane waits for the delay after a refusal */
};

struct entry {
	uint64_t position, sequence;
	uint64_t lane;       /* never 0; of one event only when it is about nobody */
	uint32_t refusals;
	uint32_t deliveries;
	uint32_t holder;     /* turn of the consumer it was last delivered to */
	uint8_t state;
};

static_assert(sizeof(struct entry) <= 64, "the bound of memory is entries times this");

struct entries {
	struct entry *items;
	size_t capacity, head, tail; /* used: items[head..tail) */
	size_t live;                 /* without gaps */
};

void entries_fini(struct entries *window);
/* The entry at this position; NULL: none. */
struct entry *entries_find(const struct entries *window, uint64_t position);
/* First entry at or after this position; NULL: none. */
struct entry *entries_from(const struct entries *window, uint64_t position);
/* The one after; NULL: none. */
struct entry *entries_next(const struct entries *window, const struct entry *entry);
/* Puts a copy in at its place, which must be free. Pointers to entries end. False: no memory. */
bool entries_insert(struct entries *window, const struct entry *entry);
void entries_remove(struct entries *window, struct entry *entry);

#endif
