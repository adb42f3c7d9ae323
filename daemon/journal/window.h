/*
 * A file looked at through one large read after the other. Views stay valid until the next call.
 * Owned by one thread.
 */
#ifndef TTGD_JOURNAL_WINDOW_H
#define TTGD_JOURNAL_WINDOW_H

#include "base/world.h"
#include <ttg/error.h>

#define WINDOW_BYTES (256u * 1024u) /* read at once, more only when more is asked for */

struct file_window {
	const struct world *world;
	int file;
	uint64_t size; /* of the file when it was opened */
	uint8_t *buffer;
	size_t capacity;
	uint64_t start;
	size_t len;
};

void file_window_init(struct file_window *window, const struct world *world);
/* 0 or -errno. Closes what was open before. */
int file_window_open(struct file_window *window, const char *path);
void file_window_fini(struct file_window *window);
/* Forgets what was read, so that the next look reads again. */
void file_window_forget(struct file_window *window);
/* NULL and TTG_EIO, TTG_ENOMEM or, beyond the end of the file, TTG_ECORRUPT in *err. */
const uint8_t *file_window_at(struct file_window *window, uint64_t offset, size_t len, enum ttg_error *err);

#endif
