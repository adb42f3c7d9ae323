/*
 * The operator's works that take time: reload, backup. A backup runs in a thread of its own. It is called off
 * and joined when its client hangs up or the daemon stops, because it holds back retention.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/archiver.h"
#include "net/control.h"
#include "net/control_request.h"

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
