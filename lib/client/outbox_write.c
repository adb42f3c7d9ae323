/*
 * The durable outbox: writing batches. Belongs to the thread that polls the client.
 *
 * Invariant: a segment's `bytes` are what was written and synced; the next batch begins there. On
 * failure: without room the file is cut back to `bytes` and TTG_ENOSPC says so; after anything else
 * the outbox is broken.
 */
#include "client/outbox_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/cursor.h"
#include "base/planted.h"

#define MAX_DONE_RUNS 4096 /* in one batch */

/* Undoes the making of a segment for which there was no room. */
static enum ttg_error unmake_segment(struct outbox *outbox, const char *path)
{
	const struct world *world = outbox->world;

	outbox_close_file(outbox, &outbox->active_file);
	int result = world->unlink(world->self, path);
	if (result >= 0)
		result = world->sync_dir(world->self, outbox->dir);
	return result < 0 ? outbox_break(outbox) : TTG_ENOSPC;
}

static enum ttg_error begin_segment(struct outbox *outbox)
{
	const struct world *world = outbox->world;
	uint8_t head[SECTOR_BYTES];
	char path[OUTBOX_PATH_BYTES];

	outbox_close_file(outbox, &outbox->active_file);
	enum ttg_error code = outbox_segment_path(outbox, outbox->next_segment, path);
	if (code != TTG_OK)
		return code;
	outbox->active_file = world->open(world->self, path, WORLD_EXCLUSIVE);
	if (outbox->active_file == -ENOSPC || outbox->active_file == -EDQUOT)
		return TTG_ENOSPC;
	if (outbox->active_file < 0)
		return outbox_break(outbox);
	sector_write_head(head, outbox->next_segment, outbox->next_batch);
	int result = world_write_all(world, outbox->active_file, head, sizeof(head), 0);
	if (world_error(result) == TTG_ENOSPC)
		return unmake_segment(outbox, path);
	if (result >= 0)
		result = world->sync(world->self, outbox->active_file);
	if (result >= 0)
		result = world->sync_dir(world->self, outbox->dir);
	if (result < 0)
		return outbox_break(outbox);
	struct outbox_segment *segment = outbox_add_segment(outbox, outbox->next_segment);
	if (!segment)
		return unmake_segment(outbox, path) == TTG_EIO ? TTG_EIO : TTG_ENOMEM;
	segment->bytes = SECTOR_BYTES;
	outbox->total_bytes += SECTOR_BYTES;
	outbox->next_segment++;
	return TTG_OK;
}

/* No room: takes back what part of the batch was written. */
static enum ttg_error take_back(struct outbox *outbox, uint64_t bytes)
{
	const struct world *world = outbox->world;
	int result = world->truncate(world->self, outbox->active_file, bytes);

	if (result >= 0)
		result = world->sync(world->self, outbox->active_file);
	return result < 0 ? outbox_break(outbox) : TTG_ENOSPC;
}

/* Writes and syncs one batch of `len` data bytes. */
static enum ttg_error write_batch(struct outbox *outbox, const uint8_t *data, size_t len)
{
	const struct world *world = outbox->world;
	size_t bytes = sectors_for(len) * SECTOR_BYTES;
	enum ttg_error code = TTG_OK;

	if (outbox->active_file < 0 || outbox_newest(outbox)->bytes >= outbox->segment_bytes)
		code = begin_segment(outbox);
	if (code != TTG_OK)
		return code;
	uint8_t *sectors = malloc(bytes);
	if (!sectors)
		return TTG_ENOMEM;
	sectors_write(sectors, data, len, outbox->next_batch);
	struct outbox_segment *segment = outbox_newest(outbox);
	int result = world_write_all(world, outbox->active_file, sectors, bytes, segment->bytes);
	free(sectors);
	if (world_error(result) == TTG_ENOSPC)
		return take_back(outbox, segment->bytes);
	if (result < 0 ||
	    (!PLANTED(OUTBOX_SKIP_SYNC) && world->sync(world->self, outbox->active_file) < 0))
		return outbox_break(outbox);
	segment->bytes += bytes;
	outbox->total_bytes += bytes;
	outbox->next_batch++;
	return outbox_mark_batch(outbox);
}

static int by_index(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Writes the marks as runs into the cursor, a bounded number; returns how many marks they cover. */
static size_t put_done(struct outbox *outbox, struct cursor *cursor, uint32_t *records)
{
	size_t at = 0;

	if (outbox->n_done > 1)
		qsort(outbox->done, outbox->n_done, sizeof(*outbox->done), by_index);
	for (int run = 0; run < MAX_DONE_RUNS && at < outbox->n_done; run++) {
		uint64_t first = outbox->done[at], count = 0;

		while (at < outbox->n_done && outbox->done[at] == first + count) {
			at++;
			count++;
		}
		cursor_put_u8(cursor, RECORD_DONE);
		cursor_put_u64(cursor, first);
		cursor_put_u64(cursor, count);
		(*records)++;
	}
	return at;
}

static void put_item(struct outbox *outbox, struct cursor *cursor,
		     const struct ttg_publish_item *item, size_t i, struct outbox_place *place)
{
	place->index = outbox->next_index + i;
	cursor_put_u8(cursor, RECORD_PUT);
	cursor_put_u64(cursor, place->index);
	cursor_put_bytes(cursor, item->id, 16);
	cursor_put_u32(cursor, (uint32_t)item->event_bytes);
	place->data_at = (uint32_t)cursor_offset(cursor);
	cursor_put_bytes(cursor, item->event, item->event_bytes);
}

/* Encodes and writes one batch: marks first, then the items. */
static enum ttg_error append(struct outbox *outbox, const struct ttg_publish_item *items, size_t n,
			     struct outbox_place *places, size_t data_bytes)
{
	size_t runs = outbox->n_done < MAX_DONE_RUNS ? outbox->n_done : MAX_DONE_RUNS;
	size_t room = BATCH_HEAD + runs * DONE_RECORD + data_bytes;
	uint32_t records = (uint32_t)n;
	struct cursor cursor, head;

	uint8_t *data = malloc(room);
	if (!data)
		return TTG_ENOMEM;
	cursor_init_write(&cursor, data, room);
	cursor_put_u64(&cursor, 0);
	size_t marked = put_done(outbox, &cursor, &records);
	for (size_t i = 0; i < n; i++)
		put_item(outbox, &cursor, &items[i], i, &places[i]);
	assert(cursor_ok(&cursor));
	cursor_init_write(&head, data, BATCH_HEAD);
	cursor_put_u32(&head, (uint32_t)cursor_offset(&cursor));
	cursor_put_u32(&head, records);
	enum ttg_error code = write_batch(outbox, data, cursor_offset(&cursor));
	size_t bytes = sectors_for(cursor_offset(&cursor)) * SECTOR_BYTES;
	free(data);
	if (code != TTG_OK)
		return code;
	outbox->n_done -= marked;
	if (outbox->n_done > 0)
		memmove(outbox->done, outbox->done + marked,
			outbox->n_done * sizeof(*outbox->done));
	for (size_t i = 0; i < n; i++) {
		places[i].segment = outbox_newest(outbox)->number;
		places[i].offset = outbox_newest(outbox)->bytes - bytes;
	}
	return TTG_OK;
}

enum ttg_error outbox_put(struct outbox *outbox, const struct ttg_publish_item *items, size_t n,
			  struct outbox_place *places)
{
	size_t bytes = 0;

	if (outbox->broken)
		return TTG_EIO;
	for (size_t i = 0; i < n; i++) {
		if (items[i].event_bytes > OUTBOX_MAX_BATCH_BYTES)
			return TTG_ELIMIT;
		bytes += PUT_HEAD + items[i].event_bytes;
		if (bytes > OUTBOX_MAX_BATCH_BYTES)
			return TTG_ELIMIT;
	}
	size_t on_disk = sectors_for(bytes + BATCH_HEAD) * SECTOR_BYTES + SECTOR_BYTES;
	if (outbox->total_bytes + outbox->refused_bytes + on_disk > outbox->max_bytes)
		return TTG_ENOSPC;
	enum ttg_error code = append(outbox, items, n, places, bytes);
	if (code != TTG_OK)
		return code;
	outbox->next_index += n;
	outbox_newest(outbox)->open += n;
	return TTG_OK;
}

enum ttg_error outbox_flush_done(struct outbox *outbox)
{
	enum ttg_error code = TTG_OK;

	while (!outbox->broken && outbox->n_done > 0 && code == TTG_OK)
		code = append(outbox, NULL, 0, NULL, 0);
	return outbox->broken ? TTG_EIO : code;
}
