/* What a page says of one alert. See alerts_told.h. */
#include "desk/alerts_told.h"

#include <stdlib.h>
#include "desk/rows.h"

#define STORY_MAX     64
#define NS_PER_MINUTE INT64_C(60000000000)

static void add_part(struct sentence *out, int64_t n, const char *one, const char *many)
{
	if (n == 0)
		return;
	sentence_add(out, "%s%lld %s", out->length == 0 ? "" : " ", (long long)n,
	             n == 1 ? one : many);
}

void alerts_add_span(struct sentence *out, int64_t ns)
{
	int64_t minutes = ns / NS_PER_MINUTE;
	struct sentence text = { .length = 0 };

	if (minutes < 1) {
		sentence_add(out, "less than a minute");
		return;
	}
	add_part(&text, minutes / 1440, "day", "days");
	add_part(&text, minutes / 60 % 24, "hour", "hours");
	if (minutes < 1440)
		add_part(&text, minutes % 60, "minute", "minutes");
	sentence_add(out, "%s", text.bytes);
}

void alerts_tell_person(struct html *html, const struct desk *desk,
                        const struct web_request *request, const struct view_event *event)
{
	const struct person *person = row_person(desk, event);

	if (person == NULL)
		html_raw(html, "About nobody in particular");
	else
		row_person_link(html, desk, request, person);
}

/* The tag and the words for what became of it; NULL: nothing that undoes it. */
static const char *undone_tag(const struct alert *alert, const char **text)
{
	if (!alert->undone)
		return NULL;
	if (alert->corrected_by != VIEWS_NOBODY) {
		*text = "The agency that sent this has corrected or withdrawn it. Do not act on it.";
		return "Withdrawn";
	}
	switch (alert->disposition) {
	case TTG__DISPOSITION__DISPOSITION_NO_FURTHER_ACTION:
		*text = "The police take no further action. Nothing more follows from this arrest.";
		return "No further action";
	case TTG__DISPOSITION__DISPOSITION_DEARRESTED:
		*text = "The police took the arrest back.";
		return "De-arrested";
	case TTG__DISPOSITION__DISPOSITION_MISMATCH:
		*text = "This was about somebody else. Do not act on it.";
		return "Wrong person";
	default:
		return NULL;
	}
}

static void add_disposition(struct html *html, const struct alert *alert)
{
	struct sentence text = { .length = 0 };

	if (alert->disposition == 0 || alert->decided_by == alert->event)
		return;
	words_add_enum(&text, &ttg__disposition__descriptor, alert->disposition);
	html_raw(html, " ");
	page_tag(html, "blue", text.bytes);
}

void alerts_tell(struct html *html, const struct desk *desk, const struct web_request *request,
                 const struct alert *alert)
{
	const struct view_event *event = views_event(desk->views, alert->event);
	const char *text = NULL;
	const char *tag = undone_tag(alert, &text);
	struct sentence sentence;

	if (alert->escalated_ns != 0) {
		page_tag(html, "red", "Escalated to the manager");
		html_raw(html, " ");
	}
	if (!row_may_see(desk, request, event)) {
		row_limited(html, row_person(desk, event));
		return;
	}
	row_kind_tag(html, event->type);
	html_raw(html, " ");
	row_sentence(desk, alert->event, &sentence);
	if (tag == NULL) {
		html_add(html, "%s", sentence.bytes);
		add_disposition(html, alert);
		return;
	}
	html_add(html, "<s>%s</s></p><p class=\"govuk-body govuk-!-margin-bottom-1\">",
	         sentence.bytes);
	page_tag(html, "green", tag);
	html_add(html, " <strong>%s</strong>", text);
}

/* A point of the story. */
struct point {
	int64_t at_ns;
	enum { POINT_RAISED, POINT_EVENT, POINT_ESCALATED, POINT_ACKNOWLEDGED } what;
	uint32_t event;
};

static int compare_points(const void *a, const void *b)
{
	const struct point *left = a;
	const struct point *right = b;

	if (left->at_ns != right->at_ns)
		return left->at_ns < right->at_ns ? -1 : 1;
	return (left->what > right->what) - (left->what < right->what);
}

/* Notices of the broker are told as the escalation they are. */
static size_t collect(const struct desk *desk, const struct web_request *request,
                      const struct alert *alert, struct point *points)
{
	const int notice = ttg_type_find("broker.alert_unacknowledged");
	uint32_t events[STORY_MAX];
	size_t n_events = alerts_story(desk->alerts, alert, events, STORY_MAX);
	size_t n = 0;

	points[n++] = (struct point){ alert->raised_ns, POINT_RAISED, VIEWS_NOBODY };
	for (size_t i = 0; i < n_events; i++) {
		const struct view_event *event = views_event(desk->views, events[i]);

		if (event->type != notice && row_may_see(desk, request, event))
			points[n++] = (struct point){ event->kept_ns, POINT_EVENT, events[i] };
	}
	if (alert->escalated_ns != 0)
		points[n++] = (struct point){ alert->escalated_ns, POINT_ESCALATED, VIEWS_NOBODY };
	if (alert->acknowledged_ns != 0)
		points[n++] = (struct point){ alert->acknowledged_ns, POINT_ACKNOWLEDGED,
			                      VIEWS_NOBODY };
	qsort(points, n, sizeof(*points), compare_points);
	return n;
}

void alerts_tell_story(struct html *html, const struct desk *desk,
                       const struct web_request *request, const struct alert *alert)
{
	struct point points[STORY_MAX + 3];
	size_t n = collect(desk, request, alert, points);

	html_raw(html, "<h2 class=\"govuk-heading-m\">What happened</h2><ol class=\"govuk-list "
	               "govuk-list--spaced\">");
	for (size_t i = 0; i < n; i++) {
		html_raw(html, "<li>");
		row_time(html, points[i].at_ns, request->now_ns);
		html_raw(html, ": ");
		switch (points[i].what) {
		case POINT_RAISED:
			html_raw(html, "The alert was raised.");
			break;
		case POINT_ESCALATED:
			html_raw(html, "Nobody had acknowledged it in time. It was escalated to the "
			               "manager.");
			break;
		case POINT_ACKNOWLEDGED:
			html_raw(html, "Acknowledged by ");
			row_text(html, alert->by);
			html_raw(html, ".");
			break;
		case POINT_EVENT:
			row_told(html, desk, points[i].event);
			break;
		}
		html_raw(html, "</li>");
	}
	html_raw(html, "</ol>");
}
