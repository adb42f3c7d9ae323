/*
 * How fast mailboxes may catch up while others live. Reading a backlog, encrypting and taking it use all
 * processors there are, and whoever publishes meanwhile waits in line behind it at every hand-over.
 *
 * While an event was accepted in the last second, deliveries of mailboxes that read their backlog from the
 * journal come at a pace, all of them together. To what comes in for such mailboxes twice as much is let
 * out on top, so that they get nearer however much that is. Nobody else is held back.
 *
 * Pure, time is an argument. Owner: the loop.
 */
#ifndef TTGD_CORE_PACE_H
#define TTGD_CORE_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_INTERVAL_NS 5000      /* of deliveries: 200,000 a second */
#define PACE_LEAST 32u             /* worth a row */
#define PACE_MOST 256u             /* at once, after a time without any */
#define PACE_OWED_MOST 8192u       /* for what came in meanwhile */
#define PACE_LIVE_NS 1000000000    /* after an event others are there to be kept waiting */

struct pace {
	uint64_t left;          /* deliveries that may go */
	int64_t counted_ns;     /* up to when that was counted */
	int64_t live_until_ns;
};

/* An event was accepted. */
void pace_event(struct pace *pace, int64_t mono_ns);
/* It waits in the backlog of a mailbox that somebody reads. */
void pace_owe(struct pace *pace);
/* Others are there to be kept waiting. */
bool pace_holds(const struct pace *pace, int64_t mono_ns);
/* Deliveries that may go now; without a pace UINT64_MAX. */
uint64_t pace_take(struct pace *pace, int64_t mono_ns);
/* So many of them went. */
void pace_spend(struct pace *pace, uint64_t n);
/* When more may go, while the pace holds. */
int64_t pace_next_ns(const struct pace *pace);

#endif
