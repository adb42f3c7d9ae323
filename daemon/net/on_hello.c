/*
 * Hello: who is there, and what we promise him. A Hello on a connection that has a session ends
 * that session first: the client has started over.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/handlers.h"
#include "net/monitor.h"
#include "net/send.h"
#include "net/zap.h"

#define PROTOCOL_VERSION 1u
#define SOFTWARE_MAX 64

static void welcome(struct net *net, struct session *session);
static void reject(struct net *net, const struct net_peer *peer, const char *agency,
		   enum ttg_error code, const char *text);

/* Sessions of the agency; those whose connection is gone are ended, they only waited for silence. */
static size_t count_sessions(struct net *net, const char *agency)
{
	struct session *session = NULL, *next = NULL;
	size_t n = 0;

	HASH_ITER(by_number, net->sessions.by_number, session, next) {
		if (strcmp(session->agency, agency) != 0)
			continue;
		if (monitor_session_lost(net, session))
			net_close_session(net, session, "connection_lost");
		else
			n++;
	}
	return n;
}

/* Why this peer gets no session; TTG_OK: it may have one. */
static enum ttg_error judge(struct net *net, const struct rules_agency *agency,
			    const Ttg__Hello *hello, const char **text)
{
	const uint32_t share = net->config->sessions_per_agency;
	enum ttg_error code = TTG_OK;

	*text = NULL;
	if (net->stopping)
		code = TTG_SESSION_STOPPING;
	else if (hello->version != PROTOCOL_VERSION)
		code = TTG_SESSION_VERSION;
	else if (net->sessions.count >= monitor_max_sessions(net))
		code = TTG_SESSION_LIMIT;
	if (!code && share > 0 && net->sessions.count >= share &&
	    count_sessions(net, agency->id) >= share) {
		*text = "This agency has as many sessions as it may have.";
		return TTG_SESSION_LIMIT;
	}
	if (code)
		*text = ttg_error_text(code);
	return code;
}

static bool read_address(const struct net_peer *peer, uint8_t out[16])
{
	const char *text = peer->message ? zmq_msg_gets(peer->message, "Peer-Address") : NULL;

	return text && zap_read_address(text, out);
}

void on_hello(struct net *net, const struct net_peer *peer, const Ttg__Hello *hello)
{
	struct session *old = session_find(&net->sessions, peer->routing, peer->routing_bytes);
	if (old)
		net_close_session(net, old, "hello_again");
	uint32_t agency = 0, index = 0;
	const struct rules *rules = net->config->rules;
	if (!rules_find_key(rules, peer->key, &agency, &index))
		return; /* dispatch checked; a reload cannot come between */
	const struct rules_agency *whose = &rules->agencies[agency];
	uint8_t address[16] = { 0 };
	const bool has_address = read_address(peer, address);
	const char *text = NULL;
	if (whose->n_ranges > 0 && (!has_address || !rules_address_allowed(whose, address))) {
		reject(net, peer, whose->id, TTG_SESSION_REVOKED,
		       ttg_error_text(TTG_SESSION_REVOKED));
		return;
	}
	const enum ttg_error code = judge(net, whose, hello, &text);
	if (code) {
		reject(net, peer, whose->id, code, text);
		return;
	}
	struct session *session = session_add(&net->sessions, peer->routing, peer->routing_bytes,
					      whose->id, peer->key,
					      net->world->mono_ns(net->world->self));
	if (!session) {
		reject(net, peer, whose->id, TTG_SESSION_LIMIT, ttg_error_text(TTG_SESSION_LIMIT));
		return;
	}
	memcpy(session->address, address, sizeof session->address);
	session->has_address = has_address;
	monitor_session_begins(net, session, peer->message);
	session->token = hello->session;
	for (size_t i = 0; i < SOFTWARE_MAX && hello->software[i]; i++) {
		const char c = hello->software[i];
		session->software[i] = c > ' ' && c < 127 && c != '"' ? c : '_';
	}
	net->counters.sessions_opened++;
	uint64_t suppressed = 0;
	if (net_may_log_session(net, session->agency, &suppressed))
		log_write(net->log, LOG_LEVEL_INFO, "session_opened",
			  "agency=%s session=%llu key=%s software=%s suppressed=%llu",
			  session->agency, (unsigned long long)session->number,
			  whose->keys[index].label,
			  session->software[0] ? session->software : "-",
			  (unsigned long long)suppressed);
	welcome(net, session);
}

/* States of the agency's own mailboxes; the arrays live until the frame is packed. */
struct box_states {
	Ttg__MailboxState *list;
	Ttg__MailboxState **pointers;
	size_t n;
};

static void collect_states(struct net *net, const char *agency, struct box_states *states)
{
	const size_t all = core_mailbox_count(net->core);
	const size_t prefix = strlen(agency);
	states->list = calloc(all + 1, sizeof *states->list);
	states->pointers = calloc(all + 1, sizeof *states->pointers);
	if (!states->list || !states->pointers)
		return;
	for (size_t i = 0; i < all; i++) {
		struct core_mailbox_view view;
		core_mailbox_view(net->core, i, &view);
		if (strncmp(view.id, agency, prefix) != 0 || view.id[prefix] != '/')
			continue;
		Ttg__MailboxState *state = &states->list[states->n];
		ttg__mailbox_state__init(state);
		state->mailbox = (char *)(uintptr_t)view.id;
		state->queued = view.queued;
		state->parked = view.parked;
		states->pointers[states->n++] = state;
	}
}

static void welcome(struct net *net, struct session *session)
{
	const struct config *config = net->config;
	struct box_states states = { 0 };
	collect_states(net, session->agency, &states);
	Ttg__Welcome message = TTG__WELCOME__INIT;
	message.version = PROTOCOL_VERSION;
	message.session = session->token;
	message.agency = session->agency;
	message.now_ns = net->world->real_ns(net->world->self);
	message.heartbeat_ms = config->heartbeat_ms;
	message.max_frame_bytes = config->max_frame_bytes;
	message.max_event_bytes = config->max_event_bytes;
	message.max_events_per_publish = config->max_events_per_publish;
	message.publish_window = config->publish_window;
	message.max_credit = config->max_credit;
	message.max_asked = NET_MAX_ASKED;
	message.broker = (char *)(uintptr_t)config->agency;
	message.n_mailboxes = states.n;
	message.mailboxes = states.pointers;
	Ttg__Frame frame = TTG__FRAME__INIT;
	frame.body_case = TTG__FRAME__BODY_WELCOME;
	frame.welcome = &message;
	const size_t len = ttg__frame__get_packed_size(&frame);
	uint8_t *bytes = malloc(len);
	if (bytes) {
		ttg__frame__pack(&frame, bytes);
		net_send(net, session, bytes, len);
	}
	free(bytes);
	free(states.list);
	free(states.pointers);
}

static void reject(struct net *net, const struct net_peer *peer, const char *agency,
		   enum ttg_error code, const char *text)
{
	struct session stranger = { .routing_bytes = peer->routing_bytes };
	memcpy(stranger.routing, peer->routing, peer->routing_bytes);
	net_send_error(net, &stranger, code, 0, true, text);
	uint64_t suppressed = 0;
	if (log_quota_take(&net->refusal_quota, net->world->mono_ns(net->world->self), &suppressed))
		log_write(net->log, LOG_LEVEL_WARN, "hello_refused",
			  "agency=%s code=%s suppressed=%llu", agency, ttg_error_name(code),
			  (unsigned long long)suppressed);
}
