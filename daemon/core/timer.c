/* A binary heap of deadlines; see timer.h. Owner: the loop thread. */
#include "core/timer.h"

#include <assert.h>
#include <stdlib.h>

bool timer_before(const struct timer *a, const struct timer *b)
{
	if (a->deadline_ns != b->deadline_ns)
		return a->deadline_ns < b->deadline_ns;
	if (a->sequence != b->sequence)
		return a->sequence < b->sequence;
	return a->mailbox < b->mailbox;
}

static void swap(struct timer *a, struct timer *b)
{
	struct timer kept = *a;

	*a = *b;
	*b = kept;
}

bool timers_add(struct timers *timers, const struct timer *timer)
{
	size_t at = timers->n;

	if (timers->n == timers->capacity) {
		size_t capacity = timers->capacity ? timers->capacity * 2 : 64;
		struct timer *grown = realloc(timers->items, capacity * sizeof(*grown));

		if (!grown)
			return false;
		timers->items = grown;
		timers->capacity = capacity;
	}
	timers->items[timers->n++] = *timer;
	while (at > 0 && timer_before(&timers->items[at], &timers->items[(at - 1) / 2])) {
		swap(&timers->items[at], &timers->items[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	return true;
}

const struct timer *timers_first(const struct timers *timers)
{
	return timers->n > 0 ? &timers->items[0] : NULL;
}

void timers_drop_first(struct timers *timers)
{
	size_t at = 0;

	assert(timers->n > 0);
	timers->items[0] = timers->items[--timers->n];
	for (;;) {
		size_t least = at;

		for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++) {
			if (child < timers->n &&
			    timer_before(&timers->items[child], &timers->items[least]))
				least = child;
		}
		if (least == at)
			return;
		swap(&timers->items[at], &timers->items[least]);
		at = least;
	}
}

static int order(const void *a, const void *b)
{
	return timer_before(b, a) - timer_before(a, b);
}

void timers_sort(struct timers *timers)
{
	if (timers->n > 1)
		qsort(timers->items, timers->n, sizeof(*timers->items), order);
}

void timers_fini(struct timers *timers)
{
	free(timers->items);
	*timers = (struct timers){ 0 };
}
