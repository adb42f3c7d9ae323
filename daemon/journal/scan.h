/*
 * Proves a journal directory: every header, every batch, every link, and that nothing HEAD knows of
 * is missing. Reads only. Recovery and verify are the same proof; what recovery does about the
 * result stands in recover.c.
 */
#ifndef TTGD_JOURNAL_SCAN_H
#define TTGD_JOURNAL_SCAN_H

#include "journal/head.h"
#include "journal/prove.h"

struct scan {
	/* Given. */
	const struct world *world; /* its files may be read by several threads when threads > 1 */
	const char *directory;
	const uint8_t *key; /* NULL: checksums and chain only */
	unsigned threads;   /* that prove, at most; the caller's is one of them. 0 is 1 */
	struct message *message;
	/* By one thread at a time, not always the caller's. */
	void (*progress)(void *arg, uint64_t done_bytes, uint64_t all_bytes);
	void *progress_arg;
	bool (*seen)(void *arg, const struct journal_batch *batch); /* as a prover's; threads is 1 */
	void *seen_arg;
	/* NULL, or called once by the caller's thread, while others prove, if there are segments. */
	void (*meanwhile)(void *arg, const struct format_head *head);
	void *meanwhile_arg;

	/* Found. */
	struct format_head head;
	struct segment_list segments;
	uint64_t *leftovers; /* segments older than HEAD keeps: a retention that was cut short */
	size_t n_leftovers;
	uint64_t batches, records, bytes, torn_bytes;
	uint64_t last_sequence;
	uint8_t chain[JOURNAL_HASH_BYTES];

	/* Under way. */
	struct prover prover; /* the caller's own */
	uint64_t all_bytes;
};

/* TTG_ENOENT: there is no journal yet. Else TTG_OK or the damage, with file and offset. */
enum ttg_error scan_run(struct scan *scan);
void scan_fini(struct scan *scan);

/*
 * crew.c: proves the segments of scan->segments, several at a time. What it answers and finds is what
 * one thread would have found going through them in order.
 */
enum ttg_error crew_run(struct scan *scan);

#endif
