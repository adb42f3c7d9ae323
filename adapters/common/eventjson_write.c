/*
 * Messages to JSON; see eventjson.h. Pure functions of any thread. On lack of memory everything made
 * so far is freed.
 */
#include "common/eventjson.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ttg/event.h>
#include "base/instant.h"

static json_t *write_time(const Ttg__Time *time)
{
	char text[INSTANT_TEXT];

	instant_format(time->unix_ns, text);
	return json_string(text);
}

static json_t *write_bytes(const ProtobufCBinaryData *data)
{
	char uuid[TTG_UUID_TEXT];

	if (data->len == TTG_UUID_BYTES) {
		ttg_uuid_format(data->data, uuid);
		return json_string(uuid);
	}
	char *hex = malloc(2 * data->len + 1);
	if (!hex)
		return NULL;
	for (size_t i = 0; i < data->len; i++)
		snprintf(hex + 2 * i, 3, "%02x", data->data[i]);
	json_t *json = json_string(hex);
	free(hex);
	return json;
}

static json_t *write_enum(const ProtobufCEnumDescriptor *descriptor, const void *at)
{
	int32_t value;

	memcpy(&value, at, sizeof(value));
	const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(descriptor, value);
	return known ? json_string(known->name) : json_integer(value);
}

static json_t *write_integer(const ProtobufCFieldDescriptor *field, const void *at)
{
	uint64_t wide = 0;
	uint32_t narrow = 0;
	char digits[24];

	switch (field->type) {
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		memcpy(&wide, at, sizeof(wide));
		return json_integer((json_int_t)wide);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		memcpy(&wide, at, sizeof(wide));
		if (wide <= INT64_MAX)
			return json_integer((json_int_t)wide);
		snprintf(digits, sizeof(digits), "%llu", (unsigned long long)wide);
		return json_string(digits);
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		memcpy(&narrow, at, sizeof(narrow));
		return json_integer(narrow);
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
	case PROTOBUF_C_TYPE_BOOL:
	case PROTOBUF_C_TYPE_ENUM:
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
	default:
		memcpy(&narrow, at, sizeof(narrow));
		return json_integer((int32_t)narrow);
	}
}

static json_t *write_real(const ProtobufCFieldDescriptor *field, const void *at)
{
	double wide;
	float narrow;

	if (field->type == PROTOBUF_C_TYPE_DOUBLE) {
		memcpy(&wide, at, sizeof(wide));
	} else {
		memcpy(&narrow, at, sizeof(narrow));
		wide = (double)narrow;
	}
	return json_real(wide); /* NULL for what is no number */
}

/* One value; NULL without memory. */
static json_t *write_value(const ProtobufCFieldDescriptor *field, const void *at, size_t *unknown)
{
	const void *pointer;
	protobuf_c_boolean flag;

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		memcpy(&pointer, at, sizeof(pointer));
		return json_string(pointer ? pointer : "");
	case PROTOBUF_C_TYPE_BYTES:
		return write_bytes(at);
	case PROTOBUF_C_TYPE_MESSAGE:
		memcpy(&pointer, at, sizeof(pointer));
		if (field->descriptor == (const void *)&ttg__time__descriptor)
			return write_time(pointer);
		return eventjson_write(pointer, unknown);
	case PROTOBUF_C_TYPE_ENUM:
		return write_enum(field->descriptor, at);
	case PROTOBUF_C_TYPE_BOOL:
		memcpy(&flag, at, sizeof(flag));
		return json_boolean(flag);
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
		return write_real(field, at);
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	default:
		return write_integer(field, at);
	}
}

/* Bytes one value takes in an array. */
static size_t size_of(const ProtobufCFieldDescriptor *field)
{
	if (field->type == PROTOBUF_C_TYPE_BYTES)
		return sizeof(ProtobufCBinaryData);
	if (field->type == PROTOBUF_C_TYPE_BOOL)
		return sizeof(protobuf_c_boolean);
	if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE)
		return sizeof(void *);
	if (field->type == PROTOBUF_C_TYPE_INT64 || field->type == PROTOBUF_C_TYPE_SINT64 ||
	    field->type == PROTOBUF_C_TYPE_SFIXED64 || field->type == PROTOBUF_C_TYPE_UINT64 ||
	    field->type == PROTOBUF_C_TYPE_FIXED64 || field->type == PROTOBUF_C_TYPE_DOUBLE)
		return sizeof(uint64_t);
	return sizeof(uint32_t);
}

/* Fields of proto3 without presence are left out when they have their default. */
static bool is_default(const ProtobufCFieldDescriptor *field, const uint8_t *at)
{
	static const uint8_t zeros[sizeof(uint64_t)];
	const char *text;
	ProtobufCBinaryData data;

	if (field->type == PROTOBUF_C_TYPE_BYTES) {
		memcpy(&data, at, sizeof(data));
		return data.len == 0;
	}
	if (field->type == PROTOBUF_C_TYPE_STRING) {
		memcpy(&text, at, sizeof(text));
		return !text || !text[0];
	}
	return memcmp(at, zeros, size_of(field)) == 0;
}

static json_t *write_repeated(const ProtobufCFieldDescriptor *field, const uint8_t *message,
			      size_t n, size_t *unknown)
{
	json_t *array = json_array();
	const uint8_t *values;

	memcpy(&values, message + field->offset, sizeof(values));
	for (size_t i = 0; array && i < n; i++) {
		json_t *one = write_value(field, values + i * size_of(field), unknown);

		if (json_array_append_new(array, one) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* Adds one field to the object. False without memory. */
static bool write_field(json_t *object, const ProtobufCFieldDescriptor *field,
			const uint8_t *message, size_t *unknown)
{
	json_t *value;

	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		size_t n;

		memcpy(&n, message + field->quantifier_offset, sizeof(n));
		if (n == 0)
			return true;
		value = write_repeated(field, message, n, unknown);
	} else if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
		uint32_t chosen;

		memcpy(&chosen, message + field->quantifier_offset, sizeof(chosen));
		if (chosen != field->id)
			return true;
		value = write_value(field, message + field->offset, unknown);
	} else {
		if (is_default(field, message + field->offset))
			return true;
		value = write_value(field, message + field->offset, unknown);
	}
	return json_object_set_new(object, field->name, value) == 0;
}

json_t *eventjson_write(const ProtobufCMessage *message, size_t *unknown)
{
	const ProtobufCMessageDescriptor *descriptor = message->descriptor;
	json_t *object = json_object();

	*unknown += message->n_unknown_fields;
	for (unsigned i = 0; object && i < descriptor->n_fields; i++) {
		if (!write_field(object, &descriptor->fields[i], (const uint8_t *)message,
				 unknown)) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}
