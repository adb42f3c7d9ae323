/*
 * Loading an adapter's configuration. See config.h. The only file of the adapters that
 * knows libconfig. Run once at the start by the main thread; the first mistake ends the load.
 */
#include "common/config.h"

#include <errno.h>
#include <libconfig.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct loading {
	const char *path;
	const struct config_table *tables;
	size_t n_tables;
	struct message *message;
};

__attribute__((format(printf, 3, 4))) static enum ttg_error
wrong(const struct loading *loading, const config_setting_t *setting, const char *format, ...)
{
	char text[MESSAGE_BYTES];
	const char *file = config_setting_source_file(setting);
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	return message_set(loading->message, TTG_EFORMAT, "%s:%u: %.400s",
	                   file == NULL ? loading->path : file, config_setting_source_line(setting),
	                   text);
}

static int find_word(const char *const *words, const char *word)
{
	for (int i = 0; words[i] != NULL; i++) {
		if (strcmp(words[i], word) == 0)
			return i;
	}
	return -1;
}

static enum ttg_error put_word(const struct config_option *option, void *at, const char *word)
{
	int index;

	switch (option->type) {
	case CONFIG_STRING:
		if (strlen(word) >= CONFIG_TEXT_BYTES || (option->required && *word == '\0'))
			return TTG_EFORMAT;
		strcpy(at, word);
		return TTG_OK;
	case CONFIG_CHOICE:
		index = find_word(option->words, word);
		if (index < 0)
			return TTG_EFORMAT;
		memcpy(at, &index, sizeof(index));
		return TTG_OK;
	case CONFIG_CHOICES:
		index = find_word(option->words, word);
		if (index < 0)
			return TTG_EFORMAT;
		*(unsigned *)at |= 1u << index;
		return TTG_OK;
	case CONFIG_STRINGS: {
		struct config_list *list = at;

		if (list->n == CONFIG_LIST_MAX || strlen(word) >= CONFIG_WORD_BYTES)
			return TTG_EFORMAT;
		strcpy(list->items[list->n++], word);
		return TTG_OK;
	}
	case CONFIG_INTEGER:
	case CONFIG_YES_NO:
		break;
	}
	return TTG_EFORMAT;
}

static enum ttg_error put_integer(const struct config_option *option, void *at, int64_t value)
{
	if (value < option->min || value > option->max)
		return TTG_EFORMAT;
	memcpy(at, &value, sizeof(value));
	return TTG_OK;
}

static enum ttg_error put_list(const struct config_option *option, void *at,
                               const config_setting_t *setting)
{
	enum ttg_error error = TTG_OK;
	int n = config_setting_length(setting);

	if (option->type != CONFIG_CHOICES && option->type != CONFIG_STRINGS)
		return TTG_EFORMAT;
	for (int i = 0; i < n && error == TTG_OK; i++) {
		const char *word = config_setting_get_string_elem(setting, i);

		error = word == NULL ? TTG_EFORMAT : put_word(option, at, word);
	}
	return error;
}

static enum ttg_error put(const struct loading *loading, const struct config_option *option,
                          void *settings, const config_setting_t *setting)
{
	void *at = (char *)settings + option->offset;
	enum ttg_error error = TTG_EFORMAT;
	int type = config_setting_type(setting);

	if (type == CONFIG_TYPE_STRING)
		error = put_word(option, at, config_setting_get_string(setting));
	else if (type == CONFIG_TYPE_ARRAY || type == CONFIG_TYPE_LIST)
		error = put_list(option, at, setting);
	else if ((type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64) &&
	         option->type == CONFIG_INTEGER)
		error = put_integer(option, at, config_setting_get_int64(setting));
	else if (type == CONFIG_TYPE_BOOL && option->type == CONFIG_YES_NO) {
		bool yes = config_setting_get_bool(setting) != 0;

		memcpy(at, &yes, sizeof(yes));
		error = TTG_OK;
	}
	if (error != TTG_OK)
		return wrong(loading, setting, "%s should be %s", option->path, option->right);
	return TTG_OK;
}

static enum ttg_error load_setting(const struct loading *loading, const config_setting_t *setting,
                                   const char *path)
{
	bool known_group = false;

	for (size_t t = 0; t < loading->n_tables; t++) {
		const struct config_table *table = &loading->tables[t];

		for (size_t i = 0; i < table->n_options; i++) {
			const struct config_option *option = &table->options[i];
			size_t len = strlen(path);

			if (strcmp(option->path, path) == 0)
				return put(loading, option, table->settings, setting);
			known_group |=
			        strncmp(option->path, path, len) == 0 && option->path[len] == '.';
		}
	}
	if (!known_group)
		return wrong(loading, setting, "there is no option %s; the manual lists them",
		             path);
	if (!config_setting_is_group(setting))
		return wrong(loading, setting, "%s should be a group: %s = { ... };", path, path);
	return TTG_OK;
}

static enum ttg_error load_group(const struct loading *loading, const config_setting_t *group,
                                 const char *prefix, int depth)
{
	char path[256];
	enum ttg_error error = TTG_OK;
	int n = config_setting_length(group);

	for (int i = 0; i < n && error == TTG_OK; i++) {
		const config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);

		snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "." : "",
		         config_setting_name(setting));
		error = load_setting(loading, setting, path);
		if (error == TTG_OK && config_setting_is_group(setting)) {
			if (depth == 0)
				return wrong(loading, setting, "%s is nested too deep", path);
			error = load_group(loading, setting, path, depth - 1);
		}
	}
	return error;
}

/* A fallback is written as it would stand in the file, without quotes. */
static void put_fallback(const struct config_option *option, void *settings)
{
	void *at = (char *)settings + option->offset;

	if (option->fallback == NULL)
		return;
	if (option->type == CONFIG_INTEGER) {
		int64_t value = strtoll(option->fallback, NULL, 10);

		memcpy(at, &value, sizeof(value));
	} else if (option->type == CONFIG_YES_NO) {
		bool yes = strcmp(option->fallback, "true") == 0;

		memcpy(at, &yes, sizeof(yes));
	} else {
		char word[CONFIG_TEXT_BYTES];
		const char *from = option->fallback;

		while (*from != '\0') { /* several words: "a,b" */
			size_t len =
			        option->type == CONFIG_STRING ? strlen(from) : strcspn(from, ",");

			snprintf(word, sizeof(word), "%.*s", (int)len, from);
			put_word(option, at, word);
			from += len + (from[len] == ',');
		}
	}
}

/* Fallbacks go in only where the file says nothing, since lists would otherwise add up. */
static enum ttg_error fill_gaps(const struct loading *loading, const config_t *file)
{
	for (size_t t = 0; t < loading->n_tables; t++) {
		const struct config_table *table = &loading->tables[t];

		for (size_t i = 0; i < table->n_options; i++) {
			const struct config_option *option = &table->options[i];

			if (config_lookup(file, option->path) != NULL)
				continue;
			if (option->required)
				return message_set(loading->message, TTG_EFORMAT,
				                   "%s:1: %s is missing; it should be %s",
				                   loading->path, option->path, option->right);
			put_fallback(option, table->settings);
		}
	}
	return TTG_OK;
}

enum ttg_error adapter_config_load(const char *path, const struct config_table *tables,
                                   size_t n_tables, struct message *message)
{
	struct loading loading = {
		.path = path, .tables = tables, .n_tables = n_tables, .message = message
	};
	enum ttg_error error;
	config_t file;

	if (access(path, R_OK) != 0)
		return message_set(message, TTG_ENOENT, "%s: cannot be read: %s", path,
		                   strerror(errno));
	config_init(&file);
	if (config_read_file(&file, path) != CONFIG_TRUE) {
		error = message_set(message, TTG_EFORMAT, "%s:%d: %s",
		                    config_error_file(&file) == NULL ? path
		                                                     : config_error_file(&file),
		                    config_error_line(&file), config_error_text(&file));
		goto out;
	}
	error = load_group(&loading, config_root_setting(&file), "", 4);
	if (error == TTG_OK)
		error = fill_gaps(&loading, &file);
out:
	config_destroy(&file);
	return error;
}
