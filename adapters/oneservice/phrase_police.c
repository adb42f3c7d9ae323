/* Sentences for what the police tell. Pure; see phrase.h. */
#include "oneservice/phrase.h"

static void add_offences(struct sentence *out, Ttg__Offence *const *offences, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		sentence_add(out, "%s", i == 0 ? ", suspected: " : ", ");
		if (words_enum_known(&ttg__offence_category__descriptor,
		                     (int)offences[i]->category))
			words_add_enum(out, &ttg__offence_category__descriptor,
			               (int)offences[i]->category);
		else
			sentence_add(out, "%s", offences[i]->cjs_code);
	}
}

static void arrest(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__PoliceArrest *it = event->police_arrest;

	sentence_add(out, "ARRESTED by %s", words_force(it->force_code));
	words_add_if(out, ", ", it->station_name);
	words_add_time(out, ", at ", it->arrested_at);
	add_offences(out, it->offences, it->n_offences);
	sentence_add(out, "; match ");
	words_add_enum(out, &ttg__match_confidence__descriptor, (int)it->confidence);
	sentence_add(out, " by ");
	words_add_enum(out, &ttg__match_basis__descriptor, (int)it->match_basis);
	words_add_if(out, "; ring ", it->custody_telephone);
}

static void custody_update(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__PoliceCustodyUpdate *it = event->police_custody_update;

	sentence_add(out, "after the arrest: ");
	words_add_enum(out, &ttg__disposition__descriptor, (int)it->disposition);
	words_add_time(out, ", out of custody ", it->released_at);
	if (it->next_court_date[0]) {
		sentence_add(out, ", in court");
		words_add_day(out, it->next_court_date, it->next_court_clock);
		words_add_if(out, " at ", it->next_court_name);
	}
	if (it->bail_return_date[0]) {
		sentence_add(out, ", back at the station");
		words_add_day(out, it->bail_return_date, it->bail_return_clock);
	}
}

static void encounter(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__PoliceEncounter *it = event->police_encounter;

	sentence_add(out, "police met him: ");
	words_add_enum(out, &ttg__encounter_concern__descriptor, (int)it->concern);
	words_add_if(out, ", ", it->place);
	if (it->please_collect)
		sentence_add(out, ", PLEASE COLLECT");
	words_add_time(out, ", they wait until ", it->wait_until_at);
	words_add_if(out, "; ring ", it->call_back_number);
}

static void pnc_flag(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__PolicePncFlag *it = event->police_pnc_flag;

	sentence_add(out, "flag on the PNC ");
	words_add_enum(out, &ttg__flag_outcome__descriptor, (int)it->outcome);
	words_add_if(out, ", until ", it->until_date);
	words_add_if(out, ", reference ", it->flag_reference);
	words_add_if(out, ": ", it->reason_description);
}

static void iom_status(struct sentence *out, const Ttg__Event *event)
{
	const Ttg__PoliceIomStatus *it = event->police_iom_status;

	sentence_add(out, "IOM caseload: ");
	words_add_enum(out, &ttg__iom_status__descriptor, (int)it->status);
	if (words_enum_known(&ttg__iom_category__descriptor, (int)it->category)) {
		sentence_add(out, ", ");
		words_add_enum(out, &ttg__iom_category__descriptor, (int)it->category);
	}
	words_add_if(out, ", led by ", it->lead_agency[0] ? it->lead_agency : it->lead_name);
}

const struct phrase phrases_police[] = {
	{ TTG__EVENT__PAYLOAD_POLICE_ARREST, arrest },
	{ TTG__EVENT__PAYLOAD_POLICE_CUSTODY_UPDATE, custody_update },
	{ TTG__EVENT__PAYLOAD_POLICE_ENCOUNTER, encounter },
	{ TTG__EVENT__PAYLOAD_POLICE_PNC_FLAG, pnc_flag },
	{ TTG__EVENT__PAYLOAD_POLICE_IOM_STATUS, iom_status },
	{ 0, NULL },
};
