/*
 * What an event changes in what is known of persons and of referrals, as it stands in the event's
 * record: applying it again at recovery changes the same. Several, one behind the other:
 *
 *   op u8 | number: kind u8, key 16 bytes | as the op has them: number | text (record.h) | from_ns u64
 *   | until_ns u64 | value
 *
 * Of a referral that is followed the number is its key (referrals.h), the kind how far it came.
 */
#ifndef TTGD_CORE_CHANGES_H
#define TTGD_CORE_CHANGES_H

#include "base/cursor.h"
#include "core/person.h"
#include "core/wire.h"

#define CHANGES_BYTES_MAX 8192u /* of one event */

enum change_op {
	CHANGE_LINK = 1,     /* 1 to 4: enum identity_op, of a and b */
	CHANGE_MERGE = 2,
	CHANGE_UNLINK = 3,
	CHANGE_UNMERGE = 4,
	CHANGE_ENROL = 5,    /* text scheme, from, until */
	CHANGE_RETURN = 6,   /* text scheme, from, until (0: as it was) */
	CHANGE_EXIT = 7,     /* text scheme */
	CHANGE_WITHDRAW = 8, /* text scheme, or "agency/" for all of its */
	CHANGE_CUSTODY = 9,  /* value: enum condition_custody */
	CHANGE_RISK = 10,    /* value: Ttg__RiskLevel */
	CHANGE_AREA = 11,    /* text code */
	CHANGE_REFER = 12,   /* text provider, value: hash of the referral */
	CHANGE_REFERRED = 13,
	CHANGE_ASKED = 14,   /* a referral was sent: text provider, value: answer_by_ns, 0: no limit */
	CHANGE_MOVED = 15,   /* text provider */
	CHANGE_OVERDUE = 16, /* it is told that the answer is; kind 0 */
	CHANGE_LAST = CHANGE_OVERDUE,
};

struct change {
	uint8_t op;
	struct person_number a, b;
	const char *text; /* view */
	int64_t from_ns, until_ns;
	uint64_t value;
};

void change_put(struct cursor *cursor, const struct change *change);
/* False at the end, or with cursor->failed when it is damaged. */
bool change_next(struct cursor *cursor, struct change *out);

#endif
