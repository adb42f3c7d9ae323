/*
 * The whole chain with the sample agencies and agreements of etc/: files of prison, police and
 * probation, each read by its adapter, through the broker into the One Service's case store, and a
 * referral back to the prison; an arrest of somebody who is not enrolled goes nowhere. With the
 * broker standing still in the middle, nothing is lost and nothing is stored twice.
 *
 * TTG_LONG=1 lets it stand still for a minute.
 */
#include "support/stage.h"

#include <glob.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "support/http.h"
#include "support/wait.h"

#define FILES 40
#define STALL_MS 4000 /* longer than three heartbeats of the stage */
#define TOKEN "a-token-of-enough-letters"

enum { PRISON, POLICE, PROBATION, SERVICE, N_ADAPTERS };

static const struct {
	const char *name, *program, *agency, *more;
} adapters[N_ADAPTERS] = {
	{ "prison", "ttg-prison", "hmp-peterborough", "" },
	{ "police", "ttg-police", "cambridgeshire-police", "" },
	{ "probation", "ttg-probation", "probation", "" },
	{ "service", "ttg-oneservice", "one-service",
	  "mailboxes = [ \"duty\", \"records\", \"manager\" ]; live = \"people\";" },
};

static void must_do(struct stage *stage, const char *program, const char *a, const char *b,
		    const char *c)
{
	struct process process = { .name = "" };
	const struct process_options options = { .name = "tool", .directory = stage->directory };

	must_start(&process, &options, (const char *const[]){ program, a, b, c, NULL });
	must_be(must_end(&process, PROCESS_LIMIT_MS) == 0, "a tool of the system failed");
}

/* The samples instead of the stage's own cast, with a key for each agency. */
static void take_samples(struct stage *stage)
{
	char pattern[PROCESS_PATH_MAX];
	glob_t found;

	must_do(stage, "/bin/rm", "-r", "agencies.d", "agreements.d");
	must_do(stage, "/bin/cp", "-R", TTG_SOURCE_DIR "/etc/agencies.d", ".");
	must_do(stage, "/bin/cp", "-R", TTG_SOURCE_DIR "/etc/agreements.d", ".");
	STAGE_PATH(stage, pattern, "agencies.d/*.conf");
	must_be(glob(pattern, 0, NULL, &found) == 0, "no samples");
	for (size_t i = 0; i < found.gl_pathc; i++) {
		char name[128], key[PROCESS_PATH_MAX];

		snprintf(name, sizeof(name), "%s", strrchr(found.gl_pathv[i], '/') + 1);
		name[strlen(name) - strlen(".conf")] = '\0';
		STAGE_PATH(stage, key, "keys/%s.key", name);
		if (access(key, F_OK) != 0)
			must_make_key(stage, name);
	}
	globfree(&found);
}

static void start_adapter(struct stage *stage, int index)
{
	char name[64];

	snprintf(name, sizeof(name), "%s.conf", adapters[index].name);
	must_start_other(stage, index, adapters[index].name, adapters[index].program, "--config",
			 name, NULL);
}

static void write_adapter(struct stage *stage, int index, int http_port)
{
	const char *name = adapters[index].name, *directory = stage->directory;
	char file[64], path[PROCESS_PATH_MAX], more[PROCESS_PATH_MAX * 2] = "";

	if (http_port > 0) {
		must_write(stage, "token", TOKEN "\n");
		STAGE_PATH(stage, path, "token");
		must_be(chmod(path, 0600) == 0, "chmod");
		snprintf(more, sizeof(more), "http = { port = %d; token_file = \"%s\"; };",
			 http_port, path);
	} else if (index != SERVICE) {
		snprintf(more, sizeof(more), "out_dir = \"%s/%s/out\";", directory, name);
	}
	snprintf(file, sizeof(file), "%s.conf", name);
	must_write(stage, file,
		   "agency = \"%s\";\nbroker = \"%s\";\nserver_key_file = \"%s/keys/broker.pub\";\n"
		   "key_file = \"%s/keys/%s.key\";\nstate_dir = \"%s/%s/state\";\n"
		   "spool = { dir = \"%s/%s/spool\"; };\n%s\n%s\n",
		   adapters[index].agency, stage->endpoint, directory, directory,
		   adapters[index].agency, directory, name, directory, name, adapters[index].more,
		   more);
	snprintf(file, sizeof(file), "%s/state/.made", name);
	must_write(stage, file, "%s", "");
	snprintf(file, sizeof(file), "%s/out/.made", name);
	must_write(stage, file, "%s", "");
}

static void start_chain(struct stage *stage)
{
	take_samples(stage);
	must_start_broker(stage);
	for (int i = 0; i < N_ADAPTERS; i++) {
		write_adapter(stage, i, 0);
		start_adapter(stage, i);
	}
}

static void drop_release(struct stage *stage, int number)
{
	char name[64];

	snprintf(name, sizeof(name), "prison/spool/%04d.json", number);
	must_write(stage, name,
		   "{\"eventType\":\"prison-offender-events.prisoner.released\",\"version\":1,"
		   "\"occurredAt\":\"2026-03-02T09:%02d:%02dZ\",\"additionalInformation\":"
		   "{\"nomsNumber\":\"A74%02dBQ\",\"prisonId\":\"PBI\",\"reason\":\"RELEASED\","
		   "\"nomisMovementReasonCode\":\"CR\"}}",
		   number / 60, number % 60, number % 7 + 10);
}

static void drop_arrest(struct stage *stage, const char *alert, const char *pnc)
{
	char name[64];

	snprintf(name, sizeof(name), "police/spool/%s.json", alert);
	must_write(stage, name,
		   "{\"kind\":\"arrest\",\"alertId\":\"%s\",\"force\":\"35\",\"station\":"
		   "{\"code\":\"PB01\",\"name\":\"Thorpe Wood\"},\"arrestedAt\":"
		   "\"2026-03-02T02:10:00Z\",\"person\":{\"pncId\":\"%s\"},"
		   "\"match\":{\"basis\":\"PNC_ID\"},\"query\":{\"reasonCode\":\"9\","
		   "\"justification\":\"Custody, identity\"}}",
		   alert, pnc);
}

/* Waits for a number in the case store. */
static void must_store(struct stage *stage, const char *sql, int number)
{
	int64_t deadline_ms = wait_now_ms() + 2 * WAIT_LONG_MS;
	char path[PROCESS_PATH_MAX];
	int found = -1;

	STAGE_PATH(stage, path, "service/state/case.db");
	do {
		sqlite3 *db = NULL;
		sqlite3_stmt *statement = NULL;

		if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
		    sqlite3_busy_timeout(db, WAIT_LONG_MS) == SQLITE_OK &&
		    sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
		    sqlite3_step(statement) == SQLITE_ROW)
			found = sqlite3_column_int(statement, 0);
		sqlite3_finalize(statement);
		sqlite3_close(db);
		if (found == number)
			return;
	} while (wait_step(deadline_ms));
	must_fail("%s gives %d, should be %d", sql, found, number);
}

/* Waits until the broker has accepted so many events of this type. */
static void must_see_accepted(struct stage *stage, const char *type, int number)
{
	int64_t deadline_ms = wait_now_ms() + WAIT_LONG_MS;
	int seen;

	do {
		json_t *items = must_ask(stage, "tail", "--count", "100", NULL);

		seen = 0;

		for (size_t i = 0; i < json_array_size(items); i++) {
			const json_t *item = json_array_get(items, i);
			const char *kind = json_string_value(json_object_get(item, "kind"));
			const char *found = json_string_value(json_object_get(item, "type"));

			seen += kind && found && strcmp(kind, "accepted") == 0 &&
				strcmp(found, type) == 0;
		}
		json_decref(items);
		if (seen == number)
			return;
	} while (wait_step(deadline_ms));
	must_fail("the broker has accepted %d of %s, should be %d", seen, type, number);
}

static void must_stop_chain(struct stage *stage)
{
	for (int i = 0; i < N_ADAPTERS; i++) {
		must_signal(&stage->others[i], SIGTERM);
		assert_int_equal(must_end(&stage->others[i], WAIT_LONG_MS), 0);
	}
}

/* The man of the PNC id 02/73319Z is enrolled by his prison number, and the police know him by both. A file
   of theirs that names the two is what makes the later arrest, with the PNC id alone, one of his. */
static void enrol_by_files(struct stage *stage)
{
	must_write(stage, "service/spool/e.json",
		   "{\"specversion\":\"1.0\",\"type\":\"service.enrolled\",\"source\":\"one-service\","
		   "\"id\":\"0196f5a0-0000-7000-8000-000000000002\","
		   "\"time\":\"2026-02-02T10:00:00Z\",\"data\":{\"scheme\":\"one-service-pilot\","
		   "\"from_date\":\"2026-02-02\",\"person\":{\"identifiers\":"
		   "[{\"kind\":\"NOMS\",\"value\":\"A7411BQ\"}]}}}\n");
	must_see_accepted(stage, "service.enrolled", 1);
	must_write(stage, "police/spool/i.json",
		   "{\"kind\":\"iomStatus\",\"force\":\"35\",\"person\":{\"pncId\":\"02/73319Z\","
		   "\"prisonNumber\":\"A7411BQ\"},\"recordedAt\":\"2026-02-03T10:00:00Z\","
		   "\"status\":\"ON\",\"category\":\"FLEX\",\"lead\":{\"agency\":\"probation\"},"
		   "\"fromDate\":\"2026-02-03\"}");
	must_store(stage, "SELECT count(*) FROM event WHERE type = 'police.iom_status'", 1);
}

static void files_of_every_agency_reach_the_case_store_and_a_referral_goes_back(void **state)
{
	struct stage *stage = *state;

	start_chain(stage);
	enrol_by_files(stage);
	drop_release(stage, 1);
	drop_arrest(stage, "AL-0", "03/3Y"); /* of somebody the service does not know */
	must_see_accepted(stage, "police.arrest", 1);
	drop_arrest(stage, "AL-1", "02/73319Z");
	must_write(stage, "probation/spool/b.csv",
		   "CRN,Contact ID,Date,Time,Type,Type Description,Outcome\r\n"
		   "X700101,1,27/02/2026,10:30,COAP,\"Visit, planned\",ATTC\r\n");
	must_store(stage, "SELECT count(*) FROM event WHERE type = 'prison.released'", 1);
	must_store(stage, "SELECT count(*) FROM event WHERE type = 'police.arrest'", 1);
	must_store(stage, "SELECT count(*) FROM event WHERE type = 'probation.contact'", 1);
	must_see(stage, "service.out", "A7411BQ");

	must_write(stage, "service/spool/r.json",
		   "{\"specversion\":\"1.0\",\"type\":\"referral.sent\",\"source\":\"one-service\","
		   "\"id\":\"0196f5a0-0000-7000-8000-000000000001\","
		   "\"time\":\"2026-03-02T10:00:00Z\",\"data\":{\"referral_id\":\"R-1\","
		   "\"provider_agency\":\"hmp-peterborough\",\"referrer_agency\":\"one-service\","
		   "\"need\":\"NEED_ACCOMMODATION\",\"ask\":\"a room\",\"person\":{\"identifiers\":"
		   "[{\"kind\":\"NOMS\",\"value\":\"A7411BQ\"}]}}}\n");
	int64_t deadline_ms = wait_now_ms() + WAIT_LONG_MS;
	char pattern[PROCESS_PATH_MAX];
	glob_t found;
	STAGE_PATH(stage, pattern, "prison/out/referral.sent-*.json");
	while (glob(pattern, 0, NULL, &found) != 0)
		must_be(wait_step(deadline_ms), "no referral in the prison's out directory");
	char *referral = must_read_file(found.gl_pathv[0], NULL);
	assert_non_null(strstr(referral, "R-1"));
	free(referral);
	globfree(&found);
	must_store(stage, "SELECT count(*) FROM event WHERE type = 'police.arrest'", 1);
	must_stop_chain(stage);
	must_have_passed(stage);
}

static void what_arrives_while_the_broker_stands_still_is_stored_once_afterwards(void **state)
{
	struct stage *stage = *state;
	int stall_ms = getenv("TTG_LONG") ? 60000 : STALL_MS;
	int number = 0;

	start_chain(stage); /* the stage's heartbeat is 1 s: sessions are lost meanwhile */
	for (; number < FILES / 4; number++)
		drop_release(stage, number);
	must_store(stage, "SELECT count(*) > 0 FROM event", 1);
	must_signal(&stage->broker, SIGSTOP);
	int64_t end_ms = wait_now_ms() + stall_ms;
	int64_t next_ms = wait_now_ms();
	while (wait_step(end_ms) || number < FILES) {
		if (number < FILES && wait_now_ms() >= next_ms) {
			drop_release(stage, number++);
			next_ms += stall_ms / FILES;
		}
	}
	must_signal(&stage->broker, SIGCONT);
	must_store(stage, "SELECT count(*) FROM event", FILES);
	must_store(stage, "SELECT count(DISTINCT id) FROM event", FILES);
	assert_int_equal(must_ask_number(stage, "status", "mailboxes.parked"), 0);
	must_stop_chain(stage);
	must_have_passed(stage);
}

static void a_request_answered_202_survives_a_kill_before_the_broker_ever_ran(void **state)
{
	static const char body[] =
		"{\"eventType\":\"prisoner-offender-search.prisoner.received\",\"version\":1,"
		"\"occurredAt\":\"2026-03-02T09:00:00Z\",\"additionalInformation\":"
		"{\"nomsNumber\":\"A7421BQ\",\"prisonId\":\"PBI\",\"reason\":\"NEW_ADMISSION\"}}";
	static const char headers[] = "Authorization: Bearer " TOKEN "\r\n"
				      "Content-Type: application/json\r\n";
	struct stage *stage = *state;
	int port = must_find_port();

	take_samples(stage);
	write_adapter(stage, PRISON, port);
	start_adapter(stage, PRISON);
	must_see(stage, "prison.err", "event=started");
	struct http_answer answer =
		http_ask(port, "POST", "/events", headers, body, strlen(body));
	assert_int_equal(answer.status, 202);
	free(answer.body);
	process_kill(&stage->others[PRISON]);
	char *large = calloc(1, 2 << 20);
	must_be(large != NULL, "no memory");
	memset(large, ' ', 2 << 20);
	start_adapter(stage, PRISON);
	int64_t deadline_ms = wait_now_ms() + WAIT_LONG_MS;
	do { /* larger than http.max_body_bytes */
		answer = http_ask(port, "POST", "/events", headers, large, 2 << 20);
		free(answer.body);
	} while (answer.status == 0 && wait_step(deadline_ms));
	free(large);
	assert_int_equal(answer.status, 413);
	must_start_broker(stage);
	write_adapter(stage, SERVICE, 0);
	start_adapter(stage, SERVICE);
	must_store(stage, "SELECT count(*) FROM event WHERE type = 'prison.reception'", 1);
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(files_of_every_agency_reach_the_case_store_and_a_referral_goes_back),
		STAGE_TEST(what_arrives_while_the_broker_stands_still_is_stored_once_afterwards),
		STAGE_TEST(a_request_answered_202_survives_a_kill_before_the_broker_ever_ran),
	};

	return cmocka_run_group_tests_name("chain", tests, NULL, NULL);
}
