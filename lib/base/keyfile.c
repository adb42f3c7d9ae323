/*
 * Reading and writing of key files.
 *
 * Any thread; called at start and by the key generator. A file is small, regular and exactly of the
 * form it should have, or it is refused with a sentence that names the path and what would be
 * right; the sentence never holds a byte of the file. Everything that held a secret is wiped on
 * every way out. A file that could not be written completely is removed again.
 */
#include "base/keyfile.h"

#include "base/smallfile.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define PUBLIC_TITLE    "ttg-public-key v1\n"
#define SECRET_TITLE    "ttg-secret-key v1\n"
#define SYMMETRIC_TITLE "ttg-symmetric-key v1\n"
#define Z85_CHARACTERS  (KEYFILE_Z85 - 1)
#define FILE_BYTES_MAX  128 /* the longest form has 101 bytes */

/* ZeroMQ RFC 32. */
static const char z85_alphabet[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   ".-:+=^!/*?&<>()[]{}@%$#";

/* 40 characters in groups of five, each group a number of 32 bits. */
static bool z85_is_key(const char *text)
{
	for (int group = 0; group < Z85_CHARACTERS / 5; group++) {
		uint64_t value = 0;

		for (int i = 0; i < 5; i++) {
			char c = text[group * 5 + i];
			const char *found = c ? strchr(z85_alphabet, c) : NULL;

			if (!found)
				return false;
			value = value * 85 + (uint64_t)(found - z85_alphabet);
		}
		if (value > UINT32_MAX)
			return false;
	}
	return true;
}

/* Reads the file into out, which is terminated. */
static enum ttg_error read_file(const char *path, bool secret, char out[FILE_BYTES_MAX],
                                struct message *message)
{
	size_t len = 0;
	enum ttg_error error = smallfile_read(path, secret, out, FILE_BYTES_MAX, &len, message);

	if (error == TTG_OK && memchr(out, '\0', len))
		error = message_set(message, TTG_EFORMAT, "%s: is not a throughgate key file",
		                    path);
	return error;
}

/* Takes one line of exactly len characters off *at. */
static bool take_line(const char **at, size_t len, const char **line)
{
	if (strlen(*at) < len + 1 || (*at)[len] != '\n')
		return false;
	*line = *at;
	*at += len + 1;
	return true;
}

static bool take_title(const char **at, const char *title)
{
	size_t len = strlen(title);

	if (strncmp(*at, title, len) != 0)
		return false;
	*at += len;
	return true;
}

static bool take_z85(const char **at, char out[KEYFILE_Z85])
{
	const char *line;

	if (!take_line(at, Z85_CHARACTERS, &line) || !z85_is_key(line))
		return false;
	memcpy(out, line, Z85_CHARACTERS);
	out[Z85_CHARACTERS] = '\0';
	return true;
}

enum ttg_error keyfile_read_public(const char *path, char out[KEYFILE_Z85], struct message *message)
{
	char text[FILE_BYTES_MAX];
	char key[KEYFILE_Z85];
	const char *at = text;

	/* Somebody may have put a secret here: treated as one until it is known. */
	enum ttg_error error = read_file(path, false, text, message);
	if (error != TTG_OK)
		goto out;
	if (!take_title(&at, PUBLIC_TITLE) || !take_z85(&at, key) || *at) {
		error = message_set(message, TTG_EFORMAT,
		                    "%s: is not a public key file; it should have the line "
		                    "\"ttg-public-key v1\" and one line of 40 characters Z85",
		                    path);
		goto out;
	}
	memcpy(out, key, sizeof(key));
out:
	wipe(text, sizeof(text));
	return error;
}

enum ttg_error keyfile_read_secret(const char *path, struct key_pair *out, struct message *message)
{
	char text[FILE_BYTES_MAX];
	struct key_pair pair;
	const char *at = text;

	enum ttg_error error = read_file(path, true, text, message);
	if (error != TTG_OK)
		goto out;
	if (!take_title(&at, SECRET_TITLE) || !take_z85(&at, pair.public_z85) ||
	    !take_z85(&at, pair.secret_z85) || *at) {
		error = message_set(message, TTG_EFORMAT,
		                    "%s: is not a secret key file; it should have the line "
		                    "\"ttg-secret-key v1\", then the public and the secret key, "
		                    "40 characters Z85 on a line each",
		                    path);
		goto out;
	}
	*out = pair;
out:
	wipe(text, sizeof(text));
	wipe(&pair, sizeof(pair));
	return error;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool take_hex(const char **at, uint8_t out[KEYFILE_SYMMETRIC])
{
	const char *line;

	if (!take_line(at, (size_t)2 * KEYFILE_SYMMETRIC, &line))
		return false;
	for (int i = 0; i < KEYFILE_SYMMETRIC; i++) {
		int high = hex_value(line[2 * i]);
		int low = hex_value(line[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

enum ttg_error keyfile_read_symmetric(const char *path, uint8_t out[KEYFILE_SYMMETRIC],
                                      struct message *message)
{
	char text[FILE_BYTES_MAX];
	uint8_t key[KEYFILE_SYMMETRIC];
	const char *at = text;

	enum ttg_error error = read_file(path, true, text, message);
	if (error != TTG_OK)
		goto out;
	if (!take_title(&at, SYMMETRIC_TITLE) || !take_hex(&at, key) || *at) {
		error = message_set(message, TTG_EFORMAT,
		                    "%s: is not a symmetric key file; it should have the line "
		                    "\"ttg-symmetric-key v1\" and one line of 64 hex digits",
		                    path);
		goto out;
	}
	memcpy(out, key, sizeof(key));
out:
	wipe(text, sizeof(text));
	wipe(key, sizeof(key));
	return error;
}

enum ttg_error keyfile_write_public(const char *path, const char *z85, struct message *message)
{
	char text[FILE_BYTES_MAX];

	if (strlen(z85) != Z85_CHARACTERS || !z85_is_key(z85))
		return message_set(message, TTG_EINVAL, "%s: the key is not 40 characters Z85",
		                   path);
	snprintf(text, sizeof(text), PUBLIC_TITLE "%s\n", z85);
	return smallfile_write(path, false, text, strlen(text), message);
}

enum ttg_error keyfile_write_secret(const char *path, const struct key_pair *pair,
                                    struct message *message)
{
	char text[FILE_BYTES_MAX];

	if (strnlen(pair->public_z85, KEYFILE_Z85) != Z85_CHARACTERS ||
	    strnlen(pair->secret_z85, KEYFILE_Z85) != Z85_CHARACTERS ||
	    !z85_is_key(pair->public_z85) || !z85_is_key(pair->secret_z85))
		return message_set(message, TTG_EINVAL, "%s: the keys are not 40 characters Z85",
		                   path);
	snprintf(text, sizeof(text), SECRET_TITLE "%s\n%s\n", pair->public_z85, pair->secret_z85);
	enum ttg_error error = smallfile_write(path, true, text, strlen(text), message);
	wipe(text, sizeof(text));
	return error;
}

enum ttg_error keyfile_write_symmetric(const char *path, const uint8_t key[KEYFILE_SYMMETRIC],
                                       struct message *message)
{
	static const char digits[] = "0123456789abcdef";
	char text[FILE_BYTES_MAX] = SYMMETRIC_TITLE;
	size_t len = strlen(text);

	for (int i = 0; i < KEYFILE_SYMMETRIC; i++) {
		text[len++] = digits[key[i] >> 4];
		text[len++] = digits[key[i] & 15];
	}
	text[len++] = '\n';
	text[len] = '\0';
	assert(len < sizeof(text));
	enum ttg_error error = smallfile_write(path, true, text, strlen(text), message);
	wipe(text, sizeof(text));
	return error;
}
