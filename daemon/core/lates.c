/* See lates.h. In a snapshot: number, each: first | sequence | at_ns u64. */
#include "core/lates.h"

#include <stdlib.h>
#include <string.h>

void lates_fini(struct lates *it)
{
	free(it->items);
	*it = (struct lates){ 0 };
}

bool lates_add(struct lates *it, const struct late *late)
{
	if (it->n == it->capacity && it->head > it->capacity / 2) {
		memmove(it->items, it->items + it->head, (it->n - it->head) * sizeof(*it->items));
		it->n -= it->head;
		it->head = 0;
	} else if (it->n == it->capacity) {
		size_t wanted = it->capacity ? it->capacity * 2 : 64;
		struct late *grown = realloc(it->items, wanted * sizeof(*grown));

		if (!grown)
			return false;
		it->items = grown;
		it->capacity = wanted;
	}
	it->items[it->n++] = *late;
	return true;
}

void lates_expire(struct lates *it, int64_t before_ns)
{
	while (it->head < it->n && it->items[it->head].at_ns < before_ns)
		it->head++;
}

uint64_t lates_next(const struct lates *it, uint64_t first, size_t *at)
{
	for (size_t i = it->head + *at; i < it->n; i++) {
		if (it->items[i].first != first)
			continue;
		*at = i + 1 - it->head;
		return it->items[i].sequence;
	}
	return 0;
}

size_t lates_bound(const struct lates *it)
{
	return 16 + (it->n - it->head) * 32;
}

void lates_save(const struct lates *it, struct cursor *cursor)
{
	cursor_put_varint(cursor, it->n - it->head);
	for (size_t i = it->head; i < it->n; i++) {
		cursor_put_varint(cursor, it->items[i].first);
		cursor_put_varint(cursor, it->items[i].sequence);
		cursor_put_u64(cursor, (uint64_t)it->items[i].at_ns);
	}
}

bool lates_load(struct lates *it, struct cursor *cursor, uint64_t sequence)
{
	uint64_t n = cursor_get_varint(cursor), before = 0;

	for (uint64_t i = 0; i < n; i++) {
		struct late late = { .first = cursor_get_varint(cursor) };

		late.sequence = cursor_get_varint(cursor);
		late.at_ns = (int64_t)cursor_get_u64(cursor);
		if (!cursor_ok(cursor) || late.first == 0 || late.first >= late.sequence ||
		    late.sequence <= before || late.sequence > sequence)
			return false;
		before = late.sequence;
		if (!lates_add(it, &late))
			return false;
	}
	return cursor_ok(cursor);
}
