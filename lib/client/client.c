/*
 * The client object: making and freeing it, its event loop, the public calls.
 *
 * No thread of its own: everything, callbacks included, happens on the thread that calls
 * ttg_client_poll(). One turn of it: take what arrived, do what is due, send what is queued, then
 * set timer and wake-up so that the descriptor is readable exactly when another turn is of use.
 * libzmq's descriptor signals edges only, so each turn ends by asking the socket itself.
 *
 * Callbacks may publish, acknowledge, attach, detach and begin to close; they may neither poll nor
 * free.
 */
#include <ttg/client.h>

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "base/secret.h"
#include "client/client_internal.h"

#define DEFAULT_MAX_PENDING  10000
#define DEFAULT_RECONNECT_MIN_MS 100
#define DEFAULT_RECONNECT_MAX_MS 10000
#define LONGEST_RECONNECT_MS 3600000
#define DONE_DELAY_MS	     1000
#define NS_PER_S	     INT64_C(1000000000)

const char *ttg_version(void)
{
	return TTG_VERSION;
}

void client_clean_text(char *out, size_t out_bytes, const char *text)
{
	size_t n = 0;

	assert(out_bytes > 0);
	for (; text[n] && n + 1 < out_bytes; n++) {
		unsigned char c = (unsigned char)text[n];

		out[n] = c < 0x20 || c == 0x7f ? '?' : c == '"' ? '\'' : text[n];
	}
	out[n] = '\0';
}

void client_wake(struct ttg_client *client)
{
	if (client->woken)
		return;
	client->woken = true;
	/* Fails only when the counter is full, and then the descriptor is readable as it is. */
	eventfd_write(client->wake_fd, 1);
}

static enum ttg_state public_state(const struct ttg_client *client)
{
	if (client->session.state == SESSION_FAILED)
		return TTG_STATE_FAILED;
	if (client->closing)
		return TTG_STATE_CLOSING;
	return client->session.state == SESSION_READY ? TTG_STATE_READY : TTG_STATE_CONNECTING;
}

void client_report(struct ttg_client *client, enum ttg_error code, const char *text)
{
	client->callbacks_run++;
	if (client->callbacks.on_state)
		client->callbacks.on_state(client->callbacks.user, public_state(client), code,
					   text);
}

void client_break(struct ttg_client *client, const char *text)
{
	if (client->broken)
		return;
	client->broken = true;
	client_report(client, TTG_EIO, text);
	client_wake(client);
}

/* Options. */

static enum ttg_error copy_text(char *out, size_t out_bytes, const char *text, const char *what,
				struct message *message)
{
	if (strlen(text) >= out_bytes)
		return message_set(message, TTG_EINVAL, "%s: longer than %zu bytes", what,
				   out_bytes - 1);
	memcpy(out, text, strlen(text) + 1);
	return TTG_OK;
}

static enum ttg_error read_pair(struct ttg_client *client, const char *path, struct message *message)
{
	client->pair = secret_new(sizeof(*client->pair));
	if (!client->pair)
		return message_set(message, TTG_ENOMEM, "no memory for a key");
	return keyfile_read_secret(path, client->pair, message);
}

static enum ttg_error take_options(struct ttg_client *client,
				   const struct ttg_client_options *options,
				   struct message *message)
{
	const uint32_t least = options->reconnect_min_ms, most = options->reconnect_max_ms;

	if (!options->broker || strncmp(options->broker, "tcp://", 6) != 0)
		return message_set(message, TTG_EINVAL, "broker: must be tcp://HOST:PORT");
	if (!options->server_key_file || !options->key_file)
		return message_set(message, TTG_EINVAL, "server key and own key are both needed");
	client->reconnect_min_ms = least ? least : DEFAULT_RECONNECT_MIN_MS;
	client->reconnect_max_ms = most ? most : DEFAULT_RECONNECT_MAX_MS;
	if (client->reconnect_min_ms > client->reconnect_max_ms ||
	    client->reconnect_max_ms > LONGEST_RECONNECT_MS)
		return message_set(message, TTG_EINVAL,
				   "reconnect: minimum <= maximum <= %d ms would be right",
				   LONGEST_RECONNECT_MS);
	client->callbacks = options->callbacks;
	client->want_receipts = options->want_receipts;
	if (client->want_receipts && !client->callbacks.on_receipt)
		return message_set(message, TTG_EINVAL, "want_receipts: on_receipt is needed, too");
	enum ttg_error code = copy_text(client->broker, sizeof(client->broker), options->broker,
					"broker", message);
	if (code == TTG_OK)
		code = copy_text(client->software, sizeof(client->software),
				 options->software ? options->software : "libttg/" TTG_VERSION,
				 "software", message);
	if (code == TTG_OK)
		code = keyfile_read_public(options->server_key_file, client->server_z85, message);
	if (code == TTG_OK)
		code = read_pair(client, options->key_file, message);
	if (code == TTG_OK && options->signing_key_file)
		code = sign_open(&client->signing, options->signing_key_file, message);
	return code;
}

/* Descriptors. */

static bool watch(struct ttg_client *client, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	event.data.fd = fd;
	return fd >= 0 && epoll_ctl(client->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static enum ttg_error open_descriptors(struct ttg_client *client, struct message *message)
{
	client->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	client->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	client->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	client->timer_ns = INT64_MAX;
	if (client->epoll_fd < 0 || !watch(client, client->timer_fd) ||
	    !watch(client, client->wake_fd) ||
	    transport_init(&client->transport, client->epoll_fd) != TTG_OK)
		return message_set(message, TTG_ESYS, "descriptors: %s", strerror(errno));
	return TTG_OK;
}

static void close_descriptor(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static enum ttg_error open_outbox(struct ttg_client *client,
				  const struct ttg_client_options *options,
				  struct message *message)
{
	if (!options->outbox_dir)
		return TTG_OK;
	enum ttg_error code = outbox_open(&client->outbox, client->world, options->outbox_dir,
					  options->outbox_max_bytes, message);
	if (code == TTG_OK && (code = publish_recover(client)) != TTG_OK)
		message_set(message, code, "outbox: too many events for the memory there is");
	return code;
}

static enum ttg_error construct(struct ttg_client *client,
				const struct ttg_client_options *options, struct message *message)
{
	size_t max_pending = options->max_pending ? options->max_pending : DEFAULT_MAX_PENDING;

	enum ttg_error code = take_options(client, options, message);
	if (code == TTG_OK)
		code = open_descriptors(client, message);
	if (code == TTG_OK && (code = publish_init(&client->publisher, max_pending)) != TTG_OK)
		message_set(message, code, "no memory");
	if (code == TTG_OK)
		code = open_outbox(client, options, message);
	if (code != TTG_OK)
		return code;
	client->now_ns = client->world->mono_ns(client->world->self);
	session_init(&client->session, client->now_ns);
	client_wake(client);
	return TTG_OK;
}

enum ttg_error client_new_in_world(struct ttg_client **out,
				   const struct ttg_client_options *options,
				   const struct world *world, char text[TTG_MESSAGE_TEXT])
{
	struct message message = { "" };
	enum ttg_error code = TTG_EINVAL;

	if (!out)
		return TTG_EINVAL;
	*out = NULL;
	struct ttg_client *client = calloc(1, sizeof(*client));
	if (!client)
		return TTG_ENOMEM;
	client->world = world;
	client->epoll_fd = client->timer_fd = client->wake_fd = -1;
	if (options)
		code = construct(client, options, &message);
	if (code == TTG_OK)
		*out = client;
	else
		ttg_client_free(&client);
	if (text)
		snprintf(text, TTG_MESSAGE_TEXT, "%.*s", TTG_MESSAGE_TEXT - 1, message.text);
	return code;
}

enum ttg_error ttg_client_new(struct ttg_client **out, const struct ttg_client_options *options,
			      char message[TTG_MESSAGE_TEXT])
{
	return client_new_in_world(out, options, world_real(), message);
}

void ttg_client_free(struct ttg_client **client)
{
	if (!client || !*client)
		return;
	struct ttg_client *it = *client;
	assert(!it->polling);
	transport_fini(&it->transport);
	consume_fini(&it->consumer);
	publish_fini(&it->publisher);
	ask_fini(&it->asker);
	outbox_close(&it->outbox);
	close_descriptor(&it->wake_fd);
	close_descriptor(&it->timer_fd);
	close_descriptor(&it->epoll_fd);
	secret_free(it->pair);
	sign_close(&it->signing);
	free(it);
	*client = NULL;
}

/* The loop. */

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void set_timer(struct ttg_client *client, int64_t at_ns)
{
	struct itimerspec when = { 0 };

	if (at_ns == client->timer_ns)
		return;
	if (at_ns != INT64_MAX) {
		if (at_ns < 1)
			at_ns = 1; /* zero would turn it off */
		when.it_value.tv_sec = at_ns / NS_PER_S;
		when.it_value.tv_nsec = at_ns % NS_PER_S;
	}
	timerfd_settime(client->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
	client->timer_ns = at_ns;
}

static void clear_signals(struct ttg_client *client)
{
	eventfd_t count;

	if (client->woken)
		eventfd_read(client->wake_fd, &count);
	client->woken = false;
	if (read(client->timer_fd, &count, sizeof(count)) > 0)
		client->timer_ns = INT64_MAX;
}

/* Notes of finished events go to disk with the next ones, or when there was time to spare. */
static void flush_outbox(struct ttg_client *client)
{
	if (!client->outbox || client->broken || !outbox_has_done(client->outbox))
		client->done_due_ns = INT64_MAX;
	else if (client->done_due_ns == INT64_MAX)
		client->done_due_ns = client->now_ns + DONE_DELAY_MS * NS_PER_MS;
	if (client->now_ns < client->done_due_ns)
		return;
	client->done_due_ns = client->now_ns + DONE_DELAY_MS * NS_PER_MS;
	if (outbox_flush_done(client->outbox) == TTG_EIO)
		client_break(client, "the outbox cannot be written");
}

static void arm(struct ttg_client *client, bool more)
{
	int64_t next_ns = session_next_ns(client);

	next_ns = earlier(next_ns, publish_next_ns(client));
	next_ns = earlier(next_ns, consume_next_ns(client));
	next_ns = earlier(next_ns, client->done_due_ns);
	set_timer(client, client->broken ? INT64_MAX : next_ns);
	if (client->broken)
		return;
	bool sendable = (publish_wants_to_send(client) || consume_wants_to_send(client) ||
			 ask_wants_to_send(client)) &&
			transport_writable(&client->transport);
	if (more || sendable || transport_readable(&client->transport))
		client_wake(client);
}

static void turn(struct ttg_client *client)
{
	bool more = false;

	clear_signals(client);
	client->now_ns = client->world->mono_ns(client->world->self);
	if (!client->broken) {
		more = session_receive(client);
		session_tick(client);
	}
	if (!client->broken) {
		consume_flush(client);
		publish_flush(client);
		ask_flush(client);
	}
	if (client->closing && !client->broken)
		session_finish(client);
	flush_outbox(client);
	if (client->broken)
		transport_close(&client->transport);
	arm(client, more);
}

static bool is_over(const struct ttg_client *client)
{
	return client->broken || client->session.state == SESSION_FAILED ||
	       client->session.state == SESSION_ENDED;
}

/* False when a signal came: the application may want its loop back. */
static bool wait_for_work(struct ttg_client *client, int64_t until_ns)
{
	struct epoll_event event;
	int wait_ms = -1;

	if (until_ns != INT64_MAX) {
		int64_t left_ns = until_ns - client->world->mono_ns(client->world->self);
		int64_t left_ms = left_ns <= 0 ? 0 : (left_ns + NS_PER_MS - 1) / NS_PER_MS;

		wait_ms = left_ms > INT32_MAX ? INT32_MAX : (int)left_ms;
	}
	return epoll_wait(client->epoll_fd, &event, 1, wait_ms) >= 0;
}

enum ttg_error ttg_client_poll(struct ttg_client *client, int timeout_ms)
{
	if (!client || client->polling)
		return TTG_EINVAL;
	const struct world *world = client->world;
	int64_t until_ns = timeout_ms < 0 ? INT64_MAX :
					    world->mono_ns(world->self) + timeout_ms * NS_PER_MS;
	uint64_t before = client->callbacks_run;
	client->polling = true;
	for (;;) {
		turn(client);
		if (client->callbacks_run != before || is_over(client) ||
		    world->mono_ns(world->self) >= until_ns ||
		    !wait_for_work(client, until_ns))
			break;
	}
	client->polling = false;
	if (client->broken)
		return TTG_EIO;
	return client->session.state == SESSION_FAILED ? TTG_ECLOSED : TTG_OK;
}

int ttg_client_fd(const struct ttg_client *client)
{
	return client->epoll_fd;
}

enum ttg_state ttg_client_state(const struct ttg_client *client)
{
	return public_state(client);
}

/* Publishing and consuming. Inside a callback the turn under way sends what is queued. */

static void nudge(struct ttg_client *client)
{
	if (!client->polling)
		client_wake(client);
}

enum ttg_error ttg_client_publish_many(struct ttg_client *client,
				       const struct ttg_publish_item *items, size_t n)
{
	if (!client || !items || n == 0)
		return TTG_EINVAL;
	if (client->broken)
		return TTG_EIO;
	if (client->closing || client->session.state == SESSION_FAILED)
		return TTG_ECLOSED;
	enum ttg_error code = publish_take(client, items, n);
	if (code == TTG_OK)
		nudge(client);
	return code;
}

enum ttg_error ttg_client_publish(struct ttg_client *client, const uint8_t id[16],
				  const uint8_t *event, size_t event_bytes, void *tag)
{
	struct ttg_publish_item item = { id, event, event_bytes, tag };

	return ttg_client_publish_many(client, &item, 1);
}

size_t ttg_client_pending(const struct ttg_client *client)
{
	return client->publisher.open;
}

static enum ttg_error ask(struct ttg_client *client, enum ask_kind kind, const uint8_t (*ids)[16],
			  size_t n)
{
	if (!client || !ids)
		return TTG_EINVAL;
	if (client->broken)
		return TTG_EIO;
	if (client->closing || client->session.state == SESSION_FAILED)
		return TTG_ECLOSED;
	nudge(client);
	return ask_take(client, kind, ids, n);
}

enum ttg_error ttg_client_ask_receipt(struct ttg_client *client, const uint8_t id[16])
{
	return ask(client, ASK_RECEIPT, (const uint8_t (*)[16])id, 1);
}

enum ttg_error ttg_client_ask_states(struct ttg_client *client, const uint8_t (*ids)[16], size_t n)
{
	return ask(client, ASK_STATE, ids, n);
}

enum ttg_error ttg_client_attach(struct ttg_client *client, const char *mailbox, uint32_t credit)
{
	if (!client)
		return TTG_EINVAL;
	if (client->closing)
		return TTG_ECLOSED;
	nudge(client);
	return consume_attach(client, mailbox, credit);
}

enum ttg_error ttg_client_detach(struct ttg_client *client, const char *mailbox)
{
	if (!client)
		return TTG_EINVAL;
	nudge(client);
	return consume_detach(client, mailbox);
}

enum ttg_error ttg_client_ack(struct ttg_client *client, const char *mailbox, uint64_t position)
{
	if (!client)
		return TTG_EINVAL;
	nudge(client);
	return consume_ack(client, mailbox, position, false);
}

enum ttg_error ttg_client_ack_up_to(struct ttg_client *client, const char *mailbox,
				    uint64_t position)
{
	if (!client)
		return TTG_EINVAL;
	nudge(client);
	return consume_ack(client, mailbox, position, true);
}

enum ttg_error ttg_client_nack(struct ttg_client *client, const char *mailbox, uint64_t position,
			       int reason, const char *text, uint32_t retry_after_ms)
{
	if (!client)
		return TTG_EINVAL;
	nudge(client);
	return consume_nack(client, mailbox, position, reason, text, retry_after_ms);
}

void ttg_client_close_begin(struct ttg_client *client)
{
	if (client->closing || client->session.state == SESSION_FAILED)
		return;
	client->closing = true;
	nudge(client);
	client_report(client, TTG_OK, "closing");
}

bool ttg_client_closed(const struct ttg_client *client)
{
	return is_over(client);
}
