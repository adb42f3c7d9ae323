/*
 * The prison adapter's reader: tells the forms of documents apart and keeps the transaction of the
 * last-seen state until the frame says that the events are durable. Owned by the adapter's only
 * thread. A document that is no good is noted in the intake; only memory and disk fail read().
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/catalogue.h"
#include "common/json_items.h"
#include "prison/prison.h"
#include "prison/state.h"

static const char *const view_words[] = { "immediate", "settled", NULL };
static const char *const extent_words[] = { "full", "partial", NULL };

/* What the out directory gets. */
static const char *const receives[] = {
	"referral.sent",
	"referral.acknowledged",
	"referral.accepted",
	"referral.declined",
	"referral.assigned",
	"referral.started",
	"referral.ended",
	"referral.withdrawn",
	"service.access_requested",
	"service.enrolled",
	"service.exited",
	"service.reengaged",
	"service.withdrawn",
	"service.needs_assessed",
	"service.gate_meeting",
	"partner.outcome",
	"probation.recall",
	"broker.correction",
	"broker.alert_unacknowledged",
	"broker.lane_parked",
	"broker.deliveries_given_up",
	"broker.referral_overdue",
	NULL,
};

#define SETTING(name) offsetof(struct prison_settings, name)

static const struct config_option options[] = {
	{ "views", CONFIG_CHOICES, SETTING(views), .fallback = "immediate,settled",
	  .words = view_words,
	  .right = "a list of \"immediate\" and \"settled\": which movements are published" },
	{ "diary.extract", CONFIG_CHOICE, SETTING(diary_extent), .fallback = "full",
	  .words = extent_words, .right = "\"full\" or \"partial\"" },
	{ "boards.extract", CONFIG_CHOICE, SETTING(boards_extent), .fallback = "full",
	  .words = extent_words, .right = "\"full\" or \"partial\"" },
	{ "extracts.max_vanish_percent", CONFIG_INTEGER, SETTING(max_vanish_percent),
	  .fallback = "20", .max = 100,
	  .right = "0 to 100: a larger share of vanished entries stops the extract" },
	{ "extracts.max_vanish_count", CONFIG_INTEGER, SETTING(max_vanish_count), .fallback = "2",
	  .max = 100000, .right = "how many vanished entries are always believed" },
	{ "diary.urgent_hours", CONFIG_INTEGER, SETTING(urgent_hours), .fallback = "72",
	  .max = 8760, .right = "changes of releases nearer than this are urgent" },
};

static enum ttg_error open_reader(void **self, const struct adapter_context *context,
                                  const void *settings, struct message *message)
{
	struct prison *prison = calloc(1, sizeof(*prison));
	char path[CONFIG_TEXT_BYTES + 16];
	enum ttg_error error;

	*self = NULL;
	if (prison == NULL)
		return message_set(message, TTG_ENOMEM, "no memory");
	memcpy(&prison->settings, settings, sizeof(prison->settings));
	snprintf(prison->agency, sizeof(prison->agency), "%s", context->agency);
	snprintf(path, sizeof(path), "%s/extracts.db", context->state_dir);
	error = state_open(&prison->state, path, message);
	if (error != TTG_OK) {
		free(prison);
		return error;
	}
	*self = prison;
	return TTG_OK;
}

static void close_reader(void *self)
{
	struct prison *prison = self;

	state_close(&prison->state);
	free(prison);
}

static enum ttg_error read_item(void *user, const json_t *item, struct intake *intake,
                                struct message *message)
{
	const struct prison *prison = user;
	struct domain_event event;
	enum ttg_error error;

	if (catalogue_is(item))
		return catalogue_read(item, "prison.", prison->agency, intake, message);
	if (!domain_event_is(item))
		return message_set(message, TTG_EFORMAT,
		                   "is neither a domain event nor a catalogue event");
	error = domain_event_open(&event, item, message);
	if (error != TTG_OK)
		return error;
	error = movement_read(prison, &event, intake, message);
	domain_event_close(&event);
	return error;
}

static enum ttg_error read_document(void *self, const struct document *document,
                                    struct intake *intake, struct message *message)
{
	struct prison *prison = self;
	enum ttg_error error;

	if (document->form == DOCUMENT_CSV)
		return extract_read(prison, document, intake, message);
	error = json_items_each(document, intake, read_item, prison);
	return error == TTG_OK ? TTG_OK : message_set(message, error, "no memory");
}

static enum ttg_error settle(void *self, bool durable, struct message *message)
{
	struct prison *prison = self;

	if (!prison->state_open)
		return TTG_OK;
	prison->state_open = false;
	if (durable)
		return state_commit(prison->state, message);
	state_rollback(prison->state);
	return TTG_OK;
}

const struct adapter_kind prison_kind = {
	.program = "ttg-prison",
	.summary = "carries a prison's movements, release diary and discharge boards to the broker",
	.options = options,
	.n_options = sizeof(options) / sizeof(*options),
	.settings_bytes = sizeof(struct prison_settings),
	.takes_json = true,
	.takes_csv = true,
	.receives = receives,
	.open = open_reader,
	.close = close_reader,
	.read = read_document,
	.settle = settle,
};
