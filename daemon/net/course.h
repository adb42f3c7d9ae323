/*
 * The course of one event through the journal, record by record: to whom it was given, and what became of
 * that. What is asked of it: `ttgctl trace`, and States (states.h).
 *
 * Owner: the loop.
 */
#ifndef TTGD_NET_COURSE_H
#define TTGD_NET_COURSE_H

#include "core/core.h"

struct course_recipient {
	char mailbox[RULES_MAILBOX_MAX + 1];
	uint64_t position;
	bool delivered, acknowledged;
	bool settled; /* acknowledged or given up: nothing more can follow */
};

struct course {
	uint64_t sequence; /* of the event */
	struct course_recipient *recipients;
	size_t n;
	size_t n_waiting;  /* mailboxes that may become recipients later */
	bool accepted;     /* the record that says so was seen */
	bool repeats;      /* asked for, too: when a mailbox is delivered again */
};

void course_fini(struct course *course);

/* The record is about the event itself: it was accepted, or given to more mailboxes. */
bool course_begins(const struct course *course, uint64_t sequence, const struct core_history *history);
/* Takes such a record: *first is the first recipient that it brought, those behind came with it. False:
   no memory. */
bool course_accept(struct course *course, const struct core *core,
		   const struct core_history *history, size_t *first);
/* Any other record; each() is called for each recipient it concerns (NULL: not). */
void course_take(struct course *course, const struct core_history *history,
		 void (*each)(void *arg, const struct course_recipient *recipient), void *arg);
/* Nothing more can become of it. */
bool course_is_over(const struct course *course);

#endif
