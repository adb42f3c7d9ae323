/* Baselines as people write them. */
#include "unit.h"

#include "oneservice/baselines.h"

static void must_read(const char *text, const char *scheme, const char *cohort, int64_t thousandths)
{
	struct baselines baselines = { .n = 0 };

	assert_true(baselines_add(&baselines, text));
	assert_int_equal(baselines.n, 1);
	assert_string_equal(baselines.list[0].scheme, scheme);
	assert_string_equal(baselines.list[0].cohort, cohort);
	assert_int_equal(baselines.list[0].thousandths, thousandths);
}

static void a_frequency_may_be_for_all_for_a_cohort_or_for_that_of_a_scheme(void **state)
{
	(void)state;
	must_read("150", "", "", 150000);
	must_read("150.5", "", "", 150500);
	must_read("cohort-1=150.525", "", "cohort-1", 150525);
	must_read("gateway/cohort-1=0.001", "gateway", "cohort-1", 1);
}

static void what_is_no_baseline_is_not_added(void **state)
{
	static const char *const wrong[] = { "",
		                             "0",
		                             "-1",
		                             "1e3",
		                             "150.1234",
		                             "=150",
		                             "/=150",
		                             "cohort-1=",
		                             "a/=1",
		                             "100001",
		                             "1=2/3",
		                             "12345678901234567890",
		                             "a-name-of-more-than-thirty-two-letters=1" };
	struct baselines baselines = { .n = 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (baselines_add(&baselines, wrong[i]))
			fail_msg("%s was taken", wrong[i]);
	assert_int_equal(baselines.n, 0);
}

static void there_is_a_bound(void **state)
{
	struct baselines baselines = { .n = 0 };

	(void)state;
	for (size_t i = 0; i < BASELINES_MAX; i++)
		assert_true(baselines_add(&baselines, "150"));
	assert_false(baselines_add(&baselines, "150"));
	assert_int_equal(baselines.n, BASELINES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frequency_may_be_for_all_for_a_cohort_or_for_that_of_a_scheme),
		cmocka_unit_test(what_is_no_baseline_is_not_added),
		cmocka_unit_test(there_is_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
