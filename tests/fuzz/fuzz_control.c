/*
 * Bytes on the operator's socket of a broker that holds a few events.
 *
 * Broken when an answer is no lines of JSON with a code each, a finished one has no end line, or a
 * connection that was answered stays open.
 */
#include "fuzz.h"

#include <jansson.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "broker.h"
#include "net/control.h"

#define ROUNDS_MAX 40
#define SILENT_ROUNDS_MAX 8 /* and nothing more is coming */
#define ANSWER_MAX (1u << 20)

struct answer {
	char *text;
	size_t len;
	bool closed;
};

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	MUST(strlen(path) < sizeof(address.sun_path));
	strcpy(address.sun_path, path);
	MUST(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	return fd;
}

static void read_answer(int fd, struct answer *answer)
{
	while (answer->len < ANSWER_MAX) {
		const ssize_t got = recv(fd, answer->text + answer->len, ANSWER_MAX - answer->len, 0);

		answer->closed = answer->closed || got == 0;
		if (got <= 0)
			return;
		answer->len += (size_t)got;
	}
}

static void check_answer(const struct answer *answer)
{
	bool ended = false;
	size_t at = 0;

	while (at < answer->len) {
		const char *end = memchr(answer->text + at, '\n', answer->len - at);
		json_error_t where;

		MUST(end && !ended);
		const size_t len = (size_t)(end - answer->text) - at;
		json_t *line = json_loadb(answer->text + at, len, 0, &where);
		MUST(json_is_integer(json_object_get(line, "code")));
		ended = json_is_true(json_object_get(line, "end"));
		json_decref(line);
		at += len + 1;
	}
	MUST(!answer->closed || ended);
}

static void serve(struct fuzz_broker *broker, struct answer *answer, int fd)
{
	struct net *net = &broker->net;

	for (int i = 0, silent = 0; i < ROUNDS_MAX && silent < SILENT_ROUNDS_MAX && !answer->closed;) {
		zmq_pollitem_t items[CONTROL_DESCRIPTORS];
		const size_t before = answer->len;
		const int n = control_poll_items(net->control, items);

		items[0].revents = ZMQ_POLLIN;
		control_serve(net->control, items, n);
		fuzz_broker_cycle(broker);
		read_answer(fd, answer);
		silent = answer->len > before ? 0 : silent + 1;
		if (control_watching(net->control)) { /* a thread has it: not counted */
			silent = 0;
			sched_yield();
		} else {
			i++;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static char text[ANSWER_MAX];
	struct fuzz_broker *broker = fuzz_broker_take(3);
	struct net *net = &broker->net;
	struct answer answer = { .text = text };
	struct message message = { "" };

	fuzz_path("control", net->config->control_socket, sizeof(net->config->control_socket));
	MUST(control_open(&net->control, net, &message) == TTG_OK);
	const int fd = connect_to(net->config->control_socket);
	const bool sent = send(fd, data, len, MSG_NOSIGNAL) == (ssize_t)len;
	serve(broker, &answer, fd);
	check_answer(&answer);
	if (sent && memchr(data, '\n', len) && !memmem(data, len, "follow", 6) &&
	    !memmem(data, len, "\\u", 2))
		MUST(answer.closed);
	close(fd);
	control_close(&net->control);
	fuzz_broker_give_back(&broker);
	return 0;
}
