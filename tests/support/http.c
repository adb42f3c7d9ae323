/*
 * One request, one connection, the whole answer until the server closes. Test thread only.
 */
#include "support/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include "support/assert.h"
#include "support/wait.h"

#define ANSWER_MAX (4u << 20)
#define SOCKET_TIMEOUT_S 20

static int connect_loopback(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	const struct timeval patience = { .tv_sec = SOCKET_TIMEOUT_S };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	must_be(fd >= 0, "cannot make a socket");
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void send_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);

		if (sent <= 0)
			return; /* the server may answer and close before it took it all */
		data += sent;
		len -= (size_t)sent;
	}
}

struct http_answer http_ask(int port, const char *method, const char *path, const char *headers,
			    const char *body, size_t body_bytes)
{
	struct http_answer answer = { 0, strdup("") };
	char request[2048];
	int fd = connect_loopback(port);

	if (fd < 0)
		return answer;
	int len = snprintf(request, sizeof(request),
			   "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
			   "Content-Length: %zu\r\n%s\r\n",
			   method, path, body_bytes, headers ? headers : "");
	must_be(len > 0 && (size_t)len < sizeof(request), "request too long");
	send_all(fd, request, (size_t)len);
	if (body)
		send_all(fd, body, body_bytes);
	char *text = calloc(1, ANSWER_MAX + 1);
	must_be(text != NULL, "no memory");
	size_t got = 0;
	ssize_t more = 0;
	while (got < ANSWER_MAX && (more = recv(fd, text + got, ANSWER_MAX - got, 0)) > 0)
		got += (size_t)more;
	close(fd);
	if (sscanf(text, "HTTP/1.%*d %d", &answer.status) != 1)
		answer.status = 0;
	char *rest = strstr(text, "\r\n\r\n");
	free(answer.body);
	answer.body = strdup(rest ? rest + 4 : "");
	free(text);
	return answer;
}

double must_read_metric(int port, const char *name)
{
	struct http_answer answer = http_ask(port, "GET", "/metrics", NULL, NULL, 0);
	double value = -1;

	if (answer.status != 200) {
		int status = answer.status;

		free(answer.body);
		must_fail("metrics answered %d", status);
	}
	for (char *line = strtok(answer.body, "\n"); line; line = strtok(NULL, "\n"))
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ' ')
			value = strtod(line + strlen(name), NULL);
	free(answer.body);
	return value;
}

void must_reach_metric(int port, const char *name, double least)
{
	int64_t deadline_ms = wait_now_ms() + WAIT_LONG_MS;
	double value = 0;

	do {
		value = must_read_metric(port, name);
		if (value >= least)
			return;
	} while (wait_step(deadline_ms));
	must_fail("metric %s is %g, should have reached %g", name, value, least);
}
