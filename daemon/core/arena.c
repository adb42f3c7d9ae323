/*
 * The arena behind the decoder; see arena.h. Every piece has a header with its size in front and is
 * aligned for any type. Pieces that do not fit the kept block come from malloc and go at reset.
 */
#include "core/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>

struct header {
	alignas(max_align_t) size_t size;
};

struct arena_chunk {
	struct arena_chunk *older;
	struct header header; /* the piece follows */
};

static_assert(sizeof(struct header) % alignof(max_align_t) == 0, "pieces stay aligned");
static_assert(offsetof(struct arena_chunk, header) + sizeof(struct header) ==
		      sizeof(struct arena_chunk), "the piece follows its header");

static size_t round_up(size_t size)
{
	return (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
}

static void *take_overflow(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk;

	if (arena->overflow_bytes + size > ARENA_MAX)
		return NULL;
	chunk = malloc(sizeof(*chunk) + size);
	if (!chunk)
		return NULL;
	chunk->older = arena->overflow;
	chunk->header.size = size;
	arena->overflow = chunk;
	arena->overflow_bytes += sizeof(*chunk) + size;
	return chunk + 1;
}

static void *take(void *self, size_t size)
{
	struct arena *arena = self;
	size_t whole;
	struct header *header;

	if (size > ARENA_MAX)
		return NULL;
	whole = sizeof(struct header) + round_up(size);
	if (whole > ARENA_KEPT - arena->used)
		return take_overflow(arena, size);
	header = (void *)(arena->kept + arena->used);
	arena->used += whole;
	header->size = size;
	return header + 1;
}

/* All go together at reset. */
static void give_back(void *self, void *piece)
{
	(void)self;
	(void)piece;
}

bool arena_init(struct arena *arena)
{
	*arena = (struct arena){ .kept = malloc(ARENA_KEPT) };
	arena->allocator = (ProtobufCAllocator){ take, give_back, arena };
	return arena->kept;
}

void arena_reset(struct arena *arena)
{
	while (arena->overflow) {
		struct arena_chunk *chunk = arena->overflow;

		arena->overflow = chunk->older;
		free(chunk);
	}
	arena->overflow_bytes = 0;
	arena->used = 0;
}

void arena_fini(struct arena *arena)
{
	arena_reset(arena);
	free(arena->kept);
	arena->kept = NULL;
}

size_t arena_size(const void *piece)
{
	const struct header *header = piece;

	return header[-1].size;
}
