/*
 * Decoding an event and walking its fields; see event.h. The walk knows types of fields and endings
 * of names. Owner: the loop thread. All input is hostile: the arena bounds what decoding may
 * allocate, the depth of the walk is bounded, and a message that fails here changes nothing.
 */
#include "core/event.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/identifier.h"
#include "base/instant.h"

/* Where the walk is: a list on the stack, written out only when something is wrong. */
struct path {
	const struct path *up;
	const char *name;
	size_t index;
	bool repeated;
};

/* Faults by rank: the lowest found is the one that is told. */
struct walk {
	const struct event_clock *clock;
	enum ttg_error code;
	int rank;
	int year_now;
	int depth;
	char *text;
};

static void walk_message(struct walk *walk, const struct path *path, const ProtobufCMessage *it);

static int rank_of(enum ttg_error code)
{
	if (code == TTG_REFUSED_FIELD)
		return 1;
	if (code == TTG_REFUSED_TIME)
		return 2;
	return code == TTG_REFUSED_IDENTIFIER ? 3 : 4;
}

static void write_path(const struct path *path, char *out, size_t size)
{
	size_t used;

	if (path->up) {
		write_path(path->up, out, size);
		used = strlen(out);
		snprintf(out + used, size - used, ".");
	} else {
		out[0] = 0;
	}
	used = strlen(out);
	if (path->repeated)
		snprintf(out + used, size - used, "%s[%zu]", path->name, path->index);
	else
		snprintf(out + used, size - used, "%s", path->name);
}

static void fault(struct walk *walk, enum ttg_error code, const struct path *path, const char *what)
{
	char where[96];

	if (rank_of(code) >= walk->rank)
		return;
	walk->rank = rank_of(code);
	walk->code = code;
	write_path(path, where, sizeof(where));
	snprintf(walk->text, EVENT_TEXT_MAX, "%s %s", where, what);
}

static bool ends_with(const char *name, size_t len, const char *ending)
{
	size_t n = strlen(ending);

	return len >= n && memcmp(name + len - n, ending, n) == 0;
}

static bool is_code(const char *text, size_t len)
{
	if (len > EVENT_CODE_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] <= ' ')
			return false;
	}
	return true;
}

/* A string of our arena that is `len` bytes long as C sees it hides nothing behind a NUL. */
static bool is_whole(const char *text, size_t len)
{
	return text == (const char *)protobuf_c_empty_string || arena_size(text) == len + 1;
}

static void check_string(struct walk *walk, const struct path *path, const char *text)
{
	size_t name_len, len;

	if (!text || text == (const char *)protobuf_c_empty_string)
		return;
	len = strlen(text);
	if (!is_whole(text, len) || !event_text_is_clean(text, len)) {
		fault(walk, TTG_REFUSED_FIELD, path, "is not UTF-8 text without control characters");
		return;
	}
	if (len == 0)
		return;
	name_len = strlen(path->name);
	if (len > EVENT_STRING_MAX)
		fault(walk, TTG_REFUSED_FIELD, path, "is longer than 4096 bytes");
	else if (ends_with(path->name, name_len, "_code") && !is_code(text, len))
		fault(walk, TTG_REFUSED_FIELD, path, "is not a code of at most 32 bytes without spaces");
	else if (ends_with(path->name, name_len, "_date") && !date_is_valid(text))
		fault(walk, TTG_REFUSED_FIELD, path, "is not a date YYYY-MM-DD");
	else if (ends_with(path->name, name_len, "_clock") && !clock_is_valid(text))
		fault(walk, TTG_REFUSED_FIELD, path, "is not a time of day HH:MM");
	else if (ends_with(path->name, name_len, "_agency") && !event_agency_is_valid(text, len))
		fault(walk, TTG_REFUSED_FIELD, path, "is not an agency id");
}

static void check_bytes(struct walk *walk, const struct path *path, const ProtobufCBinaryData *data)
{
	size_t len = strlen(path->name);

	if (ends_with(path->name, len, "_id") || strcmp(path->name, "id") == 0 ||
	    strcmp(path->name, "supersedes") == 0) {
		if (data->len != 0 && data->len != TTG_UUID_BYTES)
			fault(walk, TTG_REFUSED_FIELD, path, "is not 16 bytes");
	} else if (data->len > EVENT_STRING_MAX) {
		fault(walk, TTG_REFUSED_FIELD, path, "is longer than 4096 bytes");
	}
}

static void check_count(struct walk *walk, const struct path *path, int64_t value)
{
	size_t len;

	if (value >= 0)
		return;
	len = strlen(path->name);
	if (ends_with(path->name, len, "_days") || ends_with(path->name, len, "_minutes") ||
	    ends_with(path->name, len, "_count"))
		fault(walk, TTG_REFUSED_FIELD, path, "is negative");
}

static void check_time(struct walk *walk, const struct path *path, const Ttg__Time *time)
{
	const struct path original = { path, "original", 0, false };

	if (time->original && strlen(time->original) > EVENT_ORIGINAL_MAX)
		fault(walk, TTG_REFUSED_FIELD, &original, "is longer than 64 bytes");
	if (time->unix_ns < EVENT_FIRST_NS || time->unix_ns >= EVENT_LAST_NS)
		fault(walk, TTG_REFUSED_TIME, path, "is not between 1900 and 2200");
}

static void check_identifier(struct walk *walk, const struct path *path, const Ttg__Identifier *it)
{
	const struct path value = { path, "value", 0, false };
	const struct path canonical = { path, "canonical", 0, false };
	const struct path validity = { path, "validity", 0, false };
	const struct path issuer = { path, "issuer", 0, false };
	const char *given = it->value ? it->value : "";
	char expected[IDENTIFIER_CANONICAL];
	enum identifier_validity found;
	size_t len = strlen(given);

	if (len == 0 || len > EVENT_IDENTIFIER_MAX) {
		fault(walk, TTG_REFUSED_FIELD, &value, "is not 1 to 64 bytes");
		return;
	}
	if (it->issuer && it->issuer[0] && !event_agency_is_valid(it->issuer, strlen(it->issuer)))
		fault(walk, TTG_REFUSED_FIELD, &issuer, "is not an agency id");
	if (it->kind == TTG__IDENTIFIER_KIND__IDENTIFIER_KIND_UNSPECIFIED)
		return;
	if (it->validity == TTG__VALIDITY__VALIDITY_UNSPECIFIED &&
	    (!it->canonical || !it->canonical[0]))
		return; /* nothing is claimed about it */
	found = identifier_check((enum identifier_kind)it->kind, given, walk->year_now, expected);
	if (found == IDENTIFIER_UNCHECKED)
		return; /* a kind of the future */
	if (it->canonical && it->canonical[0] && strcmp(it->canonical, expected) != 0)
		fault(walk, TTG_REFUSED_IDENTIFIER, &canonical, "is not what the value gives");
	if (it->validity != TTG__VALIDITY__VALIDITY_UNSPECIFIED && (int)it->validity != (int)found)
		fault(walk, TTG_REFUSED_IDENTIFIER, &validity, "is not what the value gives");
}

static void check_known(struct walk *walk, const struct path *path, const ProtobufCMessage *it)
{
	if (it->descriptor == &ttg__time__descriptor) {
		check_time(walk, path, (const Ttg__Time *)it);
	} else if (it->descriptor == &ttg__identifier__descriptor) {
		check_identifier(walk, path, (const Ttg__Identifier *)it);
	} else if (it->descriptor == &ttg__person__descriptor) {
		if (((const Ttg__Person *)it)->n_identifiers > EVENT_IDENTIFIERS_MAX)
			fault(walk, TTG_REFUSED_FIELD, path, "has more than 16 identifiers");
	}
}

/* One value; `at` points to it as protobuf-c stores it. */
static void walk_value(struct walk *walk, const struct path *path,
		       const ProtobufCFieldDescriptor *field, const void *at)
{
	const ProtobufCMessage *inner;
	double number;

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		check_string(walk, path, *(char *const *)at);
		break;
	case PROTOBUF_C_TYPE_BYTES:
		check_bytes(walk, path, at);
		break;
	case PROTOBUF_C_TYPE_MESSAGE:
		inner = *(ProtobufCMessage *const *)at;
		if (!inner)
			break;
		check_known(walk, path, inner);
		walk_message(walk, path, inner);
		break;
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		check_count(walk, path, *(const int32_t *)at);
		break;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		check_count(walk, path, *(const int64_t *)at);
		break;
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
		number = field->type == PROTOBUF_C_TYPE_FLOAT ? (double)*(const float *)at :
								*(const double *)at;
		if (!(number - number == 0.0))
			fault(walk, TTG_REFUSED_FIELD, path, "is not a finite number");
		break;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_BOOL:
	case PROTOBUF_C_TYPE_ENUM:
		break;
	}
}

static size_t value_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return 8;
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_ENUM:
		break;
	}
	return 4;
}

static void walk_field(struct walk *walk, const struct path *up, const ProtobufCMessage *it,
		       const ProtobufCFieldDescriptor *field)
{
	const char *base = (const char *)it;
	const void *at = base + field->offset;
	struct path path = { up, field->name, 0, false };

	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		size_t n = *(const size_t *)(const void *)(base + field->quantifier_offset);
		const char *items = *(char *const *)at;

		if (n > EVENT_REPEATED_MAX) {
			fault(walk, TTG_REFUSED_FIELD, &path, "has more than 256 entries");
			return;
		}
		path.repeated = true;
		for (; path.index < n; path.index++)
			walk_value(walk, &path, field,
				   items + path.index * value_size(field->type));
		return;
	}
	walk_value(walk, &path, field, at);
}

/* Another member of the same union is set: this one's place holds that one's value. */
static bool is_not_the_one(const ProtobufCMessage *it, const ProtobufCFieldDescriptor *field)
{
	const char *base = (const char *)it;

	return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
	       *(const uint32_t *)(const void *)(base + field->quantifier_offset) != field->id;
}

static void walk_fields(struct walk *walk, const struct path *path, const ProtobufCMessage *it)
{
	const ProtobufCFieldDescriptor *field = it->descriptor->fields;
	const ProtobufCFieldDescriptor *end = field + it->descriptor->n_fields;

	for (; field < end && walk->rank > 1; field++) {
		if (!is_not_the_one(it, field))
			walk_field(walk, path, it, field);
	}
}

static void walk_message(struct walk *walk, const struct path *path, const ProtobufCMessage *it)
{
	if (walk->depth >= EVENT_DEPTH_MAX) {
		fault(walk, TTG_REFUSED_FIELD, path, "is nested too deep");
		return;
	}
	walk->depth++;
	walk_fields(walk, path, it);
	walk->depth--;
}

static void check_envelope(struct walk *walk, const Ttg__Event *it)
{
	const struct path occurred = { NULL, "occurred_at", 0, false };
	const struct path recorded = { NULL, "recorded_at", 0, false };
	const struct path expires = { NULL, "expires_at", 0, false };
	const struct path trace = { NULL, "traceparent", 0, false };
	int64_t latest = walk->clock->now_ns + (int64_t)walk->clock->max_skew_s * 1000000000;

	if (!it->occurred_at)
		fault(walk, TTG_REFUSED_FIELD, &occurred, "is missing");
	else if (it->occurred_at->unix_ns > latest)
		fault(walk, TTG_REFUSED_TIME, &occurred, "is in the future");
	if (it->recorded_at && it->recorded_at->unix_ns > latest)
		fault(walk, TTG_REFUSED_TIME, &recorded, "is in the future");
	if (it->traceparent && strlen(it->traceparent) > EVENT_TRACEPARENT_MAX)
		fault(walk, TTG_REFUSED_FIELD, &trace, "is longer than 128 bytes");
	if (it->expires_at && it->expires_at->unix_ns <= walk->clock->now_ns)
		fault(walk, TTG_REFUSED_EXPIRED, &expires, "is past");
}

enum ttg_error event_check(const struct event *event, const struct event_clock *clock,
			   char text[EVENT_TEXT_MAX])
{
	struct walk walk = { .clock = clock, .rank = 9, .text = text };
	const ProtobufCMessage *message = &event->message->base;

	walk.year_now = event_year(clock->now_ns);
	check_envelope(&walk, event->message);
	walk_fields(&walk, NULL, message);
	return walk.code;
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

static bool is_uuid(const ProtobufCBinaryData *id)
{
	uint8_t any = 0;

	if (id->len != TTG_UUID_BYTES)
		return false;
	for (size_t i = 0; i < id->len; i++)
		any |= id->data[i];
	return any != 0 && (id->data[8] & 0xc0) == 0x80;
}

static bool is_type_name(const char *text, size_t len)
{
	if (len == 0 || len > RULES_TYPE_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.'))
			return false;
	}
	return true;
}

enum ttg_error event_decode(struct arena *arena, const uint8_t *data, size_t len, struct event *out,
			    char text[EVENT_TEXT_MAX])
{
	Ttg__Event *it;

	arena_reset(arena);
	*out = (struct event){ .type_index = -1 };
	it = ttg__event__unpack(&arena->allocator, len, data);
	if (!it)
		return refuse(text, TTG_REFUSED_MALFORMED, "not an encoded Event");
	out->message = it;
	if (!is_uuid(&it->id))
		return refuse(text, TTG_REFUSED_FIELD, "id is not a UUID of 16 bytes");
	if (!is_whole(it->source, strlen(it->source)) ||
	    !event_agency_is_valid(it->source, strlen(it->source)))
		return refuse(text, TTG_REFUSED_FIELD, "source is not an agency id");
	if (!is_whole(it->type, strlen(it->type)) || !is_type_name(it->type, strlen(it->type)))
		return refuse(text, TTG_REFUSED_FIELD, "type is not the name of a type");
	out->type_index = ttg_type_find(it->type);
	if (it->payload_case == TTG__EVENT__PAYLOAD__NOT_SET) {
		if (out->type_index >= 0)
			return refuse(text, TTG_REFUSED_MALFORMED, "payload is missing");
		return TTG_OK;
	}
	if (out->type_index < 0 || ttg_type_of(it) != out->type_index)
		return refuse(text, TTG_REFUSED_MALFORMED, "payload is not of the type");
	/* Every member of the union is a pointer to a message. */
	out->payload = (const ProtobufCMessage *)it->prison_reception;
	return out->payload ? TTG_OK :
			      refuse(text, TTG_REFUSED_MALFORMED, "payload is missing");
}

const char *event_payload_string(const struct event *event, const char *field)
{
	const ProtobufCFieldDescriptor *it;
	const char *text;

	if (!event->payload)
		return NULL;
	it = protobuf_c_message_descriptor_get_field_by_name(event->payload->descriptor, field);
	if (!it || it->type != PROTOBUF_C_TYPE_STRING || it->label == PROTOBUF_C_LABEL_REPEATED)
		return NULL;
	text = *(char *const *)(const void *)((const char *)event->payload + it->offset);
	return text ? text : "";
}
