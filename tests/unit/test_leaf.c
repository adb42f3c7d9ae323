/* The text of a leaf: one way to say that an event was accepted, and no other. */
#include "unit.h"

#include <string.h>

#include "evidence/leaf.h"

static struct leaf some_leaf(void)
{
	struct leaf leaf = { .sequence = 1001,
			     .accepted_ns = 1795754301123456789,
			     .source = "hmp-peterborough" };

	for (size_t i = 0; i < EVIDENCE_ID; i++) {
		leaf.journal[i] = 0x0a;
		leaf.id[i] = (uint8_t)(0x01 + 0x11 * i);
	}
	memset(leaf.sha256, 0xc5, sizeof(leaf.sha256));
	return leaf;
}

static const char some_text[] =
	"throughgate event 1\n"
	"journal 0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a\n"
	"sequence 1001\n"
	"accepted 1795754301123456789\n"
	"source hmp-peterborough\n"
	"id 01122334-4556-6778-899a-abbccddeef00\n"
	"sha256 c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5\n";

static void a_leaf_is_written_as_the_document_says(void **state)
{
	const struct leaf leaf = some_leaf();
	char text[LEAF_TEXT_MAX];

	(void)state;
	assert_int_equal(leaf_write(&leaf, text), sizeof(some_text) - 1);
	assert_memory_equal(text, some_text, sizeof(some_text) - 1);
}

static void what_was_written_is_read_back(void **state)
{
	const struct leaf leaf = some_leaf();
	struct leaf back;
	char text[LEAF_TEXT_MAX];

	(void)state;
	assert_true(leaf_read(text, leaf_write(&leaf, text), &back));
	assert_memory_equal(back.journal, leaf.journal, sizeof(leaf.journal));
	assert_int_equal(back.sequence, leaf.sequence);
	assert_true(back.accepted_ns == leaf.accepted_ns);
	assert_string_equal(back.source, leaf.source);
	assert_memory_equal(back.id, leaf.id, sizeof(leaf.id));
	assert_memory_equal(back.sha256, leaf.sha256, sizeof(leaf.sha256));
}

static void the_largest_leaf_fits(void **state)
{
	struct leaf leaf = some_leaf(), back;
	char text[LEAF_TEXT_MAX];

	(void)state;
	leaf.sequence = UINT64_MAX;
	leaf.accepted_ns = INT64_MAX;
	memset(leaf.source, 'x', LEAF_SOURCE_MAX - 1);
	assert_true(leaf_read(text, leaf_write(&leaf, text), &back));
	assert_true(back.sequence == UINT64_MAX && back.accepted_ns == INT64_MAX);
	assert_int_equal(strlen(back.source), LEAF_SOURCE_MAX - 1);
}

/* Whatever one byte becomes: it is refused, or the leaf says something else and is written so. */
static void a_changed_byte_is_no_other_way_to_say_the_same(void **state)
{
	char text[sizeof(some_text)], again[LEAF_TEXT_MAX];
	const size_t len = sizeof(some_text) - 1;
	struct leaf back;
	unsigned read = 0;

	(void)state;
	memcpy(text, some_text, sizeof(text));
	for (size_t i = 0; i < len; i++) {
		for (int byte = 0; byte < 256; byte++) {
			text[i] = (char)byte;
			if (text[i] == some_text[i] || !leaf_read(text, len, &back))
				continue;
			read++;
			assert_int_equal(leaf_write(&back, again), len);
			assert_memory_equal(again, text, len);
		}
		text[i] = some_text[i];
	}
	assert_true(read > 1000); /* digits are digits */
}

static void no_part_of_a_leaf_is_one(void **state)
{
	char text[sizeof(some_text) + 1];
	const size_t len = sizeof(some_text) - 1;
	struct leaf back;

	(void)state;
	memcpy(text, some_text, len);
	for (size_t part = 0; part < len; part++)
		assert_false(leaf_read(text, part, &back));
	assert_true(leaf_read(text, len, &back));
	text[len] = '\n';
	assert_false(leaf_read(text, len + 1, &back));
}

static void a_leaf_that_cannot_be_is_refused(void **state)
{
	struct leaf none = some_leaf(), nil = some_leaf(), back;
	char text[LEAF_TEXT_MAX];

	(void)state;
	none.sequence = 0;
	assert_false(leaf_read(text, leaf_write(&none, text), &back));
	memset(nil.id, 0, sizeof(nil.id));
	assert_false(leaf_read(text, leaf_write(&nil, text), &back));
	nil = some_leaf();
	nil.source[0] = '\0';
	assert_false(leaf_read(text, leaf_write(&nil, text), &back));
	nil.source[0] = '\n';
	assert_false(leaf_read(text, leaf_write(&nil, text), &back));
}

/* The SHA-256 of the text above, from `openssl dgst`. */
static void the_hash_of_a_leaf_is_that_of_its_text(void **state)
{
	const struct leaf leaf = some_leaf();
	struct hasher *hasher = hasher_new();
	uint8_t hash[EVIDENCE_HASH];
	char hex[2 * EVIDENCE_HASH + 1];

	(void)state;
	assert_non_null(hasher);
	assert_true(leaf_hash(hasher, &leaf, hash));
	for (size_t i = 0; i < EVIDENCE_HASH; i++)
		snprintf(hex + 2 * i, 3, "%02x", hash[i]);
	assert_string_equal(hex, "347fcd724d519ca52caec2d01e04bab0fc74711011926eff7120499c0d3ede73");
	hasher_free(&hasher);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leaf_is_written_as_the_document_says),
		cmocka_unit_test(what_was_written_is_read_back),
		cmocka_unit_test(the_largest_leaf_fits),
		cmocka_unit_test(a_changed_byte_is_no_other_way_to_say_the_same),
		cmocka_unit_test(no_part_of_a_leaf_is_one),
		cmocka_unit_test(a_leaf_that_cannot_be_is_refused),
		cmocka_unit_test(the_hash_of_a_leaf_is_that_of_its_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
