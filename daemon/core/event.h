/*
 * One encoded event: decoding it and judging its content by the catalogue's descriptors. Nothing
 * here knows a payload by name; the conventions at the top of proto/envelope.proto are the rules.
 *
 * Refusal texts name the path of the field, never what was in it.
 */
#ifndef TTGD_CORE_EVENT_H
#define TTGD_CORE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ttg/event.h>
#include "base/arena.h"
#include "core/fields.h"
#include "core/rules.h"

#define EVENT_TEXT_MAX 160        /* a refusal, its NUL included */
#define EVENT_AGENCY_MAX 32u
#define EVENT_IDENTIFIER_MAX 64u
#define EVENT_DEPTH_MAX 12        /* messages inside messages */
#define EVENT_FIRST_NS (-INT64_C(2208988800) * 1000000000) /* 1900-01-01T00:00:00Z */
#define EVENT_LAST_NS (INT64_C(7258118400) * 1000000000)   /* 2200-01-01T00:00:00Z */

struct event {
	Ttg__Event *message;             /* in the arena */
	int type_index;                  /* in the catalogue, -1: a type of the future */
	const ProtobufCMessage *payload; /* NULL with a type of the future */
};

struct event_clock {
	int64_t now_ns;
	uint32_t max_skew_s;
};

/*
 * Decodes into the arena, which is reset first. What can be told without looking at fields: it is
 * an Event, its id is a UUID, its source and type are there, its payload is of its type. TTG_OK or
 * TTG_REFUSED_MALFORMED, TTG_REFUSED_FIELD with text.
 */
enum ttg_error event_decode(struct arena *arena, const uint8_t *data, size_t len, struct event *out,
			    char text[EVENT_TEXT_MAX]);

/*
 * Judges every field. Of several faults the one is told that stands first in: fields, times,
 * identifiers, expiry. TTG_OK, TTG_REFUSED_FIELD, _TIME, _IDENTIFIER, _EXPIRED with text.
 */
enum ttg_error event_check(const struct event *event, const struct fields *fields,
			   const struct event_clock *clock, char text[EVENT_TEXT_MAX]);

/* String of the payload's field of this name, "" when empty; NULL when it has no such string. */
const char *event_payload_string(const struct event *event, const char *field);

/* UTF-8 without control characters but newline and tab. */
bool event_text_is_clean(const char *text, size_t len);
bool event_agency_is_valid(const char *text, size_t len);

/* Calendar year (UTC) of an instant between 1900 and 2200. */
int event_year(int64_t unix_ns);

#endif
