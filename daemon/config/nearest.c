/*
 * Distance is the number of letters to add, take away, exchange or swap with their neighbour. A word
 * is near when a third of it or less is wrong. Pure.
 */
#include "config/nearest.h"

#include <string.h>

static size_t smallest(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

static size_t distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
	size_t rows[3][NEAREST_WORD_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *now = rows[2];

	for (size_t j = 0; j <= n_b; j++)
		last[j] = j;
	for (size_t i = 1; i <= n_a; i++) {
		size_t *spare = before;

		now[0] = i;
		for (size_t j = 1; j <= n_b; j++) {
			size_t other = a[i - 1] == b[j - 1] ? 0 : 1;

			now[j] = smallest(last[j] + 1, now[j - 1] + 1, last[j - 1] + other);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[n_b];
}

void nearest_init(struct nearest *nearest, const char *word)
{
	nearest->word = word;
	nearest->best = NULL;
	nearest->best_distance = strlen(word) / 3 + 1;
}

void nearest_try(struct nearest *nearest, const char *known)
{
	size_t n_word = strlen(nearest->word), n_known = strlen(known), far;

	if (n_word > NEAREST_WORD_MAX || n_known > NEAREST_WORD_MAX)
		return;
	far = distance(nearest->word, n_word, known, n_known);
	if (far < nearest->best_distance) {
		nearest->best = known;
		nearest->best_distance = far;
	}
}
