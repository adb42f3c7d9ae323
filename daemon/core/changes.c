/* See changes.h. */
#include "core/changes.h"

#include <string.h>

#define TEXT_MAX 128u

enum part { NOTHING = 0, NUMBER = 1, TEXT = 2, TIMES = 4, VALUE = 8 };

static const uint8_t parts[] = {
	[CHANGE_LINK] = NUMBER,       [CHANGE_MERGE] = NUMBER,       [CHANGE_UNLINK] = NUMBER,
	[CHANGE_UNMERGE] = NUMBER,    [CHANGE_ENROL] = TEXT | TIMES, [CHANGE_RETURN] = TEXT | TIMES,
	[CHANGE_EXIT] = TEXT,         [CHANGE_WITHDRAW] = TEXT,      [CHANGE_CUSTODY] = VALUE,
	[CHANGE_RISK] = VALUE,        [CHANGE_AREA] = TEXT,          [CHANGE_REFER] = TEXT | VALUE,
	[CHANGE_REFERRED] = TEXT | VALUE, [CHANGE_ASKED] = TEXT | VALUE, [CHANGE_MOVED] = TEXT,
	[CHANGE_OVERDUE] = NOTHING,
};

static void put_number(struct cursor *cursor, const struct person_number *number)
{
	cursor_put_u8(cursor, number->kind);
	cursor_put_bytes(cursor, number->key, sizeof(number->key));
}

static void get_number(struct cursor *cursor, struct person_number *out)
{
	const uint8_t *key;

	out->kind = cursor_get_u8(cursor);
	key = cursor_get_bytes(cursor, sizeof(out->key));
	if (key)
		memcpy(out->key, key, sizeof(out->key));
}

void change_put(struct cursor *cursor, const struct change *it)
{
	const uint8_t has = parts[it->op];

	cursor_put_u8(cursor, it->op);
	put_number(cursor, &it->a);
	if (has & NUMBER)
		put_number(cursor, &it->b);
	if (has & TEXT)
		cursor_put_sized(cursor, it->text, strlen(it->text) + 1);
	if (has & TIMES) {
		cursor_put_u64(cursor, (uint64_t)it->from_ns);
		cursor_put_u64(cursor, (uint64_t)it->until_ns);
	}
	if (has & VALUE)
		cursor_put_varint(cursor, it->value);
}

bool change_next(struct cursor *cursor, struct change *out)
{
	size_t len = 0;
	uint8_t has;

	*out = (struct change){ 0 };
	if (!cursor_ok(cursor) || cursor_left(cursor) == 0)
		return false;
	out->op = cursor_get_u8(cursor);
	if (out->op < CHANGE_LINK || out->op > CHANGE_LAST) {
		cursor->failed = true;
		return false;
	}
	has = parts[out->op];
	get_number(cursor, &out->a);
	if (has & NUMBER)
		get_number(cursor, &out->b);
	if (has & TEXT) {
		out->text = (const char *)cursor_get_sized(cursor, TEXT_MAX, &len);
		if (!out->text || len == 0 || memchr(out->text, 0, len) != out->text + len - 1)
			cursor->failed = true;
	}
	if (has & TIMES) {
		out->from_ns = (int64_t)cursor_get_u64(cursor);
		out->until_ns = (int64_t)cursor_get_u64(cursor);
	}
	if (has & VALUE)
		out->value = cursor_get_varint(cursor);
	return cursor_ok(cursor);
}
