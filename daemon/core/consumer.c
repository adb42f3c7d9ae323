/*
 * Consumers: attaching, credit, acknowledging, refusing, leaving. One consumer of a mailbox is
 * active, the others stand by in order. A consumer that leaves says nothing about what it had: it
 * waits again and is delivered with a higher attempt, but only refusals count towards parking.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/planted.h"
#include "base/utf8.h"
#include "core/state.h"

#define DEFAULT_MAX_ATTEMPTS 5u

static struct attachment *find(struct core *core, uint64_t consumer)
{
	for (size_t i = 0; i < core->n_attachments; i++) {
		if (core->attachments[i].consumer == consumer)
			return &core->attachments[i];
	}
	return NULL;
}

static struct consumer *find_in(struct mailbox *mailbox, uint64_t consumer)
{
	for (size_t i = 0; i < mailbox->n_consumers; i++) {
		if (mailbox->consumers[i].id == consumer)
			return &mailbox->consumers[i];
	}
	return NULL;
}

static uint64_t acknowledged(const struct mailbox *mailbox)
{
	uint64_t position, sequence;

	return mailbox_lowest(mailbox, &position, &sequence) ? position - 1 :
							       mailbox->next_position - 1;
}

static void activate(struct core *core, struct mailbox *mailbox)
{
	mailbox->turn++;
	mailbox->highest = 0;
	/* What others acknowledged this one has not seen; see deliver.c. */
	if (mailbox->answered > mailbox->unseen && !PLANTED(OVERTAKE_ANSWERED))
		mailbox->unseen = mailbox->answered;
	core_wake(core, mailbox);
	core->sink.attached(core->sink.self, mailbox->consumers[0].id, true, acknowledged(mailbox));
}

/* NULL when the agency has no such mailbox: nobody learns whether another agency has. */
static struct mailbox *owned(struct core *core, const char *agency, const char *id)
{
	int rule = core->rules ? rules_find_mailbox(core->rules, id) : -1;

	if (rule < 0 ||
	    strcmp(core->rules->agencies[core->rules->mailboxes[rule].agency].id, agency) != 0)
		return NULL;
	return core->mailboxes[core->by_rule[rule]];
}

enum ttg_error core_attach(struct core *core, const struct core_now *now, uint64_t consumer,
			   const char *agency, const char *mailbox_id, uint32_t credit)
{
	struct mailbox *mailbox;
	struct consumer *consumers;
	struct attachment *attachments;

	(void)now;
	if (core->broken)
		return TTG_EIO;
	mailbox = owned(core, agency, mailbox_id);
	if (!mailbox)
		return TTG_SESSION_MAILBOX;
	if (find(core, consumer))
		return TTG_EINVAL;
	if (core->n_attachments >= CORE_MAX_CONSUMERS || mailbox->n_consumers > CORE_MAX_STANDBYS)
		return TTG_SESSION_LIMIT;
	consumers = realloc(mailbox->consumers, (mailbox->n_consumers + 1) * sizeof(*consumers));
	if (!consumers)
		return TTG_ENOMEM;
	mailbox->consumers = consumers;
	attachments = realloc(core->attachments, (core->n_attachments + 1) * sizeof(*attachments));
	if (!attachments)
		return TTG_ENOMEM;
	core->attachments = attachments;
	attachments[core->n_attachments++] = (struct attachment){ consumer, mailbox->number };
	consumers[mailbox->n_consumers++] = (struct consumer){
		consumer, credit > CORE_MAX_CREDIT ? CORE_MAX_CREDIT : credit
	};
	if (mailbox->n_consumers == 1)
		activate(core, mailbox);
	else
		core->sink.attached(core->sink.self, consumer, false, acknowledged(mailbox));
	return TTG_OK;
}

void core_detach(struct core *core, const struct core_now *now, uint64_t consumer)
{
	struct attachment *attachment = find(core, consumer);
	struct mailbox *mailbox;
	size_t at;

	(void)now;
	if (!attachment)
		return;
	mailbox = core->mailboxes[attachment->mailbox];
	*attachment = core->attachments[--core->n_attachments];
	at = (size_t)(find_in(mailbox, consumer) - mailbox->consumers);
	mailbox->n_consumers--;
	memmove(&mailbox->consumers[at], &mailbox->consumers[at + 1],
		(mailbox->n_consumers - at) * sizeof(*mailbox->consumers));
	if (at > 0)
		return;
	mailbox_recall(mailbox);
	if (mailbox->lanes.n > 0 && !mailbox_hold_recalled(mailbox)) {
		core->broken = true;
		core->sink.note(core->sink.self, "core_broken", mailbox->id, core->sequence);
	}
	core_wake(core, mailbox);
	if (mailbox->n_consumers > 0)
		activate(core, mailbox);
}

enum ttg_error core_credit(struct core *core, uint64_t consumer, uint32_t more)
{
	struct attachment *attachment = find(core, consumer);
	struct mailbox *mailbox;
	struct consumer *it;

	if (!attachment)
		return TTG_ENOENT;
	mailbox = core->mailboxes[attachment->mailbox];
	it = find_in(mailbox, consumer);
	if (more > CORE_MAX_CREDIT - it->credit)
		it->credit = CORE_MAX_CREDIT;
	else
		it->credit += more;
	core_wake(core, mailbox);
	return TTG_OK;
}

/* Mailbox whose active consumer this is. */
static enum ttg_error active(struct core *core, uint64_t consumer, struct mailbox **mailbox)
{
	struct attachment *attachment = find(core, consumer);

	if (core->broken)
		return TTG_EIO;
	if (!attachment)
		return TTG_ENOENT;
	*mailbox = core->mailboxes[attachment->mailbox];
	return (*mailbox)->consumers[0].id == consumer ? TTG_OK : TTG_SESSION_POSITION;
}

static bool answerable(const struct mailbox *mailbox, const struct entry *entry)
{
	if (PLANTED(ACKNOWLEDGE_REFUSED) && entry->state == ENTRY_BLOCKED)
		return true;
	return entry->state == ENTRY_IN_FLIGHT && entry->holder == mailbox->turn;
}

/* This consumer had it; it may have been answered or recalled since. */
static bool was_delivered(const struct mailbox *mailbox, uint64_t position)
{
	const struct entry *entry = entries_find(&mailbox->window, position);

	if (position == 0 || position >= mailbox->fill_position)
		return false;
	/* Not in the window: settled, or moved aside by a refusal of this consumer or one before. */
	return !entry || entry->holder == mailbox->turn;
}

static int ascending(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* Adds each selected position that is in flight to core->ranges. */
static enum ttg_error collect_selected(struct core *core, const struct mailbox *mailbox,
				       uint64_t up_to, const uint64_t *positions, size_t n)
{
	uint64_t *sorted, before = up_to;
	enum ttg_error code = TTG_OK;

	if (n == 0)
		return TTG_OK;
	if (n > CORE_MAX_ACK_POSITIONS)
		return TTG_SESSION_POSITION;
	sorted = malloc(n * sizeof(*sorted));
	if (!sorted)
		return TTG_ENOMEM;
	memcpy(sorted, positions, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), ascending);
	for (size_t i = 0; i < n && code == TTG_OK; i++) {
		const struct entry *entry = entries_find(&mailbox->window, sorted[i]);

		if (!was_delivered(mailbox, sorted[i])) {
			code = TTG_SESSION_POSITION;
		} else if (entry && answerable(mailbox, entry) && sorted[i] > before) {
			if (!record_ranges_add(&core->ranges, sorted[i]))
				code = TTG_ENOMEM;
			before = sorted[i];
		}
	}
	free(sorted);
	return code;
}

enum ttg_error core_ack(struct core *core, const struct core_now *now, uint64_t consumer,
			uint64_t up_to, const uint64_t *positions, size_t n)
{
	struct record_positions record = { .at_ns = now->real_ns, .value = up_to };
	struct mailbox *mailbox;
	const struct entry *entry;
	struct cursor cursor;
	enum ttg_error code = active(core, consumer, &mailbox);

	if (code != TTG_OK)
		return code;
	if (up_to > mailbox->highest && up_to > acknowledged(mailbox))
		return TTG_SESSION_POSITION;
	code = core_log_row(core, now, mailbox); /* delivered is recorded before acknowledged */
	if (code != TTG_OK)
		return code;
	record_ranges_clear(&core->ranges);
	for (entry = entries_from(&mailbox->window, 0); entry && entry->position <= up_to;
	     entry = entries_next(&mailbox->window, entry)) {
		if (answerable(mailbox, entry) &&
		    !record_ranges_add(&core->ranges, entry->position))
			return TTG_ENOMEM;
	}
	code = collect_selected(core, mailbox, up_to, positions, n);
	if (code != TTG_OK || core->ranges.n == 0)
		return code;
	record.mailbox = mailbox->number;
	core_begin_record(core, &cursor);
	record_put_positions(&cursor, &record, &core->ranges);
	return core_commit(core, now, RECORD_ACK, &cursor, NULL);
}

static uint32_t max_attempts(const struct core *core, const struct mailbox *mailbox)
{
	if (!core->rules || mailbox->rule < 0)
		return DEFAULT_MAX_ATTEMPTS;
	return core->rules->mailboxes[mailbox->rule].max_attempts;
}

/* The notice goes first (notice.c); without it the parking still happens. */
static enum ttg_error notify(struct core *core, const struct core_now *now,
			     const struct mailbox *mailbox, const struct entry *entry,
			     uint32_t reason, const char *text)
{
	uint64_t sequence = entry->sequence; /* the notice may move entries of this mailbox */
	enum ttg_error code = core_notify_parked(core, now, mailbox, entry, reason, text);

	if (code == TTG_ENOENT || code == TTG_EINVAL)
		code = TTG_OK;
	if (code == TTG_OK)
		core->sink.note(core->sink.self, "lane_parked", mailbox->id, sequence);
	return code;
}

enum ttg_error core_nack(struct core *core, const struct core_now *now, uint64_t consumer,
			 uint64_t position, uint32_t reason, const char *text,
			 uint32_t retry_after_ms)
{
	char clean[RECORD_MAX_TEXT + 1] = "";
	struct record_nack record = { .at_ns = now->real_ns, .position = position,
				      .reason = reason, .retry_after_ms = retry_after_ms,
				      .text = clean };
	struct mailbox *mailbox;
	struct entry *entry;
	struct cursor cursor;
	enum ttg_error code = active(core, consumer, &mailbox);

	if (code == TTG_OK)
		code = core_log_row(core, now, mailbox); /* the answer comes behind what was delivered */
	if (code != TTG_OK)
		return code;
	entry = entries_find(&mailbox->window, position);
	if (!was_delivered(mailbox, position) || position > mailbox->highest)
		return TTG_SESSION_POSITION;
	/* Given up meanwhile: its consumer drops what follows about the person until we answer, and
	   whose that is cannot be told any more. Only a new session brings both to the same mind. */
	if (!mailbox_is_pending(mailbox, position))
		return TTG_SESSION_POSITION;
	if (!entry || !answerable(mailbox, entry)) {
		/* Void already: an earlier refusal in its lane took it back. */
		core->sink.nacked(core->sink.self, consumer, position, false);
		return TTG_OK;
	}
	if (text && strlen(text) <= RECORD_MAX_TEXT && utf8_is_clean(text, strlen(text)))
		snprintf(clean, sizeof(clean), "%s", text);
	record.mailbox = mailbox->number;
	record.sequence = entry->sequence;
	record.refusals = entry->refusals + 1;
	record.parked = reason == TTG__NACK_REASON__NACK_NOT_OURS ||
			record.refusals >= max_attempts(core, mailbox);
	if (record.parked)
		code = notify(core, now, mailbox, entry, reason, clean);
	if (code != TTG_OK)
		return code;
	core_begin_record(core, &cursor);
	record_put_nack(&cursor, &record);
	code = core_commit(core, now, RECORD_NACK, &cursor, NULL);
	if (code == TTG_OK)
		core->sink.nacked(core->sink.self, consumer, position, record.parked);
	return code;
}
