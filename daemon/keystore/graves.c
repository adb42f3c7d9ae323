/*
 * `tombstones`: numbers of keys that were destroyed, one behind the other, 32 bytes each:
 *
 *   "TTGX" | number u64 | when ns u64 | batch u64 | crc u32
 *
 * Those that were written together, with one sync, have in `batch` the place of the first of them, from 1; 0:
 * it was written alone. The file only grows. Places that are none, or damaged, are what a crash left of the
 * last batch when nothing behind them is of a later one: nobody was told of it. What there is of it counts,
 * and is written again where the first is missing. With a later one behind them they are damage.
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

struct grave {
	uint64_t number; /* 0: it is none */
	int64_t at_ns;
	uint64_t batch;
};

static void encode(const struct grave *it, uint8_t out[GRAVE])
{
	struct cursor cursor;

	memset(out, 0, GRAVE);
	cursor_init_write(&cursor, out, GRAVE);
	cursor_put_bytes(&cursor, MARK, strlen(MARK));
	cursor_put_u64(&cursor, it->number);
	cursor_put_u64(&cursor, (uint64_t)it->at_ns);
	cursor_put_u64(&cursor, it->batch);
	cursor_init_write(&cursor, out + GRAVE_CRC_AT, 4);
	cursor_put_u32(&cursor, crc32c(0, out, GRAVE_CRC_AT));
}

static void decode(const uint8_t in[GRAVE], struct grave *out)
{
	uint8_t again[GRAVE];
	struct cursor cursor;

	cursor_init_read(&cursor, in + strlen(MARK), GRAVE - strlen(MARK));
	out->number = cursor_get_u64(&cursor);
	out->at_ns = (int64_t)cursor_get_u64(&cursor);
	out->batch = cursor_get_u64(&cursor);
	encode(out, again);
	if (memcmp(in, again, GRAVE) != 0 || out->number > NUMBER_MAX)
		out->number = 0;
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

/* What is found while the file is read. */
struct reading {
	uint64_t at;       /* place, from 0 */
	uint64_t missing;  /* the first place that is none; UINT64_MAX: there is no such */
	bool damaged;
	uint64_t *torn;    /* numbers behind it, of the same batch */
	size_t n_torn, room_torn;
};

static bool keep_torn(struct reading *it, uint64_t number)
{
	const size_t room = it->room_torn ? it->room_torn * 2 : 64;
	uint64_t *grown;

	if (it->n_torn == it->room_torn) {
		grown = realloc(it->torn, room * sizeof(*grown));
		if (!grown)
			return false;
		it->torn = grown;
		it->room_torn = room;
	}
	it->torn[it->n_torn++] = number;
	return true;
}

/* False: no memory. */
static bool take(struct keystore *store, struct reading *it, const struct grave *grave)
{
	const uint64_t first = grave->batch > 0 ? grave->batch - 1 : it->at;

	if (grave->number == 0) {
		it->missing = it->at < it->missing ? it->at : it->missing;
		return true;
	}
	if (it->missing != UINT64_MAX) {
		it->damaged |= first > it->missing;
		return keep_torn(it, grave->number);
	}
	return remember(store, grave->number);
}

static enum ttg_error read_graves(struct keystore *store, uint64_t n, struct reading *it)
{
	uint8_t buffer[READ_AT_ONCE * GRAVE];

	while (it->at < n && !it->damaged) {
		const uint64_t left = n - it->at;
		const size_t some = left < READ_AT_ONCE ? (size_t)left : READ_AT_ONCE;
		const int result = world_read_all(store->world, store->graves, buffer, some * GRAVE,
						  it->at * GRAVE);

		if (result < 0)
			return world_error(result);
		for (size_t i = 0; i < some; i++, it->at++) {
			struct grave grave;

			decode(buffer + i * GRAVE, &grave);
			if (!take(store, it, &grave))
				return TTG_ENOMEM;
		}
	}
	return TTG_OK;
}

enum ttg_error graves_open(struct keystore *store, struct message *message)
{
	const struct world *world = store->world;
	struct reading reading = { .missing = UINT64_MAX };
	char path[STORE_PATH];
	enum ttg_error error;
	int64_t bytes;

	store_path(store, NAME, path);
	store->graves = world->open(world->self, path, WORLD_CREATE);
	if (store->graves < 0)
		return message_set(message, world_error(store->graves), "%s: cannot be opened", path);
	bytes = world->size(world->self, store->graves);
	error = bytes < 0 ? world_error(bytes) : read_graves(store, (uint64_t)bytes / GRAVE, &reading);
	store->graves_bytes = GRAVE * (reading.missing < reading.at ? reading.missing : reading.at);
	if (error)
		message_set(message, error, "%s: cannot be read", path);
	else if (reading.damaged)
		error = message_set(message, TTG_ECORRUPT, "%s: damaged at offset %llu", path,
				    (unsigned long long)store->graves_bytes);
	else if (reading.n_torn > 0) {
		error = graves_dig(store, reading.torn, reading.n_torn);
		if (error)
			message_set(message, error, "%s: cannot be put in order", path);
	}
	free(reading.torn);
	return error;
}

/* Tombstones of the numbers that have none, at most DIG_AT_ONCE of them; how many, in bytes. */
static size_t encode_new(const struct keystore *store, const uint64_t *numbers, size_t n, uint64_t batch,
			 uint8_t *out)
{
	struct grave grave = { 0, store->world->real_ns(store->world->self), batch };
	size_t bytes = 0;

	for (size_t i = 0; i < n; i++) {
		if (graves_has(store, numbers[i]))
			continue;
		grave.number = numbers[i];
		encode(&grave, out + bytes);
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
		const size_t bytes = encode_new(store, numbers + i, some, before / GRAVE + 1, buffer);

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
