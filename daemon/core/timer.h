/*
 * Deadlines of urgent deliveries: a heap by time. What was acknowledged meanwhile stays in it until
 * its time comes and is then stepped over.
 *
 * Owner: the loop thread. At TIMERS_MAX the publisher is told to come back.
 */
#ifndef TTGD_CORE_TIMER_H
#define TTGD_CORE_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMERS_MAX 1000000u

struct timer {
	int64_t deadline_ns; /* real time */
	uint64_t sequence, position;
	uint32_t mailbox, fallback; /* numbers */
};

struct timers {
	struct timer *items;
	size_t n, capacity;
};

void timers_fini(struct timers *timers);
/* False without memory. */
bool timers_add(struct timers *timers, const struct timer *timer);
/* The earliest; equal deadlines by sequence, then mailbox. NULL: none. */
const struct timer *timers_first(const struct timers *timers);
void timers_drop_first(struct timers *timers);
/* In order of timers_first(); a heap in this order is a heap. */
void timers_sort(struct timers *timers);
bool timer_before(const struct timer *a, const struct timer *b);

#endif
