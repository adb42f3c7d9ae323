/*
 * Whether anything was lost. Everything is put into tables of a database in memory and compared
 * there; the case store is only read. Run by one thread, beside the processes it looks at.
 *
 * Counting is by type and person: as many events of a type about a person must have arrived as the
 * files played said, so that one that was swallowed anywhere between file and store is missed, and
 * a repeat does not hide it (the store holds no event twice). Ids are compared where they are
 * known: what the One Service published itself, and what the broker lists as accepted for it.
 */
#include "check.h"

#include <jansson.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <ttg/event.h>

#define OUR_MAILBOXES "one-service/"
#define LINE_ROOM     16384

static const char tables[] =
        "CREATE TEMP TABLE expected (type TEXT, who TEXT);"
        "CREATE TEMP TABLE found (type TEXT, who TEXT);"
        "CREATE TEMP TABLE own (id BLOB);"
        "CREATE TEMP TABLE withheld (type TEXT, who TEXT);"
        "CREATE TEMP TABLE accepted (id BLOB, type TEXT, source TEXT);"
        "CREATE TEMP TABLE waiting (id BLOB, type TEXT, source TEXT);"
        "CREATE TEMP TABLE granted (type TEXT, source TEXT);"
        "CREATE TEMP VIEW missing AS SELECT e.type, e.who, e.n - coalesce(f.n, 0) AS n FROM"
        " (SELECT type, who, count(*) AS n FROM expected GROUP BY 1, 2) e LEFT JOIN"
        " (SELECT type, who, count(*) AS n FROM found GROUP BY 1, 2) f"
        " ON f.type = e.type AND f.who = e.who WHERE e.n > coalesce(f.n, 0);"
        /* Granted to the One Service by type, accepted, and not there. */
        "CREATE TEMP VIEW away AS SELECT a.id FROM accepted a"
        " JOIN granted g ON g.type = a.type AND g.source = a.source"
        " WHERE a.id NOT IN (SELECT id FROM store.event) GROUP BY a.id;";

static bool problem_sql(sqlite3 *db, char problem[CHECK_PROBLEM])
{
	snprintf(problem, CHECK_PROBLEM, "comparing failed: %s", sqlite3_errmsg(db));
	return false;
}

static long ask(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	long number = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		number = (long)sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return number;
}

static bool insert(sqlite3 *db, const char *sql, const char *type, const char *who)
{
	sqlite3_stmt *statement = NULL;
	bool fine = sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK;

	if (fine) {
		sqlite3_bind_text(statement, 1, type, -1, SQLITE_STATIC);
		sqlite3_bind_text(statement, 2, who, -1, SQLITE_STATIC);
		fine = sqlite3_step(statement) == SQLITE_DONE;
	}
	sqlite3_finalize(statement);
	return fine;
}

static bool insert_id(sqlite3 *db, const char *sql, const char *text, const char *type,
                      const char *source)
{
	uint8_t id[TTG_UUID_BYTES];
	sqlite3_stmt *statement = NULL;
	bool fine;

	if (ttg_uuid_parse(text, id) != TTG_OK ||
	    sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
		return false;
	sqlite3_bind_blob(statement, 1, id, sizeof(id), SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, type, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 3, source, -1, SQLITE_STATIC);
	fine = sqlite3_step(statement) == SQLITE_DONE;
	sqlite3_finalize(statement);
	return fine;
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static bool take_expected(sqlite3 *db, const json_t *object, struct check *out)
{
	if (json_object_get(object, "failed")) {
		out->not_put_aside++; /* until an adapter's status tells otherwise */
		return true;
	}
	out->sent += json_object_get(object, "counted") ? 0 : 1;
	if (json_object_get(object, "elsewhere"))
		return true;
	if (json_object_get(object, "own"))
		return insert_id(db, "INSERT INTO own VALUES (?1)", text_of(object, "own"), "", "");
	return insert(db,
	              json_object_get(object, "withheld") ? "INSERT INTO withheld VALUES (?1, ?2)"
	                                                  : "INSERT INTO expected VALUES (?1, ?2)",
	              text_of(object, "type"), text_of(object, "who"));
}

static bool take_outcome(const json_t *object, struct check *out)
{
	const char *outcome = text_of(object, "outcome");

	out->accepted += strcmp(outcome, "accepted") == 0 || strcmp(outcome, "duplicate") == 0;
	out->duplicates += strcmp(outcome, "duplicate") == 0;
	out->refused += strcmp(outcome, "refused") == 0;
	return true;
}

/* A line of `ttgctl --json tail`. */
static bool take_tail(sqlite3 *db, const json_t *object)
{
	if (strcmp(text_of(object, "kind"), "accepted") != 0)
		return true;
	return insert_id(db, "INSERT INTO accepted VALUES (?1, ?2, ?3)",
	                 text_of(object, "event_id"), text_of(object, "type"),
	                 text_of(object, "source")) &&
	       (json_integer_value(json_object_get(object, "waiting")) == 0 ||
	        insert_id(db, "INSERT INTO waiting VALUES (?1, ?2, ?3)",
	                  text_of(object, "event_id"), text_of(object, "type"),
	                  text_of(object, "source")));
}

static bool is_ours(const json_t *object)
{
	return strncmp(text_of(object, "mailbox"), OUR_MAILBOXES, strlen(OUR_MAILBOXES)) == 0;
}

/* A line of `ttgctl --json agreements ID`. */
static bool take_grant(sqlite3 *db, const json_t *object)
{
	if (strcmp(text_of(object, "grant"), "deliver") != 0 || !is_ours(object))
		return true;
	return insert(db, "INSERT INTO granted VALUES (?1, ?2)", text_of(object, "type"),
	              text_of(object, "agency"));
}

/* A line of `ttgctl --json mailboxes`. */
static bool take_mailbox(const json_t *object, struct check *out)
{
	if (is_ours(object))
		out->queued += (long)json_integer_value(json_object_get(object, "queued"));
	return true;
}

enum list { LIST_EXPECTED, LIST_OUTCOMES, LIST_TAIL, LIST_GRANTS, LIST_MAILBOXES };

static bool take_line(sqlite3 *db, const json_t *object, enum list list, struct check *out)
{
	switch (list) {
	case LIST_EXPECTED:
		return take_expected(db, object, out);
	case LIST_OUTCOMES:
		return take_outcome(object, out);
	case LIST_TAIL:
		return take_tail(db, object);
	case LIST_GRANTS:
		return take_grant(db, object);
	case LIST_MAILBOXES:
		return take_mailbox(object, out);
	}
	return false;
}

/* A last line without its end is still being written: it is for the next time. */
static bool read_list(sqlite3 *db, const char *path, enum list list, struct check *out,
                      char problem[CHECK_PROBLEM])
{
	FILE *file;
	char line[LINE_ROOM];
	bool fine = true;

	if (!path)
		return true;
	file = fopen(path, "re");
	if (!file) {
		snprintf(problem, CHECK_PROBLEM, "%.200s cannot be read", path);
		return false;
	}
	while (fine && fgets(line, sizeof(line), file) && strchr(line, '\n')) {
		json_t *object = json_loads(line, 0, NULL);

		fine = json_is_object(object) && take_line(db, object, list, out);
		json_decref(object);
	}
	fclose(file);
	if (!fine)
		snprintf(problem, CHECK_PROBLEM, "%.200s has a line that is not understood", path);
	return fine;
}

static long count_of(const json_t *root, const char *name)
{
	return (long)json_integer_value(json_object_get(root, name));
}

static bool read_status(const char *path, struct check *out, char problem[CHECK_PROBLEM])
{
	json_t *root = json_load_file(path, 0, NULL);

	if (!root) {
		snprintf(problem, CHECK_PROBLEM, "%.200s cannot be read", path);
		return false;
	}
	out->accepted += count_of(root, "accepted") + count_of(root, "duplicate");
	out->duplicates += count_of(root, "duplicate");
	out->refused += count_of(root, "refused");
	out->turned_away += count_of(root, "failed");
	out->pending += count_of(root, "pending");
	json_decref(root);
	return true;
}

static bool insert_event(sqlite3 *db, const Ttg__Event *event)
{
	static const char sql[] = "INSERT INTO found VALUES (?1, ?2)";

	if (!event->person || event->person->n_identifiers == 0)
		return insert(db, sql, event->type, "");
	for (size_t i = 0; i < event->person->n_identifiers; i++)
		if (!insert(db, sql, event->type, event->person->identifiers[i]->canonical))
			return false;
	return true;
}

/* What arrived, by the numbers inside the very bytes that were delivered. */
static bool read_store(sqlite3 *db, const char *path, char problem[CHECK_PROBLEM])
{
	sqlite3_stmt *statement = NULL;
	bool fine = true;

	if (sqlite3_prepare_v2(db, "ATTACH ?1 AS store", -1, &statement, NULL) != SQLITE_OK)
		return problem_sql(db, problem);
	sqlite3_bind_text(statement, 1, path, -1, SQLITE_STATIC);
	fine = sqlite3_step(statement) == SQLITE_DONE;
	sqlite3_finalize(statement);
	statement = NULL;
	if (!fine || sqlite3_prepare_v2(db, "SELECT encoded FROM store.event", -1, &statement,
	                                NULL) != SQLITE_OK)
		return problem_sql(db, problem);
	while (fine && sqlite3_step(statement) == SQLITE_ROW) {
		Ttg__Event *event =
		        ttg__event__unpack(NULL, (size_t)sqlite3_column_bytes(statement, 0),
		                           sqlite3_column_blob(statement, 0));

		fine = event && insert_event(db, event);
		if (event)
			ttg__event__free_unpacked(event, NULL);
	}
	sqlite3_finalize(statement);
	return fine ? true : problem_sql(db, problem);
}

/* From when the source wrote it down, else from when it happened if it was told at once, else from
   when the broker accepted it, until it was here: as the live lines have it. */
static const char latency_view[] =
        "CREATE TEMP VIEW latency AS SELECT received_ns - coalesce(recorded_ns,"
        " CASE WHEN accepted_ns - occurred_ns BETWEEN 0 AND 10000000000"
        " AND occurred_ns % 60000000000 <> 0 THEN occurred_ns"
        " ELSE accepted_ns END) AS ns FROM store.event";

static void compare(sqlite3 *db, struct check *out)
{
	sqlite3_exec(db, latency_view, NULL, NULL, NULL);
	out->missing = ask(db, "SELECT coalesce(sum(n), 0) FROM missing");
	out->delivered = ask(db, "SELECT count(*) FROM store.event");
	out->unanswered = ask(db, "SELECT count(*) FROM own LEFT JOIN store.published p"
	                          " USING (id) WHERE p.code IS NULL");
	out->own_refused = ask(db, "SELECT count(*) FROM own JOIN store.published p USING (id)"
	                           " WHERE p.code <> 0");
	out->lost_by_id = ask(db, "SELECT count(*) FROM away WHERE id NOT IN (SELECT id FROM waiting)");
	out->to_withhold = ask(db, "SELECT count(*) FROM withheld");
	out->leaked = ask(db, "SELECT count(*) FROM found JOIN (SELECT DISTINCT type, who FROM withheld)"
	                      " USING (type, who)");
	out->withheld = ask(db, "SELECT count(*) FROM away JOIN waiting USING (id)");
	/* More than should be: these were for the One Service, and a condition kept them from it. */
	if (out->withheld > out->to_withhold) {
		out->lost_by_id += out->withheld - out->to_withhold;
		out->withheld = out->to_withhold;
	}
	out->doubled = ask(db, "SELECT count(*) - count(DISTINCT id) FROM accepted");
	out->latency_ms_worst = ask(db, "SELECT max(ns) / 1000000 FROM latency");
	out->latency_ms_median = ask(db, "SELECT ns / 1000000 FROM latency ORDER BY ns"
	                                 " LIMIT 1 OFFSET (SELECT count(*) / 2 FROM latency)");
}

/* Everything into tables; the caller closes *db whatever comes of it. */
static bool gather(const struct check_sources *sources, sqlite3 **db, struct check *out,
                   char problem[CHECK_PROBLEM])
{
	bool fine = true;

	memset(out, 0, sizeof(*out));
	if (sqlite3_open(":memory:", db) != SQLITE_OK ||
	    sqlite3_exec(*db, tables, NULL, NULL, NULL) != SQLITE_OK)
		return problem_sql(*db, problem);
	sqlite3_busy_timeout(*db, 5000);
	for (size_t i = 0; fine && i < sources->n_expected; i++)
		fine = read_list(*db, sources->expected[i], LIST_EXPECTED, out, problem);
	for (size_t i = 0; fine && i < sources->n_statuses; i++)
		fine = read_status(sources->statuses[i], out, problem);
	return fine && read_list(*db, sources->outcomes, LIST_OUTCOMES, out, problem) &&
	       read_list(*db, sources->tail, LIST_TAIL, out, problem) &&
	       read_list(*db, sources->grants, LIST_GRANTS, out, problem) &&
	       read_list(*db, sources->mailboxes, LIST_MAILBOXES, out, problem) &&
	       read_store(*db, sources->store, problem);
}

bool check_run(const struct check_sources *sources, struct check *out, char problem[CHECK_PROBLEM])
{
	sqlite3 *db = NULL;
	bool fine = gather(sources, &db, out, problem);

	if (fine) {
		compare(db, out);
		if (!sources->tail) /* then the store is all there is to tell by */
			out->withheld = out->to_withhold;
		out->not_put_aside = out->not_put_aside > out->turned_away
		                             ? out->not_put_aside - out->turned_away
		                             : 0;
		fine = out->missing >= 0 && out->delivered >= 0 && out->unanswered >= 0 &&
		       out->own_refused >= 0 && out->lost_by_id >= 0 && out->withheld >= 0 &&
		       out->leaked >= 0;
		if (!fine)
			problem_sql(db, problem);
	}
	sqlite3_close(db);
	return fine;
}

bool check_settled(const struct check *check)
{
	return check_lost(check) == 0 && check->doubled == 0 && check->pending == 0 &&
	       check->queued == 0 && check->not_put_aside == 0 && check->leaked == 0 &&
	       check->withheld == check->to_withhold;
}

long check_lost(const struct check *check)
{
	/* The two ways of counting see the same events, each where the other may be blind. */
	long away = check->missing > check->lost_by_id ? check->missing : check->lost_by_id;

	return away + check->unanswered + check->own_refused;
}

bool check_explain(const struct check_sources *sources, int limit, char problem[CHECK_PROBLEM])
{
	sqlite3 *db = NULL;
	struct check check;
	sqlite3_stmt *statement = NULL;
	bool fine = gather(sources, &db, &check, problem);

	if (fine && sqlite3_prepare_v2(db, "SELECT type, who, n FROM missing", -1, &statement,
	                               NULL) != SQLITE_OK)
		fine = problem_sql(db, problem);
	while (fine && limit-- > 0 && sqlite3_step(statement) == SQLITE_ROW)
		printf("  missing: %d x %s about %s\n", sqlite3_column_int(statement, 2),
		       (const char *)sqlite3_column_text(statement, 0),
		       (const char *)sqlite3_column_text(statement, 1));
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return fine;
}
