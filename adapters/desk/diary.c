/* The gate diary. See diary.h. */
#include "desk/diary.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "desk/day.h"

const char *diary_number(const struct person *person)
{
	const struct person_number *best = person_best_number(person);

	for (size_t i = 0; i < person->n_numbers; i++)
		if (person->numbers[i].kind == TTG__IDENTIFIER_KIND__NOMS &&
		    person->numbers[i].valid)
			return person->numbers[i].value;
	return best == NULL ? NUMBER_NONE : best->value;
}

const char *diary_caseworker(const struct person *person)
{
	const struct person_scheme *scheme = person_scheme(person);

	return scheme == NULL || scheme->exited || scheme->withdrawn ? "" : scheme->caseworker;
}

bool diary_has_board(const struct person *person, const char *release_date)
{
	const struct person_board *board = &person->board;
	char from[DATE_BYTES];

	if (!board->known || board->status == TTG__BOARD_STATUS__BOARD_STATUS_CANCELLED)
		return false;
	day_add(release_date, -BOARD_DAYS, from);
	return day_is_between(board->date, from, release_date);
}

static bool is_local(const struct config_list *local, const struct person_release *release)
{
	for (size_t i = 0; i < local->n; i++)
		if (strcasecmp(local->items[i], release->area_code) == 0 ||
		    strcasecmp(local->items[i], release->area) == 0)
			return true;
	return false;
}

static bool differs(const char *old, const char *now)
{
	return old[0] != '\0' && strcmp(old, now) != 0;
}

/* What a change changed. */
static void compare(struct diary_row *row, const struct person_release *release)
{
	if (!release->changed)
		return;
	row->old_date = differs(release->old_date, release->date);
	/* The same hour on another day is a change of the day. */
	row->old_clock = differs(release->old_clock, release->clock);
	row->old_gate = differs(release->old_gate, release->gate);
	row->old_area = differs(release->old_area, release->area);
}

static void find_missing(struct diary_row *row, const struct person *person,
                         const struct diary_wish *wish)
{
	const struct person_release *release = &person->release;
	bool area_known = release->area[0] != '\0' || release->area_code[0] != '\0';

	row->no_hour = release->clock[0] == '\0';
	row->no_board = !diary_has_board(person, release->date);
	row->out_of_area =
	        area_known && wish->local_areas->n > 0 && !is_local(wish->local_areas, release);
	row->not_enrolled = !person_is_enrolled(person, wish->now_ns);
}

/* The day of the diary; of somebody who left without an entry there, the day he did. */
static void planned_day(const struct person_release *release, char out[DATE_BYTES])
{
	if (release->date[0] == '\0' && release->released)
		day_of(release->released_ns, out);
	else
		memcpy(out, release->date, DATE_BYTES);
}

static bool make_row(struct diary_row *row, const struct person *person,
                     const struct diary_wish *wish)
{
	const struct person_release *release = &person->release;

	if (!release->known)
		return false;
	*row = (struct diary_row){ .person = person,
		                   .clock = release->clock,
		                   .cancelled = release->cancelled,
		                   .released = release->released,
		                   .meets = diary_caseworker(person),
		                   .met = release->released ? person->meeting : 0 };
	planned_day(release, row->date);
	compare(row, release);
	if (!day_is_between(row->date, wish->from, wish->until)) {
		if (!row->old_date || row->released ||
		    !day_is_between(release->old_date, wish->from, wish->until))
			return false;
		row->moved_away = true;
		row->clock = release->old_clock;
		memcpy(row->date, release->old_date, DATE_BYTES);
	}
	if (!row->cancelled && !row->released)
		find_missing(row, person, wish);
	return true;
}

static int compare_rows(const void *a, const void *b)
{
	const struct diary_row *one = a;
	const struct diary_row *other = b;
	int order = strcmp(one->date, other->date);

	if (order == 0)
		order = strcmp(one->clock, other->clock);
	if (order == 0)
		order = strcmp(one->person->release.gate, other->person->release.gate);
	if (order == 0)
		order = one->person->number < other->person->number ? -1 : 1;
	return order;
}

static enum ttg_error add(struct diary *diary, const struct diary_row *row)
{
	if (diary->n == diary->room) {
		size_t room = diary->room == 0 ? 32 : diary->room * 2;
		struct diary_row *grown = realloc(diary->rows, room * sizeof(*grown));

		if (grown == NULL)
			return TTG_ENOMEM;
		diary->rows = grown;
		diary->room = room;
	}
	diary->rows[diary->n++] = *row;
	return TTG_OK;
}

enum ttg_error diary_make(struct diary *diary, const struct views *views,
                          const struct diary_wish *wish)
{
	enum ttg_error error = TTG_OK;
	struct diary_row row;

	*diary = (struct diary){ .rows = NULL };
	for (uint32_t i = 0; i < views_n_persons(views) && error == TTG_OK; i++)
		if (views_is_alone(views, i) && make_row(&row, views_person(views, i), wish))
			error = add(diary, &row);
	if (error != TTG_OK)
		diary_fini(diary);
	else if (diary->n > 0)
		qsort(diary->rows, diary->n, sizeof(*diary->rows), compare_rows);
	return error;
}

void diary_fini(struct diary *diary)
{
	free(diary->rows);
	*diary = (struct diary){ .rows = NULL };
}
