/*
 * Documents on their way. See job.h. The order of steps is the promise: durable, state, file. It
 * never moves a file whose events are not all in the outbox, and never commits a state whose
 * events could still be lost. Owned by the adapter's only thread.
 */
#include "common/job.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HTTP_ACCEPTED    202
#define HTTP_BAD_REQUEST 400
#define HTTP_TOO_LARGE   413
#define HTTP_TOO_MANY    429
#define HTTP_UNAVAILABLE 503

static void *tag_of(const struct intake_event *event)
{
	return (void *)((uintptr_t)event->type + 1);
}

static enum ttg_error settle_state(const struct job_world *world, bool durable,
                                   struct message *message)
{
	if (world->kind->settle == NULL)
		return TTG_OK;
	return world->kind->settle(world->reader, durable, message);
}

static enum ttg_error read_document(const struct job_world *world, const struct document *document,
                                    struct intake *intake, struct message *message)
{
	const struct adapter_kind *kind = world->kind;
	bool known = (document->form == DOCUMENT_JSON && kind->takes_json) ||
	             (document->form == DOCUMENT_XML && kind->takes_xml) ||
	             (document->form == DOCUMENT_CSV && kind->takes_csv);

	world->counters->documents_taken++;
	if (!known) {
		intake_refuse(intake, TTG_EFORMAT,
		              document->form == DOCUMENT_UNKNOWN ? "is empty"
		                                                 : "has a form not read here");
		return TTG_OK;
	}
	return kind->read(world->reader, document, intake, message);
}

enum ttg_error job_begin(struct job *job, const struct job_world *world, struct message *message)
{
	int64_t now_ns;
	enum ttg_error error;

	do {
		error = spool_next(world->spool, &job->file, message);
		if (error == TTG_ELIMIT) {
			world->counters->documents_taken++;
			world->counters->documents_failed++;
		}
	} while (error == TTG_ELIMIT);
	world->counters->files_skipped = spool_skipped(world->spool);
	if (error != TTG_OK)
		return error;
	now_ns = world_real()->real_ns(world_real()->self);
	job->document = (struct document){
		.name = job->file.name,
		.bytes = job->file.bytes,
		.len = job->file.len,
		.form = document_guess(job->file.bytes, job->file.len),
		.seen_ns = job->file.modified_ns < now_ns ? job->file.modified_ns : now_ns,
	};
	job->next = 0;
	job->active = true;
	intake_init(&job->intake);
	error = read_document(world, &job->document, &job->intake, message);
	if (error != TTG_OK)
		job_abandon(job);
	return error;
}

void job_abandon(struct job *job)
{
	intake_fini(&job->intake);
	spool_file_fini(&job->file);
	job->active = false;
}

static size_t fill_items(const struct intake *intake, size_t from, size_t max,
                         struct ttg_publish_item items[])
{
	size_t n = intake->n_events - from < max ? intake->n_events - from : max;

	for (size_t i = 0; i < n; i++) {
		const struct intake_event *event = &intake->events[from + i];

		items[i] = (struct ttg_publish_item){ .id = event->id,
			                              .event = event->bytes,
			                              .event_bytes = event->len,
			                              .tag = tag_of(event) };
	}
	return n;
}

/* One event is not to the library's liking, for example too large: the others go without it. */
static enum ttg_error publish_singly(struct job *job, const struct job_world *world, size_t n)
{
	struct ttg_publish_item item;
	char text[96];

	for (size_t i = 0; i < n; i++) {
		fill_items(&job->intake, job->next, 1, &item);
		enum ttg_error error = world->outlet.publish(world->outlet.user, &item, 1);

		if (error == TTG_ELIMIT || error == TTG_EINVAL) {
			snprintf(text, sizeof(text), "event %zu of the document: %s", job->next + 1,
			         ttg_error_text(error));
			error = intake_add_problem(&job->intake, 0, error, text, NULL, 0);
			job->intake.rejected_cut = true; /* its line is not known: keep all */
		} else if (error == TTG_OK) {
			world->counters->published++;
		}
		if (error != TTG_OK)
			return error;
		job->next++;
	}
	return TTG_OK;
}

static enum ttg_error settle_file(const struct job *job, const struct job_world *world,
                                  struct message *message)
{
	const struct intake *intake = &job->intake;
	enum ttg_error error;
	char *reason;

	if (!intake->refused && intake->total_problems == 0) {
		world->counters->documents_done++;
		return spool_done(world->spool, job->file.name, message);
	}
	world->counters->documents_failed++;
	reason = intake_reason_text(intake);
	if (reason == NULL)
		return message_set(message, TTG_ENOMEM, "no memory");
	if (intake->refused || intake->rejected == NULL || intake->rejected_cut)
		error = spool_failed(world->spool, job->file.name, reason, message);
	else
		error = spool_partly(world->spool, job->file.name, intake->rejected,
		                     intake->rejected_len, reason, message);
	free(reason);
	return error;
}

enum ttg_error job_step(struct job *job, const struct job_world *world, struct message *message)
{
	struct ttg_publish_item items[JOB_CHUNK];
	enum ttg_error error = TTG_OK;

	while (!job->intake.refused && job->next < job->intake.n_events) {
		size_t n = fill_items(&job->intake, job->next, JOB_CHUNK, items);

		error = world->outlet.publish(world->outlet.user, items, n);
		if (error == TTG_OK) {
			job->next += n;
			world->counters->published += n;
		} else if (error == TTG_ELIMIT || error == TTG_EINVAL) {
			error = publish_singly(job, world, n);
		}
		if (error == TTG_EAGAIN || error == TTG_ENOSPC)
			return TTG_EAGAIN;
		if (error != TTG_OK)
			return message_set(message, error, "cannot put events into the outbox: %s",
			                   ttg_error_text(error));
	}
	error = settle_state(world, !job->intake.refused, message);
	if (error == TTG_OK)
		error = settle_file(job, world, message);
	if (error != TTG_OK)
		return error;
	counters_add_intake(world->counters, &job->intake);
	job_abandon(job);
	return TTG_OK;
}

static unsigned publish_all(const struct job_world *world, const struct intake *intake,
                            enum ttg_error *code, struct message *message)
{
	struct ttg_publish_item *items;
	enum ttg_error error;

	if (intake->n_events == 0)
		return HTTP_ACCEPTED;
	*code = TTG_ELIMIT;
	message_set(message, TTG_ELIMIT, "more than %d events in one request; use the spool",
	            JOB_HTTP_EVENTS_MAX);
	if (intake->n_events > JOB_HTTP_EVENTS_MAX)
		return HTTP_TOO_LARGE;
	items = calloc(intake->n_events, sizeof(*items));
	if (items == NULL)
		return HTTP_UNAVAILABLE;
	fill_items(intake, 0, intake->n_events, items);
	error = world->outlet.publish(world->outlet.user, items, intake->n_events);
	free(items);
	*code = error;
	message_set(message, error, "%s", ttg_error_text(error));
	if (error == TTG_OK) {
		world->counters->published += intake->n_events;
		return HTTP_ACCEPTED;
	}
	if (error == TTG_ELIMIT || error == TTG_EINVAL)
		return HTTP_TOO_LARGE;
	return error == TTG_ENOSPC ? HTTP_TOO_MANY : HTTP_UNAVAILABLE;
}

unsigned job_post(const struct job_world *world, const struct document *document, uint64_t *events,
                  uint64_t *ignored, enum ttg_error *code, struct message *message)
{
	struct intake intake;
	unsigned status = HTTP_UNAVAILABLE;

	intake_init(&intake);
	*code = read_document(world, document, &intake, message);
	if (*code != TTG_OK)
		goto out;
	if (intake.total_problems > 0) {
		*code = intake.problems[0].code;
		*message = intake.problems[0].message;
		status = HTTP_BAD_REQUEST;
	} else {
		status = publish_all(world, &intake, code, message);
	}
	*events = intake.n_events;
	*ignored = intake.ignored;
	if (status == HTTP_ACCEPTED)
		counters_add_intake(world->counters, &intake);
out:
	/* The events are durable by now; if the state is not, they come again with the same ids. */
	if (settle_state(world, status == HTTP_ACCEPTED, message) != TTG_OK) {
		*code = TTG_EIO;
		status = HTTP_UNAVAILABLE;
	}
	if (status == HTTP_ACCEPTED)
		world->counters->documents_done++;
	else
		world->counters->documents_failed++;
	intake_fini(&intake);
	return status;
}
