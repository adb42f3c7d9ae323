/*
 * Erasing a person: the keys of what is held about him are destroyed, and what was known of him is forgotten.
 * Beside core.h, of the same core. The record says which keys; whoever owns the key store destroys them when
 * that record is durable, and again after every start, until it has.
 */
#ifndef TTGD_CORE_ERASE_H
#define TTGD_CORE_ERASE_H

#include "core/persons.h"

struct core_erasure {
	uint64_t sequence; /* of its record */
	size_t numbers;    /* of his */
	size_t keys;       /* that are to be destroyed: 0 when nothing was held */
};
/* All his numbers, by what is known now, and the number asked for if none is. TTG_EINVAL: who or why is
   missing or too long; TTG_ELIMIT: more numbers and keys than a record holds; else as of the journal. */
enum ttg_error core_erase(struct core *core, const struct core_now *now, const struct core_person *person,
			  const char *who, const char *why, struct core_erasure *out);

/* Keys that are gone though no record says so, as after an older journal was put back: now one does, but for
   those that are about to lapse. As core_erase(). */
enum ttg_error core_erase_gone(struct core *core, const struct core_now *now,
			       bool (*gone)(void *arg, uint64_t key), void *arg);

/* Numbers of keys that are to be destroyed, because of records up to *sequence: *n of them, in order, good
   until the next record. core_keys_destroyed() takes the first n off. A process that starts has none here:
   for it, every number up to core_newest_key() that is not marked is to be. */
const uint64_t *core_erased_keys(const struct core *core, size_t *n, uint64_t *sequence);
void core_keys_destroyed(struct core *core, size_t n);
uint64_t core_newest_key(const struct core *core); /* that an event was sealed with; 0: none was */
size_t core_live_keys(const struct core *core); /* that somebody has */
/* Sets bit (n - 1) % 8 of byte (n - 1) / 8 for every key n that somebody has. */
void core_mark_keys(const struct core *core, uint8_t *bits);

#endif
