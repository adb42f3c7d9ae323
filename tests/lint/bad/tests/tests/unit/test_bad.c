/* Tests that cannot fail. */
#include <cmocka.h>

static void check(int x)
{
	assert_int_equal(x, 1);
}

static void it_reaches_an_assertion(void **state)
{
	check(1);
}

static void it_asserts_nothing(void **state)
{
	usleep(1000); /* assert_true(1) in a comment is none */
}

static void it_has_a_helper_that_must(void **state)
{
	must_run("true");
}

#define BAD_TEST(name) \
	cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_reaches_an_assertion),
		BAD_TEST(it_asserts_nothing),
		cmocka_unit_test(it_has_a_helper_that_must),
		cmocka_unit_test_setup_teardown(it_is_elsewhere, a, b),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
