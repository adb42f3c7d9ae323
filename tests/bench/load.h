/*
 * Load: events out, answers and deliveries in, everything checked.
 */
#ifndef TTG_BENCH_LOAD_H
#define TTG_BENCH_LOAD_H

#include "bench/bench.h"

/* Connects all peers (subscribers but those that are away) and waits until they are ready. */
void load_open(struct bench *bench);
void load_open_peer(struct bench *bench, int peer);
void load_close(struct bench *bench);

/* Publishes so many with a full window, no more after at_most_s (0: however long it takes), and
   waits until all is answered and delivered to whoever is not away. */
void load_run(struct bench *bench, uint64_t events, uint64_t at_most_s);

/* The same by the clock, events_per_s of them in even steps over all publishers. Gives up when the
   broker takes more than double the time; then bench->unfinished is not 0. */
void load_run_open(struct bench *bench, uint64_t events, uint64_t events_per_s);
/* Begins such a load, which load_turn() carries on. */
void load_begin_open(struct bench *bench, uint64_t events, uint64_t events_per_s);

/* One turn: due events, whatever is ready; waits up to timeout_ns for something. */
void load_turn(struct bench *bench, int64_t timeout_ns);
bool load_is_answered(const struct bench *bench);
bool load_is_delivered(const struct bench *bench);

#endif
