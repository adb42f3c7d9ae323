/*
 * Events that a mailbox would have been given if more had been known of the person: kept for a while,
 * because the number an arrest names is sometimes linked to the man only afterwards (the look-back); and
 * as long as it takes where it was in dispute who he is when the event was accepted.
 *
 * In order of sequence. Pure data, owned by the loop thread. False: no memory.
 */
#ifndef TTGD_CORE_WAITING_H
#define TTGD_CORE_WAITING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/cursor.h"
#include "core/person.h"

struct waiting_entry {
	uint64_t sequence;
	int64_t accepted_ns;
	uint8_t key[PERSON_KEY_BYTES]; /* of the number the event names */
	uint32_t mailbox;
	bool held;                     /* in dispute: does not end by itself */
	bool gone;
	bool due;                      /* something was learnt of the person: to be asked again */
};

struct waiting {
	struct waiting_entry *items; /* used: items[head..tail) */
	size_t head, tail, capacity;
	size_t live, n_due;
	size_t first_due;            /* nothing before it is due */
};

void waiting_fini(struct waiting *it);
bool waiting_add(struct waiting *it, const struct waiting_entry *entry);
/* Lets go what was accepted before this, except what is held. */
void waiting_expire(struct waiting *it, int64_t before_ns);
/* Who this number is, is decided: what was held for it waits like the rest, as if accepted then. */
void waiting_unhold(struct waiting *it, const uint8_t key[PERSON_KEY_BYTES], int64_t accepted_ns);
/* Some entry would be let go by waiting_expire(). */
bool waiting_is_over(const struct waiting *it, int64_t before_ns);
/* All of this number; all there is. */
void waiting_mark(struct waiting *it, const uint8_t key[PERSON_KEY_BYTES]);
void waiting_mark_all(struct waiting *it);
/* The first that is due; NULL: none. Others of the same event stand right behind it. */
struct waiting_entry *waiting_due(struct waiting *it);
void waiting_settle(struct waiting *it, struct waiting_entry *entry); /* asked; it goes on waiting */
/* It waits no more. False: it did not wait. */
bool waiting_take(struct waiting *it, uint64_t sequence, uint32_t mailbox);
/* Lowest sequence that may still be read; UINT64_MAX: none. */
uint64_t waiting_low_water(const struct waiting *it);

size_t waiting_bound(const struct waiting *it);
void waiting_save(const struct waiting *it, struct cursor *cursor);
bool waiting_load(struct waiting *it, struct cursor *cursor, size_t n_mailboxes, uint64_t sequence);

#endif
