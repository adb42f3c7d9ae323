/*
 * The sorted array with gaps; see entries.h. A gap keeps its position, so that the whole array is
 * always sorted and can be searched. Gaps at the ends go at once, those inside when room is needed.
 */
#include "core/entries.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 16u

/* First index, gap or not, whose position is not below. */
static size_t lower(const struct entries *window, uint64_t position)
{
	size_t low = window->head, high = window->tail;

	if (low < high && window->items[high - 1].position < position)
		return high;
	/* Most often no position is missing before it. */
	if (low < high && position >= window->items[low].position) {
		uint64_t ahead = position - window->items[low].position;

		if (ahead < high - low && window->items[low + ahead].position == position)
			return low + (size_t)ahead;
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (window->items[middle].position < position)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct entry *live_from(const struct entries *window, size_t at)
{
	while (at < window->tail && window->items[at].state == ENTRY_GONE)
		at++;
	return at < window->tail ? &window->items[at] : NULL;
}

struct entry *entries_find(const struct entries *window, uint64_t position)
{
	size_t at = lower(window, position);

	if (at == window->tail || window->items[at].position != position ||
	    window->items[at].state == ENTRY_GONE)
		return NULL;
	return &window->items[at];
}

struct entry *entries_from(const struct entries *window, uint64_t position)
{
	return live_from(window, lower(window, position));
}

struct entry *entries_next(const struct entries *window, const struct entry *entry)
{
	return live_from(window, (size_t)(entry - window->items) + 1);
}

/* Closes all gaps; the entries then stand in the middle of the free room. */
static bool make_room(struct entries *window)
{
	size_t capacity = window->capacity ? window->capacity : FIRST_CAPACITY, at;
	struct entry *items;

	while (window->live + 2 > capacity - capacity / 4)
		capacity *= 2;
	items = malloc(capacity * sizeof(*items));
	if (!items)
		return false;
	at = (capacity - window->live) / 4;
	window->capacity = capacity;
	for (size_t i = window->head, to = at; i < window->tail; i++) {
		if (window->items[i].state != ENTRY_GONE)
			items[to++] = window->items[i];
	}
	free(window->items);
	window->items = items;
	window->head = at;
	window->tail = at + window->live;
	return true;
}

bool entries_insert(struct entries *window, const struct entry *entry)
{
	size_t at;

	assert(entry->state != ENTRY_GONE);
	at = lower(window, entry->position);
	if (at < window->tail && window->items[at].position == entry->position) {
		assert(window->items[at].state == ENTRY_GONE);
	} else if (window->tail == window->capacity || window->head == 0) {
		if (!make_room(window))
			return false;
		return entries_insert(window, entry);
	} else if (at - window->head < window->tail - at) {
		memmove(&window->items[window->head - 1], &window->items[window->head],
			(at - window->head) * sizeof(*entry));
		window->head--;
		at--;
	} else {
		memmove(&window->items[at + 1], &window->items[at],
			(window->tail - at) * sizeof(*entry));
		window->tail++;
	}
	window->items[at] = *entry;
	window->live++;
	return true;
}

void entries_remove(struct entries *window, struct entry *entry)
{
	assert(entry->state != ENTRY_GONE && window->live > 0);
	entry->state = ENTRY_GONE;
	window->live--;
	while (window->head < window->tail && window->items[window->head].state == ENTRY_GONE)
		window->head++;
	while (window->head < window->tail && window->items[window->tail - 1].state == ENTRY_GONE)
		window->tail--;
	if (window->live == 0)
		window->head = window->tail = window->capacity / 4;
}

void entries_fini(struct entries *window)
{
	free(window->items);
	*window = (struct entries){ 0 };
}
