/*
 * A broker without sockets for the targets that speak to daemon/net: the rules of core_play.h, a
 * journal in a memory world, a core, and keys for its four agencies. Time stands still unless it is
 * moved. For any one input only; nothing is left behind.
 */
#ifndef TTG_FUZZ_BROKER_H
#define TTG_FUZZ_BROKER_H

#include "net/net.h"
#include "support/memory_world.h"

#define FUZZ_KEYS 4 /* charity, oneservice, police, prison; each its own key */
extern const char *const fuzz_keys[FUZZ_KEYS];

struct fuzz_broker {
	struct net net;
	struct config config;
	struct memory_world *memory;
};

struct fuzz_broker *fuzz_broker_new(void);
void fuzz_broker_free(struct fuzz_broker **broker);

/* A cycle of the loop but for reading: what is staged becomes durable, is answered and delivered. */
void fuzz_broker_cycle(struct fuzz_broker *broker);

/* A release by the prison about this person, accepted and durable. */
void fuzz_broker_publish(struct fuzz_broker *broker, unsigned person);

#endif
