/*
 * Proves the segments of a journal by several threads. Each takes the next segment that nobody has;
 * a segment is proven against the headers of its neighbours only (prove.c), so none waits for
 * another. The caller's thread is one of them and would do it all alone: a thread that cannot be
 * started is not missed. Before it proves it does what else the start needs (scan->meanwhile): that
 * takes one processor, and the others prove in that time.
 *
 * What counts is the first damage in the order of segments, whoever finds it when. So damage stops
 * only those who are at later segments, and the answer is the same as with one thread.
 *
 * Owner: the caller of crew_run(). Threads share `next` and `bad`, which are atomic, the bytes done
 * under the lock, and each its own proof and segment; all of them are gone when it returns.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "journal/scan.h"

struct crew {
	struct scan *scan;
	struct proof *proofs; /* one for each segment */
	atomic_size_t next;   /* segment that nobody has taken */
	atomic_size_t bad;    /* first one known to be damaged; their number: none */
	pthread_mutex_t lock; /* of the bytes done */
	uint64_t done_bytes;
};

static bool moved(void *arg, size_t segment, uint64_t bytes)
{
	struct crew *crew = arg;
	struct scan *scan = crew->scan;

	if (scan->progress != NULL) {
		pthread_mutex_lock(&crew->lock);
		crew->done_bytes += bytes;
		scan->progress(scan->progress_arg, crew->done_bytes, scan->all_bytes);
		pthread_mutex_unlock(&crew->lock);
	}
	return segment < atomic_load(&crew->bad);
}

static void work(struct crew *crew, struct prover *prover)
{
	const struct segment_list *list = &crew->scan->segments;
	size_t number;

	prover->moved = moved;
	prover->moved_arg = crew;
	while ((number = atomic_fetch_add(&crew->next, 1)) < list->count) {
		size_t bad = atomic_load(&crew->bad);

		if (number > bad)
			break;
		prove_segment(prover, list, number, &crew->proofs[number]);
		if (crew->proofs[number].err == TTG_OK)
			continue;
		while (number < bad && !atomic_compare_exchange_weak(&crew->bad, &bad, number))
			;
	}
}

static void *helper_main(void *arg)
{
	struct crew *crew = arg;
	const struct scan *scan = crew->scan;
	struct prover prover = {
		.world = scan->world,
		.directory = scan->directory,
		.key = scan->key,
		.head = &scan->head,
	};

	if (prover_init(&prover) == TTG_OK)
		work(crew, &prover);
	prover_fini(&prover);
	return NULL;
}

/* What all found, in order, up to the first damage. */
static enum ttg_error gather(const struct crew *crew)
{
	struct scan *scan = crew->scan;

	for (size_t i = 0; i < scan->segments.count; i++) {
		const struct proof *proof = &crew->proofs[i];

		scan->bytes += scan->segments.items[i]->file_bytes;
		scan->batches += proof->batches;
		scan->records += proof->records;
		scan->torn_bytes = proof->torn_bytes;
		if (proof->err != TTG_OK) {
			if (scan->message != NULL)
				*scan->message = proof->message;
			return proof->err;
		}
	}
	return TTG_OK;
}

enum ttg_error crew_run(struct scan *scan)
{
	struct crew crew = { .scan = scan, .bad = scan->segments.count };
	size_t wanted = scan->threads < JOURNAL_THREADS_MAX ? scan->threads : JOURNAL_THREADS_MAX;
	pthread_t helpers[JOURNAL_THREADS_MAX];
	size_t n = 0;
	enum ttg_error err;

	if (scan->segments.count == 0)
		return TTG_OK;
	crew.proofs = calloc(scan->segments.count, sizeof(*crew.proofs));
	if (crew.proofs == NULL || pthread_mutex_init(&crew.lock, NULL) != 0) {
		free(crew.proofs);
		return message_set(scan->message, TTG_ENOMEM, "no memory to prove the journal");
	}
	for (size_t i = 0; i < scan->segments.count; i++)
		crew.proofs[i].err = TTG_ECLOSED; /* nobody looked at it */
	if (wanted > scan->segments.count)
		wanted = scan->segments.count;
	while (n + 1 < wanted && pthread_create(&helpers[n], NULL, helper_main, &crew) == 0)
		n++;
	if (scan->meanwhile != NULL)
		scan->meanwhile(scan->meanwhile_arg, &scan->head);
	work(&crew, &scan->prover);
	while (n > 0)
		(void)pthread_join(helpers[--n], NULL);
	err = gather(&crew);
	(void)pthread_mutex_destroy(&crew.lock);
	free(crew.proofs);
	return err;
}
