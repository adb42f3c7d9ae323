/*
 * Urgent events that want a named user's acknowledgement, as the store's table of alerts has them:
 * which wait, since when, who answered, and what came after (updates, corrections, the broker's
 * notice that nobody answered in time). Owned by the desk's thread.
 *
 * What is told of an alert does not depend on the order in which its events came: of several updates
 * of an arrest the one that was decided last counts.
 *
 * A notice of the broker about an alert that is here is part of that alert's story and no alert of
 * its own: acknowledging the alert acknowledges it, too.
 */
#ifndef DESK_ALERTS_H
#define DESK_ALERTS_H

#include "desk/views.h"

#define ALERTS_VERSIONS 1048576u /* 20 bits */

struct alert {
	uint32_t event; /* in the views */
	int64_t raised_ns;
	int64_t acknowledged_ns;     /* 0: it waits */
	char by[STORE_USER_MAX + 1]; /* who acknowledged it: a user; "" */
	int64_t escalated_ns;        /* the broker told the manager's mailbox; 0: not */
	uint32_t latest;             /* the last event of the same story; VIEWS_NOBODY */
	bool undone;                 /* no further action, a mistake, withdrawn: visibly corrected */
	int disposition;             /* Ttg__Disposition, as last decided; 0: nothing was told */
	uint32_t decided_by;         /* the event that tells it; VIEWS_NOBODY */
	uint32_t corrected_by;       /* supersedes or withdraws it; VIEWS_NOBODY: it stands */
};

struct alerts;

struct alerts *alerts_new(void);
void alerts_free(struct alerts **alerts);

/* Reads the store's table again where it may have changed, after views_add(). Errors of the store,
   TTG_ENOMEM. */
enum ttg_error alerts_follow(struct alerts *alerts, const struct views *views, struct store *store,
                             struct message *message);
/* After views_add(), to spare alerts_follow() reading the same row once more. TTG_ENOMEM. */
enum ttg_error alerts_take(struct alerts *alerts, const struct views *views,
                           const struct store_event *from, struct message *message);
/* An event that is in the views was completed: the next alerts_follow() reads it again. */
void alerts_look_again(struct alerts *alerts, uint32_t event);
/* Becomes another whenever anything here does; begins anywhere. From 1 to
   ALERTS_VERSIONS - 1. */
unsigned alerts_version(const struct alerts *alerts);

/* Those that wait stand first, the longest waiting on top; then the newest. */
size_t alerts_n(const struct alerts *alerts);
const struct alert *alerts_at(const struct alerts *alerts, size_t index);
size_t alerts_waiting(const struct alerts *alerts);
const struct alert *alerts_find(const struct alerts *alerts, uint32_t event);

/*
 * The events of its story in the order they happened, itself not among them: updates, encounters,
 * corrections, notices. At most `max` are written, the newest; returns how many.
 */
size_t alerts_story(const struct alerts *alerts, const struct alert *alert, uint32_t *out,
                    size_t max);

#endif
