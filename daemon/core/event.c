/*
 * The walk over an encoded event; see event.h. It knows types of fields and how they are encoded;
 * their bounds come from a table that was worked out before (core/fields.h), what a value may be
 * from judge.c. Owner: the loop thread. All input is hostile: the depth of the walk is bounded, and
 * an event that fails here changes nothing.
 *
 * A field that is given twice is refused unless it is a list. Decoders take the last of them, or
 * join them, and what was judged here must be what a recipient reads.
 */
#include "core/event.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/judge.h"

/* Numbers of fields, as in proto/envelope.proto and proto/common.proto. */
enum {
	EVENT_ID = 1,
	EVENT_SOURCE = 2,
	EVENT_TYPE = 3,
	EVENT_OCCURRED_AT = 4,
	EVENT_RECORDED_AT = 5,
	EVENT_PERSON = 6,
	EVENT_SUPERSEDES = 9,
	EVENT_MARKING = 10,
	EVENT_ASSERTION = 12,
	EVENT_URGENCY = 13,
	EVENT_EXPIRES_AT = 14,
	EVENT_NONCE = 16,
	TIME_UNIX_NS = 1,
};

struct walk {
	struct judge judge;
	const struct fields *fields;
	struct event *event;
	struct span source, type;
	size_t id_bytes;
	int64_t occurred_ns, recorded_ns;
	bool has_occurred, has_recorded, has_expires;
	const ProtobufCFieldDescriptor *payload; /* NULL: none */
	int depth;
};

static bool walk_message(struct walk *walk, const struct path *path, struct span bytes,
			 uint32_t number);

bool span_is(struct span span, const char *text)
{
	return strlen(text) == span.len &&
	       (span.len == 0 || memcmp(span.at, text, span.len) == 0);
}

int64_t event_time(struct span time)
{
	return (int64_t)wire_last_number(time, TIME_UNIX_NS, WIRE_FIXED64);
}

int32_t event_marking(struct span event)
{
	return (int32_t)(uint32_t)wire_last_number(event, EVENT_MARKING, WIRE_VARINT);
}

int32_t event_assertion(struct span event)
{
	return (int32_t)(uint32_t)wire_last_number(event, EVENT_ASSERTION, WIRE_VARINT);
}

/* The last there is. */
static struct span sized(struct span event, uint32_t id)
{
	struct span found = { NULL, 0 };
	struct wire_field it;

	while (wire_next(&event, &it) == WIRE_TOOK) {
		if (it.id == id && it.type == WIRE_SIZED)
			found = it.span;
	}
	return found;
}

struct span event_person(struct span event)
{
	return sized(event, EVENT_PERSON);
}

struct span event_supersedes(struct span event)
{
	return sized(event, EVENT_SUPERSEDES);
}

/* The next field that is not the nonce, as it stands, its key included; at NULL: there is none. */
static struct span next_field(struct span *left)
{
	struct wire_field it;

	for (;;) {
		const uint8_t *begin = left->at;

		if (wire_next(left, &it) != WIRE_TOOK)
			return (struct span){ NULL, 0 };
		if (it.id != EVENT_NONCE)
			return (struct span){ begin, (size_t)(left->at - begin) };
	}
}

bool event_equals(struct span a, struct span b)
{
	for (;;) {
		const struct span left = next_field(&a), right = next_field(&b);

		if (!left.at || !right.at)
			return !left.at && !right.at;
		if (left.len != right.len || memcmp(left.at, right.at, left.len) != 0)
			return false;
	}
}

static enum wire_type wire_type_of(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return WIRE_SIZED;
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return WIRE_FIXED64;
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		return WIRE_FIXED32;
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_BOOL:
	case PROTOBUF_C_TYPE_ENUM:
		break;
	}
	return WIRE_VARINT;
}

static int64_t unfold(uint64_t value) /* of the zigzag encoding */
{
	return (int64_t)(value >> 1 ^ -(value & 1));
}

static bool is_finite(ProtobufCType type, uint64_t value)
{
	uint32_t half = (uint32_t)value;
	double number;
	float small;

	if (type == PROTOBUF_C_TYPE_FLOAT) {
		memcpy(&small, &half, sizeof(small));
		number = (double)small;
	} else {
		memcpy(&number, &value, sizeof(number));
	}
	return number - number == 0.0;
}

static void walk_number(struct walk *walk, const struct path *path, ProtobufCType type,
			const struct bound *bound, uint64_t value)
{
	int64_t number = 0;

	switch (type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		number = (int32_t)(uint32_t)value;
		break;
	case PROTOBUF_C_TYPE_SINT32:
		number = unfold((uint32_t)value);
		break;
	case PROTOBUF_C_TYPE_SINT64:
		number = unfold(value);
		break;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		number = (int64_t)value;
		break;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		number = (uint32_t)value;
		break;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		number = value > INT64_MAX ? INT64_MAX : (int64_t)value;
		break;
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
		if (!is_finite(type, value))
			judge_fault(&walk->judge, TTG_REFUSED_FIELD, path, "is not a finite number");
		return;
	case PROTOBUF_C_TYPE_BOOL:
	case PROTOBUF_C_TYPE_ENUM:
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return;
	}
	judge_number(&walk->judge, path, bound, number);
}

/* One value of its field. False: it is not the encoding of a message. */
static bool walk_value(struct walk *walk, const struct path *path,
		       const ProtobufCFieldDescriptor *field, const struct field_rule *rule,
		       const struct wire_field *it)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		judge_text(&walk->judge, path, &rule->bound, it->span);
		return true;
	case PROTOBUF_C_TYPE_BYTES:
		judge_bytes(&walk->judge, path, &rule->bound, it->span);
		return true;
	case PROTOBUF_C_TYPE_MESSAGE:
		if (field->descriptor == &ttg__time__descriptor)
			judge_time(&walk->judge, path, it->span);
		else if (field->descriptor == &ttg__identifier__descriptor)
			judge_identifier(&walk->judge, path, it->span);
		return walk_message(walk, path, it->span, rule->inner);
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
	case PROTOBUF_C_TYPE_BOOL:
	case PROTOBUF_C_TYPE_ENUM:
		walk_number(walk, path, field->type, &rule->bound, it->value);
		return true;
	}
	return false;
}

/* Counts a value; false when it is one too many, which is told. */
static bool count(struct walk *walk, struct path *path, const ProtobufCFieldDescriptor *field,
		  const struct bound *bound, uint32_t *n)
{
	uint32_t most = path->repeated ? bound->entries : 1;

	path->index = (*n)++;
	if (*n <= most)
		return true;
	path->repeated = false;
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		judge_entries(&walk->judge, path, bound);
	else
		judge_fault(&walk->judge, TTG_REFUSED_FIELD, path, "is given twice");
	return false;
}

/* Numbers of a list in a row; false: they are not whole. */
static bool walk_packed(struct walk *walk, const struct path *path,
			const ProtobufCFieldDescriptor *field, const struct field_rule *rule,
			struct span left, uint32_t *n)
{
	struct wire_field it = { .type = wire_type_of(field->type) };

	while (left.len > 0) {
		struct path entry = *path;

		if (!wire_number(&left, it.type, &it.value))
			return false;
		if (count(walk, &entry, field, &rule->bound, n))
			walk_value(walk, &entry, field, rule, &it);
	}
	return true;
}

static bool walk_field(struct walk *walk, const struct path *up,
		       const ProtobufCFieldDescriptor *field, const struct field_rule *rule,
		       const struct wire_field *it, uint32_t *n)
{
	struct path path = { up, field->name, 0, field->label == PROTOBUF_C_LABEL_REPEATED };
	enum wire_type wanted = wire_type_of(field->type);

	if (path.repeated && it->type == WIRE_SIZED && wanted != WIRE_SIZED)
		return walk_packed(walk, &path, field, rule, it->span, n);
	if (it->type != wanted)
		return false;
	if (!count(walk, &path, field, &rule->bound, n))
		return true;
	return walk_value(walk, &path, field, rule, it);
}

/* Of the envelope, what the broker works with. */
static void take_envelope(struct walk *walk, const struct wire_field *it)
{
	struct event *event = walk->event;

	switch (it->id) {
	case EVENT_ID:
		walk->id_bytes = it->span.len;
		if (it->span.len == sizeof(event->id))
			memcpy(event->id, it->span.at, sizeof(event->id));
		break;
	case EVENT_SOURCE:
		walk->source = it->span;
		break;
	case EVENT_TYPE:
		walk->type = it->span;
		break;
	case EVENT_OCCURRED_AT:
		walk->has_occurred = true;
		walk->occurred_ns = event_time(it->span);
		break;
	case EVENT_RECORDED_AT:
		walk->has_recorded = true;
		walk->recorded_ns = event_time(it->span);
		break;
	case EVENT_PERSON:
		event->person = it->span;
		break;
	case EVENT_SUPERSEDES:
		event->supersedes = it->span;
		break;
	case EVENT_MARKING:
		event->marking = (int32_t)(uint32_t)it->value;
		break;
	case EVENT_ASSERTION:
		event->assertion = (int32_t)(uint32_t)it->value;
		break;
	case EVENT_URGENCY:
		event->urgency = (int32_t)(uint32_t)it->value;
		break;
	case EVENT_EXPIRES_AT:
		walk->has_expires = true;
		event->expires_ns = event_time(it->span);
		break;
	case EVENT_NONCE:
		event->nonce = it->span;
		break;
	default:
		break;
	}
}

static void take_payload(struct walk *walk, const ProtobufCFieldDescriptor *field,
			 const struct wire_field *it)
{
	const struct path path = { NULL, field->name, 0, false };

	if (walk->payload && walk->payload != field)
		judge_fault(&walk->judge, TTG_REFUSED_FIELD, &path, "is a second payload");
	walk->payload = field;
	walk->event->payload = it->span;
}

/* Index of the field with this number; most come in order, so the last one's neighbours first. */
static unsigned index_of(const ProtobufCMessageDescriptor *message, unsigned last, uint32_t id)
{
	const ProtobufCFieldDescriptor *found;

	for (unsigned i = last; i < message->n_fields && i < last + 2; i++) {
		if (message->fields[i].id == id)
			return i;
	}
	found = protobuf_c_message_descriptor_get_field(message, id);
	return found ? (unsigned)(found - message->fields) : message->n_fields;
}

/* Numbers that may not be absent, since absent is 0. */
static void judge_absent(struct walk *walk, const struct path *up, const struct message_rule *rule,
			 const uint32_t *counts)
{
	for (unsigned i = 0; i < rule->descriptor->n_fields; i++) {
		const struct path path = { up, rule->descriptor->fields[i].name, 0, false };

		if (rule->fields[i].wanted && counts[i] == 0)
			judge_number(&walk->judge, &path, &rule->fields[i].bound, 0);
	}
}

static bool walk_fields(struct walk *walk, const struct path *path, struct span left,
			uint32_t number)
{
	const struct message_rule *rule = &walk->fields->messages[number];
	const ProtobufCMessageDescriptor *message = rule->descriptor;
	uint32_t counts[FIELDS_PER_MESSAGE_MAX];
	struct wire_field it;
	enum wire_step step;
	unsigned at = 0;

	memset(counts, 0, message->n_fields * sizeof(counts[0]));
	while ((step = wire_next(&left, &it)) == WIRE_TOOK) {
		unsigned i = index_of(message, at, it.id);
		const ProtobufCFieldDescriptor *field = &message->fields[i];

		if (i == message->n_fields)
			continue; /* of a newer catalogue */
		at = i;
		if (!walk_field(walk, path, field, &rule->fields[i], &it, &counts[i]))
			return false;
		if (number == FIELDS_EVENT && (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
			take_payload(walk, field, &it);
		else if (number == FIELDS_EVENT)
			take_envelope(walk, &it);
	}
	if (step == WIRE_BAD)
		return false;
	if (rule->any_wanted)
		judge_absent(walk, path, rule, counts);
	return true;
}

static bool walk_message(struct walk *walk, const struct path *path, struct span bytes,
			 uint32_t number)
{
	bool whole;

	if (walk->depth >= EVENT_DEPTH_MAX) {
		judge_fault(&walk->judge, TTG_REFUSED_FIELD, path, "is nested too deep");
		return true;
	}
	walk->depth++;
	whole = walk_fields(walk, path, bytes, number);
	walk->depth--;
	return whole;
}

static void judge_envelope(struct walk *walk)
{
	const struct path occurred = { NULL, "occurred_at", 0, false };
	const struct path recorded = { NULL, "recorded_at", 0, false };
	const struct path expires = { NULL, "expires_at", 0, false };
	const struct event_clock *clock = walk->judge.clock;
	int64_t latest = clock->now_ns + (int64_t)clock->max_skew_s * 1000000000;

	if (!walk->has_occurred)
		judge_fault(&walk->judge, TTG_REFUSED_FIELD, &occurred, "is missing");
	else if (walk->occurred_ns > latest)
		judge_fault(&walk->judge, TTG_REFUSED_TIME, &occurred, "is in the future");
	if (walk->has_recorded && walk->recorded_ns > latest)
		judge_fault(&walk->judge, TTG_REFUSED_TIME, &recorded, "is in the future");
	if (walk->has_expires && walk->event->expires_ns <= clock->now_ns)
		judge_fault(&walk->judge, TTG_REFUSED_EXPIRED, &expires, "is past");
}

__attribute__((format(printf, 3, 4))) static enum ttg_error
refuse(char text[EVENT_TEXT_MAX], enum ttg_error code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, EVENT_TEXT_MAX, format, arguments);
	va_end(arguments);
	return code;
}

static bool is_uuid(const uint8_t *id, size_t len)
{
	uint8_t any = 0;

	if (len != TTG_UUID_BYTES)
		return false;
	for (size_t i = 0; i < len; i++)
		any |= id[i];
	return any != 0 && (id[8] & 0xc0) == 0x80;
}

static bool is_type_name(struct span type)
{
	if (type.len == 0 || type.len > RULES_TYPE_MAX)
		return false;
	for (size_t i = 0; i < type.len; i++) {
		char c = (char)type.at[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.'))
			return false;
	}
	return true;
}

static void copy_text(char *out, struct span text)
{
	memcpy(out, text.at, text.len);
	out[text.len] = '\0';
}

/* What the broker could not even name in an answer. */
static enum ttg_error identify(const struct walk *walk, char text[EVENT_TEXT_MAX])
{
	struct event *event = walk->event;

	if (!is_uuid(event->id, walk->id_bytes))
		return refuse(text, TTG_REFUSED_FIELD, "id is not a UUID of 16 bytes");
	if (!event_agency_is_valid((const char *)walk->source.at, walk->source.len))
		return refuse(text, TTG_REFUSED_FIELD, "source is not an agency id");
	if (!is_type_name(walk->type))
		return refuse(text, TTG_REFUSED_FIELD, "type is not the name of a type");
	copy_text(event->source, walk->source);
	copy_text(event->type, walk->type);
	event->type_index = ttg_type_find(event->type);
	if (!walk->payload)
		return event->type_index < 0 ? TTG_OK :
					       refuse(text, TTG_REFUSED_MALFORMED,
						      "payload is missing");
	if (event->type_index < 0 ||
	    ttg_type_descriptor((size_t)event->type_index) != walk->payload->descriptor)
		return refuse(text, TTG_REFUSED_MALFORMED, "payload is not of the type");
	return TTG_OK;
}

enum ttg_error event_read(const uint8_t *data, size_t len, const struct fields *fields,
			  const struct event_clock *clock, struct event *out,
			  char text[EVENT_TEXT_MAX])
{
	struct walk walk = { .fields = fields, .event = out };
	enum ttg_error code;

	*out = (struct event){ .type_index = -1 };
	judge_init(&walk.judge, clock, out->fault_text);
	if (!walk_fields(&walk, NULL, (struct span){ data, len }, FIELDS_EVENT))
		return refuse(text, TTG_REFUSED_MALFORMED, "not an encoded Event");
	code = identify(&walk, text);
	if (code != TTG_OK)
		return code;
	judge_envelope(&walk);
	out->fault = walk.judge.code;
	return TTG_OK;
}

static const ProtobufCFieldDescriptor *payload_descriptor(const struct event *event, const char *field)
{
	const ProtobufCMessageDescriptor *message =
		event->payload.at ? ttg_type_descriptor((size_t)event->type_index) : NULL;

	return message ? protobuf_c_message_descriptor_get_field_by_name(message, field) : NULL;
}

bool event_payload_text(const struct event *event, const char *field, struct span *out)
{
	const ProtobufCFieldDescriptor *wanted = payload_descriptor(event, field);
	struct wire_field it;

	*out = (struct span){ NULL, 0 };
	if (!wanted || wanted->type != PROTOBUF_C_TYPE_STRING ||
	    wanted->label == PROTOBUF_C_LABEL_REPEATED)
		return false;
	if (event_payload_field(event, field, &it))
		*out = it.span;
	return true;
}

bool event_payload_field(const struct event *event, const char *field, struct wire_field *out)
{
	const ProtobufCFieldDescriptor *wanted = payload_descriptor(event, field);
	struct span left = event->payload;
	struct wire_field it;
	bool found = false;

	while (wanted && wire_next(&left, &it) == WIRE_TOOK) {
		if (it.id != wanted->id)
			continue;
		*out = it;
		found = true;
	}
	return found;
}
