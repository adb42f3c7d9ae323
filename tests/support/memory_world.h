/*
 * A world in memory that fails on command: a disk that forgets what was not synced, sector by
 * sector, fills up, or refuses. For tests of everything that reaches files through struct world.
 *
 * Model: writes reach the disk at sync(); names (creation, rename, unlink) at sync_dir(). A crash
 * keeps any subset of the 512-byte sectors written since the last sync, either size of a file, and
 * per directory either all names as they are or all as they were last synced. Sectors never mix.
 *
 * Calls are safe from several threads. mono and real clock only move through memory_world_advance()
 * and by 1 us with each look.
 */
#ifndef TTG_TESTS_MEMORY_WORLD_H
#define TTG_TESTS_MEMORY_WORLD_H

#include "base/world.h"

struct memory_world;

struct memory_world *memory_world_new(uint64_t seed);
void memory_world_free(struct memory_world **memory);
/* The table; lives as long as the memory_world. */
const struct world *memory_world_table(struct memory_world *memory);
/* A deep copy without open files, as it stands now. */
struct memory_world *memory_world_clone(struct memory_world *memory);

enum memory_crash {
	MEMORY_CRASH_PROCESS, /* the process was killed: all is there, and as unsynced as before */
	MEMORY_CRASH_LOSE,    /* nothing unsynced is kept */
	MEMORY_CRASH_RANDOM,  /* any subset, by the seed */
};
/* From now on every call fails with -EIO: what a dead process would have done does not happen. */
void memory_world_kill(struct memory_world *memory);
/* Ends the crash: handles and locks are gone, the disk holds what `how` leaves. */
void memory_world_crash(struct memory_world *memory, enum memory_crash how);

enum memory_call {
	MEMORY_WRITE,
	MEMORY_SYNC,
	MEMORY_SYNC_DIR,
	MEMORY_ALLOCATE,
	MEMORY_RENAME,
	MEMORY_CALLS
};
/* The call number `after` from now (0: the next) of this kind fails with -errno_value, and all
   later ones too when `forever`. */
void memory_world_fail(struct memory_world *memory, enum memory_call call, uint64_t after,
                       int errno_value, bool forever);
/* Calls so far. */
uint64_t memory_world_calls(struct memory_world *memory, enum memory_call call);
/* What free_bytes() says, and what allocate() may still take. */
void memory_world_set_free(struct memory_world *memory, uint64_t bytes);
void memory_world_advance(struct memory_world *memory, int64_t ns);

/* Calls so far that may have changed a file or a name. */
uint64_t memory_world_changes(struct memory_world *memory);
/* Where clock and random numbers stand; and back there, when nothing was changed since. Numbers of
   handles that are closed are given out again after that. */
struct memory_moment {
	int64_t clock_ns;
	uint64_t random, changes;
};
struct memory_moment memory_world_moment(struct memory_world *memory);
bool memory_world_go_back(struct memory_world *memory, const struct memory_moment *moment);

/* Bytes of a file as they are, to read and to damage; NULL: no such file. Counts as synced. */
uint8_t *memory_world_file(struct memory_world *memory, const char *path, uint64_t *size);
/* Sets a file's bytes, making it when missing; data NULL removes it. */
void memory_world_put(struct memory_world *memory, const char *path, const void *data,
                      uint64_t size);
/* Path of the i-th file by name, NULL behind the last. Valid until names change. */
const char *memory_world_name(struct memory_world *memory, size_t i);

#endif
