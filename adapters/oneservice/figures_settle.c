/*
 * From facts to men: what was superseded goes out, names that stand for one man are joined, each
 * man's facts are put in order and weighed, and the members are sorted into their cohorts. Pure
 * but for malloc; see figures.h.
 *
 * The result does not depend on the order in which events came: facts are sorted by man, instant,
 * kind, what they say, and the ids of their events.
 */
#include "oneservice/figures_internal.h"

#include <stdlib.h>
#include <string.h>

/* The node that stands for all of the man's, by the shortest way from now on. */
static uint32_t root_of(uint32_t *parents, uint32_t node)
{
	while (parents[node] != node) {
		parents[node] = parents[parents[node]];
		node = parents[node];
	}
	return node;
}

static void bury_superseded(struct figures *figures)
{
	uint8_t key[SUPERSEDED_KEY_MAX];

	if (figures->superseded.n == 0)
		return;
	for (size_t i = 0; i < figures->n_told; i++) {
		struct told *told = &figures->told[i];
		size_t len = figures_superseded_key(key, names_text(&figures->words, told->source),
		                                    told->id);

		told->dead = names_has(&figures->superseded, key, len);
	}
}

static bool counts_nowhere(const struct fact *fact)
{
	return fact->kind == FACT_ENROLLED &&
	       (fact->person == NAMES_NONE || fact->scheme == NO_WORD || fact->word == NO_WORD);
}

/* Joins the names; what is left of the facts stands under its man. */
static enum ttg_error join_names(struct figures *figures)
{
	uint32_t *parents = calloc(figures->people.n + 1, sizeof(*parents));
	size_t kept = 0;

	if (parents == NULL)
		return TTG_ENOMEM;
	for (uint32_t i = 0; i < figures->people.n; i++)
		parents[i] = i;
	for (size_t i = 0; i < figures->n_links; i++) {
		const struct link *link = &figures->links[i];

		if (!figures->told[link->told].dead)
			parents[root_of(parents, link->a)] = root_of(parents, link->b);
	}
	for (size_t i = 0; i < figures->n_facts; i++) {
		struct fact *fact = &figures->facts[kept];

		*fact = figures->facts[i];
		if (figures->told[fact->told].dead)
			continue;
		if (counts_nowhere(fact)) {
			figures->left_out++;
			continue;
		}
		if (fact->person != NAMES_NONE)
			fact->person = root_of(parents, fact->person);
		kept++;
	}
	figures->n_facts = kept;
	free(parents);
	return TTG_OK;
}

static int order(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int compare_facts(const void *left, const void *right, void *arg)
{
	const struct figures *figures = arg;
	const struct fact *a = left;
	const struct fact *b = right;
	int result = order(a->person, b->person);

	if (result == 0)
		result = order(a->at_ns, b->at_ns);
	if (result == 0)
		result = order(a->kind, b->kind);
	if (result == 0 && a->word != b->word)
		result = figures_compare_words(figures, a->word, b->word);
	if (result == 0)
		result = memcmp(figures->told[a->told].id, figures->told[b->told].id,
		                TTG_UUID_BYTES);
	return result;
}

int figures_compare_words(const struct figures *figures, uint32_t a, uint32_t b)
{
	return a == b ? 0 : strcmp(names_text(&figures->words, a), names_text(&figures->words, b));
}

static enum ttg_error weigh_all(struct figures *figures)
{
	enum ttg_error error = TTG_OK;

	for (size_t i = 0, n; i < figures->n_facts && error == TTG_OK; i += n) {
		const struct fact *first = &figures->facts[i];

		for (n = 1; i + n < figures->n_facts && first[n].person == first->person; n++)
			;
		if (first->person != NAMES_NONE)
			error = figures_weigh(figures, first, n);
	}
	return error;
}

static int compare_members(const void *left, const void *right, void *arg)
{
	const struct member *a = *(const struct member *const *)left;
	const struct member *b = *(const struct member *const *)right;
	int result = figures_compare_words(arg, a->scheme, b->scheme);

	if (result == 0)
		result = figures_compare_words(arg, a->cohort, b->cohort);
	return result != 0 ? result : order(a->person, b->person);
}

static enum ttg_error sort_into_cohorts(struct figures *figures)
{
	const size_t n = figures->n_members;
	struct cohort *cohort = NULL;

	figures->by_cohort = calloc(n + 1, sizeof(struct member *));
	figures->cohorts = calloc(n + 1, sizeof(*figures->cohorts));
	if (figures->by_cohort == NULL || figures->cohorts == NULL)
		return TTG_ENOMEM;
	for (size_t i = 0; i < n; i++)
		figures->by_cohort[i] = &figures->members[i];
	qsort_r((void *)figures->by_cohort, n, sizeof(struct member *), compare_members, figures);
	for (size_t i = 0; i < n; i++) {
		const struct member *member = figures->by_cohort[i];

		if (cohort == NULL || cohort->scheme != member->scheme ||
		    cohort->cohort != member->cohort) {
			cohort = &figures->cohorts[figures->n_cohorts++];
			*cohort = (struct cohort){ member->scheme, member->cohort, i, 0 };
		}
		cohort->n++;
	}
	return TTG_OK;
}

enum ttg_error figures_settle(struct figures *figures, int64_t as_at_ns)
{
	enum ttg_error error;

	figures->as_at_ns = as_at_ns;
	bury_superseded(figures);
	error = join_names(figures);
	if (error != TTG_OK)
		return error;
	if (figures->n_facts > 0)
		qsort_r(figures->facts, figures->n_facts, sizeof(*figures->facts), compare_facts,
		        figures);
	error = weigh_all(figures);
	return error == TTG_OK ? sort_into_cohorts(figures) : error;
}

const struct member *figures_member(const struct figures *figures, uint32_t person, uint32_t scheme)
{
	size_t low = 0;
	size_t high = figures->n_members;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (figures->members[middle].person < person)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t i = low; i < figures->n_members && figures->members[i].person == person; i++) {
		const struct member *member = &figures->members[i];
		bool only = i + 1 == figures->n_members || member[1].person != person;

		if (member->scheme == scheme || (scheme == NO_WORD && i == low && only))
			return member;
	}
	return NULL;
}
