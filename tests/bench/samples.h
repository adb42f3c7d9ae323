/*
 * Latencies in nanoseconds, every one kept, so that the rare slow ones are not rounded away.
 */
#ifndef TTG_BENCH_SAMPLES_H
#define TTG_BENCH_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

struct samples {
	int64_t *values;
	size_t n, room;
};

void samples_add(struct samples *samples, int64_t ns);
/* Microseconds below which this part (0.5, 0.99, ...) of them lies; 0 when there are none. Sorts. */
double samples_part_us(struct samples *samples, double part);
void samples_clear(struct samples *samples);
void samples_fini(struct samples *samples);

#endif
