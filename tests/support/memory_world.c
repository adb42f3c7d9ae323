/*
 * See memory_world.h. One lock around everything; handles are indexes and never reused, so that a
 * use after close is an error and not somebody else's file.
 */
#include "support/memory_private.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t memory_random_next(struct memory_world *memory)
{
	uint64_t z = memory->random += 0x9e3779b97f4a7c15u; /* splitmix64 */

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static void reserve(struct bytes *bytes, uint64_t size)
{
	if (size <= bytes->capacity)
		return;
	bytes->capacity = size > 2 * bytes->capacity ? size : 2 * bytes->capacity;
	bytes->data = realloc(bytes->data, bytes->capacity);
	assert(bytes->data != NULL);
}

void memory_bytes_resize(struct bytes *bytes, uint64_t size)
{
	reserve(bytes, size);
	if (size > bytes->size)
		memset(bytes->data + bytes->size, 0, size - bytes->size);
	bytes->size = size;
}

void memory_bytes_copy(struct bytes *to, const struct bytes *from)
{
	reserve(to, from->size);
	to->size = from->size;
	if (from->size > 0)
		memcpy(to->data, from->data, from->size);
}

void memory_node_touch(struct node *node)
{
	if (node->clean)
		memory_bytes_copy(&node->synced, &node->now);
	node->clean = false;
}

char *memory_text_copy(const char *text)
{
	char *copy = text != NULL ? strdup(text) : NULL;

	assert(text == NULL || copy != NULL);
	return copy;
}

void memory_node_release(struct node *node)
{
	free(node->now.data);
	free(node->synced.data);
	free(node->path);
	free(node->synced_path);
	memset(node, 0, sizeof(*node));
}

int memory_node_find(const struct memory_world *memory, const char *path)
{
	for (unsigned i = 0; i < memory->n_nodes; i++)
		if (memory->nodes[i].used && memory->nodes[i].path != NULL &&
		    strcmp(memory->nodes[i].path, path) == 0)
			return (int)i;
	return -1;
}

static unsigned unused_node(struct memory_world *memory)
{
	unsigned i = 0;

	while (i < memory->n_nodes && memory->nodes[i].used)
		i++;
	if (i == memory->room_nodes) {
		memory->room_nodes += NODES_STEP;
		memory->nodes = realloc(memory->nodes, memory->room_nodes * sizeof(*memory->nodes));
		assert(memory->nodes != NULL);
	}
	if (i == memory->n_nodes)
		memory->n_nodes++;
	memset(&memory->nodes[i], 0, sizeof(memory->nodes[i]));
	return i;
}

int memory_node_make(struct memory_world *memory, const char *path)
{
	const unsigned index = unused_node(memory);
	struct node *node = &memory->nodes[index];

	if (index >= FILES_MAX)
		return -ENOSPC;
	node->used = true;
	node->locked_by = -1;
	node->path = memory_text_copy(path);
	return (int)index;
}

/* Counts the call; the error it is to fail with, or 0. Also what a dead process gets. */
static int fault(struct memory_world *memory, enum memory_call call)
{
	uint64_t number = memory->faults[call].calls++;

	if (memory->dead)
		return -EIO;
	if (!memory->faults[call].armed || number < memory->faults[call].fail_at)
		return 0;
	if (!memory->faults[call].forever && number > memory->faults[call].fail_at)
		return 0;
	return -memory->faults[call].errno_value;
}

static struct node *node_of(struct memory_world *memory, int file)
{
	if (memory->dead || file < 0 || file >= memory->n_handles || memory->handles[file] < 0)
		return NULL;
	return &memory->nodes[memory->handles[file]];
}

static int handle_of(struct memory_world *memory, int node)
{
	if (memory->n_handles == memory->room_handles) {
		memory->room_handles += HANDLES_STEP;
		memory->handles = realloc(memory->handles, (size_t)memory->room_handles *
								   sizeof(*memory->handles));
		assert(memory->handles != NULL);
	}
	memory->handles[memory->n_handles] = node;
	return memory->n_handles++;
}

static int do_open(struct memory_world *memory, const char *path, enum world_open how)
{
	int node = memory_node_find(memory, path);

	if (memory->dead || memory->n_handles == (int)HANDLES_MAX)
		return -EIO;
	if (node < 0 && (how == WORLD_READ || how == WORLD_WRITE))
		return -ENOENT;
	if (node >= 0 && how == WORLD_EXCLUSIVE)
		return -EEXIST;
	if (node < 0) {
		node = memory_node_make(memory, path);
		memory->changes++;
	}
	if (node < 0)
		return node;
	return handle_of(memory, node);
}

/* A file without a name, durable or not, and without a handle is gone. */
void memory_node_collect(struct memory_world *memory, int index)
{
	struct node *node = &memory->nodes[index];

	if (!node->used || node->path != NULL || node->synced_path != NULL)
		return;
	for (int i = 0; i < memory->n_handles; i++)
		if (memory->handles[i] == index)
			return;
	memory_node_release(node);
}

static int do_close(struct memory_world *memory, int file)
{
	struct node *node = node_of(memory, file);
	int index;

	if (node == NULL)
		return -EBADF;
	if (node->locked_by == file)
		node->locked_by = -1;
	index = memory->handles[file];
	memory->handles[file] = -1;
	memory_node_collect(memory, index);
	return 0;
}

static ssize_t do_read_at(struct memory_world *memory, int file, void *out, size_t len,
                          uint64_t offset)
{
	const struct node *node = node_of(memory, file);

	if (node == NULL)
		return -EIO;
	if (offset >= node->now.size)
		return 0;
	if (len > node->now.size - offset)
		len = (size_t)(node->now.size - offset);
	memcpy(out, node->now.data + offset, len);
	return (ssize_t)len;
}

static ssize_t do_write_at(struct memory_world *memory, int file, const void *data, size_t len,
                           uint64_t offset)
{
	struct node *node = node_of(memory, file);
	int error = fault(memory, MEMORY_WRITE);

	memory->changes++;
	if (error != 0 || node == NULL)
		return error != 0 ? error : -EIO;
	memory_node_touch(node);
	if (offset + len > node->now.size)
		memory_bytes_resize(&node->now, offset + len);
	memcpy(node->now.data + offset, data, len);
	return (ssize_t)len;
}

static int do_sync(struct memory_world *memory, int file)
{
	struct node *node = node_of(memory, file);
	int error = fault(memory, MEMORY_SYNC);

	if (error != 0 || node == NULL)
		return error != 0 ? error : -EIO;
	node->clean = true;
	return 0;
}

static int do_allocate(struct memory_world *memory, int file, uint64_t bytes)
{
	struct node *node = node_of(memory, file);
	int error = fault(memory, MEMORY_ALLOCATE);

	memory->changes++;
	if (error != 0 || node == NULL)
		return error != 0 ? error : -EIO;
	if (bytes > memory->free_bytes)
		return -ENOSPC;
	memory_node_touch(node);
	if (bytes > node->now.size)
		memory_bytes_resize(&node->now, bytes);
	return 0;
}

static int do_truncate(struct memory_world *memory, int file, uint64_t bytes)
{
	struct node *node = node_of(memory, file);

	memory->changes++;
	if (node == NULL)
		return -EIO;
	memory_node_touch(node);
	memory_bytes_resize(&node->now, bytes);
	return 0;
}

static int64_t do_size(struct memory_world *memory, int file)
{
	const struct node *node = node_of(memory, file);

	return node != NULL ? (int64_t)node->now.size : -EIO;
}

static int do_lock(struct memory_world *memory, int file)
{
	struct node *node = node_of(memory, file);

	if (node == NULL)
		return -EIO;
	if (node->locked_by >= 0 && node->locked_by != file)
		return -EWOULDBLOCK;
	node->locked_by = file;
	return 0;
}

static int do_rename(struct memory_world *memory, const char *from, const char *to)
{
	int node = memory_node_find(memory, from);
	int old = memory_node_find(memory, to);
	int error = fault(memory, MEMORY_RENAME);

	memory->changes++;
	if (error != 0 || node < 0)
		return error != 0 ? error : -ENOENT;
	if (old >= 0) {
		free(memory->nodes[old].path);
		memory->nodes[old].path = NULL;
		memory_node_collect(memory, old);
	}
	free(memory->nodes[node].path);
	memory->nodes[node].path = memory_text_copy(to);
	return 0;
}

static int do_unlink(struct memory_world *memory, const char *path)
{
	int node = memory_node_find(memory, path);

	memory->changes++;
	if (memory->dead)
		return -EIO;
	if (node < 0)
		return -ENOENT;
	free(memory->nodes[node].path);
	memory->nodes[node].path = NULL;
	memory_node_collect(memory, node);
	return 0;
}

static int do_mkdir(struct memory_world *memory, const char *path)
{
	(void)path; /* directories are as old as the world */
	return memory->dead ? -EIO : 0;
}

static bool inside(const char *path, const char *directory)
{
	size_t len = strlen(directory);

	return path != NULL && strncmp(path, directory, len) == 0 && path[len] == '/' &&
	       strchr(path + len + 1, '/') == NULL;
}

static int do_sync_dir(struct memory_world *memory, const char *path)
{
	int error = fault(memory, MEMORY_SYNC_DIR);

	if (error != 0)
		return error;
	for (unsigned i = 0; i < memory->n_nodes; i++) {
		struct node *node = &memory->nodes[i];

		if (!node->used || (!inside(node->path, path) && !inside(node->synced_path, path)))
			continue;
		free(node->synced_path);
		node->synced_path = memory_text_copy(node->path);
		memory_node_collect(memory, (int)i);
	}
	return 0;
}

static int do_list(struct memory_world *memory, const char *path,
                   bool (*each)(void *arg, const char *name), void *arg)
{
	bool more = !memory->dead;

	for (unsigned i = 0; i < memory->n_nodes && more; i++)
		if (memory->nodes[i].used && inside(memory->nodes[i].path, path))
			more = each(arg, memory->nodes[i].path + strlen(path) + 1);
	return memory->dead ? -EIO : 0;
}

static int64_t do_free_bytes(struct memory_world *memory, const char *path)
{
	(void)path;
	return (int64_t)memory->free_bytes;
}

static int64_t do_clock(struct memory_world *memory)
{
	memory->clock_ns += 1000;
	return memory->clock_ns;
}

static int do_random(struct memory_world *memory, void *out, size_t len)
{
	uint8_t *bytes = out;

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)memory_random_next(memory);
	return 0;
}

/* What the table holds: the same under the lock. */
struct memory_world *memory_enter(void *self)
{
	struct memory_world *memory = self;

	pthread_mutex_lock(&memory->lock);
	return memory;
}

void memory_leave(struct memory_world *memory)
{
	pthread_mutex_unlock(&memory->lock);
}

static int memory_open(void *self, const char *path, enum world_open how)
{
	struct memory_world *memory = memory_enter(self);
	int result = do_open(memory, path, how);

	memory_leave(memory);
	return result;
}

static int memory_close(void *self, int file)
{
	struct memory_world *memory = memory_enter(self);
	int result = do_close(memory, file);

	memory_leave(memory);
	return result;
}

static ssize_t memory_read_at(void *self, int file, void *out, size_t len, uint64_t offset)
{
	struct memory_world *memory = memory_enter(self);
	ssize_t result = do_read_at(memory, file, out, len, offset);

	memory_leave(memory);
	return result;
}

static ssize_t memory_write_at(void *self, int file, const void *data, size_t len, uint64_t offset)
{
	struct memory_world *memory = memory_enter(self);
	ssize_t result = do_write_at(memory, file, data, len, offset);

	memory_leave(memory);
	return result;
}

static int memory_sync(void *self, int file)
{
	struct memory_world *memory = memory_enter(self);
	int result = do_sync(memory, file);

	memory_leave(memory);
	return result;
}

static int memory_allocate(void *self, int file, uint64_t bytes)
{
	struct memory_world *memory = memory_enter(self);
	int result = do_allocate(memory, file, bytes);

	memory_leave(memory);
	return result;
}

static int memory_truncate(void *self, int file, uint64_t bytes)
{
	struct memory_world *memory = memory_enter(self);
	int result = do_truncate(memory, file, bytes);

	memory_leave(memory);
	return result;
}

static int64_t memory_size(void *self, int file)
{
	struct memory_world *memory = memory_enter(self);
	int64_t result = do_size(memory, file);

	memory_leave(memory);
	return result;
}

static int memory_lock(void *self, int file)
{
	struct memory_world *memory = memory_enter(self);
	int result = do_lock(memory, file);

	memory_leave(memory);
	return result;
}

static int memory_rename(void *self, const char *from, const char *to)
{
	struct memory_world *memory = memory_enter(self);
	int result = do_rename(memory, from, to);

	memory_leave(memory);
	return result;
}

static int memory_unlink(void *self, const char *path)
{
	struct memory_world *memory = memory_enter(self);
	int result = do_unlink(memory, path);

	memory_leave(memory);
	return result;
}

static int memory_mkdir(void *self, const char *path)
{
	struct memory_world *memory = memory_enter(self);
	int result = do_mkdir(memory, path);

	memory_leave(memory);
	return result;
}

static int memory_sync_dir(void *self, const char *path)
{
	struct memory_world *memory = memory_enter(self);
	int result = do_sync_dir(memory, path);

	memory_leave(memory);
	return result;
}

static int memory_list(void *self, const char *path, bool (*each)(void *arg, const char *name),
                       void *arg)
{
	struct memory_world *memory = memory_enter(self);
	int result = do_list(memory, path, each, arg);

	memory_leave(memory);
	return result;
}

static int64_t memory_free_bytes(void *self, const char *path)
{
	struct memory_world *memory = memory_enter(self);
	int64_t result = do_free_bytes(memory, path);

	memory_leave(memory);
	return result;
}

static int64_t memory_clock(void *self)
{
	struct memory_world *memory = memory_enter(self);
	int64_t result = do_clock(memory);

	memory_leave(memory);
	return result;
}

static int memory_random(void *self, void *out, size_t len)
{
	struct memory_world *memory = memory_enter(self);
	int result = do_random(memory, out, len);

	memory_leave(memory);
	return result;
}

void memory_table_fill(struct memory_world *memory)
{
	memory->table = (struct world){
		.self = memory,
		.open = memory_open,
		.close = memory_close,
		.read_at = memory_read_at,
		.write_at = memory_write_at,
		.sync = memory_sync,
		.allocate = memory_allocate,
		.truncate = memory_truncate,
		.size = memory_size,
		.lock = memory_lock,
		.rename = memory_rename,
		.unlink = memory_unlink,
		.mkdir = memory_mkdir,
		.sync_dir = memory_sync_dir,
		.list = memory_list,
		.free_bytes = memory_free_bytes,
		.real_ns = memory_clock,
		.mono_ns = memory_clock,
		.random = memory_random,
	};
}
