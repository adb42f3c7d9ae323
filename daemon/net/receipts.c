/* See receipts.h. */
#include "net/receipts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/record.h"
#include "core/sealed.h"
#include "evidence/stretch.h"
#include "net/claims.h"
#include "net/keys.h"

#define RECORDS_A_SLICE 2000

enum phase { SEEKING, BUILDING, READY, FAILED };

struct receipts {
	struct net *net;
	struct journal_reader *reader;
	struct stretch *stretch;
	struct claims *claims;
	enum phase phase;
	enum ttg_error error;
	uint64_t sequence; /* whose seal is looked for */
	struct sealed sealed;
	struct seal seal;
};

enum ttg_error receipts_open(struct receipts **out, struct net *net)
{
	struct receipts *receipts = calloc(1, sizeof *receipts);
	uint8_t journal_id[EVIDENCE_ID];
	enum ttg_error error = TTG_ENOMEM;

	*out = receipts;
	if (!receipts)
		return TTG_ENOMEM;
	receipts->net = net;
	journal_get_id(net->journal, journal_id);
	receipts->stretch = stretch_new(journal_id);
	receipts->claims = claims_new();
	if (receipts->stretch && receipts->claims)
		error = journal_reader_open(&receipts->reader, net->journal);
	if (error)
		receipts_close(out);
	return error;
}

void receipts_close(struct receipts **receipts)
{
	if (!*receipts)
		return;
	journal_reader_close(&(*receipts)->reader);
	stretch_free(&(*receipts)->stretch);
	claims_free(&(*receipts)->claims);
	free(*receipts);
	*receipts = NULL;
}

enum ttg_error receipts_begin(struct receipts *receipts, uint64_t sequence)
{
	receipts->phase = SEEKING;
	receipts->sequence = sequence;
	receipts->seal.number = 0;
	return journal_reader_seek(receipts->reader, sequence);
}

static enum receipts_progress fail(struct receipts *receipts, enum ttg_error error)
{
	receipts->phase = FAILED;
	receipts->error = error;
	return RECEIPTS_FAILED;
}

/* It is the one: what it covers is read next. */
static enum receipts_progress take_seal(struct receipts *receipts)
{
	const struct sealed *sealed = &receipts->sealed;

	if (sealed->first > receipts->sequence) /* let go unsealed */
		return fail(receipts, TTG_ENOENT);
	if (!seal_read(sealed->text, sealed->len, &receipts->seal)) {
		receipts->seal.number = 0;
		return fail(receipts, TTG_ECORRUPT);
	}
	receipts->phase = BUILDING;
	stretch_begin(receipts->stretch, sealed->first);
	const enum ttg_error error = journal_reader_seek(receipts->reader, sealed->first);
	return error ? fail(receipts, error) : RECEIPTS_FOUND;
}

static enum receipts_progress seek(struct receipts *receipts)
{
	struct journal_record record;
	uint64_t sequence = 0;

	for (int i = 0; i < RECORDS_A_SLICE; i++) {
		const enum ttg_error error =
			journal_reader_next(receipts->reader, &sequence, &record);

		if (error == TTG_EAGAIN)
			return RECEIPTS_UNSEALED;
		if (error)
			return fail(receipts, error);
		if (record.kind == RECORD_SEAL &&
		    record_get_seal(record.data, record.len, &receipts->sealed) &&
		    receipts->sealed.last >= receipts->sequence)
			return take_seal(receipts);
	}
	return RECEIPTS_MORE;
}

/* All that the seal covers was read: is it what the seal says? */
static enum receipts_progress compare(struct receipts *receipts)
{
	struct seal found;

	if (!stretch_describe(receipts->stretch, &found))
		return fail(receipts, TTG_ECRYPTO);
	if (memcmp(found.root, receipts->seal.root, EVIDENCE_HASH) != 0)
		return fail(receipts, TTG_ECORRUPT);
	receipts->phase = READY;
	return RECEIPTS_READY;
}

static enum receipts_progress build(struct receipts *receipts)
{
	struct journal_record record;
	uint64_t sequence = 0;
	enum ttg_error error = TTG_OK;

	for (int i = 0; !error && i < RECORDS_A_SLICE; i++) {
		if (stretch_next(receipts->stretch) > receipts->sealed.last)
			return compare(receipts);
		error = journal_reader_next(receipts->reader, &sequence, &record);
		if (!error)
			error = stretch_take(receipts->stretch, sequence, record.kind, record.data,
					     record.len);
	}
	return error ? fail(receipts, error) : RECEIPTS_MORE;
}

enum receipts_progress receipts_step(struct receipts *receipts)
{
	switch (receipts->phase) {
	case SEEKING:
		return seek(receipts);
	case BUILDING:
		return build(receipts);
	case READY:
		return RECEIPTS_READY;
	case FAILED:
	default:
		return RECEIPTS_FAILED;
	}
}

enum ttg_error receipts_error(const struct receipts *receipts)
{
	return receipts->error;
}

const struct seal *receipts_seal(const struct receipts *receipts)
{
	return receipts->seal.number > 0 ? &receipts->seal : NULL;
}

bool receipts_want(struct receipts *receipts, uint64_t sequence)
{
	assert(receipts->phase == BUILDING);
	return stretch_watch(receipts->stretch, sequence);
}

/* What the publisher signed. Of the oldest events that are held it may be gone with the segment before:
   then the receipt proves what one of an unsigned event does. */
static enum ttg_error find_claim(struct receipts *receipts, uint64_t signed_at, uint32_t signed_as,
				 struct receipt *out)
{
	enum ttg_error error = TTG_OK;

	if (signed_at == 0)
		return TTG_OK;
	error = claims_get(receipts->claims, receipts->reader, signed_at, signed_as, &out->publisher);
	out->is_claimed = error == TTG_OK;
	return error == TTG_ENOENT ? TTG_OK : error;
}

/* From the event's own record. The salt is sealed with the event. */
static enum ttg_error find_rest(struct receipts *receipts, uint64_t sequence, struct receipt *out)
{
	enum ttg_error error = journal_reader_seek(receipts->reader, sequence);
	struct journal_record record;
	struct record_event event;
	uint64_t found = 0;

	if (!error)
		error = journal_reader_next(receipts->reader, &found, &record);
	if (error)
		return error;
	if (found != sequence || record.kind != RECORD_EVENT ||
	    !record_get_event(record.data, record.len, &event))
		return TTG_ECORRUPT;
	const uint64_t signed_at = event.signed_at; /* what follows reads another record */
	const uint32_t signed_as = event.signed_as;
	error = net_keys_salt(receipts->net, &event, out->salt);
	return error ? error : find_claim(receipts, signed_at, signed_as, out);
}

enum ttg_error receipts_get(struct receipts *receipts, uint64_t sequence, struct receipt *out)
{
	assert(receipts->phase == READY);
	if (!stretch_path(receipts->stretch, sequence, &out->leaf, out->steps, &out->n_steps))
		return TTG_ENOENT;
	out->seal = receipts->seal;
	memcpy(out->signature, receipts->sealed.signature, SEAL_SIGNATURE);
	out->is_claimed = false;
	return find_rest(receipts, sequence, out);
}
