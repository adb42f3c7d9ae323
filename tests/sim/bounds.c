/*
 * What the broker may hold at most, looked at after every cycle: every queue has a limit that its
 * configuration or its peers set, whatever the disk, the network and the clients do.
 */
#include <inttypes.h>

#include "core/rules_past.h"
#include "journal/state.h"
#include "sim/broker_private.h"

static void check_session(const struct net *net, const struct session *session)
{
	uint64_t waiting = 0;

	for (const struct session_reply *it = session->replies; it; it = it->next)
		waiting++;
	life_check(waiting == session->n_replies && waiting <= net->config->publish_window,
	           "%" PRIu64 " answers wait for one session, agreed are %u", waiting,
	           net->config->publish_window);
	life_check(session->n_wanted <= WANTED_OF_SESSION && net->wanted.n <= WANTED_IN_ALL,
	           "%u receipts are waited for", session->n_wanted);
	for (size_t i = 1; i <= SESSION_HANDLES; i++) {
		const struct session_consumer *consumer = session->consumers[i];

		life_check(!consumer || consumer->len <= net->config->max_frame_bytes,
		           "%zu bytes of deliveries wait for one consumer", consumer->len);
		life_check(!consumer || consumer->room <= 2 * (size_t)net->config->max_frame_bytes,
		           "room for %zu bytes of deliveries to one consumer", consumer->room);
	}
}

static void check_journal(const struct broker *broker, uint64_t max_bytes)
{
	const struct writer *writer = &broker->journal->writer;
	const uint64_t to_come =
	        writer->file >= 0
	                ? 0
	                : writer->replaced_bytes + writer->recovered_bytes - writer->recovered_used;
	const uint64_t uncut = disk_met_fault(broker->disk) ? BROKER_SEGMENT_BYTES : 0;
	struct journal_stats stats;

	journal_get_stats(broker->journal, &stats);
	life_check(stats.staged_bytes <= broker->net->config->buffer_bytes,
	           "%zu bytes are staged, the buffer has %zu", stats.staged_bytes,
	           (size_t)broker->net->config->buffer_bytes);
	/* The first segment of a life may lie beyond, for what empties the journal, if no more than
	   one lies beyond already; what the one before gives back then, it has until then, or for
	   good when its file cannot be cut. */
	life_check(max_bytes == 0 || stats.disk_bytes <=
	                                     max_bytes + 2 * BROKER_SEGMENT_BYTES + to_come + uncut,
	           "the journal has %" PRIu64 " bytes, allowed are %" PRIu64, stats.disk_bytes,
	           max_bytes);
}

/* Retention takes no text of rules that were in force at a record it leaves. */
static void check_rules(const struct broker *broker)
{
	const struct rules_version *version;
	struct journal_stats stats;

	journal_get_stats(broker->journal, &stats);
	version = core_rules_of(broker->net->core, stats.first_sequence);
	life_check(!version || version->text >= stats.first_sequence || life_now->rules_refused,
	           "the journal begins with %" PRIu64 ", the text of its rules stood at %" PRIu64,
	           stats.first_sequence, version->text);
}

void broker_check_bounds(const struct broker *broker)
{
	const struct net *net = broker->net;

	life_check(net->sessions.count <= net->config->max_sessions, "%zu sessions",
	           net->sessions.count);
	for (const struct session *it = net->sessions.by_number; it; it = it->by_number.next)
		check_session(net, it);
	for (size_t i = 0; i < core_mailbox_count(net->core); i++) {
		struct core_mailbox_view view;

		core_mailbox_view(net->core, i, &view);
		/* Dead letters that are retried come on top of the window. */
		life_check(view.in_flight <= net->config->mailbox_window +
		                                     (uint64_t)net->config->mailbox_max_held,
		           "%s: %" PRIu64 " deliveries are in flight", view.id, view.in_flight);
	}
	broker_weigh(broker);
	check_rules(broker);
	if (!life_now->peaceful)
		check_journal(broker, life_now->plan->max_bytes);
}
