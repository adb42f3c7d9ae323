/*
 * The loop and its sockets. Owner: the one thread that calls server_run(). What a cycle does
 * between two looks at the sockets, stands in step.c, recovery in
 * recover.c.
 *
 * Back-pressure: while more than half of the journal's buffer is staged, frames are not read. The
 * peers' own windows and libzmq's queues fill, and publishers wait; nothing is dropped.
 *
 * Stop: on SIGTERM new events are refused (retryable), what is staged becomes durable and is
 * answered, consumers get a moment to acknowledge, everybody hears Goodbye, a snapshot is written.
 * When the journal fails nothing more is said to anybody; the process ends with its code.
 */
#include "net/server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/keyfile.h"
#include "net/archiver.h"
#include "net/control.h"
#include "net/http.h"
#include "net/monitor.h"
#include "net/keys.h"
#include "net/net.h"
#include "net/sealer.h"
#include "net/zap.h"

#define NS_PER_MS 1000000LL
#define DRAIN_MS 3000           /* how long consumers may go on acknowledging after SIGTERM */
#define GREETING_MS 2000        /* how long the start waits for the signer's first word */
#define SLOW_CYCLE_NS (100 * NS_PER_MS)
#define POLL_MAX_MS 1000
#define BLOCKED_RETRY_MS 20
/* Frames queued to one peer that does not read, of SINK_FRAME_BYTES at most, one large event apart. */
#define ROUTER_HWM 128
#define READ_HWM 16 /* frames of one peer that wait for the loop, a MiB each at most; then his socket fills */
#define LISTEN_BACKLOG 1024

enum { POLL_ROUTER, POLL_ZAP, POLL_MONITOR, POLL_SIGNAL, POLL_JOURNAL, POLL_HTTP, POLL_FIXED };

static enum ttg_error bind_sockets(struct net *net, struct message *message);
static void cycle(struct net *net);
static void take_signals(struct net *net);
static bool drained(struct net *net);

/* What the goodbyes appended, so that the last snapshot may stand for it. */
static void wait_durable(struct net *net)
{
	journal_flush(net->journal);
	const int64_t until_ns = net->world->mono_ns(net->world->self) + DRAIN_MS * NS_PER_MS;
	while (journal_durable(net->journal) < core_sequence(net->core) &&
	       !journal_failure(net->journal, NULL) &&
	       net->world->mono_ns(net->world->self) < until_ns) {
		zmq_pollitem_t item = { .fd = journal_wake_fd(net->journal), .events = ZMQ_POLLIN };
		zmq_poll(&item, 1, POLL_MAX_MS / 10);
		journal_wake_clear(net->journal);
	}
}

enum ttg_error server_run(struct net *net, struct message *message)
{
	sd_notify(0, "READY=1");
	log_write(net->log, LOG_LEVEL_NOTICE, "ready", "version=%s endpoint=%s", TTG_VERSION,
		  net->endpoint);
	while (!net->failure && !drained(net))
		cycle(net);
	sd_notify(0, "STOPPING=1");
	if (net->failure) {
		if (journal_failure(net->journal, message) == TTG_OK)
			message_set(message, net->failure, "%s", ttg_error_text(net->failure));
		log_write(net->log, LOG_LEVEL_ERROR, "failed", "code=%s reason=\"%s\"",
			  ttg_error_name(net->failure), message ? message->text : "");
		return net->failure;
	}
	net_goodbye_all(net, TTG_SESSION_STOPPING);
	refusals_record(net);
	wait_durable(net);
	log_write(net->log, LOG_LEVEL_NOTICE, "stopped", "accepted=%llu delivered=%llu",
		  (unsigned long long)net->counters.accepted,
		  (unsigned long long)net->counters.deliveries);
	return TTG_OK;
}

static int poll_timeout_ms(const struct net *net, const struct core_now *now)
{
	int64_t until = net->next_core_ns;
	if (net->next_second_ns < until)
		until = net->next_second_ns;
	if (archiver_next_ns(net->archiver) < until)
		until = archiver_next_ns(net->archiver);
	if (net->flush_at_ns != 0 && net->flush_at_ns < until)
		until = net->flush_at_ns;
	if (net->stopping || control_watching(net->control))
		until = until < now->mono_ns + BLOCKED_RETRY_MS * NS_PER_MS ?
				until :
				now->mono_ns + BLOCKED_RETRY_MS * NS_PER_MS;
	if (control_busy(net->control) || net->flush_now || until <= now->mono_ns)
		return 0;
	const int64_t wait_ms = (until - now->mono_ns + NS_PER_MS - 1) / NS_PER_MS;
	return wait_ms < POLL_MAX_MS ? (int)wait_ms : POLL_MAX_MS;
}

/* Asked where it matters: libzmq looks for commands of its own each time, which are system calls. */
static bool has_input(void *socket)
{
	int events = 0;
	size_t size = sizeof events;
	return zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size) == 0 && (events & ZMQ_POLLIN);
}

static int descriptor_of(void *socket)
{
	int fd = -1;
	size_t size = sizeof fd;
	return zmq_getsockopt(socket, ZMQ_FD, &fd, &size) == 0 ? fd : -1;
}

/*
 * A socket's descriptor tells of a change once, after the socket was found empty, and whatever is
 * done with the socket may take that sign away. What is left at the monitor and the ZAP socket is
 * remembered; the router, which sends too, is asked before the loop waits.
 */
static void cycle(struct net *net)
{
	zmq_pollitem_t items[POLL_FIXED + CONTROL_DESCRIPTORS + 1] = {
		[POLL_ROUTER] = { .fd = net->router_fd, .events = ZMQ_POLLIN },
		[POLL_ZAP] = { .fd = net->zap_fd, .events = ZMQ_POLLIN },
		[POLL_MONITOR] = { .fd = monitor_fd(net), .events = ZMQ_POLLIN },
		[POLL_SIGNAL] = { .fd = net->signal_fd, .events = ZMQ_POLLIN },
		[POLL_JOURNAL] = { .fd = journal_wake_fd(net->journal), .events = ZMQ_POLLIN },
		[POLL_HTTP] = { .fd = http_fd(net->http), .events = ZMQ_POLLIN },
	};
	struct core_now now = net_now(net);
	const bool read = net_has_room(net);
	if (!read) {
		items[POLL_ROUTER].events = 0;
		net->counters.paused_cycles++;
	}
	const int n_control = control_poll_items(net->control, items + POLL_FIXED);
	int n_items = POLL_FIXED + n_control;
	if (sealer_fd(net->sealer) >= 0) /* net_step() looks for what came */
		items[n_items++] = (zmq_pollitem_t){ .fd = sealer_fd(net->sealer),
						     .events = ZMQ_POLLIN };
	const bool waits = read && has_input(net->router);
	const bool left_over = net->zap_waits || monitor_waits(net);
	const int timeout_ms = waits || left_over ? 0 : poll_timeout_ms(net, &now);
	if (zmq_poll(items, n_items, timeout_ms) < 0 && zmq_errno() != EINTR) {
		net->failure = TTG_ESYS;
		return;
	}
	const int64_t began_ns = net->world->mono_ns(net->world->self);
	if (items[POLL_SIGNAL].revents)
		take_signals(net);
	if (items[POLL_ZAP].revents || net->zap_waits) {
		zap_serve(net->zap, net);
		net->zap_waits = has_input(zap_socket(net->zap));
	}
	if (items[POLL_MONITOR].revents || monitor_waits(net) || now.mono_ns >= net->next_second_ns)
		monitor_serve(net);
	if (items[POLL_JOURNAL].revents)
		journal_wake_clear(net->journal);
	now = net_step(net, waits || (read && items[POLL_ROUTER].revents));
	if (net->failure)
		return;
	if (items[POLL_HTTP].revents || http_is_due(net->http))
		http_serve(net->http);
	control_serve(net->control, items + POLL_FIXED, n_control);
	net_upkeep(net, &now);

	const int64_t took_ns = net->world->mono_ns(net->world->self) - began_ns;
	if (took_ns > SLOW_CYCLE_NS) {
		net->counters.slow_cycles++;
		log_write(net->log, LOG_LEVEL_INFO, "slow_cycle", "ms=%lld",
			  (long long)(took_ns / NS_PER_MS));
	}
}

static void take_signals(struct net *net)
{
	struct signalfd_siginfo info;
	while (read(net->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
		if (info.ssi_signo == SIGHUP) {
			net->reload_wanted = true;
		} else if (!net->stopping) {
			net->stopping = true;
			net->stop_at_mono_ns = net->world->mono_ns(net->world->self) +
					       DRAIN_MS * NS_PER_MS;
			log_write(net->log, LOG_LEVEL_NOTICE, "stopping", "signal=%u",
				  info.ssi_signo);
		}
	}
}

/* Stopping, and everything said that had to be said, or out of patience. */
static bool drained(struct net *net)
{
	if (!net->stopping)
		return false;
	struct journal_stats stats;
	journal_get_stats(net->journal, &stats);
	if (stats.durable_sequence + 1 < stats.next_sequence)
		return false; /* waits for the disk, or for its failure */
	if (net->world->mono_ns(net->world->self) >= net->stop_at_mono_ns)
		return true;
	if (sealer_owes(net->sealer, net))
		return false;
	const struct session *session = NULL;
	for (session = net->sessions.by_number; session; session = session->by_number.next)
		if (session->replies)
			return false;
	for (size_t i = 0; i < core_mailbox_count(net->core); i++) {
		struct core_mailbox_view view;
		core_mailbox_view(net->core, i, &view);
		if (view.in_flight > 0)
			return false;
	}
	return true;
}

/*
 * libzmq lets strangers in when the ZAP handler is missing, unless ZMQ_ZAP_ENFORCE_DOMAIN is set,
 * which its stable API does not have. So the handler stands before this socket and goes after it,
 * and dispatch.c drops every message that carries no authenticated key.
 */
static enum ttg_error bind_router(struct net *net, const struct key_pair *pair,
				  struct message *message)
{
	const int one = 1, hwm = ROUTER_HWM, read_hwm = READ_HWM, linger = 500;
	const int handshake = MONITOR_HANDSHAKE_MS;
	const int beat = (int)net->config->heartbeat_ms, backlog = LISTEN_BACKLOG;
	const int silence = 3 * beat, six = strchr(net->config->endpoint, '[') != NULL;
	const int64_t max_message = net->config->max_frame_bytes;
	void *router = net->router = zmq_socket(net->zmq, ZMQ_ROUTER);
	if (!router || zmq_setsockopt(router, ZMQ_CURVE_SERVER, &one, sizeof one) ||
	    zmq_setsockopt(router, ZMQ_CURVE_SECRETKEY, pair->secret_z85, KEYFILE_Z85) ||
	    zmq_setsockopt(router, ZMQ_ZAP_DOMAIN, ZAP_DOMAIN, strlen(ZAP_DOMAIN)) ||
	    zmq_setsockopt(router, ZMQ_ROUTER_MANDATORY, &one, sizeof one) ||
	    zmq_setsockopt(router, ZMQ_SNDHWM, &hwm, sizeof hwm) ||
	    zmq_setsockopt(router, ZMQ_RCVHWM, &read_hwm, sizeof read_hwm) ||
	    zmq_setsockopt(router, ZMQ_MAXMSGSIZE, &max_message, sizeof max_message) ||
	    zmq_setsockopt(router, ZMQ_LINGER, &linger, sizeof linger) ||
	    zmq_setsockopt(router, ZMQ_HANDSHAKE_IVL, &handshake, sizeof handshake) ||
	    zmq_setsockopt(router, ZMQ_HEARTBEAT_IVL, &beat, sizeof beat) ||
	    zmq_setsockopt(router, ZMQ_HEARTBEAT_TIMEOUT, &silence, sizeof silence) ||
	    zmq_setsockopt(router, ZMQ_BACKLOG, &backlog, sizeof backlog) ||
	    zmq_setsockopt(router, ZMQ_IPV6, &six, sizeof six))
		return message_set(message, TTG_ESYS, "cannot set up the agencies' socket: %s",
				   zmq_strerror(zmq_errno()));
	const enum ttg_error error = monitor_open(net, message);
	if (error)
		return error;
	if (zmq_bind(router, net->config->endpoint) != 0)
		return message_set(message, TTG_ESYS, "cannot listen on %s: %s",
				   net->config->endpoint, zmq_strerror(zmq_errno()));
	size_t size = sizeof net->endpoint;
	zmq_getsockopt(router, ZMQ_LAST_ENDPOINT, net->endpoint, &size);
	return TTG_OK;
}

static enum ttg_error bind_sockets(struct net *net, struct message *message)
{
	struct key_pair pair = { "", "" };
	enum ttg_error error = keyfile_read_secret(net->config->key_file, &pair, message);
	if (error)
		goto out;
	net->zmq = zmq_ctx_new();
	if (!net->zmq) {
		error = message_set(message, TTG_ENOMEM, "no memory for ZeroMQ");
		goto out;
	}
	zmq_ctx_set(net->zmq, ZMQ_IO_THREADS, (int)net->config->io_threads);
	zmq_ctx_set(net->zmq, ZMQ_MAX_SOCKETS, 16);
	error = zap_open(&net->zap, net->zmq, message);
	if (!error)
		error = bind_router(net, &pair, message);
	if (!error) {
		net->router_fd = descriptor_of(net->router);
		net->zap_fd = descriptor_of(zap_socket(net->zap));
		/* A descriptor tells of nothing until the socket was found empty once. */
		net->zap_waits = true;
	}
	if (!error)
		error = http_open(&net->http, net, message);
	if (!error)
		error = control_open(&net->control, net, message);
out:
	wipe(&pair, sizeof pair);
	return error;
}

enum ttg_error server_new(struct net **out, const struct server_options *options,
			  struct message *message)
{
	struct net *net = calloc(1, sizeof *net);

	*out = net;
	if (!net) {
		config_free(&(struct config *){ options->take_config });
		return message_set(message, TTG_ENOMEM, "no memory for the server");
	}
	net->world = options->world;
	net->log = options->log;
	net->config = options->take_config;
	net->signal_fd = options->signal_fd;
	net->threaded = true;
	net->limiter = limiter_new();
	if (!net->limiter || !arena_init(&net->frame, ARENA_CLIENT_MAX) ||
	    net_make_core(net, options->person_secret) != TTG_OK) {
		server_close(out);
		return message_set(message, TTG_ENOMEM, "no memory for the server");
	}
	return TTG_OK;
}

void server_take_early(void *net, uint64_t sequence, const uint8_t *data, size_t len)
{
	net_take_early(net, sequence, data, len);
}

static void start_clocks(struct net *net)
{
	uint64_t watchdog_us = 0;

	net->started_mono_ns = net->durable_moved_ns = net->world->mono_ns(net->world->self);
	net->started_real_ns = net->world->real_ns(net->world->self);
	net->next_retain_ns = net->started_mono_ns;
	if (sd_watchdog_enabled(0, &watchdog_us) > 0)
		net->watchdog_ns = (int64_t)watchdog_us * 1000;
}

static enum ttg_error make_sealer(struct net *net, struct message *message)
{
	const struct config *config = net->config;
	struct signer_link link;
	struct verify_key *key = NULL;
	enum ttg_error error = TTG_OK;

	if (config->signer_socket[0] == '\0')
		return TTG_OK;
	if (config->seal_public_file[0] != '\0')
		error = verify_key_read(config->seal_public_file, &key, message);
	if (error)
		return error;
	if (!signer_link_unix(config->signer_socket, &link)) {
		verify_key_free(&key);
		return message_set(message, TTG_ENOMEM, "no memory for the way to the signer");
	}
	error = sealer_new(&net->sealer, net, &link, key);
	return error ? message_set(message, error, "no memory for seals") : TTG_OK;
}

/*
 * Before anybody may publish: if the signer is there, is this the journal that it sealed? One that is
 * away, or busy, is not waited for.
 */
static enum ttg_error ask_signer(struct net *net, struct message *message)
{
	const int64_t until_ns = net->world->mono_ns(net->world->self) + GREETING_MS * NS_PER_MS;
	struct sealer_view view;

	sealer_step(net->sealer, net);
	while (!net->failure && !sealer_settled(net->sealer) &&
	       net->world->mono_ns(net->world->self) < until_ns) {
		zmq_pollitem_t item = { .fd = sealer_fd(net->sealer), .events = ZMQ_POLLIN };
		zmq_poll(&item, 1, GREETING_MS / 10);
		sealer_step(net->sealer, net);
	}
	if (!net->failure)
		return TTG_OK;
	sealer_get_view(net->sealer, &view);
	return message_set(message, net->failure, "%s", view.why);
}

enum ttg_error server_open(struct net *net, struct journal *journal,
			   const struct server_stores *stores, struct message *message)
{
	net->journal = journal;
	start_clocks(net);
	enum ttg_error error = net_keys_open(net, stores->keys, message);
	if (!error)
		error = net_recover(net, message);
	const struct core_now now = net_now(net);
	if (!error) {
		error = net_keys_reconcile(net);
		if (error)
			net_explain_rules(net, error, message);
	}
	if (!error)
		error = make_sealer(net, message);
	if (!error && stores->archive && archiver_new(&net->archiver, net, stores->archive) != TTG_OK)
		error = message_set(message, TTG_ENOMEM, "no memory for the archive");
	if (!error)
		error = ask_signer(net, message);
	if (!error) {
		error = core_set_rules(net->core, &now, net->config->rules);
		if (error)
			net_explain_rules(net, error, message);
	}
	if (!error)
		error = journal_flush(net->journal);
	if (!error)
		error = bind_sockets(net, message);
	return error;
}

void server_close(struct net **handle)
{
	struct net *net = *handle;
	if (!net)
		return;
	if (net->core && !net->failure && net->control)
		net_save_last_snapshot(net);
	control_close(&net->control);
	http_close(&net->http);
	monitor_close(net);
	if (net->router)
		zmq_close(net->router);
	if (net->zap)
		zap_close(&net->zap);
	if (net->zmq)
		zmq_ctx_term(net->zmq);
	net_drop_snapshot(net);
	net_drop_sessions(net);
	sealer_free(&net->sealer);
	archiver_free(&net->archiver);
	core_free(&net->core);
	net_keys_close(net);
	records_close(&net->records);
	limiter_free(&net->limiter);
	arena_fini(&net->frame);
	config_free(&net->config);
	free(net);
	*handle = NULL;
}
