/*
 * /diary/print: the diary for the wall at the gate. A table and nothing else, in large type;
 * numbers only, no names of anybody. A limited-access case is a line with its time.
 */
#include <string.h>
#include "desk/diary_asked.h"
#include "desk/pages.h"
#include "desk/rows.h"

static void put_head(struct html *html, const char *day)
{
	html_raw(html, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	               "<title>Gate diary</title>\n");
	html_add(html, "<link rel=\"icon\" href=\"%s\" type=\"image/svg+xml\">\n",
	         web_asset("icon.svg"));
	html_add(html, "<link rel=\"stylesheet\" href=\"%s\">\n</head>\n<body>\n",
	         web_asset("print.css"));
	html_add(html,
	         "<header><strong>OFFICIAL-SENSITIVE</strong> <span>%s</span></header>\n"
	         "<main>\n<h1>Gate diary</h1>\n<table>\n<thead>\n<tr>"
	         "<th scope=\"col\">Day</th><th scope=\"col\">Time</th><th scope=\"col\">Gate</th>"
	         "<th scope=\"col\">Number</th><th scope=\"col\">Changes</th>"
	         "<th scope=\"col\">Met by us</th></tr>\n</thead>\n<tbody>\n",
	         day);
}

static void put_was(struct html *html, bool changed, const char *what, const char *old)
{
	if (!changed)
		return;
	html_add(html, "%s was ", what);
	row_text(html, old);
	html_raw(html, ". ");
}

static void put_changes(struct html *html, const struct diary_row *row)
{
	const struct person_release *release = &row->person->release;

	if (row->cancelled)
		html_raw(html, "<strong>Cancelled.</strong> ");
	if (row->released)
		html_raw(html, "Has left. ");
	if (row->moved_away) {
		html_raw(html, "<strong>Moved to ");
		row_day(html, release->date);
		html_raw(html, ".</strong> ");
	} else {
		if (row->old_date) {
			html_raw(html, "Day was ");
			row_day(html, release->old_date);
			html_raw(html, ". ");
		}
		put_was(html, row->old_clock, "Time", release->old_clock);
		put_was(html, row->old_gate, "Gate", release->old_gate);
	}
}

static void put_time(struct html *html, const struct diary_row *row)
{
	bool off = row->cancelled || row->moved_away;

	html_raw(html, off ? "<td><del>" : "<td>");
	row_text(html, row->clock[0] != '\0' ? row->clock : "no hour");
	html_raw(html, off ? "</del></td>" : "</td>");
}

static void put_row(struct html *html, const struct diary_asked *asked, const struct diary_row *row)
{
	html_raw(html, "<tr><td>");
	row_day(html, row->date);
	html_raw(html, "</td>");
	put_time(html, row);
	if (!diary_may_see(asked, row)) {
		html_raw(html, "<td></td><td>Limited-access case</td><td></td><td></td></tr>\n");
		return;
	}
	html_raw(html, "<td>");
	row_text(html, row->person->release.gate);
	html_raw(html, "</td><td>");
	row_text(html, diary_number(row->person));
	html_raw(html, "</td><td>");
	put_changes(html, row);
	html_raw(html,
	         row->meets[0] != '\0' ? "</td><td>yes</td></tr>\n" : "</td><td></td></tr>\n");
}

void page_diary_print(void *arg, const struct web_request *request, struct web_response *response)
{
	struct html *html = &response->body;
	struct diary_asked asked;
	char day[PAGE_TIME_BYTES];

	if (diary_ask(&asked, arg, request) != TTG_OK) {
		html->failed = true;
		return;
	}
	page_day(day, request->now_ns);
	put_head(html, day);
	for (size_t i = 0; i < asked.diary.n; i++)
		if (diary_is_asked_for(&asked, &asked.diary.rows[i]))
			put_row(html, &asked, &asked.diary.rows[i]);
	html_raw(html, "</tbody>\n</table>\n</main>\n</body>\n</html>\n");
	diary_fini(&asked.diary);
}
