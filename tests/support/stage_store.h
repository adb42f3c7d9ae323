/* The case store of a stage's adapter, asked from beside it. */
#ifndef TTG_TEST_STAGE_STORE_H
#define TTG_TEST_STAGE_STORE_H

#include "support/stage.h"

/* One number out of state/case.db, or of the PostgreSQL database when that is not ""; -1 when it is
 * not there yet. */
long stage_ask_store(const struct stage *stage, const char *database, const char *sql);

/* Waits until it gives the number, while the stage's peers go on. */
void must_store(struct stage *stage, const char *database, const char *sql, long number);

#endif
