/*
 * The lists of fields of a grant, checked name by name against the catalogue and compiled to a mask. A
 * misspelt name would silently withhold what was agreed, so it is an error with the name that was
 * probably meant.
 *
 * Owner: whoever loads.
 */
#include "config/build.h"

#include <string.h>
#include "config/forms.h"
#include "config/nearest.h"

/* One list of one grant for one type. */
struct list {
	struct builder *builder;
	const struct source *source;
	const config_setting_t *setting;
	const char *name; /* "fields" */
	const char *type;
	struct mask *mask;
	enum mask_answer (*add)(struct mask *mask, const char *path);
	const ProtobufCMessageDescriptor *message; /* where paths begin */
};

static bool is_envelope(const struct list *it)
{
	return it->message == &ttg__event__descriptor;
}

/* Where the walk along the path ends: the message that lacks the name, and the name. */
static const ProtobufCMessageDescriptor *lacking(const struct list *it, const char *path,
						 char name[MASK_NAME_MAX])
{
	const ProtobufCMessageDescriptor *message = it->message;

	for (;;) {
		const size_t len = strcspn(path, ".");
		const ProtobufCFieldDescriptor *field;

		memcpy(name, path, len < MASK_NAME_MAX ? len : MASK_NAME_MAX - 1);
		name[len < MASK_NAME_MAX ? len : MASK_NAME_MAX - 1] = '\0';
		field = protobuf_c_message_descriptor_get_field_by_name(message, name);
		if (field == NULL || path[len] == '\0' || field->type != PROTOBUF_C_TYPE_MESSAGE)
			return message;
		message = field->descriptor;
		path += len + 1;
	}
}

static void tell_no_field(const struct list *it, struct place place, const char *path)
{
	char name[MASK_NAME_MAX];
	const ProtobufCMessageDescriptor *message = lacking(it, path, name);
	const char *whose = is_envelope(it) ? "the envelope" : it->type;
	struct nearest nearest;

	nearest_init(&nearest, name);
	for (unsigned i = 0; i < message->n_fields; i++)
		if (!(message->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
			nearest_try(&nearest, message->fields[i].name);
	if (nearest.best != NULL && strcmp(nearest.best, name) != 0)
		errors_add(it->builder->errors, place,
			   "%s: %.64s is no field of %s, did you mean %s?", it->name, path, whose,
			   nearest.best);
	else
		errors_add(it->builder->errors, place,
			   "%s: %.64s is no field of %s, must be a path of names in the catalogue",
			   it->name, path, whose);
}

static bool tell(const struct list *it, struct place place, const char *path,
		 enum mask_answer answer)
{
	switch (answer) {
	case MASK_ADDED:
		return true;
	case MASK_ALREADY:
		errors_warn(it->builder->errors, place,
			    "%s: %.64s goes already by another of its names, leave one out", it->name,
			    path);
		return true;
	case MASK_NO_FIELD:
		tell_no_field(it, place, path);
		return false;
	case MASK_NEVER:
		errors_add(it->builder->errors, place,
			   "%s: %.64s goes with whole events only, must be left out", it->name, path);
		return false;
	case MASK_NO_PARTS:
		errors_add(it->builder->errors, place,
			   "%s: %.64s goes into a field that has no parts, must end before",
			   it->name, path);
		return false;
	case MASK_TOO_MUCH:
		errors_add(it->builder->errors, place,
			   "%s: %.64s is one part too many, must be at most %d levels and %d messages "
			   "in part",
			   it->name, path, MASK_DEPTH_MAX, MASK_NODES_MAX);
		return false;
	case MASK_NO_MEMORY:
		errors_add(it->builder->errors, place, "%s cannot be taken: no memory", it->name);
		return false;
	}
	return false;
}

static bool add_list(const struct list *it)
{
	const int n = it->setting != NULL ? config_setting_length(it->setting) : 0;
	bool fine = true;

	for (int i = 0; i < n; i++) {
		const config_setting_t *entry =
			config_setting_get_elem(it->setting, (unsigned int)i);
		const char *path = config_setting_get_string(entry);

		if (!tell(it, source_place(it->source, entry), path, it->add(it->mask, path)))
			fine = false;
	}
	return fine;
}

static enum mask_answer add_kind(struct mask *mask, const char *name)
{
	const int kind = mask_kind(name);

	return kind < 0 ? MASK_NO_FIELD : mask_add_kind(mask, (unsigned int)kind);
}

/* As add_list(), with kinds of identifiers for names. */
static bool add_kinds(const struct list *it)
{
	const ProtobufCEnumDescriptor *kinds = &ttg__identifier_kind__descriptor;
	const int n = it->setting != NULL ? config_setting_length(it->setting) : 0;
	bool fine = true;

	for (int i = 0; i < n; i++) {
		const config_setting_t *entry =
			config_setting_get_elem(it->setting, (unsigned int)i);
		const char *name = config_setting_get_string(entry);
		const enum mask_answer answer = add_kind(it->mask, name);
		struct nearest nearest;

		if (answer != MASK_NO_FIELD) {
			fine = tell(it, source_place(it->source, entry), name, answer) && fine;
			continue;
		}
		fine = false;
		nearest_init(&nearest, name);
		for (unsigned k = 1; k < kinds->n_values; k++)
			nearest_try(&nearest, kinds->values[k].name);
		errors_add(it->builder->errors, source_place(it->source, entry),
			   "%s: %.32s is no kind of number, must be one of NOMS, PNC, CRO, CRN, ASN, "
			   "CASE_NUMBER, BOOKING, OTHER%s%s",
			   it->name, name, nearest.best ? "; did you mean " : "",
			   nearest.best ? nearest.best : "");
	}
	return fine;
}

static bool fill(struct builder *builder, const struct source *source,
		 const struct deliver_form *form, const char *type, struct mask *mask)
{
	const struct list fields = {
		.builder = builder, .source = source, .setting = form->fields, .name = "fields",
		.type = type, .mask = mask, .add = mask_add,
		.message = ttg_type_descriptor((size_t)mask->type),
	};
	struct list envelope = fields, identifiers;

	envelope.setting = form->envelope;
	envelope.name = "envelope";
	envelope.add = mask_add_envelope;
	envelope.message = &ttg__event__descriptor;
	identifiers = envelope;
	identifiers.setting = form->identifiers;
	identifiers.name = "identifiers";
	const bool first = add_list(&fields), second = add_list(&envelope);
	return add_kinds(&identifiers) && first && second;
}

bool build_mask(struct builder *builder, const struct source *source, struct place place,
		const struct deliver_form *form, const char *type, uint32_t *mask)
{
	struct rules *rules = builder->rules;
	const int index = ttg_type_find(type);
	struct mask *made, **masks;

	*mask = 0;
	if (form->fields == NULL) {
		if (form->envelope == NULL && form->identifiers == NULL)
			return true;
		errors_add(builder->errors, place,
			   "deliver.%s without fields, must have fields too, or neither",
			   form->envelope != NULL ? "envelope" : "identifiers");
		return false;
	}
	if (index < 0) {
		errors_add(builder->errors, place,
			   "type %s is not known to this version, its fields cannot be chosen, must be "
			   "granted whole",
			   type);
		return false;
	}
	made = mask_new(index);
	if (made == NULL)
		errors_add(builder->errors, place, "the fields cannot be taken: no memory");
	masks = build_grow(builder, rules->masks, rules->n_masks, sizeof(struct mask *));
	if (masks != NULL)
		rules->masks = masks;
	if (made == NULL || masks == NULL || !fill(builder, source, form, type, made)) {
		mask_free(&made);
		return false;
	}
	rules->masks[rules->n_masks++] = made;
	*mask = (uint32_t)rules->n_masks;
	return true;
}
