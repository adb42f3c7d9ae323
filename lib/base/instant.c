/*
 * Instants and civil times: text to nanoseconds since 1970 and back, and the clock of London.
 *
 * Pure; any thread; no time zone database, so that the same text means the same instant on every
 * machine. Days are counted in the proleptic Gregorian calendar. Summer time in Great Britain
 * follows the rules as they were, from 1972 on:
 *   1972-1980  third Sunday of March 02:00 UTC to the Sunday on or after 23 October 02:00 UTC
 *              (Summer Time Act 1972)
 *   1981-1989  last Sunday of March 01:00 UTC to the Sunday on or after 23 October 01:00 UTC
 *   1990-1995  the same, to the Sunday on or after 22 October (Summer Time Orders)
 *   1996-      last Sunday of March 01:00 UTC to last Sunday of October 01:00 UTC
 *              (Directive 2000/84/EC and its forerunners)
 * Before 1972 civil time is read as UTC, which is wrong for the summers and for 1968-1971; nothing
 * the agencies exchange depends on it. A leap second (":60") is refused: it has no number here.
 * Malformed text is TTG_EFORMAT and leaves the output alone.
 */
#include "base/instant.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_SECOND    INT64_C(1000000000)
#define SECONDS_PER_DAY  INT64_C(86400)
#define SECONDS_PER_HOUR INT64_C(3600)
#define YEAR_MIN         1900
#define YEAR_MAX         2200
#define DATE_YEAR_MAX    9999
#define FRACTION_DIGITS  9
#define OFFSET_HOURS_MAX 14 /* Kiribati, the farthest of all zones */
#define SUMMER_YEAR_MIN  1972
#define LONDON           "[Europe/London]"

/* Days from 1970-01-01 to the day; the year is shifted to begin in March, so that the leap day is
 * its last one. */
static int64_t days_from_civil(int64_t year, int month, int day)
{
	int64_t shifted = year - (month <= 2);
	int64_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
	int64_t year_of_era = shifted - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

static void civil_from_days(int64_t days, int *year, int *month, int *day)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t day_of_era = days - era * 146097;
	int64_t year_of_era =
	        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
	        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t shifted_month = (5 * day_of_year + 2) / 153;

	*day = (int)(day_of_year - (153 * shifted_month + 2) / 5 + 1);
	*month = (int)(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
	*year = (int)(year_of_era + era * 400 + (*month <= 2));
}

static int days_in_month(int year, int month)
{
	static const int days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

/* Rounds towards the past, where C rounds towards 1970. */
static int64_t floor_div(int64_t value, int64_t by)
{
	return value / by - (value % by < 0);
}

/* Seconds since 1970 of the first Sunday on or after the day, at `hour` UTC. */
static int64_t sunday_from(int year, int month, int day, int hour)
{
	int64_t days = days_from_civil(year, month, day);
	int64_t weekday = ((days + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */

	return (days + (7 - weekday) % 7) * SECONDS_PER_DAY + hour * SECONDS_PER_HOUR;
}

static bool is_summer(int64_t unix_s)
{
	int year;
	int month;
	int day;

	civil_from_days(floor_div(unix_s, SECONDS_PER_DAY), &year, &month, &day);
	if (year < SUMMER_YEAR_MIN)
		return false;
	int hour = year <= 1980 ? 2 : 1;
	int first = year <= 1980 ? 16 : 25;
	int last = year <= 1989 ? 23 : year <= 1995 ? 22 : 25;
	return unix_s >= sunday_from(year, 3, first, hour) &&
	       unix_s < sunday_from(year, 10, last, hour);
}

/* The earlier instant at which London's clocks show local_s; false when they skip it. */
static bool london_to_utc(int64_t local_s, int64_t *unix_s)
{
	if (is_summer(local_s - SECONDS_PER_HOUR)) {
		*unix_s = local_s - SECONDS_PER_HOUR;
		return true;
	}
	*unix_s = local_s;
	return !is_summer(local_s);
}

/* Exactly n digits; moves *at behind them. */
static bool read_digits(const char **at, int n, int *out)
{
	int value = 0;

	for (int i = 0; i < n; i++) {
		char c = (*at)[i];

		if (c < '0' || c > '9')
			return false;
		value = value * 10 + (c - '0');
	}
	*at += n;
	*out = value;
	return true;
}

static bool read_char(const char **at, char expected)
{
	if (**at != expected)
		return false;
	(*at)++;
	return true;
}

static bool day_exists(int year, int month, int day)
{
	return year >= 1 && year <= DATE_YEAR_MAX && month >= 1 && month <= 12 && day >= 1 &&
	       day <= days_in_month(year, month);
}

/* "yyyy-mm-dd", a day that exists. */
static bool read_date(const char **at, int *year, int *month, int *day)
{
	return read_digits(at, 4, year) && read_char(at, '-') && read_digits(at, 2, month) &&
	       read_char(at, '-') && read_digits(at, 2, day) && day_exists(*year, *month, *day);
}

/* "hh:mm" and, when a colon follows, ":ss"; in seconds of the day. */
static bool read_time(const char **at, bool *has_seconds, int64_t *seconds)
{
	int hour;
	int minute;
	int second = 0;

	if (!read_digits(at, 2, &hour) || !read_char(at, ':') || !read_digits(at, 2, &minute))
		return false;
	*has_seconds = read_char(at, ':');
	if (*has_seconds && !read_digits(at, 2, &second))
		return false;
	*seconds = hour * SECONDS_PER_HOUR + minute * 60 + second;
	return hour <= 23 && minute <= 59 && second <= 59;
}

/* ".d" to ".ddddddddd", or nothing. */
static bool read_fraction(const char **at, int64_t *ns)
{
	int digits = 0;
	int64_t value = 0;

	*ns = 0;
	if (!read_char(at, '.'))
		return true;
	for (; **at >= '0' && **at <= '9'; (*at)++) {
		if (++digits > FRACTION_DIGITS)
			return false;
		value = value * 10 + (**at - '0');
	}
	for (int i = digits; i < FRACTION_DIGITS; i++)
		value *= 10;
	*ns = value;
	return digits > 0;
}

/* "Z", "+hh:mm", "+hhmm" or nothing; *has tells. */
static bool read_offset(const char **at, bool *has, int64_t *offset_s)
{
	char sign = **at;
	int hours;
	int minutes;

	*offset_s = 0;
	*has = sign == 'Z' || sign == 'z' || sign == '+' || sign == '-';
	if (!*has)
		return true;
	(*at)++;
	if (sign == 'Z' || sign == 'z')
		return true;
	if (!read_digits(at, 2, &hours))
		return false;
	read_char(at, ':');
	if (!read_digits(at, 2, &minutes) || minutes > 59 ||
	    hours * 60 + minutes > OFFSET_HOURS_MAX * 60)
		return false;
	*offset_s = hours * SECONDS_PER_HOUR + minutes * 60;
	if (sign == '-')
		*offset_s = -*offset_s;
	return true;
}

enum ttg_error instant_parse(const char *text, int64_t *unix_ns)
{
	const char *at = text;
	bool has_seconds;
	bool has_offset;
	int64_t time_s;
	int64_t offset_s;
	int64_t ns = 0;
	int year;
	int month;
	int day;

	if (!text || !read_date(&at, &year, &month, &day) || year < YEAR_MIN || year > YEAR_MAX)
		return TTG_EFORMAT;
	if (*at != 'T' && *at != 't' && *at != ' ')
		return TTG_EFORMAT;
	at++;
	if (!read_time(&at, &has_seconds, &time_s) || (has_seconds && !read_fraction(&at, &ns)) ||
	    !read_offset(&at, &has_offset, &offset_s))
		return TTG_EFORMAT;
	if (strcmp(at, "") != 0 && strcmp(at, LONDON) != 0)
		return TTG_EFORMAT;

	int64_t seconds = days_from_civil(year, month, day) * SECONDS_PER_DAY + time_s;
	if (has_offset)
		seconds -= offset_s;
	else if (!london_to_utc(seconds, &seconds))
		return TTG_EFORMAT;
	/* 1900 to 2200 and a few hours are far inside 64 bits. */
	*unix_ns = seconds * NS_PER_SECOND + ns;
	return TTG_OK;
}

void instant_format(int64_t unix_ns, char out[INSTANT_TEXT])
{
	int64_t seconds = floor_div(unix_ns, NS_PER_SECOND);
	int64_t days = floor_div(seconds, SECONDS_PER_DAY);
	int fraction = (int)((unix_ns % NS_PER_SECOND + NS_PER_SECOND) % NS_PER_SECOND);
	int rest = (int)(seconds - days * SECONDS_PER_DAY);
	int year;
	int month;
	int day;

	civil_from_days(days, &year, &month, &day);
	int len = snprintf(out, INSTANT_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d", year, month, day,
	                   rest / 3600, rest / 60 % 60, rest % 60);
	assert(len > 0 && len + 11 < INSTANT_TEXT);
	size_t left = (size_t)(INSTANT_TEXT - len);
	if (fraction == 0)
		snprintf(out + len, left, "Z");
	else if (fraction % 1000000 == 0)
		snprintf(out + len, left, ".%03dZ", fraction / 1000000);
	else if (fraction % 1000 == 0)
		snprintf(out + len, left, ".%06dZ", fraction / 1000);
	else
		snprintf(out + len, left, ".%09dZ", fraction);
}

enum ttg_error date_parse(const char *text, char out[11])
{
	const char *at = text;
	int year;
	int month;
	int day;

	if (!text)
		return TTG_EFORMAT;
	if (!read_date(&at, &year, &month, &day)) {
		at = text;
		if (!read_digits(&at, 2, &day) || !read_char(&at, '/') ||
		    !read_digits(&at, 2, &month) || !read_char(&at, '/') ||
		    !read_digits(&at, 4, &year) || !day_exists(year, month, day))
			return TTG_EFORMAT;
	}
	if (*at)
		return TTG_EFORMAT;
	snprintf(out, 11, "%04u-%02u-%02u", (unsigned int)year % 10000, (unsigned int)month % 100,
	         (unsigned int)day % 100);
	return TTG_OK;
}

static void format_clock(unsigned int hour, unsigned int minute, char out[6])
{
	snprintf(out, 6, "%02u:%02u", hour % 100, minute % 100);
}

enum ttg_error clock_parse(const char *text, char out[6])
{
	const char *at = text;
	int hour;
	int minute;
	int second = 0;
	bool form;

	if (!text)
		return TTG_EFORMAT;
	if (strchr(text, ':')) {
		/* One digit or two for the hour; seconds only after two. */
		int width = text[1] == ':' ? 1 : 2;

		form = read_digits(&at, width, &hour) && read_char(&at, ':') &&
		       read_digits(&at, 2, &minute);
		if (form && width == 2 && read_char(&at, ':'))
			form = read_digits(&at, 2, &second);
	} else {
		form = read_digits(&at, 2, &hour) && read_digits(&at, 2, &minute);
	}
	if (!form || *at || hour > 23 || minute > 59 || second > 59)
		return TTG_EFORMAT;
	format_clock((unsigned int)hour, (unsigned int)minute, out);
	return TTG_OK;
}

bool date_is_valid(const char *text)
{
	const char *at = text;
	int year;
	int month;
	int day;

	return text && read_date(&at, &year, &month, &day) && *at == '\0';
}

bool clock_is_valid(const char *text)
{
	const char *at = text;
	bool has_seconds;
	int64_t seconds;

	return text && read_time(&at, &has_seconds, &seconds) && !has_seconds && *at == '\0';
}

enum ttg_error instant_from_civil(const char *date, const char *clock, int64_t *unix_ns)
{
	char text[sizeof("yyyy-mm-ddThh:mm")];

	if (!date_is_valid(date) || (clock && !clock_is_valid(clock)))
		return TTG_EFORMAT;
	snprintf(text, sizeof(text), "%.10sT%.5s", date, clock ? clock : "00:00");
	return instant_parse(text, unix_ns);
}

void instant_to_civil(int64_t unix_ns, char date[11], char clock[6])
{
	int64_t seconds = floor_div(unix_ns, NS_PER_SECOND);
	int year;
	int month;
	int day;

	if (is_summer(seconds))
		seconds += SECONDS_PER_HOUR;
	int64_t days = floor_div(seconds, SECONDS_PER_DAY);
	unsigned int rest = (unsigned int)(seconds - days * SECONDS_PER_DAY);
	civil_from_days(days, &year, &month, &day);
	snprintf(date, 11, "%04u-%02u-%02u", (unsigned int)year % 10000, (unsigned int)month % 100,
	         (unsigned int)day % 100);
	format_clock(rest / 3600, rest / 60 % 60, clock);
}
