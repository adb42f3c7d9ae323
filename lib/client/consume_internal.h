/* What the two files of the consuming half share. */
#ifndef TTG_CLIENT_CONSUME_INTERNAL_H
#define TTG_CLIENT_CONSUME_INTERNAL_H

#include "client/consume.h"

/* Index of the first held position that is not below `position`. */
size_t consume_find_held(const struct consume_mailbox *mailbox, uint64_t position);

/* The place where `position` is remembered, if it is. */
struct consume_recent *consume_recent_of(const struct consume_mailbox *mailbox, uint64_t position);

/*
 * A delivery is settled: remembered, and to be told to the broker unless it is of an earlier
 * attachment. Does not touch held[]. TTG_ENOMEM.
 */
enum ttg_error consume_settle(struct consume_mailbox *mailbox, const struct consume_held *held);

/* A delivery of this attachment no longer counts against the credit. */
void consume_credit_back(struct consume_mailbox *mailbox, uint32_t attachment);

/* The broker knows no attachment any more; the next Attach is due at retry_ns. */
void consume_unattach(struct consume_mailbox *mailbox, int64_t retry_ns);

#endif
