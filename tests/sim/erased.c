/* What the model knows of sealed payloads and of persons who were erased; see erased.h. */
#include "sim/erased.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/broker.h"

/* The bytes of a sealed event: what was sealed, or at a recovery what the model knows. */
void model_reveal(const struct model *model, struct record_event *it, bool live)
{
	int index;

	if (it->key == 0)
		return;
	if (live) {
		broker_reveal(life_now->broker, it);
		return;
	}
	index = model_find(model, it->id);
	life_check(index >= 0, "an event is found that was never there");
	it->bytes = model->events[index].bytes;
	it->n_bytes = model->events[index].len;
}

static struct gone *find_erased(const struct model *model, uint64_t key)
{
	for (size_t i = 0; i < model->n_erased; i++)
		if (model->erased[i].key == key)
			return &model->erased[i];
	return NULL;
}

bool model_is_erased(const struct model *model, uint64_t key)
{
	return find_erased(model, key) != NULL;
}

bool model_erasure_stands(const struct model *model, uint64_t key)
{
	const struct gone *it = find_erased(model, key);

	return it && it->recorded;
}

bool model_any_person(const struct model *model, uint8_t key[CORE_PERSON_KEY])
{
	uint64_t n = 0;

	for (size_t b = 0; b < model->n_boxes; b++)
		for (size_t i = 0; i < model->boxes[b].n; i++)
			if (model->boxes[b].facts[i].has_person && life_draw(++n) == 0)
				memcpy(key, model->boxes[b].facts[i].person, CORE_PERSON_KEY);
	return n > 0;
}

static void add_erased(struct model *model, uint64_t key)
{
	struct gone *it = find_erased(model, key);

	if (key == 0)
		return;
	if (!it) {
		model->erased = realloc(model->erased, (model->n_erased + 1) * sizeof(*model->erased));
		assert(model->erased);
		it = &model->erased[model->n_erased++];
		it->key = key;
	}
	it->recorded = true;
}

void model_apply_erased(struct model *model, const uint8_t *data, size_t len)
{
	struct record_erased_owner owner;
	struct record_erased it;

	life_check(record_get_erased(data, len, &it), "an ERASED record is damaged");
	for (uint32_t i = 0; i < it.n_owners; i++) {
		record_next_erased(&it.owners, &owner);
		add_erased(model, owner.key);
	}
}

uint32_t erased_retention(int type)
{
	/* Where conditions are asked arrests wait, and may be kept no longer meanwhile. What is granted to
	   nobody (who.h) has no end. */
	const int endless = life_now->plan->gated ? TYPE_RELEASED : TYPE_ARREST;

	return type == endless || type >= N_TYPES ? 0 : life_now->plan->retain_s;
}

/* As long as is agreed, and a twelfth longer at most; behind what has lapsed when the clock went back. */
static void check_kept(const struct model *model, const struct record_event *it, int type)
{
	const uint64_t retain_s = erased_retention(type);
	const uint64_t accepted_s = (uint64_t)(it->accepted_ns / 1000000000);
	const uint64_t from_s = accepted_s > model->lapsed_s ? accepted_s : model->lapsed_s;

	if (retain_s == 0 || it->key == 0)
		life_check(it->until_s == 0, "an event is not kept for ever");
	else
		life_check(it->until_s >= accepted_s + retain_s && it->until_s > model->lapsed_s &&
		                   it->until_s <= from_s + retain_s + retain_s / 12 + 1,
		           "an event is kept until %" PRIu64 ", accepted at %" PRIu64, it->until_s,
		           accepted_s);
}

void model_keep(struct model *model, const struct record_event *it, int type)
{
	if (type >= 0)
		check_kept(model, it, type);
	if (it->until_s == 0)
		return;
	model->kept = realloc(model->kept, (model->n_kept + 1) * sizeof(*model->kept));
	assert(model->kept);
	model->kept[model->n_kept++] = (struct kept){ it->key, it->until_s };
}

void model_forget_keys(struct model *model)
{
	for (size_t i = 0; i < model->n_erased; i++)
		model->erased[i].recorded = false;
	model->n_kept = 0;
	model->lapsed_s = 0;
}

void model_apply_lapsed(struct model *model, const uint8_t *data, size_t len, bool live)
{
	struct record_lapsed it;

	life_check(record_get_lapsed(data, len, &it), "a LAPSED record is damaged");
	life_check(!live || (int64_t)it.until_s * 1000000000 <= life_now->clock.real_ns,
	           "what is to be kept until %" PRIu64 " has lapsed", it.until_s);
	for (size_t i = 0; i < model->n_kept; i++)
		if (model->kept[i].until_s <= it.until_s)
			add_erased(model, model->kept[i].key);
	model->lapsed_s = it.until_s;
}
