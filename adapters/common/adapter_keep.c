/*
 * Deliveries for an adapter that keeps them itself. See struct adapter_keeper.
 *
 * Happy path: the deliveries of one frame are taken one by one, committed together, then
 * acknowledged one by one (never "up to", which would take along what was refused before, or is
 * held). When
 * taking or committing fails, nothing more is taken or acknowledged and the loop ends with the
 * error; the broker delivers again to the next process. Owned by the adapter's only thread.
 */
#include <stdlib.h>
#include "common/adapter_internal.h"

#define KEPT_MAX 8192 /* positions between two commits; a frame holds fewer */

static void fail(struct adapter *adapter, enum ttg_error error, const struct message *message)
{
	if (adapter->failure == TTG_OK)
		log_write(adapter->log, LOG_LEVEL_ERROR, "not_kept", "code=%d name=%s text=\"%s\"",
		          (int)error, ttg_error_name(error), message->text);
	adapter->failure = error;
}

static void on_batch(void *user, const char *mailbox)
{
	struct adapter *adapter = user;
	struct message message = { "" };
	enum ttg_error error;

	if (adapter->failure != TTG_OK || adapter->n_kept == 0)
		return;
	error = adapter->kind->keeper->commit(adapter->reader, &message);
	if (error != TTG_OK) {
		fail(adapter, error, &message);
		return;
	}
	adapter->counters.received += adapter->n_kept;
	for (size_t i = 0; error == TTG_OK && i < adapter->n_kept; i++) {
		const struct kept *kept = &adapter->kept[i];

		if (kept->held)
			error = adapter_hold_put(adapter, mailbox, kept, &message);
		else
			ttg_client_ack(adapter->client, mailbox, kept->position);
	}
	adapter->n_kept = 0;
	if (error != TTG_OK)
		fail(adapter, error, &message);
}

static void refuse(struct adapter *adapter, const struct ttg_delivery *delivery)
{
	adapter->counters.received_unwanted++;
	log_write(adapter->log, LOG_LEVEL_WARN, "delivery_refused", "mailbox=%s position=%llu",
	          delivery->mailbox, (unsigned long long)delivery->position);
	ttg_client_nack(adapter->client, delivery->mailbox, delivery->position,
	                TTG__NACK_REASON__NACK_UNREADABLE, "not an event", 0);
}

static void on_delivery(void *user, const struct ttg_delivery *delivery)
{
	struct adapter *adapter = user;
	const struct adapter_keeper *keeper = adapter->kind->keeper;
	struct message message = { "" };
	enum ttg_error error;
	struct kept *kept;

	if (adapter->failure != TTG_OK)
		return;
	if (adapter->n_kept == KEPT_MAX)
		on_batch(adapter, delivery->mailbox);
	error = keeper->keep(adapter->reader, delivery, &message);
	if (error == TTG_EFORMAT) {
		refuse(adapter, delivery);
		return;
	}
	if (error != TTG_OK) {
		fail(adapter, error, &message);
		return;
	}
	kept = &adapter->kept[adapter->n_kept++];
	kept->position = delivery->position;
	kept->held = adapter->hold != NULL && keeper->holds(adapter->reader, kept->id);
}

static void on_attached(void *user, const char *mailbox, bool active, uint64_t acknowledged)
{
	const struct adapter *adapter = user;

	log_write(adapter->log, LOG_LEVEL_INFO, "attached",
	          "mailbox=%s active=%d acknowledged=%llu", mailbox, active,
	          (unsigned long long)acknowledged);
}

void adapter_keep_callbacks(struct ttg_callbacks *callbacks)
{
	callbacks->on_delivery = on_delivery;
	callbacks->on_batch = on_batch;
	callbacks->on_attached = on_attached;
	callbacks->on_event_state = adapter_on_event_state;
}

enum ttg_error adapter_keep_attach(struct adapter *adapter, struct message *message)
{
	enum ttg_error error = adapter_hold_open(adapter, message);
	const char *mailbox;

	if (error != TTG_OK)
		return error;
	adapter->kept = calloc(KEPT_MAX, sizeof(*adapter->kept));
	if (adapter->kept == NULL)
		return message_set(message, TTG_ENOMEM, "no memory");
	for (size_t i = 0; (mailbox = adapter->kind->keeper->mailbox(adapter->reader, i)) != NULL;
	     i++) {
		error = ttg_client_attach(adapter->client, mailbox, adapter_hold_credit(adapter));
		if (error != TTG_OK)
			return message_set(message, error, "mailbox %s: %s", mailbox,
			                   ttg_error_text(error));
	}
	return TTG_OK;
}

void adapter_keep_answer(struct adapter *adapter, const struct ttg_outcome *outcome)
{
	struct message message = { "" };
	enum ttg_error error;

	if (adapter->kind->keeper == NULL || adapter->kind->keeper->answered == NULL)
		return;
	error = adapter->kind->keeper->answered(adapter->reader, outcome, &message);
	if (error != TTG_OK)
		fail(adapter, error, &message);
}
