/*
 * The log of disclosures outlives the journal: what retention let go is still told, out of the archive,
 * and nothing of what was said is in there; whatever happens to the daemon while it is written.
 */
#include "support/peer.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ttg/event.h>
#include <unistd.h>
#include "support/http.h"
#include "support/wait.h"

#define DUTY "one-service/duty"
#define LARGE_BYTES 40000
#define BY_SIZE "\tretain_bytes = 2097152L;\n\tretain_every_s = 1;\n"
#define WHY "subject access request"
#define KILLS 8
#define EVENTS_A_LIFE 40

static bool is_oldest_gone(void *arg)
{
	const struct stage *stage = arg;
	char path[PROCESS_PATH_MAX];

	STAGE_PATH(stage, path, "journal/seg-0000000000000001.ttj");
	return access(path, F_OK) != 0;
}

static void set_up(struct stage *stage)
{
	snprintf(stage->journal, sizeof(stage->journal), BY_SIZE);
	snprintf(stage->archive, sizeof(stage->archive), "\tdirectory = \"archive\";\n");
}

static void publish(struct stage *stage, struct peer *police, uint32_t first, uint32_t n)
{
	for (uint32_t i = first; i < first + n; i++)
		must_accept(stage, police, &(struct made_wish){ .type = "police.arrest", .number = i,
								.padding_bytes = LARGE_BYTES });
}

static const char *text_of(const json_t *line, const char *name)
{
	const char *text = json_string_value(json_object_get(line, name));

	return text ? text : "";
}

/* Lines with this word in `what`, and with this text in a field (NULL: any). */
static size_t count_lines(const json_t *lines, const char *what, const char *field, const char *text)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(lines); i++) {
		const json_t *line = json_array_get(lines, i);

		n += strcmp(text_of(line, "what"), what) == 0 &&
		     (!field || strcmp(text_of(line, field), text) == 0);
	}
	return n;
}

/* The line of a delivery of an event. */
static json_t *line_of(const json_t *lines, uint32_t number)
{
	for (size_t i = 0; i < json_array_size(lines); i++) {
		json_t *line = json_array_get(lines, i);
		uint8_t id[TTG_UUID_BYTES];

		if (strcmp(text_of(line, "what"), "delivered") == 0 &&
		    ttg_uuid_parse(text_of(line, "event_id"), id) == TTG_OK && made_number(id) == number)
			return line;
	}
	return NULL;
}

static json_t *must_ask_all(struct stage *stage)
{
	return must_ask(stage, "disclosures", "--reason", WHY, NULL);
}

/* What is said of a folder; freed by the caller. */
static struct ran verify(struct stage *stage, const char *directory, const char *seals)
{
	return seals ? must_run(stage, "ttgctl", "journal", "verify", "--directory", directory, "--key",
				"keys/journal.key", "--seals", seals, NULL) :
		       must_run(stage, "ttgctl", "journal", "verify", "--directory", directory, "--key",
				"keys/journal.key", NULL);
}

static void must_verify(struct stage *stage, const char *directory, const char *seals, const char *text)
{
	struct ran ran = verify(stage, directory, seals);

	if (ran.code != 0 || !strstr(ran.out, text))
		must_fail("journal verify %s ends with %d: %s%s", directory, ran.code, ran.out, ran.err);
	ran_free(&ran);
}

/* Dead letters, a question about a person, and a few events, one of which is given up. */
static void live(struct stage *stage, struct peer *police, struct peer *desk)
{
	publish(stage, police, 1, 3);
	must_get(stage, desk, 3);
	desk->habit = PEER_DISOWNS;
	publish(stage, police, 4, 1);
	must_get(stage, desk, 4);
	must_settle(stage, DUTY, "parked", 1);
	desk->habit = PEER_ACKS;
	json_t *dead = must_ask(stage, "deadletters", "list", NULL);
	char sequence[24];
	snprintf(sequence, sizeof(sequence), "%lld",
		 (long long)json_integer_value(json_object_get(json_array_get(dead, 0), "sequence")));
	json_decref(dead);
	json_decref(must_ask(stage, "deadletters", "discard", DUTY, sequence, NULL));
	struct ran ran = must_run(stage, "ttgctl", "--socket", "control", "person", "show", "A1234BC",
				  "--reason", "asked by telephone", NULL);
	ran_free(&ran);
	must_be_refused(stage, police, &(struct made_wish){ .type = "prison.released", .source = "police" },
			TTG_REFUSED_NOT_AGREED);
}

static void what_retention_let_go_is_told_as_before(void **state)
{
	struct stage *stage = *state;

	set_up(stage);
	must_start_broker(stage);
	must_see(stage, "ttgd.err", "event=archive_ready archived=0");
	struct peer *police = must_open_peer(stage, "police", NULL);
	struct peer *desk = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, desk, "duty");
	live(stage, police, desk);
	json_t *before = must_ask_all(stage);
	assert_int_equal(count_lines(before, "delivered", NULL, NULL), 4);
	publish(stage, police, 5, 116);
	must_get(stage, desk, 120);
	must_settle(stage, DUTY, "queued", 0);
	must_be(peers_wait(stage, is_oldest_gone, stage, WAIT_LONG_MS), "the oldest segment stays");

	assert_int_equal(must_stop_broker(stage), 0);
	must_verify(stage, "journal", NULL, "kind            journal\n");
	must_verify(stage, "archive", NULL, "kind            archive\n");
	must_start_broker(stage);
	json_t *after = must_ask_all(stage);
	assert_int_equal(count_lines(after, "delivered", NULL, NULL), 120);
	assert_int_equal(count_lines(after, "missing", NULL, NULL), 0);
	for (uint32_t i = 1; i <= 4; i++) {
		const json_t *line = line_of(after, i);

		assert_non_null(line);
		assert_true(json_equal(line, line_of(before, i)));
		assert_string_equal(text_of(line, "outcome"), i < 4 ? "acknowledged" : "discarded");
		assert_string_equal(text_of(line, "to"), DUTY);
		assert_string_equal(json_string_value(json_array_get(json_object_get(line, "agreements"), 0)),
				    "sample");
	}
	assert_int_equal(count_lines(after, "rules", NULL, NULL), 1);
	assert_int_equal(count_lines(after, "refused", "outcome", "refused_not_agreed"), 1);
	assert_int_equal(count_lines(after, "refused", "from", "police"), 1);
	assert_int_equal(count_lines(after, "refused", "type", "prison.released"), 1);
	assert_int_equal(count_lines(after, "consulted", "text", "person.show"), 1);
	assert_int_equal(count_lines(after, "consulted", "text", "disclosures"), 2); /* this one as well */
	json_decref(before);
	json_decref(after);
	after = must_ask(stage, "disclosures", "--reasons", "--reason", WHY, NULL);
	assert_int_equal(count_lines(after, "consulted", "text", "person.show: asked by telephone"), 1);
	assert_int_equal(count_lines(after, "consulted", "text", "disclosures: " WHY), 3);
	json_decref(after);
	after = must_ask(stage, "disclosures", "--person", "A1234BC", "--reason", WHY, NULL);
	assert_int_equal(count_lines(after, "delivered", NULL, NULL), 120);
	assert_int_equal(count_lines(after, "consulted", NULL, NULL), 2); /* the other is this one */
	assert_int_equal(count_lines(after, "rules", NULL, NULL), 0);
	json_decref(after);
	after = must_ask(stage, "disclosures", "--agency", "housing", "--reason", WHY, NULL);
	assert_int_equal(json_array_size(after), 0);
	json_decref(after);
	must_have_passed(stage);
}

static double bytes_of(struct stage *stage, const char *metric)
{
	return must_read_metric(stage->http_port, metric);
}

/* 4.8 MB are published and delivered; retention lets the oldest segment go. */
static void must_play_until_the_oldest_is_gone(struct stage *stage, struct peer **police, struct peer **desk)
{
	set_up(stage);
	must_start_broker(stage);
	*police = must_open_peer(stage, "police", NULL);
	*desk = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, *desk, "duty");
	publish(stage, *police, 1, 120);
	must_get(stage, *desk, 120);
	must_be(peers_wait(stage, is_oldest_gone, stage, WAIT_LONG_MS), "the oldest segment stays");
}

/* It is smaller by what was said; a copy of it is an archive, too. */
static void the_archive_has_no_payloads_and_can_be_copied(void **state)
{
	struct stage *stage = *state;
	struct peer *police = NULL, *desk = NULL;

	must_play_until_the_oldest_is_gone(stage, &police, &desk);
	assert_true(bytes_of(stage, "ttgd_archive_ready") == 1);
	assert_true(bytes_of(stage, "ttgd_archived_sequence") >= 24);
	assert_true(must_ask_number(stage, "status", "archive.archived_sequence") >= 24);
	json_decref(must_ask(stage, "backup", "--archive", "copy", NULL));
	must_verify(stage, "copy", NULL, "kind            archive\n");
	assert_int_equal(must_stop_broker(stage), 0);
	struct ran ran = verify(stage, "archive", NULL);
	const char *bytes = strstr(ran.out, "bytes           ");
	assert_non_null(bytes);
	assert_true(strtol(bytes + strlen("bytes"), NULL, 10) < 3 * LARGE_BYTES);
	ran_free(&ran);
	must_have_passed(stage);
}

static void one_wrong_bit_is_named_and_the_broker_goes_on(void **state)
{
	struct stage *stage = *state;
	struct peer *police = NULL, *desk = NULL;

	must_play_until_the_oldest_is_gone(stage, &police, &desk);
	assert_int_equal(must_stop_broker(stage), 0);
	must_flip(stage, "archive/seg-0000000000000001.ttj", 4300);
	struct ran ran = verify(stage, "archive", NULL);
	assert_int_equal(ran.code, 1);
	assert_non_null(strstr(ran.err, "archive/seg-0000000000000001.ttj: offset 4096: "));
	ran_free(&ran);

	must_start_broker(stage);
	must_see(stage, "ttgd.err", "event=archive_away code=ecorrupt reason=\"");
	publish(stage, police, 121, 1);
	must_get(stage, desk, 121);
	ran = must_run(stage, "ttgctl", "--socket", "control", "disclosures", "--reason", WHY, NULL);
	assert_int_equal(ran.code, 1);
	assert_non_null(strstr(ran.err, "the archive cannot be read: "));
	ran_free(&ran);
	must_flip(stage, "archive/seg-0000000000000001.ttj", 4300); /* its backup, so to speak */
	assert_int_equal(must_stop_broker(stage), 0);
	must_start_broker(stage);
	json_t *lines = must_ask_all(stage);
	assert_int_equal(count_lines(lines, "delivered", NULL, NULL), 121);
	json_decref(lines);
	must_have_passed(stage);
}

static void kills_while_it_is_written_leave_nothing_out_and_nothing_in_twice(void **state)
{
	struct stage *stage = *state;
	const char *given = getenv("TTG_SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
	uint32_t n = 0;

	print_message("TTG_SEED=%u\n", seed);
	set_up(stage);
	must_write_configuration(stage);
	struct peer *police = must_open_peer(stage, "police", "outbox");
	struct peer *desk = must_open_peer(stage, "one-service", NULL);
	must_be(ttg_client_attach(desk->client, "duty", 0) == TTG_OK, "attach");
	for (int life = 0; life < KILLS; life++) {
		must_launch_broker(stage);
		must_wait_until_ready(stage);
		publish(stage, police, n + 1, EVENTS_A_LIFE);
		n += EVENTS_A_LIFE;
		const int64_t end_ms = wait_now_ms() + rand_r(&seed) % 1500; /* NOLINT(cert-msc50-cpp) */
		while (wait_now_ms() < end_ms)
			peers_poll(stage);
		process_kill(&stage->broker);
	}
	must_launch_broker(stage);
	must_wait_until_ready(stage);
	must_settle(stage, DUTY, "queued", 0);
	must_be(peers_wait(stage, is_oldest_gone, stage, WAIT_LONG_MS), "the oldest segment stays");
	json_t *lines = must_ask_all(stage);
	assert_int_equal(count_lines(lines, "delivered", "outcome", "acknowledged"), n);
	assert_int_equal(count_lines(lines, "delivered", NULL, NULL), n);
	assert_int_equal(count_lines(lines, "missing", NULL, NULL), 0);
	for (uint32_t i = 1; i <= n; i++)
		assert_non_null(line_of(lines, i));
	json_decref(lines);
	assert_int_equal(must_stop_broker(stage), 0);
	must_verify(stage, "archive", NULL, "kind            archive\n");
	must_have_passed(stage);
}

static bool is_archived(void *arg)
{
	return must_ask_number(arg, "status", "archive.archived_sequence") > 40;
}

static void seals_are_proven_over_the_archive(void **state)
{
	struct stage *stage = *state;
	struct ran ran = must_run(stage, "ttg-signer", "--make-key", "seal", NULL);

	ran_free(&ran);
	set_up(stage);
	snprintf(stage->seals, sizeof(stage->seals),
		 "\tsigner_socket = \"seal.socket\";\n\tpublic_file = \"seal.pub\";\n");
	must_start_other(stage, 0, "signer", "ttg-signer", "--key", "seal.key", "--state", "seal.state",
			 "--socket", "seal.socket", NULL);
	must_start_broker(stage);
	struct peer *police = must_open_peer(stage, "police", NULL);
	struct peer *desk = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, desk, "duty");
	publish(stage, police, 1, 120);
	must_get(stage, desk, 120);
	must_be(peers_wait(stage, is_archived, stage, WAIT_LONG_MS), "nothing is archived");
	assert_int_equal(must_stop_broker(stage), 0);
	must_verify(stage, "archive", "seal.pub", "kind             archive\n");
	must_verify(stage, "archive", "seal.pub", "missing records  0\n");
	ran = verify(stage, "archive", "seal.pub");
	const char *holds = strstr(ran.out, "seals that hold  ");
	assert_non_null(holds);
	assert_true(strtol(holds + strlen("seals that hold"), NULL, 10) > 5);
	ran_free(&ran);
	ran = must_run(stage, "ttg-signer", "--make-key", "other", NULL);
	ran_free(&ran);
	ran = verify(stage, "archive", "other.pub");
	assert_int_equal(ran.code, 1);
	assert_non_null(strstr(ran.err, "is not signed with this key"));
	ran_free(&ran);
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(what_retention_let_go_is_told_as_before),
		STAGE_TEST(the_archive_has_no_payloads_and_can_be_copied),
		STAGE_TEST(one_wrong_bit_is_named_and_the_broker_goes_on),
		STAGE_TEST(kills_while_it_is_written_leave_nothing_out_and_nothing_in_twice),
		STAGE_TEST(seals_are_proven_over_the_archive),
	};

	return cmocka_run_group_tests_name("archive", tests, NULL, NULL);
}
