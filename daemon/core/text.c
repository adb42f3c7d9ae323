/*
 * Small questions about text and calendar that validation asks: agency ids, the year.
 * Pure functions.
 */
#include "core/event.h"

bool event_agency_is_valid(const char *text, size_t len)
{
	if (len == 0 || len > EVENT_AGENCY_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			return false;
	}
	return true;
}

int event_year(int64_t unix_ns)
{
	/* Days since 0000-03-01 in years of 365.2425 days: the civil calendar counted from March. */
	int64_t seconds = unix_ns / 1000000000 - (unix_ns % 1000000000 < 0);
	int64_t days = seconds / 86400 - (seconds % 86400 < 0) + 719468;
	int64_t era = days / 146097, day = days % 146097;
	int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	int64_t day_of_year = day - (365 * year + year / 4 - year / 100);

	/* From day 306 on it is January or February of the year after. */
	return (int)(era * 400 + year + (day_of_year >= 306));
}
