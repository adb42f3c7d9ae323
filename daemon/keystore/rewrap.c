/*
 * Another master key, without anybody waiting: a second file is written with every key wrapped by the new
 * one, some at each call, while the first is used as before; when it holds as many, it is synced and takes
 * the first one's name. Until then everything is as it was, and a start goes on from the beginning.
 */
#include "keystore/state.h"

#include <errno.h>
#include <string.h>
#include "base/keyfile.h"

#define NEW_NAME "keys.rewrapped"
#define KEYS_NAME "keys"
#define AT_ONCE 256u /* keys a call */

void rewrap_drop(struct keystore *store)
{
	if (store->wanted_file >= 0)
		(void)store->world->close(store->world->self, store->wanted_file);
	store->wanted_file = -1;
	store->rewrapping = false;
	wipe(store->secrets->wanted, KEYSTORE_KEY);
}

bool keystore_is_under(const struct keystore *store, const uint8_t master[KEYSTORE_KEY])
{
	return memcmp(store->secrets->master, master, KEYSTORE_KEY) == 0;
}

enum ttg_error keystore_set_master(struct keystore *store, const uint8_t master[KEYSTORE_KEY])
{
	const struct world *world = store->world;
	uint8_t block[STORE_HEADER], check[STORE_CHECK];
	char path[STORE_PATH];
	int result;

	if (store->failed)
		return TTG_EIO;
	if (store->rewrapping && memcmp(store->secrets->wanted, master, KEYSTORE_KEY) == 0)
		return TTG_OK;
	rewrap_drop(store);
	if (keystore_is_under(store, master))
		return TTG_OK;
	if (!wrapper_check(master, check))
		return TTG_ECRYPTO;
	store_path(store, NEW_NAME, path);
	result = world->unlink(world->self, path);
	if (result < 0 && result != -ENOENT)
		return world_error(result);
	store->wanted_file = world->open(world->self, path, WORLD_EXCLUSIVE);
	if (store->wanted_file < 0)
		return world_error(store->wanted_file);
	header_encode(check, block);
	result = world_write_all(world, store->wanted_file, block, sizeof(block), 0);
	if (result < 0) {
		rewrap_drop(store);
		return world_error(result);
	}
	memcpy(store->secrets->wanted, master, KEYSTORE_KEY);
	store->wanted_count = 0;
	store->rewrapping = true;
	return TTG_OK;
}

/* One slot as it is to stand in the new file. Since the store was proven every slot is one. */
static enum ttg_error convert(struct keystore *store, uint64_t number, const uint8_t *slot, uint8_t *out)
{
	uint8_t key[KEYSTORE_KEY];
	bool fine;

	memcpy(out, slot, STORE_SLOT);
	if (graves_has(store, number))
		slot_encode_destroyed(number, out);
	else if (slot_state(slot, number) == SLOT_KEY) {
		fine = slot_decode(store->wrapper, store->secrets->master, slot, key) &&
		       slot_encode(store->wrapper, store->secrets->wanted, number, key, out);
		wipe(key, sizeof(key));
		return fine ? TTG_OK : TTG_ECRYPTO;
	} else if (slot_state(slot, number) != SLOT_DESTROYED) {
		return TTG_ECORRUPT;
	}
	return TTG_OK;
}

static enum ttg_error copy_some(struct keystore *store)
{
	const uint64_t first = store->wanted_count + 1, left = store->count - store->wanted_count;
	const size_t n = (size_t)(left < AT_ONCE ? left : AT_ONCE);
	uint8_t slots[AT_ONCE * STORE_SLOT], out[AT_ONCE * STORE_SLOT];
	enum ttg_error error = TTG_OK;
	int result = world_read_all(store->world, store->file, slots, n * STORE_SLOT, slot_offset(first));

	for (size_t i = 0; i < n && result >= 0 && !error; i++)
		error = convert(store, first + i, slots + i * STORE_SLOT, out + i * STORE_SLOT);
	if (error)
		return error;
	if (result >= 0)
		result = world_write_all(store->world, store->wanted_file, out, n * STORE_SLOT,
					 slot_offset(first));
	if (result >= 0)
		store->wanted_count += n;
	return world_error(result);
}

/* The new file takes the place of the old one. */
static enum ttg_error take_over(struct keystore *store)
{
	const struct world *world = store->world;
	char from[STORE_PATH], to[STORE_PATH];
	int result = world->sync(world->self, store->wanted_file);

	store_path(store, NEW_NAME, from);
	store_path(store, KEYS_NAME, to);
	if (result >= 0)
		result = world->rename(world->self, from, to);
	if (result >= 0)
		result = world->sync_dir(world->self, store->directory);
	if (result < 0)
		return store_fail(store, result);
	(void)world->close(world->self, store->file);
	store->file = store->wanted_file;
	store->wanted_file = -1;
	memcpy(store->secrets->master, store->secrets->wanted, KEYSTORE_KEY);
	rewrap_drop(store);
	return TTG_OK;
}

enum ttg_error keystore_rewrap(struct keystore *store, bool *done)
{
	enum ttg_error error = store->failed ? TTG_EIO : TTG_OK;

	*done = false;
	if (error)
		return error;
	if (!store->rewrapping) {
		*done = true;
		return TTG_OK;
	}
	if (store->wanted_count < store->count) {
		error = copy_some(store);
		if (error)
			rewrap_drop(store);
		return error;
	}
	error = take_over(store);
	*done = !error;
	return error;
}
