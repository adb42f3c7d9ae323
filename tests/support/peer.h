/*
 * Agencies in the test process itself: sessions of libttg that remember everything they are told.
 *
 * Waiting polls every peer of the stage, so that none of them falls silent meanwhile.
 */
#ifndef TTG_TEST_PEER_H
#define TTG_TEST_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <ttg/client.h>
#include <ttg/event.h>
#include "support/made.h"
#include "support/stage.h"

#define PEER_MAX_GOT 1000000

struct peer_delivery {
	char mailbox[80];
	char type[72], source[40];
	uint64_t position;
	uint32_t attempt;
	uint8_t id[16];
	uint8_t person_key[TTG_PERSON_KEY_BYTES];
	bool has_person;
};

struct peer_outcome {
	uint8_t id[16];
	enum ttg_error code;
	bool duplicate;
	uint64_t sequence;
	char text[200];
};

/* What a peer does with a delivery at once. */
enum peer_habit {
	PEER_ACKS = 0,
	PEER_KEEPS,   /* neither acknowledges nor refuses */
	PEER_REFUSES, /* NACK_TEMPORARY, retry after 1 ms */
	PEER_DISOWNS, /* NACK_NOT_OURS */
};

struct peer {
	struct ttg_client *client;
	enum peer_habit habit;
	struct peer_delivery *got;
	size_t n_got, room_got;
	Ttg__Event *newest; /* of got, decoded */
	bool newest_redacted;
	struct peer_outcome *outcomes;
	size_t n_outcomes, room_outcomes;
	enum ttg_state state;
	enum ttg_error state_code;
	char state_text[TTG_MESSAGE_TEXT];
	size_t n_receipts; /* and codes instead */
	enum ttg_error receipt_code; /* of the newest */
	char receipt[8192];          /* its text */
	int n_attached; /* answers to attach, active or standby */
	bool active;    /* the newest of them */
	bool failed;    /* ttg_client_poll() said the session is over */
};

/* Connects with keys/NAME.key; outbox: a folder of the stage, or NULL. */
struct peer *must_open_peer(struct stage *stage, const char *key, const char *outbox);
/* The same without an outbox, and signs with this file of the stage. */
struct peer *must_open_signing_peer(struct stage *stage, const char *key, const char *signing_key);
void peer_close(struct stage *stage, struct peer **peer);

/* Polls every peer of the stage for a moment. */
void peers_poll(struct stage *stage);

/* Polls until condition(arg), or timeout_ms are over: whether it came true. */
bool peers_wait(struct stage *stage, bool (*condition)(void *arg), void *arg, int timeout_ms);

/* Session open, or the test fails. */
void must_be_ready(struct stage *stage, struct peer *peer);

/* Publishes and waits for the answer. The event is freed. */
struct peer_outcome must_publish(struct stage *stage, struct peer *peer, struct made take_made);
/* must_make() and must_publish() in one, and it must be accepted: its sequence. */
uint64_t must_accept(struct stage *stage, struct peer *peer, const struct made_wish *wish);
/* The same, and it must be refused with this code. */
void must_be_refused(struct stage *stage, struct peer *peer, const struct made_wish *wish,
		 enum ttg_error code);

/* Asks for a receipt and waits for the answer: its code; the text is peer->receipt. */
enum ttg_error must_ask_receipt(struct stage *stage, struct peer *peer, const uint8_t id[16]);

/* Attaches and waits for the answer. */
void must_attach(struct stage *stage, struct peer *peer, const char *mailbox);

/* Waits until it got so many deliveries, repeats included; fails the test otherwise. */
void must_get(struct stage *stage, struct peer *peer, size_t n);

/* Polls until ttgd_mailbox_NAME of the mailbox has this value in the metrics. */
void must_settle(struct stage *stage, const char *mailbox, const char *name, double value);

/* Polls for a while in which nothing more than n deliveries may arrive. Ends early only to fail. */
void must_get_no_more(struct stage *stage, struct peer *peer, size_t n, int quiet_ms);

#endif
