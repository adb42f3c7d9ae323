/*
 * The last-seen state of the extracts in SQLite. See state.h. Owned by the adapter's only thread,
 * one connection, exclusive lock: a second adapter on the same state directory is refused. Commits
 * are synchronous. Every failure is reported and ends the adapter; nothing is repaired.
 */
#include "prison/state.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define STATE_VERSION 1
#define BUSY_MS       2000

struct state {
	sqlite3 *db;
	sqlite3_stmt *get, *put, *each;
};

static const char schema[] =
        "create table if not exists entry ("
        " extract text not null, key text not null, scope text not null, entry_values text not "
        "null,"
        " revision integer not null, present integer not null, seen_ns integer not null,"
        " primary key (extract, key)) without rowid;"
        "pragma user_version = 1;";

static enum ttg_error failed(struct state *state, const char *what, struct message *message)
{
	int code = sqlite3_errcode(state->db);
	enum ttg_error error = TTG_EIO;

	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
		error = TTG_ECORRUPT;
	else if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
		error = TTG_ELOCKED;
	else if (code == SQLITE_NOMEM)
		error = TTG_ENOMEM;
	return message_set(message, error, "state of the extracts: %s: %s", what,
	                   sqlite3_errstr(code));
}

static enum ttg_error run(struct state *state, const char *sql, const char *what,
                          struct message *message)
{
	if (sqlite3_exec(state->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return failed(state, what, message);
	return TTG_OK;
}

static enum ttg_error check_version(struct state *state, struct message *message)
{
	sqlite3_stmt *query = NULL;
	int version = -1;

	if (sqlite3_prepare_v2(state->db, "pragma user_version", -1, &query, NULL) == SQLITE_OK &&
	    sqlite3_step(query) == SQLITE_ROW)
		version = sqlite3_column_int(query, 0);
	sqlite3_finalize(query);
	if (version < 0)
		return failed(state, "reading", message);
	if (version > STATE_VERSION)
		return message_set(message, TTG_EVERSION,
		                   "state of the extracts: written by a newer version");
	return run(state, schema, "making tables", message);
}

static enum ttg_error prepare(struct state *state, struct message *message)
{
	static const char get[] = "select key, scope, entry_values, revision, present from entry"
	                          " where extract = ?1 and key = ?2";
	static const char put[] = "insert or replace into entry"
	                          " (extract, key, scope, entry_values, revision, present, seen_ns)"
	                          " values (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
	static const char each[] = "select key, scope, entry_values, revision, present from entry"
	                           " where extract = ?1 and present = 1 order by key";

	if (sqlite3_prepare_v2(state->db, get, -1, &state->get, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(state->db, put, -1, &state->put, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(state->db, each, -1, &state->each, NULL) != SQLITE_OK)
		return failed(state, "preparing", message);
	return TTG_OK;
}

enum ttg_error state_open(struct state **out, const char *path, struct message *message)
{
	struct state *state = calloc(1, sizeof(*state));
	enum ttg_error error;
	mode_t before = umask(077);

	*out = NULL;
	if (state == NULL) {
		umask(before);
		return message_set(message, TTG_ENOMEM, "no memory");
	}
	int opened = sqlite3_open_v2(
	        path, &state->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
	        NULL);
	if (state->db != NULL)
		sqlite3_busy_timeout(state->db, BUSY_MS);
	error = opened == SQLITE_OK
	                ? run(state,
	                      "pragma locking_mode = exclusive; pragma journal_mode = wal;"
	                      "pragma synchronous = full;",
	                      "opening", message)
	                : message_set(message, TTG_ESYS, "state of the extracts: cannot open");
	if (error == TTG_OK)
		error = check_version(state, message);
	if (error == TTG_OK)
		error = prepare(state, message);
	umask(before);
	if (error != TTG_OK)
		state_close(&state);
	*out = state;
	return error;
}

void state_close(struct state **state)
{
	if (*state == NULL)
		return;
	sqlite3_finalize((*state)->get);
	sqlite3_finalize((*state)->put);
	sqlite3_finalize((*state)->each);
	sqlite3_close((*state)->db);
	free(*state);
	*state = NULL;
}

enum ttg_error state_begin(struct state *state, struct message *message)
{
	return run(state, "begin immediate", "begin", message);
}

enum ttg_error state_commit(struct state *state, struct message *message)
{
	sqlite3_reset(state->get); /* a read that is not finished would hold it open */
	return run(state, "commit", "commit", message);
}

void state_rollback(struct state *state)
{
	sqlite3_reset(state->get);
	sqlite3_exec(state->db, "rollback", NULL, NULL, NULL);
}

static void read_row(sqlite3_stmt *query, struct state_entry *out)
{
	out->key = (const char *)sqlite3_column_text(query, 0);
	out->scope = (const char *)sqlite3_column_text(query, 1);
	out->values = (const char *)sqlite3_column_text(query, 2);
	out->revision = sqlite3_column_int64(query, 3);
	out->present = sqlite3_column_int(query, 4) != 0;
}

static bool bind_text(sqlite3_stmt *query, int at, const char *text)
{
	return sqlite3_bind_text(query, at, text, -1, SQLITE_TRANSIENT) == SQLITE_OK;
}

enum ttg_error state_get(struct state *state, const char *extract, const char *key,
                         struct state_entry *out, struct message *message)
{
	int step;

	sqlite3_reset(state->get);
	if (!bind_text(state->get, 1, extract) || !bind_text(state->get, 2, key))
		return failed(state, "reading", message);
	step = sqlite3_step(state->get);
	if (step == SQLITE_DONE)
		return TTG_ENOENT;
	if (step != SQLITE_ROW)
		return failed(state, "reading", message);
	read_row(state->get, out);
	return TTG_OK;
}

enum ttg_error state_put(struct state *state, const char *extract, const struct state_entry *entry,
                         int64_t seen_ns, struct message *message)
{
	sqlite3_stmt *put = state->put;
	bool bound;

	sqlite3_reset(put);
	bound = bind_text(put, 1, extract) && bind_text(put, 2, entry->key) &&
	        bind_text(put, 3, entry->scope) && bind_text(put, 4, entry->values) &&
	        sqlite3_bind_int64(put, 5, entry->revision) == SQLITE_OK &&
	        sqlite3_bind_int(put, 6, entry->present) == SQLITE_OK &&
	        sqlite3_bind_int64(put, 7, seen_ns) == SQLITE_OK;
	if (!bound || sqlite3_step(put) != SQLITE_DONE)
		return failed(state, "writing", message);
	sqlite3_reset(put);
	return TTG_OK;
}

enum ttg_error state_each(struct state *state, const char *extract,
                          enum ttg_error (*each)(void *arg, const struct state_entry *entry),
                          void *arg, struct message *message)
{
	enum ttg_error error = TTG_OK;
	int step = SQLITE_DONE;

	sqlite3_reset(state->each);
	if (!bind_text(state->each, 1, extract))
		return failed(state, "reading", message);
	while (error == TTG_OK && (step = sqlite3_step(state->each)) == SQLITE_ROW) {
		struct state_entry entry;

		read_row(state->each, &entry);
		error = each(arg, &entry);
	}
	sqlite3_reset(state->each);
	if (error == TTG_OK && step != SQLITE_DONE)
		return failed(state, "reading", message);
	return error;
}
