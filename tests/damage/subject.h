/*
 * Damage: what is done to files at rest, and what a start may make of it. A subject is a directory
 * in memory with everything that was accepted into it; a copy of it is damaged and judged.
 */
#ifndef TTG_TESTS_DAMAGE_SUBJECT_H
#define TTG_TESTS_DAMAGE_SUBJECT_H

#include "base/message.h"
#include "support/memory_world.h"

enum verdict {
	VERDICT_WHOLE, /* it starts, and all that was accepted is there, unchanged */
	VERDICT_FOUND, /* it does not start, names file, offset and reason, and changed nothing */
	VERDICT_TORN,  /* it starts without the newest batch, as after a write that was cut short */
	VERDICT_LOST,  /* anything else: less, or something else, or a message that does not help */
};

#define SUBJECT_MOMENTS 16

struct subject {
	const char *name;
	struct memory_world *world;
	/* The directory as it was earlier, while it was written. */
	struct memory_world *moments[SUBJECT_MOMENTS];
	size_t n_moments;
	bool may_be_torn; /* the machine stopped: nothing vouches for the newest batch */
	enum verdict (*judge)(const struct subject *subject, struct memory_world *damaged,
			      struct message *message);
	uint64_t accepted, before_newest; /* records or events: all, and without the newest batch */
	uint64_t state_at;		  /* sequence of the newest snapshot; 0: none */
};

/* The caller frees each with subject_free(). */
void subject_journal_closed(struct subject *out);
void subject_journal_killed(struct subject *out);
void subject_journal_stopped(struct subject *out); /* with its machine */
void subject_snapshots(struct subject *out);
void subject_outbox_closed(struct subject *out);
void subject_outbox_killed(struct subject *out);
void subject_free(struct subject *subject);

/* Files that hold something: not locks, not what is made ahead. */
bool subject_holds(const char *path);
/* The message names a file that is there or was, an offset, and says why. */
bool subject_message_helps(const struct message *message);

#endif
