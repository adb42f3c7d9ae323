/* Receipts: read one way only, good only with their event, their seal and their key. */
#include "unit.h"

#include <string.h>

#include "evidence/receipt.h"
#include "support/process.h"
#include "support/receipts.h"

#define EVENTS 11u
#define INDEX  6u
#define GOLDEN TTG_SOURCE_DIR "/tests/golden/receipt-1/"

struct case_of {
	struct sign_key *secret;
	struct verify_key *key;
	struct receipt receipt;
	uint8_t event[RECEIPTS_EVENT];
	char text[RECEIPT_TEXT_MAX + 1];
	size_t len;
};

static int set_up(void **state)
{
	struct case_of *of = calloc(1, sizeof(*of));

	assert_non_null(of);
	of->secret = receipts_key('a');
	of->key = verify_key_of(of->secret);
	assert_non_null(of->key);
	receipts_make(of->secret, EVENTS, INDEX, &of->receipt);
	receipts_event(INDEX, of->event);
	of->len = receipt_write(&of->receipt, of->text);
	of->text[of->len] = '\0';
	*state = of;
	return 0;
}

static int tear_down(void **state)
{
	struct case_of *of = *state;

	verify_key_free(&of->key);
	sign_key_free(&of->secret);
	free(of);
	return 0;
}

static enum receipt_finding check(const struct case_of *of)
{
	return receipt_check(&of->receipt, of->key, of->event, sizeof(of->event));
}

static enum receipt_finding check_signed_anew(struct case_of *of)
{
	receipts_sign(of->secret, &of->receipt);
	return check(of);
}

static void a_receipt_is_good_with_its_event_and_without_any(void **state)
{
	struct case_of *of = *state;

	assert_int_equal(check(of), RECEIPT_GOOD);
	assert_int_equal(receipt_check(&of->receipt, of->key, NULL, 0), RECEIPT_GOOD);
}

static void the_receipt_of_every_event_of_a_seal_is_good(void **state)
{
	struct case_of *of = *state;

	for (size_t events = 1; events <= 33; events++)
		for (size_t i = 0; i < events; i++) {
			receipts_make(of->secret, events, i, &of->receipt);
			receipts_event(i, of->event);
			assert_int_equal(check(of), RECEIPT_GOOD);
		}
}

static void what_was_written_is_read_back(void **state)
{
	const struct case_of *of = *state;
	struct receipt back;
	char again[RECEIPT_TEXT_MAX];
	size_t line = 0;

	assert_true(receipt_read(of->text, of->len, &back, &line));
	assert_int_equal(back.n_steps, of->receipt.n_steps);
	for (size_t i = 0; i < back.n_steps; i++) {
		assert_int_equal(back.steps[i].left, of->receipt.steps[i].left);
		assert_memory_equal(back.steps[i].hash, of->receipt.steps[i].hash, EVIDENCE_HASH);
	}
	assert_memory_equal(back.signature, of->receipt.signature, sizeof(back.signature));
	assert_int_equal(receipt_write(&back, again), of->len);
	assert_memory_equal(again, of->text, of->len);
	assert_int_equal(receipt_check(&back, of->key, of->event, sizeof(of->event)), RECEIPT_GOOD);
}

static void the_longest_receipt_fits_and_one_step_more_is_refused(void **state)
{
	struct case_of *of = *state;
	struct receipt *receipt = &of->receipt, back;
	char text[RECEIPT_TEXT_MAX + 80];
	size_t line = 0;

	receipt->leaf.sequence = receipt->seal.first = receipt->seal.last = UINT64_MAX;
	receipt->seal.number = UINT64_MAX;
	receipt->seal.events = 1;
	receipt->leaf.accepted_ns = receipt->seal.sealed_ns = INT64_MAX;
	memset(receipt->leaf.source, 'x', LEAF_SOURCE_MAX - 1);
	receipt->n_steps = TREE_STEPS_MAX;
	const size_t len = receipt_write(receipt, text);
	assert_true(receipt_read(text, len, &back, &line));
	assert_int_equal(back.n_steps, TREE_STEPS_MAX);

	char *seal = strstr(text, "-- seal\n");
	assert_non_null(seal);
	const char *step = seal - strlen("right ") - 2 * EVIDENCE_HASH - 1;
	const size_t step_len = (size_t)(seal - step);
	memmove(seal + step_len, seal, len - (size_t)(seal - text));
	memcpy(seal, step, step_len);
	assert_false(receipt_read(text, len + step_len, &back, &line));
	assert_int_equal(line, 2 + 7 + 2 + 1 + TREE_STEPS_MAX + 1);
}

/* Reads it; false: refused. Otherwise it must not be good, with its event or without. */
static bool must_not_be_good(struct case_of *of, const char *text, size_t len)
{
	char again[RECEIPT_TEXT_MAX];
	struct receipt back;
	size_t line = 0;

	if (!receipt_read(text, len, &back, &line)) {
		assert_true(line > 0);
		return false;
	}
	assert_int_equal(receipt_write(&back, again), len);
	assert_memory_equal(again, text, len);
	assert_int_not_equal(receipt_check(&back, of->key, of->event, sizeof(of->event)),
			     RECEIPT_GOOD);
	/* The salt is only asked for with the event. */
	if (memcmp(back.salt, of->receipt.salt, sizeof(back.salt)) == 0)
		assert_int_not_equal(receipt_check(&back, of->key, NULL, 0), RECEIPT_GOOD);
	return true;
}

static void no_byte_can_be_changed(void **state)
{
	struct case_of *of = *state;
	unsigned read = 0;

	for (size_t i = 0; i < of->len; i++) {
		const char was = of->text[i];

		for (int byte = 0; byte < 256; byte++) {
			of->text[i] = (char)byte;
			if (of->text[i] != was)
				read += must_not_be_good(of, of->text, of->len);
		}
		of->text[i] = was;
	}
	assert_true(read > 10000); /* most digits can be others */
	assert_true(receipt_read(of->text, of->len, &of->receipt, &(size_t){ 0 }));
	assert_int_equal(check(of), RECEIPT_GOOD);
}

static void no_part_of_a_receipt_is_one_and_none_has_more_behind(void **state)
{
	struct case_of *of = *state;
	struct receipt back;
	size_t line = 0, lines = 0;

	for (size_t part = 0; part < of->len; part++) {
		assert_false(receipt_read(of->text, part, &back, &line));
		assert_int_equal(line, lines + 1); /* the one that is not whole */
		lines += of->text[part] == '\n';
	}
	of->text[of->len] = '\n';
	assert_false(receipt_read(of->text, of->len + 1, &back, &line));
	assert_int_equal(line, lines + 1);
}

static void a_line_left_out_doubled_or_moved_is_not_good(void **state)
{
	struct case_of *of = *state;
	char text[2 * RECEIPT_TEXT_MAX];
	unsigned lines = 0;

	for (const char *at = of->text, *next = NULL; *at; at = next, lines++) {
		next = strchr(at, '\n') + 1;
		const size_t head = (size_t)(at - of->text), len = (size_t)(next - at);
		const size_t tail = of->len - head - len;

		memcpy(text, of->text, head);
		memcpy(text + head, next, tail + 1);
		must_not_be_good(of, text, of->len - len);
		memcpy(text + of->len - len, at, len);
		if (tail > 0)
			must_not_be_good(of, text, of->len);
		memcpy(text, of->text, head + len);
		memcpy(text + head + len, at, len);
		memcpy(text + head + 2 * len, next, tail);
		must_not_be_good(of, text, of->len + len);
	}
	assert_int_equal(lines, 6 + 7 + 1 + of->receipt.n_steps + 10 + 1);
}

static void the_line_that_is_wrong_is_named(void **state)
{
	struct case_of *of = *state;
	struct receipt back;
	size_t line = 0, lines = 0;

	for (size_t i = 0; i < of->len; i++) {
		const char was = of->text[i];

		if (i > 0 && of->text[i - 1] != '\n')
			continue;
		lines++;
		of->text[i] = '#';
		assert_false(receipt_read(of->text, of->len, &back, &line));
		assert_int_equal(line, lines);
		of->text[i] = was;
	}
	assert_true(lines > 20);
}

static void another_event_is_told(void **state)
{
	struct case_of *of = *state;

	for (size_t i = 0; i < sizeof(of->event); i++) {
		of->event[i] ^= 1;
		assert_int_equal(check(of), RECEIPT_OTHER_EVENT);
		of->event[i] ^= 1;
	}
	assert_int_equal(receipt_check(&of->receipt, of->key, of->event, sizeof(of->event) - 1),
			 RECEIPT_OTHER_EVENT);
	assert_int_equal(receipt_check(&of->receipt, of->key, "", 0), RECEIPT_OTHER_EVENT);
}

static void the_seal_of_another_tree_is_told(void **state)
{
	struct case_of *of = *state;
	struct receipt other;

	receipts_make(of->secret, EVENTS + 1, INDEX, &other);
	of->receipt.seal = other.seal;
	memcpy(of->receipt.signature, other.signature, sizeof(other.signature));
	assert_int_equal(check(of), RECEIPT_WRONG_PATH);
}

/* The hash is right, but no leaf of a tree of so many has such a path. */
static void a_path_that_no_leaf_of_the_tree_has_is_told(void **state)
{
	struct case_of *of = *state;

	receipts_make(of->secret, 7, 6, &of->receipt);
	receipts_event(6, of->event);
	assert_int_equal(check(of), RECEIPT_GOOD);
	for (uint64_t events = 0; events <= 10; events++) {
		/* Trees whose last leaf has two siblings on the left, too. */
		const bool has = events == 4 || events == 6 || events == 7 || events == 10;

		of->receipt.seal.events = events;
		assert_int_equal(check_signed_anew(of), has ? RECEIPT_GOOD : RECEIPT_WRONG_PATH);
	}
}

static void a_sequence_or_journal_that_is_not_the_seals_is_told(void **state)
{
	struct case_of *of = *state;
	const struct seal seal = of->receipt.seal;
	const uint64_t sequence = of->receipt.leaf.sequence;

	of->receipt.seal.first = sequence + 1;
	assert_int_equal(check_signed_anew(of), RECEIPT_WRONG_PLACE);
	of->receipt.seal = seal;
	of->receipt.seal.last = sequence - 1;
	assert_int_equal(check_signed_anew(of), RECEIPT_WRONG_PLACE);
	of->receipt.seal = seal;
	of->receipt.seal.journal[15] ^= 1;
	assert_int_equal(check_signed_anew(of), RECEIPT_WRONG_PLACE);
	of->receipt.seal = seal;
	of->receipt.seal.first = of->receipt.seal.last = sequence;
	assert_int_equal(check_signed_anew(of), RECEIPT_GOOD);
}

static void the_signature_of_another_key_or_seal_is_told(void **state)
{
	struct case_of *of = *state;
	struct sign_key *other = receipts_key('b');

	of->receipt.seal.sealed_ns++;
	assert_int_equal(check(of), RECEIPT_WRONG_KEY);
	assert_int_equal(check_signed_anew(of), RECEIPT_GOOD);
	receipts_sign(other, &of->receipt);
	assert_int_equal(check(of), RECEIPT_WRONG_KEY);
	sign_key_free(&other);
}

static void every_finding_has_a_text_of_its_own(void **state)
{
	(void)state;
	for (int a = RECEIPT_GOOD; a <= RECEIPT_NOT_CHECKED; a++)
		for (int b = RECEIPT_GOOD; b < a; b++)
			assert_string_not_equal(receipt_finding_text((enum receipt_finding)a),
						receipt_finding_text((enum receipt_finding)b));
}

/* Of the first released format: readable and good for ever. The files never change. */
static void the_golden_receipt_is_good(void **state)
{
	struct message message = { "" };
	struct verify_key *key = NULL;
	struct receipt receipt;
	char again[RECEIPT_TEXT_MAX];
	size_t text_len = 0, event_len = 0, line = 0;
	char *text = must_read_file(GOLDEN "receipt", &text_len);
	char *event = must_read_file(GOLDEN "event", &event_len);

	(void)state;
	assert_int_equal(verify_key_read(GOLDEN "broker.pub", &key, &message), TTG_OK);
	assert_true(receipt_read(text, text_len, &receipt, &line));
	assert_int_equal(receipt_check(&receipt, key, event, event_len), RECEIPT_GOOD);
	assert_string_equal(receipt.leaf.source, "prison");
	assert_int_equal(receipt.leaf.sequence, 2026);
	assert_int_equal(receipt.n_steps, 5);
	assert_int_equal(receipt.seal.number, 42);
	assert_int_equal(receipt_write(&receipt, again), text_len);
	assert_memory_equal(again, text, text_len);
	event[event_len - 1] ^= 1;
	assert_int_equal(receipt_check(&receipt, key, event, event_len), RECEIPT_OTHER_EVENT);
	verify_key_free(&key);
	free(event);
	free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_receipt_is_good_with_its_event_and_without_any),
		TEST(the_receipt_of_every_event_of_a_seal_is_good),
		TEST(what_was_written_is_read_back),
		TEST(the_longest_receipt_fits_and_one_step_more_is_refused),
		TEST(no_byte_can_be_changed),
		TEST(no_part_of_a_receipt_is_one_and_none_has_more_behind),
		TEST(a_line_left_out_doubled_or_moved_is_not_good),
		TEST(the_line_that_is_wrong_is_named),
		TEST(another_event_is_told),
		TEST(the_seal_of_another_tree_is_told),
		TEST(a_path_that_no_leaf_of_the_tree_has_is_told),
		TEST(a_sequence_or_journal_that_is_not_the_seals_is_told),
		TEST(the_signature_of_another_key_or_seal_is_told),
		cmocka_unit_test(every_finding_has_a_text_of_its_own),
		cmocka_unit_test(the_golden_receipt_is_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
