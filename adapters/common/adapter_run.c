/*
 * The loop of an adapter: broker, spool, HTTP and signals in one poll(). See adapter.h.
 *
 * Happy path: a file is read, its events go to the outbox, the file to done/; the client sends
 * when the broker is there. SIGTERM or SIGINT: no new file and no new request, the file in hand is
 * finished, the outbox gets drain_ms to empty, then the adapter says goodbye; a second signal ends
 * at once. What fails: a full outbox waits; an outbox or spool that cannot be written ends the
 * adapter with status 1 and everything where it was.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "common/adapter_internal.h"
#include "common/outdir.h"

#define NS_PER_MS       INT64_C(1000000)
#define NS_PER_S        INT64_C(1000000000)
#define STATUS_EVERY_NS (NS_PER_S / 2)
#define MINUTE_NS       (60 * NS_PER_S)
#define DAY_NS          (INT64_C(86400) * NS_PER_S)
#define FULL_WAIT_MS    100 /* between tries while the outbox is full */
#define GOODBYE_MS      1000
#define COUNTERS_TEXT   768

static int64_t mono_ns(void)
{
	return world_real()->mono_ns(world_real()->self);
}

static int64_t real_ns(void)
{
	return world_real()->real_ns(world_real()->self);
}

static const char *state_name(enum ttg_state state)
{
	static const char *const names[] = { "connecting", "ready", "closing", "failed" };

	return (unsigned)state < 4 ? names[state] : "unknown";
}

static void on_outcome(void *user, const struct ttg_outcome *outcome)
{
	struct adapter *adapter = user;
	uintptr_t tag = (uintptr_t)outcome->tag;
	const char *type = tag == 0 ? "earlier" : ttg_type_name((size_t)tag - 1);
	char id[TTG_UUID_TEXT];

	adapter_keep_answer(adapter, outcome);
	if (outcome->code == TTG_OK) {
		if (outcome->duplicate)
			adapter->counters.duplicate++;
		else
			adapter->counters.accepted++;
		adapter_ask_soon(adapter, mono_ns());
		return;
	}
	ttg_uuid_format(outcome->id, id);
	counters_add_refused(&adapter->counters, type, outcome->code);
	log_write(adapter->log, LOG_LEVEL_WARN, "event_refused", "id=%s type=%s code=%d name=%s",
	          id, type, (int)outcome->code, ttg_error_name(outcome->code));
}

static void on_state(void *user, enum ttg_state state, enum ttg_error code, const char *text)
{
	const struct adapter *adapter = user;

	log_write(adapter->log, code == TTG_OK ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, "session",
	          "state=%s code=%d text=\"%s\"", state_name(state), (int)code,
	          text == NULL ? "" : text);
}

static enum ttg_error publish(void *user, const struct ttg_publish_item *items, size_t n)
{
	const struct adapter *adapter = user;

	return ttg_client_publish_many(adapter->client, items, n);
}

static void on_document(void *user, const struct document *document, struct http_reply *answer)
{
	struct adapter *adapter = user;
	struct message *message = &adapter->answer_message;

	adapter->counters.http_requests++;
	if (adapter->job.active || adapter->stopping) {
		answer->status = 503;
		answer->code = TTG_EAGAIN;
		answer->text = adapter->stopping ? "stopping" : "a file is being taken in";
		adapter->counters.http_refused++;
		return;
	}
	message->text[0] = '\0';
	answer->status = job_post(&adapter->world, document, &answer->events, &answer->ignored,
	                          &answer->code, message);
	answer->text = message->text;
	if (answer->status != 202)
		adapter->counters.http_refused++;
	if (answer->code == TTG_EIO || answer->code == TTG_ECLOSED)
		adapter->failure = answer->code;
}

static void on_refused(void *user, unsigned status)
{
	struct adapter *adapter = user;

	adapter->counters.http_requests++;
	adapter->counters.http_refused++;
	log_write(adapter->log, LOG_LEVEL_NOTICE, "http_refused", "status=%u", status);
}

static int64_t http_now(void *user)
{
	(void)user;
	return real_ns();
}

static enum ttg_error open_http(struct adapter *adapter, struct message *message)
{
	const struct adapter_settings *settings = &adapter->settings;
	const struct http_options options = {
		.listen = settings->http_listen,
		.port = (unsigned)settings->http_port,
		.max_body_bytes = (size_t)settings->http_max_body_bytes,
		.token_file = settings->http_token_file,
		.tls_cert_file = settings->http_tls_cert_file,
		.tls_key_file = settings->http_tls_key_file,
		.tls_client_ca_file = settings->http_tls_client_ca_file,
		.takes_json = adapter->kind->takes_json,
		.takes_xml = adapter->kind->takes_xml,
		.takes_csv = adapter->kind->takes_csv,
		.user = adapter,
		.on_document = on_document,
		.on_refused = on_refused,
		.now_ns = http_now,
	};

	if (settings->http_port == 0)
		return TTG_OK;
	return http_intake_open(&adapter->http, &options, message);
}

static enum ttg_error open_client(struct adapter *adapter, struct message *message)
{
	const struct adapter_settings *settings = &adapter->settings;
	char outbox[CONFIG_TEXT_BYTES + 16], software[64], text[TTG_MESSAGE_TEXT] = "";
	struct ttg_client_options options = {
		.broker = settings->broker,
		.server_key_file = settings->server_key_file,
		.key_file = settings->key_file,
		.signing_key_file =
			settings->signing_key_file[0] != '\0' ? settings->signing_key_file : NULL,
		.software = software,
		.outbox_dir = outbox,
		.outbox_max_bytes = (size_t)settings->outbox_max_bytes,
		.callbacks = { .user = adapter,
		               .on_outcome = on_outcome,
		               .on_delivery = adapter_on_delivery,
		               .on_state = on_state },
	};
	enum ttg_error error;

	snprintf(outbox, sizeof(outbox), "%s/outbox", settings->state_dir);
	snprintf(software, sizeof(software), "%s/%s", adapter->kind->program, ttg_version());
	if (adapter->kind->keeper != NULL)
		adapter_keep_callbacks(&options.callbacks);
	error = adapter_ask_open(adapter, message);
	if (error != TTG_OK)
		return error;
	error = ttg_client_new(&adapter->client, &options, text);
	if (error != TTG_OK)
		return message_set(message, error, "%s", text);
	if (adapter->kind->keeper != NULL)
		return adapter_keep_attach(adapter, message);
	if (settings->out_dir[0] != '\0')
		error = ttg_client_attach(adapter->client, settings->mailbox, 0);
	if (error != TTG_OK)
		return message_set(message, error, "mailbox: %s", ttg_error_text(error));
	return TTG_OK;
}

/* SIGIO would come from a lease and must never kill; the stop signals come through the loop. */
static enum ttg_error open_signals(struct adapter *adapter, struct message *message)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGIO);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return message_set(message, TTG_ESYS, "cannot block signals");
	adapter->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return adapter->signals >= 0
	               ? TTG_OK
	               : message_set(message, TTG_ESYS, "signalfd: %s", strerror(errno));
}

static enum ttg_error open_all(struct adapter *adapter, struct message *message)
{
	const struct adapter_settings *settings = &adapter->settings;
	const struct world *world = world_real();
	enum ttg_error error = open_signals(adapter, message);

	if (error == TTG_OK)
		error = outdir_prepare(world, settings->state_dir, message);
	if (error == TTG_OK && settings->out_dir[0] != '\0')
		error = outdir_prepare(world, settings->out_dir, message);
	if (error == TTG_OK && settings->spool_dir[0] != '\0')
		error = spool_open(&adapter->spool, world, settings->spool_dir,
		                   (size_t)settings->spool_max_bytes, message);
	if (error == TTG_OK)
		error = adapter->kind->open(&adapter->reader, &adapter->context,
		                            adapter->kind_settings, message);
	if (error == TTG_OK)
		error = open_client(adapter, message);
	if (error != TTG_OK)
		return error;
	adapter->world = (struct job_world){ .kind = adapter->kind,
		                             .reader = adapter->reader,
		                             .spool = adapter->spool,
		                             .outlet = { adapter, publish },
		                             .counters = &adapter->counters };
	return open_http(adapter, message);
}

static void close_all(struct adapter *adapter)
{
	http_intake_close(&adapter->http);
	if (adapter->job.active)
		job_abandon(&adapter->job);
	ttg_client_free(&adapter->client);
	free(adapter->kept);
	adapter_hold_close(adapter);
	adapter_ask_close(adapter);
	if (adapter->reader != NULL)
		adapter->kind->close(adapter->reader);
	spool_close(&adapter->spool);
	if (adapter->signals >= 0)
		close(adapter->signals);
}

static void write_status(struct adapter *adapter)
{
	char path[CONFIG_TEXT_BYTES + 16];
	struct message message;

	snprintf(path, sizeof(path), "%s/status.json", adapter->settings.state_dir);
	if (counters_write(&adapter->counters, path, adapter->kind->program,
	                   adapter->settings.agency, state_name(ttg_client_state(adapter->client)),
	                   ttg_client_pending(adapter->client), real_ns(), &message) != TTG_OK)
		log_write(adapter->log, LOG_LEVEL_WARN, "status_file", "text=\"%s\"", message.text);
}

static void log_counters(const struct adapter *adapter, const char *event)
{
	char text[COUNTERS_TEXT];

	counters_format(&adapter->counters, text, sizeof(text));
	log_write(adapter->log, LOG_LEVEL_INFO, event, "state=%s pending=%zu %s",
	          state_name(ttg_client_state(adapter->client)),
	          ttg_client_pending(adapter->client), text);
}

static uint64_t counters_hash(const struct adapter *adapter)
{
	char text[COUNTERS_TEXT];
	uint64_t hash = 14695981039346656037u;

	counters_format(&adapter->counters, text, sizeof(text));
	for (const char *at = text; *at != '\0'; at++)
		hash = (hash ^ (unsigned char)*at) * 1099511628211u;
	hash ^= (uint64_t)ttg_client_pending(adapter->client) << 3;
	return hash ^ (uint64_t)ttg_client_state(adapter->client);
}

static enum ttg_error look_at_clock(struct adapter *adapter, struct message *message)
{
	int64_t now = mono_ns();
	const struct adapter_settings *settings = &adapter->settings;
	enum ttg_error error = TTG_OK;
	uint64_t hash;

	if (adapter->kind->count != NULL)
		adapter->kind->count(adapter->reader, &adapter->counters);
	if (now >= adapter->minute_at_ns) {
		adapter->minute_at_ns = now + MINUTE_NS;
		log_counters(adapter, "counters");
		if (adapter->spool != NULL && settings->spool_keep_done_days > 0)
			spool_prune(adapter->spool,
			            real_ns() - settings->spool_keep_done_days * DAY_NS);
	}
	if (now >= adapter->status_at_ns) {
		error = adapter_hold_look(adapter, message);
		hash = counters_hash(adapter);
		adapter->status_at_ns = now + STATUS_EVERY_NS;
		if (hash != adapter->status_hash)
			write_status(adapter);
		adapter->status_hash = hash;
	}
	return error == TTG_OK ? adapter_ask_look(adapter, now, message) : error;
}

/* Takes files until there are none, or until the outbox is full. */
static enum ttg_error work_spool(struct adapter *adapter, struct message *message)
{
	enum ttg_error error = TTG_OK;

	if (!adapter->job.active && adapter->spool != NULL && !adapter->stopping)
		error = job_begin(&adapter->job, &adapter->world, message);
	if (error == TTG_OK && adapter->job.active)
		error = job_step(&adapter->job, &adapter->world, message);
	return error;
}

static void read_signals(struct adapter *adapter)
{
	struct signalfd_siginfo info;

	while (read(adapter->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGIO)
			continue;
		adapter->stop_now = adapter->stopping;
		if (!adapter->stopping)
			adapter->drain_until_ns =
			        mono_ns() + adapter->settings.drain_ms * NS_PER_MS;
		adapter->stopping = true;
		log_write(adapter->log, LOG_LEVEL_INFO, "stopping", "signal=%u", info.ssi_signo);
	}
}

static enum ttg_error wait_and_serve(struct adapter *adapter, bool outbox_full,
                                     struct message *message)
{
	struct pollfd fds[4 + ADAPTER_ENDS_MAX];
	nfds_t n = 0;
	int wait_ms = (int)(STATUS_EVERY_NS / NS_PER_MS);
	enum ttg_error error = TTG_OK;

	fds[n++] = (struct pollfd){ .fd = adapter->signals, .events = POLLIN };
	fds[n++] = (struct pollfd){ .fd = ttg_client_fd(adapter->client), .events = POLLIN };
	if (adapter->spool != NULL) {
		fds[n++] = (struct pollfd){ .fd = spool_fd(adapter->spool), .events = POLLIN };
		if (!adapter->job.active && !adapter->stopping)
			wait_ms = adapter_sooner(wait_ms, spool_wait_ms(adapter->spool));
	}
	if (adapter->http != NULL) {
		fds[n++] = (struct pollfd){ .fd = http_intake_fd(adapter->http), .events = POLLIN };
		wait_ms = adapter_sooner(wait_ms, http_intake_wait_ms(adapter->http));
	}
	n += adapter_ends_poll(adapter, fds + n, &wait_ms);
	if (outbox_full)
		wait_ms = adapter_sooner(wait_ms, FULL_WAIT_MS);
	if (poll(fds, n, wait_ms) < 0 && errno != EINTR)
		return message_set(message, TTG_ESYS, "poll: %s", strerror(errno));
	read_signals(adapter);
	if (adapter->spool != NULL)
		error = spool_notice(adapter->spool, message);
	if (adapter->http != NULL)
		http_intake_run(adapter->http);
	if (error == TTG_OK)
		error = adapter_ends_run(adapter, message);
	if (error == TTG_OK) {
		error = ttg_client_poll(adapter->client, 0);
		if (error != TTG_OK)
			message_set(message, error, "the session is over: %s",
			            ttg_error_text(error));
	}
	return error == TTG_OK ? adapter->failure : error;
}

static bool is_finished(const struct adapter *adapter, bool spool_empty)
{
	bool sent = ttg_client_pending(adapter->client) == 0;

	if (adapter->stop_now)
		return true;
	if (adapter->stopping)
		return mono_ns() >= adapter->drain_until_ns || (!adapter->job.active && sent);
	return adapter->once && spool_empty && !adapter->job.active && sent &&
	       (adapter->spool == NULL || spool_wait_ms(adapter->spool) < 0);
}

static enum ttg_error loop(struct adapter *adapter, struct message *message)
{
	enum ttg_error error = TTG_OK;

	while (error == TTG_OK) {
		enum ttg_error work = work_spool(adapter, message);
		bool full = work == TTG_EAGAIN && adapter->job.active;

		if (work != TTG_OK && work != TTG_EAGAIN)
			return work;
		error = look_at_clock(adapter, message);
		if (error != TTG_OK)
			return error;
		if (is_finished(adapter, work == TTG_EAGAIN || adapter->spool == NULL))
			break;
		error = wait_and_serve(adapter, full, message);
	}
	return error;
}

static void say_goodbye(struct adapter *adapter)
{
	int64_t until = mono_ns() + GOODBYE_MS * NS_PER_MS;

	ttg_client_close_begin(adapter->client);
	while (!ttg_client_closed(adapter->client) && mono_ns() < until) {
		if (ttg_client_poll(adapter->client, 50) != TTG_OK)
			break;
	}
}

int adapter_run(struct adapter *adapter)
{
	struct message message = { "" };
	enum ttg_error error = open_all(adapter, &message);

	if (error == TTG_OK) {
		log_write(adapter->log, LOG_LEVEL_INFO, "started", "agency=%s version=%s",
		          adapter->settings.agency, ttg_version());
		error = loop(adapter, &message);
	}
	if (error != TTG_OK)
		log_write(adapter->log, LOG_LEVEL_ERROR, "failed", "code=%d name=%s text=\"%s\"",
		          (int)error, ttg_error_name(error), message.text);
	if (adapter->client != NULL) {
		if (error == TTG_OK && !adapter->stop_now)
			say_goodbye(adapter);
		log_counters(adapter, "stopped");
		write_status(adapter);
	}
	close_all(adapter);
	return error == TTG_OK ? ADAPTER_FINE : ADAPTER_FAILED;
}
