/*
 * Catalogue events from an agency's own systems. See catalogue.h. Pure but for malloc. An event
 * without an id gets one from its content, so that a file that is read twice publishes once.
 */
#include "common/catalogue.h"

#include <stdlib.h>
#include <string.h>
#include "common/build.h"
#include "common/cloudevents.h"

bool catalogue_is(const json_t *item)
{
	return json_object_get(item, "specversion") != NULL;
}

/* Takes over `field`'s old text, which may be the shared empty one. */
static enum ttg_error replace(char **field, const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		return TTG_ENOMEM;
	if (*field != NULL && *field != (char *)protobuf_c_empty_string)
		free(*field);
	*field = copy;
	return TTG_OK;
}

static enum ttg_error check_origin(Ttg__Event *event, const char *family, const char *agency,
                                   struct message *message)
{
	int type = ttg_type_of(event);

	if (type < 0)
		return message_set(message, TTG_EFORMAT, "has no payload of the catalogue");
	if (strncmp(ttg_type_name((size_t)type), family, strlen(family)) != 0)
		return message_set(message, TTG_EPERM,
		                   "its type is not of this adapter's family, %s*", family);
	if (event->source[0] != '\0' && strcmp(event->source, agency) != 0)
		return message_set(message, TTG_EPERM, "its source is not this agency");
	return replace(&event->source, agency);
}

static enum ttg_error give_id(Ttg__Event *event, const json_t *item)
{
	char *content = json_dumps(item, JSON_COMPACT | JSON_SORT_KEYS);
	enum ttg_error error = TTG_ENOMEM;

	if (content != NULL && event->id.len == TTG_UUID_BYTES)
		error = ttg_uuid_from_meaning(event->id.data, event->occurred_at->unix_ns, content,
		                              strlen(content));
	free(content);
	return error;
}

enum ttg_error catalogue_read(const json_t *item, const char *family, const char *agency,
                              struct intake *intake, struct message *message)
{
	Ttg__Event *event = NULL;
	unsigned ignored = 0;
	uint8_t id[TTG_UUID_BYTES];
	uint8_t *bytes = NULL;
	size_t len = 0;
	int type;
	enum ttg_error error = cloudevents_read(item, &event, &ignored, message);

	if (error != TTG_OK)
		return error;
	error = check_origin(event, family, agency, message);
	if (error == TTG_OK && event->occurred_at == NULL)
		error = message_set(message, TTG_EFORMAT, "time is missing");
	if (error == TTG_OK && json_object_get(item, "id") == NULL)
		error = give_id(event, item);
	if (error == TTG_OK && event->id.len != TTG_UUID_BYTES)
		error = message_set(message, TTG_EFORMAT, "id is no UUID");
	if (error == TTG_OK)
		error = ttg_event_complete(event);
	if (error == TTG_OK)
		error = ttg_event_pack(event, &bytes, &len);
	if (error == TTG_OK) {
		type = ttg_type_of(event);
		memcpy(id, event->id.data, sizeof(id));
		error = intake_add_event(intake, id, type, bytes, len);
	}
	ttg__event__free_unpacked(event, NULL);
	return error;
}
