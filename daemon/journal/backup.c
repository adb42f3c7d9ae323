/*
 * A copy of the journal that can be opened, taken while it runs: every segment up to its valid end,
 * the newest usable snapshot, and a HEAD that says "closed" there. HEAD goes last, so that a copy
 * cut short is not mistaken for one: it has segments and no HEAD, which no open accepts.
 *
 * journal_backup_begin() and _end() belong to the loop and take no time; between them _run() copies,
 * in any thread, touching nothing of the journal but its files. Segments written before begin never
 * change up to the end noted there, and retention waits for the end of the backup.
 */
#include "journal/state.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define COPY_BYTES (1024u * 1024u)

struct copied_segment {
	uint64_t first_sequence;
	uint64_t end; /* bytes that are durable */
};

struct journal_backup {
	struct journal *journal; /* begin and end only */
	const struct world *world;
	char from[SEGMENT_DIRECTORY];
	char to[SEGMENT_DIRECTORY];
	struct copied_segment *segments;
	size_t n_segments;
	uint64_t reached; /* newest sequence of the copy */
	struct format_head head;
	uint8_t *buffer;
	atomic_bool cancelled;
	struct message *message; /* of the run */
};

static enum ttg_error told(struct journal_backup *copy, const char *path, const char *what, int result)
{
	return message_set(copy->message, world_error(result), "%s: %s: %s", path, what,
	                   strerror(-result));
}

/* Copies bytes (UINT64_MAX: all) and syncs. */
static enum ttg_error copy_file(struct journal_backup *copy, const char *from, const char *to, uint64_t bytes)
{
	const struct world *world = copy->world;
	int in = world->open(world->self, from, WORLD_READ);
	int out = world->open(world->self, to, WORLD_EXCLUSIVE);
	int result = in < 0 ? in : out < 0 ? out : 0;
	uint64_t done = 0;

	if (result == 0 && bytes == UINT64_MAX) {
		int64_t size = world->size(world->self, in);

		bytes = size < 0 ? 0 : (uint64_t)size;
		result = size < 0 ? (int)size : 0;
	}
	while (result >= 0 && done < bytes && !atomic_load(&copy->cancelled)) {
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
	if (atomic_load(&copy->cancelled))
		return message_set(copy->message, TTG_ECLOSED, "backup: called off");
	return result < 0 ? told(copy, in < 0 ? from : to, "cannot be copied", result) : TTG_OK;
}

static bool any_name(void *arg, const char *name)
{
	bool *found = arg;

	(void)name;
	*found = true;
	return false;
}

static enum ttg_error prepare(struct journal_backup *copy)
{
	const struct world *world = copy->world;
	bool found = false;
	int result = world->mkdir(world->self, copy->to);

	if (result >= 0)
		result = world->list(world->self, copy->to, any_name, &found);
	if (result < 0)
		return told(copy, copy->to, "cannot be used", result);
	if (found)
		return message_set(copy->message, TTG_EEXIST, "%s: is not empty", copy->to);
	return TTG_OK;
}

static enum ttg_error copy_segments(struct journal_backup *copy)
{
	char from[SEGMENT_PATH];
	char to[SEGMENT_PATH];

	for (size_t i = 0; i < copy->n_segments; i++) {
		const struct copied_segment *segment = &copy->segments[i];
		enum ttg_error err;

		segment_path(from, copy->from, SEGMENT_FILE, segment->first_sequence);
		segment_path(to, copy->to, SEGMENT_FILE, segment->first_sequence);
		err = copy_file(copy, from, to, segment->end);
		if (err != TTG_OK)
			return err;
	}
	return TTG_OK;
}

/* The two newest whose sequence the copy reaches; a damaged one then has its older neighbour. */
static enum ttg_error copy_snapshots(struct journal_backup *copy)
{
	char from[SEGMENT_PATH];
	char to[SEGMENT_PATH];
	uint64_t *names;
	size_t count;
	unsigned copied = 0;
	enum ttg_error err = segment_list_names(copy->world, copy->from, SEGMENT_SNAPSHOT, &names,
	                                        &count, copy->message);

	while (err == TTG_OK && count-- > 0 && copied < 2) {
		if (names[count] > copy->reached)
			continue;
		segment_path(from, copy->from, SEGMENT_SNAPSHOT, names[count]);
		segment_path(to, copy->to, SEGMENT_SNAPSHOT, names[count]);
		err = copy_file(copy, from, to, UINT64_MAX);
		copied++;
	}
	free(names);
	return err;
}

static void note_head(struct journal_backup *copy, const struct journal *journal)
{
	const struct segment *last = segment_list_last(&journal->segments);

	copy->head.closed = true;
	memcpy(copy->head.journal_id, journal->journal_id, FORMAT_ID);
	if (last == NULL)
		return;
	copy->head.epoch = last->header.epoch;
	copy->head.first_held = journal->first_sequence;
	copy->head.sequence = last->last_sequence;
	copy->head.end.segment = last->header.first_sequence;
	copy->head.end.end = last->end;
	memcpy(copy->head.end.chain, last->chain, JOURNAL_HASH_BYTES);
	memcpy(copy->head.salt, last->header.salt, FORMAT_SALT);
}

enum ttg_error journal_backup_begin(struct journal_backup **out, struct journal *journal,
                                    const char *directory, struct message *message)
{
	struct journal_backup *copy = calloc(1, sizeof(*copy));

	*out = NULL;
	if (strlen(directory) >= SEGMENT_DIRECTORY) {
		free(copy);
		return message_set(message, TTG_EINVAL, "backup: path is too long");
	}
	journal_collect(journal);
	if (copy != NULL) {
		copy->segments = calloc(journal->segments.count + 1, sizeof(*copy->segments));
		copy->buffer = malloc(COPY_BYTES);
	}
	if (copy == NULL || copy->segments == NULL || copy->buffer == NULL) {
		if (copy != NULL) {
			free(copy->segments);
			free(copy->buffer);
			free(copy);
		}
		return message_set(message, TTG_ENOMEM, "backup: no memory");
	}
	copy->journal = journal;
	copy->world = journal->world;
	memcpy(copy->from, journal->directory, sizeof(copy->from));
	memcpy(copy->to, directory, strlen(directory) + 1);
	copy->n_segments = journal->segments.count;
	for (size_t i = 0; i < copy->n_segments; i++) {
		copy->segments[i].first_sequence =
			journal->segments.items[i]->header.first_sequence;
		copy->segments[i].end = journal->segments.items[i]->end;
	}
	copy->reached = journal->collected;
	note_head(copy, journal);
	journal->backups++;
	*out = copy;
	return TTG_OK;
}

enum ttg_error journal_backup_run(struct journal_backup *backup, struct message *message)
{
	enum ttg_error err;

	backup->message = message;
	err = prepare(backup);
	if (err == TTG_OK)
		err = copy_segments(backup);
	if (err == TTG_OK)
		err = copy_snapshots(backup);
	if (err == TTG_OK)
		err = head_create(backup->world, backup->to, &backup->head, message);
	return err;
}

void journal_backup_cancel(struct journal_backup *backup)
{
	atomic_store(&backup->cancelled, true);
}

uint64_t journal_backup_sequence(const struct journal_backup *backup)
{
	return backup->reached;
}

void journal_backup_end(struct journal_backup **backup)
{
	if (*backup == NULL)
		return;
	assert((*backup)->journal->backups > 0);
	(*backup)->journal->backups--;
	free((*backup)->segments);
	free((*backup)->buffer);
	free(*backup);
	*backup = NULL;
}
