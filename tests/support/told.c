/* What events told of persons, by the plainest reading; see told.h. One thread. */
#include "support/told.h"

#include <stdio.h>
#include <string.h>

#define NS_PER_DAY INT64_C(86400000000000)
#define EVER INT64_MAX

const char *const told_numbers[TOLD_PERSONS] = { "A1234BC", "A1235BC", "A1236BC" };

static int person_of(const Ttg__Event *event)
{
	for (size_t i = 0; event->person && i < event->person->n_identifiers; i++) {
		for (int k = 0; k < TOLD_PERSONS; k++) {
			if (event->person->identifiers[i]->kind == TTG__IDENTIFIER_KIND__NOMS &&
			    strcmp(event->person->identifiers[i]->value, told_numbers[k]) == 0)
				return k;
		}
	}
	return -1;
}

/* "2026-11-27" as a day since 1970; `without` when nothing is said. */
static int64_t day_of(const char *text, int64_t without)
{
	static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	int year, month, day;

	if (sscanf(text, "%d-%d-%d", &year, &month, &day) != 3)
		return without;
	return (int64_t)(year - 1970) * 365 + (year - 1969) / 4 + before[month - 1] + day - 1 +
	       (year % 4 == 0 && month > 2);
}

static int agency_of(const char *source)
{
	for (int i = 0; i < AGREED_AGENCIES; i++) {
		if (strcmp(agreed_agencies[i], source) == 0)
			return i;
	}
	return -1;
}

static int scheme_of(const char *name)
{
	for (int i = 0; i < AGREED_SCHEMES; i++) {
		if (strcmp(agreed_schemes[i], name) == 0)
			return i;
	}
	return -1;
}

static void hear_enrolled(struct told_scheme *it, const Ttg__ServiceEnrolled *said)
{
	const bool again = it->in; /* his window goes on */

	*it = (struct told_scheme){ .in = true, .ever = true, .first_day = day_of(said->from_date, -EVER),
				    .last_day = day_of(said->until_date, EVER),
				    .released_ns = again ? it->released_ns : 0 };
}

static void hear_reengaged(struct told_scheme *it, const Ttg__ServiceReengaged *said)
{
	if (!it->ever || it->withdrawn)
		return;
	it->in = true;
	it->first_day = -EVER;
	it->last_day = day_of(said->until_date, it->last_day);
}

/* An exit or withdrawal that names no scheme is from all of the publisher. */
static void hear_service(struct told_scheme schemes[AGREED_SCHEMES], const Ttg__Event *event)
{
	for (int i = 0; i < AGREED_SCHEMES; i++) {
		struct told_scheme *it = &schemes[i];

		if (event->payload_case == TTG__EVENT__PAYLOAD_SERVICE_ENROLLED &&
		    scheme_of(event->service_enrolled->scheme) == i)
			hear_enrolled(it, event->service_enrolled);
		if (event->payload_case == TTG__EVENT__PAYLOAD_SERVICE_REENGAGED &&
		    scheme_of(event->service_reengaged->scheme) == i)
			hear_reengaged(it, event->service_reengaged);
		if (event->payload_case == TTG__EVENT__PAYLOAD_SERVICE_EXITED &&
		    (event->service_exited->scheme[0] == '\0' ||
		     scheme_of(event->service_exited->scheme) == i))
			it->in = false;
		if (event->payload_case == TTG__EVENT__PAYLOAD_SERVICE_WITHDRAWN &&
		    (event->service_withdrawn->scheme[0] == '\0' ||
		     scheme_of(event->service_withdrawn->scheme) == i)) {
			it->in = false;
			it->withdrawn = it->ever;
		}
	}
}

static void hear_area(struct told_person *it, const char *code)
{
	if (code[0])
		snprintf(it->area, sizeof(it->area), "%s", code);
}

static void hear_released(struct told_person *it, const Ttg__PrisonReleased *said, int64_t now_ns)
{
	if (!said->at_liberty)
		return;
	it->custody = 2;
	for (int i = 0; i < AGREED_AGENCIES; i++) {
		for (int k = 0; k < AGREED_SCHEMES; k++) {
			if (it->schemes[i][k].in && it->schemes[i][k].released_ns == 0)
				it->schemes[i][k].released_ns = now_ns;
		}
	}
	hear_area(it, said->area_code);
}

static void hear_referral(struct told_person *it, const Ttg__Event *event, const char *provider,
			  const char *referrer, const char *id, bool open)
{
	size_t i = 0;

	if (!provider[0] || !id[0])
		return;
	if (!referrer[0])
		referrer = event->source;
	while (i < it->n_referrals && (strcmp(it->referrals[i].provider, provider) != 0 ||
				       strcmp(it->referrals[i].referrer, referrer) != 0 ||
				       strcmp(it->referrals[i].id, id) != 0))
		i++;
	if (i == it->n_referrals) {
		must_be(++it->n_referrals <= TOLD_REFERRALS_MAX, "too many referrals");
		snprintf(it->referrals[i].provider, sizeof(it->referrals[i].provider), "%s", provider);
		snprintf(it->referrals[i].referrer, sizeof(it->referrals[i].referrer), "%s", referrer);
		snprintf(it->referrals[i].id, sizeof(it->referrals[i].id), "%s", id);
	}
	it->referrals[i].open = open;
}

static void hear_risk(struct told_person *it, int level)
{
	if (level >= 1 && level <= 4)
		it->risk = level;
}

#define REFERRAL(said, open)                                                                               \
	hear_referral(it, event, (said)->provider_agency, (said)->referrer_agency, (said)->referral_id, open)

void told_hear(struct told *told, const Ttg__Event *event, int64_t now_ns)
{
	const int person = person_of(event), agency = agency_of(event->source);
	struct told_person *it = &told->persons[person < 0 ? 0 : person];

	if (person < 0)
		return;
	hear_service(it->schemes[agency], event);
	if (event->payload_case == TTG__EVENT__PAYLOAD_PRISON_RECEPTION)
		it->custody = 1;
	if (event->payload_case == TTG__EVENT__PAYLOAD_PRISON_RELEASED)
		hear_released(it, event->prison_released, now_ns);
	if (event->payload_case == TTG__EVENT__PAYLOAD_PRISON_RELEASE_SCHEDULED)
		hear_area(it, event->prison_release_scheduled->area_code);
	if (event->payload_case == TTG__EVENT__PAYLOAD_PRISON_RISK_INFORMATION)
		hear_risk(it, (int)event->prison_risk_information->overall_level);
	if (event->payload_case == TTG__EVENT__PAYLOAD_PROBATION_RISK_ESCALATED)
		hear_risk(it, (int)event->probation_risk_escalated->to_level);
	if (event->payload_case == TTG__EVENT__PAYLOAD_REFERRAL_SENT)
		REFERRAL(event->referral_sent, true);
	if (event->payload_case == TTG__EVENT__PAYLOAD_REFERRAL_DECLINED)
		REFERRAL(event->referral_declined, false);
	if (event->payload_case == TTG__EVENT__PAYLOAD_REFERRAL_ENDED)
		REFERRAL(event->referral_ended, false);
	if (event->payload_case == TTG__EVENT__PAYLOAD_REFERRAL_WITHDRAWN)
		REFERRAL(event->referral_withdrawn, false);
}

static bool is_enrolled(const struct told_scheme *it, unsigned window_days, int64_t now_ns)
{
	const int64_t today = now_ns / NS_PER_DAY;

	if (!it->in || today < it->first_day || today > it->last_day)
		return false;
	return window_days == 0 || it->released_ns == 0 ||
	       now_ns - it->released_ns < (int64_t)window_days * NS_PER_DAY;
}

bool told_holds(const struct told *told, const struct agreed_grant *grant, const Ttg__Event *event,
		int64_t now_ns)
{
	const struct agreed_when *when = &grant->when;
	const int person = person_of(event);
	const struct told_person *it = &told->persons[person < 0 ? 0 : person];
	bool referred = false, area = when->n_areas == 0;

	if (!when->asked)
		return true;
	if (person < 0)
		return false;
	if (when->enrolled &&
	    !is_enrolled(&it->schemes[when->agency][when->scheme], when->window_days, now_ns))
		return false;
	for (size_t i = 0; i < it->n_referrals; i++)
		referred = referred || (it->referrals[i].open &&
					strcmp(it->referrals[i].provider,
					       agreed_agencies[grant->agency]) == 0);
	for (size_t i = 0; i < when->n_areas; i++)
		area = area || strcmp(when->areas[i], it->area) == 0;
	return (!when->referral || referred) && area &&
	       (when->risk_at_most == 0 || (it->risk != 0 && it->risk <= when->risk_at_most)) &&
	       (when->custody == 0 || it->custody == when->custody);
}
