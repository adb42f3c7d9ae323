/*
 * A mailbox is delivered again: everything it was given and may have today comes once more, in order;
 * nothing it may not have; never more than a window ahead; and wherever the broker stops, it goes on
 * where the records say.
 */
#include <stdlib.h>
#include <string.h>

#include "core/erase.h"
#include "core/redelivery.h"
#include "support/core_play.h"
#include "unit.h"

#define ME 1

/* Consumer of the One Service (1) or the police (2) acknowledges all it was given. */
static void take_all(struct play *play, uint64_t consumer)
{
	const int box = consumer == ME ? BOX_ONESERVICE : BOX_POLICE;
	struct core_redelivery_view last = { .running = false };

	do {
		uint64_t up_to = 0;

		play_settle(play);
		for (size_t i = 0; i < play->n_deliveries; i++)
			if (play->deliveries[i].consumer == consumer && play->deliveries[i].position > up_to)
				up_to = play->deliveries[i].position;
		if (up_to > 0)
			assert_int_equal(core_ack(play->core, &play->now, consumer, up_to, NULL, 0), TTG_OK);
		play_settle(play);
		core_redelivery_view(play->core, play_mailboxes[box], &last);
	} while (play_view(play, box).queued > 0 || last.running);
}

static struct play *stage(uint32_t window, bool sealed)
{
	struct play *play = sealed ? play_new_sealed(window, 100) : play_new(window, 100);

	play_attach(play, BOX_ONESERVICE, ME, 60000);
	play_attach(play, BOX_POLICE, 2, 60000);
	play_settle(play);
	return play;
}

static enum ttg_error order(struct play *play, int box, int64_t since_ns)
{
	const struct core_redeliver it = { play_mailboxes[box], 1, since_ns, "uid 0", "its store is lost" };
	uint64_t sequence;

	return core_redeliver(play->core, &play->now, &it, &sequence);
}

static struct core_redelivery_view view(const struct play *play, int box)
{
	struct core_redelivery_view out;

	assert_true(core_redelivery_view(play->core, play_mailboxes[box], &out));
	return out;
}

/* Sequences of the deliveries to a consumer from the n-th on, in order, must be these (0 ends them). */
static void must_have_come(const struct play *play, uint64_t consumer, size_t from, const uint64_t *wanted)
{
	size_t n = 0;

	for (size_t i = from; i < play->n_deliveries; i++) {
		if (play->deliveries[i].consumer != consumer)
			continue;
		assert_int_equal(play->deliveries[i].sequence, wanted[n]);
		n++;
	}
	assert_int_equal(wanted[n], 0);
}

static void what_was_acknowledged_comes_once_more_in_order_behind_what_there_is(void **state)
{
	struct play *play = stage(16, false);
	uint64_t said[5] = { 0 };
	size_t before;

	(void)state;
	for (unsigned int i = 0; i < 4; i++)
		said[i] = play_say(play, TYPE_RELEASED, i % 2 + 1);
	take_all(play, ME);
	before = play->n_deliveries;
	assert_int_equal(order(play, BOX_ONESERVICE, INT64_MIN), TTG_OK);
	take_all(play, ME);
	must_have_come(play, ME, before, said);
	for (size_t i = before; i < play->n_deliveries; i++) {
		assert_int_equal(play->deliveries[i].position, 5 + i - before);
		assert_int_equal(play->deliveries[i].attempt, 1);
	}
	assert_int_equal(play_view(play, BOX_ONESERVICE).queued, 0);
	assert_false(view(play, BOX_ONESERVICE).running);
	assert_int_equal(view(play, BOX_ONESERVICE).repeated, 4);
	assert_int_equal(play_noted(play, "redelivered"), 1);
	/* And all of it a second time: repeats are not repeated. */
	before = play->n_deliveries;
	assert_int_equal(order(play, BOX_ONESERVICE, INT64_MIN), TTG_OK);
	take_all(play, ME);
	must_have_come(play, ME, before, said);
	play_free(&play);
}

static void what_still_waits_is_not_queued_twice(void **state)
{
	struct play *play = stage(16, false);
	uint64_t said[4] = { 0 };
	const uint64_t second = 2;

	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		said[i] = play_say(play, TYPE_RELEASED, i + 1);
	play_settle(play);
	assert_int_equal(core_ack(play->core, &play->now, ME, 0, &second, 1), TTG_OK);
	assert_int_equal(order(play, BOX_ONESERVICE, INT64_MIN), TTG_OK);
	play_settle(play);
	assert_int_equal(view(play, BOX_ONESERVICE).repeated, 1);
	must_have_come(play, ME, 0, (uint64_t[]){ said[0], said[1], said[2], said[1], 0 });
	play_free(&play);
}

static void only_what_was_given_since_comes_when_that_is_asked(void **state)
{
	struct play *play = stage(16, false);
	uint64_t late;
	size_t before;

	(void)state;
	play_say(play, TYPE_RELEASED, 1);
	play_wait(play, 60 * PLAY_SECOND);
	late = play_say(play, TYPE_RELEASED, 2);
	take_all(play, ME);
	before = play->n_deliveries;
	assert_int_equal(order(play, BOX_ONESERVICE, play->now.real_ns), TTG_OK);
	take_all(play, ME);
	must_have_come(play, ME, before, (uint64_t[]){ late, 0 });
	play_free(&play);
}

static void what_is_not_agreed_any_more_or_was_never_given_does_not_come(void **state)
{
	struct play *play = stage(16, false);
	size_t before;

	(void)state;
	play_say(play, TYPE_RELEASED, 1);
	play_say(play, TYPE_ARREST, 1); /* never for the police */
	take_all(play, 2);
	play_wait(play, 2 * 3600 * PLAY_SECOND); /* their agreement has ended */
	before = play->n_deliveries;
	assert_int_equal(order(play, BOX_POLICE, INT64_MIN), TTG_OK);
	play_settle(play);
	must_have_come(play, 2, before, (uint64_t[]){ 0 });
	assert_int_equal(play_view(play, BOX_POLICE).queued, 0);
	assert_false(view(play, BOX_POLICE).running);
	play_free(&play);
}

static void what_has_expired_meanwhile_does_not_come(void **state)
{
	struct play *play = stage(16, false);
	struct play_event it;
	uint64_t other;
	size_t before;

	(void)state;
	play_event(play, &it, TYPE_RELEASED, 1);
	it.expires.unix_ns = play->now.real_ns + 60 * PLAY_SECOND;
	it.event.expires_at = &it.expires;
	assert_int_equal(play_publish(play, &it).kind, CORE_ACCEPTED);
	other = play_say(play, TYPE_RELEASED, 1);
	take_all(play, ME);
	play_wait(play, 61 * PLAY_SECOND);
	before = play->n_deliveries;
	assert_int_equal(order(play, BOX_ONESERVICE, INT64_MIN), TTG_OK);
	take_all(play, ME);
	must_have_come(play, ME, before, (uint64_t[]){ other, 0 });
	play_free(&play);
}

static void who_was_erased_does_not_come_before_his_key_is_destroyed_either(void **state)
{
	for (int destroyed = 0; destroyed < 2; destroyed++) {
		struct play *play = stage(16, true);
		struct core_person person;
		struct core_erasure erasure;
		struct play_event it;
		uint64_t other, after;
		size_t before;

		(void)state;
		play_event(play, &it, TYPE_RELEASED, 3);
		play_say(play, TYPE_RELEASED, 3);
		other = play_say(play, TYPE_RELEASED, 4);
		take_all(play, ME);
		assert_int_equal(core_find_person(play->core, &play->now, it.noms, &person), TTG_OK);
		assert_int_equal(core_erase(play->core, &play->now, &person, "uid 0", "asked", &erasure),
				 TTG_OK);
		if (destroyed)
			play_destroy(play);
		after = play_say(play, TYPE_RELEASED, 3); /* with another key */
		take_all(play, ME);
		before = play->n_deliveries;
		assert_int_equal(order(play, BOX_ONESERVICE, INT64_MIN), TTG_OK);
		take_all(play, ME);
		must_have_come(play, ME, before, (uint64_t[]){ other, after, 0 });
		play_free(&play);
	}
}

static struct core_outcome supersede(struct play *play, const uint8_t *wrong, uint8_t id[16])
{
	struct play_event it;
	uint8_t copy[16];

	play_event(play, &it, TYPE_RELEASED, 1);
	if (wrong) {
		memcpy(copy, wrong, sizeof(copy));
		it.event.supersedes = (ProtobufCBinaryData){ sizeof(copy), copy };
	}
	memcpy(id, it.id, 16);
	return play_publish(play, &it);
}

/* The police were given A, and B in its place; C in place of B they may not have any more. */
static void what_was_withdrawn_does_not_come_nor_what_that_had_superseded(void **state)
{
	for (int restart = 0; restart < 2; restart++) {
		struct play *play = stage(16, restart != 0);
		uint8_t a[16], b[16], c[16];
		uint64_t other;
		size_t before;

		(void)state;
		supersede(play, NULL, a);
		other = play_say(play, TYPE_RELEASED, 1);
		supersede(play, a, b);
		take_all(play, 2);
		play->rules->agreements[AGREED_LIMITED].to_ns = play->now.real_ns;
		supersede(play, b, c);
		play->rules->agreements[AGREED_LIMITED].to_ns = RULES_FOREVER;
		take_all(play, 2);
		take_all(play, ME);
		before = play->n_deliveries;
		assert_int_equal(order(play, BOX_POLICE, INT64_MIN), TTG_OK);
		if (restart) {
			play_restart(play, play->n_records, NULL, 0);
			play_attach(play, BOX_ONESERVICE, ME, 60000);
			play_attach(play, BOX_POLICE, 2, 60000);
		}
		take_all(play, 2);
		assert_int_equal(play->deliveries[before].sequence, other);
		assert_string_equal(play->deliveries[before + 1].type, "broker.correction");
		assert_int_equal(play->n_deliveries, before + 2);
		play_free(&play);
	}
}

/* Two agencies use one id; what one of them takes back is not the other's. */
static void what_another_agency_withdrew_under_the_same_id_comes(void **state)
{
	struct play *play = stage(16, false);
	struct play_event it;
	uint64_t release, arrest;
	uint8_t id[16];
	size_t before;

	(void)state;
	play_event(play, &it, TYPE_RELEASED, 1);
	memcpy(id, it.id, sizeof(id));
	release = play_publish(play, &it).sequence;
	play_event(play, &it, TYPE_ARREST, 2);
	memcpy(it.id, id, sizeof(id));
	arrest = play_publish(play, &it).sequence;
	take_all(play, ME);
	must_have_come(play, ME, 0, (uint64_t[]){ release, arrest, 0 });
	play->rules->agreements[AGREED_ALWAYS].official_only = true;
	play_event(play, &it, TYPE_ARREST, 2);
	it.event.marking = TTG__MARKING__OFFICIAL_SENSITIVE;
	it.event.supersedes = (ProtobufCBinaryData){ sizeof(id), id };
	assert_int_equal(play_publish(play, &it).kind, CORE_ACCEPTED);
	play->rules->agreements[AGREED_ALWAYS].official_only = false;
	take_all(play, ME);
	before = play->n_deliveries;
	assert_int_equal(order(play, BOX_ONESERVICE, INT64_MIN), TTG_OK);
	take_all(play, ME);
	assert_int_equal(play->deliveries[before].sequence, release);
	assert_string_equal(play->deliveries[before + 1].type, "broker.correction");
	assert_int_equal(play->n_deliveries, before + 2);
	play_free(&play);
}

/* Notices of what is withdrawn, kept for a minute: shorter than what they are about. */
static void keep_corrections_short(struct play *play)
{
	struct rules *rules = play_rules(true);
	const uint32_t type = (uint32_t)rules->n_types;

	rules->types = realloc(rules->types, (type + 1) * sizeof(*rules->types));
	assert_non_null(rules->types);
	memset(&rules->types[type], 0, sizeof(*rules->types));
	strcpy(rules->types[type], "broker.correction");
	rules->n_types++;
	play_grant(rules, type, RULES_NONE, BOX_POLICE, AGREED_ALWAYS)->retain_s = 60;
	rules->agreements[AGREED_LIMITED].to_ns = RULES_FOREVER;
	assert_true(rules_finish(rules));
	assert_int_equal(core_set_rules(play->core, &play->now, rules), TTG_OK);
	rules_free(&play->rules);
	play->rules = rules;
}

static void a_notice_that_is_kept_no_more_bars_what_is_older_of_its_person(void **state)
{
	struct play *play = stage(16, true);
	struct rules_agreement *limited;
	uint64_t other, newer;
	uint8_t a[16], b[16];
	size_t before;

	(void)state;
	keep_corrections_short(play);
	limited = &play->rules->agreements[rules_find_agreement(play->rules, "limited")];
	supersede(play, NULL, a);
	other = play_say(play, TYPE_RELEASED, 2);
	take_all(play, 2);
	limited->to_ns = play->now.real_ns;
	supersede(play, a, b);
	limited->to_ns = RULES_FOREVER;
	newer = play_say(play, TYPE_RELEASED, 1);
	take_all(play, 2);
	take_all(play, ME);
	for (int i = 0; i < 2; i++) { /* due, and due for long enough */
		play_wait(play, 2 * 3600 * PLAY_SECOND);
		play_settle(play);
	}
	assert_int_equal(play_noted(play, "payloads_lapsed"), 1);
	play_destroy(play);
	before = play->n_deliveries;
	assert_int_equal(order(play, BOX_POLICE, INT64_MIN), TTG_OK);
	take_all(play, 2);
	must_have_come(play, 2, before, (uint64_t[]){ other, newer, 0 });
	play_free(&play);
}

/* Told while the walk stands still: it is seen before the walk goes on. */
static void what_is_withdrawn_before_the_walk_comes_there_does_not_come(void **state)
{
	struct play *play = stage(1, false);
	uint8_t wrong[16], id[16];
	uint64_t first;
	size_t before;

	(void)state;
	first = play_say(play, TYPE_RELEASED, 2);
	supersede(play, NULL, wrong);
	take_all(play, 2);
	before = play->n_deliveries;
	assert_int_equal(order(play, BOX_POLICE, INT64_MIN), TTG_OK);
	play_settle(play); /* one is queued: there is no room for more */
	assert_true(view(play, BOX_POLICE).running);
	play->rules->agreements[AGREED_LIMITED].to_ns = play->now.real_ns;
	supersede(play, wrong, id);
	play->rules->agreements[AGREED_LIMITED].to_ns = RULES_FOREVER;
	take_all(play, 2);
	assert_int_equal(play->deliveries[before].sequence, first);
	for (size_t i = before + 1; i < play->n_deliveries; i++)
		assert_string_equal(play->deliveries[i].type, "broker.correction");
	play_free(&play);
}

static void an_urgent_event_is_not_escalated_again(void **state)
{
	struct play *play = stage(16, false);

	(void)state;
	play_say(play, TYPE_ARREST, 1);
	take_all(play, ME);
	assert_int_equal(order(play, BOX_ONESERVICE, INT64_MIN), TTG_OK);
	play_settle(play);
	assert_int_equal(view(play, BOX_ONESERVICE).repeated, 1);
	play_wait(play, 3600 * PLAY_SECOND);
	play_settle(play);
	assert_int_equal(play_view(play, BOX_ONESERVICE).escalated, 0);
	play_free(&play);
}

static void it_keeps_no_more_than_a_window_ahead_of_the_consumer(void **state)
{
	struct play *play = stage(4, false);
	uint64_t said[61] = { 0 };
	size_t before, n = 0;

	(void)state;
	for (unsigned int i = 0; i < 60; i++) {
		said[i] = play_say(play, TYPE_RELEASED, i % 7);
		take_all(play, ME);
	}
	before = play->n_deliveries;
	assert_int_equal(order(play, BOX_ONESERVICE, INT64_MIN), TTG_OK);
	do {
		play_settle(play);
		assert_true(play_view(play, BOX_ONESERVICE).queued <= 4);
		core_ack(play->core, &play->now, ME,
			 play->deliveries[play->n_deliveries - 1].position, NULL, 0);
	} while (view(play, BOX_ONESERVICE).running && n++ < 100);
	take_all(play, ME);
	must_have_come(play, ME, before, said);
	play_free(&play);
}

static void new_events_keep_half_of_what_may_be_queued(void **state)
{
	struct play *play = stage(64, false);

	(void)state;
	play->rules->mailboxes[BOX_ONESERVICE].max_queued = 6;
	for (unsigned int i = 0; i < 20; i++) {
		play_say(play, TYPE_RELEASED, 1);
		take_all(play, ME);
	}
	assert_int_equal(order(play, BOX_ONESERVICE, INT64_MIN), TTG_OK);
	play_settle(play);
	assert_int_equal(play_view(play, BOX_ONESERVICE).queued, 3);
	play_say(play, TYPE_RELEASED, 1);
	play_free(&play);
}

static void one_at_a_time_and_the_next_when_the_last_is_answered(void **state)
{
	struct play *play = stage(2, false);
	uint64_t sequence;

	(void)state;
	for (unsigned int i = 0; i < 6; i++) {
		play_say(play, TYPE_RELEASED, 1);
		take_all(play, ME);
	}
	assert_int_equal(core_redeliver_stop(play->core, &play->now, "oneservice/in", "me", "why", &sequence),
			 TTG_ENOENT);
	assert_int_equal(order(play, BOX_ONESERVICE, INT64_MIN), TTG_OK);
	play_settle(play);
	assert_int_equal(order(play, BOX_ONESERVICE, INT64_MIN), TTG_EEXIST);
	assert_int_equal(core_redeliver_stop(play->core, &play->now, "oneservice/in", "me", "why", &sequence),
			 TTG_OK);
	play_settle(play);
	assert_false(view(play, BOX_ONESERVICE).running);
	assert_true(view(play, BOX_ONESERVICE).unsettled);
	assert_int_equal(view(play, BOX_ONESERVICE).repeated, 2);
	assert_int_equal(order(play, BOX_ONESERVICE, INT64_MIN), TTG_EEXIST);
	take_all(play, ME);
	assert_int_equal(view(play, BOX_ONESERVICE).repeated, 2);
	assert_int_equal(order(play, BOX_ONESERVICE, INT64_MIN), TTG_OK);
	take_all(play, ME);
	assert_int_equal(view(play, BOX_ONESERVICE).repeated, 6);
	play_free(&play);
}

static void what_is_asked_wrongly_is_not_begun(void **state)
{
	struct play *play = stage(16, false);
	struct core_redeliver it = { "oneservice/in", 1, INT64_MIN, "uid 0", "" };
	uint64_t sequence;

	(void)state;
	assert_int_equal(core_redeliver(play->core, &play->now, &it, &sequence), TTG_EINVAL);
	it.why = "why";
	it.from = play->n_records + 2;
	assert_int_equal(core_redeliver(play->core, &play->now, &it, &sequence), TTG_EINVAL);
	it.from = 1;
	it.mailbox = "oneservice/none";
	assert_int_equal(core_redeliver(play->core, &play->now, &it, &sequence), TTG_ENOENT);
	it.mailbox = "oneservice/in";
	play->append_fails = TTG_ENOSPC;
	assert_int_equal(core_redeliver(play->core, &play->now, &it, &sequence), TTG_ENOSPC);
	play->append_fails = TTG_OK;
	assert_int_equal(core_redeliver(play->core, &play->now, &it, &sequence), TTG_OK);
	play_free(&play);
}

static void what_retention_took_is_passed_over(void **state)
{
	struct play *play = stage(16, false);
	uint64_t first, second;
	size_t before;

	(void)state;
	first = play_say(play, TYPE_RELEASED, 1);
	second = play_say(play, TYPE_RELEASED, 1);
	take_all(play, ME);
	for (uint64_t i = 0; i < first; i++) {
		free(play->records[i].data);
		play->records[i].data = NULL;
	}
	before = play->n_deliveries;
	assert_int_equal(order(play, BOX_ONESERVICE, INT64_MIN), TTG_OK);
	take_all(play, ME);
	must_have_come(play, ME, before, (uint64_t[]){ second, 0 });
	play_free(&play);
}

/* Everything up to a stop, at every record, with and without a snapshot of every moment. */
static void a_stop_anywhere_loses_nothing_and_repeats_nothing_that_is_recorded(void **state)
{
	for (uint64_t cut = 0; cut < 24; cut++) {
		struct play *play = stage(3, cut % 2 != 0);
		uint64_t said[9] = { 0 }, begun;
		uint8_t *snapshot = NULL;
		size_t len = 0, n = 0;

		(void)state;
		for (unsigned int i = 0; i < 8; i++) {
			said[i] = play_say(play, TYPE_RELEASED, i % 3 + 1);
			take_all(play, ME);
		}
		assert_int_equal(order(play, BOX_ONESERVICE, INT64_MIN), TTG_OK);
		begun = play->n_records;
		take_all(play, ME);
		play_restart(play, begun + cut < play->n_records ? begun + cut : play->n_records, NULL, 0);
		assert_int_equal(core_snapshot(play->core, &snapshot, &len), TTG_OK);
		if (cut % 3 == 0)
			play_restart(play, play->n_records, snapshot, len);
		free(snapshot);
		play->n_deliveries = 0;
		play_attach(play, BOX_ONESERVICE, ME, 60000);
		take_all(play, ME);
		assert_false(view(play, BOX_ONESERVICE).running);
		assert_int_equal(view(play, BOX_ONESERVICE).repeated, 8);
		for (uint64_t i = begun; i < play->n_records; i++) {
			struct record_event event;

			if (play->records[i].kind != RECORD_AGAIN)
				continue;
			assert_true(record_get_given(RECORD_AGAIN, play->records[i].data,
						     play->records[i].len, &event));
			assert_int_equal(event.first, said[n]);
			assert_int_equal(event.given, said[n]);
			n++;
		}
		assert_int_equal(n, 8);
		play_free(&play);
	}
}

/* A record that repeats what no redelivery is about is damage. */
static void a_repeat_out_of_the_blue_does_not_fit(void **state)
{
	struct play *play = stage(16, false);
	struct message message = { "" };
	struct play_record *it;
	struct core *core;
	uint64_t n;

	(void)state;
	play_say(play, TYPE_RELEASED, 1);
	take_all(play, ME);
	assert_int_equal(order(play, BOX_ONESERVICE, INT64_MIN), TTG_OK);
	take_all(play, ME);
	for (n = 0; play->records[n].kind != RECORD_AGAIN; n++)
		;
	it = &play->records[n];
	core = play->core;
	assert_int_equal(core_apply(core, core_sequence(core) + 1, it->kind, it->data, it->len, &message),
			 TTG_ECORRUPT);
	play_free(&play);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_acknowledged_comes_once_more_in_order_behind_what_there_is),
		cmocka_unit_test(what_still_waits_is_not_queued_twice),
		cmocka_unit_test(only_what_was_given_since_comes_when_that_is_asked),
		cmocka_unit_test(what_is_not_agreed_any_more_or_was_never_given_does_not_come),
		cmocka_unit_test(what_has_expired_meanwhile_does_not_come),
		cmocka_unit_test(who_was_erased_does_not_come_before_his_key_is_destroyed_either),
		cmocka_unit_test(what_was_withdrawn_does_not_come_nor_what_that_had_superseded),
		cmocka_unit_test(what_another_agency_withdrew_under_the_same_id_comes),
		cmocka_unit_test(a_notice_that_is_kept_no_more_bars_what_is_older_of_its_person),
		cmocka_unit_test(what_is_withdrawn_before_the_walk_comes_there_does_not_come),
		cmocka_unit_test(an_urgent_event_is_not_escalated_again),
		cmocka_unit_test(it_keeps_no_more_than_a_window_ahead_of_the_consumer),
		cmocka_unit_test(new_events_keep_half_of_what_may_be_queued),
		cmocka_unit_test(one_at_a_time_and_the_next_when_the_last_is_answered),
		cmocka_unit_test(what_is_asked_wrongly_is_not_begun),
		cmocka_unit_test(what_retention_took_is_passed_over),
		cmocka_unit_test(a_stop_anywhere_loses_nothing_and_repeats_nothing_that_is_recorded),
		cmocka_unit_test(a_repeat_out_of_the_blue_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
