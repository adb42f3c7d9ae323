/*
 * Reading and writing of HEAD. Owned by the writer once the journal is open; read without a lock by
 * verify, which a torn slot cannot fool: the other slot is older and says less, never wrong things.
 */
#include "journal/head.h"

#include <errno.h>
#include <string.h>
#include "journal/segment.h"

#define NOTE_SLOT 2u

static int write_slot(const struct world *world, int file, unsigned slot,
                      const struct format_head *head)
{
	uint8_t bytes[FORMAT_HEAD_BYTES];

	format_head_encode(head, bytes);
	return world_write_all(world, file, bytes, sizeof(bytes), slot * FORMAT_HEAD_SLOT);
}

int head_write(const struct world *world, int file, struct format_head *head)
{
	int result;

	head->counter++;
	result = write_slot(world, file, (unsigned)(head->counter & 1), head);
	return result < 0 ? result : world->sync(world->self, file);
}

int head_note(const struct world *world, int file, const struct format_head *head)
{
	return write_slot(world, file, NOTE_SLOT, head);
}

enum ttg_error head_create(const struct world *world, const char *directory,
                           struct format_head *head, struct message *message)
{
	uint8_t bytes[HEAD_FILE_BYTES] = { 0 };
	char path[SEGMENT_PATH];
	int result;

	for (unsigned i = 0; i < 2; i++) {
		head->counter++;
		format_head_encode(head, bytes + (head->counter & 1) * FORMAT_HEAD_SLOT);
	}
	format_head_encode(head, bytes + NOTE_SLOT * FORMAT_HEAD_SLOT);
	segment_path_named(path, directory, HEAD_NAME);
	result = world_replace_file(world, path, bytes, sizeof(bytes));
	if (result < 0)
		return message_set(message, world_error(result), "%s: cannot be written: %s", path,
		                   strerror(-result));
	return TTG_OK;
}

static bool says_more(const struct format_head *one, const struct format_head *other)
{
	if (one->counter != other->counter)
		return one->counter > other->counter;
	return one->sequence > other->sequence;
}

static enum ttg_error choose_slot(const uint8_t *bytes, const char *path, struct format_head *out,
                                  struct message *message)
{
	enum ttg_error first = TTG_OK;
	const char *reason = "", *ignored;
	bool any = false;

	for (unsigned i = 0; i < HEAD_SLOTS; i++) {
		struct format_head slot;
		enum ttg_error err = format_head_decode(bytes + i * FORMAT_HEAD_SLOT, &slot,
		                                        i == 0 ? &reason : &ignored);

		first = i == 0 ? err : first;
		if (err == TTG_OK && (!any || says_more(&slot, out))) {
			*out = slot;
			any = true;
		}
	}
	if (!any)
		return message_set(message, first, "%s: offset 0: %s", path, reason);
	return TTG_OK;
}

enum ttg_error head_load(const struct world *world, const char *directory, struct format_head *out,
                         struct message *message)
{
	uint8_t bytes[HEAD_FILE_BYTES];
	char path[SEGMENT_PATH];
	int64_t size;
	int file;
	int result;

	segment_path_named(path, directory, HEAD_NAME);
	file = world->open(world->self, path, WORLD_READ);
	if (file < 0)
		return message_set(message, world_error(file), "%s: cannot be opened: %s", path,
		                   strerror(-file));
	size = world->size(world->self, file);
	result = size < 0 ? (int)size : 0;
	if (size == HEAD_FILE_BYTES)
		result = world_read_all(world, file, bytes, sizeof(bytes), 0);
	(void)world->close(world->self, file);
	if (result < 0)
		return message_set(message, TTG_EIO, "%s: cannot be read: %s", path,
		                   strerror(-result));
	if (size != HEAD_FILE_BYTES)
		return message_set(message, TTG_ECORRUPT,
		                   "%s: offset %lld: file ends here, should have %u bytes", path,
		                   (long long)size, HEAD_FILE_BYTES);
	return choose_slot(bytes, path, out, message);
}
