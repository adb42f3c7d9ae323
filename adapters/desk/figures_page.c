/*
 * /figures: the tables of the report command as pages, plots and downloads. All of it comes from
 * the cache and is written at once; before the first set is ready the pages say so.
 *
 * The evaluator sees the public form whatever he asks for; everybody else may choose it.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/instant.h"
#include "desk/figures_cache.h"
#include "desk/figures_plot.h"
#include "desk/pages.h"
#include "oneservice/report.h"

#define CHOICES_MAX 100 /* schemes, cohorts to choose from; further ones only in the address */

struct wish {
	enum figures_kind kind;
	const char *scheme, *cohort; /* "": all */
	bool is_public;
	bool may_choose; /* the form */
};

static const struct {
	const char *heading;
	const char *what;
} kinds[FIGURES_KINDS] = {
	[FIGURES_ENGAGEMENT] = { "Engagement",
	                         "How far the men of each cohort were reached, before their "
	                         "release, at the gate and in the months after." },
	[FIGURES_NEEDS] = { "Needs", "What the men of each cohort have need of." },
	[FIGURES_OUTCOME] = { "Outcome", "How often the men of each cohort were reconvicted in the "
	                                 "twelve months after release, held against the baseline "
	                                 "and the thresholds of payment." },
	[FIGURES_REFERRALS] = { "Referrals", "What became of the referrals to each provider, and "
	                                     "how long answers took." },
};

/* False: there is no such table. */
static bool read_wish(const struct web_request *request, struct wish *wish)
{
	*wish = (struct wish){ .kind = figures_kind_find(request->parts[0]),
		               .scheme = web_field(request, "scheme"),
		               .cohort = web_field(request, "cohort"),
		               .may_choose = request->user != NULL &&
		                             (request->user->role & ROLES_STAFF) != 0 };
	wish->is_public = !wish->may_choose || strcmp(web_field(request, "view"), "public") == 0;
	return wish->kind < FIGURES_KINDS;
}

static const struct table *whole_table(const struct wish *wish, const struct figures_set *set)
{
	return &set->tables[wish->kind][wish->is_public ? FIGURES_PUBLIC : FIGURES_WHOLE];
}

/* What is hidden was hidden before rows are chosen. */
static bool choose(const struct wish *wish, const struct figures_set *set, struct table *out)
{
	if (table_copy(out, whole_table(wish, set)) != TTG_OK)
		return false;
	table_select(out, wish->scheme[0] != '\0' ? wish->scheme : NULL,
	             wish->cohort[0] != '\0' ? wish->cohort : NULL);
	return true;
}

static void look(const struct desk *desk, struct figures_look *out)
{
	*out = (struct figures_look){ .set = NULL };
	if (desk->figures != NULL)
		figures_cache_look(desk->figures, out);
}

/* "/figures/needs" and what comes behind it, with the same choice. */
static void add_address(struct html *html, const struct wish *wish, const char *behind)
{
	html_add(html, "/figures/%s%s?scheme=", figures_kind_words[wish->kind], behind);
	html_url(html, wish->scheme);
	html_raw(html, "&amp;cohort=");
	html_url(html, wish->cohort);
	html_add(html, "&amp;view=%s", wish->is_public ? "public" : "whole");
}

static bool is_new(const struct page_choice *choices, size_t n, const char *value)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(choices[i].value, value) == 0)
			return false;
	return true;
}

/* The different texts of a column to choose from, and all of them. */
static void put_choice(struct html *html, const struct table *table, size_t column,
                       const struct page_control *control)
{
	struct page_choice choices[CHOICES_MAX] = { { "", "All", control->value[0] == '\0' } };
	size_t n = 1;

	for (size_t i = 0; i < table->n_rows && n < CHOICES_MAX; i++) {
		const char *text = table->rows[i].cells[column].text;

		if (is_new(choices, n, text)) {
			choices[n].value = choices[n].label = text;
			choices[n++].chosen = strcmp(text, control->value) == 0;
		}
	}
	page_select(html, control, choices, n);
}

static void put_form(struct html *html, const struct wish *wish, const struct figures_set *set)
{
	const struct page_control scheme = {
		.name = "scheme", .label = "Scheme", .hint = "", .value = wish->scheme
	};
	const struct page_control cohort = {
		.name = "cohort", .label = "Cohort", .hint = "", .value = wish->cohort
	};
	const struct page_control view = {
		.name = "view", .label = "Small counts", .hint = "", .value = ""
	};
	const struct page_choice views[] = { { "whole", "Shown", !wish->is_public },
		                             { "public", "Hidden", wish->is_public } };

	html_add(html,
	         "<form class=\"site-row site-no-print\" method=\"get\" action=\"/figures/%s\">",
	         figures_kind_words[wish->kind]);
	put_choice(html, whole_table(wish, set), 0, &scheme);
	put_choice(html, whole_table(wish, set), 1, &cohort);
	if (wish->may_choose)
		page_select(html, &view, views, 2);
	page_button(html, "Show");
	html_raw(html, "</form>");
}

static void put_cell(struct html *html, const struct table_column *column, const struct cell *cell)
{
	char text[REPORT_CELL_BYTES];

	report_cell(cell, text);
	if (cell->kind == CELL_TEXT && cell->shown == CELL_SHOWN) {
		/* Ids stay as they are. */
		if (strcmp(column->name, "stage") == 0 || strcmp(column->name, "need") == 0)
			figures_words(text);
		page_cell(html, text);
		return;
	}
	html_add(html, "<td class=\"govuk-table__cell govuk-table__cell--numeric\">%s</td>", text);
}

static void put_table(struct html *html, const char *caption, const struct table *table)
{
	char names[TABLE_COLUMNS_MAX][REPORT_CELL_BYTES];
	const char *heads[TABLE_COLUMNS_MAX];

	for (size_t i = 0; i < table->n_columns; i++) {
		const struct cell name = cell_text(table->columns[i].name);

		report_cell(&name, names[i]);
		figures_words(names[i]);
		names[i][0] = (char)toupper((unsigned char)names[i][0]);
		heads[i] = names[i];
	}
	page_table_begin(html, caption, heads, table->n_columns);
	for (size_t r = 0; r < table->n_rows; r++) {
		html_raw(html, "<tr class=\"govuk-table__row\">");
		for (size_t c = 0; c < table->n_columns; c++)
			put_cell(html, &table->columns[c], &table->rows[r].cells[c]);
		html_raw(html, "</tr>");
	}
	page_table_end(html);
}

static void put_not_ready(struct html *html, const struct web_request *request,
                          const struct figures_look *look)
{
	page_inset(html, look->error == TTG_OK
	                         ? "The figures are being made. That takes some seconds for each "
	                           "million events."
	                         : "The figures cannot be made: the case store is not there, or "
	                           "does not answer. It is tried again every half a minute.");
	html_add(html,
	         "<p class=\"govuk-body\"><a class=\"govuk-link\" href=\"%s\">Refresh</a></p>",
	         request->path);
}

static void put_state(struct html *html, const struct web_request *request,
                      const struct figures_look *look)
{
	char at[PAGE_TIME_BYTES];

	page_time(at, look->set->as_at_ns, request->now_ns);
	html_add(html, "<p class=\"govuk-body\">As at %s.", at);
	if (look->error != TTG_OK)
		html_raw(html, " Nothing newer can be made at present: the case store does not "
		               "answer.");
	if (look->set->left_out > 0)
		html_add(html,
		         " %zu enrolments name no scheme, no cohort or nobody and count "
		         "nowhere.",
		         look->set->left_out);
	html_raw(html, "</p>");
}

static void put_figures(struct html *html, const struct web_request *request,
                        const struct wish *wish, const struct figures_look *look)
{
	struct table table;

	put_state(html, request, look);
	if (wish->is_public)
		page_inset(html, "Counts under 5, and what would tell them, are hidden.");
	put_form(html, wish, look->set);
	if (!choose(wish, look->set, &table)) {
		html->failed = true;
		return;
	}
	if (table.n_rows == 0)
		page_inset(html, "There is nothing to count.");
	else {
		html_raw(html, "<p><img class=\"site-plot\" src=\"");
		add_address(html, wish, "/plot.svg");
		html_add(html, "\" alt=\"%s, as bars. The table below has the same numbers.\"></p>",
		         kinds[wish->kind].heading);
		put_table(html, kinds[wish->kind].heading, &table);
		html_raw(html, "<p class=\"govuk-body\"><a class=\"govuk-link\" href=\"");
		add_address(html, wish, "/csv");
		html_raw(html, "\">Download this table (CSV)</a></p>");
	}
	table_fini(&table);
}

static void put_index(struct html *html)
{
	for (enum figures_kind kind = 0; kind < FIGURES_KINDS; kind++)
		html_add(html,
		         "<h2 class=\"govuk-heading-m\"><a class=\"govuk-link\" "
		         "href=\"/figures/%s\">%s</a></h2><p class=\"govuk-body\">%s</p>",
		         figures_kind_words[kind], kinds[kind].heading, kinds[kind].what);
}

void page_figures(void *arg, const struct web_request *request, struct web_response *response)
{
	const struct desk *desk = arg;
	struct html *html = &response->body;
	struct figures_look state;
	struct wish wish;

	if (request->parts[0][0] == '\0') {
		page_begin(request, response, "Figures", "Figures", NULL);
		put_index(html);
		page_end(request, response);
		return;
	}
	if (!read_wish(request, &wish)) {
		web_refuse(request, response, 404, "There are no such figures.");
		return;
	}
	look(desk, &state);
	page_begin(request, response, kinds[wish.kind].heading, kinds[wish.kind].heading, NULL);
	html_add(html, "<p class=\"govuk-body-l\">%s</p>", kinds[wish.kind].what);
	if (state.set == NULL)
		put_not_ready(html, request, &state);
	else
		put_figures(html, request, &wish, &state);
	page_end(request, response);
}

void page_figures_csv(void *arg, const struct web_request *request, struct web_response *response)
{
	static const char *const names[FIGURES_KINDS] = { "engagement.csv", "needs.csv",
		                                          "outcome.csv", "referrals.csv" };
	const struct desk *desk = arg;
	struct figures_look state;
	struct wish wish;
	struct table table;
	char *text;

	if (!read_wish(request, &wish)) {
		web_refuse(request, response, 404, "There are no such figures.");
		return;
	}
	look(desk, &state);
	if (state.set == NULL) {
		web_redirect(response, "/figures/%s", figures_kind_words[wish.kind]);
		return;
	}
	if (!choose(&wish, state.set, &table)) {
		response->body.failed = true;
		return;
	}
	response->type = "text/csv; charset=utf-8";
	response->save_as = names[wish.kind];
	text = report_format(&table, REPORT_CSV);
	if (text != NULL)
		html_raw(&response->body, text); /* the report's form, byte for byte */
	else
		response->body.failed = true;
	free(text);
	table_fini(&table);
}

void page_figures_plot(void *arg, const struct web_request *request, struct web_response *response)
{
	const struct desk *desk = arg;
	struct figures_look state;
	struct wish wish;
	struct table table;
	char date[DATE_BYTES];
	char clock[CLOCK_BYTES];
	char at[DATE_BYTES + CLOCK_BYTES];

	if (!read_wish(request, &wish)) {
		web_refuse(request, response, 404, "There are no such figures.");
		return;
	}
	response->type = "image/svg+xml";
	look(desk, &state);
	if (state.set == NULL) {
		figures_plot_say("The figures are being made.", &response->body);
		return;
	}
	if (!choose(&wish, state.set, &table)) {
		response->body.failed = true;
		return;
	}
	/* The file may be kept: no "today". */
	instant_to_civil(state.set->as_at_ns, date, clock);
	snprintf(at, sizeof(at), "%s %s", date, clock);
	figures_plot_write(&(struct figures_plot){ .kind = wish.kind,
	                                           .table = &table,
	                                           .by_cohort = wish.cohort[0] != '\0',
	                                           .is_public = wish.is_public,
	                                           .as_at = at },
	                   &response->body);
	table_fini(&table);
}
