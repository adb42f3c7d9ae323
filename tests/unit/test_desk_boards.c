/* Discharge boards at the desk: which are shown, what they found, who may know the address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "support/desk_bed.h"

#define TOLD      "2027-02-01 10:00"
#define ADDRESS   "12 Bridge Street"
#define HELD      TTG__BOARD_STATUS__BOARD_STATUS_HELD
#define PLANNED   TTG__BOARD_STATUS__BOARD_STATUS_SCHEDULED
#define MOVED     TTG__BOARD_STATUS__BOARD_STATUS_RESCHEDULED
#define CANCELLED TTG__BOARD_STATUS__BOARD_STATUS_CANCELLED
#define COMING    "Boards of the next 28 days"
#define PAST      "Boards of the last 21 days"
#define MISSING   "Releases of the next 21 days without a board"
#define HOSTILE   "<b>\"&'"

static struct desk_bed bed;
static struct casefile file;
static const struct casefile_man tom = { .noms = "A1001BC", .key = 1 };
static const struct casefile_man dan = { .noms = "A1002BC", .key = 2 };

static int set_up(void **state)
{
	(void)state;
	must_make_desk(&bed);
	casefile_init(&file, desk_bed_put, &bed);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	desk_bed_remove(&bed);
	return 0;
}

static void show(void)
{
	must_follow(&bed);
	desk_bed_get(&bed, page_boards, "", NULL, NULL);
	assert_int_equal(bed.response.status, 200);
}

static void plan(const struct casefile_man *man, const char *date, int status)
{
	casefile_board(&file, man, must_at(TOLD) + file.number,
	               &(struct casefile_board){ .status = status,
	                                         .date = date,
	                                         .clock = "14:00",
	                                         .place = "Houseblock 2",
	                                         .release_date = "2027-04-01" });
}

static void schedule(const struct casefile_man *man, const char *date)
{
	casefile_scheduled(&file, man, must_at(TOLD),
	                   &(struct casefile_release){
	                           .date = date, .clock = "09:00", .area = "Peterborough" });
}

/* Tom stands under that heading and not under the other ones. */
static void must_stand_under(const char *heading)
{
	const char *page = bed.response.body.bytes;
	const char *at = heading == NULL ? NULL : strstr(page, heading);
	const char *person = strstr(page, "A1001BC");

	if (heading == NULL) {
		assert_null(person);
		return;
	}
	assert_non_null(at);
	assert_true(person != NULL && person > at);
	/* The table ends behind him. */
	assert_true(strstr(strstr(at, "<tbody"), "</table>") > person);
}

static void boards_are_shown_four_weeks_ahead_and_three_back(void **state)
{
	static const struct {
		const char *date;
		int status;
		const char *heading, *says;
	} cases[] = {
		{ "2027-04-09", PLANNED, COMING, "Planned" },
		{ "2027-04-10", PLANNED, NULL, NULL },
		{ "2027-03-12", PLANNED, COMING, "Planned" },
		{ "2027-03-12", HELD, PAST, "Held" },
		{ "2027-02-19", HELD, PAST, "Held" },
		{ "2027-02-18", HELD, NULL, NULL },
		{ "2027-03-11", PLANNED, PAST, "No outcome told" },
		{ "2027-03-20", CANCELLED, COMING, "Cancelled" },
		{ "", PLANNED, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		plan(&tom, cases[i].date, cases[i].status);
		show();
		must_stand_under(cases[i].heading);
		if (cases[i].says != NULL)
			must_show(&bed, cases[i].says);
	}
}

static void a_board_says_what_is_met_and_what_is_not_and_by_whom(void **state)
{
	(void)state;
	casefile_board(
	        &file, &tom, must_at(TOLD),
	        &(struct casefile_board){ .status = HELD,
	                                  .date = "2027-03-10",
	                                  .arranged = 1u << TTG__NEED_CATEGORY__NEED_ADDICTION,
	                                  .unmet = 1u << TTG__NEED_CATEGORY__NEED_ACCOMMODATION,
	                                  .owner = "housing team" });
	show();
	must_show(&bed, ">Arranged: addiction</strong>");
	must_show(&bed, ">Unmet: accommodation, housing team</strong>");
}

static void a_board_that_moved_says_from_when(void **state)
{
	(void)state;
	casefile_board(&file, &tom, must_at(TOLD),
	               &(struct casefile_board){ .status = MOVED,
	                                         .date = "2027-03-16",
	                                         .clock = "15:00",
	                                         .old_date = "2027-03-15",
	                                         .old_clock = "14:00" });
	show();
	must_show(&bed, "Rescheduled");
	must_show(&bed, "was </span>Monday 15 March 2027</del>");
	must_show(&bed, "was </span>14:00</del>");
	must_show(&bed, "Tuesday 16 March 2027 15:00");
}

static void a_release_that_moved_since_is_shown_as_the_diary_has_it(void **state)
{
	(void)state;
	plan(&tom, "2027-03-16", PLANNED);
	schedule(&tom, "2027-03-30");
	show();
	must_show(&bed, "was </span>Thursday 1 April 2027</del> Tuesday 30 March 2027");
}

static void the_address_is_for_his_caseworker_and_managers(void **state)
{
	const struct casefile_man ours = { .noms = "A1001BC" };

	(void)state;
	file.caseworker = "Bea Example";
	casefile_enrolled(&file, &ours, must_at(TOLD), "one-service-pilot", "c1", "2027-04-01");
	schedule(&tom, "2027-04-01");
	casefile_board(&file, &tom, must_at(TOLD),
	               &(struct casefile_board){
	                       .status = HELD, .date = "2027-03-10", .address = ADDRESS });
	show();
	must_show(&bed, ADDRESS); /* a manager */
	bed.user.role = ROLE_CASEWORKER;
	show();
	must_not_show(&bed, ADDRESS);
	must_show(&bed, "supported, Peterborough");
	bed.user.role = ROLE_DUTY;
	show();
	must_not_show(&bed, ADDRESS);
	snprintf(bed.user.name, sizeof(bed.user.name), "Bea Example");
	show();
	must_show(&bed, ADDRESS);
}

static void releases_without_a_board_have_a_list(void **state)
{
	(void)state;
	schedule(&tom, "2027-04-02");
	schedule(&dan, "2027-04-03"); /* too far away */
	show();
	must_stand_under(MISSING);
	must_not_show(&bed, "A1002BC");
	plan(&tom, "2027-03-16", PLANNED);
	show();
	must_show(&bed, "Everybody who is let out in the next 21 days has a board.");
	must_stand_under(COMING);
	plan(&tom, "2027-03-16", CANCELLED);
	show();
	must_show(&bed, MISSING);
}

static void a_long_list_goes_on_behind_a_link(void **state)
{
	char noms[8];

	(void)state;
	for (unsigned i = 0; i < 50; i++) {
		const struct casefile_man man = { .noms = noms, .key = 100 + i };

		snprintf(noms, sizeof(noms), "B%04uCD", i);
		plan(&man, "2027-03-16", TTG__BOARD_STATUS__BOARD_STATUS_SCHEDULED);
	}
	show();
	must_show(&bed, "B0039CD");
	must_not_show(&bed, "B0040CD");
	must_show(&bed, "/boards?coming=40\">10 more</a>");
	desk_bed_get(&bed, page_boards, "coming=40", NULL, NULL);
	must_not_show(&bed, "B0039CD");
	must_show(&bed, "B0040CD");
	must_show(&bed, "/boards?coming=0\">Those before</a>");
	must_not_show(&bed, "more</a>");
}

static void of_a_limited_access_case_only_that_there_is_one(void **state)
{
	const struct casefile_man ours = { .noms = "A1001BC" };

	(void)state;
	file.caseworker = "Bea Example";
	casefile_enrolled(&file, &ours, must_at(TOLD), "one-service-pilot", "c1", "2027-04-01");
	schedule(&tom, "2027-04-01");
	casefile_limited(&file, &tom, must_at(TOLD));
	show();
	must_show(&bed, "Limited-access case");
	must_not_show(&bed, "A1001BC");
	must_not_show(&bed, "Peterborough");
	casefile_board(&file, &tom, must_at(TOLD),
	               &(struct casefile_board){ .status = HELD,
	                                         .date = "2027-03-10",
	                                         .place = "Houseblock 2",
	                                         .address = ADDRESS,
	                                         .unmet = 2 });
	show();
	must_show(&bed, "Limited-access case");
	must_show(&bed, "Bea Example");
	must_not_show(&bed, "A1001BC");
	must_not_show(&bed, ADDRESS);
	must_not_show(&bed, "Houseblock");
	must_not_show(&bed, "Unmet");
}

static void no_text_of_a_board_writes_into_the_page(void **state)
{
	(void)state;
	casefile_board(&file, &tom, must_at(TOLD),
	               &(struct casefile_board){ .status = MOVED,
	                                         .date = "2027-03-16",
	                                         .clock = HOSTILE,
	                                         .old_date = HOSTILE,
	                                         .old_clock = HOSTILE "2",
	                                         .place = HOSTILE,
	                                         .release_date = HOSTILE,
	                                         .address = HOSTILE,
	                                         .unmet = 2,
	                                         .owner = HOSTILE });
	show();
	must_show(&bed, "&lt;b&gt;");
	must_not_show(&bed, "<b>");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(boards_are_shown_four_weeks_ahead_and_three_back),
		TEST(a_board_says_what_is_met_and_what_is_not_and_by_whom),
		TEST(a_board_that_moved_says_from_when),
		TEST(a_release_that_moved_since_is_shown_as_the_diary_has_it),
		TEST(the_address_is_for_his_caseworker_and_managers),
		TEST(releases_without_a_board_have_a_list),
		TEST(a_long_list_goes_on_behind_a_link),
		TEST(of_a_limited_access_case_only_that_there_is_one),
		TEST(no_text_of_a_board_writes_into_the_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
