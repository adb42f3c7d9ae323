/*
 * Applying a shape. See shape.h. Pure but for malloc; depth is bounded by the shapes themselves,
 * never by the document.
 */
#include "common/shape.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_MAX_BYTES 96
#define WORD_MAX_BYTES 64

const json_t *shape_member(const json_t *object, const char *path)
{
	const json_t *found = json_object_get(object, path);
	char part[PATH_MAX_BYTES];

	if (found != NULL)
		return json_is_null(found) ? NULL : found;
	while (strchr(path, '.') != NULL && object != NULL) {
		size_t len = strcspn(path, ".");

		snprintf(part, sizeof(part), "%.*s", (int)len, path);
		object = json_object_get(object, part);
		path += len + 1;
		found = json_object_get(object, path);
		if (found != NULL)
			break;
	}
	return found == NULL || json_is_null(found) ? NULL : found;
}

static const char *value_text(const json_t *value, char room[32])
{
	if (json_is_string(value))
		return json_string_value(value);
	if (!json_is_integer(value))
		return NULL;
	snprintf(room, 32, "%lld", (long long)json_integer_value(value));
	return room;
}

const char *shape_text(const json_t *object, const char *path, char room[32])
{
	return value_text(shape_member(object, path), room);
}

static void normal_word(const char *text, char out[WORD_MAX_BYTES])
{
	size_t n = 0;

	for (; *text != '\0' && n + 1 < WORD_MAX_BYTES; text++) {
		if (*text == '-' || *text == ' ' || *text == '_')
			out[n++] = '_';
		else
			out[n++] = (char)toupper((unsigned char)*text);
	}
	out[n] = '\0';
}

/* Length of what all constants of an enum begin with, up to and including an underscore. */
static size_t common_beginning(const ProtobufCEnumDescriptor *words)
{
	const char *first = words->values[0].name;
	size_t len = strlen(first);

	for (unsigned i = 1; i < words->n_values; i++) {
		size_t same = 0;

		while (same < len && words->values[i].name[same] == first[same])
			same++;
		len = same;
	}
	while (len > 0 && first[len - 1] != '_')
		len--;
	return len;
}

bool shape_word(const ProtobufCEnumDescriptor *words, const struct shape_alias *aliases,
                const char *text, int *value)
{
	char wanted[WORD_MAX_BYTES], known[WORD_MAX_BYTES];
	size_t skip = common_beginning(words);

	normal_word(text, wanted);
	for (; aliases != NULL && aliases->word != NULL; aliases++) {
		normal_word(aliases->word, known);
		if (strcmp(wanted, known) == 0) {
			*value = aliases->value;
			return true;
		}
	}
	for (unsigned i = 0; i < words->n_values; i++) {
		const ProtobufCEnumValue *entry = &words->values[i];

		if (entry->value != 0 && strcmp(wanted, entry->name + skip) == 0) {
			*value = entry->value;
			return true;
		}
	}
	return false;
}

int shape_yes_no(const json_t *value)
{
	char word[WORD_MAX_BYTES];

	if (json_is_boolean(value))
		return json_is_true(value) ? 1 : 0;
	if (json_is_integer(value))
		return json_integer_value(value) == 1 ? 1 : json_integer_value(value) == 0 ? 0 : -1;
	if (!json_is_string(value))
		return -1;
	normal_word(json_string_value(value), word);
	if (strcmp(word, "Y") == 0 || strcmp(word, "YES") == 0 || strcmp(word, "TRUE") == 0 ||
	    strcmp(word, "1") == 0)
		return 1;
	if (strcmp(word, "N") == 0 || strcmp(word, "NO") == 0 || strcmp(word, "FALSE") == 0 ||
	    strcmp(word, "0") == 0)
		return 0;
	return -1;
}

static void apply_count(struct build *build, uint32_t *field, const struct shape_field *rule,
                        const char *text)
{
	char *end;
	unsigned long count = text == NULL ? 0 : strtoul(text, &end, 10);

	if (text == NULL || !isdigit((unsigned char)*text) || *end != '\0' || count > UINT32_MAX)
		build_fail(build, TTG_EFORMAT, "%s is no count", rule->key);
	else
		*field = (uint32_t)count;
}

static void apply_text(struct build *build, void *at, const struct shape_field *rule,
                       const char *text)
{
	size_t max = rule->max == 0 ? BUILD_TEXT_MAX : rule->max;
	int word;

	if (text == NULL) {
		build_fail(build, TTG_EFORMAT, "%s is no text", rule->key);
		return;
	}
	if (rule->type == SHAPE_TEXT)
		build_text(build, at, rule->key, text, max);
	else if (rule->type == SHAPE_CODE)
		build_code(build, at, rule->key, text);
	else if (rule->type == SHAPE_DATE)
		build_date(build, at, rule->key, text);
	else if (rule->type == SHAPE_CLOCK)
		build_clock(build, at, rule->key, text);
	else if (rule->type == SHAPE_TIME)
		build_time(build, at, rule->key, text);
	else if (rule->type == SHAPE_COUNT)
		apply_count(build, at, rule, text);
	else if (shape_word(rule->words, rule->aliases, text, &word))
		memcpy(at, &word, sizeof(word));
	else
		build_fail(build, TTG_EFORMAT, "%s is none of the words known for it", rule->key);
}

static void apply_yes_no(struct build *build, void *at, const struct shape_field *rule,
                         const json_t *value)
{
	int yes = shape_yes_no(value);

	if (yes < 0) {
		build_fail(build, TTG_EFORMAT, "%s is neither yes nor no", rule->key);
	} else if (rule->type == SHAPE_FLAG) {
		protobuf_c_boolean flag = yes;

		memcpy(at, &flag, sizeof(flag));
	} else {
		Ttg__Answer answer = yes ? TTG__ANSWER__ANSWER_YES : TTG__ANSWER__ANSWER_NO;

		memcpy(at, &answer, sizeof(answer));
	}
}

static void apply_texts(struct build *build, size_t *n, char ***list,
                        const struct shape_field *rule, const json_t *value)
{
	size_t max = rule->type == SHAPE_CODES ? BUILD_CODE_MAX : BUILD_NAME_MAX;
	char one[BUILD_NAME_MAX + 2];
	const json_t *entry;
	size_t index;

	if (json_is_string(value)) { /* a CSV field: "a; b" */
		const char *at = json_string_value(value);

		while (*at != '\0') {
			size_t len = strcspn(at, ";");
			size_t skip = strspn(at, " ");

			snprintf(one, sizeof(one), "%.*s", (int)(len > skip ? len - skip : 0),
			         at + skip);
			build_add_text(build, n, list, rule->key, one, max);
			at += len + (at[len] == ';');
		}
		return;
	}
	if (!json_is_array(value)) {
		build_fail(build, TTG_EFORMAT, "%s is no list", rule->key);
		return;
	}
	json_array_foreach((json_t *)(size_t)(const void *)value, index, entry)
	{
		if (!json_is_string(entry))
			build_fail(build, TTG_EFORMAT, "%s is no list of texts", rule->key);
		else
			build_add_text(build, n, list, rule->key, json_string_value(entry), max);
	}
}

static void apply_messages(struct build *build, size_t *n, void *list,
                           const struct shape_field *rule, const json_t *value)
{
	if (!json_is_array(value)) {
		build_fail(build, TTG_EFORMAT, "%s is no list", rule->key);
		return;
	}
	for (size_t i = 0; i < json_array_size(value); i++) {
		void *made = build_add_message(build, n, list, rule->shape->type);

		if (made == NULL)
			return;
		shape_apply(build, made, json_array_get(value, i), rule->shape);
	}
}

static void apply_field(struct build *build, char *payload, const struct shape_field *rule,
                        const json_t *value)
{
	char room[32];
	void *at = payload + rule->offset;
	size_t *n = (size_t *)(void *)(payload + rule->count_offset);
	void *made;

	switch (rule->type) {
	case SHAPE_TEXT:
	case SHAPE_CODE:
	case SHAPE_DATE:
	case SHAPE_CLOCK:
	case SHAPE_TIME:
	case SHAPE_COUNT:
	case SHAPE_WORD:
		apply_text(build, at, rule, value_text(value, room));
		break;
	case SHAPE_FLAG:
	case SHAPE_ANSWER:
		apply_yes_no(build, at, rule, value);
		break;
	case SHAPE_MESSAGE:
		made = build_message(build, at, rule->shape->type);
		if (made != NULL)
			shape_apply(build, made, value, rule->shape);
		break;
	case SHAPE_MESSAGES:
		apply_messages(build, n, at, rule, value);
		break;
	case SHAPE_CODES:
	case SHAPE_TEXTS:
		apply_texts(build, n, at, rule, value);
		break;
	case SHAPE_ELSEWHERE:
		break;
	}
}

static bool is_blank(const json_t *value)
{
	return json_is_string(value) && json_string_length(value) == 0;
}

void shape_apply(struct build *build, void *payload, const json_t *object,
                 const struct shape *shape)
{
	if (!json_is_object(object)) {
		build_fail(build, TTG_EFORMAT, "a member that should be an object is none");
		return;
	}
	for (size_t i = 0; i < shape->n_fields && build->error == TTG_OK; i++) {
		const struct shape_field *rule = &shape->fields[i];
		const json_t *value = shape_member(object, rule->key);

		if (value == NULL || is_blank(value)) {
			if (rule->required)
				build_fail(build, TTG_EFORMAT, "%s is missing", rule->key);
			continue;
		}
		apply_field(build, payload, rule, value);
	}
}
