/* The referrals that are followed: what is forgotten and when, whose answer is due, and the bytes of it. */
#include <stdlib.h>
#include <string.h>

#include "core/referrals.h"
#include "unit.h"

#define SECOND INT64_C(1000000000)
#define ROOM (64u * 1024)

static uint8_t buffer[ROOM];

static struct referral make(uint32_t number, enum referral_state state, int64_t moved_ns)
{
	struct referral it = { .provider = "charity", .state = (uint8_t)state, .moved_ns = moved_ns };

	memcpy(it.key, &number, sizeof(number));
	return it;
}

/* One that is sent, by the record of this number, and to be answered. */
static struct referral make_due(uint32_t number, int64_t answer_by_ns)
{
	struct referral it = make(number, REFERRAL_SENT, 5);

	it.answer_by_ns = answer_by_ns;
	it.sent = number;
	return it;
}

static void put(struct referrals *all, struct referral it)
{
	assert_true(referrals_put(all, &it));
}

static const struct referral *find(const struct referrals *all, uint32_t number)
{
	const struct referral wanted = make(number, REFERRAL_SENT, 0);

	return referrals_find(all, wanted.key);
}

static void what_was_put_is_found_as_it_was_put_last(void **state)
{
	struct referrals *all = referrals_new();

	(void)state;
	assert_non_null(all);
	assert_null(find(all, 1));
	for (uint32_t i = 0; i < 1000; i++)
		put(all, make(i, REFERRAL_SENT, i));
	put(all, make(7, REFERRAL_STARTED, 2000));
	assert_int_equal(referrals_count(all), 1000);
	for (uint32_t i = 0; i < 1000; i++) {
		assert_non_null(find(all, i));
		assert_int_equal(find(all, i)->state, i == 7 ? REFERRAL_STARTED : REFERRAL_SENT);
		assert_int_equal(find(all, i)->moved_ns, i == 7 ? 2000 : i);
	}
	assert_null(find(all, 1000));
	referrals_free(&all);
	assert_null(all);
	referrals_free(&all);
}

static void what_is_over_is_forgotten_after_its_time_and_nothing_else(void **state)
{
	struct referrals *all = referrals_new();

	(void)state;
	put(all, make(1, REFERRAL_SENT, 0));
	put(all, make(2, REFERRAL_ENDED, 10));
	put(all, make(3, REFERRAL_DECLINED, 20));
	put(all, make(4, REFERRAL_WITHDRAWN, 30));
	referrals_expire(all, REFERRALS_KEPT_NS + 10);
	assert_int_equal(referrals_count(all), 4);
	referrals_expire(all, REFERRALS_KEPT_NS + 11);
	assert_null(find(all, 2));
	assert_non_null(find(all, 3));
	referrals_expire(all, 100 * REFERRALS_KEPT_NS);
	assert_int_equal(referrals_count(all), 1);
	assert_non_null(find(all, 1));
	referrals_free(&all);
}

static void at_the_limit_what_is_over_goes_first_then_what_is_silent_longest(void **state)
{
	struct referrals *all = referrals_new();

	(void)state;
	put(all, make_due(1, 1000)); /* silent longest */
	put(all, make(2, REFERRAL_ENDED, 10));
	put(all, make(3, REFERRAL_ENDED, 10));
	for (uint32_t i = 4; i <= REFERRALS_MAX; i++)
		put(all, make(i, REFERRAL_ACCEPTED, 10));
	assert_int_equal(referrals_count(all), REFERRALS_MAX);
	put(all, make(3, REFERRAL_WITHDRAWN, 11)); /* known: nobody has to go */
	assert_non_null(find(all, 2));
	put(all, make(REFERRALS_MAX + 1, REFERRAL_SENT, 12));
	assert_null(find(all, 2));
	put(all, make(REFERRALS_MAX + 2, REFERRAL_SENT, 12));
	assert_null(find(all, 3));
	assert_non_null(referrals_due(all));
	put(all, make(REFERRALS_MAX + 3, REFERRAL_SENT, 12));
	assert_null(find(all, 1));
	assert_null(referrals_due(all));
	put(all, make(4, REFERRAL_STARTED, 13)); /* something was heard of it */
	put(all, make(REFERRALS_MAX + 4, REFERRAL_SENT, 14));
	assert_non_null(find(all, 4));
	assert_null(find(all, 5));
	assert_int_equal(referrals_count(all), REFERRALS_MAX);
	referrals_free(&all);
}

static void the_answer_that_should_be_there_first_is_due_first(void **state)
{
	struct referrals *all = referrals_new();
	uint64_t seed = unit_seed("the_answer_that_should_be_there_first_is_due_first");
	int64_t before = 0;
	size_t n = 0;

	(void)state;
	for (uint32_t i = 1; i <= 500; i++)
		put(all, make_due(i, 1 + (int64_t)(unit_random(&seed) % 200)));
	for (uint32_t i = 1; i <= 500; i += 3) /* answered */
		put(all, make(i, i % 2 ? REFERRAL_ACCEPTED : REFERRAL_DECLINED, 9));
	for (uint32_t i = 2; i <= 500; i += 3) { /* another time was set */
		struct referral it = *find(all, i);

		it.answer_by_ns = 1 + (int64_t)(unit_random(&seed) % 200);
		put(all, it);
	}
	for (const struct referral *it; (it = referrals_due(all)); n++) {
		uint8_t key[PERSON_KEY_BYTES];

		assert_int_equal(it->state, REFERRAL_SENT);
		assert_true(it->answer_by_ns >= before);
		before = it->answer_by_ns;
		memcpy(key, it->key, sizeof(key));
		assert_true(referrals_tell(all, key));
		assert_true(referrals_find(all, key)->told);
	}
	assert_int_equal(n, 500 - 167);
	referrals_ask_again(all); /* who was told is not told again */
	assert_null(referrals_due(all));
	referrals_free(&all);
}

static void what_was_passed_over_is_due_again_when_it_is_asked_again(void **state)
{
	struct referrals *all = referrals_new();
	const struct referral one = make_due(1, 50), two = make_due(2, 60), none = make(9, REFERRAL_SENT, 0);

	(void)state;
	put(all, one);
	put(all, two);
	referrals_pass(all, one.key);
	referrals_pass(all, none.key);
	assert_int_equal(referrals_due(all)->sent, 2);
	referrals_pass(all, two.key);
	assert_null(referrals_due(all));
	referrals_ask_again(all);
	assert_int_equal(referrals_due(all)->sent, 1);
	assert_false(referrals_tell(all, none.key));
	referrals_free(&all);
}

static size_t save(const struct referrals *all)
{
	struct cursor cursor;

	cursor_init_write(&cursor, buffer, sizeof(buffer));
	referrals_save(all, &cursor);
	assert_true(cursor_ok(&cursor));
	assert_true(cursor_offset(&cursor) <= referrals_bound(all));
	return cursor_offset(&cursor);
}

static bool load(size_t len, struct referrals **out)
{
	uint8_t *exact = malloc(len + 1);
	struct cursor cursor;
	bool done;

	assert_non_null(exact);
	memcpy(exact, buffer, len);
	*out = referrals_new();
	cursor_init_read(&cursor, exact, len);
	done = referrals_load(*out, &cursor, 100) && cursor_left(&cursor) == 0;
	free(exact);
	if (!done)
		referrals_free(out);
	return done;
}

static struct referrals *some(void)
{
	struct referrals *all = referrals_new();
	struct referral told = make_due(5, 70);

	told.told = true;
	put(all, make(1, REFERRAL_STARTED, 3));
	put(all, make(2, REFERRAL_DECLINED, 2));
	put(all, make_due(3, 60));
	put(all, make_due(4, 50));
	put(all, told);
	put(all, make(6, REFERRAL_ENDED, 1));
	return all;
}

static void a_snapshot_gives_the_same_back_and_the_same_bytes_again(void **state)
{
	struct referrals *all = some(), *again;
	const size_t len = save(all);
	uint8_t bytes[1024];

	(void)state;
	assert_true(len <= sizeof(bytes));
	memcpy(bytes, buffer, len);
	assert_true(load(len, &again));
	assert_int_equal(referrals_count(again), 6);
	assert_true(find(again, 5)->told);
	assert_int_equal(referrals_due(again)->sent, 4);
	assert_int_equal(save(again), len);
	assert_memory_equal(buffer, bytes, len);
	referrals_expire(again, REFERRALS_KEPT_NS + 3);
	assert_null(find(again, 2));
	assert_null(find(again, 6)); /* behind it, though its own time is earlier */
	referrals_free(&again);
	referrals_free(&all);
}

static void damaged_bytes_are_told(void **state)
{
	struct referrals *all = some(), *again;
	const size_t len = save(all), first = 1, entry = 16 + 1 + 9 + 8 + 8 + 1;

	(void)state;
	for (size_t cut = 0; cut < len; cut++)
		assert_false(load(cut, &again));
	buffer[first + 16] = 0; /* no state */
	assert_false(load(len, &again));
	buffer[first + 16] = REFERRAL_STATES;
	assert_false(load(len, &again));
	buffer[first + 16] = REFERRAL_DECLINED;
	assert_true(load(len, &again));
	referrals_free(&again);
	buffer[first + 16 + 1 + 3] = 0; /* the provider's name ends too soon */
	assert_false(load(len, &again));
	buffer[first + 16 + 1 + 3] = 'a';
	memcpy(buffer + first + entry, buffer + first, 16); /* one stands there twice */
	assert_false(load(len, &again));
	save(all);
	buffer[first + 16] = REFERRAL_SENT; /* one that is over behind one that is not */
	assert_false(load(len, &again));
	save(all);
	buffer[first + entry - 1] = 101; /* sent behind the last record */
	assert_false(load(len, &again));
	referrals_free(&all);
}

static void random_moves_keep_what_a_list_would_keep(void **state)
{
	enum { MANY = 300 };
	uint64_t seed = unit_seed("random_moves_keep_what_a_list_would_keep");
	struct referral list[MANY] = { { .state = 0 } };
	struct referrals *all = referrals_new();

	(void)state;
	for (int round = 0; round < 20000; round++) {
		const uint32_t number = (uint32_t)(unit_random(&seed) % MANY);
		const int64_t now = round * SECOND;
		const uint64_t drawn = 1 + unit_random(&seed) % (REFERRAL_STATES - 1);
		struct referral it = make(number, (enum referral_state)drawn, now);

		it.answer_by_ns = referral_awaits_answer((enum referral_state)it.state) ?
					  now + (int64_t)(unit_random(&seed) % 50) * SECOND :
					  0;
		it.sent = it.answer_by_ns ? (uint64_t)round + 1 : 0;
		put(all, it);
		list[number] = it;
		if (round % 7 == 0 && list[number].answer_by_ns) {
			assert_true(referrals_tell(all, it.key));
			list[number].told = true;
		}
		if (round % 1000 == 999) {
			referrals_expire(all, now + REFERRALS_KEPT_NS - 200 * SECOND);
			for (int i = 0; i < MANY; i++)
				if (referral_is_over((enum referral_state)list[i].state) &&
				    list[i].moved_ns < now - 200 * SECOND)
					list[i].state = REFERRAL_NONE;
		}
	}
	for (uint32_t i = 0; i < MANY; i++) {
		const struct referral *it = find(all, i);

		assert_int_equal(it ? it->state : REFERRAL_NONE, list[i].state);
		assert_true(!it || (it->moved_ns == list[i].moved_ns && it->told == list[i].told));
	}
	referrals_free(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_is_found_as_it_was_put_last),
		cmocka_unit_test(what_is_over_is_forgotten_after_its_time_and_nothing_else),
		cmocka_unit_test(at_the_limit_what_is_over_goes_first_then_what_is_silent_longest),
		cmocka_unit_test(the_answer_that_should_be_there_first_is_due_first),
		cmocka_unit_test(what_was_passed_over_is_due_again_when_it_is_asked_again),
		cmocka_unit_test(a_snapshot_gives_the_same_back_and_the_same_bytes_again),
		cmocka_unit_test(damaged_bytes_are_told),
		cmocka_unit_test(random_moves_keep_what_a_list_would_keep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
