/*
 * The case store on SQLite.
 *
 * Owned by the adapter's one thread. The file is in write-ahead mode with a full sync at each
 * commit, so that "committed" means it survives the loss of power; a commit holds everything one
 * frame of deliveries brought. Statements are prepared once and reset after each use.
 *
 * On failure the open transaction is rolled back and the caller stops: nothing unacknowledged is
 * lost, because the broker delivers it again.
 */
#include "oneservice/store.h"
#include "oneservice/migrations.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <ttg/event.h>

#define BUSY_MS 5000 /* patience with another process that holds the file */

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
	STATEMENTS,
};

static const char *const statement_sql[STATEMENTS] = {
	[ADD_EVENT] = "INSERT INTO event (id, type, source, occurred_ns, recorded_ns, accepted_ns,"
	              " received_ns, person_key, mailbox, position, correlation_id, causation_id,"
	              " supersedes, urgency, redacted, encoded)"
	              " VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16)"
	              " ON CONFLICT (id) DO NOTHING",
	/* The same event through a mailbox with a wider grant: keep the fuller bytes. */
	[UPGRADE_EVENT] = "UPDATE event SET encoded = ?2, redacted = 0 WHERE id = ?1"
	                  " AND redacted = 1",
	[ADD_DELIVERY] = "INSERT INTO delivery (event_id, mailbox, position, received_ns)"
	                 " VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
	[RAISE_POSITION] = "INSERT INTO position (mailbox, stored_to) VALUES (?1, ?2)"
	                   " ON CONFLICT (mailbox) DO UPDATE"
	                   " SET stored_to = max(stored_to, excluded.stored_to)",
	[FIND_POSITION] = "SELECT stored_to FROM position WHERE mailbox = ?1",
	[COUNT_EVENTS] = "SELECT count(*) FROM event",
	[ADD_PUBLISHED] = "INSERT INTO published (id, type, published_ns, encoded)"
	                  " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO NOTHING",
	[ANSWER] = "UPDATE published SET code = ?2, duplicate = ?3, sequence = ?4, text = ?5,"
	           " answered_ns = ?6 WHERE id = ?1",
	[FIND_OUTCOME] = "SELECT code, duplicate, sequence, text FROM published WHERE id = ?1",
};

struct store {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
	bool in_transaction;
};

static sqlite3_stmt *statement_of(struct store *store, enum statement which)
{
	sqlite3_stmt **statement = &store->statements[which];

	if (!*statement)
		sqlite3_prepare_v3(store->db, statement_sql[which], -1, SQLITE_PREPARE_PERSISTENT,
		                   statement, NULL);
	return *statement;
}

/* Runs a statement that gives no rows, and makes it ready for the next use. */
static enum ttg_error run(struct store *store, sqlite3_stmt *statement, const char *doing,
                          struct message *message)
{
	enum ttg_error error = TTG_OK;

	if (sqlite3_step(statement) != SQLITE_DONE)
		error = store_error(store->db, doing, message);
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return error;
}

static void bind_time(sqlite3_stmt *statement, int index, const Ttg__Time *time)
{
	if (time)
		sqlite3_bind_int64(statement, index, time->unix_ns);
}

/* Empty stays NULL. The bytes must live until the statement was run. */
static void bind_id(sqlite3_stmt *statement, int index, const ProtobufCBinaryData *id)
{
	if (id->len > 0)
		sqlite3_bind_blob64(statement, index, id->data, id->len, SQLITE_STATIC);
}

static enum ttg_error begin(struct store *store, struct message *message)
{
	if (store->in_transaction)
		return TTG_OK;
	if (sqlite3_exec(store->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		return store_error(store->db, "beginning to write", message);
	store->in_transaction = true;
	return TTG_OK;
}

static enum ttg_error add_event(struct store *store, const struct ttg_delivery *delivery,
                                const Ttg__Event *event, int64_t received_ns,
                                enum store_verdict *verdict, struct message *message)
{
	sqlite3_stmt *statement = statement_of(store, ADD_EVENT);
	enum ttg_error error;

	if (!statement)
		return store_error(store->db, "preparing to keep an event", message);
	sqlite3_bind_blob64(statement, 1, event->id.data, event->id.len, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, event->type, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 3, event->source, -1, SQLITE_STATIC);
	bind_time(statement, 4, event->occurred_at);
	bind_time(statement, 5, event->recorded_at);
	sqlite3_bind_int64(statement, 6, delivery->accepted_ns);
	sqlite3_bind_int64(statement, 7, received_ns);
	if (delivery->person_key)
		sqlite3_bind_blob(statement, 8, delivery->person_key, TTG_PERSON_KEY_BYTES,
		                  SQLITE_STATIC);
	sqlite3_bind_text(statement, 9, delivery->mailbox, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 10, (sqlite3_int64)delivery->position);
	bind_id(statement, 11, &event->correlation_id);
	bind_id(statement, 12, &event->causation_id);
	bind_id(statement, 13, &event->supersedes);
	sqlite3_bind_int(statement, 14, (int)event->urgency);
	sqlite3_bind_int(statement, 15, delivery->redacted ? 1 : 0);
	sqlite3_bind_blob64(statement, 16, delivery->event, delivery->event_bytes, SQLITE_STATIC);
	error = run(store, statement, "keeping an event", message);
	if (error == TTG_OK)
		*verdict = sqlite3_changes(store->db) > 0 ? STORE_NEW : STORE_KNOWN;
	return error;
}

static enum ttg_error upgrade_event(struct store *store, const struct ttg_delivery *delivery,
                                    const Ttg__Event *event, struct message *message)
{
	sqlite3_stmt *statement = statement_of(store, UPGRADE_EVENT);

	if (!statement)
		return store_error(store->db, "preparing to complete an event", message);
	sqlite3_bind_blob64(statement, 1, event->id.data, event->id.len, SQLITE_STATIC);
	sqlite3_bind_blob64(statement, 2, delivery->event, delivery->event_bytes, SQLITE_STATIC);
	return run(store, statement, "completing an event", message);
}

static enum ttg_error add_way(struct store *store, const struct ttg_delivery *delivery,
                              const Ttg__Event *event, int64_t received_ns, struct message *message)
{
	sqlite3_stmt *way = statement_of(store, ADD_DELIVERY);
	sqlite3_stmt *position = statement_of(store, RAISE_POSITION);
	enum ttg_error error;

	if (!way || !position)
		return store_error(store->db, "preparing to keep a position", message);
	sqlite3_bind_blob64(way, 1, event->id.data, event->id.len, SQLITE_STATIC);
	sqlite3_bind_text(way, 2, delivery->mailbox, -1, SQLITE_STATIC);
	sqlite3_bind_int64(way, 3, (sqlite3_int64)delivery->position);
	sqlite3_bind_int64(way, 4, received_ns);
	error = run(store, way, "keeping a delivery", message);
	if (error != TTG_OK)
		return error;
	sqlite3_bind_text(position, 1, delivery->mailbox, -1, SQLITE_STATIC);
	sqlite3_bind_int64(position, 2, (sqlite3_int64)delivery->position);
	return run(store, position, "keeping a position", message);
}

enum ttg_error store_add(struct store *store, const struct ttg_delivery *delivery,
                         int64_t received_ns, enum store_verdict *verdict, struct message *message)
{
	Ttg__Event *event = ttg__event__unpack(NULL, delivery->event_bytes, delivery->event);
	enum ttg_error error = TTG_EFORMAT;

	if (!event || event->id.len != TTG_UUID_BYTES) {
		message_set(message, TTG_EFORMAT, "a delivery is not an event with a 16-byte id");
		goto out;
	}
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
	if (sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK) {
		store->in_transaction = false;
		return TTG_OK;
	}
	error = store_error(store->db, "committing", message);
	store_rollback(store);
	return error;
}

void store_rollback(struct store *store)
{
	if (store->in_transaction)
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	store->in_transaction = false;
}

enum ttg_error store_position(struct store *store, const char *mailbox, uint64_t *position,
                              struct message *message)
{
	sqlite3_stmt *statement = statement_of(store, FIND_POSITION);
	enum ttg_error error = TTG_OK;
	int result;

	if (!statement)
		return store_error(store->db, "preparing to read a position", message);
	sqlite3_bind_text(statement, 1, mailbox, -1, SQLITE_STATIC);
	*position = 0;
	result = sqlite3_step(statement);
	if (result == SQLITE_ROW)
		*position = (uint64_t)sqlite3_column_int64(statement, 0);
	else if (result != SQLITE_DONE)
		error = store_error(store->db, "reading a position", message);
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return error;
}

enum ttg_error store_count(struct store *store, uint64_t *events, struct message *message)
{
	sqlite3_stmt *statement = statement_of(store, COUNT_EVENTS);
	enum ttg_error error = TTG_OK;

	if (!statement || sqlite3_step(statement) != SQLITE_ROW)
		error = store_error(store->db, "counting events", message);
	else
		*events = (uint64_t)sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	return error;
}

enum ttg_error store_add_published(struct store *store, const uint8_t id[16], const char *type,
                                   const uint8_t *event, size_t event_bytes, int64_t now_ns,
                                   struct message *message)
{
	sqlite3_stmt *statement = statement_of(store, ADD_PUBLISHED);
	enum ttg_error error;

	if (!statement)
		return store_error(store->db, "preparing to keep our own event", message);
	error = begin(store, message);
	if (error != TTG_OK)
		return error;
	sqlite3_bind_blob(statement, 1, id, TTG_UUID_BYTES, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, type, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 3, now_ns);
	sqlite3_bind_blob64(statement, 4, event, event_bytes, SQLITE_STATIC);
	error = run(store, statement, "keeping our own event", message);
	if (error != TTG_OK)
		store_rollback(store);
	return error;
}

enum ttg_error store_answer(struct store *store, const struct ttg_outcome *outcome, int64_t now_ns,
                            struct message *message)
{
	sqlite3_stmt *statement = statement_of(store, ANSWER);
	enum ttg_error error;

	if (!statement)
		return store_error(store->db, "preparing to keep an answer", message);
	sqlite3_bind_blob(statement, 1, outcome->id, TTG_UUID_BYTES, SQLITE_STATIC);
	sqlite3_bind_int(statement, 2, (int)outcome->code);
	sqlite3_bind_int(statement, 3, outcome->duplicate ? 1 : 0);
	sqlite3_bind_int64(statement, 4, (sqlite3_int64)outcome->sequence);
	sqlite3_bind_text(statement, 5, outcome->text ? outcome->text : "", -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 6, now_ns);
	error = run(store, statement, "keeping an answer", message);
	if (error == TTG_OK && sqlite3_changes(store->db) == 0)
		return message_set(message, TTG_ENOENT, "an answer to an event not published here");
	return error;
}

static void read_outcome(sqlite3_stmt *statement, struct store_outcome *out)
{
	const unsigned char *text = sqlite3_column_text(statement, 3);

	memset(out, 0, sizeof(*out));
	out->answered = sqlite3_column_type(statement, 0) != SQLITE_NULL;
	out->code = (enum ttg_error)sqlite3_column_int(statement, 0);
	out->duplicate = sqlite3_column_int(statement, 1) != 0;
	out->sequence = (uint64_t)sqlite3_column_int64(statement, 2);
	if (text)
		strncpy(out->text, (const char *)text, sizeof(out->text) - 1);
}

enum ttg_error store_find_outcome(struct store *store, const uint8_t id[16],
                                  struct store_outcome *out, struct message *message)
{
	sqlite3_stmt *statement = statement_of(store, FIND_OUTCOME);
	enum ttg_error error = TTG_OK;
	int result;

	if (!statement)
		return store_error(store->db, "preparing to read an answer", message);
	sqlite3_bind_blob(statement, 1, id, TTG_UUID_BYTES, SQLITE_STATIC);
	result = sqlite3_step(statement);
	if (result == SQLITE_ROW)
		read_outcome(statement, out);
	else if (result == SQLITE_DONE)
		error = message_set(message, TTG_ENOENT, "no such event was published here");
	else
		error = store_error(store->db, "reading an answer", message);
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return error;
}

static enum ttg_error open_file(struct store **out, const char *path, int flags,
                                struct message *message)
{
	struct store *store = calloc(1, sizeof(*store));
	enum ttg_error error;

	*out = NULL;
	if (!store)
		return message_set(message, TTG_ENOMEM, "no memory for the case store");
	if (sqlite3_open_v2(path, &store->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
		error = store->db ? store_error(store->db, "opening", message) : TTG_ENOMEM;
		store_close(&store);
		return error;
	}
	sqlite3_busy_timeout(store->db, BUSY_MS);
	*out = store;
	return TTG_OK;
}

enum ttg_error store_open(struct store **out, const char *path, struct message *message)
{
	enum ttg_error error;
	mode_t mask = umask(S_IRWXG | S_IRWXO);

	error = open_file(out, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, message);
	if (error == TTG_OK && sqlite3_exec((*out)->db,
	                                    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
	                                    " PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON",
	                                    NULL, NULL, NULL) != SQLITE_OK)
		error = store_error((*out)->db, "opening", message);
	if (error == TTG_OK)
		error = migrations_run((*out)->db, message);
	umask(mask);
	if (error != TTG_OK)
		store_close(out);
	return error;
}

enum ttg_error store_open_reader(struct store **out, const char *path, struct message *message)
{
	struct stat status;

	*out = NULL;
	if (stat(path, &status) != 0)
		return message_set(message, TTG_ENOENT, "there is no case store yet");
	return open_file(out, path, SQLITE_OPEN_READWRITE, message);
}

void store_close(struct store **store)
{
	if (!*store)
		return;
	store_rollback(*store);
	for (size_t i = 0; i < STATEMENTS; i++)
		sqlite3_finalize((*store)->statements[i]);
	sqlite3_close((*store)->db);
	free(*store);
	*store = NULL;
}
