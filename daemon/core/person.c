/*
 * Choosing the number a person is known by and hashing it; see person.h. Two events that name one
 * person by different numbers get different keys until links between numbers are kept.
 * Owner: the loop thread. A hash that fails is treated as no person: order is then per event.
 */
#include "core/person.h"

#include <string.h>

#include "base/cursor.h"
#include "base/identifier.h"

/* Numbers of fields, as in proto/common.proto. */
enum {
	PERSON_IDENTIFIERS = 1,
	IDENTIFIER_KIND = 1,
	IDENTIFIER_VALUE = 2,
	IDENTIFIER_CANONICAL_FORM = 3,
	IDENTIFIER_VALIDITY = 4,
	IDENTIFIER_ISSUER = 5,
};

void person_read_identifier(struct span identifier, struct person_identifier *out)
{
	struct span value = { NULL, 0 };
	struct wire_field it;

	*out = (struct person_identifier){ 0 };
	while (wire_next(&identifier, &it) == WIRE_TOOK) {
		if (it.type == WIRE_VARINT && it.id == IDENTIFIER_KIND)
			out->kind = (int32_t)(uint32_t)it.value;
		else if (it.type == WIRE_VARINT && it.id == IDENTIFIER_VALIDITY)
			out->validity = (int32_t)(uint32_t)it.value;
		else if (it.type == WIRE_SIZED && it.id == IDENTIFIER_VALUE)
			value = it.span;
		else if (it.type == WIRE_SIZED && it.id == IDENTIFIER_CANONICAL_FORM)
			out->canonical = it.span;
		else if (it.type == WIRE_SIZED && it.id == IDENTIFIER_ISSUER)
			out->issuer = it.span;
	}
	out->value_bytes = value.len;
	if (value.len > EVENT_IDENTIFIER_MAX)
		value.len = EVENT_IDENTIFIER_MAX;
	if (value.len > 0)
		memcpy(out->value, value.at, value.len);
}

/* Lower is better; 0: never a key. */
static int preference(enum identifier_kind kind)
{
	switch (kind) {
	case IDENTIFIER_NOMS:
		return 1;
	case IDENTIFIER_PNC:
		return 2;
	case IDENTIFIER_CRO:
		return 3;
	case IDENTIFIER_CRN:
		return 4;
	case IDENTIFIER_CASE_NUMBER:
		return 5;
	case IDENTIFIER_BOOKING:
		return 6;
	case IDENTIFIER_NONE:
	case IDENTIFIER_ASN:
	case IDENTIFIER_OTHER:
		break;
	}
	return 0;
}

#define INVALID_PENALTY 100 /* any valid number is better than any invalid one */

/* Kind, who numbers that way, and the number, each with its length. */
static bool hash(struct hmac *hmac, int kind, struct span issuer, const char *number,
		 uint8_t out[PERSON_KEY_BYTES])
{
	uint8_t text[EVENT_AGENCY_MAX + IDENTIFIER_CANONICAL + EVENT_IDENTIFIER_MAX + 8];
	uint8_t sum[DIGEST_BYTES];
	struct cursor cursor;

	cursor_init_write(&cursor, text, sizeof(text));
	cursor_put_u8(&cursor, (uint8_t)kind);
	cursor_put_sized(&cursor, issuer.at, issuer.len);
	cursor_put_sized(&cursor, number, strlen(number));
	if (!cursor_ok(&cursor) || !hmac_sum(hmac, text, cursor_offset(&cursor), sum))
		return false;
	memcpy(out, sum, PERSON_KEY_BYTES);
	return true;
}

bool person_key(struct hmac *hmac, struct span person, const char *source, int year_now,
		uint8_t out[PERSON_KEY_BYTES])
{
	char canonical[IDENTIFIER_CANONICAL], best_number[IDENTIFIER_CANONICAL] = "";
	const struct span own = { (const uint8_t *)source, strlen(source) };
	struct person_identifier it, best = { 0 };
	int best_rank = 2 * INVALID_PENALTY;
	struct wire_field field;
	struct span issuer = { NULL, 0 };

	while (wire_next(&person, &field) == WIRE_TOOK) {
		enum identifier_validity validity;
		int rank;

		if (field.id != PERSON_IDENTIFIERS || field.type != WIRE_SIZED)
			continue;
		person_read_identifier(field.span, &it);
		rank = preference((enum identifier_kind)it.kind);
		if (rank == 0)
			continue;
		validity = identifier_check((enum identifier_kind)it.kind, it.value, year_now,
					    canonical);
		if (validity == IDENTIFIER_DUMMY || validity == IDENTIFIER_UNCHECKED)
			continue;
		if (validity != IDENTIFIER_VALID)
			rank += INVALID_PENALTY;
		if (rank >= best_rank)
			continue;
		best = it;
		best_rank = rank;
		memcpy(best_number, canonical, sizeof(best_number));
	}
	if (best_rank == 2 * INVALID_PENALTY)
		return false;
	if (best_rank > INVALID_PENALTY)
		return hash(hmac, best.kind | 0x80, own, best.value, out);
	/* These are each service's own numbering; the others are one for the country. */
	if (best.kind == IDENTIFIER_CASE_NUMBER || best.kind == IDENTIFIER_BOOKING)
		issuer = best.issuer.len > 0 ? best.issuer : own;
	return hash(hmac, best.kind, issuer, best_number, out);
}
