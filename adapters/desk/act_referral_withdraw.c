/* Taking a referral of ours back, as long as it has not come to its end. */
#include "desk/act_internal.h"

#include <string.h>

/* The national service's codes (proto/referral.proto) and their wording. */
static const struct {
	const char *code, *label;
} reasons[] = {
	{ "MIS", "Mistaken or duplicate referral" },
	{ "NEE", "Needs met through another route" },
	{ "MOV", "Moved out of the service's area" },
	{ "WOR", "Work or caring responsibilities" },
	{ "USE", "Service user died" },
	{ "ACQ", "Acquitted on appeal" },
	{ "RET", "Returned to custody" },
	{ "SER", "Sentence revoked" },
	{ "SEE", "Sentence expired" },
	{ "ANO", "Another reason" },
};

#define REASONS (sizeof(reasons) / sizeof(reasons[0]))

static const struct person_referral *referral_of(const struct act *act)
{
	return person_find_referral(act->person, act->request->parts[1]);
}

static const char *why_not(const struct desk *desk, const struct person_referral *referral)
{
	if (referral == NULL || strcmp(referral->referrer, desk->settings.agency) != 0)
		return "There is no referral of ours under this number.";
	if (referral->state >= REFERRAL_ENDED)
		return "The referral has come to its end: there is nothing to take back.";
	return NULL;
}

const char *referral_withdraw_why_not(const struct act *act)
{
	return why_not(act->desk, referral_of(act));
}

bool act_may_withdraw(const struct desk *desk, const struct web_request *request,
                      const struct person *person, const struct person_referral *referral)
{
	return request->user != NULL &&
	       (act_forms[ACT_REFERRAL_WITHDRAW].roles & request->user->role) != 0 &&
	       desk->settings.spool_dir[0] != '\0' && desk_may_see(request, person) &&
	       why_not(desk, referral) == NULL;
}

void referral_withdraw_show(struct act *act, struct html *html)
{
	const struct person_referral *referral = referral_of(act);
	const struct page_control control = {
		.name = "reason",
		.label = "Why",
		.hint = "",
		.value = "",
		.errors = &act->errors,
	};
	struct page_choice choices[REASONS];

	page_summary_begin(html);
	page_summary_row(html, "Referral to", referral->provider);
	page_summary_row(html, "For", act_need_label(referral->need));
	page_summary_end(html);
	for (size_t i = 0; i < REASONS; i++)
		choices[i] = (struct page_choice){ reasons[i].code, reasons[i].label,
			                           strcmp(act_value(act, "reason", ""),
			                                  reasons[i].code) == 0 };
	page_radios(html, &control, choices, REASONS);
	act_moment_input(act, html, "withdrawn", "When it is taken back", "", act->request->now_ns);
	act_textarea(act, html, "text", "What the provider should know besides",
	             "At most 256 characters. No offence and no risk");
}

void referral_withdraw_fill(struct act *act, void *payload)
{
	Ttg__ReferralWithdrawn *to = payload;
	const struct person_referral *referral = referral_of(act);
	const char *typed = web_field(act->request, "reason");
	int64_t withdrawn_ns;

	for (size_t i = 0; i < REASONS; i++) {
		if (strcmp(typed, reasons[i].code) != 0)
			continue;
		act_set(act, &to->reason_code, "reason", reasons[i].code);
		act_set(act, &to->reason_description, "reason", reasons[i].label);
	}
	if (to->reason_code[0] == '\0')
		act_wrong(act, "reason", "Why: choose one");
	withdrawn_ns = act_moment(act, to, "withdrawn_at", "withdrawn", "When it is taken back",
	                          ACT_REQUIRED | ACT_PAST);
	if (withdrawn_ns != 0)
		act->occurred_ns = withdrawn_ns;
	act_text(act, to, "text", "text", "What the provider should know", ACT_LINES);
	if (referral == NULL)
		return;
	act_set(act, &to->referral_id, "referral", referral->id);
	act_set(act, &to->provider_agency, "provider", referral->provider);
	act_set(act, &to->referrer_agency, "referrer", act->desk->settings.agency);
}
