/*
 * The life cycle of one referral, as proto/referral.proto tells it: which event may follow in which
 * state. Pure.
 */
#ifndef TTGD_CORE_REFERRAL_H
#define TTGD_CORE_REFERRAL_H

#include <stdbool.h>

enum referral_state { /* numbers stand in records and snapshots */
	REFERRAL_NONE = 0, /* nothing is known of it */
	REFERRAL_SENT = 1,
	REFERRAL_ACKNOWLEDGED = 2,
	REFERRAL_ACCEPTED = 3,
	REFERRAL_ASSIGNED = 4,
	REFERRAL_STARTED = 5,
	REFERRAL_DECLINED = 6, /* this and those below it: over */
	REFERRAL_ENDED = 7,
	REFERRAL_WITHDRAWN = 8,
	REFERRAL_STATES
};

enum referral_move {
	REFERRAL_SEND,
	REFERRAL_WITHDRAW, /* these two are the referrer's, what follows the provider's */
	REFERRAL_ACKNOWLEDGE,
	REFERRAL_ACCEPT,
	REFERRAL_DECLINE,
	REFERRAL_ASSIGN,
	REFERRAL_START,
	REFERRAL_END,
	REFERRAL_CANCEL, /* referral.ended with the outcome "cancelled": it never began */
	REFERRAL_MOVES
};

/* The state after the move; REFERRAL_NONE: it may not follow. */
enum referral_state referral_next(enum referral_state state, enum referral_move move);
/* False: no event of a referral. An end is REFERRAL_END, whatever its outcome. */
bool referral_move_of(const char *type, enum referral_move *move);
/* "accepted", as texts name it; "unknown". */
const char *referral_word(enum referral_state state);

static inline bool referral_is_over(enum referral_state state)
{
	return state >= REFERRAL_DECLINED;
}

/* An answer is expected: neither yes nor no was said. */
static inline bool referral_awaits_answer(enum referral_state state)
{
	return state == REFERRAL_SENT || state == REFERRAL_ACKNOWLEDGED;
}

#endif
