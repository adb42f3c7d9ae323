/*
 * Which connections the HTTP intake has, and how long each has owed a whole request. The library
 * cuts off who is silent; this cuts off who keeps sending a little, so that nobody holds a place
 * for ever. Owned by the adapter's only thread.
 */
#ifndef ADAPTERS_COMMON_HTTP_SLOW_H
#define ADAPTERS_COMMON_HTTP_SLOW_H

#include <stddef.h>
#include <stdint.h>

#define HTTP_CONNECTIONS_MAX 64

struct http_slot {
	int socket;       /* -1: free, or cut off already */
	int64_t since_ns; /* connected, or the answer before was done; CLOCK_MONOTONIC */
};

struct http_slow {
	struct http_slot slots[HTTP_CONNECTIONS_MAX];
	int64_t patience_ns;
};

void http_slow_init(struct http_slow *slow, unsigned patience_s);

/* A connection came. NULL when there are too many: it is then only cut off for silence. */
struct http_slot *http_slow_begin(struct http_slow *slow, int socket);
/* A request was answered: the next one has its time from now on. NULL is allowed. */
void http_slow_again(struct http_slot *slot);
/* The connection is gone. NULL is allowed. */
void http_slow_end(struct http_slot *slot);

/* Shuts the sockets whose request is not whole in time. Gives how many. */
size_t http_slow_cut(struct http_slow *slow);
/* Milliseconds until one is due; -1: none is there. */
int http_slow_wait_ms(const struct http_slow *slow);

#endif
