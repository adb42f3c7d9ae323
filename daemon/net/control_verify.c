/*
 * The daemon proves its own journal, seals included when it has the signer's public key. A thread does
 * that; it touches nothing of the loop's and reads the files as any other program could. It goes on when
 * its client hangs up, so there is one at a time: its job object is shared by the thread, the request and
 * the server, which asks it whether the last one is over; whoever lets go last frees it.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/keyfile.h"
#include "base/secret.h"
#include "net/control.h"
#include "net/control_request.h"
#include "proof/proof.h"

#define PROGRESS_NS 1000000000LL
#define UNSEALED_MAX (4u << 20) /* events no seal covers yet, 40 bytes of memory each */

struct verify_job {
	atomic_int holders;
	char directory[CONFIG_PATH_MAX];
	uint8_t *key; /* a secret (base/secret.h) */
	struct check *check; /* NULL: seals are not compared */
	const struct world *world;
	atomic_uint_fast64_t done_bytes, all_bytes;
	atomic_bool finished;
	enum ttg_error error;             /* of the thread, readable after finished */
	struct proof_result result;
	struct message message;
	int64_t told_ns;                  /* the loop's */
};

static void free_job(struct verify_job *job)
{
	check_free(&job->check);
	secret_free(job->key);
	free(job);
}

static void let_go(void *arg)
{
	struct verify_job *job = arg;

	if (atomic_fetch_sub(&job->holders, 1) == 1)
		free_job(job);
}

static void on_progress(void *arg, uint64_t done_bytes, uint64_t all_bytes)
{
	struct verify_job *job = arg;

	atomic_store(&job->done_bytes, done_bytes);
	atomic_store(&job->all_bytes, all_bytes);
}

static enum ttg_error prove(struct verify_job *job)
{
	const struct proof_how how = { .directory = job->directory,
				       .key = job->key,
				       .world = job->world,
				       .max_unsealed = UNSEALED_MAX,
				       .progress = on_progress,
				       .arg = job };
	enum ttg_error error;

	if (!job->check)
		return journal_verify(job->directory, job->key, job->world, 1, on_progress, job,
				      &job->result.journal, &job->message);
	error = proof_run(&how, job->check, &job->result, &job->message);
	return error == TTG_ECLOSED ? TTG_ECORRUPT : error; /* whole, and not what was sealed */
}

static void *verify_thread(void *arg)
{
	struct verify_job *job = arg;

	job->error = prove(job);
	atomic_store(&job->finished, true);
	let_go(job);
	return NULL;
}

static json_t *number_or_null(bool is, uint64_t number)
{
	return is ? json_integer((json_int_t)number) : json_null();
}

static void tell_result(struct control_request *request, const struct verify_job *job)
{
	const struct journal_verify_result *r = &job->result.journal;
	const struct check_result *seals = &job->result.seals;
	const bool sealed = job->check != NULL;

	control_item(request,
		     json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}",
			       "segments", (json_int_t)r->segments,
			       "batches", (json_int_t)r->batches,
			       "records", (json_int_t)r->records,
			       "bytes", (json_int_t)r->bytes,
			       "first_sequence", (json_int_t)r->first_sequence,
			       "last_sequence", (json_int_t)r->last_sequence,
			       "torn_bytes", (json_int_t)r->torn_bytes,
			       "chain_head", control_hex(r->chain_head, sizeof r->chain_head),
			       "seals", number_or_null(sealed, seals->seals),
			       "last_seal", number_or_null(sealed, seals->number),
			       "sealed_sequence", number_or_null(sealed, seals->sealed),
			       "sealed_at", control_time(seals->sealed_ns),
			       "unsealed_events", number_or_null(sealed, seals->unsealed_events)));
}

static void verify_step(struct control_request *request)
{
	struct verify_job *job = request->job;
	const int64_t now = request->net->world->mono_ns(request->net->world->self);

	request->idle = true;
	request->watch = true;
	if (atomic_load(&job->finished)) {
		if (!job->error)
			tell_result(request, job);
		control_end(request, job->error, "%s", job->error ? job->message.text : "");
	} else if (now - job->told_ns >= PROGRESS_NS) {
		job->told_ns = now;
		control_item(request,
			     json_pack("{s:I, s:I}", "done_bytes", (json_int_t)atomic_load(&job->done_bytes),
				       "all_bytes", (json_int_t)atomic_load(&job->all_bytes)));
	}
}

void control_forget_verify(struct net *net)
{
	if (net->verify)
		let_go(net->verify);
	net->verify = NULL;
}

/* What the thread needs is read here, so that it need not look at the configuration. */
static enum ttg_error prepare(struct verify_job *job, const struct config *config, struct message *message)
{
	struct verify_key *public = NULL;
	enum ttg_error error = TTG_OK;

	snprintf(job->directory, sizeof job->directory, "%s", config->journal_directory);
	job->key = secret_new(KEYFILE_SYMMETRIC);
	if (!job->key)
		return message_set(message, TTG_ENOMEM, "%s", ttg_error_text(TTG_ENOMEM));
	error = keyfile_read_symmetric(config->journal_key_file, job->key, message);
	if (error || config->seal_public_file[0] == '\0')
		return error;
	error = verify_key_read(config->seal_public_file, &public, message);
	if (error)
		return error;
	job->check = check_new(public);
	return job->check ? TTG_OK : message_set(message, TTG_ENOMEM, "%s", ttg_error_text(TTG_ENOMEM));
}

void control_verify(struct control_request *request)
{
	struct net *net = request->net;
	struct message message = { "" };
	pthread_t thread;

	if (net->verify && !atomic_load(&net->verify->finished)) {
		control_end(request, TTG_EAGAIN, "the journal is being verified already");
		return;
	}
	struct verify_job *job = calloc(1, sizeof *job);
	if (!job) {
		control_end(request, TTG_ENOMEM, "%s", ttg_error_text(TTG_ENOMEM));
		return;
	}
	atomic_store(&job->holders, 3);
	job->world = net->world;
	job->told_ns = net->world->mono_ns(net->world->self);
	enum ttg_error error = prepare(job, net->config, &message);
	if (!error && pthread_create(&thread, NULL, verify_thread, job) != 0)
		error = message_set(&message, TTG_ESYS, "cannot start a thread");
	if (error) {
		free_job(job);
		control_end(request, error, "%s", message.text);
		return;
	}
	pthread_detach(thread);
	control_forget_verify(net);
	net->verify = job;
	request->job = job;
	request->free_job = let_go;
	request->step = verify_step;
}
