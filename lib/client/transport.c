/*
 * ZeroMQ, and nothing of the protocol. Runs on the thread that polls the client.
 *
 * libzmq's own reconnection is off: it would go on with half a session behind the client's back.
 * The descriptors libzmq gives out signal edges, so whoever waits on them must have drained the
 * socket first and asked transport_readable() last; client.c does both in every turn.
 */
#include "client/transport.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <zmq.h>

#define QUEUE_FRAMES	 1000  /* in each direction inside libzmq */
#define CONNECT_MS	 5000
#define HANDSHAKE_MS	 5000
#define ZMTP_INTERVAL_MS 10000 /* libzmq's own heartbeat, beneath ours */
#define ZMTP_TIMEOUT_MS	 30000
#define MONITOR_ADDRESS	 64
/* Encryption and framing on top of the frame. */
#define CURVE_OVERHEAD	 64

#define MONITORED                                                                                  \
	(ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |        \
	 ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)

static bool set_number(void *socket, int option, int value)
{
	return zmq_setsockopt(socket, option, &value, sizeof(value)) == 0;
}

static bool set_key(void *socket, int option, const char *z85)
{
	return zmq_setsockopt(socket, option, z85, KEYFILE_Z85) == 0;
}

static bool set_options(void *socket, const char *broker, const char *server_z85,
			const struct key_pair *pair)
{
	int64_t max_bytes = TRANSPORT_MAX_FRAME_BYTES + CURVE_OVERHEAD;
	int ipv6 = strchr(broker, '[') ? 1 : 0;

	return set_number(socket, ZMQ_LINGER, 0) && set_number(socket, ZMQ_SNDHWM, QUEUE_FRAMES) &&
	       set_number(socket, ZMQ_RCVHWM, QUEUE_FRAMES) &&
	       set_number(socket, ZMQ_RECONNECT_IVL, -1) &&
	       set_number(socket, ZMQ_CONNECT_TIMEOUT, CONNECT_MS) &&
	       set_number(socket, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS) &&
	       set_number(socket, ZMQ_HEARTBEAT_IVL, ZMTP_INTERVAL_MS) &&
	       set_number(socket, ZMQ_HEARTBEAT_TIMEOUT, ZMTP_TIMEOUT_MS) &&
	       set_number(socket, ZMQ_IPV6, ipv6) &&
	       zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &max_bytes, sizeof(max_bytes)) == 0 &&
	       set_key(socket, ZMQ_CURVE_SERVERKEY, server_z85) &&
	       set_key(socket, ZMQ_CURVE_PUBLICKEY, pair->public_z85) &&
	       set_key(socket, ZMQ_CURVE_SECRETKEY, pair->secret_z85);
}

static int descriptor_of(void *socket)
{
	int fd = -1;
	size_t len = sizeof(fd);

	return zmq_getsockopt(socket, ZMQ_FD, &fd, &len) == 0 ? fd : -1;
}

static bool watch(const struct transport *transport, void *socket)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fd = descriptor_of(socket);

	event.data.fd = fd;
	return fd >= 0 && epoll_ctl(transport->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void unwatch(const struct transport *transport, void *socket)
{
	int fd = descriptor_of(socket);

	if (fd >= 0)
		epoll_ctl(transport->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

static bool open_monitor(struct transport *transport)
{
	char address[MONITOR_ADDRESS];

	snprintf(address, sizeof(address), "inproc://ttg-monitor-%u", ++transport->opened);
	if (zmq_socket_monitor(transport->socket, address, MONITORED) < 0)
		return false;
	transport->monitor = zmq_socket(transport->context, ZMQ_PAIR);
	return transport->monitor && set_number(transport->monitor, ZMQ_LINGER, 0) &&
	       zmq_connect(transport->monitor, address) == 0 &&
	       watch(transport, transport->monitor);
}

enum ttg_error transport_init(struct transport *transport, int epoll_fd)
{
	*transport = (struct transport){ .epoll_fd = epoll_fd };
	if (!arena_init(&transport->frame, ARENA_BROKER_MAX))
		return TTG_ENOMEM;
	transport->context = zmq_ctx_new();
	return transport->context ? TTG_OK : TTG_ESYS;
}

void transport_fini(struct transport *transport)
{
	transport_close(transport);
	if (transport->context)
		while (zmq_ctx_term(transport->context) < 0 && errno == EINTR)
			;
	transport->context = NULL;
	arena_fini(&transport->frame);
}

enum ttg_error transport_open(struct transport *transport, const char *broker,
			      const char *server_z85, const struct key_pair *pair)
{
	enum ttg_error code = TTG_ESYS;

	assert(!transport->socket);
	transport->socket = zmq_socket(transport->context, ZMQ_DEALER);
	if (!transport->socket)
		return TTG_ESYS;
	if (!set_options(transport->socket, broker, server_z85, pair)) {
		code = TTG_EINVAL;
		goto out;
	}
	if (!open_monitor(transport) || !watch(transport, transport->socket))
		goto out;
	if (zmq_connect(transport->socket, broker) < 0) {
		code = errno == EINVAL || errno == EPROTONOSUPPORT ? TTG_EINVAL : TTG_ESYS;
		goto out;
	}
	return TTG_OK;
out:
	transport_close(transport);
	return code;
}

void transport_close(struct transport *transport)
{
	if (transport->monitor) {
		unwatch(transport, transport->monitor);
		zmq_socket_monitor(transport->socket, NULL, 0);
		zmq_close(transport->monitor);
		transport->monitor = NULL;
	}
	if (transport->socket) {
		unwatch(transport, transport->socket);
		zmq_close(transport->socket);
		transport->socket = NULL;
	}
}

enum ttg_error transport_send(struct transport *transport, const Ttg__Frame *frame)
{
	zmq_msg_t part;

	if (!transport->socket)
		return TTG_ECLOSED;
	if (zmq_msg_init_size(&part, ttg__frame__get_packed_size(frame)) < 0)
		return TTG_ENOMEM;
	ttg__frame__pack(frame, zmq_msg_data(&part));
	int sent;
	do
		sent = zmq_msg_send(&part, transport->socket, ZMQ_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return TTG_OK;
	enum ttg_error code = errno == EAGAIN ? TTG_EAGAIN : TTG_ECLOSED;
	zmq_msg_close(&part);
	return code;
}

/* Reads the parts after the first, which should not be there, to their end. */
static void skip_rest(void *socket)
{
	zmq_msg_t part;
	bool more = true;

	while (more) {
		zmq_msg_init(&part);
		if (zmq_msg_recv(&part, socket, ZMQ_DONTWAIT) < 0)
			more = false;
		else
			more = zmq_msg_more(&part);
		zmq_msg_close(&part);
	}
}

enum ttg_error transport_receive(struct transport *transport, Ttg__Frame **out)
{
	enum ttg_error code = TTG_OK;
	zmq_msg_t part;
	int got;

	*out = NULL;
	arena_reset(&transport->frame);
	if (!transport->socket)
		return TTG_ECLOSED;
	zmq_msg_init(&part);
	do
		got = zmq_msg_recv(&part, transport->socket, ZMQ_DONTWAIT);
	while (got < 0 && errno == EINTR);
	if (got < 0) {
		code = errno == EAGAIN ? TTG_EAGAIN : TTG_ECLOSED;
		goto out;
	}
	if (zmq_msg_more(&part)) {
		skip_rest(transport->socket);
		code = TTG_EFORMAT;
		goto out;
	}
	*out = ttg__frame__unpack(&transport->frame.allocator, zmq_msg_size(&part),
				  zmq_msg_data(&part));
	if (!*out)
		code = TTG_EFORMAT;
out:
	zmq_msg_close(&part);
	return code;
}

static enum transport_news news_of(const zmq_msg_t *part)
{
	uint16_t event;

	if (zmq_msg_size(part) < sizeof(event))
		return TRANSPORT_NO_NEWS;
	memcpy(&event, zmq_msg_data((zmq_msg_t *)part), sizeof(event));
	switch (event) {
	case ZMQ_EVENT_CLOSED:
	case ZMQ_EVENT_DISCONNECTED:
		return TRANSPORT_LOST;
	case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
		return TRANSPORT_BROKEN;
	case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
	case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
		return TRANSPORT_DENIED;
	default:
		return TRANSPORT_NO_NEWS;
	}
}

enum transport_news transport_news(struct transport *transport)
{
	enum transport_news worst = TRANSPORT_NO_NEWS;

	if (!transport->monitor)
		return worst;
	for (;;) {
		zmq_msg_t part;

		zmq_msg_init(&part);
		if (zmq_msg_recv(&part, transport->monitor, ZMQ_DONTWAIT) < 0) {
			zmq_msg_close(&part);
			return worst;
		}
		enum transport_news news = news_of(&part);
		if (news > worst)
			worst = news;
		if (zmq_msg_more(&part))
			skip_rest(transport->monitor);
		zmq_msg_close(&part);
	}
}

static bool has_event(void *socket, int wanted)
{
	int events = 0;
	size_t len = sizeof(events);

	return socket && zmq_getsockopt(socket, ZMQ_EVENTS, &events, &len) == 0 &&
	       (events & wanted) != 0;
}

bool transport_readable(const struct transport *transport)
{
	return has_event(transport->socket, ZMQ_POLLIN) ||
	       has_event(transport->monitor, ZMQ_POLLIN);
}

bool transport_writable(const struct transport *transport)
{
	return has_event(transport->socket, ZMQ_POLLOUT);
}
