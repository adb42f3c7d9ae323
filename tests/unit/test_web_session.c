/* Sessions, form tokens, and who is locked out after wrong passwords. Time is an argument. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "support/assert.h"
#include "web/lockout.h"
#include "web/session.h"

#define NS_PER_S  INT64_C(1000000000)
#define MINUTE_NS (60 * NS_PER_S)

static const struct web_user ann = { .user = "ann", .name = "Ann Example", .role = 1 };
static const uint8_t proof[HASH_BYTES] = { 7 };

static struct sessions *make_sessions(void)
{
	struct sessions *sessions = malloc(sizeof(*sessions));

	assert_non_null(sessions);
	assert_true(web_sessions_init(sessions, world_real(), 30));
	return sessions;
}

static void free_sessions(struct sessions *sessions)
{
	web_sessions_fini(sessions);
	free(sessions);
}

static struct session *open_for(struct sessions *sessions, const char *name, char *id,
                                int64_t now_ns)
{
	struct web_user user = ann;

	snprintf(user.user, sizeof(user.user), "%s", name);
	assert_true(web_session_new_id(sessions, id));
	return web_session_open(sessions, id, &user, proof, now_ns);
}

static void a_session_is_found_by_its_id_alone_and_the_id_is_not_kept(void **state)
{
	struct sessions *sessions = make_sessions();
	char id[SESSION_ID_BYTES], other[SESSION_ID_BYTES];
	struct session *session = open_for(sessions, "ann", id, 1);

	(void)state;
	assert_non_null(session);
	assert_ptr_equal(web_session_find(sessions, id, 2), session);
	assert_string_equal(session->user.name, "Ann Example");
	assert_true(web_session_new_id(sessions, other));
	assert_string_not_equal(id, other);
	assert_null(web_session_find(sessions, other, 2));
	assert_null(web_session_find(sessions, "", 2));
	assert_null(memmem(sessions, sizeof(*sessions), id, 32));
	web_session_close(session);
	assert_null(web_session_find(sessions, id, 2));
	free_sessions(sessions);
}

static void an_idle_session_ends_and_one_that_is_used_ends_after_twelve_hours(void **state)
{
	struct sessions *sessions = make_sessions();
	char id[SESSION_ID_BYTES];
	struct session *session = open_for(sessions, "ann", id, 1);
	int64_t now_ns = 1;

	(void)state;
	assert_non_null(web_session_find(sessions, id, 30 * MINUTE_NS));
	assert_null(web_session_find(sessions, id, 30 * MINUTE_NS + 1));
	session = open_for(sessions, "ann", id, now_ns);
	for (; now_ns < 1 + 12 * 60 * MINUTE_NS; now_ns += 29 * MINUTE_NS) {
		assert_ptr_equal(web_session_find(sessions, id, now_ns), session);
		session->seen_ns = now_ns;
	}
	assert_null(web_session_find(sessions, id, now_ns));
	free_sessions(sessions);
}

static void more_sessions_than_places_end_those_that_are_idle_longest(void **state)
{
	struct sessions *sessions = make_sessions();
	char first[SESSION_ID_BYTES], own[SESSION_ID_BYTES], id[SESSION_ID_BYTES], name[24];

	(void)state;
	open_for(sessions, "ann", first, 1);
	open_for(sessions, "bob", own, 2);
	for (int i = 0; i < SESSIONS_PER_USER; i++)
		assert_non_null(open_for(sessions, "bob", id, 3 + i));
	assert_null(web_session_find(sessions, own, 20)); /* his own oldest, nobody else's */
	assert_non_null(web_session_find(sessions, first, 20));
	for (int i = 0; i < SESSIONS_MAX; i++) {
		snprintf(name, sizeof(name), "user-%d", i);
		assert_non_null(open_for(sessions, name, id, 30 + i));
	}
	assert_null(web_session_find(sessions, first, 400));
	assert_non_null(web_session_find(sessions, id, 400));
	free_sessions(sessions);
}

static void a_form_token_belongs_to_one_id_and_one_process(void **state)
{
	struct sessions *one = make_sessions(), *other = make_sessions();
	char id[SESSION_ID_BYTES], second[SESSION_ID_BYTES];
	char token[SESSION_ID_BYTES], again[SESSION_ID_BYTES];

	(void)state;
	assert_true(web_session_new_id(one, id) && web_session_new_id(one, second));
	assert_true(web_session_is_id(id));
	assert_false(web_session_is_id("0123"));
	web_session_form_token(one, id, token);
	web_session_form_token(one, id, again);
	assert_string_equal(token, again);
	assert_string_not_equal(token, id);
	web_session_form_token(one, second, again);
	assert_string_not_equal(token, again);
	web_session_form_token(other, id, again);
	assert_string_not_equal(token, again);
	free_sessions(one);
	free_sessions(other);
}

static struct lockout *make_lockout(void)
{
	struct lockout *lockout = malloc(sizeof(*lockout));

	assert_non_null(lockout);
	assert_true(lockout_init(lockout, world_real()));
	return lockout;
}

static void free_lockout(struct lockout *lockout)
{
	lockout_fini(lockout);
	free(lockout);
}

/* Five in a row; gives for how long that locks. */
static unsigned lock(struct lockout *lockout, const char *name, int64_t now_ns)
{
	for (int i = 1; i < LOCKOUT_TRIES; i++) {
		assert_int_equal(lockout_left_s(lockout, name, now_ns), 0);
		assert_false(lockout_count(lockout, name, now_ns));
	}
	assert_true(lockout_count(lockout, name, now_ns));
	return lockout_left_s(lockout, name, now_ns);
}

static void five_wrong_passwords_lock_a_name_each_time_for_longer(void **state)
{
	struct lockout *lockout = make_lockout();
	int64_t now_ns = 1;
	unsigned expected = 900;

	(void)state;
	for (int i = 0; i < 7; i++) {
		assert_int_equal(lock(lockout, "ann", now_ns), expected);
		assert_int_equal(lockout_left_s(lockout, "bob", now_ns), 0);
		assert_int_equal(lockout_left_s(lockout, "ann", now_ns + NS_PER_S), expected - 1);
		now_ns += expected * NS_PER_S;
		assert_int_equal(lockout_left_s(lockout, "ann", now_ns), 0);
		expected = expected * 2 > LOCKOUT_MAX_S ? LOCKOUT_MAX_S : expected * 2;
	}
	lockout_forget(lockout, "ann");
	assert_int_equal(lock(lockout, "ann", now_ns), 900);
	/* A day without a try, and it begins anew. */
	now_ns += 2 * LOCKOUT_FORGET_S * NS_PER_S;
	assert_int_equal(lock(lockout, "ann", now_ns), 900);
	free_lockout(lockout);
}

static void a_right_password_in_between_forgets_the_wrong_ones(void **state)
{
	struct lockout *lockout = make_lockout();

	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_false(lockout_count(lockout, "ann", 1 + i));
		if (i % 4 == 3)
			lockout_forget(lockout, "ann");
	}
	assert_int_equal(lockout_left_s(lockout, "ann", 30), 0);
	free_lockout(lockout);
}

static void names_beyond_the_bound_do_not_free_who_is_locked(void **state)
{
	struct lockout *lockout = make_lockout();
	char name[24];

	(void)state;
	lock(lockout, "ann", 1);
	for (int i = 0; i < 2 * LOCKOUT_NAMES; i++) {
		snprintf(name, sizeof(name), "name-%d", i);
		lockout_count(lockout, name, 2 + i);
	}
	assert_in_range(lockout_left_s(lockout, "ann", 5000), 1, 900);
	assert_null(memmem(lockout, sizeof(*lockout), "name-", 5));
	free_lockout(lockout);
}

static void tries_of_all_together_are_a_few_a_second(void **state)
{
	struct lockout *lockout = make_lockout();
	int taken = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		taken += lockout_take_try(lockout, NS_PER_S);
	assert_int_equal(taken, LOCKOUT_BURST);
	for (int ms = 1; ms <= 10000; ms += 10)
		taken += lockout_take_try(lockout, NS_PER_S + ms * INT64_C(1000000));
	assert_in_range(taken, LOCKOUT_BURST + 10 * LOCKOUT_RATE_S - 1,
	                LOCKOUT_BURST + 10 * LOCKOUT_RATE_S);
	free_lockout(lockout);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_is_found_by_its_id_alone_and_the_id_is_not_kept),
		cmocka_unit_test(an_idle_session_ends_and_one_that_is_used_ends_after_twelve_hours),
		cmocka_unit_test(more_sessions_than_places_end_those_that_are_idle_longest),
		cmocka_unit_test(a_form_token_belongs_to_one_id_and_one_process),
		cmocka_unit_test(five_wrong_passwords_lock_a_name_each_time_for_longer),
		cmocka_unit_test(a_right_password_in_between_forgets_the_wrong_ones),
		cmocka_unit_test(names_beyond_the_bound_do_not_free_who_is_locked),
		cmocka_unit_test(tries_of_all_together_are_a_few_a_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
