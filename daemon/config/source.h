/*
 * One configuration file on disk, parsed by libconfig. Only daemon/config sees libconfig.
 */
#ifndef TTGD_CONFIG_SOURCE_H
#define TTGD_CONFIG_SOURCE_H

#include <libconfig.h>
#include "config/errors.h"

#define SOURCE_MAX_BYTES (1024u * 1024u)

struct source {
	struct config_t tree;
	const char *path; /* the caller's, and so is root */
	const char *root; /* folder relative paths are taken from */
	struct config_errors *errors;
};

/* False after an error was added. Then there is nothing to close. */
bool source_open(struct source *source, const char *path, const char *root,
		 struct config_errors *errors);
void source_close(struct source *source);

/* Where a setting stands. */
struct place source_place(const struct source *source, const config_setting_t *setting);

/* Joins root and path, unless path is absolute; false when too long. */
bool source_resolve(const char *root, const char *path, char out[CONFIG_PATH_MAX]);

/* "a text", "a group", ...: what a setting is, for messages. */
const char *source_type_name(const config_setting_t *setting);

#endif
