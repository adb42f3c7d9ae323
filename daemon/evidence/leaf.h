/*
 * A leaf: that one event was accepted, from whom, when, under which sequence. Who received it is not
 * in it, because the publisher gets it as part of his receipt. Its text, lines as in hash.h, is
 * hashed:
 *
 *     throughgate event 1
 *     journal <id of the journal, 32 digits>
 *     sequence <number>
 *     accepted <ns since 1970>
 *     source <agency>
 *     id <event id, as a UUID is written>
 *     sha256 <64 digits: of the event's bytes exactly as they were published, salted: hasher_salted()>
 *
 * Pure; any thread.
 */
#ifndef TTGD_EVIDENCE_LEAF_H
#define TTGD_EVIDENCE_LEAF_H

#include "evidence/hash.h"

#define LEAF_TEXT_MAX 384u
#define LEAF_SOURCE_MAX 64u /* with NUL */

struct leaf {
	uint8_t journal[EVIDENCE_ID];
	uint64_t sequence;
	int64_t accepted_ns;
	char source[LEAF_SOURCE_MAX];
	uint8_t id[EVIDENCE_ID];
	uint8_t sha256[EVIDENCE_HASH];
};

size_t leaf_write(const struct leaf *leaf, char out[LEAF_TEXT_MAX]); /* length of the text */
/* False: not a text that leaf_write() gives, or one that no leaf can have (sequence 0, id nil). */
bool leaf_read(const char *text, size_t len, struct leaf *out);
/* The same within a longer text: passes a leaf's lines. One that no leaf can have fails at its first. */
bool leaf_take(struct reading *reading, struct leaf *out);
bool leaf_hash(struct hasher *hasher, const struct leaf *leaf, uint8_t out[EVIDENCE_HASH]);

#endif
