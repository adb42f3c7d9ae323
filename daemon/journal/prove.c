/*
 * The proof of one segment. Its header names the end and the chain hash of the one before, so it can
 * be proven without its neighbours, and a missing, swapped, truncated or older segment shows where
 * it joins them. The newest one has no neighbour: for it HEAD says how far it reached at least, and
 * tail.c decides about what follows its last valid batch.
 *
 * Owner: the thread that has the prover. Nothing here writes; of the list only the segment under
 * proof is changed, and of its neighbours only headers are read.
 */
#include "journal/prove.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/crc32c.h"
#include "base/keyfile.h"

enum ttg_error prover_init(struct prover *prover)
{
	file_window_init(&prover->window, prover->world);
	prover->crypto = crypto_new();
	prover->segment_key = segment_key_new();
	if (prover->segment_key == NULL)
		return TTG_ENOMEM;
	return prover->crypto != NULL ? TTG_OK : TTG_ECRYPTO;
}

void prover_fini(struct prover *prover)
{
	if (prover->world == NULL)
		return;
	file_window_fini(&prover->window);
	crypto_free(&prover->crypto);
	segment_key_free(&prover->segment_key);
	if (prover->scratch != NULL)
		wipe(prover->scratch, prover->scratch_bytes);
	free(prover->scratch);
	prover->scratch = NULL;
	prover->scratch_bytes = 0;
}

enum ttg_error prove_damage(const char *directory, struct message *message, uint64_t first_sequence,
                            uint64_t offset, enum ttg_error code, const char *reason)
{
	char path[SEGMENT_PATH];

	segment_path(path, directory, SEGMENT_FILE, first_sequence);
	return message_set(message, code, "%s: offset %" PRIu64 ": %s", path, offset, reason);
}

static enum ttg_error damage(const struct prover *prover, struct proof *proof,
                             const struct segment *segment, uint64_t offset, enum ttg_error code,
                             const char *reason)
{
	return prove_damage(prover->directory, &proof->message, segment->header.first_sequence,
	                    offset, code, reason);
}

static bool padding_whole(const uint8_t *at, const uint8_t *end)
{
	return format_filled(at, (size_t)(end - at), FORMAT_PADDING);
}

static bool room_for_scratch(struct prover *prover, size_t bytes)
{
	uint8_t *scratch;

	if (bytes <= prover->scratch_bytes)
		return true;
	scratch = realloc(prover->scratch, bytes);
	if (scratch == NULL)
		return false;
	prover->scratch = scratch;
	prover->scratch_bytes = bytes;
	return true;
}

static enum ttg_error decrypt(struct prover *prover, const struct segment *segment,
                              const struct format_batch *batch, const uint8_t *bytes,
                              const char **reason)
{
	const uint8_t *key =
	        segment_key_get(prover->segment_key, prover->key, segment->header.salt);
	struct crypto_unit unit = { segment->header.cipher, key, batch->number, bytes,
		                    FORMAT_BATCH_HEADER };
	struct journal_record record;
	size_t offset = 0;
	uint32_t records = 0;

	if (key == NULL)
		return TTG_ECRYPTO;
	if (!room_for_scratch(prover, (size_t)batch->body_bytes + 1))
		return TTG_ENOMEM;
	*reason = "body is not what was encrypted";
	if (crypto_unseal(prover->crypto, &unit, bytes + FORMAT_BATCH_HEADER, batch->body_bytes,
	                  prover->scratch) != TTG_OK)
		return TTG_ECORRUPT;
	*reason = "body does not hold the records its header counts";
	while (offset < batch->body_bytes) {
		if (!format_record_decode(prover->scratch, batch->body_bytes, &offset, &record))
			return TTG_ECORRUPT;
		records++;
	}
	return records == batch->records ? TTG_OK : TTG_ECORRUPT;
}

static enum ttg_error check_place(const struct prove_place *place, const struct format_batch *batch,
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

static enum ttg_error prove_batch(struct prover *prover, const struct prove_place *place,
                          struct format_batch *batch, uint8_t chain[JOURNAL_HASH_BYTES],
                          const char **reason)
{
	enum ttg_error err;
	const uint8_t *bytes = file_window_at(&prover->window, place->offset, FORMAT_BATCH_HEADER, &err);
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
	bytes = file_window_at(&prover->window, place->offset,
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
	err = crypto_hash(prover->crypto, place->segment->chain, JOURNAL_HASH_BYTES, bytes, hashed,
	                  chain);
	if (err != TTG_OK)
		return err;
	if (memcmp(chain, bytes + hashed, JOURNAL_HASH_BYTES) != 0)
		return TTG_ECORRUPT;
	*reason = "bytes behind the batch are damaged";
	if (!padding_whole(bytes + hashed + FORMAT_BATCH_TRAILER,
	                   bytes + format_batch_bytes(batch->body_bytes)))
		return TTG_ECORRUPT;
	return prover->key != NULL ? decrypt(prover, place->segment, batch, bytes, reason) : TTG_OK;
}

/* HEAD names a batch end; it must be one of ours, with its chain hash. */
static void compare_with_head(const struct prover *prover, const struct segment *segment,
                              struct proof *proof)
{
	const struct format_head *head = prover->head;

	if (segment->header.first_sequence != head->end.segment || segment->end != head->end.end)
		return;
	if (head->end.end == FORMAT_BLOCK || /* nothing was in it: it may have been made anew */
	    (memcmp(segment->header.salt, head->salt, FORMAT_SALT) == 0 &&
	     memcmp(segment->chain, head->end.chain, JOURNAL_HASH_BYTES) == 0 &&
	     segment->last_sequence == head->sequence))
		proof->head_reached = true;
}

/* The window may be older than the batch when the journal runs: what is not valid is read again. */
static enum ttg_error look_twice(struct prover *prover, const struct prove_place *place,
                                 struct format_batch *batch, uint8_t chain[JOURNAL_HASH_BYTES],
                                 const char **reason)
{
	enum ttg_error err = prove_batch(prover, place, batch, chain, reason);

	if (err != TTG_ECORRUPT && err != TTG_EVERSION)
		return err;
	file_window_forget(&prover->window);
	return prove_batch(prover, place, batch, chain, reason);
}

static bool show(const struct prover *prover, const struct prove_place *place,
                 const struct format_batch *batch)
{
	const struct journal_batch shown = {
		.journal_id = prover->head->journal_id,
		.segment = place->segment->header.first_sequence,
		.offset = place->offset,
		.first_sequence = batch->first_sequence,
		.records = batch->records,
		.chain = place->segment->chain,
		.body = prover->scratch,
		.body_bytes = batch->body_bytes,
	};

	return prover->seen == NULL || prover->seen(prover->seen_arg, &shown);
}

/* Walks the batches up to limit. *reason is NULL when it ended exactly there. */
static enum ttg_error walk(struct prover *prover, struct prove_place *place, struct proof *proof,
                           const char **reason)
{
	struct segment *segment = place->segment;
	struct format_batch batch;
	uint8_t chain[JOURNAL_HASH_BYTES];

	while (place->offset < place->limit) {
		enum ttg_error err = look_twice(prover, place, &batch, chain, reason);

		if (err != TTG_OK)
			return err;
		memcpy(segment->chain, chain, sizeof(chain));
		(void)segment_add_batch(segment, &batch, place->offset);
		proof->batches++;
		proof->records += batch.records;
		compare_with_head(prover, segment, proof);
		*reason = "was not proven to its end";
		if (!show(prover, place, &batch) ||
		    !prover->moved(prover->moved_arg, proof->number, segment->end - place->offset))
			return TTG_ECLOSED;
		place->offset = segment->end;
	}
	*reason = NULL;
	return TTG_OK;
}

/* A segment that a later one follows: it ends where that one says, and nothing else counts. */
static enum ttg_error prove_inner(struct prover *prover, struct segment *segment,
                                  const struct format_segment *next, struct proof *proof)
{
	struct prove_place place = { segment, FORMAT_BLOCK, next->previous.end };
	const char *reason;
	enum ttg_error err;

	if (place.limit > prover->window.size)
		return damage(prover, proof, segment, prover->window.size, TTG_ECORRUPT,
		              "file is shorter than the segment that follows says");
	err = walk(prover, &place, proof, &reason);
	if (err != TTG_OK)
		return damage(prover, proof, segment, place.offset, err, reason);
	if (segment->end != place.limit || segment->last_sequence + 1 != next->first_sequence ||
	    memcmp(segment->chain, next->previous.chain, JOURNAL_HASH_BYTES) != 0)
		return damage(prover, proof, segment, segment->end, TTG_ECORRUPT,
		              "the segment that follows does not continue this one");
	segment->used_bytes = segment->file_bytes;
	return TTG_OK;
}

static enum ttg_error prove_last(struct prover *prover, struct segment *segment,
                                 struct proof *proof)
{
	struct prove_place place = { segment, FORMAT_BLOCK, prover->window.size };
	const struct format_head *head = prover->head;
	bool closed = head->closed && head->end.segment == segment->header.first_sequence &&
	              memcmp(head->salt, segment->header.salt, FORMAT_SALT) == 0;
	uint64_t used = 0;
	const char *reason;
	enum ttg_error err;

	if (!closed && prover->window.size < segment->header.allocated_bytes)
		return damage(prover, proof, segment, prover->window.size, TTG_ECORRUPT,
		              "file was cut off: it is shorter than was allocated");
	err = walk(prover, &place, proof, &reason);
	if (err == TTG_ECORRUPT || err == TTG_EVERSION) {
		const char *why = reason;

		err = tail_judge(prover, &place, &used, &why);
		if (err != TTG_OK)
			return damage(prover, proof, segment, place.offset, err, why);
		if (used > segment->end) {
			segment->used_bytes = used;
			proof->torn_bytes = used - segment->end;
		}
		err = TTG_OK;
	}
	return err == TTG_OK ? TTG_OK
	                     : damage(prover, proof, segment, place.offset, err, reason);
}

enum ttg_error prove_open(struct prover *prover, uint64_t first_sequence, struct message *message)
{
	char path[SEGMENT_PATH];
	int result;

	segment_path(path, prover->directory, SEGMENT_FILE, first_sequence);
	result = file_window_open(&prover->window, path);
	if (result == -ENOENT) /* it was listed: TTG_ENOENT would mean that there is no journal */
		return message_set(message, TTG_ECORRUPT, "%s: offset 0: segment is missing", path);
	if (result < 0)
		return message_set(message, world_error(result), "%s: cannot be opened: %s", path,
		                   strerror(-result));
	return TTG_OK;
}

static enum ttg_error prove(struct prover *prover, const struct segment_list *list,
                            struct proof *proof)
{
	struct segment *segment = list->items[proof->number];
	bool last = proof->number + 1 == list->count;
	enum ttg_error err =
	        prove_open(prover, segment->header.first_sequence, &proof->message);

	if (err != TTG_OK)
		return err;
	segment->file_bytes = prover->window.size;
	compare_with_head(prover, segment, proof);
	err = last ? prove_last(prover, segment, proof)
	           : prove_inner(prover, segment, &list->items[proof->number + 1]->header, proof);
	if (err != TTG_OK)
		return err;
	if (segment->header.first_sequence == prover->head->end.segment && !proof->head_reached)
		return damage(prover, proof, segment, segment->end, TTG_ECORRUPT,
		              "ends before what HEAD says was durable: an older copy, or cut off");
	return TTG_OK;
}

void prove_segment(struct prover *prover, const struct segment_list *list, size_t number,
                   struct proof *out)
{
	memset(out, 0, sizeof(*out));
	out->number = number;
	out->err = prover->moved(prover->moved_arg, number, FORMAT_BLOCK)
	                   ? prove(prover, list, out)
	                   : TTG_ECLOSED;
}
