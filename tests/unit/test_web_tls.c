/* The web server with TLS: headers and cookie that only it has, and old versions. */
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include "support/certificate.h"
#include "support/web_bed.h"

struct paths {
	char cert[FOLDER_PATH], key[FOLDER_PATH], ca[FOLDER_PATH];
};

static void open_with_tls(struct web_bed *bed, struct paths *paths, void **state)
{
	bed_prepare(bed, state);
	must_make_certificates(bed->folder->path);
	folder_path(bed->folder, "server.pem", paths->cert);
	folder_path(bed->folder, "server.key", paths->key);
	folder_path(bed->folder, "ca.pem", paths->ca);
	bed->options.tls_cert_file = paths->cert;
	bed->options.tls_key_file = paths->key;
	bed_open(bed, paths->ca);
}

static void pages_and_streams_are_served_under_tls(void **state)
{
	struct web_bed bed;
	struct paths paths;

	open_with_tls(&bed, &paths, state);
	assert_int_equal(browser_get(bed.browser, "/sign-in"), 200);
	assert_string_equal(browser_header(bed.browser, "Strict-Transport-Security"),
	                    "max-age=31536000");
	assert_ptr_equal(strstr(browser_header(bed.browser, "Set-Cookie"), "__Host-ttg_session_"),
	                 browser_header(bed.browser, "Set-Cookie"));
	assert_non_null(strstr(browser_header(bed.browser, "Set-Cookie"),
	                       "; Path=/; HttpOnly; SameSite=Lax; Secure"));
	browser_sign_in(bed.browser, "ann", PASSWORD_SENT);
	must_show(bed.browser, "The note");
	assert_int_equal(browser_listen(bed.browser, "/lines", NULL), 200);
	bed.newest = 1;
	web_wake(bed.web);
	must_hear(bed.browser, "number 1");
	bed_pass(&bed, 16);
	must_hear(bed.browser, "\n: \n\n");
	bed_end(&bed);
}

static void another_address_than_loopback_is_listened_on_with_tls(void **state)
{
	struct web_bed bed;
	struct paths paths;
	struct message message = { "" };

	open_with_tls(&bed, &paths, state);
	bed_end(&bed);
	bed.options.listen = "0.0.0.0";
	bed_open(&bed, paths.ca);
	browser_sign_in(bed.browser, "ann", PASSWORD_SENT);
	bed_end(&bed);
	bed.options.tls_cert_file = bed.options.tls_key_file = "";
	assert_int_equal(web_open(&bed.web, &bed.options, bed_site(&bed), &message), TTG_EINVAL);
}

/* A call of its own, to set versions: 0 when nothing was answered. */
static long status_with(struct web_bed *bed, const struct paths *paths, const char *scheme,
                        long version)
{
	CURLM *multi = curl_multi_init();
	CURL *curl = curl_easy_init();
	char url[64];
	int running = 1;
	long status = 0;

	snprintf(url, sizeof(url), "%s://127.0.0.1:%u/sign-in", scheme, web_port(bed->web));
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_CAINFO, paths->ca);
	curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 20000L);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, version);
	curl_multi_add_handle(multi, curl);
	while (running > 0) {
		web_run(bed->web);
		curl_multi_perform(multi, &running);
		curl_multi_wait(multi, NULL, 0, 5, NULL);
	}
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_multi_remove_handle(multi, curl);
	curl_easy_cleanup(curl);
	curl_multi_cleanup(multi);
	return status;
}

static void versions_before_1_2_and_plain_http_get_nothing(void **state)
{
	struct web_bed bed;
	struct paths paths;

	open_with_tls(&bed, &paths, state);
	assert_int_equal(status_with(&bed, &paths, "https", CURL_SSLVERSION_MAX_TLSv1_1), 0);
	assert_int_equal(status_with(&bed, &paths, "https", CURL_SSLVERSION_MAX_TLSv1_2), 200);
	assert_int_equal(status_with(&bed, &paths, "https", CURL_SSLVERSION_TLSv1_3), 200);
	assert_int_equal(status_with(&bed, &paths, "http", CURL_SSLVERSION_DEFAULT), 0);
	bed_end(&bed);
}

static void a_key_that_others_can_read_is_refused(void **state)
{
	struct web_bed bed;
	struct paths paths;
	struct message message = { "" };
	char text[64];

	open_with_tls(&bed, &paths, state);
	bed_end(&bed);
	snprintf(text, sizeof(text), "%s", "no key\n");
	folder_write(bed.folder, "server.key", text); /* mode 0644 */
	assert_int_equal(web_open(&bed.web, &bed.options, bed_site(&bed), &message), TTG_EPERM);
	assert_non_null(strstr(message.text, "0600"));
}

#define TLS_TEST(name) cmocka_unit_test_setup_teardown(name, folder_set_up, folder_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TLS_TEST(pages_and_streams_are_served_under_tls),
		TLS_TEST(another_address_than_loopback_is_listened_on_with_tls),
		TLS_TEST(versions_before_1_2_and_plain_http_get_nothing),
		TLS_TEST(a_key_that_others_can_read_is_refused),
	};
	int failed;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	curl_global_cleanup();
	return failed;
}
