/* People at the desk: who is found, what one's page says, and what it keeps to itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "support/desk_bed.h"
#include "support/desk_story.h"

#define MINUTE INT64_C(60000000000)
#define NOMS   "A1234BC"

struct play {
	struct desk_bed bed;
	struct story story;
	struct casefile file;
};

static int set_up(void **state)
{
	static struct play play;

	must_make_desk(&play.bed);
	play.story = (struct story){ desk_bed_put, &play.bed };
	casefile_init(&play.file, desk_bed_put, &play.bed);
	*state = &play;
	return 0;
}

static int tear_down(void **state)
{
	struct play *play = *state;

	disclosures_free(&play->bed.desk.disclosures);
	desk_bed_remove(&play->bed);
	return 0;
}

static void follow(struct play *play)
{
	struct message message = { "" };
	bool news;

	assert_int_equal(desk_follow(&play->bed.desk, &news, &message), TTG_OK);
}

static void enrol(struct play *play, uint32_t number, const char *noms, const char *caseworker)
{
	const struct story_event event = { .number = number,
		                           .noms = noms,
		                           .at_ns = play->bed.now_ns - 60 * MINUTE };

	story_enrolled(&play->story, &event, caseworker);
}

static const char *page_of(struct play *play, const char *noms)
{
	char part[16];

	snprintf(part, sizeof(part), "%u", must_find_person(&play->bed, noms)->number);
	return desk_bed_get(&play->bed, page_person, "", part, NULL);
}

static void people_are_found_by_any_of_their_numbers(void **state)
{
	struct play *play = *state;
	struct desk_bed *bed = &play->bed;
	const struct casefile_man tom = { .noms = NOMS, .crn = "X123456", .key = 1 };
	static const char *const found[] = { "q=A1234BC", "q=a1234bc", "q=+A1234BC+", "q=X123456",
		                             "q=x123456" };
	static const char *const nobody[] = { "q=A1234BD", "q=A1234", "q=%25", "q=*" };

	casefile_received(&play->file, &tom, must_at("2027-01-04 10:00"));
	follow(play);
	for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
		desk_bed_get(bed, page_people, found[i], NULL, NULL);
		must_show(bed, "Found: 1");
		must_show(bed, "href=\"/people/0\">" NOMS "</a>");
		must_show(bed, "In prison: ");
	}
	for (size_t i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++) {
		desk_bed_get(bed, page_people, nobody[i], NULL, NULL);
		must_show(bed, "Nobody with this number is known here.");
		must_not_show(bed, "href=\"/people/0\"");
	}
}

static void those_who_are_enrolled_are_listed_page_by_page(void **state)
{
	struct play *play = *state;
	struct desk_bed *bed = &play->bed;
	char noms[16];

	for (uint32_t i = 0; i < 60; i++) {
		snprintf(noms, sizeof(noms), "A%04uAA", 5000 - i);
		enrol(play, i + 1, noms, i % 2 == 0 ? "Ann Example" : "Bob Example");
	}
	follow(play);
	desk_bed_get(bed, page_people, "", NULL, NULL);
	must_show(bed, "Enrolled now: 1 to 50 of 60");
	must_show(bed, "A4941AA");
	must_not_show(bed, "A4991AA");
	must_show(bed, "/people?page=2");
	desk_bed_get(bed, page_people, "page=2", NULL, NULL);
	must_show(bed, "Enrolled now: 51 to 60 of 60");
	must_show(bed, "A5000AA");
	must_not_show(bed, "A4990AA");
	desk_bed_get(bed, page_people, "page=99999999999", NULL, NULL);
	must_show(bed, "Enrolled now: 1 to 50 of 60");
	desk_bed_get(bed, page_people, "caseworker=bob+example", NULL, NULL);
	must_show(bed, "Found: 30");
	must_not_show(bed, "A5000AA");
	desk_bed_get(bed, page_people, "caseworker=Nobody", NULL, NULL);
	must_show(bed, "Nobody who is enrolled works with this caseworker.");
}

static void the_page_tells_of_a_man_from_custody_to_community(void **state)
{
	struct play *play = *state;
	struct desk_bed *bed = &play->bed;
	const struct casefile_man tom = { .noms = NOMS, .crn = "X123456", .key = 1 };
	const struct casefile_man ours = { .noms = NOMS };
	const char *page, *released, *received;

	casefile_received(&play->file, &tom, must_at("2027-01-04 10:00"));
	casefile_enrolled(&play->file, &ours, must_at("2027-01-05 10:00"), "one-service-pilot",
	                  "cohort-1", "2027-03-01");
	casefile_assessed(&play->file, &ours, must_at("2027-01-10 10:00"), 1u << 1 | 1u << 4, 1, 1);
	play->file.referral = "ref-1";
	casefile_sent(&play->file, &ours, must_at("2027-02-01 10:00"), "mind");
	casefile_answer(&play->file, &tom, must_at("2027-02-01 12:00"), CASEFILE_ACCEPTED);
	casefile_released(&play->file, &tom, must_at("2027-03-01 09:00"), true, 2);
	casefile_contact(&play->file, &ours, must_at("2027-03-02 10:00"), true, 3);
	follow(play);
	page = page_of(play, NOMS);
	assert_int_equal(bed->response.status, 200);
	must_show(bed, "Prison number</dt>");
	must_show(bed, "Probation number (CRN)</dt>");
	must_show(bed, "X123456");
	must_show(bed, "At liberty, since Monday 1 March 2027");
	must_show(bed, "Released on Monday 1 March 2027");
	must_show(bed, "one-service-pilot, cohort-1");
	must_show(bed, "<li>accommodation");
	must_show(bed, "<li>addiction");
	must_not_show(bed, "<li>legal");
	must_show(bed, "after 2 hours");
	must_show(bed, "Accepted</strong>");
	must_show(bed, "/people/0/referrals/ref-1/withdraw");
	must_show(bed, "href=\"/people/0/contact\"");
	must_show(bed, "The last contacts");
	must_show(bed, "No log of disclosures is set up for this desk.");
	released = strstr(strstr(page, "id=\"time-line\""), "RELEASED");
	received = strstr(strstr(page, "id=\"time-line\""), "1 Mar");
	assert_true(released != NULL && received != NULL);
	received = strstr(released, "4 Jan");
	assert_non_null(received); /* below */
	bed->desk.settings.spool_dir[0] = '\0';
	page_of(play, NOMS);
	must_not_show(bed, "href=\"/people/0/contact\"");
	must_not_show(bed, "/withdraw\"");
}

static void a_long_time_line_has_pages(void **state)
{
	struct play *play = *state;
	const struct casefile_man ours = { .noms = NOMS };

	for (int i = 0; i < 55; i++)
		casefile_contact(&play->file, &ours, must_at("2027-01-04 10:00") + i * MINUTE, true,
		                 3);
	follow(play);
	desk_bed_get(&play->bed, page_person, "", "0", NULL);
	must_show(&play->bed, "/people/0?page=2");
	must_show(&play->bed, "4 January, 10:54");
	desk_bed_get(&play->bed, page_person, "page=2", "0", NULL);
	must_show(&play->bed, "4 January, 10:00");
	must_show(&play->bed, "/people/0?page=1");
}

static void nobody_has_no_page(void **state)
{
	struct play *play = *state;
	static const char *const parts[] = { "0", "1", "-1", "x", "0x0", "99999999999", "4294967295",
		                             "00000000000" };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		desk_bed_get(&play->bed, page_person, "", parts[i], NULL);
		assert_int_equal(play->bed.response.status, 404);
	}
}

static void of_a_limited_case_only_the_caseworker_is_named(void **state)
{
	struct play *play = *state;
	struct desk_bed *bed = &play->bed;
	const struct story_event limited = { .number = 1, .noms = NOMS, .at_ns = bed->now_ns };

	story_limited(&play->story, &limited);
	enrol(play, 2, NOMS, "Cyd Example");
	enrol(play, 3, "B2345CD", "Cyd Example");
	follow(play);
	page_of(play, NOMS);
	assert_int_equal(bed->response.status, 403);
	must_show(bed, "Ask Cyd Example, who works with this person.");
	must_not_show(bed, NOMS);
	must_not_show(bed, "one-service-pilot");
	desk_bed_get(bed, page_people, "", NULL, NULL);
	must_show(bed, "Limited-access case");
	must_show(bed, "Cyd Example");
	must_not_show(bed, NOMS);
	assert_true(strstr(bed->response.body.bytes, "B2345CD") <
	            strstr(bed->response.body.bytes, "Limited-access case"));
	desk_bed_get(bed, page_people, "q=" NOMS, NULL, NULL);
	must_show(bed, "Limited-access case");
	must_not_show(bed, "href=\"/people/0\"");
	bed->user = (struct web_user){ .user = "cyd", .name = "Cyd Example",
		                       .role = ROLE_CASEWORKER };
	page_of(play, NOMS);
	assert_int_equal(bed->response.status, 200);
	must_show(bed, "Limited-access case: only those who work with this person");
}

static void what_events_and_users_say_is_escaped(void **state)
{
	struct play *play = *state;
	struct desk_bed *bed = &play->bed;
	const struct story_event sent = { .number = 2, .noms = NOMS, .at_ns = bed->now_ns };

	enrol(play, 1, NOMS, "<b>Ann</b>\"'");
	story_referral(&play->story, &sent, "<b>\"/../x", "<b>mind", 0);
	follow(play);
	page_of(play, NOMS);
	must_not_show(bed, "<b>");
	must_show(bed, "&lt;b&gt;Ann");
	must_show(bed, "/referrals/%3Cb%3E%22%2F..%2Fx/withdraw");
	desk_bed_get(bed, page_people, "q=%22%3E%3Cb%3E&caseworker=%3Cb%3E", NULL, NULL);
	must_not_show(bed, "<b>");
}

static void the_log_of_disclosures_says_who_received_what(void **state)
{
	struct play *play = *state;
	struct desk_bed *bed = &play->bed;
	char id[TTG_UUID_TEXT], line[1024];

	enrol(play, 1, NOMS, "Ann Example");
	follow(play);
	story_id_text(1, id);
	snprintf(line, sizeof(line),
	         "{\"what\":\"consulted\",\"at\":\"2027-03-01T09:00:00Z\",\"who\":\"0\"}\n"
	         "not json \"delivered\"\n{\"what\":\"delivered\",\"event_id\":7}\n"
	         "{\"what\":\"delivered\",\"delivered_at\":\"2027-03-12T09:01:00Z\","
	         "\"to\":\"mind/<b>in\",\"fields\":\"scheme, caseworker\",\"event_id\":\"%s\","
	         "\"outcome\":\"acknowledged\",\"ended_at\":\"2027-03-12T09:02:00Z\"}\n",
	         id);
	folder_write(bed->folder, "disclosures.json", line);
	folder_path(bed->folder, "disclosures.json", bed->desk.settings.disclosures_file);
	bed->desk.disclosures = disclosures_new(bed->desk.settings.disclosures_file);
	page_of(play, NOMS);
	must_show(bed, "mind/&lt;b&gt;in");
	must_not_show(bed, "<b>in");
	must_show(bed, "scheme, caseworker");
	must_show(bed, "acknowledged, <time");
	must_show(bed, "today 09:01");
	/* Looked at again after a minute, not before. */
	folder_write(bed->folder, "disclosures.json", "");
	page_of(play, NOMS);
	must_show(bed, "scheme, caseworker");
	bed->now_ns += 61 * INT64_C(1000000000);
	page_of(play, NOMS);
	must_show(bed, "The log of disclosures has no delivery about this person.");
	assert_int_equal(unlink(bed->desk.settings.disclosures_file), 0);
	bed->now_ns += 61 * INT64_C(1000000000);
	page_of(play, NOMS);
	must_show(bed, "The log of disclosures cannot be read at the moment.");
}

static void without_the_log_ours_are_counted(void **state)
{
	struct play *play = *state;
	struct desk_bed *bed = &play->bed;
	uint8_t id[TTG_UUID_BYTES];

	enrol(play, 1, NOMS, "Ann Example");
	story_id(1, id);
	must_answer(bed, id, TTG_OK);
	follow(play);
	page_of(play, NOMS);
	must_show(bed, "How many received what this service sent");
	must_show(bed, "not known yet");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(people_are_found_by_any_of_their_numbers),
		TEST(those_who_are_enrolled_are_listed_page_by_page),
		TEST(the_page_tells_of_a_man_from_custody_to_community),
		TEST(a_long_time_line_has_pages),
		TEST(nobody_has_no_page),
		TEST(of_a_limited_case_only_the_caseworker_is_named),
		TEST(what_events_and_users_say_is_escaped),
		TEST(the_log_of_disclosures_says_who_received_what),
		TEST(without_the_log_ours_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
