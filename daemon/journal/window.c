/*
 * See window.h. What is asked for and is not there is told, never silently less.
 */
#include "journal/window.h"

#include <assert.h>
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

/* Bytes read to `to`, at most want: fewer when the file ends before. -errno. */
static int64_t read_up_to(const struct file_window *window, uint8_t *to, size_t want,
                          uint64_t offset)
{
	const struct world *world = window->world;
	size_t done = 0;

	while (done < want) {
		ssize_t got = world->read_at(world->self, window->file, to + done, want - done,
		                             offset + done);

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

static bool make_room(struct file_window *window, size_t want)
{
	uint8_t *buffer;

	if (want <= window->capacity)
		return true;
	buffer = realloc(window->buffer, want);
	if (buffer == NULL)
		return false;
	window->buffer = buffer;
	window->capacity = want;
	return true;
}

/* What is here already and goes on behind offset moves to the front; how much that is. */
static size_t keep_tail(struct file_window *window, uint64_t offset)
{
	size_t kept = 0;

	if (offset >= window->start && offset - window->start < window->len) {
		kept = window->len - (size_t)(offset - window->start);
		memmove(window->buffer, window->buffer + (offset - window->start), kept);
	}
	file_window_forget(window);
	return kept;
}

/* A segment is cut to what it holds when the next one begins, while it may be open here: so a file
   that ends early is read as far as it goes. Nothing is read twice. */
static enum ttg_error refill(struct file_window *window, uint64_t offset, size_t len)
{
	size_t want = len > WINDOW_BYTES ? len : WINDOW_BYTES;
	size_t kept;
	int64_t got;

	if (!make_room(window, want))
		return TTG_ENOMEM;
	if (want > window->size - offset)
		want = (size_t)(window->size - offset);
	kept = keep_tail(window, offset);
	assert(kept < want);
	got = read_up_to(window, window->buffer + kept, want - kept, offset + kept);
	if (got < 0)
		return TTG_EIO;
	window->start = offset;
	window->len = kept + (size_t)got;
	if (window->len < want)
		window->size = offset + window->len;
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
