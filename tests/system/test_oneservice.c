/*
 * ttg-oneservice against the real broker: what is granted reaches the case store once, whatever
 * dies or stands still; live lines; own events out and their answers back.
 */
#include "support/peer.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include "support/wait.h"

#define ADAPTER 0 /* slot of the stage's other processes */
#define KILLS   12
#define EVENTS  400

static void write_adapter_configuration(struct stage *stage, const char *live)
{
	must_write(stage, "oneservice.conf",
	           "agency = \"one-service\";\nbroker = \"%s\";\n"
	           "server_key_file = \"%s/keys/broker.pub\";\n"
	           "key_file = \"%s/keys/one-service.key\";\n"
	           "state_dir = \"%s/state\";\nmailboxes = [ \"duty\", \"desk\" ];\n"
	           "live = \"%s\";\nspool = { dir = \"%s/spool\"; };\n",
	           stage->endpoint, stage->directory, stage->directory, stage->directory, live,
	           stage->directory);
}

static void start_adapter(struct stage *stage)
{
	char path[PROCESS_PATH_MAX];

	STAGE_PATH(stage, path, "oneservice.conf");
	must_start_other(stage, ADAPTER, "oneservice", "ttg-oneservice", "--config", path, NULL);
}

/* One number out of the case store; -1 when it is not there yet. */
static long ask_store(const struct stage *stage, const char *sql)
{
	char path[PROCESS_PATH_MAX];
	sqlite3 *db = NULL;
	sqlite3_stmt *statement = NULL;
	long number = -1;

	STAGE_PATH(stage, path, "state/case.db");
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK) {
		sqlite3_busy_timeout(db, WAIT_LONG_MS);
		if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
		    sqlite3_step(statement) == SQLITE_ROW)
			number = (long)sqlite3_column_int64(statement, 0);
		sqlite3_finalize(statement);
	}
	sqlite3_close(db);
	return number;
}

struct expectation {
	const struct stage *stage;
	const char *sql;
	long number;
};

static bool store_says(void *arg)
{
	const struct expectation *expectation = arg;

	return ask_store(expectation->stage, expectation->sql) == expectation->number;
}

static void must_store(struct stage *stage, const char *sql, long number)
{
	struct expectation expectation = { stage, sql, number };

	if (!peers_wait(stage, store_says, &expectation, WAIT_LONG_MS))
		must_fail("%s gives %ld, not %ld", sql, ask_store(stage, sql), number);
}

static void a_release_is_stored_printed_and_acknowledged(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	write_adapter_configuration(stage, "people");
	start_adapter(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	must_accept(stage, prison, &(struct made_wish){ .area = "Luton" });
	must_store(stage, "SELECT count(*) FROM event WHERE type = 'prison.released'", 1);
	must_see(stage, "oneservice.out", "A1234BC");
	must_see(stage, "oneservice.out", "Luton");
	must_settle(stage, "one-service/duty", "queued", 0);
	assert_int_equal(count_in(stage, "oneservice.err", "A1234BC"), 0);
	must_signal(&stage->others[ADAPTER], SIGTERM);
	assert_int_equal(must_end(&stage->others[ADAPTER], WAIT_LONG_MS), 0);
	must_have_passed(stage);
}

static void publish_some(struct stage *stage, struct peer *prison, uint32_t from, uint32_t n)
{
	for (uint32_t i = from; i < from + n; i++) {
		struct made made = must_make(&(struct made_wish){ .number = i + 1 });

		while (ttg_client_publish(prison->client, made.id, made.bytes, made.len, NULL) ==
		       TTG_EAGAIN)
			peers_poll(stage);
		made_free(&made);
		peers_poll(stage);
	}
}

static bool some_more_arrived(void *arg)
{
	const struct expectation *expectation = arg;

	return ask_store(expectation->stage, expectation->sql) >= expectation->number;
}

static void nothing_is_stored_twice_or_lost_when_the_adapter_is_killed(void **state)
{
	struct stage *stage = *state;
	const char *given = getenv("TTG_SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
	struct expectation some = { stage, "SELECT count(*) FROM event", 0 };

	print_message("TTG_SEED=%u\n", seed);
	must_start_broker(stage);
	write_adapter_configuration(stage, "json");
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	for (unsigned life = 0; life < KILLS; life++) {
		start_adapter(stage);
		publish_some(stage, prison, life * EVENTS / KILLS, EVENTS / KILLS);
		some.number = (long)(life * (EVENTS / KILLS) +
				     (unsigned)rand_r(&seed) % (EVENTS / KILLS));
		must_be(peers_wait(stage, some_more_arrived, &some, WAIT_LONG_MS), "some arrive");
		process_kill(&stage->others[ADAPTER]);
	}
	start_adapter(stage);
	must_store(stage, "SELECT count(*) FROM event", EVENTS / KILLS * KILLS);
	assert_int_equal(ask_store(stage, "SELECT count(DISTINCT id) FROM event"),
	                 EVENTS / KILLS * KILLS);
	assert_int_equal(ask_store(stage, "SELECT count(*) FROM delivery"), EVENTS / KILLS * KILLS);
	must_settle(stage, "one-service/duty", "queued", 0);
	must_have_passed(stage);
}

static void what_waits_while_the_broker_stands_still_arrives_once_afterwards(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	write_adapter_configuration(stage, "off");
	start_adapter(stage);
	struct peer *prison = must_open_peer(stage, "prison", "outbox");
	must_accept(stage, prison, &(struct made_wish){ .number = 1 });
	must_store(stage, "SELECT count(*) FROM event", 1);
	must_signal(&stage->broker, SIGSTOP);
	publish_some(stage, prison, 1, 50);
	assert_int_equal(ask_store(stage, "SELECT count(*) FROM event"), 1);
	must_signal(&stage->broker, SIGCONT);
	must_store(stage, "SELECT count(*) FROM event", 51);
	assert_int_equal(ask_store(stage, "SELECT count(*) FROM delivery"), 51);
	must_have_passed(stage);
}

static void a_store_that_cannot_be_opened_is_told_and_nothing_is_acknowledged(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	write_adapter_configuration(stage, "off");
	must_write(stage, "state/case.db", "%01000d this is no database", 7);
	start_adapter(stage);
	assert_int_equal(must_end(&stage->others[ADAPTER], WAIT_LONG_MS), 1);
	must_see(stage, "oneservice.err", "case store");
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	must_accept(stage, prison, &(struct made_wish){ .number = 1 });
	must_settle(stage, "one-service/duty", "queued", 1);
	must_have_passed(stage);
}

static void write_referral(struct stage *stage, const char *name, const char *type, const char *id)
{
	must_write(stage, name,
	           "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"one-service\","
	           "\"type\":\"%s\",\"time\":\"2026-11-20T10:00:00Z\",\"data\":{\"person\":"
	           "{\"identifiers\":[{\"kind\":\"NOMS\",\"value\":\"A1234BC\"}]},"
	           "\"referral_id\":\"r-1\",\"provider_agency\":\"housing\","
	           "\"referrer_agency\":\"one-service\",\"need\":\"ACCOMMODATION\"}}\n",
	           id, type);
}

static struct ran publish(struct stage *stage, const char *wait, const char *input)
{
	char config[PROCESS_PATH_MAX];
	char path[PROCESS_PATH_MAX];

	STAGE_PATH(stage, config, "oneservice.conf");
	STAGE_PATH(stage, path, "%s", input);
	return must_run(stage, "ttg-oneservice", "publish", "--config", config, "--wait", wait,
	                path, NULL);
}

static void must_publish_with(struct stage *stage, const char *wait, const char *input, int code,
                              const char *says)
{
	struct ran ran = publish(stage, wait, input);

	if (ran.code != code || (!strstr(ran.out, says) && !strstr(ran.err, says)))
		must_fail("publish %s: status %d, %s%s", input, ran.code, ran.out, ran.err);
	ran_free(&ran);
}

static void a_referral_is_published_by_command_and_answered_with_its_sequence(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	write_adapter_configuration(stage, "off");
	start_adapter(stage);
	must_see(stage, "oneservice.err", "attached");
	struct peer *housing = must_open_peer(stage, "housing", NULL);
	must_attach(stage, housing, "referrals");
	write_referral(stage, "sent.json", "referral.sent", "01020304-0506-4708-8910-111213141516");
	must_publish_with(stage, "20", "sent.json", 0, "\"outcome\":\"accepted\"");
	must_get(stage, housing, 1);
	must_publish_with(stage, "20", "sent.json", 0, "\"sequence\"");
	must_get_no_more(stage, housing, 1, 100);
	must_store(stage, "SELECT count(*) FROM published WHERE code = 0", 1);
	must_have_passed(stage);
}

static void what_may_not_be_said_is_stopped_before_it_leaves(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	write_adapter_configuration(stage, "off");
	write_referral(stage, "foreign.json", "prison.released",
	               "01020304-0506-4708-8910-111213141516");
	must_publish_with(stage, "0", "foreign.json", 2, "nothing is published");
	must_write(stage, "broken.json", "{\"specversion\": \"1.0\", ");
	must_publish_with(stage, "0", "broken.json", 2, "nothing is published");
	assert_int_equal(ask_store(stage, "SELECT count(*) FROM published"), -1);
	must_have_passed(stage);
}

static void what_is_published_while_the_adapter_is_away_goes_out_when_it_comes(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	write_adapter_configuration(stage, "off");
	must_write(stage, "spool/.keep", "%s", "");
	struct peer *housing = must_open_peer(stage, "housing", NULL);
	must_attach(stage, housing, "referrals");
	write_referral(stage, "sent.json", "referral.sent", "01020304-0506-4708-8910-111213141517");
	must_publish_with(stage, "0", "sent.json", 3, "\"outcome\":\"waiting\"");
	start_adapter(stage);
	must_get(stage, housing, 1);
	must_have_passed(stage);
}

static void an_event_the_broker_refuses_is_told_with_its_code(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	write_adapter_configuration(stage, "off");
	start_adapter(stage);
	must_see(stage, "oneservice.err", "attached");
	must_write(stage, "own.json",
	           "{\"specversion\":\"1.0\",\"id\":\"01020304-0506-4708-8910-111213141518\","
	           "\"source\":\"one-service\",\"type\":\"service.exited\","
	           "\"time\":\"2026-11-20T10:00:00Z\",\"data\":{}}\n");
	must_publish_with(stage, "20", "own.json", 1, "refused_not_agreed");
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(a_release_is_stored_printed_and_acknowledged),
		STAGE_TEST(nothing_is_stored_twice_or_lost_when_the_adapter_is_killed),
		STAGE_TEST(what_waits_while_the_broker_stands_still_arrives_once_afterwards),
		STAGE_TEST(a_store_that_cannot_be_opened_is_told_and_nothing_is_acknowledged),
		STAGE_TEST(a_referral_is_published_by_command_and_answered_with_its_sequence),
		STAGE_TEST(what_may_not_be_said_is_stopped_before_it_leaves),
		STAGE_TEST(what_is_published_while_the_adapter_is_away_goes_out_when_it_comes),
		STAGE_TEST(an_event_the_broker_refuses_is_told_with_its_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
