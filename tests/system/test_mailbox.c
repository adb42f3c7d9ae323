/*
 * Mailboxes: what is not acknowledged comes again, what is refused too often parks its person's
 * lane and no other, the operator retries or discards it, and a standby takes over.
 */
#include "support/peer.h"

#include <stdlib.h>
#include <string.h>
#include <ttg/proto/session.pb-c.h>

#define DUTY "one-service/duty"
#define QUIET_MS 200
#define MANY 4500 /* dead letters: as JSON more than the daemon keeps for a client at once */

static void what_is_not_acknowledged_comes_again_to_the_next_consumer(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *first = must_open_peer(stage, "one-service", NULL);
	first->habit = PEER_KEEPS;
	must_attach(stage, first, "duty");
	for (uint32_t i = 1; i <= 3; i++)
		must_accept(stage, prison, &(struct made_wish){ .number = i });
	must_get(stage, first, 3);
	must_be(ttg_client_ack(first->client, DUTY, 1) == TTG_OK, "acknowledge");
	must_settle(stage, DUTY, "queued", 2);
	peer_close(stage, &first);
	struct peer *second = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, second, "duty");
	must_get(stage, second, 2);
	assert_int_equal(made_number(second->got[0].id), 2);
	assert_int_equal(made_number(second->got[1].id), 3);
	assert_int_equal(second->got[0].position, 2);
	assert_true(second->got[0].attempt >= 2);
	must_settle(stage, DUTY, "queued", 0);
	must_have_passed(stage);
}

static void a_refused_delivery_comes_again_and_then_goes_through(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	service->habit = PEER_REFUSES;
	must_attach(stage, service, "duty");
	must_accept(stage, prison, &(struct made_wish){ .number = 1 });
	must_get(stage, service, 1);
	service->habit = PEER_ACKS;
	must_get(stage, service, 2);
	assert_int_equal(made_number(service->got[1].id), 1);
	assert_int_equal(service->got[1].attempt, 2);
	must_settle(stage, DUTY, "queued", 0);
	assert_int_equal(must_ask_mailbox(stage, DUTY, "parked"), 0);
	must_have_passed(stage);
}

static void order_of_a_person_holds_over_a_refusal(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	service->habit = PEER_KEEPS;
	must_attach(stage, service, "duty");
	for (uint32_t i = 1; i <= 3; i++)
		must_accept(stage, prison, &(struct made_wish){ .number = i });
	must_get(stage, service, 3);
	service->habit = PEER_ACKS;
	must_be(ttg_client_nack(service->client, DUTY, 1, TTG__NACK_REASON__NACK_TEMPORARY, "", 1) ==
			TTG_OK,
		"refuse");
	must_settle(stage, DUTY, "queued", 0);
	size_t n = service->n_got;
	assert_true(n >= 6);
	for (uint32_t i = 1; i <= 3; i++)
		assert_int_equal(made_number(service->got[n - 4 + i].id), i);
	must_have_passed(stage);
}

/* One event of A refused until it is parked, events of B going by. */
static struct peer *park_one(struct stage *stage, struct peer *prison)
{
	struct peer *service = must_open_peer(stage, "one-service", NULL);

	service->habit = PEER_REFUSES;
	must_attach(stage, service, "duty");
	must_accept(stage, prison, &(struct made_wish){ .noms = "A1111AA", .number = 1 });
	must_settle(stage, DUTY, "parked", 1);
	assert_int_equal(service->n_got, 3); /* max_attempts */
	service->habit = PEER_ACKS;
	must_accept(stage, prison, &(struct made_wish){ .noms = "A1111AA", .number = 2 });
	must_accept(stage, prison, &(struct made_wish){ .noms = "B2222BB", .number = 3 });
	must_get(stage, service, 4);
	assert_int_equal(made_number(service->got[3].id), 3);
	must_get_no_more(stage, service, 4, QUIET_MS);
	return service;
}

static void a_poisoned_event_parks_its_persons_lane_and_never_the_mailbox(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	park_one(stage, prison);
	json_t *letters = must_ask(stage, "deadletters", "list", DUTY, NULL);
	assert_int_equal(json_array_size(letters), 1);
	json_t *letter = json_array_get(letters, 0);
	assert_string_equal(json_string_value(json_object_get(letter, "mailbox")), DUTY);
	assert_string_equal(json_string_value(json_object_get(letter, "type")), "prison.released");
	assert_string_equal(json_string_value(json_object_get(letter, "reason")), "temporary");
	assert_string_equal(json_string_value(json_object_get(letter, "text")), "not now");
	assert_int_equal(json_integer_value(json_object_get(letter, "attempts")), 3);
	assert_int_equal(json_integer_value(json_object_get(letter, "behind")), 1);
	json_decref(letters);
	assert_int_equal(must_ask_mailbox(stage, DUTY, "held"), 1);
	/* It did not touch the other mailbox. */
	assert_int_equal(must_ask_mailbox(stage, "probation/inbox", "parked"), 0);
	must_have_passed(stage);
}

static void a_dead_letter_retried_goes_to_its_mailbox_alone_and_the_lane_goes_on(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *service = park_one(stage, prison);
	struct peer *probation = must_open_peer(stage, "probation", NULL);
	must_attach(stage, probation, "inbox");
	must_get(stage, probation, 3);
	json_t *answer = must_ask(stage, "deadletters", "retry", DUTY, NULL);
	assert_int_equal(
		json_integer_value(json_object_get(json_array_get(answer, 0), "retried")), 1);
	json_decref(answer);
	must_get(stage, service, 6);
	assert_int_equal(made_number(service->got[4].id), 1);
	assert_int_equal(service->got[4].attempt, 4); /* deliveries go on counting */
	assert_int_equal(made_number(service->got[5].id), 2);
	must_settle(stage, DUTY, "queued", 0);
	must_get_no_more(stage, probation, 3, QUIET_MS);
	must_have_passed(stage);
}

static void a_list_longer_than_the_daemons_buffer_comes_whole(void **state)
{
	struct stage *stage = *state;
	json_int_t before = 0;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	service->habit = PEER_DISOWNS;
	must_attach(stage, service, "duty");
	for (uint32_t i = 1; i <= MANY; i++)
		must_accept(stage, prison, &(struct made_wish){ .noms = "", .number = i });
	must_get(stage, service, MANY);
	must_settle(stage, DUTY, "parked", MANY);
	json_t *letters = must_ask(stage, "deadletters", "list", DUTY, NULL);
	assert_int_equal(json_array_size(letters), MANY);
	for (size_t i = 0; i < MANY; i++) {
		json_int_t position = json_integer_value(
			json_object_get(json_array_get(letters, i), "position"));

		assert_true(position > before);
		before = position;
	}
	json_decref(letters);
	must_have_passed(stage);
}

static void a_dead_letter_discarded_is_gone_and_the_lane_goes_on_after_a_restart(void **state)
{
	struct stage *stage = *state;
	char sequence[24];

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	park_one(stage, prison);
	process_kill(&stage->broker);
	must_start_broker(stage); /* dead letters are durable */
	json_t *letters = must_ask(stage, "deadletters", "list", NULL);
	assert_int_equal(json_array_size(letters), 1);
	snprintf(sequence, sizeof(sequence), "%lld",
		 (long long)json_integer_value(
			 json_object_get(json_array_get(letters, 0), "sequence")));
	json_decref(letters);
	json_decref(must_ask(stage, "deadletters", "discard", DUTY, sequence, NULL));
	must_settle(stage, DUTY, "queued", 0);
	letters = must_ask(stage, "deadletters", "list", NULL);
	assert_int_equal(json_array_size(letters), 0);
	json_decref(letters);
	struct ran again = must_run(stage, "ttgctl", "--socket", "control", "deadletters",
				    "discard", DUTY, sequence, NULL);
	assert_int_equal(again.code, 1);
	ran_free(&again);
	must_have_passed(stage);
}

static void a_delivery_that_does_not_belong_here_is_parked_at_once(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	service->habit = PEER_KEEPS;
	must_attach(stage, service, "duty");
	must_accept(stage, prison, &(struct made_wish){ .number = 1 });
	must_get(stage, service, 1);
	must_be(ttg_client_nack(service->client, DUTY, 1, TTG__NACK_REASON__NACK_NOT_OURS, "", 0) ==
			TTG_OK,
		"refuse");
	must_settle(stage, DUTY, "parked", 1);
	assert_int_equal(service->n_got, 1);
	must_have_passed(stage);
}

static void a_standby_takes_over_when_the_first_consumer_goes(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *first = must_open_peer(stage, "one-service", NULL);
	struct peer *second = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, first, "duty");
	assert_true(first->active);
	must_attach(stage, second, "duty");
	assert_false(second->active);
	must_accept(stage, prison, &(struct made_wish){ .number = 1 });
	must_get(stage, first, 1);
	must_settle(stage, DUTY, "queued", 0);
	assert_int_equal(second->n_got, 0);
	peer_close(stage, &first);
	must_accept(stage, prison, &(struct made_wish){ .number = 2 });
	must_get(stage, second, 1);
	assert_true(second->active);
	assert_int_equal(made_number(second->got[0].id), 2);
	must_have_passed(stage);
}

static bool was_told_no(void *arg)
{
	const struct peer *peer = arg;

	return peer->state_code == TTG_SESSION_MAILBOX;
}

static void another_agencys_mailbox_looks_like_one_that_does_not_exist(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *police = must_open_peer(stage, "police", NULL);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	must_be(ttg_client_attach(police->client, DUTY, 0) == TTG_OK, "attach");
	must_be(ttg_client_attach(prison->client, "one-service/nothing", 0) == TTG_OK, "attach");
	assert_true(peers_wait(stage, was_told_no, police, 10000));
	assert_true(peers_wait(stage, was_told_no, prison, 10000));
	/* The same words about both, but for the name that was asked for. */
	const char *one = strstr(police->state_text, ": "), *two = strstr(prison->state_text, ": ");
	assert_non_null(one);
	assert_non_null(two);
	assert_string_equal(one, two);
	must_accept(stage, prison, &(struct made_wish){ .number = 1 });
	must_get_no_more(stage, police, 0, QUIET_MS);
	must_have_passed(stage);
}

static void a_full_mailbox_makes_publishers_wait_and_loses_nothing(void **state)
{
	struct stage *stage = *state;

	snprintf(stage->box_options, sizeof(stage->box_options), "max_queued = 3;");
	must_write_agency(stage, "one-service", NULL, NULL);
	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	for (uint32_t i = 1; i <= 6; i++) {
		struct made made = must_make(&(struct made_wish){ .number = i });

		must_be(ttg_client_publish(prison->client, made.id, made.bytes, made.len, NULL) ==
				TTG_OK,
			"publish");
		made_free(&made);
	}
	must_settle(stage, DUTY, "queued", 3);
	must_get_no_more(stage, prison, 0, QUIET_MS);
	assert_int_equal(prison->n_outcomes, 3);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	must_get(stage, service, 6);
	for (uint32_t i = 0; i < 6; i++)
		assert_int_equal(made_number(service->got[i].id), i + 1);
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(what_is_not_acknowledged_comes_again_to_the_next_consumer),
		STAGE_TEST(a_refused_delivery_comes_again_and_then_goes_through),
		STAGE_TEST(order_of_a_person_holds_over_a_refusal),
		STAGE_TEST(a_poisoned_event_parks_its_persons_lane_and_never_the_mailbox),
		STAGE_TEST(a_dead_letter_retried_goes_to_its_mailbox_alone_and_the_lane_goes_on),
		STAGE_TEST(a_list_longer_than_the_daemons_buffer_comes_whole),
		STAGE_TEST(a_dead_letter_discarded_is_gone_and_the_lane_goes_on_after_a_restart),
		STAGE_TEST(a_delivery_that_does_not_belong_here_is_parked_at_once),
		STAGE_TEST(a_standby_takes_over_when_the_first_consumer_goes),
		STAGE_TEST(another_agencys_mailbox_looks_like_one_that_does_not_exist),
		STAGE_TEST(a_full_mailbox_makes_publishers_wait_and_loses_nothing),
	};

	return cmocka_run_group_tests_name("mailbox", tests, NULL, NULL);
}
