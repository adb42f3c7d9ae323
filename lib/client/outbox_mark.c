/*
 * HEAD: which segments an outbox has and how far it reached at least, so that a newest segment that
 * is missing, cut short or older than it was is not taken for an outbox that simply ends earlier.
 * Belongs to the thread that polls the client.
 *
 * Three sectors, each with a whole mark. Two are written in turn and synced: when the outbox is
 * opened and closed, and before a segment is removed; a write that is torn or fails leaves the
 * other one. The third is written behind each batch and not synced: it costs no wait, and says
 * nothing wrong if it is lost. The highest counter holds, and of the same counter the mark that
 * reaches further: the third has the counter of the synced mark it adds to.
 *
 * Invariant: a mark never claims what was not synced before it was written.
 */
#include "client/outbox_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/cursor.h"

#define MARK_BYTES	44
#define SLOTS		3
#define BATCH_SLOT	2 /* the synced ones are 0 and 1 */
#define MARK_FILE_BYTES (SLOTS * SECTOR_BYTES)

static const char magic[8] = { 'T', 'T', 'G', 'O', 'U', 'T', 'H', '1' };

static void encode(const struct outbox_mark *mark, uint8_t out[SECTOR_BYTES])
{
	uint8_t bytes[MARK_BYTES];
	struct cursor cursor;

	cursor_init_write(&cursor, bytes, sizeof(bytes));
	cursor_put_bytes(&cursor, magic, sizeof(magic));
	cursor_put_u32(&cursor, OUTBOX_VERSION);
	cursor_put_u64(&cursor, mark->counter);
	cursor_put_u64(&cursor, mark->first_segment);
	cursor_put_u64(&cursor, mark->end_segment);
	cursor_put_u64(&cursor, mark->bytes);
	assert(cursor_ok(&cursor) && cursor_left(&cursor) == 0);
	sector_write(out, bytes, sizeof(bytes), 0, 0);
}

static bool decode(const uint8_t sector[SECTOR_BYTES], struct outbox_mark *out)
{
	struct cursor cursor;

	if (sector_read(sector).kind != SECTOR_VALID)
		return false;
	cursor_init_read(&cursor, sector, MARK_BYTES);
	const uint8_t *found = cursor_get_bytes(&cursor, sizeof(magic));
	if (!found || memcmp(found, magic, sizeof(magic)) != 0 ||
	    cursor_get_u32(&cursor) != OUTBOX_VERSION)
		return false;
	out->counter = cursor_get_u64(&cursor);
	out->first_segment = cursor_get_u64(&cursor);
	out->end_segment = cursor_get_u64(&cursor);
	out->bytes = cursor_get_u64(&cursor);
	return cursor_ok(&cursor) && out->first_segment > 0 &&
	       out->end_segment >= out->first_segment;
}

static enum ttg_error create(struct outbox *outbox, const char *path, struct message *message)
{
	const struct world *world = outbox->world;
	uint8_t bytes[MARK_FILE_BYTES];

	outbox->mark = (struct outbox_mark){ .counter = 1, .first_segment = 1, .end_segment = 1 };
	for (size_t i = 0; i < SLOTS; i++)
		encode(&outbox->mark, bytes + i * SECTOR_BYTES);
	int result = world_replace_file(world, path, bytes, sizeof(bytes));
	if (result < 0)
		return message_set(message, world_error(result), "%s: cannot be written: %s", path,
		                   strerror(-result));
	return TTG_OK;
}

static bool says_more(const struct outbox_mark *one, const struct outbox_mark *other)
{
	if (one->counter != other->counter)
		return one->counter > other->counter;
	if (one->end_segment != other->end_segment)
		return one->end_segment > other->end_segment;
	return one->bytes > other->bytes;
}

static enum ttg_error read_file(struct outbox *outbox, const char *path, struct message *message)
{
	const struct world *world = outbox->world;
	uint8_t bytes[MARK_FILE_BYTES];
	bool any = false;

	int64_t size = world->size(world->self, outbox->mark_file);
	if (size >= 0 && size != MARK_FILE_BYTES)
		return message_set(message, TTG_ECORRUPT,
		                   "%s: damaged at offset %lld: should have %d bytes", path,
		                   (long long)size, MARK_FILE_BYTES);
	int result = size < 0 ? (int)size
	                      : world_read_all(world, outbox->mark_file, bytes, sizeof(bytes), 0);
	if (result < 0)
		return message_set(message, TTG_EIO, "%s: cannot be read: %s", path,
		                   strerror(-result));
	for (size_t i = 0; i < SLOTS; i++) {
		struct outbox_mark slot;

		if (!decode(bytes + i * SECTOR_BYTES, &slot) ||
		    (any && !says_more(&slot, &outbox->mark)))
			continue;
		outbox->mark = slot;
		any = true;
	}
	if (!any)
		return message_set(message, TTG_ECORRUPT,
		                   "%s: damaged at offset 0: no mark of how far the outbox reached",
		                   path);
	return TTG_OK;
}

enum ttg_error outbox_mark_open(struct outbox *outbox, bool has_segments, struct message *message)
{
	const struct world *world = outbox->world;
	char path[OUTBOX_PATH_BYTES];

	enum ttg_error code = outbox_path(outbox, "HEAD", path);
	if (code != TTG_OK)
		return message_set(message, code, "%s: name too long", outbox->dir);
	outbox->mark_file = world->open(world->self, path, WORLD_WRITE);
	if (outbox->mark_file == -ENOENT && has_segments)
		return message_set(message, TTG_ECORRUPT,
		                   "%s: damaged at offset 0: is missing, but segments are there",
		                   path);
	if (outbox->mark_file == -ENOENT) {
		code = create(outbox, path, message);
		if (code != TTG_OK)
			return code;
		outbox->mark_file = world->open(world->self, path, WORLD_WRITE);
	}
	if (outbox->mark_file < 0)
		return message_set(message, world_error(outbox->mark_file),
		                   "%s: cannot be opened: %s", path, strerror(-outbox->mark_file));
	return read_file(outbox, path, message);
}

static int write_mark(const struct outbox *outbox, uint64_t slot)
{
	uint8_t sector[SECTOR_BYTES];

	encode(&outbox->mark, sector);
	return world_write_all(outbox->world, outbox->mark_file, sector, sizeof(sector),
	                       slot * SECTOR_BYTES);
}

static void take_ends(struct outbox *outbox, size_t removed)
{
	struct outbox_mark *mark = &outbox->mark;

	mark->first_segment = mark->end_segment = outbox->next_segment;
	mark->bytes = 0;
	if (outbox->n_segments > removed) {
		mark->first_segment = outbox->segments[removed].number;
		mark->bytes = outbox_newest(outbox)->bytes;
	}
}

enum ttg_error outbox_mark_batch(struct outbox *outbox)
{
	take_ends(outbox, 0);
	int result = write_mark(outbox, BATCH_SLOT);
	return result >= 0 || world_error(result) == TTG_ENOSPC ? TTG_OK : outbox_break(outbox);
}

enum ttg_error outbox_mark_sync(struct outbox *outbox, size_t removed)
{
	take_ends(outbox, removed);
	outbox->mark.counter++;
	int result = write_mark(outbox, outbox->mark.counter & 1);
	if (result >= 0)
		result = outbox->world->sync(outbox->world->self, outbox->mark_file);
	if (result >= 0)
		return TTG_OK;
	outbox->mark.counter--; /* the next one goes to the same slot: the other is good */
	return world_error(result) == TTG_ENOSPC ? TTG_ENOSPC : outbox_break(outbox);
}
