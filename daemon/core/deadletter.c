/*
 * The operator's hands: dead letters listed, retried or discarded, and giving up what nobody takes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/state.h"

static int by_position(const void *a, const void *b)
{
	const struct dead *left = a, *right = b;

	return (left->position > right->position) - (left->position < right->position);
}

/* A dead letter as the operator sees it; its lane says how many wait behind. */
static void describe(const struct core *core, const struct mailbox *mailbox,
		     const struct dead *dead, struct core_dead_letter *out)
{
	struct record_event event;
	struct lane *lane = NULL;

	mailbox_find_dead(mailbox, dead->sequence, dead->position, &lane);
	*out = (struct core_dead_letter){
		.mailbox = mailbox->id,
		.sequence = dead->sequence,
		.position = dead->position,
		.attempts = dead->refusals,
		.reason = dead->reason,
		.parked_ns = dead->parked_ns,
		.behind = lane ? lane->n_held - lane->first_held : 0,
		.text = dead->text,
	};
	if (core_read_event(core, dead->sequence, 0, &event, NULL) != TTG_OK)
		return; /* type stays empty: the record cannot be had now */
	memcpy(out->event_id, event.id, sizeof(out->event_id));
	snprintf(out->type, sizeof(out->type), "%s", event.type);
}

/* False when each() wants no more. */
static bool list(const struct core *core, const struct mailbox *mailbox, uint64_t after,
		 bool (*each)(void *arg, const struct core_dead_letter *letter), void *arg)
{
	struct dead *all = calloc(mailbox->lanes.n_dead + 1, sizeof(*all));
	size_t n = 0, cursor = 0;
	struct lane *lane;
	bool go_on = true;

	if (!all)
		return false;
	while ((lane = lanes_next(&mailbox->lanes, &cursor))) {
		for (size_t i = 0; i < lane->n_dead; i++) {
			if (lane->dead[i].position > after)
				all[n++] = lane->dead[i];
		}
	}
	qsort(all, n, sizeof(*all), by_position);
	for (size_t i = 0; i < n && go_on; i++) {
		struct core_dead_letter letter;

		describe(core, mailbox, &all[i], &letter);
		go_on = each(arg, &letter);
	}
	free(all);
	return go_on;
}

void core_dead_letters(struct core *core, const char *mailbox, uint64_t after,
		       bool (*each)(void *arg, const struct core_dead_letter *letter), void *arg)
{
	for (size_t i = 0; i < core->n_mailboxes; i++) {
		if (mailbox && strcmp(core->mailboxes[i]->id, mailbox) != 0)
			continue;
		if (core->mailboxes[i]->lanes.n_dead > 0 &&
		    !list(core, core->mailboxes[i], after, each, arg))
			return;
	}
}

static enum ttg_error decide(struct core *core, const struct core_now *now, enum record_kind kind,
			     const char *id, uint64_t sequence)
{
	struct record_one record = { .at_ns = now->real_ns, .sequence = sequence };
	struct mailbox *mailbox = core_find_mailbox(core, id);
	struct cursor cursor;
	struct lane *lane;
	struct dead *dead;
	enum ttg_error code;

	if (core->broken)
		return TTG_EIO;
	dead = mailbox && sequence != 0 ? mailbox_find_dead(mailbox, sequence, 0, &lane) : NULL;
	if (!dead)
		return TTG_ENOENT;
	record.mailbox = mailbox->number;
	record.position = dead->position;
	core_begin_record(core, &cursor);
	record_put_one(&cursor, &record);
	code = core_commit(core, now, kind, &cursor, NULL);
	if (code == TTG_OK)
		core->sink.note(core->sink.self,
				kind == RECORD_RETRY ? "dead_letter_retried" :
						       "dead_letter_discarded",
				mailbox->id, sequence);
	return code;
}

enum ttg_error core_dead_letter_retry(struct core *core, const struct core_now *now,
				      const char *mailbox, uint64_t sequence)
{
	return decide(core, now, RECORD_RETRY, mailbox, sequence);
}

enum ttg_error core_dead_letter_discard(struct core *core, const struct core_now *now,
					const char *mailbox, uint64_t sequence)
{
	return decide(core, now, RECORD_DISCARD, mailbox, sequence);
}

/* Where the backlog goes on when everything below `sequence` is gone. */
static enum ttg_error find_next(struct core *core, const struct mailbox *mailbox, uint64_t sequence,
				struct record_given_up *out)
{
	struct record_recipient recipient;
	uint64_t at = sequence > mailbox->backlog_from ? sequence : mailbox->backlog_from;

	out->next_sequence = 0;
	out->next_position = mailbox->next_position;
	if (mailbox->backlog_from == 0)
		return TTG_OK;
	for (; at <= core->sequence; at++) {
		const uint8_t *data;
		uint8_t kind;
		size_t len;
		enum ttg_error code = core->sink.read(core->sink.self, at, &kind, &data, &len);

		if (code == TTG_ENOENT)
			continue; /* retained away already: that is why one gives up */
		if (code != TTG_OK)
			return code;
		if (!record_gives(kind))
			continue;
		/* Read once: read again it may be damaged, which is not to say that it is for others. */
		code = core_recipient_of(kind, data, len, mailbox->number, &recipient);
		if (code == TTG_ENOENT)
			continue;
		if (code != TTG_OK)
			return code;
		out->next_sequence = at;
		out->next_position = recipient.position;
		return TTG_OK;
	}
	return TTG_OK;
}

static uint64_t count_below(const struct mailbox *mailbox, uint64_t sequence)
{
	const struct entry *entry = entries_from(&mailbox->window, 0);
	size_t cursor = 0;
	struct lane *lane;
	uint64_t n = 0;

	for (; entry && entry->sequence < sequence; entry = entries_next(&mailbox->window, entry))
		n++;
	while ((lane = lanes_next(&mailbox->lanes, &cursor))) {
		for (size_t i = 0; i < lane->n_dead; i++)
			n += lane->dead[i].sequence < sequence;
		for (size_t i = lane->first_held; i < lane->n_held; i++)
			n += lane->held[i].sequence < sequence;
	}
	return n;
}

static void take_lower(uint64_t position, uint64_t sequence, struct record_given_up *lowest)
{
	if (lowest->next_position != 0 && lowest->next_position < position)
		return;
	lowest->next_position = position;
	lowest->next_sequence = sequence;
}

/*
 * The lowest position in memory that stays, held ones and dead letters included: at recovery they may
 * still be in the backlog. False: everything in memory goes.
 */
static bool find_first_kept(const struct mailbox *mailbox, uint64_t sequence,
			    struct record_given_up *out)
{
	const struct entry *entry = entries_from(&mailbox->window, 0);
	struct record_given_up lowest = { 0 };
	const struct lane *lane;
	size_t cursor = 0;

	while (entry && entry->sequence < sequence)
		entry = entries_next(&mailbox->window, entry);
	if (entry)
		take_lower(entry->position, entry->sequence, &lowest);
	while ((lane = lanes_next(&mailbox->lanes, &cursor))) {
		for (size_t i = 0; i < lane->n_dead; i++)
			if (lane->dead[i].sequence >= sequence)
				take_lower(lane->dead[i].position, lane->dead[i].sequence, &lowest);
		for (size_t i = lane->first_held; i < lane->n_held; i++)
			if (lane->held[i].sequence >= sequence)
				take_lower(lane->held[i].position, lane->held[i].sequence, &lowest);
	}
	out->next_position = lowest.next_position;
	out->next_sequence = lowest.next_sequence;
	return lowest.next_position != 0;
}

/* What giving up below `sequence` means for one mailbox. */
static enum ttg_error plan(struct core *core, const struct mailbox *mailbox, uint64_t sequence,
			   struct record_given_up *out)
{
	enum ttg_error code = TTG_OK;

	out->mailbox = mailbox->number;
	out->count = count_below(mailbox, sequence);
	if (!find_first_kept(mailbox, sequence, out))
		code = find_next(core, mailbox, sequence, out);
	if (code == TTG_OK && mailbox->backlog_from != 0 &&
	    out->next_position > mailbox->fill_position)
		out->count += out->next_position - mailbox->fill_position;
	return code;
}

/* Says so in the log and to the mailboxes' owners. Too late to fail: the log tells who was not told. */
static void tell_given_up(struct core *core, const struct core_now *now, uint64_t below,
			  const struct record_given_up *plans, const uint64_t *from, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct mailbox *mailbox = core->mailboxes[plans[i].mailbox];
		const struct core_loss loss = { plans[i].count, from[i], plans[i].next_position };

		core->sink.note(core->sink.self, "deliveries_given_up", mailbox->id, below);
		if (core_notify_given_up(core, now, mailbox, below, &loss) != TTG_OK)
			core->sink.note(core->sink.self, "give_up_untold", mailbox->id, below);
	}
}

enum ttg_error core_give_up(struct core *core, const struct core_now *now, uint64_t sequence,
			    uint64_t *given_up)
{
	struct record_given_up *plans = calloc(core->n_mailboxes + 1, sizeof(*plans));
	uint64_t *from = calloc(core->n_mailboxes + 1, sizeof(*from)), lowest_sequence;
	struct cursor cursor;
	enum ttg_error code = plans && from ? TTG_OK : TTG_ENOMEM;
	size_t n = 0;

	*given_up = 0;
	if (core->broken)
		code = TTG_EIO;
	for (size_t i = 0; i < core->n_mailboxes && code == TTG_OK; i++) {
		struct mailbox *mailbox = core->mailboxes[i];

		code = core_log_row(core, now, mailbox);
		if (code == TTG_OK)
			code = plan(core, mailbox, sequence, &plans[n]);
		if (code != TTG_OK || plans[n].count == 0)
			continue;
		(void)mailbox_lowest(mailbox, &from[n], &lowest_sequence);
		*given_up += plans[n++].count;
	}
	if (code == TTG_OK && n > 0) {
		core_begin_record(core, &cursor);
		record_put_given_up(&cursor, now->real_ns, sequence, plans, n);
		code = core_commit(core, now, RECORD_GIVEN_UP, &cursor, NULL);
	}
	if (code == TTG_OK)
		tell_given_up(core, now, sequence, plans, from, n);
	else
		*given_up = 0;
	free(from);
	free(plans);
	return code;
}
