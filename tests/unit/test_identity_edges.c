/* Who is who at its limits, and what must be asked before it is done; test_identity.c has the rest. */
#include <string.h>

#include "base/identifier.h"
#include "core/identity.h"
#include "unit.h"

static struct person_number number_of(uint8_t kind, unsigned i)
{
	struct person_number it = { .kind = kind };

	memcpy(it.key, &i, sizeof(i));
	memcpy(it.key + 8, &i, sizeof(i));
	it.key[15] = kind;
	return it;
}

static enum identity_effect say(struct identity *it, enum identity_op op, const struct person_number *a,
				const struct person_number *b, const char *agency, uint64_t sequence)
{
	const struct identity_deed deed = { .op = op, .a = a, .b = b, .agency = agency,
					    .sequence = sequence };
	const enum identity_effect effect = identity_ask(it, op, a, b, agency);
	struct identity_joined joined;

	assert_true(identity_do(it, &deed, &joined));
	return effect;
}

static void a_person_has_so_many_numbers_and_no_more(void **state)
{
	const struct person_number first = number_of(IDENTIFIER_BOOKING, 0);
	struct identity *it = identity_new();
	struct person_number other, another;

	(void)state;
	assert_non_null(it);
	for (unsigned i = 1; i < IDENTITY_NUMBERS_MAX; i++) {
		other = number_of(IDENTIFIER_BOOKING, i);
		assert_int_equal(say(it, IDENTITY_LINK, &first, &other, "prison", i), IDENTITY_CHANGES);
	}
	other = number_of(IDENTIFIER_BOOKING, 100);
	assert_int_equal(say(it, IDENTITY_LINK, &first, &other, "prison", 100), IDENTITY_CLASHES);
	other = number_of(IDENTIFIER_BOOKING, 101);
	assert_int_equal(say(it, IDENTITY_MERGE, &first, &other, "prison", 101), IDENTITY_CLASHES);
	other = number_of(IDENTIFIER_BOOKING, 102);
	assert_int_equal(say(it, IDENTITY_MERGE, &other, &first, "prison", 102), IDENTITY_CLASHES);
	other = number_of(IDENTIFIER_BOOKING, 103);
	another = number_of(IDENTIFIER_BOOKING, 104);
	assert_int_equal(say(it, IDENTITY_LINK, &other, &another, "prison", 103), IDENTITY_CHANGES);
	assert_int_equal(say(it, IDENTITY_LINK, &other, &first, "prison", 104), IDENTITY_CLASHES);
	assert_int_equal(identity_conflict_count(it), 4);
	identity_free(&it);
}

/* Numbers both merged into one and tied to each other by a third: giving the merge up does not part them. */
static void an_unmerge_of_what_something_else_ties_is_a_conflict(void **state)
{
	const struct person_number old = number_of(IDENTIFIER_NOMS, 1), new = number_of(IDENTIFIER_NOMS, 2);
	const struct person_number pnc = number_of(IDENTIFIER_PNC, 3);

	(void)state;
	for (int accept = 0; accept < 2; accept++) {
		struct identity *it = identity_new();
		struct identity_joined joined;
		uint32_t index;

		assert_non_null(it);
		say(it, IDENTITY_MERGE, &old, &new, "prison", 1);
		say(it, IDENTITY_LINK, &old, &pnc, "police", 2);
		say(it, IDENTITY_LINK, &new, &pnc, "police", 3);
		assert_int_equal(say(it, IDENTITY_UNMERGE, &old, &new, "prison", 4), IDENTITY_CLASHES);
		assert_true(identity_decide(it, identity_conflict(it, 0), accept, &joined));
		index = identity_find(it, old.key);
		assert_int_equal(identity_look(it, index)->retired, !accept);
		assert_int_equal(identity_link_of(it, index) == NULL, accept);
		assert_memory_equal(identity_person(it, pnc.key), accept ? new.key : old.key, 16);
		identity_free(&it);
	}
}

static void more_agencies_than_can_be_told_apart_are_the_others(void **state)
{
	const struct person_number a = number_of(IDENTIFIER_NOMS, 1), b = number_of(IDENTIFIER_PNC, 2);
	struct identity *it = identity_new();
	char name[16], text[4096];

	(void)state;
	assert_non_null(it);
	for (unsigned i = 0; i < IDENTITY_SOURCES_MAX + 5; i++) {
		snprintf(name, sizeof(name), "agency%02u", i);
		assert_int_equal(say(it, IDENTITY_LINK, &a, &b, name, 1 + i),
				 i < IDENTITY_SOURCES_MAX ? IDENTITY_CHANGES : IDENTITY_NOTHING);
	}
	identity_sources_text(it, identity_link_of(it, 0)->sources, text, sizeof(text));
	assert_non_null(strstr(text, "agency00 agency01 "));
	assert_non_null(strstr(text, "agency62 others"));
	assert_null(strstr(text, "agency63"));
	for (unsigned i = 0; i < IDENTITY_SOURCES_MAX; i++) {
		snprintf(name, sizeof(name), "agency%02u", i);
		assert_int_equal(identity_link_count(it), 1);
		assert_int_equal(say(it, IDENTITY_UNLINK, &a, &b, name, 100 + i), IDENTITY_CHANGES);
	}
	assert_int_equal(identity_link_count(it), 0);
	identity_sources_text(it, UINT64_MAX, text, 40); /* cut, never beyond */
	assert_true(strlen(text) < 40);
	identity_free(&it);
}

/* The first number of an unmerge is the one that stands alone when it is accepted, whichever way round the
   two were linked. */
static void who_is_unmerged_is_the_first(void **state)
{
	const struct person_number one = number_of(IDENTIFIER_CRN, 1), two = number_of(IDENTIFIER_NOMS, 2);
	const struct person_number pnc = number_of(IDENTIFIER_PNC, 3);
	struct identity *it = identity_new();
	struct identity_joined joined;

	(void)state;
	assert_non_null(it);
	say(it, IDENTITY_LINK, &one, &two, "prison", 1);
	say(it, IDENTITY_LINK, &one, &pnc, "police", 2);
	assert_int_equal(say(it, IDENTITY_UNMERGE, &two, &one, "prison", 3), IDENTITY_CLASHES);
	assert_true(identity_decide(it, identity_conflict(it, 0), true, &joined));
	assert_null(identity_link_of(it, identity_find(it, two.key)));
	assert_memory_equal(identity_person(it, pnc.key), one.key, 16);
	identity_free(&it);
}

/* Neither two new numbers nor a merge into a new one may give a person two of a kind. */
static void new_numbers_clash_like_known_ones(void **state)
{
	const struct person_number one = number_of(IDENTIFIER_NOMS, 1), two = number_of(IDENTIFIER_NOMS, 2);
	const struct person_number three = number_of(IDENTIFIER_NOMS, 3);
	struct identity *it = identity_new();

	(void)state;
	assert_non_null(it);
	assert_int_equal(say(it, IDENTITY_LINK, &one, &two, "prison", 1), IDENTITY_CLASHES);
	assert_int_equal(identity_link_count(it), 0);
	identity_free(&it);
	it = identity_new();
	assert_non_null(it);
	assert_int_equal(say(it, IDENTITY_MERGE, &one, &two, "prison", 1), IDENTITY_CHANGES);
	assert_int_equal(say(it, IDENTITY_MERGE, &one, &three, "prison", 2), IDENTITY_CLASHES);
	assert_int_equal(say(it, IDENTITY_MERGE, &two, &three, "prison", 3), IDENTITY_CHANGES);
	identity_free(&it);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_person_has_so_many_numbers_and_no_more),
		cmocka_unit_test(an_unmerge_of_what_something_else_ties_is_a_conflict),
		cmocka_unit_test(more_agencies_than_can_be_told_apart_are_the_others),
		cmocka_unit_test(who_is_unmerged_is_the_first),
		cmocka_unit_test(new_numbers_clash_like_known_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
