/*
 * The invented men of the demonstration: numbers with valid check letters, made from a seed, so
 * that a run can be repeated. Nobody here exists. Pure.
 */
#ifndef DEMO_COHORT_H
#define DEMO_COHORT_H

#include <stdbool.h>
#include <stdint.h>

/* A small generator of repeatable numbers (not for keys). */
struct dice {
	uint64_t state;
};

void dice_init(struct dice *dice, uint64_t seed);
uint64_t dice_roll(struct dice *dice);
/* 0 <= result < below; below > 0. */
unsigned dice_below(struct dice *dice, unsigned below);

struct man {
	unsigned number; /* counts from 0 */
	char noms[8];    /* A1234BC */
	char pnc[14];    /* YYYY/NNNNNNNL */
	char crn[8];     /* X123456 */
	char area[24];   /* where he goes when released */
	unsigned sentence_days;
	unsigned age_years;
};

/* The man with this number: the same for the same seed, whoever was asked for before. */
void cohort_man(uint64_t seed, unsigned number, struct man *out);

/* "26/35PB/01/<serial>L": an arrest summons number with its check letter. */
void cohort_asn(unsigned year, unsigned serial, char out[32]);

/* A version 4 UUID as text out of the dice, for events whose publisher chooses the id. */
void cohort_uuid(struct dice *dice, char out[37]);

#endif
