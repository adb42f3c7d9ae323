/*
 * Splitting a JSON document into its items. See json_items.h. A syntax error costs the item it is
 * in: reading goes on at
 * the next line that begins with a brace. Pure but for malloc.
 */
#include "common/json_items.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct items {
	struct intake *intake;
	json_item_reader *read;
	void *user;
	size_t count;
};

static enum ttg_error one_item(struct items *items, const json_t *item, unsigned line,
                               const char *raw, size_t raw_len)
{
	struct message message = { "" };
	enum ttg_error error = TTG_EFORMAT;
	char *dumped = NULL;

	if (++items->count > JSON_ITEMS_MAX) {
		message_set(&message, TTG_ELIMIT, "more than %d items in one document",
		            JSON_ITEMS_MAX);
		error = TTG_ELIMIT;
	} else if (!json_is_object(item)) {
		message_set(&message, TTG_EFORMAT, "is no JSON object");
	} else {
		error = items->read(items->user, item, items->intake, &message);
	}
	if (error == TTG_OK || error == TTG_ENOMEM)
		return error;
	if (raw == NULL) {
		dumped = json_dumps(item, JSON_COMPACT | JSON_ENCODE_ANY);
		raw = dumped;
		raw_len = dumped == NULL ? 0 : strlen(dumped);
	}
	error = intake_add_problem(items->intake, line, error, message.text, raw, raw_len);
	free(dumped);
	return error;
}

static unsigned count_lines(const char *bytes, size_t from, size_t to)
{
	unsigned lines = 0;

	for (size_t i = from; i < to; i++)
		lines += bytes[i] == '\n';
	return lines;
}

static size_t skip_blank(const char *bytes, size_t len, size_t at)
{
	while (at < len && isspace((unsigned char)bytes[at]))
		at++;
	return at;
}

/* The next line that begins an item: indented lines belong to the broken one before. */
static size_t next_item(const char *bytes, size_t len, size_t at)
{
	while (at < len) {
		const char *end = memchr(bytes + at, '\n', len - at);

		at = end == NULL ? len : (size_t)(end - bytes) + 1;
		if (at < len && (bytes[at] == '{' || bytes[at] == '['))
			break;
	}
	return at;
}

static enum ttg_error syntax_problem(struct items *items, const json_error_t *why, unsigned line,
                                     const char *raw, size_t raw_len)
{
	char text[80];

	/* jansson's own sentence can quote the document, so only the place is told. */
	snprintf(text, sizeof(text), "is no JSON: line %d, column %d",
	         (int)line + (why->line > 0 ? why->line - 1 : 0), why->column);
	return intake_add_problem(items->intake, line, TTG_EFORMAT, text, raw, raw_len);
}

enum ttg_error json_items_each(const struct document *document, struct intake *intake,
                               json_item_reader *read, void *user)
{
	struct items items = { .intake = intake, .read = read, .user = user };
	const char *bytes = document->bytes;
	size_t len = document->len, at = 0;
	unsigned line = 1;
	enum ttg_error error = TTG_OK;

	if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
		at = 3;
	while (error == TTG_OK && items.count <= JSON_ITEMS_MAX) {
		size_t begin = skip_blank(bytes, len, at);
		json_error_t why;

		line += count_lines(bytes, at, begin);
		at = begin;
		if (at == len)
			break;
		json_t *root = json_loadb(bytes + at, len - at,
		                          JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES, &why);
		size_t end = root == NULL ? next_item(bytes, len, at) : at + (size_t)why.position;

		if (root == NULL)
			error = syntax_problem(&items, &why, line, bytes + at, end - at);
		else if (!json_is_array(root))
			error = one_item(&items, root, line, bytes + at, end - at);
		for (size_t i = 0; root != NULL && error == TTG_OK && i < json_array_size(root);
		     i++)
			error = one_item(&items, json_array_get(root, i), line, NULL, 0);
		json_decref(root);
		line += count_lines(bytes, at, end);
		at = end;
	}
	if (error == TTG_OK && items.count == 0 && intake->total_problems == 0)
		intake_refuse(intake, TTG_EFORMAT, "holds no JSON object");
	return error;
}
