/*
 * Receipts that sessions wait for: of events that they publish with the wish for one, or ask for by id.
 * All that wait for one seal are answered by one pass over what it covers (receipts.h), seal after seal, a
 * slice in each cycle; what is not sealed yet waits and costs nothing. A session is told as fast as it
 * reads: one whose socket is full is passed over until the frame it did not take has left.
 *
 * What is wanted is forgotten with its session, and nothing is kept while nothing is wanted.
 *
 * Owner: the loop.
 */
#ifndef TTGD_NET_WANTED_H
#define TTGD_NET_WANTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ttg/error.h>

#define WANTED_OF_SESSION 16384u /* events */
#define WANTED_IN_ALL	  131072u

struct net;
struct receipts;
struct session;

struct wish {
	struct session *session;
	uint64_t request;    /* number of the Publish, or of the AskReceipt */
	uint64_t sequence;   /* of the event; 0: it is not known */
	enum ttg_error code; /* not TTG_OK: there is no receipt, and why */
	uint32_t index;      /* of the event in the request */
	uint8_t id[16];
	bool asked;          /* by an AskReceipt */
	bool watched;        /* the pass under way makes its receipt */
	bool told;
};

struct wanted { /* all zero: nothing is wanted */
	struct wish *wishes; /* those of one request stand together */
	size_t n, room;
	uint64_t lowest;     /* sequence; none that has no answer yet is below */
	struct receipts *pass; /* NULL: none is under way */
	uint64_t sequence;   /* that the pass began with */
	bool ready;          /* its receipts can be made */
	uint64_t seen;       /* it read all that was durable up to here, and found no seal */
};

/* There is room for so many more of this session: adding them will not fail. */
bool wanted_reserve(struct net *net, const struct session *session, size_t n);
/* One event: its place in the request is the index. */
void wanted_add(struct net *net, const struct wish *wish);
void wanted_forget(struct net *net, struct session *session);
/* Goes on with a slice. True: there is more to do at once. */
bool wanted_step(struct net *net);

#endif
