/*
 * Positions of a mailbox as ranges, ascending: what one record speaks of. Owner: the loop thread.
 */
#ifndef TTGD_CORE_RANGES_H
#define TTGD_CORE_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_MAX_RANGES 65536u
#define RECORD_MAX_POSITIONS 1048576u   /* in all ranges of one record */

struct record_range {
	uint64_t first, n;
};

/* Ranges being collected or read. Grows by itself; record_ranges_fini() frees. */
struct record_ranges {
	struct record_range *items;
	size_t n, capacity;
	uint64_t positions;
};

/* Room for n ranges; false without memory or beyond RECORD_MAX_RANGES. */
bool record_ranges_reserve(struct record_ranges *ranges, size_t n);
/* Adds a position above all there; false without memory or at RECORD_MAX_RANGES. */
bool record_ranges_add(struct record_ranges *ranges, uint64_t position);
void record_ranges_clear(struct record_ranges *ranges);
void record_ranges_fini(struct record_ranges *ranges);

#endif
