/*
 * What can be built on any world: whole reads, whole writes, atomic replacement, error codes.
 *
 * The caller's thread. Invariant of world_replace_file(): path holds the old or the new bytes at
 * every moment, and the call says 0 only when the new ones survive a power failure. On failure the
 * old file stands, unless the directory's sync failed: then either may be found later.
 */
#include "base/world.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define TEMPORARY_SUFFIX ".new"
#define PIECE_BYTES      (512u * 1024u)

int world_read_all(const struct world *world, int file, void *out, size_t len, uint64_t offset)
{
	uint8_t *at = out;

	while (len > 0) {
		ssize_t got = world->read_at(world->self, file, at, len, offset);

		if (got < 0)
			return (int)got;
		if (got == 0)
			return -EIO;
		assert((size_t)got <= len);
		at += got;
		len -= (size_t)got;
		offset += (uint64_t)got;
	}
	return 0;
}

int world_write_all(const struct world *world, int file, const void *data, size_t len,
                    uint64_t offset)
{
	const uint8_t *at = data;

	while (len > 0) {
		ssize_t put = world->write_at(world->self, file, at, len, offset);

		if (put < 0)
			return (int)put;
		if (put == 0)
			return -EIO;
		assert((size_t)put <= len);
		at += put;
		len -= (size_t)put;
		offset += (uint64_t)put;
	}
	return 0;
}

/* The directory that holds path; false when it does not fit. */
static bool directory_of(const char *path, char out[PATH_MAX])
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return snprintf(out, PATH_MAX, ".") > 0;
	int len = slash == path ? 1 : (int)(slash - path);
	return snprintf(out, PATH_MAX, "%.*s", len, path) < PATH_MAX;
}

/* Piece by piece, each synced: who syncs another file meanwhile waits for a piece, not for all. */
static int write_pieces(const struct world *world, int file, const uint8_t *data, size_t len)
{
	size_t done = 0;
	int result;

	do {
		size_t piece = len - done < PIECE_BYTES ? len - done : PIECE_BYTES;

		result = world_write_all(world, file, data + done, piece, done);
		if (result >= 0)
			result = world->sync(world->self, file);
		done += piece;
	} while (result >= 0 && done < len);
	return result;
}

/* Writes and syncs the temporary file, which may be left over from a crash. */
static int write_temporary(const struct world *world, const char *path, const void *data,
                           size_t len)
{
	int file = world->open(world->self, path, WORLD_CREATE);

	if (file < 0)
		return file;
	int result = world->truncate(world->self, file, 0);
	if (result >= 0)
		result = write_pieces(world, file, data, len);
	int closed = world->close(world->self, file);
	return result < 0 ? result : closed;
}

int world_replace_file(const struct world *world, const char *path, const void *data, size_t len)
{
	char temporary[PATH_MAX];
	char directory[PATH_MAX];

	assert(path && path[0]);
	if (snprintf(temporary, sizeof(temporary), "%s" TEMPORARY_SUFFIX, path) >= PATH_MAX ||
	    !directory_of(path, directory))
		return -ENAMETOOLONG;
	int result = write_temporary(world, temporary, data, len);
	if (result >= 0)
		result = world->rename(world->self, temporary, path);
	if (result < 0) {
		world->unlink(world->self, temporary);
		return result;
	}
	result = world->sync_dir(world->self, directory);
	return result < 0 ? result : 0;
}

enum ttg_error world_error(int64_t result)
{
	if (result >= 0)
		return TTG_OK;
	switch (-result) {
	case ENOMEM:
		return TTG_ENOMEM;
	case EIO:
		return TTG_EIO;
	case ENOENT:
		return TTG_ENOENT;
	case EEXIST:
		return TTG_EEXIST;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return TTG_ENOSPC;
	case EACCES:
	case EPERM:
	case EROFS:
		return TTG_EPERM;
	case EWOULDBLOCK:
		return TTG_ELOCKED;
	default:
		return TTG_ESYS;
	}
}
