/* Files, names, crashes and flips of the simulated disk; see disk.h. */
#include "sim/disk_private.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/chance.h"

#define TEAR_LEAST 16 /* bytes at the end of a torn sector that were not written */

static uint64_t sectors(uint64_t bytes)
{
	return (bytes + DISK_SECTOR - 1) / DISK_SECTOR;
}

int disk_find(const struct disk *disk, const char *path)
{
	for (int i = 0; i < DISK_FILES; i++)
		if (disk->files[i].used && strcmp(disk->files[i].path, path) == 0)
			return i;
	return -1;
}

bool disk_inside(const char *path, const char *directory)
{
	size_t len = strlen(directory);

	return strncmp(path, directory, len) == 0 && path[len] == '/' &&
	       !strchr(path + len + 1, '/');
}

void disk_forget(struct disk_file *file)
{
	free(file->now);
	free(file->synced);
	free(file->dirty);
	free(file->order);
	memset(file, 0, sizeof(*file));
}

void disk_collect(struct disk *disk, struct disk_file *file)
{
	int index = (int)(file - disk->files);

	if (!file->used || file->path[0] || file->durable[0])
		return;
	for (int i = 0; i < DISK_HANDLES; i++)
		if (disk->handles[i] == index)
			return;
	for (int i = 0; i < disk->n_names; i++)
		if (disk->names[i].file == index && disk->names[i].path[0])
			return;
	for (int i = 0; i < disk->n_flips; i++)
		if (disk->flips[i].file == index)
			disk->flips[i--] = disk->flips[--disk->n_flips];
	disk_forget(file);
}

static void set_path(char out[DISK_PATH], const char *path)
{
	assert(strlen(path) < DISK_PATH);
	strcpy(out, path);
}

void disk_name(struct disk *disk, int index, const char *path)
{
	int old = path ? disk_find(disk, path) : -1;
	struct disk_rename *it;

	assert(disk->n_names < DISK_NAMES);
	it = &disk->names[disk->n_names++];
	it->file = index;
	set_path(it->before, disk->files[index].path);
	set_path(it->path, path ? path : "");
	set_path(disk->files[index].path, path ? path : "");
	if (old >= 0 && old != index)
		disk->files[old].path[0] = '\0';
}

int disk_make(struct disk *disk, const char *path)
{
	for (int i = 0; i < DISK_FILES; i++) {
		if (disk->files[i].used)
			continue;
		disk->files[i].used = true;
		disk->files[i].locked_by = -1;
		disk_name(disk, i, path);
		return i;
	}
	assert(!"too many files");
	return -1;
}

/* The operation's effect on what is durable. */
static void make_durable(struct disk *disk, const struct disk_rename *it)
{
	for (int i = 0; i < DISK_FILES && it->path[0]; i++)
		if (i != it->file && strcmp(disk->files[i].durable, it->path) == 0)
			disk->files[i].durable[0] = '\0';
	set_path(disk->files[it->file].durable, it->path);
}

static void collect_all(struct disk *disk)
{
	for (int i = 0; i < DISK_FILES; i++)
		disk_collect(disk, &disk->files[i]);
}

void disk_sync_names(struct disk *disk, const char *directory)
{
	int kept = 0;

	for (int i = 0; i < disk->n_names; i++) {
		const struct disk_rename *it = &disk->names[i];

		if (disk_inside(it->path[0] ? it->path : it->before, directory))
			make_durable(disk, it);
		else
			disk->names[kept++] = disk->names[i];
	}
	disk->n_names = kept;
	collect_all(disk);
}

static void reserve(struct disk_file *file, uint64_t bytes)
{
	uint64_t capacity = file->capacity ? file->capacity : 4096;

	if (bytes <= file->capacity)
		return;
	while (capacity < bytes)
		capacity *= 2;
	file->now = realloc(file->now, capacity);
	file->synced = realloc(file->synced, capacity);
	file->dirty = realloc(file->dirty, sectors(capacity));
	file->order = realloc(file->order, sectors(capacity) * sizeof(*file->order));
	assert(file->now && file->synced && file->dirty && file->order);
	memset(file->now + file->capacity, 0, capacity - file->capacity);
	memset(file->synced + file->capacity, 0, capacity - file->capacity);
	memset(file->dirty + sectors(file->capacity), 0,
	       sectors(capacity) - sectors(file->capacity));
	file->capacity = capacity;
}

static void mark(struct disk *disk, struct disk_file *file, uint64_t sector)
{
	if (file->dirty[sector]) {
		/* Whoever writes back in the background may have come by in between. */
		if (chance_next(&disk->random) & 1)
			memcpy(file->synced + sector * DISK_SECTOR,
			       file->now + sector * DISK_SECTOR, DISK_SECTOR);
		return;
	}
	file->dirty[sector] = 1;
	file->order[file->n_order++] = (uint32_t)sector;
}

void disk_resize(struct disk_file *file, uint64_t bytes)
{
	reserve(file, bytes);
	/* Bytes behind the end are zeroes; what the disk still holds there is another matter. */
	if (bytes < file->size)
		memset(file->now + bytes, 0, file->size - bytes);
	file->size = bytes;
}

size_t disk_torn(struct disk *disk, size_t len, uint64_t offset)
{
	size_t kept = (size_t)chance_below(&disk->random, len + 1);
	uint64_t in_sector = (offset + kept) % DISK_SECTOR;

	if (kept < len && in_sector > DISK_SECTOR - TEAR_LEAST)
		kept -= kept < in_sector ? kept : (size_t)in_sector;
	return kept;
}

/* What is written over is right again; the rest of its sector is read and written as it is. */
static void forget_flips(struct disk *disk, const struct disk_file *file, uint64_t offset, size_t len)
{
	const int index = (int)(file - disk->files);

	for (int i = 0; i < disk->n_flips; i++)
		if (disk->flips[i].file == index && disk->flips[i].offset >= offset &&
		    disk->flips[i].offset - offset < len)
			disk->flips[i--] = disk->flips[--disk->n_flips];
}

void disk_put(struct disk *disk, struct disk_file *file, const void *data, size_t len,
              uint64_t offset)
{
	if (len == 0)
		return;
	forget_flips(disk, file, offset, len);
	if (offset + len > file->size)
		disk_resize(file, offset + len);
	for (uint64_t at = offset / DISK_SECTOR; at <= (offset + len - 1) / DISK_SECTOR; at++)
		mark(disk, file, at);
	memcpy(file->now + offset, data, len);
}

/* Takes the size over, with zeroes where the file was cut since. */
static void settle_size(struct disk_file *file)
{
	if (file->size < file->synced_size)
		memset(file->synced + file->size, 0, file->synced_size - file->size);
	file->synced_size = file->size;
}

void disk_sync_file(struct disk *disk, struct disk_file *file, bool whole)
{
	bool forget = !whole && (chance_next(&disk->random) & 1);
	size_t kept = 0;

	for (size_t i = 0; i < file->n_order; i++) {
		uint64_t at = (uint64_t)file->order[i] * DISK_SECTOR;

		if (!whole && (chance_next(&disk->random) & 1)) {
			/* Forgotten: what is read is not what is there, and no sync writes it. */
			if (forget)
				file->dirty[file->order[i]] = 0;
			else
				file->order[kept++] = file->order[i];
			continue;
		}
		memcpy(file->synced + at, file->now + at, DISK_SECTOR);
		file->dirty[file->order[i]] = 0;
	}
	file->n_order = kept;
	if (whole || (chance_next(&disk->random) & 1))
		settle_size(file);
}

/* What of the unsynced sectors is on the disk after the power was lost. */
static void lose(struct disk *disk, struct disk_file *file, enum disk_crash how)
{
	bool any = how == DISK_CRASH_ANY;
	bool all = any && chance_below(&disk->random, 8) == 0;
	bool size = any && (all || (chance_next(&disk->random) & 1));

	for (size_t i = 0; i < file->n_order; i++) {
		uint64_t at = (uint64_t)file->order[i] * DISK_SECTOR;
		size_t bytes = 0;

		if (all || (any && (chance_next(&disk->random) & 1)))
			bytes = DISK_SECTOR;
		else if (any && i + 1 == file->n_order)
			bytes = (size_t)chance_below(&disk->random, DISK_SECTOR - TEAR_LEAST);
		memcpy(file->synced + at, file->now + at, bytes);
		file->dirty[file->order[i]] = 0;
	}
	file->n_order = 0;
	if (size)
		settle_size(file);
	file->size = file->synced_size;
	if (file->capacity > 0) {
		memset(file->synced + file->size, 0, file->capacity - file->size);
		memcpy(file->now, file->synced, file->capacity);
	}
}

static void lose_names(struct disk *disk, enum disk_crash how)
{
	int kept = how == DISK_CRASH_ANY
	                   ? (int)chance_below(&disk->random, (uint64_t)disk->n_names + 1)
	                   : 0;

	if (how == DISK_CRASH_ANY && chance_below(&disk->random, 3) == 0)
		kept = disk->n_names;
	for (int i = 0; i < kept; i++)
		make_durable(disk, &disk->names[i]);
	disk->n_names = 0;
	for (int i = 0; i < DISK_FILES; i++)
		if (disk->files[i].used)
			set_path(disk->files[i].path, disk->files[i].durable);
}

void disk_crash(struct disk *disk, enum disk_crash how)
{
	for (int i = 0; i < DISK_HANDLES; i++)
		disk->handles[i] = -1;
	for (int i = 0; i < DISK_FILES; i++) {
		disk->files[i].locked_by = -1;
		if (disk->files[i].used && how != DISK_CRASH_PROCESS)
			lose(disk, &disk->files[i], how);
	}
	if (how != DISK_CRASH_PROCESS)
		lose_names(disk, how);
	collect_all(disk);
	disk->dead = disk->met_fault = false;
	disk->kill_after = UINT64_MAX;
	for (int i = 0; i < DISK_CALLS; i++)
		disk->faults[i].times = 0;
}

void disk_seed(struct disk *disk, uint64_t seed)
{
	disk->random = seed;
}

void disk_fail(struct disk *disk, enum disk_call call, uint64_t after, int errno_value,
               uint64_t times)
{
	disk->faults[call] = (struct disk_fault){ after, times, errno_value };
}

void disk_kill_after(struct disk *disk, uint64_t after)
{
	disk->kill_after = after;
}

void disk_kill(struct disk *disk)
{
	disk->dead = true;
}

bool disk_dead(const struct disk *disk)
{
	return disk->dead;
}

void disk_heal(struct disk *disk)
{
	for (int i = 0; i < DISK_CALLS; i++)
		disk->faults[i].times = 0;
	disk->kill_after = UINT64_MAX;
	disk->free_bytes = UINT64_MAX;
	disk->met_fault = false;
}

bool disk_met_fault(const struct disk *disk)
{
	return disk->met_fault;
}

void disk_set_free(struct disk *disk, uint64_t bytes)
{
	disk->free_bytes = bytes;
}

static void toggle(struct disk *disk, const struct disk_bit *bit)
{
	struct disk_file *file = &disk->files[bit->file];

	file->now[bit->offset] ^= bit->mask;
	file->synced[bit->offset] ^= bit->mask;
}

bool disk_flip(struct disk *disk, const char *directory)
{
	struct disk_bit bit;
	uint64_t written = 0;
	int n = 0;

	if (disk->n_flips == DISK_FLIPS)
		return false;
	for (int i = 0; i < DISK_FILES; i++) {
		const struct disk_file *file = &disk->files[i];

		if (!file->used || !disk_inside(file->path, directory) || file->synced_size == 0)
			continue;
		n++;
		if (chance_below(&disk->random, (uint64_t)n) == 0)
			bit.file = i;
	}
	if (n == 0)
		return false;
	/* Among what was ever written: the zeroes behind it are most of a file. */
	written = disk->files[bit.file].synced_size < disk->files[bit.file].size
	                  ? disk->files[bit.file].synced_size
	                  : disk->files[bit.file].size;
	while (written > 0 && disk->files[bit.file].synced[written - 1] == 0)
		written--;
	bit.offset = chance_below(&disk->random, written);
	bit.mask = (uint8_t)(1u << chance_below(&disk->random, 8));
	if (written == 0 || disk->files[bit.file].dirty[bit.offset / DISK_SECTOR])
		return false;
	toggle(disk, &bit);
	disk->flips[disk->n_flips++] = bit;
	return true;
}

bool disk_flipped(const struct disk *disk)
{
	return disk->n_flips > 0;
}

void disk_unflip(struct disk *disk)
{
	while (disk->n_flips > 0)
		toggle(disk, &disk->flips[--disk->n_flips]);
}

void disk_remove_directory(struct disk *disk, const char *directory)
{
	for (int i = 0; i < DISK_FILES; i++)
		if (disk->files[i].used && disk_inside(disk->files[i].path, directory))
			disk_name(disk, i, NULL);
	disk_sync_names(disk, directory);
}

void disk_copy_directory(struct disk *disk, const char *from, const char *to)
{
	char path[2 * DISK_PATH];
	bool was[DISK_FILES];

	for (int i = 0; i < DISK_FILES; i++)
		was[i] = disk->files[i].used;
	for (int i = 0; i < DISK_FILES; i++) {
		struct disk_file *file;

		if (!was[i] || !disk_inside(disk->files[i].path, from))
			continue;
		snprintf(path, sizeof(path), "%s%s", to, disk->files[i].path + strlen(from));
		file = &disk->files[disk_make(disk, path)];
		disk_put(disk, file, disk->files[i].now, (size_t)disk->files[i].size, 0);
		disk_sync_file(disk, file, true);
	}
	disk_sync_names(disk, to);
}

uint64_t disk_digest(const struct disk *disk, const char *directory)
{
	uint64_t sum = 0;

	for (int i = 0; i < DISK_FILES; i++) {
		const struct disk_file *file = &disk->files[i];
		uint64_t own = file->size;

		if (!file->used || file->size == 0 || !disk_inside(file->path, directory))
			continue;
		for (const char *c = file->path; *c; c++)
			own = chance_mix(own ^ (uint64_t)*c);
		for (uint64_t at = 0; at < file->size; at++)
			own = own * UINT64_C(0x100000001b3) ^ file->now[at];
		sum += chance_mix(own);
	}
	return sum;
}
