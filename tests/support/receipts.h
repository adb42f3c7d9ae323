/*
 * Receipts of an invented journal, as the broker would hand them out: for unit tests of what reads
 * them, and for system tests of the programs and shell steps that check them.
 */
#ifndef TTG_TEST_RECEIPTS_H
#define TTG_TEST_RECEIPTS_H

#include "evidence/receipt.h"

#define RECEIPTS_EVENT 200u /* bytes of each event; they are the same for the same index only */

/* A key pair that is the same for the same letter, and no secret. Never NULL. */
struct sign_key *receipts_key(char letter);

void receipts_event(size_t index, uint8_t out[RECEIPTS_EVENT]);

/* The receipt of event `index` of a seal of `events` of them, signed with the key. Sequences of its
   events are 1001, 1003 and so on; between them are records that are no events. */
void receipts_make(struct sign_key *key, size_t events, size_t index, struct receipt *out);

/* Adds the part of a publisher who signed, with this key, a frame of `events` events of which this is event
   `index`: bytes as receipts_event() gives them for index `of`. */
void receipts_claim(struct sign_key *publisher, size_t events, size_t index, size_t of,
		    struct receipt *receipt);
/* Signs what the claim now says. */
void receipts_sign_claim(struct sign_key *publisher, struct receipt *receipt);

/* Signs what its seal now says. */
void receipts_sign(struct sign_key *key, struct receipt *receipt);

#endif
