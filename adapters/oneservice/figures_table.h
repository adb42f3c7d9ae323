/*
 * A table of figures: rows of cells that know whether they may be shown. Holds no person, only
 * ids of schemes, cohorts and agencies, and numbers. Pure.
 */
#ifndef ONESERVICE_FIGURES_TABLE_H
#define ONESERVICE_FIGURES_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ttg/error.h>

#define TABLE_COLUMNS_MAX 14
#define TABLE_COUNT_LEAST 5 /* smaller counts are hidden from the public */

enum cell_kind {
	CELL_EMPTY = 0, /* nothing to tell, for example without a baseline */
	CELL_UNDEFINED, /* no number, which tells that a count is 0 */
	CELL_TEXT,
	CELL_COUNT,
	CELL_TENTHS, /* a number with one decimal */
};

enum cell_shown {
	CELL_SHOWN = 0,
	CELL_SMALL,  /* "<5" */
	CELL_HIDDEN, /* would tell a small count */
};

struct cell {
	enum cell_kind kind;
	enum cell_shown shown;
	int64_t number;   /* of CELL_TENTHS ten times the value */
	const char *text; /* owned by the figures, or constant */
};

/* How a column's cells tell of each other. 0, always the scheme's column, stands for none. */
struct table_column {
	const char *name;
	bool counts; /* people or referrals: hidden when small */
	size_t of;   /* counts some of those of that column: the rest is as telling */
	size_t with; /* hidden where that column is */
	size_t sum;  /* one of the parts that column adds up */
};

enum row_place {
	ROW_ALONE = 0,
	ROW_PART,  /* its counts are in those of the group's total */
	ROW_TOTAL, /* of the group's parts */
};

struct table_row {
	enum row_place place;
	unsigned group;
	struct cell cells[TABLE_COLUMNS_MAX];
};

struct table {
	const struct table_column *columns; /* constant; the first two are scheme and cohort */
	size_t n_columns;
	struct table_row *rows;
	size_t n_rows, room;
};

void table_init(struct table *table, const struct table_column *columns, size_t n_columns);
void table_fini(struct table *table);
/* Another of the same cells; texts are shared. TTG_ENOMEM: it has no rows. */
enum ttg_error table_copy(struct table *out, const struct table *from);

/* A new row of empty cells at the end, good until the next one; NULL without memory. */
struct table_row *table_add(struct table *table, enum row_place place, unsigned group);

struct cell cell_text(const char *text);
struct cell cell_count(uint64_t count);
/* numerator * scale / denominator with one decimal, half away from 0; undefined if that is 0. */
struct cell cell_ratio(int64_t numerator, int64_t scale, int64_t denominator);

/*
 * Hides counts under TABLE_COUNT_LEAST, counts that leave fewer than that of their whole, what is
 * worked out from either, and as many more counts as it takes that none of these follows from the
 * sums the table shows. TTG_ENOMEM: some are hidden, show none.
 */
enum ttg_error table_hide_small(struct table *table);

/* Drops rows of other schemes and cohorts; NULL: any. Last of all, so that what is hidden does not
 * depend on what is asked for. */
void table_select(struct table *table, const char *scheme, const char *cohort);

#endif
