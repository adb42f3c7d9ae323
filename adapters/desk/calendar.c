/*
 * Writing iCalendar. See calendar.h. Times are in UTC, so that no description of a time zone is
 * needed; lines are folded after 75 bytes at most, never inside a character.
 */
#include "desk/calendar.h"

#include <stdio.h>
#include <string.h>
#include "base/instant.h"

#define LINE_MAX_BYTES  75
#define VALUE_BYTES     512
#define STAMP_BYTES     40
#define NS_PER_S        INT64_C(1000000000)
#define PRODUCT         "-//throughgate//duty desk//EN"
#define REFRESH_MINUTES "PT15M"

/* The bytes of the next piece: no more than room, whole characters. */
static size_t piece(const char *text, size_t room)
{
	size_t len = strlen(text);

	if (len <= room)
		return len;
	while (room > 1 && ((unsigned char)text[room] & 0xc0) == 0x80)
		room--;
	return room;
}

/* The line, folded. What is in it is escaped already; html_raw() is right: this is no HTML. */
static void put_line(struct html *out, const char *line)
{
	char bytes[LINE_MAX_BYTES + 1];
	size_t room = LINE_MAX_BYTES;

	do {
		size_t n = piece(line, room);

		memcpy(bytes, line, n);
		bytes[n] = '\0';
		html_raw(out, bytes);
		html_raw(out, line[n] == '\0' ? "\r\n" : "\r\n ");
		line += n;
		room = LINE_MAX_BYTES - 1; /* the space counts */
	} while (*line != '\0');
}

/* Name and text, with its commas, semicolons and backslashes escaped and no control characters. */
static void put_text(struct html *out, const char *name, const char *text)
{
	char line[VALUE_BYTES];
	size_t n = (size_t)snprintf(line, sizeof(line), "%s:", name);

	for (; *text != '\0' && n + 3 < sizeof(line); text++) {
		if (strchr("\\;,", *text) != NULL)
			line[n++] = '\\';
		if ((unsigned char)*text >= ' ' && *text != 0x7f)
			line[n++] = *text;
	}
	line[n] = '\0';
	put_line(out, line);
}

/* "20270312T090000Z" */
static void write_instant(int64_t ns, char out[STAMP_BYTES])
{
	char text[INSTANT_TEXT];

	/* Whole seconds: "2027-03-12T09:00:00Z". */
	instant_format(ns - (ns % NS_PER_S + NS_PER_S) % NS_PER_S, text);
	snprintf(out, STAMP_BYTES, "%.4s%.2s%.5s%.2s%.2sZ", text, text + 5, text + 8, text + 14,
	         text + 17);
}

static void put_stamp(struct html *out, const char *name, int64_t ns)
{
	char stamp[STAMP_BYTES];

	write_instant(ns, stamp);
	put_text(out, name, stamp);
}

static void put_when(struct html *out, const struct calendar_entry *entry)
{
	char day[16];
	int64_t ns;

	if (entry->clock[0] != '\0' &&
	    instant_from_civil(entry->date, entry->clock, &ns) == TTG_OK) {
		put_stamp(out, "DTSTART", ns);
		put_line(out, "DURATION:PT30M");
		return;
	}
	snprintf(day, sizeof(day), "%.4s%.2s%.2s", entry->date, entry->date + 5, entry->date + 8);
	put_text(out, "DTSTART;VALUE=DATE", day);
}

void calendar_begin(struct html *out)
{
	put_line(out, "BEGIN:VCALENDAR");
	put_line(out, "VERSION:2.0");
	put_line(out, "PRODID:" PRODUCT);
	put_line(out, "CALSCALE:GREGORIAN");
	put_line(out, "X-WR-CALNAME:Gate diary");
	put_line(out, "REFRESH-INTERVAL;VALUE=DURATION:" REFRESH_MINUTES);
	put_line(out, "X-PUBLISHED-TTL:" REFRESH_MINUTES);
}

void calendar_add(struct html *out, const struct calendar_entry *entry)
{
	char summary[VALUE_BYTES / 4];
	char sequence[16];

	if (!date_is_valid(entry->date))
		return;
	snprintf(summary, sizeof(summary), "%s %s",
	         entry->cancelled ? "Cancelled: release" : "Release", entry->number);
	snprintf(sequence, sizeof(sequence), "%u", entry->sequence);
	put_line(out, "BEGIN:VEVENT");
	put_text(out, "UID", entry->uid);
	put_stamp(out, "DTSTAMP", entry->stamp_ns);
	put_text(out, "SEQUENCE", sequence);
	put_when(out, entry);
	put_text(out, "SUMMARY", summary);
	if (entry->gate[0] != '\0')
		put_text(out, "LOCATION", entry->gate);
	put_line(out, entry->cancelled ? "STATUS:CANCELLED" : "STATUS:CONFIRMED");
	put_line(out, "CLASS:CONFIDENTIAL");
	put_line(out, "TRANSP:TRANSPARENT");
	put_line(out, "END:VEVENT");
}

void calendar_end(struct html *out)
{
	put_line(out, "END:VCALENDAR");
}
