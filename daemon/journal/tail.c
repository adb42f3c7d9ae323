/*
 * What stands behind the last valid batch of the newest segment? Three answers:
 *
 *   - Nothing: zeroes to the end of the file.
 *   - A torn write. The writer has one batch under way at a time and the room it writes to was
 *     zeroes, so a write cut short by a crash is one batch of which at least one sector is missing
 *     or breaks off: its last bytes are still zeroes. A whole batch never has such a sector: body
 *     and tag are encrypted, the padding is not zero. Nothing was acknowledged from it; it goes.
 *   - Damage: a valid batch follows, or all sectors of the batch are there and yet it is not valid,
 *     or there are bytes where no write can have been.
 *
 * The rule is about what is left on the disk, so it holds for a sector torn in its middle too, as
 * long as it was written from front to back. Where a disk breaks that, the answer is damage, and
 * a person decides: this errs to the side of not losing what was accepted.
 */
#include "journal/prove.h"

#include <string.h>
#include "base/crc32c.h"
#include "base/planted.h"

#define ZERO_TAIL 16 /* a sector that ends with so many zeroes was not written to its end */

static bool all_zero(const uint8_t *at, size_t len)
{
	return format_filled(at, len, 0);
}

static bool sector_unwritten(const uint8_t *sector)
{
	return all_zero(sector + FORMAT_SECTOR - ZERO_TAIL, ZERO_TAIL);
}

/* A later batch of this segment, header and body whole; its chain cannot be told from here. */
static enum ttg_error follows(struct prover *prover, const struct prove_place *place, uint64_t offset,
                              bool *found)
{
	struct format_batch batch;
	const char *reason;
	enum ttg_error err;
	const uint8_t *bytes = file_window_at(&prover->window, offset, FORMAT_BATCH_HEADER, &err);
	uint64_t covered;

	*found = false;
	if (bytes == NULL)
		return err;
	if (format_batch_decode(bytes, &batch, &reason) != TTG_OK ||
	    batch.segment_tag != format_segment_tag(&place->segment->header) ||
	    format_batch_bytes(batch.body_bytes) > place->limit - offset)
		return TTG_OK;
	bytes = file_window_at(&prover->window, offset, (size_t)format_batch_bytes(batch.body_bytes),
	                  &err);
	if (bytes == NULL)
		return err;
	covered = batch.body_bytes + FORMAT_TAG + JOURNAL_HASH_BYTES;
	*found = crc32c(0, bytes + FORMAT_BATCH_HEADER, (size_t)covered) ==
	         format_get_u32(bytes + FORMAT_BATCH_HEADER + covered);
	return TTG_OK;
}

/* Looks at the rest of the file: where its last byte that is not zero ends, and for batches. */
static enum ttg_error look_behind(struct prover *prover, const struct prove_place *place, uint64_t *used,
                                  bool *batch_follows)
{
	uint64_t offset = place->offset;
	enum ttg_error err;

	*used = place->offset;
	*batch_follows = false;
	while (offset < place->limit && !*batch_follows) {
		uint64_t left = place->limit - offset;
		size_t len = left < FORMAT_BLOCK ? (size_t)left : FORMAT_BLOCK;
		const uint8_t *block = file_window_at(&prover->window, offset, len, &err);

		if (block == NULL)
			return err;
		if (!all_zero(block, len)) {
			while (len > ZERO_TAIL && all_zero(block + len - ZERO_TAIL, ZERO_TAIL))
				len -= ZERO_TAIL;
			while (block[len - 1] == 0)
				len--;
			*used = offset + len;
			if (offset > place->offset && left >= FORMAT_BLOCK) {
				err = follows(prover, place, offset, batch_follows);
				if (err != TTG_OK)
					return err;
			}
		}
		offset += FORMAT_BLOCK;
	}
	return TTG_OK;
}

/* The header is whole, so its extent is known: a sector of it must be missing, and nothing else be
   there. */
static enum ttg_error judge_extent(struct prover *prover, const struct prove_place *place,
                                   const struct format_batch *batch, uint64_t used,
                                   const char **reason)
{
	uint64_t bytes = format_batch_bytes(batch->body_bytes);
	enum ttg_error err;

	if (bytes > place->limit - place->offset || used > place->offset + bytes)
		return TTG_ECORRUPT;
	for (uint64_t at = place->offset; at < place->offset + bytes; at += FORMAT_SECTOR) {
		const uint8_t *sector = file_window_at(&prover->window, at, FORMAT_SECTOR, &err);

		if (sector == NULL)
			return err;
		if (sector_unwritten(sector)) {
			*reason = NULL;
			return TTG_OK;
		}
	}
	return TTG_ECORRUPT;
}

enum ttg_error tail_judge(struct prover *prover, const struct prove_place *place, uint64_t *used_bytes,
                          const char **reason)
{
	const struct segment *segment = place->segment;
	struct format_batch batch;
	bool batch_follows;
	const char *ignored;
	enum ttg_error err = look_behind(prover, place, used_bytes, &batch_follows);

	if (err != TTG_OK || PLANTED(DROP_TAIL))
		return err;
	if (batch_follows) {
		*reason = "batch is damaged: a valid one follows";
		return TTG_ECORRUPT;
	}
	if (*used_bytes == place->offset)
		return TTG_OK;
	const uint8_t *sector = file_window_at(&prover->window, place->offset, FORMAT_SECTOR, &err);
	if (sector == NULL)
		return err;
	if (format_batch_decode(sector, &batch, &ignored) == TTG_OK) {
		if (batch.segment_tag != format_segment_tag(&segment->header) ||
		    batch.number != segment->batches ||
		    batch.first_sequence != segment->last_sequence + 1)
			return TTG_ECORRUPT;
		return judge_extent(prover, place, &batch, *used_bytes, reason);
	}
	return sector_unwritten(sector) ? TTG_OK : TTG_ECORRUPT;
}
