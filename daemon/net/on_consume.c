/*
 * The consumer's verbs: Attach, Credit, Ack, Nack, Detach. An error about one mailbox leaves the
 * session standing; a handle the client never attached is a breach.
 */
#include <stdio.h>
#include <string.h>

#include "net/handlers.h"
#include "net/send.h"

#define NACK_TEXT_MAX 256
#define ACK_POSITIONS_MAX 65536u

static struct session_consumer *consumer_of(struct net *net, struct session *session,
					    uint32_t handle);

void on_attach(struct net *net, struct session *session, const Ttg__Attach *attach)
{
	if (attach->handle < 1 || attach->handle > SESSION_HANDLES ||
	    session->consumers[attach->handle]) {
		net_send_error(net, session, TTG_SESSION_HANDLE, attach->handle, false,
			       ttg_error_text(TTG_SESSION_HANDLE));
		return;
	}
	char mailbox[RULES_MAILBOX_MAX + 1];
	const bool full = strchr(attach->mailbox, '/') != NULL;
	const int len = full ? snprintf(mailbox, sizeof mailbox, "%s", attach->mailbox) :
			       snprintf(mailbox, sizeof mailbox, "%s/%s", session->agency,
					attach->mailbox);
	const uint32_t credit = attach->credit < net->config->max_credit ? attach->credit :
									   net->config->max_credit;
	enum ttg_error error = TTG_SESSION_MAILBOX;
	if (len > 0 && (size_t)len < sizeof mailbox &&
	    session_add_consumer(session, attach->handle, mailbox)) {
		const struct core_now now = net_now(net);
		error = core_attach(net->core, &now, session_consumer_id(session, attach->handle),
				    session->agency, mailbox, credit);
		if (error)
			session_remove_consumer(session, attach->handle);
	}
	if (error) {
		uint64_t suppressed = 0;
		if (net_may_log_session(net, session->agency, &suppressed))
			log_write(net->log, LOG_LEVEL_WARN, "attach_refused",
				  "agency=%s session=%llu code=%s suppressed=%llu", session->agency,
				  (unsigned long long)session->number, ttg_error_name(error),
				  (unsigned long long)suppressed);
		net_send_error(net, session, error, attach->handle, false, ttg_error_text(error));
	}
}

void on_credit(struct net *net, struct session *session, const Ttg__Credit *credit)
{
	if (!consumer_of(net, session, credit->handle))
		return;
	const uint32_t more = credit->more < net->config->max_credit ? credit->more :
								       net->config->max_credit;
	core_credit(net->core, session_consumer_id(session, credit->handle), more);
}

void on_ack(struct net *net, struct session *session, const Ttg__Ack *ack)
{
	if (!consumer_of(net, session, ack->handle))
		return;
	if (ack->n_positions > ACK_POSITIONS_MAX) {
		net_break_session(net, session, TTG_SESSION_FRAME, "too many positions in an Ack");
		return;
	}
	const struct core_now now = net_now(net);
	net->counters.acks++;
	const enum ttg_error error =
		core_ack(net->core, &now, session_consumer_id(session, ack->handle), ack->up_to,
			 ack->positions, ack->n_positions);
	if (error)
		net_send_error(net, session, error, ack->handle, false, ttg_error_text(error));
}

void on_nack(struct net *net, struct session *session, const Ttg__Nack *nack)
{
	if (!consumer_of(net, session, nack->handle))
		return;
	char text[NACK_TEXT_MAX + 1] = "";
	for (size_t i = 0; i < NACK_TEXT_MAX && nack->text[i]; i++)
		text[i] = nack->text[i] >= ' ' && nack->text[i] < 127 ? nack->text[i] : '?';
	const struct core_now now = net_now(net);
	net->counters.nacks++;
	const enum ttg_error error =
		core_nack(net->core, &now, session_consumer_id(session, nack->handle),
			  nack->position, nack->reason, text, nack->retry_after_ms);
	if (error)
		net_send_error(net, session, error, nack->handle, false, ttg_error_text(error));
}

void on_detach(struct net *net, struct session *session, const Ttg__Detach *detach)
{
	if (!consumer_of(net, session, detach->handle))
		return;
	const struct core_now now = net_now(net);
	core_detach(net->core, &now, session_consumer_id(session, detach->handle));
	session_remove_consumer(session, detach->handle);
}

static struct session_consumer *consumer_of(struct net *net, struct session *session,
					    uint32_t handle)
{
	if (handle >= 1 && handle <= SESSION_HANDLES && session->consumers[handle])
		return session->consumers[handle];
	net_send_error(net, session, TTG_SESSION_HANDLE, handle, false,
		       ttg_error_text(TTG_SESSION_HANDLE));
	return NULL;
}
