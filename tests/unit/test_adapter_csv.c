/*
 * CSV extracts and their encodings, as spreadsheets and older systems write them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/csv_file.h"
#include "common/text.h"
#include "support/assert.h"
#include "unit.h"

static const struct csv_column columns[] = {
	{ "number", "prison no,noms", true },
	{ "date", "release date", false },
	{ "note", "", false },
};

/* What was read, one line a row: "2:a|b|c", bad ones "3!why". */
struct seen {
	char text[8192];
	size_t len;
	size_t rows;
};

static enum ttg_error on_row(void *user, const struct csv_row *row)
{
	struct seen *seen = user;

	seen->rows++;
	seen->len += (size_t)snprintf(seen->text + seen->len, sizeof(seen->text) - seen->len,
	                              "%u:%.20s|%.20s|%.40s\n", row->line, row->values[0],
	                              row->values[1], row->values[2]);
	return seen->len < sizeof(seen->text) - 200 ? TTG_OK : TTG_ELIMIT;
}

static enum ttg_error on_bad(void *user, unsigned line, const char *text, const char *raw,
                             size_t raw_len)
{
	struct seen *seen = user;

	assert_true(raw_len > 0 && raw != NULL);
	seen->len += (size_t)snprintf(seen->text + seen->len, sizeof(seen->text) - seen->len,
	                              "%u!%s\n", line, text);
	return seen->len < sizeof(seen->text) - 200 ? TTG_OK : TTG_ELIMIT;
}

static enum ttg_error read_csv(const char *text, size_t len, struct seen *seen)
{
	const struct csv_reader reader = {
		.columns = columns, .n_columns = 3, .user = seen, .on_row = on_row, .on_bad = on_bad
	};
	struct message message = { "" };

	memset(seen, 0, sizeof(*seen));
	return csv_read(&reader, text, len, &message);
}

static void must_give(const char *text, const char *wanted)
{
	struct seen seen;

	assert_int_equal(read_csv(text, strlen(text), &seen), TTG_OK);
	assert_string_equal(seen.text, wanted);
}

static void columns_stand_in_any_order_under_any_name(void **state)
{
	(void)state;
	must_give("number,date,note\na,b,c\n", "2:a|b|c\n");
	must_give("NOTE,Release_Date,x,Prison No\r\nc,b,?,a\r\n", "2:a|b|c\n");
	must_give("NOMS\na\n", "2:a||\n");
	must_give("noms;note\na;c\n", "2:a||c\n");
	must_give("noms\tnote\na\tc\n", "2:a||c\n");
}

static void quoted_fields_hold_commas_quotes_and_line_ends(void **state)
{
	(void)state;
	must_give("number,note\r\n\"a\",\"x, \"\"y\"\"\"\r\nb,z\r\n", "2:a||x, \"y\"\n3:b||z\n");
	must_give("number,note\n\"a\",\"x\ny\"\nb,z\n", "2:a||x\ny\n4:b||z\n");
}

static void every_line_end_and_none_at_the_end_will_do(void **state)
{
	(void)state;
	must_give("number\ra\rb\r", "2:a||\n3:b||\n");
	must_give("number\na\n\n\nb", "2:a||\n5:b||\n");
	must_give("\n\nnumber\na", "4:a||\n");
}

static void a_bad_line_is_named_and_the_others_are_read(void **state)
{
	(void)state;
	must_give("number,note\na,b,c\nb,x\nc\n,y\nd,z\n",
	          "2!has 3 fields where the header has 2\n3:b||x\n"
	          "4!has 1 fields where the header has 2\n5!number is empty\n6:d||z\n");
}

static void an_unclosed_quote_costs_one_line(void **state)
{
	(void)state;
	must_give("number,note\na,\"x\nb,y\nc,z\n", "2!a quote is not closed\n3:b||y\n4:c||z\n");
	must_give("number,note\na,\"x\"y\nb,\"y\"\n", "2!a quote is out of place\n3:b||y\n");
}

static void a_field_or_a_line_over_the_bound_is_a_bad_line(void **state)
{
	struct seen seen;
	size_t len = 0;
	char *text = malloc(4 * CSV_FIELD_MAX);

	(void)state;
	assert_non_null(text);
	len = (size_t)sprintf(text, "number,note\na,");
	memset(text + len, 'x', CSV_FIELD_MAX + 1);
	len += CSV_FIELD_MAX + 1;
	len += (size_t)sprintf(text + len, "\nb,y\n");
	assert_int_equal(read_csv(text, len, &seen), TTG_OK);
	assert_string_equal(seen.text, "2!a field is too long\n3:b||y\n");
	free(text);
}

static void a_header_that_will_not_do_is_refused(void **state)
{
	struct seen seen;

	(void)state;
	assert_int_equal(read_csv("", 0, &seen), TTG_EFORMAT);
	assert_int_equal(read_csv("date\nx\n", 7, &seen), TTG_EFORMAT);
	assert_int_equal(read_csv("noms,number\n", 12, &seen), TTG_EFORMAT);
	assert_int_equal(read_csv("\"noms\n", 6, &seen), TTG_EFORMAT);
}

static void no_bytes_at_all_can_make_it_fail_otherwise(void **state)
{
	static const char letters[] = "ab,\"\n\r; \t";
	uint64_t seed = unit_seed("csv");
	char text[256];

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct seen seen;
		size_t len = (size_t)sprintf(text, "number,note\n");

		while (len < sizeof(text) - 1)
			text[len++] = letters[unit_random(&seed) % (sizeof(letters) - 1)];
		assert_int_equal(read_csv(text, len, &seen), TTG_OK);
	}
}

static void must_be_text(const char *bytes, size_t len, enum text_encoding wanted, const char *as)
{
	enum text_encoding found;
	char *text = NULL;
	size_t text_len = 0;

	assert_int_equal(text_to_utf8(bytes, len, &text, &text_len, &found, NULL), TTG_OK);
	assert_int_equal(found, wanted);
	assert_string_equal(text, as);
	assert_int_equal(text_len, strlen(as));
	free(text);
}

static void encodings_are_told_apart(void **state)
{
	(void)state;
	must_be_text("Z\xc3\xa9", 3, TEXT_UTF8, "Z\xc3\xa9");
	must_be_text("\xef\xbb\xbfZ\xc3\xa9", 6, TEXT_UTF8_MARKED, "Z\xc3\xa9");
	must_be_text("Z\xe9 \x80\x31", 5, TEXT_WINDOWS_1252,
	             "Z\xc3\xa9 \xe2\x82\xac"
	             "1");
	must_be_text("\xff\xfeZ\0\xe9\0", 6, TEXT_UTF16, "Z\xc3\xa9");
	must_be_text("", 0, TEXT_UTF8, "");
}

static void bytes_of_no_encoding_and_binary_are_refused(void **state)
{
	enum text_encoding found;
	char *text = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(text_to_utf8("a\x81", 2, &text, &len, &found, NULL), TTG_EFORMAT);
	assert_int_equal(text_to_utf8("a\0b", 3, &text, &len, &found, NULL), TTG_EFORMAT);
	assert_int_equal(text_to_utf8("\xef\xbb\xbf\xe9", 4, &text, &len, &found, NULL),
	                 TTG_EFORMAT);
	assert_null(text);
	assert_false(text_is_utf8("\xed\xa0\x80", 3)); /* half of a surrogate pair */
	assert_false(text_is_utf8("\xc0\xaf", 2));     /* overlong */
	assert_false(text_is_utf8("\xe2\x82", 2));     /* cut off */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_stand_in_any_order_under_any_name),
		cmocka_unit_test(quoted_fields_hold_commas_quotes_and_line_ends),
		cmocka_unit_test(every_line_end_and_none_at_the_end_will_do),
		cmocka_unit_test(a_bad_line_is_named_and_the_others_are_read),
		cmocka_unit_test(an_unclosed_quote_costs_one_line),
		cmocka_unit_test(a_field_or_a_line_over_the_bound_is_a_bad_line),
		cmocka_unit_test(a_header_that_will_not_do_is_refused),
		cmocka_unit_test(no_bytes_at_all_can_make_it_fail_otherwise),
		cmocka_unit_test(encodings_are_told_apart),
		cmocka_unit_test(bytes_of_no_encoding_and_binary_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
