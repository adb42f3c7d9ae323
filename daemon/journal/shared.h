/*
 * Where loop and writer meet: two bounded buffers of staged records one way, a list of finished
 * batches the other, everything under one lock. Private to daemon/journal/.
 */
#ifndef TTGD_JOURNAL_SHARED_H
#define TTGD_JOURNAL_SHARED_H

#include <pthread.h>
#include "journal/segment.h"

/* Records of the next batch, or of the one under way. */
struct staging {
	uint8_t *data;
	uint32_t *offsets;
	size_t len;
	uint32_t count;
	uint64_t first_sequence;
};

/* One durable batch on its way from the writer to the loop. */
struct finished {
	struct finished *next;
	struct segment *segment; /* set when the batch is the first of a new segment */
	uint64_t previous_bytes; /* then: what the segment before was cut to, 0: as it was */
	uint64_t freed_bytes;    /* and how much shorter it became */
	struct format_batch batch;
	uint64_t offset;
	uint8_t chain[JOURNAL_HASH_BYTES];
	struct plain *plain; /* NULL when memory was short */
};

/* A segment that retention let go. */
struct removal {
	struct removal *next;
	uint64_t first_sequence;
	uint64_t file_bytes;
};

struct shared {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct staging buffers[2];
	unsigned fill; /* the buffer appends go to; the other is the writer's while `writing` */
	bool writing;
	bool flush_wanted;
	bool stop;

	uint64_t active_left; /* room in the active segment behind the batch under way */
	bool spare_ready;     /* a whole segment's room is allocated and waits */
	bool spare_wanted;    /* an append needs it now */
	bool spare_refused;   /* no room for it when last tried, at spare_tried_ns */
	int64_t spare_tried_ns;

	uint64_t disk_bytes; /* segments and the spare */
	uint64_t segments;
	struct finished *finished;
	struct finished **finished_end;
	struct removal *removals;
	struct removal **removals_end;
	uint64_t first_held;

	uint8_t chain[JOURNAL_HASH_BYTES];
	uint64_t batches, syncs, written_bytes, sync_ns_total, sync_ns_max;
	enum ttg_error failure;
	struct message failure_message;
};

#endif
