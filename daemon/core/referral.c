/* See referral.h. */
#include "core/referral.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

/*
 * What may follow what. Beside the chain sent, acknowledged, accepted, assigned, started, ended:
 *
 * - Small providers say yes at once (sent, accepted) and begin without naming anybody (accepted,
 *   started).
 * - Work is handed over also after it began: started, assigned is still started.
 * - Who was accepted and never came is an end too: cancelled.
 * - Of what nothing is known anything may come: it was sent before the broker followed referrals,
 *   or on paper, or is forgotten. From there on it is followed.
 */
static const unsigned char moves[REFERRAL_STATES][REFERRAL_MOVES] = {
	[REFERRAL_NONE] = {
		[REFERRAL_SEND] = REFERRAL_SENT,
		[REFERRAL_WITHDRAW] = REFERRAL_WITHDRAWN,
		[REFERRAL_ACKNOWLEDGE] = REFERRAL_ACKNOWLEDGED,
		[REFERRAL_ACCEPT] = REFERRAL_ACCEPTED,
		[REFERRAL_DECLINE] = REFERRAL_DECLINED,
		[REFERRAL_ASSIGN] = REFERRAL_ASSIGNED,
		[REFERRAL_START] = REFERRAL_STARTED,
		[REFERRAL_END] = REFERRAL_ENDED,
		[REFERRAL_CANCEL] = REFERRAL_ENDED,
	},
	[REFERRAL_SENT] = {
		[REFERRAL_WITHDRAW] = REFERRAL_WITHDRAWN,
		[REFERRAL_ACKNOWLEDGE] = REFERRAL_ACKNOWLEDGED,
		[REFERRAL_ACCEPT] = REFERRAL_ACCEPTED,
		[REFERRAL_DECLINE] = REFERRAL_DECLINED,
	},
	[REFERRAL_ACKNOWLEDGED] = {
		[REFERRAL_WITHDRAW] = REFERRAL_WITHDRAWN,
		[REFERRAL_ACCEPT] = REFERRAL_ACCEPTED,
		[REFERRAL_DECLINE] = REFERRAL_DECLINED,
	},
	[REFERRAL_ACCEPTED] = {
		[REFERRAL_WITHDRAW] = REFERRAL_WITHDRAWN,
		[REFERRAL_ASSIGN] = REFERRAL_ASSIGNED,
		[REFERRAL_START] = REFERRAL_STARTED,
		[REFERRAL_CANCEL] = REFERRAL_ENDED,
	},
	[REFERRAL_ASSIGNED] = {
		[REFERRAL_WITHDRAW] = REFERRAL_WITHDRAWN,
		[REFERRAL_ASSIGN] = REFERRAL_ASSIGNED,
		[REFERRAL_START] = REFERRAL_STARTED,
		[REFERRAL_CANCEL] = REFERRAL_ENDED,
	},
	[REFERRAL_STARTED] = {
		[REFERRAL_WITHDRAW] = REFERRAL_WITHDRAWN,
		[REFERRAL_ASSIGN] = REFERRAL_STARTED,
		[REFERRAL_END] = REFERRAL_ENDED,
		[REFERRAL_CANCEL] = REFERRAL_ENDED,
	},
};

enum referral_state referral_next(enum referral_state state, enum referral_move move)
{
	assert(state < REFERRAL_STATES && move < REFERRAL_MOVES);
	return (enum referral_state)moves[state][move];
}

bool referral_move_of(const char *type, enum referral_move *move)
{
	static const struct {
		const char *type;
		enum referral_move move;
	} types[] = {
		{ "referral.accepted", REFERRAL_ACCEPT },
		{ "referral.acknowledged", REFERRAL_ACKNOWLEDGE },
		{ "referral.assigned", REFERRAL_ASSIGN },
		{ "referral.declined", REFERRAL_DECLINE },
		{ "referral.ended", REFERRAL_END },
		{ "referral.sent", REFERRAL_SEND },
		{ "referral.started", REFERRAL_START },
		{ "referral.withdrawn", REFERRAL_WITHDRAW },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(types[i].type, type) == 0) {
			*move = types[i].move;
			return true;
		}
	}
	return false;
}

const char *referral_word(enum referral_state state)
{
	static const char *const words[REFERRAL_STATES] = {
		"unknown",  "sent",     "acknowledged", "accepted",  "assigned",
		"started",  "declined", "ended",        "withdrawn",
	};

	assert(state < REFERRAL_STATES);
	return words[state];
}
