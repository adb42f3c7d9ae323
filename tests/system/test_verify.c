/*
 * Receipts in the hands of a publisher: ttg-verify, and the steps of docs/formats.md for those who
 * have nothing but a shell and openssl. Both must say the same of receipts that were tampered with.
 */
#include "support/stage.h"

#include <stdlib.h>
#include <string.h>
#include "support/receipts.h"
#include "support/steps.h"

#define FORMATS TTG_SOURCE_DIR "/docs/formats.md"
#define GOLDEN  TTG_SOURCE_DIR "/tests/golden/receipt-1/"
#define SIGNED  TTG_SOURCE_DIR "/tests/golden/receipt-2/"
#define EVENTS  11u
#define INDEX   6u

/* What is changed; signed says that the broker's key put its name to it nevertheless. */
struct tamper {
	const char *name;
	void (*change)(struct receipt *receipt, uint8_t *event);
	bool is_signed;
	const char *finding; /* of ttg-verify */
	int line;
};

static void change_event(struct receipt *receipt, uint8_t *event)
{
	(void)receipt;
	event[RECEIPTS_EVENT / 2] ^= 4;
}

static void change_sequence(struct receipt *receipt, uint8_t *event)
{
	(void)event;
	receipt->leaf.sequence++;
}

static void change_hash_of_path(struct receipt *receipt, uint8_t *event)
{
	(void)event;
	receipt->steps[1].hash[31] ^= 1;
}

static void change_side_of_path(struct receipt *receipt, uint8_t *event)
{
	(void)event;
	receipt->steps[1].left = !receipt->steps[1].left;
}

static void drop_step(struct receipt *receipt, uint8_t *event)
{
	(void)event;
	receipt->n_steps--;
}

static void change_root(struct receipt *receipt, uint8_t *event)
{
	(void)event;
	receipt->seal.root[0] ^= 0x80;
}

static void say_fewer_leaves(struct receipt *receipt, uint8_t *event)
{
	(void)event;
	receipt->seal.events = 5; /* one is left before the path ends */
}

static void say_more_leaves(struct receipt *receipt, uint8_t *event)
{
	(void)event;
	receipt->seal.events = 100; /* some are left when it ends */
	receipt->seal.last += 100;
}

static void change_journal(struct receipt *receipt, uint8_t *event)
{
	(void)event;
	receipt->seal.journal[0] ^= 1;
}

static void change_first(struct receipt *receipt, uint8_t *event)
{
	(void)event;
	receipt->seal.first = receipt->leaf.sequence + 1;
	receipt->seal.last = receipt->seal.first + EVENTS; /* room for so many */
}

static void change_last(struct receipt *receipt, uint8_t *event)
{
	(void)event;
	receipt->seal.last = receipt->leaf.sequence - 1;
	receipt->seal.first = receipt->seal.last - EVENTS;
}

static void change_time(struct receipt *receipt, uint8_t *event)
{
	(void)event;
	receipt->seal.sealed_ns--;
}

static void change_signature(struct receipt *receipt, uint8_t *event)
{
	(void)event;
	receipt->signature[20] ^= 0x10;
}

static const struct tamper tampers[] = {
	{ "event", change_event, false, "other_event", 9 },
	{ "sequence", change_sequence, false, "wrong_path", 10 },
	{ "hash", change_hash_of_path, false, "wrong_path", 10 },
	{ "side", change_side_of_path, false, "wrong_path", 10 },
	{ "step", drop_step, true, "wrong_path", 10 },
	{ "root", change_root, false, "wrong_path", 10 },
	{ "signed-root", change_root, true, "wrong_path", 10 },
	{ "fewer", say_fewer_leaves, true, "wrong_path", 10 },
	{ "more", say_more_leaves, true, "wrong_path", 10 },
	{ "journal", change_journal, true, "wrong_place", 4 },
	{ "first", change_first, true, "wrong_place", 5 },
	{ "last", change_last, true, "wrong_place", 5 },
	{ "time", change_time, false, "wrong_key", 27 },
	{ "signature", change_signature, false, "wrong_key", 27 },
};

#define TAMPERS (sizeof(tampers) / sizeof(tampers[0]))

static void must_write_bytes(const struct stage *stage, const char *name, const void *bytes,
			     size_t len)
{
	char path[PROCESS_PATH_MAX];

	STAGE_PATH(stage, path, "%s", name);
	FILE *file = fopen(path, "wb");
	must_be(file != NULL, name);
	must_be(fwrite(bytes, 1, len, file) == len && fclose(file) == 0, name);
}

static void must_write_receipt(const struct stage *stage, const char *name,
			       const struct receipt *receipt)
{
	char text[RECEIPT_TEXT_MAX];

	must_write_bytes(stage, name, text, receipt_write(receipt, text));
}

/* Writes the files NAME.receipt and NAME.event, changed as said (NULL: not at all), and broker.pub. */
static void must_make(const struct stage *stage, const char *name, const struct tamper *tamper)
{
	struct sign_key *key = receipts_key('a');
	struct receipt receipt;
	uint8_t event[RECEIPTS_EVENT];
	char file[64], public[SIGNATURE_PEM_MAX];

	receipts_make(key, EVENTS, INDEX, &receipt);
	receipts_event(INDEX, event);
	if (tamper)
		tamper->change(&receipt, event);
	if (tamper && tamper->is_signed)
		receipts_sign(key, &receipt);
	snprintf(file, sizeof(file), "%s.receipt", name);
	must_write_receipt(stage, file, &receipt);
	snprintf(file, sizeof(file), "%s.event", name);
	must_write_bytes(stage, file, event, sizeof(event));
	must_be(sign_key_public(key, public), "the public key has a text");
	must_write_bytes(stage, "broker.pub", public, strlen(public));
	sign_key_free(&key);
}

static void must_say(const struct ran *ran, int code, const char *text)
{
	if (ran->code != code || !strstr(ran->out, text))
		must_fail("ended with %d, not %d and \"%s\": %s%s", ran->code, code, text, ran->out,
			  ran->err);
}

static void what_a_good_receipt_proves_is_printed(void **state)
{
	struct stage *stage = *state;

	must_make(stage, "good", NULL);
	struct ran ran = must_run(stage, "ttg-verify", "--key", "broker.pub", "--event", "good.event",
				  "good.receipt", NULL);
	must_say(&ran, 0, "good.receipt: good\n");
	must_say(&ran, 0, "06000000-0000-0000-5e5e-5e5e5e5e5e5e");
	must_say(&ran, 0, "hmp-peterborough");
	must_say(&ran, 0, "1013 of journal 0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a\n");
	must_say(&ran, 0, "accepted  2026-11-27T04:38:21.123462789Z\n");
	must_say(&ran, 0, "17, sealed 2026-11-27T04:39:21.123456789Z\n");
	must_say(&ran, 0, "compared: they are those of good.event\n");
	assert_string_equal(ran.err, "");
	ran_free(&ran);
	must_have_passed(stage);
}

static void without_an_event_it_says_that_its_bytes_were_not_compared(void **state)
{
	struct stage *stage = *state;

	must_make(stage, "good", NULL);
	struct ran ran = must_run(stage, "ttg-verify", "--key", "broker.pub", "good.receipt", NULL);
	must_say(&ran, 0, "good.receipt: good\n");
	must_say(&ran, 0, "NOT COMPARED");
	ran_free(&ran);
	must_have_passed(stage);
}

static void an_event_comes_from_standard_input_too(void **state)
{
	struct stage *stage = *state;
	char path[PROCESS_PATH_MAX];

	must_make(stage, "good", NULL);
	STAGE_PATH(stage, path, "good.event");
	struct ran ran = must_run_fed(stage, path, "ttg-verify", "--key", "broker.pub", "--event", "-",
				      "good.receipt", NULL);
	must_say(&ran, 0, "compared: they are those of -\n");
	ran_free(&ran);
	STAGE_PATH(stage, path, "broker.pub");
	ran = must_run_fed(stage, path, "ttg-verify", "--key", "broker.pub", "--event", "-",
			   "good.receipt", NULL);
	must_say(&ran, 1, "NOT GOOD");
	ran_free(&ran);
	must_have_passed(stage);
}

/* The JSON object of a run; its status must be the one given. */
static json_t *must_verify_json(struct stage *stage, const char *event, const char *receipt, int code)
{
	struct ran ran = must_run(stage, "ttg-verify", "--json", "--key", "broker.pub", "--event",
				  event, receipt, NULL);
	json_error_t error;
	json_t *json = json_loads(ran.out, 0, &error);

	if (!json || ran.code != code)
		must_fail("%s: ended with %d: %s%s", receipt, ran.code, ran.out, ran.err);
	ran_free(&ran);
	return json;
}

static void must_be_text(const json_t *json, const char *name, const char *expected)
{
	const char *text = json_string_value(json_object_get(json, name));

	if (!text || strcmp(text, expected) != 0)
		must_fail("%s is %s, not %s", name, text ? text : "nothing", expected);
}

static void as_json_it_says_the_same(void **state)
{
	struct stage *stage = *state;

	must_make(stage, "a \"good\" one", NULL);
	json_t *json = must_verify_json(stage, "a \"good\" one.event", "a \"good\" one.receipt", 0);
	must_be_text(json, "file", "a \"good\" one.receipt");
	must_be_text(json, "finding", "good");
	must_be_text(json, "id", "06000000-0000-0000-5e5e-5e5e5e5e5e5e");
	must_be_text(json, "source", "hmp-peterborough");
	must_be_text(json, "journal", "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a");
	must_be_text(json, "accepted", "2026-11-27T04:38:21.123462789Z");
	must_be_text(json, "sealed", "2026-11-27T04:39:21.123456789Z");
	assert_true(json_is_true(json_object_get(json, "good")));
	assert_true(json_is_true(json_object_get(json, "event_compared")));
	assert_int_equal(json_integer_value(json_object_get(json, "sequence")), 1013);
	assert_int_equal(json_integer_value(json_object_get(json, "seal")), 17);
	json_decref(json);
	must_have_passed(stage);
}

static void what_was_tampered_with_is_told_with_its_line(void **state)
{
	struct stage *stage = *state;
	char receipt[64], event[64];

	for (size_t i = 0; i < TAMPERS; i++) {
		must_make(stage, tampers[i].name, &tampers[i]);
		snprintf(receipt, sizeof(receipt), "%s.receipt", tampers[i].name);
		snprintf(event, sizeof(event), "%s.event", tampers[i].name);
		json_t *json = must_verify_json(stage, event, receipt, 1);
		must_be_text(json, "finding", tampers[i].finding);
		assert_int_equal(json_integer_value(json_object_get(json, "line")), tampers[i].line);
		assert_true(json_is_false(json_object_get(json, "good")));
		assert_null(json_object_get(json, "sequence"));
		json_decref(json);
	}
	must_have_passed(stage);
}

static void nothing_a_bad_receipt_says_is_printed(void **state)
{
	struct stage *stage = *state;

	must_make(stage, "bad", &tampers[TAMPERS - 1]);
	struct ran ran = must_run(stage, "ttg-verify", "--key", "broker.pub", "bad.receipt", NULL);
	must_say(&ran, 1, "bad.receipt: NOT GOOD: the signature");
	must_say(&ran, 1, "line 27\n");
	assert_null(strstr(ran.out, "hmp-peterborough"));
	ran_free(&ran);
	must_write(stage, "none.receipt", "throughgate receipt 1\n-- event\nthroughgate event 2\n");
	ran = must_run(stage, "ttg-verify", "--key", "broker.pub", "none.receipt", NULL);
	must_say(&ran, 1, "none.receipt: NOT GOOD: not a receipt, line 3\n");
	ran_free(&ran);
	must_have_passed(stage);
}

static void the_key_of_another_broker_proves_nothing(void **state)
{
	struct stage *stage = *state;

	must_make(stage, "good", NULL);
	struct ran ran = must_run(stage, "ttg-verify", "--key", GOLDEN "broker.pub", "--event",
				  "good.event", "good.receipt", NULL);
	must_say(&ran, 1, "NOT GOOD: the signature");
	ran_free(&ran);
	must_have_passed(stage);
}

static void of_several_receipts_each_is_told_and_the_worst_counts(void **state)
{
	struct stage *stage = *state;

	must_make(stage, "good", NULL);
	must_make(stage, "bad", &tampers[TAMPERS - 1]);
	struct ran ran = must_run(stage, "ttg-verify", "--key", "broker.pub", "bad.receipt",
				  "good.receipt", NULL);
	must_say(&ran, 1, "bad.receipt: NOT GOOD");
	must_say(&ran, 1, "good.receipt: good\n");
	ran_free(&ran);
	ran = must_run(stage, "ttg-verify", "--key", "broker.pub", "gone.receipt", "bad.receipt",
		       "good.receipt", NULL);
	must_say(&ran, 3, "gone.receipt: NOT GOOD: cannot be read: No such file");
	must_say(&ran, 3, "bad.receipt: NOT GOOD");
	must_say(&ran, 3, "good.receipt: good\n");
	ran_free(&ran);
	must_have_passed(stage);
}

static void options_and_files_that_cannot_be_right_have_statuses(void **state)
{
	struct stage *stage = *state;
	const struct {
		const char *const arguments[4];
		int code;
	} runs[] = {
		{ { "good.receipt" }, 2 },
		{ { "--key", "broker.pub" }, 2 },
		{ { "--wrong", "good.receipt" }, 2 },
		{ { "--key", "gone.pub", "good.receipt" }, 3 },
		{ { "--key", "good.receipt", "good.receipt" }, 3 },
		{ { "--key=broker.pub", "--event", "gone", "good.receipt" }, 3 },
		{ { "--key=broker.pub", "--event", "/dev/zero", "good.receipt" }, 3 },
		{ { "--key=broker.pub", "--event", ".", "good.receipt" }, 3 },
		{ { "--key=broker.pub", "/dev/zero" }, 1 },
		{ { "--help" }, 0 },
		{ { "--version" }, 0 },
	};

	must_make(stage, "good", NULL);
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		const char *const *a = runs[i].arguments;
		struct ran ran = must_run(stage, "ttg-verify", a[0], a[1], a[2], a[3], NULL);
		if (ran.code != runs[i].code)
			must_fail("run %zu ended with %d: %s%s", i, ran.code, ran.out, ran.err);
		assert_true(ran.out[0] != '\0' || ran.err[0] != '\0');
		ran_free(&ran);
	}
	must_have_passed(stage);
}

static bool made_steps_say_good(struct stage *stage, const char *name)
{
	char receipt[PROCESS_PATH_MAX], event[PROCESS_PATH_MAX], key[PROCESS_PATH_MAX];

	STAGE_PATH(stage, receipt, "%s.receipt", name);
	STAGE_PATH(stage, event, "%s.event", name);
	STAGE_PATH(stage, key, "broker.pub");
	return steps_say_good(stage, receipt, event, key, NULL);
}

static void the_steps_of_the_document_pass_good_receipts(void **state)
{
	struct stage *stage = *state;
	struct sign_key *key = receipts_key('a');

	must_write_steps(stage, FORMATS);
	must_make(stage, "good", NULL);
	assert_true(made_steps_say_good(stage, "good"));
	assert_true(steps_say_good(stage, GOLDEN "receipt", GOLDEN "event", GOLDEN "broker.pub",
				   NULL));
	for (size_t events = 1; events <= 7; events += 2)
		for (size_t i = 0; i < events; i += 2) {
			struct receipt receipt;
			uint8_t event[RECEIPTS_EVENT];

			receipts_make(key, events, i, &receipt);
			receipts_event(i, event);
			must_write_receipt(stage, "good.receipt", &receipt);
			must_write_bytes(stage, "good.event", event, sizeof(event));
			assert_true(made_steps_say_good(stage, "good"));
		}
	sign_key_free(&key);
	must_have_passed(stage);
}

static void the_steps_of_the_document_refuse_what_was_tampered_with(void **state)
{
	struct stage *stage = *state;

	must_write_steps(stage, FORMATS);
	for (size_t i = 0; i < TAMPERS; i++) {
		must_make(stage, tampers[i].name, &tampers[i]);
		if (made_steps_say_good(stage, tampers[i].name))
			must_fail("the steps find a changed %s good", tampers[i].name);
	}
	must_have_passed(stage);
}

/* Lines before, between and behind the parts, another way to write one, the key of somebody else. */
static void the_steps_of_the_document_refuse_what_is_not_quite_a_receipt(void **state)
{
	struct stage *stage = *state;
	static const char *const places[] = { "throughgate receipt", "-- event", "-- salt", "-- path",
					      "-- seal", "-- signature", "" };
	char receipt[PROCESS_PATH_MAX], event[PROCESS_PATH_MAX], key[PROCESS_PATH_MAX];
	char changed[RECEIPT_TEXT_MAX + 16];

	must_write_steps(stage, FORMATS);
	must_make(stage, "good", NULL);
	STAGE_PATH(stage, receipt, "good.receipt");
	STAGE_PATH(stage, event, "good.event");
	STAGE_PATH(stage, key, "broker.pub");
	assert_true(steps_say_good(stage, receipt, event, key, NULL));
	assert_false(steps_say_good(stage, receipt, event, GOLDEN "broker.pub", NULL));
	char *text = must_read_file(receipt, NULL);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const char *at = places[i][0] ? strstr(text, places[i]) : text + strlen(text);
		must_be(at != NULL, places[i]);
		snprintf(changed, sizeof(changed), "%.*smore\n%s", (int)(at - text), text, at);
		must_write_bytes(stage, "more.receipt", changed, strlen(changed));
		STAGE_PATH(stage, receipt, "more.receipt");
		if (steps_say_good(stage, receipt, event, key, NULL))
			must_fail("the steps pass a line before \"%s\"", places[i]);
	}
	/* The same signature in other letters: the last one holds four bits that say nothing. */
	text[strlen(text) - strlen("x==\n")]++;
	must_write_bytes(stage, "more.receipt", text, strlen(text));
	assert_false(steps_say_good(stage, receipt, event, key, NULL));
	free(text);
	must_have_passed(stage);
}

/* What is changed of the publisher's part, and signed by him or not. */
static const struct {
	const char *name, *finding;
	size_t of; /* whose bytes are in the claim */
	bool other_agency, other_place, unsigned_step;
} claims[] = {
	{ "other-event", "wrong_claim", INDEX + 1, false, false, false },
	{ "other-agency", "wrong_claim", INDEX, true, false, false },
	{ "fewer-events", "wrong_claim", INDEX, false, true, false },
	{ "other-hash", "wrong_claim", INDEX, false, false, true },
};

static void must_make_claimed(const struct stage *stage, const char *name, size_t i)
{
	struct sign_key *key = receipts_key('a'), *publisher = receipts_key('p');
	char file[64], public[SIGNATURE_PEM_MAX];
	struct receipt receipt;

	must_make(stage, name, NULL);
	receipts_make(key, EVENTS, INDEX, &receipt);
	receipts_claim(publisher, 6, 4, claims[i].of, &receipt);
	if (claims[i].other_agency)
		strcpy(receipt.publisher.claim.agency, "hmp-another");
	if (claims[i].other_place)
		receipt.publisher.claim.events = 3;
	if (claims[i].unsigned_step)
		receipt.publisher.steps[0].hash[5] ^= 1;
	receipts_sign_claim(publisher, &receipt);
	snprintf(file, sizeof(file), "%s.receipt", name);
	must_write_receipt(stage, file, &receipt);
	must_be(sign_key_public(publisher, public), "the public key has a text");
	must_write_bytes(stage, "publisher.pub", public, strlen(public));
	sign_key_free(&key);
	sign_key_free(&publisher);
}

/* ttg-verify and the steps, with the key of the publisher. */
static void what_a_publisher_did_not_sign_so_is_told_by_both(void **state)
{
	struct stage *stage = *state;
	char file[64], receipt[PROCESS_PATH_MAX], event[PROCESS_PATH_MAX], key[PROCESS_PATH_MAX];
	char publisher[PROCESS_PATH_MAX];

	must_write_steps(stage, FORMATS);
	assert_true(steps_say_good(stage, SIGNED "receipt", SIGNED "event", SIGNED "broker.pub",
				   SIGNED "publisher.pub"));
	assert_true(steps_say_good(stage, SIGNED "receipt", SIGNED "event", SIGNED "broker.pub", NULL));
	assert_false(steps_say_good(stage, SIGNED "receipt", SIGNED "event", SIGNED "broker.pub",
				    SIGNED "broker.pub"));
	assert_false(steps_say_good(stage, GOLDEN "receipt", GOLDEN "event", GOLDEN "broker.pub",
				    SIGNED "publisher.pub"));
	STAGE_PATH(stage, key, "broker.pub");
	STAGE_PATH(stage, publisher, "publisher.pub");
	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		must_make_claimed(stage, claims[i].name, i);
		snprintf(file, sizeof(file), "%s.receipt", claims[i].name);
		STAGE_PATH(stage, receipt, "%s.receipt", claims[i].name);
		STAGE_PATH(stage, event, "%s.event", claims[i].name);
		struct ran ran = must_run(stage, "ttg-verify", "--json", "--key", "broker.pub", "--event",
					  event, "--publisher-key", "publisher.pub", file, NULL);
		must_say(&ran, 1, claims[i].finding);
		ran_free(&ran);
		if (steps_say_good(stage, receipt, event, key, publisher))
			must_fail("the steps find a claim with %s good", claims[i].name);
	}
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(what_a_good_receipt_proves_is_printed),
		STAGE_TEST(without_an_event_it_says_that_its_bytes_were_not_compared),
		STAGE_TEST(an_event_comes_from_standard_input_too),
		STAGE_TEST(as_json_it_says_the_same),
		STAGE_TEST(what_was_tampered_with_is_told_with_its_line),
		STAGE_TEST(nothing_a_bad_receipt_says_is_printed),
		STAGE_TEST(the_key_of_another_broker_proves_nothing),
		STAGE_TEST(of_several_receipts_each_is_told_and_the_worst_counts),
		STAGE_TEST(options_and_files_that_cannot_be_right_have_statuses),
		STAGE_TEST(the_steps_of_the_document_pass_good_receipts),
		STAGE_TEST(the_steps_of_the_document_refuse_what_was_tampered_with),
		STAGE_TEST(the_steps_of_the_document_refuse_what_is_not_quite_a_receipt),
		STAGE_TEST(what_a_publisher_did_not_sign_so_is_told_by_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
