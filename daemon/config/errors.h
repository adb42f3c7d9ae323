/*
 * Collecting what is wrong with a configuration, for the loader's own files. The list itself is
 * struct config_errors of config.h; it holds at most CONFIG_ERRORS_MAX lines and then counts on.
 */
#ifndef TTGD_CONFIG_ERRORS_H
#define TTGD_CONFIG_ERRORS_H

#include <stdarg.h>
#include "config/config.h"

#define CONFIG_ERRORS_MAX 500
#define CONFIG_ERROR_BYTES 1024

/* Where something stands. line 0: the file as a whole. */
struct place {
	const char *file;
	unsigned int line;
};

/* "file:line: text" as an error, or as a warning. Lack of memory counts as an error. */
__attribute__((format(printf, 3, 4))) void errors_add(struct config_errors *errors,
						       struct place place, const char *format, ...);
__attribute__((format(printf, 3, 4))) void errors_warn(struct config_errors *errors,
							struct place place, const char *format,
							...);

#endif
