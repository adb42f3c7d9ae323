/*
 * The adapters' HTTP intake, spoken to over a raw socket from the same thread.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "adapter_unit.h"
#include "common/http_intake.h"
#include "support/wait.h"

#define TOKEN "0123456789abcdef-token"

struct talk {
	struct http_intake *intake;
	unsigned posts;
	unsigned refusals;
	unsigned answer;
	char body[4096];
	enum document_form form;
	char reply[4096];
	size_t reply_len;
	int socket;
};

static void on_document(void *user, const struct document *document, struct http_reply *reply)
{
	struct talk *talk = user;

	talk->posts++;
	talk->form = document->form;
	snprintf(talk->body, sizeof(talk->body), "%.*s", (int)document->len, document->bytes);
	reply->status = talk->answer;
	reply->code = talk->answer == 202 ? TTG_OK : TTG_EFORMAT;
	reply->text = "is no good";
	reply->events = 3;
}

static void on_refused(void *user, unsigned status)
{
	struct talk *talk = user;

	assert_true(status >= 400);
	talk->refusals++;
}

static int64_t now(void *user)
{
	(void)user;
	return 1;
}

static struct http_options options_for(struct talk *talk, const char *token_file)
{
	return (struct http_options){ .listen = "127.0.0.1",
		                      .max_body_bytes = 1024,
		                      .token_file = token_file,
		                      .tls_cert_file = "",
		                      .tls_key_file = "",
		                      .tls_client_ca_file = "",
		                      .takes_json = true,
		                      .takes_csv = true,
		                      .user = talk,
		                      .on_document = on_document,
		                      .on_refused = on_refused,
		                      .now_ns = now };
}

static void write_token(const struct folder *folder, char path[FOLDER_PATH])
{
	folder_write(folder, "token", TOKEN "\n");
	folder_path(folder, "token", path);
	assert_int_equal(chmod(path, 0600), 0);
}

static void talk_open(struct talk *talk, const struct folder *folder)
{
	char path[FOLDER_PATH];
	struct message message = { "" };
	struct http_options options;

	memset(talk, 0, sizeof(*talk));
	talk->answer = 202;
	write_token(folder, path);
	options = options_for(talk, path);
	assert_int_equal(http_intake_open(&talk->intake, &options, &message), TTG_OK);
}

/* Runs the intake until the other end has said all. */
static bool hears_the_end(void *arg)
{
	struct talk *talk = arg;
	ssize_t got;

	http_intake_run(talk->intake);
	got = recv(talk->socket, talk->reply + talk->reply_len,
	           sizeof(talk->reply) - 1 - talk->reply_len, MSG_DONTWAIT);
	if (got > 0)
		talk->reply_len += (size_t)got;
	return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

/* One request as it is; gives the status of the answer. */
static int ask(struct talk *talk, const char *request)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		                  .sin_port = htons((uint16_t)http_intake_port(talk->intake)) };

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	talk->reply_len = 0;
	talk->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(talk->socket, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(send(talk->socket, request, strlen(request), MSG_NOSIGNAL),
	                 strlen(request));
	assert_true(wait_until(hears_the_end, talk, WAIT_LONG_MS));
	talk->reply[talk->reply_len] = '\0';
	close(talk->socket);
	return talk->reply_len > 12 ? atoi(talk->reply + 9) : 0;
}

static int post(struct talk *talk, const char *path, const char *token, const char *type,
                const char *body)
{
	char request[8192];

	snprintf(request, sizeof(request),
	         "POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer %s\r\n"
	         "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n%s",
	         path, token, type, strlen(body), body);
	return ask(talk, request);
}

static void a_posted_document_is_answered_when_it_was_taken(void **state)
{
	struct talk talk;

	talk_open(&talk, *state);
	assert_int_equal(
	        post(&talk, "/events", TOKEN, "application/json; charset=utf-8", "{\"a\":1}"), 202);
	assert_int_equal(talk.posts, 1);
	assert_int_equal(talk.form, DOCUMENT_JSON);
	assert_string_equal(talk.body, "{\"a\":1}");
	assert_non_null(strstr(talk.reply, "\"events\":3"));
	assert_int_equal(post(&talk, "/events", TOKEN, "text/csv", "a,b\n"), 202);
	assert_int_equal(talk.form, DOCUMENT_CSV);
	http_intake_close(&talk.intake);
}

static void a_refusal_says_code_and_text(void **state)
{
	struct talk talk;

	talk_open(&talk, *state);
	talk.answer = 400;
	assert_int_equal(post(&talk, "/events", TOKEN, "application/json", "{"), 400);
	assert_non_null(strstr(talk.reply, "\"code\":9"));
	assert_non_null(strstr(talk.reply, "is no good"));
	talk.answer = 503;
	assert_int_equal(post(&talk, "/events", TOKEN, "application/json", "{}"), 503);
	assert_non_null(strstr(talk.reply, "Retry-After"));
	http_intake_close(&talk.intake);
}

static void without_the_token_nothing_is_read(void **state)
{
	struct talk talk;

	talk_open(&talk, *state);
	assert_int_equal(post(&talk, "/events", "wrong", "application/json", "{}"), 401);
	assert_int_equal(post(&talk, "/events", TOKEN "x", "application/json", "{}"), 401);
	assert_int_equal(post(&talk, "/events", "", "application/json", "{}"), 401);
	assert_int_equal(ask(&talk, "POST /events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	                            "Content-Length: 2\r\n\r\n{}"),
	                 401);
	assert_int_equal(talk.posts, 0);
	assert_int_equal(talk.refusals, 4);
	http_intake_close(&talk.intake);
}

static void other_methods_paths_and_types_are_refused(void **state)
{
	struct talk talk;

	talk_open(&talk, *state);
	assert_int_equal(ask(&talk, "GET /events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	                            "Authorization: Bearer " TOKEN "\r\n\r\n"),
	                 405);
	assert_int_equal(post(&talk, "/", TOKEN, "application/json", "{}"), 404);
	assert_int_equal(post(&talk, "/events", TOKEN, "image/png", "{}"), 415);
	assert_int_equal(post(&talk, "/events", TOKEN, "text/xml", "<a/>"), 415);
	assert_int_equal(talk.posts, 0);
	http_intake_close(&talk.intake);
}

static void a_body_over_the_bound_is_refused(void **state)
{
	struct talk talk;
	char big[1100];

	memset(big, ' ', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	talk_open(&talk, *state);
	assert_int_equal(post(&talk, "/events", TOKEN, "application/json", big), 413);
	big[1024] = '\0';
	assert_int_equal(post(&talk, "/events", TOKEN, "application/json", big), 202);
	assert_int_equal(talk.posts, 1);
	http_intake_close(&talk.intake);
}

static void a_chunked_body_over_the_bound_is_refused(void **state)
{
	struct talk talk;
	char request[2600], filler[1200];

	memset(filler, ' ', sizeof(filler) - 1);
	filler[sizeof(filler) - 1] = '\0';
	snprintf(request, sizeof(request),
	         "POST /events HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: "
	         "Bearer " TOKEN "\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n"
	         "%zx\r\n%s\r\n0\r\n\r\n",
	         strlen(filler), filler);
	talk_open(&talk, *state);
	assert_int_equal(ask(&talk, request), 413);
	assert_int_equal(talk.posts, 0);
	http_intake_close(&talk.intake);
}

static void a_token_file_others_can_read_is_refused(void **state)
{
	struct talk talk = { 0 };
	char path[FOLDER_PATH];
	struct message message = { "" };
	struct http_options options;

	write_token(*state, path);
	options = options_for(&talk, path);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(http_intake_open(&talk.intake, &options, &message), TTG_EPERM);
	assert_null(talk.intake);
	folder_write(*state, "token", "short\n");
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(http_intake_open(&talk.intake, &options, &message), TTG_EFORMAT);
	options.token_file = "";
	assert_int_equal(http_intake_open(&talk.intake, &options, &message), TTG_EINVAL);
}

static void other_addresses_than_loopback_need_tls(void **state)
{
	struct talk talk = { 0 };
	char path[FOLDER_PATH];
	struct message message = { "" };
	struct http_options options;

	write_token(*state, path);
	options = options_for(&talk, path);
	options.listen = "0.0.0.0";
	assert_int_equal(http_intake_open(&talk.intake, &options, &message), TTG_EINVAL);
	options.listen = "prison.example";
	assert_int_equal(http_intake_open(&talk.intake, &options, &message), TTG_EINVAL);
	assert_null(talk.intake);
}

#define HTTP_TEST(name) cmocka_unit_test_setup_teardown(name, folder_set_up, folder_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HTTP_TEST(a_posted_document_is_answered_when_it_was_taken),
		HTTP_TEST(a_refusal_says_code_and_text),
		HTTP_TEST(without_the_token_nothing_is_read),
		HTTP_TEST(other_methods_paths_and_types_are_refused),
		HTTP_TEST(a_body_over_the_bound_is_refused),
		HTTP_TEST(a_chunked_body_over_the_bound_is_refused),
		HTTP_TEST(a_token_file_others_can_read_is_refused),
		HTTP_TEST(other_addresses_than_loopback_need_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
