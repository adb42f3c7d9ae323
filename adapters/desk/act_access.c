/* Asking the prison to let a worker or volunteer in. About staff, never about a prisoner. */
#include "desk/act_internal.h"

#include <string.h>
#include "base/instant.h"

void access_show(struct act *act, struct html *html)
{
	char today[DATE_BYTES], clock[CLOCK_BYTES];

	instant_to_civil(act->request->now_ns, today, clock);
	act_input(act, html, "name", "Who wants to come in", "Name at work", "", 30);
	act_input(act, html, "role", "Role", "For example, volunteer", "", 20);
	act_input(act, html, "telephone", "Telephone at work", "", "", 20);
	act_input(act, html, "agency", "Agency", "Whom they work for", act->desk->settings.agency,
	          20);
	act_input(act, html, "prison_code", "Prison", "Its code, for example PBI",
	          act->desk->settings.prison_code, 10);
	act_select(act, html, "purpose", "What for", "", &ttg__access_purpose__descriptor, 0);
	act_date_input(act, html, "from", "First day", "", today);
	act_date_input(act, html, "until", "Last day", "", "");
	act_textarea(act, html, "note", "Why", "At most 512 characters. No prisoner by name");
	act_input(act, html, "vetting_reference", "Clearance", "As the prison knows it", "", 20);
	act_date_input(act, html, "vetting_until", "Last day of the clearance", "", "");
	act_checkbox(act, html, "keys", "They ask to draw keys", false);
}

void access_fill(struct act *act, void *payload)
{
	Ttg__ServiceAccessRequested *to = payload;
	Ttg__Worker *applicant = act_part(act, &to->applicant, &ttg__worker__descriptor);

	act_text(act, applicant, "name", "name", "Who wants to come in", ACT_REQUIRED);
	act_text(act, applicant, "role", "role", "Role", 0);
	act_text(act, applicant, "telephone", "telephone", "Telephone", 0);
	act_text(act, to, "applicant_agency", "agency", "Agency", ACT_REQUIRED);
	act_text(act, to, "prison_code", "prison_code", "Prison", ACT_REQUIRED);
	act_choice(act, to, "purpose", "purpose", "What for", ACT_REQUIRED);
	act_date(act, to, "from_date", "from", "First day", ACT_REQUIRED | ACT_FUTURE);
	act_date(act, to, "until_date", "until", "Last day", ACT_REQUIRED | ACT_FUTURE);
	if (to->from_date[0] != '\0' && to->until_date[0] != '\0' &&
	    strcmp(to->until_date, to->from_date) < 0)
		act_wrong(act, "until-day", "Last day cannot be before the first");
	act_text(act, to, "note", "note", "Why", ACT_LINES);
	act_text(act, to, "vetting_reference", "vetting_reference", "Clearance", 0);
	act_date(act, to, "vetting_until_date", "vetting_until", "Last day of the clearance",
	         ACT_FUTURE);
	to->keys_wanted = act_ticked(act, "keys", false);
	act_set(act, &to->request_id, "request", act->id_text);
}
