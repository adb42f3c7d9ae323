/*
 * The durable outbox; outbox.h draws its files. Belongs to the thread that polls the client, and
 * blocks it for the time of a sync: an event is not accepted from the application before.
 *
 * Invariants: one batch is written at a time and synced before the next; segments are numbered
 * without a gap and removed from the oldest on, each removal durable before the next; an event is
 * noted as done only after it was accepted, or put aside under refused/.
 *
 * On failure: with a full disk the batch is cut off again and TTG_ENOSPC says so. Any other failure
 * of a write or a sync is final: the outbox is broken, every call answers TTG_EIO, and what is on
 * disk is judged at the next opening.
 */
#include "client/outbox_internal.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ttg/event.h>
#include "base/cursor.h"

#define SEGMENT_BYTES	  (4u * 1024 * 1024)
#define SMALLEST_SEGMENT  (64u * 1024)
#define SEGMENTS_IN_FULL  8
#define LEAST_MAX_BYTES	  (64u * 1024)
#define REASON_BYTES	  512
#define MAX_DONE_RUNS	  4096 /* in one batch */

static enum ttg_error broken(struct outbox *outbox)
{
	outbox->broken = true;
	return TTG_EIO;
}

static enum ttg_error path_in(const struct outbox *outbox, const char *name,
			      char out[OUTBOX_PATH_BYTES])
{
	int len = snprintf(out, OUTBOX_PATH_BYTES, "%s/%s", outbox->dir, name);

	return len > 0 && len < OUTBOX_PATH_BYTES ? TTG_OK : TTG_ELIMIT;
}

enum ttg_error outbox_segment_path(const struct outbox *outbox, uint64_t number,
				   char out[OUTBOX_PATH_BYTES])
{
	char name[32];

	snprintf(name, sizeof(name), "%016" PRIx64 ".out", number);
	return path_in(outbox, name, out);
}

struct outbox_segment *outbox_add_segment(struct outbox *outbox, uint64_t number)
{
	if (outbox->n_segments == outbox->segment_capacity) {
		size_t more = outbox->segment_capacity ? outbox->segment_capacity * 2 : 16;
		struct outbox_segment *grown = realloc(outbox->segments, more * sizeof(*grown));

		if (!grown)
			return NULL;
		outbox->segments = grown;
		outbox->segment_capacity = more;
	}
	struct outbox_segment *segment = &outbox->segments[outbox->n_segments++];
	*segment = (struct outbox_segment){ .number = number, .first_index = outbox->next_index };
	return segment;
}

static void close_file(const struct outbox *outbox, int *file)
{
	if (*file >= 0)
		outbox->world->close(outbox->world->self, *file);
	*file = -1;
}

/* Opening. */

static enum ttg_error make_dirs(const struct outbox *outbox, struct message *message)
{
	const struct world *world = outbox->world;
	char path[OUTBOX_PATH_BYTES];

	int result = world->mkdir(world->self, outbox->dir);
	if (result >= 0 && path_in(outbox, "refused", path) == TTG_OK)
		result = world->mkdir(world->self, path);
	if (result >= 0)
		result = world->sync_dir(world->self, outbox->dir);
	if (result < 0)
		return message_set(message, world_error(result), "%s: cannot be made: %s",
				   outbox->dir, strerror(-result));
	return TTG_OK;
}

static enum ttg_error take_lock(struct outbox *outbox, struct message *message)
{
	const struct world *world = outbox->world;
	char path[OUTBOX_PATH_BYTES];

	enum ttg_error code = path_in(outbox, "lock", path);
	if (code != TTG_OK)
		return message_set(message, code, "%s: name too long", outbox->dir);
	outbox->lock_file = world->open(world->self, path, WORLD_CREATE);
	if (outbox->lock_file < 0)
		return message_set(message, world_error(outbox->lock_file), "%s: %s", path,
				   strerror(-outbox->lock_file));
	int result = world->lock(world->self, outbox->lock_file);
	if (result < 0)
		return message_set(message, world_error(result),
				   "%s: another process uses this outbox", outbox->dir);
	return TTG_OK;
}

struct sizing {
	const struct world *world;
	const char *dir;
	uint64_t bytes;
};

static bool add_size(void *arg, const char *name)
{
	struct sizing *sizing = arg;
	char path[OUTBOX_PATH_BYTES];

	if (snprintf(path, sizeof(path), "%s/%s", sizing->dir, name) >= (int)sizeof(path))
		return true;
	int file = sizing->world->open(sizing->world->self, path, WORLD_READ);
	if (file < 0)
		return true;
	int64_t size = sizing->world->size(sizing->world->self, file);
	if (size > 0)
		sizing->bytes += (uint64_t)size;
	sizing->world->close(sizing->world->self, file);
	return true;
}

/* What was put aside counts against max_bytes too: it waits for a person to look. */
static void measure_refused(struct outbox *outbox)
{
	char path[OUTBOX_PATH_BYTES];
	struct sizing sizing = { .world = outbox->world, .dir = path };

	if (path_in(outbox, "refused", path) != TTG_OK)
		return;
	outbox->world->list(outbox->world->self, path, add_size, &sizing);
	outbox->refused_bytes = sizing.bytes;
}

static struct outbox *allocate(const struct world *world, const char *dir, size_t max_bytes)
{
	struct outbox *outbox = calloc(1, sizeof(*outbox));

	if (!outbox)
		return NULL;
	outbox->world = world;
	outbox->lock_file = outbox->active_file = outbox->read_file = -1;
	outbox->max_bytes = max_bytes ? max_bytes : OUTBOX_DEFAULT_MAX_BYTES;
	outbox->segment_bytes = outbox->max_bytes / SEGMENTS_IN_FULL;
	if (outbox->segment_bytes > SEGMENT_BYTES)
		outbox->segment_bytes = SEGMENT_BYTES;
	if (outbox->segment_bytes < SMALLEST_SEGMENT)
		outbox->segment_bytes = SMALLEST_SEGMENT;
	outbox->next_segment = outbox->next_batch = outbox->next_index = 1;
	memcpy(outbox->dir, dir, strlen(dir) + 1);
	return outbox;
}

enum ttg_error outbox_open(struct outbox **out, const struct world *world, const char *dir,
			   size_t max_bytes, struct message *message)
{
	*out = NULL;
	if (!dir[0] || strlen(dir) >= OUTBOX_PATH_BYTES - 64)
		return message_set(message, TTG_EINVAL, "outbox: a directory's name is wanted");
	if (max_bytes != 0 && max_bytes < LEAST_MAX_BYTES)
		return message_set(message, TTG_EINVAL, "outbox: at least %u bytes would be right",
				   LEAST_MAX_BYTES);
	struct outbox *outbox = allocate(world, dir, max_bytes);
	if (!outbox)
		return message_set(message, TTG_ENOMEM, "no memory");
	enum ttg_error code = make_dirs(outbox, message);
	if (code == TTG_OK)
		code = take_lock(outbox, message);
	if (code == TTG_OK)
		code = outbox_recover(outbox, message);
	if (code != TTG_OK) {
		outbox->broken = true; /* nothing is written any more */
		outbox_close(&outbox);
		return code;
	}
	measure_refused(outbox);
	outbox_trim(outbox, true);
	*out = outbox;
	return TTG_OK;
}

void outbox_close(struct outbox **it)
{
	struct outbox *outbox = *it;

	if (!outbox)
		return;
	outbox_trim(outbox, true);
	outbox_flush_done(outbox);
	close_file(outbox, &outbox->read_file);
	close_file(outbox, &outbox->active_file);
	close_file(outbox, &outbox->lock_file);
	free(outbox->segments);
	free(outbox->found);
	free(outbox->done);
	free(outbox);
	*it = NULL;
}

enum ttg_error outbox_each(struct outbox *outbox, outbox_each_fn each, void *arg)
{
	enum ttg_error code = TTG_OK;

	for (size_t i = 0; i < outbox->n_found && code == TTG_OK; i++) {
		const struct outbox_found *found = &outbox->found[i];

		if (!found->done)
			code = each(arg, found->id, found->bytes, &found->place);
	}
	free(outbox->found);
	outbox->found = NULL;
	outbox->n_found = outbox->found_capacity = 0;
	return code;
}

/* Removing. */

static bool remove_oldest(struct outbox *outbox)
{
	const struct world *world = outbox->world;
	char path[OUTBOX_PATH_BYTES];

	if (outbox_segment_path(outbox, outbox->segments[0].number, path) != TTG_OK)
		return false;
	if (outbox->n_segments == 1)
		close_file(outbox, &outbox->active_file);
	if (outbox->read_segment == outbox->segments[0].number)
		close_file(outbox, &outbox->read_file);
	int result = world->unlink(world->self, path);
	if (result >= 0 || result == -ENOENT)
		result = world->sync_dir(world->self, outbox->dir);
	if (result < 0) {
		broken(outbox);
		return false;
	}
	outbox->total_bytes -= outbox->segments[0].bytes;
	outbox->n_segments--;
	memmove(outbox->segments, outbox->segments + 1,
		outbox->n_segments * sizeof(*outbox->segments));
	return true;
}

/* Marks of events whose segment is gone need not be written. */
static void forget_needless_done(struct outbox *outbox)
{
	uint64_t first = outbox->n_segments ? outbox->segments[0].first_index : UINT64_MAX;
	size_t kept = 0;

	for (size_t i = 0; i < outbox->n_done; i++)
		if (outbox->done[i] >= first)
			outbox->done[kept++] = outbox->done[i];
	outbox->n_done = kept;
}

void outbox_trim(struct outbox *outbox, bool whole)
{
	bool any = false;

	while (!outbox->broken && outbox->n_segments > 0 && outbox->segments[0].open == 0) {
		/* The one being written is kept while it is small, so as not to make files for
		   each event. */
		if (outbox->n_segments == 1 && !whole &&
		    outbox->segments[0].bytes < outbox->segment_bytes)
			break;
		if (!remove_oldest(outbox))
			break;
		any = true;
	}
	if (any)
		forget_needless_done(outbox);
}

/* Writing. */

static struct outbox_segment *newest(struct outbox *outbox)
{
	assert(outbox->n_segments > 0);
	return &outbox->segments[outbox->n_segments - 1];
}

/* Undoes the making of a segment for which there was no room. */
static enum ttg_error unmake_segment(struct outbox *outbox, const char *path)
{
	const struct world *world = outbox->world;

	close_file(outbox, &outbox->active_file);
	int result = world->unlink(world->self, path);
	if (result >= 0)
		result = world->sync_dir(world->self, outbox->dir);
	return result < 0 ? broken(outbox) : TTG_ENOSPC;
}

static enum ttg_error begin_segment(struct outbox *outbox)
{
	const struct world *world = outbox->world;
	uint8_t head[SECTOR_BYTES];
	char path[OUTBOX_PATH_BYTES];

	close_file(outbox, &outbox->active_file);
	enum ttg_error code = outbox_segment_path(outbox, outbox->next_segment, path);
	if (code != TTG_OK)
		return code;
	outbox->active_file = world->open(world->self, path, WORLD_EXCLUSIVE);
	if (outbox->active_file == -ENOSPC || outbox->active_file == -EDQUOT)
		return TTG_ENOSPC;
	if (outbox->active_file < 0)
		return broken(outbox);
	sector_write_head(head, outbox->next_segment, outbox->next_batch);
	int result = world_write_all(world, outbox->active_file, head, sizeof(head), 0);
	if (world_error(result) == TTG_ENOSPC)
		return unmake_segment(outbox, path);
	if (result >= 0)
		result = world->sync(world->self, outbox->active_file);
	if (result >= 0)
		result = world->sync_dir(world->self, outbox->dir);
	if (result < 0)
		return broken(outbox);
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
	return result < 0 ? broken(outbox) : TTG_ENOSPC;
}

/* Writes and syncs one batch of `len` data bytes. */
static enum ttg_error write_batch(struct outbox *outbox, const uint8_t *data, size_t len)
{
	const struct world *world = outbox->world;
	size_t bytes = sectors_for(len) * SECTOR_BYTES;
	enum ttg_error code = TTG_OK;

	if (outbox->active_file < 0 || newest(outbox)->bytes >= outbox->segment_bytes)
		code = begin_segment(outbox);
	if (code != TTG_OK)
		return code;
	uint8_t *sectors = malloc(bytes);
	if (!sectors)
		return TTG_ENOMEM;
	sectors_write(sectors, data, len, outbox->next_batch);
	struct outbox_segment *segment = newest(outbox);
	int result = world_write_all(world, outbox->active_file, sectors, bytes, segment->bytes);
	free(sectors);
	if (world_error(result) == TTG_ENOSPC)
		return take_back(outbox, segment->bytes);
	if (result < 0 || world->sync(world->self, outbox->active_file) < 0)
		return broken(outbox);
	segment->bytes += bytes;
	outbox->total_bytes += bytes;
	outbox->next_batch++;
	return TTG_OK;
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
		places[i].segment = newest(outbox)->number;
		places[i].offset = newest(outbox)->bytes - bytes;
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
	newest(outbox)->open += n;
	return TTG_OK;
}

/* Reading back. */

static int file_of(struct outbox *outbox, uint64_t number)
{
	char path[OUTBOX_PATH_BYTES];

	if (outbox->active_file >= 0 && newest(outbox)->number == number)
		return outbox->active_file;
	if (outbox->read_file >= 0 && outbox->read_segment == number)
		return outbox->read_file;
	close_file(outbox, &outbox->read_file);
	if (outbox_segment_path(outbox, number, path) != TTG_OK)
		return -1;
	outbox->read_file = outbox->world->open(outbox->world->self, path, WORLD_READ);
	outbox->read_segment = number;
	return outbox->read_file;
}

/* Takes the wanted bytes out of verified sectors. */
static enum ttg_error extract(const uint8_t *sectors, uint32_t first_part, size_t n,
			      size_t skip, uint32_t bytes, uint8_t *out)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t *at = sectors + i * SECTOR_BYTES;
		struct sector sector = sector_read(at);

		if (sector.kind != SECTOR_VALID || sector.part != first_part + i)
			return TTG_ECORRUPT;
		size_t some = SECTOR_DATA - skip < bytes ? SECTOR_DATA - skip : bytes;
		memcpy(out, at + skip, some);
		out += some;
		bytes -= (uint32_t)some;
		skip = 0;
	}
	return bytes == 0 ? TTG_OK : TTG_ECORRUPT;
}

enum ttg_error outbox_read(struct outbox *outbox, const struct outbox_place *place,
			   uint32_t bytes, uint8_t *out)
{
	uint32_t first = place->data_at / SECTOR_DATA;
	size_t skip = place->data_at % SECTOR_DATA;
	size_t n = sectors_for(skip + bytes);

	if (outbox->broken)
		return TTG_EIO;
	int file = file_of(outbox, place->segment);
	if (file < 0)
		return TTG_EIO;
	uint8_t *sectors = malloc(n * SECTOR_BYTES);
	if (!sectors)
		return TTG_ENOMEM;
	enum ttg_error code = TTG_EIO;
	if (world_read_all(outbox->world, file, sectors, n * SECTOR_BYTES,
			   place->offset + (uint64_t)first * SECTOR_BYTES) >= 0)
		code = extract(sectors, first, n, skip, bytes, out);
	free(sectors);
	return code;
}

/* Finishing. */

static enum ttg_error put_aside(struct outbox *outbox, const char *uuid, const char *suffix,
				const void *data, size_t len)
{
	char name[64], path[OUTBOX_PATH_BYTES];

	snprintf(name, sizeof(name), "refused/%s%s", uuid, suffix);
	enum ttg_error code = path_in(outbox, name, path);
	if (code == TTG_OK)
		code = world_error(world_replace_file(outbox->world, path, data, len));
	if (code == TTG_OK)
		outbox->refused_bytes += len;
	return code == TTG_OK || code == TTG_ENOSPC ? code : broken(outbox);
}

enum ttg_error outbox_refuse(struct outbox *outbox, const uint8_t id[16], const uint8_t *event,
			     uint32_t bytes, enum ttg_error code, const char *text)
{
	char uuid[TTG_UUID_TEXT], reason[REASON_BYTES];

	if (outbox->broken)
		return TTG_EIO;
	if (outbox->refused_bytes + bytes + sizeof(reason) > outbox->max_bytes)
		return TTG_ENOSPC;
	ttg_uuid_format(id, uuid);
	int len = snprintf(reason, sizeof(reason), "code=%d name=%s\n%.300s\n", (int)code,
			   ttg_error_name(code), text);
	enum ttg_error kept = put_aside(outbox, uuid, ".event", event, bytes);
	if (kept == TTG_OK)
		kept = put_aside(outbox, uuid, ".reason", reason, (size_t)len);
	return kept;
}

static struct outbox_segment *find_segment(struct outbox *outbox, uint64_t number)
{
	if (outbox->n_segments == 0 || number < outbox->segments[0].number ||
	    number - outbox->segments[0].number >= outbox->n_segments)
		return NULL;
	return &outbox->segments[number - outbox->segments[0].number];
}

void outbox_done(struct outbox *outbox, const struct outbox_place *place)
{
	struct outbox_segment *segment = find_segment(outbox, place->segment);

	if (!segment)
		return;
	assert(segment->open > 0);
	segment->open--;
	if (outbox->n_done == outbox->done_capacity) {
		size_t more = outbox->done_capacity ? outbox->done_capacity * 2 : 256;
		uint64_t *grown = realloc(outbox->done, more * sizeof(*grown));

		/* Without memory the mark is lost and the event may be sent again: a duplicate. */
		if (!grown)
			return;
		outbox->done = grown;
		outbox->done_capacity = more;
	}
	outbox->done[outbox->n_done++] = place->index;
	if (segment->open == 0)
		outbox_trim(outbox, false);
}

bool outbox_has_done(const struct outbox *outbox)
{
	return outbox->n_done > 0;
}

enum ttg_error outbox_flush_done(struct outbox *outbox)
{
	enum ttg_error code = TTG_OK;

	while (!outbox->broken && outbox->n_done > 0 && code == TTG_OK)
		code = append(outbox, NULL, 0, NULL, 0);
	return outbox->broken ? TTG_EIO : code;
}
