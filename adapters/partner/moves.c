/* The table of moves. See moves.h. Constant. */
#include "partner/moves.h"

#include <assert.h>
#include <string.h>

#define IN(state) (1u << (state))

static const struct move moves[] = {
	{ "referral.sent", REFERRAL_REFERRER, IN(REFERRAL_UNKNOWN), REFERRAL_SENT },
	{ "referral.acknowledged", REFERRAL_PROVIDER, IN(REFERRAL_SENT), REFERRAL_ACKNOWLEDGED },
	{ "referral.accepted", REFERRAL_PROVIDER, IN(REFERRAL_ACKNOWLEDGED), REFERRAL_ACCEPTED },
	{ "referral.declined", REFERRAL_PROVIDER, IN(REFERRAL_SENT) | IN(REFERRAL_ACKNOWLEDGED),
	  REFERRAL_DECLINED },
	{ "referral.assigned", REFERRAL_PROVIDER, IN(REFERRAL_ACCEPTED) | IN(REFERRAL_ASSIGNED),
	  REFERRAL_ASSIGNED },
	{ "referral.started", REFERRAL_PROVIDER, IN(REFERRAL_ASSIGNED), REFERRAL_STARTED },
	{ "referral.ended", REFERRAL_PROVIDER, IN(REFERRAL_STARTED), REFERRAL_ENDED },
	{ "referral.withdrawn", REFERRAL_REFERRER,
	  IN(REFERRAL_SENT) | IN(REFERRAL_ACKNOWLEDGED) | IN(REFERRAL_ACCEPTED) |
	          IN(REFERRAL_ASSIGNED) | IN(REFERRAL_STARTED),
	  REFERRAL_WITHDRAWN },
};

#define MOVES (sizeof(moves) / sizeof(*moves))
_Static_assert(MOVES == REFERRAL_STATES - 1, "each state but the first has the move that leads there");

const struct move *move_of(const char *type)
{
	for (size_t i = 0; i < MOVES; i++) {
		if (strcmp(moves[i].type, type) == 0)
			return &moves[i];
	}
	return NULL;
}

const struct move *move_to(enum referral_state to)
{
	for (size_t i = 0; i < MOVES; i++) {
		if (moves[i].to == to)
			return &moves[i];
	}
	return NULL;
}

bool move_is_allowed(const struct move *move, enum referral_state from, enum referral_side side)
{
	assert(from < REFERRAL_STATES);
	return move->by == side && (move->from & IN(from)) != 0;
}

const char *referral_state_name(enum referral_state state)
{
	static const char *const names[REFERRAL_STATES] = {
		"not known here", "sent",     "acknowledged", "accepted", "assigned",
		"started",        "declined", "withdrawn",    "ended",
	};

	assert(state < REFERRAL_STATES);
	return names[state];
}

bool referral_is_new(enum referral_state state)
{
	return state == REFERRAL_SENT || state == REFERRAL_ACKNOWLEDGED;
}

bool referral_is_open(enum referral_state state)
{
	return state == REFERRAL_ACCEPTED || state == REFERRAL_ASSIGNED || state == REFERRAL_STARTED;
}
