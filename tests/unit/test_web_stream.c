/* Server-sent events over loopback: what is new comes at once, nothing comes twice, and a stream
   ends with its session. */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "support/wait.h"
#include "support/web_bed.h"

static void must_have_streams(struct web_bed *bed, size_t n)
{
	int64_t deadline_ms = wait_now_ms() + WAIT_LONG_MS;

	while (web_streams(bed->web) != n && wait_step(deadline_ms))
		web_run(bed->web);
	assert_int_equal(web_streams(bed->web), n);
}

static void a_stream_hears_what_is_new_after_a_wake(void **state)
{
	struct web_bed bed;

	bed_begin(&bed, state);
	bed.newest = 41;
	browser_sign_in(bed.browser, "ann", PASSWORD_SENT);
	assert_int_equal(browser_listen(bed.browser, "/lines", NULL), 200);
	must_hear(bed.browser, "retry: 1000\n\n");
	must_have_streams(&bed, 1);
	bed.newest = 42;
	web_wake(bed.web);
	must_hear(bed.browser, "id: 42\nevent: line\ndata: number 42\n\n");
	bed.newest = 44;
	web_wake(bed.web);
	must_hear(bed.browser, "data: number 43\n\nid: 44\nevent: line\ndata: number 44\n\n");
	web_wake(bed.web); /* nothing */
	/* Pages go on beside it. */
	assert_int_equal(browser_get(bed.browser, "/note"), 200);
	assert_null(strstr(browser_heard(bed.browser), "number 41"));
	assert_null(strstr(strstr(browser_heard(bed.browser), "number 44") + 1, "number 44"));
	bed_end(&bed);
}

static void a_stream_goes_on_behind_the_last_that_was_heard(void **state)
{
	struct web_bed bed;

	bed_begin(&bed, state);
	bed.newest = 7;
	browser_sign_in(bed.browser, "ann", PASSWORD_SENT);
	assert_int_equal(browser_listen(bed.browser, "/lines", "5"), 200);
	must_hear(bed.browser, "number 7");
	assert_null(strstr(browser_heard(bed.browser), "number 5"));
	assert_non_null(strstr(browser_heard(bed.browser), "number 6"));
	assert_int_equal(browser_listen(bed.browser, "/lines?last=6", NULL), 200);
	must_hear(bed.browser, "number 7");
	assert_null(strstr(browser_heard(bed.browser), "number 6"));
	/* What is no number is as none. */
	assert_int_equal(browser_listen(bed.browser, "/lines", "5x"), 200);
	bed.newest = 8;
	web_wake(bed.web);
	must_hear(bed.browser, "number 8");
	assert_null(strstr(browser_heard(bed.browser), "number 6"));
	bed_end(&bed);
}

static void much_that_is_new_comes_whole_and_in_order(void **state)
{
	struct web_bed bed;
	const char *at;

	bed_begin(&bed, state);
	bed.newest = 20000;
	browser_sign_in(bed.browser, "ann", PASSWORD_SENT);
	assert_int_equal(browser_listen(bed.browser, "/lines", "0"), 200);
	must_hear(bed.browser, "data: number 20000\n\n");
	at = browser_heard(bed.browser);
	for (unsigned i = 1; i <= 20000; i++) {
		char line[64];

		snprintf(line, sizeof(line), "id: %u\n", i);
		at = strstr(at, line);
		assert_non_null(at);
	}
	bed_end(&bed);
}

static void a_stream_is_for_who_is_signed_in_and_may(void **state)
{
	struct web_bed bed;

	bed_begin(&bed, state);
	assert_int_equal(browser_listen(bed.browser, "/lines", NULL), 401);
	browser_sign_in(bed.browser, "bob", PASSWORD_SENT);
	assert_int_equal(browser_listen(bed.browser, "/lines", NULL), 403);
	assert_int_equal(web_streams(bed.web), 0);
	bed_end(&bed);
}

static void asking_for_the_head_of_a_stream_keeps_no_place(void **state)
{
	struct web_bed bed;

	bed_begin(&bed, state);
	browser_sign_in(bed.browser, "ann", PASSWORD_SENT);
	for (int i = 0; i < 2 * WEB_STREAMS_MAX; i++)
		assert_int_equal(browser_head(bed.browser, "/lines"), 200);
	assert_string_equal(browser_header(bed.browser, "Content-Type"), "text/event-stream");
	must_have_streams(&bed, 0);
	bed_end(&bed);
}

static void a_stream_ends_when_its_user_signs_out(void **state)
{
	struct web_bed bed;

	bed_begin(&bed, state);
	browser_sign_in(bed.browser, "ann", PASSWORD_SENT);
	assert_int_equal(browser_listen(bed.browser, "/lines", NULL), 200);
	browser_get(bed.browser, "/note");
	assert_int_equal(browser_post(bed.browser, "/sign-out", ""), 303);
	must_hear(bed.browser, "");
	must_have_streams(&bed, 0);
	bed_end(&bed);
}

static void a_stream_does_not_keep_a_session_from_ending(void **state)
{
	struct web_bed bed;

	bed_begin(&bed, state);
	browser_sign_in(bed.browser, "ann", PASSWORD_SENT);
	assert_int_equal(browser_listen(bed.browser, "/lines", NULL), 200);
	bed_pass(&bed, 31 * 60);
	must_hear(bed.browser, "");
	must_have_streams(&bed, 0);
	bed_end(&bed);
}

static void a_stream_of_a_user_who_is_disabled_ends_by_itself(void **state)
{
	struct web_bed bed;

	bed_begin(&bed, state);
	browser_sign_in(bed.browser, "ann", PASSWORD_SENT);
	assert_int_equal(browser_listen(bed.browser, "/lines", NULL), 200);
	bed_user_command(&bed, "disable", "ann");
	bed_pass(&bed, 16);
	must_hear(bed.browser, "");
	bed_end(&bed);
}

static void a_stream_that_has_nothing_to_say_says_so(void **state)
{
	struct web_bed bed;

	bed_begin(&bed, state);
	browser_sign_in(bed.browser, "ann", PASSWORD_SENT);
	assert_int_equal(browser_listen(bed.browser, "/lines", NULL), 200);
	must_hear(bed.browser, "retry: 1000\n\n");
	web_run(bed.web);
	assert_in_range(web_wait_ms(bed.web), 0, 15000);
	assert_null(strstr(browser_heard(bed.browser), "\n: \n"));
	bed_pass(&bed, 16);
	assert_int_equal(web_wait_ms(bed.web), 0);
	must_hear(bed.browser, "\n: \n\n");
	bed_end(&bed);
}

static void a_browser_that_is_gone_is_found_by_the_beat(void **state)
{
	struct web_bed bed;
	struct browser *gone;

	bed_begin(&bed, state);
	gone = browser_open(bed.web, web_port(bed.web), NULL);
	browser_sign_in(gone, "ann", PASSWORD_SENT);
	assert_int_equal(browser_listen(gone, "/lines", NULL), 200);
	must_have_streams(&bed, 1);
	browser_close(&gone);
	for (int i = 0; i < 4 && web_streams(bed.web) > 0; i++) {
		bed_pass(&bed, 16);
		/* The first write after the end is answered with a reset, the second sees it. */
		assert_int_equal(browser_get(bed.browser, "/sign-in"), 200);
	}
	must_have_streams(&bed, 0);
	bed_end(&bed);
}

static int connect_bare(const struct web_bed *bed)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		                       .sin_port = htons((uint16_t)web_port(bed->web)) };
	int few = 4096, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &few, sizeof(few));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void who_takes_nothing_of_a_stream_is_cut_off(void **state)
{
	struct web_bed bed;
	char request[400], cookie[200];
	int64_t began_ms;
	int fd;

	bed_prepare(&bed, state);
	bed.options.silence_s = 1;
	bed_open(&bed, NULL);
	browser_get(bed.browser, "/sign-in");
	browser_post(bed.browser, "/sign-in", "user=ann&password=" PASSWORD_SENT);
	snprintf(cookie, sizeof(cookie), "%s", browser_header(bed.browser, "Set-Cookie"));
	cookie[strcspn(cookie, ";")] = '\0';
	snprintf(request, sizeof(request),
	         "GET /lines?last=0 HTTP/1.1\r\nHost: x\r\nCookie: %s\r\n\r\n", cookie);
	bed.newest = 1000000; /* tens of megabytes */
	fd = connect_bare(&bed);
	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	must_have_streams(&bed, 1);
	began_ms = wait_now_ms();
	must_have_streams(&bed, 0);
	assert_true(wait_now_ms() - began_ms >= 900);
	close(fd);
	bed_end(&bed);
}

static void more_streams_than_the_bound_are_told_to_come_again(void **state)
{
	static const char *const names[] = { "ann", "dot", "eve", "fay" };
	struct web_bed bed;
	struct browser *browsers[WEB_STREAMS_MAX];

	bed_begin(&bed, state);
	for (size_t i = 0; i < WEB_STREAMS_MAX; i++) {
		if (i % WEB_STREAMS_EACH == 0) {
			browser_forget_cookies(bed.browser);
			browser_sign_in(bed.browser, names[i / WEB_STREAMS_EACH], PASSWORD_SENT);
		}
		browsers[i] = browser_open(bed.web, web_port(bed.web), NULL);
		browser_take_cookies(browsers[i], bed.browser);
		assert_int_equal(browser_listen(browsers[i], "/lines", NULL), 200);
		/* One more of the same user, while there are places for others. */
		if (i % WEB_STREAMS_EACH == WEB_STREAMS_EACH - 1)
			assert_int_equal(browser_listen(bed.browser, "/lines", NULL), 503);
	}
	must_have_streams(&bed, WEB_STREAMS_MAX);
	browser_hang_up(browsers[0]);
	bed_pass(&bed, 16);
	must_have_streams(&bed, WEB_STREAMS_MAX - 1);
	assert_int_equal(browser_listen(browsers[0], "/lines", NULL), 200);
	assert_int_equal(browser_listen(bed.browser, "/lines", NULL), 503);
	/* Pages are still served, and a wake reaches all. */
	assert_int_equal(browser_get(bed.browser, "/note"), 200);
	bed.newest = 1;
	web_wake(bed.web);
	for (size_t i = 0; i < WEB_STREAMS_MAX; i++) {
		must_hear(browsers[i], "number 1");
		browser_close(&browsers[i]);
	}
	bed_end(&bed);
}

static void who_sleeps_until_asked_is_asked_after_a_wake(void **state)
{
	struct web_bed bed;
	struct pollfd ready;

	bed_begin(&bed, state);
	browser_sign_in(bed.browser, "ann", PASSWORD_SENT);
	assert_int_equal(browser_listen(bed.browser, "/lines", NULL), 200);
	for (int i = 0; i < 5; i++)
		web_run(bed.web);
	ready = (struct pollfd){ .fd = web_fd(bed.web), .events = POLLIN };
	assert_int_equal(poll(&ready, 1, 0), 0);
	assert_in_range(web_wait_ms(bed.web), 1, 15000);
	bed.newest = 1;
	web_wake(bed.web);
	assert_int_equal(web_wait_ms(bed.web), 0);
	must_hear(bed.browser, "number 1");
	bed_end(&bed);
}

static void how_things_are_is_said_once_a_wake(void **state)
{
	struct web_bed bed;

	bed_begin(&bed, state);
	bed.standing = true;
	browser_sign_in(bed.browser, "ann", PASSWORD_SENT);
	assert_int_equal(browser_listen(bed.browser, "/lines", NULL), 200);
	must_hear(bed.browser, "all is well");
	for (int i = 0; i < 50; i++)
		web_run(bed.web);
	assert_in_range(bed.asked, 1, 2); /* the first call moved its cursor to the newest */
	bed.asked = 0;
	bed.newest = 1;
	web_wake(bed.web);
	must_hear(bed.browser, "number 1");
	for (int i = 0; i < 50; i++)
		web_run(bed.web);
	assert_in_range(bed.asked, 1, 2);
	bed_end(&bed);
}

static void a_server_with_open_streams_closes(void **state)
{
	struct web_bed bed;

	bed_begin(&bed, state);
	browser_sign_in(bed.browser, "ann", PASSWORD_SENT);
	assert_int_equal(browser_listen(bed.browser, "/lines", NULL), 200);
	must_have_streams(&bed, 1);
	web_close(&bed.web);
	assert_null(bed.web);
	browser_close(&bed.browser);
}

#define STREAM_TEST(name) cmocka_unit_test_setup_teardown(name, folder_set_up, folder_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STREAM_TEST(a_stream_hears_what_is_new_after_a_wake),
		STREAM_TEST(a_stream_goes_on_behind_the_last_that_was_heard),
		STREAM_TEST(much_that_is_new_comes_whole_and_in_order),
		STREAM_TEST(a_stream_is_for_who_is_signed_in_and_may),
		STREAM_TEST(asking_for_the_head_of_a_stream_keeps_no_place),
		STREAM_TEST(a_stream_ends_when_its_user_signs_out),
		STREAM_TEST(a_stream_does_not_keep_a_session_from_ending),
		STREAM_TEST(a_stream_of_a_user_who_is_disabled_ends_by_itself),
		STREAM_TEST(a_stream_that_has_nothing_to_say_says_so),
		STREAM_TEST(a_browser_that_is_gone_is_found_by_the_beat),
		STREAM_TEST(who_takes_nothing_of_a_stream_is_cut_off),
		STREAM_TEST(more_streams_than_the_bound_are_told_to_come_again),
		STREAM_TEST(who_sleeps_until_asked_is_asked_after_a_wake),
		STREAM_TEST(how_things_are_is_said_once_a_wake),
		STREAM_TEST(a_server_with_open_streams_closes),
	};
	int failed;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	curl_global_cleanup();
	return failed;
}
