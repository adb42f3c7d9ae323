/*
 * Reaching PostgreSQL: what the configuration says of it is checked, then connected to. The
 * password comes from its file for the moment of connecting and is wiped then (libpq keeps a copy
 * of its own); no message quotes the connection string.
 */
#include "store/store_postgres.h"

#include <stdlib.h>
#include <string.h>
#include "base/secret.h"
#include "common/secret_file.h"

#define PASSWORD_MIN 1

/*
 * What the store relies on, whatever the server, the database or the role is set to: committed is
 * on disk; who waits for another writer gives up (DATABASE_BUSY_MS); a connection whose adapter is
 * cut off does not hold the lock for ever.
 */
static const char session[] =
        "SET lock_timeout = '5s'; SET statement_timeout = 0;"
        "SET idle_in_transaction_session_timeout = '60s';"
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED;"
        "SELECT set_config('synchronous_commit', 'on', false)"
        " WHERE current_setting('synchronous_commit') = 'off'";

_Static_assert(DATABASE_BUSY_MS == 5000, "the lock_timeout above");

static bool is_given(const char *word)
{
	return word != NULL && word[0] != '\0';
}

/* Of one host of a list: a socket in the file system, or this machine. */
static bool is_near(const char *host, size_t len)
{
	static const char *const near[] = { "", "localhost", "127.0.0.1", "::1" };

	if (len > 0 && (host[0] == '/' || host[0] == '@'))
		return true;
	for (size_t i = 0; i < sizeof(near) / sizeof(*near); i++) {
		if (strlen(near[i]) == len && strncmp(near[i], host, len) == 0)
			return true;
	}
	return false;
}

static bool all_near(const char *hosts)
{
	for (;;) {
		size_t len = strcspn(hosts, ",");

		if (!is_near(hosts, len))
			return false;
		if (hosts[len] == '\0')
			return true;
		hosts += len + 1;
	}
}

static enum ttg_error check_options(const PQconninfoOption *options, struct message *message)
{
	bool near = true, verified = false;

	for (const PQconninfoOption *one = options; one->keyword != NULL; one++) {
		if (!is_given(one->val))
			continue;
		if (strcmp(one->keyword, "password") == 0 ||
		    strcmp(one->keyword, "sslpassword") == 0)
			return message_set(message, TTG_EFORMAT,
			                   "store.postgres: holds a password; it belongs in "
			                   "store.password_file or in a passfile");
		if (strcmp(one->keyword, "host") == 0 || strcmp(one->keyword, "hostaddr") == 0)
			near = near && all_near(one->val);
		if (strcmp(one->keyword, "sslmode") == 0)
			verified = strcmp(one->val, "verify-full") == 0 ||
			           strcmp(one->val, "verify-ca") == 0;
	}
	if (!near && !verified)
		return message_set(message, TTG_EFORMAT,
		                   "store.postgres: another machine only with "
		                   "sslmode=verify-full (or verify-ca)");
	return TTG_OK;
}

enum ttg_error postgres_check(const struct store_place *place, struct message *message)
{
	PQconninfoOption *options = PQconninfoParse(place->postgres, NULL);
	enum ttg_error error;
	char *password = NULL;

	if (options == NULL)
		return message_set(message, TTG_EFORMAT,
		                   "store.postgres: should be a connection string of libpq, for "
		                   "example 'host=/run/postgresql dbname=cases'");
	error = check_options(options, message);
	PQconninfoFree(options);
	if (error == TTG_OK && is_given(place->password_file))
		error = secret_file_read_line(place->password_file, PASSWORD_MIN, &password,
		                              message);
	secret_free(password);
	return error;
}

/* Later ones win over earlier ones, so ours stand on either side of the configuration's. */
static PGconn *reach(const struct store_place *place, enum opening opening, const char *password)
{
	const char *const keywords[] = { "connect_timeout",
		                         "tcp_user_timeout",
		                         "fallback_application_name",
		                         "dbname",
		                         "client_encoding",
		                         password != NULL ? "password" : NULL,
		                         NULL };
	const char *const values[] = { "10",
		                       "30000",
		                       opening == OPEN_DESK ? "ttg-desk" : "ttg-oneservice",
		                       place->postgres,
		                       "UTF8",
		                       password,
		                       NULL };

	return PQconnectdbParams(keywords, values, 1);
}

static enum ttg_error prepare_session(struct postgres *postgres, struct message *message)
{
	const char *encoding = PQparameterStatus(postgres->conn, "server_encoding");

	if (encoding == NULL || strcmp(encoding, "UTF8") != 0)
		return message_set(message, TTG_EFORMAT,
		                   "case store: the database's encoding should be UTF8");
	if (PQsetnonblocking(postgres->conn, 1) != 0)
		return postgres_connection_error(postgres->conn, "connecting", message);
	return postgres_begin_session(postgres, session, message);
}

static void ignore_notice(void *arg, const PGresult *result)
{
	(void)arg;
	(void)result;
}

enum ttg_error postgres_open(struct database **out, const struct store_place *place,
                             enum opening opening, struct message *message)
{
	struct postgres *postgres = calloc(1, sizeof(*postgres));
	enum ttg_error error = TTG_OK;
	char *password = NULL;

	*out = NULL;
	if (postgres == NULL)
		return message_set(message, TTG_ENOMEM, "no memory for the case store");
	postgres->database =
	        (struct database){ .calls = &postgres_calls, .dialect = DIALECT_POSTGRES };
	if (is_given(place->password_file))
		error = secret_file_read_line(place->password_file, PASSWORD_MIN, &password,
		                              message);
	if (error == TTG_OK) {
		postgres->conn = reach(place, opening, password);
		PQsetNoticeReceiver(postgres->conn, ignore_notice, NULL);
		if (PQstatus(postgres->conn) != CONNECTION_OK)
			error = postgres_connection_error(postgres->conn, "connecting", message);
	}
	secret_free(password);
	if (error == TTG_OK)
		error = prepare_session(postgres, message);
	if (error != TTG_OK)
		postgres->database.calls->close(&postgres->database);
	else
		*out = &postgres->database;
	return error;
}
