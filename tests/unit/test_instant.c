/* Times as other systems write them, and the clocks of London. */
#include "unit.h"

#include "base/instant.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#define NS INT64_C(1000000000)

static int64_t parsed(const char *text)
{
	int64_t ns = -1;

	if (instant_parse(text, &ns) != TTG_OK)
		fail_msg("refused: %s", text);
	return ns;
}

static void assert_refused(const char *text)
{
	int64_t ns = 42;

	if (instant_parse(text, &ns) != TTG_EFORMAT || ns != 42)
		fail_msg("taken: %s", text);
}

static void every_form_seen_in_feeds_is_one_instant(void **state)
{
	static const char *const forms[] = {
		"2024-10-14T15:09:00+01:00",
		"2024-10-14T14:09:00Z",
		"2024-10-14T15:09+01:00",
		"2024-10-14T15:09:00+0100",
		"2024-10-14 15:09:00+01:00",
		"2024-10-14T15:09:00.0+01:00",
		"2024-10-14T15:09:00.000000000+01:00",
		"2024-10-14T15:09:00+01:00[Europe/London]",
		"2024-10-14T15:09:00[Europe/London]",
		"2024-10-14T15:09:00",
		"2024-10-14 15:09",
		"2024-10-14T09:39:00-0430",
		"2024-10-14t14:09:00z",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		assert_true(parsed(forms[i]) == INT64_C(1728914940) * NS);
}

static void fractions_of_one_to_nine_digits_keep_their_value(void **state)
{
	const char *all = "2024-01-01T00:00:00.123456789Z";
	char text[INSTANT_TEXT];
	int64_t whole = parsed("2024-01-01T00:00:00Z");
	int64_t unit = 100000000;
	int64_t expected = 0;

	(void)state;
	for (int digits = 1; digits <= 9; digits++, unit /= 10) {
		snprintf(text, sizeof(text), "%.*sZ", 20 + digits, all);
		expected += digits * unit;
		assert_true(parsed(text) - whole == expected);
	}
	assert_refused("2024-01-01T00:00:00.1234567891Z");
	assert_refused("2024-01-01T00:00:00.Z");
}

static void what_is_not_an_instant_is_refused_and_leaves_the_output_alone(void **state)
{
	static const char *const wrong[] = {
		"",
		"2024",
		"2024-10-14",
		"2024-10-14T",
		"2024-10-14T15",
		"2024-10-14T15:09:",
		"2024-02-30T00:00:00Z",
		"2023-02-29T00:00:00Z",
		"2024-13-01T00:00:00Z",
		"2024-00-01T00:00:00Z",
		"2024-01-00T00:00:00Z",
		"2024-01-01T24:00:00Z",
		"2024-01-01T23:60:00Z",
		"2016-12-31T23:59:60Z",
		"1899-12-31T23:59:59Z",
		"2201-01-01T00:00:00Z",
		"2024-01-01T00:00:00+1",
		"2024-01-01T00:00:00+01",
		"2024-01-01T00:00:00+01:60",
		"2024-01-01T00:00:00+15:00",
		"2024-01-01T00:00:00+14:01",
		"2024-01-01T00:00:00Zx",
		"2024-01-01T00:00:00Z ",
		" 2024-01-01T00:00:00Z",
		"2024-01-01X00:00:00Z",
		"24-01-01T00:00:00Z",
		"2024-1-1T00:00:00Z",
		"2024-01-01T00:00.5Z",
		"2024-01-01T00:00:00[Europe/Paris]",
		"99999999999999-01-01T00:00:00Z",
		"-024-01-01T00:00:00Z",
		"14/10/2024 15:09",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_refused(wrong[i]);
	assert_int_equal(instant_parse(NULL, &(int64_t){ 0 }), TTG_EFORMAT);
}

static void the_hour_that_spring_skips_is_refused(void **state)
{
	(void)state;
	assert_true(parsed("2026-03-29T00:59:59") == parsed("2026-03-29T00:59:59Z"));
	assert_refused("2026-03-29T01:00:00");
	assert_refused("2026-03-29T01:59:59");
	assert_true(parsed("2026-03-29T02:00:00") == parsed("2026-03-29T01:00:00Z"));
}

static void the_hour_that_autumn_repeats_is_the_earlier_one(void **state)
{
	(void)state;
	assert_true(parsed("2026-10-25T00:59:59") == parsed("2026-10-24T23:59:59Z"));
	assert_true(parsed("2026-10-25T01:30:00") == parsed("2026-10-25T00:30:00Z"));
	assert_true(parsed("2026-10-25T02:00:00") == parsed("2026-10-25T02:00:00Z"));
}

static void instants_are_written_in_utc_with_the_digits_they_need(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00Z" },
		{ -1, "1969-12-31T23:59:59.999999999Z" },
		{ INT64_C(951782400) * NS, "2000-02-29T00:00:00Z" },
		{ INT64_C(1795256100) * NS + 123000000, "2026-11-21T10:15:00.123Z" },
		{ INT64_C(1795256100) * NS + 123456000, "2026-11-21T10:15:00.123456Z" },
		{ INT64_C(1795256100) * NS + 10, "2026-11-21T10:15:00.000000010Z" },
		{ INT64_MAX, "2262-04-11T23:47:16.854775807Z" },
		{ INT64_MIN, "1677-09-21T00:12:43.145224192Z" },
	};
	char text[INSTANT_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		instant_format(cases[i].ns, text);
		assert_string_equal(text, cases[i].text);
	}
}

static void random_instants_survive_writing_and_reading(void **state)
{
	uint64_t seed = unit_seed(__func__);
	const int64_t first = parsed("1900-01-01T00:00:00Z");
	const int64_t last = parsed("2200-12-31T23:59:59Z");

	(void)state;
	for (int round = 0; round < 50000; round++) {
		uint64_t span = (uint64_t)last - (uint64_t)first;
		int64_t ns = (int64_t)((uint64_t)first + unit_random(&seed) % span);
		char text[INSTANT_TEXT];
		char date[11];
		char clock[6];
		int64_t civil;

		instant_format(ns, text);
		assert_true(parsed(text) == ns);
		instant_to_civil(ns, date, clock);
		assert_int_equal(instant_from_civil(date, clock, &civil), TTG_OK);
		/* Minutes are cut; the repeated hour may come back an hour earlier. */
		assert_true(ns - civil >= 0 && ns - civil < 3660 * NS);
	}
}

/* Every half hour of 1972-2037 against the machine's own zone database, where there is one. */
static void summer_time_agrees_with_the_zone_database(void **state)
{
	(void)state;
	if (access("/usr/share/zoneinfo/Europe/London", R_OK) != 0)
		skip();
	setenv("TZ", "Europe/London", 1);
	tzset();
	for (time_t at = 63072000; at < 2145916800; at += 1800) {
		struct tm local;
		char expected[32];
		char date[11];
		char clock[6];

		localtime_r(&at, &local);
		strftime(expected, sizeof(expected), "%Y-%m-%d %H:%M", &local);
		instant_to_civil((int64_t)at * NS, date, clock);
		if (strncmp(expected, date, 10) != 0 || strcmp(expected + 11, clock) != 0)
			fail_msg("%lld: %s, not %s %s", (long long)at, expected, date, clock);
	}
}

static void clocks_changed_when_the_law_said(void **state)
{
	static const struct {
		const char *instant;
		const char *clock;
	} cases[] = {
		{ "1972-03-19T01:59:00Z", "01:59" }, { "1972-03-19T02:00:00Z", "03:00" },
		{ "1972-10-29T01:59:00Z", "02:59" }, { "1972-10-29T02:00:00Z", "02:00" },
		{ "1981-03-29T01:00:00Z", "02:00" }, { "1989-10-29T00:59:00Z", "01:59" },
		{ "1989-10-29T01:00:00Z", "01:00" }, { "1995-10-22T00:59:00Z", "01:59" },
		{ "1995-10-22T01:00:00Z", "01:00" }, { "1996-10-27T00:59:00Z", "01:59" },
		{ "1996-10-27T01:00:00Z", "01:00" }, { "2026-06-01T12:00:00Z", "13:00" },
		{ "2026-12-01T12:00:00Z", "12:00" }, { "1971-07-01T12:00:00Z", "12:00" },
	};
	char date[11];
	char clock[6];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		instant_to_civil(parsed(cases[i].instant), date, clock);
		assert_string_equal(clock, cases[i].clock);
	}
}

static void a_civil_date_without_a_clock_is_its_midnight(void **state)
{
	int64_t ns;

	(void)state;
	assert_int_equal(instant_from_civil("2026-07-01", NULL, &ns), TTG_OK);
	assert_true(ns == parsed("2026-06-30T23:00:00Z"));
	assert_int_equal(instant_from_civil("2026-07-01", "8:00", &ns), TTG_EFORMAT);
	assert_int_equal(instant_from_civil("2026-07-32", "08:00", &ns), TTG_EFORMAT);
	assert_int_equal(instant_from_civil("2026-03-29", "01:30", &ns), TTG_EFORMAT);
	assert_int_equal(instant_from_civil(NULL, NULL, &ns), TTG_EFORMAT);
}

static void dates_are_read_in_both_orders_and_must_exist(void **state)
{
	char out[11] = "untouched";

	(void)state;
	assert_int_equal(date_parse("21/11/2026", out), TTG_OK);
	assert_string_equal(out, "2026-11-21");
	assert_int_equal(date_parse("2024-02-29", out), TTG_OK);
	assert_string_equal(out, "2024-02-29");
	assert_int_equal(date_parse("2023-02-29", out), TTG_EFORMAT);
	assert_int_equal(date_parse("29/02/1900", out), TTG_EFORMAT);
	assert_int_equal(date_parse("31/04/2026", out), TTG_EFORMAT);
	assert_int_equal(date_parse("1/2/2026", out), TTG_EFORMAT);
	assert_int_equal(date_parse("2026-11-21 ", out), TTG_EFORMAT);
	assert_int_equal(date_parse("21/11/26", out), TTG_EFORMAT);
	assert_int_equal(date_parse("0000-01-01", out), TTG_EFORMAT);
	assert_int_equal(date_parse("", out), TTG_EFORMAT);
	assert_int_equal(date_parse(NULL, out), TTG_EFORMAT);
	assert_string_equal(out, "2024-02-29");
	assert_true(date_is_valid("2000-02-29"));
	assert_false(date_is_valid("29/02/2000"));
	assert_false(date_is_valid("2000-02-29T"));
	assert_false(date_is_valid(NULL));
}

static void clocks_are_read_with_and_without_colon_and_seconds(void **state)
{
	static const char *const wrong[] = { "",      "24:00", "12:60",   "12:5",     "123",
		                             "12345", "1:2:3", "1:23:45", "12:34:60", "12:34:",
		                             ":30",   "1",     "2400",    "12 30",    "-1:00" };
	char out[6];

	(void)state;
	assert_int_equal(clock_parse("9:05", out), TTG_OK);
	assert_string_equal(out, "09:05");
	assert_int_equal(clock_parse("23:59", out), TTG_OK);
	assert_string_equal(out, "23:59");
	assert_int_equal(clock_parse("08:30:59", out), TTG_OK);
	assert_string_equal(out, "08:30");
	assert_int_equal(clock_parse("0000", out), TTG_OK);
	assert_string_equal(out, "00:00");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (clock_parse(wrong[i], out) != TTG_EFORMAT)
			fail_msg("taken: %s", wrong[i]);
	}
	assert_int_equal(clock_parse(NULL, out), TTG_EFORMAT);
	assert_true(clock_is_valid("00:00"));
	assert_false(clock_is_valid("0:00"));
	assert_false(clock_is_valid("00:00:00"));
	assert_false(clock_is_valid("24:00"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_seen_in_feeds_is_one_instant),
		cmocka_unit_test(fractions_of_one_to_nine_digits_keep_their_value),
		cmocka_unit_test(what_is_not_an_instant_is_refused_and_leaves_the_output_alone),
		cmocka_unit_test(the_hour_that_spring_skips_is_refused),
		cmocka_unit_test(the_hour_that_autumn_repeats_is_the_earlier_one),
		cmocka_unit_test(instants_are_written_in_utc_with_the_digits_they_need),
		cmocka_unit_test(random_instants_survive_writing_and_reading),
		cmocka_unit_test(summer_time_agrees_with_the_zone_database),
		cmocka_unit_test(clocks_changed_when_the_law_said),
		cmocka_unit_test(a_civil_date_without_a_clock_is_its_midnight),
		cmocka_unit_test(dates_are_read_in_both_orders_and_must_exist),
		cmocka_unit_test(clocks_are_read_with_and_without_colon_and_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
