/*
 * A disk a thousand times slower than it should be: every sync takes 135 ms longer (slow_disk.so).
 * Events share syncs, sessions live, a stop drains; who publishes ten times as fast waits.
 *
 * TTG_LONG=1: more events.
 */
#include "support/probe.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "support/http.h"
#include "support/wait.h"

#define SLOW_MS 135
#define LARGE_BYTES 8000
#define MEMORY_MAX_KIB (128 * 1024)
#define BUFFER_BYTES 8388608

static bool publish_one(struct peer *peer, const char *type, uint32_t number, size_t bytes)
{
	char noms[16];

	snprintf(noms, sizeof(noms), "S%04uAA", (unsigned)(number % 100));
	struct made made = must_make(&(struct made_wish){
		.type = type, .number = number, .noms = noms, .padding_bytes = bytes });
	enum ttg_error error = ttg_client_publish(peer->client, made.id, made.bytes, made.len, NULL);
	made_free(&made);
	must_be(error == TTG_OK || error == TTG_EAGAIN, "publish");
	return error == TTG_OK;
}

struct awaited {
	const struct peer *peer;
	size_t n;
};

static bool has_answers(void *arg)
{
	const struct awaited *awaited = arg;

	return awaited->peer->n_outcomes >= awaited->n;
}

static bool has_got(void *arg)
{
	const struct awaited *awaited = arg;

	return awaited->peer->n_got >= awaited->n;
}

static bool has_ended(void *arg)
{
	return !process_running(arg);
}

static void must_have_got_in_order(struct stage *stage, const struct peer *peer, uint32_t n)
{
	struct awaited awaited = { peer, n };

	must_be(peers_wait(stage, has_got, &awaited, 6 * WAIT_LONG_MS), "all arrive");
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(made_number(peer->got[i].id), i + 1);
}

static void must_all_be_accepted(const struct peer *peer)
{
	for (size_t i = 0; i < peer->n_outcomes; i++)
		assert_int_equal(peer->outcomes[i].code, TTG_OK);
}

static void on_a_slow_disk_events_share_syncs_sessions_live_and_a_stop_drains(void **state)
{
	struct stage *stage = *state;
	const uint32_t n = in_long(20000, 2000);
	uint32_t sent = 0;

	slow_the_disk(stage, SLOW_MS);
	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", "outbox");
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	must_be_ready(stage, prison);
	const double syncs = must_read_metric(stage->http_port, "ttgd_journal_syncs_total");
	const int64_t began_ms = wait_now_ms();
	while (sent < n) {
		for (int i = 0; i < 10 && sent < n; i++) /* each a sync of the outbox */
			if (!publish_one(prison, NULL, sent + 1, 0))
				break;
			else
				sent++;
		peers_poll(stage);
	}
	struct awaited awaited = { prison, n };
	must_be(peers_wait(stage, has_answers, &awaited, 6 * WAIT_LONG_MS), "all are answered");
	const double took_s = (double)(wait_now_ms() - began_ms) / 1000;
	must_have_got_in_order(stage, service, n);
	const double used = must_read_metric(stage->http_port, "ttgd_journal_syncs_total") - syncs;
	assert_true(must_read_metric(stage->http_port, "ttgd_journal_sync_seconds_max") >=
		    SLOW_MS / 1000.0);
	assert_true(used * 10 <= n); /* one sync for each would be as many as events */
	assert_true(must_read_metric(stage->http_port,
				     "ttgd_events_refused_total{code=\"refused_busy\"}") == 0);
	assert_int_equal(must_ask_number(stage, "status", "sessions.opened"), 2);
	tell_figures("sync_ms=%d events=%u syncs=%.0f events_a_second=%.0f peak_mib=%.1f", SLOW_MS,
		     (unsigned)n, used, n / took_s,
		     (double)must_read_memory(&stage->broker, "VmHWM") / 1024);

	while (sent < n + 200) {
		must_be(publish_one(prison, NULL, sent + 1, 0), "the outbox is full");
		sent++;
		if (sent % 10 == 0)
			peers_poll(stage);
	}
	must_signal(&stage->broker, SIGTERM);
	must_be(peers_wait(stage, has_ended, &stage->broker, 2 * WAIT_LONG_MS), "drained");
	assert_int_equal(stage->broker.status, 0);
	must_see(stage, "ttgd.err", "event=stopped");
	stage->environment = NULL;
	must_start_broker(stage);
	must_have_got_in_order(stage, service, sent);
	must_all_be_accepted(prison);
	must_have_passed(stage);
}

static void who_publishes_faster_than_the_disk_writes_waits_and_memory_stays(void **state)
{
	struct stage *stage = *state;
	const uint32_t n = in_long(40000, 3000);
	uint32_t sent = 0;

	slow_the_disk(stage, SLOW_MS);
	stage->segment_bytes = 64 << 20; /* as it is unless told otherwise */
	snprintf(stage->limits, sizeof(stage->limits), "\tpublish_window = 1024;\n");
	snprintf(stage->journal, sizeof(stage->journal), "\tbuffer_bytes = %dL;\n", BUFFER_BYTES);
	must_start_broker(stage);
	struct peer *police = must_open_peer(stage, "police", NULL);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	must_be_ready(stage, police);
	const long before_kib = must_read_memory(&stage->broker, "VmRSS");
	const int64_t began_ms = wait_now_ms();
	int64_t most_queued = 0;
	while (sent < n) { /* as fast as the library takes them */
		while (sent < n && publish_one(police, "police.arrest", sent + 1, LARGE_BYTES))
			sent++;
		const int64_t queued = (int64_t)sent - (int64_t)police->n_outcomes;
		most_queued = queued > most_queued ? queued : most_queued;
		peers_poll(stage);
	}
	struct awaited awaited = { police, n };
	must_be(peers_wait(stage, has_answers, &awaited, 12 * WAIT_LONG_MS), "all are answered");
	const double took_s = (double)(wait_now_ms() - began_ms) / 1000;
	must_all_be_accepted(police);
	must_have_got_in_order(stage, service, n);
	const double paused = must_read_metric(stage->http_port, "ttgd_paused_cycles_total");
	assert_true(paused >= 1);
	assert_true(must_read_metric(stage->http_port,
				     "ttgd_events_refused_total{code=\"refused_busy\"}") == 0);
	must_have_memory_below(&stage->broker, MEMORY_MAX_KIB);
	tell_figures("offered_at_once=%lld written_mib_a_second=%.1f paused_cycles=%.0f "
		     "before_mib=%.1f peak_mib=%.1f",
		     (long long)most_queued, (double)n * LARGE_BYTES / 1048576 / took_s, paused,
		     (double)before_kib / 1024,
		     (double)must_read_memory(&stage->broker, "VmHWM") / 1024);
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(on_a_slow_disk_events_share_syncs_sessions_live_and_a_stop_drains),
		STAGE_TEST(who_publishes_faster_than_the_disk_writes_waits_and_memory_stays),
	};

	return cmocka_run_group_tests_name("slow", tests, NULL, NULL);
}
