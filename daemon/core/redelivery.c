/*
 * See redelivery.h. In a snapshot: number, each: mailbox | running u8 | number | at | since_ns u64
 * | repeated | last | first position | last position.
 */
#include "core/redelivery.h"

#include <stdlib.h>
#include <string.h>

#include "base/planted.h"
#include "core/redeliver.h"

#define ITEM_BYTES 88u

void redeliveries_fini(struct redeliveries *it)
{
	for (size_t i = 0; i < it->n; i++)
		barred_fini(&it->items[i].barred);
	free(it->items);
	*it = (struct redeliveries){ 0 };
}

struct redelivery *redeliveries_find(const struct redeliveries *it, uint32_t mailbox)
{
	for (size_t i = 0; i < it->n; i++) {
		if (it->items[i].mailbox == mailbox)
			return &it->items[i];
	}
	return NULL;
}

/* Of this mailbox, as it begins. NULL: no memory. */
static struct redelivery *begin(struct redeliveries *it, uint32_t mailbox)
{
	struct redelivery *item = redeliveries_find(it, mailbox);

	if (!item && it->n == it->room) {
		const size_t wanted = it->room ? it->room * 2 : 4;
		struct redelivery *grown = realloc(it->items, wanted * sizeof(*grown));

		if (!grown)
			return NULL;
		it->items = grown;
		it->room = wanted;
	}
	if (!item)
		item = &it->items[it->n++];
	else
		barred_fini(&item->barred);
	*item = (struct redelivery){ .mailbox = mailbox };
	return item;
}

size_t redeliveries_held_bytes(const struct redeliveries *it)
{
	size_t bytes = it->room * sizeof(*it->items);

	for (size_t i = 0; i < it->n; i++)
		bytes += it->items[i].barred.room * sizeof(struct barred_item);
	return bytes;
}

size_t redeliveries_bound(const struct redeliveries *it)
{
	return 16 + it->n * ITEM_BYTES;
}

void redeliveries_save(const struct redeliveries *it, struct cursor *cursor)
{
	cursor_put_varint(cursor, it->n);
	for (size_t i = 0; i < it->n; i++) {
		const struct redelivery *item = &it->items[i];

		cursor_put_varint(cursor, item->mailbox);
		cursor_put_u8(cursor, item->running);
		cursor_put_varint(cursor, item->number);
		cursor_put_varint(cursor, item->at);
		cursor_put_u64(cursor, (uint64_t)item->since_ns);
		cursor_put_varint(cursor, item->repeated);
		cursor_put_varint(cursor, item->last);
		cursor_put_varint(cursor, item->first_position);
		cursor_put_varint(cursor, item->last_position);
	}
}

bool redeliveries_load(struct redeliveries *it, struct cursor *cursor, size_t n_mailboxes,
		       uint64_t sequence)
{
	const uint64_t n = cursor_get_varint(cursor);

	for (uint64_t i = 0; i < n; i++) {
		const uint64_t mailbox = cursor_get_varint(cursor);
		const uint8_t running = cursor_get_u8(cursor);
		struct redelivery *item;

		if (!cursor_ok(cursor) || mailbox >= n_mailboxes || running > 1 ||
		    redeliveries_find(it, (uint32_t)mailbox) || !(item = begin(it, (uint32_t)mailbox)))
			return false;
		item->running = running == 1;
		item->number = cursor_get_varint(cursor);
		item->at = item->looked = item->ahead = cursor_get_varint(cursor);
		item->since_ns = (int64_t)cursor_get_u64(cursor);
		item->repeated = cursor_get_varint(cursor);
		item->last = cursor_get_varint(cursor);
		item->first_position = cursor_get_varint(cursor);
		item->last_position = cursor_get_varint(cursor);
		if (!cursor_ok(cursor) || item->number == 0 || item->number > sequence || item->at == 0 ||
		    item->at > item->number || item->last > sequence ||
		    item->first_position > item->last_position)
			return false;
		it->n_running += running;
	}
	return cursor_ok(cursor);
}

void record_put_redeliver(struct cursor *cursor, const struct record_redeliver *it)
{
	cursor_put_u8(cursor, RECORD_VERSION);
	cursor_put_u64(cursor, (uint64_t)it->at_ns);
	cursor_put_varint(cursor, it->mailbox);
	cursor_put_u8(cursor, it->what);
	cursor_put_varint(cursor, it->from);
	cursor_put_u64(cursor, (uint64_t)it->since_ns);
	cursor_put_sized(cursor, it->who, strlen(it->who) + 1);
	cursor_put_sized(cursor, it->why, strlen(it->why) + 1);
}

static const char *get_text(struct cursor *cursor)
{
	size_t len = 0;
	const uint8_t *text = cursor_get_sized(cursor, RECORD_MAX_TEXT + 1, &len);

	if (text && len > 0 && memchr(text, 0, len) == text + len - 1)
		return (const char *)text;
	cursor->failed = true;
	return NULL;
}

bool record_get_redeliver(const uint8_t *data, size_t len, struct record_redeliver *out)
{
	struct cursor cursor;
	uint64_t mailbox;

	cursor_init_read(&cursor, data, len);
	cursor.failed |= cursor_get_u8(&cursor) != RECORD_VERSION;
	out->at_ns = (int64_t)cursor_get_u64(&cursor);
	mailbox = cursor_get_varint(&cursor);
	out->what = cursor_get_u8(&cursor);
	out->from = cursor_get_varint(&cursor);
	out->since_ns = (int64_t)cursor_get_u64(&cursor);
	out->who = get_text(&cursor);
	out->why = get_text(&cursor);
	out->mailbox = (uint32_t)mailbox;
	return cursor_ok(&cursor) && cursor_left(&cursor) == 0 && mailbox <= UINT32_MAX &&
	       out->what >= REDELIVER_BEGIN && out->what <= REDELIVER_THROUGH &&
	       (out->what == REDELIVER_BEGIN) == (out->from != 0);
}

/* Something of what it queued, or of what came among that, is not settled. */
static bool is_unsettled(const struct core *core, const struct redelivery *it)
{
	const struct mailbox *mailbox = core->mailboxes[it->mailbox];
	const uint64_t first = it->first_position, last = it->last_position;
	const struct entry *entry = entries_from(&mailbox->window, first);
	const struct lane *lane;
	size_t cursor = 0;

	if (last == 0)
		return false;
	if ((entry && entry->position <= last) ||
	    (mailbox->backlog_from != 0 && mailbox->fill_position <= last))
		return true;
	while ((lane = lanes_next(&mailbox->lanes, &cursor))) {
		for (size_t i = 0; i < lane->n_dead; i++) {
			if (lane->dead[i].position >= first && lane->dead[i].position <= last)
				return true;
		}
		for (size_t i = lane->first_held; i < lane->n_held; i++) {
			if (lane->held[i].position >= first && lane->held[i].position <= last)
				return true;
		}
	}
	return false;
}

bool core_redelivery_view(const struct core *core, const char *mailbox, struct core_redelivery_view *out)
{
	const struct mailbox *box = core_find_mailbox(core, mailbox);
	const struct redelivery *it = box ? redeliveries_find(&core->redeliveries, box->number) : NULL;

	if (!it)
		return false;
	*out = (struct core_redelivery_view){
		.running = it->running,
		.unsettled = is_unsettled(core, it),
		.number = it->number,
		.looked = it->running ? it->looked : it->at,
		.repeated = it->repeated,
	};
	return true;
}

bool core_repeats(const struct core *core, uint64_t sequence, uint64_t *from, uint64_t *until)
{
	*from = *until = 0;
	for (size_t i = 0; i < core->redeliveries.n; i++) {
		const struct redelivery *it = &core->redeliveries.items[i];

		if (it->number <= sequence || it->last == 0)
			continue;
		*from = *from == 0 || it->number < *from ? it->number : *from;
		*until = it->last > *until ? it->last : *until;
	}
	return *from != 0;
}

static bool is_text(const char *text)
{
	return strlen(text) > 0 && strlen(text) <= RECORD_MAX_TEXT;
}

enum ttg_error core_redeliver_put(struct core *core, const struct core_now *now,
				  const struct record_redeliver *record, uint64_t *sequence)
{
	struct cursor cursor;

	core_begin_record(core, &cursor);
	record_put_redeliver(&cursor, record);
	return core_commit(core, now, RECORD_REDELIVER, &cursor, sequence);
}

enum ttg_error core_redeliver(struct core *core, const struct core_now *now,
			      const struct core_redeliver *order, uint64_t *sequence)
{
	const struct mailbox *mailbox = core_find_mailbox(core, order->mailbox);
	const struct redelivery *last;
	struct record_redeliver record = { now->real_ns, order->since_ns, 0, REDELIVER_BEGIN, order->from,
					   order->who, order->why };

	if (!mailbox || mailbox->rule < 0)
		return TTG_ENOENT;
	if (!is_text(order->who) || !is_text(order->why) || order->from == 0 ||
	    order->from > core->sequence + 1)
		return TTG_EINVAL;
	last = redeliveries_find(&core->redeliveries, mailbox->number);
	if (last && (last->running || is_unsettled(core, last)))
		return TTG_EEXIST;
	record.mailbox = mailbox->number;
	return core_redeliver_put(core, now, &record, sequence);
}

enum ttg_error core_redeliver_stop(struct core *core, const struct core_now *now, const char *mailbox,
				   const char *who, const char *why, uint64_t *sequence)
{
	const struct mailbox *box = core_find_mailbox(core, mailbox);
	const struct redelivery *it = box ? redeliveries_find(&core->redeliveries, box->number) : NULL;
	struct record_redeliver record = { now->real_ns, 0, 0, REDELIVER_STOP, 0, who, why };

	if (!it || !it->running)
		return TTG_ENOENT;
	if (!is_text(who) || !is_text(why))
		return TTG_EINVAL;
	record.mailbox = box->number;
	return core_redeliver_put(core, now, &record, sequence);
}

enum ttg_error core_apply_redeliver(struct core *core, uint64_t sequence, const uint8_t *data, size_t len)
{
	struct record_redeliver it;
	struct redelivery *item;

	if (!record_get_redeliver(data, len, &it) || it.mailbox >= core->n_mailboxes)
		return TTG_ECORRUPT;
	item = redeliveries_find(&core->redeliveries, it.mailbox);
	if ((item && item->running) == (it.what == REDELIVER_BEGIN) || it.from > sequence)
		return TTG_ECORRUPT;
	if (it.what != REDELIVER_BEGIN) {
		item->running = false;
		core->redeliveries.n_running--;
		barred_fini(&item->barred);
		return TTG_OK;
	}
	item = begin(&core->redeliveries, it.mailbox);
	if (!item)
		return TTG_ENOMEM;
	item->running = true;
	item->number = sequence;
	item->since_ns = it.since_ns;
	item->at = item->looked = item->ahead = it.from;
	core->redeliveries.n_running++;
	return TTG_OK;
}

enum ttg_error core_apply_again(struct core *core, uint64_t sequence, bool live,
				const struct record_event *event, const struct record_recipient *to)
{
	struct redelivery *it = redeliveries_find(&core->redeliveries, to->mailbox);

	if (!it || !it->running || event->given < it->at || event->given >= it->number ||
	    to->ack_within_ms != 0)
		return TTG_ECORRUPT;
	if (live || !PLANTED(FORGET_REPEATED))
		it->at = event->given + 1;
	if (it->looked < it->at)
		it->looked = it->at;
	if (it->ahead < it->at)
		it->ahead = it->at;
	it->repeated++;
	it->last = sequence;
	it->last_position = to->position;
	if (it->first_position == 0)
		it->first_position = to->position;
	return TTG_OK;
}
