/*
 * Choosing the number a person is known by and hashing it; see person.h. Two events that name one
 * person by different numbers get different keys until links between numbers are kept.
 * Owner: the loop thread. A hash that fails is treated as no person: order is then per event.
 */
#include "core/person.h"

#include <string.h>

#include "base/cursor.h"
#include "base/identifier.h"
#include "core/event.h"

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
static bool hash(struct hmac *hmac, int kind, const char *issuer, const char *number,
		 uint8_t out[PERSON_KEY_BYTES])
{
	uint8_t text[EVENT_AGENCY_MAX + IDENTIFIER_CANONICAL + EVENT_IDENTIFIER_MAX + 8];
	uint8_t sum[DIGEST_BYTES];
	struct cursor cursor;

	cursor_init_write(&cursor, text, sizeof(text));
	cursor_put_u8(&cursor, (uint8_t)kind);
	cursor_put_sized(&cursor, issuer, strlen(issuer));
	cursor_put_sized(&cursor, number, strlen(number));
	if (!cursor_ok(&cursor) || !hmac_sum(hmac, text, cursor_offset(&cursor), sum))
		return false;
	memcpy(out, sum, PERSON_KEY_BYTES);
	return true;
}

bool person_key(struct hmac *hmac, const Ttg__Person *person, const char *source, int year_now,
		uint8_t out[PERSON_KEY_BYTES])
{
	char canonical[IDENTIFIER_CANONICAL], best_number[IDENTIFIER_CANONICAL] = "";
	const Ttg__Identifier *best = NULL;
	int best_rank = 2 * INVALID_PENALTY;
	const char *issuer = "";

	for (size_t i = 0; person && i < person->n_identifiers; i++) {
		const Ttg__Identifier *it = person->identifiers[i];
		int rank = preference((enum identifier_kind)it->kind);
		enum identifier_validity validity;

		if (rank == 0)
			continue;
		validity = identifier_check((enum identifier_kind)it->kind, it->value, year_now,
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
	if (!best)
		return false;
	if (best_rank > INVALID_PENALTY)
		return hash(hmac, (int)best->kind | 0x80, source, best->value, out);
	/* These are each service's own numbering; the others are one for the country. */
	if (best->kind == TTG__IDENTIFIER_KIND__CASE_NUMBER ||
	    best->kind == TTG__IDENTIFIER_KIND__BOOKING)
		issuer = best->issuer && best->issuer[0] ? best->issuer : source;
	return hash(hmac, (int)best->kind, issuer, best_number, out);
}
