/*
 * Lanes of one mailbox that are out of the ordinary: a person whose event was refused. A lane waits
 * for a delay, is parked behind its dead letters, or drains what was held while it was parked. Lanes
 * of people whose events just flow are not here at all.
 *
 * Owner: the loop thread. Held entries and dead letters of a mailbox are bounded by
 * core_options.max_held and one window more.
 */
#ifndef TTGD_CORE_LANE_H
#define TTGD_CORE_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct held {
	uint64_t position, sequence;
	uint32_t refusals, deliveries; /* of an entry that was in the window before */
};

struct dead {
	uint64_t position, sequence;
	uint32_t refusals, deliveries, reason;
	int64_t parked_ns;
	char *text; /* malloc'd, never NULL */
};

struct lane {
	uint64_t key;
	int64_t due_ns;             /* monotonic; 0: no delay */
	struct dead *dead;          /* in order of position */
	size_t n_dead;
	struct held *held;          /* in order of position: held[first_held..n_held) */
	size_t first_held, n_held, held_capacity;
};

struct lanes {
	struct lane **slots;        /* open addressing by key */
	size_t size, n;             /* size: a power of two, or 0 */
	size_t n_dead, n_held;      /* in all lanes */
	size_t n_delayed, n_draining;
};

void lanes_fini(struct lanes *lanes);
/* NULL: an ordinary lane. */
struct lane *lanes_find(const struct lanes *lanes, uint64_t key);
/* Finds or makes; NULL without memory. */
struct lane *lanes_get(struct lanes *lanes, uint64_t key);
/* Forgets the lane when nothing is out of the ordinary any more. */
void lanes_settle(struct lanes *lanes, struct lane *lane);
/* Goes through all lanes: *cursor begins at 0; NULL: no more. Nothing may be added meanwhile. */
struct lane *lanes_next(const struct lanes *lanes, size_t *cursor);

bool lane_is_parked(const struct lane *lane);
bool lane_is_draining(const struct lane *lane); /* not parked, with entries held */

/* Delay until due_ns (not 0), or 0 to end it. */
void lane_delay(struct lanes *lanes, struct lane *lane, int64_t due_ns);
/* Holds an entry at its place. False without memory. */
bool lane_hold(struct lanes *lanes, struct lane *lane, const struct held *held);
/* First held entry; NULL: none. */
const struct held *lane_first_held(const struct lane *lane);
/* Position held here; NULL: not. */
const struct held *lane_find_held(const struct lane *lane, uint64_t position);
void lane_unhold(struct lanes *lanes, struct lane *lane, const struct held *held);
/* Adds a dead letter; takes over its text. False without memory, text is still the caller's. */
bool lane_park(struct lanes *lanes, struct lane *lane, const struct dead *take_dead);
struct dead *lane_find_dead(const struct lane *lane, uint64_t position);
/* Removes it and frees its text. */
void lane_unpark(struct lanes *lanes, struct lane *lane, struct dead *dead);

#endif
