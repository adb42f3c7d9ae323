/* Every form of the desk: what is typed comes out of the event, field by field. */
#include "unit.h"
#include <string.h>
#include "support/acting.h"

static void an_enrolment_has_every_field(void **state)
{
	struct acting *acting = *state;
	const Ttg__ServiceEnrolled *it;
	const Ttg__Event *event;

	must_know(acting);
	must_open(acting, page_enrol, NULL);
	must_show(&acting->bed, "value=\"one-service-pilot\"");
	must_show(&acting->bed, "value=\"PBI\"");
	event = must_send(acting, page_enrol_send,
	                  "scheme=pilot-2&cohort=cohort-3&from-day=1&from-month=3&from-year=2027"
	                  "&until=2028-02-29&consent_version=2026-1&consent_at=2027-02-28"
	                  "&consent_at-time=11:05&caseworker=J.+Okafor&prison_code=PBI"
	                  "&release=2027-03-20",
	                  NULL);
	assert_envelope(acting, "service.enrolled", NULL);
	assert_is_tom(event);
	it = event->service_enrolled;
	assert_string_equal(it->scheme, "pilot-2");
	assert_string_equal(it->cohort, "cohort-3");
	assert_string_equal(it->from_date, "2027-03-01");
	assert_string_equal(it->until_date, "2028-02-29");
	assert_string_equal(it->consent_version, "2026-1");
	assert_int_equal(it->consent_at->unix_ns, must_at("2027-02-28 11:05"));
	assert_string_equal(it->caseworker->name, "J. Okafor");
	assert_string_equal(it->prison_code, "PBI");
	assert_string_equal(it->expected_release_date, "2027-03-20");
}

static void another_caseworker_is_an_enrolment_with_the_rest_as_it_was(void **state)
{
	struct acting *acting = *state;

	must_know(acting);
	must_open(acting, page_enrol, NULL);
	must_send(acting, page_enrol_send,
	          "scheme=pilot&cohort=cohort-1&from=2027-02-01&caseworker=J.+Okafor", NULL);
	must_take(acting);
	must_open(acting, page_enrol, NULL);
	must_show(&acting->bed, "value=\"pilot\"");
	must_show(&acting->bed, "value=\"J. Okafor\"");
	must_show(&acting->bed, "value=\"cohort-1\"");
	must_show(&acting->bed, "id=\"from-month\" name=\"from-month\" type=\"text\" "
	                        "autocomplete=\"off\" value=\"02\"");
	must_send(acting, page_enrol_send,
	          "scheme=pilot&cohort=cohort-1&from=2027-02-01&caseworker=S.+Khan", NULL);
	assert_string_equal(acting->event->service_enrolled->caseworker->name, "S. Khan");
	must_take(acting);
	assert_string_equal(person_scheme(must_find_person(&acting->bed, "A1234BC"))->caseworker,
	                    "S. Khan");
}

static void somebody_new_is_enrolled_by_his_numbers(void **state)
{
	struct acting *acting = *state;
	const Ttg__Person *person;

	must_open(acting, page_enrol_new, NULL);
	person = must_send(acting, page_enrol_new_send,
	                   "noms=a9999zz&pnc=2012/0052494Q&crn=X777777&case_number=os-17"
	                   "&scheme=pilot&from=2027-03-12&caseworker=J.+Okafor",
	                   NULL)
	                 ->person;
	assert_envelope(acting, "service.enrolled", NULL);
	assert_int_equal(person->n_identifiers, 4);
	assert_string_equal(person->identifiers[0]->canonical, "A9999ZZ");
	assert_int_equal(person->identifiers[1]->kind, TTG__IDENTIFIER_KIND__PNC);
	assert_string_equal(person->identifiers[1]->canonical, "2012/0052494Q");
	assert_string_equal(person->identifiers[2]->canonical, "X777777");
	assert_string_equal(person->identifiers[3]->canonical, "OS-17");
	assert_string_equal(person->identifiers[3]->issuer, "one-service");
	must_take(acting);
	assert_true(
	        person_is_enrolled(must_find_person(&acting->bed, "A9999ZZ"), acting->bed.now_ns));

	/* What is sent about him next has all of them, and whose the case number is. */
	snprintf(acting->number, sizeof(acting->number), "%u",
	         must_find_person(&acting->bed, "A9999ZZ")->number);
	must_open(acting, page_contact, NULL);
	person = must_send(acting, page_contact_send,
	                   "channel=2&purpose=1&result=2&setting=3" WHEN("started"), NULL)
	                 ->person;
	assert_int_equal(person->n_identifiers, 4);
	assert_string_equal(person->identifiers[0]->value, "A9999ZZ");
	assert_string_equal(person->identifiers[1]->value, "X777777");
	assert_string_equal(person->identifiers[2]->value, "2012/0052494Q");
	assert_string_equal(person->identifiers[3]->value, "OS-17");
	assert_string_equal(person->identifiers[3]->issuer, "one-service");
	assert_string_equal(person->identifiers[0]->issuer, "");
}

static void a_contact_has_every_field(void **state)
{
	struct acting *acting = *state;
	const Ttg__ServiceContact *it;

	must_enrol(acting);
	acting->file.referral = "R-1";
	casefile_sent(&acting->file, &tom, must_at("2027-03-01 09:00"), "mind");
	must_follow(&acting->bed);
	must_open(acting, page_contact, NULL);
	must_show(&acting->bed, "<option value=\"R-1\">");
	it = must_send(acting, page_contact_send,
	               "channel=1&purpose=6&result=1&minutes=45&setting=1&needs=1&needs=11"
	               "&counts=yes&volunteer=P.+Lind&referral=R-1" WHEN("started"),
	               NULL)
	             ->service_contact;
	assert_envelope(acting, "service.contact", "2027-03-12 09:30");
	assert_is_tom(acting->event);
	assert_int_equal(it->channel, TTG__CONTACT_CHANNEL__CONTACT_CHANNEL_FACE_TO_FACE);
	assert_int_equal(it->purpose, TTG__CONTACT_PURPOSE__CONTACT_PURPOSE_PRACTICAL);
	assert_int_equal(it->result, TTG__CONTACT_RESULT__CONTACT_RESULT_MADE);
	assert_int_equal(it->started_at->unix_ns, must_at("2027-03-12 09:30"));
	assert_int_equal(it->duration_minutes, 45);
	assert_int_equal(it->setting, TTG__SETTING__SETTING_PRISON);
	assert_string_equal(it->prison_code, "PBI");
	assert_int_equal(it->n_needs, 2);
	assert_int_equal(it->needs[1], TTG__NEED_CATEGORY__NEED_INFORMATION_TECHNOLOGY);
	assert_true(it->counts_as_activity && it->volunteer);
	assert_string_equal(it->worker->name, "P. Lind");
	assert_string_equal(it->referral_id, "R-1");
	assert_string_equal(it->scheme, "pilot");
	assert_string_equal(it->contact_reference, acting->id);
}

static void a_contact_of_his_own_names_the_user(void **state)
{
	struct acting *acting = *state;
	const Ttg__ServiceContact *it;

	must_know(acting);
	must_open(acting, page_contact, NULL);
	it = must_send(acting, page_contact_send,
	               "channel=2&purpose=1&result=2&setting=3" WHEN("started"), NULL)
	             ->service_contact;
	assert_string_equal(it->worker->name, "Ann Example");
	assert_false(it->volunteer || it->counts_as_activity);
	assert_int_equal(it->n_needs, 0);
	assert_string_equal(it->prison_code, "");
	assert_string_equal(it->scheme, "one-service-pilot");
}

static void an_assessment_has_the_whole_list(void **state)
{
	struct acting *acting = *state;
	const Ttg__ServiceNeedsAssessed *it;

	must_enrol(acting);
	casefile_assessed(&acting->file, &tom, must_at("2027-02-10 09:00"), 1u << 4, 1, 1);
	must_follow(&acting->bed);
	must_open(acting, page_needs, NULL);
	must_show(&acting->bed, "name=\"before\" value=\"4\"");
	it = must_send(acting, page_needs_send,
	               "kind=2&setting=1&before=4&need-1=4&note-1=No+home&need-4=2&need-7=1"
	               "&need-11=0&review-day=1&review-month=4&review-year=2027"
	               "&instrument=One+Service+3" WHEN("assessed"),
	               NULL)
	             ->service_needs_assessed;
	assert_envelope(acting, "service.needs_assessed", "2027-03-12 09:30");
	assert_int_equal(it->n_needs, 4);
	assert_int_equal(it->needs[0]->category, TTG__NEED_CATEGORY__NEED_ACCOMMODATION);
	assert_int_equal(it->needs[0]->level, TTG__NEED_LEVEL__NEED_LEVEL_HIGH);
	assert_string_equal(it->needs[0]->note, "No home");
	assert_int_equal(it->needs[0]->new_since_last, TTG__ANSWER__ANSWER_YES);
	assert_int_equal(it->needs[1]->new_since_last, TTG__ANSWER__ANSWER_NO);
	assert_int_equal(it->needs[2]->level, TTG__NEED_LEVEL__NEED_LEVEL_NONE);
	assert_int_equal(it->needs[2]->new_since_last, TTG__ANSWER__ANSWER_UNSPECIFIED);
	assert_int_equal(it->needs[3]->level, TTG__NEED_LEVEL__NEED_LEVEL_UNSPECIFIED);
	assert_int_equal(it->kind, TTG__ASSESSMENT_KIND__ASSESSMENT_KIND_REVIEW);
	assert_int_equal(it->assessed_at->unix_ns, must_at("2027-03-12 09:30"));
	assert_int_equal(it->setting, TTG__SETTING__SETTING_PRISON);
	assert_string_equal(it->prison_code, "PBI");
	assert_string_equal(it->next_review_date, "2027-04-01");
	assert_string_equal(it->instrument, "One Service 3");
	assert_string_equal(it->assessor->name, "Ann Example");
	assert_string_equal(it->scheme, "pilot");
}

static void a_gate_meeting_has_every_field(void **state)
{
	struct acting *acting = *state;
	const Ttg__ServiceGateMeeting *it;

	must_enrol(acting);
	casefile_released(&acting->file, &tom, must_at("2027-03-12 08:45"), true, 2);
	must_follow(&acting->bed);
	must_open(acting, page_gate_meeting, NULL);
	it = must_send(acting, page_gate_meeting_send, "outcome=2&reason=He+left+early" WHEN("met"),
	               NULL)
	             ->service_gate_meeting;
	assert_envelope(acting, "service.gate_meeting", "2027-03-12 09:30");
	assert_int_equal(it->outcome, TTG__GATE_MEETING_OUTCOME__GATE_MEETING_OUTCOME_MISSED);
	assert_int_equal(it->met_at->unix_ns, must_at("2027-03-12 09:30"));
	assert_string_equal(it->reason_description, "He left early");
	assert_string_equal(it->release_date, "2027-03-12");
	assert_string_equal(it->worker->name, "Ann Example");
	assert_string_equal(it->scheme, "pilot");
}

static void an_exit_and_a_return_have_every_field(void **state)
{
	struct acting *acting = *state;
	const Ttg__ServiceExited *out;
	const Ttg__ServiceReengaged *back;

	must_enrol(acting);
	must_open(acting, page_exit, NULL);
	out = must_send(acting, page_exit_send,
	                "reason=3&may_return=1&note=Two%0alines" WHEN("exited"), NULL)
	              ->service_exited;
	assert_envelope(acting, "service.exited", "2027-03-12 09:30");
	assert_int_equal(out->reason, TTG__EXIT_REASON__EXIT_REASON_DISENGAGED);
	assert_int_equal(out->may_return, TTG__ANSWER__ANSWER_YES);
	assert_string_equal(out->note, "Two\nlines");
	assert_string_equal(out->scheme, "pilot");
	assert_string_equal(out->cohort, "cohort-1");
	assert_int_equal(out->exited_at->unix_ns, must_at("2027-03-12 09:30"));
	must_take(acting);

	must_open(acting, page_return, NULL);
	back = must_send(acting, page_return_send,
	                 "reason=2&until=2027-12-01&consent_version=2027-1&caseworker=S.+Khan" WHEN(
	                         "returned"),
	                 NULL)
	               ->service_reengaged;
	assert_envelope(acting, "service.reengaged", "2027-03-12 09:30");
	assert_int_equal(back->reason, TTG__REENGAGE_REASON__REENGAGE_REASON_ARREST);
	assert_string_equal(back->until_date, "2027-12-01");
	assert_string_equal(back->consent_version, "2027-1");
	assert_string_equal(back->caseworker->name, "S. Khan");
	assert_string_equal(back->scheme, "pilot");
	assert_string_equal(back->cohort, "cohort-1");
	assert_int_equal(back->reengaged_at->unix_ns, must_at("2027-03-12 09:30"));
	must_take(acting);
	assert_true(
	        person_is_enrolled(must_find_person(&acting->bed, "A1234BC"), acting->bed.now_ns));
}

static void a_withdrawal_is_asked_twice(void **state)
{
	static const char fields[] = "scheme=pilot&reason=1" WHEN("withdrawn");
	struct acting *acting = *state;
	const Ttg__ServiceWithdrawn *it;
	char sure[FIELDS_BYTES];

	must_enrol(acting);
	must_open(acting, page_withdraw, NULL);
	assert_int_equal(act_send(acting, page_withdraw_send, fields, NULL), 200);
	must_show(&acting->bed, "every route about this person closes at once");
	must_show(&acting->bed, "name=\"withdrawn-day\" value=\"12\"");
	must_show(&acting->bed, acting->id);
	assert_int_equal(spool_files(acting), 0);
	snprintf(sure, sizeof(sure), "%s&sure=yes", fields);
	it = must_send(acting, page_withdraw_send, sure, NULL)->service_withdrawn;
	assert_envelope(acting, "service.withdrawn", "2027-03-12 09:30");
	assert_string_equal(it->scheme, "pilot");
	assert_string_equal(it->cohort, "cohort-1");
	assert_int_equal(it->reason, TTG__WITHDRAW_REASON__WITHDRAW_REASON_CONSENT);
	assert_int_equal(it->withdrawn_at->unix_ns, must_at("2027-03-12 09:30"));
}

static void a_withdrawal_from_every_scheme_names_none(void **state)
{
	struct acting *acting = *state;

	must_enrol(acting);
	must_open(acting, page_withdraw, NULL);
	must_send(acting, page_withdraw_send, "scheme=*&reason=3&sure=yes" WHEN("withdrawn"), NULL);
	assert_string_equal(acting->event->service_withdrawn->scheme, "");
	assert_string_equal(acting->event->service_withdrawn->cohort, "");
}

static void a_referral_has_every_field(void **state)
{
	struct acting *acting = *state;
	const Ttg__ReferralSent *it;

	must_enrol(acting);
	must_open(acting, page_referral, NULL);
	must_show(&acting->bed, "No offence and no risk");
	it = must_send(acting, page_referral_send,
	               "provider=mind&need=5&ask=A+first+talk%0anext+week&answer_by=2027-03-17"
	               "&answer_by-time=12:00&wanted_by=2027-03-20&setting=1&release=2027-03-19"
	               "&area=Peterborough&consent_version=2026-1&display_name=Tom"
	               "&telephone=07700+900123&other_telephone=07700+900124&email=t@example.org"
	               "&best_time=Tuesday&safe=2&language_code=pl&interpreter=yes"
	               "&access_needs=A+ground+floor",
	               NULL)
	             ->referral_sent;
	assert_envelope(acting, "referral.sent", NULL);
	assert_is_tom(acting->event);
	assert_string_equal(it->referral_id, acting->id);
	assert_string_equal(it->provider_agency, "mind");
	assert_string_equal(it->referrer_agency, "one-service");
	assert_int_equal(it->need, TTG__NEED_CATEGORY__NEED_HEALTH_WELLBEING);
	assert_string_equal(it->ask, "A first talk\nnext week");
	assert_int_equal(it->answer_by_at->unix_ns, must_at("2027-03-17 12:00"));
	assert_string_equal(it->wanted_by_date, "2027-03-20");
	assert_int_equal(it->setting, TTG__SETTING__SETTING_PRISON);
	assert_string_equal(it->prison_code, "PBI");
	assert_string_equal(it->release_date, "2027-03-19");
	assert_string_equal(it->area, "Peterborough");
	assert_string_equal(it->consent_version, "2026-1");
	assert_string_equal(it->scheme, "pilot");
	assert_string_equal(it->access_needs, "A ground floor");
	assert_string_equal(it->referrer->name, "Ann Example");
	assert_string_equal(it->contact->display_name, "Tom");
	assert_string_equal(it->contact->telephone, "07700 900123");
	assert_string_equal(it->contact->other_telephone, "07700 900124");
	assert_string_equal(it->contact->email, "t@example.org");
	assert_string_equal(it->contact->best_time, "Tuesday");
	assert_int_equal(it->contact->safe_to_leave_message, TTG__ANSWER__ANSWER_NO);
	assert_string_equal(it->contact->language_code, "pl");
	assert_true(it->contact->interpreter_needed);
}

static void a_referral_taken_back_has_every_field(void **state)
{
	struct acting *acting = *state;
	const Ttg__ReferralWithdrawn *it;
	char id[TTG_UUID_TEXT];

	must_enrol(acting);
	must_open(acting, page_referral, NULL);
	must_send(acting, page_referral_send,
	          "provider=sova&need=1&ask=A+mentor&setting=3&consent_version=2026-1", NULL);
	assert_null(acting->event->referral_sent->contact);
	assert_null(acting->event->referral_sent->answer_by_at);
	snprintf(id, sizeof(id), "%s", acting->id);
	must_take(acting);

	must_open(acting, page_referral_withdraw, id);
	must_show(&acting->bed, "sova");
	it = must_send(acting, page_referral_withdraw_send,
	               "reason=MOV&text=To+Leeds" WHEN("withdrawn"), id)
	             ->referral_withdrawn;
	assert_envelope(acting, "referral.withdrawn", "2027-03-12 09:30");
	assert_string_equal(it->referral_id, id);
	assert_string_equal(it->provider_agency, "sova");
	assert_string_equal(it->referrer_agency, "one-service");
	assert_string_equal(it->reason_code, "MOV");
	assert_string_equal(it->reason_description, "Moved out of the service's area");
	assert_string_equal(it->text, "To Leeds");
	assert_int_equal(it->withdrawn_at->unix_ns, must_at("2027-03-12 09:30"));
}

static void place_a_flag(struct acting *acting)
{
	must_open(acting, page_flag, NULL);
	must_show(&acting->bed, "01733 000000");
	must_send(acting, page_flag_send,
	          "action=1&contact_number=01733+000000&until=2028-03-01"
	          "&police_agency=cambridgeshire-police&consent_version=2026-1",
	          NULL);
}

/* The police's answer to the last request. */
static void answer_flag(struct acting *acting, const char *request)
{
	Ttg__Identifier number = TTG__IDENTIFIER__INIT;
	Ttg__Identifier *numbers[] = { &number };
	Ttg__Person person = TTG__PERSON__INIT;
	Ttg__PolicePncFlag flag = TTG__POLICE_PNC_FLAG__INIT;
	Ttg__Time time = TTG__TIME__INIT;
	Ttg__Event event = TTG__EVENT__INIT;
	uint8_t id[16] = { 0xf1 };
	static const uint8_t key[16] = { 1 };

	number.kind = TTG__IDENTIFIER_KIND__NOMS;
	number.value = number.canonical = (char *)(uintptr_t)tom.noms;
	number.validity = TTG__VALIDITY__VALID;
	person.n_identifiers = 1;
	person.identifiers = numbers;
	time.unix_ns = acting->bed.now_ns;
	flag.request_id = (char *)(uintptr_t)request;
	flag.outcome = TTG__FLAG_OUTCOME__FLAG_OUTCOME_PLACED;
	flag.flag_reference = (char *)"35/778";
	event.id.data = id;
	event.id.len = sizeof(id);
	event.source = (char *)"cambridgeshire-police";
	event.type = (char *)"police.pnc_flag";
	event.occurred_at = &time;
	event.person = &person;
	event.payload_case = TTG__EVENT__PAYLOAD_POLICE_PNC_FLAG;
	event.police_pnc_flag = &flag;
	desk_bed_put(&acting->bed, &event, key, acting->bed.now_ns);
	must_follow(&acting->bed);
}

static void a_flag_is_placed_renewed_and_lifted(void **state)
{
	struct acting *acting = *state;
	const Ttg__ServiceFlagRequested *it;

	must_enrol(acting);
	place_a_flag(acting);
	it = acting->event->service_flag_requested;
	assert_envelope(acting, "service.flag_requested", NULL);
	assert_string_equal(it->request_id, acting->id);
	assert_int_equal(it->action, TTG__FLAG_ACTION__FLAG_ACTION_PLACE);
	assert_string_equal(it->contact_number, "01733 000000");
	assert_string_equal(it->until_date, "2028-03-01");
	assert_string_equal(it->police_agency, "cambridgeshire-police");
	assert_string_equal(it->consent_version, "2026-1");
	assert_string_equal(it->scheme, "pilot");
	assert_string_equal(it->requested_by->name, "Ann Example");
	must_take(acting);
	must_open(acting, page_flag, NULL);
	must_show(&acting->bed, "have not answered the last request");
	answer_flag(acting, acting->event->service_flag_requested->request_id);

	must_open(acting, page_flag, NULL);
	must_show(&acting->bed, "value=\"35/778\"");
	it = must_send(acting, page_flag_send,
	               "action=3&flag_reference=35/778&contact_number=01733+9&until=2028-06-01"
	               "&police_agency=cambridgeshire-police&consent_version=2026-1",
	               NULL)
	             ->service_flag_requested;
	assert_int_equal(it->action, TTG__FLAG_ACTION__FLAG_ACTION_RENEW);
	assert_string_equal(it->flag_reference, "35/778");
	assert_string_equal(it->contact_number, "01733 9");
	assert_string_equal(it->until_date, "2028-06-01");
	must_take(acting);

	must_open(acting, page_flag, NULL);
	it = must_send(acting, page_flag_send,
	               "action=2&flag_reference=35/778&police_agency=cambridgeshire-police"
	               "&consent_version=2026-1",
	               NULL)
	             ->service_flag_requested;
	assert_int_equal(it->action, TTG__FLAG_ACTION__FLAG_ACTION_LIFT);
	assert_string_equal(it->flag_reference, "35/778");
}

static void a_request_for_access_is_about_nobody(void **state)
{
	struct acting *acting = *state;
	const Ttg__ServiceAccessRequested *it;

	must_open(acting, page_access, NULL);
	it = must_send(acting, page_access_send,
	               "name=P.+Lind&role=volunteer&telephone=01733+1&agency=sova&prison_code=PBI"
	               "&purpose=2&from=2027-03-15&until=2027-09-15&note=Mentor"
	               "&vetting_reference=CTC-1&vetting_until=2028-01-01&keys=yes",
	               NULL)
	             ->service_access_requested;
	assert_envelope(acting, "service.access_requested", NULL);
	assert_null(acting->event->person);
	assert_string_equal(it->request_id, acting->id);
	assert_string_equal(it->applicant->name, "P. Lind");
	assert_string_equal(it->applicant->role, "volunteer");
	assert_string_equal(it->applicant->telephone, "01733 1");
	assert_string_equal(it->applicant_agency, "sova");
	assert_string_equal(it->prison_code, "PBI");
	assert_int_equal(it->purpose, TTG__ACCESS_PURPOSE__ACCESS_PURPOSE_VOLUNTEERING);
	assert_string_equal(it->from_date, "2027-03-15");
	assert_string_equal(it->until_date, "2027-09-15");
	assert_string_equal(it->note, "Mentor");
	assert_string_equal(it->vetting_reference, "CTC-1");
	assert_string_equal(it->vetting_until_date, "2028-01-01");
	assert_true(it->keys_wanted);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, act_set_up, act_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_enrolment_has_every_field),
		TEST(another_caseworker_is_an_enrolment_with_the_rest_as_it_was),
		TEST(somebody_new_is_enrolled_by_his_numbers),
		TEST(a_contact_has_every_field),
		TEST(a_contact_of_his_own_names_the_user),
		TEST(an_assessment_has_the_whole_list),
		TEST(a_gate_meeting_has_every_field),
		TEST(an_exit_and_a_return_have_every_field),
		TEST(a_withdrawal_is_asked_twice),
		TEST(a_withdrawal_from_every_scheme_names_none),
		TEST(a_referral_has_every_field),
		TEST(a_referral_taken_back_has_every_field),
		TEST(a_flag_is_placed_renewed_and_lifted),
		TEST(a_request_for_access_is_about_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
