/*
 * Bytes of the outbox: sectors with their trailers, and the head of a segment. outbox.h draws them.
 * Pure functions.
 */
#include "client/outbox_internal.h"

#include <assert.h>
#include <string.h>
#include "base/crc32c.h"
#include "base/cursor.h"
#include "base/planted.h"

#define CHECKED_BYTES 508 /* what the checksum covers */
#define HEAD_BYTES    28

static const char magic[8] = { 'T', 'T', 'G', 'O', 'U', 'T', 'B', '1' };

static_assert(SECTOR_DATA + 12 == SECTOR_BYTES, "a trailer of three numbers");
static_assert(CHECKED_BYTES + 4 == SECTOR_BYTES, "the checksum comes last");

size_t sectors_for(size_t len)
{
	return (len + SECTOR_DATA - 1) / SECTOR_DATA;
}

void sector_write(uint8_t out[SECTOR_BYTES], const uint8_t *data, size_t len, uint32_t batch,
		  uint32_t part)
{
	struct cursor cursor;

	memset(out, 0, SECTOR_BYTES);
	memcpy(out, data, len);
	cursor_init_write(&cursor, out + SECTOR_DATA, SECTOR_BYTES - SECTOR_DATA);
	cursor_put_u32(&cursor, batch);
	cursor_put_u32(&cursor, part);
	cursor_put_u32(&cursor, crc32c(0, out, CHECKED_BYTES));
	assert(cursor_ok(&cursor));
}

void sectors_write(uint8_t *out, const uint8_t *data, size_t len, uint64_t batch)
{
	for (uint32_t part = 0; len > 0; part++) {
		size_t some = len < SECTOR_DATA ? len : SECTOR_DATA;

		sector_write(out, data, some, (uint32_t)batch, part);
		out += SECTOR_BYTES;
		data += some;
		len -= some;
	}
}

struct sector sector_read(const uint8_t *bytes)
{
	static const uint8_t zeros[SECTOR_BYTES - SECTOR_DATA];
	struct sector sector = { SECTOR_DAMAGED, 0, 0 };
	struct cursor cursor;

	/* Batches count from 1, and the head's checksum is not 0: no sector of ours ends like this. */
	if (memcmp(bytes + SECTOR_DATA, zeros, sizeof(zeros)) == 0) {
		sector.kind = SECTOR_ABSENT;
		return sector;
	}
	cursor_init_read(&cursor, bytes + SECTOR_DATA, SECTOR_BYTES - SECTOR_DATA);
	sector.batch = cursor_get_u32(&cursor);
	sector.part = cursor_get_u32(&cursor);
	if (cursor_get_u32(&cursor) == crc32c(0, bytes, CHECKED_BYTES) || PLANTED(IGNORE_CHECKSUM))
		sector.kind = SECTOR_VALID;
	return sector;
}

void sector_write_head(uint8_t out[SECTOR_BYTES], uint64_t segment, uint64_t first_batch)
{
	uint8_t head[HEAD_BYTES];
	struct cursor cursor;

	cursor_init_write(&cursor, head, sizeof(head));
	cursor_put_bytes(&cursor, magic, sizeof(magic));
	cursor_put_u32(&cursor, OUTBOX_VERSION);
	cursor_put_u64(&cursor, segment);
	cursor_put_u64(&cursor, first_batch);
	assert(cursor_ok(&cursor) && cursor_left(&cursor) == 0);
	sector_write(out, head, sizeof(head), 0, 0);
}

enum ttg_error sector_read_head(const uint8_t bytes[SECTOR_BYTES], uint64_t *segment,
				uint64_t *first_batch)
{
	struct sector sector = sector_read(bytes);
	struct cursor cursor;

	cursor_init_read(&cursor, bytes, HEAD_BYTES);
	const uint8_t *found = cursor_get_bytes(&cursor, sizeof(magic));
	if (sector.kind != SECTOR_VALID || !found || memcmp(found, magic, sizeof(magic)) != 0)
		return TTG_ECORRUPT;
	if (cursor_get_u32(&cursor) != OUTBOX_VERSION)
		return TTG_EVERSION;
	*segment = cursor_get_u64(&cursor);
	*first_batch = cursor_get_u64(&cursor);
	return cursor_ok(&cursor) ? TTG_OK : TTG_ECORRUPT;
}
