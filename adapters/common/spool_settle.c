/*
 * Moving settled files of a spool directory. See spool.h. Every move is: reason written and
 * synced, file renamed, both directories synced. A name that is taken in done/ or failed/ gets the
 * instant of its settling behind it, so that nothing is overwritten.
 */
#include "common/spool_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PRUNE_MAX 1000

/* Names are cut here so that suffixes fit into a directory entry. */
static void free_name(const struct spool *spool, const char *sub, const char *name,
                      char out[NAME_MAX])
{
	char path[SPOOL_PATH_BYTES];

	snprintf(out, NAME_MAX, "%.*s", SPOOL_NAME_BYTES, name);
	spool_path(spool, path, sub, out, "");
	if (access(path, F_OK) != 0)
		return;
	snprintf(out, NAME_MAX, "%.*s.%" PRId64, SPOOL_NAME_BYTES, name,
	         spool->world->real_ns(spool->world->self));
}

static enum ttg_error sync_dirs(const struct spool *spool, const char *sub, struct message *message)
{
	const struct world *world = spool->world;
	char path[SPOOL_PATH_BYTES];

	spool_path(spool, path, sub, "", "");
	if (world->sync_dir(world->self, path) < 0 || world->sync_dir(world->self, spool->dir) < 0)
		return message_set(message, TTG_EIO, "cannot sync the spool's directories");
	return TTG_OK;
}

static enum ttg_error move(const struct spool *spool, const char *name, const char *sub,
                           const char *as, struct message *message)
{
	char from[SPOOL_PATH_BYTES], to[SPOOL_PATH_BYTES];
	int moved;

	spool_path(spool, from, "", name, "");
	spool_path(spool, to, sub, as, "");
	moved = spool->world->rename(spool->world->self, from, to);
	if (moved == -ENOENT)
		return TTG_OK; /* somebody took it away: nothing is left to settle */
	if (moved < 0)
		return message_set(message, TTG_EIO, "cannot move a file to %s%s: %s", sub, "",
		                   strerror(-moved));
	return sync_dirs(spool, sub, message);
}

static enum ttg_error put_file(const struct spool *spool, const char *name, const char *suffix,
                               const char *bytes, size_t len, struct message *message)
{
	char path[SPOOL_PATH_BYTES];

	spool_path(spool, path, "failed/", name, suffix);
	int put = world_replace_file(spool->world, path, bytes, len);
	if (put < 0)
		return message_set(message, TTG_EIO, "cannot write to failed/: %s", strerror(-put));
	return TTG_OK;
}

enum ttg_error spool_done(struct spool *spool, const char *name, struct message *message)
{
	char as[NAME_MAX];

	free_name(spool, "done/", name, as);
	return move(spool, name, "done/", as, message);
}

enum ttg_error spool_failed(struct spool *spool, const char *name, const char *reason,
                            struct message *message)
{
	char as[NAME_MAX];
	enum ttg_error error;

	free_name(spool, "failed/", name, as);
	error = put_file(spool, as, ".reason", reason, strlen(reason), message);
	return error == TTG_OK ? move(spool, name, "failed/", as, message) : error;
}

enum ttg_error spool_partly(struct spool *spool, const char *name, const char *rejected,
                            size_t rejected_len, const char *reason, struct message *message)
{
	char as[NAME_MAX];
	enum ttg_error error;

	free_name(spool, "failed/", name, as);
	error = put_file(spool, as, ".reason", reason, strlen(reason), message);
	if (error == TTG_OK)
		error = put_file(spool, as, "", rejected, rejected_len, message);
	return error == TTG_OK ? spool_done(spool, name, message) : error;
}

void spool_prune(struct spool *spool, int64_t before_ns)
{
	char path[SPOOL_PATH_BYTES];
	const struct dirent *entry;
	int deleted = 0;

	spool_path(spool, path, "done", "", "");
	DIR *dir = opendir(path);
	while (dir != NULL && deleted < PRUNE_MAX && (entry = readdir(dir)) != NULL) {
		struct stat info;

		if (fstatat(dirfd(dir), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
		    !S_ISREG(info.st_mode))
			continue;
		/* the rename into done/ set the change time */
		if (info.st_ctim.tv_sec >= before_ns / INT64_C(1000000000))
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) == 0)
			deleted++;
	}
	if (dir != NULL)
		closedir(dir);
}
