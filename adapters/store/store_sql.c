/* The case store's statements. See store_sql.h. Constant. */
#include "store/store_sql.h"

#include <assert.h>
#include <stddef.h>

/* Columns as store_each.c takes them; those that migration 3 added come last. */
#define EVENT_COLUMNS                                                                              \
	"encoded, person_key, accepted_ns AS kept_ns, CAST(0 AS BIGINT) AS ours, id, type,"        \
	" mailbox, received_ns, redacted, NULL AS code, NULL AS sequence, NULL AS text"
#define PUBLISHED_COLUMNS                                                                          \
	"encoded, NULL AS person_key, published_ns AS kept_ns, CAST(1 AS BIGINT) AS ours, id,"     \
	" type, NULL AS mailbox, CAST(0 AS BIGINT) AS received_ns, CAST(0 AS BIGINT) AS redacted," \
	" code, sequence, text"

/* Ours that came back through a mailbox is ours. */
#define NOT_OURS                                                                                   \
	"NOT EXISTS (SELECT 1 FROM published WHERE published.id = event.id"                        \
	" AND coalesce(published.code, 0) = 0)"

#define ALERT_COLUMNS                                                                              \
	"id, (SELECT type FROM event WHERE event.id = alert.id), mailbox, position, raised_ns, "   \
	"about, acknowledged_ns, acknowledged_by, released"

/* What both understand: SQLite takes $1 for a name, PostgreSQL for a number; it is the same value.
 */
static const char *const both[STATEMENTS] = {
	[ADD_EVENT] = "INSERT INTO event (id, type, source, occurred_ns, recorded_ns, accepted_ns,"
	              " received_ns, person_key, mailbox, position, correlation_id, causation_id,"
	              " supersedes, urgency, redacted, encoded, change)"
	              " VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17)"
	              " ON CONFLICT (id) DO NOTHING",
	/* The same event through a mailbox with a wider grant: keep the fuller bytes. */
	[UPGRADE_EVENT] = "UPDATE event SET encoded = $2, redacted = 0, change = $3"
	                  " WHERE id = $1 AND redacted = 1",
	[ADD_DELIVERY] = "INSERT INTO delivery (event_id, mailbox, position, received_ns)"
	                 " VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
	/* The greater of two has another name in each; a condition has not. */
	[RAISE_POSITION] = "INSERT INTO position (mailbox, stored_to) VALUES ($1, $2)"
	                   " ON CONFLICT (mailbox) DO UPDATE SET stored_to = excluded.stored_to"
	                   " WHERE position.stored_to < excluded.stored_to",
	[FIND_POSITION] = "SELECT stored_to FROM position WHERE mailbox = $1",
	[COUNT_EVENTS] = "SELECT count(*) FROM event",
	[ADD_PUBLISHED] = "INSERT INTO published (id, type, published_ns, encoded, change)"
	                  " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING",
	[ANSWER] = "UPDATE published SET code = $2, duplicate = $3, sequence = $4, text = $5,"
	           " answered_ns = $6, change = $7 WHERE id = $1",
	[FIND_OUTCOME] = "SELECT code, duplicate, sequence, text FROM published WHERE id = $1",
	/* Two indexes of migration 2 give the order. */
	[EACH_EVENT] = "SELECT " EVENT_COLUMNS ", CAST(0 AS BIGINT), NULL, NULL FROM event"
	               " WHERE " NOT_OURS " UNION ALL"
	               " SELECT " PUBLISHED_COLUMNS ", CAST(0 AS BIGINT), NULL, NULL FROM published"
	               " WHERE coalesce(code, 0) = 0"
	               " ORDER BY kept_ns, id",
	/* Two indexes of migration 3 give the order. */
	[EACH_SINCE] = "SELECT " EVENT_COLUMNS ", change, NULL, NULL FROM event"
	               " WHERE change > $1 AND " NOT_OURS " UNION ALL"
	               " SELECT " PUBLISHED_COLUMNS ", change, delivered, acknowledged"
	               " FROM published WHERE change > $1"
	               " ORDER BY change",
	[FIND_EVENT] = "SELECT " EVENT_COLUMNS ", change, NULL, NULL FROM event"
	               " WHERE id = $1 AND " NOT_OURS " UNION ALL"
	               " SELECT " PUBLISHED_COLUMNS ", change, delivered, acknowledged"
	               " FROM published WHERE id = $1"
	               " LIMIT 1",
	[LAST_CHANGE] = "SELECT max(change) FROM (SELECT max(change) AS change FROM event"
	                " UNION ALL SELECT max(change) FROM published) AS latest",
	[FIND_UNSETTLED] = "SELECT id FROM published WHERE " SQL_UNSETTLED
	                   " AND published_ns >= $1 ORDER BY published_ns DESC LIMIT $2",
	[ADD_STATE] = "UPDATE published SET delivered = $2, acknowledged = $3 WHERE id = $1"
	              " AND (delivered IS NULL OR delivered <> $2 OR acknowledged <> $3)",
	[ADD_ASKED] = "UPDATE published SET asked_ns = $2 WHERE id = $1",
	/* A notice about what somebody has acknowledged already needs nobody any more. */
	[RAISE_ALERT] = "INSERT INTO alert (id, mailbox, position, raised_ns, about,"
	                " acknowledged_ns, acknowledged_by, released) VALUES ($1, $2, $3, $4, $5,"
	                " (SELECT acknowledged_ns FROM alert WHERE id = $5),"
	                " (SELECT acknowledged_by FROM alert WHERE id = $5), $6)"
	                " ON CONFLICT (id) DO NOTHING",
	[EACH_ALERT] = "SELECT " ALERT_COLUMNS " FROM alert ORDER BY raised_ns, id",
	[EACH_OPEN_ALERT] = "SELECT " ALERT_COLUMNS " FROM alert WHERE acknowledged_ns IS NULL"
	                    " ORDER BY raised_ns, id",
	[ACKNOWLEDGE] = "UPDATE alert SET acknowledged_ns = $2, acknowledged_by = $3"
	                " WHERE id = $1 AND acknowledged_ns IS NULL",
	[ACKNOWLEDGE_ABOUT] = "UPDATE alert SET acknowledged_ns = $2, acknowledged_by = $3"
	                      " WHERE about = $1 AND acknowledged_ns IS NULL",
	[FIND_SIGNATURE] = "SELECT acknowledged_ns, acknowledged_by FROM alert WHERE id = $1",
	[ALERT_WAITS] = "SELECT count(*) FROM alert WHERE id = $1 AND acknowledged_ns IS NULL"
	                " AND released = 0",
	[FIND_ACKNOWLEDGED] = "SELECT id FROM alert WHERE acknowledged_ns IS NOT NULL"
	                      " AND released = 0",
	[RELEASE_ALERT] = "UPDATE alert SET released = 1 WHERE id = $1",
	[RELEASE_ALL] = "UPDATE alert SET released = 1 WHERE released = 0",
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
