/* See refusal.h. */
#include "core/refusal.h"

#include "core/state.h"

enum ttg_error core_record_refusal(struct core *core, const struct core_now *now,
				   const struct core_refusal *it)
{
	const struct record_refused record = { now->real_ns, it->agency, it->type, (uint32_t)it->code,
					       it->count };
	struct cursor cursor;

	core_begin_record(core, &cursor);
	record_put_refused(&cursor, &record);
	return core_commit(core, now, RECORD_REFUSED, &cursor, NULL);
}
