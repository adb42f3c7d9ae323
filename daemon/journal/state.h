/*
 * The open journal: which thread may touch what.
 *
 *   loop     segments, cache, first_sequence, next_sequence, collected: without the lock
 *   writer   everything in struct writer: without the lock (the loop's thread when not threaded)
 *   both     struct shared, under its lock; durable and failed are atomic
 *
 * Private to daemon/journal/.
 */
#ifndef TTGD_JOURNAL_STATE_H
#define TTGD_JOURNAL_STATE_H

#include <stdatomic.h>
#include "journal/crypto.h"
#include "journal/head.h"
#include "journal/shared.h"

#define JOURNAL_CACHE_BYTES   (8u * 1024u * 1024u) /* plaintext of the newest durable batches */
#define JOURNAL_CACHE_BATCHES 4096u
#define JOURNAL_IDLE_NS       50000000  /* without work for so long: HEAD is brought up to date */
#define JOURNAL_RETRY_NS      100000000 /* between looks at a disk that was full */
#define SPARE_NAME            "spare.ttj"
#define LOCK_NAME             "LOCK"

struct writer {
	struct crypto *crypto;
	uint8_t *out; /* one encoded batch, aligned to a block */
	int file;     /* active segment, -1 before the first batch since open */
	uint64_t offset;
	uint32_t next_number;
	struct format_segment header; /* of the active segment */
	uint8_t *key; /* of the active segment; a secret (base/secret.h) */
	int spare;
	int head_file;
	struct format_head head; /* as it stands on disk */
	uint64_t epoch;
	uint64_t sequence;       /* last durable */
	struct format_link link; /* end of what is durable: the active segment's, or recovered */
	uint64_t recovered_used; /* file == -1: how far to cut the recovered segment; 0: do not */
	uint64_t recovered_bytes; /* and how long it is */
	uint64_t replaced_bytes; /* file == -1: size of an empty segment that the next one replaces
	                          */
};

struct cache {
	struct plain *items[JOURNAL_CACHE_BATCHES];
	unsigned first, count;
	size_t bytes;
};

struct journal {
	const struct world *world;
	struct journal_options options; /* but for the key */
	uint8_t *master;                /* which is a secret */
	unsigned backups; /* under way: nothing is retained away */
	char directory[SEGMENT_DIRECTORY];
	size_t stage_max; /* bytes of records in one batch */
	int lock_file;
	int wake_fd;
	pthread_t thread;
	bool has_thread;
	bool started; /* recovered: the writer may write */

	_Atomic uint64_t durable;
	atomic_bool failed;
	struct shared shared;
	struct writer writer;

	struct segment_list segments;
	struct cache cache;
	uint64_t first_sequence;
	uint64_t next_sequence;
	uint64_t collected; /* batches up to here were taken over from the writer */
	uint64_t free_bytes;
	int64_t free_asked_ns;
	bool free_known;
	uint8_t journal_id[FORMAT_ID];
	struct {
		uint64_t sequence;
		uint8_t *data; /* NULL: there is none */
		size_t len;
	} early; /* snapshot read while opening, until it is asked for; loop */
};

/* writer.c. All but writer_init/fini are called with the lock held and return with it held. */
enum ttg_error writer_init(struct journal *journal, struct message *message);
void writer_fini(struct journal *journal);  /* brings HEAD up to date and cuts the segment */
bool writer_round(struct journal *journal); /* one piece of work; false: there is none */
void *writer_main(void *journal);
void writer_fail(struct journal *journal, enum ttg_error code, const char *what, int result);

/* rotate.c: called by the writer without the lock; 0 or -errno. */
int rotate_make_spare(struct journal *journal, bool *refused);
int rotate_start(struct journal *journal, struct finished *finished);
int rotate_remove(struct journal *journal, struct removal *removals, uint64_t first_held);
int rotate_mark(struct journal *journal, bool closed); /* HEAD, synced */
int rotate_note(struct journal *journal);              /* HEAD, not synced */

/* cut.c: 0 or -errno of the sync; *cut: the file is shorter now, for good. */
int cut_file(const struct world *world, int file, uint64_t bytes, bool *cut);
/* Cuts what a crash left at full size; HEAD says "closed" when the newest one is to be cut. */
bool cut_newest_wanted(const struct segment *newest);
enum ttg_error cut_found(struct journal *journal, struct message *message);

/* journal.c */
void journal_wake(struct journal *journal);
void journal_collect(struct journal *journal); /* takes finished batches over; loop */

/* room.c: loop. Asks the file system at most each JOURNAL_RETRY_NS. */
bool room_below_reserve(struct journal *journal);

/* cache.c: loop. */
void cache_add(struct cache *cache, struct plain *take_plain);
struct plain *cache_find(const struct cache *cache, uint64_t sequence);
void cache_clear(struct cache *cache);

/* snapshot.c: reads the newest for options.early, under this HEAD; keeps it if it is whole. */
void snapshot_read_early(struct journal *journal, const struct format_head *head);

/* recover.c: proves the directory, makes a new one, fills segments and writer. */
enum ttg_error recover_run(struct journal *journal, struct message *message);

#endif
