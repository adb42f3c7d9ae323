/*
 * Urgent events that want a named user's acknowledgement, as the store's table of alerts has them:
 * which wait, since when, who answered, and what came after (updates, corrections, the broker's
 * notice that nobody answered in time). Owned by the desk's thread.
 */
#ifndef DESK_ALERTS_H
#define DESK_ALERTS_H

#include "desk/views.h"

struct alert {
	uint32_t event; /* in the views */
	int64_t raised_ns;
	int64_t acknowledged_ns; /* 0: it waits */
	char by[33];             /* who acknowledged it: a user; "" */
	int64_t escalated_ns;    /* the broker told the manager's mailbox; 0: not */
	uint32_t latest;         /* the last event of the same story; VIEWS_NOBODY */
	bool undone;             /* no further action, a mistake, withdrawn: visibly corrected */
};

struct alerts;

struct alerts *alerts_new(void);
void alerts_free(struct alerts **alerts);

/* Reads the store's table again where it may have changed, after views_add(). Errors of the store.
 */
enum ttg_error alerts_follow(struct alerts *alerts, const struct views *views, struct store *store,
                             struct message *message);

/* Those that wait stand first, the longest waiting on top; then the newest. */
size_t alerts_n(const struct alerts *alerts);
const struct alert *alerts_at(const struct alerts *alerts, size_t index);
size_t alerts_waiting(const struct alerts *alerts);
const struct alert *alerts_find(const struct alerts *alerts, uint32_t event);

#endif
