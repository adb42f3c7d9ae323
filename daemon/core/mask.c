/*
 * Making masks and spelling them; see mask.h. A message that is granted in part has a node of its own,
 * which every path through it shares. A field granted whole covers what was granted in part before;
 * the node of that is then reached by nobody.
 *
 * Paths come from a configuration file: nothing is believed about them.
 */
#include "core/mask.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static_assert(MASK_PART + MASK_NODES_MAX <= UINT8_MAX, "a share is one byte");

static const char *const always[] = { "id",	 "source",    "type",	 "occurred_at", "supersedes",
				      "marking", "assertion", "urgency", "expires_at" };

/* With it, what was left out of the event could be guessed and compared with the digest that its publisher
   signed. */
static const char never[] = "nonce";

static unsigned index_in(const ProtobufCMessageDescriptor *message,
			 const ProtobufCFieldDescriptor *field)
{
	return (unsigned)(field - message->fields);
}

static const ProtobufCFieldDescriptor *field_of(const ProtobufCMessageDescriptor *message,
						const char *name)
{
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field_by_name(message, name);

	assert(field);
	return field;
}

/* Index of a new node without any field; false when there are too many or no memory. */
static bool add_node(struct mask *mask, const ProtobufCMessageDescriptor *message, size_t *index)
{
	struct mask_node *grown;

	assert(message->n_fields <= MASK_FIELDS_MAX);
	if (mask->n_nodes == MASK_NODES_MAX)
		return false;
	grown = realloc(mask->nodes, (mask->n_nodes + 1) * sizeof(*grown));
	if (!grown)
		return false;
	mask->nodes = grown;
	grown[mask->n_nodes] = (struct mask_node){ .message = message };
	*index = mask->n_nodes++;
	return true;
}

/* Index of the payload's field in the Event. */
static unsigned payload_index(int type)
{
	const ProtobufCMessageDescriptor *event = &ttg__event__descriptor;
	const ProtobufCMessageDescriptor *payload = ttg_type_descriptor((size_t)type);
	unsigned i = 0;

	while (i < event->n_fields && event->fields[i].descriptor != payload)
		i++;
	assert(i < event->n_fields);
	return i;
}

struct mask *mask_new(int type)
{
	const ProtobufCMessageDescriptor *event = &ttg__event__descriptor;
	struct mask *mask = calloc(1, sizeof(*mask));
	size_t root, payload;

	assert(type >= 0 && (size_t)type < ttg_type_count());
	if (!mask || !add_node(mask, event, &root) ||
	    !add_node(mask, ttg_type_descriptor((size_t)type), &payload)) {
		mask_free(&mask);
		return NULL;
	}
	mask->type = type;
	mask->nodes[root].shares[payload_index(type)] = (uint8_t)(MASK_PART + payload);
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		mask->nodes[root].shares[index_in(event, field_of(event, always[i]))] = MASK_WHOLE;
	return mask;
}

void mask_free(struct mask **mask)
{
	if (*mask)
		free((*mask)->nodes);
	free(*mask);
	*mask = NULL;
}

/* The next name of a path, NUL at its end; false when it is no name. */
static bool next_name(const char **path, char out[MASK_NAME_MAX])
{
	const size_t len = strcspn(*path, ".");

	if (len == 0 || len >= MASK_NAME_MAX)
		return false;
	memcpy(out, *path, len);
	out[len] = '\0';
	*path += len + ((*path)[len] == '.' && (*path)[len + 1] != '\0' ? 1 : 0);
	return true;
}

/* Node behind a field of a node, made when it is not there. */
static enum mask_answer step_into(struct mask *mask, size_t *node,
				  const ProtobufCFieldDescriptor *field)
{
	const unsigned i = index_in(mask->nodes[*node].message, field);
	const uint8_t share = mask->nodes[*node].shares[i];
	size_t inner = 0;

	if (field->type != PROTOBUF_C_TYPE_MESSAGE)
		return MASK_NO_PARTS;
	if (share == MASK_WHOLE)
		return MASK_ALREADY;
	if (share >= MASK_PART) {
		*node = share - (size_t)MASK_PART;
		return MASK_ADDED;
	}
	if (mask->n_nodes == MASK_NODES_MAX)
		return MASK_TOO_MUCH;
	if (!add_node(mask, field->descriptor, &inner))
		return MASK_NO_MEMORY;
	mask->nodes[*node].shares[i] = (uint8_t)(MASK_PART + inner);
	*node = inner;
	return MASK_ADDED;
}

static enum mask_answer add_from(struct mask *mask, size_t node, const char *path)
{
	char name[MASK_NAME_MAX];

	for (int depth = 0; depth < MASK_DEPTH_MAX; depth++) {
		const ProtobufCFieldDescriptor *field;
		enum mask_answer answer;
		uint8_t *share;

		if (!next_name(&path, name))
			return MASK_NO_FIELD;
		field = protobuf_c_message_descriptor_get_field_by_name(mask->nodes[node].message,
									name);
		if (!field)
			return MASK_NO_FIELD;
		if (*path == '\0') {
			share = &mask->nodes[node]
					 .shares[index_in(mask->nodes[node].message, field)];
			answer = *share == MASK_WHOLE ? MASK_ALREADY : MASK_ADDED;
			*share = MASK_WHOLE;
			return answer;
		}
		if (*path == '.')
			return MASK_NO_FIELD; /* nothing behind the dot */
		answer = step_into(mask, &node, field);
		if (answer != MASK_ADDED)
			return answer;
	}
	return MASK_TOO_MUCH;
}

enum mask_answer mask_add(struct mask *mask, const char *path)
{
	return add_from(mask, mask->nodes[0].shares[payload_index(mask->type)] - (size_t)MASK_PART,
			path);
}

enum mask_answer mask_add_envelope(struct mask *mask, const char *path)
{
	const ProtobufCFieldDescriptor *field;
	const char *at = path;
	char name[MASK_NAME_MAX];

	if (!next_name(&at, name))
		return MASK_NO_FIELD;
	field = protobuf_c_message_descriptor_get_field_by_name(&ttg__event__descriptor, name);
	if (!field || (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
		return MASK_NO_FIELD; /* a payload is none of the envelope's fields */
	if (strcmp(field->name, never) == 0)
		return MASK_NEVER;
	return add_from(mask, 0, path);
}

/* Whether identifiers go one by one, for what they are; all do when the person goes whole. */
static bool goes_by_kind(const struct mask *mask)
{
	const ProtobufCMessageDescriptor *event = &ttg__event__descriptor;
	const ProtobufCMessageDescriptor *person = &ttg__person__descriptor;
	const uint8_t share = mask->nodes[0].shares[index_in(event, field_of(event, "person"))];

	return share >= MASK_PART &&
	       mask->nodes[share - MASK_PART].shares[index_in(person, field_of(person, "identifiers"))] !=
		       MASK_WHOLE;
}

enum mask_answer mask_add_kind(struct mask *mask, unsigned kind)
{
	size_t node = 0;
	enum mask_answer answer =
		step_into(mask, &node, field_of(&ttg__event__descriptor, "person"));

	assert(kind > 0 && kind < 32);
	if (answer != MASK_ADDED)
		return answer;
	if (!goes_by_kind(mask) || (mask->kinds & 1u << kind))
		return MASK_ALREADY;
	mask->kinds |= 1u << kind;
	return MASK_ADDED;
}

static bool merge(struct mask *into, size_t at, const struct mask *from, size_t node)
{
	const ProtobufCMessageDescriptor *message = from->nodes[node].message;

	for (unsigned i = 0; i < message->n_fields; i++) {
		const uint8_t theirs = from->nodes[node].shares[i];
		const uint8_t ours = into->nodes[at].shares[i];
		size_t inner = at;

		if (theirs == MASK_NONE || ours == MASK_WHOLE)
			continue;
		if (theirs == MASK_WHOLE) {
			into->nodes[at].shares[i] = theirs;
			continue;
		}
		if (step_into(into, &inner, &message->fields[i]) != MASK_ADDED ||
		    !merge(into, inner, from, theirs - (size_t)MASK_PART))
			return false;
	}
	return true;
}

struct mask *mask_union(const struct mask *a, const struct mask *b)
{
	struct mask *both = mask_new(a->type);

	assert(a->type == b->type);
	if (!both || !merge(both, 0, a, 0) || !merge(both, 0, b, 0)) {
		mask_free(&both);
		return NULL;
	}
	both->kinds = a->kinds | b->kinds;
	return both;
}

/* Text that may be longer than its room: counted all the same. */
struct spelling {
	char *out;
	size_t room, len;
	bool first; /* of its part */
};

static void spell(struct spelling *it, const char *text)
{
	for (; *text != '\0'; text++, it->len++) {
		if (it->len + 1 < it->room)
			it->out[it->len] = *text;
	}
}

static void spell_entry(struct spelling *it, const char *prefix, const char *name)
{
	if (!it->first)
		spell(it, ",");
	it->first = false;
	spell(it, prefix);
	spell(it, name);
}

static bool goes_always(const char *name)
{
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
		if (strcmp(always[i], name) == 0)
			return true;
	}
	return false;
}

/* The paths of one node, in the order of the catalogue. `skip`: index of one to leave out, -1: none. */
static void spell_node(struct spelling *it, const struct mask *mask, size_t node,
		       const char *prefix, int skip)
{
	const ProtobufCMessageDescriptor *message = mask->nodes[node].message;
	char longer[MASK_PATH_MAX];

	for (unsigned i = 0; i < message->n_fields; i++) {
		const uint8_t share = mask->nodes[node].shares[i];
		const char *name = message->fields[i].name;

		if ((int)i == skip || (node == 0 && goes_always(name)))
			continue;
		if (share == MASK_WHOLE) {
			spell_entry(it, prefix, name);
		} else if (share >= MASK_PART) {
			snprintf(longer, sizeof(longer), "%s%s.", prefix, name);
			spell_node(it, mask, share - (size_t)MASK_PART, longer, -1);
		}
	}
}

size_t mask_text(const struct mask *mask, char *out, size_t room)
{
	const unsigned payload = payload_index(mask->type);
	const ProtobufCEnumDescriptor *kinds = &ttg__identifier_kind__descriptor;
	struct spelling it = { .room = out ? room : 0, .first = true };

	it.out = out;
	spell_node(&it, mask, mask->nodes[0].shares[payload] - (size_t)MASK_PART, "", -1);
	spell(&it, ";");
	it.first = true;
	spell_node(&it, mask, 0, "", (int)payload);
	spell(&it, ";");
	it.first = true;
	for (unsigned i = 0; goes_by_kind(mask) && i < kinds->n_values; i++) {
		if (mask->kinds & 1u << kinds->values[i].value)
			spell_entry(&it, "", kinds->values[i].name);
	}
	if (it.room > 0)
		it.out[it.len < it.room ? it.len : it.room - 1] = '\0';
	return it.len;
}

int mask_kind(const char *name)
{
	const ProtobufCEnumValue *value =
		protobuf_c_enum_descriptor_get_value_by_name(&ttg__identifier_kind__descriptor, name);

	return value && value->value > 0 ? value->value : -1;
}
