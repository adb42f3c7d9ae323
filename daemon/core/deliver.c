/*
 * Delivering: what waits, is durable, has not expired and is still agreed goes to the active
 * consumer as far as its credit reaches, in order of position.
 *
 * A row of deliveries is recorded (DELIVERED) before flush() lets it out. When the journal is busy
 * the row is kept and nothing more is delivered from that mailbox until it is recorded.
 *
 * What is done with unseen by the consumer (expired, stopped, discarded, given up, acknowledged by
 * those before it) must not come back by a crash behind something newer: nothing leaves the mailbox
 * until the record of that is durable.
 */
#include <assert.h>
#include <string.h>

#include "base/planted.h"
#include "core/known.h"
#include "core/payload.h"

static enum ttg_error log_positions(struct core *core, const struct core_now *now,
				    const struct mailbox *mailbox, enum record_kind kind,
				    uint64_t value, const struct record_ranges *ranges)
{
	const struct record_positions record = { now->real_ns, mailbox->number, value };
	struct cursor cursor;

	core_begin_record(core, &cursor);
	record_put_positions(&cursor, &record, ranges);
	return core_commit(core, now, kind, &cursor, NULL);
}

enum ttg_error core_log_row(struct core *core, const struct core_now *now, struct mailbox *mailbox)
{
	enum ttg_error code;

	if (mailbox->row.n == 0)
		return TTG_OK;
	code = log_positions(core, now, mailbox, RECORD_DELIVERED, mailbox->row_attempt,
			     &mailbox->row);
	if (code != TTG_OK && !PLANTED(DELIVER_UNRECORDED))
		return code;
	record_ranges_clear(&mailbox->row);
	if (mailbox->n_consumers > 0)
		core->sink.flush(core->sink.self, mailbox->consumers[0].id);
	return TTG_OK;
}

void core_retract(struct core *core)
{
	if (core->sink.retracted)
		core->sink.retracted(core->sink.self);
}

static bool named(const struct record_recipient *recipient, const char *agreement)
{
	for (uint32_t i = 0; i < recipient->n_agreements; i++) {
		if (strcmp(recipient->agreements[i], agreement) == 0)
			return true;
	}
	return false;
}

/* A notice sent by an agreement itself (escalation, overdue answer) is good as long as that is. */
static void keep_in_force(const struct rules *rules, int64_t now_ns,
			  struct record_recipient *recipient)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < recipient->n_agreements; i++) {
		int agreement = rules_find_agreement(rules, recipient->agreements[i]);

		if (agreement >= 0 && rules_in_force(rules, (uint32_t)agreement, now_ns))
			recipient->agreements[kept++] = recipient->agreements[i];
	}
	recipient->n_agreements = kept;
}

/*
 * The condition of a grant, asked again. What let the event pass when it was accepted (custody, risk, a
 * referral) may have changed since, and what was accepted is delivered; but nothing goes to a scheme that
 * he has left by taking his consent back, or was never in.
 */
static enum gate gate_again(const struct core *core, const struct rules_deliver_grant *grant,
			    bool passed, const struct gate_person *who, const struct gate_moment *when)
{
	const struct condition *condition;
	struct condition kept = { .scheme = "" };

	if (!passed || grant->condition == 0)
		return core_gate(core, grant, who, when);
	condition = &core->rules->conditions[grant->condition - 1];
	if (!condition->scheme[0])
		return GATE_OPEN;
	memcpy(kept.scheme, condition->scheme, sizeof(kept.scheme));
	kept.window_days = condition->window_days;
	return gate_ask(core->identity, who, &kept, "", when);
}

void core_recheck(const struct core *core, const struct core_now *now, const struct mailbox *mailbox,
		  uint64_t sequence, bool again, const struct record_event *event,
		  struct record_recipient *recipient)
{
	const struct rules *rules = core->rules;
	const struct record_recipient accepted = *recipient;
	const struct rules_deliver_grant *first = NULL;
	const int32_t marking = event_marking((struct span){ event->bytes, event->n_bytes });
	bool own = strcmp(event->source, core->broker) == 0;
	int type = rules_find_type(rules, event->type);
	int from = rules_find_agency(rules, event->source);
	const struct gate_moment when = { event->accepted_ns, sequence };
	struct gate_person who;
	size_t n = 0;

	if (own && strcmp(event->type, "broker.correction") == 0)
		return; /* who was told what is not so is told that, whatever is agreed now */
	if (own && (strcmp(event->type, "broker.alert_unacknowledged") == 0 ||
		    strcmp(event->type, "broker.referral_overdue") == 0)) {
		keep_in_force(rules, now->real_ns, recipient);
		return;
	}
	if (type >= 0 && (own || from >= 0))
		n = rules_deliveries(rules, (uint32_t)type, own ? RULES_NONE : (uint32_t)from, &first);
	recipient->n_agreements = 0;
	core_who(core, event, &who);
	for (size_t i = 0; i < n && recipient->n_agreements < RECORD_MAX_AGREEMENTS; i++) {
		const char *agreement = rules->agreements[first[i].agreement].id;
		enum gate gate;

		if (first[i].mailbox != (uint32_t)mailbox->rule ||
		    !rules_in_force(rules, first[i].agreement, now->real_ns) ||
		    !core_marking_fits(&rules->agreements[first[i].agreement], marking))
			continue;
		/* What was accepted before who he is came into dispute goes, but not once more. */
		gate = gate_again(core, &first[i], !again && named(&accepted, agreement), &who, &when);
		if ((gate == GATE_SHUT || (again && gate == GATE_HELD)) && !PLANTED(DELIVER_WITHDRAWN))
			continue;
		if ((first[i].addressed_by[0] && !named(&accepted, agreement)) ||
		    named(recipient, agreement))
			continue;
		recipient->agreements[recipient->n_agreements++] = agreement;
	}
}

/* A record that is needed is not held any more: somebody removed files. Told once, tried on. */
static void note_missing(struct core *core, struct mailbox *mailbox, uint64_t sequence)
{
	if (!mailbox->missing_told)
		core->sink.note(core->sink.self, "record_missing", mailbox->id, sequence);
	mailbox->missing_told = true;
}

/* Leaves out of the delivery what no agreement grants; event NULL: none grants anything. */
static enum ttg_error minimise(const struct core *core, const struct mailbox *mailbox,
			       const struct record_event *event,
			       const struct record_recipient *recipient,
			       struct core_delivery *delivery)
{
	const struct mask *mask;
	struct span bytes = { event->bytes, event->n_bytes };
	enum ttg_error code = disclose_mask(core->disclose, core->rules, event,
					    (uint32_t)mailbox->rule, recipient, &mask);

	if (code == TTG_OK && mask && !PLANTED(DELIVER_WHOLE))
		code = disclose_bytes(core->disclose, mask, delivery->sequence, bytes, &bytes);
	delivery->redacted = mask != NULL;
	delivery->event = bytes.at;
	delivery->event_bytes = bytes.len;
	if (code != TTG_EPERM && code != TTG_ECORRUPT)
		return code;
	delivery->event = NULL;
	return TTG_OK;
}

enum verdict { GO, STOP_ROW, EXPIRED, STOPPED };

/* Hands one entry to the consumer, or says why not. */
static enum verdict try_entry(struct core *core, const struct core_now *now,
			      struct mailbox *mailbox, struct entry *entry,
			      struct pump_budget *budget, enum ttg_error *code)
{
	struct record_recipient recipient;
	struct record_event event;
	struct core_delivery delivery;

	*code = core_read_event(core, entry->sequence, mailbox->number, &event, &recipient);
	if (*code == TTG_EAGAIN || *code == TTG_ENOENT) {
		if (*code == TTG_ENOENT)
			note_missing(core, mailbox, entry->sequence);
		*code = TTG_OK;
		budget->fetching = true;
		return STOP_ROW;
	}
	if (*code != TTG_OK)
		return STOP_ROW;
	if (event.expires_ns != 0 && event.expires_ns <= now->real_ns)
		return EXPIRED;
	*code = core_open_event(core, &event);
	if (*code == TTG_EPERM) {
		*code = TTG_OK;
		return STOPPED; /* the person was erased */
	}
	if (*code != TTG_OK)
		return STOP_ROW;
	if (entry->sequence <= core->stable_since && !PLANTED(DELIVER_UNAGREED))
		core_recheck(core, now, mailbox, event.first ? event.first : entry->sequence, false,
			     &event, &recipient);
	if (recipient.n_agreements == 0)
		return STOPPED;
	if (mailbox->unseen > core->durable && !PLANTED(OVERTAKE_UNSEEN))
		return STOP_ROW;
	delivery = (struct core_delivery){
		.position = entry->position,
		.sequence = event.first ? event.first : entry->sequence,
		.attempt = entry->deliveries + 1,
		.event = event.bytes,
		.event_bytes = event.n_bytes,
		.person_key = event.person_key ? identity_person(core->identity, event.person_key) :
						 NULL,
		.accepted_ns = event.accepted_ns,
		.agreements = recipient.agreements,
		.n_agreements = recipient.n_agreements,
	};
	*code = minimise(core, mailbox, &event, &recipient, &delivery);
	if (*code != TTG_OK)
		return STOP_ROW;
	if (!delivery.event)
		return STOPPED;
	return core->sink.deliver(core->sink.self, mailbox->consumers[0].id, &delivery) ? GO :
											   STOP_ROW;
}

/* The entry is with the consumer. */
static enum ttg_error mark_delivered(struct mailbox *mailbox, struct entry *entry)
{
	uint64_t position = entry->position;
	uint32_t attempt = entry->deliveries + 1;

	assert(mailbox->row.n == 0 || mailbox->row_attempt == attempt);
	entry->state = ENTRY_IN_FLIGHT;
	entry->holder = mailbox->turn;
	entry->deliveries = attempt;
	mailbox->in_flight++;
	mailbox->consumers[0].credit--;
	if (position > mailbox->highest)
		mailbox->highest = position;
	mailbox->row_attempt = attempt;
	return record_ranges_add(&mailbox->row, position) ? TTG_OK : TTG_ENOMEM;
}

/* Expired or no longer agreed: recorded and done with, one record for each. */
static enum ttg_error drop(struct core *core, const struct core_now *now, struct mailbox *mailbox,
			   const struct entry *entry, enum verdict verdict)
{
	uint64_t sequence = entry->sequence;
	enum ttg_error code;

	record_ranges_clear(&core->ranges);
	if (!record_ranges_add(&core->ranges, entry->position))
		return TTG_ENOMEM;
	code = log_positions(core, now, mailbox,
			     verdict == EXPIRED ? RECORD_EXPIRED : RECORD_STOPPED, 0,
			     &core->ranges);
	if (code == TTG_OK)
		core->sink.note(core->sink.self,
				verdict == EXPIRED ? "delivery_expired" : "delivery_stopped",
				mailbox->id, sequence);
	return code;
}

/* Catching up, and has had its share: others live meanwhile (pace.h). */
static bool is_held_back(struct mailbox *mailbox, uint32_t delivered, struct pump_budget *budget)
{
	if (mailbox->backlog_from == 0 || budget->backlog > 0)
		return false;
	if (delivered == 0 && !budget->left_out)
		budget->left_out = mailbox;
	budget->held_back = true;
	return true;
}

static enum ttg_error deliver_row(struct core *core, const struct core_now *now,
				  struct mailbox *mailbox, struct pump_budget *budget)
{
	uint32_t n = 0;
	enum ttg_error code = TTG_OK;

	while (code == TTG_OK && mailbox->consumers[0].credit > 0) {
		struct entry *entry = mailbox_next_waiting(mailbox);
		enum verdict verdict;

		if (!entry || (entry->sequence > core->durable && !PLANTED(DELIVER_EARLY)))
			break;
		if (is_held_back(mailbox, n, budget))
			break;
		if (n++ == CORE_DELIVER_PER_MAILBOX || budget->deliver == 0) {
			budget->more = true;
			break;
		}
		/* A row has one attempt, and is recorded before another is begun. */
		if (mailbox->row.n > 0 && mailbox->row_attempt != entry->deliveries + 1)
			code = core_log_row(core, now, mailbox);
		if (code != TTG_OK)
			break;
		budget->deliver--;
		budget->backlog -= mailbox->backlog_from != 0;
		verdict = try_entry(core, now, mailbox, entry, budget, &code);
		if (verdict == STOP_ROW) {
			if (code != TTG_OK || mailbox->row.n == 0)
				break;
			/* The consumer may take more once this row has left. */
			code = core_log_row(core, now, mailbox);
			continue;
		}
		code = verdict == GO ? mark_delivered(mailbox, entry)
				     : drop(core, now, mailbox, entry, verdict);
	}
	if (code == TTG_OK || code == TTG_EAGAIN)
		code = core_log_row(core, now, mailbox);
	return code;
}

/* Reads on in one go when half the window is free, or when nothing in it can be delivered. */
static bool wants_refill(const struct core *core, struct mailbox *mailbox)
{
	return mailbox->backlog_from != 0 && core_mailbox_has_room(core, mailbox) &&
	       (mailbox->window.live <= core->options.window / 2 || !mailbox_next_waiting(mailbox));
}

/* Says once that a mailbox stands still because too much is held behind dead letters. */
static void tell_full(struct core *core, struct mailbox *mailbox)
{
	bool full = mailbox->backlog_from != 0 &&
		    mailbox->lanes.n_held + mailbox->lanes.n_dead >= core->options.max_held;

	if (full && !mailbox->full_told)
		core->sink.note(core->sink.self, "mailbox_held_full", mailbox->id,
				mailbox->backlog_from);
	mailbox->full_told = full;
}

static enum ttg_error refill(struct core *core, struct mailbox *mailbox, struct pump_budget *budget)
{
	enum ttg_error code = TTG_OK;

	if (!mailbox_drain(mailbox, core->options.window))
		return TTG_ENOMEM;
	if (wants_refill(core, mailbox))
		code = core_fill(core, mailbox, 0, &budget->scan);
	tell_full(core, mailbox);
	if (code == TTG_EAGAIN) {
		budget->more |= budget->scan == 0;
		budget->fetching |= budget->scan != 0;
		return TTG_OK;
	}
	if (code == TTG_ENOENT) {
		note_missing(core, mailbox, mailbox->backlog_from);
		budget->fetching = true;
		return TTG_OK;
	}
	return code;
}

static bool wants_another_look(struct core *core, struct mailbox *mailbox)
{
	if (mailbox->row.n > 0)
		return true;
	if (mailbox->n_consumers == 0 || mailbox->rule < 0)
		return false;
	if (mailbox->lanes.n_draining > 0 && mailbox->window.live < core->options.window)
		return true;
	if (wants_refill(core, mailbox))
		return true;
	return mailbox->consumers[0].credit > 0 && mailbox_next_waiting(mailbox);
}

enum ttg_error core_pump_mailbox(struct core *core, const struct core_now *now,
				 struct mailbox *mailbox, struct pump_budget *budget)
{
	enum ttg_error code = core_log_row(core, now, mailbox);

	if (code == TTG_OK && mailbox->n_consumers > 0 && mailbox->rule >= 0 && core->rules) {
		code = refill(core, mailbox, budget);
		if (code == TTG_OK)
			code = deliver_row(core, now, mailbox, budget);
		/* Delivering or dropping may have made room for more. */
		if (code == TTG_OK && !budget->fetching && wants_refill(core, mailbox))
			budget->more = true;
	}
	if (code == TTG_EAGAIN || code == TTG_ENOSPC) {
		budget->fetching = true; /* the journal is busy: soon again */
		code = TTG_OK;
	}
	if (wants_another_look(core, mailbox))
		core_wake(core, mailbox);
	return code;
}
