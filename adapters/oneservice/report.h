/*
 * ttg-oneservice report: tables of figures out of the case store, beside the running adapter.
 */
#ifndef ONESERVICE_REPORT_H
#define ONESERVICE_REPORT_H

#include "oneservice/figures_table.h"

/* argv[0] is the word "report". Returns an exit status of adapter.h. */
int report_main(int argc, char **argv);

enum report_form {
	REPORT_PEOPLE = 0, /* columns of words, right for a terminal */
	REPORT_CSV,        /* RFC 4180 */
	REPORT_JSON,       /* an object a line */
};

#define REPORT_CELL_BYTES 80

/* One cell as all forms write it, in plain ASCII; "" when it has nothing to tell. */
void report_cell(const struct cell *cell, char out[REPORT_CELL_BYTES]);

/* The table as text, malloc'd; NULL without memory. Pure. */
char *report_format(const struct table *table, enum report_form form);

#endif
