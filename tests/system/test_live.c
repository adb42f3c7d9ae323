/*
 * One event's way: from an agency's key to the mailboxes its agreement names, in order, once, and
 * over a restart of the broker.
 */
#include "support/peer.h"

#include <stdlib.h>
#include <string.h>

static void an_event_reaches_every_mailbox_its_agreement_names(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	struct peer *probation = must_open_peer(stage, "probation", NULL);
	must_attach(stage, service, "duty");
	must_attach(stage, service, "desk");
	must_attach(stage, probation, "probation/inbox");
	must_accept(stage, prison, &(struct made_wish){ .number = 7 });
	must_get(stage, service, 1);
	must_get(stage, probation, 1);
	assert_string_equal(service->got[0].mailbox, "one-service/duty");
	assert_string_equal(service->got[0].type, "prison.released");
	assert_string_equal(service->got[0].source, "prison");
	assert_int_equal(service->got[0].attempt, 1);
	assert_int_equal(made_number(service->got[0].id), 7);
	assert_string_equal(probation->got[0].mailbox, "probation/inbox");
	must_get_no_more(stage, service, 1, 100);
	must_have_passed(stage);
}

static void a_referral_reaches_only_the_provider_it_names(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	struct peer *housing = must_open_peer(stage, "housing", NULL);
	must_attach(stage, housing, "referrals");
	must_accept(stage, service, &(struct made_wish){ .type = "referral.sent", .number = 1 });
	must_get(stage, housing, 1);
	assert_int_equal(made_number(housing->got[0].id), 1);
	must_be_refused(stage, service,
		    &(struct made_wish){ .type = "referral.sent", .provider = "prison" },
		    TTG_REFUSED_RECIPIENT);
	must_get_no_more(stage, housing, 1, 100);
	must_have_passed(stage);
}

static void events_about_one_person_arrive_in_the_order_accepted(void **state)
{
	enum { EVENTS = 300, PERSONS = 7 };
	struct stage *stage = *state;
	uint32_t last[PERSONS] = { 0 };

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	for (uint32_t i = 1; i <= EVENTS; i++) {
		char noms[16];

		snprintf(noms, sizeof(noms), "A%04uBC", (unsigned)(i % PERSONS));
		struct made made = must_make(&(struct made_wish){ .noms = noms, .number = i });
		must_be(ttg_client_publish(prison->client, made.id, made.bytes, made.len, NULL) ==
				TTG_OK,
			"publish");
		made_free(&made);
	}
	must_get(stage, service, EVENTS);
	for (size_t i = 0; i < EVENTS; i++) {
		uint32_t number = made_number(service->got[i].id);

		assert_true(number > last[number % PERSONS]);
		last[number % PERSONS] = number;
		assert_int_equal(service->got[i].position, i + 1);
	}
	must_have_passed(stage);
}

static void the_same_person_has_the_same_key_and_another_has_another(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	must_accept(stage, prison, &(struct made_wish){ .noms = "A1111AA" });
	must_accept(stage, prison, &(struct made_wish){ .noms = "a1111aa" });
	must_accept(stage, prison, &(struct made_wish){ .noms = "A2222AA" });
	must_accept(stage, prison, &(struct made_wish){ .noms = "" });
	must_get(stage, service, 4);
	assert_memory_equal(service->got[0].person_key, service->got[1].person_key,
			    TTG_PERSON_KEY_BYTES);
	assert_memory_not_equal(service->got[0].person_key, service->got[2].person_key,
				TTG_PERSON_KEY_BYTES);
	assert_false(service->got[3].has_person);
	must_have_passed(stage);
}

static void a_duplicate_gets_the_first_answer_again_and_is_not_delivered_twice(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	struct made first = must_make(&(struct made_wish){ .number = 1 });
	struct made again = first, later = first;
	again.bytes = memcpy(malloc(first.len), first.bytes, first.len);
	later.bytes = memcpy(malloc(first.len), first.bytes, first.len);
	struct peer_outcome one = must_publish(stage, prison, first);
	struct peer_outcome two = must_publish(stage, prison, again);
	assert_int_equal(one.code, TTG_OK);
	assert_false(one.duplicate);
	assert_int_equal(two.code, TTG_OK);
	assert_true(two.duplicate);
	assert_int_equal(two.sequence, one.sequence);
	must_get(stage, service, 1);

	/* The broker forgets nothing of it over a restart. */
	assert_int_equal(must_stop_broker(stage), 0);
	must_start_broker(stage);
	struct peer_outcome three = must_publish(stage, prison, later);
	assert_true(three.duplicate);
	assert_int_equal(three.sequence, one.sequence);
	must_get_no_more(stage, service, 1, 200);
	must_have_passed(stage);
}

static void what_nobody_fetched_waits_over_a_restart(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	for (uint32_t i = 1; i <= 20; i++)
		must_accept(stage, prison, &(struct made_wish){ .number = i });
	process_kill(&stage->broker);
	must_start_broker(stage);
	assert_int_equal(must_ask_mailbox(stage, "one-service/duty", "queued"), 20);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	must_get(stage, service, 20);
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(made_number(service->got[i].id), i + 1);
	must_have_passed(stage);
}

static void what_was_acknowledged_does_not_come_again_after_a_restart(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	for (uint32_t i = 1; i <= 5; i++)
		must_accept(stage, prison, &(struct made_wish){ .number = i });
	must_get(stage, service, 5);
	must_settle(stage, "one-service/duty", "queued", 0);
	peer_close(stage, &service);
	assert_int_equal(must_stop_broker(stage), 0);
	must_start_broker(stage);
	service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	must_accept(stage, prison, &(struct made_wish){ .number = 6 });
	must_get(stage, service, 1);
	assert_int_equal(made_number(service->got[0].id), 6);
	must_have_passed(stage);
}

static void an_event_past_its_expiry_is_not_delivered(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_be_refused(stage, prison,
		    &(struct made_wish){ .expires_ns = made_now_ns() - 1000000000,
					 .occurred_ns = made_now_ns() - 2000000000 },
		    TTG_REFUSED_EXPIRED);
	must_accept(stage, prison,
		    &(struct made_wish){ .number = 1, .expires_ns = made_now_ns() + 300000000 });
	must_accept(stage, prison, &(struct made_wish){ .number = 2 });
	must_get_no_more(stage, service, 0, 400);
	must_attach(stage, service, "duty");
	must_get(stage, service, 1);
	assert_int_equal(made_number(service->got[0].id), 2);
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(an_event_reaches_every_mailbox_its_agreement_names),
		STAGE_TEST(a_referral_reaches_only_the_provider_it_names),
		STAGE_TEST(events_about_one_person_arrive_in_the_order_accepted),
		STAGE_TEST(the_same_person_has_the_same_key_and_another_has_another),
		STAGE_TEST(a_duplicate_gets_the_first_answer_again_and_is_not_delivered_twice),
		STAGE_TEST(what_nobody_fetched_waits_over_a_restart),
		STAGE_TEST(what_was_acknowledged_does_not_come_again_after_a_restart),
		STAGE_TEST(an_event_past_its_expiry_is_not_delivered),
	};

	return cmocka_run_group_tests_name("live", tests, NULL, NULL);
}
