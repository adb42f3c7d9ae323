/*
 * Corrections: who was given an event that is superseded hears of it, whatever he would be given today; once,
 * and with no more than that it is withdrawn.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/core_play.h"
#include "unit.h"

/* An arrest that supersedes another, or none (NULL). */
static struct core_outcome say(struct play *play, int type, unsigned int person, const uint8_t *wrong,
			       uint8_t id[16])
{
	struct play_event it;
	uint8_t copy[16];

	play_event(play, &it, type, person);
	if (wrong) {
		memcpy(copy, wrong, sizeof(copy));
		it.event.supersedes = (ProtobufCBinaryData){ sizeof(copy), copy };
	}
	memcpy(id, it.id, 16);
	return play_publish(play, &it);
}

/* Deliveries of this type to the consumer. */
static size_t heard(const struct play *play, uint64_t consumer, const char *type)
{
	size_t n = 0;

	for (size_t i = 0; i < play->n_deliveries; i++)
		n += play->deliveries[i].consumer == consumer &&
		     strcmp(play->deliveries[i].type, type) == 0 && play->deliveries[i].attempt == 1;
	return n;
}

static struct play *stage(void)
{
	struct play *play = play_new(16, 100);

	play_attach(play, BOX_ONESERVICE, 1, 1000);
	play_attach(play, BOX_POLICE, 2, 1000);
	play_settle(play);
	return play;
}

static void who_is_given_the_new_one_is_told_nothing_else(void **state)
{
	struct play *play = stage();
	uint8_t first[16], second[16];

	(void)state;
	say(play, TYPE_RELEASED, 1, NULL, first);
	play_settle(play);
	assert_int_equal(say(play, TYPE_RELEASED, 1, first, second).kind, CORE_ACCEPTED);
	play_settle(play);
	assert_int_equal(heard(play, 1, "prison.released"), 2);
	assert_int_equal(heard(play, 2, "prison.released"), 2);
	assert_int_equal(heard(play, 1, "broker.correction"), 0);
	assert_int_equal(heard(play, 2, "broker.correction"), 0);
	play_free(&play);
}

struct seen {
	const struct play *play;
	const uint8_t *wrong;
	size_t n;
};

/* No more than: withdrawn, which one, whose, of which type. */
static void look_at(void *arg, const struct play_delivery *delivery)
{
	struct seen *seen = arg;
	const struct play *play = seen->play;
	Ttg__Event *event;

	if (strcmp(delivery->type, "broker.correction") != 0)
		return;
	assert_false(play->delivered->redacted);
	event = ttg__event__unpack(NULL, play->delivered->event_bytes, play->delivered->event);
	assert_non_null(event);
	assert_memory_equal(event->supersedes.data, seen->wrong, 16);
	assert_memory_equal(event->broker_correction->event_id.data, seen->wrong, 16);
	assert_int_equal(event->broker_correction->kind, TTG__CORRECTION_KIND__CORRECTION_KIND_WITHDRAWN);
	assert_int_equal(event->broker_correction->replacement_id.len, 0);
	assert_string_equal(event->broker_correction->publisher_agency, "prison");
	assert_string_equal(event->broker_correction->event_type, "prison.released");
	assert_null(event->person);
	ttg__event__free_unpacked(event, NULL);
	seen->n++;
}

static void who_would_not_be_given_it_today_is_told_it_is_withdrawn(void **state)
{
	for (int restart = 0; restart < 2; restart++) {
		struct play *play = stage();
		uint8_t first[16], second[16];

		(void)state;
		say(play, TYPE_RELEASED, 1, NULL, first);
		play_settle(play);
		play_wait(play, 2 * 3600 * PLAY_SECOND); /* the police's agreement has ended */
		if (restart) {
			play_restart(play, play->n_records, NULL, 0);
			play_attach(play, BOX_ONESERVICE, 1, 1000);
			play_attach(play, BOX_POLICE, 2, 1000);
		}
		assert_int_equal(say(play, TYPE_RELEASED, 1, first, second).kind, CORE_ACCEPTED);
		assert_int_equal(say(play, TYPE_RELEASED, 1, NULL, second).kind, CORE_ACCEPTED);
		play_settle(play);
		assert_int_equal(heard(play, 1, "broker.correction"), 0);
		assert_int_equal(heard(play, 2, "broker.correction"), 1);
		assert_int_equal(heard(play, 2, "prison.released"), 1);
		play_free(&play);
	}
}

static void the_notice_says_no_more_than_it_must(void **state)
{
	struct play *play = stage();
	uint8_t first[16], second[16];
	struct seen seen = { play, first, 0 };

	(void)state;
	say(play, TYPE_RELEASED, 1, NULL, first);
	play_settle(play);
	play_wait(play, 2 * 3600 * PLAY_SECOND);
	play->arg = &seen;
	play->on_deliver = look_at;
	say(play, TYPE_RELEASED, 1, first, second);
	play_settle(play);
	assert_int_equal(seen.n, 1);
	play_free(&play);
}

/* The journal takes the notice and not the event: the publisher tries again, and nobody hears it twice. */
static void a_stop_in_between_tells_nothing_twice(void **state)
{
	struct play *play = stage();
	uint8_t first[16];
	struct play_event again;
	struct core_outcome outcome;
	size_t before;

	(void)state;
	say(play, TYPE_RELEASED, 1, NULL, first);
	play_settle(play);
	play_wait(play, 2 * 3600 * PLAY_SECOND);
	before = play->n_records;
	play_event(play, &again, TYPE_RELEASED, 1);
	again.event.supersedes = (ProtobufCBinaryData){ 16, first };
	assert_int_equal(play_publish(play, &again).kind, CORE_ACCEPTED);
	assert_int_equal(play->n_records, before + 2);
	play_restart(play, before + 1, NULL, 0); /* the event is lost, the notice is not */
	play_attach(play, BOX_ONESERVICE, 1, 1000);
	play_attach(play, BOX_POLICE, 2, 1000);
	outcome = play_publish(play, &again);
	assert_int_equal(outcome.kind, CORE_ACCEPTED);
	play_settle(play);
	assert_int_equal(heard(play, 2, "broker.correction"), 1);
	play_free(&play);
}

static void nobody_corrects_what_another_said(void **state)
{
	struct play *play = stage();
	uint8_t first[16], second[16];

	(void)state;
	say(play, TYPE_RELEASED, 1, NULL, first);
	play_settle(play);
	assert_int_equal(say(play, TYPE_ARREST, 1, first, second).kind, CORE_ACCEPTED);
	play_settle(play);
	assert_int_equal(heard(play, 2, "broker.correction"), 0);
	play_free(&play);
}

static void a_record_that_has_to_be_fetched_makes_the_publisher_wait(void **state)
{
	struct play *play = stage();
	uint8_t first[16], second[16];
	struct core_outcome outcome;

	(void)state;
	say(play, TYPE_RELEASED, 1, NULL, first);
	play_settle(play);
	play->read_fails = TTG_EAGAIN;
	outcome = say(play, TYPE_RELEASED, 1, first, second);
	assert_int_equal(outcome.kind, CORE_REFUSED);
	assert_int_equal(outcome.code, TTG_REFUSED_BUSY);
	play->read_fails = TTG_ENOENT; /* retained away: there is nobody to be told any more */
	assert_int_equal(say(play, TYPE_RELEASED, 1, first, second).kind, CORE_ACCEPTED);
	play_free(&play);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_given_the_new_one_is_told_nothing_else),
		cmocka_unit_test(who_would_not_be_given_it_today_is_told_it_is_withdrawn),
		cmocka_unit_test(the_notice_says_no_more_than_it_must),
		cmocka_unit_test(a_stop_in_between_tells_nothing_twice),
		cmocka_unit_test(nobody_corrects_what_another_said),
		cmocka_unit_test(a_record_that_has_to_be_fetched_makes_the_publisher_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
