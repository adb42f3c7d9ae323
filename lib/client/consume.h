/*
 * Mailboxes being consumed: what was handed over, what of it is settled, and what the broker has
 * still to be told.
 *
 * A position is *held* from the hand-over until the application settles it. A settled one is
 * remembered in `recent`, a cache addressed by position, so that a repeat after a lost connection
 * is acknowledged again instead of handed over again. The cache compares a fingerprint of the
 * event's id: after a broker was restored from a backup, a position may mean another event.
 *
 * Cumulative acknowledgement covers only positions that follow `base` without a gap and were all
 * settled here; anything beyond a gap is acknowledged by name. A retried dead letter may be on its
 * way below the newest position, and must not be acknowledged unseen.
 *
 * Credit: each delivery takes one from the broker; each delivery of this attachment that is settled,
 * dropped or refused gives one back (credit_due). Only Credit frames raise it.
 */
#ifndef TTG_CLIENT_CONSUME_H
#define TTG_CLIENT_CONSUME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ttg/client.h>
#include <ttg/proto/session.pb-c.h>

#define CONSUME_MAX_MAILBOXES 64
#define CONSUME_MAILBOX_BYTES 66 /* "agency/box" of 32 bytes each, slash and NUL */
#define CONSUME_DEFAULT_CREDIT 256
#define CONSUME_MAX_CREDIT 65536
#define CONSUME_NACK_TEXT 256
#define CONSUME_RECENT 16384 /* positions remembered after they were settled; power of two */

struct consume_held {
	uint64_t position;
	uint32_t fingerprint;
	uint32_t attachment; /* in which it was last delivered */
	bool has_person;
	uint8_t person[TTG_PERSON_KEY_BYTES];
};

struct consume_recent {
	uint64_t position; /* 0: empty */
	uint32_t fingerprint;
	uint32_t attachment; /* in which it was told to the broker */
};

struct consume_nack {
	uint64_t position;
	bool sent;
	int64_t sent_ns;
	bool has_person;
	uint8_t person[TTG_PERSON_KEY_BYTES];
	uint32_t reason, retry_after_ms;
	char text[CONSUME_NACK_TEXT + 1];
};

enum consume_state {
	CONSUME_UNATTACHED = 0, /* Attach is to be sent at retry_ns */
	CONSUME_ASKED = 1,	/* Attach is out */
	CONSUME_ATTACHED = 2,
	CONSUME_DETACHING = 3,	/* forgotten once Detach is out */
};

struct consume_mailbox {
	uint32_t handle;                     /* index + 1 */
	char asked[CONSUME_MAILBOX_BYTES];   /* as the application named it */
	char name[CONSUME_MAILBOX_BYTES];    /* "agency/box" as far as known */
	uint32_t credit;
	uint32_t credit_left;                /* deliveries the broker may still send */
	enum consume_state state;
	bool active;
	bool told;                           /* DETACHING: the broker knows of no attachment */
	uint32_t attachment;                 /* counts Attach frames of this mailbox */
	int64_t retry_ns;

	struct consume_held *held;           /* sorted by position; up to credit_max */
	size_t n_held, held_capacity;
	uint64_t highest;                    /* ever handed over */
	uint64_t base, base_told;            /* all up to base is settled; up to base_told it is said */
	struct consume_recent *recent;

	uint64_t *acks;                      /* settled, to be told by name, of this attachment */
	size_t n_acks, ack_capacity;
	struct consume_nack *nacks;          /* not yet answered by Nacked */
	size_t n_nacks, nack_capacity;
	uint32_t credit_due;
};

struct consumer {
	struct consume_mailbox *mailboxes[CONSUME_MAX_MAILBOXES]; /* NULL: handle is free */
	uint32_t next; /* where a free one is looked for: what comes late for the last must find none */
};

void consume_fini(struct consumer *consumer);

/* See ttg_client_attach() and its neighbours. */
enum ttg_error consume_attach(struct ttg_client *client, const char *mailbox, uint32_t credit);
enum ttg_error consume_detach(struct ttg_client *client, const char *mailbox);
enum ttg_error consume_ack(struct ttg_client *client, const char *mailbox, uint64_t position,
			   bool up_to);
enum ttg_error consume_nack(struct ttg_client *client, const char *mailbox, uint64_t position,
			    int reason, const char *text, uint32_t retry_after_ms);

/* Sends Attach, Detach, Ack, Nack and Credit frames that are due. */
void consume_flush(struct ttg_client *client);
/* Frames of the broker. False: it broke the protocol, *why says how. */
bool consume_attached(struct ttg_client *client, const Ttg__Attached *attached, const char **why);
bool consume_deliver(struct ttg_client *client, const Ttg__Deliver *deliver, const char **why);
bool consume_nacked(struct ttg_client *client, const Ttg__Nacked *nacked, const char **why);
/* An Error about one mailbox. False: only a new session mends it. */
bool consume_error(struct ttg_client *client, uint32_t handle, enum ttg_error code,
		   const char *text);
/* The session is gone. */
void consume_rewind(struct consumer *consumer);

/* Something is still to be told to the broker. */
bool consume_wants_to_send(const struct ttg_client *client);
/* As that, but only what must not be lost before a Goodbye. */
bool consume_is_settled(const struct ttg_client *client);
int64_t consume_next_ns(const struct ttg_client *client);
/* A refusal has waited too long for its answer. */
bool consume_is_stuck(const struct ttg_client *client);

#endif
