/*
 * ttg-oneservice with alerts for people, against the real broker: an urgent event stays
 * unacknowledged there until somebody has acknowledged it in the case store, and the broker's own
 * rule rings the next one up meanwhile. On SQLite and on PostgreSQL.
 */
#include "support/peer.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "support/postgres.h"
#include "support/stage_store.h"
#include "support/wait.h"

#define ADAPTER  0 /* slot of the stage's other processes */
#define DUTY     "one-service/duty"
#define DESK     "one-service/desk" /* the fallback */
#define HELD_MAX 2048               /* of the adapter, in adapter_hold.c */
#define TOO_MANY (HELD_MAX + 30)
#define CUSTODY                                                                                    \
	"agreement: { id = \"custody\"; title = \"Outcomes\"; purpose = \"p\"; gateway = \"g\";\n"  \
	"valid_from = \"2020-01-01\"; valid_to = \"2099-01-01\"; recipient = \"other\";\n"         \
	"parties = [ \"police\", \"one-service\" ];\n"                                             \
	"publish = ( { agency = \"police\"; types = [ \"police.custody_update\" ]; } );\n"         \
	"deliver = ( { mailbox = \"one-service/duty\"; from = [ \"police\" ];\n"                   \
	"types = [ \"police.custody_update\" ]; } ); };\n"

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
#define STORE_TEST(test)                                                                           \
	cmocka_unit_test_setup_teardown(test, set_up_sqlite, stage_tear_down),                     \
		cmocka_unit_test_setup_teardown(test, set_up_postgres, stage_tear_down)

/* What an earlier life wrote about itself is gone. */
static void start_adapter(struct stage *stage)
{
	char path[PROCESS_PATH_MAX];

	STAGE_PATH(stage, path, "state/status.json");
	unlink(path);
	STAGE_PATH(stage, path, "oneservice.conf");
	must_start_other(stage, ADAPTER, "oneservice", "ttg-oneservice", "--config", path, NULL);
}

static void stop_adapter(struct stage *stage)
{
	must_signal(&stage->others[ADAPTER], SIGTERM);
	assert_int_equal(must_end(&stage->others[ADAPTER], WAIT_LONG_MS), 0);
}

/* alerts: "people" or "store"; ack_within_s of the agreement. */
static void set_the_scene(struct stage *stage, const char *alerts, unsigned within_s)
{
	static char options[80];

	snprintf(options, sizeof(options), "ack_within_s = %u; fallback = \"" DESK "\";", within_s);
	stage->duty_options = options;
	must_write_agreement(stage);
	must_write(stage, "agreements.d/custody.conf", "%s", CUSTODY);
	must_start_broker(stage);
	must_write(stage, "oneservice.conf",
	           "agency = \"one-service\";\nbroker = \"%s\";\n"
	           "server_key_file = \"%s/keys/broker.pub\";\n"
	           "key_file = \"%s/keys/one-service.key\";\n"
	           "state_dir = \"%s/state\";\nmailboxes = [ \"duty\", \"desk\" ];\n"
	           "live = \"off\";\nalerts = \"%s\";\nstore = { postgres = \"%s\"; };\n",
	           stage->endpoint, stage->directory, stage->directory, stage->directory, alerts,
	           database);
	start_adapter(stage);
}

/* Its id, as text. */
static void must_arrest(struct stage *stage, struct peer *police, uint32_t number,
                        char id[TTG_UUID_TEXT])
{
	struct made made = must_make(&(struct made_wish){ .type = "police.arrest",
	                                                  .number = number,
	                                                  .urgency = TTG__URGENCY__URGENT });

	ttg_uuid_format(made.id, id);
	assert_int_equal(must_publish(stage, police, made).code, TTG_OK);
}

/* No further action, about the man of must_make(). */
static void must_update(struct stage *stage, struct peer *police)
{
	struct made made = must_make(&(struct made_wish){ .type = "police.arrest", .number = 900 });
	Ttg__Event *event = ttg__event__unpack(NULL, made.len, made.bytes);
	Ttg__PoliceCustodyUpdate update = TTG__POLICE_CUSTODY_UPDATE__INIT;
	Ttg__PoliceArrest *arrest = event->police_arrest;
	char *type = event->type;

	update.alert_id = (char *)(uintptr_t) "alert-1";
	update.disposition = TTG__DISPOSITION__DISPOSITION_NO_FURTHER_ACTION;
	update.disposed_at = event->occurred_at;
	event->type = (char *)(uintptr_t) "police.custody_update";
	event->payload_case = TTG__EVENT__PAYLOAD_POLICE_CUSTODY_UPDATE;
	event->police_custody_update = &update;
	made_free(&made);
	must_be(ttg_event_pack(event, &made.bytes, &made.len) == TTG_OK, "cannot encode");
	event->type = type;
	event->payload_case = TTG__EVENT__PAYLOAD_POLICE_ARREST;
	event->police_arrest = arrest;
	ttg__event__free_unpacked(event, NULL);
	assert_int_equal(must_publish(stage, police, made).code, TTG_OK);
}

static void must_acknowledge(struct stage *stage, const char *user, const char *id, int code,
                             const char *says)
{
	char path[PROCESS_PATH_MAX];

	STAGE_PATH(stage, path, "oneservice.conf");
	struct ran ran = must_run(stage, "ttg-oneservice", "acknowledge", "--config", path,
	                          "--user", user, id, NULL);
	if (ran.code != code || (!strstr(ran.out, says) && !strstr(ran.err, says)))
		must_fail("acknowledge: status %d, %s%s", ran.code, ran.out, ran.err);
	ran_free(&ran);
}

static void must_list(struct stage *stage, const char *id, bool listed)
{
	char path[PROCESS_PATH_MAX];

	STAGE_PATH(stage, path, "oneservice.conf");
	struct ran ran = must_run(stage, "ttg-oneservice", "alerts", "--config", path, NULL);
	assert_int_equal(ran.code, 0);
	if ((strstr(ran.out, id) != NULL) != listed)
		must_fail("alerts: %s", ran.out);
	ran_free(&ran);
}

static void an_arrest_is_acknowledged_to_the_broker_when_a_person_has_done_it(void **state)
{
	struct stage *stage = *state;
	char id[TTG_UUID_TEXT];

	set_the_scene(stage, "people", 1);
	struct peer *police = must_open_peer(stage, "police", NULL);
	must_arrest(stage, police, 1, id);
	must_store(stage, database, "SELECT count(*) FROM event WHERE type = 'police.arrest'", 1);
	/* Kept, but nobody has seen it: the broker rings the next one up. */
	must_store(stage, database, "SELECT count(*) FROM event"
	                  " WHERE type = 'broker.alert_unacknowledged'", 1);
	assert_int_equal(must_ask_number(stage, "status", "events.escalated"), 1);
	/* What comes later about the man is not kept from them by that. */
	must_update(stage, police);
	must_store(stage, database, "SELECT count(*) FROM event WHERE type = 'police.custody_update'", 1);
	must_settle(stage, DUTY, "queued", 1);
	must_settle(stage, DESK, "queued", 1);
	must_see(stage, "state/status.json", "\"held\": 2");
	must_list(stage, id, true);
	must_acknowledge(stage, "ann@desk", id, 0, "acknowledged by ann@desk");
	must_settle(stage, DUTY, "queued", 0);
	must_settle(stage, DESK, "queued", 0);
	must_see(stage, "state/status.json", "\"held\": 0");
	must_acknowledge(stage, "bob", id, 3, "acknowledged before by ann@desk");
	must_list(stage, id, false);
	must_store(stage, database, "SELECT count(*) FROM alert WHERE released = 1"
	                  " AND acknowledged_by = 'ann@desk'", 2);
	must_have_passed(stage);
}

static void an_open_alert_is_held_again_after_a_restart(void **state)
{
	struct stage *stage = *state;
	char first[TTG_UUID_TEXT], second[TTG_UUID_TEXT];

	set_the_scene(stage, "people", 600);
	struct peer *police = must_open_peer(stage, "police", NULL);
	must_arrest(stage, police, 1, first);
	must_arrest(stage, police, 2, second);
	must_see(stage, "state/status.json", "\"held\": 2");
	process_kill(&stage->others[ADAPTER]);
	start_adapter(stage);
	must_see(stage, "state/status.json", "\"held\": 2");
	stop_adapter(stage);
	must_settle(stage, DUTY, "queued", 2);
	/* Beside the adapter's back: it finds out when they come again. */
	must_acknowledge(stage, "ann", first, 0, "acknowledged");
	start_adapter(stage);
	must_settle(stage, DUTY, "queued", 1);
	must_list(stage, second, true);
	must_acknowledge(stage, "ann", second, 0, "acknowledged");
	must_settle(stage, DUTY, "queued", 0);
	assert_int_equal(stage_ask_store(stage, database,
	                                 "SELECT count(*) FROM event"),
	                 2);
	assert_int_equal(stage_ask_store(stage, database,
	                                 "SELECT count(*) FROM alert WHERE released = 1"),
	                 2);
	assert_int_equal(must_ask_mailbox(stage, DUTY, "parked"), 0);
	must_have_passed(stage);
}

static void an_open_alert_is_acknowledged_after_the_broker_came_back(void **state)
{
	struct stage *stage = *state;
	char id[TTG_UUID_TEXT];

	set_the_scene(stage, "people", 600);
	struct peer *police = must_open_peer(stage, "police", NULL);
	must_arrest(stage, police, 1, id);
	must_see(stage, "state/status.json", "\"held\": 1");
	process_kill(&stage->broker);
	must_acknowledge(stage, "ann", id, 0, "acknowledged");
	must_store(stage, database, "SELECT count(*) FROM alert WHERE released = 1", 1);
	must_start_broker(stage);
	must_settle(stage, DUTY, "queued", 0);
	must_have_passed(stage);
}

static void where_the_store_is_enough_an_arrest_is_acknowledged_at_once(void **state)
{
	struct stage *stage = *state;
	char id[TTG_UUID_TEXT];

	set_the_scene(stage, "store", 600);
	struct peer *police = must_open_peer(stage, "police", NULL);
	must_arrest(stage, police, 1, id);
	must_store(stage, database, "SELECT count(*) FROM alert WHERE acknowledged_ns IS NULL", 1);
	must_settle(stage, DUTY, "queued", 0);
	must_list(stage, id, true);
	must_acknowledge(stage, "ann", id, 0, "acknowledged");
	must_acknowledge(stage, "ann", "01020304-0506-4708-8910-111213141516", 1, "no such alert");
	must_acknowledge(stage, "ann", "arrest", 2, "UUID");
	must_have_passed(stage);
}

static void of_too_many_the_oldest_are_held_no_longer_and_stay_open(void **state)
{
	struct stage *stage = *state;
	struct made_wish wish = { .type = "police.arrest", .urgency = TTG__URGENCY__URGENT };

	set_the_scene(stage, "people", 600);
	struct peer *police = must_open_peer(stage, "police", NULL);
	for (wish.number = 1; wish.number <= TOO_MANY; wish.number++) {
		struct made made = must_make(&wish);

		while (ttg_client_publish(police->client, made.id, made.bytes, made.len, NULL) ==
		       TTG_EAGAIN)
			peers_poll(stage);
		made_free(&made);
	}
	must_store(stage, database, "SELECT count(*) FROM alert WHERE acknowledged_ns IS NULL", TOO_MANY);
	must_store(stage, database, "SELECT count(*) FROM alert WHERE released = 1", TOO_MANY - HELD_MAX);
	must_settle(stage, DUTY, "queued", HELD_MAX);
	assert_int_equal(count_in(stage, "oneservice.err", "not_held_any_more"),
	                 TOO_MANY - HELD_MAX);
	assert_int_equal(stage_ask_store(stage, database, "SELECT count(*) FROM alert WHERE released = 1"
	                                  " AND position <= 30"),
	                 TOO_MANY - HELD_MAX);
	/* And what else comes goes through. */
	must_update(stage, police);
	must_store(stage, database, "SELECT count(*) FROM event WHERE type = 'police.custody_update'", 1);
	must_settle(stage, DUTY, "queued", HELD_MAX);
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(an_arrest_is_acknowledged_to_the_broker_when_a_person_has_done_it),
		STORE_TEST(an_open_alert_is_held_again_after_a_restart),
		STORE_TEST(an_open_alert_is_acknowledged_after_the_broker_came_back),
		ON_SQLITE(where_the_store_is_enough_an_arrest_is_acknowledged_at_once),
		ON_SQLITE(of_too_many_the_oldest_are_held_no_longer_and_stay_open),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
