/*
 * What the organisation's own systems, or its page, say: CloudEvents of its own, checked by the
 * table of moves before anything is kept. See partner.h.
 *
 * A document's way: each event read and checked -> kept in the store and among the referrals as
 * waiting, so that the next one is checked against it -> durable in the outbox (frame) -> the
 * broker's answer beside it. One that does not reach the outbox is noted as refused, by us.
 */
#include <stdlib.h>
#include <string.h>
#include "base/world.h"
#include "common/cloudevents.h"
#include "common/json_items.h"
#include "partner/partner.h"
#include "store/published.h"

#define NOT_SENT "did not go out"

static int64_t real_ns(void)
{
	return world_real()->real_ns(world_real()->self);
}

static bool may_say(const char *type)
{
	return strncmp(type, "referral.", strlen("referral.")) == 0 ||
	       strncmp(type, "partner.", strlen("partner.")) == 0 ||
	       strcmp(type, "service.contact") == 0;
}

static enum ttg_error check_item(const struct partner *partner, const json_t *item,
                                 const Ttg__Event *event, struct message *message)
{
	if (json_object_get(item, "id") == NULL)
		return message_set(message, TTG_EFORMAT,
		                   "id: is missing; without one a repeat cannot be recognised");
	if (strcmp(event->source, partner->context->agency) != 0)
		return message_set(message, TTG_EPERM, "source: must be %s",
		                   partner->context->agency);
	if (!may_say(event->type))
		return message_set(message, TTG_EPERM,
		                   "type: referral.*, partner.* and service.contact only");
	return caseload_check(partner->referrals, event, message);
}

static enum ttg_error stage(struct partner *partner, struct intake *intake,
                            const Ttg__Event *event, uint8_t *take_bytes, size_t len)
{
	const struct caseload_news news = { .encoded = take_bytes,
		                             .encoded_bytes = len,
		                             .at_ns = real_ns(),
		                             .ours = true,
		                             .answer = STEP_WAITS };
	void *longer = realloc(partner->staged, (partner->n_staged + 1) * sizeof(*partner->staged));
	enum ttg_error error = longer == NULL ? TTG_ENOMEM : TTG_OK;

	if (longer != NULL)
		partner->staged = longer;
	if (error == TTG_OK)
		error = caseload_add(partner->referrals, &news);
	if (error != TTG_OK) {
		free(take_bytes);
		return error;
	}
	memcpy(partner->staged[partner->n_staged++], event->id.data, TTG_UUID_BYTES);
	return intake_add_event(intake, event->id.data, ttg_type_of(event), take_bytes, len);
}

static enum ttg_error read_item(void *user, const json_t *item, struct intake *intake,
                                struct message *message)
{
	struct partner *partner = user;
	Ttg__Event *event = NULL;
	uint8_t *bytes = NULL;
	size_t len = 0;
	unsigned ignored;
	enum ttg_error error = cloudevents_read(item, &event, &ignored, message);

	if (error != TTG_OK)
		return error;
	error = check_item(partner, item, event, message);
	if (error == TTG_OK)
		error = ttg_event_pack(event, &bytes, &len);
	if (error == TTG_OK)
		error = stage(partner, intake, event, bytes, len);
	ttg__event__free_unpacked(event, NULL);
	return error;
}

enum ttg_error partner_read(void *self, const struct document *document, struct intake *intake,
                            struct message *message)
{
	struct partner *partner = self;
	enum ttg_error error;

	partner->n_staged = 0;
	error = json_items_each(document, intake, read_item, partner);
	for (size_t i = 0; error == TTG_OK && i < intake->n_events; i++) {
		const struct intake_event *event = &intake->events[i];

		error = store_add_published(partner->store, event->id,
		                            ttg_type_name((size_t)event->type), event->bytes,
		                            event->len, real_ns(), message);
	}
	if (error == TTG_OK)
		error = store_commit(partner->store, message);
	return error;
}

/* Those that were known before, and answered, are not touched by a document that was refused. */
static enum ttg_error note_not_sent(struct partner *partner, const uint8_t id[TTG_UUID_BYTES],
                                    struct message *message)
{
	const struct ttg_outcome outcome = { .id = id, .code = TTG_EAGAIN, .text = NOT_SENT };
	struct store_outcome known;
	enum ttg_error error = store_find_outcome(partner->store, id, &known, message);

	if (error == TTG_OK && known.answered)
		return TTG_OK;
	if (error == TTG_OK)
		error = store_answer(partner->store, &outcome, real_ns(), message);
	if (error == TTG_OK)
		caseload_answer(partner->referrals, id, outcome.code, outcome.text);
	return error == TTG_ENOENT ? TTG_OK : error;
}

enum ttg_error partner_settle(void *self, bool durable, struct message *message)
{
	struct partner *partner = self;
	enum ttg_error error = TTG_OK;

	for (size_t i = 0; !durable && error == TTG_OK && i < partner->n_staged; i++)
		error = note_not_sent(partner, partner->staged[i], message);
	free(partner->staged);
	partner->staged = NULL;
	partner->n_staged = 0;
	return error;
}
