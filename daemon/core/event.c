/*
 * Decoding an event and walking its fields; see event.h. The walk knows types of fields, and their
 * bounds from a table that was worked out before (core/fields.h). Owner: the loop thread. All input
 * is hostile: the arena bounds what decoding may allocate, the depth of the walk is bounded, and a
 * message that fails here changes nothing.
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
	const struct fields *fields;
	enum ttg_error code;
	int rank;
	int year_now;
	int depth;
	char *text;
};

static void walk_message(struct walk *walk, const struct path *path, const ProtobufCMessage *it,
			 uint32_t number);

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

static void fault_text(struct walk *walk, const struct path *path, const struct bound *bound)
{
	char what[BOUNDS_TELL_MAX];

	bounds_tell_text(bound, what);
	fault(walk, TTG_REFUSED_FIELD, path, what);
}

static bool is_code(const char *text, size_t len)
{
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

static void check_form(struct walk *walk, const struct path *path, const struct bound *bound,
		       const char *text, size_t len)
{
	bool fits = bounds_text_fits(bound, text, len);

	switch ((enum bound_form)bound->form) {
	case BOUND_CODE:
		if (!fits || !is_code(text, len))
			fault(walk, TTG_REFUSED_FIELD, path,
			      "is not a code of at most 32 bytes without spaces");
		break;
	case BOUND_DATE:
		if (!date_is_valid(text))
			fault(walk, TTG_REFUSED_FIELD, path, "is not a date YYYY-MM-DD");
		break;
	case BOUND_CLOCK:
		if (!clock_is_valid(text))
			fault(walk, TTG_REFUSED_FIELD, path, "is not a time of day HH:MM");
		break;
	case BOUND_AGENCY:
		if (!event_agency_is_valid(text, len))
			fault(walk, TTG_REFUSED_FIELD, path, "is not an agency id");
		break;
	case BOUND_ID:
		if (!event_agency_is_valid(text, len))
			fault(walk, TTG_REFUSED_FIELD, path, "is not an id [a-z0-9-], 32 at most");
		break;
	case BOUND_OTHER:
	case BOUND_TEXT:
	case BOUND_UUID:
	case BOUND_NUMBER:
		if (!fits)
			fault_text(walk, path, bound);
		break;
	}
}

static void check_string(struct walk *walk, const struct path *path, const struct bound *bound,
			 const char *text)
{
	size_t len;

	if (!text || text == (const char *)protobuf_c_empty_string)
		return;
	len = strlen(text);
	if (!is_whole(text, len) || !event_text_is_clean(text, len))
		fault(walk, TTG_REFUSED_FIELD, path,
		      "is not UTF-8 text without control characters");
	else if (len > 0)
		check_form(walk, path, bound, text, len);
}

static void check_bytes(struct walk *walk, const struct path *path, const struct bound *bound,
			const ProtobufCBinaryData *data)
{
	if (bound->form == BOUND_UUID) {
		if (data->len != 0 && data->len != TTG_UUID_BYTES)
			fault(walk, TTG_REFUSED_FIELD, path, "is not 16 bytes");
	} else if (!bounds_text_fits(bound, (const char *)data->data, data->len)) {
		fault_text(walk, path, bound);
	}
}

static void check_number(struct walk *walk, const struct path *path, const struct bound *bound,
			 int64_t value)
{
	char what[BOUNDS_TELL_MAX];

	if (bound->form != BOUND_NUMBER || bounds_number_fits(bound, value))
		return;
	bounds_tell_number(bound, what);
	fault(walk, TTG_REFUSED_FIELD, path, what);
}

static void check_time(struct walk *walk, const struct path *path, const Ttg__Time *time)
{
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

	if (len == 0)
		fault(walk, TTG_REFUSED_FIELD, &value, "is missing");
	if (len == 0 || len > EVENT_IDENTIFIER_MAX)
		return; /* too long: the walk tells it */
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
	if (it->descriptor == &ttg__time__descriptor)
		check_time(walk, path, (const Ttg__Time *)it);
	else if (it->descriptor == &ttg__identifier__descriptor)
		check_identifier(walk, path, (const Ttg__Identifier *)it);
}

/* One value; `at` points to it as protobuf-c stores it. */
static void walk_value(struct walk *walk, const struct path *path,
		       const ProtobufCFieldDescriptor *field, const struct field_rule *rule,
		       const void *at)
{
	const struct bound *bound = &rule->bound;
	const ProtobufCMessage *inner;
	uint64_t large;
	double number;

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		check_string(walk, path, bound, *(char *const *)at);
		break;
	case PROTOBUF_C_TYPE_BYTES:
		check_bytes(walk, path, bound, at);
		break;
	case PROTOBUF_C_TYPE_MESSAGE:
		inner = *(ProtobufCMessage *const *)at;
		if (!inner)
			break;
		check_known(walk, path, inner);
		walk_message(walk, path, inner, rule->inner);
		break;
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		check_number(walk, path, bound, *(const int32_t *)at);
		break;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		check_number(walk, path, bound, *(const int64_t *)at);
		break;
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
		number = field->type == PROTOBUF_C_TYPE_FLOAT ? (double)*(const float *)at :
								*(const double *)at;
		if (!(number - number == 0.0))
			fault(walk, TTG_REFUSED_FIELD, path, "is not a finite number");
		break;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		check_number(walk, path, bound, *(const uint32_t *)at);
		break;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		large = *(const uint64_t *)at;
		check_number(walk, path, bound, large > INT64_MAX ? INT64_MAX : (int64_t)large);
		break;
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
		       const ProtobufCFieldDescriptor *field, const struct field_rule *rule)
{
	const char *base = (const char *)it;
	const void *at = base + field->offset;
	struct path path = { up, field->name, 0, false };
	char what[BOUNDS_TELL_MAX];

	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		size_t n = *(const size_t *)(const void *)(base + field->quantifier_offset);
		const char *items = *(char *const *)at;

		if (n > rule->bound.entries) {
			bounds_tell_entries(&rule->bound, what);
			fault(walk, TTG_REFUSED_FIELD, &path, what);
			return;
		}
		path.repeated = true;
		for (; path.index < n; path.index++)
			walk_value(walk, &path, field, rule,
				   items + path.index * value_size(field->type));
		return;
	}
	walk_value(walk, &path, field, rule, at);
}

/* Another member of the same union is set: this one's place holds that one's value. */
static bool is_not_the_one(const ProtobufCMessage *it, const ProtobufCFieldDescriptor *field)
{
	const char *base = (const char *)it;

	return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
	       *(const uint32_t *)(const void *)(base + field->quantifier_offset) != field->id;
}

static void walk_fields(struct walk *walk, const struct path *path, const ProtobufCMessage *it,
			uint32_t number)
{
	const struct message_rule *rule = &walk->fields->messages[number];
	const ProtobufCFieldDescriptor *field = it->descriptor->fields;

	assert(rule->descriptor == it->descriptor);
	for (unsigned i = 0; i < it->descriptor->n_fields && walk->rank > 1; i++) {
		if (!is_not_the_one(it, &field[i]))
			walk_field(walk, path, it, &field[i], &rule->fields[i]);
	}
}

static void walk_message(struct walk *walk, const struct path *path, const ProtobufCMessage *it,
			 uint32_t number)
{
	if (walk->depth >= EVENT_DEPTH_MAX) {
		fault(walk, TTG_REFUSED_FIELD, path, "is nested too deep");
		return;
	}
	walk->depth++;
	walk_fields(walk, path, it, number);
	walk->depth--;
}

static void check_envelope(struct walk *walk, const Ttg__Event *it)
{
	const struct path occurred = { NULL, "occurred_at", 0, false };
	const struct path recorded = { NULL, "recorded_at", 0, false };
	const struct path expires = { NULL, "expires_at", 0, false };
	int64_t latest = walk->clock->now_ns + (int64_t)walk->clock->max_skew_s * 1000000000;

	if (!it->occurred_at)
		fault(walk, TTG_REFUSED_FIELD, &occurred, "is missing");
	else if (it->occurred_at->unix_ns > latest)
		fault(walk, TTG_REFUSED_TIME, &occurred, "is in the future");
	if (it->recorded_at && it->recorded_at->unix_ns > latest)
		fault(walk, TTG_REFUSED_TIME, &recorded, "is in the future");
	if (it->expires_at && it->expires_at->unix_ns <= walk->clock->now_ns)
		fault(walk, TTG_REFUSED_EXPIRED, &expires, "is past");
}

enum ttg_error event_check(const struct event *event, const struct fields *fields,
			   const struct event_clock *clock, char text[EVENT_TEXT_MAX])
{
	struct walk walk = { .clock = clock, .fields = fields, .rank = 9, .text = text };
	const ProtobufCMessage *message = &event->message->base;

	walk.year_now = event_year(clock->now_ns);
	check_envelope(&walk, event->message);
	walk_fields(&walk, NULL, message, FIELDS_EVENT);
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
