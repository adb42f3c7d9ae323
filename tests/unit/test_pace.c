/* How fast mailboxes catch up while events come in. */
#include "unit.h"

#include "core/pace.h"
#include "support/core_play.h"

#define WINDOW 512
#define SLICE_NS (PACE_MOST * (int64_t)PACE_INTERVAL_NS)

/* Two mailboxes, of the One Service and the police, have missed these. */
static struct play *play_behind(unsigned events)
{
	struct play *play = play_new(WINDOW, 100);

	for (unsigned i = 0; i < events; i++)
		play_say(play, TYPE_RELEASED, 1 + i % 20);
	play_settle(play);
	return play;
}

static size_t delivered_to(const struct play *play, uint64_t consumer)
{
	size_t n = 0;

	for (size_t i = 0; i < play->n_deliveries; i++)
		n += play->deliveries[i].consumer == consumer;
	return n;
}

/* Consumers 1 and 2 take and acknowledge what they get, for so long. */
static void pass(struct play *play, int64_t ns)
{
	for (int64_t passed = 0; passed < ns; passed += SLICE_NS / 4) {
		play_settle(play);
		for (uint64_t consumer = 1; consumer <= 2; consumer++)
			core_ack(play->core, &play->now, consumer, delivered_to(play, consumer), NULL,
				 0);
		play_wait(play, SLICE_NS / 4);
	}
}

static void a_backlog_is_read_at_a_pace_while_events_come_in(void **state)
{
	struct play *play = play_behind(2000);

	(void)state;
	play_attach(play, BOX_ONESERVICE, 1, 65536);
	pass(play, 4 * SLICE_NS);
	assert_in_range(delivered_to(play, 1), 3 * PACE_MOST, 5 * PACE_MOST + WINDOW);
	pass(play, 16 * SLICE_NS);
	assert_int_equal(delivered_to(play, 1), 2000);
	play_free(&play);
}

static void the_time_when_more_may_go_is_told(void **state)
{
	struct play *play = play_behind(2000);
	int64_t next_ns;

	(void)state;
	play_attach(play, BOX_ONESERVICE, 1, 65536);
	play_settle(play);
	next_ns = core_pump(play->core, &play->now);
	assert_in_range(next_ns - play->now.mono_ns, 1, PACE_LEAST * PACE_INTERVAL_NS);
	const size_t before = play->n_deliveries;
	play_wait(play, next_ns - play->now.mono_ns);
	play_settle(play);
	assert_true(play->n_deliveries >= before + PACE_LEAST);
	play_free(&play);
}

static void when_nothing_came_for_a_while_a_backlog_goes_at_once(void **state)
{
	struct play *play = play_behind(2000);

	(void)state;
	play_wait(play, PACE_LIVE_NS);
	play_attach(play, BOX_ONESERVICE, 1, 65536);
	for (int i = 0; i < 100 && delivered_to(play, 1) < 2000; i++) {
		play_settle(play);
		core_ack(play->core, &play->now, 1, delivered_to(play, 1), NULL, 0);
	}
	assert_int_equal(delivered_to(play, 1), 2000);
	play_free(&play);
}

static void who_has_no_backlog_is_not_held_back(void **state)
{
	struct play *play = play_behind(2000);

	(void)state;
	play_attach(play, BOX_ONESERVICE, 1, 65536);
	play_settle(play);
	play_attach(play, BOX_CHARITY, 3, 65536);
	for (unsigned i = 0; i < WINDOW; i++)
		play_say(play, TYPE_REFERRAL, i + 1);
	play_settle(play);
	assert_int_equal(delivered_to(play, 3), WINDOW);
	play_free(&play);
}

static void those_who_catch_up_together_have_their_turns(void **state)
{
	struct play *play = play_behind(4000);

	(void)state;
	play_attach(play, BOX_ONESERVICE, 1, 65536);
	play_attach(play, BOX_POLICE, 2, 65536);
	pass(play, 8 * SLICE_NS);
	const size_t first = delivered_to(play, 1), second = delivered_to(play, 2);
	assert_in_range(first + second, 7 * PACE_MOST, 9 * PACE_MOST + 2 * WINDOW);
	assert_in_range(second, first / 2, first * 2);
	play_free(&play);
}

static void however_much_comes_in_a_backlog_gets_shorter(void **state)
{
	struct play *play = play_behind(2000);

	(void)state;
	play_attach(play, BOX_ONESERVICE, 1, 65536);
	const uint64_t before = play_view(play, BOX_ONESERVICE).queued;
	for (unsigned round = 0; round < 20; round++) { /* more than the pace by itself lets out */
		for (unsigned i = 0; i < 2 * PACE_MOST; i++)
			play_say(play, TYPE_RELEASED, 1 + i % 20);
		pass(play, SLICE_NS);
	}
	assert_true(play_view(play, BOX_ONESERVICE).queued < before);
	play_free(&play);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_backlog_is_read_at_a_pace_while_events_come_in),
		cmocka_unit_test(the_time_when_more_may_go_is_told),
		cmocka_unit_test(when_nothing_came_for_a_while_a_backlog_goes_at_once),
		cmocka_unit_test(who_has_no_backlog_is_not_held_back),
		cmocka_unit_test(those_who_catch_up_together_have_their_turns),
		cmocka_unit_test(however_much_comes_in_a_backlog_gets_shorter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
