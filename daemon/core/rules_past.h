/*
 * Which rules were in force when, and where in the journal their text stands. Kept with the state, so that
 * nobody has to search the journal for it: each RULES record adds one, or says where a text stands by now.
 *
 * A text is parts, one record each, and the RULES record behind them, appended as one. What is here of rules
 * whose text the journal does not hold any more is only when they were in force and their digest.
 *
 * Owner: the loop thread.
 */
#ifndef TTGD_CORE_RULES_PAST_H
#define TTGD_CORE_RULES_PAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/cursor.h"
#include "core/core.h"
#include "core/digest.h"

#define RULES_PAST_MAX 4096u /* changes remembered; then the oldest goes */

struct rules_version {
	uint64_t since;    /* sequence of the RULES record that brought them into force */
	int64_t since_ns;
	uint8_t digest[DIGEST_BYTES];
	uint64_t n_grants;
	uint64_t text;     /* sequence of the first part of their text; 0: there never was one */
	uint32_t parts;
};

/* A text that is being read, part by part: what holds of those so far. */
struct rules_parts {
	uint64_t first;      /* sequence of the first; 0: none */
	uint32_t n, n_parts; /* read, and all */
	uint8_t digest[DIGEST_BYTES];
	struct digest *sum;  /* of its lines */
};

struct rules_past {
	struct rules_version *items; /* in the order they came into force */
	size_t n, capacity;
	struct rules_parts parts;
};

void rules_past_fini(struct rules_past *it);
bool rules_past_add(struct rules_past *it, const struct rules_version *version); /* false: no memory */

size_t rules_past_bound(const struct rules_past *it);
void rules_past_save(const struct rules_past *it, struct cursor *cursor);
bool rules_past_load(struct rules_past *it, struct cursor *cursor, uint64_t sequence);

/* Of the core, in their order; the last are in force now, and until there are some nothing is known. */
size_t core_rules_count(const struct core *core);
const struct rules_version *core_rules_version(const struct core *core, size_t index);
/* Those in force when the record of this sequence was made, or at this moment by the broker's clock. NULL:
   that is before the oldest known. */
const struct rules_version *core_rules_of(const struct core *core, uint64_t sequence);
const struct rules_version *core_rules_at(const struct core *core, int64_t at_ns);

/* rules_told.c: records the text of changed rules, and that they are in force; nothing when that is known.
   As core_commit(). The others apply what it recorded. */
enum ttg_error core_tell_rules(struct core *core, const struct core_now *now,
			       const struct rules *rules);
enum ttg_error core_apply_rules_text(struct core *core, uint64_t sequence, const uint8_t *data,
				     size_t len);
enum ttg_error core_apply_rules(struct core *core, uint64_t sequence, const uint8_t *data, size_t len);

/*
 * Before records below `keep_from` go: sees to it that the text of the rules in force there stands at or
 * behind it. TTG_OK: it does, and is durable, or nobody can say it any more. TTG_EAGAIN: it was said again
 * and is not durable yet, or has to be fetched first. Else as of the journal, and nothing was done.
 */
enum ttg_error core_keep_rules(struct core *core, const struct core_now *now, uint64_t keep_from);

#endif
