/*
 * Choosing the number a person is known by and hashing it; see person.h. That two numbers are one
 * man's is known to identity.h. Owner: the loop thread. A hash that fails is treated as no person: order
 * is then per event.
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

/* These are each service's own numbering; the others are one for the country. */
static struct span issuer_of(const struct person_identifier *it, struct span own)
{
	if (it->kind != IDENTIFIER_CASE_NUMBER && it->kind != IDENTIFIER_BOOKING)
		return (struct span){ NULL, 0 };
	return it->issuer.len > 0 && it->issuer.len <= EVENT_AGENCY_MAX ? it->issuer : own;
}

bool person_number(struct hmac *hmac, struct span identifier, const char *source, int year_now,
		   struct person_number *out)
{
	const struct span own = { (const uint8_t *)source, strlen(source) };
	char canonical[IDENTIFIER_CANONICAL];
	struct person_identifier it;

	person_read_identifier(identifier, &it);
	if (preference((enum identifier_kind)it.kind) == 0 ||
	    identifier_check((enum identifier_kind)it.kind, it.value, year_now, canonical) !=
		    IDENTIFIER_VALID)
		return false;
	out->kind = (uint8_t)it.kind;
	return hash(hmac, it.kind, issuer_of(&it, own), canonical, out->key);
}

bool person_number_of(struct hmac *hmac, enum identifier_kind kind, const char *value, const char *issuer,
		      int year_now, struct person_number *out)
{
	const struct span own = { (const uint8_t *)issuer, strlen(issuer) };
	const struct person_identifier it = { .kind = (int)kind };
	char canonical[IDENTIFIER_CANONICAL];

	if (preference(kind) == 0 || strlen(value) > EVENT_IDENTIFIER_MAX ||
	    identifier_check(kind, value, year_now, canonical) != IDENTIFIER_VALID)
		return false;
	out->kind = (uint8_t)kind;
	return hash(hmac, (int)kind, issuer_of(&it, own), canonical, out->key);
}

size_t person_numbers(struct hmac *hmac, struct span person, const char *source, int year_now,
		      struct person_number out[PERSON_NUMBERS_MAX])
{
	struct wire_field field;
	size_t n = 0;

	while (n < PERSON_NUMBERS_MAX && wire_next(&person, &field) == WIRE_TOOK) {
		size_t same = 0;

		if (field.id != PERSON_IDENTIFIERS || field.type != WIRE_SIZED ||
		    !person_number(hmac, field.span, source, year_now, &out[n]))
			continue;
		while (same < n && memcmp(out[same].key, out[n].key, PERSON_KEY_BYTES) != 0)
			same++;
		n += same == n ? 1 : 0;
	}
	/* The best to the front; of equals the first. */
	for (size_t i = 1; i < n; i++) {
		const struct person_number it = out[i];
		size_t at = i;

		for (; at > 0 && preference((enum identifier_kind)out[at - 1].kind) >
					 preference((enum identifier_kind)it.kind); at--)
			out[at] = out[at - 1];
		out[at] = it;
	}
	return n;
}

bool person_key(struct hmac *hmac, struct span person, const char *source, int year_now,
		uint8_t out[PERSON_KEY_BYTES])
{
	char canonical[IDENTIFIER_CANONICAL], best_number[IDENTIFIER_CANONICAL] = "";
	const struct span own = { (const uint8_t *)source, strlen(source) };
	struct person_identifier it, best = { 0 };
	int best_rank = 2 * INVALID_PENALTY;
	struct wire_field field;

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
	return hash(hmac, best.kind, issuer_of(&best, own), best_number, out);
}
