/*
 * The signer of a life: the product's own decisions without its process. It outlives the broker,
 * forgets only when the operator takes its memory away, and can be away, or its answer lost.
 */
#ifndef TTG_SIM_NOTARY_H
#define TTG_SIM_NOTARY_H

#include "net/sealer.h"

struct notary;

struct notary *notary_new(uint64_t seed);
void notary_free(struct notary **notary);
/* What the broker talks through. */
struct signer_link notary_link(struct notary *notary);
struct verify_key *notary_key(const struct notary *notary); /* the caller's */
void notary_forget(struct notary *notary);
/* Nothing goes wrong any more. */
void notary_peace(struct notary *notary);

/* Every seal among the model's records follows the one before and has the root of the events it
   covers, and the last is signed; all: and no event is behind the last. Fails the life otherwise. */
void notary_check(const struct notary *notary, bool all);

#endif
