/* The sentence for a person: bounded, clean, and returning what it was given. */
#include "unit.h"

#include "base/message.h"

#include <string.h>

static void the_code_comes_back_so_that_callers_can_return_it(void **state)
{
	struct message message;

	(void)state;
	assert_int_equal(message_set(&message, TTG_EFORMAT, "line %d", 7), TTG_EFORMAT);
	assert_string_equal(message.text, "line 7");
	assert_int_equal(message_set(NULL, TTG_EIO, "nobody %s", "reads"), TTG_EIO);
}

static void a_long_text_is_cut_and_terminated(void **state)
{
	struct message message;

	(void)state;
	message_set(&message, TTG_EINVAL, "%0*d", 2000, 1);
	assert_int_equal(strlen(message.text), MESSAGE_BYTES - 1);
}

static void control_characters_are_replaced(void **state)
{
	struct message message;

	(void)state;
	message_set(&message, TTG_EINVAL, "a\nb\x1b[2Jc\x7f");
	assert_string_equal(message.text, "a?b?[2Jc?");
}

static void a_message_may_be_part_of_its_own_replacement(void **state)
{
	struct message message;

	(void)state;
	message_set(&message, TTG_EINVAL, "inner");
	message_set(&message, TTG_EINVAL, "outer: %s", message.text);
	assert_string_equal(message.text, "outer: inner");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_code_comes_back_so_that_callers_can_return_it),
		cmocka_unit_test(a_long_text_is_cut_and_terminated),
		cmocka_unit_test(control_characters_are_replaced),
		cmocka_unit_test(a_message_may_be_part_of_its_own_replacement),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
