/* Events of people's lives. Test thread only; see casefile.h. */
#include "support/casefile.h"

#include <stdio.h>
#include <string.h>
#include <ttg/client.h>
#include "base/instant.h"
#include "support/assert.h"

#define WORDS(text) ((char *)(uintptr_t)(text))
#define KEPT_NS     INT64_C(1000000000) /* a second after it happened */
#define NEEDS_MAX   12

void casefile_init(struct casefile *file, casefile_put *put, void *user)
{
	*file = (struct casefile){ .put = put, .user = user, .scheme = "", .referral = "" };
}

int64_t must_at(const char *civil)
{
	int64_t ns = 0;

	must_be(instant_parse(civil, &ns) == TTG_OK, "a civil time");
	return ns;
}

void casefile_date(int64_t ns, char out[11])
{
	char clock[6];

	instant_to_civil(ns, out, clock);
}

static void make_id(uint32_t number, uint8_t id[TTG_UUID_BYTES])
{
	static const uint8_t begin[TTG_UUID_BYTES] = { 1, 2, 3, 4, 5, 6, 0x70, 0, 0x80 };

	memcpy(id, begin, sizeof(begin));
	for (int i = 0; i < 4; i++)
		id[15 - i] = (uint8_t)(number >> 8 * i);
}

static void name(Ttg__Identifier *identifier, Ttg__IdentifierKind kind, const char *value)
{
	ttg__identifier__init(identifier);
	identifier->kind = kind;
	identifier->value = identifier->canonical = WORDS(value);
	identifier->validity = TTG__VALIDITY__VALID;
}

static size_t name_person(const struct casefile_man *man, Ttg__Identifier identifiers[2])
{
	size_t n = 0;

	if (man->noms)
		name(&identifiers[n++], TTG__IDENTIFIER_KIND__NOMS, man->noms);
	if (man->crn)
		name(&identifiers[n++], TTG__IDENTIFIER_KIND__CRN, man->crn);
	return n;
}

/* event->type and the payload are set. */
static void put(struct casefile *file, const struct casefile_man *man, Ttg__Event *event,
                const char *source, int64_t at_ns)
{
	Ttg__Identifier identifiers[2];
	Ttg__Identifier *list[2] = { &identifiers[0], &identifiers[1] };
	Ttg__Person person = TTG__PERSON__INIT;
	Ttg__Time occurred = TTG__TIME__INIT;
	uint8_t id[TTG_UUID_BYTES];
	uint8_t earlier[TTG_UUID_BYTES];
	uint8_t key[TTG_PERSON_KEY_BYTES] = { 0 };

	make_id(++file->number, id);
	event->id = (ProtobufCBinaryData){ sizeof(id), id };
	event->source = WORDS(source);
	occurred.unix_ns = at_ns;
	event->occurred_at = &occurred;
	if (file->supersedes) {
		make_id(file->supersedes, earlier);
		event->supersedes = (ProtobufCBinaryData){ sizeof(earlier), earlier };
		file->supersedes = 0;
	}
	if (man) {
		person.identifiers = list;
		person.n_identifiers = name_person(man, identifiers);
		event->person = &person;
		memcpy(key, &man->key, sizeof(man->key));
	}
	file->put(file->user, event, man && man->key ? key : NULL, at_ns + KEPT_NS);
}

/* An empty event of the type and its payload, as the first thing of a function. */
#define BEGIN(Message, CASE, field, name)                                                          \
	Ttg__##Message payload = TTG__##CASE##__INIT;                                              \
	Ttg__Event event = TTG__EVENT__INIT;                                                       \
	event.type = WORDS(name);                                                                  \
	event.payload_case = TTG__EVENT__PAYLOAD_##CASE;                                           \
	event.field = &payload

void casefile_enrolled(struct casefile *file, const struct casefile_man *man, int64_t at_ns,
                       const char *scheme, const char *cohort, const char *expected_date)
{
	BEGIN(ServiceEnrolled, SERVICE_ENROLLED, service_enrolled, "service.enrolled");
	payload.scheme = WORDS(scheme);
	payload.cohort = WORDS(cohort);
	payload.expected_release_date = WORDS(expected_date);
	Ttg__Worker worker = TTG__WORKER__INIT;
	if (file->caseworker) {
		worker.name = WORDS(file->caseworker);
		payload.caseworker = &worker;
	}
	put(file, man, &event, "one-service", at_ns);
}

void casefile_withdrawn(struct casefile *file, const struct casefile_man *man, int64_t at_ns,
                        const char *scheme, int reason)
{
	BEGIN(ServiceWithdrawn, SERVICE_WITHDRAWN, service_withdrawn, "service.withdrawn");
	payload.scheme = WORDS(scheme);
	payload.reason = (Ttg__WithdrawReason)reason;
	put(file, man, &event, "one-service", at_ns);
}

void casefile_reengaged(struct casefile *file, const struct casefile_man *man, int64_t at_ns,
                        const char *scheme)
{
	BEGIN(ServiceReengaged, SERVICE_REENGAGED, service_reengaged, "service.reengaged");
	payload.scheme = WORDS(scheme);
	put(file, man, &event, "one-service", at_ns);
}

void casefile_released(struct casefile *file, const struct casefile_man *man, int64_t at_ns,
                       bool at_liberty, int view)
{
	BEGIN(PrisonReleased, PRISON_RELEASED, prison_released, "prison.released");
	payload.at_liberty = at_liberty;
	payload.view = (Ttg__MovementView)view;
	put(file, man, &event, "prison", at_ns);
}

void casefile_received(struct casefile *file, const struct casefile_man *man, int64_t at_ns)
{
	BEGIN(PrisonReception, PRISON_RECEPTION, prison_reception, "prison.reception");
	payload.return_to_custody = TTG__ANSWER__ANSWER_YES;
	put(file, man, &event, "prison", at_ns);
}

static size_t make_needs(unsigned needs, unsigned none, Ttg__Need room[NEEDS_MAX],
                         Ttg__Need *list[NEEDS_MAX])
{
	size_t n = 0;

	for (unsigned category = 1; category < NEEDS_MAX; category++) {
		if (!((needs | none) >> category & 1u))
			continue;
		ttg__need__init(&room[n]);
		room[n].category = (Ttg__NeedCategory)category;
		if (none >> category & 1u)
			room[n].level = TTG__NEED_LEVEL__NEED_LEVEL_NONE;
		list[n] = &room[n];
		n++;
	}
	return n;
}

void casefile_screened(struct casefile *file, const struct casefile_man *man, int64_t at_ns,
                       unsigned needs, unsigned none)
{
	BEGIN(PrisonNeedsScreened, PRISON_NEEDS_SCREENED, prison_needs_screened,
	      "prison.needs_screened");
	Ttg__Need room[NEEDS_MAX];
	Ttg__Need *list[NEEDS_MAX];

	payload.needs = list;
	payload.n_needs = make_needs(needs, none, room, list);
	put(file, man, &event, "prison", at_ns);
}

void casefile_not_screened(struct casefile *file, const struct casefile_man *man, int64_t at_ns)
{
	BEGIN(PrisonNeedsScreened, PRISON_NEEDS_SCREENED, prison_needs_screened,
	      "prison.needs_screened");
	payload.declined = TTG__ANSWER__ANSWER_YES;
	put(file, man, &event, "prison", at_ns);
}

void casefile_assessed(struct casefile *file, const struct casefile_man *man, int64_t at_ns,
                       unsigned needs, int kind, int setting)
{
	BEGIN(ServiceNeedsAssessed, SERVICE_NEEDS_ASSESSED, service_needs_assessed,
	      "service.needs_assessed");
	Ttg__Need room[NEEDS_MAX];
	Ttg__Need *list[NEEDS_MAX];

	payload.needs = list;
	payload.n_needs = make_needs(needs, 0, room, list);
	payload.kind = (Ttg__AssessmentKind)kind;
	payload.setting = (Ttg__Setting)setting;
	payload.scheme = WORDS(file->scheme);
	put(file, man, &event, "one-service", at_ns);
}

void casefile_gate(struct casefile *file, const struct casefile_man *man, int64_t at_ns,
                   int outcome)
{
	BEGIN(ServiceGateMeeting, SERVICE_GATE_MEETING, service_gate_meeting,
	      "service.gate_meeting");
	payload.outcome = (Ttg__GateMeetingOutcome)outcome;
	payload.scheme = WORDS(file->scheme);
	put(file, man, &event, "one-service", at_ns);
}

void casefile_contact(struct casefile *file, const struct casefile_man *man, int64_t at_ns,
                      bool counts, int setting)
{
	BEGIN(ServiceContact, SERVICE_CONTACT, service_contact, "service.contact");
	payload.counts_as_activity = counts;
	payload.setting = (Ttg__Setting)setting;
	payload.scheme = WORDS(file->scheme);
	payload.referral_id = WORDS(file->referral);
	put(file, man, &event, "one-service", at_ns);
}

void casefile_appointment(struct casefile *file, const struct casefile_man *man, int64_t at_ns,
                          int status)
{
	BEGIN(PartnerAppointment, PARTNER_APPOINTMENT, partner_appointment, "partner.appointment");
	Ttg__Time starts = TTG__TIME__INIT;

	starts.unix_ns = at_ns;
	payload.starts_at = &starts;
	payload.status = (Ttg__AppointmentStatus)status;
	payload.referral_id = WORDS(file->referral);
	put(file, man, &event, "mind", at_ns);
}

void casefile_reconvicted(struct casefile *file, const struct casefile_man *man,
                          const char *court_date, const char *court, const char *offence_date)
{
	int64_t at_ns = 0;
	BEGIN(CourtReconviction, COURT_RECONVICTION, court_reconviction, "court.reconviction");

	must_be(instant_from_civil(court_date, "11:00", &at_ns) == TTG_OK, "a day in court");
	payload.court_date = WORDS(court_date);
	payload.court_code = WORDS(court);
	payload.first_offence_date = WORDS(offence_date);
	payload.offence_count = 1;
	put(file, man, &event, "police", at_ns);
}

void casefile_sent(struct casefile *file, const struct casefile_man *man, int64_t at_ns,
                   const char *provider)
{
	BEGIN(ReferralSent, REFERRAL_SENT, referral_sent, "referral.sent");
	payload.referral_id = WORDS(file->referral);
	payload.referrer_agency = WORDS("one-service");
	payload.provider_agency = WORDS(provider);
	payload.scheme = WORDS(file->scheme);
	put(file, man, &event, "one-service", at_ns);
}

static void answer_acknowledged(struct casefile *file, const struct casefile_man *man,
                                int64_t at_ns)
{
	BEGIN(ReferralAcknowledged, REFERRAL_ACKNOWLEDGED, referral_acknowledged,
	      "referral.acknowledged");
	payload.referral_id = WORDS(file->referral);
	payload.referrer_agency = WORDS("one-service");
	put(file, man, &event, "mind", at_ns);
}

static void answer_accepted(struct casefile *file, const struct casefile_man *man, int64_t at_ns)
{
	BEGIN(ReferralAccepted, REFERRAL_ACCEPTED, referral_accepted, "referral.accepted");
	payload.referral_id = WORDS(file->referral);
	payload.referrer_agency = WORDS("one-service");
	put(file, man, &event, "mind", at_ns);
}

static void answer_declined(struct casefile *file, const struct casefile_man *man, int64_t at_ns)
{
	BEGIN(ReferralDeclined, REFERRAL_DECLINED, referral_declined, "referral.declined");
	payload.referral_id = WORDS(file->referral);
	payload.referrer_agency = WORDS("one-service");
	put(file, man, &event, "mind", at_ns);
}

static void answer_started(struct casefile *file, const struct casefile_man *man, int64_t at_ns)
{
	BEGIN(ReferralStarted, REFERRAL_STARTED, referral_started, "referral.started");
	payload.referral_id = WORDS(file->referral);
	payload.referrer_agency = WORDS("one-service");
	put(file, man, &event, "mind", at_ns);
}

static void answer_ended(struct casefile *file, const struct casefile_man *man, int64_t at_ns)
{
	BEGIN(ReferralEnded, REFERRAL_ENDED, referral_ended, "referral.ended");
	payload.referral_id = WORDS(file->referral);
	payload.referrer_agency = WORDS("one-service");
	put(file, man, &event, "mind", at_ns);
}

static void answer_withdrawn(struct casefile *file, const struct casefile_man *man, int64_t at_ns)
{
	BEGIN(ReferralWithdrawn, REFERRAL_WITHDRAWN, referral_withdrawn, "referral.withdrawn");
	payload.referral_id = WORDS(file->referral);
	payload.referrer_agency = WORDS("one-service");
	put(file, man, &event, "one-service", at_ns);
}

void casefile_answer(struct casefile *file, const struct casefile_man *man, int64_t at_ns,
                     enum casefile_answer what)
{
	static void (*const answers[])(struct casefile * file, const struct casefile_man *man,
	                               int64_t at_ns) = {
		answer_acknowledged, answer_accepted, answer_declined,
		answer_started,      answer_ended,    answer_withdrawn,
	};

	answers[what](file, man, at_ns);
}

#define WORDS_OR_NONE(text) WORDS((text) ? (text) : "")

void casefile_scheduled(struct casefile *file, const struct casefile_man *man, int64_t at_ns,
                        const struct casefile_release *release)
{
	BEGIN(PrisonReleaseScheduled, PRISON_RELEASE_SCHEDULED, prison_release_scheduled,
	      "prison.release_scheduled");
	payload.release_date = WORDS_OR_NONE(release->date);
	payload.release_clock = WORDS_OR_NONE(release->clock);
	payload.gate = WORDS_OR_NONE(release->gate);
	payload.area = WORDS_OR_NONE(release->area);
	payload.area_code = WORDS_OR_NONE(release->area_code);
	payload.kind = (Ttg__ReleaseKind)release->kind;
	put(file, man, &event, "prison", at_ns);
}

void casefile_changed(struct casefile *file, const struct casefile_man *man, int64_t at_ns,
                      const struct casefile_release *release)
{
	BEGIN(PrisonReleaseChanged, PRISON_RELEASE_CHANGED, prison_release_changed,
	      "prison.release_changed");
	payload.release_date = WORDS_OR_NONE(release->date);
	payload.release_clock = WORDS_OR_NONE(release->clock);
	payload.gate = WORDS_OR_NONE(release->gate);
	payload.area = WORDS_OR_NONE(release->area);
	payload.area_code = WORDS_OR_NONE(release->area_code);
	payload.old_release_date = WORDS_OR_NONE(release->old_date);
	payload.old_release_clock = WORDS_OR_NONE(release->old_clock);
	payload.old_gate = WORDS_OR_NONE(release->old_gate);
	payload.old_area = WORDS_OR_NONE(release->old_area);
	put(file, man, &event, "prison", at_ns);
}

void casefile_cancelled(struct casefile *file, const struct casefile_man *man, int64_t at_ns,
                        const struct casefile_release *release)
{
	BEGIN(PrisonReleaseCancelled, PRISON_RELEASE_CANCELLED, prison_release_cancelled,
	      "prison.release_cancelled");
	payload.release_date = WORDS_OR_NONE(release->date);
	payload.release_clock = WORDS_OR_NONE(release->clock);
	put(file, man, &event, "prison", at_ns);
}

static size_t make_board_needs(const struct casefile_board *board, Ttg__BoardNeed room[NEEDS_MAX],
                               Ttg__BoardNeed *list[NEEDS_MAX])
{
	size_t n = 0;

	for (unsigned category = 1; category < NEEDS_MAX; category++) {
		bool unmet = board->unmet >> category & 1u;

		if (!unmet && !(board->arranged >> category & 1u))
			continue;
		ttg__board_need__init(&room[n]);
		room[n].category = (Ttg__NeedCategory)category;
		room[n].state = unmet ? TTG__BOARD_NEED_STATE__BOARD_NEED_STATE_UNMET
		                      : TTG__BOARD_NEED_STATE__BOARD_NEED_STATE_ARRANGED;
		if (unmet)
			room[n].owner = WORDS_OR_NONE(board->owner);
		list[n] = &room[n];
		n++;
	}
	return n;
}

void casefile_board(struct casefile *file, const struct casefile_man *man, int64_t at_ns,
                    const struct casefile_board *board)
{
	BEGIN(PrisonDischargeBoard, PRISON_DISCHARGE_BOARD, prison_discharge_board,
	      "prison.discharge_board");
	Ttg__BoardNeed room[NEEDS_MAX];
	Ttg__BoardNeed *list[NEEDS_MAX];
	Ttg__Address address = TTG__ADDRESS__INIT;
	char *line = WORDS_OR_NONE(board->address);

	payload.status = (Ttg__BoardStatus)board->status;
	payload.board_date = WORDS_OR_NONE(board->date);
	payload.board_clock = WORDS_OR_NONE(board->clock);
	payload.place = WORDS_OR_NONE(board->place);
	payload.release_date = WORDS_OR_NONE(board->release_date);
	payload.old_board_date = WORDS_OR_NONE(board->old_date);
	payload.old_board_clock = WORDS_OR_NONE(board->old_clock);
	payload.needs = list;
	payload.n_needs = make_board_needs(board, room, list);
	if (board->address) {
		address.kind = TTG__ADDRESS_KIND__ADDRESS_KIND_SUPPORTED;
		address.lines = &line;
		address.n_lines = 1;
		address.area_code = WORDS_OR_NONE(board->area_code);
		payload.release_address = &address;
	}
	put(file, man, &event, "prison", at_ns);
}

void casefile_limited(struct casefile *file, const struct casefile_man *man, int64_t at_ns)
{
	BEGIN(ProbationContact, PROBATION_CONTACT, probation_contact, "probation.contact");
	payload.limited_access = true;
	put(file, man, &event, "probation", at_ns);
}

void casefile_correction(struct casefile *file, uint32_t number, const char *publisher)
{
	uint8_t id[TTG_UUID_BYTES];
	BEGIN(BrokerCorrection, BROKER_CORRECTION, broker_correction, "broker.correction");

	make_id(number, id);
	payload.event_id = (ProtobufCBinaryData){ sizeof(id), id };
	payload.publisher_agency = WORDS(publisher);
	put(file, NULL, &event, "broker", 0);
}
