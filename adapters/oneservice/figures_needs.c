/* The needs table: what the men of each cohort had need of. Pure; see docs/figures.md. */
#include "oneservice/figures_internal.h"

enum column { SCHEME = 0, COHORT, NEED, MEN, WITH_NEED, PERCENT, COLUMNS };

static const struct table_column columns[COLUMNS] = {
	[SCHEME] = { .name = "scheme" },
	[COHORT] = { .name = "cohort" },
	[NEED] = { .name = "need" },
	[MEN] = { .name = "men", .counts = true },
	[WITH_NEED] = { .name = "with_need", .counts = true, .of = MEN },
	[PERCENT] = { .name = "percent", .with = WITH_NEED },
};

/* By NeedCategory. */
static const char *const needs[] = {
	NULL,
	"accommodation",
	"finance_benefit_debt",
	"education_training_employment",
	"addiction",
	"health_wellbeing",
	"children_families",
	"legal",
	"attitudes_thinking_behaviour",
	"purposeful_activity",
	"immigration",
	"information_technology",
};

#define NEEDS (sizeof(needs) / sizeof(needs[0]))
_Static_assert(NEEDS == (size_t)TTG__NEED_CATEGORY__NEED_INFORMATION_TECHNOLOGY + 1,
               "a name for each category");

/* Men of some cohorts that lie together, and how many have each need. */
struct tally {
	uint64_t men;
	uint64_t with[NEEDS];
};

static void count(const struct figures *figures, const struct cohort *cohort, struct tally *tally)
{
	for (size_t i = 0; i < cohort->n; i++) {
		const struct member *member = figures->by_cohort[cohort->from + i];

		if (!member->released)
			continue;
		tally->men++;
		for (size_t need = 1; need < NEEDS; need++)
			tally->with[need] += member->needs >> need & 1u;
	}
}

static enum ttg_error add_rows(const char *scheme, const char *cohort, enum row_place place,
                               unsigned group, const struct tally *tally, struct table *out)
{
	for (unsigned need = 1; need < NEEDS; need++) {
		struct table_row *row = table_add(out, place, group * (unsigned)NEEDS + need);

		if (row == NULL)
			return TTG_ENOMEM;
		row->cells[SCHEME] = cell_text(scheme);
		row->cells[COHORT] = cell_text(cohort);
		row->cells[NEED] = cell_text(needs[need]);
		row->cells[MEN] = cell_count(tally->men);
		row->cells[WITH_NEED] = cell_count(tally->with[need]);
		row->cells[PERCENT] =
		        cell_ratio((int64_t)tally->with[need], 100, (int64_t)tally->men);
	}
	return TTG_OK;
}

/* The cohorts of one scheme, then all of them together; *n is how many they are. */
static enum ttg_error add_scheme(const struct figures *figures, size_t from, size_t *n,
                                 struct table *out)
{
	const struct cohort *first = &figures->cohorts[from];
	const char *scheme = names_text(&figures->words, first->scheme);
	struct tally all = { .men = 0 };
	enum ttg_error error = TTG_OK;

	for (*n = 0;
	     from + *n < figures->n_cohorts && first[*n].scheme == first->scheme && error == TTG_OK;
	     (*n)++) {
		struct tally tally = { .men = 0 };

		count(figures, &first[*n], &tally);
		count(figures, &first[*n], &all);
		error = add_rows(scheme, names_text(&figures->words, first[*n].cohort), ROW_PART,
		                 (unsigned)from, &tally, out);
	}
	if (error == TTG_OK)
		error = add_rows(scheme, FIGURES_ALL, ROW_TOTAL, (unsigned)from, &all, out);
	return error;
}

enum ttg_error figures_needs(const struct figures *figures, struct table *out)
{
	enum ttg_error error = TTG_OK;

	table_init(out, columns, COLUMNS);
	for (size_t i = 0, n = 0; i < figures->n_cohorts && error == TTG_OK; i += n)
		error = add_scheme(figures, i, &n, out);
	return error;
}
