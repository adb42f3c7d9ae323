/* What the public sees of a table, and tables as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include "oneservice/report.h"

enum { SCHEME, COHORT, MEN, A, A_PERCENT, B, SUM, RATE, COLUMNS };

/* A and B add up to SUM; A is some of MEN. */
static const struct table_column columns[COLUMNS] = {
	[SCHEME] = { .name = "scheme" },
	[COHORT] = { .name = "cohort" },
	[MEN] = { .name = "men", .counts = true },
	[A] = { .name = "a", .counts = true, .of = MEN, .sum = SUM },
	[A_PERCENT] = { .name = "a_percent", .with = A },
	[B] = { .name = "b", .counts = true, .sum = SUM },
	[SUM] = { .name = "sum", .counts = true },
	[RATE] = { .name = "rate", .with = SUM },
};

static void add(struct table *table, enum row_place place, const char *cohort, uint64_t men,
                uint64_t a, uint64_t b)
{
	struct table_row *row = table_add(table, place, 1);

	assert_non_null(row);
	row->cells[SCHEME] = cell_text("gateway");
	row->cells[COHORT] = cell_text(cohort);
	row->cells[MEN] = cell_count(men);
	row->cells[A] = cell_count(a);
	row->cells[A_PERCENT] = cell_ratio((int64_t)a, 100, (int64_t)men);
	row->cells[B] = cell_count(b);
	row->cells[SUM] = cell_count(a + b);
	row->cells[RATE] = cell_ratio((int64_t)(a + b), 100, (int64_t)men);
}

/* Hides, compares with the rows, and forgets the table. */
static void must_show(struct table *table, const char *rows)
{
	const char *head = "scheme,cohort,men,a,a_percent,b,sum,rate\r\n";
	char *text;

	assert_int_equal(table_hide_small(table), TTG_OK);
	text = report_format(table, REPORT_CSV);
	assert_non_null(text);
	assert_memory_equal(text, head, strlen(head));
	assert_string_equal(text + strlen(head), rows);
	free(text);
	table_fini(table);
}

static struct table begin(void)
{
	struct table table;

	table_init(&table, columns, COLUMNS);
	return table;
}

static void five_is_shown_and_four_is_not(void **state)
{
	struct table table = begin();

	(void)state;
	add(&table, ROW_ALONE, "c1", 100, 5, 50);
	add(&table, ROW_ALONE, "c2", 100, 50, 5);
	must_show(&table, "gateway,c1,100,5,5.0,50,55,55.0\r\n"
	                  "gateway,c2,100,50,50.0,5,55,55.0\r\n");
}

static void a_small_count_takes_its_percentage_and_the_other_part_of_a_sum_with_it(void **state)
{
	struct table table = begin();

	(void)state;
	add(&table, ROW_ALONE, "c1", 100, 4, 50);
	add(&table, ROW_ALONE, "c2", 100, 0, 50);
	must_show(&table, "gateway,c1,100,<5,suppressed,suppressed,54,54.0\r\n"
	                  "gateway,c2,100,<5,suppressed,suppressed,50,50.0\r\n");
}

static void a_count_that_leaves_few_is_as_telling_as_a_few(void **state)
{
	struct table table = begin();

	(void)state;
	add(&table, ROW_ALONE, "c1", 100, 96, 50);
	add(&table, ROW_ALONE, "c2", 100, 95, 50);
	add(&table, ROW_ALONE, "c3", 100, 100, 50);
	must_show(&table, "gateway,c1,100,suppressed,suppressed,suppressed,146,146.0\r\n"
	                  "gateway,c2,100,95,95.0,50,145,145.0\r\n"
	                  "gateway,c3,100,suppressed,suppressed,suppressed,150,150.0\r\n");
}

static void a_total_hides_the_next_smallest_too(void **state)
{
	struct table table = begin();

	(void)state;
	add(&table, ROW_PART, "c1", 100, 50, 10);
	add(&table, ROW_PART, "c2", 100, 4, 20);
	add(&table, ROW_PART, "c3", 100, 40, 30);
	add(&table, ROW_TOTAL, "ALL", 300, 94, 60);
	/* A of c2 is small. B of c2 would tell it by the sum, A of c3 by the total, B of c3 by its
	   own sum; the totals of both columns then have two unknowns, and so have the rows. */
	must_show(&table, "gateway,c1,100,50,50.0,10,60,60.0\r\n"
	                  "gateway,c2,100,<5,suppressed,suppressed,24,24.0\r\n"
	                  "gateway,c3,100,suppressed,suppressed,suppressed,70,70.0\r\n"
	                  "gateway,ALL,300,94,31.3,60,154,51.3\r\n");
}

static void a_group_of_few_shows_nothing_of_itself(void **state)
{
	struct table table = begin();

	(void)state;
	add(&table, ROW_PART, "c1", 100, 50, 10);
	add(&table, ROW_PART, "c2", 4, 2, 2);
	add(&table, ROW_TOTAL, "ALL", 104, 52, 12);
	must_show(&table, "gateway,c1,suppressed,suppressed,suppressed,suppressed,suppressed,"
	                  "suppressed\r\n"
	                  "gateway,c2,<5,<5,suppressed,<5,<5,suppressed\r\n"
	                  "gateway,ALL,104,52,50.0,12,64,61.5\r\n");
}

/* Is there a sum, along a row or down a column, with one unknown in it? */
static bool solve(const struct table *table)
{
	bool solved = false;

	for (size_t i = 0; i < table->n_rows; i++) {
		const struct cell *cells = table->rows[i].cells;
		unsigned unknown = 0;

		for (size_t c = A; c <= SUM; c++)
			unknown += c != A_PERCENT && cells[c].shown != CELL_SHOWN ? 1u : 0u;
		solved |= unknown == 1;
	}
	for (size_t c = MEN; c <= SUM; c++) {
		unsigned unknown = 0;

		for (size_t i = 0; c != A_PERCENT && i < table->n_rows; i++)
			unknown += table->rows[i].cells[c].shown != CELL_SHOWN ? 1u : 0u;
		solved |= unknown == 1;
	}
	return solved;
}

static void nothing_hidden_follows_from_what_is_shown(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 2000; seed++) {
		unsigned random = seed;
		struct table table = begin();
		uint64_t men = 0;
		uint64_t a = 0;
		uint64_t b = 0;
		size_t n = 1 + (size_t)rand_r(&random) % 5;

		for (size_t i = 0; i < n; i++) {
			uint64_t some = (uint64_t)rand_r(&random) % 30;
			uint64_t part = some == 0 ? 0 : (uint64_t)rand_r(&random) % (some + 1);
			uint64_t rest = (uint64_t)rand_r(&random) % 12;

			add(&table, ROW_PART, "c", some, part, rest);
			men += some;
			a += part;
			b += rest;
		}
		add(&table, ROW_TOTAL, "ALL", men, a, b);
		assert_int_equal(table_hide_small(&table), TTG_OK);
		if (solve(&table))
			fail_msg("seed %u: what is hidden can be worked out", seed);
		for (size_t i = 0; i < table.n_rows; i++)
			for (size_t c = MEN; c <= SUM; c++)
				assert_true(c == A_PERCENT || table.rows[i].cells[c].number >= 5 ||
				            table.rows[i].cells[c].shown != CELL_SHOWN);
		table_fini(&table);
	}
}

static void nobody_looks_like_a_few(void **state)
{
	struct table table = begin();

	(void)state;
	add(&table, ROW_ALONE, "c1", 0, 0, 0);
	must_show(&table, "gateway,c1,<5,<5,suppressed,<5,<5,suppressed\r\n");
}

static void rows_that_were_not_asked_for_go(void **state)
{
	struct table table = begin();

	(void)state;
	add(&table, ROW_PART, "c1", 100, 50, 10);
	add(&table, ROW_PART, "c2", 100, 4, 20);
	add(&table, ROW_TOTAL, "ALL", 200, 54, 30);
	assert_int_equal(table_hide_small(&table), TTG_OK);
	table_select(&table, "gateway", "c1");
	assert_int_equal(table.n_rows, 1);
	assert_int_equal(table.rows[0].cells[A].shown, CELL_HIDDEN);
	table_select(&table, "elsewhere", NULL);
	assert_int_equal(table.n_rows, 0);
	table_fini(&table);
}

static void numbers_are_rounded_half_away_from_zero(void **state)
{
	(void)state;
	assert_int_equal(cell_ratio(1, 100, 8).number, 125);
	assert_int_equal(cell_ratio(1, 100, 16).number, 63);
	assert_int_equal(cell_ratio(-1, 100, 16).number, -63);
	assert_int_equal(cell_ratio(2, 100, 3).number, 667);
	assert_int_equal(cell_ratio(1, 100, 0).kind, CELL_UNDEFINED);
}

static void an_id_that_is_none_plays_no_tricks(void **state)
{
	struct table table = begin();
	char *text;

	(void)state;
	add(&table, ROW_ALONE, "c\x1b[2J\xff\n", 100, 50, 50);
	text = report_format(&table, REPORT_JSON);
	assert_non_null(text);
	assert_non_null(strstr(text, "\"cohort\":\"c?[2J??\","));
	free(text);
	table_fini(&table);
}

static void a_table_reads_the_same_to_people_spreadsheets_and_programs(void **state)
{
	struct table table = begin();
	char *text;

	(void)state;
	add(&table, ROW_ALONE, "-c,1", 100, 4, 50);
	table.rows[0].cells[RATE] = (struct cell){ .kind = CELL_TENTHS, .number = -5 };
	assert_int_equal(table_hide_small(&table), TTG_OK);
	text = report_format(&table, REPORT_CSV);
	assert_string_equal(text, "scheme,cohort,men,a,a_percent,b,sum,rate\r\n"
	                          "gateway,\"'-c,1\",100,<5,suppressed,suppressed,54,-0.5\r\n");
	free(text);
	text = report_format(&table, REPORT_JSON);
	assert_string_equal(text, "{\"scheme\":\"gateway\",\"cohort\":\"-c,1\",\"men\":100,"
	                          "\"a\":\"<5\",\"a_percent\":\"suppressed\","
	                          "\"b\":\"suppressed\",\"sum\":54,\"rate\":-0.5}\n");
	free(text);
	text = report_format(&table, REPORT_PEOPLE);
	assert_string_equal(text, "scheme   cohort  men   a   a_percent           b  sum  rate\n"
	                          "gateway  -c,1    100  <5  suppressed  suppressed   54  -0.5\n");
	free(text);
	table_fini(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(five_is_shown_and_four_is_not),
		cmocka_unit_test(
		        a_small_count_takes_its_percentage_and_the_other_part_of_a_sum_with_it),
		cmocka_unit_test(a_count_that_leaves_few_is_as_telling_as_a_few),
		cmocka_unit_test(a_total_hides_the_next_smallest_too),
		cmocka_unit_test(a_group_of_few_shows_nothing_of_itself),
		cmocka_unit_test(nothing_hidden_follows_from_what_is_shown),
		cmocka_unit_test(nobody_looks_like_a_few),
		cmocka_unit_test(rows_that_were_not_asked_for_go),
		cmocka_unit_test(numbers_are_rounded_half_away_from_zero),
		cmocka_unit_test(an_id_that_is_none_plays_no_tricks),
		cmocka_unit_test(a_table_reads_the_same_to_people_spreadsheets_and_programs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
