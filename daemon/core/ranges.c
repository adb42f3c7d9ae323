/* Ranges of positions; see ranges.h. */
#include "core/ranges.h"

#include <assert.h>
#include <stdlib.h>

bool record_ranges_reserve(struct record_ranges *ranges, size_t n)
{
	struct record_range *grown;
	size_t capacity = ranges->capacity ? ranges->capacity : 64;

	if (n <= ranges->capacity)
		return true;
	if (n > RECORD_MAX_RANGES)
		return false;
	while (capacity < n)
		capacity *= 2;
	grown = realloc(ranges->items, capacity * sizeof(*grown));
	if (!grown)
		return false;
	ranges->items = grown;
	ranges->capacity = capacity;
	return true;
}

bool record_ranges_add(struct record_ranges *ranges, uint64_t position)
{
	if (ranges->n > 0) {
		struct record_range *last = &ranges->items[ranges->n - 1];

		assert(position >= last->first + last->n);
		if (position == last->first + last->n) {
			last->n++;
			ranges->positions++;
			return true;
		}
	}
	if (!record_ranges_reserve(ranges, ranges->n + 1))
		return false;
	ranges->items[ranges->n++] = (struct record_range){ position, 1 };
	ranges->positions++;
	return true;
}

void record_ranges_clear(struct record_ranges *ranges)
{
	ranges->n = 0;
	ranges->positions = 0;
}

void record_ranges_fini(struct record_ranges *ranges)
{
	free(ranges->items);
	*ranges = (struct record_ranges){ 0 };
}
