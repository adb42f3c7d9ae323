/* Latencies; see samples.h. Owner: the program's only thread. */
#include "bench/samples.h"

#include <stdlib.h>
#include "bench/bench.h"

#define FIRST_ROOM 65536

void samples_add(struct samples *samples, int64_t ns)
{
	if (samples->n == samples->room) {
		size_t room = samples->room ? samples->room * 2 : FIRST_ROOM;
		int64_t *values = realloc(samples->values, room * sizeof(*values));

		if (!values)
			bench_die("no memory");
		samples->values = values;
		samples->room = room;
	}
	samples->values[samples->n++] = ns;
}

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

double samples_part_us(struct samples *samples, double part)
{
	if (samples->n == 0)
		return 0;
	qsort(samples->values, samples->n, sizeof(*samples->values), compare);
	size_t at = (size_t)((double)samples->n * part);
	if (at >= samples->n)
		at = samples->n - 1;
	return (double)samples->values[at] / 1000.0;
}

void samples_clear(struct samples *samples)
{
	samples->n = 0;
}

void samples_fini(struct samples *samples)
{
	free(samples->values);
	*samples = (struct samples){ 0 };
}
