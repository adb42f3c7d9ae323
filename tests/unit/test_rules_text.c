/*
 * Rules as text: what is read out of it is what rules, masks and agreements say, other texts are refused,
 * and two texts are compared line by line.
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
	rules->agreements[AGREED_ALWAYS].law_enforcement = true;
	strcpy(rules->agreements[AGREED_ALWAYS].special_category, "Sch. 1 para. 18 [of] = it");
	rules->agreements[AGREED_ALWAYS].parties = calloc(2, sizeof(struct rules_party));
	rules->agreements[AGREED_ALWAYS].parties[0] =
		(struct rules_party){ PLAY_PRISON, RULES_CONTROLLER };
	rules->agreements[AGREED_ALWAYS].parties[1] = (struct rules_party){ PLAY_CHARITY, RULES_NO_ROLE };
	rules->agreements[AGREED_ALWAYS].n_parties = 2;
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

static void must_tell(const struct rules_reading *reading, const struct rules_delivery *delivery,
		      const char *expected)
{
	char *fields = rules_read_fields(reading, delivery);

	assert_non_null(fields);
	assert_string_equal(fields, expected);
	free(fields);
}

static void fields_are_told_as_the_agreements_of_the_time_named_them(void **state)
{
	static const char *const always[] = { "always" }, *const both[] = { "always", "limited" };
	struct rules *rules = sample();
	char *text = spell(rules);
	struct rules_reading *reading = rules_read(text, strlen(text));
	struct rules_delivery it = { "prison.released", "prison", "oneservice/desk", always, 1, false,
				     PLAY_NOW };

	(void)state;
	assert_non_null(reading);
	must_tell(reading, &it, "area;recorded_at;NOMS");
	it.under = both;
	it.n_under = 2;
	must_tell(reading, &it, "area,prison_code;recorded_at;NOMS,CRN");
	it.at_ns = rules->agreements[AGREED_LIMITED].to_ns; /* which has ended then */
	must_tell(reading, &it, "area;recorded_at;NOMS");
	it.at_ns = PLAY_NOW;
	it.n_under = 1; /* accepted under "always", when "limited" was not there */
	it.others = true;
	must_tell(reading, &it, "area,prison_code;recorded_at;NOMS,CRN");
	it.to = "charity/in";
	must_tell(reading, &it, "*");
	it.others = false;
	must_tell(reading, &it, "");
	it.to = "oneservice/in";
	must_tell(reading, &it, "*");
	it.from = "police";
	must_tell(reading, &it, "");
	rules_reading_free(&reading);
	rules_free(&rules);
	free(text);
}

static void what_is_addressed_counts_only_for_whom_it_named(void **state)
{
	static const char *const none[] = { "other" }, *const named[] = { "always" };
	struct rules *rules = sample();
	char *text = spell(rules);
	struct rules_reading *reading = rules_read(text, strlen(text));
	struct rules_delivery it = { "referral.sent", "oneservice", "charity/in", none, 1, true,
				     PLAY_NOW };

	(void)state;
	assert_non_null(reading);
	must_tell(reading, &it, "");
	it.under = named;
	must_tell(reading, &it, "*");
	rules_reading_free(&reading);
	rules_free(&rules);
	free(text);
}

static void the_brokers_alerts_and_corrections_go_whole(void **state)
{
	struct rules *rules = sample();
	char *text = spell(rules);
	struct rules_reading *reading = rules_read(text, strlen(text));
	struct rules_delivery it = { "broker.correction", "broker", "police/in", NULL, 0, false, PLAY_NOW };

	(void)state;
	assert_non_null(reading);
	must_tell(reading, &it, "*");
	it.type = "broker.alert_unacknowledged";
	must_tell(reading, &it, "*");
	it.from = "prison"; /* who may not say so */
	must_tell(reading, &it, "");
	rules_reading_free(&reading);
	rules_free(&rules);
	free(text);
}

static void must_join(const char *a, const char *b, const char *expected)
{
	char *both = rules_join_fields(a, b);

	assert_non_null(both);
	assert_string_equal(both, expected);
	free(both);
}

static void fields_together_name_each_once_and_the_whole_for_its_parts(void **state)
{
	(void)state;
	must_join("", "a;;", "a;;");
	must_join("a;;", "", "a;;");
	must_join("*", "a;;", "*");
	must_join("a;;", "*", "*");
	must_join("a,b;;", "b,c;;", "a,b,c;;");
	must_join("contact.telephone,area;;", "contact;;", "area,contact;;");
	must_join("contact;;", "contact.telephone,contacts;;", "contact,contacts;;");
	must_join(";recorded_at;NOMS", ";;CRN,NOMS", ";recorded_at;NOMS,CRN");
	must_join(";;NOMS", ";person;", ";person;"); /* with all of his numbers */
	must_join(";person.identifiers;", ";;CRN", ";person.identifiers;");
	must_join(";person.name;NOMS", ";;CRN", ";person.name;NOMS,CRN");
}

/* As the catalogue's own union spells it, but for the order. */
static void joined_fields_are_those_of_joined_masks(void **state)
{
	struct rules *rules = rules_new();
	char a[512], b[512], both[512], *joined;
	struct mask *masks;

	(void)state;
	assert_non_null(rules);
	add_mask(rules, "prison.released", (const char *const[]){ "area", "at_liberty", "NOMS", NULL });
	add_mask(rules, "prison.released", (const char *const[]){ "prison_code", "area", "person", NULL });
	masks = mask_union(rules->masks[0], rules->masks[1]);
	assert_non_null(masks);
	mask_text(rules->masks[0], a, sizeof(a));
	mask_text(rules->masks[1], b, sizeof(b));
	mask_text(masks, both, sizeof(both));
	joined = rules_join_fields(a, b);
	assert_int_equal(strlen(joined), strlen(both));
	for (char *name = strtok(joined, ",;"); name; name = strtok(NULL, ",;"))
		assert_non_null(strstr(both, name));
	free(joined);
	mask_free(&masks);
	rules_free(&rules);
}

static void every_text_that_is_cut_short_is_refused_or_has_fewer_lines(void **state)
{
	struct rules *rules = sample();
	char *text = spell(rules);
	const size_t len = strlen(text);
	size_t read = 0;

	(void)state;
	for (size_t i = 0; i <= len; i++) {
		char *copy = malloc(i ? i : 1); /* exactly so long, for the sanitizer */
		struct rules_reading *reading;

		memcpy(copy, text, i);
		reading = rules_read(copy, i);
		if (reading)
			assert_int_equal(text[i - 1], '\n');
		read += reading != NULL;
		rules_reading_free(&reading);
		free(copy);
	}
	assert_in_range(read, 10, 100);
	rules_free(&rules);
	free(text);
}

#define HEAD "deliver t from=f to=m/b "

static void lines_of_another_shape_are_refused(void **state)
{
	static const char *const bad[] = {
		"", "rules 2 broker=b\n", "rules 5\n",
		"rules 5 broker=b\nrules 5 broker=b\n",
		/* without its head */
		"agreement a from=1 to=2 marking=official recipient=other retain_s=0 x\n",
	};
	static const char *const lines[] = {
		"agreement a from=x to=2 marking=official recipient=other retain_s=0 t\n",
		"agreement a from=1 to=99999999999999999999 marking=official recipient=other "
		"retain_s=0 t\n",
		"agreement a to=2 from=1 marking=official recipient=other retain_s=0 t\n",
		"agreement a\n",
		HEAD "under=x addressed_by= retain_s=0 ack_within_s=0 fallback= when=[] fields=*\n",
		"agreement a from=1 to=2 marking=official recipient=other retain_s=0 t\n"
		HEAD "under=a addressed_by= retain_s=0 ack_within_s=0 fallback= when=[] fields=a;\n",
		"agreement a from=1 to=2 marking=official recipient=other retain_s=0 t\n"
		HEAD "under=a addressed_by= retain_s=0 ack_within_s=0 fallback= when=[ fields=*\n",
		"agreement a from=1 to=2 marking=official recipient=other retain_s=0 t\n"
		HEAD "under=a addressed_by= retain_s=0 ack_within_s=0 fallback= when=[] fields=* x\n",
		"something else\n",
		"publish t by=a\n",
		"mailbox a/b max_attempts=1\n",
		"no end",
	};
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_null(rules_read(bad[i], strlen(bad[i])));
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(text, sizeof(text), "rules 5 broker=b\n%s", lines[i]);
		assert_null(rules_read(text, strlen(text)));
	}
	assert_null(rules_read("rules 5 broker=b\0\n", 18));
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

static void an_agreement_is_told_with_its_parties_and_conditions(void **state)
{
	struct rules *rules = sample();
	char *text = spell(rules);

	(void)state;
	assert_non_null(strstr(text, " marking=official-sensitive recipient=law-enforcement "
				     "retain_s=0 For ever, and [all] of it\nparty charity of=always "
				     "role=unstated\nparty prison of=always role=controller"
				     "\nspecial_category of=always Sch. 1 para. 18 [of] = it"
				     "\nagreement limited "));
	rules_free(&rules);
	free(text);
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
		cmocka_unit_test(fields_are_told_as_the_agreements_of_the_time_named_them),
		cmocka_unit_test(what_is_addressed_counts_only_for_whom_it_named),
		cmocka_unit_test(the_brokers_alerts_and_corrections_go_whole),
		cmocka_unit_test(fields_together_name_each_once_and_the_whole_for_its_parts),
		cmocka_unit_test(joined_fields_are_those_of_joined_masks),
		cmocka_unit_test(every_text_that_is_cut_short_is_refused_or_has_fewer_lines),
		cmocka_unit_test(lines_of_another_shape_are_refused),
		cmocka_unit_test(a_difference_names_what_only_one_has),
		cmocka_unit_test(an_agreement_is_told_with_its_parties_and_conditions),
		cmocka_unit_test(rules_differ_in_the_lines_that_were_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
