/*
 * Reading the members of one group of a configuration file by its option table.
 *
 * Owner: whoever loads. Invariant: after options_read() every member the table names is set, to what
 * the file says, to its default, or, after a fault that was reported, to zeros; so the caller may go
 * on and find more faults. Values never enter messages unless they are numbers or ids.
 */
#include "config/options.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/instant.h"
#include "config/nearest.h"

/* What is being read; for messages. */
struct reading {
	const struct source *source;
	const struct option_group *group;
	const char *name;
	void *out;
};

bool options_is_id(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return text[len] == '\0' && len > 0 && len <= RULES_ID_MAX && text[0] != '-' &&
	       text[len - 1] != '-';
}

/* UTF-8 in its shortest form, without control characters and surrogates. */
static bool is_clean_text(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	while (*at != 0) {
		uint32_t code = *at, least = 0;
		int more = 0;

		if (*at < 0x20 || *at == 0x7f)
			return false;
		if (*at >= 0x80) {
			more = *at >= 0xf0 ? 3 : *at >= 0xe0 ? 2 : 1;
			least = more == 3 ? 0x10000 : more == 2 ? 0x800 : 0x80;
			if (*at < 0xc2 || *at > 0xf4)
				return false;
			code = *at & (0x3fu >> more);
		}
		for (at++; more > 0; more--, at++) {
			if ((*at & 0xc0) != 0x80)
				return false;
			code = (code << 6) | (*at & 0x3fu);
		}
		if (code < least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
			return false;
	}
	return true;
}

/* Index of value among words separated by blanks, -1 when it is none. */
static int word_index(const char *words, const char *value)
{
	size_t len = strlen(value);
	int index = 0;

	if (len == 0 || strchr(value, ' ') != NULL)
		return -1;
	for (const char *at = words;; index++) {
		size_t word = strcspn(at, " ");

		if (word == len && strncmp(at, value, len) == 0)
			return index;
		if (at[word] == '\0')
			return -1;
		at += word + 1;
	}
}

void options_describe(const struct option *option, char *out, size_t len)
{
	switch (option->type) {
	case OPTION_ID:
		snprintf(out, len, "an id of 1 to %d characters a-z, 0-9 and -", RULES_ID_MAX);
		break;
	case OPTION_TEXT:
		snprintf(out, len, "a text of %" PRIu64 " to %" PRIu64 " bytes", option->min,
			 option->max);
		break;
	case OPTION_PATH:
		snprintf(out, len, "a path of %" PRIu64 " to %" PRIu64 " bytes", option->min,
			 option->max);
		break;
	case OPTION_CHOICE:
	case OPTION_ENUM: {
		size_t used = (size_t)snprintf(out, len, "one of ");

		for (const char *at = option->words; *at != '\0' && used + 3 < len; at++) {
			if (*at == ' ')
				out[used++] = ',';
			out[used++] = *at;
		}
		out[used] = '\0';
		break;
	}
	case OPTION_DATE:
		snprintf(out, len, "a date \"yyyy-mm-dd\"");
		break;
	case OPTION_BOOL:
		snprintf(out, len, "true or false");
		break;
	case OPTION_U16:
	case OPTION_U32:
	case OPTION_U64:
		if (option->max == INT64_MAX)
			snprintf(out, len, "a whole number, at least %" PRIu64, option->min);
		else
			snprintf(out, len, "%" PRIu64 " to %" PRIu64, option->min, option->max);
		break;
	case OPTION_TEXTS:
		snprintf(out, len, "an array [ ] of %" PRIu64 " to %" PRIu64 " texts", option->min,
			 option->max);
		break;
	case OPTION_GROUPS:
		snprintf(out, len, "a list ( ) of %" PRIu64 " to %" PRIu64 " groups", option->min,
			 option->max);
		break;
	case OPTION_GROUP:
		snprintf(out, len, "a group { }");
		break;
	}
}

/* "name is what, must be ..." */
static bool refuse(const struct reading *reading, const struct option *option, struct place place,
		   const char *what)
{
	char must[CONFIG_TEXT_MAX];

	options_describe(option, must, sizeof(must));
	errors_add(reading->source->errors, place, "%s.%s is %s, must be %s", reading->name,
		   option->name, what, must);
	return false;
}

/* None of the words: the one that was probably meant is told with them. */
static bool refuse_word(const struct reading *reading, const struct option *option, struct place place,
			const char *value)
{
	char words[CONFIG_TEXT_MAX], must[CONFIG_TEXT_MAX], *rest = NULL;
	struct nearest nearest;

	snprintf(words, sizeof(words), "%s", option->words);
	nearest_init(&nearest, value);
	for (char *word = strtok_r(words, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
		nearest_try(&nearest, word);
	if (nearest.best == NULL)
		return refuse(reading, option, place, "something else");
	options_describe(option, must, sizeof(must));
	errors_add(reading->source->errors, place, "%s.%s is something else, must be %s, did you mean %s?",
		   reading->name, option->name, must, nearest.best);
	return false;
}

static bool store_number(const struct reading *reading, const struct option *option,
			 struct place place, long long value)
{
	char *member = (char *)reading->out + option->offset;
	char what[32];

	if (value < 0 || (uint64_t)value < option->min || (uint64_t)value > option->max) {
		snprintf(what, sizeof(what), "%lld", value);
		return refuse(reading, option, place, what);
	}
	if (option->type == OPTION_U16) {
		uint16_t number = (uint16_t)value;

		assert(option->size == sizeof(number) && option->max <= UINT16_MAX);
		memcpy(member, &number, sizeof(number));
	} else if (option->type == OPTION_U32) {
		uint32_t number = (uint32_t)value;

		assert(option->size == sizeof(number) && option->max <= UINT32_MAX);
		memcpy(member, &number, sizeof(number));
	} else {
		uint64_t number = (uint64_t)value;

		assert(option->size == sizeof(number));
		memcpy(member, &number, sizeof(number));
	}
	return true;
}

static bool store_path(const struct reading *reading, const struct option *option,
		       struct place place, const char *value)
{
	if (value[0] == '\0') /* none, and no folder */
		return true;
	if (source_resolve(reading->source->root, value, (char *)reading->out + option->offset))
		return true;
	((char *)reading->out)[option->offset] = '\0';
	return refuse(reading, option, place, "too long with its folder");
}

static bool store_text(const struct reading *reading, const struct option *option,
		       struct place place, const char *value)
{
	char *member = (char *)reading->out + option->offset;
	size_t len = strlen(value);
	int index = option->words != NULL ? word_index(option->words, value) : 0;

	if (len < option->min || len > option->max)
		return refuse(reading, option, place, len == 0 ? "empty" : "too long");
	if (!is_clean_text(value))
		return refuse(reading, option, place, "not UTF-8 or holds a control character");
	if (option->type == OPTION_ID && !options_is_id(value))
		return refuse(reading, option, place, "not an id");
	if (option->type == OPTION_DATE && !date_is_valid(value))
		return refuse(reading, option, place, "no date");
	if (index < 0)
		return refuse_word(reading, option, place, value);
	if (option->type == OPTION_PATH)
		return store_path(reading, option, place, value);
	if (option->type == OPTION_ENUM) {
		memcpy(member, &index, sizeof(index));
		return true;
	}
	assert(len < option->size);
	memcpy(member, value, len + 1);
	return true;
}

static bool is_list_of(const config_setting_t *setting, int type)
{
	if (!config_setting_is_list(setting) && !config_setting_is_array(setting))
		return false;
	for (int i = 0; i < config_setting_length(setting); i++)
		if (config_setting_type(config_setting_get_elem(setting, (unsigned int)i)) != type)
			return false;
	return true;
}

static bool store_list(const struct reading *reading, const struct option *option,
		       struct place place, const config_setting_t *setting)
{
	bool texts = option->type == OPTION_TEXTS;
	size_t n;
	char what[64];

	if (!is_list_of(setting, texts ? CONFIG_TYPE_STRING : CONFIG_TYPE_GROUP)) {
		bool list = config_setting_is_list(setting) || config_setting_is_array(setting);

		return refuse(reading, option, place,
			      list ? "a list of other things" : source_type_name(setting));
	}
	n = (size_t)config_setting_length(setting);
	if (n < option->min || n > option->max) {
		snprintf(what, sizeof(what), "a list of %zu", n);
		return refuse(reading, option, place, what);
	}
	for (size_t i = 0; texts && i < n; i++) {
		const char *text = config_setting_get_string_elem(setting, (int)i);

		if (text[0] == '\0' || strlen(text) >= CONFIG_TEXT_MAX || !is_clean_text(text))
			return refuse(reading, option, place, "empty, too long or unclean in an entry");
	}
	memcpy((char *)reading->out + option->offset, &setting, sizeof(setting));
	return true;
}

static bool store(const struct reading *reading, const struct option *option,
		  const config_setting_t *setting)
{
	struct place place = source_place(reading->source, setting);
	int type = config_setting_type(setting);

	switch (option->type) {
	case OPTION_ID:
	case OPTION_TEXT:
	case OPTION_PATH:
	case OPTION_CHOICE:
	case OPTION_ENUM:
	case OPTION_DATE:
		if (type == CONFIG_TYPE_STRING)
			return store_text(reading, option, place,
					  config_setting_get_string(setting));
		break;
	case OPTION_BOOL:
		if (type == CONFIG_TYPE_BOOL) {
			bool value = config_setting_get_bool(setting) != 0;

			memcpy((char *)reading->out + option->offset, &value, sizeof(value));
			return true;
		}
		break;
	case OPTION_U16:
	case OPTION_U32:
	case OPTION_U64:
		if (type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64)
			return store_number(reading, option, place,
					    config_setting_get_int64(setting));
		break;
	case OPTION_TEXTS:
	case OPTION_GROUPS:
		return store_list(reading, option, place, setting);
	case OPTION_GROUP:
		if (type == CONFIG_TYPE_GROUP) {
			memcpy((char *)reading->out + option->offset, &setting, sizeof(setting));
			return true;
		}
		break;
	}
	return refuse(reading, option, place, source_type_name(setting));
}

static bool store_default(const struct reading *reading, const struct option *option,
			  struct place home)
{
	bool value;

	if (option->fallback == NULL) {
		char must[CONFIG_TEXT_MAX];

		options_describe(option, must, sizeof(must));
		errors_add(reading->source->errors, home, "%s.%s is missing, must be %s",
			   reading->name, option->name, must);
		return false;
	}
	if (option->fallback[0] == '\0')
		return true; /* stays "", 0 or NULL: none */
	switch (option->type) {
	case OPTION_U16:
	case OPTION_U32:
	case OPTION_U64:
		return store_number(reading, option, home, strtoll(option->fallback, NULL, 10));
	case OPTION_BOOL:
		value = strcmp(option->fallback, "true") == 0;
		memcpy((char *)reading->out + option->offset, &value, sizeof(value));
		return true;
	case OPTION_TEXTS:
	case OPTION_GROUPS:
	case OPTION_GROUP:
	case OPTION_ID:
	case OPTION_TEXT:
	case OPTION_PATH:
	case OPTION_CHOICE:
	case OPTION_ENUM:
	case OPTION_DATE:
		break;
	}
	return store_text(reading, option, home, option->fallback);
}

static bool refuse_unknown(const struct reading *reading, const config_setting_t *setting)
{
	const char *name = config_setting_name(setting);
	struct nearest nearest;
	char known[CONFIG_ERROR_BYTES / 2] = "";

	nearest_init(&nearest, name);
	for (size_t i = 0; i < reading->group->n_options; i++) {
		const char *option = reading->group->options[i].name;
		size_t used = strlen(known);

		nearest_try(&nearest, option);
		snprintf(known + used, sizeof(known) - used, "%s%s", used > 0 ? ", " : "", option);
	}
	if (nearest.best != NULL)
		errors_add(reading->source->errors, source_place(reading->source, setting),
			   "%s.%.64s is not known, did you mean %s?", reading->name, name,
			   nearest.best);
	else
		errors_add(reading->source->errors, source_place(reading->source, setting),
			   "%s.%.64s is not known, must be one of %s", reading->name, name, known);
	return false;
}

static bool refuse_unknowns(const struct reading *reading, const config_setting_t *group)
{
	bool fine = true;

	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *setting = config_setting_get_elem(group, (unsigned int)i);
		const char *name = config_setting_name(setting);
		bool known = false;

		for (size_t j = 0; j < reading->group->n_options && !known; j++)
			known = strcmp(reading->group->options[j].name, name) == 0;
		if (!known)
			fine = refuse_unknown(reading, setting);
	}
	return fine;
}

bool options_read(const struct source *source, const config_setting_t *group, const char *name,
		  struct place home, const struct option_group *table, void *out,
		  unsigned int lines[OPTIONS_MAX])
{
	struct reading reading = { source, table, name, out };
	bool fine = true;

	assert(table->n_options <= OPTIONS_MAX);
	if (group != NULL)
		fine = refuse_unknowns(&reading, group);
	for (size_t i = 0; i < table->n_options; i++) {
		const struct option *option = &table->options[i];
		const config_setting_t *setting = NULL;

		if (group != NULL)
			setting = config_setting_get_member(group, option->name);
		memset((char *)out + option->offset, 0, option->size);
		if (setting != NULL)
			fine = store(&reading, option, setting) && fine;
		else
			fine = store_default(&reading, option, home) && fine;
		if (lines != NULL)
			lines[i] = setting != NULL ? config_setting_source_line(setting) : 0;
	}
	return fine;
}
