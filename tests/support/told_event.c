/* Events that tell something of a person; see told.h. One thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/told.h"

const char *const told_types[TOLD_TYPES] = {
	"prison.reception", "prison.released",  "prison.risk_information", "referral.sent",
	"referral.declined", "service.enrolled", "service.enrolled",       "service.exited",
	"service.reengaged", "service.withdrawn",
};

static char texts[8][40];
static char dates[2][40];

/* A day around this one, or nothing. */
static char *date_around(struct random *it, int n, int64_t now_ns, int from)
{
	const int64_t day = now_ns / INT64_C(86400000000000) - 20757 + from + (int64_t)random_below(it, 5);

	/* 20757: the last of October 2026. */
	if (random_below(it, 2) == 0)
		dates[n][0] = '\0';
	else if (day <= 30)
		snprintf(dates[n], sizeof(dates[n]), "2026-11-%02d", (int)day);
	else if (day <= 61)
		snprintf(dates[n], sizeof(dates[n]), "2026-12-%02d", (int)day - 30);
	else
		snprintf(dates[n], sizeof(dates[n]), "2027-01-%02d", (int)day - 61);
	return dates[n];
}

static char *scheme(struct random *it, uint32_t unnamed)
{
	snprintf(texts[0], sizeof(texts[0]), "%s",
		 random_below(it, unnamed) == 0 ? "" : agreed_schemes[random_below(it, AGREED_SCHEMES)]);
	return texts[0];
}

static char *agency(struct random *it, int n)
{
	snprintf(texts[n], sizeof(texts[n]), "%s", agreed_agencies[random_below(it, AGREED_AGENCIES)]);
	return texts[n];
}

/* The source where it may only be that; rarely somebody else, which the broker refuses. */
static char *side(struct random *it, int n, const char *source)
{
	agency(it, n);
	if (random_below(it, 8) != 0)
		snprintf(texts[n], sizeof(texts[n]), "%s", source);
	return texts[n];
}

static char *referral(struct random *it)
{
	snprintf(texts[3], sizeof(texts[3]), "r%u", random_below(it, 8));
	return texts[3];
}

/* Payloads; one event at a time. */
static Ttg__PrisonReception reception;
static Ttg__PrisonReleased released;
static Ttg__PrisonRiskInformation risk;
static Ttg__ReferralSent sent;
static Ttg__ReferralDeclined declined;
static Ttg__ServiceEnrolled enrolled;
static Ttg__ServiceExited exited;
static Ttg__ServiceReengaged reengaged;
static Ttg__ServiceWithdrawn withdrawn;

static void fill_prison(struct random *it, Ttg__Event *event, uint32_t type)
{
	ttg__prison_reception__init(&reception);
	ttg__prison_released__init(&released);
	ttg__prison_risk_information__init(&risk);
	released.at_liberty = random_below(it, 4) != 0;
	snprintf(texts[4], sizeof(texts[4]), "%s",
		 random_below(it, 4) == 0 ? "" : agreed_areas[random_below(it, AGREED_AREAS)]);
	released.area_code = texts[4];
	risk.overall_level = (Ttg__RiskLevel)random_below(it, 5);
	event->payload_case = type == 0	  ? TTG__EVENT__PAYLOAD_PRISON_RECEPTION
			      : type == 1 ? TTG__EVENT__PAYLOAD_PRISON_RELEASED
					  : TTG__EVENT__PAYLOAD_PRISON_RISK_INFORMATION;
	if (type == 0)
		event->prison_reception = &reception;
	else if (type == 1)
		event->prison_released = &released;
	else
		event->prison_risk_information = &risk;
}

static void fill_referral(struct random *it, Ttg__Event *event, const char *source, bool is_sent)
{
	ttg__referral_sent__init(&sent);
	ttg__referral_declined__init(&declined);
	sent.provider_agency = declined.provider_agency = is_sent ? agency(it, 1) : side(it, 1, source);
	if (random_below(it, 3) != 0)
		sent.referrer_agency = declined.referrer_agency =
			is_sent ? side(it, 2, source) : agency(it, 2);
	sent.referral_id = declined.referral_id = referral(it);
	event->payload_case = is_sent ? TTG__EVENT__PAYLOAD_REFERRAL_SENT :
					TTG__EVENT__PAYLOAD_REFERRAL_DECLINED;
	if (is_sent)
		event->referral_sent = &sent;
	else
		event->referral_declined = &declined;
}

static void fill_service(struct random *it, Ttg__Event *event, const char *type, int64_t now_ns)
{
	ttg__service_enrolled__init(&enrolled);
	ttg__service_exited__init(&exited);
	ttg__service_reengaged__init(&reengaged);
	ttg__service_withdrawn__init(&withdrawn);
	enrolled.scheme = exited.scheme = reengaged.scheme = withdrawn.scheme = scheme(it, 8);
	enrolled.from_date = date_around(it, 0, now_ns, -3);
	enrolled.until_date = reengaged.until_date = date_around(it, 1, now_ns, -1);
	if (strcmp(type, "service.enrolled") == 0) {
		event->payload_case = TTG__EVENT__PAYLOAD_SERVICE_ENROLLED;
		event->service_enrolled = &enrolled;
	} else if (strcmp(type, "service.exited") == 0) {
		event->payload_case = TTG__EVENT__PAYLOAD_SERVICE_EXITED;
		event->service_exited = &exited;
	} else if (strcmp(type, "service.reengaged") == 0) {
		event->payload_case = TTG__EVENT__PAYLOAD_SERVICE_REENGAGED;
		event->service_reengaged = &reengaged;
	} else {
		event->payload_case = TTG__EVENT__PAYLOAD_SERVICE_WITHDRAWN;
		event->service_withdrawn = &withdrawn;
	}
}

struct random_event *told_event(struct random *random, const char *source, int64_t now_ns)
{
	struct random_event *made = calloc(1, sizeof(*made));
	const uint32_t type = random_below(random, TOLD_TYPES);
	Ttg__Event event = TTG__EVENT__INIT;
	Ttg__Identifier number = TTG__IDENTIFIER__INIT, *numbers[] = { &number };
	Ttg__Person person = TTG__PERSON__INIT;
	Ttg__Time occurred = TTG__TIME__INIT;
	uint8_t id[16];

	must_be(made != NULL, "no memory");
	for (int i = 0; i < 16; i++)
		id[i] = (uint8_t)random_below(random, 256);
	id[8] = (uint8_t)(0x80 | (id[8] & 0x3f));
	event.id = (ProtobufCBinaryData){ 16, id };
	occurred.unix_ns = now_ns;
	event.occurred_at = &occurred;
	snprintf(texts[5], sizeof(texts[5]), "%s", source);
	snprintf(texts[6], sizeof(texts[6]), "%s", told_types[type]);
	snprintf(texts[7], sizeof(texts[7]), "%s", told_numbers[random_below(random, TOLD_PERSONS)]);
	event.source = texts[5];
	event.type = texts[6];
	number.kind = TTG__IDENTIFIER_KIND__NOMS;
	number.value = texts[7];
	person.identifiers = numbers;
	person.n_identifiers = 1;
	event.person = &person;
	if (type < 3)
		fill_prison(random, &event, type);
	else if (type < 5)
		fill_referral(random, &event, source, type == 3);
	else
		fill_service(random, &event, told_types[type], now_ns);
	must_be(ttg_event_pack(&event, &made->bytes, &made->len) == TTG_OK, "cannot pack");
	made->event = ttg__event__unpack(NULL, made->len, made->bytes);
	must_be(made->event != NULL, "cannot unpack");
	return made;
}
