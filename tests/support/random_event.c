/* Filling messages by their descriptors; see random_event.h. One thread. */
#include "support/random_event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bounds.h"
#include "support/assert.h"

#define DEPTH_MAX 4
#define FUTURE_FIELD 9000u

uint32_t random_below(struct random *random, uint32_t bound)
{
	random->state = random->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((random->state >> 33) % bound);
}

struct filling {
	struct random *random;
	struct random_event *out;
	const char *const *agencies;
	size_t n_agencies;
	int64_t now_ns;
	bool future, in_payload;
	int depth;
};

static void fill(struct filling *it, ProtobufCMessage *message, const char *path);

static char *copy(const char *text)
{
	char *made = strdup(text);

	must_be(made != NULL, "no memory");
	return made;
}

/* Letters that stand for this field only; at most `most` of them, and then not kept as a token. */
static void make_token(struct filling *it, const char *path, size_t most, bool upper,
		       char out[RANDOM_TOKEN_BYTES + 1])
{
	struct random_token *token = &it->out->tokens[it->out->n_tokens];
	size_t n = most < RANDOM_TOKEN_BYTES ? most : RANDOM_TOKEN_BYTES;

	for (size_t i = 0; i < n; i++)
		out[i] = (char)((upper ? 'A' : 'a') + (int)random_below(it->random, 26));
	out[n] = '\0';
	if (n < RANDOM_TOKEN_BYTES)
		return;
	must_be(it->out->n_tokens < RANDOM_TOKENS_MAX, "too many tokens");
	snprintf(token->text, sizeof(token->text), "%s", out);
	snprintf(token->path, sizeof(token->path), "%s", path);
	token->in_payload = it->in_payload;
	it->out->n_tokens++;
}

static char *fill_text(struct filling *it, const struct bound *bound, const char *path)
{
	char text[RANDOM_TOKEN_BYTES + 1];
	size_t most = bound->most > 0 ? (size_t)bound->most : RANDOM_TOKEN_BYTES;

	switch ((enum bound_form)bound->form) {
	case BOUND_DATE:
		return copy("2026-05-17");
	case BOUND_CLOCK:
		return copy("08:15");
	case BOUND_AGENCY:
		return copy(it->agencies[random_below(it->random, (uint32_t)it->n_agencies)]);
	case BOUND_CODE:
		make_token(it, path, most, true, text);
		return copy(text);
	case BOUND_ID:
	case BOUND_OTHER:
	case BOUND_TEXT:
	case BOUND_UUID:
	case BOUND_NUMBER:
		make_token(it, path, most, false, text);
		return copy(text);
	}
	return NULL;
}

static ProtobufCBinaryData fill_bytes(struct filling *it, const struct bound *bound,
				      const char *path)
{
	char token[2 * RANDOM_TOKEN_BYTES + 1];
	ProtobufCBinaryData made = { bound->form == BOUND_UUID ? 16 : RANDOM_TOKEN_BYTES, NULL };

	make_token(it, path, RANDOM_TOKEN_BYTES, false, token);
	make_token(it, path, RANDOM_TOKEN_BYTES, false, token + RANDOM_TOKEN_BYTES);
	made.data = malloc(made.len);
	must_be(made.data != NULL, "no memory");
	memcpy(made.data, token, made.len);
	if (bound->form == BOUND_UUID) {
		made.data[8] = 0x80; /* the variant; it ends the second token early */
		it->out->n_tokens--;
	}
	return made;
}

static int64_t fill_number(struct filling *it, const struct bound *bound)
{
	int64_t span;

	if (bound->form != BOUND_NUMBER)
		return 1 + (int64_t)random_below(it->random, 100);
	span = bound->most - bound->least;
	return bound->least + (int64_t)random_below(it->random, span > 100 || span < 0 ? 100 :
							       (uint32_t)span + 1);
}

/* In place of what a text field holds. */
static void replace(char **text, const char *with)
{
	if (*text != protobuf_c_empty_string)
		free(*text);
	*text = with[0] ? copy(with) : (char *)(uintptr_t)protobuf_c_empty_string;
}

/* Nothing is claimed of a number that the broker would find to be a lie. */
static void make_sound(Ttg__Identifier *it)
{
	if (!it->value[0])
		replace(&it->value, "X");
	replace(&it->canonical, "");
	it->validity = TTG__VALIDITY__VALIDITY_UNSPECIFIED;
	if (it->issuer[0])
		replace(&it->issuer, "prison");
}

static ProtobufCMessage *fill_message(struct filling *it,
				      const ProtobufCMessageDescriptor *descriptor,
				      const char *path)
{
	ProtobufCMessage *made = malloc(descriptor->sizeof_message);

	must_be(made != NULL, "no memory");
	protobuf_c_message_init(descriptor, made);
	it->depth++;
	fill(it, made, path);
	it->depth--;
	if (descriptor == &ttg__time__descriptor)
		((Ttg__Time *)made)->unix_ns = it->now_ns - random_below(it->random, 1000000);
	else if (descriptor == &ttg__identifier__descriptor)
		make_sound((Ttg__Identifier *)(void *)made);
	return made;
}

/* One value into `at`. */
static void fill_value(struct filling *it, const ProtobufCFieldDescriptor *field,
		       const struct bound *bound, void *at, const char *path)
{
	const ProtobufCEnumDescriptor *words;

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		*(char **)at = fill_text(it, bound, path);
		break;
	case PROTOBUF_C_TYPE_BYTES:
		*(ProtobufCBinaryData *)at = fill_bytes(it, bound, path);
		break;
	case PROTOBUF_C_TYPE_MESSAGE:
		*(ProtobufCMessage **)at = fill_message(it, field->descriptor, path);
		break;
	case PROTOBUF_C_TYPE_ENUM:
		words = field->descriptor;
		*(int *)at = words->values[random_below(it->random, words->n_values)].value;
		break;
	case PROTOBUF_C_TYPE_BOOL:
		*(protobuf_c_boolean *)at = 1;
		break;
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		*(int32_t *)at = (int32_t)fill_number(it, bound);
		break;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		*(int64_t *)at = fill_number(it, bound);
		break;
	case PROTOBUF_C_TYPE_FLOAT:
		*(float *)at = 1.5f;
		break;
	case PROTOBUF_C_TYPE_DOUBLE:
		*(double *)at = 2.5;
		break;
	}
}

size_t random_value_bytes(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return 8;
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

static void fill_field(struct filling *it, ProtobufCMessage *message,
		       const ProtobufCFieldDescriptor *field, const char *path)
{
	const struct bound bound = bounds_of(message->descriptor, field);
	char *base = (char *)message;

	if (field->label != PROTOBUF_C_LABEL_REPEATED) {
		fill_value(it, field, &bound, base + field->offset, path);
		return;
	}
	const size_t n = 1 + random_below(it->random, bound.entries > 2 ? 2 : bound.entries);
	char *entries = calloc(n, random_value_bytes(field->type));
	must_be(entries != NULL, "no memory");
	for (size_t i = 0; i < n; i++)
		fill_value(it, field, &bound, entries + i * random_value_bytes(field->type), path);
	*(size_t *)(void *)(base + field->quantifier_offset) = n;
	*(void **)(void *)(base + field->offset) = entries;
}

static void add_future(struct filling *it, ProtobufCMessage *message, const char *path)
{
	ProtobufCMessageUnknownField *unknown = calloc(1, sizeof(*unknown));
	char token[RANDOM_TOKEN_BYTES + 1], where[512];

	must_be(unknown != NULL, "no memory");
	snprintf(where, sizeof(where), "%.200s.?", path);
	make_token(it, where, RANDOM_TOKEN_BYTES, false, token);
	unknown->tag = FUTURE_FIELD;
	unknown->wire_type = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
	unknown->len = 1 + RANDOM_TOKEN_BYTES;
	unknown->data = malloc(unknown->len);
	must_be(unknown->data != NULL, "no memory");
	unknown->data[0] = RANDOM_TOKEN_BYTES;
	memcpy(unknown->data + 1, token, RANDOM_TOKEN_BYTES);
	message->n_unknown_fields = 1;
	message->unknown_fields = unknown;
}

static void fill(struct filling *it, ProtobufCMessage *message, const char *path)
{
	const ProtobufCMessageDescriptor *descriptor = message->descriptor;
	char inner[512];

	for (unsigned i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
		const struct bound bound = bounds_of(descriptor, field);
		const bool wanted = bound.form == BOUND_NUMBER && !bounds_number_fits(&bound, 0);

		if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) ||
		    (random_below(it->random, 5) == 0 && !wanted) ||
		    (field->type == PROTOBUF_C_TYPE_MESSAGE && it->depth >= DEPTH_MAX))
			continue;
		snprintf(inner, sizeof(inner), "%.200s%s%s", path, *path ? "." : "", field->name);
		fill_field(it, message, field, inner);
	}
	if (it->future && random_below(it->random, 4) == 0)
		add_future(it, message, path);
}

/* What the broker insists on. */
static void complete(struct filling *it, Ttg__Event *event, int type, const char *source,
		     const char *noms)
{
	Ttg__Identifier *number = malloc(sizeof(*number));

	must_be(number != NULL, "no memory");
	replace(&event->source, source);
	replace(&event->type, ttg_type_name((size_t)type));
	free(event->id.data);
	event->id = (ProtobufCBinaryData){ 16, malloc(16) };
	must_be(event->id.data != NULL, "no memory");
	for (int i = 0; i < 16; i++)
		event->id.data[i] = (uint8_t)random_below(it->random, 256);
	event->id.data[8] = (uint8_t)(0x80 | (event->id.data[8] & 0x3f));
	if (!event->occurred_at)
		event->occurred_at = (Ttg__Time *)(void *)fill_message(it, &ttg__time__descriptor,
								       "occurred_at");
	if (event->expires_at)
		event->expires_at->unix_ns = it->now_ns + INT64_C(3600000000000);
	ttg__identifier__init(number);
	number->kind = TTG__IDENTIFIER_KIND__NOMS;
	number->value = copy(noms);
	if (!event->person)
		event->person = (Ttg__Person *)(void *)fill_message(it, &ttg__person__descriptor,
								    "person");
	event->person->identifiers =
		realloc(event->person->identifiers,
			(event->person->n_identifiers + 1) * sizeof(*event->person->identifiers));
	must_be(event->person->identifiers != NULL, "no memory");
	event->person->identifiers[event->person->n_identifiers++] = number;
}

static void set_payload(Ttg__Event *event, int type, ProtobufCMessage *payload)
{
	const ProtobufCMessageDescriptor *envelope = &ttg__event__descriptor;

	for (unsigned i = 0; i < envelope->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &envelope->fields[i];

		if (field->descriptor != payload->descriptor ||
		    !(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
			continue;
		event->payload_case = (Ttg__Event__PayloadCase)field->id;
		*(ProtobufCMessage **)(void *)((char *)event + field->offset) = payload;
		return;
	}
	must_fail("type %d has no payload", type);
}

struct random_event *random_event_new(struct random *random, int type, const char *source,
				      const char *noms, const char *const *agencies,
				      size_t n_agencies, int64_t now_ns, bool future)
{
	struct random_event *made = calloc(1, sizeof(*made));
	struct filling it = { .random = random, .out = made, .agencies = agencies,
			      .n_agencies = n_agencies, .now_ns = now_ns, .future = future };

	must_be(made != NULL, "no memory");
	made->tokens = calloc(RANDOM_TOKENS_MAX, sizeof(*made->tokens));
	made->event = malloc(sizeof(*made->event));
	must_be(made->tokens != NULL && made->event != NULL, "no memory");
	ttg__event__init(made->event);
	fill(&it, &made->event->base, "");
	complete(&it, made->event, type, source, noms);
	it.in_payload = true;
	set_payload(made->event, type, fill_message(&it, ttg_type_descriptor((size_t)type), ""));
	must_be(ttg_event_pack(made->event, &made->bytes, &made->len) == TTG_OK, "cannot pack");
	return made;
}

void random_event_free(struct random_event **event)
{
	if (!*event)
		return;
	ttg__event__free_unpacked((*event)->event, NULL);
	free((*event)->bytes);
	free((*event)->tokens);
	free(*event);
	*event = NULL;
}
