/*
 * Sessions: one for each connection that said Hello, found by its ZeroMQ routing id. A session
 * belongs to one key of one agency for its whole life; what it may hold is bounded by the limits
 * announced in Welcome.
 */
#ifndef TTGD_NET_SESSION_H
#define TTGD_NET_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ttg/error.h>
#include <uthash.h>
#include "core/rules.h"

#define SESSION_HANDLES 64          /* mailboxes a session may attach, handles 1 to 64 */
#define SESSION_ROUTING_MAX 255     /* ZeroMQ routing ids are 1 to 255 bytes */

/* A Published frame that waits for durability. */
struct session_reply {
	struct session_reply *next;
	uint64_t release_at;
	size_t len;
	uint8_t frame[];
};

/* One attached mailbox, with the Deliver frame under construction. */
struct session_consumer {
	char mailbox[RULES_MAILBOX_MAX + 1];
	uint32_t handle;
	uint8_t *body;      /* encoded deliveries, or a frame that could not be sent yet */
	size_t len, room;
	bool blocked;       /* body holds a row the socket did not take */
};

struct session {
	uint8_t routing[SESSION_ROUTING_MAX];
	size_t routing_bytes;
	uint64_t number;                /* never reused while the daemon runs */
	uint64_t token;                 /* Hello.session */
	char agency[RULES_ID_MAX + 1];
	char key[41];                   /* public key, Z85 */
	char software[65];
	uint8_t address[16];            /* of the peer; IPv4 as ::ffff:a.b.c.d */
	bool has_address;
	int fd;                         /* of its connection, libzmq's; -1: not known */
	uint64_t connection;            /* number of that connection; 0: not known */
	int64_t opened_ns, heard_ns, spoke_ns; /* mono */
	uint64_t next_frame;            /* number the next Publish must carry */
	uint64_t stalled_frame;         /* newest frame with a refusal that may be retried */
	enum ttg_error stalled_code;    /* that refusal */
	struct session_reply *replies, **replies_end;
	uint32_t n_replies;
	uint8_t *answer;                /* Receipts or States that the socket did not take yet; NULL */
	size_t answer_bytes;
	uint32_t n_wanted, n_asked;     /* receipts and States it waits for; wanted.h, states.h */
	struct session_consumer *consumers[SESSION_HANDLES + 1]; /* by handle */
	bool blocked;                   /* one of them may be */
	bool retracted;                 /* one of them has a row that must not leave: to be closed */
	uint64_t events_in, deliveries_out;
	UT_hash_handle by_routing, by_number;
};

struct sessions {
	struct session *by_routing, *by_number;
	size_t count;
	uint64_t last_number;
};

/* NULL without memory. */
struct session *session_add(struct sessions *sessions, const uint8_t *routing, size_t routing_bytes,
			    const char *agency, const char *key, int64_t mono_ns);
void session_remove(struct sessions *sessions, struct session *session);
void sessions_clear(struct sessions *sessions);

struct session *session_find(const struct sessions *sessions, const uint8_t *routing,
			     size_t routing_bytes);

/* The core knows consumers by one number: session and handle in one. */
uint64_t session_consumer_id(const struct session *session, uint32_t handle);
struct session *session_of_consumer(const struct sessions *sessions, uint64_t consumer,
				    struct session_consumer **out);

struct session_consumer *session_add_consumer(struct session *session, uint32_t handle,
					      const char *mailbox);
void session_remove_consumer(struct session *session, uint32_t handle);

/* Queues a reply; takes a copy. False without memory. */
bool session_queue_reply(struct session *session, uint64_t release_at, const uint8_t *frame,
			 size_t len);
void session_drop_reply(struct session *session);

#endif
