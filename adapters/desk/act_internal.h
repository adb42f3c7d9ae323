/* The forms' own functions, for the table in act_forms.c. See act.h for what each does. */
#ifndef DESK_ACT_INTERNAL_H
#define DESK_ACT_INTERNAL_H

#include "desk/act_field.h"

#define ACT_FORM(name)                                                                             \
	void name##_show(struct act *act, struct html *html);                                      \
	void name##_fill(struct act *act, void *payload)

ACT_FORM(enrol);
ACT_FORM(enrol_new);
ACT_FORM(contact);
ACT_FORM(needs);
ACT_FORM(gate_meeting);
ACT_FORM(exit);
ACT_FORM(return );
ACT_FORM(withdraw);
ACT_FORM(referral);
ACT_FORM(referral_withdraw);
ACT_FORM(flag);
ACT_FORM(access);

const char *enrol_why_not(const struct act *act);
const char *needs_why_not(const struct act *act);
const char *gate_meeting_why_not(const struct act *act);
const char *exit_why_not(const struct act *act);
const char *return_why_not(const struct act *act);
const char *withdraw_why_not(const struct act *act);
const char *referral_why_not(const struct act *act);
const char *referral_withdraw_why_not(const struct act *act);
const char *flag_why_not(const struct act *act);

bool withdraw_ask(struct act *act, struct web_response *response);

#endif
