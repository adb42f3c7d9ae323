/*
 * Text for people out of JSON. Everything printed comes from the daemon; control characters are
 * replaced all the same, so that no answer can play with a terminal.
 */
#include "ctl/table.h"

#include <csv.h>
#include <string.h>

#define COLUMNS_MAX 16

static void clean(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

/* As much of the text as has room. */
static void add_text(char out[TABLE_CELL_MAX], size_t *used, const char *text)
{
	size_t len = strlen(text), room = TABLE_CELL_MAX - 1 - *used;

	if (len > room)
		len = room;
	memcpy(out + *used, text, len);
	*used += len;
	out[*used] = '\0';
}

/* One entry of an array; a key stands there by its label and state. */
static void table_entry(const json_t *entry, char out[TABLE_CELL_MAX])
{
	char label[TABLE_CELL_MAX], state[TABLE_CELL_MAX];

	if (!json_is_object(entry)) {
		table_cell(entry, out);
		return;
	}
	table_cell(json_object_get(entry, "label"), label);
	table_cell(json_object_get(entry, "state"), state);
	snprintf(out, TABLE_CELL_MAX, "%.100s (%.100s)", label, state);
}

void table_cell(const json_t *value, char out[TABLE_CELL_MAX])
{
	size_t used = 0;
	const json_t *entry;
	size_t index;

	out[0] = '\0';
	switch (value != NULL ? json_typeof(value) : JSON_NULL) {
	case JSON_STRING:
		snprintf(out, TABLE_CELL_MAX, "%s", json_string_value(value));
		break;
	case JSON_INTEGER:
		snprintf(out, TABLE_CELL_MAX, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_REAL:
		snprintf(out, TABLE_CELL_MAX, "%g", json_real_value(value));
		break;
	case JSON_TRUE:
		snprintf(out, TABLE_CELL_MAX, "yes");
		break;
	case JSON_FALSE:
		snprintf(out, TABLE_CELL_MAX, "no");
		break;
	case JSON_ARRAY:
		json_array_foreach(value, index, entry) {
			char cell[TABLE_CELL_MAX];

			table_entry(entry, cell);
			add_text(out, &used, index > 0 ? ", " : "");
			add_text(out, &used, cell);
		}
		break;
	case JSON_OBJECT:
	case JSON_NULL:
		break;
	}
	clean(out);
	if (out[0] == '\0')
		strcpy(out, "-");
}

static int width_of(const json_t *items, const struct table_column *column, bool *number)
{
	size_t width = strlen(column->title), index;
	const json_t *item;
	char cell[TABLE_CELL_MAX];

	*number = json_array_size(items) > 0;
	json_array_foreach(items, index, item) {
		const json_t *value = json_object_get(item, column->field);

		table_cell(value, cell);
		if (strlen(cell) > width)
			width = strlen(cell);
		if (value != NULL && !json_is_number(value))
			*number = false;
	}
	return (int)width;
}

void table_print(FILE *out, const json_t *items, const struct table_column *columns)
{
	int widths[COLUMNS_MAX];
	bool numbers[COLUMNS_MAX];
	size_t n = 0, index;
	const json_t *item;
	char cell[TABLE_CELL_MAX];

	if (json_array_size(items) == 0) {
		fputs("none\n", out);
		return;
	}
	for (; n < COLUMNS_MAX && columns[n].field != NULL; n++)
		widths[n] = width_of(items, &columns[n], &numbers[n]);
	for (size_t i = 0; i < n; i++)
		fprintf(out, numbers[i] ? "%*s%s" : "%-*s%s", i + 1 < n || numbers[i] ? widths[i] : 0,
			columns[i].title, i + 1 < n ? "  " : "\n");
	json_array_foreach(items, index, item) {
		for (size_t i = 0; i < n; i++) {
			table_cell(json_object_get(item, columns[i].field), cell);
			fprintf(out, numbers[i] ? "%*s%s" : "%-*s%s",
				i + 1 < n || numbers[i] ? widths[i] : 0, cell,
				i + 1 < n ? "  " : "\n");
		}
	}
}

static void print_csv_cell(FILE *out, size_t column, const char *text)
{
	if (column > 0)
		fputc(',', out);
	csv_fwrite(out, text, strlen(text));
}

void table_print_csv(FILE *out, const json_t *item, const struct table_column *columns, bool first)
{
	char cell[TABLE_CELL_MAX];

	for (size_t i = 0; first && columns[i].field != NULL; i++)
		print_csv_cell(out, i, columns[i].field);
	if (first)
		fputs("\r\n", out);
	for (size_t i = 0; columns[i].field != NULL; i++) {
		const json_t *value = json_object_get(item, columns[i].field);

		cell[0] = '\0';
		if (value != NULL && !json_is_null(value))
			table_cell(value, cell);
		print_csv_cell(out, i, cell);
	}
	fputs("\r\n", out);
	fflush(out);
}

static void print_pair(FILE *out, const char *group, const char *name, const json_t *value)
{
	char cell[TABLE_CELL_MAX], label[TABLE_CELL_MAX];

	table_cell(value, cell);
	snprintf(label, sizeof(label), "%s%s%s", group, group[0] != '\0' ? "." : "", name);
	clean(label);
	fprintf(out, "%-26s  %s\n", label, cell);
}

void table_print_item(FILE *out, const json_t *item)
{
	const char *name, *inner_name;
	json_t *value, *inner;

	json_object_foreach((json_t *)item, name, value) {
		if (!json_is_object(value)) {
			print_pair(out, "", name, value);
			continue;
		}
		json_object_foreach(value, inner_name, inner) {
			print_pair(out, name, inner_name, inner);
		}
	}
}

/* Those of all lines come first, in this order; the rest as name=value. */
static const char *const history_first[] = { "at", "kind", "sequence" };

static bool comes_first(const char *name)
{
	for (size_t i = 0; i < sizeof(history_first) / sizeof(history_first[0]); i++)
		if (strcmp(history_first[i], name) == 0)
			return true;
	return false;
}

void table_print_line(FILE *out, const json_t *item)
{
	const char *line = json_string_value(json_object_get(item, "line"));
	const char *change = json_string_value(json_object_get(item, "change"));

	if (line == NULL) {
		table_print_item(out, item);
		fputc('\n', out);
		return;
	}
	if (change != NULL)
		fprintf(out, "%c ", strcmp(change, "-") == 0 ? '-' : '+');
	for (; *line != '\0'; line++)
		fputc((unsigned char)*line < 0x20 || *line == 0x7f ? '?' : *line, out);
	fputc('\n', out);
}

void table_print_history(FILE *out, const json_t *item)
{
	static const int widths[] = { 24, 10, 10 };
	const char *name;
	json_t *value;
	char cell[TABLE_CELL_MAX];

	for (size_t i = 0; i < sizeof(history_first) / sizeof(history_first[0]); i++) {
		table_cell(json_object_get(item, history_first[i]), cell);
		fprintf(out, i == 2 ? "%*s" : "%-*s  ", widths[i], cell);
	}
	json_object_foreach((json_t *)item, name, value) {
		if (comes_first(name) || json_is_null(value))
			continue;
		table_cell(value, cell);
		fprintf(out, "  %s=%s", name, cell);
	}
	fputc('\n', out);
}
