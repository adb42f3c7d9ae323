/* The numbers of a running daemon as Prometheus text (exposition format 0.0.4). */
#ifndef TTGD_NET_METRICS_H
#define TTGD_NET_METRICS_H

#include <stddef.h>

struct net;

/* malloc'd text, NULL without memory. Every metric has HELP and TYPE; names begin with ttgd_. */
char *metrics_text(const struct net *net, size_t *len);

#endif
