/*
 * An event, hostile, cut by a mask that the input chooses. Broken when an event that the broker takes
 * cannot be cut, when it grows, when cutting again changes it, when the broker would read it as
 * something else, or when a field that is not granted is still there.
 */
#include "fuzz.h"

#include "core/event.h"
#include "core/redact.h"

#define EVENT_MAX 8192
#define PATHS_MAX 12

/* A path of existing names, chosen byte by byte. */
static void choose_path(struct fuzz_input *input, const ProtobufCMessageDescriptor *message,
			char out[MASK_PATH_MAX])
{
	size_t used = 0;

	for (int depth = 0; depth < 4; depth++) {
		const ProtobufCFieldDescriptor *field =
			&message->fields[fuzz_u8(input) % message->n_fields];

		used += (size_t)snprintf(out + used, MASK_PATH_MAX - used, "%s%s", depth ? "." : "",
					 field->name);
		if (field->type != PROTOBUF_C_TYPE_MESSAGE || fuzz_u8(input) % 2)
			return;
		message = field->descriptor;
	}
}

static struct mask *choose_mask(struct fuzz_input *input, int type)
{
	struct mask *mask = mask_new(type), *other = mask_new(type), *both;
	const uint8_t n = fuzz_u8(input) % PATHS_MAX;
	char path[MASK_PATH_MAX];

	MUST(mask && other);
	for (uint8_t i = 0; i < n; i++) {
		struct mask *it = i % 3 ? mask : other;

		if (fuzz_u8(input) % 4) {
			choose_path(input, ttg_type_descriptor((size_t)type), path);
			MUST(mask_add(it, path) <= MASK_ALREADY);
		} else {
			choose_path(input, &ttg__event__descriptor, path);
			mask_add_envelope(it, path);
		}
	}
	mask_add_kind(mask, 1 + fuzz_u8(input) % 15u);
	both = mask_union(mask, other);
	MUST(both && mask_text(both, NULL, 0) >= 2);
	mask_free(&mask);
	mask_free(&other);
	return both;
}

/* Nothing but what the mask's nodes name stands in the message. */
static void check_message(const struct mask *mask, const struct mask_node *node, struct span left)
{
	struct wire_field field;

	while (wire_next(&left, &field) == WIRE_TOOK) {
		const ProtobufCFieldDescriptor *known =
			protobuf_c_message_descriptor_get_field(node->message, field.id);
		MUST(known);
		const uint8_t share = node->shares[known - node->message->fields];
		if (node->message == &ttg__person__descriptor && share == MASK_NONE)
			MUST(mask->kinds != 0);
		else
			MUST(share != MASK_NONE);
		if (share >= MASK_PART && field.type == WIRE_SIZED &&
		    node->message != &ttg__person__descriptor)
			check_message(mask, &mask->nodes[share - MASK_PART], field.span);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct fields *fields;
	const struct event_clock clock = { INT64_C(1795000000) * 1000000000, 300 };
	struct fuzz_input input = { data, len };
	uint8_t once[EVENT_MAX], again[EVENT_MAX];
	char text[EVENT_TEXT_MAX] = "";
	struct event event, cut;
	size_t bytes_len = 0, once_len = 0, again_len = 0;

	if (!fields)
		fields = fields_new();
	MUST(fields);
	char *bytes = fuzz_sized(&input, &bytes_len);
	if (bytes_len <= EVENT_MAX &&
	    event_read((const uint8_t *)bytes, bytes_len, fields, &clock, &event, text) == TTG_OK &&
	    event.fault == TTG_OK && event.type_index >= 0) {
		struct mask *mask = choose_mask(&input, event.type_index);

		MUST(redact(mask, (struct span){ (uint8_t *)bytes, bytes_len }, once, &once_len));
		MUST(once_len <= bytes_len);
		MUST(redact(mask, (struct span){ once, once_len }, again, &again_len));
		MUST(once_len == again_len && memcmp(once, again, once_len) == 0);
		if (event_read(once, once_len, fields, &clock, &cut, text) != TTG_OK) {
			fprintf(stderr, "the broker would refuse: %s\n", text);
			abort();
		}
		MUST(cut.type_index == event.type_index &&
		     memcmp(cut.id, event.id, sizeof(cut.id)) == 0);
		check_message(mask, &mask->nodes[0], (struct span){ once, once_len });
		mask_free(&mask);
	}
	free(bytes);
	return 0;
}
