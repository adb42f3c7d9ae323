/*
 * Proof of a journal without opening it: the same scan as recovery, from outside, also while a
 * broker writes. A running one changes underneath: segments are cut, made and removed. Every such
 * step writes HEAD, so damage found while HEAD moved is looked at once more; damage that is still
 * there when HEAD stood still is damage.
 *
 * Any thread, any process. Writes nothing and takes no lock.
 */
#include "journal/scan.h"

#include <sched.h>
#include <string.h>

#define ATTEMPTS_MAX 8

static bool head_moved(const struct scan *scan)
{
	struct format_head now;

	return head_load(scan->world, scan->directory, &now, NULL) == TTG_OK &&
	       now.counter != scan->head.counter;
}

static void fill(const struct scan *scan, struct journal_verify_result *out)
{
	out->segments = scan->segments.count;
	out->batches = scan->batches;
	out->records = scan->records;
	out->bytes = scan->bytes;
	out->first_sequence =
	        scan->segments.count > 0 ? scan->segments.items[0]->header.first_sequence : 1;
	out->last_sequence = scan->last_sequence;
	out->torn_bytes = scan->torn_bytes;
	memcpy(out->chain_head, scan->chain, JOURNAL_HASH_BYTES);
}

unsigned journal_processors(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	if (n < 1)
		n = 1;
	return (unsigned)n < JOURNAL_THREADS_MAX ? (unsigned)n : JOURNAL_THREADS_MAX;
}

static enum ttg_error prove(const struct scan *how, struct journal_verify_result *out,
                            struct message *message)
{
	enum ttg_error err = TTG_ECORRUPT;

	memset(out, 0, sizeof(*out));
	if (strlen(how->directory) >= SEGMENT_DIRECTORY)
		return message_set(message, TTG_EINVAL, "journal: path is too long");
	for (unsigned attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
		struct scan scan = *how;
		bool again;

		scan.message = message;
		if (scan.seen != NULL)
			(void)scan.seen(scan.seen_arg, NULL);
		err = scan_run(&scan);
		fill(&scan, out);
		again = (err == TTG_ECORRUPT || err == TTG_ENOENT) && head_moved(&scan);
		scan_fini(&scan);
		if (!again)
			break;
	}
	return err;
}

enum ttg_error journal_verify(const char *directory, const uint8_t *key, const struct world *world,
                              unsigned threads,
                              void (*progress)(void *arg, uint64_t done_bytes, uint64_t all_bytes),
                              void *arg, struct journal_verify_result *out, struct message *message)
{
	const struct scan how = {
		.world = world,
		.directory = directory,
		.key = key,
		.threads = threads,
		.progress = progress,
		.progress_arg = arg,
	};

	return prove(&how, out, message);
}

enum ttg_error journal_walk(const char *directory, const uint8_t *key, const struct world *world,
                            const struct journal_walker *walker, struct journal_verify_result *out,
                            struct message *message)
{
	const struct scan how = {
		.world = world,
		.directory = directory,
		.key = key,
		.threads = 1,
		.progress = walker->progress,
		.progress_arg = walker->arg,
		.seen = walker->seen,
		.seen_arg = walker->arg,
	};

	return prove(&how, out, message);
}

bool journal_batch_next(const struct journal_batch *batch, size_t *at, struct journal_record *out)
{
	return *at < batch->body_bytes &&
	       format_record_decode(batch->body, batch->body_bytes, at, out);
}
