/* What a publisher signs: one text for one list of events, and the way of each event to its root. */
#include "unit.h"

#include <string.h>

#include "base/claim.h"

#define EVENTS 5u

struct bed {
	struct hasher *hasher;
	struct tree *tree;
	uint8_t digests[EVENTS * HASH_BYTES];
};

static int set_up(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	assert_non_null(bed);
	bed->hasher = hasher_new();
	bed->tree = tree_new();
	assert_true(bed->hasher && bed->tree);
	for (size_t i = 0; i < EVENTS; i++)
		assert_true(hasher_sum(bed->hasher, &i, sizeof(i), bed->digests + i * HASH_BYTES));
	*state = bed;
	return 0;
}

static int tear_down(void **state)
{
	struct bed *bed = *state;

	hasher_free(&bed->hasher);
	tree_free(&bed->tree);
	free(bed);
	return 0;
}

static void the_text_is_the_one_that_is_documented(void **state)
{
	struct bed *bed = *state;
	char text[CLAIM_TEXT_MAX + 1], leaf[128], digits[2 * HASH_BYTES + 1], expected[CLAIM_TEXT_MAX];
	uint8_t hash[HASH_BYTES];
	struct claim claim;

	assert_true(claim_grow(bed->tree, bed->hasher, bed->digests, 1));
	assert_true(claim_make(bed->tree, "hmp-gate", &claim));
	text[claim_write(&claim, text)] = '\0';
	for (size_t i = 0; i < HASH_BYTES; i++)
		snprintf(digits + 2 * i, 3, "%02x", bed->digests[i]);
	snprintf(leaf, sizeof(leaf), "event %s\n", digits);
	assert_true(hasher_sum(bed->hasher, leaf, strlen(leaf), hash));
	for (size_t i = 0; i < HASH_BYTES; i++)
		snprintf(digits + 2 * i, 3, "%02x", hash[i]);
	snprintf(expected, sizeof(expected),
		 "throughgate publish 1\nagency hmp-gate\nevents 1\nroot %s\n", digits);
	assert_string_equal(text, expected);
}

static void every_event_leads_to_the_root(void **state)
{
	struct bed *bed = *state;
	struct tree_step steps[TREE_STEPS_MAX];
	uint8_t hash[HASH_BYTES];
	struct claim claim;
	size_t n = 0;

	assert_true(claim_grow(bed->tree, bed->hasher, bed->digests, EVENTS));
	assert_true(claim_make(bed->tree, "a", &claim));
	assert_int_equal(claim.events, EVENTS);
	for (size_t i = 0; i < EVENTS; i++) {
		assert_true(tree_path(bed->tree, i, steps, &n));
		assert_true(claim_leaf(bed->hasher, bed->digests + i * HASH_BYTES, hash));
		assert_true(tree_climb(bed->hasher, hash, steps, n, hash));
		assert_memory_equal(hash, claim.root, HASH_BYTES);
		assert_true(tree_sides_fit(steps, n, claim.events));
	}
}

static void another_order_is_another_claim(void **state)
{
	struct bed *bed = *state;
	uint8_t turned[2 * HASH_BYTES];
	struct claim one, two;

	memcpy(turned, bed->digests + HASH_BYTES, HASH_BYTES);
	memcpy(turned + HASH_BYTES, bed->digests, HASH_BYTES);
	assert_true(claim_grow(bed->tree, bed->hasher, bed->digests, 2) &&
		    claim_make(bed->tree, "a", &one));
	assert_true(claim_grow(bed->tree, bed->hasher, turned, 2) && claim_make(bed->tree, "a", &two));
	assert_memory_not_equal(one.root, two.root, HASH_BYTES);
}

static void what_is_written_reads_back_and_nothing_else_does(void **state)
{
	struct bed *bed = *state;
	char text[CLAIM_TEXT_MAX];
	struct claim claim, back;

	assert_true(claim_grow(bed->tree, bed->hasher, bed->digests, EVENTS));
	assert_true(claim_make(bed->tree, "hmp-gate", &claim));
	const size_t len = claim_write(&claim, text);
	struct reading reading = { text, text + len, false };
	assert_true(claim_take(&reading, &back) && reading_done(&reading));
	assert_memory_equal(&back, &claim, sizeof(claim));
	for (size_t i = 0; i < len; i++) { /* no byte may be missing */
		struct reading cut = { text, text + i, false };

		assert_false(claim_take(&cut, &back) && reading_done(&cut));
	}
	static const char none[] = "throughgate publish 1\nagency a\nevents 0\nroot "
				   "0000000000000000000000000000000000000000000000000000000000000000\n";
	struct reading empty = { none, none + sizeof(none) - 1, false };
	assert_false(claim_take(&empty, &back));
	assert_ptr_equal(empty.at, none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_text_is_the_one_that_is_documented),
		cmocka_unit_test(every_event_leads_to_the_root),
		cmocka_unit_test(another_order_is_another_claim),
		cmocka_unit_test(what_is_written_reads_back_and_nothing_else_does),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
