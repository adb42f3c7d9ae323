/* Inside of the simulated disk: what disk.c (calls) and disk_crash.c (files, crashes) share. */
#ifndef TTG_SIM_DISK_PRIVATE_H
#define TTG_SIM_DISK_PRIVATE_H

#include "sim/disk.h"

#define DISK_SECTOR  512u
#define DISK_FILES   256
#define DISK_HANDLES 64
#define DISK_PATH    128
#define DISK_FLIPS   16
#define DISK_NAMES   256 /* operations on names not durable yet */

struct disk_file {
	bool used;
	int locked_by;           /* handle, -1 */
	char path[DISK_PATH];    /* "": no name now */
	char durable[DISK_PATH]; /* "": no durable name */
	uint8_t *now, *synced;   /* capacity bytes each */
	uint8_t *dirty;          /* one a sector */
	uint32_t *order;         /* sectors that are dirty, as they were first written */
	size_t n_order;
	uint64_t size, synced_size, capacity;
};

struct disk_fault {
	uint64_t after, times;
	int errno_value;
};

struct disk_rename {
	int file;
	char path[DISK_PATH]; /* its new name, "": none */
	char before[DISK_PATH];
};

struct disk_bit {
	int file;
	uint64_t offset;
	uint8_t mask;
};

struct disk {
	struct world world;
	const struct sim_clock *clock;
	struct disk_file files[DISK_FILES];
	int handles[DISK_HANDLES]; /* file, -1 */
	struct disk_fault faults[DISK_CALLS];
	struct disk_rename names[DISK_NAMES];
	int n_names;
	struct disk_bit flips[DISK_FLIPS];
	int n_flips;
	bool dead, met_fault;
	uint64_t kill_after; /* UINT64_MAX: not */
	uint64_t free_bytes;
	uint64_t random, entropy; /* of the disk's whims; of random() */
};

int disk_find(const struct disk *disk, const char *path);
int disk_make(struct disk *disk, const char *path);
bool disk_inside(const char *path, const char *directory);
/* Names the file, NULL: takes its name. What had the name before has none. */
void disk_name(struct disk *disk, int index, const char *path);
void disk_sync_names(struct disk *disk, const char *directory);
void disk_collect(struct disk *disk, struct disk_file *file);
void disk_forget(struct disk_file *file);
void disk_resize(struct disk_file *file, uint64_t bytes);
void disk_put(struct disk *disk, struct disk_file *file, const void *data, size_t len,
              uint64_t offset);
/* How much of a write is there that did not come to its end. */
size_t disk_torn(struct disk *disk, size_t len, uint64_t offset);
/* Whole: all of it is on the disk; else any part. */
void disk_sync_file(struct disk *disk, struct disk_file *file, bool whole);

#endif
