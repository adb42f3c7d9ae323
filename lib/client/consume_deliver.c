/*
 * Frames from the broker about mailboxes, and the hand-over to the application. Runs on the thread
 * that polls the client.
 *
 * A delivery goes through these questions in order: is it void, because an earlier one about the
 * same person was refused and the refusal is not answered yet? Is it held already? Was it settled
 * already? Only then is it handed over. Whoever is about nobody has no lane and is never void.
 *
 * A mailbox that the application detaches inside its callback stays in memory until consume_flush(),
 * so walking on after a callback is safe; its state says that it is over.
 */
#include "client/consume.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/crc32c.h"
#include "base/cursor.h"
#include "base/planted.h"
#include "client/client_internal.h"
#include "client/consume_internal.h"

#define MAX_AGREEMENTS	   256
#define EVENT_ID_TAG	   0x0a /* field 1 of Event, with its length before it */
#define EVENT_ID_BYTES	   16
#define HELD_PER_CREDIT	   4	/* held at most, earlier attachments included */

static struct consume_mailbox *by_handle(struct ttg_client *client, uint32_t handle)
{
	if (handle == 0 || handle > CONSUME_MAX_MAILBOXES)
		return NULL;
	return client->consumer.mailboxes[handle - 1];
}

/* Puts the agency before a box that was named without. */
static void complete_name(const struct session *session, struct consume_mailbox *mailbox)
{
	char name[CONSUME_MAILBOX_BYTES];

	if (strchr(mailbox->asked, '/') || !session->agency[0])
		return;
	int len = snprintf(name, sizeof(name), "%s/%s", session->agency, mailbox->asked);
	if (len > 0 && (size_t)len < sizeof(name))
		memcpy(mailbox->name, name, (size_t)len + 1);
}

/* What was done meanwhile, by us in an earlier attachment or by another consumer. */
static void forget_acknowledged(struct consume_mailbox *mailbox, uint64_t acknowledged)
{
	size_t done = acknowledged == UINT64_MAX ? mailbox->n_held :
						   consume_find_held(mailbox, acknowledged + 1);

	mailbox->n_held -= done;
	if (done > 0)
		memmove(mailbox->held, mailbox->held + done,
			mailbox->n_held * sizeof(*mailbox->held));
}

bool consume_attached(struct ttg_client *client, const Ttg__Attached *attached, const char **why)
{
	struct consume_mailbox *mailbox = by_handle(client, attached->handle);

	if (!mailbox || mailbox->state == CONSUME_DETACHING)
		return true;
	if (mailbox->state == CONSUME_UNATTACHED) {
		*why = "an Attached for a mailbox that was not asked for";
		return false;
	}
	if (mailbox->state == CONSUME_ASKED || attached->acknowledged > mailbox->base)
		mailbox->base = mailbox->base_told = attached->acknowledged;
	mailbox->state = CONSUME_ATTACHED;
	mailbox->active = attached->active;
	forget_acknowledged(mailbox, attached->acknowledged);
	complete_name(&client->session, mailbox);
	client->callbacks_run++;
	if (client->callbacks.on_attached)
		client->callbacks.on_attached(client->callbacks.user, mailbox->name,
					      attached->active, attached->acknowledged);
	return true;
}

/* The same event has the same fingerprint, redacted or not. */
static uint32_t fingerprint(const ProtobufCBinaryData *event)
{
	struct cursor cursor;
	size_t len;

	cursor_init_read(&cursor, event->data, event->len);
	if (cursor_get_u8(&cursor) == EVENT_ID_TAG) {
		const uint8_t *id = cursor_get_sized(&cursor, EVENT_ID_BYTES, &len);

		if (id)
			return crc32c(0, id, len);
	}
	return crc32c(0, event->data, event->len);
}

/* Held deliveries of earlier attachments are only there to recognise repeats. */
static void forget_older_held(struct consume_mailbox *mailbox)
{
	size_t kept = 0;

	for (size_t i = 0; i < mailbox->n_held; i++)
		if (mailbox->held[i].attachment == mailbox->attachment)
			mailbox->held[kept++] = mailbox->held[i];
	mailbox->n_held = kept;
}

static bool reserve_held(struct consume_mailbox *mailbox)
{
	if (mailbox->n_held >= (size_t)HELD_PER_CREDIT * mailbox->credit)
		forget_older_held(mailbox);
	if (mailbox->n_held < mailbox->held_capacity)
		return true;
	size_t more = mailbox->held_capacity ? mailbox->held_capacity * 2 : 64;
	struct consume_held *grown = realloc(mailbox->held, more * sizeof(*grown));
	if (!grown)
		return false;
	mailbox->held = grown;
	mailbox->held_capacity = more;
	return true;
}

static bool hold(struct consume_mailbox *mailbox, const struct consume_held *held)
{
	if (!reserve_held(mailbox))
		return false;
	size_t at = consume_find_held(mailbox, held->position);
	if (at < mailbox->n_held && mailbox->held[at].position == held->position) {
		mailbox->held[at] = *held; /* the position means another event now */
		return true;
	}
	memmove(&mailbox->held[at + 1], &mailbox->held[at],
		(mailbox->n_held - at) * sizeof(*mailbox->held));
	mailbox->held[at] = *held;
	mailbox->n_held++;
	if (held->position > mailbox->highest)
		mailbox->highest = held->position;
	return true;
}

static bool is_void(const struct consume_mailbox *mailbox, const struct consume_held *held)
{
	for (size_t i = 0; i < mailbox->n_nacks; i++) {
		const struct consume_nack *nack = &mailbox->nacks[i];

		if (nack->position == held->position ||
		    (nack->has_person && held->has_person &&
		     memcmp(nack->person, held->person, sizeof(held->person)) == 0))
			return true;
	}
	return false;
}

/* Known from before: dropped, and acknowledged again if it was settled. */
static bool is_repeat(struct consume_mailbox *mailbox, const struct consume_held *held)
{
	size_t at = consume_find_held(mailbox, held->position);
	const struct consume_recent *recent = consume_recent_of(mailbox, held->position);

	if (at < mailbox->n_held && mailbox->held[at].position == held->position &&
	    mailbox->held[at].fingerprint == held->fingerprint) {
		mailbox->held[at].attachment = mailbox->attachment;
		return true;
	}
	return recent->position == held->position && recent->fingerprint == held->fingerprint &&
	       consume_settle(mailbox, held) == TTG_OK;
}

static void hand_over(struct ttg_client *client, const struct consume_mailbox *mailbox,
		      const Ttg__Delivery *delivery)
{
	struct ttg_delivery out = {
		.mailbox = mailbox->name,
		.position = delivery->position,
		.attempt = delivery->attempt,
		.event = delivery->event.data,
		.event_bytes = delivery->event.len,
		.person_key = delivery->person_key.len ? delivery->person_key.data : NULL,
		.accepted_ns = delivery->accepted_ns,
		.agreements = (const char *const *)delivery->agreements,
		.n_agreements = delivery->n_agreements,
		.redacted = delivery->redacted,
	};

	client->callbacks_run++;
	client->callbacks.on_delivery(client->callbacks.user, &out);
}

/* True when it was handed over. */
static bool take_one(struct ttg_client *client, struct consume_mailbox *mailbox,
		     const Ttg__Delivery *delivery)
{
	struct consume_held held = { .position = delivery->position,
				     .fingerprint = fingerprint(&delivery->event),
				     .attachment = mailbox->attachment,
				     .has_person = delivery->person_key.len > 0 };

	mailbox->credit_left--;
	if (held.has_person)
		memcpy(held.person, delivery->person_key.data, sizeof(held.person));
	if (is_void(mailbox, &held) && !PLANTED(HAND_OVER_VOID)) {
		consume_credit_back(mailbox, mailbox->attachment);
		return false;
	}
	if (is_repeat(mailbox, &held))
		return false;
	/* Without memory it stays unacknowledged, and comes again in another session. */
	if (!hold(mailbox, &held))
		return false;
	hand_over(client, mailbox, delivery);
	return true;
}

/* The whole frame is checked before anything of it is handed over. */
static const char *check_deliver(const struct consume_mailbox *mailbox,
				 const Ttg__Deliver *deliver)
{
	if (deliver->n_deliveries > mailbox->credit_left)
		return "more deliveries than the credit allows";
	for (size_t i = 0; i < deliver->n_deliveries; i++) {
		const Ttg__Delivery *delivery = deliver->deliveries[i];

		if (delivery->position == 0 || delivery->event.len == 0)
			return "a delivery without position or event";
		if (delivery->person_key.len != 0 &&
		    delivery->person_key.len != TTG_PERSON_KEY_BYTES)
			return "a delivery with a person key of the wrong length";
		if (delivery->n_agreements > MAX_AGREEMENTS)
			return "a delivery under too many agreements";
	}
	return NULL;
}

bool consume_deliver(struct ttg_client *client, const Ttg__Deliver *deliver, const char **why)
{
	struct consume_mailbox *mailbox = by_handle(client, deliver->handle);
	bool any = false;

	/* On its way when the mailbox was detached, or when everything is being closed. */
	if (!mailbox || mailbox->state != CONSUME_ATTACHED || client->closing)
		return true;
	const char *wrong = check_deliver(mailbox, deliver);
	if (wrong) {
		*why = wrong;
		return false;
	}
	for (size_t i = 0; i < deliver->n_deliveries; i++) {
		if (mailbox->state != CONSUME_ATTACHED || client->closing)
			return true;
		any = take_one(client, mailbox, deliver->deliveries[i]) || any;
	}
	if (any && mailbox->state == CONSUME_ATTACHED && client->callbacks.on_batch)
		client->callbacks.on_batch(client->callbacks.user, mailbox->name);
	return true;
}

bool consume_nacked(struct ttg_client *client, const Ttg__Nacked *nacked, const char **why)
{
	struct consume_mailbox *mailbox = by_handle(client, nacked->handle);

	if (!mailbox || mailbox->state != CONSUME_ATTACHED)
		return true;
	for (size_t i = 0; i < mailbox->n_nacks; i++) {
		if (mailbox->nacks[i].position != nacked->position || !mailbox->nacks[i].sent)
			continue;
		mailbox->n_nacks--;
		memmove(&mailbox->nacks[i], &mailbox->nacks[i + 1],
			(mailbox->n_nacks - i) * sizeof(*mailbox->nacks));
		return true;
	}
	*why = "an answer to a refusal that was not sent";
	return false;
}

bool consume_error(struct ttg_client *client, uint32_t handle, enum ttg_error code,
		   const char *text)
{
	struct consume_mailbox *mailbox = by_handle(client, handle);
	char message[TTG_MESSAGE_TEXT + CONSUME_MAILBOX_BYTES];

	if (!mailbox || mailbox->state == CONSUME_DETACHING)
		return true;
	/* Which position is not said: if a refusal waits for its answer, it might wait for ever. */
	if (code == TTG_SESSION_POSITION && mailbox->n_nacks > 0)
		return false;
	if (code != TTG_SESSION_POSITION && code != TTG_SESSION_MAILBOX)
		return false;
	if (code == TTG_SESSION_MAILBOX)
		consume_unattach(mailbox,
				 client->now_ns + client->reconnect_max_ms * NS_PER_MS);
	snprintf(message, sizeof(message), "mailbox %s: %s", mailbox->name,
		 text[0] ? text : ttg_error_text(code));
	client_report(client, code, message);
	return true;
}
