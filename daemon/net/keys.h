/*
 * The broker's key store: payloads of persons are sealed and opened for the core, keys of erased persons
 * destroyed when their record is durable, keys wrapped anew when the master key changed.
 *
 * Owner: the loop. Without a store (options NULL) everything here does nothing.
 */
#ifndef TTGD_NET_KEYS_H
#define TTGD_NET_KEYS_H

#include "keystore/payload.h"
#include "net/net.h"

struct record_event;

struct net_keys {
	struct keystore *store;
	struct payloads *payloads;
	uint64_t erased; /* what records up to this one erase is destroyed */
};

/* Before the recovery. As keystore_open(). */
enum ttg_error net_keys_open(struct net *net, const struct keystore_options *options,
			     struct message *message);
void net_keys_close(struct net *net);
/* Behind the recovery: everything that was sealed has its key, or its person was erased; and those keys are
   destroyed, if a crash came between. */
enum ttg_error net_keys_recovered(struct net *net, struct message *message);

/* And before anything is published: an older journal may have been put back, which does not know that a key
   was destroyed; it is written down again. As core_erase(). */
enum ttg_error net_keys_reconcile(struct net *net);

/* The core's sink, if there is a store by the configuration. */
void net_keys_sink(const struct net *net, struct core_sink *sink);

/* What was erased, or lapsed, by records that are durable now is destroyed, some in each cycle; true: more is
   left. Sets net->failure when that fails; without room on the disk it is tried again. */
bool net_keys_step(struct net *net, uint64_t durable);
/* It was durable, and what it erased is gone. */
bool net_keys_erased(const struct net *net, uint64_t sequence);

void net_keys_view(const struct net *net, struct keystore_view *out); /* there is a store */

/* From time to time: goes on wrapping keys anew. */
void net_keys_upkeep(struct net *net);
/* At a reload: the file of the master key may hold another one. TTG_EINVAL: a start after it might find the
   keys under neither of the two that are named; nothing was done. */
enum ttg_error net_keys_reload(struct net *net, const struct config *loaded, struct message *message);

/* Salt of an event's digest, for its receipt; zeros when it is not sealed. TTG_EPERM: it was erased. */
enum ttg_error net_keys_salt(struct net *net, const struct record_event *event, uint8_t salt[PAYLOAD_SALT]);
/* The bytes of an event, sealed or not, valid until the next call of the store. */
enum ttg_error net_keys_bytes(struct net *net, struct record_event *event);

#endif
