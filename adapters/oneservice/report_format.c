/*
 * Tables of figures as text for people, spreadsheets and programs. Pure but for malloc; see
 * report.h. What a table hides is the same word in every form: "<5" or "suppressed".
 */
#include "oneservice/report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALL  "<5"
#define HIDDEN "suppressed"

_Static_assert(TABLE_COUNT_LEAST == 5, "the word for a small count says so");

/* Ids are plain ASCII; what claims to be one and is not plays no tricks on a terminal. */
static void write_text(const char *text, char out[REPORT_CELL_BYTES])
{
	size_t n = 0;

	for (; text[n] != '\0' && n + 1 < REPORT_CELL_BYTES; n++)
		out[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
	out[n] = '\0';
}

void report_cell(const struct cell *cell, char out[REPORT_CELL_BYTES])
{
	const uint64_t size =
	        cell->number < 0 ? 0 - (uint64_t)cell->number : (uint64_t)cell->number;

	out[0] = '\0';
	if (cell->shown != CELL_SHOWN)
		snprintf(out, REPORT_CELL_BYTES, "%s", cell->shown == CELL_SMALL ? SMALL : HIDDEN);
	else if (cell->kind == CELL_TEXT)
		write_text(cell->text, out);
	else if (cell->kind == CELL_COUNT)
		snprintf(out, REPORT_CELL_BYTES, "%" PRId64, cell->number);
	else if (cell->kind == CELL_TENTHS)
		snprintf(out, REPORT_CELL_BYTES, "%s%" PRIu64 ".%" PRIu64,
		         cell->number < 0 ? "-" : "", size / 10, size % 10);
}

/* Numbers to the right, words to the left. */
static bool is_number(const struct table *table, size_t column)
{
	for (size_t i = 0; i < table->n_rows; i++)
		if (table->rows[i].cells[column].kind == CELL_TEXT)
			return false;
	return true;
}

static void put_aligned(FILE *out, const char *text, size_t width, bool right, bool last)
{
	const int room = right ? (int)width : -(int)width;

	if (last && !right)
		fprintf(out, "%s\n", text);
	else
		fprintf(out, "%*s%s", room, text, last ? "\n" : "  ");
}

static void print_for_people(FILE *out, const struct table *table)
{
	size_t width[TABLE_COLUMNS_MAX];
	char text[REPORT_CELL_BYTES];

	for (size_t c = 0; c < table->n_columns; c++) {
		width[c] = strlen(table->columns[c].name);
		for (size_t i = 0; i < table->n_rows; i++) {
			report_cell(&table->rows[i].cells[c], text);
			if (strlen(text) > width[c])
				width[c] = strlen(text);
		}
	}
	for (size_t c = 0; c < table->n_columns; c++)
		put_aligned(out, table->columns[c].name, width[c], is_number(table, c),
		            c + 1 == table->n_columns);
	for (size_t i = 0; i < table->n_rows; i++)
		for (size_t c = 0; c < table->n_columns; c++) {
			report_cell(&table->rows[i].cells[c], text);
			put_aligned(out, text, width[c], is_number(table, c),
			            c + 1 == table->n_columns);
		}
}

/* An id may begin with "-", which a spreadsheet would take for a formula; "-" alone it does not. */
static void put_csv(FILE *out, const struct cell *cell)
{
	char text[REPORT_CELL_BYTES];
	bool quoted;

	report_cell(cell, text);
	quoted = strpbrk(text, ",\"\r\n") != NULL;
	if (quoted)
		fputc('"', out);
	if (cell->kind == CELL_TEXT && text[0] != '\0' && strchr("=+-@", text[0]) != NULL &&
	    text[1] != '\0')
		fputc('\'', out);
	for (const char *at = text; *at != '\0'; at++) {
		if (*at == '"')
			fputc('"', out);
		fputc(*at, out);
	}
	if (quoted)
		fputc('"', out);
}

static void print_csv(FILE *out, const struct table *table)
{
	for (size_t c = 0; c < table->n_columns; c++)
		fprintf(out, "%s%s", c == 0 ? "" : ",", table->columns[c].name);
	fputs("\r\n", out);
	for (size_t i = 0; i < table->n_rows; i++) {
		for (size_t c = 0; c < table->n_columns; c++) {
			if (c > 0)
				fputc(',', out);
			put_csv(out, &table->rows[i].cells[c]);
		}
		fputs("\r\n", out);
	}
}

static json_t *cell_json(const struct cell *cell)
{
	char text[REPORT_CELL_BYTES];

	if (cell->shown == CELL_SHOWN && (cell->kind == CELL_EMPTY || cell->kind == CELL_UNDEFINED))
		return json_null();
	if (cell->shown == CELL_SHOWN && cell->kind == CELL_COUNT)
		return json_integer(cell->number);
	if (cell->shown == CELL_SHOWN && cell->kind == CELL_TENTHS)
		return json_real((double)cell->number / 10);
	report_cell(cell, text);
	return json_string(text);
}

static bool print_json(FILE *out, const struct table *table)
{
	for (size_t i = 0; i < table->n_rows; i++) {
		json_t *object = json_object();
		char *line;

		for (size_t c = 0; c < table->n_columns; c++)
			json_object_set_new(object, table->columns[c].name,
			                    cell_json(&table->rows[i].cells[c]));
		line = json_dumps(object,
		                  JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(12));
		json_decref(object);
		if (line == NULL)
			return false;
		fprintf(out, "%s\n", line);
		free(line);
	}
	return true;
}

char *report_format(const struct table *table, enum report_form form)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	bool fine = true;

	if (out == NULL)
		return NULL;
	if (form == REPORT_CSV)
		print_csv(out, table);
	else if (form == REPORT_JSON)
		fine = print_json(out, table);
	else
		print_for_people(out, table);
	fine = ferror(out) == 0 && fine;
	if (fclose(out) != 0 || !fine) {
		free(text);
		return NULL;
	}
	return text;
}
