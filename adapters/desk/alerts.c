/*
 * Alerts: the store's table beside what events tell of them. See alerts.h.
 *
 * The table is read whole, and replaces what was known, when its open rows are not those that wait
 * here or when urgent events came; an event of an alert that is not here yet (it was kept between
 * two looks) makes it be read again the next time. What events tell stands in notes, one an event,
 * in alerts_notes.c, and is put beside the rows afresh each time, so that no order can matter.
 */
#include "desk/alerts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "desk/alerts_notes.h"
#include "store/alert.h"

struct item {
	struct alert alert;
	uint8_t id[TTG_UUID_BYTES];
	uint8_t about[TTG_UUID_BYTES];
	bool is_notice; /* about another alert */
	bool hidden;    /* that is here, too */
};

struct alerts {
	struct notes *notes;
	struct item *items; /* by event */
	size_t n, room;
	size_t *order; /* of those that are no part of another's story */
	size_t n_order, n_waiting;
	size_t n_open;   /* rows of the table that wait, hidden ones included */
	bool incomplete; /* a row's event is not in the views yet */
	bool stale;      /* the table is to be read again */
	bool noted;      /* events told something since all was put together */
	uint32_t version;
};

struct alerts *alerts_new(void)
{
	struct alerts *alerts = calloc(1, sizeof(*alerts));

	if (alerts == NULL)
		return NULL;
	alerts->notes = notes_new();
	if (alerts->notes == NULL) {
		free(alerts);
		return NULL;
	}
	/* So that who was told a number by an earlier process is told anew by this one. */
	if (getrandom(&alerts->version, sizeof(alerts->version), 0) != sizeof(alerts->version))
		alerts_free(&alerts);
	else
		alerts->stale = true;
	return alerts;
}

void alerts_free(struct alerts **alerts)
{
	if (*alerts == NULL)
		return;
	notes_free(&(*alerts)->notes);
	free((*alerts)->items);
	free((*alerts)->order);
	free(*alerts);
	*alerts = NULL;
}

unsigned alerts_version(const struct alerts *alerts)
{
	return alerts->version % (ALERTS_VERSIONS - 1) + 1;
}

enum ttg_error alerts_take(struct alerts *alerts, const struct views *views,
                           const struct store_event *from, struct message *message)
{
	return notes_take(alerts->notes, views, from, message);
}

void alerts_look_again(struct alerts *alerts, uint32_t event)
{
	notes_look_again(alerts->notes, event);
}

size_t alerts_n(const struct alerts *alerts)
{
	return alerts->n_order;
}

const struct alert *alerts_at(const struct alerts *alerts, size_t index)
{
	return &alerts->items[alerts->order[index]].alert;
}

size_t alerts_waiting(const struct alerts *alerts)
{
	return alerts->n_waiting;
}

static int compare_events(const void *a, const void *b)
{
	const struct item *left = a;
	const struct item *right = b;

	return (left->alert.event > right->alert.event) - (left->alert.event < right->alert.event);
}

static const struct item *find_item(const struct alerts *alerts, uint32_t event)
{
	const struct item key = { .alert = { .event = event } };

	if (alerts->n == 0)
		return NULL;
	return bsearch(&key, alerts->items, alerts->n, sizeof(key), compare_events);
}

const struct alert *alerts_find(const struct alerts *alerts, uint32_t event)
{
	const struct item *item = find_item(alerts, event);

	return item == NULL ? NULL : &item->alert;
}

size_t alerts_story(const struct alerts *alerts, const struct alert *alert, uint32_t *out,
                    size_t max)
{
	const struct item *item = find_item(alerts, alert->event);

	return item == NULL ? 0 : notes_story(alerts->notes, alert->event, item->id, out, max);
}

/* The table as it is read. */
struct reading {
	struct alerts *alerts;
	const struct views *views;
	struct item *items;
	size_t n, room;
	size_t n_open;
	bool incomplete, differs;
	enum ttg_error error;
};

static bool is_still_open(void *arg, const struct store_alert *row)
{
	struct reading *reading = arg;
	uint32_t event = views_find_event(reading->views, row->id);
	const struct alert *alert =
	        event == VIEWS_NOBODY ? NULL : alerts_find(reading->alerts, event);

	reading->n_open++;
	if (event != VIEWS_NOBODY && (alert == NULL || alert->acknowledged_ns != 0))
		reading->differs = true;
	return !reading->differs;
}

static bool add_row(void *arg, const struct store_alert *row)
{
	struct reading *reading = arg;
	struct item item = { .alert = { .event = views_find_event(reading->views, row->id),
		                        .raised_ns = row->raised_ns } };

	reading->n_open += row->is_acknowledged ? 0 : 1;
	if (item.alert.event == VIEWS_NOBODY) {
		reading->incomplete = true;
		return true;
	}
	if (reading->n == reading->room) {
		size_t room = reading->room == 0 ? 64 : 2 * reading->room;
		struct item *grown = realloc(reading->items, room * sizeof(*grown));

		if (grown == NULL) {
			reading->error = TTG_ENOMEM;
			return false;
		}
		reading->items = grown;
		reading->room = room;
	}
	memcpy(item.id, row->id, sizeof(item.id));
	item.is_notice = row->about != NULL;
	if (item.is_notice)
		memcpy(item.about, row->about, sizeof(item.about));
	if (row->is_acknowledged) {
		/* The store's own clock may say 0, which here means that it waits. */
		item.alert.acknowledged_ns = row->acknowledged_ns == 0 ? 1 : row->acknowledged_ns;
		strncpy(item.alert.by, row->acknowledged_by, sizeof(item.alert.by) - 1);
	}
	reading->items[reading->n++] = item;
	return true;
}

static enum ttg_error read_table(struct alerts *alerts, const struct views *views,
                                 struct store *store, struct message *message)
{
	struct reading reading = { .alerts = alerts, .views = views };
	enum ttg_error error = store_each_alert(store, false, add_row, &reading, message);

	if (error == TTG_OK && reading.error != TTG_OK)
		error = message_set(message, reading.error, "no memory");
	if (error != TTG_OK) {
		free(reading.items);
		return error;
	}
	if (reading.n > 0)
		qsort(reading.items, reading.n, sizeof(*reading.items), compare_events);
	free(alerts->items);
	alerts->items = reading.items;
	alerts->n = reading.n;
	alerts->room = reading.room;
	alerts->n_open = reading.n_open;
	alerts->incomplete = reading.incomplete;
	alerts->stale = false;
	alerts->noted = true;
	return TTG_OK;
}

static int compare_alerts(const struct alert *a, const struct alert *b)
{
	bool a_waits = a->acknowledged_ns == 0;
	bool b_waits = b->acknowledged_ns == 0;

	if (a_waits != b_waits)
		return a_waits ? -1 : 1;
	if (a->raised_ns != b->raised_ns)
		return (a->raised_ns < b->raised_ns) == a_waits ? -1 : 1;
	return (a->event > b->event) - (a->event < b->event);
}

static int compare_places(const void *a, const void *b, void *arg)
{
	const struct item *items = arg;

	return compare_alerts(&items[*(const size_t *)a].alert, &items[*(const size_t *)b].alert);
}

/* Puts beside each row what events tell of it, and sorts. */
static enum ttg_error put_together(struct alerts *alerts, const struct views *views)
{
	size_t *order = realloc(alerts->order, (alerts->n + 1) * sizeof(*order));

	if (order == NULL)
		return TTG_ENOMEM;
	alerts->order = order;
	alerts->n_order = alerts->n_waiting = 0;
	for (size_t i = 0; i < alerts->n; i++) {
		struct item *item = &alerts->items[i];
		uint32_t about = item->is_notice ? views_find_event(views, item->about)
		                                 : VIEWS_NOBODY;

		notes_tell(alerts->notes, views, &item->alert);
		item->hidden = about != VIEWS_NOBODY && about != item->alert.event &&
		               find_item(alerts, about) != NULL;
		if (item->hidden)
			continue;
		order[alerts->n_order++] = i;
		alerts->n_waiting += item->alert.acknowledged_ns == 0 ? 1 : 0;
	}
	qsort_r(order, alerts->n_order, sizeof(*order), compare_places, alerts->items);
	alerts->noted = false;
	alerts->version++;
	return TTG_OK;
}

enum ttg_error alerts_follow(struct alerts *alerts, const struct views *views, struct store *store,
                             struct message *message)
{
	struct reading open = { .alerts = alerts, .views = views };
	enum ttg_error error = notes_follow(alerts->notes, views, store, &alerts->noted,
	                                    &alerts->stale, message);

	if (error == TTG_OK)
		error = store_each_alert(store, true, is_still_open, &open, message);
	if (error != TTG_OK)
		return error;
	alerts->stale |= open.differs || open.n_open != alerts->n_open ||
	                 (alerts->incomplete && alerts->noted);
	if (alerts->stale)
		error = read_table(alerts, views, store, message);
	if (error == TTG_OK && alerts->noted && put_together(alerts, views) != TTG_OK)
		error = message_set(message, TTG_ENOMEM, "no memory");
	return error;
}
