/*
 * When an event that a receiver would not take is sent again, and when no more. Pure.
 */
#ifndef PARTNER_PUSH_RETRY_H
#define PARTNER_PUSH_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#define PUSH_GONE 410

struct push_patience {
	int64_t first_ms;      /* between the first two attempts; doubled after each further one */
	int64_t longest_ms;    /* between any two */
	unsigned max_attempts; /* then it is a dead letter */
	int64_t give_up_s;     /* the same, after the first attempt */
};

enum push_verdict {
	PUSH_DONE = 0,
	PUSH_AGAIN,
	PUSH_STOPPED, /* nothing is sent any more until the adapter is started again */
};

/* By the HTTP status; 0: there was none (no connection, time-out, TLS). */
enum push_verdict push_judge(long status);

/*
 * Milliseconds until the next attempt after `attempts` (1 or more): doubled from the first, half of
 * it by chance, so that many that failed together do not come together again; at least what the
 * receiver asked for (Retry-After; 0: nothing), both within the longest.
 */
int64_t push_delay_ms(const struct push_patience *patience, unsigned attempts, int64_t asked_s,
                      uint32_t chance);

bool push_gives_up(const struct push_patience *patience, unsigned attempts, int64_t first_s,
                   int64_t now_s);

#endif
