/*
 * ttgd through libttg: CURVE, journal synced and encrypted, as shipped but for the size of segments.
 * Owner: the program's only thread.
 *
 * Publishers are agencies of their own as far as there are enough, at least one; each subscriber is
 * an agency with one mailbox. The agencies that are left over only stand in the configuration, with
 * a mailbox and an agreement each.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <ttg/client.h>
#include <zmq.h>
#include "base/keyfile.h"
#include "bench/bench.h"

#define CREDIT 4096
#define SOURCES_PER_AGREEMENT 50

struct peer {
	struct bench *bench;
	struct ttg_client *client;
	int number;
	bool attached;
	uint64_t acknowledge; /* up to here, with the next batch */
};

static struct peer *peer_of(struct bench *bench, int number)
{
	return &((struct peer *)bench->driver_state)[number];
}

static void must(enum ttg_error error, const char *what, const char *text)
{
	if (error != TTG_OK)
		bench_die("ttgd: %s: %s %s", what, ttg_error_name(error), text);
}

/* The broker's and the journal's key too: they are files like these. */
static void make_pair(const struct bench *bench, const char *name)
{
	char path[BENCH_PATH * 2];
	struct key_pair pair;
	struct message message = { "" };

	if (zmq_curve_keypair(pair.public_z85, pair.secret_z85) != 0)
		bench_die("libzmq cannot make keys");
	snprintf(path, sizeof(path), "%s/keys/%s.key", bench->place, name);
	must(keyfile_write_secret(path, &pair, &message), "key", message.text);
	snprintf(path, sizeof(path), "%s/keys/%s.pub", bench->place, name);
	must(keyfile_write_public(path, pair.public_z85, &message), "key", message.text);
}

static void make_keys(const struct bench *bench)
{
	char path[BENCH_PATH * 2];
	struct message message = { "" };
	uint8_t key[KEYFILE_SYMMETRIC];

	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(i * 7 + 1);
	bench_write(bench, "keys/README", "Keys of one measurement.\n");
	make_pair(bench, "broker");
	snprintf(path, sizeof(path), "%s/keys/journal.key", bench->place);
	must(keyfile_write_symmetric(path, key, &message), "key", message.text);
	snprintf(path, sizeof(path), "%s/keys/master.key", bench->place);
	must(keyfile_write_symmetric(path, key, &message), "key", message.text);
}

/* Agencies that publish. */
static int n_sources(const struct bench *bench)
{
	int left = (int)bench->options.numbers.agencies - bench->n_subscribers;

	if (left < 1)
		left = 1;
	return left < bench->n_publishers ? left : bench->n_publishers;
}

static void source_name(const struct bench *bench, int publisher, char out[32])
{
	snprintf(out, 32, "p%d", publisher % n_sources(bench));
}

static void write_agency(const struct bench *bench, const char *id, const char *mailboxes)
{
	char name[64];

	make_pair(bench, id);
	snprintf(name, sizeof(name), "agencies.d/%s.conf", id);
	bench_write(bench, name,
		    "agency: {\n\tid = \"%s\";\n\tname = \"%s\";\n"
		    "\tkeys = ( { label = \"a\"; public_file = \"keys/%s.pub\"; } );\n"
		    "\tmailboxes = ( %s );\n};\n",
		    id, id, id, mailboxes);
}

/* From the sources `first` and up, as many as one agreement may name, to one recipient. */
static void write_agreement(const struct bench *bench, const char *to, int first)
{
	char name[64], quoted[SOURCES_PER_AGREEMENT * 16] = "";
	char grants[SOURCES_PER_AGREEMENT * 64] = "";
	size_t used = 0, granted = 0;

	for (int i = first; i < n_sources(bench) && i < first + SOURCES_PER_AGREEMENT; i++) {
		const char *comma = i == first ? "" : ", ";

		used += (size_t)snprintf(quoted + used, sizeof(quoted) - used, "%s\"p%d\"", comma, i);
		granted += (size_t)snprintf(grants + granted, sizeof(grants) - granted,
					    "%s{ agency = \"p%d\"; types = [ \"prison.released\" ]; }",
					    comma, i);
	}
	snprintf(name, sizeof(name), "agreements.d/%s-%d.conf", to, first);
	bench_write(bench, name,
		    "agreement: {\n\tid = \"to-%s-%d\";\n\ttitle = \"Measured\";\n"
		    "\tvalid_from = \"2020-01-01\";\n\tvalid_to = \"2099-01-01\";\n"
		    "\tpurpose = \"measuring\";\n\tgateway = \"none\";\n\trecipient = \"other\";\n"
		    "\tparties = [ %s, \"%s\" ];\n\tpublish = ( %s );\n"
		    "\tdeliver = ( { mailbox = \"%s/in\"; from = [ %s ];\n"
		    "\t\ttypes = [ \"prison.released\" ]; } );\n};\n",
		    to, first, quoted, to, grants, to, quoted);
}

/* Agencies that are only there: each may send arrests to the next. */
static void write_others(const struct bench *bench)
{
	int n = (int)bench->options.numbers.agencies - bench->n_subscribers - n_sources(bench);

	for (int i = 0; i < n; i++) {
		char id[32], name[64];
		int next = (i + 1) % n;

		snprintf(id, sizeof(id), "x%d", i);
		write_agency(bench, id, "{ box = \"in\"; }");
		if (next == i)
			continue;
		snprintf(name, sizeof(name), "agreements.d/%s.conf", id);
		bench_write(bench, name,
			    "agreement: {\n\tid = \"x%d\";\n\ttitle = \"Others\";\n"
			    "\tvalid_from = \"2020-01-01\";\n\tvalid_to = \"2099-01-01\";\n"
			    "\tpurpose = \"measuring\";\n\tgateway = \"none\";\n"
			    "\trecipient = \"other\";\n\tparties = [ \"x%d\", \"x%d\" ];\n"
			    "\tpublish = ( { agency = \"x%d\"; types = [ \"police.arrest\" ]; } );\n"
			    "\tdeliver = ( { mailbox = \"x%d/in\"; from = [ \"x%d\" ];\n"
			    "\t\ttypes = [ \"police.arrest\" ]; } );\n};\n",
			    i, i, next, i, next, i);
	}
}

static void write_configuration(struct bench *bench)
{
	char id[32];

	make_keys(bench);
	for (int i = 0; i < n_sources(bench); i++) {
		source_name(bench, i, id);
		write_agency(bench, id, "");
	}
	for (int i = 0; i < bench->n_subscribers; i++) {
		snprintf(id, sizeof(id), "s%d", i);
		write_agency(bench, id, "{ box = \"in\"; }");
		for (int first = 0; first < n_sources(bench); first += SOURCES_PER_AGREEMENT)
			write_agreement(bench, id, first);
	}
	write_others(bench);
	bench_write(bench, "ttgd.conf",
		    "listen: { endpoint = \"tcp://127.0.0.1:%d\"; key_file = \"keys/broker.key\";\n"
		    "\thttp_port = 0; control_socket = \"control\"; };\n"
		    "limits: { io_threads = %d; };\n"
		    "journal: { directory = \"journal\"; key_file = \"keys/journal.key\";\n"
		    "\tsegment_bytes = %llu; reserve_bytes = 0; };\n%s"
		    "log: { level = \"notice\"; };\n",
		    bench->port, (int)bench->options.numbers.io_threads,
		    (unsigned long long)bench->options.numbers.segment_bytes,
		    bench->options.numbers.sealed ?
			    "keys: { directory = \"store\"; master_file = \"keys/master.key\"; };\n" :
			    "");
}

static void start(struct bench *bench)
{
	char program[PATH_MAX + 8];

	if (!bench->driver_state) {
		bench->driver_state = calloc(BENCH_PEERS, sizeof(struct peer));
		if (!bench->driver_state)
			bench_die("no memory");
		write_configuration(bench);
	}
	snprintf(program, sizeof(program), "%s/ttgd", bench->options.bin);
	if (access(program, X_OK) != 0)
		bench_die("%s: %s: --bin names the folder of ttgd", program, strerror(errno));
	broker_start(&bench->broker, bench->place,
		     (const char *const[]){ program, "--config", "ttgd.conf", NULL });
}

static void on_outcome(void *user, const struct ttg_outcome *outcome)
{
	struct peer *peer = user;

	if (outcome->code != TTG_OK || outcome->duplicate)
		bench_die("ttgd: not accepted: %s %s", ttg_error_name(outcome->code), outcome->text);
	load_accepted(peer->bench, peer->number, (uint64_t)(uintptr_t)outcome->tag);
}

static void on_delivery(void *user, const struct ttg_delivery *delivery)
{
	struct peer *peer = user;

	peer->acknowledge = delivery->position;
	load_delivered(peer->bench, peer->number - peer->bench->n_publishers, delivery->event,
		       delivery->event_bytes);
}

static void on_batch(void *user, const char *mailbox)
{
	struct peer *peer = user;

	must(ttg_client_ack_up_to(peer->client, mailbox, peer->acknowledge), "acknowledge", "");
}

static void on_attached(void *user, const char *mailbox, bool active, uint64_t acknowledged)
{
	struct peer *peer = user;

	(void)mailbox;
	(void)acknowledged;
	peer->attached = active;
}

static void on_state(void *user, enum ttg_state state, enum ttg_error code, const char *text)
{
	const struct peer *peer = user;

	if (state == TTG_STATE_FAILED || (code != TTG_OK && peer->attached))
		bench_die("ttgd: peer %d: %s %s", peer->number, ttg_error_name(code), text);
}

static void open_peer(struct bench *bench, int number)
{
	struct peer *peer = peer_of(bench, number);
	const int publishers = bench->n_publishers;
	char id[32], broker[64], server[BENCH_PATH + 64], key[BENCH_PATH + 64];
	char message[TTG_MESSAGE_TEXT];

	if (number < publishers)
		source_name(bench, number, id);
	else
		snprintf(id, sizeof(id), "s%d", number - publishers);
	snprintf(broker, sizeof(broker), "tcp://127.0.0.1:%d", bench->port);
	snprintf(server, sizeof(server), "%s/keys/broker.pub", bench->place);
	snprintf(key, sizeof(key), "%s/keys/%s.key", bench->place, id);
	*peer = (struct peer){ .bench = bench, .number = number };
	const struct ttg_client_options options = {
		.broker = broker, .server_key_file = server, .key_file = key,
		.reconnect_min_ms = 5, .reconnect_max_ms = 50, .max_pending = 1000000,
		.callbacks = { peer, on_outcome, on_delivery, on_batch, on_state, on_attached },
	};
	must(ttg_client_new(&peer->client, &options, message), "client", message);
	if (number >= publishers)
		must(ttg_client_attach(peer->client, "in", CREDIT), "attach", "");
}

static void work(struct bench *bench, int number)
{
	struct peer *peer = peer_of(bench, number);

	must(ttg_client_poll(peer->client, 0), "poll", "");
}

static bool ready(struct bench *bench, int number)
{
	const struct peer *peer = peer_of(bench, number);

	return ttg_client_state(peer->client) == TTG_STATE_READY &&
	       (number < bench->n_publishers || peer->attached);
}

static int descriptor(struct bench *bench, int number)
{
	return ttg_client_fd(peer_of(bench, number)->client);
}

static void publish(struct bench *bench, int number, const struct event *event)
{
	must(ttg_client_publish(peer_of(bench, number)->client, event->id, event->bytes, event->len,
				(void *)(uintptr_t)event->number),
	     "publish", "");
}

static void close_peer(struct bench *bench, int number)
{
	struct peer *peer = peer_of(bench, number);
	const int64_t until_ns = bench_now_ns() + 5 * NS_PER_S;

	peer->attached = false;
	ttg_client_close_begin(peer->client);
	while (!ttg_client_closed(peer->client) && bench_now_ns() < until_ns)
		ttg_client_poll(peer->client, 10);
	ttg_client_free(&peer->client);
}

const struct driver driver_ttgd = {
	.name = "ttgd",
	.confirmed = "on disk, chained, encrypted",
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
