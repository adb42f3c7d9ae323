/*
 * ttg-desk with everything it stands on: broker, police adapter, ttg-oneservice with alerts for people.
 * An arrest reaches an open page, is acknowledged in a browser, and is corrected; the desk waits for a
 * store that is not there yet and outlives one that goes away.
 */
#include "support/peer.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "support/browser.h"
#include "support/postgres.h"
#include "support/wait.h"

#define SERVICE  0 /* slots of the stage's other processes */
#define POLICE   1
#define DESK     2
#define DUTY     "one-service/duty"
#define PASSWORD "three random words"
#define SENT     "three+random+words"
#define CUSTODY                                                                                    \
	"agreement: { id = \"custody\"; title = \"Outcomes\"; purpose = \"p\"; gateway = \"g\";\n"  \
	"valid_from = \"2020-01-01\"; valid_to = \"2099-01-01\"; recipient = \"other\";\n"         \
	"parties = [ \"police\", \"one-service\" ];\n"                                             \
	"publish = ( { agency = \"police\"; types = [ \"police.custody_update\" ]; } );\n"         \
	"deliver = ( { mailbox = \"one-service/duty\"; from = [ \"police\" ];\n"                   \
	"types = [ \"police.custody_update\" ]; } ); };\n"
#define ARREST                                                                                     \
	"{\"kind\":\"arrest\",\"alertId\":\"AL-1\",\"force\":\"35\","                              \
	"\"station\":{\"code\":\"PB01\",\"name\":\"Thorpe Wood\"},"                                \
	"\"arrestedAt\":\"2026-10-30T02:10:00Z\",\"offences\":[{\"cjsCode\":\"TH68010\"}],"        \
	"\"person\":{\"pncId\":\"02/73319Z\"},\"match\":{\"basis\":\"PNC_ID\"},"                   \
	"\"query\":{\"reasonCode\":\"9\",\"justification\":\"Custody, identity\"}}"
#define NO_FURTHER_ACTION                                                                          \
	"{\"kind\":\"custodyUpdate\",\"alertId\":\"AL-1\",\"force\":\"35\","                       \
	"\"person\":{\"pncId\":\"02/73319Z\"},\"disposition\":\"NFA\","                            \
	"\"disposedAt\":\"2026-10-30T08:10:00Z\",\"releasedAt\":\"2026-10-30T08:10:00Z\"}"

static struct postgres_server server;
static bool has_server;
static char database[POSTGRES_PLACE]; /* of the running test; "": SQLite */
static int port;

static int set_up_sqlite(void **state)
{
	database[0] = '\0';
	return stage_set_up(state);
}

static int set_up_postgres(void **state)
{
	if (!has_server)
		must_open_postgres(&server);
	has_server = true;
	must_make_database(&server, database);
	return stage_set_up(state);
}

static int tear_down_all(void **state)
{
	(void)state;
	if (has_server)
		postgres_close(&server);
	curl_global_cleanup();
	return 0;
}

static void start(struct stage *stage, int slot, const char *name, const char *program)
{
	char path[PROCESS_PATH_MAX], config[64];

	snprintf(config, sizeof(config), "%s.conf", name);
	STAGE_PATH(stage, path, "%s", config);
	must_start_other(stage, slot, name, program, "--config", path, NULL);
}

static void write_adapters(struct stage *stage)
{
	must_write(stage, "oneservice.conf",
	           "agency = \"one-service\";\nbroker = \"%s\";\n"
	           "server_key_file = \"%s/keys/broker.pub\";\n"
	           "key_file = \"%s/keys/one-service.key\";\n"
	           "state_dir = \"%s/state\";\nmailboxes = [ \"duty\", \"desk\" ];\n"
	           "live = \"off\";\nalerts = \"people\";\nspool = { dir = \"%s/spool\"; };\n"
	           "store = { postgres = \"%s\"; };\n",
	           stage->endpoint, stage->directory, stage->directory, stage->directory,
	           stage->directory, database);
	must_write(stage, "police.conf",
	           "agency = \"police\";\nbroker = \"%s\";\n"
	           "server_key_file = \"%s/keys/broker.pub\";\nkey_file = \"%s/keys/police.key\";\n"
	           "state_dir = \"%s/police-state\";\nspool = { dir = \"%s/police-spool\"; };\n",
	           stage->endpoint, stage->directory, stage->directory, stage->directory,
	           stage->directory);
}

static void write_desk(struct stage *stage)
{
	char sqlite[PROCESS_PATH_MAX];

	STAGE_PATH(stage, sqlite, "state/case.db");
	port = must_find_port();
	must_write(stage, "desk.conf",
	           "agency = \"one-service\";\nusers_file = \"%s/users\";\n"
	           "store = { path = \"%s\"; postgres = \"%s\"; };\n"
	           "spool = { dir = \"%s/spool\"; };\nhttp = { port = %d; };\n"
	           "disclosures_file = \"%s/disclosures.json\";\n",
	           stage->directory, database[0] == '\0' ? sqlite : "", database,
	           stage->directory, port, stage->directory);
}

static void add_user(struct stage *stage, const char *user, const char *role, const char *name)
{
	char users[PROCESS_PATH_MAX];
	struct ran ran;

	STAGE_PATH(stage, users, "users");
	must_write(stage, "password", PASSWORD "\n");
	ran = must_run_fed(stage, "password", "ttg-desk", "user", "add", user, "--role", role,
	                   "--name", name, "--file", users, NULL);
	if (ran.code != 0)
		must_fail("adding a user: status %d, %s", ran.code, ran.err);
	ran_free(&ran);
}

static void set_the_scene(struct stage *stage)
{
	stage->duty_options = "ack_within_s = 3600; fallback = \"one-service/desk\";";
	must_write_agreement(stage);
	must_write(stage, "agreements.d/custody.conf", "%s", CUSTODY);
	must_start_broker(stage);
	write_adapters(stage);
	write_desk(stage);
	add_user(stage, "ann", "duty", "Ann Example");
	add_user(stage, "eve", "evaluator", "Eve Example");
}

static struct browser *open_browser(struct stage *stage, const char *user)
{
	struct browser *browser;

	must_see(stage, "desk.err", "event=ready");
	browser = browser_open(NULL, (unsigned)port, NULL);
	browser_sign_in(browser, user, SENT);
	return browser;
}

static void tell(struct stage *stage, const char *name, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "police-spool/%s.json", name);
	must_write(stage, path, "%s", text);
}

/* "/alerts/..." as the page says it. */
static void find_address(const struct browser *browser, char out[64])
{
	const char *at = strstr(browser_body(browser), "action=\"/alerts/");

	must_be(at != NULL, "an alert waits");
	snprintf(out, 64, "%.*s", (int)strcspn(at + 8, "\""), at + 8);
}

/* As an operator's timer does. */
static void bring_disclosures(struct stage *stage)
{
	char socket[PROCESS_PATH_MAX];
	struct ran ran;

	STAGE_PATH(stage, socket, "control");
	ran = must_run(stage, "ttgctl", "--socket", socket, "--json", "disclosures", "--agency",
	               "one-service", "--reason", "duty desk", NULL);
	if (ran.code != 0)
		must_fail("disclosures: status %d, %s", ran.code, ran.err);
	must_write(stage, "disclosures.json", "%s", ran.out);
	ran_free(&ran);
}

static bool shows_no_further_action(void *arg)
{
	struct browser *browser = arg;

	return browser_get(browser, "/alerts") == 200 &&
	       strstr(browser_body(browser), "No further action</strong>") != NULL;
}

static void stop_desk(struct stage *stage)
{
	must_signal(&stage->others[DESK], SIGTERM);
	assert_int_equal(must_end(&stage->others[DESK], WAIT_LONG_MS), 0);
}

static void an_arrest_is_seen_acknowledged_and_corrected(void **state)
{
	struct stage *stage = *state;
	struct browser *browser;
	char address[64];

	set_the_scene(stage);
	start(stage, SERVICE, "oneservice", "ttg-oneservice");
	start(stage, POLICE, "police", "ttg-police");
	start(stage, DESK, "desk", "ttg-desk");
	browser = open_browser(stage, "ann");
	assert_int_equal(browser_listen(browser, "/live/events?after=0", NULL), 200);
	tell(stage, "arrest", ARREST);
	must_hear(browser, "event: told");
	must_hear(browser, "ARRESTED by Cambridgeshire, Thorpe Wood");
	must_hear(browser, " 1\n"); /* of event: alerts */
	assert_int_equal(must_ask_mailbox(stage, DUTY, "queued"), 1);
	assert_int_equal(browser_get(browser, "/alerts"), 200);
	must_show(browser, "Waiting (1)");
	find_address(browser, address);
	assert_int_equal(browser_post(browser, address, "x="), 303);
	browser_follow(browser);
	must_show(browser, "You have acknowledged the alert.");
	must_show(browser, "acknowledged by ann");
	must_settle(stage, DUTY, "queued", 0);
	tell(stage, "update", NO_FURTHER_ACTION);
	must_be(wait_until(shows_no_further_action, browser, WAIT_LONG_MS), "it is corrected");
	must_show(browser, "<s>ARRESTED by");
	/* What undoes an alarm is urgent, too: somebody has to know of it. */
	must_show(browser, "After the arrest: no further action");
	find_address(browser, address);
	assert_int_equal(browser_post(browser, address, "x="), 303);
	must_settle(stage, DUTY, "queued", 0);
	assert_int_equal(browser_get(browser, "/people?q=2002%2F73319Z"), 200);
	must_show(browser, "Found: 1");
	bring_disclosures(stage);
	assert_int_equal(browser_get(browser, "/people/0"), 200);
	must_show(browser, "Deliveries, the newest events first");
	must_show(browser, "one-service/duty");
	must_show(browser, "acknowledged, <time");
	assert_int_equal(count_in(stage, "desk.err", "73319"), 0);
	browser_close(&browser);
	stop_desk(stage);
	must_have_passed(stage);
}

static void nobody_sees_what_his_role_does_not(void **state)
{
	struct stage *stage = *state;
	struct browser *browser;

	set_the_scene(stage);
	start(stage, SERVICE, "oneservice", "ttg-oneservice");
	start(stage, DESK, "desk", "ttg-desk");
	must_see(stage, "desk.err", "event=ready");
	browser = browser_open(NULL, (unsigned)port, NULL);
	assert_int_equal(browser_get(browser, "/live"), 303);
	assert_int_not_equal(browser_listen(browser, "/live/events", NULL), 200);
	browser_sign_in(browser, "eve", SENT);
	assert_int_equal(browser_get(browser, "/live"), 403);
	assert_int_equal(browser_get(browser, "/people?q=A1234BC"), 403);
	assert_int_equal(browser_get(browser, "/alerts"), 403);
	assert_int_equal(browser_listen(browser, "/live/events", NULL), 403);
	assert_int_equal(browser_get(browser, "/figures"), 200);
	browser_close(&browser);
	stop_desk(stage);
	must_have_passed(stage);
}

static void the_desk_waits_for_the_store(void **state)
{
	struct stage *stage = *state;
	struct browser *browser;

	set_the_scene(stage);
	start(stage, DESK, "desk", "ttg-desk");
	must_see(stage, "desk.err", "event=store_away");
	start(stage, SERVICE, "oneservice", "ttg-oneservice");
	browser = open_browser(stage, "ann");
	assert_int_equal(browser_get(browser, "/live"), 200);
	must_show(browser, "Nothing has arrived yet.");
	browser_close(&browser);
	stop_desk(stage);
	must_have_passed(stage);
}

static bool says_that_the_store_is_away(void *arg)
{
	struct browser *browser = arg;

	return browser_get(browser, "/live") == 200 &&
	       strstr(browser_body(browser), "The case store cannot be read") != NULL;
}

static bool says_nothing_is_away(void *arg)
{
	return !says_that_the_store_is_away(arg);
}

static void the_desk_outlives_the_servers_death(void **state)
{
	struct stage *stage = *state;
	struct browser *browser;

	set_the_scene(stage);
	start(stage, SERVICE, "oneservice", "ttg-oneservice");
	start(stage, POLICE, "police", "ttg-police");
	start(stage, DESK, "desk", "ttg-desk");
	browser = open_browser(stage, "ann");
	tell(stage, "arrest", ARREST);
	assert_int_equal(browser_listen(browser, "/live/events?after=0", NULL), 200);
	must_hear(browser, "ARRESTED");
	must_stop_postgres(&server, SIGQUIT);
	must_be(wait_until(says_that_the_store_is_away, browser, WAIT_LONG_MS), "it is noticed");
	must_show(browser, "What it says cannot be read at the moment.");
	assert_int_equal(browser_get(browser, "/alerts"), 200);
	must_show(browser, "Waiting (1)");
	must_be(process_running(&stage->others[DESK]), "the desk goes on");
	must_start_postgres(&server);
	must_be(wait_until(says_nothing_is_away, browser, WAIT_LONG_MS), "it is back");
	must_show(browser, "ARRESTED by");
	must_see(stage, "desk.err", "event=store_back");
	browser_close(&browser);
	stop_desk(stage);
	must_have_passed(stage);
}

static void a_configuration_is_checked(void **state)
{
	struct stage *stage = *state;
	char path[PROCESS_PATH_MAX];
	struct ran ran;

	write_desk(stage);
	STAGE_PATH(stage, path, "desk.conf");
	ran = must_run(stage, "ttg-desk", "-t", "--config", path, NULL);
	assert_int_equal(ran.code, 0);
	assert_non_null(strstr(ran.out, "fine"));
	ran_free(&ran);
	must_write(stage, "desk.conf", "agency = \"one-service\";\nstore = { path = \"x\"; };\n"
	                               "http = { listen = \"0.0.0.0\"; };\n");
	ran = must_run(stage, "ttg-desk", "-t", "--config", path, NULL);
	assert_int_equal(ran.code, 2);
	assert_non_null(strstr(ran.err, "TLS"));
	ran_free(&ran);
	must_write(stage, "desk.conf", "agency = \"one-service\";\nagenda = 1;\n");
	ran = must_run(stage, "ttg-desk", "--config", path, NULL);
	assert_int_equal(ran.code, 2);
	assert_non_null(strstr(ran.err, "there is no option agenda"));
	ran_free(&ran);
	ran = must_run(stage, "ttg-desk", NULL);
	assert_int_equal(ran.code, 2);
	ran_free(&ran);
	must_have_passed(stage);
}

#define ON_SQLITE(test) cmocka_unit_test_setup_teardown(test, set_up_sqlite, stage_tear_down)
#define ON_POSTGRES(test) cmocka_unit_test_setup_teardown(test, set_up_postgres, stage_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_SQLITE(an_arrest_is_seen_acknowledged_and_corrected),
		ON_POSTGRES(an_arrest_is_seen_acknowledged_and_corrected),
		ON_SQLITE(nobody_sees_what_his_role_does_not),
		ON_SQLITE(the_desk_waits_for_the_store),
		ON_POSTGRES(the_desk_outlives_the_servers_death),
		ON_SQLITE(a_configuration_is_checked),
	};

	curl_global_init(CURL_GLOBAL_DEFAULT);
	return cmocka_run_group_tests(tests, NULL, tear_down_all);
}
