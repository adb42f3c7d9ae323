/*
 * Events on their way from a form to the broker: put into ttg-oneservice's spool, and found again
 * wherever they are by then. The desk never sends twice under one id.
 *
 * A file of the spool is named after the id of the one event in it, "desk-<id>.json".
 * ttg-oneservice keeps the event in the store before it moves the file, so that whoever looks into
 * the spool first and into the store then misses none. Owned by the desk's thread.
 */
#ifndef DESK_SEND_H
#define DESK_SEND_H

#include "desk/desk.h"
#include "store/published.h"

#define SEND_WHY_BYTES 512

enum sent_place {
	SENT_NOWHERE = 0,
	SENT_WAITS,  /* in the spool: ttg-oneservice has not taken it */
	SENT_FAILED, /* ttg-oneservice would not take it: in the spool's failed/ */
	SENT_KEPT,   /* in the store */
};

/* An event that was sent from here, and what became of it. */
struct sent {
	enum sent_place place;
	Ttg__Event *event;
	bool ours; /* false: it came from elsewhere under this id */
	int64_t kept_ns;
	bool answered; /* by the broker; the rest is as in struct store_event */
	enum ttg_error code;
	uint64_t sequence;
	char text[STORE_TEXT_MAX];
	int64_t delivered;
	int64_t acknowledged;
	char why[SEND_WHY_BYTES]; /* of SENT_FAILED: the reason ttg-oneservice gave; "" */
};

/*
 * Puts the event into the spool, durable from TTG_OK on. First it is read as ttg-oneservice will
 * read it, bounds and all: TTG_EFORMAT, TTG_ELIMIT, TTG_EPERM say what it would not take. Otherwise
 * errors of spool_put_as(), TTG_ENOMEM; nothing is half written then.
 */
enum ttg_error send_event(const struct desk *desk, const Ttg__Event *event,
                          struct message *message);

/*
 * Looks for an event by its id. TTG_OK with SENT_NOWHERE when there is none; errors of the store,
 * TTG_ECORRUPT (what is there cannot be read), TTG_ENOMEM.
 */
enum ttg_error send_find(const struct desk *desk, const uint8_t id[TTG_UUID_BYTES],
                         struct sent *out, struct message *message);
void sent_fini(struct sent *sent);

/* Whether two events say the same. Their nonces do not count. False without memory. */
bool send_is_same(const Ttg__Event *a, const Ttg__Event *b);

/*
 * The ids of at most `max` events of ours in the spool, those ttg-oneservice would not take
 * included, the newest first.
 */
size_t send_list(const struct desk *desk, uint8_t (*ids)[TTG_UUID_BYTES], size_t max);

/*
 * Whom an event is about: as the views have it, or by its numbers while they do not. NULL: nobody,
 * or nobody the desk knows.
 */
const struct person *send_whom(const struct desk *desk, const Ttg__Event *event);

/* Whether one of the newest in the spool is about this person: his record does not show it yet. */
bool send_is_waiting(const struct desk *desk, const struct person *person);

#endif
