/*
 * Many short lives of the core against a model: random publishing, delivering, answers, consumers
 * that leave, rules that change, crashes that lose what was not durable, with and without snapshot.
 *
 * Checked all the time: nothing is delivered before it is durable, outside the grants in force, or
 * after its acknowledgement became durable; positions are dense; each person's events are handled
 * for the first time in the order accepted. Checked at the end: everything that was accepted and
 * survived was handled, unless a record says it was stopped or discarded.
 *
 * TTG_SEED reruns one seed, TTG_LIVES sets how many are lived.
 */
#include "support/core_play.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_EVENTS 600u /* per mailbox and life */
#define PERSONS 4u
#define STEPS 400

struct fact {              /* about one position of a mailbox */
	uint64_t event;        /* sequence of the event */
	uint64_t settled_at;   /* sequence of the record that settled it; 0: not */
	bool dropped;          /* stopped or discarded, not acknowledged */
	bool handled;          /* some consumer took it */
	bool refused_ever;
	unsigned int person;
};

struct box {
	struct fact facts[MAX_EVENTS + 1]; /* by position */
	uint64_t n;                        /* positions given out */
	struct play_delivery queue[MAX_EVENTS]; /* with the consumer, unanswered */
	size_t n_queue;
	uint64_t consumer;                 /* 0: none */
};

struct model {
	struct play *play;
	struct box boxes[N_BOXES];
	struct rules *with, *without;
	uint64_t seed, next_consumer;
	uint8_t *snapshot;
	size_t snapshot_len;
	uint64_t snapshot_sequence;
	bool greedy;                       /* the end: everything is taken */
};

static uint64_t draw(struct model *model, uint64_t n)
{
	uint64_t z = model->seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (z ^ z >> 31) % n;
}

static int box_of(const char *id)
{
	for (int i = 0; i < N_BOXES; i++) {
		if (strcmp(play_mailboxes[i], id) == 0)
			return i;
	}
	fail_msg("no such mailbox");
	return -1;
}

static void settle_positions(struct model *model, uint64_t sequence, const struct core_history *it)
{
	struct box *box = &model->boxes[box_of(it->mailbox)];

	for (size_t i = 0; i < it->n_positions; i++) {
		struct fact *fact = &box->facts[it->positions[i]];

		assert_true(it->positions[i] >= 1 && it->positions[i] <= box->n);
		assert_true(fact->settled_at == 0);
		fact->settled_at = sequence;
		fact->dropped = it->kind != CORE_HISTORY_ACKED;
	}
}

/* Every record as it is made: the model reads what the log will say. */
static void on_append(void *arg, uint64_t sequence, uint8_t kind, const uint8_t *data, size_t len)
{
	struct model *model = arg;
	struct record_event event;
	struct record_recipient recipient;
	struct core_history it;

	if (kind == RECORD_EVENT) {
		assert_true(record_get_event(data, len, &event));
		for (uint32_t i = 0; i < event.n_recipients; i++) {
			struct box *box;

			record_next_recipient(&event.recipients, &recipient);
			box = &model->boxes[recipient.mailbox];
			assert_true(recipient.position == box->n + 1);
			assert_true(box->n < MAX_EVENTS);
			box->facts[++box->n] = (struct fact){
				.event = sequence,
				.person = event.person_key ? event.person_key[0] + 256u *
						event.person_key[1] + 1 : 0,
			};
		}
	} else if (kind == RECORD_ACK || kind == RECORD_STOPPED || kind == RECORD_EXPIRED ||
		   kind == RECORD_DISCARD) {
		assert_true(core_history_read(model->play->core, sequence, kind, data, len, &it));
		settle_positions(model, sequence, &it);
	}
}

static void on_deliver(void *arg, const struct play_delivery *it)
{
	struct model *model = arg;

	for (int i = 0; i < N_BOXES; i++) {
		struct box *box = &model->boxes[i];

		if (box->consumer != it->consumer)
			continue;
		assert_true(it->position >= 1 && it->position <= box->n);
		assert_true(box->facts[it->position].event == it->sequence);
		assert_true(box->facts[it->position].settled_at == 0);
		if (i == BOX_POLICE)
			assert_ptr_equal(model->play->rules, model->with);
		for (size_t k = 0; k < box->n_queue; k++)
			assert_true(box->queue[k].position != it->position);
		assert_true(box->n_queue < MAX_EVENTS);
		box->queue[box->n_queue++] = *it;
		return;
	}
	fail_msg("delivered to nobody");
}

static void forget_queue(struct box *box)
{
	box->n_queue = 0;
	box->consumer = 0;
}

static void take_out(struct box *box, size_t at)
{
	box->n_queue--;
	memmove(&box->queue[at], &box->queue[at + 1], (box->n_queue - at) * sizeof(box->queue[0]));
}

/* The consumer did its work on this one: the first time, it must be the person's next. */
static void handle(struct box *box, uint64_t position)
{
	struct fact *fact = &box->facts[position];

	if (!fact->handled && fact->person != 0) {
		for (uint64_t p = 1; p < position; p++) {
			if (box->facts[p].person != fact->person || box->facts[p].handled)
				continue;
			/* Skipped for good, or the log of that was lost and it will be again. */
			assert_true(box->facts[p].settled_at != 0);
		}
	}
	fact->handled = true;
}

static bool is_first_of_person(const struct box *box, size_t at)
{
	unsigned int person = box->facts[box->queue[at].position].person;

	for (size_t k = 0; k < box->n_queue; k++) {
		if (person != 0 && box->facts[box->queue[k].position].person == person &&
		    box->queue[k].position < box->queue[at].position)
			return false;
	}
	return true;
}

static void answer_one(struct model *model, struct box *box)
{
	struct play *play = model->play;
	size_t at = (size_t)draw(model, box->n_queue);
	uint64_t position = box->queue[at].position;
	unsigned int person = box->facts[position].person;
	bool refuse = !model->greedy && draw(model, 6) == 0;
	uint32_t reason = draw(model, 10) == 0 ? 5 : 1;

	if (!is_first_of_person(box, at))
		return;
	if (!refuse) {
		handle(box, position);
		take_out(box, at);
		assert_int_equal(core_ack(play->core, &play->now, box->consumer, 0, &position, 1),
				 TTG_OK);
	} else {
		take_out(box, at);
		for (size_t k = box->n_queue; k > 0 && person != 0; k--) {
			const struct play_delivery *other = &box->queue[k - 1];

			if (box->facts[other->position].person == person &&
			    other->position > position)
				take_out(box, k - 1);
		}
		assert_int_equal(core_nack(play->core, &play->now, box->consumer, position, reason,
					   "no", (uint32_t)draw(model, 3) * 50),
				 TTG_OK);
		assert_true(play->nacked_position == position);
	}
	core_credit(play->core, box->consumer, 1 + (uint32_t)draw(model, 2));
}

/* Handles everything it has in order, then one cumulative acknowledgement. */
static void answer_all(struct model *model, struct box *box)
{
	struct play *play = model->play;
	uint64_t highest = 0;
	uint32_t n = (uint32_t)box->n_queue;

	while (box->n_queue > 0) {
		size_t least = 0;

		for (size_t k = 1; k < box->n_queue; k++) {
			if (box->queue[k].position < box->queue[least].position)
				least = k;
		}
		handle(box, box->queue[least].position);
		highest = box->queue[least].position;
		take_out(box, least);
	}
	assert_int_equal(core_ack(play->core, &play->now, box->consumer, highest, NULL, 0), TTG_OK);
	core_credit(play->core, box->consumer, n);
}

static void attach(struct model *model, int i)
{
	model->boxes[i].consumer = ++model->next_consumer;
	play_attach(model->play, i, model->boxes[i].consumer, 1 + (uint32_t)draw(model, 6));
}

static void pump(struct model *model)
{
	struct play *play = model->play;
	uint64_t lag = play->n_records - play->durable;

	if (lag > 0)
		play->durable += draw(model, lag + 1);
	core_durable(play->core, play->durable);
	core_pump(play->core, &play->now);
}

static void take_snapshot(struct model *model)
{
	struct play *play = model->play;
	struct core *kept = play->core;
	uint8_t *again;
	size_t again_len;

	/* Only what is durable may be stood for. */
	play->durable = play->n_records;
	core_durable(play->core, play->durable);
	free(model->snapshot);
	assert_int_equal(core_snapshot(play->core, &model->snapshot, &model->snapshot_len), TTG_OK);
	model->snapshot_sequence = core_sequence(play->core);
	assert_int_equal(play_make_core(play), TTG_OK);
	assert_int_equal(core_restore(play->core, model->snapshot, model->snapshot_len, NULL),
			 TTG_OK);
	assert_int_equal(core_snapshot(play->core, &again, &again_len), TTG_OK);
	assert_int_equal(again_len, model->snapshot_len);
	assert_memory_equal(again, model->snapshot, again_len);
	free(again);
	core_free(&play->core);
	play->core = kept;
}

static void forget_after(struct model *model, uint64_t keep)
{
	for (int i = 0; i < N_BOXES; i++) {
		struct box *box = &model->boxes[i];

		while (box->n > 0 && box->facts[box->n].event > keep)
			box->n--;
		for (uint64_t p = 1; p <= box->n; p++) {
			if (box->facts[p].settled_at > keep) {
				box->facts[p].settled_at = 0;
				box->facts[p].dropped = false;
			}
		}
		forget_queue(box);
	}
}

/* The same logical state, however it was brought back. */
static void compare_views(const struct core_mailbox_view *a, const struct core_mailbox_view *b)
{
	assert_string_equal(a->id, b->id);
	assert_true(a->queued == b->queued);
	assert_true(a->parked == b->parked);
	assert_true(a->next_position == b->next_position);
	assert_true(a->acknowledged == b->acknowledged);
}

static void crash(struct model *model)
{
	struct play *play = model->play;
	uint64_t keep = play->durable + draw(model, play->n_records - play->durable + 1);
	bool use_snapshot = model->snapshot && model->snapshot_sequence <= keep;
	struct core_mailbox_view before[N_BOXES], after;

	forget_after(model, keep);
	play_restart(play, keep, NULL, 0);
	for (int i = 0; i < N_BOXES; i++) {
		before[i] = play_view(play, i);
		before[i].id = play_mailboxes[i]; /* the core it pointed into goes */
	}
	if (!use_snapshot)
		return;
	play_restart(play, play->n_records, model->snapshot, model->snapshot_len);
	for (int i = 0; i < N_BOXES; i++) {
		after = play_view(play, i);
		compare_views(&before[i], &after);
	}
}

static bool note_letter(void *arg, const struct core_dead_letter *letter)
{
	struct core_dead_letter *out = arg;

	*out = *letter;
	return false;
}

static void decide_letter(struct model *model)
{
	struct play *play = model->play;
	struct core_dead_letter letter = { 0 };

	core_dead_letters(play->core, NULL, 0, note_letter, &letter);
	if (letter.sequence == 0)
		return;
	if (!model->greedy && draw(model, 4) == 0)
		assert_int_equal(core_dead_letter_discard(play->core, &play->now, letter.mailbox,
							  letter.sequence),
				 TTG_OK);
	else
		assert_int_equal(core_dead_letter_retry(play->core, &play->now, letter.mailbox,
							letter.sequence),
				 TTG_OK);
}

static void change_rules(struct model *model)
{
	struct play *play = model->play;

	play->rules = play->rules == model->with ? model->without : model->with;
	assert_int_equal(core_set_rules(play->core, &play->now, play->rules), TTG_OK);
}

static void consume(struct model *model, int i)
{
	struct box *box = &model->boxes[i];

	if (box->consumer == 0) {
		attach(model, i);
	} else if (!model->greedy && draw(model, 25) == 0) {
		uint64_t consumer = box->consumer;

		forget_queue(box);
		core_detach(model->play->core, &model->play->now, consumer);
	} else if (box->n_queue > 0 && draw(model, 5) == 0) {
		answer_all(model, box);
	} else if (box->n_queue > 0) {
		answer_one(model, box);
	} else {
		core_credit(model->play->core, box->consumer, 1);
	}
}

static void step(struct model *model)
{
	struct play *play = model->play;
	uint64_t what = draw(model, 100);

	if (what < 30)
		play_say(play, draw(model, 3) ? TYPE_RELEASED : TYPE_ARREST,
			 (unsigned int)draw(model, PERSONS + 1));
	else if (what < 60)
		consume(model, (int)(1 + draw(model, 3)));
	else if (what < 85)
		pump(model);
	else if (what < 92)
		play_wait(play, (int64_t)draw(model, 400) * 1000000);
	else if (what < 95)
		decide_letter(model);
	else if (what < 96)
		change_rules(model);
	else if (what < 98)
		take_snapshot(model);
	else
		crash(model);
}

static bool all_quiet(const struct model *model)
{
	for (int i = BOX_DESK; i <= BOX_POLICE; i++) {
		if (play_view(model->play, i).queued != 0)
			return false;
	}
	return true;
}

/* Everything is taken now; what was accepted and is still known must come. */
static void finish(struct model *model)
{
	struct play *play = model->play;

	model->greedy = true;
	if (play->rules != model->with)
		change_rules(model);
	for (int i = 0; i < 5000 && !all_quiet(model); i++) {
		play_wait(play, 50 * 1000000);
		play_settle(play);
		decide_letter(model);
		for (int box = BOX_DESK; box <= BOX_POLICE; box++)
			consume(model, box);
	}
	assert_true(all_quiet(model));
	for (int i = 0; i < N_BOXES; i++) {
		const struct box *box = &model->boxes[i];

		assert_true(play_view(play, i).next_position == box->n + 1);
		for (uint64_t p = 1; p <= box->n; p++) {
			assert_true(box->facts[p].settled_at != 0);
			assert_true(box->facts[p].handled || box->facts[p].dropped);
		}
	}
	assert_true(core_low_water(play->core) == core_sequence(play->core) + 1);
}

static void live(uint64_t seed)
{
	struct model *model = calloc(1, sizeof(*model));

	assert_non_null(model);
	model->seed = seed;
	model->play = play_new(2 + (uint32_t)draw(model, 7), 1 + (uint32_t)draw(model, 20));
	model->with = model->play->rules;
	model->without = play_rules(false);
	model->play->on_append = on_append;
	model->play->on_deliver = on_deliver;
	model->play->arg = model;
	for (int i = 0; i < STEPS; i++)
		step(model);
	finish(model);
	rules_free(model->play->rules == model->with ? &model->without : &model->with);
	play_free(&model->play);
	free(model->snapshot);
	free(model);
}

static void whatever_happens_every_accepted_event_is_handled_in_order(void **state)
{
	const char *fixed = getenv("TTG_SEED"), *lives = getenv("TTG_LIVES");
	uint64_t first = fixed ? strtoull(fixed, NULL, 10) : 1;
	uint64_t n = fixed ? 1 : lives ? strtoull(lives, NULL, 10) : 300;

	(void)state;
	for (uint64_t seed = first; seed < first + n; seed++) {
		print_message("seed %" PRIu64 "\n", seed);
		live(seed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_happens_every_accepted_event_is_handled_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
