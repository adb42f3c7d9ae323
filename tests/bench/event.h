/*
 * Events of the catalogue, made quickly: packed once, then number and person are written over. All
 * brokers carry the same bytes. An event says by its id which one of which publisher it is.
 */
#ifndef TTG_BENCH_EVENT_H
#define TTG_BENCH_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EVENT_SMALLEST 64
#define EVENT_WITH_PERSON 112 /* smaller ones are about nobody */
#define EVENT_LARGEST 65536

struct event {
	uint8_t *bytes;
	size_t len;
	const uint8_t *id;    /* 16 bytes of them */
	uint64_t number;      /* of its publisher, from 1 */
};

struct event_maker {
	struct event event;
	size_t person_at;     /* 0: about nobody */
	uint64_t first_person, persons, stride;
	uint32_t publisher;
};

struct event_wish {
	const char *source;   /* agency id */
	size_t bytes;
	uint32_t publisher, publishers;
	uint64_t persons;     /* of all publishers; each has its own share */
	uint64_t run;         /* 48 bits that make the ids of this run its own */
};

void event_maker_init(struct event_maker *maker, const struct event_wish *wish);
void event_maker_fini(struct event_maker *maker);
/* The next event; valid until the next call. */
const struct event *event_make(struct event_maker *maker, uint64_t number);
/* False when it is none of ours. */
bool event_recognise(const uint8_t *bytes, size_t len, uint32_t *publisher, uint64_t *number);

#endif
