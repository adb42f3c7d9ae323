/*
 * What was sent from here, and what became of it: the newest of our own events, and each by itself.
 * Those that ttg-oneservice has not taken yet are found in its spool (send.h).
 */
#include "desk/sent.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "desk/act_field.h"

#define SHOWN_MAX 100
#define MOVING_NS (600 * INT64_C(1000000000))

static int64_t sent_ns(const struct sent *sent)
{
	return sent->event->recorded_at != NULL ? sent->event->recorded_at->unix_ns : sent->kept_ns;
}

static int64_t acknowledged_by(const struct sent *sent)
{
	return sent->acknowledged < 0 ? 0 : sent->acknowledged;
}

/* Something may change within moments: a script may look again. */
static bool is_moving(const struct sent *sent, enum sent_state state, int64_t now_ns)
{
	return (state == SENT_WAITING || state == SENT_ACCEPTED) &&
	       now_ns - sent_ns(sent) < MOVING_NS;
}

static void show_about(struct html *html, const struct person *person, bool visible)
{
	const struct person_number *number = person == NULL ? NULL : person_best_number(person);

	html_raw(html, "<td class=\"govuk-table__cell\">");
	if (person != NULL && !visible)
		html_raw(html, "Limited access");
	else if (number != NULL)
		html_add(html, "<a class=\"govuk-link\" href=\"/people/%u\">%s</a>", person->number,
		         number->value);
	html_raw(html, "</td>\n");
}

/* One row. True when its state may change soon. */
static bool show_row(const struct desk *desk, const struct web_request *request, struct html *html,
                     const uint8_t id[TTG_UUID_BYTES])
{
	struct sent sent;
	struct sent_answer answer;
	struct message message;
	const struct person *person;
	char text[TTG_UUID_TEXT], line[SENT_LINE_BYTES], when[PAGE_TIME_BYTES];
	enum sent_state state;
	bool visible, moving;

	if (send_find(desk, id, &sent, &message) != TTG_OK || sent.event == NULL || !sent.ours) {
		sent_fini(&sent);
		return false;
	}
	person = send_whom(desk, sent.event);
	visible = person == NULL || desk_may_see(request, person);
	sent_find_answer(desk, sent.event, person, &answer);
	state = sent_state(&sent, &answer);
	ttg_uuid_format(id, text);
	page_time(when, sent_ns(&sent), request->now_ns);
	html_raw(html, "<tr class=\"govuk-table__row\">\n");
	page_cell(html, when);
	sent_title(line, sent.event);
	if (visible)
		html_add(html,
		         "<td class=\"govuk-table__cell\"><a class=\"govuk-link\" "
		         "href=\"/sent/%s\">%s</a></td>\n",
		         text, line);
	else
		page_cell(html, line);
	show_about(html, person, visible);
	sent_line(line, &sent, &answer);
	html_raw(html, "<td class=\"govuk-table__cell\">");
	page_tag(html, sent_colour(&sent, &answer), line);
	if (sent.delivered > 0)
		html_add(html, "<br>%lld of %lld acknowledged it",
		         (long long)acknowledged_by(&sent), (long long)sent.delivered);
	html_raw(html, "</td>\n</tr>\n");
	moving = is_moving(&sent, state, request->now_ns);
	sent_fini(&sent);
	return moving;
}

/* With its script (assets/sent.js) this part of the page is fetched anew while something moves. */
static void begin_state(struct html *html, bool moving)
{
	html_raw(html, moving ? "<div id=\"sent-state\" data-refresh=\"3\">\n"
	                      : "<div id=\"sent-state\">\n");
}

static void end_state(const struct web_request *request, struct html *html, bool moving)
{
	html_add(html,
	         "</div>\n<p class=\"govuk-body\"><a class=\"govuk-link\" href=\"%s\">Refresh</a>"
	         "</p>\n",
	         request->path);
	if (moving)
		html_add(html, "<script type=\"module\" src=\"%s\"></script>\n",
		         web_asset("sent.js"));
}

static bool show_rows(const struct desk *desk, const struct web_request *request, struct html *html)
{
	uint8_t ids[SHOWN_MAX][TTG_UUID_BYTES];
	size_t n = send_list(desk, ids, SHOWN_MAX), shown = 0;
	bool moving = false;

	for (size_t i = 0; i < n; i++) {
		if (views_find_event(desk->views, ids[i]) != VIEWS_NOBODY)
			continue;
		moving = show_row(desk, request, html, ids[i]) || moving;
		shown++;
	}
	for (size_t i = views_n_events(desk->views); i > 0 && shown < SHOWN_MAX; i--) {
		const struct view_event *event = views_event(desk->views, i - 1);

		if (!event->ours)
			continue;
		moving = show_row(desk, request, html, event->id) || moving;
		shown++;
	}
	return moving;
}

/* What is not about somebody the desk knows is begun here. */
static void show_forms(const struct desk *desk, const struct web_request *request,
                       struct html *html)
{
	if (act_may(desk, request, NULL, ACT_ACCESS))
		html_add(html,
		         "<p class=\"govuk-body\"><a class=\"govuk-link\" "
		         "href=\"/access\">%s</a></p>\n",
		         act_forms[ACT_ACCESS].title);
}

PAGE(page_sent)
{
	static const char *const heads[] = { "Sent", "What", "About", "State" };
	struct html *html = &response->body;
	struct html rows = { NULL, 0, 0, false };
	bool moving;

	page_begin(request, response, "Sent", "Sent", NULL);
	show_forms(desk, request, html);
	moving = show_rows(desk, request, &rows);
	begin_state(html, moving);
	if (rows.len == 0) {
		page_inset(html, "Nothing was sent yet.");
	} else {
		page_table_begin(html, "The newest hundred", heads,
		                 sizeof(heads) / sizeof(heads[0]));
		html_raw(html, rows.bytes);
		page_table_end(html);
	}
	html->failed = html->failed || rows.failed;
	html_fini(&rows);
	end_state(request, html, moving);
	page_end(request, response);
}

static void show_step(struct html *html, int64_t at_ns, int64_t now_ns, const char *text)
{
	char when[PAGE_TIME_BYTES];

	page_time(when, at_ns, now_ns);
	html_add(html, "<li>%s%s%s</li>\n", at_ns == 0 ? "" : when, at_ns == 0 ? "" : ": ", text);
}

static void show_broker(struct html *html, const struct sent *sent, int64_t now_ns)
{
	char line[SENT_LINE_BYTES];

	if (!sent->answered) {
		show_step(html, 0, now_ns, "The broker has not answered yet");
	} else if (sent->code != TTG_OK) {
		show_step(html, 0, now_ns, "The broker refused it");
	} else {
		snprintf(line, sizeof(line), "The broker accepted it, under number %" PRIu64,
		         sent->sequence);
		show_step(html, 0, now_ns, line);
		if (sent->delivered >= 0) {
			snprintf(line, sizeof(line),
			         "Delivered to %" PRId64 " mailboxes, %" PRId64 " acknowledged it",
			         sent->delivered, acknowledged_by(sent));
			show_step(html, 0, now_ns, line);
		}
	}
}

static void show_timeline(struct html *html, const struct sent *sent,
                          const struct sent_answer *answer, int64_t now_ns)
{
	html_raw(html, "<ol class=\"govuk-list govuk-list--number\">\n");
	show_step(html, sent->event->recorded_at != NULL ? sent->event->recorded_at->unix_ns : 0,
	          now_ns, "Sent from here");
	if (sent->place == SENT_WAITS) {
		show_step(html, 0, now_ns, "Waiting to be taken by ttg-oneservice");
	} else if (sent->place == SENT_FAILED) {
		show_step(html, 0, now_ns, "ttg-oneservice would not take it");
	} else {
		show_step(html, sent->kept_ns, now_ns, "Taken by ttg-oneservice");
		show_broker(html, sent, now_ns);
	}
	if (answer->text[0] != '\0')
		show_step(html, answer->at_ns, now_ns, answer->text);
	html_raw(html, "</ol>\n");
}

static void show_refusal(struct html *html, const struct sent *sent)
{
	if (sent->place == SENT_FAILED) {
		page_warning(html, "It did not reach the broker. Tell your support.");
		if (sent->why[0] != '\0')
			html_add(html, "<p class=\"govuk-body\">%s</p>\n", sent->why);
		return;
	}
	if (!sent->answered || sent->code == TTG_OK)
		return;
	page_warning(html, sent_reason(sent->code));
	html_add(html, "<p class=\"govuk-body\">%s</p>\n", sent_advice(sent->code));
	if (sent->text[0] != '\0')
		html_add(html, "<p class=\"govuk-body\">The broker's words: %s</p>\n", sent->text);
}

static void show_answer(const struct desk *desk, const struct web_request *request,
                        struct html *html, const struct sent_answer *answer)
{
	Ttg__Event *event;
	struct message message;

	if (answer->text[0] == '\0' || answer->event == VIEWS_NOBODY ||
	    views_read(desk->views, desk->store, answer->event, &event, NULL, &message) != TTG_OK)
		return;
	html_raw(html, "<h2 class=\"govuk-heading-m\" id=\"answer\">The answer</h2>\n");
	page_summary_begin(html);
	page_summary_row(html, "From", event->source);
	sent_fields(html, event, request->now_ns);
	page_summary_end(html);
	ttg__event__free_unpacked(event, NULL);
}

static void show_one(const struct desk *desk, const struct web_request *request,
                     struct web_response *response, const struct sent *sent,
                     const struct person *person)
{
	struct html *html = &response->body;
	struct sent_answer answer;
	char line[SENT_LINE_BYTES];
	enum sent_state state;
	bool moving;

	sent_find_answer(desk, sent->event, person, &answer);
	state = sent_state(sent, &answer);
	sent_title(line, sent->event);
	page_begin(request, response, line, line, NULL);
	moving = is_moving(sent, state, request->now_ns);
	begin_state(html, moving);
	sent_line(line, sent, &answer);
	html_raw(html, "<p class=\"govuk-body\">");
	page_tag(html, sent_colour(sent, &answer), line);
	html_raw(html, "</p>\n");
	show_refusal(html, sent);
	show_timeline(html, sent, &answer, request->now_ns);
	show_answer(desk, request, html, &answer);
	end_state(request, html, moving);
	html_raw(html, "<h2 class=\"govuk-heading-m\">What was sent</h2>\n");
	page_summary_begin(html);
	sent_fields(html, sent->event, request->now_ns);
	page_summary_end(html);
	if (person != NULL)
		html_add(
		        html,
		        "<p class=\"govuk-body\"><a class=\"govuk-link\" href=\"/people/%u\">Their "
		        "record</a></p>\n",
		        person->number);
	html_raw(html,
	         "<p class=\"govuk-body\"><a class=\"govuk-link\" href=\"/sent\">All that was "
	         "sent</a></p>\n");
	page_end(request, response);
}

PAGE(page_sent_one)
{
	uint8_t id[TTG_UUID_BYTES];
	struct sent sent = { .place = SENT_NOWHERE };
	struct message message = { "" };
	const struct person *person;
	enum ttg_error error = ttg_uuid_parse(request->parts[0], id);

	if (error == TTG_OK)
		error = send_find(desk, id, &sent, &message);
	else
		error = TTG_OK;
	person = sent.event == NULL ? NULL : send_whom(desk, sent.event);
	if (error != TTG_OK)
		web_refuse(request, response, 503, "What was sent cannot be read just now.");
	else if (sent.event == NULL || !sent.ours)
		web_refuse(request, response, 404, "Nothing was sent from here under this id.");
	else if (person != NULL && !desk_may_see(request, person))
		act_refuse_limited(request, response, person);
	else
		show_one(desk, request, response, &sent, person);
	sent_fini(&sent);
}
