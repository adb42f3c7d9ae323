/* Receipts of events that their publishers signed: read one way only, and each proves one event. */
#include "unit.h"

#include <string.h>

#include "base/smallfile.h"
#include "support/receipts.h"

#define GOLDEN TTG_SOURCE_DIR "/tests/golden/receipt-2/"
#define EVENTS 11u
#define INDEX  6u
#define FRAME  5u
#define PLACE  3u

struct case_of {
	struct sign_key *secret, *publisher;
	struct verify_key *key, *publisher_key;
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
	of->publisher = receipts_key('p');
	of->key = verify_key_of(of->secret);
	of->publisher_key = verify_key_of(of->publisher);
	assert_true(of->key && of->publisher_key);
	receipts_make(of->secret, EVENTS, INDEX, &of->receipt);
	receipts_claim(of->publisher, FRAME, PLACE, INDEX, &of->receipt);
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
	verify_key_free(&of->publisher_key);
	sign_key_free(&of->secret);
	sign_key_free(&of->publisher);
	free(of);
	return 0;
}

/* Both in turn, as ttg-verify does. */
static enum receipt_finding check(const struct case_of *of, const struct receipt *receipt)
{
	const enum receipt_finding finding =
		receipt_check(receipt, of->key, of->event, sizeof(of->event));

	return finding ? finding : receipt_check_publisher(receipt, of->publisher_key);
}

static void it_is_good_and_reads_back_as_it_was_written(void **state)
{
	struct case_of *of = *state;
	char again[RECEIPT_TEXT_MAX];
	struct receipt back;
	size_t line = 0;

	assert_int_equal(check(of, &of->receipt), RECEIPT_GOOD);
	assert_int_equal(strncmp(of->text, "throughgate receipt 2\n", 22), 0);
	assert_true(receipt_read(of->text, of->len, &back, &line));
	assert_memory_equal(&back, &of->receipt, sizeof(back));
	assert_int_equal(receipt_write(&back, again), of->len);
	assert_memory_equal(again, of->text, of->len);
}

static void no_byte_of_it_can_be_changed(void **state)
{
	struct case_of *of = *state;
	struct receipt back;
	size_t line = 0;

	for (size_t i = 0; i < of->len; i++) {
		const char was = of->text[i];

		for (int bit = 0; bit < 8; bit++) {
			of->text[i] = (char)(was ^ 1 << bit);
			if (receipt_read(of->text, of->len, &back, &line))
				assert_int_not_equal(check(of, &back), RECEIPT_GOOD);
		}
		of->text[i] = was;
	}
}

static void no_part_of_it_is_one_and_none_has_more_behind(void **state)
{
	struct case_of *of = *state;
	struct receipt back;
	size_t line = 0;

	for (size_t len = 0; len < of->len; len++)
		assert_false(receipt_read(of->text, len, &back, &line));
	of->text[of->len] = '\n';
	assert_false(receipt_read(of->text, of->len + 1, &back, &line));
}

static void without_the_publishers_part_it_proves_what_the_broker_says(void **state)
{
	struct case_of *of = *state;

	of->receipt.is_claimed = false;
	assert_int_equal(receipt_check(&of->receipt, of->key, of->event, sizeof(of->event)),
			 RECEIPT_GOOD);
	assert_int_equal(check(of, &of->receipt), RECEIPT_NOT_SIGNED);
}

/* A broker who wants to say that somebody said something. */
static void the_claim_of_another_event_agency_or_place_is_told(void **state)
{
	struct case_of *of = *state;
	struct receipt *receipt = &of->receipt;

	receipts_claim(of->publisher, FRAME, PLACE, INDEX + 1, receipt);
	assert_int_equal(check(of, receipt), RECEIPT_WRONG_CLAIM);
	receipts_claim(of->publisher, FRAME, PLACE, INDEX, receipt);
	strcpy(receipt->publisher.claim.agency, "another");
	receipts_sign_claim(of->publisher, receipt);
	assert_int_equal(check(of, receipt), RECEIPT_WRONG_CLAIM);
	receipts_claim(of->publisher, FRAME, PLACE, INDEX, receipt);
	receipt->publisher.claim.events = 2;
	receipts_sign_claim(of->publisher, receipt);
	assert_int_equal(check(of, receipt), RECEIPT_WRONG_CLAIM);
	receipts_claim(of->publisher, FRAME, PLACE, INDEX, receipt);
	receipt->publisher.steps[0].left = !receipt->publisher.steps[0].left;
	assert_int_equal(check(of, receipt), RECEIPT_WRONG_CLAIM);
	/* Without the event's bytes, too. */
	assert_int_equal(receipt_check(receipt, of->key, NULL, 0), RECEIPT_WRONG_CLAIM);
}

static void the_signature_of_another_key_is_told(void **state)
{
	struct case_of *of = *state;
	struct sign_key *other = receipts_key('o');

	receipts_sign_claim(other, &of->receipt);
	assert_int_equal(check(of, &of->receipt), RECEIPT_WRONG_SIGNER);
	/* Under the name of the right one. */
	struct receipt named = of->receipt;
	receipts_sign_claim(of->publisher, &of->receipt);
	memcpy(named.publisher.key, of->receipt.publisher.key, sizeof(named.publisher.key));
	assert_int_equal(check(of, &named), RECEIPT_WRONG_SIGNER);
	assert_int_equal(check(of, &of->receipt), RECEIPT_GOOD);
	sign_key_free(&other);
}

/* Of the first released format with a publisher's part. The files never change. */
static void the_golden_receipt_is_good(void **state)
{
	struct verify_key *key = NULL, *publisher = NULL;
	struct message message = { "" };
	struct receipt receipt;
	char text[RECEIPT_TEXT_MAX + 1], event[RECEIPTS_EVENT + 1], again[RECEIPT_TEXT_MAX];
	size_t text_len = 0, event_len = 0, line = 0;

	(void)state;
	assert_int_equal(smallfile_read(GOLDEN "receipt", false, text, sizeof(text), &text_len, &message),
			 TTG_OK);
	assert_int_equal(smallfile_read(GOLDEN "event", false, event, sizeof(event), &event_len, &message),
			 TTG_OK);
	assert_int_equal(verify_key_read(GOLDEN "broker.pub", &key, &message), TTG_OK);
	assert_int_equal(verify_key_read(GOLDEN "publisher.pub", &publisher, &message), TTG_OK);
	assert_true(receipt_read(text, text_len, &receipt, &line));
	assert_int_equal(receipt_check(&receipt, key, event, event_len), RECEIPT_GOOD);
	assert_int_equal(receipt_check_publisher(&receipt, publisher), RECEIPT_GOOD);
	assert_int_equal(receipt_check_publisher(&receipt, key), RECEIPT_WRONG_SIGNER);
	assert_int_equal(receipt.publisher.claim.events, 6);
	assert_int_equal(receipt_write(&receipt, again), text_len);
	assert_memory_equal(again, text, text_len);
	verify_key_free(&key);
	verify_key_free(&publisher);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(it_is_good_and_reads_back_as_it_was_written),
		TEST(no_byte_of_it_can_be_changed),
		TEST(no_part_of_it_is_one_and_none_has_more_behind),
		TEST(without_the_publishers_part_it_proves_what_the_broker_says),
		TEST(the_claim_of_another_event_agency_or_place_is_told),
		TEST(the_signature_of_another_key_is_told),
		cmocka_unit_test(the_golden_receipt_is_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
