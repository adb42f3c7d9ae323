/*
 * Seals: as the journal grows, the loop describes what became durable, has the signer process sign
 * it and records the answer. Nobody waits for that: events are accepted and delivered whether the
 * signer is there or not; when it is back, what is unsealed is sealed in the order it came.
 *
 * One seal at a time: the next is asked for when the record of the last is durable. So the signer is
 * never more than one ahead of the journal, and what it says of the last seal shows whether this is
 * still the journal it sealed: after a start from an older copy, or with records changed, it is not,
 * and the broker stops (TTG_ECORRUPT) before it makes things worse.
 *
 * A signer whose key was changed shows the hand-over by the one before as its last. It is recorded when it
 * stands behind the journal's last seal and the key that signed that signed it too; then the new key is
 * trusted as the old one was. Where the answer to the seal before was lost, the signer is two ahead: that
 * seal is asked for, and taken, first.
 *
 * Owner: the loop. The simulator runs this file with a signer of its own.
 */
#ifndef TTGD_NET_SEALER_H
#define TTGD_NET_SEALER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/message.h"
#include "evidence/signer.h"

struct net;
struct sealer;

/* The way to a signer. None of these waits. */
struct signer_link {
	void *self;
	/* Begins anew. False: it is not there. */
	bool (*open)(void *self);
	bool (*send)(void *self, const char *packet, size_t len); /* false: it went away */
	/* 1: a packet, 0: none yet, -1: it went away. */
	int (*receive)(void *self, char packet[SIGNER_PACKET_MAX], size_t *len);
	void (*close)(void *self);
	int (*fd)(void *self); /* readable when there is a packet; -1: none */
	void (*free)(void *self);
};

/* signer_link.c: over the Unix socket of this path. False: no memory. */
bool signer_link_unix(const char *path, struct signer_link *out);

/* Takes link and key over, also when it fails; key NULL: signatures are not checked. TTG_ENOMEM. */
enum ttg_error sealer_new(struct sealer **out, const struct net *net,
			  const struct signer_link *take_link, struct verify_key *take_key);
void sealer_free(struct sealer **sealer);

/* A step of the loop; behind net_release(). sealer NULL: nothing. Sets net->failure when signer and
   journal contradict each other. */
void sealer_step(struct sealer *sealer, struct net *net);
/* To be polled for reading; -1: nothing. */
int sealer_fd(const struct sealer *sealer);
/* Nothing is under way with a signer that may be there: it was heard, or does not answer. */
bool sealer_settled(const struct sealer *sealer);
/* Something durable is not sealed yet, and soon will be. */
bool sealer_owes(const struct sealer *sealer, const struct net *net);
/* Oldest sequence it has to read still: retention keeps it. UINT64_MAX without a sealer. */
uint64_t sealer_needs(const struct sealer *sealer, const struct net *net);

struct sealer_view {
	bool ready;             /* the signer is there */
	uint64_t seals;         /* recorded since the start */
	uint64_t refused;       /* by the signer */
	char why[MESSAGE_BYTES]; /* not ready: why */
};
void sealer_get_view(const struct sealer *sealer, struct sealer_view *out);

#endif
