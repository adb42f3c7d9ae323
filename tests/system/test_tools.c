/*
 * ttg-pub and ttg-sub on the command line: CloudEvents lines in and out, outcomes, counts, limits
 * of time, refusing, and what they end with.
 */
#include "support/peer.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "support/wait.h"

#define DUTY "one-service/duty"
#define ID(n) "0196f5a0-0000-7000-8000-00000000000" n

/* A line of input: an event about A1234BC with this id, source and type. */
#define LINE(id, source, type, data)                                                               \
	"{\"specversion\":\"1.0\",\"id\":\"" id "\",\"source\":\"" source "\",\"type\":\"" type    \
	"\",\"time\":\"2026-01-05T09:05:00Z\",\"data\":{" data                                     \
	"\"person\":{\"identifiers\":[{\"kind\":\"NOMS\",\"value\":\"A1234BC\"}]}}}\n"
#define RELEASED(id) LINE(id, "prison", "prison.released", "\"prison_code\":\"PBI\",")

static struct ran must_pub(struct stage *stage, const char *key, const char *lines)
{
	char key_file[64];

	must_write(stage, "events.json", "%s", lines);
	snprintf(key_file, sizeof(key_file), "keys/%s.key", key);
	return must_run_fed(stage, "events.json", "ttg-pub", "--broker", stage->endpoint,
			    "--server-key", "keys/broker.pub", "--key", key_file, NULL);
}

/* Runs ttg-sub on the duty mailbox with one or two more arguments. */
static struct ran must_sub(struct stage *stage, const char *option, const char *value,
			   const char *more)
{
	return must_run(stage, "ttg-sub", "--broker", stage->endpoint, "--server-key",
			"keys/broker.pub", "--key", "keys/one-service.key", "--mailbox", "duty",
			"--timeout", "10", option, value, more, NULL);
}

/* Field of line number `index` of a text of JSON lines; must be there. */
static json_t *must_find(const char *text, int index, const char *field)
{
	json_error_t error;

	for (int i = 0; i < index && text; i++) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	json_t *line = text ? json_loadb(text, strcspn(text, "\n"), 0, &error) : NULL;
	json_t *value = json_incref(json_object_get(line, field));
	json_decref(line);
	if (!value)
		must_fail("line %d has no %s", index, field);
	return value;
}

static void must_read(const char *text, int index, const char *field, const char *expected)
{
	json_t *value = must_find(text, index, field);

	if (!json_is_string(value) || strcmp(json_string_value(value), expected) != 0)
		must_fail("%s of line %d is not %s: %s", field, index, expected, text);
	json_decref(value);
}

static int64_t must_count(const char *text, int index, const char *field)
{
	json_t *value = must_find(text, index, field);
	int64_t number = json_is_integer(value) ? json_integer_value(value)
						: strtoll(json_string_value(value), NULL, 10);

	json_decref(value);
	return number;
}

static int lines_of(const char *text)
{
	int n = 0;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		n++;
	return n;
}

static void what_ttg_pub_sends_ttg_sub_prints(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct ran pub = must_pub(stage, "prison", RELEASED(ID("1")) RELEASED(ID("2")));
	if (pub.code != 0)
		must_fail("ttg-pub: %d %s%s", pub.code, pub.out, pub.err);
	assert_int_equal(lines_of(pub.out), 2);
	must_read(pub.out, 0, "id", ID("1"));
	must_read(pub.out, 0, "outcome", "accepted");
	assert_true(must_count(pub.out, 1, "sequence") > must_count(pub.out, 0, "sequence"));
	ran_free(&pub);
	struct ran sub = must_sub(stage, "--count", "2", NULL);
	assert_int_equal(sub.code, 0);
	assert_int_equal(lines_of(sub.out), 2);
	must_read(sub.out, 0, "id", ID("1"));
	must_read(sub.out, 0, "specversion", "1.0");
	must_read(sub.out, 0, "type", "prison.released");
	must_read(sub.out, 0, "source", "prison");
	must_read(sub.out, 0, "mailbox", DUTY);
	must_read(sub.out, 1, "id", ID("2"));
	assert_int_equal(must_count(sub.out, 1, "sequence"), 2);
	assert_int_equal(must_count(sub.out, 1, "attempt"), 1);
	ran_free(&sub);
	must_settle(stage, DUTY, "queued", 0);
	must_have_passed(stage);
}

static void ttg_pub_tells_duplicates_and_refusals_apart(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct ran pub = must_pub(stage, "prison", RELEASED(ID("1")));
	int64_t sequence = must_count(pub.out, 0, "sequence");
	ran_free(&pub);
	pub = must_pub(stage, "prison",
		       RELEASED(ID("1")) LINE(ID("2"), "police", "prison.released", "")
			       LINE(ID("3"), "prison", "prison.activity", "") "no json\n"
				       LINE(ID("4"), "prison", "prison.nonsense", "")
					       RELEASED(ID("5")));
	assert_int_equal(pub.code, 1);
	assert_int_equal(lines_of(pub.out), 6);
	must_read(pub.out, 0, "outcome", "duplicate");
	assert_int_equal(must_count(pub.out, 0, "sequence"), sequence);
	must_read(pub.out, 1, "name", "refused_source");
	assert_int_equal(must_count(pub.out, 1, "code"), 103);
	must_read(pub.out, 2, "name", "refused_not_agreed");
	must_read(pub.out, 3, "outcome", "refused");
	must_read(pub.out, 4, "outcome", "refused");
	must_read(pub.out, 5, "outcome", "accepted"); /* the rest of the input goes on */
	ran_free(&pub);
	must_have_passed(stage);
}

static void what_ttg_sub_does_not_acknowledge_comes_again(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct ran pub = must_pub(stage, "prison", RELEASED(ID("1")));
	assert_int_equal(pub.code, 0);
	ran_free(&pub);
	struct ran sub = must_sub(stage, "--count", "1", "--no-ack");
	assert_int_equal(sub.code, 0);
	assert_int_equal(must_count(sub.out, 0, "attempt"), 1);
	ran_free(&sub);
	sub = must_sub(stage, "--count", "1", NULL);
	assert_int_equal(sub.code, 0);
	must_read(sub.out, 0, "id", ID("1"));
	assert_int_equal(must_count(sub.out, 0, "attempt"), 2);
	ran_free(&sub);
	must_settle(stage, DUTY, "queued", 0);
	must_have_passed(stage);
}

static void ttg_sub_can_refuse_with_a_reason(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct ran pub = must_pub(stage, "prison", RELEASED(ID("1")));
	assert_int_equal(pub.code, 0);
	ran_free(&pub);
	struct ran sub = must_run(stage, "ttg-sub", "--broker", stage->endpoint, "--server-key",
				  "keys/broker.pub", "--key", "keys/one-service.key", "--mailbox",
				  "duty", "--nack", "not-ours", "--count", "1", NULL);
	assert_int_equal(sub.code, 0);
	ran_free(&sub);
	must_settle(stage, DUTY, "parked", 1);
	json_t *letters = must_ask(stage, "deadletters", "list", DUTY, NULL);
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(letters, 0), "reason")),
		"not_ours");
	json_decref(letters);
	must_have_passed(stage);
}

static void ttg_sub_gives_up_after_its_time(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	int64_t began_ms = wait_now_ms();
	struct ran sub = must_run(stage, "ttg-sub", "--broker", stage->endpoint, "--server-key",
				  "keys/broker.pub", "--key", "keys/one-service.key", "--mailbox",
				  "duty", "--count", "1", "--timeout", "1", NULL);
	assert_int_equal(sub.code, 1);
	assert_true(wait_now_ms() - began_ms >= 900);
	assert_int_equal(strlen(sub.out), 0);
	ran_free(&sub);
	must_have_passed(stage);
}

static void tools_end_with_three_when_they_get_no_session(void **state)
{
	struct stage *stage = *state;

	must_make_key(stage, "stranger");
	must_write(stage, "events.json", "%s", RELEASED(ID("1")));
	must_start_broker(stage);
	struct ran ran = must_run_fed(stage, "events.json", "ttg-pub", "--broker", stage->endpoint,
				      "--server-key", "keys/broker.pub", "--key",
				      "keys/stranger.key", "--connect-timeout", "1", NULL);
	assert_int_equal(ran.code, 3);
	assert_true(strlen(ran.err) > 0);
	ran_free(&ran);
	ran = must_run(stage, "ttg-sub", "--broker", stage->endpoint, "--server-key",
		       "keys/broker.pub", "--key", "keys/stranger.key", "--connect-timeout", "1",
		       "--mailbox", "duty", NULL);
	assert_int_equal(ran.code, 3);
	assert_true(strlen(ran.err) > 0);
	ran_free(&ran);
	must_have_passed(stage);
}

static void tools_end_with_two_when_called_wrongly(void **state)
{
	struct stage *stage = *state;
	static const char *const wrong[][3] = {
		{ "ttg-pub", "--brokr", "x" },
		{ "ttg-pub", "--file", "nowhere" },
		{ "ttg-sub", "--count", "minus" },
		{ "ttg-sub", "--mailbox", "duty" },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct ran ran = must_run(stage, wrong[i][0], wrong[i][1], wrong[i][2], NULL);

		if (ran.code != 2 || ran.err[0] == '\0')
			must_fail("%s %s: status %d, \"%s\"", wrong[i][0], wrong[i][1], ran.code,
				  ran.err);
		ran_free(&ran);
	}
	must_have_passed(stage);
}

static void another_agencys_mailbox_is_refused_to_ttg_sub(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct ran sub = must_run(stage, "ttg-sub", "--broker", stage->endpoint, "--server-key",
				  "keys/broker.pub", "--key", "keys/police.key", "--mailbox", DUTY,
				  "--timeout", "5", NULL);
	assert_int_equal(sub.code, 1);
	assert_non_null(strstr(sub.err, DUTY));
	ran_free(&sub);
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(what_ttg_pub_sends_ttg_sub_prints),
		STAGE_TEST(ttg_pub_tells_duplicates_and_refusals_apart),
		STAGE_TEST(what_ttg_sub_does_not_acknowledge_comes_again),
		STAGE_TEST(ttg_sub_can_refuse_with_a_reason),
		STAGE_TEST(ttg_sub_gives_up_after_its_time),
		STAGE_TEST(tools_end_with_three_when_they_get_no_session),
		STAGE_TEST(tools_end_with_two_when_called_wrongly),
		STAGE_TEST(another_agencys_mailbox_is_refused_to_ttg_sub),
	};

	return cmocka_run_group_tests_name("tools", tests, NULL, NULL);
}
