/*
 * The police adapter's reader: tells JSON from XML and catalogue events from the police's own
 * shape. Owned by the adapter's only thread; nothing is kept between documents.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/catalogue.h"
#include "common/json_items.h"
#include "police/police.h"
#include "police/xml.h"

/* What the out directory gets. */
static const char *const receives[] = {
	"service.flag_requested", "prison.release_scheduled",
	"prison.release_changed", "prison.release_cancelled",
	"prison.released",        "probation.risk_escalated",
	"probation.breach",       "probation.recall",
	"service.enrolled",       "service.exited",
	"service.reengaged",      "service.withdrawn",
	"broker.correction",      "broker.alert_unacknowledged",
	"broker.lane_parked",     "broker.deliveries_given_up",
	NULL,
};

static enum ttg_error open_reader(void **self, const struct adapter_context *context,
                                  const void *settings, struct message *message)
{
	struct police *police = calloc(1, sizeof(*police));
	enum ttg_error error;

	(void)settings;
	*self = NULL;
	if (police == NULL)
		return message_set(message, TTG_ENOMEM, "no memory");
	snprintf(police->agency, sizeof(police->agency), "%s", context->agency);
	error = xml_schema_new(&police->schema, message);
	if (error != TTG_OK) {
		free(police);
		return error;
	}
	*self = police;
	return TTG_OK;
}

static void close_reader(void *self)
{
	struct police *police = self;

	xml_schema_free(&police->schema);
	free(police);
}

static enum ttg_error read_item(void *user, const json_t *item, struct intake *intake,
                                struct message *message)
{
	const struct police *police = user;

	if (catalogue_is(item))
		return catalogue_read(item, "police.", police->agency, intake, message);
	return police_event_read(police, item, intake, message);
}

static enum ttg_error read_document(void *self, const struct document *document,
                                    struct intake *intake, struct message *message)
{
	const struct police *police = self;
	enum ttg_error error;

	if (document->form == DOCUMENT_XML)
		error = xml_items_each(police->schema, document, intake, read_item, self);
	else
		error = json_items_each(document, intake, read_item, self);
	return error == TTG_OK ? TTG_OK : message_set(message, error, "no memory");
}

const struct adapter_kind police_kind = {
	.program = "ttg-police",
	.summary = "carries arrests, encounters and flags between a police force and the broker",
	.takes_json = true,
	.takes_xml = true,
	.receives = receives,
	.open = open_reader,
	.close = close_reader,
	.read = read_document,
};
