/*
 * The proof of a directory: HEAD, names and headers here, in order, by the caller's thread; then the
 * batches of the segments, which do not depend on each other any more (crew.c, prove.c).
 *
 * Nothing here writes.
 */
#include "journal/scan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/keyfile.h"

static enum ttg_error damage(struct scan *scan, const struct segment *segment, uint64_t offset,
                             enum ttg_error code, const char *reason)
{
	return prove_damage(scan->directory, scan->message, segment->header.first_sequence, offset,
	                    code, reason);
}

static enum ttg_error check_header(struct scan *scan, struct segment *segment, uint64_t name)
{
	uint8_t key[JOURNAL_KEY_BYTES], check[FORMAT_KEY_CHECK];
	enum ttg_error err;

	if (segment->header.first_sequence != name)
		return message_set(scan->message, TTG_ECORRUPT,
		                   "%s/seg-%016" PRIx64 ".ttj: offset 32: holds another segment",
		                   scan->directory, name);
	if (memcmp(segment->header.journal_id, scan->head.journal_id, FORMAT_ID) != 0)
		return damage(scan, segment, 56, TTG_ECORRUPT, "belongs to another journal");
	if (scan->key == NULL)
		return TTG_OK;
	err = crypto_derive(scan->key, segment->header.salt, CRYPTO_SEGMENT, key, check);
	wipe(key, sizeof(key));
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
	enum ttg_error err = prove_open(&scan->prover, name, scan->message);

	if (err != TTG_OK)
		return err;
	block = file_window_at(&scan->prover.window, 0, FORMAT_BLOCK, &err);
	if (block != NULL)
		err = format_segment_decode(block, &header, &reason);
	if (err != TTG_OK)
		return damage(scan, &stub, 0, err, reason);
	segment = segment_new(&header);
	if (segment == NULL)
		return message_set(scan->message, TTG_ENOMEM, "no memory for the journal's index");
	scan->all_bytes += scan->prover.window.size;
	err = crypto_hash(scan->prover.crypto, block, FORMAT_BLOCK, NULL, 0, segment->chain);
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

	if (err != TTG_OK)
		return err;
	scan->prover.world = scan->world;
	scan->prover.directory = scan->directory;
	scan->prover.key = scan->key;
	scan->prover.head = &scan->head;
	scan->prover.seen = scan->seen;
	scan->prover.seen_arg = scan->seen_arg;
	err = prover_init(&scan->prover);
	if (err != TTG_OK)
		return message_set(scan->message, err, "cryptography is not available");
	err = load_head(scan, count);
	if (err == TTG_OK)
		err = load_all(scan, scan->leftovers, count);
	if (err == TTG_OK)
		err = crew_run(scan);
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
	prover_fini(&scan->prover);
	segment_list_clear(&scan->segments);
	free(scan->leftovers);
	scan->leftovers = NULL;
}
