/*
 * What waited until more was known of a person: asked again when something was learnt of him, and given
 * to the mailboxes whose condition holds now for the time the event was accepted. A record of its own
 * (LATE) carries the event once more, so that the mailbox finds it where its position stands.
 *
 * Asking again changes nothing by itself, so it does not matter when a crash comes between what was learnt
 * and this: after a start everything that waits is asked once.
 */
#include <stdio.h>
#include <string.h>

#include "core/known.h"
#include "core/payload.h"

/* An event that waits, read back. */
struct waited {
	const struct core_now *now;
	struct record_event record;
	struct event event;
	struct gate_person who;
	uint32_t type, from; /* indices in the rules of now */
};

static enum ttg_error read_back(struct core *core, uint64_t sequence, struct waited *it, bool *known)
{
	enum ttg_error code = core_read_event(core, sequence, 0, &it->record, NULL);
	const struct event_clock clock = { it->record.accepted_ns, core->options.max_skew_s };
	char text[EVENT_TEXT_MAX];
	int type, from;

	*known = false;
	if (code == TTG_OK)
		code = core_open_event(core, &it->record);
	if (code == TTG_EPERM)
		return TTG_OK; /* he was erased meanwhile */
	if (code != TTG_OK)
		return code;
	type = rules_find_type(core->rules, it->record.type);
	from = rules_find_agency(core->rules, it->record.source);
	if (type < 0 || from < 0 ||
	    event_read(it->record.bytes, it->record.n_bytes, core->fields, &clock, &it->event, text) !=
		    TTG_OK)
		return TTG_OK; /* nobody is granted it now */
	it->type = (uint32_t)type;
	it->from = (uint32_t)from;
	core_who(core, &it->record, &it->who);
	*known = it->record.expires_ns == 0 || it->record.expires_ns > it->now->real_ns;
	return TTG_OK;
}

/* What the mailbox is granted of it by now; false: still nothing. */
static bool find(struct core *core, const struct waited *it, const struct waiting_entry *entry,
		 struct record_recipient *to)
{
	const struct gate_moment when = { it->record.accepted_ns, entry->sequence };
	const struct mailbox *mailbox = core->mailboxes[entry->mailbox];
	const bool urgent = it->event.urgency == TTG__URGENCY__URGENT;
	const struct rules_deliver_grant *first;
	size_t n = rules_deliveries(core->rules, it->type, it->from, &first);

	*to = (struct record_recipient){ .mailbox = entry->mailbox,
					 .position = mailbox->next_position,
					 .fallback = RULES_NONE };
	for (size_t i = 0; i < n && mailbox->rule >= 0; i++) {
		if (first[i].mailbox == (uint32_t)mailbox->rule &&
		    core_suits(core->rules, &first[i], &it->event, it->now->real_ns) &&
		    core_gate(core, &first[i], &it->who, &when) == GATE_OPEN)
			core_add_grant(core, &first[i], urgent, to);
	}
	return to->n_agreements > 0;
}

static bool is_over(const struct core *core, const struct waiting_entry *entry)
{
	return !entry->held &&
	       entry->accepted_ns < core->newest_ns - (int64_t)core->options.look_back_ns;
}

static enum ttg_error deliver_late(struct core *core, struct waited *it, uint64_t sequence, uint32_t n)
{
	struct cursor cursor;
	enum ttg_error code;
	uint64_t number;

	it->record.first = sequence;
	it->record.routed_ns = it->now->real_ns;
	it->record.n_recipients = n;
	core_begin_record(core, &cursor);
	code = core_put_late(core, &cursor, &it->record, core->recipients);
	if (code == TTG_OK)
		code = core_commit(core, it->now, RECORD_LATE, &cursor, &number);
	if (code == TTG_OK)
		core->sink.note(core->sink.self, "delivered_late", NULL, number);
	return code;
}

/* All that waits of one event, of which `first` is due. */
static enum ttg_error ask_again(struct core *core, const struct core_now *now,
				struct waiting_entry *first)
{
	const struct waiting_entry *end = core->waiting.items + core->waiting.tail;
	const uint64_t sequence = first->sequence;
	struct waited it = { .now = now };
	uint32_t n = 0;
	bool known;
	enum ttg_error code = read_back(core, sequence, &it, &known);

	if (code != TTG_OK && code != TTG_ENOENT)
		return code;
	for (struct waiting_entry *entry = first; known && entry < end && entry->sequence == sequence;
	     entry++) {
		if (entry->due && !is_over(core, entry) && n < RECORD_MAX_RECIPIENTS &&
		    find(core, &it, entry, &core->recipients[n]))
			n++;
	}
	code = n > 0 ? deliver_late(core, &it, sequence, n) : TTG_OK;
	for (; code == TTG_OK && first < end && first->sequence == sequence; first++)
		waiting_settle(&core->waiting, first);
	return code;
}

enum ttg_error core_run_late(struct core *core, const struct core_now *now, struct pump_budget *budget)
{
	struct waiting_entry *entry;
	unsigned int n = 0;

	while (core->rules && (entry = waiting_due(&core->waiting))) {
		enum ttg_error code;

		if (n++ == CORE_LATE_PER_PUMP) {
			budget->more = true;
			return TTG_OK;
		}
		code = ask_again(core, now, entry);
		if (code == TTG_EAGAIN || code == TTG_ENOSPC) {
			budget->fetching = true;
			return TTG_OK;
		}
		if (code == TTG_ELIMIT) { /* as large as a record can be, and a little more */
			core->sink.note(core->sink.self, "record_missing", NULL, entry->sequence);
			waiting_settle(&core->waiting, entry);
		} else if (code != TTG_OK) {
			return code;
		}
	}
	return TTG_OK;
}
