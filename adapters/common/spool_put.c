/*
 * Into a spool: written under a name the adapter passes over, synced, renamed, and the folder
 * synced. See spool_put.h. Any process that may write there.
 */
#include "common/spool_put.h"

#include <limits.h>
#include <stdio.h>
#include <ttg/event.h>

enum ttg_error spool_put(const struct world *world, const char *dir, const char *prefix,
                         const void *bytes, size_t len, struct message *message)
{
	char id[TTG_UUID_TEXT];
	char part[PATH_MAX];
	char path[PATH_MAX];
	uint8_t unique[TTG_UUID_BYTES];
	int file;
	int result;

	if (ttg_uuid_new(unique) != TTG_OK)
		return message_set(message, TTG_ESYS, "no random numbers");
	ttg_uuid_format(unique, id);
	snprintf(part, sizeof(part), "%s/.%s-%s.part", dir, prefix, id);
	snprintf(path, sizeof(path), "%s/%s-%s.json", dir, prefix, id);
	file = world->open(world->self, part, WORLD_EXCLUSIVE);
	if (file < 0)
		return message_set(message, world_error(file), "the spool cannot be written");
	result = world_write_all(world, file, bytes, len, 0);
	if (result == 0)
		result = world->sync(world->self, file);
	world->close(world->self, file);
	if (result == 0)
		result = world->rename(world->self, part, path);
	if (result == 0)
		result = world->sync_dir(world->self, dir);
	if (result == 0)
		return TTG_OK;
	world->unlink(world->self, part);
	return message_set(message, world_error(result), "the spool cannot be written");
}
