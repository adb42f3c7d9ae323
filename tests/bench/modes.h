/* What can be measured; each function prints one line of JSON. */
#ifndef TTG_BENCH_MODES_H
#define TTG_BENCH_MODES_H

#include "bench/bench.h"

void mode_throughput(struct bench *bench);
void mode_latency(struct bench *bench);
void mode_memory(struct bench *bench);
void mode_catchup(struct bench *bench);
void mode_recovery(struct bench *bench);
void mode_disk(struct bench *bench);
void mode_decide(struct bench *bench);

#endif
