/*
 * The outcome table: how often the men of each cohort were reconvicted in the year after release,
 * and, against a baseline, whether that is enough to be paid for. Pure; see docs/figures.md.
 *
 * Thresholds are compared in whole numbers, never in the rounded ones that are shown. With m men,
 * e events and a baseline of b thousandths of events per 100 men, the reduction is
 * (m b - 100000 e) / (m b); several cohorts add up above and below the line.
 */
#include "oneservice/figures_internal.h"

#include <string.h>

#define MEN_PER_RATE 100
#define THOUSAND     1000

enum column {
	SCHEME = 0,
	COHORT,
	MEN,
	NOT_OVER,
	NOT_OBSERVED,
	RECONVICTED,
	PERCENT,
	EVENTS,
	FREQUENCY,
	BASELINE,
	REDUCTION,
	THRESHOLD,
	MET,
	COLUMNS
};

static const struct table_column columns[COLUMNS] = {
	[SCHEME] = { .name = "scheme" },
	[COHORT] = { .name = "cohort" },
	[MEN] = { .name = "men", .counts = true },
	[NOT_OVER] = { .name = "not_over", .counts = true },
	[NOT_OBSERVED] = { .name = "not_observed", .counts = true },
	[RECONVICTED] = { .name = "reconvicted", .counts = true, .of = MEN },
	[PERCENT] = { .name = "reconvicted_percent", .with = RECONVICTED },
	[EVENTS] = { .name = "events", .counts = true, .with = RECONVICTED },
	[FREQUENCY] = { .name = "events_per_100", .with = EVENTS },
	[BASELINE] = { .name = "baseline_per_100" },
	[REDUCTION] = { .name = "reduction_percent", .with = EVENTS },
	[THRESHOLD] = { .name = "threshold_percent" },
	[MET] = { .name = "threshold_met", .with = EVENTS },
};

/* In a cohort, and over those that missed that; per mille. */
#define THRESHOLD_COHORT 100
#define THRESHOLD_MISSED 75

struct tally {
	int64_t men, not_over, not_observed, reconvicted, events;
	int64_t expected; /* sum of men times baseline; 0 without one */
};

static void count(const struct figures *figures, const struct cohort *cohort, struct tally *tally)
{
	*tally = (struct tally){ .men = 0 };
	for (size_t i = 0; i < cohort->n; i++) {
		const struct member *member = figures->by_cohort[cohort->from + i];

		if (!member->released)
			continue;
		if (member->ends_ns[PERIOD_YEAR] > figures->as_at_ns) {
			tally->not_over++;
		} else if (member->unseen) {
			tally->not_observed++;
		} else {
			tally->men++;
			tally->events += member->occasions;
			tally->reconvicted += member->occasions > 0 ? 1 : 0;
		}
	}
}

static void add_tally(struct tally *to, const struct tally *tally)
{
	to->men += tally->men;
	to->not_over += tally->not_over;
	to->not_observed += tally->not_observed;
	to->reconvicted += tally->reconvicted;
	to->events += tally->events;
	to->expected += tally->expected;
}

/* What the events would have to be fewer by, and are. */
static int64_t fewer(const struct tally *tally)
{
	return tally->expected - tally->events * MEN_PER_RATE * THOUSAND;
}

static bool reaches(const struct tally *tally, int per_mille)
{
	return tally->expected > 0 &&
	       (__int128)fewer(tally) * THOUSAND >= (__int128)tally->expected * per_mille;
}

static int64_t baseline_of(const struct figures_baselines *baselines, const char *scheme,
                           const char *cohort)
{
	for (size_t i = 0; i < baselines->n; i++) {
		const struct figures_baseline *it = &baselines->list[i];

		if ((it->scheme[0] == '\0' || strcmp(it->scheme, scheme) == 0) &&
		    (it->cohort[0] == '\0' || strcmp(it->cohort, cohort) == 0))
			return it->thousandths;
	}
	return 0;
}

static enum ttg_error add_row(const char *scheme, const char *cohort, enum row_place place,
                              unsigned group, const struct tally *tally, struct table *out)
{
	struct table_row *row = table_add(out, place, group);
	const int threshold = place == ROW_TOTAL ? THRESHOLD_MISSED : THRESHOLD_COHORT;

	if (row == NULL)
		return TTG_ENOMEM;
	row->cells[SCHEME] = cell_text(scheme);
	row->cells[COHORT] = cell_text(cohort);
	row->cells[MEN] = cell_count((uint64_t)tally->men);
	row->cells[NOT_OVER] = cell_count((uint64_t)tally->not_over);
	row->cells[NOT_OBSERVED] = cell_count((uint64_t)tally->not_observed);
	row->cells[RECONVICTED] = cell_count((uint64_t)tally->reconvicted);
	row->cells[PERCENT] = cell_ratio(tally->reconvicted, 100, tally->men);
	row->cells[EVENTS] = cell_count((uint64_t)tally->events);
	row->cells[FREQUENCY] = cell_ratio(tally->events, MEN_PER_RATE, tally->men);
	if (tally->expected > 0) {
		row->cells[BASELINE] = cell_ratio(tally->expected, 1, tally->men * THOUSAND);
		row->cells[REDUCTION] = cell_ratio(fewer(tally), 100, tally->expected);
		row->cells[THRESHOLD] = cell_ratio(threshold, 1, 10);
		row->cells[MET] = cell_text(reaches(tally, threshold) ? "yes" : "no");
	}
	return TTG_OK;
}

/* The cohorts of one scheme, then those together that missed their threshold. */
static enum ttg_error add_scheme(const struct figures *figures,
                                 const struct figures_baselines *baselines, size_t from, size_t *n,
                                 struct table *out)
{
	const struct cohort *first = &figures->cohorts[from];
	const char *scheme = names_text(&figures->words, first->scheme);
	struct tally missed = { .men = 0 };
	enum ttg_error error = TTG_OK;

	for (*n = 0;
	     from + *n < figures->n_cohorts && first[*n].scheme == first->scheme && error == TTG_OK;
	     (*n)++) {
		const char *cohort = names_text(&figures->words, first[*n].cohort);
		struct tally tally;
		bool misses;

		count(figures, &first[*n], &tally);
		tally.expected = tally.men * baseline_of(baselines, scheme, cohort);
		misses = tally.expected > 0 && !reaches(&tally, THRESHOLD_COHORT);
		if (misses)
			add_tally(&missed, &tally);
		error = add_row(scheme, cohort, misses ? ROW_PART : ROW_ALONE, (unsigned)from,
		                &tally, out);
	}
	if (error == TTG_OK && missed.expected > 0)
		error = add_row(scheme, FIGURES_MISSED, ROW_TOTAL, (unsigned)from, &missed, out);
	return error;
}

enum ttg_error figures_outcome(const struct figures *figures,
                               const struct figures_baselines *baselines, struct table *out)
{
	enum ttg_error error = TTG_OK;

	table_init(out, columns, COLUMNS);
	for (size_t i = 0, n = 0; i < figures->n_cohorts && error == TTG_OK; i += n)
		error = add_scheme(figures, baselines, i, &n, out);
	return error;
}
