/* A stage's case store. Test thread only; see stage_store.h. */
#include "support/stage_store.h"

#include <sqlite3.h>
#include "support/peer.h"
#include "support/postgres.h"
#include "support/wait.h"

long stage_ask_store(const struct stage *stage, const char *database, const char *sql)
{
	char path[PROCESS_PATH_MAX];
	sqlite3 *db = NULL;
	sqlite3_stmt *statement = NULL;
	long number = -1;

	if (database[0] != '\0')
		return (long)postgres_ask(database, sql);
	STAGE_PATH(stage, path, "state/case.db");
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK) {
		sqlite3_busy_timeout(db, WAIT_LONG_MS);
		if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
		    sqlite3_step(statement) == SQLITE_ROW)
			number = (long)sqlite3_column_int64(statement, 0);
		sqlite3_finalize(statement);
	}
	sqlite3_close(db);
	return number;
}

struct expectation {
	const struct stage *stage;
	const char *database, *sql;
	long number;
};

static bool store_says(void *arg)
{
	const struct expectation *expected = arg;

	return stage_ask_store(expected->stage, expected->database, expected->sql) ==
	       expected->number;
}

void must_store(struct stage *stage, const char *database, const char *sql, long number)
{
	struct expectation expected = { stage, database, sql, number };

	if (!peers_wait(stage, store_says, &expected, WAIT_LONG_MS))
		must_fail("%s gives %ld, not %ld", sql, stage_ask_store(stage, database, sql),
		          number);
}
