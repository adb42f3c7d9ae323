/*
 * The case store's database in an SQLite file.
 *
 * The file is in write-ahead mode with a full sync at each commit, so that "committed" means it
 * survives the loss of power. Statements are prepared once and reset after each use.
 */
#include "store/database.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define WAL_RETRY_MS 10

struct sqlite {
	struct database database; /* first: the same address */
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
};

static struct sqlite *of(struct database *database)
{
	return (struct sqlite *)database;
}

/* With SQLite's own sentence, which holds no values. */
static enum ttg_error failed(const struct sqlite *sqlite, const char *doing,
                             struct message *message)
{
	enum ttg_error error;

	switch (sqlite3_errcode(sqlite->db) & 0xff) {
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
	                   sqlite3_errstr(sqlite3_extended_errcode(sqlite->db)));
}

static sqlite3_stmt *statement_of(struct sqlite *sqlite, enum statement which)
{
	sqlite3_stmt **statement = &sqlite->statements[which];

	if (*statement == NULL)
		sqlite3_prepare_v3(sqlite->db, store_sql(which, DIALECT_SQLITE), -1,
		                   SQLITE_PREPARE_PERSISTENT, statement, NULL);
	return *statement;
}

/* SQLite counts a parameter where it first meets it; its name is its place in values. */
static void bind_value(sqlite3_stmt *statement, size_t place, const struct value *value)
{
	char name[24];
	int index;

	snprintf(name, sizeof(name), "$%zu", place + 1);
	index = sqlite3_bind_parameter_index(statement, name);
	switch (value->kind) {
	case VALUE_INTEGER:
		sqlite3_bind_int64(statement, index, value->integer);
		break;
	case VALUE_TEXT:
		sqlite3_bind_text64(statement, index, value->bytes, value->len, SQLITE_STATIC,
		                    SQLITE_UTF8);
		break;
	case VALUE_BYTES:
		sqlite3_bind_blob64(statement, index, value->bytes, value->len, SQLITE_STATIC);
		break;
	case VALUE_NULL:
	default:
		break; /* what is not bound is NULL */
	}
}

static void read_column(sqlite3_stmt *statement, int index, struct value *out)
{
	*out = (struct value){ .kind = VALUE_NULL };
	switch (sqlite3_column_type(statement, index)) {
	case SQLITE_INTEGER:
		out->kind = VALUE_INTEGER;
		out->integer = sqlite3_column_int64(statement, index);
		break;
	case SQLITE_TEXT:
		out->kind = VALUE_TEXT;
		out->bytes = sqlite3_column_text(statement, index);
		break;
	case SQLITE_BLOB:
		out->kind = VALUE_BYTES;
		out->bytes = sqlite3_column_blob(statement, index);
		break;
	default:
		break;
	}
	if (out->kind == VALUE_TEXT || out->kind == VALUE_BYTES)
		out->len = (size_t)sqlite3_column_bytes(statement, index);
}

/* False: enough. */
static bool show_row(sqlite3_stmt *statement, const struct query *query)
{
	struct value columns[DATABASE_COLUMNS_MAX];
	int n = sqlite3_column_count(statement);

	if (query->row == NULL)
		return true;
	if (n > DATABASE_COLUMNS_MAX)
		n = DATABASE_COLUMNS_MAX;
	for (int i = 0; i < n; i++)
		read_column(statement, i, &columns[i]);
	return query->row(query->arg, columns, (size_t)n);
}

static enum ttg_error run(struct database *database, const struct query *query, uint64_t *changed,
                          struct message *message)
{
	struct sqlite *sqlite = of(database);
	sqlite3_stmt *statement = statement_of(sqlite, query->statement);
	enum ttg_error error = TTG_OK;
	int result;

	if (statement == NULL)
		return failed(sqlite, query->doing, message);
	for (size_t i = 0; i < query->n_values; i++)
		bind_value(statement, i, &query->values[i]);
	do {
		result = sqlite3_step(statement);
	} while (result == SQLITE_ROW && show_row(statement, query));
	if (result != SQLITE_DONE && result != SQLITE_ROW)
		error = failed(sqlite, query->doing, message);
	else if (changed != NULL)
		*changed = (uint64_t)sqlite3_changes(sqlite->db);
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return error;
}

static enum ttg_error script(struct database *database, const char *sql, const char *doing,
                             struct message *message)
{
	struct sqlite *sqlite = of(database);

	if (sqlite3_exec(sqlite->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return failed(sqlite, doing, message);
	return TTG_OK;
}

static enum ttg_error begin(struct database *database, struct message *message)
{
	return script(database, "BEGIN IMMEDIATE", "beginning to write", message);
}

static enum ttg_error commit(struct database *database, struct message *message)
{
	return script(database, "COMMIT", "committing", message);
}

static void rollback(struct database *database)
{
	sqlite3_exec(of(database)->db, "ROLLBACK", NULL, NULL, NULL);
}

static void close_file(struct database *database)
{
	struct sqlite *sqlite = of(database);

	for (size_t i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(sqlite->statements[i]);
	sqlite3_close(sqlite->db);
	free(sqlite);
}

static const struct database_calls calls = {
	.begin = begin,
	.commit = commit,
	.rollback = rollback,
	.script = script,
	.run = run,
	.close = close_file,
};

/* Of several that open a new file at once, SQLite turns some away without patience. */
static enum ttg_error begin_wal(struct sqlite *sqlite, struct message *message)
{
	enum ttg_error error;
	int waited_ms = 0;

	for (;;) {
		error = script(&sqlite->database, "PRAGMA journal_mode = WAL", "opening", message);
		if (error != TTG_ETIMEOUT || waited_ms >= DATABASE_BUSY_MS)
			return error;
		waited_ms += sqlite3_sleep(WAL_RETRY_MS);
	}
}

static enum ttg_error open_file(struct sqlite *sqlite, const char *path, enum opening opening,
                                struct message *message)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
	                  (opening == OPEN_SERVICE ? SQLITE_OPEN_CREATE : 0);
	enum ttg_error error;

	if (sqlite3_open_v2(path, &sqlite->db, flags, NULL) != SQLITE_OK)
		return sqlite->db != NULL ? failed(sqlite, "opening", message)
		                          : message_set(message, TTG_ENOMEM, "no memory");
	sqlite3_busy_timeout(sqlite->db, DATABASE_BUSY_MS);
	if (opening == OPEN_READER)
		return TTG_OK;
	error = begin_wal(sqlite, message);
	if (error != TTG_OK)
		return error;
	return script(&sqlite->database,
	              "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
	              " PRAGMA secure_delete = ON",
	              "opening", message);
}

enum ttg_error sqlite_open(struct database **out, const char *path, enum opening opening,
                           struct message *message)
{
	struct sqlite *sqlite;
	enum ttg_error error;
	struct stat status;
	mode_t mask;

	*out = NULL;
	if (opening != OPEN_SERVICE && stat(path, &status) != 0)
		return message_set(message, TTG_ENOENT, "there is no case store yet");
	sqlite = calloc(1, sizeof(*sqlite));
	if (sqlite == NULL)
		return message_set(message, TTG_ENOMEM, "no memory for the case store");
	sqlite->database = (struct database){ .calls = &calls, .dialect = DIALECT_SQLITE };
	mask = umask(S_IRWXG | S_IRWXO);
	error = open_file(sqlite, path, opening, message);
	umask(mask);
	if (error != TTG_OK)
		close_file(&sqlite->database);
	else
		*out = &sqlite->database;
	return error;
}
