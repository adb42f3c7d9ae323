/*
 * The daily summary: a mail message in a folder that a mail system picks up. It tells what is new,
 * what waits for an answer, what is overdue, and today's appointments; case numbers and kinds of
 * need, no names and nothing else of anybody.
 *
 * One a day by British civil time, at the hour configured or as soon after it as the adapter runs.
 * The message is written whole before the day is noted: after a crash between the two it is written
 * again under the same name and with the same Message-ID.
 */
#ifndef PARTNER_SUMMARY_H
#define PARTNER_SUMMARY_H

#include "base/world.h"
#include "partner/caseload.h"

#define SUMMARY_LOOK_MS       1000
#define SUMMARY_ADDRESS_BYTES 254

struct summary_plan {
	const char *dir;
	const char *at; /* "07:30" */
	const char *from, *to;
	const char *agency;
	const char *state_dir;
	char last[11];   /* day of the last one; "": none yet */
	int64_t look_ms; /* of the monotonic clock: not before */
};

/* One address of printable ASCII with an @ in it, and nothing that would begin another header. */
bool summary_is_address(const char *text);

/* Whether the day's summary is to be written now; then *day is its date. Pure. */
bool summary_is_due(const struct summary_plan *plan, int64_t now_ns, char day[11]);

/* The whole message, malloc'd, lines ended by CRLF. NULL without memory. Pure. */
char *summary_text(const struct summary_plan *plan, const struct caseload *referrals,
                   int64_t now_ns);

/* Makes the folder where missing and finds the day of the last one. TTG_ESYS. */
enum ttg_error summary_open(struct summary_plan *plan, const struct world *world,
                            struct message *message);
/* TTG_EIO, TTG_ENOSPC, TTG_ENOMEM: it is tried again a minute later. */
enum ttg_error summary_write_if_due(struct summary_plan *plan, const struct world *world,
                                    const struct caseload *referrals, struct message *message);

#endif
