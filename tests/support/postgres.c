/*
 * Servers of PostgreSQL for tests. Owner: the test's only thread. Every failure fails the test.
 */
#include "support/postgres.h"

#include <ftw.h>
#include <glob.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "support/assert.h"
#include "support/wait.h"

#define USER               "postgres" /* of Debian's package */
#define ARGUMENTS_MAX      24
#define REMOVE_DESCRIPTORS 16

static void find_programs(struct postgres_server *server)
{
	glob_t found;

	if (glob("/usr/lib/postgresql/*/bin/postgres", 0, NULL, &found) != 0)
		must_fail("PostgreSQL is missing: sh tests/packages.sh installs it");
	snprintf(server->programs, sizeof(server->programs), "%.*s",
	         (int)(strlen(found.gl_pathv[found.gl_pathc - 1]) - strlen("/postgres")),
	         found.gl_pathv[found.gl_pathc - 1]);
	globfree(&found);
}

/* Starts a program of PostgreSQL as somebody it accepts; SIGQUIT reaches it when the test goes. */
static void start(struct postgres_server *server, const char *name, const char *const *arguments)
{
	static const char *const drop[] = { "/usr/bin/setpriv", "--reuid=" USER,    "--regid=" USER,
		                            "--clear-groups",   "--pdeathsig=QUIT", NULL };
	const struct process_options options = { .name = name, .directory = server->directory };
	const char *all[ARGUMENTS_MAX];
	char program[PROCESS_PATH_MAX];
	size_t n = 0;

	for (size_t i = 0; geteuid() == 0 && drop[i] != NULL; i++)
		all[n++] = drop[i];
	snprintf(program, sizeof(program), "%s/%s", server->programs, name);
	all[n++] = program;
	for (size_t i = 0; arguments[i] != NULL && n + 1 < ARGUMENTS_MAX; i++)
		all[n++] = arguments[i];
	all[n] = NULL;
	must_start(&server->process, &options, all);
}

static void write_file(const struct postgres_server *server, const char *name, const char *mode,
                       const char *text)
{
	char path[PROCESS_PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/data/%s", server->directory, name);
	file = fopen(path, mode);
	must_be(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0, "cannot write");
}

static void configure(const struct postgres_server *server)
{
	char text[512];

	snprintf(text, sizeof(text),
	         "listen_addresses = ''\nunix_socket_directories = '%s'\nfsync = off\n"
	         "full_page_writes = off\nshared_buffers = 32MB\nmax_connections = 20\n",
	         server->directory);
	write_file(server, "postgresql.conf", "ae", text);
	write_file(server, "pg_hba.conf", "we",
	           "local all guarded scram-sha-256\nlocal all all trust\n");
}

static bool accepts(void *arg)
{
	const struct postgres_server *server = arg;
	char place[POSTGRES_PLACE];

	snprintf(place, sizeof(place), "host=%s user=postgres dbname=postgres", server->directory);
	return PQping(place) == PQPING_OK;
}

void must_start_postgres(struct postgres_server *server)
{
	const char *const arguments[] = { "-D", "data", NULL };

	start(server, "postgres", arguments);
	if (!wait_until(accepts, server, WAIT_LONG_MS)) {
		print_tail("postgres", server->process.err_path);
		must_fail("PostgreSQL does not start");
	}
}

void must_stop_postgres(struct postgres_server *server, int signal)
{
	must_signal(&server->process, signal);
	must_end(&server->process, WAIT_LONG_MS);
}

void must_open_postgres(struct postgres_server *server)
{
	const char *const arguments[] = { "-D",         "data",      "-U", "postgres", "-E", "UTF8",
		                          "--locale=C", "--no-sync", "-A", "trust",    NULL };
	char place[POSTGRES_PLACE];

	memset(server, 0, sizeof(*server));
	find_programs(server);
	strcpy(server->directory, "/tmp/ttg-postgres-XXXXXX");
	must_be(mkdtemp(server->directory) != NULL, "cannot make a folder");
	if (geteuid() == 0) {
		const struct passwd *user = getpwnam(USER);

		must_be(user != NULL, "there is no user " USER);
		must_be(chown(server->directory, user->pw_uid, user->pw_gid) == 0, "cannot give");
	}
	start(server, "initdb", arguments);
	if (must_end(&server->process, 3 * WAIT_LONG_MS) != 0) {
		print_tail("initdb", server->process.err_path);
		must_fail("initdb failed");
	}
	configure(server);
	must_start_postgres(server);
	snprintf(place, sizeof(place), "host=%s user=postgres dbname=postgres", server->directory);
	must_tell_postgres(place, "CREATE ROLE ttg LOGIN;"
	                          "CREATE ROLE guarded LOGIN PASSWORD '" POSTGRES_PASSWORD "'");
}

static int remove_entry(const char *path, const struct stat *about, int kind, struct FTW *place)
{
	(void)about;
	(void)kind;
	(void)place;
	return remove(path);
}

void postgres_close(struct postgres_server *server)
{
	if (server->directory[0] == '\0')
		return;
	if (process_running(&server->process))
		must_stop_postgres(server, SIGQUIT);
	nftw(server->directory, remove_entry, REMOVE_DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
	server->directory[0] = '\0';
}

void must_make_database(struct postgres_server *server, char place[POSTGRES_PLACE])
{
	char sql[96];

	server->databases++;
	snprintf(place, POSTGRES_PLACE, "host=%s user=postgres dbname=postgres", server->directory);
	snprintf(sql, sizeof(sql), "CREATE DATABASE store%d OWNER ttg", server->databases);
	must_tell_postgres(place, sql);
	snprintf(place, POSTGRES_PLACE, "host=%s user=ttg dbname=store%d", server->directory,
	         server->databases);
}

void must_tell_postgres(const char *place, const char *sql)
{
	PGconn *conn = PQconnectdb(place);
	PGresult *result = PQexec(conn, sql);
	const ExecStatusType status = PQresultStatus(result);
	char why[256];

	snprintf(why, sizeof(why), "%s", PQerrorMessage(conn));
	PQclear(result);
	PQfinish(conn);
	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		must_fail("PostgreSQL: %s", why);
}

int64_t postgres_ask(const char *place, const char *sql)
{
	PGconn *conn = PQconnectdb(place);
	PGresult *result = PQexec(conn, sql);
	int64_t number = -1;

	if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1)
		number = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	PQfinish(conn);
	return number;
}
