/*
 * Texts of rules as a journal may give them back, of this version or another: two of them, the first with
 * its length.
 *
 * Broken when a text differs from itself, or a difference taken back does not have as many lines.
 */
#include "fuzz.h"

#include "core/rules_text.h"

struct count {
	size_t removed, added;
};

static bool count_line(void *arg, char sign, const char *line, size_t len)
{
	struct count *count = arg;

	MUST(memchr(line, '\n', len) == NULL);
	count->removed += sign == '-';
	count->added += sign == '+';
	return true;
}

static void read_text(const char *text, size_t len)
{
	static const char *const under[] = { "always", "limited" };
	static const struct rules_delivery deliveries[] = {
		{ "prison.released", "prison", "oneservice/in", under, 2, false, 1 },
		{ "prison.released", "prison", "police/in", under, 1, true, INT64_MAX - 1 },
		{ "broker.correction", "broker", "police/in", under, 0, true, 0 },
	};
	struct rules_reading *reading = rules_read(text, len);

	for (size_t i = 0; reading && i < sizeof(deliveries) / sizeof(deliveries[0]); i++) {
		char *fields = rules_read_fields(reading, &deliveries[i]);

		MUST(fields && (fields[0] == '\0' || strcmp(fields, "*") == 0 || strchr(fields, ';')));
		free(fields);
	}
	rules_reading_free(&reading);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_input input = { data, len };
	size_t len_a = 0, len_b = 0;
	char *a = fuzz_sized(&input, &len_a), *b = fuzz_rest(&input, &len_b), *joined;
	struct count there = { 0, 0 }, back = { 0, 0 }, none = { 0, 0 };

	read_text(a, len_a);
	read_text(b, len_b);
	MUST(rules_diff(a, b, count_line, &there) && rules_diff(b, a, count_line, &back));
	MUST(there.removed == back.added && there.added == back.removed);
	MUST(rules_diff(a, a, count_line, &none) && none.removed + none.added == 0);
	joined = rules_join_fields(a, b);
	MUST(joined);
	free(joined);
	free(a);
	free(b);
	return 0;
}
