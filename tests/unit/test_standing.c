/* What is known of a person, what waits for it, what changes it, how a condition is told: each by itself. */
#include <string.h>

#include "core/changes.h"
#include "core/condition.h"
#include "core/standing.h"
#include "core/waiting.h"
#include "unit.h"

#define ROOM 65536

static uint8_t buffer[ROOM], other[ROOM];

static struct standing_scheme scheme_of(const char *name, uint64_t since)
{
	struct standing_scheme it = { .since = since, .from_ns = INT64_MIN, .until_ns = INT64_MAX };

	strcpy(it.scheme, name);
	return it;
}

static void who_is_enrolled_again_left_the_time_before(void **state)
{
	const struct standing_scheme first = scheme_of("one/a", 3), second = scheme_of("one/a", 8);
	const struct standing_scheme else_where = scheme_of("two/a", 5);
	struct standing it = { 0 };

	(void)state;
	assert_null(standing_find(&it, "one/a"));
	assert_true(standing_enrol(&it, &first) && standing_enrol(&it, &else_where) &&
		    standing_enrol(&it, &second));
	assert_int_equal(it.n_schemes, 3);
	assert_int_equal(it.schemes[0].ended, 8);
	assert_int_equal(standing_find(&it, "one/a")->since, 8);
	assert_int_equal(standing_find(&it, "one/a")->ended, 0);
	assert_int_equal(standing_find(&it, "two/a")->ended, 0);
	standing_fini(&it);
	assert_int_equal(it.n_schemes, 0);
}

static void the_oldest_that_is_over_makes_room(void **state)
{
	struct standing it = { 0 };
	char name[20];

	(void)state;
	for (unsigned i = 0; i < STANDING_SCHEMES_MAX; i++) {
		snprintf(name, sizeof(name), "one/%u", i);
		const struct standing_scheme scheme = scheme_of(name, 1 + i);
		assert_true(standing_enrol(&it, &scheme));
	}
	it.schemes[5].ended = it.schemes[9].ended = 100;
	for (unsigned i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "new/%u", i);
		const struct standing_scheme scheme = scheme_of(name, 200 + i);
		assert_true(standing_enrol(&it, &scheme));
		assert_int_equal(it.n_schemes, STANDING_SCHEMES_MAX);
		assert_int_equal(it.schemes[STANDING_SCHEMES_MAX - 1].since, 200 + i);
		assert_int_equal(standing_find(&it, "one/5") == NULL, true);
		assert_int_equal(standing_find(&it, "one/9") == NULL, i >= 1);
		assert_int_equal(standing_find(&it, "one/0") == NULL, i >= 2);
		assert_non_null(standing_find(&it, "one/1"));
	}
	standing_fini(&it);
}

static void referrals_are_one_for_a_name_and_bounded(void **state)
{
	struct standing_referral referral = { .provider = "charity" };
	struct standing it = { 0 };

	(void)state;
	for (uint64_t i = 0; i < STANDING_REFERRALS_MAX + 3; i++) {
		referral.id = i;
		referral.since = 10 + i;
		assert_true(standing_refer(&it, &referral) && standing_refer(&it, &referral));
		assert_int_equal(it.n_referrals,
				 i < STANDING_REFERRALS_MAX ? i + 1 : STANDING_REFERRALS_MAX);
	}
	assert_int_equal(it.referrals[0].id, 3);
	standing_end_referral(&it, "charity", 2);  /* made room for others */
	standing_end_referral(&it, "other", 4);    /* somebody else's */
	assert_int_equal(it.n_referrals, STANDING_REFERRALS_MAX);
	standing_end_referral(&it, "charity", 4);
	assert_int_equal(it.n_referrals, STANDING_REFERRALS_MAX - 1);
	assert_int_equal(it.referrals[0].id, 3);
	assert_int_equal(it.referrals[1].id, 5);
	standing_fini(&it);
}

static size_t save_standing(const struct standing *it, uint8_t *out)
{
	struct cursor cursor;

	assert_true(standing_bound(it) <= ROOM);
	cursor_init_write(&cursor, out, standing_bound(it));
	standing_save(it, &cursor);
	assert_true(cursor_ok(&cursor));
	return cursor_offset(&cursor);
}

static bool load_standing(const uint8_t *bytes, size_t len, struct standing *out)
{
	uint8_t *exact = malloc(len + 1); /* so that reading beyond it is seen */
	struct cursor cursor;
	bool loaded;

	assert_non_null(exact);
	memcpy(exact, bytes, len);
	cursor_init_read(&cursor, exact, len);
	*out = (struct standing){ 0 };
	loaded = standing_load(out, &cursor);
	free(exact);
	return loaded;
}

static void standing_loads_as_it_was_and_refuses_damage(void **state)
{
	struct standing_scheme scheme = scheme_of("a-very-long-agency-of-32-letters/"
						  "a-very-long-scheme-of-32-letters", UINT64_MAX);
	const struct standing_referral referral = { "charity", UINT64_MAX, UINT64_MAX };
	struct standing it = { .custody_sequence = UINT64_MAX, .custody = 2, .risk_sequence = UINT64_MAX,
			       .risk = 4, .area_sequence = UINT64_MAX, .area = "E06000031" };
	struct standing again;
	size_t refused = 0;

	(void)state;
	scheme.ended = UINT64_MAX;
	scheme.withdrawn = true;
	assert_int_equal(strlen(scheme.scheme), 65);
	assert_true(standing_enrol(&it, &scheme) && standing_refer(&it, &referral));
	const size_t len = save_standing(&it, buffer);
	assert_true(load_standing(buffer, len, &again));
	assert_int_equal(save_standing(&again, other), len);
	assert_memory_equal(buffer, other, len);
	standing_fini(&again);
	for (size_t cut = 0; cut < len; cut++) {
		assert_false(load_standing(buffer, cut, &again));
		standing_fini(&again);
	}
	for (size_t at = 0; at < len; at++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			buffer[at] ^= (uint8_t)(1u << bit);
			if (load_standing(buffer, len, &again))
				assert_true(save_standing(&again, other) <= standing_bound(&again));
			else
				refused++;
			standing_fini(&again);
			buffer[at] ^= (uint8_t)(1u << bit);
		}
	}
	assert_true(refused > 0);
	buffer[0] = STANDING_SCHEMES_MAX + 1;
	assert_false(load_standing(buffer, len, &again));
	standing_fini(&again);
	standing_fini(&it);
}

/* --- waiting --- */

static struct waiting_entry entry_of(uint64_t sequence, unsigned who, uint32_t mailbox, bool held)
{
	struct waiting_entry it = { .sequence = sequence, .accepted_ns = (int64_t)sequence * 10,
				    .mailbox = mailbox, .held = held };

	memset(it.key, (int)who, sizeof(it.key));
	return it;
}

static void what_is_held_does_not_end_and_does_not_stop_others(void **state)
{
	struct waiting it = { 0 };

	(void)state;
	assert_true(waiting_low_water(&it) == UINT64_MAX);
	for (uint64_t i = 1; i <= 10; i++) {
		const struct waiting_entry entry = entry_of(i, 1, 0, i <= 2 || i == 6);
		assert_true(waiting_add(&it, &entry));
	}
	waiting_expire(&it, 50); /* accepted at 50 is not before */
	assert_int_equal(it.live, 8);
	assert_true(waiting_low_water(&it) == 1);
	assert_false(waiting_take(&it, 4, 0));
	assert_true(waiting_take(&it, 1, 0));
	assert_false(waiting_take(&it, 1, 0));
	assert_true(waiting_low_water(&it) == 2);
	waiting_expire(&it, INT64_MAX);
	assert_int_equal(it.live, 2);
	assert_true(waiting_take(&it, 2, 0));
	assert_true(waiting_low_water(&it) == 6);
	assert_true(waiting_take(&it, 6, 0));
	assert_true(waiting_low_water(&it) == UINT64_MAX);
	assert_int_equal(it.live, 0);
	waiting_fini(&it);
}

static void what_is_due_comes_in_order_and_once(void **state)
{
	struct waiting it = { 0 };
	uint8_t key[PERSON_KEY_BYTES];
	struct waiting_entry *due;

	(void)state;
	for (uint64_t i = 1; i <= 9; i++) {
		const struct waiting_entry entry = entry_of(i, (unsigned)(i % 3), 0, false);
		assert_true(waiting_add(&it, &entry));
	}
	assert_null(waiting_due(&it));
	memset(key, 2, sizeof(key));
	waiting_mark(&it, key);
	waiting_mark(&it, key);
	memset(key, 1, sizeof(key));
	due = waiting_due(&it);
	assert_true(due->sequence == 2);
	waiting_settle(&it, due);
	waiting_mark(&it, key); /* one before what was due */
	assert_true(waiting_due(&it)->sequence == 1);
	assert_true(waiting_take(&it, 1, 0));
	assert_true(waiting_due(&it)->sequence == 4);
	waiting_expire(&it, 60);
	assert_true(waiting_due(&it)->sequence == 7);
	waiting_settle(&it, waiting_due(&it));
	assert_true(waiting_due(&it)->sequence == 8);
	waiting_settle(&it, waiting_due(&it));
	assert_null(waiting_due(&it));
	waiting_mark_all(&it);
	for (uint64_t i = 6; i <= 9; i++) {
		assert_true(waiting_due(&it)->sequence == i);
		waiting_settle(&it, waiting_due(&it));
	}
	assert_null(waiting_due(&it));
	waiting_fini(&it);
}

/* Against a plain array, so that the list's growing and moving is seen. */
static void what_waits_is_what_was_added_and_not_taken(void **state)
{
	enum { MOST = 6000 };
	struct waiting it = { 0 };
	bool *in = calloc(MOST * 2, sizeof(*in)), *due = calloc(MOST * 2, sizeof(*due));
	uint64_t seed = 11, first = 1;

	(void)state;
	assert_true(in && due);
	for (uint64_t i = 1; i < MOST; i++) {
		size_t live = 0, n_due = 0;

		for (uint32_t box = 0; box < 2; box++) {
			const struct waiting_entry entry = entry_of(i, (unsigned)(i % 7), box, false);
			assert_true(waiting_add(&it, &entry));
			in[i * 2 + box] = true;
		}
		const uint64_t some = i < 40 ? 1 : i - 40 + unit_random(&seed) % 41;
		const uint32_t box = (uint32_t)(unit_random(&seed) % 2);
		assert_int_equal(waiting_take(&it, some, box), in[some * 2 + box]);
		in[some * 2 + box] = due[some * 2 + box] = false;
		if (i % 5 == 0) {
			uint8_t key[PERSON_KEY_BYTES];

			memset(key, (int)(i % 7), sizeof(key));
			waiting_mark(&it, key);
			for (uint64_t k = first; k <= i; k++) {
				for (uint32_t b = 0; b < 2 && k % 7 == i % 7; b++)
					due[k * 2 + b] = in[k * 2 + b];
			}
		}
		if (i % 3 == 0 && waiting_due(&it)) {
			struct waiting_entry *entry = waiting_due(&it);

			assert_true(due[entry->sequence * 2 + entry->mailbox]);
			due[entry->sequence * 2 + entry->mailbox] = false;
			waiting_settle(&it, entry);
		}
		for (; i > 60 && first < i - 60; first++)
			in[first * 2] = in[first * 2 + 1] = due[first * 2] = due[first * 2 + 1] = false;
		waiting_expire(&it, (int64_t)first * 10);
		for (uint64_t k = first * 2; k <= i * 2 + 1; k++) {
			live += in[k];
			n_due += due[k];
		}
		assert_int_equal(it.live, live);
		assert_int_equal(it.n_due, n_due);
	}
	assert_true(it.capacity <= 512);
	free(in);
	free(due);
	waiting_fini(&it);
}

static bool load_waiting(const uint8_t *bytes, size_t len, uint64_t sequence, struct waiting *out)
{
	uint8_t *exact = malloc(len + 1);
	struct cursor cursor;
	bool loaded;

	assert_non_null(exact);
	memcpy(exact, bytes, len);
	cursor_init_read(&cursor, exact, len);
	*out = (struct waiting){ 0 };
	loaded = waiting_load(out, &cursor, 3, sequence);
	free(exact);
	return loaded;
}

static size_t save_waiting(const struct waiting *it, uint8_t *out)
{
	struct cursor cursor;

	cursor_init_write(&cursor, out, waiting_bound(it));
	waiting_save(it, &cursor);
	assert_true(cursor_ok(&cursor));
	return cursor_offset(&cursor);
}

static void what_waits_loads_as_it_was_and_refuses_damage(void **state)
{
	const struct waiting_entry entries[] = { entry_of(1, 4, 0, false), entry_of(1, 4, 2, true),
						 entry_of(UINT64_MAX / 32, 5, 1, false) };
	struct waiting it = { 0 }, again;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_true(waiting_add(&it, &entries[i]));
	const size_t len = save_waiting(&it, buffer);
	assert_true(load_waiting(buffer, len, UINT64_MAX, &again));
	assert_int_equal(again.live, 3);
	assert_true(again.items[1].held && again.items[1].mailbox == 2);
	assert_int_equal(save_waiting(&again, other), len);
	assert_memory_equal(buffer, other, len);
	waiting_fini(&again);
	for (size_t cut = 0; cut < len; cut++) {
		assert_false(load_waiting(buffer, cut, UINT64_MAX, &again));
		waiting_fini(&again);
	}
	assert_false(load_waiting(buffer, len, UINT64_MAX / 32 - 1, &again)); /* of records to come */
	waiting_fini(&again);
	buffer[1] = 0; /* no sequence */
	assert_false(load_waiting(buffer, len, UINT64_MAX, &again));
	waiting_fini(&again);
	buffer[1] = 2; /* behind the next */
	assert_false(load_waiting(buffer, len, UINT64_MAX, &again));
	waiting_fini(&again);
	buffer[1] = 1;
	buffer[1 + 1 + 8 + 16] = 3; /* no such mailbox */
	assert_false(load_waiting(buffer, len, UINT64_MAX, &again));
	waiting_fini(&again);
	buffer[1 + 1 + 8 + 16] = 0;
	buffer[1 + 1 + 8 + 16 + 1] = 2; /* neither held nor not */
	assert_false(load_waiting(buffer, len, UINT64_MAX, &again));
	waiting_fini(&again);
	waiting_fini(&it);
}

/* --- changes --- */

static size_t put_all(uint8_t *out)
{
	struct change change = { .a = { { 1 }, 1 }, .b = { { 2 }, 2 }, .text = "one-service/pilot",
				 .from_ns = INT64_MIN, .until_ns = INT64_MAX, .value = UINT64_MAX };
	struct cursor cursor;

	cursor_init_write(&cursor, out, ROOM);
	for (uint8_t op = CHANGE_LINK; op <= CHANGE_LAST; op++) {
		change.op = op;
		change_put(&cursor, &change);
	}
	assert_true(cursor_ok(&cursor));
	return cursor_offset(&cursor);
}

static void changes_read_back_one_behind_the_other(void **state)
{
	const size_t len = put_all(buffer);
	struct cursor cursor;
	struct change it;

	(void)state;
	cursor_init_read(&cursor, buffer, len);
	for (uint8_t op = CHANGE_LINK; op <= CHANGE_LAST; op++) {
		assert_true(change_next(&cursor, &it));
		assert_int_equal(it.op, op);
		assert_int_equal(it.a.kind, 1);
		assert_int_equal(it.a.key[0], 1);
		assert_int_equal(it.b.key[0], op <= CHANGE_UNMERGE ? 2 : 0);
		assert_int_equal(it.until_ns == INT64_MAX, op == CHANGE_ENROL || op == CHANGE_RETURN);
		assert_int_equal(it.value == UINT64_MAX,
				 op == CHANGE_CUSTODY || op == CHANGE_RISK || op == CHANGE_REFER ||
					 op == CHANGE_REFERRED || op == CHANGE_ASKED);
		if (it.text)
			assert_string_equal(it.text, "one-service/pilot");
		assert_int_equal(it.text != NULL, op > CHANGE_UNMERGE && op != CHANGE_CUSTODY &&
							  op != CHANGE_RISK && op != CHANGE_OVERDUE);
	}
	assert_false(change_next(&cursor, &it));
	assert_true(cursor_ok(&cursor)); /* the end is no damage */
}

/* Whole changes until the damage, then never another. */
static size_t count_changes(const uint8_t *bytes, size_t len, bool *sound)
{
	uint8_t *exact = malloc(len + 1);
	struct cursor cursor;
	struct change it;
	size_t n = 0;

	assert_non_null(exact);
	memcpy(exact, bytes, len);
	cursor_init_read(&cursor, exact, len);
	while (change_next(&cursor, &it)) {
		if (it.text)
			assert_true(strlen(it.text) < 128);
		n++;
	}
	*sound = cursor_ok(&cursor);
	assert_false(change_next(&cursor, &it));
	free(exact);
	return n;
}

static void damaged_changes_are_told(void **state)
{
	const size_t len = put_all(buffer);
	size_t whole = 0;
	bool sound;

	(void)state;
	for (size_t cut = 0; cut < len; cut++) {
		const size_t n = count_changes(buffer, cut, &sound);

		assert_true(n < CHANGE_LAST);
		whole += sound; /* the ends of changes: nothing is missing there */
	}
	assert_int_equal(whole, CHANGE_LAST);
	for (size_t at = 0; at < len; at++) {
		for (unsigned flip = 1; flip < 256; flip *= 2) {
			buffer[at] ^= (uint8_t)flip;
			assert_true(count_changes(buffer, len, &sound) <= CHANGE_LAST || sound);
			buffer[at] ^= (uint8_t)flip;
		}
	}
	buffer[0] = 0;
	assert_int_equal(count_changes(buffer, len, &sound), 0);
	assert_false(sound);
	buffer[0] = CHANGE_LAST + 1;
	assert_int_equal(count_changes(buffer, len, &sound), 0);
	assert_false(sound);
}

/* --- condition --- */

static void a_condition_is_told_in_words(void **state)
{
	struct condition it = { .n_areas = 0 };
	char text[CONDITION_TEXT_MAX];

	(void)state;
	condition_text(NULL, text);
	assert_string_equal(text, "");
	condition_text(&it, text);
	assert_string_equal(text, "");
	it.custody = CONDITION_CUSTODY_IN;
	condition_text(&it, text);
	assert_string_equal(text, "custody=in");
	strcpy(it.scheme, "one-service/pilot");
	it.window_days = 365;
	it.referral = true;
	it.risk_at_most = 2;
	it.custody = CONDITION_CUSTODY_OUT;
	strcpy(it.areas[it.n_areas++], "E06000031");
	condition_text(&it, text);
	assert_string_equal(text, "enrolled=one-service/pilot window_days=365 referral risk_at_most=medium "
				  "custody=out area=E06000031");
	/* The longest there can be fits. */
	memset(it.scheme, 'x', CONDITION_SCHEME_MAX);
	it.window_days = UINT32_MAX;
	it.risk_at_most = 4;
	for (it.n_areas = 0; it.n_areas < CONDITION_AREAS_MAX; it.n_areas++)
		strcpy(it.areas[it.n_areas], "E06000031");
	condition_text(&it, text);
	assert_int_equal(strlen(text), 9 + 65 + 23 + 9 + 23 + 12 + 32 * 15);
	it.risk_at_most = 77;
	condition_text(&it, text);
	assert_non_null(strstr(text, " risk_at_most=other "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_enrolled_again_left_the_time_before),
		cmocka_unit_test(the_oldest_that_is_over_makes_room),
		cmocka_unit_test(referrals_are_one_for_a_name_and_bounded),
		cmocka_unit_test(standing_loads_as_it_was_and_refuses_damage),
		cmocka_unit_test(what_is_held_does_not_end_and_does_not_stop_others),
		cmocka_unit_test(what_is_due_comes_in_order_and_once),
		cmocka_unit_test(what_waits_is_what_was_added_and_not_taken),
		cmocka_unit_test(what_waits_loads_as_it_was_and_refuses_damage),
		cmocka_unit_test(changes_read_back_one_behind_the_other),
		cmocka_unit_test(damaged_changes_are_told),
		cmocka_unit_test(a_condition_is_told_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
