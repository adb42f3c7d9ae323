/*
 * Answers of the daemon for people: tables with aligned columns, lists of names and values, lines of
 * history.
 */
#ifndef TTGCTL_TABLE_H
#define TTGCTL_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#define TABLE_CELL_MAX 4096

struct table_column {
	const char *field; /* of an item's data */
	const char *title;
};

/* One value as text: "-" for null and missing, "yes"/"no", arrays with commas, objects left out. */
void table_cell(const json_t *value, char out[TABLE_CELL_MAX]);

/* An array of items as a table; numbers to the right. Columns end with a NULL field. */
void table_print(FILE *out, const json_t *items, const struct table_column *columns);

/* One item as a line of comma-separated values, behind a line of the fields' names when it is the first. */
void table_print_csv(FILE *out, const json_t *item, const struct table_column *columns, bool first);

/* Every field of one item as "name  value", objects as "name.field  value". */
void table_print_item(FILE *out, const json_t *item);

/* A line of the rules, behind the sign of what became of it when that is told; the item that goes before them
   as table_print_item(). */
void table_print_line(FILE *out, const json_t *item);

/* One line of tail or trace. */
void table_print_history(FILE *out, const json_t *item);

#endif
