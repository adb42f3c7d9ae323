/*
 * ttgctl's side of the control socket, against a stand-in that takes one request and says what it was
 * told to: docs/control.md is the contract.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <jansson.h>
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "support/folder.h"

#define CTL_TEST(name) cmocka_unit_test_setup_teardown(name, folder_set_up, folder_tear_down)
#define WORDS_MAX      16
#define END_FINE       "{\"end\":true,\"code\":0,\"text\":\"\"}\n"

/* The stand-in: its thread takes one connection, reads a line, writes the answer, hangs up. */
struct daemon_like {
	char path[FOLDER_PATH];
	int listening;
	const char *answer;
	size_t answer_len;
	char request[8192];
	pthread_t thread;
};

static void *serve(void *arg)
{
	struct daemon_like *daemon_like = arg;
	int client = accept(daemon_like->listening, NULL, NULL);
	size_t have = 0, sent = 0;

	while (client >= 0 && have < sizeof(daemon_like->request) - 1 &&
	       memchr(daemon_like->request, '\n', have) == NULL) {
		ssize_t n = recv(client, daemon_like->request + have,
				 sizeof(daemon_like->request) - 1 - have, 0);

		if (n <= 0)
			break;
		have += (size_t)n;
	}
	daemon_like->request[have] = '\0';
	while (sent < daemon_like->answer_len) {
		/* In small pieces: a line may come in any. */
		size_t piece = daemon_like->answer_len - sent > 700 ? 700 : daemon_like->answer_len - sent;
		ssize_t n = send(client, daemon_like->answer + sent, piece, MSG_NOSIGNAL);

		if (n <= 0)
			break;
		sent += (size_t)n;
	}
	if (client >= 0)
		close(client);
	return NULL;
}

static void start(struct daemon_like *daemon_like, const struct folder *folder, const char *answer)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	memset(daemon_like, 0, sizeof(*daemon_like));
	folder_path(folder, "control", daemon_like->path);
	unlink(daemon_like->path);
	assert_true(strlen(daemon_like->path) < sizeof(address.sun_path));
	memcpy(address.sun_path, daemon_like->path, strlen(daemon_like->path) + 1);
	daemon_like->answer = answer;
	daemon_like->answer_len = strlen(answer);
	daemon_like->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(daemon_like->listening >= 0);
	assert_int_equal(bind(daemon_like->listening, (const struct sockaddr *)&address,
			      sizeof(address)),
			 0);
	assert_int_equal(listen(daemon_like->listening, 1), 0);
	assert_int_equal(pthread_create(&daemon_like->thread, NULL, serve, daemon_like), 0);
}

static void finish(struct daemon_like *daemon_like)
{
	assert_int_equal(pthread_join(daemon_like->thread, NULL), 0);
	close(daemon_like->listening);
}

struct ran {
	enum ctl_exit status;
	char *out, *err;
};

static struct ran run(const char *socket, const char *const *words)
{
	struct ran ran = { 0 };
	size_t out_len = 0, err_len = 0;
	FILE *out = open_memstream(&ran.out, &out_len), *err = open_memstream(&ran.err, &err_len);
	char *argv[WORDS_MAX + 4] = { strdup("ttgctl"), strdup("--socket"), strdup(socket) };
	int argc = 3;

	assert_non_null(out);
	assert_non_null(err);
	for (; words[argc - 3] != NULL && argc < WORDS_MAX; argc++)
		argv[argc] = strdup(words[argc - 3]);
	ran.status = ctl_run(argc, argv, out, err);
	fclose(out);
	fclose(err);
	for (int i = 0; i < argc; i++)
		free(argv[i]);
	return ran;
}

/* One exchange: the words go out as `request`, the answer ends as `status`, output holds `text`. */
static void must_exchange(const struct folder *folder, const char *const *words, const char *request,
			  const char *answer, enum ctl_exit status, const char *text)
{
	struct daemon_like daemon_like;
	struct ran ran;
	bool said;

	start(&daemon_like, folder, answer);
	ran = run(daemon_like.path, words);
	finish(&daemon_like);
	daemon_like.request[strcspn(daemon_like.request, "\n")] = '\0';
	assert_string_equal(daemon_like.request, request);
	said = strstr(ran.out, text) != NULL || strstr(ran.err, text) != NULL;
	if (ran.status != status || !said)
		print_error("status %d\n%s%s", (int)ran.status, ran.out, ran.err);
	assert_int_equal(ran.status, status);
	must_be(said, text);
	free(ran.out);
	free(ran.err);
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void each_command_line_becomes_its_request(void **state)
{
	static const struct {
		const char *words[6];
		const char *request;
	} lines[] = {
		{ { "status" }, "{\"command\":\"status\",\"arguments\":{}}" },
		{ { "agencies", "mind" }, "{\"command\":\"agencies\",\"arguments\":{\"agency\":\"mind\"}}" },
		{ { "agreements", "gate" },
		  "{\"command\":\"agreements\",\"arguments\":{\"agreement\":\"gate\"}}" },
		{ { "mailboxes", "a/b" },
		  "{\"command\":\"mailboxes\",\"arguments\":{\"mailbox\":\"a/b\"}}" },
		{ { "deadletters", "list" }, "{\"command\":\"deadletters.list\",\"arguments\":{}}" },
		{ { "deadletters", "retry", "a/b" },
		  "{\"command\":\"deadletters.retry\",\"arguments\":{\"mailbox\":\"a/b\"}}" },
		{ { "deadletters", "discard", "a/b", "17" },
		  "{\"command\":\"deadletters.discard\",\"arguments\":{\"mailbox\":\"a/b\",\"sequence\":"
		  "17}}" },
		{ { "tail", "--count", "5", "--follow" },
		  "{\"command\":\"tail\",\"arguments\":{\"count\":5,\"follow\":true}}" },
		{ { "trace", "0192-x" }, "{\"command\":\"trace\",\"arguments\":{\"event_id\":\"0192-x\"}}" },
		{ { "reload" }, "{\"command\":\"reload\",\"arguments\":{}}" },
		{ { "backup", "/b/c" }, "{\"command\":\"backup\",\"arguments\":{\"directory\":\"/b/c\"}}" },
		{ { "journal", "verify" }, "{\"command\":\"journal.verify\",\"arguments\":{}}" },
		{ { "give-up", "9", "--yes" },
		  "{\"command\":\"give-up\",\"arguments\":{\"sequence\":9,\"confirm\":true}}" },
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		must_exchange(*state, lines[i].words, lines[i].request, END_FINE, CTL_FINE, "");
}

static void a_folder_is_sent_as_a_complete_path(void **state)
{
	char here[FOLDER_PATH], request[2 * FOLDER_PATH];

	assert_non_null(getcwd(here, sizeof(here)));
	snprintf(request, sizeof(request),
		 "{\"command\":\"backup\",\"arguments\":{\"directory\":\"%s/copy\"}}", here);
	must_exchange(*state, WORDS("backup", "copy"), request, END_FINE, CTL_FINE, "");
}

static const char two_mailboxes[] =
	"{\"code\":0,\"text\":\"\",\"data\":{\"mailbox\":\"a/in\",\"queued\":7,\"consumer\":true}}\n"
	"{\"code\":0,\"text\":\"\",\"data\":{\"mailbox\":\"long-name/in\",\"queued\":12345678,"
	"\"consumer\":false,\"oldest_at\":null}}\n" END_FINE;

static void answers_become_aligned_tables(void **state)
{
	must_exchange(*state, WORDS("mailboxes"), "{\"command\":\"mailboxes\",\"arguments\":{}}",
		      two_mailboxes, CTL_FINE,
		      "\na/in          yes              7          -");
	must_exchange(*state, WORDS("mailboxes"), "{\"command\":\"mailboxes\",\"arguments\":{}}",
		      END_FINE, CTL_FINE, "none\n");
}

static void json_prints_each_item_on_its_line_and_nothing_else(void **state)
{
	struct daemon_like daemon_like;
	struct ran ran;

	start(&daemon_like, *state, two_mailboxes);
	ran = run(daemon_like.path, WORDS("--json", "mailboxes"));
	finish(&daemon_like);
	assert_string_equal(ran.out,
			    "{\"mailbox\":\"a/in\",\"queued\":7,\"consumer\":true}\n"
			    "{\"mailbox\":\"long-name/in\",\"queued\":12345678,\"consumer\":false,"
			    "\"oldest_at\":null}\n");
	assert_string_equal(ran.err, "");
	free(ran.out);
	free(ran.err);
}

static void nested_items_history_and_grants_are_readable(void **state)
{
	must_exchange(*state, WORDS("status"), "{\"command\":\"status\",\"arguments\":{}}",
		      "{\"data\":{\"state\":\"ready\",\"journal\":{\"segments\":3}}}\n" END_FINE,
		      CTL_FINE, "journal.segments            3\n");
	must_exchange(*state, WORDS("tail"), "{\"command\":\"tail\",\"arguments\":{}}",
		      "{\"data\":{\"kind\":\"acked\",\"at\":\"2026-11-21T10:15:00.123Z\",\"sequence\":5,"
		      "\"mailbox\":\"a/in\",\"positions\":[4,5],\"person_key\":null}}\n" END_FINE,
		      CTL_FINE,
		      "2026-11-21T10:15:00.123Z  acked                5  mailbox=a/in  positions=4, 5\n");
	must_exchange(*state, WORDS("agreements", "g"),
		      "{\"command\":\"agreements\",\"arguments\":{\"agreement\":\"g\"}}",
		      "{\"data\":{\"agreement\":\"g\",\"state\":\"in_force\"}}\n"
		      "{\"data\":{\"grant\":\"publish\",\"type\":\"prison.released\",\"agency\":\"p\"}}\n"
		      END_FINE,
		      CTL_FINE, "publish  prison.released  p");
	must_exchange(*state, WORDS("agreements", "g"),
		      "{\"command\":\"agreements\",\"arguments\":{\"agreement\":\"g\"}}",
		      "{\"data\":{\"grant\":\"deliver\",\"type\":\"police.arrest\",\"agency\":\"p\","
		      "\"mailbox\":\"d/in\",\"addressed_by\":\"\",\"when\":\"referral\",\"fields\":\"*\"}}\n"
		      END_FINE,
		      CTL_FINE, "d/in  -             referral  *");
	must_exchange(*state, WORDS("agencies"), "{\"command\":\"agencies\",\"arguments\":{}}",
		      "{\"data\":{\"agency\":\"p\",\"keys\":[{\"label\":\"2026-a\",\"state\":\"valid\"}]}}\n"
		      END_FINE,
		      CTL_FINE, "2026-a (valid)");
}

static void control_characters_do_not_reach_the_terminal(void **state)
{
	must_exchange(*state, WORDS("status"), "{\"command\":\"status\",\"arguments\":{}}",
		      "{\"data\":{\"state\":\"a\\u001b[2Jb\"}}\n" END_FINE, CTL_FINE, "a?[2Jb");
}

static void the_end_line_decides_the_exit_status(void **state)
{
	static const char request[] = "{\"command\":\"status\",\"arguments\":{}}";

	must_exchange(*state, WORDS("status"), request,
		      "{\"end\":true,\"code\":4,\"text\":\"no such thing\"}\n", CTL_NO,
		      "ttgctl: no such thing");
	must_exchange(*state, WORDS("status"), request,
		      "{\"end\":true,\"code\":2,\"text\":\"unknown argument\"}\n", CTL_USAGE,
		      "unknown argument");
	must_exchange(*state, WORDS("status"), request, "{\"end\":true,\"code\":11,\"text\":\"\"}\n",
		      CTL_REFUSED, ttg_error_text(TTG_EPERM));
}

static void an_answer_cut_off_or_broken_counts_as_no_daemon(void **state)
{
	static const char request[] = "{\"command\":\"status\",\"arguments\":{}}";
	char *long_line = malloc(CLIENT_LINE_MAX + 100);

	assert_non_null(long_line);
	memset(long_line, 'x', CLIENT_LINE_MAX + 98);
	strcpy(long_line + CLIENT_LINE_MAX + 98, "\n");
	must_exchange(*state, WORDS("status"), request, "", CTL_UNREACHABLE,
		      "went away in the middle");
	must_exchange(*state, WORDS("status"), request, "{\"data\":{\"a\":1}}\n{\"end\":tr",
		      CTL_UNREACHABLE, "went away in the middle");
	must_exchange(*state, WORDS("status"), request, "hello\n", CTL_UNREACHABLE,
		      "not a JSON object");
	must_exchange(*state, WORDS("status"), request, "{\"end\":true}\n", CTL_UNREACHABLE,
		      "no code");
	must_exchange(*state, WORDS("status"), request, long_line, CTL_UNREACHABLE,
		      "longer than the protocol allows");
	free(long_line);
}

static void nobody_listening_is_told_as_unreachable(void **state)
{
	char path[FOLDER_PATH];
	struct ran ran;

	folder_path(*state, "control", path);
	ran = run(path, WORDS("status"));
	assert_int_equal(ran.status, CTL_UNREACHABLE);
	assert_non_null(strstr(ran.err, "is ttgd running?"));
	free(ran.out);
	free(ran.err);
}

static void the_socket_is_found_in_the_configuration(void **state)
{
	struct daemon_like daemon_like;
	char config[FOLDER_PATH];
	char *argv[] = { strdup("ttgctl"), strdup("--config"), config, strdup("status"), NULL };
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	folder_path(*state, "ttgd.conf", config);
	/* The mistake beside it does not matter to ttgctl. */
	folder_write(*state, "ttgd.conf",
		     "listen = { control_socket = \"control\"; };\nlog = { level = 5; };\n");
	start(&daemon_like, *state, "{\"data\":{\"state\":\"ready\"}}\n" END_FINE);
	assert_int_equal(ctl_run(4, argv, out, out), CTL_FINE);
	finish(&daemon_like);
	fclose(out);
	assert_non_null(strstr(text, "ready"));
	free(text);
	free(argv[0]);
	free(argv[1]);
	free(argv[3]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CTL_TEST(each_command_line_becomes_its_request),
		CTL_TEST(a_folder_is_sent_as_a_complete_path),
		CTL_TEST(answers_become_aligned_tables),
		CTL_TEST(json_prints_each_item_on_its_line_and_nothing_else),
		CTL_TEST(nested_items_history_and_grants_are_readable),
		CTL_TEST(control_characters_do_not_reach_the_terminal),
		CTL_TEST(the_end_line_decides_the_exit_status),
		CTL_TEST(an_answer_cut_off_or_broken_counts_as_no_daemon),
		CTL_TEST(nobody_listening_is_told_as_unreachable),
		CTL_TEST(the_socket_is_found_in_the_configuration),
	};

	return cmocka_run_group_tests_name("ctl online", tests, NULL, NULL);
}
