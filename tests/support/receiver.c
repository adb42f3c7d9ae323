/*
 * A receiver of pushed events. See receiver.h. One thread accepts, one request a connection; what
 * it remembers is behind a mutex. Closing shuts the listening socket, which ends the thread.
 */
#include "support/receiver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>
#include "support/assert.h"
#include "support/wait.h"

#define REQUEST_MAX (1u << 20)

struct receiver {
	int listening, port;
	int silent; /* the connection that gets no answer, held open; -1: none */
	pthread_t thread;
	pthread_mutex_t mutex;
	int status, next_status, those_status;
	unsigned n_next;
	const char *headers, *those;
	struct receiver_request *requests;
	size_t n;
};

/* The value of a header of the request, "" when it has none. */
static void read_header(const char *head, const char *name, char *out, size_t room)
{
	const size_t len = strlen(name);

	out[0] = '\0';
	for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
			const char *value = line + len + 1 + (line[len + 1] == ' ');

			snprintf(out, room, "%.*s", (int)strcspn(value, "\r"), value);
			return;
		}
	}
}

/* A whole request, malloc'd; NULL when it does not come. */
static char *read_request(int fd)
{
	char *text = calloc(1, REQUEST_MAX + 1);
	size_t len = 0;

	while (text != NULL && len < REQUEST_MAX) {
		const char *end = strstr(text, "\r\n\r\n");
		char length[24] = "0";
		ssize_t got;

		if (end != NULL) {
			read_header(text, "Content-Length", length, sizeof(length));
			if (len >= (size_t)(end + 4 - text) + strtoul(length, NULL, 10))
				return text;
		}
		got = recv(fd, text + len, REQUEST_MAX - len, 0);
		if (got <= 0)
			break;
		len += (size_t)got;
	}
	free(text);
	return NULL;
}

static int choose_status(struct receiver *receiver, const char *body)
{
	if (receiver->those != NULL && strstr(body, receiver->those) != NULL)
		return receiver->those_status;
	if (receiver->n_next == 0)
		return receiver->status;
	receiver->n_next--;
	return receiver->next_status;
}

/* Remembers it before it is answered; the status, and the whole answer in `out`. */
static int take(struct receiver *receiver, const char *text, char *out, size_t room)
{
	const char *body = strstr(text, "\r\n\r\n") + 4;
	struct receiver_request request = { .body = strdup(body) };

	read_header(text, "Webhook-Id", request.id, sizeof(request.id));
	read_header(text, "Webhook-Timestamp", request.timestamp, sizeof(request.timestamp));
	read_header(text, "Webhook-Signature", request.signature, sizeof(request.signature));
	read_header(text, "Content-Type", request.type, sizeof(request.type));
	pthread_mutex_lock(&receiver->mutex);
	request.status = choose_status(receiver, body);
	if (receiver->n < RECEIVER_MAX)
		receiver->requests[receiver->n++] = request;
	snprintf(out, room, "HTTP/1.1 %d Answer\r\nContent-Length: 0\r\nConnection: close\r\n%s\r\n",
	         request.status, receiver->headers == NULL ? "" : receiver->headers);
	pthread_mutex_unlock(&receiver->mutex);
	return request.status;
}

static void serve(struct receiver *receiver, int fd)
{
	char answer[512];
	char *text = read_request(fd);

	if (text != NULL && take(receiver, text, answer, sizeof(answer)) == RECEIVER_SILENT) {
		if (receiver->silent >= 0)
			close(receiver->silent);
		receiver->silent = fd;
		fd = -1;
	} else if (text != NULL) {
		send(fd, answer, strlen(answer), MSG_NOSIGNAL);
	}
	if (fd >= 0)
		close(fd);
	free(text);
}

static void *run(void *arg)
{
	struct receiver *receiver = arg;
	const struct timeval patience = { .tv_sec = WAIT_LONG_MS / 1000 };
	int fd;

	while ((fd = accept(receiver->listening, NULL, NULL)) >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		serve(receiver, fd);
	}
	return NULL;
}

struct receiver *must_open_receiver(void)
{
	struct receiver *receiver = calloc(1, sizeof(*receiver));
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);

	must_be(receiver != NULL, "no memory");
	receiver->requests = calloc(RECEIVER_MAX, sizeof(*receiver->requests));
	receiver->status = 204;
	receiver->silent = -1;
	receiver->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must_be(receiver->requests != NULL && receiver->listening >= 0 &&
	                bind(receiver->listening, (struct sockaddr *)&address, len) == 0 &&
	                listen(receiver->listening, 64) == 0 &&
	                getsockname(receiver->listening, (struct sockaddr *)&address, &len) == 0,
	        "cannot listen");
	receiver->port = ntohs(address.sin_port);
	pthread_mutex_init(&receiver->mutex, NULL);
	must_be(pthread_create(&receiver->thread, NULL, run, receiver) == 0, "no thread");
	return receiver;
}

void receiver_close(struct receiver **receiver)
{
	struct receiver *it = *receiver;

	if (it == NULL)
		return;
	shutdown(it->listening, SHUT_RDWR);
	pthread_join(it->thread, NULL);
	close(it->listening);
	if (it->silent >= 0)
		close(it->silent);
	for (size_t i = 0; i < it->n; i++)
		free(it->requests[i].body);
	free(it->requests);
	pthread_mutex_destroy(&it->mutex);
	free(it);
	*receiver = NULL;
}

int receiver_port(const struct receiver *receiver)
{
	return receiver->port;
}

void receiver_answer(struct receiver *receiver, int status, const char *headers)
{
	pthread_mutex_lock(&receiver->mutex);
	receiver->status = status;
	receiver->headers = headers;
	pthread_mutex_unlock(&receiver->mutex);
}

void receiver_answer_next(struct receiver *receiver, unsigned n, int status)
{
	pthread_mutex_lock(&receiver->mutex);
	receiver->n_next = n;
	receiver->next_status = status;
	pthread_mutex_unlock(&receiver->mutex);
}

void receiver_answer_those(struct receiver *receiver, const char *text, int status)
{
	pthread_mutex_lock(&receiver->mutex);
	receiver->those = text;
	receiver->those_status = status;
	pthread_mutex_unlock(&receiver->mutex);
}

size_t receiver_count(struct receiver *receiver)
{
	size_t n;

	pthread_mutex_lock(&receiver->mutex);
	n = receiver->n;
	pthread_mutex_unlock(&receiver->mutex);
	return n;
}

struct receiver_request receiver_get(struct receiver *receiver, size_t index)
{
	struct receiver_request request;

	pthread_mutex_lock(&receiver->mutex);
	must_be(index < receiver->n, "no such request");
	request = receiver->requests[index];
	pthread_mutex_unlock(&receiver->mutex);
	return request;
}

size_t receiver_count_status(struct receiver *receiver, int status)
{
	size_t n = 0;

	pthread_mutex_lock(&receiver->mutex);
	for (size_t i = 0; i < receiver->n; i++)
		n += receiver->requests[i].status == status;
	pthread_mutex_unlock(&receiver->mutex);
	return n;
}
