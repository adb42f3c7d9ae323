/*
 * The walk that leaves things out; see redact.h. A message inside is written behind the place of its
 * length, which takes as many bytes as the longer one that came; what it needs less is closed up. One
 * that is granted in part and of which nothing is left goes too: that it was there is nobody's business.
 * Only the payload stays, empty, because it says what kind of event it is.
 *
 * Pure; its input was judged before, and is bounded here again.
 */
#include "core/redact.h"

#include <string.h>

#define DEPTH_MAX 16
#define IDENTIFIER_KIND 1 /* number of the field, proto/common.proto */

struct writer {
	const struct mask *mask;
	uint8_t *out;
	size_t len, room;
	int depth;
};

static bool write_message(struct writer *it, const ProtobufCMessageDescriptor *message,
			  const struct mask_node *node, struct span left);

static bool put(struct writer *it, const uint8_t *bytes, size_t len)
{
	if (len > it->room - it->len)
		return false;
	memcpy(it->out + it->len, bytes, len);
	it->len += len;
	return true;
}

static size_t varint_bytes(uint64_t value)
{
	size_t n = 1;

	for (; value >= 0x80; value >>= 7)
		n++;
	return n;
}

static void put_varint(uint8_t *at, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		*at++ = (uint8_t)(value | 0x80);
	*at = (uint8_t)value;
}

/* A field that holds a message: its key, then what is left of it. */
static bool write_inside(struct writer *it, const struct wire_field *field,
			 const ProtobufCFieldDescriptor *known, const struct mask_node *node)
{
	const uint64_t key = (uint64_t)field->id << 3 | WIRE_SIZED;
	const size_t reserved = varint_bytes(field->span.len);
	const size_t before = it->len;
	size_t begin, len;

	if (varint_bytes(key) + reserved > it->room - it->len || it->depth >= DEPTH_MAX)
		return false;
	put_varint(it->out + it->len, key);
	begin = it->len + varint_bytes(key) + reserved;
	it->len = begin;
	it->depth++;
	if (!write_message(it, known->descriptor, node, field->span))
		return false;
	it->depth--;
	len = it->len - begin;
	if (len == 0 && node && !(known->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)) {
		it->len = before;
		return true;
	}
	if (varint_bytes(len) < reserved) {
		memmove(it->out + begin - reserved + varint_bytes(len), it->out + begin, len);
		it->len -= reserved - varint_bytes(len);
	}
	put_varint(it->out + begin - reserved, len);
	return true;
}

/* A number of the one whom the event is about: in the envelope's person, not deeper. */
static bool is_his(const struct writer *it, const ProtobufCMessageDescriptor *message,
		   const ProtobufCFieldDescriptor *known)
{
	return it->depth == 1 && message == &ttg__person__descriptor &&
	       known->descriptor == &ttg__identifier__descriptor;
}

/* Whether an encoded Identifier is of a kind that goes. */
static bool kind_goes(const struct mask *mask, struct span identifier)
{
	const uint64_t kind = wire_last_number(identifier, IDENTIFIER_KIND, WIRE_VARINT);

	return kind > 0 && kind < 32 && (mask->kinds & 1u << kind);
}

/* `raw`: the field as it stands, key included. */
static bool write_field(struct writer *it, const ProtobufCFieldDescriptor *known, uint8_t share,
			const struct wire_field *field, struct span raw)
{
	const struct mask_node *node = NULL;

	if (share == MASK_NONE)
		return true;
	if (known->type != PROTOBUF_C_TYPE_MESSAGE)
		return put(it, raw.at, raw.len);
	if (field->type != WIRE_SIZED)
		return false;
	if (share >= MASK_PART)
		node = &it->mask->nodes[share - MASK_PART];
	return write_inside(it, field, known, node);
}

/* node NULL: every field that is known. */
static bool write_message(struct writer *it, const ProtobufCMessageDescriptor *message,
			  const struct mask_node *node, struct span left)
{
	struct wire_field field;
	enum wire_step step;

	for (;;) {
		const uint8_t *begin = left.at;
		const ProtobufCFieldDescriptor *known;
		uint8_t share;

		step = wire_next(&left, &field);
		if (step != WIRE_TOOK)
			return step == WIRE_END;
		known = protobuf_c_message_descriptor_get_field(message, field.id);
		if (!known)
			continue; /* of a newer catalogue */
		share = node ? node->shares[known - message->fields] : MASK_WHOLE;
		if (is_his(it, message, known) && field.type == WIRE_SIZED &&
		    kind_goes(it->mask, field.span))
			share = MASK_WHOLE;
		if (!write_field(it, known, share, &field,
				 (struct span){ begin, (size_t)(left.at - begin) }))
			return false;
	}
}

bool redact(const struct mask *mask, struct span event, uint8_t *out, size_t *len)
{
	struct writer it = { .mask = mask, .room = event.len };

	it.out = out;
	if (!write_message(&it, &ttg__event__descriptor, &mask->nodes[0], event))
		return false;
	*len = it.len;
	return true;
}
