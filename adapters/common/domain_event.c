/*
 * Reading HMPPS domain events. See domain_event.h. Pure but for malloc; everything in a message is
 * somebody else's word and is checked before it is used.
 */
#include "common/domain_event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/instant.h"
#include "common/shape.h"

#define VERSION_MAX 2

/* Where senders put a prison number, in the order they are believed. */
static const char *const noms_keys[] = { "nomsNumber", "prisonerNumber", "prisonerId", "offenderNo",
	                                 "nomsId" };
static const char *const placeholders[] = { "", "None", "none", "null", "text", "N/A", "string" };

static bool is_notification(const json_t *item)
{
	return json_is_string(json_object_get(item, "Message")) &&
	       (json_object_get(item, "Type") != NULL || json_object_get(item, "TopicArn") != NULL);
}

bool domain_event_is(const json_t *item)
{
	return json_object_get(item, "eventType") != NULL || is_notification(item);
}

enum ttg_error domain_event_open(struct domain_event *event, const json_t *item,
                                 struct message *message)
{
	const json_t *type;

	memset(event, 0, sizeof(*event));
	event->root = item;
	if (is_notification(item)) {
		const char *kind = json_string_value(json_object_get(item, "Type"));
		const json_t *inner = json_object_get(item, "Message");

		if (kind != NULL && strcmp(kind, "Notification") != 0)
			return message_set(message, TTG_EFORMAT,
			                   "is wrapped, but its Type is not Notification");
		event->inner = json_loadb(json_string_value(inner), json_string_length(inner),
		                          JSON_REJECT_DUPLICATES, NULL);
		if (!json_is_object(event->inner)) {
			domain_event_close(event);
			return message_set(message, TTG_EFORMAT,
			                   "the Message of the notification is no JSON object");
		}
		event->root = event->inner;
	}
	type = json_object_get(event->root, "eventType");
	if (!json_is_string(type) || json_string_length(type) == 0) {
		domain_event_close(event);
		return message_set(message, TTG_EFORMAT, "eventType is missing");
	}
	event->type = json_string_value(type);
	return TTG_OK;
}

void domain_event_close(struct domain_event *event)
{
	json_decref(event->inner);
	memset(event, 0, sizeof(*event));
}

static enum ttg_error check_version(const json_t *root, struct message *message)
{
	const json_t *version = json_object_get(root, "version");
	double number = 0;
	char *end = NULL;

	if (json_is_number(version)) {
		number = json_number_value(version);
	} else if (json_is_string(version)) {
		number = strtod(json_string_value(version), &end);
		if (*end != '\0')
			number = 0;
	} else {
		return message_set(message, TTG_EFORMAT, "version is missing");
	}
	if (number < 1 || number >= VERSION_MAX + 1)
		return message_set(message, TTG_EVERSION, "version is none of 1 and 2");
	return TTG_OK;
}

static const char *non_empty(const json_t *value)
{
	const char *text = json_string_value(value);

	return text == NULL || *text == '\0' ? NULL : text;
}

static void read_person(struct domain_event *event)
{
	const json_t *list = shape_member(event->root, "personReference.identifiers");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *entry = json_array_get(list, i);
		const char *type = non_empty(json_object_get(entry, "type"));
		const char *value = non_empty(json_object_get(entry, "value"));
		enum identifier_kind kind =
		        type == NULL ? IDENTIFIER_NONE : identifier_kind_parse(type);

		if (kind == IDENTIFIER_NOMS && event->noms == NULL)
			event->noms = value;
		else if (kind == IDENTIFIER_CRN && event->crn == NULL)
			event->crn = value;
	}
	for (size_t i = 0; i < sizeof(noms_keys) / sizeof(*noms_keys); i++) {
		if (event->noms == NULL)
			event->noms = non_empty(json_object_get(event->additional, noms_keys[i]));
	}
	if (event->crn == NULL)
		event->crn = non_empty(json_object_get(event->additional, "crn"));
}

enum ttg_error domain_event_read(struct domain_event *event, struct message *message)
{
	enum ttg_error error = check_version(event->root, message);
	const json_t *additional = json_object_get(event->root, "additionalInformation");
	const char *url = non_empty(json_object_get(event->root, "detailUrl"));

	if (error != TTG_OK)
		return error;
	event->occurred = non_empty(json_object_get(event->root, "occurredAt"));
	if (event->occurred == NULL)
		return message_set(message, TTG_EFORMAT, "occurredAt is missing");
	if (strlen(event->occurred) > 64 ||
	    instant_parse(event->occurred, &event->occurred_ns) != TTG_OK)
		return message_set(message, TTG_EFORMAT, "occurredAt is no date and time");
	event->additional = json_is_object(additional) ? additional : NULL;
	for (size_t i = 0; url != NULL && i < sizeof(placeholders) / sizeof(*placeholders); i++) {
		if (strcmp(url, placeholders[i]) == 0)
			url = NULL;
	}
	event->detail_url = url;
	read_person(event);
	return TTG_OK;
}

const char *domain_event_field(const struct domain_event *event, const char *name, char room[32])
{
	const char *text = shape_text(event->additional, name, room);

	return text == NULL || *text == '\0' ? NULL : text;
}

void domain_event_envelope(const struct domain_event *event, struct build *build)
{
	if (build->error != TTG_OK)
		return;
	build_time_ns(build, &build->event->occurred_at, event->occurred_ns, event->occurred);
	build_person(build, IDENTIFIER_NOMS, event->noms);
	build_person(build, IDENTIFIER_CRN, event->crn);
}

enum ttg_error domain_event_finish(const struct domain_event *event, struct build *build,
                                   struct intake *intake, const char *reason,
                                   struct message *message)
{
	char instant[INSTANT_TEXT];
	const char *meaning[] = { event->type, ttg_type_name((size_t)build->type),
		                  event->noms, event->crn,
		                  instant,     reason };
	enum ttg_error error;

	instant_format(event->occurred_ns, instant);
	error = build_finish(build, intake, event->occurred_ns, meaning,
	                     sizeof(meaning) / sizeof(*meaning));
	if (error != TTG_OK)
		*message = build->message;
	return error;
}
