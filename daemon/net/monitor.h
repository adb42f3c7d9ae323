/*
 * What happens to connections before and beneath sessions, as libzmq's socket monitor tells it, and
 * the bounds on them: who has no session is one of at most so many, for at most so long.
 */
#ifndef TTGD_NET_MONITOR_H
#define TTGD_NET_MONITOR_H

#include "base/message.h"
#include "net/net.h"

#define MONITOR_HANDSHAKE_MS 10000 /* libzmq ends a handshake that takes longer */

/* Watches net->router, which is not bound yet. Tells in the log when descriptors are too few. */
enum ttg_error monitor_open(struct net *net, struct message *message);
void monitor_close(struct net *net);

int monitor_fd(const struct net *net);
/* Something is left to read. */
bool monitor_waits(const struct net *net);
/* Takes note of what happened, and drops those who are too many or wait too long. */
void monitor_serve(struct net *net);

struct monitor_view {
	size_t connections, waiting; /* open now; of those, without a session */
	size_t max_waiting;
};
void monitor_get_view(const struct net *net, struct monitor_view *view);

/* Sessions that may be open at once: limits.max_sessions, or what descriptors allow. */
size_t monitor_max_sessions(const struct net *net);
/* A session begins on the connection this message came by, and ends. */
void monitor_session_begins(struct net *net, struct session *session, const zmq_msg_t *message);
void monitor_session_ends(struct net *net, const struct session *session);
/* The connection of the session is closed; frames of it may be unread still. */
bool monitor_session_lost(const struct net *net, const struct session *session);

#endif
