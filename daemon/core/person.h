/*
 * The key of a person: opaque, the same for the same number, different for every broker. It orders
 * events and is shown to recipients in place of numbers.
 */
#ifndef TTGD_CORE_PERSON_H
#define TTGD_CORE_PERSON_H

#include <stdbool.h>
#include <stdint.h>
#include "base/identifier.h"
#include "core/digest.h"
#include "core/event.h"

#define PERSON_KEY_BYTES 16

/* An encoded Identifier. Spans point into it. */
struct person_identifier {
	int kind;                             /* enum identifier_kind, or one of the future */
	int validity;                         /* enum identifier_validity, likewise */
	size_t value_bytes;                   /* as given */
	char value[EVENT_IDENTIFIER_MAX + 1]; /* cut where it is longer */
	struct span canonical, issuer;
};

void person_read_identifier(struct span identifier, struct person_identifier *out);

#define PERSON_NUMBERS_MAX 16u /* identifiers of one event */

/* A number that can stand for somebody, as a key: the same whoever wrote it, and however. */
struct person_number {
	uint8_t key[PERSON_KEY_BYTES];
	uint8_t kind; /* enum identifier_kind */
};

/* The number in an encoded Identifier. False: not valid, or of a kind that never stands for a person. */
bool person_number(struct hmac *hmac, struct span identifier, const char *source, int year_now,
		   struct person_number *out);

/* A number that is not in an event; issuer: agency whose numbering it is, where that counts. */
bool person_number_of(struct hmac *hmac, enum identifier_kind kind, const char *value, const char *issuer,
		      int year_now, struct person_number *out);

/* All of the encoded `person`, each once, the best first (that is what person_key() takes); how many. */
size_t person_numbers(struct hmac *hmac, struct span person, const char *source, int year_now,
		      struct person_number out[PERSON_NUMBERS_MAX]);

/*
 * Key of the best number of the encoded `person`: a valid NOMS number before PNC, CRO, CRN, case number and
 * booking; failing those the first number that is not valid, as this source wrote it, so that at
 * least its own events about one person stay in order. False: nobody, or only numbers that do not
 * stand for a person (ASN, other, dummies).
 */
bool person_key(struct hmac *hmac, struct span person, const char *source, int year_now,
		uint8_t out[PERSON_KEY_BYTES]);

#endif
