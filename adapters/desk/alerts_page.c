/*
 * The alerts: those that wait, with a button for each, those that were answered, and answers to
 * referrals that are overdue. One alert's page tells its story in the order it happened.
 *
 * Acknowledging is for anybody on duty, also for a case he may not see: he then knows whom to ring.
 */
#include "desk/pages.h"

#include <stdio.h>
#include <string.h>
#include "desk/alerts_told.h"
#include "desk/rows.h"
#include "store/alert.h"

#define WAITING_SHOWN  40 /* those that wait longest; the next come up as these are acknowledged */
#define ANSWERED_SHOWN 20
#define OVERDUE_SHOWN  100

static void add_raised(struct html *html, const struct alert *alert,
                       const struct web_request *request)
{
	html_raw(html, "<p class=\"govuk-body-s\">Raised ");
	row_time(html, alert->raised_ns, request->now_ns);
	if (alert->acknowledged_ns == 0) {
		struct sentence waited = { .length = 0 };

		alerts_add_span(&waited, request->now_ns - alert->raised_ns);
		html_add(html, ", waiting for <strong>%s</strong></p>", waited.bytes);
		return;
	}
	html_raw(html, ", acknowledged by ");
	row_text(html, alert->by);
	html_raw(html, " ");
	row_time(html, alert->acknowledged_ns, request->now_ns);
	html_raw(html, "</p>");
}

/* One alert of the list: what it says, whom it is about, since when, and its button. */
static void add_alert(struct html *html, const struct desk *desk,
                      const struct web_request *request, const struct alert *alert)
{
	const struct view_event *event = views_event(desk->views, alert->event);
	char id[TTG_UUID_TEXT], action[TTG_UUID_TEXT + 32];

	ttg_uuid_format(event->id, id);
	html_raw(html, "<li class=\"govuk-!-margin-bottom-6\">");
	html_add(html, "<h3 class=\"govuk-heading-s govuk-!-margin-bottom-1\" id=\"alert-%s\">", id);
	alerts_tell_person(html, desk, request, event);
	html_raw(html, "</h3><p class=\"govuk-body govuk-!-margin-bottom-1\">");
	alerts_tell(html, desk, request, alert);
	html_raw(html, "</p>");
	add_raised(html, alert, request);
	html_add(html,
	         "<p class=\"govuk-body-s\"><a class=\"govuk-link\" href=\"/alerts/%s\" "
	         "aria-describedby=\"alert-%s\">What happened</a></p>",
	         id, id);
	if (alert->acknowledged_ns == 0) {
		snprintf(action, sizeof(action), "/alerts/%s/acknowledge", id);
		page_form(html, request, action);
		html_add(html,
		         "<button type=\"submit\" class=\"govuk-button\" data-module=\"govuk-button\" "
		         "aria-describedby=\"alert-%s\">Acknowledge</button></form>",
		         id);
	}
	html_raw(html, "</li>");
}

/* The manager's eye falls first on what nobody answered in time. */
static bool is_first(const struct web_request *request, const struct alert *alert)
{
	return request->user != NULL && request->user->role == ROLE_MANAGER &&
	       alert->escalated_ns != 0;
}

static void add_waiting(struct html *html, const struct desk *desk,
                        const struct web_request *request)
{
	size_t waiting = alerts_waiting(desk->alerts);
	size_t shown = 0;

	html_add(html, "<h2 class=\"govuk-heading-m\">Waiting (%zu)</h2>", waiting);
	if (waiting == 0) {
		page_inset(html, "No alert is waiting.");
		return;
	}
	html_raw(html, "<ol class=\"govuk-list\">");
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < waiting && shown < WAITING_SHOWN; i++) {
			const struct alert *alert = alerts_at(desk->alerts, i);

			if (is_first(request, alert) != (pass == 0))
				continue;
			add_alert(html, desk, request, alert);
			shown++;
		}
	}
	html_raw(html, "</ol>");
	if (waiting > shown)
		html_add(html,
		         "<p class=\"govuk-body\">%zu more wait. They come up as these are "
		         "acknowledged.</p>",
		         waiting - shown);
}

static void add_answered(struct html *html, const struct desk *desk,
                         const struct web_request *request)
{
	size_t first = alerts_waiting(desk->alerts);
	size_t n = alerts_n(desk->alerts);

	html_raw(html, "<h2 class=\"govuk-heading-m\">Acknowledged</h2>");
	if (first == n) {
		page_inset(html, "No alert was acknowledged yet.");
		return;
	}
	html_raw(html, "<ol class=\"govuk-list\">");
	for (size_t i = first; i < n && i < first + ANSWERED_SHOWN; i++)
		add_alert(html, desk, request, alerts_at(desk->alerts, i));
	html_raw(html, "</ol>");
	if (n - first > ANSWERED_SHOWN)
		html_add(html, "<p class=\"govuk-body\">The newest %d of %zu are shown.</p>",
		         ANSWERED_SHOWN, n - first);
}

static bool is_overdue(const struct person_referral *referral, int64_t now_ns)
{
	return referral->answer_by_ns != 0 && referral->answer_by_ns < now_ns &&
	       (referral->state == REFERRAL_SENT || referral->state == REFERRAL_ACKNOWLEDGED);
}

static void add_overdue_row(struct html *html, const struct desk *desk,
                            const struct web_request *request, const struct person *person,
                            const struct person_referral *referral)
{
	struct sentence need = { .length = 0 }, late = { .length = 0 };

	words_add_enum(&need, &ttg__need_category__descriptor, referral->need);
	alerts_add_span(&late, request->now_ns - referral->answer_by_ns);
	html_raw(html, "<tr class=\"govuk-table__row\"><td class=\"govuk-table__cell\">");
	row_person_link(html, desk, request, person);
	html_raw(html, "</td>");
	page_cell(html, referral->provider);
	page_cell(html, need.bytes);
	html_raw(html, "<td class=\"govuk-table__cell\">");
	row_time(html, referral->answer_by_ns, request->now_ns);
	html_raw(html, "</td>");
	page_cell(html, late.bytes);
	html_raw(html, "</tr>");
}

static size_t add_overdue_of(struct html *html, const struct desk *desk,
                             const struct web_request *request, const struct person *person,
                             size_t shown)
{
	static const char *const heads[] = { "Person", "Who has to answer", "Need", "Answer by",
		                             "Late by" };

	for (size_t i = 0; i < person->n_referrals && shown < OVERDUE_SHOWN; i++) {
		if (!is_overdue(&person->referrals[i], request->now_ns))
			continue;
		if (shown++ == 0)
			page_table_begin(html, "Referrals that were not answered in time", heads, 5);
		add_overdue_row(html, desk, request, person, &person->referrals[i]);
	}
	return shown;
}

/* What a provider does with a case the user may not see is not listed either. */
static void add_overdue(struct html *html, const struct desk *desk,
                        const struct web_request *request)
{
	size_t shown = 0;

	html_raw(html, "<h2 class=\"govuk-heading-m\">Answers overdue</h2>");
	for (uint32_t i = 0; i < views_n_persons(desk->views) && shown < OVERDUE_SHOWN; i++) {
		const struct person *person = views_person(desk->views, i);

		if (views_is_alone(desk->views, i) && desk_may_see(request, person))
			shown = add_overdue_of(html, desk, request, person, shown);
	}
	if (shown == 0)
		page_inset(html, "Every referral was answered in time, or there is time left.");
	else
		page_table_end(html);
	if (shown == OVERDUE_SHOWN)
		html_raw(html, "<p class=\"govuk-body\">There may be more.</p>");
}

static void add_alerts(struct html *html, const struct desk *desk,
                       const struct web_request *request)
{
	html_raw(html, "<div id=\"alerts\" data-desk-alerts>");
	add_waiting(html, desk, request);
	add_answered(html, desk, request);
	html_raw(html, "</div>");
}

void page_alerts(void *user, const struct web_request *request, struct web_response *response)
{
	const struct desk *desk = user;
	struct html *html = &response->body;

	/* For the script of a page that is open: what was said to the user stays for his next page. */
	if (strcmp(web_field(request, "part"), "list") == 0) {
		add_alerts(html, desk, request);
		return;
	}
	page_begin(request, response, "Alerts", "Alerts", NULL);
	rows_warn_away(html, desk, request);
	html_raw(html,
	         "<p class=\"govuk-body\">Somebody on duty has to acknowledge each alert. What "
	         "nobody acknowledges in time goes to the manager.</p>"
	         "<p class=\"govuk-body\"><a class=\"govuk-link\" href=\"/alerts\">Refresh</a></p>");
	html_add(html,
	         "<div data-desk=\"alerts\" data-stream=\"/live/events?only=alerts\" "
	         "data-version=\"%u\"></div>",
	         alerts_version(desk->alerts));
	add_alerts(html, desk, request);
	add_overdue(html, desk, request);
	page_end(request, response);
}

/* The alert the address names; otherwise says that there is none. */
static const struct alert *find_alert(const struct desk *desk, const struct web_request *request,
                                      struct web_response *response)
{
	uint8_t id[TTG_UUID_BYTES];
	const struct alert *alert = NULL;
	uint32_t event;

	if (ttg_uuid_parse(request->parts[0], id) == TTG_OK) {
		event = views_find_event(desk->views, id);
		alert = event == VIEWS_NOBODY ? NULL : alerts_find(desk->alerts, event);
	}
	if (alert == NULL)
		web_refuse(request, response, 404, "There is no such alert.");
	return alert;
}

void page_alert(void *user, const struct web_request *request, struct web_response *response)
{
	const struct desk *desk = user;
	const struct alert *alert = find_alert(desk, request, response);
	struct html *html = &response->body;

	if (alert == NULL)
		return;
	page_begin(request, response, "Alert", NULL, NULL);
	rows_warn_away(html, desk, request);
	html_raw(html, "<h1 class=\"govuk-heading-l\">Alert: ");
	alerts_tell_person(html, desk, request, views_event(desk->views, alert->event));
	html_raw(html, "</h1><p class=\"govuk-body\">");
	alerts_tell(html, desk, request, alert);
	html_raw(html, "</p>");
	add_raised(html, alert, request);
	if (alert->acknowledged_ns == 0) {
		char id[TTG_UUID_TEXT], action[TTG_UUID_TEXT + 32];

		ttg_uuid_format(views_event(desk->views, alert->event)->id, id);
		snprintf(action, sizeof(action), "/alerts/%s/acknowledge", id);
		page_form(html, request, action);
		page_button(html, "Acknowledge");
		html_raw(html, "</form>");
	}
	if (row_may_see(desk, request, views_event(desk->views, alert->event)))
		alerts_tell_story(html, desk, request, alert);
	html_raw(html, "<p class=\"govuk-body\"><a class=\"govuk-link\" href=\"/alerts\">All "
	               "alerts</a></p>");
	page_end(request, response);
}

static void say_who(const struct web_request *request, const struct store_signature *signature)
{
	char at[PAGE_TIME_BYTES], text[STORE_USER_MAX + PAGE_TIME_BYTES + 64];

	page_time(at, signature->at_ns, request->now_ns);
	snprintf(text, sizeof(text), "%s has acknowledged this alert already, %s.", signature->by,
	         at);
	web_say(request, text);
}

void page_alert_acknowledge(void *user, const struct web_request *request,
                            struct web_response *response)
{
	struct desk *desk = user;
	const struct alert *alert = find_alert(desk, request, response);
	struct store_signature signature = { .by = "" };
	struct message message = { "" };
	enum ttg_error error;

	if (alert == NULL)
		return;
	error = store_acknowledge(desk->store, views_event(desk->views, alert->event)->id,
	                          request->user->user, request->now_ns, &signature, &message);
	if (error != TTG_OK && error != TTG_EEXIST) {
		log_write(desk->log, LOG_LEVEL_WARN, "not_acknowledged", "code=%d name=%s",
		          (int)error, ttg_error_name(error));
		web_refuse(request, response, 503,
		           "The alert could not be acknowledged: the case store does not answer. "
		           "It still waits. Try again in a moment, and ring if it is urgent.");
		return;
	}
	if (error == TTG_OK)
		web_say(request, "You have acknowledged the alert.");
	else if (strcmp(signature.by, request->user->user) == 0)
		web_say(request, "You had acknowledged this alert already.");
	else
		say_who(request, &signature);
	/* The next page shows it; what fails here is noticed by the next look at the store. */
	if (alerts_follow(desk->alerts, desk->views, desk->store, &message) == TTG_OK &&
	    request->web != NULL)
		web_wake(request->web);
	web_redirect(response, "/alerts");
}
