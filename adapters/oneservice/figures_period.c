/*
 * Calendar arithmetic for the figures. Pure; see figures_period.h. Instants of no use to anybody
 * (before 1900, after 2200) come back as they were, so that no event can make it fail.
 */
#include "oneservice/figures_period.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/instant.h"

#define NS_PER_MINUTE INT64_C(60000000000)
#define NS_PER_DAY    (1440 * NS_PER_MINUTE)

/* "2026-11-21" to 2026, 11, 21. */
static void split(const char date[11], unsigned *year, unsigned *month, unsigned *day)
{
	unsigned long number = (unsigned long)period_day_of_date(date);

	*year = (unsigned)(number / 10000);
	*month = (unsigned)(number / 100 % 100);
	*day = (unsigned)(number % 100);
}

int64_t period_add_months(int64_t from_ns, unsigned months)
{
	char date[11];
	char clock[6];
	char text[40]; /* what the compiler takes the numbers to need */
	unsigned year;
	unsigned month;
	unsigned day;
	int64_t until_ns = from_ns;
	int64_t rest_ns = (from_ns % NS_PER_MINUTE + NS_PER_MINUTE) % NS_PER_MINUTE;

	instant_to_civil(from_ns, date, clock);
	split(date, &year, &month, &day);
	if (day == 0)
		return from_ns;
	year += (month - 1 + months) / 12;
	month = (month - 1 + months) % 12 + 1;
	do /* at most three days: a month has 28 */
		snprintf(text, sizeof(text), "%04u-%02u-%02u", year, month, day--);
	while (!date_is_valid(text) && day > 27);
	if (instant_from_civil(text, clock, &until_ns) != TTG_OK) {
		/* Clocks skip the hour from 01:00 or, before 1981, from 02:00. */
		clock[1]++;
		if (instant_from_civil(text, clock, &until_ns) != TTG_OK)
			return from_ns;
	}
	return until_ns + rest_ns;
}

int64_t period_day_end(int64_t ns)
{
	char date[11];
	char clock[6];
	int64_t noon_ns;

	instant_to_civil(ns, date, clock);
	if (instant_from_civil(date, "12:00", &noon_ns) != TTG_OK)
		return ns;
	instant_to_civil(noon_ns + NS_PER_DAY, date, clock);
	return instant_from_civil(date, NULL, &noon_ns) == TTG_OK ? noon_ns : ns;
}

int64_t period_middle(int64_t from_ns, int64_t until_ns)
{
	return from_ns + (until_ns - from_ns) / 2;
}

int32_t period_day(int64_t ns)
{
	char date[11];
	char clock[6];

	instant_to_civil(ns, date, clock);
	return period_day_of_date(date);
}

int32_t period_day_of_date(const char *date)
{
	if (!date_is_valid(date))
		return 0;
	return (int32_t)(strtol(date, NULL, 10) * 10000 + strtol(date + 5, NULL, 10) * 100 +
	                 strtol(date + 8, NULL, 10));
}
