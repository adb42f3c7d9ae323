/*
 * NATS JetStream: one stream on disk, a durable push consumer for each subscriber that acknowledges
 * up to a position, TLS. In two forms: as it comes (the store is synced every two minutes), and with
 * its folder marked so that the kernel writes through whatever is written there (chattr +S), since
 * this version has no setting for that.
 *
 * Owner: the program's only thread. The protocol is lines of text, written by hand: Debian has no
 * client library for C. Subjects: `e` takes events, `A.PEER.NUMBER` answers to publishers,
 * `D.SUBSCRIBER` deliveries.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "bench/stream.h"

#define PENDING_MAX 16384 /* deliveries of a subscriber without acknowledgement */
#define LINE_MAX_BYTES 4096
#define REPLY_MAX 256
#define ANSWER_MS 30000

struct peer {
	struct stream stream;
	bool ready;
	unsigned answers;      /* to what prepare() asked */
	char reply[REPLY_MAX]; /* where the newest delivery is acknowledged; empty: nowhere */
};

/* A line of the server's, cut at spaces, and what belongs to it. */
struct message {
	char *words[6];
	int n_words;
	const uint8_t *payload;
	size_t payload_bytes;
};

static struct peer *peer_of(struct bench *bench, int number)
{
	return &((struct peer *)bench->driver_state)[number];
}

static void start(struct bench *bench)
{
	if (!bench->driver_state) {
		bench->driver_state = calloc(BENCH_PEERS + 1, sizeof(struct peer));
		if (!bench->driver_state)
			bench_die("no memory");
		stream_make_certificate(bench);
	}
	bench_write(bench, "nats.conf",
		    "listen: \"127.0.0.1:%d\"\nserver_name: bench\n"
		    "tls: { cert_file: \"tls/cert.pem\", key_file: \"tls/key.pem\" }\n"
		    "jetstream: { store_dir: \"%s/nats\", max_file_store: 100GB }\n"
		    "max_pending: 256MB\nwrite_deadline: \"60s\"\n",
		    bench->port, bench->place);
	broker_start(&bench->broker, bench->place,
		     (const char *const[]){ "nats-server", "--config", "nats.conf", NULL });
}

/* Files and folders made in the folder later inherit the mark. */
static void start_synced(struct bench *bench)
{
	char path[BENCH_PATH + 16];
	int flags = 0;

	bench_write(bench, "nats/README", "The store of one measurement.\n");
	snprintf(path, sizeof(path), "%s/nats", bench->place);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0)
		bench_die("nats: %s: this file system has no mark: %s", path, strerror(errno));
	flags |= FS_SYNC_FL;
	if (ioctl(fd, FS_IOC_SETFLAGS, &flags) != 0)
		bench_die("nats: %s: cannot be marked: %s", path, strerror(errno));
	close(fd);
	start(bench);
}

/* The server speaks first, in clear: INFO and a JSON object. */
static void read_greeting(const struct stream *stream)
{
	char byte = 0;

	while (byte != '\n') {
		struct pollfd item = { .fd = stream->fd, .events = POLLIN };

		if (poll(&item, 1, ANSWER_MS) <= 0 || recv(stream->fd, &byte, 1, 0) != 1)
			bench_die("nats: no greeting");
	}
}

static void greet(struct peer *peer, const struct bench *bench)
{
	*peer = (struct peer){ 0 };
	stream_connect(&peer->stream, bench);
	read_greeting(&peer->stream);
	stream_secure(&peer->stream, bench);
	stream_print(&peer->stream,
		     "CONNECT {\"verbose\":false,\"pedantic\":false,\"tls_required\":true,"
		     "\"lang\":\"C\",\"version\":\"1\",\"protocol\":1,\"name\":\"bench\"}\r\n");
}

static void open_peer(struct bench *bench, int number)
{
	struct peer *peer = peer_of(bench, number);

	greet(peer, bench);
	if (number < bench->n_publishers)
		stream_print(&peer->stream, "SUB A.%d.* 1\r\n", number);
	else
		stream_print(&peer->stream, "SUB D.%d 1\r\n", number - bench->n_publishers);
	stream_print(&peer->stream, "PING\r\n");
	stream_flush(&peer->stream);
}

static void publish(struct bench *bench, int number, const struct event *event)
{
	struct stream *stream = &peer_of(bench, number)->stream;

	stream_print(stream, "PUB e A.%d.%llu %zu\r\n", number, (unsigned long long)event->number,
		     event->len);
	stream_put(stream, event->bytes, event->len);
	stream_put(stream, "\r\n", 2);
}

/* {"stream":"E","seq":7}, or an error. */
static void take_answer(struct bench *bench, int number, const struct message *message)
{
	const char *last = strrchr(message->words[1], '.');

	if (!last || memmem(message->payload, message->payload_bytes, "\"error\"", 7) ||
	    !memmem(message->payload, message->payload_bytes, "\"seq\"", 5))
		bench_die("nats: %.*s", (int)message->payload_bytes, (const char *)message->payload);
	load_accepted(bench, number, strtoull(last + 1, NULL, 10));
}

/* MSG subject id [reply] bytes. */
static void take_message(struct bench *bench, int number, const struct message *message)
{
	struct peer *peer = peer_of(bench, number);

	if (number == BENCH_PEERS) {
		if (memmem(message->payload, message->payload_bytes, "\"error\"", 7))
			bench_die("nats: %.*s", (int)message->payload_bytes,
				  (const char *)message->payload);
		peer->answers++;
	} else if (number < bench->n_publishers) {
		take_answer(bench, number, message);
	} else {
		if (message->n_words != 5 || strlen(message->words[3]) >= sizeof(peer->reply))
			bench_die("nats: a delivery without a reply subject");
		memcpy(peer->reply, message->words[3], strlen(message->words[3]) + 1);
		load_delivered(bench, number - bench->n_publishers, message->payload,
			       message->payload_bytes);
	}
}

/* Cuts the next message off `at`; its bytes, 0 when it is not whole. The line is copied. */
static size_t next_message(const uint8_t *at, size_t left, char line[LINE_MAX_BYTES],
			   struct message *message)
{
	const uint8_t *end = left ? memchr(at, '\n', left) : NULL;
	size_t len = end ? (size_t)(end - at) + 1 : 0;
	char *rest = NULL;

	if (!end)
		return 0;
	*message = (struct message){ .n_words = 0 };
	memcpy(line, at, len < LINE_MAX_BYTES ? len : LINE_MAX_BYTES - 1);
	line[len < LINE_MAX_BYTES ? len : LINE_MAX_BYTES - 1] = '\0';
	for (char *word = strtok_r(line, " \r\n", &rest); word && message->n_words < 6;
	     word = strtok_r(NULL, " \r\n", &rest))
		message->words[message->n_words++] = word;
	if (message->n_words < 4 || strcmp(message->words[0], "MSG") != 0)
		return len;
	message->payload = at + len;
	message->payload_bytes = strtoul(message->words[message->n_words - 1], NULL, 10);
	return left - len < message->payload_bytes + 2 ? 0 : len + message->payload_bytes + 2;
}

static void take_line(struct bench *bench, int number, const struct message *message)
{
	struct peer *peer = peer_of(bench, number);
	const char *verb = message->n_words > 0 ? message->words[0] : "";

	if (strcmp(verb, "MSG") == 0 && message->payload)
		take_message(bench, number, message);
	else if (strcmp(verb, "PING") == 0)
		stream_print(&peer->stream, "PONG\r\n");
	else if (strcmp(verb, "PONG") == 0)
		peer->ready = true;
	else if (strcmp(verb, "INFO") != 0 && strcmp(verb, "+OK") != 0)
		bench_die("nats: %s %s %s", verb, message->n_words > 1 ? message->words[1] : "",
			  message->n_words > 2 ? message->words[2] : "");
}

static void work(struct bench *bench, int number)
{
	struct peer *peer = peer_of(bench, number);
	struct stream *stream = &peer->stream;
	char line[LINE_MAX_BYTES];
	struct message message;
	size_t done = 0, len;

	stream_flush(stream);
	stream_fill(stream);
	while ((len = next_message(stream->in + done, stream->in_bytes - done, line, &message)) > 0) {
		take_line(bench, number, &message);
		done += len;
	}
	stream_take(stream, done);
	if (peer->reply[0])
		stream_print(stream, "PUB %s 0\r\n\r\n", peer->reply);
	peer->reply[0] = '\0';
	stream_flush(stream);
}

static void ask(struct peer *peer, const char *subject, const char *what)
{
	stream_print(&peer->stream, "PUB $JS.API.%s A.x %zu\r\n%s\r\n", subject, strlen(what), what);
}

/* The stream and a durable consumer for each subscriber, over a connection of its own. */
static void prepare(struct bench *bench)
{
	struct peer *peer = peer_of(bench, BENCH_PEERS);
	const int64_t until_ns = bench_now_ns() + ANSWER_MS * INT64_C(1000000);
	const unsigned wanted = 1 + (unsigned)bench->n_subscribers;
	char subject[64], what[512];

	greet(peer, bench);
	stream_print(&peer->stream, "SUB A.x 1\r\n");
	ask(peer, "STREAM.CREATE.E",
	    "{\"name\":\"E\",\"subjects\":[\"e\"],\"retention\":\"limits\",\"storage\":\"file\","
	    "\"num_replicas\":1,\"discard\":\"old\",\"max_consumers\":-1,\"max_msgs\":-1,"
	    "\"max_bytes\":-1,\"max_age\":0,\"max_msg_size\":-1}");
	for (int i = 0; i < bench->n_subscribers; i++) {
		snprintf(subject, sizeof(subject), "CONSUMER.DURABLE.CREATE.E.S%d", i);
		snprintf(what, sizeof(what),
			 "{\"stream_name\":\"E\",\"config\":{\"durable_name\":\"S%d\","
			 "\"deliver_subject\":\"D.%d\",\"deliver_policy\":\"all\","
			 "\"ack_policy\":\"all\",\"ack_wait\":%lld,\"max_ack_pending\":%d,"
			 "\"replay_policy\":\"instant\"}}",
			 i, i, 60 * (long long)NS_PER_S, PENDING_MAX);
		ask(peer, subject, what);
	}
	while (peer->answers < wanted) {
		struct pollfd item = { .fd = peer->stream.fd, .events = POLLIN };

		work(bench, BENCH_PEERS);
		if (peer->answers < wanted && poll(&item, 1, 100) < 0 && errno != EINTR)
			bench_die("nats: poll: %s", strerror(errno));
		broker_check(&bench->broker, bench->place);
		if (bench_now_ns() > until_ns)
			bench_die("nats: no answer to the making of stream and consumers");
	}
	stream_close(&peer->stream);
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
	stream_close(&peer_of(bench, number)->stream);
}

const struct driver driver_nats = {
	.name = "nats",
	.confirmed = "in the page cache, on disk within two minutes",
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

const struct driver driver_nats_synced = {
	.name = "nats-synced",
	.confirmed = "on disk",
	.keeps = true,
	.may_repeat = true,
	.end_signal = SIGKILL,
	.start = start_synced,
	.prepare = prepare,
	.open = open_peer,
	.publish = publish,
	.work = work,
	.descriptor = descriptor,
	.ready = ready,
	.close = close_peer,
};
