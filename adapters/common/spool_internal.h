/* Shared by spool.c (finding files) and spool_settle.c (moving them). */
#ifndef ADAPTERS_COMMON_SPOOL_INTERNAL_H
#define ADAPTERS_COMMON_SPOOL_INTERNAL_H

#include <limits.h>
#include "common/spool.h"

#define SPOOL_PATH_BYTES (PATH_MAX + 64)

struct spool {
	const struct world *world;
	char dir[PATH_MAX - 256];
	size_t max_bytes;
	int notices;  /* inotify */
	char **names; /* sorted, ready to be tried */
	size_t n_names, room_names, next_name;
	bool rescan;
	int64_t settle_at_ns; /* monotonic: when young files are looked at again; 0: none */
	char held[256]; /* the first name that is not old enough yet; "": none */
	uint64_t skipped;
};

/* dir, sub ("" or "done/"), name, suffix. */
void spool_path(const struct spool *spool, char out[SPOOL_PATH_BYTES], const char *sub,
                const char *name, const char *suffix);

#endif
