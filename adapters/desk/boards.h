/*
 * Discharge boards between two days: the last that is known of each person. Pure but for malloc.
 * Says nothing about who may see a row.
 */
#ifndef DESK_BOARDS_H
#define DESK_BOARDS_H

#include "desk/views.h"

#define BOARDS_AHEAD 28 /* days */
#define BOARDS_BACK  21

struct boards {
	const struct person **rows; /* by the board's day, hour, number of the person */
	size_t n, room;
};

/* Both days included. TTG_ENOMEM: there are no rows. */
enum ttg_error boards_make(struct boards *boards, const struct views *views, const char *from,
                           const char *until);
void boards_fini(struct boards *boards);

/* It was held, or its day is over. */
bool boards_is_past(const struct person_board *board, const char *today);

#endif
