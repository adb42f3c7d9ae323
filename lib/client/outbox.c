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
#include "base/planted.h"
#include "client/outbox_internal.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ttg/event.h>

#define SEGMENT_BYTES	  (4u * 1024 * 1024)
#define SMALLEST_SEGMENT  (64u * 1024)
#define SEGMENTS_IN_FULL  8
#define LEAST_MAX_BYTES	  (64u * 1024)
#define REASON_BYTES	  512

enum ttg_error outbox_break(struct outbox *outbox)
{
	outbox->broken = true;
	return TTG_EIO;
}

struct outbox_segment *outbox_newest(struct outbox *outbox)
{
	assert(outbox->n_segments > 0);
	return &outbox->segments[outbox->n_segments - 1];
}

enum ttg_error outbox_path(const struct outbox *outbox, const char *name,
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
	return outbox_path(outbox, name, out);
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

void outbox_close_file(const struct outbox *outbox, int *file)
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
	if (result >= 0 && outbox_path(outbox, "refused", path) == TTG_OK)
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

	enum ttg_error code = outbox_path(outbox, "lock", path);
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

	if (outbox_path(outbox, "refused", path) != TTG_OK)
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
	outbox->lock_file = outbox->mark_file = outbox->active_file = outbox->read_file = -1;
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
	if (!outbox->broken)
		outbox_mark_sync(outbox, 0);
	outbox_close_file(outbox, &outbox->mark_file);
	outbox_close_file(outbox, &outbox->read_file);
	outbox_close_file(outbox, &outbox->active_file);
	outbox_close_file(outbox, &outbox->lock_file);
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

	if (outbox_segment_path(outbox, outbox->segments[0].number, path) != TTG_OK ||
	    outbox_mark_sync(outbox, 1) != TTG_OK)
		return false;
	if (outbox->n_segments == 1)
		outbox_close_file(outbox, &outbox->active_file);
	if (outbox->read_segment == outbox->segments[0].number)
		outbox_close_file(outbox, &outbox->read_file);
	int result = world->unlink(world->self, path);
	if (result >= 0 || result == -ENOENT)
		result = world->sync_dir(world->self, outbox->dir);
	if (result < 0) {
		outbox_break(outbox);
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

/* Reading back. */

static int file_of(struct outbox *outbox, uint64_t number)
{
	char path[OUTBOX_PATH_BYTES];

	if (outbox->active_file >= 0 && outbox_newest(outbox)->number == number)
		return outbox->active_file;
	if (outbox->read_file >= 0 && outbox->read_segment == number)
		return outbox->read_file;
	outbox_close_file(outbox, &outbox->read_file);
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
	enum ttg_error code = outbox_path(outbox, name, path);
	if (code == TTG_OK)
		code = world_error(world_replace_file(outbox->world, path, data, len));
	if (code == TTG_OK)
		outbox->refused_bytes += len;
	return code == TTG_OK || code == TTG_ENOSPC ? code : outbox_break(outbox);
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

	if (!segment || (PLANTED(OUTBOX_DONE_EARLY) && segment->open == 0))
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
