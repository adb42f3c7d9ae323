/*
 * Memory for one decoded message: taken from the front, given back all at once. It bounds what
 * hostile bytes can make the decoder allocate.
 *
 * Owner: one thread.
 */
#ifndef TTG_BASE_ARENA_H
#define TTG_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <protobuf-c/protobuf-c.h>

#define ARENA_KEPT (256u * 1024u)               /* stays allocated between messages */
#define ARENA_CLIENT_MAX (16u * 1024u * 1024u)  /* behind that, for one frame of a client */
#define ARENA_BROKER_MAX (128u * 1024u * 1024u) /* for one of a broker, 8 MiB encoded */

struct arena_block;

struct arena {
	uint8_t *kept;
	uint8_t *at;                /* the next piece comes from here */
	size_t left;                /* bytes there */
	struct arena_block *blocks; /* what did not fit what is kept, newest first */
	size_t blocks_bytes, most_bytes;
	ProtobufCAllocator allocator; /* hands out from this arena */
};

/*
 * most_bytes: one message cannot take more than that and what is kept; then decoding fails. False
 * without memory. The arena must not move afterwards: the allocator points to it.
 */
bool arena_init(struct arena *arena, size_t most_bytes);
void arena_fini(struct arena *arena);
void arena_reset(struct arena *arena);

#endif
