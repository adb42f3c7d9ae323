/*
 * /diary: who is let out today, tomorrow and in the next three weeks, for the desk and on paper. A
 * change stands beside what it changed, as text and not by colour; a case the user may not see is a
 * line that says there is one, when, and who works with him.
 *
 * With part=1 the page is its section alone, which assets/diary.js puts in the place of the old one
 * when the live stream tells of an event.
 */
#include <stdio.h>
#include <string.h>
#include "base/instant.h"
#include "desk/day.h"
#include "desk/diary_asked.h"
#include "desk/pages.h"
#include "desk/rows.h"
#include "oneservice/words.h"

#define CHOICES_MAX 200 /* caseworkers, areas to choose from */
#define ROWS_MAX    75  /* a page; the rest is behind links, and all of it on paper */

static bool is_same(const char *one, const char *other)
{
	return strcmp(one, other) == 0;
}

/* "was 09:00 now 10:15", where it was another. */
static void put_value(struct html *html, bool changed, const char *old, const char *now)
{
	if (!changed) {
		row_text(html, now);
		return;
	}
	html_raw(html, "<del><span class=\"govuk-visually-hidden\">was </span>");
	row_text(html, old);
	html_raw(html, "</del> <ins><span class=\"govuk-visually-hidden\">now </span>");
	row_text(html, now[0] != '\0' ? now : "not known");
	html_raw(html, "</ins>");
}

static void put_note(struct html *html, const char *colour, const char *text)
{
	html_raw(html, "<li>");
	page_tag(html, colour, text);
	html_raw(html, "</li>");
}

static void put_met(struct html *html, int met)
{
	struct sentence words = { .length = 0 };

	if (met == 0)
		return;
	sentence_add(&words, "Gate meeting: ");
	words_add_enum(&words, &ttg__gate_meeting_outcome__descriptor, met);
	put_note(html, met == TTG__GATE_MEETING_OUTCOME__GATE_MEETING_OUTCOME_MET ? "green" : "red",
	         words.bytes);
}

static void put_left(struct html *html, const struct diary_row *row)
{
	char date[DATE_BYTES];
	char clock[CLOCK_BYTES];
	char text[40];

	instant_to_civil(row->person->release.released_ns, date, clock);
	if (is_same(date, row->date))
		snprintf(text, sizeof(text), "Left at %s", clock);
	else
		snprintf(text, sizeof(text), "Left on %s, %s", date, clock);
	put_note(html, "green", text);
}

static void put_days_moved(struct html *html, const struct person_release *release)
{
	html_raw(html, "Day: <del><span class=\"govuk-visually-hidden\">was </span>");
	row_day(html, release->old_date);
	html_raw(html, "</del> <ins><span class=\"govuk-visually-hidden\">now </span>");
	row_day(html, release->date);
	html_raw(html, "</ins>");
}

static void put_notes(struct html *html, const struct diary_row *row)
{
	const struct person_release *release = &row->person->release;

	html_raw(html, "<ul class=\"govuk-list\">");
	if (row->cancelled)
		put_note(html, "red", "Cancelled");
	if (row->released)
		put_left(html, row);
	put_met(html, row->met);
	if (row->moved_away)
		put_note(html, "yellow", "Moved to another day");
	else if (row->old_date || row->old_clock || row->old_gate || row->old_area)
		put_note(html, "yellow", "Changed");
	if (row->no_hour)
		put_note(html, "orange", "No hour known");
	if (row->no_board)
		put_note(html, "orange", "No discharge board");
	if (row->out_of_area)
		put_note(html, "purple", "Out of area");
	if (row->not_enrolled)
		put_note(html, "grey", "Not enrolled");
	html_raw(html, "</ul>");
	if (row->old_date)
		put_days_moved(html, release);
}

static void put_person(struct html *html, const struct diary_asked *asked,
                       const struct diary_row *row)
{
	html_raw(html, "<td class=\"govuk-table__cell\">");
	row_person_link(html, asked->desk, asked->request, row->person);
	html_raw(html, "</td>");
}

/* No more than the time and who works with him. */
static void put_limited(struct html *html, const struct diary_row *row)
{
	page_cell(html, row->clock);
	page_cell(html, "");
	page_cell(html, "");
	page_cell(html, "Limited-access case");
	page_cell(html, "");
	html_raw(html, "<td class=\"govuk-table__cell\">");
	row_text(html, row->meets);
	html_raw(html, "</td>");
	page_cell(html, "");
}

static void put_kind(struct html *html, const struct person_release *release)
{
	struct sentence words = { .length = 0 };

	if (words_enum_known(&ttg__release_kind__descriptor, release->kind))
		words_add_enum(&words, &ttg__release_kind__descriptor, release->kind);
	page_cell(html, words.bytes);
}

static void put_row(struct html *html, const struct diary_asked *asked, const struct diary_row *row)
{
	const struct person_release *release = &row->person->release;

	html_raw(html, "<tr class=\"govuk-table__row\">");
	if (!diary_may_see(asked, row)) {
		put_limited(html, row);
		html_raw(html, "</tr>");
		return;
	}
	html_raw(html, "<td class=\"govuk-table__cell\">");
	if (row->cancelled || row->moved_away) {
		html_raw(html, "<del><span class=\"govuk-visually-hidden\">was </span>");
		row_text(html, row->clock[0] != '\0' ? row->clock : "that day");
		html_raw(html, "</del>");
	} else
		put_value(html, row->old_clock, release->old_clock, row->clock);
	html_raw(html, "</td><td class=\"govuk-table__cell\">");
	put_value(html, row->old_gate, release->old_gate, release->gate);
	html_raw(html, "</td>");
	put_kind(html, release);
	put_person(html, asked, row);
	html_raw(html, "<td class=\"govuk-table__cell\">");
	put_value(html, row->old_area, release->old_area, release->area);
	html_raw(html, "</td><td class=\"govuk-table__cell\">");
	row_text(html, row->meets[0] != '\0' ? row->meets : "nobody yet");
	html_raw(html, "</td><td class=\"govuk-table__cell\">");
	put_notes(html, row);
	html_raw(html, "</td></tr>");
}

/* The rows of one day that are on this page, from `first` on; where the next day begins. *n counts
 * those asked for. */
static size_t put_day(struct html *html, const struct diary_asked *asked, size_t first, size_t *n)
{
	static const char *const heads[] = { "Time", "Gate",  "Kind", "Person",
		                             "Area", "Meets", "Notes" };
	const struct diary *diary = &asked->diary;
	const char *date = diary->rows[first].date;
	char day[PAGE_TIME_BYTES];
	size_t end = first;
	bool begun = false;

	page_day(day, day_noon(date));
	for (; end < diary->n && is_same(diary->rows[end].date, date); end++) {
		if (!diary_is_asked_for(asked, &diary->rows[end]))
			continue;
		if (*n < asked->first || *n - asked->first >= ROWS_MAX) {
			++*n;
			continue;
		}
		++*n;
		if (!begun)
			page_table_begin(html, day, heads, 7);
		begun = true;
		put_row(html, asked, &diary->rows[end]);
	}
	if (begun)
		page_table_end(html);
	return end;
}

static size_t count_asked_for(const struct diary_asked *asked)
{
	size_t n = 0;

	for (size_t i = 0; i < asked->diary.n; i++)
		n += diary_is_asked_for(asked, &asked->diary.rows[i]) ? 1 : 0;
	return n;
}

/* "/diary?...&first=75", for an attribute. */
static void add_link(struct html *html, const struct diary_asked *asked, const char *label,
                     size_t first)
{
	html_raw(html, "<li><a class=\"govuk-link\" href=\"");
	diary_address(html, asked, "/diary", asked->days);
	html_add(html, "&amp;first=%zu\">%s</a></li>", first, label);
}

static void put_others(struct html *html, const struct diary_asked *asked, size_t n)
{
	if (n <= ROWS_MAX && asked->first == 0)
		return;
	html_raw(html, "<nav class=\"site-no-print\" aria-label=\"More of the diary\">"
	               "<ul class=\"govuk-list site-row\">");
	if (asked->first > 0)
		add_link(html, asked, "Earlier", asked->first > ROWS_MAX ? asked->first - ROWS_MAX : 0);
	if (n > asked->first && n - asked->first > ROWS_MAX)
		add_link(html, asked, "Later", asked->first + ROWS_MAX);
	html_raw(html, "</ul></nav>");
}

static void put_section(struct html *html, const struct diary_asked *asked)
{
	size_t n = count_asked_for(asked);
	size_t shown = 0;

	html_raw(html, "<section id=\"diary\" data-refresh=\"");
	diary_address(html, asked, "/diary", asked->days);
	if (asked->first > 0)
		html_add(html, "&amp;first=%zu", asked->first);
	html_raw(html, "&amp;part=1\">");
	rows_warn_away(html, asked->desk, asked->request);
	if (n == 0)
		page_inset(html, "Nobody is in the diary.");
	else
		html_add(html, "<p class=\"govuk-body\">%zu in the diary.</p>", n);
	for (size_t i = 0; i < asked->diary.n;)
		i = put_day(html, asked, i, &shown);
	put_others(html, asked, n);
	html_raw(html, "</section>");
}

static void put_days(struct html *html, const struct diary_asked *asked)
{
	static const struct {
		const char *days, *label;
	} links[] = { { "today", "Today" }, { "tomorrow", "Tomorrow" }, { "21", "21 days" } };

	html_raw(html, "<nav class=\"site-no-print\" aria-label=\"Days\"><ul class=\"govuk-list "
	               "site-row\">");
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		html_raw(html, "<li><a class=\"govuk-link\" href=\"");
		diary_address(html, asked, "/diary", links[i].days);
		html_raw(html,
		         is_same(links[i].days, asked->days) ? "\" aria-current=\"page\">" : "\">");
		html_add(html,
		         is_same(links[i].days, asked->days) ? "<strong>%s</strong></a></li>"
		                                             : "%s</a></li>",
		         links[i].label);
	}
	html_raw(html, "</ul></nav>");
}

struct choices {
	struct page_choice list[CHOICES_MAX];
	size_t n;
};

static void add_choice(struct choices *choices, const char *value, const char *chosen)
{
	if (value[0] == '\0' || choices->n == CHOICES_MAX)
		return;
	for (size_t i = 0; i < choices->n; i++)
		if (is_same(choices->list[i].value, value))
			return;
	choices->list[choices->n++] = (struct page_choice){ value, value, is_same(value, chosen) };
}

/* What is not in the diary of these days, but was asked for, stays to be seen as asked for. */
static void put_form(struct html *html, const struct diary_asked *asked)
{
	struct choices workers = { { { "", "All", asked->caseworker[0] == '\0' } }, 1 };
	struct choices areas = { { { "", "All", asked->area[0] == '\0' } }, 1 };
	const struct page_control worker = {
		.name = "caseworker", .label = "Caseworker", .hint = "", .value = asked->caseworker
	};
	const struct page_control area = {
		.name = "area", .label = "Area", .hint = "", .value = asked->area
	};

	for (size_t i = 0; i < asked->diary.n; i++) {
		const struct diary_row *row = &asked->diary.rows[i];

		add_choice(&workers, row->meets, asked->caseworker);
		if (diary_may_see(asked, row))
			add_choice(&areas, row->person->release.area, asked->area);
	}
	add_choice(&workers, asked->caseworker, asked->caseworker);
	add_choice(&areas, asked->area, asked->area);
	html_add(html,
	         "<form class=\"site-row site-no-print\" method=\"get\" action=\"/diary\">"
	         "<input type=\"hidden\" name=\"days\" value=\"%s\">",
	         asked->days);
	page_select(html, &worker, workers.list, workers.n);
	page_select(html, &area, areas.list, areas.n);
	page_button(html, "Show");
	html_raw(html, "</form>");
}

static void put_ways(struct html *html, const struct diary_asked *asked)
{
	html_raw(html, "<p class=\"govuk-body site-no-print\"><a class=\"govuk-link\" href=\"");
	diary_address(html, asked, "/diary", asked->days);
	html_raw(html, "\">Refresh</a> &nbsp; <a class=\"govuk-link\" href=\"");
	diary_address(html, asked, "/diary/print", asked->days);
	html_raw(html, "\">For the printer</a> &nbsp; <a class=\"govuk-link\" "
	               "href=\"/diary.ics\">Calendar file</a></p>");
}

/* The address alone lets a calendar program in, so it is shown to who asks for it. */
static void put_feed(struct html *html, const struct diary_asked *asked)
{
	char token[33];

	html_raw(html,
	         "<details class=\"govuk-details site-no-print\"><summary "
	         "class=\"govuk-details__summary\"><span class=\"govuk-details__summary-text\">In "
	         "your calendar</span></summary><div class=\"govuk-details__text\">");
	web_feed_token(asked->request, false, token);
	if (token[0] != '\0')
		html_add(html,
		         "<p class=\"govuk-body\">Subscribe to <a class=\"govuk-link\" "
		         "data-whole-address href=\"/diary/feed/%s\">this address</a>. Whoever has "
		         "it sees numbers, gates and times: tell it to nobody.</p>",
		         token);
	else
		html_raw(html, "<p class=\"govuk-body\">There is no address at present.</p>");
	page_form(html, asked->request, "/diary/feed");
	page_button_of(html, "Make another address", "govuk-button--secondary", "", "");
	html_raw(html, "</form><p class=\"govuk-body\">The one before stops at once.</p>"
	               "</div></details>");
}

void page_diary(void *arg, const struct web_request *request, struct web_response *response)
{
	struct html *html = &response->body;
	struct diary_asked asked;

	if (diary_ask(&asked, arg, request) != TTG_OK) {
		html->failed = true;
		return;
	}
	if (is_same(web_field(request, "part"), "1")) {
		put_section(html, &asked);
		diary_fini(&asked.diary);
		return;
	}
	page_begin(request, response, "Gate diary", "Gate diary", NULL);
	put_days(html, &asked);
	put_form(html, &asked);
	put_ways(html, &asked);
	html_raw(html, "<p id=\"diary-said\" class=\"govuk-visually-hidden\" role=\"status\" "
	               "aria-live=\"polite\"></p>");
	put_section(html, &asked);
	put_feed(html, &asked);
	html_add(html, "<script type=\"module\" src=\"%s\"></script>", web_asset("diary.js"));
	page_end(request, response);
	diary_fini(&asked.diary);
}
