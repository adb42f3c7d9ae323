/*
 * Baselines of the outcome as people write them, on a command line and in configuration:
 * "[[SCHEME/]COHORT=]FREQUENCY". Pure.
 */
#ifndef ONESERVICE_BASELINES_H
#define ONESERVICE_BASELINES_H

#include <stdbool.h>
#include "oneservice/figures.h"

#define BASELINES_MAX 64

/* Zeros: none. */
struct baselines {
	struct figures_baseline list[BASELINES_MAX];
	size_t n;
};

/* False, and nothing is added, for what is no baseline and for one too many. */
bool baselines_add(struct baselines *baselines, const char *text);

#endif
