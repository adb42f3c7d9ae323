/* The inbox's site, and its lists: new, open, done. See inbox.h. */
#include "partner/inbox.h"

#include <stdlib.h>
#include <string.h>
#include "partner/words.h"
#include "web/page.h"

#define PAGE_ROWS 50

enum list { LIST_NEW, LIST_OPEN, LIST_DONE };

static const struct {
	const char *path, *title, *empty;
} lists[] = {
	[LIST_NEW] = { "/new", "New referrals", "Nothing waits for an answer." },
	[LIST_OPEN] = { "/open", "Open referrals", "No referral is open." },
	[LIST_DONE] = { "/done", "Done", "No referral is over yet." },
};

static enum list list_of(const struct referral *referral)
{
	if (referral_is_new(referral->state))
		return LIST_NEW;
	return referral_is_open(referral->state) ? LIST_OPEN : LIST_DONE;
}

static bool is_in(const struct partner *partner, const struct referral *referral, enum list list)
{
	return referral_is_ours(partner->referrals, referral) && list_of(referral) == list;
}

static unsigned count_list(const struct partner *partner, enum list list)
{
	unsigned n = 0;
	const struct referral *referral;

	for (size_t i = 0; (referral = caseload_at(partner->referrals, i)) != NULL; i++)
		n += is_in(partner, referral, list);
	return n;
}

static unsigned count_new(void *user, const struct web_request *request)
{
	(void)request;
	return count_list(user, LIST_NEW);
}

struct web_site inbox_site(struct partner *partner)
{
	static const char *const roles[] = { "staff", NULL };
	static const struct web_route routes[] = {
		{ "GET", "/new", INBOX_STAFF, .serve = inbox_show_list },
		{ "GET", "/open", INBOX_STAFF, .serve = inbox_show_list },
		{ "GET", "/done", INBOX_STAFF, .serve = inbox_show_list },
		{ "GET", "/referral/:/:", INBOX_STAFF, .serve = inbox_show_referral },
		{ "GET", "/referral/:/:/:", INBOX_STAFF, .serve = inbox_show_form },
		{ "POST", "/referral/:/:/:", INBOX_STAFF, .serve = inbox_take_form },
	};
	static const struct web_link menu[] = {
		{ "/new", "New", INBOX_STAFF, count_new },
		{ "/open", "Open", INBOX_STAFF, NULL },
		{ "/done", "Done", INBOX_STAFF, NULL },
	};

	return (struct web_site){ .name = "Referrals",
		                  .role_words = roles,
		                  .routes = routes,
		                  .n_routes = sizeof(routes) / sizeof(*routes),
		                  .menu = menu,
		                  .n_menu = sizeof(menu) / sizeof(*menu),
		                  .user = partner };
}

const struct referral *inbox_find(const struct partner *partner, const struct web_request *request,
                                  struct web_response *response)
{
	const struct referral *referral =
	        caseload_find(partner->referrals, request->parts[0], request->parts[1]);

	if (referral == NULL)
		web_refuse(request, response, 404, "There is no such referral here.");
	return referral;
}

bool inbox_offers(const struct partner *partner, const struct action *action,
                  const struct referral *referral)
{
	if (!partner->settings->web_results && strcmp(action->type, "partner.outcome") == 0)
		return false;
	return action_is_possible(action, referral);
}

struct html inbox_path(const struct referral *referral, const char *verb)
{
	struct html path = { .bytes = NULL };

	html_raw(&path, "/referral/");
	html_url(&path, referral->referrer);
	html_raw(&path, "/");
	html_url(&path, referral->id);
	if (verb != NULL) {
		html_raw(&path, "/");
		html_url(&path, verb);
	}
	if (path.failed || path.bytes == NULL) { /* no memory: a page that is there */
		html_fini(&path);
		html_raw(&path, "/new");
	}
	return path;
}

void inbox_put_state(struct html *html, const struct referral *referral, int64_t now_ns)
{
	static const char *const colours[REFERRAL_STATES] = {
		"grey", "blue", "purple", "green", "green", "green", "grey", "grey", "grey",
	};

	page_tag(html, colours[referral->state], referral_state_name(referral->state));
	if (referral_is_overdue(referral, now_ns)) {
		html_raw(html, " ");
		page_tag(html, "red", "overdue");
	}
}

static void put_answer_by(struct html *html, const struct referral *referral, int64_t now_ns)
{
	const Ttg__Time *by =
	        referral->sent == NULL ? NULL : referral->sent->event->referral_sent->answer_by_at;
	char text[PAGE_TIME_BYTES] = "";

	if (by != NULL)
		page_time(text, by->unix_ns, now_ns);
	page_cell(html, text);
}

static void put_row(struct html *html, const struct referral *referral, int64_t now_ns)
{
	struct html path = inbox_path(referral, NULL);
	char number[WORDS_BYTES];
	char need[WORDS_BYTES] = "";
	char came[PAGE_TIME_BYTES] = "";

	words_case_number(referral, number);
	if (referral->sent != NULL) {
		words_of(&ttg__need_category__descriptor,
		         (int)referral->sent->event->referral_sent->need, need);
		page_time(came, referral->sent->at_ns, now_ns);
	}
	html_raw(html, "<tr class=\"govuk-table__row\">\n");
	html_add(html,
	         "<td class=\"govuk-table__cell\"><a class=\"govuk-link\" href=\"%s\">%s</a></td>\n",
	         path.bytes, referral->id);
	page_cell(html, number);
	page_cell(html, need);
	page_cell(html, referral->referrer);
	page_cell(html, came);
	put_answer_by(html, referral, now_ns);
	html_raw(html, "<td class=\"govuk-table__cell\">");
	inbox_put_state(html, referral, now_ns);
	html_raw(html, "</td>\n</tr>\n");
	html_fini(&path);
}

static enum list list_at(const char *path)
{
	enum list list = LIST_NEW;

	while (list < LIST_DONE && strcmp(lists[list].path, path) != 0)
		list++;
	return list;
}

static void put_links(struct html *html, const char *path, size_t first, size_t n)
{
	const size_t page = first / PAGE_ROWS + 1;
	struct html newer = { .bytes = NULL };
	struct html older = { .bytes = NULL };

	html_add(&newer, "%s?page=%zu", path, page - 1);
	html_add(&older, "%s?page=%zu", path, page + 1);
	page_pagination(html, page > 1 ? newer.bytes : NULL,
	                first + PAGE_ROWS < n ? older.bytes : NULL);
	html_fini(&newer);
	html_fini(&older);
}

/* The newest first, but what waits in the order it came. */
static void put_rows(struct html *html, const struct partner *partner, enum list list, size_t first,
                     int64_t now_ns)
{
	const size_t all = caseload_count(partner->referrals);
	size_t seen = 0;

	for (size_t i = 0; i < all; i++) {
		const struct referral *referral =
		        caseload_at(partner->referrals, list == LIST_NEW ? i : all - 1 - i);

		if (!is_in(partner, referral, list))
			continue;
		if (seen >= first && seen < first + PAGE_ROWS)
			put_row(html, referral, now_ns);
		seen++;
	}
}

void inbox_show_list(void *user, const struct web_request *request, struct web_response *response)
{
	static const char *const heads[] = { "Referral", "Case",      "Need", "From",
		                             "Came",     "Answer by", "State" };
	const struct partner *partner = user;
	const enum list list = list_at(request->path);
	const size_t n = count_list(partner, list);
	const unsigned long page = strtoul(web_field(request, "page"), NULL, 10);
	const size_t first = page > 1 && page < 100000 ? (page - 1) * PAGE_ROWS : 0;
	struct html *html = &response->body;

	page_begin(request, response, lists[list].title, lists[list].title, NULL);
	if (n == 0) {
		page_inset(html, lists[list].empty);
	} else {
		page_table_begin(html, lists[list].title, heads, sizeof(heads) / sizeof(*heads));
		put_rows(html, partner, list, first, request->now_ns);
		page_table_end(html);
		put_links(html, lists[list].path, first, n);
	}
	page_end(request, response);
}
