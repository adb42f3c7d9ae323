/*
 * See keys.h. In a snapshot: highest | number of owners, each: owner 16 bytes | key | number of erased, each:
 * key.
 */
#include "core/keys.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_INDEX 64u

void keys_fini(struct keys *it)
{
	free(it->items);
	free(it->index);
	free(it->erased);
	*it = (struct keys){ 0 };
}

/* Owners are made by a keyed hash: any bytes of them will do. */
static size_t place_of(const struct keys *it, const uint8_t *owner)
{
	uint64_t hash;

	memcpy(&hash, owner, sizeof(hash));
	return (size_t)(hash & (it->n_index - 1));
}

static struct keys_entry *find(const struct keys *it, const uint8_t *owner)
{
	if (it->n_index == 0)
		return NULL;
	for (size_t i = place_of(it, owner); it->index[i] != 0; i = (i + 1) & (it->n_index - 1)) {
		struct keys_entry *entry = &it->items[it->index[i] - 1];

		if (memcmp(entry->owner, owner, KEYS_OWNER) == 0)
			return entry;
	}
	return NULL;
}

static void put_index(struct keys *it, size_t item)
{
	size_t i = place_of(it, it->items[item].owner);

	while (it->index[i] != 0)
		i = (i + 1) & (it->n_index - 1);
	it->index[i] = (uint32_t)(item + 1);
}

/* At most two thirds of the index are taken. */
static bool make_room(struct keys *it)
{
	size_t room = it->room > 0 ? it->room * 2 : FIRST_INDEX / 2, n_index = it->n_index;
	struct keys_entry *items;
	uint32_t *index;

	if (it->n < it->room)
		return true;
	if (room >= UINT32_MAX / 2)
		return false;
	items = realloc(it->items, room * sizeof(*items));
	if (!items)
		return false;
	it->items = items;
	n_index = n_index > 0 ? n_index * 2 : FIRST_INDEX;
	index = calloc(n_index, sizeof(*index));
	if (!index)
		return false;
	free(it->index);
	it->index = index;
	it->n_index = n_index;
	it->room = room;
	for (size_t i = 0; i < it->n; i++)
		put_index(it, i);
	return true;
}

uint64_t keys_find(const struct keys *it, const uint8_t *owner)
{
	const struct keys_entry *entry = find(it, owner);

	return entry ? entry->key : 0;
}

bool keys_fits(const struct keys *it, const uint8_t *owner, uint64_t key)
{
	return key > it->highest && keys_find(it, owner) == 0;
}

bool keys_give(struct keys *it, const uint8_t *owner, uint64_t key)
{
	struct keys_entry *entry = find(it, owner);

	assert(keys_fits(it, owner, key));
	if (!entry && !make_room(it))
		return false;
	if (!entry) {
		entry = &it->items[it->n++];
		memcpy(entry->owner, owner, KEYS_OWNER);
		put_index(it, it->n - 1);
	}
	entry->key = key;
	it->highest = key;
	return true;
}

static bool add_erased(struct keys *it, uint64_t key)
{
	size_t room = it->room_erased ? it->room_erased * 2 : 16;
	uint64_t *grown;

	if (it->n_erased == it->room_erased) {
		grown = realloc(it->erased, room * sizeof(*grown));
		if (!grown)
			return false;
		it->erased = grown;
		it->room_erased = room;
	}
	it->erased[it->n_erased++] = key;
	return true;
}

bool keys_erase(struct keys *it, const uint8_t *owner, uint64_t key)
{
	struct keys_entry *entry = find(it, owner);

	assert(entry && key != 0 && entry->key == key);
	if (!add_erased(it, key))
		return false;
	entry->key = 0;
	return true;
}

size_t keys_live(const struct keys *it)
{
	size_t n = 0;

	for (size_t i = 0; i < it->n; i++)
		n += it->items[i].key != 0;
	return n;
}

size_t keys_bound(const struct keys *it)
{
	return 32 + it->n * (KEYS_OWNER + 10) + it->n_erased * 10;
}

void keys_save(const struct keys *it, struct cursor *cursor)
{
	cursor_put_varint(cursor, it->highest);
	cursor_put_varint(cursor, it->n);
	for (size_t i = 0; i < it->n; i++) {
		cursor_put_bytes(cursor, it->items[i].owner, KEYS_OWNER);
		cursor_put_varint(cursor, it->items[i].key);
	}
	cursor_put_varint(cursor, it->n_erased);
	for (size_t i = 0; i < it->n_erased; i++)
		cursor_put_varint(cursor, it->erased[i]);
}

static bool load_entry(struct keys *it, struct cursor *cursor, uint64_t highest)
{
	const uint8_t *owner = cursor_get_bytes(cursor, KEYS_OWNER);
	uint64_t key = cursor_get_varint(cursor);

	if (!owner || !cursor_ok(cursor) || key > highest || find(it, owner) || !make_room(it))
		return false;
	memcpy(it->items[it->n].owner, owner, KEYS_OWNER);
	it->items[it->n++].key = key;
	put_index(it, it->n - 1);
	return true;
}

bool keys_load(struct keys *it, struct cursor *cursor)
{
	uint64_t highest = cursor_get_varint(cursor), n = cursor_get_varint(cursor);
	bool done = cursor_ok(cursor);

	for (uint64_t i = 0; i < n && done; i++)
		done = load_entry(it, cursor, highest);
	n = done ? cursor_get_varint(cursor) : 0;
	for (uint64_t i = 0; i < n && done; i++) {
		uint64_t key = cursor_get_varint(cursor);

		done = cursor_ok(cursor) && key != 0 && key <= highest && add_erased(it, key);
	}
	it->highest = highest;
	return done && cursor_ok(cursor);
}
