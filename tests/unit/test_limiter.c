/* Rates of agencies and quotas of log lines. */
#include "unit.h"

#include "net/limiter.h"

#define SECOND 1000000000LL

static void an_agency_without_a_rate_is_never_refused(void **state)
{
	(void)state;
	struct limiter *limiter = limiter_new();
	const struct rules_agency agency = { .id = "free" };
	for (int i = 0; i < 100000; i++)
		assert_true(limiter_take(limiter, &agency, 0));
	limiter_free(&limiter);
	assert_null(limiter);
}

static void a_burst_passes_and_the_next_event_waits_for_its_turn(void **state)
{
	(void)state;
	struct limiter *limiter = limiter_new();
	const struct rules_agency agency = { .id = "prison", .rate_per_s = 10, .burst = 5 };
	for (int i = 0; i < 5; i++)
		assert_true(limiter_take(limiter, &agency, SECOND));
	assert_false(limiter_take(limiter, &agency, SECOND));
	assert_false(limiter_take(limiter, &agency, SECOND + SECOND / 20));
	assert_true(limiter_take(limiter, &agency, SECOND + SECOND / 10));
	limiter_free(&limiter);
}

static void one_agency_at_its_rate_does_not_slow_another(void **state)
{
	(void)state;
	struct limiter *limiter = limiter_new();
	const struct rules_agency loud = { .id = "loud", .rate_per_s = 1, .burst = 1 };
	const struct rules_agency quiet = { .id = "quiet", .rate_per_s = 1, .burst = 1 };
	assert_true(limiter_take(limiter, &loud, 0));
	assert_false(limiter_take(limiter, &loud, 0));
	assert_true(limiter_take(limiter, &quiet, 0));
	limiter_free(&limiter);
}

static void idle_time_saves_up_no_more_than_the_burst(void **state)
{
	(void)state;
	struct limiter *limiter = limiter_new();
	const struct rules_agency agency = { .id = "prison", .rate_per_s = 100, .burst = 3 };
	int passed = 0;
	assert_true(limiter_take(limiter, &agency, 0));
	for (int i = 0; i < 10; i++)
		passed += limiter_take(limiter, &agency, 1000 * SECOND);
	assert_int_equal(passed, 3);
	limiter_free(&limiter);
}

static void a_log_quota_counts_what_it_swallowed(void **state)
{
	(void)state;
	struct log_quota quota = { 0 };
	uint64_t suppressed = 99;
	for (int i = 0; i < LOG_QUOTA_A_SECOND; i++)
		assert_true(log_quota_take(&quota, SECOND, &suppressed));
	assert_int_equal(suppressed, 0);
	assert_false(log_quota_take(&quota, SECOND, &suppressed));
	assert_false(log_quota_take(&quota, SECOND, &suppressed));
	assert_true(log_quota_take(&quota, 2 * SECOND, &suppressed));
	assert_int_equal(suppressed, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_agency_without_a_rate_is_never_refused),
		cmocka_unit_test(a_burst_passes_and_the_next_event_waits_for_its_turn),
		cmocka_unit_test(one_agency_at_its_rate_does_not_slow_another),
		cmocka_unit_test(idle_time_saves_up_no_more_than_the_burst),
		cmocka_unit_test(a_log_quota_counts_what_it_swallowed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
