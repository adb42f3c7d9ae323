/* Invented men. Pure functions of a seed; see cohort.h. */
#include "cohort.h"

#include <stdio.h>
#include <string.h>

static const char check_letters[] = "ZABCDEFGHJKLMNPQRTUVWXY"; /* value mod 23 */

void dice_init(struct dice *dice, uint64_t seed)
{
	dice->state = seed;
}

/* SplitMix64: an addition and two multiplications, good enough for a story. */
uint64_t dice_roll(struct dice *dice)
{
	uint64_t value = dice->state += UINT64_C(0x9e3779b97f4a7c15);

	value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
	return value ^ (value >> 31);
}

unsigned dice_below(struct dice *dice, unsigned below)
{
	return (unsigned)(dice_roll(dice) % below);
}

static char letter(struct dice *dice)
{
	return (char)('A' + dice_below(dice, 26));
}

void cohort_man(uint64_t seed, unsigned number, struct man *out)
{
	static const char *const areas[] = { "Peterborough",    "Cambridge", "Luton",
		                             "Huntingdonshire", "Fenland",   "Northampton" };
	struct dice dice;
	unsigned year;
	unsigned serial;

	dice_init(&dice, seed ^ (number * UINT64_C(0xd1342543de82ef95) + 1));
	memset(out, 0, sizeof(*out));
	out->number = number;
	/* The number itself is part of each, so that no two men share one. */
	snprintf(out->noms, sizeof(out->noms), "%c%04u%c%c", letter(&dice), number % 10000,
	         letter(&dice), letter(&dice));
	year = 1995 + dice_below(&dice, 20);
	serial = 10000 + number % 100000 * 89 + dice_below(&dice, 89);
	snprintf(out->pnc, sizeof(out->pnc), "%04u/%07u%c", year, serial % 10000000,
	         check_letters[(year % 100 * UINT64_C(10000000) + serial) % 23]);
	snprintf(out->crn, sizeof(out->crn), "X%06u",
	         (number * 37 + dice_below(&dice, 37)) % 1000000);
	snprintf(out->area, sizeof(out->area), "%s",
	         areas[dice_below(&dice, sizeof(areas) / sizeof(areas[0]))]);
	out->sentence_days = 28 + dice_below(&dice, 330);
	out->age_years = 18 + dice_below(&dice, 40);
}

void cohort_asn(unsigned year, unsigned serial, char out[32])
{
	const unsigned force = 35;
	const unsigned system = 1;
	uint64_t value = force;

	value = (value * 100 + system) % 23;
	value = (value * 100 + year % 100) % 23;
	for (int i = 0; i < 11; i++)
		value = value * 10 % 23;
	value = (value + serial) % 23;
	snprintf(out, 32, "%02u/%02uPB/%02u/%u%c", year % 100, force, system, serial,
	         check_letters[value]);
}

void cohort_uuid(struct dice *dice, char out[37])
{
	uint64_t high = (dice_roll(dice) & ~UINT64_C(0xf000)) | UINT64_C(0x4000);
	uint64_t low = (dice_roll(dice) & ~(UINT64_C(3) << 62)) | UINT64_C(1) << 63;

	snprintf(out, 37, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(high >> 32),
	         (unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xffff), (unsigned)(low >> 48),
	         (unsigned long long)(low & UINT64_C(0xffffffffffff)));
}
