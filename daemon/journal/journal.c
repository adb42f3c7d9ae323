/*
 * The journal's front: opening and closing, staging of records, and what the loop asks about it.
 *
 * All of this runs on the loop. Nothing here waits for the disk while the writer has a thread of
 * its own; without one journal_flush() does the writer's work inline.
 *
 * Invariant: a record is only staged when its place on disk is already allocated, so that a full
 * disk is an answer to journal_append() and not the failure of a write.
 */
#include "journal/state.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/keyfile.h"
#include "base/secret.h"

#define SEGMENT_BYTES_MIN (64ull * 1024)
#define SEGMENT_BYTES_MAX (4ull * 1024 * 1024 * 1024)
#define BUFFER_BYTES_MIN  (16u * 1024)

static int64_t now_ns(const struct journal *journal)
{
	return journal->world->mono_ns(journal->world->self);
}

/* Whether a batch with this body has its place. Asks the writer for a spare when it has not. */
static enum ttg_error find_place(struct journal *journal, size_t body_bytes)
{
	struct shared *shared = &journal->shared;

	if (format_batch_bytes(body_bytes) <= shared->active_left || shared->spare_ready)
		return TTG_OK;
	if (shared->spare_refused && now_ns(journal) - shared->spare_tried_ns < JOURNAL_RETRY_NS)
		return TTG_ENOSPC;
	shared->spare_wanted = true;
	if (journal->has_thread) {
		pthread_cond_signal(&shared->work);
		return shared->spare_refused ? TTG_ENOSPC : TTG_EAGAIN;
	}
	while (writer_round(journal))
		;
	if (shared->failure != TTG_OK)
		return TTG_EIO;
	return shared->spare_ready ? TTG_OK : TTG_ENOSPC;
}

static void stage(struct journal *journal, const struct journal_record *records, size_t n)
{
	struct staging *staging = &journal->shared.buffers[journal->shared.fill];

	if (staging->count == 0)
		staging->first_sequence = journal->next_sequence;
	for (size_t i = 0; i < n; i++) {
		staging->offsets[staging->count++] = (uint32_t)staging->len;
		staging->len += format_record_encode(&records[i], staging->data + staging->len);
	}
	journal->next_sequence += n;
}

/* Upper bound of the bytes the records take in a batch; TTG_ELIMIT when they never fit. */
static enum ttg_error measure(const struct journal *journal, const struct journal_record *records,
                              size_t n, size_t *bytes)
{
	size_t total = 0;

	if (n == 0)
		return TTG_EINVAL;
	if (n > FORMAT_RECORDS_MAX)
		return TTG_ELIMIT;
	for (size_t i = 0; i < n; i++) {
		if (records[i].kind == 0)
			return TTG_EINVAL;
		if (records[i].len > JOURNAL_RECORD_MAX)
			return TTG_ELIMIT;
		total += records[i].len + FORMAT_RECORD_OVERHEAD;
	}
	*bytes = total;
	return total <= journal->stage_max ? TTG_OK : TTG_ELIMIT;
}

enum ttg_error journal_append(struct journal *journal, const struct journal_record *records,
                              size_t n, uint64_t *first)
{
	struct shared *shared = &journal->shared;
	struct staging *staging;
	size_t bytes = 0;
	enum ttg_error err;

	if (atomic_load_explicit(&journal->failed, memory_order_acquire))
		return TTG_EIO;
	err = measure(journal, records, n, &bytes);
	if (err != TTG_OK)
		return err;
	if (room_below_reserve(journal))
		return TTG_ENOSPC;
	journal_collect(journal);
	pthread_mutex_lock(&shared->lock);
	staging = &shared->buffers[shared->fill];
	if (staging->len + bytes > journal->stage_max || staging->count + n > FORMAT_RECORDS_MAX)
		err = TTG_EAGAIN;
	else
		err = find_place(journal, staging->len + bytes);
	if (err == TTG_OK) {
		*first = journal->next_sequence;
		stage(journal, records, n);
	}
	pthread_mutex_unlock(&shared->lock);
	return err;
}

enum ttg_error journal_flush(struct journal *journal)
{
	struct shared *shared = &journal->shared;
	enum ttg_error err;

	pthread_mutex_lock(&shared->lock);
	shared->flush_wanted = true;
	if (journal->has_thread) {
		pthread_cond_signal(&shared->work);
	} else {
		while (writer_round(journal))
			;
	}
	err = shared->failure != TTG_OK ? TTG_EIO : TTG_OK;
	pthread_mutex_unlock(&shared->lock);
	return err;
}

uint64_t journal_durable(const struct journal *journal)
{
	return atomic_load_explicit(&journal->durable, memory_order_acquire);
}

int journal_wake_fd(const struct journal *journal)
{
	return journal->wake_fd;
}

void journal_wake(struct journal *journal)
{
	(void)eventfd_write(journal->wake_fd, 1); /* full means it is readable already */
}

void journal_wake_clear(struct journal *journal)
{
	eventfd_t ignored;

	(void)eventfd_read(journal->wake_fd, &ignored);
}

enum ttg_error journal_failure(const struct journal *journal, struct message *message)
{
	const struct shared *shared = &journal->shared;

	if (!atomic_load_explicit(&journal->failed, memory_order_acquire))
		return TTG_OK;
	if (message != NULL) /* set once, before `failed` was */
		*message = shared->failure_message;
	return shared->failure;
}

void journal_get_stats(const struct journal *journal, struct journal_stats *out)
{
	struct journal *self = (struct journal *)(uintptr_t)journal; /* for its lock */
	struct shared *shared = &self->shared;

	pthread_mutex_lock(&shared->lock);
	out->first_sequence = journal->first_sequence;
	out->next_sequence = journal->next_sequence;
	out->durable_sequence = journal_durable(journal);
	out->segments = shared->segments;
	out->disk_bytes = shared->disk_bytes;
	out->batches = shared->batches;
	out->syncs = shared->syncs;
	out->written_bytes = shared->written_bytes;
	out->sync_ns_total = shared->sync_ns_total;
	out->sync_ns_max = shared->sync_ns_max;
	out->staged_bytes = shared->buffers[0].len + shared->buffers[1].len;
	pthread_mutex_unlock(&shared->lock);
}

void journal_chain_head(const struct journal *journal, uint8_t out[JOURNAL_HASH_BYTES])
{
	struct journal *self = (struct journal *)(uintptr_t)journal;

	pthread_mutex_lock(&self->shared.lock);
	memcpy(out, self->shared.chain, JOURNAL_HASH_BYTES);
	pthread_mutex_unlock(&self->shared.lock);
}

void journal_get_id(const struct journal *journal, uint8_t out[JOURNAL_ID_BYTES])
{
	memcpy(out, journal->journal_id, JOURNAL_ID_BYTES);
}

/* Takes one finished batch into the list of segments and the cache. */
static enum ttg_error take_over(struct journal *journal, struct finished *finished)
{
	struct segment *last = segment_list_last(&journal->segments);
	enum ttg_error err = TTG_OK;

	if (finished->segment != NULL) {
		if (last != NULL &&
		    last->header.first_sequence == finished->segment->header.first_sequence)
			segment_list_drop_last(&journal->segments); /* was empty, is replaced */
		else if (last != NULL && finished->previous_bytes != 0)
			last->file_bytes = finished->previous_bytes;
		err = segment_list_push(&journal->segments, finished->segment);
		finished->segment = NULL;
		if (err != TTG_OK)
			return err;
		last = segment_list_last(&journal->segments);
	}
	assert(last != NULL);
	(void)segment_add_batch(last, &finished->batch, finished->offset);
	memcpy(last->chain, finished->chain, JOURNAL_HASH_BYTES);
	if (finished->plain != NULL)
		cache_add(&journal->cache, finished->plain);
	finished->plain = NULL;
	return TTG_OK;
}

void journal_collect(struct journal *journal)
{
	struct shared *shared = &journal->shared;
	struct finished *finished;
	enum ttg_error err = TTG_OK;

	if (journal->collected == journal_durable(journal))
		return;
	pthread_mutex_lock(&shared->lock);
	finished = shared->finished;
	shared->finished = NULL;
	shared->finished_end = &shared->finished;
	pthread_mutex_unlock(&shared->lock);
	while (finished != NULL) {
		struct finished *next = finished->next;
		uint64_t last = finished->batch.first_sequence + finished->batch.records - 1;

		if (err == TTG_OK)
			err = take_over(journal, finished);
		if (err == TTG_OK)
			journal->collected = last;
		segment_free(&finished->segment);
		plain_drop(&finished->plain);
		free(finished);
		finished = next;
	}
	if (err != TTG_OK) {
		pthread_mutex_lock(&shared->lock);
		writer_fail(journal, err, "the index cannot grow", 0);
		pthread_mutex_unlock(&shared->lock);
	}
}

static bool find_staged(struct journal *journal, uint64_t sequence, struct journal_record *out)
{
	struct shared *shared = &journal->shared;
	bool found = false;

	pthread_mutex_lock(&shared->lock);
	for (unsigned i = 0; i < 2 && !found; i++) {
		struct staging *staging = &shared->buffers[i];
		struct plain view = { .first_sequence = staging->first_sequence,
			              .count = staging->count,
			              .len = staging->len,
			              .offsets = staging->offsets,
			              .data = staging->data };

		found = plain_get(&view, sequence, out);
	}
	pthread_mutex_unlock(&shared->lock);
	return found;
}

enum ttg_error journal_peek(struct journal *journal, uint64_t sequence, struct journal_record *out)
{
	const struct plain *cached;

	if (sequence < journal->first_sequence)
		return TTG_ENOENT;
	journal_collect(journal);
	if (sequence > journal->collected && find_staged(journal, sequence, out))
		return TTG_OK;
	/* It may have left the buffers for the cache between the two looks. */
	journal_collect(journal);
	cached = cache_find(&journal->cache, sequence);
	return cached != NULL && plain_get(cached, sequence, out) ? TTG_OK : TTG_EAGAIN;
}

static enum ttg_error check_options(const struct journal_options *options, struct message *message)
{
	if (options->directory == NULL || options->directory[0] == '\0' ||
	    strlen(options->directory) >= SEGMENT_DIRECTORY)
		return message_set(message, TTG_EINVAL,
		                   "journal: no directory, or its path is too long");
	if (options->segment_bytes < SEGMENT_BYTES_MIN ||
	    options->segment_bytes > SEGMENT_BYTES_MAX ||
	    options->segment_bytes % FORMAT_BLOCK != 0)
		return message_set(
		        message, TTG_EINVAL,
		        "journal: segment_bytes is a multiple of 4096 from 64 KiB to 4 GiB");
	if (options->max_bytes != 0 && options->max_bytes < 2 * options->segment_bytes)
		return message_set(message, TTG_EINVAL,
		                   "journal: max_bytes has room for two segments or is 0");
	if (options->buffer_bytes < BUFFER_BYTES_MIN)
		return message_set(message, TTG_EINVAL, "journal: buffer_bytes is at least 16 KiB");
	if (options->cipher != JOURNAL_AES_256_GCM && options->cipher != JOURNAL_CHACHA20_POLY1305)
		return message_set(message, TTG_EINVAL, "journal: cipher not known");
	return TTG_OK;
}

static size_t stage_limit(const struct journal_options *options)
{
	uint64_t segment = options->segment_bytes - FORMAT_BLOCK - format_batch_used(0);
	uint64_t limit = options->buffer_bytes / 2;

	if (limit > segment)
		limit = segment;
	return (size_t)(limit > FORMAT_BODY_MAX ? FORMAT_BODY_MAX : limit);
}

static enum ttg_error init_shared(struct shared *shared)
{
	pthread_condattr_t attributes;

	shared->finished_end = &shared->finished;
	shared->removals_end = &shared->removals;
	if (pthread_mutex_init(&shared->lock, NULL) != 0 || pthread_condattr_init(&attributes) != 0)
		return TTG_ENOMEM;
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	if (pthread_cond_init(&shared->work, &attributes) != 0)
		return TTG_ENOMEM;
	(void)pthread_condattr_destroy(&attributes);
	return TTG_OK;
}

static enum ttg_error init_buffers(struct journal *journal, struct message *message)
{
	for (unsigned i = 0; i < 2; i++) {
		struct staging *staging = &journal->shared.buffers[i];

		staging->data = malloc(journal->stage_max);
		staging->offsets = malloc(FORMAT_RECORDS_MAX * sizeof(uint32_t));
		if (staging->data == NULL || staging->offsets == NULL)
			return message_set(message, TTG_ENOMEM,
			                   "no memory for the journal's buffers");
	}
	journal->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (journal->wake_fd < 0)
		return message_set(message, TTG_ESYS, "journal: no event descriptor: %s",
		                   strerror(errno));
	return TTG_OK;
}

static enum ttg_error lock_directory(struct journal *journal, struct message *message)
{
	const struct world *world = journal->world;
	char path[SEGMENT_PATH];
	int result = world->mkdir(world->self, journal->directory);

	if (result < 0)
		return message_set(message, world_error(result), "%s: cannot be made: %s",
		                   journal->directory, strerror(-result));
	segment_path_named(path, journal->directory, LOCK_NAME);
	journal->lock_file = world->open(world->self, path, WORLD_CREATE);
	result = journal->lock_file < 0 ? journal->lock_file
	                                : world->lock(world->self, journal->lock_file);
	if (result == -EWOULDBLOCK)
		return message_set(message, TTG_ELOCKED, "%s: another process writes this journal",
		                   path);
	if (result < 0)
		return message_set(message, world_error(result), "%s: cannot be locked: %s", path,
		                   strerror(-result));
	return TTG_OK;
}

static enum ttg_error start(struct journal *journal, struct message *message)
{
	struct shared *shared = &journal->shared;
	enum ttg_error err;

	journal->started = true;
	pthread_mutex_lock(&shared->lock);
	while (writer_round(journal)) /* the first spare */
		;
	err = shared->failure;
	if (err != TTG_OK && message != NULL)
		*message = shared->failure_message;
	pthread_mutex_unlock(&shared->lock);
	if (err != TTG_OK || !journal->options.threaded)
		return err;
	int result = pthread_create(&journal->thread, NULL, writer_main, journal);
	if (result != 0)
		return message_set(message, TTG_ESYS, "journal: no thread: %s", strerror(result));
	journal->has_thread = true;
	return TTG_OK;
}

enum ttg_error journal_open(struct journal **out, const struct journal_options *options,
                            const struct world *world, struct message *message)
{
	enum ttg_error err = check_options(options, message);
	struct journal *journal;

	*out = NULL;
	if (err != TTG_OK)
		return err;
	journal = calloc(1, sizeof(*journal));
	if (journal == NULL || init_shared(&journal->shared) != TTG_OK) {
		free(journal);
		return message_set(message, TTG_ENOMEM, "no memory for the journal");
	}
	journal->world = world;
	journal->options = *options;
	wipe(journal->options.key, sizeof(journal->options.key));
	memcpy(journal->directory, options->directory, strlen(options->directory) + 1);
	journal->options.directory = journal->directory;
	journal->stage_max = stage_limit(options);
	journal->lock_file = journal->wake_fd = -1;
	journal->writer.file = journal->writer.spare = journal->writer.head_file = -1;
	journal->master = secret_new(JOURNAL_KEY_BYTES);
	if (journal->master == NULL)
		err = message_set(message, TTG_ENOMEM, "no memory for the journal's key");
	else
		memcpy(journal->master, options->key, JOURNAL_KEY_BYTES);
	if (err == TTG_OK)
		err = init_buffers(journal, message);
	if (err == TTG_OK)
		err = lock_directory(journal, message);
	if (err == TTG_OK)
		err = recover_run(journal, message);
	if (err == TTG_OK)
		err = start(journal, message);
	if (err != TTG_OK)
		journal_close(&journal);
	*out = journal;
	return err;
}

static void stop_writer(struct journal *journal)
{
	struct shared *shared = &journal->shared;

	pthread_mutex_lock(&shared->lock);
	shared->flush_wanted = true;
	shared->stop = true;
	if (journal->has_thread) {
		pthread_cond_signal(&shared->work);
		pthread_mutex_unlock(&shared->lock);
		(void)pthread_join(journal->thread, NULL);
		pthread_mutex_lock(&shared->lock);
	} else if (journal->started) {
		while (writer_round(journal))
			;
	}
	pthread_mutex_unlock(&shared->lock);
}

static void free_shared(struct shared *shared)
{
	while (shared->removals != NULL) {
		struct removal *next = shared->removals->next;

		free(shared->removals);
		shared->removals = next;
	}
	for (unsigned i = 0; i < 2; i++) {
		free(shared->buffers[i].data);
		free(shared->buffers[i].offsets);
	}
	(void)pthread_cond_destroy(&shared->work);
	(void)pthread_mutex_destroy(&shared->lock);
}

void journal_close(struct journal **journal_pointer)
{
	struct journal *journal = *journal_pointer;

	*journal_pointer = NULL;
	if (journal == NULL)
		return;
	stop_writer(journal);
	writer_fini(journal);
	journal_collect(journal);
	cache_clear(&journal->cache);
	segment_list_clear(&journal->segments);
	free(journal->early.data);
	if (journal->lock_file >= 0)
		(void)journal->world->close(journal->world->self, journal->lock_file);
	if (journal->wake_fd >= 0)
		(void)close(journal->wake_fd);
	free_shared(&journal->shared);
	secret_free(journal->master);
	free(journal);
}
