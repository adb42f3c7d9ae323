/*
 * Words for people. Pure functions, no state; whatever an event says is data here, and is cut,
 * never trusted, before it reaches a terminal.
 */
#include "oneservice/words.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/instant.h"

void sentence_add(struct sentence *text, const char *format, ...)
{
	size_t room = sizeof(text->bytes) - text->length;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text->bytes + text->length, room, format, arguments);
	va_end(arguments);
	if (length > 0)
		text->length += (size_t)length < room ? (size_t)length : room - 1;
}

/* Length of the UTF-8 character at `at`, 0 when it is none that may be shown. */
static size_t printable_length(const unsigned char *at)
{
	unsigned code;
	size_t length;

	if (at[0] < 0x80)
		return at[0] >= 0x20 && at[0] != 0x7f ? 1 : 0;
	length = at[0] >= 0xc2 && at[0] < 0xe0 ? 2 : at[0] >= 0xe0 && at[0] < 0xf0 ? 3 : 0;
	if (at[0] >= 0xf0 && at[0] < 0xf5)
		length = 4;
	code = length ? at[0] & (0x7fu >> length) : 0;
	for (size_t i = 1; i < length; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (at[i] & 0x3fu);
	}
	if (code < 0xa0 || (code >= 0x200e && code <= 0x200f) ||
	    (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069))
		return 0;
	return length;
}

void sentence_make_printable(struct sentence *text)
{
	unsigned char *from = (unsigned char *)text->bytes;
	unsigned char *to = from;

	while (*from) {
		size_t length = printable_length(from);

		if (length == 0) {
			*to++ = *from == '\n' || *from == '\t' ? ' ' : '?';
			from++;
			continue;
		}
		memmove(to, from, length);
		to += length;
		from += length;
	}
	*to = '\0';
	text->length = (size_t)(to - (unsigned char *)text->bytes);
}

/* Length of the beginning, up to and with an underscore, that names 1... of an enum share. */
static size_t shared_prefix(const ProtobufCEnumDescriptor *kind)
{
	const char *first = kind->values[kind->n_values > 1 ? 1 : 0].name;
	size_t shared = strlen(first);

	for (unsigned i = 1; i < kind->n_values; i++) {
		size_t same = 0;

		while (same < shared && kind->values[i].name[same] == first[same])
			same++;
		shared = same;
	}
	while (shared > 0 && first[shared - 1] != '_')
		shared--;
	return shared;
}

bool words_enum_known(const ProtobufCEnumDescriptor *kind, int value)
{
	return value != 0 && protobuf_c_enum_descriptor_get_value(kind, value);
}

void words_add_enum(struct sentence *text, const ProtobufCEnumDescriptor *kind, int value)
{
	const ProtobufCEnumValue *entry = protobuf_c_enum_descriptor_get_value(kind, value);

	if (!entry || value == 0) {
		sentence_add(text, "not said");
		return;
	}
	for (const char *at = entry->name + shared_prefix(kind); *at; at++)
		sentence_add(text, "%c", *at == '_' ? ' ' : tolower((unsigned char)*at));
}

struct code_name {
	const char *code;
	const char *name;
};

static const struct code_name prisons[] = {
	{ "PBI", "Peterborough" },
	{ "PFI", "Peterborough (female)" },
};

static const struct code_name forces[] = {
	{ "35", "Cambridgeshire" },
	{ "93", "British Transport Police" },
};

static const char *name_of(const struct code_name *names, size_t n, const char *code,
                           const char *unnamed)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i].code, code) == 0)
			return names[i].name;
	return code[0] ? code : unnamed;
}

const char *words_prison(const char *code)
{
	return name_of(prisons, sizeof(prisons) / sizeof(prisons[0]), code, "an unnamed prison");
}

const char *words_force(const char *code)
{
	return name_of(forces, sizeof(forces) / sizeof(forces[0]), code, "a force");
}

void words_add_day(struct sentence *text, const char *date, const char *clock)
{
	words_add_if(text, " ", date);
	words_add_if(text, " ", clock);
}

void words_add_time(struct sentence *text, const char *before, const Ttg__Time *time)
{
	char date[11];
	char clock[6];

	if (!time)
		return;
	instant_to_civil(time->unix_ns, date, clock);
	sentence_add(text, "%s%s %s", before, date, clock);
}

void words_add_if(struct sentence *text, const char *before, const char *value)
{
	if (value && value[0])
		sentence_add(text, "%s%s", before, value);
}

void words_add_needs(struct sentence *text, const char *before, Ttg__Need *const *needs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		sentence_add(text, "%s", i == 0 ? before : ", ");
		words_add_enum(text, &ttg__need_category__descriptor, (int)needs[i]->category);
	}
}
