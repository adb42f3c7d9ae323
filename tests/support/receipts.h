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

/* Signs what its seal now says. */
void receipts_sign(struct sign_key *key, struct receipt *receipt);

#endif
