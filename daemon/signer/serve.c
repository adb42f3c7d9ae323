/*
 * See serve.h.
 *
 * A caller costs at most one of SERVE_CONNECTIONS slots. Nothing waits for anybody: an answer that a
 * caller does not take at once (he has room for many) ends his connection, and whoever may not talk
 * is cut off before a byte of his is read. While all slots are taken newcomers wait in the kernel.
 *
 * When the state cannot be written or synced the loop ends, and the answer that would have shown the
 * new seal is never sent.
 */
#include "signer/serve.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define NONE          (-1)
#define LINE_EVERY_NS INT64_C(1000000000) /* lines about callers that were refused */

enum { POLL_SIGNALS, POLL_LISTENER, POLL_FIRST, POLLED = POLL_FIRST + SERVE_CONNECTIONS };

struct server {
	const struct serve_options *options;
	const struct world *world;
	int signals, listener;
	int connections[SERVE_CONNECTIONS]; /* NONE: free */
	uint64_t refused;                   /* callers since the last line about them */
	int64_t told_ns;
	bool bound;
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = NONE;
}

/* One packet of a connection. An error of the state alone is one. */
static enum ttg_error answer(struct server *server, int *connection, struct message *message)
{
	char in[SIGNER_PACKET_MAX], out[SIGNER_PACKET_MAX];
	/* The length is the packet's, also when it has more than is read. */
	const ssize_t got = recv(*connection, in, sizeof(in), MSG_DONTWAIT | MSG_TRUNC);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return TTG_OK;
	if (got <= 0) {
		close_fd(connection);
		return TTG_OK;
	}
	const size_t len = signer_answer(server->options->signer, in, (size_t)got, out);
	const enum ttg_error error = signer_state_keep(server->options->state, message);
	if (error)
		return error;
	if (send(*connection, out, len, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)len)
		close_fd(connection);
	return TTG_OK;
}

static bool may_talk(const struct server *server, int fd)
{
	struct ucred who = { .uid = SERVE_NOBODY };
	socklen_t size = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0 || who.uid == SERVE_NOBODY)
		return false;
	return who.uid == 0 || who.uid == geteuid() || who.uid == server->options->user;
}

static int *free_slot(struct server *server)
{
	for (size_t i = 0; i < SERVE_CONNECTIONS; i++)
		if (server->connections[i] == NONE)
			return &server->connections[i];
	return NULL;
}

static void accept_one(struct server *server, int *slot)
{
	int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (may_talk(server, fd)) {
		*slot = fd;
		return;
	}
	close_fd(&fd);
	server->refused++;
}

/* Not a line for each: a stranger must not fill the log either. */
static void tell_refused(struct server *server)
{
	const int64_t now = server->world->mono_ns(server->world->self);

	if (server->refused == 0 || (server->told_ns != 0 && now - server->told_ns < LINE_EVERY_NS))
		return;
	log_write(server->options->log, LOG_LEVEL_WARN, "caller_refused", "count=%llu",
		  (unsigned long long)server->refused);
	server->refused = 0;
	server->told_ns = now;
}

/* How long nothing needs to be done when nobody calls. */
static int patience_ms(const struct server *server)
{
	const int due = signer_state_due_ms(server->options->state);

	if (server->refused > 0 && (due < 0 || due > 1000))
		return 1000;
	return due;
}

static nfds_t fill(struct server *server, struct pollfd items[POLLED])
{
	items[POLL_SIGNALS] = (struct pollfd){ .fd = server->signals, .events = POLLIN };
	items[POLL_LISTENER] = (struct pollfd){
		.fd = free_slot(server) ? server->listener : NONE,
		.events = POLLIN,
	};
	for (size_t i = 0; i < SERVE_CONNECTIONS; i++)
		items[POLL_FIRST + i] =
			(struct pollfd){ .fd = server->connections[i], .events = POLLIN };
	return POLLED;
}

static bool was_signalled(const struct server *server)
{
	struct signalfd_siginfo info;

	if (read(server->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return false;
	log_write(server->options->log, LOG_LEVEL_NOTICE, "stopping", "signal=%u", info.ssi_signo);
	return true;
}

static enum ttg_error turn(struct server *server, bool *ended, struct message *message)
{
	struct pollfd items[POLLED];
	enum ttg_error error = TTG_OK;

	if (poll(items, fill(server, items), patience_ms(server)) < 0)
		return errno == EINTR ? TTG_OK :
					message_set(message, TTG_ESYS, "cannot wait (%s)",
						    strerror(errno));
	for (size_t i = 0; i < SERVE_CONNECTIONS && !error; i++)
		if (items[POLL_FIRST + i].revents)
			error = answer(server, &server->connections[i], message);
	if (!error && signer_state_due_ms(server->options->state) == 0)
		error = signer_state_sync(server->options->state, message);
	if (error)
		return error;
	int *slot = free_slot(server);
	if (items[POLL_LISTENER].revents && slot)
		accept_one(server, slot);
	tell_refused(server);
	*ended = items[POLL_SIGNALS].revents && was_signalled(server);
	return TTG_OK;
}

static enum ttg_error open_signals(struct server *server, struct message *message)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	server->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return server->signals >= 0 ?
		       TTG_OK :
		       message_set(message, TTG_ESYS, "no signalfd (%s)", strerror(errno));
}

/* Only a socket goes away for ours: a path that was mistyped may be anything. */
static enum ttg_error make_room(const char *path, struct message *message)
{
	struct stat status;

	if (lstat(path, &status) != 0)
		return TTG_OK; /* binding to it says what is wrong */
	if (!S_ISSOCK(status.st_mode))
		return message_set(message, TTG_EEXIST, "%s: is there and is no socket", path);
	unlink(path);
	return TTG_OK;
}

/* Anybody may knock: a mode could let in a group, but the kernel tells us the one user. */
static bool bind_open(int fd, const struct sockaddr_un *address)
{
	const mode_t mask = umask(0111);
	const int result = bind(fd, (const struct sockaddr *)address, sizeof(*address));
	const int why = errno;

	umask(mask);
	errno = why;
	return result == 0;
}

static enum ttg_error open_listener(struct server *server, struct message *message)
{
	const char *path = server->options->socket_path;
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return message_set(message, TTG_ELIMIT, "%s: at most %zu bytes, choose a shorter path",
				   path, sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path) + 1);
	const enum ttg_error error = make_room(path, message);
	if (error)
		return error;
	server->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (server->listener >= 0)
		server->bound = bind_open(server->listener, &address);
	if (!server->bound || listen(server->listener, SERVE_CONNECTIONS) != 0)
		return message_set(message, TTG_ESYS, "%s: cannot listen (%s)", path, strerror(errno));
	return TTG_OK;
}

static enum ttg_error run(struct server *server, struct message *message)
{
	const struct seal_signed *last = signer_last(server->options->signer);
	struct seal seal = { .number = 0 };
	enum ttg_error error = TTG_OK;
	bool ended = false;

	if (last)
		seal_read(last->text, last->len, &seal);
	log_write(server->options->log, LOG_LEVEL_NOTICE, "ready", "last=%llu",
		  (unsigned long long)seal.number);
	sd_notify(0, "READY=1");
	while (!error && !ended)
		error = turn(server, &ended, message);
	sd_notify(0, "STOPPING=1");
	return error;
}

enum ttg_error serve(const struct serve_options *options, struct message *message)
{
	struct server server = { .options = options,
				 .world = world_real(),
				 .signals = NONE,
				 .listener = NONE };
	enum ttg_error error = TTG_OK;

	for (size_t i = 0; i < SERVE_CONNECTIONS; i++)
		server.connections[i] = NONE;
	error = open_signals(&server, message);
	if (!error)
		error = open_listener(&server, message);
	if (!error)
		error = run(&server, message);
	for (size_t i = 0; i < SERVE_CONNECTIONS; i++)
		close_fd(&server.connections[i]);
	close_fd(&server.listener);
	if (server.bound)
		unlink(options->socket_path);
	close_fd(&server.signals);
	return error;
}
