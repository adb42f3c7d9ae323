/*
 * One client's session with the broker: greeting, heartbeats, loss and return.
 *
 *            due                 Welcome                 all said
 *  WAITING ------> GREETING --------------> READY ------------------> LEAVING
 *     ^               |                       |                          |
 *     +---------------+-----------------------+  lost, silent, ended     v
 *                     |                       |                        ENDED
 *                     +--> FAILED <-----------+  no common version
 */
#ifndef TTG_CLIENT_SESSION_H
#define TTG_CLIENT_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <ttg/error.h>
#include <ttg/proto/session.pb-c.h>

#define SESSION_VERSION 1
#define SESSION_AGENCY_BYTES 33 /* agency id and a NUL */

struct ttg_client;

enum session_state {
	SESSION_WAITING = 0, /* no connection; one is due at due_ns */
	SESSION_GREETING,    /* connecting, Hello sent or about to be */
	SESSION_READY,
	SESSION_LEAVING,     /* our Goodbye is out, theirs or the end of patience is awaited */
	SESSION_ENDED,       /* closed as asked */
	SESSION_FAILED,      /* no use in trying again */
};

struct session {
	enum session_state state;
	uint64_t number;        /* random, told in Hello and echoed in Welcome */
	bool hello_sent;
	int64_t due_ns;         /* WAITING: connect; GREETING, LEAVING: give up */
	int64_t heard_ns, said_ns, ready_ns;
	uint32_t backoff_ms;
	char agency[SESSION_AGENCY_BYTES];

	/* From Welcome, cut to what we can use. */
	uint32_t heartbeat_ms;
	uint32_t max_frame_bytes;
	uint32_t max_event_bytes;
	uint32_t max_events;
	uint32_t window;
	uint32_t max_credit;
	uint32_t max_asked; /* 0: it knows no questions */
};

/* Starts in WAITING, due at once. */
void session_init(struct session *session, int64_t now_ns);

/* Connects, greets, gives up what is overdue, keeps the broker hearing from us. */
void session_tick(struct ttg_client *client);
/* Takes the frames that arrived, up to a bound. True when there may be more. */
bool session_receive(struct ttg_client *client);
/* Says Goodbye once nothing is left to say; with no connection and nothing to say, ends. */
void session_finish(struct ttg_client *client);

/* Sends a frame; remembers that we were heard. Errors of transport_send(). */
enum ttg_error session_send(struct ttg_client *client, const Ttg__Frame *frame);

/*
 * Ends the connection and waits before the next. What was unanswered is unsent again. `text` goes
 * to the application.
 */
void session_lose(struct ttg_client *client, enum ttg_error code, const char *text);

/* When session_tick() has something to do again; INT64_MAX: never. */
int64_t session_next_ns(const struct ttg_client *client);

/* Longest encoded event that is taken: the broker's bound once it is known. */
uint32_t session_max_event_bytes(const struct ttg_client *client);

#endif
