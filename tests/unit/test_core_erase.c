/* Sealed payloads in the core: keys by person, erasing, and what is left of it after a restart. */
#include <stdlib.h>
#include <string.h>

#include "core/erase.h"
#include "support/core_play.h"

static struct core_person person_of(struct play *play, unsigned int number)
{
	struct play_event it;
	struct core_person person;

	play_event(play, &it, TYPE_RELEASED, number);
	assert_int_equal(core_find_person(play->core, &play->now, it.noms, &person), TTG_OK);
	return person;
}

static struct core_erasure erase(struct play *play, unsigned int number)
{
	const struct core_person person = person_of(play, number);
	struct core_erasure out;

	assert_int_equal(core_erase(play->core, &play->now, &person, "uid 0", "asked for it", &out), TTG_OK);
	return out;
}

static bool holds(const struct play *play, const char *text)
{
	for (size_t i = 0; i < play->n_records; i++)
		if (memmem(play->records[i].data, play->records[i].len, text, strlen(text)))
			return true;
	return false;
}

static uint64_t key_of(const struct play *play, uint64_t sequence)
{
	const struct play_record *record = &play->records[sequence - 1];
	struct record_event event;

	assert_true(record_get_event(record->data, record->len, &event));
	assert_int_equal(event.n_bytes, 0);
	return event.key;
}

static void payloads_are_not_in_the_records_and_are_delivered(void **state)
{
	struct play *play = play_new_sealed(16, 16);
	struct play_event it;
	uint64_t first, second, other;

	(void)state;
	play_attach(play, BOX_ONESERVICE, 1, 100);
	play_event(play, &it, TYPE_RELEASED, 3);
	first = play_say(play, TYPE_RELEASED, 3);
	second = play_say(play, TYPE_RELEASED, 3);
	other = play_say(play, TYPE_RELEASED, 4);
	play_settle(play);
	assert_false(holds(play, it.noms));
	assert_true(key_of(play, first) != 0);
	assert_int_equal(key_of(play, first), key_of(play, second));
	assert_int_not_equal(key_of(play, first), key_of(play, other));
	assert_int_equal(play->n_deliveries, 3);
	assert_int_equal(core_live_keys(play->core), 2);
	play_free(&play);
}

static void who_is_erased_is_delivered_no_more_and_nobody_else_is_touched(void **state)
{
	struct play *play = play_new_sealed(16, 16);
	uint64_t before, after;
	struct core_erasure done;

	(void)state;
	before = play_say(play, TYPE_RELEASED, 3);
	play_say(play, TYPE_RELEASED, 4);
	play_settle(play);
	assert_int_equal(play->n_retracted, 0);
	done = erase(play, 3);
	assert_int_equal(play->n_retracted, 1);
	assert_int_equal(done.numbers, 1);
	assert_int_equal(done.keys, 1);
	play_destroy(play);
	play_attach(play, BOX_ONESERVICE, 1, 100);
	play_settle(play);
	assert_int_equal(play->n_deliveries, 1);
	assert_int_equal(play_view(play, BOX_ONESERVICE).stopped, 1);
	/* What comes now has another key. */
	after = play_say(play, TYPE_RELEASED, 3);
	assert_true(key_of(play, after) > key_of(play, before));
	play_settle(play);
	assert_int_equal(play->n_deliveries, 2);
	/* Again: of a person of whom nothing is held any more, but for that. */
	assert_int_equal(erase(play, 3).keys, 1);
	assert_int_equal(erase(play, 3).keys, 0);
	play_free(&play);
}

static void a_restart_and_a_snapshot_know_the_same(void **state)
{
	struct play *play = play_new_sealed(16, 16);
	uint8_t *snapshot, *again;
	size_t len, again_len, n;
	uint64_t erased;

	(void)state;
	for (unsigned int person = 1; person <= 40; person++)
		play_say(play, TYPE_RELEASED, person);
	play_settle(play);
	for (unsigned int person = 1; person <= 5; person++)
		erase(play, person);
	play_destroy(play);
	play_say(play, TYPE_RELEASED, 2);
	play_settle(play);
	assert_int_equal(core_snapshot(play->core, &snapshot, &len), TTG_OK);
	for (int with = 0; with < 2; with++) {
		play_restart(play, play->n_records, with ? snapshot : NULL, with ? len : 0);
		assert_int_equal(core_live_keys(play->core), 36);
		/* Behind the snapshot nobody asks for them: what nobody has is destroyed at a start. */
		core_erased_keys(play->core, &n, &erased);
		assert_int_equal(n, with ? 0 : 5);
		core_keys_destroyed(play->core, n);
		assert_int_equal(core_newest_key(play->core), 41);
		assert_int_equal(core_snapshot(play->core, &again, &again_len), TTG_OK);
		assert_int_equal(again_len, len);
		assert_memory_equal(again, snapshot, len);
		free(again);
	}
	free(snapshot);
	play_free(&play);
}

static bool is_listed(void *arg, uint64_t key)
{
	const struct play *play = arg;

	for (size_t i = 0; i < play->n_gone; i++)
		if (play->gone[i] == key)
			return true;
	return false;
}

/* The journal was put back to before the erasure: the keys are gone all the same. */
static void an_older_journal_learns_that_its_keys_are_gone(void **state)
{
	struct play *play = play_new_sealed(16, 16);
	uint64_t before;

	(void)state;
	play_say(play, TYPE_RELEASED, 3);
	before = play_say(play, TYPE_RELEASED, 4);
	play_settle(play);
	erase(play, 3);
	play_destroy(play);
	play_restart(play, before, NULL, 0);
	assert_int_equal(core_live_keys(play->core), 2);
	assert_int_equal(core_erase_gone(play->core, &play->now, is_listed, play), TTG_OK);
	assert_int_equal(core_live_keys(play->core), 1);
	before = play->n_records;
	assert_int_equal(core_erase_gone(play->core, &play->now, is_listed, play), TTG_OK);
	assert_int_equal(play->n_records, before); /* it is written down once */
	play_attach(play, BOX_ONESERVICE, 1, 100);
	assert_true(key_of(play, play_say(play, TYPE_RELEASED, 3)) > 2);
	play_settle(play);
	assert_int_equal(play->n_deliveries, 2);
	play_free(&play);
}

static void what_does_not_fit_is_damage(void **state)
{
	const uint8_t owner[RECORD_PERSON_KEY] = { 9 };
	const struct record_erased_owner owners[] = { { owner, 77 } };
	const struct record_erased it = { PLAY_NOW, owner, "uid 0", "why", 1, { 0 } };
	struct play *play = play_new_sealed(16, 16);
	struct record_erased back;
	uint8_t buffer[256];
	struct cursor cursor;
	size_t len;

	(void)state;
	cursor_init_write(&cursor, buffer, sizeof(buffer));
	record_put_erased(&cursor, &it, owners);
	len = cursor_offset(&cursor);
	assert_true(record_get_erased(buffer, len, &back));
	assert_string_equal(back.why, "why");
	for (size_t cut = 0; cut < len; cut++)
		assert_false(record_get_erased(buffer, cut, &back));
	/* Nobody has that key. */
	assert_int_equal(core_apply(play->core, play->n_records + 1, RECORD_ERASED, buffer, len, NULL),
			 TTG_ECORRUPT);
	play_free(&play);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(payloads_are_not_in_the_records_and_are_delivered),
		cmocka_unit_test(who_is_erased_is_delivered_no_more_and_nobody_else_is_touched),
		cmocka_unit_test(a_restart_and_a_snapshot_know_the_same),
		cmocka_unit_test(an_older_journal_learns_that_its_keys_are_gone),
		cmocka_unit_test(what_does_not_fit_is_damage),
	};

	return cmocka_run_group_tests_name("core_erase", tests, NULL, NULL);
}
