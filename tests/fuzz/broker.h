/*
 * A broker without sockets for the targets that speak to daemon/net: the rules of core_play.h, a
 * journal in a memory world, a core, and keys for its four agencies. Time stands still unless it is
 * moved.
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
	struct fuzz_broker_fresh *fresh;
};

struct fuzz_broker *fuzz_broker_new(void);
void fuzz_broker_free(struct fuzz_broker **broker);

/*
 * For one input: a new broker that has accepted events about persons 1 to n_events (always the same
 * number in one process). Making one costs many times what one input does; so the one given back
 * serves the next input, as it was when it was new, unless something was accepted or written.
 * Broken when it is given back with a session, or with a consumer whose session has ended.
 */
struct fuzz_broker *fuzz_broker_take(unsigned n_events);
void fuzz_broker_give_back(struct fuzz_broker **broker);

/* A cycle of the loop but for reading: what is staged becomes durable, is answered and delivered. */
void fuzz_broker_cycle(struct fuzz_broker *broker);

/* A release by the prison about this person, accepted and durable. */
void fuzz_broker_publish(struct fuzz_broker *broker, unsigned person);

#endif
