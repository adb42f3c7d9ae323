/*
 * The proof. Segments go in order of their first sequence; each header names the end and the chain
 * hash of the one before, so a missing, swapped, truncated or older segment shows where it joins
 * its neighbour. The newest one has no neighbour: for it HEAD says how far it reached at least, and
 * tail.c decides about what follows its last valid batch.
 *
 * Owned by the caller's thread. Nothing here writes.
 */
#include "journal/scan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/crc32c.h"
#include "base/keyfile.h"

static enum ttg_error damage(struct scan *scan, const struct segment *segment, uint64_t offset,
                             enum ttg_error code, const char *reason)
{
	char path[SEGMENT_PATH];

	segment_path(path, scan->directory, SEGMENT_FILE, segment->header.first_sequence);
	return message_set(scan->message, code, "%s: offset %" PRIu64 ": %s", path, offset, reason);
}

static bool padding_whole(const uint8_t *at, const uint8_t *end)
{
	while (at < end)
		if (*at++ != FORMAT_PADDING)
			return false;
	return true;
}

static bool room_for_scratch(struct scan *scan, size_t bytes)
{
	uint8_t *scratch;

	if (bytes <= scan->scratch_bytes)
		return true;
	scratch = realloc(scan->scratch, bytes);
	if (scratch == NULL)
		return false;
	scan->scratch = scratch;
	scan->scratch_bytes = bytes;
	return true;
}

static enum ttg_error decrypt(struct scan *scan, const struct segment *segment,
                              const struct format_batch *batch, const uint8_t *bytes,
                              const char **reason)
{
	struct crypto_unit unit = { segment->header.cipher, segment->key, batch->number, bytes,
		                    FORMAT_BATCH_HEADER };
	struct journal_record record;
	size_t offset = 0;
	uint32_t records = 0;

	if (!room_for_scratch(scan, (size_t)batch->body_bytes + 1))
		return TTG_ENOMEM;
	*reason = "body is not what was encrypted";
	if (crypto_unseal(scan->crypto, &unit, bytes + FORMAT_BATCH_HEADER, batch->body_bytes,
	                  scan->scratch) != TTG_OK)
		return TTG_ECORRUPT;
	*reason = "body does not hold the records its header counts";
	while (offset < batch->body_bytes) {
		if (!format_record_decode(scan->scratch, batch->body_bytes, &offset, &record))
			return TTG_ECORRUPT;
		records++;
	}
	return records == batch->records ? TTG_OK : TTG_ECORRUPT;
}

static enum ttg_error check_place(const struct scan_place *place, const struct format_batch *batch,
                                  const char **reason)
{
	const struct segment *segment = place->segment;

	*reason = "batch belongs elsewhere (segment, number or sequence)";
	if (batch->segment_tag != format_segment_tag(&segment->header) ||
	    batch->number != segment->batches ||
	    batch->first_sequence != segment->last_sequence + 1)
		return TTG_ECORRUPT;
	*reason = "batch reaches behind the end of its segment";
	if (format_batch_bytes(batch->body_bytes) > place->limit - place->offset)
		return TTG_ECORRUPT;
	return TTG_OK;
}

enum ttg_error scan_batch(struct scan *scan, const struct scan_place *place,
                          struct format_batch *batch, uint8_t chain[JOURNAL_HASH_BYTES],
                          const char **reason)
{
	enum ttg_error err;
	const uint8_t *bytes = file_window_at(&scan->window, place->offset, FORMAT_BATCH_HEADER, &err);
	size_t hashed;

	*reason = "file ends inside a batch";
	if (bytes == NULL)
		return err;
	err = format_batch_decode(bytes, batch, reason);
	if (err == TTG_OK)
		err = check_place(place, batch, reason);
	if (err != TTG_OK)
		return err;
	*reason = "file ends inside a batch";
	bytes = file_window_at(&scan->window, place->offset,
	                  (size_t)format_batch_bytes(batch->body_bytes), &err);
	if (bytes == NULL)
		return err;
	hashed = FORMAT_BATCH_HEADER + batch->body_bytes + FORMAT_TAG;
	*reason = "wrong checksum of the body";
	if (crc32c(0, bytes + FORMAT_BATCH_HEADER,
	           hashed - FORMAT_BATCH_HEADER + JOURNAL_HASH_BYTES) !=
	    format_get_u32(bytes + hashed + JOURNAL_HASH_BYTES))
		return TTG_ECORRUPT;
	*reason = "wrong chain hash";
	err = crypto_hash(scan->crypto, place->segment->chain, JOURNAL_HASH_BYTES, bytes, hashed,
	                  chain);
	if (err != TTG_OK)
		return err;
	if (memcmp(chain, bytes + hashed, JOURNAL_HASH_BYTES) != 0)
		return TTG_ECORRUPT;
	*reason = "bytes behind the batch are damaged";
	if (!padding_whole(bytes + hashed + FORMAT_BATCH_TRAILER,
	                   bytes + format_batch_bytes(batch->body_bytes)))
		return TTG_ECORRUPT;
	return scan->key != NULL ? decrypt(scan, place->segment, batch, bytes, reason) : TTG_OK;
}

/* HEAD names a batch end; it must be one of ours, with its chain hash. */
static void compare_with_head(struct scan *scan, const struct segment *segment)
{
	const struct format_head *head = &scan->head;

	if (segment->header.first_sequence != head->end.segment || segment->end != head->end.end)
		return;
	if (head->end.end == FORMAT_BLOCK || /* nothing was in it: it may have been made anew */
	    (memcmp(segment->header.salt, head->salt, FORMAT_SALT) == 0 &&
	     memcmp(segment->chain, head->end.chain, JOURNAL_HASH_BYTES) == 0 &&
	     segment->last_sequence == head->sequence))
		scan->head_reached = true;
}

static void report_progress(struct scan *scan, uint64_t bytes)
{
	scan->done_bytes += bytes;
	if (scan->progress != NULL)
		scan->progress(scan->progress_arg, scan->done_bytes, scan->all_bytes);
}

/* Walks the batches up to limit. *reason is NULL when it ended exactly there. */
static enum ttg_error walk(struct scan *scan, struct scan_place *place, const char **reason)
{
	struct segment *segment = place->segment;
	struct format_batch batch;
	uint8_t chain[JOURNAL_HASH_BYTES];

	while (place->offset < place->limit) {
		enum ttg_error err = scan_batch(scan, place, &batch, chain, reason);

		if (err != TTG_OK)
			return err;
		memcpy(segment->chain, chain, sizeof(chain));
		(void)segment_add_batch(segment, &batch, place->offset);
		report_progress(scan, segment->end - place->offset);
		place->offset = segment->end;
		scan->batches++;
		scan->records += batch.records;
		compare_with_head(scan, segment);
	}
	*reason = NULL;
	return TTG_OK;
}

/* A segment that a later one follows: it ends where that one says, and nothing else counts. */
static enum ttg_error prove_inner(struct scan *scan, struct segment *segment,
                                  const struct segment *next)
{
	struct scan_place place = { segment, FORMAT_BLOCK, next->header.previous.end };
	const char *reason;
	enum ttg_error err;

	if (place.limit > scan->window.size)
		return damage(scan, segment, scan->window.size, TTG_ECORRUPT,
		              "file is shorter than the segment that follows says");
	err = walk(scan, &place, &reason);
	if (err != TTG_OK)
		return damage(scan, segment, place.offset, err, reason);
	if (segment->end != place.limit ||
	    segment->last_sequence + 1 != next->header.first_sequence ||
	    memcmp(segment->chain, next->header.previous.chain, JOURNAL_HASH_BYTES) != 0)
		return damage(scan, segment, segment->end, TTG_ECORRUPT,
		              "the segment that follows does not continue this one");
	segment->used_bytes = scan->window.size;
	return TTG_OK;
}

static enum ttg_error prove_last(struct scan *scan, struct segment *segment)
{
	struct scan_place place = { segment, FORMAT_BLOCK, scan->window.size };
	bool closed = scan->head.closed &&
	              scan->head.end.segment == segment->header.first_sequence &&
	              memcmp(scan->head.salt, segment->header.salt, FORMAT_SALT) == 0;
	uint64_t used = 0;
	const char *reason;
	enum ttg_error err;

	if (!closed && scan->window.size < segment->header.allocated_bytes)
		return damage(scan, segment, scan->window.size, TTG_ECORRUPT,
		              "file was cut off: it is shorter than was allocated");
	err = walk(scan, &place, &reason);
	if (err == TTG_ECORRUPT || err == TTG_EVERSION) {
		const char *why = reason;

		err = tail_judge(scan, &place, &used, &why);
		if (err != TTG_OK)
			return damage(scan, segment, place.offset, err, why);
		if (used > segment->end) {
			segment->used_bytes = used;
			scan->torn_bytes = used - segment->end;
		}
		err = TTG_OK;
	}
	return err == TTG_OK ? TTG_OK : damage(scan, segment, place.offset, err, reason);
}

static enum ttg_error open_window(struct scan *scan, const struct segment *segment)
{
	char path[SEGMENT_PATH];
	int result;

	segment_path(path, scan->directory, SEGMENT_FILE, segment->header.first_sequence);
	result = file_window_open(&scan->window, path);
	if (result == -ENOENT) /* it was listed: TTG_ENOENT would mean that there is no journal */
		return message_set(scan->message, TTG_ECORRUPT, "%s: offset 0: segment is missing",
		                   path);
	if (result < 0)
		return message_set(scan->message, world_error(result), "%s: cannot be opened: %s",
		                   path, strerror(-result));
	return TTG_OK;
}

static enum ttg_error prove_segment(struct scan *scan, size_t i)
{
	struct segment *segment = scan->segments.items[i];
	bool last = i + 1 == scan->segments.count;
	enum ttg_error err = open_window(scan, segment);

	if (err != TTG_OK)
		return err;
	segment->file_bytes = scan->window.size;
	scan->bytes += scan->window.size;
	report_progress(scan, FORMAT_BLOCK);
	compare_with_head(scan, segment);
	err = last ? prove_last(scan, segment)
	           : prove_inner(scan, segment, scan->segments.items[i + 1]);
	if (err != TTG_OK)
		return err;
	if (segment->header.first_sequence == scan->head.end.segment && !scan->head_reached)
		return damage(scan, segment, segment->end, TTG_ECORRUPT,
		              "ends before what HEAD says was durable: an older copy, or cut off");
	return TTG_OK;
}

static enum ttg_error check_header(struct scan *scan, struct segment *segment, uint64_t name)
{
	uint8_t check[FORMAT_KEY_CHECK];
	enum ttg_error err;

	if (segment->header.first_sequence != name)
		return message_set(scan->message, TTG_ECORRUPT,
		                   "%s/seg-%016" PRIx64 ".ttj: offset 32: holds another segment",
		                   scan->directory, name);
	if (memcmp(segment->header.journal_id, scan->head.journal_id, FORMAT_ID) != 0)
		return damage(scan, segment, 56, TTG_ECORRUPT, "belongs to another journal");
	if (scan->key == NULL)
		return TTG_OK;
	err = crypto_derive(scan->key, segment->header.salt, CRYPTO_SEGMENT, segment->key, check);
	if (err != TTG_OK)
		return damage(scan, segment, 72, err, "key derivation failed");
	if (memcmp(check, segment->header.key_check, FORMAT_KEY_CHECK) != 0)
		return damage(scan, segment, 104, TTG_ECRYPTO, "was encrypted with another key");
	return TTG_OK;
}

static enum ttg_error load_header(struct scan *scan, uint64_t name)
{
	struct segment stub = { .header.first_sequence = name };
	struct format_segment header;
	const uint8_t *block;
	const char *reason = "file is shorter than its header";
	struct segment *segment;
	enum ttg_error err = open_window(scan, &stub);

	if (err != TTG_OK)
		return err;
	block = file_window_at(&scan->window, 0, FORMAT_BLOCK, &err);
	if (block != NULL)
		err = format_segment_decode(block, &header, &reason);
	if (err != TTG_OK)
		return damage(scan, &stub, 0, err, reason);
	segment = segment_new(&header);
	if (segment == NULL)
		return message_set(scan->message, TTG_ENOMEM, "no memory for the journal's index");
	scan->all_bytes += scan->window.size;
	err = crypto_hash(scan->crypto, block, FORMAT_BLOCK, NULL, 0, segment->chain);
	if (err == TTG_OK)
		err = check_header(scan, segment, name);
	if (err != TTG_OK) {
		segment_free(&segment);
		return err;
	}
	return segment_list_push(&scan->segments, segment);
}

/* Headers must name each other, in a row. */
static enum ttg_error check_links(struct scan *scan)
{
	for (size_t i = 0; i < scan->segments.count; i++) {
		const struct segment *segment = scan->segments.items[i];
		const struct segment *before = i > 0 ? scan->segments.items[i - 1] : NULL;
		bool oldest_ever = segment->header.first_sequence == 1;

		if (before == NULL && oldest_ever != (segment->header.previous.segment == 0))
			return damage(scan, segment, 120, TTG_ECORRUPT,
			              "the segment before it cannot be the one it names");
		if (before != NULL &&
		    segment->header.previous.segment != before->header.first_sequence)
			return damage(scan, segment, 120, TTG_ECORRUPT,
			              "the segment before it is missing");
		if (before != NULL && segment->header.epoch < before->header.epoch)
			return damage(scan, segment, 24, TTG_ECORRUPT,
			              "is from an earlier epoch than the segment before it");
	}
	return TTG_OK;
}

/* What HEAD knows of must be there. Splits off files older than it keeps. */
static enum ttg_error check_names(struct scan *scan, const uint64_t *names, size_t count,
                                  size_t *first)
{
	const struct format_head *head = &scan->head;
	uint64_t oldest = head->first_held != 0 ? head->first_held : 1;
	bool newest_there = head->end.segment == 0;

	*first = 0;
	while (*first < count && names[*first] < oldest)
		(*first)++;
	for (size_t i = *first; i < count; i++)
		newest_there = newest_there || names[i] == head->end.segment;
	if (head->first_held == 0 && *first == count)
		return TTG_OK;
	if (*first == count || names[*first] != oldest)
		return message_set(scan->message, TTG_ECORRUPT,
		                   "%s/seg-%016" PRIx64 ".ttj: offset 0: segment is missing",
		                   scan->directory, oldest);
	if (!newest_there)
		return message_set(scan->message, TTG_ECORRUPT,
		                   "%s/seg-%016" PRIx64 ".ttj: offset 0: segment is missing",
		                   scan->directory, head->end.segment);
	return TTG_OK;
}

static enum ttg_error load_all(struct scan *scan, const uint64_t *names, size_t count)
{
	size_t first;
	enum ttg_error err = check_names(scan, names, count, &first);

	if (err != TTG_OK)
		return err;
	scan->n_leftovers = first;
	for (size_t i = first; i < count; i++) {
		err = load_header(scan, names[i]);
		if (err != TTG_OK)
			return err;
	}
	return check_links(scan);
}

static enum ttg_error load_head(struct scan *scan, size_t n_segments)
{
	enum ttg_error err = head_load(scan->world, scan->directory, &scan->head, scan->message);

	if (err == TTG_ENOENT && n_segments > 0)
		return message_set(scan->message, TTG_ECORRUPT,
		                   "%s/" HEAD_NAME ": offset 0: is missing, but segments are there",
		                   scan->directory);
	return err;
}

enum ttg_error scan_run(struct scan *scan)
{
	size_t count;
	enum ttg_error err = segment_list_names(scan->world, scan->directory, SEGMENT_FILE,
	                                        &scan->leftovers, &count, scan->message);

	file_window_init(&scan->window, scan->world);
	if (err != TTG_OK)
		return err;
	scan->crypto = crypto_new();
	if (scan->crypto == NULL)
		return message_set(scan->message, TTG_ECRYPTO, "cryptography is not available");
	err = load_head(scan, count);
	if (err == TTG_OK)
		err = load_all(scan, scan->leftovers, count);
	for (size_t i = 0; i < scan->segments.count && err == TTG_OK; i++)
		err = prove_segment(scan, i);
	if (err != TTG_OK)
		return err;
	const struct segment *last = segment_list_last(&scan->segments);
	if (last != NULL) {
		scan->last_sequence = last->last_sequence;
		memcpy(scan->chain, last->chain, JOURNAL_HASH_BYTES);
	}
	return TTG_OK;
}

void scan_fini(struct scan *scan)
{
	file_window_fini(&scan->window);
	crypto_free(&scan->crypto);
	segment_list_clear(&scan->segments);
	free(scan->leftovers);
	scan->leftovers = NULL;
	if (scan->scratch != NULL)
		wipe(scan->scratch, scan->scratch_bytes);
	free(scan->scratch);
	scan->scratch = NULL;
}
