/* Sentences for what probation tells. Pure; see phrase.h. */
#include "oneservice/phrase.h"

/* "planned office visit (COAP)": the wording, or the code alone when there is none. */
static void add_coded(struct sentence *out, const char *before, const char *description,
                      const char *code)
{
	if (description[0])
		sentence_add(out, "%s%s", before, description);
	else
		words_add_if(out, before, code);
	if (description[0] && code[0])
		sentence_add(out, " (%s)", code);
}

static void case_status(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__ProbationCase *it = event->probation_case;

	sentence_add(out, "probation case ");
	words_add_enum(out, &ttg__case_status__descriptor, (int)it->status);
	if (it->manager)
		words_add_if(out, ": ", it->manager->name);
	words_add_if(out, ", since ", it->from_date);
	words_add_if(out, ", reports to ", it->office);
}

static void contact(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__ProbationContact *it = event->probation_contact;

	sentence_add(out, "probation");
	add_coded(out, ": ", it->type_description, it->type_code);
	if (it->contact_at)
		words_add_time(out, ", ", it->contact_at);
	else
		words_add_if(out, ", ", it->contact_date);
	add_coded(out, ", ", it->outcome_description, it->outcome_code);
	add_coded(out, ", then ", it->enforcement_description, it->enforcement_code);
}

static void risk_escalated(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__ProbationRiskEscalated *it = event->probation_risk_escalated;

	sentence_add(out, "RISK now ");
	words_add_enum(out, &ttg__risk_level__descriptor, (int)it->to_level);
	if (words_enum_known(&ttg__risk_level__descriptor, (int)it->from_level)) {
		sentence_add(out, ", was ");
		words_add_enum(out, &ttg__risk_level__descriptor, (int)it->from_level);
	}
	words_add_if(out, "; ring ", it->call_back_number);
}

static void breach(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__ProbationBreach *it = event->probation_breach;

	sentence_add(out, "breach: ");
	words_add_enum(out, &ttg__breach_stage__descriptor, (int)it->stage);
	if (it->hearing_date[0]) {
		sentence_add(out, ", hearing");
		words_add_day(out, it->hearing_date, it->hearing_clock);
	}
}

static void recall(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__ProbationRecall *it = event->probation_recall;

	sentence_add(out, "recall to prison: ");
	words_add_enum(out, &ttg__recall_stage__descriptor, (int)it->stage);
	if (it->length_days > 0)
		sentence_add(out, ", %u days", it->length_days);
}

static void registration(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__ProbationRegistration *it = event->probation_registration;

	sentence_add(out, "probation register");
	add_coded(out, ": ", it->register_description, it->register_code);
	sentence_add(out, " ");
	words_add_enum(out, &ttg__registration_action__descriptor, (int)it->action);
	add_coded(out, ", level ", it->level_description, it->level_code);
	add_coded(out, ", category ", it->category_description, it->category_code);
}

const struct phrase phrases_probation[] = {
	{ TTG__EVENT__PAYLOAD_PROBATION_CASE, case_status },
	{ TTG__EVENT__PAYLOAD_PROBATION_CONTACT, contact },
	{ TTG__EVENT__PAYLOAD_PROBATION_RISK_ESCALATED, risk_escalated },
	{ TTG__EVENT__PAYLOAD_PROBATION_BREACH, breach },
	{ TTG__EVENT__PAYLOAD_PROBATION_RECALL, recall },
	{ TTG__EVENT__PAYLOAD_PROBATION_REGISTRATION, registration },
	{ 0, NULL },
};
