/* The parts of a person's page that go through his events. See person_events.h. */
#include "desk/person_events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "desk/rows.h"

#define CONTACTS_SHOWN 10
#define GIVEN_SHOWN    50
#define OWN_SHOWN      20
#define LINE_SHOWN     50

static void begin_row(struct html *html)
{
	html_raw(html, "<tr class=\"govuk-table__row\"><td class=\"govuk-table__cell\">");
}

static void next_cell(struct html *html)
{
	html_raw(html, "</td><td class=\"govuk-table__cell\">");
}

static void end_row(struct html *html)
{
	html_raw(html, "</td></tr>");
}

static int compare_places(const void *a, const void *b, void *views)
{
	const uint32_t left = *(const uint32_t *)a;
	const uint32_t right = *(const uint32_t *)b;
	int64_t left_ns = views_event(views, left)->happened_ns;
	int64_t right_ns = views_event(views, right)->happened_ns;

	if (left_ns != right_ns)
		return left_ns < right_ns ? 1 : -1;
	return (left < right) - (left > right);
}

/* His events by when they happened, the newest first; the caller frees. NULL without memory. */
static uint32_t *sort_events(const struct desk *desk, const struct person *person)
{
	uint32_t *out = calloc(person->n_events + 1, sizeof(*out));

	if (out == NULL)
		return NULL;
	if (person->n_events > 0) {
		memcpy(out, person->events, person->n_events * sizeof(*out));
		qsort_r(out, person->n_events, sizeof(*out), compare_places, desk->views);
	}
	return out;
}

static bool is_contact(int type)
{
	static const char *const names[] = { "service.contact", "service.gate_meeting",
		                             "probation.contact", "partner.appointment" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (type >= 0 && type == ttg_type_find(names[i]))
			return true;
	}
	return false;
}

void person_add_contacts(struct html *html, const struct desk *desk,
                         const struct web_request *request, const struct person *person)
{
	static const char *const heads[] = { "When", "Contact", "Told by" };
	uint32_t *events = sort_events(desk, person);
	size_t shown = 0;

	html_raw(html, "<h2 class=\"govuk-heading-m\">Contacts</h2>");
	for (size_t i = 0; events != NULL && i < person->n_events && shown < CONTACTS_SHOWN; i++) {
		const struct view_event *event = views_event(desk->views, events[i]);

		if (!is_contact(event->type))
			continue;
		if (shown++ == 0)
			page_table_begin(html, "The last contacts", heads, 3);
		begin_row(html);
		row_time(html, event->happened_ns, request->now_ns);
		next_cell(html);
		row_told(html, desk, events[i]);
		next_cell(html);
		row_text(html, views_word(desk->views, event->source));
		end_row(html);
	}
	if (shown == 0)
		page_inset(html, "No contact was recorded.");
	else
		page_table_end(html);
	free(events);
}

static void add_given(struct html *html, const struct desk *desk, const struct web_request *request,
                      uint32_t event, const struct disclosure *given)
{
	begin_row(html);
	row_time(html, given->delivered_ns, request->now_ns);
	next_cell(html);
	row_kind_tag(html, views_event(desk->views, event)->type);
	next_cell(html);
	row_text(html, given->to);
	next_cell(html);
	row_text(html, given->fields);
	next_cell(html);
	row_text(html, given->outcome);
	if (given->ended_ns != 0) {
		html_raw(html, ", ");
		row_time(html, given->ended_ns, request->now_ns);
	}
	end_row(html);
}

static void add_log(struct html *html, const struct desk *desk, const struct web_request *request,
                    const struct person *person)
{
	static const char *const heads[] = { "Given", "What", "To", "Fields", "Outcome" };
	uint32_t *events = sort_events(desk, person);
	size_t shown = 0;

	for (size_t i = 0; events != NULL && i < person->n_events && shown < GIVEN_SHOWN; i++) {
		size_t n = 0;
		const struct disclosure *given = disclosures_of(
		        desk->disclosures, views_event(desk->views, events[i])->id, &n);

		for (size_t k = 0; k < n && shown < GIVEN_SHOWN; k++) {
			if (shown++ == 0)
				page_table_begin(html, "Deliveries, the newest events first", heads,
				                 5);
			add_given(html, desk, request, events[i], &given[k]);
		}
	}
	if (shown == 0)
		page_inset(html, "The log of disclosures has no delivery about this person.");
	else
		page_table_end(html);
	if (shown == GIVEN_SHOWN)
		html_raw(html, "<p class=\"govuk-body\">There may be more; the broker's log has "
		               "them all.</p>");
	free(events);
}

static void add_count(struct html *html, int64_t count)
{
	if (count == STORE_UNKNOWN)
		html_raw(html, "not known yet");
	else
		html_add(html, "%lld", (long long)count);
}

/* Of one event of ours: how many it was given to. Nothing while the store cannot be read. */
static void add_own(struct html *html, const struct desk *desk, const struct web_request *request,
                    uint32_t index)
{
	struct store_event facts;
	struct message message;
	Ttg__Event *event = NULL;

	if (views_read(desk->views, desk->store, index, &event, &facts, &message) != TTG_OK)
		return;
	ttg__event__free_unpacked(event, NULL);
	begin_row(html);
	row_time(html, views_event(desk->views, index)->kept_ns, request->now_ns);
	next_cell(html);
	row_kind_tag(html, views_event(desk->views, index)->type);
	next_cell(html);
	add_count(html, facts.delivered);
	next_cell(html);
	add_count(html, facts.acknowledged);
	end_row(html);
}

static void add_own_counts(struct html *html, const struct desk *desk,
                           const struct web_request *request, const struct person *person)
{
	static const char *const heads[] = { "Sent", "What", "Given to", "Acknowledged by" };
	size_t shown = 0;

	for (size_t i = person->n_events; i > 0 && shown < OWN_SHOWN; i--) {
		const struct view_event *event = views_event(desk->views, person->events[i - 1]);

		if (!event->ours || event->refused || !event->answered)
			continue;
		if (shown++ == 0)
			page_table_begin(html, "How many received what this service sent", heads, 4);
		add_own(html, desk, request, person->events[i - 1]);
	}
	if (shown > 0)
		page_table_end(html);
}

void person_add_disclosures(struct html *html, const struct desk *desk,
                            const struct web_request *request, const struct person *person)
{
	int64_t as_of_ns = 0;
	enum disclosures_state state =
	        disclosures_follow(desk->disclosures, request->now_ns, &as_of_ns);

	html_raw(html, "<h2 class=\"govuk-heading-m\">Who received what</h2>");
	if (state == DISCLOSURES_NONE)
		page_inset(html, "No log of disclosures is set up for this desk.");
	else if (state == DISCLOSURES_UNREADABLE)
		page_inset(html, "The log of disclosures cannot be read at the moment.");
	if (state < DISCLOSURES_READ) {
		add_own_counts(html, desk, request, person);
		return;
	}
	html_raw(html, "<p class=\"govuk-body\">As the broker's log of disclosures stood ");
	row_time(html, as_of_ns, request->now_ns);
	html_raw(html, state == DISCLOSURES_CUT
	                       ? ". It is larger than can be read here, so some may be missing.</p>"
	                       : ".</p>");
	add_log(html, desk, request, person);
}

static void add_line(struct html *html, const struct desk *desk, const struct web_request *request,
                     uint32_t index)
{
	const struct view_event *event = views_event(desk->views, index);

	begin_row(html);
	row_time(html, event->happened_ns, request->now_ns);
	next_cell(html);
	row_kind_tag(html, event->type);
	next_cell(html);
	row_told(html, desk, index);
	next_cell(html);
	row_text(html, views_word(desk->views, event->source));
	next_cell(html);
	row_time(html, event->kept_ns, request->now_ns);
	end_row(html);
}

static void add_line_pages(struct html *html, const struct person *person, size_t first)
{
	char newer[64], older[64];
	size_t page = first / LINE_SHOWN + 1;
	bool more = first + LINE_SHOWN < person->n_events;

	snprintf(newer, sizeof(newer), "/people/%u?page=%zu", person->number, page - 1);
	snprintf(older, sizeof(older), "/people/%u?page=%zu", person->number, page + 1);
	page_pagination(html, page > 1 ? newer : NULL, more ? older : NULL);
}

void person_add_time_line(struct html *html, const struct desk *desk,
                          const struct web_request *request, const struct person *person)
{
	static const char *const heads[] = { "Happened", "Kind", "What happened", "Told by",
		                             "Told" };
	unsigned long page = strtoul(web_field(request, "page"), NULL, 10);
	size_t first = page > 1 && page <= person->n_events / LINE_SHOWN + 1
	                       ? (size_t)(page - 1) * LINE_SHOWN
	                       : 0;
	uint32_t *events = sort_events(desk, person);

	html_raw(html, "<h2 class=\"govuk-heading-m\" id=\"time-line\">From custody to "
	               "community</h2>");
	if (events == NULL || person->n_events == 0) {
		page_inset(html, "Nothing was told of this person.");
		free(events);
		return;
	}
	page_table_begin(html, "Everything that was told, the newest first", heads, 5);
	for (size_t i = first; i < person->n_events && i < first + LINE_SHOWN; i++)
		add_line(html, desk, request, events[i]);
	page_table_end(html);
	add_line_pages(html, person, first);
	free(events);
}
