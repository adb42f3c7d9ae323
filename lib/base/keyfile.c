/*
 * Reading and writing of key files.
 *
 * Any thread; called at start and by the key generator. A file is small, regular and exactly of the
 * form it should have, or it is refused with a sentence that names the path and what would be
 * right; the sentence never holds a byte of the file. Everything that held a secret is wiped on
 * every way out. A file that could not be written completely is removed again.
 */
#include "base/keyfile.h"

#include "base/world.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PUBLIC_TITLE    "ttg-public-key v1\n"
#define SECRET_TITLE    "ttg-secret-key v1\n"
#define SYMMETRIC_TITLE "ttg-symmetric-key v1\n"
#define Z85_CHARACTERS  (KEYFILE_Z85 - 1)
#define FILE_BYTES_MAX  128 /* the longest form has 101 bytes */
#define PUBLIC_MODE     0644
#define OTHERS_MODE     (S_IRWXG | S_IRWXO)

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

/* Whether an open file may hold a key. */
static enum ttg_error check_file(int file, const char *path, bool secret, struct message *message)
{
	struct stat status;

	if (fstat(file, &status) < 0)
		return message_set(message, TTG_ESYS, "%s: cannot be examined (%s)", path,
		                   strerror(errno));
	if (!S_ISREG(status.st_mode))
		return message_set(message, TTG_EFORMAT, "%s: must be a regular file", path);
	if (secret && (status.st_mode & OTHERS_MODE) != 0)
		return message_set(message, TTG_EPERM,
		                   "%s: holds a secret and is open to group or others (mode %04o); "
		                   "it must be mode 0600",
		                   path, (unsigned int)status.st_mode & 07777);
	return TTG_OK;
}

/* Reads the file into out, which is terminated; the length is that of the text. */
static enum ttg_error read_file(const char *path, bool secret, char out[FILE_BYTES_MAX],
                                struct message *message)
{
	const struct world *world = world_real();
	int file = world->open(world->self, path, WORLD_READ);
	size_t len = 0;

	if (file < 0)
		return message_set(message, world_error(file), "%s: cannot be opened (%s)", path,
		                   strerror(-file));
	enum ttg_error error = check_file(file, path, secret, message);
	while (error == TTG_OK && len < FILE_BYTES_MAX) {
		ssize_t got =
		        world->read_at(world->self, file, out + len, FILE_BYTES_MAX - len, len);

		if (got < 0)
			error = message_set(message, TTG_EIO, "%s: cannot be read (%s)", path,
			                    strerror((int)-got));
		if (got <= 0)
			break;
		len += (size_t)got;
	}
	world->close(world->self, file);
	if (error == TTG_OK && (len == FILE_BYTES_MAX || memchr(out, '\0', len)))
		error = message_set(message, TTG_EFORMAT, "%s: is not a throughgate key file",
		                    path);
	out[len < FILE_BYTES_MAX ? len : FILE_BYTES_MAX - 1] = '\0';
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

/* Makes the name durable too: a key that vanishes with the power takes its data along. */
static int sync_parent(const struct world *world, const char *path)
{
	char directory[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int len = !slash ? 1 : slash == path ? 1 : (int)(slash - path);

	if (snprintf(directory, sizeof(directory), "%.*s", len, slash ? path : ".") >= PATH_MAX)
		return -ENAMETOOLONG;
	return world->sync_dir(world->self, directory);
}

static enum ttg_error write_file(const char *path, const char *text, bool secret,
                                 struct message *message)
{
	const struct world *world = world_real();
	int file = world->open(world->self, path, WORLD_EXCLUSIVE);

	if (file == -EEXIST)
		return message_set(message, TTG_EEXIST,
		                   "%s: is there already and is never overwritten; move it away",
		                   path);
	if (file < 0)
		return message_set(message, world_error(file), "%s: cannot be made (%s)", path,
		                   strerror(-file));
	int result = world_write_all(world, file, text, strlen(text), 0);
	if (result >= 0 && !secret && fchmod(file, PUBLIC_MODE) < 0)
		result = -errno;
	if (result >= 0)
		result = world->sync(world->self, file);
	int closed = world->close(world->self, file);
	if (result >= 0)
		result = closed;
	if (result >= 0)
		result = sync_parent(world, path);
	if (result >= 0)
		return TTG_OK;
	world->unlink(world->self, path);
	return message_set(message, world_error(result), "%s: cannot be written (%s)", path,
	                   strerror(-result));
}

enum ttg_error keyfile_write_public(const char *path, const char *z85, struct message *message)
{
	char text[FILE_BYTES_MAX];

	if (strlen(z85) != Z85_CHARACTERS || !z85_is_key(z85))
		return message_set(message, TTG_EINVAL, "%s: the key is not 40 characters Z85",
		                   path);
	snprintf(text, sizeof(text), PUBLIC_TITLE "%s\n", z85);
	return write_file(path, text, false, message);
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
	enum ttg_error error = write_file(path, text, true, message);
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
	enum ttg_error error = write_file(path, text, true, message);
	wipe(text, sizeof(text));
	return error;
}
