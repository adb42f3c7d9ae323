/* Which path leads to which page, who may go there, and the menu. Constant. */
#include "desk/pages.h"

#define FORM(word, page)                                                                           \
	{ "GET", "/people/:/" word, ROLES_STAFF, page, NULL },                                     \
	{                                                                                          \
		"POST", "/people/:/" word, ROLES_STAFF, page##_send, NULL                          \
	}

const char *const desk_role_words[] = { "duty", "caseworker", "manager", "evaluator", NULL };

static const struct web_route routes[] = {
	{ "GET", "/live", ROLES_STAFF, page_live, NULL },
	{ "GET", "/live/events", ROLES_STAFF, NULL, stream_live },
	{ "GET", "/alerts", ROLES_STAFF, page_alerts, NULL },
	{ "GET", "/alerts/:", ROLES_STAFF, page_alert, NULL },
	{ "POST", "/alerts/:/acknowledge", ROLES_STAFF, page_alert_acknowledge, NULL },
	{ "GET", "/diary", ROLES_STAFF, page_diary, NULL },
	{ "GET", "/diary/print", ROLES_STAFF, page_diary_print, NULL },
	{ "GET", "/diary.ics", ROLES_STAFF, page_diary_calendar, NULL },
	{ "GET", "/diary/feed/:", WEB_ANYBODY, page_diary_feed, NULL },
	{ "POST", "/diary/feed", ROLES_STAFF, page_diary_feed_make, NULL },
	{ "GET", "/boards", ROLES_STAFF, page_boards, NULL },
	{ "GET", "/people", ROLES_STAFF, page_people, NULL },
	{ "GET", "/people/new", ROLES_STAFF, page_enrol_new, NULL },
	{ "POST", "/people/new", ROLES_STAFF, page_enrol_new_send, NULL },
	{ "GET", "/people/:", ROLES_STAFF, page_person, NULL },
	FORM("enrol", page_enrol),
	FORM("contact", page_contact),
	FORM("needs", page_needs),
	FORM("gate-meeting", page_gate_meeting),
	FORM("exit", page_exit),
	FORM("return", page_return),
	FORM("withdraw", page_withdraw),
	FORM("referral", page_referral),
	FORM("flag", page_flag),
	FORM("referrals/:/withdraw", page_referral_withdraw),
	{ "GET", "/access", ROLES_STAFF, page_access, NULL },
	{ "POST", "/access", ROLES_STAFF, page_access_send, NULL },
	{ "GET", "/sent", ROLES_STAFF, page_sent, NULL },
	{ "GET", "/sent/:", ROLES_STAFF, page_sent_one, NULL },
	{ "GET", "/figures", ROLES_ALL, page_figures, NULL },
	{ "GET", "/figures/:", ROLES_ALL, page_figures, NULL },
	{ "GET", "/figures/:/csv", ROLES_ALL, page_figures_csv, NULL },
	{ "GET", "/figures/:/plot.svg", ROLES_ALL, page_figures_plot, NULL },
};

static unsigned waiting_alerts(void *desk, const struct web_request *request)
{
	(void)request;
	return (unsigned)alerts_waiting(((const struct desk *)desk)->alerts);
}

static const struct web_link menu[] = {
	{ "/live", "Live", ROLES_STAFF, NULL },
	{ "/alerts", "Alerts", ROLES_STAFF, waiting_alerts },
	{ "/diary", "Gate diary", ROLES_STAFF, NULL },
	{ "/boards", "Boards", ROLES_STAFF, NULL },
	{ "/people", "People", ROLES_STAFF, NULL },
	{ "/sent", "Sent", ROLES_STAFF, NULL },
	{ "/figures", "Figures", ROLES_ALL, NULL },
};

const struct web_site desk_site = {
	.name = "Duty desk",
	.role_words = desk_role_words,
	.routes = routes,
	.n_routes = sizeof(routes) / sizeof(routes[0]),
	.script = "desk.js",
	.menu = menu,
	.n_menu = sizeof(menu) / sizeof(menu[0]),
};
