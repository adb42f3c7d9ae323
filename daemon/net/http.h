/*
 * Metrics (Prometheus text) at /metrics, liveness at /health, readiness at /ready, on a loopback
 * address. Numbers, names of agencies' mailboxes and codes only; nothing about people. Served by
 * libmicrohttpd inside the loop, without a thread.
 */
#ifndef TTGD_NET_HTTP_H
#define TTGD_NET_HTTP_H

#include "base/message.h"

struct http;
struct net;

/* Port 0 in the configuration: off, *out is an object that does nothing. */
enum ttg_error http_open(struct http **out, struct net *net, struct message *message);
void http_close(struct http **http);
int http_fd(const struct http *http); /* -1 when off */
/* Something is to be done though the descriptor does not say so. */
bool http_is_due(const struct http *http);
void http_serve(struct http *http);

#endif
