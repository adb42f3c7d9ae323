/*
 * Events to CloudEvents 1.0; see cloudevents.h. Pure; any thread. On lack of memory NULL.
 */
#include "common/cloudevents.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <ttg/client.h>
#include "base/instant.h"
#include "common/eventjson.h"

#define WORD_BYTES 64

/* Each of these returns false without memory, and true when there is nothing to write. */

static bool write_text(json_t *object, const char *name, const char *text)
{
	return !text[0] || json_object_set_new(object, name, json_string(text)) == 0;
}

static bool write_time(json_t *object, const char *name, const Ttg__Time *time)
{
	char text[INSTANT_TEXT];

	if (!time)
		return true;
	instant_format(time->unix_ns, text);
	return write_text(object, name, text);
}

static bool write_uuid(json_t *object, const char *name, const ProtobufCBinaryData *id)
{
	char text[TTG_UUID_TEXT];

	if (id->len != TTG_UUID_BYTES)
		return true;
	ttg_uuid_format(id->data, text);
	return write_text(object, name, text);
}

/* Name of an enum's value in lower case, or in upper case with hyphens. */
static bool write_word(json_t *object, const char *name, const ProtobufCEnumDescriptor *list,
		       int value, bool upper)
{
	const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(list, value);
	char word[WORD_BYTES];
	size_t n = 0;

	if (!known)
		return json_object_set_new(object, name, json_integer(value)) == 0;
	for (; known->name[n] && n + 1 < sizeof(word); n++) {
		char c = known->name[n] == '_' ? '-' : known->name[n];

		word[n] = upper ? c : (char)tolower((unsigned char)c);
	}
	word[n] = '\0';
	return write_text(object, name, word);
}

static bool write_envelope(json_t *object, const Ttg__Event *event)
{
	return write_text(object, "specversion", "1.0") &&
	       write_uuid(object, "id", &event->id) &&
	       write_text(object, "source", event->source) &&
	       write_text(object, "type", event->type) &&
	       write_time(object, "time", event->occurred_at) &&
	       write_time(object, "recordedtime", event->recorded_at) &&
	       write_uuid(object, "correlationid", &event->correlation_id) &&
	       write_uuid(object, "causationid", &event->causation_id) &&
	       write_uuid(object, "supersedes", &event->supersedes) &&
	       write_time(object, "expirytime", event->expires_at) &&
	       write_text(object, "traceparent", event->traceparent) &&
	       write_word(object, "urgency", &ttg__urgency__descriptor, event->urgency, false) &&
	       (event->marking == 0 ||
		write_word(object, "dataclassification", &ttg__marking__descriptor, event->marking,
			   true)) &&
	       (event->subject_category == 0 ||
		write_word(object, "subjectcategory", &ttg__subject_category__descriptor,
			   event->subject_category, false)) &&
	       (event->assertion == 0 ||
		write_word(object, "assertion", &ttg__assertion__descriptor, event->assertion,
			   false));
}

static bool write_delivery(json_t *object, const struct cloudevents_delivery *delivery)
{
	char text[2 * TTG_PERSON_KEY_BYTES + 1];

	if (!delivery)
		return true;
	snprintf(text, sizeof(text), "%" PRIu64, delivery->position);
	if (!write_text(object, "mailbox", delivery->mailbox ? delivery->mailbox : "") ||
	    !write_text(object, "sequence", text) ||
	    json_object_set_new(object, "attempt", json_integer(delivery->attempt)) < 0)
		return false;
	if (delivery->redacted && json_object_set_new(object, "redacted", json_true()) < 0)
		return false;
	if (!delivery->person_key)
		return true;
	for (size_t i = 0; i < TTG_PERSON_KEY_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", delivery->person_key[i]);
	return write_text(object, "personkey", text) && write_text(object, "partitionkey", text);
}

/* The payload as an object; an empty one when it is of a type we do not know. */
static json_t *write_payload(const Ttg__Event *event, size_t *unknown)
{
	const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(
		&ttg__event__descriptor, (unsigned)event->payload_case);
	const ProtobufCMessage *payload = NULL;

	if (field && ttg_type_of(event) >= 0)
		memcpy(&payload, (const uint8_t *)event + field->offset, sizeof(payload));
	return payload ? eventjson_write(payload, unknown) : json_object();
}

static bool write_data(json_t *object, const Ttg__Event *event, size_t *unknown)
{
	json_t *data = write_payload(event, unknown);

	if (json_object_set_new(object, "data", data) < 0)
		return false;
	*unknown += event->base.n_unknown_fields;
	if (!event->person)
		return true;
	return json_object_set_new(data, "person",
				   eventjson_write(&event->person->base, unknown)) == 0;
}

json_t *cloudevents_write(const Ttg__Event *event, const struct cloudevents_delivery *delivery)
{
	json_t *object = json_object();
	size_t unknown = 0;

	if (!object)
		return NULL;
	if (write_envelope(object, event) && write_delivery(object, delivery) &&
	    write_text(object, "datacontenttype", "application/json") &&
	    write_data(object, event, &unknown) &&
	    (unknown == 0 || json_object_set_new(object, "unknownfields",
						 json_integer((json_int_t)unknown)) == 0))
		return object;
	json_decref(object);
	return NULL;
}
