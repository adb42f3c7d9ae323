/*
 * The byte cursor: bounds are checked here and nowhere else.
 *
 * A cursor belongs to whoever made it; no thread shares one. Invariant: begin <= at <= end. After
 * the first overrun `failed` stays set and `at` never moves again, so a caller may decode a whole
 * record and ask once. Overruns come from outside bytes and are an answer, never an assertion;
 * NULL with a length is our own bug.
 */
#include "base/cursor.h"

#include <assert.h>
#include <string.h>

#define VARINT_BYTES_MAX 10 /* 64 bits, 7 a byte */

static void init(struct cursor *cursor, uint8_t *buffer, size_t len)
{
	assert(cursor);
	assert(buffer || len == 0);
	cursor->begin = buffer;
	cursor->at = buffer;
	cursor->end = len > 0 ? buffer + len : buffer;
	cursor->failed = false;
}

void cursor_init_write(struct cursor *cursor, void *buffer, size_t len)
{
	init(cursor, buffer, len);
}

void cursor_init_read(struct cursor *cursor, const void *data, size_t len)
{
	/* One struct serves both directions; the get functions only read. */
	union {
		const void *in;
		uint8_t *out;
	} view = { .in = data };

	init(cursor, view.out, len);
}

bool cursor_ok(const struct cursor *cursor)
{
	return !cursor->failed;
}

size_t cursor_left(const struct cursor *cursor)
{
	assert(cursor->at <= cursor->end);
	return cursor->failed ? 0 : (size_t)(cursor->end - cursor->at);
}

size_t cursor_offset(const struct cursor *cursor)
{
	assert(cursor->begin <= cursor->at);
	return (size_t)(cursor->at - cursor->begin);
}

/* Moves over len bytes and returns where they begin, or NULL. */
static uint8_t *take(struct cursor *cursor, size_t len)
{
	uint8_t *from = cursor->at;

	if (cursor->failed || len > cursor_left(cursor)) {
		cursor->failed = true;
		return NULL;
	}
	if (len > 0)
		cursor->at += len;
	return from;
}

static void put_little_endian(struct cursor *cursor, uint64_t value, size_t bytes)
{
	uint8_t *out = take(cursor, bytes);

	if (!out)
		return;
	for (size_t i = 0; i < bytes; i++)
		out[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get_little_endian(struct cursor *cursor, size_t bytes)
{
	const uint8_t *in = take(cursor, bytes);
	uint64_t value = 0;

	if (!in)
		return 0;
	for (size_t i = 0; i < bytes; i++)
		value |= (uint64_t)in[i] << (8 * i);
	return value;
}

void cursor_put_u8(struct cursor *cursor, uint8_t value)
{
	put_little_endian(cursor, value, 1);
}

void cursor_put_u16(struct cursor *cursor, uint16_t value)
{
	put_little_endian(cursor, value, 2);
}

void cursor_put_u32(struct cursor *cursor, uint32_t value)
{
	put_little_endian(cursor, value, 4);
}

void cursor_put_u64(struct cursor *cursor, uint64_t value)
{
	put_little_endian(cursor, value, 8);
}

void cursor_put_varint(struct cursor *cursor, uint64_t value)
{
	uint8_t encoded[VARINT_BYTES_MAX];
	size_t len = 0;

	while (value >= 0x80) {
		encoded[len++] = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	encoded[len++] = (uint8_t)value;
	assert(len <= sizeof(encoded));
	cursor_put_bytes(cursor, encoded, len);
}

void cursor_put_bytes(struct cursor *cursor, const void *data, size_t len)
{
	assert(data || len == 0);
	uint8_t *out = take(cursor, len);

	if (out && len > 0)
		memcpy(out, data, len);
}

uint8_t *cursor_put_gap(struct cursor *cursor, size_t len)
{
	return take(cursor, len);
}

void cursor_put_sized(struct cursor *cursor, const void *data, size_t len)
{
	cursor_put_varint(cursor, len);
	cursor_put_bytes(cursor, data, len);
}

uint8_t cursor_get_u8(struct cursor *cursor)
{
	return (uint8_t)get_little_endian(cursor, 1);
}

uint16_t cursor_get_u16(struct cursor *cursor)
{
	return (uint16_t)get_little_endian(cursor, 2);
}

uint32_t cursor_get_u32(struct cursor *cursor)
{
	return (uint32_t)get_little_endian(cursor, 4);
}

uint64_t cursor_get_u64(struct cursor *cursor)
{
	return get_little_endian(cursor, 8);
}

uint64_t cursor_get_varint(struct cursor *cursor)
{
	uint64_t value = 0;

	if (!cursor->failed && cursor->at < cursor->end && *cursor->at < 0x80) /* as most are */
		return *cursor->at++;
	for (unsigned int i = 0; i < VARINT_BYTES_MAX; i++) {
		uint8_t byte = cursor_get_u8(cursor);

		if (cursor->failed)
			return 0;
		/* The tenth byte has room for one bit only. */
		if (i == VARINT_BYTES_MAX - 1 && byte > 1)
			break;
		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte < 0x80)
			return value;
	}
	cursor->failed = true;
	return 0;
}

const uint8_t *cursor_get_bytes(struct cursor *cursor, size_t len)
{
	return take(cursor, len);
}

const uint8_t *cursor_get_sized(struct cursor *cursor, size_t max, size_t *len)
{
	uint64_t size = cursor_get_varint(cursor);

	*len = 0;
	if (size > max)
		cursor->failed = true;
	const uint8_t *data = cursor->failed ? NULL : take(cursor, (size_t)size);
	if (data)
		*len = (size_t)size;
	return data;
}
