/*
 * Reading protobuf's encoding; see wire.h. Field numbers and lengths have at most five bytes, values
 * at most ten; groups, which were never in this catalogue, are not taken.
 */
#include "core/wire.h"

#define SHORT_BYTES_MAX 5 /* of a field's number and type, and of a length */
#define LONG_BYTES_MAX 10 /* of a value: 64 bits, 7 a byte */

static void advance(struct span *left, size_t n)
{
	left->at += n;
	left->len -= n;
}

static bool take_varint(struct span *left, size_t bytes_max, uint64_t *out)
{
	uint64_t value = 0;

	for (size_t i = 0; i < left->len && i < bytes_max; i++) {
		uint8_t byte = left->at[i];

		if (i == LONG_BYTES_MAX - 1 && byte > 1)
			return false; /* more than 64 bits */
		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte < 0x80) {
			advance(left, i + 1);
			*out = value;
			return true;
		}
	}
	return false;
}

static bool take_fixed(struct span *left, size_t bytes, uint64_t *out)
{
	uint64_t value = 0;

	if (left->len < bytes)
		return false;
	for (size_t i = 0; i < bytes; i++)
		value |= (uint64_t)left->at[i] << (8 * i);
	advance(left, bytes);
	*out = value;
	return true;
}

bool wire_number(struct span *left, enum wire_type type, uint64_t *out)
{
	switch (type) {
	case WIRE_VARINT:
		return take_varint(left, LONG_BYTES_MAX, out);
	case WIRE_FIXED64:
		return take_fixed(left, 8, out);
	case WIRE_FIXED32:
		return take_fixed(left, 4, out);
	case WIRE_SIZED:
		break;
	}
	return false;
}

static bool take_sized(struct span *left, struct span *out)
{
	uint64_t len;

	if (!take_varint(left, SHORT_BYTES_MAX, &len) || len > left->len)
		return false;
	*out = (struct span){ left->at, (size_t)len };
	advance(left, (size_t)len);
	return true;
}

enum wire_step wire_next(struct span *left, struct wire_field *out)
{
	uint64_t key;
	bool taken;

	if (left->len == 0)
		return WIRE_END;
	if (!take_varint(left, SHORT_BYTES_MAX, &key) || key > UINT32_MAX || key >> 3 == 0)
		return WIRE_BAD;
	out->id = (uint32_t)(key >> 3);
	out->type = (enum wire_type)(key & 7);
	if (out->type == WIRE_SIZED)
		taken = take_sized(left, &out->span);
	else
		taken = wire_number(left, out->type, &out->value);
	return taken ? WIRE_TOOK : WIRE_BAD;
}

uint64_t wire_last_number(struct span message, uint32_t id, enum wire_type type)
{
	struct wire_field field = { .value = 0 };
	uint64_t number = 0;

	while (wire_next(&message, &field) == WIRE_TOOK) {
		if (field.id == id && field.type == type)
			number = field.value;
	}
	return number;
}
