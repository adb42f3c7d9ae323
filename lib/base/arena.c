/*
 * The arena behind the decoder; see arena.h. Every piece is aligned for any type. What the kept block
 * has no room for goes into further blocks, a large piece into one of its own; they go at reset.
 */
#include "base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>

#define LARGE (ARENA_KEPT / 8)

struct arena_block {
	alignas(max_align_t) struct arena_block *older; /* the pieces follow */
};

static_assert(sizeof(struct arena_block) % alignof(max_align_t) == 0, "pieces stay aligned");

static size_t round_up(size_t size)
{
	return (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
}

/* Room of a new block; NULL without memory, or when it would be more than one message may take. */
static uint8_t *add_block(struct arena *arena, size_t room)
{
	size_t whole = sizeof(struct arena_block) + room;
	struct arena_block *block;

	if (whole > arena->most_bytes - arena->blocks_bytes)
		return NULL;
	block = malloc(whole);
	if (!block)
		return NULL;
	block->older = arena->blocks;
	arena->blocks = block;
	arena->blocks_bytes += whole;
	return (uint8_t *)(block + 1);
}

static void *take(void *self, size_t size)
{
	struct arena *arena = self;
	size_t whole;
	uint8_t *at;

	if (size > arena->most_bytes)
		return NULL;
	whole = round_up(size);
	if (whole > arena->left) {
		at = add_block(arena, whole > LARGE ? whole : ARENA_KEPT);
		if (!at || whole > LARGE)
			return at;
		arena->at = at;
		arena->left = ARENA_KEPT;
	}
	at = arena->at;
	arena->at += whole;
	arena->left -= whole;
	return at;
}

/* All go together at reset. */
static void give_back(void *self, void *piece)
{
	(void)self;
	(void)piece;
}

bool arena_init(struct arena *arena, size_t most_bytes)
{
	*arena = (struct arena){ .kept = malloc(ARENA_KEPT), .most_bytes = most_bytes };
	arena->allocator = (ProtobufCAllocator){ take, give_back, arena };
	arena_reset(arena);
	return arena->kept;
}

void arena_reset(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *block = arena->blocks;

		arena->blocks = block->older;
		free(block);
	}
	arena->blocks_bytes = 0;
	arena->at = arena->kept;
	arena->left = arena->kept ? ARENA_KEPT : 0;
}

void arena_fini(struct arena *arena)
{
	arena_reset(arena);
	free(arena->kept);
	arena->kept = NULL;
	arena->left = 0;
}
