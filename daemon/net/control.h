/*
 * The operator's socket: a Unix stream socket, callers known by what the kernel says of them
 * (SO_PEERCRED). One JSON request a connection, JSON lines back; docs/control.md is the contract.
 */
#ifndef TTGD_NET_CONTROL_H
#define TTGD_NET_CONTROL_H

#include <stdbool.h>
#include <zmq.h>
#include "base/message.h"

#define CONTROL_CONNECTIONS 16
#define CONTROL_DESCRIPTORS (CONTROL_CONNECTIONS + 1)

struct control;
struct net;

enum ttg_error control_open(struct control **out, struct net *net, struct message *message);
void control_close(struct control **control);

/* Fills at most CONTROL_DESCRIPTORS items, returns how many. */
int control_poll_items(const struct control *control, zmq_pollitem_t *items);
/* Serves what the poll found, and a slice of every request under way. */
void control_serve(struct control *control, const zmq_pollitem_t *items, int n);
/* A thread works for a request: its end is seen by looking. */
bool control_watching(const struct control *control);
/* The server asks no more after the last verification; for control_close() only. */
void control_forget_verify(struct net *net);
/* A request has a slice to do at once. */
bool control_busy(const struct control *control);

#endif
