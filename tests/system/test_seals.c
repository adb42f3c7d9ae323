/*
 * Broker, signer and publisher together: what is accepted is sealed, a receipt of it is checked with
 * the public key alone, and a journal that is not the sealed one does not start.
 */
#include "support/peer.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ttg/event.h>
#include "support/wait.h"

#define EXIT_DAMAGED 5 /* ttgd(8) */

static void must_start_signer(struct stage *stage)
{
	must_start_other(stage, 0, "signer", "ttg-signer", "--key", "seal.key", "--state", "seal.state",
			 "--socket", "seal.socket", NULL);
}

static void must_make_seal_key(struct stage *stage)
{
	struct ran ran = must_run(stage, "ttg-signer", "--make-key", "seal", NULL);

	if (ran.code != 0)
		must_fail("--make-key: %s%s", ran.out, ran.err);
	ran_free(&ran);
	snprintf(stage->seals, sizeof(stage->seals),
		 "\tsigner_socket = \"seal.socket\";\n\tpublic_file = \"seal.pub\";\n");
}

static bool is_sealed(void *arg)
{
	return must_ask_number(arg, "status", "seals.sealed_sequence") >=
	       must_ask_number(arg, "status", "seals.number") &&
	       must_ask_number(arg, "status", "seals.unsealed_records") < 5;
}

/* Publishes one event; its bytes lie in event.bin, its receipt in event.receipt. */
static void must_get_receipt(struct stage *stage, struct peer *prison, uint32_t number)
{
	struct made made = must_make(&(struct made_wish){ .number = number });
	char id[TTG_UUID_TEXT], path[PROCESS_PATH_MAX];
	FILE *file;

	ttg_uuid_format(made.id, id);
	STAGE_PATH(stage, path, "event.bin");
	file = fopen(path, "wb");
	must_be(file && fwrite(made.bytes, 1, made.len, file) == made.len && fclose(file) == 0,
		"event.bin");
	assert_int_equal(must_publish(stage, prison, made).code, TTG_OK);
	struct ran ran = must_run(stage, "ttgctl", "--socket", "control", "receipt", id, NULL);
	if (ran.code != 0)
		must_fail("receipt: %s%s", ran.out, ran.err);
	must_write(stage, "event.receipt", "%s", ran.out);
	ran_free(&ran);
}

static int verify(struct stage *stage, const char *key)
{
	struct ran ran = must_run(stage, "ttg-verify", "--key", key, "--event", "event.bin",
				  "event.receipt", NULL);
	const int code = ran.code;

	ran_free(&ran);
	return code;
}

/* ttgctl journal verify with everything there is to compare; must print or say this. */
static void must_verify_journal(struct stage *stage, int code, const char *text)
{
	struct ran ran = must_run(stage, "ttgctl", "journal", "verify", "--directory", "journal", "--key",
				  "keys/journal.key", "--seals", "seal.pub", "--signer-state",
				  "seal.state", NULL);

	if (ran.code != code || !strstr(code == 0 ? ran.out : ran.err, text))
		must_fail("journal verify ends with %d, should be %d: %s%s", ran.code, code, ran.out,
			  ran.err);
	ran_free(&ran);
}

static void a_publisher_gets_a_receipt_that_needs_no_broker(void **state)
{
	struct stage *stage = *state;

	must_make_seal_key(stage);
	must_start_signer(stage);
	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	for (uint32_t i = 1; i <= 20; i++)
		must_accept(stage, prison, &(struct made_wish){ .number = i });
	must_get_receipt(stage, prison, 100);
	for (uint32_t i = 21; i <= 30; i++)
		must_accept(stage, prison, &(struct made_wish){ .number = i });
	assert_int_equal(must_stop_broker(stage), 0);
	must_verify_journal(stage, 0, "unsealed events  0\n"); /* it waited for that when it stopped */
	assert_int_equal(verify(stage, "seal.pub"), 0);
	/* Another's key, another's bytes. */
	struct ran ran = must_run(stage, "ttg-signer", "--make-key", "other", NULL);
	ran_free(&ran);
	assert_int_equal(verify(stage, "other.pub"), 1);
	must_write(stage, "event.bin", "not what was published");
	assert_int_equal(verify(stage, "seal.pub"), 1);
	must_have_passed(stage);
}

static void events_flow_without_the_signer_and_are_sealed_when_it_is_back(void **state)
{
	struct stage *stage = *state;

	must_make_seal_key(stage);
	must_start_broker(stage);
	must_see(stage, "ttgd.err", "signer_away");
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	for (uint32_t i = 1; i <= 50; i++)
		must_accept(stage, prison, &(struct made_wish){ .number = i });
	assert_int_equal(must_ask_number(stage, "status", "seals.number"), 0);
	must_start_signer(stage);
	must_see(stage, "ttgd.err", "signer_ready");
	must_get_receipt(stage, prison, 100);
	assert_int_equal(verify(stage, "seal.pub"), 0);
	process_kill(&stage->others[0]); /* and once more, in the middle */
	for (uint32_t i = 51; i <= 60; i++)
		must_accept(stage, prison, &(struct made_wish){ .number = i });
	must_start_signer(stage);
	must_get_receipt(stage, prison, 101);
	assert_int_equal(verify(stage, "seal.pub"), 0);
	must_be(wait_until(is_sealed, stage, WAIT_LONG_MS), "not all is sealed");
	must_have_passed(stage);
}

static void copy_journal(struct stage *stage, const char *from, const char *to)
{
	char command[3 * PROCESS_PATH_MAX];

	snprintf(command, sizeof(command), "cd '%s' && rm -rf %s && cp -a %s %s", stage->directory, to,
		 from, to);
	must_be(system(command) == 0, command);
}

static void an_older_copy_of_the_journal_is_noticed_by_the_signer(void **state)
{
	struct stage *stage = *state;

	must_make_seal_key(stage);
	must_start_signer(stage);
	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	for (uint32_t i = 1; i <= 10; i++)
		must_accept(stage, prison, &(struct made_wish){ .number = i });
	assert_int_equal(must_stop_broker(stage), 0);
	copy_journal(stage, "journal", "older");
	must_start_broker(stage);
	for (uint32_t i = 11; i <= 20; i++)
		must_accept(stage, prison, &(struct made_wish){ .number = i });
	must_get_receipt(stage, prison, 100);
	assert_int_equal(must_stop_broker(stage), 0);
	copy_journal(stage, "older", "journal");
	must_verify_journal(stage, 1, "older copy");
	must_launch_broker(stage);
	assert_int_equal(must_end(&stage->broker, PROCESS_LIMIT_MS), EXIT_DAMAGED);
	must_see(stage, "ttgd.err", "seals_contradict");
	assert_int_equal(verify(stage, "seal.pub"), 0); /* and the receipt still proves what is lost */
	/* The operator knows of it: the signer's memory is put away. */
	must_signal(&stage->others[0], SIGTERM);
	assert_int_equal(must_end(&stage->others[0], PROCESS_LIMIT_MS), 0);
	copy_journal(stage, "seal.state", "seal.state.lost");
	char path[PROCESS_PATH_MAX];
	STAGE_PATH(stage, path, "seal.state");
	must_be(remove(path) == 0, "seal.state");
	must_start_signer(stage);
	must_start_broker(stage);
	must_get_receipt(stage, prison, 101);
	assert_int_equal(verify(stage, "seal.pub"), 0);
	must_have_passed(stage);
}

/* Whoever has the journal's key can write another end of it, with every checksum and hash right. */
static void another_history_cannot_be_sealed(void **state)
{
	struct stage *stage = *state;

	must_make_seal_key(stage);
	must_start_signer(stage);
	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	must_accept(stage, prison, &(struct made_wish){ .number = 1 });
	assert_int_equal(must_stop_broker(stage), 0);
	copy_journal(stage, "journal", "older");
	must_start_broker(stage);
	must_accept(stage, prison, &(struct made_wish){ .number = 2 });
	must_get_receipt(stage, prison, 3);
	assert_int_equal(must_stop_broker(stage), 0);
	must_verify_journal(stage, 0, "unsealed events  0\n");
	copy_journal(stage, "older", "journal");
	stage->seals[0] = '\0';
	must_start_broker(stage);
	for (uint32_t i = 2; i <= 30; i++)
		must_accept(stage, prison, &(struct made_wish){ .number = 100 + i });
	assert_int_equal(must_stop_broker(stage), 0);
	struct ran ran = must_run(stage, "ttgctl", "journal", "verify", "--directory", "journal", "--key",
				  "keys/journal.key", NULL);
	assert_int_equal(ran.code, 0); /* by itself it is as whole as it can be */
	ran_free(&ran);
	must_verify_journal(stage, 1, "seal");
	assert_int_equal(verify(stage, "seal.pub"), 0);
	must_have_passed(stage);
}

static void another_signer_is_not_taken(void **state)
{
	struct stage *stage = *state;

	must_make_seal_key(stage);
	struct ran ran = must_run(stage, "ttg-signer", "--make-key", "other", NULL);
	assert_int_equal(ran.code, 0);
	ran_free(&ran);
	must_start_other(stage, 0, "signer", "ttg-signer", "--key", "other.key", "--state",
			 "seal.state", "--socket", "seal.socket", NULL);
	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	must_accept(stage, prison, &(struct made_wish){ .number = 1 });
	must_see(stage, "ttgd.err", "another key than the configured one");
	assert_int_equal(must_ask_number(stage, "status", "seals.number"), 0);
	must_have_passed(stage);
}

/* The last item of the running daemon's own proof. */
static json_t *must_prove_running(struct stage *stage)
{
	json_t *items = must_ask(stage, "journal", "verify", NULL);
	json_t *last = json_incref(json_array_get(items, json_array_size(items) - 1));

	json_decref(items);
	return last;
}

static void a_running_broker_proves_its_seals(void **state)
{
	struct stage *stage = *state;

	must_make_seal_key(stage);
	must_start_signer(stage);
	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	for (uint32_t i = 1; i <= 20; i++)
		must_accept(stage, prison, &(struct made_wish){ .number = i });
	must_get_receipt(stage, prison, 100);
	json_t *proof = must_prove_running(stage);
	assert_int_equal(json_integer_value(json_object_get(proof, "seals")),
			 must_ask_number(stage, "status", "seals.number"));
	assert_true(json_integer_value(json_object_get(proof, "sealed_sequence")) > 20);
	assert_int_equal(json_integer_value(json_object_get(proof, "unsealed_events")), 0);
	assert_non_null(json_string_value(json_object_get(proof, "sealed_at")));
	json_decref(proof);
	must_have_passed(stage);
}

/* Without the public key they are not looked at; with it, a seal that somebody else made has its place. */
static void a_running_broker_names_the_place_of_a_seal_that_does_not_hold(void **state)
{
	struct stage *stage = *state;

	must_make_seal_key(stage);
	struct ran ran = must_run(stage, "ttg-signer", "--make-key", "other", NULL);
	assert_int_equal(ran.code, 0);
	ran_free(&ran);
	must_start_other(stage, 0, "signer", "ttg-signer", "--key", "other.key", "--state", "seal.state",
			 "--socket", "seal.socket", NULL);
	snprintf(stage->seals, sizeof(stage->seals), "\tsigner_socket = \"seal.socket\";\n");
	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	must_get_receipt(stage, prison, 1);
	json_t *proof = must_prove_running(stage);
	assert_true(json_is_null(json_object_get(proof, "seals")));
	assert_true(json_integer_value(json_object_get(proof, "records")) > 0);
	json_decref(proof);
	assert_int_equal(must_stop_broker(stage), 0);
	must_signal(&stage->others[0], SIGTERM);
	assert_int_equal(must_end(&stage->others[0], PROCESS_LIMIT_MS), 0);
	snprintf(stage->seals, sizeof(stage->seals), "\tpublic_file = \"seal.pub\";\n");
	must_start_broker(stage);
	ran = must_run(stage, "ttgctl", "--socket", "control", "journal", "verify", NULL);
	struct ran files = must_run(stage, "ttgctl", "journal", "verify", "--directory", "journal", "--key",
				    "keys/journal.key", "--seals", "seal.pub", NULL);
	if (ran.code != 1 || !strstr(ran.err, "journal/seg-0000000000000001.ttj: offset ") ||
	    !strstr(ran.err, ": seal 1: is not signed with this key"))
		must_fail("journal verify ends with %d: %s%s", ran.code, ran.out, ran.err);
	assert_string_equal(ran.err, files.err); /* in the same words */
	ran_free(&files);
	ran_free(&ran);
	must_have_passed(stage);
}

static void must_run_shell(const struct stage *stage, const char *what)
{
	char command[3 * PROCESS_PATH_MAX];

	snprintf(command, sizeof(command), "cd '%s' && %s", stage->directory, what);
	must_be(system(command) == 0, command);
}

static void must_stop_signer(struct stage *stage)
{
	must_signal(&stage->others[0], SIGTERM);
	assert_int_equal(must_end(&stage->others[0], PROCESS_LIMIT_MS), 0);
}

/* seal.key hands over to next.key; the statement lies in hand-over. */
static void must_hand_over(struct stage *stage)
{
	struct ran ran = must_run(stage, "ttg-signer", "--make-key", "next", NULL);

	assert_int_equal(ran.code, 0);
	ran_free(&ran);
	ran = must_run(stage, "ttg-signer", "--key", "seal.key", "--state", "seal.state", "--hand-over",
		       "next.key", NULL);
	if (ran.code != 0)
		must_fail("--hand-over: %s%s", ran.out, ran.err);
	must_write(stage, "hand-over", "%s", ran.out);
	ran_free(&ran);
}

static int verify_handed_over(struct stage *stage, const char *key)
{
	struct ran ran = must_run(stage, "ttg-verify", "--key", key, "--hand-over", "hand-over", "--event",
				  "event.bin", "event.receipt", NULL);
	const int code = ran.code;

	ran_free(&ran);
	return code;
}

static void receipts_and_journal_stay_good_when_the_signing_key_is_changed(void **state)
{
	struct stage *stage = *state;

	must_make_seal_key(stage);
	must_start_signer(stage);
	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	must_get_receipt(stage, prison, 1);
	must_run_shell(stage, "cp event.bin old.bin && cp event.receipt old.receipt");
	must_stop_signer(stage);
	must_accept(stage, prison, &(struct made_wish){ .number = 2 });
	must_hand_over(stage);
	struct ran ran = must_run(stage, "ttg-signer", "--key", "seal.key", "--state", "seal.state",
				  "--socket", "seal.socket", NULL);
	assert_int_equal(ran.code, EXIT_DAMAGED); /* it signs no more */
	assert_non_null(strstr(ran.err, "handed over"));
	ran_free(&ran);
	must_start_other(stage, 0, "signer", "ttg-signer", "--key", "next.key", "--state", "seal.state",
			 "--socket", "seal.socket", NULL);
	must_see(stage, "ttgd.err", "signer_key_changed");
	must_get_receipt(stage, prison, 3);
	assert_int_equal(verify(stage, "next.pub"), 0);
	assert_int_equal(verify(stage, "seal.pub"), 1);
	assert_int_equal(verify_handed_over(stage, "seal.pub"), 0);
	assert_int_equal(verify_handed_over(stage, "next.pub"), 3); /* that is not who it is from */
	json_t *proof = must_prove_running(stage);
	assert_int_equal(json_integer_value(json_object_get(proof, "unsealed_events")), 0);
	assert_int_equal(json_integer_value(json_object_get(proof, "last_seal")),
			 must_ask_number(stage, "status", "seals.number"));
	json_decref(proof);
	assert_int_equal(must_stop_broker(stage), 0);
	must_verify_journal(stage, 0, "unsealed events  0\n");
	must_run_shell(stage, "cp seal.pub first.pub && cp next.pub seal.pub");
	must_verify_journal(stage, 1, "is not signed with this key"); /* the oldest are the first key's */
	/* Both in one file: the broker knows the new one after a restart, and the old receipt stays good. */
	must_run_shell(stage, "cat next.pub first.pub >seal.pub");
	must_verify_journal(stage, 0, "unsealed events  0\n");
	must_start_broker(stage);
	must_get_receipt(stage, prison, 4);
	assert_int_equal(verify(stage, "next.pub"), 0);
	must_run_shell(stage, "cp old.bin event.bin && cp old.receipt event.receipt");
	assert_int_equal(verify(stage, "first.pub"), 0);
	assert_int_equal(verify(stage, "next.pub"), 1);
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(a_publisher_gets_a_receipt_that_needs_no_broker),
		STAGE_TEST(events_flow_without_the_signer_and_are_sealed_when_it_is_back),
		STAGE_TEST(an_older_copy_of_the_journal_is_noticed_by_the_signer),
		STAGE_TEST(another_history_cannot_be_sealed),
		STAGE_TEST(another_signer_is_not_taken),
		STAGE_TEST(a_running_broker_proves_its_seals),
		STAGE_TEST(a_running_broker_names_the_place_of_a_seal_that_does_not_hold),
		STAGE_TEST(receipts_and_journal_stay_good_when_the_signing_key_is_changed),
	};

	return cmocka_run_group_tests_name("seals", tests, NULL, NULL);
}
