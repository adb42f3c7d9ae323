/*
 * What arrives, as it arrives: the newest events on top, and a stream of what comes after. The page
 * and its stream meet at a change number, so that nothing is lost between them.
 *
 * A stream that is far behind is told to load the page again: more rows than the page keeps need
 * not be sent.
 */
#include "desk/pages.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "desk/live_filter.h"
#include "desk/rows.h"

#define SHOWN      100
#define STREAM_MAX 200 /* events behind the cursor that are sent one by one */

static void add_person(struct html *html, const struct desk *desk,
                       const struct web_request *request, const struct view_event *event)
{
	html_raw(html, "<td class=\"govuk-table__cell\">");
	row_person_link(html, desk, request, row_person(desk, event));
	html_raw(html, "</td>");
}

static void add_limited_row(struct html *html, const struct desk *desk,
                            const struct web_request *request, const struct view_event *event)
{
	html_raw(html, "<tr class=\"govuk-table__row\"><td class=\"govuk-table__cell\">");
	row_time(html, event->kept_ns, request->now_ns);
	html_raw(html, "</td><td class=\"govuk-table__cell\"></td>");
	add_person(html, desk, request, event);
	html_raw(html, "<td class=\"govuk-table__cell\">");
	row_limited(html, row_person(desk, event));
	html_raw(html, "</td><td class=\"govuk-table__cell\"></td></tr>");
}

static void add_row(struct html *html, const struct desk *desk, const struct web_request *request,
                    uint32_t index)
{
	const struct view_event *event = views_event(desk->views, index);
	char id[TTG_UUID_TEXT];

	if (!row_may_see(desk, request, event)) {
		add_limited_row(html, desk, request, event);
		return;
	}
	ttg_uuid_format(event->id, id);
	html_add(html, "<tr class=\"govuk-table__row\" id=\"event-%s\"", id);
	if (event->supersedes != VIEWS_NOBODY) {
		ttg_uuid_format(views_event(desk->views, event->supersedes)->id, id);
		html_add(html, " data-supersedes=\"event-%s\"", id);
	}
	html_raw(html, "><td class=\"govuk-table__cell\">");
	row_time(html, event->kept_ns, request->now_ns);
	html_raw(html, "</td><td class=\"govuk-table__cell\">");
	row_kind_tag(html, event->type);
	if (event->urgency == TTG__URGENCY__URGENT) {
		html_raw(html, " ");
		page_tag(html, "red", "Urgent");
	}
	html_raw(html, "</td>");
	add_person(html, desk, request, event);
	html_raw(html, "<td class=\"govuk-table__cell\">");
	row_told(html, desk, index);
	html_raw(html, "</td><td class=\"govuk-table__cell\">");
	row_text(html, views_word(desk->views, event->source));
	html_raw(html, "</td></tr>");
}

/* Where the page's list begins: behind the event that `before` names, else at the end. */
static size_t first_of(const struct desk *desk, const struct web_request *request)
{
	uint8_t id[TTG_UUID_BYTES];
	uint32_t event;

	if (ttg_uuid_parse(web_field(request, "before"), id) != TTG_OK)
		return views_n_events(desk->views);
	event = views_find_event(desk->views, id);
	return event == VIEWS_NOBODY ? views_n_events(desk->views) : event;
}

/* Up to SHOWN events before `end` that the filter takes, the newest first. *more: there are others
 * before the last. */
static size_t choose(const struct desk *desk, const struct web_request *request,
                     const struct live_filter *filter, size_t end, uint32_t *out, bool *more)
{
	size_t n = 0;

	*more = false;
	for (size_t i = end; i > 0; i--) {
		if (!live_filter_takes(filter, desk, request, views_event(desk->views, i - 1)))
			continue;
		*more = n == SHOWN;
		if (*more)
			break;
		out[n++] = (uint32_t)(i - 1);
	}
	return n;
}

/* An address with the filter in it, not escaped yet; more may be added behind. */
static void add_address(struct html *html, const char *path, const struct live_filter *filter)
{
	struct html query = { 0 };

	live_filter_write(filter, &query);
	html_raw(html, path);
	html_raw(html, "?");
	if (query.len > 0) {
		html_raw(html, query.bytes);
		html_raw(html, "&");
	}
	html_fini(&query);
}

static void add_pages(struct html *html, const struct desk *desk, const struct live_filter *filter,
                      bool is_newest, uint32_t last, bool more)
{
	struct html newest = { 0 }, older = { 0 };
	char id[TTG_UUID_TEXT];

	add_address(&newest, "/live", filter);
	add_address(&older, "/live", filter);
	if (more) {
		ttg_uuid_format(views_event(desk->views, last)->id, id);
		html_add(&older, "before=%s", id);
	}
	if (!newest.failed && !older.failed)
		page_pagination(html, is_newest ? NULL : newest.bytes, more ? older.bytes : NULL);
	html_fini(&newest);
	html_fini(&older);
}

static void add_stream(struct html *html, const struct desk *desk, const struct live_filter *filter)
{
	struct html address = { 0 };

	add_address(&address, "/live/events", filter);
	html_add(&address, "after=%" PRIu64, views_change(desk->views));
	if (!address.failed)
		html_add(html,
		         "<div data-desk=\"live\" data-stream=\"%s\" data-last=\"%" PRIu64 "\">"
		         "</div>",
		         address.bytes, views_change(desk->views));
	html_fini(&address);
}

static void add_refresh(struct html *html, const struct live_filter *filter)
{
	struct html address = { 0 };

	add_address(&address, "/live", filter);
	if (!address.failed)
		html_add(html,
		         "<p class=\"govuk-body\"><a class=\"govuk-link\" href=\"%s\">Refresh</a>"
		         "</p>",
		         address.bytes);
	html_fini(&address);
}

void page_live(void *user, const struct web_request *request, struct web_response *response)
{
	static const char *const heads[] = { "Time", "Kind", "Person", "What happened", "Told by" };
	const struct desk *desk = user;
	struct html *html = &response->body;
	size_t first = first_of(desk, request);
	bool is_newest = first == views_n_events(desk->views);
	uint32_t shown[SHOWN];
	struct live_filter filter;
	size_t n;
	bool more;

	live_filter_read(desk, request, &filter);
	n = choose(desk, request, &filter, first, shown, &more);
	page_begin(request, response, "Live", "Live", NULL);
	rows_warn_away(html, desk, request);
	live_filter_form(&filter, desk, request, html);
	if (is_newest)
		add_stream(html, desk, &filter);
	add_refresh(html, &filter);
	if (n == 0 && !is_newest)
		page_inset(html, "There is nothing older.");
	else if (n == 0)
		page_inset(html, "Nothing has arrived yet.");
	page_table_begin(html, is_newest ? "What has arrived, the newest first"
	                                 : "What arrived earlier, the newest first",
	                 heads, 5);
	for (size_t i = 0; i < n; i++)
		add_row(html, desk, request, shown[i]);
	page_table_end(html);
	add_pages(html, desk, &filter, is_newest, n == 0 ? 0 : shown[n - 1], more);
	page_end(request, response);
}

/* A row on one line, whatever its texts hold. */
static void send_row(struct html *out, const struct desk *desk, const struct web_request *request,
                     const char *word, uint64_t id, uint32_t index)
{
	struct html row = { 0 };

	add_row(&row, desk, request, index);
	for (size_t i = 0; i < row.len; i++) {
		if (row.bytes[i] == '\n' || row.bytes[i] == '\r')
			row.bytes[i] = ' ';
	}
	if (!row.failed && row.len > 0) {
		html_add(out, "id: %" PRIu64 "\nevent: %s\ndata: ", id, word);
		html_raw(out, row.bytes);
		html_raw(out, "\n\n");
	}
	html_fini(&row);
}

/* The first event of the list whose change is above. */
static size_t first_above(const struct desk *desk, uint64_t change)
{
	size_t low = 0, high = views_n_events(desk->views);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (views_event(desk->views, middle)->change <= change)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Earlier events that were answered or completed: their rows take the places of the old ones. */
static void send_again(struct html *out, const struct desk *desk,
                       const struct web_request *request, const struct live_filter *filter,
                       uint64_t since, uint64_t id)
{
	size_t n = desk->n_again < DESK_AGAIN_MAX ? desk->n_again : DESK_AGAIN_MAX;

	for (size_t i = desk->n_again - n; i < desk->n_again; i++) {
		const struct desk_again *again = &desk->again[i % DESK_AGAIN_MAX];
		const struct view_event *event = views_event(desk->views, again->event);

		if (again->change > since && event->change <= since &&
		    live_filter_takes(filter, desk, request, event))
			send_row(out, desk, request, "again", id, again->event);
	}
}

/* Where a new stream begins: where its page ends, which says so. */
static uint64_t begin_at(const struct desk *desk, const struct web_request *request)
{
	const char *text = web_field(request, "after");
	uint64_t last = views_change(desk->views);
	char *end;
	uint64_t after;

	if (text[0] < '0' || text[0] > '9')
		return last;
	after = strtoull(text, &end, 10);
	return *end == '\0' && after <= last ? after : last;
}

/* What a stream has sent: everything up to a change, and one state of the alerts. Both are in each
   id, so that a browser that comes back says them. */
struct place {
	uint64_t change;
	unsigned alerts;
};

static uint64_t pack(const struct place *place)
{
	return place->change * ALERTS_VERSIONS + place->alerts;
}

static void send_rows(struct html *out, const struct desk *desk, const struct web_request *request,
                      struct place *place)
{
	struct live_filter filter;
	size_t first = first_above(desk, place->change);
	size_t n = views_n_events(desk->views);
	const uint64_t before = place->change;

	place->change = views_change(desk->views);
	if (before > place->change || n - first > STREAM_MAX) {
		html_add(out, "id: %" PRIu64 "\nevent: behind\ndata: %zu\n\n", pack(place),
		         n - first);
		return;
	}
	live_filter_read(desk, request, &filter);
	send_again(out, desk, request, &filter, before, pack(place));
	for (size_t i = first; i < n; i++) {
		const struct view_event *event = views_event(desk->views, i);
		const struct place here = { event->change, place->alerts };

		if (live_filter_takes(&filter, desk, request, event))
			send_row(out, desk, request, "told", pack(&here), (uint32_t)i);
	}
}

void stream_live(void *user, const struct web_request *request, uint64_t *cursor, struct html *out)
{
	const struct desk *desk = user;
	const unsigned alerts = alerts_version(desk->alerts);
	bool is_new = *cursor == UINT64_MAX;
	struct place place = { *cursor / ALERTS_VERSIONS, *cursor % ALERTS_VERSIONS };

	if (is_new)
		place = (struct place){ begin_at(desk, request), alerts };
	if (strcmp(web_field(request, "only"), "alerts") != 0)
		send_rows(out, desk, request, &place);
	else
		place.change = views_change(desk->views);
	if (is_new || place.alerts != alerts) {
		place.alerts = alerts;
		html_add(out, "id: %" PRIu64 "\nevent: alerts\ndata: %u %zu\n\n", pack(&place),
		         alerts, alerts_waiting(desk->alerts));
	}
	*cursor = pack(&place);
}
