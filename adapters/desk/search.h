/*
 * Finding people: by a number as somebody types it, by who works with them. Pure; of a case the
 * user may not see it tells only that it is there.
 */
#ifndef DESK_SEARCH_H
#define DESK_SEARCH_H

#include "desk/desk.h"

#define SEARCH_MAX 200 /* people; more are counted only */

struct search {
	uint32_t found[SEARCH_MAX]; /* numbers of people, rising */
	size_t n;
	size_t total;
};

/*
 * People one of whose numbers is this text: in any spelling that identifier.h reads, as it was
 * given, or, for case numbers, as its beginning (3 characters at least). Blanks around it do not
 * count; an empty text finds nobody.
 */
void search_number(const struct desk *desk, const char *text, int64_t now_ns, struct search *out);

/* People this caseworker works with, in a scheme that is not ended; the case of letters is ignored. */
void search_caseworker(const struct desk *desk, const char *name, struct search *out);

/* Everybody who works with somebody enrolled now, each once, sorted: at most max; returns how many. */
size_t search_caseworkers(const struct desk *desk, int64_t now_ns, const char **out, size_t max);

/* The person of an address, "/people/12"; NULL: no such. */
const struct person *search_person(const struct desk *desk, const char *part);

#endif
