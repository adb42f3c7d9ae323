/*
 * Every statement of the case store, for both databases. One text wherever both understand it;
 * where they do not, the two stand side by side in store_sql.c. The schema is in migrations.c.
 */
#ifndef STORE_SQL_H
#define STORE_SQL_H

enum dialect { DIALECT_SQLITE = 0, DIALECT_POSTGRES, DIALECTS };

enum statement {
	ADD_EVENT = 0,
	UPGRADE_EVENT,
	ADD_DELIVERY,
	RAISE_POSITION,
	FIND_POSITION,
	COUNT_EVENTS,
	ADD_PUBLISHED,
	ANSWER,
	FIND_OUTCOME,
	EACH_EVENT,
	EACH_SINCE,
	FIND_EVENT,
	LAST_CHANGE,
	FIND_UNSETTLED,
	ADD_STATE,
	ADD_ASKED,
	RAISE_ALERT,
	EACH_ALERT,
	EACH_OPEN_ALERT,
	ACKNOWLEDGE,
	ACKNOWLEDGE_ABOUT,
	FIND_SIGNATURE,
	ALERT_WAITS,
	FIND_ACKNOWLEDGED,
	RELEASE_ALERT,
	RELEASE_ALL,
	HAS_VERSION,
	FIND_VERSION,
	STATEMENTS,
};

/* Ours that was accepted and not acknowledged by all that got it; see published.h. A partial index
 * of migration 3 says the same, word by word. */
#define SQL_UNSETTLED                                                                              \
	"code = 0 AND (asked_ns IS NULL OR delivered = 0 OR acknowledged < delivered"              \
	" OR asked_ns < published_ns + 60000000000)"

/* Values are $1, $2, ...: both know these. Integers have 64 bits, bytes are BLOB or bytea. */
const char *store_sql(enum statement statement, enum dialect dialect);

#endif
