/*
 * The probation adapter's reader: tells contacts, domain events and catalogue events apart. Owned
 * by the adapter's only thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/catalogue.h"
#include "common/json_items.h"
#include "probation/probation.h"

/* What the out directory gets. */
static const char *const receives[] = {
	"prison.reception",       "prison.release_scheduled",
	"prison.release_changed", "prison.release_cancelled",
	"prison.released",        "police.arrest",
	"police.custody_update",  "police.iom_status",
	"service.enrolled",       "service.exited",
	"service.reengaged",      "service.withdrawn",
	"service.gate_meeting",   "referral.sent",
	"referral.acknowledged",  "referral.accepted",
	"referral.declined",      "referral.assigned",
	"referral.started",       "referral.ended",
	"referral.withdrawn",     "probation.risk_escalated",
	"broker.correction",      "broker.alert_unacknowledged",
	"broker.lane_parked",     "broker.deliveries_given_up",
	"broker.referral_overdue",
	NULL,
};

#define SETTING(name) offsetof(struct probation_settings, name)

static const struct config_option options[] = {
	{ "contacts.publish_sensitive", CONFIG_YES_NO, SETTING(publish_sensitive),
	  .fallback = "false",
	  .right = "true or false: whether contacts marked sensitive leave this agency" },
	{ "contacts.voluntary_types", CONFIG_STRINGS, SETTING(voluntary_types),
	  .right = "a list of up to 32 contact type codes of voluntary services" },
	{ "referrals.provider", CONFIG_STRING, SETTING(referral_provider),
	  .right = "the agency id of the provider of community interventions, or \"\"" },
};

static enum ttg_error open_reader(void **self, const struct adapter_context *context,
                                  const void *settings, struct message *message)
{
	struct probation *probation = calloc(1, sizeof(*probation));

	*self = probation;
	if (probation == NULL)
		return message_set(message, TTG_ENOMEM, "no memory");
	memcpy(&probation->settings, settings, sizeof(probation->settings));
	snprintf(probation->agency, sizeof(probation->agency), "%s", context->agency);
	return TTG_OK;
}

static void close_reader(void *self)
{
	free(self);
}

struct item_reader {
	const struct probation *probation;
	int64_t seen_ns;
};

static enum ttg_error read_item(void *user, const json_t *item, struct intake *intake,
                                struct message *message)
{
	const struct item_reader *reader = user;
	const struct probation *probation = reader->probation;
	struct domain_event event;
	struct probation_reading reading = { probation, &event, intake, message };
	enum ttg_error error;

	if (catalogue_is(item))
		return catalogue_read(item, "probation.", probation->agency, intake, message);
	if (contact_is(item))
		return contact_read(probation, item, reader->seen_ns, intake, message);
	if (!domain_event_is(item))
		return message_set(message, TTG_EFORMAT,
		                   "is no domain event, no contact and no catalogue event");
	error = domain_event_open(&event, item, message);
	if (error != TTG_OK)
		return error;
	error = cases_read(&reading);
	domain_event_close(&event);
	return error;
}

static enum ttg_error read_document(void *self, const struct document *document,
                                    struct intake *intake, struct message *message)
{
	struct item_reader reader = { self, document->seen_ns };
	enum ttg_error error;

	if (document->form == DOCUMENT_CSV)
		return contacts_read_csv(self, document, intake, message);
	error = json_items_each(document, intake, read_item, &reader);
	return error == TTG_OK ? TTG_OK : message_set(message, error, "no memory");
}

const struct adapter_kind probation_kind = {
	.program = "ttg-probation",
	.summary = "carries probation cases, contacts and enforcement to the broker",
	.options = options,
	.n_options = sizeof(options) / sizeof(*options),
	.settings_bytes = sizeof(struct probation_settings),
	.takes_json = true,
	.takes_csv = true,
	.receives = receives,
	.open = open_reader,
	.close = close_reader,
	.read = read_document,
};
