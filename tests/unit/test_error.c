/* Codes keep their numbers and names, and each has words. */
#include "unit.h"

#include <string.h>
#include <ttg/error.h>

static void every_code_of_the_header_has_a_name_and_a_sentence_of_its_own(void **state)
{
	static const int ranges[][2] = { { 0, 17 }, { 100, 115 }, { 200, 211 } };

	(void)state;
	for (size_t r = 0; r < 3; r++) {
		for (int code = ranges[r][0]; code <= ranges[r][1]; code++) {
			const char *name = ttg_error_name((enum ttg_error)code);

			assert_string_not_equal(name, "unknown");
			assert_true(strlen(ttg_error_text((enum ttg_error)code)) > 4);
			for (int other = ranges[r][0]; other < code; other++)
				assert_string_not_equal(name,
				                        ttg_error_name((enum ttg_error)other));
		}
	}
}

static void a_code_of_a_newer_peer_is_unknown_and_still_has_words(void **state)
{
	(void)state;
	assert_string_equal(ttg_error_name((enum ttg_error)999), "unknown");
	assert_string_equal(ttg_error_name((enum ttg_error) - 1), "unknown");
	assert_true(strlen(ttg_error_text((enum ttg_error)116)) > 4);
}

static void only_rate_busy_storage_and_stopping_are_tried_again(void **state)
{
	int retried = 0;

	(void)state;
	for (int code = -5; code < 300; code++)
		retried += ttg_error_retryable((enum ttg_error)code);
	assert_int_equal(retried, 4);
	assert_true(ttg_error_retryable(TTG_REFUSED_RATE));
	assert_true(ttg_error_retryable(TTG_REFUSED_BUSY));
	assert_true(ttg_error_retryable(TTG_REFUSED_STORAGE));
	assert_true(ttg_error_retryable(TTG_REFUSED_STOPPING));
}

static void published_names_do_not_change(void **state)
{
	(void)state;
	assert_string_equal(ttg_error_name(TTG_OK), "ok");
	assert_string_equal(ttg_error_name(TTG_REFUSED_SOURCE), "refused_source");
	assert_string_equal(ttg_error_name(TTG_SESSION_REVOKED), "session_revoked");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_of_the_header_has_a_name_and_a_sentence_of_its_own),
		cmocka_unit_test(a_code_of_a_newer_peer_is_unknown_and_still_has_words),
		cmocka_unit_test(only_rate_busy_storage_and_stopping_are_tried_again),
		cmocka_unit_test(published_names_do_not_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
