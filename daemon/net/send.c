/*
 * Frames out. The router is told to complain about peers that are gone (ZMQ_ROUTER_MANDATORY), so
 * a send has three ends: taken, full (the caller keeps a large frame and tries again; a peer that
 * has no room for a small one, behind thousands unread, loses its session), gone (the session
 * is closed by the next sweep: its heard_ns is set so far back that it counts as silent).
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/send.h"

bool net_send(struct net *net, struct session *session, const uint8_t *frame, size_t len)
{
	if (zmq_send(net->router, session->routing, session->routing_bytes,
		     ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) {
		if (zmq_errno() == EAGAIN)
			return false;
		session->heard_ns = INT64_MIN / 2;
		return true; /* nobody is there to read it: as good as sent */
	}
	if (zmq_send(net->router, frame, len, ZMQ_DONTWAIT) < 0)
		return false;
	session->spoke_ns = net->world->mono_ns(net->world->self);
	net->counters.frames_out++;
	net->counters.bytes_out += len;
	return true;
}

static void send_small(struct net *net, struct session *session, const Ttg__Frame *frame)
{
	uint8_t buffer[1024];
	const size_t len = ttg__frame__get_packed_size(frame);
	if (len > sizeof buffer)
		return; /* texts are bounded far below; a longer one is our bug, not worth dying for */
	ttg__frame__pack(frame, buffer);
	if (!net_send(net, session, buffer, len))
		session->heard_ns = INT64_MIN / 2; /* it reads nothing: better gone than misled */
}

void net_send_error(struct net *net, struct session *session, enum ttg_error code, uint32_t handle,
		    bool fatal, const char *text)
{
	char copy[256];
	strncpy(copy, text, sizeof copy - 1);
	copy[sizeof copy - 1] = '\0';
	Ttg__Error error = TTG__ERROR__INIT;
	error.code = (uint32_t)code;
	error.text = copy;
	error.handle = handle;
	error.fatal = fatal;
	Ttg__Frame frame = TTG__FRAME__INIT;
	frame.body_case = TTG__FRAME__BODY_ERROR;
	frame.error = &error;
	net->counters.errors_by_code[(unsigned)code % NET_CODES]++;
	send_small(net, session, &frame);
}

void net_send_answer(struct net *net, struct session *session, const Ttg__Frame *frame)
{
	const size_t len = ttg__frame__get_packed_size(frame);
	uint8_t *bytes = malloc(len);

	assert(!session->answer);
	if (!bytes) {
		session->heard_ns = INT64_MIN / 2;
		return;
	}
	ttg__frame__pack(frame, bytes);
	if (net_send(net, session, bytes, len)) {
		free(bytes);
		return;
	}
	session->answer = bytes;
	session->answer_bytes = len;
}

void net_send_unanswered(struct net *net, struct session *session, Ttg__Frame__BodyCase kind,
			 uint64_t ask, enum ttg_error code)
{
	Ttg__Receipts receipts = TTG__RECEIPTS__INIT;
	Ttg__States states = TTG__STATES__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;

	receipts.ask = states.ask = ask;
	receipts.code = states.code = (uint32_t)code;
	frame.body_case = kind;
	if (kind == TTG__FRAME__BODY_RECEIPTS)
		frame.receipts = &receipts;
	else
		frame.states = &states;
	send_small(net, session, &frame);
}

void net_send_goodbye(struct net *net, struct session *session, enum ttg_error code)
{
	char text[160];
	strncpy(text, ttg_error_text(code), sizeof text - 1);
	text[sizeof text - 1] = '\0';
	Ttg__Goodbye goodbye = TTG__GOODBYE__INIT;
	goodbye.code = (uint32_t)code;
	goodbye.text = text;
	Ttg__Frame frame = TTG__FRAME__INIT;
	frame.body_case = TTG__FRAME__BODY_GOODBYE;
	frame.goodbye = &goodbye;
	send_small(net, session, &frame);
}

void net_send_heartbeat(struct net *net, struct session *session)
{
	Ttg__Heartbeat heartbeat = TTG__HEARTBEAT__INIT;
	heartbeat.now_ns = net->world->real_ns(net->world->self);
	Ttg__Frame frame = TTG__FRAME__INIT;
	frame.body_case = TTG__FRAME__BODY_HEARTBEAT;
	frame.heartbeat = &heartbeat;
	uint8_t buffer[64];
	const size_t len = ttg__frame__get_packed_size(&frame);
	/* A peer whose queue is full has enough to hear; whether it lives shows in what it says. */
	if (len <= sizeof buffer) {
		ttg__frame__pack(&frame, buffer);
		net_send(net, session, buffer, len);
	}
}

void net_send_attached(struct net *net, struct session *session, uint32_t handle, bool active,
		       uint64_t acknowledged)
{
	Ttg__Attached attached = TTG__ATTACHED__INIT;
	attached.handle = handle;
	attached.active = active;
	attached.acknowledged = acknowledged;
	Ttg__Frame frame = TTG__FRAME__INIT;
	frame.body_case = TTG__FRAME__BODY_ATTACHED;
	frame.attached = &attached;
	send_small(net, session, &frame);
}

void net_send_nacked(struct net *net, struct session *session, uint32_t handle, uint64_t position,
		     bool parked)
{
	Ttg__Nacked nacked = TTG__NACKED__INIT;
	nacked.handle = handle;
	nacked.position = position;
	nacked.parked = parked;
	Ttg__Frame frame = TTG__FRAME__INIT;
	frame.body_case = TTG__FRAME__BODY_NACKED;
	frame.nacked = &nacked;
	send_small(net, session, &frame);
}
