/* See claims.h. */
#include "net/claims.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/record.h"
#include "core/signed.h"

static_assert(SIGNED_EVENTS_MAX < (UINT64_C(1) << TREE_STEPS_MAX), "every way has room");

struct claims {
	struct hasher *hasher;
	struct tree *tree;
	uint64_t sequence; /* whose claim stands here; 0: none */
	struct claim claim;
	uint8_t key[SIGNATURE_FINGERPRINT], signature[SIGNATURE_BYTES];
	uint8_t *digests;
	uint32_t n;
};

static enum ttg_error read_record(struct journal_reader *reader, uint64_t sequence,
				  struct signed_frame *out)
{
	struct journal_record record;
	uint64_t found = 0;
	enum ttg_error error = journal_reader_seek(reader, sequence);

	if (!error)
		error = journal_reader_next(reader, &found, &record);
	if (error)
		return error;
	return found == sequence && record.kind == RECORD_SIGNED &&
			       record_get_signed(record.data, record.len, out) ?
		       TTG_OK :
		       TTG_ECORRUPT;
}

static enum ttg_error load(struct claims *it, struct journal_reader *reader, uint64_t sequence)
{
	struct signed_frame frame;
	enum ttg_error error = read_record(reader, sequence, &frame);
	uint8_t *digests;

	it->sequence = 0;
	if (error)
		return error;
	digests = realloc(it->digests, (size_t)frame.n * HASH_BYTES);
	if (!digests)
		return TTG_ENOMEM;
	memcpy(digests, frame.digests, (size_t)frame.n * HASH_BYTES);
	memcpy(it->key, frame.key, sizeof it->key);
	memcpy(it->signature, frame.signature, sizeof it->signature);
	it->digests = digests;
	it->n = frame.n;
	if (!claim_grow(it->tree, it->hasher, digests, frame.n))
		return TTG_ENOMEM;
	if (!claim_make(it->tree, frame.agency, &it->claim))
		return TTG_ECRYPTO;
	it->sequence = sequence;
	return TTG_OK;
}

enum ttg_error claims_get(struct claims *it, struct journal_reader *reader, uint64_t sequence,
			  uint32_t index, struct receipt_claim *out)
{
	const enum ttg_error error = it->sequence == sequence ? TTG_OK : load(it, reader, sequence);

	if (error)
		return error;
	if (index >= it->n)
		return TTG_ECORRUPT;
	out->claim = it->claim;
	memcpy(out->digest, it->digests + (size_t)index * HASH_BYTES, HASH_BYTES);
	memcpy(out->key, it->key, sizeof out->key);
	memcpy(out->signature, it->signature, sizeof out->signature);
	return tree_path(it->tree, index, out->steps, &out->n_steps) ? TTG_OK : TTG_ECRYPTO;
}

struct claims *claims_new(void)
{
	struct claims *it = calloc(1, sizeof *it);

	if (!it)
		return NULL;
	it->hasher = hasher_new();
	it->tree = tree_new();
	if (!it->hasher || !it->tree)
		claims_free(&it);
	return it;
}

void claims_free(struct claims **claims)
{
	struct claims *it = *claims;

	*claims = NULL;
	if (!it)
		return;
	hasher_free(&it->hasher);
	tree_free(&it->tree);
	free(it->digests);
	free(it);
}
