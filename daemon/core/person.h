/*
 * The key of a person: opaque, the same for the same number, different for every broker. It orders
 * events and is shown to recipients in place of numbers.
 */
#ifndef TTGD_CORE_PERSON_H
#define TTGD_CORE_PERSON_H

#include <stdbool.h>
#include <stdint.h>
#include <ttg/event.h>
#include "core/digest.h"

#define PERSON_KEY_BYTES 16

/*
 * Key of the best number of `person`: a valid NOMS number before PNC, CRO, CRN, case number and
 * booking; failing those the first number that is not valid, as this source wrote it, so that at
 * least its own events about one person stay in order. False: nobody, or only numbers that do not
 * stand for a person (ASN, other, dummies). person may be NULL.
 */
bool person_key(struct hmac *hmac, const Ttg__Person *person, const char *source, int year_now,
		uint8_t out[PERSON_KEY_BYTES]);

#endif
