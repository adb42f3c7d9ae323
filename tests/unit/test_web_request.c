/* What browsers send, taken apart: paths, fields, cookies, and what is refused. */
#include <stdio.h>
#include <string.h>
#include "support/assert.h"
#include "web/request.h"

static char text[8192];
static struct request_target target;
static struct request_fields form;

static bool read_target(const char *sent)
{
	snprintf(text, sizeof(text), "%s", sent);
	return request_read_target(text, &target);
}

static bool read_form(const char *sent)
{
	snprintf(text, sizeof(text), "%s", sent);
	return request_read_form(text, strlen(sent), &form);
}

static void a_path_is_parts_and_each_is_decoded(void **state)
{
	const char *parts[WEB_PARTS_MAX];

	(void)state;
	assert_true(read_target("/people/J%C3%B6rg%2FX+1/notes"));
	assert_int_equal(target.n_parts, 3);
	assert_string_equal(target.parts[1], "J\xc3\xb6rg/X+1");
	assert_true(request_fits(&target, "/people/:/notes", parts));
	assert_string_equal(parts[0], "J\xc3\xb6rg/X+1");
	assert_string_equal(parts[1], "");
	assert_false(request_fits(&target, "/people/:", parts));
	assert_false(request_fits(&target, "/people/:/notes/:", parts));
	assert_false(request_fits(&target, "/people/:/note", parts));
	assert_true(request_fits(&target, "/:/:/:", parts));
	assert_string_equal(parts[2], "notes");
}

static void the_front_has_no_parts_and_an_empty_part_fits_nothing(void **state)
{
	const char *parts[WEB_PARTS_MAX];

	(void)state;
	assert_true(read_target("/"));
	assert_true(request_fits(&target, "/", parts));
	assert_false(request_fits(&target, "/:", parts));
	assert_true(read_target("/people/"));
	assert_false(request_fits(&target, "/people", parts));
	assert_false(request_fits(&target, "/people/:", parts));
	assert_true(read_target("//people"));
	assert_false(request_fits(&target, "/people", parts));
}

static void fields_of_a_query_are_in_order_and_decoded(void **state)
{
	(void)state;
	assert_true(read_target("/a?x=1&y=a+b%26c&&x=2&flag&=v"));
	assert_int_equal(target.query.n, 5);
	assert_string_equal(target.query.list[0].name, "x");
	assert_string_equal(target.query.list[1].value, "a b&c");
	assert_string_equal(target.query.list[2].value, "2");
	assert_string_equal(target.query.list[3].name, "flag");
	assert_string_equal(target.query.list[3].value, "");
	assert_string_equal(target.query.list[4].name, "");
	assert_true(read_target("/a?"));
	assert_int_equal(target.query.n, 0);
}

static void what_is_malformed_is_refused_wherever_it_stands(void **state)
{
	static const char *const bad[] = {
		"",
		"people",
		"*",
		"http://x/",
		"/a b",
		"/a\x01",
		"/a\x80",
		"/%",
		"/%4",
		"/%4g",
		"/%00",
		"/a%0Ab",
		"/a?x=%0d",
		"/a?x=%c3",
		"/a?x=%ff",
		"/a?x=%ed%a0%80",
		"/a?%00=1",
		"/a?x=%7f",
		"/a?x=%c2%80",
		"/a?x=%",
		"/a?x=%09",
		"/%c0%af",
		"/1/2/3/4/5/6/7/8/9",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		if (read_target(bad[i]))
			fail_msg("was taken: %s", bad[i]);
	}
	assert_true(read_target("/1/2/3/4/5/6/7/8"));
}

static void a_form_may_have_lines_and_their_ends_become_one_kind(void **state)
{
	(void)state;
	assert_true(read_form("note=one%0D%0Atwo%0Dthree%0Afour%09x&b="));
	assert_int_equal(form.n, 2);
	assert_string_equal(form.list[0].value, "one\ntwo\nthree\nfour\tx");
	assert_string_equal(form.list[1].value, "");
	assert_false(read_form("no%0Ate=1"));
	assert_false(read_form("note=%1B"));
	assert_false(request_read_form((char[]){ "a=\0b" }, 4, &form));
}

static void more_fields_than_the_bound_are_refused(void **state)
{
	char sent[4096] = "";

	(void)state;
	for (int i = 0; i < WEB_FIELDS_MAX; i++)
		snprintf(sent + strlen(sent), sizeof(sent) - strlen(sent), "f%d=1&", i);
	assert_true(read_form(sent));
	assert_int_equal(form.n, WEB_FIELDS_MAX);
	strcat(sent, "more=1");
	assert_false(read_form(sent));
}

static void a_cookie_is_found_among_others_and_only_whole(void **state)
{
	char out[5];

	(void)state;
	assert_true(request_cookie("a=1; id=abcd; b=2", "id", out, 4));
	assert_string_equal(out, "abcd");
	assert_true(request_cookie("id=abcd", "id", out, 4));
	assert_false(request_cookie("xid=abcd", "id", out, 4));
	assert_false(request_cookie("id=abcde", "id", out, 4));
	assert_false(request_cookie("id=abc", "id", out, 4));
	assert_false(request_cookie("id", "id", out, 4));
	assert_false(request_cookie("", "id", out, 4));
	assert_false(request_cookie(NULL, "id", out, 4));
	/* The first counts: one that is planted behind it changes nothing. */
	assert_true(request_cookie("id=abcd; id=eeee", "id", out, 4));
	assert_string_equal(out, "abcd");
}

static void only_forms_are_forms(void **state)
{
	(void)state;
	assert_true(request_is_form("application/x-www-form-urlencoded"));
	assert_true(request_is_form("Application/X-WWW-form-urlencoded; charset=UTF-8"));
	assert_false(request_is_form("application/x-www-form-urlencodedx"));
	assert_false(request_is_form("multipart/form-data; boundary=x"));
	assert_false(request_is_form("text/plain"));
	assert_false(request_is_form(NULL));
}

static void another_site_is_known_by_what_the_browser_says(void **state)
{
	(void)state;
	assert_false(request_is_foreign("same-origin", NULL, "desk:1"));
	assert_false(request_is_foreign("none", NULL, "desk:1"));
	assert_true(request_is_foreign("cross-site", "https://desk:1", "desk:1"));
	assert_true(request_is_foreign("same-site", NULL, "desk:1"));
	assert_false(request_is_foreign(NULL, "https://Desk:1", "desk:1"));
	assert_true(request_is_foreign(NULL, "https://desk:2", "desk:1"));
	assert_true(request_is_foreign(NULL, "https://desk:1.example", "desk:1"));
	assert_true(request_is_foreign(NULL, "null", "desk:1"));
	assert_true(request_is_foreign(NULL, "https://desk:1", NULL));
	assert_false(request_is_foreign(NULL, NULL, "desk:1"));
}

static void a_local_path_leads_nowhere_else(void **state)
{
	(void)state;
	assert_true(request_is_local("/"));
	assert_true(request_is_local("/people/1?q=a%2Fb"));
	assert_false(request_is_local(""));
	assert_false(request_is_local("people"));
	assert_false(request_is_local("//evil.example/"));
	assert_false(request_is_local("/\\evil.example/"));
	assert_false(request_is_local("https://evil.example/"));
	assert_false(request_is_local("/a\r\nSet-Cookie: x=1"));
	assert_false(request_is_local("/\xc3\xb6"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_is_parts_and_each_is_decoded),
		cmocka_unit_test(the_front_has_no_parts_and_an_empty_part_fits_nothing),
		cmocka_unit_test(fields_of_a_query_are_in_order_and_decoded),
		cmocka_unit_test(what_is_malformed_is_refused_wherever_it_stands),
		cmocka_unit_test(a_form_may_have_lines_and_their_ends_become_one_kind),
		cmocka_unit_test(more_fields_than_the_bound_are_refused),
		cmocka_unit_test(a_cookie_is_found_among_others_and_only_whole),
		cmocka_unit_test(only_forms_are_forms),
		cmocka_unit_test(another_site_is_known_by_what_the_browser_says),
		cmocka_unit_test(a_local_path_leads_nowhere_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
