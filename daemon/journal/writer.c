/*
 * The writer: takes what was staged, encrypts, chains, writes and syncs it, batch after batch.
 *
 * Group commit without a timer: while one batch is under way appends fill the other buffer; when it
 * is down and a flush was asked for, that buffer goes next. One batch is one write and one sync,
 * and the next write begins only after that sync: so at most one batch can ever be torn.
 *
 * Order of work: batches first, then a spare segment, then files that retention let go; when
 * nothing came for JOURNAL_IDLE_NS, HEAD is brought up to date. Where a batch goes (rest of the
 * active segment or the spare) is fixed when it is taken, and appends were only let in while it
 * fits.
 *
 * Fail-stop: the first failed call sets shared.failure; from then on nothing is written, synced or
 * reported durable. Bytes of the failed write may or may not be found at the next open.
 */
#include "journal/state.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/crc32c.h"
#include "base/secret.h"
#include "base/planted.h"

void writer_fail(struct journal *journal, enum ttg_error code, const char *what, int result)
{
	struct shared *shared = &journal->shared;

	if (shared->failure == TTG_OK) {
		shared->failure = code;
		(void)message_set(&shared->failure_message, code, "journal: %s: %s", what,
		                  result < 0 ? strerror(-result) : ttg_error_text(code));
		atomic_store_explicit(&journal->failed, true, memory_order_release);
	}
	journal_wake(journal);
}

static int sync_timed(struct journal *journal, int file, uint64_t *ns)
{
	const struct world *world = journal->world;
	int64_t begin = world->mono_ns(world->self);
	int result = world->sync(world->self, file);
	int64_t end = world->mono_ns(world->self);

	*ns = end > begin ? (uint64_t)(end - begin) : 0;
	return result;
}

/* Encodes the batch into writer->out; see format.c for the layout. */
static enum ttg_error encode(struct journal *journal, const struct staging *staging,
                             struct finished *finished)
{
	struct writer *writer = &journal->writer;
	struct format_batch *batch = &finished->batch;
	uint8_t *body = writer->out + FORMAT_BATCH_HEADER;
	uint8_t *trailer = body + staging->len + FORMAT_TAG;
	uint64_t bytes = format_batch_bytes(staging->len);
	struct crypto_unit unit = { writer->header.cipher, writer->key, writer->next_number,
		                    writer->out, FORMAT_BATCH_HEADER };
	enum ttg_error err;

	batch->segment_tag = format_segment_tag(&writer->header);
	batch->number = writer->next_number;
	batch->records = staging->count;
	batch->first_sequence = staging->first_sequence;
	batch->written_ns = journal->world->real_ns(journal->world->self);
	batch->body_bytes = (uint32_t)staging->len;
	format_batch_encode(batch, writer->out);
	err = crypto_seal(writer->crypto, &unit, staging->data, staging->len, body);
	if (err != TTG_OK)
		return err;
	err = crypto_hash(writer->crypto, writer->link.chain, JOURNAL_HASH_BYTES, writer->out,
	                  (size_t)(trailer - writer->out), trailer);
	if (err != TTG_OK)
		return err;
	memcpy(finished->chain, trailer, JOURNAL_HASH_BYTES);
	format_put_u32(trailer + JOURNAL_HASH_BYTES,
	               crc32c(0, body, staging->len + FORMAT_TAG + JOURNAL_HASH_BYTES));
	memset(trailer + FORMAT_BATCH_TRAILER, FORMAT_PADDING,
	       bytes - format_batch_used(staging->len));
	return TTG_OK;
}

/* Without the lock. On TTG_OK the batch is durable. */
static enum ttg_error write_batch(struct journal *journal, const struct staging *staging,
                                  struct finished *finished, const char **what, int *result,
                                  uint64_t *sync_ns)
{
	struct writer *writer = &journal->writer;
	uint64_t bytes = format_batch_bytes(staging->len);
	enum ttg_error err;

	*what = "a new segment cannot be started";
	if (finished->segment != NULL) {
		*result = rotate_start(journal, finished);
		if (*result < 0)
			return TTG_EIO;
		finished->segment->header = writer->header;
		finished->segment->file_bytes = writer->header.allocated_bytes;
		finished->segment->last_sequence = writer->sequence;
	}
	*what = "a batch cannot be encrypted";
	err = encode(journal, staging, finished);
	if (err != TTG_OK)
		return err;
	*what = "writing a batch failed";
	*result = world_write_all(journal->world, writer->file, writer->out, bytes, writer->offset);
	if (*result < 0)
		return TTG_EIO;
	*what = "syncing a batch failed";
	*result = PLANTED(SKIP_SYNC) ? 0 : sync_timed(journal, writer->file, sync_ns);
	if (*result < 0 && !PLANTED(IGNORE_SYNC_FAILURE))
		return TTG_EIO;
	finished->offset = writer->offset;
	writer->offset += bytes;
	writer->next_number++;
	writer->sequence += staging->count;
	writer->link.end = writer->offset;
	memcpy(writer->link.chain, finished->chain, JOURNAL_HASH_BYTES);
	*what = "HEAD cannot be written";
	*result = rotate_note(journal);
	return *result < 0 ? TTG_EIO : TTG_OK;
}

static void free_finished(struct finished *finished)
{
	segment_free(&finished->segment);
	plain_drop(&finished->plain);
	free(finished);
}

/* Fixes where the batch goes, and takes what its report will need. NULL: no memory. */
static struct finished *place_batch(struct journal *journal, const struct staging *staging)
{
	struct shared *shared = &journal->shared;
	struct finished *finished = calloc(1, sizeof(*finished));
	struct format_segment blank = { .first_sequence = staging->first_sequence };
	uint64_t bytes = format_batch_bytes(staging->len);

	if (finished == NULL)
		return NULL;
	if (bytes <= shared->active_left) {
		shared->active_left -= bytes;
		return finished;
	}
	assert(shared->spare_ready);
	finished->segment = segment_new(&blank);
	if (finished->segment == NULL) {
		free(finished);
		return NULL;
	}
	shared->spare_ready = false;
	shared->active_left = journal->options.segment_bytes - FORMAT_BLOCK - bytes;
	return finished;
}

static void publish(struct journal *journal, struct staging *staging, struct finished *finished,
                    uint64_t sync_ns)
{
	struct shared *shared = &journal->shared;
	uint64_t durable = journal->writer.sequence;

	if (finished->segment != NULL) {
		shared->segments += journal->writer.replaced_bytes == 0;
		shared->disk_bytes -= journal->writer.replaced_bytes + finished->freed_bytes;
		journal->writer.replaced_bytes = 0;
	}
	memcpy(shared->chain, finished->chain, JOURNAL_HASH_BYTES);
	shared->batches++;
	shared->syncs++;
	shared->written_bytes += format_batch_bytes(finished->batch.body_bytes);
	shared->sync_ns_total += sync_ns;
	if (sync_ns > shared->sync_ns_max)
		shared->sync_ns_max = sync_ns;
	*shared->finished_end = finished;
	shared->finished_end = &finished->next;
	staging->len = 0;
	staging->count = 0;
	atomic_store_explicit(&journal->durable, durable, memory_order_release);
	journal_wake(journal);
}

static bool do_batch(struct journal *journal)
{
	struct shared *shared = &journal->shared;
	struct staging *staging = &shared->buffers[shared->fill];
	struct finished *finished;
	enum ttg_error err;
	const char *what = "";
	uint64_t sync_ns = 0;
	int result = 0;

	if (!shared->flush_wanted || staging->count == 0) {
		shared->flush_wanted = false;
		return false;
	}
	finished = place_batch(journal, staging);
	if (finished == NULL) {
		writer_fail(journal, TTG_ENOMEM, "a batch cannot be written", 0);
		return false;
	}
	shared->flush_wanted = false;
	shared->fill ^= 1;
	shared->writing = true;
	pthread_mutex_unlock(&shared->lock);
	finished->plain = plain_new(staging->first_sequence, staging->count, staging->offsets,
	                            staging->data, staging->len);
	err = write_batch(journal, staging, finished, &what, &result, &sync_ns);
	pthread_mutex_lock(&shared->lock);
	shared->writing = false;
	if (err != TTG_OK) {
		free_finished(finished);
		writer_fail(journal, err, what, result);
		return false;
	}
	if (finished->plain != NULL)
		memcpy(finished->plain->chain, finished->chain, JOURNAL_HASH_BYTES);
	publish(journal, staging, finished, sync_ns);
	return true;
}

/* The spare is made when an append waits for it, or when the active segment is past its half. */
static bool do_spare(struct journal *journal)
{
	struct shared *shared = &journal->shared;
	bool soon = !shared->spare_refused && !shared->stop &&
	            shared->active_left < journal->options.segment_bytes / 2;
	bool refused;
	int result;

	if (shared->spare_ready || !(shared->spare_wanted || soon))
		return false;
	pthread_mutex_unlock(&shared->lock);
	result = rotate_make_spare(journal, &refused);
	pthread_mutex_lock(&shared->lock);
	shared->spare_wanted = false;
	shared->spare_refused = refused;
	shared->spare_tried_ns = journal->world->mono_ns(journal->world->self);
	if (result < 0) {
		writer_fail(journal, TTG_EIO, "room for a segment cannot be allocated", result);
		return false;
	}
	if (!refused) {
		shared->spare_ready = true;
		shared->disk_bytes += journal->options.segment_bytes;
	}
	journal_wake(journal);
	return true;
}

static bool do_removals(struct journal *journal)
{
	struct shared *shared = &journal->shared;
	struct removal *removals = shared->removals;
	uint64_t first_held = shared->first_held;
	int result;

	if (removals == NULL)
		return false;
	shared->removals = NULL;
	shared->removals_end = &shared->removals;
	pthread_mutex_unlock(&shared->lock);
	result = rotate_remove(journal, removals, first_held);
	pthread_mutex_lock(&shared->lock);
	while (removals != NULL) {
		struct removal *next = removals->next;

		if (result >= 0)
			shared->disk_bytes -= removals->file_bytes;
		free(removals);
		removals = next;
	}
	shared->spare_refused = false;
	if (result < 0)
		writer_fail(journal, TTG_EIO, "old segments cannot be removed", result);
	return result >= 0;
}

bool writer_round(struct journal *journal)
{
	if (journal->shared.failure != TTG_OK)
		return false;
	if (do_batch(journal))
		return true;
	if (journal->shared.failure == TTG_OK && do_spare(journal))
		return true;
	return journal->shared.failure == TTG_OK && do_removals(journal);
}

static bool head_behind(const struct writer *writer)
{
	return writer->file >= 0 && writer->head.sequence != writer->sequence;
}

/* Waits for work; after a while without any, brings HEAD up to date. */
static void wait_for_work(struct journal *journal)
{
	struct shared *shared = &journal->shared;
	struct timespec until;
	int result = 0;

	if (shared->failure != TTG_OK || !head_behind(&journal->writer)) {
		pthread_cond_wait(&shared->work, &shared->lock);
		return;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += JOURNAL_IDLE_NS;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	if (pthread_cond_timedwait(&shared->work, &shared->lock, &until) != ETIMEDOUT)
		return;
	pthread_mutex_unlock(&shared->lock);
	result = rotate_mark(journal, false);
	pthread_mutex_lock(&shared->lock);
	if (result < 0)
		writer_fail(journal, TTG_EIO, "HEAD cannot be written", result);
}

void *writer_main(void *arg)
{
	struct journal *journal = arg;
	struct shared *shared = &journal->shared;

	pthread_mutex_lock(&shared->lock);
	for (;;) {
		while (writer_round(journal))
			;
		if (shared->stop)
			break;
		/* Only this thread clears what these say, so nothing is missed between here and
		 * there. */
		if (!shared->flush_wanted && !shared->spare_wanted && shared->removals == NULL)
			wait_for_work(journal);
		else if (shared->failure != TTG_OK)
			wait_for_work(journal);
	}
	pthread_mutex_unlock(&shared->lock);
	return NULL;
}

enum ttg_error writer_init(struct journal *journal, struct message *message)
{
	struct writer *writer = &journal->writer;
	const struct world *world = journal->world;
	char path[SEGMENT_PATH];
	size_t out_bytes = (size_t)format_batch_bytes(journal->stage_max);

	writer->crypto = crypto_new();
	if (writer->crypto == NULL)
		return message_set(message, TTG_ECRYPTO, "cryptography is not available");
	writer->key = secret_new(JOURNAL_KEY_BYTES);
	writer->out = aligned_alloc(FORMAT_BLOCK, out_bytes);
	if (writer->key == NULL || writer->out == NULL)
		return message_set(message, TTG_ENOMEM, "no memory for the journal's buffers");
	segment_path_named(path, journal->directory, HEAD_NAME);
	writer->head_file = world->open(world->self, path, WORLD_WRITE);
	if (writer->head_file < 0)
		return message_set(message, world_error(writer->head_file),
		                   "%s: cannot be opened for writing: %s", path,
		                   strerror(-writer->head_file));
	return TTG_OK;
}

/* The end of a clean life: HEAD says closed, then the room not used is given back. */
static void close_cleanly(struct journal *journal)
{
	struct writer *writer = &journal->writer;
	const struct world *world = journal->world;

	if (rotate_mark(journal, true) < 0)
		return;
	(void)world->truncate(world->self, writer->file, writer->offset);
	(void)world->sync(world->self, writer->file);
}

void writer_fini(struct journal *journal)
{
	struct writer *writer = &journal->writer;
	const struct world *world = journal->world;
	char path[SEGMENT_PATH];

	if (writer->file >= 0 && journal->shared.failure == TTG_OK)
		close_cleanly(journal);
	if (writer->file >= 0)
		(void)world->close(world->self, writer->file);
	if (writer->spare >= 0) {
		(void)world->close(world->self, writer->spare);
		segment_path_named(path, journal->directory, SPARE_NAME);
		if (journal->shared.failure == TTG_OK)
			(void)world->unlink(world->self, path);
	}
	if (writer->head_file >= 0)
		(void)world->close(world->self, writer->head_file);
	free(writer->out);
	crypto_free(&writer->crypto);
	secret_free(writer->key);
}
