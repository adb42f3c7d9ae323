/*
 * Signing in and out over loopback, with a browser in the same thread: passwords, locks, sessions,
 * and what an administrator does meanwhile.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
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
	must_show(bed.browser, "href=\"/note\" aria-current=\"true\""); /* it stands below */
	must_show(bed.browser, "Ann Example");
	bed_end(&bed);
}

static void nobody_is_sent_to_another_site_after_signing_in(void **state)
{
	static const char *const bad[] = { "//evil.example/", "https%3A%2F%2Fevil.example%2F",
		                           "%2F%5Cevil.example", "%2F%2Fevil.example" };
	struct web_bed bed;

	bed_begin(&bed, state);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char fields[200];

		browser_forget_cookies(bed.browser);
		assert_int_equal(browser_get(bed.browser, "/sign-in"), 200);
		snprintf(fields, sizeof(fields), "user=ann&password=" PASSWORD_SENT "&next=%s",
		         bad[i]);
		assert_int_equal(browser_post(bed.browser, "/sign-in", fields), 303);
		assert_string_equal(browser_header(bed.browser, "Location"), "/");
	}
	bed_end(&bed);
}

static void wrong_name_wrong_password_and_a_disabled_user_are_told_the_same(void **state)
{
	static const char *const tries[] = { "user=ann&password=wrong",
		                             "user=nobody&password=wrong",
		                             "user=cyd&password=" PASSWORD_SENT };
	struct web_bed bed;

	bed_begin(&bed, state);
	for (size_t i = 0; i < sizeof(tries) / sizeof(*tries); i++) {
		assert_int_equal(browser_get(bed.browser, "/sign-in"), 200);
		assert_int_equal(browser_post(bed.browser, "/sign-in", tries[i]), 200);
		must_show(bed.browser, "<title>Error: Sign in - Example site</title>");
		must_show(bed.browser, "<a href=\"#password\">The user name or the password is "
		                       "wrong</a>");
		must_not_show(bed.browser, "Sign out");
		must_not_show(bed.browser, "value=\"wrong\"");
	}
	assert_int_equal(browser_post(bed.browser, "/sign-in", "user=&password="), 200);
	must_show(bed.browser, "<a href=\"#user\">Enter your user name</a>");
	must_show(bed.browser, "aria-describedby=\"password-error\"");
	assert_int_equal(browser_get(bed.browser, "/note"), 303);
	bed_end(&bed);
}

static void five_wrong_passwords_lock_even_the_right_one_out_for_a_while(void **state)
{
	static const char *const names[] = { "ann", "nobody" };
	struct web_bed bed;
	char fields[100];

	bed_begin(&bed, state);
	for (size_t n = 0; n < 2; n++) {
		assert_int_equal(browser_get(bed.browser, "/sign-in"), 200);
		snprintf(fields, sizeof(fields), "user=%s&password=wrong", names[n]);
		for (int i = 0; i < 5; i++) {
			bed_pass(&bed, 1);
			assert_int_equal(browser_post(bed.browser, "/sign-in", fields), 200);
		}
		must_show(bed.browser, "try again in 15 minutes");
		snprintf(fields, sizeof(fields), "user=%s&password=" PASSWORD_SENT, names[n]);
		assert_int_equal(browser_post(bed.browser, "/sign-in", fields), 200);
		must_show(bed.browser, "Too many wrong passwords");
	}
	bed_pass(&bed, 901);
	browser_sign_in(bed.browser, "ann", PASSWORD_SENT);
	must_show(bed.browser, "Ann Example");
	bed_end(&bed);
}

static void an_administrator_can_unlock_a_name(void **state)
{
	struct web_bed bed;

	bed_begin(&bed, state);
	assert_int_equal(browser_get(bed.browser, "/sign-in"), 200);
	for (int i = 0; i < 5; i++) {
		bed_pass(&bed, 1);
		browser_post(bed.browser, "/sign-in", "user=ann&password=wrong");
	}
	must_show(bed.browser, "Too many wrong passwords");
	bed_user_command(&bed, "unlock", "ann");
	bed_pass(&bed, 1);
	browser_sign_in(bed.browser, "ann", PASSWORD_SENT);
	bed_end(&bed);
}

static void more_sign_ins_than_the_processor_bears_are_told_to_wait(void **state)
{
	struct web_bed bed;
	long status = 200;
	int tries = 0;

	bed_begin(&bed, state);
	bed.stopped = true; /* no time passes */
	assert_int_equal(browser_get(bed.browser, "/sign-in"), 200);
	for (; tries < 50 && status == 200; tries++) {
		char fields[64];

		snprintf(fields, sizeof(fields), "user=name-%d&password=wrong", tries);
		status = browser_post(bed.browser, "/sign-in", fields);
	}
	assert_int_equal(status, 429);
	assert_in_range(tries, 2, 20);
	assert_string_not_equal(browser_header(bed.browser, "Retry-After"), "");
	bed_pass(&bed, 5);
	assert_int_equal(browser_get(bed.browser, "/sign-in"), 200);
	browser_sign_in(bed.browser, "ann", PASSWORD_SENT);
	bed_end(&bed);
}

static void the_cookie_is_for_the_server_alone_and_new_after_signing_in(void **state)
{
	struct web_bed bed;
	char visitor[200], name[40];

	bed_begin(&bed, state);
	browser_get(bed.browser, "/sign-in");
	snprintf(visitor, sizeof(visitor), "%s", browser_header(bed.browser, "Set-Cookie"));
	snprintf(name, sizeof(name), "ttg_session_%u=", web_port(bed.web));
	assert_ptr_equal(strstr(visitor, name), visitor);
	assert_non_null(strstr(visitor, "; Path=/; HttpOnly; SameSite=Lax"));
	assert_null(strstr(visitor, "Secure"));
	browser_post(bed.browser, "/sign-in", "user=ann&password=" PASSWORD_SENT);
	assert_string_not_equal(browser_header(bed.browser, "Set-Cookie"), "");
	assert_string_not_equal(browser_header(bed.browser, "Set-Cookie"), visitor);
	browser_follow(bed.browser);
	assert_string_equal(browser_header(bed.browser, "Set-Cookie"), ""); /* once */
	bed_end(&bed);
}

static void signing_out_ends_the_session_for_good(void **state)
{
	struct web_bed bed;
	char cookie[200];

	bed_begin(&bed, state);
	browser_get(bed.browser, "/sign-in");
	browser_post(bed.browser, "/sign-in", "user=ann&password=" PASSWORD_SENT);
	snprintf(cookie, sizeof(cookie), "Cookie: %.*s",
	         (int)strcspn(browser_header(bed.browser, "Set-Cookie"), ";"),
	         browser_header(bed.browser, "Set-Cookie"));
	browser_follow(bed.browser);
	assert_int_equal(browser_get(bed.browser, "/sign-out"), 405);
	assert_string_equal(browser_header(bed.browser, "Allow"), "POST");
	browser_get(bed.browser, "/note");
	assert_int_equal(browser_post(bed.browser, "/sign-out", ""), 303);
	assert_int_equal(browser_get(bed.browser, "/note"), 303);
	browser_forget_cookies(bed.browser);
	browser_add_header(bed.browser, cookie);
	assert_int_equal(browser_get(bed.browser, "/note"), 303);
	bed_end(&bed);
}

static void an_idle_session_ends(void **state)
{
	struct web_bed bed;

	bed_begin(&bed, state);
	browser_sign_in(bed.browser, "ann", PASSWORD_SENT);
	bed_pass(&bed, 29 * 60);
	assert_int_equal(browser_get(bed.browser, "/note"), 200);
	bed_pass(&bed, 29 * 60);
	assert_int_equal(browser_get(bed.browser, "/note"), 200);
	bed_pass(&bed, 31 * 60);
	assert_int_equal(browser_get(bed.browser, "/note"), 303);
	bed_end(&bed);
}

static void what_an_administrator_changes_holds_at_once(void **state)
{
	struct web_bed bed;

	bed_begin(&bed, state);
	browser_sign_in(bed.browser, "ann", PASSWORD_SENT);
	bed_user_command(&bed, "disable", "bob"); /* others stay */
	assert_int_equal(browser_get(bed.browser, "/note"), 200);
	bed_user_command(&bed, "disable", "ann");
	assert_int_equal(browser_get(bed.browser, "/note"), 303);
	bed_user_command(&bed, "enable", "ann");
	assert_int_equal(browser_get(bed.browser, "/note"), 303); /* the session is gone */
	browser_sign_in(bed.browser, "ann", PASSWORD_SENT);
	bed_user_command(&bed, "remove", "ann");
	assert_int_equal(browser_get(bed.browser, "/note"), 303);
	bed_end(&bed);
}

static void a_users_file_that_cannot_be_read_changes_nothing(void **state)
{
	struct web_bed bed;

	bed_begin(&bed, state);
	browser_sign_in(bed.browser, "ann", PASSWORD_SENT);
	folder_write(*state, "users", "rubbish\n");
	assert_int_equal(browser_get(bed.browser, "/note"), 200);
	assert_int_equal(unlink(bed.users_file), 0);
	assert_int_equal(browser_get(bed.browser, "/note"), 200);
	bed_end(&bed);
}

static void the_own_password_can_be_changed_and_ends_all_other_sessions(void **state)
{
	struct web_bed bed;
	struct browser *elsewhere;

	bed_begin(&bed, state);
	elsewhere = browser_open(bed.web, web_port(bed.web), NULL);
	browser_sign_in(bed.browser, "ann", PASSWORD_SENT);
	browser_sign_in(elsewhere, "ann", PASSWORD_SENT);
	bed_pass(&bed, 5);
	assert_int_equal(browser_get(bed.browser, "/password"), 200);
	assert_int_equal(browser_post(bed.browser, "/password",
	                              "password=wrong&new=" OTHER_PASSWORD
	                              "&again=" OTHER_PASSWORD),
	                 200);
	must_show(bed.browser, "The current password is wrong");
	assert_int_equal(browser_post(bed.browser, "/password",
	                              "password=" PASSWORD_SENT "&new=short&again=short"),
	                 200);
	must_show(bed.browser, "at least 12 characters");
	assert_int_equal(browser_post(bed.browser, "/password",
	                              "password=" PASSWORD_SENT "&new=" OTHER_PASSWORD
	                              "&again=" OTHER_PASSWORD "x"),
	                 200);
	must_show(bed.browser, "The new passwords are not the same");
	assert_int_equal(browser_get(elsewhere, "/note"), 200);
	assert_int_equal(browser_post(bed.browser, "/password",
	                              "password=" PASSWORD_SENT "&new=" OTHER_PASSWORD
	                              "&again=" OTHER_PASSWORD),
	                 303);
	assert_int_equal(browser_follow(bed.browser), 200);
	must_show(bed.browser, "Your password was changed");
	assert_int_equal(browser_get(elsewhere, "/note"), 303);
	bed_pass(&bed, 5);
	browser_sign_in(elsewhere, "ann", OTHER_PASSWORD);
	browser_close(&elsewhere);
	bed_end(&bed);
}

static void a_feed_is_opened_by_its_token_until_there_is_another(void **state)
{
	struct web_bed bed;
	char path[100], again[100];

	bed_begin(&bed, state);
	browser_sign_in(bed.browser, "ann", PASSWORD_SENT);
	assert_int_equal(browser_get(bed.browser, "/token"), 200);
	snprintf(path, sizeof(path), "/feed/%s", browser_body(bed.browser));
	assert_int_equal(strlen(path), 6 + 32);
	assert_int_equal(browser_get(bed.browser, "/token"), 200);
	assert_string_equal(browser_body(bed.browser), path + 6);
	browser_forget_cookies(bed.browser);
	assert_int_equal(browser_get(bed.browser, path), 200);
	assert_string_equal(browser_body(bed.browser), "feed of ann");
	browser_sign_in(bed.browser, "ann", PASSWORD_SENT);
	assert_int_equal(browser_get(bed.browser, "/token?anew=1"), 200);
	snprintf(again, sizeof(again), "/feed/%s", browser_body(bed.browser));
	assert_string_not_equal(path, again);
	assert_int_equal(browser_get(bed.browser, path), 404);
	assert_int_equal(browser_get(bed.browser, again), 200);
	assert_int_equal(browser_get(bed.browser, "/feed/-"), 404);
	bed_user_command(&bed, "disable", "ann");
	assert_int_equal(browser_get(bed.browser, again), 404);
	bed_end(&bed);
}

#define SIGN_IN_TEST(name) cmocka_unit_test_setup_teardown(name, folder_set_up, folder_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SIGN_IN_TEST(who_is_not_signed_in_is_sent_to_the_sign_in_page_and_back),
		SIGN_IN_TEST(nobody_is_sent_to_another_site_after_signing_in),
		SIGN_IN_TEST(wrong_name_wrong_password_and_a_disabled_user_are_told_the_same),
		SIGN_IN_TEST(five_wrong_passwords_lock_even_the_right_one_out_for_a_while),
		SIGN_IN_TEST(an_administrator_can_unlock_a_name),
		SIGN_IN_TEST(more_sign_ins_than_the_processor_bears_are_told_to_wait),
		SIGN_IN_TEST(the_cookie_is_for_the_server_alone_and_new_after_signing_in),
		SIGN_IN_TEST(signing_out_ends_the_session_for_good),
		SIGN_IN_TEST(an_idle_session_ends),
		SIGN_IN_TEST(what_an_administrator_changes_holds_at_once),
		SIGN_IN_TEST(a_users_file_that_cannot_be_read_changes_nothing),
		SIGN_IN_TEST(the_own_password_can_be_changed_and_ends_all_other_sessions),
		SIGN_IN_TEST(a_feed_is_opened_by_its_token_until_there_is_another),
	};
	int failed;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	curl_global_cleanup();
	return failed;
}
