/*
 * History read back from the journal: tail and trace. Each request has a reader of its own and
 * looks at a bounded number of records a cycle, so that events keep flowing.
 */
#include <stdlib.h>
#include <string.h>

#include <ttg/event.h>
#include "core/record.h"
#include "core/redelivery.h"
#include "core/signed.h"
#include "net/control_request.h"
#include "net/course.h"

#define RECORDS_A_SLICE 2000
#define TAIL_LOOKS_BACK 100000u
#define TAIL_MAX 1000
#define TRACE_READS_MAX 10000000u
#define POSITIONS_SHOWN 256u

struct history_job {
	struct journal_reader *reader;
	json_t **ring;         /* tail: the last `count` lines until the end is reached */
	size_t count, n;       /* n: lines seen */
	bool follow, caught_up;

	struct course course;  /* trace */
	uint64_t next;         /* to be read */
	uint64_t from, until;  /* it may be given again between these; 0: it is not */
	uint64_t reads;
};

static const char *const kind_words[] = {
	[CORE_HISTORY_ACCEPTED] = "accepted",	[CORE_HISTORY_DELIVERED] = "delivered",
	[CORE_HISTORY_ACKED] = "acked",		[CORE_HISTORY_NACKED] = "nacked",
	[CORE_HISTORY_PARKED] = "parked",	[CORE_HISTORY_RETRIED] = "retried",
	[CORE_HISTORY_DISCARDED] = "discarded", [CORE_HISTORY_ESCALATED] = "escalated",
	[CORE_HISTORY_EXPIRED] = "expired",	[CORE_HISTORY_STOPPED] = "stopped",
	[CORE_HISTORY_RULES] = "rules",		[CORE_HISTORY_GIVEN_UP] = "given_up",
	[CORE_HISTORY_LATE] = "late",		[CORE_HISTORY_DECIDED] = "decided",
	[CORE_HISTORY_CONSULTED] = "consulted", [CORE_HISTORY_ERASED] = "erased",
	[CORE_HISTORY_LAPSED] = "lapsed",	[CORE_HISTORY_AGAIN] = "again",
	[CORE_HISTORY_REDELIVER] = "redeliver",
};

static void free_job(void *arg)
{
	struct history_job *job = arg;
	journal_reader_close(&job->reader);
	for (size_t i = 0; job->ring && i < job->count; i++)
		json_decref(job->ring[i]);
	free(job->ring);
	course_fini(&job->course);
	free(job);
}

/* Fields every line has, and those of its kind but positions. */
static json_t *line_head(uint64_t sequence, const struct core_history *history)
{
	json_t *line = json_object();
	json_object_set_new(line, "kind", json_string(kind_words[history->kind]));
	json_object_set_new(line, "at", control_time(history->at_ns));
	json_object_set_new(line, "sequence", json_integer((json_int_t)sequence));
	if (history->event_id) {
		char id[TTG_UUID_TEXT];
		ttg_uuid_format(history->event_id, id);
		json_object_set_new(line, "type", json_string(history->type));
		json_object_set_new(line, "source", json_string(history->source));
		json_object_set_new(line, "event_id", json_string(id));
		json_object_set_new(line, "person_key",
				    control_hex(history->person_key, CORE_PERSON_KEY));
		json_object_set_new(line, "recipients",
				    json_integer((json_int_t)history->n_recipients));
		if (history->mailbox)
			json_object_set_new(line, "mailbox", json_string(history->mailbox));
		if (history->n_waiting > 0)
			json_object_set_new(line, "waiting",
					    json_integer((json_int_t)history->n_waiting));
	} else if (history->who) {
		json_object_set_new(line, "who", json_string(history->who));
		if (history->mailbox)
			json_object_set_new(line, "mailbox", json_string(history->mailbox));
		else if (history->person_key)
			json_object_set_new(line, "person_key",
					    control_hex(history->person_key, CORE_PERSON_KEY));
		else
			json_object_set_new(line, "event_sequence",
					    json_integer((json_int_t)history->event_sequence));
	} else if (history->kind != CORE_HISTORY_RULES) {
		json_object_set_new(line, "mailbox",
				    history->mailbox ? json_string(history->mailbox) : json_null());
	}
	const bool attempted = history->kind == CORE_HISTORY_DELIVERED ||
			       history->kind == CORE_HISTORY_NACKED ||
			       history->kind == CORE_HISTORY_PARKED;
	if (attempted)
		json_object_set_new(line, "attempt", json_integer(history->attempt));
	if (attempted && history->kind != CORE_HISTORY_DELIVERED)
		json_object_set_new(line, "reason", json_string(control_reason(history->reason)));
	return line;
}

static json_t *tail_line(uint64_t sequence, const struct core_history *history)
{
	json_t *line = line_head(sequence, history);
	if (history->kind == CORE_HISTORY_ACKED || history->kind == CORE_HISTORY_GIVEN_UP)
		json_object_set_new(line, "up_to", json_integer((json_int_t)history->up_to));
	if (history->n_positions > 0) {
		json_t *positions = json_array();
		for (size_t i = 0; i < history->n_positions && i < POSITIONS_SHOWN; i++)
			json_array_append_new(positions,
					      json_integer((json_int_t)history->positions[i]));
		json_object_set_new(line, "positions", positions);
		json_object_set_new(line, "positions_total",
				    json_integer((json_int_t)history->n_positions));
	}
	return line;
}

/* Next record that is history. TTG_EAGAIN at the durable end. */
static enum ttg_error next_history(struct control_request *request, uint64_t *sequence,
				   struct core_history *history)
{
	struct history_job *job = request->job;
	struct journal_record record;
	const enum ttg_error error = journal_reader_next(job->reader, sequence, &record);
	if (error)
		return error;
	if (!core_history_read(request->net->core, *sequence, record.kind, record.data, record.len,
			       history))
		return TTG_ENOENT;
	return TTG_OK;
}

static void tail_caught_up(struct control_request *request)
{
	struct history_job *job = request->job;
	if (!job->caught_up) {
		job->caught_up = true;
		for (size_t i = 0; i < job->count; i++) {
			const size_t at = (job->n + i) % job->count;
			if (job->ring[at])
				control_item(request, job->ring[at]);
			job->ring[at] = NULL;
		}
	}
	if (job->follow)
		request->idle = true;
	else
		control_end(request, TTG_OK, "%s", "");
}

static void tail_step(struct control_request *request)
{
	struct history_job *job = request->job;
	request->idle = false;
	for (int i = 0; i < RECORDS_A_SLICE; i++) {
		uint64_t sequence = 0;
		struct core_history history;
		const enum ttg_error error = next_history(request, &sequence, &history);
		if (error == TTG_ENOENT)
			continue;
		if (error == TTG_EAGAIN) {
			tail_caught_up(request);
			return;
		}
		if (error) {
			control_end(request, error, "%s", ttg_error_text(error));
			return;
		}
		json_t *line = job->caught_up || job->count > 0 ? tail_line(sequence, &history) :
								  NULL;
		if (job->caught_up) {
			control_item(request, line);
		} else if (job->count > 0) {
			json_decref(job->ring[job->n % job->count]);
			job->ring[job->n++ % job->count] = line;
		}
	}
}

static struct history_job *start_job(struct control_request *request, uint64_t from,
				     void (*step)(struct control_request *request))
{
	struct history_job *job = calloc(1, sizeof *job);
	enum ttg_error error = job ? journal_reader_open(&job->reader, request->net->journal) :
				     TTG_ENOMEM;
	if (!error)
		error = journal_reader_seek(job->reader, from);
	if (error && error != TTG_EAGAIN) {
		if (job)
			free_job(job);
		control_end(request, error, "%s", ttg_error_text(error));
		return NULL;
	}
	request->job = job;
	request->free_job = free_job;
	request->step = step;
	return job;
}

void control_tail(struct control_request *request)
{
	int64_t count = 20;
	bool follow = false;
	if (!control_integer(request, "count", false, 0, TAIL_MAX, &count) ||
	    !control_bool(request, "follow", &follow))
		return;
	struct journal_stats stats;
	journal_get_stats(request->net->journal, &stats);
	uint64_t from = stats.durable_sequence + 1;
	if (count > 0)
		from = from > TAIL_LOOKS_BACK ? from - TAIL_LOOKS_BACK : 1;
	if (from < stats.first_sequence)
		from = stats.first_sequence;
	struct history_job *job = start_job(request, from, tail_step);
	if (!job)
		return;
	job->follow = follow;
	job->count = (size_t)count;
	job->ring = calloc(job->count + 1, sizeof(json_t *));
	if (!job->ring)
		control_end(request, TTG_ENOMEM, "%s", ttg_error_text(TTG_ENOMEM));
}

/* Fingerprint of the key that the publisher signed with; null when that record is no longer held. */
static json_t *signed_by(struct control_request *request, uint64_t signed_at)
{
	struct journal_record record;
	struct signed_frame frame;

	if (records_read(request->net->records, signed_at, &record) != TTG_OK ||
	    record.kind != RECORD_SIGNED || !record_get_signed(record.data, record.len, &frame))
		return json_null();
	return control_hex(frame.key, SIGNED_KEY);
}

/* A record that gave the event to mailboxes: its line, and one for each recipient. */
static void trace_accepted(struct control_request *request, uint64_t sequence,
			   const struct core_history *history)
{
	struct history_job *job = request->job;
	size_t first = 0;
	json_t *line = line_head(sequence, history);
	if (history->signed_at != 0)
		json_object_set_new(line, "signed_by", signed_by(request, history->signed_at));
	control_item(request, line);
	if (!course_accept(&job->course, request->net->core, history, &first)) {
		control_end(request, TTG_ENOMEM, "%s", ttg_error_text(TTG_ENOMEM));
		return;
	}
	for (size_t i = first; i < job->course.n; i++)
		control_item(request, json_pack("{s:s, s:s, s:I}", "kind", "recipient", "mailbox",
						job->course.recipients[i].mailbox, "position",
						(json_int_t)job->course.recipients[i].position));
}

/* A record that concerns a recipient, on its way to a line. */
struct trace_line {
	struct control_request *request;
	uint64_t sequence;
	const struct core_history *history;
};

static void trace_record(void *arg, const struct course_recipient *recipient)
{
	const struct trace_line *it = arg;
	json_t *line = line_head(it->sequence, it->history);
	json_object_set_new(line, "mailbox", json_string(recipient->mailbox));
	json_object_set_new(line, "position", json_integer((json_int_t)recipient->position));
	control_item(it->request, line);
}

/* What is settled is looked for once more only where mailboxes were delivered again. */
static bool trace_goes_on(struct history_job *job)
{
	if (!course_is_over(&job->course) || (job->next >= job->from && job->next <= job->until))
		return true;
	if (job->next > job->until)
		return false;
	job->next = job->from;
	return journal_reader_seek(job->reader, job->from) == TTG_OK;
}

static void trace_step(struct control_request *request)
{
	struct history_job *job = request->job;
	for (int i = 0; i < RECORDS_A_SLICE && !request->ended; i++) {
		uint64_t sequence = 0;
		struct core_history history;
		const enum ttg_error error = trace_goes_on(job) ?
						     next_history(request, &sequence, &history) :
						     TTG_EAGAIN;
		if (error == TTG_EAGAIN) {
			control_end(request, job->course.accepted ? TTG_OK : TTG_ENOENT, "%s",
				    job->course.accepted ? "" : "that event is no longer held");
			return;
		}
		job->next = sequence + 1;
		if (++job->reads > TRACE_READS_MAX) {
			control_end(request, TTG_ELIMIT, "stopped after %u records",
				    TRACE_READS_MAX);
			return;
		}
		if (error == TTG_ENOENT)
			continue;
		if (error) {
			control_end(request, error, "%s", ttg_error_text(error));
			return;
		}
		struct trace_line line = { request, sequence, &history };
		if (course_begins(&job->course, sequence, &history))
			trace_accepted(request, sequence, &history);
		else
			course_take(&job->course, &history, trace_record, &line);
	}
}

void control_trace(struct control_request *request)
{
	const uint64_t sequence = control_event(request);
	if (sequence == 0)
		return;
	struct history_job *job = start_job(request, sequence, trace_step);
	if (job) {
		job->course.sequence = sequence;
		job->course.repeats = true;
		core_repeats(request->net->core, sequence, &job->from, &job->until);
	}
}
