/*
 * Receipts, made of the journal alone: forward to the seal that covers an event, then over what that
 * seal covers for the ways from its leaves to the root. In slices, so that events keep flowing; one
 * pass answers for all events of the seal that are wanted. Who wants them: the operator
 * (control_receipt.c) and sessions (wanted.h).
 *
 *     receipts_begin() -> MORE ... -> FOUND -> receipts_want() ... -> MORE ... -> READY -> receipts_get() ...
 *
 * Owner: the loop.
 */
#ifndef TTGD_NET_RECEIPTS_H
#define TTGD_NET_RECEIPTS_H

#include "evidence/receipt.h"
#include "net/net.h"

struct receipts;

enum receipts_progress {
	RECEIPTS_MORE,     /* goes on with the next slice */
	RECEIPTS_UNSEALED, /* no durable seal covers the event; goes on when more is durable */
	RECEIPTS_FOUND,    /* the seal is known: now is the time for receipts_want() */
	RECEIPTS_READY,
	RECEIPTS_FAILED,   /* for this seal, or this event if none was found: receipts_error() */
};

enum ttg_error receipts_open(struct receipts **out, struct net *net);
void receipts_close(struct receipts **receipts);

/* Begins anew, with the seal over this record. TTG_ENOENT: it is no longer held. */
enum ttg_error receipts_begin(struct receipts *receipts, uint64_t sequence);
enum receipts_progress receipts_step(struct receipts *receipts);
/* Behind RECEIPTS_FAILED. TTG_ENOENT: records that are needed are no longer held. */
enum ttg_error receipts_error(const struct receipts *receipts);
/* From RECEIPTS_FOUND on, also when it failed later; else NULL. */
const struct seal *receipts_seal(const struct receipts *receipts);
/* An event of this seal is wanted, each above the one before. False: no memory. */
bool receipts_want(struct receipts *receipts, uint64_t sequence);
/* Of one that was wanted. TTG_ENOENT: there is no event of this sequence; TTG_EPERM: the person it is about
   was erased; TTG_ECRYPTO; else as of the journal. */
enum ttg_error receipts_get(struct receipts *receipts, uint64_t sequence, struct receipt *out);

#endif
