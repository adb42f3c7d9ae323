/*
 * What was agreed when: an agreement changes while the broker runs, and the rules of any past moment can be
 * shown afterwards, over restarts and retention; so the log of disclosures tells which fields went.
 */
#include "support/peer.h"

#include <stdlib.h>
#include <string.h>
#include <ttg/event.h>

#include "support/wait.h"

#define DUTY "one-service/duty"
#define WHY "subject access request 12"
#define LARGE_BYTES 40000
#define TO_DUTY "deliver prison.released from=prison to=one-service/duty under=sample "
#define WITHOUT_MORE "addressed_by= retain_s=0 ack_within_s=0 fallback= when=[] "
#define NARROW "fields = [ ]; identifiers = [ \"NOMS\" ];"
#define NARROW_FIELDS ";;NOMS"
#define WIDER "fields = [ ]; envelope = [ \"recorded_at\" ]; identifiers = [ \"NOMS\", \"PNC\" ];"
#define WIDER_FIELDS ";recorded_at;NOMS,PNC"

static const char *text_of(const json_t *item, const char *name)
{
	const char *text = json_string_value(json_object_get(item, name));

	if (!text)
		must_fail("no text called %s in the answer", name);
	return text;
}

static int64_t number_of(const json_t *item, const char *name)
{
	const json_t *value = json_object_get(item, name);

	if (!json_is_integer(value))
		must_fail("no number called %s in the answer", name);
	return json_integer_value(value);
}

/* The agreement's grants to the duty desk are these from now on. */
static void must_change(struct stage *stage, const char *duty_options)
{
	stage->duty_options = duty_options;
	must_write_agreement(stage);
	json_decref(must_ask(stage, "reload", NULL));
}

/* The items of ttgctl rules for --sequence or --at. */
static json_t *must_show(struct stage *stage, const char *option, uint64_t sequence, const char *at)
{
	char number[24];

	snprintf(number, sizeof(number), "%llu", (unsigned long long)sequence);
	return must_ask(stage, "rules", option, at ? at : number, NULL);
}

/* Of shown rules, the fields of releases that go to the duty desk; "" when no line grants them. */
static const char *duty_fields(const json_t *items)
{
	for (size_t i = 1; i < json_array_size(items); i++) {
		const char *line = text_of(json_array_get(items, i), "line");

		if (strncmp(line, TO_DUTY, strlen(TO_DUTY)) == 0)
			return strstr(line, " fields=") + strlen(" fields=");
	}
	return "";
}

static void must_be_shown(struct stage *stage, uint64_t sequence, const char *fields)
{
	json_t *items = must_show(stage, "--sequence", sequence, NULL);

	assert_string_equal(duty_fields(items), fields);
	json_decref(items);
}

/* An event under each of three rules; their sequences. */
static void must_live_under_three(struct stage *stage, struct peer *prison, uint64_t sequences[3])
{
	sequences[0] = must_accept(stage, prison, &(struct made_wish){ .number = 1 });
	must_change(stage, NARROW);
	sequences[1] = must_accept(stage, prison, &(struct made_wish){ .number = 2 });
	must_change(stage, WIDER);
	sequences[2] = must_accept(stage, prison, &(struct made_wish){ .number = 3 });
}

static void must_show_all_three(struct stage *stage, const uint64_t sequences[3])
{
	must_be_shown(stage, sequences[0], "*");
	must_be_shown(stage, sequences[1], NARROW_FIELDS);
	must_be_shown(stage, sequences[2], WIDER_FIELDS);
}

static void the_rules_of_any_moment_are_shown_whatever_came_since(void **state)
{
	struct stage *stage = *state;
	uint64_t sequences[3];

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	must_live_under_three(stage, prison, sequences);
	must_show_all_three(stage, sequences);
	assert_int_equal(must_stop_broker(stage), 0);
	must_start_broker(stage);
	must_show_all_three(stage, sequences);

	json_t *second = must_show(stage, "--sequence", sequences[1], NULL);
	json_t *head = json_array_get(second, 0);
	assert_true(number_of(head, "from_sequence") > (int64_t)sequences[0]);
	assert_true(number_of(head, "to_sequence") > (int64_t)sequences[1]);
	assert_true(number_of(head, "to_sequence") < (int64_t)sequences[2]);
	json_t *then = must_show(stage, "--at", 0, text_of(head, "to")); /* cut to a thousandth: before */
	assert_string_equal(duty_fields(then), NARROW_FIELDS);
	json_t *now = must_ask(stage, "rules", NULL);
	assert_string_equal(duty_fields(now), WIDER_FIELDS);
	assert_true(json_is_null(json_object_get(json_array_get(now, 0), "to_sequence")));
	json_t *status = must_ask(stage, "status", NULL);
	assert_string_equal(text_of(json_array_get(now, 0), "digest"),
			    text_of(json_array_get(status, 0), "rules_digest"));
	struct ran ran = must_run(stage, "ttgctl", "--socket", "control", "rules", "--at",
				  "2020-01-01T00:00:00Z", NULL);
	assert_int_equal(ran.code, 1);
	ran_free(&ran);
	json_decref(second);
	json_decref(then);
	json_decref(now);
	json_decref(status);
	must_have_passed(stage);
}

static void changes_and_differences_are_told(void **state)
{
	struct stage *stage = *state;
	uint64_t sequences[3];
	char from[24], to[24];

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	must_live_under_three(stage, prison, sequences);
	json_t *changes = must_ask(stage, "rules", "--changes", NULL);
	assert_int_equal(json_array_size(changes), 3);
	assert_true(json_is_null(json_object_get(json_array_get(changes, 0), "added")));
	for (size_t i = 1; i < 3; i++) { /* of the prison two, of the police one */
		assert_int_equal(number_of(json_array_get(changes, i), "removed"), 3);
		assert_int_equal(number_of(json_array_get(changes, i), "added"), 3);
	}
	json_decref(changes);
	changes = must_ask(stage, "rules", "--changes", "--until", "2020-01-01T00:00:00Z", NULL);
	assert_int_equal(json_array_size(changes), 0);
	json_decref(changes);
	snprintf(from, sizeof(from), "%llu", (unsigned long long)sequences[0]);
	snprintf(to, sizeof(to), "%llu", (unsigned long long)sequences[1]);
	struct ran ran = must_run(stage, "ttgctl", "--socket", "control", "rules", "--diff", from, to, NULL);
	assert_int_equal(ran.code, 0);
	assert_non_null(strstr(ran.out, "- " TO_DUTY WITHOUT_MORE "fields=*\n"));
	assert_non_null(strstr(ran.out, "+ " TO_DUTY WITHOUT_MORE "fields=" NARROW_FIELDS "\n"));
	ran_free(&ran);
	must_have_passed(stage);
}

/* The line of the log of disclosures about a sequence says these fields. */
static void must_have_gone(struct stage *stage, uint64_t sequence, const char *mailbox, const char *fields)
{
	json_t *items = must_ask(stage, "disclosures", "--reason", WHY, NULL);
	bool found = false;

	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);

		if (strcmp(text_of(item, "what"), "delivered") != 0 ||
		    number_of(item, "sequence") != (int64_t)sequence ||
		    strcmp(text_of(item, "to"), mailbox) != 0)
			continue;
		assert_string_equal(text_of(item, "fields"), fields);
		found = true;
	}
	assert_true(found);
	json_decref(items);
}

static void the_log_of_disclosures_tells_which_fields_went(void **state)
{
	struct stage *stage = *state;
	uint64_t sequences[3];

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *duty = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, duty, "duty");
	must_live_under_three(stage, prison, sequences);
	must_get(stage, duty, 3);
	must_settle(stage, DUTY, "queued", 0);
	struct peer *probation = must_open_peer(stage, "probation", NULL);
	must_attach(stage, probation, "inbox");
	must_get(stage, probation, 3);
	must_settle(stage, "probation/inbox", "queued", 0);
	must_have_gone(stage, sequences[0], DUTY, "*");
	must_have_gone(stage, sequences[1], DUTY, NARROW_FIELDS);
	must_have_gone(stage, sequences[2], DUTY, WIDER_FIELDS);
	must_have_gone(stage, sequences[0], "probation/inbox", "*");
	must_have_passed(stage);
}

/* What was accepted under other rules is cut as those say that are in force when it goes. */
static void what_waited_is_told_with_the_fields_that_went(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	uint64_t sequence = must_accept(stage, prison, &(struct made_wish){ .number = 1 });
	must_change(stage, NARROW);
	struct peer *duty = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, duty, "duty");
	must_get(stage, duty, 1);
	assert_true(duty->newest_redacted);
	must_settle(stage, DUTY, "queued", 0);
	must_have_gone(stage, sequence, DUTY, NARROW_FIELDS);
	must_have_passed(stage);
}

static bool has_said_again(void *arg)
{
	return count_in(arg, "ttgd.err", "event=retained") > 0 &&
	       count_in(arg, "ttgd.err", "event=rules_said_again") > 0;
}

static void retention_keeps_the_rules_of_all_that_is_kept(void **state)
{
	struct stage *stage = *state;
	uint64_t sequences[3];
	char number[24];

	snprintf(stage->journal, sizeof(stage->journal),
		 "\tretain_bytes = 3145728L;\n\tretain_every_s = 1;\n");
	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *police = must_open_peer(stage, "police", NULL);
	struct peer *duty = must_open_peer(stage, "one-service", NULL);
	struct peer *probation = must_open_peer(stage, "probation", NULL);
	must_attach(stage, duty, "duty");
	must_attach(stage, probation, "inbox");
	must_live_under_three(stage, prison, sequences);
	for (uint32_t i = 0; i < 160; i++) /* more than six segments */
		must_accept(stage, police, &(struct made_wish){ .type = "police.arrest", .number = 10 + i,
								.padding_bytes = LARGE_BYTES });
	must_get(stage, duty, 163);
	snprintf(number, sizeof(number), "%llu", (unsigned long long)sequences[0]);
	must_be(peers_wait(stage, has_said_again, stage, WAIT_LONG_MS), "no text was said again");
	for (int restarted = 0; restarted < 2; restarted++) {
		const uint64_t first =
			(uint64_t)must_ask_number(stage, "status", "journal.first_sequence");
		assert_true(first > sequences[2]);
		must_be_shown(stage, first, WIDER_FIELDS);
		json_t *changes = must_ask(stage, "rules", "--changes", NULL);
		assert_int_equal(json_array_size(changes), 3); /* when, of those whose text is gone */
		assert_true(json_is_null(json_object_get(json_array_get(changes, 1), "added")));
		json_decref(changes);
		struct ran ran = must_run(stage, "ttgctl", "--socket", "control", "rules", "--sequence",
					  number, NULL);
		assert_int_equal(ran.code, 1);
		assert_non_null(strstr(ran.err, "not held any more"));
		ran_free(&ran);
		assert_int_equal(must_stop_broker(stage), 0);
		must_start_broker(stage);
	}
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(the_rules_of_any_moment_are_shown_whatever_came_since),
		STAGE_TEST(changes_and_differences_are_told),
		STAGE_TEST(the_log_of_disclosures_tells_which_fields_went),
		STAGE_TEST(what_waited_is_told_with_the_fields_that_went),
		STAGE_TEST(retention_keeps_the_rules_of_all_that_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
