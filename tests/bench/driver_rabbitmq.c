/*
 * RabbitMQ quorum queues: a queue for each subscriber, all bound to one fanout exchange, persistent
 * messages, publisher confirms, manual acknowledgement, TLS. One node, so a confirm means that its
 * log has been synced.
 *
 * Owner: the program's only thread. Client: librabbitmq. The broker's node runs as our child, without
 * the packaged service's settings, and so does the port mapper Erlang wants beside it.
 */
#include <amqp.h>
#include <amqp_ssl_socket.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include "bench/stream.h"

#define CHANNEL 1
#define PREFETCH 2000     /* what the queues' makers advise at most */
#define UNANSWERED 1048576 /* of one publisher, at most */
#define EXCHANGE "events"

struct peer {
	amqp_connection_state_t connection;
	amqp_socket_t *socket;
	bool *answered;           /* ring by number, from `lowest` on */
	uint64_t lowest;          /* first number without an answer */
	uint64_t newest;          /* published */
	uint64_t acknowledge;     /* delivery tag; 0: nothing new */
};

struct rabbit {
	int mapper_port, node_port;
	struct peer peers[BENCH_PEERS + 1];
};

static struct peer *peer_of(struct bench *bench, int number)
{
	return &((struct rabbit *)bench->driver_state)->peers[number];
}

static void must_reply(amqp_rpc_reply_t reply, const char *what)
{
	if (reply.reply_type == AMQP_RESPONSE_NORMAL)
		return;
	if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION)
		bench_die("rabbitmq: %s: %s", what, amqp_error_string2(reply.library_error));
	bench_die("rabbitmq: %s: refused, method %x", what, reply.reply.id);
}

static void must(amqp_connection_state_t connection, const char *what)
{
	must_reply(amqp_get_rpc_reply(connection), what);
}

static void write_configuration(const struct bench *bench)
{
	bench_write(bench, "rabbit/rabbitmq.conf",
		    "listeners.tcp = none\nlisteners.ssl.1 = 127.0.0.1:%d\n"
		    "ssl_options.cacertfile = %s/tls/cert.pem\n"
		    "ssl_options.certfile = %s/tls/cert.pem\nssl_options.keyfile = %s/tls/key.pem\n"
		    "ssl_options.verify = verify_none\nssl_options.fail_if_no_peer_cert = false\n"
		    "log.console = true\nlog.console.level = error\nlog.file = false\n"
		    "collect_statistics_interval = 60000\n",
		    bench->port, bench->place, bench->place, bench->place);
	bench_write(bench, "rabbit/plugins", "[].\n");
	bench_write(bench, "rabbit/environment.conf", "# Nothing of the packaged service's.\n");
}

/* The script ends in exec with these settings: the node is our child itself. */
static void start_node(struct bench *bench, const struct rabbit *rabbit)
{
	char home[BENCH_PATH + 32], base[BENCH_PATH + 64], logs[BENCH_PATH + 64];
	char conf[BENCH_PATH + 64], environment[BENCH_PATH + 64], plugins[BENCH_PATH + 64];
	char mapper[64], node[64];

	snprintf(home, sizeof(home), "HOME=%s/rabbit", bench->place);
	snprintf(base, sizeof(base), "RABBITMQ_MNESIA_BASE=%s/rabbit/data", bench->place);
	snprintf(logs, sizeof(logs), "RABBITMQ_LOG_BASE=%s/rabbit/log", bench->place);
	snprintf(conf, sizeof(conf), "RABBITMQ_CONFIG_FILE=%s/rabbit/rabbitmq", bench->place);
	snprintf(environment, sizeof(environment), "RABBITMQ_CONF_ENV_FILE=%s/rabbit/environment.conf",
		 bench->place);
	snprintf(plugins, sizeof(plugins), "RABBITMQ_ENABLED_PLUGINS_FILE=%s/rabbit/plugins",
		 bench->place);
	snprintf(mapper, sizeof(mapper), "ERL_EPMD_PORT=%d", rabbit->mapper_port);
	snprintf(node, sizeof(node), "RABBITMQ_DIST_PORT=%d", rabbit->node_port);
	broker_start(&bench->broker, bench->place,
		     (const char *const[]){
			     "env", home, base, logs, conf, environment, plugins, mapper, node,
			     "RABBITMQ_NODENAME=bench@localhost", "ERL_EPMD_ADDRESS=127.0.0.1",
			     "RABBITMQ_ALLOW_INPUT=1",
			     "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-noinput "
			     "-kernel inet_dist_use_interface {127,0,0,1}",
			     "/usr/lib/rabbitmq/bin/rabbitmq-server", NULL });
}

static void start(struct bench *bench)
{
	struct rabbit *rabbit = bench->driver_state;

	if (!rabbit) {
		char port[16];

		bench->driver_state = rabbit = calloc(1, sizeof(*rabbit));
		if (!rabbit)
			bench_die("no memory");
		stream_make_certificate(bench);
		write_configuration(bench);
		rabbit->mapper_port = bench_free_port();
		rabbit->node_port = bench_free_port();
		snprintf(port, sizeof(port), "%d", rabbit->mapper_port);
		broker_start(&bench->helper, bench->place,
			     (const char *const[]){ "epmd", "-address", "127.0.0.1", "-port", port,
						    NULL });
		bench_wait_port(bench, rabbit->mapper_port);
	}
	start_node(bench, rabbit);
}

static void connect_peer(struct bench *bench, struct peer *peer)
{
	char path[BENCH_PATH + 16];

	*peer = (struct peer){ .connection = amqp_new_connection(), .lowest = 1 };
	peer->socket = peer->connection ? amqp_ssl_socket_new(peer->connection) : NULL;
	snprintf(path, sizeof(path), "%s/tls/cert.pem", bench->place);
	if (!peer->socket || amqp_ssl_socket_set_cacert(peer->socket, path) != AMQP_STATUS_OK)
		bench_die("rabbitmq: no TLS");
	int error = amqp_socket_open(peer->socket, "localhost", bench->port);
	if (error != AMQP_STATUS_OK)
		bench_die("rabbitmq: cannot connect: %s", amqp_error_string2(error));
	must_reply(amqp_login(peer->connection, "/", 0, AMQP_DEFAULT_FRAME_SIZE, 0,
			      AMQP_SASL_METHOD_PLAIN, "guest", "guest"),
		   "login");
	amqp_channel_open(peer->connection, CHANNEL);
	must(peer->connection, "channel");
}

static void disconnect_peer(struct peer *peer)
{
	amqp_destroy_connection(peer->connection);
	free(peer->answered);
	*peer = (struct peer){ 0 };
}

static amqp_bytes_t queue_name(char text[16], int subscriber)
{
	snprintf(text, 16, "s%d", subscriber);
	return amqp_cstring_bytes(text);
}

static void prepare(struct bench *bench)
{
	struct peer *peer = peer_of(bench, BENCH_PEERS);
	amqp_table_entry_t kind = { .key = amqp_cstring_bytes("x-queue-type"),
				    .value = { .kind = AMQP_FIELD_KIND_UTF8 } };
	const amqp_table_t arguments = { 1, &kind };
	const amqp_bytes_t exchange = amqp_cstring_bytes(EXCHANGE);

	kind.value.value.bytes = amqp_cstring_bytes("quorum");
	connect_peer(bench, peer);
	amqp_exchange_declare(peer->connection, CHANNEL, exchange, amqp_cstring_bytes("fanout"), 0, 1,
			      0, 0, amqp_empty_table);
	must(peer->connection, "exchange");
	for (int i = 0; i < bench->n_subscribers; i++) {
		char text[16];
		const amqp_bytes_t queue = queue_name(text, i);

		amqp_queue_declare(peer->connection, CHANNEL, queue, 0, 1, 0, 0, arguments);
		must(peer->connection, "queue");
		amqp_queue_bind(peer->connection, CHANNEL, queue, exchange, amqp_empty_bytes,
				amqp_empty_table);
		must(peer->connection, "binding");
	}
	disconnect_peer(peer);
}

static void open_peer(struct bench *bench, int number)
{
	struct peer *peer = peer_of(bench, number);
	char text[16];

	connect_peer(bench, peer);
	if (number < bench->n_publishers) {
		peer->answered = calloc(UNANSWERED, sizeof(*peer->answered));
		if (!peer->answered)
			bench_die("no memory");
		amqp_confirm_select(peer->connection, CHANNEL);
		must(peer->connection, "confirms");
		return;
	}
	amqp_basic_qos(peer->connection, CHANNEL, 0, PREFETCH, 0);
	must(peer->connection, "prefetch");
	amqp_basic_consume(peer->connection, CHANNEL,
			   queue_name(text, number - bench->n_publishers), amqp_empty_bytes, 0, 0, 0,
			   amqp_empty_table);
	must(peer->connection, "consume");
}

/* The broker counts what comes on a channel from 1, as we do. */
static void publish(struct bench *bench, int number, const struct event *event)
{
	struct peer *peer = peer_of(bench, number);
	const amqp_basic_properties_t properties = { ._flags = AMQP_BASIC_DELIVERY_MODE_FLAG,
						     .delivery_mode = AMQP_DELIVERY_PERSISTENT };
	const amqp_bytes_t body = { event->len, event->bytes };

	peer->newest = event->number;
	if (peer->newest - peer->lowest >= UNANSWERED)
		bench_die("rabbitmq: too much without an answer");
	int error = amqp_basic_publish(peer->connection, CHANNEL, amqp_cstring_bytes(EXCHANGE),
				       amqp_empty_bytes, 0, 0, &properties, body);
	if (error != AMQP_STATUS_OK)
		bench_die("rabbitmq: publish: %s", amqp_error_string2(error));
}

static void take_confirm(struct bench *bench, int number, uint64_t tag, bool multiple)
{
	struct peer *peer = peer_of(bench, number);

	if (tag > peer->newest)
		bench_die("rabbitmq: confirms what was not published");
	for (uint64_t n = multiple ? peer->lowest : tag; n <= tag; n++) {
		bool *answered = &peer->answered[n % UNANSWERED];

		if (n < peer->lowest || *answered)
			continue;
		*answered = true;
		load_accepted(bench, number, n);
	}
	while (peer->lowest <= peer->newest && peer->answered[peer->lowest % UNANSWERED])
		peer->answered[peer->lowest++ % UNANSWERED] = false;
}

static void work_publisher(struct bench *bench, int number)
{
	const amqp_connection_state_t connection = peer_of(bench, number)->connection;
	const struct timeval at_once = { 0, 0 };
	amqp_frame_t frame;
	int status;

	amqp_maybe_release_buffers(connection);
	while ((status = amqp_simple_wait_frame_noblock(connection, &frame, &at_once)) ==
	       AMQP_STATUS_OK) {
		if (frame.frame_type != AMQP_FRAME_METHOD)
			continue;
		if (frame.payload.method.id != AMQP_BASIC_ACK_METHOD)
			bench_die("rabbitmq: method %x instead of a confirm", frame.payload.method.id);
		const amqp_basic_ack_t ack = *(amqp_basic_ack_t *)frame.payload.method.decoded;
		take_confirm(bench, number, ack.delivery_tag, ack.multiple);
	}
	if (status != AMQP_STATUS_TIMEOUT)
		bench_die("rabbitmq: %s", amqp_error_string2(status));
}

static void work_subscriber(struct bench *bench, int number)
{
	struct peer *peer = peer_of(bench, number);
	const struct timeval at_once = { 0, 0 };
	amqp_envelope_t envelope;
	amqp_rpc_reply_t reply;

	for (;;) {
		amqp_maybe_release_buffers(peer->connection);
		reply = amqp_consume_message(peer->connection, &envelope, &at_once, 0);
		if (reply.reply_type != AMQP_RESPONSE_NORMAL)
			break;
		peer->acknowledge = envelope.delivery_tag;
		load_delivered(bench, number - bench->n_publishers, envelope.message.body.bytes,
			       envelope.message.body.len);
		amqp_destroy_envelope(&envelope);
	}
	if (reply.reply_type != AMQP_RESPONSE_LIBRARY_EXCEPTION ||
	    reply.library_error != AMQP_STATUS_TIMEOUT)
		bench_die("rabbitmq: consuming ended");
	if (peer->acknowledge)
		amqp_basic_ack(peer->connection, CHANNEL, peer->acknowledge, 1);
	peer->acknowledge = 0;
}

static void work(struct bench *bench, int number)
{
	if (number < bench->n_publishers)
		work_publisher(bench, number);
	else
		work_subscriber(bench, number);
}

static int descriptor(struct bench *bench, int number)
{
	return amqp_get_sockfd(peer_of(bench, number)->connection);
}

static bool ready(struct bench *bench, int number)
{
	return peer_of(bench, number)->connection != NULL;
}

static void close_peer(struct bench *bench, int number)
{
	disconnect_peer(peer_of(bench, number));
}

const struct driver driver_rabbitmq = {
	.name = "rabbitmq",
	.confirmed = "on disk",
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
