/*
 * The steps of docs/formats.md by which a receipt is checked with a shell and openssl, run as they stand
 * there.
 */
#ifndef TTG_TEST_STEPS_H
#define TTG_TEST_STEPS_H

#include "support/stage.h"

/* The block of shell behind "by hand" in the document, into the file steps of the stage. */
void must_write_steps(const struct stage *stage, const char *formats);
/* Runs them in a folder of their own; did they say good? Complete paths; publisher NULL: is not asked. */
bool steps_say_good(struct stage *stage, const char *receipt, const char *event, const char *key,
		    const char *publisher);

#endif
