/*
 * The web server over loopback, with a browser in the same thread: who gets in, who may do what,
 * what is refused, and which headers every answer has.
 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "support/wait.h"
#include "support/web_bed.h"
#include "web/users.h"

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
	browser_forget_cookies(bed.browser);
	browser_sign_in(bed.browser, "bob", PASSWORD_SENT);
	assert_int_equal(browser_get(bed.browser, "/"), 303);
	assert_string_equal(browser_header(bed.browser, "Location"), "/export");
	bed_end(&bed);
}

static void a_page_of_another_role_is_refused(void **state)
{
	struct web_bed bed;

	bed_begin(&bed, state);
	browser_sign_in(bed.browser, "ann", PASSWORD_SENT);
	assert_int_equal(browser_get(bed.browser, "/export"), 403);
	must_show(bed.browser, "Your role does not see this page");
	browser_forget_cookies(bed.browser);
	browser_sign_in(bed.browser, "bob", PASSWORD_SENT);
	assert_int_equal(browser_get(bed.browser, "/export"), 200);
	assert_string_equal(browser_body(bed.browser), "\"'=1+1\"");
	assert_string_equal(browser_header(bed.browser, "Content-Disposition"),
	                    "attachment; filename=\"notes.csv\"");
	assert_int_equal(browser_get(bed.browser, "/note"), 200);
	assert_int_equal(browser_post(bed.browser, "/note", "note=x"), 403);
	assert_string_equal(bed.note, "none");
	bed_end(&bed);
}

static void a_form_is_taken_and_what_was_said_stands_on_the_next_page_once(void **state)
{
	struct web_bed bed;

	bed_begin(&bed, state);
	browser_sign_in(bed.browser, "ann", PASSWORD_SENT);
	assert_int_equal(browser_post(bed.browser, "/note", "note=%3Cb%3E%0D%0Aline+two"), 303);
	assert_string_equal(bed.note, "<b>\nline two");
	assert_int_equal(browser_follow(bed.browser), 200);
	must_show(bed.browser, "The note was &lt;saved&gt;.");
	must_show(bed.browser, "&lt;b&gt;\nline two</p>");
	assert_int_equal(browser_get(bed.browser, "/note"), 200);
	must_not_show(bed.browser, "The note was");
	bed_end(&bed);
}

static void a_form_without_the_token_of_its_session_is_refused(void **state)
{
	struct web_bed bed;
	char token[100], body[200];

	bed_begin(&bed, state);
	assert_int_equal(browser_get(bed.browser, "/sign-in"), 200);
	snprintf(token, sizeof(token), "%s", browser_token(bed.browser)); /* of a visitor */
	assert_int_equal(browser_send(bed.browser, "POST", "/sign-in", NULL,
	                              "user=ann&password=" PASSWORD_SENT),
	                 403);
	browser_sign_in(bed.browser, "ann", PASSWORD_SENT);
	assert_string_not_equal(token, browser_token(bed.browser));
	assert_int_equal(browser_send(bed.browser, "POST", "/note", NULL, "note=x"), 403);
	must_show(bed.browser, "This form is too old");
	assert_int_equal(browser_send(bed.browser, "POST", "/note", NULL, "form_token=&note=x"),
	                 403);
	snprintf(body, sizeof(body), "form_token=%s&note=x", token);
	assert_int_equal(browser_send(bed.browser, "POST", "/note", NULL, body), 403);
	assert_string_equal(bed.note, "none");
	/* In the address it does not count. */
	assert_int_equal(browser_get(bed.browser, "/note"), 200);
	snprintf(body, sizeof(body), "/note?form_token=%s", browser_token(bed.browser));
	assert_int_equal(browser_send(bed.browser, "POST", body, NULL, "note=x"), 403);
	assert_int_equal(browser_post(bed.browser, "/note", "note=x"), 303);
	assert_string_equal(bed.note, "x");
	bed_end(&bed);
}

static void a_form_sent_by_another_site_is_refused_even_with_the_token(void **state)
{
	struct web_bed bed;

	bed_begin(&bed, state);
	browser_sign_in(bed.browser, "ann", PASSWORD_SENT);
	browser_add_header(bed.browser, "Sec-Fetch-Site: cross-site");
	assert_int_equal(browser_post(bed.browser, "/note", "note=x"), 403);
	must_show(bed.browser, "Another site sent this form");
	browser_add_header(bed.browser, "Origin: https://evil.example");
	assert_int_equal(browser_post(bed.browser, "/note", "note=x"), 403);
	browser_add_header(bed.browser, "Origin: null");
	assert_int_equal(browser_post(bed.browser, "/note", "note=x"), 403);
	assert_string_equal(bed.note, "none");
	browser_add_header(bed.browser, "Sec-Fetch-Site: same-origin");
	assert_int_equal(browser_post(bed.browser, "/note", "note=x"), 303);
	bed_end(&bed);
}

static void every_answer_has_the_headers_that_keep_it_to_itself(void **state)
{
	static const char *const paths[] = { "/sign-in", "/note", "/nowhere", "/%00", "/assets/x" };
	struct web_bed bed;

	bed_begin(&bed, state);
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		browser_get(bed.browser, paths[i]);
		assert_non_null(strstr(browser_header(bed.browser, "Content-Security-Policy"),
		                       "default-src 'none'; script-src 'self'; style-src 'self'"));
		assert_null(
		        strstr(browser_header(bed.browser, "Content-Security-Policy"), "unsafe"));
		assert_string_equal(browser_header(bed.browser, "X-Content-Type-Options"),
		                    "nosniff");
		assert_string_equal(browser_header(bed.browser, "Referrer-Policy"), "same-origin");
		assert_string_equal(browser_header(bed.browser, "Cache-Control"), "no-store");
		assert_string_equal(browser_header(bed.browser, "Cross-Origin-Opener-Policy"),
		                    "same-origin");
		assert_string_not_equal(browser_header(bed.browser, "Permissions-Policy"), "");
		assert_string_equal(browser_header(bed.browser, "Strict-Transport-Security"), "");
	}
	bed_end(&bed);
}

static void what_is_no_page_or_no_request_is_told_so(void **state)
{
	struct web_bed bed;

	bed_begin(&bed, state);
	browser_sign_in(bed.browser, "ann", PASSWORD_SENT);
	assert_int_equal(browser_get(bed.browser, "/nowhere"), 404);
	must_show(bed.browser, "Page not found");
	assert_int_equal(browser_get(bed.browser, "/note/"), 404);
	assert_int_equal(browser_post(bed.browser, "/note/7", ""), 405);
	assert_string_equal(browser_header(bed.browser, "Allow"), "GET, HEAD");
	assert_int_equal(browser_get(bed.browser, "/note?q=%ff"), 400);
	assert_int_equal(browser_get(bed.browser, "/note/%0A"), 400);
	assert_int_equal(browser_post(bed.browser, "/note", "note=%00"), 400);
	assert_int_equal(browser_send(bed.browser, "POST", "/note", "application/json", "{}"), 415);
	assert_int_equal(browser_send(bed.browser, "DELETE", "/note", NULL, ""), 405);
	assert_string_equal(browser_header(bed.browser, "Allow"), "GET, HEAD, POST");
	bed_end(&bed);
}

static void a_head_is_a_page_without_its_body(void **state)
{
	struct web_bed bed;
	char length[32];

	bed_begin(&bed, state);
	browser_sign_in(bed.browser, "ann", PASSWORD_SENT);
	browser_get(bed.browser, "/note");
	snprintf(length, sizeof(length), "%zu", strlen(browser_body(bed.browser)));
	assert_int_equal(browser_head(bed.browser, "/note"), 200);
	assert_string_equal(browser_body(bed.browser), "");
	assert_string_equal(browser_header(bed.browser, "Content-Length"), length);
	bed_end(&bed);
}

static void a_form_over_the_bound_is_refused_and_one_at_it_is_not(void **state)
{
	char *fields = malloc(WEB_BODY_MAX + 1024);
	struct web_bed bed;

	assert_non_null(fields);
	bed_begin(&bed, state);
	browser_sign_in(bed.browser, "ann", PASSWORD_SENT);
	memset(fields, 'x', WEB_BODY_MAX + 1000);
	memcpy(fields, "note=", 5);
	fields[WEB_BODY_MAX - strlen("form_token=&") - strlen(browser_token(bed.browser))] = '\0';
	assert_int_equal(browser_post(bed.browser, "/note", fields), 303);
	fields[strlen(fields)] = 'x';
	fields[WEB_BODY_MAX + 999] = '\0';
	assert_int_equal(browser_post(bed.browser, "/note", fields), 413);
	browser_add_header(bed.browser, "Transfer-Encoding: chunked");
	assert_int_equal(browser_post(bed.browser, "/note", fields), 413);
	bed_end(&bed);
	free(fields);
}

static void an_address_over_the_bound_is_refused(void **state)
{
	static char path[4400];
	struct web_bed bed;

	bed_begin(&bed, state);
	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	assert_int_equal(browser_get(bed.browser, path), 414);
	bed_end(&bed);
}

static void files_for_browsers_are_compressed_and_kept_for_ever(void **state)
{
	struct web_bed bed;
	size_t plain;

	bed_begin(&bed, state);
	assert_int_equal(browser_get(bed.browser, web_asset("site.css")), 200);
	assert_string_equal(browser_header(bed.browser, "Content-Type"), "text/css; charset=utf-8");
	assert_string_equal(browser_header(bed.browser, "Cache-Control"),
	                    "public, max-age=31536000, immutable");
	assert_string_equal(browser_header(bed.browser, "Content-Encoding"), "");
	assert_string_equal(browser_header(bed.browser, "Set-Cookie"), "");
	must_show(bed.browser, ".govuk-button");
	must_not_show(bed.browser, "url(");
	must_not_show(bed.browser, "GDS Transport");
	plain = strlen(browser_body(bed.browser));
	browser_add_header(bed.browser, "Accept-Encoding: br, gzip");
	assert_int_equal(browser_get(bed.browser, web_asset("site.css")), 200);
	assert_string_equal(browser_header(bed.browser, "Content-Encoding"), "gzip");
	assert_true(strtoul(browser_header(bed.browser, "Content-Length"), NULL, 10) < plain / 4);
	browser_add_header(bed.browser, "Accept-Encoding: gzip;q=0");
	assert_int_equal(browser_get(bed.browser, web_asset("site.js")), 200);
	assert_string_equal(browser_header(bed.browser, "Content-Encoding"), "");
	must_show(bed.browser, web_asset("govuk-frontend.js"));
	assert_int_equal(browser_get(bed.browser, web_asset("licences.txt")), 200);
	must_show(bed.browser, "Crown Copyright (Government Digital Service)");
	assert_string_equal(web_asset("nothing.js"), "");
	bed_end(&bed);
}

static void a_number_that_waits_stands_in_the_menu(void **state)
{
	struct web_bed bed;

	bed_begin(&bed, state);
	browser_sign_in(bed.browser, "ann", PASSWORD_SENT);
	must_show(bed.browser, "data-site-count=\"/note\" hidden><span>0</span>");
	bed.waiting = 3;
	browser_get(bed.browser, "/note");
	must_show(bed.browser, "data-site-count=\"/note\"><span>3</span>"
	                       "<span class=\"govuk-visually-hidden\"> waiting</span>");
	bed_end(&bed);
}

static int connect_bare(const struct web_bed *bed)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		                       .sin_port = htons((uint16_t)web_port(bed->web)) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

struct dripper {
	struct web_bed *bed;
	int socket;
	int64_t next_ms;
};

static bool is_cut_off(void *arg)
{
	struct dripper *dripper = arg;
	char byte;
	ssize_t got;

	web_run(dripper->bed->web);
	if (wait_now_ms() >= dripper->next_ms) {
		if (send(dripper->socket, "x", 1, MSG_NOSIGNAL) < 0)
			return true;
		dripper->next_ms += 100;
	}
	got = recv(dripper->socket, &byte, 1, MSG_DONTWAIT);
	return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

static void a_client_that_drips_is_cut_off_however_busy_it_looks(void **state)
{
	static const char begin[] = "GET / HTTP/1.1\r\nHost: x\r\nX-Long: ";
	struct web_bed bed;
	struct dripper dripper = { .bed = &bed };
	int64_t began_ms = wait_now_ms();

	bed_prepare(&bed, state);
	bed.options.request_s = 1;
	bed_open(&bed, NULL);
	dripper.socket = connect_bare(&bed);
	dripper.next_ms = began_ms + 100;
	assert_int_equal(send(dripper.socket, begin, strlen(begin), MSG_NOSIGNAL), strlen(begin));
	web_run(bed.web);
	assert_in_range(web_wait_ms(bed.web), 0, 1000);
	assert_true(wait_until(is_cut_off, &dripper, 10 * 1000));
	assert_true(wait_now_ms() - began_ms >= 990);
	close(dripper.socket);
	bed_end(&bed);
}

static enum ttg_error check(const struct web_bed *bed)
{
	struct message message = { "" };
	enum ttg_error error = web_check(&bed->options, &message);

	assert_true((error == TTG_OK) == (message.text[0] == '\0'));
	return error;
}

static void options_that_do_not_go_together_are_refused(void **state)
{
	struct web_bed bed;
	struct web_options good;
	struct message message = { "" };

	bed_prepare(&bed, state);
	good = bed.options;
	assert_int_equal(check(&bed), TTG_OK);
	bed.options.listen = "::1";
	assert_int_equal(check(&bed), TTG_OK);
	bed.options.listen = "0.0.0.0";
	assert_int_equal(check(&bed), TTG_EINVAL);
	bed.options.tls_cert_file = "cert";
	assert_int_equal(check(&bed), TTG_EINVAL);
	bed.options.tls_key_file = "key";
	assert_int_equal(check(&bed), TTG_OK);
	bed.options = good;
	bed.options.listen = "localhost";
	assert_int_equal(check(&bed), TTG_EINVAL);
	bed.options = good;
	bed.options.session_minutes = 0;
	assert_int_equal(check(&bed), TTG_EINVAL);
	bed.options = good;
	bed.options.users_file = "";
	assert_int_equal(check(&bed), TTG_EINVAL);
	bed.options = good;
	assert_int_equal(chmod(bed.users_file, 0644), 0);
	assert_int_equal(web_open(&bed.web, &bed.options, bed_site(&bed), &message), TTG_EPERM);
	assert_null(bed.web);
	assert_int_equal(unlink(bed.users_file), 0);
	assert_int_equal(web_open(&bed.web, &bed.options, bed_site(&bed), &message), TTG_ENOENT);
}

#define SERVER_TEST(name) cmocka_unit_test_setup_teardown(name, folder_set_up, folder_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVER_TEST(the_front_leads_to_the_first_page_of_the_role),
		SERVER_TEST(a_page_of_another_role_is_refused),
		SERVER_TEST(a_form_is_taken_and_what_was_said_stands_on_the_next_page_once),
		SERVER_TEST(a_form_without_the_token_of_its_session_is_refused),
		SERVER_TEST(a_form_sent_by_another_site_is_refused_even_with_the_token),
		SERVER_TEST(every_answer_has_the_headers_that_keep_it_to_itself),
		SERVER_TEST(what_is_no_page_or_no_request_is_told_so),
		SERVER_TEST(a_head_is_a_page_without_its_body),
		SERVER_TEST(a_form_over_the_bound_is_refused_and_one_at_it_is_not),
		SERVER_TEST(an_address_over_the_bound_is_refused),
		SERVER_TEST(files_for_browsers_are_compressed_and_kept_for_ever),
		SERVER_TEST(a_number_that_waits_stands_in_the_menu),
		SERVER_TEST(a_client_that_drips_is_cut_off_however_busy_it_looks),
		SERVER_TEST(options_that_do_not_go_together_are_refused),
	};
	int failed;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	curl_global_cleanup();
	return failed;
}
