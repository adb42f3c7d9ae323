/* See states.h. */
#include "net/states.h"

#include <stdlib.h>
#include <string.h>

#include "net/course.h"
#include "net/net.h"
#include "net/send.h"

#define RECORDS_A_SLICE 500
#define ID_BYTES	16

struct asked {
	uint8_t id[ID_BYTES];
	int64_t accepted_ns;
	struct course course; /* its sequence 0: not known */
};

struct question {
	struct question *next;
	struct session *session;
	uint64_t ask;
	struct journal_reader *reader; /* NULL: not begun */
	uint64_t reads;
	size_t n;
	struct asked events[];
};

static void question_free(struct question *question)
{
	journal_reader_close(&question->reader);
	for (size_t i = 0; i < question->n; i++)
		course_fini(&question->events[i].course);
	question->session->n_asked--;
	free(question);
}

bool states_ask(struct net *net, struct session *session, const Ttg__AskState *ask)
{
	struct states *it = &net->states;
	struct question *question = NULL;

	if (session->n_asked < STATES_OF_SESSION && it->n < STATES_IN_ALL)
		question = calloc(1, sizeof *question + ask->n_events * sizeof *question->events);
	if (!question)
		return false;
	question->session = session;
	question->ask = ask->ask;
	question->n = ask->n_events;
	for (size_t i = 0; i < question->n; i++)
		memcpy(question->events[i].id, ask->events[i].data, ID_BYTES);
	if (it->last)
		it->last->next = question;
	else
		it->first = question;
	it->last = question;
	it->n++;
	session->n_asked++;
	return true;
}

void states_forget(struct net *net, const struct session *session)
{
	struct states *it = &net->states;
	struct question **at = &it->first;

	it->last = NULL;
	while (*at) {
		struct question *question = *at;

		if (question->session != session) {
			it->last = question;
			at = &question->next;
			continue;
		}
		*at = question->next;
		it->n--;
		question_free(question);
	}
}

static void drop_first(struct states *it)
{
	struct question *question = it->first;

	it->first = question->next;
	if (!it->first)
		it->last = NULL;
	it->n--;
	question_free(question);
}

static void fill(const struct asked *event, enum ttg_error code, Ttg__State *out)
{
	ttg__state__init(out);
	out->event = (ProtobufCBinaryData){ ID_BYTES, (uint8_t *)(uintptr_t)event->id };
	if (!event->course.accepted)
		code = TTG_ASKED_UNKNOWN;
	else if (course_is_over(&event->course))
		code = TTG_OK; /* nothing that was not read could change it */
	out->code = (uint32_t)code;
	if (code)
		return;
	out->sequence = event->course.sequence;
	out->accepted_ns = event->accepted_ns;
	for (size_t i = 0; i < event->course.n; i++) {
		out->delivered += event->course.recipients[i].delivered;
		out->acknowledged += event->course.recipients[i].acknowledged;
	}
}

/* What is known by now; code: why not more of those that are not over. */
static void answer(struct net *net, enum ttg_error code)
{
	struct question *question = net->states.first;
	Ttg__State items[NET_MAX_ASKED], *pointers[NET_MAX_ASKED];
	Ttg__States states = TTG__STATES__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;

	for (size_t i = 0; i < question->n; i++) {
		fill(&question->events[i], code, &items[i]);
		pointers[i] = &items[i];
	}
	states.ask = question->ask;
	states.n_states = question->n;
	states.states = pointers;
	frame.body_case = TTG__FRAME__BODY_STATES;
	frame.states = &states;
	net_send_answer(net, question->session, &frame);
	drop_first(&net->states);
}

static void answer_nothing(struct net *net, enum ttg_error code)
{
	struct question *question = net->states.first;

	net_send_unanswered(net, question->session, TTG__FRAME__BODY_STATES, question->ask, code);
	drop_first(&net->states);
}

/* Memory may come back; and what retention took under way is not there when it is asked again. */
static void give_up(struct net *net, enum ttg_error error)
{
	const bool later = error == TTG_ENOMEM || error == TTG_ENOENT;
	uint64_t suppressed = 0;

	if (!later &&
	    log_quota_take(&net->refusal_quota, net->world->mono_ns(net->world->self), &suppressed))
		log_write(net->log, LOG_LEVEL_ERROR, "states_failed", "code=%s suppressed=%llu",
			  ttg_error_name(error), (unsigned long long)suppressed);
	answer_nothing(net, later ? TTG_ASKED_BUSY : TTG_ASKED_FAILED);
}

/* The oldest of them that is held; 0: none is known. */
static uint64_t find_events(struct net *net, struct question *question)
{
	struct journal_stats stats;
	uint64_t first = 0;

	journal_get_stats(net->journal, &stats);
	for (size_t i = 0; i < question->n; i++) {
		struct course *course = &question->events[i].course;

		course->sequence = core_find_event(net->core, question->session->agency,
						   question->events[i].id);
		if (course->sequence < stats.first_sequence)
			course->sequence = 0;
		if (course->sequence > 0 && (first == 0 || course->sequence < first))
			first = course->sequence;
	}
	return first;
}

static bool may_ask(const struct net *net, const struct session *session)
{
	const struct rules *rules = net->config->rules;
	const int agency = rules_find_agency(rules, session->agency);

	return agency >= 0 && rules->agencies[agency].asks_states;
}

static void begin(struct net *net)
{
	struct question *question = net->states.first;
	enum ttg_error error;

	if (!may_ask(net, question->session)) {
		answer_nothing(net, TTG_ASKED_NOT_GRANTED);
		return;
	}
	const uint64_t first = find_events(net, question);
	if (first == 0) {
		answer(net, TTG_ASKED_UNKNOWN);
		return;
	}
	error = journal_reader_open(&question->reader, net->journal);
	if (!error)
		error = journal_reader_seek(question->reader, first);
	if (error)
		give_up(net, error);
}

/* Of an event that was looked for, the record says whose it is: an id can look like another's. */
static bool is_its_record(const struct question *question, const struct asked *event,
			  const struct core_history *history)
{
	return strcmp(history->source, question->session->agency) == 0 &&
	       memcmp(history->event_id, event->id, ID_BYTES) == 0;
}

/* False: no memory. */
static bool take(const struct net *net, struct question *question, uint64_t sequence,
		 const struct core_history *history)
{
	size_t first = 0;

	for (size_t i = 0; i < question->n; i++) {
		struct asked *event = &question->events[i];

		if (event->course.sequence == 0 || event->course.sequence > sequence)
			continue;
		if (!course_begins(&event->course, sequence, history)) {
			course_take(&event->course, history, NULL, NULL);
			continue;
		}
		if (!is_its_record(question, event, history))
			continue;
		if (history->kind == CORE_HISTORY_ACCEPTED)
			event->accepted_ns = history->at_ns;
		if (!course_accept(&event->course, net->core, history, &first))
			return false;
	}
	return true;
}

static bool all_over(const struct question *question)
{
	for (size_t i = 0; i < question->n; i++)
		if (question->events[i].course.sequence > 0 &&
		    !course_is_over(&question->events[i].course))
			return false;
	return true;
}

/* A slice of the journal. */
static void go_on(struct net *net)
{
	struct question *question = net->states.first;
	struct core_history history;
	struct journal_record record;
	uint64_t sequence = 0;
	enum ttg_error error = TTG_OK;

	for (int i = 0; i < RECORDS_A_SLICE; i++) {
		error = journal_reader_next(question->reader, &sequence, &record);
		if (error)
			break;
		if (core_history_read(net->core, sequence, record.kind, record.data, record.len,
				      &history) &&
		    !take(net, question, sequence, &history)) {
			error = TTG_ENOMEM;
			break;
		}
	}
	question->reads += RECORDS_A_SLICE;
	if (error == TTG_EAGAIN || (!error && all_over(question)))
		answer(net, TTG_OK);
	else if (error)
		give_up(net, error);
	else if (question->reads > STATES_READS_MAX)
		answer(net, TTG_ASKED_TOO_FAR);
}

/* Whoever does not read what he is told is passed over: the next is the first then. */
static bool find_listener(struct states *it)
{
	struct question **at = &it->first;

	while (*at && (*at)->session->answer)
		at = &(*at)->next;
	struct question *question = *at;
	if (!question || question == it->first)
		return question != NULL;
	*at = question->next;
	if (it->last == question)
		for (it->last = it->first; it->last->next;)
			it->last = it->last->next;
	question->next = it->first;
	it->first = question;
	return true;
}

bool states_step(struct net *net)
{
	if (!find_listener(&net->states))
		return false;
	if (net->states.first->reader)
		go_on(net);
	else
		begin(net);
	return net->states.first != NULL;
}
