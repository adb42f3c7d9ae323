/*
 * Signatures of publishers read back from the journal, for receipts: what was signed, and an event's way to
 * it. The last one is kept: the events of a frame come one behind the other.
 *
 * Owner: the loop.
 */
#ifndef TTGD_NET_CLAIMS_H
#define TTGD_NET_CLAIMS_H

#include "evidence/receipt.h"
#include "journal/journal.h"

struct claims;

struct claims *claims_new(void); /* NULL without memory */
void claims_free(struct claims **claims);

/*
 * What the SIGNED record of this sequence says of event `index` of its frame. The reader is left behind that
 * record. TTG_ENOENT: it is no longer held; TTG_ECORRUPT, TTG_ECRYPTO, TTG_ENOMEM; else as of the journal.
 */
enum ttg_error claims_get(struct claims *claims, struct journal_reader *reader, uint64_t sequence,
			  uint32_t index, struct receipt_claim *out);

#endif
