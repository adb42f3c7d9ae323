/* What views.h and person.h promise: who is who, and what events leave in a record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "support/desk_bed.h"

static const struct casefile_man tom = { .noms = "A1234BC", .key = 1 };

static int set_up(void **state)
{
	static struct desk_bed bed;

	must_make_desk(&bed);
	*state = &bed;
	return 0;
}

static int tear_down(void **state)
{
	desk_bed_remove(*state);
	return 0;
}

static void test_numbers_said_together_are_one_mans(void **state)
{
	struct desk_bed *bed = *state;
	const struct casefile_man by_noms = { .noms = "A1234BC" };
	const struct casefile_man by_crn = { .crn = "X123456" };
	const struct casefile_man both = { .noms = "A1234BC", .crn = "X123456" };
	const struct views *views = bed->desk.views;
	struct casefile file;

	casefile_init(&file, desk_bed_put, bed);
	casefile_contact(&file, &by_noms, must_at("2027-03-01 10:00"), true, 3);
	casefile_contact(&file, &by_crn, must_at("2027-03-02 10:00"), true, 3);
	must_follow(bed);
	assert_int_equal(views_n_persons(views), 2);
	assert_true(views_is_alone(views, 0) && views_is_alone(views, 1));
	casefile_contact(&file, &both, must_at("2027-03-01 12:00"), true, 3);
	must_follow(bed);
	assert_false(views_is_alone(views, 1));
	assert_ptr_equal(views_person(views, 1), views_person(views, 0));
	assert_int_equal(views_person(views, 0)->n_events, 3);
	assert_int_equal(views_person(views, 0)->n_numbers, 2);
	assert_int_equal(views_person(views, 0)->last_contact_ns, must_at("2027-03-02 10:00"));
	assert_null(views_person(views, 2));
	assert_null(views_person(views, VIEWS_NOBODY));
}

static void test_the_brokers_key_joins_what_numbers_do_not(void **state)
{
	struct desk_bed *bed = *state;
	const struct casefile_man in_prison = { .noms = "A1234BC", .key = 9 };
	const struct casefile_man on_probation = { .crn = "X123456", .key = 9 };
	struct casefile file;

	casefile_init(&file, desk_bed_put, bed);
	casefile_received(&file, &in_prison, must_at("2027-01-04 10:00"));
	casefile_released(&file, &on_probation, must_at("2027-03-01 09:00"), true, 2);
	must_follow(bed);
	assert_int_equal(views_n_persons(bed->desk.views), 1);
	assert_int_equal(must_find_person(bed, "X123456")->custody, CUSTODY_OUT);
	assert_string_equal(person_best_number(must_find_person(bed, "X123456"))->value, "A1234BC");
}

static void test_what_is_superseded_leaves_nothing(void **state)
{
	struct desk_bed *bed = *state;
	const struct person *person;
	struct casefile file;
	uint32_t wrong;

	casefile_init(&file, desk_bed_put, bed);
	casefile_received(&file, &tom, must_at("2027-01-04 10:00"));
	casefile_released(&file, &tom, must_at("2027-03-01 09:00"), true, 2);
	wrong = file.number;
	must_follow(bed);
	person = must_find_person(bed, "A1234BC");
	assert_int_equal(person->custody, CUSTODY_OUT);
	file.supersedes = wrong;
	casefile_received(&file, &tom, must_at("2027-01-04 10:00"));
	must_follow(bed);
	person = must_find_person(bed, "A1234BC");
	assert_int_equal(person->custody, CUSTODY_INSIDE);
	assert_false(person->release.released);
	assert_int_equal(person->n_events, 3);
	assert_int_equal(views_event(bed->desk.views, 1)->superseded_by, 2);
	assert_int_equal(views_event(bed->desk.views, 2)->supersedes, 1);
}

static void test_a_refused_event_of_ours_leaves_nothing(void **state)
{
	struct desk_bed *bed = *state;
	const struct casefile_man man = { .noms = "A1234BC" };
	const struct view_event *event;
	struct casefile file;

	casefile_init(&file, desk_bed_put, bed);
	casefile_enrolled(&file, &man, must_at("2027-03-01 09:00"), "pilot", "cohort-1", "");
	must_follow(bed);
	event = views_event(bed->desk.views, 0);
	assert_true(event->ours);
	assert_false(event->answered);
	assert_true(person_is_enrolled(must_find_person(bed, "A1234BC"), bed->now_ns));
	must_answer(bed, event->id, TTG_REFUSED_NOT_AGREED);
	must_follow(bed);
	event = views_event(bed->desk.views, 0);
	assert_true(event->answered && event->refused);
	assert_int_equal(views_n_events(bed->desk.views), 1);
	assert_false(person_is_enrolled(must_find_person(bed, "A1234BC"), bed->now_ns));
}

static void test_a_scheme_runs_from_enrolment_to_the_end_of_its_window(void **state)
{
	struct desk_bed *bed = *state;
	const struct casefile_man man = { .noms = "A1234BC" };
	const struct person *person;
	struct casefile file;

	casefile_init(&file, desk_bed_put, bed);
	casefile_enrolled(&file, &man, must_at("2027-02-01 09:00"), "pilot", "cohort-1", "");
	casefile_released(&file, &tom, must_at("2027-03-01 09:00"), true, 2);
	must_follow(bed);
	person = must_find_person(bed, "A1234BC");
	assert_string_equal(person_scheme(person)->cohort, "cohort-1");
	assert_int_equal(person_scheme(person)->window_ns, must_at("2028-03-01 09:00"));
	assert_true(person_is_enrolled(person, must_at("2028-03-01 08:59")));
	assert_false(person_is_enrolled(person, must_at("2028-03-01 09:00")));
	casefile_withdrawn(&file, &man, must_at("2027-03-05 09:00"), "", 1);
	must_follow(bed);
	person = must_find_person(bed, "A1234BC");
	assert_true(person_scheme(person)->withdrawn);
	assert_false(person_is_enrolled(person, bed->now_ns));
	casefile_reengaged(&file, &man, must_at("2027-03-06 09:00"), "pilot");
	must_follow(bed);
	assert_true(person_is_enrolled(must_find_person(bed, "A1234BC"), bed->now_ns));
}

static void test_a_referral_moves_with_its_answers(void **state)
{
	struct desk_bed *bed = *state;
	const struct casefile_man man = { .noms = "A1234BC" };
	const struct person_referral *referral;
	struct casefile file;

	casefile_init(&file, desk_bed_put, bed);
	file.referral = "r-1";
	casefile_sent(&file, &man, must_at("2027-03-01 09:00"), "mind");
	must_follow(bed);
	referral = person_find_referral(must_find_person(bed, "A1234BC"), "r-1");
	assert_non_null(referral);
	assert_int_equal(referral->state, REFERRAL_SENT);
	casefile_answer(&file, &tom, must_at("2027-03-02 11:00"), CASEFILE_ACCEPTED);
	must_follow(bed);
	referral = person_find_referral(must_find_person(bed, "A1234BC"), "r-1");
	assert_int_equal(referral->state, REFERRAL_ACCEPTED);
	assert_int_equal(referral->answered_ns - referral->sent_ns,
	                 INT64_C(26) * 3600 * 1000000000);
	assert_string_equal(referral->provider, "mind");
	assert_null(person_find_referral(must_find_person(bed, "A1234BC"), "r-2"));
}

static void test_many_events_and_people_keep_apart(void **state)
{
	struct desk_bed *bed = *state;
	struct casefile file;
	char noms[8];

	casefile_init(&file, desk_bed_put, bed);
	for (unsigned i = 0; i < 300; i++) {
		const struct casefile_man man = { .noms = noms, .key = 1000 + i };

		snprintf(noms, sizeof(noms), "A%04uZZ", i);
		for (unsigned k = 0; k <= i % 9; k++)
			casefile_received(&file, &man, must_at("2027-01-04 10:00"));
	}
	must_follow(bed);
	assert_int_equal(views_n_persons(bed->desk.views), 300);
	for (unsigned i = 0; i < 300; i++) {
		snprintf(noms, sizeof(noms), "A%04uZZ", i);
		assert_int_equal(must_find_person(bed, noms)->n_events, i % 9 + 1);
	}
	for (uint32_t i = 0; i < views_n_events(bed->desk.views); i++)
		assert_int_equal(
		        views_find_event(bed->desk.views, views_event(bed->desk.views, i)->id), i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_numbers_said_together_are_one_mans, set_up,
		                                tear_down),
		cmocka_unit_test_setup_teardown(test_the_brokers_key_joins_what_numbers_do_not,
		                                set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_superseded_leaves_nothing, set_up,
		                                tear_down),
		cmocka_unit_test_setup_teardown(test_a_refused_event_of_ours_leaves_nothing, set_up,
		                                tear_down),
		cmocka_unit_test_setup_teardown(
		        test_a_scheme_runs_from_enrolment_to_the_end_of_its_window, set_up,
		        tear_down),
		cmocka_unit_test_setup_teardown(test_a_referral_moves_with_its_answers, set_up,
		                                tear_down),
		cmocka_unit_test_setup_teardown(test_many_events_and_people_keep_apart, set_up,
		                                tear_down),
	};

	return cmocka_run_group_tests_name("desk_views", tests, NULL, NULL);
}
