/*
 * What an assertion about numbers does: make, strengthen or take back a link, retire a number, or open a
 * conflict. Asking and doing are one rule, so that what was recorded because it changes something changes
 * the same when the record is applied.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/identifier.h"
#include "core/identity_private.h"

#define OTHERS "others" /* name of the last source, which stands for all that found no place */

/* 0: has said nothing yet. */
static uint64_t bit_of(const struct identity *it, const char *agency)
{
	for (size_t i = 0; i < it->n_sources; i++) {
		if (strcmp(it->sources[i], agency) == 0)
			return UINT64_C(1) << i;
	}
	return it->n_sources == IDENTITY_SOURCES_MAX ? UINT64_C(1) << (IDENTITY_SOURCES_MAX - 1) : 0;
}

static uint64_t take_bit(struct identity *it, const char *agency)
{
	uint64_t bit = bit_of(it, agency);

	if (bit != 0)
		return bit;
	snprintf(it->sources[it->n_sources], sizeof(it->sources[0]), "%s",
		 it->n_sources + 1 == IDENTITY_SOURCES_MAX ? OTHERS : agency);
	return UINT64_C(1) << it->n_sources++;
}

/* The country gives one man one of these. */
static bool is_exclusive(uint8_t kind)
{
	return kind == IDENTIFIER_NOMS || kind == IDENTIFIER_PNC || kind == IDENTIFIER_CRO ||
	       kind == IDENTIFIER_CRN;
}

static bool is_current(const struct identity *it, uint32_t i, uint32_t without)
{
	return i != without && !it->numbers[i].retired && is_exclusive(it->numbers[i].number.kind);
}

static uint32_t count(const struct identity *it, uint32_t index)
{
	uint32_t n = 0, i = index;

	do {
		n++;
		i = it->numbers[i].next;
	} while (i != index);
	return n;
}

/* `without` counts as retired. */
static bool clashes(const struct identity *it, uint32_t a, uint32_t b, uint32_t without, uint32_t out[2])
{
	uint32_t i = a, k;

	do {
		k = b;
		do {
			if (is_current(it, i, without) && is_current(it, k, without) &&
			    it->numbers[i].number.kind == it->numbers[k].number.kind) {
				out[0] = i;
				out[1] = k;
				return true;
			}
			k = it->numbers[k].next;
		} while (k != b);
		i = it->numbers[i].next;
	} while (i != a);
	return false;
}

bool identity_clash(const struct identity *it, uint32_t a, uint32_t b, uint32_t clash[2])
{
	return it->numbers[a].lead != it->numbers[b].lead && clashes(it, a, b, IDENTITY_NONE, clash);
}

static enum identity_effect ask_join(const struct identity *it, enum identity_op op, uint32_t a,
				     uint32_t b)
{
	uint32_t clash[2];

	if (it->numbers[a].lead == it->numbers[b].lead)
		return IDENTITY_CHANGES;
	if (count(it, a) + count(it, b) > IDENTITY_NUMBERS_MAX)
		return IDENTITY_CLASHES;
	return clashes(it, a, b, op == IDENTITY_MERGE ? a : IDENTITY_NONE, clash) ? IDENTITY_CLASHES :
										   IDENTITY_CHANGES;
}

/* Members of the person of `from` that can be reached over links, but not over `without`; their number. */
static size_t reach(const struct identity *it, uint32_t from, uint32_t without, uint32_t *out,
		    size_t room)
{
	size_t n = 1;

	out[0] = from;
	for (size_t done = 0; done < n; done++) {
		uint32_t link = it->numbers[out[done]].link;

		for (; link != IDENTITY_NONE; link = identity_next_link(it, link, out[done])) {
			const struct identity_link *at = &it->links[link];
			const uint32_t other = at->a == out[done] ? at->b : at->a;
			size_t k = 0;

			while (k < n && out[k] != other)
				k++;
			if (at->state == IDENTITY_STANDS && link != without && k == n && n < room)
				out[n++] = other;
		}
	}
	return n;
}

/* Without this link the two are two men, and the first number may count again beside what it is left with. */
static bool comes_apart(const struct identity *it, uint32_t link, uint32_t a, uint32_t b)
{
	uint32_t members[IDENTITY_NUMBERS_MAX];
	size_t n;

	if (count(it, a) > IDENTITY_NUMBERS_MAX)
		return false;
	n = reach(it, a, link, members, IDENTITY_NUMBERS_MAX);
	for (size_t i = 1; i < n; i++) {
		if (members[i] == b || (is_current(it, members[i], IDENTITY_NONE) &&
					it->numbers[members[i]].number.kind == it->numbers[a].number.kind))
			return false;
	}
	return true;
}

/* Of two numbers that have a link. */
static enum identity_effect ask_again(const struct identity *it, enum identity_op op,
				      const struct identity_link *link, uint32_t a, uint64_t bit)
{
	const bool known = bit != 0 && (link->sources & bit) != 0;
	const uint32_t b = link->a == a ? link->b : link->a;

	if (link->state != IDENTITY_STANDS)
		return IDENTITY_NOTHING;
	if (op == IDENTITY_LINK)
		return known ? IDENTITY_NOTHING : IDENTITY_CHANGES;
	if (op == IDENTITY_UNLINK)
		return known ? IDENTITY_CHANGES : IDENTITY_NOTHING;
	if (op == IDENTITY_MERGE)
		return known && it->numbers[a].retired && link->op == IDENTITY_MERGE ? IDENTITY_NOTHING :
										       IDENTITY_CHANGES;
	/* Only what was given up that way round, and is held together by nothing else, just comes apart. */
	return link->op == IDENTITY_MERGE && it->numbers[a].retired &&
			       comes_apart(it, (uint32_t)(link - it->links), a, b) ?
		       IDENTITY_CHANGES :
		       IDENTITY_CLASHES;
}

/* One of the two is new, or both are: it brings its kind, and whoever has one of that kind clashes. The first
   of a merge is given up and brings nothing. */
static enum identity_effect ask_new(const struct identity *it, enum identity_op op,
				    const struct person_number *first, const struct person_number *second)
{
	const uint32_t a = identity_find(it, first->key), b = identity_find(it, second->key);
	const uint32_t known = a == IDENTITY_NONE ? b : a;
	const uint8_t kind = a == IDENTITY_NONE ? first->kind : second->kind;
	const uint32_t without = op == IDENTITY_MERGE ? a : IDENTITY_NONE;
	uint32_t i = known;

	if (a == b)
		return op == IDENTITY_LINK && first->kind == second->kind && is_exclusive(first->kind) ?
			       IDENTITY_CLASHES :
			       IDENTITY_CHANGES;
	if (count(it, known) >= IDENTITY_NUMBERS_MAX)
		return IDENTITY_CLASHES;
	if (op == IDENTITY_MERGE && a == IDENTITY_NONE)
		return IDENTITY_CHANGES;
	do {
		if (is_current(it, i, without) && it->numbers[i].number.kind == kind)
			return IDENTITY_CLASHES;
		i = it->numbers[i].next;
	} while (i != known);
	return IDENTITY_CHANGES;
}

enum identity_effect identity_ask(const struct identity *it, enum identity_op op,
				  const struct person_number *first,
				  const struct person_number *second, const char *agency)
{
	const uint32_t a = identity_find(it, first->key), b = identity_find(it, second->key);
	uint32_t link;

	if (memcmp(first->key, second->key, PERSON_KEY_BYTES) == 0)
		return IDENTITY_NOTHING;
	if (a == IDENTITY_NONE || b == IDENTITY_NONE) {
		if (op == IDENTITY_UNLINK || op == IDENTITY_UNMERGE)
			return IDENTITY_NOTHING;
		return ask_new(it, op, first, second);
	}
	link = identity_between(it, a, b);
	if (link != IDENTITY_NONE)
		return ask_again(it, op, &it->links[link], a, bit_of(it, agency));
	if (op == IDENTITY_UNLINK)
		return IDENTITY_NOTHING;
	if (op == IDENTITY_UNMERGE)
		return it->numbers[a].lead == it->numbers[b].lead ? IDENTITY_CLASHES : IDENTITY_NOTHING;
	return ask_join(it, op, a, b);
}

/* Makes one ring of these. */
static void gather(struct identity *it, const uint32_t *members, size_t n)
{
	uint32_t lead = members[0];

	for (size_t i = 0; i < n; i++)
		lead = members[i] < lead ? members[i] : lead;
	for (size_t i = 0; i < n; i++) {
		it->numbers[members[i]].lead = lead;
		it->numbers[members[i]].next = members[(i + 1) % n];
	}
}

/* A link between the two went: are they still one man's? */
static bool part(struct identity *it, uint32_t a, uint32_t b)
{
	const uint32_t all = count(it, a);
	uint32_t *members = calloc(all, sizeof(*members)), *rest = calloc(all, sizeof(*rest));
	bool done = members && rest;

	if (done) {
		size_t n = reach(it, a, IDENTITY_NONE, members, all);
		size_t m = reach(it, b, IDENTITY_NONE, rest, all);

		if (n + m == all) {
			gather(it, members, n);
			gather(it, rest, m);
		} else {
			assert(n == all && m == all);
		}
	}
	free(members);
	free(rest);
	return done;
}

static bool remove_link(struct identity *it, uint32_t link)
{
	const uint32_t a = it->links[link].a, b = it->links[link].b;

	identity_remove_link(it, link);
	return part(it, a, b);
}

static bool contest(struct identity *it, const struct identity_link *link)
{
	const uint32_t between = identity_between(it, link->a, link->b);

	/* An unmerge of what stands as a plain link: that link is in question. */
	if (between != IDENTITY_NONE) {
		it->links[between].sequence = link->sequence;
		it->links[between].part = link->part;
		it->links[between].at_ns = link->at_ns;
		it->links[between].op = link->op;
		if (it->links[between].a != link->a)
			identity_turn_link(it, between); /* it is the first that would be severed */
		it->links[between].state = IDENTITY_CONTESTED;
		it->n_standing--;
		return part(it, link->a, link->b) && identity_add_contested(it, between);
	}
	return identity_add_link(it, link) && identity_add_contested(it, (uint32_t)it->n_links - 1);
}

static bool join(struct identity *it, const struct identity_link *link, struct identity_joined *joined)
{
	const uint32_t between = identity_between(it, link->a, link->b);

	if (between == IDENTITY_NONE) {
		if (!identity_add_link(it, link))
			return false;
	} else {
		it->links[between].sources |= link->sources;
		if (link->op == IDENTITY_MERGE)
			it->links[between].op = IDENTITY_MERGE;
	}
	if (link->op == IDENTITY_MERGE)
		it->numbers[link->a].retired = true;
	identity_unite(it, link->a, link->b);
	identity_join_lanes(it, link->a, link->b, joined);
	return true;
}

bool identity_do(struct identity *it, const struct identity_deed *deed, struct identity_joined *joined)
{
	const enum identity_effect effect = identity_ask(it, deed->op, deed->a, deed->b, deed->agency);
	struct identity_link link = { .sequence = deed->sequence, .at_ns = deed->at_ns,
				      .part = deed->part, .op = (uint8_t)deed->op };
	uint32_t between;

	*joined = (struct identity_joined){ 0 };
	if (effect == IDENTITY_NOTHING)
		return true;
	link.a = identity_take(it, deed->a);
	link.b = identity_take(it, deed->b);
	if (link.a == IDENTITY_NONE || link.b == IDENTITY_NONE)
		return false;
	link.sources = take_bit(it, deed->agency);
	link.state = effect == IDENTITY_CLASHES ? IDENTITY_CONTESTED : IDENTITY_STANDS;
	if (effect == IDENTITY_CLASHES)
		return contest(it, &link);
	if (deed->op == IDENTITY_LINK || deed->op == IDENTITY_MERGE)
		return join(it, &link, joined);
	between = identity_between(it, link.a, link.b);
	if (deed->op == IDENTITY_UNLINK) {
		it->links[between].sources &= ~link.sources;
		return it->links[between].sources != 0 || remove_link(it, between);
	}
	it->numbers[link.a].retired = false;
	return remove_link(it, between);
}

/* Numbers of one kind, current: only the one known longest stays so. */
static void retire_extra(struct identity *it, uint32_t index)
{
	uint32_t i = index, k;

	do {
		for (k = it->numbers[i].next; k != i; k = it->numbers[k].next) {
			if (is_current(it, i, IDENTITY_NONE) && is_current(it, k, IDENTITY_NONE) &&
			    it->numbers[i].number.kind == it->numbers[k].number.kind)
				it->numbers[i > k ? i : k].retired = true;
		}
		i = it->numbers[i].next;
	} while (i != index);
}

/* The number is somebody of his own: nothing links it any more. */
static bool sever(struct identity *it, uint32_t index)
{
	uint32_t link = it->numbers[index].link;

	while (link != IDENTITY_NONE) {
		if (it->links[link].state != IDENTITY_STANDS) {
			link = identity_next_link(it, link, index);
			continue;
		}
		if (!remove_link(it, link))
			return false;
		link = it->numbers[index].link; /* the lists have changed */
	}
	it->numbers[index].retired = false;
	return true;
}

bool identity_decide(struct identity *it, struct identity_link *conflict, bool accept,
		     struct identity_joined *joined)
{
	const uint32_t link = (uint32_t)(conflict - it->links), a = conflict->a, b = conflict->b;
	const uint8_t op = conflict->op;
	size_t i = 0;

	*joined = (struct identity_joined){ 0 };
	it->numbers[a].contested--;
	it->numbers[b].contested--;
	while (it->contested[i] != link)
		i++;
	it->n_contested--;
	memmove(&it->contested[i], &it->contested[i + 1], (it->n_contested - i) * sizeof(*it->contested));
	if (!accept || op == IDENTITY_UNMERGE) {
		/* An unmerge that is turned down leaves the two linked, as they were. */
		conflict->state = op == IDENTITY_UNMERGE && !accept ? IDENTITY_STANDS : IDENTITY_REJECTED;
		it->n_standing += conflict->state == IDENTITY_STANDS;
		if (conflict->state == IDENTITY_STANDS) {
			conflict->op = IDENTITY_LINK;
			identity_unite(it, a, b);
			identity_join_lanes(it, a, b, joined);
			retire_extra(it, a); /* either may have found another number meanwhile */
		}
		return !accept || sever(it, a);
	}
	conflict->state = IDENTITY_STANDS;
	it->n_standing++;
	if (op == IDENTITY_MERGE)
		it->numbers[a].retired = true;
	identity_unite(it, a, b);
	identity_join_lanes(it, a, b, joined);
	retire_extra(it, a);
	return true;
}
