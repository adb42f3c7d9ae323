/* What the model knows of sealed payloads and of persons who were erased; see erased.h. */
#include "sim/erased.h"

#include <assert.h>
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

bool model_is_erased(const struct model *model, uint64_t key)
{
	for (size_t i = 0; i < model->n_erased; i++)
		if (model->erased[i] == key)
			return true;
	return false;
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

void model_apply_erased(struct model *model, const uint8_t *data, size_t len)
{
	struct record_erased_owner owner;
	struct record_erased it;

	life_check(record_get_erased(data, len, &it), "an ERASED record is damaged");
	for (uint32_t i = 0; i < it.n_owners; i++) {
		record_next_erased(&it.owners, &owner);
		if (owner.key == 0 || model_is_erased(model, owner.key))
			continue;
		model->erased = realloc(model->erased, (model->n_erased + 1) * sizeof(*model->erased));
		assert(model->erased);
		model->erased[model->n_erased++] = owner.key;
	}
}
