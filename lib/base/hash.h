/*
 * SHA-256, and the hexadecimal and decimal lines of which everything signed here is made.
 *
 * Texts that are signed are lines "word value\n" in a fixed order, nothing optional, so that two
 * texts that say the same are the same bytes, and so that anybody can hash and verify them with
 * tools he has (docs/formats.md). Numbers have no leading zeros, hexadecimal digits are lower case.
 *
 * Owner: a hasher belongs to one thread; all else is pure.
 */
#ifndef TTG_BASE_HASH_H
#define TTG_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HASH_BYTES 32u

struct hasher;

struct hasher *hasher_new(void); /* NULL without memory or cryptography */
void hasher_free(struct hasher **hasher);
bool hasher_sum(struct hasher *hasher, const void *data, size_t len, uint8_t out[HASH_BYTES]);
/*
 * Of an event's bytes, salted: SHA-256 of the line "salt <32 digits>", its line feed included, and the
 * bytes. Who does not know the salt cannot tell from it what the bytes were, not even by trying.
 */
#define HASH_SALT 16u
bool hasher_salted(struct hasher *hasher, const uint8_t salt[HASH_SALT], const void *data, size_t len,
		   uint8_t out[HASH_BYTES]);

/* Writing: a line each behind *used; a text that does not fit becomes *used = size + 1 and stays so. */
struct lines {
	char *text;
	size_t size, used;
};
void lines_put(struct lines *lines, const char *line);            /* as it is, and the line's end */
void lines_put_lines(struct lines *lines, const char *text, size_t len); /* whole ones, as they are */
void lines_put_text(struct lines *lines, const char *word, const char *value);
void lines_put_number(struct lines *lines, const char *word, uint64_t value);
void lines_put_hex(struct lines *lines, const char *word, const uint8_t *bytes, size_t len);
bool lines_fit(const struct lines *lines);

/* Reading: the first line that is not exactly as asked for makes all that follow fail; `at` stays
   where it begins. */
struct reading {
	const char *at, *end;
	bool failed;
};
bool reading_line(struct reading *reading, const char *line);
/* Up to max - 1 characters, none of them a space or below; NUL behind. */
bool reading_text(struct reading *reading, const char *word, char *out, size_t max);
bool reading_number(struct reading *reading, const char *word, uint64_t *out);
bool reading_hex(struct reading *reading, const char *word, uint8_t *out, size_t len);
bool reading_done(const struct reading *reading); /* all of it, and nothing failed */

#endif
