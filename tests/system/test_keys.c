/*
 * Who gets in: keys that are known, valid and come from where they may. Everybody else gets nothing
 * and is counted. Keys change while the broker runs, without disturbing others.
 */
#include "support/peer.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>
#include "support/http.h"
#include "support/wait.h"

#define DENIED(reason) "ttgd_connections_denied_total{reason=\"" reason "\"}"
#define QUIET_MS 300

/* Polls until the broker has turned somebody away for this reason; the peer has no session. */
static void must_be_denied(struct stage *stage, struct peer *peer, const char *metric)
{
	int64_t deadline_ms = wait_now_ms() + WAIT_LONG_MS;

	while (must_read_metric(stage->http_port, metric) < 1) {
		peers_poll(stage);
		if (!wait_step(deadline_ms))
			must_fail("%s was not counted", metric);
	}
	assert_int_not_equal(ttg_client_state(peer->client), TTG_STATE_READY);
	assert_int_equal(peer->n_got, 0);
}

static void a_key_nobody_knows_gets_nothing_and_is_counted(void **state)
{
	struct stage *stage = *state;

	must_make_key(stage, "stranger");
	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	must_accept(stage, prison, &(struct made_wish){ 0 });
	struct peer *stranger = must_open_peer(stage, "stranger", NULL);
	must_be(ttg_client_attach(stranger->client, "one-service/duty", 0) == TTG_OK, "attach");
	struct made made = must_make(&(struct made_wish){ 0 });
	must_be(ttg_client_publish(stranger->client, made.id, made.bytes, made.len, NULL) == TTG_OK,
		"publish");
	made_free(&made);
	must_be_denied(stage, stranger, DENIED("unknown_key"));
	must_see(stage, "ttgd.err", "connection_denied reason=unknown_key");
	assert_int_equal(must_ask_number(stage, "status", "events.accepted"), 1);
	must_have_passed(stage);
}

static void a_revoked_key_gets_nothing_and_is_counted(void **state)
{
	struct stage *stage = *state;

	must_write_agency(stage, "one-service", "revoked = true; }", NULL);
	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	must_accept(stage, prison, &(struct made_wish){ 0 });
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_be(ttg_client_attach(service->client, "duty", 0) == TTG_OK, "attach");
	must_be_denied(stage, service, DENIED("revoked"));
	must_see(stage, "ttgd.err", "connection_denied reason=revoked agency=one-service");
	must_have_passed(stage);
}

static void a_key_outside_its_dates_gets_nothing_and_is_counted(void **state)
{
	struct stage *stage = *state;

	must_write_agency(stage, "one-service", "from = \"2098-01-01\"; }", NULL);
	must_write_agency(stage, "police", "to = \"2021-01-01\"; }", NULL);
	must_start_broker(stage);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_be_denied(stage, service, DENIED("not_valid_now"));
	must_see(stage, "ttgd.err", "reason=not_valid_now agency=one-service");
	struct peer *police = must_open_peer(stage, "police", NULL);
	must_get_no_more(stage, police, 0, QUIET_MS);
	must_see(stage, "ttgd.err", "reason=not_valid_now agency=police");
	assert_int_not_equal(ttg_client_state(police->client), TTG_STATE_READY);
	must_have_passed(stage);
}

static void an_address_outside_the_agencys_ranges_gets_nothing_and_is_counted(void **state)
{
	struct stage *stage = *state;

	must_write_agency(stage, "one-service", NULL, "\taddresses = [ \"192.0.2.0/24\" ];\n");
	must_write_agency(stage, "prison", NULL,
			  "\taddresses = [ \"192.0.2.0/24\", \"127.0.0.0/8\" ];\n");
	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	must_be_ready(stage, prison);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_be_denied(stage, service, DENIED("address"));
	must_see(stage, "ttgd.err", "reason=address agency=one-service");
	must_have_passed(stage);
}

/* A bare DEALER without CURVE that says something and listens. */
static void a_client_without_curve_gets_nothing_and_is_counted(void **state)
{
	struct stage *stage = *state;
	char buffer[16];
	int zero = 0;

	must_start_broker(stage);
	void *context = zmq_ctx_new();
	void *dealer = zmq_socket(context, ZMQ_DEALER);
	zmq_setsockopt(dealer, ZMQ_LINGER, &zero, sizeof(zero));
	assert_int_equal(zmq_connect(dealer, stage->endpoint), 0);
	/* A Hello, version 1. */
	zmq_send(dealer, "\x0a\x02\x08\x01", 4, 0);
	must_reach_metric(stage->http_port, DENIED("handshake"), 1);
	assert_int_equal(zmq_recv(dealer, buffer, sizeof(buffer), ZMQ_DONTWAIT), -1);
	assert_int_equal(must_ask_number(stage, "status", "sessions.now"), 0);
	zmq_close(dealer);
	zmq_ctx_term(context);
	must_have_passed(stage);
}

static void a_client_that_expects_another_broker_gets_nothing(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	must_make_key(stage, "impostor");
	char from[PROCESS_PATH_MAX], to[PROCESS_PATH_MAX];
	STAGE_PATH(stage, from, "keys/impostor.pub");
	STAGE_PATH(stage, to, "keys/broker.pub");
	must_be(rename(from, to) == 0, "rename");
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	must_be_denied(stage, prison, DENIED("handshake"));
	must_have_passed(stage);
}

static void a_reload_lets_a_new_key_in_and_drops_nobody(void **state)
{
	struct stage *stage = *state;

	must_make_key(stage, "prison-next");
	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	must_be_ready(stage, prison);
	struct peer *next = must_open_peer(stage, "prison-next", NULL);
	must_be_denied(stage, next, DENIED("unknown_key"));
	must_write_agency(stage, "prison",
			  "}, { label = \"next\"; public_file = \"keys/prison-next.pub\"; }", NULL);
	must_signal(&stage->broker, SIGHUP);
	must_be_ready(stage, next);
	must_accept(stage, next, &(struct made_wish){ .number = 1 });
	must_accept(stage, prison, &(struct made_wish){ .number = 2 });
	/* Two sessions were opened in all: the first was never cut off. */
	assert_int_equal(must_ask_number(stage, "status", "sessions.opened"), 2);
	must_have_passed(stage);
}

static bool lost_session(void *arg)
{
	return ttg_client_state(((struct peer *)arg)->client) != TTG_STATE_READY;
}

static void a_reload_that_revokes_a_key_ends_its_session_and_no_other(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	struct peer *probation = must_open_peer(stage, "probation", NULL);
	must_attach(stage, service, "duty");
	must_attach(stage, probation, "inbox");
	must_be_ready(stage, prison);
	must_write_agency(stage, "one-service", "revoked = true; }", NULL);
	json_decref(must_ask(stage, "reload", NULL));
	must_be(peers_wait(stage, lost_session, service, WAIT_LONG_MS), "session of a revoked key");
	must_accept(stage, prison, &(struct made_wish){ .number = 1 });
	must_get(stage, probation, 1);
	must_get_no_more(stage, service, 0, QUIET_MS);
	assert_int_equal(must_ask_number(stage, "status", "sessions.now"), 2);
	must_have_passed(stage);
}

static void a_reload_of_a_broken_configuration_changes_nothing(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	must_be_ready(stage, prison);
	must_write(stage, "agencies.d/prison.conf", "agency: { id = \"prison\"; nmae = \"x\"; };\n");
	must_signal(&stage->broker, SIGHUP);
	must_see(stage, "ttgd.err", "reload_refused");
	must_see(stage, "ttgd.err", "prison.conf:1");
	must_accept(stage, prison, &(struct made_wish){ .number = 1 });
	struct ran ran = must_run(stage, "ttgctl", "--socket", "control", "reload", NULL);
	assert_int_equal(ran.code, 1);
	ran_free(&ran);
	assert_true(must_read_metric(stage->http_port, "ttgd_reloads_failed_total") >= 2);
	must_have_passed(stage);
}

static void a_reload_that_moves_an_agencys_addresses_ends_its_session_and_no_other(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	must_be_ready(stage, prison);
	must_write_agency(stage, "prison", NULL, "\taddresses = [ \"127.0.0.0/8\" ];\n");
	must_write_agency(stage, "one-service", NULL, "\taddresses = [ \"192.0.2.0/24\" ];\n");
	json_decref(must_ask(stage, "reload", NULL));
	must_be(peers_wait(stage, lost_session, service, WAIT_LONG_MS),
		"session from an address that is not allowed any more");
	must_see(stage, "ttgd.err", "why=address_not_allowed");
	must_accept(stage, prison, &(struct made_wish){ .number = 1 });
	must_be_denied(stage, service, DENIED("address"));
	assert_int_equal(must_ask_number(stage, "status", "sessions.now"), 1);
	/* With its addresses back it comes back by itself, and nothing was lost. */
	must_write_agency(stage, "one-service", NULL, NULL);
	json_decref(must_ask(stage, "reload", NULL));
	must_get(stage, service, 1);
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(a_key_nobody_knows_gets_nothing_and_is_counted),
		STAGE_TEST(a_revoked_key_gets_nothing_and_is_counted),
		STAGE_TEST(a_key_outside_its_dates_gets_nothing_and_is_counted),
		STAGE_TEST(an_address_outside_the_agencys_ranges_gets_nothing_and_is_counted),
		STAGE_TEST(a_client_without_curve_gets_nothing_and_is_counted),
		STAGE_TEST(a_client_that_expects_another_broker_gets_nothing),
		STAGE_TEST(a_reload_lets_a_new_key_in_and_drops_nobody),
		STAGE_TEST(a_reload_that_revokes_a_key_ends_its_session_and_no_other),
		STAGE_TEST(a_reload_that_moves_an_agencys_addresses_ends_its_session_and_no_other),
		STAGE_TEST(a_reload_of_a_broken_configuration_changes_nothing),
	};

	return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
