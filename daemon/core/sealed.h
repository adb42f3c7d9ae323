/*
 * Seals in the core's state: only how far the journal is sealed, and the last seal with its
 * signature, which the next one follows. What they say and who signs is daemon/evidence/; that they
 * are made is the loop's business (net/sealer.h). A seal is a record like any other, so state after
 * a restart knows the last one without looking for it.
 *
 * Owner: the loop thread.
 */
#ifndef TTGD_CORE_SEALED_H
#define TTGD_CORE_SEALED_H

#include <stddef.h>
#include <stdint.h>
#include "base/cursor.h"
#include "core/core.h"

#define SEALED_TEXT_MAX 640u /* as SEAL_TEXT_MAX */
#define SEALED_SIGNATURE 64u

struct sealed {
	uint64_t number;      /* 0: nothing is sealed */
	uint64_t first, last; /* sequences of the records it covers */
	size_t len;
	char text[SEALED_TEXT_MAX];
	uint8_t signature[SEALED_SIGNATURE];
};

/* Records a seal that follows the last one and covers records that are durable. TTG_EINVAL when it
   does not; TTG_EAGAIN, TTG_ENOSPC, TTG_EIO of the journal: nothing was done, may be repeated. */
enum ttg_error core_seal(struct core *core, const struct core_now *now, const struct sealed *seal,
			 uint64_t *sequence);
/* The same for the hand-over of the signing key behind the last seal: first and last are where that ends. */
enum ttg_error core_hand_over(struct core *core, const struct core_now *now, const struct sealed *it,
			      uint64_t *sequence);
/* The last one recorded, durable or not, seal or hand-over; number 0: none. */
const struct sealed *core_last_seal(const struct core *core);

/* As they stand in a SEAL record behind its version, and in a snapshot. */
void sealed_put(struct cursor *cursor, const struct sealed *it);
void sealed_get(struct cursor *cursor, struct sealed *out); /* fails the cursor */
/* The whole record, of a seal or a hand-over. False: damaged. */
bool record_get_seal(const uint8_t *data, size_t len, struct sealed *out);

#endif
