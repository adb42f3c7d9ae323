/*
 * Agreements over time: a delivery stops when its agreement ends, and an urgent event nobody
 * acknowledges in time is told to the fallback mailbox, once.
 */
#include "support/peer.h"

#include <stdlib.h>
#include <string.h>
#include <ttg/event.h>
#include <ttg/proto/session.pb-c.h>

#define DUTY "one-service/duty"
#define QUIET_MS 200

static void what_is_queued_is_not_delivered_after_its_agreement_ended(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	for (uint32_t i = 1; i <= 3; i++)
		must_accept(stage, prison, &(struct made_wish){ .number = i });
	assert_int_equal(must_ask_mailbox(stage, DUTY, "queued"), 3);
	stage->valid_to = "2020-06-01";
	must_write_agreement(stage);
	json_decref(must_ask(stage, "reload", NULL));
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	must_settle(stage, DUTY, "queued", 0);
	must_get_no_more(stage, service, 0, QUIET_MS);
	must_be_refused(stage, prison, &(struct made_wish){ .number = 4 }, TTG_REFUSED_NOT_AGREED);
	assert_true(must_ask_mailbox(stage, DUTY, "stopped") >= 3);
	must_have_passed(stage);
}

static void a_delivery_in_flight_is_not_repeated_after_its_agreement_ended(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	service->habit = PEER_KEEPS;
	must_attach(stage, service, "duty");
	must_accept(stage, prison, &(struct made_wish){ .number = 1 });
	must_get(stage, service, 1);
	stage->valid_to = "2020-06-01";
	must_write_agreement(stage);
	json_decref(must_ask(stage, "reload", NULL));
	must_be(ttg_client_nack(service->client, DUTY, 1, TTG__NACK_REASON__NACK_TEMPORARY, "", 1) ==
			TTG_OK,
		"refuse");
	must_settle(stage, DUTY, "queued", 0);
	must_get_no_more(stage, service, 1, QUIET_MS);
	must_have_passed(stage);
}

static void an_agreement_that_begins_later_allows_nothing_yet(void **state)
{
	struct stage *stage = *state;

	stage->valid_from = "2098-01-01";
	must_write_agreement(stage);
	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	must_be_refused(stage, prison, &(struct made_wish){ 0 }, TTG_REFUSED_NOT_AGREED);
	stage->valid_from = NULL;
	must_write_agreement(stage);
	json_decref(must_ask(stage, "reload", NULL));
	must_accept(stage, prison, &(struct made_wish){ .number = 1 });
	must_have_passed(stage);
}

static void prepare_escalation(struct stage *stage)
{
	stage->duty_options = "ack_within_s = 1; fallback = \"one-service/desk\";";
	must_write_agreement(stage);
	must_start_broker(stage);
}

static void an_urgent_event_nobody_acknowledges_is_told_to_the_fallback_once(void **state)
{
	struct stage *stage = *state;

	prepare_escalation(stage);
	struct peer *police = must_open_peer(stage, "police", NULL);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	struct peer *desk = must_open_peer(stage, "one-service", NULL);
	service->habit = PEER_KEEPS;
	must_attach(stage, service, "duty");
	must_attach(stage, desk, "desk");
	must_accept(stage, police,
		    &(struct made_wish){ .type = "police.arrest", .number = 1,
					 .urgency = TTG__URGENCY__URGENT });
	must_accept(stage, police,
		    &(struct made_wish){ .type = "police.arrest", .number = 2,
					 .urgency = TTG__URGENCY__ROUTINE });
	must_get(stage, service, 2);
	must_get(stage, desk, 1);
	assert_string_equal(desk->got[0].type, "broker.alert_unacknowledged");
	assert_string_equal(desk->got[0].source, "broker");
	/* Once: neither the next seconds nor a restart repeat it. */
	must_get_no_more(stage, desk, 1, 1500);
	must_settle(stage, "one-service/desk", "queued", 0);
	process_kill(&stage->broker);
	must_start_broker(stage);
	must_be_ready(stage, desk);
	must_get_no_more(stage, desk, 1, 1500);
	must_have_passed(stage);
}

static void an_urgent_event_acknowledged_in_time_is_not_escalated(void **state)
{
	struct stage *stage = *state;

	prepare_escalation(stage);
	struct peer *police = must_open_peer(stage, "police", NULL);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	struct peer *desk = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	must_attach(stage, desk, "desk");
	must_accept(stage, police,
		    &(struct made_wish){ .type = "police.arrest",
					 .urgency = TTG__URGENCY__URGENT });
	must_get(stage, service, 1);
	must_get_no_more(stage, desk, 0, 1500);
	assert_int_equal(must_ask_number(stage, "status", "events.escalated"), 0);
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(what_is_queued_is_not_delivered_after_its_agreement_ended),
		STAGE_TEST(a_delivery_in_flight_is_not_repeated_after_its_agreement_ended),
		STAGE_TEST(an_agreement_that_begins_later_allows_nothing_yet),
		STAGE_TEST(an_urgent_event_nobody_acknowledges_is_told_to_the_fallback_once),
		STAGE_TEST(an_urgent_event_acknowledged_in_time_is_not_escalated),
	};

	return cmocka_run_group_tests_name("agreements", tests, NULL, NULL);
}
