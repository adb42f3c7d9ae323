/*
 * The writer's dealings with whole files: the spare made ahead, the move to a new segment, HEAD,
 * and files that retention let go.
 *
 * Happy path of a move: the spare (already allocated and synced) gets its header and a sync, is
 * renamed to its name, the directory is synced, HEAD names it and is synced; only then the segment
 * before is cut to what it holds and synced, and only then the first batch goes in. A crash between any two
 * steps leaves the old segment as the newest or an empty new one, which the next move replaces.
 *
 * Any failure but "no room" for a spare is final for the journal: the callers stop it.
 */
#include "journal/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/planted.h"

/*
 * How much all segments may take with the next one. The first of a life may lie beyond max_bytes, as
 * long as they are not more than one segment beyond it already: no segment of an earlier life is
 * written to again, and without a new one neither acknowledgements nor changed rules could be
 * recorded, which is what makes room again. journal_room() offers nothing of it to events.
 */
static uint64_t limit_of_next(const struct journal *journal)
{
	const struct journal_options *options = &journal->options;
	uint64_t more = journal->writer.file < 0 ? 2 * options->segment_bytes : 0;

	return more > UINT64_MAX - options->max_bytes ? UINT64_MAX : options->max_bytes + more;
}

/* The move to it shortens or replaces the segment that recovery found last. */
static uint64_t given_back_by_next(const struct writer *writer)
{
	return writer->replaced_bytes + (writer->recovered_bytes - writer->recovered_used);
}

/* Whether a whole segment more stays inside max_bytes and above reserve_bytes. */
static bool room_for_segment(struct journal *journal)
{
	const struct journal_options *options = &journal->options;
	uint64_t used;
	int64_t left;

	pthread_mutex_lock(&journal->shared.lock);
	used = journal->shared.disk_bytes - given_back_by_next(&journal->writer);
	pthread_mutex_unlock(&journal->shared.lock);
	if (options->max_bytes != 0 && used + options->segment_bytes > limit_of_next(journal))
		return false;
	left = journal->world->free_bytes(journal->world->self, journal->directory);
	return left < 0 || (uint64_t)left >= options->segment_bytes + options->reserve_bytes;
}

int rotate_make_spare(struct journal *journal, bool *refused)
{
	const struct world *world = journal->world;
	char path[SEGMENT_PATH];
	int file;
	int result;

	*refused = !room_for_segment(journal);
	if (*refused)
		return 0;
	segment_path_named(path, journal->directory, SPARE_NAME);
	file = world->open(world->self, path, WORLD_EXCLUSIVE);
	if (file == -ENOSPC || file == -EDQUOT) {
		*refused = true;
		return 0;
	}
	if (file < 0)
		return file;
	result = world->allocate(world->self, file, journal->options.segment_bytes);
	if (result >= 0)
		result = world->sync(world->self, file);
	if (result >= 0) {
		journal->writer.spare = file;
		return 0;
	}
	(void)world->close(world->self, file);
	(void)world->unlink(world->self, path);
	*refused = result == -ENOSPC || result == -EDQUOT;
	return *refused ? 0 : result;
}

static int make_header(struct journal *journal, struct format_segment *header, uint8_t *block)
{
	struct writer *writer = &journal->writer;
	const struct world *world = journal->world;
	int result;

	memset(header, 0, sizeof(*header));
	header->cipher = (uint32_t)journal->options.cipher;
	header->epoch = writer->epoch;
	header->first_sequence = writer->sequence + 1;
	header->allocated_bytes = journal->options.segment_bytes;
	header->created_ns = world->real_ns(world->self);
	header->previous = writer->link;
	memcpy(header->journal_id, journal->journal_id, FORMAT_ID);
	result = world->random(world->self, header->salt, FORMAT_SALT);
	if (result < 0)
		return result;
	if (PLANTED(REUSE_NONCE))
		memset(header->salt, 0, FORMAT_SALT);
	if (crypto_derive(journal->master, header->salt, CRYPTO_SEGMENT, writer->key,
	                  header->key_check) != TTG_OK)
		return -EIO;
	format_segment_encode(header, block);
	return 0;
}

/* Header into the spare, and the spare under its name, durable. */
static int publish_spare(struct journal *journal, const uint8_t *block, uint64_t first_sequence)
{
	const struct world *world = journal->world;
	char from[SEGMENT_PATH];
	char to[SEGMENT_PATH];
	int result = world_write_all(world, journal->writer.spare, block, FORMAT_BLOCK, 0);

	if (result >= 0)
		result = world->sync(world->self, journal->writer.spare);
	segment_path_named(from, journal->directory, SPARE_NAME);
	segment_path(to, journal->directory, SEGMENT_FILE, first_sequence);
	if (result >= 0)
		result = world->rename(world->self, from, to);
	if (result < 0 || PLANTED(FORGET_DIRECTORY_SYNC))
		return result;
	return world->sync_dir(world->self, journal->directory);
}

/* Gives back room that was allocated and never written to. 0, or -errno of a sync. */
static int cut_previous(struct journal *journal, struct finished *finished)
{
	struct writer *writer = &journal->writer;
	const struct world *world = journal->world;
	uint64_t bytes = writer->offset;
	char path[SEGMENT_PATH];
	int file = writer->file;
	bool cut = false;
	int64_t before;
	int result;

	if (file < 0) {
		bytes = writer->recovered_used;
		if (bytes == 0)
			return 0;
		segment_path(path, journal->directory, SEGMENT_FILE, writer->link.segment);
		file = world->open(world->self, path, WORLD_WRITE);
		if (file < 0)
			return 0;
	}
	before = world->size(world->self, file);
	result = cut_file(world, file, bytes, &cut);
	if (cut) {
		finished->previous_bytes = bytes;
		finished->freed_bytes = before > (int64_t)bytes ? (uint64_t)before - bytes : 0;
	}
	(void)world->close(world->self, file);
	writer->file = -1;
	return result;
}

int rotate_start(struct journal *journal, struct finished *finished)
{
	struct writer *writer = &journal->writer;
	struct format_segment header;
	struct format_head head = writer->head;
	uint8_t *block = writer->out;
	int result = make_header(journal, &header, block);

	if (result < 0)
		return result;
	head.closed = false;
	head.epoch = writer->epoch;
	head.end.segment = header.first_sequence;
	head.end.end = FORMAT_BLOCK;
	head.sequence = writer->sequence;
	if (head.first_held == 0)
		head.first_held = header.first_sequence;
	memcpy(head.salt, header.salt, FORMAT_SALT);
	if (crypto_hash(writer->crypto, block, FORMAT_BLOCK, NULL, 0, head.end.chain) != TTG_OK)
		return -EIO;
	result = publish_spare(journal, block, header.first_sequence);
	if (result >= 0)
		result = head_write(journal->world, writer->head_file, &head);
	if (result < 0)
		return result;
	writer->head = head;
	result = cut_previous(journal, finished);
	if (result < 0)
		return result;
	writer->header = header;
	writer->link = head.end;
	writer->file = writer->spare;
	writer->spare = -1;
	writer->offset = FORMAT_BLOCK;
	writer->next_number = 0;
	writer->recovered_used = writer->recovered_bytes = 0;
	return 0;
}

int rotate_remove(struct journal *journal, struct removal *removals, uint64_t first_held)
{
	struct format_head head = journal->writer.head;
	const struct world *world = journal->world;
	char path[SEGMENT_PATH];
	int result;

	head.first_held = first_held;
	result = head_write(world, journal->writer.head_file, &head);
	if (result < 0)
		return result;
	journal->writer.head = head;
	for (; removals != NULL; removals = removals->next) {
		segment_path(path, journal->directory, SEGMENT_FILE, removals->first_sequence);
		result = world->unlink(world->self, path);
		if (result < 0 && result != -ENOENT)
			return result;
	}
	return 0;
}

static struct format_head reached(const struct writer *writer, bool closed)
{
	struct format_head head = writer->head;

	head.closed = closed;
	head.end = writer->link;
	head.sequence = writer->sequence;
	memcpy(head.salt, writer->header.salt, FORMAT_SALT);
	return head;
}

int rotate_mark(struct journal *journal, bool closed)
{
	struct writer *writer = &journal->writer;
	struct format_head head = reached(writer, closed);
	int result = head_write(journal->world, writer->head_file, &head);

	if (result >= 0 && closed) /* both slots: a flip in one of them then changes nothing */
		result = head_write(journal->world, writer->head_file, &head);
	if (result >= 0)
		writer->head = head;
	return result;
}

/* A file system may want room even for this; without the note nothing is lost. */
int rotate_note(struct journal *journal)
{
	const struct format_head head = reached(&journal->writer, false);
	int result = head_note(journal->world, journal->writer.head_file, &head);

	return world_error(result) == TTG_ENOSPC ? 0 : result;
}
