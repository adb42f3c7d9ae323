/*
 * Starting, stopping, stalling: readiness and watchdog, SIGTERM that drains, a second daemon on the
 * same journal, and a daemon that does not answer for a while.
 */
#include "support/peer.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "support/http.h"
#include "support/wait.h"

#define DUTY "one-service/duty"
#define STALL_MS 4000       /* longer than three heartbeats */
#define STALL_LONG_MS 60000 /* TTG_LONG=1 */

/* A datagram socket in systemd's place. */
static int open_notify(const struct stage *stage, char path[PROCESS_PATH_MAX])
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	stage_path(stage, path, PROCESS_PATH_MAX, "notify");
	snprintf(address.sun_path, sizeof(address.sun_path), "%.100s", path);
	must_be(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0,
		"notify socket");
	return fd;
}

/* Waits for a datagram that holds the text. */
static void must_hear(int fd, const char *text)
{
	int64_t deadline_ms = wait_now_ms() + WAIT_LONG_MS;
	char got[512];

	do {
		ssize_t n = recv(fd, got, sizeof(got) - 1, 0);

		if (n <= 0)
			continue;
		got[n] = '\0';
		if (strstr(got, text))
			return;
	} while (wait_step(deadline_ms));
	must_fail("the daemon did not say %s", text);
}

static void the_daemon_says_when_it_is_ready_that_it_lives_and_that_it_stops(void **state)
{
	struct stage *stage = *state;
	char path[PROCESS_PATH_MAX], variable[PROCESS_PATH_MAX + 32];

	int fd = open_notify(stage, path);
	snprintf(variable, sizeof(variable), "NOTIFY_SOCKET=%s", path);
	const char *const environment[] = { variable, "WATCHDOG_USEC=600000", NULL };
	stage->environment = environment;
	must_write_configuration(stage);
	must_launch_broker(stage);
	must_hear(fd, "READY=1");
	must_hear(fd, "WATCHDOG=1");
	must_hear(fd, "WATCHDOG=1");
	must_signal(&stage->broker, SIGHUP);
	must_hear(fd, "RELOADING=1");
	must_hear(fd, "READY=1");
	must_signal(&stage->broker, SIGTERM);
	must_hear(fd, "STOPPING=1");
	assert_int_equal(must_end(&stage->broker, WAIT_LONG_MS), 0);
	close(fd);
	must_have_passed(stage);
}

static void a_stopped_daemon_pets_no_watchdog(void **state)
{
	struct stage *stage = *state;
	char path[PROCESS_PATH_MAX], variable[PROCESS_PATH_MAX + 32], got[512];

	int fd = open_notify(stage, path);
	snprintf(variable, sizeof(variable), "NOTIFY_SOCKET=%s", path);
	const char *const environment[] = { variable, "WATCHDOG_USEC=300000", NULL };
	stage->environment = environment;
	must_start_broker(stage);
	must_hear(fd, "WATCHDOG=1");
	must_signal(&stage->broker, SIGSTOP);
	while (recv(fd, got, sizeof(got), 0) > 0)
		; /* what was said before */
	int64_t end_ms = wait_now_ms() + 500;
	ssize_t said = -1;
	while (said < 0 && wait_step(end_ms))
		said = recv(fd, got, sizeof(got), 0);
	assert_int_equal(said, -1);
	must_signal(&stage->broker, SIGCONT);
	must_hear(fd, "WATCHDOG=1");
	close(fd);
	must_have_passed(stage);
}

static bool has_ended(void *arg)
{
	return !process_running(arg);
}

static void sigterm_answers_what_was_taken_and_ends_cleanly(void **state)
{
	enum { EVENTS = 500 };
	struct stage *stage = *state;
	uint64_t highest = 0;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", "outbox");
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	for (uint32_t i = 1; i <= EVENTS; i++) {
		struct made made = must_make(&(struct made_wish){ .number = i });

		must_be(ttg_client_publish(prison->client, made.id, made.bytes, made.len, NULL) ==
				TTG_OK,
			"publish");
		made_free(&made);
		if (i == EVENTS / 2)
			must_signal(&stage->broker, SIGTERM);
		if (i % 50 == 0)
			peers_poll(stage);
	}
	must_be(peers_wait(stage, has_ended, &stage->broker, WAIT_LONG_MS), "drained");
	assert_int_equal(stage->broker.status, 0);
	must_see(stage, "ttgd.err", "event=stopped");
	must_start_broker(stage);
	must_get(stage, service, EVENTS);
	for (size_t i = 0; i < prison->n_outcomes; i++) {
		assert_int_equal(prison->outcomes[i].code, TTG_OK);
		highest = prison->outcomes[i].sequence > highest ? prison->outcomes[i].sequence
								 : highest;
	}
	assert_true(highest > 0);
	for (uint32_t i = 0; i < EVENTS; i++)
		assert_int_equal(made_number(service->got[i].id), i + 1);
	must_have_passed(stage);
}

static void a_second_daemon_on_the_same_journal_is_refused_with_a_clear_message(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	must_accept(stage, prison, &(struct made_wish){ .number = 1 });
	struct stage other = *stage;
	snprintf(other.endpoint, sizeof(other.endpoint), "tcp://127.0.0.1:%d", must_find_port());
	other.http_port = must_find_port();
	must_write(stage, "second.conf",
		   "broker: { agencies_directory = \"agencies.d\"; };\n"
		   "listen: { endpoint = \"%s\"; key_file = \"keys/broker.key\"; http_port = %d;\n"
		   "\tcontrol_socket = \"control2\"; };\n"
		   "journal: { directory = \"journal\"; key_file = \"keys/journal.key\";\n"
		   "\tsegment_bytes = 1048576; reserve_bytes = 0; };\n",
		   other.endpoint, other.http_port);
	struct ran ran = must_run(stage, "ttgd", "--config", "second.conf", NULL);
	assert_int_equal(ran.code, 4);
	assert_non_null(strstr(ran.err, "locked"));
	assert_non_null(strstr(ran.err, "journal"));
	ran_free(&ran);
	must_accept(stage, prison, &(struct made_wish){ .number = 2 });
	must_have_passed(stage);
}

static void what_is_published_while_the_daemon_stalls_arrives_afterwards_once(void **state)
{
	enum { EVENTS = 200 };
	struct stage *stage = *state;
	int stall_ms = getenv("TTG_LONG") ? STALL_LONG_MS : STALL_MS;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", "outbox");
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	must_accept(stage, prison, &(struct made_wish){ .number = 1 });
	must_signal(&stage->broker, SIGSTOP);
	int64_t end_ms = wait_now_ms() + stall_ms;
	uint32_t next = 2;
	while (wait_now_ms() < end_ms || next <= EVENTS) {
		if (next <= EVENTS) {
			struct made made = must_make(&(struct made_wish){ .number = next++ });

			must_be(ttg_client_publish(prison->client, made.id, made.bytes, made.len,
						   NULL) == TTG_OK,
				"publish");
			made_free(&made);
		}
		peers_poll(stage);
	}
	assert_int_equal(prison->n_outcomes, 1);
	must_signal(&stage->broker, SIGCONT);
	must_get(stage, service, EVENTS);
	for (uint32_t i = 0; i < EVENTS; i++)
		if (made_number(service->got[i].id) != i + 1)
			must_fail("delivery %u is event %u, position %llu, attempt %u", (unsigned)i + 1,
				  (unsigned)made_number(service->got[i].id),
				  (unsigned long long)service->got[i].position,
				  (unsigned)service->got[i].attempt);
	must_settle(stage, DUTY, "queued", 0);
	must_get_no_more(stage, service, EVENTS, 200);
	must_have_passed(stage);
}

static void health_and_readiness_are_told_on_loopback(void **state)
{
	struct stage *stage = *state;
	const char *const paths[] = { "/health", "/ready", "/metrics" };

	must_start_broker(stage);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct http_answer answer =
			http_ask(stage->http_port, "GET", paths[i], NULL, NULL, 0);

		assert_int_equal(answer.status, 200);
		free(answer.body);
	}
	struct http_answer answer = http_ask(stage->http_port, "GET", "/other", NULL, NULL, 0);
	assert_int_equal(answer.status, 404);
	free(answer.body);
	answer = http_ask(stage->http_port, "POST", "/metrics", NULL, "x", 1);
	assert_int_equal(answer.status, 405);
	free(answer.body);
	assert_true(must_read_metric(stage->http_port, "ttgd_journal_healthy") == 1);
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(the_daemon_says_when_it_is_ready_that_it_lives_and_that_it_stops),
		STAGE_TEST(a_stopped_daemon_pets_no_watchdog),
		STAGE_TEST(sigterm_answers_what_was_taken_and_ends_cleanly),
		STAGE_TEST(a_second_daemon_on_the_same_journal_is_refused_with_a_clear_message),
		STAGE_TEST(what_is_published_while_the_daemon_stalls_arrives_afterwards_once),
		STAGE_TEST(health_and_readiness_are_told_on_loopback),
	};

	return cmocka_run_group_tests_name("stop", tests, NULL, NULL);
}
