/*
 * The gate diary: who is let out between two days, when and where, what has changed about it, and
 * what is missing for it. Pure but for malloc. Says nothing about who may see a row: that is the
 * pages' business (desk_may_see()).
 */
#ifndef DESK_DIARY_H
#define DESK_DIARY_H

#include "common/config.h"
#include "desk/views.h"

#define DIARY_DAYS  21 /* how far it looks ahead */
#define BOARD_DAYS  21 /* a discharge board is held within so many days before a release */
#define NUMBER_NONE "no number"

struct diary_row {
	const struct person *person;
	char date[DATE_BYTES];                        /* the day it stands under */
	const char *clock;                            /* "" when no hour is known */
	bool old_date, old_clock, old_gate, old_area; /* those of person_release say another */
	bool moved_away; /* stands under the old day; the new one is outside of what was asked */
	bool cancelled;
	bool released; /* he has left */
	/* Of those that are still to come. */
	bool no_board, out_of_area, no_hour, not_enrolled;
	const char *meets; /* diary_caseworker() */
	int met;           /* Ttg__GateMeetingOutcome; 0: nothing said */
};

struct diary {
	struct diary_row *rows; /* by day, time, gate, number of the person */
	size_t n, room;
};

struct diary_wish {
	const char *from, *until; /* both included */
	int64_t now_ns;
	const struct config_list *local_areas; /* empty: none is out of area */
};

/* Good as long as nothing is added to the views. Zeroed before; TTG_ENOMEM: what is there is freed
 * as well. */
enum ttg_error diary_make(struct diary *diary, const struct views *views,
                          const struct diary_wish *wish);
void diary_fini(struct diary *diary);

/* Whether a discharge board is or was to be held in the 21 days before that day. */
bool diary_has_board(const struct person *person, const char *release_date);
/* The number people at the gate know him by: the prison's, else his best; NUMBER_NONE. */
const char *diary_number(const struct person *person);
/* Of his scheme that is open; "". */
const char *diary_caseworker(const struct person *person);

#endif
