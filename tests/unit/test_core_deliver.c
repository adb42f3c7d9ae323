/* Delivering, acknowledging, refusing, parking, escalating: what a consumer sees of the core. */
#include "core_stage.h"

static void nothing_is_delivered_before_it_is_durable(void **state)
{
	struct stage *stage = stage_new(8, 100);

	(void)state;
	stage_attach(stage, BOX_ONESERVICE, 1, 10);
	stage_say(stage, TYPE_RELEASED, 1);
	core_pump(stage->core, &stage->now);
	assert_int_equal(stage->n_deliveries, 0);
	stage_settle(stage);
	assert_int_equal(stage->n_deliveries, 1);
	assert_int_equal(stage->deliveries[0].attempt, 1);
	assert_string_equal(stage->deliveries[0].agreement, "always");
	stage_free(&stage);
}

static void credit_bounds_what_is_in_flight(void **state)
{
	struct stage *stage = stage_new(4, 100);

	(void)state;
	for (unsigned int i = 0; i < 10; i++)
		stage_say(stage, TYPE_RELEASED, i);
	stage_attach(stage, BOX_ONESERVICE, 1, 3);
	stage_settle(stage);
	assert_int_equal(stage->n_deliveries, 3);
	assert_int_equal(core_ack(stage->core, &stage->now, 1, 3, NULL, 0), TTG_OK);
	stage_settle(stage);
	assert_int_equal(stage->n_deliveries, 3);
	assert_int_equal(core_credit(stage->core, 1, 7), TTG_OK);
	stage_settle(stage);
	assert_int_equal(core_ack(stage->core, &stage->now, 1, 7, NULL, 0), TTG_OK);
	stage_settle(stage);
	assert_int_equal(stage->n_deliveries, 10);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(stage->deliveries[i].position, i + 1);
	stage_free(&stage);
}

static void an_ack_of_what_was_never_delivered_changes_nothing(void **state)
{
	struct stage *stage = stage_new(8, 100);
	const uint64_t wrong[] = { 1, 3 }, right[] = { 2, 1 };

	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		stage_say(stage, TYPE_RELEASED, i);
	stage_attach(stage, BOX_ONESERVICE, 1, 2);
	stage_settle(stage);
	assert_int_equal(core_ack(stage->core, &stage->now, 1, 3, NULL, 0), TTG_SESSION_POSITION);
	assert_int_equal(core_ack(stage->core, &stage->now, 1, 0, wrong, 2), TTG_SESSION_POSITION);
	assert_int_equal(core_ack(stage->core, &stage->now, 2, 1, NULL, 0), TTG_ENOENT);
	assert_int_equal(stage_view(stage, BOX_ONESERVICE).queued, 3);
	assert_int_equal(core_ack(stage->core, &stage->now, 1, 0, right, 2), TTG_OK);
	assert_int_equal(core_ack(stage->core, &stage->now, 1, 0, right, 2), TTG_OK);
	assert_int_equal(stage_view(stage, BOX_ONESERVICE).queued, 1);
	assert_int_equal(stage_view(stage, BOX_ONESERVICE).acknowledged, 2);
	stage_free(&stage);
}

static void another_agencys_mailbox_and_an_unknown_one_look_the_same(void **state)
{
	struct stage *stage = stage_new(8, 100);

	(void)state;
	assert_int_equal(core_attach(stage->core, &stage->now, 1, "charity", "prison/in", 1),
			 TTG_SESSION_MAILBOX);
	assert_int_equal(core_attach(stage->core, &stage->now, 1, "charity", "prison/no", 1),
			 TTG_SESSION_MAILBOX);
	stage_free(&stage);
}

static void a_standby_takes_over_and_gets_what_was_in_flight_again(void **state)
{
	struct stage *stage = stage_new(8, 100);

	(void)state;
	stage_say(stage, TYPE_RELEASED, 1);
	stage_attach(stage, BOX_ONESERVICE, 1, 10);
	stage_attach(stage, BOX_ONESERVICE, 2, 10);
	assert_int_equal(stage->active, 1);
	stage_settle(stage);
	assert_int_equal(core_ack(stage->core, &stage->now, 2, 1, NULL, 0), TTG_SESSION_POSITION);
	core_detach(stage->core, &stage->now, 1);
	assert_int_equal(stage->active, 2);
	stage_settle(stage);
	assert_int_equal(stage->n_deliveries, 2);
	assert_int_equal(stage->deliveries[1].consumer, 2);
	assert_int_equal(stage->deliveries[1].attempt, 2);
	stage_free(&stage);
}

static void a_refusal_takes_back_what_follows_about_the_person_and_nobody_else(void **state)
{
	struct stage *stage = stage_new(8, 100);

	(void)state;
	stage_say(stage, TYPE_RELEASED, 1);
	stage_say(stage, TYPE_RELEASED, 1);
	stage_say(stage, TYPE_RELEASED, 2);
	stage_attach(stage, BOX_ONESERVICE, 1, 10);
	stage_settle(stage);
	assert_int_equal(core_nack(stage->core, &stage->now, 1, 1, 1, "later", 0), TTG_OK);
	assert_false(stage->nacked_parked);
	assert_int_equal(stage_view(stage, BOX_ONESERVICE).in_flight, 1);
	/* The void one is neither counted nor acknowledged. */
	assert_int_equal(core_nack(stage->core, &stage->now, 1, 2, 1, "", 0), TTG_OK);
	assert_int_equal(core_ack(stage->core, &stage->now, 1, 3, NULL, 0), TTG_OK);
	assert_int_equal(stage_view(stage, BOX_ONESERVICE).queued, 2);
	stage_settle(stage);
	assert_int_equal(stage->n_deliveries, 3);
	stage_wait(stage, 101 * 1000000);
	stage_settle(stage);
	assert_int_equal(stage->n_deliveries, 5);
	assert_int_equal(stage->deliveries[3].position, 1);
	assert_int_equal(stage->deliveries[3].attempt, 2);
	assert_int_equal(stage->deliveries[4].position, 2);
	stage_free(&stage);
}

static bool count_letter(void *arg, const struct core_dead_letter *letter)
{
	struct core_dead_letter *out = arg;

	*out = *letter;
	return true;
}

static void a_poisoned_event_parks_its_person_and_the_mailbox_goes_on(void **state)
{
	struct stage *stage = stage_new(4, 100);
	struct core_dead_letter letter = { 0 };
	uint64_t poisoned = stage_say(stage, TYPE_RELEASED, 1);

	(void)state;
	for (unsigned int i = 0; i < 6; i++)
		stage_say(stage, TYPE_RELEASED, 1);
	for (unsigned int i = 0; i < 20; i++)
		stage_say(stage, TYPE_RELEASED, 2);
	stage_attach(stage, BOX_ONESERVICE, 1, 100);
	stage_settle(stage);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(core_nack(stage->core, &stage->now, 1, 1, 3, "bad", 0), TTG_OK);
		stage_wait(stage, STAGE_SECOND);
		stage_settle(stage);
	}
	assert_true(stage->nacked_parked);
	for (int i = 0; i < 10; i++) {
		for (size_t k = 0; k < stage->n_deliveries; k++)
			if (stage->deliveries[k].position > 7)
				core_ack(stage->core, &stage->now, 1, 0,
					 &stage->deliveries[k].position, 1);
		stage_settle(stage);
	}
	assert_int_equal(stage_view(stage, BOX_ONESERVICE).queued, 7);
	assert_int_equal(stage_view(stage, BOX_ONESERVICE).parked, 1);
	core_dead_letters(stage->core, NULL, count_letter, &letter);
	assert_int_equal(letter.sequence, poisoned);
	assert_int_equal(letter.behind, 6);
	assert_string_equal(letter.type, "prison.released");
	assert_string_equal(letter.text, "bad");
	/* The desk was told. */
	assert_int_equal(stage_view(stage, BOX_DESK).queued, 1);
	stage->n_deliveries = 0;
	assert_int_equal(core_dead_letter_retry(stage->core, &stage->now, "oneservice/in", 99),
			 TTG_ENOENT);
	assert_int_equal(core_dead_letter_retry(stage->core, &stage->now, "oneservice/in", poisoned),
			 TTG_OK);
	core_credit(stage->core, 1, 100);
	stage_settle(stage);
	for (uint64_t i = 1; i <= 7; i++) {
		core_ack(stage->core, &stage->now, 1, i, NULL, 0);
		stage_settle(stage);
	}
	assert_int_equal(stage->n_deliveries, 7);
	for (size_t i = 0; i < 7; i++)
		assert_int_equal(stage->deliveries[i].position, i + 1);
	assert_int_equal(stage_view(stage, BOX_ONESERVICE).queued, 0);
	assert_int_equal(stage_view(stage, BOX_ONESERVICE).acknowledged, 27);
	stage_free(&stage);
}

static void a_discarded_dead_letter_lets_the_held_ones_go(void **state)
{
	struct stage *stage = stage_new(8, 100);
	uint64_t first = stage_say(stage, TYPE_RELEASED, 1);

	(void)state;
	stage_say(stage, TYPE_RELEASED, 1);
	stage_attach(stage, BOX_ONESERVICE, 1, 10);
	stage_settle(stage);
	assert_int_equal(core_nack(stage->core, &stage->now, 1, 1, 5, "not ours", 0), TTG_OK);
	assert_true(stage->nacked_parked);
	assert_int_equal(stage_view(stage, BOX_ONESERVICE).held, 1);
	assert_int_equal(core_dead_letter_discard(stage->core, &stage->now, "oneservice/in", first),
			 TTG_OK);
	stage_settle(stage);
	assert_int_equal(stage->n_deliveries, 3);
	assert_int_equal(stage->deliveries[2].position, 2);
	stage_free(&stage);
}

static void held_events_are_bounded_and_the_rest_waits_in_the_journal(void **state)
{
	struct stage *stage = stage_new(2, 3);

	(void)state;
	stage_attach(stage, BOX_ONESERVICE, 1, 100);
	for (unsigned int i = 0; i < 30; i++)
		stage_say(stage, TYPE_RELEASED, 1);
	stage_settle(stage);
	assert_int_equal(core_nack(stage->core, &stage->now, 1, 1, 5, "", 0), TTG_OK);
	stage_settle(stage);
	stage_settle(stage);
	assert_true(stage_view(stage, BOX_ONESERVICE).held <= 3 + 2);
	assert_int_equal(stage_view(stage, BOX_ONESERVICE).queued, 30);
	assert_int_equal(stage_noted(stage, "mailbox_held_full"), 1);
	stage_free(&stage);
}

static void an_urgent_event_nobody_acknowledges_goes_to_the_fallback_once(void **state)
{
	struct stage *stage = stage_new(8, 100);
	uint64_t left = stage_say(stage, TYPE_ARREST, 1);

	(void)state;
	stage_say(stage, TYPE_ARREST, 2);
	stage_attach(stage, BOX_ONESERVICE, 1, 10);
	stage_attach(stage, BOX_DESK, 2, 10);
	stage_settle(stage);
	assert_int_equal(core_ack(stage->core, &stage->now, 1, 0, &(uint64_t){ 2 }, 1), TTG_OK);
	stage_wait(stage, 59 * STAGE_SECOND);
	stage_settle(stage);
	assert_int_equal(stage->n_deliveries, 2);
	stage_wait(stage, STAGE_SECOND);
	stage_settle(stage);
	assert_int_equal(stage->n_deliveries, 3);
	assert_int_equal(stage->deliveries[2].consumer, 2);
	assert_string_equal(stage->deliveries[2].type, "broker.alert_unacknowledged");
	stage_restart(stage, stage->n_records, NULL, 0);
	stage_wait(stage, 600 * STAGE_SECOND);
	stage_settle(stage);
	assert_int_equal(stage_view(stage, BOX_DESK).next_position, 2);
	assert_true(left > 0);
	stage_free(&stage);
}

static void a_crash_between_alert_and_record_does_not_tell_it_twice(void **state)
{
	struct stage *stage = stage_new(8, 100);

	(void)state;
	stage_say(stage, TYPE_ARREST, 1);
	stage_settle(stage);
	stage_wait(stage, 61 * STAGE_SECOND);
	stage_settle(stage);
	assert_int_equal(stage->records[stage->n_records - 1].kind, RECORD_ESCALATED);
	stage_restart(stage, stage->n_records - 1, NULL, 0);
	stage_settle(stage);
	assert_int_equal(stage->records[stage->n_records - 1].kind, RECORD_ESCALATED);
	assert_int_equal(stage_view(stage, BOX_DESK).queued, 1);
	stage_free(&stage);
}

static void an_event_whose_agreement_ended_is_stopped_when_its_turn_comes(void **state)
{
	struct stage *stage = stage_new(8, 100);

	(void)state;
	stage_say(stage, TYPE_RELEASED, 1);
	stage_settle(stage);
	stage_wait(stage, 3601 * STAGE_SECOND);
	stage_attach(stage, BOX_POLICE, 1, 10);
	stage_settle(stage);
	assert_int_equal(stage->n_deliveries, 0);
	assert_int_equal(stage_view(stage, BOX_POLICE).stopped, 1);
	assert_int_equal(stage_view(stage, BOX_POLICE).queued, 0);
	stage_free(&stage);
}

static void an_expired_event_is_dropped_and_recorded(void **state)
{
	struct stage *stage = stage_new(8, 100);
	struct stage_event event;

	(void)state;
	stage_event(stage, &event, TYPE_RELEASED, 1);
	event.expires.unix_ns = stage->now.real_ns + STAGE_SECOND;
	event.event.expires_at = &event.expires;
	assert_int_equal(stage_publish(stage, &event).kind, CORE_ACCEPTED);
	stage_settle(stage);
	stage_wait(stage, STAGE_SECOND);
	stage_attach(stage, BOX_ONESERVICE, 1, 10);
	stage_settle(stage);
	assert_int_equal(stage->n_deliveries, 0);
	assert_int_equal(stage_view(stage, BOX_ONESERVICE).expired, 1);
	/* The publisher still gets the first answer. */
	assert_int_equal(stage_publish(stage, &event).kind, CORE_DUPLICATE);
	stage_free(&stage);
}

static void giving_up_leaves_what_is_newer(void **state)
{
	struct stage *stage = stage_new(2, 100);
	uint64_t from = 0, given_up = 0;

	(void)state;
	for (unsigned int i = 0; i < 10; i++) {
		uint64_t sequence = stage_say(stage, TYPE_RELEASED, i);

		from = i == 6 ? sequence : from;
	}
	stage_settle(stage);
	assert_int_equal(core_give_up(stage->core, &stage->now, from, &given_up), TTG_OK);
	assert_int_equal(given_up, 12); /* six in each of two mailboxes */
	assert_int_equal(core_low_water(stage->core), from);
	stage_restart(stage, stage->n_records, NULL, 0);
	assert_int_equal(core_low_water(stage->core), from);
	stage_attach(stage, BOX_ONESERVICE, 1, 10);
	stage_settle(stage);
	core_ack(stage->core, &stage->now, 1, 8, NULL, 0);
	stage_settle(stage);
	assert_int_equal(stage->n_deliveries, 4);
	assert_int_equal(stage->deliveries[0].position, 7);
	stage_free(&stage);
}

static void a_journal_that_is_busy_delays_and_loses_nothing(void **state)
{
	struct stage *stage = stage_new(8, 100);
	struct stage_event event;

	(void)state;
	stage_say(stage, TYPE_RELEASED, 1);
	stage_attach(stage, BOX_ONESERVICE, 1, 10);
	stage->durable = stage->n_records;
	core_durable(stage->core, stage->durable);
	stage->append_fails = TTG_EAGAIN;
	assert_true(core_pump(stage->core, &stage->now) < INT64_MAX);
	assert_int_equal(core_ack(stage->core, &stage->now, 1, 1, NULL, 0), TTG_EAGAIN);
	stage_event(stage, &event, TYPE_RELEASED, 2);
	assert_int_equal(stage_publish(stage, &event).code, TTG_REFUSED_BUSY);
	stage->append_fails = TTG_ENOSPC;
	assert_int_equal(stage_publish(stage, &event).code, TTG_REFUSED_STORAGE);
	stage->append_fails = TTG_OK;
	assert_int_equal(stage_publish(stage, &event).kind, CORE_ACCEPTED);
	assert_int_equal(core_ack(stage->core, &stage->now, 1, 1, NULL, 0), TTG_OK);
	assert_int_equal(stage->records[stage->n_records - 2].kind, RECORD_DELIVERED);
	assert_int_equal(stage->records[stage->n_records - 1].kind, RECORD_ACK);
	stage_free(&stage);
}

static void a_record_that_must_be_fetched_is_asked_for_again(void **state)
{
	struct stage *stage = stage_new(8, 100);

	(void)state;
	stage_say(stage, TYPE_RELEASED, 1);
	stage_attach(stage, BOX_ONESERVICE, 1, 10);
	stage->durable = stage->n_records;
	core_durable(stage->core, stage->durable);
	stage->read_fails = TTG_EAGAIN;
	assert_true(core_pump(stage->core, &stage->now) > stage->now.mono_ns);
	assert_int_equal(stage->n_deliveries, 0);
	stage->read_fails = TTG_OK;
	stage_settle(stage);
	assert_int_equal(stage->n_deliveries, 1);
	stage_free(&stage);
}

static void a_consumer_that_takes_no_more_is_given_the_rest_later(void **state)
{
	struct stage *stage = stage_new(8, 100);

	(void)state;
	for (unsigned int i = 0; i < 4; i++)
		stage_say(stage, TYPE_RELEASED, i);
	stage_attach(stage, BOX_ONESERVICE, 1, 10);
	stage->deliver_room = 2;
	stage_settle(stage);
	assert_int_equal(stage->n_deliveries, 2);
	stage->deliver_room = UINT32_MAX;
	stage_settle(stage);
	assert_int_equal(stage->n_deliveries, 4);
	stage_free(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_delivered_before_it_is_durable),
		cmocka_unit_test(credit_bounds_what_is_in_flight),
		cmocka_unit_test(an_ack_of_what_was_never_delivered_changes_nothing),
		cmocka_unit_test(another_agencys_mailbox_and_an_unknown_one_look_the_same),
		cmocka_unit_test(a_standby_takes_over_and_gets_what_was_in_flight_again),
		cmocka_unit_test(a_refusal_takes_back_what_follows_about_the_person_and_nobody_else),
		cmocka_unit_test(a_poisoned_event_parks_its_person_and_the_mailbox_goes_on),
		cmocka_unit_test(a_discarded_dead_letter_lets_the_held_ones_go),
		cmocka_unit_test(held_events_are_bounded_and_the_rest_waits_in_the_journal),
		cmocka_unit_test(an_urgent_event_nobody_acknowledges_goes_to_the_fallback_once),
		cmocka_unit_test(a_crash_between_alert_and_record_does_not_tell_it_twice),
		cmocka_unit_test(an_event_whose_agreement_ended_is_stopped_when_its_turn_comes),
		cmocka_unit_test(an_expired_event_is_dropped_and_recorded),
		cmocka_unit_test(giving_up_leaves_what_is_newer),
		cmocka_unit_test(a_journal_that_is_busy_delays_and_loses_nothing),
		cmocka_unit_test(a_record_that_must_be_fetched_is_asked_for_again),
		cmocka_unit_test(a_consumer_that_takes_no_more_is_given_the_rest_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
