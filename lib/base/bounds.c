/*
 * The table of bounds and the conventions of names; see bounds.h. Constant data and pure functions.
 * A bound that changes here changes in the comment of its field in proto/, and the other way round.
 */
#include "base/bounds.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* MESSAGE is the name as protobuf-c writes it. */
#define BYTES(message, field, bytes)                                                               \
	{ &ttg__##message##__descriptor, field, { .most = (bytes) } }
#define CHARACTERS(message, field, from, to)                                                       \
	{ &ttg__##message##__descriptor, field,                                                    \
	  { .characters = true, .least = (from), .most = (to) } }
#define ENTRIES(message, field, n)                                                                 \
	{ &ttg__##message##__descriptor, field, { .entries = (n) } }
#define AT_LEAST(message, field, from)                                                             \
	{ &ttg__##message##__descriptor, field, { .least = (from) } }

static const struct bounds_line lines[] = {
	BYTES(event, "traceparent", 128),

	BYTES(time, "original", 64),
	BYTES(identifier, "value", 64),
	ENTRIES(person, "identifiers", 16),
	BYTES(need, "note", 256),
	ENTRIES(address, "lines", 4),
	BYTES(contact_details, "best_time", 128),

	BYTES(board_need, "note", 256),
	BYTES(prison_risk_information, "convictions_summary", 2048),
	BYTES(prison_access_decision, "conditions", 512),
	BYTES(prison_activity, "title", 128),

	CHARACTERS(police_arrest, "justification", 3, 250),
	BYTES(police_encounter, "place", 256),
	CHARACTERS(police_encounter, "justification", 3, 250),

	BYTES(service_exited, "note", 256),
	BYTES(service_access_requested, "note", 512),

	BYTES(referral_sent, "ask", 512),
	BYTES(referral_sent, "access_needs", 256),
	BYTES(referral_accepted, "text", 256),
	BYTES(referral_declined, "text", 256),
	BYTES(referral_assigned, "text", 256),
	BYTES(referral_started, "text", 256),
	BYTES(referral_ended, "text", 256),
	BYTES(referral_withdrawn, "text", 256),

	BYTES(partner_appointment, "bring", 256),
	BYTES(partner_outcome, "title", 128),

	AT_LEAST(court_reconviction, "offence_count", 1),

	ENTRIES(broker_identity_conflict, "claims", 32),
	AT_LEAST(conflicting_claim, "side", 1),
	BYTES(broker_alert_unacknowledged, "next_step", 256),
	BYTES(broker_lane_parked, "last_text", 256),
};

/* The first that matches holds; an ending begins with "_". */
static const struct {
	const char *name;
	enum bound_form form;
	int64_t most;
} texts[] = {
	{ "_code", BOUND_CODE, BOUNDS_CODE_MAX },    { "_date", BOUND_DATE, BOUNDS_TEXT_MAX },
	{ "_clock", BOUND_CLOCK, BOUNDS_TEXT_MAX },  { "_agency", BOUND_AGENCY, BOUNDS_ID_MAX },
	{ "scheme", BOUND_ID, BOUNDS_ID_MAX },       { "cohort", BOUND_ID, BOUNDS_ID_MAX },
	{ "referral_id", BOUND_TEXT, BOUNDS_REFERRAL_ID_MAX },
};
static const char *const uuids[] = { "_id", "id", "supersedes", "nonce" };
static const char *const counts[] = { "_days", "_minutes", "_count" };

const struct bounds_line *bounds_lines(size_t *n)
{
	*n = sizeof(lines) / sizeof(lines[0]);
	return lines;
}

static bool is_named(const char *name, const char *wanted)
{
	size_t len = strlen(name), n = strlen(wanted);

	if (wanted[0] != '_')
		return strcmp(name, wanted) == 0;
	return len >= n && memcmp(name + len - n, wanted, n) == 0;
}

static bool is_among(const char *name, const char *const *wanted, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (is_named(name, wanted[i]))
			return true;
	}
	return false;
}

static struct bound of_string(const char *name)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (is_named(name, texts[i].name))
			return (struct bound){ .form = (uint8_t)texts[i].form,
					       .most = texts[i].most };
	}
	return (struct bound){ .form = BOUND_TEXT, .most = BOUNDS_TEXT_MAX };
}

static struct bound of_bytes(const char *name)
{
	bool is_uuid = is_among(name, uuids, sizeof(uuids) / sizeof(uuids[0]));

	return (struct bound){ .form = is_uuid ? BOUND_UUID : BOUND_TEXT,
			       .most = is_uuid ? TTG_UUID_BYTES : BOUNDS_TEXT_MAX };
}

/* What every field of this kind and name is held to. */
static struct bound of_kind(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return of_string(field->name);
	case PROTOBUF_C_TYPE_BYTES:
		return of_bytes(field->name);
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		if (is_among(field->name, counts, sizeof(counts) / sizeof(counts[0])))
			return (struct bound){ .form = BOUND_NUMBER, .most = INT64_MAX };
		break;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
	case PROTOBUF_C_TYPE_BOOL:
	case PROTOBUF_C_TYPE_ENUM:
	case PROTOBUF_C_TYPE_MESSAGE:
		break;
	}
	return (struct bound){ .form = BOUND_OTHER, .most = INT64_MAX };
}

struct bound bounds_of(const ProtobufCMessageDescriptor *message,
		       const ProtobufCFieldDescriptor *field)
{
	struct bound bound = of_kind(field);

	bound.entries = BOUNDS_ENTRIES_MAX;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const struct bound *own = &lines[i].bound;

		if (lines[i].message != message || strcmp(lines[i].field, field->name) != 0)
			continue;
		if (own->entries != 0)
			bound.entries = own->entries;
		if (own->least != 0 || own->most != 0) {
			bound.characters = own->characters;
			bound.least = own->least;
			bound.most = own->most != 0 ? own->most : INT64_MAX;
		}
		if (bound.form == BOUND_OTHER && bound.least != 0)
			bound.form = BOUND_NUMBER;
	}
	return bound;
}

bool bounds_text_fits(const struct bound *bound, const char *text, size_t len)
{
	size_t n = len;

	if (len == 0)
		return true;
	if (bound->characters) {
		n = 0;
		for (size_t i = 0; i < len; i++)
			n += ((unsigned char)text[i] & 0xc0) != 0x80;
	}
	return (int64_t)n >= bound->least && (int64_t)n <= bound->most;
}

bool bounds_number_fits(const struct bound *bound, int64_t value)
{
	return value >= bound->least && value <= bound->most;
}

void bounds_tell_text(const struct bound *bound, char out[BOUNDS_TELL_MAX])
{
	const char *unit = bound->characters ? "characters" : "bytes";

	if (bound->least > 1)
		snprintf(out, BOUNDS_TELL_MAX, "is not %" PRId64 " to %" PRId64 " %s",
			 bound->least, bound->most, unit);
	else
		snprintf(out, BOUNDS_TELL_MAX, "is longer than %" PRId64 " %s", bound->most, unit);
}

void bounds_tell_number(const struct bound *bound, char out[BOUNDS_TELL_MAX])
{
	if (bound->most != INT64_MAX)
		snprintf(out, BOUNDS_TELL_MAX, "is not %" PRId64 " to %" PRId64, bound->least,
			 bound->most);
	else if (bound->least == 0)
		snprintf(out, BOUNDS_TELL_MAX, "is negative");
	else
		snprintf(out, BOUNDS_TELL_MAX, "is less than %" PRId64, bound->least);
}

void bounds_tell_entries(const struct bound *bound, char out[BOUNDS_TELL_MAX])
{
	snprintf(out, BOUNDS_TELL_MAX, "has more than %u entries", bound->entries);
}
