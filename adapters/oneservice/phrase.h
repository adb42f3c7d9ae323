/*
 * One sentence for each type of event, for the people at the duty desk: what happened, and what
 * there is to do. Pure. Who it is about is not in the sentence; line.c puts it before.
 */
#ifndef ONESERVICE_PHRASE_H
#define ONESERVICE_PHRASE_H

#include "oneservice/words.h"

typedef void (*phrase_add)(struct sentence *out, const Ttg__Event *event);

struct phrase {
	int payload; /* Ttg__Event__PayloadCase */
	phrase_add add;
};

/* Tables of the families, each ended by an entry without a function. */
extern const struct phrase phrases_prison[];
extern const struct phrase phrases_police[];
extern const struct phrase phrases_probation[];
extern const struct phrase phrases_service[];
extern const struct phrase phrases_partner[]; /* service, referral, partner, court, broker */

/* Adds the sentence; for a type without one, that it came. */
void phrase_of(struct sentence *out, const Ttg__Event *event);

#endif
