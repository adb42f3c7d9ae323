/*
 * The web server over loopback, with a browser in the same thread: who gets in, who may do what,
 * what is refused, and which headers every answer has.
 */
#include <curl/curl.h>
#include "support/web_bed.h"

static void who_is_not_signed_in_is_sent_to_the_sign_in_page_and_back(void **state)
{
	struct web_bed bed;

	bed_begin(&bed, state);
	assert_int_equal(browser_get(bed.browser, "/note/7?q=a%20b"), 303);
	assert_string_equal(browser_header(bed.browser, "Location"),
	                    "/sign-in?next=%2Fnote%2F7%3Fq%3Da%2520b");
	assert_int_equal(browser_follow(bed.browser), 200);
	must_show(bed.browser, "<title>Sign in - Example site</title>");
	must_show(bed.browser, "name=\"next\" value=\"/note/7?q=a%20b\"");
	must_not_show(bed.browser, "Sign out");
	assert_int_equal(browser_post(bed.browser, "/sign-in",
	                              "user=%20Ann&password=" PASSWORD_SENT
	                              "&next=%2Fnote%2F7%3Fq%3Da%2520b"),
	                 303);
	assert_int_equal(browser_follow(bed.browser), 200);
	must_show(bed.browser, "part=7 q=a b by=ann");
	must_show(bed.browser, "Ann Example");
	bed_end(&bed);
}

static void the_front_leads_to_the_first_page_of_the_role(void **state)
{
	struct web_bed bed;

	bed_begin(&bed, state);
	browser_sign_in(bed.browser, "ann", PASSWORD_SENT);
	must_show(bed.browser, "The note");
	must_show(bed.browser, "href=\"/note\" aria-current=\"page\"");
	must_not_show(bed.browser, "href=\"/export\"");
	assert_int_equal(browser_get(bed.browser, "/"), 303);
	assert_string_equal(browser_header(bed.browser, "Location"), "/note");
	bed_end(&bed);
}

#define SERVER_TEST(name) cmocka_unit_test_setup_teardown(name, folder_set_up, folder_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVER_TEST(who_is_not_signed_in_is_sent_to_the_sign_in_page_and_back),
		SERVER_TEST(the_front_leads_to_the_first_page_of_the_role),
	};
	int failed;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	curl_global_cleanup();
	return failed;
}
