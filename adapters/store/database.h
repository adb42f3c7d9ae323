/*
 * What the case store asks of a database, and no more: statements of store_sql.h with values,
 * scripts of a migration, one transaction at a time. Two know it: SQLite (store_sqlite.c),
 * PostgreSQL (store_postgres.c). Owned by one thread.
 *
 * Errors of every call: TTG_EIO (also: the server is not there), TTG_ENOSPC, TTG_ENOMEM,
 * TTG_ECORRUPT, TTG_ETIMEOUT (another process holds it, or the server does not answer), TTG_EPERM.
 * The message never holds a value. A failed statement leaves a transaction that can only be rolled
 * back.
 */
#ifndef STORE_DATABASE_H
#define STORE_DATABASE_H

#include "store/store.h"
#include "store/store_sql.h"

#define DATABASE_VALUES_MAX  20
#define DATABASE_COLUMNS_MAX 16

enum value_kind { VALUE_NULL = 0, VALUE_INTEGER, VALUE_TEXT, VALUE_BYTES };

/* What is bound to a statement, or stands in a column. Bytes are whose they are; text ends with a
 * NUL. */
struct value {
	enum value_kind kind;
	int64_t integer;
	const void *bytes; /* of text too */
	size_t len;
};

struct query {
	enum statement statement;
	const char *doing;          /* "keeping an event": for the message */
	const struct value *values; /* $1 is values[0] */
	size_t n_values;
	bool slow; /* may take minutes; else TTG_ETIMEOUT after DATABASE_ANSWER_S */

	/* Each row in turn, good during the call; false: enough. The database is not used
	 * meanwhile. */
	bool (*row)(void *arg, const struct value *columns, size_t n);
	void *arg;
};

#define DATABASE_ANSWER_S 60
#define DATABASE_SLOW_S   600  /* between two rows */
#define DATABASE_BUSY_MS  5000 /* patience with another process that writes */

struct database {
	const struct database_calls *calls;
	enum dialect dialect;
};

struct database_calls {
	/* Begins to write, alone among all processes that do. */
	enum ttg_error (*begin)(struct database *database, struct message *message);
	/* After an error nothing is kept, or, where a server went away, nobody knows. */
	enum ttg_error (*commit)(struct database *database, struct message *message);
	void (*rollback)(struct database *database);

	/* Several statements without values, as long as it takes. */
	enum ttg_error (*script)(struct database *database, const char *sql, const char *doing,
	                         struct message *message);

	/* changed: rows that were written; may be NULL. */
	enum ttg_error (*run)(struct database *database, const struct query *query,
	                      uint64_t *changed, struct message *message);

	void (*close)(struct database *database);
};

/* Who opens it: reads; also acknowledges alerts; keeps all and owns the schema. */
enum opening { OPEN_READER = 0, OPEN_DESK, OPEN_SERVICE };

/* Opens it, for the service made if missing; TTG_ENOENT for others when it is not there. */
enum ttg_error sqlite_open(struct database **out, const char *path, enum opening opening,
                           struct message *message);
/* TTG_ENOENT: no such database; TTG_EFORMAT: as postgres_check(). */
enum ttg_error postgres_open(struct database **out, const struct store_place *place,
                             enum opening opening, struct message *message);
/* What can be wrong with the connection string and the password's file, without a server. */
enum ttg_error postgres_check(const struct store_place *place, struct message *message);

#endif
