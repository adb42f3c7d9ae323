/*
 * Nothing more about him may flow under a scheme, or under all of ours, from now on. It is asked
 * twice: a page in between says what will happen.
 */
#include "desk/act_internal.h"

#include <string.h>

#define EVERY "*"

const char *withdraw_why_not(const struct act *act)
{
	for (size_t i = 0; i < act->person->n_schemes; i++)
		if (!act->person->schemes[i].withdrawn)
			return NULL;
	return "There is no scheme to withdraw this person from.";
}

static void show_schemes(struct act *act, struct html *html)
{
	const struct page_control control = {
		.name = "scheme",
		.label = "From which scheme",
		.hint = "",
		.value = "",
		.errors = &act->errors,
	};
	struct page_choice choices[PERSON_SCHEMES_MAX + 1];
	const char *value = act_value(act, "scheme", EVERY);
	size_t n = 0;

	choices[n++] =
	        (struct page_choice){ EVERY, "Every scheme of ours", strcmp(value, EVERY) == 0 };
	for (size_t i = 0; i < act->person->n_schemes; i++) {
		const char *scheme = act->person->schemes[i].scheme;

		if (!act->person->schemes[i].withdrawn && scheme[0] != '\0')
			choices[n++] =
			        (struct page_choice){ scheme, scheme, strcmp(value, scheme) == 0 };
	}
	page_radios(html, &control, choices, n);
}

void withdraw_show(struct act *act, struct html *html)
{
	show_schemes(act, html);
	act_radios(act, html, "reason", "Why", "", &ttg__withdraw_reason__descriptor, 0);
	act_moment_input(act, html, "withdrawn", "When it was taken back", "",
	                 act->request->now_ns);
}

/* The scheme that was chosen; NULL: every one, or none of his. */
static const struct person_scheme *chosen_scheme(struct act *act)
{
	const char *typed = web_field(act->request, "scheme");

	if (strcmp(typed, EVERY) == 0)
		return NULL;
	for (size_t i = 0; i < act->person->n_schemes && typed[0] != '\0'; i++)
		if (strcmp(act->person->schemes[i].scheme, typed) == 0)
			return &act->person->schemes[i];
	act_wrong(act, "scheme", "From which scheme: choose one of those offered");
	return NULL;
}

void withdraw_fill(struct act *act, void *payload)
{
	Ttg__ServiceWithdrawn *to = payload;
	const struct person_scheme *scheme = chosen_scheme(act);
	int64_t withdrawn_ns;

	act_choice(act, to, "reason", "reason", "Why", ACT_REQUIRED);
	withdrawn_ns = act_moment(act, to, "withdrawn_at", "withdrawn", "When it was taken back",
	                          ACT_REQUIRED | ACT_PAST);
	if (withdrawn_ns != 0)
		act->occurred_ns = withdrawn_ns;
	if (scheme != NULL) {
		act_set(act, &to->scheme, "scheme", scheme->scheme);
		act_set(act, &to->cohort, "cohort", scheme->cohort);
	}
	act_set(act, &to->consent_version, "consent",
	        scheme != NULL ? scheme->consent_version : act_consent(act));
}

/* What was typed stays in the page, out of sight. The token is page_form()'s own. */
static void keep_fields(const struct act *act, struct html *html)
{
	static const char *const names[] = { "id",
		                             "scheme",
		                             "reason",
		                             "withdrawn",
		                             "withdrawn-day",
		                             "withdrawn-month",
		                             "withdrawn-year",
		                             "withdrawn-time" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		html_add(html, "<input type=\"hidden\" name=\"%s\" value=\"%s\">\n", names[i],
		         web_field(act->request, names[i]));
}

bool withdraw_ask(struct act *act, struct web_response *response)
{
	struct html *html = &response->body;

	if (strcmp(web_field(act->request, "sure"), "yes") == 0)
		return false;
	page_begin(act->request, response, "Withdraw: are you sure?",
	           "Are you sure you want to withdraw this person?", NULL);
	page_warning(html,
	             "As soon as this is sent, every route about this person closes at once: no "
	             "agency tells us anything any more, no alert comes at an arrest, and "
	             "what is still queued for us is not delivered.");
	html_raw(
	        html,
	        "<p class=\"govuk-body\">It cannot be undone from here. The person can be enrolled "
	        "again, with a new consent.</p>\n");
	page_form(html, act->request, act->request->path);
	keep_fields(act, html);
	page_button_of(html, "Withdraw now", "govuk-button--warning", "sure", "yes");
	html_raw(html, "</form>\n");
	html_add(html,
	         "<p class=\"govuk-body\"><a class=\"govuk-link\" href=\"/people/%u\">No, go "
	         "back</a></p>\n",
	         act->person->number);
	page_end(act->request, response);
	return true;
}
