/*
 * Everything outside the process that a promise depends on, behind one table: files, clocks,
 * random bytes. The journal, the snapshot and the outbox reach the disk only through it, so that
 * the simulator can put a disk underneath that forgets, tears and lies.
 *
 * Convention: functions return a value >= 0, or -errno. None of them retries a failed sync: after
 * -EIO from sync() nothing written before is to be believed.
 */
#ifndef TTG_BASE_WORLD_H
#define TTG_BASE_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <ttg/error.h>

enum world_open {
	WORLD_READ = 0,
	WORLD_WRITE = 1,     /* read and write, must exist */
	WORLD_CREATE = 2,    /* read and write, made if missing, mode 0600 */
	WORLD_EXCLUSIVE = 3, /* read and write, must not exist, mode 0600 */
};

struct world {
	void *self; /* first argument of every function */

	/* A file handle >= 0. */
	int (*open)(void *self, const char *path, enum world_open how);
	int (*close)(void *self, int file);
	/* Bytes read or written; may be short. */
	ssize_t (*read_at)(void *self, int file, void *out, size_t len, uint64_t offset);
	ssize_t (*write_at)(void *self, int file, const void *data, size_t len, uint64_t offset);
	int (*sync)(void *self, int file);              /* data and size: fdatasync */
	int (*allocate)(void *self, int file, uint64_t bytes); /* room for bytes from 0, zeroed */
	int (*truncate)(void *self, int file, uint64_t bytes);
	int64_t (*size)(void *self, int file);
	int (*lock)(void *self, int file);              /* exclusive, -EWOULDBLOCK when taken */

	int (*rename)(void *self, const char *from, const char *to);
	int (*unlink)(void *self, const char *path);
	int (*mkdir)(void *self, const char *path);     /* mode 0700; 0 when it exists */
	int (*sync_dir)(void *self, const char *path);  /* makes names in it durable */
	/* Calls each(arg, name) for every entry but "." and "..", in no order; stops at false. */
	int (*list)(void *self, const char *path, bool (*each)(void *arg, const char *name),
		    void *arg);
	int64_t (*free_bytes)(void *self, const char *path); /* left for us on its file system */

	int64_t (*real_ns)(void *self); /* since 1970, may jump */
	int64_t (*mono_ns)(void *self); /* never goes back */
	int (*random)(void *self, void *out, size_t len); /* fit for keys */
};

/* The machine itself. Static, never freed. */
const struct world *world_real(void);

/* Reads or writes exactly len bytes; -EIO at end of file or when nothing moves. 0 or -errno. */
int world_read_all(const struct world *world, int file, void *out, size_t len, uint64_t offset);
int world_write_all(const struct world *world, int file, const void *data, size_t len,
		    uint64_t offset);

/*
 * Replaces path with these bytes so that after a crash it holds the old or the new ones: writes
 * path.new, syncs it, renames it, syncs the directory. 0 or -errno.
 */
int world_replace_file(const struct world *world, const char *path, const void *data, size_t len);

/* The code for a result of these functions: TTG_OK for >= 0, else what -errno amounts to. */
enum ttg_error world_error(int64_t result);

#endif
