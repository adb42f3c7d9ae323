/* The case store's statements. See store_sql.h. Constant. */
#include "store/store_sql.h"

#include <assert.h>
#include <stddef.h>

/* What both understand: SQLite takes $1 for a name, PostgreSQL for a number; it is the same value.
 */
static const char *const both[STATEMENTS] = {
	[ADD_EVENT] = "INSERT INTO event (id, type, source, occurred_ns, recorded_ns, accepted_ns,"
	              " received_ns, person_key, mailbox, position, correlation_id, causation_id,"
	              " supersedes, urgency, redacted, encoded)"
	              " VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16)"
	              " ON CONFLICT (id) DO NOTHING",
	/* The same event through a mailbox with a wider grant: keep the fuller bytes. */
	[UPGRADE_EVENT] = "UPDATE event SET encoded = $2, redacted = 0 WHERE id = $1"
	                  " AND redacted = 1",
	[ADD_DELIVERY] = "INSERT INTO delivery (event_id, mailbox, position, received_ns)"
	                 " VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
	/* The greater of two has another name in each; a condition has not. */
	[RAISE_POSITION] = "INSERT INTO position (mailbox, stored_to) VALUES ($1, $2)"
	                   " ON CONFLICT (mailbox) DO UPDATE SET stored_to = excluded.stored_to"
	                   " WHERE position.stored_to < excluded.stored_to",
	[FIND_POSITION] = "SELECT stored_to FROM position WHERE mailbox = $1",
	[COUNT_EVENTS] = "SELECT count(*) FROM event",
	[ADD_PUBLISHED] = "INSERT INTO published (id, type, published_ns, encoded)"
	                  " VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING",
	[ANSWER] = "UPDATE published SET code = $2, duplicate = $3, sequence = $4, text = $5,"
	           " answered_ns = $6 WHERE id = $1",
	[FIND_OUTCOME] = "SELECT code, duplicate, sequence, text FROM published WHERE id = $1",
	/* Ours that came back through a mailbox is ours. Two indexes of migration 2 give the order.
	 */
	[EACH_EVENT] = "SELECT encoded, person_key, accepted_ns AS kept_ns,"
	               " CAST(0 AS BIGINT) AS ours, id FROM event WHERE NOT EXISTS"
	               " (SELECT 1 FROM published WHERE published.id = event.id"
	               " AND coalesce(published.code, 0) = 0)"
	               " UNION ALL"
	               " SELECT encoded, NULL, published_ns, CAST(1 AS BIGINT), id FROM published"
	               " WHERE coalesce(code, 0) = 0"
	               " ORDER BY kept_ns, id",
};

/* What they do not say alike. */
static const char *const differing[STATEMENTS][DIALECTS] = {
	/* 1 when there is a version to be read: in SQLite every file has one. */
	[HAS_VERSION] = {
		[DIALECT_SQLITE] = "SELECT 1",
		[DIALECT_POSTGRES] = "SELECT count(*) FROM pg_catalog.pg_class"
	                             " WHERE oid = to_regclass('store_version')",
	},
	[FIND_VERSION] = {
		[DIALECT_SQLITE] = "PRAGMA user_version",
		[DIALECT_POSTGRES] = "SELECT version FROM store_version",
	},
};

const char *store_sql(enum statement statement, enum dialect dialect)
{
	const char *sql = both[statement] != NULL ? both[statement] : differing[statement][dialect];

	assert(sql != NULL);
	return sql;
}
