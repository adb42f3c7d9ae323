/*
 * A page, or any other text, being written: grows to a bound, and an error sticks until it is asked
 * for. What comes from outside can only come in escaped, since html_add() escapes every text it is
 * given and html_raw() takes literals.
 *
 * Pure but for malloc; owned by whoever writes.
 */
#ifndef WEB_HTML_H
#define WEB_HTML_H

#include <stdbool.h>
#include <stddef.h>

#define HTML_MAX_BYTES (8u << 20) /* a download; pages stay far below */

struct html {
	char *bytes; /* ends with a NUL once something was added */
	size_t len, room;
	bool failed; /* no memory, or beyond the bound: what is there is cut off */
};

/* Zeros are an empty one. */
void html_fini(struct html *html);

/* As it is. For literals and for what another struct html holds. */
void html_raw(struct html *html, const char *literal);

/*
 * As printf() does, with every %s escaped for text and for attributes in double quotes. Knows %s,
 * %d, %u, %c, %%, the lengths l, ll and z of the numbers, and a width with or without 0 in front
 * ("%02d").
 */
__attribute__((format(printf, 2, 3))) void html_add(struct html *html, const char *format, ...);

/* A text escaped; its newlines become <br>. */
void html_lines(struct html *html, const char *text);

/* For the query of a link: what is not a letter, a digit or one of "-._~" becomes %XX. */
void html_url(struct html *html, const char *text);

/* One field of a CSV row: quoted where needed, and with a ' in front where a spreadsheet would
   take it for a formula. */
void html_csv(struct html *html, const char *text);

#endif
