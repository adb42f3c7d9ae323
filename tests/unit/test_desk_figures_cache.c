/* The thread that makes the desk's figures: news come through, and it leaves when told to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "desk/figures_cache.h"
#include "support/assert.h"
#include "support/desk_bed.h"
#include "support/wait.h"

#define EVERY_MS 1
#define MEN      40

struct test {
	struct desk_bed bed;
	struct casefile file;
	struct figures_cache *cache;
	unsigned men;
	int64_t wanted; /* men in the table */
};

static int set_up(void **state)
{
	struct test *test = calloc(1, sizeof(*test));

	must_be(test != NULL, "memory");
	must_make_desk(&test->bed);
	folder_path(test->bed.folder, "case.db", test->bed.desk.settings.store_path);
	casefile_init(&test->file, desk_bed_put, &test->bed);
	*state = test;
	return 0;
}

static int tear_down(void **state)
{
	struct test *test = *state;

	figures_cache_free(&test->cache);
	desk_bed_remove(&test->bed);
	free(test);
	return 0;
}

static void release_one(struct test *test)
{
	char noms[16];
	const struct casefile_man man = { .noms = noms, .key = ++test->men };
	const struct casefile_man ours = { .noms = noms };

	snprintf(noms, sizeof(noms), "A%04uBC", test->men);
	casefile_enrolled(&test->file, &ours, must_at("2020-01-06 10:00"), "gateway", "c1",
	                  "2020-02-03");
	casefile_released(&test->file, &man, must_at("2020-02-03 09:00"), true,
	                  TTG__MOVEMENT_VIEW__MOVEMENT_VIEW_SETTLED);
}

/* The men of the first stage; 0 without a table or a row. */
static int64_t men_shown(struct figures_cache *cache)
{
	struct figures_look look;
	const struct table *table;

	figures_cache_look(cache, &look);
	if (look.set == NULL)
		return 0;
	table = &look.set->tables[FIGURES_ENGAGEMENT][FIGURES_WHOLE];
	/* Texts are there as long as the set is. */
	if (table->n_rows > 0)
		must_be(strcmp(table->rows[0].cells[1].text, "c1") == 0, "the cohort");
	return table->n_rows == 0 ? 0 : table->rows[0].cells[3].number;
}

static bool are_shown(void *arg)
{
	struct test *test = arg;

	return men_shown(test->cache) == test->wanted;
}

static void news_come_through_while_pages_are_read(void **state)
{
	struct test *test = *state;

	test->cache = figures_cache_open(&test->bed.desk.settings, EVERY_MS);
	assert_non_null(test->cache);
	for (test->wanted = 1; test->wanted <= MEN; test->wanted++) {
		release_one(test);
		if (test->wanted % 8 == 0)
			assert_true(wait_until(are_shown, test, WAIT_LONG_MS));
		else
			assert_true(men_shown(test->cache) <= test->wanted);
	}
}

static void the_public_sees_a_form_of_its_own(void **state)
{
	struct test *test = *state;
	struct figures_look look;

	release_one(test);
	test->cache = figures_cache_open(&test->bed.desk.settings, EVERY_MS);
	test->wanted = 1;
	assert_true(wait_until(are_shown, test, WAIT_LONG_MS));
	figures_cache_look(test->cache, &look);
	assert_int_equal(look.set->tables[FIGURES_ENGAGEMENT][FIGURES_WHOLE].rows[0].cells[3].shown,
	                 CELL_SHOWN);
	assert_int_equal(
	        look.set->tables[FIGURES_ENGAGEMENT][FIGURES_PUBLIC].rows[0].cells[3].shown,
	        CELL_SMALL);
}

static void it_leaves_at_any_moment(void **state)
{
	struct test *test = *state;

	for (size_t i = 0; i < MEN; i++)
		release_one(test);
	for (size_t i = 0; i < 20; i++) {
		int64_t deadline = wait_now_ms() + (int64_t)i * 2;

		test->cache = figures_cache_open(&test->bed.desk.settings, EVERY_MS);
		assert_non_null(test->cache);
		while (wait_step(deadline))
			men_shown(test->cache);
		figures_cache_free(&test->cache);
		assert_null(test->cache);
	}
	figures_cache_free(&test->cache); /* none */
}

static void what_it_reads_stops_when_told(void **state)
{
	struct test *test = *state;
	const struct store_place place = { .path = test->bed.desk.settings.store_path };
	const struct baselines none = { .n = 0 };
	struct message message = { "" };
	struct figures_set *set;
	struct store *store;
	atomic_bool stop = true;

	release_one(test);
	assert_int_equal(store_open_reader(&store, &place, &message), TTG_OK);
	assert_int_equal(figures_set_make(&set, store, test->bed.now_ns, &none, &stop, &message),
	                 TTG_EAGAIN);
	assert_null(set);
	stop = false;
	assert_int_equal(figures_set_make(&set, store, test->bed.now_ns, &none, &stop, &message),
	                 TTG_OK);
	assert_int_equal(set->as_at_ns, test->bed.now_ns);
	figures_set_free(&set);
	store_close(&store);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(news_come_through_while_pages_are_read),
		TEST(the_public_sees_a_form_of_its_own),
		TEST(it_leaves_at_any_moment),
		TEST(what_it_reads_stops_when_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
