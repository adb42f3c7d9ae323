/* The table of moves. See moves.h. Constant. */
#include "partner/moves.h"

#include <assert.h>
#include <string.h>

#define IN(state) (1u << (state))
#define UNKNOWN   IN(REFERRAL_UNKNOWN)
#define NEW       (IN(REFERRAL_SENT) | IN(REFERRAL_ACKNOWLEDGED))
#define WAITING   (IN(REFERRAL_ACCEPTED) | IN(REFERRAL_ASSIGNED)) /* for its start */
#define STARTED   IN(REFERRAL_STARTED)

static const struct move moves[] = {
	{ "referral.sent", REFERRAL_REFERRER, UNKNOWN, REFERRAL_SENT, false },
	{ "referral.acknowledged", REFERRAL_PROVIDER, UNKNOWN | IN(REFERRAL_SENT),
	  REFERRAL_ACKNOWLEDGED, false },
	{ "referral.accepted", REFERRAL_PROVIDER, UNKNOWN | NEW, REFERRAL_ACCEPTED, false },
	{ "referral.declined", REFERRAL_PROVIDER, UNKNOWN | NEW, REFERRAL_DECLINED, false },
	{ "referral.assigned", REFERRAL_PROVIDER, UNKNOWN | WAITING | STARTED, REFERRAL_ASSIGNED,
	  false },
	{ "referral.started", REFERRAL_PROVIDER, UNKNOWN | WAITING, REFERRAL_STARTED, false },
	{ "referral.ended", REFERRAL_PROVIDER, UNKNOWN | STARTED, REFERRAL_ENDED, false },
	{ "referral.ended", REFERRAL_PROVIDER, UNKNOWN | WAITING | STARTED, REFERRAL_ENDED, true },
	{ "referral.withdrawn", REFERRAL_REFERRER, UNKNOWN | NEW | WAITING | STARTED,
	  REFERRAL_WITHDRAWN, false },
};

#define MOVES (sizeof(moves) / sizeof(*moves))

const struct move *move_of(const char *type, bool cancels)
{
	const struct move *found = NULL;

	for (size_t i = 0; i < MOVES; i++) {
		if (strcmp(moves[i].type, type) == 0 && (found == NULL || moves[i].cancels == cancels))
			found = &moves[i];
	}
	return found;
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
