/*
 * The table of TCP connections to the agencies' socket, by descriptor: which of them have a session,
 * and who waits for one how long. It opens and closes nothing; monitor.c does that.
 *
 * A descriptor is used again as soon as it is closed, so each connection has a number of its own,
 * and the other end's address as the kernel told it when it was accepted.
 */
#ifndef TTGD_NET_CONNECTIONS_H
#define TTGD_NET_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

#define CONNECTION_END_BYTES 28 /* a struct sockaddr_in6 */

enum connection_state {
	CONNECTION_WAITS,   /* without a session: in the list of those who wait */
	CONNECTION_SERVES,  /* carries a session */
	CONNECTION_DROPPED, /* told to end; its end is not known yet */
};

struct connection {
	int fd;
	uint64_t number; /* 1 and up, never used again */
	enum connection_state state;
	int64_t since_ns; /* mono: accepted, or its session ended */
	uint8_t end[CONNECTION_END_BYTES];
	size_t end_bytes;
	struct connection *prev, *next; /* those who wait, longest first */
	UT_hash_handle hh;
};

/* All zero: empty. */
struct connections {
	struct connection *by_fd;
	struct connection *waiting;
	size_t n, n_waiting;
	uint64_t last_number;
};

/* Accepted; one that is known under this descriptor is gone then. False without memory. */
bool connections_add(struct connections *connections, int fd, const void *end, size_t end_bytes,
		     int64_t mono_ns);
/* Closed. */
void connections_remove(struct connections *connections, int fd);
void connections_clear(struct connections *connections);

/* A session begins on it: its number, 0 when it is not known (any more). */
uint64_t connections_take(struct connections *connections, int fd);
/* That session has ended; the connection waits again, behind the others. */
void connections_give_back(struct connections *connections, int fd, uint64_t number,
			   int64_t mono_ns);
/* False: it was known under this number and is no more. */
bool connections_is_open(const struct connections *connections, int fd, uint64_t number);

/* Who waits longest, or NULL. */
const struct connection *connections_oldest(const struct connections *connections);
/* It was told to end: waits no longer. */
void connections_drop(struct connections *connections, int fd);

#endif
