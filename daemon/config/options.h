/*
 * The option tables: every setting that may stand in a configuration file, with its type, range,
 * default and meaning, and the member of a struct it is read into. One reader serves them all, so a
 * wrong type, a value out of range, an unknown or missing name is told the same way everywhere.
 */
#ifndef TTGD_CONFIG_OPTIONS_H
#define TTGD_CONFIG_OPTIONS_H

#include "config/source.h"

enum option_type {
	OPTION_ID,     /* [a-z0-9-] that begins and ends with a letter or digit; char[] */
	OPTION_TEXT,   /* UTF-8 without control characters; char[] */
	OPTION_PATH,   /* OPTION_TEXT, relative to the folder of ttgd.conf; char[CONFIG_PATH_MAX] */
	OPTION_CHOICE, /* one of `words`, as text; char[] */
	OPTION_ENUM,   /* one of `words`, as its index; an enum */
	OPTION_DATE,   /* "yyyy-mm-dd"; char[11] */
	OPTION_BOOL,   /* true or false; bool */
	OPTION_U16,    /* whole numbers in min to max */
	OPTION_U32,
	OPTION_U64,
	OPTION_TEXTS,  /* array or list of texts, min to max of them; const config_setting_t * */
	OPTION_GROUPS, /* list of groups, min to max of them; const config_setting_t * */
	OPTION_GROUP,  /* one group with a table of its own; const config_setting_t * */
};

struct option {
	const char *name;
	enum option_type type;
	size_t offset;        /* of the member */
	size_t size;          /* of the member */
	uint64_t min, max;    /* number; how long a text, how many entries */
	const char *fallback; /* default, as it would stand in the file; NULL: required; "": none */
	const char *words;    /* for choices: "error warn notice" */
	bool restart;         /* a change counts only after a restart */
	const char *meaning;
};

#define OPTIONS_MAX 32 /* in one group */

struct option_group {
	const char *name; /* "limits" */
	const struct option *options;
	size_t n_options;
};

/* ttgd.conf: the groups of it, in order. All members are of struct config. */
#define OPTIONS_MAIN_GROUPS 9
extern const struct option_group options_main[OPTIONS_MAIN_GROUPS];

/* agencies.d/: agency, key, mailbox, signing key. Members of the forms in forms.h. */
#define OPTIONS_AGENCY_GROUPS 4
extern const struct option_group options_agency[OPTIONS_AGENCY_GROUPS];

/* agreements.d/: agreement, publish, deliver, its when. Members of the forms in forms.h. */
#define OPTIONS_AGREEMENT_GROUPS 5
extern const struct option_group options_agreement[OPTIONS_AGREEMENT_GROUPS];

/*
 * Reads the members of `group` (NULL: none are there) into `out` by the table, defaults where a name
 * is missing. `name` is the group's for messages, `home` where an error about the whole group is
 * placed. Every fault is added to source->errors; true when there was none. lines (may be NULL) gets
 * the line of each option, 0 where the default was taken.
 */
bool options_read(const struct source *source, const config_setting_t *group, const char *name,
		  struct place home, const struct option_group *table, void *out,
		  unsigned int lines[OPTIONS_MAX]);

/* True when text is one to RULES_ID_MAX characters [a-z0-9-], not "-" first or last. */
bool options_is_id(const char *text);

/* "1 to 1024", "one of a, b, c": what may follow "must be" of an option. */
void options_describe(const struct option *option, char *out, size_t len);

#endif
