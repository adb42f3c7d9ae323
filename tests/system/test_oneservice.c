/*
 * ttg-oneservice against the real broker: what is granted reaches the case store once, whatever
 * dies or stands still; live lines; own events out and their answers back. On SQLite and on
 * PostgreSQL, whose server dies, too.
 */
#include "support/peer.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include "support/postgres.h"
#include "support/stage_store.h"
#include "support/wait.h"

#define ADAPTER 0 /* slot of the stage's other processes */
#define KILLS   12
#define EVENTS  400
#define DEATHS  4  /* of the server */
#define DEATH_EVENTS 40

static struct postgres_server server; /* for all tests of this program */
static char database[POSTGRES_PLACE]; /* of the running test; "": SQLite */

static int start_server(void **state)
{
	(void)state;
	must_open_postgres(&server);
	return 0;
}

static int stop_server(void **state)
{
	(void)state;
	postgres_close(&server);
	return 0;
}

static int set_up_sqlite(void **state)
{
	database[0] = '\0';
	return stage_set_up(state);
}

static int set_up_postgres(void **state)
{
	must_make_database(&server, database);
	return stage_set_up(state);
}

#define ON_SQLITE(test) cmocka_unit_test_setup_teardown(test, set_up_sqlite, stage_tear_down)
#define ON_POSTGRES(test) cmocka_unit_test_setup_teardown(test, set_up_postgres, stage_tear_down)
#define STORE_TEST(test)                                                                           \
	cmocka_unit_test_setup_teardown(test, set_up_sqlite, stage_tear_down),                     \
		cmocka_unit_test_setup_teardown(test, set_up_postgres, stage_tear_down)

static void write_adapter_configuration(struct stage *stage, const char *live)
{
	must_write(stage, "oneservice.conf",
	           "agency = \"one-service\";\nbroker = \"%s\";\n"
	           "server_key_file = \"%s/keys/broker.pub\";\n"
	           "key_file = \"%s/keys/one-service.key\";\n"
	           "state_dir = \"%s/state\";\nmailboxes = [ \"duty\", \"desk\" ];\n"
	           "live = \"%s\";\nspool = { dir = \"%s/spool\"; };\n"
	           "store = { postgres = \"%s\"; };\n",
	           stage->endpoint, stage->directory, stage->directory, stage->directory, live,
	           stage->directory, database);
}

static void start_adapter(struct stage *stage)
{
	char path[PROCESS_PATH_MAX];

	STAGE_PATH(stage, path, "oneservice.conf");
	must_start_other(stage, ADAPTER, "oneservice", "ttg-oneservice", "--config", path, NULL);
}

static void a_release_is_stored_printed_and_acknowledged(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	write_adapter_configuration(stage, "people");
	start_adapter(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	must_accept(stage, prison, &(struct made_wish){ .area = "Luton" });
	must_store(stage, database, "SELECT count(*) FROM event WHERE type = 'prison.released'", 1);
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

struct expectation {
	const struct stage *stage;
	const char *sql;
	long number;
};

static bool some_more_arrived(void *arg)
{
	const struct expectation *expectation = arg;

	return stage_ask_store(expectation->stage, database, expectation->sql) >= expectation->number;
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
	must_store(stage, database, "SELECT count(*) FROM event", EVENTS / KILLS * KILLS);
	assert_int_equal(stage_ask_store(stage, database,
	                                 "SELECT count(DISTINCT id) FROM event"),
	                 EVENTS / KILLS * KILLS);
	assert_int_equal(stage_ask_store(stage, database,
	                                 "SELECT count(*) FROM delivery"),
	                 EVENTS / KILLS * KILLS);
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
	must_store(stage, database, "SELECT count(*) FROM event", 1);
	must_signal(&stage->broker, SIGSTOP);
	publish_some(stage, prison, 1, 50);
	assert_int_equal(stage_ask_store(stage, database,
	                                 "SELECT count(*) FROM event"),
	                 1);
	must_signal(&stage->broker, SIGCONT);
	must_store(stage, database, "SELECT count(*) FROM event", 51);
	assert_int_equal(stage_ask_store(stage, database,
	                                 "SELECT count(*) FROM delivery"),
	                 51);
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
	           "\"referral_id\":\"r-%s\",\"provider_agency\":\"housing\","
	           "\"referrer_agency\":\"one-service\",\"need\":\"ACCOMMODATION\"}}\n",
	           id, type, id);
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
	must_store(stage, database, "SELECT count(*) FROM published WHERE code = 0", 1);
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
	assert_int_equal(stage_ask_store(stage, database,
	                                 "SELECT count(*) FROM published"),
	                 -1);
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

static void what_became_of_our_events_is_asked_for_and_kept(void **state)
{
	struct stage *stage = *state;
	long change;

	must_write_agency(stage, "one-service", NULL, "\tasks_states = true;\n");
	must_start_broker(stage);
	write_adapter_configuration(stage, "off");
	start_adapter(stage);
	must_see(stage, "oneservice.err", "attached");
	struct peer *housing = must_open_peer(stage, "housing", NULL);
	housing->habit = PEER_KEEPS;
	must_attach(stage, housing, "referrals");
	write_referral(stage, "sent.json", "referral.sent", "01020304-0506-4708-8910-111213141519");
	must_publish_with(stage, "20", "sent.json", 0, "\"outcome\":\"accepted\"");
	must_get(stage, housing, 1);
	must_store(stage, database, "SELECT count(*) FROM published WHERE delivered = 1 AND acknowledged = 0",
	           1);
	change = stage_ask_store(stage, database, "SELECT change FROM published");
	must_be(ttg_client_ack(housing->client, housing->got[0].mailbox,
	                       housing->got[0].position) == TTG_OK,
	        "cannot acknowledge");
	must_store(stage, database, "SELECT count(*) FROM published WHERE delivered = 1 AND acknowledged = 1",
	           1);
	assert_int_equal(stage_ask_store(stage, database,
	                                 "SELECT change FROM published"),
	                 change);
	assert_int_equal(count_in(stage, "oneservice.err", "states_not_told"), 0);
	must_have_passed(stage);
}

static void who_may_not_ask_is_told_once_and_goes_on(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	write_adapter_configuration(stage, "off");
	start_adapter(stage);
	must_see(stage, "oneservice.err", "attached");
	write_referral(stage, "sent.json", "referral.sent", "01020304-0506-4708-8910-111213141520");
	must_publish_with(stage, "20", "sent.json", 0, "\"outcome\":\"accepted\"");
	must_see(stage, "oneservice.err", "states_not_told code=304");
	write_referral(stage, "sent.json", "referral.sent", "01020304-0506-4708-8910-111213141521");
	must_publish_with(stage, "20", "sent.json", 0, "\"outcome\":\"accepted\"");
	assert_int_equal(count_in(stage, "oneservice.err", "states_not_told"), 1);
	assert_int_equal(stage_ask_store(stage, database,
	                                 "SELECT count(*) FROM published WHERE delivered IS NULL"),
	                 2);
	must_have_passed(stage);
}

static bool adapter_is_gone(void *arg)
{
	struct stage *stage = arg;

	return !process_running(&stage->others[ADAPTER]);
}

/* As its unit would: it is started again until it stays. */
static bool adapter_stays(void *arg)
{
	struct stage *stage = arg;

	if (!process_running(&stage->others[ADAPTER]))
		start_adapter(stage);
	return stage_ask_store(stage, database, "SELECT count(*) FROM event") >= 0;
}

static void a_server_that_dies_ends_the_adapter_and_nothing_is_lost_or_twice(void **state)
{
	struct stage *stage = *state;
	long published = 0;

	must_start_broker(stage);
	write_adapter_configuration(stage, "json");
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	start_adapter(stage);
	for (unsigned life = 0; life < DEATHS; life++) {
		publish_some(stage, prison, (uint32_t)published, DEATH_EVENTS);
		published += DEATH_EVENTS;
		must_stop_postgres(&server, life % 2 == 0 ? SIGQUIT : SIGINT);
		/* It notices with the next delivery at the latest. */
		publish_some(stage, prison, (uint32_t)published, 1);
		published++;
		must_be(peers_wait(stage, adapter_is_gone, stage, WAIT_LONG_MS), "it ends");
		assert_int_equal(must_end(&stage->others[ADAPTER], WAIT_LONG_MS), 1);
		must_see(stage, "oneservice.err", "case store");
		start_adapter(stage); /* too early: the server is not there yet */
		assert_int_equal(must_end(&stage->others[ADAPTER], WAIT_LONG_MS), 1);
		must_see(stage, "oneservice.err", "case store: connecting failed");
		must_start_postgres(&server);
		must_be(peers_wait(stage, adapter_stays, stage, WAIT_LONG_MS), "it comes back");
	}
	must_store(stage, database, "SELECT count(*) FROM event", published);
	assert_int_equal(stage_ask_store(stage, database,
	                                 "SELECT count(*) FROM delivery"),
	                 published);
	assert_int_equal(stage_ask_store(stage, database,
	                                 "SELECT count(DISTINCT position) FROM delivery"),
	                 published);
	must_settle(stage, "one-service/duty", "queued", 0);
	assert_true(count_in(stage, "oneservice.out", "\"type\"") <= published);
	must_have_passed(stage);
}

static void a_configuration_that_names_two_stores_or_a_password_is_refused(void **state)
{
	struct stage *stage = *state;
	static const char *const wrong[] = {
		"path = \"/tmp/a.db\"; postgres = \"dbname=a\";",
		"postgres = \"dbname=a password=correct-horse\";",
		"postgres = \"host=db.example dbname=a\";",
	};
	char path[PROCESS_PATH_MAX];

	STAGE_PATH(stage, path, "oneservice.conf");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		must_write(stage, "oneservice.conf",
		           "agency = \"a\"; broker = \"tcp://127.0.0.1:1\"; server_key_file = \"%s/k\";"
		           " key_file = \"%s/k\"; state_dir = \"%s/state\"; store = { %s };",
		           stage->directory, stage->directory, stage->directory, wrong[i]);
		struct ran ran = must_run(stage, "ttg-oneservice", "--config", path, "-t", NULL);
		assert_int_equal(ran.code, 2);
		assert_non_null(strstr(ran.err, "store"));
		assert_null(strstr(ran.err, "correct-horse"));
		ran_free(&ran);
	}
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(a_release_is_stored_printed_and_acknowledged),
		STORE_TEST(nothing_is_stored_twice_or_lost_when_the_adapter_is_killed),
		STORE_TEST(what_waits_while_the_broker_stands_still_arrives_once_afterwards),
		ON_SQLITE(a_store_that_cannot_be_opened_is_told_and_nothing_is_acknowledged),
		STORE_TEST(a_referral_is_published_by_command_and_answered_with_its_sequence),
		ON_SQLITE(what_may_not_be_said_is_stopped_before_it_leaves),
		STORE_TEST(what_is_published_while_the_adapter_is_away_goes_out_when_it_comes),
		STORE_TEST(an_event_the_broker_refuses_is_told_with_its_code),
		STORE_TEST(what_became_of_our_events_is_asked_for_and_kept),
		ON_SQLITE(who_may_not_ask_is_told_once_and_goes_on),
		ON_POSTGRES(a_server_that_dies_ends_the_adapter_and_nothing_is_lost_or_twice),
		ON_SQLITE(a_configuration_that_names_two_stores_or_a_password_is_refused),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
