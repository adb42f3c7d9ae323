/*
 * Inside of memory_world: its state and the helpers its two files share. Everything but
 * memory_enter() wants the lock held.
 */
#ifndef TTG_TESTS_MEMORY_PRIVATE_H
#define TTG_TESTS_MEMORY_PRIVATE_H

#include <pthread.h>
#include "support/memory_world.h"

#define SECTOR      512u
#define FILES_MAX   512u
#define HANDLES_MAX 65536u
#define HANDLES_STEP 64
#define NODES_STEP  16u

struct bytes {
	uint8_t *data;
	uint64_t size;
	uint64_t capacity;
};

struct node {
	struct bytes now, synced;
	bool clean;        /* the synced bytes are those of now, and not kept twice */
	char *path;        /* NULL: has no name now */
	char *synced_path; /* NULL: has no durable name */
	bool used;
	int locked_by; /* handle, -1 */
};

struct memory_world {
	struct world table;
	pthread_mutex_t lock;
	struct node *nodes;
	unsigned n_nodes, room_nodes;
	int *handles;      /* node, -1 when closed */
	int n_handles, room_handles;
	bool dead;
	uint64_t changes;
	uint64_t random;
	int64_t clock_ns;
	uint64_t free_bytes;
	struct {
		uint64_t calls, fail_at;
		int errno_value;
		bool armed, forever;
	} faults[MEMORY_CALLS];
};

uint64_t memory_random_next(struct memory_world *memory);
void memory_bytes_resize(struct bytes *bytes, uint64_t size);
void memory_bytes_copy(struct bytes *to, const struct bytes *from);
/* Before the first change after a sync. */
void memory_node_touch(struct node *node);
char *memory_text_copy(const char *text);
void memory_node_release(struct node *node);
int memory_node_find(const struct memory_world *memory, const char *path);
int memory_node_make(struct memory_world *memory, const char *path);
void memory_node_collect(struct memory_world *memory, int index);
struct memory_world *memory_enter(void *self);
void memory_leave(struct memory_world *memory);

/* Fills the table of a new world. memory_world.c */
void memory_table_fill(struct memory_world *memory);

#endif
