/*
 * A receipt for one event, for the operator. What was accepted a moment ago is not sealed yet: then
 * the request waits, as long as its client does, if there is a signer to wait for.
 */
#include <stdlib.h>
#include <string.h>

#include "net/control_request.h"
#include "net/receipts.h"

struct receipt_job {
	struct receipts *receipts;
	uint64_t sequence; /* of the event */
};

static void free_job(void *arg)
{
	struct receipt_job *job = arg;

	receipts_close(&job->receipts);
	free(job);
}

static void answer(struct control_request *request)
{
	struct receipt_job *job = request->job;
	char text[RECEIPT_TEXT_MAX];
	struct receipt receipt;

	const enum ttg_error error = receipts_get(job->receipts, job->sequence, &receipt);
	if (error) {
		control_end(request, error, "%s",
			    error == TTG_EPERM	 ? "the person it is about was erased" :
			    error == TTG_ECRYPTO ? "the way to the seal cannot be computed" :
						   ttg_error_text(error));
		return;
	}
	const size_t len = receipt_write(&receipt, text);
	control_item(request, json_pack("{s:I, s:I, s:o, s:s#}", "sequence",
					(json_int_t)job->sequence, "seal",
					(json_int_t)receipt.seal.number, "sealed_at",
					control_time(receipt.seal.sealed_ns), "receipt", text, len));
	control_end(request, TTG_OK, "%s", "");
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

static void explain(struct control_request *request, const struct receipt_job *job)
{
	const enum ttg_error error = receipts_error(job->receipts);

	control_end(request, error, "%s",
		    error == TTG_ENOENT	  ? "part of what its seal covers is no longer held" :
		    error == TTG_ECORRUPT ? "the journal is not what its seal says" :
					    ttg_error_text(error));
}

static void receipt_step(struct control_request *request)
{
	struct receipt_job *job = request->job;

	request->idle = false;
	switch (receipts_step(job->receipts)) {
	case RECEIPTS_UNSEALED:
		wait_for_seal(request);
		break;
	case RECEIPTS_FOUND:
		if (!receipts_want(job->receipts, job->sequence))
			control_end(request, TTG_ENOMEM, "%s", ttg_error_text(TTG_ENOMEM));
		break;
	case RECEIPTS_READY:
		answer(request);
		break;
	case RECEIPTS_FAILED:
		explain(request, job);
		break;
	case RECEIPTS_MORE:
	default:
		break;
	}
}

void control_receipt(struct control_request *request)
{
	const uint64_t sequence = control_event(request);

	if (sequence == 0)
		return;
	struct receipt_job *job = calloc(1, sizeof *job);
	enum ttg_error error =
		job ? receipts_open(&job->receipts, request->net) : TTG_ENOMEM;
	if (!error)
		error = receipts_begin(job->receipts, sequence);
	if (error && error != TTG_EAGAIN) {
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
	request->step = receipt_step;
}
