/*
 * An event as one CSV row, by the descriptors of the catalogue. See outdir.h. Pure but for malloc.
 * The columns of a type are always the same, set or not, so that rows of several files can be
 * put under one header.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/identifier.h"
#include "base/instant.h"
#include "common/outdir.h"

#define DEPTH_MAX  4
#define NAME_BYTES 128

struct row {
	FILE *header;
	FILE *values;
	bool begun;
};

static void put_quoted(FILE *out, const char *text)
{
	bool formula = strchr("=@\t\r", text[0]) != NULL && text[0] != '\0';

	if ((text[0] == '+' || text[0] == '-') && text[strspn(text, "+- 0123456789().")] != '\0')
		formula = true;
	fputc('"', out);
	if (formula)
		fputc('\'', out);
	for (; *text != '\0'; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void put_cell(struct row *row, const char *name, const char *value)
{
	if (row->begun) {
		fputc(',', row->header);
		fputc(',', row->values);
	}
	row->begun = true;
	put_quoted(row->header, name);
	put_quoted(row->values, value);
}

static void put_instant(struct row *row, const char *name, const Ttg__Time *time)
{
	char text[INSTANT_TEXT] = "";

	if (time != NULL)
		instant_format(time->unix_ns, text);
	put_cell(row, name, text);
}

static const char *enum_name(const ProtobufCFieldDescriptor *field, int value)
{
	const ProtobufCEnumValue *found =
	        protobuf_c_enum_descriptor_get_value(field->descriptor, value);

	return value == 0 || found == NULL ? "" : found->name;
}

/* One value of a field as text; `room` holds numbers. */
static const char *value_text(const ProtobufCFieldDescriptor *field, const char *at, char *room,
                              size_t room_bytes)
{
	const char *text;
	int32_t number;
	uint64_t big;

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		memcpy(&text, at, sizeof(text));
		return text == NULL ? "" : text;
	case PROTOBUF_C_TYPE_ENUM:
		memcpy(&number, at, sizeof(number));
		return enum_name(field, number);
	case PROTOBUF_C_TYPE_BOOL:
		memcpy(&number, at, sizeof(number));
		return number ? "true" : "false";
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		memcpy(&number, at, sizeof(number));
		snprintf(room, room_bytes, "%" PRIu32, (uint32_t)number);
		return room;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		memcpy(&big, at, sizeof(big));
		snprintf(room, room_bytes, "%" PRIi64, (int64_t)big);
		return room;
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		break;
	}
	return "";
}

static void put_list(struct row *row, const char *name, const ProtobufCFieldDescriptor *field,
                     const char *base)
{
	char *joined = NULL, room[32];
	size_t len = 0, n;
	const char *list;
	FILE *out = open_memstream(&joined, &len);

	memcpy(&n, base + field->quantifier_offset, sizeof(n));
	memcpy(&list, base + field->offset, sizeof(list));
	for (size_t i = 0; out != NULL && i < n; i++) {
		size_t step = field->type == PROTOBUF_C_TYPE_STRING ? sizeof(char *) : sizeof(int);

		if (field->type == PROTOBUF_C_TYPE_MESSAGE)
			break; /* a list of objects does not fit a row; the JSON file has it */
		fprintf(out, "%s%s", i == 0 ? "" : "; ",
		        value_text(field, list + i * step, room, sizeof(room)));
	}
	if (out != NULL)
		fclose(out);
	put_cell(row, name, joined == NULL ? "" : joined);
	free(joined);
}

static void put_fields(struct row *row, const char *prefix, const ProtobufCMessageDescriptor *type,
                       const char *base, int depth)
{
	static const char blank[1024];

	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];
		char name[NAME_BYTES], room[32];
		const char *nested = NULL;

		snprintf(name, sizeof(name), "%s%s%s", prefix, *prefix ? "." : "", field->name);
		if (field->label == PROTOBUF_C_LABEL_REPEATED) {
			if (base == blank)
				put_cell(row, name, "");
			else
				put_list(row, name, field, base);
			continue;
		}
		if (field->type != PROTOBUF_C_TYPE_MESSAGE) {
			put_cell(row, name,
			         base == blank ? ""
			                       : value_text(field, base + field->offset, room,
			                                    sizeof(room)));
			continue;
		}
		if (base != blank)
			memcpy(&nested, base + field->offset, sizeof(nested));
		if (field->descriptor == &ttg__time__descriptor)
			put_instant(row, name, (const Ttg__Time *)(const void *)nested);
		else if (depth > 0)
			put_fields(row, name, field->descriptor, nested == NULL ? blank : nested,
			           depth - 1);
	}
}

static void put_person(struct row *row, const Ttg__Event *event)
{
	static const enum identifier_kind kinds[] = { IDENTIFIER_NOMS, IDENTIFIER_PNC,
		                                      IDENTIFIER_CRO, IDENTIFIER_CRN,
		                                      IDENTIFIER_CASE_NUMBER };

	for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
		const char *value = "";

		for (size_t i = 0; event->person != NULL && i < event->person->n_identifiers; i++) {
			const Ttg__Identifier *identifier = event->person->identifiers[i];

			if ((int)identifier->kind == (int)kinds[k] && *value == '\0')
				value = *identifier->canonical != '\0' ? identifier->canonical
				                                       : identifier->value;
		}
		put_cell(row, identifier_kind_name(kinds[k]), value);
	}
}

char *outcsv_format(const Ttg__Event *event)
{
	char *header = NULL, *values = NULL, *text = NULL, id[TTG_UUID_TEXT] = "";
	size_t header_len = 0, values_len = 0;
	int type = ttg_type_of(event);
	struct row row = { .header = open_memstream(&header, &header_len),
		           .values = open_memstream(&values, &values_len) };

	if (row.header != NULL && row.values != NULL && type >= 0) {
		const void *payload = event->prison_reception; /* the payload is a union */

		if (event->id.len == TTG_UUID_BYTES)
			ttg_uuid_format(event->id.data, id);
		put_cell(&row, "id", id);
		put_cell(&row, "type", ttg_type_name((size_t)type));
		put_cell(&row, "source", event->source);
		put_instant(&row, "occurred_at", event->occurred_at);
		put_person(&row, event);
		put_fields(&row, "", ttg_type_descriptor((size_t)type), payload, DEPTH_MAX);
	}
	if (row.header != NULL)
		fclose(row.header);
	if (row.values != NULL)
		fclose(row.values);
	if (type >= 0 && header != NULL && values != NULL &&
	    asprintf(&text, "%s\r\n%s\r\n", header, values) < 0)
		text = NULL;
	free(header);
	free(values);
	return text;
}
