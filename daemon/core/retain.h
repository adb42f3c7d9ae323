/*
 * How long payloads are kept. Agreements say it, in days, for each of their grants and types. A payload is
 * sealed with a key that is good until a moment: when that has passed a record says so, and whoever owns
 * the key store destroys the key, as for a person who is erased. Inside of the core.
 *
 * So that not every event needs a key of its own, the moments are whole days, weeks or minutes, up to a
 * twelfth of the time later than was agreed.
 */
#ifndef TTGD_CORE_RETAIN_H
#define TTGD_CORE_RETAIN_H

#include "core/state.h"

/*
 * Until when an event accepted now is kept, seconds since 1970; 0: without end. `type` and `from` are of the
 * rules in force (RULES_NONE: the broker itself; type -1: no agreement names it). It is the longest that an
 * agreement in force wants it kept for one of its recipients, whether this event goes to him or not; where
 * none is granted the type, that one wants by which it may be published.
 */
uint64_t retain_until_s(const struct core *core, int type, uint32_t from, int64_t now_ns);

/* Records that keys lapsed, when the clock has said so for long enough. *next_ns: mono_ns at which to ask
   again at the latest. As core_commit(). */
enum ttg_error core_run_lapses(struct core *core, const struct core_now *now, int64_t *next_ns);
enum ttg_error core_apply_lapsed(struct core *core, uint64_t sequence, const uint8_t *data, size_t len);

#endif
