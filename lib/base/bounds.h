/*
 * How long, how many, how much: the bounds of every field of the catalogue, as data. The comments of
 * proto/ say the same to people; tests/unit/test_bounds.c proves that neither says more.
 *
 * A bound comes from a line of a table for this field; else from the field's name or its ending
 * (conventions at the top of proto/envelope.proto); else from what holds for every field of its kind.
 *
 * Pure functions. bounds_of() compares names: whoever asks for every event keeps the answers
 * (daemon/core/fields.h).
 */
#ifndef BASE_BOUNDS_H
#define BASE_BOUNDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ttg/event.h>

#define BOUNDS_TEXT_MAX 4096     /* bytes of any other string or bytes field */
#define BOUNDS_ENTRIES_MAX 256   /* of any other repeated field */
#define BOUNDS_CODE_MAX 32       /* *_code */
#define BOUNDS_ID_MAX 32         /* *_agency, scheme, cohort: [a-z0-9-] */
#define BOUNDS_REFERRAL_ID_MAX 64
#define BOUNDS_TELL_MAX 64       /* what bounds_tell_*() write, the NUL included */

enum bound_form {
	BOUND_OTHER,  /* messages, enums, bools, numbers without a bound */
	BOUND_TEXT,   /* any text or bytes, of a length */
	BOUND_CODE,   /* text without spaces, of a length */
	BOUND_DATE,   /* YYYY-MM-DD */
	BOUND_CLOCK,  /* HH:MM */
	BOUND_AGENCY, /* [a-z0-9-] */
	BOUND_ID,     /* [a-z0-9-], of a scheme or cohort */
	BOUND_UUID,   /* bytes: 16 or none */
	BOUND_NUMBER, /* an integer of a range */
};

struct bound {
	uint8_t form;        /* enum bound_form */
	bool characters;     /* least and most count UTF-8 characters, not bytes */
	uint16_t entries;    /* a repeated field has no more */
	int64_t least, most; /* of a text that is not empty; or the value of a number */
};

struct bound bounds_of(const ProtobufCMessageDescriptor *message,
		       const ProtobufCFieldDescriptor *field);

/* Length of a text of form BOUND_TEXT or BOUND_CODE; the text is UTF-8. Empty: not set, so fine. */
bool bounds_text_fits(const struct bound *bound, const char *text, size_t len);
bool bounds_number_fits(const struct bound *bound, int64_t value);

/* What is wrong, as it follows a field's name: "is longer than 256 bytes". */
void bounds_tell_text(const struct bound *bound, char out[BOUNDS_TELL_MAX]);
void bounds_tell_number(const struct bound *bound, char out[BOUNDS_TELL_MAX]);
void bounds_tell_entries(const struct bound *bound, char out[BOUNDS_TELL_MAX]);

/*
 * The first length, count or range of a message that the broker would refuse: "needs[3].note is
 * longer than 256 bytes". False when there is none. Form (dates, codes, UTF-8) is not looked at.
 */
bool bounds_find_breach(const ProtobufCMessage *message, char *out, size_t size);

/* The table's lines, for those who prove things about it. */
struct bounds_line {
	const ProtobufCMessageDescriptor *message;
	const char *field;
	struct bound bound; /* entries, or least and most; what is 0 is as for every field */
};
const struct bounds_line *bounds_lines(size_t *n);

#endif
