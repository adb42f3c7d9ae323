/*
 * What has to be known of an event's person for a grant to count. What is not asked is 0 or empty; all
 * that is asked must hold, and what is not known does not hold.
 */
#ifndef TTGD_CORE_CONDITION_H
#define TTGD_CORE_CONDITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RULES_ID_MAX 32 /* agency, box, scheme and agreement ids: [a-z0-9-], 1 to 32 bytes */
#define CONDITION_SCHEME_MAX (2 * RULES_ID_MAX + 1) /* "agency/scheme" */
#define CONDITION_AREA_MAX 9                        /* code of a local authority, of the ONS */
#define CONDITION_AREAS_MAX 32u
#define CONDITION_TEXT_MAX 640

enum condition_custody {
	CONDITION_CUSTODY_ANY = 0,
	CONDITION_CUSTODY_IN = 1,
	CONDITION_CUSTODY_OUT = 2,
};

struct condition {
	char scheme[CONDITION_SCHEME_MAX + 1]; /* he is in it; the agency is the one that enrolled him */
	uint32_t window_days;  /* and at most so long after the release that began it; 0: not asked */
	bool referral;         /* a referral to the mailbox's agency is open */
	uint8_t risk_at_most;  /* Ttg__RiskLevel of what is known last */
	uint8_t custody;       /* enum condition_custody */
	char areas[CONDITION_AREAS_MAX][CONDITION_AREA_MAX + 1]; /* he lives in one of them; sorted */
	uint32_t n_areas;
};

/* "enrolled=one-service/pilot window_days=365"; "" for none (NULL). */
void condition_text(const struct condition *condition, char out[CONDITION_TEXT_MAX]);

#endif
