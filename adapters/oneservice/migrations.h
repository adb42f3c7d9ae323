/*
 * The case store's schema as numbered steps. A step that was released is never edited; a change is
 * a new step. PRAGMA user_version holds the number of the last step done.
 */
#ifndef ONESERVICE_MIGRATIONS_H
#define ONESERVICE_MIGRATIONS_H

#include <sqlite3.h>
#include "base/message.h"

/* Does the missing steps, each in a transaction. TTG_EVERSION when the file is newer than we are.
 */
enum ttg_error migrations_run(sqlite3 *db, struct message *message);

/* Number of the last step this program knows. */
int migrations_latest(void);

/* The error for a failed SQLite call, with SQLite's own sentence (never values) in message. */
enum ttg_error store_error(sqlite3 *db, const char *doing, struct message *message);

#endif
