/*
 * A case store for each test, in SQLite or in PostgreSQL. The server of PostgreSQL is started with
 * the first test and stopped with the group.
 */
#ifndef TTG_TESTS_STORE_UNIT_H
#define TTG_TESTS_STORE_UNIT_H

#include "support/case_bed.h"

#include <stdlib.h>
#include <string.h>
#include "store/published.h"
#include "store/store.h"

#define MAILBOX   "one-service/duty"
#define OTHER_BOX "one-service/records"

struct bed {
	struct case_bed at;
	struct store_place place;
	struct store *store; /* open for writing, where the test has no other wish */
	struct message message;
};

static struct postgres_server unit_server;

static inline int start_server(void **state)
{
	(void)state;
	must_open_postgres(&unit_server);
	return 0;
}

static inline int stop_server(void **state)
{
	(void)state;
	postgres_close(&unit_server);
	return 0;
}

static inline void bed_open(struct bed *bed)
{
	store_close(&bed->store);
	if (store_open(&bed->store, &bed->place, &bed->message) != TTG_OK)
		must_fail("%s", bed->message.text);
}

static inline int make_bed(void **state, struct postgres_server *server)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	must_be(bed != NULL, "no memory");
	must_make_bed(&bed->at, server);
	bed->place.path = server == NULL ? bed->at.path : NULL;
	bed->place.postgres = server == NULL ? NULL : bed->at.database;
	*state = bed;
	return 0;
}

/* cmocka's set-up: no store yet. */
static inline int no_sqlite(void **state)
{
	return make_bed(state, NULL);
}

static inline int no_postgres(void **state)
{
	return make_bed(state, &unit_server);
}

/* cmocka's set-up: an empty store, open. */
static inline int new_sqlite(void **state)
{
	no_sqlite(state);
	bed_open(*state);
	return 0;
}

static inline int new_postgres(void **state)
{
	no_postgres(state);
	bed_open(*state);
	return 0;
}

static inline int remove_bed(void **state)
{
	struct bed *bed = *state;

	store_close(&bed->store);
	case_bed_remove(&bed->at);
	free(bed);
	return 0;
}

struct arrival {
	const char *mailbox; /* NULL: MAILBOX */
	unsigned number;
	bool redacted;
	int64_t accepted_ns; /* 0: 2000 */
	const uint8_t *person_key;
};

/* Into the open transaction, received at 3000. */
static inline enum ttg_error arrive(struct store *store, const struct arrival *arrival,
                                    enum store_verdict *verdict)
{
	uint8_t bytes[CASE_EVENT_BYTES];
	struct message message;
	struct ttg_delivery delivery = {
		.mailbox = arrival->mailbox != NULL ? arrival->mailbox : MAILBOX,
		.position = arrival->number + 1,
		.attempt = 1,
		.event = bytes,
		.event_bytes = case_event(arrival->number, arrival->redacted ? "" : "PBI", bytes),
		.accepted_ns = arrival->accepted_ns != 0 ? arrival->accepted_ns : 2000,
		.person_key = arrival->person_key,
		.redacted = arrival->redacted,
	};

	return store_add(store, &delivery, 3000, verdict, &message);
}

#endif
