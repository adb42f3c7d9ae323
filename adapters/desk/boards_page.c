/*
 * /boards: the discharge boards that are coming, what the last ones found, and who is let out soon
 * without one. The address he goes to is for his caseworker and for managers; others see of what
 * kind it is and in which area.
 */
#include "desk/boards.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "desk/day.h"
#include "desk/diary.h"
#include "desk/pages.h"
#include "desk/rows.h"
#include "oneservice/words.h"

struct asked {
	const struct desk *desk;
	const struct web_request *request;
	char today[DATE_BYTES];
};

static const char *const heads[] = { "When",          "Place", "Person", "Release",
	                             "Where he goes", "Needs", "State" };

#define MISSING_SHOWN 50 /* rows of each list on a page; the rest is behind links */
#define COMING_SHOWN  40
#define PAST_SHOWN    30
#define HEADS (sizeof(heads) / sizeof(heads[0]))

static void begin_cell(struct html *html)
{
	html_raw(html, "<td class=\"govuk-table__cell\">");
}

static void end_cell(struct html *html)
{
	html_raw(html, "</td>");
}

typedef void put_text(struct html *html, const char *text);

static void put_moved(struct html *html, put_text *put, const char *old)
{
	html_raw(html, "<del><span class=\"govuk-visually-hidden\">was </span>");
	put(html, old);
	html_raw(html, "</del> ");
}

static bool differs(const char *old, const char *now)
{
	return old[0] != '\0' && strcmp(old, now) != 0;
}

static void put_when(struct html *html, const struct person_board *board, bool with_old)
{
	begin_cell(html);
	if (with_old && differs(board->old_date, board->date))
		put_moved(html, row_day, board->old_date);
	if (with_old && differs(board->old_clock, board->clock))
		put_moved(html, row_text, board->old_clock);
	row_day(html, board->date);
	html_raw(html, " ");
	row_text(html, board->clock);
	end_cell(html);
}

/* As the diary has it now; what the board was held for, where that was another day. */
static void put_release(struct html *html, const struct person *person)
{
	const char *now = person->release.known ? person->release.date : "";
	const char *for_day = person->board.release_date;

	begin_cell(html);
	if (now[0] == '\0') {
		row_day(html, for_day);
	} else {
		if (differs(for_day, now))
			put_moved(html, row_day, for_day);
		row_day(html, now);
	}
	if (person->release.known && person->release.cancelled)
		page_tag(html, "red", "Cancelled");
	end_cell(html);
}

static bool may_know_address(const struct asked *asked, const struct person *person)
{
	const struct web_user *user = asked->request->user;

	return user != NULL &&
	       ((user->role & ROLE_MANAGER) != 0 || person_is_assigned(person, user->name));
}

static void put_where(struct html *html, const struct asked *asked, const struct person *person)
{
	const struct person_board *board = &person->board;
	const struct person_release *release = &person->release;
	int kind = board->address_kind != 0 ? board->address_kind : release->address_kind;
	const char *address = board->address[0] != '\0' ? board->address : release->address;
	struct sentence words = { .length = 0 };

	begin_cell(html);
	if (kind != 0)
		words_add_enum(&words, &ttg__address_kind__descriptor, kind);
	words_add_if(&words, kind != 0 ? ", " : "", release->area);
	row_text(html, words.bytes);
	if (address[0] != '\0' && may_know_address(asked, person)) {
		html_raw(html, "<br>");
		row_text(html, address);
	}
	end_cell(html);
}

static void put_need(struct html *html, const struct person_board *board, int need)
{
	bool unmet = board->state[need] == TTG__BOARD_NEED_STATE__BOARD_NEED_STATE_UNMET;
	struct sentence words = { .length = 0 };

	if (!unmet && board->state[need] != TTG__BOARD_NEED_STATE__BOARD_NEED_STATE_ARRANGED)
		return;
	sentence_add(&words, unmet ? "Unmet: " : "Arranged: ");
	words_add_enum(&words, &ttg__need_category__descriptor, need);
	words_add_if(&words, ", ", board->owner[need]);
	sentence_make_printable(&words);
	html_raw(html, "<li>");
	page_tag(html, unmet ? "red" : "green", words.bytes);
	html_raw(html, "</li>");
}

static void put_state(struct html *html, const struct person_board *board, bool past)
{
	switch (board->status) {
	case TTG__BOARD_STATUS__BOARD_STATUS_HELD:
		page_tag(html, "green", "Held");
		break;
	case TTG__BOARD_STATUS__BOARD_STATUS_CANCELLED:
		page_tag(html, "red", "Cancelled");
		break;
	case TTG__BOARD_STATUS__BOARD_STATUS_RESCHEDULED:
		page_tag(html, "yellow", "Rescheduled");
		break;
	default:
		page_tag(html, "blue", "Planned");
		break;
	}
	if (past && board->status != TTG__BOARD_STATUS__BOARD_STATUS_HELD &&
	    board->status != TTG__BOARD_STATUS__BOARD_STATUS_CANCELLED)
		page_tag(html, "orange", "No outcome told");
}

static void put_limited(struct html *html, const struct person *person)
{
	html_raw(html, "<tr class=\"govuk-table__row\">");
	put_when(html, &person->board, false);
	page_cell(html, "");
	begin_cell(html);
	row_limited(html, person);
	end_cell(html);
	for (size_t i = 3; i < HEADS; i++)
		page_cell(html, "");
	html_raw(html, "</tr>");
}

static void put_row(struct html *html, const struct asked *asked, const struct person *person,
                    bool past)
{
	const struct person_board *board = &person->board;

	if (!desk_may_see(asked->request, person)) {
		/* A time that does not hold would send somebody there. */
		if (board->status != TTG__BOARD_STATUS__BOARD_STATUS_CANCELLED)
			put_limited(html, person);
		return;
	}
	html_raw(html, "<tr class=\"govuk-table__row\">");
	put_when(html, board, true);
	begin_cell(html);
	row_text(html, board->place);
	end_cell(html);
	begin_cell(html);
	row_person_link(html, asked->desk, asked->request, person);
	end_cell(html);
	put_release(html, person);
	put_where(html, asked, person);
	html_raw(html, "<td class=\"govuk-table__cell\"><ul class=\"govuk-list\">");
	for (int need = 1; need < PERSON_NEEDS; need++)
		put_need(html, board, need);
	html_raw(html, "</ul></td>");
	begin_cell(html);
	put_state(html, board, past);
	end_cell(html);
	html_raw(html, "</tr>");
}

/* One of the page's lists, of which so many stand on a page. */
struct list {
	const char *name; /* in links */
	size_t most;
	size_t first; /* of those on this page */
	size_t n;     /* counted so far */
};

static struct list begin_list(const struct asked *asked, const char *name, size_t most)
{
	return (struct list){ .name = name,
		              .most = most,
		              .first = strtoul(web_field(asked->request, name), NULL, 10) };
}

static bool is_on_page(struct list *list)
{
	size_t at = list->n++;

	return at >= list->first && at - list->first < list->most;
}

static void put_others(struct html *html, const struct list *list)
{
	if (list->first == 0 && list->n <= list->most)
		return;
	html_raw(html, "<ul class=\"govuk-list site-row\">");
	if (list->first > 0)
		html_add(html,
		         "<li><a class=\"govuk-link\" href=\"/boards?%s=%zu\">Those before</a></li>",
		         list->name, list->first > list->most ? list->first - list->most : 0);
	if (list->n > list->first && list->n - list->first > list->most)
		html_add(html,
		         "<li><a class=\"govuk-link\" href=\"/boards?%s=%zu\">%zu more</a></li>",
		         list->name, list->first + list->most,
		         list->n - list->first - list->most);
	html_raw(html, "</ul>");
}

static void put_boards(struct html *html, const struct asked *asked, const struct boards *boards,
                       bool past)
{
	struct list list = begin_list(asked, past ? "past" : "coming", past ? PAST_SHOWN : COMING_SHOWN);
	bool begun = false;

	for (size_t i = 0; i < boards->n; i++) {
		const struct person *person = boards->rows[i];

		if (boards_is_past(&person->board, asked->today) != past || !is_on_page(&list))
			continue;
		if (!begun)
			page_table_begin(html,
			                 past ? "Boards of the last 21 days"
			                      : "Boards of the next 28 days",
			                 heads, HEADS);
		begun = true;
		put_row(html, asked, person, past);
	}
	if (begun)
		page_table_end(html);
	else
		page_inset(html, past ? "No board was held in the last 21 days."
		                      : "No board is planned for the next 28 days.");
	put_others(html, &list);
}

static void put_missing_row(struct html *html, const struct asked *asked,
                            const struct diary_row *row)
{
	bool seen = desk_may_see(asked->request, row->person);
	html_raw(html, "<tr class=\"govuk-table__row\">");
	begin_cell(html);
	row_day(html, row->date);
	html_raw(html, " ");
	row_text(html, row->clock);
	end_cell(html);
	begin_cell(html);
	if (seen)
		row_person_link(html, asked->desk, asked->request, row->person);
	else
		html_raw(html, "Limited-access case");
	end_cell(html);
	begin_cell(html);
	row_text(html, seen ? row->person->release.area : "");
	end_cell(html);
	begin_cell(html);
	row_text(html, row->meets[0] != '\0' ? row->meets : "nobody yet");
	html_raw(html, "</td></tr>");
}

static void put_missing(struct html *html, const struct asked *asked, const struct diary *diary)
{
	static const char *const columns[] = { "Release", "Person", "Area", "Caseworker" };
	struct list list = begin_list(asked, "missing", MISSING_SHOWN);
	bool begun = false;

	for (size_t i = 0; i < diary->n; i++) {
		if (!diary->rows[i].no_board || diary->rows[i].moved_away || !is_on_page(&list))
			continue;
		if (!begun)
			page_table_begin(html, "Releases of the next 21 days without a board",
			                 columns, 4);
		begun = true;
		put_missing_row(html, asked, &diary->rows[i]);
	}
	if (begun)
		page_table_end(html);
	else
		page_inset(html, "Everybody who is let out in the next 21 days has a board.");
	put_others(html, &list);
}

static bool read_all(const struct asked *asked, struct boards *boards, struct diary *diary)
{
	char from[DATE_BYTES];
	char until[DATE_BYTES];
	char last[DATE_BYTES];

	day_add(asked->today, -BOARDS_BACK, from);
	day_add(asked->today, BOARDS_AHEAD, until);
	day_add(asked->today, DIARY_DAYS, last);
	*diary = (struct diary){ .rows = NULL };
	return boards_make(boards, asked->desk->views, from, until) == TTG_OK &&
	       diary_make(diary, asked->desk->views,
	                  &(struct diary_wish){
	                          .from = asked->today,
	                          .until = last,
	                          .now_ns = asked->request->now_ns,
	                          .local_areas = &asked->desk->settings.local_areas }) == TTG_OK;
}

void page_boards(void *arg, const struct web_request *request, struct web_response *response)
{
	struct asked asked = { .desk = arg, .request = request };
	struct html *html = &response->body;
	struct boards boards;
	struct diary diary;

	day_of(request->now_ns, asked.today);
	if (read_all(&asked, &boards, &diary)) {
		page_begin(request, response, "Discharge boards", "Discharge boards", NULL);
		rows_warn_away(html, asked.desk, request);
		put_missing(html, &asked, &diary);
		put_boards(html, &asked, &boards, false);
		put_boards(html, &asked, &boards, true);
		page_end(request, response);
	} else {
		html->failed = true;
	}
	diary_fini(&diary);
	boards_fini(&boards);
}
