/*
 * Mosquitto: MQTT 3.1.1, QoS 1 both ways, a persistent session for each subscriber, no limit to what
 * a session holds, everything saved after every change, TLS.
 *
 * Owner: the program's only thread. The protocol is written by hand: the broker saves once for all it
 * finds in one piece of TLS, and the client library never puts two messages into one.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench/load.h"
#include "bench/stream.h"

#define TOPIC "events"
#define TOPIC_BYTES (sizeof(TOPIC) - 1)
#define MESSAGE_IDS 65535 /* 1 and up */
#define LENGTH_BYTES 4 /* of a packet's length, at most */

enum packet { CONNECT = 0x10, CONNACK = 0x20, PUBLISH = 0x30, PUBACK = 0x40, SUBSCRIBE = 0x82,
	      SUBACK = 0x90, DISCONNECT = 0xe0 };
enum { CLEAN_SESSION = 2, QOS_1 = 2, QOS_MASK = 6 };

struct peer {
	struct stream stream;
	bool ready;
	uint64_t *number_of; /* by message id: publishers only; 0: not under way */
};

static struct peer *peer_of(struct bench *bench, int number)
{
	return &((struct peer *)bench->driver_state)[number];
}

static void start(struct bench *bench)
{
	if (!bench->driver_state) {
		bench->driver_state = calloc(BENCH_PEERS, sizeof(struct peer));
		if (!bench->driver_state)
			bench_die("no memory");
		stream_make_certificate(bench);
	}
	bench_write(bench, "mosquitto/README", "The store of one measurement.\n");
	bench_write(bench, "mosquitto.conf",
		    "user root\nlistener %d 127.0.0.1\nallow_anonymous true\n"
		    "cafile tls/cert.pem\ncertfile tls/cert.pem\nkeyfile tls/key.pem\n"
		    "persistence true\npersistence_location %s/mosquitto/\n"
		    "autosave_on_changes true\nautosave_interval 1\n"
		    "max_inflight_messages 0\nmax_queued_messages 0\nset_tcp_nodelay true\n"
		    "log_dest stderr\nlog_type error\n",
		    bench->port, bench->place);
	broker_start(&bench->broker, bench->place,
		     (const char *const[]){ "mosquitto", "-c", "mosquitto.conf", NULL });
}

static void put_byte(struct stream *stream, unsigned value)
{
	const uint8_t byte = (uint8_t)value;

	stream_put(stream, &byte, 1);
}

static void put_short(struct stream *stream, unsigned value)
{
	put_byte(stream, value >> 8);
	put_byte(stream, value);
}

static void put_text(struct stream *stream, const char *text)
{
	put_short(stream, (unsigned)strlen(text));
	stream_put(stream, text, strlen(text));
}

/* Kind and length, seven bits a byte, the lowest first. */
static void put_head(struct stream *stream, unsigned kind, size_t bytes)
{
	put_byte(stream, kind);
	for (; bytes >= 0x80; bytes >>= 7)
		put_byte(stream, (unsigned)bytes | 0x80);
	put_byte(stream, (unsigned)bytes);
}

static void open_peer(struct bench *bench, int number)
{
	struct peer *peer = peer_of(bench, number);
	const bool publishes = number < bench->n_publishers;
	char id[16];

	*peer = (struct peer){ .ready = false };
	if (publishes) {
		peer->number_of = calloc(MESSAGE_IDS + 1, sizeof(*peer->number_of));
		if (!peer->number_of)
			bench_die("no memory");
	}
	snprintf(id, sizeof(id), "%c%d", publishes ? 'p' : 's', number);
	stream_open(&peer->stream, bench);
	put_head(&peer->stream, CONNECT, 6 + 1 + 1 + 2 + 2 + strlen(id));
	put_text(&peer->stream, "MQTT");
	put_byte(&peer->stream, 4);
	put_byte(&peer->stream, publishes ? CLEAN_SESSION : 0);
	put_short(&peer->stream, 0); /* never asked whether it is alive */
	put_text(&peer->stream, id);
	if (!publishes) {
		put_head(&peer->stream, SUBSCRIBE, 2 + 2 + TOPIC_BYTES + 1);
		put_short(&peer->stream, 1);
		put_text(&peer->stream, TOPIC);
		put_byte(&peer->stream, 1);
	}
	stream_flush(&peer->stream);
}

static void publish(struct bench *bench, int number, const struct event *event)
{
	struct peer *peer = peer_of(bench, number);
	const unsigned id = (unsigned)((event->number - 1) % MESSAGE_IDS) + 1;

	if (peer->number_of[id] != 0)
		bench_die("mosquitto: too much without an answer");
	peer->number_of[id] = event->number;
	put_head(&peer->stream, PUBLISH | QOS_1, 2 + TOPIC_BYTES + 2 + event->len);
	put_text(&peer->stream, TOPIC);
	put_short(&peer->stream, id);
	stream_put(&peer->stream, event->bytes, event->len);
}

/* Topic, message id, event: taken over and acknowledged. */
static void take_delivery(struct bench *bench, int number, unsigned kind, const uint8_t *body,
			  size_t len)
{
	struct stream *stream = &peer_of(bench, number)->stream;
	const size_t head = 2 + TOPIC_BYTES + 2;

	if (number < bench->n_publishers || (kind & QOS_MASK) != QOS_1 || len < head ||
	    memcmp(body + 2, TOPIC, TOPIC_BYTES) != 0)
		bench_die("mosquitto: a delivery of another form");
	load_delivered(bench, number - bench->n_publishers, body + head, len - head);
	put_head(stream, PUBACK, 2);
	stream_put(stream, body + 2 + TOPIC_BYTES, 2);
}

static void take_packet(struct bench *bench, int number, unsigned kind, const uint8_t *body,
			size_t len)
{
	struct peer *peer = peer_of(bench, number);
	const unsigned id = len >= 2 ? (unsigned)body[0] << 8 | body[1] : 0;

	if ((kind & 0xf0) == PUBLISH) {
		take_delivery(bench, number, kind, body, len);
	} else if (kind == PUBACK && peer->number_of && peer->number_of[id] != 0) {
		const uint64_t event = peer->number_of[id];

		peer->number_of[id] = 0;
		load_accepted(bench, number, event);
	} else if (kind == CONNACK && len == 2 && body[1] == 0) {
		peer->ready = peer->ready || number < bench->n_publishers;
	} else if (kind == SUBACK && len == 3 && body[2] == 1) {
		peer->ready = true;
	} else {
		bench_die("mosquitto: packet %x is none we wait for", kind);
	}
}

/* Bytes of the packet at `at`, its head in *head; 0 when it is not whole. */
static size_t packet_bytes(const uint8_t *at, size_t left, size_t *head)
{
	size_t len = 0;

	for (size_t i = 0; i < LENGTH_BYTES && i + 1 < left; i++) {
		len |= (size_t)(at[1 + i] & 0x7f) << (7 * i);
		if (at[1 + i] < 0x80) {
			*head = 2 + i;
			return left - *head < len ? 0 : *head + len;
		}
	}
	return 0;
}

static void work(struct bench *bench, int number)
{
	struct stream *stream = &peer_of(bench, number)->stream;
	size_t done = 0, len, head;

	stream_flush(stream);
	stream_fill(stream);
	while ((len = packet_bytes(stream->in + done, stream->in_bytes - done, &head)) > 0) {
		const uint8_t *at = stream->in + done;

		take_packet(bench, number, at[0], at + head, len - head);
		done += len;
	}
	stream_take(stream, done);
	stream_flush(stream);
}

static int descriptor(struct bench *bench, int number)
{
	return peer_of(bench, number)->stream.fd;
}

static bool ready(struct bench *bench, int number)
{
	return peer_of(bench, number)->ready;
}

static void close_peer(struct bench *bench, int number)
{
	struct peer *peer = peer_of(bench, number);

	put_head(&peer->stream, DISCONNECT, 0);
	stream_flush(&peer->stream);
	stream_close(&peer->stream);
	free(peer->number_of);
	peer->number_of = NULL;
}

/* Each subscriber comes once and goes, which leaves its session behind. */
static void prepare(struct bench *bench)
{
	for (int i = 0; i < bench->n_subscribers; i++)
		load_open_peer(bench, bench->n_publishers + i);
	load_close(bench);
}

const struct driver driver_mosquitto = {
	.name = "mosquitto",
	.confirmed = "in memory, saved a moment later",
	.keeps = true,
	.may_repeat = true,
	.end_signal = SIGKILL,
	.start = start,
	.prepare = prepare,
	.open = open_peer,
	.publish = publish,
	.work = work,
	.descriptor = descriptor,
	.ready = ready,
	.close = close_peer,
};
