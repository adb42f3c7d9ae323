/* See sealed.h. The order of the fields is drawn in record.h. */
#include "core/sealed.h"

#include <string.h>

#include "core/state.h"

void sealed_put(struct cursor *cursor, const struct sealed *it)
{
	cursor_put_varint(cursor, it->number);
	cursor_put_varint(cursor, it->first);
	cursor_put_varint(cursor, it->last);
	cursor_put_sized(cursor, it->text, it->len);
	cursor_put_bytes(cursor, it->signature, SEALED_SIGNATURE);
}

void sealed_get(struct cursor *cursor, struct sealed *out)
{
	const uint8_t *text, *signature;

	memset(out, 0, sizeof(*out));
	out->number = cursor_get_varint(cursor);
	out->first = cursor_get_varint(cursor);
	out->last = cursor_get_varint(cursor);
	text = cursor_get_sized(cursor, SEALED_TEXT_MAX, &out->len);
	signature = cursor_get_bytes(cursor, SEALED_SIGNATURE);
	if (!cursor_ok(cursor))
		return;
	memcpy(out->text, text, out->len);
	memcpy(out->signature, signature, SEALED_SIGNATURE);
}

bool record_get_seal(const uint8_t *data, size_t len, struct sealed *out)
{
	struct cursor cursor;

	cursor_init_read(&cursor, data, len);
	cursor.failed |= cursor_get_u8(&cursor) != RECORD_VERSION;
	sealed_get(&cursor, out);
	return cursor_ok(&cursor) && cursor_left(&cursor) == 0;
}

/* Retention may have taken records that nobody sealed, so a gap before it is fine. */
static bool follows(const struct core *core, const struct sealed *seal)
{
	return seal->number == core->sealed.number + 1 && seal->first > core->sealed.last &&
	       seal->first <= seal->last && seal->len > 0;
}

/* It covers nothing, and the next seal goes on where the last one ended. */
static bool hands_over(const struct core *core, const struct sealed *it)
{
	return core->sealed.number > 0 && it->number == core->sealed.number + 1 &&
	       it->first == core->sealed.last && it->last == core->sealed.last && it->len > 0;
}

enum ttg_error core_apply_hand_over(struct core *core, uint64_t sequence, const uint8_t *data, size_t len)
{
	struct sealed it;

	if (!record_get_seal(data, len, &it) || !hands_over(core, &it) || it.last >= sequence)
		return TTG_ECORRUPT;
	core->sealed = it;
	return TTG_OK;
}

enum ttg_error core_apply_seal(struct core *core, uint64_t sequence, const uint8_t *data, size_t len)
{
	struct sealed seal;

	if (!record_get_seal(data, len, &seal) || !follows(core, &seal) || seal.last >= sequence)
		return TTG_ECORRUPT;
	core->sealed = seal;
	return TTG_OK;
}

enum ttg_error core_seal(struct core *core, const struct core_now *now, const struct sealed *seal,
			 uint64_t *sequence)
{
	struct cursor cursor;

	if (!follows(core, seal) || seal->last > core->durable || seal->len > SEALED_TEXT_MAX)
		return TTG_EINVAL;
	core_begin_record(core, &cursor);
	cursor_put_u8(&cursor, RECORD_VERSION);
	sealed_put(&cursor, seal);
	return core_commit(core, now, RECORD_SEAL, &cursor, sequence);
}

enum ttg_error core_hand_over(struct core *core, const struct core_now *now, const struct sealed *it,
			      uint64_t *sequence)
{
	struct cursor cursor;

	if (!hands_over(core, it) || it->len > SEALED_TEXT_MAX)
		return TTG_EINVAL;
	core_begin_record(core, &cursor);
	cursor_put_u8(&cursor, RECORD_VERSION);
	sealed_put(&cursor, it);
	return core_commit(core, now, RECORD_HAND_OVER, &cursor, sequence);
}

const struct sealed *core_last_seal(const struct core *core)
{
	return &core->sealed;
}
