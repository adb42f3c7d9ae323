/*
 * What one man's facts come to in each scheme he is in. Pure; see figures.h, and docs/figures.md
 * for the rules and why they are so.
 *
 * His facts are in order of time. First: which schemes, by his first enrolment in each that was
 * not a mistake. Then the release each enrolment waits for, which opens the window. Then one walk
 * through the facts, with the scheme open or, after a withdrawal, closed; what happens while it is
 * closed does not count.
 */
#include "oneservice/figures_internal.h"

#include "oneservice/figures_period.h"

/* One man in one scheme on the walk. */
struct walk {
	const struct figures *figures;
	const struct fact *facts;
	size_t n;
	struct member *member;
	bool only;         /* the one scheme he is in */
	int64_t before_ns; /* his release before this one */
	int64_t middle_ns[PERIODS];
	bool closed;
	int64_t closed_ns;        /* since when */
	uint32_t referral, under; /* looked up last, and its scheme */
};

static const unsigned period_months[PERIODS] = {
	[PERIOD_ONE_MONTH] = 1,
	[PERIOD_THREE_MONTHS] = 3,
	[PERIOD_SIX_MONTHS] = 6,
	[PERIOD_YEAR] = 12,
};

/* Enrolling and withdrawing: by name, or all schemes of who says so. */
static bool is_of_scheme(const struct fact *fact, uint32_t scheme, uint32_t source)
{
	return fact->scheme == scheme || (fact->scheme == NO_WORD && fact->source == source);
}

/* Taken back for good, then or later, as known today. */
static bool is_void(const struct fact *facts, size_t n, const struct fact *enrolled)
{
	for (size_t i = 0; i < n; i++)
		if (facts[i].kind == FACT_VOID && facts[i].at_ns >= enrolled->at_ns &&
		    is_of_scheme(&facts[i], enrolled->scheme, enrolled->source))
			return true;
	return false;
}

/* On the day the enrolment expects it; else the first from the day of enrolment on. */
static const struct fact *find_release(const struct walk *walk, const struct fact *enrolled)
{
	const struct fact *found = NULL;

	for (size_t i = 0; i < walk->n && walk->facts[i].at_ns <= walk->figures->as_at_ns; i++) {
		const struct fact *fact = &walk->facts[i];
		int32_t day;

		if (fact->kind != FACT_RELEASED)
			continue;
		day = period_day(fact->at_ns);
		if (enrolled->other != 0 && day == enrolled->other)
			return fact;
		if (found == NULL && day >= enrolled->day)
			found = fact;
	}
	return found;
}

static void open_window(struct walk *walk, const struct fact *release)
{
	struct member *member = walk->member;

	member->released = true;
	member->release_ns = release->at_ns;
	member->ends_ns[PERIOD_DAY] = period_day_end(release->at_ns);
	for (size_t p = PERIOD_ONE_MONTH; p < PERIODS; p++) {
		member->ends_ns[p] = period_add_months(release->at_ns, period_months[p]);
		walk->middle_ns[p] = period_middle(release->at_ns, member->ends_ns[p]);
	}
	walk->before_ns = INT64_MIN;
	for (const struct fact *fact = walk->facts; fact < release; fact++)
		if (fact->kind == FACT_RELEASED && fact->at_ns < release->at_ns)
			walk->before_ns = fact->at_ns;
}

/* The scheme of the referral that work was done under, as its sending names it. */
static uint32_t scheme_of_referral(struct walk *walk, uint32_t referral)
{
	if (walk->referral == referral)
		return walk->under;
	walk->referral = referral;
	walk->under = NO_WORD;
	for (size_t i = 0; i < walk->n && walk->under == NO_WORD; i++)
		if (walk->facts[i].kind == FACT_SENT && walk->facts[i].word == referral)
			walk->under = walk->facts[i].scheme;
	return walk->under;
}

/* Work belongs to one scheme: what names none is of use only where there is but one. */
static bool is_work_of(struct walk *walk, const struct fact *fact)
{
	uint32_t scheme = fact->scheme;

	if (scheme == NO_WORD && fact->kind == FACT_ACTIVE)
		scheme = scheme_of_referral(walk, fact->word);
	return scheme == NO_WORD ? walk->only : scheme == walk->member->scheme;
}

static void add_activity(struct walk *walk, int64_t at_ns)
{
	struct member *member = walk->member;

	for (size_t p = PERIOD_ONE_MONTH; p <= PERIOD_SIX_MONTHS; p++) {
		if (at_ns < member->release_ns || at_ns >= member->ends_ns[p])
			continue;
		if (at_ns < walk->middle_ns[p])
			member->first |= (uint8_t)(1u << p);
		else
			member->second |= (uint8_t)(1u << p);
	}
}

static void add_needs(struct walk *walk, const struct fact *fact)
{
	if (fact->at_ns >= walk->before_ns && fact->at_ns < walk->member->ends_ns[PERIOD_YEAR])
		walk->member->needs |= fact->needs;
}

static bool is_before_release(const struct walk *walk, const struct fact *fact)
{
	return fact->at_ns >= walk->before_ns && fact->at_ns < walk->member->release_ns;
}

static void add_work(struct walk *walk, const struct fact *fact)
{
	struct member *member = walk->member;

	if (fact->kind == FACT_SCREENED) { /* by the prison, for whom it may concern */
		member->screened |= is_before_release(walk, fact);
		add_needs(walk, fact);
		return;
	}
	if (!is_work_of(walk, fact))
		return;
	if (fact->kind == FACT_ASSESSED) {
		member->assessed |= fact->inside && is_before_release(walk, fact);
		add_needs(walk, fact);
	} else if (fact->kind == FACT_MET) {
		member->met |= period_day(fact->at_ns) == period_day(member->release_ns);
	} else if (fact->kind == FACT_ACTIVE) {
		add_activity(walk, fact->at_ns);
	}
}

static void reopen(struct walk *walk, int64_t at_ns)
{
	struct member *member = walk->member;

	if (walk->closed && at_ns > member->release_ns &&
	    walk->closed_ns < member->ends_ns[PERIOD_YEAR])
		member->unseen = true;
	walk->closed = false;
}

static void walk_through(struct walk *walk)
{
	for (size_t i = 0; i < walk->n && walk->facts[i].at_ns <= walk->figures->as_at_ns; i++) {
		const struct fact *fact = &walk->facts[i];
		bool about = is_of_scheme(fact, walk->member->scheme, walk->member->source);

		if (fact->kind == FACT_WITHDRAWN && about && !walk->closed) {
			walk->closed = true;
			walk->closed_ns = fact->at_ns;
		} else if ((fact->kind == FACT_ENROLLED || fact->kind == FACT_BACK) && about) {
			reopen(walk, fact->at_ns);
		} else if (!walk->closed) {
			add_work(walk, fact);
		}
	}
	reopen(walk, INT64_MAX);
}

/* Two reports of one day are of one occasion unless they name two courts. */
static void count_occasions(struct walk *walk)
{
	struct member *member = walk->member;
	const int32_t from = period_day(member->release_ns);
	const int32_t until = period_day(member->ends_ns[PERIOD_YEAR]);
	const struct fact *last = NULL;

	for (size_t i = 0; i < walk->n && walk->facts[i].at_ns <= walk->figures->as_at_ns; i++) {
		const struct fact *fact = &walk->facts[i];

		if (fact->kind != FACT_RECONVICTED || fact->day < from || fact->day >= until ||
		    (fact->other != 0 && fact->other < from))
			continue;
		/* Those without a court come first of their day. */
		if (last == NULL || last->day != fact->day ||
		    (last->word != NO_WORD && last->word != fact->word))
			member->occasions++;
		last = fact;
	}
}

static enum ttg_error add_membership(struct figures *figures, const struct fact *enrolled)
{
	struct member *members = figures_grown(figures->members, figures->n_members,
	                                       &figures->room_members, sizeof(*members));

	if (members == NULL)
		return TTG_ENOMEM;
	figures->members = members;
	members[figures->n_members++] = (struct member){ .enrolled = enrolled,
		                                         .person = enrolled->person,
		                                         .scheme = enrolled->scheme,
		                                         .source = enrolled->source,
		                                         .cohort = enrolled->word };
	return TTG_OK;
}

static void weigh_member(const struct figures *figures, const struct fact *facts, size_t n,
                         struct member *member, bool only)
{
	struct walk walk = {
		.figures = figures, .facts = facts, .n = n, .member = member, .only = only
	};
	const struct fact *release = find_release(&walk, member->enrolled);

	if (release == NULL)
		return;
	open_window(&walk, release);
	walk_through(&walk);
	count_occasions(&walk);
}

static bool is_member(const struct figures *figures, size_t from, uint32_t scheme)
{
	for (size_t i = from; i < figures->n_members; i++)
		if (figures->members[i].scheme == scheme)
			return true;
	return false;
}

enum ttg_error figures_weigh(struct figures *figures, const struct fact *facts, size_t n)
{
	const size_t from = figures->n_members;
	enum ttg_error error = TTG_OK;

	for (size_t i = 0; i < n && facts[i].at_ns <= figures->as_at_ns && error == TTG_OK; i++)
		if (facts[i].kind == FACT_ENROLLED && !is_member(figures, from, facts[i].scheme) &&
		    !is_void(facts, n, &facts[i]))
			error = add_membership(figures, &facts[i]);
	for (size_t i = from; i < figures->n_members && error == TTG_OK; i++)
		weigh_member(figures, facts, n, &figures->members[i],
		             figures->n_members - from == 1);
	return error;
}
