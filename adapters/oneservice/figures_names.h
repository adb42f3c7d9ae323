/*
 * Byte strings numbered in the order they are first seen, so that schemes, referrals, people's
 * numbers can be compared and kept as 32-bit numbers.
 */
#ifndef ONESERVICE_FIGURES_NAMES_H
#define ONESERVICE_FIGURES_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ttg/event.h>

#define NAMES_NUMBER_MAX 256 /* of the name of a number */

#define NAMES_NONE UINT32_MAX
#define NAMES_MAX  (UINT32_MAX - 1)

struct name;

/* Zeroed is empty. */
struct names {
	struct name *first; /* hash table */
	struct name **by_index;
	uint32_t n, room;
};

void names_fini(struct names *names);

/* The number of the bytes, given now if they are new. TTG_ENOMEM, TTG_ELIMIT. */
enum ttg_error names_add(struct names *names, const void *bytes, size_t len, uint32_t *index);

/* A name made of a number that may be matched to find a person: its length; 0 for one that names
 * nobody, or anybody. */
size_t names_of_number(const Ttg__Identifier *identifier, char out[NAMES_NUMBER_MAX]);

bool names_has(const struct names *names, const void *bytes, size_t len);

/* The bytes with a NUL behind them; index was given by names_add(). */
const char *names_text(const struct names *names, uint32_t index);

#endif
