/*
 * A receipt for one event, made of the journal alone: forward to the seal that covers it, then over
 * what the seal covers for the way from the event's leaf to the root. In slices, as trace.
 *
 * What was accepted a moment ago is not sealed yet: then the request waits, as long as its client
 * does, if there is a signer to wait for.
 */
#include <stdlib.h>
#include <string.h>

#include "core/record.h"
#include "core/sealed.h"
#include "evidence/receipt.h"
#include "evidence/stretch.h"
#include "net/control_request.h"
#include "net/keys.h"
#include "net/sealer.h"

#define RECORDS_A_SLICE 2000

struct receipt_job {
	struct journal_reader *reader;
	struct stretch *stretch;
	uint64_t sequence; /* of the event */
	struct receipt receipt;
	struct sealed seal; /* number 0: not found yet */
};

static void free_job(void *arg)
{
	struct receipt_job *job = arg;

	journal_reader_close(&job->reader);
	stretch_free(&job->stretch);
	free(job);
}

static void answer(struct control_request *request)
{
	struct receipt_job *job = request->job;
	struct receipt *receipt = &job->receipt;
	char text[RECEIPT_TEXT_MAX];
	struct seal found;

	if (!stretch_describe(job->stretch, &found) ||
	    !stretch_path(job->stretch, &receipt->leaf, receipt->steps, &receipt->n_steps)) {
		control_end(request, TTG_ECRYPTO, "the way to the seal cannot be computed");
		return;
	}
	if (memcmp(found.root, receipt->seal.root, EVIDENCE_HASH) != 0) {
		control_end(request, TTG_ECORRUPT, "the journal is not what seal %llu says",
			    (unsigned long long)receipt->seal.number);
		return;
	}
	memcpy(receipt->signature, job->seal.signature, SEAL_SIGNATURE);
	const size_t len = receipt_write(receipt, text);
	control_item(request, json_pack("{s:I, s:I, s:o, s:s#}", "sequence",
					(json_int_t)job->sequence, "seal",
					(json_int_t)receipt->seal.number, "sealed_at",
					control_time(receipt->seal.sealed_ns), "receipt", text, len));
	control_end(request, TTG_OK, "%s", "");
}

static enum ttg_error find_salt(struct control_request *request, const struct journal_record *record)
{
	struct receipt_job *job = request->job;
	struct record_event event;

	if (record->kind != RECORD_EVENT || !record_get_event(record->data, record->len, &event))
		return TTG_ECORRUPT;
	return net_keys_salt(request->net, &event, job->receipt.salt);
}

/* Over what the seal covers. */
static void build_step(struct control_request *request)
{
	struct receipt_job *job = request->job;
	struct journal_record record;
	uint64_t sequence = 0;
	enum ttg_error error = TTG_OK;

	for (int i = 0; !error && i < RECORDS_A_SLICE; i++) {
		if (stretch_next(job->stretch) > job->seal.last) {
			answer(request);
			return;
		}
		error = journal_reader_next(job->reader, &sequence, &record);
		if (!error)
			error = stretch_take(job->stretch, sequence, record.kind, record.data,
					     record.len);
		if (!error && sequence == job->sequence)
			error = find_salt(request, &record);
	}
	if (error)
		control_end(request, error, "%s",
			    error == TTG_ENOENT ? "part of what its seal covers is no longer held" :
			    error == TTG_EPERM	? "the person it is about was erased" :
						  ttg_error_text(error));
}

static void begin_to_build(struct control_request *request)
{
	struct receipt_job *job = request->job;
	const enum ttg_error error = journal_reader_seek(job->reader, job->seal.first);

	if (!seal_read(job->seal.text, job->seal.len, &job->receipt.seal)) {
		control_end(request, TTG_ECORRUPT, "the record of seal %llu cannot be read",
			    (unsigned long long)job->seal.number);
		return;
	}
	if (error) {
		control_end(request, error, "part of what its seal covers is no longer held");
		return;
	}
	stretch_begin(job->stretch, job->seal.first);
	stretch_watch(job->stretch, job->sequence);
	request->step = build_step;
}

/* The end of the journal, and no seal over the event. */
static void wait_for_seal(struct control_request *request)
{
	if (request->net->sealer)
		request->idle = true;
	else
		control_end(request, TTG_ENOENT,
			    "it is not sealed, and seals.signer_socket is not configured");
}

static void find_step(struct control_request *request)
{
	struct receipt_job *job = request->job;
	struct journal_record record;
	uint64_t sequence = 0;

	request->idle = false;
	for (int i = 0; i < RECORDS_A_SLICE; i++) {
		const enum ttg_error error = journal_reader_next(job->reader, &sequence, &record);

		if (error == TTG_EAGAIN) {
			wait_for_seal(request);
			return;
		}
		if (error) {
			control_end(request, error, "%s",
				    error == TTG_ENOENT ? "that event is no longer held" :
							  ttg_error_text(error));
			return;
		}
		if (record.kind != RECORD_SEAL ||
		    !record_get_seal(record.data, record.len, &job->seal))
			continue;
		if (job->seal.first <= job->sequence && job->sequence <= job->seal.last) {
			begin_to_build(request);
			return;
		}
	}
}

void control_receipt(struct control_request *request)
{
	const uint64_t sequence = control_event(request);
	uint8_t journal_id[EVIDENCE_ID];

	if (sequence == 0)
		return;
	struct receipt_job *job = calloc(1, sizeof *job);
	journal_get_id(request->net->journal, journal_id);
	if (job)
		job->stretch = stretch_new(journal_id);
	enum ttg_error error = job && job->stretch ? TTG_OK : TTG_ENOMEM;
	if (!error)
		error = journal_reader_open(&job->reader, request->net->journal);
	if (!error)
		error = journal_reader_seek(job->reader, sequence);
	if (error) {
		if (job)
			free_job(job);
		control_end(request, error, "%s",
			    error == TTG_ENOENT ? "that event is no longer held" :
						  ttg_error_text(error));
		return;
	}
	job->sequence = sequence;
	request->job = job;
	request->free_job = free_job;
	request->step = find_step;
}
