/*
 * What the pages of sent events say: the state of one in plain words, what was answered, its
 * fields.
 */
#ifndef DESK_SENT_H
#define DESK_SENT_H

#include "desk/send.h"

enum sent_state {
	SENT_WAITING,  /* not taken, or not answered */
	SENT_ACCEPTED, /* by the broker */
	SENT_DELIVERED,
	SENT_REFUSED,
	SENT_ANSWERED, /* by whoever was asked */
};

/* The answer of whoever was asked: a provider, the police, the prison. */
struct sent_answer {
	char text[160]; /* "Accepted"; "": none yet */
	bool no;        /* what was asked for will not be done */
	int64_t at_ns;
	uint32_t event; /* in the views; VIEWS_NOBODY */
};

/* person: whom the event is about; NULL. Decisions about access are read from the store. */
void sent_find_answer(const struct desk *desk, const Ttg__Event *event, const struct person *person,
                      struct sent_answer *out);

/* Of the tag that shows the state: "green", "red", ... */
const char *sent_colour(const struct sent *sent, const struct sent_answer *answer);
enum sent_state sent_state(const struct sent *sent, const struct sent_answer *answer);

/* "Waiting to be taken", "Accepted", "Delivered", "Refused", or what was answered. */
#define SENT_LINE_BYTES 240
void sent_line(char out[SENT_LINE_BYTES], const struct sent *sent,
               const struct sent_answer *answer);
/* Of one that was refused: what the broker says, for people, and what to do about it. */
const char *sent_reason(enum ttg_error code);
const char *sent_advice(enum ttg_error code);

/* "Contact", "Referral to mind": what was sent; never about whom. */
void sent_title(char out[SENT_LINE_BYTES], const Ttg__Event *event);

/* Every field that is set, as rows of a summary list that is open. */
void sent_fields(struct html *html, const Ttg__Event *event, int64_t now_ns);

#endif
