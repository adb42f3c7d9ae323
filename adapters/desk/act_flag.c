/* Asking the police to mark his record, so that whoever looks him up rings us; to lift, to renew.
 */
#include "desk/act_internal.h"

#include <string.h>

static bool is_placed(const struct act *act)
{
	return act->person->flag == (int)TTG__FLAG_OUTCOME__FLAG_OUTCOME_PLACED;
}

const char *flag_why_not(const struct act *act)
{
	if (!is_placed(act) && !person_is_enrolled(act->person, act->request->now_ns))
		return "This person is not enrolled and has no flag: none can be asked for.";
	return NULL;
}

static bool is_unanswered(const struct act *act)
{
	const size_t n = act->person->n_flags;

	return n > 0 && act->person->flags[n - 1].outcome == 0;
}

static void show_actions(struct act *act, struct html *html)
{
	const struct page_control control = {
		.name = "action",
		.label = "What you ask for",
		.hint = "",
		.value = "",
		.errors = &act->errors,
	};
	static const char *const labels[] = { "Place a flag", "Lift the flag", "Renew the flag" };
	static const char *const values[] = { "1", "2", "3" }; /* Ttg__FlagAction */
	const char *value = act_value(act, "action", is_placed(act) ? "" : "1");
	struct page_choice choices[3];
	size_t n = 0;

	for (size_t i = 0; i < 3; i++)
		if (is_placed(act) == (i > 0))
			choices[n++] = (struct page_choice){ values[i], labels[i],
				                             strcmp(value, values[i]) == 0 };
	page_radios(html, &control, choices, n);
}

void flag_show(struct act *act, struct html *html)
{
	if (is_unanswered(act))
		page_inset(html, "The police have not answered the last request yet.");
	show_actions(act, html);
	if (is_placed(act))
		act_input(act, html, "flag_reference", "What the police call the flag", "",
		          act->person->flag_reference, 20);
	act_input(act, html, "contact_number", "Telephone to show",
	          "It must be answered day and night", act->desk->settings.contact_number, 20);
	act_date_input(act, html, "until", "Last day the flag should stand", "",
	               act->person->flag_until);
	act_input(act, html, "police_agency", "Police force", "", act->desk->settings.police_agency,
	          30);
	act_input(act, html, "consent_version", "Version of the consent that allows the flag", "",
	          act_consent(act), 20);
}

/* Placing where there is none; lifting and renewing where there is one. */
static void read_action(struct act *act, Ttg__ServiceFlagRequested *to)
{
	act_choice(act, to, "action", "action", "What you ask for", ACT_REQUIRED);
	if (to->action == TTG__FLAG_ACTION__FLAG_ACTION_UNSPECIFIED || act->again)
		return;
	if ((to->action == TTG__FLAG_ACTION__FLAG_ACTION_PLACE) == is_placed(act))
		act_wrong(act, "action", "What you ask for: choose one of those offered");
}

void flag_fill(struct act *act, void *payload)
{
	Ttg__ServiceFlagRequested *to = payload;
	unsigned needed;

	read_action(act, to);
	needed = to->action == TTG__FLAG_ACTION__FLAG_ACTION_LIFT ? 0 : ACT_REQUIRED;
	if (to->action != TTG__FLAG_ACTION__FLAG_ACTION_PLACE)
		act_text(act, to, "flag_reference", "flag_reference",
		         "What the police call the flag", ACT_REQUIRED);
	act_text(act, to, "contact_number", "contact_number", "Telephone", needed);
	act_date(act, to, "until_date", "until", "Last day", needed == 0 ? 0 : needed | ACT_FUTURE);
	act_text(act, to, "police_agency", "police_agency", "Police force", ACT_REQUIRED);
	act_text(act, to, "consent_version", "consent_version", "Version of the consent",
	         ACT_REQUIRED);
	act_set(act, &to->request_id, "request", act->id_text);
	act_set(act, &to->scheme, "scheme", act_scheme(act));
	act_worker(act, &to->requested_by);
}
