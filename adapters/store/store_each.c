/*
 * Reading the case store: all of it in the order of time, what is new in the order of change, one
 * by its id. See store.h. One row of the statements below is one struct store_event.
 */
#include "store/store_internal.h"

#include <assert.h>

/* Columns of EVENT_COLUMNS and PUBLISHED_COLUMNS in store_sql.c. */
enum column {
	ENCODED = 0,
	PERSON_KEY,
	KEPT,
	OURS,
	ID,
	TYPE,
	MAILBOX,
	RECEIVED,
	REDACTED,
	CODE,
	SEQUENCE,
	TEXT,
	CHANGE,
	DELIVERED,
	ACKNOWLEDGED,
	COLUMNS,
};

_Static_assert(COLUMNS <= DATABASE_COLUMNS_MAX, "all columns are shown");

struct showing {
	store_event_fn *each;
	void *arg;
	bool any;
	bool damaged;
};

static bool is_damaged(const struct value *columns)
{
	return columns[ENCODED].kind != VALUE_BYTES || columns[ID].kind != VALUE_BYTES ||
	       columns[ID].len != TTG_UUID_BYTES || columns[TYPE].kind != VALUE_TEXT ||
	       (columns[PERSON_KEY].kind != VALUE_NULL &&
	        columns[PERSON_KEY].len != TTG_PERSON_KEY_BYTES);
}

static int64_t number_or_unknown(const struct value *column)
{
	return column->kind == VALUE_INTEGER ? column->integer : STORE_UNKNOWN;
}

static bool show_event(void *arg, const struct value *columns, size_t n)
{
	struct showing *showing = arg;
	struct store_event event;

	assert(n == COLUMNS);
	showing->damaged = is_damaged(columns);
	if (showing->damaged)
		return false;
	event = (struct store_event){
		.change = (uint64_t)columns[CHANGE].integer,
		.type = columns[TYPE].bytes,
		.encoded = columns[ENCODED].bytes,
		.encoded_bytes = columns[ENCODED].len,
		.kept_ns = columns[KEPT].integer,
		.published = columns[OURS].integer != 0,
		.mailbox = columns[MAILBOX].bytes,
		.received_ns = columns[RECEIVED].integer,
		.person_key = columns[PERSON_KEY].bytes,
		.redacted = columns[REDACTED].integer != 0,
		.answered = columns[CODE].kind == VALUE_INTEGER,
		.code = (enum ttg_error)columns[CODE].integer,
		.sequence = (uint64_t)columns[SEQUENCE].integer,
		.text = columns[TEXT].kind == VALUE_TEXT ? columns[TEXT].bytes : "",
		.delivered = number_or_unknown(&columns[DELIVERED]),
		.acknowledged = number_or_unknown(&columns[ACKNOWLEDGED]),
	};
	memcpy(event.id, columns[ID].bytes, sizeof(event.id));
	showing->any = true;
	return showing->each(showing->arg, &event);
}

static enum ttg_error show(struct store *store, struct query *query, struct showing *showing,
                           struct message *message)
{
	enum ttg_error error;

	query->row = show_event;
	query->arg = showing;
	error = store_run(store, query, NULL, message);
	if (error == TTG_OK && showing->damaged)
		return message_set(message, TTG_ECORRUPT, "case store: an event is damaged");
	return error;
}

enum ttg_error store_each(struct store *store, store_event_fn *each, void *arg,
                          struct message *message)
{
	struct showing showing = { .each = each, .arg = arg };
	struct query query = { .statement = EACH_EVENT,
		               .doing = "reading the events",
		               .slow = true };

	return show(store, &query, &showing, message);
}

enum ttg_error store_each_since(struct store *store, uint64_t after, store_event_fn *each,
                                void *arg, struct message *message)
{
	struct showing showing = { .each = each, .arg = arg };
	struct query query = QUERY(EACH_SINCE, "reading what changed",
	                           integer(after > INT64_MAX ? INT64_MAX : (int64_t)after));

	query.slow = true;
	return show(store, &query, &showing, message);
}

enum ttg_error store_last_change(struct store *store, uint64_t *change, struct message *message)
{
	const struct query query = { .statement = LAST_CHANGE,
		                     .doing = "looking for what changed",
		                     .row = store_take_number,
		                     .arg = change };

	*change = 0;
	return store_run(store, &query, NULL, message);
}

enum ttg_error store_find_event(struct store *store, const uint8_t id[16], store_event_fn *each,
                                void *arg, struct message *message)
{
	struct showing showing = { .each = each, .arg = arg };
	struct query query = QUERY(FIND_EVENT, "reading an event", id_value(id));
	enum ttg_error error = show(store, &query, &showing, message);

	if (error == TTG_OK && !showing.any)
		return message_set(message, TTG_ENOENT, "no such event is here");
	return error;
}
