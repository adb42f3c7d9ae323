/*
 * A copy of the journal that can be opened, taken while it runs: every segment up to its valid end,
 * the newest usable snapshot, and a HEAD that says "closed" there. HEAD goes last, so that a copy
 * cut short is not mistaken for one: it has segments and no HEAD, which no open accepts.
 *
 * Runs on the loop, and takes as long as the copying does.
 */
#include "journal/state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define COPY_BYTES (1024u * 1024u)

struct copy {
	struct journal *journal;
	const char *directory;
	uint8_t *buffer;
	struct message *message;
};

static enum ttg_error told(struct copy *copy, const char *path, const char *what, int result)
{
	return message_set(copy->message, world_error(result), "%s: %s: %s", path, what,
	                   strerror(-result));
}

/* Copies bytes (UINT64_MAX: all) and syncs. */
static enum ttg_error copy_file(struct copy *copy, const char *from, const char *to, uint64_t bytes)
{
	const struct world *world = copy->journal->world;
	int in = world->open(world->self, from, WORLD_READ);
	int out = world->open(world->self, to, WORLD_EXCLUSIVE);
	int result = in < 0 ? in : out < 0 ? out : 0;
	uint64_t done = 0;

	if (result == 0 && bytes == UINT64_MAX) {
		int64_t size = world->size(world->self, in);

		bytes = size < 0 ? 0 : (uint64_t)size;
		result = size < 0 ? (int)size : 0;
	}
	while (result >= 0 && done < bytes) {
		size_t len = bytes - done < COPY_BYTES ? (size_t)(bytes - done) : COPY_BYTES;

		result = world_read_all(world, in, copy->buffer, len, done);
		if (result >= 0)
			result = world_write_all(world, out, copy->buffer, len, done);
		done += len;
	}
	if (result >= 0)
		result = world->sync(world->self, out);
	if (in >= 0)
		(void)world->close(world->self, in);
	if (out >= 0)
		(void)world->close(world->self, out);
	return result < 0 ? told(copy, in < 0 ? from : to, "cannot be copied", result) : TTG_OK;
}

static bool any_name(void *arg, const char *name)
{
	bool *found = arg;

	(void)name;
	*found = true;
	return false;
}

static enum ttg_error prepare(struct copy *copy)
{
	const struct world *world = copy->journal->world;
	bool found = false;
	int result = world->mkdir(world->self, copy->directory);

	if (strlen(copy->directory) >= SEGMENT_DIRECTORY)
		return message_set(copy->message, TTG_EINVAL, "backup: path is too long");
	if (result >= 0)
		result = world->list(world->self, copy->directory, any_name, &found);
	if (result < 0)
		return told(copy, copy->directory, "cannot be used", result);
	if (found)
		return message_set(copy->message, TTG_EEXIST, "%s: is not empty", copy->directory);
	return TTG_OK;
}

static enum ttg_error copy_segments(struct copy *copy)
{
	const struct segment_list *list = &copy->journal->segments;
	char from[SEGMENT_PATH];
	char to[SEGMENT_PATH];

	for (size_t i = 0; i < list->count; i++) {
		uint64_t first = list->items[i]->header.first_sequence;
		enum ttg_error err;

		segment_path(from, copy->journal->directory, SEGMENT_FILE, first);
		segment_path(to, copy->directory, SEGMENT_FILE, first);
		err = copy_file(copy, from, to, list->items[i]->end);
		if (err != TTG_OK)
			return err;
	}
	return TTG_OK;
}

/* The two newest whose sequence the copy reaches; a damaged one then has its older neighbour. */
static enum ttg_error copy_snapshots(struct copy *copy)
{
	const struct journal *journal = copy->journal;
	char from[SEGMENT_PATH];
	char to[SEGMENT_PATH];
	uint64_t *names;
	size_t count;
	unsigned copied = 0;
	enum ttg_error err = segment_list_names(journal->world, journal->directory,
	                                        SEGMENT_SNAPSHOT, &names, &count, copy->message);

	while (err == TTG_OK && count-- > 0 && copied < 2) {
		if (names[count] > journal->collected)
			continue;
		segment_path(from, journal->directory, SEGMENT_SNAPSHOT, names[count]);
		segment_path(to, copy->directory, SEGMENT_SNAPSHOT, names[count]);
		err = copy_file(copy, from, to, UINT64_MAX);
		copied++;
	}
	free(names);
	return err;
}

static enum ttg_error write_head(struct copy *copy)
{
	const struct journal *journal = copy->journal;
	const struct segment *last = segment_list_last(&journal->segments);
	struct format_head head = { .closed = true };

	memcpy(head.journal_id, journal->journal_id, FORMAT_ID);
	if (last != NULL) {
		head.epoch = last->header.epoch;
		head.first_held = journal->first_sequence;
		head.sequence = last->last_sequence;
		head.end.segment = last->header.first_sequence;
		head.end.end = last->end;
		memcpy(head.end.chain, last->chain, JOURNAL_HASH_BYTES);
		memcpy(head.salt, last->header.salt, FORMAT_SALT);
	}
	return head_create(journal->world, copy->directory, &head, copy->message);
}

enum ttg_error journal_backup(struct journal *journal, const char *directory,
                              struct message *message)
{
	struct copy copy = { journal, directory, malloc(COPY_BYTES), message };
	enum ttg_error err = TTG_ENOMEM;

	journal_collect(journal);
	if (copy.buffer != NULL)
		err = prepare(&copy);
	if (err == TTG_OK)
		err = copy_segments(&copy);
	if (err == TTG_OK)
		err = copy_snapshots(&copy);
	if (err == TTG_OK)
		err = write_head(&copy);
	free(copy.buffer);
	return err;
}
