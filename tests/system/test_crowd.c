/*
 * Who takes more than his share: sessions without end, connections that never finish a handshake,
 * consumers that take credit and never read. He is bounded, and others go on.
 *
 * TTG_LONG=1: 10,000 connections, a quarter of a gigabyte for a consumer that does not read.
 */
#include "support/probe.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "support/http.h"
#include "support/wait.h"

#define SHARE 3
#define CROWD_LONG 10000
#define CROWD 1500
#define WAITING_MAX 256
#define LARGE_BYTES 40000
#define MEMORY_MAX_KIB (160 * 1024)

static bool is_turned_away(void *arg)
{
	return ((struct peer *)arg)->state_code == TTG_SESSION_LIMIT;
}

static void an_agency_has_its_share_of_the_sessions_and_others_theirs(void **state)
{
	struct stage *stage = *state;
	struct peer *prisons[SHARE];

	snprintf(stage->limits, sizeof(stage->limits), "\tsessions_per_agency = %d;\n", SHARE);
	must_start_broker(stage);
	for (int i = 0; i < SHARE; i++) {
		prisons[i] = must_open_peer(stage, "prison", NULL);
		must_be_ready(stage, prisons[i]);
	}
	struct peer *one_more = must_open_peer(stage, "prison", NULL);
	must_be(peers_wait(stage, is_turned_away, one_more, WAIT_LONG_MS), "one more is told why");
	must_see(stage, "ttgd.err", "event=hello_refused agency=prison code=session_limit");
	assert_non_null(strstr(one_more->state_text, "as many sessions"));

	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	must_accept(stage, prisons[0], &(struct made_wish){ .number = 1 });
	must_get(stage, service, 1);

	/* One that goes makes room, without a word as well. */
	peer_close(stage, &prisons[1]);
	must_be_ready(stage, one_more);
	must_accept(stage, one_more, &(struct made_wish){ .number = 2 });
	must_have_passed(stage);
}

static void a_larger_share_counts_from_the_reload_on(void **state)
{
	struct stage *stage = *state;

	snprintf(stage->limits, sizeof(stage->limits), "\tsessions_per_agency = 1;\n");
	must_start_broker(stage);
	struct peer *first = must_open_peer(stage, "prison", NULL);
	must_be_ready(stage, first);
	struct peer *second = must_open_peer(stage, "prison", NULL);
	must_be(peers_wait(stage, is_turned_away, second, WAIT_LONG_MS), "one more is told why");
	snprintf(stage->limits, sizeof(stage->limits), "\tsessions_per_agency = 2;\n");
	must_write_configuration(stage);
	json_decref(must_ask(stage, "reload", NULL));
	must_be_ready(stage, second);
	must_accept(stage, first, &(struct made_wish){ .number = 1 });
	must_have_passed(stage);
}

static const char *port_of(const struct stage *stage)
{
	return strrchr(stage->endpoint, ':') + 1;
}

static void strangers_who_finish_no_handshake_are_bounded_and_others_go_on(void **state)
{
	struct stage *stage = *state;
	struct probe probe;
	char text[32], connected[64], closed[64];
	const uint32_t n = in_long(CROWD_LONG, CROWD);
	double most = 0;

	snprintf(stage->limits, sizeof(stage->limits), "\tmax_waiting = %d;\n", WAITING_MAX);
	must_start_broker(stage);
	must_open_probe(stage, &probe);
	const struct latency calm = must_probe(&probe, in_long(2000, 200), 5);
	const long before_kib = must_read_memory(&stage->broker, "VmRSS");
	snprintf(text, sizeof(text), "%u", (unsigned)n);
	snprintf(connected, sizeof(connected), "connected %u\n", (unsigned)n);
	snprintf(closed, sizeof(closed), "closed %u\n", (unsigned)n);
	must_start_horde(stage, 0, "crowd", "crowd", port_of(stage), text, NULL);
	/* As long as they come and until the last is gone: some for lack of room, others in time. */
	const struct latency crowded = must_probe(&probe, in_long(2400, 400), 5);
	int64_t deadline_ms = wait_now_ms() + 3 * WAIT_LONG_MS;
	while (count_in(stage, "crowd.out", closed) == 0) {
		must_probe(&probe, 20, 5);
		const double open =
			must_read_metric(stage->http_port, "ttgd_connections_waiting");
		most = open > most ? open : most;
		must_be(wait_now_ms() < deadline_ms, "strangers are not closed");
	}
	assert_int_equal(count_in(stage, "crowd.out", connected), 1);
	assert_true(most <= WAITING_MAX);
	assert_true(must_read_metric(stage->http_port,
				     "ttgd_connections_dropped_total{reason=\"crowded\"}") >= 1);
	must_reach_metric(stage->http_port,
			  "ttgd_connections_denied_total{reason=\"handshake\"}", n);
	assert_int_equal((int)must_read_metric(stage->http_port, "ttgd_connections"), 2);
	/* Nobody who behaves lost his session. */
	assert_int_equal(must_ask_number(stage, "status", "sessions.opened"), 2);
	must_have_memory_below(&stage->broker, MEMORY_MAX_KIB);
	tell_figures("connections=%u waiting_most=%.0f before_mib=%.1f peak_mib=%.1f "
		     "p99_ms=%.1f/%.1f ratio=%.2f",
		     (unsigned)n, most, (double)before_kib / 1024,
		     (double)must_read_memory(&stage->broker, "VmHWM") / 1024, crowded.p99_ms,
		     calm.p99_ms, crowded.p99_ms / calm.p99_ms);
	must_have_passed(stage);
}

static bool nobody_is_left(void *arg)
{
	return count_in(arg, "crowd.out", "closed") > 0;
}

static void a_process_that_may_open_few_files_says_so_and_neither_dies_nor_spins(void **state)
{
	struct stage *stage = *state;
	struct rlimit mine, few;
	struct probe probe;

	must_be(getrlimit(RLIMIT_NOFILE, &mine) == 0, "getrlimit");
	few = (struct rlimit){ 256, 256 };
	must_write_configuration(stage);
	must_launch_broker(stage);
	must_be(prlimit(stage->broker.pid, RLIMIT_NOFILE, &few, NULL) == 0, "prlimit");
	must_wait_until_ready(stage);
	must_open_probe(stage, &probe);
	must_probe(&probe, 20, 5);
	must_start_horde(stage, 0, "crowd", "crowd", port_of(stage), "1000", NULL);
	must_probe(&probe, 200, 10);
	must_be(peers_wait(stage, nobody_is_left, stage, 3 * WAIT_LONG_MS),
		"strangers are not closed");
	/* Which of the two depends on who was faster. */
	const double descriptors = must_read_metric(
		stage->http_port, "ttgd_connections_dropped_total{reason=\"descriptors\"}");
	const double crowded = must_read_metric(
		stage->http_port, "ttgd_connections_dropped_total{reason=\"crowded\"}");
	assert_true(descriptors + crowded >= 1);
	must_see(stage, "ttgd.err", "event=descriptors_few limit=256");
	must_see(stage, "ttgd.err", "event=connection_dropped");
	const double before_s = must_read_cpu(&stage->broker);
	const int64_t until_ms = wait_now_ms() + 2000;
	while (wait_now_ms() < until_ms)
		peers_poll(stage);
	const double used_s = must_read_cpu(&stage->broker) - before_s;
	must_probe(&probe, 20, 5);
	assert_int_equal(must_ask_number(stage, "status", "sessions.opened"), 2);
	if (used_s > 1.0)
		must_fail("%.2f seconds of processor time in two of rest", used_s);
	must_have_passed(stage);
}

/* Publishes until so many large events are accepted. */
static void publish_large(struct stage *stage, struct peer *police, uint32_t n)
{
	int64_t deadline_ms = wait_now_ms() + 10 * WAIT_LONG_MS;

	for (uint32_t sent = 0; police->n_outcomes < n;) {
		while (sent < n && sent < police->n_outcomes + 50) {
			struct made made = must_make(&(struct made_wish){
				.type = "police.arrest", .number = ++sent, .padding_bytes = LARGE_BYTES });
			must_be(ttg_client_publish(police->client, made.id, made.bytes, made.len,
						   NULL) == TTG_OK,
				"publish");
			made_free(&made);
		}
		peers_poll(stage);
		must_be(wait_now_ms() < deadline_ms, "large events are not accepted");
	}
}

static void a_consumer_that_takes_credit_and_never_reads_is_bounded_and_others_go_on(void **state)
{
	struct stage *stage = *state;
	struct probe probe;
	char server[PROCESS_PATH_MAX], key[PROCESS_PATH_MAX];
	const uint32_t n = in_long(6000, 800);

	stage->segment_bytes = 64 << 20;
	must_start_broker(stage);
	must_open_probe(stage, &probe);
	struct peer *police = must_open_peer(stage, "police", NULL);
	publish_large(stage, police, n);
	const struct latency calm = must_probe(&probe, in_long(2000, 200), 5);
	const long before_kib = must_read_memory(&stage->broker, "VmRSS");
	STAGE_PATH(stage, server, "keys/broker.pub");
	STAGE_PATH(stage, key, "keys/one-service.key");
	must_start_horde(stage, 0, "sloth", "sloth", stage->endpoint, server, key, "duty", "4096",
			 NULL);
	must_reach_metric(stage->http_port, "ttgd_mailbox_in_flight{mailbox=\"one-service/duty\"}",
			  100);
	const struct latency lazy = must_probe(&probe, in_long(4000, 800), 5);
	must_have_memory_below(&stage->broker, MEMORY_MAX_KIB);
	tell_figures("unread_mib=%.0f before_mib=%.1f peak_mib=%.1f p99_ms=%.1f/%.1f ratio=%.2f",
		     (double)n * LARGE_BYTES / 1048576, (double)before_kib / 1024,
		     (double)must_read_memory(&stage->broker, "VmHWM") / 1024, lazy.p99_ms,
		     calm.p99_ms, lazy.p99_ms / calm.p99_ms);
	process_kill(&stage->others[0]);

	/* Whoever takes its place gets all of it, in order. */
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	must_get(stage, service, n);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(made_number(service->got[i].id), i + 1);
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(an_agency_has_its_share_of_the_sessions_and_others_theirs),
		STAGE_TEST(a_larger_share_counts_from_the_reload_on),
		STAGE_TEST(strangers_who_finish_no_handshake_are_bounded_and_others_go_on),
		STAGE_TEST(a_process_that_may_open_few_files_says_so_and_neither_dies_nor_spins),
		STAGE_TEST(a_consumer_that_takes_credit_and_never_reads_is_bounded_and_others_go_on),
	};

	return cmocka_run_group_tests_name("crowd", tests, NULL, NULL);
}
