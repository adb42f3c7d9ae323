/*
 * Memory for one decoded event: taken from the front, given back all at once. It bounds what a
 * hostile event can make the decoder allocate, and remembers the size of every piece, which tells
 * a string that hides a NUL byte from one that does not.
 *
 * Owner: the loop thread.
 */
#ifndef TTGD_CORE_ARENA_H
#define TTGD_CORE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <protobuf-c/protobuf-c.h>

#define ARENA_KEPT (256u * 1024u)         /* stays allocated between events */
#define ARENA_MAX (16u * 1024u * 1024u)   /* one event cannot take more; then decoding fails */

struct arena_chunk;

struct arena {
	uint8_t *kept;
	size_t used;                  /* of kept */
	struct arena_chunk *overflow; /* single pieces that did not fit, newest first */
	size_t overflow_bytes;
	ProtobufCAllocator allocator; /* hands out from this arena */
};

/* False without memory. The arena must not move afterwards: the allocator points to it. */
bool arena_init(struct arena *arena);
void arena_fini(struct arena *arena);
void arena_reset(struct arena *arena);
/* Size that was asked for this piece. It must come from this arena since the last reset. */
size_t arena_size(const void *piece);

#endif
