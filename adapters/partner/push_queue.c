/*
 * The queue of what is pushed, in files. See push_queue.h.
 *
 * In memory: the first PUSH_KNOWN_MAX by name, sorted. While there are more on the disk (`behind`)
 * new ones stay there too, so that what is known always comes before what is not. A rename that only
 * counts attempts is not synced: after a crash one attempt more is made.
 */
#include "partner/push_queue.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEAD "dead"

struct push_queue {
	const struct world *world;
	char dir[PATH_MAX / 2];
	struct push_item *items[PUSH_KNOWN_MAX];
	size_t n;
	bool behind;  /* there are more on the disk */
	size_t files; /* on the disk, known or not */
	size_t dead;
};

void push_name_format(const struct push_name *name, char out[PUSH_NAME_BYTES])
{
	if (name->attempts == 0)
		snprintf(out, PUSH_NAME_BYTES, "%020" PRId64 "-%s.json", name->order_ns, name->id);
	else
		snprintf(out, PUSH_NAME_BYTES, "%020" PRId64 "-%s.%u.%" PRId64 ".%ld.json",
		         name->order_ns, name->id, name->attempts, name->first_s, name->status);
}

/* Digits, and behind them `end`; moves *at behind that. */
static bool take_number(const char **at, char end, long long *out)
{
	char *behind = NULL;

	if (**at < '0' || **at > '9')
		return false;
	*out = strtoll(*at, &behind, 10);
	*at = behind + 1;
	return *behind == end;
}

bool push_name_parse(const char *text, struct push_name *out)
{
	const char *at = text;
	const size_t id_len = TTG_UUID_TEXT - 1;
	struct push_name name = { .attempts = 0 };
	uint8_t id[TTG_UUID_BYTES];
	char again[PUSH_NAME_BYTES];
	long long order_ns = 0;
	long long tried[3] = { 0, 0, 0 }; /* attempts, first, status */

	if (!take_number(&at, '-', &order_ns) || strlen(at) <= id_len || at[id_len] != '.')
		return false;
	memcpy(name.id, at, id_len);
	at += id_len + 1;
	if (strcmp(at, "json") != 0) {
		for (size_t i = 0; i < 3; i++) {
			if (!take_number(&at, '.', &tried[i]))
				return false;
		}
	}
	name.order_ns = order_ns;
	name.attempts = (unsigned)tried[0];
	name.first_s = tried[1];
	name.status = (long)tried[2];
	push_name_format(&name, again); /* one name for one meaning */
	if (ttg_uuid_parse(name.id, id) != TTG_OK || strcmp(again, text) != 0)
		return false;
	*out = name;
	return true;
}

static void path_of(const struct push_queue *queue, const struct push_name *name, bool dead,
                    char out[PATH_MAX])
{
	char file[PUSH_NAME_BYTES];

	push_name_format(name, file);
	snprintf(out, PATH_MAX, "%s/%s%s", queue->dir, dead ? DEAD "/" : "", file);
}

/* By order, then id. */
static int compare(const struct push_name *a, const struct push_name *b)
{
	if (a->order_ns != b->order_ns)
		return a->order_ns < b->order_ns ? -1 : 1;
	return strcmp(a->id, b->id);
}

static int compare_names(const void *a, const void *b)
{
	return compare(a, b);
}

/* Where it is, or belongs. */
static size_t place_of(const struct push_queue *queue, const struct push_name *name, bool *there)
{
	size_t low = 0;
	size_t high = queue->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (compare(&queue->items[middle]->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*there = low < queue->n && compare(&queue->items[low]->name, name) == 0;
	return low;
}

static enum ttg_error insert(struct push_queue *queue, const struct push_name *name,
                             const uint8_t *person_key)
{
	bool there;
	size_t at = place_of(queue, name, &there);
	struct push_item *item;

	if (there)
		return TTG_OK;
	item = calloc(1, sizeof(*item));
	if (item == NULL)
		return TTG_ENOMEM;
	item->name = *name;
	item->has_person = person_key != NULL;
	if (person_key != NULL)
		memcpy(item->person, person_key, sizeof(item->person));
	memmove(&queue->items[at + 1], &queue->items[at],
	        (queue->n - at) * sizeof(*queue->items));
	queue->items[at] = item;
	queue->n++;
	return TTG_OK;
}

static void forget(struct push_queue *queue, struct push_item *item)
{
	bool there;
	size_t at = place_of(queue, &item->name, &there);

	memmove(&queue->items[at], &queue->items[at + 1],
	        (queue->n - at - 1) * sizeof(*queue->items));
	queue->n--;
	free(item);
}

static enum ttg_error read_file(const struct push_queue *queue, const struct push_name *name,
                                char **body, size_t *len)
{
	const struct world *world = queue->world;
	char path[PATH_MAX];
	int file;
	int64_t size;
	enum ttg_error error = TTG_EIO;

	*body = NULL;
	path_of(queue, name, false, path);
	file = world->open(world->self, path, WORLD_READ);
	if (file < 0)
		return world_error(file);
	size = world->size(world->self, file);
	if (size >= 0 && size <= (int64_t)PUSH_BODY_MAX)
		*body = malloc((size_t)size + 1);
	if (*body != NULL && world_read_all(world, file, *body, (size_t)size, 0) == 0) {
		(*body)[size] = '\0';
		*len = (size_t)size;
		error = TTG_OK;
	}
	world->close(world->self, file);
	if (error != TTG_OK) {
		free(*body);
		*body = NULL;
	}
	return error;
}

enum ttg_error push_queue_read(const struct push_queue *queue, const struct push_item *item,
                               char **body, size_t *len)
{
	return read_file(queue, &item->name, body, len);
}

/* 0 to 15; -1: no hexadecimal digit. */
static int digit_of(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c == '\0' ? NULL : strchr(digits, c);

	return found == NULL ? -1 : (int)(found - digits);
}

/* The person a body is about, as the adapter wrote it. False: nobody. */
static bool find_person(const char *body, size_t len, uint8_t person[TTG_PERSON_KEY_BYTES])
{
	json_t *root = json_loadb(body, len, 0, NULL);
	const char *hex = json_string_value(json_object_get(root, "personkey"));
	bool found = hex != NULL && strlen(hex) == 2 * (size_t)TTG_PERSON_KEY_BYTES;

	for (size_t i = 0; found && i < TTG_PERSON_KEY_BYTES; i++) {
		const int high = digit_of(hex[2 * i]);
		const int low = digit_of(hex[2 * i + 1]);

		found = high >= 0 && low >= 0;
		person[i] = (uint8_t)((unsigned)high << 4 | (unsigned)low);
	}
	json_decref(root);
	return found;
}

struct listing {
	struct push_name *names; /* room for twice what may be known */
	size_t n;
	size_t files; /* seen */
	bool behind;
};

static void keep_first(struct listing *listing)
{
	qsort(listing->names, listing->n, sizeof(*listing->names), compare_names);
	if (listing->n <= PUSH_KNOWN_MAX)
		return;
	listing->n = PUSH_KNOWN_MAX;
	listing->behind = true;
}

static bool take_name(void *arg, const char *text)
{
	struct listing *listing = arg;

	if (listing->n == 2 * (size_t)PUSH_KNOWN_MAX)
		keep_first(listing);
	if (push_name_parse(text, &listing->names[listing->n])) {
		listing->n++;
		listing->files++;
	}
	return true;
}

static bool count_name(void *arg, const char *text)
{
	struct push_name name;

	if (push_name_parse(text, &name))
		++*(size_t *)arg;
	return true;
}

/* What is on the disk and not known, as long as there is room. */
static enum ttg_error learn(struct push_queue *queue, const struct listing *listing)
{
	enum ttg_error error = TTG_OK;

	queue->behind = listing->behind;
	queue->files = listing->files;
	for (size_t i = 0; error == TTG_OK && i < listing->n; i++) {
		uint8_t person[TTG_PERSON_KEY_BYTES];
		char *body = NULL;
		size_t len = 0;
		bool there;

		place_of(queue, &listing->names[i], &there);
		if (there)
			continue;
		if (queue->n == PUSH_KNOWN_MAX) {
			queue->behind = true;
			break;
		}
		if (read_file(queue, &listing->names[i], &body, &len) != TTG_OK)
			continue; /* it went meanwhile, or will be tried at the next look */
		error = insert(queue, &listing->names[i],
		               find_person(body, len, person) ? person : NULL);
		free(body);
	}
	return error;
}

enum ttg_error push_queue_scan(struct push_queue *queue, struct message *message)
{
	const struct world *world = queue->world;
	struct listing listing = { .n = 0 };
	char dead[PATH_MAX];
	int listed;
	enum ttg_error error;

	listing.names = calloc(2 * (size_t)PUSH_KNOWN_MAX, sizeof(*listing.names));
	if (listing.names == NULL)
		return message_set(message, TTG_ENOMEM, "no memory");
	queue->dead = 0;
	snprintf(dead, sizeof(dead), "%s/" DEAD, queue->dir);
	listed = world->list(world->self, dead, count_name, &queue->dead);
	if (listed >= 0)
		listed = world->list(world->self, queue->dir, take_name, &listing);
	keep_first(&listing);
	error = listed < 0 ? message_set(message, TTG_ESYS, "cannot read %s", queue->dir)
	                   : learn(queue, &listing);
	free(listing.names);
	return error;
}

enum ttg_error push_queue_open(struct push_queue **out, const struct world *world, const char *dir,
                               struct message *message)
{
	struct push_queue *queue = calloc(1, sizeof(*queue));
	char dead[PATH_MAX];
	int made;
	enum ttg_error error = TTG_OK;

	*out = NULL;
	if (queue == NULL)
		return message_set(message, TTG_ENOMEM, "no memory");
	queue->world = world;
	snprintf(queue->dir, sizeof(queue->dir), "%s/" PUSH_FOLDER, dir);
	snprintf(dead, sizeof(dead), "%s/" DEAD, queue->dir);
	made = world->mkdir(world->self, queue->dir);
	if (made >= 0)
		made = world->mkdir(world->self, dead);
	if (made < 0)
		error = message_set(message, TTG_ESYS, "cannot make %s: %s", dead, strerror(-made));
	if (error == TTG_OK)
		error = push_queue_scan(queue, message);
	if (error == TTG_OK)
		*out = queue;
	else
		push_queue_close(&queue);
	return error;
}

void push_queue_close(struct push_queue **queue)
{
	if (*queue == NULL)
		return;
	for (size_t i = 0; i < (*queue)->n; i++)
		free((*queue)->items[i]);
	free(*queue);
	*queue = NULL;
}

enum ttg_error push_queue_put(struct push_queue *queue, const struct push_name *name,
                              const uint8_t *person_key, const char *body, struct message *message)
{
	char path[PATH_MAX];
	int put;

	path_of(queue, name, false, path);
	put = world_replace_file(queue->world, path, body, strlen(body));
	if (put < 0)
		return message_set(message, world_error(put), "cannot write to %s: %s", queue->dir,
		                   strerror(-put));
	queue->files++;
	if (queue->behind || queue->n == PUSH_KNOWN_MAX) {
		queue->behind = true;
		return TTG_OK;
	}
	if (insert(queue, name, person_key) != TTG_OK)
		return message_set(message, TTG_ENOMEM, "no memory");
	return TTG_OK;
}

/* Nothing before items[at] is about his person. */
static bool is_first_of_person(const struct push_queue *queue, size_t at)
{
	const struct push_item *item = queue->items[at];

	for (size_t i = 0; item->has_person && i < at; i++) {
		if (queue->items[i]->has_person &&
		    memcmp(queue->items[i]->person, item->person, sizeof(item->person)) == 0)
			return false;
	}
	return true;
}

struct push_item *push_queue_next(struct push_queue *queue, int64_t now_ms, int64_t *wait_ms)
{
	*wait_ms = -1;
	for (size_t i = 0; i < queue->n; i++) {
		struct push_item *item = queue->items[i];
		int64_t wait = item->next_ms - now_ms;

		if (item->sending)
			continue;
		if (wait > 0 && (*wait_ms < 0 || wait < *wait_ms))
			*wait_ms = wait;
		if (wait <= 0 && is_first_of_person(queue, i))
			return item;
	}
	return NULL;
}

enum ttg_error push_queue_done(struct push_queue *queue, struct push_item *item,
                               struct message *message)
{
	const struct world *world = queue->world;
	char path[PATH_MAX];
	int gone;

	path_of(queue, &item->name, false, path);
	gone = world->unlink(world->self, path);
	forget(queue, item);
	if (queue->files > 0)
		queue->files--;
	if (gone < 0 && gone != -ENOENT)
		return message_set(message, world_error(gone), "cannot remove from %s", queue->dir);
	return TTG_OK;
}

static enum ttg_error move(const struct push_queue *queue, const struct push_name *from,
                           const struct push_name *to, bool dead, struct message *message)
{
	const struct world *world = queue->world;
	char old[PATH_MAX];
	char new[PATH_MAX];
	int moved;

	path_of(queue, from, false, old);
	path_of(queue, to, dead, new);
	moved = world->rename(world->self, old, new);
	return moved < 0 && moved != -ENOENT
	               ? message_set(message, world_error(moved), "cannot rename in %s", queue->dir)
	               : TTG_OK;
}

enum ttg_error push_queue_bury(struct push_queue *queue, struct push_item *item,
                               const struct push_name *now, struct message *message)
{
	enum ttg_error error = move(queue, &item->name, now, true, message);

	forget(queue, item);
	if (queue->files > 0)
		queue->files--;
	queue->dead++;
	return error;
}

enum ttg_error push_queue_again(struct push_queue *queue, struct push_item *item,
                                const struct push_name *now, int64_t next_ms,
                                struct message *message)
{
	enum ttg_error error = move(queue, &item->name, now, false, message);

	item->name = *now;
	item->sending = false;
	item->next_ms = next_ms;
	return error;
}

size_t push_queue_waiting(const struct push_queue *queue)
{
	return queue->files;
}

size_t push_queue_dead(const struct push_queue *queue)
{
	return queue->dead;
}
