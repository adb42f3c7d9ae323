/*
 * The client's side of the control socket.
 *
 * The daemon is trusted no further than its protocol: a line too long, not JSON, or without the
 * fields it must have ends the answer as if it had been cut off, and says so.
 */
#include "ctl/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct connection {
	int socket;
	int silence_ms;
	size_t have; /* bytes in buffer */
	size_t used; /* of them, by lines handed out before */
	char buffer[CLIENT_LINE_MAX];
};

static void fail(struct client_answer *answer, enum client_result result, const char *what,
		 const char *why)
{
	answer->result = result;
	answer->code = TTG_ESYS;
	message_set(&answer->message, TTG_ESYS, "%s: %s", what, why);
}

static bool connect_to(struct connection *connection, const char *path,
		       struct client_answer *answer)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path)) {
		fail(answer, CLIENT_UNREACHABLE, path, "too long for a socket");
		return false;
	}
	strcpy(address.sun_path, path);
	connection->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connection->socket < 0) {
		fail(answer, CLIENT_UNREACHABLE, path, strerror(errno));
		return false;
	}
	if (connect(connection->socket, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return true;
	if (errno == EACCES || errno == EPERM)
		fail(answer, CLIENT_REFUSED, path, "not yours to use, see listen.control_group");
	else if (errno == ENOENT || errno == ECONNREFUSED)
		fail(answer, CLIENT_UNREACHABLE, path, "no daemon there: is ttgd running?");
	else
		fail(answer, CLIENT_UNREACHABLE, path, strerror(errno));
	return false;
}

static bool send_request(struct connection *connection, const char *command, json_t *arguments,
			 struct client_answer *answer)
{
	json_t *request = json_pack("{s:s}", "command", command);
	char *text = NULL;
	size_t len, sent = 0;
	bool fine = false;

	if (request != NULL && arguments != NULL)
		json_object_set(request, "arguments", arguments);
	if (request != NULL)
		text = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	if (text == NULL) {
		fail(answer, CLIENT_UNREACHABLE, "request", "no memory");
		return false;
	}
	len = strlen(text);
	text[len++] = '\n'; /* in place of the NUL */
	while (sent < len) {
		ssize_t n = send(connection->socket, text + sent, len - sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			/* The daemon may have said why before it hung up: read on. */
			fine = errno == EPIPE || errno == ECONNRESET;
			if (!fine)
				fail(answer, CLIENT_UNREACHABLE, "request", strerror(errno));
			goto out;
		}
		sent += (size_t)n;
	}
	fine = true;
out:
	free(text);
	return fine;
}

/* Reads more bytes; false at the end, after too long a silence, or when the buffer is full. */
static bool read_more(struct connection *connection, struct client_answer *answer)
{
	struct pollfd readable = { connection->socket, POLLIN, 0 };
	ssize_t n;
	int ready;

	memmove(connection->buffer, connection->buffer + connection->used,
		connection->have - connection->used);
	connection->have -= connection->used;
	connection->used = 0;
	if (connection->have == sizeof(connection->buffer)) {
		fail(answer, CLIENT_UNREACHABLE, "answer", "a line is longer than the protocol allows");
		return false;
	}
	do {
		ready = poll(&readable, 1, connection->silence_ms);
	} while (ready < 0 && errno == EINTR);
	if (ready == 0) {
		fail(answer, CLIENT_UNREACHABLE, "answer", "the daemon is silent");
		return false;
	}
	do {
		n = recv(connection->socket, connection->buffer + connection->have,
			 sizeof(connection->buffer) - connection->have, 0);
	} while (n < 0 && errno == EINTR);
	if (n <= 0) {
		fail(answer, CLIENT_UNREACHABLE, "answer",
		     n == 0 ? "the daemon went away in the middle" : strerror(errno));
		return false;
	}
	connection->have += (size_t)n;
	return true;
}

/* The next line as JSON, owned by the caller; NULL after answer was filled. */
static json_t *read_line(struct connection *connection, struct client_answer *answer)
{
	const char *line, *end;
	json_t *value;

	for (;;) {
		line = connection->buffer + connection->used;
		end = memchr(line, '\n', connection->have - connection->used);
		if (end != NULL)
			break;
		if (!read_more(connection, answer))
			return NULL;
	}
	value = json_loadb(line, (size_t)(end - line), JSON_REJECT_DUPLICATES, NULL);
	connection->used += (size_t)(end - line) + 1;
	if (value == NULL || !json_is_object(value)) {
		json_decref(value);
		fail(answer, CLIENT_UNREACHABLE, "answer", "a line is not a JSON object");
		return NULL;
	}
	return value;
}

static void take_end(const json_t *line, struct client_answer *answer)
{
	const json_t *code = json_object_get(line, "code");
	const char *text = json_string_value(json_object_get(line, "text"));

	if (!json_is_integer(code)) {
		fail(answer, CLIENT_UNREACHABLE, "answer", "the end line has no code");
		return;
	}
	answer->result = CLIENT_ENDED;
	answer->code = (enum ttg_error)json_integer_value(code);
	if (answer->code == TTG_OK)
		answer->message.text[0] = '\0';
	else
		message_set(&answer->message, answer->code, "%s",
			    text != NULL && text[0] != '\0' ? text : ttg_error_text(answer->code));
}

void client_ask(const char *socket_path, const char *command, json_t *arguments, int silence_ms,
		void (*item)(void *arg, json_t *data), void *arg, struct client_answer *answer)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	bool ended = false;

	memset(answer, 0, sizeof(*answer));
	if (connection == NULL) {
		fail(answer, CLIENT_UNREACHABLE, socket_path, "no memory");
		return;
	}
	connection->socket = -1;
	connection->silence_ms = silence_ms;
	if (!connect_to(connection, socket_path, answer) ||
	    !send_request(connection, command, arguments, answer))
		goto out;
	while (!ended) {
		json_t *line = read_line(connection, answer);
		json_t *data;

		if (line == NULL)
			break;
		data = json_object_get(line, "data");
		ended = json_is_true(json_object_get(line, "end"));
		if (data != NULL && !json_is_null(data))
			item(arg, data);
		if (ended)
			take_end(line, answer);
		json_decref(line);
	}
out:
	if (connection->socket >= 0)
		close(connection->socket);
	free(connection);
}
