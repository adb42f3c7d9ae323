/*
 * The case store: what is kept of an event, in which order, in one transaction. Which database
 * keeps it is behind database.h.
 *
 * Owned by the adapter's one thread. A commit holds everything one frame of deliveries brought, and
 * survives the loss of power. On failure the open transaction is rolled back and the caller stops:
 * nothing unacknowledged is lost, because the broker delivers it again.
 */
#include "store/store_internal.h"

#include <stdlib.h>
#include "base/utf8.h"
#include "store/alert.h"
#include "store/migrations.h"

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

enum ttg_error store_run(struct store *store, const struct query *query, uint64_t *changed,
                         struct message *message)
{
	return store->database->calls->run(store->database, query, changed, message);
}

bool store_take_number(void *arg, const struct value *columns, size_t n)
{
	uint64_t *number = arg;

	*number = n > 0 && columns[0].kind == VALUE_INTEGER ? (uint64_t)columns[0].integer : 0;
	return true;
}

bool store_take_id(void *arg, const struct value *columns, size_t n)
{
	struct store_ids *found = arg;

	if (found->n < found->max && n > 0 && columns[0].kind == VALUE_BYTES &&
	    columns[0].len == sizeof(*found->ids))
		memcpy(found->ids[found->n++], columns[0].bytes, sizeof(*found->ids));
	return found->n < found->max;
}

enum ttg_error store_begin(struct store *store, struct message *message)
{
	enum ttg_error error;

	if (store->in_transaction)
		return TTG_OK;
	error = store->database->calls->begin(store->database, message);
	if (error != TTG_OK)
		return error;
	store->in_transaction = true;
	error = store_last_change(store, &store->change, message);
	if (error != TTG_OK)
		store_rollback(store);
	return error;
}

enum ttg_error store_end(struct store *store, bool alone, enum ttg_error error,
                         struct message *message)
{
	if (alone && error == TTG_OK)
		return store_commit(store, message);
	if (alone)
		store_rollback(store);
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
	        bytes(delivery->event, delivery->event_bytes), integer((int64_t)store->change + 1));
	uint64_t changed = 0;
	enum ttg_error error = store_run(store, &query, &changed, message);

	if (error == TTG_OK)
		*verdict = changed > 0 ? STORE_NEW : STORE_KNOWN;
	store->change += changed;
	return error;
}

static enum ttg_error upgrade_event(struct store *store, const struct ttg_delivery *delivery,
                                    const Ttg__Event *event, struct message *message)
{
	const struct query query = QUERY(
	        UPGRADE_EVENT, "completing an event", bytes(event->id.data, event->id.len),
	        bytes(delivery->event, delivery->event_bytes), integer((int64_t)store->change + 1));
	uint64_t changed = 0;
	enum ttg_error error = store_run(store, &query, &changed, message);

	store->change += changed;
	return error;
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
	enum ttg_error error = store_run(store, &way, NULL, message);

	return error != TTG_OK ? error : store_run(store, &position, NULL, message);
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
	error = store_begin(store, message);
	if (error == TTG_OK)
		error = add_event(store, delivery, event, received_ns, verdict, message);
	if (error == TTG_OK && *verdict == STORE_KNOWN && !delivery->redacted)
		error = upgrade_event(store, delivery, event, message);
	if (error == TTG_OK && *verdict == STORE_NEW)
		error = alert_raise(store, delivery, event, received_ns, message);
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

enum ttg_error store_position(struct store *store, const char *mailbox, uint64_t *position,
                              struct message *message)
{
	struct query query = QUERY(FIND_POSITION, "reading a position", text(mailbox));

	*position = 0;
	query.row = store_take_number;
	query.arg = position;
	return store_run(store, &query, NULL, message);
}

enum ttg_error store_count(struct store *store, uint64_t *events, struct message *message)
{
	const struct query query = { .statement = COUNT_EVENTS,
		                     .doing = "counting events",
		                     .slow = true,
		                     .row = store_take_number,
		                     .arg = events };

	*events = 0;
	return store_run(store, &query, NULL, message);
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

static enum ttg_error open_place(struct store **out, const struct store_place *place,
                                 enum opening opening, struct message *message)
{
	enum ttg_error error = store_check(place, message);
	struct store *store = error == TTG_OK ? calloc(1, sizeof(*store)) : NULL;

	*out = NULL;
	if (error != TTG_OK)
		return error;
	if (store == NULL)
		return message_set(message, TTG_ENOMEM, "no memory for the case store");
	if (is_given(place->postgres))
		error = postgres_open(&store->database, place, opening, message);
	else
		error = sqlite_open(&store->database, place->path, opening, message);
	if (error == TTG_OK)
		error = opening == OPEN_SERVICE
		                ? migrations_run(store->database, message)
		                : migrations_check(store->database, opening == OPEN_DESK, message);
	if (error == TTG_OK)
		*out = store;
	else
		store_close(&store);
	return error;
}

enum ttg_error store_open(struct store **out, const struct store_place *place,
                          struct message *message)
{
	return open_place(out, place, OPEN_SERVICE, message);
}

enum ttg_error store_open_reader(struct store **out, const struct store_place *place,
                                 struct message *message)
{
	return open_place(out, place, OPEN_READER, message);
}

enum ttg_error store_open_desk(struct store **out, const struct store_place *place,
                               struct message *message)
{
	return open_place(out, place, OPEN_DESK, message);
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
