/*
 * The core's sink: records go to the journal, deliveries into Deliver frames, answers to sessions.
 *
 * A Deliver frame is written delivery by delivery straight into its bytes, because what the core
 * shows is valid only during the call. It leaves when the core has recorded it. A frame the socket
 * does not take stays in the consumer's buffer and blocks further deliveries to it; it is offered
 * again in every cycle, for it may have been the last; when consent is taken back meanwhile it is not,
 * and its session is closed. Replies keep their order because a session's queue is only ever served
 * from its head.
 */
#include <stdlib.h>
#include <string.h>

#include <ttg/proto/session.pb-c.h>

#include "base/planted.h"
#include "core/record.h"
#include "net/keys.h"
#include "net/send.h"

#define TAG_FRAME_DELIVER 0x42u      /* field 8, length-delimited, of Frame */
#define TAG_DELIVER_HANDLE 0x08u     /* field 1, varint, of Deliver */
#define TAG_DELIVER_DELIVERIES 0x12u /* field 2, length-delimited, of Deliver */
#define VARINT32_BYTES 5
#define ROOM_FOR_ACKS_MAX (16u * 1024u * 1024u)
#define FLUSH_LATER_NS 2000000 /* nobody waits for what was delivered, acknowledged, sealed, refused */
#define HEAD_ROOM (1 + VARINT32_BYTES)
#define SINK_UNIT_MAX (RECORD_MAX_PARTS + 1) /* records appended as one: the text of rules */
#define SINK_FRAME_BYTES (256u * 1024u) /* of a Deliver frame, unless one event is larger */

static size_t put_varint32(uint8_t *at, uint32_t value)
{
	size_t n = 0;
	while (value >= 0x80) {
		at[n++] = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	at[n++] = (uint8_t)value;
	return n;
}

static bool reserve(struct session_consumer *consumer, size_t more)
{
	if (consumer->len + more <= consumer->room)
		return true;
	size_t room = consumer->room ? consumer->room * 2 : 16384;
	while (room < consumer->len + more)
		room *= 2;
	uint8_t *body = realloc(consumer->body, room);
	if (!body)
		return false;
	consumer->body = body;
	consumer->room = room;
	return true;
}

/*
 * Buffer: HEAD_ROOM bytes left free, then the Deliver message. The frame's tag and length are
 * written backwards from the body when the row ends.
 */
static bool send_row(struct net *net, struct session *session, struct session_consumer *consumer)
{
	if (consumer->len == 0)
		return true;
	if (session->retracted)
		return false;
	const uint32_t body_bytes = (uint32_t)(consumer->len - HEAD_ROOM);
	uint8_t head[HEAD_ROOM];
	head[0] = TAG_FRAME_DELIVER;
	const size_t head_bytes = 1 + put_varint32(head + 1, body_bytes);
	uint8_t *start = consumer->body + HEAD_ROOM - head_bytes;
	memcpy(start, head, head_bytes);
	consumer->blocked = !net_send(net, session, start, head_bytes + body_bytes);
	if (consumer->blocked) {
		session->blocked = true;
		return false;
	}
	consumer->len = 0;
	return true;
}

static size_t fill_delivery(Ttg__Delivery *out, const struct core_delivery *delivery)
{
	ttg__delivery__init(out);
	out->position = delivery->position;
	out->attempt = delivery->attempt;
	out->event.data = (uint8_t *)(uintptr_t)delivery->event;
	out->event.len = delivery->event_bytes;
	if (delivery->person_key) {
		out->person_key.data = (uint8_t *)(uintptr_t)delivery->person_key;
		out->person_key.len = CORE_PERSON_KEY;
	}
	out->accepted_ns = delivery->accepted_ns;
	out->agreements = (char **)(uintptr_t)delivery->agreements;
	out->n_agreements = delivery->n_agreements;
	out->redacted = delivery->redacted;
	return ttg__delivery__get_packed_size(out);
}

/* What is in a row cannot be told apart: its whole session goes, and gets on its return what it may have. */
static void sink_retracted(void *self)
{
	struct net *net = self;

	for (struct session *it = net->sessions.by_number; it; it = it->by_number.next)
		for (size_t i = 1; i <= SESSION_HANDLES; i++)
			it->retracted |= it->consumers[i] && it->consumers[i]->len > 0;
}

static bool sink_deliver(void *self, uint64_t consumer_id, const struct core_delivery *delivery)
{
	struct net *net = self;
	struct session_consumer *consumer = NULL;
	struct session *session = session_of_consumer(&net->sessions, consumer_id, &consumer);
	if (!session || session->retracted || (consumer->blocked && !send_row(net, session, consumer)))
		return false;

	Ttg__Delivery message;
	const size_t packed = fill_delivery(&message, delivery);
	const size_t needed = packed + 1 + VARINT32_BYTES;
	const size_t most = net->config->max_frame_bytes < SINK_FRAME_BYTES ?
				    net->config->max_frame_bytes :
				    SINK_FRAME_BYTES;
	if (consumer->len > 0 && consumer->len + needed > most && !PLANTED(OVERFILL_FRAME))
		return false; /* this frame is full: the core records it and lets it out */
	if (!reserve(consumer, needed + HEAD_ROOM + 1 + VARINT32_BYTES))
		return false;
	if (consumer->len == 0) {
		consumer->len = HEAD_ROOM;
		consumer->body[consumer->len++] = TAG_DELIVER_HANDLE;
		consumer->len += put_varint32(consumer->body + consumer->len, consumer->handle);
	}
	consumer->body[consumer->len++] = TAG_DELIVER_DELIVERIES;
	consumer->len += put_varint32(consumer->body + consumer->len, (uint32_t)packed);
	consumer->len += ttg__delivery__pack(&message, consumer->body + consumer->len);
	session->deliveries_out++;
	net->counters.deliveries++;
	return true;
}

static void sink_flush(void *self, uint64_t consumer_id)
{
	struct net *net = self;
	struct session_consumer *consumer = NULL;
	struct session *session = session_of_consumer(&net->sessions, consumer_id, &consumer);
	if (session)
		send_row(net, session, consumer);
}

/*
 * Room that events leave to the records which make room again: acknowledgements, refusals, what
 * the operator does and the broker tells. A sixteenth of the journal's size.
 */
static uint64_t room_for_acks(const struct net *net)
{
	const uint64_t limit = net->config->journal_max_bytes;
	const uint64_t share = limit / 16;
	return limit == 0 || share > ROOM_FOR_ACKS_MAX ? ROOM_FOR_ACKS_MAX : share;
}

/* A redelivery's repeats wait while less than an eighth of the journal's size is free. */
static uint64_t room_for_others(const struct net *net, uint8_t kind)
{
	const uint64_t acks = room_for_acks(net), eighth = net->config->journal_max_bytes / 8;
	return kind == RECORD_AGAIN && eighth > acks ? eighth : acks;
}

/* What the broker has to tell: of a journal that is full, too. */
static bool is_notice(const struct net *net, const uint8_t *data, size_t len)
{
	struct record_event event;
	return record_get_event(data, len, &event) &&
	       strcmp(event.source, net->config->agency) == 0;
}

/* Nobody waits for it to be on disk. */
static bool may_wait(uint8_t kind)
{
	return kind == RECORD_DELIVERED || kind == RECORD_ACK || kind == RECORD_SEAL ||
	       kind == RECORD_HAND_OVER || kind == RECORD_SIGNED; /* the event behind it does not */
}

static enum ttg_error sink_append(void *self, const struct core_record *records, size_t n,
				  uint64_t *first)
{
	struct net *net = self;
	struct journal_record staged[SINK_UNIT_MAX];
	const struct core_record *record = &records[0];
	if (n > SINK_UNIT_MAX)
		return TTG_ELIMIT;
	for (size_t i = 0; i < n; i++)
		staged[i] = (struct journal_record){ .kind = records[i].kind,
						     .data = records[i].data,
						     .len = records[i].len };
	if ((record_gives(record->kind) || record->kind == RECORD_SIGNED || record->kind == RECORD_REFUSED) &&
	    journal_room(net->journal) < record->len + room_for_others(net, record->kind) &&
	    !is_notice(net, record->data, record->len))
		return TTG_ENOSPC;
	const enum ttg_error error = journal_append(net->journal, staged, n, first);
	if (error == TTG_OK && !may_wait(record->kind))
		net->flush_now = true;
	else if (error == TTG_OK && net->flush_at_ns == 0)
		net->flush_at_ns = net->world->mono_ns(net->world->self) + FLUSH_LATER_NS;
	return error;
}

static enum ttg_error sink_read(void *self, uint64_t sequence, uint8_t *kind, const uint8_t **data,
				size_t *len)
{
	struct net *net = self;
	struct journal_record record;
	enum ttg_error error = journal_peek(net->journal, sequence, &record);
	if (error == TTG_EAGAIN)
		error = records_read(net->records, sequence, &record);
	if (error)
		return error;
	*kind = record.kind;
	*data = record.data;
	*len = record.len;
	return TTG_OK;
}

static void sink_attached(void *self, uint64_t consumer_id, bool active, uint64_t acknowledged)
{
	struct net *net = self;
	struct session_consumer *consumer = NULL;
	struct session *session = session_of_consumer(&net->sessions, consumer_id, &consumer);
	if (!session)
		return;
	uint64_t suppressed = 0;
	if (net_may_log_session(net, session->agency, &suppressed))
		log_write(net->log, LOG_LEVEL_INFO, "mailbox_attached",
			  "mailbox=%s active=%d session=%llu suppressed=%llu", consumer->mailbox, active,
			  (unsigned long long)session->number, (unsigned long long)suppressed);
	net_send_attached(net, session, consumer->handle, active, acknowledged);
}

static void sink_nacked(void *self, uint64_t consumer_id, uint64_t position, bool parked)
{
	struct net *net = self;
	struct session_consumer *consumer = NULL;
	struct session *session = session_of_consumer(&net->sessions, consumer_id, &consumer);
	if (!session)
		return;
	send_row(net, session, consumer); /* what the socket did not take yet goes before */
	net_send_nacked(net, session, consumer->handle, position, parked);
}

static void sink_note(void *self, const char *word, const char *mailbox, uint64_t sequence)
{
	struct net *net = self;
	const struct {
		const char *word;
		uint64_t *counter;
	} counted[] = {
		{ "lane_parked", &net->counters.parked },
		{ "delivery_escalated", &net->counters.escalated },
		{ "delivery_expired", &net->counters.expired },
		{ "delivery_stopped", &net->counters.stopped },
		{ "referral_overdue", &net->counters.answers_overdue },
	};
	for (size_t i = 0; i < sizeof counted / sizeof counted[0]; i++)
		if (strcmp(word, counted[i].word) == 0)
			(*counted[i].counter)++;
	if (strcmp(word, "core_broken") == 0)
		net->failure = TTG_ENOMEM; /* state no longer follows the journal: start again */
	log_write(net->log, LOG_LEVEL_NOTICE, word, "mailbox=%s sequence=%llu",
		  mailbox ? mailbox : "-", (unsigned long long)sequence);
}

void net_sink_init(struct net *net, struct core_sink *sink)
{
	*sink = (struct core_sink){
		.self = net,
		.append = sink_append,
		.read = sink_read,
		.deliver = sink_deliver,
		.flush = sink_flush,
		.retracted = sink_retracted,
		.attached = sink_attached,
		.nacked = sink_nacked,
		.note = sink_note,
	};
	net_keys_sink(net, sink);
}

static void send_blocked_rows(struct net *net, struct session *session)
{
	session->blocked = false;
	for (size_t i = 1; i <= SESSION_HANDLES; i++)
		if (session->consumers[i] && session->consumers[i]->blocked)
			send_row(net, session, session->consumers[i]);
}

static void send_kept_answer(struct net *net, struct session *session)
{
	if (!net_send(net, session, session->answer, session->answer_bytes))
		return;
	free(session->answer);
	session->answer = NULL;
}

void net_release(struct net *net, uint64_t durable)
{
	struct session *session = NULL, *next = NULL;
	HASH_ITER(by_number, net->sessions.by_number, session, next) {
		while (session->replies && (session->replies->release_at <= durable ||
					    PLANTED(ACKNOWLEDGE_EARLY))) {
			if (!net_send(net, session, session->replies->frame,
				      session->replies->len))
				break;
			session_drop_reply(session);
		}
		if (session->blocked)
			send_blocked_rows(net, session);
		if (session->answer)
			send_kept_answer(net, session);
	}
}
