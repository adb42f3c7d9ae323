/*
 * The encoding of protobuf, field by field, without making messages of it: for looking into an event
 * on its way through. Strict where decoders differ: what is taken here, every decoder reads alike.
 *
 * Pure functions over bytes that the caller keeps. All of it is hostile: nothing is read outside.
 */
#ifndef TTGD_CORE_WIRE_H
#define TTGD_CORE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of somebody else's. */
struct span {
	const uint8_t *at;
	size_t len;
};

enum wire_type {
	WIRE_VARINT = 0,
	WIRE_FIXED64 = 1,
	WIRE_SIZED = 2, /* strings, bytes, messages, packed numbers */
	WIRE_FIXED32 = 5,
};

struct wire_field {
	uint32_t id;
	enum wire_type type;
	uint64_t value;   /* of a number, as encoded */
	struct span span; /* of what is sized */
};

enum wire_step {
	WIRE_TOOK,
	WIRE_END,
	WIRE_BAD, /* not the encoding of a message */
};

/* Takes the next field from the front of what is left. */
enum wire_step wire_next(struct span *left, struct wire_field *out);

/* Takes one number of this type, as packed fields have them in a row. False: there is none. */
bool wire_number(struct span *left, enum wire_type type, uint64_t *out);

/* The number in this field of a message: the last one, as decoders have it; 0 when there is none. */
uint64_t wire_last_number(struct span message, uint32_t id, enum wire_type type);

#endif
