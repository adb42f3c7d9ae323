/*
 * Who is who against the plainest reading of identity.h: a table of what was said of every two numbers,
 * from which persons, conflicts and lanes are found anew each time. Random steps of several agencies; the
 * seed is fixed, TTG_SEED=N tries another.
 */
#include <string.h>

#include "base/identifier.h"
#include "core/identity.h"
#include "unit.h"

#define NUMBERS 36
#define AGENCIES 5
#define STEPS 25000
#define PLAY_STEPS 60 /* until everything begins anew: else all become one man */

enum said { NEVER, STANDS, CONTESTED, REJECTED };

struct pair {
	enum said state;
	int a, b; /* the first and the second of what was asserted */
	enum identity_op op;
	bool by[AGENCIES];
	uint64_t sequence;
	bool ever; /* stood once */
};

struct world {
	struct person_number numbers[NUMBERS];
	int known[NUMBERS]; /* order in which they came; 0: not yet */
	bool retired[NUMBERS];
	struct pair pairs[NUMBERS][NUMBERS]; /* [less][more] */
	int n_known;
};

struct trial {
	struct identity *it;
	struct world world;
	uint64_t seed, sequence;
	size_t changes, clashes, accepted, declined, unmerged;
};

static const char *const agencies[AGENCIES] = { "prison", "police", "probation", "court", "charity" };

static uint32_t below(uint64_t *seed, uint32_t bound)
{
	return (uint32_t)(unit_random(seed) % bound);
}

static struct pair *pair_of(struct world *it, int a, int b)
{
	return a < b ? &it->pairs[a][b] : &it->pairs[b][a];
}

/* In `out` everybody who is linked to this number; over what stood once when `ever`. */
static void flood(struct world *it, int from, bool ever, bool out[NUMBERS])
{
	bool more = true;

	memset(out, 0, NUMBERS * sizeof(*out));
	out[from] = true;
	while (more) {
		more = false;
		for (int i = 0; i < NUMBERS; i++) {
			for (int k = 0; k < NUMBERS && out[i]; k++) {
				const struct pair *pair = pair_of(it, i, k);

				if (i == k || out[k] || !(ever ? pair->ever : pair->state == STANDS))
					continue;
				out[k] = more = true;
			}
		}
	}
}

static bool one_man(struct world *it, int a, int b)
{
	bool all[NUMBERS];

	flood(it, a, false, all);
	return all[b];
}

static bool is_one_for_the_country(uint8_t kind)
{
	return kind == IDENTIFIER_NOMS || kind == IDENTIFIER_PNC || kind == IDENTIFIER_CRO ||
	       kind == IDENTIFIER_CRN;
}

static bool is_current(const struct world *it, int i)
{
	return !it->retired[i] && is_one_for_the_country(it->numbers[i].kind);
}

/* The person of this number has at most one current number of each kind. */
static bool is_sound(struct world *it, int of)
{
	bool all[NUMBERS];

	flood(it, of, false, all);
	for (int i = 0; i < NUMBERS; i++) {
		for (int k = 0; k < i; k++) {
			if (all[i] && all[k] && is_current(it, i) && is_current(it, k) &&
			    it->numbers[i].kind == it->numbers[k].kind)
				return false;
		}
	}
	return true;
}

static void know(struct world *it, int number)
{
	if (it->known[number] == 0)
		it->known[number] = ++it->n_known;
}

/* Does what is asserted, whatever it breaks. */
static void force(struct world *it, enum identity_op op, int a, int b, int agency)
{
	struct pair *pair = pair_of(it, a, b);
	bool any = false;

	know(it, a);
	know(it, b);
	if (op == IDENTITY_LINK || op == IDENTITY_MERGE) {
		if (pair->state == NEVER)
			*pair = (struct pair){ .a = a, .b = b, .op = op, .ever = pair->ever };
		pair->state = STANDS;
		pair->by[agency] = pair->ever = true;
		if (op == IDENTITY_MERGE) {
			pair->op = op;
			it->retired[a] = true;
		}
		return;
	}
	pair->by[agency] = false;
	for (int i = 0; i < AGENCIES; i++)
		any = any || pair->by[i];
	if (op == IDENTITY_UNMERGE)
		it->retired[a] = false;
	if (op == IDENTITY_UNMERGE || !any)
		*pair = (struct pair){ .ever = pair->ever };
}

static enum identity_effect expect(struct world *it, enum identity_op op, int a, int b, int agency)
{
	const struct pair *pair = pair_of(it, a, b);
	struct world then;

	if (a == b || pair->state == CONTESTED || pair->state == REJECTED)
		return IDENTITY_NOTHING;
	if (op == IDENTITY_UNLINK)
		return pair->state == STANDS && pair->by[agency] ? IDENTITY_CHANGES : IDENTITY_NOTHING;
	if (op == IDENTITY_LINK && pair->state == STANDS)
		return pair->by[agency] ? IDENTITY_NOTHING : IDENTITY_CHANGES;
	if (op == IDENTITY_MERGE && pair->state == STANDS)
		return pair->by[agency] && pair->op == IDENTITY_MERGE && it->retired[a] ?
			       IDENTITY_NOTHING :
			       IDENTITY_CHANGES;
	if (op == IDENTITY_UNMERGE) {
		if (!one_man(it, a, b))
			return IDENTITY_NOTHING;
		if (pair->state != STANDS || pair->op != IDENTITY_MERGE || !it->retired[a])
			return IDENTITY_CLASHES; /* one man, but not because of that merge */
	}
	then = *it;
	force(&then, op, a, b, agency);
	if (op == IDENTITY_UNMERGE && one_man(&then, a, b))
		return IDENTITY_CLASHES;
	return is_sound(&then, a) && is_sound(&then, b) ? IDENTITY_CHANGES : IDENTITY_CLASHES;
}

static void contest(struct world *it, enum identity_op op, int a, int b, int agency, uint64_t sequence)
{
	struct pair *pair = pair_of(it, a, b);

	know(it, a);
	know(it, b);
	if (pair->state == NEVER) {
		*pair = (struct pair){ .ever = pair->ever };
		pair->by[agency] = true;
	}
	pair->state = CONTESTED;
	pair->op = op;
	pair->a = a;
	pair->b = b;
	pair->sequence = sequence;
}

/* Of each kind only the number known longest goes on counting. */
static void keep_the_oldest(struct world *it, int of)
{
	bool all[NUMBERS];

	flood(it, of, false, all);
	for (int i = 0; i < NUMBERS; i++) {
		for (int k = 0; k < NUMBERS; k++) {
			if (i != k && all[i] && all[k] && is_current(it, i) && is_current(it, k) &&
			    it->numbers[i].kind == it->numbers[k].kind)
				it->retired[it->known[i] > it->known[k] ? i : k] = true;
		}
	}
}

static void decide(struct world *it, struct pair *pair, bool accept)
{
	const int a = pair->a, b = pair->b;

	if (pair->op == IDENTITY_UNMERGE && accept) {
		pair->state = REJECTED;
		for (int i = 0; i < NUMBERS; i++) { /* somebody of his own */
			struct pair *other = pair_of(it, a, i);

			if (i != a && other->state == STANDS)
				*other = (struct pair){ .ever = other->ever };
		}
		it->retired[a] = false;
		return;
	}
	if (pair->op != IDENTITY_UNMERGE && !accept) {
		pair->state = REJECTED;
		return;
	}
	pair->state = STANDS;
	pair->ever = true;
	if (pair->op == IDENTITY_UNMERGE)
		pair->op = IDENTITY_LINK;
	if (pair->op == IDENTITY_MERGE)
		it->retired[a] = true;
	keep_the_oldest(it, b);
}

/* --- comparing --- */

static uint32_t index_of(const struct identity *it, const struct world *world, int i)
{
	return identity_find(it, world->numbers[i].key);
}

static void person_must_agree(struct identity *it, struct world *world, int i)
{
	const uint32_t index = index_of(it, world, i);
	const struct identity_number *number;
	bool all[NUMBERS], contested = false;
	int lead = i;

	assert_int_equal(index == IDENTITY_NONE, world->known[i] == 0);
	if (index == IDENTITY_NONE) {
		assert_memory_equal(identity_person(it, world->numbers[i].key), world->numbers[i].key, 16);
		assert_true(identity_lane(it, world->numbers[i].key) == 0);
		return;
	}
	number = identity_look(it, index);
	flood(world, i, false, all);
	for (int k = 0; k < NUMBERS; k++) {
		if (all[k] && world->known[k] < world->known[lead])
			lead = k;
		for (int m = 0; m < NUMBERS && all[k]; m++)
			contested = contested || (m != k && pair_of(world, k, m)->state == CONTESTED);
	}
	assert_int_equal(number->lead, index_of(it, world, lead));
	assert_memory_equal(identity_person(it, world->numbers[i].key), world->numbers[lead].key, 16);
	assert_int_equal(number->retired, world->retired[i]);
	assert_int_equal(identity_is_contested(it, index), contested);
	flood(world, i, true, all);
	for (int k = 0; k < NUMBERS; k++) {
		if (world->known[k] != 0)
			assert_int_equal(identity_lane(it, world->numbers[k].key) == number->lane, all[k]);
	}
	assert_true(is_sound(world, i));
}

static void conflicts_must_agree(struct identity *it, struct world *world)
{
	size_t standing = 0, open = 0;
	uint64_t before = 0;

	for (int i = 0; i < NUMBERS; i++) {
		for (int k = i + 1; k < NUMBERS; k++) {
			const struct pair *pair = &world->pairs[i][k];
			const struct identity_link *link;

			standing += pair->state == STANDS;
			if (pair->state != CONTESTED)
				continue;
			open++;
			link = identity_find_conflict(it, pair->sequence, (uint8_t)(pair->sequence % 3));
			assert_non_null(link);
			assert_int_equal(link->op, pair->op);
		}
	}
	assert_int_equal(identity_link_count(it), standing);
	assert_int_equal(identity_conflict_count(it), open);
	for (size_t i = 0; i < open; i++) {
		const struct identity_link *link = identity_conflict(it, i);

		assert_non_null(link);
		assert_true(link->sequence > before);
		before = link->sequence;
	}
	assert_null(identity_conflict(it, open));
}

static void must_agree(struct identity *it, struct world *world)
{
	assert_int_equal(identity_count(it), world->n_known);
	for (int i = 0; i < NUMBERS; i++)
		person_must_agree(it, world, i);
	conflicts_must_agree(it, world);
}

/* What two persons cannot both have when they are one. */
static void clash_must_agree(struct identity *it, struct world *world, int a, int b)
{
	const uint32_t left = index_of(it, world, a), right = index_of(it, world, b);
	bool mine[NUMBERS], his[NUMBERS], expected = false;
	uint32_t clash[2];

	if (a == b || left == IDENTITY_NONE || right == IDENTITY_NONE)
		return;
	flood(world, a, false, mine);
	flood(world, b, false, his);
	for (int i = 0; i < NUMBERS; i++) {
		for (int k = 0; k < NUMBERS; k++)
			expected = expected || (!mine[b] && mine[i] && his[k] && is_current(world, i) &&
						is_current(world, k) &&
						world->numbers[i].kind == world->numbers[k].kind);
	}
	assert_int_equal(identity_clash(it, left, right, clash), expected);
	if (expected) {
		assert_int_equal(identity_look(it, clash[0])->lead, identity_look(it, left)->lead);
		assert_int_equal(identity_look(it, clash[1])->lead, identity_look(it, right)->lead);
		assert_int_equal(identity_look(it, clash[0])->number.kind,
				 identity_look(it, clash[1])->number.kind);
	}
}

static uint8_t *saved(const struct identity *it, size_t *len)
{
	const size_t bound = identity_bound(it);
	uint8_t *bytes = malloc(bound);
	struct cursor cursor;

	assert_non_null(bytes);
	cursor_init_write(&cursor, bytes, bound);
	identity_save(it, &cursor);
	assert_true(cursor_ok(&cursor));
	*len = cursor_offset(&cursor);
	return bytes;
}

/* Goes on with what was saved and loaded. */
static void restart(struct trial *it)
{
	struct identity *again = identity_new();
	size_t len, again_len;
	uint8_t *bytes = saved(it->it, &len), *more;
	struct cursor cursor;

	assert_non_null(again);
	cursor_init_read(&cursor, bytes, len);
	assert_true(identity_load(again, &cursor));
	assert_int_equal(cursor_left(&cursor), 0);
	more = saved(again, &again_len);
	assert_int_equal(len, again_len);
	assert_memory_equal(bytes, more, len);
	free(bytes);
	free(more);
	identity_free(&it->it);
	it->it = again;
}

/* --- steps --- */

static void begin(struct trial *it)
{
	static const uint8_t kinds[] = { IDENTIFIER_NOMS, IDENTIFIER_NOMS, IDENTIFIER_PNC, IDENTIFIER_PNC,
					 IDENTIFIER_CRO,  IDENTIFIER_CRN,  IDENTIFIER_CRN,
					 IDENTIFIER_CASE_NUMBER, IDENTIFIER_BOOKING };

	identity_free(&it->it);
	it->it = identity_new();
	assert_non_null(it->it);
	memset(&it->world, 0, sizeof(it->world));
	for (size_t i = 0; i < NUMBERS; i++) {
		struct person_number *number = &it->world.numbers[i];
		const uint64_t words[2] = { unit_random(&it->seed), unit_random(&it->seed) };

		memcpy(number->key, words, sizeof(number->key));
		number->kind = kinds[i % sizeof(kinds)];
	}
}

static void step_decide(struct trial *it)
{
	const size_t n = identity_conflict_count(it->it);
	struct identity_link *conflict;
	struct identity_joined joined;
	const bool accept = below(&it->seed, 2) == 0;

	if (n == 0)
		return;
	conflict = identity_conflict(it->it, below(&it->seed, (uint32_t)n));
	for (int i = 0; i < NUMBERS; i++) {
		for (int k = i + 1; k < NUMBERS; k++) {
			struct pair *pair = &it->world.pairs[i][k];

			if (pair->state == CONTESTED && pair->sequence == conflict->sequence) {
				decide(&it->world, pair, accept);
				i = k = NUMBERS;
			}
		}
	}
	assert_true(identity_decide(it->it, conflict, accept, &joined));
	it->accepted += accept;
	it->declined += !accept;
}

/* Every number has the lane it had, or the one its lane became part of. */
static void lanes_must_follow(const struct trial *it, const uint64_t before[NUMBERS],
			      const struct identity_joined *joined)
{
	for (int i = 0; i < NUMBERS; i++) {
		const uint64_t now = identity_lane(it->it, it->world.numbers[i].key);

		if (before[i] != 0)
			assert_true(now == (before[i] == joined->from ? joined->to : before[i]));
	}
}

static void step_do(struct trial *it)
{
	static const enum identity_op ops[] = { IDENTITY_LINK, IDENTITY_LINK, IDENTITY_LINK, IDENTITY_MERGE,
						IDENTITY_MERGE, IDENTITY_UNLINK, IDENTITY_UNMERGE };
	const enum identity_op op = ops[below(&it->seed, sizeof(ops) / sizeof(ops[0]))];
	const int agency = (int)below(&it->seed, AGENCIES);
	int a = (int)below(&it->seed, NUMBERS), b = (int)below(&it->seed, NUMBERS);
	struct world *world = &it->world;
	struct identity_joined joined;
	enum identity_effect effect;
	uint64_t before[NUMBERS];

	/* What is taken back was mostly said. */
	for (int i = 0; i < 40 && op >= IDENTITY_UNLINK && pair_of(world, a, b)->state != STANDS; i++) {
		a = (int)below(&it->seed, NUMBERS);
		b = (int)below(&it->seed, NUMBERS);
	}
	const struct identity_deed deed = {
		.op = op, .a = &world->numbers[a], .b = &world->numbers[b], .agency = agencies[agency],
		.sequence = ++it->sequence, .part = (uint8_t)(it->sequence % 3), .at_ns = 5,
	};
	for (int i = 0; i < NUMBERS; i++)
		before[i] = identity_lane(it->it, world->numbers[i].key);
	effect = expect(world, op, a, b, agency);
	assert_int_equal(identity_ask(it->it, op, deed.a, deed.b, deed.agency), effect);
	clash_must_agree(it->it, world, a, b);
	assert_true(identity_do(it->it, &deed, &joined));
	if (effect == IDENTITY_CHANGES)
		force(world, op, a, b, agency);
	if (effect == IDENTITY_CLASHES)
		contest(world, op, a, b, agency, deed.sequence);
	it->changes += effect == IDENTITY_CHANGES;
	it->clashes += effect == IDENTITY_CLASHES;
	it->unmerged += effect == IDENTITY_CHANGES && op == IDENTITY_UNMERGE;
	lanes_must_follow(it, before, &joined);
}

static void persons_are_what_the_links_say(void **state)
{
	const char *given = getenv("TTG_SEED");
	struct trial *it = calloc(1, sizeof(*it));

	(void)state;
	assert_non_null(it);
	it->seed = given ? strtoull(given, NULL, 0) : 20261127;
	print_message("TTG_SEED=%llu\n", (unsigned long long)it->seed);
	for (int i = 0; i < STEPS; i++) {
		if (i % PLAY_STEPS == 0)
			begin(it);
		if (below(&it->seed, 6) == 0)
			step_decide(it);
		else
			step_do(it);
		if (below(&it->seed, 12) == 0)
			restart(it);
		must_agree(it->it, &it->world);
	}
	print_message("%zu changed, %zu clashed, %zu accepted, %zu declined, %zu unmerged\n", it->changes,
		      it->clashes, it->accepted, it->declined, it->unmerged);
	assert_true(it->changes > STEPS / 4 && it->clashes > STEPS / 20 && it->accepted > 100 &&
		    it->declined > 100 && it->unmerged > 100);
	identity_free(&it->it);
	free(it);
}

/* What damaged bytes became is whole in itself: it is asked, changed, decided, saved and loaded. */
static void must_be_usable(struct trial *it, struct identity *odd)
{
	struct identity *kept = it->it;
	struct identity_joined joined;
	struct identity_link *conflict;

	it->it = odd;
	restart(it); /* equal bytes again */
	for (int i = 0; i < 6; i++) {
		const struct identity_deed deed = {
			.op = (enum identity_op)(1 + below(&it->seed, 4)),
			.a = &it->world.numbers[below(&it->seed, NUMBERS)],
			.b = &it->world.numbers[below(&it->seed, NUMBERS)],
			.agency = agencies[below(&it->seed, AGENCIES)],
			.sequence = ++it->sequence, .at_ns = 5,
		};

		assert_true(identity_do(it->it, &deed, &joined));
	}
	for (int i = 0; (conflict = identity_conflict(it->it, 0)); i++)
		assert_true(identity_decide(it->it, conflict, i % 2 == 0, &joined));
	for (uint32_t i = 0; i < identity_count(it->it); i++) {
		const struct identity_number *number = identity_look(it->it, i);

		assert_int_equal(identity_find(it->it, number->number.key), i);
		assert_true(number->lead <= i);
		assert_int_equal(identity_look(it->it, number->next)->lead, number->lead);
		assert_false(identity_is_contested(it->it, i));
	}
	restart(it);
	identity_free(&it->it);
	it->it = kept;
}

static bool load(struct trial *it, const uint8_t *bytes, size_t len)
{
	struct identity *odd = identity_new();
	struct cursor cursor;
	bool loaded;

	assert_non_null(odd);
	cursor_init_read(&cursor, bytes, len);
	loaded = identity_load(odd, &cursor);
	if (loaded)
		must_be_usable(it, odd);
	else
		identity_free(&odd);
	return loaded;
}

static void damaged_bytes_are_refused_or_become_something_whole(void **state)
{
	static const uint8_t flips[] = { 0x01, 0x02, 0x7f, 0x80, 0xff };
	struct trial *it = calloc(1, sizeof(*it));
	size_t len, refused = 0, taken = 0;
	uint8_t *bytes;

	(void)state;
	assert_non_null(it);
	it->seed = 7;
	begin(it);
	for (int i = 0; i < 60; i++)
		step_do(it);
	*identity_standing(it->it, 0) = (struct standing){ .custody_sequence = 3, .custody = 1 };
	bytes = saved(it->it, &len);
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *part = malloc(cut + 1); /* so that reading beyond it is seen */

		assert_non_null(part);
		memcpy(part, bytes, cut);
		assert_false(load(it, part, cut));
		free(part);
	}
	for (size_t at = 0; at < len; at++) {
		for (size_t k = 0; k < sizeof(flips); k++) {
			bytes[at] ^= flips[k];
			if (load(it, bytes, len))
				taken++;
			else
				refused++;
			bytes[at] ^= flips[k];
		}
	}
	assert_true(refused > len && taken > len);
	free(bytes);
	identity_free(&it->it);
	free(it);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(persons_are_what_the_links_say),
		cmocka_unit_test(damaged_bytes_are_refused_or_become_something_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
