/*
 * The referrals of an agency, worked out of the events it was delivered and those it published.
 *
 * Pure: no store, no file, no clock. Events come in any order, each once or more often with the
 * same result: a referral is in the highest state (moves.h) that any event about it tells, refused
 * ones left aside. So a restart, which reads all of the store again, comes to what was followed
 * live, whatever the clocks said.
 *
 * Bound: CASELOAD_EVENTS_MAX events about referrals, all in memory; beyond it TTG_ELIMIT.
 * One thread.
 */
#ifndef PARTNER_CASELOAD_H
#define PARTNER_CASELOAD_H

#include <stdint.h>
#include <ttg/error.h>
#include <ttg/event.h>
#include "base/message.h"
#include "partner/moves.h"

#define CASELOAD_EVENTS_MAX 1000000
#define REFERRAL_ID_BYTES    65 /* as the catalogue bounds it, and a NUL */
#define REFERRAL_AGENCY      33
#define REFERRAL_WHY_BYTES   128

enum step_answer {
	STEP_STANDS = 0, /* delivered, or ours and accepted */
	STEP_WAITS,      /* ours, no answer yet */
	STEP_REFUSED,    /* ours, and the broker would not have it */
};

/* One event about a referral. */
struct referral_step {
	Ttg__Event *event; /* whole, owned by the referrals */
	int64_t at_ns;     /* accepted by the broker; of ours: published */
	bool ours;
	enum step_answer answer;
	enum ttg_error code;          /* when refused */
	char why[REFERRAL_WHY_BYTES]; /* as the broker worded it */
};

struct referral {
	char id[REFERRAL_ID_BYTES];
	char referrer[REFERRAL_AGENCY];
	char provider[REFERRAL_AGENCY];
	enum referral_state state;
	const struct referral_step *sent; /* NULL: not known */
	struct referral_step **steps;     /* by at_ns */
	size_t n_steps, room_steps;
	struct referral *next; /* of the same hash */
};

/* What is told of an event. */
struct caseload_news {
	const uint8_t *encoded;
	size_t encoded_bytes;
	int64_t at_ns;
	bool ours;
	enum step_answer answer;
	enum ttg_error code;
	const char *why; /* may be NULL */
};

struct caseload;

/* NULL without memory. agency stays the caller's. */
struct caseload *caseload_new(const char *agency);
void caseload_free(struct caseload **referrals);

/*
 * referral.*; and partner.appointment, partner.outcome, service.contact that name a referral known
 * by then. Others, and what cannot be read, change nothing. TTG_ENOMEM, TTG_ELIMIT.
 */
enum ttg_error caseload_add(struct caseload *referrals, const struct caseload_news *news);
/* The broker's answer to one of ours; nothing when it is about no referral. */
void caseload_answer(struct caseload *referrals, const uint8_t id[TTG_UUID_BYTES],
                      enum ttg_error code, const char *why);
/* Whether this event is among the steps. */
bool caseload_know(const struct caseload *referrals, const uint8_t id[TTG_UUID_BYTES]);

/*
 * Whether this agency may publish the event now: a move of the table, a correction of what it said
 * itself, a repeat of what is known, or no move at all. TTG_EPERM, TTG_EFORMAT with the reason.
 */
enum ttg_error caseload_check(const struct caseload *referrals, const Ttg__Event *event,
                               struct message *message);

/* In the order they were first heard of. */
size_t caseload_count(const struct caseload *referrals);
const struct referral *caseload_at(const struct caseload *referrals, size_t index);
/* One that was sent to this agency; NULL. */
const struct referral *caseload_find(const struct caseload *referrals, const char *referrer,
                                      const char *id);
bool referral_is_ours(const struct caseload *referrals, const struct referral *referral);

/* The time to answer is over and there is neither yes nor no. */
bool referral_is_overdue(const struct referral *referral, int64_t now_ns);
/* The newest appointment of each appointment_id that is not refused. False from each(): enough. */
void referral_each_appointment(const struct referral *referral,
                               bool (*each)(void *arg, const struct referral_step *step),
                               void *arg);

#endif
