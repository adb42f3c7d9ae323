/*
 * The client object as its own files see it. client.c owns the event loop and the public calls,
 * session.c the connection, publish.c and consume.c the two directions, outbox.c the disk.
 */
#ifndef TTG_CLIENT_INTERNAL_H
#define TTG_CLIENT_INTERNAL_H

#include <ttg/client.h>
#include "base/keyfile.h"
#include "base/world.h"
#include "client/ask.h"
#include "client/consume.h"
#include "client/outbox.h"
#include "client/publish.h"
#include "client/session.h"
#include "client/sign.h"
#include "client/transport.h"

#define CLIENT_BROKER_BYTES 256
#define CLIENT_SOFTWARE_BYTES 65
#define NS_PER_MS INT64_C(1000000)

struct ttg_client {
	const struct world *world;
	struct ttg_callbacks callbacks;
	char broker[CLIENT_BROKER_BYTES];
	char software[CLIENT_SOFTWARE_BYTES];
	char server_z85[KEYFILE_Z85];
	struct key_pair *pair; /* a secret (base/secret.h) */
	struct signing *signing; /* NULL: what is published is not signed */
	uint32_t reconnect_min_ms, reconnect_max_ms;

	int epoll_fd, timer_fd, wake_fd;
	int64_t timer_ns;    /* what timer_fd is set to; INT64_MAX: off */
	int64_t now_ns;      /* monotonic, read at the start of each turn */
	int64_t done_due_ns; /* outbox_flush_done(); INT64_MAX: not wanted */
	bool woken;          /* wake_fd is readable */
	bool polling;        /* inside ttg_client_poll() */
	bool closing;
	bool want_receipts;
	bool broken;         /* the outbox failed: nothing is sent any more */
	uint64_t callbacks_run;

	struct transport transport;
	struct session session;
	struct publisher publisher;
	struct consumer consumer;
	struct asker asker;
	struct outbox *outbox; /* NULL: none */
};

/* As ttg_client_new(), on a world of the caller's. */
enum ttg_error client_new_in_world(struct ttg_client **out,
				   const struct ttg_client_options *options,
				   const struct world *world, char message[TTG_MESSAGE_TEXT]);

/* Tells the application about the state and something worth a log line. */
void client_report(struct ttg_client *client, enum ttg_error code, const char *text);

/* The outbox failed: stop for good. */
void client_break(struct ttg_client *client, const char *text);

/* Makes the descriptor readable, so that somebody polls. */
void client_wake(struct ttg_client *client);

/* Copies text of the broker's with everything that could forge a log line replaced. */
void client_clean_text(char *out, size_t out_bytes, const char *text);

#endif
