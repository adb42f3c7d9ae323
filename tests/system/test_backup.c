/*
 * A copy of the journal is made while the broker runs, in a thread of its own beside the loop, and
 * becomes a journal again.
 */
#include "support/peer.h"

#include <stdlib.h>
#include <string.h>

#define DUTY "one-service/duty"

static void a_backup_of_a_running_broker_restores_to_what_it_was(void **state)
{
	struct stage *stage = *state;
	char backup[PROCESS_PATH_MAX];

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	for (uint32_t i = 1; i <= 10; i++)
		must_accept(stage, prison, &(struct made_wish){ .number = i });
	STAGE_PATH(stage, backup, "backup");
	json_decref(must_ask(stage, "backup", backup, NULL));
	for (uint32_t i = 11; i <= 15; i++)
		must_accept(stage, prison, &(struct made_wish){ .number = i });
	assert_int_equal(must_stop_broker(stage), 0);
	struct ran ran = must_run(stage, "ttgctl", "restore", backup, "--directory", "restored",
				  "--key", "keys/journal.key", NULL);
	if (ran.code != 0)
		must_fail("restore: %s%s", ran.out, ran.err);
	ran_free(&ran);
	char from[PROCESS_PATH_MAX], to[PROCESS_PATH_MAX], old[PROCESS_PATH_MAX];
	STAGE_PATH(stage, from, "restored");
	STAGE_PATH(stage, to, "journal");
	STAGE_PATH(stage, old, "journal.old");
	must_be(rename(to, old) == 0 && rename(from, to) == 0, "rename");
	must_start_broker(stage);
	assert_int_equal(must_ask_mailbox(stage, DUTY, "queued"), 10);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	must_get(stage, service, 10);
	/* A backup never goes on top of something. */
	ran = must_run(stage, "ttgctl", "--socket", "control", "backup", backup, NULL);
	assert_int_equal(ran.code, 1);
	ran_free(&ran);
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(a_backup_of_a_running_broker_restores_to_what_it_was),
	};

	return cmocka_run_group_tests_name("backup", tests, NULL, NULL);
}
