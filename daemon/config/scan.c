/*
 * The first pass: what libconfig would take without a word and should not.
 *
 *   - A whole number beyond 32 bits loses its upper bits there, silently, unless "L" follows it. Here
 *     every one gets its L, and one beyond 64 bits is an error.
 *   - @include would pull in any file. Here it is an error, wherever it stands.
 *   - Thousands of names in one group cost the square of their number. Here there is a bound.
 *
 * The scanner knows texts in quotes, the three kinds of comment, names and numbers; everything else
 * passes through for libconfig to judge. Pure; owner: whoever loads.
 */
#include "config/scan.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define DECIMAL_DIGITS_MAX 18 /* surely within 64 bits */
#define HEX_DIGITS_MAX 15

struct scan {
	const char *at;
	char *out;
	struct place place;
	size_t n_settings;
	struct config_errors *errors;
};

static void copy(struct scan *scan, size_t len)
{
	for (; len > 0; len--) {
		if (*scan->at == '\n')
			scan->place.line++;
		*scan->out++ = *scan->at++;
	}
}

static void pass_text(struct scan *scan)
{
	copy(scan, 1);
	while (*scan->at != '\0' && *scan->at != '"')
		copy(scan, scan->at[0] == '\\' && scan->at[1] != '\0' ? 2 : 1);
	if (*scan->at == '"')
		copy(scan, 1);
}

static void pass_line_comment(struct scan *scan)
{
	copy(scan, strcspn(scan->at, "\n"));
}

static void pass_comment(struct scan *scan)
{
	const char *end = strstr(scan->at + 2, "*/");

	copy(scan, end != NULL ? (size_t)(end - scan->at) + 2 : strlen(scan->at));
}

static bool is_name_start(char c)
{
	return isalpha((unsigned char)c) || c == '*';
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '*';
}

static void pass_name(struct scan *scan)
{
	size_t len = 0;

	while (is_name(scan->at[len]))
		len++;
	copy(scan, len);
	scan->n_settings++;
}

/* A number that is not whole passes as it is. */
static bool pass_number(struct scan *scan)
{
	const char *at = scan->at;
	bool hex = at[0] == '0' && (at[1] == 'x' || at[1] == 'X');
	size_t digits = 0, begin = hex ? 2 : 0;

	if (hex)
		while (isxdigit((unsigned char)at[begin + digits]))
			digits++;
	else
		while (isdigit((unsigned char)at[digits]))
			digits++;
	if (!hex && (at[digits] == '.' || at[digits] == 'e' || at[digits] == 'E')) {
		size_t len = digits;

		while (isdigit((unsigned char)at[len]) || strchr(".eE+-", at[len]) != NULL) {
			if (at[len] == '\0')
				break;
			len++;
		}
		copy(scan, len);
		return true;
	}
	while (digits > 1 && at[begin] == '0') { /* zeros in front do not count */
		begin++;
		digits--;
	}
	if (digits > (hex ? HEX_DIGITS_MAX : DECIMAL_DIGITS_MAX)) {
		errors_add(scan->errors, scan->place,
			   "a number has %zu digits, must have at most %d", digits,
			   hex ? HEX_DIGITS_MAX : DECIMAL_DIGITS_MAX);
		return false;
	}
	copy(scan, begin + digits);
	if (*scan->at != 'L' && digits > 0)
		*scan->out++ = 'L';
	else
		copy(scan, strspn(scan->at, "L"));
	return true;
}

static bool pass_one(struct scan *scan)
{
	const char *at = scan->at;

	if (at[0] == '@') {
		errors_add(scan->errors, scan->place,
			   "@include is not supported, put the settings into this file");
		return false;
	}
	if (at[0] == '"')
		pass_text(scan);
	else if (at[0] == '#' || (at[0] == '/' && at[1] == '/'))
		pass_line_comment(scan);
	else if (at[0] == '/' && at[1] == '*')
		pass_comment(scan);
	else if (is_name_start(at[0]))
		pass_name(scan);
	else if (isdigit((unsigned char)at[0]))
		return pass_number(scan);
	else
		copy(scan, 1);
	return true;
}

char *scan_prepare(const char *text, const char *file, struct config_errors *errors)
{
	/* A number of one digit grows to two bytes and is followed by something else. */
	char *out = malloc(2 * strlen(text) + 2);
	struct scan scan = { .at = text, .out = out, .place = { file, 1 }, .errors = errors };

	if (out == NULL) {
		errors_add(errors, (struct place){ file, 0 }, "cannot be read: no memory");
		return NULL;
	}
	while (*scan.at != '\0') {
		if (!pass_one(&scan))
			goto fail;
		if (scan.n_settings > SCAN_MAX_SETTINGS) {
			errors_add(errors, scan.place, "more than %d settings in one file, "
				   "must be fewer: use several files", SCAN_MAX_SETTINGS);
			goto fail;
		}
	}
	*scan.out = '\0';
	return out;
fail:
	free(out);
	return NULL;
}
