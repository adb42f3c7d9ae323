/*
 * Forms that become events. Each form is a row of act_forms (act_forms.c: who may, which event),
 * with three functions of its own file act_*.c; what all forms have in common is here and in act.c:
 *
 *   GET   who may, whom it is about, whether it makes sense now -> the form, with an id for the
 *         event in it
 *   POST  the same; every field is read and every mistake is told at once, with what was typed
 *         kept; then the event goes into the spool (send.h) and the page of what was sent follows
 *
 * The id of the event is made when its form is shown. A form that is sent twice as it was gives the
 * same event and leads to the same page; one whose event was sent, and that is sent again with
 * other content, is refused (409). After a mistake nothing was sent and the id stays.
 *
 * Pure but for what send.h does; owned by the desk's thread.
 */
#ifndef DESK_ACT_H
#define DESK_ACT_H

#include "common/build.h"
#include "desk/pages.h"

enum act_what {
	ACT_ENROL,
	ACT_ENROL_NEW,
	ACT_CONTACT,
	ACT_NEEDS,
	ACT_GATE_MEETING,
	ACT_EXIT,
	ACT_RETURN,
	ACT_WITHDRAW,
	ACT_REFERRAL,
	ACT_REFERRAL_WITHDRAW,
	ACT_FLAG,
	ACT_ACCESS,
	ACT_FORMS,
};

#define ACT_NAME_BYTES 64 /* of a control */

/* A form being shown or read. */
struct act {
	const struct act_form *form;
	const struct desk *desk;
	const struct web_request *request;
	const struct person *person; /* NULL: about nobody the desk knows */
	bool posted;                 /* values are those of the form */
	bool again;                  /* its event was sent before: only read to compare */
	struct page_errors errors;
	char names[PAGE_ERRORS_MAX + 1][ACT_NAME_BYTES]; /* of the controls that errors points to */
	struct build build;
	uint8_t id[TTG_UUID_BYTES];
	char id_text[TTG_UUID_TEXT];
	int64_t now_ns;      /* when it is, or was first, sent */
	int64_t occurred_ns; /* set by a form that asks when it happened; else now_ns */
};

struct act_form {
	const char *word; /* of its path */
	const char *type; /* of the event */
	const char *title;
	const char *button;
	const char *done; /* said when it was sent */
	unsigned roles;
	bool about_nobody; /* there is no person in its path */
	/* A sentence that says why this makes no sense now; NULL when it does, or may. */
	const char *(*why_not)(const struct act *act);
	void (*show)(struct act *act, struct html *html);
	/* Reads the fields into the payload; may set occurred_ns and the person's numbers. */
	void (*fill)(struct act *act, void *payload);
	/* A page in between, shown instead of sending; true when it was. May be NULL. */
	bool (*ask)(struct act *act, struct web_response *response);
};

extern const struct act_form act_forms[ACT_FORMS];

void act_show(struct desk *desk, const struct web_request *request, struct web_response *response,
              enum act_what what);
void act_take(struct desk *desk, const struct web_request *request, struct web_response *response,
              enum act_what what);

/* 403: there is such a case, and who works with him; no more. */
void act_refuse_limited(const struct web_request *request, struct web_response *response,
                        const struct person *person);

/* Whether this user may do this with this person now: what a page offers. */
bool act_may(const struct desk *desk, const struct web_request *request,
             const struct person *person, enum act_what what);
/* The forms about this person that make sense now, as a list of links; nothing when there is none.
 */
void act_links(const struct desk *desk, const struct web_request *request,
               const struct person *person, struct html *html);
/* Whether this user may take this referral back: its link is /people/N/referrals/ID/withdraw. */
bool act_may_withdraw(const struct desk *desk, const struct web_request *request,
                      const struct person *person, const struct person_referral *referral);

#endif
