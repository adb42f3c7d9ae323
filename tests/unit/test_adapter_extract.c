/*
 * The prison adapter's extracts: release diary and discharge boards as other systems write them,
 * and what the difference between two of them becomes. Everything in them is invented.
 */
#include <stdio.h>
#include <stdlib.h>
#include "adapter_unit.h"
#include "prison/prison.h"

static const struct prison_settings settings = {
	.views = PRISON_VIEW_SETTLED,
	.max_vanish_percent = 20,
	.max_vanish_count = 2,
	.urgent_hours = 72,
};

static struct reader reader;

static int set_up(void **state)
{
	if (folder_set_up(state) != 0)
		return -1;
	reader_open(&reader, &prison_kind, *state, &settings);
	return 0;
}

static int tear_down(void **state)
{
	reader_close(&reader);
	return folder_tear_down(state);
}

#define EXTRACT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define HEADER             "Prison No,Release Date,Time,Prison,Gate,Reference\r\n"
#define MAN                "A7421BQ,20/11/2026,09:00,PBI,Main,D1\r\n"
#define OTHER              "A7422BQ,21/11/2026,09:15,PBI,Main,D2\r\n"
#define THIRD              "A7423BQ,22/11/2026,08:30,PBI,Main,D3\r\n"

static void take_named(const char *name, const char *text, const char *seen)
{
	reader_read(&reader, name, text, strlen(text), seen);
	reader_settle(&reader, !reader.intake.refused);
}

static void a_new_entry_is_scheduled(void **state)
{
	const Ttg__Event *event = must_read_one(&reader, HEADER MAN, "prison.release_scheduled");
	const Ttg__PrisonReleaseScheduled *scheduled = event->prison_release_scheduled;

	(void)state;
	assert_string_equal(scheduled->release_date, "2026-11-20");
	assert_string_equal(scheduled->release_clock, "09:00");
	assert_string_equal(scheduled->prison_code, "PBI");
	assert_string_equal(scheduled->gate, "Main");
	assert_string_equal(scheduled->diary_reference, "D1");
	assert_int_equal(event->urgency, TTG__URGENCY__ROUTINE);
	assert_int_equal(event->occurred_at->unix_ns, instant_of(ADAPTER_SEEN));
	assert_string_equal(event->person->identifiers[0]->canonical, "A7421BQ");
}

static void the_same_extract_again_changes_nothing(void **state)
{
	(void)state;
	reader_take(&reader, HEADER MAN OTHER);
	assert_int_equal(reader.n, 2);
	take_named("again", HEADER MAN OTHER, "2026-11-03T07:30:00Z");
	assert_int_equal(reader.n, 0);
	assert_int_equal(reader.intake.total_problems, 0);
}

static void other_columns_and_another_spelling_of_dates_are_no_change(void **state)
{
	(void)state;
	reader_take(&reader, HEADER MAN);
	take_named("again",
	           "\xef\xbb\xbf\"time\";\"gate\";\"prison_number\";\"extra\";\"establishment\";"
	           "\"reference\";\"date of release\"\n"
	           "\"0900\";\"Main\";\"A7421BQ\";\"x\";\"PBI\";\"D1\";\"2026-11-20\"\n",
	           "2026-11-03T07:30:00Z");
	assert_int_equal(reader.intake.total_problems, 0);
	assert_int_equal(reader.n, 0);
}

static void a_changed_hour_tells_old_and_new(void **state)
{
	const Ttg__PrisonReleaseChanged *changed;

	(void)state;
	reader_take(&reader, HEADER MAN);
	take_named("b", HEADER "A7421BQ,19/11/2026,08:15,PBI,Main,D1\r\n", "2026-11-05T07:30:00Z");
	assert_int_equal(reader.n, 1);
	assert_string_equal(reader.events[0]->type, "prison.release_changed");
	changed = reader.events[0]->prison_release_changed;
	assert_string_equal(changed->release_date, "2026-11-19");
	assert_string_equal(changed->release_clock, "08:15");
	assert_string_equal(changed->old_release_date, "2026-11-20");
	assert_string_equal(changed->old_release_clock, "09:00");
	assert_int_equal(reader.events[0]->urgency, TTG__URGENCY__PROMPT);
}

static void a_change_within_72_hours_is_urgent(void **state)
{
	(void)state;
	reader_take(&reader, HEADER MAN);
	take_named("b", HEADER "A7421BQ,20/11/2026,10:00,PBI,Main,D1\r\n", "2026-11-17T08:59:00Z");
	assert_int_equal(reader.n, 1);
	assert_int_equal(reader.events[0]->urgency, TTG__URGENCY__PROMPT);
	take_named("c", HEADER "A7421BQ,20/11/2026,11:00,PBI,Main,D1\r\n", "2026-11-17T10:01:00Z");
	assert_int_equal(reader.n, 1);
	assert_int_equal(reader.events[0]->urgency, TTG__URGENCY__URGENT);
}

static void a_vanished_entry_is_cancelled(void **state)
{
	(void)state;
	reader_take(&reader, HEADER MAN OTHER);
	take_named("b", HEADER OTHER, "2026-11-05T07:30:00Z");
	assert_int_equal(reader.n, 1);
	assert_string_equal(reader.events[0]->type, "prison.release_cancelled");
	assert_string_equal(reader.events[0]->prison_release_cancelled->release_date, "2026-11-20");
	assert_string_equal(reader.events[0]->person->identifiers[0]->value, "A7421BQ");
}

static void a_cancelled_release_that_comes_back_is_a_new_event(void **state)
{
	uint8_t first[16];

	(void)state;
	reader_take(&reader, HEADER MAN OTHER);
	memcpy(first, reader.events[0]->id.data, 16);
	take_named("b", HEADER OTHER, ADAPTER_SEEN);
	take_named("c", HEADER MAN OTHER, ADAPTER_SEEN);
	assert_int_equal(reader.n, 1);
	assert_string_equal(reader.events[0]->type, "prison.release_scheduled");
	assert_memory_not_equal(reader.events[0]->id.data, first, 16);
}

static void a_release_that_has_happened_is_forgotten_and_not_cancelled(void **state)
{
	(void)state;
	reader_take(&reader, HEADER MAN OTHER);
	take_named("b", HEADER OTHER, "2026-11-20T09:01:00Z");
	assert_int_equal(reader.n, 0);
	assert_int_equal(reader.intake.total_problems, 0);
}

static void an_empty_extract_cancels_nobody(void **state)
{
	(void)state;
	reader_take(&reader, HEADER MAN);
	take_named("b", HEADER, "2026-11-05T07:30:00Z");
	assert_true(reader.intake.refused);
	take_named("c", HEADER MAN, "2026-11-06T07:30:00Z");
	assert_int_equal(reader.n, 0);
}

static void an_extract_that_lost_most_of_its_lines_is_refused_unless_forced(void **state)
{
	(void)state;
	reader_take(&reader, HEADER MAN OTHER THIRD "A7424BQ,22/11/2026,08:30,PBI,Main,D4\r\n");
	take_named("b", HEADER MAN, "2026-11-05T07:30:00Z");
	assert_true(reader.intake.refused);
	assert_non_null(strstr(reader.intake.problems[0].message.text, "3 of 4"));
	take_named("force-b", HEADER MAN, "2026-11-05T07:31:00Z");
	assert_false(reader.intake.refused);
	assert_int_equal(reader.n, 3);
}

static void a_bad_line_stays_behind_and_nobody_is_cancelled_for_it(void **state)
{
	(void)state;
	reader_take(&reader, HEADER MAN OTHER);
	take_named("b", HEADER "A7421BQ,31/02/2026,09:00,PBI,Main,D1\r\n" THIRD,
	           "2026-11-05T07:30:00Z");
	assert_int_equal(reader.n, 1);
	assert_string_equal(reader.events[0]->type, "prison.release_scheduled");
	assert_int_equal(reader.intake.total_problems, 1);
	assert_int_equal(reader.intake.problems[0].line, 2);
	assert_string_equal(reader.intake.rejected,
	                    HEADER "A7421BQ,31/02/2026,09:00,PBI,Main,D1\r\n");
}

static void a_truncated_last_line_is_a_bad_line(void **state)
{
	(void)state;
	reader_take(&reader, HEADER MAN OTHER);
	take_named("b", HEADER MAN "A7422BQ,21/1", "2026-11-05T07:30:00Z");
	assert_int_equal(reader.n, 0);
	assert_int_equal(reader.intake.total_problems, 1);
	assert_int_equal(reader.intake.problems[0].line, 3);
}

static void an_extract_of_one_prison_says_nothing_about_another(void **state)
{
	(void)state;
	reader_take(&reader, HEADER MAN "A7425BQ,21/11/2026,09:15,PFI,Main,D5\r\n");
	take_named("b", HEADER MAN, "2026-11-05T07:30:00Z");
	assert_int_equal(reader.n, 0);
	assert_int_equal(reader.intake.total_problems, 0);
}

static void a_partial_extract_cancels_nobody(void **state)
{
	struct prison_settings partial = settings;
	struct reader one;
	const struct folder *folder = *state;
	struct folder inner;

	partial.diary_extent = PRISON_EXTRACT_PARTIAL;
	folder_make(folder, "one");
	snprintf(inner.path, sizeof(inner.path), "%.200s/one", folder->path);
	reader_open(&one, &prison_kind, &inner, &partial);
	reader_take(&one, HEADER MAN OTHER);
	reader_take(&one, HEADER OTHER);
	assert_int_equal(one.n, 0);
	assert_int_equal(one.intake.total_problems, 0);
	reader_close(&one);
}

static void what_was_not_made_durable_is_compared_again_with_the_same_ids(void **state)
{
	uint8_t first[16];
	const char *text = HEADER MAN;

	(void)state;
	reader_read(&reader, "a", text, strlen(text), ADAPTER_SEEN);
	assert_int_equal(reader.n, 1);
	memcpy(first, reader.events[0]->id.data, 16);
	reader_settle(&reader, false);
	reader_read(&reader, "a", text, strlen(text), ADAPTER_SEEN);
	assert_int_equal(reader.n, 1);
	assert_memory_equal(reader.events[0]->id.data, first, 16);
	reader_settle(&reader, true);
}

static void the_state_survives_a_restart(void **state)
{
	reader_take(&reader, HEADER MAN);
	reader_close(&reader);
	reader_open(&reader, &prison_kind, *state, &settings);
	reader_take(&reader, HEADER MAN);
	assert_int_equal(reader.n, 0);
}

static void windows_1252_is_read_for_what_it_is(void **state)
{
	const Ttg__Event *event = must_read_one(
	        &reader,
	        "Prison No,Release Date,Prison,Gate,Address Line 1,Postcode,Address Type\r\n"
	        "A7421BQ,20/11/2026,PBI,\"Caf\xe9 \x93"
	        "A\x94\",\"1, Long Row\",PE1 1AA,hostel\r\n",
	        "prison.release_scheduled");

	(void)state;
	assert_string_equal(event->prison_release_scheduled->gate, "Caf\xc3\xa9 \xe2\x80\x9c"
	                                                           "A\xe2\x80\x9d");
	assert_string_equal(event->prison_release_scheduled->release_address->lines[0],
	                    "1, Long Row");
	assert_int_equal(event->prison_release_scheduled->release_address->kind,
	                 TTG__ADDRESS_KIND__ADDRESS_KIND_SUPPORTED);
}

static void a_header_without_a_needed_column_refuses_the_file(void **state)
{
	(void)state;
	must_refuse(&reader, "Prison No,Prison\r\nA7421BQ,PBI\r\n", "release_date");
	assert_true(reader.intake.refused);
	must_refuse(&reader, "Prison No,NOMS,Release Date,Prison\r\n", "two columns");
}

static void the_same_man_twice_is_a_bad_line(void **state)
{
	(void)state;
	reader_take(&reader, HEADER MAN "A7421BQ,21/11/2026,09:00,PBI,Main,D1\r\n");
	assert_int_equal(reader.n, 1);
	assert_int_equal(reader.intake.problems[0].line, 3);
}

#define BOARD "NOMS,Board Date,Board Time,Prison,Room,Status,Needs,Invited\r\n"

static void a_board_is_scheduled_rescheduled_held_and_then_left_alone(void **state)
{
	const Ttg__PrisonDischargeBoard *board;

	(void)state;
	board = must_read_one(&reader, BOARD "A7421BQ,12/11/2026,10:00,PBI,R2,,,mind; st-giles\r\n",
	                      "prison.discharge_board")
	                ->prison_discharge_board;
	assert_int_equal(board->status, TTG__BOARD_STATUS__BOARD_STATUS_SCHEDULED);
	assert_int_equal(board->n_invited_agency, 2);
	assert_string_equal(board->invited_agency[1], "st-giles");
	board = must_read_one(&reader, BOARD "A7421BQ,13/11/2026,11:00,PBI,R2,,,\r\n",
	                      "prison.discharge_board")
	                ->prison_discharge_board;
	assert_int_equal(board->status, TTG__BOARD_STATUS__BOARD_STATUS_RESCHEDULED);
	assert_string_equal(board->old_board_date, "2026-11-12");
	board = must_read_one(&reader,
	                      BOARD
	                      "A7421BQ,13/11/2026,11:00,PBI,R2,held,"
	                      "\"housing:unmet:Housing Options;benefits:arranged:jobcentre-plus\""
	                      ",\r\n",
	                      "prison.discharge_board")
	                ->prison_discharge_board;
	assert_int_equal(board->status, TTG__BOARD_STATUS__BOARD_STATUS_HELD);
	assert_int_equal(board->n_needs, 2);
	assert_int_equal(board->needs[0]->category, TTG__NEED_CATEGORY__NEED_ACCOMMODATION);
	assert_int_equal(board->needs[0]->state, TTG__BOARD_NEED_STATE__BOARD_NEED_STATE_UNMET);
	assert_string_equal(board->needs[0]->owner, "Housing Options");
	assert_string_equal(board->needs[1]->owner_agency, "jobcentre-plus");
	reader_take(&reader, BOARD "A7426BQ,14/11/2026,10:00,PBI,R2,,,\r\n");
	assert_int_equal(reader.n, 1);
}

static void a_board_that_vanishes_is_cancelled(void **state)
{
	(void)state;
	reader_take(&reader, BOARD "A7421BQ,12/11/2026,10:00,PBI,R2,,,\r\n"
	                           "A7422BQ,12/11/2026,11:00,PBI,R2,,,\r\n");
	reader_take(&reader, BOARD "A7422BQ,12/11/2026,11:00,PBI,R2,,,\r\n");
	assert_int_equal(reader.n, 1);
	assert_int_equal(reader.events[0]->prison_discharge_board->status,
	                 TTG__BOARD_STATUS__BOARD_STATUS_CANCELLED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EXTRACT_TEST(a_new_entry_is_scheduled),
		EXTRACT_TEST(the_same_extract_again_changes_nothing),
		EXTRACT_TEST(other_columns_and_another_spelling_of_dates_are_no_change),
		EXTRACT_TEST(a_changed_hour_tells_old_and_new),
		EXTRACT_TEST(a_change_within_72_hours_is_urgent),
		EXTRACT_TEST(a_vanished_entry_is_cancelled),
		EXTRACT_TEST(a_cancelled_release_that_comes_back_is_a_new_event),
		EXTRACT_TEST(a_release_that_has_happened_is_forgotten_and_not_cancelled),
		EXTRACT_TEST(an_empty_extract_cancels_nobody),
		EXTRACT_TEST(an_extract_that_lost_most_of_its_lines_is_refused_unless_forced),
		EXTRACT_TEST(a_bad_line_stays_behind_and_nobody_is_cancelled_for_it),
		EXTRACT_TEST(a_truncated_last_line_is_a_bad_line),
		EXTRACT_TEST(an_extract_of_one_prison_says_nothing_about_another),
		EXTRACT_TEST(a_partial_extract_cancels_nobody),
		EXTRACT_TEST(what_was_not_made_durable_is_compared_again_with_the_same_ids),
		EXTRACT_TEST(the_state_survives_a_restart),
		EXTRACT_TEST(windows_1252_is_read_for_what_it_is),
		EXTRACT_TEST(a_header_without_a_needed_column_refuses_the_file),
		EXTRACT_TEST(the_same_man_twice_is_a_bad_line),
		EXTRACT_TEST(a_board_is_scheduled_rescheduled_held_and_then_left_alone),
		EXTRACT_TEST(a_board_that_vanishes_is_cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
