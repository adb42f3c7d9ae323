/*
 * People: a search by any number, by caseworker, and everybody who is enrolled. A case the user may
 * not see stands at the end of a list, where its place tells nothing of its number.
 */
#include "desk/pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "desk/person_words.h"
#include "desk/rows.h"
#include "desk/search.h"

#define SHOWN           50
#define CASEWORKERS_MAX 256

/* Those of a list that the page shows. */
struct listing {
	const uint32_t *numbers;
	size_t n;
	size_t first;
};

static void add_form(struct html *html, const struct desk *desk, const struct web_request *request)
{
	const char *wanted = web_field(request, "caseworker");
	const char *names[CASEWORKERS_MAX];
	struct page_choice choices[CASEWORKERS_MAX + 1] = { { "", "Anybody", wanted[0] == '\0' } };
	const struct page_control number = {
		.name = "q",
		.label = "Number",
		.hint = "Prison number, CRN, PNC id, CRO number, or the start of a case number",
		.value = web_field(request, "q"),
		.width = 20,
		.type = "search"
	};
	const struct page_control caseworker = {
		.name = "caseworker", .label = "Caseworker", .hint = "", .value = ""
	};
	size_t n = search_caseworkers(desk, request->now_ns, names, CASEWORKERS_MAX);

	for (size_t i = 0; i < n; i++)
		choices[i + 1] =
		        (struct page_choice){ names[i], names[i], strcmp(names[i], wanted) == 0 };
	html_raw(html, "<form method=\"get\" action=\"/people\" role=\"search\">");
	page_input(html, &number);
	page_select(html, &caseworker, choices, n + 1);
	page_button_of(html, "Search", "govuk-button--secondary", NULL, NULL);
	html_raw(html, "</form>");
}

static void add_row(struct html *html, const struct desk *desk, const struct web_request *request,
                    const struct person *person)
{
	const struct person_scheme *scheme = person_scheme(person);
	struct sentence text;

	html_raw(html, "<tr class=\"govuk-table__row\"><th scope=\"row\" "
	               "class=\"govuk-table__header\">");
	row_person_link(html, desk, request, person);
	html_raw(html, "</th>");
	if (!desk_may_see(request, person)) {
		html_raw(html, "<td class=\"govuk-table__cell\" colspan=\"2\"></td>");
	} else {
		person_custody_words(person, &text);
		page_cell(html, text.bytes);
		person_release_words(person, &text);
		page_cell(html, text.bytes);
	}
	html_raw(html, "<td class=\"govuk-table__cell\">");
	row_text(html, row_caseworker(person));
	html_raw(html, "</td><td class=\"govuk-table__cell\">");
	if (scheme != NULL && desk_may_see(request, person))
		row_text(html, scheme->scheme);
	html_raw(html, "</td></tr>");
}

static void add_table(struct html *html, const struct desk *desk, const struct web_request *request,
                      const struct listing *listing, const char *caption)
{
	static const char *const heads[] = { "Person", "Custody", "Release", "Caseworker",
		                             "Scheme" };

	page_table_begin(html, caption, heads, 5);
	for (size_t i = listing->first; i < listing->n && i < listing->first + SHOWN; i++)
		add_row(html, desk, request, views_person(desk->views, listing->numbers[i]));
	page_table_end(html);
}

/* What a person is sorted by, looked up once. */
struct sorted {
	const char *key; /* of a case the user may not see: its caseworker */
	uint32_t number;
	bool is_hidden;
};

static int compare(const void *a, const void *b)
{
	const struct sorted *left = a;
	const struct sorted *right = b;
	int order;

	if (left->is_hidden != right->is_hidden)
		return left->is_hidden ? 1 : -1;
	order = strcmp(left->key, right->key);
	return order != 0 ? order : (left->number > right->number) - (left->number < right->number);
}

/* By the number people are best known by; without memory as they are. */
static void sort(const struct desk *desk, const struct web_request *request, uint32_t *numbers,
                 size_t n)
{
	struct sorted *list = calloc(n + 1, sizeof(*list));

	for (size_t i = 0; list != NULL && i < n; i++) {
		const struct person *person = views_person(desk->views, numbers[i]);
		const struct person_number *best = person_best_number(person);
		bool is_hidden = !desk_may_see(request, person);

		list[i] = (struct sorted){ is_hidden      ? row_caseworker(person)
			                   : best == NULL ? "~"
			                                  : best->value,
			                   numbers[i], is_hidden };
	}
	if (list != NULL)
		qsort(list, n, sizeof(*list), compare);
	for (size_t i = 0; list != NULL && i < n; i++)
		numbers[i] = list[i].number;
	free(list);
}

static size_t first_of(const struct web_request *request, size_t n)
{
	unsigned long page = strtoul(web_field(request, "page"), NULL, 10);

	return page > 1 && page <= n / SHOWN + 1 ? (size_t)(page - 1) * SHOWN : 0;
}

static void add_pages(struct html *html, const struct listing *listing, const char *caseworker)
{
	struct html newer = { 0 }, older = { 0 };
	size_t page = listing->first / SHOWN + 1;
	bool more = listing->first + SHOWN < listing->n;

	html_raw(&newer, "/people?");
	if (caseworker[0] != '\0') {
		html_raw(&newer, "caseworker=");
		html_url(&newer, caseworker);
		html_raw(&newer, "&");
	}
	if (!newer.failed)
		html_raw(&older, newer.bytes);
	html_add(&newer, "page=%zu", page - 1);
	html_add(&older, "page=%zu", page + 1);
	if (!newer.failed && !older.failed)
		page_pagination(html, page > 1 ? newer.bytes : NULL, more ? older.bytes : NULL);
	html_fini(&newer);
	html_fini(&older);
}

/* Sorts, shows a page of it and the way to the others. */
static void add_list(struct html *html, const struct desk *desk, const struct web_request *request,
                     uint32_t *numbers, size_t n, const char *what)
{
	struct listing listing = { numbers, n, first_of(request, n) };
	char caption[128];
	size_t last = listing.first + SHOWN < n ? listing.first + SHOWN : n;

	sort(desk, request, numbers, n);
	if (n > SHOWN)
		snprintf(caption, sizeof(caption), "%s: %zu to %zu of %zu", what, listing.first + 1,
		         last, n);
	else
		snprintf(caption, sizeof(caption), "%s: %zu", what, n);
	add_table(html, desk, request, &listing, caption);
	add_pages(html, &listing, web_field(request, "caseworker"));
}

static void add_enrolled(struct html *html, const struct desk *desk,
                         const struct web_request *request)
{
	size_t n = 0;
	uint32_t *numbers = calloc(views_n_persons(desk->views) + 1, sizeof(*numbers));

	for (uint32_t i = 0; numbers != NULL && i < views_n_persons(desk->views); i++) {
		if (views_is_alone(desk->views, i) &&
		    person_is_enrolled(views_person(desk->views, i), request->now_ns))
			numbers[n++] = i;
	}
	if (numbers == NULL)
		page_inset(html, "The list cannot be made at the moment.");
	else if (n == 0)
		page_inset(html, "Nobody is enrolled.");
	else
		add_list(html, desk, request, numbers, n, "Enrolled now");
	free(numbers);
}

static void add_found(struct html *html, const struct desk *desk, const struct web_request *request,
                      bool by_number)
{
	struct search found;

	if (by_number)
		search_number(desk, web_field(request, "q"), request->now_ns, &found);
	else
		search_caseworker(desk, web_field(request, "caseworker"), &found);
	if (found.n == 0) {
		page_inset(html, by_number ? "Nobody with this number is known here."
		                           : "Nobody who is enrolled works with this caseworker.");
		return;
	}
	add_list(html, desk, request, found.found, found.n, "Found");
	if (found.total > found.n)
		html_add(html,
		         "<p class=\"govuk-body\">There are %zu; only %zu are listed. Ask for more "
		         "of the number.</p>",
		         found.total, found.n);
}

void page_people(void *user, const struct web_request *request, struct web_response *response)
{
	const struct desk *desk = user;
	struct html *html = &response->body;
	bool by_number = web_field(request, "q")[0] != '\0';

	page_begin(request, response, "People", "People", NULL);
	rows_warn_away(html, desk, request);
	add_form(html, desk, request);
	if (by_number || web_field(request, "caseworker")[0] != '\0')
		add_found(html, desk, request, by_number);
	else
		add_enrolled(html, desk, request);
	html_raw(html, "<p class=\"govuk-body\"><a class=\"govuk-link\" href=\"/people/new\">Enrol "
	               "somebody who is not known here yet</a></p>");
	page_end(request, response);
}
