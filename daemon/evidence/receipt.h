/*
 * A receipt: proof, to be kept by the publisher, that the broker accepted an event. It holds the
 * leaf, the way from it to the root of a seal, the seal and the signature: to check it one needs
 * the event's bytes and the broker's public key, and neither the broker nor this code. As a file:
 *
 *     throughgate receipt 1
 *     -- event
 *     <text of the leaf, leaf.h>
 *     -- salt
 *     salt <32 digits: of the leaf's sha256>
 *     -- path
 *     <for each step from the leaf up: "left <64 digits>" or "right <64 digits>", the sibling's side>
 *     -- seal
 *     <text of the seal, seal.h>
 *     -- signature
 *     <base64 of the 64 bytes, one line>
 *
 * Of an event that its publisher signed the first line ends with 2, and there follows:
 *
 *     -- publisher
 *     <text of the claim, base/claim.h>
 *     -- publisher event
 *     event <64 digits: SHA-256 of the event's bytes>
 *     -- publisher path
 *     <steps from there to the claim's root, as above>
 *     -- publisher key
 *     key <64 digits: SHA-256 of the 32 bytes of the public key>
 *     -- publisher signature
 *     <base64 of the 64 bytes, one line>
 *
 * docs/formats.md has the steps to check one with the openssl command alone. Pure; any thread.
 */
#ifndef TTGD_EVIDENCE_RECEIPT_H
#define TTGD_EVIDENCE_RECEIPT_H

#include "base/claim.h"
#include "evidence/leaf.h"
#include "evidence/seal.h"
#include "base/signature.h"
#include "base/tree.h"

#define RECEIPT_TEXT_MAX 8192u

/* What the publisher signed, and the event's way to it. */
struct receipt_claim {
	struct claim claim;
	uint8_t digest[HASH_BYTES];         /* of the event's bytes, without a salt */
	struct tree_step steps[TREE_STEPS_MAX];
	size_t n_steps;
	uint8_t key[SIGNATURE_FINGERPRINT]; /* it is signed with, by what the broker kept */
	uint8_t signature[SIGNATURE_BYTES];
};

struct receipt {
	struct leaf leaf;
	uint8_t salt[EVIDENCE_SALT];
	struct tree_step steps[TREE_STEPS_MAX];
	size_t n_steps;
	struct seal seal;
	uint8_t signature[SEAL_SIGNATURE];
	bool is_claimed; /* the publisher signed it */
	struct receipt_claim publisher;
};

size_t receipt_write(const struct receipt *receipt, char out[RECEIPT_TEXT_MAX]);
/* False: not a receipt; *line is then the number of the line, from 1, that is wrong (of a leaf or a
   seal that reads and yet cannot be, its first). */
bool receipt_read(const char *text, size_t len, struct receipt *out, size_t *line);

enum receipt_finding {
	RECEIPT_GOOD,
	RECEIPT_OTHER_EVENT,   /* the bytes are not the ones that were accepted */
	RECEIPT_WRONG_PATH,    /* the leaf does not lead to the seal's root, or to no place in its tree */
	RECEIPT_WRONG_PLACE,   /* journal or sequence of the leaf are not the seal's */
	RECEIPT_WRONG_KEY,     /* the signature is not this key's over this seal */
	RECEIPT_WRONG_CLAIM,   /* the publisher's part is of another event or agency, or leads elsewhere */
	RECEIPT_NOT_SIGNED,    /* by the publisher */
	RECEIPT_WRONG_SIGNER,  /* the publisher's signature is not this key's over this claim */
	RECEIPT_NOT_CHECKED,   /* cryptography or memory failed */
};
/* The first finding, in this order. event NULL: all but the event's bytes is checked. Of a publisher's part
   all but the signature. */
enum receipt_finding receipt_check(const struct receipt *receipt, struct verify_key *key,
				   const void *event, size_t len);
/* Of one that is good: did the publisher sign, with this key? */
enum receipt_finding receipt_check_publisher(const struct receipt *receipt, struct verify_key *publisher);
const char *receipt_finding_text(enum receipt_finding finding);

#endif
