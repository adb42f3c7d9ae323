/*
 * Shared by the files of the case store: store.c (opening, keeping, one transaction at a time),
 * store_published.c (what we published, and what became of it), store_each.c (reading), alert.c.
 */
#ifndef STORE_STORE_INTERNAL_H
#define STORE_STORE_INTERNAL_H

#include <string.h>
#include <ttg/event.h>
#include "store/database.h"
#include "store/store.h"

#define QUERY(which, what, ...)                                                                    \
	{                                                                                          \
		.statement = (which), .doing = (what),                                             \
		.values = (const struct value[]){ __VA_ARGS__ },                                   \
		.n_values = sizeof((const struct value[]){ __VA_ARGS__ }) / sizeof(struct value)   \
	}

struct store {
	struct database *database;
	bool in_transaction;
	bool hold_alerts;
	uint64_t change; /* the last one given; good within a transaction */
};

static inline struct value integer(int64_t number)
{
	return (struct value){ .kind = VALUE_INTEGER, .integer = number };
}

static inline struct value text(const char *string)
{
	return (struct value){ .kind = VALUE_TEXT, .bytes = string, .len = strlen(string) };
}

static inline struct value bytes(const uint8_t *data, size_t len)
{
	return (struct value){ .kind = VALUE_BYTES, .bytes = data, .len = len };
}

static inline struct value id_value(const uint8_t id[16])
{
	return bytes(id, 16);
}

/* Runs one statement; changed may be NULL. */
enum ttg_error store_run(struct store *store, const struct query *query, uint64_t *changed,
                         struct message *message);

/* For queries of one number: the last row's; NULL is 0. arg: uint64_t. */
bool store_take_number(void *arg, const struct value *columns, size_t n);

/* For queries of ids: up to max of them. arg: struct store_ids. */
struct store_ids {
	uint8_t (*ids)[16];
	size_t max;
	size_t n;
};
bool store_take_id(void *arg, const struct value *columns, size_t n);

/*
 * Begins a transaction unless one is open, and finds the last change in it: the writers of several
 * processes take turns, so that nobody else gives the next one.
 */
enum ttg_error store_begin(struct store *store, struct message *message);

/*
 * For what commits by itself: commits, or rolls back after an error, what was begun for it alone.
 * Within a transaction of others it leaves both to them.
 */
enum ttg_error store_end(struct store *store, bool alone, enum ttg_error error,
                         struct message *message);

/* An event that is new here, in the open transaction: an alert if it is urgent. */
enum ttg_error alert_raise(struct store *store, const struct ttg_delivery *delivery,
                           const Ttg__Event *event, int64_t received_ns, struct message *message);

#endif
