/*
 * What ttg-signer keeps of the last seal, as bytes: a file of two slots, written in turn.
 *
 *      0     slot 0, 4096 bytes:  <base64 of the signature>\n<text of the seal, seal.h>, zeros
 *      4096  slot 1, the same
 *
 * A slot counts when its signature is the key's over its text, so that neither a torn write nor
 * anybody without the key can make one. Of two that count it is the one with the higher number.
 * Pure; any thread.
 */
#ifndef TTGD_EVIDENCE_SLOT_H
#define TTGD_EVIDENCE_SLOT_H

#include "base/signature.h"
#include "evidence/seal.h"

#define SLOT_BYTES 4096u
#define SLOTS 2u
#define SLOTS_BYTES (SLOTS * SLOT_BYTES)

void slot_write(const struct seal_signed *seal, char out[SLOT_BYTES]);
/* The number of its seal, or hand-over; 0: it has none. Whose signature it is, is not looked at. */
uint64_t slot_read(const char slot[SLOT_BYTES], struct seal_signed *out);

#endif
