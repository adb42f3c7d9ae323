/*
 * Events the broker itself makes: an urgent delivery nobody acknowledged, a lane that is parked, what
 * the operator gave up.
 * They carry numbers and ids, never the payload they are about.
 *
 * Their ids follow from what they tell, and their records go in front of the record of the fact
 * (ESCALATED, NACK). So when a crash comes between the two, the fact is found again after the
 * restart, the same id is made, and the event is not told twice. Only what is given up goes first, for it
 * may reach behind everything there is, its own notice too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/planted.h"
#include "core/notice.h"
#include "core/payload.h"
#include "core/retain.h"

#define TYPE_ALERT "broker.alert_unacknowledged"
#define TYPE_PARKED "broker.lane_parked"
#define TYPE_GIVEN_UP "broker.deliveries_given_up"

char *notice_text(const char *text)
{
	union {
		const char *in;
		char *out;
	} view = { .in = text };

	return view.out;
}

void notice_fill(const struct core *core, Ttg__Event *event, Ttg__Time *now,
			  const char *type, uint8_t *id, uint8_t *cause)
{
	event->id.len = RECORD_ID;
	event->id.data = id;
	event->source = notice_text(core->broker);
	event->type = notice_text(type);
	event->occurred_at = now;
	event->recorded_at = now;
	event->correlation_id.len = RECORD_ID;
	event->correlation_id.data = cause;
	event->causation_id = event->correlation_id;
	event->marking = TTG__MARKING__OFFICIAL_SENSITIVE;
	event->assertion = TTG__ASSERTION__FACT;
}

enum ttg_error notice_store_more(struct core *core, const struct core_now *now, const Ttg__Event *event,
				 const struct record_recipient *recipients, uint32_t n,
				 const struct notice_more *more)
{
	struct record_event record = {
		.accepted_ns = now->real_ns,
		.id = event->id.data,
		.person_key = more->person_key,
		.urgency = (uint8_t)event->urgency,
		.source = core->broker,
		.type = event->type,
		.n_recipients = n,
		.until_s = more->until_s,
		.changes = more->changes,
		.n_changes = more->n_changes,
		.n_bytes = ttg__event__get_packed_size(event),
	};
	uint8_t *bytes = malloc(record.n_bytes);
	struct cursor cursor;
	enum ttg_error code;

	if (!bytes)
		return TTG_ENOMEM;
	record.n_bytes = ttg__event__pack(event, bytes);
	record.bytes = bytes;
	core_begin_record(core, &cursor);
	code = core_put_event(core, &cursor, &record, recipients, more->of_persons);
	if (code == TTG_OK)
		code = core_commit(core, now, RECORD_EVENT, &cursor, NULL);
	free(bytes);
	return code;
}

enum ttg_error notice_store(struct core *core, const struct core_now *now, const Ttg__Event *event,
			    const struct record_recipient *recipients, uint32_t n,
			    const uint8_t *person_key, bool of_persons)
{
	struct notice_more more = { .person_key = person_key, .of_persons = of_persons };

	if (core->sink.seal && of_persons)
		more.until_s = retain_until_s(core, rules_find_type(core->rules, event->type), RULES_NONE,
					      now->real_ns);
	return notice_store_more(core, now, event, recipients, n, &more);
}

bool notice_was_told(const struct core *core, const uint8_t *id)
{
	return dedupe_find(core->dedupe, core_fingerprint(core, core->broker, id)) != 0;
}

/* Id of what happened to this delivery; `what` and `time` tell it from other things that did. */
static enum ttg_error make_id(const char *what, int64_t time_ns, uint64_t sequence,
			      uint32_t mailbox, uint64_t extra, uint8_t id[RECORD_ID])
{
	uint8_t meaning[64];
	struct cursor cursor;

	cursor_init_write(&cursor, meaning, sizeof(meaning));
	cursor_put_sized(&cursor, what, strlen(what));
	cursor_put_u64(&cursor, sequence);
	cursor_put_u32(&cursor, mailbox);
	cursor_put_u64(&cursor, extra);
	if (!cursor_ok(&cursor))
		return TTG_EINVAL;
	return ttg_uuid_from_meaning(id, time_ns, meaning, cursor_offset(&cursor));
}

enum ttg_error notice_make_id(const char *what, int64_t time_ns, uint64_t sequence, const uint8_t *other,
			      uint8_t id[RECORD_ID])
{
	uint8_t meaning[64];
	struct cursor cursor;

	cursor_init_write(&cursor, meaning, sizeof(meaning));
	cursor_put_sized(&cursor, what, strlen(what));
	cursor_put_u64(&cursor, sequence);
	cursor_put_bytes(&cursor, other, RECORD_ID);
	if (!cursor_ok(&cursor))
		return TTG_EINVAL;
	return ttg_uuid_from_meaning(id, time_ns, meaning, cursor_offset(&cursor));
}

static enum ttg_error send_alert(struct core *core, const struct core_now *now,
				 const struct timer *timer, struct mailbox *fallback)
{
	Ttg__Event event = TTG__EVENT__INIT;
	Ttg__BrokerAlertUnacknowledged alert = TTG__BROKER_ALERT_UNACKNOWLEDGED__INIT;
	Ttg__Time told = TTG__TIME__INIT, since = TTG__TIME__INIT, deadline = TTG__TIME__INIT;
	struct mailbox *mailbox = core->mailboxes[timer->mailbox];
	const struct entry *entry = entries_find(&mailbox->window, timer->position);
	uint8_t id[RECORD_ID], cause[RECORD_ID];
	char type[RULES_TYPE_MAX + 1];
	struct record_event original;
	enum ttg_error code;

	code = core_read_event(core, timer->sequence, timer->mailbox, &original,
			       &core->recipients[0]);
	if (code != TTG_OK)
		return code;
	code = make_id(TYPE_ALERT, timer->deadline_ns, timer->sequence, timer->mailbox, 0, id);
	if (code != TTG_OK || notice_was_told(core, id))
		return code;
	memcpy(cause, original.id, sizeof(cause));
	snprintf(type, sizeof(type), "%s", original.type);
	told.unix_ns = now->real_ns;
	since.unix_ns = original.accepted_ns;
	deadline.unix_ns = timer->deadline_ns;
	alert.event_id = (ProtobufCBinaryData){ sizeof(cause), cause };
	alert.event_type = type;
	alert.mailbox = mailbox->id;
	alert.since_at = &since;
	alert.deadline_at = &deadline;
	alert.fallback_mailbox = fallback->id;
	alert.step_count = 1;
	alert.consumer_attached = mailbox->n_consumers > 0;
	alert.attempt_count = entry ? entry->deliveries : 0;
	notice_fill(core, &event, &told, TYPE_ALERT, id, cause);
	event.urgency = TTG__URGENCY__URGENT;
	event.payload_case = TTG__EVENT__PAYLOAD_BROKER_ALERT_UNACKNOWLEDGED;
	event.broker_alert_unacknowledged = &alert;
	/* The agreements that named the fallback stand in the recipient that was just read. */
	core->recipients[0].mailbox = fallback->number;
	core->recipients[0].position = fallback->next_position;
	core->recipients[0].ack_within_ms = 0;
	core->recipients[0].fallback = RULES_NONE;
	return notice_store(core, now, &event, core->recipients, 1, NULL, false);
}

static enum ttg_error escalate(struct core *core, const struct core_now *now,
			       const struct timer *timer)
{
	const struct record_one record = { now->real_ns, timer->deadline_ns, timer->mailbox,
					   timer->sequence, timer->position };
	const struct mailbox *mailbox = core->mailboxes[timer->mailbox];
	struct cursor cursor;
	enum ttg_error code = TTG_OK;

	if (timer->fallback != RULES_NONE)
		code = send_alert(core, now, timer, core->mailboxes[timer->fallback]);
	if (code == TTG_ENOENT)
		core->sink.note(core->sink.self, "alert_without_event", mailbox->id,
				timer->sequence);
	else if (code != TTG_OK)
		return code;
	core_begin_record(core, &cursor);
	record_put_one(&cursor, &record);
	code = core_commit(core, now, RECORD_ESCALATED, &cursor, NULL);
	if (code == TTG_OK)
		core->sink.note(core->sink.self, "delivery_escalated", mailbox->id,
				record.sequence);
	return code;
}

enum ttg_error core_run_timers(struct core *core, const struct core_now *now, bool *more)
{
	const struct timer *first;
	unsigned int n = 0;

	while ((first = timers_first(&core->timers)) && first->deadline_ns <= now->real_ns) {
		const struct timer timer = *first;
		enum ttg_error code;

		if (n++ == CORE_TIMERS_PER_PUMP) {
			*more = true;
			break;
		}
		if (!mailbox_is_pending(core->mailboxes[timer.mailbox], timer.position)) {
			timers_drop_first(&core->timers);
			continue;
		}
		code = escalate(core, now, &timer); /* applying it takes the timer out */
		if (code != TTG_OK)
			return code;
	}
	return TTG_OK;
}

/* Mailboxes of the owner and of the publisher (NULL: nobody) that are granted such notices. */
static uint32_t find_recipients(struct core *core, const struct core_now *now, const char *notice,
				const struct mailbox *about, const char *publisher)
{
	const struct rules *rules = core->rules;
	const struct rules_deliver_grant *first;
	int type = rules ? rules_find_type(rules, notice) : -1;
	size_t n_grants = type < 0 ? 0 : rules_deliveries(rules, (uint32_t)type, RULES_NONE, &first);
	uint32_t n = 0, owner;

	if (!rules || about->rule < 0)
		return 0;
	owner = rules->mailboxes[about->rule].agency;
	for (size_t i = 0; i < n_grants && n < RECORD_MAX_RECIPIENTS; i++) {
		uint32_t agency = rules->mailboxes[first[i].mailbox].agency;
		uint32_t number = core->by_rule[first[i].mailbox];
		struct record_recipient *to = &core->recipients[n];

		if (agency != owner &&
		    (!publisher || strcmp(rules->agencies[agency].id, publisher) != 0))
			continue;
		if (!rules_in_force(rules, first[i].agreement, now->real_ns) ||
		    (n > 0 && core->recipients[n - 1].mailbox == number))
			continue;
		*to = (struct record_recipient){
			.mailbox = number,
			.position = core->mailboxes[number]->next_position,
			.fallback = RULES_NONE,
			.n_agreements = 1,
			.agreements = { rules->agreements[first[i].agreement].id },
		};
		n++;
	}
	return n;
}

enum ttg_error core_notify_parked(struct core *core, const struct core_now *now,
				  const struct mailbox *mailbox, const struct entry *entry,
				  uint32_t reason, const char *text)
{
	Ttg__Event event = TTG__EVENT__INIT;
	Ttg__BrokerLaneParked parked = TTG__BROKER_LANE_PARKED__INIT;
	Ttg__Time told = TTG__TIME__INIT;
	uint8_t id[RECORD_ID], cause[RECORD_ID];
	char type[RULES_TYPE_MAX + 1], publisher[RULES_ID_MAX + 1], mailbox_id[RULES_MAILBOX_MAX + 1];
	struct record_event original;
	uint32_t n;
	enum ttg_error code = core_read_event(core, entry->sequence, 0, &original, NULL);

	if (code != TTG_OK)
		return code;
	if (strcmp(original.source, core->broker) == 0)
		return TTG_OK; /* a notice about a notice would go round */
	n = find_recipients(core, now, TYPE_PARKED, mailbox, original.source);
	/* How often it was delivered tells this parking from one after a retry. */
	code = make_id(TYPE_PARKED, original.accepted_ns, entry->sequence, mailbox->number,
		       entry->deliveries, id);
	if (n == 0 || code != TTG_OK || notice_was_told(core, id))
		return code;
	memcpy(cause, original.id, sizeof(cause));
	snprintf(type, sizeof(type), "%s", original.type);
	snprintf(publisher, sizeof(publisher), "%s", original.source);
	snprintf(mailbox_id, sizeof(mailbox_id), "%s", mailbox->id);
	told.unix_ns = now->real_ns;
	parked.mailbox = mailbox_id;
	parked.event_id = (ProtobufCBinaryData){ sizeof(cause), cause };
	parked.attempt_count = entry->deliveries;
	parked.last_reason = (Ttg__NackReason)reason;
	parked.last_text = notice_text(text);
	parked.event_type = type;
	parked.publisher_agency = publisher;
	parked.position = entry->position;
	parked.parked_at = &told;
	notice_fill(core, &event, &told, TYPE_PARKED, id, cause);
	event.urgency = TTG__URGENCY__PROMPT;
	event.payload_case = TTG__EVENT__PAYLOAD_BROKER_LANE_PARKED;
	event.broker_lane_parked = &parked;
	return notice_store(core, now, &event, core->recipients, n, NULL, false);
}

enum ttg_error core_notify_given_up(struct core *core, const struct core_now *now,
				    const struct mailbox *mailbox, uint64_t below,
				    const struct core_loss *loss)
{
	Ttg__Event event = TTG__EVENT__INIT;
	Ttg__BrokerDeliveriesGivenUp given_up = TTG__BROKER_DELIVERIES_GIVEN_UP__INIT;
	Ttg__Time told = TTG__TIME__INIT;
	uint8_t id[RECORD_ID], cause[RECORD_ID];
	uint32_t n = find_recipients(core, now, TYPE_GIVEN_UP, mailbox, NULL);
	enum ttg_error code;

	if (n == 0 || PLANTED(TELL_NOBODY))
		return TTG_OK;
	code = make_id(TYPE_GIVEN_UP, now->real_ns, below, mailbox->number, loss->from_position, id);
	if (code != TTG_OK || notice_was_told(core, id))
		return code;
	told.unix_ns = now->real_ns;
	given_up.mailbox = notice_text(mailbox->id);
	given_up.delivery_count = loss->count;
	given_up.from_position = loss->from_position;
	given_up.before_position = loss->before_position;
	given_up.given_up_at = &told;
	memcpy(cause, id, sizeof(cause));
	notice_fill(core, &event, &told, TYPE_GIVEN_UP, id, cause);
	event.causation_id.len = 0; /* no event did it */
	event.urgency = TTG__URGENCY__PROMPT;
	event.payload_case = TTG__EVENT__PAYLOAD_BROKER_DELIVERIES_GIVEN_UP;
	event.broker_deliveries_given_up = &given_up;
	return notice_store(core, now, &event, core->recipients, n, NULL, false);
}
