/*
 * The adapters' configuration: what is refused, where the message points, and that the samples
 * this project ships are true.
 */
#include <stdio.h>
#include <stdlib.h>
#include "adapter_unit.h"
#include "common/config.h"

struct values {
	char name[CONFIG_TEXT_BYTES];
	int64_t number;
	bool flag;
	int choice;
	unsigned choices;
	struct config_list list;
};

static const char *const words[] = { "red", "green", NULL };
static const struct config_option options[] = {
	{ "name", CONFIG_STRING, offsetof(struct values, name), .required = true,
	  .right = "a name" },
	{ "group.number", CONFIG_INTEGER, offsetof(struct values, number), .fallback = "7",
	  .min = 1, .max = 10, .right = "1 to 10" },
	{ "flag", CONFIG_YES_NO, offsetof(struct values, flag), .fallback = "true",
	  .right = "true or false" },
	{ "choice", CONFIG_CHOICE, offsetof(struct values, choice), .fallback = "green",
	  .words = words, .right = "red or green" },
	{ "choices", CONFIG_CHOICES, offsetof(struct values, choices), .fallback = "red,green",
	  .words = words, .right = "a list of red and green" },
	{ "list", CONFIG_STRINGS, offsetof(struct values, list), .right = "a list" },
};

static struct message message;

static enum ttg_error load(const struct folder *folder, const char *text, struct values *values)
{
	char path[FOLDER_PATH];
	const struct config_table table = { options, sizeof(options) / sizeof(*options), values };

	memset(values, 0, sizeof(*values));
	message.text[0] = '\0';
	folder_write(folder, "a.conf", text);
	folder_path(folder, "a.conf", path);
	return adapter_config_load(path, &table, 1, &message);
}

static void must_say(const struct folder *folder, const char *text, const char *where,
                     const char *what)
{
	struct values values;

	assert_int_equal(load(folder, text, &values), TTG_EFORMAT);
	if (strstr(message.text, where) == NULL || strstr(message.text, what) == NULL)
		must_fail("not \"%s\" and \"%s\" but: %s", where, what, message.text);
}

static void what_is_not_said_has_its_default(void **state)
{
	struct values values;

	assert_int_equal(load(*state, "name = \"x\";\n", &values), TTG_OK);
	assert_string_equal(values.name, "x");
	assert_int_equal(values.number, 7);
	assert_true(values.flag);
	assert_int_equal(values.choice, 1);
	assert_int_equal(values.choices, 3);
	assert_int_equal(values.list.n, 0);
}

static void what_is_said_is_taken(void **state)
{
	struct values values;

	assert_int_equal(load(*state,
	                      "name = \"x\"; group = { number = 3; }; flag = false;\n"
	                      "choice = \"red\"; choices = [\"green\"]; list = [\"a\", \"b\"];\n",
	                      &values),
	                 TTG_OK);
	assert_int_equal(values.number, 3);
	assert_false(values.flag);
	assert_int_equal(values.choice, 0);
	assert_int_equal(values.choices, 2);
	assert_string_equal(values.list.items[1], "b");
}

static void a_mistake_is_told_with_its_line_and_what_would_be_right(void **state)
{
	must_say(*state, "name = \"x\";\nnmae = \"y\";\n", "a.conf:2:", "no option nmae");
	must_say(*state, "name = \"x\";\ngroup = {\n number = 11;\n};\n",
	         "a.conf:3:", "group.number should be 1 to 10");
	must_say(*state, "name = \"x\";\ngroup = 3;\n", "a.conf:2:", "should be a group");
	must_say(*state, "name = \"x\";\nflag = 1;\n", "a.conf:2:", "true or false");
	must_say(*state, "name = \"x\";\nchoice = \"blue\";\n", "a.conf:2:", "red or green");
	must_say(*state, "name = \"x\";\ngroup = { other = 1; };\n", "a.conf:2:", "group.other");
	must_say(*state, "flag = true;\n", "a.conf:1:", "name is missing");
	must_say(*state, "name = \n", "a.conf:", "syntax error");
}

static void a_file_that_is_not_there_is_named(void **state)
{
	struct values values;
	const struct config_table table = { options, 1, &values };

	(void)state;
	assert_int_equal(adapter_config_load("/nonexistent/a.conf", &table, 1, &message),
	                 TTG_ENOENT);
	assert_non_null(strstr(message.text, "/nonexistent/a.conf"));
}

#define CONFIG_TEST(name) cmocka_unit_test_setup_teardown(name, folder_set_up, folder_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONFIG_TEST(what_is_not_said_has_its_default),
		CONFIG_TEST(what_is_said_is_taken),
		CONFIG_TEST(a_mistake_is_told_with_its_line_and_what_would_be_right),
		CONFIG_TEST(a_file_that_is_not_there_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
