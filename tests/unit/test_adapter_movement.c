/*
 * Movements of the prison adapter: each way in which real domain events mislead, and what comes of
 * it. All numbers are invented.
 */
#include <stdio.h>
#include <stdlib.h>
#include "adapter_unit.h"
#include "common/build.h"
#include "prison/prison.h"

static const struct prison_settings both_views = {
	.views = PRISON_VIEW_IMMEDIATE | PRISON_VIEW_SETTLED,
	.max_vanish_percent = 20,
	.max_vanish_count = 2,
	.urgent_hours = 72,
};

static struct reader reader;

static int set_up(void **state)
{
	if (folder_set_up(state) != 0)
		return -1;
	reader_open(&reader, &prison_kind, *state, &both_views);
	return 0;
}

static int tear_down(void **state)
{
	reader_close(&reader);
	return folder_tear_down(state);
}

#define MOVEMENT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define PERSON              "\"personReference\":{\"identifiers\":[" \
	"{\"type\":\"NOMS\",\"value\":\"A7421BQ\"}]}"
#define AT                  "\"occurredAt\":\"2026-10-30T09:12:00Z\""

/* A movement event of the given feed; extra: further members of additionalInformation. */
static const char *moved(const char *feed, const char *what, const char *reason, const char *extra)
{
	static char text[1024];

	snprintf(text, sizeof(text),
	         "{\"eventType\":\"%s.prisoner.%s\",\"version\":1," AT ",\"additionalInformation\":"
	         "{\"nomsNumber\":\"A7421BQ\",\"prisonId\":\"PBI\",\"reason\":\"%s\"%s}," PERSON
	         "}",
	         feed, what, reason, extra);
	return text;
}

static const char *settled(const char *what, const char *reason, const char *extra)
{
	return moved("prison-offender-events", what, reason, extra);
}

static const char *immediate(const char *what, const char *reason)
{
	return moved("prisoner-offender-search", what, reason, "");
}

static const Ttg__PrisonReleased *released_with(const char *code)
{
	char extra[160];

	snprintf(extra, sizeof(extra),
	         ",\"nomisMovementReasonCode\":\"%s\",\"currentLocation\":\"OUTSIDE_PRISON\","
	         "\"currentPrisonStatus\":\"NOT_UNDER_PRISON_CARE\"",
	         code);
	return must_read_one(&reader, settled("released", "RELEASED", extra), "prison.released")
	        ->prison_released;
}

static void a_conditional_release_is_at_liberty(void **state)
{
	const Ttg__PrisonReleased *released = released_with("CR");

	(void)state;
	assert_true(released->at_liberty);
	assert_int_equal(released->reason, TTG__RELEASE_REASON__RELEASE_REASON_RELEASED);
	assert_string_equal(released->prison_code, "PBI");
	assert_string_equal(released->movement_reason_code, "CR");
	assert_int_equal(released->view, TTG__MOVEMENT_VIEW__MOVEMENT_VIEW_SETTLED);
}

static void a_man_who_died_is_not_at_liberty(void **state)
{
	const Ttg__PrisonReleased *released = released_with("DEC");

	(void)state;
	assert_false(released->at_liberty);
	assert_int_equal(released->reason, TTG__RELEASE_REASON__RELEASE_REASON_DIED);
}

static void an_absconder_a_merged_record_and_a_deportee_are_not_at_liberty(void **state)
{
	static const struct {
		const char *code;
		Ttg__ReleaseReason reason;
	} cases[] = {
		{ "UAL", TTG__RELEASE_REASON__RELEASE_REASON_ABSCONDED },
		{ "MRG", TTG__RELEASE_REASON__RELEASE_REASON_RECORD_MERGED },
		{ "DD", TTG__RELEASE_REASON__RELEASE_REASON_IMMIGRATION },
		{ "DE", TTG__RELEASE_REASON__RELEASE_REASON_IMMIGRATION },
		{ "DL", TTG__RELEASE_REASON__RELEASE_REASON_IMMIGRATION },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const Ttg__PrisonReleased *released = released_with(cases[i].code);

		assert_false(released->at_liberty);
		assert_int_equal(released->reason, cases[i].reason);
	}
}

static void a_release_to_a_secure_hospital_is_an_absence(void **state)
{
	static const char *const codes[] = { "HO", "HP", "HQ" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char extra[64];

		snprintf(extra, sizeof(extra), ",\"nomisMovementReasonCode\":\"%s\"", codes[i]);
		assert_int_equal(must_read_one(&reader, settled("released", "RELEASED", extra),
		                               "prison.absence")
		                         ->prison_absence->kind,
		                 TTG__ABSENCE_KIND__ABSENCE_KIND_SECURE_HOSPITAL);
	}
}

static void released_to_court_transfer_hospital_or_leave_is_an_absence(void **state)
{
	static const struct {
		const char *reason;
		Ttg__AbsenceKind kind;
	} cases[] = {
		{ "SENT_TO_COURT", TTG__ABSENCE_KIND__ABSENCE_KIND_COURT },
		{ "TRANSFERRED", TTG__ABSENCE_KIND__ABSENCE_KIND_TRANSFER },
		{ "RELEASED_TO_HOSPITAL", TTG__ABSENCE_KIND__ABSENCE_KIND_HOSPITAL },
		{ "TEMPORARY_ABSENCE_RELEASE", TTG__ABSENCE_KIND__ABSENCE_KIND_TEMPORARY },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const Ttg__Event *event = must_read_one(
		        &reader, immediate("released", cases[i].reason), "prison.absence");

		assert_int_equal(event->prison_absence->kind, cases[i].kind);
		assert_int_equal(event->urgency, TTG__URGENCY__ROUTINE);
	}
}

static void a_release_still_under_prison_care_is_not_at_liberty(void **state)
{
	(void)state;
	assert_false(must_read_one(&reader,
	                           settled("released", "RELEASED",
	                                   ",\"currentPrisonStatus\":\"UNDER_PRISON_CARE\""),
	                           "prison.released")
	                     ->prison_released->at_liberty);
	assert_false(must_read_one(&reader, settled("released", "UNKNOWN", ""), "prison.released")
	                     ->prison_released->at_liberty);
}

static void a_new_admission_is_a_reception(void **state)
{
	const Ttg__Event *event =
	        must_read_one(&reader, immediate("received", "NEW_ADMISSION"), "prison.reception");

	(void)state;
	assert_int_equal(event->prison_reception->reason,
	                 TTG__RECEPTION_REASON__RECEPTION_REASON_NEW_ADMISSION);
	assert_int_equal(event->prison_reception->view,
	                 TTG__MOVEMENT_VIEW__MOVEMENT_VIEW_IMMEDIATE);
	assert_int_equal(event->urgency, TTG__URGENCY__PROMPT);
	assert_string_equal(event->source, ADAPTER_AGENCY);
	assert_string_equal(event->person->identifiers[0]->canonical, "A7421BQ");
}

static void a_return_from_court_ends_an_absence(void **state)
{
	const Ttg__PrisonAbsenceEnded *ended =
	        must_read_one(&reader, immediate("received", "RETURN_FROM_COURT"),
	                      "prison.absence_ended")
	                ->prison_absence_ended;

	(void)state;
	assert_int_equal(ended->kind, TTG__ABSENCE_KIND__ABSENCE_KIND_COURT);
	assert_int_equal(ended->outcome, TTG__ABSENCE_OUTCOME__ABSENCE_OUTCOME_RETURNED);
}

static void an_arrival_by_transfer_ends_the_absence_and_is_a_reception(void **state)
{
	(void)state;
	reader_take(&reader, immediate("received", "TRANSFERRED"));
	assert_int_equal(reader.n, 2);
	assert_string_equal(reader.events[0]->type, "prison.absence_ended");
	assert_int_equal(reader.events[0]->prison_absence_ended->outcome,
	                 TTG__ABSENCE_OUTCOME__ABSENCE_OUTCOME_ARRIVED);
	assert_string_equal(reader.events[1]->type, "prison.reception");
	assert_memory_not_equal(reader.events[0]->id.data, reader.events[1]->id.data, 16);
}

static void a_restricted_patient_is_in_a_secure_hospital(void **state)
{
	(void)state;
	assert_int_equal(must_read_one(&reader,
	                               "{\"eventType\":\"restricted-patients.patient.added\","
	                               "\"version\":1," AT ",\"additionalInformation\":"
	                               "{\"prisonerNumber\":\"A7421BQ\"}}",
	                               "prison.absence")
	                         ->prison_absence->kind,
	                 TTG__ABSENCE_KIND__ABSENCE_KIND_SECURE_HOSPITAL);
}

static void a_merge_trusts_the_fields_and_not_the_description(void **state)
{
	const Ttg__PrisonRecordMerged *merged =
	        must_read_one(&reader,
	                      "{\"eventType\":\"prison-offender-events.prisoner.merged\","
	                      "\"version\":1," AT ",\"description\":"
	                      "\"A prisoner has been merged from A7421BQ to A7422BQ\","
	                      "\"additionalInformation\":{\"nomsNumber\":\"A7421BQ\","
	                      "\"removedNomsNumber\":\"A7422BQ\",\"reason\":\"MERGE\"}," PERSON "}",
	                      "prison.record_merged")
	                ->prison_record_merged;

	(void)state;
	assert_string_equal(merged->surviving->canonical, "A7421BQ");
	assert_string_equal(merged->removed->canonical, "A7422BQ");
	assert_int_equal(merged->removed->validity, TTG__VALIDITY__VALID);
}

static void a_moved_booking_names_both_numbers(void **state)
{
	const Ttg__Event *event = must_read_one(
	        &reader,
	        "{\"eventType\":\"prison-offender-events.prisoner.booking.moved\",\"version\":1," AT
	        ",\"additionalInformation\":{\"movedFromNomsNumber\":\"A7422BQ\","
	        "\"movedToNomsNumber\":\"A7421BQ\",\"bookingNumber\":\"90017C\","
	        "\"bookingStartDateTime\":\"2026-08-11T10:00:00\"}}",
	        "prison.booking_moved");

	(void)state;
	assert_string_equal(event->prison_booking_moved->moved_from->value, "A7422BQ");
	assert_string_equal(event->prison_booking_moved->moved_to->value, "A7421BQ");
	assert_string_equal(event->prison_booking_moved->booking_start_date, "2026-08-11");
	assert_string_equal(event->person->identifiers[0]->value, "A7421BQ");
}

static void a_notification_of_the_queue_is_unwrapped(void **state)
{
	const Ttg__Event *event = must_read_one(
	        &reader,
	        "{\"Type\":\"Notification\",\"MessageId\":\"1\",\"TopicArn\":\"arn:x\","
	        "\"Message\":\"{\\\"eventType\\\":\\\"prisoner-offender-search."
	        "prisoner.released\\\","
	        "\\\"version\\\":1,\\\"occurredAt\\\":\\\"2026-10-30T09:12:00Z\\\","
	        "\\\"additionalInformation\\\":{\\\"nomsNumber\\\":\\\"A7421BQ\\\","
	        "\\\"reason\\\":\\\"RELEASED\\\",\\\"prisonId\\\":\\\"PBI\\\"}}\"}",
	        "prison.released");

	(void)state;
	assert_true(event->prison_released->at_liberty);
}

static void every_key_for_the_prison_number_is_understood(void **state)
{
	static const char *const members[] = {
		"\"additionalInformation\":{\"nomsNumber\":\"A7421BQ\"",
		"\"additionalInformation\":{\"prisonerNumber\":\"A7421BQ\"",
		"\"additionalInformation\":{\"prisonerId\":\"A7421BQ\"",
		"\"additionalInformation\":{\"offenderNo\":\"A7421BQ\"",
		"\"personReference\":{\"identifiers\":[{\"type\":\"nomsNumber\",\"value\":"
		"\"A7421BQ\"}]},\"additionalInformation\":{\"x\":1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
		char text[512];
		const Ttg__Event *event;

		snprintf(text, sizeof(text),
		         "{\"eventType\":\"prisoner-offender-search.prisoner.received\","
		         "\"version\":1," AT ",%s,\"reason\":\"NEW_ADMISSION\"}}",
		         members[i]);
		event = must_read_one(&reader, text, "prison.reception");
		assert_string_equal(event->person->identifiers[0]->value, "A7421BQ");
		assert_int_equal(event->person->identifiers[0]->kind, TTG__IDENTIFIER_KIND__NOMS);
	}
}

static void version_may_be_one_two_or_a_text_and_nothing_else(void **state)
{
	static const char *const fine[] = { "1", "2", "\"1.0\"", "\"2\"" };
	static const char *const wrong[] = { "0", "3", "\"one\"", "null" };
	char text[512];

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		snprintf(text, sizeof(text),
		         "{\"eventType\":\"prisoner-offender-search.prisoner.received\","
		         "\"version\":%s," AT ",\"additionalInformation\":"
		         "{\"reason\":\"NEW_ADMISSION\"}," PERSON "}",
		         i < 4 ? fine[i] : wrong[i - 4]);
		if (i < 4)
			must_read_one(&reader, text, "prison.reception");
		else
			must_refuse(&reader, text, "version");
	}
}

static void times_of_every_spelling_become_utc_and_keep_the_original(void **state)
{
	static const char *const spellings[] = {
		"2026-10-30T09:12:00Z",           "2026-10-30T09:12:00.0Z",
		"2026-10-30T09:12:00.000000000Z", "2026-10-30T10:12:00+01:00",
		"2026-10-30 09:12:00Z",           "2026-10-30T09:12:00Z[Europe/London]",
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(spellings) / sizeof(*spellings); i++) {
		const Ttg__Event *event;

		snprintf(text, sizeof(text),
		         "{\"eventType\":\"prisoner-offender-search.prisoner.received\","
		         "\"version\":1,\"occurredAt\":\"%s\",\"additionalInformation\":"
		         "{\"reason\":\"NEW_ADMISSION\"}," PERSON "}",
		         spellings[i]);
		event = must_read_one(&reader, text, "prison.reception");
		assert_int_equal(event->occurred_at->unix_ns, instant_of("2026-10-30T09:12:00Z"));
		assert_string_equal(event->occurred_at->original, spellings[i]);
	}
}

static void a_null_or_placeholder_detail_url_does_no_harm(void **state)
{
	static const char *const urls[] = { "null", "\"\"", "\"None\"", "\"text\"" };
	char text[512];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		snprintf(text, sizeof(text),
		         "{\"eventType\":\"prisoner-offender-search.prisoner.received\","
		         "\"version\":1,\"detailUrl\":%s," AT ",\"additionalInformation\":"
		         "{\"reason\":\"NEW_ADMISSION\"}," PERSON "}",
		         urls[i]);
		must_read_one(&reader, text, "prison.reception");
	}
}

static void two_messages_that_mean_the_same_have_one_id(void **state)
{
	uint8_t first[16];

	(void)state;
	memcpy(first,
	       must_read_one(&reader, settled("released", "RELEASED", ",\"details\":\"a\""),
	                     "prison.released")
	               ->id.data,
	       16);
	assert_memory_equal(
	        first,
	        must_read_one(&reader,
	                      settled("released", "RELEASED", ",\"details\":\"b\",\"x\":1"),
	                      "prison.released")
	                ->id.data,
	        16);
	assert_memory_not_equal(first,
	                        must_read_one(&reader,
	                                      settled("released", "RELEASED",
	                                              ",\"nomisMovementReasonCode\":\"CR\""),
	                                      "prison.released")
	                                ->id.data,
	                        16);
	assert_memory_not_equal(
	        first,
	        must_read_one(&reader, immediate("released", "RELEASED"), "prison.released")
	                ->id.data,
	        16);
}

static void unknown_and_thin_types_are_counted_and_do_not_fail(void **state)
{
	(void)state;
	reader_take(&reader,
	            "{\"eventType\":\"incentives.level.changed\",\"version\":\"1.0\"}\n"
	            "{\"eventType\":\"prison-offender-events.prisoner.sentence-dates-changed\"}\n"
	            "{\"eventType\":\"incentives.level.changed\"}\n");
	assert_int_equal(reader.n, 0);
	assert_int_equal(reader.intake.total_problems, 0);
	assert_int_equal(reader.intake.ignored, 3);
	assert_int_equal(intake_ignored(&reader.intake, "incentives.level.changed"), 2);
}

static void a_view_that_is_not_wanted_is_counted(void **state)
{
	struct prison_settings settings = both_views;
	struct reader one = { 0 };
	const struct folder *folder = *state;
	struct folder inner;

	settings.views = PRISON_VIEW_SETTLED;
	folder_make(folder, "one");
	snprintf(inner.path, sizeof(inner.path), "%.200s/one", folder->path);
	reader_open(&one, &prison_kind, &inner, &settings);
	reader_take(&one, immediate("released", "RELEASED"));
	assert_int_equal(one.n, 0);
	assert_int_equal(one.intake.ignored, 1);
	assert_int_equal(must_read_one(&one, settled("released", "RELEASED", ""), "prison.released")
	                         ->urgency,
	                 TTG__URGENCY__URGENT);
	reader_close(&one);
}

static void a_settled_release_does_not_alarm_twice(void **state)
{
	(void)state;
	assert_int_equal(
	        must_read_one(&reader, immediate("released", "RELEASED"), "prison.released")
	                ->urgency,
	        TTG__URGENCY__URGENT);
	assert_int_equal(
	        must_read_one(&reader, settled("released", "RELEASED", ""), "prison.released")
	                ->urgency,
	        TTG__URGENCY__PROMPT);
}

static void a_wrong_number_is_flagged_and_kept(void **state)
{
	const Ttg__Event *event = must_read_one(
	        &reader,
	        "{\"eventType\":\"prisoner-offender-search.prisoner.received\",\"version\":1," AT
	        ",\"additionalInformation\":{\"nomsNumber\":\"74A21\",\"reason\":"
	        "\"NEW_ADMISSION\"}}",
	        "prison.reception");

	(void)state;
	assert_string_equal(event->person->identifiers[0]->value, "74A21");
	assert_string_equal(event->person->identifiers[0]->canonical, "");
	assert_int_equal(event->person->identifiers[0]->validity, TTG__VALIDITY__INVALID_FORM);
}

static void one_broken_item_leaves_the_others_alone(void **state)
{
	char text[2048];

	(void)state;
	snprintf(text, sizeof(text), "%s\n{\"eventType\":\n{\"nothing\":1}\n",
	         immediate("received", "NEW_ADMISSION"));
	strcat(text, immediate("received", "READMISSION"));
	reader_take(&reader, text);
	assert_int_equal(reader.n, 2);
	assert_int_equal(reader.intake.total_problems, 2);
	assert_int_equal(reader.intake.problems[0].line, 2);
	assert_int_equal(reader.intake.problems[1].line, 3);
	assert_string_equal(reader.intake.rejected, "{\"eventType\":\n{\"nothing\":1}\n");
}

static void a_catalogue_event_of_the_family_passes_and_others_do_not(void **state)
{
	static const char activity[] =
	        "{\"specversion\":\"1.0\",\"type\":\"prison.activity\","
	        "\"source\":\"" ADAPTER_AGENCY "\",\"time\":\"2026-10-30T09:12:00Z\","
	        "\"data\":{\"person\":{\"identifiers\":[{\"kind\":\"NOMS\",\"value\":\"A7421BQ\"}]}"
	        ","
	        "\"title\":\"Induction\"}}";
	uint8_t first[16];

	(void)state;
	memcpy(first, must_read_one(&reader, activity, "prison.activity")->id.data, 16);
	assert_memory_equal(first, must_read_one(&reader, activity, "prison.activity")->id.data,
	                    16);
	must_refuse(&reader,
	            "{\"specversion\":\"1.0\",\"type\":\"police.iom_status\","
	            "\"source\":\"" ADAPTER_AGENCY "\",\"time\":\"2026-10-30T09:12:00Z\","
	            "\"data\":{\"status\":\"ON\"}}",
	            "family");
	must_refuse(&reader,
	            "{\"specversion\":\"1.0\",\"type\":\"prison.activity\","
	            "\"source\":\"another\",\"time\":\"2026-10-30T09:12:00Z\","
	            "\"data\":{\"title\":\"Induction\"}}",
	            "source");
}

static void an_event_beyond_a_bound_of_the_broker_is_not_made(void **state)
{
	char title[130], document[512];
	struct intake intake;
	struct build build;
	Ttg__PrisonActivity *activity;

	(void)state;
	memset(title, 'x', sizeof(title) - 1);
	title[sizeof(title) - 1] = '\0';
	intake_init(&intake);
	activity = build_begin(&build, "prison.activity", ADAPTER_AGENCY, 1);
	build_time_ns(&build, &build.event->occurred_at, 1, NULL);
	build_text(&build, &activity->title, "title", title, sizeof(title));
	assert_int_equal(build_finish(&build, &intake, 1, NULL, 0), TTG_ELIMIT);
	assert_string_equal(build.message.text, "prison_activity.title is longer than 128 bytes");
	assert_int_equal(intake.n_events, 0);
	intake_fini(&intake);
	/* The same through the door, in a document. */
	snprintf(document, sizeof(document),
	         "{\"specversion\":\"1.0\",\"type\":\"prison.activity\","
	         "\"source\":\"" ADAPTER_AGENCY "\",\"time\":\"2026-10-30T09:12:00Z\","
	         "\"data\":{\"title\":\"%s\"}}",
	         title);
	must_refuse(&reader, document, "prison_activity.title is longer than 128 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		MOVEMENT_TEST(an_event_beyond_a_bound_of_the_broker_is_not_made),
		MOVEMENT_TEST(a_conditional_release_is_at_liberty),
		MOVEMENT_TEST(a_man_who_died_is_not_at_liberty),
		MOVEMENT_TEST(an_absconder_a_merged_record_and_a_deportee_are_not_at_liberty),
		MOVEMENT_TEST(a_release_to_a_secure_hospital_is_an_absence),
		MOVEMENT_TEST(released_to_court_transfer_hospital_or_leave_is_an_absence),
		MOVEMENT_TEST(a_release_still_under_prison_care_is_not_at_liberty),
		MOVEMENT_TEST(a_new_admission_is_a_reception),
		MOVEMENT_TEST(a_return_from_court_ends_an_absence),
		MOVEMENT_TEST(an_arrival_by_transfer_ends_the_absence_and_is_a_reception),
		MOVEMENT_TEST(a_restricted_patient_is_in_a_secure_hospital),
		MOVEMENT_TEST(a_merge_trusts_the_fields_and_not_the_description),
		MOVEMENT_TEST(a_moved_booking_names_both_numbers),
		MOVEMENT_TEST(a_notification_of_the_queue_is_unwrapped),
		MOVEMENT_TEST(every_key_for_the_prison_number_is_understood),
		MOVEMENT_TEST(version_may_be_one_two_or_a_text_and_nothing_else),
		MOVEMENT_TEST(times_of_every_spelling_become_utc_and_keep_the_original),
		MOVEMENT_TEST(a_null_or_placeholder_detail_url_does_no_harm),
		MOVEMENT_TEST(two_messages_that_mean_the_same_have_one_id),
		MOVEMENT_TEST(unknown_and_thin_types_are_counted_and_do_not_fail),
		MOVEMENT_TEST(a_view_that_is_not_wanted_is_counted),
		MOVEMENT_TEST(a_settled_release_does_not_alarm_twice),
		MOVEMENT_TEST(a_wrong_number_is_flagged_and_kept),
		MOVEMENT_TEST(one_broken_item_leaves_the_others_alone),
		MOVEMENT_TEST(a_catalogue_event_of_the_family_passes_and_others_do_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
