/*
 * Instants and civil dates as other systems write them, and as we do.
 */
#ifndef TTG_BASE_INSTANT_H
#define TTG_BASE_INSTANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ttg/error.h>

#define INSTANT_TEXT 40 /* "2026-11-21T10:15:00.123456789Z" and room */

/*
 * Reads an ISO 8601 / RFC 3339 instant with the liberties seen in the field: 0 to 9 fraction
 * digits, "Z", "+01:00" or "+0100", a space for the "T", a "[Europe/London]" suffix; without any
 * offset it is civil time in Europe/London (the earlier instant where the clock goes back; an
 * hour that the clock skips is TTG_EFORMAT). Seconds may be missing; ":60" and 24:00 are refused.
 * Years 1900 to 2200; summer time is known from 1972 on. TTG_EFORMAT leaves *unix_ns alone.
 */
enum ttg_error instant_parse(const char *text, int64_t *unix_ns);

/* UTC with "Z" and as many fraction digits as needed, in groups of three. */
void instant_format(int64_t unix_ns, char out[INSTANT_TEXT]);

/* "dd/mm/yyyy" or "yyyy-mm-dd" to "yyyy-mm-dd"; the day must exist. TTG_EFORMAT. */
enum ttg_error date_parse(const char *text, char out[11]);
/* "H:MM", "HH:MM", "HH:MM:SS" or "HHMM" to "HH:MM". TTG_EFORMAT. */
enum ttg_error clock_parse(const char *text, char out[6]);

bool date_is_valid(const char *text);  /* exactly yyyy-mm-dd and a day that exists */
bool clock_is_valid(const char *text); /* exactly HH:MM */

/* The instant of a civil date and time ("HH:MM" or NULL for midnight) in Europe/London. */
enum ttg_error instant_from_civil(const char *date, const char *clock, int64_t *unix_ns);
/* The civil date and time in Europe/London of an instant. */
void instant_to_civil(int64_t unix_ns, char date[11], char clock[6]);

#endif
