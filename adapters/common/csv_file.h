/*
 * CSV extracts: columns in any order under any of their names, quoted fields, CRLF, comma,
 * semicolon or tab; one bad line does not take the others with it.
 *
 * Bounds: CSV_LINES_MAX lines, CSV_COLUMNS_MAX columns, CSV_FIELD_MAX bytes a field.
 */
#ifndef ADAPTERS_COMMON_CSV_FILE_H
#define ADAPTERS_COMMON_CSV_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/message.h"

#define CSV_LINES_MAX   200000
#define CSV_COLUMNS_MAX 64
#define CSV_FIELD_MAX   4096

struct csv_column {
	const char *name;    /* as in struct shape_field */
	const char *aliases; /* separated by commas; compared without case, blanks, "_" and "-" */
	bool required;
};

struct csv_row {
	unsigned line;   /* of the row's first character; the header is 1 */
	const char *raw; /* as in the document */
	size_t raw_len;
	const char *const *values; /* one for each csv_column; "" when blank or not there */
};

struct csv_reader {
	const struct csv_column *columns;
	size_t n_columns; /* at most CSV_COLUMNS_MAX */
	void *user;
	/* Anything but TTG_OK stops the reading and is returned. */
	enum ttg_error (*on_header)(void *user, const char *raw, size_t raw_len); /* may be NULL */
	enum ttg_error (*on_row)(void *user, const struct csv_row *row);
	enum ttg_error (*on_bad)(void *user, unsigned line, const char *text, const char *raw,
	                         size_t raw_len);
};

/*
 * Reads UTF-8 text. TTG_EFORMAT when the header lacks a required column or names one twice,
 * TTG_ELIMIT, TTG_ENOMEM, or what a callback returned.
 */
enum ttg_error csv_read(const struct csv_reader *reader, const char *text, size_t len,
                        struct message *message);

/* True when the first line has a column of that name or alias. */
bool csv_has_column(const char *text, size_t len, const struct csv_column *column);

#endif
