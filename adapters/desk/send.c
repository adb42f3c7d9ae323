/* Into the spool, and looking for what was put there. See send.h. */
#include "desk/send.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/identifier.h"
#include "common/cloudevents.h"
#include "common/spool_put.h"
#include "oneservice/service.h"

#define PREFIX         "desk-"
#define SUFFIX         ".json"
#define FILE_BYTES_MAX (256u << 10) /* longer ones are not ours */
#define NAMES_MAX      10000        /* looked at in one folder */
#define LOOKED_MAX     20           /* for something about one person */

static void name_of(const uint8_t id[TTG_UUID_BYTES], char out[sizeof(PREFIX) + TTG_UUID_TEXT])
{
	char text[TTG_UUID_TEXT];

	ttg_uuid_format(id, text);
	snprintf(out, sizeof(PREFIX) + TTG_UUID_TEXT, PREFIX "%s", text);
}

/* What ttg-oneservice will say of these bytes. */
static enum ttg_error check(const struct desk *desk, const char *bytes, struct message *message)
{
	const struct document document = {
		.name = "",
		.bytes = bytes,
		.len = strlen(bytes),
		.form = DOCUMENT_JSON,
	};
	struct intake intake;
	enum ttg_error error;

	intake_init(&intake);
	error = service_read(desk->settings.agency, &document, &intake, message);
	if (error == TTG_OK && (intake.refused || intake.n_problems > 0 || intake.n_events != 1)) {
		error = TTG_EFORMAT;
		if (intake.n_problems > 0)
			error = intake.problems[0].code;
		message_set(message, error, "%s",
		            intake.n_problems > 0 ? intake.problems[0].message.text
		                                  : "it is not one event");
	}
	intake_fini(&intake);
	return error;
}

enum ttg_error send_event(const struct desk *desk, const Ttg__Event *event, struct message *message)
{
	json_t *json = cloudevents_write(event, NULL);
	char *bytes = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
	char name[sizeof(PREFIX) + TTG_UUID_TEXT];
	enum ttg_error error;

	json_decref(json);
	if (bytes == NULL)
		return message_set(message, TTG_ENOMEM, "no memory");
	error = check(desk, bytes, message);
	name_of(event->id.data, name);
	if (error == TTG_OK)
		error = spool_put_as(world_real(), desk->settings.spool_dir, name, bytes,
		                     strlen(bytes), message);
	free(bytes);
	return error;
}

bool send_is_same(const Ttg__Event *a, const Ttg__Event *b)
{
	json_t *one = cloudevents_write(a, NULL);
	json_t *other = cloudevents_write(b, NULL);
	bool same = one != NULL && other != NULL && json_equal(one, other) == 1;

	json_decref(one);
	json_decref(other);
	return same;
}

/* The bytes of a small file, with a NUL behind them; NULL: none, or not to be read. */
static char *read_small(const char *path, size_t max)
{
	const struct world *world = world_real();
	int file = world->open(world->self, path, WORLD_READ);
	int64_t size = file < 0 ? -1 : world->size(world->self, file);
	char *bytes = size < 0 || (uint64_t)size > max ? NULL : malloc((size_t)size + 1);

	if (bytes != NULL) {
		bytes[size] = '\0';
		if (world_read_all(world, file, bytes, (size_t)size, 0) != 0) {
			free(bytes);
			bytes = NULL;
		}
	}
	if (file >= 0)
		world->close(world->self, file);
	return bytes;
}

static enum ttg_error read_event(const char *bytes, struct sent *out, struct message *message)
{
	json_t *json = json_loads(bytes, JSON_REJECT_DUPLICATES, NULL);
	unsigned ignored;
	enum ttg_error error = TTG_ECORRUPT;

	if (json == NULL || cloudevents_read(json, &out->event, &ignored, message) != TTG_OK)
		message_set(message, error, "an event in the spool cannot be read");
	else
		error = TTG_OK;
	json_decref(json);
	return error;
}

static enum ttg_error find_in_spool(const struct desk *desk, const uint8_t id[TTG_UUID_BYTES],
                                    const char *folder, struct sent *out, struct message *message)
{
	char name[sizeof(PREFIX) + TTG_UUID_TEXT];
	char path[PATH_MAX];
	char *bytes, *why;
	enum ttg_error error;

	name_of(id, name);
	snprintf(path, sizeof(path), "%s/%s%s" SUFFIX, desk->settings.spool_dir, folder, name);
	bytes = read_small(path, FILE_BYTES_MAX);
	if (bytes == NULL)
		return TTG_OK;
	error = read_event(bytes, out, message);
	free(bytes);
	if (error != TTG_OK)
		return error;
	out->place = folder[0] == '\0' ? SENT_WAITS : SENT_FAILED;
	out->ours = true;
	snprintf(path, sizeof(path), "%s/%s%s" SUFFIX ".reason", desk->settings.spool_dir, folder,
	         name);
	why = folder[0] == '\0' ? NULL : read_small(path, FILE_BYTES_MAX);
	if (why != NULL)
		snprintf(out->why, sizeof(out->why), "%s", why);
	free(why);
	return TTG_OK;
}

static bool take_row(void *arg, const struct store_event *row)
{
	struct sent *out = arg;

	out->place = SENT_KEPT;
	out->ours = row->published;
	out->kept_ns = row->kept_ns;
	out->answered = row->answered;
	out->code = row->code;
	out->sequence = row->sequence;
	out->delivered = row->delivered;
	out->acknowledged = row->acknowledged;
	snprintf(out->text, sizeof(out->text), "%s", row->text == NULL ? "" : row->text);
	out->event = ttg__event__unpack(NULL, row->encoded_bytes, row->encoded);
	return false;
}

static enum ttg_error find_in_store(const struct desk *desk, const uint8_t id[TTG_UUID_BYTES],
                                    struct sent *out, struct message *message)
{
	enum ttg_error error = store_find_event(desk->store, id, take_row, out, message);

	if (error == TTG_ENOENT)
		return TTG_OK;
	if (error == TTG_OK && out->event == NULL)
		return message_set(message, TTG_ECORRUPT, "an event in the store cannot be read");
	return error;
}

enum ttg_error send_find(const struct desk *desk, const uint8_t id[TTG_UUID_BYTES],
                         struct sent *out, struct message *message)
{
	enum ttg_error error;

	memset(out, 0, sizeof(*out));
	out->delivered = out->acknowledged = STORE_UNKNOWN;
	error = find_in_spool(desk, id, "", out, message);
	/* Kept already, and only the file has not moved yet: the store knows more. */
	if (error == TTG_OK) {
		struct sent kept = { .delivered = STORE_UNKNOWN, .acknowledged = STORE_UNKNOWN };

		error = find_in_store(desk, id, &kept, message);
		if (error != TTG_OK)
			sent_fini(&kept);
		if (kept.place == SENT_KEPT) {
			sent_fini(out);
			*out = kept;
		}
	}
	if (error == TTG_OK && out->place == SENT_NOWHERE)
		error = find_in_spool(desk, id, "failed/", out, message);
	if (error != TTG_OK)
		sent_fini(out);
	return error;
}

void sent_fini(struct sent *sent)
{
	if (sent->event != NULL)
		ttg__event__free_unpacked(sent->event, NULL);
	memset(sent, 0, sizeof(*sent));
}

static bool read_name(const char *name, uint8_t id[TTG_UUID_BYTES])
{
	const size_t before = strlen(PREFIX);
	char text[TTG_UUID_TEXT];

	if (strlen(name) != before + TTG_UUID_TEXT - 1 + strlen(SUFFIX) ||
	    strncmp(name, PREFIX, before) != 0 ||
	    strcmp(name + before + TTG_UUID_TEXT - 1, SUFFIX) != 0)
		return false;
	snprintf(text, sizeof(text), "%s", name + before);
	return ttg_uuid_parse(text, id) == TTG_OK;
}

struct id_list {
	uint8_t (*ids)[TTG_UUID_BYTES];
	size_t n, max;
};

/* Keeps the newest, newest first: ids begin with the time they were made at. */
static void keep_id(struct id_list *list, const uint8_t id[TTG_UUID_BYTES])
{
	size_t at = 0;

	while (at < list->n && memcmp(list->ids[at], id, TTG_UUID_BYTES) > 0)
		at++;
	if (at == list->max || (at < list->n && memcmp(list->ids[at], id, TTG_UUID_BYTES) == 0))
		return;
	if (list->n < list->max)
		list->n++;
	memmove(list->ids + at + 1, list->ids + at, (list->n - at - 1) * TTG_UUID_BYTES);
	memcpy(list->ids[at], id, TTG_UUID_BYTES);
}

static void list_folder(const struct desk *desk, const char *folder, struct id_list *list)
{
	char path[PATH_MAX];
	const struct dirent *entry;
	uint8_t id[TTG_UUID_BYTES];
	DIR *dir;

	snprintf(path, sizeof(path), "%s%s", desk->settings.spool_dir, folder);
	dir = opendir(path);
	for (size_t i = 0; dir != NULL && i < NAMES_MAX && (entry = readdir(dir)) != NULL; i++)
		if (read_name(entry->d_name, id))
			keep_id(list, id);
	if (dir != NULL)
		closedir(dir);
}

size_t send_list(const struct desk *desk, uint8_t (*ids)[TTG_UUID_BYTES], size_t max)
{
	struct id_list list = { ids, 0, max };

	if (desk->settings.spool_dir[0] == '\0')
		return 0;
	list_folder(desk, "", &list);
	list_folder(desk, "/failed", &list);
	return list.n;
}

static bool has_number(const struct person *person, const Ttg__Identifier *number)
{
	for (size_t i = 0; i < person->n_numbers; i++)
		if (person->numbers[i].valid && person->numbers[i].kind == (int)number->kind &&
		    strcmp(person->numbers[i].value, number->canonical) == 0)
			return true;
	return false;
}

/* By the views, or by its numbers while the store does not have the event yet. */
const struct person *send_whom(const struct desk *desk, const Ttg__Event *event)
{
	uint32_t index = views_find_event(desk->views, event->id.data);

	if (index != VIEWS_NOBODY)
		return views_person(desk->views, views_event(desk->views, index)->person);
	if (event->person == NULL)
		return NULL;
	for (uint32_t i = 0; i < views_n_persons(desk->views); i++) {
		const struct person *person = views_person(desk->views, i);

		for (size_t k = 0; person != NULL && k < event->person->n_identifiers; k++)
			if (identifier_is_match_key(
			            (enum identifier_kind)event->person->identifiers[k]->kind) &&
			    has_number(person, event->person->identifiers[k]))
				return person;
	}
	return NULL;
}

bool send_is_waiting(const struct desk *desk, const struct person *person)
{
	uint8_t ids[LOOKED_MAX][TTG_UUID_BYTES];
	size_t n = send_list(desk, ids, LOOKED_MAX);
	bool waits = false;

	for (size_t i = 0; i < n && !waits; i++) {
		struct message message;
		struct sent sent;

		if (views_find_event(desk->views, ids[i]) != VIEWS_NOBODY ||
		    send_find(desk, ids[i], &sent, &message) != TTG_OK)
			continue;
		waits = sent.place == SENT_WAITS && send_whom(desk, sent.event) == person;
		sent_fini(&sent);
	}
	return waits;
}
