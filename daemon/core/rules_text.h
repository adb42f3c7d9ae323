/*
 * Rules as text: one line for each thing that they say, by names. The digest of rules is over these lines,
 * and the journal keeps them, so that what was in force at a time can be read long after the files have
 * changed. docs/formats.md draws the lines; rules_text.c writes them, rules_read.c takes apart what the
 * log of disclosures asks of them, rules_diff.c compares two texts.
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

/* A text of lines that each end with a line feed, taken apart. */
struct rules_reading;

/* NULL: no memory, or not such a text: every line must be as rules_text() writes it. */
struct rules_reading *rules_read(const char *text, size_t len);
void rules_reading_free(struct rules_reading **reading);

/* A delivery, as the log of disclosures knows it. */
struct rules_delivery {
	const char *type, *from, *to; /* publishing agency, mailbox */
	const char *const *under;     /* agreements it was recorded for when it was accepted */
	size_t n_under;
	bool others;                  /* accepted under other rules: what grants it now counts */
	int64_t at_ns;                /* when it left */
};

/*
 * What the agreements in force then granted of it together, as mask_text() spells it: "*" for all of it,
 * "" when none grants it. malloc'd; NULL without memory. Markings and conditions are not asked.
 */
char *rules_read_fields(const struct rules_reading *reading, const struct rules_delivery *delivery);
/* Everything that either grants, both spelled so; malloc'd, NULL without memory. */
char *rules_join_fields(const char *a, const char *b);

/*
 * Lines that one of two texts has and the other has not, in order of the lines: each(arg, '-', line) for
 * what only `before` has, '+' for what only `after` has, until that returns false; false then, or no memory.
 */
bool rules_diff(const char *before, const char *after,
		bool (*each)(void *arg, char sign, const char *line, size_t len), void *arg);

#endif
