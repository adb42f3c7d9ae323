/*
 * The log of disclosures, read from a file. See disclosures.h. Lines that are none of deliveries, or
 * not what they should be, are passed over: the broker tells other things between them.
 */
#include "desk/disclosures.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/instant.h"
#include "base/world.h"
#include "oneservice/figures_names.h"

#define LINE_MAX_BYTES 65536
#define LOOK_NS        INT64_C(60000000000)

struct disclosures {
	const char *path;
	struct names words;
	struct disclosure *list; /* by event */
	size_t n, room;
	enum disclosures_state state;
	int64_t looked_ns; /* 0: never */
	struct stat file;
};

struct disclosures *disclosures_new(const char *path)
{
	struct disclosures *disclosures = calloc(1, sizeof(*disclosures));

	if (disclosures != NULL)
		disclosures->path = path;
	return disclosures;
}

static void forget(struct disclosures *it)
{
	names_fini(&it->words);
	it->words = (struct names){ 0 };
	free(it->list);
	it->list = NULL;
	it->n = it->room = 0;
}

void disclosures_free(struct disclosures **disclosures)
{
	if (*disclosures == NULL)
		return;
	forget(*disclosures);
	free(*disclosures);
	*disclosures = NULL;
}

/* A word kept once for all its lines; "" for what is no text. */
static bool take_word(struct disclosures *it, const json_t *item, const char *name,
                      const char **out)
{
	const char *text = json_string_value(json_object_get(item, name));
	uint32_t index;

	*out = "";
	if (text == NULL || text[0] == '\0')
		return true;
	if (names_add(&it->words, text, strlen(text), &index) != TTG_OK)
		return false;
	*out = names_text(&it->words, index);
	return true;
}

static int64_t take_time(const json_t *item, const char *name)
{
	const char *text = json_string_value(json_object_get(item, name));
	int64_t ns = 0;

	if (text == NULL || instant_parse(text, &ns) != TTG_OK)
		return 0;
	return ns;
}

static bool is_delivery(const json_t *item, uint8_t id[TTG_UUID_BYTES])
{
	const char *what = json_string_value(json_object_get(item, "what"));
	const char *text = json_string_value(json_object_get(item, "event_id"));

	return what != NULL && strcmp(what, "delivered") == 0 && text != NULL &&
	       ttg_uuid_parse(text, id) == TTG_OK;
}

/* False: no room, or no memory. */
static bool add(struct disclosures *it, const json_t *item)
{
	struct disclosure entry = { .delivered_ns = 0 };

	if (!is_delivery(item, entry.event))
		return true;
	if (it->n == DISCLOSURES_MAX)
		return false;
	if (it->n == it->room) {
		size_t room = it->room == 0 ? 1024 : 2 * it->room;
		struct disclosure *grown = realloc(it->list, room * sizeof(*grown));

		if (grown == NULL)
			return false;
		it->list = grown;
		it->room = room;
	}
	entry.delivered_ns = take_time(item, "delivered_at");
	entry.ended_ns = take_time(item, "ended_at");
	if (!take_word(it, item, "to", &entry.to) ||
	    !take_word(it, item, "fields", &entry.fields) ||
	    !take_word(it, item, "outcome", &entry.outcome))
		return false;
	it->list[it->n++] = entry;
	return true;
}

static int compare(const void *a, const void *b)
{
	const struct disclosure *left = a;
	const struct disclosure *right = b;
	int order = memcmp(left->event, right->event, sizeof(left->event));

	if (order != 0)
		return order;
	return (left->delivered_ns > right->delivered_ns) -
	       (left->delivered_ns < right->delivered_ns);
}

/* A file on its way through a buffer, line by line. */
struct lines {
	const struct world *world;
	int file;
	uint64_t offset; /* of the file, behind the buffer */
	size_t len;      /* in the buffer */
	bool too_long;   /* the rest of a line is passed over */
	bool failed;
	char buffer[LINE_MAX_BYTES];
};

static bool fill(struct lines *lines)
{
	ssize_t got = lines->world->read_at(lines->world->self, lines->file,
	                                    lines->buffer + lines->len,
	                                    sizeof(lines->buffer) - lines->len, lines->offset);

	lines->failed = got < 0;
	if (got <= 0)
		return false;
	lines->len += (size_t)got;
	lines->offset += (uint64_t)got;
	return true;
}

/* Takes a line that begins the buffer; false: no room, or no memory. */
static bool take_line(struct disclosures *it, const char *line, size_t len)
{
	json_t *item;
	bool fits = true;

	if (memmem(line, len, "\"delivered\"", strlen("\"delivered\"")) == NULL)
		return true;
	item = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	if (item != NULL)
		fits = add(it, item);
	json_decref(item);
	return fits;
}

/* Takes all whole lines of the buffer and leaves the rest of it. */
static bool take_lines(struct disclosures *it, struct lines *lines)
{
	size_t begin = 0;
	bool fits = true;

	while (fits) {
		const char *end = memchr(lines->buffer + begin, '\n', lines->len - begin);
		size_t len;

		if (end == NULL)
			break;
		len = (size_t)(end - (lines->buffer + begin));
		if (!lines->too_long)
			fits = take_line(it, lines->buffer + begin, len);
		lines->too_long = false;
		begin += len + 1;
	}
	lines->len -= begin;
	memmove(lines->buffer, lines->buffer + begin, lines->len);
	if (lines->len == sizeof(lines->buffer)) {
		lines->too_long = true;
		lines->len = 0;
	}
	return fits;
}

static enum disclosures_state read_lines(struct disclosures *it)
{
	struct lines *lines = calloc(1, sizeof(*lines));
	bool fits = true, read_all;

	if (lines == NULL)
		return DISCLOSURES_UNREADABLE;
	lines->world = world_real();
	lines->file = lines->world->open(lines->world->self, it->path, WORLD_READ);
	read_all = lines->file >= 0;
	while (read_all && fits && lines->offset < DISCLOSURES_BYTES_MAX && fill(lines))
		fits = take_lines(it, lines);
	read_all = read_all && !lines->failed;
	fits = fits && lines->offset < DISCLOSURES_BYTES_MAX;
	if (lines->file >= 0)
		lines->world->close(lines->world->self, lines->file);
	free(lines);
	if (it->n > 1)
		qsort(it->list, it->n, sizeof(*it->list), compare);
	if (!read_all)
		return DISCLOSURES_UNREADABLE;
	return fits ? DISCLOSURES_READ : DISCLOSURES_CUT;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void read_file(struct disclosures *it)
{
	struct stat now;
	bool known = it->state >= DISCLOSURES_READ;

	if (stat(it->path, &now) == 0 && S_ISREG(now.st_mode)) {
		if (known && is_same(&now, &it->file))
			return;
		forget(it);
		it->file = now;
		it->state = read_lines(it);
		return;
	}
	forget(it);
	it->state = DISCLOSURES_UNREADABLE;
}

enum disclosures_state disclosures_follow(struct disclosures *disclosures, int64_t now_ns,
                                          int64_t *as_of_ns)
{
	*as_of_ns = 0;
	if (disclosures == NULL || disclosures->path[0] == '\0')
		return DISCLOSURES_NONE;
	if (disclosures->looked_ns == 0 || now_ns - disclosures->looked_ns >= LOOK_NS ||
	    now_ns < disclosures->looked_ns) {
		disclosures->looked_ns = now_ns;
		read_file(disclosures);
	}
	if (disclosures->state >= DISCLOSURES_READ)
		*as_of_ns = disclosures->file.st_mtim.tv_sec * INT64_C(1000000000);
	return disclosures->state;
}

const struct disclosure *disclosures_of(const struct disclosures *disclosures,
                                        const uint8_t event[TTG_UUID_BYTES], size_t *n)
{
	size_t low = 0, high = disclosures->n;
	size_t first;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(disclosures->list[middle].event, event, TTG_UUID_BYTES) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	first = low;
	while (low < disclosures->n &&
	       memcmp(disclosures->list[low].event, event, TTG_UUID_BYTES) == 0)
		low++;
	*n = low - first;
	return *n == 0 ? NULL : &disclosures->list[first];
}
