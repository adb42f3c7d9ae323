/*
 * Questions of a publisher about its own events. Nobody learns whether an event of another agency
 * exists: ids are looked for among those of the session's agency, and what is not found is told when, and
 * as, everything else is.
 */
#include <string.h>

#include "net/handlers.h"
#include "net/send.h"

static bool is_sound(uint64_t ask, const ProtobufCBinaryData *events, size_t n)
{
	if (ask == 0 || n == 0 || n > NET_MAX_ASKED)
		return false;
	for (size_t i = 0; i < n; i++)
		if (events[i].len != sizeof ((struct wish *)0)->id)
			return false;
	return true;
}

void on_ask_receipt(struct net *net, struct session *session, const Ttg__AskReceipt *ask)
{
	if (!is_sound(ask->ask, ask->events, ask->n_events)) {
		net_break_session(net, session, TTG_SESSION_FRAME,
				  "AskReceipt without number, empty, too long, or not of ids");
		return;
	}
	if (!wanted_reserve(net, session, ask->n_events)) {
		net_send_unanswered(net, session, TTG__FRAME__BODY_RECEIPTS, ask->ask,
				    TTG_ASKED_BUSY);
		return;
	}
	for (size_t i = 0; i < ask->n_events; i++) {
		struct wish wish = { .session = session,
				     .request = ask->ask,
				     .index = (uint32_t)i,
				     .asked = true };

		memcpy(wish.id, ask->events[i].data, sizeof wish.id);
		wish.sequence = core_find_event(net->core, session->agency, wish.id);
		wish.code = wish.sequence > 0 ? TTG_OK : TTG_ASKED_UNKNOWN;
		wanted_add(net, &wish);
	}
}

void on_ask_state(struct net *net, struct session *session, const Ttg__AskState *ask)
{
	if (!is_sound(ask->ask, ask->events, ask->n_events)) {
		net_break_session(net, session, TTG_SESSION_FRAME,
				  "AskState without number, empty, too long, or not of ids");
		return;
	}
	net->counters.states_asked++;
	if (!states_ask(net, session, ask))
		net_send_unanswered(net, session, TTG__FRAME__BODY_STATES, ask->ask, TTG_ASKED_BUSY);
}
