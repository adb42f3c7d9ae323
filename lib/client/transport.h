/*
 * The connection underneath a session: one CURVE DEALER socket that connects once and never again
 * by itself, and its monitor, which tells of a lost or refused connection without waiting for the
 * silence that would give it away.
 *
 * Owner: the thread that polls the client. A transport is opened anew for each session.
 */
#ifndef TTG_CLIENT_TRANSPORT_H
#define TTG_CLIENT_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/keyfile.h"
#include <ttg/proto/session.pb-c.h>

#define TRANSPORT_MAX_FRAME_BYTES (8u * 1024 * 1024) /* longest frame taken from a broker */

struct transport {
	void *context;
	void *socket;    /* NULL while closed */
	void *monitor;
	int epoll_fd;    /* both descriptors are registered here while open */
	unsigned opened; /* how often, to name the monitor's endpoint */
	struct arena frame; /* the one received last, decoded */
};

enum transport_news {
	TRANSPORT_NO_NEWS = 0,
	TRANSPORT_LOST = 1,   /* refused, unreachable or broken off */
	TRANSPORT_BROKEN = 2, /* broken off while greeting: often a wrong server key */
	TRANSPORT_DENIED = 3, /* the other side says that it does not take our key */
};

/* The transport must not move afterwards. TTG_ENOMEM, TTG_ESYS; also then transport_fini(). */
enum ttg_error transport_init(struct transport *transport, int epoll_fd);
void transport_fini(struct transport *transport);

/* Starts to connect. TTG_EINVAL (address or key), TTG_ESYS. */
enum ttg_error transport_open(struct transport *transport, const char *broker,
			      const char *server_z85, const struct key_pair *pair);
/* Drops the connection and everything unsent. */
void transport_close(struct transport *transport);

/* Sends one frame whole. TTG_EAGAIN: no room now; TTG_ENOMEM; TTG_ECLOSED. */
enum ttg_error transport_send(struct transport *transport, const Ttg__Frame *frame);

/*
 * Takes one frame. TTG_EAGAIN: none there. TTG_EFORMAT: what came is no frame, or one that would take
 * more memory than any frame needs. *out stays until the next call or transport_fini(), also when
 * the transport is closed. TTG_ECLOSED.
 */
enum ttg_error transport_receive(struct transport *transport, Ttg__Frame **out);

/* What became known about the connection since the last call. */
enum transport_news transport_news(struct transport *transport);

/* True when transport_receive() would give something now. */
bool transport_readable(const struct transport *transport);
/* True when transport_send() would take something now. */
bool transport_writable(const struct transport *transport);

#endif
