/*
 * Which LATE records an event has: who was given it after it was accepted, for whoever has to be told that it
 * was wrong. Kept as long as ids of events are (the dedupe window), because what superseded it names it
 * by its id.
 *
 * Pure data, owned by the loop thread.
 */
#ifndef TTGD_CORE_LATES_H
#define TTGD_CORE_LATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/cursor.h"

struct late {
	uint64_t first, sequence; /* of the EVENT, and of the LATE record */
	int64_t at_ns;
};

struct lates {
	struct late *items; /* in order of sequence: items[head..n) */
	size_t head, n, capacity;
};

void lates_fini(struct lates *it);
bool lates_add(struct lates *it, const struct late *late); /* false: no memory */
void lates_expire(struct lates *it, int64_t before_ns);
/* The next LATE record of this event; *at begins at 0. 0: no more. */
uint64_t lates_next(const struct lates *it, uint64_t first, size_t *at);

size_t lates_bound(const struct lates *it);
void lates_save(const struct lates *it, struct cursor *cursor);
bool lates_load(struct lates *it, struct cursor *cursor, uint64_t sequence);

#endif
