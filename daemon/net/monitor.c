/*
 * The bounds on connections. Owner: the loop.
 *
 * libzmq accepts whoever connects, so the bound is kept afterwards: when more than max_waiting have
 * no session, the one that waits longest is shut down, and libzmq closes it like any that broke. An
 * agency's handshake takes milliseconds, so a flood of strangers pushes out strangers. Those who
 * shook hands and say no Hello go after WAIT_MS.
 *
 * Between two looks libzmq may accept more; it stands still when QUEUE_EVENTS wait to be read, so the
 * descriptors that are in use never exceed sessions, waiting, QUEUE_EVENTS and OWN_DESCRIPTORS
 * together. Where the process may not have that many the bounds shrink; where even that is not enough
 * accept() fails for a moment, is counted, and whoever waits longest makes room.
 *
 * A descriptor belongs to libzmq and may be another connection's by the time it is named here. So the
 * monitor is read before one is shut down, and the kernel is asked whether the other end is still the
 * same; were it exchanged between the two calls, that connection would be made anew by its client.
 */
#include "net/monitor.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "net/connections.h"

#define ADDRESS "inproc://router-monitor"
#define EVENTS_A_CYCLE 512
#define QUEUE_EVENTS 1001	/* libzmq's thousand on its side and one on ours */
#define OWN_DESCRIPTORS 128	/* journal, sockets, operators, libzmq's own */
#define WAITING_MIN 16
#define WAIT_MS (MONITOR_HANDSHAKE_MS + 2000)
#define NS_PER_MS 1000000LL

#define WATCHED                                                                                    \
	(ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_ACCEPT_FAILED | ZMQ_EVENT_DISCONNECTED |                   \
	 ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL)

struct monitor {
	void *socket;
	int fd;
	bool waits; /* events are left from the cycle before */
	struct connections connections;
	size_t max_sessions, max_waiting;
	struct log_quota quota;
};

static bool read_events(struct net *net);
static void drop_oldest(struct net *net, enum net_drop why);

void monitor_serve(struct net *net)
{
	struct monitor *monitor = net->monitor;
	const int64_t mono = net->world->mono_ns(net->world->self);

	monitor->waits = read_events(net);
	while (monitor->connections.n_waiting > monitor->max_waiting)
		drop_oldest(net, NET_DROPPED_CROWDED);
	const struct connection *oldest = connections_oldest(&monitor->connections);
	while (oldest && mono - oldest->since_ns > WAIT_MS * NS_PER_MS) {
		drop_oldest(net, NET_DROPPED_IDLE);
		oldest = connections_oldest(&monitor->connections);
	}
}

/* Shares what the process may open among sessions and those who wait. */
static void share_descriptors(struct net *net, struct monitor *monitor)
{
	const struct config *config = net->config;
	struct rlimit limit = { 0, 0 };
	size_t room = 0;

	monitor->max_sessions = config->max_sessions;
	monitor->max_waiting = config->max_waiting;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	const size_t all = limit.rlim_cur > INT32_MAX ? INT32_MAX : (size_t)limit.rlim_cur;
	const size_t wanted = OWN_DESCRIPTORS + QUEUE_EVENTS + monitor->max_sessions +
			      monitor->max_waiting;
	if (all >= wanted)
		return;
	if (all > OWN_DESCRIPTORS + WAITING_MIN)
		room = all - OWN_DESCRIPTORS - WAITING_MIN;
	if (monitor->max_sessions > room)
		monitor->max_sessions = room > 0 ? room : 1;
	room = all > wanted - monitor->max_waiting ? all - (wanted - monitor->max_waiting) : 0;
	monitor->max_waiting = room > WAITING_MIN ? room : WAITING_MIN;
	if (monitor->max_waiting > config->max_waiting)
		monitor->max_waiting = config->max_waiting;
	log_write(net->log, LOG_LEVEL_WARN, "descriptors_few",
		  "limit=%zu wanted=%zu max_sessions=%zu max_waiting=%zu", all, wanted,
		  monitor->max_sessions, monitor->max_waiting);
}

enum ttg_error monitor_open(struct net *net, struct message *message)
{
	struct monitor *monitor = net->monitor = calloc(1, sizeof(*monitor));
	const int one = 1;
	size_t size = sizeof(monitor->fd);

	if (!monitor)
		return message_set(message, TTG_ENOMEM, "no memory to watch connections");
	monitor->socket = zmq_socket(net->zmq, ZMQ_PAIR);
	if (!monitor->socket ||
	    zmq_setsockopt(monitor->socket, ZMQ_RCVHWM, &one, sizeof(one)) != 0 ||
	    zmq_socket_monitor(net->router, ADDRESS, WATCHED) != 0 ||
	    zmq_connect(monitor->socket, ADDRESS) != 0 ||
	    zmq_getsockopt(monitor->socket, ZMQ_FD, &monitor->fd, &size) != 0)
		return message_set(message, TTG_ESYS, "cannot watch the agencies' socket: %s",
				   zmq_strerror(zmq_errno()));
	share_descriptors(net, monitor);
	monitor->waits = true; /* a descriptor tells nothing until it was found empty once */
	return TTG_OK;
}

void monitor_close(struct net *net)
{
	struct monitor *monitor = net->monitor;

	if (!monitor)
		return;
	/* First, or libzmq's thread might wait for ever for somebody to read on. */
	if (net->router)
		zmq_socket_monitor(net->router, NULL, 0);
	if (monitor->socket)
		zmq_close(monitor->socket);
	connections_clear(&monitor->connections);
	free(monitor);
	net->monitor = NULL;
}

int monitor_fd(const struct net *net)
{
	return net->monitor->fd;
}

bool monitor_waits(const struct net *net)
{
	return net->monitor->waits;
}

/* The other end of a descriptor; 0 when it has none. */
static size_t end_of(int fd, uint8_t out[CONNECTION_END_BYTES])
{
	struct sockaddr_storage end;
	socklen_t size = sizeof(end);

	memset(&end, 0, sizeof(end));
	if (getpeername(fd, (struct sockaddr *)&end, &size) != 0 || size > CONNECTION_END_BYTES)
		return 0;
	memcpy(out, &end, size);
	return size;
}

static void take_event(struct net *net, uint16_t event, int fd)
{
	struct connections *connections = &net->monitor->connections;
	uint8_t end[CONNECTION_END_BYTES];
	size_t end_bytes = 0;

	switch (event) {
	case ZMQ_EVENT_ACCEPTED:
		end_bytes = end_of(fd, end);
		if (end_bytes > 0) /* else it is gone by now */
			connections_add(connections, fd, end, end_bytes,
					net->world->mono_ns(net->world->self));
		break;
	case ZMQ_EVENT_DISCONNECTED:
		connections_remove(connections, fd);
		break;
	case ZMQ_EVENT_ACCEPT_FAILED:
		if (fd == EMFILE || fd == ENFILE) /* the value is errno here */
			drop_oldest(net, NET_DROPPED_DESCRIPTORS);
		break;
	default:
		net->counters.denied[NET_DENIED_HANDSHAKE]++;
		break;
	}
}

/* True when more is to be read. The value stands behind the event, both in the first part. */
static bool read_events(struct net *net)
{
	for (int i = 0; i < EVENTS_A_CYCLE; i++) {
		uint16_t event = 0;
		int32_t value = -1;
		zmq_msg_t message;

		zmq_msg_init(&message);
		if (zmq_msg_recv(&message, net->monitor->socket, ZMQ_DONTWAIT) < 0)
			return false;
		if (zmq_msg_size(&message) >= sizeof(event) + sizeof(value)) {
			memcpy(&event, zmq_msg_data(&message), sizeof(event));
			memcpy(&value, (uint8_t *)zmq_msg_data(&message) + sizeof(event),
			       sizeof(value));
		}
		while (zmq_msg_more(&message)) { /* our own address */
			zmq_msg_close(&message);
			zmq_msg_init(&message);
			if (zmq_msg_recv(&message, net->monitor->socket, ZMQ_DONTWAIT) < 0)
				break;
		}
		zmq_msg_close(&message);
		take_event(net, event, value);
	}
	return true;
}

static void drop_oldest(struct net *net, enum net_drop why)
{
	static const char *const words[NET_DROPS] = { "crowded", "idle", "descriptors" };
	struct monitor *monitor = net->monitor;
	const struct connection *oldest = connections_oldest(&monitor->connections);
	uint8_t end[CONNECTION_END_BYTES];
	uint64_t suppressed = 0;

	net->counters.dropped[why]++;
	if (log_quota_take(&monitor->quota, net->world->mono_ns(net->world->self), &suppressed))
		log_write(net->log, LOG_LEVEL_WARN, "connection_dropped",
			  "reason=%s waiting=%zu suppressed=%llu", words[why],
			  monitor->connections.n_waiting, (unsigned long long)suppressed);
	if (!oldest)
		return;
	const int fd = oldest->fd;
	const size_t end_bytes = end_of(fd, end);
	if (end_bytes == oldest->end_bytes && memcmp(end, oldest->end, end_bytes) == 0)
		shutdown(fd, SHUT_RDWR);
	connections_drop(&monitor->connections, fd);
}

void monitor_get_view(const struct net *net, struct monitor_view *view)
{
	const struct monitor *monitor = net->monitor;

	*view = (struct monitor_view){ 0 };
	if (monitor)
		*view = (struct monitor_view){ .connections = monitor->connections.n,
					       .waiting = monitor->connections.n_waiting,
					       .max_waiting = monitor->max_waiting };
}

size_t monitor_max_sessions(const struct net *net)
{
	return net->monitor ? net->monitor->max_sessions : net->config->max_sessions;
}

void monitor_session_begins(struct net *net, struct session *session, const zmq_msg_t *message)
{
	const char *fd = message && net->monitor ? zmq_msg_gets(message, "__fd") : NULL;

	session->fd = -1;
	if (!fd)
		return;
	/* That it was accepted was told before its first frame was read. */
	net->monitor->waits = read_events(net);
	session->fd = (int)strtol(fd, NULL, 10);
	session->connection = connections_take(&net->monitor->connections, session->fd);
}

void monitor_session_ends(struct net *net, const struct session *session)
{
	if (net->monitor && session->connection != 0)
		connections_give_back(&net->monitor->connections, session->fd, session->connection,
				      net->world->mono_ns(net->world->self));
}

bool monitor_session_lost(const struct net *net, const struct session *session)
{
	return net->monitor && !connections_is_open(&net->monitor->connections, session->fd,
						    session->connection);
}
