/* What the broker says and does, held against the model; see model.h. */
#include "sim/model.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/persons.h"
#include "core/record.h"
#include "sim/chance.h"

static struct box *box_of_consumer(struct model *model, uint64_t consumer)
{
	for (size_t i = 0; i < model->n_boxes; i++)
		if (model->boxes[i].active == consumer)
			return &model->boxes[i];
	return NULL;
}

void model_attached(struct model *model, const char *mailbox, uint64_t consumer)
{
	struct box *box = model_box(model, mailbox);

	life_check(box, "a consumer is active in mailbox %s, which is not recorded", mailbox);
	box->active = consumer;
}

void model_detached(struct model *model, uint64_t consumer)
{
	struct box *box = box_of_consumer(model, consumer);

	if (!box)
		return;
	box->active = 0;
	for (size_t i = 0; i < box->n; i++)
		box->facts[i].holder = 0;
}

/* An older one of the person may come back only to whom it was acknowledged by. */
static void check_ended(const struct model *model, const struct box *box, const struct fact *fact,
                        const struct fact *older, uint64_t consumer)
{
	life_check(older->ended_by <= model->durable || older->acknowledged_by == consumer,
	           "%s: position %td goes, and a crash could bring %td of the same person back",
	           box->id, fact - box->facts + 1, older - box->facts + 1);
}

/* What the two are about was known to be one person when the later one was accepted. */
static bool is_one_person(const struct model *model, const struct fact *a, const struct fact *b)
{
	return who_was_same(&model->who, a->number, b->number,
	                    a->sequence > b->sequence ? a->sequence : b->sequence);
}

/* Its delivery has a condition. */
static bool is_asked(const struct model *model, const struct fact *fact)
{
	return life_now->plan->gated && model->events[fact->event].type == TYPE_ARREST;
}

/* Events of one person go out one after the other. */
static void check_person(const struct model *model, const struct box *box, const struct fact *fact,
                         uint64_t consumer)
{
	for (size_t i = 0; i < box->n; i++) {
		const struct fact *other = &box->facts[i];

		if (other == fact || !is_one_person(model, fact, other))
			continue;
		if (other < fact && other->state == FACT_SETTLED)
			check_ended(model, box, fact, other, consumer);
		else if (other->state == FACT_SETTLED)
			continue;
		else if (other < fact)
			life_check(other->state == FACT_PENDING && other->holder == consumer,
			           "%s: position %td goes before %zu of the same person", box->id,
			           fact - box->facts + 1, i + 1);
		else
			life_check(other->holder == 0,
			           "%s: position %td goes after %zu of the same person", box->id,
			           fact - box->facts + 1, i + 1);
	}
}

/* He is called by his oldest number, and is one whose arrests the mailbox may have. */
static void check_who(struct model *model, const struct box *box, struct fact *fact,
                      const struct core_delivery *delivery)
{
	life_check(who_is_person_key(&model->who, fact->number, delivery->person_key),
	           "%s: position %" PRIu64 " goes with the key of another person", box->id,
	           delivery->position);
	life_check(!is_asked(model, fact) || who_ask(&model->who, fact->number, fact->first) != WHO_SHUT,
	           "%s: position %" PRIu64 " is of who is not enrolled, or not any more", box->id,
	           delivery->position);
	if (!delivery->person_key)
		return;
	fact->renamed |= fact->was_told && memcmp(fact->told, delivery->person_key, CORE_PERSON_KEY) != 0;
	fact->was_told = true;
	memcpy(fact->told, delivery->person_key, CORE_PERSON_KEY);
}

void model_deliver(struct model *model, uint64_t consumer, const struct core_delivery *delivery)
{
	struct box *box = box_of_consumer(model, consumer);
	struct said *event;
	struct fact *fact;

	life_check(box, "a delivery to consumer %" PRIu64 ", which is not active", consumer);
	life_check(delivery->position >= 1 && delivery->position <= box->n,
	           "%s: position %" PRIu64 " is delivered and does not exist", box->id,
	           delivery->position);
	fact = &box->facts[delivery->position - 1];
	event = &model->events[fact->event];
	life_trace("%s: position %" PRIu64 " to %" PRIu64, box->id, delivery->position, consumer);
	life_check(fact->first == delivery->sequence && event->sequence == fact->first,
	           "%s: position %" PRIu64 " is another event", box->id, delivery->position);
	life_check(fact->sequence <= model->durable,
	           "%s: position %" PRIu64 " is delivered before it is durable", box->id,
	           delivery->position);
	life_check(fact->state == FACT_PENDING,
	           "%s: position %" PRIu64 " is delivered, but is settled or dead", box->id,
	           delivery->position);
	life_check(fact->holder != consumer, "%s: position %" PRIu64 " is delivered twice", box->id,
	           delivery->position);
	/* A row that could not be recorded did not leave, and counts all the same. */
	life_check(delivery->attempt > fact->deliveries &&
	                   delivery->attempt <= event->attempts[box->play] + 1,
	           "%s: position %" PRIu64 " attempt %u after %u deliveries", box->id,
	           delivery->position, delivery->attempt, fact->deliveries);
	if (delivery->attempt > event->attempts[box->play] || !fact->again)
		event->attempts[box->play] = delivery->attempt;
	life_check(said_is(event, box->play, delivery->event, delivery->event_bytes),
	           "%s: position %" PRIu64 " has other bytes than it is granted", box->id,
	           delivery->position);
	life_check(delivery->n_agreements > 0 &&
	                   (box->play != BOX_POLICE ||
	                    (model->limited && life_now->clock.real_ns < model->limited_until_ns)),
	           "%s: position %" PRIu64 " is delivered outside any agreement", box->id,
	           delivery->position);
	life_check(event->expires_ns == 0 || event->expires_ns > life_now->clock.real_ns,
	           "%s: position %" PRIu64 " is delivered and has expired", box->id,
	           delivery->position);
	check_person(model, box, fact, consumer);
	check_who(model, box, fact, delivery);
	model_say_sequence(model, fact->sequence);
	fact->holder = consumer;
}

void model_leaves(struct model *model, const char *mailbox, uint64_t position, uint32_t attempt)
{
	const struct box *box = model_box(model, mailbox);
	const struct fact *fact;

	life_check(box && position >= 1 && position <= box->n &&
	                   box->facts[position - 1].deliveries >= attempt,
	           "%s: position %" PRIu64 " leaves, and no record says that it was delivered",
	           mailbox, position);
	fact = &box->facts[position - 1];
	life_check(!is_asked(model, fact) || !who_is_withdrawn(&model->who, fact->number, fact->first,
	                                                       model->durable),
	           "%s: position %" PRIu64 " leaves after consent to it was taken back", mailbox,
	           position);
}

void model_say_sequence(struct model *model, uint64_t sequence)
{
	life_check(sequence <= model->durable,
	           "sequence %" PRIu64 " is told before it is durable (%" PRIu64 ")", sequence,
	           model->durable);
	if (sequence > model->told)
		model->told = sequence;
}

static bool may_be_retried(enum ttg_error code)
{
	return code == TTG_REFUSED_RATE || code == TTG_REFUSED_BUSY ||
	       code == TTG_REFUSED_STORAGE || code == TTG_REFUSED_STOPPING;
}

void model_judged(struct model *model, const uint8_t *bytes, size_t len,
                  const struct core_outcome *outcome)
{
	Ttg__Event *message = ttg__event__unpack(NULL, len, bytes);
	int index = message ? model_find(model, message->id.data) : -1;
	struct said *event;

	ttg__event__free_unpacked(message, NULL);
	life_check(index >= 0, "the broker judges an event that nobody published");
	event = &model->events[index];
	if (outcome->kind == CORE_REFUSED && !may_be_retried(outcome->code))
		event->refused = true;
	referred_judged(model, event, outcome->kind == CORE_REFUSED && outcome->code == TTG_REFUSED_REFERRAL);
	if (outcome->kind == CORE_DUPLICATE)
		life_check(event->sequence == outcome->sequence,
		           "event %d is a duplicate of %" PRIu64 ", the first was %" PRIu64, index,
		           outcome->sequence, event->sequence);
	if (outcome->kind != CORE_REFUSED)
		life_check(outcome->release_at >= event->sequence,
		           "event %d may be told at %" PRIu64 ", before it is durable", index,
		           outcome->release_at);
}

void model_seal(struct model *model, const uint8_t *key, size_t key_bytes, uint64_t nonce)
{
	uint64_t sum = chance_mix(nonce);

	for (size_t i = 0; i < key_bytes; i++)
		sum = chance_mix(sum ^ key[i]);
	for (size_t i = 0; i < model->n_sealed; i++)
		life_check(model->sealed[i] != sum, "a key is used twice with one nonce");
	if ((model->n_sealed & (model->n_sealed + 1)) == 0)
		model->sealed =
		        realloc(model->sealed, 2 * (model->n_sealed + 1) * sizeof(*model->sealed));
	assert(model->sealed);
	model->sealed[model->n_sealed++] = sum;
}

struct letters {
	const struct model *model;
	const struct box *box;
	size_t n;
};

static bool compare_letter(void *arg, const struct core_dead_letter *letter)
{
	struct letters *letters = arg;
	const struct fact *fact;

	life_check(letter->position >= 1 && letter->position <= letters->box->n,
	           "%s: a dead letter at no position", letters->box->id);
	fact = &letters->box->facts[letter->position - 1];
	life_check(fact->state == FACT_DEAD && fact->sequence == letter->sequence &&
	                   fact->refusals == letter->attempts,
	           "%s: position %" PRIu64
	           " is listed as a dead letter with %u refusals, and is in "
	           "state %d with %u",
	           letters->box->id, letter->position, letter->attempts, (int)fact->state,
	           fact->refusals);
	letters->n++;
	return true;
}

static uint64_t acknowledged(const struct box *box)
{
	for (size_t i = 0; i < box->n; i++)
		if (box->facts[i].state != FACT_SETTLED)
			return i;
	return box->n;
}

void model_compare(struct model *model, struct core *core)
{
	const struct life_plan *plan = life_now->plan;

	life_check(core_mailbox_count(core) == model->n_boxes, "%zu mailboxes, recorded are %zu",
	           core_mailbox_count(core), model->n_boxes);
	for (size_t i = 0; i < model->n_boxes; i++) {
		const struct box *box = &model->boxes[i];
		struct letters letters = { model, box, 0 };
		struct core_mailbox_view view;

		core_mailbox_view(core, i, &view);
		life_check(strcmp(view.id, box->id) == 0, "mailbox %zu has another name", i);
		life_check(view.queued == box->n_open && view.parked == box->n_dead,
		           "%s: %" PRIu64 " queued and %" PRIu64
		           " parked, recorded are %zu and %zu",
		           box->id, view.queued, view.parked, box->n_open, box->n_dead);
		life_check(view.next_position == box->n + 1 &&
		                   view.acknowledged == acknowledged(box),
		           "%s: next position %" PRIu64 ", acknowledged %" PRIu64
		           ", recorded are %zu and %" PRIu64,
		           box->id, view.next_position, view.acknowledged, box->n + 1,
		           acknowledged(box));
		life_check(view.held + view.parked <= plan->max_held + 2 * plan->window + 1,
		           "%s: %" PRIu64 " are held", box->id, view.held);
		core_dead_letters(core, box->id, 0, compare_letter, &letters);
		life_check(letters.n == box->n_dead, "%s: %zu dead letters are listed of %zu",
		           box->id, letters.n, box->n_dead);
	}
	life_check(core_low_water(core) >= 1, "nothing may be retained");
	life_check(core_conflict_count(core) == who_disputes(&model->who) &&
	                   core_person_numbers(core) == model->who.n_known &&
	                   core_waiting_count(core) >= model->who.n_waits,
	           "%zu conflicts, %zu numbers and %zu events that wait; recorded are %zu, %" PRIu64
	           " and %zu",
	           core_conflict_count(core), core_person_numbers(core), core_waiting_count(core),
	           who_disputes(&model->who), model->who.n_known, model->who.n_waits);
}

void model_check_deadlines(const struct model *model, int64_t real_ns)
{
	for (size_t i = 0; i < model->n_boxes; i++)
		for (size_t k = 0; k < model->boxes[i].n; k++) {
			const struct fact *fact = &model->boxes[i].facts[k];

			life_check(fact->state == FACT_SETTLED || fact->deadline_ns == 0 ||
			                   fact->escalated || fact->deadline_ns > real_ns,
			           "%s: position %zu is overdue and not escalated",
			           model->boxes[i].id, k + 1);
		}
}

/* Told or answered ones go when their time comes. */
static bool may_be_due(const struct fact *fact)
{
	return fact->deadline_ns != 0 && (fact->deadline_ns > life_now->clock.real_ns ||
	                                  (fact->state != FACT_SETTLED && !fact->escalated));
}

size_t model_deadlines(const struct model *model)
{
	size_t n = 0;

	for (size_t i = 0; i < model->n_boxes; i++)
		for (size_t k = 0; k < model->boxes[i].n; k++)
			n += may_be_due(&model->boxes[i].facts[k]);
	return n;
}

bool model_is_quiet(const struct model *model)
{
	for (size_t i = 0; i < model->n_boxes; i++)
		if (model->boxes[i].n_open > 0)
			return false;
	for (size_t i = 0; i < model->n_events; i++)
		if (model->events[i].open)
			return false;
	return who_disputes(&model->who) == 0 && !who_overdue(&model->who) && again_is_quiet(model);
}

void model_check_end(const struct model *model)
{
	for (size_t i = 0; i < model->n_boxes; i++) {
		const struct box *box = &model->boxes[i];

		for (size_t k = 0; k < box->n; k++)
			if (box->facts[k].state != FACT_SETTLED)
				life_trace("%s: position %zu is open: state %d, holder %" PRIu64
				           ", refusals %u",
				           box->id, k + 1, (int)box->facts[k].state,
				           box->facts[k].holder, box->facts[k].refusals);
		life_check(box->n_open == 0, "%s: %zu deliveries never came to an end", box->id,
		           box->n_open);
		for (size_t k = 0; k < box->n; k++)
			life_check(box->facts[k].dropped ||
			                   model->events[box->facts[k].event].handled[box->play],
			           "%s: position %zu is acknowledged, and nobody handled it",
			           box->id, k + 1);
	}
	life_check(again_is_quiet(model), "a redelivery never comes to an end");
	life_check(who_disputes(&model->who) == 0 && !who_overdue(&model->who),
	           "an arrest waits for ever, or a conflict is never decided");
	for (size_t i = 0; i < model->n_events; i++) {
		const struct said *it = &model->events[i];

		life_check(!it->open, "event %zu was taken by a client and got no answer", i);
		life_check(it->actor < 0 || it->sequence != 0 || it->refused || it->forgotten ||
		                   it->restored_away,
		           "event %zu is nowhere", i);
	}
}

static enum ttg_error no_append(void *self, const struct core_record *records, size_t n,
                                uint64_t *first)
{
	(void)self;
	(void)records;
	(void)n;
	(void)first;
	return TTG_EIO;
}

static enum ttg_error read_record(void *self, uint64_t sequence, uint8_t *kind,
                                  const uint8_t **data, size_t *len)
{
	const struct model *model = self;

	life_check(sequence >= 1 && sequence <= model->n_records, "record %" PRIu64 " is read",
	           sequence);
	*kind = model->records[sequence - 1].kind;
	*data = model->records[sequence - 1].data;
	*len = model->records[sequence - 1].len;
	return TTG_OK;
}

static void no_note(void *self, const char *word, const char *mailbox, uint64_t sequence)
{
	(void)self;
	(void)word;
	(void)mailbox;
	(void)sequence;
}

struct core *__real_core_new(const struct core_options *options, const struct core_sink *sink);

/* A core of the records as the model kept them, from this snapshot on; NULL data: from nothing. */
static struct core *replay(struct model *model, const struct core_options *options,
                           const struct saved *from)
{
	const struct core_sink sink = {
		.self = model, .append = no_append, .read = read_record, .note = no_note
	};
	struct core *core = __real_core_new(options, &sink);
	struct message message = { "" };

	assert(core);
	if (from)
		life_check(core_restore(core, from->data, from->len, &message) == TTG_OK,
		           "a snapshot cannot be restored: %s", message.text);
	for (uint64_t i = core_sequence(core); i < model->n_records; i++) {
		const struct record *it = &model->records[i];

		life_check(core_apply(core, i + 1, it->kind, it->data, it->len, &message) == TTG_OK,
		           "record %" PRIu64 " cannot be applied: %s", i + 1, message.text);
	}
	return core;
}

static bool is_same(const struct core *a, const struct core *b)
{
	uint8_t *one, *two;
	size_t one_len, two_len;
	bool same;

	life_check(core_snapshot(a, &one, &one_len) == TTG_OK &&
	                   core_snapshot(b, &two, &two_len) == TTG_OK,
	           "no memory for a snapshot");
	same = one_len == two_len && memcmp(one, two, one_len) == 0;
	free(one);
	free(two);
	return same;
}

uint64_t model_digest_core(const struct core *core)
{
	uint8_t *bytes;
	uint64_t sum = 0;
	size_t len;

	life_check(core_snapshot(core, &bytes, &len) == TTG_OK, "no memory for a snapshot");
	for (size_t i = 0; i < len; i++)
		sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
	free(bytes);
	return sum;
}

void model_check_recovery(struct model *model, struct core *core, uint64_t snapshot,
                          const struct core_options *options)
{
	bool found = snapshot == 0, same = false;
	struct core *again;

	/* One may have been saved twice, and the second time in vain. */
	for (size_t i = 0; i < model->n_saved && !same; i++) {
		if (model->saved[i].sequence != snapshot)
			continue;
		found = true;
		again = replay(model, options, &model->saved[i]);
		same = is_same(core, again);
		core_free(&again);
	}
	life_check(found, "a snapshot of record %" PRIu64 " was never saved", snapshot);
	/* Without the snapshot the same is told, if not held in the same places of memory. */
	again = replay(model, options, NULL);
	same = same || (snapshot == 0 && is_same(core, again));
	life_check(same, "the state after recovery is not that of the records");
	model_compare(model, again);
	core_free(&again);
}
