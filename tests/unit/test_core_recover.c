/* Restarts, snapshots, history: what outlives the process. */
#include "support/core_play.h"

#include <stdlib.h>
#include <string.h>

static void a_delivery_after_a_restart_counts_as_another_attempt(void **state)
{
	struct play *play = play_new(8, 100);

	(void)state;
	play_say(play, TYPE_RELEASED, 1);
	play_attach(play, BOX_ONESERVICE, 1, 10);
	play_settle(play);
	play_restart(play, play->n_records, NULL, 0);
	play_attach(play, BOX_ONESERVICE, 2, 10);
	play_settle(play);
	assert_int_equal(play->n_deliveries, 2);
	assert_int_equal(play->deliveries[1].attempt, 2);
	play_free(&play);
}

static void an_earlier_dead_letter_of_the_person_is_retried_along(void **state)
{
	struct play *play = play_new(8, 100);
	uint64_t second;

	(void)state;
	play_say(play, TYPE_RELEASED, 1);
	second = play_say(play, TYPE_RELEASED, 1);
	play_attach(play, BOX_ONESERVICE, 1, 10);
	play_settle(play);
	assert_int_equal(core_nack(play->core, &play->now, 1, 2, 5, "", 0), TTG_OK);
	assert_int_equal(core_nack(play->core, &play->now, 1, 1, 5, "", 0), TTG_OK);
	assert_int_equal(play_view(play, BOX_ONESERVICE).parked, 2);
	assert_int_equal(core_dead_letter_retry(play->core, &play->now, "oneservice/in", second),
			 TTG_OK);
	play_settle(play);
	assert_int_equal(play->n_deliveries, 4);
	assert_int_equal(play->deliveries[2].position, 1);
	assert_int_equal(play->deliveries[3].position, 2);
	play_free(&play);
}

static void a_new_event_does_not_overtake_those_still_held(void **state)
{
	struct play *play = play_new(2, 100);
	uint64_t first = play_say(play, TYPE_RELEASED, 1);

	(void)state;
	for (int i = 0; i < 5; i++)
		play_say(play, TYPE_RELEASED, 1);
	play_attach(play, BOX_ONESERVICE, 1, 2);
	play_settle(play);
	assert_int_equal(core_nack(play->core, &play->now, 1, 1, 5, "", 0), TTG_OK);
	play_settle(play);
	play_settle(play);
	assert_int_equal(play_view(play, BOX_ONESERVICE).held, 5);
	play->n_deliveries = 0;
	assert_int_equal(core_dead_letter_discard(play->core, &play->now, "oneservice/in", first),
			 TTG_OK);
	core_credit(play->core, 1, 2);
	play_settle(play);
	assert_int_equal(core_ack(play->core, &play->now, 1, 2, NULL, 0), TTG_OK);
	play_say(play, TYPE_RELEASED, 1); /* there is room in the window now */
	core_credit(play->core, 1, 10);
	for (uint64_t i = 2; i <= 7; i++) {
		play_settle(play);
		assert_int_equal(core_ack(play->core, &play->now, 1, i, NULL, 0), TTG_OK);
	}
	assert_int_equal(play->n_deliveries, 6);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(play->deliveries[i].position, i + 2);
	play_free(&play);
}

static void what_follows_anothers_acknowledgement_waits_until_that_is_durable(void **state)
{
	struct play *play = play_new(8, 100);
	uint64_t durable;

	(void)state;
	play_say(play, TYPE_RELEASED, 1);
	play_say(play, TYPE_RELEASED, 1);
	play_attach(play, BOX_ONESERVICE, 1, 10);
	play_attach(play, BOX_ONESERVICE, 2, 10);
	play_settle(play);
	durable = play->n_records;
	assert_int_equal(core_ack(play->core, &play->now, 1, 1, NULL, 0), TTG_OK);
	core_detach(play->core, &play->now, 1);
	play->n_deliveries = 0;
	for (int i = 0; i < 3; i++)
		core_pump(play->core, &play->now);
	assert_int_equal(play->active, 2);
	assert_int_equal(play->n_deliveries, 0);
	/* It is lost: whoever comes then gets both, in order. */
	play_restart(play, durable, NULL, 0);
	play_attach(play, BOX_ONESERVICE, 3, 10);
	play_settle(play);
	assert_int_equal(play->n_deliveries, 2);
	assert_int_equal(play->deliveries[0].position, 1);
	assert_int_equal(play->deliveries[1].position, 2);
	play_free(&play);
}

static void what_a_consumer_acknowledged_itself_delays_nothing(void **state)
{
	struct play *play = play_new(8, 100);

	(void)state;
	play_say(play, TYPE_RELEASED, 1);
	play_say(play, TYPE_RELEASED, 1);
	play_attach(play, BOX_ONESERVICE, 1, 1);
	play_settle(play);
	assert_int_equal(play->n_deliveries, 1);
	assert_int_equal(core_ack(play->core, &play->now, 1, 1, NULL, 0), TTG_OK);
	core_credit(play->core, 1, 1);
	core_pump(play->core, &play->now);
	assert_int_equal(play->n_deliveries, 2);
	play_free(&play);
}

/* A state with everything in it: window, backlog, dead letters, held ones, a deadline. */
static struct play *rich(void)
{
	struct play *play = play_new(3, 100);

	for (unsigned int i = 0; i < 8; i++)
		play_say(play, i % 2 ? TYPE_RELEASED : TYPE_ARREST, 1 + i % 3);
	play_attach(play, BOX_ONESERVICE, 1, 10);
	play_settle(play);
	assert_int_equal(core_nack(play->core, &play->now, 1, 1, 5, "not here", 0), TTG_OK);
	assert_int_equal(core_nack(play->core, &play->now, 1, 2, 1, "later", 0), TTG_OK);
	play_settle(play);
	return play;
}

static void a_snapshot_brings_back_the_same_state(void **state)
{
	struct play *play = rich();
	uint8_t *first, *second;
	size_t first_len, second_len;

	(void)state;
	assert_int_equal(core_snapshot(play->core, &first, &first_len), TTG_OK);
	play_restart(play, play->n_records, first, first_len);
	assert_int_equal(core_snapshot(play->core, &second, &second_len), TTG_OK);
	assert_int_equal(first_len, second_len);
	assert_memory_equal(first, second, first_len);
	assert_int_equal(play_view(play, BOX_ONESERVICE).parked, 1);
	free(first);
	free(second);
	play_free(&play);
}

static void a_damaged_or_cut_snapshot_is_refused(void **state)
{
	struct play *play = rich();
	struct core *kept = play->core;
	uint8_t *data;
	size_t len, refused = 0;
	struct message message;

	(void)state;
	assert_int_equal(core_snapshot(play->core, &data, &len), TTG_OK);
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *part = malloc(cut + 1);

		assert_non_null(part);
		memcpy(part, data, cut);
		assert_int_equal(play_make_core(play), TTG_OK);
		assert_int_not_equal(core_restore(play->core, part, cut, &message), TTG_OK);
		core_free(&play->core);
		free(part);
	}
	/* The journal's checksum finds flipped bits; here they only must not hurt. */
	for (size_t at = 0; at < len; at++) {
		data[at] ^= 0x55;
		assert_int_equal(play_make_core(play), TTG_OK);
		refused += core_restore(play->core, data, len, &message) != TTG_OK;
		core_free(&play->core);
		data[at] ^= 0x55;
	}
	assert_true(refused > 0);
	play->options.person_secret[0] ^= 1;
	assert_int_equal(play_make_core(play), TTG_OK);
	assert_int_equal(core_restore(play->core, data, len, &message), TTG_ECRYPTO);
	core_free(&play->core);
	free(data);
	play->core = kept;
	play_free(&play);
}

static void records_that_do_not_follow_the_state_are_corruption(void **state)
{
	struct play *play = rich();
	struct core *kept = play->core;
	struct message message;

	(void)state;
	assert_int_equal(play_make_core(play), TTG_OK);
	for (size_t i = 0; i < play->n_records; i++) {
		const struct play_record *it = &play->records[i];
		uint8_t *part = malloc(it->len);

		assert_non_null(part);
		/* Cut short, with a byte more, of an unknown kind, and in the wrong order. */
		memcpy(part, it->data, it->len);
		assert_int_equal(core_apply(play->core, i + 1, it->kind, part, it->len - 1, &message),
				 TTG_ECORRUPT);
		part[0] = 99;
		assert_int_equal(core_apply(play->core, i + 1, it->kind, part, it->len, &message),
				 TTG_ECORRUPT);
		assert_int_equal(core_apply(play->core, i + 1, 77, it->data, it->len, &message),
				 TTG_ECORRUPT);
		assert_int_equal(core_apply(play->core, i, it->kind, it->data, it->len, &message),
				 TTG_ECORRUPT);
		free(part);
		assert_int_equal(core_apply(play->core, i + 1, it->kind, it->data, it->len, &message),
				 TTG_OK);
	}
	core_free(&play->core);
	play->core = kept;
	play_free(&play);
}

static void records_of_others_are_stepped_over(void **state)
{
	struct play *play = play_new(8, 100);
	struct message message;

	(void)state;
	assert_int_equal(core_apply(play->core, core_sequence(play->core) + 1, 200,
				    (const uint8_t *)"x", 1, &message),
			 TTG_OK);
	play_free(&play);
}

static void history_tells_the_way_of_an_event(void **state)
{
	static const enum core_history_kind expected[] = {
		CORE_HISTORY_RULES,  CORE_HISTORY_ACCEPTED, CORE_HISTORY_DELIVERED,
		CORE_HISTORY_NACKED, CORE_HISTORY_DELIVERED, CORE_HISTORY_ACKED,
	};
	struct play *play = play_new(8, 100);
	uint64_t sequence = play_say(play, TYPE_RELEASED, 1);
	size_t found = 0;

	(void)state;
	play_attach(play, BOX_ONESERVICE, 1, 10);
	play_settle(play);
	core_nack(play->core, &play->now, 1, 1, 2, "x", 0);
	play_wait(play, PLAY_SECOND);
	play_settle(play);
	core_ack(play->core, &play->now, 1, 1, NULL, 0);
	for (uint64_t i = 1; i <= play->n_records; i++) {
		const struct play_record *it = &play->records[i - 1];
		struct core_history history;
		const char *mailbox;
		uint64_t position;

		if (!core_history_read(play->core, i, it->kind, it->data, it->len, &history))
			continue;
		assert_true(found < sizeof(expected) / sizeof(expected[0]));
		assert_int_equal(history.kind, expected[found++]);
		if (history.kind == CORE_HISTORY_ACCEPTED) {
			assert_true(history.event_sequence == sequence);
			assert_string_equal(history.source, "prison");
			assert_string_equal(history.type, "prison.released");
			assert_int_equal(core_find_event(play->core, NULL, history.event_id), sequence);
			assert_int_equal(core_find_event(play->core, "prison", history.event_id),
					 sequence);
			assert_int_equal(core_find_event(play->core, "police", history.event_id), 0);
			assert_int_equal(history.n_recipients, 2);
			assert_true(core_history_recipient(play->core, &history, 1, &mailbox,
							   &position));
			assert_string_equal(mailbox, "police/in");
			assert_int_equal(position, 1);
			assert_false(core_history_recipient(play->core, &history, 2, &mailbox,
							    &position));
		} else if (history.kind != CORE_HISTORY_RULES) {
			assert_string_equal(history.mailbox, "oneservice/in");
			assert_int_equal(history.n_positions, 1);
			assert_int_equal(history.positions[0], 1);
		}
		if (history.kind == CORE_HISTORY_NACKED)
			assert_int_equal(history.reason, 2);
	}
	assert_int_equal(found, sizeof(expected) / sizeof(expected[0]));
	play_free(&play);
}

static void numbers_of_mailboxes_outlive_their_rules(void **state)
{
	struct play *play = play_new(8, 100);
	struct rules *none = rules_new(), *all = play->rules;

	(void)state;
	assert_true(rules_finish(none));
	play_say(play, TYPE_RELEASED, 1);
	play_attach(play, BOX_ONESERVICE, 1, 10);
	assert_int_equal(core_set_rules(play->core, &play->now, none), TTG_OK);
	play_settle(play);
	assert_int_equal(play->n_deliveries, 0);
	assert_int_equal(play_view(play, BOX_ONESERVICE).queued, 1);
	assert_int_equal(core_set_rules(play->core, &play->now, all), TTG_OK);
	play_settle(play);
	assert_int_equal(play->n_deliveries, 1);
	assert_int_equal(core_mailbox_count(play->core), N_BOXES);
	rules_free(&none);
	play_free(&play);
}

/* Whichever clock in it is damaged: refused, or nothing that is worked out from it goes wrong. */
static void a_snapshot_with_a_clock_before_time(void **state)
{
	struct play *play = play_new(16, 100);
	const int64_t now_ns = play->now.real_ns, before_time = INT64_MIN;
	struct message message = { "" };
	uint8_t *snapshot = NULL;
	size_t len, refused = 0, taken = 0;

	(void)state;
	play_say(play, TYPE_RELEASED, 1);
	play_settle(play);
	assert_int_equal(core_snapshot(play->core, &snapshot, &len), TTG_OK);
	for (size_t at = 0; at + sizeof(now_ns) <= len; at++) {
		if (memcmp(snapshot + at, &now_ns, sizeof(now_ns)) != 0)
			continue;
		memcpy(snapshot + at, &before_time, sizeof(before_time));
		core_free(&play->core);
		assert_int_equal(play_make_core(play), TTG_OK);
		if (core_restore(play->core, snapshot, len, &message) == TTG_OK) {
			taken++;
		} else {
			assert_true(message.text[0] != '\0');
			refused++;
		}
		memcpy(snapshot + at, &now_ns, sizeof(now_ns));
	}
	assert_true(refused == 1 && taken > 0);
	free(snapshot);
	play_free(&play);
}

/* A bit turned at rest: what was read stands in memory, and cannot be read again. */
static void giving_up_asks_of_each_record_once(void **state)
{
	struct play *play = play_new(4, 100);
	uint64_t from = 0, given_up = 0;

	(void)state;
	for (unsigned int i = 0; i < 13; i++) {
		uint64_t sequence = play_say(play, TYPE_ARREST, 1);

		from = i == 7 ? sequence : from;
	}
	play->read_once = true;
	assert_int_equal(core_give_up(play->core, &play->now, from, &given_up), TTG_OK);
	play->read_once = false;
	assert_int_equal(play_view(play, BOX_ONESERVICE).queued, 6);
	play_attach(play, BOX_ONESERVICE, 1, 20);
	play_settle(play);
	assert_int_equal(play->n_deliveries, 4); /* as many as the window holds */
	assert_int_equal(play->deliveries[0].position, 8);
	play_free(&play);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_delivery_after_a_restart_counts_as_another_attempt),
		cmocka_unit_test(an_earlier_dead_letter_of_the_person_is_retried_along),
		cmocka_unit_test(a_new_event_does_not_overtake_those_still_held),
		cmocka_unit_test(what_follows_anothers_acknowledgement_waits_until_that_is_durable),
		cmocka_unit_test(what_a_consumer_acknowledged_itself_delays_nothing),
		cmocka_unit_test(a_snapshot_brings_back_the_same_state),
		cmocka_unit_test(a_damaged_or_cut_snapshot_is_refused),
		cmocka_unit_test(records_that_do_not_follow_the_state_are_corruption),
		cmocka_unit_test(records_of_others_are_stepped_over),
		cmocka_unit_test(history_tells_the_way_of_an_event),
		cmocka_unit_test(numbers_of_mailboxes_outlive_their_rules),
		cmocka_unit_test(a_snapshot_with_a_clock_before_time),
		cmocka_unit_test(giving_up_asks_of_each_record_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
