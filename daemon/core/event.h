/*
 * One encoded event: reading what the broker needs of it and judging its content by the catalogue's
 * descriptors, in one walk over its bytes; no message is made of it. Nothing here knows a payload by
 * name; the conventions at the top of proto/envelope.proto are the rules.
 *
 * Refusal texts name the path of the field, never what was in it.
 */
#ifndef TTGD_CORE_EVENT_H
#define TTGD_CORE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ttg/event.h>
#include "core/fields.h"
#include "core/rules.h"
#include "core/wire.h"

#define EVENT_TEXT_MAX 160        /* a refusal, its NUL included */
#define EVENT_AGENCY_MAX 32u
#define EVENT_IDENTIFIER_MAX 64u
#define EVENT_DEPTH_MAX 12        /* messages inside messages */
#define EVENT_FIRST_NS (-INT64_C(2208988800) * 1000000000) /* 1900-01-01T00:00:00Z */
#define EVENT_LAST_NS (INT64_C(7258118400) * 1000000000)   /* 2200-01-01T00:00:00Z */

/* Spans point into the encoded bytes. */
struct event {
	uint8_t id[TTG_UUID_BYTES];
	char source[EVENT_AGENCY_MAX + 1];
	char type[RULES_TYPE_MAX + 1];
	int type_index;       /* in the catalogue, -1: a type of the future */
	int32_t urgency;      /* Ttg__Urgency */
	int32_t marking;      /* Ttg__Marking */
	int32_t assertion;    /* Ttg__Assertion */
	int64_t expires_ns;   /* 0: never */
	struct span supersedes; /* UUID, or nothing */
	struct span nonce;    /* what hides a digest of the event, or nothing */
	struct span person;   /* at NULL: about nobody */
	struct span payload;  /* at NULL: a type of the future */
	enum ttg_error fault; /* TTG_OK, TTG_REFUSED_FIELD, _TIME, _IDENTIFIER, _EXPIRED */
	char fault_text[EVENT_TEXT_MAX];
};

struct event_clock {
	int64_t now_ns;
	uint32_t max_skew_s;
};

/*
 * Reads and judges. The answer is what keeps the broker from knowing which event it is: it is an
 * Event, its id is a UUID, its source and type are there, its payload is of its type. TTG_OK or
 * TTG_REFUSED_MALFORMED, TTG_REFUSED_FIELD with text.
 *
 * With TTG_OK out->fault is what is wrong with any field. Of several faults the one is kept that
 * stands first in: fields, times, identifiers, expiry.
 */
enum ttg_error event_read(const uint8_t *data, size_t len, const struct fields *fields,
			  const struct event_clock *clock, struct event *out,
			  char text[EVENT_TEXT_MAX]);

/* The payload's string of this name, empty when not set. False when it has no such string. */
bool event_payload_text(const struct event *event, const char *field, struct span *out);

/* The payload's field of this name, the last there is. False: there is no such field, or it is not set. */
bool event_payload_field(const struct event *event, const char *field, struct wire_field *out);

/* Ttg__Assertion and person (at NULL: nobody) of an encoded event that event_read() took. */
int32_t event_assertion(struct span event);
struct span event_person(struct span event);
/* What it supersedes: a UUID, or at NULL. */
struct span event_supersedes(struct span event);

/* They say the same: they differ in nothing but the nonce. Both were taken by event_read(). */
bool event_equals(struct span a, struct span b);

/* Marking of an encoded event that event_read() took. */
int32_t event_marking(struct span event);

/* Instant of an encoded Time; 0 when it has none. */
int64_t event_time(struct span time);

/* The same bytes as the text. */
bool span_is(struct span span, const char *text);

bool event_agency_is_valid(const char *text, size_t len);

/* Calendar year (UTC) of an instant between 1900 and 2200. */
int event_year(int64_t unix_ns);

#endif
