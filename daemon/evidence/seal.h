/*
 * A seal: what the broker's signer put its name to. It covers a stretch of the journal, whole
 * batches of it: how far it reaches, the hash of the journal's chain there, and the root of a
 * Merkle tree over the events accepted in it (tree.h), so that one signature proves each of them.
 * Each seal names the hash of the one before.
 *
 * The signed bytes are its text, lines as in hash.h:
 *
 *     throughgate seal 1
 *     journal <id of the journal, 32 digits>
 *     number <from 1, without gaps>
 *     first <sequence behind the last one of the seal before, or a later one: what lies between was
 *           let go unsealed>
 *     last <sequence of the last record of a batch>
 *     events <leaves of the tree>
 *     root <64 digits; of no events the hash of nothing>
 *     chain <64 digits: chain hash of the batch that ends with `last`>
 *     before <64 digits: SHA-256 of the text of the seal before; zeros for the first>
 *     sealed <ns since 1970>
 *
 * Pure; any thread.
 */
#ifndef TTGD_EVIDENCE_SEAL_H
#define TTGD_EVIDENCE_SEAL_H

#include "base/signature.h"
#include "evidence/hash.h"

#define SEAL_TEXT_MAX 640u  /* bytes, without a NUL */
#define SEAL_SIGNATURE SIGNATURE_BYTES /* Ed25519, RFC 8032 */

struct seal {
	uint8_t journal[EVIDENCE_ID];
	uint64_t number;
	uint64_t first, last;
	uint64_t events;
	uint8_t root[EVIDENCE_HASH];
	uint8_t chain[EVIDENCE_HASH];
	uint8_t before[EVIDENCE_HASH];
	int64_t sealed_ns;
	/* It is none but a hand-over (hand_over.h), which stands in the line of seals as one. */
	bool hands_over;
	uint8_t from[EVIDENCE_KEY], to[EVIDENCE_KEY];
};

/* A seal, or a hand-over, as it is kept: its text, and the signature over exactly these bytes. */
struct seal_signed {
	char text[SEAL_TEXT_MAX];
	size_t len;
	uint8_t signature[SEAL_SIGNATURE];
};

/* Length of the text. Every seal has one: sealed_ns is not negative. */
size_t seal_write(const struct seal *seal, char out[SEAL_TEXT_MAX]);
/* False: not a text that seal_write() gives, or one that no seal can have (first above last ...). */
bool seal_read(const char *text, size_t len, struct seal *out);
/* The same within a longer text: passes a seal's lines. One that no seal can have fails at its first. */
bool seal_take(struct reading *reading, struct seal *out);

/*
 * May `seal` follow `before` (NULL: be the first), whose text has the hash before_hash? Otherwise
 * false, and *why names the line that is wrong, for people. Either may be a hand-over.
 */
bool seal_follows(const struct seal *before, const uint8_t before_hash[EVIDENCE_HASH],
		  const struct seal *seal, const char **why);

#endif
