/*
 * The partner's inbox against the real broker: a referral that the One Service sends is read,
 * answered and followed up in a browser, and every answer arrives at the One Service once.
 */
#include "support/peer.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "support/browser.h"
#include "support/postgres.h"
#include "support/wait.h"

#define ADAPTER  0 /* slot of the stage's other processes */
#define PASSWORD "three random words"
#define REFERRAL "/referral/one-service/referral-1"

static struct postgres_server server;
static char database[POSTGRES_PLACE]; /* of the running test; "": SQLite */

static void must_write_inbox(struct stage *stage, int port)
{
	must_write(stage, "agreements.d/inbox.conf",
	           "agreement: {\n\tid = \"inbox\";\n\ttitle = \"Answers\";\n"
	           "\tvalid_from = \"2020-01-01\";\n\tvalid_to = \"2099-01-01\";\n"
	           "\tpurpose = \"tests\";\n\tgateway = \"consent\";\n\trecipient = \"other\";\n"
	           "\tparties = [ \"one-service\", \"housing\" ];\n"
	           "\tpublish = (\n\t\t{ agency = \"housing\"; types = [ "
	           "\"referral.acknowledged\", \"referral.accepted\", \"referral.declined\", "
	           "\"referral.assigned\", \"referral.started\", \"referral.ended\", "
	           "\"partner.appointment\" ]; },\n"
	           "\t\t{ agency = \"one-service\"; types = [ \"referral.withdrawn\" ]; } );\n"
	           "\tdeliver = (\n\t\t{ mailbox = \"one-service/desk\"; from = [ \"housing\" ];\n"
	           "\t\t  types = [ \"referral.acknowledged\", \"referral.accepted\", "
	           "\"referral.declined\", \"referral.assigned\", \"referral.started\", "
	           "\"referral.ended\" ]; addressed_by = \"referrer_agency\"; },\n"
	           "\t\t{ mailbox = \"one-service/desk\"; from = [ \"housing\" ];\n"
	           "\t\t  types = [ \"partner.appointment\" ]; },\n"
	           "\t\t{ mailbox = \"housing/referrals\"; from = [ \"one-service\" ];\n"
	           "\t\t  types = [ \"referral.withdrawn\" ]; "
	           "addressed_by = \"provider_agency\"; }\n\t);\n};\n");
	must_write(stage, "partner.conf",
	           "agency = \"housing\";\nbroker = \"%s\";\n"
	           "server_key_file = \"%s/keys/broker.pub\";\n"
	           "key_file = \"%s/keys/housing.key\";\nstate_dir = \"%s/state\";\n"
	           "mailbox = \"referrals\";\nspool = { dir = \"%s/spool\"; };\n"
	           "web = { port = %d; users_file = \"%s/users\"; };\n"
	           "store = { postgres = \"%s\"; };\n",
	           stage->endpoint, stage->directory, stage->directory, stage->directory,
	           stage->directory, port, stage->directory, database);
}

static void must_add_user(struct stage *stage, const char *user)
{
	char path[PROCESS_PATH_MAX];
	struct ran ran;

	STAGE_PATH(stage, path, "users");
	must_write(stage, "password", PASSWORD "\n");
	ran = must_run_fed(stage, "password", "ttg-partner", "user", "add", user, "--role", "staff",
	                   "--name", "Ann Example", "--file", path, NULL);
	if (ran.code != 0)
		must_fail("user add: %d %s", ran.code, ran.err);
	ran_free(&ran);
}

struct starts {
	struct stage *stage;
	int n;
};

static bool has_started(void *arg)
{
	const struct starts *starts = arg;

	return count_in(starts->stage, "partner.err", "event=started") >= starts->n;
}

/* Its page is there when it comes back. */
static void start_partner(struct stage *stage, int nth)
{
	struct starts starts = { stage, nth };
	char path[PROCESS_PATH_MAX];

	STAGE_PATH(stage, path, "partner.conf");
	must_start_other(stage, ADAPTER, "partner", "ttg-partner", "--config", path, NULL);
	must_be(peers_wait(stage, has_started, &starts, WAIT_LONG_MS), "it starts");
}

/* Broker, partner, and a browser that is signed in. */
static struct browser *must_begin(struct stage *stage, struct peer **service)
{
	const int port = must_find_port();
	struct browser *browser;

	must_write_inbox(stage, port);
	must_add_user(stage, "ann");
	must_start_broker(stage);
	start_partner(stage, 1);
	*service = must_open_peer(stage, "one-service", NULL);
	must_be_ready(stage, *service);
	must_attach(stage, *service, "desk");
	browser = browser_open(NULL, (unsigned)port, NULL);
	browser_sign_in(browser, "ann", PASSWORD);
	return browser;
}

/* An event as the One Service, from a file of CloudEvents. */
static void must_pub(struct stage *stage, const char *file)
{
	char broker[PROCESS_PATH_MAX];
	char key[PROCESS_PATH_MAX];
	struct ran ran;

	STAGE_PATH(stage, broker, "keys/broker.pub");
	STAGE_PATH(stage, key, "keys/one-service.key");
	ran = must_run_fed(stage, file, "ttg-pub", "--broker", stage->endpoint,
	                   "--server-key", broker, "--key", key, NULL);
	if (ran.code != 0)
		must_fail("ttg-pub: %s%s", ran.out, ran.err);
	ran_free(&ran);
}

static void must_refer(struct stage *stage)
{
	must_write(stage, "sent.json",
	           "{\"specversion\":\"1.0\",\"source\":\"one-service\","
	           "\"type\":\"referral.sent\",\"time\":\"2026-11-20T10:00:00Z\",\"data\":{"
	           "\"person\":{\"identifiers\":[{\"kind\":\"NOMS\",\"value\":\"A1234BC\"}]},"
	           "\"referral_id\":\"referral-1\",\"provider_agency\":\"housing\","
	           "\"referrer_agency\":\"one-service\",\"need\":\"ACCOMMODATION\","
	           "\"ask\":\"a room from Friday on\"}}\n");
	must_pub(stage, "sent.json");
}

struct looking {
	struct browser *browser;
	const char *path, *text;
};

static bool is_shown(void *arg)
{
	const struct looking *looking = arg;

	return browser_get(looking->browser, looking->path) == 200 &&
	       strstr(browser_body(looking->browser), looking->text) != NULL;
}

/* Loads the page again until the text is on it. */
static void must_come_to_show(struct stage *stage, struct browser *browser, const char *path,
                              const char *text)
{
	struct looking looking = { browser, path, text };

	if (!peers_wait(stage, is_shown, &looking, WAIT_LONG_MS))
		must_fail("%s does not show %s:\n%s", path, text, browser_body(browser));
}

/* A hidden field of the last page. */
static void must_read_hidden(const struct browser *browser, const char *name, char out[64])
{
	char begin[96];
	const char *at;

	snprintf(begin, sizeof(begin), "name=\"%s\" value=\"", name);
	at = strstr(browser_body(browser), begin);
	must_be(at != NULL, "no such field");
	at += strlen(begin);
	snprintf(out, 64, "%.*s", (int)strcspn(at, "\""), at);
}

/* Opens the form of a verb and sends it with these fields; the status. id: of the event. */
static long act(struct browser *browser, const char *verb, const char *fields, char id[64])
{
	char path[128];
	char all[1024];
	char appointment[64] = "";

	snprintf(path, sizeof(path), REFERRAL "/%s", verb);
	assert_int_equal(browser_get(browser, path), 200);
	must_read_hidden(browser, "event_id", id);
	if (strstr(browser_body(browser), "name=\"appointment_id\"") != NULL)
		must_read_hidden(browser, "appointment_id", appointment);
	snprintf(all, sizeof(all), "event_id=%s&appointment_id=%s&%s", id, appointment, fields);
	return browser_post(browser, path, all);
}

static void must_act(struct browser *browser, const char *verb, const char *fields)
{
	char id[64];

	if (act(browser, verb, fields, id) != 303)
		must_fail("%s:\n%s", verb, browser_body(browser));
	assert_string_equal(browser_header(browser, "Location"), REFERRAL);
}

static void a_referral_is_answered_and_followed_up_to_its_end(void **state)
{
	struct stage *stage = *state;
	struct peer *service;
	struct browser *browser = must_begin(stage, &service);
	const Ttg__Event *event;
	char id[64];

	assert_int_equal(browser_get(browser, "/new"), 200);
	must_show(browser, "Nothing waits for an answer");
	must_refer(stage);
	must_come_to_show(stage, browser, "/new", "referral-1");
	assert_int_equal(browser_get(browser, REFERRAL), 200);
	must_show(browser, "a room from Friday on");
	must_show(browser, "accommodation");
	must_show(browser, ">Accept</a>");
	must_not_show(browser, ">Record the start</a>");
	must_act(browser, "acknowledge", "provider_reference=H+17");
	must_get(stage, service, 1);
	event = service->newest;
	assert_string_equal(event->type, "referral.acknowledged");
	assert_string_equal(event->source, "housing");
	assert_string_equal(event->referral_acknowledged->referral_id, "referral-1");
	assert_string_equal(event->referral_acknowledged->provider_reference, "H 17");
	assert_string_equal(event->referral_acknowledged->handler->name, "Ann Example");
	assert_string_equal(event->person->identifiers[0]->value, "A1234BC");
	assert_int_equal(event->causation_id.len, 16);
	must_come_to_show(stage, browser, REFERRAL, "accepted by the broker");
	must_act(browser, "accept", "start_by_date=2027-01-04&wait_days=7&text=See+you+soon");
	must_get(stage, service, 2);
	assert_string_equal(service->newest->type, "referral.accepted");
	assert_string_equal(service->newest->referral_accepted->start_by_date, "2027-01-04");
	assert_int_equal(service->newest->referral_accepted->wait_days, 7);
	must_come_to_show(stage, browser, "/open", "referral-1");
	must_act(browser, "assign", "worker_name=Bo+Example&worker_role=caseworker");
	must_get(stage, service, 3);
	assert_string_equal(service->newest->referral_assigned->worker->name, "Bo Example");
	must_act(browser, "appointment",
	         "status=APPOINTMENT_STATUS_BOOKED&starts_at=2027-01-05&starts_at_clock=10:30"
	         "&place=High+Street");
	must_get(stage, service, 4);
	assert_string_equal(service->newest->type, "partner.appointment");
	assert_string_equal(service->newest->partner_appointment->referral_id, "referral-1");
	assert_int_equal(service->newest->partner_appointment->starts_at->unix_ns,
	                 INT64_C(1799145000) * 1000000000);
	assert_int_equal(act(browser, "end", "outcome=REFERRAL_OUTCOME_COMPLETED", id), 200);
	must_show(browser, "can only be cancelled");
	must_act(browser, "start", "started_at=2027-01-05&started_at_clock=10:30");
	must_get(stage, service, 5);
	must_act(browser, "end", "outcome=REFERRAL_OUTCOME_COMPLETED&need_met=ANSWER_YES");
	must_get(stage, service, 6);
	assert_string_equal(service->newest->type, "referral.ended");
	must_come_to_show(stage, browser, "/done", "referral-1");
	/* All of it is there after a restart. */
	process_kill(&stage->others[ADAPTER]);
	start_partner(stage, 2);
	browser_forget_cookies(browser);
	browser_sign_in(browser, "ann", PASSWORD);
	assert_int_equal(browser_get(browser, REFERRAL), 200);
	must_show(browser, "High Street");
	must_show(browser, "Bo Example");
	must_not_show(browser, "waiting for the broker");
	assert_int_equal(browser_get(browser, REFERRAL "/accept"), 409);
	must_get_no_more(stage, service, 6, 100);
	assert_int_equal(count_in(stage, "partner.err", "A1234BC"), 0);
	browser_close(&browser);
	must_have_passed(stage);
}

static void a_form_that_is_sent_twice_makes_one_event(void **state)
{
	struct stage *stage = *state;
	struct peer *service;
	struct browser *browser = must_begin(stage, &service);
	char id[64];
	char again[96];

	must_refer(stage);
	must_come_to_show(stage, browser, "/new", "referral-1");
	assert_int_equal(act(browser, "acknowledge", "", id), 303);
	snprintf(again, sizeof(again), "event_id=%s", id);
	assert_int_equal(browser_post(browser, REFERRAL "/acknowledge", again), 303);
	must_get(stage, service, 1);
	must_come_to_show(stage, browser, REFERRAL, "accepted by the broker");
	assert_int_equal(browser_post(browser, REFERRAL "/acknowledge", again), 303);
	/* Another form for what is done already is told how things stand. */
	snprintf(again, sizeof(again), "event_id=%.35s0", id);
	if (strncmp(again + strlen("event_id="), id, 36) == 0)
		again[strlen(again) - 1] = '1';
	assert_int_equal(browser_post(browser, REFERRAL "/acknowledge", again), 409);
	must_show(browser, "The referral is acknowledged");
	must_get_no_more(stage, service, 1, 100);
	browser_close(&browser);
	must_have_passed(stage);
}

static void what_is_wrong_with_a_form_is_told_beside_the_field(void **state)
{
	struct stage *stage = *state;
	struct peer *service;
	struct browser *browser = must_begin(stage, &service);
	char id[64];

	must_refer(stage);
	must_come_to_show(stage, browser, "/new", "referral-1");
	assert_int_equal(act(browser, "decline", "reason=&text=no", id), 200);
	must_show(browser, "Reason: this is needed");
	assert_int_equal(act(browser, "decline", "reason=DECLINE_REASON_NONSENSE", id), 200);
	must_show(browser, "Reason: choose one");
	assert_int_equal(browser_post(browser, REFERRAL "/decline", "event_id=no"), 400);
	assert_int_equal(browser_get(browser, REFERRAL "/explode"), 404);
	assert_int_equal(browser_get(browser, "/referral/one-service/none"), 404);
	must_act(browser, "acknowledge", "");
	must_get(stage, service, 1);
	assert_int_equal(act(browser, "accept", "wait_days=soon&start_by_date=2027-02-30", id), 200);
	must_show(browser, "Expected waiting time in days must be a number");
	must_show(browser, "Work begins by: enter a day that exists");
	must_act(browser, "decline", "reason=DECLINE_REASON_NO_CAPACITY&text=Full+until+March");
	must_get(stage, service, 2);
	assert_string_equal(service->newest->type, "referral.declined");
	assert_string_equal(service->newest->referral_declined->text, "Full until March");
	must_come_to_show(stage, browser, "/done", "declined");
	browser_close(&browser);
	must_have_passed(stage);
}

static void what_the_broker_refuses_is_shown_with_the_reason_after_a_restart_too(void **state)
{
	struct stage *stage = *state;
	struct peer *service;
	struct browser *browser = must_begin(stage, &service);

	must_refer(stage);
	must_come_to_show(stage, browser, "/new", "referral-1");
	must_act(browser, "acknowledge", "");
	must_act(browser, "accept", "");
	must_get(stage, service, 2);
	/* No agreement lets housing tell of results. */
	must_act(browser, "outcome",
	         "result=PARTNER_RESULT_ACCOMMODATION_OFFERED&effective_date=2027-01-04");
	must_come_to_show(stage, browser, REFERRAL, "refused_not_agreed");
	process_kill(&stage->others[ADAPTER]);
	start_partner(stage, 2);
	browser_forget_cookies(browser);
	browser_sign_in(browser, "ann", PASSWORD);
	must_come_to_show(stage, browser, REFERRAL, "refused_not_agreed");
	browser_close(&browser);
	must_have_passed(stage);
}

static void an_answer_that_was_given_survives_whatever_dies_behind_it(void **state)
{
	struct stage *stage = *state;
	struct peer *service;
	struct browser *browser = must_begin(stage, &service);

	must_refer(stage);
	must_come_to_show(stage, browser, "/new", "referral-1");
	must_signal(&stage->broker, SIGSTOP);
	must_act(browser, "acknowledge", "");
	assert_int_equal(browser_get(browser, REFERRAL), 200);
	must_show(browser, "waiting for the broker");
	process_kill(&stage->others[ADAPTER]);
	must_signal(&stage->broker, SIGCONT);
	start_partner(stage, 2);
	must_get(stage, service, 1);
	assert_string_equal(service->newest->type, "referral.acknowledged");
	browser_forget_cookies(browser);
	browser_sign_in(browser, "ann", PASSWORD);
	must_come_to_show(stage, browser, REFERRAL, "accepted by the broker");
	must_get_no_more(stage, service, 1, 100);
	browser_close(&browser);
	must_have_passed(stage);
}

/* With a case number, how to reach him, a time to answer that is over. */
static void must_refer_in_full(struct stage *stage)
{
	must_write(stage, "sent.json",
	           "{\"specversion\":\"1.0\",\"source\":\"one-service\","
	           "\"type\":\"referral.sent\",\"time\":\"2026-11-20T10:00:00Z\",\"data\":{"
	           "\"person\":{\"identifiers\":[{\"kind\":\"CASE_NUMBER\","
	           "\"value\":\"C-4711\",\"issuer\":\"one-service\"}]},"
	           "\"referral_id\":\"R/1 <b>\",\"provider_agency\":\"housing\","
	           "\"referrer_agency\":\"one-service\",\"need\":\"ACCOMMODATION\","
	           "\"ask\":\"a room <script>alert(1)</script>\","
	           "\"answer_by_at\":\"2026-11-21T10:00:00Z\",\"contact\":{"
	           "\"display_name\":\"Sam Example\",\"telephone\":\"07700 900123\","
	           "\"safe_to_leave_message\":\"ANSWER_NO\"}}}\n");
	must_pub(stage, "sent.json");
}

/* While its form is open. */
static void a_referral_that_was_withdrawn_meanwhile_is_not_answered(void **state)
{
	struct stage *stage = *state;
	struct peer *service;
	struct browser *browser = must_begin(stage, &service);
	char id[64];
	char fields[96];

	must_refer(stage);
	must_come_to_show(stage, browser, "/new", "referral-1");
	assert_int_equal(browser_get(browser, REFERRAL "/acknowledge"), 200);
	must_read_hidden(browser, "event_id", id);
	must_write(stage, "withdrawn.json",
	           "{\"specversion\":\"1.0\",\"source\":\"one-service\","
	           "\"type\":\"referral.withdrawn\",\"time\":\"2026-11-20T10:00:00Z\",\"data\":{"
	           "\"person\":{\"identifiers\":[{\"kind\":\"NOMS\",\"value\":\"A1234BC\"}]},"
	           "\"referral_id\":\"referral-1\",\"provider_agency\":\"housing\","
	           "\"referrer_agency\":\"one-service\"}}\n");
	must_pub(stage, "withdrawn.json");
	must_see(stage, "state/status.json", "\"received\": 2");
	snprintf(fields, sizeof(fields), "event_id=%s", id);
	assert_int_equal(browser_post(browser, REFERRAL "/acknowledge", fields), 409);
	must_show(browser, "The referral is withdrawn");
	assert_int_equal(browser_get(browser, "/done"), 200);
	must_show(browser, "withdrawn");
	must_get_no_more(stage, service, 0, 100);
	browser_close(&browser);
	must_have_passed(stage);
}

static void what_is_asked_is_shown_as_text_and_marked_when_it_is_late(void **state)
{
	struct stage *stage = *state;
	struct peer *service;
	struct browser *browser = must_begin(stage, &service);
	static const char page[] = "/referral/one-service/R%2F1%20%3Cb%3E";

	must_refer_in_full(stage);
	must_come_to_show(stage, browser, "/new", "C-4711");
	must_show(browser, "overdue");
	must_show(browser, page);
	assert_int_equal(browser_get(browser, page), 200);
	must_show(browser, "The time to answer is over.");
	must_show(browser, "Sam Example");
	must_show(browser, "07700 900123");
	must_show(browser, "R/1 &lt;b&gt;");
	must_show(browser, "a room &lt;script&gt;");
	must_not_show(browser, "<script>alert");
	assert_int_equal(count_in(stage, "partner.err", "Sam"), 0);
	assert_int_equal(count_in(stage, "partner.err", "4711"), 0);
	browser_close(&browser);
	must_have_passed(stage);
}

static void staff_are_offered_every_answer_and_strangers_see_nothing(void **state)
{
	struct stage *stage = *state;
	struct peer *service;
	struct browser *browser = must_begin(stage, &service);

	must_refer(stage);
	must_come_to_show(stage, browser, "/new", "referral-1");
	assert_int_equal(browser_get(browser, REFERRAL), 200);
	must_show(browser, ">Acknowledge</a>");
	must_show(browser, ">Accept</a>");
	must_show(browser, ">Decline</a>");
	browser_forget_cookies(browser);
	assert_int_not_equal(browser_get(browser, REFERRAL), 200);
	assert_int_not_equal(browser_get(browser, REFERRAL "/decline"), 200);
	assert_int_equal(browser_post(browser, REFERRAL "/decline",
	                              "event_id=0199a000-0000-7000-8000-000000000001"
	                              "&reason=DECLINE_REASON_NO_CAPACITY"),
	                 303); /* to the page that asks who it is */
	must_not_show(browser, "a room from Friday on");
	must_get_no_more(stage, service, 0, 100);
	browser_close(&browser);
	must_have_passed(stage);
}

static int set_up_postgres(void **state)
{
	must_make_database(&server, database);
	return stage_set_up(state);
}

static int tear_down_postgres(void **state)
{
	database[0] = '\0';
	return stage_tear_down(state);
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(a_referral_is_answered_and_followed_up_to_its_end),
		cmocka_unit_test_setup_teardown(a_referral_is_answered_and_followed_up_to_its_end,
		                                set_up_postgres, tear_down_postgres),
		STAGE_TEST(what_is_asked_is_shown_as_text_and_marked_when_it_is_late),
		STAGE_TEST(a_referral_that_was_withdrawn_meanwhile_is_not_answered),
		STAGE_TEST(a_form_that_is_sent_twice_makes_one_event),
		STAGE_TEST(what_is_wrong_with_a_form_is_told_beside_the_field),
		STAGE_TEST(what_the_broker_refuses_is_shown_with_the_reason_after_a_restart_too),
		STAGE_TEST(an_answer_that_was_given_survives_whatever_dies_behind_it),
		STAGE_TEST(staff_are_offered_every_answer_and_strangers_see_nothing),
	};
	int failed;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	failed = cmocka_run_group_tests(tests, start_server, stop_server);
	curl_global_cleanup();
	return failed;
}
