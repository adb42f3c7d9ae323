/*
 * Publish: each event is decided by the core; the answer to the frame waits until everything it
 * says yes to is durable. One refused event does not take its batch down, but for refusals that may
 * be retried (rate, storage, stopping): what follows them is refused with the same code until the
 * client has read of it, or a later event would overtake an earlier one about the same person. A signature
 * is of the whole frame and comes first: when it does not hold, no event of it is decided.
 */
#include <stdlib.h>
#include <string.h>

#include "base/planted.h"
#include "net/handlers.h"
#include "net/signatures.h"

/* What holds for all events of one. */
struct frame {
	const Ttg__Publish *publish;
	struct core_now now;
	struct session *session;
	const struct rules_agency *agency;
	struct signature_check *signature;
};

/* Sequences, and room for the outcomes that are not plain acceptance. */
struct answer {
	uint64_t *sequences;
	Ttg__Outcome *outcomes;
	Ttg__Outcome **pointers;
	struct core_outcome *decided; /* holds the texts */
	size_t n_others;
	uint64_t release_at;
	enum ttg_error receipts; /* why none will be sent, though they are wished for */
};

static bool answer_init(struct answer *answer, size_t n);
static void answer_fini(struct answer *answer);
static void decide(struct net *net, const struct frame *frame, size_t index, struct core_outcome *out);
static void note_stall(struct session *session, uint64_t frame, const struct core_outcome *out);
static void count(struct net *net, const struct session *session, const struct core_outcome *out);
static enum ttg_error want_receipts(struct net *net, const struct session *session, size_t n);
static void want_receipt(struct net *net, struct session *session, const Ttg__Publish *publish,
			 size_t index, const struct core_outcome *out);
static bool queue(struct session *session, const Ttg__Publish *publish, struct answer *answer);

void on_publish(struct net *net, struct session *session, const Ttg__Publish *publish)
{
	const size_t n = publish->n_events;
	if (publish->frame != session->next_frame || n == 0 ||
	    n > net->config->max_events_per_publish) {
		net_break_session(net, session, TTG_SESSION_FRAME,
				  "Publish is empty, too long, or out of number");
		return;
	}
	if (session->n_replies >= net->config->publish_window) {
		net_break_session(net, session, TTG_SESSION_WINDOW,
				  ttg_error_text(TTG_SESSION_WINDOW));
		return;
	}
	const int index = rules_find_agency(net->config->rules, session->agency);
	struct answer answer;
	if (index < 0 || !answer_init(&answer, n)) {
		net_break_session(net, session, TTG_SESSION_LIMIT, "no memory for an answer");
		return;
	}
	struct signature_check signature;
	const struct frame frame = { publish, net_now(net), session,
				     &net->config->rules->agencies[index], &signature };
	session->next_frame++;
	if (publish->answered >= session->stalled_frame)
		session->stalled_code = TTG_OK;
	session->events_in += n;
	net->counters.events_in += n;
	if (publish->receipts)
		answer.receipts = want_receipts(net, session, n);
	signature_check(frame.agency, publish, &frame.now, &signature);
	for (size_t i = 0; i < n; i++) {
		struct core_outcome *out = &answer.decided[answer.n_others];
		decide(net, &frame, i, out);
		count(net, session, out);
		note_stall(session, publish->frame, out);
		if (out->release_at > answer.release_at)
			answer.release_at = out->release_at;
		if (publish->receipts && !answer.receipts)
			want_receipt(net, session, publish, i, out);
		if (out->kind == CORE_ACCEPTED) {
			answer.sequences[i] = out->sequence;
			continue;
		}
		Ttg__Outcome *other = &answer.outcomes[answer.n_others];
		ttg__outcome__init(other);
		other->index = (uint32_t)i;
		other->sequence = out->sequence;
		other->code = (uint32_t)out->code;
		other->text = out->text;
		answer.pointers[answer.n_others++] = other;
	}
	if (!queue(session, publish, &answer))
		net_break_session(net, session, TTG_SESSION_LIMIT, "no memory for an answer");
	signature_check_fini(&signature);
	answer_fini(&answer);
}

static void decide(struct net *net, const struct frame *frame, size_t index, struct core_outcome *out)
{
	const ProtobufCBinaryData *event = &frame->publish->events[index];
	struct signature_check *signature = frame->signature;
	enum ttg_error refused = TTG_OK;
	if (frame->session->stalled_code)
		refused = frame->session->stalled_code;
	else if (net->stopping)
		refused = TTG_REFUSED_STOPPING;
	else if (!limiter_take(net->limiter, frame->agency, frame->now.mono_ns))
		refused = TTG_REFUSED_RATE;
	else
		refused = signature->code;
	if (refused) {
		*out = (struct core_outcome){ .kind = CORE_REFUSED, .code = refused };
		strncpy(out->text, signature->code == refused ? signature->text : ttg_error_text(refused),
			sizeof out->text - 1);
	} else if (signature->is_signed) {
		core_publish_signed(net->core, &frame->now, &signature->frame, (uint32_t)index,
				    event->data, event->len, out);
	} else {
		core_publish(net->core, &frame->now, frame->session->agency, event->data, event->len, out);
	}
}

/* A refusal that may be retried holds up what follows. */
static void note_stall(struct session *session, uint64_t frame, const struct core_outcome *out)
{
	if (out->kind != CORE_REFUSED || !ttg_error_retryable(out->code) || PLANTED(FORGET_STALL))
		return;
	session->stalled_frame = frame;
	session->stalled_code = out->code;
}

static void count(struct net *net, const struct session *session, const struct core_outcome *out)
{
	if (out->kind == CORE_ACCEPTED) {
		net->counters.accepted++;
		return;
	}
	if (out->kind == CORE_DUPLICATE) {
		net->counters.duplicates++;
		return;
	}
	refusals_note(net, session->agency, out);
	net->counters.refused++;
	net->counters.refused_by_code[(unsigned)out->code % NET_CODES]++;
	uint64_t suppressed = 0;
	if (log_quota_take(&net->refusal_quota, net->world->mono_ns(net->world->self), &suppressed))
		log_write(net->log, LOG_LEVEL_WARN, "publish_refused",
			  "agency=%s code=%s number=%d suppressed=%llu", session->agency,
			  ttg_error_name(out->code), (int)out->code,
			  (unsigned long long)suppressed);
}

static enum ttg_error want_receipts(struct net *net, const struct session *session, size_t n)
{
	if (!net->sealer)
		return TTG_ASKED_UNSEALED;
	return wanted_reserve(net, session, n) ? TTG_OK : TTG_ASKED_BUSY;
}

/* A duplicate gets the first one's. */
static void want_receipt(struct net *net, struct session *session, const Ttg__Publish *publish,
			 size_t index, const struct core_outcome *out)
{
	struct wish wish = { .session = session,
			     .request = publish->frame,
			     .sequence = out->sequence,
			     .index = (uint32_t)index };

	if (out->kind == CORE_REFUSED)
		return;
	memcpy(wish.id, out->id, sizeof wish.id);
	wanted_add(net, &wish);
}

static bool queue(struct session *session, const Ttg__Publish *publish, struct answer *answer)
{
	Ttg__Published published = TTG__PUBLISHED__INIT;
	published.frame = publish->frame;
	published.n_sequences = publish->n_events;
	published.sequences = answer->sequences;
	published.n_others = answer->n_others;
	published.others = answer->pointers;
	published.receipts = (uint32_t)answer->receipts;
	Ttg__Frame frame = TTG__FRAME__INIT;
	frame.body_case = TTG__FRAME__BODY_PUBLISHED;
	frame.published = &published;
	const size_t len = ttg__frame__get_packed_size(&frame);
	uint8_t *bytes = malloc(len);
	if (!bytes)
		return false;
	ttg__frame__pack(&frame, bytes);
	const bool queued = session_queue_reply(session, answer->release_at, bytes, len);
	free(bytes);
	return queued;
}

static bool answer_init(struct answer *answer, size_t n)
{
	memset(answer, 0, sizeof *answer);
	answer->sequences = calloc(n, sizeof *answer->sequences);
	/* These are written before they are read. */
	answer->outcomes = malloc(n * sizeof *answer->outcomes);
	answer->pointers = malloc(n * sizeof *answer->pointers);
	answer->decided = malloc(n * sizeof *answer->decided);
	if (answer->sequences && answer->outcomes && answer->pointers && answer->decided)
		return true;
	answer_fini(answer);
	return false;
}

static void answer_fini(struct answer *answer)
{
	free(answer->sequences);
	free(answer->outcomes);
	free(answer->pointers);
	free(answer->decided);
}
