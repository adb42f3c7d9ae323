/*
 * ttg-bench: one kind of work done by several brokers, and what it cost. Shared declarations.
 *
 * The work: publishers keep a number of events unanswered, or publish by the clock; every event goes
 * to every subscriber, each with a durable mailbox of its own that it acknowledges. What arrives is
 * checked: each event once, and in order from each publisher.
 *
 * One thread does all clients, so that they compete with the broker as little as they can; a driver
 * (one file for each broker) knows how to talk to it. Whatever goes wrong ends the program: a
 * measurement with a fault in it is none.
 */
#ifndef TTG_BENCH_H
#define TTG_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "bench/broker.h"
#include "bench/event.h"
#include "bench/samples.h"

#define BENCH_PUBLISHERS 512
#define BENCH_SUBSCRIBERS 8
#define BENCH_PEERS (BENCH_PUBLISHERS + BENCH_SUBSCRIBERS)
#define BENCH_PATH 512
#define NS_PER_S INT64_C(1000000000)

struct bench;

/* How to talk to one kind of broker. Peers 0 to publishers - 1 publish, those behind subscribe. */
struct driver {
	const char *name;
	const char *confirmed; /* what its answer to a publisher means */
	bool keeps;            /* events stay while a subscriber is away or the broker is dead */
	bool may_repeat;       /* promises at least once: repeats are counted, not an error */
	int end_signal;        /* that ends the broker when all is measured */
	/* Writes configuration into bench->place and starts bench->broker, without waiting. */
	void (*start)(struct bench *bench);
	/* Makes the mailboxes of all subscribers, once, when it listens; NULL: made in another way. */
	void (*prepare)(struct bench *bench);
	/* Connects one peer; subscribers may be told to wait with attaching. */
	void (*open)(struct bench *bench, int peer);
	/* Queues one event; the answer comes as load_accepted(). The next work() sends it at latest. */
	void (*publish)(struct bench *bench, int publisher, const struct event *event);
	/* Reads, writes and calls back what there is, without waiting. */
	void (*work)(struct bench *bench, int peer);
	/* Readable when work() is of use; asked once, after open(). */
	int (*descriptor)(struct bench *bench, int peer);
	bool (*ready)(struct bench *bench, int peer); /* connected, subscribed */
	/* Leaves what it acknowledged acknowledged. */
	void (*close)(struct bench *bench, int peer);
};

struct bench_numbers {
	uint64_t publishers, subscribers, window, bytes, events, warm_up, persons, agencies;
	uint64_t rate, seconds, at_most_s, backlog, segment_bytes, io_threads, sealed;
};

struct bench_options {
	const char *bin;   /* folder of ttgd */
	const char *place; /* folder to make the temporary one in */
	bool keep;
	struct bench_numbers numbers;
};

struct publisher {
	struct event_maker maker;
	uint64_t published, accepted; /* numbers start with 1 */
	uint64_t before;              /* `published` when the present load began */
};

struct subscriber {
	uint64_t next[BENCH_PUBLISHERS]; /* number expected from each publisher */
	uint64_t delivered;
	int64_t last_ns;                 /* when the newest came */
	bool away;
};

struct bench {
	struct bench_options options;
	const struct driver *driver;
	void *driver_state;
	char place[BENCH_PATH];
	int n_publishers, n_subscribers;
	int port;
	struct broker broker, helper; /* the helper is a process the broker needs beside it */
	int epoll_fd;
	struct publisher publishers[BENCH_PUBLISHERS];
	struct subscriber subscribers[BENCH_SUBSCRIBERS];
	bool opened[BENCH_PEERS];

	/* The load under way; see load.c. */
	uint64_t to_publish, published, accepted;
	bool closed_loop;
	int64_t began_ns, interval_ns; /* open loop: event k is due at began_ns + k * interval_ns */
	int64_t until_ns;              /* closed loop: no more is published; open: given up */
	uint64_t first_due;            /* `published` when it began */
	uint64_t repeats;              /* deliveries that had come before */
	uint64_t unfinished;           /* events without an answer when an open loop was given up */
	struct samples to_accepted, to_delivered;
};

int64_t bench_now_ns(void);
/* From here on a signal to end is only remembered, so that nothing is left behind. */
void bench_catch_signals(void);
/* Ends with a message when there was one. */
void bench_check_signal(void);
__attribute__((format(printf, 1, 2), noreturn)) void bench_die(const char *format, ...);

/* Text into a file of bench->place; folders are made. */
__attribute__((format(printf, 3, 4))) void bench_write(const struct bench *bench, const char *name,
						       const char *format, ...);
int bench_free_port(void);
/* Waits until something listens on the loopback's port, or dies. */
void bench_wait_port(struct bench *bench, int port);
void bench_remove(const char *path);

/* load.c: called by drivers. */
void load_accepted(struct bench *bench, int publisher, uint64_t number);
void load_delivered(struct bench *bench, int subscriber, const uint8_t *event, size_t len);

extern const struct driver driver_ttgd, driver_redis, driver_zmq, driver_nats, driver_nats_synced,
	driver_rabbitmq, driver_mosquitto;

#endif
