/*
 * Reading back: from the cache of recent batches, else from the segment files. A reader keeps one
 * decrypted batch; going on is one read and one decryption a batch, a seek walks batch headers from
 * the nearest entry of the segment's sparse index.
 *
 * Owned by the loop. What is read from disk is proven by its AEAD tag, header included; the chain
 * was proven at open. A damaged batch is TTG_ECORRUPT and the reader stays where it is.
 */
#include "journal/state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "journal/segment_key.h"
#include "journal/window.h"

struct journal_reader {
	struct journal *journal;
	uint64_t next;
	struct plain *plain;   /* holds next, or the batch before, or NULL */
	struct file_window window;  /* the open segment file */
	uint64_t open_segment; /* its first sequence, 0: none */
	uint64_t behind;       /* offset behind `plain` when it was read from open_segment */
	struct crypto *crypto;
	struct segment_key *segment_key;
};

enum ttg_error journal_reader_open(struct journal_reader **out, struct journal *journal)
{
	struct journal_reader *reader = calloc(1, sizeof(*reader));

	*out = NULL;
	if (reader == NULL)
		return TTG_ENOMEM;
	file_window_init(&reader->window, journal->world);
	reader->crypto = crypto_new();
	reader->segment_key = segment_key_new();
	if (reader->crypto == NULL || reader->segment_key == NULL) {
		enum ttg_error err = reader->crypto == NULL ? TTG_ECRYPTO : TTG_ENOMEM;

		journal_reader_close(&reader);
		return err;
	}
	reader->journal = journal;
	reader->next = journal->first_sequence;
	*out = reader;
	return TTG_OK;
}

void journal_reader_close(struct journal_reader **reader)
{
	if (*reader == NULL)
		return;
	plain_drop(&(*reader)->plain);
	file_window_fini(&(*reader)->window);
	crypto_free(&(*reader)->crypto);
	segment_key_free(&(*reader)->segment_key);
	free(*reader);
	*reader = NULL;
}

enum ttg_error journal_reader_seek(struct journal_reader *reader, uint64_t sequence)
{
	if (sequence < reader->journal->first_sequence)
		return TTG_ENOENT;
	reader->next = sequence;
	return TTG_OK;
}

/* The file grows while it is open: its size is what was allocated, and zeroes are read again. */
static enum ttg_error open_segment(struct journal_reader *reader, const struct segment *segment)
{
	char path[SEGMENT_PATH];

	if (reader->open_segment == segment->header.first_sequence &&
	    segment->end <= reader->window.size)
		return TTG_OK;
	reader->open_segment = 0;
	segment_path(path, reader->journal->directory, SEGMENT_FILE,
	             segment->header.first_sequence);
	if (file_window_open(&reader->window, path) < 0)
		return TTG_EIO;
	reader->open_segment = segment->header.first_sequence;
	reader->behind = 0;
	return TTG_OK;
}

static enum ttg_error read_header(struct journal_reader *reader, const struct segment *segment,
                                  uint64_t offset, struct format_batch *batch)
{
	const uint8_t *bytes;
	const char *reason;
	enum ttg_error err;

	if (offset >= segment->end)
		return TTG_ECORRUPT;
	bytes = file_window_at(&reader->window, offset, FORMAT_BATCH_HEADER, &err);
	if (bytes == NULL)
		return err;
	err = format_batch_decode(bytes, batch, &reason);
	if (err != TTG_OK) { /* read before it was written: once more */
		file_window_forget(&reader->window);
		bytes = file_window_at(&reader->window, offset, FORMAT_BATCH_HEADER, &err);
		if (bytes == NULL)
			return err;
		err = format_batch_decode(bytes, batch, &reason);
	}
	if (err != TTG_OK)
		return err;
	if (batch->segment_tag != format_segment_tag(&segment->header) ||
	    format_batch_bytes(batch->body_bytes) > segment->end - offset)
		return TTG_ECORRUPT;
	return TTG_OK;
}

static enum ttg_error unseal(struct journal_reader *reader, const struct segment *segment,
                             const struct format_batch *batch, const uint8_t *bytes)
{
	const uint8_t *key = segment_key_get(reader->segment_key, reader->journal->master,
	                                     segment->header.salt);
	struct crypto_unit unit = { segment->header.cipher, key, batch->number, bytes,
		                    FORMAT_BATCH_HEADER };
	struct plain *plain =
	        plain_new(batch->first_sequence, batch->records, NULL, NULL, batch->body_bytes);
	enum ttg_error err = TTG_ECORRUPT;

	if (plain == NULL)
		return TTG_ENOMEM;
	if (key == NULL)
		err = TTG_ECRYPTO;
	else if (crypto_unseal(reader->crypto, &unit, bytes + FORMAT_BATCH_HEADER,
	                       batch->body_bytes, plain->data) == TTG_OK &&
	         plain_parse(plain))
		err = TTG_OK;
	if (err == TTG_OK) {
		memcpy(plain->chain, bytes + FORMAT_BATCH_HEADER + batch->body_bytes + FORMAT_TAG,
		       JOURNAL_HASH_BYTES);
		plain_drop(&reader->plain);
		reader->plain = plain;
	} else {
		plain_drop(&plain);
	}
	return err;
}

static enum ttg_error load_body(struct journal_reader *reader, const struct segment *segment,
                                const struct format_batch *batch, uint64_t offset)
{
	size_t len = FORMAT_BATCH_HEADER + (size_t)batch->body_bytes + FORMAT_TAG +
	             JOURNAL_HASH_BYTES;
	enum ttg_error err;
	const uint8_t *bytes = file_window_at(&reader->window, offset, len, &err);

	if (bytes == NULL)
		return err;
	err = unseal(reader, segment, batch, bytes);
	if (err == TTG_ECORRUPT) { /* the window may be older than the batch */
		file_window_forget(&reader->window);
		bytes = file_window_at(&reader->window, offset, len, &err);
		if (bytes == NULL)
			return err;
		err = unseal(reader, segment, batch, bytes);
	}
	if (err == TTG_OK)
		reader->behind = offset + format_batch_bytes(batch->body_bytes);
	return err;
}

/* Finds the batch that holds reader->next on disk. */
static enum ttg_error load(struct journal_reader *reader)
{
	const struct segment *segment = segment_list_find(&reader->journal->segments, reader->next);
	struct format_batch batch;
	uint64_t offset;
	enum ttg_error err;

	if (segment == NULL)
		return TTG_ECORRUPT;
	err = open_segment(reader, segment);
	if (err != TTG_OK)
		return err;
	offset = segment_seek(segment, reader->next);
	if (reader->plain != NULL && reader->behind > offset &&
	    reader->plain->first_sequence + reader->plain->count == reader->next)
		offset = reader->behind;
	for (;;) {
		err = read_header(reader, segment, offset, &batch);
		if (err != TTG_OK)
			return err;
		if (batch.first_sequence > reader->next)
			return TTG_ECORRUPT;
		if (reader->next - batch.first_sequence < batch.records)
			return load_body(reader, segment, &batch, offset);
		offset += format_batch_bytes(batch.body_bytes);
	}
}

/* The batch that holds reader->next, wherever it is. */
static enum ttg_error fetch(struct journal_reader *reader)
{
	const struct plain *plain = reader->plain;
	struct plain *cached;

	if (plain != NULL && reader->next >= plain->first_sequence &&
	    reader->next - plain->first_sequence < plain->count)
		return TTG_OK;
	cached = cache_find(&reader->journal->cache, reader->next);
	if (cached == NULL)
		return load(reader);
	plain_drop(&reader->plain);
	reader->plain = plain_keep(cached);
	reader->behind = 0; /* not from the file */
	return TTG_OK;
}

enum ttg_error journal_reader_next(struct journal_reader *reader, uint64_t *sequence,
                                   struct journal_record *out)
{
	struct journal *journal = reader->journal;
	enum ttg_error err;

	if (reader->next < journal->first_sequence)
		return TTG_ENOENT;
	journal_collect(journal);
	if (reader->next > journal->collected)
		return TTG_EAGAIN;
	err = fetch(reader);
	if (err != TTG_OK)
		return err;
	if (!plain_get(reader->plain, reader->next, out))
		return TTG_ECORRUPT;
	*sequence = reader->next++;
	return TTG_OK;
}

void journal_reader_batch(const struct journal_reader *reader, uint64_t *last,
                          uint8_t chain[JOURNAL_HASH_BYTES])
{
	assert(reader->plain != NULL);
	*last = reader->plain->first_sequence + reader->plain->count - 1;
	memcpy(chain, reader->plain->chain, JOURNAL_HASH_BYTES);
}
