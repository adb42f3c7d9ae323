/*
 * That events were refused, on record: whose, of which type, why, how often. Nothing of what was in them,
 * and nothing of the core's state changes by it.
 *
 * Owner: the loop thread.
 */
#ifndef TTGD_CORE_REFUSAL_H
#define TTGD_CORE_REFUSAL_H

#include "core/core.h"

struct core_refusal {
	char agency[RULES_ID_MAX + 1];
	char type[RULES_TYPE_MAX + 1]; /* "": of none that is known */
	enum ttg_error code;
	uint64_t count;
};

/* TTG_EAGAIN, TTG_ENOSPC, TTG_EIO of the journal: nothing was done, may be repeated. */
enum ttg_error core_record_refusal(struct core *core, const struct core_now *now,
				   const struct core_refusal *it);

#endif
