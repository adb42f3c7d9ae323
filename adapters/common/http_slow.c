/*
 * Connections that take too long; see http_slow.h. A socket is only shut here, never closed: it
 * belongs to libmicrohttpd, which then sees its end and takes the connection down. Owned by the
 * adapter's only thread.
 */
#include "common/http_slow.h"

#include <sys/socket.h>
#include <time.h>

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)

static int64_t steady_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

void http_slow_init(struct http_slow *slow, unsigned patience_s)
{
	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
		slow->slots[i] = (struct http_slot){ .socket = -1 };
	slow->patience_ns = (int64_t)patience_s * NS_PER_S;
}

struct http_slot *http_slow_begin(struct http_slow *slow, int socket)
{
	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
		struct http_slot *slot = &slow->slots[i];

		if (slot->since_ns != 0)
			continue;
		*slot = (struct http_slot){ .socket = socket, .since_ns = steady_ns() };
		return slot;
	}
	return NULL;
}

void http_slow_again(struct http_slot *slot)
{
	if (slot != NULL)
		slot->since_ns = steady_ns();
}

void http_slow_end(struct http_slot *slot)
{
	if (slot != NULL)
		*slot = (struct http_slot){ .socket = -1 };
}

size_t http_slow_cut(struct http_slow *slow)
{
	int64_t now_ns = steady_ns();
	size_t n = 0;

	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
		struct http_slot *slot = &slow->slots[i];

		if (slot->socket < 0 || now_ns - slot->since_ns < slow->patience_ns)
			continue;
		shutdown(slot->socket, SHUT_RDWR);
		slot->socket = -1;
		n++;
	}
	return n;
}

int http_slow_wait_ms(const struct http_slow *slow)
{
	int64_t now_ns = steady_ns(), wait_ns = -1;

	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
		const struct http_slot *slot = &slow->slots[i];
		int64_t left_ns = slot->since_ns + slow->patience_ns - now_ns;

		if (slot->socket < 0)
			continue;
		if (left_ns < 0)
			left_ns = 0;
		if (wait_ns < 0 || left_ns < wait_ns)
			wait_ns = left_ns;
	}
	return wait_ns < 0 ? -1 : (int)((wait_ns + NS_PER_MS - 1) / NS_PER_MS);
}
