/* The One Service's figures, one man's story at a time. docs/figures.md has the rules. */
#include "figures_unit.h"

#include "oneservice/figures_period.h"

static void months_are_counted_by_the_calendar_and_londons_clocks(void **state)
{
	static const struct {
		const char *from;
		unsigned months;
		const char *until;
	} cases[] = {
		{ "2011-01-31T09:00:00Z", 1, "2011-02-28T09:00:00Z" },
		{ "2012-01-31T09:00:00Z", 1, "2012-02-29T09:00:00Z" },
		{ "2012-02-29T09:00:00Z", 1, "2012-03-29T08:00:00Z" },
		{ "2012-02-29T09:00:00Z", 12, "2013-02-28T09:00:00Z" },
		{ "2011-02-28T09:00:00Z", 12, "2012-02-28T09:00:00Z" },
		{ "2012-03-10T09:00:00Z", 1, "2012-04-10T08:00:00Z" },
		{ "2012-09-30T08:00:01.000000005Z", 1, "2012-10-30T09:00:01.000000005Z" },
		{ "2012-11-15T09:00:00Z", 3, "2013-02-15T09:00:00Z" },
		{ "2012-02-25T01:30:00Z", 1, "2012-03-25T01:30:00Z" }, /* 01:30 is skipped */
		{ "2012-09-28T00:30:00Z", 1, "2012-10-28T00:30:00Z" }, /* 01:30 comes twice */
		{ "1969-12-31T23:59:59.5Z", 12, "1970-12-31T23:59:59.5Z" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(period_add_months(must_at(cases[i].from), cases[i].months),
		                 must_at(cases[i].until));
	assert_int_equal(period_add_months(INT64_MAX, 12), INT64_MAX);
	assert_int_equal(period_day_end(must_at("2012-03-25 00:30")), must_at("2012-03-26 00:00"));
	assert_int_equal(period_day_end(must_at("2012-10-28 00:00")), must_at("2012-10-29 00:00"));
	assert_int_equal(period_day(must_at("2012-06-30T23:30:00Z")), 20120701);
	assert_int_equal(period_day_of_date("2011-02-29"), 0);
}

static void a_man_who_is_reached_at_every_stage_counts_at_every_stage(void **state)
{
	struct fixture *fixture = *state;
	struct casefile *file = &fixture->file;

	casefile_screened(file, &inside, must_at("2011-01-03 10:00"), 1u << 1, 0);
	enrol(fixture, "2011-01-05 10:00");
	casefile_assessed(file, &ours, must_at("2011-01-20 10:00"), 1u << 4, FULL, PRISON);
	let_out(fixture, "2011-03-01 08:45");
	casefile_gate(file, &ours, must_at("2011-03-01 08:30"), MET);
	be_active(fixture, "2011-03-01 08:45");
	casefile_appointment(file, &inside, must_at("2011-03-20 10:00"), KEPT);
	be_active(fixture, "2011-05-01 10:00");
	be_active(fixture, "2011-08-01 10:00");
	settle(fixture, LATER);
	MUST_SAY(figures_engagement, "gateway,c1,first_assessment,1,1,100.0",
	         "gateway,c1,full_assessment,1,1,100.0", "gateway,c1,met_at_gate,1,1,100.0",
	         "gateway,c1,engaged_1_month,1,1,100.0", "gateway,c1,engaged_3_months,1,1,100.0",
	         "gateway,c1,engaged_6_months,1,1,100.0");
	MUST_SAY(figures_needs, "gateway,c1,accommodation,1,1,100.0",
	         "gateway,c1,addiction,1,1,100.0", "gateway,ALL,addiction,1,1,100.0",
	         "gateway,ALL,legal,1,0,0.0");
}

static void what_is_next_to_a_stage_does_not_count_for_it(void **state)
{
	struct fixture *fixture = *state;
	struct casefile *file = &fixture->file;

	enrol(fixture, "2011-01-05 10:00");
	casefile_not_screened(file, &inside, must_at("2011-01-06 10:00"));
	casefile_assessed(file, &ours, must_at("2011-01-20 10:00"), 0, REVIEW, PRISON);
	casefile_assessed(file, &ours, must_at("2011-01-21 10:00"), 0, FULL, COMMUNITY);
	casefile_released(file, &inside, must_at("2011-02-20 09:00"), false, SETTLED);
	casefile_released(file, &inside, must_at("2011-02-21 09:00"), true, IMMEDIATE);
	let_out(fixture, "2011-03-01 08:45");
	casefile_screened(file, &inside, must_at("2011-03-01 08:45"), 0, 0);
	casefile_assessed(file, &ours, must_at("2011-03-02 10:00"), 0, FULL, PRISON);
	casefile_gate(file, &ours, must_at("2011-03-02 00:00"), MET);
	be_active(fixture, "2011-03-01 08:44");
	be_active(fixture, "2011-04-01 08:45"); /* the end is not in it */
	casefile_contact(file, &ours, must_at("2011-03-05 10:00"), false, COMMUNITY);
	settle(fixture, LATER);
	MUST_SAY(figures_engagement, "gateway,c1,first_assessment,1,0,0.0",
	         "gateway,c1,full_assessment,1,0,0.0", "gateway,c1,met_at_gate,1,0,0.0",
	         "gateway,c1,engaged_1_month,1,0,0.0");
}

static void the_fast_feed_opens_no_window(void **state)
{
	struct fixture *fixture = *state;

	enrol(fixture, "2011-01-05 10:00");
	casefile_released(&fixture->file, &inside, must_at("2011-02-21 09:00"), true, IMMEDIATE);
	let_out(fixture, "2011-03-01 08:45");
	casefile_gate(&fixture->file, &ours, must_at("2011-03-01 09:00"), MET);
	settle(fixture, LATER);
	MUST_SAY(figures_engagement, "gateway,c1,met_at_gate,1,1,100.0");
}

static void an_assessment_of_an_earlier_sentence_is_none_of_this_one(void **state)
{
	struct fixture *fixture = *state;
	struct casefile *file = &fixture->file;

	casefile_screened(file, &inside, must_at("2009-01-06 10:00"), 0, 0);
	casefile_assessed(file, &ours, must_at("2009-01-20 10:00"), 0, FULL, PRISON);
	let_out(fixture, "2009-03-01 09:00");
	enrol(fixture, "2011-01-05 10:00");
	let_out(fixture, "2011-03-01 09:00");
	settle(fixture, LATER);
	MUST_SAY(figures_engagement, "gateway,c1,first_assessment,1,0,0.0",
	         "gateway,c1,full_assessment,1,0,0.0");
}

static void a_period_is_over_at_the_instant_of_its_end(void **state)
{
	struct fixture *fixture = *state;

	enrol(fixture, "2011-01-05 10:00");
	let_out(fixture, "2011-03-01 09:00");
	casefile_enrolled(&fixture->file, &other, must_at("2011-01-05 10:00"), "gateway", "c1", "");
	casefile_released(&fixture->file, &other, must_at("2011-03-01 09:01"), true, SETTLED);
	settle(fixture, "2011-04-01 09:00");
	MUST_SAY(figures_engagement, "gateway,c1,met_at_gate,2,0,0.0",
	         "gateway,c1,engaged_1_month,1,0,0.0", "gateway,c1,engaged_3_months,0,0,");
}

static void two_contacts_in_the_first_half_only_are_no_engagement(void **state)
{
	struct fixture *fixture = *state;

	enrol(fixture, "2011-01-05 10:00");
	let_out(fixture, "2011-03-01 09:00");
	be_active(fixture, "2011-03-02 10:00");
	be_active(fixture, "2011-03-15 10:00");
	settle(fixture, LATER);
	MUST_SAY(figures_engagement, "gateway,c1,engaged_1_month,1,0,0.0",
	         "gateway,c1,engaged_3_months,1,0,0.0");
}

/* April has 30 days: the middle is 15 days after the release, to the nanosecond. */
static void the_middle_belongs_to_the_second_half(void **state)
{
	struct fixture *fixture = *state;

	enrol(fixture, "2011-01-05 10:00");
	let_out(fixture, "2011-04-01 09:00");
	be_active(fixture, "2011-04-16T08:59:59.999999999+01:00");
	settle(fixture, LATER);
	MUST_SAY(figures_engagement, "gateway,c1,engaged_1_month,1,0,0.0");
	tear_down(state);
	set_up(state);
	fixture = *state;
	enrol(fixture, "2011-01-05 10:00");
	let_out(fixture, "2011-04-01 09:00");
	be_active(fixture, "2011-04-16T08:59:59.999999999+01:00");
	be_active(fixture, "2011-04-16 09:00");
	settle(fixture, LATER);
	MUST_SAY(figures_engagement, "gateway,c1,engaged_1_month,1,1,100.0");
}

static void a_window_across_a_clock_change_ends_by_the_new_clock(void **state)
{
	struct fixture *fixture = *state;

	enrol(fixture, "2012-01-05 10:00");
	let_out(fixture, "2012-03-10 09:00");
	be_active(fixture, "2012-03-11 09:00");
	be_active(fixture, "2012-04-10T07:59:59Z"); /* 08:59:59 in London */
	casefile_enrolled(&fixture->file, &other, must_at("2012-01-05 10:00"), "gateway", "c2", "");
	casefile_released(&fixture->file, &other, must_at("2012-03-10 09:00"), true, SETTLED);
	casefile_contact(&fixture->file, &other, must_at("2012-03-11 09:00"), true, COMMUNITY);
	casefile_contact(&fixture->file, &other, must_at("2012-04-10T08:00:00Z"), true, COMMUNITY);
	settle(fixture, LATER);
	MUST_SAY(figures_engagement, "gateway,c1,engaged_1_month,1,1,100.0",
	         "gateway,c2,engaged_1_month,1,0,0.0");
}

static void a_release_on_a_leap_day_has_its_year_to_28_february(void **state)
{
	struct fixture *fixture = *state;

	enrol(fixture, "2012-01-05 10:00");
	let_out(fixture, "2012-02-29 09:00");
	casefile_reconvicted(&fixture->file, &court, "2013-02-27", "B01CY", "");
	casefile_reconvicted(&fixture->file, &court, "2013-02-28", "B01CY", "");
	settle(fixture, "2013-02-28 09:00");
	MUST_SAY(figures_engagement, "gateway,c1,engaged_6_months,1,0,0.0");
	struct table table;
	assert_int_equal(
	        figures_outcome(fixture->figures, &(struct figures_baselines){ NULL, 0 }, &table),
	        TTG_OK);
	must_have_row(&table, "gateway,c1,1,0,0,1,100.0,1,100.0,,,,");
	table_fini(&table);
}

static void a_year_that_is_not_over_is_in_no_denominator_yet(void **state)
{
	struct fixture *fixture = *state;

	enrol(fixture, "2012-01-05 10:00");
	let_out(fixture, "2012-02-29 09:00");
	settle(fixture, "2012-02-29 23:59");
	MUST_SAY(outcome_unpaid, "gateway,c1,0,1,0,0,,0,,,,,");
	MUST_SAY(figures_engagement, "gateway,c1,first_assessment,1,0,0.0",
	         "gateway,c1,met_at_gate,0,0,", "gateway,c1,engaged_1_month,0,0,");
}

static void a_return_to_custody_on_day_15_keeps_the_window_open(void **state)
{
	struct fixture *fixture = *state;

	enrol(fixture, "2011-01-05 10:00");
	let_out(fixture, "2011-03-01 09:00");
	be_active(fixture, "2011-03-05 10:00");
	casefile_received(&fixture->file, &inside, must_at("2011-03-16 10:00"));
	casefile_contact(&fixture->file, &ours, must_at("2011-03-20 10:00"), true, PRISON);
	let_out(fixture, "2011-04-20 09:00"); /* opens no second window */
	be_active(fixture, "2011-05-01 10:00");
	casefile_reconvicted(&fixture->file, &court, "2012-02-20", "B01CY", "2011-03-10");
	casefile_reconvicted(&fixture->file, &court, "2012-04-01", "B01CY", "2012-03-20");
	settle(fixture, LATER);
	MUST_SAY(figures_engagement, "gateway,c1,engaged_1_month,1,1,100.0",
	         "gateway,c1,engaged_3_months,1,1,100.0", "gateway,c1,engaged_6_months,1,0,0.0");
	MUST_SAY(outcome_unpaid, "gateway,c1,1,0,0,1,100.0,1,100.0,,,,");
}

static void work_counts_in_its_own_scheme_only(void **state)
{
	struct fixture *fixture = *state;
	struct casefile *file = &fixture->file;

	enrol(fixture, "2011-01-05 10:00");
	casefile_enrolled(file, &ours, must_at("2011-01-06 10:00"), "jobs", "c9", "");
	casefile_screened(file, &inside, must_at("2011-01-07 10:00"), 1u << 3, 0);
	let_out(fixture, "2011-03-01 09:00");
	file->scheme = "gateway";
	be_active(fixture, "2011-03-05 10:00");
	be_active(fixture, "2011-03-20 10:00");
	file->scheme = "jobs";
	file->referral = "r-1";
	casefile_sent(file, &ours, must_at("2011-03-02 10:00"), "mind");
	casefile_appointment(file, &inside, must_at("2011-03-06 10:00"), KEPT);
	file->scheme = file->referral = "";
	be_active(fixture, "2011-03-21 10:00"); /* of which? of neither */
	casefile_reconvicted(file, &court, "2011-06-01", "B01CY", "");
	settle(fixture, LATER);
	MUST_SAY(figures_engagement, "gateway,c1,first_assessment,1,1,100.0",
	         "jobs,c9,first_assessment,1,1,100.0", "gateway,c1,engaged_1_month,1,1,100.0",
	         "jobs,c9,engaged_1_month,1,0,0.0");
	MUST_SAY(outcome_unpaid, "gateway,c1,1,0,0,1,100.0,1,100.0,,,,",
	         "jobs,c9,1,0,0,1,100.0,1,100.0,,,,");
	MUST_SAY(figures_referrals, "jobs,c9,mind,1,0,0,0,0,0,0,0,,");
}

static void a_referral_tells_the_scheme_of_the_work_under_it(void **state)
{
	struct fixture *fixture = *state;
	struct casefile *file = &fixture->file;

	enrol(fixture, "2011-01-05 10:00");
	casefile_enrolled(file, &ours, must_at("2011-01-06 10:00"), "jobs", "c9", "");
	let_out(fixture, "2011-03-01 09:00");
	file->scheme = "jobs";
	file->referral = "r-1";
	casefile_sent(file, &ours, must_at("2011-03-02 10:00"), "mind");
	file->scheme = "";
	casefile_appointment(file, &inside, must_at("2011-03-06 10:00"), KEPT);
	casefile_appointment(file, &inside, must_at("2011-03-26 10:00"), KEPT);
	settle(fixture, LATER);
	MUST_SAY(figures_engagement, "gateway,c1,engaged_1_month,1,0,0.0",
	         "jobs,c9,engaged_1_month,1,1,100.0");
}

static void a_man_is_in_one_cohort_of_a_scheme(void **state)
{
	struct fixture *fixture = *state;

	casefile_enrolled(&fixture->file, &ours, must_at("2012-01-06 10:00"), "gateway", "c2", "");
	enrol(fixture, "2011-01-05 10:00");
	let_out(fixture, "2011-03-01 09:00");
	let_out(fixture, "2012-03-01 09:00");
	settle(fixture, LATER);
	struct table table;
	assert_int_equal(figures_needs(fixture->figures, &table), TTG_OK);
	assert_int_equal(table.n_rows, 22); /* c1 and ALL */
	must_have_row(&table, "gateway,ALL,legal,1,0,0.0");
	table_fini(&table);
}

static void the_release_that_was_expected_opens_the_window(void **state)
{
	struct fixture *fixture = *state;

	/* Enrolled the day after he came out. */
	casefile_enrolled(&fixture->file, &ours, must_at("2011-03-02 10:00"), "gateway", "c1",
	                  "2011-03-01");
	let_out(fixture, "2010-05-01 09:00");
	let_out(fixture, "2011-03-01 09:00");
	casefile_gate(&fixture->file, &ours, must_at("2011-03-01 09:00"), MET);
	settle(fixture, LATER);
	MUST_SAY(figures_engagement, "gateway,c1,met_at_gate,1,1,100.0");
}

static void what_is_superseded_does_not_count(void **state)
{
	struct fixture *fixture = *state;
	struct casefile *file = &fixture->file;

	enrol(fixture, "2011-01-05 10:00");
	let_out(fixture, "2011-02-01 09:00");
	file->supersedes = file->number;
	let_out(fixture, "2011-03-01 09:00");
	be_active(fixture, "2011-03-05 10:00");
	be_active(fixture, "2011-03-20 10:00");
	const uint32_t contact = file->number;
	casefile_gate(file, &ours, must_at("2011-03-01 09:00"), MET);
	const uint32_t meeting = file->number;
	/* The prison cannot take back what the service said; the broker can. */
	file->supersedes = contact;
	casefile_received(file, &inside, must_at("2011-03-21 10:00"));
	casefile_correction(file, meeting, "one-service");
	settle(fixture, LATER);
	MUST_SAY(figures_engagement, "gateway,c1,engaged_1_month,1,1,100.0",
	         "gateway,c1,met_at_gate,1,0,0.0");
}

static void what_a_correction_of_a_correction_says_counts(void **state)
{
	struct fixture *fixture = *state;
	struct casefile *file = &fixture->file;

	enrol(fixture, "2011-01-05 10:00");
	let_out(fixture, "2011-03-01 09:00");
	casefile_gate(file, &ours, must_at("2011-03-01 09:00"), MET);
	file->supersedes = file->number;
	casefile_gate(file, &ours, must_at("2011-03-01 09:05"), MET);
	file->supersedes = file->number;
	casefile_gate(file, &ours, must_at("2011-03-02 09:05"), MET);
	settle(fixture, LATER);
	MUST_SAY(figures_engagement, "gateway,c1,met_at_gate,1,0,0.0");
}

static void he_who_takes_consent_back_stays_in_the_cohort_unseen(void **state)
{
	struct fixture *fixture = *state;

	enrol(fixture, "2011-01-05 10:00");
	let_out(fixture, "2011-03-01 09:00");
	be_active(fixture, "2011-03-05 10:00");
	casefile_withdrawn(&fixture->file, &ours, must_at("2011-03-10 10:00"), "", CONSENT);
	be_active(fixture, "2011-03-20 10:00");
	settle(fixture, LATER);
	MUST_SAY(figures_engagement, "gateway,c1,engaged_1_month,1,0,0.0");
	MUST_SAY(outcome_unpaid, "gateway,c1,0,0,1,0,,0,,,,,");
}

static void he_who_comes_back_counts_from_then_on(void **state)
{
	struct fixture *fixture = *state;

	enrol(fixture, "2011-01-05 10:00");
	let_out(fixture, "2011-03-01 09:00");
	casefile_withdrawn(&fixture->file, &ours, must_at("2011-03-02 10:00"), "gateway", CONSENT);
	casefile_reengaged(&fixture->file, &ours, must_at("2011-03-04 10:00"), "gateway");
	be_active(fixture, "2011-03-05 10:00");
	be_active(fixture, "2011-03-20 10:00");
	settle(fixture, LATER);
	MUST_SAY(figures_engagement, "gateway,c1,engaged_1_month,1,1,100.0");
	MUST_SAY(outcome_unpaid, "gateway,c1,0,0,1,0,,0,,,,,");
}

static void he_who_was_enrolled_by_mistake_is_in_no_cohort(void **state)
{
	struct fixture *fixture = *state;

	enrol(fixture, "2011-01-05 10:00");
	casefile_enrolled(&fixture->file, &other, must_at("2011-01-05 10:00"), "gateway", "c1", "");
	let_out(fixture, "2011-03-01 09:00");
	casefile_released(&fixture->file, &other, must_at("2011-03-01 09:00"), true, SETTLED);
	casefile_withdrawn(&fixture->file, &ours, must_at("2011-04-10 10:00"), "gateway", MISTAKE);
	casefile_withdrawn(&fixture->file, &other, must_at("2011-04-10 10:00"), "gateway", DIED);
	settle(fixture, LATER);
	MUST_SAY(figures_engagement, "gateway,c1,first_assessment,1,0,0.0");
	MUST_SAY(outcome_unpaid, "gateway,c1,1,0,0,0,0.0,0,0.0,,,,");
}

static void he_who_is_enrolled_again_after_a_mistake_is_in_the_cohort(void **state)
{
	struct fixture *fixture = *state;

	enrol(fixture, "2011-01-05 10:00");
	casefile_withdrawn(&fixture->file, &ours, must_at("2011-01-06 10:00"), "gateway", MISTAKE);
	casefile_enrolled(&fixture->file, &ours, must_at("2011-01-07 10:00"), "gateway", "c2", "");
	let_out(fixture, "2011-03-01 09:00");
	settle(fixture, LATER);
	MUST_SAY(figures_engagement, "gateway,c2,first_assessment,1,0,0.0");
	MUST_SAY(outcome_unpaid, "gateway,c2,1,0,0,0,0.0,0,0.0,,,,");
}

static void an_enrolment_without_a_cohort_is_told_and_not_counted(void **state)
{
	struct fixture *fixture = *state;

	casefile_enrolled(&fixture->file, &ours, must_at("2011-01-05 10:00"), "gateway", "", "");
	let_out(fixture, "2011-03-01 09:00");
	casefile_enrolled(&fixture->file, &other, must_at("2011-01-05 10:00"), "", "c1", "");
	fixture->file.supersedes = fixture->file.number;
	casefile_received(&fixture->file, &other, must_at("2011-01-06 10:00"));
	casefile_enrolled(&fixture->file, &other, must_at("2011-01-05 10:00"), "gateway", "", "");
	fixture->file.supersedes = fixture->file.number;
	casefile_withdrawn(&fixture->file, &other, must_at("2011-01-06 10:00"), "", CONSENT);
	settle(fixture, LATER);
	/* The prison's word takes nothing back, our own does. */
	assert_int_equal(figures_left_out(fixture->figures), 2);
	struct table table;
	assert_int_equal(figures_engagement(fixture->figures, &table), TTG_OK);
	assert_int_equal(table.n_rows, 0);
	table_fini(&table);
}

static void needs_of_all_assessments_of_this_time_come_together(void **state)
{
	struct fixture *fixture = *state;
	struct casefile *file = &fixture->file;

	casefile_screened(file, &inside, must_at("2009-01-06 10:00"), 1u << 7, 0);
	let_out(fixture, "2009-03-01 09:00"); /* an earlier sentence */
	enrol(fixture, "2011-01-05 10:00");
	casefile_screened(file, &inside, must_at("2011-01-06 10:00"), 1u << 1, 1u << 10);
	let_out(fixture, "2011-03-01 09:00");
	casefile_assessed(file, &ours, must_at("2011-12-01 10:00"), 1u << 2, REVIEW, COMMUNITY);
	casefile_assessed(file, &ours, must_at("2012-03-01 09:00"), 1u << 3, REVIEW, COMMUNITY);
	settle(fixture, LATER);
	MUST_SAY(figures_needs, "gateway,c1,accommodation,1,1,100.0",
	         "gateway,c1,finance_benefit_debt,1,1,100.0",
	         "gateway,c1,education_training_employment,1,0,0.0", "gateway,c1,legal,1,0,0.0",
	         "gateway,c1,immigration,1,0,0.0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(months_are_counted_by_the_calendar_and_londons_clocks),
		TEST(a_man_who_is_reached_at_every_stage_counts_at_every_stage),
		TEST(what_is_next_to_a_stage_does_not_count_for_it),
		TEST(the_fast_feed_opens_no_window),
		TEST(an_assessment_of_an_earlier_sentence_is_none_of_this_one),
		TEST(a_period_is_over_at_the_instant_of_its_end),
		TEST(two_contacts_in_the_first_half_only_are_no_engagement),
		TEST(the_middle_belongs_to_the_second_half),
		TEST(a_window_across_a_clock_change_ends_by_the_new_clock),
		TEST(a_release_on_a_leap_day_has_its_year_to_28_february),
		TEST(a_year_that_is_not_over_is_in_no_denominator_yet),
		TEST(a_return_to_custody_on_day_15_keeps_the_window_open),
		TEST(work_counts_in_its_own_scheme_only),
		TEST(a_referral_tells_the_scheme_of_the_work_under_it),
		TEST(a_man_is_in_one_cohort_of_a_scheme),
		TEST(the_release_that_was_expected_opens_the_window),
		TEST(what_is_superseded_does_not_count),
		TEST(what_a_correction_of_a_correction_says_counts),
		TEST(he_who_takes_consent_back_stays_in_the_cohort_unseen),
		TEST(he_who_comes_back_counts_from_then_on),
		TEST(he_who_was_enrolled_by_mistake_is_in_no_cohort),
		TEST(he_who_is_enrolled_again_after_a_mistake_is_in_the_cohort),
		TEST(an_enrolment_without_a_cohort_is_told_and_not_counted),
		TEST(needs_of_all_assessments_of_this_time_come_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
