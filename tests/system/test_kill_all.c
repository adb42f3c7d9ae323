/*
 * SIGKILL of the daemon, of an adapter, or of the daemon and an adapter, many times while files of
 * prison and police arrive: in the One Service's case store each event stands once, none is missing,
 * and those about one person came in order.
 *
 * TTG_SEED repeats a run, TTG_KILLS sets how many (12).
 */
#include "support/probe.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "support/wait.h"

#define KILLS 12
#define FILES_A_KILL 6 /* of each publisher */
#define PERSONS 9
#define LIFE_MAX_MS 80
#define DUTY "one-service/duty"

enum { PRISON, POLICE, SERVICE, N_ADAPTERS };

static const struct {
	const char *name, *program, *agency, *more;
} adapters[N_ADAPTERS] = {
	{ "prison", "ttg-prison", "prison", "" },
	{ "police", "ttg-police", "police", "" },
	{ "service", "ttg-oneservice", "one-service", "mailboxes = [ \"duty\" ]; live = \"off\";" },
};

struct story {
	struct stage *stage;
	unsigned seed;
	int files; /* of each publisher */
	int daemon_kills, adapter_kills;
};

static uint32_t draw(struct story *story, uint32_t below)
{
	story->seed = story->seed * 1103515245u + 12345u;
	return (story->seed >> 8) % below;
}

static void write_adapter(struct stage *stage, int index)
{
	const char *name = adapters[index].name, *directory = stage->directory;
	char file[64];

	snprintf(file, sizeof(file), "%s.conf", name);
	must_write(stage, file,
		   "agency = \"%s\";\nbroker = \"%s\";\nserver_key_file = \"%s/keys/broker.pub\";\n"
		   "key_file = \"%s/keys/%s.key\";\nstate_dir = \"%s/%s/state\";\n"
		   "spool = { dir = \"%s/%s/spool\"; };\n%s\n",
		   adapters[index].agency, stage->endpoint, directory, directory,
		   adapters[index].agency, directory, name, directory, name, adapters[index].more);
	snprintf(file, sizeof(file), "%s/state/.made", name);
	must_write(stage, file, "%s", "");
	snprintf(file, sizeof(file), "%s/spool/.made", name);
	must_write(stage, file, "%s", "");
}

static void start_adapter(struct stage *stage, int index)
{
	char name[64];

	snprintf(name, sizeof(name), "%s.conf", adapters[index].name);
	must_start_other(stage, index, adapters[index].name, adapters[index].program, "--config",
			 name, NULL);
}

/* One more of each publisher: the next second, about one of few persons. */
static void drop_files(struct story *story)
{
	const int number = story->files++, person = number % PERSONS;
	char name[64], at[32];

	snprintf(at, sizeof(at), "2026-03-%02dT%02d:%02d:%02dZ", 2 + number / 86400,
		 number / 3600 % 24, number / 60 % 60, number % 60);
	snprintf(name, sizeof(name), "prison/spool/%06d.json", number);
	must_write(story->stage, name,
		   "{\"eventType\":\"prison-offender-events.prisoner.released\",\"version\":1,"
		   "\"occurredAt\":\"%s\",\"additionalInformation\":"
		   "{\"nomsNumber\":\"A74%02dBQ\",\"prisonId\":\"PBI\",\"reason\":\"RELEASED\","
		   "\"nomisMovementReasonCode\":\"CR\"}}",
		   at, person + 10);
	snprintf(name, sizeof(name), "police/spool/%06d.json", number);
	must_write(story->stage, name,
		   "{\"kind\":\"arrest\",\"alertId\":\"AL-%d\",\"force\":\"35\",\"station\":"
		   "{\"code\":\"PB01\",\"name\":\"Thorpe Wood\"},\"arrestedAt\":\"%s\","
		   "\"person\":{\"pncId\":\"02/73319Z\"},"
		   "\"match\":{\"basis\":\"PNC_ID\"},\"query\":{\"reasonCode\":\"9\","
		   "\"justification\":\"Custody, identity\"}}",
		   number, at);
}

/* One number out of the case store; -1 when it is not there yet. */
static int ask_store(const struct stage *stage, const char *sql)
{
	char path[PROCESS_PATH_MAX];
	sqlite3 *db = NULL;
	sqlite3_stmt *statement = NULL;
	int found = -1;

	STAGE_PATH(stage, path, "service/state/case.db");
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
	    sqlite3_busy_timeout(db, WAIT_LONG_MS) == SQLITE_OK &&
	    sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		found = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return found;
}

static void must_store(const struct stage *stage, const char *sql, int least, int patience_ms)
{
	int64_t deadline_ms = wait_now_ms() + patience_ms;
	int found = -1;

	while ((found = ask_store(stage, sql)) < least)
		if (!wait_step(deadline_ms))
			must_fail("%s gives %d, should be %d", sql, found, least);
}

/* One more is stored, unless all are. */
static void must_see_progress(const struct story *story)
{
	int stored = ask_store(story->stage, "SELECT count(*) FROM event");

	must_store(story->stage, "SELECT count(*) FROM event",
		   stored < 2 * story->files ? stored + 1 : stored, 3 * WAIT_LONG_MS);
}

/* Files come, a random moment passes, somebody dies and is started again. */
static void kill_somebody(struct story *story)
{
	struct stage *stage = story->stage;
	const uint32_t what = draw(story, 3);
	const int adapter = (int)draw(story, N_ADAPTERS);
	int64_t end_ms = wait_now_ms() + draw(story, LIFE_MAX_MS);

	for (int i = 0; i < FILES_A_KILL; i++)
		drop_files(story);
	while (wait_step(end_ms))
		;
	for (int i = 0; i < N_ADAPTERS; i++)
		must_be(process_running(&stage->others[i]), "an adapter ended by itself");
	must_be(process_running(&stage->broker), "the broker ended by itself");
	if (what != 1) {
		process_kill(&stage->broker);
		story->daemon_kills++;
	}
	if (what != 0) {
		process_kill(&stage->others[adapter]);
		story->adapter_kills++;
		start_adapter(stage, adapter);
	}
	if (what != 1)
		must_launch_broker(stage);
}

static void whoever_is_killed_each_event_is_stored_once_and_in_order(void **state)
{
	struct stage *stage = *state;
	const char *seed = getenv("TTG_SEED"), *kills = getenv("TTG_KILLS");
	const int n = kills ? atoi(kills) : KILLS;
	struct story story = { .stage = stage,
			       .seed = seed ? (unsigned)strtoul(seed, NULL, 10) :
					      (unsigned)time(NULL) };

	print_message("TTG_SEED=%u\n", story.seed);
	snprintf(stage->journal, sizeof(stage->journal), "\tsnapshot_events = 1000;\n");
	must_start_broker(stage);
	for (int i = 0; i < N_ADAPTERS; i++) {
		write_adapter(stage, i);
		start_adapter(stage, i);
	}
	drop_files(&story);
	must_store(stage, "SELECT count(*) FROM event", 2, 2 * WAIT_LONG_MS);
	for (int i = 0; i < n; i++) {
		kill_somebody(&story);
		/* Now and then something gets through, so that all of it is under load. */
		if (i % 4 == 3)
			must_see_progress(&story);
	}
	must_wait_until_ready(stage);
	must_store(stage, "SELECT count(*) FROM event", 2 * story.files, 6 * WAIT_LONG_MS);
	assert_int_equal(ask_store(stage, "SELECT count(*) FROM event"), 2 * story.files);
	/* Each file is another instant: one event for each, whatever its id. */
	assert_int_equal(ask_store(stage, "SELECT count(*) FROM (SELECT DISTINCT type, occurred_ns"
					  " FROM event)"),
			 2 * story.files);
	assert_int_equal(ask_store(stage, "SELECT count(*) FROM (SELECT occurred_ns,"
					  " lag(occurred_ns) OVER (PARTITION BY person_key"
					  " ORDER BY position) AS earlier FROM event)"
					  " WHERE earlier > occurred_ns"),
			 0);
	assert_int_equal(must_ask_mailbox(stage, DUTY, "parked"), 0);
	json_decref(must_ask(stage, "journal", "verify", NULL));
	tell_figures("kills=%d of_daemon=%d of_adapters=%d events=%d lost=0 twice=0 "
		     "peak_mib=%.1f",
		     n, story.daemon_kills,
		     story.adapter_kills, 2 * story.files,
		     (double)must_read_memory(&stage->broker, "VmHWM") / 1024);
	for (int i = 0; i < N_ADAPTERS; i++) {
		must_signal(&stage->others[i], SIGTERM);
		assert_int_equal(must_end(&stage->others[i], WAIT_LONG_MS), 0);
	}
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(whoever_is_killed_each_event_is_stored_once_and_in_order),
	};

	return cmocka_run_group_tests_name("kill_all", tests, NULL, NULL);
}
