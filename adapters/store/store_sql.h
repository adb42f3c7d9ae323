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
	HAS_VERSION,
	FIND_VERSION,
	STATEMENTS,
};

/* Values are $1, $2, ...: both know these. Integers have 64 bits, bytes are BLOB or bytea. */
const char *store_sql(enum statement statement, enum dialect dialect);

#endif
