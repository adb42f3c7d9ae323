/* What the desk knows is kept up with its store; and its configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "desk/desk_config.h"
#include "store/alert.h"
#include "store/published.h"
#include "support/desk_bed.h"
#include "support/desk_story.h"

#define NOMS "A1234BC"

struct play {
	struct desk_bed bed;
	struct story story;
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

	desk_bed_remove(&play->bed);
	return 0;
}

static enum ttg_error follow(struct play *play, bool *news)
{
	struct message message = { "" };

	return desk_follow(&play->bed.desk, news, &message);
}

static void arrest(struct play *play, uint32_t number)
{
	const struct story_event event = { .number = number,
		                           .noms = NOMS,
		                           .at_ns = play->bed.now_ns };

	story_arrest(&play->story, &event, "", "Thorpe Wood");
}

static void use_another_store(struct play *play)
{
	struct message message = { "" };
	char path[FOLDER_PATH];
	const struct store_place place = { .path = path };
	struct store *made = NULL;

	folder_path(play->bed.folder, "other.db", path);
	store_close(&play->bed.desk.store);
	assert_int_equal(store_open(&made, &place, &message), TTG_OK);
	store_close(&made);
	assert_int_equal(store_open_desk(&play->bed.desk.store, &place, &message), TTG_OK);
}

/* The adapter holds the store, and does not let go. */
static void hold_the_store(struct play *play)
{
	struct message message = { "" };
	uint8_t id[TTG_UUID_BYTES];

	story_id(99, id);
	assert_int_equal(store_add_published(play->bed.writer, id, "service.exited",
	                                     (const uint8_t *)"", 0, 1, &message),
	                 TTG_OK);
}

static void there_is_news_once(void **state)
{
	struct play *play = *state;
	bool news;

	assert_int_equal(follow(play, &news), TTG_OK);
	assert_int_equal(follow(play, &news), TTG_OK);
	assert_false(news);
	arrest(play, 1);
	arrest(play, 2);
	assert_int_equal(follow(play, &news), TTG_OK);
	assert_true(news);
	assert_int_equal(views_n_events(play->bed.desk.views), 2);
	assert_int_equal(follow(play, &news), TTG_OK);
	assert_false(news);
	assert_int_equal(views_n_events(play->bed.desk.views), 2);
}

static void an_acknowledgement_elsewhere_is_news(void **state)
{
	struct play *play = *state;
	struct message message = { "" };
	uint8_t id[TTG_UUID_BYTES];
	bool news;

	arrest(play, 1);
	assert_int_equal(follow(play, &news), TTG_OK);
	story_id(1, id);
	assert_int_equal(store_acknowledge(play->bed.writer, id, "cyd", 1, NULL, &message), TTG_OK);
	assert_int_equal(follow(play, &news), TTG_OK);
	assert_true(news);
}

static void what_became_another_is_kept_for_the_streams(void **state)
{
	struct play *play = *state;
	struct desk *desk = &play->bed.desk;
	const struct story_event event = { .number = 1, .noms = NOMS, .at_ns = play->bed.now_ns };
	uint8_t id[TTG_UUID_BYTES];
	bool news;

	story_enrolled(&play->story, &event, "Ann Example");
	assert_int_equal(follow(play, &news), TTG_OK);
	assert_int_equal(desk->n_again, 0);
	story_id(1, id);
	must_answer(&play->bed, id, TTG_OK);
	assert_int_equal(follow(play, &news), TTG_OK);
	assert_true(news);
	assert_int_equal(desk->n_again, 1);
	assert_int_equal(desk->again[0].event, 0);
	assert_int_equal(desk->again[0].change, views_change(desk->views));
}

static void another_store_than_before_ends_the_desk(void **state)
{
	struct play *play = *state;
	bool news;

	arrest(play, 1);
	assert_int_equal(follow(play, &news), TTG_OK);
	use_another_store(play);
	assert_int_equal(follow(play, &news), TTG_EVERSION);
}

static void an_alert_that_the_store_does_not_take_goes_on_waiting(void **state)
{
	struct play *play = *state;
	struct desk_bed *bed = &play->bed;
	char id[TTG_UUID_TEXT];
	bool news;

	arrest(play, 1);
	assert_int_equal(follow(play, &news), TTG_OK);
	hold_the_store(play);
	story_id_text(1, id);
	desk_bed_post(bed, page_alert_acknowledge, "", id, NULL);
	assert_int_equal(bed->response.status, 503);
	must_show(bed, "The alert could not be acknowledged");
	assert_int_equal(alerts_waiting(bed->desk.alerts), 1);
}

static enum ttg_error load(const struct folder *folder, const char *text,
                           struct desk_settings *out, struct message *message)
{
	char path[FOLDER_PATH];

	folder_write(folder, "desk.conf", text);
	folder_path(folder, "desk.conf", path);
	return desk_config_load(path, out, message);
}

static void a_short_configuration_is_enough(void **state)
{
	const struct folder *folder = ((struct play *)*state)->bed.folder;
	static struct desk_settings settings;
	struct message message = { "" };
	struct web_options web;

	assert_int_equal(load(folder, "agency = \"a\"; store = { path = \"/x/case.db\"; };",
	                      &settings, &message),
	                 TTG_OK);
	web = desk_web_options(&settings, NULL);
	assert_string_equal(web.listen, "127.0.0.1");
	assert_int_equal(web.port, 5780);
	assert_int_equal(web.session_minutes, 30);
	assert_string_equal(web.users_file, "/var/lib/ttg-desk/users");
	assert_string_equal(desk_store_place(&settings).path, "/x/case.db");
	assert_string_equal(settings.prison_code, "PBI");
	assert_string_equal(settings.scheme, "one-service-pilot");
	assert_string_equal(settings.spool_dir, "");
	assert_string_equal(settings.disclosures_file, "");
	assert_int_equal(settings.local_areas.n, 0);
}

static void mistakes_in_the_configuration_are_told(void **state)
{
	static const struct {
		const char *text, *told;
	} cases[] = {
		{ "store = { path = \"/x\"; };", "agency is missing" },
		{ "agency = \"a\";", "store" },
		{ "agency = \"a\"; store = { path = \"/x\"; postgres = \"dbname=y\"; };", "store" },
		{ "agency = \"a\"; store = { path = \"/x\"; }; http = { port = 70000; };",
		  "http.port should be" },
		{ "agency = \"a\"; store = { path = \"/x\"; }; http = { listen = \"0.0.0.0\"; };",
		  "TLS" },
		{ "agency = \"a\"; store = { path = \"/x\"; }; http = { session_minutes = 1; };",
		  "http.session_minutes should be" },
		{ "agency = \"a\"; store = { path = \"/x\"; }; colour = 1;", "no option colour" },
	};
	const struct folder *folder = ((struct play *)*state)->bed.folder;
	static struct desk_settings settings;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct message message = { "" };

		assert_int_not_equal(load(folder, cases[i].text, &settings, &message), TTG_OK);
		if (strstr(message.text, cases[i].told) == NULL)
			fail_msg("%s: %s", cases[i].text, message.text);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(there_is_news_once),
		TEST(an_acknowledgement_elsewhere_is_news),
		TEST(what_became_another_is_kept_for_the_streams),
		TEST(another_store_than_before_ends_the_desk),
		TEST(an_alert_that_the_store_does_not_take_goes_on_waiting),
		TEST(a_short_configuration_is_enough),
		TEST(mistakes_in_the_configuration_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
