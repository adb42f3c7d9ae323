/*
 * Two generated cohorts whose events come to the published figures of the One Service exactly, with
 * everything in between that must not count.
 *
 * Shares: first assessment 74 and 87 per cent, full assessment 50 and 70, met at the gate 64 and
 * 86, engaged one month after release 37 and 55, three 10 and 20, six 5 and 13; needs over both
 * cohorts 40, 39, 36, 25, 19, 15, 12, 10, 8, 3 and 1 per cent in the order of NeedCategory.
 * Reconviction events per 100 men: 137.4 in the first cohort, 8.4 per cent under
 * COHORTS_BASELINE, and 134.0 in the second, 10.7 under it; 60 per cent of the men in both.
 *
 * For each 1,000 men of a cohort 100 referrals to "mind": all acknowledged, 70 accepted after 24
 * hours, 20 declined after 72, 50 started, 30 ended, 10 withdrawn.
 */
#ifndef TTG_TEST_COHORTS_H
#define TTG_TEST_COHORTS_H

#include "support/casefile.h"

#define COHORTS_SCHEME   "gateway"
#define COHORTS_BASELINE "150"

/* men: of each cohort, a multiple of 1,000. extra: further contacts of each, that change nothing.
 */
void cohorts_play(struct casefile *file, unsigned men, unsigned extra);

#endif
