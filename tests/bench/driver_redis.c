/*
 * Redis streams, as durable as Redis can be: append-only file, synced before each answer
 * (appendfsync always), TLS. One stream, a consumer group for each subscriber, XACK for all.
 *
 * Owner: the program's only thread. The protocol (RESP) is written by hand: Debian's client library
 * has no TLS.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench/stream.h"

#define READ_COUNT 256
#define LONGEST_LINE 64

struct peer {
	struct stream stream;
	uint64_t answered;
	size_t scanned;  /* of stream.in: belongs to the reply that is not complete yet */
	uint64_t wanted; /* elements it still lacks; 0: a new reply begins at `scanned` */
	bool grouped;
};

/* Elements of one whole reply. */
struct reply {
	const uint8_t *at, *end;
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
	bench_write(bench, "redis.conf",
		    "bind 127.0.0.1\nport 0\ntls-port %d\ntls-cert-file tls/cert.pem\n"
		    "tls-key-file tls/key.pem\ntls-ca-cert-file tls/cert.pem\n"
		    "tls-auth-clients no\ndir %s\nappendonly yes\nappendfsync always\nsave \"\"\n"
		    "auto-aof-rewrite-percentage 0\ndaemonize no\n",
		    bench->port, bench->place);
	broker_start(&bench->broker, bench->place,
		     (const char *const[]){ "redis-server", "redis.conf", NULL });
}

static void ask_for_more(struct bench *bench, int number)
{
	struct peer *peer = peer_of(bench, number);

	stream_print(&peer->stream, "XREADGROUP GROUP g%d c COUNT %d BLOCK 0 STREAMS events >\r\n",
		     number, READ_COUNT);
}

static void open_peer(struct bench *bench, int number)
{
	struct peer *peer = peer_of(bench, number);

	*peer = (struct peer){ 0 };
	stream_open(&peer->stream, bench);
	if (number < bench->n_publishers) {
		peer->grouped = true;
		return;
	}
	stream_print(&peer->stream, "XGROUP CREATE events g%d 0 MKSTREAM\r\n", number);
	stream_flush(&peer->stream);
}

static void publish(struct bench *bench, int number, const struct event *event)
{
	struct stream *stream = &peer_of(bench, number)->stream;

	stream_print(stream, "*5\r\n$4\r\nXADD\r\n$6\r\nevents\r\n$1\r\n*\r\n$1\r\nd\r\n$%zu\r\n",
		     event->len);
	stream_put(stream, event->bytes, event->len);
	stream_put(stream, "\r\n", 2);
}

/* The number in the line at `at`, its length in *len; false when the line is not whole. */
static bool read_line(const uint8_t *at, size_t left, int64_t *number, size_t *len)
{
	const uint8_t *end = memchr(at, '\n', left < LONGEST_LINE ? left : LONGEST_LINE);

	if (at < at + left && at[0] == '-')
		bench_die("redis: %.*s", (int)left, (const char *)at);
	if (!end)
		return false;
	*len = (size_t)(end - at) + 1;
	*number = strtoll((const char *)at + 1, NULL, 10);
	return true;
}

/* Goes over elements until a reply is whole; goes on where it stopped. */
static bool is_whole(struct peer *peer)
{
	const struct stream *stream = &peer->stream;

	if (peer->wanted == 0)
		peer->wanted = 1;
	while (peer->wanted > 0) {
		const uint8_t *at = stream->in + peer->scanned;
		size_t left = stream->in_bytes - peer->scanned, len;
		int64_t number;

		if (left == 0 || !read_line(at, left, &number, &len))
			return false;
		if (at[0] == '$' && number >= 0)
			len += (size_t)number + 2;
		if (len > left)
			return false;
		if (at[0] == '*' && number > 0)
			peer->wanted += (uint64_t)number;
		peer->scanned += len;
		peer->wanted--;
	}
	return true;
}

static uint64_t next_array(struct reply *reply)
{
	int64_t number;
	size_t len;

	if (reply->at[0] != '*' ||
	    !read_line(reply->at, (size_t)(reply->end - reply->at), &number, &len) || number < 0)
		bench_die("redis: an answer of another form");
	reply->at += len;
	return (uint64_t)number;
}

static const uint8_t *next_text(struct reply *reply, size_t *bytes)
{
	int64_t number;
	size_t len;

	if (reply->at[0] != '$' ||
	    !read_line(reply->at, (size_t)(reply->end - reply->at), &number, &len) || number < 0)
		bench_die("redis: an answer of another form");
	const uint8_t *text = reply->at + len;
	*bytes = (size_t)number;
	reply->at = text + number + 2;
	return text;
}

/* [[stream, [[id, [field, event]], ...]]] : hands over, acknowledges all, asks for more. */
static void take_batch(struct bench *bench, int number, struct reply *reply)
{
	struct stream *stream = &peer_of(bench, number)->stream;
	size_t len;

	if (next_array(reply) != 1 || next_array(reply) != 2)
		bench_die("redis: more than one stream");
	next_text(reply, &len);
	const uint64_t n = next_array(reply);
	stream_print(stream, "*%llu\r\n$4\r\nXACK\r\n$6\r\nevents\r\n$%d\r\ng%d\r\n",
		     (unsigned long long)n + 3, snprintf(NULL, 0, "g%d", number), number);
	for (uint64_t i = 0; i < n; i++) {
		next_array(reply);
		const uint8_t *id = next_text(reply, &len);
		stream_print(stream, "$%zu\r\n", len);
		stream_put(stream, id, len + 2);
		next_array(reply);
		next_text(reply, &len);
		const uint8_t *event = next_text(reply, &len);
		load_delivered(bench, number - bench->n_publishers, event, len);
	}
	ask_for_more(bench, number);
}

static void take_reply(struct bench *bench, int number, struct reply reply)
{
	struct peer *peer = peer_of(bench, number);

	if (number < bench->n_publishers) {
		load_accepted(bench, number, ++peer->answered);
	} else if (reply.at[0] == '*') {
		take_batch(bench, number, &reply);
	} else if (reply.at[0] == '+') {
		peer->grouped = true;
		ask_for_more(bench, number);
	}
}

static void work(struct bench *bench, int number)
{
	struct peer *peer = peer_of(bench, number);
	struct stream *stream = &peer->stream;
	size_t done = 0;

	stream_flush(stream);
	stream_fill(stream);
	while (is_whole(peer)) {
		const struct reply reply = { stream->in + done, stream->in + peer->scanned };

		take_reply(bench, number, reply);
		done = peer->scanned;
	}
	stream_take(stream, done);
	peer->scanned -= done;
	stream_flush(stream);
}

static int descriptor(struct bench *bench, int number)
{
	return peer_of(bench, number)->stream.fd;
}

static bool ready(struct bench *bench, int number)
{
	return peer_of(bench, number)->grouped;
}

static void close_peer(struct bench *bench, int number)
{
	stream_close(&peer_of(bench, number)->stream);
}

const struct driver driver_redis = {
	.name = "redis",
	.confirmed = "on disk",
	.keeps = true,
	.end_signal = SIGTERM,
	.start = start,
	.open = open_peer,
	.publish = publish,
	.work = work,
	.descriptor = descriptor,
	.ready = ready,
	.close = close_peer,
};
