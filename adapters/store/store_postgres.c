/*
 * The case store's database in PostgreSQL: statements, prepared once a connection, values beside
 * them in binary form and never in their text.
 *
 * Happy path: sent -> flushed -> polled for, with a deadline -> results taken to the last. What
 * comes in rows is taken one row at a time, so that memory does not grow with the table.
 *
 * A server that goes away or falls silent is an error like a full disk: the connection is not
 * mended here, the adapter ends, its unit starts it again, and the broker delivers what was not
 * acknowledged.
 */
#include "store/store_postgres.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/world.h"

#define NS_PER_MS  INT64_C(1000000)
#define NO_LIMIT_S 0
#define BINARY     1
#define PLACE_TEXT 256 /* of a server's sentence, as much as is shown */

/* Types of columns, from PostgreSQL's catalogue, where they are fixed. */
#define TYPE_BYTEA 17
#define TYPE_INT8  20

/* One of all that write to this database; held to the end of a transaction. */
#define LOCK_WRITING "SELECT pg_advisory_xact_lock(8391153061)"

static struct postgres *of(struct database *database)
{
	return (struct postgres *)database;
}

static int64_t now_ms(void)
{
	return world_real()->mono_ns(world_real()->self) / NS_PER_MS;
}

static enum ttg_error error_of(const char *state)
{
	static const struct {
		const char *begins;
		enum ttg_error error;
	} known[] = {
		{ "53100", TTG_ENOSPC },   /* disk_full */
		{ "53200", TTG_ENOMEM },   /* out_of_memory */
		{ "55P03", TTG_ETIMEOUT }, /* lock_not_available */
		{ "57014", TTG_ETIMEOUT }, /* query_canceled */
		{ "40", TTG_ETIMEOUT },    /* rolled back in favour of another process */
		{ "XX001", TTG_ECORRUPT }, /* data_corrupted */
		{ "XX002", TTG_ECORRUPT }, /* index_corrupted */
		{ "28", TTG_EPERM },       /* authorization */
		{ "42501", TTG_EPERM },    /* insufficient_privilege */
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (strncmp(state, known[i].begins, strlen(known[i].begins)) == 0)
			return known[i].error;
	}
	return TTG_EIO;
}

/* One line, in the log's quotes. */
static enum ttg_error tell(enum ttg_error error, const char *doing, const char *state,
                           const char *sentence, struct message *message)
{
	char line[PLACE_TEXT];

	snprintf(line, sizeof(line), "%s", sentence);
	for (char *at = line; *at != '\0'; at++) {
		if (*at == '\n' || *at == '\t')
			*at = ' ';
		else if (*at == '"')
			*at = '\'';
	}
	return message_set(message, error, "case store: %s failed: %s%s%s", doing, state,
	                   *state != '\0' ? " " : "", line);
}

enum ttg_error postgres_connection_error(const PGconn *conn, const char *doing,
                                         struct message *message)
{
	return tell(TTG_EIO, doing, "", PQerrorMessage(conn), message);
}

/* With the server's sentence, but where it is about data (classes 22 and 23) and may hold some. */
static enum ttg_error failed(const struct postgres *postgres, const PGresult *result,
                             const char *doing, struct message *message)
{
	const char *state = result == NULL ? NULL : PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *sentence = "";

	if (state == NULL)
		return postgres_connection_error(postgres->conn, doing, message);
	if (strncmp(state, "22", 2) != 0 && strncmp(state, "23", 2) != 0)
		sentence = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	return tell(error_of(state), doing, state, sentence != NULL ? sentence : "", message);
}

/* Waits until a result is there, or the connection is gone, which PQgetResult() then tells. */
static bool wait_for_result(PGconn *conn, int limit_s)
{
	const int64_t until_ms = now_ms() + (int64_t)limit_s * 1000;

	for (;;) {
		const int unsent = PQflush(conn);
		struct pollfd fd = { .fd = PQsocket(conn),
			             .events = (short)(unsent > 0 ? POLLIN | POLLOUT : POLLIN) };
		int64_t left_ms = limit_s == NO_LIMIT_S ? -1 : until_ms - now_ms();

		if (unsent < 0 || (unsent == 0 && !PQisBusy(conn)))
			return true;
		if (limit_s != NO_LIMIT_S && left_ms <= 0)
			return false;
		if (poll(&fd, 1, (int)left_ms) < 0 && errno != EINTR)
			return true;
		if (!PQconsumeInput(conn))
			return true;
	}
}

/* False: enough. */
static bool show_row(const PGresult *result, const struct query *query)
{
	struct value columns[DATABASE_COLUMNS_MAX];
	int n = PQnfields(result);

	if (query->row == NULL)
		return true;
	if (n > DATABASE_COLUMNS_MAX)
		n = DATABASE_COLUMNS_MAX;
	for (int i = 0; i < n; i++) {
		struct value *column = &columns[i];
		const char *bytes = PQgetvalue(result, 0, i);

		*column = (struct value){ .kind = VALUE_NULL };
		if (PQgetisnull(result, 0, i))
			continue;
		column->len = (size_t)PQgetlength(result, 0, i);
		if (PQftype(result, i) == TYPE_INT8 && column->len == sizeof(uint64_t)) {
			uint64_t number;

			memcpy(&number, bytes, sizeof(number));
			column->kind = VALUE_INTEGER;
			column->integer = (int64_t)be64toh(number);
		} else {
			column->kind = PQftype(result, i) == TYPE_BYTEA ? VALUE_BYTES : VALUE_TEXT;
			column->bytes = bytes;
		}
	}
	return query->row(query->arg, columns, (size_t)n);
}

/* The reader has enough: the server need not send the rest, unless that would end a transaction. */
static void cancel(const struct postgres *postgres)
{
	char ignored[PLACE_TEXT];
	PGcancel *handle = postgres->in_transaction ? NULL : PQgetCancel(postgres->conn);

	if (handle != NULL)
		PQcancel(handle, ignored, sizeof(ignored));
	PQfreeCancel(handle);
}

/* What is sent, and what came of it so far. */
struct taking {
	const char *doing;
	const char *tag;           /* of the command that must be done; NULL: no error is enough */
	const struct query *query; /* whose rows are shown; NULL: nobody looks */
	uint64_t *changed;         /* may be NULL */
	int limit_s;
	bool enough, done;
	enum ttg_error error; /* the first */
};

static void take_result(struct postgres *postgres, struct taking *taking, PGresult *result,
                        struct message *message)
{
	const ExecStatusType status = PQresultStatus(result);

	if (status == PGRES_SINGLE_TUPLE) {
		if (!taking->enough && taking->query != NULL && !show_row(result, taking->query)) {
			taking->enough = true;
			cancel(postgres);
		}
	} else if (status == PGRES_COMMAND_OK) {
		if (taking->changed != NULL)
			*taking->changed = strtoull(PQcmdTuples(result), NULL, 10);
		if (taking->tag != NULL && strcmp(PQcmdStatus(result), taking->tag) == 0)
			taking->done = true;
	} else if (status != PGRES_TUPLES_OK && taking->error == TTG_OK && !taking->enough) {
		taking->error = failed(postgres, result, taking->doing, message);
	}
}

/* Takes every result of what was sent. */
static enum ttg_error take_results(struct postgres *postgres, struct taking *taking,
                                   struct message *message)
{
	PGresult *result;

	do {
		if (!wait_for_result(postgres->conn, taking->limit_s))
			return message_set(message, TTG_ETIMEOUT,
			                   "case store: %s failed: the server does not answer",
			                   taking->doing);
		result = PQgetResult(postgres->conn);
		if (result != NULL)
			take_result(postgres, taking, result, message);
		PQclear(result);
	} while (result != NULL);
	if (taking->error == TTG_OK && taking->tag != NULL && !taking->done)
		return message_set(message, TTG_EIO, "case store: %s failed: rolled back",
		                   taking->doing);
	return taking->error;
}

static enum ttg_error simple(struct postgres *postgres, const char *sql, struct taking taking,
                             struct message *message)
{
	if (!PQsendQuery(postgres->conn, sql))
		return postgres_connection_error(postgres->conn, taking.doing, message);
	return take_results(postgres, &taking, message);
}

static enum ttg_error script(struct database *database, const char *sql, const char *doing,
                             struct message *message)
{
	return simple(of(database), sql, (struct taking){ .doing = doing, .limit_s = NO_LIMIT_S },
	              message);
}

enum ttg_error postgres_begin_session(struct postgres *postgres, const char *sql,
                                      struct message *message)
{
	const struct taking taking = { .doing = "connecting", .limit_s = DATABASE_ANSWER_S };

	return simple(postgres, sql, taking, message);
}

static enum ttg_error begin(struct database *database, struct message *message)
{
	struct postgres *postgres = of(database);
	const struct taking taking = { .doing = "beginning to write",
		                       .limit_s = DATABASE_ANSWER_S };
	enum ttg_error error = simple(postgres, "BEGIN; " LOCK_WRITING, taking, message);

	postgres->in_transaction = true;
	if (error != TTG_OK)
		database->calls->rollback(database);
	return error;
}

/* A transaction that failed before is rolled back by COMMIT, without an error: its tag says so. */
static enum ttg_error commit(struct database *database, struct message *message)
{
	struct postgres *postgres = of(database);
	const struct taking taking = { .doing = "committing",
		                       .limit_s = DATABASE_ANSWER_S,
		                       .tag = "COMMIT" };

	postgres->in_transaction = false;
	return simple(postgres, "COMMIT", taking, message);
}

static void rollback(struct database *database)
{
	struct postgres *postgres = of(database);
	const struct taking taking = { .doing = "rolling back", .limit_s = DATABASE_ANSWER_S };
	struct message ignored;

	postgres->in_transaction = false;
	simple(postgres, "ROLLBACK", taking, &ignored);
}

static enum ttg_error prepare(struct postgres *postgres, enum statement which, const char *name,
                              const char *doing, struct message *message)
{
	struct taking taking = { .doing = doing, .limit_s = DATABASE_ANSWER_S };
	enum ttg_error error;

	if (postgres->prepared[which])
		return TTG_OK;
	if (!PQsendPrepare(postgres->conn, name, store_sql(which, DIALECT_POSTGRES), 0, NULL))
		return postgres_connection_error(postgres->conn, doing, message);
	error = take_results(postgres, &taking, message);
	postgres->prepared[which] = error == TTG_OK;
	return error;
}

static bool send_query(PGconn *conn, const char *name, const struct query *query)
{
	uint64_t integers[DATABASE_VALUES_MAX];
	const char *values[DATABASE_VALUES_MAX];
	int lengths[DATABASE_VALUES_MAX];
	int formats[DATABASE_VALUES_MAX];

	assert(query->n_values <= DATABASE_VALUES_MAX);
	for (size_t i = 0; i < query->n_values; i++) {
		const struct value *value = &query->values[i];

		integers[i] = htobe64((uint64_t)value->integer);
		formats[i] = BINARY;
		lengths[i] =
		        value->kind == VALUE_INTEGER ? (int)sizeof(integers[i]) : (int)value->len;
		values[i] = value->kind == VALUE_INTEGER ? (const char *)&integers[i]
		                                         : (const char *)value->bytes;
		if (value->kind == VALUE_NULL)
			values[i] = NULL;
		else if (values[i] == NULL)
			values[i] = ""; /* of no length: bytes, not NULL */
	}
	return PQsendQueryPrepared(conn, name, (int)query->n_values, values, lengths, formats,
	                           BINARY) == 1 &&
	       PQsetSingleRowMode(conn) == 1;
}

static enum ttg_error run(struct database *database, const struct query *query, uint64_t *changed,
                          struct message *message)
{
	struct postgres *postgres = of(database);
	struct taking taking = { .doing = query->doing,
		                 .query = query,
		                 .limit_s = query->slow ? DATABASE_SLOW_S : DATABASE_ANSWER_S };
	char name[16];
	enum ttg_error error;

	taking.changed = changed;
	snprintf(name, sizeof(name), "s%d", (int)query->statement);
	error = prepare(postgres, query->statement, name, query->doing, message);
	if (error != TTG_OK)
		return error;
	if (!send_query(postgres->conn, name, query))
		return postgres_connection_error(postgres->conn, query->doing, message);
	return take_results(postgres, &taking, message);
}

static void close_connection(struct database *database)
{
	struct postgres *postgres = of(database);

	PQfinish(postgres->conn);
	free(postgres);
}

const struct database_calls postgres_calls = {
	.begin = begin,
	.commit = commit,
	.rollback = rollback,
	.script = script,
	.run = run,
	.close = close_connection,
};
