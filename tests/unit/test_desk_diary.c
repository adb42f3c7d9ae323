/* The gate diary: which releases stand in it, in what order, and what is said of each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "desk/day.h"
#include "desk/diary.h"
#include "support/desk_bed.h"

#define TOLD "2027-03-01 10:00"
#define MET  TTG__GATE_MEETING_OUTCOME__GATE_MEETING_OUTCOME_MET

static struct desk_bed bed;
static struct casefile file;
static struct diary diary;
static const struct casefile_man tom = { .noms = "A1001BC", .key = 1 };
static const struct casefile_man dan = { .noms = "A1002BC", .key = 2 };
static const struct casefile_man lee = { .noms = "A1003BC", .key = 3 };
static const struct casefile_man ours = { .noms = "A1001BC" };

static int set_up(void **state)
{
	(void)state;
	must_make_desk(&bed);
	casefile_init(&file, desk_bed_put, &bed);
	file.caseworker = "Ann Example";
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	diary_fini(&diary);
	desk_bed_remove(&bed);
	return 0;
}

/* As it stands now, between the days. */
static void read(const char *from, const char *until)
{
	must_follow(&bed);
	diary_fini(&diary);
	assert_int_equal(
	        diary_make(&diary, bed.desk.views,
	                   &(struct diary_wish){ .from = from,
	                                         .until = until,
	                                         .now_ns = bed.now_ns,
	                                         .local_areas = &bed.desk.settings.local_areas }),
	        TTG_OK);
}

static const struct diary_row *the_only_row(void)
{
	assert_int_equal(diary.n, 1);
	return &diary.rows[0];
}

static void schedule(const struct casefile_man *man, const char *date, const char *clock)
{
	casefile_scheduled(&file, man, must_at(TOLD),
	                   &(struct casefile_release){ .date = date,
	                                               .clock = clock,
	                                               .gate = "Main gate",
	                                               .area = "Peterborough",
	                                               .area_code = "E06000031" });
}

static void hold_board(const struct casefile_man *man, const char *date, int status)
{
	casefile_board(&file, man, must_at(TOLD),
	               &(struct casefile_board){ .status = status, .date = date });
}

static void must_stand(size_t row, const char *number, const char *date, const char *clock)
{
	assert_true(row < diary.n);
	assert_string_equal(diary_number(diary.rows[row].person), number);
	assert_string_equal(diary.rows[row].date, date);
	assert_string_equal(diary.rows[row].clock, clock);
}

static void rows_stand_by_day_then_time_then_gate(void **state)
{
	(void)state;
	schedule(&lee, "2027-03-15", "09:00");
	schedule(&tom, "2027-03-12", "10:30");
	casefile_scheduled(&file, &dan, must_at(TOLD),
	                   &(struct casefile_release){
	                           .date = "2027-03-12", .clock = "10:30", .gate = "East gate" });
	read("2027-03-12", "2027-03-15");
	assert_int_equal(diary.n, 3);
	must_stand(0, "A1002BC", "2027-03-12", "10:30");
	must_stand(1, "A1001BC", "2027-03-12", "10:30");
	must_stand(2, "A1003BC", "2027-03-15", "09:00");
	read("2027-03-13", "2027-03-14");
	assert_int_equal(diary.n, 0);
	read("2027-03-15", "2027-03-15");
	must_stand(0, "A1003BC", "2027-03-15", "09:00");
}

static void a_change_says_what_was(void **state)
{
	(void)state;
	schedule(&tom, "2027-03-12", "09:00");
	casefile_changed(&file, &tom, must_at(TOLD) + 1,
	                 &(struct casefile_release){ .date = "2027-03-12",
	                                             .clock = "10:15",
	                                             .gate = "Main gate",
	                                             .area = "Fenland",
	                                             .old_date = "2027-03-12",
	                                             .old_clock = "09:00",
	                                             .old_gate = "Main gate",
	                                             .old_area = "Peterborough" });
	read("2027-03-12", "2027-03-12");
	must_stand(0, "A1001BC", "2027-03-12", "10:15");
	assert_true(the_only_row()->old_clock && the_only_row()->old_area);
	assert_false(the_only_row()->old_date || the_only_row()->old_gate);
	assert_string_equal(the_only_row()->person->release.old_clock, "09:00");
}

static void who_moved_away_stands_under_both_days(void **state)
{
	(void)state;
	schedule(&tom, "2027-03-12", "09:00");
	casefile_changed(&file, &tom, must_at(TOLD) + 1,
	                 &(struct casefile_release){ .date = "2027-03-30",
	                                             .clock = "08:30",
	                                             .old_date = "2027-03-12",
	                                             .old_clock = "09:00" });
	read("2027-03-12", "2027-03-12");
	must_stand(0, "A1001BC", "2027-03-12", "09:00");
	assert_true(the_only_row()->moved_away && the_only_row()->old_date);
	read("2027-03-30", "2027-03-30");
	must_stand(0, "A1001BC", "2027-03-30", "08:30");
	assert_false(the_only_row()->moved_away);
	/* Once where both are in sight. */
	read("2027-03-01", "2027-03-31");
	must_stand(0, "A1001BC", "2027-03-30", "08:30");
	assert_int_equal(diary.n, 1);
}

static void a_cancelled_release_stands_as_cancelled(void **state)
{
	(void)state;
	schedule(&tom, "2027-03-12", "09:00");
	casefile_cancelled(&file, &tom, must_at(TOLD) + 1,
	                   &(struct casefile_release){ .date = "2027-03-12", .clock = "09:00" });
	read("2027-03-12", "2027-03-12");
	assert_true(the_only_row()->cancelled);
	/* Nothing is missing for what does not happen. */
	assert_false(the_only_row()->no_board || the_only_row()->not_enrolled);
}

static void a_board_counts_within_the_21_days_before(void **state)
{
	static const struct {
		const char *date;
		int status;
		bool counts;
	} cases[] = {
		{ "2027-03-11", TTG__BOARD_STATUS__BOARD_STATUS_HELD, false },
		{ "2027-03-12", TTG__BOARD_STATUS__BOARD_STATUS_HELD, true },
		{ "2027-04-02", TTG__BOARD_STATUS__BOARD_STATUS_SCHEDULED, true },
		{ "2027-03-20", TTG__BOARD_STATUS__BOARD_STATUS_RESCHEDULED, true },
		{ "2027-04-03", TTG__BOARD_STATUS__BOARD_STATUS_SCHEDULED, false },
		{ "2027-03-20", TTG__BOARD_STATUS__BOARD_STATUS_CANCELLED, false },
	};

	(void)state;
	schedule(&tom, "2027-04-02", "09:00"); /* the clocks change in between */
	read("2027-04-02", "2027-04-02");
	assert_true(the_only_row()->no_board);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		hold_board(&tom, cases[i].date, cases[i].status);
		read("2027-04-02", "2027-04-02");
		assert_int_equal(the_only_row()->no_board, !cases[i].counts);
	}
}

static void an_area_is_ours_by_code_or_name_and_unknown_says_nothing(void **state)
{
	static const struct {
		const char *area, *code;
		bool out;
	} cases[] = {
		{ "Peterborough", "", false },  { "PETERBOROUGH", "", false },
		{ "City", "E06000031", false }, { "Fenland", "E07000010", true },
		{ "Fenland", "", true },        { "", "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		casefile_scheduled(&file, &tom, must_at(TOLD) + (int64_t)i,
		                   &(struct casefile_release){ .date = "2027-03-12",
		                                               .area = cases[i].area,
		                                               .area_code = cases[i].code });
		read("2027-03-12", "2027-03-12");
		assert_int_equal(the_only_row()->out_of_area, cases[i].out);
		assert_true(the_only_row()->no_hour);
	}
	bed.desk.settings.local_areas.n = 0;
	casefile_scheduled(&file, &tom, must_at(TOLD) + 9,
	                   &(struct casefile_release){ .date = "2027-03-12", .area = "Fenland" });
	read("2027-03-12", "2027-03-12");
	assert_false(the_only_row()->out_of_area);
}

static void the_caseworker_meets_him_and_afterwards_the_outcome_stands_there(void **state)
{
	(void)state;
	schedule(&tom, "2027-03-12", "09:00");
	read("2027-03-12", "2027-03-12");
	assert_true(the_only_row()->not_enrolled);
	assert_string_equal(the_only_row()->meets, "");
	casefile_enrolled(&file, &ours, must_at(TOLD), "one-service-pilot", "c1", "2027-03-12");
	read("2027-03-12", "2027-03-12");
	assert_false(the_only_row()->not_enrolled || the_only_row()->released);
	assert_string_equal(the_only_row()->meets, "Ann Example");
	casefile_released(&file, &tom, must_at("2027-03-12 09:20"), true,
	                  TTG__MOVEMENT_VIEW__MOVEMENT_VIEW_SETTLED);
	casefile_gate(&file, &ours, must_at("2027-03-12 09:25"), MET);
	read("2027-03-12", "2027-03-12");
	assert_true(the_only_row()->released);
	assert_int_equal(the_only_row()->met, MET);
	assert_false(the_only_row()->no_board); /* it is too late for one */
}

static void who_left_without_an_entry_stands_under_the_day_he_left(void **state)
{
	(void)state;
	casefile_released(&file, &tom, must_at("2027-03-28 00:30"), true,
	                  TTG__MOVEMENT_VIEW__MOVEMENT_VIEW_SETTLED);
	read("2027-03-28", "2027-03-28");
	must_stand(0, "A1001BC", "2027-03-28", "");
	assert_true(the_only_row()->released);
}

static void a_corrected_entry_leaves_nothing_behind(void **state)
{
	(void)state;
	schedule(&tom, "2027-03-12", "09:00");
	file.supersedes = file.number;
	schedule(&tom, "2027-03-19", "09:00");
	read("2027-03-01", "2027-03-31");
	must_stand(0, "A1001BC", "2027-03-19", "09:00");
	assert_false(the_only_row()->old_date);
}

static void must_be_day(const char *day, int days, const char *wanted)
{
	char out[DATE_BYTES];

	day_add(day, days, out);
	assert_string_equal(out, wanted);
}

static void days_are_counted_right_across_clock_changes_and_leap_days(void **state)
{
	char out[DATE_BYTES];

	(void)state;
	must_be_day("2027-03-27", 1, "2027-03-28"); /* the clocks go forward */
	must_be_day("2027-03-28", 1, "2027-03-29");
	must_be_day("2027-03-12", 21, "2027-04-02");
	must_be_day("2027-10-30", 1, "2027-10-31"); /* and back */
	must_be_day("2027-10-31", 1, "2027-11-01");
	must_be_day("2027-11-20", -21, "2027-10-30");
	must_be_day("2028-02-28", 1, "2028-02-29");
	must_be_day("2028-02-29", 1, "2028-03-01");
	must_be_day("2028-03-21", -21, "2028-02-29");
	must_be_day("2027-02-28", 1, "2027-03-01");
	must_be_day("2027-12-31", 1, "2028-01-01");
	must_be_day("2027-02-29", 1, "");
	must_be_day("tomorrow", 1, "");
	day_of(must_at("2027-10-31 00:15"), out);
	assert_string_equal(out, "2027-10-31");
	assert_true(day_is_between("2028-02-29", "2028-02-29", "2028-02-29"));
	assert_false(day_is_between("2028-02-30", "2028-02-01", "2028-03-01"));
	assert_false(day_is_between("", "", ""));
}

static void a_release_on_a_leap_day_or_a_day_of_23_hours_stands_there(void **state)
{
	(void)state;
	schedule(&tom, "2028-02-29", "09:00");
	schedule(&dan, "2027-03-28", "02:30");
	hold_board(&tom, "2028-02-08", TTG__BOARD_STATUS__BOARD_STATUS_HELD);
	read("2028-02-29", "2028-02-29");
	must_stand(0, "A1001BC", "2028-02-29", "09:00");
	assert_false(the_only_row()->no_board);
	read("2027-03-28", "2027-03-28");
	must_stand(0, "A1002BC", "2027-03-28", "02:30");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(rows_stand_by_day_then_time_then_gate),
		TEST(a_change_says_what_was),
		TEST(who_moved_away_stands_under_both_days),
		TEST(a_cancelled_release_stands_as_cancelled),
		TEST(a_board_counts_within_the_21_days_before),
		TEST(an_area_is_ours_by_code_or_name_and_unknown_says_nothing),
		TEST(the_caseworker_meets_him_and_afterwards_the_outcome_stands_there),
		TEST(who_left_without_an_entry_stands_under_the_day_he_left),
		TEST(a_corrected_entry_leaves_nothing_behind),
		TEST(days_are_counted_right_across_clock_changes_and_leap_days),
		TEST(a_release_on_a_leap_day_or_a_day_of_23_hours_stands_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
