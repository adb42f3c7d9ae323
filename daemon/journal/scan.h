/*
 * Proves a journal directory: every header, every batch, every link, and that nothing HEAD knows of
 * is missing. Reads only. Recovery and verify are the same proof; what recovery does about the
 * result stands in recover.c.
 */
#ifndef TTGD_JOURNAL_SCAN_H
#define TTGD_JOURNAL_SCAN_H

#include "journal/crypto.h"
#include "journal/head.h"
#include "journal/segment.h"
#include "journal/window.h"

struct scan {
	/* Given. */
	const struct world *world;
	const char *directory;
	const uint8_t *key; /* NULL: checksums and chain only */
	struct message *message;
	void (*progress)(void *arg, uint64_t done_bytes, uint64_t all_bytes);
	void *progress_arg;

	/* Found. */
	struct format_head head;
	struct segment_list segments;
	uint64_t *leftovers; /* segments older than HEAD keeps: a retention that was cut short */
	size_t n_leftovers;
	uint64_t batches, records, bytes, torn_bytes;
	uint64_t last_sequence;
	uint8_t chain[JOURNAL_HASH_BYTES];

	/* Under way. */
	struct file_window window;
	struct crypto *crypto;
	uint8_t *scratch; /* decrypted bodies */
	size_t scratch_bytes;
	uint64_t done_bytes, all_bytes;
	bool head_reached;
};

/* TTG_ENOENT: there is no journal yet. Else TTG_OK or the damage, with file and offset. */
enum ttg_error scan_run(struct scan *scan);
void scan_fini(struct scan *scan);

/*
 * One batch at offset, proven against what must come before it: everything format.c demands, and
 * decryption when there is a key. TTG_ECORRUPT with a reason; TTG_EIO, TTG_ENOMEM.
 */
struct scan_place {
	struct segment *segment; /* number, sequence and chain expected next */
	uint64_t offset;
	uint64_t limit; /* nothing of the segment lies at or behind */
};
enum ttg_error scan_batch(struct scan *scan, const struct scan_place *place,
                          struct format_batch *batch, uint8_t chain[JOURNAL_HASH_BYTES],
                          const char **reason);

/*
 * tail.c: decides what the invalid bytes at place of the newest segment are. TTG_OK: the end, or a
 * torn write that nothing was acknowledged from (*used_bytes is where it ends). TTG_ECORRUPT:
 * damage.
 */
enum ttg_error tail_judge(struct scan *scan, const struct scan_place *place, uint64_t *used_bytes,
                          const char **reason);

#endif
