/* Shared by the two files of PostgreSQL: store_postgres.c (statements), store_postgres_open.c. */
#ifndef STORE_POSTGRES_H
#define STORE_POSTGRES_H

#include <libpq-fe.h>
#include "store/database.h"

struct postgres {
	struct database database; /* first: the same address */
	PGconn *conn;             /* never blocks, once it is open */
	bool prepared[STATEMENTS];
	bool in_transaction;
};

extern const struct database_calls postgres_calls;

/* The error that a failed call left in the connection, with libpq's sentence in message. */
enum ttg_error postgres_connection_error(const PGconn *conn, const char *doing,
                                         struct message *message);

/* Several statements, the first of a connection. */
enum ttg_error postgres_begin_session(struct postgres *postgres, const char *sql,
                                      struct message *message);

#endif
