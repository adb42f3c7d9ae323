/*
 * From a message to a handler. Every message carries the key its connection was authenticated
 * with; a session answers only to the key it was opened with. A peer that breaks the protocol
 * loses its session, never more: others do not notice.
 */
#include <stdlib.h>
#include <string.h>

#include "net/handlers.h"
#include "net/monitor.h"
#include "net/send.h"

static void refuse_stranger(struct net *net, const struct net_peer *peer);
static bool key_may_talk(const struct net *net, const char *key);

static void dispatch_in_session(struct net *net, struct session *session, const Ttg__Frame *frame)
{
	switch (frame->body_case) {
	case TTG__FRAME__BODY_PUBLISH:
		on_publish(net, session, frame->publish);
		break;
	case TTG__FRAME__BODY_ATTACH:
		on_attach(net, session, frame->attach);
		break;
	case TTG__FRAME__BODY_CREDIT:
		on_credit(net, session, frame->credit);
		break;
	case TTG__FRAME__BODY_ACK:
		on_ack(net, session, frame->ack);
		break;
	case TTG__FRAME__BODY_NACK:
		on_nack(net, session, frame->nack);
		break;
	case TTG__FRAME__BODY_DETACH:
		on_detach(net, session, frame->detach);
		break;
	case TTG__FRAME__BODY_ASK_RECEIPT:
		on_ask_receipt(net, session, frame->ask_receipt);
		break;
	case TTG__FRAME__BODY_ASK_STATE:
		on_ask_state(net, session, frame->ask_state);
		break;
	case TTG__FRAME__BODY_HEARTBEAT:
		break;
	case TTG__FRAME__BODY_GOODBYE:
		net_send_goodbye(net, session, TTG_OK);
		net_close_session(net, session, "goodbye");
		break;
	case TTG__FRAME__BODY_HELLO:
	case TTG__FRAME__BODY_WELCOME:
	case TTG__FRAME__BODY_PUBLISHED:
	case TTG__FRAME__BODY_ATTACHED:
	case TTG__FRAME__BODY_DELIVER:
	case TTG__FRAME__BODY_NACKED:
	case TTG__FRAME__BODY_RECEIPTS:
	case TTG__FRAME__BODY_STATES:
	case TTG__FRAME__BODY_ERROR:
	case TTG__FRAME__BODY__NOT_SET:
	case _TTG__FRAME__BODY__CASE_IS_INT_SIZE:
	default:
		net_break_session(net, session, TTG_SESSION_FRAME,
				  "a client does not send this frame");
		break;
	}
}

void net_dispatch(struct net *net, const uint8_t *routing, size_t routing_bytes, zmq_msg_t *message)
{
	const struct net_peer peer = { .routing = routing,
				       .routing_bytes = routing_bytes,
				       .key = zmq_msg_gets(message, "User-Id"),
				       .message = message };
	net_take_frame(net, &peer, zmq_msg_data(message), zmq_msg_size(message));
}

void net_take_frame(struct net *net, const struct net_peer *peer, const uint8_t *data, size_t len)
{
	const char *key = peer->key;
	net->counters.frames_in++;
	net->counters.bytes_in += len;

	struct session *session = session_find(&net->sessions, peer->routing,
					       peer->routing_bytes);
	if (session && (!key || strcmp(session->key, key) != 0)) {
		/* another connection took this routing id over */
		net_close_session(net, session, "connection_replaced");
		session = NULL;
	}
	if (!key || !key_may_talk(net, key)) {
		if (session)
			net_close_session(net, session, "key_not_valid");
		return;
	}
	Ttg__Frame *frame = NULL;
	arena_reset(&net->frame);
	if (len <= net->config->max_frame_bytes)
		frame = ttg__frame__unpack(&net->frame.allocator, len, data);
	if (!frame) {
		net->counters.frames_bad++;
		if (session)
			net_break_session(net, session, TTG_SESSION_FRAME,
					  "a frame could not be decoded or is too large");
		return;
	}
	if (frame->body_case == TTG__FRAME__BODY_HELLO) {
		on_hello(net, peer, frame->hello);
	} else if (session) {
		session->heard_ns = net->world->mono_ns(net->world->self);
		dispatch_in_session(net, session, frame);
	} else {
		refuse_stranger(net, peer);
	}
	arena_reset(&net->frame); /* so that nothing large is kept */
}

/* No session object exists, so the answer is sent by hand: say Hello first. */
static void refuse_stranger(struct net *net, const struct net_peer *peer)
{
	struct session stranger = { .routing_bytes = peer->routing_bytes };
	memcpy(stranger.routing, peer->routing, peer->routing_bytes);
	net_send_error(net, &stranger, TTG_SESSION_NONE, 0, true,
		       ttg_error_text(TTG_SESSION_NONE));
}

static bool key_may_talk(const struct net *net, const char *key)
{
	const struct rules *rules = net->config->rules;
	uint32_t agency = 0, index = 0;
	return rules_find_key(rules, key, &agency, &index) &&
	       rules_key_valid(&rules->agencies[agency].keys[index],
			       net->world->real_ns(net->world->self));
}

/* Rules change at a reload only, which asks this of every session. */
static bool address_is_good(const struct net *net, const struct session *session)
{
	const struct rules *rules = net->config->rules;
	const int agency = rules_find_agency(rules, session->agency);
	return agency >= 0 &&
	       (rules->agencies[agency].n_ranges == 0 ||
		(session->has_address &&
		 rules_address_allowed(&rules->agencies[agency], session->address)));
}

bool net_may_log_session(struct net *net, const char *agency, uint64_t *suppressed)
{
	const int index = rules_find_agency(net->config->rules, agency);
	return log_quota_take(&net->session_quotas[index < 0 ? 0 : index],
			      net->world->mono_ns(net->world->self), suppressed);
}

void net_break_session(struct net *net, struct session *session, enum ttg_error code,
		       const char *text)
{
	net->counters.frames_bad++;
	uint64_t suppressed = 0;
	if (log_quota_take(&net->refusal_quota, net->world->mono_ns(net->world->self), &suppressed))
		log_write(net->log, LOG_LEVEL_WARN, "session_broken",
			  "agency=%s session=%llu code=%s suppressed=%llu", session->agency,
			  (unsigned long long)session->number, ttg_error_name(code),
			  (unsigned long long)suppressed);
	net_send_error(net, session, code, 0, true, text);
	net_close_session(net, session, ttg_error_name(code));
}

void net_close_session(struct net *net, struct session *session, const char *why)
{
	const struct core_now now = net_now(net);
	for (uint32_t handle = 1; handle <= SESSION_HANDLES; handle++)
		if (session->consumers[handle])
			core_detach(net->core, &now, session_consumer_id(session, handle));
	uint64_t suppressed = 0;
	if (net_may_log_session(net, session->agency, &suppressed))
		log_write(net->log, LOG_LEVEL_INFO, "session_closed",
			  "agency=%s session=%llu why=%s events=%llu deliveries=%llu suppressed=%llu",
			  session->agency, (unsigned long long)session->number, why,
			  (unsigned long long)session->events_in,
			  (unsigned long long)session->deliveries_out,
			  (unsigned long long)suppressed);
	wanted_forget(net, session);
	states_forget(net, session);
	net->counters.sessions_closed++;
	monitor_session_ends(net, session);
	session_remove(&net->sessions, session);
}

void net_sweep_sessions(struct net *net)
{
	const int64_t mono = net->world->mono_ns(net->world->self);
	const int64_t beat_ns = (int64_t)net->config->heartbeat_ms * 1000000;
	struct session *session = NULL, *next = NULL;
	HASH_ITER(by_number, net->sessions.by_number, session, next) {
		if (mono - session->heard_ns > 3 * beat_ns) {
			net_send_goodbye(net, session, TTG_SESSION_SILENT);
			net_close_session(net, session, "silent");
		} else if (session->retracted) {
			net_close_session(net, session, "retracted"); /* it is asked to say Hello again */
		} else if (!key_may_talk(net, session->key)) {
			net_send_goodbye(net, session, TTG_SESSION_REVOKED);
			net_close_session(net, session, "key_not_valid");
		} else if (!address_is_good(net, session)) {
			net_send_goodbye(net, session, TTG_SESSION_REVOKED);
			net_close_session(net, session, "address_not_allowed");
		} else if (mono - session->spoke_ns >= beat_ns) {
			net_send_heartbeat(net, session);
		}
	}
}

void net_drop_sessions(struct net *net)
{
	for (struct session *it = net->sessions.by_number; it; it = it->by_number.next) {
		wanted_forget(net, it);
		states_forget(net, it);
	}
	sessions_clear(&net->sessions);
}

void net_goodbye_all(struct net *net, enum ttg_error code)
{
	while (net->sessions.by_number) {
		struct session *session = net->sessions.by_number;
		net_send_goodbye(net, session, code);
		net_close_session(net, session, "stopping");
	}
}
