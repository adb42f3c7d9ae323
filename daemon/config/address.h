/*
 * Network addresses as they stand in a configuration. Pure.
 */
#ifndef TTGD_CONFIG_ADDRESS_H
#define TTGD_CONFIG_ADDRESS_H

#include "base/message.h"
#include "core/rules.h"

/*
 * Reads "192.0.2.0/24", "2001:db8::/32" or a single address. False with what would be right in
 * message.
 */
bool address_parse_range(const char *text, struct rules_range *out, struct message *message);

/* 127.0.0.0/8 or ::1. */
bool address_is_loopback(const char *text);

/* "tcp://HOST:PORT" with HOST an address (IPv6 in brackets), a name or "*", PORT a number, 0 or "*"
   for any free one. */
bool address_is_endpoint(const char *text);

#endif
