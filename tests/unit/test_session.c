/* The session table of the daemon. */
#include "unit.h"

#include <string.h>
#include "net/session.h"

static const uint8_t routing_a[] = { 0, 1, 2, 3, 4 };
static const uint8_t routing_b[] = { 0, 1, 2, 3, 5 };

static void a_session_is_found_by_its_connection_only(void **state)
{
	(void)state;
	struct sessions sessions = { 0 };
	struct session *a = session_add(&sessions, routing_a, sizeof routing_a, "prison", "key", 7);
	assert_ptr_equal(session_find(&sessions, routing_a, sizeof routing_a), a);
	assert_null(session_find(&sessions, routing_b, sizeof routing_b));
	assert_null(session_find(&sessions, routing_a, sizeof routing_a - 1));
	assert_int_equal(sessions.count, 1);
	session_remove(&sessions, a);
	assert_null(session_find(&sessions, routing_a, sizeof routing_a));
	assert_int_equal(sessions.count, 0);
}

static void a_session_number_is_never_used_twice(void **state)
{
	(void)state;
	struct sessions sessions = { 0 };
	struct session *first = session_add(&sessions, routing_a, sizeof routing_a, "a", "k", 0);
	const uint64_t number = first->number;
	session_remove(&sessions, first);
	struct session *second = session_add(&sessions, routing_a, sizeof routing_a, "a", "k", 0);
	assert_true(second->number > number);
	sessions_clear(&sessions);
	assert_int_equal(sessions.count, 0);
}

static void a_consumer_is_found_by_its_number_until_it_is_removed(void **state)
{
	(void)state;
	struct sessions sessions = { 0 };
	struct session *a = session_add(&sessions, routing_a, sizeof routing_a, "a", "k", 0);
	struct session *b = session_add(&sessions, routing_b, sizeof routing_b, "b", "k", 0);
	struct session_consumer *of_a = session_add_consumer(a, 1, "a/in");
	struct session_consumer *of_b = session_add_consumer(b, SESSION_HANDLES, "b/in");
	struct session_consumer *found = NULL;
	assert_ptr_equal(session_of_consumer(&sessions, session_consumer_id(a, 1), &found), a);
	assert_ptr_equal(found, of_a);
	assert_ptr_equal(session_of_consumer(&sessions, session_consumer_id(b, SESSION_HANDLES),
					     &found), b);
	assert_ptr_equal(found, of_b);
	assert_null(session_of_consumer(&sessions, session_consumer_id(a, 2), &found));
	session_remove_consumer(a, 1);
	assert_null(session_of_consumer(&sessions, session_consumer_id(a, 1), &found));
	sessions_clear(&sessions);
}

static void replies_leave_in_the_order_they_came(void **state)
{
	(void)state;
	struct sessions sessions = { 0 };
	struct session *a = session_add(&sessions, routing_a, sizeof routing_a, "a", "k", 0);
	for (uint8_t i = 0; i < 5; i++)
		assert_true(session_queue_reply(a, 100u - i, &i, 1));
	assert_int_equal(a->n_replies, 5);
	for (uint8_t i = 0; i < 5; i++) {
		assert_int_equal(a->replies->frame[0], i);
		session_drop_reply(a);
	}
	assert_int_equal(a->n_replies, 0);
	const uint8_t again = 9;
	assert_true(session_queue_reply(a, 1, &again, 1));
	assert_int_equal(a->replies->frame[0], 9);
	sessions_clear(&sessions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_is_found_by_its_connection_only),
		cmocka_unit_test(a_session_number_is_never_used_twice),
		cmocka_unit_test(a_consumer_is_found_by_its_number_until_it_is_removed),
		cmocka_unit_test(replies_leave_in_the_order_they_came),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
