/*
 * The life of a referral as a table of moves, asked before anything is offered, taken from a file
 * or sent. Pure.
 *
 *     sent -> acknowledged -> accepted -> assigned -> started -> ended    by the provider
 *     sent, acknowledged -> declined                                      by the provider
 *     assigned -> assigned (handed over to a colleague)                   by the provider
 *     sent to started -> withdrawn                                        by the referrer
 */
#ifndef PARTNER_MOVES_H
#define PARTNER_MOVES_H

#include <stdbool.h>
#include <stddef.h>

/* In order of what outranks what: when several are told of a referral it is in the last of them. */
enum referral_state {
	REFERRAL_UNKNOWN = 0, /* nobody told us of its sending */
	REFERRAL_SENT,
	REFERRAL_ACKNOWLEDGED,
	REFERRAL_ACCEPTED,
	REFERRAL_ASSIGNED,
	REFERRAL_STARTED,
	REFERRAL_DECLINED,
	REFERRAL_WITHDRAWN,
	REFERRAL_ENDED,
	REFERRAL_STATES,
};

enum referral_side { REFERRAL_PROVIDER = 0, REFERRAL_REFERRER };

struct move {
	const char *type; /* "referral.accepted" */
	enum referral_side by;
	unsigned from; /* bit of each state it may be made in */
	enum referral_state to;
};

/* NULL when the type is no move. */
const struct move *move_of(const char *type);
/* The move that leads there. */
const struct move *move_to(enum referral_state to);

bool move_is_allowed(const struct move *move, enum referral_state from, enum referral_side side);

/* "acknowledged"; "not known here". */
const char *referral_state_name(enum referral_state state);

/* Waits for the provider's yes or no. */
bool referral_is_new(enum referral_state state);
/* Taken on, and neither ended nor withdrawn. */
bool referral_is_open(enum referral_state state);

#endif
