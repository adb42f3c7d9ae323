/*
 * The case store: what is kept of an event, in which order, in one transaction. Which database
 * keeps it is behind database.h.
 *
 * Owned by the adapter's one thread. A commit holds everything one frame of deliveries brought, and
 * survives the loss of power. On failure the open transaction is rolled back and the caller stops:
 * nothing unacknowledged is lost, because the broker delivers it again.
 */
#include "store/store.h"
#include "store/database.h"
#include "store/migrations.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <ttg/event.h>
#include "base/utf8.h"

#define QUERY(which, what, ...)                                                                    \
	{                                                                                          \
		.statement = (which), .doing = (what),                                             \
		.values = (const struct value[]){ __VA_ARGS__ },                                   \
		.n_values = sizeof((const struct value[]){ __VA_ARGS__ }) / sizeof(struct value)   \
	}

struct store {
	struct database *database;
	bool in_transaction;
};

static struct value integer(int64_t number)
{
	return (struct value){ .kind = VALUE_INTEGER, .integer = number };
}

static struct value text(const char *string)
{
	return (struct value){ .kind = VALUE_TEXT, .bytes = string, .len = strlen(string) };
}

static struct value bytes(const uint8_t *data, size_t len)
{
	return (struct value){ .kind = VALUE_BYTES, .bytes = data, .len = len };
}

static struct value time_or_null(const Ttg__Time *time)
{
	return time != NULL ? integer(time->unix_ns) : (struct value){ .kind = VALUE_NULL };
}

static struct value id_or_null(const ProtobufCBinaryData *id)
{
	return id->len > 0 ? bytes(id->data, id->len) : (struct value){ .kind = VALUE_NULL };
}

static struct value key_or_null(const uint8_t *person_key)
{
	return person_key != NULL ? bytes(person_key, TTG_PERSON_KEY_BYTES)
	                          : (struct value){ .kind = VALUE_NULL };
}

static enum ttg_error run(struct store *store, const struct query *query, uint64_t *changed,
                          struct message *message)
{
	return store->database->calls->run(store->database, query, changed, message);
}

static enum ttg_error begin(struct store *store, struct message *message)
{
	enum ttg_error error;

	if (store->in_transaction)
		return TTG_OK;
	error = store->database->calls->begin(store->database, message);
	store->in_transaction = error == TTG_OK;
	return error;
}

static enum ttg_error add_event(struct store *store, const struct ttg_delivery *delivery,
                                const Ttg__Event *event, int64_t received_ns,
                                enum store_verdict *verdict, struct message *message)
{
	const struct query query = QUERY(
	        ADD_EVENT, "keeping an event", bytes(event->id.data, event->id.len),
	        text(event->type), text(event->source), time_or_null(event->occurred_at),
	        time_or_null(event->recorded_at), integer(delivery->accepted_ns),
	        integer(received_ns), key_or_null(delivery->person_key), text(delivery->mailbox),
	        integer((int64_t)delivery->position), id_or_null(&event->correlation_id),
	        id_or_null(&event->causation_id), id_or_null(&event->supersedes),
	        integer((int64_t)event->urgency), integer(delivery->redacted ? 1 : 0),
	        bytes(delivery->event, delivery->event_bytes));
	uint64_t changed = 0;
	enum ttg_error error = run(store, &query, &changed, message);

	if (error == TTG_OK)
		*verdict = changed > 0 ? STORE_NEW : STORE_KNOWN;
	return error;
}

static enum ttg_error upgrade_event(struct store *store, const struct ttg_delivery *delivery,
                                    const Ttg__Event *event, struct message *message)
{
	const struct query query =
	        QUERY(UPGRADE_EVENT, "completing an event", bytes(event->id.data, event->id.len),
	              bytes(delivery->event, delivery->event_bytes));

	return run(store, &query, NULL, message);
}

static enum ttg_error add_way(struct store *store, const struct ttg_delivery *delivery,
                              const Ttg__Event *event, int64_t received_ns, struct message *message)
{
	const struct query way =
	        QUERY(ADD_DELIVERY, "keeping a delivery", bytes(event->id.data, event->id.len),
	              text(delivery->mailbox), integer((int64_t)delivery->position),
	              integer(received_ns));
	const struct query position =
	        QUERY(RAISE_POSITION, "keeping a position", text(delivery->mailbox),
	              integer((int64_t)delivery->position));
	enum ttg_error error = run(store, &way, NULL, message);

	return error != TTG_OK ? error : run(store, &position, NULL, message);
}

/* What a database may refuse is refused here, by both alike and before a transaction suffers. */
static enum ttg_error check_event(const Ttg__Event *event, struct message *message)
{
	if (event == NULL || event->id.len != TTG_UUID_BYTES)
		return message_set(message, TTG_EFORMAT,
		                   "a delivery is not an event with a 16-byte id");
	if (!utf8_is_clean(event->type, strlen(event->type)) ||
	    !utf8_is_clean(event->source, strlen(event->source)))
		return message_set(message, TTG_EFORMAT,
		                   "a delivery's type or source is no clean text");
	return TTG_OK;
}

enum ttg_error store_add(struct store *store, const struct ttg_delivery *delivery,
                         int64_t received_ns, enum store_verdict *verdict, struct message *message)
{
	Ttg__Event *event = ttg__event__unpack(NULL, delivery->event_bytes, delivery->event);
	enum ttg_error error = check_event(event, message);

	if (error != TTG_OK)
		goto out;
	error = begin(store, message);
	if (error == TTG_OK)
		error = add_event(store, delivery, event, received_ns, verdict, message);
	if (error == TTG_OK && *verdict == STORE_KNOWN && !delivery->redacted)
		error = upgrade_event(store, delivery, event, message);
	if (error == TTG_OK)
		error = add_way(store, delivery, event, received_ns, message);
	if (error != TTG_OK)
		store_rollback(store);
out:
	if (event)
		ttg__event__free_unpacked(event, NULL);
	return error;
}

enum ttg_error store_commit(struct store *store, struct message *message)
{
	enum ttg_error error;

	if (!store->in_transaction)
		return TTG_OK;
	error = store->database->calls->commit(store->database, message);
	if (error == TTG_OK)
		store->in_transaction = false;
	else
		store_rollback(store);
	return error;
}

void store_rollback(struct store *store)
{
	if (store->in_transaction)
		store->database->calls->rollback(store->database);
	store->in_transaction = false;
}

/* For queries of one number: the last row's. */
static bool take_number(void *arg, const struct value *columns, size_t n)
{
	uint64_t *number = arg;

	*number = n > 0 ? (uint64_t)columns[0].integer : 0;
	return true;
}

enum ttg_error store_position(struct store *store, const char *mailbox, uint64_t *position,
                              struct message *message)
{
	struct query query = QUERY(FIND_POSITION, "reading a position", text(mailbox));

	*position = 0;
	query.row = take_number;
	query.arg = position;
	return run(store, &query, NULL, message);
}

enum ttg_error store_count(struct store *store, uint64_t *events, struct message *message)
{
	const struct query query = { .statement = COUNT_EVENTS,
		                     .doing = "counting events",
		                     .slow = true,
		                     .row = take_number,
		                     .arg = events };

	*events = 0;
	return run(store, &query, NULL, message);
}

enum ttg_error store_add_published(struct store *store, const uint8_t id[16], const char *type,
                                   const uint8_t *event, size_t event_bytes, int64_t now_ns,
                                   struct message *message)
{
	const struct query query =
	        QUERY(ADD_PUBLISHED, "keeping our own event", bytes(id, TTG_UUID_BYTES), text(type),
	              integer(now_ns), bytes(event, event_bytes));
	enum ttg_error error = begin(store, message);

	if (error != TTG_OK)
		return error;
	error = run(store, &query, NULL, message);
	if (error != TTG_OK)
		store_rollback(store);
	return error;
}

enum ttg_error store_answer(struct store *store, const struct ttg_outcome *outcome, int64_t now_ns,
                            struct message *message)
{
	const char *said = outcome->text != NULL ? outcome->text : "";
	const struct query query =
	        QUERY(ANSWER, "keeping an answer", bytes(outcome->id, TTG_UUID_BYTES),
	              integer((int64_t)outcome->code), integer(outcome->duplicate ? 1 : 0),
	              integer((int64_t)outcome->sequence),
	              text(utf8_is_clean(said, strlen(said)) ? said : "(no clean text)"),
	              integer(now_ns));
	uint64_t changed = 0;
	enum ttg_error error = run(store, &query, &changed, message);

	if (error == TTG_OK && changed == 0)
		return message_set(message, TTG_ENOENT, "an answer to an event not published here");
	return error;
}

struct found {
	struct store_outcome *out;
	bool any;
};

static bool take_outcome(void *arg, const struct value *columns, size_t n)
{
	struct found *found = arg;
	struct store_outcome *out = found->out;

	assert(n == 4);
	memset(out, 0, sizeof(*out));
	out->answered = columns[0].kind != VALUE_NULL;
	out->code = (enum ttg_error)columns[0].integer;
	out->duplicate = columns[1].integer != 0;
	out->sequence = (uint64_t)columns[2].integer;
	if (columns[3].kind == VALUE_TEXT)
		strncpy(out->text, columns[3].bytes, sizeof(out->text) - 1);
	found->any = true;
	return true;
}

enum ttg_error store_find_outcome(struct store *store, const uint8_t id[16],
                                  struct store_outcome *out, struct message *message)
{
	struct query query = QUERY(FIND_OUTCOME, "reading an answer", bytes(id, TTG_UUID_BYTES));
	struct found found = { .out = out };
	enum ttg_error error;

	query.row = take_outcome;
	query.arg = &found;
	error = run(store, &query, NULL, message);
	if (error == TTG_OK && !found.any)
		return message_set(message, TTG_ENOENT, "no such event was published here");
	return error;
}

struct showing {
	bool (*each)(void *arg, const struct store_event *event);
	void *arg;
	bool damaged;
};

static bool show_event(void *arg, const struct value *columns, size_t n)
{
	struct showing *showing = arg;
	struct store_event event = { .encoded = columns[0].bytes,
		                     .encoded_bytes = columns[0].len,
		                     .person_key = columns[1].bytes,
		                     .kept_ns = columns[2].integer,
		                     .published = columns[3].integer != 0 };

	assert(n == 5);
	if (columns[0].kind != VALUE_BYTES ||
	    (columns[1].kind != VALUE_NULL && columns[1].len != TTG_PERSON_KEY_BYTES)) {
		showing->damaged = true;
		return false;
	}
	return showing->each(showing->arg, &event);
}

enum ttg_error store_each(struct store *store,
                          bool (*each)(void *arg, const struct store_event *event), void *arg,
                          struct message *message)
{
	struct showing showing = { .each = each, .arg = arg };
	const struct query query = { .statement = EACH_EVENT,
		                     .doing = "reading the events",
		                     .slow = true,
		                     .row = show_event,
		                     .arg = &showing };
	enum ttg_error error = run(store, &query, NULL, message);

	if (error == TTG_OK && showing.damaged)
		return message_set(message, TTG_ECORRUPT, "case store: an event is damaged");
	return error;
}

static bool is_given(const char *word)
{
	return word != NULL && word[0] != '\0';
}

enum ttg_error store_check(const struct store_place *place, struct message *message)
{
	if (is_given(place->path) == is_given(place->postgres))
		return message_set(message, TTG_EFORMAT,
		                   "store: either path or postgres is to be given");
	if (is_given(place->postgres))
		return postgres_check(place, message);
	if (is_given(place->password_file))
		return message_set(message, TTG_EFORMAT, "store.password_file is for postgres");
	return TTG_OK;
}

static enum ttg_error open_place(struct store **out, const struct store_place *place, bool writes,
                                 struct message *message)
{
	enum ttg_error error = store_check(place, message);
	struct store *store = error == TTG_OK ? calloc(1, sizeof(*store)) : NULL;

	*out = NULL;
	if (error != TTG_OK)
		return error;
	if (store == NULL)
		return message_set(message, TTG_ENOMEM, "no memory for the case store");
	if (is_given(place->postgres))
		error = postgres_open(&store->database, place, writes, message);
	else
		error = sqlite_open(&store->database, place->path, writes, message);
	if (error == TTG_OK)
		error = writes ? migrations_run(store->database, message)
		               : migrations_check(store->database, message);
	if (error == TTG_OK)
		*out = store;
	else
		store_close(&store);
	return error;
}

enum ttg_error store_open(struct store **out, const struct store_place *place,
                          struct message *message)
{
	return open_place(out, place, true, message);
}

enum ttg_error store_open_reader(struct store **out, const struct store_place *place,
                                 struct message *message)
{
	return open_place(out, place, false, message);
}

void store_close(struct store **store)
{
	if (!*store)
		return;
	store_rollback(*store);
	if ((*store)->database != NULL)
		(*store)->database->calls->close((*store)->database);
	free(*store);
	*store = NULL;
}
