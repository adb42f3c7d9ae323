/*
 * The demonstration ends by itself with nothing lost, and leaves a folder alone that is in use.
 */
#include "support/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "support/process.h"

#define PATIENCE_MS 90000

/* Runs it for five of its days: on the last the police speak of a man who is not enrolled. The exit
   status; `out` gets what it said, owned by the caller. */
static int run_demonstration(const char *directory, const char *option, const char *value,
                             char **out)
{
	const char *bin = getenv("TTG_BIN");
	char script[PROCESS_PATH_MAX];
	char build[PROCESS_PATH_MAX];
	struct process process = { .pid = 0 };
	const struct process_options options = { .name = "demo", .directory = directory };
	const char *arguments[] = { "/bin/sh", script, "--build", build, "--seconds",
		                    "22",      option, value,     NULL };
	int code;

	must_be(bin != NULL, "TTG_BIN says where the programs are");
	snprintf(script, sizeof(script), "%s/etc/demo/run.sh", TTG_SOURCE_DIR);
	snprintf(build, sizeof(build), "%s/..", bin);
	must_start(&process, &options, arguments);
	code = must_end(&process, PATIENCE_MS);
	*out = must_read_file(process.out_path, NULL);
	if (code != 0)
		print_tail("what it complained about", process.err_path);
	unlink(process.out_path);
	unlink(process.err_path);
	return code;
}

static int make_directory(void **state)
{
	char *directory = strdup("/tmp/ttg-demo-XXXXXX");

	assert_non_null(mkdtemp(directory));
	*state = directory;
	return 0;
}

static int drop_directory(void **state)
{
	assert_int_equal(rmdir(*state), 0);
	free(*state);
	return 0;
}

static void the_demonstration_ends_by_itself_with_nothing_lost(void **state)
{
	char *out;
	int code = run_demonstration(*state, "--seed", "3", &out);

	if (code != 0 || !strstr(out, "lost 0\n"))
		must_fail("status %d: %s", code, out);
	assert_non_null(strstr(out, "The duty desk is at http://127.0.0.1:"));
	assert_non_null(strstr(out, "prison.reception"));
	assert_non_null(strstr(out, "prison.release_scheduled"));
	assert_non_null(strstr(out, "prison.discharge_board"));
	assert_non_null(strstr(out, "referral.acknowledged"));
	assert_non_null(strstr(out, "turned away at the door 1"));
	assert_non_null(strstr(out, "withheld 1,"));
	assert_null(strstr(out, "police.iom_status"));
	free(out);
}

static void a_folder_that_is_not_empty_is_left_alone(void **state)
{
	char *out;

	/* The files that hold its output are in the folder already. */
	assert_int_equal(run_demonstration(*state, "--dir", *state, &out), 2);
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_demonstration_ends_by_itself_with_nothing_lost,
		                                make_directory, drop_directory),
		cmocka_unit_test_setup_teardown(a_folder_that_is_not_empty_is_left_alone,
		                                make_directory, drop_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
