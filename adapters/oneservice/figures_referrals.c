/*
 * The referral flow: what was sent to each provider, what became of it, and how long the answer
 * took. Pure; see docs/figures.md.
 *
 * A referral is known by its referrer and its id; every fact of it, in any order, goes to the
 * record its sending made. Facts of referrals whose sending is not here have no provider to be
 * counted for, and are passed over.
 */
#include "oneservice/figures_internal.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#define NS_PER_HOUR INT64_C(3600000000000)

enum column {
	SCHEME = 0,
	COHORT,
	PROVIDER,
	SENT,
	ACKNOWLEDGED,
	ACCEPTED,
	DECLINED,
	STARTED,
	ENDED,
	WITHDRAWN,
	ANSWERED,
	MEDIAN,
	LONGEST,
	COLUMNS
};

static const struct table_column columns[COLUMNS] = {
	[SCHEME] = { .name = "scheme" },
	[COHORT] = { .name = "cohort" },
	[PROVIDER] = { .name = "provider" },
	[SENT] = { .name = "sent", .counts = true },
	[ACKNOWLEDGED] = { .name = "acknowledged", .counts = true },
	[ACCEPTED] = { .name = "accepted", .counts = true, .sum = ANSWERED },
	[DECLINED] = { .name = "declined", .counts = true, .sum = ANSWERED },
	[STARTED] = { .name = "started", .counts = true },
	[ENDED] = { .name = "ended", .counts = true },
	[WITHDRAWN] = { .name = "withdrawn", .counts = true },
	[ANSWERED] = { .name = "answered", .counts = true },
	[MEDIAN] = { .name = "answer_median_hours", .with = ANSWERED },
	[LONGEST] = { .name = "answer_longest_hours", .with = ANSWERED },
};

/* Which column a fact counts in. */
static const enum column column_of[] = {
	[FACT_SENT] = SENT,
	[FACT_ACKNOWLEDGED] = ACKNOWLEDGED,
	[FACT_ACCEPTED] = ACCEPTED,
	[FACT_DECLINED] = DECLINED,
	[FACT_STARTED] = STARTED,
	[FACT_ENDED] = ENDED,
	[FACT_REFERRAL_WITHDRAWN] = WITHDRAWN,
};

struct referral {
	UT_hash_handle hh;
	uint64_t key;
	uint32_t scheme, cohort, provider; /* NO_WORD: of none */
	unsigned reached;                  /* bit c: column c */
	int64_t sent_ns;
	int64_t answered_ns; /* INT64_MAX: not yet */
};

/* All referrals of the figures. */
struct flow {
	const struct figures *figures;
	struct referral *referrals;
	size_t n;
	struct referral *by_key; /* hash table over them */
};

static bool is_of_referral(const struct flow *flow, const struct fact *fact)
{
	return fact->kind >= FACT_SENT && fact->at_ns <= flow->figures->as_at_ns;
}

/* Referrer and id. */
static uint64_t key_of(const struct fact *fact)
{
	return (uint64_t)fact->source << 32 | fact->word;
}

static struct referral *find(const struct flow *flow, const struct fact *fact)
{
	const uint64_t key = key_of(fact);
	struct referral *referral = NULL;

	HASH_FIND(hh, flow->by_key, &key, sizeof(key), referral);
	return referral;
}

/* Sent twice under one id: the first time is when it was sent. */
static void add_sent(struct flow *flow, const struct fact *fact)
{
	const struct member *member =
	        fact->person == NAMES_NONE
	                ? NULL
	                : figures_member(flow->figures, fact->person, fact->scheme);
	struct referral *referral = find(flow, fact);

	if (referral != NULL) {
		if (fact->at_ns < referral->sent_ns)
			referral->sent_ns = fact->at_ns;
		return;
	}
	referral = &flow->referrals[flow->n++];
	*referral = (struct referral){
		.key = key_of(fact),
		.scheme = member != NULL ? member->scheme : fact->scheme,
		.cohort = member != NULL ? member->cohort : NO_WORD,
		.provider = fact->more,
		.reached = 1u << SENT,
		.sent_ns = fact->at_ns,
		.answered_ns = INT64_MAX,
	};
	HASH_ADD(hh, flow->by_key, key, sizeof(referral->key), referral);
}

static void add_answer(struct flow *flow, const struct fact *fact)
{
	struct referral *referral = find(flow, fact);

	if (referral == NULL)
		return;
	referral->reached |= 1u << column_of[fact->kind];
	if ((fact->kind == FACT_ACCEPTED || fact->kind == FACT_DECLINED) &&
	    fact->at_ns < referral->answered_ns) {
		referral->answered_ns = fact->at_ns;
		referral->reached |= 1u << ANSWERED;
	}
}

static enum ttg_error gather(struct flow *flow)
{
	const struct figures *figures = flow->figures;
	size_t n = 0;

	for (size_t i = 0; i < figures->n_facts; i++)
		n += figures->facts[i].kind == FACT_SENT ? 1 : 0;
	flow->referrals = calloc(n + 1, sizeof(*flow->referrals));
	if (flow->referrals == NULL)
		return TTG_ENOMEM;
	for (size_t i = 0; i < figures->n_facts; i++)
		if (figures->facts[i].kind == FACT_SENT && is_of_referral(flow, &figures->facts[i]))
			add_sent(flow, &figures->facts[i]);
	for (size_t i = 0; i < figures->n_facts; i++)
		if (figures->facts[i].kind != FACT_SENT && is_of_referral(flow, &figures->facts[i]))
			add_answer(flow, &figures->facts[i]);
	return TTG_OK;
}

/* By scheme and provider, then cohort. */
static int compare(const void *left, const void *right, void *arg)
{
	const struct referral *a = left;
	const struct referral *b = right;
	int result = figures_compare_words(arg, a->scheme, b->scheme);

	if (result == 0)
		result = figures_compare_words(arg, a->provider, b->provider);
	return result != 0 ? result : figures_compare_words(arg, a->cohort, b->cohort);
}

static int compare_waits(const void *left, const void *right)
{
	const int64_t a = *(const int64_t *)left;
	const int64_t b = *(const int64_t *)right;

	return (a > b) - (a < b);
}

/* An answer that by its clock came before the question took no time. Clocks may say anything. */
static int64_t wait_of(const struct referral *referral)
{
	int64_t wait_ns;

	if (referral->answered_ns < referral->sent_ns)
		return 0;
	return __builtin_sub_overflow(referral->answered_ns, referral->sent_ns, &wait_ns)
	               ? INT64_MAX
	               : wait_ns;
}

static enum ttg_error add_waits(const struct referral *referrals, size_t n, struct table_row *row)
{
	int64_t *waits = calloc(n + 1, sizeof(*waits));
	size_t answered = 0;

	if (waits == NULL)
		return TTG_ENOMEM;
	for (size_t i = 0; i < n; i++)
		if ((referrals[i].reached & 1u << ANSWERED) != 0)
			waits[answered++] = wait_of(&referrals[i]);
	qsort(waits, answered, sizeof(*waits), compare_waits);
	row->cells[MEDIAN] = row->cells[LONGEST] = (struct cell){ .kind = CELL_UNDEFINED };
	if (answered > 0) {
		const int64_t low = waits[(answered - 1) / 2];
		const int64_t high = waits[answered / 2];

		row->cells[MEDIAN] = cell_ratio(low + (high - low) / 2, 1, NS_PER_HOUR);
		row->cells[LONGEST] = cell_ratio(waits[answered - 1], 1, NS_PER_HOUR);
	}
	free(waits);
	return TTG_OK;
}

/* "-" for referrals of no scheme, and of men of no cohort. */
static struct cell name_cell(const struct figures *figures, uint32_t word)
{
	return cell_text(word == NO_WORD ? "-" : names_text(&figures->words, word));
}

static enum ttg_error add_row(const struct figures *figures, const struct referral *referrals,
                              size_t n, enum row_place place, unsigned group, struct table *out)
{
	struct table_row *row = table_add(out, place, group);

	if (row == NULL)
		return TTG_ENOMEM;
	row->cells[SCHEME] = name_cell(figures, referrals->scheme);
	row->cells[COHORT] =
	        place == ROW_TOTAL ? cell_text(FIGURES_ALL) : name_cell(figures, referrals->cohort);
	row->cells[PROVIDER] = name_cell(figures, referrals->provider);
	for (size_t c = SENT; c <= ANSWERED; c++) {
		uint64_t reached = 0;

		for (size_t i = 0; i < n; i++)
			reached += referrals[i].reached >> c & 1u;
		row->cells[c] = cell_count(reached);
	}
	return add_waits(referrals, n, row);
}

/* How many from the first on are of its scheme and provider, and cohort. */
static size_t run_of(const struct referral *referrals, size_t n, bool of_cohort)
{
	size_t run = 1;

	while (run < n && referrals[run].scheme == referrals->scheme &&
	       referrals[run].provider == referrals->provider &&
	       (!of_cohort || referrals[run].cohort == referrals->cohort))
		run++;
	return run;
}

/* One provider's rows: each cohort, then all. */
static enum ttg_error add_provider(const struct flow *flow, size_t from, size_t n,
                                   struct table *out)
{
	const struct referral *referrals = &flow->referrals[from];
	enum ttg_error error = TTG_OK;

	for (size_t i = 0, run; i < n && error == TTG_OK; i += run) {
		run = run_of(&referrals[i], n - i, true);
		error = add_row(flow->figures, &referrals[i], run, ROW_PART, (unsigned)from, out);
	}
	return error == TTG_OK
	               ? add_row(flow->figures, referrals, n, ROW_TOTAL, (unsigned)from, out)
	               : error;
}

enum ttg_error figures_referrals(const struct figures *figures, struct table *out)
{
	struct flow flow = { .figures = figures };
	enum ttg_error error;

	table_init(out, columns, COLUMNS);
	error = gather(&flow);
	HASH_CLEAR(hh, flow.by_key); /* it points into what is sorted now */
	if (flow.n > 0)
		qsort_r(flow.referrals, flow.n, sizeof(*flow.referrals), compare,
		        (void *)(uintptr_t)figures);
	for (size_t i = 0, n; i < flow.n && error == TTG_OK; i += n) {
		n = run_of(&flow.referrals[i], flow.n - i, false);
		error = add_provider(&flow, i, n, out);
	}
	free(flow.referrals);
	return error;
}
