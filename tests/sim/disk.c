/*
 * The calls of the simulated disk; see disk.h. Crashes, flips and copies stand in disk_crash.c.
 *
 * Invariants: `now` is what a process reads, `synced` what the disk holds, and they differ only in
 * sectors on the dirty list. A file lives as long as something names it or has it open.
 */
#include "sim/disk_private.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/chance.h"

const char *const disk_call_names[DISK_CALLS] = { "read",   "look",     "open",     "write",
	                                          "sync",   "sync_dir", "allocate", "rename",
	                                          "unlink", "truncate" };

static struct disk *of(void *self)
{
	return self;
}

/* Counts a call: 0 to go on, -errno to fail; *shortened for a write that is to be short. */
static int meet_fault(struct disk *disk, enum disk_call call, bool *shortened)
{
	struct disk_fault *fault = &disk->faults[call];

	if (disk->dead)
		return -EIO;
	if (fault->times == 0 || fault->after-- > 0)
		return 0;
	fault->after = 0;
	fault->times--;
	disk->met_fault = true;
	if (fault->errno_value == 0) {
		if (shortened)
			*shortened = true;
		return 0;
	}
	return -fault->errno_value;
}

/* True when the machine stops at this call. */
static bool meets_end(struct disk *disk)
{
	if (disk->dead || disk->kill_after == UINT64_MAX)
		return false;
	if (disk->kill_after-- > 0)
		return false;
	disk->dead = true;
	return true;
}

static bool coin(struct disk *disk)
{
	return (chance_next(&disk->random) & 1) != 0;
}

static struct disk_file *file_of(struct disk *disk, int handle)
{
	if (disk->dead || handle < 0 || handle >= DISK_HANDLES || disk->handles[handle] < 0)
		return NULL;
	return &disk->files[disk->handles[handle]];
}

static int disk_open(void *self, const char *path, enum world_open how)
{
	struct disk *disk = of(self);
	int index = disk_find(disk, path);
	int error = meet_fault(disk, DISK_OPEN, NULL), handle = 0;

	if (error != 0)
		return error;
	if (index < 0 && (how == WORLD_READ || how == WORLD_WRITE))
		return -ENOENT;
	if (index >= 0 && how == WORLD_EXCLUSIVE)
		return -EEXIST;
	if (index < 0) {
		if (meets_end(disk)) {
			if (coin(disk))
				disk_make(disk, path);
			return -EIO;
		}
		index = disk_make(disk, path);
	}
	while (handle < DISK_HANDLES && disk->handles[handle] >= 0)
		handle++;
	assert(handle < DISK_HANDLES && index >= 0);
	disk->handles[handle] = index;
	return handle;
}

static int disk_close(void *self, int handle)
{
	struct disk *disk = of(self);
	struct disk_file *file;

	if (handle < 0 || handle >= DISK_HANDLES || disk->handles[handle] < 0)
		return -EBADF;
	file = &disk->files[disk->handles[handle]];
	if (file->locked_by == handle)
		file->locked_by = -1;
	disk->handles[handle] = -1;
	disk_collect(disk, file);
	return 0;
}

static ssize_t disk_read_at(void *self, int handle, void *out, size_t len, uint64_t offset)
{
	struct disk *disk = of(self);
	const struct disk_file *file = file_of(disk, handle);
	bool shortened = false;
	int error = meet_fault(disk, DISK_READ, &shortened);

	if (error != 0 || !file)
		return error != 0 ? error : -EBADF;
	if (offset >= file->size)
		return 0;
	if (len > file->size - offset)
		len = (size_t)(file->size - offset);
	if (shortened && len > 1)
		len = 1 + (size_t)chance_below(&disk->random, len);
	memcpy(out, file->now + offset, len);
	return (ssize_t)len;
}

static ssize_t disk_write_at(void *self, int handle, const void *data, size_t len, uint64_t offset)
{
	struct disk *disk = of(self);
	struct disk_file *file = file_of(disk, handle);
	bool shortened = false, last = false;
	int error = meet_fault(disk, DISK_WRITE, &shortened);

	if (error == 0 && file && offset + len > file->size) {
		if (offset + len - file->size > disk->free_bytes)
			error = -ENOSPC;
		else
			disk->free_bytes -= offset + len - file->size;
	}
	if (error == 0 && file && meets_end(disk))
		last = true;
	if (!file || (error != 0 && error != -ENOSPC && error != -EIO) || (disk->dead && !last))
		return error != 0 ? error : -EIO;
	if (error != 0 || last) { /* some of it may be there */
		disk_put(disk, file, data, disk_torn(disk, len, offset), offset);
		return error != 0 ? error : -EIO;
	}
	if (shortened) {
		size_t some = disk_torn(disk, len, offset);

		len = some > 0 ? some : len;
	}
	disk_put(disk, file, data, len, offset);
	return (ssize_t)len;
}

static int disk_sync(void *self, int handle)
{
	struct disk *disk = of(self);
	struct disk_file *file = file_of(disk, handle);
	int error = meet_fault(disk, DISK_SYNC, NULL);

	if (!file)
		return error != 0 ? error : -EBADF;
	if (error == 0 && meets_end(disk))
		error = -EIO;
	disk_sync_file(disk, file, error == 0);
	return error;
}

static int disk_allocate(void *self, int handle, uint64_t bytes)
{
	struct disk *disk = of(self);
	struct disk_file *file = file_of(disk, handle);
	int error = meet_fault(disk, DISK_ALLOCATE, NULL);

	if (error != 0 || !file)
		return error != 0 ? error : -EBADF;
	if (meets_end(disk))
		return -EIO;
	if (bytes <= file->size)
		return 0;
	if (bytes - file->size > disk->free_bytes)
		return -ENOSPC;
	disk->free_bytes -= bytes - file->size;
	disk_resize(file, bytes);
	return 0;
}

static int disk_truncate(void *self, int handle, uint64_t bytes)
{
	struct disk *disk = of(self);
	struct disk_file *file = file_of(disk, handle);
	int error = meet_fault(disk, DISK_TRUNCATE, NULL);

	if (error != 0 || !file)
		return error != 0 ? error : -EBADF;
	if (meets_end(disk))
		return -EIO;
	if (bytes < file->size && disk->free_bytes <= UINT64_MAX - file->size)
		disk->free_bytes += file->size - bytes;
	disk_resize(file, bytes);
	return 0;
}

static int64_t disk_size(void *self, int handle)
{
	const struct disk_file *file = file_of(of(self), handle);
	int error = meet_fault(of(self), DISK_LOOK, NULL);

	if (error != 0 || !file)
		return error != 0 ? error : -EIO;
	return (int64_t)file->size;
}

static int disk_lock(void *self, int handle)
{
	struct disk_file *file = file_of(of(self), handle);
	int error = meet_fault(of(self), DISK_LOOK, NULL);

	if (error != 0 || !file)
		return error != 0 ? error : -EIO;
	if (file->locked_by >= 0 && file->locked_by != handle)
		return -EWOULDBLOCK;
	file->locked_by = handle;
	return 0;
}

static int disk_rename(void *self, const char *from, const char *to)
{
	struct disk *disk = of(self);
	int index = disk_find(disk, from);
	int error = meet_fault(disk, DISK_RENAME, NULL);

	if (error != 0 || index < 0)
		return error != 0 ? error : -ENOENT;
	if (meets_end(disk)) {
		if (coin(disk))
			disk_name(disk, index, to);
		return -EIO;
	}
	disk_name(disk, index, to);
	return 0;
}

static int disk_unlink(void *self, const char *path)
{
	struct disk *disk = of(self);
	int index = disk_find(disk, path);
	int error = meet_fault(disk, DISK_UNLINK, NULL);

	if (error != 0 || index < 0)
		return error != 0 ? error : -ENOENT;
	if (meets_end(disk)) {
		if (coin(disk))
			disk_name(disk, index, NULL);
		return -EIO;
	}
	if (disk->free_bytes <= UINT64_MAX / 2)
		disk->free_bytes += disk->files[index].size;
	disk_name(disk, index, NULL);
	return 0;
}

static int disk_mkdir(void *self, const char *path)
{
	(void)path; /* directories are as old as the world */
	return meet_fault(of(self), DISK_LOOK, NULL);
}

static int disk_sync_dir(void *self, const char *path)
{
	struct disk *disk = of(self);
	int error = meet_fault(disk, DISK_SYNC_DIR, NULL);

	if (error != 0)
		return error;
	if (meets_end(disk)) {
		if (coin(disk))
			disk_sync_names(disk, path);
		return -EIO;
	}
	disk_sync_names(disk, path);
	return 0;
}

static int disk_list(void *self, const char *path, bool (*each)(void *arg, const char *name),
                     void *arg)
{
	struct disk *disk = of(self);
	int error = meet_fault(disk, DISK_LOOK, NULL);
	bool more = error == 0;

	for (int i = 0; i < DISK_FILES && more; i++)
		if (disk->files[i].used && disk_inside(disk->files[i].path, path))
			more = each(arg, disk->files[i].path + strlen(path) + 1);
	return error;
}

static int64_t disk_free_bytes(void *self, const char *path)
{
	int error = meet_fault(of(self), DISK_LOOK, NULL);

	(void)path;
	if (error != 0)
		return error;
	return of(self)->free_bytes > INT64_MAX ? INT64_MAX : (int64_t)of(self)->free_bytes;
}

static int64_t disk_real_ns(void *self)
{
	return of(self)->clock->real_ns;
}

static int64_t disk_mono_ns(void *self)
{
	return of(self)->clock->mono_ns;
}

static int disk_random(void *self, void *out, size_t len)
{
	uint8_t *bytes = out;

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)chance_next(&of(self)->entropy);
	return 0;
}

static const struct world table = {
	.open = disk_open,
	.close = disk_close,
	.read_at = disk_read_at,
	.write_at = disk_write_at,
	.sync = disk_sync,
	.allocate = disk_allocate,
	.truncate = disk_truncate,
	.size = disk_size,
	.lock = disk_lock,
	.rename = disk_rename,
	.unlink = disk_unlink,
	.mkdir = disk_mkdir,
	.sync_dir = disk_sync_dir,
	.list = disk_list,
	.free_bytes = disk_free_bytes,
	.real_ns = disk_real_ns,
	.mono_ns = disk_mono_ns,
	.random = disk_random,
};

struct disk *disk_new(const struct sim_clock *clock, uint64_t seed)
{
	struct disk *disk = calloc(1, sizeof(*disk));

	assert(disk);
	disk->world = table;
	disk->world.self = disk;
	disk->clock = clock;
	disk->random = seed;
	disk->entropy = chance_mix(seed + 1);
	disk->kill_after = UINT64_MAX;
	disk->free_bytes = UINT64_MAX;
	for (int i = 0; i < DISK_HANDLES; i++)
		disk->handles[i] = -1;
	return disk;
}

void disk_free(struct disk **disk)
{
	if (!*disk)
		return;
	for (int i = 0; i < DISK_FILES; i++)
		disk_forget(&(*disk)->files[i]);
	free(*disk);
	*disk = NULL;
}

const struct world *disk_world(const struct disk *disk)
{
	return &disk->world;
}
