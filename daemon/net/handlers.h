/* One function a verb of the session protocol; each in on_<verb>.c. Called by dispatch.c only. */
#ifndef TTGD_NET_HANDLERS_H
#define TTGD_NET_HANDLERS_H

#include <ttg/proto/session.pb-c.h>
#include "net/net.h"

/* There may be an older session on the connection, which Hello replaces. */
void on_hello(struct net *net, const struct net_peer *peer, const Ttg__Hello *hello);

void on_publish(struct net *net, struct session *session, const Ttg__Publish *publish);

void on_attach(struct net *net, struct session *session, const Ttg__Attach *attach);
void on_credit(struct net *net, struct session *session, const Ttg__Credit *credit);
void on_ack(struct net *net, struct session *session, const Ttg__Ack *ack);
void on_nack(struct net *net, struct session *session, const Ttg__Nack *nack);
void on_detach(struct net *net, struct session *session, const Ttg__Detach *detach);

void on_ask_receipt(struct net *net, struct session *session, const Ttg__AskReceipt *ask);
void on_ask_state(struct net *net, struct session *session, const Ttg__AskState *ask);

/* A breach of protocol: Error, fatal, and the session is gone. */
void net_break_session(struct net *net, struct session *session, enum ttg_error code,
		       const char *text);

#endif
