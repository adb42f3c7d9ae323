/* The engagement table: how far each cohort was reached. Pure; see docs/figures.md. */
#include "oneservice/figures_internal.h"

enum column { SCHEME = 0, COHORT, STAGE, MEN, REACHED, PERCENT, COLUMNS };

static const struct table_column columns[COLUMNS] = {
	[SCHEME] = { .name = "scheme" },
	[COHORT] = { .name = "cohort" },
	[STAGE] = { .name = "stage" },
	[MEN] = { .name = "men", .counts = true },
	[REACHED] = { .name = "reached", .counts = true, .of = MEN },
	[PERCENT] = { .name = "percent", .with = REACHED },
};

/* Active in each half of the period. */
static bool engaged(const struct member *member, enum period period)
{
	return (member->first & member->second & 1u << period) != 0;
}

static bool first_assessed(const struct member *member)
{
	return member->screened;
}

static bool fully_assessed(const struct member *member)
{
	return member->assessed;
}

static bool met(const struct member *member)
{
	return member->met;
}

static bool engaged_one_month(const struct member *member)
{
	return engaged(member, PERIOD_ONE_MONTH);
}

static bool engaged_three_months(const struct member *member)
{
	return engaged(member, PERIOD_THREE_MONTHS);
}

static bool engaged_six_months(const struct member *member)
{
	return engaged(member, PERIOD_SIX_MONTHS);
}

static const struct stage {
	const char *name;
	enum period period; /* must be over; PERIODS: it was at the release */
	bool (*reached)(const struct member *member);
} stages[] = {
	{ "first_assessment", PERIODS, first_assessed },
	{ "full_assessment", PERIODS, fully_assessed },
	{ "met_at_gate", PERIOD_DAY, met },
	{ "engaged_1_month", PERIOD_ONE_MONTH, engaged_one_month },
	{ "engaged_3_months", PERIOD_THREE_MONTHS, engaged_three_months },
	{ "engaged_6_months", PERIOD_SIX_MONTHS, engaged_six_months },
};

static enum ttg_error add_row(const struct figures *figures, const struct cohort *cohort,
                              const struct stage *stage, struct table *out)
{
	struct table_row *row = table_add(out, ROW_ALONE, 0);
	uint64_t men = 0;
	uint64_t reached = 0;

	if (row == NULL)
		return TTG_ENOMEM;
	for (size_t i = 0; i < cohort->n; i++) {
		const struct member *member = figures->by_cohort[cohort->from + i];

		if (!member->released || (stage->period != PERIODS &&
		                          member->ends_ns[stage->period] > figures->as_at_ns))
			continue;
		men++;
		reached += stage->reached(member) ? 1 : 0;
	}
	row->cells[SCHEME] = cell_text(names_text(&figures->words, cohort->scheme));
	row->cells[COHORT] = cell_text(names_text(&figures->words, cohort->cohort));
	row->cells[STAGE] = cell_text(stage->name);
	row->cells[MEN] = cell_count(men);
	row->cells[REACHED] = cell_count(reached);
	row->cells[PERCENT] = cell_ratio((int64_t)reached, 100, (int64_t)men);
	return TTG_OK;
}

enum ttg_error figures_engagement(const struct figures *figures, struct table *out)
{
	enum ttg_error error = TTG_OK;

	table_init(out, columns, COLUMNS);
	for (size_t i = 0; i < figures->n_cohorts; i++)
		for (size_t s = 0; s < sizeof(stages) / sizeof(stages[0]) && error == TTG_OK; s++)
			error = add_row(figures, &figures->cohorts[i], &stages[s], out);
	return error;
}
