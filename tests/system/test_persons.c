/*
 * Conditions of agreements with real processes: "arrested in Luton, PNC id only". Whether the duty desk hears
 * of it depends on who is enrolled and which numbers are known to be his, before or afterwards; on consent
 * that was taken back; on contradictions that somebody has to decide. And what the operator is shown of it.
 *
 * Every event is said by its agency's key through ttg-pub; the desk and the data steward listen with libttg.
 */
#include "support/peer.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <ttg/event.h>
#include "support/http.h"

#define DUTY "one-service/duty"
#define QUIET_MS 300
#define CONDITION "enrolled=one-service/pilot"
#define WHY "Luton custody rang about him"

/* Two men; the first has a second PNC id that somebody says is his. */
#define NOMS "A1234BC"
#define CRN "X700101"
#define PNC "2002/0073319Z"
#define SECOND_PNC "1981/0000034U"
#define OTHER_NOMS "A7421BQ"
#define OTHER_PNC "2003/0000003Y"

static const char *const secrets[] = { NOMS, CRN, PNC, SECOND_PNC, OTHER_NOMS, OTHER_PNC,
				       "0073319Z", "0000034U", "0000003Y", WHY };

static const char agreement[] =
	"agreement: {\n\tid = \"sample\";\n\ttitle = \"Those who are enrolled\";\n"
	"\tvalid_from = \"2020-01-01\";\n\tvalid_to = \"2099-01-01\";\n"
	"\tpurpose = \"tests\";\n\tgateway = \"consent\";\n"
	"\tparties = [ \"prison\", \"police\", \"probation\", \"one-service\", \"steward\" ];\n"
	"\tpublish = (\n"
	"\t\t{ agency = \"prison\"; types = [ \"prison.reception\" ]; },\n"
	"\t\t{ agency = \"police\"; types = [ \"police.arrest\", \"police.custody_update\" ]; },\n"
	"\t\t{ agency = \"probation\"; types = [ \"probation.identifier_linked\" ]; },\n"
	"\t\t{ agency = \"one-service\"; types = [ \"service.enrolled\", \"service.withdrawn\" ]; }\n"
	"\t);\n\tdeliver = (\n"
	"\t\t{ mailbox = \"one-service/duty\"; from = [ \"police\" ];\n"
	"\t\t  types = [ \"police.arrest\", \"police.custody_update\" ];\n"
	"\t\t  when = { enrolled = \"one-service/pilot\"; }; },\n"
	"\t\t{ mailbox = \"steward/in\"; from = [ \"broker\" ];\n"
	"\t\t  types = [ \"broker.identity_conflict\" ]; }\n"
	"\t);\n};\n";

/* The broker runs under this agreement, and police, probation and prison are believed about numbers. */
static void start(struct stage *stage)
{
	static const char *const believed[] = { "police", "probation", "prison" };

	for (size_t i = 0; i < sizeof(believed) / sizeof(believed[0]); i++)
		must_write_agency(stage, believed[i], NULL, "\tlinks = true;\n");
	must_make_key(stage, "steward");
	must_write(stage, "agencies.d/steward.conf",
		   "agency: { id = \"steward\"; name = \"The data steward\";\n"
		   "keys = ( { label = \"first\"; public_file = \"keys/steward.pub\"; } );\n"
		   "mailboxes = ( { box = \"in\"; } ); };\n");
	must_write(stage, "agreements.d/sample.conf", "%s", agreement);
	must_start_broker(stage);
}

static struct peer *must_listen(struct stage *stage, const char *agency, const char *box)
{
	struct peer *peer = must_open_peer(stage, agency, NULL);

	must_attach(stage, peer, box);
	return peer;
}

/* What was said, and where it came to stand. */
struct said {
	char id[TTG_UUID_TEXT];
	uint64_t sequence;
};

/* [{"kind":"NOMS","value":"A1234BC"}] of "NOMS:A1234BC PNC:..." */
static void write_numbers(const char *numbers, char *out, size_t room)
{
	char copy[200], *word, *rest = NULL;
	size_t n = (size_t)snprintf(out, room, "[");

	snprintf(copy, sizeof(copy), "%s", numbers);
	for (word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		char *value = strchr(word, ':');

		must_be(value != NULL, "a number without its kind");
		*value = '\0';
		n += (size_t)snprintf(out + n, room - n, "%s{\"kind\":\"%s\",\"value\":\"%s\"}",
				      n > 1 ? "," : "", word, value + 1);
	}
	snprintf(out + n, room - n, "]");
}

/* Publishes one event with ttg-pub, which must be told "accepted"; data: fields of the payload, each with
   a comma behind it. */
static struct said must_say(struct stage *stage, const char *agency, const char *type,
			    const char *numbers, const char *data)
{
	char list[600], key[64];
	uint8_t id[TTG_UUID_BYTES];
	struct said said;
	json_error_t error;

	must_be(ttg_uuid_new(id) == TTG_OK, "no id");
	ttg_uuid_format(id, said.id);
	write_numbers(numbers, list, sizeof(list));
	snprintf(key, sizeof(key), "keys/%s.key", agency);
	must_write(stage, "event.json",
		   "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"%s\",\"type\":\"%s\","
		   "\"time\":\"2026-03-02T02:10:00Z\",\"assertion\":\"FACT\","
		   "\"data\":{%s\"person\":{\"identifiers\":%s}}}\n",
		   said.id, agency, type, data, list);
	struct ran ran = must_run_fed(stage, "event.json", "ttg-pub", "--broker", stage->endpoint,
				      "--server-key", "keys/broker.pub", "--key", key, NULL);
	json_t *answer = json_loads(ran.out, 0, &error);
	const char *outcome = json_string_value(json_object_get(answer, "outcome"));
	if (ran.code != 0 || !outcome || strcmp(outcome, "accepted") != 0)
		must_fail("%s of %s: status %d: %s%s", type, agency, ran.code, ran.out, ran.err);
	said.sequence = (uint64_t)json_integer_value(json_object_get(answer, "sequence"));
	json_decref(answer);
	ran_free(&ran);
	return said;
}

static void must_enrol(struct stage *stage, const char *numbers)
{
	must_say(stage, "one-service", "service.enrolled", numbers, "\"scheme\":\"pilot\",");
}

static struct said must_arrest(struct stage *stage, const char *numbers)
{
	return must_say(stage, "police", "police.arrest", numbers,
			"\"alert_id\":\"AL-1\",\"station_name\":\"Luton\",");
}

/* Probation records a number on the first man's case. */
static void must_link_case(struct stage *stage, const char *kind, const char *number)
{
	char data[300];

	snprintf(data, sizeof(data),
		 "\"crn\":{\"kind\":\"CRN\",\"value\":\"" CRN "\"},"
		 "\"linked\":{\"kind\":\"%s\",\"value\":\"%s\"},\"action\":\"ADDED\",",
		 kind, number);
	must_say(stage, "probation", "probation.identifier_linked", "CRN:" CRN, data);
}

static const char *text_of(const json_t *item, const char *name)
{
	const char *text = json_string_value(json_object_get(item, name));

	if (!text)
		must_fail("no text called %s in the answer", name);
	return text;
}

static int64_t number_of(const json_t *item, const char *name)
{
	if (!json_is_integer(json_object_get(item, name)))
		must_fail("no number called %s in the answer", name);
	return json_integer_value(json_object_get(item, name));
}

/* The desk has this event, as delivery number `n`. */
static void must_have_heard(struct stage *stage, struct peer *desk, size_t n, const struct said *said)
{
	char id[TTG_UUID_TEXT];

	must_get(stage, desk, n);
	ttg_uuid_format(desk->got[n - 1].id, id);
	assert_string_equal(id, said->id);
	assert_int_equal(desk->got[n - 1].position, n);
	assert_int_equal(desk->got[n - 1].attempt, 1);
}

/* What ttgctl explain says of an arrest of this person; at NULL: now. */
static void must_explain_at(struct stage *stage, const char *person, const char *at, bool receives,
			    const char *reason)
{
	json_t *items = must_ask(stage, "explain", "--type", "police.arrest", "--from", "police",
				 "--person", person, "--reason", WHY, at ? "--at" : NULL, at, NULL);
	const json_t *found = NULL;

	for (size_t i = 0; i < json_array_size(items); i++) {
		if (strcmp(text_of(json_array_get(items, i), "mailbox"), DUTY) == 0)
			found = json_array_get(items, i);
	}
	assert_non_null(found);
	assert_int_equal(json_is_true(json_object_get(found, "receives")), receives);
	assert_string_equal(text_of(found, "reason"), reason);
	json_decref(items);
}

static void must_explain(struct stage *stage, const char *person, bool receives, const char *reason)
{
	must_explain_at(stage, person, NULL, receives, reason);
}

/* What ttgctl trace tells of it: kinds in order, and in which record it was accepted. */
static void must_trace(struct stage *stage, const struct said *said, int64_t waiting, const char *kinds)
{
	json_t *items = must_ask(stage, "trace", said->id, NULL);
	const json_t *accepted = json_array_get(items, 0);
	char found[512] = "";

	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);

		snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s%s", i ? " " : "",
			 text_of(item, "kind"));
		if (strcmp(text_of(item, "kind"), "recipient") == 0)
			assert_string_equal(text_of(item, "mailbox"), DUTY);
		if (strcmp(text_of(item, "kind"), "late") == 0)
			assert_int_equal(number_of(item, "recipients"), 1);
	}
	assert_string_equal(found, kinds);
	assert_int_equal(number_of(accepted, "sequence"), said->sequence);
	assert_int_equal(waiting > 0 ? number_of(accepted, "waiting") : 0, waiting);
	assert_true(waiting > 0 || !json_object_get(accepted, "waiting"));
	json_decref(items);
}

/* The desk cannot tell that anything was said: no delivery, no count, no position used. */
static void must_know_nothing(struct stage *stage, struct peer *desk)
{
	must_get_no_more(stage, desk, 0, QUIET_MS);
	assert_int_equal(must_ask_mailbox(stage, DUTY, "queued"), 0);
	assert_int_equal(must_ask_mailbox(stage, DUTY, "delivered"), 0);
	assert_int_equal(must_ask_mailbox(stage, DUTY, "stopped"), 0);
	assert_int_equal(must_ask_mailbox(stage, DUTY, "next_position"), 1);
}

static void must_not_hold_secrets(const char *what, const char *text)
{
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		if (strstr(text, secrets[i]))
			must_fail("%s holds \"%s\"", what, secrets[i]);
}

/* Last line of every test: nothing anybody said of a man's numbers is in the log or the metrics. */
static void must_have_kept_quiet(struct stage *stage)
{
	struct http_answer answer = http_ask(stage->http_port, "GET", "/metrics", NULL, NULL, 0);
	char path[PROCESS_PATH_MAX];

	assert_int_equal(answer.status, 200);
	must_not_hold_secrets("metrics", answer.body);
	free(answer.body);
	STAGE_PATH(stage, path, "ttgd.err");
	char *log = must_read_file(path, NULL);
	assert_non_null(strstr(log, "event=ready"));
	must_not_hold_secrets("the log", log);
	free(log);
	must_have_passed(stage);
}

/* By what is known now: his enrolment ends with the year 2090, the agreement later. */
static void what_would_be_given_at_a_time_to_come_is_told(void **state)
{
	struct stage *stage = *state;

	start(stage);
	must_say(stage, "one-service", "service.enrolled", "NOMS:" NOMS,
		 "\"scheme\":\"pilot\",\"until_date\":\"2090-12-31\",");
	must_explain(stage, NOMS, true, "");
	must_explain_at(stage, NOMS, "2090-12-31T12:00:00Z", true, "");
	must_explain_at(stage, NOMS, "2091-01-02T12:00:00Z", false, "not met: " CONDITION);
	struct ran ran = must_run(stage, "ttgctl", "--socket", "control", "explain", "--type",
				  "police.arrest", "--person", NOMS, "--reason", WHY, "--at",
				  "2026-01-01T00:00:00Z", NULL);
	assert_int_equal(ran.code, 2);
	assert_non_null(strstr(ran.err, "at is past"));
	ran_free(&ran);
	must_have_passed(stage);
}

static void a_link_that_is_known_lets_the_arrest_through_once(void **state)
{
	struct stage *stage = *state;

	start(stage);
	struct peer *desk = must_listen(stage, "one-service", "duty");
	must_enrol(stage, "NOMS:" NOMS);
	must_link_case(stage, "NOMS", NOMS);
	must_link_case(stage, "PNC", PNC);
	must_explain(stage, "PNC:" PNC, true, "");
	struct said arrest = must_arrest(stage, "PNC:" PNC);
	must_have_heard(stage, desk, 1, &arrest);
	must_settle(stage, DUTY, "queued", 0);
	must_get_no_more(stage, desk, 1, QUIET_MS);
	must_trace(stage, &arrest, 0, "accepted recipient delivered acked");
	must_have_kept_quiet(stage);
}

enum meanwhile { NOTHING, STOPPED, KILLED };

/* The arrest comes first, then the link; with the broker's end and start between the two. */
static void play_late_link(struct stage *stage, enum meanwhile meanwhile)
{
	start(stage);
	struct peer *desk = must_listen(stage, "one-service", "duty");
	must_enrol(stage, "NOMS:" NOMS);
	must_link_case(stage, "NOMS", NOMS);
	struct said arrest = must_arrest(stage, "PNC:" PNC);
	must_know_nothing(stage, desk);
	must_explain(stage, "PNC:" PNC, false, "not met: " CONDITION);
	must_trace(stage, &arrest, 1, "accepted");
	if (meanwhile == STOPPED)
		assert_int_equal(must_stop_broker(stage), 0);
	if (meanwhile == KILLED)
		process_kill(&stage->broker);
	if (meanwhile != NOTHING) {
		must_start_broker(stage);
		must_be_ready(stage, desk);
		must_know_nothing(stage, desk);
	}
	assert_true(must_read_metric(stage->http_port, "ttgd_waiting_events") == 1);
	must_link_case(stage, "PNC", PNC);
	must_have_heard(stage, desk, 1, &arrest);
	must_settle(stage, DUTY, "queued", 0);
	must_get_no_more(stage, desk, 1, QUIET_MS);
	must_trace(stage, &arrest, 1, "accepted late recipient delivered acked");
	assert_true(must_read_metric(stage->http_port, "ttgd_waiting_events") == 0);
	must_explain(stage, "PNC:" PNC, true, "");
	must_have_kept_quiet(stage);
}

static void a_link_that_comes_afterwards_lets_the_arrest_through_once(void **state)
{
	play_late_link(*state, NOTHING);
	assert_true(((struct stage *)*state)->done);
}

static void so_does_one_that_comes_after_a_restart(void **state)
{
	play_late_link(*state, STOPPED);
	assert_true(((struct stage *)*state)->done);
}

static void so_does_one_that_comes_after_a_crash(void **state)
{
	play_late_link(*state, KILLED);
	assert_true(((struct stage *)*state)->done);
}

static void of_a_man_outside_the_scheme_nobody_ever_hears(void **state)
{
	struct stage *stage = *state;

	start(stage);
	struct peer *desk = must_listen(stage, "one-service", "duty");
	must_enrol(stage, "NOMS:" NOMS);
	struct said arrest = must_arrest(stage, "PNC:" OTHER_PNC);
	must_say(stage, "police", "police.custody_update", "PNC:" OTHER_PNC,
		 "\"alert_id\":\"AL-1\",\"disposition\":\"NO_FURTHER_ACTION\",");
	must_say(stage, "prison", "prison.reception", "NOMS:" OTHER_NOMS " PNC:" OTHER_PNC, "");
	must_explain(stage, OTHER_NOMS, false, "not met: " CONDITION);
	must_know_nothing(stage, desk);
	/* Enrolled later, he is told of from then on; what was before stays his. */
	must_enrol(stage, "NOMS:" OTHER_NOMS);
	must_know_nothing(stage, desk);
	struct said later = must_arrest(stage, "PNC:" OTHER_PNC);
	must_have_heard(stage, desk, 1, &later);
	must_get_no_more(stage, desk, 1, QUIET_MS);
	must_trace(stage, &arrest, 1, "accepted");
	must_have_kept_quiet(stage);
}

static void consent_taken_back_stops_what_waits_for_the_desk(void **state)
{
	struct stage *stage = *state;

	start(stage);
	must_enrol(stage, "NOMS:" NOMS);
	must_enrol(stage, "NOMS:" OTHER_NOMS);
	must_say(stage, "prison", "prison.reception", "NOMS:" NOMS " PNC:" PNC, "");
	must_arrest(stage, "PNC:" PNC);
	struct said other = must_arrest(stage, "NOMS:" OTHER_NOMS);
	struct said update = must_say(stage, "police", "police.custody_update", "NOMS:" NOMS,
				      "\"alert_id\":\"AL-1\",\"disposition\":\"NO_FURTHER_ACTION\",");
	assert_int_equal(must_ask_mailbox(stage, DUTY, "queued"), 3);
	must_say(stage, "one-service", "service.withdrawn", "NOMS:" NOMS, "\"scheme\":\"pilot\",");
	must_explain(stage, "PNC:" PNC, false, "not met: " CONDITION);
	struct peer *desk = must_listen(stage, "one-service", "duty");
	must_get(stage, desk, 1);
	must_settle(stage, DUTY, "queued", 0);
	must_arrest(stage, "PNC:" PNC); /* and nothing new */
	must_get_no_more(stage, desk, 1, QUIET_MS);
	char id[TTG_UUID_TEXT];
	ttg_uuid_format(desk->got[0].id, id);
	assert_string_equal(id, other.id);
	assert_int_equal(must_ask_mailbox(stage, DUTY, "stopped"), 2);
	assert_int_equal(must_ask_mailbox(stage, DUTY, "delivered"), 1);
	must_trace(stage, &update, 0, "accepted recipient stopped");
	must_have_kept_quiet(stage);
}

/* ttgctl with these words ends with this status, and says why when it is not 0. */
static void must_end_with(struct stage *stage, int code, const char *const words[8])
{
	struct ran ran = must_run(stage, "ttgctl", "--socket", "control", words[0], words[1], words[2],
				  words[3], words[4], words[5], words[6], NULL);

	if (ran.code != code || (code != 0 && ran.err[0] == '\0'))
		must_fail("ttgctl %s %s %s: status %d, should be %d: %s%s", words[0], words[1],
			  words[2] ? words[2] : "", ran.code, code, ran.out, ran.err);
	must_not_hold_secrets("the answer", ran.out);
	ran_free(&ran);
}

/* The steward was sent both sides of it: the second PNC id, and the first that it contradicts. */
static void must_have_told_both_sides(struct stage *stage, struct peer *steward, char name[32])
{
	const Ttg__BrokerIdentityConflict *told;
	uint32_t sides[2] = { 0, 0 };

	must_get(stage, steward, 1);
	assert_string_equal(steward->got[0].type, "broker.identity_conflict");
	told = steward->newest->broker_identity_conflict;
	assert_non_null(told);
	for (size_t i = 0; i < told->n_claims; i++) {
		const Ttg__ConflictingClaim *claim = told->claims[i];

		assert_non_null(claim->identifier);
		assert_string_equal(claim->claimed_agency, "prison");
		assert_int_equal(claim->event_id.len, TTG_UUID_BYTES);
		if (strcmp(claim->identifier->value, SECOND_PNC) == 0)
			sides[0] = claim->side;
		if (strcmp(claim->identifier->value, PNC) == 0)
			sides[1] = claim->side;
	}
	assert_true(sides[0] > 0 && sides[1] > 0 && sides[0] != sides[1]);
	snprintf(name, 32, "%s", told->conflict_id);
}

static void must_list_conflict(struct stage *stage, const char *name)
{
	json_t *items = must_ask(stage, "person", "conflicts", NULL);
	const json_t *item = json_array_get(items, 0);

	assert_int_equal(json_array_size(items), 1);
	assert_string_equal(text_of(item, "conflict"), name);
	assert_string_equal(text_of(item, "what"), "link NOMS PNC");
	assert_string_equal(text_of(item, "agencies"), "prison");
	assert_true(must_read_metric(stage->http_port, "ttgd_identity_conflicts") == 1);
	json_decref(items);
}

/* Decided wrongly in every way there is, the conflict stays open. */
static void must_refuse_to_decide(struct stage *stage, const char *name)
{
	must_end_with(stage, 1, (const char *const[8]){ "person", "resolve", "99999.0", "accept",
							"--reason", WHY });
	must_end_with(stage, 2, (const char *const[8]){ "person", "resolve", "the-one", "accept",
							"--reason", WHY });
	must_end_with(stage, 2, (const char *const[8]){ "person", "resolve", name, "accept" });
	must_end_with(stage, 2, (const char *const[8]){ "person", "resolve", name, "accept",
							"--reason", "x" });
	must_end_with(stage, 2, (const char *const[8]){ "person", "resolve", name, "maybe",
							"--reason", WHY });
	must_list_conflict(stage, name);
}

static void play_contradiction(struct stage *stage, const char *decision)
{
	const bool accept = strcmp(decision, "accept") == 0;
	char name[32];

	start(stage);
	struct peer *desk = must_listen(stage, "one-service", "duty");
	struct peer *steward = must_listen(stage, "steward", "in");
	must_enrol(stage, "NOMS:" NOMS);
	must_enrol(stage, "NOMS:" OTHER_NOMS);
	must_say(stage, "prison", "prison.reception", "NOMS:" NOMS " PNC:" PNC, "");
	must_say(stage, "prison", "prison.reception", "NOMS:" NOMS " PNC:" SECOND_PNC, "");
	must_have_told_both_sides(stage, steward, name);
	struct said first = must_arrest(stage, "PNC:" PNC);
	struct said second = must_arrest(stage, "PNC:" SECOND_PNC);
	must_know_nothing(stage, desk);
	must_explain(stage, "PNC:" PNC, false, "who the person is is in dispute");
	struct said other = must_arrest(stage, "NOMS:" OTHER_NOMS);
	must_have_heard(stage, desk, 1, &other);
	must_list_conflict(stage, name);
	must_refuse_to_decide(stage, name);
	must_get_no_more(stage, desk, 1, QUIET_MS);
	must_end_with(stage, 0, (const char *const[8]){ "person", "resolve", name, decision,
							"--reason", WHY });
	must_have_heard(stage, desk, 2, &first);
	if (accept)
		must_have_heard(stage, desk, 3, &second);
	must_settle(stage, DUTY, "queued", 0);
	/* Said again, it is decided; and decided once. */
	must_say(stage, "prison", "prison.reception", "NOMS:" NOMS " PNC:" SECOND_PNC, "");
	must_get_no_more(stage, desk, accept ? 3 : 2, QUIET_MS);
	must_trace(stage, &second, 1, accept ? "accepted late recipient delivered acked" : "accepted");
	must_end_with(stage, 1, (const char *const[8]){ "person", "resolve", name, decision,
							"--reason", WHY });
	assert_true(must_read_metric(stage->http_port, "ttgd_identity_conflicts") == 0);
	assert_int_equal(steward->n_got, 1);
	must_have_kept_quiet(stage);
}

static void a_contradiction_that_is_accepted_lets_both_arrests_go(void **state)
{
	play_contradiction(*state, "accept");
	assert_true(((struct stage *)*state)->done);
}

static void one_that_is_rejected_lets_those_go_that_are_his(void **state)
{
	play_contradiction(*state, "reject");
	assert_true(((struct stage *)*state)->done);
}

/* Of the items of person show, one that is about this and says so. */
/* The only line of the log of disclosures there is for these arguments, by name. */
static void must_have_been_told(struct stage *stage, const char *person, const struct said *said,
				const char *outcome)
{
	json_t *items = must_ask(stage, "disclosures", "--person", person, "--agency", "one-service",
				 "--reason", WHY, NULL);
	const json_t *line = json_array_get(items, 0);

	assert_int_equal(json_array_size(items), 1);
	assert_string_equal(text_of(line, "event_id"), said->id);
	assert_int_equal(number_of(line, "sequence"), (int64_t)said->sequence);
	assert_string_equal(text_of(line, "type"), "police.arrest");
	assert_string_equal(text_of(line, "from"), "police");
	assert_string_equal(text_of(line, "to"), DUTY);
	assert_string_equal(text_of(line, "outcome"), outcome);
	assert_string_equal(json_string_value(json_array_get(json_object_get(line, "agreements"), 0)),
			    "sample");
	json_decref(items);
}

static void what_was_given_to_whom_is_told_by_person_agency_and_time(void **state)
{
	struct stage *stage = *state;

	start(stage);
	must_enrol(stage, "NOMS:" NOMS);
	must_enrol(stage, "NOMS:" OTHER_NOMS);
	struct peer *desk = must_listen(stage, "one-service", "duty");
	struct said his = must_arrest(stage, "PNC:" PNC); /* goes out late */
	must_say(stage, "prison", "prison.reception", "NOMS:" NOMS " PNC:" PNC, "");
	must_have_heard(stage, desk, 1, &his);
	desk->habit = PEER_KEEPS;
	struct said others = must_arrest(stage, "NOMS:" OTHER_NOMS);
	must_get(stage, desk, 2);
	must_settle(stage, DUTY, "queued", 1);
	must_have_been_told(stage, NOMS, &his, "acknowledged"); /* by whichever of his numbers */
	must_have_been_told(stage, PNC, &his, "acknowledged");
	must_have_been_told(stage, OTHER_NOMS, &others, "open");
	struct ran csv = must_run(stage, "ttgctl", "--csv", "--socket", "control", "disclosures", "--until",
				  "2020-01-01T00:00:00Z", "--reason", WHY, NULL);
	assert_int_equal(csv.code, 0);
	assert_string_equal(csv.out, ""); /* nothing was before */
	ran_free(&csv);
	csv = must_run(stage, "ttgctl", "--csv", "--socket", "control", "disclosures", "--since",
		       "2020-01-01T00:00:00Z", "--reason", WHY, NULL);
	assert_non_null(strstr(csv.out, "\"delivered_at\",\"type\",\"from\",\"to\",\"agreements\""));
	assert_non_null(strstr(csv.out, "\"police.arrest\",\"police\",\"" DUTY "\",\"sample\""));
	must_not_hold_secrets("disclosures", csv.out);
	ran_free(&csv);
	json_t *tail = must_ask(stage, "tail", NULL);
	assert_string_equal(text_of(json_array_get(tail, json_array_size(tail) - 1), "kind"), "consulted");
	json_decref(tail);
	must_have_kept_quiet(stage);
}

static bool has_fact(const json_t *items, const char *what, const char *text)
{
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);

		if (strcmp(text_of(item, "what"), what) == 0 && strstr(text_of(item, "text"), text))
			return true;
	}
	return false;
}

/* Of the last lines of history, those that say who asked for a person. */
static void must_have_noted_who_asked(struct stage *stage, size_t times)
{
	json_t *items = must_ask(stage, "tail", "--count", "50", NULL);
	char who[32], *all = json_dumps(items, 0);
	size_t n = 0;

	snprintf(who, sizeof(who), "uid %u", (unsigned)getuid());
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);

		if (strcmp(text_of(item, "kind"), "consulted") != 0)
			continue;
		assert_string_equal(text_of(item, "who"), who);
		assert_int_equal(strlen(text_of(item, "person_key")), 32);
		n++;
	}
	assert_int_equal(n, times);
	must_not_hold_secrets("tail", all);
	free(all);
	json_decref(items);
}

static void who_asks_of_a_person_is_shown_kinds_and_leaves_a_trace(void **state)
{
	struct stage *stage = *state;

	start(stage);
	must_enrol(stage, "NOMS:" NOMS);
	must_link_case(stage, "NOMS", NOMS);
	must_link_case(stage, "PNC", PNC);
	json_t *items = must_ask(stage, "person", "show", NOMS, "--reason", WHY, NULL);
	char *all = json_dumps(items, 0);
	assert_string_equal(text_of(json_array_get(items, 0), "what"), "person");
	assert_int_equal(strlen(text_of(json_array_get(items, 0), "text")), 32);
	assert_true(has_fact(items, "number", "NOMS"));
	assert_true(has_fact(items, "number", "CRN"));
	assert_true(has_fact(items, "number", "PNC"));
	assert_true(has_fact(items, "scheme", "one-service/pilot"));
	must_not_hold_secrets("person show", all);
	free(all);
	json_decref(items);
	must_have_noted_who_asked(stage, 1);
	/* Any of his numbers leads to him; one that nobody named leads nowhere, and that was asked too. */
	must_end_with(stage, 0, (const char *const[8]){ "person", "show", "PNC:" PNC, "--reason", WHY });
	must_end_with(stage, 1, (const char *const[8]){ "person", "show", OTHER_NOMS, "--reason", WHY });
	must_have_noted_who_asked(stage, 3);
	must_end_with(stage, 2, (const char *const[8]){ "person", "show", NOMS });
	must_end_with(stage, 2, (const char *const[8]){ "person", "show", NOMS, "--reason", "x" });
	must_end_with(stage, 2, (const char *const[8]){ "person", "show", "nobody", "--reason", WHY });
	must_have_noted_who_asked(stage, 3);
	must_have_kept_quiet(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(what_would_be_given_at_a_time_to_come_is_told),
		STAGE_TEST(a_link_that_is_known_lets_the_arrest_through_once),
		STAGE_TEST(a_link_that_comes_afterwards_lets_the_arrest_through_once),
		STAGE_TEST(so_does_one_that_comes_after_a_restart),
		STAGE_TEST(so_does_one_that_comes_after_a_crash),
		STAGE_TEST(of_a_man_outside_the_scheme_nobody_ever_hears),
		STAGE_TEST(consent_taken_back_stops_what_waits_for_the_desk),
		STAGE_TEST(a_contradiction_that_is_accepted_lets_both_arrests_go),
		STAGE_TEST(one_that_is_rejected_lets_those_go_that_are_his),
		STAGE_TEST(what_was_given_to_whom_is_told_by_person_agency_and_time),
		STAGE_TEST(who_asks_of_a_person_is_shown_kinds_and_leaves_a_trace),
	};

	return cmocka_run_group_tests_name("persons", tests, NULL, NULL);
}
