/*
 * The probation adapter: cases, links, registers, recalls, referrals and contacts. Everything in
 * the documents is invented.
 */
#include <stdio.h>
#include <stdlib.h>
#include "adapter_unit.h"
#include "probation/probation.h"

static struct reader reader;

static void open_with(void **state, const struct probation_settings *settings)
{
	reader_open(&reader, &probation_kind, *state, settings);
}

static int set_up(void **state)
{
	static const struct probation_settings settings = {
		.voluntary_types = { .items = { "ONES" }, .n = 1 },
		.referral_provider = "st-giles",
	};

	if (folder_set_up(state) != 0)
		return -1;
	open_with(state, &settings);
	return 0;
}

static int tear_down(void **state)
{
	reader_close(&reader);
	return folder_tear_down(state);
}

#define PROBATION_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* A domain event about CRN X700101; more: further identifiers, extra: additionalInformation. */
static const char *event(const char *type, const char *more, const char *extra)
{
	static char text[1024];

	snprintf(text, sizeof(text),
	         "{\"eventType\":\"%s\",\"version\":1,\"occurredAt\":"
	         "\"2026-10-28T14:00:00.5+00:00\",\"additionalInformation\":{%s},"
	         "\"personReference\":{\"identifiers\":[{\"type\":\"CRN\",\"value\":\"X700101\"}%s]"
	         "}}",
	         type, extra, more);
	return text;
}

static void a_new_case_and_a_new_manager_are_case_events(void **state)
{
	const Ttg__Event *made = must_read_one(
	        &reader, event("probation-case.engagement.created", "", ""), "probation.case");

	(void)state;
	assert_int_equal(made->probation_case->status, TTG__CASE_STATUS__CASE_STATUS_OPENED);
	assert_string_equal(made->person->identifiers[0]->canonical, "X700101");
	assert_int_equal(must_read_one(&reader, event("person.community.manager.allocated", "", ""),
	                               "probation.case")
	                         ->probation_case->status,
	                 TTG__CASE_STATUS__CASE_STATUS_MANAGER_ALLOCATED);
}

static void a_prison_number_on_a_case_links_the_two(void **state)
{
	const Ttg__ProbationIdentifierLinked *linked =
	        must_read_one(&reader,
	                      event("probation-case.prison-identifier.added",
	                            ",{\"type\":\"nomsNumber\",\"value\":\"A7421BQ\"}",
	                            "\"bookingNumber\":\"90017C\""),
	                      "probation.identifier_linked")
	                ->probation_identifier_linked;

	(void)state;
	assert_string_equal(linked->crn->canonical, "X700101");
	assert_string_equal(linked->linked->canonical, "A7421BQ");
	assert_string_equal(linked->booking_number, "90017C");
	assert_int_equal(linked->action, TTG__LINK_ACTION__LINK_ACTION_ADDED);
	must_refuse(&reader, event("probation-case.prison-identifier.added", "", ""), "missing");
}

static void a_merge_and_its_undoing_name_both_cases(void **state)
{
	const Ttg__ProbationCaseMerged *merged =
	        must_read_one(&reader,
	                      event("probation-case.merge.completed", "",
	                            "\"sourceCRN\":\"X700102\",\"targetCRN\":\"X700101\""),
	                      "probation.case_merged")
	                ->probation_case_merged;
	const Ttg__ProbationCaseUnmerged *unmerged;

	(void)state;
	assert_string_equal(merged->source->value, "X700102");
	assert_string_equal(merged->target->value, "X700101");
	unmerged =
	        must_read_one(&reader,
	                      event("probation-case.unmerge.completed", "",
	                            "\"reactivatedCRN\":\"X700102\",\"unmergedCRN\":\"X700101\""),
	                      "probation.case_unmerged")
	                ->probation_case_unmerged;
	assert_string_equal(unmerged->reactivated->value, "X700102");
	assert_string_equal(unmerged->unmerged->value, "X700101");
}

static void level_and_category_stay_apart_and_codes_keep_their_wording(void **state)
{
	const Ttg__ProbationRegistration *made =
	        must_read_one(
	                &reader,
	                event("probation-case.registration.added", "",
	                      "\"registerTypeCode\":\"MAPP\",\"registerTypeDescription\":\"MAPPA\","
	                      "\"registrationLevelCode\":\"M2\","
	                      "\"registrationLevelDescription\":\"Level 2\","
	                      "\"registrationCategoryCode\":\"M1\","
	                      "\"registrationCategoryDescription\":\"Category 1\","
	                      "\"registrationId\":\"77\","
	                      "\"registrationDate\":\"Wed Oct 28 00:00:00 GMT 2026\""),
	                "probation.registration")
	                ->probation_registration;

	(void)state;
	assert_string_equal(made->register_code, "MAPP");
	assert_string_equal(made->register_description, "MAPPA");
	assert_string_equal(made->level_code, "M2");
	assert_string_equal(made->category_code, "M1");
	assert_string_equal(made->registered_date, "2026-10-28");
}

static void a_high_risk_register_is_also_an_escalation(void **state)
{
	(void)state;
	reader_take(&reader, event("probation-case.registration.added", "",
	                           "\"registerTypeCode\":\"RHRH\",\"registrationId\":\"78\""));
	assert_int_equal(reader.n, 2);
	assert_string_equal(reader.events[1]->type, "probation.risk_escalated");
	assert_int_equal(reader.events[1]->probation_risk_escalated->to_level,
	                 TTG__RISK_LEVEL__RISK_LEVEL_HIGH);
	assert_int_equal(reader.events[1]->urgency, TTG__URGENCY__URGENT);
}

static void a_recommendation_is_a_stage_of_a_recall(void **state)
{
	(void)state;
	assert_int_equal(must_read_one(&reader,
	                               event("prison-recall.recommendation.started", "", ""),
	                               "probation.recall")
	                         ->probation_recall->stage,
	                 TTG__RECALL_STAGE__RECALL_STAGE_CONSIDERED);
	assert_int_equal(must_read_one(&reader,
	                               event("prison-recall.recommendation.management-oversight",
	                                     "", "\"contactOutcome\":\"DECISION_TO_RECALL\""),
	                               "probation.recall")
	                         ->probation_recall->stage,
	                 TTG__RECALL_STAGE__RECALL_STAGE_REQUESTED);
	assert_int_equal(must_read_one(&reader,
	                               event("prison-recall.recommendation.management-oversight",
	                                     "", "\"contactOutcome\":\"DECISION_NOT_TO_RECALL\""),
	                               "probation.recall")
	                         ->probation_recall->stage,
	                 TTG__RECALL_STAGE__RECALL_STAGE_NOT_RECALLED);
}

static void a_referral_ends_or_is_withdrawn_by_its_code(void **state)
{
	const Ttg__ReferralSent *sent =
	        must_read_one(&reader,
	                      event("intervention.referral.sent", "", "\"referralId\":\"R-1\""),
	                      "referral.sent")
	                ->referral_sent;

	(void)state;
	assert_string_equal(sent->provider_agency, "st-giles");
	assert_string_equal(sent->referrer_agency, ADAPTER_AGENCY);
	assert_int_equal(
	        must_read_one(&reader,
	                      event("intervention.referral.ended", "",
	                            "\"referralId\":\"R-1\",\"deliveryState\":\"COMPLETED\""),
	                      "referral.ended")
	                ->referral_ended->outcome,
	        TTG__REFERRAL_OUTCOME__REFERRAL_OUTCOME_COMPLETED);
	assert_string_equal(
	        must_read_one(&reader,
	                      event("intervention.referral.ended", "",
	                            "\"referralId\":\"R-1\",\"deliveryState\":\"CANCELLED\","
	                            "\"withdrawalCode\":\"MIS\""),
	                      "referral.withdrawn")
	                ->referral_withdrawn->reason_code,
	        "MIS");
}

/* A contact of a type, with an outcome; extra begins with a comma or is empty. */
static const char *contact(const char *type, const char *outcome, const char *extra)
{
	static char text[1024];

	snprintf(
	        text, sizeof(text),
	        "{\"id\":9001,\"crn\":\"X700101\",\"contactDate\":\"2026-10-27\","
	        "\"contactStartTime\":\"10:30\",\"type\":{\"code\":\"%s\",\"description\":"
	        "\"Planned office visit\"},\"outcome\":{\"code\":\"%s\",\"description\":\"words\"},"
	        "\"location\":\"Bridge Street\",\"officer\":{\"code\":\"N01A001\",\"name\":"
	        "\"An Officer\",\"team\":{\"code\":\"N01T1\",\"description\":\"Team One\"}},"
	        "\"notes\":\"nobody else's business\"%s}",
	        type, outcome, extra);
	return text;
}

static void a_contact_carries_codes_and_wording_and_never_its_notes(void **state)
{
	const Ttg__ProbationContact *made =
	        must_read_one(&reader, contact("COAP", "ATTC", ""), "probation.contact")
	                ->probation_contact;
	const struct intake_event *raw = &reader.intake.events[0];

	(void)state;
	assert_string_equal(made->type_code, "COAP");
	assert_string_equal(made->type_description, "Planned office visit");
	assert_string_equal(made->outcome_code, "ATTC");
	assert_string_equal(made->contact_id, "9001");
	assert_string_equal(made->officer->team, "Team One");
	assert_string_equal(made->location, "Bridge Street");
	assert_int_equal(made->contact_at->unix_ns, instant_of("2026-10-27T10:30:00Z"));
	assert_null(memmem(raw->bytes, raw->len, "business", 8));
}

static void outcomes_say_who_came_and_who_complied(void **state)
{
	static const struct {
		const char *code;
		int attended, complied;
	} cases[] = {
		{ "ATTC", TTG__ANSWER__ANSWER_YES, TTG__ANSWER__ANSWER_YES },
		{ "AFTC", TTG__ANSWER__ANSWER_YES, TTG__ANSWER__ANSWER_NO },
		{ "ATSH", TTG__ANSWER__ANSWER_YES, TTG__ANSWER__ANSWER_NO },
		{ "AFDA", TTG__ANSWER__ANSWER_NO, TTG__ANSWER__ANSWER_UNSPECIFIED },
		{ "UAAB", TTG__ANSWER__ANSWER_NO, TTG__ANSWER__ANSWER_NO },
		{ "AFTA", TTG__ANSWER__ANSWER_NO, TTG__ANSWER__ANSWER_NO },
		{ "XXXX", TTG__ANSWER__ANSWER_UNSPECIFIED, TTG__ANSWER__ANSWER_UNSPECIFIED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const Ttg__ProbationContact *made =
		        must_read_one(&reader, contact("COAP", cases[i].code, ""),
		                      "probation.contact")
		                ->probation_contact;

		assert_int_equal(made->attended, cases[i].attended);
		assert_int_equal(made->complied, cases[i].complied);
	}
}

static void a_sensitive_contact_stays_unless_the_configuration_says_otherwise(void **state)
{
	struct probation_settings settings = { .publish_sensitive = true };

	reader_take(&reader, contact("COAP", "ATTC", ",\"isSensitive\":true"));
	assert_int_equal(reader.n, 0);
	assert_int_equal(reader.intake.total_problems, 0);
	assert_int_equal(intake_ignored(&reader.intake, "sensitive"), 1);
	reader_close(&reader);
	open_with(state, &settings);
	assert_int_equal(must_read_one(&reader, contact("COAP", "ATTC", ",\"isSensitive\":true"),
	                               "probation.contact")
	                         ->marking,
	                 TTG__MARKING__OFFICIAL_SENSITIVE);
	assert_int_equal(
	        must_read_one(&reader, contact("COAP", "ATTC", ""), "probation.contact")->marking,
	        TTG__MARKING__OFFICIAL);
}

static void an_enforcement_action_is_a_breach_or_a_recall_of_its_own(void **state)
{
	(void)state;
	reader_take(&reader,
	            contact("COAP", "AFTA",
	                    ",\"enforcement\":{\"code\":\"EA03\",\"description\":\"Final\"}"));
	assert_int_equal(reader.n, 2);
	assert_string_equal(reader.events[1]->type, "probation.breach");
	assert_int_equal(reader.events[1]->probation_breach->stage,
	                 TTG__BREACH_STAGE__BREACH_STAGE_FINAL_WARNING);
	reader_take(&reader, contact("COAP", "AFTA", ",\"enforcement\":{\"code\":\"EA11\"}"));
	assert_int_equal(reader.n, 2);
	assert_int_equal(reader.events[1]->probation_recall->stage,
	                 TTG__RECALL_STAGE__RECALL_STAGE_REQUESTED);
	must_read_one(&reader, contact("COAP", "AFTA", ",\"enforcement\":{\"code\":\"ROM\"}"),
	              "probation.contact");
}

static void a_missed_appointment_of_the_voluntary_service_is_no_breach(void **state)
{
	(void)state;
	reader_take(&reader, contact("ONES", "AFTA", ",\"enforcement\":{\"code\":\"BRE\"}"));
	assert_int_equal(reader.n, 0);
	assert_int_equal(intake_ignored(&reader.intake, "voluntary-missed"), 1);
	must_read_one(&reader, contact("ONES", "ATTC", ""), "probation.contact");
}

static void contacts_come_as_csv_as_well(void **state)
{
	(void)state;
	reader_take(&reader, "CRN,Contact ID,Date,Time,Type,Type Description,Outcome,Sensitive\r\n"
	                     "X700101,1,27/10/2026,10:30,COAP,\"Visit, planned\",ATTC,N\r\n"
	                     "X700102,2,27/10/2026,11:30,COPT,Telephone,,N\r\n"
	                     "X700103,3,no date,11:30,COPT,Telephone,,N\r\n"
	                     "X700104,4,27/10/2026,,COAP,Visit,ATTC,Y\r\n");
	assert_int_equal(reader.n, 2);
	assert_string_equal(reader.events[0]->probation_contact->type_description,
	                    "Visit, planned");
	assert_string_equal(reader.events[0]->probation_contact->contact_date, "2026-10-27");
	assert_int_equal(reader.intake.total_problems, 1);
	assert_int_equal(reader.intake.problems[0].line, 4);
	assert_int_equal(intake_ignored(&reader.intake, "sensitive"), 1);
}

static void unknown_types_are_counted(void **state)
{
	(void)state;
	reader_take(&reader, event("risk-assessment.scores.rsr.determined", "", ""));
	assert_int_equal(reader.n, 0);
	assert_int_equal(reader.intake.ignored, 1);
	assert_int_equal(reader.intake.total_problems, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROBATION_TEST(a_new_case_and_a_new_manager_are_case_events),
		PROBATION_TEST(a_prison_number_on_a_case_links_the_two),
		PROBATION_TEST(a_merge_and_its_undoing_name_both_cases),
		PROBATION_TEST(level_and_category_stay_apart_and_codes_keep_their_wording),
		PROBATION_TEST(a_high_risk_register_is_also_an_escalation),
		PROBATION_TEST(a_recommendation_is_a_stage_of_a_recall),
		PROBATION_TEST(a_referral_ends_or_is_withdrawn_by_its_code),
		PROBATION_TEST(a_contact_carries_codes_and_wording_and_never_its_notes),
		PROBATION_TEST(outcomes_say_who_came_and_who_complied),
		PROBATION_TEST(a_sensitive_contact_stays_unless_the_configuration_says_otherwise),
		PROBATION_TEST(an_enforcement_action_is_a_breach_or_a_recall_of_its_own),
		PROBATION_TEST(a_missed_appointment_of_the_voluntary_service_is_no_breach),
		PROBATION_TEST(contacts_come_as_csv_as_well),
		PROBATION_TEST(unknown_types_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
