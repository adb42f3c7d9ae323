/*
 * The server: recovery, sockets, the loop. broker.c makes the parts and hands them over.
 */
#ifndef TTGD_NET_SERVER_H
#define TTGD_NET_SERVER_H

#include "base/log.h"
#include "base/world.h"
#include "config/config.h"
#include "journal/journal.h"

struct keystore_options;
struct net;

struct server_options {
	const struct world *world;
	struct log *log;
	struct config *take_config;    /* owned by the server afterwards, also when that fails */
	const uint8_t *person_secret;  /* 32 bytes, copied */
	int signal_fd;                 /* signalfd of SIGTERM, SIGINT, SIGHUP; stays the caller's */
};

/* Makes it, without a journal yet. TTG_ENOMEM. */
enum ttg_error server_new(struct net **out, const struct server_options *options,
			  struct message *message);

/*
 * Opens the key store and the archive (NULL: there is none), recovers the state from snapshot and journal,
 * applies the rules, binds every socket. TTG_ECORRUPT with the sequence in message when a record cannot
 * follow the state; TTG_ESYS when an address cannot be bound; TTG_EPERM, TTG_EFORMAT for the key file;
 * TTG_ENOMEM. The journal stays the caller's: it was opened with server_take_early() and this net, and is
 * closed after it.
 */
struct server_stores {
	const struct keystore_options *keys;
	const struct journal_options *archive; /* of the journal in which the archive is kept; copied */
};
enum ttg_error server_open(struct net *net, struct journal *journal, const struct server_stores *stores,
			   struct message *message);
void server_take_early(void *net, uint64_t sequence, const uint8_t *data, size_t len);

/* Runs until a signal (TTG_OK) or a failure of the journal (its code, message filled). */
enum ttg_error server_run(struct net *net, struct message *message);

void server_close(struct net **net);

#endif
