/*
 * What became of events, for the agencies that published them and may ask (agency.asks_states): to how
 * many recipients each was given, how many acknowledged. Found in the journal from the event on, as
 * `ttgctl trace` does; one question at a time, a slice in each cycle. To whom is not told.
 *
 * Owner: the loop.
 */
#ifndef TTGD_NET_STATES_H
#define TTGD_NET_STATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ttg/proto/session.pb-c.h>

#define STATES_OF_SESSION 4u   /* questions that wait */
#define STATES_IN_ALL	  256u
#define STATES_READS_MAX  10000000u /* records, for one question */

struct net;
struct session;
struct question;

struct states { /* all zero: nothing is asked */
	struct question *first, *last; /* in the order they came; the first is worked on */
	size_t n;
};

/* False: too many wait, or no memory. */
bool states_ask(struct net *net, struct session *session, const Ttg__AskState *ask);
void states_forget(struct net *net, const struct session *session);
/* Goes on with a slice. True: there is more to do at once. */
bool states_step(struct net *net);

#endif
