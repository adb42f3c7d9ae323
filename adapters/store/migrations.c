/*
 * Schema of the case store and the way from any older one to it. Called by the thread that owns the
 * store, before anything else is done with it. A step that fails leaves the store as it was.
 *
 * A step is one text wherever both databases understand it; what they call otherwise (types of
 * columns, where SQLite keeps a row) is put in by macro, so that tables and columns are the same by
 * construction. Only how the number of the last step is kept differs, and stands apart.
 */
#include "store/migrations.h"

#include <assert.h>

/*
 * event: every event delivered, once, with the exact bytes delivered. Times are nanoseconds since
 * 1970 (UTC), NULL when the event does not say. mailbox and position are those it first came
 * through. delivery: every way an event came, one row for each mailbox that was granted it.
 * position: how far each mailbox is kept here.
 * published: what we published ourselves, and the broker's answer: code NULL until it came.
 */
#define VERSION_1(BYTES, INTEGER, END)                                                             \
	"CREATE TABLE event ("                                                                     \
	" id " BYTES " PRIMARY KEY CHECK (length(id) = 16),"                                       \
	" type TEXT NOT NULL,"                                                                     \
	" source TEXT NOT NULL,"                                                                   \
	" occurred_ns " INTEGER ","                                                                \
	" recorded_ns " INTEGER ","                                                                \
	" accepted_ns " INTEGER " NOT NULL,"                                                       \
	" received_ns " INTEGER " NOT NULL,"                                                       \
	" person_key " BYTES ","                                                                   \
	" mailbox TEXT NOT NULL,"                                                                  \
	" position " INTEGER " NOT NULL,"                                                          \
	" correlation_id " BYTES ","                                                               \
	" causation_id " BYTES ","                                                                 \
	" supersedes " BYTES ","                                                                   \
	" urgency " INTEGER " NOT NULL,"                                                           \
	" redacted " INTEGER " NOT NULL,"                                                          \
	" encoded " BYTES " NOT NULL"                                                              \
	")" END ";"                                                                                \
	"CREATE INDEX event_by_person ON event (person_key, occurred_ns);"                         \
	"CREATE INDEX event_by_type ON event (type, occurred_ns);"                                 \
	"CREATE INDEX event_by_received ON event (received_ns);"                                   \
	"CREATE INDEX event_by_correlation ON event (correlation_id)"                              \
	" WHERE correlation_id IS NOT NULL;"                                                       \
	"CREATE INDEX event_by_superseded ON event (supersedes) WHERE supersedes IS NOT NULL;"     \
	"CREATE TABLE delivery ("                                                                  \
	" event_id " BYTES " NOT NULL REFERENCES event (id),"                                      \
	" mailbox TEXT NOT NULL,"                                                                  \
	" position " INTEGER " NOT NULL,"                                                          \
	" received_ns " INTEGER " NOT NULL,"                                                       \
	" PRIMARY KEY (event_id, mailbox)"                                                         \
	")" END ";"                                                                                \
	"CREATE TABLE position ("                                                                  \
	" mailbox TEXT PRIMARY KEY,"                                                               \
	" stored_to " INTEGER " NOT NULL"                                                          \
	")" END ";"                                                                                \
	"CREATE TABLE published ("                                                                 \
	" id " BYTES " PRIMARY KEY CHECK (length(id) = 16),"                                       \
	" type TEXT NOT NULL,"                                                                     \
	" published_ns " INTEGER " NOT NULL,"                                                      \
	" code " INTEGER ","                                                                       \
	" duplicate " INTEGER ","                                                                  \
	" sequence " INTEGER ","                                                                   \
	" text TEXT,"                                                                              \
	" answered_ns " INTEGER ","                                                                \
	" encoded " BYTES " NOT NULL"                                                              \
	")" END ";"

/* Order of keeping, for store_each(): without these a reader of all sorts all. */
#define VERSION_2                                                                                  \
	"CREATE INDEX event_by_accepted ON event (accepted_ns, id);"                               \
	"CREATE INDEX published_by_time ON published (published_ns, id);"

/*
 * What changed since: every row of event and of published has a number, counting up over both in
 * the order of keeping, given anew when the row is completed or answered. What was here before is
 * numbered in the order of time.
 * alert: the urgent events that came from now on, until a person acknowledges them; about: of a
 * notice that one went unacknowledged, the event it names; released: the broker need not wait.
 * published: of accepted ones, how many recipients got and acknowledged it, as of asked_ns.
 */
#define NUMBERS                                                                                    \
	" FROM (SELECT id, ours, row_number() OVER (ORDER BY kept_ns, ours, id) AS number"         \
	" FROM (SELECT id, accepted_ns AS kept_ns, 0 AS ours FROM event"                           \
	" UNION ALL SELECT id, published_ns, 1 FROM published) AS kept) AS numbered"
#define VERSION_3(BYTES, INTEGER, END)                                                             \
	"ALTER TABLE event ADD COLUMN change " INTEGER " NOT NULL DEFAULT 0;"                      \
	"ALTER TABLE published ADD COLUMN change " INTEGER " NOT NULL DEFAULT 0;"                  \
	"ALTER TABLE published ADD COLUMN delivered " INTEGER ";"                                  \
	"ALTER TABLE published ADD COLUMN acknowledged " INTEGER ";"                               \
	"ALTER TABLE published ADD COLUMN asked_ns " INTEGER ";"                                   \
	"UPDATE event SET change = number" NUMBERS " WHERE numbered.id = event.id AND ours = 0;"   \
	"UPDATE published SET change = number" NUMBERS                                             \
	" WHERE numbered.id = published.id AND ours = 1;"                                          \
	"CREATE UNIQUE INDEX event_by_change ON event (change);"                                   \
	"CREATE UNIQUE INDEX published_by_change ON published (change);"                           \
	"CREATE INDEX published_unsettled ON published (published_ns) WHERE " SQL_UNSETTLED ";"    \
	"CREATE TABLE alert ("                                                                     \
	" id " BYTES " PRIMARY KEY CHECK (length(id) = 16),"                                       \
	" mailbox TEXT NOT NULL,"                                                                  \
	" position " INTEGER " NOT NULL,"                                                          \
	" raised_ns " INTEGER " NOT NULL,"                                                         \
	" about " BYTES ","                                                                        \
	" acknowledged_ns " INTEGER ","                                                            \
	" acknowledged_by TEXT,"                                                                   \
	" released " INTEGER " NOT NULL"                                                           \
	")" END ";"                                                                                \
	"CREATE INDEX alert_by_raised ON alert (raised_ns, id);"                                   \
	"CREATE INDEX alert_open ON alert (raised_ns, id) WHERE acknowledged_ns IS NULL;"          \
	"CREATE INDEX alert_unreleased ON alert (id)"                                              \
	" WHERE acknowledged_ns IS NOT NULL AND released = 0;"                                     \
	"CREATE INDEX alert_by_about ON alert (about) WHERE about IS NOT NULL;"

/* Ends a step. PostgreSQL has no place for the number before the first one. */
#define SQLITE_NOW(number)   "PRAGMA user_version = " #number
#define POSTGRES_NOW(number) "UPDATE store_version SET version = " #number
#define POSTGRES_COUNTS                                                                            \
	"CREATE TABLE store_version (version BIGINT NOT NULL);"                                    \
	"INSERT INTO store_version VALUES (0);"

static const struct {
	int number;
	const char *sql[DIALECTS];
} migrations[] = {
	{ 1,
	  { [DIALECT_SQLITE] = VERSION_1("BLOB", "INTEGER", " WITHOUT ROWID") SQLITE_NOW(1),
	    [DIALECT_POSTGRES] =
	            VERSION_1("BYTEA", "BIGINT", "") POSTGRES_COUNTS POSTGRES_NOW(1) } },
	{ 2,
	  { [DIALECT_SQLITE] = VERSION_2 SQLITE_NOW(2),
	    [DIALECT_POSTGRES] = VERSION_2 POSTGRES_NOW(2) } },
	{ 3,
	  { [DIALECT_SQLITE] = VERSION_3("BLOB", "INTEGER", " WITHOUT ROWID") SQLITE_NOW(3),
	    [DIALECT_POSTGRES] = VERSION_3("BYTEA", "BIGINT", "") POSTGRES_NOW(3) } },
};

#define MIGRATIONS (sizeof(migrations) / sizeof(migrations[0]))
_Static_assert(MIGRATIONS == STORE_SCHEMA_VERSION, "the schema version is the last migration");

static bool take_number(void *arg, const struct value *columns, size_t n)
{
	int64_t *number = arg;

	*number = n > 0 ? columns[0].integer : 0;
	return true;
}

/* 0: nothing was done there yet. */
static enum ttg_error read_version(struct database *database, int64_t *version,
                                   struct message *message)
{
	struct query query = { .statement = HAS_VERSION,
		               .doing = "looking for the schema",
		               .row = take_number };
	enum ttg_error error;

	query.arg = version;
	error = database->calls->run(database, &query, NULL, message);
	if (error != TTG_OK || *version == 0)
		return error;
	query.statement = FIND_VERSION;
	error = database->calls->run(database, &query, NULL, message);
	if (error == TTG_OK && (*version < 0 || *version > STORE_SCHEMA_VERSION))
		return message_set(message, TTG_EVERSION,
		                   "the case store has schema %lld, this program knows up to %d: "
		                   "use the newer program that wrote it",
		                   (long long)*version, STORE_SCHEMA_VERSION);
	return error;
}

/* Whoever else starts at the same time waits at begin(), and finds the step done. */
static enum ttg_error run_next_step(struct database *database, int64_t *version,
                                    struct message *message)
{
	enum ttg_error error = database->calls->begin(database, message);

	if (error != TTG_OK)
		return error;
	error = read_version(database, version, message);
	if (error == TTG_OK && *version < STORE_SCHEMA_VERSION) {
		const int64_t next = *version + 1;

		assert(migrations[*version].number == next);
		error = database->calls->script(database,
		                                migrations[*version].sql[database->dialect],
		                                "changing the schema", message);
		if (error == TTG_OK)
			error = read_version(database, version, message);
		assert(error != TTG_OK || *version == next);
	}
	if (error == TTG_OK)
		error = database->calls->commit(database, message);
	if (error != TTG_OK)
		database->calls->rollback(database);
	return error;
}

enum ttg_error migrations_run(struct database *database, struct message *message)
{
	int64_t version = 0;
	enum ttg_error error = read_version(database, &version, message);

	while (error == TTG_OK && version < STORE_SCHEMA_VERSION)
		error = run_next_step(database, &version, message);
	return error;
}

enum ttg_error migrations_check(struct database *database, bool newest, struct message *message)
{
	int64_t version = 0;
	enum ttg_error error = read_version(database, &version, message);

	if (error == TTG_OK && version == 0)
		return message_set(message, TTG_ENOENT, "there is no case store yet");
	if (error == TTG_OK && newest && version < STORE_SCHEMA_VERSION)
		return message_set(message, TTG_EVERSION,
		                   "the case store has schema %lld, this program needs %d: "
		                   "start ttg-oneservice of this release, which changes it",
		                   (long long)version, STORE_SCHEMA_VERSION);
	return error;
}
