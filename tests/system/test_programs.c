/*
 * Every program tells what it is, which version, and has a manual page; configuration files too.
 */
#include "support/stage.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

static const char *const programs[] = { "ttgd",	      "ttgctl",	       "ttg-pub",
					"ttg-sub",    "ttg-prison",    "ttg-police",
					"ttg-probation", "ttg-oneservice", "ttg-signer" };
#define N_PROGRAMS (sizeof(programs) / sizeof(programs[0]))

static void every_program_answers_to_help_and_version(void **state)
{
	struct stage *stage = *state;

	for (size_t i = 0; i < N_PROGRAMS; i++) {
		struct ran help = must_run(stage, programs[i], "--help", NULL);
		struct ran version = must_run(stage, programs[i], "--version", NULL);

		if (help.code != 0 || !strstr(help.out, programs[i]))
			must_fail("%s --help: status %d: %s%s", programs[i], help.code, help.out,
				  help.err);
		if (version.code != 0 || !strstr(version.out, TTG_VERSION))
			must_fail("%s --version: status %d: %s%s", programs[i], version.code,
				  version.out, version.err);
		ran_free(&help);
		ran_free(&version);
	}
	must_have_passed(stage);
}

static void an_option_nobody_knows_ends_with_two(void **state)
{
	struct stage *stage = *state;

	for (size_t i = 0; i < N_PROGRAMS; i++) {
		struct ran ran = must_run(stage, programs[i], "--no-such-option", NULL);

		if (ran.code != 2 || ran.err[0] == '\0')
			must_fail("%s: status %d, should be 2; \"%s\"", programs[i], ran.code,
				  ran.err);
		ran_free(&ran);
	}
	must_have_passed(stage);
}

/* The kernel's word on the running broker: its system calls are filtered, and it cannot get more rights. */
static void the_broker_is_confined(void **state)
{
	struct stage *stage = *state;
	char path[64], text[8192];

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	stage->done = true;
	skip(); /* such a build filters nothing */
#endif
	must_start_broker(stage);
	snprintf(path, sizeof(path), "/proc/%d/status", (int)stage->broker.pid);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	const size_t len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = '\0';
	fclose(file);
	assert_non_null(strstr(text, "\nSeccomp:\t2\n"));
	assert_non_null(strstr(text, "\nNoNewPrivs:\t1\n"));
	must_have_passed(stage);
}

/* docs/man/NAME.SECTION.scd of any section. */
static bool has_page(const char *name)
{
	char pattern[PROCESS_PATH_MAX];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/docs/man/%s.[1-8]*.scd", TTG_SOURCE_DIR, name);
	bool yes = glob(pattern, 0, NULL, &found) == 0;
	globfree(&found);
	return yes;
}

static void every_program_and_configuration_file_has_a_manual_page(void **state)
{
	static const char *const files[] = { "ttgd.conf" };
	int missing = 0;

	(void)state;
	for (size_t i = 0; i < N_PROGRAMS + 1; i++) {
		const char *name = i < N_PROGRAMS ? programs[i] : files[0];

		if (!has_page(name)) {
			fprintf(stderr, "no docs/man/%s.*.scd\n", name);
			missing++;
		}
	}
	assert_int_equal(missing, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(every_program_answers_to_help_and_version),
		STAGE_TEST(an_option_nobody_knows_ends_with_two),
		STAGE_TEST(the_broker_is_confined),
		cmocka_unit_test(every_program_and_configuration_file_has_a_manual_page),
	};

	return cmocka_run_group_tests_name("programs", tests, NULL, NULL);
}
