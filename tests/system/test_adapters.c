/*
 * ttg-prison, ttg-police and ttg-probation against the real broker: files and requests in, events
 * at the recipients, files out; what happens when the broker is away or the adapter dies.
 */
#include "support/peer.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "support/http.h"
#include "support/wait.h"

#define ADAPTER 0 /* slot of the stage's other processes */
#define TOKEN   "a-token-of-enough-letters"
#define KILLS   8
#define FILES   60

static void write_configuration(const struct stage *stage, const char *agency, int port)
{
	char token[PROCESS_PATH_MAX];

	must_write(stage, "token", TOKEN "\n");
	STAGE_PATH(stage, token, "token");
	must_be(chmod(token, 0600) == 0, "cannot protect the token");
	must_write(stage, "adapter.conf",
	           "agency = \"%s\";\nbroker = \"%s\";\n"
	           "server_key_file = \"%s/keys/broker.pub\";\nkey_file = \"%s/keys/%s.key\";\n"
	           "state_dir = \"%s/state\";\nspool = { dir = \"%s/spool\"; };\n%s%s%s\n"
	           "http = { port = %d; token_file = \"%s\"; };\n",
	           agency, stage->endpoint, stage->directory, stage->directory, agency,
	           stage->directory, stage->directory,
	           strcmp(agency, "housing") == 0 ? "mailbox = \"referrals\"; out_dir = \"" : "",
	           strcmp(agency, "housing") == 0 ? stage->directory : "",
	           strcmp(agency, "housing") == 0 ? "/out\";" : "", port, token);
}

static void start_adapter(struct stage *stage, const char *program)
{
	char path[PROCESS_PATH_MAX];

	STAGE_PATH(stage, path, "adapter.conf");
	must_start_other(stage, ADAPTER, "adapter", program, "--config", path, NULL);
}

static int stop_adapter(struct stage *stage)
{
	must_signal(&stage->others[ADAPTER], SIGTERM);
	return must_end(&stage->others[ADAPTER], WAIT_LONG_MS);
}

/* A release of its own instant, so that every file is another event. */
static void drop_release(const struct stage *stage, int number)
{
	char name[64];

	snprintf(name, sizeof(name), "spool/%04d.json", number);
	must_write(stage, name,
	           "{\"eventType\":\"prison-offender-events.prisoner.released\",\"version\":1,"
	           "\"occurredAt\":\"2026-10-30T09:%02d:%02dZ\",\"additionalInformation\":"
	           "{\"nomsNumber\":\"A7421BQ\",\"prisonId\":\"PBI\",\"reason\":\"RELEASED\","
	           "\"nomisMovementReasonCode\":\"CR\"}}",
	           number / 60, number % 60);
}

struct files {
	const struct stage *stage;
	const char *folder, *end;
	int n;
};

static int count_files(const struct stage *stage, const char *folder, const char *end)
{
	char path[PROCESS_PATH_MAX];
	const struct dirent *entry;
	int n = 0;

	STAGE_PATH(stage, path, "%s", folder);
	DIR *dir = opendir(path);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		size_t len = strlen(entry->d_name), end_len = strlen(end);

		n += entry->d_name[0] != '.' && len >= end_len &&
		     strcmp(entry->d_name + len - end_len, end) == 0;
	}
	if (dir != NULL)
		closedir(dir);
	return n;
}

static bool has_files(void *arg)
{
	const struct files *files = arg;

	return count_files(files->stage, files->folder, files->end) == files->n;
}

static void must_hold_files(struct stage *stage, const char *folder, const char *end, int n)
{
	struct files files = { stage, folder, end, n };

	if (!peers_wait(stage, has_files, &files, WAIT_LONG_MS))
		must_fail("%s holds %d files, not %d", folder, count_files(stage, folder, end), n);
}

static struct peer *open_duty(struct stage *stage)
{
	struct peer *duty = must_open_peer(stage, "one-service", NULL);

	must_attach(stage, duty, "duty");
	return duty;
}

static void a_file_in_the_spool_reaches_the_recipient_and_ends_in_done(void **state)
{
	struct stage *stage = *state;
	struct peer *duty;

	must_start_broker(stage);
	write_configuration(stage, "prison", 0);
	duty = open_duty(stage);
	start_adapter(stage, "ttg-prison");
	drop_release(stage, 1);
	must_get(stage, duty, 1);
	assert_string_equal(duty->got[0].type, "prison.released");
	assert_string_equal(duty->got[0].source, "prison");
	must_hold_files(stage, "spool/done", ".json", 1);
	must_write(stage, "spool/bad.json", "{\"eventType\":");
	must_hold_files(stage, "spool/failed", ".reason", 1);
	must_see(stage, "state/status.json", "\"accepted\": 1");
	assert_int_equal(stop_adapter(stage), 0);
	must_have_passed(stage);
}

static void a_request_is_answered_202_and_reaches_the_recipient(void **state)
{
	struct stage *stage = *state;
	int port = must_find_port();
	struct peer *duty;
	struct http_answer answer;
	static const char body[] =
	        "{\"eventType\":\"prisoner-offender-search.prisoner.received\",\"version\":1,"
	        "\"occurredAt\":\"2026-10-30T09:00:00Z\",\"additionalInformation\":"
	        "{\"nomsNumber\":\"A7421BQ\",\"prisonId\":\"PBI\",\"reason\":\"NEW_ADMISSION\"}}";
	static const char headers[] = "Authorization: Bearer " TOKEN "\r\n"
	                              "Content-Type: application/json\r\n";

	must_start_broker(stage);
	write_configuration(stage, "prison", port);
	duty = open_duty(stage);
	start_adapter(stage, "ttg-prison");
	must_see(stage, "adapter.err", "event=started");
	answer = http_ask(port, "POST", "/events", headers, body, strlen(body));
	assert_int_equal(answer.status, 202);
	assert_non_null(strstr(answer.body, "\"events\":1"));
	free(answer.body);
	must_get(stage, duty, 1);
	assert_string_equal(duty->got[0].type, "prison.reception");
	answer = http_ask(port, "POST", "/events", "Content-Type: application/json\r\n", "{}", 2);
	assert_int_equal(answer.status, 401);
	free(answer.body);
	answer = http_ask(port, "POST", "/events", headers, "{\"a\":1}", 7);
	assert_int_equal(answer.status, 400);
	assert_non_null(strstr(answer.body, "\"name\":\"eformat\""));
	free(answer.body);
	assert_int_equal(stop_adapter(stage), 0);
	must_have_passed(stage);
}

static void an_adapter_killed_while_files_arrive_loses_none_and_doubles_none(void **state)
{
	struct stage *stage = *state;
	struct peer *duty;
	const char *given = getenv("TTG_SEED");
	uint64_t seed = given == NULL ? (uint64_t)made_now_ns() : strtoull(given, NULL, 0);

	print_message("TTG_SEED=%llu\n", (unsigned long long)seed);
	must_start_broker(stage);
	write_configuration(stage, "prison", 0);
	duty = open_duty(stage);
	start_adapter(stage, "ttg-prison");
	for (int i = 0; i < FILES; i++) {
		drop_release(stage, i);
		if (i % (FILES / KILLS) != 0)
			continue;
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		for (uint64_t n = 0; n < seed >> 61; n++)
			peers_poll(stage);
		process_kill(&stage->others[ADAPTER]);
		start_adapter(stage, "ttg-prison");
	}
	must_hold_files(stage, "spool/done", ".json", FILES);
	must_get(stage, duty, FILES);
	must_get_no_more(stage, duty, FILES, 300);
	assert_int_equal(count_files(stage, "spool/failed", ".json"), 0);
	assert_int_equal(stop_adapter(stage), 0);
	must_have_passed(stage);
}

static void what_is_taken_while_the_broker_is_away_is_delivered_afterwards(void **state)
{
	struct stage *stage = *state;
	struct peer *duty;

	must_write_configuration(stage);
	must_start_broker(stage);
	write_configuration(stage, "prison", 0);
	assert_int_equal(must_stop_broker(stage), 0);
	start_adapter(stage, "ttg-prison");
	for (int i = 0; i < 5; i++)
		drop_release(stage, i);
	must_hold_files(stage, "spool/done", ".json", 5);
	process_kill(&stage->others[ADAPTER]);
	must_start_broker(stage);
	duty = open_duty(stage);
	start_adapter(stage, "ttg-prison");
	must_get(stage, duty, 5);
	must_get_no_more(stage, duty, 5, 300);
	assert_int_equal(stop_adapter(stage), 0);
	must_have_passed(stage);
}

static void once_takes_what_is_there_and_ends(void **state)
{
	struct stage *stage = *state;
	struct peer *duty;
	struct ran ran;
	char path[PROCESS_PATH_MAX];

	must_start_broker(stage);
	write_configuration(stage, "prison", 0);
	drop_release(stage, 1);
	drop_release(stage, 2);
	STAGE_PATH(stage, path, "adapter.conf");
	ran = must_run(stage, "ttg-prison", "--config", path, "--once", NULL);
	assert_int_equal(ran.code, 0);
	ran_free(&ran);
	duty = open_duty(stage);
	must_get(stage, duty, 2);
	must_have_passed(stage);
}

static void an_arrest_as_xml_and_a_contact_as_csv_arrive(void **state)
{
	struct stage *stage = *state;
	struct peer *duty, *desk;

	must_start_broker(stage);
	duty = open_duty(stage);
	write_configuration(stage, "police", 0);
	must_write(
	        stage, "spool/a.xml",
	        "<arrest xmlns=\"urn:throughgate:police:1\"><alertId>A1</alertId>"
	        "<force>35</force><station><code>TW</code></station>"
	        "<arrestedAt>2026-10-30T02:10:00Z</arrestedAt>"
	        "<person><pncId>02/73319Z</pncId></person><match><basis>PNC_ID</basis></match>"
	        "<query><reasonCode>9</reasonCode><justification>Identity</justification></query>"
	        "</arrest>");
	start_adapter(stage, "ttg-police");
	must_get(stage, duty, 1);
	assert_string_equal(duty->got[0].type, "police.arrest");
	assert_int_equal(stop_adapter(stage), 0);
	desk = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, desk, "desk");
	write_configuration(stage, "probation", 0);
	must_write(stage, "spool/b.csv",
	           "CRN,Contact ID,Date,Time,Type,Type Description,Outcome\r\n"
	           "X700101,1,27/10/2026,10:30,COAP,\"Visit, planned\",ATTC\r\n");
	start_adapter(stage, "ttg-probation");
	must_get(stage, desk, 1);
	assert_string_equal(desk->got[0].type, "probation.contact");
	assert_int_equal(stop_adapter(stage), 0);
	must_have_passed(stage);
}

static void what_is_received_is_written_as_json_and_csv_before_it_is_acknowledged(void **state)
{
	struct stage *stage = *state;
	struct peer *sender;

	must_start_broker(stage);
	write_configuration(stage, "housing", 0);
	start_adapter(stage, "ttg-prison");
	sender = must_open_peer(stage, "one-service", NULL);
	must_accept(stage, sender, &(struct made_wish){ .type = "referral.sent", .number = 7 });
	must_hold_files(stage, "out", ".json", 1);
	must_hold_files(stage, "out", ".csv", 1);
	must_settle(stage, "housing/referrals", "queued", 0);
	assert_int_equal(stop_adapter(stage), 0);
	must_have_passed(stage);
}

static void a_wrong_configuration_is_told_with_its_line(void **state)
{
	struct stage *stage = *state;
	struct ran ran;
	char path[PROCESS_PATH_MAX];

	must_write(stage, "adapter.conf", "agency = \"prison\";\nspol = { };\n");
	STAGE_PATH(stage, path, "adapter.conf");
	ran = must_run(stage, "ttg-prison", "--config", path, "-t", NULL);
	assert_int_equal(ran.code, 2);
	assert_non_null(strstr(ran.err, "adapter.conf:2: there is no option spol"));
	ran_free(&ran);
	ran = must_run(stage, "ttg-police", "--help", NULL);
	assert_int_equal(ran.code, 0);
	assert_non_null(strstr(ran.out, "--once"));
	ran_free(&ran);
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(a_file_in_the_spool_reaches_the_recipient_and_ends_in_done),
		STAGE_TEST(a_request_is_answered_202_and_reaches_the_recipient),
		STAGE_TEST(an_adapter_killed_while_files_arrive_loses_none_and_doubles_none),
		STAGE_TEST(what_is_taken_while_the_broker_is_away_is_delivered_afterwards),
		STAGE_TEST(once_takes_what_is_there_and_ends),
		STAGE_TEST(an_arrest_as_xml_and_a_contact_as_csv_arrive),
		STAGE_TEST(what_is_received_is_written_as_json_and_csv_before_it_is_acknowledged),
		STAGE_TEST(a_wrong_configuration_is_told_with_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
