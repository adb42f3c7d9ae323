/*
 * No broker at all: a ROUTER with CURVE that forwards each message to every subscriber as it is, one
 * event a message, keeps nothing and confirms by a count now and then. The ceiling of what is sent
 * one by one.
 *
 * The router is a process of its own, forked before this one has any thread. Owner: the program's
 * only thread.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <zmq.h>
#include "bench/bench.h"

#define COUNT_EVERY 32 /* events between two confirmations, when there is no pause */
#define NAME_MAX_BYTES 32
#define Z85 41

struct state {
	void *context;
	char server_public[Z85], server_secret[Z85];
	struct peer {
		void *socket;
		uint64_t answered;
		bool ready;
	} peers[BENCH_PEERS];
};

/* What the router knows of a publisher. */
struct source {
	char name[NAME_MAX_BYTES];
	int name_bytes;
	uint64_t got, told;
};

static void must(int result, const char *what)
{
	if (result < 0)
		bench_die("zmq: %s: %s", what, zmq_strerror(errno));
}

static void set_number(void *socket, int option, int value)
{
	must(zmq_setsockopt(socket, option, &value, sizeof(value)), "option");
}

static void tell(void *router, struct source *source)
{
	if (source->told == source->got)
		return;
	must(zmq_send(router, source->name, (size_t)source->name_bytes, ZMQ_SNDMORE), "answer");
	must(zmq_send(router, &source->got, sizeof(source->got), 0), "answer");
	source->told = source->got;
}

static void forward(void *router, int subscribers, zmq_msg_t *event)
{
	for (int i = 0; i < subscribers; i++) {
		char name[NAME_MAX_BYTES];
		zmq_msg_t copy;

		must(zmq_send(router, name, (size_t)snprintf(name, sizeof(name), "s%d", i),
			      ZMQ_SNDMORE),
		     "forward");
		zmq_msg_init(&copy);
		zmq_msg_copy(&copy, event);
		must(zmq_msg_send(&copy, router, 0), "forward");
	}
}

/* One message from whoever sends one. False when there is none. */
static bool route_one(void *router, struct source *sources, int subscribers)
{
	char name[NAME_MAX_BYTES + 1] = "";
	int name_bytes = zmq_recv(router, name, NAME_MAX_BYTES, ZMQ_DONTWAIT);
	zmq_msg_t event;

	if (name_bytes < 0)
		return false;
	zmq_msg_init(&event);
	must(zmq_msg_recv(&event, router, 0), "receive");
	if (name[0] == 's') { /* greets; it is greeted back */
		must(zmq_send(router, name, (size_t)name_bytes, ZMQ_SNDMORE), "greet");
		must(zmq_send(router, "", 0, 0), "greet");
	} else {
		struct source *source = &sources[atoi(name + 1) % BENCH_PUBLISHERS];

		memcpy(source->name, name, (size_t)name_bytes);
		source->name_bytes = name_bytes;
		source->got++;
		forward(router, subscribers, &event);
		if (source->got - source->told >= COUNT_EVERY)
			tell(router, source);
	}
	zmq_msg_close(&event);
	return true;
}

static void run_router(const struct bench *bench)
{
	const struct state *state = bench->driver_state;
	struct source *sources = calloc(BENCH_PUBLISHERS, sizeof(*sources));
	void *context = zmq_ctx_new();
	void *router = zmq_socket(context, ZMQ_ROUTER);
	char endpoint[64];

	if (!sources || !router)
		bench_die("zmq: no router");
	set_number(router, ZMQ_SNDHWM, 0);
	set_number(router, ZMQ_RCVHWM, 0);
	set_number(router, ZMQ_CURVE_SERVER, 1);
	must(zmq_setsockopt(router, ZMQ_CURVE_SECRETKEY, state->server_secret, Z85), "key");
	snprintf(endpoint, sizeof(endpoint), "tcp://127.0.0.1:%d", bench->port);
	must(zmq_bind(router, endpoint), "bind");
	for (;;) {
		zmq_pollitem_t item = { .socket = router, .events = ZMQ_POLLIN };

		must(zmq_poll(&item, 1, -1), "poll");
		while (route_one(router, sources, bench->n_subscribers))
			;
		for (int i = 0; i < bench->n_publishers; i++)
			tell(router, &sources[i]);
	}
}

static void start(struct bench *bench)
{
	struct state *state = bench->driver_state = calloc(1, sizeof(*state));

	if (!state)
		bench_die("no memory");
	must(zmq_curve_keypair(state->server_public, state->server_secret), "key");
	fflush(NULL);
	bench->broker.pid = fork();
	if (bench->broker.pid < 0)
		bench_die("fork: %s", strerror(errno));
	if (bench->broker.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		bench->broker.pid = 0;
		signal(SIGTERM, SIG_DFL);
		bench->options.keep = true; /* the files are the other's */
		run_router(bench);
	}
}

static void open_peer(struct bench *bench, int number)
{
	struct state *state = bench->driver_state;
	struct peer *peer = &state->peers[number];
	const int subscriber = number - bench->n_publishers;
	char endpoint[64], name[NAME_MAX_BYTES], own_public[Z85], own_secret[Z85];

	if (!state->context)
		state->context = zmq_ctx_new();
	peer->socket = zmq_socket(state->context, ZMQ_DEALER);
	if (!peer->socket)
		bench_die("zmq: no socket");
	const int len = subscriber < 0 ? snprintf(name, sizeof(name), "p%d", number) :
					 snprintf(name, sizeof(name), "s%d", subscriber);
	must(zmq_setsockopt(peer->socket, ZMQ_ROUTING_ID, name, (size_t)len), "name");
	set_number(peer->socket, ZMQ_SNDHWM, 0);
	set_number(peer->socket, ZMQ_RCVHWM, 0);
	set_number(peer->socket, ZMQ_LINGER, 0);
	must(zmq_curve_keypair(own_public, own_secret), "key");
	must(zmq_setsockopt(peer->socket, ZMQ_CURVE_SERVERKEY, state->server_public, Z85), "key");
	must(zmq_setsockopt(peer->socket, ZMQ_CURVE_PUBLICKEY, own_public, Z85), "key");
	must(zmq_setsockopt(peer->socket, ZMQ_CURVE_SECRETKEY, own_secret, Z85), "key");
	snprintf(endpoint, sizeof(endpoint), "tcp://127.0.0.1:%d", bench->port);
	must(zmq_connect(peer->socket, endpoint), "connect");
	peer->ready = subscriber < 0;
	if (!peer->ready)
		must(zmq_send(peer->socket, "", 0, 0), "greet");
}

static void publish(struct bench *bench, int number, const struct event *event)
{
	struct state *state = bench->driver_state;

	must(zmq_send(state->peers[number].socket, event->bytes, event->len, 0), "publish");
}

static void take(struct bench *bench, int number, zmq_msg_t *message)
{
	struct state *state = bench->driver_state;
	struct peer *peer = &state->peers[number];
	uint64_t count;

	if (number >= bench->n_publishers) {
		if (peer->ready)
			load_delivered(bench, number - bench->n_publishers, zmq_msg_data(message),
				       zmq_msg_size(message));
		peer->ready = true;
		return;
	}
	memcpy(&count, zmq_msg_data(message), sizeof(count));
	while (peer->answered < count)
		load_accepted(bench, number, ++peer->answered);
}

static void work(struct bench *bench, int number)
{
	struct state *state = bench->driver_state;

	for (;;) {
		zmq_msg_t message;

		zmq_msg_init(&message);
		if (zmq_msg_recv(&message, state->peers[number].socket, ZMQ_DONTWAIT) < 0)
			return;
		take(bench, number, &message);
		zmq_msg_close(&message);
	}
}

static int descriptor(struct bench *bench, int number)
{
	struct state *state = bench->driver_state;
	int fd = -1;
	size_t len = sizeof(fd);

	must(zmq_getsockopt(state->peers[number].socket, ZMQ_FD, &fd, &len), "descriptor");
	return fd;
}

static bool ready(struct bench *bench, int number)
{
	const struct state *state = bench->driver_state;

	return state->peers[number].ready;
}

static void close_peer(struct bench *bench, int number)
{
	struct state *state = bench->driver_state;

	zmq_close(state->peers[number].socket);
}

const struct driver driver_zmq = {
	.name = "zmq",
	.confirmed = "nothing",
	.keeps = false,
	.end_signal = SIGTERM,
	.start = start,
	.open = open_peer,
	.publish = publish,
	.work = work,
	.descriptor = descriptor,
	.ready = ready,
	.close = close_peer,
};
