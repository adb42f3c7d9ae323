/*
 * Giving back room: a segment is allocated whole and mostly ends sooner, so it is cut to what was
 * written once nothing more will be. Rotation cuts the segment it leaves; what a crash left longer
 * is cut by the next open, before anything asks how much room there is.
 *
 * A cut lasts when it is told: it is synced, or a power failure would leave the file at full size
 * though it counts as short. The newest segment may only be shorter than it was allocated when HEAD
 * says "closed", so that goes to both its slots first. What a torn write left behind the last batch
 * stays: only zeros go, which were allocated and never written to.
 *
 * A truncation that fails costs room and nothing else; a sync that fails is final, as everywhere.
 * Owner: the writer; the opening thread before there is one.
 */
#include "journal/state.h"

#include <errno.h>
#include <string.h>

int cut_file(const struct world *world, int file, uint64_t bytes, bool *cut)
{
	int result;

	*cut = world->truncate(world->self, file, bytes) >= 0;
	if (!*cut)
		return 0;
	result = world->sync(world->self, file);
	return result < 0 ? result : 0;
}

/* Where the last block that holds anything ends, not before `end`. 0 or -errno. */
static int find_used(const struct world *world, int file, uint64_t end, uint64_t *used)
{
	uint8_t block[FORMAT_BLOCK];

	while (*used > end) {
		uint64_t left = *used - end;
		size_t len = left < sizeof(block) ? (size_t)left : sizeof(block);
		int result = world_read_all(world, file, block, len, *used - len);

		if (result < 0)
			return result;
		if (block[0] != 0 || memcmp(block, block + 1, len - 1) != 0)
			return 0;
		*used -= len;
	}
	return 0;
}

/* A segment that another follows ends where that one says. */
static int cut_sealed(const struct world *world, int file, struct segment *segment)
{
	uint64_t used = segment->file_bytes;
	bool cut = false;
	int result = find_used(world, file, segment->end, &used);

	if (result >= 0 && used < segment->file_bytes)
		result = cut_file(world, file, used, &cut);
	if (cut)
		segment->file_bytes = used;
	return result;
}

static int cut_newest(const struct world *world, int file, struct segment *segment)
{
	bool cut = false;
	int result = cut_file(world, file, segment->end, &cut);

	if (cut)
		segment->file_bytes = segment->end;
	return result;
}

bool cut_newest_wanted(const struct segment *newest)
{
	return newest->used_bytes == newest->end && newest->file_bytes > newest->end;
}

enum ttg_error cut_found(struct journal *journal, struct message *message)
{
	const struct world *world = journal->world;
	const struct segment_list *list = &journal->segments;
	char path[SEGMENT_PATH];

	for (size_t i = 0; i < list->count; i++) {
		struct segment *segment = list->items[i];
		bool newest = i + 1 == list->count;
		int file;
		int result;

		if (newest ? !cut_newest_wanted(segment) : segment->file_bytes <= segment->end)
			continue;
		segment_path(path, journal->directory, SEGMENT_FILE,
		             segment->header.first_sequence);
		file = world->open(world->self, path, WORLD_WRITE);
		if (file < 0)
			continue;
		result = newest ? cut_newest(world, file, segment)
		                : cut_sealed(world, file, segment);
		(void)world->close(world->self, file);
		if (result < 0)
			return message_set(message, world_error(result), "%s: cannot be cut: %s",
			                   path, strerror(-result));
	}
	return TTG_OK;
}
