/* See signed.h. The order of the fields is drawn in record.h. */
#include "core/signed.h"

#include <assert.h>
#include <string.h>

#include "core/state.h"

static_assert(SIGNED_EVENTS_MAX * SIGNED_DIGEST <= RECORD_MAX / 2, "the longest has room in a record");

void record_put_signed(struct cursor *cursor, const struct signed_frame *it)
{
	cursor_put_u8(cursor, RECORD_VERSION);
	cursor_put_u64(cursor, (uint64_t)it->at_ns);
	cursor_put_sized(cursor, it->agency, strlen(it->agency) + 1);
	cursor_put_bytes(cursor, it->key, SIGNED_KEY);
	cursor_put_bytes(cursor, it->signature, SIGNED_SIGNATURE);
	cursor_put_varint(cursor, it->n);
	cursor_put_bytes(cursor, it->digests, (size_t)it->n * SIGNED_DIGEST);
}

bool record_get_signed(const uint8_t *data, size_t len, struct signed_frame *out)
{
	struct cursor cursor;
	size_t agency = 0;
	uint64_t n;

	*out = (struct signed_frame){ 0 };
	cursor_init_read(&cursor, data, len);
	cursor.failed |= cursor_get_u8(&cursor) != RECORD_VERSION;
	out->at_ns = (int64_t)cursor_get_u64(&cursor);
	out->agency = (const char *)cursor_get_sized(&cursor, RULES_ID_MAX + 1, &agency);
	out->key = cursor_get_bytes(&cursor, SIGNED_KEY);
	out->signature = cursor_get_bytes(&cursor, SIGNED_SIGNATURE);
	n = cursor_get_varint(&cursor);
	if (!cursor_ok(&cursor) || agency < 2 ||
	    memchr(out->agency, 0, agency) != out->agency + agency - 1 || n == 0 || n > SIGNED_EVENTS_MAX)
		return false;
	out->n = (uint32_t)n;
	out->digests = cursor_get_bytes(&cursor, (size_t)n * SIGNED_DIGEST);
	return cursor_ok(&cursor) && cursor_left(&cursor) == 0;
}

enum ttg_error core_record_signed(struct core *core, const struct core_now *now,
				  struct signed_frame *frame)
{
	struct cursor cursor;

	assert(frame->n > 0 && frame->n <= SIGNED_EVENTS_MAX);
	if (frame->sequence != 0)
		return TTG_OK;
	frame->at_ns = now->real_ns;
	core_begin_record(core, &cursor);
	record_put_signed(&cursor, frame);
	return core_commit(core, now, RECORD_SIGNED, &cursor, &frame->sequence);
}
