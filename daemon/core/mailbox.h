/*
 * One mailbox: what waits for its agency, in order of position. An entry is in exactly one place:
 *
 *   backlog   positions from fill_position on: only in the journal, found from backlog_from
 *   window    in memory, waiting, in flight or blocked by its lane's delay
 *   held      behind a parked or draining lane
 *   dead      a dead letter at the head of a parked lane
 *   settled   acknowledged, discarded, expired, stopped or given up: nowhere
 *
 * Invariants: positions are dense from 1; a position below fill_position that is nowhere is
 * settled; next_position - fill_position entries are in the backlog, and only while backlog_from
 * is not 0; pending counts everything that is not settled.
 *
 * Pure data, no records: the core decides and this moves. Owner: the loop thread. A function that
 * returns false had no memory; the core then stops (its state no longer follows its records).
 */
#ifndef TTGD_CORE_MAILBOX_H
#define TTGD_CORE_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ttg/error.h>
#include "core/lane.h"
#include "core/record.h"
#include "core/rules.h"
#include "core/entries.h"

struct consumer {
	uint64_t id;
	uint32_t credit;
};

struct mailbox {
	char id[RULES_MAILBOX_MAX + 1];
	uint32_t number;
	int rule;                   /* index in the rules in force, -1: not there now */

	struct entries window;
	struct lanes lanes;
	uint64_t next_position;     /* of the next event accepted for it */
	uint64_t fill_position;     /* of the first one in the backlog */
	uint64_t backlog_from;      /* sequence to look for it from; 0: no backlog */
	uint64_t pending;

	struct consumer *consumers; /* the first is active */
	size_t n_consumers;
	uint32_t turn;              /* counts activations; entry.holder names one */
	uint64_t highest;           /* position delivered to the active consumer */
	uint64_t in_flight;
	uint64_t hint;              /* nothing below this position is WAITING */
	uint64_t unseen;            /* last record that settled what its consumer had not taken */
	uint64_t answered;          /* last ACK record */

	struct record_ranges row;   /* delivered and not yet recorded */
	uint32_t row_attempt;

	bool ready;                 /* in the core's list of mailboxes to look at */
	bool full_told;             /* mailbox_held_full was noted */
	bool missing_told;          /* record_missing was noted */
	uint64_t delivered, acked, nacked, escalated, expired, stopped;
};

struct mailbox *mailbox_new(uint32_t number, const char *id);
void mailbox_free(struct mailbox **mailbox);
/* Whether what was read from outside keeps the invariants: TTG_ECORRUPT, or TTG_ENOMEM. */
enum ttg_error mailbox_check(const struct mailbox *mailbox);

/* Lane of an event: first half of the person's key, or one of its own when about nobody. */
uint64_t mailbox_lane(const uint8_t *person_key, uint64_t position);

/* May take another entry from the backlog. */
bool mailbox_has_room(const struct mailbox *mailbox, size_t window, size_t max_held);

/* A new event for it, at next_position: into memory when `room`, else into the backlog. */
bool mailbox_accept(struct mailbox *mailbox, uint64_t sequence, uint64_t lane, bool room);
/* The next one of the backlog (position fill_position) was found at this sequence. */
bool mailbox_fill(struct mailbox *mailbox, uint64_t sequence, uint64_t lane);
/* Moves held entries of draining lanes into the window, until it has `window` live ones. */
bool mailbox_drain(struct mailbox *mailbox, size_t window);

/* Entry at this position, brought into the window when it was held. NULL: settled, dead or in the
   backlog; *failed is set when there was no memory. */
struct entry *mailbox_locate(struct mailbox *mailbox, uint64_t position, bool *failed);
/* Dead letter with this position or sequence (the other 0). */
struct dead *mailbox_find_dead(const struct mailbox *mailbox, uint64_t sequence, uint64_t position,
			       struct lane **lane);
/* Not settled. */
bool mailbox_is_pending(const struct mailbox *mailbox, uint64_t position);

/* The entry in the window is done with. */
void mailbox_settle(struct mailbox *mailbox, struct entry *entry);
/* Refused: entries of the lane from it on go back and wait until due_ns (0: no delay). */
bool mailbox_refuse(struct mailbox *mailbox, struct entry *entry, int64_t due_ns);
/* Refused for good: it becomes a dead letter, what follows in its lane is held. */
bool mailbox_park(struct mailbox *mailbox, struct entry *entry, uint32_t reason, const char *text,
		  int64_t parked_ns);
/* The dead letters of the lane up to this position go back to the window. */
bool mailbox_revive(struct mailbox *mailbox, struct lane *lane, uint64_t position);
/* A dead letter is done with. */
void mailbox_discard(struct mailbox *mailbox, struct lane *lane, struct dead *dead);
/* Two lanes are one person's from now on: `from` becomes part of `to`, behind whatever stops either. */
bool mailbox_join(struct mailbox *mailbox, uint64_t from, uint64_t to);
/* Everything below `sequence` is done with; the backlog begins at next_*. Number let go. */
uint64_t mailbox_give_up(struct mailbox *mailbox, uint64_t sequence, uint64_t next_sequence,
			 uint64_t next_position);

/* Ends delays that are over; the earliest that is not, or INT64_MAX. */
int64_t mailbox_release(struct mailbox *mailbox, int64_t mono_ns);
/* The consumer is gone: what was in flight waits again. */
void mailbox_recall(struct mailbox *mailbox);
/* Of that, what stands behind something that stops its lane is held (lanes were joined while it was out). */
bool mailbox_hold_recalled(struct mailbox *mailbox);
/* First WAITING entry; NULL: none. */
struct entry *mailbox_next_waiting(struct mailbox *mailbox);

/* Lowest position not settled, and its sequence (of the backlog: where the search begins). False:
   nothing is pending. */
bool mailbox_lowest(const struct mailbox *mailbox, uint64_t *position, uint64_t *sequence);
/* Lowest sequence that may still be read for it; UINT64_MAX: none. */
uint64_t mailbox_low_water(const struct mailbox *mailbox);

#endif
