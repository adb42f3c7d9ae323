/*
 * The model's records and what follows from them: which positions are open, dead or done with. Read
 * with the same layouts as the core's, judged by rules of its own; see model.h.
 */
#include "sim/model.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/record.h"
#include "sim/chance.h"
#include "sim/erased.h"
#include "sim/signing.h"

static struct box *numbered(struct model *model, uint64_t number)
{
	life_check(number < model->n_boxes, "a record names mailbox %" PRIu64, number);
	return &model->boxes[number];
}

static void add_box(struct model *model, const uint8_t *data, size_t len)
{
	struct record_mailbox it;
	struct box *box;

	life_check(record_get_mailbox(data, len, &it), "a MAILBOX record is damaged");
	life_check(it.number == model->n_boxes, "mailbox numbers are not dense");
	model->boxes = realloc(model->boxes, (model->n_boxes + 1) * sizeof(*box));
	assert(model->boxes);
	box = &model->boxes[model->n_boxes++];
	memset(box, 0, sizeof(*box));
	strcpy(box->id, it.id);
	box->play = -1;
	for (int i = 0; i < N_BOXES; i++)
		if (strcmp(play_mailboxes[i], it.id) == 0)
			box->play = i;
}

static struct fact *add_fact(struct box *box)
{
	if (box->n == box->capacity) {
		box->capacity = box->capacity ? 2 * box->capacity : 64;
		box->facts = realloc(box->facts, box->capacity * sizeof(*box->facts));
		assert(box->facts);
	}
	box->n_open++;
	memset(&box->facts[box->n], 0, sizeof(*box->facts));
	return &box->facts[box->n++];
}

static int event_of(struct model *model, const struct record_event *it)
{
	struct said own = { .type = -1, .actor = -1, .numbers = { -1, -1 }, .referral = -1 };
	int index = model_find(model, it->id);
	struct said *event = index >= 0 ? &model->events[index] : NULL;

	if (event && event->actor < 0 && event->sequence == 0 && event->bytes != it->bytes) {
		/* Lost before it was durable, and made again: its id says what it is about. */
		free(event->bytes);
		event->len = it->n_bytes;
		event->bytes = malloc(event->len + 1);
		assert(event->bytes);
		memcpy(event->bytes, it->bytes, event->len);
	}
	if (event)
		return index;
	life_check(strcmp(it->source, "broker") == 0, "an event is accepted that nobody published");
	memcpy(own.id, it->id, 16);
	own.len = it->n_bytes;
	own.bytes = malloc(own.len + 1);
	assert(own.bytes);
	memcpy(own.bytes, it->bytes, own.len);
	referred_about(model, own.bytes, own.len, &own);
	return model_say(model, &own);
}

static bool limited_now(const struct model *model)
{
	return model->limited && life_now->clock.real_ns < model->limited_until_ns;
}

/* Who must get it, by the rules the life has set and what is known of the person. */
static void check_recipients(const struct model *model, const struct said *event,
                             const struct record_event *it)
{
	uint32_t wanted = 1u + (event->type == TYPE_RELEASED && limited_now(model)), waits = 0;
	struct cursor cursor = it->waits;
	enum who_gate gate = WHO_OPEN;

	if (event->type < 0)
		return;
	if (event->type == TYPE_ARREST && life_now->plan->gated) {
		gate = event->numbers[0] < 0 ? WHO_SHUT
		                             : who_ask(&model->who, event->numbers[0], UINT64_MAX);
		wanted = gate == WHO_OPEN;
		waits = gate == WHO_HELD ||
		        (gate == WHO_SHUT && event->numbers[0] >= 0 && life_now->plan->look_back_s > 0);
	}
	if (event->type == TYPE_ENROLLED || event->type == TYPE_WITHDRAWN)
		wanted = 0;
	life_check(it->n_recipients == wanted, "an event goes to %u mailboxes, agreed are %u",
	           it->n_recipients, wanted);
	life_check(it->n_waiting == waits &&
	                   (waits == 0 || (cursor_get_varint(&cursor) & 1) == (gate == WHO_HELD)),
	           "an event waits for %u mailboxes, agreed are %u", it->n_waiting, waits);
}

/* A publisher's events about one person are accepted in the order it published them. */
static void check_order(const struct model *model, int index)
{
	const struct said *event = &model->events[index];

	if (event->actor < 0 || event->person == 0 || event->forgotten || event->refused)
		return;
	for (int i = 0; i < index; i++) {
		const struct said *before = &model->events[i];

		if (before->actor != event->actor || before->person != event->person)
			continue;
		life_check(before->sequence != 0 || before->forgotten || before->refused ||
		                   before->restored_away,
		           "event %d overtook event %d about the same person", index, i);
	}
}

static void apply_recipient(struct model *model, const struct record_event *it, int index,
                            uint64_t sequence, const struct record_recipient *to, bool live)
{
	struct box *box = numbered(model, to->mailbox);
	struct fact *fact;

	/* What comes late was accepted before, when there was room or not. */
	life_check(!live || it->first != 0 || model->events[index].actor < 0 ||
	                   model->max_queued[box->play] == 0 ||
	                   box->n_open < model->max_queued[box->play],
	           "%s: has %zu queued and takes one more, allowed are %u", box->id, box->n_open,
	           model->max_queued[box->play]);
	life_check(to->position == box->n + 1, "%s: position %" PRIu64 " follows %zu", box->id,
	           to->position, box->n);
	fact = add_fact(box);
	fact->sequence = sequence;
	fact->first = it->first ? it->first : sequence;
	fact->event = index;
	fact->number = model->events[index].numbers[0];
	fact->routed_ns = it->routed_ns;
	fact->again = it->given != 0;
	fact->key = it->key;
	if (it->person_key) {
		fact->has_person = true;
		memcpy(fact->person, it->person_key, CORE_PERSON_KEY);
	}
	if (to->ack_within_ms)
		fact->deadline_ns = it->routed_ns + (int64_t)to->ack_within_ms * 1000000;
}

static void apply_waits(struct model *model, const struct record_event *it, int index, uint64_t sequence)
{
	struct who_wait wait = { .sequence = sequence, .event = index, .from_ns = it->accepted_ns,
		                 .number = model->events[index].numbers[0] };
	struct cursor cursor = it->waits;

	for (uint32_t i = 0; i < it->n_waiting; i++) {
		const uint64_t value = cursor_get_varint(&cursor);

		wait.held = value & 1;
		life_check(numbered(model, value / 2)->play == BOX_ONESERVICE,
		           "record %" PRIu64 " waits for a mailbox that is asked nothing", sequence);
		who_wait(&model->who, &wait);
	}
}

static void apply_event(struct model *model, uint64_t sequence, const uint8_t *data, size_t len,
                        bool live)
{
	struct record_event it;
	struct record_recipient to;
	int index;

	life_check(record_get_event(data, len, &it), "an EVENT record is damaged");
	model_reveal(model, &it, live);
	index = event_of(model, &it);
	life_check(model->events[index].sequence == 0,
	           "event %d is accepted twice: %" PRIu64 " and %" PRIu64, index,
	           model->events[index].sequence, sequence);
	life_check(it.n_bytes == model->events[index].len &&
	                   memcmp(it.bytes, model->events[index].bytes, it.n_bytes) == 0,
	           "event %d was changed before it was recorded", index);
	model_keep(model, &it, live ? model->events[index].type : -1);
	if (live) {
		check_recipients(model, &model->events[index], &it);
		check_order(model, index);
	}
	life_check(who_is_key(&model->who, model->events[index].numbers[0], it.person_key),
	           "event %d is recorded of another person", index);
	signing_check(model, &it, sequence);
	model->events[index].sequence = sequence;
	model->events[index].key = it.key;
	who_learn(&model->who, &model->events[index], sequence, it.accepted_ns);
	referred_learn(model, index, &it, sequence);
	if (model->events[index].actor < 0)
		referred_told(model, &it, live);
	for (uint32_t i = 0; i < it.n_recipients; i++) {
		record_next_recipient(&it.recipients, &to);
		apply_recipient(model, &it, index, sequence, &to, live);
		if (live && model->events[index].actor < 0)
			model_take_notice(model, it.bytes, it.n_bytes,
			                  model->boxes[to.mailbox].play);
	}
	apply_waits(model, &it, index, sequence);
}

/* An event once more, with the mailbox that waited for it. */
static void apply_late(struct model *model, uint64_t sequence, const uint8_t *data, size_t len, bool live)
{
	struct record_recipient to;
	struct record_event it;
	const struct said *event;
	int index;

	life_check(record_get_late(data, len, &it), "a LATE record is damaged");
	model_reveal(model, &it, live);
	index = model_find(model, it.id);
	life_check(index >= 0, "an event is late that nobody published");
	event = &model->events[index];
	life_check(event->sequence == it.first && it.n_bytes == event->len && it.n_waiting == 0 &&
	                   memcmp(it.bytes, event->bytes, it.n_bytes) == 0 &&
	                   who_is_key(&model->who, event->numbers[0], it.person_key),
	           "event %d is late and another than it was", index);
	life_check(!live || event->expires_ns == 0 || event->expires_ns > life_now->clock.real_ns,
	           "event %d is late and has expired", index);
	life_check(it.n_recipients == 1, "event %d is late for %u mailboxes", index, it.n_recipients);
	who_late(&model->who, it.first, live);
	record_next_recipient(&it.recipients, &to);
	life_check(numbered(model, to.mailbox)->play == BOX_ONESERVICE,
	           "event %d is late for a mailbox that did not wait", index);
	apply_recipient(model, &it, index, sequence, &to, live);
}

/* An event once more, for a mailbox that is delivered again. */
static void apply_again(struct model *model, uint64_t sequence, const uint8_t *data, size_t len, bool live)
{
	struct record_recipient to;
	struct record_event it;
	const struct said *event;
	int index;

	life_check(record_get_given(RECORD_AGAIN, data, len, &it), "an AGAIN record is damaged");
	model_reveal(model, &it, live);
	index = model_find(model, it.id);
	life_check(index >= 0, "an event is repeated that nobody published");
	event = &model->events[index];
	life_check(event->sequence == it.first && it.n_bytes == event->len && it.key == event->key &&
	                   memcmp(it.bytes, event->bytes, it.n_bytes) == 0 &&
	                   who_is_key(&model->who, event->numbers[0], it.person_key),
	           "event %d is repeated and another than it was", index);
	record_next_recipient(&it.recipients, &to);
	life_check(to.ack_within_ms == 0, "event %d is repeated and to be escalated", index);
	again_check(model, numbered(model, to.mailbox), &it, live);
	apply_recipient(model, &it, index, sequence, &to, live);
}

static void apply_decided(struct model *model, uint64_t sequence, const uint8_t *data, size_t len,
                          bool live)
{
	struct record_decided it;

	life_check(record_get_decided(data, len, &it), "a DECIDED record is damaged");
	life_check(!live || model->by_operator, "a conflict is decided by itself");
	who_decide(&model->who, &it, sequence);
}

static struct fact *fact_at(struct box *box, uint64_t position)
{
	life_check(position >= 1 && position <= box->n, "%s: a record names position %" PRIu64,
	           box->id, position);
	return &box->facts[position - 1];
}

static void settle(const struct model *model, struct box *box, struct fact *fact, bool dropped)
{
	life_check(fact->state != FACT_SETTLED, "%s: position %td is settled twice", box->id,
	           fact - box->facts + 1);
	box->n_open--;
	box->n_dead -= fact->state == FACT_DEAD;
	fact->state = FACT_SETTLED;
	fact->dropped = dropped;
	fact->ended_by = model->applied;
	fact->acknowledged_by = dropped ? 0 : box->active;
	fact->holder = 0;
}

/* A delivery may be dropped only for the reason the record gives. */
static void check_drop(const struct model *model, const struct box *box, const struct fact *fact,
                       uint8_t kind)
{
	const struct said *event = &model->events[fact->event];

	if (kind == RECORD_EXPIRED)
		life_check(event->expires_ns != 0 && event->expires_ns <= life_now->clock.real_ns,
		           "%s: an event expired before its time", box->id);
	if (kind == RECORD_STOPPED && !model_is_erased(model, fact->key))
		life_check(box->play == BOX_POLICE
		                   ? !limited_now(model)
		                   : event->type == TYPE_ARREST && life_now->plan->gated &&
		                             who_ask(&model->who, fact->number, fact->first) == WHO_SHUT,
		           "%s: a delivery is stopped that is agreed", box->id);
}

static void apply_positions(struct model *model, uint8_t kind, const uint8_t *data, size_t len,
                            bool live)
{
	struct record_ranges ranges = { 0 };
	struct record_positions it;
	struct box *box;

	life_check(record_get_positions(data, len, &it, &ranges),
	           "a record of positions is damaged");
	box = numbered(model, it.mailbox);
	for (size_t i = 0; i < ranges.n; i++) {
		if (live)
			life_trace("%s: kind %u from %" PRIu64 ", %" PRIu64 " positions", box->id,
			           kind, ranges.items[i].first, ranges.items[i].n);
		for (uint64_t k = 0; k < ranges.items[i].n; k++) {
			struct fact *fact = fact_at(box, ranges.items[i].first + k);

			life_check(fact->state == FACT_PENDING,
			           "%s: kind %u about position %" PRIu64 ", which is not open",
			           box->id, kind, ranges.items[i].first + k);
			if (live && kind != RECORD_DELIVERED)
				check_drop(model, box, fact, kind);
			if (kind == RECORD_DELIVERED)
				fact->deliveries = (uint32_t)it.value;
			else
				settle(model, box, fact, kind != RECORD_ACK);
			if (kind == RECORD_ACK)
				life_check(fact->deliveries > 0,
				           "%s: acknowledged and never delivered", box->id);
		}
	}
	record_ranges_fini(&ranges);
}

static bool same_person(const struct model *model, const struct fact *a, const struct fact *b)
{
	return a == b || who_same(&model->who, a->number, b->number);
}

static void apply_nack(struct model *model, const uint8_t *data, size_t len)
{
	struct record_nack it;
	struct box *box;
	struct fact *fact;

	life_check(record_get_nack(data, len, &it), "a NACK record is damaged");
	box = numbered(model, it.mailbox);
	fact = fact_at(box, it.position);
	life_check(fact->state == FACT_PENDING && fact->sequence == it.sequence &&
	                   it.refusals == fact->refusals + 1,
	           "%s: a refusal of position %" PRIu64 " that does not fit", box->id, it.position);
	fact->refusals++;
	for (size_t i = it.position - 1; i < box->n; i++)
		if (same_person(model, fact, &box->facts[i]))
			box->facts[i].holder = 0;
	if (!it.parked)
		return;
	fact->state = FACT_DEAD;
	box->n_dead++;
}

static void apply_letter(struct model *model, uint8_t kind, const uint8_t *data, size_t len,
                         bool live)
{
	struct record_one it;
	struct box *box;
	struct fact *fact;

	life_check(record_get_one(data, len, &it), "a record about a dead letter is damaged");
	box = numbered(model, it.mailbox);
	fact = fact_at(box, it.position);
	life_check(!live || model->by_operator, "%s: a dead letter moves by itself", box->id);
	life_check(fact->state == FACT_DEAD, "%s: position %" PRIu64 " is no dead letter", box->id,
	           it.position);
	if (kind == RECORD_DISCARD) {
		settle(model, box, fact, true);
		return;
	}
	for (size_t i = 0; i < it.position; i++) {
		struct fact *other = &box->facts[i];

		if (other->state != FACT_DEAD || !same_person(model, fact, other))
			continue;
		other->state = FACT_PENDING;
		other->refusals = 0;
		box->n_dead--;
	}
}

static void apply_escalated(struct model *model, const uint8_t *data, size_t len)
{
	struct record_one it;
	struct fact *fact;

	life_check(record_get_one(data, len, &it), "an ESCALATED record is damaged");
	fact = fact_at(numbered(model, it.mailbox), it.position);
	life_check(!fact->escalated && fact->state != FACT_SETTLED && fact->deadline_ns != 0,
	           "position %" PRIu64 " is escalated twice, or for no reason", it.position);
	fact->escalated = true;
}

static void apply_given_up(struct model *model, const uint8_t *data, size_t len, bool live)
{
	struct record_given_up *items;
	uint64_t below;
	int64_t at_ns;
	size_t n;

	life_check(record_get_given_up(data, len, &at_ns, &below, &items, &n),
	           "a GIVEN_UP record is damaged");
	life_check(!live || model->by_operator, "deliveries are given up by themselves");
	for (size_t i = 0; i < n; i++) {
		struct box *box = numbered(model, items[i].mailbox);
		uint64_t count = 0;

		if (live)
			model_owe_notice(model, box, below);
		for (size_t k = 0; k < box->n; k++) {
			if (box->facts[k].state == FACT_SETTLED || box->facts[k].sequence >= below)
				continue;
			settle(model, box, &box->facts[k], true);
			count++;
		}
		life_check(count == items[i].count, "%s: given up %" PRIu64 ", open were %" PRIu64,
		           box->id, items[i].count, count);
	}
	free(items);
}

static void apply(struct model *model, uint64_t sequence, uint8_t kind, const uint8_t *data,
                  size_t len, bool live)
{
	model->applied = sequence;
	switch ((enum record_kind)kind) {
	case RECORD_MAILBOX:
		add_box(model, data, len);
		break;
	case RECORD_EVENT:
		apply_event(model, sequence, data, len, live);
		break;
	case RECORD_DELIVERED:
	case RECORD_ACK:
	case RECORD_EXPIRED:
	case RECORD_STOPPED:
		apply_positions(model, kind, data, len, live);
		break;
	case RECORD_NACK:
		apply_nack(model, data, len);
		break;
	case RECORD_RETRY:
	case RECORD_DISCARD:
		apply_letter(model, kind, data, len, live);
		break;
	case RECORD_ESCALATED:
		apply_escalated(model, data, len);
		break;
	case RECORD_GIVEN_UP:
		apply_given_up(model, data, len, live);
		break;
	case RECORD_LATE:
		apply_late(model, sequence, data, len, live);
		break;
	case RECORD_AGAIN:
		apply_again(model, sequence, data, len, live);
		break;
	case RECORD_REDELIVER:
		again_apply(model, sequence, data, len, live);
		break;
	case RECORD_DECIDED:
		apply_decided(model, sequence, data, len, live);
		break;
	case RECORD_ERASED:
		model_apply_erased(model, data, len);
		break;
	case RECORD_LAPSED:
		model_apply_lapsed(model, data, len, live);
		break;
	case RECORD_CONSULTED:
	case RECORD_REFUSED:
	case RECORD_SIGNED:
	case RECORD_RULES:
	case RECORD_RULES_TEXT:
	case RECORD_SEAL:
	case RECORD_HAND_OVER:
	case RECORD_FOREIGN:
	default:
		break;
	}
}

void model_append(struct model *model, uint64_t sequence, uint8_t kind, const uint8_t *data,
                  size_t len)
{
	struct record *it;

	life_check(sequence == model->n_records + 1, "record %" PRIu64 " follows record %zu",
	           sequence, model->n_records);
	if (model->n_records == model->records_room) {
		model->records_room = model->records_room ? 2 * model->records_room : 512;
		model->records =
		        realloc(model->records, model->records_room * sizeof(*model->records));
		assert(model->records);
	}
	it = &model->records[model->n_records++];
	it->kind = kind;
	it->len = len;
	it->data = malloc(len + 1);
	assert(it->data);
	memcpy(it->data, data, len);
	model->digest = chance_mix(model->digest ^ kind);
	for (size_t i = 0; i < len; i++)
		model->digest = (model->digest ^ data[i]) * UINT64_C(0x100000001b3);
	life_trace("record %" PRIu64 " kind %u", sequence, kind);
	apply(model, sequence, kind, data, len, true);
	again_look(model, model->first);
}

void model_read(const struct model *model, uint64_t sequence, uint8_t kind, const uint8_t *data,
                size_t len)
{
	const struct record *it;

	life_check(sequence >= 1 && sequence <= model->n_records,
	           "record %" PRIu64 " was read and never taken", sequence);
	it = &model->records[sequence - 1];
	life_check(it->kind == kind && it->len == len && memcmp(it->data, data, len) == 0,
	           "record %" PRIu64 " is not what was taken", sequence);
}

static void clear_boxes(struct model *model)
{
	for (size_t i = 0; i < model->n_boxes; i++)
		free(model->boxes[i].facts);
	free(model->boxes);
	model->boxes = NULL;
	model->n_boxes = 0;
}

/* Snapshots of records that are no more: their numbers will be given to others. */
static void forget_snapshots(struct model *model, uint64_t last)
{
	size_t kept = 0;

	for (size_t i = 0; i < model->n_saved; i++) {
		if (model->saved[i].sequence > last)
			free(model->saved[i].data);
		else
			model->saved[kept++] = model->saved[i];
	}
	model->n_saved = kept;
}

void model_recovered(struct model *model, uint64_t last, bool restored)
{
	life_trace("recovered %" PRIu64 " records of %zu", last, model->n_records);
	life_check(last <= model->n_records, "recovery found %" PRIu64 " records, taken were %zu",
	           last, model->n_records);
	if (!restored) {
		life_check(last >= model->durable,
		           "recovery found %" PRIu64 " records, durable were %" PRIu64, last,
		           model->durable);
		life_check(last >= model->told,
		           "recovery found %" PRIu64 " records, and record %" PRIu64 " was told",
		           last, model->told);
	}
	for (size_t i = 0; restored && i < model->n_events; i++)
		if (model->events[i].sequence > last)
			model->events[i].restored_away = true;
	while (model->n_records > last)
		free(model->records[--model->n_records].data);
	forget_snapshots(model, last);
	for (size_t i = 0; i < model->n_events; i++)
		model->events[i].sequence = 0;
	clear_boxes(model);
	who_forget(&model->who);
	referred_forget(model);
	model_forget_keys(model);
	for (size_t i = 0; i < model->n_records; i++)
		apply(model, i + 1, model->records[i].kind, model->records[i].data,
		      model->records[i].len, false);
	model->durable = last;
	model->told = restored ? 0 : model->told;
	model->digest = chance_mix(model->digest + last);
}

void model_snapshot(struct model *model, uint64_t sequence, const void *data, size_t len)
{
	struct saved *it;

	model->saved = realloc(model->saved, (model->n_saved + 1) * sizeof(*it));
	assert(model->saved);
	it = &model->saved[model->n_saved++];
	it->sequence = sequence;
	it->len = len;
	it->data = malloc(len + 1);
	assert(it->data);
	memcpy(it->data, data, len);
}

struct model *model_new(void)
{
	struct model *model = calloc(1, sizeof(*model));

	assert(model);
	referred_forget(model);
	return model;
}

void model_free(struct model **model)
{
	struct model *it = *model;

	clear_boxes(it);
	who_forget(&it->who);
	while (it->n_records > 0)
		free(it->records[--it->n_records].data);
	while (it->n_saved > 0)
		free(it->saved[--it->n_saved].data);
	for (; it->n_events > 0; it->n_events--) {
		free(it->events[it->n_events - 1].bytes);
		free(it->events[it->n_events - 1].part);
	}
	free(it->records);
	free(it->saved);
	free(it->sealed);
	free(it->erased);
	free(it->kept);
	free(it->events);
	free(it);
	*model = NULL;
}
