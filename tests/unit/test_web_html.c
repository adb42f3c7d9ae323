/* What html.h promises of a text that is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "web/html.h"

static void assert_written(struct html *html, const char *wanted)
{
	assert_false(html->failed);
	assert_string_equal(html->bytes, wanted);
	assert_int_equal(html->len, strlen(wanted));
	html_fini(html);
}

static void test_every_text_is_escaped(void **state)
{
	struct html html = { 0 };

	(void)state;
	html_add(&html, "<td title=\"%s\">%s</td>", "\"'><script>", "Tom & <Jerry>");
	assert_written(&html, "<td title=\"&quot;&#39;&gt;&lt;script&gt;\">Tom &amp; "
	                      "&lt;Jerry&gt;</td>");
}

static void test_numbers_are_written_as_printf_does(void **state)
{
	struct html html = { 0 };

	(void)state;
	html_add(&html, "%d %u %lld %llu %zu %02d:%02d %5d %c %% %d", -7, 7u, INT64_MIN + 0LL,
	         UINT64_MAX + 0ULL, sizeof(char), 9, 5, 42, '<', 0);
	assert_written(&html, "-7 7 -9223372036854775808 18446744073709551615 1 09:05    42 &lt; % 0");
}

static void test_lines_break_and_links_are_coded(void **state)
{
	struct html html = { 0 };

	(void)state;
	html_lines(&html, "one <1>\ntwo\n");
	html_raw(&html, "?q=");
	html_url(&html, "a b&c/\xc3\xa9~");
	assert_written(&html, "one &lt;1&gt;<br>two<br>?q=a%20b%26c%2F%C3%A9~");
}

static void test_a_csv_field_is_quoted_and_is_never_a_formula(void **state)
{
	struct html html = { 0 };

	(void)state;
	html_csv(&html, "plain");
	html_raw(&html, ",");
	html_csv(&html, "say \"a, b\"");
	html_raw(&html, ",");
	html_csv(&html, "=1+1");
	assert_written(&html, "plain,\"say \"\"a, b\"\"\",\"'=1+1\"");
}

static void test_beyond_the_bound_it_fails_and_stays_cut_off(void **state)
{
	struct html html = { 0 };
	char *much = malloc(HTML_MAX_BYTES + 1);

	(void)state;
	assert_non_null(much);
	memset(much, 'x', HTML_MAX_BYTES);
	much[HTML_MAX_BYTES] = '\0';
	html_raw(&html, "a");
	html_raw(&html, much);
	assert_true(html.failed);
	assert_int_equal(html.len, 1);
	html_raw(&html, "b");
	assert_int_equal(html.len, 1);
	html_fini(&html);
	free(much);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_text_is_escaped),
		cmocka_unit_test(test_numbers_are_written_as_printf_does),
		cmocka_unit_test(test_lines_break_and_links_are_coded),
		cmocka_unit_test(test_a_csv_field_is_quoted_and_is_never_a_formula),
		cmocka_unit_test(test_beyond_the_bound_it_fails_and_stays_cut_off),
	};

	return cmocka_run_group_tests_name("web_html", tests, NULL, NULL);
}
