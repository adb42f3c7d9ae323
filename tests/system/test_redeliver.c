/*
 * A case store is lost and made anew by a redelivery: the same events, byte for byte, whatever dies
 * meanwhile; and where the store was not lost, nothing is kept or told twice.
 */
#include "support/peer.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "support/wait.h"

#define ADAPTER 0
#define EVENTS  300
#define BOX     "one-service/duty"

static void write_adapter_configuration(struct stage *stage)
{
	must_write(stage, "oneservice.conf",
	           "agency = \"one-service\";\nbroker = \"%s\";\n"
	           "server_key_file = \"%s/keys/broker.pub\";\n"
	           "key_file = \"%s/keys/one-service.key\";\n"
	           "state_dir = \"%s/state\";\nmailboxes = [ \"duty\" ];\n"
	           "live = \"json\";\nspool = { dir = \"%s/spool\"; };\n",
	           stage->endpoint, stage->directory, stage->directory, stage->directory,
	           stage->directory);
}

static void start_adapter(struct stage *stage)
{
	char path[PROCESS_PATH_MAX];

	STAGE_PATH(stage, path, "oneservice.conf");
	must_start_other(stage, ADAPTER, "oneservice", "ttg-oneservice", "--config", path, NULL);
}

static sqlite3 *open_store(const struct stage *stage)
{
	char path[PROCESS_PATH_MAX];
	sqlite3 *db = NULL;

	STAGE_PATH(stage, path, "state/case.db");
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK)
		sqlite3_busy_timeout(db, WAIT_LONG_MS);
	return db;
}

/* -1 while there is no store. */
static long count_events(const struct stage *stage)
{
	sqlite3 *db = open_store(stage);
	sqlite3_stmt *statement = NULL;
	long number = -1;

	if (sqlite3_prepare_v2(db, "SELECT count(*) FROM event", -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		number = (long)sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return number;
}

/* Every event as it is kept: when the broker accepted it, id and bytes; malloc'd. */
static char *contents(const struct stage *stage)
{
	sqlite3 *db = open_store(stage);
	sqlite3_stmt *statement = NULL;
	char *text = calloc(1, 1), *grown;
	size_t len = 0;

	assert_int_equal(sqlite3_prepare_v2(db,
	                                    "SELECT accepted_ns || ' ' || hex(id) || ' ' || hex(encoded)"
	                                    " FROM event ORDER BY accepted_ns, id",
	                                    -1, &statement, NULL),
	                 SQLITE_OK);
	while (sqlite3_step(statement) == SQLITE_ROW) {
		const size_t n = (size_t)sqlite3_column_bytes(statement, 0);

		grown = realloc(text, len + n + 2);
		must_be(grown != NULL, "memory");
		text = grown;
		memcpy(text + len, sqlite3_column_text(statement, 0), n);
		len += n;
		text[len++] = '\n';
		text[len] = '\0';
	}
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return text;
}

struct expectation {
	const struct stage *stage;
	long number;
};

static bool store_has(void *arg)
{
	const struct expectation *expectation = arg;

	return count_events(expectation->stage) >= expectation->number;
}

static void must_store(struct stage *stage, long number)
{
	struct expectation expectation = { stage, number };

	if (!peers_wait(stage, store_has, &expectation, WAIT_LONG_MS))
		must_fail("the store has %ld events, not %ld", count_events(stage), number);
}

static void publish(struct stage *stage, struct peer *prison, uint32_t from, uint32_t n)
{
	for (uint32_t i = from; i < from + n; i++) {
		struct made made = must_make(&(struct made_wish){ .number = i + 1 });

		while (ttg_client_publish(prison->client, made.id, made.bytes, made.len, NULL) == TTG_EAGAIN)
			peers_poll(stage);
		made_free(&made);
		peers_poll(stage);
	}
}

static void lose_the_store(struct stage *stage)
{
	static const char *const files[] = { "state/case.db", "state/case.db-wal", "state/case.db-shm" };
	char path[PROCESS_PATH_MAX];

	must_signal(&stage->others[ADAPTER], SIGTERM);
	assert_int_equal(must_end(&stage->others[ADAPTER], WAIT_LONG_MS), 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		STAGE_PATH(stage, path, "%s", files[i]);
		unlink(path);
	}
	assert_int_equal(count_events(stage), -1);
}

static void redeliver(struct stage *stage)
{
	json_t *answer = must_ask(stage, "mailbox", "redeliver", BOX, "--reason", "the store is lost", NULL);

	assert_string_equal(json_string_value(json_object_get(json_array_get(answer, 0), "redelivery")),
	                    "running");
	json_decref(answer);
}

static bool is_over(void *arg)
{
	json_t *answer = must_ask(arg, "mailboxes", BOX, NULL);
	const char *word = json_string_value(json_object_get(json_array_get(answer, 0), "redelivery"));
	const bool over = word && strcmp(word, "over") == 0;

	json_decref(answer);
	return over;
}

static void must_be_over(struct stage *stage)
{
	must_be(peers_wait(stage, is_over, stage, WAIT_LONG_MS), "the redelivery comes to its end");
}

/* Some events, stored and acknowledged; what the store holds then. */
static char *first_act(struct stage *stage, struct peer **prison)
{
	must_start_broker(stage);
	write_adapter_configuration(stage);
	start_adapter(stage);
	*prison = must_open_peer(stage, "prison", NULL);
	publish(stage, *prison, 0, EVENTS);
	must_store(stage, EVENTS);
	must_settle(stage, BOX, "queued", 0);
	return contents(stage);
}

static void must_hold(struct stage *stage, const char *before)
{
	char *after = contents(stage);

	must_be(strcmp(before, after) == 0, "the store made anew holds what the lost one held");
	free(after);
}

/* How many lines of the log say this of a field. */
static size_t count_lines(const json_t *lines, const char *name, const char *value)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(lines); i++) {
		const json_t *field = json_object_get(json_array_get(lines, i), name);

		n += json_is_true(field) ? strcmp(value, "true") == 0
		                         : json_is_string(field) &&
		                                   strcmp(json_string_value(field), value) == 0;
	}
	return n;
}

static void must_be_on_record(struct stage *stage)
{
	json_t *lines = must_ask(stage, "disclosures", "--reasons", "--reason", "to look", NULL);
	const char *id;

	assert_int_equal(count_lines(lines, "what", "delivered"), 2 * EVENTS);
	assert_int_equal(count_lines(lines, "repeat", "true"), EVENTS);
	assert_int_equal(count_lines(lines, "what", "redelivery"), 2);
	assert_int_equal(count_lines(lines, "text", "the store is lost"), 1);
	for (size_t i = 0; i < json_array_size(lines); i++) {
		json_t *trace;

		id = json_string_value(json_object_get(json_array_get(lines, i), "event_id"));
		if (!id)
			continue;
		trace = must_ask(stage, "trace", id, NULL);
		assert_int_equal(count_lines(trace, "kind", "again"), 1);
		assert_int_equal(count_lines(trace, "kind", "acked"), 2);
		json_decref(trace);
		break;
	}
	json_decref(lines);
}

static void a_lost_store_is_made_anew_with_the_same_events(void **state)
{
	struct stage *stage = *state;
	struct peer *prison;
	char *before = first_act(stage, &prison);

	lose_the_store(stage);
	redeliver(stage);
	start_adapter(stage);
	must_store(stage, EVENTS);
	must_be_over(stage);
	must_hold(stage, before);
	must_be_on_record(stage);
	free(before);
	must_have_passed(stage);
}

static void what_the_store_has_is_acknowledged_and_told_to_nobody_again(void **state)
{
	struct stage *stage = *state;
	struct peer *prison;
	char *before = first_act(stage, &prison);
	const int lines = count_in(stage, "oneservice.out", "prison.released");

	assert_int_equal(lines, EVENTS);
	redeliver(stage);
	must_be_over(stage);
	must_hold(stage, before);
	must_settle(stage, BOX, "queued", 0);
	assert_int_equal(must_ask_mailbox(stage, BOX, "redelivered"), EVENTS);
	assert_int_equal(count_in(stage, "oneservice.out", "prison.released"), lines);
	free(before);
	must_have_passed(stage);
}

static void broker_and_adapter_may_die_while_it_runs(void **state)
{
	struct stage *stage = *state;
	struct peer *prison;
	char *before = first_act(stage, &prison);

	slow_the_disk(stage, 2);
	must_signal(&stage->broker, SIGTERM);
	assert_int_equal(must_end(&stage->broker, WAIT_LONG_MS), 0);
	must_start_broker(stage);
	lose_the_store(stage);
	redeliver(stage);
	start_adapter(stage);
	for (long i = 1; i <= 3; i++) {
		must_store(stage, i * EVENTS / 6);
		process_kill(&stage->broker);
		process_kill(&stage->others[ADAPTER]);
		must_start_broker(stage);
		start_adapter(stage);
	}
	must_store(stage, EVENTS);
	must_be_over(stage);
	must_settle(stage, BOX, "queued", 0);
	must_hold(stage, before);
	assert_int_equal(must_ask_mailbox(stage, BOX, "redelivered"), EVENTS);
	free(before);
	must_have_passed(stage);
}

static void must_answer(struct stage *stage, int code, const char *says, const char *mailbox,
                        const char *more, const char *value)
{
	char socket[PROCESS_PATH_MAX];
	struct ran ran;

	STAGE_PATH(stage, socket, "control");
	ran = must_run(stage, "ttgctl", "--socket", socket, "mailbox", "redeliver", mailbox,
	               "--reason", "why", more, value, NULL);
	if (ran.code != code || !strstr(ran.err, says))
		must_fail("status %d: %s%s", ran.code, ran.out, ran.err);
	ran_free(&ran);
}

static void one_runs_at_a_time_and_can_be_stopped(void **state)
{
	struct stage *stage = *state;
	struct peer *prison;
	char *before;

	strcpy(stage->box_options, "max_queued = 200;");
	must_write_agency(stage, "one-service", NULL, NULL);
	before = first_act(stage, &prison);
	must_answer(stage, 1, "no such mailbox", "one-service/none", NULL, NULL);
	must_answer(stage, 1, "no redelivery of that mailbox is under way", BOX, "--stop", NULL);
	must_answer(stage, 2, "since must be an instant", BOX, "--since", "yesterday");
	lose_the_store(stage);
	redeliver(stage);
	/* Nobody takes anything: it stands still where half of what may be queued is. */
	must_settle(stage, BOX, "queued", 100);
	must_answer(stage, 1, "is under way: wait, or --stop it", BOX, NULL, NULL);
	must_answer(stage, 0, "", BOX, "--stop", NULL);
	assert_int_equal(must_ask_mailbox(stage, BOX, "queued"), 100);
	must_answer(stage, 1, "not everything of the last redelivery is acknowledged", BOX, NULL, NULL);
	start_adapter(stage);
	must_store(stage, 100);
	must_be_over(stage);
	/* Nothing was given to it from now on. */
	must_answer(stage, 0, "", BOX, "--since", "2100-01-01T00:00:00Z");
	must_be_over(stage);
	assert_int_equal(must_ask_mailbox(stage, BOX, "redelivered"), 0);
	redeliver(stage);
	must_store(stage, EVENTS);
	must_be_over(stage);
	must_hold(stage, before);
	free(before);
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(a_lost_store_is_made_anew_with_the_same_events),
		STAGE_TEST(what_the_store_has_is_acknowledged_and_told_to_nobody_again),
		STAGE_TEST(broker_and_adapter_may_die_while_it_runs),
		STAGE_TEST(one_runs_at_a_time_and_can_be_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
