/*
 * The operator's long works: reload, backup, verify. Backup and verify run in threads of their own.
 * Verify touches nothing of the loop's, it reads the files as any other program could. It goes on
 * when its client hangs up, so there is one at a time: its job object is shared by the thread, the
 * request and the server, which asks it whether the last one is over; whoever lets go last frees it.
 * A backup is called off and joined when its client hangs up or the daemon stops, because it holds
 * back retention.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/keyfile.h"
#include "base/secret.h"
#include "net/archiver.h"
#include "net/control.h"
#include "net/control_request.h"

#define PROGRESS_NS 1000000000LL

struct verify_job {
	atomic_int holders;
	char directory[CONFIG_PATH_MAX];
	uint8_t *key; /* a secret (base/secret.h) */
	const struct world *world;
	atomic_uint_fast64_t done_bytes, all_bytes;
	atomic_bool finished;
	enum ttg_error error;             /* of the thread, readable after finished */
	struct journal_verify_result result;
	struct message message;
	int64_t told_ns;                  /* the loop's */
};

static void let_go(void *arg)
{
	struct verify_job *job = arg;
	if (atomic_fetch_sub(&job->holders, 1) > 1)
		return;
	secret_free(job->key);
	free(job);
}

static void on_progress(void *arg, uint64_t done_bytes, uint64_t all_bytes)
{
	struct verify_job *job = arg;
	atomic_store(&job->done_bytes, done_bytes);
	atomic_store(&job->all_bytes, all_bytes);
}

static void *verify_thread(void *arg)
{
	struct verify_job *job = arg;
	job->error = journal_verify(job->directory, job->key, job->world, 1, on_progress, job,
				    &job->result, &job->message);
	atomic_store(&job->finished, true);
	let_go(job);
	return NULL;
}

static void verify_step(struct control_request *request)
{
	struct verify_job *job = request->job;
	request->idle = true;
	request->watch = true;
	const int64_t now = request->net->world->mono_ns(request->net->world->self);
	if (!atomic_load(&job->finished)) {
		if (now - job->told_ns < PROGRESS_NS)
			return;
		job->told_ns = now;
		control_item(request,
			     json_pack("{s:I, s:I}", "done_bytes",
				       (json_int_t)atomic_load(&job->done_bytes), "all_bytes",
				       (json_int_t)atomic_load(&job->all_bytes)));
		return;
	}
	const struct journal_verify_result *r = &job->result;
	if (!job->error)
		control_item(request,
			     json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "segments",
				       (json_int_t)r->segments, "batches", (json_int_t)r->batches,
				       "records", (json_int_t)r->records, "bytes",
				       (json_int_t)r->bytes, "first_sequence",
				       (json_int_t)r->first_sequence, "last_sequence",
				       (json_int_t)r->last_sequence, "torn_bytes",
				       (json_int_t)r->torn_bytes, "chain_head",
				       control_hex(r->chain_head, sizeof r->chain_head)));
	control_end(request, job->error, "%s", job->error ? job->message.text : "");
}

void control_forget_verify(struct net *net)
{
	if (net->verify)
		let_go(net->verify);
	net->verify = NULL;
}

void control_verify(struct control_request *request)
{
	struct net *net = request->net;
	struct message message = { "" };
	if (net->verify && !atomic_load(&net->verify->finished)) {
		control_end(request, TTG_EAGAIN, "the journal is being verified already");
		return;
	}
	struct verify_job *job = calloc(1, sizeof *job);
	if (job)
		job->key = secret_new(KEYFILE_SYMMETRIC);
	if (!job || !job->key) {
		free(job);
		control_end(request, TTG_ENOMEM, "%s", ttg_error_text(TTG_ENOMEM));
		return;
	}
	atomic_store(&job->holders, 3);
	job->world = net->world;
	job->told_ns = net->world->mono_ns(net->world->self);
	snprintf(job->directory, sizeof job->directory, "%s", net->config->journal_directory);
	enum ttg_error error =
		keyfile_read_symmetric(net->config->journal_key_file, job->key, &message);
	pthread_t thread;
	if (!error && pthread_create(&thread, NULL, verify_thread, job) != 0)
		error = message_set(&message, TTG_ESYS, "cannot start a thread");
	if (error) {
		secret_free(job->key);
		free(job);
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

struct backup_job {
	struct journal_backup *backup;
	pthread_t thread;
	atomic_bool finished;
	enum ttg_error error;
	struct message message;
	char directory[CONTROL_REQUEST_MAX];
};

/* The client is gone or the answer is given; the thread is not needed any more. */
static void end_backup(void *arg)
{
	struct backup_job *job = arg;
	journal_backup_cancel(job->backup);
	pthread_join(job->thread, NULL);
	journal_backup_end(&job->backup);
	free(job);
}

static void *backup_thread(void *arg)
{
	struct backup_job *job = arg;
	job->error = journal_backup_run(job->backup, &job->message);
	atomic_store(&job->finished, true);
	return NULL;
}

static void backup_step(struct control_request *request)
{
	struct backup_job *job = request->job;
	request->idle = true;
	request->watch = true;
	if (!atomic_load(&job->finished))
		return;
	if (!job->error) {
		log_write(request->net->log, LOG_LEVEL_NOTICE, "backup_written",
			  "uid=%u sequence=%llu", request->uid,
			  (unsigned long long)journal_backup_sequence(job->backup));
		control_item(request,
			     json_pack("{s:s, s:I}", "directory", job->directory, "last_sequence",
				       (json_int_t)journal_backup_sequence(job->backup)));
	}
	control_end(request, job->error, "%s", job->error ? job->message.text : "");
}

/* NULL: the request was ended. */
static struct journal *journal_to_copy(struct control_request *request, bool of_archive)
{
	const struct archive *archive = NULL;
	const char *why = "";
	bool soon = false;

	if (!of_archive)
		return request->net->journal;
	if (request->net->archiver)
		archive = archiver_archive(request->net->archiver, &why, &soon);
	if (archive)
		return archive_files(archive);
	if (!request->net->archiver)
		control_end(request, TTG_ENOENT, "no archive is kept");
	else
		control_end(request, soon ? TTG_EAGAIN : TTG_EIO, "the archive cannot be read: %s",
			    soon ? "it is being proven" : why);
	return NULL;
}

void control_backup(struct control_request *request)
{
	const char *directory = NULL;
	bool archive = false;
	if (!control_string(request, "directory", true, &directory) ||
	    !control_bool(request, "archive", &archive))
		return;
	if (directory[0] != '/') {
		control_end(request, TTG_EINVAL, "directory must be an absolute path");
		return;
	}
	struct journal *journal = journal_to_copy(request, archive);
	if (!journal)
		return;
	struct message message = { "" };
	struct backup_job *job = calloc(1, sizeof *job);
	enum ttg_error error = job ? journal_backup_begin(&job->backup, journal, directory, &message) :
				     message_set(&message, TTG_ENOMEM, "no memory");
	if (!error) {
		snprintf(job->directory, sizeof job->directory, "%s", directory);
		if (pthread_create(&job->thread, NULL, backup_thread, job) != 0) {
			journal_backup_end(&job->backup);
			error = message_set(&message, TTG_ESYS, "cannot start a thread");
		}
	}
	if (error) {
		free(job);
		control_end(request, error, "%s", message.text);
		return;
	}
	request->job = job;
	request->free_job = end_backup;
	request->step = backup_step;
}

static json_t *restart_list(const char *names)
{
	json_t *list = json_array();
	while (*names) {
		const size_t len = strcspn(names, ", ");
		if (len > 0)
			json_array_append_new(list, json_stringn(names, len));
		names += len + strspn(names + len, ", ");
	}
	return list;
}

void control_reload(struct control_request *request)
{
	struct net *net = request->net;
	struct config_errors *errors = config_errors_new();
	if (!errors) {
		control_end(request, TTG_ENOMEM, "%s", ttg_error_text(TTG_ENOMEM));
		return;
	}
	const uint64_t closed = net->counters.sessions_closed;
	char restart[CONFIG_TEXT_MAX] = "";
	const bool fine = net_reload_now(net, errors, restart);
	for (size_t i = 0; i < config_errors_lines(errors); i++) {
		bool warning = false;
		const char *line = config_errors_line(errors, i, &warning);
		control_item(request,
			     json_pack("{s:s, s:b}", "message", line, "warning", (int)warning));
	}
	config_errors_free(&errors);
	if (!fine) {
		control_end(request, TTG_EFORMAT, "the configuration has errors, nothing changed");
		return;
	}
	const struct rules *rules = net->config->rules;
	request->wait_durable = core_sequence(net->core);
	control_item(request, json_pack("{s:I, s:I, s:I, s:o, s:I}", "agencies",
					(json_int_t)rules->n_agencies, "mailboxes",
					(json_int_t)rules->n_mailboxes, "agreements",
					(json_int_t)rules->n_agreements, "restart_needed",
					restart_list(restart), "sessions_ended",
					(json_int_t)(net->counters.sessions_closed - closed)));
	control_end(request, TTG_OK, "%s", "");
}
