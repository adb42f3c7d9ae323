/*
 * The machine behind the world table: the only place of the project that writes and syncs files.
 *
 * Holds no state, so any thread may use it; a file handle is a descriptor and belongs to whoever
 * opened it. Interrupted calls are repeated, with one exception: sync() is asked once and its
 * answer is final, since after a failure the kernel may have forgotten what it could not write.
 * Locks belong to the open file (F_OFD_SETLK), so that a second opening conflicts even in the same
 * process, and closing another descriptor of the file does not lose them.
 */
#include "base/world.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define FILE_MODE      0600
#define DIRECTORY_MODE 0700
#define ZEROS_BYTES    65536
#define NS_PER_SECOND  INT64_C(1000000000)

static int open_flags(enum world_open how)
{
	/* A symbolic link where we write would let somebody else choose the file. */
	switch (how) {
	case WORLD_WRITE:
		return O_RDWR | O_NOFOLLOW;
	case WORLD_CREATE:
		return O_RDWR | O_CREAT | O_NOFOLLOW;
	case WORLD_EXCLUSIVE:
		return O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW;
	case WORLD_READ:
	default:
		return O_RDONLY;
	}
}

static int real_open(void *self, const char *path, enum world_open how)
{
	int file;

	(void)self;
	do
		file = open(path, open_flags(how) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, FILE_MODE);
	while (file < 0 && errno == EINTR);
	return file < 0 ? -errno : file;
}

static int real_close(void *self, int file)
{
	(void)self;
	/* On Linux the descriptor is gone after EINTR too. */
	return close(file) < 0 && errno != EINTR ? -errno : 0;
}

static ssize_t real_read_at(void *self, int file, void *out, size_t len, uint64_t offset)
{
	ssize_t got;

	(void)self;
	if (offset > INT64_MAX)
		return -EINVAL;
	do
		got = pread(file, out, len, (off_t)offset);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

static ssize_t real_write_at(void *self, int file, const void *data, size_t len, uint64_t offset)
{
	ssize_t put;

	(void)self;
	if (offset > INT64_MAX)
		return -EFBIG;
	do
		put = pwrite(file, data, len, (off_t)offset);
	while (put < 0 && errno == EINTR);
	return put < 0 ? -errno : put;
}

static int real_sync(void *self, int file)
{
	(void)self;
	return fdatasync(file) < 0 ? -errno : 0;
}

static int64_t real_size(void *self, int file)
{
	struct stat status;

	(void)self;
	if (fstat(file, &status) < 0)
		return -errno;
	return status.st_size;
}

/* For file systems without fallocate(): real zeros, so that later writes cannot lack room. */
static int write_zeros(int file, uint64_t bytes)
{
	static const uint8_t zeros[ZEROS_BYTES];
	int64_t size = real_size(NULL, file);

	if (size < 0)
		return (int)size;
	uint64_t at = (uint64_t)size;
	while (at < bytes) {
		size_t len = bytes - at < ZEROS_BYTES ? (size_t)(bytes - at) : ZEROS_BYTES;
		ssize_t put = real_write_at(NULL, file, zeros, len, at);

		if (put <= 0)
			return put < 0 ? (int)put : -EIO;
		at += (uint64_t)put;
	}
	return 0;
}

static int real_allocate(void *self, int file, uint64_t bytes)
{
	int result;

	(void)self;
	if (bytes > INT64_MAX)
		return -EFBIG;
	if (bytes == 0)
		return 0;
	do
		result = fallocate(file, 0, 0, (off_t)bytes);
	while (result < 0 && errno == EINTR);
	if (result == 0)
		return 0;
	return errno == EOPNOTSUPP || errno == ENOSYS ? write_zeros(file, bytes) : -errno;
}

static int real_truncate(void *self, int file, uint64_t bytes)
{
	int result;

	(void)self;
	if (bytes > INT64_MAX)
		return -EFBIG;
	do
		result = ftruncate(file, (off_t)bytes);
	while (result < 0 && errno == EINTR);
	return result < 0 ? -errno : 0;
}

static int real_lock(void *self, int file)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	(void)self;
	if (fcntl(file, F_OFD_SETLK, &whole) == 0)
		return 0;
	return errno == EACCES || errno == EAGAIN ? -EWOULDBLOCK : -errno;
}

static int real_rename(void *self, const char *from, const char *to)
{
	(void)self;
	return rename(from, to) < 0 ? -errno : 0;
}

static int real_unlink(void *self, const char *path)
{
	(void)self;
	return unlink(path) < 0 ? -errno : 0;
}

static int real_mkdir(void *self, const char *path)
{
	struct stat status;

	(void)self;
	if (mkdir(path, DIRECTORY_MODE) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (stat(path, &status) < 0)
		return -errno;
	return S_ISDIR(status.st_mode) ? 0 : -ENOTDIR;
}

static int real_sync_dir(void *self, const char *path)
{
	int result = 0;

	(void)self;
	int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return -errno;
	if (fsync(directory) < 0)
		result = -errno;
	int closed = real_close(NULL, directory);
	return result < 0 ? result : closed;
}

static int real_list(void *self, const char *path, bool (*each)(void *arg, const char *name),
                     void *arg)
{
	const struct dirent *entry;
	int result = 0;

	(void)self;
	DIR *directory = opendir(path);
	if (!directory)
		return -errno;
	for (;;) {
		errno = 0;
		entry = readdir(directory);
		if (!entry) {
			result = -errno;
			break;
		}
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (!each(arg, entry->d_name))
			break;
	}
	closedir(directory);
	return result;
}

static int64_t real_free_bytes(void *self, const char *path)
{
	struct statvfs status;
	uint64_t bytes;

	(void)self;
	if (statvfs(path, &status) < 0)
		return -errno;
	if (__builtin_mul_overflow((uint64_t)status.f_bavail, (uint64_t)status.f_frsize, &bytes) ||
	    bytes > INT64_MAX)
		return INT64_MAX;
	return (int64_t)bytes;
}

static int64_t clock_ns(clockid_t id)
{
	struct timespec now;
	int result = clock_gettime(id, &now);

	assert(result == 0);
	(void)result;
	return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

static int64_t real_real_ns(void *self)
{
	(void)self;
	return clock_ns(CLOCK_REALTIME);
}

static int64_t real_mono_ns(void *self)
{
	(void)self;
	return clock_ns(CLOCK_MONOTONIC);
}

static int real_random(void *self, void *out, size_t len)
{
	uint8_t *at = out;

	(void)self;
	while (len > 0) {
		ssize_t got = getrandom(at, len, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		at += got;
		len -= (size_t)got;
	}
	return 0;
}

const struct world *world_real(void)
{
	static const struct world real = {
		.open = real_open,
		.close = real_close,
		.read_at = real_read_at,
		.write_at = real_write_at,
		.sync = real_sync,
		.allocate = real_allocate,
		.truncate = real_truncate,
		.size = real_size,
		.lock = real_lock,
		.rename = real_rename,
		.unlink = real_unlink,
		.mkdir = real_mkdir,
		.sync_dir = real_sync_dir,
		.list = real_list,
		.free_bytes = real_free_bytes,
		.real_ns = real_real_ns,
		.mono_ns = real_mono_ns,
		.random = real_random,
	};

	return &real;
}
