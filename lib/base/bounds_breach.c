/*
 * Looking for what the broker would refuse, before it is sent; see bounds.h. For makers of events,
 * who make few: names are compared for each field. Pure.
 */
#include "base/bounds.h"

#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 12 /* messages inside messages */
#define PATH_MAX_BYTES 128

/* Where the search is; a path that is too long is cut off. */
struct search {
	char *out;
	size_t size;
	int depth;
	char path[PATH_MAX_BYTES];
};

static bool find_in_message(struct search *search, const ProtobufCMessage *it);

/* Gives the length of the path before, to which leave() cuts it again. */
static size_t enter(struct search *search, const char *name)
{
	size_t len = strlen(search->path);
	size_t n = strnlen(name, sizeof(search->path) - 1 - len);

	memcpy(search->path + len, name, n);
	search->path[len + n] = '\0';
	return len;
}

static void leave(struct search *search, size_t len)
{
	search->path[len] = '\0';
}

static bool tell(const struct search *search, const char *what)
{
	snprintf(search->out, search->size, "%s %s", search->path, what);
	return true;
}

static bool is_number_beyond(const struct bound *bound, const ProtobufCFieldDescriptor *field,
			     const void *at)
{
	bool is_wide = field->type == PROTOBUF_C_TYPE_INT64 ||
		       field->type == PROTOBUF_C_TYPE_SINT64 ||
		       field->type == PROTOBUF_C_TYPE_SFIXED64;

	if (field->type == PROTOBUF_C_TYPE_UINT32 || field->type == PROTOBUF_C_TYPE_FIXED32)
		return !bounds_number_fits(bound, *(const uint32_t *)at);
	return !bounds_number_fits(bound, is_wide ? *(const int64_t *)at : *(const int32_t *)at);
}

/* One value; `at` points to it as protobuf-c stores it. */
static bool find_in_value(struct search *search, const struct bound *bound,
			  const ProtobufCFieldDescriptor *field, const void *at)
{
	char what[BOUNDS_TELL_MAX];
	const ProtobufCBinaryData *data = at;
	const ProtobufCMessage *inner;
	const char *text;

	if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
		inner = *(ProtobufCMessage *const *)at;
		return inner && find_in_message(search, inner);
	}
	if (bound->form == BOUND_UUID)
		return data->len != 0 && data->len != TTG_UUID_BYTES &&
		       tell(search, "is not 16 bytes");
	if (bound->form == BOUND_NUMBER && is_number_beyond(bound, field, at)) {
		bounds_tell_number(bound, what);
		return tell(search, what);
	}
	if (field->type == PROTOBUF_C_TYPE_STRING) {
		text = *(char *const *)at;
		if (!text || bounds_text_fits(bound, text, strlen(text)))
			return false;
	} else if (field->type != PROTOBUF_C_TYPE_BYTES ||
		   bounds_text_fits(bound, (const char *)data->data, data->len)) {
		return false;
	}
	bounds_tell_text(bound, what);
	return tell(search, what);
}

static bool find_in_list(struct search *search, const struct bound *bound,
			 const ProtobufCFieldDescriptor *field, const char *items, size_t n)
{
	char index[24], what[BOUNDS_TELL_MAX];
	bool found = false;
	size_t step;

	if (n > bound->entries) {
		bounds_tell_entries(bound, what);
		return tell(search, what);
	}
	if (field->type == PROTOBUF_C_TYPE_BYTES)
		step = sizeof(ProtobufCBinaryData);
	else if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE)
		step = sizeof(void *);
	else
		return false; /* numbers in lists have no bound of their own */
	for (size_t i = 0; i < n && !found; i++) {
		snprintf(index, sizeof(index), "[%zu]", i);
		size_t len = enter(search, index);
		found = find_in_value(search, bound, field, items + i * step);
		leave(search, len);
	}
	return found;
}

static bool find_in_field(struct search *search, const ProtobufCMessage *it,
			  const ProtobufCFieldDescriptor *field)
{
	const char *base = (const char *)it;
	const void *quantifier = base + field->quantifier_offset, *at = base + field->offset;
	struct bound bound = bounds_of(it->descriptor, field);

	/* Another member of the same union is set. */
	if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
	    *(const uint32_t *)quantifier != field->id)
		return false;
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return find_in_list(search, &bound, field, *(char *const *)at,
				    *(const size_t *)quantifier);
	return find_in_value(search, &bound, field, at);
}

static bool find_in_message(struct search *search, const ProtobufCMessage *it)
{
	bool found = false;

	if (search->depth == DEPTH_MAX)
		return tell(search, "is nested too deep");
	search->depth++;
	for (unsigned i = 0; i < it->descriptor->n_fields && !found; i++) {
		size_t len = enter(search, search->depth > 1 ? "." : "");

		enter(search, it->descriptor->fields[i].name);
		found = find_in_field(search, it, &it->descriptor->fields[i]);
		leave(search, len);
	}
	search->depth--;
	return found;
}

bool bounds_find_breach(const ProtobufCMessage *message, char *out, size_t size)
{
	struct search search = { .out = out, .size = size };

	return find_in_message(&search, message);
}
