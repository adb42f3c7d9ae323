/*
 * Civil days. Steps are taken from noon to noon: an hour more or less, where clocks change, does
 * not leave the day.
 */
#include "desk/day.h"

#include <string.h>
#include "base/instant.h"

#define NS_PER_DAY INT64_C(86400000000000)

void day_of(int64_t ns, char out[DATE_BYTES])
{
	char clock[CLOCK_BYTES];

	instant_to_civil(ns, out, clock);
}

int64_t day_noon(const char *day)
{
	int64_t ns;

	if (!date_is_valid(day) || instant_from_civil(day, "12:00", &ns) != TTG_OK)
		return 0;
	return ns;
}

void day_add(const char *day, int days, char out[DATE_BYTES])
{
	int64_t noon_ns = day_noon(day);

	if (noon_ns == 0)
		out[0] = '\0';
	else
		day_of(noon_ns + days * NS_PER_DAY, out);
}

bool day_is_between(const char *day, const char *from, const char *until)
{
	return date_is_valid(day) && date_is_valid(from) && date_is_valid(until) &&
	       strcmp(from, day) <= 0 && strcmp(day, until) <= 0;
}
