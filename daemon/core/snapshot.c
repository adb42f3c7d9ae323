/*
 * The state as bytes. Integers are little-endian, varints LEB128, texts as in record.h:
 *
 *   "TTGCORE" | version u8 (6; in 5 are no redeliveries and referrals are not followed, in 4 keys have no
 *   end, 3 has no keys, no past rules, 2 no persons, 1 no seal either)
 *   | length u64 of all
 *   | check of the secret u64 | sequence u64
 *   | rules digest 32 bytes
 *   | number of mailboxes, each: text id | next position | fill position | backlog from | pending
 *       | number of entries, each: position | sequence | lane u64 | refusals | deliveries
 *       | number of lanes, by key, each: key u64
 *           | number of dead, each: position | sequence | refusals | deliveries | reason
 *             | parked_ns u64 | text
 *           | number of held, each: position | sequence | refusals | deliveries
 *   | number of timers, in order, each: deadline_ns u64 | sequence | position | mailbox
 *       | fallback + 1
 *   | last seal, as in a SEAL record
 *   | newest acceptance ns u64 | identity (identity_save.c) | what waits (waiting.c)
 *   | what came late (lates.c) | whose payloads are sealed with which key (keys.c)
 *   | rules that were in force (rules_past.c)
 *   | redeliveries (redelivery.c)
 *   | referrals that are followed (referrals.h)
 *   | dedupe window (dedupe.c)
 *   | "END."
 *
 * Left out because it does not outlive the process: consumers, what is in flight, delays, counters.
 * Equal states give equal bytes. Restoring checks everything against the invariants in mailbox.h;
 * a snapshot that fails is TTG_ECORRUPT and the core is empty afterwards, to be freed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/planted.h"
#include "core/state.h"

#define MAGIC "TTGCORE"
#define END_MARK "END."
#define SNAPSHOT_VERSION 6u
#define VERSION_BEFORE_REDELIVERIES 5u /* and before referrals were followed */
#define VERSION_WITHOUT_ENDS 4u /* of keys */
#define VERSION_WITHOUT_KEYS 3u /* and without past rules */
#define VERSION_WITHOUT_PERSONS 2u
#define VERSION_WITHOUT_SEAL 1u
#define MAX_HELD_SAVED 16777216u

#define LENGTH_AT 8u /* offset of the length of all */

/* What changes from event to event is here as bytes already; the window, which is large, is shared. */
struct core_image {
	uint8_t *front;
	size_t front_len;
	struct dedupe_image *dedupe;
};

static uint64_t secret_check(const struct core *core)
{
	return siphash(core->sip_key, "snapshot", 8);
}

static void put_text(struct cursor *cursor, const char *text)
{
	cursor_put_sized(cursor, text, strlen(text) + 1);
}

static const char *get_text(struct cursor *cursor, size_t max)
{
	size_t len = 0;
	const uint8_t *text = cursor_get_sized(cursor, max + 1, &len);

	if (!text || len == 0 || memchr(text, 0, len) != text + len - 1) {
		cursor->failed = true;
		return "";
	}
	return (const char *)text;
}

static uint32_t get_u32(struct cursor *cursor)
{
	uint64_t value = cursor_get_varint(cursor);

	cursor->failed |= value > UINT32_MAX;
	return (uint32_t)value;
}

static int by_key(const void *a, const void *b)
{
	const struct lane *left = *(struct lane *const *)a, *right = *(struct lane *const *)b;

	return (left->key > right->key) - (left->key < right->key);
}

/* Lanes that have something to keep, by key; malloc'd. */
static struct lane **sorted_lanes(const struct lanes *lanes, size_t *n)
{
	struct lane **all = calloc(lanes->n + 1, sizeof(struct lane *)), *lane;
	size_t cursor = 0;

	*n = 0;
	if (!all)
		return NULL;
	while ((lane = lanes_next(lanes, &cursor))) {
		if (lane->n_dead > 0 || lane_first_held(lane))
			all[(*n)++] = lane;
	}
	qsort(all, *n, sizeof(struct lane *), by_key);
	return all;
}

static void save_lane(const struct lane *lane, struct cursor *cursor)
{
	cursor_put_u64(cursor, lane->key);
	cursor_put_varint(cursor, lane->n_dead);
	for (size_t i = 0; i < lane->n_dead; i++) {
		const struct dead *it = &lane->dead[i];

		cursor_put_varint(cursor, it->position);
		cursor_put_varint(cursor, it->sequence);
		cursor_put_varint(cursor, it->refusals);
		cursor_put_varint(cursor, it->deliveries);
		cursor_put_varint(cursor, it->reason);
		cursor_put_u64(cursor, (uint64_t)it->parked_ns);
		put_text(cursor, it->text);
	}
	if (PLANTED(SNAPSHOT_WITHOUT_HELD)) {
		cursor_put_varint(cursor, 0);
		return;
	}
	cursor_put_varint(cursor, lane->n_held - lane->first_held);
	for (size_t i = lane->first_held; i < lane->n_held; i++) {
		const struct held *it = &lane->held[i];

		cursor_put_varint(cursor, it->position);
		cursor_put_varint(cursor, it->sequence);
		cursor_put_varint(cursor, it->refusals);
		cursor_put_varint(cursor, it->deliveries);
	}
}

static bool save_mailbox(const struct mailbox *it, struct cursor *cursor)
{
	const struct entry *entry = entries_from(&it->window, 0);
	struct lane **lanes;
	size_t n;

	put_text(cursor, it->id);
	cursor_put_varint(cursor, it->next_position);
	cursor_put_varint(cursor, it->fill_position);
	cursor_put_varint(cursor, it->backlog_from);
	cursor_put_varint(cursor, it->pending);
	cursor_put_varint(cursor, it->window.live);
	for (; entry; entry = entries_next(&it->window, entry)) {
		cursor_put_varint(cursor, entry->position);
		cursor_put_varint(cursor, entry->sequence);
		cursor_put_u64(cursor, entry->lane);
		cursor_put_varint(cursor, entry->refusals);
		cursor_put_varint(cursor, entry->deliveries);
	}
	lanes = sorted_lanes(&it->lanes, &n);
	if (!lanes)
		return false;
	cursor_put_varint(cursor, n);
	for (size_t i = 0; i < n; i++)
		save_lane(lanes[i], cursor);
	free(lanes);
	return true;
}

/* Upper bound of the bytes before the dedupe window: varints at their longest. */
static size_t bound(const struct core *core)
{
	size_t size = 256 + sizeof(core->sealed) + core->timers.n * 48 +
		      identity_bound(core->identity) + waiting_bound(&core->waiting) +
		      lates_bound(&core->lates) + keys_bound(&core->keys) +
		      rules_past_bound(&core->past) + redeliveries_bound(&core->redeliveries) +
		      referrals_bound(core->referrals);

	for (size_t i = 0; i < core->n_mailboxes; i++) {
		const struct mailbox *it = core->mailboxes[i];

		size += 256 + it->window.live * 40 + it->lanes.n * 32 + it->lanes.n_held * 40 +
			it->lanes.n_dead * (64 + RECORD_MAX_TEXT);
	}
	return size;
}

/* The heap in its one sorted order, without disturbing the state. */
static bool save_timers(const struct core *core, struct cursor *cursor)
{
	struct timers sorted = { .n = core->timers.n };

	sorted.items = malloc((sorted.n + 1) * sizeof(*sorted.items));
	if (!sorted.items)
		return false;
	if (sorted.n > 0)
		memcpy(sorted.items, core->timers.items, sorted.n * sizeof(*sorted.items));
	timers_sort(&sorted);
	cursor_put_varint(cursor, sorted.n);
	for (size_t i = 0; i < sorted.n; i++) {
		const struct timer *it = &sorted.items[i];

		cursor_put_u64(cursor, (uint64_t)it->deadline_ns);
		cursor_put_varint(cursor, it->sequence);
		cursor_put_varint(cursor, it->position);
		cursor_put_varint(cursor, it->mailbox);
		cursor_put_varint(cursor,
				  it->fallback == RULES_NONE ? 0 : (uint64_t)it->fallback + 1);
	}
	timers_fini(&sorted);
	return true;
}

/* All up to the dedupe window; the length stays 0. */
static enum ttg_error save_front(const struct core *core, struct core_image *image)
{
	size_t size = bound(core);
	struct cursor cursor;
	bool done = true;

	image->front = malloc(size);
	if (!image->front)
		return TTG_ENOMEM;
	cursor_init_write(&cursor, image->front, size);
	cursor_put_bytes(&cursor, MAGIC, sizeof(MAGIC) - 1);
	cursor_put_u8(&cursor, SNAPSHOT_VERSION);
	cursor_put_u64(&cursor, 0);
	cursor_put_u64(&cursor, secret_check(core));
	cursor_put_u64(&cursor, core->sequence);
	cursor_put_bytes(&cursor, core->rules_digest, sizeof(core->rules_digest));
	cursor_put_varint(&cursor, core->n_mailboxes);
	for (size_t i = 0; i < core->n_mailboxes && done; i++)
		done = save_mailbox(core->mailboxes[i], &cursor);
	done = done && save_timers(core, &cursor);
	sealed_put(&cursor, &core->sealed);
	cursor_put_u64(&cursor, (uint64_t)core->newest_ns);
	identity_save(core->identity, &cursor);
	waiting_save(&core->waiting, &cursor);
	lates_save(&core->lates, &cursor);
	keys_save(&core->keys, &cursor);
	rules_past_save(&core->past, &cursor);
	redeliveries_save(&core->redeliveries, &cursor);
	referrals_save(core->referrals, &cursor);
	image->front_len = cursor_offset(&cursor);
	if (!done)
		return TTG_ENOMEM;
	return cursor_ok(&cursor) ? TTG_OK : TTG_ELIMIT;
}

enum ttg_error core_image_take(const struct core *core, struct core_image **out)
{
	struct core_image *image = calloc(1, sizeof(*image));
	enum ttg_error code = image ? save_front(core, image) : TTG_ENOMEM;

	if (!code) {
		image->dedupe = dedupe_freeze(core->dedupe);
		code = image->dedupe ? TTG_OK : TTG_ENOMEM;
	}
	if (code)
		core_image_free(&image);
	*out = image;
	return code;
}

void core_image_free(struct core_image **image)
{
	struct core_image *old = *image;

	*image = NULL;
	if (!old)
		return;
	dedupe_image_free(&old->dedupe);
	free(old->front);
	free(old);
}

enum ttg_error core_image_bytes(const struct core_image *image, uint8_t **data, size_t *len)
{
	size_t size = image->front_len + dedupe_image_bytes(image->dedupe) + sizeof(END_MARK);
	uint8_t *buffer = malloc(size);
	struct cursor cursor, length;

	*data = NULL;
	*len = 0;
	if (!buffer)
		return TTG_ENOMEM;
	cursor_init_write(&cursor, buffer, size);
	cursor_put_bytes(&cursor, image->front, image->front_len);
	dedupe_image_save(image->dedupe, &cursor);
	cursor_put_bytes(&cursor, END_MARK, sizeof(END_MARK) - 1);
	if (!cursor_ok(&cursor)) {
		free(buffer);
		return TTG_ELIMIT;
	}
	*len = cursor_offset(&cursor);
	cursor_init_write(&length, buffer + LENGTH_AT, sizeof(uint64_t));
	cursor_put_u64(&length, *len);
	*data = buffer;
	return TTG_OK;
}

enum ttg_error core_snapshot(const struct core *core, uint8_t **data, size_t *len)
{
	struct core_image *image;
	enum ttg_error code = core_image_take(core, &image);

	*data = NULL;
	*len = 0;
	if (!code)
		code = core_image_bytes(image, data, len);
	core_image_free(&image);
	return code;
}

static enum ttg_error load_dead(struct mailbox *mailbox, struct lane *lane, struct cursor *cursor)
{
	struct dead dead = { 0 };

	dead.position = cursor_get_varint(cursor);
	dead.sequence = cursor_get_varint(cursor);
	dead.refusals = get_u32(cursor);
	dead.deliveries = get_u32(cursor);
	dead.reason = get_u32(cursor);
	dead.parked_ns = (int64_t)cursor_get_u64(cursor);
	dead.text = strdup(get_text(cursor, RECORD_MAX_TEXT));
	if (dead.text && cursor_ok(cursor) && lane_park(&mailbox->lanes, lane, &dead))
		return TTG_OK;
	free(dead.text);
	return cursor_ok(cursor) ? TTG_ENOMEM : TTG_ECORRUPT;
}

static enum ttg_error load_lane(struct mailbox *mailbox, struct cursor *cursor)
{
	uint64_t key = cursor_get_u64(cursor), n_dead = cursor_get_varint(cursor), n_held;
	struct lane *lane;
	uint64_t before = 0;
	enum ttg_error code = TTG_OK;

	if (!cursor_ok(cursor) || lanes_find(&mailbox->lanes, key))
		return TTG_ECORRUPT;
	lane = lanes_get(&mailbox->lanes, key);
	if (!lane)
		return TTG_ENOMEM;
	for (uint64_t i = 0; i < n_dead && code == TTG_OK; i++)
		code = load_dead(mailbox, lane, cursor);
	n_held = cursor_get_varint(cursor);
	if (n_held > MAX_HELD_SAVED)
		return TTG_ECORRUPT;
	for (uint64_t i = 0; i < n_held && code == TTG_OK; i++) {
		struct held held;

		held.position = cursor_get_varint(cursor);
		held.sequence = cursor_get_varint(cursor);
		held.refusals = get_u32(cursor);
		held.deliveries = get_u32(cursor);
		if (!cursor_ok(cursor) || held.position <= before)
			return TTG_ECORRUPT;
		before = held.position;
		if (!lane_hold(&mailbox->lanes, lane, &held))
			return TTG_ENOMEM;
	}
	return code;
}

static enum ttg_error load_entries(struct mailbox *mailbox, struct cursor *cursor)
{
	uint64_t n = cursor_get_varint(cursor), before = 0;

	for (uint64_t i = 0; i < n; i++) {
		struct entry entry = { .state = ENTRY_WAITING };

		entry.position = cursor_get_varint(cursor);
		entry.sequence = cursor_get_varint(cursor);
		entry.lane = cursor_get_u64(cursor);
		entry.refusals = get_u32(cursor);
		entry.deliveries = get_u32(cursor);
		if (!cursor_ok(cursor) || entry.position <= before ||
		    entry.position >= mailbox->fill_position)
			return TTG_ECORRUPT;
		before = entry.position;
		if (!entries_insert(&mailbox->window, &entry))
			return TTG_ENOMEM;
	}
	return TTG_OK;
}

static enum ttg_error load_mailbox(struct core *core, struct cursor *cursor)
{
	const char *id = get_text(cursor, RULES_MAILBOX_MAX);
	struct mailbox *mailbox;
	uint64_t n_lanes;
	enum ttg_error code;

	if (!cursor_ok(cursor) || core->n_mailboxes >= RULES_MAX_MAILBOXES ||
	    core_find_mailbox(core, id))
		return TTG_ECORRUPT;
	mailbox = core_add_mailbox(core, id);
	if (!mailbox)
		return TTG_ENOMEM;
	mailbox->next_position = cursor_get_varint(cursor);
	mailbox->fill_position = cursor_get_varint(cursor);
	mailbox->backlog_from = cursor_get_varint(cursor);
	mailbox->pending = cursor_get_varint(cursor);
	if (PLANTED(POSITION_AGAIN) && mailbox->pending == 0 && mailbox->next_position > 1)
		mailbox->fill_position = --mailbox->next_position;
	code = load_entries(mailbox, cursor);
	n_lanes = cursor_get_varint(cursor);
	for (uint64_t i = 0; i < n_lanes && code == TTG_OK; i++)
		code = load_lane(mailbox, cursor);
	if (code == TTG_OK)
		code = cursor_ok(cursor) ? mailbox_check(mailbox) : TTG_ECORRUPT;
	core_wake(core, mailbox);
	return code;
}

static enum ttg_error load_timers(struct core *core, struct cursor *cursor)
{
	uint64_t n = cursor_get_varint(cursor);

	for (uint64_t i = 0; i < n; i++) {
		struct timer timer;
		uint32_t fallback;

		timer.deadline_ns = (int64_t)cursor_get_u64(cursor);
		timer.sequence = cursor_get_varint(cursor);
		timer.position = cursor_get_varint(cursor);
		timer.mailbox = get_u32(cursor);
		fallback = get_u32(cursor);
		timer.fallback = fallback ? fallback - 1 : RULES_NONE;
		if (!cursor_ok(cursor) || timer.mailbox >= core->n_mailboxes ||
		    (fallback && timer.fallback >= core->n_mailboxes))
			return TTG_ECORRUPT;
		if (!timers_add(&core->timers, &timer))
			return TTG_ENOMEM;
	}
	return TTG_OK;
}

static enum ttg_error load_seal(struct core *core, struct cursor *cursor, uint64_t sequence)
{
	const struct sealed *it = &core->sealed;

	sealed_get(cursor, &core->sealed);
	if (!cursor_ok(cursor))
		return TTG_ECORRUPT;
	if (it->number == 0)
		return it->first == 0 && it->last == 0 && it->len == 0 ? TTG_OK : TTG_ECORRUPT;
	return it->len > 0 && it->first > 0 && it->first <= it->last && it->last < sequence ?
		       TTG_OK :
		       TTG_ECORRUPT;
}

static enum ttg_error load_persons(struct core *core, struct cursor *cursor, uint64_t sequence)
{
	core->newest_ns = (int64_t)cursor_get_u64(cursor);
	if (core->newest_ns < 0 || !identity_load(core->identity, cursor) ||
	    !waiting_load(&core->waiting, cursor, core->n_mailboxes, sequence) ||
	    !lates_load(&core->lates, cursor, sequence))
		return TTG_ECORRUPT;
	/* What was learnt before the stop may not have been acted on. */
	waiting_mark_all(&core->waiting);
	return TTG_OK;
}

/* The last of them are those whose digest stands further in front. */
static enum ttg_error load_past_rules(struct core *core, struct cursor *cursor, uint64_t sequence)
{
	const struct rules_past *past = &core->past;

	if (!rules_past_load(&core->past, cursor, sequence))
		return TTG_ECORRUPT;
	return past->n == 0 || memcmp(past->items[past->n - 1].digest, core->rules_digest,
				      sizeof(core->rules_digest)) == 0 ?
		       TTG_OK :
		       TTG_ECORRUPT;
}

static enum ttg_error load(struct core *core, struct cursor *cursor, size_t len,
			   struct message *message)
{
	const uint8_t *magic = cursor_get_bytes(cursor, sizeof(MAGIC) - 1), *end, *digest;
	uint8_t version = cursor_get_u8(cursor);
	uint64_t length = cursor_get_u64(cursor), check = cursor_get_u64(cursor), sequence, n;
	enum ttg_error code = TTG_OK;

	if (!magic || memcmp(magic, MAGIC, sizeof(MAGIC) - 1) != 0)
		return message_set(message, TTG_ECORRUPT, "not a snapshot of the core");
	if (version < VERSION_WITHOUT_SEAL || version > SNAPSHOT_VERSION)
		return message_set(message, TTG_EVERSION, "snapshot of version %u", version);
	if (length != len)
		return message_set(message, TTG_ECORRUPT, "snapshot of another length");
	if (check != secret_check(core))
		return message_set(message, TTG_ECRYPTO,
				   "snapshot was made under another secret for keys of persons");
	sequence = cursor_get_u64(cursor);
	digest = cursor_get_bytes(cursor, RECORD_DIGEST);
	if (digest)
		memcpy(core->rules_digest, digest, RECORD_DIGEST);
	n = cursor_get_varint(cursor);
	for (uint64_t i = 0; i < n && code == TTG_OK; i++)
		code = load_mailbox(core, cursor);
	if (code == TTG_OK)
		code = load_timers(core, cursor);
	if (code == TTG_OK && version != VERSION_WITHOUT_SEAL)
		code = load_seal(core, cursor, sequence);
	if (code == TTG_OK && version > VERSION_WITHOUT_PERSONS)
		code = load_persons(core, cursor, sequence);
	if (code == TTG_OK && version > VERSION_WITHOUT_KEYS &&
	    !keys_load(&core->keys, cursor, version > VERSION_WITHOUT_ENDS))
		code = TTG_ECORRUPT;
	if (code == TTG_OK && version > VERSION_WITHOUT_KEYS)
		code = load_past_rules(core, cursor, sequence);
	if (code == TTG_OK && version > VERSION_BEFORE_REDELIVERIES &&
	    (!redeliveries_load(&core->redeliveries, cursor, core->n_mailboxes, sequence) ||
	     !referrals_load(core->referrals, cursor, sequence)))
		code = TTG_ECORRUPT;
	if (code == TTG_OK && !dedupe_load(core->dedupe, cursor))
		code = TTG_ECORRUPT;
	end = cursor_get_bytes(cursor, sizeof(END_MARK) - 1);
	if (code == TTG_OK && (!end || memcmp(end, END_MARK, sizeof(END_MARK) - 1) != 0 ||
			       cursor_left(cursor) != 0))
		code = TTG_ECORRUPT;
	if (code != TTG_OK)
		return message_set(message, code, "snapshot does not hold together: %s",
				   ttg_error_text(code));
	core->sequence = sequence;
	return TTG_OK;
}

enum ttg_error core_restore(struct core *core, const uint8_t *data, size_t len,
			    struct message *message)
{
	struct cursor cursor;

	if (core->sequence != 0 || core->n_mailboxes != 0)
		return message_set(message, TTG_EINVAL, "only a new core can be restored");
	cursor_init_read(&cursor, data, len);
	return load(core, &cursor, len, message);
}
