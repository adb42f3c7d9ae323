/* What police and probation tell of a person. Pure; see person.h. */
#include "desk/person_internal.h"

#include <string.h>

void person_take_arrest(struct person *person, const struct telling *telling)
{
	const Ttg__PoliceArrest *from = telling->event->police_arrest;

	/* Somebody must find out first whether it is him. */
	if (from->confidence == TTG__MATCH_CONFIDENCE__MATCH_CONFIDENCE_POSSIBLE)
		return;
	person->custody = CUSTODY_ARRESTED;
	person->custody_ns = person_when(telling, from->arrested_at);
}

/* Whether he walks out of the station; where it is not said, the decision tells. */
static bool lets_out(const Ttg__PoliceCustodyUpdate *from)
{
	switch ((int)from->disposition) {
	case TTG__DISPOSITION__DISPOSITION_BAILED:
	case TTG__DISPOSITION__DISPOSITION_RELEASED_UNDER_INVESTIGATION:
	case TTG__DISPOSITION__DISPOSITION_NO_FURTHER_ACTION:
	case TTG__DISPOSITION__DISPOSITION_CAUTIONED:
	case TTG__DISPOSITION__DISPOSITION_DEARRESTED:
	case TTG__DISPOSITION__DISPOSITION_MISMATCH:
		return true;
	default:
		return from->released_at != NULL;
	}
}

void person_take_custody_update(struct person *person, const struct telling *telling)
{
	const Ttg__PoliceCustodyUpdate *from = telling->event->police_custody_update;

	if (person->custody != CUSTODY_ARRESTED || !lets_out(from))
		return;
	person->custody = CUSTODY_OUT;
	person->custody_ns =
	        person_when(telling, from->released_at ? from->released_at : from->disposed_at);
}

static struct person_request *find_flag(struct person *person, const char *id)
{
	for (size_t i = person->n_flags; i > 0; i--)
		if (strcmp(person->flags[i - 1].id, id) == 0)
			return &person->flags[i - 1];
	return NULL;
}

void person_take_flag_requested(struct person *person, const struct telling *telling)
{
	const Ttg__ServiceFlagRequested *from = telling->event->service_flag_requested;
	struct person_request *to;

	if (person->n_flags == PERSON_REQUESTS_MAX) { /* the oldest goes */
		memmove(&person->flags[0], &person->flags[1],
		        (PERSON_REQUESTS_MAX - 1) * sizeof(person->flags[0]));
		person->n_flags--;
	}
	to = &person->flags[person->n_flags++];
	*to = (struct person_request){ .action = (int)from->action,
		                       .asked_ns = telling->happened_ns,
		                       .asked_event = telling->index,
		                       .answer_event = UINT32_MAX };
	TAKE_TEXT(to->id, from->request_id);
	TAKE_TEXT(to->reference, from->flag_reference);
	TAKE_TEXT(to->contact_number, from->contact_number);
	TAKE_TEXT(to->until, from->until_date);
}

void person_take_flag(struct person *person, const struct telling *telling)
{
	const Ttg__PolicePncFlag *from = telling->event->police_pnc_flag;
	struct person_request *request =
	        from->request_id[0] != '\0' ? find_flag(person, from->request_id) : NULL;

	if (request != NULL) {
		request->outcome = (int)from->outcome;
		request->done_ns = person_when(telling, from->done_at);
		request->answer_event = telling->index;
	}
	if (from->outcome == TTG__FLAG_OUTCOME__FLAG_OUTCOME_REFUSED)
		return; /* what was, stays */
	person->flag = (int)from->outcome;
	TAKE_TEXT(person->flag_reference, from->flag_reference);
	TAKE_TEXT(person->flag_until, from->until_date);
}

void person_take_iom(struct person *person, const struct telling *telling)
{
	const Ttg__PoliceIomStatus *from = telling->event->police_iom_status;

	person->iom_status = (int)from->status;
	person->iom_category = (int)from->category;
	TAKE_TEXT(person->iom_lead,
	          from->lead_name[0] != '\0' ? from->lead_name : from->lead_agency);
}

void person_take_case(struct person *person, const struct telling *telling)
{
	const Ttg__ProbationCase *from = telling->event->probation_case;

	person->supervised = from->status != TTG__CASE_STATUS__CASE_STATUS_CLOSED;
	if (from->manager != NULL)
		TAKE_TEXT(person->supervisor, from->manager->name);
}

void person_take_probation_contact(struct person *person, const struct telling *telling)
{
	const Ttg__ProbationContact *from = telling->event->probation_contact;

	if (from->limited_access)
		person->limited = true;
}

void person_take_risk(struct person *person, const struct telling *telling)
{
	const Ttg__Event *event = telling->event;
	int level = event->payload_case == TTG__EVENT__PAYLOAD_PRISON_RISK_INFORMATION
	                    ? (int)event->prison_risk_information->overall_level
	                    : (int)event->probation_risk_escalated->to_level;

	if (level != TTG__RISK_LEVEL__RISK_LEVEL_UNSPECIFIED)
		person->risk_level = level;
}
