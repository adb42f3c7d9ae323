/*
 * Periods that begin with a release, in the civil time of Europe/London. Pure.
 */
#ifndef ONESERVICE_FIGURES_PERIOD_H
#define ONESERVICE_FIGURES_PERIOD_H

#include <stdint.h>

/*
 * The instant `months` calendar months after another: the same day of the month and the same time
 * of day by London's clocks. The last day of the month where it has no such day (a year after 29
 * February is 28 February); an hour later where the clocks skip that time, the earlier instant
 * where they show it twice.
 */
int64_t period_add_months(int64_t from_ns, unsigned months);

/* Midnight, by London's clocks, that ends the civil day of the instant. */
int64_t period_day_end(int64_t ns);

/* The instant in the middle of the two; what happens in it belongs to the second half. */
int64_t period_middle(int64_t from_ns, int64_t until_ns);

/* The civil day of an instant as a number, 20261121; such numbers compare as days do. */
int32_t period_day(int64_t ns);
/* The same of "2026-11-21"; 0 when that is no day. */
int32_t period_day_of_date(const char *date);

#endif
