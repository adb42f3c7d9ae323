/* Names of the catalogue in plain English. See words.h. Pure. */
#include "partner/words.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Length of what all names of the list begin with, up to an underscore. */
static size_t shared_length(const ProtobufCEnumDescriptor *list)
{
	const char *first = list->values[0].name;
	size_t shared = strlen(first);

	for (unsigned i = 1; i < list->n_values; i++) {
		size_t same = 0;

		while (same < shared && first[same] == list->values[i].name[same])
			same++;
		shared = same;
	}
	while (shared > 0 && first[shared - 1] != '_')
		shared--;
	return shared;
}

void words_of(const ProtobufCEnumDescriptor *list, int value, char out[WORDS_BYTES])
{
	const ProtobufCEnumValue *found =
	        value == 0 ? NULL : protobuf_c_enum_descriptor_get_value(list, value);

	snprintf(out, WORDS_BYTES, "%s",
	         found == NULL ? "not said" : found->name + shared_length(list));
	for (char *at = out; found != NULL && *at != '\0'; at++)
		*at = *at == '_' ? ' ' : (char)tolower((unsigned char)*at);
}

void words_line(const char *text, char out[WORDS_BYTES])
{
	size_t len = strlen(text);

	if (len >= WORDS_BYTES) /* whole characters only */
		for (len = WORDS_BYTES - 1; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;)
			len--;
	for (size_t i = 0; i < len; i++)
		out[i] = (unsigned char)text[i] < ' ' || text[i] == 127 ? '?' : text[i];
	out[len] = '\0';
}

void words_case_number(const struct referral *referral, char out[WORDS_BYTES])
{
	const Ttg__Person *person =
	        referral->sent == NULL ? NULL : referral->sent->event->person;

	snprintf(out, WORDS_BYTES, "no case number");
	for (size_t i = 0; person != NULL && i < person->n_identifiers; i++) {
		if (person->identifiers[i]->kind == TTG__IDENTIFIER_KIND__CASE_NUMBER) {
			words_line(person->identifiers[i]->value, out);
			return;
		}
	}
}
