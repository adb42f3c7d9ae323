/*
 * Tables of figures and what the public may see of them. Pure but for malloc; see figures_table.h.
 *
 * Hiding ends: each step hides at least one cell more, or is the last.
 */
#include "oneservice/figures_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void table_init(struct table *table, const struct table_column *columns, size_t n_columns)
{
	assert(n_columns <= TABLE_COLUMNS_MAX);
	*table = (struct table){ .columns = columns, .n_columns = n_columns };
}

void table_fini(struct table *table)
{
	free(table->rows);
	table->rows = NULL;
	table->n_rows = table->room = 0;
}

enum ttg_error table_copy(struct table *out, const struct table *from)
{
	table_init(out, from->columns, from->n_columns);
	if (from->n_rows == 0)
		return TTG_OK;
	out->rows = calloc(from->n_rows, sizeof(*out->rows));
	if (out->rows == NULL)
		return TTG_ENOMEM;
	memcpy(out->rows, from->rows, from->n_rows * sizeof(*out->rows));
	out->n_rows = out->room = from->n_rows;
	return TTG_OK;
}

struct table_row *table_add(struct table *table, enum row_place place, unsigned group)
{
	struct table_row *row;

	if (table->n_rows == table->room) {
		size_t room = table->room == 0 ? 16 : table->room * 2;
		struct table_row *grown = realloc(table->rows, room * sizeof(*grown));

		if (grown == NULL)
			return NULL;
		table->rows = grown;
		table->room = room;
	}
	row = &table->rows[table->n_rows++];
	*row = (struct table_row){ .place = place, .group = group };
	return row;
}

struct cell cell_text(const char *text)
{
	return (struct cell){ .kind = CELL_TEXT, .text = text };
}

struct cell cell_count(uint64_t count)
{
	return (struct cell){ .kind = CELL_COUNT, .number = (int64_t)count };
}

struct cell cell_ratio(int64_t numerator, int64_t scale, int64_t denominator)
{
	long double tenths;

	if (denominator == 0)
		return (struct cell){ .kind = CELL_UNDEFINED };
	/* A double would do for the halves of any real cohort; this has 64 bits of its own. */
	tenths = (long double)numerator * (long double)scale * 10 / (long double)denominator;
	return (struct cell){ .kind = CELL_TENTHS,
		              .number = (int64_t)(tenths + (tenths < 0 ? -0.5L : 0.5L)) };
}

static bool hidden(const struct cell *cell)
{
	return cell->shown != CELL_SHOWN;
}

static bool hide(struct cell *cell, enum cell_shown how)
{
	if (cell->kind == CELL_EMPTY || hidden(cell))
		return false;
	cell->shown = how;
	return true;
}

/* What a row hides by itself, and what follows from it within the row. */
static bool hide_in_row(const struct table *table, struct table_row *row)
{
	bool changed = false;

	for (size_t i = 0; i < table->n_columns; i++) {
		const struct table_column *column = &table->columns[i];
		struct cell *cell = &row->cells[i];
		const struct cell *whole = &row->cells[column->of];

		if (column->counts && cell->kind == CELL_COUNT && cell->number < TABLE_COUNT_LEAST)
			changed |= hide(cell, CELL_SMALL);
		if (column->of != 0 && whole->kind == CELL_COUNT &&
		    (hidden(whole) || whole->number - cell->number < TABLE_COUNT_LEAST))
			changed |= hide(cell, CELL_HIDDEN);
		if (column->with != 0 && hidden(&row->cells[column->with]))
			changed |= hide(cell, CELL_HIDDEN);
	}
	return changed;
}

/* A sum with one unknown is solved: the smallest that is shown joins it, a part before the total.
 */
static bool protect(struct cell *const *parts, size_t n, struct cell *total)
{
	struct cell *least = NULL;
	size_t unknown = hidden(total) ? 1 : 0;

	for (size_t i = 0; i < n; i++) {
		if (hidden(parts[i]))
			unknown++;
		else if (least == NULL || parts[i]->number < least->number)
			least = parts[i];
	}
	return unknown == 1 && hide(least == NULL ? total : least, CELL_HIDDEN);
}

/* The parts of one row that a column of it adds up. */
static bool protect_sums_in_row(const struct table *table, struct table_row *row)
{
	struct cell *parts[TABLE_COLUMNS_MAX];
	bool changed = false;

	for (size_t total = 1; total < table->n_columns; total++) {
		size_t n = 0;

		for (size_t i = 1; i < table->n_columns; i++)
			if (table->columns[i].sum == total)
				parts[n++] = &row->cells[i];
		if (n > 0)
			changed |= protect(parts, n, &row->cells[total]);
	}
	return changed;
}

/* One column of the parts that the total's row adds up. */
static bool protect_total(struct table *table, struct table_row *total, size_t column,
                          struct cell **parts)
{
	size_t n = 0;

	for (size_t i = 0; i < table->n_rows; i++)
		if (table->rows[i].place == ROW_PART && table->rows[i].group == total->group)
			parts[n++] = &table->rows[i].cells[column];
	return n > 0 && protect(parts, n, &total->cells[column]);
}

/* One step: rows first, so that what they hide already serves the totals. */
static bool hide_more(struct table *table, struct cell **parts)
{
	bool changed = false;

	for (size_t i = 0; i < table->n_rows; i++) {
		changed |= hide_in_row(table, &table->rows[i]);
		changed |= protect_sums_in_row(table, &table->rows[i]);
	}
	for (size_t i = 0; i < table->n_rows; i++)
		for (size_t c = 0; c < table->n_columns && !changed; c++)
			if (table->rows[i].place == ROW_TOTAL && table->columns[c].counts)
				changed = protect_total(table, &table->rows[i], c, parts);
	return changed;
}

enum ttg_error table_hide_small(struct table *table)
{
	struct cell **parts;

	if (table->n_rows == 0)
		return TTG_OK;
	parts = calloc(table->n_rows, sizeof(struct cell *));
	if (parts == NULL)
		return TTG_ENOMEM;
	while (hide_more(table, parts))
		;
	free(parts);
	return TTG_OK;
}

void table_select(struct table *table, const char *scheme, const char *cohort)
{
	size_t kept = 0;

	for (size_t i = 0; i < table->n_rows; i++) {
		const struct table_row *row = &table->rows[i];

		if ((scheme == NULL || strcmp(row->cells[0].text, scheme) == 0) &&
		    (cohort == NULL || strcmp(row->cells[1].text, cohort) == 0))
			table->rows[kept++] = *row;
	}
	table->n_rows = kept;
}
