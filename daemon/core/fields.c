/*
 * Working out the rules of all fields once; see fields.h. Begins with Event and goes on with what
 * its fields hold. The catalogue is ours: that it is too large for the array is our own bug.
 */
#include "core/fields.h"

#include <assert.h>
#include <stdlib.h>

/* Number of a message; a new one gets the next. */
static uint32_t number_of(struct fields *fields, const ProtobufCMessageDescriptor *descriptor)
{
	uint32_t i = 0;

	while (i < fields->n_messages && fields->messages[i].descriptor != descriptor)
		i++;
	if (i == fields->n_messages) {
		assert(i < FIELDS_MESSAGES_MAX);
		fields->messages[i].descriptor = descriptor;
		fields->n_messages++;
	}
	return i;
}

/* Finds every message that can be reached; gives how many fields they have together. */
static size_t find_messages(struct fields *fields)
{
	size_t n = 0;

	number_of(fields, &ttg__event__descriptor);
	for (uint32_t i = 0; i < fields->n_messages; i++) {
		const ProtobufCMessageDescriptor *it = fields->messages[i].descriptor;

		for (unsigned k = 0; k < it->n_fields; k++) {
			if (it->fields[k].type == PROTOBUF_C_TYPE_MESSAGE)
				number_of(fields, it->fields[k].descriptor);
		}
		n += it->n_fields;
	}
	return n;
}

static bool is_wanted(const ProtobufCFieldDescriptor *field, const struct bound *bound)
{
	return bound->form == BOUND_NUMBER && field->label != PROTOBUF_C_LABEL_REPEATED &&
	       !(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) && !bounds_number_fits(bound, 0);
}

struct fields *fields_new(void)
{
	struct fields *fields = calloc(1, sizeof(*fields));
	struct field_rule *rule;
	size_t n;

	if (!fields)
		return NULL;
	n = find_messages(fields);
	assert(n > 0);
	rule = fields->all = calloc(n, sizeof(*fields->all));
	if (!rule) {
		fields_free(&fields);
		return NULL;
	}
	for (uint32_t i = 0; i < fields->n_messages; i++) {
		const ProtobufCMessageDescriptor *it = fields->messages[i].descriptor;

		assert(it->n_fields <= FIELDS_PER_MESSAGE_MAX);
		fields->messages[i].fields = rule;
		for (unsigned k = 0; k < it->n_fields; k++, rule++) {
			rule->bound = bounds_of(it, &it->fields[k]);
			rule->wanted = is_wanted(&it->fields[k], &rule->bound);
			if (rule->wanted)
				fields->messages[i].any_wanted = true;
			if (it->fields[k].type == PROTOBUF_C_TYPE_MESSAGE)
				rule->inner = number_of(fields, it->fields[k].descriptor);
		}
	}
	return fields;
}

void fields_free(struct fields **fields)
{
	if (*fields)
		free((*fields)->all);
	free(*fields);
	*fields = NULL;
}
