/* The live page, its filters, and its stream: nothing is lost between them, nothing is told too much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "support/desk_bed.h"
#include "support/desk_story.h"

#define MINUTE INT64_C(60000000000)
#define NOMS   "A1234BC"

struct play {
	struct desk_bed bed;
	struct story story;
	struct html sent; /* by the stream */
};

static int set_up(void **state)
{
	static struct play play;

	must_make_desk(&play.bed);
	play.story = (struct story){ desk_bed_put, &play.bed };
	*state = &play;
	return 0;
}

static int tear_down(void **state)
{
	struct play *play = *state;

	html_fini(&play->sent);
	desk_bed_remove(&play->bed);
	return 0;
}

static void follow(struct play *play)
{
	struct message message = { "" };
	bool news;

	assert_int_equal(desk_follow(&play->bed.desk, &news, &message), TTG_OK);
}

static struct story_event event_of(const struct play *play, uint32_t number, const char *noms)
{
	return (struct story_event){ .number = number,
		                     .noms = noms,
		                     .at_ns = play->bed.now_ns - (200 - number % 200) * MINUTE };
}

static void arrest(struct play *play, uint32_t number, const char *noms, const char *station)
{
	const struct story_event event = event_of(play, number, noms);

	story_arrest(&play->story, &event, "", station);
}

/* What the stream sends to whoever is at *cursor; name and value of up to two fields. */
static const char *listen_as(struct play *play, uint64_t *cursor, const char *name,
                             const char *value)
{
	const struct web_field fields[] = { { name == NULL ? "x" : name,
		                              value == NULL ? "" : value } };
	const struct web_request request = { .method = "GET",
		                             .path = "/live/events",
		                             .parts = { "", "", "" },
		                             .fields = fields,
		                             .n_fields = 1,
		                             .user = &play->bed.user,
		                             .form_token = "token",
		                             .said = "",
		                             .now_ns = play->bed.now_ns };

	html_fini(&play->sent);
	stream_live(&play->bed.desk, &request, cursor, &play->sent);
	assert_false(play->sent.failed);
	return play->sent.bytes == NULL ? "" : play->sent.bytes;
}

/* Where a stream stands that was sent everything. */
static uint64_t now_of(const struct play *play)
{
	return views_change(play->bed.desk.views) * ALERTS_VERSIONS +
	       alerts_version(play->bed.desk.alerts);
}

static size_t count(const char *in, const char *what)
{
	size_t n = 0;

	for (const char *at = strstr(in, what); at != NULL; at = strstr(at + 1, what))
		n++;
	return n;
}

static void the_newest_stands_on_top(void **state)
{
	struct play *play = *state;
	const char *page;

	arrest(play, 1, NOMS, "First");
	arrest(play, 2, NOMS, "Second");
	follow(play);
	page = desk_bed_get(&play->bed, page_live, "", NULL, NULL);
	assert_true(strstr(page, ", Second") < strstr(page, ", First"));
	must_show(&play->bed, "govuk-tag--red\">Arrest</strong>");
	must_show(&play->bed, "govuk-tag--red\">Urgent</strong>");
	must_show(&play->bed, ">" NOMS "</a>");
	must_show(&play->bed, "cambridgeshire-police");
}

static void older_ones_are_a_page_further(void **state)
{
	struct play *play = *state;
	char station[32], before[64];
	const char *page, *at;

	for (uint32_t i = 1; i <= 105; i++) {
		snprintf(station, sizeof(station), "Station %u.", i);
		arrest(play, i, NOMS, station);
	}
	follow(play);
	page = desk_bed_get(&play->bed, page_live, "", NULL, NULL);
	assert_int_equal(count(page, "ARRESTED"), 100);
	must_show(&play->bed, "Station 105.");
	must_not_show(&play->bed, "Station 5.");
	must_show(&play->bed, "data-desk=\"live\"");
	at = strstr(page, "before=");
	assert_non_null(at);
	snprintf(before, sizeof(before), "%.43s", at);
	page = desk_bed_get(&play->bed, page_live, before, NULL, NULL);
	assert_int_equal(count(page, "ARRESTED"), 5);
	must_show(&play->bed, "Station 5.");
	must_not_show(&play->bed, "data-desk=\"live\"");
	must_not_show(&play->bed, "before=");
}

static void filters_choose(void **state)
{
	struct play *play = *state;
	struct desk_bed *bed = &play->bed;
	const struct story_event enrolled = event_of(play, 3, NOMS);
	struct story_event calm = event_of(play, 4, "A2345CD");

	calm.routine = true;
	story_enrolled(&play->story, &enrolled, "Ann Example");
	arrest(play, 1, NOMS, "Own");
	arrest(play, 2, "A2345CD", "Other");
	story_encounter(&play->story, &calm, "", "Bridge Street");
	follow(play);
	desk_bed_get(bed, page_live, "kind=service", NULL, NULL);
	must_not_show(bed, "ARRESTED");
	must_show(bed, "Enrolled</strong>");
	desk_bed_get(bed, page_live, "kind=police.encounter", NULL, NULL);
	must_show(bed, "Bridge Street");
	must_not_show(bed, "ARRESTED");
	desk_bed_get(bed, page_live, "kind=police.enc", NULL, NULL);
	must_not_show(bed, "Bridge Street");
	desk_bed_get(bed, page_live, "person=a1234bc", NULL, NULL);
	must_show(bed, ", Own");
	must_not_show(bed, ", Other");
	desk_bed_get(bed, page_live, "person=A9999ZZ", NULL, NULL);
	must_not_show(bed, "ARRESTED");
	desk_bed_get(bed, page_live, "caseworker=Ann+Example", NULL, NULL);
	must_show(bed, ", Own");
	must_not_show(bed, ", Other");
	desk_bed_get(bed, page_live, "urgent=yes", NULL, NULL);
	must_show(bed, ", Other");
	must_not_show(bed, "Bridge Street");
	must_show(bed, "data-stream=\"/live/events?urgent=yes&amp;after=");
}

static void what_does_not_stand_is_struck(void **state)
{
	struct play *play = *state;
	struct story_event corrected = event_of(play, 2, NOMS);
	char id[TTG_UUID_TEXT], text[96];

	arrest(play, 1, NOMS, "Wrong");
	corrected.supersedes = 1;
	story_arrest(&play->story, &corrected, "", "Right");
	follow(play);
	desk_bed_get(&play->bed, page_live, "", NULL, NULL);
	must_show(&play->bed, "<s>ARRESTED by Cambridgeshire, Wrong");
	must_show(&play->bed, "Corrected</strong>");
	must_not_show(&play->bed, "<s>ARRESTED by Cambridgeshire, Right");
	story_id_text(1, id);
	snprintf(text, sizeof(text), "data-supersedes=\"event-%s\"", id);
	must_show(&play->bed, text);
}

static void a_stream_goes_on_where_its_page_ends(void **state)
{
	struct play *play = *state;
	uint64_t cursor = UINT64_MAX;
	const char *page, *at, *sent;
	char after[24], id[32];

	arrest(play, 1, NOMS, "Before");
	follow(play);
	page = desk_bed_get(&play->bed, page_live, "", NULL, NULL);
	at = strstr(page, "data-last=\"");
	assert_non_null(at);
	snprintf(after, sizeof(after), "%" PRIu64, (uint64_t)strtoull(at + 11, NULL, 10));
	arrest(play, 2, NOMS, "Between");
	follow(play);
	sent = listen_as(play, &cursor, "after", after);
	assert_null(strstr(sent, "Before"));
	assert_int_equal(count(sent, "event: told\ndata: <tr"), 1);
	assert_non_null(strstr(sent, "Between"));
	snprintf(id, sizeof(id), "id: %" PRIu64 "\n", cursor);
	assert_non_null(strstr(sent, id));
	sent = listen_as(play, &cursor, NULL, NULL);
	assert_null(strstr(sent, "told"));
	arrest(play, 3, NOMS, "Later");
	follow(play);
	/* Whoever reconnects says the last id he has seen. */
	sent = listen_as(play, &cursor, "after", after);
	assert_non_null(strstr(sent, "Later"));
	assert_null(strstr(sent, "Between"));
	assert_non_null(strstr(sent, "event: alerts\ndata: "));
	/* Whoever was sent everything is sent nothing. */
	assert_string_equal(listen_as(play, &cursor, NULL, NULL), "");
	assert_string_equal(listen_as(play, &cursor, "only", "alerts"), "");
}

static void without_a_page_a_stream_begins_now(void **state)
{
	struct play *play = *state;
	static const char *const nonsense[] = { "", "-1", "x", "99999999999999999999", "7x" };

	arrest(play, 1, NOMS, "Before");
	follow(play);
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		uint64_t cursor = UINT64_MAX;

		assert_null(strstr(listen_as(play, &cursor, "after", nonsense[i]), "told"));
		assert_int_equal(cursor, now_of(play));
	}
}

static void who_is_far_behind_loads_the_page_again(void **state)
{
	struct play *play = *state;
	uint64_t cursor = 0;
	const char *sent;

	for (uint32_t i = 1; i <= 201; i++)
		arrest(play, i, NOMS, "Many");
	follow(play);
	sent = listen_as(play, &cursor, NULL, NULL);
	assert_non_null(strstr(sent, "event: behind\n"));
	assert_null(strstr(sent, "told"));
	assert_int_equal(cursor, now_of(play));
	cursor = now_of(play) + 5 * ALERTS_VERSIONS; /* of a store that is no more */
	assert_non_null(strstr(listen_as(play, &cursor, NULL, NULL), "event: behind\n"));
}

static void an_answer_to_one_of_ours_is_sent_again(void **state)
{
	struct play *play = *state;
	const struct story_event enrolled = event_of(play, 1, NOMS);
	uint8_t id[TTG_UUID_BYTES];
	uint64_t cursor;
	const char *sent;

	story_enrolled(&play->story, &enrolled, "Ann Example");
	follow(play);
	desk_bed_get(&play->bed, page_live, "", NULL, NULL);
	must_show(&play->bed, "Not yet accepted");
	cursor = now_of(play);
	story_id(1, id);
	must_answer(&play->bed, id, TTG_REFUSED_NOT_AGREED);
	follow(play);
	sent = listen_as(play, &cursor, NULL, NULL);
	assert_non_null(strstr(sent, "event: again\ndata: <tr"));
	assert_non_null(strstr(sent, "Refused</strong>"));
	assert_null(strstr(sent, "event: told"));
	assert_null(strstr(listen_as(play, &cursor, NULL, NULL), "again"));
}

static void texts_cannot_break_out_of_page_or_stream(void **state)
{
	struct play *play = *state;
	uint64_t cursor = 0;
	const char *sent;

	arrest(play, 1, NOMS, "<img src=x onerror=a>\n\nevent: told\ndata: <b>fake\"'</b>");
	follow(play);
	desk_bed_get(&play->bed, page_live, "kind=%3Cb%3E&person=%22%3E%3Cb%3E", NULL, NULL);
	must_not_show(&play->bed, "<b>");
	desk_bed_get(&play->bed, page_live, "", NULL, NULL);
	must_not_show(&play->bed, "<img");
	must_show(&play->bed, "&lt;img src=x");
	sent = listen_as(play, &cursor, NULL, NULL);
	assert_null(strstr(sent, "<img"));
	assert_int_equal(count(sent, "\nevent: told\n"), 1);
	assert_int_equal(count(sent, "\ndata: "), 2); /* the row's, and the alerts' */
}

static void of_a_limited_case_a_row_names_the_caseworker_alone(void **state)
{
	struct play *play = *state;
	struct desk_bed *bed = &play->bed;
	const struct story_event limited = event_of(play, 1, NOMS);
	const struct story_event enrolled = event_of(play, 2, NOMS);
	static const char *const telling[] = { "kind=police", "urgent=yes", "person=" NOMS };
	uint64_t cursor = 0;
	const char *sent;

	story_limited(&play->story, &limited);
	story_enrolled(&play->story, &enrolled, "Cyd Example");
	arrest(play, 3, NOMS, "Thorpe Wood");
	follow(play);
	desk_bed_get(bed, page_live, "", NULL, NULL);
	must_show(bed, "Limited-access case. Ask Cyd Example.");
	must_not_show(bed, NOMS);
	must_not_show(bed, "ARRESTED");
	must_not_show(bed, "cambridgeshire-police");
	must_not_show(bed, "Urgent</strong>");
	desk_bed_get(bed, page_live, "caseworker=Cyd+Example", NULL, NULL);
	must_show(bed, "Limited-access case. Ask Cyd Example.");
	for (size_t i = 0; i < 3; i++) {
		desk_bed_get(bed, page_live, telling[i], NULL, NULL);
		must_not_show(bed, "Limited-access");
	}
	sent = listen_as(play, &cursor, NULL, NULL);
	assert_non_null(strstr(sent, "Limited-access case"));
	assert_null(strstr(sent, NOMS));
	assert_null(strstr(sent, "ARRESTED"));
	bed->user = (struct web_user){ .user = "cyd", .name = "Cyd Example",
		                       .role = ROLE_CASEWORKER };
	desk_bed_get(bed, page_live, "person=" NOMS, NULL, NULL);
	must_show(bed, "ARRESTED");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_newest_stands_on_top),
		TEST(older_ones_are_a_page_further),
		TEST(filters_choose),
		TEST(what_does_not_stand_is_struck),
		TEST(a_stream_goes_on_where_its_page_ends),
		TEST(without_a_page_a_stream_begins_now),
		TEST(who_is_far_behind_loads_the_page_again),
		TEST(an_answer_to_one_of_ours_is_sent_again),
		TEST(texts_cannot_break_out_of_page_or_stream),
		TEST(of_a_limited_case_a_row_names_the_caseworker_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
