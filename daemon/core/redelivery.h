/*
 * A mailbox is delivered again: an operator says that its agency has lost what it was given, and why
 * he thinks so. A walk over the journal (redeliver_walk.c) then queues once more what the mailbox was
 * given and may have today, in the order it was given it at first.
 *
 * How far the walk came follows from records: where it began, the last AGAIN, that it was stopped or
 * is through. One a mailbox, the last there was, is remembered. Owner: the loop thread.
 *
 * Records, written as record.h says:
 *
 *   REDELIVER  version u8 | ns u64 | mailbox | what u8 (1 it begins, 2 it is stopped, 3 it is through)
 *              | sequence it begins at (2, 3: 0) | what was given before this ns u64 is left out
 *              | text who | text why
 *   AGAIN      version u8 | ns u64 | sequence of the EVENT | sequence of the EVENT or LATE that gave it
 *              to the mailbox at first | a whole EVENT again, with that one mailbox as recipient, and
 *              nothing that waits or changes
 */
#ifndef TTGD_CORE_REDELIVERY_H
#define TTGD_CORE_REDELIVERY_H

#include "base/cursor.h"
#include "core/barred.h"
#include "core/core.h"

enum redeliver_what { REDELIVER_BEGIN = 1, REDELIVER_STOP = 2, REDELIVER_THROUGH = 3 };

struct record_redeliver {
	int64_t at_ns, since_ns;
	uint32_t mailbox;
	uint8_t what;
	uint64_t from;
	const char *who, *why;
};
void record_put_redeliver(struct cursor *cursor, const struct record_redeliver *it);
/* False: damaged. */
bool record_get_redeliver(const uint8_t *data, size_t len, struct record_redeliver *out);

struct redelivery {
	uint32_t mailbox;
	bool running;
	uint64_t number;   /* sequence of the record that began it: what was given behind is not repeated */
	uint64_t at;       /* what was given by records below is done with */
	int64_t since_ns;
	uint64_t repeated, last; /* how many; sequence of the last AGAIN, 0: none yet */
	uint64_t first_position, last_position; /* of those; 0: none yet */
	/* In no snapshot: the walk's own. */
	uint64_t looked;   /* next record to look at, not below `at` */
	uint64_t ahead;    /* next to look at for what is withdrawn, not below `looked` */
	struct barred barred;
};

struct redeliveries {
	struct redelivery *items;
	size_t n, room, n_running, turn;
};

void redeliveries_fini(struct redeliveries *it);
struct redelivery *redeliveries_find(const struct redeliveries *it, uint32_t mailbox);
size_t redeliveries_held_bytes(const struct redeliveries *it);
size_t redeliveries_bound(const struct redeliveries *it);
void redeliveries_save(const struct redeliveries *it, struct cursor *cursor);
bool redeliveries_load(struct redeliveries *it, struct cursor *cursor, size_t n_mailboxes,
		       uint64_t sequence);

/* What an operator orders; who and why have 1 to RECORD_MAX_TEXT bytes. */
struct core_redeliver {
	const char *mailbox;
	uint64_t from;    /* sequence of the oldest record that is held */
	int64_t since_ns; /* only what was given to the mailbox since then; INT64_MIN: all */
	const char *who, *why;
};
/*
 * Begins one, *sequence its record. TTG_ENOENT: there is no such mailbox in the rules. TTG_EEXIST: one
 * of this mailbox runs, or of what the last one queued something is not settled: it would be queued
 * twice. TTG_EINVAL: who or why. TTG_EAGAIN, TTG_ENOSPC, TTG_EIO of the journal.
 */
enum ttg_error core_redeliver(struct core *core, const struct core_now *now,
			      const struct core_redeliver *order, uint64_t *sequence);
/* Ends one; what is queued stays. TTG_ENOENT: none runs. */
enum ttg_error core_redeliver_stop(struct core *core, const struct core_now *now, const char *mailbox,
				   const char *who, const char *why, uint64_t *sequence);

struct core_redelivery_view {
	bool running, unsettled; /* unsettled: of what it queued something is not answered yet */
	uint64_t number, looked, repeated;
};
/* The last of a mailbox. False: there was none. */
bool core_redelivery_view(const struct core *core, const char *mailbox, struct core_redelivery_view *out);
/* Between which records an event of this record may have been repeated by redeliveries that are remembered.
   False: it was not. */
bool core_repeats(const struct core *core, uint64_t sequence, uint64_t *from, uint64_t *until);

#endif
