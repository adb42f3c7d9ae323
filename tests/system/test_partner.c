/*
 * ttg-partner against the real broker: what is sent to the housing association reaches its own
 * receiver, signed and in order, whatever fails or dies; its answers reach the One Service.
 */
#include "support/peer.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include "partner/push_sign.h"
#include "support/certificate.h"
#include "support/http.h"
#include "support/receiver.h"
#include "support/wait.h"

#define ADAPTER 0 /* slot of the stage's other processes */
#define SECRET  "0123456789abcdef0123456789abcdef"
#define TOKEN   "a-token-of-enough-letters"
#define KILLS   8
#define EVENTS  120
#define PERSONS 4

static struct receiver *receiver; /* of the running test */

static int set_up(void **state)
{
	receiver = must_open_receiver();
	return stage_set_up(state);
}

static int tear_down(void **state)
{
	int result = stage_tear_down(state);

	receiver_close(&receiver);
	return result;
}

#define PARTNER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void must_write_secret(const struct stage *stage, const char *name, const char *text)
{
	char path[PROCESS_PATH_MAX];

	must_write(stage, name, "%s\n", text);
	STAGE_PATH(stage, path, "%s", name);
	must_be(chmod(path, 0600) == 0, "no mode");
}

/* What housing may say, and that the desk gets it. */
static void must_write_partner_agreement(const struct stage *stage)
{
	must_write(stage, "agreements.d/partner.conf",
	           "agreement: {\n\tid = \"partner\";\n\ttitle = \"Answers\";\n"
	           "\tvalid_from = \"2020-01-01\";\n\tvalid_to = \"2099-01-01\";\n"
	           "\tpurpose = \"tests\";\n\tgateway = \"consent\";\n\trecipient = \"other\";\n"
	           "\tparties = [ \"one-service\", \"housing\" ];\n"
	           "\tpublish = ( { agency = \"housing\"; types = [ \"referral.acknowledged\", "
	           "\"referral.accepted\", \"referral.declined\", \"referral.assigned\", "
	           "\"referral.started\", \"referral.ended\", \"partner.appointment\" ]; } );\n"
	           "\tdeliver = (\n\t\t{ mailbox = \"one-service/desk\"; from = [ \"housing\" ];\n"
	           "\t\t  types = [ \"referral.acknowledged\", \"referral.accepted\", "
	           "\"referral.declined\", \"referral.assigned\", \"referral.started\", "
	           "\"referral.ended\" ]; addressed_by = \"referrer_agency\"; },\n"
	           "\t\t{ mailbox = \"one-service/desk\"; from = [ \"housing\" ];\n"
	           "\t\t  types = [ \"partner.appointment\" ]; }\n\t);\n};\n");
}

/* to: its address; push: further options of it; more: further groups. */
static void must_write_partner_to(struct stage *stage, const char *to, const char *push,
                                  const char *more)
{
	must_write_secret(stage, "push.secret", SECRET);
	must_write(stage, "partner.conf",
	           "agency = \"housing\";\nbroker = \"%s\";\n"
	           "server_key_file = \"%s/keys/broker.pub\";\n"
	           "key_file = \"%s/keys/housing.key\";\nstate_dir = \"%s/state\";\n"
	           "mailbox = \"referrals\";\nspool = { dir = \"%s/spool\"; };\n"
	           "push = { %s secret_file = \"%s/push.secret\";\n"
	           "\tretry_ms = 20; retry_max_ms = 100; %s };\n%s",
	           stage->endpoint, stage->directory, stage->directory, stage->directory,
	           stage->directory, to, stage->directory, push, more);
}

/* To the test's receiver. */
static void must_write_partner(struct stage *stage, const char *push, const char *more)
{
	char to[64];

	snprintf(to, sizeof(to), "url = \"http://127.0.0.1:%d/hook\";", receiver_port(receiver));
	must_write_partner_agreement(stage);
	must_write_partner_to(stage, to, push, more);
}

static void start_partner(struct stage *stage)
{
	char path[PROCESS_PATH_MAX];

	STAGE_PATH(stage, path, "partner.conf");
	must_start_other(stage, ADAPTER, "partner", "ttg-partner", "--config", path, NULL);
}

/* Runs the command `dead`; NULL at the end of the words. */
static struct ran run_dead(struct stage *stage, const char *verb, const char *what)
{
	char path[PROCESS_PATH_MAX];

	STAGE_PATH(stage, path, "partner.conf");
	return must_run(stage, "ttg-partner", "dead", verb, "--config", path, what, NULL);
}

struct expectation {
	int status; /* of answers; -1: any */
	size_t n;
};

static bool were_received(void *arg)
{
	const struct expectation *it = arg;

	return (it->status < 0 ? receiver_count(receiver)
	                       : receiver_count_status(receiver, it->status)) >= it->n;
}

static void must_receive(struct stage *stage, int status, size_t n)
{
	struct expectation expectation = { status, n };

	if (!peers_wait(stage, were_received, &expectation, WAIT_LONG_MS))
		must_fail("%zu requests, %zu answered %d, not %zu", receiver_count(receiver),
		          receiver_count_status(receiver, status), status, n);
}

static struct peer *must_open_service(struct stage *stage)
{
	struct peer *service = must_open_peer(stage, "one-service", NULL);

	must_be_ready(stage, service);
	return service;
}

static void must_refer(struct stage *stage, struct peer *service, uint32_t number, const char *noms)
{
	must_accept(stage, service,
	            &(struct made_wish){ .type = "referral.sent", .number = number, .noms = noms });
}

static void must_be_signed(const struct receiver_request *request)
{
	struct push_secret secret;
	struct message message;
	char signature[PUSH_SIGNATURE_BYTES];

	assert_int_equal(push_secret_read(&secret, SECRET, &message), TTG_OK);
	assert_int_equal(push_sign(&secret, request->id, strtoll(request->timestamp, NULL, 10),
	                           request->body, strlen(request->body), signature),
	                 TTG_OK);
	assert_string_equal(request->signature, signature);
	assert_in_range(strtoll(request->timestamp, NULL, 10), time(NULL) - 60, time(NULL) + 1);
}

static void what_is_delivered_is_pushed_signed_and_written_to_files(void **state)
{
	struct stage *stage = *state;
	char out[PROCESS_PATH_MAX + 32];
	struct receiver_request request;
	json_t *event;

	snprintf(out, sizeof(out), "out_dir = \"%s/out\";", stage->directory);
	must_write_partner(stage, "", out);
	must_start_broker(stage);
	start_partner(stage);
	must_refer(stage, must_open_service(stage), 7, "A1234BC");
	must_receive(stage, 204, 1);
	request = receiver_get(receiver, 0);
	must_be_signed(&request);
	assert_string_equal(request.type, "application/cloudevents+json");
	event = json_loads(request.body, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(event, "type")), "referral.sent");
	assert_string_equal(json_string_value(json_object_get(event, "id")), request.id);
	assert_string_equal(json_string_value(json_object_get(event, "mailbox")),
	                    "housing/referrals");
	assert_string_equal(json_string_value(json_object_get(json_object_get(event, "data"),
	                                                      "provider_agency")),
	                    "housing");
	json_decref(event);
	must_settle(stage, "housing/referrals", "queued", 0);
	must_see(stage, "state/status.json", "\"push_sent\": 1");
	must_see(stage, "state/status.json", "\"push_waiting\": 0");
	snprintf(out, sizeof(out), "out/referral.sent-%s.json", request.id);
	must_see(stage, out, "a room from Friday on");
	snprintf(out, sizeof(out), "out/referral.sent-%s.csv", request.id);
	must_see(stage, out, "a room from Friday on");
	assert_int_equal(count_in(stage, "partner.err", "A1234BC"), 0);
	assert_int_equal(receiver_count(receiver), 1);
	must_signal(&stage->others[ADAPTER], SIGTERM);
	assert_int_equal(must_end(&stage->others[ADAPTER], WAIT_LONG_MS), 0);
	must_have_passed(stage);
}

static void a_receiver_that_fails_for_a_while_gets_it_in_the_end(void **state)
{
	struct stage *stage = *state;

	must_write_partner(stage, "timeout_ms = 200;", "");
	must_start_broker(stage);
	receiver_answer_next(receiver, 3, 500);
	start_partner(stage);
	must_refer(stage, must_open_service(stage), 1, "A1234BC");
	must_receive(stage, 204, 1);
	assert_int_equal(receiver_count_status(receiver, 500), 3);
	must_see(stage, "partner.err", "event=push_failed");
	must_see(stage, "state/status.json", "\"push_failed\": 3");
	/* Redirects are no success and are not followed; silence is cut off. */
	receiver_answer(receiver, 302, "Location: /elsewhere\r\n");
	must_refer(stage, must_open_service(stage), 2, "A1234BC");
	must_receive(stage, 302, 2);
	receiver_answer(receiver, RECEIVER_SILENT, NULL);
	must_receive(stage, RECEIVER_SILENT, 2);
	receiver_answer(receiver, 200, NULL);
	must_receive(stage, 200, 1);
	/* What the receiver asks for is honoured, within retry_max_ms. */
	receiver_answer(receiver, 429, "Retry-After: 60\r\n");
	must_refer(stage, must_open_service(stage), 3, "A1234BC");
	must_see(stage, "partner.err", "attempts=1 status=429 retry_ms=100 ");
	receiver_answer(receiver, 200, NULL);
	must_receive(stage, 200, 2);
	must_see(stage, "state/status.json", "\"push_sent\": 3");
	must_have_passed(stage);
}

static void what_is_given_up_is_listed_sent_again_or_removed_by_command(void **state)
{
	struct stage *stage = *state;
	struct ran ran;
	char id[64];

	must_write_partner(stage, "max_attempts = 3;", "");
	must_start_broker(stage);
	receiver_answer(receiver, 500, NULL);
	start_partner(stage);
	struct peer *service = must_open_service(stage);
	must_refer(stage, service, 1, "A1234BC");
	must_refer(stage, service, 2, "A1234BD");
	must_see(stage, "state/status.json", "\"push_dead\": 2");
	assert_int_equal(receiver_count(receiver), 6);
	snprintf(id, sizeof(id), "%s", receiver_get(receiver, 0).id);
	ran = run_dead(stage, "list", NULL);
	assert_int_equal(ran.code, 0);
	assert_non_null(strstr(ran.out, id));
	assert_non_null(strstr(ran.out, "\"type\":\"referral.sent\""));
	assert_non_null(strstr(ran.out, "\"attempts\":3,\"status\":500}"));
	assert_null(strstr(ran.out, "A1234BC"));
	ran_free(&ran);
	receiver_answer(receiver, 204, NULL);
	ran = run_dead(stage, "retry", id);
	assert_int_equal(ran.code, 0);
	ran_free(&ran);
	must_receive(stage, 204, 1);
	assert_string_equal(receiver_get(receiver, 6).id, id);
	must_see(stage, "state/status.json", "\"push_dead\": 1");
	ran = run_dead(stage, "discard", "--all");
	assert_int_equal(ran.code, 0);
	ran_free(&ran);
	must_see(stage, "state/status.json", "\"push_dead\": 0");
	ran = run_dead(stage, "retry", id);
	assert_int_equal(ran.code, 1);
	ran_free(&ran);
	ran = run_dead(stage, "discard", NULL);
	assert_int_equal(ran.code, 2);
	ran_free(&ran);
	assert_int_equal(receiver_count(receiver), 7);
	must_have_passed(stage);
}

static void a_persons_later_events_wait_and_others_go_on(void **state)
{
	struct stage *stage = *state;
	char first[64];
	size_t fine = 0;

	must_write_partner(stage, "", "");
	must_start_broker(stage);
	receiver_answer_those(receiver, "A1234BC", 503);
	start_partner(stage);
	struct peer *service = must_open_service(stage);
	must_refer(stage, service, 1, "A1234BC");
	must_refer(stage, service, 2, "A1234BC");
	must_refer(stage, service, 3, "A1234BD");
	must_receive(stage, 204, 1); /* of the other person */
	must_receive(stage, 503, 5);
	snprintf(first, sizeof(first), "%s", receiver_get(receiver, 0).id);
	for (size_t i = 0; i < receiver_count(receiver); i++) {
		struct receiver_request request = receiver_get(receiver, i);

		if (request.status == 503)
			assert_string_equal(request.id, first);
		else
			assert_string_not_equal(request.id, first);
	}
	receiver_answer_those(receiver, NULL, 0);
	must_receive(stage, 204, 3);
	for (size_t i = 0; i < receiver_count(receiver); i++) {
		struct receiver_request request = receiver_get(receiver, i);

		if (request.status == 204 && ++fine == 2)
			assert_string_equal(request.id, first);
	}
	must_have_passed(stage);
}

static void a_receiver_that_is_gone_is_left_alone_and_nothing_is_lost(void **state)
{
	struct stage *stage = *state;

	must_write_partner(stage, "", "");
	must_start_broker(stage);
	receiver_answer(receiver, 410, NULL);
	start_partner(stage);
	struct peer *service = must_open_service(stage);
	must_refer(stage, service, 1, "A1234BC");
	must_see(stage, "state/status.json", "\"push_stopped\": 1");
	must_refer(stage, service, 2, "A1234BD");
	must_see(stage, "state/status.json", "\"push_waiting\": 2");
	assert_int_equal(receiver_count(receiver), 1);
	must_signal(&stage->others[ADAPTER], SIGTERM);
	assert_int_equal(must_end(&stage->others[ADAPTER], WAIT_LONG_MS), 0);
	receiver_answer(receiver, 204, NULL);
	start_partner(stage);
	must_receive(stage, 204, 2);
	must_have_passed(stage);
}

struct arrivals {
	size_t seen[EVENTS]; /* index of the first request that was taken; 0: none */
	size_t n;
};

/* The number the event's id ends in. */
static uint32_t number_of(const char *id)
{
	return (uint32_t)strtoul(id + strlen(id) - 8, NULL, 16);
}

static void find_arrivals(struct arrivals *arrivals)
{
	memset(arrivals, 0, sizeof(*arrivals));
	for (size_t i = 0; i < receiver_count(receiver); i++) {
		struct receiver_request request = receiver_get(receiver, i);
		uint32_t number = number_of(request.id);

		if (request.status != 204 || number >= EVENTS || arrivals->seen[number] != 0)
			continue;
		arrivals->seen[number] = i + 1;
		arrivals->n++;
	}
}

static bool all_arrived(void *arg)
{
	find_arrivals(arg);
	return ((struct arrivals *)arg)->n == EVENTS;
}

static void refer_some(struct stage *stage, struct peer *service, uint32_t from, uint32_t n)
{
	static const char *const persons[PERSONS] = { "A1234BC", "A1234BD", "A1234BE", "A1234BF" };

	for (uint32_t i = from; i < from + n; i++) {
		struct made made = must_make(&(struct made_wish){
		        .type = "referral.sent", .number = i, .noms = persons[i % PERSONS] });

		while (ttg_client_publish(service->client, made.id, made.bytes, made.len, NULL) ==
		       TTG_EAGAIN)
			peers_poll(stage);
		made_free(&made);
		peers_poll(stage);
	}
}

static void nothing_is_lost_or_overtaken_when_the_adapter_is_killed(void **state)
{
	struct stage *stage = *state;
	const char *given = getenv("TTG_SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
	struct arrivals arrivals;

	print_message("TTG_SEED=%u\n", seed);
	must_write_partner(stage, "", "");
	must_start_broker(stage);
	struct peer *service = must_open_service(stage);
	for (unsigned life = 0; life < KILLS; life++) {
		size_t before = receiver_count(receiver);

		receiver_answer_next(receiver, (unsigned)rand_r(&seed) % 8, 500);
		start_partner(stage);
		refer_some(stage, service, life * EVENTS / KILLS, EVENTS / KILLS);
		must_receive(stage, -1, before + (unsigned)rand_r(&seed) % (EVENTS / KILLS / 2));
		process_kill(&stage->others[ADAPTER]);
	}
	start_partner(stage);
	if (!peers_wait(stage, all_arrived, &arrivals, WAIT_LONG_MS))
		must_fail("%zu of %d arrived", arrivals.n, EVENTS);
	for (uint32_t i = PERSONS; i < EVENTS; i++)
		assert_true(arrivals.seen[i] > arrivals.seen[i - PERSONS]);
	must_settle(stage, "housing/referrals", "queued", 0);
	must_see(stage, "state/status.json", "\"push_waiting\": 0");
	must_have_passed(stage);
}

/* The id of the referral that was received first. */
static void must_read_referral(char out[64])
{
	json_t *event = json_loads(receiver_get(receiver, 0).body, 0, NULL);
	const char *id =
	        json_string_value(json_object_get(json_object_get(event, "data"), "referral_id"));

	must_be(id != NULL, "no referral");
	snprintf(out, 64, "%s", id);
	json_decref(event);
}

/* A move of that referral; id: its last digit. */
static void write_move(const struct stage *stage, const char *name, const char *type, int id)
{
	char referral[64];

	must_read_referral(referral);
	must_write(stage, name,
	           "{\"specversion\":\"1.0\",\"id\":\"01020304-0506-4708-8910-11121314151%d\","
	           "\"source\":\"housing\",\"type\":\"%s\",\"time\":\"2026-11-20T10:00:00Z\","
	           "\"data\":{\"person\":{\"identifiers\":[{\"kind\":\"NOMS\","
	           "\"value\":\"A1234BC\"}]},\"referral_id\":\"%s\","
	           "\"provider_agency\":\"housing\",\"referrer_agency\":\"one-service\"}}\n",
	           id, type, referral);
}

static void answers_from_files_reach_the_referrer_if_the_table_allows_them(void **state)
{
	struct stage *stage = *state;

	must_write_partner(stage, "", "");
	must_start_broker(stage);
	start_partner(stage);
	struct peer *service = must_open_service(stage);
	must_attach(stage, service, "desk");
	must_refer(stage, service, 1, "A1234BC");
	must_receive(stage, 204, 1);
	write_move(stage, "spool/1.json", "referral.started", 1);
	must_see(stage, "spool/failed/1.json.reason", "the referral is sent");
	write_move(stage, "spool/2.json", "referral.acknowledged", 2);
	must_get(stage, service, 1);
	assert_string_equal(service->got[0].type, "referral.acknowledged");
	write_move(stage, "spool/3.json", "referral.accepted", 3);
	must_get(stage, service, 2);
	/* What was said is known after a crash, too. */
	process_kill(&stage->others[ADAPTER]);
	start_partner(stage);
	write_move(stage, "spool/4.json", "referral.declined", 4);
	must_see(stage, "spool/failed/4.json.reason", "the referral is accepted");
	write_move(stage, "spool/5.json", "referral.assigned", 5);
	must_get(stage, service, 3);
	write_move(stage, "spool/6.json", "prison.released", 6);
	must_see(stage, "spool/failed/6.json.reason", "data.referral_id");
	must_get_no_more(stage, service, 3, 100);
	must_have_passed(stage);
}

static void answers_by_http_are_checked_by_the_same_table(void **state)
{
	struct stage *stage = *state;
	char http[PROCESS_PATH_MAX + 96];
	const int port = must_find_port();
	static const char headers[] = "Content-Type: application/cloudevents+json\r\n"
	                              "Authorization: Bearer " TOKEN "\r\n";
	struct http_answer answer;
	char referral[64];
	char body[1024];

	must_write_secret(stage, "token", TOKEN);
	snprintf(http, sizeof(http), "http = { port = %d; token_file = \"%s/token\"; };\n", port,
	         stage->directory);
	must_write_partner(stage, "", http);
	must_start_broker(stage);
	start_partner(stage);
	struct peer *service = must_open_service(stage);
	must_attach(stage, service, "desk");
	must_refer(stage, service, 1, "A1234BC");
	must_receive(stage, 204, 1);
	must_read_referral(referral);
	for (int i = 0; i < 2; i++) {
		snprintf(body, sizeof(body),
		         "{\"specversion\":\"1.0\",\"id\":\"01020304-0506-4708-8910-11121314151%d\","
		         "\"source\":\"housing\",\"type\":\"referral.%s\","
		         "\"time\":\"2026-11-20T10:00:00Z\",\"data\":{\"referral_id\":\"%s\","
		         "\"provider_agency\":\"housing\",\"referrer_agency\":\"one-service\","
		         "\"person\":{\"identifiers\":[{\"kind\":\"NOMS\",\"value\":\"A1234BC\"}]}}}",
		         i, i == 0 ? "started" : "acknowledged", referral);
		answer = http_ask(port, "POST", "/events", headers, body, strlen(body));
		assert_int_equal(answer.status, i == 0 ? 400 : 202);
		free(answer.body);
	}
	must_get(stage, service, 1);
	assert_string_equal(service->got[0].type, "referral.acknowledged");
	must_have_passed(stage);
}

/* An adapter of another agency stands for a receiver with TLS: it has no such path. */
static void start_tls_server(struct stage *stage, int port)
{
	char path[PROCESS_PATH_MAX];

	must_make_certificates(stage->directory);
	must_write_secret(stage, "token", TOKEN);
	must_write(stage, "tls.conf",
	           "agency = \"police\";\nbroker = \"%s\";\n"
	           "server_key_file = \"%s/keys/broker.pub\";\n"
	           "key_file = \"%s/keys/police.key\";\nstate_dir = \"%s/police\";\n"
	           "http = { port = %d; token_file = \"%s/token\";\n"
	           "\ttls_cert_file = \"%s/server.pem\"; tls_key_file = \"%s/server.key\"; };\n",
	           stage->endpoint, stage->directory, stage->directory, stage->directory, port,
	           stage->directory, stage->directory, stage->directory);
	STAGE_PATH(stage, path, "tls.conf");
	must_start_other(stage, 1, "tls", "ttg-police", "--config", path, NULL);
	must_see(stage, "tls.err", "event=started");
}

static void nothing_is_told_to_a_server_whose_certificate_is_no_good(void **state)
{
	struct stage *stage = *state;
	static const char *const authorities[] = { "foreign-ca", "ca" };
	static const char *const status[] = { "push_dead id=", "attempts=1 status=401" };
	const int port = must_find_port();
	char push[2 * PROCESS_PATH_MAX];

	must_start_broker(stage);
	must_write_partner_agreement(stage);
	start_tls_server(stage, port);
	struct peer *service = must_open_service(stage);
	for (uint32_t i = 0; i < 2; i++) {
		snprintf(push, sizeof(push),
		         "url = \"https://127.0.0.1:%d/hook\"; ca_file = \"%s/%s.pem\";", port,
		         stage->directory, authorities[i]);
		must_write_partner_to(stage, push, "max_attempts = 1;", "");
		start_partner(stage);
		must_refer(stage, service, i, "A1234BC");
		must_see(stage, "partner.err", status[i]);
		must_signal(&stage->others[ADAPTER], SIGTERM);
		assert_int_equal(must_end(&stage->others[ADAPTER], WAIT_LONG_MS), 0);
	}
	assert_int_equal(count_in(stage, "partner.err", "attempts=1 status=0"), 1);
	must_have_passed(stage);
}

static void a_summary_is_written_for_the_mail_system(void **state)
{
	struct stage *stage = *state;
	char summary[PROCESS_PATH_MAX + 160];
	char name[64];
	char day[16];
	time_t now = time(NULL);
	struct tm parts;

	must_be(setenv("TZ", "Europe/London", 1) == 0, "no zone");
	tzset();
	localtime_r(&now, &parts);
	strftime(day, sizeof(day), "%Y-%m-%d", &parts);
	snprintf(summary, sizeof(summary),
	         "summary = { dir = \"%s/mail\"; at = \"00:00\"; from = \"a@b\"; to = \"c@d\"; };\n",
	         stage->directory);
	must_write_partner(stage, "", summary);
	must_start_broker(stage);
	start_partner(stage);
	snprintf(name, sizeof(name), "mail/housing-%s.eml", day);
	must_see(stage, name, "Subject: Referrals: 0 new");
	must_see(stage, "state/summary.day", day);
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PARTNER_TEST(what_is_delivered_is_pushed_signed_and_written_to_files),
		PARTNER_TEST(a_receiver_that_fails_for_a_while_gets_it_in_the_end),
		PARTNER_TEST(what_is_given_up_is_listed_sent_again_or_removed_by_command),
		PARTNER_TEST(a_persons_later_events_wait_and_others_go_on),
		PARTNER_TEST(a_receiver_that_is_gone_is_left_alone_and_nothing_is_lost),
		PARTNER_TEST(nothing_is_lost_or_overtaken_when_the_adapter_is_killed),
		PARTNER_TEST(answers_from_files_reach_the_referrer_if_the_table_allows_them),
		PARTNER_TEST(answers_by_http_are_checked_by_the_same_table),
		PARTNER_TEST(nothing_is_told_to_a_server_whose_certificate_is_no_good),
		PARTNER_TEST(a_summary_is_written_for_the_mail_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
