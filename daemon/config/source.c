/*
 * Reads one configuration file, whatever bytes it holds, and has libconfig parse it.
 *
 * The file is read whole through one descriptor, after checks on that descriptor, so that what was
 * checked is what is parsed: a regular file, not writable by everybody, at most SOURCE_MAX_BYTES.
 * NUL bytes, where libconfig would silently stop reading, are refused; scan.c does the rest of what
 * has to be done before libconfig reads the text.
 *
 * Owner: whoever loads. On failure: one error is added and nothing is left open.
 */
#include "config/source.h"
#include "config/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NO_INCLUDES "/dev/null/nothing" /* a folder no file can be in */

static bool file_is_acceptable(struct source *source, int file, size_t *len)
{
	struct place place = { source->path, 0 };
	struct stat status;

	if (fstat(file, &status) != 0) {
		errors_add(source->errors, place, "cannot be looked at: %s", strerror(errno));
		return false;
	}
	if (!S_ISREG(status.st_mode)) {
		errors_add(source->errors, place, "is not a regular file, must be one");
		return false;
	}
	if ((status.st_mode & S_IWOTH) != 0) {
		errors_add(source->errors, place,
			   "may be written by everybody, must not be: chmod o-w it");
		return false;
	}
	if (status.st_size > (off_t)SOURCE_MAX_BYTES) {
		errors_add(source->errors, place, "is %lld bytes, must be at most %u",
			   (long long)status.st_size, SOURCE_MAX_BYTES);
		return false;
	}
	*len = (size_t)status.st_size;
	return true;
}

/* The bytes of the file and a NUL, malloc'd; NULL after an error was added. */
static char *read_bytes(struct source *source, int file, size_t len)
{
	struct place place = { source->path, 0 };
	char *text = malloc(len + 1);
	size_t have = 0;

	if (text == NULL) {
		errors_add(source->errors, place, "cannot be read: no memory");
		return NULL;
	}
	while (have < len) {
		ssize_t n = read(file, text + have, len - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			errors_add(source->errors, place, "cannot be read: %s", strerror(errno));
			free(text);
			return NULL;
		}
		if (n == 0)
			break;
		have += (size_t)n;
	}
	text[have] = '\0';
	if (memchr(text, '\0', have) != NULL) {
		errors_add(source->errors, place, "holds a NUL byte, must be plain text");
		free(text);
		return NULL;
	}
	return text;
}

bool source_open(struct source *source, const char *path, const char *root,
		 struct config_errors *errors)
{
	struct place place = { path, 0 };
	char *text = NULL, *prepared = NULL;
	size_t len = 0;
	bool fine = false;
	int file;

	memset(source, 0, sizeof(*source));
	source->errors = errors;
	source->root = root;
	source->path = path;
	/* Not blocking: a named pipe must not hold the daemon. */
	file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (file < 0) {
		errors_add(errors, place, "cannot be opened: %s", strerror(errno));
		return false;
	}
	if (!file_is_acceptable(source, file, &len))
		goto out;
	text = read_bytes(source, file, len);
	if (text == NULL)
		goto out;
	prepared = scan_prepare(text, source->path, errors);
	if (prepared == NULL)
		goto out;
	config_init(&source->tree);
	config_set_include_dir(&source->tree, NO_INCLUDES);
	if (config_read_string(&source->tree, prepared) == CONFIG_TRUE) {
		fine = true;
		goto out;
	}
	place.line = (unsigned int)config_error_line(&source->tree);
	errors_add(errors, place, "%s, must read: name = value; (texts in double quotes)",
		   config_error_text(&source->tree) != NULL ? config_error_text(&source->tree)
							    : "syntax error");
	config_destroy(&source->tree);
out:
	free(prepared);
	free(text);
	close(file);
	return fine;
}

void source_close(struct source *source)
{
	config_destroy(&source->tree);
}

bool source_resolve(const char *root, const char *path, char out[CONFIG_PATH_MAX])
{
	int len;

	if (path[0] == '/' || strcmp(root, ".") == 0)
		len = snprintf(out, CONFIG_PATH_MAX, "%s", path);
	else
		len = snprintf(out, CONFIG_PATH_MAX, "%s/%s", root, path);
	return len >= 0 && len < CONFIG_PATH_MAX;
}

struct place source_place(const struct source *source, const config_setting_t *setting)
{
	return (struct place){ source->path, config_setting_source_line(setting) };
}

const char *source_type_name(const config_setting_t *setting)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_GROUP:
		return "a group { }";
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return "a whole number";
	case CONFIG_TYPE_FLOAT:
		return "a number with a fraction";
	case CONFIG_TYPE_STRING:
		return "a text";
	case CONFIG_TYPE_BOOL:
		return "true or false";
	case CONFIG_TYPE_ARRAY:
		return "an array [ ]";
	case CONFIG_TYPE_LIST:
		return "a list ( )";
	default:
		return "nothing";
	}
}
