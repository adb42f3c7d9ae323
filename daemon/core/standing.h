/*
 * What the conditions of agreements ask of a person: in which schemes he is and was, since when and
 * until when; whether he is in prison; risk; area; referrals that are open. Kept with the number that
 * the event named; what is true of a person is what is true of any of his numbers.
 *
 * Pure data, owned by the loop thread. False: no memory.
 */
#ifndef TTGD_CORE_STANDING_H
#define TTGD_CORE_STANDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/cursor.h"
#include "core/condition.h"

#define STANDING_SCHEMES_MAX 64u  /* of one number; the oldest that is over makes room */
#define STANDING_REFERRALS_MAX 256u

/* `since` and `ended` are sequences of the records that said so: no clock can turn their order around. */
struct standing_scheme {
	char scheme[CONDITION_SCHEME_MAX + 1]; /* "agency/scheme" */
	uint64_t since;
	uint64_t ended;             /* exit; 0: he is in it */
	int64_t from_ns, until_ns;  /* first and behind the last day, as the service said; INT64_MAX */
	int64_t opened_ns;          /* released at liberty since: the window runs; 0: not yet */
	bool withdrawn;             /* nothing may flow any more, nor what was accepted before */
};

struct standing_referral {
	char provider[RULES_ID_MAX + 1];
	uint64_t id;                /* hash of referrer and referral id */
	uint64_t since;
};

struct standing {
	struct standing_scheme *schemes;
	struct standing_referral *referrals;
	uint32_t n_schemes, n_referrals;
	uint64_t custody_sequence, risk_sequence, area_sequence; /* of what said so; 0: nobody did */
	uint8_t custody;            /* CONDITION_CUSTODY_IN, _OUT */
	uint8_t risk;               /* Ttg__RiskLevel */
	char area[CONDITION_AREA_MAX + 1];
};

void standing_fini(struct standing *it);

/* Enrolled, or enrolled again; what was there of the scheme is over. */
bool standing_enrol(struct standing *it, const struct standing_scheme *scheme);
/* NULL: he never was in it. The newest entry. */
struct standing_scheme *standing_find(const struct standing *it, const char *scheme);
bool standing_refer(struct standing *it, const struct standing_referral *referral);
void standing_end_referral(struct standing *it, const char *provider, uint64_t id);

size_t standing_bound(const struct standing *it);
void standing_save(const struct standing *it, struct cursor *cursor);
/* False also when damaged. */
bool standing_load(struct standing *it, struct cursor *cursor);

#endif
