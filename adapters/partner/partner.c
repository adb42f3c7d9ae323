/*
 * ttg-partner between frame, case store and what its people use. See partner.h.
 *
 * Happy path of a delivery: into the open transaction -> into files and the queue of what is
 * pushed, durable there -> commit -> acknowledged by the frame. A crash anywhere makes it come
 * again; when the store knows it, the rest was made before. What ends in files or is pushed can
 * therefore come twice, under the same names and ids, and never not at all.
 *
 * A store, a folder or a queue that cannot be written ends the adapter with status 1 and nothing
 * acknowledged; its unit starts it again. Owned by the adapter's only thread.
 */
#include "partner/partner.h"
#include "store/published.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include "base/world.h"
#include "common/cloudevents.h"
#include "common/outdir.h"
#include "partner/inbox.h"

static int64_t real_ns(void)
{
	return world_real()->real_ns(world_real()->self);
}

static void close_partner(void *self)
{
	struct partner *partner = self;

	web_close(&partner->web);
	push_close(&partner->push);
	caseload_free(&partner->referrals);
	store_close(&partner->store);
	free(partner->staged);
	free(partner);
}

struct filling {
	struct caseload *referrals;
	enum ttg_error error;
};

static bool add_delivered(void *arg, const struct store_event *event)
{
	struct filling *filling = arg;
	const struct caseload_news news = { .encoded = event->encoded,
		                             .encoded_bytes = event->encoded_bytes,
		                             .at_ns = event->kept_ns };

	if (!event->published) /* ours follow, with their answers */
		filling->error = caseload_add(filling->referrals, &news);
	return filling->error == TTG_OK;
}

static bool add_published(void *arg, const struct store_event *event)
{
	struct filling *filling = arg;
	struct caseload_news news = { .encoded = event->encoded,
		                       .encoded_bytes = event->encoded_bytes,
		                       .at_ns = event->kept_ns,
		                       .ours = true,
		                       .answer = STEP_WAITS,
		                       .code = event->code,
		                       .why = event->text };

	if (!event->published)
		return true;
	if (event->answered)
		news.answer = event->code == TTG_OK ? STEP_STANDS : STEP_REFUSED;
	filling->error = caseload_add(filling->referrals, &news);
	return filling->error == TTG_OK;
}

static enum ttg_error fill_referrals(struct partner *partner, struct message *message)
{
	struct filling filling = { .referrals = caseload_new(partner->context->agency) };
	enum ttg_error error;

	partner->referrals = filling.referrals;
	if (filling.referrals == NULL)
		return message_set(message, TTG_ENOMEM, "no memory");
	error = store_each_since(partner->store, 0, add_delivered, &filling, message);
	if (error == TTG_OK && filling.error == TTG_OK)
		error = store_each_since(partner->store, 0, add_published, &filling, message);
	if (error == TTG_OK && filling.error != TTG_OK)
		error = message_set(message, filling.error, "the referrals do not fit into memory");
	return error;
}

static enum ttg_error open_parts(struct partner *partner, struct message *message)
{
	const struct partner_settings *settings = partner->settings;
	char path[CONFIG_TEXT_BYTES + 16];
	const struct store_place place =
	        partner_store_place(settings, partner->context->state_dir, path);
	enum ttg_error error = store_open(&partner->store, &place, message);

	if (error == TTG_OK)
		error = fill_referrals(partner, message);
	partner->push_options = partner_push_options(settings, partner->context);
	if (error == TTG_OK && settings->push_url[0] != '\0')
		error = push_open(&partner->push, &partner->push_options, message);
	partner->summary = (struct summary_plan){ .dir = settings->summary_dir,
		                                  .at = settings->summary_at,
		                                  .from = settings->summary_from,
		                                  .to = settings->summary_to,
		                                  .agency = partner->context->agency,
		                                  .state_dir = partner->context->state_dir };
	if (error == TTG_OK && settings->summary_dir[0] != '\0')
		error = summary_open(&partner->summary, world_real(), message);
	partner->web_options = partner_web_options(settings, partner->context);
	partner->site = inbox_site(partner);
	if (error == TTG_OK && settings->web_port != 0)
		error = web_open(&partner->web, &partner->web_options, &partner->site, message);
	return error;
}

static enum ttg_error open_partner(void **self, const struct adapter_context *context,
                                   const void *settings, struct message *message)
{
	struct partner *partner = calloc(1, sizeof(*partner));
	enum ttg_error error;

	*self = NULL;
	if (partner == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(partner);
		return message_set(message, TTG_ENOMEM, "no memory");
	}
	partner->context = context;
	partner->settings = settings;
	error = open_parts(partner, message);
	if (error == TTG_OK)
		*self = partner;
	else
		close_partner(partner);
	return error;
}

static const char *mailbox(void *self, size_t index)
{
	const struct partner *partner = self;

	return index == 0 ? partner->context->mailbox : NULL;
}

static enum ttg_error put_files(const struct partner *partner, const Ttg__Event *event,
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
		error = outdir_put(world_real(), partner->context->out_dir, event, text, message);
	else
		message_set(message, error, "no memory");
	free(text);
	json_decref(object);
	return error;
}

/* One that is new: out to where it is wanted, and into the referrals. */
static enum ttg_error pass_on(struct partner *partner, const struct ttg_delivery *delivery,
                              struct message *message)
{
	const struct caseload_news news = { .encoded = delivery->event,
		                             .encoded_bytes = delivery->event_bytes,
		                             .at_ns = delivery->accepted_ns };
	Ttg__Event *event = ttg__event__unpack(NULL, delivery->event_bytes, delivery->event);
	enum ttg_error error = TTG_OK;

	if (event == NULL)
		return message_set(message, TTG_ENOMEM, "no memory");
	/* A type of a later catalogue has no name here and no form for files. */
	if (partner->context->out_dir[0] != '\0' && ttg_type_of(event) >= 0)
		error = put_files(partner, event, delivery, message);
	if (error == TTG_OK && partner->push != NULL)
		error = push_put(partner->push, event, delivery, message);
	ttg__event__free_unpacked(event, NULL);
	if (error != TTG_OK)
		return error;
	error = caseload_add(partner->referrals, &news);
	return error == TTG_OK
	               ? TTG_OK
	               : message_set(message, error, "the referrals do not fit into memory");
}

static enum ttg_error keep(void *self, const struct ttg_delivery *delivery, struct message *message)
{
	struct partner *partner = self;
	enum store_verdict verdict;
	enum ttg_error error = store_add(partner->store, delivery, real_ns(), &verdict, message);

	if (error == TTG_OK && verdict == STORE_NEW)
		error = pass_on(partner, delivery, message);
	return error;
}

static enum ttg_error commit(void *self, struct message *message)
{
	struct partner *partner = self;

	return store_commit(partner->store, message);
}

static enum ttg_error answered(void *self, const struct ttg_outcome *outcome,
                               struct message *message)
{
	struct partner *partner = self;
	enum ttg_error error = store_answer(partner->store, outcome, real_ns(), message);

	if (error == TTG_OK)
		caseload_answer(partner->referrals, outcome->id, outcome->code, outcome->text);
	return error == TTG_ENOENT ? TTG_OK : error;
}

static void count(void *self, struct counters *counters)
{
	const struct partner *partner = self;
	struct push_counts counts;

	if (partner->push == NULL)
		return;
	counts = push_count(partner->push);
	counters_set(counters, "push_waiting", counts.waiting);
	counters_set(counters, "push_sent", counts.sent);
	counters_set(counters, "push_failed", counts.failed);
	counters_set(counters, "push_dead", counts.dead);
	counters_set(counters, "push_stopped", counts.stopped);
}

static int push_end_fd(void *self)
{
	const struct partner *partner = self;

	return partner->push == NULL ? -1 : push_fd(partner->push);
}

static int push_end_wait_ms(void *self)
{
	const struct partner *partner = self;

	return partner->push == NULL ? -1 : push_wait_ms(partner->push);
}

static enum ttg_error push_end_run(void *self, struct message *message)
{
	const struct partner *partner = self;

	return partner->push == NULL ? TTG_OK : push_run(partner->push, message);
}

static int web_end_fd(void *self)
{
	const struct partner *partner = self;

	return partner->web == NULL ? -1 : web_fd(partner->web);
}

static int web_end_wait_ms(void *self)
{
	const struct partner *partner = self;

	return partner->web == NULL ? -1 : web_wait_ms(partner->web);
}

static enum ttg_error web_end_run(void *self, struct message *message)
{
	const struct partner *partner = self;

	(void)message;
	if (partner->web != NULL)
		web_run(partner->web);
	return TTG_OK;
}

static int summary_end_wait_ms(void *self)
{
	const struct partner *partner = self;

	return partner->summary.dir[0] == '\0' ? -1 : SUMMARY_LOOK_MS;
}

/* A folder that cannot be written is no reason to receive no more: it is tried again. */
static enum ttg_error summary_end_run(void *self, struct message *message)
{
	struct partner *partner = self;

	if (partner->summary.dir[0] != '\0' &&
	    summary_write_if_due(&partner->summary, world_real(), partner->referrals, message) !=
	            TTG_OK)
		log_write(partner->context->log, LOG_LEVEL_WARN, "summary_failed", "text=\"%s\"",
		          message->text);
	return TTG_OK;
}

static const struct adapter_end ends[] = {
	{ push_end_fd, push_end_wait_ms, push_end_run },
	{ web_end_fd, web_end_wait_ms, web_end_run },
	{ NULL, summary_end_wait_ms, summary_end_run },
};

static const struct adapter_keeper keeper = {
	.mailbox = mailbox,
	.keep = keep,
	.commit = commit,
	.answered = answered,
};

const struct adapter_kind partner_kind = {
	.program = "ttg-partner",
	.summary = "what a small organisation is sent, and what it answers",
	.options = partner_options,
	.n_options = PARTNER_OPTIONS,
	.settings_bytes = sizeof(struct partner_settings),
	.takes_json = true,
	.keeper = &keeper,
	.more_help =
	        "       ttg-partner dead list --config FILE\n"
	        "       ttg-partner dead retry|discard --config FILE [--all] [ID...]\n\n"
	        "  dead shows what the receiver of push.url would not take, sends it again or\n"
	        "  removes it; see ttg-partner(1)\n\n"
	        "       ttg-partner user add NAME --role staff --name \"FULL NAME\"\n"
	        "                   --file FILE\n"
	        "       ttg-partner user set-password|disable|enable|remove|unlock NAME --file FILE\n"
	        "       ttg-partner user list --file FILE\n\n"
	        "  user says who may sign in to the inbox\n\n",
	.ends = ends,
	.n_ends = sizeof(ends) / sizeof(*ends),
	.check = partner_check,
	.check_context = partner_check_context,
	.open = open_partner,
	.close = close_partner,
	.read = partner_read,
	.settle = partner_settle,
	.count = count,
};
