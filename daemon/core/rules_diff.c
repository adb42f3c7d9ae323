/* What two texts of rules differ in; see rules_text.h. Both are sorted by lines and walked side by side. */
#include <stdlib.h>
#include <string.h>

#include "core/rules_text.h"

struct text_line {
	const char *at;
	size_t len;
};

static int by_line(const void *a, const void *b)
{
	const struct text_line *left = a, *right = b;
	const size_t len = left->len < right->len ? left->len : right->len;
	const int order = memcmp(left->at, right->at, len);

	return order ? order : (left->len > right->len) - (left->len < right->len);
}

/* malloc'd, sorted; NULL without memory. */
static struct text_line *sorted_lines(const char *text, size_t *n)
{
	struct text_line *lines;
	size_t count = 1;

	for (const char *at = text; *at; at++)
		count += *at == '\n';
	*n = 0;
	lines = malloc(count * sizeof(*lines));
	if (!lines)
		return NULL;
	while (*text) {
		const size_t len = strcspn(text, "\n");

		lines[(*n)++] = (struct text_line){ text, len };
		text += len + (text[len] == '\n');
	}
	qsort(lines, *n, sizeof(*lines), by_line);
	return lines;
}

bool rules_diff(const char *before, const char *after,
		bool (*each)(void *arg, char sign, const char *line, size_t len), void *arg)
{
	size_t n_old, n_new, i = 0, k = 0;
	struct text_line *old = sorted_lines(before, &n_old), *new = sorted_lines(after, &n_new);
	bool done = old && new;

	while (done && (i < n_old || k < n_new)) {
		const int order = i == n_old ? 1 : k == n_new ? -1 : by_line(&old[i], &new[k]);

		if (order < 0)
			done = each(arg, '-', old[i].at, old[i].len);
		else if (order > 0)
			done = each(arg, '+', new[k].at, new[k].len);
		i += order <= 0;
		k += order >= 0;
	}
	free(old);
	free(new);
	return done;
}
