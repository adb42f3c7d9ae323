/*
 * See keys.h. In a snapshot: highest | lapsed_s | number of keys, each: owner 16 bytes | key | until_s, by
 * number. Before keys had an end: highest | number of owners, each: owner 16 bytes | key (0: none) | number
 * of keys that were to be destroyed, each: key.
 *
 * Items that are dropped stay where they are, so that places of others hold, until there is no room.
 */
#include "core/keys.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "base/planted.h"

#define FIRST_ROOM 32u

void keys_fini(struct keys *it)
{
	free(it->items);
	free(it->index);
	free(it->gone);
	*it = (struct keys){ 0 };
}

/* Where the owner's newest item stands in the index, or would. Owners are made by a keyed hash: any bytes of
   them will do. */
static uint32_t *place_of(const struct keys *it, const uint8_t *owner)
{
	uint64_t hash;
	size_t i;

	memcpy(&hash, owner, sizeof(hash));
	i = (size_t)(hash & (it->n_index - 1));
	while (it->index[i] != 0 && memcmp(it->items[it->index[i] - 1].owner, owner, KEYS_OWNER) != 0)
		i = (i + 1) & (it->n_index - 1);
	return &it->index[i];
}

static struct keys_entry *at(const struct keys *it, uint32_t item)
{
	return item > 0 ? &it->items[item - 1] : NULL;
}

/* A dropped one stays an owner's newest when it was the last. */
static struct keys_entry *newest(const struct keys *it, const uint8_t *owner)
{
	struct keys_entry *entry = it->n_index > 0 ? at(it, *place_of(it, owner)) : NULL;

	return entry && entry->key != 0 ? entry : NULL;
}

/* The item in front of the owner's others. */
static void put_first(struct keys *it, uint32_t item)
{
	uint32_t *place = place_of(it, it->items[item].owner);

	it->items[item].older = *place > 0 && it->items[*place - 1].key != 0 ? *place : 0;
	*place = item + 1;
}

static void pack(struct keys *it)
{
	size_t n = 0;

	for (size_t i = 0; i < it->n; i++) {
		if (it->items[i].key != 0)
			it->items[n++] = it->items[i];
	}
	it->n = n;
}

/* The dropped ones make room, or else there is more; at most half of the index is taken. */
static bool make_room(struct keys *it)
{
	size_t room = it->room > 0 ? it->room : FIRST_ROOM;
	struct keys_entry *items;
	uint32_t *index;

	if (it->n < it->room)
		return true;
	if (it->live > room / 2 || it->room == 0) {
		room = it->room > 0 ? it->room * 2 : room;
		if (room >= UINT32_MAX / 2)
			return false;
		items = realloc(it->items, room * sizeof(*items));
		if (!items)
			return false;
		it->items = items;
	}
	index = calloc(room * 2, sizeof(*index));
	if (!index)
		return false;
	free(it->index);
	it->index = index;
	it->n_index = room * 2;
	it->room = room;
	pack(it);
	for (size_t i = 0; i < it->n; i++)
		put_first(it, (uint32_t)i);
	return true;
}

const struct keys_entry *keys_newest(const struct keys *it, const uint8_t *owner)
{
	return newest(it, owner);
}

const struct keys_entry *keys_older(const struct keys *it, const struct keys_entry *entry)
{
	return at(it, entry->older);
}

uint64_t keys_find(const struct keys *it, const uint8_t *owner, uint64_t until_s)
{
	const struct keys_entry *entry = newest(it, owner);

	while (entry && entry->until_s != until_s)
		entry = at(it, entry->older);
	return entry ? entry->key : 0;
}

bool keys_fits(const struct keys *it, const uint8_t *owner, uint64_t until_s, uint64_t key)
{
	return key > it->highest && (until_s == 0 || until_s > it->lapsed_s) &&
	       keys_find(it, owner, until_s) == 0;
}

bool keys_give(struct keys *it, const uint8_t *owner, uint64_t until_s, uint64_t key)
{
	struct keys_entry *entry;

	assert(keys_fits(it, owner, until_s, key));
	if (!make_room(it))
		return false;
	entry = &it->items[it->n++];
	memcpy(entry->owner, owner, KEYS_OWNER);
	entry->key = key;
	entry->until_s = until_s;
	put_first(it, (uint32_t)(it->n - 1));
	it->live++;
	it->highest = key;
	if (until_s != 0 && (it->first_s == 0 || until_s < it->first_s))
		it->first_s = until_s;
	return true;
}

bool keys_has(const struct keys *it, const uint8_t *owner, uint64_t key)
{
	const struct keys_entry *entry = newest(it, owner);

	while (entry && entry->key != key)
		entry = at(it, entry->older);
	return entry != NULL;
}

static bool add_gone(struct keys *it, uint64_t key)
{
	size_t room = it->room_gone ? it->room_gone * 2 : 16;
	uint64_t *grown;

	if (it->n_gone == it->room_gone) {
		grown = realloc(it->gone, room * sizeof(*grown));
		if (!grown)
			return false;
		it->gone = grown;
		it->room_gone = room;
	}
	it->gone[it->n_gone++] = key;
	return true;
}

bool keys_drop(struct keys *it, const uint8_t *owner, uint64_t key)
{
	uint32_t *place = place_of(it, owner), *link = place;
	struct keys_entry *entry = at(it, *place);

	while (entry->key != key) {
		assert(entry->key != 0 && entry->older != 0);
		link = &entry->older;
		entry = at(it, *link);
	}
	if (!add_gone(it, key))
		return false;
	if (link != place || entry->older != 0)
		*link = entry->older;
	entry->key = 0;
	it->live--;
	return true;
}

static bool is_due(const struct keys_entry *entry, uint64_t until_s)
{
	return entry->key != 0 && entry->until_s <= until_s &&
	       (entry->until_s != 0 || PLANTED(LAPSE_ENDLESS));
}

bool keys_lapse(struct keys *it, uint64_t until_s)
{
	uint64_t first_s = 0;

	assert(until_s > it->lapsed_s);
	for (size_t i = 0; i < it->n; i++) {
		const struct keys_entry *entry = &it->items[i];

		if (is_due(entry, until_s) && !keys_drop(it, entry->owner, entry->key))
			return false;
		if (entry->key != 0 && entry->until_s != 0 && (first_s == 0 || entry->until_s < first_s))
			first_s = entry->until_s;
	}
	it->lapsed_s = until_s;
	it->first_s = first_s;
	return true;
}

size_t keys_due(const struct keys *it, uint64_t until_s)
{
	size_t n = 0;

	for (size_t i = 0; i < it->n; i++)
		n += is_due(&it->items[i], until_s);
	return n;
}

void keys_destroyed(struct keys *it, size_t n)
{
	assert(n <= it->n_gone - it->first_gone);
	it->first_gone += n;
	if (it->first_gone == it->n_gone)
		it->first_gone = it->n_gone = 0;
}

size_t keys_bound(const struct keys *it)
{
	return 32 + it->live * (KEYS_OWNER + 20);
}

void keys_save(const struct keys *it, struct cursor *cursor)
{
	cursor_put_varint(cursor, it->highest);
	cursor_put_varint(cursor, it->lapsed_s);
	cursor_put_varint(cursor, it->live);
	for (size_t i = 0; i < it->n; i++) {
		const struct keys_entry *entry = &it->items[i];

		if (entry->key == 0)
			continue;
		cursor_put_bytes(cursor, entry->owner, KEYS_OWNER);
		cursor_put_varint(cursor, entry->key);
		cursor_put_varint(cursor, entry->until_s);
	}
}

static bool load_entry(struct keys *it, struct cursor *cursor)
{
	const uint8_t *owner = cursor_get_bytes(cursor, KEYS_OWNER);
	const uint64_t key = cursor_get_varint(cursor), until_s = cursor_get_varint(cursor);

	return cursor_ok(cursor) && keys_fits(it, owner, until_s, key) &&
	       keys_give(it, owner, until_s, key);
}

/* Owners stand in the order they first had one. */
static int by_key(const void *a, const void *b)
{
	const struct keys_entry *left = a, *right = b;

	return (left->key > right->key) - (left->key < right->key);
}

static bool give_all(struct keys *it, struct keys_entry *entries, size_t n)
{
	bool done = true;

	qsort(entries, n, sizeof(*entries), by_key);
	for (size_t i = 0; i < n && done; i++)
		done = entries[i].key == 0 || (keys_fits(it, entries[i].owner, 0, entries[i].key) &&
					       keys_give(it, entries[i].owner, 0, entries[i].key));
	return done;
}

static bool load_without_ends(struct keys *it, struct cursor *cursor)
{
	const uint64_t n = cursor_get_varint(cursor);
	struct keys_entry *entries = NULL;
	bool done = cursor_ok(cursor) && n <= cursor_left(cursor) / (KEYS_OWNER + 1);

	if (done)
		entries = calloc((size_t)n + 1, sizeof(*entries));
	done = done && entries;
	for (uint64_t i = 0; i < n && done; i++) {
		const uint8_t *owner = cursor_get_bytes(cursor, KEYS_OWNER);

		entries[i].key = cursor_get_varint(cursor);
		done = cursor_ok(cursor);
		if (done)
			memcpy(entries[i].owner, owner, KEYS_OWNER);
	}
	done = done && give_all(it, entries, (size_t)n);
	free(entries);
	for (uint64_t i = done ? cursor_get_varint(cursor) : 0; i > 0 && cursor_ok(cursor); i--)
		cursor_get_varint(cursor); /* nobody has them */
	return done;
}

bool keys_load(struct keys *it, struct cursor *cursor, bool ends)
{
	const uint64_t highest = cursor_get_varint(cursor);
	bool done = cursor_ok(cursor);
	uint64_t n;

	if (ends) {
		it->lapsed_s = cursor_get_varint(cursor);
		n = cursor_get_varint(cursor);
		for (uint64_t i = 0; i < n && done; i++)
			done = load_entry(it, cursor);
	} else {
		done = done && load_without_ends(it, cursor);
	}
	done = done && it->highest <= highest;
	it->highest = highest;
	return done && cursor_ok(cursor);
}
