/* Discharge boards of the next and the last weeks. See boards.h. */
#include "desk/boards.h"

#include <stdlib.h>
#include <string.h>
#include "desk/day.h"

static int compare(const void *a, const void *b)
{
	const struct person *one = *(const struct person *const *)a;
	const struct person *other = *(const struct person *const *)b;
	int order = strcmp(one->board.date, other->board.date);

	if (order == 0)
		order = strcmp(one->board.clock, other->board.clock);
	if (order == 0)
		order = one->number < other->number ? -1 : 1;
	return order;
}

static enum ttg_error add(struct boards *boards, const struct person *person)
{
	if (boards->n == boards->room) {
		size_t room = boards->room == 0 ? 32 : boards->room * 2;
		const struct person **grown =
		        realloc(boards->rows, room * sizeof(const struct person *));

		if (grown == NULL)
			return TTG_ENOMEM;
		boards->rows = grown;
		boards->room = room;
	}
	boards->rows[boards->n++] = person;
	return TTG_OK;
}

enum ttg_error boards_make(struct boards *boards, const struct views *views, const char *from,
                           const char *until)
{
	enum ttg_error error = TTG_OK;

	*boards = (struct boards){ .rows = NULL };
	for (uint32_t i = 0; i < views_n_persons(views) && error == TTG_OK; i++) {
		const struct person *person = views_person(views, i);

		if (views_is_alone(views, i) && person->board.known &&
		    day_is_between(person->board.date, from, until))
			error = add(boards, person);
	}
	if (error != TTG_OK)
		boards_fini(boards);
	else if (boards->n > 0)
		qsort(boards->rows, boards->n, sizeof(const struct person *), compare);
	return error;
}

void boards_fini(struct boards *boards)
{
	free(boards->rows);
	*boards = (struct boards){ .rows = NULL };
}

bool boards_is_past(const struct person_board *board, const char *today)
{
	return board->status == TTG__BOARD_STATUS__BOARD_STATUS_HELD ||
	       strcmp(board->date, today) < 0;
}
