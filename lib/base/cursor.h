/*
 * A cursor over bytes with a sticky error: encode or decode straight through, check once.
 * Integers are little-endian. After the first overrun every read gives 0 or NULL and every write
 * does nothing; cursor_ok() tells.
 */
#ifndef TTG_BASE_CURSOR_H
#define TTG_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor {
	uint8_t *at;
	uint8_t *end;
	uint8_t *begin;
	bool failed;
};

void cursor_init_write(struct cursor *cursor, void *buffer, size_t len);
void cursor_init_read(struct cursor *cursor, const void *data, size_t len); /* never written to */

bool cursor_ok(const struct cursor *cursor);
size_t cursor_left(const struct cursor *cursor);
size_t cursor_offset(const struct cursor *cursor);

void cursor_put_u8(struct cursor *cursor, uint8_t value);
void cursor_put_u16(struct cursor *cursor, uint16_t value);
void cursor_put_u32(struct cursor *cursor, uint32_t value);
void cursor_put_u64(struct cursor *cursor, uint64_t value);
void cursor_put_varint(struct cursor *cursor, uint64_t value); /* LEB128, as protobuf */
void cursor_put_bytes(struct cursor *cursor, const void *data, size_t len);
/* Leaves bytes out, to be filled in by the caller: where they begin. NULL: no room. */
uint8_t *cursor_put_gap(struct cursor *cursor, size_t len);
/* varint length, then the bytes */
void cursor_put_sized(struct cursor *cursor, const void *data, size_t len);

uint8_t cursor_get_u8(struct cursor *cursor);
uint16_t cursor_get_u16(struct cursor *cursor);
uint32_t cursor_get_u32(struct cursor *cursor);
uint64_t cursor_get_u64(struct cursor *cursor);
uint64_t cursor_get_varint(struct cursor *cursor); /* fails beyond 10 bytes */
/* A view into the buffer, or NULL. */
const uint8_t *cursor_get_bytes(struct cursor *cursor, size_t len);
const uint8_t *cursor_get_sized(struct cursor *cursor, size_t max, size_t *len);

#endif
