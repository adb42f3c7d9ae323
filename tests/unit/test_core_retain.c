/* How long payloads are kept: as agreements say, and no longer, whatever the clock does meanwhile. */
#include <stdlib.h>
#include <string.h>

#include "core/erase.h"
#include "support/core_play.h"

#define DAY_S UINT64_C(86400)
#define NOW_S ((uint64_t)(PLAY_NOW / PLAY_SECOND))
#define HOUR_NS (3600 * PLAY_SECOND)
#define DAY_NS (24 * HOUR_NS)

/* Releases are kept so long for the One Service and the police, arrests as the agreement says. */
static struct play *play_kept(uint32_t oneservice_s, uint32_t police_s, uint32_t always_s)
{
	struct play *play = play_new_sealed(16, 16);
	struct rules *rules = play_rules(true), *before = play->rules;

	rules->agreements[AGREED_ALWAYS].retain_s = always_s;
	rules->agreements[AGREED_LIMITED].to_ns = RULES_FOREVER;
	for (size_t i = 0; i < rules->n_deliver; i++) {
		struct rules_deliver_grant *grant = &rules->deliver[i];

		grant->retain_s = always_s;
		if (grant->type == TYPE_RELEASED)
			grant->retain_s = grant->mailbox == BOX_POLICE ? police_s : oneservice_s;
	}
	assert_true(rules_finish(rules));
	assert_int_equal(core_set_rules(play->core, &play->now, rules), TTG_OK);
	play->rules = rules;
	rules_free(&before);
	return play;
}

static struct record_event recorded(const struct play *play, uint64_t sequence)
{
	const struct play_record *record = &play->records[sequence - 1];
	struct record_event event;

	assert_int_equal(record->kind, RECORD_EVENT);
	assert_true(record_get_event(record->data, record->len, &event));
	return event;
}

static size_t lapses(const struct play *play)
{
	size_t n = 0;

	for (size_t i = 0; i < play->n_records; i++)
		n += play->records[i].kind == RECORD_LAPSED;
	return n;
}

/* Both clocks go on by so much, and the core looks. */
static void wait(struct play *play, int64_t ns)
{
	play_wait(play, ns);
	play_settle(play);
}

/* The same, and again after the hold. */
static void pass(struct play *play, int64_t ns)
{
	wait(play, ns);
	wait(play, HOUR_NS + PLAY_SECOND);
}

static void the_longest_that_is_agreed_counts(void **state)
{
	static const struct {
		uint64_t oneservice, police, until, grain;
	} cases[] = {
		{ 30 * DAY_S, 0, 0, 1 },
		{ 0, 30 * DAY_S, 0, 1 },
		{ 30 * DAY_S, 10 * DAY_S, 30 * DAY_S, DAY_S },
		{ 30 * DAY_S, 400 * DAY_S, 400 * DAY_S, 28 * DAY_S },
		{ 100 * DAY_S, 30 * DAY_S, 100 * DAY_S, 7 * DAY_S },
		{ DAY_S, DAY_S, DAY_S, 3600 },
		{ 7, 3, 7, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct play *play = play_kept((uint32_t)cases[i].oneservice, (uint32_t)cases[i].police, 0);
		const uint64_t until = recorded(play, play_say(play, TYPE_RELEASED, 3)).until_s;

		if (cases[i].until == 0) {
			assert_int_equal(until, 0);
		} else {
			assert_true(until >= NOW_S + cases[i].until);
			assert_true(until < NOW_S + cases[i].until + cases[i].grain);
			assert_int_equal(until % cases[i].grain, 0);
		}
		play_free(&play);
	}
}

/* Nobody is granted arrests any more: the agreement counts by which they may be published. */
static void what_is_granted_to_nobody_is_kept_as_its_publisher_agreed(void **state)
{
	struct play *play = play_kept(0, 0, 12);
	struct rules *rules = play_rules(false), *before = play->rules;
	struct record_event event;

	(void)state;
	rules->agreements[AGREED_ALWAYS].retain_s = 12;
	for (size_t i = 0; i < rules->n_deliver; i++)
		if (rules->deliver[i].type == TYPE_ARREST)
			rules->deliver[i].agreement = AGREED_LIMITED;
	rules->agreements[AGREED_LIMITED].to_ns = PLAY_NOW;
	assert_true(rules_finish(rules));
	assert_int_equal(core_set_rules(play->core, &play->now, rules), TTG_OK);
	play->rules = rules;
	rules_free(&before);
	event = recorded(play, play_say(play, TYPE_ARREST, 3));
	assert_int_equal(event.n_recipients, 0);
	assert_int_equal(event.until_s, NOW_S + 12);
	play_free(&play);
}

static void keys_lapse_when_their_time_has_passed(void **state)
{
	struct play *play = play_kept(30 * DAY_S, 30 * DAY_S, 0);
	uint64_t first, second, other, kept;

	(void)state;
	first = recorded(play, play_say(play, TYPE_RELEASED, 3)).key;
	second = recorded(play, play_say(play, TYPE_RELEASED, 3)).key;
	other = recorded(play, play_say(play, TYPE_RELEASED, 4)).key;
	kept = recorded(play, play_say(play, TYPE_ARREST, 3)).key;
	assert_int_equal(first, second);
	assert_true(other != first && kept != first && kept != other);
	pass(play, 29 * DAY_NS);
	assert_int_equal(recorded(play, play_say(play, TYPE_RELEASED, 3)).key, kept + 1);
	assert_int_equal(lapses(play), 0);
	pass(play, 2 * DAY_NS);
	assert_int_equal(lapses(play), 1);
	assert_int_equal(play_noted(play, "payloads_lapsed"), 1);
	assert_int_equal(core_live_keys(play->core), 2);
	play_destroy(play);
	assert_int_equal(play->n_gone, 2);
	assert_int_equal(play->gone[0], first);
	assert_int_equal(play->gone[1], other);
	assert_int_equal(play->n_retracted, 0);
	/* Whoever did not take it in time does not get it; the arrest has no end. */
	play_attach(play, BOX_ONESERVICE, 1, 100);
	play_settle(play);
	assert_int_equal(play->n_deliveries, 2);
	assert_string_equal(play->deliveries[0].type, "police.arrest");
	assert_int_equal(play_view(play, BOX_ONESERVICE).stopped, 3);
	play_free(&play);
}

static void a_clock_that_ran_ahead_destroys_nothing(void **state)
{
	struct play *play = play_kept(30 * DAY_S, 30 * DAY_S, 0);

	(void)state;
	play_say(play, TYPE_RELEASED, 3);
	play->now.real_ns += 4000 * DAY_NS;
	wait(play, PLAY_SECOND);
	wait(play, HOUR_NS / 2);
	play->now.real_ns -= 4000 * DAY_NS;
	wait(play, HOUR_NS / 4);
	wait(play, 2 * HOUR_NS);
	assert_int_equal(lapses(play), 0);
	assert_int_equal(core_live_keys(play->core), 1);
	/* What was due before it ran ahead goes, and nothing that only became due by it. */
	pass(play, 31 * DAY_NS - HOUR_NS);
	assert_int_equal(lapses(play), 1);
	play_say(play, TYPE_RELEASED, 3);
	wait(play, 31 * DAY_NS);
	play_say(play, TYPE_RELEASED, 4);
	play->now.real_ns += 4000 * DAY_NS;
	wait(play, HOUR_NS + PLAY_SECOND);
	assert_int_equal(lapses(play), 2);
	assert_int_equal(core_live_keys(play->core), 1);
	play_free(&play);
}

static void after_the_clock_went_back_nothing_is_sealed_with_what_lapsed(void **state)
{
	struct play *play = play_kept(10, 10, 0);
	uint64_t lapsed_s;

	(void)state;
	play_say(play, TYPE_RELEASED, 3);
	pass(play, 60 * PLAY_SECOND);
	assert_int_equal(lapses(play), 1);
	lapsed_s = NOW_S + 60;
	play->now.real_ns = PLAY_NOW;
	assert_int_equal(recorded(play, play_say(play, TYPE_RELEASED, 3)).until_s, lapsed_s + 1);
	assert_int_equal(core_live_keys(play->core), 1);
	play_free(&play);
}

static void a_restart_and_a_snapshot_know_the_same(void **state)
{
	struct play *play = play_kept(10, 20, 0);
	uint8_t *snapshot, *again;
	size_t len, again_len;

	(void)state;
	for (unsigned int person = 1; person <= 20; person++) {
		play_say(play, TYPE_RELEASED, person);
		if (person % 5 == 0)
			pass(play, 15 * PLAY_SECOND);
	}
	assert_true(lapses(play) > 1);
	assert_int_equal(core_snapshot(play->core, &snapshot, &len), TTG_OK);
	for (int with = 0; with < 2; with++) {
		play_restart(play, play->n_records, with ? snapshot : NULL, with ? len : 0);
		assert_int_equal(core_snapshot(play->core, &again, &again_len), TTG_OK);
		assert_int_equal(again_len, len);
		assert_memory_equal(again, snapshot, len);
		free(again);
	}
	free(snapshot);
	play_free(&play);
}

/* All that is held about him, however long it was to be kept. */
static void erasing_takes_every_key_of_a_person(void **state)
{
	struct play *play = play_kept(10, 10, 0);
	struct core_person person;
	struct core_erasure done;
	struct play_event it;

	(void)state;
	for (int i = 0; i < 5; i++) {
		play_say(play, TYPE_RELEASED, 3);
		wait(play, PLAY_SECOND);
	}
	play_say(play, TYPE_ARREST, 3);
	play_say(play, TYPE_RELEASED, 4);
	play_event(play, &it, TYPE_RELEASED, 3);
	assert_int_equal(core_find_person(play->core, &play->now, it.noms, &person), TTG_OK);
	assert_int_equal(core_erase(play->core, &play->now, &person, "uid 0", "asked for it", &done), TTG_OK);
	assert_int_equal(done.keys, 6);
	assert_int_equal(core_live_keys(play->core), 1);
	play_free(&play);
}

/* An older journal was put back: what lapsed since is not taken for a person who was erased. */
static bool is_any(void *arg, uint64_t key)
{
	(void)arg;
	(void)key;
	return true;
}

static void what_lapsed_is_not_told_as_erased(void **state)
{
	struct play *play = play_kept(10, 10, 0);
	uint64_t before;

	(void)state;
	before = play_say(play, TYPE_RELEASED, 3);
	pass(play, 60 * PLAY_SECOND);
	assert_int_equal(lapses(play), 1);
	play_restart(play, before, NULL, 0);
	assert_int_equal(core_erase_gone(play->core, &play->now, is_any, NULL), TTG_OK);
	assert_int_equal(play->n_records, before);
	pass(play, 0);
	assert_int_equal(lapses(play), 1);
	assert_int_equal(core_live_keys(play->core), 0);
	play_free(&play);
}

static void what_does_not_fit_is_damage(void **state)
{
	static const struct record_lapsed wrong[] = {
		{ PLAY_NOW, NOW_S + 10, 2 }, /* there is one key */
		{ PLAY_NOW, NOW_S + 9, 1 },  /* which is good until later */
		{ PLAY_NOW, 0, 0 },
	};
	struct play *play = play_kept(10, 10, 0);
	struct record_lapsed back;
	uint8_t buffer[64];
	struct cursor cursor;

	(void)state;
	assert_int_equal(recorded(play, play_say(play, TYPE_RELEASED, 3)).until_s, NOW_S + 10);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		size_t len;

		cursor_init_write(&cursor, buffer, sizeof(buffer));
		record_put_lapsed(&cursor, &wrong[i]);
		len = cursor_offset(&cursor);
		assert_true(record_get_lapsed(buffer, len, &back));
		assert_int_equal(back.until_s, wrong[i].until_s);
		for (size_t cut = 0; cut < len; cut++)
			assert_false(record_get_lapsed(buffer, cut, &back));
		assert_int_equal(core_apply(play->core, play->n_records + 1, RECORD_LAPSED, buffer, len,
					    NULL),
				 TTG_ECORRUPT);
	}
	play_free(&play);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_that_is_agreed_counts),
		cmocka_unit_test(what_is_granted_to_nobody_is_kept_as_its_publisher_agreed),
		cmocka_unit_test(keys_lapse_when_their_time_has_passed),
		cmocka_unit_test(a_clock_that_ran_ahead_destroys_nothing),
		cmocka_unit_test(after_the_clock_went_back_nothing_is_sealed_with_what_lapsed),
		cmocka_unit_test(a_restart_and_a_snapshot_know_the_same),
		cmocka_unit_test(erasing_takes_every_key_of_a_person),
		cmocka_unit_test(what_lapsed_is_not_told_as_erased),
		cmocka_unit_test(what_does_not_fit_is_damage),
	};

	return cmocka_run_group_tests_name("core_retain", tests, NULL, NULL);
}
