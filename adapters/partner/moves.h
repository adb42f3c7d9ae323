/*
 * The life of a referral as a table of moves, the broker's own (docs/protocol.md, Referrals), asked
 * before anything is offered, taken from a file or sent. Pure.
 *
 *     sent -> acknowledged -> accepted -> assigned -> started -> ended    by the provider
 *
 * acknowledged and assigned may be left out; assigned may come again when somebody else takes over,
 * after the start too; from sent and acknowledged to declined; from accepted and assigned to an end
 * that is a cancellation. Until the end the referrer may withdraw it. Of one that is not known here
 * anything may come: it was sent before there was a store.
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
	bool cancels; /* an end of what never began */
};

/* NULL when the type is no move. cancels: of two ends the one with the outcome "cancelled". */
const struct move *move_of(const char *type, bool cancels);

bool move_is_allowed(const struct move *move, enum referral_state from, enum referral_side side);

/* "acknowledged"; "not known here". */
const char *referral_state_name(enum referral_state state);

/* Waits for the provider's yes or no. */
bool referral_is_new(enum referral_state state);
/* Taken on, and neither ended nor withdrawn. */
bool referral_is_open(enum referral_state state);

#endif
