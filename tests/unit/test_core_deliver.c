/* Delivering, acknowledging, refusing, parking, escalating: what a consumer sees of the core. */
#include "support/core_play.h"

static void nothing_is_delivered_before_it_is_durable(void **state)
{
	struct play *play = play_new(8, 100);

	(void)state;
	play_attach(play, BOX_ONESERVICE, 1, 10);
	play_say(play, TYPE_RELEASED, 1);
	core_pump(play->core, &play->now);
	assert_int_equal(play->n_deliveries, 0);
	play_settle(play);
	assert_int_equal(play->n_deliveries, 1);
	assert_int_equal(play->deliveries[0].attempt, 1);
	assert_string_equal(play->deliveries[0].agreement, "always");
	play_free(&play);
}

static void credit_bounds_what_is_in_flight(void **state)
{
	struct play *play = play_new(4, 100);

	(void)state;
	for (unsigned int i = 0; i < 10; i++)
		play_say(play, TYPE_RELEASED, i);
	play_attach(play, BOX_ONESERVICE, 1, 3);
	play_settle(play);
	assert_int_equal(play->n_deliveries, 3);
	assert_int_equal(core_ack(play->core, &play->now, 1, 3, NULL, 0), TTG_OK);
	play_settle(play);
	assert_int_equal(play->n_deliveries, 3);
	assert_int_equal(core_credit(play->core, 1, 7), TTG_OK);
	play_settle(play);
	assert_int_equal(core_ack(play->core, &play->now, 1, 7, NULL, 0), TTG_OK);
	play_settle(play);
	assert_int_equal(play->n_deliveries, 10);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(play->deliveries[i].position, i + 1);
	play_free(&play);
}

static void an_ack_of_what_was_never_delivered_changes_nothing(void **state)
{
	struct play *play = play_new(8, 100);
	const uint64_t wrong[] = { 1, 3 }, right[] = { 2, 1 };

	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		play_say(play, TYPE_RELEASED, i);
	play_attach(play, BOX_ONESERVICE, 1, 2);
	play_settle(play);
	assert_int_equal(core_ack(play->core, &play->now, 1, 3, NULL, 0), TTG_SESSION_POSITION);
	assert_int_equal(core_ack(play->core, &play->now, 1, 0, wrong, 2), TTG_SESSION_POSITION);
	assert_int_equal(core_ack(play->core, &play->now, 2, 1, NULL, 0), TTG_ENOENT);
	assert_int_equal(play_view(play, BOX_ONESERVICE).queued, 3);
	assert_int_equal(core_ack(play->core, &play->now, 1, 0, right, 2), TTG_OK);
	assert_int_equal(core_ack(play->core, &play->now, 1, 0, right, 2), TTG_OK);
	assert_int_equal(play_view(play, BOX_ONESERVICE).queued, 1);
	assert_int_equal(play_view(play, BOX_ONESERVICE).acknowledged, 2);
	play_free(&play);
}

static void another_agencys_mailbox_and_an_unknown_one_look_the_same(void **state)
{
	struct play *play = play_new(8, 100);

	(void)state;
	assert_int_equal(core_attach(play->core, &play->now, 1, "charity", "prison/in", 1),
			 TTG_SESSION_MAILBOX);
	assert_int_equal(core_attach(play->core, &play->now, 1, "charity", "prison/no", 1),
			 TTG_SESSION_MAILBOX);
	play_free(&play);
}

static void a_standby_takes_over_and_gets_what_was_in_flight_again(void **state)
{
	struct play *play = play_new(8, 100);

	(void)state;
	play_say(play, TYPE_RELEASED, 1);
	play_attach(play, BOX_ONESERVICE, 1, 10);
	play_attach(play, BOX_ONESERVICE, 2, 10);
	assert_int_equal(play->active, 1);
	play_settle(play);
	assert_int_equal(core_ack(play->core, &play->now, 2, 1, NULL, 0), TTG_SESSION_POSITION);
	core_detach(play->core, &play->now, 1);
	assert_int_equal(play->active, 2);
	play_settle(play);
	assert_int_equal(play->n_deliveries, 2);
	assert_int_equal(play->deliveries[1].consumer, 2);
	assert_int_equal(play->deliveries[1].attempt, 2);
	play_free(&play);
}

static void a_refusal_takes_back_what_follows_about_the_person_and_nobody_else(void **state)
{
	struct play *play = play_new(8, 100);

	(void)state;
	play_say(play, TYPE_RELEASED, 1);
	play_say(play, TYPE_RELEASED, 1);
	play_say(play, TYPE_RELEASED, 2);
	play_attach(play, BOX_ONESERVICE, 1, 10);
	play_settle(play);
	assert_int_equal(core_nack(play->core, &play->now, 1, 1, 1, "later", 0), TTG_OK);
	assert_false(play->nacked_parked);
	assert_int_equal(play_view(play, BOX_ONESERVICE).in_flight, 1);
	/* The void one is neither counted nor acknowledged. */
	assert_int_equal(core_nack(play->core, &play->now, 1, 2, 1, "", 0), TTG_OK);
	assert_int_equal(core_ack(play->core, &play->now, 1, 3, NULL, 0), TTG_OK);
	assert_int_equal(play_view(play, BOX_ONESERVICE).queued, 2);
	play_settle(play);
	assert_int_equal(play->n_deliveries, 3);
	play_wait(play, 101 * 1000000);
	play_settle(play);
	assert_int_equal(play->n_deliveries, 5);
	assert_int_equal(play->deliveries[3].position, 1);
	assert_int_equal(play->deliveries[3].attempt, 2);
	assert_int_equal(play->deliveries[4].position, 2);
	play_free(&play);
}

static bool count_letter(void *arg, const struct core_dead_letter *letter)
{
	struct core_dead_letter *out = arg;

	*out = *letter;
	return true;
}

static void a_poisoned_event_parks_its_person_and_the_mailbox_goes_on(void **state)
{
	struct play *play = play_new(4, 100);
	struct core_dead_letter letter = { 0 };
	uint64_t poisoned = play_say(play, TYPE_RELEASED, 1);

	(void)state;
	for (unsigned int i = 0; i < 6; i++)
		play_say(play, TYPE_RELEASED, 1);
	for (unsigned int i = 0; i < 20; i++)
		play_say(play, TYPE_RELEASED, 2);
	play_attach(play, BOX_ONESERVICE, 1, 100);
	play_settle(play);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(core_nack(play->core, &play->now, 1, 1, 3, "bad", 0), TTG_OK);
		play_wait(play, PLAY_SECOND);
		play_settle(play);
	}
	assert_true(play->nacked_parked);
	for (int i = 0; i < 10; i++) {
		for (size_t k = 0; k < play->n_deliveries; k++)
			if (play->deliveries[k].position > 7)
				core_ack(play->core, &play->now, 1, 0,
					 &play->deliveries[k].position, 1);
		play_settle(play);
	}
	assert_int_equal(play_view(play, BOX_ONESERVICE).queued, 7);
	assert_int_equal(play_view(play, BOX_ONESERVICE).parked, 1);
	core_dead_letters(play->core, NULL, 0, count_letter, &letter);
	assert_int_equal(letter.sequence, poisoned);
	assert_int_equal(letter.behind, 6);
	assert_string_equal(letter.type, "prison.released");
	assert_string_equal(letter.text, "bad");
	/* The desk was told. */
	assert_int_equal(play_view(play, BOX_DESK).queued, 1);
	play->n_deliveries = 0;
	assert_int_equal(core_dead_letter_retry(play->core, &play->now, "oneservice/in", 99),
			 TTG_ENOENT);
	assert_int_equal(core_dead_letter_retry(play->core, &play->now, "oneservice/in", poisoned),
			 TTG_OK);
	core_credit(play->core, 1, 100);
	play_settle(play);
	for (uint64_t i = 1; i <= 7; i++) {
		core_ack(play->core, &play->now, 1, i, NULL, 0);
		play_settle(play);
	}
	assert_int_equal(play->n_deliveries, 7);
	for (size_t i = 0; i < 7; i++)
		assert_int_equal(play->deliveries[i].position, i + 1);
	assert_int_equal(play_view(play, BOX_ONESERVICE).queued, 0);
	assert_int_equal(play_view(play, BOX_ONESERVICE).acknowledged, 27);
	play_free(&play);
}

static void a_discarded_dead_letter_lets_the_held_ones_go(void **state)
{
	struct play *play = play_new(8, 100);
	uint64_t first = play_say(play, TYPE_RELEASED, 1);

	(void)state;
	play_say(play, TYPE_RELEASED, 1);
	play_attach(play, BOX_ONESERVICE, 1, 10);
	play_settle(play);
	assert_int_equal(core_nack(play->core, &play->now, 1, 1, 5, "not ours", 0), TTG_OK);
	assert_true(play->nacked_parked);
	assert_int_equal(play_view(play, BOX_ONESERVICE).held, 1);
	assert_int_equal(core_dead_letter_discard(play->core, &play->now, "oneservice/in", first),
			 TTG_OK);
	play_settle(play);
	assert_int_equal(play->n_deliveries, 3);
	assert_int_equal(play->deliveries[2].position, 2);
	play_free(&play);
}

static void held_events_are_bounded_and_the_rest_waits_in_the_journal(void **state)
{
	struct play *play = play_new(2, 3);

	(void)state;
	play_attach(play, BOX_ONESERVICE, 1, 100);
	for (unsigned int i = 0; i < 30; i++)
		play_say(play, TYPE_RELEASED, 1);
	play_settle(play);
	assert_int_equal(core_nack(play->core, &play->now, 1, 1, 5, "", 0), TTG_OK);
	play_settle(play);
	play_settle(play);
	assert_true(play_view(play, BOX_ONESERVICE).held <= 3 + 2);
	assert_int_equal(play_view(play, BOX_ONESERVICE).queued, 30);
	assert_int_equal(play_noted(play, "mailbox_held_full"), 1);
	play_free(&play);
}

static void an_urgent_event_nobody_acknowledges_goes_to_the_fallback_once(void **state)
{
	struct play *play = play_new(8, 100);
	uint64_t left = play_say(play, TYPE_ARREST, 1);

	(void)state;
	play_say(play, TYPE_ARREST, 2);
	play_attach(play, BOX_ONESERVICE, 1, 10);
	play_attach(play, BOX_DESK, 2, 10);
	play_settle(play);
	assert_int_equal(core_ack(play->core, &play->now, 1, 0, &(uint64_t){ 2 }, 1), TTG_OK);
	play_wait(play, 59 * PLAY_SECOND);
	play_settle(play);
	assert_int_equal(play->n_deliveries, 2);
	play_wait(play, PLAY_SECOND);
	play_settle(play);
	assert_int_equal(play->n_deliveries, 3);
	assert_int_equal(play->deliveries[2].consumer, 2);
	assert_string_equal(play->deliveries[2].type, "broker.alert_unacknowledged");
	play_restart(play, play->n_records, NULL, 0);
	play_wait(play, 600 * PLAY_SECOND);
	play_settle(play);
	assert_int_equal(play_view(play, BOX_DESK).next_position, 2);
	assert_true(left > 0);
	play_free(&play);
}

static void a_crash_between_alert_and_record_does_not_tell_it_twice(void **state)
{
	struct play *play = play_new(8, 100);

	(void)state;
	play_say(play, TYPE_ARREST, 1);
	play_settle(play);
	play_wait(play, 61 * PLAY_SECOND);
	play_settle(play);
	assert_int_equal(play->records[play->n_records - 1].kind, RECORD_ESCALATED);
	play_restart(play, play->n_records - 1, NULL, 0);
	play_settle(play);
	assert_int_equal(play->records[play->n_records - 1].kind, RECORD_ESCALATED);
	assert_int_equal(play_view(play, BOX_DESK).queued, 1);
	play_free(&play);
}

static void an_event_whose_agreement_ended_is_stopped_when_its_turn_comes(void **state)
{
	struct play *play = play_new(8, 100);

	(void)state;
	play_say(play, TYPE_RELEASED, 1);
	play_settle(play);
	play_wait(play, 3601 * PLAY_SECOND);
	play_attach(play, BOX_POLICE, 1, 10);
	play_settle(play);
	assert_int_equal(play->n_deliveries, 0);
	assert_int_equal(play_view(play, BOX_POLICE).stopped, 1);
	assert_int_equal(play_view(play, BOX_POLICE).queued, 0);
	play_free(&play);
}

static void an_expired_event_is_dropped_and_recorded(void **state)
{
	struct play *play = play_new(8, 100);
	struct play_event event;

	(void)state;
	play_event(play, &event, TYPE_RELEASED, 1);
	event.expires.unix_ns = play->now.real_ns + PLAY_SECOND;
	event.event.expires_at = &event.expires;
	assert_int_equal(play_publish(play, &event).kind, CORE_ACCEPTED);
	play_settle(play);
	play_wait(play, PLAY_SECOND);
	play_attach(play, BOX_ONESERVICE, 1, 10);
	play_settle(play);
	assert_int_equal(play->n_deliveries, 0);
	assert_int_equal(play_view(play, BOX_ONESERVICE).expired, 1);
	/* The publisher still gets the first answer. */
	assert_int_equal(play_publish(play, &event).kind, CORE_DUPLICATE);
	play_free(&play);
}

/* Else a crash could bring back the older event behind the newer one, when the clock went back. */
static void what_follows_an_expired_event_waits_until_that_is_durable(void **state)
{
	struct play *play = play_new(8, 100);
	struct play_event event;
	uint64_t durable;

	(void)state;
	play_event(play, &event, TYPE_RELEASED, 1);
	event.expires.unix_ns = play->now.real_ns + PLAY_SECOND;
	event.event.expires_at = &event.expires;
	assert_int_equal(play_publish(play, &event).kind, CORE_ACCEPTED);
	play_say(play, TYPE_RELEASED, 1);
	play_settle(play);
	play_wait(play, PLAY_SECOND);
	durable = play->n_records;
	play_attach(play, BOX_ONESERVICE, 1, 10);
	for (int i = 0; i < 3; i++)
		core_pump(play->core, &play->now);
	assert_int_equal(play_view(play, BOX_ONESERVICE).expired, 1);
	assert_int_equal(play->n_deliveries, 0);
	/* The record is lost, the clock goes back: both come, in order. */
	play_restart(play, durable, NULL, 0);
	play->now.real_ns -= PLAY_SECOND;
	play_attach(play, BOX_ONESERVICE, 2, 10);
	play_settle(play);
	assert_int_equal(play->n_deliveries, 2);
	assert_int_equal(play->deliveries[0].position, 1);
	assert_int_equal(play->deliveries[1].position, 2);
	play_free(&play);
}

static void what_follows_a_discarded_dead_letter_waits_until_that_is_durable(void **state)
{
	struct play *play = play_new(8, 100);
	uint64_t poisoned = play_say(play, TYPE_RELEASED, 1);

	(void)state;
	play_say(play, TYPE_RELEASED, 1);
	play_attach(play, BOX_ONESERVICE, 1, 10);
	play_settle(play);
	assert_int_equal(core_nack(play->core, &play->now, 1, 1,
				   TTG__NACK_REASON__NACK_NOT_OURS, "", 0), TTG_OK);
	play_settle(play);
	assert_int_equal(play->n_deliveries, 2);
	assert_int_equal(core_dead_letter_discard(play->core, &play->now, "oneservice/in", poisoned),
			 TTG_OK);
	for (int i = 0; i < 3; i++)
		core_pump(play->core, &play->now);
	assert_int_equal(play->n_deliveries, 2);
	play_settle(play);
	assert_int_equal(play->n_deliveries, 3);
	assert_int_equal(play->deliveries[2].position, 2);
	play_free(&play);
}

/* At recovery what was held may still be in the backlog; the same must be given up. */
static void giving_up_before_what_is_held_is_recovered(void **state)
{
	struct play *play = play_new(4, 100);
	uint64_t from = 0, given_up = 0;

	(void)state;
	for (unsigned int i = 0; i < 13; i++) {
		uint64_t sequence = play_say(play, TYPE_RELEASED, 1);

		from = i == 7 ? sequence : from;
	}
	play_attach(play, BOX_ONESERVICE, 1, 20);
	play_settle(play);
	assert_int_equal(core_nack(play->core, &play->now, 1, 1, TTG__NACK_REASON__NACK_NOT_OURS,
				   "no", 0), TTG_OK);
	play_settle(play); /* all the others are held behind it */
	assert_int_equal(play_view(play, BOX_ONESERVICE).held, 12);
	assert_int_equal(core_give_up(play->core, &play->now, from, &given_up), TTG_OK);
	assert_int_equal(play_view(play, BOX_ONESERVICE).queued, 6);
	play_restart(play, play->n_records, NULL, 0);
	assert_int_equal(play_view(play, BOX_ONESERVICE).queued, 6);
	play->n_deliveries = 0;
	play_attach(play, BOX_ONESERVICE, 2, 20);
	play_settle(play);
	assert_int_equal(play->n_deliveries, 4); /* as many as the window holds */
	assert_int_equal(play->deliveries[0].position, 8);
	play_free(&play);
}

/* Its consumer has dropped what followed about the person; only a new session tells it so again. */
static void a_refusal_of_what_was_given_up_is_an_error(void **state)
{
	struct play *play = play_new(8, 100);
	uint64_t given_up = 0;

	(void)state;
	play_attach(play, BOX_ONESERVICE, 1, 10);
	play_say(play, TYPE_RELEASED, 1);
	uint64_t second = play_say(play, TYPE_RELEASED, 1);
	play_settle(play);
	assert_int_equal(core_give_up(play->core, &play->now, second, &given_up), TTG_OK);
	play->nacked_position = 0;
	assert_int_equal(core_nack(play->core, &play->now, 1, 1, 1, "no", 0), TTG_SESSION_POSITION);
	assert_int_equal(play->nacked_position, 0);
	core_detach(play->core, &play->now, 1);
	play_attach(play, BOX_ONESERVICE, 2, 10);
	play_settle(play);
	assert_int_equal(play->deliveries[play->n_deliveries - 1].position, 2);
	play_free(&play);
}

/* Positions of this mailbox in DELIVERED records from record `from` on. */
static uint64_t count_delivered(const struct play *play, size_t from, uint32_t mailbox)
{
	struct record_ranges ranges = { 0 };
	struct record_positions it;
	uint64_t n = 0;

	for (size_t i = from; i < play->n_records; i++) {
		if (play->records[i].kind != RECORD_DELIVERED)
			continue;
		assert_true(record_get_positions(play->records[i].data, play->records[i].len, &it,
						 &ranges));
		n += it.mailbox == mailbox ? ranges.positions : 0;
	}
	record_ranges_fini(&ranges);
	return n;
}

static void what_is_delivered_while_the_journal_is_full_is_recorded_later(void **state)
{
	struct play *play = play_new(8, 100);
	size_t from;

	(void)state;
	play_say(play, TYPE_RELEASED, 1);
	play_attach(play, BOX_ONESERVICE, 1, 10);
	play_settle(play);
	play_say(play, TYPE_RELEASED, 2);
	play->durable = play->n_records;
	core_durable(play->core, play->durable);
	core_detach(play->core, &play->now, 1);
	play_attach(play, BOX_ONESERVICE, 2, 10);
	from = play->n_records;
	play->append_fails = TTG_ENOSPC; /* one comes for the second time, the other for the first */
	core_pump(play->core, &play->now);
	play->append_fails = TTG_OK;
	play_settle(play);
	assert_int_equal(play->n_deliveries, 3);
	assert_int_equal(count_delivered(play, from, BOX_ONESERVICE), 2);
	play_free(&play);
}

static void nothing_leaves_before_it_is_recorded_that_it_was_delivered(void **state)
{
	struct play *play = play_new(8, 100);

	(void)state;
	play_say(play, TYPE_RELEASED, 1);
	play_attach(play, BOX_ONESERVICE, 1, 10);
	play->durable = play->n_records;
	core_durable(play->core, play->durable);
	play->append_fails = TTG_EAGAIN;
	core_pump(play->core, &play->now);
	core_pump(play->core, &play->now);
	assert_int_equal(play->n_deliveries, 1);
	assert_int_equal(play->n_flushed, 0);
	/* Not even as the predecessor of an answer. */
	assert_int_equal(core_nack(play->core, &play->now, 1, 1, 1, "", 0), TTG_EAGAIN);
	assert_int_equal(play->n_flushed, 0);
	play->append_fails = TTG_OK;
	core_pump(play->core, &play->now);
	assert_int_equal(play->records[play->n_records - 1].kind, RECORD_DELIVERED);
	assert_int_equal(play->n_deliveries, 1);
	assert_int_equal(play->n_flushed, 1);
	play_free(&play);
}

static void giving_up_leaves_what_is_newer(void **state)
{
	struct play *play = play_new(2, 100);
	uint64_t from = 0, given_up = 0;

	(void)state;
	for (unsigned int i = 0; i < 10; i++) {
		uint64_t sequence = play_say(play, TYPE_RELEASED, i);

		from = i == 6 ? sequence : from;
	}
	play_settle(play);
	assert_int_equal(core_give_up(play->core, &play->now, from, &given_up), TTG_OK);
	assert_int_equal(given_up, 12); /* six in each of two mailboxes */
	assert_int_equal(core_low_water(play->core), from);
	play_restart(play, play->n_records, NULL, 0);
	assert_int_equal(core_low_water(play->core), from);
	play_attach(play, BOX_ONESERVICE, 1, 10);
	play_settle(play);
	core_ack(play->core, &play->now, 1, 8, NULL, 0);
	play_settle(play);
	assert_int_equal(play->n_deliveries, 4);
	assert_int_equal(play->deliveries[0].position, 7);
	play_free(&play);
}

static void a_journal_that_is_busy_delays_and_loses_nothing(void **state)
{
	struct play *play = play_new(8, 100);
	struct play_event event;

	(void)state;
	play_say(play, TYPE_RELEASED, 1);
	play_attach(play, BOX_ONESERVICE, 1, 10);
	play->durable = play->n_records;
	core_durable(play->core, play->durable);
	play->append_fails = TTG_EAGAIN;
	assert_true(core_pump(play->core, &play->now) < INT64_MAX);
	assert_int_equal(core_ack(play->core, &play->now, 1, 1, NULL, 0), TTG_EAGAIN);
	play_event(play, &event, TYPE_RELEASED, 2);
	assert_int_equal(play_publish(play, &event).code, TTG_REFUSED_BUSY);
	play->append_fails = TTG_ENOSPC;
	assert_int_equal(play_publish(play, &event).code, TTG_REFUSED_STORAGE);
	play->append_fails = TTG_OK;
	assert_int_equal(play_publish(play, &event).kind, CORE_ACCEPTED);
	assert_int_equal(core_ack(play->core, &play->now, 1, 1, NULL, 0), TTG_OK);
	assert_int_equal(play->records[play->n_records - 2].kind, RECORD_DELIVERED);
	assert_int_equal(play->records[play->n_records - 1].kind, RECORD_ACK);
	play_free(&play);
}

static void a_record_that_must_be_fetched_is_asked_for_again(void **state)
{
	struct play *play = play_new(8, 100);

	(void)state;
	play_say(play, TYPE_RELEASED, 1);
	play_attach(play, BOX_ONESERVICE, 1, 10);
	play->durable = play->n_records;
	core_durable(play->core, play->durable);
	play->read_fails = TTG_EAGAIN;
	assert_true(core_pump(play->core, &play->now) > play->now.mono_ns);
	assert_int_equal(play->n_deliveries, 0);
	play->read_fails = TTG_OK;
	play_settle(play);
	assert_int_equal(play->n_deliveries, 1);
	play_free(&play);
}

static void a_consumer_that_takes_no_more_is_given_the_rest_later(void **state)
{
	struct play *play = play_new(8, 100);

	(void)state;
	for (unsigned int i = 0; i < 4; i++)
		play_say(play, TYPE_RELEASED, i);
	play_attach(play, BOX_ONESERVICE, 1, 10);
	play->deliver_room = 2;
	play_settle(play);
	assert_int_equal(play->n_deliveries, 2);
	play->deliver_room = UINT32_MAX;
	play_settle(play);
	assert_int_equal(play->n_deliveries, 4);
	play_free(&play);
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
		cmocka_unit_test(giving_up_before_what_is_held_is_recovered),
		cmocka_unit_test(a_refusal_of_what_was_given_up_is_an_error),
		cmocka_unit_test(what_is_delivered_while_the_journal_is_full_is_recorded_later),
		cmocka_unit_test(giving_up_leaves_what_is_newer),
		cmocka_unit_test(what_follows_a_discarded_dead_letter_waits_until_that_is_durable),
		cmocka_unit_test(what_follows_an_expired_event_waits_until_that_is_durable),
		cmocka_unit_test(nothing_leaves_before_it_is_recorded_that_it_was_delivered),
		cmocka_unit_test(a_journal_that_is_busy_delays_and_loses_nothing),
		cmocka_unit_test(a_record_that_must_be_fetched_is_asked_for_again),
		cmocka_unit_test(a_consumer_that_takes_no_more_is_given_the_rest_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
