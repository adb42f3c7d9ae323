/*
 * Applying records: the only code that changes what a restart must bring back. It runs live, right
 * after the sink took the record, and at recovery, over the same records in the same order.
 *
 * At recovery windows are filled on demand: a record that speaks of a position brings the mailbox's
 * backlog forward to it, so memory stays bounded by what was in memory when the record was made.
 *
 * A record that does not fit the state is damage (TTG_ECORRUPT); live it would be our own bug.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/planted.h"
#include "core/known.h"
#include "core/payload.h"
#include "core/redeliver.h"
#include "core/retain.h"
#include "core/signed.h"

void core_wake(struct core *core, struct mailbox *mailbox)
{
	if (mailbox->ready)
		return;
	assert(core->n_ready < core->n_mailboxes);
	mailbox->ready = true;
	core->ready[core->n_ready++] = mailbox->number;
}

static struct mailbox *mailbox_at(const struct core *core, uint64_t number)
{
	return number < core->n_mailboxes ? core->mailboxes[number] : NULL;
}

struct mailbox *core_add_mailbox(struct core *core, const char *id)
{
	size_t n = core->n_mailboxes;
	struct mailbox **grown = realloc(core->mailboxes, (n + 1) * sizeof(struct mailbox *));
	uint32_t *ready;

	if (!grown)
		return NULL;
	core->mailboxes = grown;
	ready = realloc(core->ready, (n + 1) * sizeof(*ready));
	if (!ready)
		return NULL;
	core->ready = ready;
	grown[n] = mailbox_new((uint32_t)n, id);
	if (grown[n])
		core->n_mailboxes++;
	return grown[n];
}

static enum ttg_error apply_mailbox(struct core *core, const struct core_now *now,
				    uint64_t sequence, const uint8_t *data, size_t len)
{
	struct record_mailbox it;

	(void)now;
	(void)sequence;
	if (!record_get_mailbox(data, len, &it) || it.number != core->n_mailboxes ||
	    it.number >= RULES_MAX_MAILBOXES || core_find_mailbox(core, it.id))
		return TTG_ECORRUPT;
	return core_add_mailbox(core, it.id) ? TTG_OK : TTG_ENOMEM;
}

static enum ttg_error apply_recipient(struct core *core, uint64_t sequence,
				      const struct record_event *event,
				      const struct record_recipient *recipient)
{
	struct mailbox *mailbox = mailbox_at(core, recipient->mailbox);
	struct timer timer;
	int64_t deadline_ns;

	if (!mailbox || recipient->position != mailbox->next_position)
		return TTG_ECORRUPT;
	if (recipient->fallback != RULES_NONE && recipient->fallback >= core->n_mailboxes)
		return TTG_ECORRUPT;
	if (!mailbox_accept(mailbox, sequence,
			    core_lane(core, event->person_key, recipient->position),
			    core_mailbox_has_room(core, mailbox)))
		return TTG_ENOMEM;
	if (mailbox->backlog_from != 0 && mailbox->n_consumers > 0)
		pace_owe(&core->pace);
	core_wake(core, mailbox);
	if (recipient->ack_within_ms == 0)
		return TTG_OK;
	if (recipient->ack_within_ms > (uint64_t)INT64_MAX / 2000000 ||
	    __builtin_add_overflow(event->routed_ns,
				   (int64_t)recipient->ack_within_ms * 1000000, &deadline_ns))
		return TTG_ECORRUPT;
	timer = (struct timer){
		.deadline_ns = deadline_ns,
		.sequence = sequence,
		.position = recipient->position,
		.mailbox = recipient->mailbox,
		.fallback = recipient->fallback,
	};
	return timers_add(&core->timers, &timer) ? TTG_OK : TTG_ENOMEM;
}

static enum ttg_error apply_recipients(struct core *core, uint64_t sequence,
				       const struct record_event *event)
{
	struct cursor recipients = event->recipients;
	enum ttg_error code = TTG_OK;

	for (uint32_t i = 0; i < event->n_recipients && code == TTG_OK; i++) {
		struct record_recipient recipient;

		record_next_recipient(&recipients, &recipient);
		/* What came late waited for exactly this. */
		if (event->first != 0 &&
		    !waiting_take(&core->waiting, event->first, recipient.mailbox))
			return TTG_ECORRUPT;
		code = apply_recipient(core, sequence, event, &recipient);
	}
	return code;
}

static enum ttg_error apply_waits(struct core *core, uint64_t sequence, const struct record_event *event)
{
	struct waiting_entry entry = { .sequence = sequence, .accepted_ns = event->accepted_ns };
	struct cursor waits = event->waits;

	for (uint32_t i = 0; i < event->n_waiting; i++) {
		const uint64_t value = cursor_get_varint(&waits);

		if (value / 2 >= core->n_mailboxes)
			return TTG_ECORRUPT;
		entry.mailbox = (uint32_t)(value / 2);
		entry.held = value & 1;
		memcpy(entry.key, event->person_key, sizeof(entry.key));
		if (!waiting_add(&core->waiting, &entry))
			return TTG_ENOMEM;
	}
	return TTG_OK;
}

static enum ttg_error apply_event(struct core *core, const struct core_now *now, uint64_t sequence,
				  const uint8_t *data, size_t len)
{
	struct record_event event;
	enum ttg_error code;

	if (!record_get_event(data, len, &event) || event.signed_at >= sequence)
		return TTG_ECORRUPT;
	if (!(PLANTED(FORGET_DEDUPE) && !now) &&
	    !dedupe_add(core->dedupe, core_fingerprint(core, event.source, event.id), sequence,
			event.accepted_ns))
		return TTG_ENOMEM;
	if (event.accepted_ns > core->newest_ns)
		core->newest_ns = event.accepted_ns;
	referrals_expire(core->referrals, core->newest_ns);
	lates_expire(&core->lates, core->newest_ns - (int64_t)core->options.dedupe_window_ns);
	if (core->waiting.live > 0)
		waiting_expire(&core->waiting, core->newest_ns - (int64_t)core->options.look_back_ns);
	code = payload_apply(core, &event);
	if (code == TTG_OK && event.n_changes > 0)
		code = core_apply_changes(core, sequence, &event);
	if (code == TTG_OK)
		code = apply_recipients(core, sequence, &event);
	return code == TTG_OK ? apply_waits(core, sequence, &event) : code;
}

static enum ttg_error apply_late(struct core *core, uint64_t sequence, const uint8_t *data, size_t len)
{
	struct record_event event;

	if (!record_get_late(data, len, &event) || event.first >= sequence ||
	    event.signed_at >= event.first)
		return TTG_ECORRUPT;
	if (!lates_add(&core->lates, &(struct late){ event.first, sequence, event.routed_ns }))
		return TTG_ENOMEM;
	return apply_recipients(core, sequence, &event);
}

/* One mailbox, by its redelivery. */
static enum ttg_error apply_again(struct core *core, const struct core_now *now, uint64_t sequence,
				  const uint8_t *data, size_t len)
{
	struct record_recipient to;
	struct record_event event;
	struct cursor recipients;
	enum ttg_error code;

	if (!record_get_given(RECORD_AGAIN, data, len, &event) || event.given >= sequence ||
	    event.signed_at >= event.first)
		return TTG_ECORRUPT;
	recipients = event.recipients;
	record_next_recipient(&recipients, &to);
	code = core_apply_again(core, sequence, now != NULL, &event, &to);
	return code == TTG_OK ? apply_recipient(core, sequence, &event, &to) : code;
}

/* The entry of a record at this position, whatever has to be read or moved for it. */
static enum ttg_error locate(struct core *core, struct mailbox *mailbox, uint64_t position,
			     struct entry **entry)
{
	uint64_t budget = UINT64_MAX;
	enum ttg_error code;
	bool failed = false;

	if (position == 0 || position >= mailbox->next_position)
		return TTG_ECORRUPT;
	if (position >= mailbox->fill_position) {
		code = core_fill(core, mailbox, position, &budget);
		if (code != TTG_OK)
			return code;
	}
	*entry = mailbox_locate(mailbox, position, &failed);
	if (failed)
		return TTG_ENOMEM;
	return *entry ? TTG_OK : TTG_ECORRUPT;
}

/* DELIVERED, ACK, EXPIRED and STOPPED: each position in turn. */
static enum ttg_error apply_positions(struct core *core, uint64_t sequence, uint8_t kind,
				      const uint8_t *data, size_t len)
{
	struct record_positions it;
	struct mailbox *mailbox;

	if (!record_get_positions(data, len, &it, &core->applied) ||
	    !(mailbox = mailbox_at(core, it.mailbox)) || it.value > UINT32_MAX * UINT64_C(65536))
		return TTG_ECORRUPT;
	for (size_t i = 0; i < core->applied.n; i++) {
		const struct record_range range = core->applied.items[i];

		for (uint64_t k = 0; k < range.n; k++) {
			struct entry *entry;
			enum ttg_error code = locate(core, mailbox, range.first + k, &entry);

			if (code != TTG_OK)
				return code;
			if (kind == RECORD_DELIVERED)
				entry->deliveries = (uint32_t)it.value;
			else
				mailbox_settle(mailbox, entry);
		}
	}
	mailbox->delivered += kind == RECORD_DELIVERED ? core->applied.positions : 0;
	mailbox->acked += kind == RECORD_ACK ? core->applied.positions : 0;
	mailbox->expired += kind == RECORD_EXPIRED ? core->applied.positions : 0;
	mailbox->stopped += kind == RECORD_STOPPED ? core->applied.positions : 0;
	if (kind == RECORD_EXPIRED || kind == RECORD_STOPPED)
		mailbox->unseen = sequence;
	if (kind == RECORD_ACK)
		mailbox->answered = sequence;
	core_wake(core, mailbox);
	return TTG_OK;
}

#define DEFAULT_RETRY_MS 1000u
#define DEFAULT_RETRY_MAX_MS 300000u

/* When a lane may go on after this refusal: the consumer's wish, or doubled each time. */
static int64_t retry_due(const struct core *core, const struct core_now *now,
			 const struct mailbox *mailbox, const struct record_nack *it)
{
	uint64_t delay_ms = DEFAULT_RETRY_MS, max_ms = DEFAULT_RETRY_MAX_MS;
	uint32_t doublings = it->refusals > 1 ? it->refusals - 1 : 0;

	if (core->rules && mailbox->rule >= 0) {
		delay_ms = core->rules->mailboxes[mailbox->rule].retry_ms;
		max_ms = core->rules->mailboxes[mailbox->rule].retry_max_ms;
	}
	delay_ms <<= doublings > 31 ? 31 : doublings;
	if (it->retry_after_ms != 0)
		delay_ms = it->retry_after_ms;
	if (delay_ms > max_ms)
		delay_ms = max_ms;
	/* 0 would mean no delay at all, and monotonic time may begin at 0. */
	return now->mono_ns + (int64_t)delay_ms * 1000000 + 1;
}

static enum ttg_error apply_nack(struct core *core, const struct core_now *now, uint64_t sequence,
				 const uint8_t *data, size_t len)
{
	struct record_nack it;
	struct mailbox *mailbox;
	struct entry *entry;
	enum ttg_error code;
	bool done;

	(void)sequence;
	if (!record_get_nack(data, len, &it) || !(mailbox = mailbox_at(core, it.mailbox)))
		return TTG_ECORRUPT;
	code = locate(core, mailbox, it.position, &entry);
	if (code != TTG_OK)
		return code;
	if (entry->sequence != it.sequence || entry->refusals + 1 != it.refusals)
		return TTG_ECORRUPT;
	if (it.parked)
		done = mailbox_park(mailbox, entry, it.reason, it.text, it.at_ns);
	else
		done = mailbox_refuse(mailbox, entry, now ? retry_due(core, now, mailbox, &it) : 0);
	mailbox->nacked++;
	core_wake(core, mailbox);
	return done ? TTG_OK : TTG_ENOMEM;
}

static enum ttg_error apply_dead_letter(struct core *core, uint64_t sequence, uint8_t kind,
					const uint8_t *data, size_t len)
{
	struct record_one it;
	struct mailbox *mailbox;
	struct lane *lane;
	struct dead *dead;

	if (!record_get_one(data, len, &it) || !(mailbox = mailbox_at(core, it.mailbox)))
		return TTG_ECORRUPT;
	dead = mailbox_find_dead(mailbox, it.sequence, it.position, &lane);
	if (!dead)
		return TTG_ECORRUPT;
	core_wake(core, mailbox);
	if (kind == RECORD_RETRY)
		return mailbox_revive(mailbox, lane, it.position) ? TTG_OK : TTG_ENOMEM;
	mailbox_discard(mailbox, lane, dead);
	mailbox->unseen = sequence;
	return TTG_OK;
}

/* Deadlines are met in order, so those before this one have been answered or told already. */
static enum ttg_error apply_escalated(struct core *core, const struct core_now *now,
				      uint64_t sequence, const uint8_t *data, size_t len)
{
	struct record_one it;
	struct mailbox *mailbox;
	struct timer told;
	const struct timer *first;

	(void)now;
	(void)sequence;
	if (!record_get_one(data, len, &it) || !(mailbox = mailbox_at(core, it.mailbox)))
		return TTG_ECORRUPT;
	if (PLANTED(ESCALATE_AGAIN) && !now)
		return TTG_OK;
	told = (struct timer){ .deadline_ns = it.deadline_ns, .sequence = it.sequence,
			       .mailbox = it.mailbox };
	while ((first = timers_first(&core->timers)) && !timer_before(&told, first))
		timers_drop_first(&core->timers);
	mailbox->escalated++;
	return TTG_OK;
}

static enum ttg_error apply_given_up(struct core *core, const struct core_now *now,
				     uint64_t sequence, const uint8_t *data, size_t len)
{
	struct record_given_up *items;
	uint64_t below;
	int64_t at_ns;
	size_t n;
	enum ttg_error code = TTG_OK;

	(void)now;
	if (!record_get_given_up(data, len, &at_ns, &below, &items, &n))
		return TTG_ECORRUPT;
	for (size_t i = 0; i < n && code == TTG_OK; i++) {
		struct mailbox *mailbox = mailbox_at(core, items[i].mailbox);

		if (!mailbox || items[i].next_position == 0 ||
		    items[i].next_position > mailbox->next_position) {
			code = TTG_ECORRUPT;
			break;
		}
		if (mailbox_give_up(mailbox, below, items[i].next_sequence,
				    items[i].next_position) != items[i].count)
			code = TTG_ECORRUPT;
		mailbox->unseen = sequence;
		core_wake(core, mailbox);
	}
	free(items);
	return code;
}

/* They change nothing: they are there to be found. */
static enum ttg_error apply_refused(const uint8_t *data, size_t len)
{
	struct record_refused it;

	return record_get_refused(data, len, &it) ? TTG_OK : TTG_ECORRUPT;
}

static enum ttg_error apply_signed(const uint8_t *data, size_t len)
{
	struct signed_frame it;

	return record_get_signed(data, len, &it) ? TTG_OK : TTG_ECORRUPT;
}

static enum ttg_error apply_consulted(const uint8_t *data, size_t len)
{
	struct record_consulted it;

	return record_get_consulted(data, len, &it) ? TTG_OK : TTG_ECORRUPT;
}

static enum ttg_error apply(struct core *core, const struct core_now *now, uint64_t sequence,
			    uint8_t kind, const uint8_t *data, size_t len)
{
	switch ((enum record_kind)kind) {
	case RECORD_MAILBOX:
		return apply_mailbox(core, now, sequence, data, len);
	case RECORD_RULES:
		return core_apply_rules(core, sequence, data, len);
	case RECORD_RULES_TEXT:
		return core_apply_rules_text(core, sequence, data, len);
	case RECORD_EVENT:
		return apply_event(core, now, sequence, data, len);
	case RECORD_DELIVERED:
	case RECORD_ACK:
	case RECORD_EXPIRED:
	case RECORD_STOPPED:
		return apply_positions(core, sequence, kind, data, len);
	case RECORD_NACK:
		return apply_nack(core, now, sequence, data, len);
	case RECORD_RETRY:
	case RECORD_DISCARD:
		return apply_dead_letter(core, sequence, kind, data, len);
	case RECORD_ESCALATED:
		return apply_escalated(core, now, sequence, data, len);
	case RECORD_GIVEN_UP:
		return apply_given_up(core, now, sequence, data, len);
	case RECORD_LATE:
		return apply_late(core, sequence, data, len);
	case RECORD_REDELIVER:
		return core_apply_redeliver(core, sequence, data, len);
	case RECORD_AGAIN:
		return apply_again(core, now, sequence, data, len);
	case RECORD_DECIDED:
		return core_apply_decided(core, sequence, data, len);
	case RECORD_CONSULTED:
		return apply_consulted(data, len);
	case RECORD_ERASED:
		return core_apply_erased(core, sequence, data, len);
	case RECORD_LAPSED:
		return core_apply_lapsed(core, sequence, data, len);
	case RECORD_REFUSED:
		return apply_refused(data, len);
	case RECORD_SIGNED:
		return apply_signed(data, len);
	case RECORD_SEAL:
		return core_apply_seal(core, sequence, data, len);
	case RECORD_HAND_OVER:
		return core_apply_hand_over(core, sequence, data, len);
	case RECORD_FOREIGN:
	default:
		return kind >= RECORD_FOREIGN ? TTG_OK : TTG_ECORRUPT;
	}
}

enum ttg_error core_apply_record(struct core *core, const struct core_now *now, uint64_t sequence,
				 uint8_t kind, const uint8_t *data, size_t len,
				 struct message *message)
{
	enum ttg_error code;

	if (sequence <= core->sequence)
		return message_set(message, TTG_ECORRUPT,
				   "record %llu comes after record %llu was applied",
				   (unsigned long long)sequence,
				   (unsigned long long)core->sequence);
	code = apply(core, now, sequence, kind, data, len);
	if (code != TTG_OK)
		return message_set(message, code, "record %llu of kind %u does not fit the state: %s",
				   (unsigned long long)sequence, (unsigned int)kind,
				   ttg_error_text(code));
	core->sequence = sequence;
	if (core->redeliveries.n_running > 0)
		core_redeliver_pass(core, sequence, kind, data, len);
	return TTG_OK;
}

enum ttg_error core_apply(struct core *core, uint64_t sequence, uint8_t kind, const uint8_t *data,
			  size_t len, struct message *message)
{
	return core_apply_record(core, NULL, sequence, kind, data, len, message);
}

void core_begin_record(struct core *core, struct cursor *cursor)
{
	cursor_init_write(cursor, core->buffer, RECORD_MAX);
}

enum ttg_error core_commit_all(struct core *core, const struct core_now *now,
			       const struct core_record *records, size_t n, uint64_t *first)
{
	uint64_t number = 0;
	enum ttg_error code;

	if (core->broken)
		return TTG_EIO;
	code = core->sink.append(core->sink.self, records, n, &number);
	if (code != TTG_OK)
		return code;
	if (first)
		*first = number;
	for (size_t i = 0; i < n && code == TTG_OK; i++) {
		code = core_apply_record(core, now, number + i, records[i].kind, records[i].data,
					 records[i].len, NULL);
		assert(code != TTG_ECORRUPT);
	}
	if (code == TTG_OK)
		return TTG_OK;
	core->broken = true;
	core->sink.note(core->sink.self, "core_broken", NULL, number);
	return TTG_EIO;
}

enum ttg_error core_commit(struct core *core, const struct core_now *now, enum record_kind kind,
			   const struct cursor *cursor, uint64_t *sequence)
{
	const struct core_record record = { (uint8_t)kind, core->buffer, cursor_offset(cursor) };

	return cursor_ok(cursor) ? core_commit_all(core, now, &record, 1, sequence) : TTG_ELIMIT;
}
