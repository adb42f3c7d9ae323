/*
 * Do the seals in a journal hold? It is fed with a journal's records, batch by batch from the oldest
 * held, and compares every seal with what it covers: the signature, the seal before, the chain's hash
 * and the root over the events. Behind the end it may be told what the signer signed last.
 *
 * The first seal held is signed by one of the keys that are trusted, those behind it by the same, until that
 * hands over to another (hand_over.h), which is trusted from there on.
 *
 * What retention took cannot be looked at: the first seal held is believed to follow what was there,
 * and its root is not compared when records it covers are gone. In an archive (archive/archive.h) events
 * are known by their digests, and the chain of the journal they come from cannot be looked at either.
 *
 * Kept in memory are 40 bytes for each event and batch that no seal covers yet.
 *
 * Owner: one thread.
 */
#ifndef TTGD_EVIDENCE_CHECK_H
#define TTGD_EVIDENCE_CHECK_H

#include "base/message.h"
#include "base/signature.h"
#include "evidence/seal.h"

struct check;

struct check *check_new(struct verify_key *take_key); /* takes it, also when there is no memory: NULL */
void check_free(struct check **check);
/* More events, and more batches, are not kept while no seal covers them: then the next is a failure. 0: any
   number. */
void check_set_limit(struct check *check, size_t max_unsealed);
/* Begins, or begins again. */
void check_begin(struct check *check, const uint8_t journal[EVIDENCE_ID]);
/* The same for an archive of that journal: without check_batch_end() and check_signer(). */
void check_begin_archive(struct check *check, const uint8_t journal[EVIDENCE_ID]);
/* There are no records before this one, from the last on: what follows is believed to follow them. */
void check_skip(struct check *check, uint64_t sequence);
/* False: a seal does not hold, or memory ended; check_message() says what, without the place. */
bool check_record(struct check *check, uint64_t sequence, uint8_t kind, const uint8_t *data,
		  size_t len);
bool check_batch_end(struct check *check, uint64_t last, const uint8_t chain[EVIDENCE_HASH]);
/* After the last: the file that ttg-signer keeps. False: it signed what is not here, or cannot be read. */
bool check_signer(struct check *check, const char *state_file);

struct check_result {
	uint64_t seals;           /* that hold */
	uint64_t number, sealed;  /* the last one: its number, and the sequence it reaches */
	int64_t sealed_ns;
	uint64_t unsealed_events; /* behind it */
};
void check_get_result(const struct check *check, struct check_result *out);
const char *check_message(const struct check *check);

#endif
