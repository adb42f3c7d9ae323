/*
 * Rates: a token bucket for each agency's events, and a quota for log lines that a hostile peer
 * could cause by the thousand.
 */
#ifndef TTGD_NET_LIMITER_H
#define TTGD_NET_LIMITER_H

#include <stdbool.h>
#include <stdint.h>
#include "core/rules.h"

struct limiter;

struct limiter *limiter_new(void);
void limiter_free(struct limiter **limiter);

/* Takes one event of `agency` at now; false: over its rate. A rate of 0 never refuses. */
bool limiter_take(struct limiter *limiter, const struct rules_agency *agency, int64_t mono_ns);

#define LOG_QUOTA_A_SECOND 10

struct log_quota {
	int64_t second;
	unsigned used;
	uint64_t suppressed;
};

/* True when a line may be written now; *suppressed then says how many were not since the last. */
bool log_quota_take(struct log_quota *quota, int64_t mono_ns, uint64_t *suppressed);

#endif
