/*
 * The case store's schema as numbered steps, one list for both databases. A step that was released
 * is never edited; a change is a new step. The number of the last step done stands in PRAGMA
 * user_version (SQLite) or in the table store_version (PostgreSQL).
 */
#ifndef STORE_MIGRATIONS_H
#define STORE_MIGRATIONS_H

#include "store/database.h"

/*
 * Does the missing steps, each in a transaction of its own, alone among processes that start at the
 * same time. TTG_EVERSION when the store is newer than we are.
 */
enum ttg_error migrations_run(struct database *database, struct message *message);

/*
 * For who leaves the schema alone: TTG_EVERSION as above, and with `newest` when a step is missing;
 * TTG_ENOENT when none was done yet.
 */
enum ttg_error migrations_check(struct database *database, bool newest, struct message *message);

#endif
