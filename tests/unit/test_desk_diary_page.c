/* The gate diary as a page, on paper and as a calendar. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "support/desk_bed.h"
#include "web/server.h"

#define TOLD    "2027-03-01 10:00"
#define HOSTILE "<b>\"&'\xe2\x80\xae" /* turns the direction of writing */
#define TOKEN   "0123456789abcdef0123456789abcdef"

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

static void enrol(const struct casefile_man *man, const char *caseworker)
{
	const struct casefile_man ours = { .noms = man->noms };

	file.caseworker = caseworker;
	casefile_enrolled(&file, &ours, must_at(TOLD), "one-service-pilot", "c1", "2027-03-12");
}

static void schedule(const struct casefile_man *man, const char *date, const char *clock,
                     const char *area)
{
	casefile_scheduled(
	        &file, man, must_at(TOLD),
	        &(struct casefile_release){
	                .date = date, .clock = clock, .gate = "Main gate", .area = area,
	                .kind = TTG__RELEASE_KIND__RELEASE_KIND_HOME_DETENTION_CURFEW });
}

static void move(const struct casefile_man *man, const char *date, const char *clock,
                 const char *old_date, const char *old_clock)
{
	casefile_changed(&file, man, must_at(TOLD) + file.number,
	                 &(struct casefile_release){ .date = date,
	                                             .clock = clock,
	                                             .gate = "Main gate",
	                                             .old_date = old_date,
	                                             .old_clock = old_clock });
}

static void show(desk_page *page, const char *fields)
{
	must_follow(&bed);
	desk_bed_get(&bed, page, fields, NULL, NULL);
	assert_int_equal(bed.response.status, 200);
}

static void the_days_have_pages_of_their_own(void **state)
{
	(void)state;
	schedule(&tom, "2027-03-12", "11:00", "Peterborough");
	schedule(&dan, "2027-03-13", "11:00", "Peterborough");
	show(page_diary, "days=today");
	must_show(&bed, "Friday 12 March 2027");
	must_show(&bed, ">home detention curfew</td>");
	must_show(&bed, "A1001BC");
	must_not_show(&bed, "A1002BC");
	show(page_diary, "days=tomorrow");
	must_not_show(&bed, "A1001BC");
	must_show(&bed, "A1002BC");
	show(page_diary, "");
	must_show(&bed, "A1001BC");
	must_show(&bed, "A1002BC");
	must_show(&bed, "2 in the diary");
	must_show(&bed, "No discharge board");
	must_show(&bed, "Not enrolled");
	bed.now_ns = must_at("2027-03-14 00:30");
	show(page_diary, "");
	must_show(&bed, "Nobody is in the diary");
}

static void a_change_stands_as_text_beside_what_was(void **state)
{
	(void)state;
	schedule(&tom, "2027-03-12", "09:00", "");
	move(&tom, "2027-03-12", "10:15", "2027-03-12", "09:00");
	show(page_diary, "days=today");
	must_show(&bed, "<del><span class=\"govuk-visually-hidden\">was </span>09:00</del> "
	                "<ins><span class=\"govuk-visually-hidden\">now </span>10:15</ins>");
	move(&tom, "2027-03-15", "10:15", "2027-03-12", "10:15");
	show(page_diary, "days=today");
	must_show(&bed, "Moved to another day");
	must_show(&bed, "was </span>Friday 12 March 2027</del>");
	must_show(&bed, "now </span>Monday 15 March 2027</ins>");
	show(page_diary_print, "days=today");
	must_show(&bed, "<strong>Moved to Monday 15 March 2027.</strong>");
	casefile_cancelled(&file, &tom, must_at(TOLD) + 9,
	                   &(struct casefile_release){ .date = "2027-03-15", .clock = "10:15" });
	show(page_diary, "");
	must_show(&bed, "Cancelled");
	must_show(&bed, "was </span>10:15</del>");
}

static void it_is_filtered_by_caseworker_and_area(void **state)
{
	(void)state;
	enrol(&tom, "Ann Example");
	enrol(&dan, "Bea Example");
	schedule(&tom, "2027-03-12", "11:00", "Peterborough");
	schedule(&dan, "2027-03-12", "11:30", "Fenland & Wash");
	show(page_diary, "caseworker=Bea+Example");
	must_show(&bed, "A1002BC");
	must_not_show(&bed, "A1001BC");
	must_show(&bed, "data-refresh=\"/diary?days=21&amp;caseworker=Bea%20Example&amp;area=&amp;"
	                "part=1\"");
	show(page_diary, "area=Fenland+%26+Wash");
	must_show(&bed, "A1002BC");
	must_not_show(&bed, "A1001BC");
	must_show(&bed, "value=\"Fenland &amp; Wash\" selected");
	show(page_diary, "caseworker=Ann+Example&area=Fenland+%26+Wash");
	must_show(&bed, "Nobody is in the diary");
}

static void a_long_diary_goes_on_behind_links(void **state)
{
	char noms[8];

	(void)state;
	for (unsigned i = 0; i < 160; i++) {
		const struct casefile_man man = { .noms = noms, .key = 100 + i };

		snprintf(noms, sizeof(noms), "B%04uCD", i);
		schedule(&man, "2027-03-15", "09:00", "Peterborough");
	}
	must_follow(&bed);
	show(page_diary, "days=21");
	must_show(&bed, "160 in the diary");
	must_show(&bed, "B0074CD");
	must_not_show(&bed, "B0075CD");
	must_show(&bed, "first=75\">Later</a>");
	must_not_show(&bed, ">Earlier</a>");
	show(page_diary, "days=21&first=75");
	must_not_show(&bed, "B0074CD");
	must_show(&bed, "B0075CD");
	must_show(&bed, "B0149CD");
	must_not_show(&bed, "B0150CD");
	must_show(&bed, "first=0\">Earlier</a>");
	must_show(&bed, "first=150\">Later</a>");
	show(page_diary, "days=21&first=150");
	must_show(&bed, "B0159CD");
	must_not_show(&bed, ">Later</a>");
	show(page_diary, "days=21&first=99999999999999999999");
	must_not_show(&bed, ">Later</a>");
	show(page_diary_print, "days=21");
	must_show(&bed, "B0000CD");
	must_show(&bed, "B0159CD");
}

static void a_part_is_the_section_alone(void **state)
{
	(void)state;
	schedule(&tom, "2027-03-12", "11:00", "");
	show(page_diary, "days=today&part=1");
	assert_memory_equal(bed.response.body.bytes, "<section id=\"diary\"", 19);
	must_show(&bed, "A1001BC");
	must_not_show(&bed, "<html");
	must_not_show(&bed, "<form");
}

static void a_limited_access_case_is_a_line_with_time_and_caseworker(void **state)
{
	static desk_page *const pages[] = { page_diary, page_diary_print, page_diary_calendar };

	(void)state;
	enrol(&tom, "Bea Example");
	schedule(&tom, "2027-03-12", "11:00", "Peterborough");
	casefile_limited(&file, &tom, must_at(TOLD));
	for (size_t i = 0; i < 3; i++) {
		show(pages[i], "");
		must_not_show(&bed, "A1001BC");
		must_not_show(&bed, "Main gate");
		must_not_show(&bed, "Peterborough");
	}
	show(page_diary, "");
	must_show(&bed, "Limited-access case");
	must_show(&bed, "11:00");
	must_show(&bed, "Bea Example");
	/* His area finds him for nobody who may not see it. */
	show(page_diary, "area=Peterborough");
	must_show(&bed, "Nobody is in the diary");
	snprintf(bed.user.name, sizeof(bed.user.name), "Bea Example");
	for (size_t i = 0; i < 3; i++) {
		show(pages[i], "");
		must_show(&bed, "A1001BC");
		must_not_show(&bed, "Limited-access");
	}
}

static void paper_has_numbers_and_no_names(void **state)
{
	(void)state;
	enrol(&tom, "Bea Example");
	schedule(&tom, "2027-03-12", "11:00", "Peterborough");
	show(page_diary_print, "");
	must_show(&bed, "OFFICIAL-SENSITIVE");
	must_show(&bed, "Friday 12 March 2027");
	must_show(&bed, "A1001BC");
	must_not_show(&bed, "Example");
	must_not_show(&bed, "<nav");
	must_not_show(&bed, "<form");
	must_not_show(&bed, "Peterborough");
	must_show(&bed, "/assets/print");
}

static void no_text_of_an_event_writes_into_the_page(void **state)
{
	static desk_page *const pages[] = { page_diary, page_diary_print };

	(void)state;
	enrol(&tom, HOSTILE);
	casefile_changed(&file, &tom, must_at(TOLD),
	                 &(struct casefile_release){ .date = "2027-03-12",
	                                             .clock = HOSTILE,
	                                             .gate = HOSTILE,
	                                             .area = HOSTILE,
	                                             .old_date = HOSTILE,
	                                             .old_clock = HOSTILE,
	                                             .old_gate = HOSTILE,
	                                             .old_area = HOSTILE });
	for (size_t i = 0; i < 2; i++) {
		show(pages[i], "area=%3Cb%3E&caseworker=");
		must_not_show(&bed, "<b>");
		show(pages[i], "");
		must_not_show(&bed, "<b>");
		must_show(&bed, "&lt;b&gt;");
	}
}

/* One logical line of the calendar, unfolded; asserts how lines are folded on the way. */
static const char *next_line(const char *at, char *line, size_t size)
{
	size_t n = 0;

	for (;;) {
		size_t len = strcspn(at, "\r\n");

		assert_true(len <= 75 && n + len < size);
		assert_memory_equal(at + len, "\r\n", 2);
		memcpy(line + n, at, len);
		n += len;
		at += len + 2;
		if (*at != ' ')
			break;
		at++;
		/* Never inside a character. */
		assert_true(((unsigned char)*at & 0xc0) != 0x80);
	}
	line[n] = '\0';
	return at;
}

/* The value of the first line of that name in the only event; "" when there is none. */
static void value_of(const char *name, char *out, size_t size)
{
	const char *at = bed.response.body.bytes;
	size_t len = strlen(name);
	size_t events = 0;
	char line[1024];
	char found[1024] = "";

	while (*at != '\0') {
		at = next_line(at, line, sizeof(line));
		events += strcmp(line, "BEGIN:VEVENT") == 0 ? 1 : 0;
		if (strncmp(line, name, len) == 0 && line[len] == ':')
			snprintf(found, sizeof(found), "%s", line + len + 1);
	}
	assert_int_equal(events, 1);
	assert_true(strlen(found) < size);
	strcpy(out, found);
}

static void must_have(const char *name, const char *value)
{
	char text[1024];

	value_of(name, text, sizeof(text));
	assert_string_equal(text, value);
}

static void a_release_keeps_its_place_in_a_calendar_through_its_changes(void **state)
{
	char uid[128];

	(void)state;
	schedule(&tom, "2027-03-12", "11:00", "Peterborough");
	show(page_diary_calendar, "");
	assert_string_equal(bed.response.type, "text/calendar; charset=utf-8");
	value_of("UID", uid, sizeof(uid));
	assert_true(strlen(uid) > 32);
	must_have("SEQUENCE", "0");
	must_have("DTSTART", "20270312T110000Z");
	must_have("DTSTAMP", "20270301T100001Z"); /* kept a second later */
	must_have("SUMMARY", "Release A1001BC");
	must_have("LOCATION", "Main gate");
	must_have("STATUS", "CONFIRMED");
	must_not_show(&bed, "Peterborough");
	/* On a summer day, further away than the diary looks. */
	move(&tom, "2027-04-30", "09:30", "2027-03-12", "11:00");
	show(page_diary_calendar, "");
	must_have("UID", uid);
	must_have("SEQUENCE", "1");
	must_have("DTSTART", "20270430T083000Z");
	move(&tom, "2027-03-15", "", "2027-04-30", "09:30");
	show(page_diary_calendar, "");
	must_have("UID", uid);
	must_have("SEQUENCE", "2");
	must_have("DTSTART;VALUE=DATE", "20270315");
	casefile_cancelled(&file, &tom, must_at(TOLD) + 9,
	                   &(struct casefile_release){ .date = "2027-03-15" });
	show(page_diary_calendar, "");
	must_have("UID", uid);
	must_have("SEQUENCE", "3");
	must_have("STATUS", "CANCELLED");
	must_have("SUMMARY", "Cancelled: release A1001BC");
	/* Another sentence is another release. */
	schedule(&tom, "2027-03-20", "09:00", "");
	show(page_diary_calendar, "");
	must_have("SEQUENCE", "0");
	assert_null(strstr(bed.response.body.bytes, uid));
}

static void a_corrected_release_keeps_its_place_too(void **state)
{
	char uid[128];

	(void)state;
	schedule(&tom, "2027-03-12", "11:00", "");
	show(page_diary_calendar, "");
	value_of("UID", uid, sizeof(uid));
	file.supersedes = file.number;
	schedule(&tom, "2027-03-13", "11:00", "");
	show(page_diary_calendar, "");
	must_have("UID", uid);
	must_have("SEQUENCE", "1");
	must_have("DTSTART", "20270313T110000Z");
}

static void a_calendar_is_folded_and_escaped(void **state)
{
	char text[512];

	(void)state;
	casefile_scheduled(&file, &tom, must_at(TOLD),
	                   &(struct casefile_release){
	                           .date = "2027-03-12",
	                           .clock = "11:00",
	                           .gate = "North; south, \\ \r\nBEGIN:VEVENT "
	                                   "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9" });
	show(page_diary_calendar, "");
	value_of("LOCATION", text, sizeof(text));
	assert_memory_equal(text, "North\\; south\\, \\\\ BEGIN:VEVENT \xc3\xa9", 34);
}

/* As the server does, for a user with a token. */
static const char *feed(const char *token)
{
	struct user user = { .who = bed.user, .feed = TOKEN };
	struct web web = { .users = { .list = &user, .n = 1 }, .site = &desk_site };
	const struct web_request request = { .method = "GET",
		                             .path = "/diary/feed/",
		                             .parts = { token, "", "" },
		                             .form_token = "",
		                             .said = "",
		                             .now_ns = bed.now_ns,
		                             .web = &web };

	html_fini(&bed.response.body);
	bed.response = (struct web_response){ .status = 200, .type = "text/html; charset=utf-8" };
	page_diary_feed(&bed.desk, &request, &bed.response);
	return bed.response.body.bytes;
}

static void a_feed_is_for_whoever_has_its_address_and_shows_what_its_user_may_see(void **state)
{
	(void)state;
	enrol(&tom, "Ann Example");
	enrol(&dan, "Bea Example");
	schedule(&tom, "2027-03-12", "11:00", "");
	schedule(&dan, "2027-03-12", "11:00", "");
	casefile_limited(&file, &tom, must_at(TOLD));
	casefile_limited(&file, &dan, must_at(TOLD));
	must_follow(&bed);
	assert_non_null(strstr(feed(TOKEN), "A1001BC"));
	assert_null(strstr(feed(TOKEN), "A1002BC"));
	feed("0123456789abcdef0123456789abcdee");
	assert_int_equal(bed.response.status, 404);
	must_not_show(&bed, "A1001BC");
	bed.user.role = ROLE_EVALUATOR;
	feed(TOKEN);
	assert_int_equal(bed.response.status, 404);
	must_not_show(&bed, "A1001BC");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_days_have_pages_of_their_own),
		TEST(a_change_stands_as_text_beside_what_was),
		TEST(it_is_filtered_by_caseworker_and_area),
		TEST(a_long_diary_goes_on_behind_links),
		TEST(a_part_is_the_section_alone),
		TEST(a_limited_access_case_is_a_line_with_time_and_caseworker),
		TEST(paper_has_numbers_and_no_names),
		TEST(no_text_of_an_event_writes_into_the_page),
		TEST(a_release_keeps_its_place_in_a_calendar_through_its_changes),
		TEST(a_corrected_release_keeps_its_place_too),
		TEST(a_calendar_is_folded_and_escaped),
		TEST(a_feed_is_for_whoever_has_its_address_and_shows_what_its_user_may_see),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
