/*
 * What a value may be; see judge.h. Pure functions over hostile bytes; only the fault with the lowest
 * rank is kept. Owner: the loop thread.
 */
#include "core/judge.h"

#include <stdio.h>
#include <string.h>

#include "base/identifier.h"
#include "base/instant.h"
#include "base/utf8.h"
#include "core/person.h"

#define NO_FAULT 9 /* a rank behind all others */
#define DATE_BYTES 10
#define CLOCK_BYTES 5

static int rank_of(enum ttg_error code)
{
	if (code == TTG_REFUSED_FIELD)
		return 1;
	if (code == TTG_REFUSED_TIME)
		return 2;
	return code == TTG_REFUSED_IDENTIFIER ? 3 : 4;
}

void judge_init(struct judge *judge, const struct event_clock *clock, char text[EVENT_TEXT_MAX])
{
	*judge = (struct judge){ .clock = clock, .rank = NO_FAULT, .text = text };
	judge->year_now = event_year(clock->now_ns);
	text[0] = '\0';
}

static void write_path(const struct path *path, char *out, size_t size)
{
	size_t used;

	if (path->up) {
		write_path(path->up, out, size);
		used = strlen(out);
		snprintf(out + used, size - used, ".");
	} else {
		out[0] = 0;
	}
	used = strlen(out);
	if (path->repeated)
		snprintf(out + used, size - used, "%s[%zu]", path->name, path->index);
	else
		snprintf(out + used, size - used, "%s", path->name);
}

void judge_fault(struct judge *judge, enum ttg_error code, const struct path *path,
		 const char *what)
{
	char where[96];

	if (rank_of(code) >= judge->rank)
		return;
	judge->rank = rank_of(code);
	judge->code = code;
	write_path(path, where, sizeof(where));
	snprintf(judge->text, EVENT_TEXT_MAX, "%s %s", where, what);
}

static void fault_field(struct judge *judge, const struct path *path, const char *what)
{
	judge_fault(judge, TTG_REFUSED_FIELD, path, what);
}

static bool is_code(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] <= ' ')
			return false;
	}
	return true;
}

/* A short text of this length that a function for whole strings finds valid. */
static bool is_valid(bool (*valid)(const char *text), size_t wanted, const char *text, size_t len)
{
	char copy[DATE_BYTES + 1];

	if (len != wanted || wanted >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return valid(copy);
}

static void judge_form(struct judge *judge, const struct path *path, const struct bound *bound,
		       const char *text, size_t len)
{
	bool fits = bounds_text_fits(bound, text, len);
	char what[BOUNDS_TELL_MAX];

	switch ((enum bound_form)bound->form) {
	case BOUND_CODE:
		if (!fits || !is_code(text, len))
			fault_field(judge, path,
				    "is not a code of at most 32 bytes without spaces");
		break;
	case BOUND_DATE:
		if (!is_valid(date_is_valid, DATE_BYTES, text, len))
			fault_field(judge, path, "is not a date YYYY-MM-DD");
		break;
	case BOUND_CLOCK:
		if (!is_valid(clock_is_valid, CLOCK_BYTES, text, len))
			fault_field(judge, path, "is not a time of day HH:MM");
		break;
	case BOUND_AGENCY:
		if (!event_agency_is_valid(text, len))
			fault_field(judge, path, "is not an agency id");
		break;
	case BOUND_ID:
		if (!event_agency_is_valid(text, len))
			fault_field(judge, path, "is not an id [a-z0-9-], 32 at most");
		break;
	case BOUND_OTHER:
	case BOUND_TEXT:
	case BOUND_UUID:
	case BOUND_NUMBER:
		if (fits)
			break;
		bounds_tell_text(bound, what);
		fault_field(judge, path, what);
		break;
	}
}

void judge_text(struct judge *judge, const struct path *path, const struct bound *bound,
		struct span text)
{
	const char *at = (const char *)text.at;

	if (text.len == 0)
		return;
	if (!utf8_is_clean(at, text.len))
		fault_field(judge, path, "is not UTF-8 text without control characters");
	else
		judge_form(judge, path, bound, at, text.len);
}

void judge_bytes(struct judge *judge, const struct path *path, const struct bound *bound,
		 struct span bytes)
{
	char what[BOUNDS_TELL_MAX];

	if (bound->form == BOUND_UUID) {
		if (bytes.len != 0 && bytes.len != TTG_UUID_BYTES)
			fault_field(judge, path, "is not 16 bytes");
	} else if (!bounds_text_fits(bound, (const char *)bytes.at, bytes.len)) {
		bounds_tell_text(bound, what);
		fault_field(judge, path, what);
	}
}

void judge_number(struct judge *judge, const struct path *path, const struct bound *bound,
		  int64_t value)
{
	char what[BOUNDS_TELL_MAX];

	if (bound->form != BOUND_NUMBER || bounds_number_fits(bound, value))
		return;
	bounds_tell_number(bound, what);
	fault_field(judge, path, what);
}

void judge_entries(struct judge *judge, const struct path *path, const struct bound *bound)
{
	char what[BOUNDS_TELL_MAX];

	bounds_tell_entries(bound, what);
	fault_field(judge, path, what);
}

void judge_time(struct judge *judge, const struct path *path, struct span time)
{
	int64_t unix_ns = event_time(time);

	if (unix_ns < EVENT_FIRST_NS || unix_ns >= EVENT_LAST_NS)
		judge_fault(judge, TTG_REFUSED_TIME, path, "is not between 1900 and 2200");
}

/* What is claimed about the value, against what it gives. */
static void judge_claims(struct judge *judge, const struct path *path,
			 const struct person_identifier *it)
{
	const struct path canonical = { path, "canonical", 0, false };
	const struct path validity = { path, "validity", 0, false };
	char expected[IDENTIFIER_CANONICAL];
	enum identifier_validity found;

	if (it->kind == IDENTIFIER_NONE ||
	    (it->validity == IDENTIFIER_UNCHECKED && it->canonical.len == 0))
		return; /* nothing is claimed about it */
	found = identifier_check((enum identifier_kind)it->kind, it->value, judge->year_now,
				 expected);
	if (found == IDENTIFIER_UNCHECKED)
		return; /* a kind of the future */
	if (it->canonical.len != 0 && !span_is(it->canonical, expected))
		judge_fault(judge, TTG_REFUSED_IDENTIFIER, &canonical,
			    "is not what the value gives");
	if (it->validity != IDENTIFIER_UNCHECKED && it->validity != (int)found)
		judge_fault(judge, TTG_REFUSED_IDENTIFIER, &validity,
			    "is not what the value gives");
}

void judge_identifier(struct judge *judge, const struct path *path, struct span identifier)
{
	const struct path value = { path, "value", 0, false };
	const struct path issuer = { path, "issuer", 0, false };
	struct person_identifier it;

	person_read_identifier(identifier, &it);
	if (it.value_bytes == 0)
		fault_field(judge, &value, "is missing");
	if (it.value_bytes == 0 || it.value_bytes > EVENT_IDENTIFIER_MAX)
		return; /* too long: the walk tells it */
	if (it.issuer.len != 0 &&
	    !event_agency_is_valid((const char *)it.issuer.at, it.issuer.len))
		fault_field(judge, &issuer, "is not an agency id");
	judge_claims(judge, path, &it);
}
