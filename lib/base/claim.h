/*
 * A claim: what a publisher puts his name to when he signs a Publish. It covers the frame's events, in
 * their order, by the root of a Merkle tree (tree.h), so that one signature proves each of them. The
 * signed bytes are its text, lines as in hash.h:
 *
 *     throughgate publish 1
 *     agency <id of the publisher>
 *     events <leaves of the tree>
 *     root <64 digits>
 *
 * A leaf is the hash of a line, its line feed included, with the SHA-256 of the event's bytes:
 *
 *     event <64 digits>
 *
 * These digests are kept where payloads are not: that they tell nothing is what Event.nonce is for.
 * Pure; any thread.
 */
#ifndef TTG_BASE_CLAIM_H
#define TTG_BASE_CLAIM_H

#include "base/hash.h"
#include "base/tree.h"

#define CLAIM_TEXT_MAX 256u  /* bytes, without a NUL */
#define CLAIM_AGENCY_MAX 64u /* with NUL */
#define CLAIM_EVENT "event"  /* the word of a leaf's line */
#define CLAIM_NONCE 16u      /* bytes of Event.nonce */

struct claim {
	char agency[CLAIM_AGENCY_MAX];
	uint64_t events;
	uint8_t root[HASH_BYTES];
};

size_t claim_write(const struct claim *claim, char out[CLAIM_TEXT_MAX]); /* length of the text */
/* Passes a claim's lines within a longer text. One that no claim can have (of no events) fails at its
   first. */
bool claim_take(struct reading *reading, struct claim *out);
/* The hash of the leaf of an event whose bytes have this digest. */
bool claim_leaf(struct hasher *hasher, const uint8_t digest[HASH_BYTES], uint8_t out[HASH_BYTES]);
/* The tree over the events with these digests, HASH_BYTES each; what was in it goes. False: no memory, or
   cryptography failed. */
bool claim_grow(struct tree *tree, struct hasher *hasher, const uint8_t *digests, size_t n);
/* The claim of this agency over such a tree. */
bool claim_make(struct tree *tree, const char *agency, struct claim *out);

#endif
