/*
 * The life of a referral against real processes: what is out of order is refused with its state
 * named, whoever was not asked moves nothing, a crash forgets nothing, and an answer that is overdue
 * is told to the referrer. Everything is said through ttg-pub.
 */
#include "support/peer.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ttg/event.h>
#include "support/http.h"
#include "support/wait.h"

#define REFUSED_METRIC "ttgd_events_refused_total{code=\"refused_referral\"}"
#define SOON_MS 1500
#define QUIET_MS 300

static void start(struct stage *stage)
{
	must_write(stage, "agreements.d/referrals.conf",
		   "agreement: {\n\tid = \"referrals\";\n\ttitle = \"Referrals\";\n"
		   "\tvalid_from = \"2020-01-01\";\n\tvalid_to = \"2099-01-01\";\n"
		   "\tpurpose = \"tests\";\n\tgateway = \"consent\";\n\trecipient = \"other\";\n"
		   "\tparties = [ \"one-service\", \"housing\", \"probation\" ];\n"
		   "\tpublish = (\n"
		   "\t\t{ agency = \"one-service\"; types = [ \"referral.withdrawn\" ]; },\n"
		   "\t\t{ agency = \"probation\"; types = [ \"referral.accepted\" ]; },\n"
		   "\t\t{ agency = \"housing\"; types = [ \"referral.acknowledged\",\n"
		   "\t\t  \"referral.accepted\", \"referral.declined\", \"referral.started\",\n"
		   "\t\t  \"referral.ended\" ]; }\n\t);\n"
		   "\tdeliver = (\n"
		   "\t\t{ mailbox = \"housing/referrals\"; from = [ \"one-service\" ];\n"
		   "\t\t  types = [ \"referral.withdrawn\" ]; addressed_by = \"provider_agency\"; },\n"
		   "\t\t{ mailbox = \"one-service/duty\"; from = [ \"housing\", \"probation\" ];\n"
		   "\t\t  types = [ \"referral.accepted\" ]; addressed_by = \"referrer_agency\"; },\n"
		   "\t\t{ mailbox = \"one-service/duty\"; from = [ \"housing\" ];\n"
		   "\t\t  types = [ \"referral.acknowledged\", \"referral.declined\",\n"
		   "\t\t  \"referral.started\", \"referral.ended\" ];\n"
		   "\t\t  addressed_by = \"referrer_agency\"; }\n\t);\n};\n");
	must_start_broker(stage);
}

/* A line for ttg-pub; more: further fields, each with a comma before it. */
static void write_line(char *out, size_t room, const char *agency, const char *type, const char *more)
{
	uint8_t id[TTG_UUID_BYTES];
	char text[TTG_UUID_TEXT];

	must_be(ttg_uuid_new(id) == TTG_OK, "no id");
	ttg_uuid_format(id, text);
	snprintf(out, room,
		 "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"%s\",\"type\":\"referral.%s\","
		 "\"time\":\"2026-03-02T10:00:00Z\",\"data\":{\"referral_id\":\"R-4711\","
		 "\"provider_agency\":\"housing\",\"referrer_agency\":\"one-service\"%s,"
		 "\"person\":{\"identifiers\":[{\"kind\":\"NOMS\",\"value\":\"A1234BC\"}]}}}\n",
		 text, agency, type, more);
}

/* What ttg-pub says of these lines. */
static struct ran publish(struct stage *stage, const char *agency, const char *lines)
{
	char key[64];

	snprintf(key, sizeof(key), "keys/%s.key", agency);
	must_write(stage, "events.json", "%s", lines);
	return must_run_fed(stage, "events.json", "ttg-pub", "--broker", stage->endpoint,
			    "--server-key", "keys/broker.pub", "--key", key, NULL);
}

/* Of a line it said: "accepted", or the text of a refusal with 115. */
static void check_answer(const char *line, size_t len, const char *wanted)
{
	json_error_t error;
	json_t *answer = json_loadb(line, len, 0, &error);
	const char *outcome = json_string_value(json_object_get(answer, "outcome"));
	const char *text = json_string_value(json_object_get(answer, "text"));

	if (strcmp(wanted, "accepted") == 0) {
		if (!outcome || strcmp(outcome, wanted) != 0)
			must_fail("not accepted: %.*s", (int)len, line);
	} else {
		if (!outcome || strcmp(outcome, "refused") != 0 || !text || strcmp(text, wanted) != 0)
			must_fail("not refused as \"%s\": %.*s", wanted, (int)len, line);
		assert_int_equal(json_integer_value(json_object_get(answer, "code")),
				 TTG_REFUSED_REFERRAL);
		assert_string_equal(json_string_value(json_object_get(answer, "name")),
				    "refused_referral");
	}
	json_decref(answer);
}

static void must_say(struct stage *stage, const char *agency, const char *type, const char *more,
		     const char *wanted)
{
	char line[1024];
	struct ran ran;

	write_line(line, sizeof(line), agency, type, more);
	ran = publish(stage, agency, line);
	assert_int_equal(ran.code, strcmp(wanted, "accepted") == 0 ? 0 : 1);
	check_answer(ran.out, strlen(ran.out), wanted);
	ran_free(&ran);
}

static void must_say_plain(struct stage *stage, const char *agency, const char *type)
{
	must_say(stage, agency, type, "", "accepted");
}

static void what_is_out_of_order_is_refused_and_the_state_is_named(void **state)
{
	struct stage *stage = *state;
	char path[PROCESS_PATH_MAX];
	char *log;

	start(stage);
	must_say_plain(stage, "one-service", "sent");
	must_say_plain(stage, "housing", "accepted");
	must_say(stage, "housing", "declined", "",
		 "the referral is accepted; referral.declined may not follow");
	must_say(stage, "one-service", "sent", "",
		 "the referral is accepted; referral.sent may not follow");
	must_see(stage, "ttgd.err", "code=refused_referral");
	assert_true(must_read_metric(stage->http_port, REFUSED_METRIC) == 2);
	assert_true(must_read_metric(stage->http_port, "ttgd_referrals") == 1);
	must_say_plain(stage, "housing", "started");
	must_say_plain(stage, "one-service", "withdrawn");
	must_say(stage, "housing", "ended", "",
		 "the referral is withdrawn; referral.ended may not follow");
	STAGE_PATH(stage, path, "ttgd.err");
	log = must_read_file(path, NULL);
	assert_null(strstr(log, "R-4711"));
	free(log);
	must_have_passed(stage);
}

static void who_was_not_asked_may_not_answer(void **state)
{
	struct stage *stage = *state;

	start(stage);
	must_say_plain(stage, "one-service", "sent");
	must_say(stage, "probation", "accepted", "",
		 "only the provider that a referral names may answer it");
	must_say_plain(stage, "housing", "accepted");
	must_have_passed(stage);
}

static void events_of_one_frame_see_each_other(void **state)
{
	static const char *const types[] = { "acknowledged", "accepted", "declined", "started" };
	static const char *const wanted[] = {
		"accepted", "accepted", "the referral is accepted; referral.declined may not follow",
		"accepted"
	};
	struct stage *stage = *state;
	char lines[4096] = "";
	const char *at;
	struct ran ran;

	start(stage);
	must_say_plain(stage, "one-service", "sent");
	for (size_t i = 0; i < 4; i++)
		write_line(lines + strlen(lines), sizeof(lines) - strlen(lines), "housing", types[i], "");
	ran = publish(stage, "housing", lines);
	at = ran.out;
	for (size_t i = 0; i < 4; i++) {
		const char *end = strchr(at, '\n');

		if (!end)
			must_fail("too few answers: %s", ran.out);
		check_answer(at, (size_t)(end - at), wanted[i]);
		at = end + 1;
	}
	ran_free(&ran);
	must_have_passed(stage);
}

static void a_crash_forgets_no_state(void **state)
{
	struct stage *stage = *state;

	start(stage);
	must_say_plain(stage, "one-service", "sent");
	must_say_plain(stage, "housing", "acknowledged");
	process_kill(&stage->broker);
	must_start_broker(stage);
	must_say(stage, "housing", "acknowledged", "",
		 "the referral is acknowledged; referral.acknowledged may not follow");
	must_say_plain(stage, "housing", "declined");
	assert_int_equal(must_stop_broker(stage), 0); /* from a snapshot */
	must_start_broker(stage);
	must_say(stage, "housing", "accepted", "",
		 "the referral is declined; referral.accepted may not follow");
	must_have_passed(stage);
}

/* The refusal stands in the log of disclosures as every refusal for good does. */
static void a_refusal_is_kept_for_the_log(void **state)
{
	struct stage *stage = *state;
	bool found = false;
	json_t *items, *item;
	size_t i;

	start(stage);
	must_say_plain(stage, "one-service", "sent");
	must_say(stage, "housing", "ended", "", "the referral is sent; referral.ended may not follow");
	/* A line a second; one more event brings it to disk. */
	must_say_plain(stage, "housing", "accepted");
	for (int64_t deadline_ms = wait_now_ms() + WAIT_LONG_MS; !found;) {
		items = must_ask(stage, "disclosures", "--reason", "a test of refusals", NULL);
		json_array_foreach(items, i, item) {
			const char *outcome = json_string_value(json_object_get(item, "outcome"));

			found = found || (outcome && strcmp(outcome, "refused_referral") == 0);
		}
		json_decref(items);
		must_be(found || wait_step(deadline_ms), "no line tells of the refusal");
	}
	must_have_passed(stage);
}

static void by_in(char *out, size_t room, int in_ms)
{
	const time_t at = time(NULL) + (in_ms + 999) / 1000;
	char text[32];
	struct tm parts;

	gmtime_r(&at, &parts);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
	snprintf(out, room, ",\"answer_by_at\":\"%s\"", text);
}

static void must_hear_overdue(struct stage *stage, struct peer *service, bool acknowledged)
{
	const Ttg__BrokerReferralOverdue *it;

	must_get(stage, service, 1);
	assert_string_equal(service->got[0].mailbox, "one-service/duty");
	assert_string_equal(service->got[0].type, "broker.referral_overdue");
	assert_string_equal(service->got[0].source, "broker");
	it = service->newest->broker_referral_overdue;
	assert_string_equal(it->referral_id, "R-4711");
	assert_string_equal(it->provider_agency, "housing");
	assert_string_equal(it->referrer_agency, "one-service");
	assert_int_equal(it->waiting,
			 acknowledged ? TTG__REFERRAL_WAITING__REFERRAL_WAITING_ACKNOWLEDGED
				      : TTG__REFERRAL_WAITING__REFERRAL_WAITING_SENT);
	assert_true(it->answer_by_at->unix_ns <= made_now_ns());
	must_get_no_more(stage, service, 1, QUIET_MS);
}

static void an_overdue_answer_is_told_to_the_referrer_once(void **state)
{
	struct stage *stage = *state;
	char by[64];

	start(stage);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	by_in(by, sizeof(by), SOON_MS);
	must_say(stage, "one-service", "sent", by, "accepted");
	must_hear_overdue(stage, service, false);
	must_see(stage, "ttgd.err", "referral_overdue");
	assert_true(must_read_metric(stage->http_port, "ttgd_referrals_overdue_total") == 1);
	must_settle(stage, "one-service/duty", "queued", 0);
	process_kill(&stage->broker);
	must_start_broker(stage);
	must_be_ready(stage, service);
	must_get_no_more(stage, service, 1, QUIET_MS);
	must_have_passed(stage);
}

static void it_is_told_by_the_broker_that_comes_after_a_crash(void **state)
{
	struct stage *stage = *state;
	char by[64];

	start(stage);
	by_in(by, sizeof(by), SOON_MS);
	must_say(stage, "one-service", "sent", by, "accepted");
	process_kill(&stage->broker);
	must_start_broker(stage);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	must_hear_overdue(stage, service, false);
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(what_is_out_of_order_is_refused_and_the_state_is_named),
		STAGE_TEST(who_was_not_asked_may_not_answer),
		STAGE_TEST(events_of_one_frame_see_each_other),
		STAGE_TEST(a_crash_forgets_no_state),
		STAGE_TEST(a_refusal_is_kept_for_the_log),
		STAGE_TEST(an_overdue_answer_is_told_to_the_referrer_once),
		STAGE_TEST(it_is_told_by_the_broker_that_comes_after_a_crash),
	};

	return cmocka_run_group_tests_name("referrals", tests, NULL, NULL);
}
