/* See hash.h. One context for all sums: setting one up costs as much as hashing 200 bytes. */
#include "base/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#define WORD_MAX 32 /* of a line, with its space */

struct hasher {
	EVP_MD *md;
	EVP_MD_CTX *context;
};

struct hasher *hasher_new(void)
{
	struct hasher *hasher = calloc(1, sizeof(*hasher));

	if (!hasher)
		return NULL;
	hasher->md = EVP_MD_fetch(NULL, "SHA256", NULL);
	hasher->context = EVP_MD_CTX_new();
	if (!hasher->md || !hasher->context)
		hasher_free(&hasher);
	return hasher;
}

void hasher_free(struct hasher **hasher)
{
	if (!*hasher)
		return;
	EVP_MD_CTX_free((*hasher)->context);
	EVP_MD_free((*hasher)->md);
	free(*hasher);
	*hasher = NULL;
}

bool hasher_sum(struct hasher *hasher, const void *data, size_t len, uint8_t out[HASH_BYTES])
{
	unsigned int written = 0;

	return EVP_DigestInit_ex2(hasher->context, hasher->md, NULL) &&
	       EVP_DigestUpdate(hasher->context, data, len) &&
	       EVP_DigestFinal_ex(hasher->context, out, &written) && written == HASH_BYTES;
}

bool hasher_salted(struct hasher *hasher, const uint8_t salt[HASH_SALT], const void *data, size_t len,
		   uint8_t out[HASH_BYTES])
{
	static const char digits[] = "0123456789abcdef", word[] = "salt ";
	uint8_t line[sizeof(word) - 1 + 2 * HASH_SALT + 1];
	size_t at = sizeof(word) - 1;
	unsigned int written = 0;

	memcpy(line, word, at);
	for (size_t i = 0; i < HASH_SALT; i++) {
		line[at++] = (uint8_t)digits[salt[i] >> 4];
		line[at++] = (uint8_t)digits[salt[i] & 15];
	}
	line[at] = '\n';
	return EVP_DigestInit_ex2(hasher->context, hasher->md, NULL) &&
	       EVP_DigestUpdate(hasher->context, line, sizeof(line)) &&
	       EVP_DigestUpdate(hasher->context, data, len) &&
	       EVP_DigestFinal_ex(hasher->context, out, &written) && written == HASH_BYTES;
}

static void put(struct lines *lines, const char *text, size_t len)
{
	if (lines->used > lines->size || len > lines->size - lines->used) {
		lines->used = lines->size + 1;
		return;
	}
	memcpy(lines->text + lines->used, text, len);
	lines->used += len;
}

void lines_put(struct lines *lines, const char *line)
{
	put(lines, line, strlen(line));
	put(lines, "\n", 1);
}

void lines_put_lines(struct lines *lines, const char *text, size_t len)
{
	put(lines, text, len);
}

void lines_put_text(struct lines *lines, const char *word, const char *value)
{
	put(lines, word, strlen(word));
	put(lines, " ", 1);
	lines_put(lines, value);
}

void lines_put_number(struct lines *lines, const char *word, uint64_t value)
{
	char digits[21];
	size_t at = sizeof(digits);

	digits[--at] = '\0';
	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	lines_put_text(lines, word, digits + at);
}

void lines_put_hex(struct lines *lines, const char *word, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	put(lines, word, strlen(word));
	put(lines, " ", 1);
	for (size_t i = 0; i < len; i++)
		put(lines, (const char[]){ digits[bytes[i] >> 4], digits[bytes[i] & 15] }, 2);
	put(lines, "\n", 1);
}

bool lines_fit(const struct lines *lines)
{
	return lines->used <= lines->size;
}

/* The next line without its end; false when there is no whole one. It is not passed yet. */
static bool next_line(struct reading *reading, const char **line, size_t *len)
{
	const char *end = reading->failed ? NULL :
					    memchr(reading->at, '\n', (size_t)(reading->end - reading->at));

	reading->failed = !end;
	if (!end)
		return false;
	*line = reading->at;
	*len = (size_t)(end - reading->at);
	return true;
}

/* Passes the line of `len` characters when it is as asked for; otherwise reading ends before it. */
static bool pass(struct reading *reading, size_t len, bool as_asked)
{
	if (as_asked)
		reading->at += len + 1;
	else
		reading->failed = true;
	return as_asked;
}

/* What stands behind the word of the next line, whose length is *line_len. */
static bool next_value(struct reading *reading, const char *word, const char **value, size_t *len,
		       size_t *line_len)
{
	const char *line = NULL;
	const size_t word_len = strlen(word);

	if (!next_line(reading, &line, line_len))
		return false;
	if (*line_len <= word_len + 1 || memcmp(line, word, word_len) != 0 || line[word_len] != ' ') {
		reading->failed = true;
		return false;
	}
	*value = line + word_len + 1;
	*len = *line_len - word_len - 1;
	return true;
}

bool reading_line(struct reading *reading, const char *line)
{
	const char *got = NULL;
	size_t len = 0;

	return next_line(reading, &got, &len) &&
	       pass(reading, len, len == strlen(line) && memcmp(got, line, len) == 0);
}

/* The next value as a string, its line not passed yet. */
static bool next_text(struct reading *reading, const char *word, char *out, size_t max,
		      size_t *line_len)
{
	const char *value = NULL;
	size_t len = 0;

	if (!next_value(reading, word, &value, &len, line_len))
		return false;
	for (size_t i = 0; i < len; i++)
		if (value[i] <= ' ' || value[i] > '~')
			reading->failed = true;
	if (len >= max)
		reading->failed = true;
	if (reading->failed)
		return false;
	memcpy(out, value, len);
	out[len] = '\0';
	return true;
}

bool reading_text(struct reading *reading, const char *word, char *out, size_t max)
{
	size_t line_len = 0;

	return next_text(reading, word, out, max, &line_len) && pass(reading, line_len, true);
}

static bool number_of(const char *digits, uint64_t *out)
{
	uint64_t value = 0;

	for (const char *at = digits; *at; at++) {
		const uint64_t digit = (uint64_t)(unsigned char)*at - '0';

		if (digit > 9 || value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*out = value;
	return digits[0] != '0' || digits[1] == '\0';
}

bool reading_number(struct reading *reading, const char *word, uint64_t *out)
{
	char digits[21];
	size_t line_len = 0;

	return next_text(reading, word, digits, sizeof(digits), &line_len) &&
	       pass(reading, line_len, number_of(digits, out));
}

static int nibble(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

bool reading_hex(struct reading *reading, const char *word, uint8_t *out, size_t len)
{
	const char *value = NULL;
	size_t digits = 0, line_len = 0;

	if (!next_value(reading, word, &value, &digits, &line_len))
		return false;
	bool fine = digits == 2 * len;
	for (size_t i = 0; i < len && fine; i++) {
		const int high = nibble(value[2 * i]), low = nibble(value[2 * i + 1]);

		fine = high >= 0 && low >= 0;
		out[i] = (uint8_t)(((unsigned)high & 15) << 4 | ((unsigned)low & 15));
	}
	return pass(reading, line_len, fine);
}

bool reading_done(const struct reading *reading)
{
	return !reading->failed && reading->at == reading->end;
}
