/*
 * Alerts: raised with the event that is one, acknowledged by one person, released to the broker.
 * See alert.h. What acknowledges and what releases are transactions of their own, alone among all
 * that write, so that of two persons one is the first.
 */
#include "store/alert.h"

#include <assert.h>
#include "base/utf8.h"
#include "store/store_internal.h"

/* The event a notice names, NULL where it is no notice. */
static struct value about(const Ttg__Event *event)
{
	const Ttg__BrokerAlertUnacknowledged *notice = event->broker_alert_unacknowledged;

	if (event->payload_case != TTG__EVENT__PAYLOAD_BROKER_ALERT_UNACKNOWLEDGED ||
	    notice->event_id.len != TTG_UUID_BYTES)
		return (struct value){ .kind = VALUE_NULL };
	return id_value(notice->event_id.data);
}

enum ttg_error alert_raise(struct store *store, const struct ttg_delivery *delivery,
                           const Ttg__Event *event, int64_t received_ns, struct message *message)
{
	const struct query query =
	        QUERY(RAISE_ALERT, "raising an alert", id_value(event->id.data),
	              text(delivery->mailbox), integer((int64_t)delivery->position),
	              integer(received_ns), about(event), integer(store->hold_alerts ? 0 : 1));

	if (event->urgency != TTG__URGENCY__URGENT)
		return TTG_OK;
	return store_run(store, &query, NULL, message);
}

enum ttg_error store_hold_alerts(struct store *store, bool hold, struct message *message)
{
	const struct query query = { .statement = RELEASE_ALL, .doing = "releasing alerts" };
	bool alone = !store->in_transaction;
	enum ttg_error error = TTG_OK;

	store->hold_alerts = hold;
	if (!hold)
		error = store_begin(store, message);
	if (hold || error != TTG_OK)
		return error;
	error = store_run(store, &query, NULL, message);
	return store_end(store, alone, error, message);
}

/* Columns of EACH_ALERT and EACH_OPEN_ALERT in store_sql.c. */
enum column { ID = 0, TYPE, MAILBOX, POSITION, RAISED, ABOUT, AT, BY, RELEASED, COLUMNS };

struct showing {
	bool (*each)(void *arg, const struct store_alert *alert);
	void *arg;
	bool damaged;
};

static bool is_id(const struct value *column)
{
	return column->kind == VALUE_BYTES && column->len == TTG_UUID_BYTES;
}

static bool show_alert(void *arg, const struct value *columns, size_t n)
{
	struct showing *showing = arg;
	struct store_alert alert;

	assert(n == COLUMNS);
	showing->damaged = !is_id(&columns[ID]) || columns[TYPE].kind != VALUE_TEXT ||
	                   columns[MAILBOX].kind != VALUE_TEXT ||
	                   (columns[ABOUT].kind != VALUE_NULL && !is_id(&columns[ABOUT]));
	if (showing->damaged)
		return false;
	alert = (struct store_alert){
		.type = columns[TYPE].bytes,
		.mailbox = columns[MAILBOX].bytes,
		.position = (uint64_t)columns[POSITION].integer,
		.raised_ns = columns[RAISED].integer,
		.about = columns[ABOUT].bytes,
		.is_acknowledged = columns[AT].kind == VALUE_INTEGER,
		.acknowledged_ns = columns[AT].integer,
		.acknowledged_by = columns[BY].kind == VALUE_TEXT ? columns[BY].bytes : "",
		.released = columns[RELEASED].integer != 0,
	};
	memcpy(alert.id, columns[ID].bytes, sizeof(alert.id));
	return showing->each(showing->arg, &alert);
}

enum ttg_error store_each_alert(struct store *store, bool open_only,
                                bool (*each)(void *arg, const struct store_alert *alert), void *arg,
                                struct message *message)
{
	struct showing showing = { .each = each, .arg = arg };
	const struct query query = { .statement = open_only ? EACH_OPEN_ALERT : EACH_ALERT,
		                     .doing = "reading the alerts",
		                     .slow = true,
		                     .row = show_alert,
		                     .arg = &showing };
	enum ttg_error error = store_run(store, &query, NULL, message);

	if (error == TTG_OK && showing.damaged)
		return message_set(message, TTG_ECORRUPT, "case store: an alert is damaged");
	return error;
}

struct signing {
	struct store_signature *out;
	bool any;
};

static bool take_signature(void *arg, const struct value *columns, size_t n)
{
	struct signing *signing = arg;

	assert(n == 2);
	signing->any = true;
	signing->out->at_ns = columns[0].integer;
	if (columns[1].kind == VALUE_TEXT)
		strncpy(signing->out->by, columns[1].bytes, sizeof(signing->out->by) - 1);
	return true;
}

static enum ttg_error find_signature(struct store *store, const uint8_t id[16],
                                     struct store_signature *out, struct message *message)
{
	struct query query = QUERY(FIND_SIGNATURE, "reading an alert", id_value(id));
	struct signing signing = { .out = out };
	enum ttg_error error;

	memset(out, 0, sizeof(*out));
	query.row = take_signature;
	query.arg = &signing;
	error = store_run(store, &query, NULL, message);
	if (error == TTG_OK && !signing.any)
		return message_set(message, TTG_ENOENT, "no such alert is here");
	return error;
}

static enum ttg_error sign(struct store *store, const uint8_t id[16], const char *user,
                           int64_t now_ns, bool *first, struct message *message)
{
	struct query query = QUERY(ACKNOWLEDGE, "acknowledging an alert", id_value(id),
	                           integer(now_ns), text(user));
	uint64_t changed = 0;
	enum ttg_error error = store_run(store, &query, &changed, message);

	*first = changed > 0;
	if (error != TTG_OK || !*first)
		return error;
	query.statement = ACKNOWLEDGE_ABOUT;
	return store_run(store, &query, NULL, message);
}

enum ttg_error store_acknowledge(struct store *store, const uint8_t id[16], const char *user,
                                 int64_t now_ns, struct store_signature *signature,
                                 struct message *message)
{
	const size_t len = strlen(user);
	struct store_signature found = { 0 };
	bool alone = !store->in_transaction, first = false;
	enum ttg_error error;

	if (len == 0 || len > STORE_USER_MAX || !utf8_is_clean(user, len) ||
	    strpbrk(user, "\n\t") != NULL)
		return message_set(message, TTG_EINVAL,
		                   "should be a name of 1 to %d bytes in one line", STORE_USER_MAX);
	error = store_begin(store, message);
	if (error != TTG_OK)
		return error;
	error = sign(store, id, user, now_ns, &first, message);
	if (error == TTG_OK)
		error = find_signature(store, id, &found, message);
	error = store_end(store, alone, error, message);
	if (error == TTG_OK && signature != NULL)
		*signature = found;
	if (error == TTG_OK && !first)
		return message_set(message, TTG_EEXIST, "the alert is acknowledged already");
	return error;
}

enum ttg_error store_alert_waits(struct store *store, const uint8_t id[16], bool *waits,
                                 struct message *message)
{
	struct query query = QUERY(ALERT_WAITS, "reading an alert", id_value(id));
	uint64_t number = 0;
	enum ttg_error error;

	query.row = store_take_number;
	query.arg = &number;
	error = store_run(store, &query, NULL, message);
	*waits = number != 0;
	return error;
}

static enum ttg_error mark_released(struct store *store, const uint8_t id[16],
                                    struct message *message)
{
	const struct query query = QUERY(RELEASE_ALERT, "releasing an alert", id_value(id));

	return store_run(store, &query, NULL, message);
}

enum ttg_error store_release(struct store *store, const uint8_t id[16], struct message *message)
{
	bool alone = !store->in_transaction;
	enum ttg_error error = store_begin(store, message);

	if (error != TTG_OK)
		return error;
	error = mark_released(store, id, message);
	return store_end(store, alone, error, message);
}

enum ttg_error store_release_acknowledged(struct store *store, uint8_t (*ids)[16], size_t max,
                                          size_t *n, struct message *message)
{
	struct store_ids found = { .ids = ids, .max = max };
	const struct query query = { .statement = FIND_ACKNOWLEDGED,
		                     .doing = "looking for acknowledged alerts",
		                     .row = store_take_id,
		                     .arg = &found };
	bool alone = !store->in_transaction;
	enum ttg_error error = store_run(store, &query, NULL, message);

	*n = 0;
	if (error == TTG_OK && found.n > 0)
		error = store_begin(store, message);
	if (error != TTG_OK || found.n == 0)
		return error;
	for (size_t i = 0; error == TTG_OK && i < found.n; i++)
		error = mark_released(store, ids[i], message);
	error = store_end(store, alone, error, message);
	*n = error == TTG_OK ? found.n : 0;
	return error;
}
