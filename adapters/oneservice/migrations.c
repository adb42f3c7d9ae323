/*
 * Schema of the case store and the way from any older one to it. Called by the thread that owns the
 * store, before anything else is done with it. A step that fails leaves the file as it was.
 */
#include "oneservice/migrations.h"
#include "oneservice/store.h"

#include <assert.h>
#include <stdio.h>

struct migration {
	int number;
	const char *sql;
};

static const struct migration migrations[] = {
	{ 1,
	  /* Every event delivered, once, with the exact bytes delivered. Times are nanoseconds
	     since 1970 (UTC), NULL when the event does not say. `mailbox` and `position` are
	     those it first came through. */
	  "CREATE TABLE event ("
	  " id BLOB PRIMARY KEY CHECK (length(id) = 16),"
	  " type TEXT NOT NULL,"
	  " source TEXT NOT NULL,"
	  " occurred_ns INTEGER,"
	  " recorded_ns INTEGER,"
	  " accepted_ns INTEGER NOT NULL,"
	  " received_ns INTEGER NOT NULL,"
	  " person_key BLOB,"
	  " mailbox TEXT NOT NULL,"
	  " position INTEGER NOT NULL,"
	  " correlation_id BLOB,"
	  " causation_id BLOB,"
	  " supersedes BLOB,"
	  " urgency INTEGER NOT NULL,"
	  " redacted INTEGER NOT NULL,"
	  " encoded BLOB NOT NULL"
	  ") WITHOUT ROWID;"
	  "CREATE INDEX event_by_person ON event (person_key, occurred_ns);"
	  "CREATE INDEX event_by_type ON event (type, occurred_ns);"
	  "CREATE INDEX event_by_received ON event (received_ns);"
	  "CREATE INDEX event_by_correlation ON event (correlation_id)"
	  " WHERE correlation_id IS NOT NULL;"
	  "CREATE INDEX event_by_superseded ON event (supersedes) WHERE supersedes IS NOT NULL;"
	  /* Every way an event came: one row for each mailbox that was granted it. */
	  "CREATE TABLE delivery ("
	  " event_id BLOB NOT NULL REFERENCES event (id),"
	  " mailbox TEXT NOT NULL,"
	  " position INTEGER NOT NULL,"
	  " received_ns INTEGER NOT NULL,"
	  " PRIMARY KEY (event_id, mailbox)"
	  ") WITHOUT ROWID;"
	  /* How far each mailbox is kept here. */
	  "CREATE TABLE position ("
	  " mailbox TEXT PRIMARY KEY,"
	  " stored_to INTEGER NOT NULL"
	  ") WITHOUT ROWID;"
	  /* What we published ourselves, and the broker's answer: code NULL until it came. */
	  "CREATE TABLE published ("
	  " id BLOB PRIMARY KEY CHECK (length(id) = 16),"
	  " type TEXT NOT NULL,"
	  " published_ns INTEGER NOT NULL,"
	  " code INTEGER,"
	  " duplicate INTEGER,"
	  " sequence INTEGER,"
	  " text TEXT,"
	  " answered_ns INTEGER,"
	  " encoded BLOB NOT NULL"
	  ") WITHOUT ROWID;" },
};

#define MIGRATIONS (sizeof(migrations) / sizeof(migrations[0]))
_Static_assert(MIGRATIONS == STORE_SCHEMA_VERSION, "the schema version is the last migration");

static enum ttg_error read_version(sqlite3 *db, int *version, struct message *message)
{
	sqlite3_stmt *statement = NULL;
	enum ttg_error error = TTG_OK;

	if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &statement, NULL) != SQLITE_OK ||
	    sqlite3_step(statement) != SQLITE_ROW)
		error = store_error(db, "reading the schema's version", message);
	else
		*version = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return error;
}

static enum ttg_error run_step(sqlite3 *db, const struct migration *step, struct message *message)
{
	char finish[64];

	snprintf(finish, sizeof(finish), "PRAGMA user_version = %d; COMMIT", step->number);
	if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_exec(db, step->sql, NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_exec(db, finish, NULL, NULL, NULL) != SQLITE_OK) {
		enum ttg_error error = store_error(db, "changing the schema", message);

		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
		return error;
	}
	return TTG_OK;
}

enum ttg_error migrations_run(sqlite3 *db, struct message *message)
{
	int version = 0;
	enum ttg_error error = read_version(db, &version, message);

	if (error != TTG_OK)
		return error;
	if (version < 0 || version > migrations_latest())
		return message_set(message, TTG_EVERSION,
		                   "the case store has schema %d, this program knows up to %d: "
		                   "use the newer program that wrote it",
		                   version, migrations_latest());
	for (size_t i = 0; i < MIGRATIONS; i++) {
		assert(migrations[i].number == (int)i + 1);
		if (migrations[i].number <= version)
			continue;
		error = run_step(db, &migrations[i], message);
		if (error != TTG_OK)
			return error;
	}
	return TTG_OK;
}

int migrations_latest(void)
{
	return (int)MIGRATIONS;
}

enum ttg_error store_error(sqlite3 *db, const char *doing, struct message *message)
{
	enum ttg_error error;

	switch (sqlite3_errcode(db) & 0xff) {
	case SQLITE_FULL:
		error = TTG_ENOSPC;
		break;
	case SQLITE_NOMEM:
		error = TTG_ENOMEM;
		break;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		error = TTG_ETIMEOUT;
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		error = TTG_ECORRUPT;
		break;
	default:
		error = TTG_EIO;
		break;
	}
	return message_set(message, error, "case store: %s failed: %s", doing,
	                   sqlite3_errstr(sqlite3_extended_errcode(db)));
}
