/*
 * CSV extracts over libcsv. See csv_file.h for bounds and outcome.
 *
 * libcsv is fed one physical line at a time, so that a row knows where it began. It runs in strict
 * mode: a quote that is out of place stops the row. Reading then goes on at the line after the one
 * the row began on, so that an unclosed quote costs one line and not the rest of the file. A field
 * longer than CSV_FIELD_MAX ends the row in the same way, which bounds how far any row can reach.
 *
 * Owned by the caller's thread; pure but for malloc.
 */
#include "common/csv_file.h"

#include <csv.h>
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 64
#define QUOTED_ROW_MAX 16384 /* bytes of a row that goes on over several lines */
#define ROW_NOT_BEGUN  0     /* csv_parser.pstate */

struct reading {
	const struct csv_reader *reader;
	struct message *message;
	const char *text;
	size_t len;
	unsigned char delimiter;
	/* The row being put together. */
	char *fields[CSV_COLUMNS_MAX];
	size_t n_fields;
	bool too_long, too_many, complete;
	/* From the header: which column field i is, or -1. */
	int column_of[CSV_COLUMNS_MAX];
	size_t n_header;
	enum ttg_error error;
};

static void clear_row(struct reading *reading)
{
	for (size_t i = 0; i < reading->n_fields; i++)
		free(reading->fields[i]);
	reading->n_fields = 0;
	reading->too_long = reading->too_many = reading->complete = false;
}

/* libcsv: one field. */
static void take_field(void *bytes, size_t len, void *user)
{
	struct reading *reading = user;
	const char *from = bytes;

	if (len > CSV_FIELD_MAX) {
		reading->too_long = true;
		return;
	}
	if (reading->n_fields == CSV_COLUMNS_MAX) {
		reading->too_many = true;
		return;
	}
	while (len > 0 && isspace((unsigned char)from[0])) {
		from++;
		len--;
	}
	while (len > 0 && isspace((unsigned char)from[len - 1]))
		len--;
	char *copy = malloc(len + 1);
	if (copy == NULL) {
		reading->error = TTG_ENOMEM;
		return;
	}
	if (len > 0)
		memcpy(copy, from, len);
	copy[len] = '\0';
	reading->fields[reading->n_fields++] = copy;
}

/* libcsv: the row is whole. */
static void take_row(int last, void *user)
{
	struct reading *reading = user;

	(void)last;
	reading->complete = true;
}

/* Behind the line that begins at `from`: LF, CRLF or CR ends it. */
static size_t line_end(const char *text, size_t len, size_t from)
{
	size_t at = from;

	while (at < len && text[at] != '\n' && text[at] != '\r')
		at++;
	if (at + 1 < len && text[at] == '\r' && text[at + 1] == '\n')
		return at + 2;
	return at < len ? at + 1 : at;
}

static void normal_name(const char *name, char out[NAME_MAX_BYTES])
{
	size_t n = 0;

	for (; *name != '\0' && n + 1 < NAME_MAX_BYTES; name++) {
		if (isalnum((unsigned char)*name) || *name == '.')
			out[n++] = (char)tolower((unsigned char)*name);
	}
	out[n] = '\0';
}

/* The next letter of a name that counts: '\0' where it ends, at a comma too. */
static char next_letter(const char **at)
{
	while (**at != '\0' && **at != ',') {
		const unsigned char letter = (unsigned char)*(*at)++;

		if (isalnum(letter) || letter == '.')
			return (char)tolower(letter);
	}
	return '\0';
}

/* `wanted` is normal, `name` as it stands in a table. */
static bool is_name(const char *wanted, const char *name)
{
	while (*wanted != '\0' && *wanted == next_letter(&name))
		wanted++;
	return *wanted == '\0' && next_letter(&name) == '\0';
}

static bool column_is_called(const struct csv_column *column, const char *wanted)
{
	if (wanted[0] == '\0')
		return false;
	if (is_name(wanted, column->name))
		return true;
	for (const char *at = column->aliases; at != NULL && *at != '\0';) {
		if (is_name(wanted, at))
			return true;
		at += strcspn(at, ",");
		at += *at == ',';
	}
	return false;
}

static enum ttg_error match_header(struct reading *reading)
{
	const struct csv_reader *reader = reading->reader;
	bool seen[CSV_COLUMNS_MAX] = { false };

	if (reading->too_many || reading->too_long)
		return message_set(reading->message, TTG_ELIMIT,
		                   "the header has more than %d columns, or one with a huge name",
		                   CSV_COLUMNS_MAX);
	reading->n_header = reading->n_fields;
	for (size_t i = 0; i < reading->n_fields; i++) {
		char wanted[NAME_MAX_BYTES];

		normal_name(reading->fields[i], wanted);
		reading->column_of[i] = -1;
		for (size_t j = 0; j < reader->n_columns; j++) {
			if (!column_is_called(&reader->columns[j], wanted))
				continue;
			if (seen[j])
				return message_set(reading->message, TTG_EFORMAT,
				                   "the header has two columns for %s",
				                   reader->columns[j].name);
			seen[j] = true;
			reading->column_of[i] = (int)j;
			break;
		}
	}
	for (size_t j = 0; j < reader->n_columns; j++) {
		if (reader->columns[j].required && !seen[j])
			return message_set(reading->message, TTG_EFORMAT,
			                   "the header has no column %s (or: %s)",
			                   reader->columns[j].name, reader->columns[j].aliases);
	}
	return TTG_OK;
}

static enum ttg_error hand_over(struct reading *reading, unsigned line, const char *raw,
                                size_t raw_len)
{
	const struct csv_reader *reader = reading->reader;
	const char *values[CSV_COLUMNS_MAX];
	char text[80];

	if (reading->n_fields == 1 && reading->fields[0][0] == '\0' && reading->n_header > 1)
		return TTG_OK; /* a blank line */
	if (reading->too_many || reading->n_fields != reading->n_header) {
		snprintf(text, sizeof(text), "has %zu fields where the header has %zu",
		         reading->n_fields, reading->n_header);
		return reader->on_bad(reader->user, line, text, raw, raw_len);
	}
	for (size_t j = 0; j < reader->n_columns; j++)
		values[j] = "";
	for (size_t i = 0; i < reading->n_fields; i++) {
		if (reading->column_of[i] >= 0)
			values[reading->column_of[i]] = reading->fields[i];
	}
	struct csv_row row = { .line = line, .raw = raw, .raw_len = raw_len, .values = values };
	for (size_t j = 0; j < reader->n_columns; j++) {
		if (!reader->columns[j].required || values[j][0] != '\0')
			continue;
		snprintf(text, sizeof(text), "%s is empty", reader->columns[j].name);
		return reader->on_bad(reader->user, line, text, raw, raw_len);
	}
	return reader->on_row(reader->user, &row);
}

/*
 * Reads the row that begins at *at. Moves *at behind it, or behind its first line when the row is
 * broken; *why is then set.
 */
static enum ttg_error read_row(struct reading *reading, size_t *at, unsigned *lines,
                               const char **why)
{
	struct csv_parser parser;
	size_t begin = *at;
	size_t first_end = line_end(reading->text, reading->len, begin);
	size_t from = begin;

	*why = NULL;
	*lines = 0;
	clear_row(reading);
	if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
		return TTG_ENOMEM;
	csv_set_delim(&parser, reading->delimiter);
	while (from < reading->len && !reading->complete && *why == NULL) {
		size_t end = line_end(reading->text, reading->len, from);

		if (csv_parse(&parser, reading->text + from, end - from, take_field, take_row,
		              reading) != end - from)
			*why = "a quote is out of place";
		else if (end != first_end && !reading->complete && end - begin > QUOTED_ROW_MAX)
			*why = "a quote is not closed";
		from = end;
		(*lines)++;
		if (*why == NULL && parser.pstate == ROW_NOT_BEGUN && !reading->complete)
			break; /* libcsv passes over empty lines */
	}
	if (*why == NULL && !reading->complete &&
	    csv_fini(&parser, take_field, take_row, reading) != 0)
		*why = "a quote is not closed";
	if (*why == NULL && reading->too_long)
		*why = "a field is too long";
	csv_free(&parser);
	*at = from;
	if (*why != NULL) {
		*at = first_end;
		*lines = 1;
	}
	return reading->error;
}

static unsigned char sniff_delimiter(const char *text, size_t len)
{
	size_t end = line_end(text, len, 0);
	size_t commas = 0, semicolons = 0, tabs = 0;

	for (size_t i = 0; i < end; i++) {
		commas += text[i] == ',';
		semicolons += text[i] == ';';
		tabs += text[i] == '\t';
	}
	if (commas >= semicolons && commas >= tabs)
		return CSV_COMMA;
	return semicolons >= tabs ? (unsigned char)';' : (unsigned char)CSV_TAB;
}

static enum ttg_error read_header(struct reading *reading, size_t *at, unsigned *lines)
{
	const char *why;
	enum ttg_error error = TTG_OK;

	do {
		unsigned more = 0;

		if (*at >= reading->len)
			return message_set(reading->message, TTG_EFORMAT, "is empty");
		error = read_row(reading, at, &more, &why);
		*lines += more;
	} while (error == TTG_OK && why == NULL && reading->n_fields == 0);
	if (error == TTG_OK && why != NULL)
		return message_set(reading->message, TTG_EFORMAT, "in the header, %s", why);
	return error == TTG_OK ? match_header(reading) : error;
}

enum ttg_error csv_read(const struct csv_reader *reader, const char *text, size_t len,
                        struct message *message)
{
	struct reading *reading = calloc(1, sizeof(*reading));
	enum ttg_error error = TTG_OK;
	unsigned line = 1, lines = 0;
	size_t at = 0;
	const char *why;

	if (reading == NULL)
		return message_set(message, TTG_ENOMEM, "no memory");
	reading->reader = reader;
	reading->message = message;
	reading->text = text;
	reading->len = len;
	reading->delimiter = sniff_delimiter(text, len);
	error = read_header(reading, &at, &lines);
	line += lines;
	if (error == TTG_OK && reader->on_header != NULL)
		error = reader->on_header(reader->user, text, at);
	while (error == TTG_OK && at < len) {
		size_t begin = at;

		if (line > CSV_LINES_MAX) {
			error = message_set(message, TTG_ELIMIT, "has more than %d lines",
			                    CSV_LINES_MAX);
			break;
		}
		error = read_row(reading, &at, &lines, &why);
		if (error == TTG_OK && why != NULL)
			error = reader->on_bad(reader->user, line, why, text + begin, at - begin);
		else if (error == TTG_OK && reading->n_fields > 0)
			error = hand_over(reading, line, text + begin, at - begin);
		line += lines;
	}
	clear_row(reading);
	free(reading);
	return error;
}

bool csv_has_column(const char *text, size_t len, const struct csv_column *column)
{
	struct reading *reading = calloc(1, sizeof(*reading));
	unsigned lines = 0;
	size_t at = 0;
	const char *why;
	bool found = false;

	if (reading == NULL)
		return false;
	reading->text = text;
	reading->len = len;
	reading->delimiter = sniff_delimiter(text, len);
	if (read_row(reading, &at, &lines, &why) == TTG_OK && why == NULL) {
		for (size_t i = 0; i < reading->n_fields && !found; i++) {
			char wanted[NAME_MAX_BYTES];

			normal_name(reading->fields[i], wanted);
			found = column_is_called(column, wanted);
		}
	}
	clear_row(reading);
	free(reading);
	return found;
}
