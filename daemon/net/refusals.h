/*
 * Refusals on their way into the journal, counted: one record a second at most for an agency, a type and a
 * code, however many there were, so that nobody fills the disk by being refused. Only those that are
 * final: what may be sent again (a rate, a full disk, a restart) says nothing of what is agreed, and the
 * metrics count it.
 *
 * Owner: the loop.
 */
#ifndef TTGD_NET_REFUSALS_H
#define TTGD_NET_REFUSALS_H

#include "core/refusal.h"

#define REFUSALS_MAX 256
#define REFUSALS_TYPES 16u /* of one agency, told apart in one second; the others without their type */

struct net;

struct refusals {
	struct core_refusal items[REFUSALS_MAX];
	size_t n;
};

void refusals_note(struct net *net, const char *agency, const struct core_outcome *out);
/* Records what came since the last time. What the journal does not take now is tried again. */
void refusals_record(struct net *net);

#endif
