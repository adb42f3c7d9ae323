/*
 * Reading secrets. See secret_file.h. Buffers are wiped after use; no message quotes what a file
 * holds. Owned by the adapter's only thread.
 */
#include "common/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/keyfile.h"
#include "base/secret.h"

enum ttg_error secret_file_read(const char *path, bool secret, char *out, size_t room,
                                struct message *message)
{
	enum ttg_error error = TTG_OK;
	struct stat info;
	size_t len = 0;
	ssize_t got = 1;
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (file < 0)
		return message_set(message, TTG_ENOENT, "%s: %s", path, strerror(errno));
	if (fstat(file, &info) != 0 || !S_ISREG(info.st_mode))
		error = message_set(message, TTG_EFORMAT, "%s: is no regular file", path);
	else if (secret && (info.st_mode & 077) != 0)
		error = message_set(message, TTG_EPERM,
		                    "%s: others may read it; its mode should be 0600", path);
	while (error == TTG_OK && got > 0 && len + 1 < room) {
		got = read(file, out + len, room - 1 - len);
		if (got > 0)
			len += (size_t)got;
	}
	if (error == TTG_OK && (got < 0 || len + 1 >= room))
		error = message_set(message, TTG_EFORMAT, "%s: cannot be read, or is too long",
		                    path);
	out[len] = '\0';
	close(file);
	return error;
}

char *secret_file_copy(const char *text)
{
	const size_t len = strlen(text);
	char *copy = secret_new(len + 1);

	if (copy != NULL)
		memcpy(copy, text, len);
	return copy;
}

enum ttg_error secret_file_read_line(const char *path, size_t min, char **out,
                                     struct message *message)
{
	char text[SECRET_LINE_MAX + 8];
	enum ttg_error error = secret_file_read(path, true, text, sizeof(text), message);
	size_t len = error == TTG_OK ? strcspn(text, "\r\n") : 0;

	*out = NULL;
	text[len] = '\0';
	for (size_t i = 0; i < len; i++) {
		if (text[i] <= ' ' || text[i] > '~')
			len = 0;
	}
	if (error == TTG_OK && (len < min || len > SECRET_LINE_MAX))
		error = message_set(message, TTG_EFORMAT,
		                    "%s: should be one line of %zu to %d printable characters",
		                    path, min, SECRET_LINE_MAX);
	if (error == TTG_OK)
		*out = secret_file_copy(text);
	wipe(text, sizeof(text));
	return error == TTG_OK && *out == NULL ? message_set(message, TTG_ENOMEM, "no memory")
	                                       : error;
}
