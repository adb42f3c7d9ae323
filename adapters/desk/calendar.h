/*
 * Releases as a calendar (RFC 5545) for programs outside the desk: a number, a gate and a time, and
 * nothing else. Pure but for malloc.
 */
#ifndef DESK_CALENDAR_H
#define DESK_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>
#include "web/html.h"

struct calendar_entry {
	const char *uid; /* the same as long as it is the same release; tells nothing of the man */
	unsigned sequence; /* raised with each change */
	int64_t stamp_ns;  /* when it was told so */
	const char *date;  /* "2027-03-12", a civil day */
	const char *clock; /* "09:00"; "" and a time that clocks skip: the whole day */
	const char *number;
	const char *gate; /* "" */
	bool cancelled;
};

/* Entries stand between the two. Errors stick in `out`. */
void calendar_begin(struct html *out);
void calendar_add(struct html *out, const struct calendar_entry *entry);
void calendar_end(struct html *out);

#endif
