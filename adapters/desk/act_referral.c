/* Asking a provider to take him on. No offence and no risk may be in it. */
#include "desk/act_internal.h"

#include <string.h>
#include "base/instant.h"

#define NS_PER_DAY  INT64_C(86400000000000)
#define ANSWER_DAYS 5

const char *referral_why_not(const struct act *act)
{
	if (!person_is_enrolled(act->person, act->request->now_ns))
		return "This person is not enrolled: without it no provider may be told anything.";
	if (act->desk->settings.providers.n == 0)
		return "This desk has no providers to refer to: they stand in its configuration.";
	return NULL;
}

static void show_providers(struct act *act, struct html *html)
{
	const struct config_list *providers = &act->desk->settings.providers;
	const struct page_control control = {
		.name = "provider",
		.label = "Provider",
		.hint = "",
		.value = "",
		.errors = &act->errors,
	};
	struct page_choice choices[CONFIG_LIST_MAX + 1];
	const char *value = act_value(act, "provider", "");

	choices[0] = (struct page_choice){ "", "Choose", false };
	for (size_t i = 0; i < providers->n; i++)
		choices[i + 1] = (struct page_choice){ providers->items[i], providers->items[i],
			                               strcmp(value, providers->items[i]) == 0 };
	page_select(html, &control, choices, providers->n + 1);
}

static void show_contact(struct act *act, struct html *html)
{
	html_raw(html, "<h2 class=\"govuk-heading-m\">How to reach them</h2>\n");
	act_input(act, html, "display_name", "What to call them",
	          "Only for a provider that holds no number of theirs", "", 30);
	act_input(act, html, "telephone", "Their telephone", "", "", 20);
	act_input(act, html, "other_telephone", "Another telephone",
	          "Of a relative or a hostel, with consent", "", 20);
	act_input(act, html, "email", "Their e-mail", "", "", 30);
	act_input(act, html, "best_time", "When to ring", "For example, Tuesday after 14:00", "",
	          30);
	act_radios(act, html, "safe", "May a message be left on these numbers?", "",
	           &ttg__answer__descriptor, 0);
	act_input(act, html, "language_code", "Language",
	          "Its two letters if it is not English, for example pl", "", 5);
	act_checkbox(act, html, "interpreter", "An interpreter is needed", false);
	act_input(act, html, "access_needs", "What they need to take part",
	          "At most 256 characters, for example a ground floor", "", 0);
}

static int64_t offered_answer_by(const struct act *act)
{
	char date[11], clock[6];
	int64_t ns;

	instant_to_civil(act->request->now_ns + ANSWER_DAYS * NS_PER_DAY, date, clock);
	return instant_from_civil(date, "12:00", &ns) == TTG_OK ? ns : 0;
}

void referral_show(struct act *act, struct html *html)
{
	show_providers(act, html);
	act_select(act, html, "need", "What it is for", "", &ttg__need_category__descriptor, 0);
	act_textarea(act, html, "ask", "What you ask for",
	             "At most 512 characters. No offence and no risk: the provider may not know "
	             "them");
	act_moment_input(act, html, "answer_by", "Answer by", "Leave empty for no limit",
	                 offered_answer_by(act));
	act_date_input(act, html, "wanted_by", "Help wanted by", "Leave empty: as soon as possible",
	               "");
	act_radios(act, html, "setting", "Where the work should begin", "",
	           &ttg__setting__descriptor,
	           act->person->custody == CUSTODY_INSIDE ? TTG__SETTING__SETTING_PRISON
	                                                  : TTG__SETTING__SETTING_COMMUNITY);
	act_date_input(act, html, "release", "Release", "Only if the provider must know it", "");
	act_input(act, html, "area", "Local authority", "Only if the provider must know it", "", 30);
	act_input(act, html, "consent_version", "Version of the consent to being referred", "",
	          act_consent(act), 20);
	show_contact(act, html);
}

static bool has_contact(const struct act *act)
{
	static const char *const names[] = { "display_name",  "telephone",  "other_telephone",
		                             "email",         "best_time",  "safe",
		                             "language_code", "interpreter" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (web_field(act->request, names[i])[0] != '\0')
			return true;
	return false;
}

static void read_contact(struct act *act, Ttg__ReferralSent *to)
{
	Ttg__ContactDetails *contact;

	if (!has_contact(act))
		return;
	contact = act_part(act, &to->contact, &ttg__contact_details__descriptor);
	if (contact == NULL)
		return;
	act_text(act, contact, "display_name", "display_name", "What to call them", 0);
	act_text(act, contact, "telephone", "telephone", "Their telephone", 0);
	act_text(act, contact, "other_telephone", "other_telephone", "Another telephone", 0);
	act_text(act, contact, "email", "email", "Their e-mail", 0);
	act_text(act, contact, "best_time", "best_time", "When to ring", 0);
	act_choice(act, contact, "safe_to_leave_message", "safe", "May a message be left", 0);
	act_text(act, contact, "language_code", "language_code", "Language", 0);
	contact->interpreter_needed = act_ticked(act, "interpreter", false);
}

static void read_provider(struct act *act, Ttg__ReferralSent *to)
{
	const struct config_list *providers = &act->desk->settings.providers;
	const char *typed = web_field(act->request, "provider");

	for (size_t i = 0; i < providers->n; i++)
		if (strcmp(providers->items[i], typed) == 0)
			act_text(act, to, "provider_agency", "provider", "Provider", 0);
	if (to->provider_agency[0] == '\0')
		act_wrong(act, "provider", "Provider: choose one of those offered");
}

void referral_fill(struct act *act, void *payload)
{
	Ttg__ReferralSent *to = payload;

	read_provider(act, to);
	act_choice(act, to, "need", "need", "What it is for", ACT_REQUIRED);
	act_text(act, to, "ask", "ask", "What you ask for", ACT_REQUIRED | ACT_LINES);
	act_moment(act, to, "answer_by_at", "answer_by", "Answer by", ACT_FUTURE);
	act_date(act, to, "wanted_by_date", "wanted_by", "Help wanted by", ACT_FUTURE);
	act_choice(act, to, "setting", "setting", "Where the work should begin", ACT_REQUIRED);
	if (to->setting == TTG__SETTING__SETTING_PRISON)
		act_set(act, &to->prison_code, "prison", act_prison(act));
	act_date(act, to, "release_date", "release", "Release", 0);
	act_text(act, to, "area", "area", "Local authority", 0);
	act_text(act, to, "consent_version", "consent_version", "Version of the consent",
	         ACT_REQUIRED);
	read_contact(act, to);
	act_text(act, to, "access_needs", "access_needs", "What they need to take part", 0);
	act_set(act, &to->referral_id, "referral", act->id_text);
	act_set(act, &to->referrer_agency, "referrer", act->desk->settings.agency);
	act_worker(act, &to->referrer);
	act_set(act, &to->scheme, "scheme", act_scheme(act));
}
