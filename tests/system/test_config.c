/*
 * Configuration that is wrong: told as file:line with what would be right, all of it at once, and
 * the daemon does not start.
 */
#include "support/stage.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ttgd -t answers with the configuration's status, and its text holds this. */
static void must_complain(struct stage *stage, const char *text)
{
	struct ran ran = must_run(stage, "ttgd", "--config", "ttgd.conf", "-t", NULL);

	if (ran.code != 3 || !strstr(ran.err, text))
		must_fail("status %d, and not \"%s\" in: %s", ran.code, text, ran.err);
	ran_free(&ran);
	ran = must_run(stage, "ttgctl", "--config", "ttgd.conf", "check", NULL);
	if (ran.code != 1)
		must_fail("ttgctl check: status %d: %s%s", ran.code, ran.out, ran.err);
	ran_free(&ran);
	must_launch_broker(stage);
	assert_int_equal(must_end(&stage->broker, PROCESS_LIMIT_MS), 3);
}

static void a_sound_configuration_is_checked_without_starting(void **state)
{
	struct stage *stage = *state;

	must_write_configuration(stage);
	struct ran ran = must_run(stage, "ttgd", "--config", "ttgd.conf", "-t", NULL);
	if (ran.code != 0)
		must_fail("%s", ran.err);
	assert_non_null(strstr(ran.out, "5 agencies"));
	ran_free(&ran);
	must_have_passed(stage);
}

static void an_unknown_key_is_named_with_file_and_line(void **state)
{
	struct stage *stage = *state;

	snprintf(stage->limits, sizeof(stage->limits), "\tmax_sesions = 5;\n");
	must_write_configuration(stage);
	must_complain(stage, "ttgd.conf:9: ");
	must_complain(stage, "max_sesions");
	must_complain(stage, "max_sessions"); /* what would be right */
	must_have_passed(stage);
}

static void a_value_out_of_range_says_the_range(void **state)
{
	struct stage *stage = *state;

	snprintf(stage->limits, sizeof(stage->limits), "\tmax_event_bytes = 5;\n");
	must_write_configuration(stage);
	must_complain(stage, "ttgd.conf:9: ");
	must_complain(stage, "1024");
	must_have_passed(stage);
}

static void a_syntax_error_is_told_with_its_line(void **state)
{
	struct stage *stage = *state;

	must_write_configuration(stage);
	must_write(stage, "agencies.d/police.conf", "agency: {\n\tid = \"police\"\n\tname = ;\n");
	must_complain(stage, "agencies.d/police.conf:3");
	must_have_passed(stage);
}

static void every_mistake_is_told_at_once(void **state)
{
	struct stage *stage = *state;

	snprintf(stage->limits, sizeof(stage->limits), "\tmax_credit = 0;\n\tio_threads = 99;\n");
	must_write_configuration(stage);
	struct ran ran = must_run(stage, "ttgd", "--config", "ttgd.conf", "-t", NULL);
	assert_int_equal(ran.code, 3);
	assert_non_null(strstr(ran.err, "max_credit"));
	assert_non_null(strstr(ran.err, "io_threads"));
	ran_free(&ran);
	must_have_passed(stage);
}

static void an_agreement_with_an_unlisted_recipient_is_refused(void **state)
{
	struct stage *stage = *state;

	stage->more_grants = "{ mailbox = \"one-service/dutty\"; from = [ \"police\" ];"
			     " types = [ \"police.arrest\" ]; }";
	must_write_agreement(stage);
	must_write_configuration(stage);
	must_complain(stage, "one-service/dutty is no mailbox, did you mean one-service/duty?");
	must_have_passed(stage);
}

static void an_agreement_about_an_unknown_type_is_refused(void **state)
{
	struct stage *stage = *state;

	stage->more_grants = "{ mailbox = \"one-service/desk\"; from = [ \"police\" ];"
			     " types = [ \"police.arrset\" ]; }";
	must_write_agreement(stage);
	must_write_configuration(stage);
	must_complain(stage, "did you mean police.arrest?");
	must_have_passed(stage);
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
	struct stage *stage = *state;
	char path[PROCESS_PATH_MAX];

	/* A folder in its place: not even root can read that. */
	STAGE_PATH(stage, path, "ttgd.conf");
	must_be(mkdir(path, 0700) == 0, "mkdir");
	must_complain(stage, "ttgd.conf");
	must_have_passed(stage);
}

static void a_missing_key_file_is_named(void **state)
{
	struct stage *stage = *state;

	must_write_configuration(stage);
	must_write(stage, "agencies.d/police.conf",
		   "agency: {\n\tid = \"police\";\n\tname = \"x\";\n"
		   "\tkeys = ( { label = \"a\"; public_file = \"keys/nobody.pub\"; } );\n};\n");
	must_complain(stage, "keys/nobody.pub");
	must_have_passed(stage);
}

static void a_secret_others_may_read_is_refused(void **state)
{
	struct stage *stage = *state;
	char path[PROCESS_PATH_MAX];

	must_write_configuration(stage);
	STAGE_PATH(stage, path, "keys/broker.key");
	must_be(chmod(path, 0644) == 0, "chmod");
	must_launch_broker(stage);
	assert_int_equal(must_end(&stage->broker, PROCESS_LIMIT_MS), 3);
	must_see(stage, "ttgd.err", "broker.key");
	must_have_passed(stage);
}

static void an_option_the_daemon_does_not_know_is_refused(void **state)
{
	struct stage *stage = *state;
	struct ran ran = must_run(stage, "ttgd", "--confg", "ttgd.conf", NULL);

	assert_int_equal(ran.code, 2);
	assert_non_null(strstr(ran.err, "Usage: ttgd"));
	ran_free(&ran);
	ran = must_run(stage, "ttgd", "--options", NULL);
	assert_int_equal(ran.code, 0);
	assert_non_null(strstr(ran.out, "limits.max_event_bytes"));
	ran_free(&ran);
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(a_sound_configuration_is_checked_without_starting),
		STAGE_TEST(an_unknown_key_is_named_with_file_and_line),
		STAGE_TEST(a_value_out_of_range_says_the_range),
		STAGE_TEST(a_syntax_error_is_told_with_its_line),
		STAGE_TEST(every_mistake_is_told_at_once),
		STAGE_TEST(an_agreement_with_an_unlisted_recipient_is_refused),
		STAGE_TEST(an_agreement_about_an_unknown_type_is_refused),
		STAGE_TEST(a_file_that_cannot_be_read_is_named),
		STAGE_TEST(a_missing_key_file_is_named),
		STAGE_TEST(a_secret_others_may_read_is_refused),
		STAGE_TEST(an_option_the_daemon_does_not_know_is_refused),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
