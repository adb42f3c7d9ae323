/* The events of a life, found by their ids, and its mailboxes by theirs: part of the model, see model.h. */
#include "sim/model.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/chance.h"

static size_t slot_of(const uint8_t id[16])
{
	uint64_t a, b;

	memcpy(&a, id, 8);
	memcpy(&b, id + 8, 8);
	return (size_t)(chance_mix(a ^ chance_mix(b)) % 4096);
}

int model_find(const struct model *model, const uint8_t id[16])
{
	for (size_t i = slot_of(id); model->slots[i]; i = (i + 1) % 4096)
		if (memcmp(model->events[model->slots[i] - 1].id, id, 16) == 0)
			return model->slots[i] - 1;
	return -1;
}

bool said_is(const struct said *said, int box, const uint8_t *bytes, size_t len)
{
	if (said->part && box == BOX_POLICE)
		return len == said->part_len && memcmp(said->part, bytes, len) == 0;
	return len == said->len && memcmp(said->bytes, bytes, len) == 0;
}

int model_say(struct model *model, const struct said *event)
{
	size_t i = slot_of(event->id);

	assert(model->n_events < 4000);
	if (model->n_events == model->events_room) {
		model->events_room = model->events_room ? 2 * model->events_room : 256;
		model->events = realloc(model->events, model->events_room * sizeof(*model->events));
		assert(model->events);
	}
	while (model->slots[i])
		i = (i + 1) % 4096;
	model->events[model->n_events++] = *event;
	model->slots[i] = (int)model->n_events;
	return (int)model->n_events - 1;
}

struct box *model_box(struct model *model, const char *id)
{
	for (size_t i = 0; i < model->n_boxes; i++)
		if (strcmp(model->boxes[i].id, id) == 0)
			return &model->boxes[i];
	return NULL;
}
