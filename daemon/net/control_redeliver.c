/*
 * A mailbox is delivered again, because its agency lost what it was given. Who orders it says why;
 * both are in the journal before he is answered. What comes of it is told by `mailboxes`, and by the
 * log of disclosures.
 */
#include <string.h>

#include "base/instant.h"
#include "core/redelivery.h"
#include "net/control_request.h"

struct order {
	const char *mailbox, *since, *reason;
	bool stop;
};

static bool read_order(struct control_request *request, struct order *order, int64_t *since_ns)
{
	*since_ns = INT64_MIN;
	if (!control_string(request, "mailbox", true, &order->mailbox) ||
	    !control_string(request, "since", false, &order->since) ||
	    !control_bool(request, "stop", &order->stop) ||
	    !control_string(request, "reason", true, &order->reason))
		return false;
	if (strlen(order->reason) < CONTROL_REASON_MIN || strlen(order->reason) > CONTROL_REASON_MAX) {
		control_end(request, TTG_EINVAL, "reason must have %d to %d bytes", CONTROL_REASON_MIN,
			    CONTROL_REASON_MAX);
		return false;
	}
	if (order->since && (order->stop || instant_parse(order->since, since_ns) != TTG_OK)) {
		control_end(request, TTG_EINVAL,
			    "since must be an instant such as 2026-11-27T09:00:00Z, and not beside stop");
		return false;
	}
	return true;
}

/* Why not, for the operator. */
static void refuse(struct control_request *request, const struct order *order, enum ttg_error error)
{
	struct core_redelivery_view view = { .running = false };

	(void)core_redelivery_view(request->net->core, order->mailbox, &view);
	if (error == TTG_ENOENT)
		control_end(request, error, "%s",
			    order->stop ? "no redelivery of that mailbox is under way" :
					 "no such mailbox, or it is in no agency's file any more");
	else if (error == TTG_EEXIST && view.running)
		control_end(request, error, "a redelivery of that mailbox is under way: wait, or --stop it");
	else if (error == TTG_EEXIST)
		control_end(request, error,
			    "not everything of the last redelivery is acknowledged yet, dead letters "
			    "included");
	else
		control_end(request, error, "%s", ttg_error_text(error));
}

void control_redeliver(struct control_request *request)
{
	const struct core_now now = net_now(request->net);
	struct order order = { .stop = false };
	struct journal_stats stats;
	char who[CONTROL_CALLER];
	int64_t since_ns;
	uint64_t sequence = 0;
	enum ttg_error error;

	if (!read_order(request, &order, &since_ns))
		return;
	control_caller(request, who);
	journal_get_stats(request->net->journal, &stats);
	const struct core_redeliver wanted = { order.mailbox,
					       stats.first_sequence > 0 ? stats.first_sequence : 1,
					       since_ns, who, order.reason };
	error = order.stop ? core_redeliver_stop(request->net->core, &now, order.mailbox, who, order.reason,
						&sequence) :
			    core_redeliver(request->net->core, &now, &wanted, &sequence);
	if (error) {
		refuse(request, &order, error);
		return;
	}
	log_write(request->net->log, LOG_LEVEL_NOTICE,
		  order.stop ? "redelivery_stopped" : "redelivery_begun",
		  "mailbox=%s sequence=%llu uid=%u", order.mailbox, (unsigned long long)sequence,
		  request->uid);
	request->wait_durable = sequence;
	control_item(request, json_pack("{s:s, s:s, s:I, s:I}", "mailbox", order.mailbox, "redelivery",
					order.stop ? "stopped" : "running", "from_sequence",
					(json_int_t)(order.stop ? 0 : wanted.from), "sequence",
					(json_int_t)sequence));
	control_end(request, TTG_OK, "%s", "");
}
