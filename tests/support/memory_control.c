/*
 * The test's side of memory_world: making, killing and crashing it, faults, bytes of files.
 */
#include "support/memory_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct memory_world *memory_world_new(uint64_t seed)
{
	struct memory_world *memory = calloc(1, sizeof(*memory));

	assert(memory != NULL);
	pthread_mutex_init(&memory->lock, NULL);
	memory->random = seed;
	memory->clock_ns = 1000000000;
	memory->free_bytes = INT64_MAX;
	memory_table_fill(memory);
	return memory;
}

void memory_world_free(struct memory_world **memory)
{
	if (*memory == NULL)
		return;
	for (unsigned i = 0; i < (*memory)->n_nodes; i++)
		if ((*memory)->nodes[i].used)
			memory_node_release(&(*memory)->nodes[i]);
	pthread_mutex_destroy(&(*memory)->lock);
	free((*memory)->nodes);
	free((*memory)->handles);
	free(*memory);
	*memory = NULL;
}

const struct world *memory_world_table(struct memory_world *memory)
{
	return &memory->table;
}

struct memory_world *memory_world_clone(struct memory_world *memory)
{
	struct memory_world *clone = memory_world_new(memory_random_next(memory));

	for (unsigned i = 0; i < memory->n_nodes; i++) {
		const struct node *from = &memory->nodes[i];

		if (!from->used || from->path == NULL)
			continue;
		const int index = memory_node_make(clone, from->path);
		struct node *to = &clone->nodes[index];
		to->synced_path = memory_text_copy(from->path);
		memory_bytes_copy(&to->now, &from->now);
		to->clean = true;
	}
	clone->clock_ns = memory->clock_ns;
	return clone;
}

void memory_world_kill(struct memory_world *memory)
{
	(void)memory_enter(memory);
	memory->dead = true;
	memory_leave(memory);
}

/* Sector by sector: the written bytes or the synced ones. */
static void settle(struct memory_world *memory, struct node *node, enum memory_crash how)
{
	struct bytes result = { 0 };

	memory_node_touch(node);
	bool keep_size = how != MEMORY_CRASH_LOSE && (memory_random_next(memory) & 1) != 0;

	memory_bytes_resize(&result, keep_size ? node->now.size : node->synced.size);
	for (uint64_t at = 0; at < result.size; at += SECTOR) {
		bool keep = how != MEMORY_CRASH_LOSE && (memory_random_next(memory) & 1) != 0;
		const struct bytes *from = keep ? &node->now : &node->synced;
		uint64_t end = at + SECTOR < result.size ? at + SECTOR : result.size;

		if (end > from->size)
			end = from->size;
		if (at < end)
			memcpy(result.data + at, from->data + at, end - at);
	}
	memory_bytes_copy(&node->now, &result);
	node->clean = true;
	free(result.data);
}

void memory_world_crash(struct memory_world *memory, enum memory_crash how)
{
	(void)memory_enter(memory);
	bool keep_names = how == MEMORY_CRASH_RANDOM && (memory_random_next(memory) & 1) != 0;

	memory->dead = false;
	for (int i = 0; i < memory->n_handles; i++)
		memory->handles[i] = -1;
	memory->n_handles = 0;
	for (unsigned i = 0; i < memory->n_nodes; i++) {
		struct node *node = &memory->nodes[i];

		if (!node->used)
			continue;
		node->locked_by = -1;
		memory_node_collect(memory, (int)i);
		if (how == MEMORY_CRASH_PROCESS || !node->used)
			continue; /* still unsynced: the next crash may take it */
		settle(memory, node, how);
		char **lost = keep_names ? &node->synced_path : &node->path;
		const char *kept = keep_names ? node->path : node->synced_path;
		char *copy = memory_text_copy(kept);

		free(*lost);
		*lost = copy;
		memory_node_collect(memory, (int)i);
	}
	for (unsigned i = 0; i < MEMORY_CALLS; i++)
		memory->faults[i].armed = false;
	memory_leave(memory);
}

void memory_world_fail(struct memory_world *memory, enum memory_call call, uint64_t after,
                       int errno_value, bool forever)
{
	(void)memory_enter(memory);
	memory->faults[call].fail_at = memory->faults[call].calls + after;
	memory->faults[call].errno_value = errno_value;
	memory->faults[call].forever = forever;
	memory->faults[call].armed = true;
	memory_leave(memory);
}

uint64_t memory_world_calls(struct memory_world *memory, enum memory_call call)
{
	(void)memory_enter(memory);
	uint64_t calls = memory->faults[call].calls;

	memory_leave(memory);
	return calls;
}

void memory_world_set_free(struct memory_world *memory, uint64_t bytes)
{
	(void)memory_enter(memory);
	memory->free_bytes = bytes;
	memory_leave(memory);
}

void memory_world_advance(struct memory_world *memory, int64_t ns)
{
	(void)memory_enter(memory);
	memory->clock_ns += ns;
	memory_leave(memory);
}

uint64_t memory_world_changes(struct memory_world *memory)
{
	return memory->changes;
}

struct memory_moment memory_world_moment(struct memory_world *memory)
{
	return (struct memory_moment){ memory->clock_ns, memory->random, memory->changes };
}

bool memory_world_go_back(struct memory_world *memory, const struct memory_moment *moment)
{
	if (memory->changes != moment->changes)
		return false;
	memory->clock_ns = moment->clock_ns;
	memory->random = moment->random;
	while (memory->n_handles > 0 && memory->handles[memory->n_handles - 1] < 0)
		memory->n_handles--;
	return true;
}

uint8_t *memory_world_file(struct memory_world *memory, const char *path, uint64_t *size)
{
	int node = memory_node_find(memory, path);

	if (node < 0)
		return NULL;
	*size = memory->nodes[node].now.size;
	return memory->nodes[node].now.data;
}

void memory_world_put(struct memory_world *memory, const char *path, const void *data,
                      uint64_t size)
{
	int node = memory_node_find(memory, path);

	if (data == NULL) {
		if (node >= 0)
			memory_node_release(&memory->nodes[node]);
		return;
	}
	if (node < 0)
		node = memory_node_make(memory, path);
	assert(node >= 0);
	struct node *file = &memory->nodes[node];

	free(file->synced_path);
	file->synced_path = memory_text_copy(path);
	file->now.size = 0;
	memory_bytes_resize(&file->now, size);
	if (size > 0)
		memcpy(file->now.data, data, size);
	file->clean = true;
}

const char *memory_world_name(struct memory_world *memory, size_t i)
{
	for (unsigned node = 0; node < memory->n_nodes; node++)
		if (memory->nodes[node].used && memory->nodes[node].path != NULL && i-- == 0)
			return memory->nodes[node].path;
	return NULL;
}
