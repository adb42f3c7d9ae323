/*
 * Connections of the control socket: who may, reading one line, writing lines back, time-outs.
 * Owner: the loop. A client can cost at most its slot, CONTROL_REQUEST_MAX bytes in and
 * CONTROL_OUTPUT_MAX bytes out; what it does not take in time is cut off.
 */
#include "net/control.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/control_request.h"

#define NS_PER_S 1000000000LL
#define REQUEST_SECONDS 5
#define STUCK_SECONDS 30
#define CALLER_GROUPS_MAX 1024
#define NO_GROUP ((gid_t)-1)
#define ARGUMENTS_MAX 6

struct control {
	struct net *net;
	int listener;
	gid_t group; /* listen.control_group as it was at the start; NO_GROUP: none */
	char path[sizeof((struct sockaddr_un *)0)->sun_path];
	struct control_request requests[CONTROL_CONNECTIONS];
};

static const struct {
	const char *name;
	void (*run)(struct control_request *request);
	const char *arguments[ARGUMENTS_MAX];
} commands[] = {
	{ "status", control_status, { NULL } },
	{ "agencies", control_agencies, { "agency" } },
	{ "agreements", control_agreements, { "agreement" } },
	{ "mailboxes", control_mailboxes, { "mailbox" } },
	{ "mailbox.redeliver", control_redeliver, { "mailbox", "since", "stop", "reason" } },
	{ "explain", control_explain, { "type", "from", "at", "person", "reason" } },
	{ "person.conflicts", control_conflicts, { NULL } },
	{ "person.resolve", control_resolve, { "conflict", "decision", "reason" } },
	{ "person.show", control_person, { "person", "reason" } },
	{ "person.report", control_report, { "person", "reason", "payloads" } },
	{ "person.erase", control_erase, { "person", "reason" } },
	{ "keys", control_keys, { NULL } },
	{ "disclosures", control_disclosures, { "agency", "person", "since", "until", "reason", "reasons" } },
	{ "rules", control_rules, { "at", "sequence" } },
	{ "rules.changes", control_rules_changes, { "since", "until" } },
	{ "rules.diff", control_rules_diff, { "from", "to" } },
	{ "deadletters.list", control_dead_list, { "mailbox" } },
	{ "deadletters.retry", control_dead_retry, { "mailbox", "sequence" } },
	{ "deadletters.discard", control_dead_discard, { "mailbox", "sequence" } },
	{ "give-up", control_give_up, { "sequence", "confirm" } },
	{ "tail", control_tail, { "count", "follow" } },
	{ "trace", control_trace, { "event_id" } },
	{ "receipt", control_receipt, { "event_id" } },
	{ "reload", control_reload, { NULL } },
	{ "backup", control_backup, { "directory", "archive" } },
	{ "journal.verify", control_verify, { NULL } },
};

static void accept_one(struct control *control);
static void read_request(struct control_request *request);
static void run_request(struct control_request *request, const char *line, size_t len);
static void write_out(struct control_request *request);
static void check_time(struct control_request *request);
static void close_request(struct control_request *request);
static bool caller_may(const struct control *control, int fd, const struct ucred *who);

void control_serve(struct control *control, const zmq_pollitem_t *items, int n)
{
	if (n > 0 && items[0].revents)
		accept_one(control);
	const uint64_t durable = journal_durable(control->net->journal);
	for (int i = 0; i < CONTROL_CONNECTIONS; i++) {
		struct control_request *request = &control->requests[i];
		if (request->fd < 0)
			continue;
		if (!request->started)
			read_request(request);
		if (request->started && request->step && !request->ended && !control_enough(request))
			request->step(request);
		if (request->wait_durable <= durable)
			write_out(request);
		check_time(request);
	}
}

int control_poll_items(const struct control *control, zmq_pollitem_t *items)
{
	int n = 0;
	items[n++] = (zmq_pollitem_t){ .fd = control->listener, .events = ZMQ_POLLIN };
	const uint64_t durable = journal_durable(control->net->journal);
	for (int i = 0; i < CONTROL_CONNECTIONS; i++) {
		const struct control_request *request = &control->requests[i];
		if (request->fd < 0)
			continue;
		const bool pending = request->out_len > request->out_sent &&
				     request->wait_durable <= durable;
		items[n++] = (zmq_pollitem_t){
			.fd = request->fd,
			.events = (short)(ZMQ_POLLIN | (pending ? ZMQ_POLLOUT : 0)),
		};
	}
	return n;
}

bool control_busy(const struct control *control)
{
	for (int i = 0; i < CONTROL_CONNECTIONS; i++) {
		const struct control_request *request = &control->requests[i];
		if (request->fd >= 0 && request->step && !request->ended && !request->idle &&
		    !control_enough(request))
			return true;
	}
	return false;
}

bool control_enough(const struct control_request *request)
{
	return request->out_len - request->out_sent >= CONTROL_OUTPUT_MAX / 2;
}

bool control_list(struct control_request *request, const char *only,
		  void (*step)(struct control_request *request))
{
	struct control_listing *listing = calloc(1, sizeof *listing);
	if (!listing) {
		control_end(request, TTG_ENOMEM, "%s", ttg_error_text(TTG_ENOMEM));
		return false;
	}
	snprintf(listing->only, sizeof listing->only, "%s", only ? only : "");
	request->job = listing;
	request->free_job = free;
	request->step = step;
	return true;
}

bool control_watching(const struct control *control)
{
	for (int i = 0; i < CONTROL_CONNECTIONS; i++) {
		const struct control_request *request = &control->requests[i];
		if (request->fd >= 0 && request->watch && !request->ended)
			return true;
	}
	return false;
}

static void accept_one(struct control *control)
{
	const int fd = accept4(control->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	struct net *net = control->net;
	struct ucred who = { .uid = (uid_t)-1, .gid = (gid_t)-1 };
	socklen_t size = sizeof who;
	struct control_request refused = { .fd = fd, .net = net };
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0 || !caller_may(control, fd, &who)) {
		log_write(net->log, LOG_LEVEL_WARN, "control_denied", "uid=%u", who.uid);
		control_end(&refused, TTG_EPERM, "not permitted");
		write_out(&refused);
		close_request(&refused);
		return;
	}
	for (int i = 0; i < CONTROL_CONNECTIONS; i++) {
		struct control_request *request = &control->requests[i];
		if (request->fd >= 0)
			continue;
		memset(request, 0, sizeof *request);
		request->fd = fd;
		request->net = net;
		request->uid = who.uid;
		request->opened_ns = request->moved_ns = net->world->mono_ns(net->world->self);
		return;
	}
	control_end(&refused, TTG_EAGAIN, "%d requests are under way, try again later",
		    CONTROL_CONNECTIONS);
	write_out(&refused);
	close_request(&refused);
}

/* The kernel's word on the groups of whoever is at the other end; no directory service is asked. */
static bool in_group(int fd, gid_t gid)
{
	gid_t groups[CALLER_GROUPS_MAX];
	socklen_t size = sizeof groups;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) != 0)
		return false;
	for (size_t i = 0; i < size / sizeof *groups; i++)
		if (groups[i] == gid)
			return true;
	return false;
}

static bool caller_may(const struct control *control, int fd, const struct ucred *who)
{
	if (who->uid == 0 || who->uid == geteuid())
		return true;
	return control->group != NO_GROUP &&
	       (who->gid == control->group || in_group(fd, control->group));
}

static void read_request(struct control_request *request)
{
	const ssize_t got = recv(request->fd, request->in + request->in_len,
				 CONTROL_REQUEST_MAX - request->in_len, 0);
	if (got == 0) {
		close_request(request);
		return;
	}
	if (got < 0) {
		if (errno != EAGAIN && errno != EINTR)
			close_request(request);
		return;
	}
	request->in_len += (size_t)got;
	const char *end = memchr(request->in, '\n', request->in_len);
	if (end)
		run_request(request, request->in, (size_t)(end - request->in));
	else if (request->in_len == CONTROL_REQUEST_MAX)
		control_end(request, TTG_ELIMIT, "a request has at most %d bytes",
			    CONTROL_REQUEST_MAX);
}

static bool arguments_known(struct control_request *request, size_t command)
{
	const char *key = NULL;
	json_t *value = NULL;
	json_object_foreach(request->arguments, key, value) {
		bool known = false;
		for (int i = 0; i < ARGUMENTS_MAX && commands[command].arguments[i]; i++)
			known = known || strcmp(key, commands[command].arguments[i]) == 0;
		if (!known) {
			control_end(request, TTG_EINVAL, "%s has no argument of that name",
				    commands[command].name);
			return false;
		}
	}
	return true;
}

static void run_request(struct control_request *request, const char *line, size_t len)
{
	request->started = true;
	json_error_t where;
	json_t *root = json_loadb(line, len, JSON_REJECT_DUPLICATES, &where);
	const char *name = json_string_value(json_object_get(root, "command"));
	if (!json_is_object(root) || !name) {
		control_end(request, root ? TTG_EINVAL : TTG_EFORMAT,
			    "a request is one JSON object with the string \"command\"");
		json_decref(root);
		return;
	}
	json_t *arguments = json_object_get(root, "arguments");
	if (arguments && !json_is_object(arguments)) {
		control_end(request, TTG_EINVAL, "\"arguments\" must be an object");
		json_decref(root);
		return;
	}
	request->arguments = arguments ? json_incref(arguments) : json_object();
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		if (strcmp(commands[i].name, name) != 0)
			continue;
		log_write(request->net->log, LOG_LEVEL_INFO, "control", "command=%s uid=%u",
			  commands[i].name, request->uid);
		if (arguments_known(request, i))
			commands[i].run(request);
		json_decref(root);
		return;
	}
	control_end(request, TTG_EINVAL, "unknown command");
	json_decref(root);
}

static void write_out(struct control_request *request)
{
	while (request->fd >= 0 && request->out_sent < request->out_len) {
		const ssize_t sent = send(request->fd, request->out + request->out_sent,
					  request->out_len - request->out_sent,
					  MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0) {
			if (errno != EAGAIN && errno != EINTR)
				close_request(request);
			return;
		}
		request->out_sent += (size_t)sent;
		request->moved_ns = request->net->world->mono_ns(request->net->world->self);
	}
	request->out_len = request->out_sent = 0;
	if (request->ended)
		close_request(request);
}

static void check_time(struct control_request *request)
{
	if (request->fd < 0)
		return;
	const int64_t now = request->net->world->mono_ns(request->net->world->self);
	if (!request->started && !request->ended &&
	    now - request->opened_ns > REQUEST_SECONDS * NS_PER_S)
		control_end(request, TTG_EFORMAT, "no complete request after %d seconds",
			    REQUEST_SECONDS);
	const bool stuck = request->out_len > request->out_sent &&
			   now - request->moved_ns > STUCK_SECONDS * NS_PER_S;
	/* What follows the request is read and dropped, or it would keep the loop awake. */
	char dropped[CONTROL_REQUEST_MAX];
	const bool gone = request->started &&
			  recv(request->fd, dropped, sizeof dropped, 0) == 0;
	if (stuck || gone || request->overflowed)
		close_request(request);
}

static void close_request(struct control_request *request)
{
	if (request->fd >= 0)
		close(request->fd);
	request->fd = -1;
	json_decref(request->arguments);
	request->arguments = NULL;
	if (request->job && request->free_job)
		request->free_job(request->job);
	request->job = NULL;
	free(request->out);
	request->out = NULL;
	request->out_len = request->out_sent = request->out_room = 0;
}

static void put_line(struct control_request *request, json_t *take_line)
{
	char *text = take_line ? json_dumps(take_line, JSON_COMPACT) : NULL;
	json_decref(take_line);
	const size_t len = text ? strlen(text) : 0;
	if (!text || request->out_len - request->out_sent + len + 1 > CONTROL_OUTPUT_MAX) {
		request->overflowed = true;
		free(text);
		return;
	}
	if (request->out_sent > 0) { /* what is gone makes room: a slow reader costs no more */
		memmove(request->out, request->out + request->out_sent,
			request->out_len - request->out_sent);
		request->out_len -= request->out_sent;
		request->out_sent = 0;
	}
	if (request->out_len + len + 1 > request->out_room) {
		const size_t room = (request->out_len + len + 1) * 2;
		char *out = realloc(request->out, room);
		if (!out) {
			request->overflowed = true;
			free(text);
			return;
		}
		request->out = out;
		request->out_room = room;
	}
	memcpy(request->out + request->out_len, text, len);
	request->out[request->out_len + len] = '\n';
	request->out_len += len + 1;
	free(text);
}

void control_item(struct control_request *request, json_t *take_data)
{
	put_line(request, json_pack("{s:i, s:s, s:o}", "code", 0, "text", "", "data", take_data));
}

void control_end(struct control_request *request, enum ttg_error code, const char *format, ...)
{
	char text[MESSAGE_BYTES];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	if (!request->ended)
		put_line(request, json_pack("{s:b, s:i, s:s}", "end", 1, "code", (int)code, "text",
					    text));
	request->ended = true;
	request->started = true;
}

enum ttg_error control_open(struct control **out, struct net *net, struct message *message)
{
	struct control *control = calloc(1, sizeof *control);
	if (!control)
		return message_set(message, TTG_ENOMEM, "no memory for the control socket");
	control->net = net;
	for (int i = 0; i < CONTROL_CONNECTIONS; i++)
		control->requests[i].fd = -1;
	const char *path = net->config->control_socket;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof address.sun_path) {
		free(control);
		return message_set(message, TTG_ELIMIT,
				   "listen.control_socket: at most %zu bytes, choose a shorter path",
				   sizeof address.sun_path - 1);
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	memcpy(control->path, address.sun_path, sizeof control->path);
	control->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	unlink(path); /* the journal's lock already proved that no other daemon uses it */
	const mode_t mask = umask(0117);
	const int bound = control->listener < 0 ?
				  -1 :
				  bind(control->listener, (struct sockaddr *)&address,
				       sizeof address);
	const int bind_errno = errno;
	umask(mask);
	if (bound != 0 || listen(control->listener, CONTROL_CONNECTIONS) != 0) {
		if (control->listener >= 0)
			close(control->listener);
		free(control);
		return message_set(message, TTG_ESYS, "cannot listen on %s: %s", path,
				   strerror(bound != 0 ? bind_errno : errno));
	}
	const struct group *group =
		net->config->control_group[0] ? getgrnam(net->config->control_group) : NULL;
	if (net->config->control_group[0] && !group)
		log_write(net->log, LOG_LEVEL_WARN, "control_group", "reason=\"no such group\"");
	control->group = group ? group->gr_gid : NO_GROUP;
	if (group && chown(path, (uid_t)-1, group->gr_gid) != 0)
		log_write(net->log, LOG_LEVEL_WARN, "control_group", "reason=\"%s\"",
			  strerror(errno));
	*out = control;
	return TTG_OK;
}

void control_close(struct control **handle)
{
	struct control *control = *handle;
	if (!control)
		return;
	for (int i = 0; i < CONTROL_CONNECTIONS; i++)
		if (control->requests[i].fd >= 0)
			close_request(&control->requests[i]);
	control_forget_verify(control->net);
	close(control->listener);
	unlink(control->path);
	free(control);
	*handle = NULL;
}
