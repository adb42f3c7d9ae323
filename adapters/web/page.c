/*
 * The frame of every page, and what stands on it by itself. See page.h. Markup and classes are
 * those of GOV.UK Frontend 6; controls of forms are in page_form.c.
 */
#include "web/page.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/instant.h"
#include "web/server.h"

void page_error_add(struct page_errors *errors, const char *field, const char *format, ...)
{
	struct page_error *error = &errors->list[errors->n];
	va_list values;

	if (errors->n == PAGE_ERRORS_MAX)
		return;
	error->field = field;
	va_start(values, format);
	vsnprintf(error->text, sizeof(error->text), format, values);
	va_end(values);
	errors->n++;
}

const char *page_error_of(const struct page_errors *errors, const char *field)
{
	for (size_t i = 0; errors != NULL && i < errors->n; i++) {
		if (strcmp(errors->list[i].field, field) == 0)
			return errors->list[i].text;
	}
	return NULL;
}

static void put_head(struct html *html, const struct web_site *site, const char *title,
                     bool has_errors)
{
	html_raw(html, "<!DOCTYPE html>\n<html lang=\"en\" class=\"govuk-template\">\n<head>\n"
	               "<meta charset=\"utf-8\">\n");
	html_add(html, "<title>%s%s - %s</title>\n", has_errors ? "Error: " : "", title,
	         site->name);
	html_raw(html, "<meta name=\"viewport\" "
	               "content=\"width=device-width, initial-scale=1, viewport-fit=cover\">\n");
	html_add(html, "<link rel=\"icon\" href=\"%s\" type=\"image/svg+xml\">\n",
	         web_asset("icon.svg"));
	html_add(html, "<link rel=\"stylesheet\" href=\"%s\">\n", web_asset("site.css"));
	html_add(html, "<script type=\"module\" src=\"%s\"></script>\n", web_asset("site.js"));
	if (site->script != NULL && web_asset(site->script)[0] != '\0')
		html_add(html, "<script type=\"module\" src=\"%s\"></script>\n",
		         web_asset(site->script));
	html_raw(html, "</head>\n<body class=\"govuk-template__body\">\n"
	               "<a href=\"#main-content\" class=\"govuk-skip-link\" "
	               "data-module=\"govuk-skip-link\">Skip to main content</a>\n");
}

/* Who is signed in, and what he can do about it. */
static void put_user(struct html *html, const struct web_request *request)
{
	html_add(html,
	         "<div class=\"site-user\"><span>%s</span> <a href=\"/password\">Change "
	         "password</a>\n",
	         request->user->name);
	page_form(html, request, "/sign-out");
	html_raw(html, "<button type=\"submit\" class=\"site-link-button\">Sign out</button>"
	               "</form></div>\n");
}

/* "page", "true" when the page stands below the link's, NULL. */
static const char *current(const char *link, const char *path)
{
	size_t len = strlen(link);

	if (strcmp(link, path) == 0)
		return "page";
	return strncmp(link, path, len) == 0 && path[len] == '/' ? "true" : NULL;
}

static void put_link(struct html *html, const struct web_request *request,
                     const struct web_link *link)
{
	void *user = request->web->site->user;
	const char *now = current(link->path, request->path);
	unsigned n = link->count == NULL ? 0 : link->count(user, request);

	html_add(html, "<li class=\"govuk-service-navigation__item%s\">",
	         now == NULL ? "" : " govuk-service-navigation__item--active");
	html_add(html, "<a class=\"govuk-service-navigation__link\" href=\"%s\"", link->path);
	if (now == NULL)
		html_add(html, ">%s", link->label);
	else
		html_add(html,
		         " aria-current=\"%s\"><strong "
		         "class=\"govuk-service-navigation__active-fallback\">%s</strong>",
		         now, link->label);
	if (link->count != NULL) /* a script may change the number */
		html_add(html,
		         " <span class=\"site-count\" data-site-count=\"%s\"%s><span>%u</span>"
		         "<span class=\"govuk-visually-hidden\"> waiting</span></span>",
		         link->path, n == 0 ? " hidden" : "", n);
	html_raw(html, "</a></li>\n");
}

static void put_menu(struct html *html, const struct web_request *request)
{
	const struct web_site *site = request->web->site;

	html_raw(html, "<div class=\"govuk-service-navigation\" "
	               "data-module=\"govuk-service-navigation\">\n"
	               "<div class=\"govuk-width-container\">\n"
	               "<div class=\"govuk-service-navigation__container\">\n"
	               "<nav aria-label=\"Menu\" class=\"govuk-service-navigation__wrapper\">\n"
	               "<button type=\"button\" class=\"govuk-service-navigation__toggle "
	               "govuk-js-service-navigation-toggle\" aria-controls=\"navigation\" hidden "
	               "aria-hidden=\"true\">Menu</button>\n"
	               "<ul class=\"govuk-service-navigation__list\" id=\"navigation\">\n");
	for (size_t i = 0; i < site->n_menu; i++) {
		if ((site->menu[i].roles & request->user->role) != 0)
			put_link(html, request, &site->menu[i]);
	}
	html_raw(html, "</ul>\n</nav>\n</div>\n</div>\n</div>\n");
}

static void put_header(struct html *html, const struct web_request *request)
{
	html_raw(html, "<header class=\"govuk-template__header\">\n"
	               "<div class=\"govuk-generic-header\"><div class=\"site-header__inner "
	               "govuk-generic-header__container govuk-width-container\">\n"
	               "<div class=\"govuk-generic-header__logo\">");
	html_add(html, "<a href=\"/\" class=\"govuk-generic-header__homepage-link\">%s</a></div>\n",
	         request->web->site->name);
	if (request->user != NULL)
		put_user(html, request);
	html_raw(html, "</div></div>\n");
	if (request->user != NULL)
		put_menu(html, request);
	html_raw(html, "</header>\n");
}

static void put_errors(struct html *html, const struct page_errors *errors)
{
	html_raw(html, "<div class=\"govuk-error-summary\" data-module=\"govuk-error-summary\">\n"
	               "<div role=\"alert\">\n<h2 class=\"govuk-error-summary__title\">There is a "
	               "problem</h2>\n<div class=\"govuk-error-summary__body\">\n"
	               "<ul class=\"govuk-list govuk-error-summary__list\">\n");
	for (size_t i = 0; i < errors->n; i++) {
		const struct page_error *error = &errors->list[i];

		if (error->field[0] == '\0')
			html_add(html, "<li>%s</li>\n", error->text);
		else
			html_add(html, "<li><a href=\"#%s\">%s</a></li>\n", error->field,
			         error->text);
	}
	html_raw(html, "</ul>\n</div>\n</div>\n</div>\n");
}

static void put_said(struct html *html, const struct web_request *request)
{
	html_raw(html,
	         "<div class=\"govuk-notification-banner govuk-notification-banner--success\" "
	         "role=\"alert\" aria-labelledby=\"site-said\" "
	         "data-module=\"govuk-notification-banner\">\n"
	         "<div class=\"govuk-notification-banner__header\">"
	         "<h2 class=\"govuk-notification-banner__title\" id=\"site-said\">Done</h2>"
	         "</div>\n<div class=\"govuk-notification-banner__content\">");
	html_add(html, "<p class=\"govuk-notification-banner__heading\">%s</p></div>\n</div>\n",
	         request->said);
	server_said(request);
}

void page_begin(const struct web_request *request, struct web_response *response, const char *title,
                const char *heading, const struct page_errors *errors)
{
	struct html *html = &response->body;
	bool has_errors = errors != NULL && errors->n > 0;

	put_head(html, request->web->site, title, has_errors);
	put_header(html, request);
	html_raw(html, "<div class=\"govuk-width-container\">\n"
	               "<main class=\"govuk-main-wrapper\" id=\"main-content\">\n");
	if (has_errors)
		put_errors(html, errors);
	if (request->said[0] != '\0')
		put_said(html, request);
	if (heading != NULL)
		html_add(html, "<h1 class=\"govuk-heading-l\">%s</h1>\n", heading);
}

void page_end(const struct web_request *request, struct web_response *response)
{
	(void)request;
	html_raw(&response->body, "</main>\n</div>\n<footer class=\"govuk-template__footer\">"
	                          "<div class=\"govuk-width-container site-footer\">");
	html_add(&response->body, "<a class=\"govuk-link\" href=\"%s\">Licences</a>",
	         web_asset("licences.txt"));
	html_raw(&response->body, "</div></footer>\n</body>\n</html>\n");
}

void page_tag(struct html *html, const char *colour, const char *text)
{
	html_add(html, "<strong class=\"govuk-tag govuk-tag--%s\">%s</strong>", colour, text);
}

void page_table_begin(struct html *html, const char *caption, const char *const *heads, size_t n)
{
	/* It can be wider than a telephone: scrolled by itself, with the keyboard too. */
	html_add(html,
	         "<div class=\"site-scroll\" role=\"region\" aria-label=\"%s\" "
	         "tabindex=\"0\">\n<table class=\"govuk-table\">\n",
	         caption);
	html_add(html,
	         "<caption class=\"govuk-table__caption govuk-table__caption--m\">%s"
	         "</caption>\n",
	         caption);
	html_raw(html, "<thead class=\"govuk-table__head\">\n<tr class=\"govuk-table__row\">\n");
	for (size_t i = 0; i < n; i++)
		html_add(html, "<th scope=\"col\" class=\"govuk-table__header\">%s</th>\n",
		         heads[i]);
	html_raw(html, "</tr>\n</thead>\n<tbody class=\"govuk-table__body\">\n");
}

void page_cell(struct html *html, const char *text)
{
	html_add(html, "<td class=\"govuk-table__cell\">%s</td>\n", text);
}

void page_table_end(struct html *html)
{
	html_raw(html, "</tbody>\n</table>\n</div>\n");
}

void page_summary_begin(struct html *html)
{
	html_raw(html, "<dl class=\"govuk-summary-list\">\n");
}

void page_summary_row(struct html *html, const char *key, const char *value)
{
	html_add(html,
	         "<div class=\"govuk-summary-list__row\">"
	         "<dt class=\"govuk-summary-list__key\">%s</dt>"
	         "<dd class=\"govuk-summary-list__value\">",
	         key);
	html_lines(html, value);
	html_raw(html, "</dd></div>\n");
}

void page_summary_end(struct html *html)
{
	html_raw(html, "</dl>\n");
}

void page_inset(struct html *html, const char *text)
{
	html_add(html, "<div class=\"govuk-inset-text\">%s</div>\n", text);
}

void page_warning(struct html *html, const char *text)
{
	html_add(html,
	         "<div class=\"govuk-warning-text\">"
	         "<span class=\"govuk-warning-text__icon\" aria-hidden=\"true\">!</span>"
	         "<strong class=\"govuk-warning-text__text\">"
	         "<span class=\"govuk-visually-hidden\">Warning</span> %s</strong></div>\n",
	         text);
}

static void put_page_link(struct html *html, const char *where, const char *link, const char *label)
{
	if (link != NULL)
		html_add(html,
		         "<div class=\"govuk-pagination__%s\"><a class=\"govuk-link "
		         "govuk-pagination__link\" href=\"%s\" rel=\"%s\">"
		         "<span class=\"govuk-pagination__link-title\">%s"
		         "<span class=\"govuk-visually-hidden\"> page</span></span></a></div>\n",
		         where, link, where, label);
}

void page_pagination(struct html *html, const char *newer, const char *older)
{
	if (newer == NULL && older == NULL)
		return;
	html_raw(html, "<nav class=\"govuk-pagination\" aria-label=\"Pagination\">\n");
	put_page_link(html, "prev", newer, "Newer");
	put_page_link(html, "next", older, "Older");
	html_raw(html, "</nav>\n");
}

static const char *const months[] = { "January",   "February", "March",    "April",
	                              "May",       "June",     "July",     "August",
	                              "September", "October",  "November", "December" };

struct civil {
	char date[11], clock[6];
	unsigned year, month, day; /* month from 1 */
};

static struct civil civil_of(int64_t at_ns)
{
	struct civil civil;

	instant_to_civil(at_ns, civil.date, civil.clock); /* "yyyy-mm-dd", whatever the instant */
	civil.year = (unsigned)strtoul(civil.date, NULL, 10);
	civil.month = (unsigned)strtoul(civil.date + 5, NULL, 10);
	civil.day = (unsigned)strtoul(civil.date + 8, NULL, 10);
	assert(civil.month >= 1 && civil.month <= 12);
	return civil;
}

/* 0: Sunday. Sakamoto's method. */
static unsigned weekday(const struct civil *civil)
{
	static const unsigned shift[] = { 0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4 };
	unsigned year = civil->year - (civil->month < 3);

	return (year + year / 4 - year / 100 + year / 400 + shift[civil->month - 1] + civil->day) %
	       7;
}

void page_day(char out[PAGE_TIME_BYTES], int64_t at_ns)
{
	static const char *const days[] = { "Sunday",   "Monday", "Tuesday", "Wednesday",
		                            "Thursday", "Friday", "Saturday" };
	struct civil civil = civil_of(at_ns);

	snprintf(out, PAGE_TIME_BYTES, "%s %u %s %u", days[weekday(&civil)], civil.day,
	         months[civil.month - 1], civil.year);
}

void page_time(char out[PAGE_TIME_BYTES], int64_t at_ns, int64_t now_ns)
{
	struct civil civil = civil_of(at_ns), now = civil_of(now_ns);

	if (strcmp(civil.date, now.date) == 0)
		snprintf(out, PAGE_TIME_BYTES, "today %s", civil.clock);
	else if (civil.year == now.year)
		snprintf(out, PAGE_TIME_BYTES, "%u %s, %s", civil.day, months[civil.month - 1],
		         civil.clock);
	else
		snprintf(out, PAGE_TIME_BYTES, "%u %s %u, %s", civil.day, months[civil.month - 1],
		         civil.year, civil.clock);
}
