/*
 * Rules as text: one line for each thing that they say, by names. The digest of rules is over these lines,
 * and the journal keeps them, so that what was in force at a time can be read long after the files have
 * changed. docs/formats.md draws the lines; rules_text.c writes them, rules_diff.c compares two texts.
 */
#ifndef TTGD_CORE_RULES_TEXT_H
#define TTGD_CORE_RULES_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/digest.h"
#include "core/rules.h"

/* Each line, without its line feed, given to put() until that returns false; false then, or no memory. */
bool rules_text(const struct rules *rules, bool (*put)(void *arg, const char *line, size_t len),
		void *arg);

/* A line's share in the digest of the rules. */
void rules_text_digest(struct digest *digest, const char *line, size_t len);

/*
 * Lines that one of two texts has and the other has not, in order of the lines: each(arg, '-', line) for
 * what only `before` has, '+' for what only `after` has, until that returns false; false then, or no memory.
 */
bool rules_diff(const char *before, const char *after,
		bool (*each)(void *arg, char sign, const char *line, size_t len), void *arg);

#endif
