/* An answer to a referral that is overdue is told to the referrer, once, over restarts and crashes. */
#include <string.h>

#include "support/referral_play.h"
#include "unit.h"

static size_t told(const struct play *play)
{
	size_t n = 0;

	for (size_t i = 0; i < play->n_deliveries; i++)
		n += strcmp(play->deliveries[i].type, "broker.referral_overdue") == 0 &&
		     play->deliveries[i].attempt == 1;
	return n;
}

static void send_by(struct play *play, const char *id, int64_t in_ns)
{
	const int64_t by_ns = play->now.real_ns + in_ns;

	assert_int_equal(referral_move_by(play, id, REFERRAL_TYPE_SENT, by_ns).kind, CORE_ACCEPTED);
}

struct heard {
	struct play *play;
	int64_t by_ns, since_ns;
	int waiting;
	size_t n;
};

static void hear(void *arg, const struct play_delivery *delivery)
{
	const struct heard *wanted = arg;
	const Ttg__BrokerReferralOverdue *it;
	Ttg__Event *event;

	if (strcmp(delivery->type, "broker.referral_overdue") != 0)
		return;
	((struct heard *)arg)->n++;
	assert_int_equal(delivery->consumer, REFERRAL_DESK);
	assert_true(delivery->has_person); /* in his lane */
	assert_string_equal(delivery->agreement, "always");
	assert_false(wanted->play->delivered->redacted);
	event = ttg__event__unpack(NULL, wanted->play->delivered->event_bytes,
				   wanted->play->delivered->event);
	assert_non_null(event);
	assert_int_equal(event->urgency, TTG__URGENCY__PROMPT);
	assert_string_equal(event->source, "broker");
	assert_null(event->person);
	it = event->broker_referral_overdue;
	assert_string_equal(it->referral_id, "R-1");
	assert_string_equal(it->provider_agency, "charity");
	assert_string_equal(it->referrer_agency, "oneservice");
	assert_true(it->answer_by_at->unix_ns == wanted->by_ns);
	assert_int_equal(it->waiting, wanted->waiting);
	assert_true(it->since_at->unix_ns == wanted->since_ns);
	assert_int_equal(it->event_id.len, 16);
	ttg__event__free_unpacked(event, NULL);
}

static void an_answer_that_is_overdue_is_told_to_the_referrer_once_and_when_it_is_due(void **state)
{
	struct play *play = referral_stage(play_new(16, 100));
	struct heard heard = { play, play->now.real_ns + 100 * PLAY_SECOND, play->now.real_ns,
			       TTG__REFERRAL_WAITING__REFERRAL_WAITING_SENT, 0 };
	int64_t next;

	(void)state;
	play->on_deliver = hear;
	play->arg = &heard;
	send_by(play, "R-1", 100 * PLAY_SECOND);
	play_settle(play);
	next = core_pump(play->core, &play->now);
	assert_true(next <= play->now.mono_ns + 100 * PLAY_SECOND);
	play_wait(play, 100 * PLAY_SECOND - 1);
	play_settle(play);
	assert_int_equal(heard.n, 0);
	play_wait(play, 1);
	play_settle(play);
	assert_int_equal(heard.n, 1);
	assert_int_equal(play_noted(play, "referral_overdue"), 1);
	play_wait(play, 1000 * PLAY_SECOND);
	play_settle(play);
	referral_must_move(play, "R-1", REFERRAL_TYPE_ACKNOWLEDGED);
	play_wait(play, 1000 * PLAY_SECOND);
	play_settle(play);
	assert_int_equal(heard.n, 1);
	referral_must_move(play, "R-1", REFERRAL_TYPE_ACCEPTED);
	play_free(&play);
}

static void one_that_was_read_and_not_decided_is_overdue_too(void **state)
{
	struct play *play = referral_stage(play_new(16, 100));
	struct heard heard = { play, play->now.real_ns + 100 * PLAY_SECOND,
			       play->now.real_ns + 10 * PLAY_SECOND,
			       TTG__REFERRAL_WAITING__REFERRAL_WAITING_ACKNOWLEDGED, 0 };

	(void)state;
	play->on_deliver = hear;
	play->arg = &heard;
	send_by(play, "R-1", 100 * PLAY_SECOND);
	play_wait(play, 10 * PLAY_SECOND);
	referral_must_move(play, "R-1", REFERRAL_TYPE_ACKNOWLEDGED);
	play_wait(play, 100 * PLAY_SECOND);
	play_settle(play);
	assert_int_equal(heard.n, 1);
	play_free(&play);
}

static void what_was_answered_or_taken_back_in_time_is_not_told(void **state)
{
	static const int answers[] = { REFERRAL_TYPE_ACCEPTED, REFERRAL_TYPE_DECLINED,
				       REFERRAL_TYPE_WITHDRAWN };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct play *play = referral_stage(play_new(16, 100));

		send_by(play, "R-1", 100 * PLAY_SECOND);
		referral_must_move(play, "R-1", answers[i]);
		referral_must_move(play, "R-2", REFERRAL_TYPE_SENT); /* without a limit */
		play_wait(play, 200 * PLAY_SECOND);
		play_settle(play);
		assert_int_equal(told(play), 0);
		play_free(&play);
	}
}

static void a_restart_tells_what_was_due_and_nothing_twice(void **state)
{
	(void)state;
	for (int with_snapshot = 0; with_snapshot < 2; with_snapshot++) {
		struct play *play = referral_stage(play_new(16, 100));

		send_by(play, "R-1", 100 * PLAY_SECOND);
		send_by(play, "R-2", 100 * PLAY_SECOND);
		send_by(play, "R-3", 500 * PLAY_SECOND);
		referral_must_move(play, "R-2", REFERRAL_TYPE_ACKNOWLEDGED);
		referral_restart(play, with_snapshot);
		play_wait(play, 100 * PLAY_SECOND);
		play_settle(play);
		assert_int_equal(told(play), 2);
		referral_restart(play, with_snapshot);
		play->n_deliveries = 0;
		play_settle(play);
		play_wait(play, 300 * PLAY_SECOND);
		play_settle(play);
		referral_restart(play, with_snapshot);
		play_wait(play, 100 * PLAY_SECOND);
		play_settle(play);
		assert_int_equal(play_noted(play, "referral_overdue"), 3);
		play_free(&play);
	}
}

/* The notice is lost with its record, and then it is told; or neither. */
static void a_crash_before_the_notice_is_durable_tells_it_again(void **state)
{
	struct play *play = referral_stage(play_new(16, 100));
	uint64_t before;

	(void)state;
	send_by(play, "R-1", 100 * PLAY_SECOND);
	play_settle(play);
	before = play->n_records;
	play_wait(play, 100 * PLAY_SECOND);
	core_pump(play->core, &play->now);
	assert_int_equal(play->n_records, before + 1);
	assert_int_equal(told(play), 0);
	play_restart(play, before, NULL, 0);
	play_attach(play, BOX_DESK, REFERRAL_DESK, 1000);
	play_settle(play);
	assert_int_equal(told(play), 1);
	play_free(&play);
}

static void a_journal_that_is_full_delays_the_notice(void **state)
{
	struct play *play = referral_stage(play_new(16, 100));

	(void)state;
	send_by(play, "R-1", 100 * PLAY_SECOND);
	play_settle(play);
	play_wait(play, 100 * PLAY_SECOND);
	play->append_fails = TTG_ENOSPC;
	assert_true(core_pump(play->core, &play->now) < INT64_MAX);
	play->append_fails = TTG_EAGAIN;
	assert_true(core_pump(play->core, &play->now) < INT64_MAX);
	play->append_fails = TTG_OK;
	play->read_fails = TTG_EAGAIN;
	assert_true(core_pump(play->core, &play->now) < INT64_MAX);
	play->read_fails = TTG_OK;
	play_settle(play);
	assert_int_equal(told(play), 1);
	play_free(&play);
}

static void another_time_is_told_again_and_the_same_is_not(void **state)
{
	struct play *play = referral_stage(play_new(16, 100));
	struct referral_said said = referral_plain;
	struct referral_spoken first;

	(void)state;
	said.source = "oneservice";
	said.answer_by_ns = play->now.real_ns + 100 * PLAY_SECOND;
	first = referral_publish(play, &said, NULL);
	play_wait(play, 100 * PLAY_SECOND);
	play_settle(play);
	assert_int_equal(told(play), 1);
	first = referral_publish(play, &said, first.id); /* another word, the same time */
	assert_int_equal(first.outcome.kind, CORE_ACCEPTED);
	play_settle(play);
	assert_int_equal(told(play), 1);
	said.answer_by_ns += 100 * PLAY_SECOND;
	assert_int_equal(referral_publish(play, &said, first.id).outcome.kind, CORE_ACCEPTED);
	play_settle(play);
	assert_int_equal(told(play), 1);
	play_wait(play, 100 * PLAY_SECOND);
	play_settle(play);
	assert_int_equal(told(play), 2);
	play_free(&play);
}

static void without_the_event_or_anybody_to_tell_it_is_noted_and_asked_again(void **state)
{
	struct play *play = referral_stage(play_new(16, 100));
	struct rules *none = play_rules(true), *rules = play->rules;

	(void)state;
	send_by(play, "R-1", 100 * PLAY_SECOND);
	play_settle(play);
	play_wait(play, 100 * PLAY_SECOND);
	play->read_fails = TTG_ENOENT; /* retention took it */
	core_pump(play->core, &play->now);
	play->read_fails = TTG_OK;
	assert_int_equal(play_noted(play, "referral_overdue_untold"), 1);
	play_settle(play);
	assert_int_equal(told(play), 0);
	assert_int_equal(core_set_rules(play->core, &play->now, none), TTG_OK); /* no answers are granted */
	play_settle(play);
	assert_int_equal(play_noted(play, "referral_overdue_untold"), 2);
	assert_int_equal(core_set_rules(play->core, &play->now, rules), TTG_OK);
	play_settle(play);
	assert_int_equal(told(play), 1);
	rules_free(&none);
	play_free(&play);
}

static void an_erased_persons_referral_is_not_told(void **state)
{
	struct play *play = referral_stage(play_new_sealed(16, 100));

	(void)state;
	send_by(play, "R-1", 100 * PLAY_SECOND);
	play_settle(play);
	for (uint64_t key = 1; key <= play->next_key; key++)
		play->gone[play->n_gone++] = key;
	play_wait(play, 100 * PLAY_SECOND);
	play_settle(play);
	assert_int_equal(told(play), 0);
	assert_int_equal(play_noted(play, "referral_overdue_untold"), 1);
	play_free(&play);
}

static void with_a_key_store_the_notice_is_sealed_with_his_key(void **state)
{
	struct play *play = referral_stage(play_new_sealed(16, 100));
	uint64_t keys;

	(void)state;
	send_by(play, "R-1", 100 * PLAY_SECOND);
	play_settle(play);
	keys = play->next_key;
	play_wait(play, 100 * PLAY_SECOND);
	play_settle(play);
	assert_int_equal(told(play), 1);
	assert_int_equal(play->next_key, keys);
	play_free(&play);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_that_is_overdue_is_told_to_the_referrer_once_and_when_it_is_due),
		cmocka_unit_test(one_that_was_read_and_not_decided_is_overdue_too),
		cmocka_unit_test(what_was_answered_or_taken_back_in_time_is_not_told),
		cmocka_unit_test(a_restart_tells_what_was_due_and_nothing_twice),
		cmocka_unit_test(a_crash_before_the_notice_is_durable_tells_it_again),
		cmocka_unit_test(a_journal_that_is_full_delays_the_notice),
		cmocka_unit_test(another_time_is_told_again_and_the_same_is_not),
		cmocka_unit_test(without_the_event_or_anybody_to_tell_it_is_noted_and_asked_again),
		cmocka_unit_test(an_erased_persons_referral_is_not_told),
		cmocka_unit_test(with_a_key_store_the_notice_is_sealed_with_his_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
