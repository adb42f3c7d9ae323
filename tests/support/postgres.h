/*
 * A PostgreSQL server of the test's own, from Debian's package: data, socket and log in a temporary
 * folder, no port. Where the package is missing the test fails. As root it runs as the package's
 * user, since it refuses to be root.
 *
 * Whatever becomes of the test process, the kernel has the server stop with it.
 */
#ifndef TTG_TEST_POSTGRES_H
#define TTG_TEST_POSTGRES_H

#include <stdbool.h>
#include <stdint.h>
#include "support/process.h"

#define POSTGRES_PLACE 160 /* bytes of a connection string */
#define POSTGRES_PASSWORD                                                                          \
	"correct-horse-4711" /* of the role `guarded`, the only one that needs one */

struct postgres_server {
	char directory[64]; /* "": none */
	char programs[256]; /* folder of initdb and postgres */
	struct process process;
	int databases; /* made so far */
};

/* Makes the folder and starts the server; without fsync, for tests that lose no power. */
void must_open_postgres(struct postgres_server *server);
/* Stops it, if it runs, and removes everything. */
void postgres_close(struct postgres_server *server);

void must_start_postgres(struct postgres_server *server);
/* By signal: SIGINT ends sessions in order, SIGQUIT drops everything at once. Waits for the end. */
void must_stop_postgres(struct postgres_server *server, int signal);

/* An empty database, owned by the role `ttg`: its connection string. */
void must_make_database(struct postgres_server *server, char place[POSTGRES_PLACE]);

/* Several statements; fails the test when one fails. */
void must_tell_postgres(const char *place, const char *sql);
/* One number; -1 when it cannot be had (no table yet, no server). */
int64_t postgres_ask(const char *place, const char *sql);

#endif
