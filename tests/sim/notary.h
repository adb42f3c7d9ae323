/*
 * The signer of a life: the product's own decisions without its process. It outlives the broker,
 * forgets only when the operator takes its memory away, and can be away, or its answer lost. Sometimes
 * it comes back with another key, to which the one before handed over.
 */
#ifndef TTG_SIM_NOTARY_H
#define TTG_SIM_NOTARY_H

#include "net/sealer.h"

struct notary;

struct notary *notary_new(uint64_t seed);
void notary_free(struct notary **notary);
/* What the broker talks through. */
struct signer_link notary_link(struct notary *notary);
/* What the broker is told to trust: all keys there have been. The caller's. */
struct verify_key *notary_key(const struct notary *notary);
void notary_forget(struct notary *notary);
/* Nothing goes wrong any more. */
void notary_peace(struct notary *notary);

/* Every seal among the model's records follows the one before and has the root of the events it
   covers; hand-overs follow too, and the last is signed by the key whose turn it is; all: and no event
   is behind the last. Fails the life otherwise. */
void notary_check(const struct notary *notary, bool all);

#endif
