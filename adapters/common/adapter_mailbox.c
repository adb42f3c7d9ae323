/*
 * What an adapter receives: each event it has a use for becomes files in the out directory, synced
 * and in place before it is acknowledged. Others are acknowledged and counted. A full or failing
 * disk refuses the delivery for now, so the broker keeps it; an event that cannot be read is
 * refused as such and ends among the dead letters.
 */
#include <stdlib.h>
#include <string.h>
#include "common/adapter_internal.h"
#include "common/cloudevents.h"
#include "common/outdir.h"
#include <ttg/proto/session.pb-c.h>

#define RETRY_MS 30000

static bool is_wanted(const struct adapter_kind *kind, const char *type)
{
	for (const char *const *one = kind->receives; one != NULL && *one != NULL; one++) {
		if (strcmp(*one, type) == 0)
			return true;
	}
	return false;
}

static enum ttg_error put(const struct adapter *adapter, const Ttg__Event *event,
                          const struct ttg_delivery *delivery, struct message *message)
{
	const struct cloudevents_delivery extensions = { .position = delivery->position,
		                                         .attempt = delivery->attempt,
		                                         .person_key = delivery->person_key,
		                                         .redacted = delivery->redacted };
	json_t *object = cloudevents_write(event, &extensions);
	char *text = object == NULL ? NULL : json_dumps(object, JSON_INDENT(2));
	enum ttg_error error = TTG_ENOMEM;

	if (text != NULL)
		error = outdir_put(world_real(), adapter->settings.out_dir, event, text, message);
	free(text);
	json_decref(object);
	return error;
}

static void refuse(struct adapter *adapter, const struct ttg_delivery *delivery, int reason,
                   const char *text, uint32_t retry_ms)
{
	log_write(adapter->log, LOG_LEVEL_WARN, "delivery_refused",
	          "position=%llu attempt=%u text=\"%s\"", (unsigned long long)delivery->position,
	          delivery->attempt, text);
	ttg_client_nack(adapter->client, delivery->mailbox, delivery->position, reason, text,
	                retry_ms);
}

void adapter_on_delivery(void *user, const struct ttg_delivery *delivery)
{
	struct adapter *adapter = user;
	struct message message = { "" };
	Ttg__Event *event = ttg__event__unpack(NULL, delivery->event_bytes, delivery->event);

	if (event == NULL) {
		refuse(adapter, delivery, TTG__NACK_REASON__NACK_UNREADABLE, "cannot be decoded",
		       0);
		return;
	}
	if (ttg_type_of(event) < 0 || !is_wanted(adapter->kind, event->type)) {
		adapter->counters.received_unwanted++;
	} else if (put(adapter, event, delivery, &message) == TTG_OK) {
		adapter->counters.received++;
	} else {
		refuse(adapter, delivery, TTG__NACK_REASON__NACK_TEMPORARY,
		       "the out directory cannot be written", RETRY_MS);
		ttg__event__free_unpacked(event, NULL);
		return;
	}
	ttg_client_ack(adapter->client, delivery->mailbox, delivery->position);
	ttg__event__free_unpacked(event, NULL);
}
