/* Redeliveries inside of the core: redelivery.c and redeliver_walk.c. */
#ifndef TTGD_CORE_REDELIVER_H
#define TTGD_CORE_REDELIVER_H

#include "core/redelivery.h"
#include "core/state.h"

/* Goes on with those that run, bounded work a call. */
enum ttg_error core_run_redeliveries(struct core *core, const struct core_now *now,
				     struct pump_budget *budget);

enum ttg_error core_redeliver_put(struct core *core, const struct core_now *now,
				  const struct record_redeliver *record, uint64_t *sequence);
enum ttg_error core_apply_redeliver(struct core *core, uint64_t sequence, const uint8_t *data, size_t len);
/* Of an AGAIN record, what the redelivery has of it. */
enum ttg_error core_apply_again(struct core *core, uint64_t sequence, bool live,
				const struct record_event *event, const struct record_recipient *to);
/* A record was applied: who has seen all before it, and finds nothing in it, need not read it. */
void core_redeliver_pass(struct core *core, uint64_t sequence, uint8_t kind, const uint8_t *data,
			 size_t len);

#endif
