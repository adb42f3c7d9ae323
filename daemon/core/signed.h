/*
 * Frames that their publishers signed. The signature is verified before (net/signatures.h); what is left
 * to do here is to put it on record in front of the first event of the frame that is accepted, so that
 * whatever of the journal is durable, an accepted event has its signature, and to have each event's record
 * name it. A frame of which nothing is accepted leaves no record. Nothing of the core's state changes.
 *
 * Owner: the loop thread.
 */
#ifndef TTGD_CORE_SIGNED_H
#define TTGD_CORE_SIGNED_H

#include <stddef.h>
#include <stdint.h>
#include "base/cursor.h"
#include "core/core.h"

#define SIGNED_EVENTS_MAX 16384u /* in one frame */
#define SIGNED_KEY 32u           /* bytes of a fingerprint */
#define SIGNED_SIGNATURE 64u
#define SIGNED_DIGEST 32u

struct signed_frame {
	int64_t at_ns;
	const char *agency;
	const uint8_t *key;       /* fingerprint of the key it is signed with */
	const uint8_t *signature;
	uint32_t n;               /* events, 1 to SIGNED_EVENTS_MAX */
	const uint8_t *digests;   /* SIGNED_DIGEST bytes each: SHA-256 of their bytes */
	uint64_t sequence;        /* of its record; 0: there is none yet */
};

/* As core_publish(), of event `index` of a frame of frame->agency; sets frame->sequence when it is the
   first that is accepted. One without a nonce is refused. */
void core_publish_signed(struct core *core, const struct core_now *now, struct signed_frame *frame,
			 uint32_t index, const uint8_t *event, size_t len, struct core_outcome *out);
/* Records the frame unless it is recorded. TTG_EAGAIN, TTG_ENOSPC, TTG_ELIMIT, TTG_EIO of the journal. */
enum ttg_error core_record_signed(struct core *core, const struct core_now *now,
				  struct signed_frame *frame);

void record_put_signed(struct cursor *cursor, const struct signed_frame *it);
/* False: damaged. Views into data; sequence is 0. */
bool record_get_signed(const uint8_t *data, size_t len, struct signed_frame *out);

#endif
