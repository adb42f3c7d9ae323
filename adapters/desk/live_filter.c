/* What somebody wants to see of the live page. See live_filter.h. */
#include "desk/live_filter.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "desk/rows.h"

#define CASEWORKERS_MAX 256
#define KINDS_MAX       128

static void copy(char *out, size_t size, const char *from)
{
	snprintf(out, size, "%s", strlen(from) < size ? from : "");
}

void live_filter_read(const struct desk *desk, const struct web_request *request,
                      struct live_filter *out)
{
	memset(out, 0, sizeof(*out));
	copy(out->kind, sizeof(out->kind), web_field(request, "kind"));
	copy(out->caseworker, sizeof(out->caseworker), web_field(request, "caseworker"));
	copy(out->person, sizeof(out->person), web_field(request, "person"));
	out->urgent = strcmp(web_field(request, "urgent"), "yes") == 0;
	if (out->person[0] != '\0')
		search_number(desk, out->person, request->now_ns, &out->people);
}

static bool takes_kind(const struct live_filter *filter, int type)
{
	const char *name = type < 0 ? "" : ttg_type_name((size_t)type);
	size_t len = strlen(filter->kind);

	if (len == 0 || strcmp(filter->kind, name) == 0)
		return true;
	return strncmp(name, filter->kind, len) == 0 && name[len] == '.';
}

static bool takes_person(const struct live_filter *filter, const struct person *person)
{
	if (filter->person[0] == '\0')
		return true;
	for (size_t i = 0; person != NULL && i < filter->people.n; i++) {
		if (filter->people.found[i] == person->number)
			return true;
	}
	return false;
}

bool live_filter_takes(const struct live_filter *filter, const struct desk *desk,
                       const struct web_request *request, const struct view_event *event)
{
	const struct person *person = row_person(desk, event);

	if (filter->caseworker[0] != '\0' &&
	    (person == NULL || strcasecmp(row_caseworker(person), filter->caseworker) != 0))
		return false;
	if (person != NULL && !desk_may_see(request, person))
		return filter->kind[0] == '\0' && filter->person[0] == '\0' && !filter->urgent;
	return takes_kind(filter, event->type) && takes_person(filter, person) &&
	       (!filter->urgent || event->urgency == TTG__URGENCY__URGENT);
}

static void write_one(struct html *out, const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	html_add(out, "%s%s=", out->len == 0 ? "" : "&", name);
	html_url(out, value);
}

void live_filter_write(const struct live_filter *filter, struct html *out)
{
	write_one(out, "kind", filter->kind);
	write_one(out, "caseworker", filter->caseworker);
	write_one(out, "person", filter->person);
	write_one(out, "urgent", filter->urgent ? "yes" : "");
}

/* "police: everything", then "police: Arrest" and so on for each of its types. */
static void add_kinds(const struct live_filter *filter, struct html *html)
{
	char labels[KINDS_MAX][96], values[KINDS_MAX][64];
	struct page_choice choices[KINDS_MAX] = { { "", "Everything", filter->kind[0] == '\0' } };
	const struct page_control control = { .name = "kind", .label = "Kind", .hint = "", .value = "" };
	char family[32] = "";
	size_t n = 1;

	for (size_t i = 0; i < ttg_type_count() && n + 2 < KINDS_MAX; i++) {
		const char *name = ttg_type_name(i);
		size_t len = strcspn(name, ".");
		struct sentence kind;

		if (len < sizeof(family) &&
		    (strncmp(family, name, len) != 0 || family[len] != '\0')) {
			snprintf(family, sizeof(family), "%.*s", (int)len, name);
			snprintf(values[n], sizeof(values[n]), "%s", family);
			snprintf(labels[n++], sizeof(labels[0]), "%s: everything", family);
		}
		row_kind(&kind, (int)i);
		snprintf(values[n], sizeof(values[n]), "%s", name);
		snprintf(labels[n++], sizeof(labels[0]), "%s: %.60s", family, kind.bytes);
	}
	for (size_t i = 1; i < n; i++)
		choices[i] = (struct page_choice){ values[i], labels[i],
			                           strcmp(values[i], filter->kind) == 0 };
	page_select(html, &control, choices, n);
}

static void add_caseworkers(const struct live_filter *filter, const struct desk *desk,
                            const struct web_request *request, struct html *html)
{
	const char *names[CASEWORKERS_MAX];
	struct page_choice choices[CASEWORKERS_MAX + 1] = { { "", "Anybody",
		                                              filter->caseworker[0] == '\0' } };
	const struct page_control control = {
		.name = "caseworker", .label = "Caseworker", .hint = "", .value = ""
	};
	size_t n = search_caseworkers(desk, request->now_ns, names, CASEWORKERS_MAX);

	for (size_t i = 0; i < n; i++)
		choices[i + 1] = (struct page_choice){ names[i], names[i],
			                               strcasecmp(names[i],
			                                          filter->caseworker) == 0 };
	page_select(html, &control, choices, n + 1);
}

void live_filter_form(const struct live_filter *filter, const struct desk *desk,
                      const struct web_request *request, struct html *html)
{
	const struct page_control person = { .name = "person",
		                             .label = "Person's number",
		                             .hint = "Any number: prison, probation, PNC, case",
		                             .value = filter->person,
		                             .width = 20,
		                             .type = "search" };
	const struct page_control urgent = { .name = "urgent", .label = "Urgency", .hint = "",
		                             .value = "" };
	const struct page_choice choices[] = { { "yes", "Urgent ones only", filter->urgent } };

	html_raw(html, "<details class=\"govuk-details\"");
	html_raw(html, filter->kind[0] != '\0' || filter->caseworker[0] != '\0' ||
	                               filter->person[0] != '\0' || filter->urgent
	                       ? " open>"
	                       : ">");
	html_raw(html, "<summary class=\"govuk-details__summary\"><span "
	               "class=\"govuk-details__summary-text\">Choose what is shown</span></summary>"
	               "<div class=\"govuk-details__text\"><form method=\"get\" action=\"/live\">");
	add_kinds(filter, html);
	add_caseworkers(filter, desk, request, html);
	page_input(html, &person);
	page_checkboxes(html, &urgent, choices, 1);
	page_button_of(html, "Show", "govuk-button--secondary", NULL, NULL);
	html_raw(html, "</form></div></details>");
}
