/*
 * A stretch of the journal on its way to a seal: its records one after the other, of which the
 * events become leaves of the tree. The sealer makes seals of it, a receipt finds its event's way to
 * the root with it, and a verification compares.
 *
 * Owner: one thread.
 */
#ifndef TTGD_EVIDENCE_STRETCH_H
#define TTGD_EVIDENCE_STRETCH_H

#include "base/message.h"
#include "evidence/leaf.h"
#include "evidence/seal.h"
#include "base/tree.h"

struct stretch;

struct stretch *stretch_new(const uint8_t journal[EVIDENCE_ID]); /* NULL without memory */
void stretch_free(struct stretch **stretch);
/* Forgets everything; the next record has this sequence. */
void stretch_begin(struct stretch *stretch, uint64_t first);
/* The next record, of any kind. TTG_EINVAL: not the next; TTG_ECORRUPT: an event that cannot be read;
   TTG_ENOMEM, TTG_ECRYPTO. */
enum ttg_error stretch_take(struct stretch *stretch, uint64_t sequence, uint8_t kind,
			    const uint8_t *data, size_t len);
uint64_t stretch_next(const struct stretch *stretch); /* sequence of the record wanted next */
uint64_t stretch_first(const struct stretch *stretch);
uint64_t stretch_events(const struct stretch *stretch);
/* Journal, first, last, events and root of a seal over what was taken, one record at least; the rest
   is zeroed. False: cryptography failed. */
bool stretch_describe(struct stretch *stretch, struct seal *out);

/* The leaf of an EVENT record; of a sealed one the digest in it is taken for what it says, without a salt the
   event's salt is zeros. False: not one that can be read, or cryptography failed. */
bool stretch_leaf(struct hasher *hasher, const uint8_t journal[EVIDENCE_ID], uint64_t sequence,
		  const uint8_t *data, size_t len, struct leaf *out);
/* The same of one that was stripped for the archive. */
bool stretch_leaf_archived(struct hasher *hasher, const uint8_t journal[EVIDENCE_ID], uint64_t sequence,
			   const uint8_t *data, size_t len, struct leaf *out);
/* Behind stretch_begin(): the events of these sequences, each above the one before, are looked out for.
   False: no memory. */
bool stretch_watch(struct stretch *stretch, uint64_t sequence);
/* The leaf of one of them, and its way to the root. False: it was not looked out for, did not come, or
   cryptography failed. */
bool stretch_path(struct stretch *stretch, uint64_t sequence, struct leaf *leaf,
		  struct tree_step steps[TREE_STEPS_MAX], size_t *n_steps);

#endif
