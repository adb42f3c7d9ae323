/*
 * The One Service's adapter between frame, case store and standard output.
 *
 * Happy path of a delivery: into the open transaction -> commit -> its live line, if it is new ->
 * acknowledged by the frame. Of a document: every CloudEvents line read and checked -> kept as ours
 * in the store -> durable in the outbox (frame) -> the broker's answer beside it in the store. A
 * crash anywhere makes the delivery or the document come again, and it is recognised.
 *
 * Where alerts are for people, an urgent delivery is acknowledged only when a person has
 * acknowledged it in the store; the frame holds it until then.
 *
 * A store that cannot be written, or whose server went away, ends the adapter with status 1 and
 * nothing acknowledged; its unit starts it again. A live line that cannot be written is not an
 * error: the store has the event. Owned by the adapter's only thread.
 */
#include "oneservice/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/world.h"
#include "common/cloudevents.h"
#include "common/json_items.h"
#include "oneservice/line.h"
#include "store/alert.h"
#include "store/published.h"

#define ASK_FOR_NS (INT64_C(30) * 86400 * 1000000000)
#define LINES_MAX  8192 /* new events between two commits; the frame commits before */

enum live { LIVE_PEOPLE = 0, LIVE_JSON, LIVE_OFF };
enum alerts { ALERTS_STORE = 0, ALERTS_PEOPLE };

static const char *const live_words[] = { "people", "json", "off", NULL };
static const char *const alerts_words[] = { "store", "people", NULL };

struct service {
	const struct adapter_context *context;
	const struct service_settings *settings;
	struct store *store;
	char **lines; /* to print once they are committed */
	size_t n_lines;
	bool waits;                        /* for a person: what was kept last */
	uint8_t last_id[ADAPTER_ID_BYTES]; /* its id, if so */
};

static int64_t real_ns(void)
{
	return world_real()->real_ns(world_real()->self);
}

static void forget_lines(struct service *service)
{
	for (size_t i = 0; i < service->n_lines; i++)
		free(service->lines[i]);
	service->n_lines = 0;
}

static void close_service(void *self)
{
	struct service *service = self;

	forget_lines(service);
	free(service->lines);
	store_close(&service->store);
	free(service);
}

void service_find_store(const struct service_settings *settings, const char *state_dir,
                        struct service_store *out)
{
	*out = (struct service_store){ .place = { .postgres = settings->postgres,
		                                  .password_file = settings->password_file } };
	snprintf(out->path, sizeof(out->path), "%s/%s", state_dir, SERVICE_STORE_FILE);
	if (settings->path[0] != '\0')
		out->place.path = settings->path;
	else if (settings->postgres[0] == '\0')
		out->place.path = out->path;
}

static enum ttg_error check_settings(const void *settings, struct message *message)
{
	struct service_store store;

	service_find_store(settings, "", &store);
	return store_check(&store.place, message);
}

static enum ttg_error open_service(void **self, const struct adapter_context *context,
                                   const void *settings, struct message *message)
{
	struct service *service = calloc(1, sizeof(*service));
	struct service_store found;
	enum ttg_error error = TTG_ENOMEM;

	*self = NULL;
	if (service == NULL)
		return message_set(message, TTG_ENOMEM, "no memory");
	service->context = context;
	service->settings = settings;
	service->lines = calloc(LINES_MAX, sizeof(*service->lines));
	service_find_store(settings, context->state_dir, &found);
	if (service->lines == NULL)
		message_set(message, TTG_ENOMEM, "no memory");
	else
		error = store_open(&service->store, &found.place, message);
	if (error == TTG_OK)
		error = store_hold_alerts(service->store,
		                          service->settings->alerts == ALERTS_PEOPLE, message);
	if (error != TTG_OK) {
		close_service(service);
		return error;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	*self = service;
	return TTG_OK;
}

static const char *mailbox(void *self, size_t index)
{
	const struct service *service = self;
	const struct config_list *mailboxes = &service->settings->mailboxes;

	return index < mailboxes->n ? mailboxes->items[index] : NULL;
}

/* Without memory for a line the event is kept all the same. */
static void add_line(struct service *service, const struct ttg_delivery *delivery,
                     int64_t received_ns)
{
	Ttg__Event *event;
	char line[LINE_BYTES];

	if (service->settings->live == LIVE_OFF || service->n_lines == LINES_MAX)
		return;
	event = ttg__event__unpack(NULL, delivery->event_bytes, delivery->event);
	if (event == NULL)
		return;
	if (service->settings->live == LIVE_JSON) {
		service->lines[service->n_lines] = line_for_programs(delivery, event, received_ns);
	} else {
		line_for_people(line, event, delivery->accepted_ns, received_ns);
		service->lines[service->n_lines] = strdup(line);
	}
	if (service->lines[service->n_lines] != NULL)
		service->n_lines++;
	ttg__event__free_unpacked(event, NULL);
}

/* Of a delivery just kept, in the same transaction. */
static enum ttg_error look_for_alert(struct service *service, const struct ttg_delivery *delivery,
                                     struct message *message)
{
	Ttg__Event *event;
	enum ttg_error error;

	service->waits = false;
	if (service->settings->alerts != ALERTS_PEOPLE)
		return TTG_OK;
	event = ttg__event__unpack(NULL, delivery->event_bytes, delivery->event);
	if (event == NULL)
		return message_set(message, TTG_ENOMEM, "no memory");
	memcpy(service->last_id, event->id.data, sizeof(service->last_id));
	error = event->urgency != TTG__URGENCY__URGENT
	                ? TTG_OK
	                : store_alert_waits(service->store, service->last_id, &service->waits,
	                                    message);
	ttg__event__free_unpacked(event, NULL);
	return error;
}

static enum ttg_error keep(void *self, const struct ttg_delivery *delivery, struct message *message)
{
	struct service *service = self;
	int64_t received_ns = real_ns();
	enum store_verdict verdict;
	enum ttg_error error = store_add(service->store, delivery, received_ns, &verdict, message);

	if (error == TTG_OK && verdict == STORE_NEW)
		add_line(service, delivery, received_ns);
	return error == TTG_OK ? look_for_alert(service, delivery, message) : error;
}

static bool may_hold(void *self)
{
	const struct service *service = self;

	return service->settings->alerts == ALERTS_PEOPLE;
}

static bool holds(void *self, uint8_t id[ADAPTER_ID_BYTES])
{
	const struct service *service = self;

	if (service->waits)
		memcpy(id, service->last_id, ADAPTER_ID_BYTES);
	return service->waits;
}

static enum ttg_error released(void *self, uint8_t (*ids)[ADAPTER_ID_BYTES], size_t max, size_t *n,
                               struct message *message)
{
	struct service *service = self;

	return store_release_acknowledged(service->store, ids, max, n, message);
}

static enum ttg_error gives_up(void *self, const uint8_t id[ADAPTER_ID_BYTES],
                               struct message *message)
{
	struct service *service = self;

	return store_release(service->store, id, message);
}

static enum ttg_error commit(void *self, struct message *message)
{
	struct service *service = self;
	enum ttg_error error = store_commit(service->store, message);

	for (size_t i = 0; error == TTG_OK && i < service->n_lines; i++)
		puts(service->lines[i]);
	forget_lines(service);
	return error;
}

static enum ttg_error answered(void *self, const struct ttg_outcome *outcome,
                               struct message *message)
{
	struct service *service = self;
	enum ttg_error error = store_answer(service->store, outcome, real_ns(), message);

	return error == TTG_ENOENT ? TTG_OK : error;
}

/* Of the newest; what nobody acknowledged for so long is not asked for any more. */
static enum ttg_error asks(void *self, uint8_t (*ids)[ADAPTER_ID_BYTES], size_t max, size_t *n,
                           struct message *message)
{
	struct service *service = self;

	return store_find_unsettled(service->store, real_ns() - ASK_FOR_NS, ids, max, n, message);
}

static enum ttg_error told(void *self, const struct ttg_event_state *state, bool *changed,
                           struct message *message)
{
	struct service *service = self;

	return store_add_state(service->store, state, real_ns(), changed, message);
}

bool service_may_say(const char *type)
{
	return strncmp(type, "service.", strlen("service.")) == 0 ||
	       strncmp(type, "referral.", strlen("referral.")) == 0;
}

/* What this agency may not say is stopped here, where its own people see why. */
static enum ttg_error check_item(const json_t *item, const Ttg__Event *event, const char *agency,
                                 struct message *message)
{
	if (json_object_get(item, "id") == NULL)
		return message_set(message, TTG_EFORMAT,
		                   "id: is missing; without one a repeat cannot be recognised");
	if (strcmp(event->source, agency) != 0)
		return message_set(message, TTG_EPERM, "source: must be %s", agency);
	if (!service_may_say(event->type))
		return message_set(message, TTG_EPERM,
		                   "type: this service publishes service.* and referral.* only");
	return TTG_OK;
}

static enum ttg_error read_item(void *user, const json_t *item, struct intake *intake,
                                struct message *message)
{
	Ttg__Event *event = NULL;
	uint8_t *bytes = NULL;
	size_t len = 0;
	unsigned ignored;
	enum ttg_error error = cloudevents_read(item, &event, &ignored, message);

	if (error != TTG_OK)
		return error;
	error = check_item(item, event, user, message);
	if (error == TTG_OK)
		error = ttg_event_pack(event, &bytes, &len);
	if (error == TTG_OK)
		error = intake_add_event(intake, event->id.data, ttg_type_of(event), bytes, len);
	ttg__event__free_unpacked(event, NULL);
	return error;
}

enum ttg_error service_read(const char *agency, const struct document *document,
                            struct intake *intake, struct message *message)
{
	(void)message;
	return json_items_each(document, intake, read_item, (void *)(uintptr_t)agency);
}

static enum ttg_error read_document(void *self, const struct document *document,
                                    struct intake *intake, struct message *message)
{
	struct service *service = self;
	enum ttg_error error = service_read(service->context->agency, document, intake, message);

	for (size_t i = 0; error == TTG_OK && !intake->refused && i < intake->n_events; i++) {
		const struct intake_event *event = &intake->events[i];

		error = store_add_published(service->store, event->id,
		                            ttg_type_name((size_t)event->type), event->bytes,
		                            event->len, real_ns(), message);
	}
	if (error == TTG_OK)
		error = store_commit(service->store, message);
	return error;
}

static const struct config_option options[] = {
	{ "mailboxes", CONFIG_STRINGS, offsetof(struct service_settings, mailboxes),
	  .fallback = "duty,records,manager",
	  .right = "a list of mailboxes of this agency, for example [ \"duty\", \"records\" ]" },
	{ "live", CONFIG_CHOICE, offsetof(struct service_settings, live), .fallback = "people",
	  .words = live_words, .right = "people, json or off: what standard output gets" },
	{ "alerts", CONFIG_CHOICE, offsetof(struct service_settings, alerts), .fallback = "store",
	  .words = alerts_words,
	  .right = "people or store: who acknowledges urgent events to the broker" },
	{ "store.path", CONFIG_STRING, offsetof(struct service_settings, path),
	  .right = "the path of an SQLite file, or \"\": case.db in state_dir" },
	{ "store.postgres", CONFIG_STRING, offsetof(struct service_settings, postgres),
	  .right = "a connection string of libpq without a password, or \"\": SQLite" },
	{ "store.password_file", CONFIG_STRING, offsetof(struct service_settings, password_file),
	  .right = "the path of a file of mode 0600 with PostgreSQL's password in its first line" },
};

static const struct adapter_keeper keeper = {
	.mailbox = mailbox,
	.keep = keep,
	.commit = commit,
	.answered = answered,
	.may_hold = may_hold,
	.holds = holds,
	.released = released,
	.gives_up = gives_up,
	.asks = asks,
	.told = told,
};

const struct adapter_kind service_kind = {
	.program = "ttg-oneservice",
	.summary = "what the One Service is told, into its case store; what it says, out",
	.options = options,
	.n_options = sizeof(options) / sizeof(*options),
	.settings_bytes = sizeof(struct service_settings),
	.takes_json = true,
	.keeper = &keeper,
	.more_help =
	        "       ttg-oneservice publish --config FILE [--wait SECONDS] [FILE | -]\n\n"
	        "  publish hands CloudEvents lines (service.*, referral.*) to the running "
	        "adapter and\n"
	        "  prints one line of outcome for each; see ttg-oneservice(8)\n\n"
	        "       ttg-oneservice report engagement|needs|outcome|referrals --config FILE\n"
	        "                      [--csv | --json] [--scheme SCHEME] [--cohort COHORT]\n"
	        "                      [--as-at TIME] [--public] [--baseline FREQUENCY]\n"
	        "                      [--output FILE]\n\n"
	        "  report prints figures out of the case store; see report --help\n\n"
	        "       ttg-oneservice alerts --config FILE\n"
	        "       ttg-oneservice acknowledge --config FILE --user NAME ID\n\n"
	        "  alerts prints the urgent events that nobody has acknowledged; acknowledge does "
	        "it for one\n\n",
	.check = check_settings,
	.open = open_service,
	.close = close_service,
	.read = read_document,
};
