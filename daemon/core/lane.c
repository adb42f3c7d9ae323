/*
 * Lanes that are out of the ordinary; see lane.h. Counters over all lanes are kept here and nowhere
 * else, so that they cannot disagree with what is in the lanes.
 */
#include "core/lane.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 8u

static size_t home(const struct lanes *lanes, uint64_t key)
{
	/* Keys are hashes already, or mixed. */
	return (size_t)(key & (lanes->size - 1));
}

struct lane *lanes_find(const struct lanes *lanes, uint64_t key)
{
	if (lanes->n == 0)
		return NULL;
	for (size_t i = home(lanes, key); lanes->slots[i]; i = (i + 1) & (lanes->size - 1)) {
		if (lanes->slots[i]->key == key)
			return lanes->slots[i];
	}
	return NULL;
}

static void put(struct lanes *lanes, struct lane *lane)
{
	size_t i = home(lanes, lane->key);

	while (lanes->slots[i])
		i = (i + 1) & (lanes->size - 1);
	lanes->slots[i] = lane;
}

static bool grow(struct lanes *lanes)
{
	struct lanes old = *lanes;
	size_t size = old.size ? old.size * 2 : FIRST_SLOTS;
	struct lane **slots = calloc(size, sizeof(struct lane *));

	if (!slots)
		return false;
	lanes->slots = slots;
	lanes->size = size;
	for (size_t i = 0; i < old.size; i++) {
		if (old.slots[i])
			put(lanes, old.slots[i]);
	}
	free(old.slots);
	return true;
}

struct lane *lanes_get(struct lanes *lanes, uint64_t key)
{
	struct lane *lane = lanes_find(lanes, key);

	if (lane)
		return lane;
	if ((lanes->n + 1) * 2 > lanes->size && !grow(lanes))
		return NULL;
	lane = calloc(1, sizeof(*lane));
	if (!lane)
		return NULL;
	lane->key = key;
	put(lanes, lane);
	lanes->n++;
	return lane;
}

static void lane_free(struct lane *lane)
{
	for (size_t i = 0; i < lane->n_dead; i++)
		free(lane->dead[i].text);
	free(lane->dead);
	free(lane->held);
	free(lane);
}

static void close_gap(struct lanes *lanes, size_t hole)
{
	size_t mask = lanes->size - 1;

	for (size_t i = (hole + 1) & mask; lanes->slots[i]; i = (i + 1) & mask) {
		size_t wanted = home(lanes, lanes->slots[i]->key);

		if (((i - wanted) & mask) < ((i - hole) & mask))
			continue;
		lanes->slots[hole] = lanes->slots[i];
		hole = i;
	}
	lanes->slots[hole] = NULL;
}

void lanes_settle(struct lanes *lanes, struct lane *lane)
{
	size_t i = home(lanes, lane->key);

	if (lane->n_dead > 0 || lane->n_held > lane->first_held || lane->due_ns != 0)
		return;
	while (lanes->slots[i] != lane)
		i = (i + 1) & (lanes->size - 1);
	close_gap(lanes, i);
	lanes->n--;
	lane_free(lane);
}

struct lane *lanes_next(const struct lanes *lanes, size_t *cursor)
{
	while (*cursor < lanes->size) {
		struct lane *lane = lanes->slots[(*cursor)++];

		if (lane)
			return lane;
	}
	return NULL;
}

void lanes_fini(struct lanes *lanes)
{
	for (size_t i = 0; i < lanes->size; i++) {
		if (lanes->slots[i])
			lane_free(lanes->slots[i]);
	}
	free(lanes->slots);
	*lanes = (struct lanes){ 0 };
}

bool lane_is_parked(const struct lane *lane)
{
	return lane->n_dead > 0;
}

bool lane_is_draining(const struct lane *lane)
{
	return lane->n_dead == 0 && lane->n_held > lane->first_held;
}

void lane_delay(struct lanes *lanes, struct lane *lane, int64_t due_ns)
{
	if (lane->due_ns == 0 && due_ns != 0)
		lanes->n_delayed++;
	if (lane->due_ns != 0 && due_ns == 0)
		lanes->n_delayed--;
	lane->due_ns = due_ns;
}

/* Index of the first held entry at or after the position. */
static size_t held_lower(const struct lane *lane, uint64_t position)
{
	size_t low = lane->first_held, high = lane->n_held;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (lane->held[middle].position < position)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool held_room(struct lane *lane)
{
	size_t used = lane->n_held - lane->first_held;
	size_t capacity = lane->held_capacity ? lane->held_capacity : 4;
	struct held *grown;

	if (lane->n_held < lane->held_capacity)
		return true;
	if (lane->first_held > 0) {
		memmove(lane->held, lane->held + lane->first_held, used * sizeof(*lane->held));
		lane->first_held = 0;
		lane->n_held = used;
	}
	if (used * 2 <= lane->held_capacity && lane->held_capacity > 0)
		return true;
	grown = realloc(lane->held, capacity * 2 * sizeof(*grown));
	if (!grown)
		return false;
	lane->held = grown;
	lane->held_capacity = capacity * 2;
	return true;
}

bool lane_hold(struct lanes *lanes, struct lane *lane, const struct held *held)
{
	bool draining = lane_is_draining(lane);
	size_t at;

	if (!held_room(lane))
		return false;
	at = held_lower(lane, held->position);
	assert(at == lane->n_held || lane->held[at].position != held->position);
	memmove(&lane->held[at + 1], &lane->held[at], (lane->n_held - at) * sizeof(*held));
	lane->held[at] = *held;
	lane->n_held++;
	lanes->n_held++;
	if (lane_is_draining(lane) && !draining)
		lanes->n_draining++;
	return true;
}

const struct held *lane_first_held(const struct lane *lane)
{
	return lane->first_held < lane->n_held ? &lane->held[lane->first_held] : NULL;
}

const struct held *lane_find_held(const struct lane *lane, uint64_t position)
{
	size_t at = held_lower(lane, position);

	if (at == lane->n_held || lane->held[at].position != position)
		return NULL;
	return &lane->held[at];
}

void lane_unhold(struct lanes *lanes, struct lane *lane, const struct held *held)
{
	size_t at = (size_t)(held - lane->held);
	bool draining = lane_is_draining(lane);

	assert(at >= lane->first_held && at < lane->n_held);
	if (at == lane->first_held) {
		lane->first_held++;
	} else {
		memmove(&lane->held[at], &lane->held[at + 1],
			(lane->n_held - at - 1) * sizeof(*held));
		lane->n_held--;
	}
	lanes->n_held--;
	if (draining && !lane_is_draining(lane))
		lanes->n_draining--;
}

bool lane_park(struct lanes *lanes, struct lane *lane, const struct dead *take_dead)
{
	struct dead *grown = realloc(lane->dead, (lane->n_dead + 1) * sizeof(*grown));
	bool draining = lane_is_draining(lane);
	size_t at = lane->n_dead;

	if (!grown)
		return false;
	lane->dead = grown;
	while (at > 0 && grown[at - 1].position > take_dead->position)
		at--;
	memmove(&grown[at + 1], &grown[at], (lane->n_dead - at) * sizeof(*grown));
	grown[at] = *take_dead;
	lane->n_dead++;
	lanes->n_dead++;
	if (draining)
		lanes->n_draining--;
	return true;
}

struct dead *lane_find_dead(const struct lane *lane, uint64_t position)
{
	for (size_t i = 0; i < lane->n_dead; i++) {
		if (lane->dead[i].position == position)
			return &lane->dead[i];
	}
	return NULL;
}

void lane_unpark(struct lanes *lanes, struct lane *lane, struct dead *dead)
{
	size_t at = (size_t)(dead - lane->dead);

	assert(at < lane->n_dead);
	free(dead->text);
	memmove(&lane->dead[at], &lane->dead[at + 1], (lane->n_dead - at - 1) * sizeof(*dead));
	lane->n_dead--;
	lanes->n_dead--;
	if (lane_is_draining(lane))
		lanes->n_draining++;
}
