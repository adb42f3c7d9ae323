/*
 * What a redelivery passes over because the mailbox was told that it is withdrawn: events, and persons
 * of whom such a notice cannot be read any more. Found by reading ahead of the walk
 * (redeliver_walk.c), so it is in no snapshot: after a start it is found again.
 *
 * Pure data, owned by the loop thread. At most BARRED_MAX keys are held.
 */
#ifndef TTGD_CORE_BARRED_H
#define TTGD_CORE_BARRED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ttg/error.h>

#define BARRED_KEY 16u /* of an event and its source, or of a number */
#define BARRED_MAX 131072u

struct barred_item {
	uint8_t key[BARRED_KEY];
	uint8_t wrong[BARRED_KEY]; /* of the event it supersedes; zeros: none */
	uint64_t before;           /* barred is what was given before this record; 0: nothing */
};

struct barred {
	struct barred_item *items; /* by key */
	size_t n, room;
};

void barred_fini(struct barred *it);
/* TTG_ELIMIT, TTG_ENOMEM, of both. */
enum ttg_error barred_note(struct barred *it, const uint8_t *key, const uint8_t *supersedes);
/* Bars it, and what it superseded. */
enum ttg_error barred_add(struct barred *it, const uint8_t *key, uint64_t before);
bool barred_has(const struct barred *it, const uint8_t *key, uint64_t sequence);

#endif
