/*
 * The consuming half of a client: the application's calls and the frames to the broker.
 * consume_deliver.c has the frames from it. Runs on the thread that polls the client.
 *
 * Invariants: `held` is sorted by position and never longer than the credit that was given plus
 * what an earlier attachment left; a position is held, or known to `recent`, or neither, never both;
 * acks[] and credit_due speak of the present attachment only, because the broker takes
 * acknowledgements only for what it delivered in that one.
 *
 * On failure: a lost session forgets acks[] and nacks[]. The broker then delivers those positions
 * again, and `recent` (settled) or the hand-over (refused) answers them.
 */
#include "client/consume.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "base/planted.h"
#include "client/client_internal.h"
#include "client/consume_internal.h"

#define ACKS_IN_FRAME	 4096
#define NACK_MAX_REASON	 5
#define NACK_ANSWER_MS	 30000

static void mailbox_free(struct consume_mailbox **mailbox)
{
	if (!*mailbox)
		return;
	free((*mailbox)->held);
	free((*mailbox)->recent);
	free((*mailbox)->acks);
	free((*mailbox)->nacks);
	free(*mailbox);
	*mailbox = NULL;
}

void consume_fini(struct consumer *consumer)
{
	for (size_t i = 0; i < CONSUME_MAX_MAILBOXES; i++)
		mailbox_free(&consumer->mailboxes[i]);
}

/* [a-z0-9-]{1,32}, up to `end`. */
static bool is_id(const char *text, const char *end)
{
	if (end == text || end - text > 32)
		return false;
	for (; text < end; text++)
		if (!((*text >= 'a' && *text <= 'z') || (*text >= '0' && *text <= '9') ||
		      *text == '-'))
			return false;
	return true;
}

static bool is_mailbox_name(const char *text)
{
	const char *slash = strchr(text, '/');
	const char *box = slash ? slash + 1 : text;

	return (!slash || is_id(text, slash)) && is_id(box, box + strlen(box));
}

static struct consume_mailbox *find(struct consumer *consumer, const char *name)
{
	for (size_t i = 0; name && i < CONSUME_MAX_MAILBOXES; i++) {
		struct consume_mailbox *mailbox = consumer->mailboxes[i];

		if (mailbox && mailbox->state != CONSUME_DETACHING &&
		    (strcmp(mailbox->asked, name) == 0 || strcmp(mailbox->name, name) == 0))
			return mailbox;
	}
	return NULL;
}

static struct consume_mailbox *mailbox_new(uint32_t handle, const char *name, uint32_t credit)
{
	struct consume_mailbox *mailbox = calloc(1, sizeof(*mailbox));

	if (!mailbox)
		return NULL;
	mailbox->recent = calloc(CONSUME_RECENT, sizeof(*mailbox->recent));
	if (!mailbox->recent) {
		free(mailbox);
		return NULL;
	}
	mailbox->handle = handle;
	mailbox->credit = credit;
	memcpy(mailbox->asked, name, strlen(name) + 1);
	memcpy(mailbox->name, name, strlen(name) + 1);
	return mailbox;
}

enum ttg_error consume_attach(struct ttg_client *client, const char *name, uint32_t credit)
{
	struct consumer *consumer = &client->consumer;

	if (!name || !is_mailbox_name(name) || !client->callbacks.on_delivery ||
	    credit > CONSUME_MAX_CREDIT)
		return TTG_EINVAL;
	if (find(consumer, name))
		return TTG_EEXIST;
	for (uint32_t n = 0; n < CONSUME_MAX_MAILBOXES; n++) {
		const uint32_t i = (consumer->next + n) % CONSUME_MAX_MAILBOXES;

		if (consumer->mailboxes[i])
			continue;
		consumer->mailboxes[i] =
			mailbox_new(i + 1, name, credit ? credit : CONSUME_DEFAULT_CREDIT);
		consumer->next = i + 1;
		return consumer->mailboxes[i] ? TTG_OK : TTG_ENOMEM;
	}
	return TTG_ELIMIT;
}

enum ttg_error consume_detach(struct ttg_client *client, const char *name)
{
	struct consume_mailbox *mailbox = find(&client->consumer, name);

	if (!mailbox)
		return TTG_ENOENT;
	/* Freed by consume_flush(): a callback may be walking it. */
	mailbox->told = mailbox->state == CONSUME_UNATTACHED;
	mailbox->state = CONSUME_DETACHING;
	return TTG_OK;
}

size_t consume_find_held(const struct consume_mailbox *mailbox, uint64_t position)
{
	size_t low = 0, high = mailbox->n_held;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (mailbox->held[middle].position < position)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct consume_recent *consume_recent_of(const struct consume_mailbox *mailbox, uint64_t position)
{
	return &mailbox->recent[position & (CONSUME_RECENT - 1)];
}

/* Moves base over what was delivered and settled in this attachment without a gap. */
static void advance_base(struct consume_mailbox *mailbox)
{
	for (;;) {
		const struct consume_recent *next = consume_recent_of(mailbox, mailbox->base + 1);

		if (next->position != mailbox->base + 1 ||
		    next->attachment != mailbox->attachment)
			return;
		mailbox->base++;
	}
}

void consume_credit_back(struct consume_mailbox *mailbox, uint32_t attachment)
{
	if (attachment == mailbox->attachment && mailbox->state == CONSUME_ATTACHED)
		mailbox->credit_due++;
}

static bool remember_ack(struct consume_mailbox *mailbox, uint64_t position)
{
	if (mailbox->n_acks == mailbox->ack_capacity) {
		size_t more = mailbox->ack_capacity ? mailbox->ack_capacity * 2 : 64;
		uint64_t *grown = realloc(mailbox->acks, more * sizeof(*grown));

		if (!grown)
			return false;
		mailbox->acks = grown;
		mailbox->ack_capacity = more;
	}
	mailbox->acks[mailbox->n_acks++] = position;
	return true;
}

enum ttg_error consume_settle(struct consume_mailbox *mailbox, const struct consume_held *held)
{
	bool present = held->attachment == mailbox->attachment &&
		       mailbox->state == CONSUME_ATTACHED;

	if (present && !remember_ack(mailbox, held->position))
		return TTG_ENOMEM;
	consume_credit_back(mailbox, held->attachment);
	*consume_recent_of(mailbox, held->position) =
		(struct consume_recent){ held->position, held->fingerprint, held->attachment };
	advance_base(mailbox);
	return TTG_OK;
}

/* Settles held[first..last). */
static enum ttg_error settle_range(struct consume_mailbox *mailbox, size_t first, size_t last)
{
	size_t done = first;

	while (done < last && consume_settle(mailbox, &mailbox->held[done]) == TTG_OK)
		done++;
	if (done > first)
		memmove(&mailbox->held[first], &mailbox->held[done],
			(mailbox->n_held - done) * sizeof(*mailbox->held));
	mailbox->n_held -= done - first;
	return done == last ? TTG_OK : TTG_ENOMEM;
}

enum ttg_error consume_ack(struct ttg_client *client, const char *name, uint64_t position,
			   bool up_to)
{
	struct consume_mailbox *mailbox = find(&client->consumer, name);

	if (!mailbox || position == 0 || position > mailbox->highest)
		return TTG_ENOENT;
	size_t at = consume_find_held(mailbox, position);
	bool exact = at < mailbox->n_held && mailbox->held[at].position == position;
	if (up_to)
		return settle_range(mailbox, 0, exact ? at + 1 : at);
	/* Settled before, or void because an earlier one about the same person was refused. */
	if (!exact)
		return TTG_OK;
	return settle_range(mailbox, at, at + 1);
}

static bool same_person(const struct consume_held *held, const struct consume_nack *nack)
{
	return held->has_person && nack->has_person &&
	       memcmp(held->person, nack->person, sizeof(held->person)) == 0;
}

/* What was handed over after the refused one about the same person will come again after it. */
static void void_later(struct consume_mailbox *mailbox, size_t at, const struct consume_nack *nack)
{
	size_t kept = at;

	if (PLANTED(ACKNOWLEDGE_REFUSED)) {
		*consume_recent_of(mailbox, nack->position) = (struct consume_recent){
			nack->position, mailbox->held[at].fingerprint, mailbox->attachment
		};
		advance_base(mailbox);
	}
	for (size_t i = at; i < mailbox->n_held; i++) {
		if (mailbox->held[i].position == nack->position ||
		    same_person(&mailbox->held[i], nack))
			consume_credit_back(mailbox, mailbox->held[i].attachment);
		else
			mailbox->held[kept++] = mailbox->held[i];
	}
	mailbox->n_held = kept;
}

static bool reserve_nack(struct consume_mailbox *mailbox)
{
	if (mailbox->n_nacks < mailbox->nack_capacity)
		return true;
	size_t more = mailbox->nack_capacity ? mailbox->nack_capacity * 2 : 16;
	struct consume_nack *grown = realloc(mailbox->nacks, more * sizeof(*grown));
	if (!grown)
		return false;
	mailbox->nacks = grown;
	mailbox->nack_capacity = more;
	return true;
}

enum ttg_error consume_nack(struct ttg_client *client, const char *name, uint64_t position,
			    int reason, const char *text, uint32_t retry_after_ms)
{
	struct consume_mailbox *mailbox = find(&client->consumer, name);

	if (reason < 0 || reason > NACK_MAX_REASON)
		return TTG_EINVAL;
	if (!mailbox || position == 0 || position > mailbox->highest)
		return TTG_ENOENT;
	size_t at = consume_find_held(mailbox, position);
	if (at == mailbox->n_held || mailbox->held[at].position != position)
		return TTG_ENOENT;
	if (!reserve_nack(mailbox))
		return TTG_ENOMEM;
	const struct consume_held *held = &mailbox->held[at];
	struct consume_nack *nack = &mailbox->nacks[mailbox->n_nacks];
	*nack = (struct consume_nack){ .position = position, .reason = (uint32_t)reason,
				       .retry_after_ms = retry_after_ms,
				       .has_person = held->has_person };
	memcpy(nack->person, held->person, sizeof(nack->person));
	client_clean_text(nack->text, sizeof(nack->text), text ? text : "");
	/* Of an older attachment: the broker will deliver it again anyway, and may be told then. */
	if (held->attachment == mailbox->attachment && mailbox->state == CONSUME_ATTACHED)
		mailbox->n_nacks++;
	void_later(mailbox, at, nack);
	return TTG_OK;
}

/* Frames. Each function leaves the state as it was when the socket has no room. */

static bool send_attach(struct ttg_client *client, struct consume_mailbox *mailbox)
{
	Ttg__Attach attach = TTG__ATTACH__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;

	attach.handle = mailbox->handle;
	attach.mailbox = mailbox->asked;
	attach.credit = mailbox->credit < client->session.max_credit ? mailbox->credit :
								       client->session.max_credit;
	frame.body_case = TTG__FRAME__BODY_ATTACH;
	frame.attach = &attach;
	if (session_send(client, &frame) != TTG_OK)
		return false;
	mailbox->state = CONSUME_ASKED;
	mailbox->credit_left = attach.credit;
	mailbox->active = false;
	mailbox->attachment++;
	/* Of this attachment nothing is settled; Attached says where it begins. */
	mailbox->base_told = mailbox->base;
	return true;
}

static bool send_detach(struct ttg_client *client, const struct consume_mailbox *mailbox)
{
	Ttg__Detach detach = TTG__DETACH__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;

	detach.handle = mailbox->handle;
	frame.body_case = TTG__FRAME__BODY_DETACH;
	frame.detach = &detach;
	return session_send(client, &frame) == TTG_OK;
}

/* Drops from acks[] what the cumulative position covers. */
static void forget_covered_acks(struct consume_mailbox *mailbox)
{
	size_t kept = 0;

	for (size_t i = 0; i < mailbox->n_acks; i++)
		if (mailbox->acks[i] > mailbox->base)
			mailbox->acks[kept++] = mailbox->acks[i];
	mailbox->n_acks = kept;
}

static bool send_acks(struct ttg_client *client, struct consume_mailbox *mailbox)
{
	forget_covered_acks(mailbox);
	while (mailbox->n_acks > 0 || mailbox->base > mailbox->base_told) {
		Ttg__Ack ack = TTG__ACK__INIT;
		Ttg__Frame frame = TTG__FRAME__INIT;
		size_t n = mailbox->n_acks < ACKS_IN_FRAME ? mailbox->n_acks : ACKS_IN_FRAME;

		ack.handle = mailbox->handle;
		ack.up_to = mailbox->base > mailbox->base_told ? mailbox->base : 0;
		ack.n_positions = n;
		ack.positions = mailbox->acks + (mailbox->n_acks - n);
		frame.body_case = TTG__FRAME__BODY_ACK;
		frame.ack = &ack;
		if (session_send(client, &frame) != TTG_OK)
			return false;
		mailbox->n_acks -= n;
		mailbox->base_told = mailbox->base;
	}
	return true;
}

static bool send_nacks(struct ttg_client *client, struct consume_mailbox *mailbox)
{
	for (size_t i = 0; i < mailbox->n_nacks; i++) {
		struct consume_nack *nack = &mailbox->nacks[i];
		Ttg__Nack body = TTG__NACK__INIT;
		Ttg__Frame frame = TTG__FRAME__INIT;

		if (nack->sent)
			continue;
		body.handle = mailbox->handle;
		body.position = nack->position;
		body.reason = nack->reason;
		body.text = nack->text;
		body.retry_after_ms = nack->retry_after_ms;
		frame.body_case = TTG__FRAME__BODY_NACK;
		frame.nack = &body;
		if (session_send(client, &frame) != TTG_OK)
			return false;
		nack->sent = true;
		nack->sent_ns = client->now_ns;
	}
	return true;
}

static bool send_credit(struct ttg_client *client, struct consume_mailbox *mailbox)
{
	Ttg__Credit credit = TTG__CREDIT__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;

	if (mailbox->credit_due == 0 || client->closing)
		return true;
	credit.handle = mailbox->handle;
	credit.more = mailbox->credit_due;
	frame.body_case = TTG__FRAME__BODY_CREDIT;
	frame.credit = &credit;
	if (session_send(client, &frame) != TTG_OK)
		return false;
	mailbox->credit_left += mailbox->credit_due;
	mailbox->credit_due = 0;
	return true;
}

static bool flush_mailbox(struct ttg_client *client, struct consume_mailbox **slot)
{
	struct consume_mailbox *mailbox = *slot;

	switch (mailbox->state) {
	case CONSUME_UNATTACHED:
		return client->closing || client->now_ns < mailbox->retry_ns ||
		       send_attach(client, mailbox);
	case CONSUME_ATTACHED:
		return send_acks(client, mailbox) && send_nacks(client, mailbox) &&
		       send_credit(client, mailbox);
	case CONSUME_DETACHING:
		/* What was settled before the call is told first. */
		if (!mailbox->told && !(send_acks(client, mailbox) &&
					send_nacks(client, mailbox) && send_detach(client, mailbox)))
			return false;
		mailbox_free(slot);
		return true;
	case CONSUME_ASKED:
	default:
		return true;
	}
}

/* Goes without a session too: the broker knows nothing of it, and many would pile up. */
static bool is_forgotten(const struct consume_mailbox *mailbox)
{
	return mailbox->state == CONSUME_DETACHING && mailbox->told && !PLANTED(KEEP_DETACHED);
}

void consume_flush(struct ttg_client *client)
{
	struct consumer *consumer = &client->consumer;
	bool ready = client->session.state == SESSION_READY && !client->broken;

	for (size_t i = 0; i < CONSUME_MAX_MAILBOXES; i++) {
		struct consume_mailbox **slot = &consumer->mailboxes[i];

		if (*slot && (ready || is_forgotten(*slot)) && !flush_mailbox(client, slot))
			return;
	}
}

void consume_unattach(struct consume_mailbox *mailbox, int64_t retry_ns)
{
	mailbox->n_acks = 0;
	mailbox->n_nacks = 0;
	mailbox->credit_due = 0;
	mailbox->active = false;
	mailbox->retry_ns = retry_ns;
	mailbox->told = true;
	if (mailbox->state != CONSUME_DETACHING)
		mailbox->state = CONSUME_UNATTACHED;
}

void consume_rewind(struct consumer *consumer)
{
	for (size_t i = 0; i < CONSUME_MAX_MAILBOXES; i++)
		if (consumer->mailboxes[i])
			consume_unattach(consumer->mailboxes[i], 0);
}

static bool mailbox_is_settled(const struct consume_mailbox *mailbox)
{
	if (mailbox->state == CONSUME_DETACHING)
		return false;
	if (mailbox->state != CONSUME_ATTACHED)
		return true;
	for (size_t i = 0; i < mailbox->n_nacks; i++)
		if (!mailbox->nacks[i].sent)
			return false;
	return mailbox->n_acks == 0 && mailbox->base == mailbox->base_told;
}

bool consume_is_settled(const struct ttg_client *client)
{
	for (size_t i = 0; i < CONSUME_MAX_MAILBOXES; i++) {
		const struct consume_mailbox *mailbox = client->consumer.mailboxes[i];

		if (mailbox && !mailbox_is_settled(mailbox))
			return false;
	}
	return true;
}

bool consume_wants_to_send(const struct ttg_client *client)
{
	if (client->session.state != SESSION_READY || client->broken)
		return false;
	for (size_t i = 0; i < CONSUME_MAX_MAILBOXES; i++) {
		const struct consume_mailbox *mailbox = client->consumer.mailboxes[i];

		if (!mailbox)
			continue;
		if (!mailbox_is_settled(mailbox) ||
		    (mailbox->credit_due > 0 && !client->closing) ||
		    (mailbox->state == CONSUME_UNATTACHED && !client->closing &&
		     client->now_ns >= mailbox->retry_ns))
			return true;
	}
	return false;
}

int64_t consume_next_ns(const struct ttg_client *client)
{
	int64_t next_ns = INT64_MAX;

	if (client->session.state != SESSION_READY)
		return next_ns;
	for (size_t i = 0; i < CONSUME_MAX_MAILBOXES; i++) {
		const struct consume_mailbox *mailbox = client->consumer.mailboxes[i];

		if (!mailbox)
			continue;
		if (mailbox->state == CONSUME_UNATTACHED && !client->closing &&
		    mailbox->retry_ns < next_ns)
			next_ns = mailbox->retry_ns;
		if (mailbox->n_nacks > 0 && mailbox->nacks[0].sent &&
		    mailbox->nacks[0].sent_ns + NACK_ANSWER_MS * NS_PER_MS < next_ns)
			next_ns = mailbox->nacks[0].sent_ns + NACK_ANSWER_MS * NS_PER_MS;
	}
	return next_ns;
}

bool consume_is_stuck(const struct ttg_client *client)
{
	for (size_t i = 0; i < CONSUME_MAX_MAILBOXES; i++) {
		const struct consume_mailbox *mailbox = client->consumer.mailboxes[i];

		if (mailbox && mailbox->n_nacks > 0 && mailbox->nacks[0].sent &&
		    client->now_ns - mailbox->nacks[0].sent_ns >= NACK_ANSWER_MS * NS_PER_MS)
			return true;
	}
	return false;
}
