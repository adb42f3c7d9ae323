/*
 * What published events told of a few persons, and whether the `when` of an agreement holds by it: read as a
 * person reads ttg-agreements(5) and the comments of the catalogue, with nothing kept but what was said last.
 */
#ifndef TTG_TEST_TOLD_H
#define TTG_TEST_TOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "support/agreed.h"

#define TOLD_PERSONS 3
#define TOLD_REFERRALS_MAX 64

extern const char *const told_numbers[TOLD_PERSONS]; /* NOMS */

/* Times are days of London, which in winter are those of the world. */
struct told_scheme {
	bool in, withdrawn, ever;
	int64_t first_day, last_day;
	int64_t released_ns; /* at liberty since he was enrolled; 0: not yet */
};

struct told_referral {
	char provider[40], referrer[40], id[80];
	bool open;
};

struct told_person {
	struct told_scheme schemes[AGREED_AGENCIES][AGREED_SCHEMES];
	struct told_referral referrals[TOLD_REFERRALS_MAX];
	size_t n_referrals;
	int custody, risk; /* 0: nobody said */
	char area[16];
};

struct told {
	struct told_person persons[TOLD_PERSONS];
};

/* The event was accepted. */
void told_hear(struct told *told, const Ttg__Event *event, int64_t now_ns);
/* All that is asked is so for the event's person. */
bool told_holds(const struct told *told, const struct agreed_grant *grant, const Ttg__Event *event,
		int64_t now_ns);

/* An event that tells something of one of the persons: enrolled, released, referred. */
struct random_event *told_event(struct random *random, const char *source, int64_t now_ns);
#define TOLD_TYPES 10
extern const char *const told_types[TOLD_TYPES];

#endif
