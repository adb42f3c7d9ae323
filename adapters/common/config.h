/*
 * Configuration of an adapter: a libconfig file read through tables of options into an object that
 * was zeroed before. Every mistake is reported as "file:line: what, and what would be right".
 */
#ifndef ADAPTERS_COMMON_CONFIG_H
#define ADAPTERS_COMMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/message.h"

#define CONFIG_TEXT_BYTES 512
#define CONFIG_LIST_MAX   32
#define CONFIG_WORD_BYTES 64

struct config_list {
	char items[CONFIG_LIST_MAX][CONFIG_WORD_BYTES];
	size_t n;
};

enum config_type {
	CONFIG_STRING,  /* char[CONFIG_TEXT_BYTES] */
	CONFIG_INTEGER, /* int64_t between min and max */
	CONFIG_YES_NO,  /* bool */
	CONFIG_CHOICE,  /* int: index into words */
	CONFIG_CHOICES, /* unsigned: bit i for word i */
	CONFIG_STRINGS, /* struct config_list */
};

struct config_option {
	const char *path; /* "spool.dir" */
	enum config_type type;
	size_t offset; /* in the settings object */
	bool required;
	const char *fallback; /* as it would stand in the file; NULL: empty, 0, false */
	int64_t min, max;
	const char *const *words; /* ends with NULL */
	const char *right;        /* what would be right, for the message */
};

struct config_table {
	const struct config_option *options;
	size_t n_options;
	void *settings; /* what the offsets are counted from */
};

/* TTG_ENOENT, TTG_EFORMAT. */
enum ttg_error adapter_config_load(const char *path, const struct config_table *tables,
                                   size_t n_tables, struct message *message);

#endif
