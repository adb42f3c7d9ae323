/*
 * See window.h. What is asked for and is not there is told, never silently less.
 */
#include "journal/window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void file_window_init(struct file_window *window, const struct world *world)
{
	memset(window, 0, sizeof(*window));
	window->world = world;
	window->file = -1;
}

static void close_file(struct file_window *window)
{
	if (window->file >= 0)
		(void)window->world->close(window->world->self, window->file);
	window->file = -1;
	file_window_forget(window);
}

int file_window_open(struct file_window *window, const char *path)
{
	int64_t size;

	close_file(window);
	window->file = window->world->open(window->world->self, path, WORLD_READ);
	if (window->file < 0)
		return window->file;
	size = window->world->size(window->world->self, window->file);
	if (size < 0)
		return (int)size;
	window->size = (uint64_t)size;
	return 0;
}

void file_window_fini(struct file_window *window)
{
	close_file(window);
	free(window->buffer);
	window->buffer = NULL;
	window->capacity = 0;
}

void file_window_forget(struct file_window *window)
{
	window->start = 0;
	window->len = 0;
}

/* Bytes read, at most want: fewer when the file ends before. -errno. */
static int64_t read_up_to(const struct file_window *window, size_t want, uint64_t offset)
{
	const struct world *world = window->world;
	size_t done = 0;

	while (done < want) {
		ssize_t got = world->read_at(world->self, window->file, window->buffer + done,
		                             want - done, offset + done);

		if (got == -EINTR)
			continue;
		if (got < 0)
			return got;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (int64_t)done;
}

/* A segment is cut to what it holds when the next one begins, while it may be open here: so a file
   that ends early is read as far as it goes. */
static enum ttg_error refill(struct file_window *window, uint64_t offset, size_t len)
{
	size_t want = len > WINDOW_BYTES ? len : WINDOW_BYTES;
	int64_t got;
	uint8_t *buffer;

	if (want > window->capacity) {
		buffer = realloc(window->buffer, want);
		if (buffer == NULL)
			return TTG_ENOMEM;
		window->buffer = buffer;
		window->capacity = want;
	}
	if (want > window->size - offset)
		want = (size_t)(window->size - offset);
	file_window_forget(window);
	got = read_up_to(window, want, offset);
	if (got < 0)
		return TTG_EIO;
	if ((uint64_t)got < want)
		window->size = offset + (uint64_t)got;
	window->start = offset;
	window->len = (size_t)got;
	return window->len < len ? TTG_ECORRUPT : TTG_OK;
}

const uint8_t *file_window_at(struct file_window *window, uint64_t offset, size_t len, enum ttg_error *err)
{
	*err = TTG_OK;
	if (offset > window->size || len > window->size - offset)
		*err = TTG_ECORRUPT;
	else if (offset < window->start || offset - window->start > window->len ||
	         len > window->len - (offset - window->start))
		*err = refill(window, offset, len);
	return *err == TTG_OK ? window->buffer + (offset - window->start) : NULL;
}
