/*
 * What an agreement says of its parties, of who receives, and of special category data: nothing is decided
 * by it, but it is checked as if it were, because it is shown as what was agreed.
 */
#include <string.h>

#include "support/config_case.h"

#define CONFIG_TEST(name) cmocka_unit_test_setup_teardown(name, folder_set_up, folder_tear_down)
#define ROLES(text) "roles = ( { agency = " text " } );\n"

static void what_parties_are_and_what_goes_under_which_condition_is_read(void **state)
{
	static const char text[] = AGREEMENT(
		"roles = ( { agency = \"prison\"; role = \"joint-controller\"; } );\n"
		"special_category = \"DPA 2018 Sch. 1 para. 18\"; recipient = \"law-enforcement\";\n");
	const struct folder *folder = *state;

	config_write(folder, NULL, NULL, text);
	struct config *config = config_must_load(folder);
	const struct rules *rules = config->rules;
	const struct rules_agreement *it = &rules->agreements[0];

	assert_true(it->law_enforcement);
	assert_string_equal(it->special_category, "DPA 2018 Sch. 1 para. 18");
	assert_int_equal(it->n_parties, 2);
	assert_string_equal(rules->agencies[it->parties[0].agency].id, "desk");
	assert_int_equal(it->parties[0].role, RULES_NO_ROLE);
	assert_string_equal(rules->agencies[it->parties[1].agency].id, "prison");
	assert_int_equal(it->parties[1].role, RULES_JOINT_CONTROLLER);
	config_free(&config);
}

static void mistakes_in_it_are_told(void **state)
{
	static const struct mistake mistakes[] = {
		{ NULL, NULL, AGREEMENT(ROLES("\"prison\"; role = \"controler\";")),
		  "agreements.d/all.conf:5: roles.role is something else, must be one of controller, "
		  "joint-controller, processor, did you mean controller?" },
		{ NULL, NULL, AGREEMENT(ROLES("\"prison\";")),
		  "agreements.d/all.conf:5: roles.role is missing, must be one of controller, "
		  "joint-controller, processor" },
		{ NULL, NULL, AGREEMENT(ROLES("\"other\"; role = \"processor\";")),
		  "agreements.d/all.conf:5: roles.agency other is not a party of agreement gate, must be" },
		{ NULL, NULL,
		  AGREEMENT(ROLES("\"prison\"; role = \"processor\"; },\n{ agency = \"prison\"; "
				  "role = \"controller\";")),
		  "agreements.d/all.conf:6: role of prison stands twice, must stand once" },
		{ NULL, NULL, AGREEMENT("recipient = \"law-enforcment\";\n"),
		  "agreements.d/all.conf:5: agreement.recipient is something else, must be one of "
		  "law-enforcement, other, did you mean law-enforcement?" },
		{ NULL, NULL, AGREEMENT("special_category = \"\";\n"),
		  "agreements.d/all.conf:5: agreement.special_category is empty, must be a text of 1 to 256 "
		  "bytes" },
	};

	must_tell_all(state, mistakes, N_MISTAKES(mistakes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONFIG_TEST(what_parties_are_and_what_goes_under_which_condition_is_read),
		CONFIG_TEST(mistakes_in_it_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
