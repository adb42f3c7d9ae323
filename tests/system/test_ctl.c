/*
 * ttgctl, command by command, for people and for programs, against a running broker and without.
 */
#include "support/peer.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <ttg/event.h>
#include <ttg/proto/session.pb-c.h>

#define DUTY "one-service/duty"

static const char *text_of(const json_t *item, const char *name)
{
	const char *text = json_string_value(json_object_get(item, name));

	if (!text)
		must_fail("no text called %s in the answer", name);
	return text;
}

/* Without --json, in a table: fine, and it holds this. */
static void must_print(struct stage *stage, const char *command, const char *argument,
		       const char *text)
{
	struct ran ran = must_run(stage, "ttgctl", "--config", "ttgd.conf", command, argument, NULL);

	if (ran.code != 0 || !strstr(ran.out, text))
		must_fail("ttgctl %s: status %d, no \"%s\" in: %s%s", command, ran.code, text,
			  ran.out, ran.err);
	ran_free(&ran);
}

static void status_agencies_agreements_and_mailboxes_tell_what_is(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	must_accept(stage, prison, &(struct made_wish){ 0 });
	json_t *items = must_ask(stage, "status", NULL);
	json_t *item = json_array_get(items, 0);
	assert_string_equal(text_of(item, "state"), "ready");
	assert_string_equal(text_of(item, "broker"), "broker");
	/* The address may be told in another form, the port is the one that was asked for. */
	assert_non_null(strstr(text_of(item, "endpoint"), strrchr(stage->endpoint, ':')));
	assert_int_equal(json_integer_value(json_object_get(item, "pid")), stage->broker.pid);
	json_decref(items);
	assert_int_equal(must_ask_number(stage, "status", "events.accepted"), 1);
	assert_int_equal(must_ask_number(stage, "status", "sessions.now"), 1);
	assert_int_equal(must_ask_number(stage, "status", "mailboxes.count"), 4);

	items = must_ask(stage, "agencies", NULL);
	assert_int_equal(json_array_size(items), 5);
	json_decref(items);
	items = must_ask(stage, "agencies", "prison", NULL);
	assert_int_equal(json_array_size(items), 1);
	item = json_array_get(json_object_get(json_array_get(items, 0), "keys"), 0);
	assert_string_equal(text_of(item, "label"), "first");
	assert_string_equal(text_of(item, "state"), "valid");
	json_decref(items);

	items = must_ask(stage, "agreements", "sample", NULL);
	assert_int_equal(json_array_size(items), 1 + 5 + 7); /* itself, publish, deliver */
	assert_string_equal(text_of(json_array_get(items, 0), "state"), "in_force");
	json_decref(items);

	assert_int_equal(must_ask_mailbox(stage, DUTY, "queued"), 1);
	must_print(stage, "status", NULL, "ready");
	must_print(stage, "agencies", NULL, "one-service");
	must_print(stage, "agreements", NULL, "sample");
	must_print(stage, "mailboxes", DUTY, DUTY);
	must_have_passed(stage);
}

static void a_name_nobody_has_ends_with_one_and_a_wrong_command_with_two(void **state)
{
	struct stage *stage = *state;
	static const struct {
		const char *words[3];
		int code;
	} wrong[] = {
		{ { "mailboxes", "one-service/nothing", NULL }, 1 },
		{ { "agencies", "nobody", NULL }, 1 },
		{ { "agreements", "nothing", NULL }, 1 },
		{ { "explain", NULL, NULL }, 2 },
		{ { "trace", "0190f3e0-0000-7000-8000-000000000001", NULL }, 1 },
		{ { "trace", "no-uuid", NULL }, 2 },
		{ { "statsu", NULL, NULL }, 2 },
		{ { "backup", NULL, NULL }, 2 },
	};

	must_start_broker(stage);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct ran ran = must_run(stage, "ttgctl", "--socket", "control",
					  wrong[i].words[0], wrong[i].words[1], NULL);

		if (ran.code != wrong[i].code)
			must_fail("ttgctl %s: status %d, should be %d: %s", wrong[i].words[0],
				  ran.code, wrong[i].code, ran.err);
		assert_true(strlen(ran.err) > 0);
		ran_free(&ran);
	}
	must_have_passed(stage);
}

static void without_a_daemon_it_ends_with_three(void **state)
{
	struct stage *stage = *state;
	struct ran ran = must_run(stage, "ttgctl", "--socket", "control", "status", NULL);

	assert_int_equal(ran.code, 3);
	assert_non_null(strstr(ran.err, "control"));
	ran_free(&ran);
	must_have_passed(stage);
}

/* Kinds of the items in order, separated by blanks. */
static void kinds_of(const json_t *items, char *out, size_t room)
{
	out[0] = '\0';
	for (size_t i = 0; i < json_array_size(items); i++)
		snprintf(out + strlen(out), room - strlen(out), "%s%s", i ? " " : "",
			 text_of(json_array_get(items, i), "kind"));
}

static void trace_tells_an_events_way_from_acceptance_to_acknowledgement(void **state)
{
	struct stage *stage = *state;
	char id[TTG_UUID_TEXT], kinds[512];

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	struct peer *service = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, service, "duty");
	struct made made = must_make(&(struct made_wish){ .noms = "Z9876YX" });
	ttg_uuid_format(made.id, id);
	assert_int_equal(must_publish(stage, prison, made).code, TTG_OK);
	must_get(stage, service, 1);
	must_settle(stage, DUTY, "queued", 0);
	json_t *items = must_ask(stage, "trace", id, NULL);
	/* The acknowledgement counts at once and is on disk, where a trace finds it, a moment later. */
	for (int i = 0; i < 100 && json_array_size(items) < 5; i++) {
		json_decref(items);
		items = must_ask(stage, "trace", id, NULL);
	}
	kinds_of(items, kinds, sizeof(kinds));
	assert_string_equal(kinds, "accepted recipient recipient delivered acked");
	assert_string_equal(text_of(json_array_get(items, 0), "source"), "prison");
	assert_string_equal(text_of(json_array_get(items, 0), "type"), "prison.released");
	assert_string_equal(text_of(json_array_get(items, 3), "mailbox"), DUTY);
	char *all = json_dumps(items, 0);
	assert_null(strstr(all, "Z9876YX"));
	free(all);
	json_decref(items);
	must_print(stage, "trace", id, "accepted");
	must_have_passed(stage);
}

static void tail_shows_types_and_opaque_keys_only(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	must_start_other(stage, 0, "tail", "ttgctl", "--socket", "control", "tail", "--follow",
			 "--count", "0", NULL);
	for (uint32_t i = 0; i < 3; i++)
		must_accept(stage, prison,
			    &(struct made_wish){ .noms = "Z9876YX", .area = "Quuxtown" });
	json_t *items = must_ask(stage, "tail", "--count", "2", NULL);
	assert_int_equal(json_array_size(items), 2);
	assert_string_equal(text_of(json_array_get(items, 1), "kind"), "accepted");
	assert_int_equal(strlen(text_of(json_array_get(items, 1), "person_key")), 32);
	char *all = json_dumps(items, 0);
	assert_null(strstr(all, "Z9876YX"));
	assert_null(strstr(all, "Quuxtown"));
	free(all);
	json_decref(items);
	must_accept(stage, prison, &(struct made_wish){ .type = "prison.reception" });
	must_see(stage, "tail.out", "prison.reception"); /* as it happens */
	assert_int_equal(count_in(stage, "tail.out", "Z9876YX"), 0);
	process_kill(&stage->others[0]);
	must_have_passed(stage);
}

static void give_up_needs_a_yes_and_lets_go_of_what_nobody_fetched(void **state)
{
	struct stage *stage = *state;

	must_start_broker(stage);
	struct peer *prison = must_open_peer(stage, "prison", NULL);
	uint64_t sequence = 0;
	for (uint32_t i = 0; i < 3; i++)
		sequence = must_accept(stage, prison, &(struct made_wish){ 0 });
	char text[24];
	snprintf(text, sizeof(text), "%llu", (unsigned long long)sequence);
	struct ran ran = must_run(stage, "ttgctl", "--socket", "control", "give-up", text, NULL);
	assert_int_equal(ran.code, 2);
	ran_free(&ran);
	assert_int_equal(must_ask_mailbox(stage, DUTY, "queued"), 3);
	json_t *items = must_ask(stage, "give-up", text, "--yes", NULL);
	assert_int_equal(
		json_integer_value(json_object_get(json_array_get(items, 0), "given_up")), 4);
	json_decref(items);
	assert_int_equal(must_ask_mailbox(stage, DUTY, "queued"), 1);
	must_see(stage, "ttgd.err", "give");
	char id[TTG_UUID_TEXT];
	ttg_uuid_format(prison->outcomes[0].id, id);
	items = must_ask(stage, "trace", id, NULL);
	const json_t *last = json_array_get(items, json_array_size(items) - 1);
	assert_string_equal(json_string_value(json_object_get(last, "kind")), "given_up");
	assert_string_equal(json_string_value(json_object_get(last, "mailbox")),
			    "probation/inbox");
	json_decref(items);
	must_have_passed(stage);
}

static void keygen_makes_secret_files_and_overwrites_none(void **state)
{
	struct stage *stage = *state;
	char path[PROCESS_PATH_MAX];
	struct stat about;

	struct ran ran = must_run(stage, "ttgctl", "keygen", "--agency", "somebody", "--out",
				  "fresh", NULL);
	assert_int_equal(ran.code, 0);
	ran_free(&ran);
	STAGE_PATH(stage, path, "fresh/somebody.key");
	assert_int_equal(stat(path, &about), 0);
	assert_int_equal(about.st_mode & 0777, 0600);
	char *before = must_read_file(path, NULL);
	ran = must_run(stage, "ttgctl", "keygen", "--agency", "somebody", "--out", "fresh", NULL);
	assert_int_equal(ran.code, 1);
	ran_free(&ran);
	char *after = must_read_file(path, NULL);
	assert_string_equal(before, after);
	assert_true(strlen(after) > 0);
	free(before);
	free(after);
	must_have_passed(stage);
}

static void identify_tells_kind_canonical_form_and_validity(void **state)
{
	struct stage *stage = *state;
	static const struct {
		const char *value, *kind, *canonical;
		int code;
	} numbers[] = {
		{ "02/73319Z", "PNC", "2002/0073319Z", 0 },
		{ "a1234bc", "NOMS", "A1234BC", 0 },
		{ "65656/91H", "CRO", "065656/91H", 0 },
		{ "X123456", "CRN", "X123456", 0 },
		{ "02/73319A", "PNC", NULL, 1 },
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct ran ran = must_run(stage, "ttgctl", "identify", numbers[i].value, NULL);

		assert_int_equal(ran.code, numbers[i].code);
		assert_non_null(strstr(ran.out, numbers[i].kind));
		if (numbers[i].canonical)
			assert_non_null(strstr(ran.out, numbers[i].canonical));
		ran_free(&ran);
	}
	must_have_passed(stage);
}

static void check_and_options_need_no_daemon(void **state)
{
	struct stage *stage = *state;

	must_write_configuration(stage);
	struct ran ran = must_run(stage, "ttgctl", "--config", "ttgd.conf", "check", NULL);
	if (ran.code != 0)
		must_fail("check: %s%s", ran.out, ran.err);
	ran_free(&ran);
	ran = must_run(stage, "ttgctl", "options", NULL);
	assert_int_equal(ran.code, 0);
	assert_non_null(strstr(ran.out, "journal.max_bytes"));
	ran_free(&ran);
	must_have_passed(stage);
}

static void the_control_socket_is_for_the_daemons_user_and_its_group_only(void **state)
{
	struct stage *stage = *state;
	char path[PROCESS_PATH_MAX];
	struct stat about;

	must_start_broker(stage);
	STAGE_PATH(stage, path, "control");
	assert_int_equal(stat(path, &about), 0);
	assert_true(S_ISSOCK(about.st_mode));
	assert_int_equal(about.st_mode & 0007, 0);
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(status_agencies_agreements_and_mailboxes_tell_what_is),
		STAGE_TEST(a_name_nobody_has_ends_with_one_and_a_wrong_command_with_two),
		STAGE_TEST(without_a_daemon_it_ends_with_three),
		STAGE_TEST(trace_tells_an_events_way_from_acceptance_to_acknowledgement),
		STAGE_TEST(tail_shows_types_and_opaque_keys_only),
		STAGE_TEST(give_up_needs_a_yes_and_lets_go_of_what_nobody_fetched),
		STAGE_TEST(keygen_makes_secret_files_and_overwrites_none),
		STAGE_TEST(identify_tells_kind_canonical_form_and_validity),
		STAGE_TEST(check_and_options_need_no_daemon),
		STAGE_TEST(the_control_socket_is_for_the_daemons_user_and_its_group_only),
	};

	return cmocka_run_group_tests_name("ctl", tests, NULL, NULL);
}
