/* What the files of the outbox share: outbox.c (object), outbox_write.c,
   outbox_sector.c (bytes), outbox_mark.c (HEAD), outbox_recover.c. */
#ifndef TTG_CLIENT_OUTBOX_INTERNAL_H
#define TTG_CLIENT_OUTBOX_INTERNAL_H

#include <limits.h>
#include "client/outbox.h"

#define SECTOR_BYTES 512
#define SECTOR_DATA 500
#define BATCH_HEAD 8        /* length and number of records */
#define PUT_HEAD 29         /* kind, index, id, length */
#define DONE_RECORD 17      /* kind, first, count */
#define RECORD_PUT 1
#define RECORD_DONE 2
#define OUTBOX_VERSION 1
#define OUTBOX_MAX_SEGMENT_BYTES (64u * 1024 * 1024) /* no segment of ours is as long */
#define OUTBOX_PATH_BYTES PATH_MAX

enum sector_kind {
	SECTOR_ABSENT = 0, /* its trailer is zeros: never written, or not to its end */
	SECTOR_VALID = 1,
	SECTOR_DAMAGED = 2,
};

/* Outcome of reading a sector's trailer. */
struct sector {
	enum sector_kind kind;
	uint32_t batch, part;
};

struct outbox_segment {
	uint64_t number;
	uint64_t bytes;
	uint64_t first_index; /* of its first event; next_index when it has none */
	size_t open;          /* events in it that are not done */
};

/* An event found at opening. */
struct outbox_found {
	uint8_t id[16];
	uint32_t bytes;
	bool done;
	struct outbox_place place;
};

/* What HEAD says: segments from first_segment on, before end_segment, are there, and the newest of
   them has `bytes` bytes at least. None when both are the same. */
struct outbox_mark {
	uint64_t counter; /* of marks synced */
	uint64_t first_segment, end_segment;
	uint64_t bytes;
};

struct outbox {
	const struct world *world;
	char dir[OUTBOX_PATH_BYTES];
	size_t max_bytes, segment_bytes;
	int lock_file;
	int mark_file;          /* HEAD */
	struct outbox_mark mark; /* as last written or read */
	bool broken;            /* a write or sync failed: nothing is believed any more */

	struct outbox_segment *segments; /* oldest first */
	size_t n_segments, segment_capacity;
	int active_file;        /* of the newest segment; -1: the next batch begins a new one */
	int read_file;          /* of segment read_segment; -1: none */
	uint64_t read_segment;
	uint64_t total_bytes, refused_bytes;
	uint64_t next_segment, next_batch, next_index;

	uint64_t *done;         /* indexes to be noted with the next batch */
	size_t n_done, done_capacity;

	struct outbox_found *found; /* until outbox_each() */
	size_t n_found, found_capacity;
	uint64_t found_first;   /* index of found[0] */
};

/* Lays `len` bytes of data out in sectors; `out` has room for sectors_for(len). */
size_t sectors_for(size_t len);
void sector_write(uint8_t out[SECTOR_BYTES], const uint8_t *data, size_t len, uint32_t batch,
		  uint32_t part);
void sectors_write(uint8_t *out, const uint8_t *data, size_t len, uint64_t batch);
struct sector sector_read(const uint8_t *sector);

/* The head sector of a segment. */
void sector_write_head(uint8_t out[SECTOR_BYTES], uint64_t segment, uint64_t first_batch);
/* TTG_ECORRUPT, TTG_EVERSION. */
enum ttg_error sector_read_head(const uint8_t sector[SECTOR_BYTES], uint64_t *segment,
				uint64_t *first_batch);

/* A write or sync failed: from now on every call answers TTG_EIO, as this does. */
enum ttg_error outbox_break(struct outbox *outbox);
/* The segment being written, or the last that was. There must be one. */
struct outbox_segment *outbox_newest(struct outbox *outbox);
void outbox_close_file(const struct outbox *outbox, int *file);

/* Reads HEAD, or makes it where nothing is yet. TTG_ECORRUPT. */
enum ttg_error outbox_mark_open(struct outbox *outbox, bool has_segments, struct message *message);
/* A batch was synced: says so, without a sync of its own. */
enum ttg_error outbox_mark_batch(struct outbox *outbox);
/* The same with a sync, as if the oldest `removed` segments were gone. TTG_ENOSPC is harmless. */
enum ttg_error outbox_mark_sync(struct outbox *outbox, size_t removed);

/* "<dir>/<name>"; TTG_ELIMIT. */
enum ttg_error outbox_path(const struct outbox *outbox, const char *name,
			   char out[OUTBOX_PATH_BYTES]);
/* "<dir>/<number>.out" */
enum ttg_error outbox_segment_path(const struct outbox *outbox, uint64_t number,
				   char out[OUTBOX_PATH_BYTES]);
/* Reads what is in the directory, repairs a torn tail. */
enum ttg_error outbox_recover(struct outbox *outbox, struct message *message);
/* Appends to the list of segments; NULL without memory. */
struct outbox_segment *outbox_add_segment(struct outbox *outbox, uint64_t number);
/* Removes segments from the oldest on that hold nothing open. */
void outbox_trim(struct outbox *outbox, bool whole);

#endif
