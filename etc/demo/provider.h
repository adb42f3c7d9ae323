/*
 * A provider's desk: reads what ttg-sub prints, answers each referral as CloudEvents lines for
 * ttg-pub. What a provider with no software of its own would do with the two tools.
 */
#ifndef DEMO_PROVIDER_H
#define DEMO_PROVIDER_H

#include <stdbool.h>
#include <stdio.h>
#include "drop.h"

/*
 * Until the input ends. Accepts two of three referrals, by their id. Everything answered is also
 * expected to reach the One Service and told to `drop`. False when a line is not JSON or the output
 * cannot be written.
 */
bool provider_answer(const char *agency, FILE *in, FILE *out, struct drop *drop);

#endif
