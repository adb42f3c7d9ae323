/* Small frames out; see send.c for what becomes of one that cannot be sent. */
#ifndef TTGD_NET_SEND_H
#define TTGD_NET_SEND_H

#include <ttg/proto/session.pb-c.h>
#include "net/net.h"

void net_send_heartbeat(struct net *net, struct session *session);
void net_send_attached(struct net *net, struct session *session, uint32_t handle, bool active,
		       uint64_t acknowledged);
void net_send_nacked(struct net *net, struct session *session, uint32_t handle, uint64_t position,
		     bool parked);
/* Frame is sent whole; false: the socket is full now. True also when nobody is there any more. */
bool net_send(struct net *net, struct session *session, const uint8_t *frame, size_t len);
void net_send_error(struct net *net, struct session *session, enum ttg_error code, uint32_t handle,
		    bool fatal, const char *text);
/* Receipts and States, while session->answer is NULL. One that the socket does not take stays there, and
   goes with net_release(). */
void net_send_answer(struct net *net, struct session *session, const Ttg__Frame *frame);
/* The answer to an AskReceipt or AskState of which nothing is told. */
void net_send_unanswered(struct net *net, struct session *session, Ttg__Frame__BodyCase kind,
			 uint64_t ask, enum ttg_error code);
void net_send_goodbye(struct net *net, struct session *session, enum ttg_error code);

#endif
