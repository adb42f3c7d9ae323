/* Finding people. See search.h. */
#include "desk/search.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/identifier.h"
#include "base/instant.h"

#define PREFIX_LEAST 3
#define TEXT_BYTES   72

/* What was typed, in every spelling a number may have. */
struct wanted {
	char text[TEXT_BYTES];
	char canonical[IDENTIFIER_OTHER + 1][IDENTIFIER_CANONICAL]; /* by kind; "": not of it */
};

static bool read_wanted(const char *text, int64_t now_ns, struct wanted *out)
{
	char date[11], clock[6];
	size_t len;
	int year;

	while (isspace((unsigned char)*text))
		text++;
	len = strlen(text);
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		len--;
	memset(out, 0, sizeof(*out));
	if (len == 0 || len >= sizeof(out->text))
		return false;
	memcpy(out->text, text, len);
	instant_to_civil(now_ns, date, clock);
	year = (int)strtol(date, NULL, 10);
	for (int kind = IDENTIFIER_NOMS; kind <= IDENTIFIER_OTHER; kind++)
		identifier_check((enum identifier_kind)kind, out->text, year,
		                 out->canonical[kind]);
	return true;
}

static bool is_wanted(const struct wanted *wanted, const struct person_number *number)
{
	size_t len = strlen(wanted->text);

	if (number->kind > 0 && number->kind <= IDENTIFIER_OTHER &&
	    wanted->canonical[number->kind][0] != '\0' &&
	    strcmp(wanted->canonical[number->kind], number->value) == 0)
		return true;
	if (strcasecmp(wanted->text, number->value) == 0)
		return true;
	return number->kind == IDENTIFIER_CASE_NUMBER && len >= PREFIX_LEAST &&
	       strncasecmp(wanted->text, number->value, len) == 0;
}

static void add(struct search *out, uint32_t number)
{
	if (out->n < SEARCH_MAX)
		out->found[out->n++] = number;
	out->total++;
}

void search_number(const struct desk *desk, const char *text, int64_t now_ns, struct search *out)
{
	struct wanted wanted;

	out->n = out->total = 0;
	if (!read_wanted(text, now_ns, &wanted))
		return;
	for (uint32_t i = 0; i < views_n_persons(desk->views); i++) {
		const struct person *person = views_person(desk->views, i);
		bool found = false;

		if (!views_is_alone(desk->views, i))
			continue;
		for (size_t k = 0; k < person->n_numbers && !found; k++)
			found = is_wanted(&wanted, &person->numbers[k]);
		if (found)
			add(out, i);
	}
}

static bool works_with(const struct person *person, const char *name)
{
	for (size_t i = 0; i < person->n_schemes; i++) {
		const struct person_scheme *scheme = &person->schemes[i];

		if (!scheme->exited && !scheme->withdrawn &&
		    strcasecmp(scheme->caseworker, name) == 0)
			return true;
	}
	return false;
}

void search_caseworker(const struct desk *desk, const char *name, struct search *out)
{
	out->n = out->total = 0;
	if (name[0] == '\0')
		return;
	for (uint32_t i = 0; i < views_n_persons(desk->views); i++) {
		if (views_is_alone(desk->views, i) &&
		    works_with(views_person(desk->views, i), name))
			add(out, i);
	}
}

static int compare_names(const void *a, const void *b)
{
	return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

static bool has_name(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcasecmp(names[i], name) == 0)
			return true;
	}
	return false;
}

size_t search_caseworkers(const struct desk *desk, int64_t now_ns, const char **out, size_t max)
{
	size_t n = 0;

	for (uint32_t i = 0; i < views_n_persons(desk->views) && n < max; i++) {
		const struct person *person = views_person(desk->views, i);
		const struct person_scheme *scheme = person_scheme(person);

		if (!views_is_alone(desk->views, i) || scheme == NULL ||
		    scheme->caseworker[0] == '\0' || !person_is_enrolled(person, now_ns) ||
		    has_name(out, n, scheme->caseworker))
			continue;
		out[n++] = scheme->caseworker;
	}
	if (n > 1)
		qsort(out, n, sizeof(*out), compare_names);
	return n;
}

const struct person *search_person(const struct desk *desk, const char *part)
{
	size_t len = strspn(part, "0123456789");

	if (len == 0 || len > 9 || part[len] != '\0')
		return NULL;
	return views_person(desk->views, (uint32_t)strtoul(part, NULL, 10));
}
