/* The table of connections: who waits for a session, and who has one. */
#include "unit.h"

#include <string.h>
#include "net/connections.h"

static const uint8_t end[] = { 1, 2, 3 };

static void add(struct connections *connections, int fd, int64_t mono_ns)
{
	assert_true(connections_add(connections, fd, end, sizeof(end), mono_ns));
}

static void who_came_first_waits_longest(void **state)
{
	struct connections connections = { 0 };

	(void)state;
	add(&connections, 7, 100);
	add(&connections, 5, 200);
	add(&connections, 6, 300);
	assert_int_equal(connections.n_waiting, 3);
	assert_int_equal(connections_oldest(&connections)->fd, 7);
	assert_memory_equal(connections_oldest(&connections)->end, end, sizeof(end));
	connections_remove(&connections, 7);
	assert_int_equal(connections_oldest(&connections)->fd, 5);
	assert_int_equal(connections_oldest(&connections)->since_ns, 200);
	connections_clear(&connections);
	assert_null(connections_oldest(&connections));
	assert_int_equal(connections.n, 0);
	assert_int_equal(connections.n_waiting, 0);
}

static void a_connection_with_a_session_does_not_wait_until_that_ends(void **state)
{
	struct connections connections = { 0 };

	(void)state;
	add(&connections, 7, 100);
	add(&connections, 8, 200);
	const uint64_t number = connections_take(&connections, 7);
	assert_true(number > 0);
	assert_int_equal(connections_take(&connections, 7), 0);
	assert_int_equal(connections_oldest(&connections)->fd, 8);
	connections_give_back(&connections, 7, number, 300);
	assert_int_equal(connections.n_waiting, 2);
	assert_int_equal(connections_oldest(&connections)->fd, 8);
	connections_remove(&connections, 8);
	assert_int_equal(connections_oldest(&connections)->since_ns, 300);
	connections_clear(&connections);
}

static void a_descriptor_that_is_used_again_is_another_connection(void **state)
{
	struct connections connections = { 0 };

	(void)state;
	add(&connections, 7, 100);
	const uint64_t number = connections_take(&connections, 7);
	assert_true(connections_is_open(&connections, 7, number));
	connections_remove(&connections, 7);
	assert_false(connections_is_open(&connections, 7, number));
	add(&connections, 7, 200);
	assert_false(connections_is_open(&connections, 7, number));
	const uint64_t other = connections_take(&connections, 7);
	assert_true(other > number);
	connections_give_back(&connections, 7, number, 300);
	assert_int_equal(connections.n_waiting, 0);
	/* Accepted under a descriptor whose end was not told: the older one is gone. */
	add(&connections, 7, 400);
	assert_int_equal(connections.n, 1);
	assert_int_equal(connections.n_waiting, 1);
	connections_clear(&connections);
}

static void what_was_dropped_waits_no_longer_and_gets_no_session(void **state)
{
	struct connections connections = { 0 };

	(void)state;
	add(&connections, 7, 100);
	connections_drop(&connections, 7);
	assert_null(connections_oldest(&connections));
	assert_int_equal(connections.n, 1);
	assert_int_equal(connections_take(&connections, 7), 0);
	connections_drop(&connections, 9);
	connections_remove(&connections, 7);
	assert_int_equal(connections.n, 0);
}

static void a_connection_nobody_knows_of_counts_as_open(void **state)
{
	struct connections connections = { 0 };

	(void)state;
	assert_int_equal(connections_take(&connections, 3), 0);
	assert_true(connections_is_open(&connections, 3, 0));
	connections_give_back(&connections, 3, 0, 1);
	connections_remove(&connections, 3);
	assert_int_equal(connections.n_waiting, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_came_first_waits_longest),
		cmocka_unit_test(a_connection_with_a_session_does_not_wait_until_that_ends),
		cmocka_unit_test(a_descriptor_that_is_used_again_is_another_connection),
		cmocka_unit_test(what_was_dropped_waits_no_longer_and_gets_no_session),
		cmocka_unit_test(a_connection_nobody_knows_of_counts_as_open),
	};

	return cmocka_run_group_tests_name("connections", tests, NULL, NULL);
}
