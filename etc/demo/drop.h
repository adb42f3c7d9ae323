/*
 * The stage on this machine: files into spool directories, whole or not at all, and what is to
 * arrive because of them into a list that the check reads afterwards.
 */
#ifndef DEMO_DROP_H
#define DEMO_DROP_H

#include <stdio.h>
#include "story.h"

struct drop {
	char spools[FEEDS][512];
	FILE *expected;    /* one JSON object a line */
	unsigned files;    /* put */
	char problem[640]; /* why a file could not be put */
};

/* The functions of a stage, with a struct drop as user. */
bool drop_put(void *user, enum feed feed, const char *name, const char *bytes, size_t len);
void drop_expect(void *user, const char *type, const char *who);
void drop_expect_withheld(void *user, const char *type, const char *who);
void drop_expect_elsewhere(void *user);
void drop_expect_own(void *user, const char *id, const char *type, const char *who);
void drop_expect_failed(void *user, enum feed feed, const char *name);

const char *drop_feed_name(enum feed feed);

#endif
