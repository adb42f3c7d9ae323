/*
 * Into a spool: written under a name the adapter passes over, synced, renamed, and the folder
 * synced. See spool_put.h. Any process that may write there.
 *
 * A part that a crash left behind is of nobody: the next document of that name takes its place.
 */
#include "common/spool_put.h"

#include <limits.h>
#include <stdio.h>
#include <ttg/event.h>

static enum ttg_error cannot(struct message *message, int result)
{
	return message_set(message, world_error(result), "the spool cannot be written");
}

static int write_part(const struct world *world, const char *part, const void *bytes, size_t len)
{
	int file;
	int result;

	world->unlink(world->self, part);
	file = world->open(world->self, part, WORLD_EXCLUSIVE);
	if (file < 0)
		return file;
	result = world_write_all(world, file, bytes, len, 0);
	if (result == 0)
		result = world->sync(world->self, file);
	world->close(world->self, file);
	return result;
}

enum ttg_error spool_put_as(const struct world *world, const char *dir, const char *name,
                            const void *bytes, size_t len, struct message *message)
{
	char part[PATH_MAX];
	char path[PATH_MAX];
	int n = snprintf(part, sizeof(part), "%s/.%s.part", dir, name);
	int result;

	if (n < 0 || (size_t)n >= sizeof(part))
		return message_set(message, TTG_ELIMIT, "the path of the spool is too long");
	snprintf(path, sizeof(path), "%s/%s.json", dir, name);
	result = write_part(world, part, bytes, len);
	if (result == 0)
		result = world->rename(world->self, part, path);
	if (result == 0)
		result = world->sync_dir(world->self, dir);
	if (result == 0)
		return TTG_OK;
	world->unlink(world->self, part);
	return cannot(message, result);
}

enum ttg_error spool_put(const struct world *world, const char *dir, const char *prefix,
                         const void *bytes, size_t len, struct message *message)
{
	char id[TTG_UUID_TEXT];
	char name[NAME_MAX + 1];
	uint8_t unique[TTG_UUID_BYTES];

	if (ttg_uuid_new(unique) != TTG_OK)
		return message_set(message, TTG_ESYS, "no random numbers");
	ttg_uuid_format(unique, id);
	snprintf(name, sizeof(name), "%s-%s", prefix, id);
	return spool_put_as(world, dir, name, bytes, len, message);
}
