/*
 * Plots of the tables of figures, as SVG in plain black, white, grey and one blue: what is a bar is
 * also written beside it, so that nothing is told by colour or length alone. Pure but for malloc.
 */
#ifndef DESK_FIGURES_PLOT_H
#define DESK_FIGURES_PLOT_H

#include "oneservice/figures_store.h"
#include "web/html.h"

struct figures_plot {
	enum figures_kind kind;
	const struct table *table; /* as the page shows it: what it hides is nowhere in the plot */
	bool by_cohort;            /* false: of needs and referrals only the rows of all cohorts */
	bool is_public;
	const char *as_at; /* "2027-03-12 09:00" */
};

/* The whole file. Errors stick in `out`. */
void figures_plot_write(const struct figures_plot *plot, struct html *out);
/* A small one that says a sentence instead. */
void figures_plot_say(const char *sentence, struct html *out);

/* "full_assessment" to "full assessment". At most REPORT_CELL_BYTES. */
void figures_words(char *text);

#endif
