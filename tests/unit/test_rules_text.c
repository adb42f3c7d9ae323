/*
 * Rules as text: two texts are compared line by line.
 */
#include "support/core_play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/rules_text.h"

#define TEXT_ROOM 65536

static bool add_line(void *arg, const char *line, size_t len)
{
	char *text = arg;
	const size_t at = strlen(text);

	assert_true(at + len + 2 < TEXT_ROOM);
	memcpy(text + at, line, len);
	strcpy(text + at + len, "\n");
	return true;
}

static char *spell(const struct rules *rules)
{
	char *text = calloc(1, TEXT_ROOM);

	assert_non_null(text);
	assert_true(rules_text(rules, add_line, text));
	return text;
}

static uint32_t add_mask(struct rules *rules, const char *type, const char *const *paths)
{
	struct mask *mask = mask_new(ttg_type_find(type));

	assert_non_null(mask);
	for (; *paths; paths++) {
		if (strcmp(*paths, "NOMS") == 0 || strcmp(*paths, "CRN") == 0)
			assert_int_equal(mask_add_kind(mask, (unsigned)mask_kind(*paths)), MASK_ADDED);
		else if (strcmp(*paths, "recorded_at") == 0 || strcmp(*paths, "person") == 0)
			assert_int_equal(mask_add_envelope(mask, *paths), MASK_ADDED);
		else
			assert_int_equal(mask_add(mask, *paths), MASK_ADDED);
	}
	rules->masks = realloc(rules->masks, (rules->n_masks + 1) * sizeof(struct mask *));
	assert_non_null(rules->masks);
	rules->masks[rules->n_masks++] = mask;
	return (uint32_t)rules->n_masks;
}

/*
 * Releases go to the desk under "always" in part, under "limited" in another; to the charity under
 * "limited" whole; a referral to whom it names. With a condition, and with names that hold blanks.
 */
static struct rules *sample(void)
{
	struct rules *rules = play_rules(false);
	struct rules_deliver_grant *grant;
	struct rules_range range = { { 192, 0, 2 }, 120 };

	strcpy(rules->agencies[PLAY_PRISON].name, "HMP & YOI of = here [x]");
	rules->agencies[PLAY_PRISON].ranges = malloc(sizeof(range));
	rules->agencies[PLAY_PRISON].ranges[0] = range;
	rules->agencies[PLAY_PRISON].n_ranges = 1;
	rules->agencies[PLAY_PRISON].keys = calloc(1, sizeof(struct rules_key));
	rules->agencies[PLAY_PRISON].n_keys = 1;
	memset(rules->agencies[PLAY_PRISON].keys[0].public_z85, '=', 40);
	strcpy(rules->agencies[PLAY_PRISON].keys[0].label, "2026-a");
	strcpy(rules->agreements[AGREED_ALWAYS].title, "For ever, and [all] of it");
	rules->conditions = calloc(1, sizeof(*rules->conditions));
	rules->n_conditions = 1;
	strcpy(rules->conditions[0].scheme, "oneservice/pilot");
	rules->conditions[0].window_days = 30;
	grant = play_grant(rules, TYPE_RELEASED, PLAY_PRISON, BOX_DESK, AGREED_ALWAYS);
	grant->mask = add_mask(rules, "prison.released",
			       (const char *const[]){ "area", "NOMS", "recorded_at", NULL });
	grant->condition = 1;
	grant = play_grant(rules, TYPE_RELEASED, PLAY_PRISON, BOX_DESK, AGREED_LIMITED);
	grant->mask = add_mask(rules, "prison.released",
			       (const char *const[]){ "area", "prison_code", "CRN", NULL });
	play_grant(rules, TYPE_RELEASED, PLAY_PRISON, BOX_CHARITY, AGREED_LIMITED);
	assert_true(rules_finish(rules));
	return rules;
}

static bool add_difference(void *arg, char sign, const char *line, size_t len)
{
	char *text = arg;

	snprintf(text + strlen(text), 1024 - strlen(text), "%c%.*s|", sign, (int)len, line);
	return strlen(text) < 1000;
}

static void a_difference_names_what_only_one_has(void **state)
{
	char out[1024] = "";

	(void)state;
	assert_true(rules_diff("b\na\nc\n", "c\nb\na\n", add_difference, out));
	assert_string_equal(out, "");
	assert_true(rules_diff("a\nb 1\nc\nc\n", "a\nb 2\nc\nd\n", add_difference, out));
	assert_string_equal(out, "-b 1|+b 2|-c|+d|");
	out[0] = '\0';
	assert_true(rules_diff("", "a\n", add_difference, out));
	assert_true(rules_diff("a\nab\n", "ab\n", add_difference, out));
	assert_string_equal(out, "+a|-a|");
	memset(out, 'x', 1000);
	out[1000] = '\0';
	assert_false(rules_diff("a\n", "", add_difference, out)); /* who asked has enough */
}

static void rules_differ_in_the_lines_that_were_changed(void **state)
{
	struct rules *rules = sample();
	char *before = spell(rules), *after, out[1024] = "";

	(void)state;
	rules->agreements[AGREED_LIMITED].to_ns = RULES_FOREVER;
	assert_true(rules_finish(rules));
	after = spell(rules);
	assert_true(rules_diff(before, after, add_difference, out));
	assert_non_null(strstr(out, "-agreement limited from=0 to="));
	assert_non_null(strstr(out, "+agreement limited from=0 to=9223372036854775807"));
	assert_null(strstr(out, "always"));
	rules_free(&rules);
	free(before);
	free(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_difference_names_what_only_one_has),
		cmocka_unit_test(rules_differ_in_the_lines_that_were_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
