/* What we published ourselves, and what became of it. See store.h. */
#include "store/store_internal.h"

#include <assert.h>
#include "base/utf8.h"
#include "store/published.h"

enum ttg_error store_add_published(struct store *store, const uint8_t id[16], const char *type,
                                   const uint8_t *event, size_t event_bytes, int64_t now_ns,
                                   struct message *message)
{
	enum ttg_error error = store_begin(store, message);
	const struct query query = QUERY(ADD_PUBLISHED, "keeping our own event", id_value(id),
	                                 text(type), integer(now_ns), bytes(event, event_bytes),
	                                 integer((int64_t)store->change + 1));
	uint64_t changed = 0;

	if (error != TTG_OK)
		return error;
	error = store_run(store, &query, &changed, message);
	store->change += changed;
	if (error != TTG_OK)
		store_rollback(store);
	return error;
}

static enum ttg_error answer(struct store *store, const struct ttg_outcome *outcome, int64_t now_ns,
                             struct message *message)
{
	const char *said = outcome->text != NULL ? outcome->text : "";
	const struct query query = QUERY(
	        ANSWER, "keeping an answer", id_value(outcome->id), integer((int64_t)outcome->code),
	        integer(outcome->duplicate ? 1 : 0), integer((int64_t)outcome->sequence),
	        text(utf8_is_clean(said, strlen(said)) ? said : "(no clean text)"), integer(now_ns),
	        integer((int64_t)store->change + 1));
	uint64_t changed = 0;
	enum ttg_error error = store_run(store, &query, &changed, message);

	store->change += changed;
	if (error == TTG_OK && changed == 0)
		return message_set(message, TTG_ENOENT, "an answer to an event not published here");
	return error;
}

enum ttg_error store_answer(struct store *store, const struct ttg_outcome *outcome, int64_t now_ns,
                            struct message *message)
{
	bool alone = !store->in_transaction;
	enum ttg_error error = store_begin(store, message);

	if (error != TTG_OK)
		return error;
	error = answer(store, outcome, now_ns, message);
	return store_end(store, alone, error, message);
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
	struct query query = QUERY(FIND_OUTCOME, "reading an answer", id_value(id));
	struct found found = { .out = out };
	enum ttg_error error;

	query.row = take_outcome;
	query.arg = &found;
	error = store_run(store, &query, NULL, message);
	if (error == TTG_OK && !found.any)
		return message_set(message, TTG_ENOENT, "no such event was published here");
	return error;
}

enum ttg_error store_find_unsettled(struct store *store, int64_t since_ns, uint8_t (*ids)[16],
                                    size_t max, size_t *n, struct message *message)
{
	struct query query = QUERY(FIND_UNSETTLED, "looking for what waits for its recipients",
	                           integer(since_ns), integer((int64_t)max));
	struct store_ids found = { .ids = ids, .max = max };
	enum ttg_error error;

	query.row = store_take_id;
	query.arg = &found;
	error = store_run(store, &query, NULL, message);
	*n = found.n;
	return error;
}

enum ttg_error store_add_state(struct store *store, const struct ttg_event_state *state,
                               int64_t now_ns, bool *changed, struct message *message)
{
	const struct query query =
	        QUERY(ADD_STATE, "keeping what became of an event", id_value(state->id),
	              integer(state->delivered), integer(state->acknowledged));
	const struct query asked = QUERY(ADD_ASKED, "keeping what became of an event",
	                                 id_value(state->id), integer(now_ns));
	uint64_t rows = 0;
	enum ttg_error error = store_begin(store, message);

	*changed = false;
	if (error != TTG_OK)
		return error;
	error = store_run(store, &query, &rows, message);
	*changed = rows > 0;
	if (error == TTG_OK)
		error = store_run(store, &asked, NULL, message);
	if (error != TTG_OK)
		store_rollback(store);
	return error;
}
