/*
 * See memory_world.h. One lock around everything; handles are indexes and never reused, so that a
 * use after close is an error and not somebody else's file.
 */
#include "support/memory_world.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR      512u
#define FILES_MAX   512u
#define HANDLES_MAX 65536u

struct bytes {
	uint8_t *data;
	uint64_t size;
	uint64_t capacity;
};

struct node {
	struct bytes now, synced;
	char *path;        /* NULL: has no name now */
	char *synced_path; /* NULL: has no durable name */
	bool used;
	int locked_by; /* handle, -1 */
};

struct memory_world {
	struct world table;
	pthread_mutex_t lock;
	struct node nodes[FILES_MAX];
	int handles[HANDLES_MAX]; /* node, -1 when closed */
	int n_handles;
	bool dead;
	uint64_t random;
	int64_t clock_ns;
	uint64_t free_bytes;
	struct {
		uint64_t calls, fail_at;
		int errno_value;
		bool armed, forever;
	} faults[MEMORY_CALLS];
};

static uint64_t next_random(struct memory_world *memory)
{
	uint64_t z = memory->random += 0x9e3779b97f4a7c15u; /* splitmix64 */

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static void resize(struct bytes *bytes, uint64_t size)
{
	if (size > bytes->capacity) {
		uint64_t capacity = size > 2 * bytes->capacity ? size : 2 * bytes->capacity;

		bytes->data = realloc(bytes->data, capacity);
		assert(bytes->data != NULL);
		bytes->capacity = capacity;
	}
	if (size > bytes->size)
		memset(bytes->data + bytes->size, 0, size - bytes->size);
	bytes->size = size;
}

static void copy_bytes(struct bytes *to, const struct bytes *from)
{
	resize(to, from->size);
	if (from->size > 0)
		memcpy(to->data, from->data, from->size);
}

static char *copy_text(const char *text)
{
	char *copy = text != NULL ? strdup(text) : NULL;

	assert(text == NULL || copy != NULL);
	return copy;
}

static void release(struct node *node)
{
	free(node->now.data);
	free(node->synced.data);
	free(node->path);
	free(node->synced_path);
	memset(node, 0, sizeof(*node));
}

static int find(const struct memory_world *memory, const char *path)
{
	for (unsigned i = 0; i < FILES_MAX; i++)
		if (memory->nodes[i].used && memory->nodes[i].path != NULL &&
		    strcmp(memory->nodes[i].path, path) == 0)
			return (int)i;
	return -1;
}

static int make(struct memory_world *memory, const char *path)
{
	for (unsigned i = 0; i < FILES_MAX; i++) {
		struct node *node = &memory->nodes[i];

		if (node->used)
			continue;
		memset(node, 0, sizeof(*node));
		node->used = true;
		node->locked_by = -1;
		node->path = copy_text(path);
		return (int)i;
	}
	return -ENOSPC;
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

#define ENTER(self)                                                                                \
	struct memory_world *memory = (self);                                                      \
	pthread_mutex_lock(&memory->lock)
#define LEAVE(result)                                                                              \
	do {                                                                                       \
		pthread_mutex_unlock(&memory->lock);                                               \
		return (result);                                                                   \
	} while (0)

static int memory_open(void *self, const char *path, enum world_open how)
{
	ENTER(self);
	int node = find(memory, path);

	if (memory->dead || memory->n_handles == (int)HANDLES_MAX)
		LEAVE(-EIO);
	if (node < 0 && (how == WORLD_READ || how == WORLD_WRITE))
		LEAVE(-ENOENT);
	if (node >= 0 && how == WORLD_EXCLUSIVE)
		LEAVE(-EEXIST);
	if (node < 0)
		node = make(memory, path);
	if (node < 0)
		LEAVE(node);
	memory->handles[memory->n_handles] = node;
	LEAVE(memory->n_handles++);
}

/* A file without a name, durable or not, and without a handle is gone. */
static void collect(struct memory_world *memory, int index)
{
	struct node *node = &memory->nodes[index];

	if (!node->used || node->path != NULL || node->synced_path != NULL)
		return;
	for (int i = 0; i < memory->n_handles; i++)
		if (memory->handles[i] == index)
			return;
	release(node);
}

static int memory_close(void *self, int file)
{
	ENTER(self);
	struct node *node = node_of(memory, file);
	int index;

	if (node == NULL)
		LEAVE(-EBADF);
	if (node->locked_by == file)
		node->locked_by = -1;
	index = memory->handles[file];
	memory->handles[file] = -1;
	collect(memory, index);
	LEAVE(0);
}

static ssize_t memory_read_at(void *self, int file, void *out, size_t len, uint64_t offset)
{
	ENTER(self);
	const struct node *node = node_of(memory, file);

	if (node == NULL)
		LEAVE(-EIO);
	if (offset >= node->now.size)
		LEAVE(0);
	if (len > node->now.size - offset)
		len = (size_t)(node->now.size - offset);
	memcpy(out, node->now.data + offset, len);
	LEAVE((ssize_t)len);
}

static ssize_t memory_write_at(void *self, int file, const void *data, size_t len, uint64_t offset)
{
	ENTER(self);
	struct node *node = node_of(memory, file);
	int error = fault(memory, MEMORY_WRITE);

	if (error != 0 || node == NULL)
		LEAVE(error != 0 ? error : -EIO);
	if (offset + len > node->now.size)
		resize(&node->now, offset + len);
	memcpy(node->now.data + offset, data, len);
	LEAVE((ssize_t)len);
}

static int memory_sync(void *self, int file)
{
	ENTER(self);
	struct node *node = node_of(memory, file);
	int error = fault(memory, MEMORY_SYNC);

	if (error != 0 || node == NULL)
		LEAVE(error != 0 ? error : -EIO);
	copy_bytes(&node->synced, &node->now);
	LEAVE(0);
}

static int memory_allocate(void *self, int file, uint64_t bytes)
{
	ENTER(self);
	struct node *node = node_of(memory, file);
	int error = fault(memory, MEMORY_ALLOCATE);

	if (error != 0 || node == NULL)
		LEAVE(error != 0 ? error : -EIO);
	if (bytes > memory->free_bytes)
		LEAVE(-ENOSPC);
	if (bytes > node->now.size)
		resize(&node->now, bytes);
	LEAVE(0);
}

static int memory_truncate(void *self, int file, uint64_t bytes)
{
	ENTER(self);
	struct node *node = node_of(memory, file);

	if (node == NULL)
		LEAVE(-EIO);
	resize(&node->now, bytes);
	LEAVE(0);
}

static int64_t memory_size(void *self, int file)
{
	ENTER(self);
	const struct node *node = node_of(memory, file);

	LEAVE(node != NULL ? (int64_t)node->now.size : -EIO);
}

static int memory_lock(void *self, int file)
{
	ENTER(self);
	struct node *node = node_of(memory, file);

	if (node == NULL)
		LEAVE(-EIO);
	if (node->locked_by >= 0 && node->locked_by != file)
		LEAVE(-EWOULDBLOCK);
	node->locked_by = file;
	LEAVE(0);
}

static int memory_rename(void *self, const char *from, const char *to)
{
	ENTER(self);
	int node = find(memory, from);
	int old = find(memory, to);
	int error = fault(memory, MEMORY_RENAME);

	if (error != 0 || node < 0)
		LEAVE(error != 0 ? error : -ENOENT);
	if (old >= 0) {
		free(memory->nodes[old].path);
		memory->nodes[old].path = NULL;
		collect(memory, old);
	}
	free(memory->nodes[node].path);
	memory->nodes[node].path = copy_text(to);
	LEAVE(0);
}

static int memory_unlink(void *self, const char *path)
{
	ENTER(self);
	int node = find(memory, path);

	if (memory->dead)
		LEAVE(-EIO);
	if (node < 0)
		LEAVE(-ENOENT);
	free(memory->nodes[node].path);
	memory->nodes[node].path = NULL;
	collect(memory, node);
	LEAVE(0);
}

static int memory_mkdir(void *self, const char *path)
{
	ENTER(self);
	(void)path; /* directories are as old as the world */
	LEAVE(memory->dead ? -EIO : 0);
}

static bool inside(const char *path, const char *directory)
{
	size_t len = strlen(directory);

	return path != NULL && strncmp(path, directory, len) == 0 && path[len] == '/' &&
	       strchr(path + len + 1, '/') == NULL;
}

static int memory_sync_dir(void *self, const char *path)
{
	ENTER(self);
	int error = fault(memory, MEMORY_SYNC_DIR);

	if (error != 0)
		LEAVE(error);
	for (unsigned i = 0; i < FILES_MAX; i++) {
		struct node *node = &memory->nodes[i];

		if (!node->used || (!inside(node->path, path) && !inside(node->synced_path, path)))
			continue;
		free(node->synced_path);
		node->synced_path = copy_text(node->path);
		collect(memory, (int)i);
	}
	LEAVE(0);
}

static int memory_list(void *self, const char *path, bool (*each)(void *arg, const char *name),
		       void *arg)
{
	ENTER(self);
	bool more = !memory->dead;

	for (unsigned i = 0; i < FILES_MAX && more; i++)
		if (memory->nodes[i].used && inside(memory->nodes[i].path, path))
			more = each(arg, memory->nodes[i].path + strlen(path) + 1);
	LEAVE(memory->dead ? -EIO : 0);
}

static int64_t memory_free_bytes(void *self, const char *path)
{
	ENTER(self);
	(void)path;
	LEAVE((int64_t)memory->free_bytes);
}

static int64_t memory_clock(void *self)
{
	ENTER(self);
	memory->clock_ns += 1000;
	LEAVE(memory->clock_ns);
}

static int memory_random(void *self, void *out, size_t len)
{
	ENTER(self);
	uint8_t *bytes = out;

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)next_random(memory);
	LEAVE(0);
}

struct memory_world *memory_world_new(uint64_t seed)
{
	struct memory_world *memory = calloc(1, sizeof(*memory));

	assert(memory != NULL);
	pthread_mutex_init(&memory->lock, NULL);
	memory->random = seed;
	memory->clock_ns = 1000000000;
	memory->free_bytes = INT64_MAX;
	memory->table = (struct world){
		.self = memory, .open = memory_open, .close = memory_close,
		.read_at = memory_read_at, .write_at = memory_write_at, .sync = memory_sync,
		.allocate = memory_allocate, .truncate = memory_truncate, .size = memory_size,
		.lock = memory_lock, .rename = memory_rename, .unlink = memory_unlink,
		.mkdir = memory_mkdir, .sync_dir = memory_sync_dir, .list = memory_list,
		.free_bytes = memory_free_bytes, .real_ns = memory_clock,
		.mono_ns = memory_clock, .random = memory_random,
	};
	return memory;
}

void memory_world_free(struct memory_world **memory)
{
	if (*memory == NULL)
		return;
	for (unsigned i = 0; i < FILES_MAX; i++)
		if ((*memory)->nodes[i].used)
			release(&(*memory)->nodes[i]);
	pthread_mutex_destroy(&(*memory)->lock);
	free(*memory);
	*memory = NULL;
}

const struct world *memory_world_table(struct memory_world *memory)
{
	return &memory->table;
}

struct memory_world *memory_world_clone(struct memory_world *memory)
{
	struct memory_world *clone = memory_world_new(next_random(memory));

	for (unsigned i = 0; i < FILES_MAX; i++) {
		const struct node *from = &memory->nodes[i];
		struct node *to = &clone->nodes[i];

		if (!from->used || from->path == NULL)
			continue;
		to->used = true;
		to->locked_by = -1;
		to->path = copy_text(from->path);
		to->synced_path = copy_text(from->path);
		copy_bytes(&to->now, &from->now);
		copy_bytes(&to->synced, &from->now);
	}
	clone->clock_ns = memory->clock_ns;
	return clone;
}

void memory_world_kill(struct memory_world *memory)
{
	ENTER(memory);
	memory->dead = true;
	pthread_mutex_unlock(&memory->lock);
}

/* Sector by sector: the written bytes or the synced ones. */
static void settle(struct memory_world *memory, struct node *node, enum memory_crash how)
{
	struct bytes result = { 0 };
	bool keep_size = how != MEMORY_CRASH_LOSE && (next_random(memory) & 1) != 0;

	if (how == MEMORY_CRASH_PROCESS) {
		copy_bytes(&node->synced, &node->now);
		return;
	}
	resize(&result, keep_size ? node->now.size : node->synced.size);
	for (uint64_t at = 0; at < result.size; at += SECTOR) {
		bool keep = how != MEMORY_CRASH_LOSE && (next_random(memory) & 1) != 0;
		const struct bytes *from = keep ? &node->now : &node->synced;
		uint64_t end = at + SECTOR < result.size ? at + SECTOR : result.size;

		if (end > from->size)
			end = from->size;
		if (at < end)
			memcpy(result.data + at, from->data + at, end - at);
	}
	copy_bytes(&node->now, &result);
	copy_bytes(&node->synced, &result);
	free(result.data);
}

void memory_world_crash(struct memory_world *memory, enum memory_crash how)
{
	ENTER(memory);
	bool keep_names = how == MEMORY_CRASH_PROCESS ||
			  (how == MEMORY_CRASH_RANDOM && (next_random(memory) & 1) != 0);

	memory->dead = false;
	for (int i = 0; i < memory->n_handles; i++)
		memory->handles[i] = -1;
	memory->n_handles = 0;
	for (unsigned i = 0; i < FILES_MAX; i++) {
		struct node *node = &memory->nodes[i];

		if (!node->used)
			continue;
		node->locked_by = -1;
		settle(memory, node, how);
		char **lost = keep_names ? &node->synced_path : &node->path;
		const char *kept = keep_names ? node->path : node->synced_path;
		char *copy = copy_text(kept);

		free(*lost);
		*lost = copy;
		collect(memory, (int)i);
	}
	for (unsigned i = 0; i < MEMORY_CALLS; i++)
		memory->faults[i].armed = false;
	pthread_mutex_unlock(&memory->lock);
}

void memory_world_fail(struct memory_world *memory, enum memory_call call, uint64_t after,
		       int errno_value, bool forever)
{
	ENTER(memory);
	memory->faults[call].fail_at = memory->faults[call].calls + after;
	memory->faults[call].errno_value = errno_value;
	memory->faults[call].forever = forever;
	memory->faults[call].armed = true;
	pthread_mutex_unlock(&memory->lock);
}

uint64_t memory_world_calls(struct memory_world *memory, enum memory_call call)
{
	ENTER(memory);
	LEAVE(memory->faults[call].calls);
}

void memory_world_set_free(struct memory_world *memory, uint64_t bytes)
{
	ENTER(memory);
	memory->free_bytes = bytes;
	pthread_mutex_unlock(&memory->lock);
}

void memory_world_advance(struct memory_world *memory, int64_t ns)
{
	ENTER(memory);
	memory->clock_ns += ns;
	pthread_mutex_unlock(&memory->lock);
}

uint8_t *memory_world_file(struct memory_world *memory, const char *path, uint64_t *size)
{
	int node = find(memory, path);

	if (node < 0)
		return NULL;
	*size = memory->nodes[node].now.size;
	return memory->nodes[node].now.data;
}

void memory_world_put(struct memory_world *memory, const char *path, const void *data,
		      uint64_t size)
{
	int node = find(memory, path);

	if (data == NULL) {
		if (node >= 0)
			release(&memory->nodes[node]);
		return;
	}
	if (node < 0)
		node = make(memory, path);
	assert(node >= 0);
	struct node *file = &memory->nodes[node];

	free(file->synced_path);
	file->synced_path = copy_text(path);
	file->now.size = 0;
	resize(&file->now, size);
	memcpy(file->now.data, data, size);
	copy_bytes(&file->synced, &file->now);
}

const char *memory_world_name(struct memory_world *memory, size_t i)
{
	for (unsigned node = 0; node < FILES_MAX; node++)
		if (memory->nodes[node].used && memory->nodes[node].path != NULL && i-- == 0)
			return memory->nodes[node].path;
	return NULL;
}
