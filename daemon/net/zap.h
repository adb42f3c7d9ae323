/*
 * The ZAP handler (ZeroMQ RFC 27): decides at every handshake whether the key at the other end is
 * one of ours, valid now, not revoked, and comes from an address its agency may use. Refuses by
 * default. The User-Id it hands out is the public key in Z85; messages carry it from then on.
 */
#ifndef TTGD_NET_ZAP_H
#define TTGD_NET_ZAP_H

#include "base/message.h"
#include "net/net.h"

#define ZAP_DOMAIN "ttg" /* non-empty, or libzmq would not ask when the handler is missing */

/* Binds inproc://zeromq.zap.01; must stand before the endpoint binds. */
enum ttg_error zap_open(struct zap **out, void *zmq, struct message *message);
void zap_close(struct zap **zap);
void *zap_socket(const struct zap *zap);

/* Reads an address as libzmq writes it; IPv4 becomes ::ffff:a.b.c.d. */
bool zap_read_address(const char *text, uint8_t out[16]);

/* Answers what is waiting. */
void zap_serve(struct zap *zap, struct net *net);

#endif
