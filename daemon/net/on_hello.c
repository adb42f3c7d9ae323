/*
 * Hello: who is there, and what we promise him. A Hello on a connection that has a session ends
 * that session first: the client has started over.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/handlers.h"
#include "net/send.h"

#define PROTOCOL_VERSION 1u
#define SOFTWARE_MAX 64

static void welcome(struct net *net, struct session *session);
static void reject(struct net *net, const uint8_t *routing, size_t routing_bytes,
		   enum ttg_error code);

void on_hello(struct net *net, const uint8_t *routing, size_t routing_bytes, const char *key,
	      const Ttg__Hello *hello)
{
	struct session *old = session_find(&net->sessions, routing, routing_bytes);
	if (old)
		net_close_session(net, old, "hello_again");
	if (net->stopping) {
		reject(net, routing, routing_bytes, TTG_SESSION_STOPPING);
		return;
	}
	if (hello->version != PROTOCOL_VERSION) {
		reject(net, routing, routing_bytes, TTG_SESSION_VERSION);
		return;
	}
	if (net->sessions.count >= net->config->max_sessions) {
		reject(net, routing, routing_bytes, TTG_SESSION_LIMIT);
		return;
	}
	uint32_t agency = 0, index = 0;
	const struct rules *rules = net->config->rules;
	if (!rules_find_key(rules, key, &agency, &index))
		return; /* dispatch checked; a reload cannot come between */
	struct session *session = session_add(&net->sessions, routing, routing_bytes,
					      rules->agencies[agency].id, key,
					      net->world->mono_ns(net->world->self));
	if (!session) {
		reject(net, routing, routing_bytes, TTG_SESSION_LIMIT);
		return;
	}
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
			  rules->agencies[agency].keys[index].label,
			  session->software[0] ? session->software : "-",
			  (unsigned long long)suppressed);
	welcome(net, session);
}

/* States of the agency's own mailboxes; the arrays live until the frame is packed. */
struct states {
	Ttg__MailboxState *list;
	Ttg__MailboxState **pointers;
	size_t n;
};

static void collect_states(struct net *net, const char *agency, struct states *states)
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
	struct states states = { 0 };
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

static void reject(struct net *net, const uint8_t *routing, size_t routing_bytes,
		   enum ttg_error code)
{
	struct session stranger = { .routing_bytes = routing_bytes };
	memcpy(stranger.routing, routing, routing_bytes);
	net_send_error(net, &stranger, code, 0, true, ttg_error_text(code));
	uint64_t suppressed = 0;
	if (log_quota_take(&net->refusal_quota, net->world->mono_ns(net->world->self), &suppressed))
		log_write(net->log, LOG_LEVEL_WARN, "hello_refused", "code=%s suppressed=%llu",
			  ttg_error_name(code), (unsigned long long)suppressed);
}
