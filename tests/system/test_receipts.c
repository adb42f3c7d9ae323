/*
 * What a publisher gets of its own events over the protocol: receipts that ttg-verify finds good, also
 * of what was published before a crash, and how far they came; and nothing of anybody else's.
 */
#include "support/peer.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "support/wait.h"

#define ID(n) "0196f5a0-0000-7000-8000-00000000000" n
#define RELEASED(id)                                                                               \
	"{\"specversion\":\"1.0\",\"id\":\"" id "\",\"source\":\"prison\",\"type\":\"prison."      \
	"released\",\"time\":\"2026-01-05T09:05:00Z\",\"data\":{\"prison_code\":\"PBI\","          \
	"\"person\":{\"identifiers\":[{\"kind\":\"NOMS\",\"value\":\"A1234BC\"}]}}}\n"

static void must_make_signer(struct stage *stage)
{
	struct ran ran = must_run(stage, "ttg-signer", "--make-key", "seal", NULL);

	assert_int_equal(ran.code, 0);
	ran_free(&ran);
	snprintf(stage->seals, sizeof(stage->seals),
		 "\tsigner_socket = \"seal.socket\";\n\tpublic_file = \"seal.pub\";\n");
}

static void must_start_signer(struct stage *stage)
{
	must_start_other(stage, 0, "signer", "ttg-signer", "--key", "seal.key", "--state", "seal.state",
			 "--socket", "seal.socket", NULL);
}

static void make_folder(struct stage *stage, const char *name)
{
	char path[PROCESS_PATH_MAX];

	STAGE_PATH(stage, path, "%s", name);
	must_be(mkdir(path, 0700) == 0, path);
}

static struct ran must_pub(struct stage *stage, const char *lines, const char *folder)
{
	must_write(stage, "events.json", "%s", lines);
	return must_run_fed(stage, "events.json", "ttg-pub", "--broker", stage->endpoint,
			    "--server-key", "keys/broker.pub", "--key", "keys/prison.key",
			    folder ? "--receipts" : NULL, folder, NULL);
}

static void must_verify(struct stage *stage, const char *receipt)
{
	struct ran ran = must_run(stage, "ttg-verify", "--key", "seal.pub", receipt, NULL);

	if (ran.code != 0)
		must_fail("%s: %s%s", receipt, ran.out, ran.err);
	ran_free(&ran);
}

static size_t read_file(struct stage *stage, const char *name, char out[8192])
{
	char path[PROCESS_PATH_MAX];
	FILE *file;

	STAGE_PATH(stage, path, "%s", name);
	file = fopen(path, "rb");
	must_be(file != NULL, path);
	const size_t len = fread(out, 1, 8192, file);
	fclose(file);
	return len;
}

static void must_be_the_same(struct stage *stage, const char *one, const char *other)
{
	char left[8192], right[8192];
	const size_t len = read_file(stage, one, left);

	must_be(len > 0 && len == read_file(stage, other, right) && memcmp(left, right, len) == 0,
		other);
}

static void a_publisher_keeps_receipts_that_prove_its_events(void **state)
{
	struct stage *stage = *state;
	char path[PROCESS_PATH_MAX];
	struct stat about;

	must_make_signer(stage);
	must_start_signer(stage);
	must_start_broker(stage);
	make_folder(stage, "first");
	make_folder(stage, "again");
	struct ran ran = must_pub(stage, RELEASED(ID("1")) RELEASED(ID("2")), "first");
	if (ran.code != 0 || !strstr(ran.out, "\"receipt\":\"" ID("2") ".receipt\""))
		must_fail("ttg-pub: %d %s%s", ran.code, ran.out, ran.err);
	ran_free(&ran);
	must_verify(stage, "first/" ID("1") ".receipt");
	must_verify(stage, "first/" ID("2") ".receipt");
	STAGE_PATH(stage, path, "first/" ID("1") ".receipt");
	assert_int_equal(stat(path, &about), 0);
	assert_int_equal(about.st_mode & 0777, 0600);
	/* A duplicate gets the receipt of the first, whatever was sealed since. */
	ran = must_pub(stage, RELEASED(ID("3")) RELEASED(ID("1")), "again");
	assert_int_equal(ran.code, 0);
	assert_non_null(strstr(ran.out, "\"duplicate\""));
	ran_free(&ran);
	must_verify(stage, "again/" ID("3") ".receipt");
	must_be_the_same(stage, "first/" ID("1") ".receipt", "again/" ID("1") ".receipt");
	must_have_passed(stage);
}

static void without_a_signer_the_outcome_says_why_there_is_none(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	make_folder(stage, "first");
	struct ran ran = must_pub(stage, RELEASED(ID("1")), "first");
	assert_int_equal(ran.code, 1);
	assert_non_null(strstr(ran.out, "\"accepted\""));
	assert_non_null(strstr(ran.out, "\"receipt\":null,\"code\":301,\"name\":\"asked_unsealed\""));
	ran_free(&ran);
	must_have_passed(stage);
}

/* They are accepted, the signer is away, the broker dies: ttg-pub goes on where it was. */
static void receipts_that_a_crash_took_are_asked_for_again(void **state)
{
	struct stage *stage = *state;

	must_make_signer(stage);
	must_start_broker(stage);
	must_see(stage, "ttgd.err", "signer_away");
	make_folder(stage, "first");
	must_write(stage, "events.json", "%s", RELEASED(ID("1")) RELEASED(ID("2")));
	must_start_other(stage, 1, "pub", "ttg-pub", "--broker", stage->endpoint, "--server-key",
			 "keys/broker.pub", "--key", "keys/prison.key", "--file", "events.json",
			 "--receipts", "first", NULL);
	while (must_ask_number(stage, "status", "events.accepted") < 2)
		peers_poll(stage);
	process_kill(&stage->broker);
	must_start_signer(stage);
	must_start_broker(stage);
	assert_int_equal(must_end(&stage->others[1], PROCESS_LIMIT_MS), 0);
	must_verify(stage, "first/" ID("1") ".receipt");
	must_verify(stage, "first/" ID("2") ".receipt");
	must_have_passed(stage);
}

static void anybody_of_the_agency_may_ask_later_and_nobody_else(void **state)
{
	struct stage *stage = *state;
	const uint8_t never[16] = { 9, 9 };
	uint8_t id[16];

	must_make_signer(stage);
	must_start_signer(stage);
	must_start_broker(stage);
	struct peer *first = must_open_peer(stage, "prison", NULL);
	for (uint32_t i = 1; i <= 20; i++)
		must_accept(stage, first, &(struct made_wish){ .number = i });
	memcpy(id, first->outcomes[7].id, sizeof(id));
	peer_close(stage, &first);
	process_kill(&stage->broker);
	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *police = must_open_peer(stage, "police", NULL);
	assert_int_equal(must_ask_receipt(stage, prison, id), TTG_OK);
	must_write(stage, "asked.receipt", "%s", prison->receipt);
	must_verify(stage, "asked.receipt");
	assert_int_equal(must_ask_receipt(stage, police, id), TTG_ASKED_UNKNOWN);
	assert_int_equal(must_ask_receipt(stage, police, never), TTG_ASKED_UNKNOWN);
	assert_int_equal(must_ask_receipt(stage, prison, never), TTG_ASKED_UNKNOWN);
	must_have_passed(stage);
}

static void must_be_in_state(struct stage *stage, const char *id, int code, const char *text)
{
	struct ran ran;

	for (int64_t until_ms = wait_now_ms() + WAIT_LONG_MS;;) {
		ran = must_run(stage, "ttg-pub", "--broker", stage->endpoint, "--server-key",
			       "keys/broker.pub", "--key", "keys/prison.key", "--state", id, NULL);
		if (strstr(ran.out, text) && ran.code == code)
			break;
		if (wait_now_ms() > until_ms) /* a record of it goes to disk with the next, or later */
			must_fail("%d %s%s, should be %d %s", ran.code, ran.out, ran.err, code, text);
		ran_free(&ran);
		peers_poll(stage);
	}
	ran_free(&ran);
}

static void an_event_is_accepted_then_delivered_then_acknowledged(void **state)
{
	struct stage *stage = *state;
	char text[TTG_UUID_TEXT];

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	must_accept(stage, prison, &(struct made_wish){ .number = 1 });
	ttg_uuid_format(prison->outcomes[0].id, text);
	must_be_in_state(stage, text, 1, "\"name\":\"asked_not_granted\"");
	must_write_agency(stage, "prison", NULL, "\tasks_states = true;\n");
	must_signal(&stage->broker, SIGHUP);
	must_see(stage, "ttgd.err", "reloaded");
	must_be_in_state(stage, ID("9"), 1, "\"name\":\"asked_unknown\"");
	must_be_in_state(stage, text, 0, "\"state\":\"accepted\"");
	struct peer *desk = must_open_peer(stage, "one-service", NULL);
	desk->habit = PEER_KEEPS;
	must_attach(stage, desk, "duty");
	must_get(stage, desk, 1);
	must_be_in_state(stage, text, 0, "\"state\":\"delivered\"");
	must_be(ttg_client_ack(desk->client, desk->got[0].mailbox, desk->got[0].position) == TTG_OK,
		"cannot acknowledge");
	must_be_in_state(stage, text, 0, "\"delivered\":1,\"acknowledged\":1");
	process_kill(&stage->broker);
	must_start_broker(stage);
	must_be_in_state(stage, text, 0, "\"state\":\"acknowledged\"");
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(a_publisher_keeps_receipts_that_prove_its_events),
		STAGE_TEST(without_a_signer_the_outcome_says_why_there_is_none),
		STAGE_TEST(receipts_that_a_crash_took_are_asked_for_again),
		STAGE_TEST(anybody_of_the_agency_may_ask_later_and_nobody_else),
		STAGE_TEST(an_event_is_accepted_then_delivered_then_acknowledged),
	};

	return cmocka_run_group_tests_name("receipts", tests, NULL, NULL);
}
