/*
 * "Did you mean": the known word nearest to a mistyped one.
 */
#ifndef TTGD_CONFIG_NEAREST_H
#define TTGD_CONFIG_NEAREST_H

#include <stddef.h>

#define NEAREST_WORD_MAX 64

struct nearest {
	const char *word;      /* as typed */
	const char *best;      /* nearest so far, NULL: none near enough */
	size_t best_distance;
};

void nearest_init(struct nearest *nearest, const char *word);
/* known must live as long as nearest. */
void nearest_try(struct nearest *nearest, const char *known);

#endif
