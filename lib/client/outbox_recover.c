/*
 * Opening an outbox: proves every sector of every segment, or says where it cannot.
 *
 * A batch that is not whole is a torn tail if it is in the last segment and everything from its
 * first sector to the end of the file is either a sector of this very batch in its place or was
 * never written. It was never reported stored, so it is cut off. Whatever else does not verify is
 * damage: TTG_ECORRUPT, and nothing is changed on disk. HEAD says what must be there at least.
 */
#include "client/outbox_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cursor.h"

#define NAME_DIGITS 16
#define MAX_SEGMENTS 65536

struct recovery {
	struct outbox *outbox;
	struct message *message;
	uint64_t *numbers;
	size_t n, capacity;
	bool out_of_memory;
	/* The segment under way. */
	char path[OUTBOX_PATH_BYTES];
	const uint8_t *bytes;
	size_t n_sectors;
	bool last;
};

static enum ttg_error damaged(const struct recovery *recovery, size_t sector, const char *what)
{
	return message_set(recovery->message, TTG_ECORRUPT,
			   "%s: damaged at offset %zu: %s; move the file aside to go on without it",
			   recovery->path, sector * SECTOR_BYTES, what);
}

/* "0123456789abcdef.out" */
static bool parse_name(const char *name, uint64_t *number)
{
	if (strlen(name) != NAME_DIGITS + 4 || strcmp(name + NAME_DIGITS, ".out") != 0)
		return false;
	*number = 0;
	for (int i = 0; i < NAME_DIGITS; i++) {
		char c = name[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		*number = *number << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	return true;
}

static bool collect(void *arg, const char *name)
{
	struct recovery *recovery = arg;
	uint64_t number;

	if (!parse_name(name, &number))
		return true;
	if (recovery->n == recovery->capacity) {
		size_t more = recovery->capacity ? recovery->capacity * 2 : 64;
		uint64_t *grown = more <= MAX_SEGMENTS ?
					  realloc(recovery->numbers, more * sizeof(*grown)) :
					  NULL;

		if (!grown) {
			recovery->out_of_memory = true;
			return false;
		}
		recovery->numbers = grown;
		recovery->capacity = more;
	}
	recovery->numbers[recovery->n++] = number;
	return true;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Reads the data bytes of a batch together. Caller frees. */
static uint8_t *gather(const struct recovery *recovery, size_t at, size_t n_sectors)
{
	uint8_t *data = malloc(n_sectors * SECTOR_DATA);

	for (size_t i = 0; data && i < n_sectors; i++)
		memcpy(data + i * SECTOR_DATA, recovery->bytes + (at + i) * SECTOR_BYTES,
		       SECTOR_DATA);
	return data;
}

static struct outbox_found *add_found(struct outbox *outbox)
{
	if (outbox->n_found == outbox->found_capacity) {
		size_t more = outbox->found_capacity ? outbox->found_capacity * 2 : 256;
		struct outbox_found *grown = realloc(outbox->found, more * sizeof(*grown));

		if (!grown)
			return NULL;
		outbox->found = grown;
		outbox->found_capacity = more;
	}
	return &outbox->found[outbox->n_found];
}

static enum ttg_error apply_put(struct outbox *outbox, struct cursor *cursor, uint64_t segment,
				uint64_t offset)
{
	uint64_t index = cursor_get_u64(cursor);
	const uint8_t *id = cursor_get_bytes(cursor, 16);
	uint32_t bytes = cursor_get_u32(cursor);
	uint32_t data_at = (uint32_t)cursor_offset(cursor);

	if (!cursor_get_bytes(cursor, bytes) || !id ||
	    (outbox->n_found > 0 && index != outbox->next_index))
		return TTG_ECORRUPT;
	struct outbox_found *found = add_found(outbox);
	if (!found)
		return TTG_ENOMEM;
	*found = (struct outbox_found){ .bytes = bytes };
	memcpy(found->id, id, sizeof(found->id));
	found->place = (struct outbox_place){ index, segment, offset, data_at };
	if (outbox->n_found++ == 0) {
		outbox->found_first = index;
		for (size_t i = 0; i < outbox->n_segments; i++)
			outbox->segments[i].first_index = index;
	}
	outbox->next_index = index + 1;
	outbox->segments[outbox->n_segments - 1].open++;
	return TTG_OK;
}

static struct outbox_segment *segment_of(struct outbox *outbox, uint64_t number)
{
	return &outbox->segments[number - outbox->segments[0].number];
}

static enum ttg_error apply_done(struct outbox *outbox, struct cursor *cursor)
{
	uint64_t first = cursor_get_u64(cursor);
	uint64_t count = cursor_get_u64(cursor);

	if (!cursor_ok(cursor) || count == 0 || first + count < first ||
	    (outbox->n_found > 0 && first + count > outbox->next_index))
		return TTG_ECORRUPT;
	uint64_t from = first > outbox->found_first ? first : outbox->found_first;
	for (uint64_t i = from; i < first + count; i++) {
		if (i - outbox->found_first >= outbox->n_found)
			break;
		struct outbox_found *found = &outbox->found[i - outbox->found_first];
		if (!found->done)
			segment_of(outbox, found->place.segment)->open--;
		found->done = true;
	}
	return TTG_OK;
}

/* Takes the records of one whole batch at sector `at`. */
static enum ttg_error apply_batch(struct recovery *recovery, size_t at, size_t n_sectors)
{
	struct outbox *outbox = recovery->outbox;
	uint8_t *data = gather(recovery, at, n_sectors);
	enum ttg_error code = TTG_OK;
	struct cursor cursor;

	if (!data)
		return message_set(recovery->message, TTG_ENOMEM, "no memory");
	cursor_init_read(&cursor, data, n_sectors * SECTOR_DATA);
	uint32_t length = cursor_get_u32(&cursor);
	uint32_t records = cursor_get_u32(&cursor);
	cursor_init_read(&cursor, data, length);
	cursor_get_bytes(&cursor, BATCH_HEAD);
	for (uint32_t i = 0; i < records && code == TTG_OK; i++) {
		uint8_t kind = cursor_get_u8(&cursor);

		if (kind == RECORD_PUT)
			code = apply_put(outbox, &cursor,
					 outbox->segments[outbox->n_segments - 1].number,
					 at * SECTOR_BYTES);
		else
			code = kind == RECORD_DONE ? apply_done(outbox, &cursor) : TTG_ECORRUPT;
	}
	if (code == TTG_OK && cursor_left(&cursor) != 0)
		code = TTG_ECORRUPT;
	free(data);
	if (code == TTG_ECORRUPT)
		damaged(recovery, at, "records that make no sense");
	return code;
}

static struct sector sector_at(const struct recovery *recovery, size_t at)
{
	return sector_read(recovery->bytes + at * SECTOR_BYTES);
}

static bool belongs(struct sector sector, uint64_t batch, size_t part)
{
	return sector.kind == SECTOR_VALID && sector.batch == (uint32_t)batch &&
	       sector.part == part;
}

/* Sectors of the whole batch at `at`; 0 when it is not whole. */
static size_t whole_batch(const struct recovery *recovery, size_t at)
{
	uint64_t batch = recovery->outbox->next_batch;
	struct cursor cursor;

	if (!belongs(sector_at(recovery, at), batch, 0))
		return 0;
	cursor_init_read(&cursor, recovery->bytes + at * SECTOR_BYTES, BATCH_HEAD);
	uint32_t length = cursor_get_u32(&cursor);
	size_t n_sectors = sectors_for(length);
	if (length < BATCH_HEAD || n_sectors > recovery->n_sectors - at)
		return 0;
	for (size_t i = 1; i < n_sectors; i++)
		if (!belongs(sector_at(recovery, at + i), batch, i))
			return 0;
	return n_sectors;
}

/* Everything from `at` on was part of one write that did not come to its end. */
static bool is_torn_tail(const struct recovery *recovery, size_t at)
{
	if (!recovery->last)
		return false;
	for (size_t i = at; i < recovery->n_sectors; i++) {
		struct sector sector = sector_at(recovery, i);

		if (sector.kind != SECTOR_ABSENT &&
		    !belongs(sector, recovery->outbox->next_batch, i - at))
			return false;
	}
	return true;
}

static enum ttg_error cut_off(const struct recovery *recovery, int file, size_t sectors)
{
	const struct world *world = recovery->outbox->world;
	int result = world->truncate(world->self, file, (uint64_t)sectors * SECTOR_BYTES);

	if (result >= 0)
		result = world->sync(world->self, file);
	if (result < 0)
		return message_set(recovery->message, world_error(result),
				   "%s: cannot cut off a torn tail", recovery->path);
	return TTG_OK;
}

/*
 * Writes the newest batch of the last segment again (its head, when there is none), as it was read,
 * and syncs. A process that was killed may have left it unsynced; and where a sync failed, the kernel
 * may take for written what is not, and no later sync would write it.
 */
static enum ttg_error write_again(const struct recovery *recovery, int file, size_t first,
				  size_t end)
{
	const struct world *world = recovery->outbox->world;
	int result = world_write_all(world, file, recovery->bytes + first * SECTOR_BYTES,
				     (end - first) * SECTOR_BYTES, (uint64_t)first * SECTOR_BYTES);

	if (result >= 0)
		result = world->sync(world->self, file);
	if (result >= 0)
		result = world->sync_dir(world->self, recovery->outbox->dir);
	if (result < 0)
		return message_set(recovery->message, world_error(result),
				   "%s: cannot be written to", recovery->path);
	return TTG_OK;
}

static enum ttg_error check_head(const struct recovery *recovery, uint64_t number)
{
	struct outbox *outbox = recovery->outbox;
	uint64_t segment = 0, first_batch = 0;

	enum ttg_error code = sector_read_head(recovery->bytes, &segment, &first_batch);
	if (code == TTG_EVERSION)
		return message_set(recovery->message, code,
				   "%s: written by a later version", recovery->path);
	if (code != TTG_OK || segment != number)
		return damaged(recovery, 0, "no head of this segment");
	if (outbox->n_segments == 1)
		outbox->next_batch = first_batch;
	else if (outbox->next_batch != first_batch)
		return damaged(recovery, 0, "batches before it are missing");
	return TTG_OK;
}

/* The newest segment that HEAD knows. */
static bool is_marked_last(const struct outbox *outbox, uint64_t number)
{
	return number + 1 == outbox->mark.end_segment;
}

/* Walks the batches; leaves in *good the sectors that are to be kept, in *newest where the newest
   batch begins. */
static enum ttg_error walk(struct recovery *recovery, size_t *good, size_t *newest)
{
	struct outbox *outbox = recovery->outbox;
	size_t at = 1;

	while (at < recovery->n_sectors) {
		size_t n_sectors = whole_batch(recovery, at);

		if (n_sectors == 0)
			break;
		enum ttg_error code = apply_batch(recovery, at, n_sectors);
		if (code != TTG_OK)
			return code;
		outbox->next_batch++;
		*newest = at;
		at += n_sectors;
	}
	*good = at;
	if (at < recovery->n_sectors && !is_torn_tail(recovery, at))
		return damaged(recovery, at, "a batch that does not verify");
	if (is_marked_last(outbox, outbox_newest(outbox)->number) &&
	    at * SECTOR_BYTES < outbox->mark.bytes)
		return damaged(recovery, at, "what was stored from here on is missing");
	return TTG_OK;
}

/* A file whose head never reached the disk: made, and then the machine stopped. */
static bool was_never_written(const struct recovery *recovery)
{
	for (size_t i = 0; i < recovery->n_sectors; i++)
		if (sector_at(recovery, i).kind != SECTOR_ABSENT)
			return false;
	return recovery->last;
}

static enum ttg_error remove_file(const struct recovery *recovery)
{
	const struct world *world = recovery->outbox->world;
	int result = world->unlink(world->self, recovery->path);

	if (result >= 0)
		result = world->sync_dir(world->self, recovery->outbox->dir);
	if (result < 0)
		return message_set(recovery->message, world_error(result),
				   "%s: cannot be removed", recovery->path);
	return TTG_OK;
}

static enum ttg_error recover_bytes(struct recovery *recovery, int file, uint64_t number,
				    uint64_t size)
{
	struct outbox *outbox = recovery->outbox;
	size_t good = 0, newest = 0;

	if (number >= outbox->mark.end_segment && was_never_written(recovery))
		return remove_file(recovery);
	if (recovery->n_sectors == 0)
		return damaged(recovery, 0, "is shorter than its head");
	if (size % SECTOR_BYTES != 0 && !recovery->last)
		return damaged(recovery, recovery->n_sectors, "ends inside a sector");
	struct outbox_segment *segment = outbox_add_segment(outbox, number);
	if (!segment)
		return message_set(recovery->message, TTG_ENOMEM, "no memory");
	segment->first_index = outbox->next_index;
	enum ttg_error code = check_head(recovery, number);
	if (code == TTG_OK)
		code = walk(recovery, &good, &newest);
	if (code == TTG_OK && (uint64_t)good * SECTOR_BYTES != size)
		code = cut_off(recovery, file, good);
	if (code == TTG_OK && recovery->last)
		code = write_again(recovery, file, newest, good);
	if (code != TTG_OK)
		return code;
	outbox->segments[outbox->n_segments - 1].bytes = (uint64_t)good * SECTOR_BYTES;
	outbox->total_bytes += (uint64_t)good * SECTOR_BYTES;
	outbox->next_segment = number + 1;
	return TTG_OK;
}

static enum ttg_error recover_file(struct recovery *recovery, int file, uint64_t number)
{
	const struct world *world = recovery->outbox->world;
	int64_t size = world->size(world->self, file);

	if (size < 0)
		return message_set(recovery->message, world_error(size), "%s: no size",
				   recovery->path);
	if (size > OUTBOX_MAX_SEGMENT_BYTES)
		return message_set(recovery->message, TTG_ECORRUPT,
				   "%s: longer than any segment", recovery->path);
	uint8_t *bytes = malloc((size_t)size + 1);
	if (!bytes)
		return message_set(recovery->message, TTG_ENOMEM, "no memory");
	int result = world_read_all(world, file, bytes, (size_t)size, 0);
	enum ttg_error code = TTG_OK;
	if (result < 0)
		code = message_set(recovery->message, world_error(result), "%s: cannot be read",
				   recovery->path);
	recovery->bytes = bytes;
	recovery->n_sectors = (size_t)size / SECTOR_BYTES;
	if (code == TTG_OK)
		code = recover_bytes(recovery, file, number, (uint64_t)size);
	free(bytes);
	return code;
}

static enum ttg_error recover_segment(struct recovery *recovery, size_t i)
{
	const struct world *world = recovery->outbox->world;

	enum ttg_error code = outbox_segment_path(recovery->outbox, recovery->numbers[i],
						  recovery->path);
	if (code != TTG_OK)
		return code;
	recovery->last = i + 1 == recovery->n;
	if (recovery->numbers[i] < recovery->outbox->mark.first_segment)
		return remove_file(recovery); /* the removal of it was cut short */
	if (i > 0 && recovery->numbers[i] != recovery->numbers[i - 1] + 1)
		return damaged(recovery, 0, "the segment before it is missing");
	int file = world->open(world->self, recovery->path, WORLD_WRITE);
	if (file < 0)
		return message_set(recovery->message, world_error(file), "%s: cannot be opened",
				   recovery->path);
	code = recover_file(recovery, file, recovery->numbers[i]);
	world->close(world->self, file);
	return code;
}

/* All segments that HEAD knows are there; gaps between them are found on the way. */
static enum ttg_error check_marked(struct recovery *recovery)
{
	struct outbox *outbox = recovery->outbox;
	const struct outbox_mark *mark = &outbox->mark;
	uint64_t missing = mark->end_segment - 1;
	size_t i = 0;

	outbox->next_segment = mark->end_segment;
	if (mark->first_segment == mark->end_segment)
		return TTG_OK;
	while (i < recovery->n && recovery->numbers[i] < mark->first_segment)
		i++;
	if (i == recovery->n || recovery->numbers[i] != mark->first_segment)
		missing = mark->first_segment;
	else if (recovery->numbers[recovery->n - 1] >= missing)
		return TTG_OK;
	enum ttg_error code = outbox_segment_path(outbox, missing, recovery->path);
	return code == TTG_OK ? damaged(recovery, 0, "is missing") : code;
}

enum ttg_error outbox_recover(struct outbox *outbox, struct message *message)
{
	const struct world *world = outbox->world;
	struct recovery recovery = { .outbox = outbox, .message = message };
	enum ttg_error code = TTG_OK;

	int result = world->list(world->self, outbox->dir, collect, &recovery);
	if (result < 0)
		code = message_set(message, world_error(result), "%s: cannot be listed",
				   outbox->dir);
	else if (recovery.out_of_memory)
		code = message_set(message, TTG_ELIMIT, "%s: too many segments", outbox->dir);
	if (code == TTG_OK)
		code = outbox_mark_open(outbox, recovery.n > 0, message);
	if (recovery.n > 1)
		qsort(recovery.numbers, recovery.n, sizeof(*recovery.numbers), by_number);
	if (code == TTG_OK)
		code = check_marked(&recovery);
	for (size_t i = 0; i < recovery.n && code == TTG_OK; i++)
		code = recover_segment(&recovery, i);
	free(recovery.numbers);
	return code == TTG_OK ? outbox_mark_sync(outbox, 0) : code;
}
