/*
 * JSON to messages. Pure functions of any thread; eventjson_write.c has the other way.
 *
 * A message under construction is always one that protobuf_c_message_free_unpacked() can free: it
 * was initialised from its descriptor, strings are the shared empty one or malloc'd, a repeated
 * field's count never exceeds what was filled. On failure everything made so far is freed.
 */
#include "common/eventjson.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <ttg/event.h>
#include "base/instant.h"

#define ENUM_NAME_BYTES 64

struct reading {
	struct message *message;
	char path[EVENTJSON_MAX_PATH];
	size_t path_len;
	int depth;
};

static enum ttg_error wrong(const struct reading *reading, enum ttg_error code, const char *what)
{
	return message_set(reading->message, code, "%s: %s", reading->path, what);
}

static void path_append(struct reading *reading, const char *text)
{
	for (; *text && reading->path_len + 1 < sizeof(reading->path); text++) {
		unsigned char c = (unsigned char)*text;

		reading->path[reading->path_len++] = c < 0x20 || c > 0x7e ? '?' : *text;
	}
	reading->path[reading->path_len] = '\0';
}

/* Appends to the path what can be printed of it; returns the length to go back to. */
static size_t path_push(struct reading *reading, const char *separator, const char *key)
{
	size_t before = reading->path_len;

	path_append(reading, separator);
	path_append(reading, key);
	return before;
}

static void path_pop(struct reading *reading, size_t before)
{
	reading->path_len = before;
	reading->path[before] = '\0';
}

/* Enums. */

/* Length of what the names of all values but 0 begin with, up to an underscore. */
static size_t common_prefix(const ProtobufCEnumDescriptor *descriptor)
{
	const char *first = NULL;
	size_t len = 0;

	for (unsigned i = 0; i < descriptor->n_values; i++) {
		const char *name = descriptor->values[i].name;

		if (descriptor->values[i].value == 0)
			continue;
		if (!first) {
			first = name;
			len = strlen(name);
		}
		while (len > 0 && (strncmp(first, name, len) != 0 || first[len - 1] != '_'))
			len--;
	}
	return len;
}

bool eventjson_enum_find(const ProtobufCEnumDescriptor *descriptor, const char *name, int *value)
{
	char spelled[ENUM_NAME_BYTES];
	size_t prefix = common_prefix(descriptor), len = strlen(name);

	if (len == 0 || len >= sizeof(spelled))
		return false;
	for (size_t i = 0; i <= len; i++)
		spelled[i] = name[i] == '-' ? '_' : name[i];
	for (unsigned i = 0; i < descriptor->n_values; i++) {
		const char *full = descriptor->values[i].name;

		if (strcasecmp(full, spelled) == 0 ||
		    (strlen(full) > prefix && strcasecmp(full + prefix, spelled) == 0)) {
			*value = descriptor->values[i].value;
			return true;
		}
	}
	return false;
}

static enum ttg_error read_enum(const struct reading *reading,
				const ProtobufCEnumDescriptor *descriptor, const json_t *json,
				void *out)
{
	int value = 0;

	if (json_is_string(json)) {
		if (!eventjson_enum_find(descriptor, json_string_value(json), &value))
			return wrong(reading, TTG_EFORMAT, "not a name of this list");
	} else if (json_is_integer(json)) {
		json_int_t number = json_integer_value(json);

		/* Numbers that this catalogue does not know may come from a newer one. */
		if (number < 0 || number > INT32_MAX)
			return wrong(reading, TTG_ELIMIT, "out of range");
		value = (int)number;
	} else {
		return wrong(reading, TTG_EFORMAT, "a name of its list is wanted");
	}
	memcpy(out, &value, sizeof(value));
	return TTG_OK;
}

/* Scalars. */

static enum ttg_error read_string(const struct reading *reading, const json_t *json, void *out)
{
	if (!json_is_string(json))
		return wrong(reading, TTG_EFORMAT, "a string is wanted");
	if (json_string_length(json) > EVENTJSON_MAX_STRING)
		return wrong(reading, TTG_ELIMIT, "longer than 4096 bytes");
	if (strlen(json_string_value(json)) != json_string_length(json))
		return wrong(reading, TTG_EFORMAT, "a NUL inside");
	if (json_string_length(json) == 0)
		return TTG_OK;
	char *copy = strdup(json_string_value(json));
	if (!copy)
		return TTG_ENOMEM;
	memcpy(out, &copy, sizeof(copy));
	return TTG_OK;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool parse_hex(const char *text, size_t bytes, uint8_t *out)
{
	for (size_t i = 0; i < bytes; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static enum ttg_error read_bytes(const struct reading *reading, const json_t *json, void *out)
{
	ProtobufCBinaryData data = { 0, NULL };

	if (!json_is_string(json))
		return wrong(reading, TTG_EFORMAT, "a string is wanted");
	const char *text = json_string_value(json);
	size_t len = json_string_length(json);
	bool uuid = len == TTG_UUID_TEXT - 1 && text[8] == '-';
	if (len == 0)
		return TTG_OK;
	if (len > 2 * (size_t)EVENTJSON_MAX_BYTES)
		return wrong(reading, TTG_ELIMIT, "longer than 4096 bytes");
	if (!uuid && len % 2 != 0)
		return wrong(reading, TTG_EFORMAT, "a UUID or hexadecimal digits are wanted");
	data.len = uuid ? TTG_UUID_BYTES : len / 2;
	data.data = malloc(data.len);
	if (!data.data)
		return TTG_ENOMEM;
	if (!(uuid ? ttg_uuid_parse(text, data.data) == TTG_OK :
		     parse_hex(text, data.len, data.data))) {
		free(data.data);
		return wrong(reading, TTG_EFORMAT, "a UUID or hexadecimal digits are wanted");
	}
	memcpy(out, &data, sizeof(data));
	return TTG_OK;
}

static enum ttg_error read_bool(const struct reading *reading, const json_t *json, void *out)
{
	protobuf_c_boolean value = json_is_true(json);

	if (!json_is_boolean(json))
		return wrong(reading, TTG_EFORMAT, "true or false is wanted");
	memcpy(out, &value, sizeof(value));
	return TTG_OK;
}

static enum ttg_error read_real(const struct reading *reading, const json_t *json, bool narrow,
				void *out)
{
	double value = json_number_value(json);
	float less = (float)value;

	if (!json_is_number(json))
		return wrong(reading, TTG_EFORMAT, "a number is wanted");
	memcpy(out, narrow ? (void *)&less : (void *)&value,
	       narrow ? sizeof(less) : sizeof(value));
	return TTG_OK;
}

static enum ttg_error read_integer(const struct reading *reading, const json_t *json, int64_t low,
				   int64_t high, size_t bytes, void *out)
{
	if (!json_is_integer(json))
		return wrong(reading, TTG_EFORMAT, "a whole number is wanted");
	int64_t value = json_integer_value(json);
	if (value < low || value > high)
		return wrong(reading, TTG_ELIMIT, "out of range");
	uint32_t less = (uint32_t)value;
	memcpy(out, bytes == sizeof(less) ? (void *)&less : (void *)&value, bytes);
	return TTG_OK;
}

/* Messages. */

static enum ttg_error read_object(struct reading *reading,
				  const ProtobufCMessageDescriptor *descriptor, const json_t *json,
				  ProtobufCMessage **out);

static enum ttg_error read_time(const struct reading *reading, const json_t *json,
				ProtobufCMessage **out)
{
	char canonical[INSTANT_TEXT];
	int64_t unix_ns;

	if (!json_is_string(json) || json_string_length(json) > 64 ||
	    instant_parse(json_string_value(json), &unix_ns) != TTG_OK)
		return wrong(reading, TTG_EFORMAT, "a time like 2026-11-21T10:15:00Z is wanted");
	Ttg__Time *time = malloc(sizeof(*time));
	if (!time)
		return TTG_ENOMEM;
	ttg__time__init(time);
	time->unix_ns = unix_ns;
	instant_format(unix_ns, canonical);
	if (strcmp(canonical, json_string_value(json)) != 0) {
		time->original = strdup(json_string_value(json));
		if (!time->original) {
			free(time);
			return TTG_ENOMEM;
		}
	}
	*out = &time->base;
	return TTG_OK;
}

static enum ttg_error read_message(struct reading *reading, const ProtobufCFieldDescriptor *field,
				   const json_t *json, void *out)
{
	ProtobufCMessage *made = NULL;
	enum ttg_error code;

	if (field->descriptor == (const void *)&ttg__time__descriptor)
		code = read_time(reading, json, &made);
	else
		code = read_object(reading, field->descriptor, json, &made);
	if (code == TTG_OK)
		memcpy(out, &made, sizeof(made));
	return code;
}

/* Reads one value into `out`, which has room for one value of the field's type. */
static enum ttg_error read_value(struct reading *reading, const ProtobufCFieldDescriptor *field,
				 const json_t *json, void *out)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		return read_integer(reading, json, INT32_MIN, INT32_MAX, 4, out);
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return read_integer(reading, json, 0, UINT32_MAX, 4, out);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return read_integer(reading, json, INT64_MIN, INT64_MAX, 8, out);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return read_integer(reading, json, 0, INT64_MAX, 8, out);
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
		return read_real(reading, json, field->type == PROTOBUF_C_TYPE_FLOAT, out);
	case PROTOBUF_C_TYPE_BOOL:
		return read_bool(reading, json, out);
	case PROTOBUF_C_TYPE_ENUM:
		return read_enum(reading, field->descriptor, json, out);
	case PROTOBUF_C_TYPE_STRING:
		return read_string(reading, json, out);
	case PROTOBUF_C_TYPE_BYTES:
		return read_bytes(reading, json, out);
	case PROTOBUF_C_TYPE_MESSAGE:
		return read_message(reading, field, json, out);
	default:
		return wrong(reading, TTG_EFORMAT, "of a kind that cannot be given");
	}
}

static size_t size_of(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
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
		return sizeof(uint64_t);
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_ENUM:
	default:
		return sizeof(uint32_t);
	}
}

static enum ttg_error read_repeated(struct reading *reading, const ProtobufCFieldDescriptor *field,
				    const json_t *json, uint8_t *message)
{
	size_t *count = (size_t *)(void *)(message + field->quantifier_offset);
	size_t size = size_of(field), n = json_array_size(json);

	if (!json_is_array(json))
		return wrong(reading, TTG_EFORMAT, "an array is wanted");
	if (n > EVENTJSON_MAX_ENTRIES)
		return wrong(reading, TTG_ELIMIT, "more than 256 entries");
	if (n == 0)
		return TTG_OK;
	uint8_t *values = calloc(n, size);
	if (!values)
		return TTG_ENOMEM;
	memcpy(message + field->offset, &values, sizeof(values));
	for (size_t i = 0; i < n; i++) {
		char index[24];

		snprintf(index, sizeof(index), "[%zu]", i);
		size_t before = path_push(reading, "", index);
		enum ttg_error code = read_value(reading, field, json_array_get(json, i),
						 values + i * size);
		if (code != TTG_OK)
			return code;
		/* An empty string of an array must be one that can be freed. */
		if (field->type == PROTOBUF_C_TYPE_STRING && !*(char **)(void *)(values + i * size))
			return wrong(reading, TTG_EFORMAT, "an empty string in an array");
		(*count)++;
		path_pop(reading, before);
	}
	return TTG_OK;
}

static enum ttg_error read_field(struct reading *reading,
				 const ProtobufCMessageDescriptor *descriptor, const char *key,
				 const json_t *value, uint8_t *message)
{
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field_by_name(descriptor, key);

	if (!field)
		return wrong(reading, TTG_EFORMAT, "no such field in the catalogue");
	if (json_is_null(value))
		return TTG_OK;
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return read_repeated(reading, field, value, message);
	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
		uint32_t *chosen = (uint32_t *)(void *)(message + field->quantifier_offset);

		if (*chosen != 0)
			return wrong(reading, TTG_EFORMAT, "excludes a field given before");
		enum ttg_error code = read_value(reading, field, value, message + field->offset);
		if (code == TTG_OK)
			*chosen = field->id;
		return code;
	}
	return read_value(reading, field, value, message + field->offset);
}

static enum ttg_error read_object(struct reading *reading,
				  const ProtobufCMessageDescriptor *descriptor, const json_t *json,
				  ProtobufCMessage **out)
{
	enum ttg_error code = TTG_OK;
	const char *key;
	json_t *value;

	if (!json_is_object(json))
		return wrong(reading, TTG_EFORMAT, "an object is wanted");
	if (reading->depth >= EVENTJSON_MAX_DEPTH)
		return wrong(reading, TTG_ELIMIT, "nested too deeply");
	ProtobufCMessage *made = calloc(1, descriptor->sizeof_message);
	if (!made)
		return TTG_ENOMEM;
	protobuf_c_message_init(descriptor, made);
	reading->depth++;
	json_object_foreach((json_t *)(uintptr_t)json, key, value) {
		size_t before = path_push(reading, ".", key);

		code = read_field(reading, descriptor, key, value, (uint8_t *)made);
		if (code != TTG_OK)
			break;
		path_pop(reading, before);
	}
	reading->depth--;
	if (code == TTG_OK)
		*out = made;
	else
		protobuf_c_message_free_unpacked(made, NULL);
	return code;
}

enum ttg_error eventjson_read(const ProtobufCMessageDescriptor *descriptor, const json_t *json,
			      const char *path, ProtobufCMessage **out, struct message *message)
{
	struct reading reading = { .message = message };

	*out = NULL;
	path_append(&reading, path);
	enum ttg_error code = read_object(&reading, descriptor, json, out);
	if (code == TTG_ENOMEM)
		message_set(message, code, "no memory");
	return code;
}
