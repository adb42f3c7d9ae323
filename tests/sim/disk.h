/*
 * A simulated disk and clock behind struct world, for one machine of a life.
 *
 * Model: written sectors (512 bytes) reach the disk at sync(); names (made, renamed, removed) at
 * sync_dir(). A power loss keeps any subset of the sectors written since their last sync (of one
 * that was written several times the last content or any earlier one), may tear one of them from
 * front to back, keeps either size of a file, and keeps any number of the first
 * operations on names. A sync that fails may have written any of its sectors; the others are still
 * to be synced, or are taken for synced though they are not: readable until the power is lost, as
 * the page cache of a real kernel has them. Every call can be made to fail, a write to be short.
 *
 * One thread. All chance comes from disk_seed(), so the same calls after the same seed end alike.
 */
#ifndef TTG_SIM_DISK_H
#define TTG_SIM_DISK_H

#include "base/world.h"

struct disk;

struct sim_clock {
	int64_t real_ns, mono_ns; /* the owner moves them */
};

struct disk *disk_new(const struct sim_clock *clock, uint64_t seed);
void disk_free(struct disk **disk);
const struct world *disk_world(const struct disk *disk);
/* Chance from here on. */
void disk_seed(struct disk *disk, uint64_t seed);

enum disk_call {
	DISK_READ,
	DISK_LOOK, /* sizes, lists, room, locks, directories */
	DISK_OPEN,
	DISK_WRITE,
	DISK_SYNC,
	DISK_SYNC_DIR,
	DISK_ALLOCATE,
	DISK_RENAME,
	DISK_UNLINK,
	DISK_TRUNCATE,
	DISK_CALLS
};
extern const char *const disk_call_names[DISK_CALLS];

/* The call number `after` from now (0: the next) of this kind fails, and `times` - 1 after it. A
   read or write with errno_value 0 is short instead. */
void disk_fail(struct disk *disk, enum disk_call call, uint64_t after, int errno_value,
               uint64_t times);
/* The machine stops at the call number `after` from now that would change something; that one is
   done in part. From then on every call fails with -EIO. */
void disk_kill_after(struct disk *disk, uint64_t after);
void disk_kill(struct disk *disk);
bool disk_dead(const struct disk *disk);
/* Faults that were armed are so no more; there is room again. */
void disk_heal(struct disk *disk);
/* True when a fault was met since the last disk_heal() or disk_crash(). */
bool disk_met_fault(const struct disk *disk);
/* Room left: what allocate() and writes at the end of files may still take. */
void disk_set_free(struct disk *disk, uint64_t bytes);

enum disk_crash {
	DISK_CRASH_PROCESS, /* killed: everything stays, as unsynced as it was */
	DISK_CRASH_LOSE,    /* power lost, nothing unsynced is kept */
	DISK_CRASH_ANY,     /* power lost, any subset is kept */
};
/* The end of a process or of the machine: handles and locks are gone. */
void disk_crash(struct disk *disk, enum disk_crash how);

/* Flips one bit somewhere in a file of the directory; false: there is none. Remembered until
   that byte is written or disk_unflip() sets it right. */
bool disk_flip(struct disk *disk, const char *directory);
bool disk_flipped(const struct disk *disk);
void disk_unflip(struct disk *disk);

/* The operator's hands: durable at once. */
void disk_remove_directory(struct disk *disk, const char *directory);
void disk_copy_directory(struct disk *disk, const char *from, const char *to);
/* Fingerprint of all names and bytes, as a process sees them; files without bytes do not count. */
uint64_t disk_digest(const struct disk *disk, const char *directory);

#endif
