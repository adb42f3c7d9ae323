/*
 * Random sets of agreements, as a person would write them down, and as the configuration files they
 * become: what a test may decide from by the plainest reading.
 */
#ifndef TTG_TEST_AGREED_H
#define TTG_TEST_AGREED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "support/folder.h"
#include "support/random_event.h"

#define AGREED_AGENCIES 5
#define AGREED_BOXES 2 /* of each agency */
#define AGREED_NUMBERS 8
#define AGREED_MAX 8
#define AGREED_GRANTS_MAX 4
#define AGREED_NAMES_MAX 12
#define AGREED_NAME 128
#define AGREED_TYPES 4
#define AGREED_SCHEMES 2
#define AGREED_AREAS 3

extern const char *const agreed_agencies[AGREED_AGENCIES];
extern const char *const agreed_boxes[AGREED_BOXES];
extern const char *const agreed_numbers[AGREED_NUMBERS]; /* kinds of identifiers */

extern const char *const agreed_schemes[AGREED_SCHEMES]; /* of whichever agency */
extern const char *const agreed_areas[AGREED_AREAS];

/* What has to be known of the person. */
struct agreed_when {
	bool asked, enrolled, referral;
	int agency, scheme;
	unsigned int window_days; /* 0: none */
	int risk_at_most;         /* 1 to 4: low to very high; 0: not asked */
	int custody;              /* 1: in, 2: out; 0: not asked */
	const char *areas[AGREED_AREAS];
	size_t n_areas;
};

struct agreed_grant {
	struct agreed_when when;
	int agency, box, type;
	bool from[AGREED_AGENCIES];
	bool whole;
	char fields[AGREED_NAMES_MAX][AGREED_NAME], envelope[AGREED_NAMES_MAX][AGREED_NAME];
	size_t n_fields, n_envelope;
	uint32_t kinds; /* bit i: agreed_numbers[i] */
	char addressed_by[AGREED_NAME];
};

struct agreed_agreement {
	bool in_force; /* on 18 November 2026 */
	bool official_only;
	const char *from, *to;
	struct agreed_grant grants[AGREED_GRANTS_MAX];
	size_t n_grants;
};

/* Everybody may publish each of the types, and those that tell of persons (told.h), under an agreement
   of its own. */
struct agreed {
	int types[AGREED_TYPES];
	struct agreed_agreement agreements[AGREED_MAX];
	size_t n;
};

void agreed_make(struct agreed *set, struct random *random);
/* ttgd.conf, agencies.d/all.conf, agreements.d/all.conf; the folders are there. */
void agreed_write(const struct agreed *set, const struct folder *folder);

#endif
