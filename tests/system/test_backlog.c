/*
 * A mailbox nobody collects, and then somebody does: everything is there, in order, and the broker's
 * memory does not grow with what waits.
 *
 * TTG_BACKLOG sets how many events wait (20,000).
 */
#include "support/probe.h"

#include <stdlib.h>
#include <string.h>
#include "support/http.h"
#include "support/wait.h"

#define EVENTS 20000
#define AT_ONCE 4000
#define PERSONS 5000
#define QUEUED "ttgd_mailbox_queued{mailbox=\"one-service/duty\"}"
#define MEMORY_MAX_KIB (96 * 1024)
#define DEDUPE_BYTES 160 /* what the broker remembers of each event, to know it again */


static void publish_all(struct stage *stage, struct peer *police, uint32_t n)
{
	uint32_t sent = 0;
	size_t answered = 0;
	int64_t moved_ms = wait_now_ms();

	while (police->n_outcomes < n) {
		while (sent < n && sent < police->n_outcomes + AT_ONCE) {
			char noms[16];

			snprintf(noms, sizeof(noms), "B%04uAA", (unsigned)(sent % PERSONS));
			struct made made = must_make(&(struct made_wish){
				.type = "police.arrest", .number = sent + 1, .noms = noms });
			enum ttg_error error = ttg_client_publish(police->client, made.id,
								  made.bytes, made.len, NULL);
			made_free(&made);
			if (error != TTG_OK)
				break;
			sent++;
		}
		peers_poll(stage);
		if (police->n_outcomes > answered)
			moved_ms = wait_now_ms();
		answered = police->n_outcomes;
		must_be(wait_now_ms() < moved_ms + WAIT_LONG_MS, "nothing is accepted any more");
	}
	for (size_t i = 0; i < n; i++)
		must_be(police->outcomes[i].code == TTG_OK, "an event was refused");
}

static void drain(struct stage *stage, struct peer *service, uint32_t n)
{
	size_t got = 0;
	int64_t moved_ms = wait_now_ms();

	while (service->n_got < n) {
		peers_poll(stage);
		if (service->n_got > got)
			moved_ms = wait_now_ms();
		got = service->n_got;
		must_be(wait_now_ms() < moved_ms + WAIT_LONG_MS, "nothing is delivered any more");
	}
	for (uint32_t i = 0; i < n; i++)
		if (made_number(service->got[i].id) != i + 1 || service->got[i].position != i + 1)
			must_fail("delivery %u is event %u", (unsigned)i + 1,
				  (unsigned)made_number(service->got[i].id));
}

static void a_mailbox_unread_for_long_gives_everything_in_order_and_costs_no_memory(void **state)
{
	struct stage *stage = *state;
	const char *text = getenv("TTG_BACKLOG");
	const uint32_t n = text ? (uint32_t)strtoul(text, NULL, 10) : EVENTS;

	assert_true(n > 0 && n < PEER_MAX_GOT);
	must_start_broker(stage);
	const long before_kib = must_read_memory(&stage->broker, "VmRSS");
	struct peer *police = must_open_peer(stage, "police", NULL);
	must_be_ready(stage, police);
	publish_all(stage, police, n);
	assert_int_equal((int)must_read_metric(stage->http_port, QUEUED), n);
	const long at_backlog_kib = must_read_memory(&stage->broker, "VmRSS");
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	const int64_t began_ms = wait_now_ms();
	drain(stage, service, n);
	const double took_s = (double)(wait_now_ms() - began_ms + 1) / 1000;
	must_settle(stage, "one-service/duty", "queued", 0);
	must_have_memory_below(&stage->broker,
			       MEMORY_MAX_KIB + (long)((uint64_t)n * DEDUPE_BYTES / 1024));
	tell_figures("backlog=%u drained_a_second=%.0f before_mib=%.1f at_backlog_mib=%.1f "
		     "after_mib=%.1f peak_mib=%.1f",
		     (unsigned)n, n / took_s, (double)before_kib / 1024,
		     (double)at_backlog_kib / 1024,
		     (double)must_read_memory(&stage->broker, "VmRSS") / 1024,
		     (double)must_read_memory(&stage->broker, "VmHWM") / 1024);
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(a_mailbox_unread_for_long_gives_everything_in_order_and_costs_no_memory),
	};

	return cmocka_run_group_tests_name("backlog", tests, NULL, NULL);
}
