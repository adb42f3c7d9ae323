/*
 * See planted.h; part of no build but the one with planted mistakes. Owner of the one choice:
 * whoever makes it, before any thread begins; from then on it is only read.
 */
#include "base/planted.h"

#include <string.h>

static const char *const names[PLANTED_COUNT] = {
	[PLANTED_SKIP_SYNC] = "skip_sync",
	[PLANTED_FORGET_DIRECTORY_SYNC] = "forget_directory_sync",
	[PLANTED_IGNORE_SYNC_FAILURE] = "ignore_sync_failure",
	[PLANTED_IGNORE_CHECKSUM] = "ignore_checksum",
	[PLANTED_REUSE_NONCE] = "reuse_nonce",
	[PLANTED_DROP_TAIL] = "drop_tail",
	[PLANTED_ACKNOWLEDGE_EARLY] = "acknowledge_early",
	[PLANTED_DELIVER_EARLY] = "deliver_early",
	[PLANTED_DELIVER_UNRECORDED] = "deliver_unrecorded",
	[PLANTED_OVERTAKE_UNSEEN] = "overtake_unseen",
	[PLANTED_OVERTAKE_ANSWERED] = "overtake_answered",
	[PLANTED_SNAPSHOT_EARLY] = "snapshot_early",
	[PLANTED_SNAPSHOT_WITHOUT_HELD] = "snapshot_without_held",
	[PLANTED_FORGET_DEDUPE] = "forget_dedupe",
	[PLANTED_DROP_PARKED_LANE] = "drop_parked_lane",
	[PLANTED_OVERTAKE_REFUSED] = "overtake_refused",
	[PLANTED_ACKNOWLEDGE_REFUSED] = "acknowledge_refused",
	[PLANTED_POSITION_AGAIN] = "position_again",
	[PLANTED_RETAIN_UNACKNOWLEDGED] = "retain_unacknowledged",
	[PLANTED_DELIVER_UNAGREED] = "deliver_unagreed",
	[PLANTED_ESCALATE_AGAIN] = "escalate_again",
	[PLANTED_OUTBOX_SKIP_SYNC] = "outbox_skip_sync",
	[PLANTED_OUTBOX_DONE_EARLY] = "outbox_done_early",
	[PLANTED_RESEND_SECOND] = "resend_second",
	[PLANTED_FORGET_STALL] = "forget_stall",
	[PLANTED_HAND_OVER_VOID] = "hand_over_void",
	[PLANTED_FILL_UNBOUNDED] = "fill_unbounded",
	[PLANTED_OVERFILL_FRAME] = "overfill_frame",
	[PLANTED_LEAK_ANSWERS] = "leak_answers",
	[PLANTED_KEEP_DETACHED] = "keep_detached",
	[PLANTED_TELL_NOBODY] = "tell_nobody",
	[PLANTED_DELIVER_GIVEN_UP] = "deliver_given_up",
	[PLANTED_DELIVER_WHOLE] = "deliver_whole",
	[PLANTED_SEAL_AHEAD] = "seal_ahead",
	[PLANTED_RETAIN_UNSEALED] = "retain_unsealed",
	[PLANTED_RETAIN_UNARCHIVED] = "retain_unarchived",
	[PLANTED_DELIVER_WITHDRAWN] = "deliver_withdrawn",
	[PLANTED_FORGET_WAITING] = "forget_waiting",
	[PLANTED_OPEN_GATE] = "open_gate",
	[PLANTED_KEEP_LANES_APART] = "keep_lanes_apart",
	[PLANTED_KEYS_UNSYNCED] = "keys_unsynced",
	[PLANTED_KEEP_KEYS] = "keep_keys",
	[PLANTED_FORGET_ERASED] = "forget_erased",
	[PLANTED_RETAIN_RULES] = "retain_rules",
	[PLANTED_FORGET_LAPSES] = "forget_lapses",
	[PLANTED_LAPSE_ENDLESS] = "lapse_endless",
	[PLANTED_SIGN_NEIGHBOUR] = "sign_neighbour",
	[PLANTED_FOLLOW_ANYTHING] = "follow_anything",
	[PLANTED_OVERDUE_AGAIN] = "overdue_again",
	[PLANTED_FORGET_ANSWER_BY] = "forget_answer_by",
	[PLANTED_REPEAT_UNAGREED] = "repeat_unagreed",
	[PLANTED_REPEAT_WAITING] = "repeat_waiting",
	[PLANTED_SKIP_REPEAT] = "skip_repeat",
	[PLANTED_FORGET_REPEATED] = "forget_repeated",
};

static enum planted chosen;

bool planted_is(enum planted mistake)
{
	return chosen == mistake;
}

bool planted_choose(const char *name)
{
	for (int i = PLANTED_NONE + 1; i < PLANTED_COUNT; i++) {
		if (strcmp(names[i], name) != 0)
			continue;
		chosen = (enum planted)i;
		return true;
	}
	return false;
}

const char *planted_name(size_t i)
{
	return i + 1 < PLANTED_COUNT ? names[i + 1] : NULL;
}
