/*
 * CloudEvents 1.0 to events. Pure but for the id it makes; any thread. cloudevents_write.c has the
 * other way. On failure the event made so far is freed and the message says which attribute.
 */
#include "common/cloudevents.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "base/bounds.h"
#include "base/instant.h"
#include "common/eventjson.h"

#define ATTRIBUTE_NAME_MAX 20
#define ATTRIBUTE_MAX	   256
#define AGENCY_MAX	   32
#define BREACH_MAX	   160

struct attribute {
	const char *name;
	enum ttg_error (*read)(Ttg__Event *event, const char *name, const char *text,
			       struct message *message);
};

static enum ttg_error wrong(struct message *message, const char *name, const char *wanted)
{
	return message_set(message, TTG_EFORMAT, "%s: %s", name, wanted);
}

static bool is_agency(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return len > 0 && len <= AGENCY_MAX && text[len] == '\0';
}

/* "hmp-peterborough", or a URI that ends in it. */
static enum ttg_error read_source(Ttg__Event *event, const char *name, const char *text,
				  struct message *message)
{
	const char *slash = strrchr(text, '/'), *colon = strrchr(text, ':');
	const char *last = slash > colon ? slash : colon;
	const char *agency = last ? last + 1 : text;

	if (!is_agency(agency))
		return wrong(message, name, "an agency id, or a URI that ends in one, is wanted");
	event->source = strdup(agency);
	return event->source ? TTG_OK : TTG_ENOMEM;
}

/* "prison.released", or with a reverse domain name before it. */
static enum ttg_error read_type(Ttg__Event *event, const char *name, const char *text,
				struct message *message)
{
	const char *type = text;

	while (type && ttg_type_find(type) < 0) {
		type = strchr(type, '.');
		if (type)
			type++;
	}
	if (!type)
		return wrong(message, name, "not in the catalogue");
	event->type = strdup(type);
	return event->type ? TTG_OK : TTG_ENOMEM;
}

static enum ttg_error read_specversion(Ttg__Event *event, const char *name, const char *text,
				       struct message *message)
{
	(void)event;
	return strcmp(text, "1.0") == 0 ? TTG_OK : wrong(message, name, "must be \"1.0\"");
}

static enum ttg_error read_content(Ttg__Event *event, const char *name, const char *text,
				   struct message *message)
{
	(void)event;
	return strncmp(text, "application/json", 16) == 0 ?
		       TTG_OK :
		       wrong(message, name, "must be application/json");
}

static enum ttg_error set_time(Ttg__Time **field, const char *name, const char *text,
			       struct message *message)
{
	char canonical[INSTANT_TEXT];
	int64_t unix_ns;

	if (strlen(text) > 64 || instant_parse(text, &unix_ns) != TTG_OK)
		return wrong(message, name, "a time like 2026-11-21T10:15:00Z is wanted");
	*field = malloc(sizeof(**field));
	if (!*field)
		return TTG_ENOMEM;
	ttg__time__init(*field);
	(*field)->unix_ns = unix_ns;
	instant_format(unix_ns, canonical);
	if (strcmp(canonical, text) == 0)
		return TTG_OK;
	char *original = strdup(text);
	if (!original)
		return TTG_ENOMEM;
	(*field)->original = original;
	return TTG_OK;
}

static enum ttg_error read_time(Ttg__Event *event, const char *name, const char *text,
				struct message *message)
{
	return set_time(&event->occurred_at, name, text, message);
}

static enum ttg_error read_recorded(Ttg__Event *event, const char *name, const char *text,
				    struct message *message)
{
	return set_time(&event->recorded_at, name, text, message);
}

static enum ttg_error read_expiry(Ttg__Event *event, const char *name, const char *text,
				  struct message *message)
{
	return set_time(&event->expires_at, name, text, message);
}

static enum ttg_error set_uuid(ProtobufCBinaryData *field, const char *name, const char *text,
			       struct message *message)
{
	uint8_t id[TTG_UUID_BYTES];

	if (ttg_uuid_parse(text, id) != TTG_OK)
		return wrong(message, name, "a UUID is wanted");
	field->data = malloc(sizeof(id));
	if (!field->data)
		return TTG_ENOMEM;
	memcpy(field->data, id, sizeof(id));
	field->len = sizeof(id);
	return TTG_OK;
}

static enum ttg_error read_id(Ttg__Event *event, const char *name, const char *text,
			      struct message *message)
{
	return set_uuid(&event->id, name, text, message);
}

static enum ttg_error read_correlation(Ttg__Event *event, const char *name, const char *text,
				       struct message *message)
{
	return set_uuid(&event->correlation_id, name, text, message);
}

static enum ttg_error read_causation(Ttg__Event *event, const char *name, const char *text,
				     struct message *message)
{
	return set_uuid(&event->causation_id, name, text, message);
}

static enum ttg_error read_supersedes(Ttg__Event *event, const char *name, const char *text,
				      struct message *message)
{
	return set_uuid(&event->supersedes, name, text, message);
}

static enum ttg_error read_word(const ProtobufCEnumDescriptor *list, int *out, const char *name,
				const char *text, struct message *message)
{
	return eventjson_enum_find(list, text, out) ? TTG_OK :
						      wrong(message, name, "not a word of its list");
}

static enum ttg_error read_urgency(Ttg__Event *event, const char *name, const char *text,
				   struct message *message)
{
	int value = 0;
	enum ttg_error code = read_word(&ttg__urgency__descriptor, &value, name, text, message);

	event->urgency = (Ttg__Urgency)value;
	return code;
}

static enum ttg_error read_marking(Ttg__Event *event, const char *name, const char *text,
				   struct message *message)
{
	int value = 0;
	enum ttg_error code = read_word(&ttg__marking__descriptor, &value, name, text, message);

	event->marking = (Ttg__Marking)value;
	return code;
}

static enum ttg_error read_category(Ttg__Event *event, const char *name, const char *text,
				    struct message *message)
{
	int value = 0;
	enum ttg_error code =
		read_word(&ttg__subject_category__descriptor, &value, name, text, message);

	event->subject_category = (Ttg__SubjectCategory)value;
	return code;
}

static enum ttg_error read_assertion(Ttg__Event *event, const char *name, const char *text,
				     struct message *message)
{
	int value = 0;
	enum ttg_error code = read_word(&ttg__assertion__descriptor, &value, name, text, message);

	event->assertion = (Ttg__Assertion)value;
	return code;
}

static enum ttg_error read_trace(Ttg__Event *event, const char *name, const char *text,
				 struct message *message)
{
	if (strlen(text) > 128)
		return message_set(message, TTG_ELIMIT, "%s: longer than 128 bytes", name);
	event->traceparent = strdup(text);
	return event->traceparent ? TTG_OK : TTG_ENOMEM;
}

static const struct attribute attributes[] = {
	{ "specversion", read_specversion }, { "id", read_id },
	{ "source", read_source },	     { "type", read_type },
	{ "time", read_time },		     { "datacontenttype", read_content },
	{ "recordedtime", read_recorded },   { "correlationid", read_correlation },
	{ "causationid", read_causation },   { "supersedes", read_supersedes },
	{ "expirytime", read_expiry },	     { "traceparent", read_trace },
	{ "urgency", read_urgency },	     { "dataclassification", read_marking },
	{ "subjectcategory", read_category }, { "assertion", read_assertion },
};

static const struct attribute *find_attribute(const char *name)
{
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
		if (strcmp(attributes[i].name, name) == 0)
			return &attributes[i];
	return NULL;
}

static bool is_attribute_name(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789");

	return len > 0 && len <= ATTRIBUTE_NAME_MAX && name[len] == '\0';
}

static enum ttg_error read_attribute(Ttg__Event *event, const char *name, const json_t *value,
				     unsigned *ignored, struct message *message)
{
	const struct attribute *attribute = find_attribute(name);

	if (!is_attribute_name(name))
		return wrong(message, "attributes",
			     "names of 1 to 20 lower-case letters and digits are wanted");
	if (!attribute) {
		(*ignored)++;
		return TTG_OK;
	}
	if (json_is_null(value))
		return TTG_OK;
	if (!json_is_string(value) || json_string_length(value) == 0)
		return wrong(message, name, "a string is wanted");
	if (json_string_length(value) > ATTRIBUTE_MAX)
		return message_set(message, TTG_ELIMIT, "%s: longer than 256 bytes", name);
	return attribute->read(event, name, json_string_value(value), message);
}

static enum ttg_error read_attributes(Ttg__Event *event, const json_t *json, unsigned *ignored,
				      struct message *message)
{
	enum ttg_error code = TTG_OK;
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)json, name, value) {
		if (strcmp(name, "data") == 0)
			continue;
		if (strcmp(name, "data_base64") == 0)
			return wrong(message, name, "data must be JSON");
		code = read_attribute(event, name, value, ignored, message);
		if (code != TTG_OK)
			return code;
	}
	if (!json_object_get(json, "specversion"))
		return wrong(message, "specversion", "is missing");
	if (!event->source[0])
		return wrong(message, "source", "is missing");
	if (!event->type[0])
		return wrong(message, "type", "is missing");
	if (!event->occurred_at)
		return wrong(message, "time", "is missing: when it happened");
	return TTG_OK;
}

static enum ttg_error read_person(Ttg__Event *event, const json_t *person, struct message *message)
{
	ProtobufCMessage *made;

	if (!person || json_is_null(person))
		return TTG_OK;
	enum ttg_error code = eventjson_read(&ttg__person__descriptor, person, "data.person", &made,
					     message);
	if (code == TTG_OK)
		event->person = (Ttg__Person *)made;
	return code;
}

/* The payload field of the event whose type is known. */
static const ProtobufCFieldDescriptor *payload_field(const Ttg__Event *event)
{
	char name[64];
	size_t len = strlen(event->type);

	assert(len < sizeof(name));
	memcpy(name, event->type, len + 1);
	*strchr(name, '.') = '_';
	return protobuf_c_message_descriptor_get_field_by_name(&ttg__event__descriptor, name);
}

static enum ttg_error read_payload(Ttg__Event *event, const json_t *data, struct message *message)
{
	const ProtobufCFieldDescriptor *field = payload_field(event);
	ProtobufCMessage *made;

	assert(field);
	enum ttg_error code = eventjson_read(field->descriptor, data, "data", &made, message);
	if (code != TTG_OK)
		return code;
	memcpy((uint8_t *)event + field->offset, &made, sizeof(made));
	event->payload_case = (Ttg__Event__PayloadCase)field->id;
	return TTG_OK;
}

static enum ttg_error read_data(Ttg__Event *event, const json_t *data, struct message *message)
{
	if (data && !json_is_object(data))
		return wrong(message, "data", "an object is wanted");
	json_t *payload = data ? json_copy((json_t *)(uintptr_t)data) : json_object();
	if (!payload)
		return TTG_ENOMEM;
	json_object_del(payload, "person");
	enum ttg_error code = read_payload(event, payload, message);
	json_decref(payload);
	if (code == TTG_OK && data)
		code = read_person(event, json_object_get(data, "person"), message);
	return code;
}

static enum ttg_error make_id(Ttg__Event *event)
{
	if (event->id.len > 0)
		return TTG_OK;
	event->id.data = malloc(TTG_UUID_BYTES);
	if (!event->id.data)
		return TTG_ENOMEM;
	event->id.len = TTG_UUID_BYTES;
	return ttg_uuid_new(event->id.data);
}

/* What the broker would refuse for its length or number is refused here, where somebody looks. */
static enum ttg_error check_bounds(const Ttg__Event *event, struct message *message)
{
	char breach[BREACH_MAX];

	if (!bounds_find_breach(&event->base, breach, sizeof(breach)))
		return TTG_OK;
	return message_set(message, TTG_ELIMIT, "%s", breach);
}

enum ttg_error cloudevents_read(const json_t *json, Ttg__Event **out, unsigned *ignored,
				struct message *message)
{
	*out = NULL;
	*ignored = 0;
	if (!json_is_object(json))
		return message_set(message, TTG_EFORMAT, "a JSON object is wanted");
	Ttg__Event *event = malloc(sizeof(*event));
	if (!event)
		return message_set(message, TTG_ENOMEM, "no memory");
	ttg__event__init(event);
	*out = event;
	enum ttg_error code = read_attributes(event, json, ignored, message);
	if (code == TTG_OK)
		code = read_data(event, json_object_get(json, "data"), message);
	if (code == TTG_OK)
		code = make_id(event);
	if (code == TTG_OK)
		code = ttg_event_complete(event);
	if (code == TTG_OK)
		code = check_bounds(event, message);
	if (code == TTG_ENOMEM)
		message_set(message, code, "no memory");
	if (code != TTG_OK) {
		ttg__event__free_unpacked(event, NULL);
		*out = NULL;
	}
	return code;
}
