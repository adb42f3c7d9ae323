/*
 * See wire.h. This file defines the functions of libzmq that the broker's step uses, and those of
 * the client's transport; the linker takes them instead of the real ones.
 */
#include "sim/wire.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "client/transport.h"
#include "sim/broker.h"
#include "sim/model.h"

#define CONNECTIONS   48
#define ROUTING_BYTES 5

struct frame {
	struct frame *next;
	size_t len;
	char key[41];
	uint8_t bytes[];
};

struct queue {
	struct frame *first, **end;
	size_t n, arrived;
};

struct connection {
	bool client, broker; /* the side still thinks it has one */
	bool silent;         /* its end is not told */
	uint32_t number;
	char key[41];
	enum transport_news news; /* for the client */
	struct queue up, down;    /* to the broker; to the client */
};

struct wire {
	struct connection connections[CONNECTIONS];
	uint32_t last_number, hwm;
	bool listening, slow, repeated;
	struct connection *sending; /* whom the broker named last */
	struct connection *reading; /* whose frame it began to read */
};

static void push(struct queue *queue, const void *bytes, size_t len, const char *key)
{
	struct frame *frame = malloc(sizeof(*frame) + len);

	assert(frame);
	frame->next = NULL;
	frame->len = len;
	memcpy(frame->key, key, sizeof(frame->key));
	memcpy(frame->bytes, bytes, len);
	if (queue->n == 0)
		queue->end = &queue->first;
	*queue->end = frame;
	queue->end = &frame->next;
	queue->n++;
	if (!life_now->wire->slow)
		queue->arrived = queue->n;
}

static struct frame *pop(struct queue *queue)
{
	struct frame *frame = queue->first;

	assert(queue->n > 0);
	queue->first = frame->next;
	queue->n--;
	queue->arrived -= queue->arrived > 0;
	return frame;
}

static void keep(struct queue *queue, size_t n)
{
	struct queue kept = { 0 };

	for (; queue->n > 0;) {
		struct frame *frame = pop(queue);

		if (kept.n < n) {
			frame->next = NULL;
			if (kept.n++ == 0)
				kept.first = frame;
			else
				*kept.end = frame;
			kept.end = &frame->next;
		} else {
			free(frame);
		}
	}
	kept.arrived = life_now->wire->slow ? 0 : kept.n;
	*queue = kept;
}

static void close_client(struct connection *it)
{
	it->client = false;
	keep(&it->down, 0);
	keep(&it->up, (size_t)life_draw(it->up.n + 1)); /* the rest never left */
	it->silent = life_draw(4) == 0;
}

struct wire *wire_new(uint32_t hwm)
{
	struct wire *wire = calloc(1, sizeof(*wire));

	assert(wire);
	wire->hwm = hwm;
	return wire;
}

void wire_free(struct wire **wire)
{
	for (int i = 0; i < CONNECTIONS; i++) {
		keep(&(*wire)->connections[i].up, 0);
		keep(&(*wire)->connections[i].down, 0);
	}
	free(*wire);
	*wire = NULL;
}

void wire_listen(struct wire *wire, bool listening)
{
	wire->listening = listening;
	for (int i = 0; i < CONNECTIONS && !listening; i++) {
		struct connection *it = &wire->connections[i];

		it->broker = false;
		keep(&it->up, 0);
		keep(&it->down, (size_t)life_draw(it->down.n + 1));
		if (life_draw(4) != 0)
			it->news = TRANSPORT_LOST;
	}
}

void wire_slow(struct wire *wire, bool slow)
{
	wire->slow = slow;
	for (int i = 0; i < CONNECTIONS && !slow; i++) {
		wire->connections[i].up.arrived = wire->connections[i].up.n;
		wire->connections[i].down.arrived = wire->connections[i].down.n;
	}
}

bool wire_is_slow(const struct wire *wire)
{
	return wire->slow;
}

void wire_arrive(struct wire *wire)
{
	for (int i = 0; i < CONNECTIONS; i++) {
		struct queue *up = &wire->connections[i].up, *down = &wire->connections[i].down;

		up->arrived += (size_t)life_draw(up->n - up->arrived + 1);
		down->arrived += (size_t)life_draw(down->n - down->arrived + 1);
	}
}

static struct connection *any_open(struct wire *wire)
{
	struct connection *found = NULL;
	uint64_t n = 0;

	for (int i = 0; i < CONNECTIONS; i++)
		if (wire->connections[i].client && wire->connections[i].broker &&
		    life_draw(++n) == 0)
			found = &wire->connections[i];
	return found;
}

void wire_cut(struct wire *wire)
{
	struct connection *it = any_open(wire);

	if (!it)
		return;
	keep(&it->down, (size_t)life_draw(it->down.n + 1));
	keep(&it->up, (size_t)life_draw(it->up.n + 1));
	it->news = TRANSPORT_LOST;
	it->silent = life_draw(2) == 0;
	it->broker = false; /* whatever is sent from here on is lost */
}

void wire_repeat(struct wire *wire)
{
	struct connection *it = any_open(wire);
	struct queue *queue = !it || life_draw(2) ? NULL : &it->down;

	if (it && !queue)
		queue = &it->up;
	if (!queue || queue->n == 0)
		return;
	push(queue, queue->first->bytes, queue->first->len, queue->first->key);
	wire->repeated = true;
}

bool wire_has_repeated(const struct wire *wire)
{
	return wire->repeated;
}

void wire_cut_all(struct wire *wire)
{
	for (int i = 0; i < CONNECTIONS; i++) {
		keep(&wire->connections[i].up, 0);
		keep(&wire->connections[i].down, 0);
		wire->connections[i].news = TRANSPORT_LOST;
	}
}

/* The client's transport. */

enum ttg_error transport_init(struct transport *transport, int epoll_fd)
{
	*transport = (struct transport){ .epoll_fd = epoll_fd };
	return arena_init(&transport->frame, ARENA_BROKER_MAX) ? TTG_OK : TTG_ENOMEM;
}

void transport_fini(struct transport *transport)
{
	transport_close(transport);
	arena_fini(&transport->frame);
}

enum ttg_error transport_open(struct transport *transport, const char *broker,
                              const char *server_z85, const struct key_pair *pair)
{
	struct wire *wire = life_now->wire;
	struct connection *it = NULL;

	(void)broker;
	(void)server_z85;
	for (int i = 0; i < CONNECTIONS && !it; i++)
		if (!wire->connections[i].client && wire->connections[i].up.n == 0)
			it = &wire->connections[i];
	for (int i = 0; i < CONNECTIONS && !it; i++)
		if (!wire->connections[i].client)
			it = &wire->connections[i]; /* what was on its way is lost */
	assert(it);
	keep(&it->up, 0);
	keep(&it->down, 0);
	memset(it, 0, sizeof(*it));
	memcpy(it->key, pair->public_z85, sizeof(it->key));
	it->number = ++wire->last_number;
	it->client = true;
	it->broker = wire->listening;
	it->news = wire->listening ? TRANSPORT_NO_NEWS : TRANSPORT_LOST;
	transport->socket = it;
	return TTG_OK;
}

void transport_close(struct transport *transport)
{
	if (transport->socket)
		close_client(transport->socket);
	transport->socket = NULL;
}

enum ttg_error transport_send(struct transport *transport, const Ttg__Frame *frame)
{
	struct connection *it = transport->socket;
	uint8_t *bytes;
	size_t len;

	if (!it)
		return TTG_ECLOSED;
	if (!it->broker)
		return TTG_OK; /* into the void */
	if (it->up.n >= life_now->wire->hwm)
		return TTG_EAGAIN;
	len = ttg__frame__get_packed_size(frame);
	life_check(len <= life_now->plan->frame_kib * 1024u, "a client sends a frame of %zu bytes",
	           len);
	bytes = malloc(len + 1);
	assert(bytes);
	ttg__frame__pack(frame, bytes);
	push(&it->up, bytes, len, it->key);
	free(bytes);
	return TTG_OK;
}

enum ttg_error transport_receive(struct transport *transport, Ttg__Frame **out)
{
	struct connection *it = transport->socket;
	struct frame *frame;

	*out = NULL;
	arena_reset(&transport->frame);
	if (!it)
		return TTG_ECLOSED;
	if (it->down.arrived == 0)
		return TTG_EAGAIN;
	frame = pop(&it->down);
	*out = ttg__frame__unpack(&transport->frame.allocator, frame->len, frame->bytes);
	free(frame);
	life_check(*out, "the broker sent what is no frame");
	return TTG_OK;
}

enum transport_news transport_news(struct transport *transport)
{
	struct connection *it = transport->socket;
	enum transport_news news = it ? it->news : TRANSPORT_NO_NEWS;

	if (!it || it->down.arrived > 0)
		return TRANSPORT_NO_NEWS; /* first what came before */
	it->news = TRANSPORT_NO_NEWS;
	return news;
}

bool transport_readable(const struct transport *transport)
{
	const struct connection *it = transport->socket;

	return it && (it->down.arrived > 0 || it->news != TRANSPORT_NO_NEWS);
}

bool transport_writable(const struct transport *transport)
{
	const struct connection *it = transport->socket;

	return it && it->up.n < life_now->wire->hwm;
}

/* The broker's router. */

static struct connection *by_routing(struct wire *wire, const void *routing, size_t len)
{
	uint32_t number;

	if (len != ROUTING_BYTES)
		return NULL;
	memcpy(&number, (const uint8_t *)routing + 1, sizeof(number));
	for (int i = 0; i < CONNECTIONS; i++)
		if (wire->connections[i].number == number)
			return &wire->connections[i];
	return NULL;
}

int zmq_recv(void *socket, void *out, size_t len, int flags)
{
	struct wire *wire = socket;
	struct connection *found = NULL;
	uint8_t routing[ROUTING_BYTES] = { 0 };
	uint64_t n = 0;

	(void)flags;
	for (int i = 0; i < CONNECTIONS; i++)
		if (wire->connections[i].up.arrived > 0 && life_draw(++n) == 0)
			found = &wire->connections[i];
	if (!found) {
		errno = EAGAIN;
		return -1;
	}
	assert(len >= ROUTING_BYTES);
	memcpy(routing + 1, &found->number, sizeof(found->number));
	memcpy(out, routing, ROUTING_BYTES);
	wire->reading = found;
	return ROUTING_BYTES;
}

/* A message holds a pointer to its frame. */
static struct frame *frame_of(const zmq_msg_t *message)
{
	struct frame *frame;

	memcpy(&frame, message, sizeof(frame));
	return frame;
}

int zmq_msg_init(zmq_msg_t *message)
{
	memset(message, 0, sizeof(*message));
	return 0;
}

int zmq_msg_recv(zmq_msg_t *message, void *socket, int flags)
{
	struct wire *wire = socket;
	struct frame *frame = pop(&wire->reading->up);

	(void)flags;
	memcpy(message, &frame, sizeof(frame));
	return (int)frame->len;
}

int zmq_msg_more(const zmq_msg_t *message)
{
	(void)message;
	return 0;
}

int zmq_msg_close(zmq_msg_t *message)
{
	free(frame_of(message));
	return zmq_msg_init(message);
}

size_t zmq_msg_size(const zmq_msg_t *message)
{
	return frame_of(message)->len;
}

void *zmq_msg_data(zmq_msg_t *message)
{
	return frame_of(message)->bytes;
}

const char *zmq_msg_gets(const zmq_msg_t *message, const char *property)
{
	return strcmp(property, "User-Id") == 0 ? frame_of(message)->key : NULL;
}

int zmq_errno(void)
{
	return errno;
}

/* Nothing is disclosed before a record says so. */
static void check_deliver(const struct connection *it, const Ttg__Deliver *deliver)
{
	uint8_t routing[ROUTING_BYTES] = { 0 };
	const char *mailbox;

	memcpy(routing + 1, &it->number, sizeof(it->number));
	mailbox = broker_mailbox(life_now->broker, routing, sizeof(routing), deliver->handle);
	life_check(mailbox, "a delivery goes to who attached nothing");
	for (size_t i = 0; i < deliver->n_deliveries; i++)
		model_leaves(life_now->model, mailbox, deliver->deliveries[i]->position,
		             deliver->deliveries[i]->attempt);
}

/* Whatever Published tells must be durable. */
static void check_frame(const struct connection *to, const void *bytes, size_t len)
{
	Ttg__Frame *frame = ttg__frame__unpack(NULL, len, bytes);

	life_check(frame, "the broker sends what is no frame");
	life_check(len <= life_now->plan->frame_kib * 1024u,
	           "the broker sends a frame of %zu bytes", len);
	if (frame->body_case == TTG__FRAME__BODY_PUBLISHED) {
		const Ttg__Published *it = frame->published;

		for (size_t i = 0; i < it->n_sequences; i++)
			model_say_sequence(life_now->model, it->sequences[i]);
		for (size_t i = 0; i < it->n_others; i++)
			model_say_sequence(life_now->model, it->others[i]->sequence);
	}
	if (frame->body_case == TTG__FRAME__BODY_DELIVER)
		check_deliver(to, frame->deliver);
	ttg__frame__free_unpacked(frame, NULL);
}

int zmq_send(void *socket, const void *bytes, size_t len, int flags)
{
	struct wire *wire = socket;
	struct connection *it;

	if (flags & ZMQ_SNDMORE) {
		it = wire->sending = by_routing(wire, bytes, len);
		if (!it || (!(it->client && it->broker) && !it->silent)) {
			errno = EHOSTUNREACH;
			return -1;
		}
		if (it->down.n >= wire->hwm) {
			errno = EAGAIN;
			return -1;
		}
		return (int)len;
	}
	it = wire->sending;
	check_frame(it, bytes, len);
	if (it->client && it->broker)
		push(&it->down, bytes, len, it->key);
	return (int)len;
}
