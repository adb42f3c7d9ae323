/*
 * `tombstones`: numbers of keys that were destroyed, one behind the other, 32 bytes each:
 *
 *   "TTGX" | number u64 | when ns u64 | 0 8 | crc u32
 *
 * It only grows. A last one that is not whole is what a crash left: nobody was told of it, and the next
 * takes its place. One that is damaged with whole ones behind it is damage.
 */
#include "keystore/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/crc32c.h"
#include "base/cursor.h"

#define NAME "tombstones"
#define MARK "TTGX"
#define GRAVE 32u
#define GRAVE_CRC_AT (GRAVE - 4)
#define READ_AT_ONCE 1024u
#define DIG_AT_ONCE 128u
#define NUMBER_MAX UINT32_MAX /* of a key: a bit is kept for each below it */

static void encode(uint64_t number, int64_t at_ns, uint8_t out[GRAVE])
{
	struct cursor cursor;

	memset(out, 0, GRAVE);
	cursor_init_write(&cursor, out, GRAVE);
	cursor_put_bytes(&cursor, MARK, strlen(MARK));
	cursor_put_u64(&cursor, number);
	cursor_put_u64(&cursor, (uint64_t)at_ns);
	cursor_init_write(&cursor, out + GRAVE_CRC_AT, 4);
	cursor_put_u32(&cursor, crc32c(0, out, GRAVE_CRC_AT));
}

/* 0: not one. */
static uint64_t decode(const uint8_t in[GRAVE])
{
	uint8_t again[GRAVE];
	struct cursor cursor;
	uint64_t number;
	int64_t at_ns;

	cursor_init_read(&cursor, in + strlen(MARK), GRAVE - strlen(MARK));
	number = cursor_get_u64(&cursor);
	at_ns = (int64_t)cursor_get_u64(&cursor);
	encode(number, at_ns, again);
	return memcmp(in, again, GRAVE) == 0 && number <= NUMBER_MAX ? number : 0;
}

bool graves_has(const struct keystore *store, uint64_t number)
{
	return number / 8 < store->graveyard_bytes && store->graveyard[number / 8] >> (number % 8) & 1;
}

static bool remember(struct keystore *store, uint64_t number)
{
	size_t bytes = store->graveyard_bytes > 0 ? store->graveyard_bytes : 64;
	uint8_t *grown;

	if (graves_has(store, number))
		return true;
	while (bytes <= number / 8)
		bytes *= 2;
	if (bytes > store->graveyard_bytes) {
		grown = realloc(store->graveyard, bytes);
		if (!grown)
			return false;
		memset(grown + store->graveyard_bytes, 0, bytes - store->graveyard_bytes);
		store->graveyard = grown;
		store->graveyard_bytes = bytes;
	}
	store->graveyard[number / 8] |= (uint8_t)(1u << (number % 8));
	store->n_graves++;
	return true;
}

/* Reads all of it; *damaged: where the first that is none stands, if a whole one follows. */
static enum ttg_error read_graves(struct keystore *store, uint64_t bytes, bool *damaged)
{
	uint8_t buffer[READ_AT_ONCE * GRAVE];
	bool broken = false;

	*damaged = false;
	for (uint64_t at = 0; at + GRAVE <= bytes;) {
		const uint64_t left = (bytes - at) / GRAVE;
		const size_t n = left < READ_AT_ONCE ? (size_t)left : READ_AT_ONCE;
		const int result = world_read_all(store->world, store->graves, buffer, n * GRAVE, at);

		if (result < 0)
			return world_error(result);
		for (size_t i = 0; i < n; i++, at += GRAVE) {
			const uint64_t number = decode(buffer + i * GRAVE);

			if (number != 0 && broken) {
				*damaged = true;
				return TTG_OK;
			}
			broken |= number == 0;
			if (number != 0 && !remember(store, number))
				return TTG_ENOMEM;
			if (number != 0)
				store->graves_bytes = at + GRAVE;
		}
	}
	return TTG_OK;
}

enum ttg_error graves_open(struct keystore *store, struct message *message)
{
	const struct world *world = store->world;
	char path[STORE_PATH];
	enum ttg_error error;
	int64_t bytes;
	bool damaged = false;

	store_path(store, NAME, path);
	store->graves = world->open(world->self, path, WORLD_CREATE);
	if (store->graves < 0)
		return message_set(message, world_error(store->graves), "%s: cannot be opened", path);
	bytes = world->size(world->self, store->graves);
	error = bytes < 0 ? world_error(bytes) : read_graves(store, (uint64_t)bytes, &damaged);
	if (error)
		return message_set(message, error, "%s: cannot be read", path);
	if (damaged)
		return message_set(message, TTG_ECORRUPT, "%s: damaged at offset %llu", path,
				   (unsigned long long)store->graves_bytes);
	return TTG_OK;
}

/* Tombstones of the numbers that have none, at most DIG_AT_ONCE of them; how many, in bytes. */
static size_t encode_new(const struct keystore *store, const uint64_t *numbers, size_t n, uint8_t *out)
{
	const int64_t now_ns = store->world->real_ns(store->world->self);
	size_t bytes = 0;

	for (size_t i = 0; i < n; i++) {
		if (graves_has(store, numbers[i]))
			continue;
		encode(numbers[i], now_ns, out + bytes);
		bytes += GRAVE;
	}
	return bytes;
}

enum ttg_error graves_dig(struct keystore *store, const uint64_t *numbers, size_t n)
{
	const struct world *world = store->world;
	const uint64_t before = store->graves_bytes;
	uint8_t buffer[DIG_AT_ONCE * GRAVE];
	int result = 0;

	for (size_t i = 0; i < n && result >= 0; i += DIG_AT_ONCE) {
		const size_t some = n - i < DIG_AT_ONCE ? n - i : DIG_AT_ONCE;
		const size_t bytes = encode_new(store, numbers + i, some, buffer);

		result = world_write_all(world, store->graves, buffer, bytes, store->graves_bytes);
		store->graves_bytes += result >= 0 ? bytes : 0;
	}
	if (world_error(result) == TTG_ENOSPC) { /* whole ones that stay will be obeyed at the next open */
		store->graves_bytes = before;
		return TTG_ENOSPC;
	}
	if (result >= 0 && store->graves_bytes != before)
		result = world->sync(world->self, store->graves);
	if (result < 0)
		return store_fail(store, result);
	for (size_t i = 0; i < n; i++)
		if (!remember(store, numbers[i]))
			return store_fail(store, -ENOMEM);
	return TTG_OK;
}
