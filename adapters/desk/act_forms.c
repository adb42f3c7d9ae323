/*
 * Every form: who may, the event it becomes, its words. Here and nowhere else; docs/operations.md
 * has the same table for people.
 */
#include "desk/act_internal.h"

#define WORKERS (ROLE_CASEWORKER | ROLE_MANAGER)

const struct act_form act_forms[ACT_FORMS] = {
	[ACT_ENROL] = { "enrol", "service.enrolled", "Enrol, or change the caseworker", "Send",
	                "The enrolment was sent.", WORKERS, false, enrol_why_not, enrol_show,
	                enrol_fill, NULL },
	[ACT_ENROL_NEW] = { "new", "service.enrolled", "Enrol somebody new", "Send",
	                    "The enrolment was sent.", WORKERS, true, NULL, enrol_new_show,
	                    enrol_new_fill, NULL },
	[ACT_CONTACT] = { "contact", "service.contact", "Record a contact", "Send",
	                  "The contact was sent.", ROLES_STAFF, false, NULL, contact_show,
	                  contact_fill, NULL },
	[ACT_NEEDS] = { "needs", "service.needs_assessed", "Assess needs", "Send",
	                "The assessment was sent.", WORKERS, false, needs_why_not, needs_show,
	                needs_fill, NULL },
	[ACT_GATE_MEETING] = { "gate-meeting", "service.gate_meeting", "Record the gate meeting",
	                       "Send", "The gate meeting was sent.", ROLES_STAFF, false,
	                       gate_meeting_why_not, gate_meeting_show, gate_meeting_fill, NULL },
	[ACT_EXIT] = { "exit", "service.exited", "End support", "Send", "The exit was sent.",
	               WORKERS, false, exit_why_not, exit_show, exit_fill, NULL },
	[ACT_RETURN] = { "return", "service.reengaged", "Record a return", "Send",
	                 "The return was sent.", WORKERS, false, return_why_not, return_show,
	                 return_fill, NULL },
	[ACT_WITHDRAW] = { "withdraw", "service.withdrawn", "Withdraw from the scheme", "Continue",
	                   "The withdrawal was sent.", WORKERS, false, withdraw_why_not,
	                   withdraw_show, withdraw_fill, withdraw_ask },
	[ACT_REFERRAL] = { "referral", "referral.sent", "Make a referral", "Send",
	                   "The referral was sent.", WORKERS, false, referral_why_not,
	                   referral_show, referral_fill, NULL },
	[ACT_REFERRAL_WITHDRAW] = { "withdraw", "referral.withdrawn", "Take the referral back",
	                            "Send", "The referral was taken back.", WORKERS, false,
	                            referral_withdraw_why_not, referral_withdraw_show,
	                            referral_withdraw_fill, NULL },
	[ACT_FLAG] = { "flag", "service.flag_requested", "Ask the police for a flag", "Send",
	               "The request was sent.", ROLES_STAFF, false, flag_why_not, flag_show,
	               flag_fill, NULL },
	[ACT_ACCESS] = { "access", "service.access_requested", "Ask for access to the prison",
	                 "Send", "The request was sent.", WORKERS, true, NULL, access_show,
	                 access_fill, NULL },
};

#define FORM_PAGE(page, what)                                                                      \
	PAGE(page)                                                                                 \
	{                                                                                          \
		act_show(desk, request, response, what);                                           \
	}                                                                                          \
	PAGE(page##_send)                                                                          \
	{                                                                                          \
		act_take(desk, request, response, what);                                           \
	}

FORM_PAGE(page_enrol, ACT_ENROL)
FORM_PAGE(page_enrol_new, ACT_ENROL_NEW)
FORM_PAGE(page_contact, ACT_CONTACT)
FORM_PAGE(page_needs, ACT_NEEDS)
FORM_PAGE(page_gate_meeting, ACT_GATE_MEETING)
FORM_PAGE(page_exit, ACT_EXIT)
FORM_PAGE(page_return, ACT_RETURN)
FORM_PAGE(page_withdraw, ACT_WITHDRAW)
FORM_PAGE(page_referral, ACT_REFERRAL)
FORM_PAGE(page_referral_withdraw, ACT_REFERRAL_WITHDRAW)
FORM_PAGE(page_flag, ACT_FLAG)
FORM_PAGE(page_access, ACT_ACCESS)
