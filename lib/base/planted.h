/*
 * Mistakes on purpose, for the simulator to find: PLANTED(x) in the code of journal, core, daemon
 * or client is where mistake x would be made. It is the constant 0 in every build but the one that
 * the simulator makes for itself (TTG_PLANT), and there it is true for the one mistake chosen.
 */
#ifndef TTG_BASE_PLANTED_H
#define TTG_BASE_PLANTED_H

#include <stdbool.h>
#include <stddef.h>

enum planted {
	PLANTED_NONE = 0,
	PLANTED_SKIP_SYNC,
	PLANTED_FORGET_DIRECTORY_SYNC,
	PLANTED_IGNORE_SYNC_FAILURE,
	PLANTED_IGNORE_CHECKSUM,
	PLANTED_REUSE_NONCE,
	PLANTED_DROP_TAIL,
	PLANTED_ACKNOWLEDGE_EARLY,
	PLANTED_DELIVER_EARLY,
	PLANTED_DELIVER_UNRECORDED,
	PLANTED_OVERTAKE_UNSEEN,
	PLANTED_OVERTAKE_ANSWERED,
	PLANTED_SNAPSHOT_EARLY,
	PLANTED_SNAPSHOT_WITHOUT_HELD,
	PLANTED_FORGET_DEDUPE,
	PLANTED_DROP_PARKED_LANE,
	PLANTED_OVERTAKE_REFUSED,
	PLANTED_ACKNOWLEDGE_REFUSED,
	PLANTED_POSITION_AGAIN,
	PLANTED_RETAIN_UNACKNOWLEDGED,
	PLANTED_DELIVER_UNAGREED,
	PLANTED_ESCALATE_AGAIN,
	PLANTED_OUTBOX_SKIP_SYNC,
	PLANTED_OUTBOX_DONE_EARLY,
	PLANTED_RESEND_SECOND,
	PLANTED_FORGET_STALL,
	PLANTED_HAND_OVER_VOID,
	PLANTED_FILL_UNBOUNDED,
	PLANTED_OVERFILL_FRAME,
	PLANTED_LEAK_ANSWERS,
	PLANTED_KEEP_DETACHED,
	PLANTED_TELL_NOBODY,
	PLANTED_DELIVER_GIVEN_UP,
	PLANTED_DELIVER_WHOLE,
	PLANTED_SEAL_AHEAD,
	PLANTED_RETAIN_UNSEALED,
	PLANTED_RETAIN_UNARCHIVED,
	PLANTED_DELIVER_WITHDRAWN,
	PLANTED_FORGET_WAITING,
	PLANTED_OPEN_GATE,
	PLANTED_KEEP_LANES_APART,
	PLANTED_KEYS_UNSYNCED,
	PLANTED_KEEP_KEYS,
	PLANTED_FORGET_ERASED,
	PLANTED_RETAIN_RULES,
	PLANTED_FORGET_LAPSES,
	PLANTED_LAPSE_ENDLESS,
	PLANTED_SIGN_NEIGHBOUR,
	PLANTED_FOLLOW_ANYTHING,
	PLANTED_OVERDUE_AGAIN,
	PLANTED_FORGET_ANSWER_BY,
	PLANTED_COUNT,
};

#ifdef TTG_PLANT
#define PLANTED(name) planted_is(PLANTED_##name)
bool planted_is(enum planted mistake);
/* Chooses by name ("skip_sync"); false: there is no such mistake in this build. */
bool planted_choose(const char *name);
/* Name of the i-th mistake of this build; NULL behind the last. */
const char *planted_name(size_t i);
#else
#define PLANTED(name) 0
static inline bool planted_choose(const char *name)
{
	(void)name;
	return false;
}

static inline const char *planted_name(size_t i)
{
	(void)i;
	return NULL;
}
#endif

#endif
