/*
 * Questions about events that were published: proof that they were accepted, and what became of them.
 * Queued in the order of the calls, sent several to a frame, a few frames at a time, and sent again in
 * the next session when this one ends before they are answered.
 *
 * Receipts that were wished for with a Publish come without a question and are handed on as they are.
 */
#ifndef TTG_CLIENT_ASK_H
#define TTG_CLIENT_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ttg/client.h>
#include <ttg/proto/session.pb-c.h>

#define ASK_MAX	    4096 /* events that are asked about and not answered */
#define ASK_WINDOW  4    /* frames that may be unanswered */
#define ASK_A_FRAME 64   /* events; what a broker announces is cut to it */

enum ask_kind { ASK_RECEIPT = 0, ASK_STATE = 1 };

struct ask_entry {
	uint8_t id[16];
	enum ask_kind kind;
	uint64_t ask; /* frame it is in; 0: not sent */
	uint32_t index;
};

struct asker {
	struct ask_entry *entries; /* in the order of the calls */
	size_t n, room;
	uint64_t last_ask;
	struct ask_open { /* frames with entries that are not answered */
		uint64_t ask;
		size_t left;
	} open[ASK_WINDOW];
	size_t n_open;
};

void ask_fini(struct asker *asker);

/* See ttg_client_ask_receipt() and ttg_client_ask_states(). */
enum ttg_error ask_take(struct ttg_client *client, enum ask_kind kind, const uint8_t (*ids)[16],
			size_t n);
/* Sends what window and broker allow. */
void ask_flush(struct ttg_client *client);
bool ask_wants_to_send(const struct ttg_client *client);
/* Answers. False: the broker broke the protocol, *why says how. */
bool ask_receipts(struct ttg_client *client, const Ttg__Receipts *receipts, const char **why);
bool ask_states(struct ttg_client *client, const Ttg__States *states, const char **why);
/* Of an event that was accepted no receipt will come by itself. */
void ask_no_receipt(struct ttg_client *client, const uint8_t id[16], enum ttg_error code);
/* The session is gone: nothing is sent any more. */
void ask_rewind(struct asker *asker);

/* A code that may stand in an answer, TTG_OK included. */
bool ask_code_is_sound(uint32_t code);

#endif
