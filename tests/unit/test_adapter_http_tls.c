/*
 * The adapters' HTTP intake with TLS: who gets in and who does not, old versions, slow clients. The
 * client is libcurl's multi interface in the same thread, or a bare socket.
 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "adapter_unit.h"
#include "common/http_intake.h"
#include "common/http_slow.h"
#include "support/certificate.h"
#include "support/wait.h"

#define TOKEN     "0123456789abcdef-token"
#define BODY_MAX  1024
#define PATIENT_S 1

struct talk {
	const struct folder *folder;
	struct http_intake *intake;
	unsigned posts, refusals, last_refusal;
};

/* What one client shows and wants. */
struct call {
	const char *certificate; /* name; NULL: none */
	const char *token;       /* NULL: none */
	long tls;                /* CURL_SSLVERSION_...; 0: as the library likes */
	bool plain;              /* http:// */
	size_t body_len;         /* 0: "{}" */
};

static void on_document(void *user, const struct document *document, struct http_reply *reply)
{
	struct talk *talk = user;

	(void)document;
	talk->posts++;
	reply->status = 202;
	reply->events = 1;
}

static void on_refused(void *user, unsigned status)
{
	struct talk *talk = user;

	talk->refusals++;
	talk->last_refusal = status;
}

static int64_t now(void *user)
{
	(void)user;
	return 1;
}

struct paths {
	char token[FOLDER_PATH], cert[FOLDER_PATH], key[FOLDER_PATH], ca[FOLDER_PATH];
};

static struct http_options options_for(struct talk *talk, struct paths *paths)
{
	folder_write(talk->folder, "token", TOKEN "\n");
	folder_path(talk->folder, "token", paths->token);
	assert_int_equal(chmod(paths->token, 0600), 0);
	folder_path(talk->folder, "server.pem", paths->cert);
	folder_path(talk->folder, "server.key", paths->key);
	folder_path(talk->folder, "ca.pem", paths->ca);
	return (struct http_options){ .listen = "127.0.0.1",
		                      .max_body_bytes = BODY_MAX,
		                      .token_file = "",
		                      .tls_cert_file = paths->cert,
		                      .tls_key_file = paths->key,
		                      .tls_client_ca_file = paths->ca,
		                      .takes_json = true,
		                      .user = talk,
		                      .on_document = on_document,
		                      .on_refused = on_refused,
		                      .now_ns = now };
}

static void talk_open(struct talk *talk, const struct http_options *options)
{
	struct message message = { "" };

	if (http_intake_open(&talk->intake, options, &message) != TTG_OK)
		fail_msg("%s", message.text);
}

static struct talk talk_of(void **state)
{
	struct talk talk = { .folder = *state };

	must_make_certificates(talk.folder->path);
	return talk;
}

static size_t ignore(char *data, size_t size, size_t n, void *user)
{
	(void)data;
	(void)user;
	return size * n;
}

static void set_call(CURL *curl, const struct talk *talk, const struct call *call,
                     struct curl_slist *headers, const char *body)
{
	char url[64], path[FOLDER_PATH], name[64];

	snprintf(url, sizeof(url), "%s://127.0.0.1:%u/events", call->plain ? "http" : "https",
	         http_intake_port(talk->intake));
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)WAIT_LONG_MS);
	folder_path(talk->folder, "ca.pem", path);
	curl_easy_setopt(curl, CURLOPT_CAINFO, path);
	if (call->tls != 0) {
		curl_easy_setopt(curl, CURLOPT_SSLVERSION, call->tls);
		/* Else the client itself would not speak the old versions. */
		curl_easy_setopt(curl, CURLOPT_SSL_CIPHER_LIST, "ALL:@SECLEVEL=0");
	}
	if (call->certificate == NULL)
		return;
	snprintf(name, sizeof(name), "%s.pem", call->certificate);
	folder_path(talk->folder, name, path);
	curl_easy_setopt(curl, CURLOPT_SSLCERT, path);
	snprintf(name, sizeof(name), "%s.key", call->certificate);
	folder_path(talk->folder, name, path);
	curl_easy_setopt(curl, CURLOPT_SSLKEY, path);
}

/* Client and server take turns until the client is done. */
static CURLcode take_turns(const struct talk *talk, CURL *curl)
{
	CURLM *multi = curl_multi_init();
	CURLcode result = CURLE_OPERATION_TIMEDOUT;
	int running = 1, left;

	curl_multi_add_handle(multi, curl);
	while (running > 0) {
		assert_int_equal(curl_multi_perform(multi, &running), CURLM_OK);
		http_intake_run(talk->intake);
		curl_multi_wait(multi, NULL, 0, 1, NULL);
	}
	const CURLMsg *told = curl_multi_info_read(multi, &left);
	assert_non_null(told);
	result = told->data.result;
	curl_multi_remove_handle(multi, curl);
	curl_multi_cleanup(multi);
	return result;
}

/* Status of the answer; 0: there was none, and *why says what curl thinks. */
static long ask(const struct talk *talk, const struct call *call, CURLcode *why)
{
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	char authorization[64], body[2 * BODY_MAX + 1] = "{}";
	CURL *curl = curl_easy_init();
	long status = 0;

	if (call->token != NULL) {
		snprintf(authorization, sizeof(authorization), "Authorization: Bearer %s",
		         call->token);
		headers = curl_slist_append(headers, authorization);
	}
	if (call->body_len > 0) {
		memset(body, ' ', call->body_len);
		body[call->body_len] = '\0';
	}
	set_call(curl, talk, call, headers, body);
	*why = take_turns(talk, curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	return status;
}

static long status_of(const struct talk *talk, const struct call *call)
{
	CURLcode why;
	long status = ask(talk, call, &why);

	if (why != CURLE_OK)
		print_error("curl: %s\n", curl_easy_strerror(why));
	return status;
}

static void a_certificate_of_the_configured_authority_is_enough(void **state)
{
	struct talk talk = talk_of(state);
	struct paths paths;
	struct http_options options = options_for(&talk, &paths);

	talk_open(&talk, &options);
	assert_int_equal(status_of(&talk, &(struct call){ .certificate = "client" }), 202);
	assert_int_equal(talk.posts, 1);
	assert_int_equal(talk.refusals, 0);
	http_intake_close(&talk.intake);
}

static void every_other_certificate_is_told_401_and_nothing_is_read(void **state)
{
	static const char *const others[] = { NULL, "foreign", "expired", "early", "self",
		                              "server" };
	struct talk talk = talk_of(state);
	struct paths paths;
	struct http_options options = options_for(&talk, &paths);

	talk_open(&talk, &options);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		const struct call call = { .certificate = others[i], .token = TOKEN };

		if (status_of(&talk, &call) != 401)
			fail_msg("%s was let in", others[i] == NULL ? "none" : others[i]);
		assert_int_equal(talk.refusals, i + 1);
		assert_int_equal(talk.last_refusal, 401);
	}
	assert_int_equal(talk.posts, 0);
	http_intake_close(&talk.intake);
}

static void with_token_and_authority_both_are_needed(void **state)
{
	static const struct {
		struct call call;
		long status;
	} cases[] = {
		{ { .certificate = "client", .token = TOKEN }, 202 },
		{ { .certificate = "client" }, 401 },
		{ { .certificate = "client", .token = TOKEN "x" }, 401 },
		{ { .token = TOKEN }, 401 },
		{ { .certificate = "expired", .token = TOKEN }, 401 },
		{ { .certificate = "foreign", .token = TOKEN }, 401 },
		{ { .certificate = NULL }, 401 },
	};
	struct talk talk = talk_of(state);
	struct paths paths;
	struct http_options options = options_for(&talk, &paths);

	options.token_file = paths.token;
	talk_open(&talk, &options);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(status_of(&talk, &cases[i].call), cases[i].status);
	assert_int_equal(talk.posts, 1);
	http_intake_close(&talk.intake);
}

static void with_a_token_alone_tls_asks_for_no_certificate(void **state)
{
	struct talk talk = talk_of(state);
	struct paths paths;
	struct http_options options = options_for(&talk, &paths);

	options.token_file = paths.token;
	options.tls_client_ca_file = "";
	talk_open(&talk, &options);
	assert_int_equal(status_of(&talk, &(struct call){ .token = TOKEN }), 202);
	assert_int_equal(status_of(&talk, &(struct call){ .certificate = "client" }), 401);
	http_intake_close(&talk.intake);
}

static void half_a_configuration_of_tls_is_refused(void **state)
{
	struct talk talk = talk_of(state);
	struct paths paths;
	const struct http_options good = options_for(&talk, &paths);
	struct http_options options = good;
	struct message message = { "" };

	options.tls_key_file = "";
	assert_int_equal(http_intake_open(&talk.intake, &options, &message), TTG_EINVAL);
	assert_non_null(strstr(message.text, "tls_key_file"));
	options = good;
	options.tls_cert_file = "";
	assert_int_equal(http_intake_open(&talk.intake, &options, &message), TTG_EINVAL);
	/* A CA that nobody would be asked about, behind a token. */
	options.tls_key_file = "";
	options.token_file = paths.token;
	assert_int_equal(http_intake_open(&talk.intake, &options, &message), TTG_EINVAL);
	assert_non_null(strstr(message.text, "tls_client_ca_file"));
	options = good;
	assert_int_equal(chmod(paths.key, 0644), 0);
	assert_int_equal(http_intake_open(&talk.intake, &options, &message), TTG_EPERM);
	assert_null(talk.intake);
}

static void versions_before_1_2_are_refused_and_1_2_and_1_3_are_not(void **state)
{
	struct talk talk = talk_of(state);
	struct paths paths;
	struct http_options options = options_for(&talk, &paths);
	struct call call = { .certificate = "client" };
	CURLcode why;

	talk_open(&talk, &options);
	call.tls = CURL_SSLVERSION_TLSv1_0 | CURL_SSLVERSION_MAX_TLSv1_1;
	assert_int_equal(ask(&talk, &call, &why), 0);
	assert_int_equal(why, CURLE_SSL_CONNECT_ERROR);
	call.tls = CURL_SSLVERSION_TLSv1_2 | CURL_SSLVERSION_MAX_TLSv1_2;
	assert_int_equal(status_of(&talk, &call), 202);
	call.tls = CURL_SSLVERSION_TLSv1_3;
	assert_int_equal(status_of(&talk, &call), 202);
	assert_int_equal(talk.posts, 2);
	http_intake_close(&talk.intake);
}

static void plain_http_gets_nothing_from_the_tls_port(void **state)
{
	struct talk talk = talk_of(state);
	struct paths paths;
	struct http_options options = options_for(&talk, &paths);
	CURLcode why;

	talk_open(&talk, &options);
	assert_int_equal(ask(&talk, &(struct call){ .plain = true, .token = TOKEN }, &why), 0);
	assert_int_not_equal(why, CURLE_OK);
	assert_int_not_equal(why, CURLE_OPERATION_TIMEDOUT);
	assert_int_equal(talk.posts, 0);
	assert_int_equal(status_of(&talk, &(struct call){ .certificate = "client" }), 202);
	http_intake_close(&talk.intake);
}

static void a_body_over_the_bound_is_refused_under_tls_too(void **state)
{
	struct talk talk = talk_of(state);
	struct paths paths;
	struct http_options options = options_for(&talk, &paths);
	struct call call = { .certificate = "client", .body_len = BODY_MAX };

	talk_open(&talk, &options);
	assert_int_equal(status_of(&talk, &call), 202);
	call.body_len = BODY_MAX + 1;
	assert_int_equal(status_of(&talk, &call), 413);
	assert_int_equal(talk.posts, 1);
	http_intake_close(&talk.intake);
}

static int connect_bare(const struct talk *talk)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		                  .sin_port = htons((uint16_t)http_intake_port(talk->intake)) };
	int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(file, (struct sockaddr *)&to, sizeof(to)), 0);
	return file;
}

/* A client that always has one more byte of a header to say. */
struct dripper {
	struct talk *talk;
	int socket;
	int64_t next_ms;
};

static bool is_cut_off(void *arg)
{
	struct dripper *dripper = arg;
	char byte;

	http_intake_run(dripper->talk->intake);
	if (dripper->next_ms > 0 && wait_now_ms() >= dripper->next_ms) {
		if (send(dripper->socket, "x", 1, MSG_NOSIGNAL) < 0)
			return true;
		dripper->next_ms += 100;
	}
	ssize_t got = recv(dripper->socket, &byte, 1, MSG_DONTWAIT);
	return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

static void a_client_that_drips_is_cut_off_however_busy_it_looks(void **state)
{
	static const char begin[] = "POST /events HTTP/1.1\r\nHost: x\r\nX-Long: ";
	struct talk talk = talk_of(state);
	struct paths paths;
	struct http_options options = options_for(&talk, &paths);
	struct dripper dripper = { .talk = &talk };
	int64_t began_ms;

	options.tls_cert_file = options.tls_key_file = options.tls_client_ca_file = "";
	options.token_file = paths.token;
	options.request_s = PATIENT_S;
	talk_open(&talk, &options);
	began_ms = wait_now_ms();
	dripper.socket = connect_bare(&talk);
	dripper.next_ms = began_ms + 100;
	assert_int_equal(send(dripper.socket, begin, strlen(begin), MSG_NOSIGNAL), strlen(begin));
	http_intake_run(talk.intake);
	assert_in_range(http_intake_wait_ms(talk.intake), 0, PATIENT_S * 1000);
	assert_true(wait_until(is_cut_off, &dripper, 10 * 1000));
	assert_true(wait_now_ms() - began_ms >= PATIENT_S * 1000 - 10);
	assert_int_equal(talk.last_refusal, 408);
	assert_int_equal(talk.posts, 0);
	close(dripper.socket);
	http_intake_close(&talk.intake);
}

static void a_client_that_never_finishes_the_handshake_is_cut_off(void **state)
{
	struct talk talk = talk_of(state);
	struct paths paths;
	struct http_options options = options_for(&talk, &paths);
	struct dripper silent = { .talk = &talk };

	options.silence_s = PATIENT_S;
	talk_open(&talk, &options);
	silent.socket = connect_bare(&talk);
	assert_true(wait_until(is_cut_off, &silent, 10 * 1000));
	close(silent.socket);
	http_intake_close(&talk.intake);
	/* One that has begun it, and goes on a byte at a time. */
	options.silence_s = 0;
	options.request_s = PATIENT_S;
	talk_open(&talk, &options);
	silent.socket = connect_bare(&talk);
	assert_int_equal(send(silent.socket, "\x16\x03\x01\x02\x00", 5, MSG_NOSIGNAL), 5);
	silent.next_ms = wait_now_ms();
	assert_true(wait_until(is_cut_off, &silent, 10 * 1000));
	assert_int_equal(talk.last_refusal, 408);
	close(silent.socket);
	http_intake_close(&talk.intake);
}

static void who_takes_every_place_loses_them_and_then_others_are_let_in(void **state)
{
	struct talk talk = talk_of(state);
	struct paths paths;
	struct http_options options = options_for(&talk, &paths);
	int sockets[HTTP_CONNECTIONS_MAX + 8];
	int64_t began_ms = wait_now_ms();

	options.silence_s = PATIENT_S;
	talk_open(&talk, &options);
	for (size_t i = 0; i < sizeof(sockets) / sizeof(*sockets); i++) {
		sockets[i] = connect_bare(&talk);
		http_intake_run(talk.intake);
	}
	assert_int_equal(status_of(&talk, &(struct call){ .certificate = "client" }), 202);
	/* Nobody made room for it before their time was over. */
	assert_true(wait_now_ms() - began_ms >= PATIENT_S * 1000 - 10);
	for (size_t i = 0; i < sizeof(sockets) / sizeof(*sockets); i++)
		close(sockets[i]);
	http_intake_close(&talk.intake);
}

static bool is_let_go(void *arg)
{
	struct dripper *one = arg;

	return is_cut_off(one);
}

static void one_address_cannot_take_every_place_off_loopback(void **state)
{
	struct talk talk = talk_of(state);
	struct paths paths;
	struct http_options options = options_for(&talk, &paths);
	int sockets[HTTP_CONNECTIONS_PER_ADDRESS];
	struct dripper last = { .talk = &talk };

	options.listen = "0.0.0.0";
	talk_open(&talk, &options);
	for (size_t i = 0; i < sizeof(sockets) / sizeof(*sockets); i++) {
		sockets[i] = connect_bare(&talk);
		http_intake_run(talk.intake);
	}
	last.socket = connect_bare(&talk);
	assert_true(wait_until(is_let_go, &last, 5 * 1000));
	close(last.socket);
	for (size_t i = 0; i < sizeof(sockets) / sizeof(*sockets); i++) {
		struct dripper held = { .talk = &talk, .socket = sockets[i] };

		assert_false(is_let_go(&held));
		close(sockets[i]);
	}
	http_intake_run(talk.intake);
	assert_int_equal(status_of(&talk, &(struct call){ .certificate = "client" }), 202);
	http_intake_close(&talk.intake);
}

static void a_slot_is_taken_again_and_each_request_has_its_own_time(void **state)
{
	struct http_slow slow;
	struct http_slot *slots[HTTP_CONNECTIONS_MAX];

	(void)state;
	http_slow_init(&slow, 3600);
	assert_int_equal(http_slow_wait_ms(&slow), -1);
	for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
		slots[i] = http_slow_begin(&slow, 1000 + (int)i); /* no such sockets */
		assert_non_null(slots[i]);
	}
	assert_null(http_slow_begin(&slow, 5000));
	http_slow_again(NULL);
	http_slow_end(NULL);
	http_slow_end(slots[7]);
	assert_ptr_equal(http_slow_begin(&slow, 5000), slots[7]);
	assert_in_range(http_slow_wait_ms(&slow), 3590 * 1000, 3600 * 1000);
	slots[3]->since_ns -= INT64_C(3600) * 1000000000;
	assert_int_equal(http_slow_wait_ms(&slow), 0);
	http_slow_again(slots[3]);
	assert_int_equal(http_slow_cut(&slow), 0);
	slots[3]->since_ns -= INT64_C(3600) * 1000000000;
	assert_int_equal(http_slow_cut(&slow), 1);
	assert_int_equal(http_slow_cut(&slow), 0); /* once */
}

#define TLS_TEST(name) cmocka_unit_test_setup_teardown(name, folder_set_up, folder_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TLS_TEST(a_certificate_of_the_configured_authority_is_enough),
		TLS_TEST(every_other_certificate_is_told_401_and_nothing_is_read),
		TLS_TEST(with_token_and_authority_both_are_needed),
		TLS_TEST(with_a_token_alone_tls_asks_for_no_certificate),
		TLS_TEST(half_a_configuration_of_tls_is_refused),
		TLS_TEST(versions_before_1_2_are_refused_and_1_2_and_1_3_are_not),
		TLS_TEST(plain_http_gets_nothing_from_the_tls_port),
		TLS_TEST(a_body_over_the_bound_is_refused_under_tls_too),
		TLS_TEST(a_client_that_drips_is_cut_off_however_busy_it_looks),
		TLS_TEST(a_client_that_never_finishes_the_handshake_is_cut_off),
		TLS_TEST(who_takes_every_place_loses_them_and_then_others_are_let_in),
		TLS_TEST(one_address_cannot_take_every_place_off_loopback),
		TLS_TEST(a_slot_is_taken_again_and_each_request_has_its_own_time),
	};
	int failed;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	curl_global_cleanup();
	return failed;
}
