/* See again.h. */
#include "sim/again.h"

#include <inttypes.h>

#include "core/redelivery.h"
#include "sim/erased.h"
#include "sim/model.h"

static bool is_asked(const struct model *model, const struct fact *fact)
{
	return life_now->plan->gated && model->events[fact->event].type == TYPE_ARREST;
}

/* As things are now it may come once more. */
static bool may_come(const struct model *model, const struct box *box, const struct fact *fact)
{
	const struct said *event = &model->events[fact->event];

	if (fact->state != FACT_SETTLED ||
	    (event->expires_ns != 0 && event->expires_ns <= life_now->clock.real_ns) ||
	    (fact->key != 0 && model_erasure_stands(model, fact->key)))
		return false;
	if (box->play == BOX_POLICE && !(model->limited && life_now->clock.real_ns < model->limited_until_ns))
		return false;
	return !is_asked(model, fact) || who_ask(&model->who, fact->number, fact->first) == WHO_OPEN;
}

/* The redelivery is about it, and has not come there yet. */
static bool is_ahead(const struct box *box, const struct fact *fact)
{
	return !fact->again && fact->sequence >= box->redelivery.at &&
	       fact->sequence < box->redelivery.number && fact->routed_ns >= box->redelivery.since_ns;
}

static void pass(const struct box *box, uint64_t until)
{
	for (size_t i = 0; i < box->n; i++)
		life_check(!is_ahead(box, &box->facts[i]) || box->facts[i].sequence >= until ||
		                   box->facts[i].excused,
		           "%s: position %zu should have come again before record %" PRIu64, box->id,
		           i + 1, until);
}

void again_check(struct model *model, struct box *box, const struct record_event *it, bool live)
{
	const uint32_t max = model->max_queued[box->play];
	const struct fact *fact = NULL;

	for (size_t i = 0; i < box->n && !fact; i++)
		if (box->facts[i].sequence == it->given)
			fact = &box->facts[i];
	life_check(box->redelivery.running && fact && is_ahead(box, fact) && fact->first == it->first,
	           "%s: record %" PRIu64 " is repeated, and should not be", box->id, it->given);
	if (live) {
		life_check(may_come(model, box, fact),
		           "%s: record %" PRIu64 " is repeated, which may not go", box->id, it->given);
		life_check(max == 0 || box->n_open < (max > 1 ? max / 2 : 1),
		           "%s: has %zu queued and takes a repeat, allowed are %u", box->id, box->n_open,
		           max);
		pass(box, it->given);
	}
	box->redelivery.at = it->given + 1;
	/* The walk is here: what it has a reason for behind, it will have then. */
	for (size_t i = 0; i < box->n; i++)
		box->facts[i].excused = false;
}

void again_apply(struct model *model, uint64_t sequence, const uint8_t *data, size_t len, bool live)
{
	struct record_redeliver it;
	struct box *box;

	life_check(record_get_redeliver(data, len, &it) && it.mailbox < model->n_boxes,
	           "a REDELIVER record is damaged");
	box = &model->boxes[it.mailbox];
	life_check(box->redelivery.running == (it.what != REDELIVER_BEGIN),
	           "%s: a redelivery begins or ends that runs or does not", box->id);
	life_check(!live || model->by_operator == (it.what != REDELIVER_THROUGH),
	           "%s: a redelivery begins or is stopped by itself", box->id);
	if (live && it.what == REDELIVER_THROUGH)
		pass(box, box->redelivery.number);
	box->redelivery.running = it.what == REDELIVER_BEGIN;
	if (it.what != REDELIVER_BEGIN)
		return;
	box->redelivery.number = sequence;
	box->redelivery.at = it.from;
	box->redelivery.since_ns = it.since_ns;
	for (size_t i = 0; i < box->n; i++)
		box->facts[i].excused = false;
}

void again_look(struct model *model, uint64_t first)
{
	for (size_t b = 0; b < model->n_boxes; b++) {
		struct box *box = &model->boxes[b];

		for (size_t i = 0; box->redelivery.running && i < box->n; i++) {
			struct fact *fact = &box->facts[i];

			if (is_ahead(box, fact) && !fact->excused)
				fact->excused = fact->sequence < first || !may_come(model, box, fact) ||
				                (fact->key != 0 && model_is_erased(model, fact->key));
		}
	}
}

bool again_is_quiet(const struct model *model)
{
	for (size_t b = 0; b < model->n_boxes; b++)
		if (model->boxes[b].redelivery.running)
			return false;
	return true;
}
