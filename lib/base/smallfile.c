/* See smallfile.h. What may be a secret's file is judged on the open file, not on its name. */
#include "base/smallfile.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/world.h"

#define PUBLIC_MODE 0644
#define OTHERS_MODE (S_IRWXG | S_IRWXO)

static enum ttg_error check(int file, const char *path, bool secret, struct message *message)
{
	struct stat status;

	if (fstat(file, &status) < 0)
		return message_set(message, TTG_ESYS, "%s: cannot be examined (%s)", path,
				   strerror(errno));
	if (!S_ISREG(status.st_mode))
		return message_set(message, TTG_EFORMAT, "%s: must be a regular file", path);
	if (secret && (status.st_mode & OTHERS_MODE) != 0)
		return message_set(message, TTG_EPERM,
				   "%s: holds a secret and is open to group or others (mode %04o); "
				   "it must be mode 0600",
				   path, (unsigned int)status.st_mode & 07777);
	return TTG_OK;
}

enum ttg_error smallfile_read(const char *path, bool secret, char *out, size_t max, size_t *len,
			      struct message *message)
{
	const struct world *world = world_real();
	const int file = world->open(world->self, path, WORLD_READ);

	assert(max > 0);
	*len = 0;
	out[0] = '\0';
	if (file < 0)
		return message_set(message, world_error(file), "%s: cannot be opened (%s)", path,
				   strerror(-file));
	enum ttg_error error = check(file, path, secret, message);
	while (!error && *len < max) {
		const ssize_t got = world->read_at(world->self, file, out + *len,
						   max - *len, *len);

		if (got < 0)
			error = message_set(message, TTG_EIO, "%s: cannot be read (%s)", path,
					    strerror((int)-got));
		if (got <= 0)
			break;
		*len += (size_t)got;
	}
	world->close(world->self, file);
	if (!error && *len == max)
		error = message_set(message, TTG_EFORMAT, "%s: is too long for a key file", path);
	*len = *len < max ? *len : max - 1;
	out[*len] = '\0';
	return error;
}

/* A key whose name vanishes with the power can never be had again. */
static int sync_parent(const struct world *world, const char *path)
{
	char directory[PATH_MAX];
	const char *slash = strrchr(path, '/');
	const size_t len = slash ? (size_t)(slash - path) : 0;

	if (len >= sizeof(directory))
		return -ENAMETOOLONG;
	memcpy(directory, path, len);
	directory[len] = '\0';
	return world->sync_dir(world->self, len > 0 ? directory : slash ? "/" : ".");
}

enum ttg_error smallfile_write(const char *path, bool secret, const char *text, size_t len,
				    struct message *message)
{
	const struct world *world = world_real();
	const int file = world->open(world->self, path, WORLD_EXCLUSIVE);

	if (file == -EEXIST)
		return message_set(message, TTG_EEXIST,
				   "%s: is there already and is never overwritten; move it away", path);
	if (file < 0)
		return message_set(message, world_error(file), "%s: cannot be made (%s)", path,
				   strerror(-file));
	int result = world_write_all(world, file, text, len, 0);
	if (result >= 0 && !secret && fchmod(file, PUBLIC_MODE) < 0)
		result = -errno;
	if (result >= 0)
		result = world->sync(world->self, file);
	const int closed = world->close(world->self, file);
	if (result >= 0)
		result = closed;
	if (result >= 0)
		result = sync_parent(world, path);
	if (result >= 0)
		return TTG_OK;
	smallfile_remove(path);
	return message_set(message, world_error(result), "%s: cannot be written (%s)", path,
			   strerror(-result));
}

void smallfile_remove(const char *path)
{
	const struct world *world = world_real();

	world->unlink(world->self, path);
}
